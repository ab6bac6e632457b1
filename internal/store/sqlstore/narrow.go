package sqlstore

import (
	"context"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// How many records of another object are few: to read what points at them and sort it costs less than to walk a list until a
// page is full of what points at one of them. Where the index of the relation alone answers, which holds the order of the list
// beside the relation, more are few: nothing but the page itself is read.
const (
	fewRelated = 2500
	fewCovered = 15000
)

// few is where a list begins. The zero value is its own order.
type few struct {
	// also is a further condition ("" for none), with its values.
	also string
	args []any
	// inner is " FROM … WHERE …" of the list's own table by the index of the relation alone, with the values args; it holds the
	// whole condition and can be ordered as the list is. "" where the rows must be read.
	inner string
}

// narrow looks for a condition over a relation that few records fulfil, as those in a small city, and says the same once more
// of the relation itself: it points at one of these. SQLite then begins with them, by the index of the relation; the condition
// as compiled begins with the list, which is right where many fulfil it. PostgreSQL's planner chooses by itself.
func (t *tx) narrow(ctx context.Context, obj *schema.Object, sel record.Selection) (few, error) {
	if sel.Where == nil || sel.IDs != nil || sel.Deleted || sel.Binned || t.c.Dialect().Name() != (dialect.SQLite{}).Name() {
		return few{}, nil
	}
	env := t.store.environment()
	if out, ok, err := t.inRegion(env, obj, sel); ok || err != nil {
		return out, err
	}
	for _, leaf := range conjuncts(sel.Where) {
		rel, target, there := related(env.Registry, obj, leaf)
		if target == nil {
			continue
		}
		f, err := compile.Records(env, target, there)
		if err != nil {
			return few{}, err
		}
		alone := leaf == only(sel.Where) && sel.Limits == nil && ordered(obj, leaf, sel.Sort)
		most := fewRelated
		if alone {
			most = fewCovered
		}
		those := " FROM " + dialect.Quote(target.Physical) + " t" + f.Joins + " WHERE t.deleted_at IS NULL AND (" + f.Where + ")"
		var n int64
		probe := "SELECT count(*) FROM (SELECT 1" + those + " LIMIT ?) n"
		if _, err := t.c.QueryRow(ctx, []any{&n}, probe, append(slices.Clone(f.Args), int64(most+1))...); err != nil {
			return few{}, err
		}
		if n > int64(most) {
			continue
		}
		if sel.Sure != nil {
			sel.Sure()
		}
		in := " AND t." + dialect.Quote(rel) + " IN (SELECT t.id" + those + ")"
		out := few{also: in, args: f.Args}
		if alone {
			// CROSS JOIN keeps SQLite from walking the list after all.
			out.inner = " FROM (SELECT t.id AS one" + those + ") n CROSS JOIN " + dialect.Quote(obj.Physical) + " t ON t." + dialect.Quote(rel) +
				" = n.one WHERE t.deleted_at IS NULL"
			out.also = ""
		}
		return out, nil
	}
	return few{}, nil
}

// inRegion takes the keys of a list that asks for regions alone, in its usual order, from their index, which holds both: those of a city are
// a range of codes, whose records would all be read to be sorted.
func (t *tx) inRegion(env compile.Env, obj *schema.Object, sel record.Selection) (few, bool, error) {
	leaf := only(sel.Where)
	f := obj.Field(leaf.Field)
	if f == nil || f.Type != schema.Region || f.Personal || !wantsIndex(obj, f) || sel.Limits != nil || leaf.Op != "in" && leaf.Op != "=" ||
		len(order(obj, f)) != 1 || len(sel.Sort) != 1 || sel.Sort[0].Field != obj.DefaultSort[0].Field {
		return few{}, false, nil
	}
	c, err := compile.Records(env, obj, leaf)
	if err != nil || c.Joins != "" {
		return few{}, false, err
	}
	return few{inner: " FROM " + dialect.Quote(obj.Physical) + " t WHERE t.deleted_at IS NULL AND (" + c.Where + ")", args: c.Args}, true, nil
}

// ordered reports whether the index of the relation that a leaf goes over holds what a list is sorted by.
func ordered(obj *schema.Object, leaf *query.Node, sorts []schema.Sort) bool {
	hop, _, _ := strings.Cut(leaf.Field, ".")
	by := order(obj, obj.Field(hop))
	return len(by) == 1 && len(sorts) == 1 && sorts[0].Field == obj.DefaultSort[0].Field
}

// only is the condition itself where "all" holds nothing else.
func only(n *query.Node) *query.Node {
	for n.Field == "" && len(n.All) == 1 {
		n = n.All[0]
	}
	return n
}

// conjuncts are the conditions that must all hold, as far as they stand side by side.
func conjuncts(n *query.Node) []*query.Node {
	if n.Field != "" {
		return []*query.Node{n}
	}
	var out []*query.Node
	for _, c := range n.All {
		out = append(out, conjuncts(c)...)
	}
	return out
}

// related reads a leaf as a condition on the object that a relation points at: "customer.city = …" of orders is "city = …" of
// customers. Only tests that an index answers, and that a record without the relation does not pass; target is nil for others.
func related(reg *schema.Registry, obj *schema.Object, leaf *query.Node) (column string, target *schema.Object, there *query.Node) {
	hop, field, ok := strings.Cut(leaf.Field, ".")
	if !ok || strings.Contains(field, ".") || !slices.Contains([]string{"=", "in", "between", "starts_with"}, leaf.Op) {
		return "", nil, nil
	}
	rel := obj.Field(hop)
	if rel == nil || rel.Type != schema.Relation {
		return "", nil, nil
	}
	other := reg.Object(rel.Target)
	if other == nil || other.Virtual {
		return "", nil, nil
	}
	if f := other.Field(field); f == nil || f.Personal || !wantsIndex(other, f) {
		return "", nil, nil
	}
	c, ok := obj.Column(hop, schema.Main)
	if !ok {
		return "", nil, nil
	}
	there = &query.Node{Field: field, Op: leaf.Op, Value: leaf.Value}
	return c.Name, other, there
}
