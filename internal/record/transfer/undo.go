package transfer

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// undoBatch is how many records an undo takes back at a time.
const undoBatch = 500

// undo takes an import back: updates first, newest first, then what it created, records that point at others before
// those. What somebody has changed since stays and is counted as kept.
func (r *run) undo(ctx context.Context) error {
	r.phase, r.source = PhaseUndoing, r.job.Mapping.Options.Source
	if !r.state.Undo.Restored {
		if err := r.restore(ctx); err != nil {
			return err
		}
	}
	objects := removalOrder(r.svc.cfg.Registry())
	from := 0
	if r.state.Undo.Object != "" {
		from = max(0, slices.IndexFunc(objects, func(o *schema.Object) bool { return o.Key == r.state.Undo.Object }))
	}
	for _, o := range objects[from:] {
		if err := r.remove(ctx, o); err != nil {
			return err
		}
	}
	return r.svc.cfg.Store.Forget(ctx, r.job)
}

// removalOrder lists objects so that those that point at others come before these.
func removalOrder(reg *schema.Registry) []*schema.Object {
	var out []*schema.Object
	seen := map[string]bool{}
	var visit func(o *schema.Object)
	visit = func(o *schema.Object) {
		if seen[o.Key] || o.Virtual {
			return
		}
		seen[o.Key] = true
		for _, ref := range reg.Referrers(o.Key) {
			visit(ref.Object)
		}
		out = append(out, o)
	}
	for _, o := range reg.Objects() {
		visit(o)
	}
	return out
}

// restore puts updates back.
func (r *run) restore(ctx context.Context) error {
	for {
		list, err := r.svc.cfg.Store.Changed(ctx, r.job, r.state.Undo.Before, undoBatch)
		if err != nil {
			return err
		}
		state := r.state
		if len(list) == 0 {
			state.Undo.Restored = true
			return r.step(ctx, nil, state, 0)
		}
		state.Undo.Before = list[len(list)-1].Position
		ops, kept, err := r.reversals(ctx, list)
		if err != nil {
			return err
		}
		if err := r.step(ctx, ops, state, kept); err != nil {
			return err
		}
	}
}

// reversals are the operations that put a page of updates back. Of several updates of one record the oldest image counts.
func (r *run) reversals(ctx context.Context, list []Changed) ([]record.BulkOp, int64, error) {
	var kept int64
	byObject := map[string][]record.Image{}
	var objects []string
	for _, ch := range list {
		if ch.Touched {
			kept++
			continue
		}
		if byObject[ch.Object] == nil {
			objects = append(objects, ch.Object)
		}
		byObject[ch.Object] = append(byObject[ch.Object], record.Image{Record: ch.Record, Before: ch.Before})
	}
	var ops []record.BulkOp
	for _, o := range objects {
		part, err := r.svc.cfg.Records.Revert(ctx, o, byObject[o])
		if err != nil {
			return nil, 0, err
		}
		ops = append(ops, part...)
	}
	return ops, kept, nil
}

// remove takes the created records of an object away for good.
func (r *run) remove(ctx context.Context, o *schema.Object) error {
	if r.state.Undo.Object != o.Key {
		r.state.Undo.Object, r.state.Undo.After = o.Key, 0
	}
	for {
		list, err := r.svc.cfg.Store.Made(ctx, o, r.job, r.state.Undo.After, undoBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		state := r.state
		state.Undo.After = list[len(list)-1].ID
		var ops []record.BulkOp
		var kept int64
		for _, m := range list {
			if m.Touched {
				kept++
				continue
			}
			ops = append(ops, record.BulkOp{Op: change.Purge, Object: o.Key, ID: m.ID})
		}
		if err := r.step(ctx, ops, state, kept); err != nil {
			return err
		}
	}
}

// step commits a piece of an undo.
func (r *run) step(ctx context.Context, ops []record.BulkOp, state State, kept int64) error {
	commitOf := func(results []record.BulkResult) *Commit {
		c := r.commit(&chunk{state: state}, nil)
		c.Result.Kept += kept
		for i := range results {
			switch {
			case results[i].Err != nil:
				c.Result.Kept++
			case ops[i].Op == change.Purge:
				c.Result.Removed++
			default:
				c.Result.Restored++
			}
		}
		done, of := c.Result.Removed+c.Result.Restored+c.Result.Kept, int64(1)
		for _, n := range c.Result.ByObject {
			of += n.Created + n.Updated
		}
		c.Progress.Rows = done
		c.Progress.Bytes = int64(float64(c.Progress.TotalBytes) * min(1, float64(done)/float64(of)))
		return c
	}
	if len(ops) == 0 {
		c := commitOf(nil)
		if err := r.svc.cfg.Store.Commit(ctx, nil, c); err != nil {
			return err
		}
		r.committed(c)
		return nil
	}
	var c *Commit
	_, _, err := r.svc.cfg.Records.BulkThen(ctx, r.job.ID, ops, func(ctx context.Context, tx record.Tx, results []record.BulkResult) error {
		for i := range results {
			if f, ok := fault.Find(results[i].Err); results[i].Err != nil && (!ok || f.Kind == fault.Internal) {
				return results[i].Err
			}
		}
		c = commitOf(results)
		return r.svc.cfg.Store.Commit(ctx, tx, c)
	})
	if err != nil {
		return err
	}
	r.committed(c)
	return nil
}
