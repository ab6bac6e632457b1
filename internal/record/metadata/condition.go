package metadata

import (
	"encoding/json"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// checkConditions says what is wrong with the conditions under which a field is shown or required, and takes away those that are null.
func checkConditions(reg *schema.Registry, obj *schema.Object, f *schema.Field) []*fault.Fault {
	var bad []*fault.Fault
	for member, raw := range map[string]*json.RawMessage{"shown_when": &f.ShownWhen, "required_when": &f.RequiredWhen} {
		if len(*raw) == 0 || string(*raw) == "null" {
			*raw = nil
			continue
		}
		if member == "required_when" && (f.ReadOnly || f.Computed() || f.Rollup != nil || f.Type == schema.AutoNumber || f.Type == schema.RelationMany) {
			bad = append(bad, fault.InvalidField("metadata.computed_member", member, nil))
			continue
		}
		if one := checkCondition(reg, obj, f.Key, *raw); one != nil {
			bad = append(bad, one.At(member))
		}
	}
	return bad
}

// checkCondition is the fault of a condition that cannot be asked of a record while it is filled in, nil for a good one.
func checkCondition(reg *schema.Registry, obj *schema.Object, self string, raw json.RawMessage) *fault.Fault {
	n, err := query.Parse(raw)
	if err == nil {
		err = query.Check(n, query.CheckEnv{Registry: reg, Object: obj.Key, Use: query.ForRight})
	}
	if err != nil {
		if f, ok := fault.Find(err); ok {
			return f
		}
		return fault.InvalidField("metadata.bad_condition", "", nil)
	}
	var bad *fault.Fault
	query.Walk(n, func(n *query.Node, _ string) bool {
		if n.Field == "" || bad != nil {
			return true
		}
		f, own := fieldAt(reg, obj, n.Field)
		switch {
		case f == nil:
		case own && f.Key == self:
			bad = fault.InvalidField("metadata.condition_self", "", nil)
		case f.Personal:
			bad = fault.InvalidField("metadata.condition_personal", "", fault.Params{"field": f.Label})
		case !steady(f):
			bad = fault.InvalidField("metadata.condition_far", "", fault.Params{"field": f.Label})
		}
		return true
	})
	return bad
}

// fieldAt follows "customer.level" to the field at its end; own reports one of the object itself. A part of a value
// ("amount.currency") is the field of the value.
func fieldAt(reg *schema.Registry, obj *schema.Object, path string) (f *schema.Field, own bool) {
	own = true
	for {
		key, rest, more := strings.Cut(path, ".")
		if f = obj.Field(key); f == nil || !more || f.Type != schema.Relation && f.Type != schema.User {
			return f, own
		}
		next := reg.Object(f.Target)
		if next == nil || next.Field(strings.SplitN(rest, ".", 2)[0]) == nil {
			return f, own
		}
		obj, path, own = next, rest, false
	}
}
