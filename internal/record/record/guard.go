package record

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Guard may hold writes back: until somebody has agreed to them, or since a process does not allow them. It is asked of every
// create, update and delete (an import that is taken back too) whatever door it came through, inside the transaction, after everything else was checked and
// before anything is stored.
type Guard interface {
	// Guard refuses writes through Pending.Refuse. It runs in the store's writer: no waiting.
	Guard(ctx context.Context, tx Reader, writes []*Pending) error
}

// Preparer is a Guard that keeps something in memory, which it brings up to date before a write begins: what a transaction sees may
// yet be taken back, and is not kept.
type Preparer interface {
	Prepare(ctx context.Context) error
}

func (s *Service) prepareGuards(ctx context.Context) error {
	for _, g := range s.guards {
		if p, ok := g.(Preparer); ok {
			if err := p.Prepare(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// RegisterGuard adds a guard; all must be added before the Service is used. They are asked in the order of adding, each of what
// the ones before let pass.
func (s *Service) RegisterGuard(g Guard) { s.guards = append(s.guards, g) }

// Pending is a write that is about to be stored.
type Pending struct {
	w  *writing
	it *item
	in []*item
}

// Op is Create, Update or Delete; to remove a record for good counts as deleting it.
func (p *Pending) Op() change.Op {
	if p.it.op == change.Purge {
		return change.Delete
	}
	return p.it.op
}

// Object is what the record is.
func (p *Pending) Object() *schema.Object { return p.it.sh.obj }

// ID is the record's.
func (p *Pending) ID() id.ID { return p.it.id }

// Version is the stored one, 0 of a new record.
func (p *Pending) Version() int64 {
	if p.it.old == nil {
		return 0
	}
	return p.it.old.Version
}

// Changed are the keys of the fields that will differ, without those that are worked out; of a new record those with a value.
func (p *Pending) Changed() []string {
	var out []string
	for i := range p.it.sh.fields {
		fs := &p.it.sh.fields[i]
		if fs.n == 0 || derived(fs.f) {
			continue
		}
		if p.it.op == change.Create && p.it.row.Cols[fs.off] != nil || p.it.op == change.Update && slices.Contains(p.it.dirty, i) {
			out = append(out, fs.f.Key)
		}
	}
	return out
}

// Derived reports a field that nobody writes: a formula or a sum over other records.
func derived(f *schema.Field) bool { return f.Rollup != nil || formula.Of(f) != nil }

// Value is what a field will hold; nil for none, for a personal field and for one that the object does not have.
func (p *Pending) Value(field string) any { return p.value(&p.it.row, field) }

// Old is what a field holds before the write, as Value gives it.
func (p *Pending) Old(field string) any {
	if p.it.old == nil {
		return nil
	}
	return p.value(p.it.old, field)
}

func (p *Pending) value(row *Row, field string) any {
	if field == "created_by" {
		if row.CreatedBy == 0 {
			return nil
		}
		return row.CreatedBy
	}
	i, ok := p.it.sh.index[field]
	if !ok || p.it.sh.fields[i].n == 0 || p.it.sh.fields[i].f.Personal || row.Cols == nil {
		return nil
	}
	return schema.Decode(p.it.sh.fields[i].f, p.it.sh.cols(row.Cols, i))
}

// Filled reports whether a field will have a value; it answers for personal fields too.
func (p *Pending) Filled(field string) bool {
	i, ok := p.it.sh.index[field]
	return ok && p.it.sh.fields[i].n > 0 && p.it.row.Cols != nil && p.it.row.Cols[p.it.sh.fields[i].off] != nil
}

// Holds asks a condition (query.ForRight) of the record as it will be; of one that is deleted, as it was. The fault is that of a
// condition that does not check.
func (p *Pending) Holds(ctx context.Context, where *query.Node) (bool, error) {
	if where == nil {
		return true, nil
	}
	c, err := query.Resolve(where, p.w.s.checkEnv(p.it.sh.obj))
	if err != nil {
		return false, err
	}
	j := p.w.s.judge(p.it.sh.obj, c.Root)
	for _, it := range p.in {
		if it.ok() && it.values != nil && it.row.Cols != nil {
			j.put(it.sh.obj.Key, &it.row)
		}
	}
	row := &p.it.row
	if p.Op() == change.Delete {
		row = p.it.old
	}
	if err := j.read(ctx, p.w.tx, []*Row{row}); err != nil {
		return false, err
	}
	return j.holds(row)
}

// Image is what the stored record holds in some fields, nil for all that are not worked out, in a form that two images of the
// same values share. A new record has none.
func (p *Pending) Image(fields []string) []byte {
	if p.it.old == nil {
		return nil
	}
	var at []int
	for i := range p.it.sh.fields {
		fs := &p.it.sh.fields[i]
		if fs.n > 0 && !derived(fs.f) && (fields == nil || slices.Contains(fields, fs.f.Key)) {
			at = append(at, i)
		}
	}
	return p.it.sh.image(p.it.old.Cols, at)
}

// Refuse keeps the write from being stored.
func (p *Pending) Refuse(f *fault.Fault) { p.it.fail(f) }

// asked reports a write that guards are asked about. What comes out of the recycle bin is as it was when it went there, and what lies in
// it is gone already.
func asked(it *item) bool {
	switch it.op {
	case change.Create, change.Update, change.Delete:
		return true
	case change.Purge:
		return it.old != nil && it.old.DeletedAt == 0
	}
	return false
}

// guard asks the guards about items that will be stored.
func (w *writing) guard(ctx context.Context, items []*item) error {
	for _, g := range w.s.guards {
		var list []*Pending
		for _, it := range items {
			if it.changed() && asked(it) {
				list = append(list, &Pending{w, it, items})
			}
		}
		if len(list) == 0 {
			return nil
		}
		if err := g.Guard(ctx, w.tx, list); err != nil {
			return err
		}
	}
	w.drop(items)
	return w.unclaim(ctx, items)
}

// Carry is a Create, Update, Delete or assignment (see Assign) with more in its transaction: an engine's own book-keeping, which
// commits with the record or not at all. It has the rights of the actor. Of a Delete the record is nil.
func (s *Service) Carry(ctx context.Context, op BatchOp, assign bool, then Then) (*Record, error) {
	right := rightFor(op.Op)
	if assign {
		right = access.RecordAssign
	}
	if op.Op != change.Create && op.Op != change.Update && op.Op != change.Delete {
		return nil, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.ImportRun)})
	}
	obj, err := s.object(ctx, op.Object, right)
	if err != nil {
		return nil, err
	}
	it := &item{op: op.Op, sh: s.shape(obj), id: op.ID, version: op.Version, in: op.Input, assign: assign}
	if op.Op == change.Create {
		it.id = 0
	}
	return s.one(ctx, it, []Option{func(m *writeMode) { m.operation, m.carried, m.then = assign, true, then }})
}

// CarryMany is Carry for creates, updates and deletes in one transaction, each with its own result: one that is refused leaves the others
// as they are. An error of the machine in any of them keeps all from being stored.
func (s *Service) CarryMany(ctx context.Context, ops []BatchOp, then Then) ([]BulkResult, error) {
	list, _, err := s.many(ctx, writeMode{carried: true, then: func(ctx context.Context, tx Tx, results []BulkResult) error {
		for i := range results {
			if f, ok := fault.Find(results[i].Err); results[i].Err != nil && (!ok || f.Kind == fault.Internal) {
				return results[i].Err
			}
		}
		if then == nil {
			return nil
		}
		return then(ctx, tx, results)
	}}, ops)
	return list, err
}

// Sketch is what an input would write, as the actor sees it: personal values and those of masked fields are masks, hidden
// fields are left out, as are values that cannot be read. before is an image of the record at some time (Pending.Image), nil
// for none. The title is what a new record of these values would be called.
func (s *Service) Sketch(ctx context.Context, object string, rec id.ID, in Input, before []byte) (changes []FieldChange, title string, err error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, "", err
	}
	sh, env := s.shape(obj), s.Env(ctx)
	var row *Row
	if rec != 0 {
		rows, err := s.readSeen(ctx, obj, []id.ID{rec}, true, access.Read)
		if err != nil {
			return nil, "", err
		}
		if len(rows) > 0 {
			row = &rows[0]
		}
	}
	old, held := sh.readImage(before)
	for i := range sh.fields {
		f := sh.fields[i].f
		given, named := in[f.Key]
		if !named || f.Type == schema.RelationMany {
			continue
		}
		ch, ok := sketched(f, given, env)
		if !ok {
			continue
		}
		if slices.Contains(held, i) {
			if ch.Before, err = s.formerly(ctx, sh, row, old, i); err != nil {
				return nil, "", err
			}
		}
		changes = append(changes, ch)
		if f.Key == obj.TitleField && ch.After != nil {
			title = schema.FormatText(f, ch.After, env)
			if text, ok := ch.After.(string); ok && ch.Masked {
				title = text
			}
		}
	}
	return inSight(changes, fieldsSeen(ctx, sh)), title, nil
}

// sketched is what a field would become; ok is false for a value that cannot be read.
func sketched(f *schema.Field, given any, env schema.ParseEnv) (ch FieldChange, ok bool) {
	ch = FieldChange{Field: f.Key, Masked: f.Personal}
	if text, is := given.(MaskedValue); is {
		ch.After, ch.Masked = string(text), true
		return ch, true
	}
	if given == nil {
		return ch, true
	}
	v, bad := schema.ParseJSON(f, given, env)
	if bad != nil {
		return ch, false
	}
	ch.After = v
	if f.Personal && v != nil {
		ch.After = schema.Mask(f, v, env)
	}
	return ch, true
}

// formerly is what an image says of a field; of a personal one its mask, which only whoever sees the record is shown.
func (s *Service) formerly(ctx context.Context, sh *shape, row *Row, old []any, i int) (any, error) {
	switch {
	case !sh.fields[i].f.Personal:
		return sh.valueOf(old, i), nil
	case old[sh.fields[i].off] == nil:
		return nil, nil //nolint:nilnil // no value is a value
	case row == nil:
		return masked, nil
	}
	key, err := s.historyKey(ctx, sh, row)
	if err != nil {
		return nil, err
	}
	env := s.Env(ctx)
	return s.maskOf(sh, row.ID, old, i, key, &env), nil
}

// MaskedValue stands in an input for a personal value that is kept no longer.
type MaskedValue string

// Masked replaces the personal values of an input by their masks, for what is kept of it when it was dealt with.
func (s *Service) Masked(ctx context.Context, object string, in Input) Input {
	obj := s.cfg.Registry().Object(object)
	if obj == nil {
		return Input{}
	}
	env, out := s.Env(ctx), Input{}
	for key, v := range in {
		f := obj.Field(key)
		if f == nil {
			continue
		}
		if _, is := v.(MaskedValue); f.Personal && v != nil && !is {
			text := masked
			if parsed, bad := schema.ParseJSON(f, v, env); bad == nil && parsed != nil {
				text = schema.Mask(f, parsed, env)
			}
			v = MaskedValue(text)
		}
		out[key] = v
	}
	return out
}

// CheckCondition refuses a condition that cannot be asked of one record as it is written (query.ForRight).
func (s *Service) CheckCondition(object string, where *query.Node) error {
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	_, err := query.Resolve(where, s.checkEnv(obj))
	return err
}
