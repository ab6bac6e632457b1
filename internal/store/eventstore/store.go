// Package eventstore keeps events from the moment they are accepted until they have been loaded and sealed: the inbox, in the order of
// acceptance, and beside it what every consumer of it needs.
//
// Embedded it is an SQLite file of its own, so that events and records do not wait for one another's writer; on PostgreSQL its tables
// stand in the workspace's schema. Its migrations count by themselves (event_version).
//
// Guarantees. What Accept answered with nil is durable. A message id is accepted once in seven days, whatever happens to the inbox
// meanwhile: the same content again is a duplicate and nothing is written, other content under the same id is another event and is
// kept under an id made from both, with the flag Collision, once as well. The inbox is read in the order of commits; on PostgreSQL only
// below the oldest running writer, as the change log. What Resolve's closure writes and the position of resolution commit together.
//
// It does not interpret events, and it removes nothing by itself but what Trim is told to.
package eventstore

import (
	"context"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
)

// VersionTable is where the migrations of a store are counted.
const VersionTable = "event_version"

// Resolved is the consumer whose position says how far events have their profiles.
const Resolved = "resolve"

// SeenFor is how long a message id is remembered.
const SeenFor = 7 * 24 * time.Hour

// Config says where the tables are. All parts are needed.
type Config struct {
	DB    sqlstore.DB // not closed by the store
	Clock clock.Clock
	IDs   *id.Generator
}

// Store is the inbox of one workspace. It is safe for concurrent use.
type Store struct {
	Config

	mu   sync.Mutex
	wake chan struct{} // closed and made anew when something was accepted
}

// New brings the tables up to date.
func New(ctx context.Context, cfg Config) (*Store, error) {
	if _, err := sqlstore.Migrate(ctx, cfg.DB, migrations.Event(), VersionTable); err != nil {
		return nil, err
	}
	return &Store{Config: cfg, wake: make(chan struct{})}, nil
}

// Write runs fn in a transaction of the store's database: durable when Write returns nil, gone when it returns an error. On PostgreSQL
// fn runs again after a deadlock, so it must set, not add to, what it captures. Inside fn no other method of the store may be called.
func (s *Store) Write(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	return s.DB.Write(ctx, func(c sqlstore.Conn) error { return fn(ctx, c) })
}

// View runs fn on one snapshot.
func (s *Store) View(ctx context.Context, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	return s.DB.Read(ctx, func(c sqlstore.Conn) error { return fn(ctx, c) })
}

// Position is how far a consumer has come, zero for one that has not begun.
func (s *Store) Position(ctx context.Context, consumer string) (p change.Position, err error) {
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		p, err = position(ctx, c, consumer, "")
		return err
	})
	return p, err
}

func position(ctx context.Context, c sqlstore.Conn, consumer, lock string) (p change.Position, err error) {
	_, err = c.QueryRow(ctx, []any{&p.Xid, &p.Seq}, "SELECT xid, seq FROM event_position WHERE consumer = ?"+lock, consumer)
	return p, err
}

// Advance stores how far a consumer has come in the transaction that does its work.
func (s *Store) Advance(ctx context.Context, c sqlstore.Conn, consumer string, p change.Position) error {
	const q = "INSERT INTO event_position(consumer, xid, seq) VALUES (?, ?, ?) ON CONFLICT (consumer) DO UPDATE SET xid = excluded.xid, seq = excluded.seq"
	_, err := c.Exec(ctx, q, consumer, p.Xid, p.Seq)
	return err
}

// Woken is closed when this process accepts something. Whoever waits takes it before looking, so that nothing falls between.
func (s *Store) Woken() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wake
}

// Wake lets whoever waits look again: events were accepted, or something else gives the consumers work.
func (s *Store) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.wake)
	s.wake = make(chan struct{})
}
