package formula

import (
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Broken is a computed field whose formula does not hold against the registry.
type Broken struct {
	Object   *schema.Object
	Field    *schema.Field // nil for a rule
	Rule     *schema.Rule
	Problems []Problem
}

// Name tells broken ones apart.
func (b Broken) Name() string {
	if b.Rule != nil {
		return b.Object.Key + " rule " + b.Rule.Key
	}
	return b.Object.Key + " " + b.Field.Key
}

// Fault names the field or the rule beside what is wrong with its formula.
func (b Broken) Fault() *fault.Fault {
	p := b.Problems[0]
	f := p.Fault()
	if b.Rule != nil {
		return &fault.Fault{Kind: fault.Conflict, Code: "formula.rule_would_break", Cause: f, Params: fault.Params{"object": b.Object.Label, "rule": b.Rule.Message}}
	}
	return &fault.Fault{Kind: fault.Invalid, Code: "formula.would_break", Field: "formula", Cause: f,
		Params: fault.Params{"object": b.Object.Label, "field": b.Field.Label}}
}

// LinkAll makes the programs of all computed fields and validation rules of a registry that nobody uses yet. A field whose formula does not hold is
// reported and stays without a program: its values are blank, and the workspace opens.
func LinkAll(reg *schema.Registry) []Broken {
	l := &linker{reg: reg, state: map[*schema.Field]int{}}
	for _, o := range reg.Objects() {
		for _, f := range o.Fields {
			if f.Formula != "" {
				l.link(o, f)
			}
		}
	}
	for _, o := range reg.Objects() {
		for _, r := range o.Rules {
			p, bad := CheckRule(r.When, CheckEnv{Registry: reg, Object: o})
			if bad != nil {
				l.broken = append(l.broken, Broken{Object: o, Rule: r, Problems: bad})
				continue
			}
			r.SetProgram(p)
		}
	}
	return l.broken
}

type linker struct {
	reg    *schema.Registry
	state  map[*schema.Field]int // 1 being linked, 2 done
	broken []Broken
}

// link makes the program of a field; ok is false while it is being made: a circle.
func (l *linker) link(o *schema.Object, f *schema.Field) (*Program, bool) {
	switch l.state[f] {
	case 1:
		return nil, false
	case 2:
		return Of(f), true
	}
	l.state[f] = 1
	p, bad := Check(f.Formula, CheckEnv{Registry: l.reg, Object: o, Self: f.Key, linking: l.link})
	l.state[f] = 2
	if bad == nil {
		bad = p.Settle(l.reg, f)
	}
	if bad != nil {
		l.broken = append(l.broken, Broken{Object: o, Field: f, Problems: bad})
		return nil, true
	}
	f.SetProgram(p)
	return p, true
}

// Settle fits a program to the field that shows it: the result is rounded to the field's decimals, and options and targets are
// those of what it mirrors. A problem is returned when the field is of a type that cannot show the result.
func (p *Program) Settle(reg *schema.Registry, f *schema.Field) []Problem {
	t := p.Root.Type
	if !fitsType(t, f.Type) {
		return []Problem{*problem("other_type", 0, len([]rune(f.Formula)), fault.Params{"type": string(t.FieldType()), "field": f.Label})}
	}
	switch t.Kind {
	case Number:
		want := f.Scale
		switch f.Type {
		case schema.Percent:
			want += 2
		case schema.Duration, schema.Rating:
			want = 0
		}
		p.Root = rescale(p.Root, want, "round")
	case Choice, List:
		f.Options = t.Options
	case Link:
		reg.Aim(f, t.Target)
	}
	return nil
}

// fitsType reports whether a field type shows results of a type. Every number can be a number, a percentage or a duration.
func fitsType(t Type, f schema.Type) bool {
	if t.Kind == Number {
		return f == schema.Number || f == schema.Percent || f == schema.Duration || f == schema.Rating && t.Source == schema.Rating
	}
	return t.FieldType() == f
}

// basis is the column by which values of a kind are compared and sorted.
func basis(k Kind) schema.Role {
	if k == Money {
		return schema.Base
	}
	return schema.Main
}

// Users are the computed fields that read a field, themselves or through others.
func Users(reg *schema.Registry, object, field string) []schema.Reference {
	var out []schema.Reference
	for _, o := range reg.Objects() {
		for _, f := range o.Fields {
			p := Of(f)
			if p == nil {
				continue
			}
			for _, u := range p.Uses {
				if u.Object == object && u.Field == field {
					out = append(out, schema.Reference{Object: o, Field: f})
				}
			}
		}
	}
	return out
}
