package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// exchangeJob writes what is stored under other keys: new data keys for everybody, or a new index key.
const exchangeJob = "exchange_keys"

const (
	// resealAtOnce is how many records one transaction takes: some tens of milliseconds, for which writers wait.
	resealAtOnce = 200
	// restAtMost is how long the job rests between two portions at most: half of what the portion took.
	restAtMost = 200 * time.Millisecond
	// heardWithin is how long other processes on the same database may take to learn of a new index key.
	heardWithin = 3 * time.Second
	// heardEvery is how often a process asks.
	heardEvery = time.Second
	// checks is how often everything is looked through at most before former keys are destroyed: the first time finds nothing.
	checks = 3
)

// part is one part of an exchange: run does a portion behind a cursor.
type part struct {
	phase string
	run   func(ctx context.Context, cursor int64) (portion, error)
}

type portion struct {
	next          int64
	seen, changed int
	more          bool
}

// exchanging is an exchange at work.
type exchanging struct {
	w     *workspace
	store sqlstore.Privacy
	r     *privacy.Rotation
	stray int // values that a check found under a former key
	lost  int // values that no key opens
}

// beginExchange queues the exchange of the data keys or of the index key.
func (w *workspace) beginExchange(ctx context.Context, kind string) error {
	a, who := w.app, access.From(ctx)
	r := &privacy.Rotation{ID: a.ids.Next(), Kind: kind, State: privacy.Queued, ByKind: who.Kind, By: who.ID, At: a.Clock.Now().UTC().Truncate(time.Millisecond)}
	if err := (sqlstore.Privacy{Store: w.store}).AddRotation(ctx, r); err != nil {
		return err
	}
	if err := a.auth.Note(ctx, w.info.Key, "keys.exchange", "", 0, map[string]any{"kind": kind}); err != nil {
		return err
	}
	_, err := a.jobs.Add(ctx, job.Job{Kind: exchangeJob, Workspace: w.info.Key})
	return err
}

// runExchange is the job: it takes up every exchange that is neither done nor paused.
func (a *App) runExchange(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	ctx = system(ctx)
	store := sqlstore.Privacy{Store: w.store}
	list, err := unfinished(ctx, store, privacy.DataRotation, privacy.IndexRotation)
	if err != nil {
		return err
	}
	for _, r := range list {
		x := &exchanging{w: w, store: store, r: r}
		if err := x.run(ctx); err != nil {
			return fmt.Errorf("exchange keys: %w", err)
		}
	}
	return nil
}

// steps are all parts of an exchange, in their order.
func (x *exchanging) steps() []part {
	var out []part
	if x.r.Kind == privacy.DataRotation {
		out = append(out, part{"keys", x.newKeys})
	} else {
		out = append(out, part{"index", x.newIndex})
	}
	for _, phase := range []string{"records", "check"} {
		for _, obj := range x.w.registry().Tables() {
			if x.w.records.Sealing(obj.Key) {
				out = append(out, part{phase + " " + obj.Key, x.reseal(obj, phase == "check")})
			}
		}
		if x.r.Kind == privacy.DataRotation {
			out = append(out, part{strings.TrimSpace(phase + " files"), x.files(phase == "check")})
		} else if phase == "records" {
			out = append(out, part{"search", x.search}, part{"mirror", x.mirror})
		}
	}
	if x.r.Kind == privacy.DataRotation {
		return append(out, part{"drop", x.dropKeys})
	}
	return append(out, part{"drop", x.dropIndex})
}

func (x *exchanging) run(ctx context.Context) error {
	steps := x.steps()
	if x.r.State == privacy.Queued {
		x.r.State, x.r.Phase = privacy.Running, steps[0].phase
		if err := x.count(ctx); err != nil {
			return err
		}
	}
	at, firstCheck := 0, 0
	for i, s := range steps {
		if s.phase == x.r.Phase {
			at = i
		}
		if firstCheck == 0 && strings.HasPrefix(s.phase, "check") {
			firstCheck = i
		}
	}
	for checked := 1; at < len(steps); at++ {
		if steps[at].phase == "drop" && x.stray > 0 && checked < checks {
			at, x.stray = firstCheck, 0
			checked++
		}
		if steps[at].phase != x.r.Phase {
			x.r.Phase, x.r.Cursor = steps[at].phase, 0
		}
		paused, err := x.through(ctx, steps[at])
		if err != nil || paused {
			return err
		}
	}
	if x.stray > 0 {
		return fault.New(fault.Internal, "app.exchange_stray", fault.Params{"values": x.stray})
	}
	return x.done(ctx)
}

// through does one step to its end, or up to where the exchange is paused.
func (x *exchanging) through(ctx context.Context, s part) (paused bool, err error) {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if paused, err = x.store.RotationPaused(ctx, x.r.ID); err != nil || paused {
			return paused, err
		}
		start := x.w.app.Clock.Now()
		p, err := s.run(ctx, x.r.Cursor)
		if err != nil {
			return false, err
		}
		more = p.more
		x.r.Cursor = p.next
		x.r.Done += int64(p.seen)
		x.r.Changed += int64(p.changed)
		took := x.w.app.Clock.Now().Sub(start)
		x.r.Spent += took.Milliseconds()
		if err := x.store.SaveRotation(context.WithoutCancel(ctx), x.r); err != nil { // what was done counts, whoever stops the job now
			return false, err
		}
		x.w.app.hub.Publish(x.w.info.Key, api.Event{Kind: "privacy"})
		if more { // people come first
			if err := clock.Pause(ctx, min(took/2, restAtMost), nil); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

func (x *exchanging) done(ctx context.Context) error {
	x.r.State, x.r.Phase, x.r.FinishedAt = privacy.Done, "", x.w.app.Clock.Now().UTC().Truncate(time.Millisecond)
	x.r.Total = x.r.Done
	out := outside{x.w, x.w.ring}
	// The database overwrites what it deletes; rewriting it takes what is left in its log too. That can wait: the keys are gone from it.
	if !out.Large() {
		if err := out.Clean(ctx); err != nil {
			x.w.app.Log.Warn("rewrite databases after an exchange of keys", "workspace", x.w.info.Key, "error", err)
		}
	}
	if err := x.store.SaveRotation(ctx, x.r); err != nil {
		return err
	}
	x.w.app.hub.Publish(x.w.info.Key, api.Event{Kind: "privacy"})
	return x.w.app.auth.Note(ctx, x.w.info.Key, "keys.exchanged", "", 0,
		map[string]any{"kind": x.r.Kind, "values": x.r.Changed, "milliseconds": x.r.Spent, "unreadable": x.lost})
}

// count is how much there is to look at.
func (x *exchanging) count(ctx context.Context) error {
	n, err := x.store.CountSealed(ctx, x.r.Kind == privacy.DataRotation)
	if err != nil {
		return err
	}
	for _, obj := range x.w.registry().Tables() {
		if !x.w.records.Sealing(obj.Key) {
			continue
		}
		rows, err := x.store.CountRows(ctx, obj)
		if err != nil {
			return err
		}
		n += 2 * rows
	}
	x.r.Total = n
	return nil
}

// newKeys gives everybody a second data key.
func (x *exchanging) newKeys(ctx context.Context, cursor int64) (portion, error) {
	last, n, err := x.store.RenewKeys(ctx, cursor, rewrapAtOnce, func(subject id.ID) ([]byte, error) {
		_, wrapped, err := x.w.ring.NewKey(subject)
		return wrapped, err
	})
	return portion{next: last, seen: n, more: n == rewrapAtOnce}, err
}

// newIndex begins with a further index key. Other processes are given time to hear of it, since what they look for stands under either
// from the first record on.
func (x *exchanging) newIndex(ctx context.Context, _ int64) (portion, error) {
	now := x.w.app.Clock.Now()
	if err := x.store.NextIndex(ctx, now.UnixMilli(), func(generation int64) crypt.Index { return x.w.ring.NewIndex(generation) }); err != nil {
		return portion{}, err
	}
	if err := x.w.records.RefreshIndexes(ctx); err != nil {
		return portion{}, err
	}
	if x.w.app.embedded() {
		return portion{}, nil
	}
	return portion{}, clock.Pause(ctx, heardWithin, nil)
}

// reseal takes the next records of an object.
func (x *exchanging) reseal(obj *schema.Object, check bool) func(context.Context, int64) (portion, error) {
	return func(ctx context.Context, cursor int64) (portion, error) {
		out, err := x.w.records.Reseal(ctx, obj.Key, id.ID(cursor), resealAtOnce)
		if err != nil {
			return portion{}, err
		}
		if check {
			x.stray += out.Changed
			x.lost += out.Lost
		}
		return portion{next: int64(out.Last), seen: out.Seen, changed: out.Changed, more: out.More}, nil
	}
}

// files brings the keys of files under the newest data keys of their subjects.
func (x *exchanging) files(check bool) func(context.Context, int64) (portion, error) {
	return func(ctx context.Context, cursor int64) (portion, error) {
		last, seen, changed, err := x.store.ResealFiles(ctx, cursor, resealAtOnce, x.w.files.Reseal)
		if check {
			x.stray += changed
		}
		return portion{next: last, seen: seen, changed: changed, more: seen == resealAtOnce}, err
	}
}

// search makes the search index anew under the newest index key.
func (x *exchanging) search(ctx context.Context, _ int64) (portion, error) {
	_, err := x.w.indexer.Rebuild(ctx)
	return portion{}, err
}

// mirror fills the relations of the analytics plane anew that hold blind indexes.
func (x *exchanging) mirror(ctx context.Context, _ int64) (portion, error) {
	var objects []string
	for _, obj := range x.w.registry().Tables() {
		if obj.Analytic && x.w.records.Sealing(obj.Key) {
			objects = append(objects, obj.Key)
		}
	}
	if len(objects) == 0 {
		return portion{}, nil
	}
	if err := x.w.feed.Rebuild(ctx, objects...); err != nil {
		return portion{}, err
	}
	return portion{}, x.w.feed.Drain(ctx)
}

// dropKeys destroys the former data keys.
func (x *exchanging) dropKeys(ctx context.Context, cursor int64) (portion, error) {
	if x.stray > 0 {
		return portion{}, fault.New(fault.Internal, "app.exchange_stray", fault.Params{"values": x.stray})
	}
	last, n, err := x.store.DropFormer(ctx, cursor, rewrapAtOnce)
	return portion{next: last, more: n == rewrapAtOnce}, err
}

// dropIndex destroys the former index key.
func (x *exchanging) dropIndex(ctx context.Context, _ int64) (portion, error) {
	if x.stray > 0 {
		return portion{}, fault.New(fault.Internal, "app.exchange_stray", fault.Params{"values": x.stray})
	}
	if err := x.store.DropIndexes(ctx); err != nil {
		return portion{}, err
	}
	return portion{}, x.w.records.RefreshIndexes(ctx)
}

// hear takes over the index keys that other processes on the same database have begun or ended with, until ctx ends.
func (w *workspace) hear(ctx context.Context) error {
	for {
		if err := clock.Pause(ctx, heardEvery, nil); err != nil {
			return err
		}
		if err := w.records.RefreshIndexes(ctx); err != nil && ctx.Err() == nil {
			w.app.Log.Warn("index keys", "workspace", w.info.Key, "error", err)
		}
	}
}

// pauseExchange stops an exchange where it is, or has it go on.
func (w *workspace) pauseExchange(ctx context.Context, v id.ID, on bool) error {
	store := sqlstore.Privacy{Store: w.store}
	if err := store.PauseRotation(ctx, v, on); err != nil {
		return err
	}
	action := "keys.resume"
	if on {
		action = "keys.pause"
	}
	if err := w.app.auth.Note(ctx, w.info.Key, action, "", 0, nil); err != nil || on {
		return err
	}
	_, err := w.app.jobs.Add(ctx, job.Job{Kind: exchangeJob, Workspace: w.info.Key})
	return err
}
