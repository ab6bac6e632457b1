package query

import (
	"maps"
	"slices"
	"strconv"
)

// Walk visits a node and all nodes below it, parents first, with the place of each as a JSON pointer. Returning false
// leaves out what is below a node.
func Walk(n *Node, visit func(n *Node, at string) bool) { walk(n, "", visit) }

func walk(n *Node, at string, visit func(*Node, string) bool) {
	if n == nil || !visit(n, at) {
		return
	}
	for _, g := range [...]struct {
		name string
		list []*Node
	}{{"/all/", n.All}, {"/any/", n.Any}, {"/sequence/", n.Sequence}} {
		for i, c := range g.list {
			walk(c, at+g.name+strconv.Itoa(i), visit)
		}
	}
	walk(n.Not, at+"/not", visit)
	walk(n.First, at+"/first", visit)
	walk(n.Stopped, at+"/stopped", visit)
	walk(n.Resumed, at+"/resumed", visit)
	walk(n.Where, at+"/where", visit)
	if n.Top != nil {
		walk(n.Top.Of, at+"/top/of", visit)
	}
}

// Negate is the complement of a node: it holds exactly where the node does not. A double "not" is removed and "in" of a
// segment becomes "not_in"; the node itself is not changed.
func Negate(n *Node) *Node {
	switch {
	case n.Kind() == "not":
		return n.Not
	case n.Kind() == "segment":
		c := *n
		c.Op = "not_in"
		if n.Op == "not_in" {
			c.Op = "in"
		}
		return &c
	}
	return &Node{Not: n}
}

// Opposite is the operator that, with the same value, holds for exactly those who have a value and for whom op does not
// hold; is_set and is_not_set split everyone. ok is false for operators that have none; Negate always works.
func Opposite(op string) (opposite string, ok bool) {
	pairs := [...][2]string{
		{"=", "!="}, {">", "<="}, {"<", ">="}, {"in", "not_in"}, {"contains", "not_contains"}, {"is_set", "is_not_set"},
		{"after", "<="}, {"before", ">="},
	}
	for _, p := range pairs {
		switch op {
		case p[0]:
			return p[1], true
		case p[1]:
			return p[0], true
		}
	}
	return "", false
}

// Needs is what the answer of a condition depends on, read off the tree without metadata.
type Needs struct {
	Fields   map[string][]string // object key → paths as written, sorted
	Traits   []string
	Objects  []string // whose records are aggregated, sorted
	Segments []string // named directly; their own needs are not included
	Time     bool     // the answer can change as time passes, without any write
	Events   bool     // names an event, a sequence or a list
}

// Dependencies tells what a condition over records of an object depends on: a change elsewhere cannot change its answer.
func Dependencies(n *Node, object string) Needs {
	d := &needs{fields: map[string]map[string]bool{}, traits: map[string]bool{}, objects: map[string]bool{}, segments: map[string]bool{}}
	d.collect(n, object)
	out := Needs{Fields: map[string][]string{}, Traits: sorted(d.traits), Objects: sorted(d.objects), Segments: sorted(d.segments), Time: d.time, Events: d.events}
	for o, fs := range d.fields {
		out.Fields[o] = sorted(fs)
	}
	return out
}

func sorted(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

type needs struct {
	fields                    map[string]map[string]bool
	traits, objects, segments map[string]bool
	time, events              bool
}

func (d *needs) field(object, path string) {
	if d.fields[object] == nil {
		d.fields[object] = map[string]bool{}
	}
	d.fields[object][path] = true
}

func (d *needs) collect(n *Node, object string) {
	Walk(n, func(n *Node, _ string) bool {
		switch n.Kind() {
		case "field":
			d.field(object, n.Field)
			d.time = d.time || relative(n.Op)
		case "trait":
			d.traits[n.Trait] = true
			d.time = d.time || relative(n.Op)
		case "record":
			d.objects[n.Record] = true
			if n.Aggregate != nil && n.Aggregate.Field != "" {
				d.field(n.Record, n.Aggregate.Field)
			}
			d.time = d.time || relative(n.Op) || n.Within.moves()
			d.collect(n.Where, n.Record)
			return false
		case "first":
			d.time = d.time || n.Within.moves()
		case "stopped", "resumed":
			d.time = true
		case "segment":
			d.segments[n.Segment] = true
		case "top":
			d.traits[n.Top.Trait] = true
		case "event", "sequence", "list":
			d.events = true
			d.time = d.time || n.Within.moves()
			return false
		}
		return true
	})
}

func relative(op string) bool {
	return op == "within_last" || op == "within_next" || op == "anniversary_within"
}

// moves reports whether a window moves with the clock.
func (w *Window) moves() bool { return w != nil && (w.Days.Set || w.Hours > 0) }
