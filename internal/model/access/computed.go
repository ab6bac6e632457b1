package access

import (
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// FieldOf is Field of a field that may be computed: who does not see everything that it is worked out from does not see it. A
// formula that reaches other records, and a rollup of them, are for those who see all of those records, since the value is the
// same for everybody.
func (a Actor) FieldOf(object string, f *schema.Field) FieldAccess {
	own := a.Field(object, f.Key)
	if a.Held == nil || !f.Computed() && f.Rollup == nil {
		return own
	}
	hidden := func(object, field string) bool {
		x := a.Field(object, field)
		return x == FieldHidden || x == FieldMasked
	}
	if r := f.Rollup; r != nil {
		if a.Grant(r.Object, Read).Scope != All || hidden(r.Object, r.Via) || r.Field != "" && hidden(r.Object, r.Field) {
			return FieldHidden
		}
		if n, err := query.Parse(r.Where); len(r.Where) > 0 && (err != nil || asksHidden(n, r.Object, hidden)) {
			return FieldHidden
		}
		return own
	}
	p := formula.Of(f)
	if p == nil {
		return own
	}
	if slices.ContainsFunc(p.Uses, func(u formula.Use) bool { return hidden(u.Object, u.Field) }) {
		return FieldHidden
	}
	for _, ref := range p.Refs {
		for _, h := range ref.Hops {
			if a.Grant(h.Target.Key, Read).Scope != All {
				return FieldHidden
			}
		}
		if ref.Field.Rollup != nil && a.FieldOf(ref.Object.Key, ref.Field) == FieldHidden {
			return FieldHidden
		}
	}
	return own
}

func asksHidden(n *query.Node, object string, hidden func(object, field string) bool) bool {
	found := false
	query.Walk(n, func(n *query.Node, _ string) bool {
		key, _, _ := strings.Cut(n.Field, ".")
		found = found || n.Field != "" && hidden(object, key)
		return true
	})
	return found
}
