package record

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// ruleShape is a validation rule with what it reads of its own object.
type ruleShape struct {
	rule    *schema.Rule
	program *formula.Program
	reads   map[int]bool // positions of fields
}

func newRules(sh *shape, obj *schema.Object) []ruleShape {
	var out []ruleShape
	for _, r := range obj.Rules {
		p, _ := r.Program().(*formula.Program)
		if p == nil || r.Off {
			continue
		}
		s := ruleShape{r, p, map[int]bool{}}
		for _, u := range p.Uses {
			if i, ok := sh.index[u.Field]; ok && u.Object == obj.Key {
				s.reads[i] = true
			}
		}
		out = append(out, s)
	}
	return out
}

// validate asks the validation rules of the objects about the records as they will be. A new record must satisfy all of them, a
// changed one those that read a field that changed: who corrects something else is not kept from it by what was wrong before.
func (w *writing) validate(ctx context.Context, items []*item) error {
	for _, group := range byShape(items) {
		sh := group[0].sh
		if len(sh.rules) == 0 {
			continue
		}
		var asked []*item
		for _, it := range group {
			if it.ok() && (it.op == change.Create || it.op == change.Update && len(it.dirty) > 0) {
				asked = append(asked, it)
			}
		}
		if err := w.ask(ctx, sh, asked, items); err != nil {
			return err
		}
	}
	w.drop(items)
	return w.unclaim(ctx, items)
}

func (w *writing) ask(ctx context.Context, sh *shape, asked, all []*item) error {
	if len(asked) == 0 {
		return nil
	}
	rows := make([]Row, len(asked))
	for i, it := range asked {
		rows[i] = it.row
	}
	programs := make([]*formula.Program, len(sh.rules))
	for i := range sh.rules {
		programs[i] = sh.rules[i].program
	}
	c, err := w.s.computer(ctx, w.around(all), rows, programs)
	if err != nil {
		return err
	}
	for i, it := range asked {
		for _, r := range sh.rules {
			if r.concerns(it) && holdsFor(c, &rows[i], r.program) {
				it.fail(r.fault(sh))
			}
		}
	}
	return nil
}

// around reads rows as they will be: those that the same call writes before those in the store.
func (w *writing) around(items []*item) getter {
	return func(ctx context.Context, obj *schema.Object, ids []id.ID) ([]Row, error) {
		rows, err := w.tx.Get(ctx, obj, ids, false)
		if err != nil {
			return nil, err
		}
		fresh := map[id.ID]*item{}
		for _, it := range items {
			if it.ok() && it.sh.obj.Key == obj.Key && it.row.Cols != nil {
				fresh[it.id] = it
			}
		}
		for i := range rows {
			if it := fresh[rows[i].ID]; it != nil {
				rows[i] = it.row
				delete(fresh, it.id)
			}
		}
		for _, v := range ids {
			if it := fresh[v]; it != nil && it.op == change.Create {
				rows = append(rows, it.row)
			}
		}
		return rows, nil
	}
}

func (r *ruleShape) concerns(it *item) bool {
	if it.op == change.Create {
		return true
	}
	for _, i := range it.dirty {
		if r.reads[i] {
			return true
		}
	}
	return false
}

func holdsFor(c *computer, row *Row, p *formula.Program) bool {
	v := c.value(row, p)
	return v.OK && v.N != 0
}

func (r *ruleShape) fault(sh *shape) *fault.Fault {
	at := ""
	if r.rule.Field != "" {
		at = "fields." + r.rule.Field
	}
	return fault.InvalidField("record.rule", at, fault.Params{"message": r.rule.Message, "rule": r.rule.Key, "object": sh.obj.Key})
}

// Try says what a form asks while it is filled in: which rules values would break, which fields they hide and which they require.
// rec is 0 for a new record. Values that cannot be read are left out, and nothing is stored.
func (s *Service) Try(ctx context.Context, object string, rec id.ID, in Input) (Trial, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return Trial{}, err
	}
	sh := s.shape(obj)
	it, err := s.trialItem(ctx, sh, rec, in)
	if err != nil {
		return Trial{}, err
	}
	var out Trial
	if err := s.standingOf(ctx, sh, &it.row, &out); err != nil {
		return Trial{}, err
	}
	programs := make([]*formula.Program, len(sh.rules))
	for i := range sh.rules {
		programs[i] = sh.rules[i].program
	}
	c, err := s.computer(ctx, s.outside, []Row{it.row}, programs)
	if err != nil {
		return Trial{}, err
	}
	for _, r := range sh.rules {
		if r.concerns(it) && holdsFor(c, &it.row, r.program) {
			out.Problems = append(out.Problems, r.fault(sh))
		}
	}
	return out, nil
}

// trialItem is a record as it would be with some values.
func (s *Service) trialItem(ctx context.Context, sh *shape, rec id.ID, in Input) (*item, error) {
	obj := sh.obj
	it := &item{op: change.Create, sh: sh, id: rec, values: make([]any, len(sh.fields)), set: make([]bool, len(sh.fields))}
	it.row = Row{Cols: make([]any, sh.width)}
	w := s.writingOf(ctx, nil, &writeMode{})
	it.row.CreatedAt, it.row.CreatedAtDay = w.now.UnixMilli(), int64(w.day)
	it.row.UpdatedAt, it.row.UpdatedAtDay = it.row.CreatedAt, it.row.CreatedAtDay
	if rec != 0 {
		rows, err := s.readSeen(ctx, obj, []id.ID{rec}, true, access.Read)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return nil, notFound(obj, rec)
		}
		it.op, it.old, it.row = change.Update, &rows[0], rows[0]
		it.row.Cols = append([]any(nil), rows[0].Cols...)
	}
	env := s.Env(ctx)
	for key, v := range in {
		i, ok := sh.index[key]
		if !ok || sh.fields[i].n == 0 || sh.fields[i].f.Personal || access.From(ctx).FieldOf(obj.Key, sh.fields[i].f) == access.FieldHidden {
			continue
		}
		value, bad := schema.ParseJSON(sh.fields[i].f, v, env)
		if _, named := value.(schema.Key); bad != nil || named {
			continue
		}
		ok, err := s.tried(ctx, sh.fields[i].f, value)
		if err != nil {
			return nil, err
		}
		if ok {
			it.values[i], it.set[i] = value, true
		}
	}
	if it.op == change.Create {
		s.complete(it, w)
	}
	for i := range it.set {
		if it.set[i] && !sh.fields[i].f.Personal {
			w.env.Day = clock.Day(w.day)
			schema.Encode(it.row.Cols[sh.fields[i].off:sh.fields[i].off], sh.fields[i].f, it.values[i], &w.env)
			it.dirty = append(it.dirty, i)
		}
	}
	return it, nil
}
