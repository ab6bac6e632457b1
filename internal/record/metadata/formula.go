package metadata

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// checkFormula says what is wrong with a computed field, and gives it the type of its result where it has none.
func checkFormula(reg *schema.Registry, obj *schema.Object, f *schema.Field) []*fault.Fault {
	p, problems := formula.Check(f.Formula, formula.CheckEnv{Registry: reg, Object: obj, Self: f.Key})
	if problems == nil {
		fill(f, p)
		if f.Scale < 0 || f.Scale > 6 {
			return []*fault.Fault{fault.InvalidField("metadata.bad_scale", "scale", fault.Params{"max": 6})}
		}
		problems = p.Settle(reg, f)
	}
	if problems != nil {
		var bad []*fault.Fault
		for _, one := range problems {
			bad = append(bad, one.Fault())
		}
		return bad
	}
	var bad []*fault.Fault
	for member, given := range map[string]bool{"required": f.Required, "unique": f.Unique, "indexed": f.Indexed, "personal": f.Personal, "searchable": f.Searchable,
		"default": f.Default != nil} {
		if given {
			bad = append(bad, fault.InvalidField("metadata.computed_member", member, nil))
		}
	}
	f.Formula, f.ReadOnly = p.Normal, true
	return bad
}

// fill takes type and decimals from the result.
func fill(f *schema.Field, p *formula.Program) {
	t := p.Root.Type
	if f.Type == "" {
		f.Type = t.FieldType()
		f.Scale = t.Scale
		if t.Source == "" { // a quotient has six decimals, which few want to read
			f.Scale = min(t.Scale, 2)
		}
		if f.Type == schema.Percent {
			f.Scale = max(f.Scale-2, 0)
		}
	}
	if t.Kind != formula.Number || f.Type == schema.Duration || f.Type == schema.Rating {
		f.Scale = 0
	}
	f.Options, f.Target = nil, ""
}

// compute applies what a change says of a formula.
func (c *FieldChange) compute(want *schema.Field) *fault.Fault {
	if c.Rollup != nil {
		if want.Rollup == nil {
			return fault.InvalidField("metadata.not_computed", "rollup", nil)
		}
		want.Rollup = c.Rollup
	}
	if c.Formula == nil && c.Type == "" && c.Scale == nil {
		return nil
	}
	if !want.Computed() {
		return fault.InvalidField("metadata.not_computed", "formula", nil)
	}
	if c.Formula != nil {
		want.Formula = *c.Formula
		if *c.Formula == "" {
			return fault.InvalidField("formula.empty", "formula", fault.Params{"from": 0, "to": 0})
		}
		want.Type = ""
	}
	if c.Type != "" {
		want.Type = c.Type
	}
	set(&want.Scale, c.Scale)
	return nil
}

// usedBy is the refusal to take away a field that computed fields read.
func usedBy(f *schema.Field, users []schema.Reference) *fault.Fault {
	zh, en := "", ""
	for i, u := range users {
		if i > 0 {
			zh, en = zh+"、", en+", "
		}
		zh += u.Object.Label.In("zh-CN") + "·" + u.Field.Label.In("zh-CN")
		en += u.Object.Label.In("en") + " · " + u.Field.Label.In("en")
	}
	return fault.New(fault.Conflict, "metadata.field_in_formula", fault.Params{"label": f.Label, "users": lang.Label{"zh-CN": zh, "en": en}})
}

// FormulaCheck is what can be said of a formula before it is saved.
type FormulaCheck struct {
	Field    schema.Field // with type, decimals, options and program of the result; of no use when there are problems
	Problems []formula.Problem
}

// CheckFormula checks the formula of a field that is being edited: its key when it exists already, its type when one was chosen.
func (s *Service) CheckFormula(ctx context.Context, reg *schema.Registry, object string, f schema.Field) (FormulaCheck, error) {
	if err := may(ctx); err != nil {
		return FormulaCheck{}, err
	}
	obj := reg.Object(object)
	if obj == nil || obj.Virtual {
		return FormulaCheck{}, fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
	}
	actor := access.From(ctx)
	p, problems := formula.Check(f.Formula, formula.CheckEnv{Registry: reg, Object: obj, Self: f.Key, Can: func(object, field string) bool {
		o := reg.Object(object)
		return o != nil && o.Field(field) != nil && actor.MayAsk(object, o.Field(field))
	}})
	if problems == nil {
		fill(&f, p)
		problems = p.Settle(reg, &f)
	}
	if problems != nil {
		return FormulaCheck{Problems: problems}, nil
	}
	f.Formula = p.Normal
	f.SetProgram(p)
	return FormulaCheck{Field: f}, nil
}
