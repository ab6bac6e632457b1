// Package mirror keeps the analytics plane in step with the records.
//
// Embedded, a Mirror copies: it reads the change log from its position, takes the present rows of the records that changed,
// and replaces them in DuckDB by delete and append, in one transaction that also stores the position. A deleted record
// vanishes; a personal value's ciphertext never arrives, only whether there is one. A relation that is new, or that is to be
// made anew, is filled by streaming its records in id order, each chunk with its progress in one transaction, so that a kill
// at any moment costs one chunk; changes made meanwhile are in the log and are applied after it. Applying a change twice is
// harmless. Memory is bounded by the chunk.
//
// On PostgreSQL relations are views and nothing is copied; a Toucher only marks the customers that changes concern.
//
// Both leave marks (trait_touched) for the traits and emit nothing else, a rebuild not even marks.
package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// Consumer is the name under which the mirror's position is known to the change log.
const Consumer = "mirror"

// Log is what the mirror needs of the change log; change.Log offers it.
type Log interface {
	Read(ctx context.Context, after change.Position, limit int) ([]change.Row, error)
	Head(ctx context.Context) (change.Position, error)
	SavePosition(ctx context.Context, consumer string, p change.Position) error
	WaitAfter(ctx context.Context, after change.Position) error
}

// Config is what a Mirror is made of. OnApplied may be nil.
type Config struct {
	DB       analytics.DB
	Log      Log
	Records  Source
	Registry func() *schema.Registry
	Clock    clock.Clock
	Logger   *slog.Logger
	// OnApplied is told after each batch how many records it replaced, and that a fill is complete (0).
	OnApplied func(records int)
	// Batch is how many changes are applied in one transaction, 20,000 when 0; Chunk how many records of a fill, 245,760 (two row groups of DuckDB) when 0.
	Batch, Chunk int
}

// Mirror is the embedded plane's feeder. It is safe for concurrent use.
type Mirror struct {
	c Config

	work sync.Mutex // one batch, fill step or comparison at a time

	mu       sync.Mutex
	position change.Position
	loaded   bool
	filled   bool
	applied  chan struct{} // closed and renewed when the position moves
	saved    change.Position
	savedAt  time.Time
	crowded  bool // the last batch was a large one
	busy     bool // it was full, or the one before was large too: much more is coming
	failed   error

	pace   clock.Pace    // of Run
	waited time.Duration // for the changes of the batch before
	hurry  chan struct{} // holds one entry when somebody waits for a position
}

// New makes a Mirror; the plane must have been prepared (analytics.Store.Ensure).
func New(c Config) *Mirror {
	if c.Batch == 0 {
		c.Batch = 20_000
	}
	if c.Chunk == 0 {
		c.Chunk = 245_760
	}
	if c.OnApplied == nil {
		c.OnApplied = func(int) {}
	}
	return &Mirror{c: c, applied: make(chan struct{}), hurry: make(chan struct{}, 1), pace: clock.Pace{AtMost: restAtMost}}
}

const (
	saveEvery  = 5 * time.Second
	retryAfter = 2 * time.Second
	// So many changes at once are an import or its like: the next batch may gather for a moment, since a batch of a hundred
	// thousand costs ten times one of a thousand, not a hundred times.
	crowd     = 500
	gatherFor = time.Second
	// After each batch the mirror rests (clock.Pace); who waits for a position ends the rest.
	restAtMost = time.Second
)

// Run feeds the plane until the context ends. A failure is logged and tried again.
func (m *Mirror) Run(ctx context.Context) error {
	for {
		err := m.cycle(ctx)
		m.mu.Lock()
		m.failed = err
		m.mu.Unlock()
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.c.Logger.Error("mirror records", "error", err)
		t := time.NewTimer(retryAfter)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// cycle applies what there is, or waits for a change.
func (m *Mirror) cycle(ctx context.Context) error {
	before, _ := m.standing()
	begin := m.c.Clock.Now()
	more, err := m.Step(ctx)
	if err != nil || more {
		return err
	}
	at, crowded := m.standing()
	if crowded {
		return clock.Pause(ctx, gatherFor, m.hurry)
	}
	if before.Less(at) {
		if err := clock.Pause(ctx, m.pace.Rest(m.waited, m.c.Clock.Now().Sub(begin)), m.hurry); err != nil {
			return err
		}
	}
	idle := m.c.Clock.Now()
	err = m.c.Log.WaitAfter(ctx, at)
	m.waited = m.c.Clock.Now().Sub(idle)
	return err
}

func (m *Mirror) standing() (at change.Position, crowded bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.position, m.crowded
}

// Step fills what is empty and applies one batch of changes; more says whether it found a full batch.
func (m *Mirror) Step(ctx context.Context) (more bool, err error) {
	m.work.Lock()
	defer m.work.Unlock()
	if err := m.load(ctx); err != nil {
		return false, err
	}
	if err := m.fill(ctx); err != nil {
		return false, err
	}
	m.mu.Lock()
	after := m.position
	m.mu.Unlock()
	rows, err := m.c.Log.Read(ctx, after, m.c.Batch)
	if err != nil {
		return false, fmt.Errorf("read changes: %w", err)
	}
	full := len(rows) == m.c.Batch
	m.mu.Lock()
	m.busy = full || m.crowded && len(rows) >= crowd
	m.crowded = len(rows) >= crowd
	m.mu.Unlock()
	if len(rows) == 0 {
		return false, m.save(ctx, false)
	}
	n, err := m.apply(ctx, rows)
	if err != nil {
		return false, fmt.Errorf("apply changes: %w", err)
	}
	m.moved(rows[len(rows)-1].Position)
	m.c.OnApplied(n)
	return full, m.save(ctx, false)
}

// Drain applies everything that is in the log now.
func (m *Mirror) Drain(ctx context.Context) error {
	for {
		more, err := m.Step(ctx)
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

func (m *Mirror) moved(p change.Position) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.position = p
	close(m.applied)
	m.applied = make(chan struct{})
}

// save tells the log where the mirror stands, now and then: the true position is in the plane, this one only keeps the log
// from dropping what is still needed.
func (m *Mirror) save(ctx context.Context, now bool) error {
	m.mu.Lock()
	p, due := m.position, m.position != m.saved && (now || m.c.Clock.Now().Sub(m.savedAt) >= saveEvery)
	m.mu.Unlock()
	if !due {
		return nil
	}
	if err := m.c.Log.SavePosition(ctx, Consumer, p); err != nil {
		return fmt.Errorf("save position: %w", err)
	}
	m.mu.Lock()
	m.saved, m.savedAt = p, m.c.Clock.Now()
	m.mu.Unlock()
	return nil
}

// Flush tells the log the exact position; for an orderly stop.
func (m *Mirror) Flush(ctx context.Context) error {
	m.mu.Lock()
	loaded := m.loaded
	m.mu.Unlock()
	if !loaded {
		return nil
	}
	return m.save(ctx, true)
}

// Status says where the mirror stands.
type Status struct {
	Position, Head change.Position
	LagChanges     int64
	Lag            time.Duration // age of the oldest change not applied
	Filling        bool          // relations are being filled: answers are incomplete
	Error          error         // of the last attempt, nil when it went well
}

// Status reads the log's head and the age of the first change that waits.
func (m *Mirror) Status(ctx context.Context) (Status, error) {
	m.mu.Lock()
	s := Status{Position: m.position, Filling: !m.filled, Error: m.failed}
	m.mu.Unlock()
	head, err := m.c.Log.Head(ctx)
	if err != nil {
		return s, fmt.Errorf("read head of changes: %w", err)
	}
	s.Head = head
	if !s.Position.Less(head) {
		return s, nil
	}
	s.LagChanges = max(head.Seq-s.Position.Seq, 1)
	next, err := m.c.Log.Read(ctx, s.Position, 1)
	if err != nil {
		return s, fmt.Errorf("read oldest change: %w", err)
	}
	if len(next) == 1 {
		s.Lag = max(m.c.Clock.Now().Sub(time.UnixMilli(next[0].At)), 0)
	}
	return s, nil
}

// Ready reports whether every relation is filled.
func (m *Mirror) Ready() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.filled
}

// Busy reports that the last batch was a full one, or two in a row were large, so that much more is coming.
func (m *Mirror) Busy() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.busy
}

// WaitFor waits until a position is applied, for at most so long; it answers whether it is.
func (m *Mirror) WaitFor(ctx context.Context, p change.Position, atMost time.Duration) bool {
	t := time.NewTimer(atMost)
	defer t.Stop()
	for {
		m.mu.Lock()
		ok, next := m.filled && !m.position.Less(p), m.applied
		m.mu.Unlock()
		if ok {
			return true
		}
		select {
		case m.hurry <- struct{}{}:
		default:
		}
		select {
		case <-next:
		case <-t.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// errNoSystem is a registry without customers.
var errNoSystem = errors.New("the registry has no analytic object")
