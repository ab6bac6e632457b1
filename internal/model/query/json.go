package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// The limits of a condition as it is read.
const (
	MaxBytes  = 1 << 20 // of JSON
	MaxDepth  = 32      // of nodes
	MaxNodes  = 2000
	MaxValues = 1000 // of one list
)

// members are the keys that a node of each kind may carry besides the one that names it.
var members = map[string][]string{
	"all": nil, "any": nil, "not": nil,
	"field": {"op", "value"}, "trait": {"op", "value"}, "property": {"op", "value"},
	"record":   {"where", "aggregate", "none_as", "op", "value", "within"},
	"event":    {"where", "aggregate", "none_as", "op", "value", "within"},
	"sequence": {"within", "op"},
	"first":    {"within"},
	"stopped":  {"for"},
	"resumed":  {"after"},
	"segment":  {"op"},
	"list":     {"op"},
	"random":   nil,
	"top":      nil,
}

// Parse reads the JSON form strictly: a key that a node of its kind does not have, a key given twice, several kinds in
// one node, wrong shapes and anything over the limits are refused, all at once, each with its place as a JSON pointer.
// Whether fields exist and values fit is the work of Check.
//
// Codes: query.not_json, query.too_large, query.too_deep, query.too_many_nodes, query.expects_* (object, list …), query.unknown_key,
// query.duplicate_key, query.no_kind, query.several_kinds, query.key_not_here; query.invalid over several of them.
func Parse(data []byte) (*Node, error) {
	if len(data) > MaxBytes {
		return nil, fault.New(fault.TooLarge, "query.too_large", fault.Params{"limit": MaxBytes})
	}
	if !json.Valid(data) {
		return nil, fault.New(fault.Invalid, "query.not_json", nil)
	}
	p := &parser{}
	n := p.node(data, "", 1)
	if err := joined(p.faults); err != nil {
		return nil, err
	}
	return n, nil
}

// joined makes an error of faults, nil of none.
func joined(faults []*fault.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return fault.Join("query.invalid", faults)
}

// UnmarshalJSON is Parse.
func (n *Node) UnmarshalJSON(data []byte) error {
	got, err := Parse(data)
	if err != nil {
		return err
	}
	*n = *got
	return nil
}

type parser struct {
	faults []*fault.Fault
	nodes  int
	full   bool // a limit was passed: reading stops
}

func (p *parser) bad(code, at string, params fault.Params) {
	p.faults = append(p.faults, fault.InvalidField("query."+code, at, params))
}

type member struct {
	key string
	raw json.RawMessage
}

// object splits a JSON object into its members, in order.
func (p *parser) object(raw json.RawMessage, at string) ([]member, bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		p.bad("expects_object", at, nil)
		return nil, false
	}
	var out []member
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			break
		}
		key, _ := t.(string)
		m := member{key: key}
		if err := dec.Decode(&m.raw); err != nil {
			break
		}
		if slices.ContainsFunc(out, func(o member) bool { return o.key == key }) {
			p.bad("duplicate_key", at, fault.Params{"key": clip(key)})
			continue
		}
		out = append(out, m)
	}
	return out, true
}

// clip shortens what a message repeats of the input.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

func (p *parser) node(raw json.RawMessage, at string, depth int) *Node {
	p.nodes++
	switch {
	case p.full:
		return nil
	case depth > MaxDepth:
		p.full = true
		p.bad("too_deep", at, fault.Params{"limit": MaxDepth})
		return nil
	case p.nodes > MaxNodes:
		p.full = true
		p.bad("too_many_nodes", "", fault.Params{"limit": MaxNodes})
		return nil
	}
	ms, ok := p.object(raw, at)
	if !ok {
		return nil
	}
	n := &Node{}
	kinds := []string{}
	for _, m := range ms {
		if _, ok := members[m.key]; ok {
			kinds = append(kinds, m.key)
		}
		p.member(n, m, at, depth)
	}
	switch {
	case len(kinds) == 0:
		p.bad("no_kind", at, nil)
	case len(kinds) > 1:
		p.bad("several_kinds", at, fault.Params{"kinds": kinds[0] + ", " + kinds[1]})
	default:
		for _, m := range ms {
			if m.key != kinds[0] && !slices.Contains(members[kinds[0]], m.key) && known(m.key) {
				p.bad("key_not_here", at+"/"+m.key, fault.Params{"key": m.key, "kind": kinds[0]})
			}
		}
	}
	return n
}

// known reports whether some kind of node has a key.
func known(key string) bool {
	if _, ok := members[key]; ok {
		return true
	}
	for _, keys := range members {
		if slices.Contains(keys, key) {
			return true
		}
	}
	return false
}

func (p *parser) member(n *Node, m member, at string, depth int) {
	here := at + "/" + m.key
	switch m.key {
	case "all":
		n.All = p.nodesOf(m.raw, here, depth)
	case "any":
		n.Any = p.nodesOf(m.raw, here, depth)
	case "sequence":
		n.Sequence = p.nodesOf(m.raw, here, depth)
	case "not":
		n.Not = p.node(m.raw, here, depth+1)
	case "first":
		n.First = p.node(m.raw, here, depth+1)
	case "stopped":
		n.Stopped = p.node(m.raw, here, depth+1)
	case "resumed":
		n.Resumed = p.node(m.raw, here, depth+1)
	case "where":
		n.Where = p.node(m.raw, here, depth+1)
	case "top":
		n.Top = p.top(m.raw, here, depth)
	case "random":
		n.Random = p.random(m.raw, here)
	case "aggregate":
		n.Aggregate = &Aggregate{}
		if err := n.Aggregate.UnmarshalJSON(m.raw); err != nil {
			p.bad("expects_aggregate", here, nil)
		}
	case "none_as":
		n.NoneAs = p.number(m.raw, here)
	case "value":
		n.Value = slices.Clone(m.raw)
	case "within":
		n.Within = p.window(m.raw, here)
	case "for":
		n.For = p.window(m.raw, here)
	case "after":
		n.After = p.window(m.raw, here)
	default:
		p.text(n, m, at)
	}
}

// text reads the members that hold a name.
func (p *parser) text(n *Node, m member, at string) {
	targets := map[string]*string{
		"field": &n.Field, "trait": &n.Trait, "record": &n.Record, "event": &n.Event, "property": &n.Property,
		"segment": &n.Segment, "list": &n.List, "op": &n.Op,
	}
	to, ok := targets[m.key]
	if !ok {
		p.bad("unknown_key", at, fault.Params{"key": clip(m.key)})
		return
	}
	if m.raw[0] != '"' || json.Unmarshal(m.raw, to) != nil || *to == "" || len(*to) > 300 {
		p.bad("expects_name", at+"/"+m.key, nil)
	}
}

func (p *parser) nodesOf(raw json.RawMessage, at string, depth int) []*Node {
	var items []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
		p.bad("expects_list", at, nil)
		return []*Node{}
	}
	out := make([]*Node, 0, min(len(items), MaxNodes))
	for i, it := range items {
		if n := p.node(it, at+"/"+strconv.Itoa(i), depth+1); n != nil {
			out = append(out, n)
		}
		if p.full {
			break
		}
	}
	return out
}

func (p *parser) number(raw json.RawMessage, at string) *json.Number {
	var v json.Number
	if raw[0] == '"' || len(raw) > 40 || json.Unmarshal(raw, &v) != nil || v == "" {
		p.bad("expects_number", at, nil)
		return nil
	}
	return &v
}

func (p *parser) random(raw json.RawMessage, at string) *Random {
	ms, ok := p.object(raw, at)
	if !ok {
		return nil
	}
	r := &Random{}
	for _, m := range ms {
		switch m.key {
		case "percent":
			if v := p.number(m.raw, at+"/percent"); v != nil {
				r.Percent = *v
			}
		case "salt":
			if m.raw[0] != '"' || json.Unmarshal(m.raw, &r.Salt) != nil || len(r.Salt) > 100 {
				p.bad("expects_name", at+"/salt", nil)
			}
		default:
			p.bad("unknown_key", at, fault.Params{"key": clip(m.key)})
		}
	}
	return r
}

func (p *parser) top(raw json.RawMessage, at string, depth int) *Top {
	ms, ok := p.object(raw, at)
	if !ok {
		return nil
	}
	t := &Top{}
	for _, m := range ms {
		switch m.key {
		case "of":
			t.Of = p.node(m.raw, at+"/of", depth+1)
		case "trait":
			if m.raw[0] != '"' || json.Unmarshal(m.raw, &t.Trait) != nil {
				p.bad("expects_name", at+"/trait", nil)
			}
		case "count":
			if json.Unmarshal(m.raw, &t.Count) != nil {
				p.bad("expects_number", at+"/count", nil)
			}
		case "percent":
			if v := p.number(m.raw, at+"/percent"); v != nil {
				t.Percent = *v
			}
		default:
			p.bad("unknown_key", at, fault.Params{"key": clip(m.key)})
		}
	}
	return t
}

func (p *parser) window(raw json.RawMessage, at string) *Window {
	w, f := ParseWindow(raw)
	if f != nil {
		p.faults = append(p.faults, f.At(at))
	}
	return w
}

// ParseWindow reads a window strictly: exactly one of days, hours, or from and to.
func ParseWindow(raw json.RawMessage) (*Window, *fault.Fault) {
	p := &parser{}
	ms, ok := p.object(raw, "")
	if !ok {
		return nil, p.faults[0]
	}
	w := &Window{}
	var days, hours, dates bool
	for _, m := range ms {
		var err error
		switch m.key {
		case "days":
			days, err = true, w.Days.UnmarshalJSON(m.raw)
		case "hours":
			hours, err = true, json.Unmarshal(m.raw, &w.Hours)
			if err == nil && (w.Hours < 1 || w.Hours > 24*3660) {
				err = errors.New("hours out of range")
			}
		case "from":
			dates, err = true, date(m.raw, &w.From)
		case "to":
			dates, err = true, date(m.raw, &w.To)
		default:
			p.bad("unknown_key", "", fault.Params{"key": clip(m.key)})
		}
		if err != nil {
			p.bad("expects_window", "/"+m.key, nil)
		}
	}
	if n := b2i(days) + b2i(hours) + b2i(dates); n != 1 && len(p.faults) == 0 {
		p.bad("expects_window", "", nil)
	}
	if len(p.faults) > 0 {
		return nil, p.faults[0]
	}
	return w, nil
}

// date reads the text of a date, which the check then reads as one.
func date(raw json.RawMessage, to *string) error {
	if err := json.Unmarshal(raw, to); err != nil {
		return err
	}
	if *to == "" || len(*to) > 40 {
		return errors.New("a date is missing")
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wire is a Node as it is written: pointers to lists, so that an empty group stays.
type wire struct {
	All       *[]*Node        `json:"all,omitempty"`
	Any       *[]*Node        `json:"any,omitempty"`
	Not       *Node           `json:"not,omitempty"`
	Field     string          `json:"field,omitempty"`
	Trait     string          `json:"trait,omitempty"`
	Record    string          `json:"record,omitempty"`
	Event     string          `json:"event,omitempty"`
	Property  string          `json:"property,omitempty"`
	Sequence  *[]*Node        `json:"sequence,omitempty"`
	First     *Node           `json:"first,omitempty"`
	Stopped   *Node           `json:"stopped,omitempty"`
	Resumed   *Node           `json:"resumed,omitempty"`
	Segment   string          `json:"segment,omitempty"`
	List      string          `json:"list,omitempty"`
	Random    *Random         `json:"random,omitempty"`
	Top       *Top            `json:"top,omitempty"`
	Where     *Node           `json:"where,omitempty"`
	Aggregate *Aggregate      `json:"aggregate,omitempty"`
	NoneAs    *json.Number    `json:"none_as,omitempty"`
	Op        string          `json:"op,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"`
	Within    *Window         `json:"within,omitempty"`
	For       *Window         `json:"for,omitempty"`
	After     *Window         `json:"after,omitempty"`
}

// MarshalJSON writes the JSON form; an empty group is kept.
func (n *Node) MarshalJSON() ([]byte, error) {
	if n == nil {
		return []byte("null"), nil
	}
	list := func(l []*Node) *[]*Node {
		if l == nil {
			return nil
		}
		return &l
	}
	return json.Marshal(wire{
		All: list(n.All), Any: list(n.Any), Not: n.Not, Field: n.Field, Trait: n.Trait, Record: n.Record, Event: n.Event,
		Property: n.Property, Sequence: list(n.Sequence), First: n.First, Stopped: n.Stopped, Resumed: n.Resumed,
		Segment: n.Segment, List: n.List, Random: n.Random, Top: n.Top, Where: n.Where, Aggregate: n.Aggregate,
		NoneAs: n.NoneAs, Op: n.Op, Value: n.Value, Within: n.Within, For: n.For, After: n.After,
	})
}

// aggregates are the functions an aggregate may name; the value says whether it takes a field.
var aggregates = map[string]bool{
	"count": false, "days": false, "sum": true, "avg": true, "min": true, "max": true, "distinct": true,
}

// MarshalJSON writes "count" or {"sum":"amount"}.
func (a Aggregate) MarshalJSON() ([]byte, error) {
	if a.Field == "" {
		return json.Marshal(a.Func)
	}
	return json.Marshal(map[string]string{a.Func: a.Field})
}

// UnmarshalJSON reads "count", "days" or {"sum":"amount"}.
func (a *Aggregate) UnmarshalJSON(data []byte) error {
	var name string
	if json.Unmarshal(data, &name) == nil {
		if field, ok := aggregates[name]; !ok || field {
			return fmt.Errorf("aggregate %q needs a field or is not known", clip(name))
		}
		*a = Aggregate{Func: name}
		return nil
	}
	var of map[string]string
	if err := json.Unmarshal(data, &of); err != nil || len(of) != 1 {
		return errors.New("an aggregate is a name or an object of one member")
	}
	for fn, field := range of {
		if !aggregates[fn] || field == "" {
			return fmt.Errorf("aggregate %q does not take a field or is not known", clip(fn))
		}
		*a = Aggregate{Func: fn, Field: field}
	}
	return nil
}

// maxDays bounds a window: ten thousand days are 27 years.
const maxDays = 10000

// MarshalJSON writes n or [oldest, newest].
func (d Days) MarshalJSON() ([]byte, error) {
	if d.Span {
		return fmt.Appendf(nil, "[%d,%d]", d.Oldest, d.Newest), nil
	}
	return strconv.AppendInt(nil, int64(d.Oldest), 10), nil
}

// UnmarshalJSON reads n or [oldest, newest]. Days are 0 to 10,000 and a span runs from the older to the newer end.
func (d *Days) UnmarshalJSON(data []byte) error {
	var n int
	if json.Unmarshal(data, &n) == nil && string(bytes.TrimSpace(data)) != "null" {
		if n < 0 || n > maxDays {
			return errors.New("days out of range")
		}
		*d = Days{Oldest: n, Set: true}
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var span []int
	if err := dec.Decode(&span); err != nil || len(span) != 2 {
		return errors.New("days are a number or a pair of numbers")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("days are a number or a pair of numbers")
	}
	if span[1] < 0 || span[0] < span[1] || span[0] > maxDays {
		return errors.New("days out of range")
	}
	*d = Days{Oldest: span[0], Newest: span[1], Span: true, Set: true}
	return nil
}
