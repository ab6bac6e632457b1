// Package app wires the program: it opens the stores, builds the engines of each workspace, runs the consumers of the change
// log, and serves. It is the only room that knows everyone, and holds no rules of its own.
//
// Ownership. An App holds the instance store, the lock on the data directory (embedded storage has one process), and every
// open workspace; a workspace holds its stores and the goroutines that feed what is derived from them. Close stops them in
// the order in which work flows: requests first, then jobs, then consumers, then stores.
package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/config"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/native"
	"github.com/guanxi-crm/guanxi/internal/base/obs"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/edge/ingest"
	"github.com/guanxi-crm/guanxi/internal/edge/landing"
	"github.com/guanxi-crm/guanxi/internal/edge/mcp"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/platform/oidc"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

// Options are what an App is made of besides its settings. Zero values are filled in.
type Options struct {
	Config  *config.Config
	Log     *slog.Logger
	Clock   clock.Clock
	Version string
	// InstanceSchema is the PostgreSQL schema of the instance; workspaces are "ws_<key>" with the same suffix in tests.
	InstanceSchema string
	// WorkspacePrefix begins the PostgreSQL schema of each workspace.
	WorkspacePrefix string
	// Cost of password hashes; tests make it small.
	Cost auth.Cost
	// Rates of requests; zero for the default.
	Rates api.Rates
	// MailRoots are the authorities that mail servers' certificates are checked against; nil for those of the machine.
	MailRoots *x509.CertPool
	// Background is false for a program that lives for one command: no nightly pass, no trimming.
	Background bool
}

// App is a running program.
type App struct {
	Options
	instance *instance.Store
	auth     *auth.Service
	ids      *id.Generator
	words    *lang.Catalog
	metrics  *obs.Metrics
	hub      *api.Hub
	jobs     *job.Queue
	handler  *api.API
	keeper   *doorkeeper
	lock     *dirLock

	ctx    context.Context // of everything in the background
	cancel context.CancelFunc
	owned  sync.WaitGroup

	mu         sync.Mutex
	workspaces map[string]*opening
	closed     bool
}

// Open opens the stores and starts what runs in the background. Opening does nothing whose time grows with the data.
func Open(ctx context.Context, o Options) (_ *App, err error) {
	o = o.withDefaults()
	a := &App{Options: o, ids: id.NewGenerator(o.Clock, os.Getpid()), hub: api.NewHub(), metrics: obs.NewMetrics(o.Version), workspaces: map[string]*opening{}}
	a.ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.words, err = Words(); err != nil {
		return nil, err
	}
	if a.embedded() {
		if err := os.MkdirAll(o.Config.Data, 0o700); err != nil {
			return nil, fmt.Errorf("data directory: %w", err)
		}
		if a.lock, err = lockDir(o.Config.Data); err != nil {
			return nil, err
		}
		a.instance, err = instance.OpenSQLite(ctx, filepath.Join(o.Config.Data, "instance.db"))
	} else {
		a.instance, err = instance.OpenPostgres(ctx, o.Config.DatabaseURL, o.InstanceSchema)
	}
	if err != nil {
		return nil, err
	}
	reached, err := httpc.Networks(o.Config.LoginNetworks)
	if err != nil {
		return nil, fmt.Errorf("login_networks: %w", err)
	}
	a.auth = auth.New(auth.Config{Store: a.instance, Clock: o.Clock, IDs: a.ids, Hasher: auth.NewHasher(o.Cost), Vault: factorVault{a}, Door: oidc.New(&httpc.Guard{Allowed: reached}, httpc.Options{}, o.Clock), Idle: o.Config.SessionIdle, Max: o.Config.SessionMax, SignedIn: a.metrics.SignIn, Roles: a.mayGive,
		Post: letters{a}, Later: a.later})
	a.jobs = job.New(job.Config{Store: a.instance, Clock: o.Clock, IDs: a.ids, Log: o.Log, Finished: a.metrics.Job, Handlers: a.handlers()})
	if a.embedded() { // the lock on the directory says that no other process is at work
		if _, err := a.instance.Reclaim(ctx); err != nil {
			return nil, fmt.Errorf("reclaim jobs: %w", err)
		}
		if err := a.instance.FreeClaims(ctx); err != nil {
			return nil, fmt.Errorf("free keys of unanswered requests: %w", err)
		}
	}
	if a.handler, err = a.api(); err != nil {
		return nil, err
	}
	a.background()
	return a, nil
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.InstanceSchema == "" {
		o.InstanceSchema = instance.Schema
	}
	if o.WorkspacePrefix == "" {
		o.WorkspacePrefix = "ws_"
	}
	if o.Cost == (auth.Cost{}) {
		o.Cost = auth.DefaultCost
	}
	return o
}

func (a *App) embedded() bool { return a.Config.DatabaseURL == "" }

// Handler serves the API, the interface and the health addresses.
func (a *App) Handler() http.Handler { return a.handler }

// Auth is the service of people and keys.
func (a *App) Auth() *auth.Service { return a.auth }

// Hub carries events to open pages.
func (a *App) Hub() *api.Hub { return a.hub }

func (a *App) api() (*api.API, error) {
	proxies, err := networks(a.Config.TrustedProxies)
	if err != nil {
		return nil, err
	}
	site, err := site()
	if err != nil {
		return nil, err
	}
	assistant, err := mcp.New(mcp.Config{Words: a.words, Version: a.Version})
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{Auth: a.auth, Workspaces: a, Setup: a, Operate: operator{a}, Idempotency: a.instance, Words: a.words, Log: a.Log, Metrics: a.metrics,
		Clock: a.Clock, Hub: a.hub, Web: site, Version: a.Version, Ready: a.ready, MetricsToken: a.Config.MetricsToken, Proxies: proxies, PublicURL: a.Config.PublicURL,
		TLS: a.Config.TLSCert != "", MaxUpload: int64(a.Config.MaxUploadMB) << 20, Rates: a.Rates, Assistant: assistant.Handler(), Door: a.newDoor(), DoorPaths: ingest.Paths(), Landing: a.newLanding, LandingPath: landing.Path})
}

func networks(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %w", err)
		}
		out = append(out, n)
	}
	return out, nil
}

func (a *App) ready(ctx context.Context) error {
	a.mu.Lock()
	closed := a.closed
	a.mu.Unlock()
	if closed {
		return errors.New("closing")
	}
	return a.instance.Ping(ctx)
}

// tune keeps the memory small: a soft limit for the heap, and idle pages given back to the system.
func (a *App) tune() {
	debug.SetMemoryLimit(int64(a.Config.MemoryMB) << 20)
	debug.SetGCPercent(150)
}

const (
	idleEvery = 30 * time.Second
	// Fewer allocations than this in between are no work, and this much above what was in use then is worth giving back.
	idleMallocs = 300_000
	idleSpare   = 8 << 20
	// Databases that still hold so much more than at rest begin anew.
	idleForeign = 48 << 20
	idleTries   = 20 // to find a moment at which nobody reads
	idlePause   = 25 * time.Millisecond

	sweepEvery = time.Hour
	// ticketsKept is how long links that are over are told apart from those that never were.
	ticketsKept = 30 * 24 * time.Hour
)

// background starts what runs as long as the program.
func (a *App) background() {
	if !a.Background {
		return
	}
	if a.Config.Role != "api" {
		a.owned.Go(func() { a.jobs.Run(a.ctx) })
		a.owned.Go(a.nightly)
		a.owned.Go(a.openAll)
	}
	a.owned.Go(a.housekeeping)
}

// openAll opens every workspace, so that what a crash or a shutdown left in the middle, an import say, goes on without
// waiting for somebody to ask.
func (a *App) openAll() {
	ws, err := a.instance.Workspaces(a.ctx)
	if err != nil && a.ctx.Err() == nil {
		a.Log.Error("list workspaces", "error", err)
	}
	for _, w := range ws {
		open, err := a.workspace(a.ctx, w.Key)
		if err == nil {
			err = a.finishDemo(a.ctx, open)
		}
		if err != nil && a.ctx.Err() == nil {
			a.Log.Error("open workspace", "workspace", w.Key, "error", err)
		}
	}
}

// housekeeping removes what has ended and gives memory back when nothing happens.
func (a *App) housekeeping() {
	idle, sweep := time.NewTicker(idleEvery), time.NewTicker(sweepEvery)
	defer idle.Stop()
	defer sweep.Stop()
	var before, rest, held uint64
	least := uint64(0) // what the databases held after they began anew
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-idle.C:
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if m.Mallocs-before < idleMallocs && (m.HeapAlloc+m.HeapIdle-m.HeapReleased > rest+idleSpare || native.Held() > held+idleSpare) {
				a.giveBack(false)
				runtime.ReadMemStats(&m)
				if foreign(&m) > least+idleForeign {
					if a.giveBack(true) {
						runtime.ReadMemStats(&m)
						least = foreign(&m)
					}
				}
				rest, held = m.HeapAlloc, native.Held()
			}
			before = m.Mallocs
		case <-sweep.C:
			now := a.Clock.Now()
			err := errors.Join(a.instance.PurgeSessions(a.ctx, now.Add(-a.Config.SessionIdle), now), a.instance.Sweep(a.ctx, now), a.instance.PurgeTickets(a.ctx, now.Add(-ticketsKept)))
			if err != nil && a.ctx.Err() == nil {
				a.Log.Error("sweep", "error", err)
			}
		}
	}
}

// foreign is what the program holds beside Go: its databases.
func foreign(m *runtime.MemStats) uint64 {
	held, own := native.Held(), m.Sys-m.HeapReleased
	return held - min(held, own)
}

// giveBack returns what the databases and Go hold in memory and do not need; anew begins the analytics planes again besides, where nobody reads,
// and reports whether all did.
func (a *App) giveBack(anew bool) bool {
	a.mu.Lock()
	open := slices.Collect(maps.Values(a.workspaces))
	a.mu.Unlock()
	all := true
	for _, o := range open {
		select {
		case <-o.done:
		default:
			continue // it is being opened
		}
		if o.err != nil {
			continue
		}
		begun, err := o.ws.giveBack(a.ctx, anew)
		if err != nil && a.ctx.Err() == nil {
			a.Log.Error("give memory back", "workspace", o.ws.info.Key, "error", err)
		}
		all = all && begun
	}
	debug.FreeOSMemory()
	native.Trim()
	return all
}

func (w *workspace) giveBack(ctx context.Context, anew bool) (begun bool, err error) {
	w.ring.ForgetAll() // keys of persons are read again
	planes := []any{w.db, w.adb}
	if w.events != nil && w.events.file != nil {
		planes = append(planes, w.events.file)
	}
	for _, p := range planes {
		if db, ok := p.(interface{ Shrink(context.Context) error }); ok {
			err = errors.Join(err, db.Shrink(ctx))
		}
		if db, ok := p.(interface {
			Afresh(context.Context) (bool, error)
		}); ok && anew {
			var bad error
			for range idleTries {
				if begun, bad = db.Afresh(ctx); begun || bad != nil || clock.Pause(ctx, idlePause, nil) != nil {
					break
				}
			}
			err = errors.Join(err, bad)
		}
	}
	return begun, err
}

// Close stops the background and closes the stores.
func (a *App) Close() error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	open := make([]*opening, 0, len(a.workspaces))
	for _, o := range a.workspaces {
		open = append(open, o)
	}
	a.mu.Unlock()
	a.hub.Close()
	a.cancel()
	a.owned.Wait()
	var errs []error
	for _, o := range open {
		<-o.done
		if o.ws != nil {
			errs = append(errs, o.ws.close())
		}
	}
	if a.instance != nil {
		errs = append(errs, a.instance.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.release())
	}
	return errors.Join(errs...)
}

// Routes is the table of the API, for tests and documentation.
func (a *App) Routes() []api.RouteInfo { return a.handler.Routes() }

// Jobs is the queue of background work.
func (a *App) Jobs() *job.Queue { return a.jobs }
