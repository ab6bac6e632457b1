package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/eventplane"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
)

const (
	eventDir   = "events"   // below a workspace's directory
	eventInbox = "inbox.db" // in it

	learnStep, sealStep, tidyStep = "learn", "seal", "tidy"
)

// eventFlow is what carries events on after they were accepted: the store they lie in, and the runner of the steps that take them to
// persons, customers and analysis.
type eventFlow struct {
	w     *workspace
	file  *sqlite.DB // embedded: the inbox's own database
	store *eventstore.Store
	plane *eventplane.Plane

	mu    sync.Mutex
	steps []*stepRun
}

var _ api.Behaviour = (*eventFlow)(nil)

// eventStep is one station of the flow. run does a bounded piece of work, stores its position with it, and says how much it did; 0 when
// there was nothing to do. Steps run one after the other in their order on the leading process, so a step may rely on the positions of
// those before it, and on nothing else: after a crash each goes on where it stood.
type eventStep struct {
	name string
	run  func(ctx context.Context) (did int, err error)
}

// stepRun is a step with how it fares.
type stepRun struct {
	eventStep
	failures int
	code     string    // of the last failure
	since    time.Time // when it began to fail
	until    time.Time // it rests until then
}

// eventSteps are the stations of the flow in their order.
func (w *workspace) eventSteps() []eventStep {
	steps := append([]eventStep{{learnStep, w.learned.Learn}, {"resolve", w.resolveEvents}, {peopleStep, w.takePeople}, {consentStep, w.takeConsents}, {contentStep, w.takeContents}, {feedbackStep, w.takeFeedback}, {journeyStep, w.takeJourneys}}, w.planeSteps()...)
	return append(steps, eventStep{tidyStep, w.tidyEvents()})
}

func (w *workspace) openEvents(ctx context.Context) (err error) {
	a := w.app
	f := &eventFlow{w: w}
	w.events = f
	db := w.db
	if a.embedded() {
		dir := filepath.Join(w.dir, eventDir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		f.file, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, eventInbox), SecureDelete: true, Clock: a.Clock, WriterCacheMB: 16, ReaderCacheMB: 2, Readers: 3})
		if err != nil {
			return err
		}
		db = f.file
	}
	f.store, err = eventstore.New(ctx, eventstore.Config{DB: db, Clock: a.Clock, IDs: a.ids})
	return err
}

func (f *eventFlow) close() error {
	if f == nil || f.file == nil {
		return nil
	}
	return f.file.Close()
}

// Rests of the runner. What is accepted within eventGather shares a round.
const (
	eventGather    = 50 * time.Millisecond
	eventRestLeast = 250 * time.Millisecond
	eventRestMost  = time.Second     // where other processes accept too, and while a step fails
	eventRestAlone = 5 * time.Second // where nothing happens without waking the runner
	stepRestMost   = time.Minute
	tidyEvery      = time.Hour
)

// run carries events on until the context ends. It looks again when something is accepted here, and by itself, ever more seldom while there
// is nothing to do, for what other processes accept.
func (f *eventFlow) run(ctx context.Context) error {
	steps := f.begin()
	rest := eventRestLeast
	for ctx.Err() == nil {
		woken := f.store.Woken() // before looking
		did := f.round(ctx, steps)
		if did > 0 {
			rest = eventRestLeast
			continue
		}
		if err := clock.Pause(ctx, rest, woken); err != nil {
			return err
		}
		select {
		case <-woken:
			rest = eventRestLeast
			if err := sleep(ctx, eventGather); err != nil {
				return err
			}
		default:
			most := eventRestAlone
			if f.file == nil || len(f.trouble()) > 0 {
				most = eventRestMost
			}
			rest = min(2*rest, most)
		}
	}
	return ctx.Err()
}

func (f *eventFlow) begin() []*stepRun {
	var steps []*stepRun
	for _, s := range f.w.eventSteps() {
		if s.name == visitsStep {
			s.run = f.w.paced(s.run)
		}
		steps = append(steps, &stepRun{eventStep: s})
	}
	f.mu.Lock()
	f.steps = steps
	f.mu.Unlock()
	return steps
}

// round runs every step that does not rest once, and says how much they did. A step that fails rests for a time that grows; those
// behind it go on with what has come to them.
func (f *eventFlow) round(ctx context.Context, steps []*stepRun) (did int) {
	for _, s := range steps {
		now := f.w.app.Clock.Now()
		if now.Before(s.until) || ctx.Err() != nil {
			continue
		}
		n, err := s.run(ctx)
		if ctx.Err() != nil {
			return did
		}
		if err == nil {
			did += n
		}
		f.note(s, now, err)
	}
	return did
}

func (f *eventFlow) note(s *stepRun, now time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		s.failures, s.code, s.since, s.until = 0, "", time.Time{}, time.Time{}
		return
	}
	if s.failures == 0 {
		s.since = now
	}
	s.failures++
	if s.code = fault.CodeOf(err); s.code == "" {
		s.code = "api.internal"
	}
	s.until = now.Add(min(time.Second<<min(s.failures-1, 6), stepRestMost))
	f.w.app.Log.Error("step of events failed", "workspace", f.w.info.Key, "step", s.name, "failures", s.failures, "error", err)
}

// Counts implements api.Behaviour.
func (f *eventFlow) Counts(ctx context.Context, since int64) ([]event.Count, error) {
	return f.store.Counts(ctx, since)
}

// Flow implements api.Behaviour.
func (f *eventFlow) Flow(ctx context.Context) (api.EventFlow, error) {
	head, err := f.store.Head(ctx)
	if err != nil {
		return api.EventFlow{}, err
	}
	done, err := f.store.Position(ctx, eventstore.Resolved) // what was carried on may have left the inbox
	return api.EventFlow{Accepted: max(head.Seq, done.Seq), Trouble: f.trouble()}, err
}

// trouble are the steps that fail at present.
func (f *eventFlow) trouble() []api.EventFlowStep {
	out := []api.EventFlowStep{}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.steps {
		if s.failures > 0 {
			out = append(out, api.EventFlowStep{Step: s.name, Code: s.code, Since: s.since, Failures: s.failures})
		}
	}
	return out
}

// tidyEvents is the step that forgets old message ids and what was rejected long ago, in slices, once an hour.
func (w *workspace) tidyEvents() func(context.Context) (int, error) {
	var next time.Time
	return func(ctx context.Context) (int, error) {
		if w.app.Clock.Now().Before(next) {
			return 0, nil
		}
		more, err := w.events.store.Forget(ctx)
		if err != nil {
			return 0, err
		}
		if more {
			return 1, nil
		}
		next = w.app.Clock.Now().Add(tidyEvery)
		return 0, nil
	}
}

// check is what doctor says of the inbox.
func (f *eventFlow) check(ctx context.Context) (string, error) {
	if f.file != nil {
		if err := f.file.Check(ctx); err != nil {
			return "", fmt.Errorf("inbox of events: %w", err)
		}
	}
	flow, err := f.Flow(ctx)
	if err != nil {
		return "", err
	}
	if len(flow.Trouble) > 0 {
		return "", fmt.Errorf("step %s fails: %s", flow.Trouble[0].Step, flow.Trouble[0].Code)
	}
	return fmt.Sprintf("%d events accepted", flow.Accepted), nil
}

// backup adds a copy of the inbox and the sealed files that it lists. They are taken before the records: what the inbox has passed on then
// stands in them, and what is passed on again after a restore is known there.
func (f *eventFlow) backup(ctx context.Context, b *backupWriter, stage, name string) error {
	if f.file == nil {
		return errors.New("the inbox has no file")
	}
	defer f.plane.Hold()()
	path := filepath.Join(stage, f.w.info.Key+"."+eventInbox)
	if err := f.file.BackupTo(ctx, path); err != nil {
		return err
	}
	if err := b.file(name+"/"+eventDir+"/"+eventInbox, path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return b.tree(name+"/"+eventDir+"/"+eventFiles, filepath.Join(f.w.dir, eventDir, eventFiles))
}
