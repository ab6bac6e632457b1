package transfer

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
)

// unit is what stands or falls together: a plain row, or an order with its lines and refunds.
type unit struct {
	rows      []int64 // of the file
	needs     []int   // shared operations of its chunk
	unchanged map[string]int64
	order     *SeenOrder
	line      *SeenLine
	pair      *Pair
	bad       *fault.Fault
	object    string // of the operation that failed
}

func (u *unit) same(object string, n int64) {
	if n == 0 {
		return
	}
	if u.unchanged == nil {
		u.unchanged = map[string]int64{}
	}
	u.unchanged[object] += n
}

// chunk is what commits together.
type chunk struct {
	ops     []record.BulkOp
	owner   []int // the unit of each operation, -1 for what several share
	units   []*unit
	errors  []RowError
	rows    int64
	skipped int64
	faults  int64 // rows that are wrong
	noRate  map[string]int64
	state   State // after the chunk
	from    id.ID // no record that the chunk makes has a smaller one
	bytes   int64 // of Progress
}

// add appends an operation and returns its place.
func (c *chunk) add(unit int, op record.BulkOp) int {
	c.ops, c.owner = append(c.ops, op), append(c.owner, unit)
	return len(c.ops) - 1
}

// report adds the errors of a row. A compound fault becomes several entries.
func (c *chunk) report(row int64, column string, f *fault.Fault) {
	c.errors = appendErrors(c.errors, row, column, f)
}

func appendErrors(list []RowError, row int64, column string, f *fault.Fault) []RowError {
	items := f.Items
	if len(items) == 0 {
		items = []*fault.Fault{f}
	}
	for _, it := range items {
		n := 0
		for i := len(list) - 1; i >= 0 && list[i].Row == row; i-- {
			n++
		}
		list = append(list, RowError{Row: row, Number: n, Column: column, Code: it.Code, Params: it.Params})
	}
	return list
}

// partial tells, from inside the transaction, that some operations of a chunk cannot be stored; the whole is taken back
// and tried again without their units.
type partial struct{ results []record.BulkResult }

func (p *partial) Error() string { return "some operations of the chunk failed" }

// write stores a chunk with everything that belongs to it.
func (r *run) write(ctx context.Context, c *chunk) error {
	if c.faults > 0 && r.job.Mapping.Options.OnError == "stop" {
		return r.stop(ctx, c)
	}
	switch {
	case r.job.State.DryRun && r.job.Object == mapping.OrderObject:
		return r.pretend(ctx, c)
	case r.job.State.DryRun:
		return r.attempt(ctx, c)
	}
	for {
		if len(c.ops) == 0 {
			commit := r.commit(c, nil)
			if err := r.svc.cfg.Store.Commit(ctx, nil, commit); err != nil {
				return err
			}
			r.committed(commit)
			return nil
		}
		var commit *Commit
		_, _, err := r.svc.cfg.Records.BulkThen(ctx, r.job.ID, c.ops, func(ctx context.Context, tx record.Tx, results []record.BulkResult) error {
			for i := range results {
				if results[i].Err != nil {
					return &partial{results}
				}
			}
			commit = r.commit(c, results)
			return r.svc.cfg.Store.Commit(ctx, tx, commit)
		})
		var p *partial
		switch {
		case errors.As(err, &p):
			if err := r.drop(c, p.results); err != nil {
				return err
			}
			if r.job.Mapping.Options.OnError == "stop" {
				return r.stop(ctx, c)
			}
			continue
		case err != nil:
			return err
		}
		r.committed(commit)
		return nil
	}
}

// stop ends an import at its first wrong row; what is wrong with the chunk is kept, nothing else of it.
func (r *run) stop(ctx context.Context, c *chunk) error {
	row := int64(0)
	if len(c.errors) > 0 {
		row = c.errors[0].Row
	}
	commit := r.commit(&chunk{state: r.state, errors: c.errors, bytes: r.progress.Bytes}, nil)
	commit.Result = r.result.clone()
	commit.Result.count(c.errors)
	commit.Result.Errors += c.faults
	if err := r.svc.cfg.Store.Commit(ctx, nil, commit); err != nil {
		return err
	}
	r.result = commit.Result
	return fault.New(fault.Invalid, "import.stopped", fault.Params{"row": row})
}

// drop takes the units of failed operations out of a chunk and reports their rows.
func (r *run) drop(c *chunk, results []record.BulkResult) error {
	shared := map[int]*fault.Fault{}
	for i := range results {
		err := results[i].Err
		if err == nil {
			continue
		}
		f, ok := fault.Find(err)
		if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			return fmt.Errorf("write %s: %w", c.ops[i].Object, err)
		}
		if c.owner[i] < 0 {
			shared[i] = f
		} else if u := c.units[c.owner[i]]; u.bad == nil {
			u.bad, u.object = f, c.ops[i].Object
		}
	}
	for _, u := range c.units {
		for _, n := range u.needs {
			if f := shared[n]; f != nil {
				u.bad, u.object = f, c.ops[n].Object
			}
		}
	}
	place := make([]int, len(c.ops)) // of operations that stay
	var ops []record.BulkOp
	var owner []int
	for i := range c.ops {
		place[i] = -1
		if c.owner[i] < 0 && shared[i] != nil || c.owner[i] >= 0 && c.units[c.owner[i]].bad != nil {
			continue
		}
		place[i] = len(ops)
		ops, owner = append(ops, c.ops[i]), append(owner, c.owner[i])
	}
	if len(ops) == len(c.ops) {
		return fault.New(fault.Internal, "import.stuck", nil)
	}
	c.ops, c.owner = ops, owner
	for _, u := range c.units {
		var needs []int
		for _, n := range u.needs {
			if place[n] >= 0 {
				needs = append(needs, place[n])
			}
		}
		u.needs = needs
		if u.bad == nil || u.rows == nil {
			continue
		}
		for _, row := range u.rows {
			r.reportUnit(c, row, u)
		}
		c.faults += int64(len(u.rows))
		u.rows, u.order, u.line, u.pair, u.unchanged = nil, nil, nil, nil, nil
	}
	return nil
}

// reportUnit reports what is wrong with a record for a row, under the column of the field.
func (r *run) reportUnit(c *chunk, row int64, u *unit) {
	items := u.bad.Items
	if len(items) == 0 {
		items = []*fault.Fault{u.bad}
	}
	for _, f := range items {
		c.report(row, r.columnOf(u.object, f.Field), f)
	}
}

// commit makes what is stored beside the records.
func (r *run) commit(c *chunk, results []record.BulkResult) *Commit {
	res := r.result.clone()
	res.Rows += c.rows
	res.Skipped += c.skipped
	res.Errors += c.faults
	for currency, n := range c.noRate {
		if res.NoRate == nil {
			res.NoRate = map[string]int64{}
		}
		res.NoRate[currency] += n
	}
	res.count(c.errors)
	for i := range results {
		n := res.of(c.ops[i].Object)
		switch {
		case results[i].Created:
			n.Created++
		case results[i].Changed:
			n.Updated++
		default:
			n.Unchanged++
		}
	}
	out := &Commit{Job: r.job.ID, Expect: r.job.Status, State: c.state, At: r.svc.cfg.Clock.Now(), Source: r.source, Object: r.job.Object, Errors: c.errors}
	for _, u := range c.units {
		for object, n := range u.unchanged {
			res.of(object).Unchanged += n
		}
		if u.order != nil {
			out.Orders = append(out.Orders, *u.order)
		}
		if u.line != nil {
			out.Lines = append(out.Lines, *u.line)
		}
		if u.pair != nil {
			out.Pairs = append(out.Pairs, *u.pair)
			res.Review++
		}
	}
	main := res.of(r.job.Object)
	res.Created, res.Updated, res.Unchanged = main.Created, main.Updated, main.Unchanged
	res.Seconds = r.seconds()
	out.Result, out.Progress = res, r.advance(res.Rows, c.bytes)
	out.State.Active = res.Seconds
	return out
}

// committed takes over what has been stored.
func (r *run) committed(c *Commit) {
	r.result, r.state, r.progress = c.Result, c.State, c.Progress
	r.publish()
}

// errRehearsed takes back what a dry run wrote.
var errRehearsed = errors.New("a dry run stores nothing")

// attempt does what write does in a dry run of records: it writes the chunk and takes it back, so that everything that storing a row
// would refuse is found and what would not change is counted so. Records that earlier chunks would have made are not there: what
// names them goes without them, or is counted without being tried.
func (r *run) attempt(ctx context.Context, c *chunk) error {
	for {
		results := make([]record.BulkResult, len(c.ops))
		var ops []record.BulkOp
		var at []int
		for i := range c.ops {
			results[i] = record.BulkResult{ID: c.ops[i].ID, Created: c.ops[i].Op == change.Create, Changed: true}
			if op, ok := r.attemptable(c, c.ops[i]); ok {
				ops, at = append(ops, op), append(at, i)
			}
		}
		failed := false
		if len(ops) > 0 {
			_, _, err := r.svc.cfg.Records.BulkThen(ctx, r.job.ID, ops, func(_ context.Context, _ record.Tx, got []record.BulkResult) error {
				failed = false
				for i := range got {
					results[at[i]] = got[i]
					failed = failed || got[i].Err != nil
				}
				return errRehearsed
			})
			if !errors.Is(err, errRehearsed) {
				return errors.Join(err, ctx.Err())
			}
		}
		if !failed {
			return r.counted(ctx, c, results)
		}
		if err := r.drop(c, results); err != nil {
			return err
		}
		if r.job.Mapping.Options.OnError == "stop" {
			return r.stop(ctx, c)
		}
	}
}

// attemptable is an operation without what names records of earlier chunks; false when it cannot be tried without them.
func (r *run) attemptable(c *chunk, op record.BulkOp) (record.BulkOp, bool) {
	absent := func(v any) bool {
		if f, ok := v.(record.Fill); ok {
			v = f.Value
		}
		n, ok := v.(id.ID)
		return ok && n >= r.dryFrom && n < c.from
	}
	if op.Op != change.Create && absent(op.ID) {
		return op, false
	}
	obj := r.svc.cfg.Registry().Object(op.Object)
	cloned := false
	for key, v := range op.Input {
		if !absent(v) {
			continue
		}
		if f := obj.Field(key); f == nil || f.Required {
			return op, false
		}
		if !cloned {
			op.Input, cloned = maps.Clone(op.Input), true
		}
		delete(op.Input, key)
	}
	return op, true
}

// pretend does what write does in a dry run of purchases: nothing but counting.
func (r *run) pretend(ctx context.Context, c *chunk) error {
	results := make([]record.BulkResult, len(c.ops))
	for i := range c.ops {
		results[i] = record.BulkResult{ID: c.ops[i].ID, Created: c.ops[i].Op == change.Create, Changed: true}
	}
	return r.counted(ctx, c, results)
}

// counted stores what a dry run found out, and nothing else.
func (r *run) counted(ctx context.Context, c *chunk, results []record.BulkResult) error {
	commit := r.commit(c, results)
	commit.Orders, commit.Lines, commit.Pairs = nil, nil, nil
	if err := r.svc.cfg.Store.Commit(ctx, nil, commit); err != nil {
		return err
	}
	r.committed(commit)
	return nil
}

// create is an operation that makes a record whose id is already known.
func create(object string, v id.ID, in record.Input) record.BulkOp {
	return record.BulkOp{Op: change.Create, Object: object, ID: v, Input: in}
}

// update is an operation that changes a record, whatever its version.
func update(object string, v id.ID, in record.Input) record.BulkOp {
	return record.BulkOp{Op: change.Update, Object: object, ID: v, Input: in}
}
