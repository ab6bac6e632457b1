package metadata

import (
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// checkRollup says what is wrong with a rollup, and gives the field the type of its result.
func checkRollup(reg *schema.Registry, obj *schema.Object, f *schema.Field) []*fault.Fault {
	r := f.Rollup
	child := reg.Object(r.Object)
	if child == nil || child.Virtual {
		return []*fault.Fault{fault.InvalidField("metadata.target_unknown", "rollup.object", fault.Params{"object": r.Object})}
	}
	via := child.Field(r.Via)
	if via == nil || via.Type != schema.Relation || via.Target != obj.Key || via.Computed() {
		return []*fault.Fault{fault.InvalidField("metadata.bad_via", "rollup.via", fault.Params{"field": r.Via, "object": r.Object})}
	}
	if !slices.Contains(schema.RollupFuncs(), r.Func) {
		return []*fault.Fault{fault.InvalidField("metadata.rollup_func", "rollup.func", fault.Params{"value": r.Func})}
	}
	var bad []*fault.Fault
	for member, given := range map[string]bool{"required": f.Required, "unique": f.Unique, "personal": f.Personal, "default": f.Default != nil, "searchable": f.Searchable} {
		if given {
			bad = append(bad, fault.InvalidField("metadata.computed_member", member, nil))
		}
	}
	bad = append(bad, rollupSource(reg, obj, child, f), rollupOrder(child, r), rollupWhere(reg, child, r))
	f.ReadOnly, f.Pinyin = true, false
	return slices.DeleteFunc(bad, func(b *fault.Fault) bool { return b == nil })
}

// rollupSource checks what is summed up and takes the type of the result from it.
func rollupSource(reg *schema.Registry, obj, child *schema.Object, f *schema.Field) *fault.Fault {
	r := f.Rollup
	if r.Func == "count" {
		r.Field, f.Type, f.Scale = "", schema.Number, 0
		return nil
	}
	src := child.Field(r.Field)
	ordered := r.Func == "first" || r.Func == "last"
	switch {
	case src == nil || src.Hidden || schema.System(r.Field) == src && src.Type != schema.DateTime:
		return fault.InvalidField("metadata.field_unknown", "rollup.field", fault.Params{"field": r.Field})
	case src.Personal, !steady(src), src.Computed() && ordered, !rollable(src.Type, r.Func):
		return fault.InvalidField("metadata.rollup_field", "rollup.field", fault.Params{"field": src.Label})
	case leadsTo(reg, child, src, obj.Key, f.Key, 0):
		return fault.InvalidField("metadata.rollup_cycle", "rollup.field", fault.Params{"field": src.Label})
	}
	f.Type, f.Scale, f.Max = src.Type, src.Scale, src.Max
	if r.Func == "avg" {
		switch src.Type {
		case schema.Number, schema.Percent:
			f.Scale = min(src.Scale+2, 6)
		case schema.Rating:
			f.Type, f.Scale, f.Max = schema.Number, 2, 0
		}
	}
	f.Options, f.Target = nil, ""
	if ordered {
		f.Options, f.Target = src.Options, src.Target
		if src.Type == schema.AutoNumber {
			f.Type = schema.Text
		}
	}
	return nil
}

// steady reports a field whose value changes only when its own record is written.
func steady(f *schema.Field) bool {
	if !f.Computed() {
		return true
	}
	p := formula.Of(f)
	return p != nil && !p.Volatile && !slices.ContainsFunc(p.Refs, func(r *formula.Ref) bool { return len(r.Hops) > 0 })
}

func rollable(t schema.Type, fn string) bool {
	switch t {
	case schema.Number, schema.Money, schema.Percent, schema.Duration, schema.Rating:
		return true
	case schema.Date, schema.DateTime:
		return fn != "sum" && fn != "avg"
	case schema.Text, schema.LongText, schema.URL, schema.Choice, schema.MultiChoice, schema.Tags, schema.Bool, schema.Relation, schema.User, schema.Region,
		schema.AutoNumber, schema.Phone, schema.Email:
		return fn == "first" || fn == "last"
	}
	return false
}

// leadsTo reports whether a field is worked out from another one, over any number of rollups and formulas.
func leadsTo(reg *schema.Registry, o *schema.Object, f *schema.Field, object, field string, depth int) bool {
	if o.Key == object && f.Key == field || depth > 50 {
		return true
	}
	if f.Rollup != nil {
		child := reg.Object(f.Rollup.Object)
		if child == nil || child.Field(f.Rollup.Field) == nil {
			return false
		}
		return leadsTo(reg, child, child.Field(f.Rollup.Field), object, field, depth+1)
	}
	if p := formula.Of(f); p != nil {
		for _, u := range p.Uses {
			if o := reg.Object(u.Object); o != nil && o.Field(u.Field) != nil && leadsTo(reg, o, o.Field(u.Field), object, field, depth+1) {
				return true
			}
		}
	}
	return false
}

func rollupOrder(child *schema.Object, r *schema.Rollup) *fault.Fault {
	if r.Func != "first" && r.Func != "last" {
		r.By = ""
		return nil
	}
	if r.By == "" {
		return nil
	}
	by := child.Field(r.By)
	if by == nil || by.Computed() {
		return fault.InvalidField("metadata.field_unknown", "rollup.by", fault.Params{"field": r.By})
	}
	switch by.Type {
	case schema.Date, schema.DateTime, schema.Number, schema.Money, schema.Rating, schema.Percent, schema.Duration:
		return nil
	}
	return fault.InvalidField("metadata.rollup_by", "rollup.by", fault.Params{"field": by.Label})
}

// rollupWhere checks a condition that holds or not by the record's own fields, whatever the time.
func rollupWhere(reg *schema.Registry, child *schema.Object, r *schema.Rollup) *fault.Fault {
	if len(r.Where) == 0 || string(r.Where) == "null" {
		r.Where = nil
		return nil
	}
	n, err := query.Parse(r.Where)
	if err == nil {
		err = query.Check(n, query.CheckEnv{Registry: reg, Object: child.Key, Use: query.ForRight})
	}
	if err != nil {
		if f, ok := fault.Find(err); ok {
			return f.At("rollup.where")
		}
		return fault.InvalidField("metadata.rollup_where", "rollup.where", nil)
	}
	var bad *fault.Fault
	query.Walk(n, func(n *query.Node, _ string) bool {
		switch n.Op {
		case "within_last", "within_next", "anniversary_within":
			bad = fault.InvalidField("metadata.rollup_moving", "rollup.where", nil)
		}
		key, rest, _ := strings.Cut(n.Field, ".")
		f := child.Field(key)
		if n.Field != "" && (f == nil || f.Type == schema.Relation && rest != "" || !steady(f)) {
			bad = fault.InvalidField("metadata.rollup_far", "rollup.where", fault.Params{"field": n.Field})
		}
		return true
	})
	return bad
}

// rollupUsers are the rollups that read a field.
func rollupUsers(reg *schema.Registry, object, field string) []schema.Reference {
	var out []schema.Reference
	for _, o := range reg.Objects() {
		for _, f := range o.Fields {
			r := f.Rollup
			if r == nil || r.Object != object {
				continue
			}
			used := r.Via == field || r.Field == field || r.By == field
			if n, err := query.Parse(r.Where); len(r.Where) > 0 && err == nil {
				query.Walk(n, func(n *query.Node, _ string) bool {
					key, _, _ := strings.Cut(n.Field, ".")
					used = used || key == field
					return true
				})
			}
			if used {
				out = append(out, schema.Reference{Object: o, Field: f})
			}
		}
	}
	return out
}
