package query

import (
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// recordLeaf resolves {"record":…}. Without an operator it asks for at least one row.
func (c *checker) recordLeaf(n *Node, at string, depth int) Expr {
	rows, ok := c.rowsOf(n, at, depth)
	return c.rowsLeaf(rows, ok, n, at)
}

// rowsLeaf resolves what is asked of rows; ok is false when they are faulty.
func (c *checker) rowsLeaf(rows Rows, ok bool, n *Node, at string) Expr {
	agg := Aggregate{Func: "count"}
	if n.Aggregate != nil {
		agg = *n.Aggregate
	}
	switch {
	case n.Op == "none":
		if agg.Func != "count" || n.NoneAs != nil || n.Value != nil {
			c.bad("value_not_expected", at+"/op", fault.Params{"op": "none"})
		}
		return NoRows{Rows: rows}
	case n.Op == "" && n.Value == nil && agg.Func == "count":
		one := int64(1)
		return Aggregated{Rows: rows, Func: "count", Test: Test{Kind: Between, Ranges: []Range{{Lo: &one}}}}
	}
	if rows.Object == nil && rows.Event == "" {
		return All{}
	}
	e, good := c.aggregate(rows, agg, n, at)
	if !ok || !good {
		return All{}
	}
	return e
}

// rowsOf resolves the rows of a record leaf.
func (c *checker) rowsOf(n *Node, at string, depth int) (Rows, bool) {
	obj := c.env.Registry.Object(n.Record)
	if obj == nil || obj.Virtual {
		c.bad("unknown_object", at+"/record", fault.Params{"object": clip(n.Record)})
		return Rows{}, false
	}
	if c.env.Can != nil && !c.env.Can(obj.Key, "") {
		c.bad("forbidden_object", at+"/record", fault.Params{"object": obj.Label})
		return Rows{}, false
	}
	before := len(c.found)
	r := Rows{Object: obj, Via: c.via(obj, at)}
	if n.Where != nil {
		in := &checker{env: c.env, obj: obj, rows: true, stack: c.stack, shared: c.shared}
		r.Where = in.expr(n.Where, at+"/where", depth+1)
		c.found = append(c.found, in.found...)
	}
	r.Time = c.timeOf(obj)
	if n.Within != nil {
		r.Window, r.Time = c.rowWindow(n.Within, r.Time, at+"/within")
	}
	return r, len(c.found) == before
}

// via is the relation by which records of obj belong to the one asked about: the customer's own relation of an object, or
// else the only one that points here.
func (c *checker) via(obj *schema.Object, at string) *schema.Field {
	if c.obj.Key == Customer && obj.CustomerField != "" {
		if f := obj.Field(obj.CustomerField); f != nil && f.Type == schema.Relation && f.Target == Customer {
			return f
		}
	}
	var found []*schema.Field
	for _, f := range obj.Fields {
		if f.Type == schema.Relation && f.Target == c.obj.Key {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		c.bad("not_related", at+"/record", fault.Params{"record": obj.Label, "object": c.obj.Label})
		return nil
	}
	return found[0]
}

// timeOf is when a record of an object happened.
func (c *checker) timeOf(obj *schema.Object) Slot {
	f := obj.Field(obj.TimeField)
	if f == nil || f.Type != schema.DateTime && f.Type != schema.Date {
		f = schema.System("created_at")
	}
	return Slot{Object: obj, Field: f, Role: schema.Main}
}

// daySlot is the column of local days of a time.
func daySlot(s Slot) Slot {
	if s.Event != nil {
		s.Event = &EventSlot{Column: "day"}
		return s
	}
	if s.Field.Type == schema.DateTime {
		s.Role = schema.DayRole
	}
	return s
}

// dateOnly reports a time without time of day.
func (s Slot) dateOnly() bool { return s.Field != nil && s.Field.Type == schema.Date }

// rowWindow turns a window into a test of the time of rows.
func (c *checker) rowWindow(w *Window, time Slot, at string) (*Test, Slot) {
	s := c.window(w, at)
	if s == nil {
		return nil, time
	}
	if s.kind == lastHours {
		if time.dateOnly() {
			c.bad("window_needs_time", at, nil)
			return nil, time
		}
		return &Test{Kind: Between, span: s}, time
	}
	return &Test{Kind: Between, span: s}, daySlot(time)
}

// window reads a window that looks back.
func (c *checker) window(w *Window, at string) *span {
	switch {
	case w == nil:
		return nil
	case w.Days.Set:
		return &span{kind: lastDays, oldest: w.Days.Oldest, newest: w.Days.Newest}
	case w.Hours > 0:
		return &span{kind: lastHours, oldest: w.Hours}
	}
	from, to, ok := c.dates(w, at)
	if !ok {
		return nil
	}
	return &span{kind: dates, from: from, to: to}
}

// aggregate resolves function, operator and value of a record leaf.
func (c *checker) aggregate(rows Rows, agg Aggregate, n *Node, at string) (Expr, bool) {
	e := Aggregated{Rows: rows, Func: agg.Func, Factor: 1}
	v := operand{class: numberClass}
	switch agg.Func {
	case "count":
	case "days":
		e.Slot = daySlot(rows.Time)
	default:
		var ok bool
		if v, ok = c.aggregated(&e, agg, at); !ok {
			return nil, false
		}
	}
	op := n.Op
	if op == "" {
		c.bad("value_missing", at+"/op", nil)
		return nil, false
	}
	if !operators[op] || !slices.Contains(operatorsOf(v.class), op) || op == "is_set" || op == "is_not_set" ||
		op == "anniversary_within" || agg.Func == "avg" && (op == "in" || op == "not_in") {
		c.operator(op, at)
		return nil, false
	}
	if n.Value == nil || string(n.Value) == "null" {
		c.bad("value_missing", at+"/value", nil)
		return nil, false
	}
	if agg.Func == "avg" && v.class == numberClass && (e.Slot.Event == nil || e.Slot.Event.Column != "") {
		v.scale, e.Factor = v.scale+avgDigits, avgFactor
	}
	r := reader{c: c, at: at + "/value"}
	t, slot, ok := r.test(v, op, n.Value)
	if !ok {
		return nil, false
	}
	e.Test = t
	if v.class == dateClass || v.class == instantClass {
		e.Slot = slot
	}
	return e, c.none(&e, v, n, at)
}

// An average is compared with numbers of four more digits than its values have.
const (
	avgDigits = 4
	avgFactor = 10000
)

// aggregated finds the values of sum, avg, min, max and distinct.
func (c *checker) aggregated(e *Aggregated, agg Aggregate, at string) (operand, bool) {
	if e.Event != "" {
		return c.eventAggregated(e, agg, at)
	}
	in := &checker{env: c.env, obj: e.Object, rows: true, shared: c.shared}
	v, ok := in.operand(agg.Field, at+"/aggregate/"+agg.Func)
	c.found = append(c.found, in.found...)
	if !ok {
		return v, false
	}
	e.Slot = v.slot
	fits := v.class == numberClass || v.class == moneyClass
	switch agg.Func {
	case "min", "max":
		fits = fits || v.class == dateClass || v.class == instantClass
	case "distinct":
		fits = v.class != setClass && v.class != personalClass && v.class != opaqueClass && v.class != birthdayClass && v.class != yearClass
		v = operand{class: numberClass}
	}
	if !fits {
		c.bad("bad_aggregate", at+"/aggregate", fault.Params{"function": agg.Func})
	}
	return v, fits
}

// none reads what stands for the aggregate of nothing.
func (c *checker) none(e *Aggregated, v operand, n *Node, at string) bool {
	if n.NoneAs == nil {
		return true
	}
	if v.class == moneyClass {
		v.scale = money.Exponent(c.env.base())
	} else if v.class != numberClass {
		c.bad("bad_aggregate", at+"/none_as", fault.Params{"function": e.Func})
		return false
	}
	x, problem := scaled(string(*n.NoneAs), v.scale)
	if problem != "" {
		reader{c: c}.problem(problem, at+"/none_as", v.scale)
		return false
	}
	e.None = e.Test.holdsInt(x)
	return true
}

// lifecycle resolves first, stopped and resumed.
//
//   - first: the earliest of all such records lies in the window.
//   - stopped for n: there are such records, and the latest lies before the last n days (hours).
//   - resumed after n: see Resumed; n is both the length of the gap and of the time in which the return must lie.
func (c *checker) lifecycle(n *Node, kind, at string, depth int) Expr {
	inner := map[string]*Node{"first": n.First, "stopped": n.Stopped, "resumed": n.Resumed}[kind]
	w, member := n.Within, "within"
	switch kind {
	case "stopped":
		w, member = n.For, "for"
	case "resumed":
		w, member = n.After, "after"
	}
	place := at + "/" + kind
	if inner.Kind() != "record" && inner.Kind() != "event" || !bare(inner) {
		c.bad("not_here", place, fault.Params{"kind": kind})
		return All{}
	}
	var rows Rows
	var ok bool
	if inner.Kind() == "event" {
		rows, ok = c.eventRows(inner, place, depth+1)
	} else {
		rows, ok = c.rowsOf(inner, place, depth+1)
	}
	s := c.lifecycleWindow(kind, w, at+"/"+member)
	if !ok || s == nil {
		return All{}
	}
	slot := daySlot(rows.Time)
	if s.kind == lastHours {
		if slot.dateOnly() {
			c.bad("window_needs_time", at+"/"+member, nil)
			return All{}
		}
		slot = rows.Time
	}
	rows.Time = slot
	switch kind {
	case "first":
		return Aggregated{Rows: rows, Func: "min", Slot: slot, Factor: 1, Test: Test{Kind: Between, span: s}}
	case "stopped":
		before := *s
		before.kind = beforeDays
		if s.kind == lastHours {
			before.kind = beforeHours
		}
		return Aggregated{Rows: rows, Func: "max", Slot: slot, Factor: 1, Test: Test{Kind: Between, span: &before}}
	}
	gap := int64(s.oldest)
	if s.kind == lastHours {
		gap *= int64(time.Hour / time.Millisecond)
	}
	return Resumed{Rows: rows, Span: Test{Kind: Between, span: s}, Gap: gap}
}

// lifecycleWindow reads the window of a lifecycle leaf: whole days or hours up to now, and for first any window.
func (c *checker) lifecycleWindow(kind string, w *Window, at string) *span {
	if w == nil {
		c.bad("bad_window", at, nil)
		return nil
	}
	s := c.window(w, at)
	if s != nil && kind != "first" && (s.kind == dates || s.newest != 0 || s.oldest < 1) {
		c.bad("bad_window", at, nil)
		return nil
	}
	return s
}
