package sqlstore

import (
	"context"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// Store implements record.Store on a DB; its Log is change.Log. It is safe for concurrent use.
type Store struct {
	db     DB
	env    func() compile.Env
	clock  clock.Clock
	shapes *shapes
	sights sights

	wakeMu sync.Mutex
	wake   chan struct{} // closed at the next commit that appended a change
}

var (
	_ record.Store   = (*Store)(nil)
	_ record.Patient = (*Store)(nil)
	_ change.Log     = changeLog{}
)

// Config is what a Store is made of.
type Config struct {
	DB DB
	// Env gives what conditions are compiled against (Registry, Now, Zone, Base, Blind …), asked anew for every query. Its
	// Dialect is set by the Store.
	Env func() compile.Env
	// Clock dates what the schema executor does; the machine's clock when nil.
	Clock clock.Clock
}

// New makes a Store. It does not touch the database.
func New(cfg Config) *Store {
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	return &Store{db: cfg.DB, env: cfg.Env, clock: cfg.Clock, shapes: newShapes(cfg.DB.Dialect()), wake: make(chan struct{})}
}

// DB is the database below.
func (s *Store) DB() DB { return s.db }

// Read runs fn on one snapshot of the workspace's tables.
func (s *Store) Read(ctx context.Context, fn func(Conn) error) error { return s.db.Read(ctx, fn) }

// Write runs fn in a transaction of its own (see DB.Write).
func (s *Store) Write(ctx context.Context, fn func(Conn) error) error { return s.db.Write(ctx, fn) }

// View implements record.Store.
func (s *Store) View(ctx context.Context, fn func(record.Reader) error) error {
	return s.ViewWith(ctx, func(r record.Reader, _ Conn) error { return fn(r) })
}

// ViewWith reads records and other tables on the same snapshot.
func (s *Store) ViewWith(ctx context.Context, fn func(record.Reader, Conn) error) error {
	return s.db.Read(ctx, func(c Conn) error { return fn(&tx{store: s, c: c}, c) })
}

// Patient implements record.Patient.
func (s *Store) Patient(ctx context.Context) context.Context { return Bulk(ctx) }

// Update implements record.Store.
func (s *Store) Update(ctx context.Context, fn func(record.Tx) error) (change.Position, error) {
	return s.UpdateWith(ctx, func(t record.Tx, _ Conn) error { return fn(t) })
}

// UpdateWith writes records and other tables in the same transaction.
func (s *Store) UpdateWith(ctx context.Context, fn func(record.Tx, Conn) error) (change.Position, error) {
	var last change.Position
	err := s.db.Write(ctx, func(c Conn) error {
		if err := fence(ctx, c); err != nil {
			return err
		}
		t := &tx{store: s, c: c}
		err := fn(t, c)
		last = t.last
		return err
	})
	if err != nil {
		return change.Position{}, err
	}
	if last.Seq > 0 {
		s.committed()
	}
	return last, nil
}

// tx implements record.Tx, and record.Reader on a snapshot.
type tx struct {
	store     *Store
	c         Conn
	last      change.Position
	processes int64 // their version, once it was asked for
}

var _ record.Tx = (*tx)(nil)
