package transfer

import (
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
)

// relation is a relation of the object, with the columns that name its record.
type relation struct {
	field   *schema.Field
	target  *schema.Object // nil for a person
	finders []finder       // the surest first
	missing string
}

// finder is a column by which the record of a relation is found.
type finder struct {
	value int
	title bool // the column is the title of the record: asked only when no other column of the row names it
	in    []*index
}

// relate adds a mapped value to its relation.
func (p *plain) relate(i int) {
	reg := p.svc.cfg.Registry()
	v := &p.plan.Values[i]
	p.related[i] = true
	field := v.Field
	if v.Via != "" {
		field = p.obj.Field(v.Via)
	}
	at := slices.IndexFunc(p.relations, func(rel *relation) bool { return rel.field == field })
	if at < 0 {
		at = len(p.relations)
		p.relations = append(p.relations, &relation{field: field, target: reg.Object(field.Target)})
	}
	rel := p.relations[at]
	if v.Missing == mapping.MissingCreate || rel.missing == "" || rel.missing == mapping.MissingError {
		rel.missing = v.Missing
	}
	f := finder{value: i}
	switch {
	case field.Type == schema.User:
		rel.target = nil
		f.in = []*index{p.run.people(field)}
	case v.Via != "":
		f.in = []*index{p.by(rel.target, v.Field)}
		f.title = v.Field.Key == rel.target.TitleField && !v.Field.Unique
	default:
		f.in = findable(rel.target, p.by)
		if p.obj.Key == field.Target { // rows of the file itself, by what they are matched by
			for _, m := range p.matches {
				f.in = append([]*index{m.index}, slices.DeleteFunc(f.in, func(x *index) bool { return x == m.index })...)
			}
		}
	}
	rel.finders = append(rel.finders, f)
}

// order puts the surest columns of each relation first: unique fields, then phone numbers and addresses, then titles.
func (p *plain) order() {
	rank := func(f finder) int {
		v := &p.plan.Values[f.value]
		switch {
		case f.title:
			return 2
		case v.Field.Unique:
			return 0
		}
		return 1
	}
	for _, rel := range p.relations {
		slices.SortStableFunc(rel.finders, func(a, b finder) int { return rank(a) - rank(b) })
	}
}

// findable are the fields by which people name a record: the unique ones, then its title.
func findable(o *schema.Object, ix func(*schema.Object, *schema.Field) *index) []*index {
	var out []*index
	if o == nil || o.Virtual {
		return nil
	}
	for _, f := range o.Fields {
		if f.Unique {
			out = append(out, ix(o, f))
		}
	}
	if f := o.Field(o.TitleField); f != nil && !f.Unique && f.Type == schema.Text && schema.System(f.Key) == nil {
		out = append(out, ix(o, f))
	}
	return out
}

// want asks for what a row names.
func (rel *relation) want(w *row) {
	for _, f := range rel.finders {
		if t := w.text(f.value); t != nil {
			for _, x := range f.in {
				x.want(t)
			}
		}
	}
}

// point fills in related records; false when one is not found and the row may not go without. None is made for a row that does not
// go in.
func (p *plain) point(c *chunk, w *row, u *unit) bool {
	good := true
	var fresh []newcomer
	for _, rel := range p.relations {
		found, named, bad := p.find(rel, w)
		switch {
		case named < 0:
			continue
		case bad != nil:
		case found != 0:
			w.in[rel.field.Key] = found
			continue
		case rel.missing == mapping.MissingEmpty:
			continue
		case rel.missing == mapping.MissingCreate:
			var in record.Input
			if in, bad = p.draft(w, rel); bad == nil {
				fresh = append(fresh, newcomer{rel, in})
				continue
			}
		default:
			v := &p.plan.Values[named]
			bad = fault.New(fault.Invalid, "import.relation_not_found", fault.Params{"value": shownText(v, w.text(named))})
		}
		c.report(w.number, p.plan.Values[named].Header, bad)
		good = good && p.plan.Options.Lenient
	}
	if !good {
		return false
	}
	for _, m := range fresh {
		p.make(c, w, m, u)
	}
	return true
}

// newcomer is a related record that is to be made.
type newcomer struct {
	rel *relation
	in  record.Input
}

// find is the record that a row names; named is the value that says most of it, -1 when the row names none.
func (p *plain) find(rel *relation, w *row) (found id.ID, named int, bad *fault.Fault) {
	named = -1
	for _, f := range rel.finders {
		t := w.text(f.value)
		if t == nil || f.title && named >= 0 {
			continue
		}
		if named < 0 {
			named = f.value
		}
		v := &p.plan.Values[f.value]
		for _, x := range f.in {
			k := x.key(t)
			if k == "" {
				continue
			}
			if x.several[k] && (v.Via != "" || rel.target == nil) {
				return 0, f.value, fault.New(fault.Conflict, "import.relation_several", fault.Params{"value": shownText(v, t)})
			}
			if found, _ = x.find(k); found != 0 {
				return found, named, nil
			}
		}
		prefix := "usr"
		if rel.target != nil {
			prefix = rel.target.Prefix
		}
		if v.Via == "" {
			if n, err := id.Parse(prefix, string(t)); err == nil {
				return n, named, nil
			}
		}
	}
	return 0, named, nil
}

// draft is the record of a relation as the columns that name it say.
func (p *plain) draft(w *row, rel *relation) (record.Input, *fault.Fault) {
	in := record.Input{}
	var title string
	for _, f := range rel.finders {
		t := w.text(f.value)
		if t == nil {
			continue
		}
		v := &p.plan.Values[f.value]
		field := v.Field
		if v.Via == "" {
			field = rel.target.Field(rel.target.TitleField)
		}
		var bad *fault.Fault
		setValue(in, field, t, p.envs[f.value], func(f *fault.Fault) { bad = f })
		if bad != nil {
			return nil, bad
		}
		if title == "" && !field.Personal {
			title = string(t)
		}
	}
	if f := rel.target.Field(rel.target.TitleField); f != nil && f.Type == schema.Text && in[f.Key] == nil && title != "" {
		in[f.Key] = title
	}
	if rel.target.Key == "customer" {
		in["source"] = "import"
	}
	return in, nil
}

// make adds the operation that makes a related record. Rows that follow find it.
func (p *plain) make(c *chunk, w *row, m newcomer, u *unit) {
	rel := m.rel
	v := p.svc.cfg.Records.NewID()
	for _, f := range rel.finders {
		if t := w.text(f.value); t != nil {
			for _, x := range f.in {
				if have, _ := x.find(x.key(t)); have == 0 {
					x.put(t, v)
				}
			}
		}
	}
	w.in[rel.field.Key] = v
	u.needs = append(u.needs, c.add(-1, create(rel.target.Key, v, m.in)))
}

// shownText is a text for a report: short, and nothing of a personal field.
func shownText(v *mapping.Value, t []byte) string {
	if v.Field.Personal {
		return "…"
	}
	return clipText(string(t), 60)
}
