package record

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Delta is an input value of an update that changes what a field holds instead of replacing it. It is worked out on the
// row as it stands in the transaction, so that two of them never undo each other. Tags and multiple choices take Add and
// Remove (Remove first); numbers and amounts take By, whose currency must be that of the amount. No value counts as nothing
// or as zero.
type Delta struct {
	Add    []any
	Remove []any
	By     any
}

// Fill is an input value of an update that takes hold only where the field has no value as the row stands in the transaction. Of a
// new record it is the value.
type Fill struct{ Value any }

// Former is an input value of a BatchOp with Former: the field may be put back to what it was.
type Former struct{}

// FormerImage is what an update made of a record: the version it gave it and the images in its change row.
type FormerImage struct {
	Version       int64
	Before, After []byte
}

// MassCall is how Mass writes.
type MassCall struct {
	// Batch marks the changes, so that they can be found again.
	Batch id.ID
	// Assign makes the updates gifts of records to another owner, as Service.Assign does: they may write the owner field and have
	// the right and the scope of assigning.
	Assign bool
	// Then is more to do in the same transaction; nil for nothing.
	Then Then
}

// Mass runs operations of a person's bulk work in one transaction: what Batch does, with ordinary rights, and Restore
// besides; each operation has its own result. It yields to everything else that writes. Call it with some hundreds of
// operations at a time.
func (s *Service) Mass(ctx context.Context, ops []BatchOp, c MassCall) ([]BulkResult, change.Position, error) {
	if err := s.unmerged(ctx, ops); err != nil {
		return nil, change.Position{}, err
	}
	return s.many(ctx, writeMode{mass: true, operation: c.Assign, batch: c.Batch, then: c.Then}, ops)
}

// unmerged turns restores of records that were merged into another one into what fails: Unmerge is what restores those.
func (s *Service) unmerged(ctx context.Context, ops []BatchOp) error {
	var ids []id.ID
	for i := range ops {
		if ops[i].Op == change.Restore {
			ids = append(ids, ops[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var into map[id.ID]id.ID
	err := s.cfg.Store.View(ctx, func(r Reader) (err error) {
		if m, can := r.(MergeReader); can {
			into, err = m.MergedInto(ctx, ids)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look for survivors: %w", err)
	}
	for i := range ops {
		if _, merged := into[ops[i].ID]; merged && ops[i].Op == change.Restore {
			ops[i].merged = true
		}
	}
	return nil
}

// delta is a Delta that was read.
type delta struct {
	add, remove []string
	by          any // int64 or money.Money
}

// parseDelta reads a Delta for a field; the fault is located at the field.
func parseDelta(f *schema.Field, d Delta, env *schema.ParseEnv) (*delta, *fault.Fault) {
	wrong := fault.InvalidField("record.delta_type", "fields."+f.Key, fault.Params{"field": f.Key, "label": f.Label})
	out := &delta{}
	switch f.Type {
	case schema.Tags, schema.MultiChoice:
		if d.By != nil || len(d.Add)+len(d.Remove) == 0 {
			return nil, wrong
		}
		for _, part := range []struct {
			from []any
			to   *[]string
		}{{d.Add, &out.add}, {d.Remove, &out.remove}} {
			if len(part.from) == 0 {
				continue
			}
			v, bad := schema.ParseJSON(f, part.from, *env)
			if bad != nil {
				return nil, bad
			}
			*part.to, _ = v.([]string)
		}
	case schema.Number, schema.Money:
		if len(d.Add)+len(d.Remove) > 0 || d.By == nil {
			return nil, wrong
		}
		v, bad := schema.ParseJSON(f, d.By, *env)
		if bad != nil {
			return nil, bad
		}
		out.by = v
	default:
		return nil, wrong
	}
	return out, nil
}

// apply is the value after the delta.
func (d *delta) apply(f *schema.Field, old any, env *schema.ParseEnv) (any, *fault.Fault) {
	switch by := d.by.(type) {
	case int64:
		n, _ := old.(int64)
		if by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
			return nil, fault.InvalidField("record.delta_overflow", "fields."+f.Key, fault.Params{"field": f.Key, "label": f.Label})
		}
		return n + by, nil
	case money.Money:
		m, had := old.(money.Money)
		if !had {
			return by, nil
		}
		if m.Currency != by.Currency {
			return nil, fault.InvalidField("record.delta_currency", "fields."+f.Key, fault.Params{"field": f.Key, "label": f.Label, "currency": m.Currency})
		}
		if by.Amount > 0 && m.Amount > math.MaxInt64-by.Amount || by.Amount < 0 && m.Amount < math.MinInt64-by.Amount {
			return nil, fault.InvalidField("record.delta_overflow", "fields."+f.Key, fault.Params{"field": f.Key, "label": f.Label})
		}
		m.Amount += by.Amount
		return m, nil
	}
	was, _ := old.([]string)
	var list []any
	have := map[string]bool{}
	for _, v := range was {
		if !slices.Contains(d.remove, v) && !have[v] {
			list, have[v] = append(list, v), true
		}
	}
	for _, v := range d.add {
		if !have[v] {
			list, have[v] = append(list, v), true
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return schema.ParseJSON(f, list, *env) // the bounds of a field hold for what comes out
}

// derive works out the values of an item that depend on its row.
func (w *writing) derive(ctx context.Context, items []*item) error {
	var env *schema.ParseEnv
	var subjects []id.ID
	for _, it := range items {
		if !it.ok() || it.old == nil {
			continue
		}
		for _, i := range it.fills {
			if fs := &it.sh.fields[i]; fs.n > 0 && it.old.Cols[fs.off] != nil {
				it.values[i], it.set[i] = nil, false
			}
		}
		if it.former != nil && len(it.sh.personal) > 0 {
			subjects = append(subjects, it.sh.subject(it.old))
		}
		for i, d := range it.deltas {
			if env == nil {
				e := w.s.Env(ctx)
				env = &e
			}
			f := it.sh.fields[i].f
			v, bad := d.apply(f, schema.Decode(f, it.sh.cols(it.old.Cols, i)), env)
			if bad != nil {
				it.fail(bad)
			}
			it.values[i], it.set[i] = v, true
		}
	}
	if err := w.readKeys(ctx, subjects); err != nil {
		return err
	}
	for _, it := range items {
		if it.ok() && it.old != nil && it.former != nil {
			w.putBack(it)
		}
	}
	return nil
}

// putBack takes the former values of the fields that still hold what the update gave them. Fields that were changed since
// stay and are named in the result; with none left the item fails.
func (w *writing) putBack(it *item) {
	before, fields := it.sh.readImage(it.former.Before)
	after, more := it.sh.readImage(it.former.After)
	for _, i := range more {
		if !slices.Contains(fields, i) {
			fields = append(fields, i)
		}
	}
	slices.Sort(fields)
	changed := fault.New(fault.Conflict, "record.changed_since", nil)
	if len(fields) == 0 || before == nil || after == nil {
		it.fail(changed)
		return
	}
	for _, i := range fields {
		fs := &it.sh.fields[i]
		if !it.sh.holds(it.old.Cols, after, i) {
			it.left = append(it.left, fs.f.Key)
			continue
		}
		v := it.sh.valueOf(before, i)
		if fs.f.Personal && before[fs.off] != nil {
			var err error
			if v, err = w.s.openValue(it.sh, &Row{ID: it.id, Cols: before}, i, w.keys[it.sh.subject(it.old)]); err != nil {
				it.left = append(it.left, fs.f.Key)
				continue
			}
		}
		it.values[i], it.set[i] = v, true
	}
	if len(it.left) == len(fields) {
		it.fail(changed)
	}
}

// holds reports whether a field of a row has the stored value of an image.
func (sh *shape) holds(cols, image []any, i int) bool {
	fs := &sh.fields[i]
	all := sh.obj.Columns()
	for c := fs.off; c < fs.off+fs.n; c++ {
		if !kept(all[c].Role) {
			continue
		}
		a, b := cols[c], image[c]
		if x, ok := a.([]byte); ok {
			y, ok := b.([]byte)
			if !ok || !bytes.Equal(x, y) {
				return false
			}
			continue
		}
		if _, ok := b.([]byte); ok || a != b {
			return false
		}
	}
	return true
}

// Key names a record and the version it has.
type Key struct {
	ID      id.ID
	Version int64
}

// Keyer is what a store may offer to read many keys at once.
type Keyer interface {
	// Keys reads the keys of all rows of a selection in its order, in portions; After, Offset and Limit are not looked at.
	Keys(ctx context.Context, obj *schema.Object, sel Selection, fn func([]Key) error) error
}

// keysAtOnce is about how many keys a portion of Keys has.
const keysAtOnce = 1000

// Keys reads the keys of everything that a query finds, in its order, on one snapshot and in portions, without any bound.
// A search text finds all records that it fits; without an order they come by id. fn must not write to this Service from
// within a transaction of its own; it may write otherwise.
func (s *Service) Keys(ctx context.Context, object string, q Query, fn func([]Key) error) error {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return err
	}
	q.Limit, q.Offset, q.Cursor, q.Total, q.Plain = 1, 0, "", "", false
	if len(q.Sort) == 0 {
		q.Sort = []schema.Sort{{Field: "id"}}
	}
	l, err := s.prepare(ctx, obj, &q)
	if err != nil {
		return err
	}
	l.search.limit = math.MaxInt32
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		if err := l.candidates(ctx, r); err != nil {
			return err
		}
		if err := l.sighted(ctx, r); err != nil {
			return err
		}
		if l.sel.IDs != nil && len(l.sel.IDs) == 0 {
			return nil
		}
		if k, ok := r.(Keyer); ok {
			return k.Keys(ctx, obj, l.sel, fn)
		}
		return l.pages(ctx, r, fn)
	})
	if err != nil {
		return fmt.Errorf("read keys of %s: %w", obj.Key, err)
	}
	return nil
}

// pages is Keys for a store that offers no Keyer.
func (l *listing) pages(ctx context.Context, r Reader, fn func([]Key) error) error {
	l.sel.Limit = keysAtOnce
	for {
		rows, err := r.Select(ctx, l.sh.obj, l.sel)
		if err != nil || len(rows) == 0 {
			return err
		}
		keys := make([]Key, len(rows))
		for i := range rows {
			keys[i] = Key{rows[i].ID, rows[i].Version}
		}
		if err := fn(keys); err != nil || len(rows) < keysAtOnce {
			return err
		}
		l.sel.After = nil
		for _, k := range keyset(l.sel.Sort) {
			l.sel.After = append(l.sel.After, sortValue(l.sh.obj, &rows[len(rows)-1], k.Field))
		}
	}
}

// CheckInput refuses an input that an update of no record could take. What depends on the record is not asked.
func (s *Service) CheckInput(ctx context.Context, object string, in Input, assign bool) error {
	obj, err := s.object(ctx, object, updating(assign))
	if err != nil {
		return err
	}
	it, env, mode := &item{op: change.Update, sh: s.shape(obj), in: in}, s.Env(ctx), writeMode{mass: true, operation: assign}
	if s.parse(ctx, it, &mode, &env); it.ok() {
		if err := s.checkUsers(ctx, []*item{it}); err != nil {
			return err
		}
		require(it)
		for _, i := range it.sh.filed {
			if it.values[i] != nil { // a file belongs to one record
				f := it.sh.fields[i].f
				it.fail(fault.InvalidField("record.file_of_one", "fields."+f.Key, fault.Params{"field": f.Key, "label": f.Label}))
			}
		}
		for i := range it.deltas { // a value that is worked out later is there
			it.bad = slices.DeleteFunc(it.bad, func(b *fault.Fault) bool { return b.Field == "fields."+it.sh.fields[i].f.Key })
		}
		if len(it.bad) == 0 {
			it.bad = nil
		}
	}
	return it.err()
}

func updating(assign bool) access.Right {
	if assign {
		return access.RecordAssign
	}
	return access.RecordUpdate
}

// Outlook is what an update would make of a record.
type Outlook struct {
	*Record
	After  map[string]any // the fields that the input names, canonical; nil for no value
	Titles map[string]Ref // of what After points at
	Same   bool           // nothing would change
	Err    error
}

// Foresee works out what an update would make of some records without writing anything. Rules that need a transaction
// (unique values, hooks, what relations point at) are not asked.
func (s *Service) Foresee(ctx context.Context, object string, ids []id.ID, in Input, assign bool) ([]Outlook, error) {
	obj, err := s.object(ctx, object, updating(assign))
	if err != nil {
		return nil, err
	}
	fields := make([]string, 0, len(in))
	for k := range in {
		if obj.Field(k) != nil {
			fields = append(fields, k)
		}
	}
	recs, err := s.GetMany(ctx, object, ids, fields)
	if err != nil {
		return nil, err
	}
	sh, env, mode := s.shape(obj), s.Env(ctx), writeMode{mass: true, operation: assign}
	out := make([]Outlook, 0, len(recs))
	for _, r := range recs {
		it := &item{op: change.Update, sh: sh, id: r.ID, in: in}
		if s.parse(ctx, it, &mode, &env); it.ok() {
			if err := s.checkUsers(ctx, []*item{it}); err != nil {
				return nil, err
			}
		}
		o := Outlook{Record: r, After: map[string]any{}, Same: true}
		for i, d := range it.deltas {
			f := sh.fields[i].f
			v, bad := d.apply(f, r.Values[f.Key], &env)
			if bad != nil {
				it.fail(bad)
			}
			it.values[i], it.set[i] = v, true
		}
		if it.ok() {
			require(it)
		}
		o.Err = it.err()
		var refs []Ref
		for i := range sh.fields {
			if f := sh.fields[i].f; it.set != nil && it.set[i] {
				o.After[f.Key] = it.values[i]
				_, masked := r.Masks[f.Key]
				o.Same = o.Same && !masked && (it.values[i] == nil && r.Values[f.Key] == nil || it.values[i] != nil && equal(r.Values[f.Key], it.values[i]))
				if v, ok := it.values[i].(id.ID); ok {
					target := f.Target
					if f.Type == schema.User {
						target = userObject
					}
					refs = append(refs, Ref{Object: target, ID: v, Title: f.Key})
				}
			}
		}
		if o.Titles, err = s.entitled(ctx, refs); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// entitled names references, each of which comes with the field it is of as its title.
func (s *Service) entitled(ctx context.Context, refs []Ref) (map[string]Ref, error) {
	if len(refs) == 0 {
		return nil, nil //nolint:nilnil // nothing to name
	}
	fields := make([]string, len(refs))
	for i := range refs {
		fields[i], refs[i].Title = refs[i].Title, ""
	}
	if err := s.Titles(ctx, refs); err != nil {
		return nil, err
	}
	out := make(map[string]Ref, len(refs))
	for i, r := range refs {
		out[fields[i]] = r
	}
	return out, nil
}

// Amender is what a store may offer to write the columns of rows that changed and no others, which spares it the indexes of the
// rest.
type Amender interface {
	// Amend writes some columns, by their place in Cols, with the version and who changed the row when. Each row must still have
	// version Version-1, else a Stale fault. ok is false, and nothing was written, where whole rows are as quick.
	Amend(ctx context.Context, obj *schema.Object, columns []int, rows []Row) (ok bool, err error)
}

// replace writes rows over what they were. Bulk work, which changes the same few columns of all, writes these alone.
func (w *writing) replace(ctx context.Context, sh *shape, items []*item) error {
	whole := make([]Row, 0, len(items))
	a, ok := w.tx.(Amender)
	if !ok || !w.mode.mass {
		for _, it := range items {
			whole = append(whole, it.row)
		}
		return w.tx.Replace(ctx, sh.obj, whole)
	}
	groups, order := map[string][]Row{}, []string{}
	columns := map[string][]int{}
	for _, it := range items {
		if it.row.DeletedAt != it.old.DeletedAt {
			whole = append(whole, it.row)
			continue
		}
		cols := differing(it.old.Cols, it.row.Cols)
		key := fmt.Sprint(cols)
		if columns[key] == nil {
			columns[key], order = cols, append(order, key)
		}
		groups[key] = append(groups[key], it.row)
	}
	for _, key := range order {
		ok, err := a.Amend(ctx, sh.obj, columns[key], groups[key])
		if err != nil {
			return err
		}
		if !ok {
			whole = append(whole, groups[key]...)
		}
	}
	return w.tx.Replace(ctx, sh.obj, whole)
}

// differing are the places at which two rows of columns are not the same.
func differing(a, b []any) []int {
	out := []int{}
	for i := range a {
		x, isBytes := a[i].([]byte)
		y, areBytes := b[i].([]byte)
		if isBytes && areBytes && bytes.Equal(x, y) || !isBytes && !areBytes && a[i] == b[i] {
			continue
		}
		out = append(out, i)
	}
	return out
}
