package app

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// broad lets DuckDB answer lists that no index of SQLite serves. On PostgreSQL both planes are the same tables.
type broad struct{ w *workspace }

// behindAtMost is how long a list waits for the mirror to have what was just written.
const behindAtMost = 500 * time.Millisecond

// ready reports whether the mirror has everything that is written now.
func (b broad) ready(ctx context.Context) (bool, error) {
	head, err := b.w.store.Log().Head(ctx)
	return err == nil && b.w.feed.WaitFor(ctx, head, behindAtMost), err
}

// Select implements record.Broad.
func (b broad) Select(ctx context.Context, obj *schema.Object, sel record.Selection) ([]id.ID, bool, error) {
	if ok, err := b.ready(ctx); !ok || err != nil {
		return nil, false, err
	}
	ids, err := b.w.audience.Select(ctx, obj, sel)
	if unanswerable(err) {
		return nil, false, nil
	}
	return ids, err == nil, err
}

// Count implements record.Broad.
func (b broad) Count(ctx context.Context, obj *schema.Object, sel record.Selection, limit int) (int, bool, error) {
	if ok, err := b.ready(ctx); !ok || err != nil {
		return 0, false, err
	}
	n, err := b.w.audience.CountUpTo(ctx, obj, sel.Where, sel.Limits, limit)
	if unanswerable(err) {
		return 0, false, nil
	}
	return n, err == nil, err
}

// figures answers counts and sums by groups from the analytics plane, on PostgreSQL too, where it alone knows traits.
type figures struct{ w *workspace }

// Figures implements record.Figurer. A question that only this plane can answer is answered as of its position, waiting a
// moment for what was just written; any other one only when it has everything.
func (g figures) Figures(ctx context.Context, f *query.Figures, sel record.Selection, limit int) ([]record.FigureRow, bool, error) {
	only := f.Analytic() || sel.Where != nil && query.NeedsAnalytics(sel.Where)
	if g.w.app.embedded() {
		ok, err := broad(g).ready(ctx)
		if err != nil || !ok && !only {
			return nil, false, err
		}
	}
	rows, err := g.w.audience.Figures(ctx, f, sel.Where, sel.Limits, limit)
	if !only && unanswerable(err) || away(err) {
		return nil, false, nil
	}
	return rows, err == nil, err
}

// unanswerable reports what the mirror does not hold, or not at the moment.
func unanswerable(err error) bool {
	return err != nil && (fault.KindOf(err) == fault.Invalid || away(err))
}
