package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/internal/store/mirror"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newFeed makes what keeps the analytics plane in step.
func (w *workspace) newFeed(registry func() *schema.Registry) feeder {
	if !w.app.embedded() {
		return newMarker(w, registry)
	}
	read := func(ctx context.Context, fn func(mirror.Conn) error) error {
		return w.store.Read(ctx, func(c sqlstore.Conn) error { return fn(c) })
	}
	return mirror.New(mirror.Config{DB: w.adb, Log: w.store.Log(), Records: mirror.Records{Read: read}, Registry: registry, Clock: w.app.Clock, Logger: w.app.Log,
		OnApplied: func(int) {
			w.traits.Notify()
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "mirror"})
		}})
}

func (w *workspace) newImports(keys *crypt.Keyring, registry func() *schema.Registry) (*transfer.Service, error) {
	a := w.app
	dir := filepath.Join(w.dir, "imports")
	return transfer.New(transfer.Config{Store: sqlstore.NewImports(w.store), Records: w.records, Registry: registry, Clock: a.Clock, Dir: dir, Vault: vault{keys}, Log: a.Log, Duplicates: twins{w},
		People: people{a, w.info.Key}.named, NewOptions: w.newOptions,
		Actor:   w.actor,
		Lock:    func(context.Context) (func(), bool, error) { return func() {}, w.leads.Load(), nil },
		MaxFile: int64(a.Config.MaxUploadMB) << 20,
		Words:   func(locale, code string, p fault.Params) string { return a.words.Text(lang.Locale(locale), code, p) },
		Publish: func(e transfer.Event) {
			a.hub.Publish(w.info.Key, api.Event{Kind: "import", Object: e.Object, ID: id.Format(api.ImportPrefix, e.Job)})
			if !e.Status.Active() {
				select {
				case w.importMoved <- struct{}{}:
				default:
				}
				w.traits.Notify() // what waited for the import
			}
		}}), nil
}

// onPass gives customers their classes after each pass of the traits, and after a full one segments their members.
func (w *workspace) onPass(ctx context.Context, r trait.Result) error {
	ctx = system(ctx)
	size := "small"
	if r.Full {
		size = "full"
	}
	if r.Kind != "" { // else only what depends on values follows
		w.app.metrics.Pass(w.info.Key, size)
	}
	if err := w.notePass(ctx, r); err != nil {
		return err
	}
	w.moveInfluence() // purchases belong to whoever brought their customers
	if !r.Full {
		if err := w.classes.Run(ctx, "changed", true); err != nil {
			return err
		}
		if err := w.segments.Follow(ctx); err != nil {
			return err
		}
		return w.rules.watcher.Passed(ctx, false)
	}
	if err := w.classes.Run(ctx, "computed", false); err != nil {
		return err
	}
	w.app.hub.Publish(w.info.Key, api.Event{Kind: "mirror"})
	if _, err := w.segments.RefreshAll(ctx, r.Verified && r.Differing == 0); err != nil {
		return err
	}
	if err := w.rules.watcher.Passed(ctx, true); err != nil || r.Kind == "" {
		return err
	}
	return w.edge.Models.Passed(ctx)
}

const (
	followPause = 250 * time.Millisecond // events come in company
	followBatch = 200
	eachAtMost  = 20 // so many single records are named; more are told as "this object changed"
)

// follow tells open pages what changed.
func (w *workspace) follow(ctx context.Context) error {
	log := w.store.Log()
	at, err := log.Head(ctx)
	if err != nil {
		return err
	}
	for {
		if err := log.WaitAfter(ctx, at); err != nil {
			return err
		}
		if err := sleep(ctx, followPause); err != nil {
			return err
		}
		if !w.app.hub.Listening(w.info.Key) {
			if at, err = log.Head(ctx); err != nil {
				return err
			}
			continue
		}
		rows, err := log.Read(ctx, at, followBatch)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			continue
		}
		at = rows[len(rows)-1].Position
		w.tell(rows)
		if err := w.tellWatchers(ctx, rows); err != nil {
			return err
		}
	}
}

func (w *workspace) tell(rows []change.Row) {
	single := map[string]map[id.ID]bool{}
	for _, r := range rows {
		if single[r.Object] == nil {
			single[r.Object] = map[id.ID]bool{}
		}
		single[r.Object][r.Record] = true
	}
	for object, ids := range single {
		o := w.registry().Object(object)
		if o == nil || len(ids) > eachAtMost {
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "record", Object: object})
			continue
		}
		for v := range ids {
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "record", Object: object, ID: id.Format(o.Prefix, v)})
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// The kinds of job.
const (
	nightlyJob    = "nightly"
	demoJob       = "demo"
	demoRemoveJob = "demo_remove"
	revalueJob    = "revalue"
	reindexJob    = "reindex"
	rollupJob     = "rollup"
)

func (a *App) handlers() map[string]job.Handler {
	return map[string]job.Handler{nightlyJob: a.runNightly, demoJob: a.runDemo, demoRemoveJob: a.runDemoRemoval, revalueJob: a.runRevalue, reindexJob: a.runReindex, rollupJob: a.runRollup,
		reshapeJob: a.runReshape, privacyJob: a.runPrivacy, privacyNightJob: a.runPrivacyNight, rotateJob: a.runRotation, exchangeJob: a.runExchange, eventImportJob: a.runEventImports, modelJob: a.runModel, warningJob: a.runWarnings}
}

// nightlyEvery is how often the clock is looked at; a program that was down at the hour catches up at the first look.
const nightlyEvery = time.Minute

// nightly queues the nightly pass of each workspace once a local day, at or after the hour.
func (a *App) nightly() {
	for {
		if err := a.QueueNightly(a.ctx); err != nil && a.ctx.Err() == nil {
			a.Log.Error("queue nightly pass", "error", err)
		}
		if sleep(a.ctx, nightlyEvery) != nil {
			return
		}
	}
}

// QueueNightly queues the pass of each workspace whose local day asks for one.
func (a *App) QueueNightly(ctx context.Context) error {
	ws, err := a.instance.Workspaces(ctx)
	if err != nil {
		return err
	}
	for _, w := range ws {
		if err := a.queueNightlyOf(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) queueNightlyOf(ctx context.Context, w auth.Workspace) error {
	zone, err := time.LoadLocation(w.Timezone)
	if err != nil {
		return err
	}
	hour, err := time.Parse("15:04", a.Config.NightlyAt)
	if err != nil {
		return err
	}
	now := a.Clock.Now().In(zone)
	day := clock.DayOf(now, zone)
	if now.Hour()*60+now.Minute() < hour.Hour()*60+hour.Minute() {
		day-- // that of yesterday may still be missing
	}
	key := "nightly:" + w.Key
	last, err := a.instance.Kept(ctx, key)
	if err != nil || last >= day.String() {
		return err
	}
	if clock.DayOf(w.CreatedAt, zone) >= day {
		return nil // nothing happened yet
	}
	for _, j := range []job.Job{{Kind: nightlyJob, Unique: key}, {Kind: privacyNightJob, Unique: "privacy_" + key}} {
		j.Workspace, j.Args = w.Key, day.String()
		if _, err := a.jobs.Add(ctx, j); err != nil {
			return err
		}
	}
	return a.instance.Keep(ctx, key, day.String())
}

// historyFor is how long the log keeps creations that every consumer has read; images stay, they are the history.
const historyFor = 30 * 24 * time.Hour

// outcomesFor is how long a request may be repeated without being done again (record.Once).
const outcomesFor = 24 * time.Hour

// runNightly compares the mirror with the records, computes everything anew and cleans up.
func (a *App) runNightly(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	ctx = system(ctx)
	rep, err := w.feed.Reconcile(ctx)
	if err != nil {
		return fmt.Errorf("compare mirror: %w", err)
	}
	for _, d := range rep.Differences {
		a.Log.Error("the mirror differed and is made anew", "workspace", j.Workspace, "object", d.Object, "records", d.Records, "mirror", d.Mirror)
		if err := w.feed.Rebuild(ctx, d.Object); err != nil {
			return err
		}
	}
	if err := w.feed.Drain(ctx); err != nil {
		return err
	}
	st, err := w.traits.State(ctx)
	if err != nil {
		return err
	}
	if !st.Known {
		_, _, err = w.traits.Tick(ctx)
		return err
	}
	if err := w.segments.Tick(ctx, false); err != nil {
		return err
	}
	r, err := w.traits.Verify(ctx)
	if err != nil {
		return err
	}
	if r.Verified && r.Differing != 0 {
		a.Log.Error("traits differed from a full pass", "workspace", j.Workspace, "rows", r.Differing)
	}
	if _, err := a.jobs.Add(ctx, w.modelJob("due")); err != nil {
		return err
	}
	_, err = w.store.Log().Trim(ctx, change.TrimPolicy{CreatesBefore: a.Clock.Now().Add(-historyFor).UnixMilli()})
	return errors.Join(err, w.imports.Sweep(ctx), duckdb.DropAside(w.dir, a.Clock.Now().Add(-asideFor)),
		w.talk.Forget(ctx), w.sweepFiles(ctx), w.segments.Sweep(ctx), w.store.ForgetOutcomes(ctx, a.Clock.Now().Add(-outcomesFor)))
}
