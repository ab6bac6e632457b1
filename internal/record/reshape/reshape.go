// Package reshape does the long work that a change of the shape of records needs: it looks whether a unique rule holds for the
// records of before, converts the values of a field to another type, and makes indexes while people go on working.
//
// Each work is kept with how far it is, done in small transactions and taken up where it stood after a crash. What stands in its
// way (records that clash, values that do not convert) is kept by record id, never by value.
package reshape

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Prefix of the ids of works.
const Prefix = "shp"

// Kind is what a work does.
type Kind string

// The kinds.
const (
	Unique  Kind = "unique"
	Convert Kind = "convert"
	Index   Kind = "index"
)

// State is where a work stands.
type State string

// The states.
const (
	Queued    State = "queued"
	Running   State = "running"
	Checked   State = "checked" // a conversion that was tried and waits for a decision
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Undone    State = "undone" // a conversion that was taken back
)

// Failure is the fault that ended a work.
type Failure struct {
	Code   string       `json:"code"`
	Params fault.Params `json:"params,omitempty"`
}

func failureOf(f *fault.Fault) string {
	raw, err := json.Marshal(Failure{f.Code, f.Params})
	if err != nil {
		return `{"code":"` + f.Code + `"}`
	}
	return string(raw)
}

// Open reports a state in which the program has something to do.
func (s State) Open() bool { return s == Queued || s == Running }

// Work is one piece of long work.
type Work struct {
	ID        id.ID
	Kind      Kind
	Object    string
	Target    string // key of the rule or field
	State     State
	Spec      string // JSON of the kind
	Seen      int64  // records looked at
	Total     int64  // about how many there are
	Found     int64  // records that stand in the way
	Pass      int64  // kind's own: which round
	After     id.ID  // the last record of the round that was done
	Error     string // JSON of the Failure that ended it
	By        id.ID  // the person who asked for it
	CreatedAt time.Time
	EndedAt   time.Time
}

// Left is a record that stands in the way; Other is the one it clashes with, 0 for none.
type Left struct{ Record, Other id.ID }

// Store keeps works.
type Store interface {
	// Add stores a new work.
	Add(ctx context.Context, w Work) error
	// Find reads one.
	Find(ctx context.Context, v id.ID) (Work, bool, error)
	// List reads those of an object, newest first.
	List(ctx context.Context, object string, limit int) ([]Work, error)
	// Pending reads those that the program has to do something for, oldest first.
	Pending(ctx context.Context) ([]Work, error)
	// Step stores how far a work is together with what it found, unless it has been put into another state meanwhile: false.
	Step(ctx context.Context, w Work, found []Left) (bool, error)
	// Move puts a work from one state into another: false when it is not in that state.
	Move(ctx context.Context, w Work, from State) (bool, error)
	// Left reads what stands in the way, by record id.
	Left(ctx context.Context, work, after id.ID, limit int) ([]Left, error)
	// Forget removes what was found.
	Forget(ctx context.Context, work id.ID) error
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Records  *record.Service
	Metadata *metadata.Service
	Registry func() *schema.Registry
	Clock    clock.Clock
	IDs      *id.Generator
	Log      *slog.Logger
	System   func(context.Context) context.Context
	// Queue has a work done in the background, not before a time; for the same progress once.
	Queue func(ctx context.Context, work Work, at time.Time) error
	// Still reports whether a person may shape the workspace when the work begins, or goes on after a stop.
	Still func(ctx context.Context, person id.ID) (bool, error)
	// Settled is how long after a change of metadata every process knows it.
	Settled time.Duration
	// Count is about how many records an object has.
	Count func(ctx context.Context, object string) (int64, error)
	// Index makes the indexes that an object lacks and removes those that no field asks for.
	Index func(ctx context.Context, object string) error
	// Publish tells that a work is further.
	Publish func(w Work)
}

// Service does long work. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

func may(ctx context.Context) error {
	if access.From(ctx).Can(access.SchemaManage) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SchemaManage)})
}

// Get reads a work; NotFound reshape.unknown.
func (s *Service) Get(ctx context.Context, v id.ID) (Work, error) {
	if err := may(ctx); err != nil {
		return Work{}, err
	}
	w, ok, err := s.cfg.Store.Find(ctx, v)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "reshape.unknown", nil)
	}
	return w, err
}

// List reads the works of an object, newest first.
func (s *Service) List(ctx context.Context, object string) ([]Work, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.List(ctx, object, 100)
}

// Left reads the records that stand in the way of a work.
func (s *Service) Left(ctx context.Context, v, after id.ID, limit int) ([]Left, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.Left(ctx, v, after, limit)
}

// add stores a work and has it done.
func (s *Service) add(ctx context.Context, w Work, at time.Time) (Work, error) {
	w.ID, w.State, w.CreatedAt = s.cfg.IDs.Next(), Queued, s.cfg.Clock.Now()
	total, err := s.cfg.Count(ctx, w.Object)
	if err != nil {
		return w, err
	}
	w.Total = total
	if err := s.cfg.Store.Add(ctx, w); err != nil {
		return w, err
	}
	return w, s.cfg.Queue(ctx, w, at)
}

// Resume has everything done that was not when the process ended, and begins what a change of metadata asked for.
func (s *Service) Resume(ctx context.Context) error {
	works, err := s.cfg.Store.Pending(ctx)
	if err != nil {
		return err
	}
	for _, w := range works {
		if err := s.cfg.Queue(ctx, w, s.cfg.Clock.Now()); err != nil {
			return err
		}
	}
	return s.Begin(ctx, s.cfg.Registry(), 0)
}

// Run does a work to its end. It is called by the queue, after a crash again.
func (s *Service) Run(ctx context.Context, v id.ID) error {
	ctx = s.cfg.System(ctx)
	w, ok, err := s.cfg.Store.Find(ctx, v)
	if err != nil || !ok || !w.State.Open() {
		return err
	}
	from := w.State
	w.State = Running
	if ok, err := s.cfg.Store.Move(ctx, w, from); err != nil || !ok {
		return err
	}
	t := &turn{s: s, w: &w, until: s.cfg.Clock.Now().Add(turnFor)}
	err = t.work(ctx)
	switch {
	case errors.Is(err, errStopped):
		return nil
	case errors.Is(err, errPause):
		return s.cfg.Queue(ctx, w, s.cfg.Clock.Now().Add(t.wait))
	}
	if f, ok := fault.Find(err); ok && (f.Kind == fault.Invalid || f.Kind == fault.NotFound || f.Kind == fault.Conflict) {
		s.cfg.Log.WarnContext(ctx, "work on the shape failed", "kind", string(w.Kind), "object", w.Object, "code", f.Code)
		w.State, w.Error, w.EndedAt = Failed, failureOf(f), s.cfg.Clock.Now()
		_, err = s.cfg.Store.Move(ctx, w, Running)
		s.cfg.Publish(w)
	}
	return err
}

// work does the work at hand until it is done or its turn is over.
func (t *turn) work(ctx context.Context) error {
	if t.w.By != 0 {
		still, err := t.s.cfg.Still(ctx, t.w.By)
		if err != nil {
			return err
		}
		if !still {
			return fault.New(fault.Conflict, "reshape.no_right", nil)
		}
	}
	switch t.w.Kind {
	case Unique:
		return t.unique(ctx)
	case Index:
		return t.index(ctx)
	case Convert:
		return t.convert(ctx)
	}
	return fault.New(fault.Invalid, "reshape.unknown", nil)
}

// turnFor is how long a work runs before others in the queue have their turn.
const turnFor = 20 * time.Second

// turn is one turn of a work.
type turn struct {
	s     *Service
	w     *Work
	until time.Time
	wait  time.Duration // before the next turn
}

var (
	errStopped = errors.New("stopped") // somebody stopped the work
	errPause   = errors.New("paused")  // the turn is over
)

// step keeps how far a work is; more says that it is not at its end.
func (t *turn) step(ctx context.Context, found []Left, more bool) error {
	ok, err := t.s.cfg.Store.Step(ctx, *t.w, found)
	if err != nil {
		return err
	}
	if !ok {
		return errStopped
	}
	t.s.cfg.Publish(*t.w)
	if more && t.s.cfg.Clock.Now().After(t.until) {
		return errPause
	}
	return ctx.Err()
}

// end puts a running work into its last state.
func (t *turn) end(ctx context.Context, st State) error {
	t.w.State, t.w.EndedAt = st, t.s.cfg.Clock.Now()
	ok, err := t.s.cfg.Store.Move(ctx, *t.w, Running)
	if err == nil && !ok {
		err = errStopped
	}
	t.s.cfg.Publish(*t.w)
	return err
}

// MakeIndexes has the indexes of an object made that its fields ask for, and those removed that none does, for a person (0: the program).
func (s *Service) MakeIndexes(ctx context.Context, object string, person id.ID) (Work, error) {
	if err := may(ctx); err != nil {
		return Work{}, err
	}
	return s.add(ctx, Work{Kind: Index, Object: object, Spec: "{}", By: person}, s.cfg.Clock.Now())
}

func (t *turn) index(ctx context.Context) error {
	if err := t.s.cfg.Index(ctx, t.w.Object); err != nil {
		return err
	}
	t.w.Seen = t.w.Total
	return t.end(ctx, Done)
}
