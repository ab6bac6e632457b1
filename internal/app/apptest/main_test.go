// Package apptest tries the whole program as a machine and its users do: as processes that are killed, on disks that fill
// up, with files that are damaged, on both databases, and with input of every wrong kind. Every child process is this test
// binary itself, which becomes the program when apptestChild is set, so that the program is linked once.
//
// Long trials run only with GUANXI_LONG=1. Real files are read from ../shared/data; where the folder is absent the trials
// that need them are skipped, where it is there and a file is not they fail.
package apptest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/config"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/edge/cli"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// apptestChild makes this binary the program; apptestSchema begins the names of its PostgreSQL schemas.
const (
	apptestChild  = "GUANXI_APPTEST_CHILD"
	apptestSchema = "GUANXI_APPTEST_SCHEMA"
)

func TestMain(m *testing.M) {
	if os.Getenv(apptestChild) != "" {
		os.Exit(program(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// program is what cmd/guanxi does.
func program(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	words, err := app.Words()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p := cli.Program{Backend: backend{app.Backend{Version: "test"}}, Version: "test", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookEnv: os.LookupEnv, Words: words.Text}
	return p.Run(ctx, args)
}

// generous are rates that never refuse: the trials ask faster than people.
var generous = api.Rates{Anonymous: api.Rate{PerSecond: 1e6, Burst: 1e6}, SignedIn: api.Rate{PerSecond: 1e6, Burst: 1e6}, Reveal: api.Rate{PerSecond: 1e6, Burst: 1e6}}

var cheap = auth.Cost{MemoryKiB: 64, Passes: 1}

// options are those of the program but for rates, the cost of passwords and the names of schemas.
func options(cfg *config.Config, log *slog.Logger, schema string) app.Options {
	o := app.Options{Config: cfg, Log: log, Version: "test", Rates: generous, Cost: cheap}
	if schema != "" {
		o.InstanceSchema, o.WorkspacePrefix = schema+"instance", schema
	}
	return o
}

type backend struct{ app.Backend }

// Serve implements cli.Backend.
func (backend) Serve(ctx context.Context, cfg *config.Config, log *slog.Logger, say func(string)) error {
	o := options(cfg, log, os.Getenv(apptestSchema))
	o.Background = true
	a, err := app.Open(ctx, o)
	if err != nil {
		return err
	}
	err = a.Serve(ctx, func(url string) { say("listening " + url) })
	return errors.Join(err, a.Close())
}

// Open implements cli.Backend.
func (b backend) Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (cli.Door, error) {
	schema := os.Getenv(apptestSchema)
	if schema == "" {
		return b.Backend.Open(ctx, cfg, log)
	}
	a, err := app.Open(ctx, options(cfg, log, schema))
	if err != nil {
		return nil, err
	}
	return a.Door(), nil
}
