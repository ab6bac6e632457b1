package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
)

// drainFor is how long a stopping server waits for requests under way.
const drainFor = 20 * time.Second

// Serve listens until the context ends, then lets requests under way finish. listening is told the address.
func (a *App) Serve(ctx context.Context, listening func(url string)) error {
	a.tune()
	main := &http.Server{Handler: a.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug), TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	servers := []*http.Server{main}
	errs := make(chan error, 2)
	var running sync.WaitGroup
	start := func(s *http.Server, serve func() error) {
		running.Go(func() {
			if err := serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
				errs <- err
			}
		})
	}
	if a.embedded() {
		l, err := a.socket()
		if err != nil {
			return err
		}
		local := &http.Server{Handler: a.localHandler(""), ReadHeaderTimeout: 10 * time.Second, ErrorLog: main.ErrorLog}
		servers = append(servers, local)
		start(local, func() error { return local.Serve(l) })
	}
	if a.Config.Role != "worker" {
		l, err := net.Listen("tcp", a.Config.Addr)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		scheme := "http"
		if a.Config.TLSCert != "" {
			scheme = "https"
			start(main, func() error { return main.ServeTLS(l, a.Config.TLSCert, a.Config.TLSKey) })
		} else {
			start(main, func() error { return main.Serve(l) })
		}
		listening(scheme + "://" + l.Addr().String())
	} else {
		listening("worker")
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-errs:
	}
	return errors.Join(failed, a.drain(servers, &running))
}

// drain ends event streams, refuses new requests and waits for those under way.
func (a *App) drain(servers []*http.Server, running *sync.WaitGroup) error {
	a.hub.Close()
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	var errs []error
	for _, s := range servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("drain: %w", err), s.Close())
		}
	}
	running.Wait()
	return errors.Join(errs...)
}

// localHandler serves requests of the owner of the data directory.
func (a *App) localHandler(workspace string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.handler.ServeHTTP(w, r.WithContext(api.Local(r.Context(), workspace)))
	})
}
