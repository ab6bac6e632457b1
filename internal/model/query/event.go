package query

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// AnyEvent is the name in a condition that stands for every event.
const AnyEvent = "*"

// EventSlot is one value of an event: a column that every event has, or a property, read as the condition asks.
type EventSlot struct {
	Column   string // of the relation of events; "" for a property
	Property string
	Read     EventRead
}

// EventRead says how a property, whose type its sender decides, becomes a value. What cannot be read so has none.
type EventRead uint8

// The readings. A text that is written as a decimal number is a number too, and "true" and "false" are truths, since many
// senders quote everything.
const (
	ReadPresence EventRead = iota // anything but null
	ReadText                      // a text, a truth, or a whole number of up to 18 digits, as it is written
	ReadNumber                    // a number below 10^12, in ten-thousandths, halves up
	ReadTruth                     // true or false
	ReadKind                      // what tells values apart: texts, truths and numbers
)

// NumberScale is how many decimals of a number among properties are compared.
const NumberScale = 4

// eventColumns are the columns that conditions may name, by the key they have in a condition.
var eventColumns = map[string]struct {
	column string
	class  class
}{
	"$host": {"host", exactClass}, "$path": {"path", exactClass}, "$title": {"title", exactClass}, "$referrer_host": {"referrer_host", exactClass},
	"$channel": {"channel", exactClass}, "$utm_source": {"utm_source", exactClass}, "$utm_medium": {"utm_medium", exactClass},
	"$utm_campaign": {"utm_campaign", exactClass}, "$utm_term": {"utm_term", exactClass}, "$utm_content": {"utm_content", exactClass},
	"$device": {"device", exactClass}, "$browser": {"browser", exactClass}, "$os": {"os", exactClass}, "$language": {"language", exactClass},
	"$country": {"country", exactClass}, "$region": {"region", regionClass}, "$content": {"content", exactClass}, "$platform": {"platform", exactClass},
	"$kind": {"kind", exactClass}, "$dwell_ms": {"dwell_ms", numberClass}, "$amount": {"amount", moneyClass},
}

// EventColumn is a value that every event may have, as a condition names it.
type EventColumn struct {
	Key    string
	Column string
	Type   schema.Type // text, region, number or money (in minor units of the base currency)
}

// EventColumns are the values that every event may have, by key.
func EventColumns() []EventColumn {
	types := map[class]schema.Type{exactClass: schema.Text, regionClass: schema.Region, numberClass: schema.Number, moneyClass: schema.Money}
	var out []EventColumn
	for _, key := range slices.Sorted(maps.Keys(eventColumns)) {
		c := eventColumns[key]
		out = append(out, EventColumn{Key: key, Column: c.column, Type: types[c.class]})
	}
	return out
}

// EventFlagsApart are the flags (event.Flags) of events that conditions do not see: those of robots, and those of people who refused
// to be analysed.
const EventFlagsApart = 8 | 64

// Steps holds when events followed each other: one of each item, in this order, each later than the one before (by time, then by
// the order of acceptance), all in Window.
type Steps struct {
	Items  []Rows
	Time   Slot
	Window *Test // of Time, nil for always
}

func (Steps) expr() {}

// atSlot is when an event happened.
func atSlot() Slot { return Slot{Event: &EventSlot{Column: "at"}} }

// ofCustomer resolves what is asked of a customer: here, or of the customer that a record belongs to.
func (c *checker) ofCustomer(n *Node, at string, resolve func(in *checker) Expr) Expr {
	if !c.env.Behaviour {
		c.bad("forbidden_events", at, nil)
		return All{}
	}
	if c.obj.Key == Customer {
		return resolve(c)
	}
	in := &checker{env: c.env, obj: c.env.Registry.Object(Customer), stack: c.stack, shared: c.shared}
	if in.obj == nil {
		c.bad("unknown_object", at, fault.Params{"object": Customer})
		return All{}
	}
	e := resolve(in)
	c.found = append(c.found, in.found...)
	key, err := json.Marshal(n)
	if err != nil {
		c.bad("no_kind", at, nil)
		return All{}
	}
	return Member{Key: "event " + string(key), Of: e}
}

// eventLeaf resolves {"event":…}. Without an operator it asks for at least one event.
func (c *checker) eventLeaf(n *Node, at string, depth int) Expr {
	rows, ok := c.eventRows(n, at, depth)
	return c.rowsLeaf(rows, ok, n, at)
}

// eventRows resolves the events of a leaf.
func (c *checker) eventRows(n *Node, at string, depth int) (Rows, bool) {
	before := len(c.found)
	if strings.ContainsRune(n.Event, 0) {
		c.bad("expects_name", at+"/event", nil)
	}
	r := Rows{Event: n.Event, Time: atSlot()}
	if n.Where != nil {
		r.Where = c.eventExpr(n.Where, at+"/where", depth+1)
	}
	if n.Within != nil {
		r.Window, r.Time = c.rowWindow(n.Within, r.Time, at+"/within")
	}
	return r, len(c.found) == before
}

// eventExpr resolves the where of events: groups and properties.
func (c *checker) eventExpr(n *Node, at string, depth int) Expr {
	c.shared.nodes++
	switch {
	case c.shared.nodes > MaxNodes:
		if !c.shared.full {
			c.shared.full = true
			c.bad("too_many_nodes", "", fault.Params{"limit": MaxNodes})
		}
		return All{}
	case depth > MaxDepth:
		c.bad("too_deep", at, fault.Params{"limit": MaxDepth})
		return All{}
	}
	list := func(items []*Node, name string) []Expr {
		out := make([]Expr, len(items))
		for i, it := range items {
			out[i] = c.eventExpr(it, at+name+strconv.Itoa(i), depth+1)
		}
		return out
	}
	kind := ""
	if n != nil {
		kind = n.Kind()
	}
	switch kind {
	case "all":
		return All{Items: list(n.All, "/all/")}
	case "any":
		return Any{Items: list(n.Any, "/any/")}
	case "not":
		return Not{Item: c.eventExpr(n.Not, at+"/not", depth+1)}
	case "property":
		v, ok := c.eventOperand(n.Property, n.Op, n.Value, at+"/property")
		if !ok {
			return All{}
		}
		return c.leaf(v, n, at)
	case "":
		c.bad("no_kind", at, nil)
	default:
		c.bad("not_here", at, fault.Params{"kind": kind})
	}
	return All{}
}

// eventOperand is a value of an event with the rules of its type. The type of a property is that of the value it is compared with.
func (c *checker) eventOperand(key, op string, raw json.RawMessage, at string) (operand, bool) {
	if strings.ContainsRune(key, 0) {
		c.bad("expects_name", at, nil)
		return operand{}, false
	}
	if col, ok := eventColumns[key]; ok {
		return operand{slot: Slot{Event: &EventSlot{Column: col.column}}, class: col.class}, true
	}
	s := &EventSlot{Property: key}
	v := operand{slot: Slot{Event: s}, class: exactClass}
	if op == "is_set" || op == "is_not_set" {
		return v, true
	}
	first := strings.TrimLeft(string(raw), " \t\r\n[")
	switch {
	case strings.HasPrefix(first, `"`), textual(op):
		s.Read = ReadText
	case strings.HasPrefix(first, "true"), strings.HasPrefix(first, "false"):
		s.Read, v.class = ReadTruth, boolClass
	default:
		s.Read, v.class, v.scale = ReadNumber, numberClass, NumberScale
	}
	return v, true
}

// textual reports operators that only texts have.
func textual(op string) bool {
	return slices.Contains([]string{"contains", "not_contains", "starts_with", "ends_with", "matches"}, op)
}

// eventAggregated finds the values of sum, avg, min, max and distinct over events.
func (c *checker) eventAggregated(e *Aggregated, agg Aggregate, at string) (operand, bool) {
	place := at + "/aggregate/" + agg.Func
	v, ok := c.eventOperand(agg.Field, "", json.RawMessage("0"), place)
	if !ok {
		return v, false
	}
	if agg.Func == "distinct" {
		if v.slot.Event.Column == "" {
			v.slot.Event.Read = ReadKind
		}
		e.Slot = v.slot
		return operand{class: numberClass}, true
	}
	e.Slot = v.slot
	if v.class != numberClass && v.class != moneyClass {
		c.bad("bad_aggregate", at+"/aggregate", fault.Params{"function": agg.Func})
		return v, false
	}
	return v, true
}

// sequenceLeaf resolves {"sequence":…}.
func (c *checker) sequenceLeaf(n *Node, at string, depth int) Expr {
	if len(n.Sequence) < minSteps || len(n.Sequence) > maxSteps {
		c.bad("value_out_of_range", at+"/sequence", fault.Params{"low": minSteps, "high": maxSteps})
	}
	if n.Op != "" && n.Op != "did" && n.Op != "did_not" {
		c.operator(n.Op, at)
	}
	s := Steps{Time: atSlot()}
	if n.Within != nil {
		s.Window, s.Time = c.rowWindow(n.Within, s.Time, at+"/within")
	}
	for i, step := range n.Sequence {
		place := at + "/sequence/" + strconv.Itoa(i)
		if step.Kind() != "event" || !bare(step) {
			c.bad("not_here", place, fault.Params{"kind": step.Kind()})
			continue
		}
		rows, _ := c.eventRows(step, place, depth+1)
		s.Items = append(s.Items, rows)
	}
	if n.Op == "did_not" {
		return Not{Item: s}
	}
	return s
}

// A sequence has from two to ten steps.
const (
	minSteps = 2
	maxSteps = 10
)

// bare reports a record or event leaf that says nothing but which rows it is about.
func bare(n *Node) bool {
	return n.Op == "" && n.Value == nil && n.Aggregate == nil && n.NoneAs == nil && n.Within == nil
}

// listLeaf resolves {"list":…}: those on a fixed list of customers, which is a segment without a condition of its own.
func (c *checker) listLeaf(n *Node, at string) Expr {
	if n.Op != "" && n.Op != "in" && n.Op != "not_in" {
		c.operator(n.Op, at)
		return All{}
	}
	s, ok := Segment{}, false
	if c.env.Segments != nil {
		s, ok = c.env.Segments.Segment(n.List)
	}
	switch {
	case !ok:
		c.bad("unknown_list", at+"/list", fault.Params{"list": clip(n.List)})
		return All{}
	case s.Where != nil:
		c.bad("not_a_list", at+"/list", fault.Params{"list": clip(n.List)})
		return All{}
	}
	if n.Op == "not_in" {
		return Not{Item: Member{Key: n.List}}
	}
	return Member{Key: n.List}
}
