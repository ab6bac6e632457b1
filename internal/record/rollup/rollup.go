// Package rollup keeps stored sums over related records in step with the records.
//
// It is a consumer of the change log named "rollup": it reads change rows in batches, finds the records whose sums they may
// have altered, works those out anew from the records as they are now, and keeps its position. A batch that is seen twice after
// a crash has the same result. A sum that a transaction read before another one committed is worked out again when the log
// tells of the other. Rebuild works everything out when a rollup is defined or changed; Check compares and changes nothing.
package rollup

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Consumer is the name under which the position in the change log is kept.
const Consumer = "rollup"

// Records is what a Follower needs from the record engine.
type Records interface {
	Affected(ctx context.Context, changes []change.Row) (map[string][]id.ID, error)
	RollUp(ctx context.Context, object string, ids []id.ID, check bool) (int, error)
	List(ctx context.Context, object string, q record.Query) (*record.Page, error)
}

// Config is what a Follower needs; all but Log must be set.
type Config struct {
	Changes  change.Log
	Records  Records
	Registry func() *schema.Registry
	Clock    clock.Clock
	Log      *slog.Logger // nil discards
	Batch    int          // change rows in one step, 1,000 when 0
}

// Follower keeps one workspace's rollups. Only one may run at a time.
type Follower struct{ cfg Config }

// New makes a Follower.
func New(cfg Config) *Follower {
	if cfg.Batch <= 0 {
		cfg.Batch = 1000
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Follower{cfg: cfg}
}

// restAtMost bounds the rest after a step (clock.Pace); a step gathers what came meanwhile.
const restAtMost = 250 * time.Millisecond

// Run follows the log until ctx ends or a batch fails; run again, it goes on with that batch.
func (f *Follower) Run(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	pos, err := f.cfg.Changes.LoadPosition(ctx, Consumer)
	if err != nil {
		return fmt.Errorf("load position of rollups: %w", err)
	}
	pace := clock.Pace{AtMost: restAtMost}
	for {
		idle := f.cfg.Clock.Now()
		if err := f.cfg.Changes.WaitAfter(ctx, pos); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("wait for changes: %w", err)
		}
		began := f.cfg.Clock.Now()
		next, n, err := f.step(ctx, pos)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		if pos = next; n == f.cfg.Batch {
			continue
		}
		if err := clock.Pause(ctx, pace.Rest(began.Sub(idle), f.cfg.Clock.Now().Sub(began)), nil); err != nil {
			return err
		}
	}
}

// CatchUp takes in everything up to now and says how many change rows it read.
func (f *Follower) CatchUp(ctx context.Context) (int, error) {
	ctx = access.With(ctx, access.System())
	pos, err := f.cfg.Changes.LoadPosition(ctx, Consumer)
	if err != nil {
		return 0, fmt.Errorf("load position of rollups: %w", err)
	}
	total := 0
	for {
		next, n, err := f.step(ctx, pos)
		if err != nil || n == 0 {
			return total, err
		}
		pos, total = next, total+n
	}
}

// step takes one batch of changes.
func (f *Follower) step(ctx context.Context, after change.Position) (change.Position, int, error) {
	rows, err := f.cfg.Changes.Read(ctx, after, f.cfg.Batch)
	if err != nil || len(rows) == 0 {
		return after, 0, err
	}
	to := rows[len(rows)-1].Position
	affected, err := f.cfg.Records.Affected(ctx, rows)
	if err != nil {
		return after, 0, err
	}
	for _, object := range slices.Sorted(maps.Keys(affected)) {
		if _, err := f.cfg.Records.RollUp(ctx, object, affected[object], false); err != nil {
			return after, 0, err
		}
	}
	return to, len(rows), f.cfg.Changes.SavePosition(ctx, Consumer, to)
}

// Has reports whether an object has a rollup.
func Has(obj *schema.Object) bool {
	return slices.ContainsFunc(obj.Fields, func(f *schema.Field) bool { return f.Rollup != nil })
}

// Rebuild works the rollups of an object's records out anew and says how many records changed.
func (f *Follower) Rebuild(ctx context.Context, object string) (int, error) {
	return f.all(ctx, object, false)
}

// Check counts the records, of every object, whose rollups are not what the records say. It takes in first what waits in the log,
// so that in a workspace at rest the answer is zero.
func (f *Follower) Check(ctx context.Context) (differing int, err error) {
	for _, obj := range f.cfg.Registry().Tables() {
		if !Has(obj) {
			continue
		}
		n, err := f.all(ctx, obj.Key, true)
		if err != nil {
			return differing, err
		}
		differing += n
	}
	return differing, nil
}

// all goes through an object's records, the recycle bin after the live ones.
func (f *Follower) all(ctx context.Context, object string, check bool) (int, error) {
	ctx = access.With(ctx, access.System())
	total := 0
	for _, deleted := range []bool{false, true} {
		q := record.Query{Sort: []schema.Sort{{Field: "id"}}, Fields: []string{}, Limit: record.MaxLimit, Deleted: deleted}
		for {
			page, err := f.cfg.Records.List(ctx, object, q)
			if err != nil {
				return total, fmt.Errorf("list %s: %w", object, err)
			}
			ids := make([]id.ID, len(page.Items))
			for i, r := range page.Items {
				ids[i] = r.ID
			}
			n, err := f.cfg.Records.RollUp(ctx, object, ids, check)
			if err != nil {
				return total, err
			}
			total += n
			if page.NextCursor == "" {
				break
			}
			q.Cursor = page.NextCursor
		}
	}
	return total, nil
}
