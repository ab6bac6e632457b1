// Command serve runs the provider of tests for tests in a browser: serve ADDRESS CLIENT SECRET.
package main

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/platform/oidc/oidctest"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		slog.Error("provider of tests", "error", err)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("serve ADDRESS CLIENT SECRET")
	}
	p, err := oidctest.New("http://"+args[0], args[1], args[2], clock.System{})
	if err != nil {
		return err
	}
	p.Page = true
	s := &http.Server{Addr: args[0], Handler: p, ReadHeaderTimeout: 5 * time.Second}
	return s.ListenAndServe()
}
