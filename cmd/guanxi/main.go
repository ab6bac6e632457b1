// Command guanxi is the whole product in one program; see `guanxi --help`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/edge/cli"
)

// version is set by the linker.
var version = ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	words, err := app.Words()
	if err != nil {
		fmt.Fprintln(os.Stderr, "guanxi:", err)
		return 1
	}
	v := version
	if v == "" {
		v = "dev"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
			v = info.Main.Version
		}
	}
	p := cli.Program{Backend: app.Backend{Version: v}, Version: v, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookEnv: os.LookupEnv, Words: words.Text}
	return p.Run(ctx, args)
}
