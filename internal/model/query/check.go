package query

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Trait describes a trait to conditions: its type decides operators and how a value is read.
type Trait struct {
	Key     string
	Label   schema.Label
	Type    schema.Type // number (with Scale), money, date, datetime, choice, text, bool, region, multi_choice
	Scale   int
	Options []schema.Option
	// Table and Column are where the analytics plane keeps it (a trait family and a column of it).
	Table  string
	Column string
}

// Traits finds traits by key.
type Traits interface {
	Trait(key string) (Trait, bool)
}

// Segment describes a segment to conditions.
type Segment struct {
	Key   string
	Label schema.Label
	Where *Node // about customers; nil for a static one, or where the stored membership is to be asked
}

// Segments finds segments by key.
type Segments interface {
	Segment(key string) (Segment, bool)
}

// Use is what a condition is written for; it decides which leaves are allowed. docs/conditions.md has the table.
type Use uint8

// The uses.
const (
	ForSegment Use = iota // everything
	ForList               // everything
	ForRight              // fields, also over to-one relations, and groups of them
	ForMemory             // evaluated for one record: everything but top
)

// CheckEnv is what a tree is checked against. Registry and Object are needed; what is nil or empty is not available
// (Traits, Segments) or not checked (Can).
type CheckEnv struct {
	Registry *schema.Registry
	Object   string // key of the object that the condition is about
	Use      Use
	Traits   Traits
	Segments Segments
	Self     string // key of the segment that is being saved, which may not be among those it names
	// Can reports whether the user may read a field; with an empty field, whether the user may read the object at all.
	Can func(object, field string) bool
	// Behaviour says that events may be asked about.
	Behaviour bool
	// Base is the workspace's base currency, in which amounts are compared, "CNY" when empty; Convert turns other
	// currencies into minor units of it and reports false where it has no rate.
	Base    string
	Convert func(money.Money) (int64, bool)
	// Blind is the keyed blind index of a normalised personal value. Without it a checked condition can be described and
	// its dependencies read, but a test of a personal value finds nobody.
	Blind func(f *schema.Field, normalised string) string
	// Blinds are all that a stored value may stand under, while one index key follows another; nil for Blind alone.
	Blinds func(f *schema.Field, normalised string) []string
	// PhoneRegion is where a number without country code belongs, "CN" when empty.
	PhoneRegion string
}

// Check reports everything that is wrong with a tree, as one fault with an item for each place. A field that does not
// exist (any more) or that the user cannot read is an error, inside the segments it names too.
//
// Codes: query.invalid over several of query.unknown_field, forbidden_field, unknown_trait, unknown_segment,
// segment_cycle, segment_broken, unknown_list, not_a_list, forbidden_events, unknown_object, forbidden_object, not_related, unknown_operator, operator_not_allowed,
// value_missing, value_not_expected, expects_* (number, text, date, list …), value_too_precise, value_out_of_range, too_many_values,
// unknown_option, unknown_region, currency_unknown, currency_not_base, bad_date, bad_window, window_needs_time,
// bad_pattern, bad_aggregate, not_here, no_kind, too_many_nodes and too_deep.
func Check(n *Node, env CheckEnv) error {
	_, err := Resolve(n, env)
	return err
}

// Resolve checks a tree and returns the form that is compiled and evaluated. A nil tree is the condition that everyone
// satisfies.
func Resolve(n *Node, env CheckEnv) (*Checked, error) {
	obj := env.Registry.Object(env.Object)
	if obj == nil {
		return nil, fault.InvalidField("query.unknown_object", "", fault.Params{"object": env.Object})
	}
	c := &checker{env: env, obj: obj, shared: &shared{segments: map[string]resolved{}}}
	out := &Checked{Object: obj, Owner: c.owner()}
	if n == nil {
		out.Root = All{}
		return out, nil
	}
	out.Root = c.expr(n, "", 1)
	if err := joined(c.faults()); err != nil {
		return nil, err
	}
	return out, nil
}

// Customer is the key of the object that traits, segments and records are about.
const Customer = "customer"

// shared is what the checkers of one tree and the segments it names have in common.
type shared struct {
	segments map[string]resolved
	nodes    int // of the tree with every segment written out
	values   int // constants, likewise
	full     bool
}

// resolved is the condition of a segment and what it adds to a tree that names it.
type resolved struct {
	expr          Expr
	nodes, values int
}

type checker struct {
	env    CheckEnv
	obj    *schema.Object
	rows   bool     // inside the where of a record leaf
	stack  []string // segments being resolved, outermost first
	found  []*fault.Fault
	shared *shared
}

func (c *checker) faults() []*fault.Fault { return c.found }

func (c *checker) bad(code, at string, params fault.Params) {
	c.found = append(c.found, fault.InvalidField("query."+code, at, params))
}

func (c *checker) owner() *schema.Field {
	if c.obj.Key == Customer || c.obj.CustomerField == "" {
		return nil
	}
	return c.obj.Field(c.obj.CustomerField)
}

// expr resolves a node; a node with faults gives a placeholder that is never used.
func (c *checker) expr(n *Node, at string, depth int) Expr {
	c.shared.nodes++
	if c.shared.nodes > MaxNodes {
		if !c.shared.full {
			c.shared.full = true
			c.bad("too_many_nodes", "", fault.Params{"limit": MaxNodes})
		}
		return All{}
	}
	if depth > MaxDepth {
		c.bad("too_deep", at, fault.Params{"limit": MaxDepth})
		return All{}
	}
	kind := ""
	if n != nil {
		kind = n.Kind()
	}
	if !c.allowed(kind) {
		c.bad("not_here", at, fault.Params{"kind": kind})
		return All{}
	}
	switch kind {
	case "all":
		return All{Items: c.list(n.All, at+"/all/", depth)}
	case "any":
		return Any{Items: c.list(n.Any, at+"/any/", depth)}
	case "not":
		return Not{Item: c.expr(n.Not, at+"/not", depth+1)}
	case "field":
		return c.fieldLeaf(n, at)
	case "trait":
		return c.traitLeaf(n, at)
	case "record":
		return c.recordLeaf(n, at, depth)
	case "first", "stopped", "resumed":
		if inner := cmp.Or(n.First, n.Stopped, n.Resumed); inner.Kind() == "event" {
			return c.ofCustomer(n, at, func(in *checker) Expr { return in.lifecycle(n, kind, at, depth) })
		}
		return c.lifecycle(n, kind, at, depth)
	case "event":
		return c.ofCustomer(n, at, func(in *checker) Expr { return in.eventLeaf(n, at, depth) })
	case "sequence":
		return c.ofCustomer(n, at, func(in *checker) Expr { return in.sequenceLeaf(n, at, depth) })
	case "list":
		return c.listLeaf(n, at)
	case "segment":
		return c.segmentLeaf(n, at)
	case "random":
		return c.randomLeaf(n, at)
	case "top":
		return c.topLeaf(n, at, depth)
	case "":
		c.bad("no_kind", at, nil)
	}
	return All{}
}

// allowed reports whether a kind may stand here.
func (c *checker) allowed(kind string) bool {
	switch kind {
	case "", "all", "any", "not", "field":
		return true
	case "property":
		return false // only inside an event's where, which eventExpr reads
	case "trait", "segment", "list", "event", "sequence":
		if c.obj.Key != Customer && c.owner() == nil {
			return false
		}
	case "top":
		if c.env.Use == ForMemory || c.obj.Key != Customer && c.owner() == nil {
			return false
		}
	}
	return !c.rows && c.env.Use != ForRight
}

func (c *checker) list(items []*Node, at string, depth int) []Expr {
	out := make([]Expr, 0, len(items))
	for i, it := range items {
		out = append(out, c.expr(it, at+strconv.Itoa(i), depth+1))
	}
	return out
}

// path finds a field over to-one relations, and the attribute at its end.
func (c *checker) path(path, at string) (slot Slot, attr string, ok bool) {
	obj := c.obj
	parts := strings.Split(path, ".")
	for i, part := range parts {
		f := obj.Field(part)
		if f == nil {
			c.bad("unknown_field", at, fault.Params{"field": path, "object": obj.Label})
			return slot, "", false
		}
		if c.env.Can != nil && !c.env.Can(obj.Key, f.Key) {
			c.bad("forbidden_field", at, fault.Params{"field": path})
			return slot, "", false
		}
		rest := parts[i+1:]
		if len(rest) == 0 || f.Type != schema.Relation {
			if len(rest) > 1 {
				c.bad("unknown_field", at, fault.Params{"field": path, "object": obj.Label})
				return slot, "", false
			}
			slot.Object, slot.Field = obj, f
			return slot, strings.Join(rest, ""), true
		}
		target := c.env.Registry.Object(f.Target)
		if target == nil || target.Virtual || i == maxHops {
			c.bad("unknown_field", at, fault.Params{"field": path, "object": obj.Label})
			return slot, "", false
		}
		if c.env.Can != nil && !c.env.Can(target.Key, "") {
			c.bad("forbidden_object", at, fault.Params{"object": target.Label})
			return slot, "", false
		}
		slot.Hops = append(slot.Hops, Hop{Field: f, Target: target})
		obj = target
	}
	return slot, "", false
}

// maxHops is how many to-one relations a path may follow.
const maxHops = 3

func (c *checker) fieldLeaf(n *Node, at string) Expr {
	v, ok := c.operand(n.Field, at+"/field")
	if !ok {
		return All{}
	}
	return c.leaf(v, n, at)
}

// operand is what a path leads to, with the rules of its type.
func (c *checker) operand(path, at string) (operand, bool) {
	slot, attr, ok := c.path(path, at)
	if !ok {
		return operand{}, false
	}
	v, ok := operandOf(slot, attr)
	if !ok {
		c.bad("unknown_field", at, fault.Params{"field": path, "object": slot.Object.Label})
		return v, false
	}
	target := ""
	switch slot.Field.Type {
	case schema.Relation:
		target = slot.Field.Target
	case schema.User:
		target = "user"
	}
	if o := c.env.Registry.Object(target); o != nil {
		v.prefix = o.Prefix
	}
	return v, true
}

func (c *checker) traitLeaf(n *Node, at string) Expr {
	v, ok := c.traitOperand(n.Trait, at+"/trait")
	if !ok {
		return All{}
	}
	return c.leaf(v, n, at)
}

func (c *checker) traitOperand(key, at string) (operand, bool) {
	if c.env.Traits != nil {
		if t, ok := c.env.Traits.Trait(key); ok {
			return operandOfTrait(t)
		}
	}
	c.bad("unknown_trait", at, fault.Params{"trait": clip(key)})
	return operand{}, false
}

func (c *checker) segmentLeaf(n *Node, at string) Expr {
	if n.Op != "" && n.Op != "in" && n.Op != "not_in" {
		c.operator(n.Op, at)
		return All{}
	}
	of, ok := c.segment(n.Segment, at)
	if !ok {
		return All{}
	}
	m := Member{Key: n.Segment, Of: of}
	if n.Op == "not_in" {
		return Not{Item: m}
	}
	return m
}

// operator reports an operator that does not fit.
func (c *checker) operator(op, at string) {
	if op == "" || !operators[op] {
		c.bad("unknown_operator", at+"/op", fault.Params{"op": clip(op)})
		return
	}
	c.bad("operator_not_allowed", at+"/op", fault.Params{"op": op})
}

// segment resolves the condition of a named segment once; nil for one whose stored membership is asked.
func (c *checker) segment(key, at string) (Expr, bool) {
	if c.env.Segments == nil {
		c.bad("unknown_segment", at+"/segment", fault.Params{"segment": clip(key)})
		return nil, false
	}
	chain := append(append([]string{}, c.stack...), key)
	for _, k := range append([]string{c.env.Self}, c.stack...) {
		if k == key {
			c.bad("segment_cycle", at+"/segment", fault.Params{"segments": strings.Join(chain, " → ")})
			return nil, false
		}
	}
	s, ok := c.env.Segments.Segment(key)
	if !ok {
		c.bad("unknown_segment", at+"/segment", fault.Params{"segment": clip(key)})
		return nil, false
	}
	if s.Where == nil {
		return nil, true
	}
	if r, ok := c.shared.segments[key]; ok {
		c.shared.nodes += r.nodes
		c.spend(r.values, at)
		return r.expr, true
	}
	if len(chain) > MaxDepth {
		c.bad("too_deep", at, fault.Params{"limit": MaxDepth})
		return nil, false
	}
	in := &checker{env: c.env, obj: c.env.Registry.Object(Customer), stack: chain, shared: c.shared}
	if in.obj == nil {
		c.bad("unknown_object", at, fault.Params{"object": Customer})
		return nil, false
	}
	nodes, values := c.shared.nodes, c.shared.values
	e := in.expr(s.Where, "", 1)
	if len(in.found) > 0 {
		c.broken(in.found, key, at)
		return nil, false
	}
	c.shared.segments[key] = resolved{e, c.shared.nodes - nodes, c.shared.values - values}
	return e, true
}

// maxConstants is how many values a whole tree may compare with: databases take some thirty thousand parameters.
const maxConstants = 10000

// spend counts constants.
func (c *checker) spend(n int, at string) {
	c.shared.values += n
	if c.shared.values > maxConstants && c.shared.values-n <= maxConstants {
		c.bad("too_many_values", at, fault.Params{"limit": maxConstants})
	}
}

// broken reports what is wrong inside a segment at the leaf that names it.
func (c *checker) broken(found []*fault.Fault, key, at string) {
	for _, f := range found {
		if f.Code == "query.segment_cycle" || f.Code == "query.too_many_nodes" || f.Code == "query.too_many_values" {
			c.bad(strings.TrimPrefix(f.Code, "query."), at+"/segment", f.Params)
			return
		}
	}
	code := "segment_broken"
	for _, f := range found {
		if f.Code == "query.forbidden_field" || f.Code == "query.forbidden_object" || f.Code == "query.segment_forbidden" {
			code = "segment_forbidden"
		}
	}
	c.found = append(c.found, &fault.Fault{
		Kind: fault.Invalid, Code: "query." + code, Field: at + "/segment", Params: fault.Params{"segment": key},
		Cause: fmt.Errorf("segment %s: %w", key, found[0]),
	})
}

func (c *checker) randomLeaf(n *Node, at string) Expr {
	// Percent/100 of 2^64, in exact decimals: percent has at most six.
	v, f := scaled(string(n.Random.Percent), 6)
	if f != "" || v < 0 || v > 100_000_000 {
		c.bad("value_out_of_range", at+"/random/percent", fault.Params{"low": 0, "high": 100})
		return All{}
	}
	s := Sample{Salt: n.Random.Salt, Everyone: v == 100_000_000}
	s.Below = share(uint64(v))
	return s
}

func (c *checker) topLeaf(n *Node, at string, depth int) Expr {
	v, ok := c.traitOperand(n.Top.Trait, at+"/top/trait")
	if ok && v.class != numberClass && v.class != moneyClass && v.class != dateClass && v.class != instantClass {
		c.bad("bad_aggregate", at+"/top/trait", fault.Params{"function": "top"})
		ok = false
	}
	b := Best{Count: n.Top.Count}
	switch {
	case n.Top.Percent != "" && n.Top.Count != 0:
		c.bad("several_kinds", at+"/top", fault.Params{"kinds": "count, percent"})
		ok = false
	case n.Top.Percent != "":
		share, f := scaled(string(n.Top.Percent), 4)
		if f != "" || share < 1 || share > wholeTop {
			c.bad("value_out_of_range", at+"/top/percent", fault.Params{"low": "0.0001", "high": 100})
			ok = false
		}
		b.Share = share
	case n.Top.Count < 1 || n.Top.Count > maxTop:
		c.bad("value_out_of_range", at+"/top/count", fault.Params{"low": 1, "high": maxTop})
		ok = false
	}
	if n.Top.Of != nil {
		in := &checker{env: c.env, obj: c.env.Registry.Object(Customer), stack: c.stack, shared: c.shared}
		b.Of = in.expr(n.Top.Of, at+"/top/of", depth+1)
		c.found = append(c.found, in.found...)
	}
	if !ok {
		return All{}
	}
	b.Trait = *v.slot.Trait
	return b
}

const (
	maxTop   = 100_000_000
	wholeTop = 1_000_000 // 100 % in ten-thousandths of a percent
)
