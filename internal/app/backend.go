package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/config"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/obs"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/edge/cli"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/objects"
)

// Backend is the program as the command line uses it.
type Backend struct{ Version string }

var _ cli.Backend = Backend{}

func (b Backend) open(ctx context.Context, cfg *config.Config, log *slog.Logger, background bool) (*App, error) {
	return Open(ctx, Options{Config: cfg, Log: log, Version: b.Version, Background: background})
}

// Serve implements cli.Backend.
func (b Backend) Serve(ctx context.Context, cfg *config.Config, log *slog.Logger, say func(string)) error {
	a, err := b.open(ctx, cfg, log, true)
	if err != nil {
		return spoken(err, a)
	}
	err = a.serveDemo(ctx, say)
	if err == nil {
		err = a.Serve(ctx, func(url string) { say("Guanxi 关系 " + url) })
	}
	return errors.Join(err, a.Close())
}

// spoken gives a fault of starting up its sentence.
func spoken(err error, _ *App) error {
	f, ok := fault.Find(err)
	if !ok {
		return err
	}
	words, werr := Words()
	if werr != nil || f.Kind == fault.Internal {
		return err
	}
	return fmt.Errorf("%s (%s)", words.Text("en", f.Code, f.Params), f.Code)
}

// Open implements cli.Backend: the socket of the running server, or a server inside this process.
func (b Backend) Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (cli.Door, error) {
	a, err := b.open(ctx, cfg, log, false)
	if err == nil {
		return a.Door(), nil
	}
	if fault.CodeOf(err) != "app.data_in_use" {
		return nil, spoken(err, a)
	}
	path := findSocket(cfg.Data)
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}
	return &socketDoor{client: &http.Client{Transport: t}, transport: t}, nil
}

type socketDoor struct {
	client    *http.Client
	transport *http.Transport
}

func (d *socketDoor) Do(r *http.Request) (*http.Response, error) { return d.client.Do(r) }

func (d *socketDoor) Close() error {
	d.transport.CloseIdleConnections()
	return nil
}

// Door serves this App to its own process, through connections in memory. Closing the door closes the App.
func (a *App) Door() cli.Door {
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	s := &http.Server{Handler: a.localHandler("")}
	t := &http.Transport{DialContext: l.dial}
	d := &memoryDoor{app: a, server: s, socketDoor: socketDoor{client: &http.Client{Transport: t}, transport: t}}
	d.running.Go(func() { _ = s.Serve(l) })
	return d
}

type memoryDoor struct {
	socketDoor
	app     *App
	server  *http.Server
	running sync.WaitGroup
	asked   atomic.Pointer[http.Request] // the last request for more than reading
}

// Do implements cli.Door.
func (d *memoryDoor) Do(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		d.asked.Store(r)
	}
	return d.socketDoor.Do(r)
}

// settleFor is how long a command that ends waits for what follows its writes; what is left is done at the next start.
const settleFor = 30 * time.Second

func (d *memoryDoor) Close() error {
	if r := d.asked.Load(); r != nil && r.Context().Err() == nil {
		d.app.settle(settleFor)
	}
	d.transport.CloseIdleConnections()
	err := d.server.Close()
	d.running.Wait()
	return errors.Join(err, d.app.Close())
}

// pipeListener accepts connections that dial makes.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// Migrate implements cli.Backend: opening a store brings it up to date.
func (b Backend) Migrate(ctx context.Context, cfg *config.Config, log *slog.Logger) (any, error) {
	a, err := b.open(ctx, cfg, log, false)
	if err != nil {
		return nil, spoken(err, a)
	}
	ws, err := a.auth.Store.Workspaces(ctx)
	done := []string{}
	for _, w := range ws {
		if err == nil {
			_, err = a.Open(ctx, w.Key)
			done = append(done, w.Key)
		}
	}
	return map[string]any{"workspaces": done, "version": b.Version}, errors.Join(err, a.Close())
}

// OpenAPI implements cli.Backend.
func (b Backend) OpenAPI() ([]byte, error) {
	reg, err := standardObjects()
	if err != nil {
		return nil, err
	}
	a, err := api.New(api.Config{Version: b.Version, Clock: clock.System{}, Metrics: obs.NewMetrics(b.Version), Web: http.NotFoundHandler()})
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(a.OpenAPI(api.Described{Objects: reg.Objects()}), "", "  ")
}

func standardObjects() (*schema.Registry, error) {
	objs, err := schema.Load(objects.FS)
	if err != nil {
		return nil, err
	}
	return schema.NewRegistry(objs)
}
