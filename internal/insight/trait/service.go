package trait

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
)

// Values are a customer's trait values by key: int64 (numbers scaled, money in minor units of the base currency, dates as
// local days, instants in milliseconds) or string. A trait without a value is absent.
type Values map[string]any

// Pass says what a computing pass goes by.
type Pass struct {
	Settings Settings
	Anchor   clock.Day
	At       time.Time
	// Marked reports whether every change that the relations show has left its marks; nil means that it has. Where it has not, a
	// full pass sees more than the small ones could, and compares itself with nothing.
	Marked func(ctx context.Context) (bool, error)
	// Computed says how the traits that the workspace defines are computed, nil for none.
	Computed *ComputedPlan
	// Moment is when the windows of those end.
	Moment time.Time
}

// ComputedPlan is how the computed traits of now are worked out.
type ComputedPlan struct {
	Mark     string // another text for other definitions
	Families int    // how many families are in use
	Events   bool   // some are over events
	Rolling  bool   // some change by the hour
	// Steps gives a statement for each trait.
	Steps func(moment time.Time, s ComputedScope) ([]ComputedStep, error)
}

// ComputedScope is whose rows a step reads: Events is the relation of their events, Who a condition on the column of the customer.
type ComputedScope struct {
	Events string
	Who    func(column string) (text string, args []any)
}

// ComputedStep gives customer_id and value of one trait. Without a statement the values that are there are kept: the definition does
// not work any more.
type ComputedStep struct {
	Place   int
	Zero    bool // no rows count as 0
	Rolling bool
	SQL     string
	Args    []any
}

// Result says what a pass did.
type Result struct {
	Kind      string // small, full or computed
	Full      bool   // everyone is concerned, not only those whom the pass recomputed
	Anchor    clock.Day
	At        time.Time
	Customers int64 // how many were recomputed
	Cuts      rfm.Model
	// Verified says that a full pass ran at the anchor of the values it replaced, on relations that were not filled anew in
	// between; Differing is then how many rows it found otherwise than the small passes left them, which must be 0.
	Verified  bool
	Differing int64
	Took      time.Duration
}

// State is what the last passes left.
type State struct {
	Known      bool // false before the first full pass
	Anchor     clock.Day
	ComputedAt time.Time // last pass of any size
	FullAt     time.Time
	Today      clock.Day // the local day of the last full pass
	Settings   Settings  // those of the last full pass
	Cuts       rfm.Model
	Verified   bool // whether Differing was measured
	// Unfinished says that what follows the last pass (OnPass) has not been done to its end.
	Unfinished bool
	Differing  int64
	// Refilled says that relations were filled anew since the last full pass began: that leaves no marks, so everyone's values
	// are due, and those of before say nothing about the small passes.
	Refilled bool `json:"-"`
	// Mark is that of the computed plan by which everyone's values were worked out last, and ComputedAll when.
	Mark        string    `json:"-"`
	ComputedAll time.Time `json:"-"`
}

// Summary are the means of RFM as exact fractions: sums over the number of customers who purchased.
type Summary struct {
	Customers                    int64
	Recency, Frequency, Monetary int64
}

// Store computes and keeps traits; store/analytics implements it on DuckDB and PostgreSQL.
type Store interface {
	// Define makes the relations of purchases follow the settings.
	Define(ctx context.Context, s Settings) error
	// LastPurchase is the newest day with a purchase up to a day.
	LastPurchase(ctx context.Context, until clock.Day) (clock.Day, bool, error)
	// Waiting counts the customers that changed and are not recomputed yet, and all customers.
	Waiting(ctx context.Context) (touched, customers int64, err error)
	// Touch puts customers among those that wait.
	Touch(ctx context.Context, customers []id.ID) error
	// Finish notes that what follows the last pass is done; Small and Full leave it undone.
	Finish(ctx context.Context) error
	// Small recomputes the waiting customers. They stay readable as trait_now until the next pass.
	Small(ctx context.Context, p Pass) (Result, error)
	// Full recomputes everyone.
	Full(ctx context.Context, p Pass, today clock.Day) (Result, error)
	// Compute recomputes the computed traits of everyone, and nothing else.
	Compute(ctx context.Context, p Pass) (Result, error)
	State(ctx context.Context) (State, error)
	Read(ctx context.Context, customers []id.ID, defs []Def) (map[id.ID]Values, error)
	Summary(ctx context.Context) (Summary, error)
}

// Config is what a Service is made of. Ready, Busy, Marked and OnPass may be nil.
type Config struct {
	Store     Store
	Catalogue func() *Catalogue
	Settings  func(ctx context.Context) (Settings, error)
	Clock     clock.Clock
	Zone      func() *time.Location
	Log       *slog.Logger
	// Ready reports whether the plane holds everything; no pass runs before.
	Ready func() bool
	// Busy reports that much more is coming (an import): full passes wait for its end, small ones for a minute at most.
	Busy func() bool
	// Marked goes into each Pass; it is nil where relations and marks change together.
	Marked func(ctx context.Context) (bool, error)
	// Plan gives the computed traits; nil for none.
	Plan func(ctx context.Context) (*ComputedPlan, error)
	// OnPass is told of each pass before the next one begins; after a small one trait_now still holds the customers.
	OnPass func(ctx context.Context, r Result) error
}

// Service decides when traits are computed. It is safe for concurrent use.
type Service struct {
	c      Config
	signal chan struct{}

	mu       sync.Mutex // one pass at a time
	waiting  time.Time  // since when touched customers wait while the plane is busy
	seenBusy time.Time  // when the plane was last seen busy
	restTill time.Time  // until when no pass over everyone runs that can wait
	again    bool       // something is due and waits for the plane to be calm
	fullNext atomic.Bool
}

// New makes a Service.
func New(c Config) *Service {
	if c.Ready == nil {
		c.Ready = func() bool { return true }
	}
	if c.Busy == nil {
		c.Busy = func() bool { return false }
	}
	if c.OnPass == nil {
		c.OnPass = func(context.Context, Result) error { return nil }
	}
	return &Service{c: c, signal: make(chan struct{}, 1)}
}

// Notify says that customers were touched; it never blocks.
func (s *Service) Notify() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

const (
	debounce     = 300 * time.Millisecond  // changes come in company
	restAtMost   = 1500 * time.Millisecond // after a pass (clock.Rest): from an event to the segments lie a pass, a rest and a pass at most
	paceAtMost   = time.Second             // while changes go on coming (clock.Pace)
	lookEvery    = time.Minute             // the day may have changed
	busyAtMost   = time.Minute
	fullTimes    = 4               // after a pass over everyone the next one that can wait is made when so many times as long went by
	calmAfter    = 2 * time.Second // so long nothing more must have come before the plane counts as calm
	retryAfter   = 5 * time.Second
	fewCustomers = 50_000 // up to so many a small pass is always the cheaper one
)

// Run computes whenever something changed, until the context ends. A failed pass is logged and tried again.
func (s *Service) Run(ctx context.Context) error {
	wait := time.NewTimer(0)
	defer wait.Stop()
	failed := 0
	var took time.Duration
	pace := clock.Pace{AtMost: paceAtMost}
	for {
		idle := s.c.Clock.Now()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait.C:
		case <-s.signal:
			if err := clock.Pause(ctx, max(debounce, clock.Rest(took, restAtMost), pace.Rest(s.c.Clock.Now().Sub(idle), took)), nil); err != nil {
				return err
			}
		}
		next := lookEvery
		begin := s.c.Clock.Now()
		_, _, err := s.Tick(ctx)
		took = s.c.Clock.Now().Sub(begin)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.c.Log.Error("compute traits", "error", err)
			next = min(retryAfter<<failed, lookEvery)
			failed = min(failed+1, 4)
		} else if failed = 0; s.postponed() {
			next = calmAfter + debounce
		}
		wait.Reset(next)
	}
}

func (s *Service) postponed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.again
}

// Tick does what is due now: nothing (did is false), a small pass over the customers that changed, or a full one when the
// day, the anchor or a setting is another than at the last full pass, or when very many changed. While much more is coming
// the anchor stays where the last full pass had it and what came after it does not count yet: history that is loaded moves
// it with every batch, and one full pass at the end does for all of them.
func (s *Service) Tick(ctx context.Context) (r Result, did bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.c.Ready() {
		return Result{}, false, nil
	}
	p, state, today, err := s.prepare(ctx)
	if err != nil {
		return Result{}, false, err
	}
	touched, customers, err := s.c.Store.Waiting(ctx)
	if err != nil {
		return Result{}, false, err
	}
	busy := s.busy(p.At)
	moved, many := state.Anchor != p.Anchor, touched > max(fewCustomers, customers/5)
	later := busy || p.At.Before(s.restTill)
	s.again = later && (moved || touched > 0)
	switch {
	case s.demanded(p, state, today), !later && (moved || many):
		r, err = s.full(ctx, p, state, today, many)
		end := s.c.Clock.Now()
		s.again, s.restTill = false, end.Add(fullTimes*end.Sub(p.At))
	case p.Computed.due(p, state, later):
		r, err = s.c.Store.Compute(ctx, p)
		r.Full = true
	case touched == 0 && state.Unfinished: // a crash or a failure came between a pass and what follows it
		r = Result{Full: true, Anchor: state.Anchor, At: p.At, Cuts: state.Cuts}
	case touched == 0:
		s.waiting = time.Time{}
		return Result{}, false, nil
	case (busy || many) && s.postpone(p.At):
		return Result{}, false, nil
	default:
		p.Anchor = state.Anchor
		r, err = s.c.Store.Small(ctx, p)
		r.Full = r.Full || state.Unfinished // the customers of the pass before are not known any more
	}
	s.waiting = time.Time{}
	if err != nil {
		return Result{}, false, err
	}
	return r, true, s.done(ctx, r)
}

// demanded reports that the values of everyone are due whatever else goes on.
func (s *Service) demanded(p Pass, state State, today clock.Day) bool {
	return s.fullNext.Load() || !state.Known || state.Refilled || state.Today != today || !same(state.Settings, p.Settings)
}

// outdated reports that the values of everyone are due to be computed.
func (s *Service) outdated(p Pass, state State, today clock.Day) bool {
	return s.demanded(p, state, today) || state.Anchor != p.Anchor
}

// rollEvery is how often the values of windows that roll by the hour are worked out for everyone.
const rollEvery = 10 * time.Minute

// due reports that the computed traits of everyone are due: definitions changed, or windows have moved and there is time.
func (c *ComputedPlan) due(p Pass, state State, later bool) bool {
	if c == nil {
		return false
	}
	return state.Mark != c.Mark || c.Rolling && !later && p.At.Sub(state.ComputedAll) >= rollEvery
}

// busy reports that much more is coming, or was a moment ago: between two batches of a load the plane looks idle.
func (s *Service) busy(now time.Time) bool {
	if s.c.Busy() {
		s.seenBusy = now
		return true
	}
	return now.Sub(s.seenBusy) < calmAfter
}

// postpone reports that a small pass should wait because much more is coming, for a minute at most.
func (s *Service) postpone(now time.Time) bool {
	if s.waiting.IsZero() {
		s.waiting = now
	}
	return now.Sub(s.waiting) < busyAtMost
}

func same(a, b Settings) bool {
	if a.Monetary != b.Monetary || a.Mode != b.Mode || a.Anchor != b.Anchor || len(a.Statuses) != len(b.Statuses) {
		return false
	}
	for i := range a.Statuses {
		if a.Statuses[i] != b.Statuses[i] {
			return false
		}
	}
	return a.Mode != ModeSaved || a.Cuts == b.Cuts
}

func (s *Service) prepare(ctx context.Context) (p Pass, st State, today clock.Day, err error) {
	if p.Settings, err = s.c.Settings(ctx); err != nil {
		return p, st, 0, err
	}
	if err = p.Settings.Check(); err != nil {
		return p, st, 0, err
	}
	if st, err = s.c.Store.State(ctx); err != nil {
		return p, st, 0, err
	}
	if !st.Known || !same(st.Settings, p.Settings) {
		if err = s.c.Store.Define(ctx, p.Settings); err != nil {
			return p, st, 0, err
		}
	}
	p.At, p.Marked = s.c.Clock.Now(), s.c.Marked
	p.Moment = p.At
	if s.c.Plan != nil {
		if p.Computed, err = s.c.Plan(ctx); err != nil {
			return p, st, 0, err
		}
	}
	today = clock.DayOf(p.At, s.c.Zone())
	last, ok, err := s.c.Store.LastPurchase(ctx, today)
	if err != nil {
		return p, st, 0, err
	}
	p.Anchor = p.Settings.AnchorDay(today, last, ok)
	return p, st, today, nil
}

// full runs a full pass. When the anchor moved with the day, the values are first checked at the one they were computed for;
// not where many changed, since the check would cost two passes more.
func (s *Service) full(ctx context.Context, p Pass, state State, today clock.Day, many bool) (Result, error) {
	verified, differing := false, int64(0)
	if checkable(p, state) && state.Anchor != p.Anchor && state.Today != today && !many {
		before := p
		before.Anchor = state.Anchor
		before.Moment = state.Today.Start(s.c.Zone()).Add(12 * time.Hour) // windows of whole days ended with that day
		if _, err := s.c.Store.Small(ctx, before); err != nil {
			return Result{}, err
		}
		r, err := s.c.Store.Full(ctx, before, state.Today)
		if err != nil {
			return Result{}, fmt.Errorf("verify traits: %w", err)
		}
		verified, differing = r.Verified, r.Differing
	}
	r, err := s.c.Store.Full(ctx, p, today)
	if err != nil {
		return Result{}, err
	}
	if verified {
		r.Verified, r.Differing = true, differing
	}
	s.fullNext.Store(false)
	if r.Verified && r.Differing != 0 {
		s.c.Log.Warn("traits differed from a full pass", "rows", r.Differing)
	}
	return r, nil
}

// checkable reports that the values that are there came from the same relations and settings, so that a full pass at their
// anchor must find them.
func checkable(p Pass, state State) bool {
	return state.Known && !state.Refilled && same(state.Settings, p.Settings)
}

func (s *Service) done(ctx context.Context, r Result) error {
	s.c.Log.Debug("traits computed", "full", r.Full, "customers", r.Customers, "took", r.Took)
	if err := s.c.OnPass(ctx, r); err != nil {
		return fmt.Errorf("after a pass of the traits: %w", err)
	}
	return s.c.Store.Finish(ctx)
}

// Follow has what depends on traits follow once values came from elsewhere, such as the scores of a model.
func (s *Service) Follow(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.c.Store.State(ctx)
	if err != nil || !st.Known {
		return err
	}
	return s.done(ctx, Result{Full: true, Anchor: st.Anchor, At: s.c.Clock.Now(), Cuts: st.Cuts})
}

// Recompute has Run make a full pass soon.
func (s *Service) Recompute() {
	s.fullNext.Store(true)
	s.Notify()
}

// Verify recomputes what waits, then everyone at the same anchor, and says how many rows differed.
func (s *Service) Verify(ctx context.Context) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, state, today, err := s.prepare(ctx)
	if err != nil {
		return Result{}, err
	}
	if checkable(p, state) && state.Anchor == p.Anchor {
		if _, err := s.c.Store.Small(ctx, p); err != nil {
			return Result{}, err
		}
	}
	r, err := s.full(ctx, p, state, today, false)
	if err != nil {
		return Result{}, err
	}
	return r, s.done(ctx, r)
}

// Behind reports whether values are still to be computed: the plane is being filled, a pass runs, a full one is due, or
// customers that changed wait for one.
func (s *Service) Behind(ctx context.Context) (bool, error) {
	if !s.mu.TryLock() {
		return true, nil
	}
	defer s.mu.Unlock()
	if !s.c.Ready() {
		return true, nil
	}
	if st, err := s.c.Store.State(ctx); err != nil || !st.Known {
		return true, err
	}
	p, state, today, err := s.prepare(ctx)
	if err != nil || s.outdated(p, state, today) || state.Unfinished || p.Computed != nil && p.Computed.Mark != state.Mark {
		return true, err
	}
	touched, _, err := s.c.Store.Waiting(ctx)
	return touched > 0, err
}

// State is what the last passes left.
func (s *Service) State(ctx context.Context) (State, error) { return s.c.Store.State(ctx) }

// Anchor is the day on which windows end, as of the last full pass; today before the first.
func (s *Service) Anchor(ctx context.Context) (clock.Day, error) {
	st, err := s.c.Store.State(ctx)
	if err != nil {
		return 0, err
	}
	if !st.Known {
		return clock.DayOf(s.c.Clock.Now(), s.c.Zone()), nil
	}
	return st.Anchor, nil
}

// Summary are the means of RFM and the number of customers they are of.
func (s *Service) Summary(ctx context.Context) (Summary, error) { return s.c.Store.Summary(ctx) }

// Values are the trait values of customers; keys names the traits wanted, none means all. A customer that does not exist is
// left out.
func (s *Service) Values(ctx context.Context, customers []id.ID, keys ...string) (map[id.ID]Values, error) {
	cat := s.c.Catalogue()
	defs := cat.List()
	if len(keys) > 0 {
		defs = defs[:0]
		for _, k := range keys {
			d, ok := cat.Find(k)
			if !ok {
				return nil, unknown(k)
			}
			defs = append(defs, d)
		}
	}
	return s.c.Store.Read(ctx, customers, defs)
}
