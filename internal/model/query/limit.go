package query

import (
	"slices"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Among holds where a stored integer is one of IDs, which are ascending and bound as one parameter however many there are:
// the people whose records somebody sees, the records shared with somebody. Nobody is among none. Trees that people write
// do not contain it; rights are made of it.
type Among struct {
	Slot Slot
	IDs  []int64
}

func (Among) expr() {}

func (a *Among) holds(v any) bool {
	n, ok := v.(int64)
	if !ok {
		return false
	}
	_, found := slices.BinarySearch(a.IDs, n)
	return found
}

// Limits are what a reader sees of records, as part of every question: Rows of those asked about, Of of those reached over
// relations or aggregated. nil Limits, nil Rows and nil from Of limit nothing.
type Limits struct {
	Rows Expr
	Of   func(obj *schema.Object) Expr
}

// Within is a checked condition under limits: the records themselves must lie within Rows, and a leaf about another record
// holds only where the reader sees that record, so that a filter tells nothing of what is out of sight. Traits and
// membership in segments are facts of the workspace and are asked as they are.
func (c *Checked) Within(l *Limits) *Checked {
	if l == nil {
		return c
	}
	out := *c
	if l.Of != nil {
		out.Root = l.narrow(c.Root)
	}
	if l.Rows != nil {
		out.Root = All{Items: []Expr{out.Root, l.Rows}}
	}
	return &out
}

func (l *Limits) narrow(e Expr) Expr {
	switch e := e.(type) {
	case All:
		return All{Items: l.narrowAll(e.Items)}
	case Any:
		return Any{Items: l.narrowAll(e.Items)}
	case Not:
		return Not{Item: l.narrow(e.Item)}
	case Leaf:
		return l.leaf(e)
	case Aggregated:
		e.Rows = l.rows(e.Rows)
		return e
	case NoRows:
		return NoRows{Rows: l.rows(e.Rows)}
	case Resumed:
		e.Rows = l.rows(e.Rows)
		return e
	}
	return e
}

func (l *Limits) narrowAll(items []Expr) []Expr {
	out := make([]Expr, len(items))
	for i, it := range items {
		out[i] = l.narrow(it)
	}
	return out
}

// leaf asks besides that every record on the way is in sight.
func (l *Limits) leaf(e Leaf) Expr {
	all := []Expr{e}
	for i, h := range e.Slot.Hops {
		if more := l.Of(h.Target); more != nil {
			all = append(all, Reached(more, e.Slot.Hops[:i+1]))
		}
	}
	if len(all) == 1 {
		return e
	}
	return All{Items: all}
}

func (l *Limits) rows(r Rows) Rows {
	if r.Where != nil {
		r.Where = l.narrow(r.Where)
	}
	if r.Event != "" {
		return r // whoever sees a customer sees what the customer did
	}
	more := l.Of(r.Object)
	switch {
	case more == nil:
	case r.Where == nil:
		r.Where = more
	default:
		r.Where = All{Items: []Expr{r.Where, more}}
	}
	return r
}

// Reached is an expression of groups and leaves over one object, asked of the record to which hops lead from another one.
// Where they lead nowhere it does not hold.
func Reached(e Expr, hops []Hop) Expr {
	last := hops[len(hops)-1].Target
	there := Leaf{Slot: Slot{Hops: hops, Object: last, Field: schema.System("id"), Role: schema.Main}, Test: Test{Kind: IsSet}}
	return All{Items: []Expr{there, reach(e, hops)}}
}

func reach(e Expr, hops []Hop) Expr {
	each := func(items []Expr) []Expr {
		out := make([]Expr, len(items))
		for i, it := range items {
			out[i] = reach(it, hops)
		}
		return out
	}
	switch e := e.(type) {
	case All:
		return All{Items: each(e.Items)}
	case Any:
		return Any{Items: each(e.Items)}
	case Not:
		return Not{Item: reach(e.Item, hops)}
	case Leaf:
		e.Slot.Hops = slices.Concat(hops, e.Slot.Hops)
		return e
	case Among:
		e.Slot.Hops = slices.Concat(hops, e.Slot.Hops)
		return e
	}
	return Any{} // nothing else is part of rights; what is not understood is not granted
}

// Paths are the ways over to-one relations that an expression of groups and leaves takes, so that whoever evaluates it in
// memory can read the records at their ends beforehand.
func Paths(e Expr) [][]Hop {
	var out [][]Hop
	var visit func(e Expr)
	add := func(hops []Hop) {
		if len(hops) > 0 {
			out = append(out, hops)
		}
	}
	visit = func(e Expr) {
		switch e := e.(type) {
		case All:
			for _, it := range e.Items {
				visit(it)
			}
		case Any:
			for _, it := range e.Items {
				visit(it)
			}
		case Not:
			visit(e.Item)
		case Leaf:
			add(e.Slot.Hops)
		case Among:
			add(e.Slot.Hops)
		}
	}
	visit(e)
	return out
}
