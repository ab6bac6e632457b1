package record

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// item is one record on its way into the store.
type item struct {
	op        change.Op
	sh        *shape
	id        id.ID
	version   int64
	in        Input
	createdAt int64
	assign    bool         // gives the record another owner
	recalled  bool         // answered from an earlier run of the same request
	former    *FormerImage // what an update is to take back

	values []any  // canonical, aligned with shape.fields
	set    []bool // which of them the write names
	deltas map[int]*delta
	fills  []int     // fields that the write leaves where they have a value
	left   []string  // fields that were not put back
	ready  []bool    // which values of a new record stand in the row already, see writing.ahead
	day    clock.Day // that of the fact, as it was then
	old    *Row      // the row before, nil for a new record
	row    Row       // the row after
	dirty  []int     // fields that changed
	claims []claim
	frees  []claim
	as     change.Op     // what the change log calls it, when not op
	note   []change.Note // kept with the change
	adopts []id.ID       // files of other records that a merge brings along
	// uploads: takes files that no record had before, whose keys are sealed for it
	uploads bool
	bad     []*fault.Fault
}

// claim is a unique key of a field, or of a unique rule behind the fields (shape.keyField).
type claim struct {
	field int
	key   string
}

func (it *item) fail(f *fault.Fault) { it.bad = append(it.bad, f) }

func (it *item) ok() bool { return it.bad == nil }

// give sets a value that the input did not.
func (it *item) give(i int, v any) {
	it.values[i], it.set[i] = v, true
	if it.ready != nil && it.ready[i] {
		clear(it.sh.cols(it.row.Cols, i))
		it.ready[i] = false
	}
}

// err is nil, the single fault, or one over all of them.
func (it *item) err() error {
	if it.bad == nil {
		return nil
	}
	for _, f := range it.bad { // a fault of another kind than Invalid says more than the fields do
		if f.Kind != fault.Invalid {
			return f
		}
	}
	return fault.Join("record.invalid", it.bad)
}

// changed reports whether the item wrote a row.
func (it *item) changed() bool {
	return it.ok() && (it.op != change.Update || len(it.dirty) > 0 || it.as != "")
}

// parse reads the input of an item and everything that can be said about it without the store.
func (s *Service) parse(ctx context.Context, it *item, mode *writeMode, env *schema.ParseEnv) {
	sh := it.sh
	if sh.err != nil {
		it.fail(fault.Wrap(fault.Internal, "record.bad_default", sh.err))
		return
	}
	if offered(sh.obj, it.op, mode) {
		it.fail(fault.New(fault.Conflict, "record.not_offered", fault.Params{"object": sh.obj.Key, "label": sh.obj.Label, "operation": string(it.op)}))
		return
	}
	if it.op != change.Create && it.op != change.Update {
		return
	}
	it.values, it.set = make([]any, len(sh.fields)), make([]bool, len(sh.fields))
	for key, v := range it.in {
		i, ok := sh.index[key]
		if !ok {
			it.fail(fault.InvalidField("record.unknown_field", "fields."+key, fault.Params{"field": key}))
			continue
		}
		f := sh.fields[i].f
		code := closed(access.From(ctx), sh.obj, f, mode.operation)
		if code == "" {
			code = locked(f, it.op, mode)
		}
		if code != "" {
			it.fail(fault.InvalidField(code, "fields."+key, fault.Params{"field": key, "label": f.Label}))
			continue
		}
		switch d := v.(type) {
		case Delta:
			it.relative(i, d, env)
			continue
		case Former:
			continue
		case Fill:
			if v = d.Value; it.op == change.Update {
				it.fills = append(it.fills, i)
			}
		}
		value, bad := schema.ParseJSON(f, v, *env)
		if bad != nil {
			it.fail(bad)
			continue
		}
		it.values[i], it.set[i] = value, true
	}
	if !it.ok() { // the item goes no further: say what else is missing, as far as defaults cannot fill it
		require(it)
	}
}

// relative notes a value that depends on the row.
func (it *item) relative(i int, d Delta, env *schema.ParseEnv) {
	if it.op != change.Update {
		f := it.sh.fields[i].f
		it.fail(fault.InvalidField("record.delta_type", "fields."+f.Key, fault.Params{"field": f.Key, "label": f.Label}))
		return
	}
	read, bad := parseDelta(it.sh.fields[i].f, d, env)
	if bad != nil {
		it.fail(bad)
		return
	}
	if it.deltas == nil {
		it.deltas = map[int]*delta{}
	}
	it.deltas[i] = read
}

// offered reports an operation that an object does not have.
func offered(obj *schema.Object, op change.Op, mode *writeMode) bool {
	if mode.operation {
		return false
	}
	switch op {
	case change.Create:
		return obj.NoCreate && !mode.bulk
	case change.Update:
		return obj.NoUpdate && !mode.bulk
	}
	return obj.NoDelete
}

// locked says why a write may not name a field: derived and read-only fields are nobody's to write, and what belongs to
// an operation may be given at the beginning but not changed.
func locked(f *schema.Field, op change.Op, mode *writeMode) string {
	switch {
	case f.Type == schema.RelationMany:
		return "record.read_only"
	case mode.operation:
		return ""
	case f.ReadOnly:
		return "record.read_only"
	case f.OperationOnly && op == change.Update && !mode.bulk:
		return "record.operation_only"
	}
	return ""
}

// complete fills defaults of a new record.
func (s *Service) complete(it *item, w *writing) {
	if it.op != change.Create {
		return
	}
	for _, i := range it.sh.defaults {
		if it.set[i] {
			continue
		}
		fs := &it.sh.fields[i]
		v := fs.deflt
		if fs.now {
			v = any(w.now)
			if fs.f.Type == schema.Date {
				v = clock.DayOf(w.now, w.zone)
			}
		}
		it.give(i, v)
	}
	w.own(it)
}

// require checks that required fields have a value after the write.
func require(it *item) {
	for _, i := range it.sh.required {
		f := it.sh.fields[i].f
		if fs := &it.sh.fields[i]; f.Type == schema.AutoNumber || !it.set[i] && (fs.now || fs.deflt != nil) {
			continue
		}
		if it.op == change.Create && it.values[i] == nil || it.op == change.Update && it.set[i] && it.values[i] == nil {
			if !slices.ContainsFunc(it.bad, func(b *fault.Fault) bool { return b.Field == "fields."+f.Key }) {
				it.fail(fault.InvalidField("record.required", "fields."+f.Key, fault.Params{"field": f.Key, "label": f.Label}))
			}
		}
	}
}

// runHooks lets the rules of the object see and change the item.
func (s *Service) runHooks(ctx context.Context, it *item, tx Reader) error {
	hooks := s.hooks[it.sh.obj.Key]
	if len(hooks) == 0 || it.op != change.Create && it.op != change.Update {
		return nil
	}
	c := &Change{Op: it.op, Object: it.sh.obj, ID: it.id, Tx: tx, it: it}
	for _, h := range hooks {
		if h.BeforeWrite == nil {
			continue
		}
		if err := h.BeforeWrite(ctx, c); err != nil {
			f, ok := fault.Find(err)
			if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
				return err
			}
			it.fail(f)
		}
	}
	return nil
}
