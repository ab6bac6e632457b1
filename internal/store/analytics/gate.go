package analytics

import (
	"context"
	"database/sql"
	"sync/atomic"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Gate stands before a plane. While the plane is made anew it is closed: whoever asks is told so (analytics.rebuilding) instead
// of being shown figures of what is there so far. What the program does itself passes. A Gate is open at first and safe for
// concurrent use.
type Gate struct {
	DB
	closed atomic.Bool
}

var _ DB = (*Gate)(nil)

// NewGate stands before a plane.
func NewGate(db DB) *Gate { return &Gate{DB: db} }

// Set closes or opens the gate.
func (g *Gate) Set(closed bool) { g.closed.Store(closed) }

// Closed reports whether the plane is being made anew.
func (g *Gate) Closed() bool { return g.closed.Load() }

func (g *Gate) pass(ctx context.Context) error {
	if g.closed.Load() && access.From(ctx).Kind != access.BySystem {
		return fault.New(fault.Unavailable, "analytics.rebuilding", nil)
	}
	return nil
}

// Query implements DB.
func (g *Gate) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := g.pass(ctx); err != nil {
		return nil, err
	}
	return g.DB.Query(ctx, query, args...)
}

// Wide implements Wider.
func (g *Gate) Wide(ctx context.Context, ask func(Querier) error) error {
	if err := g.pass(ctx); err != nil {
		return err
	}
	return wide(ctx, g.DB, ask)
}

// Write implements DB.
func (g *Gate) Write(ctx context.Context, fn func(Tx) error) error {
	if err := g.pass(ctx); err != nil {
		return err
	}
	return g.DB.Write(ctx, fn)
}
