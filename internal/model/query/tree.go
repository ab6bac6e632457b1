// Package query is the condition language: one typed tree used by lists, segments, rights, classifications and
// automations. It parses the JSON form, checks a tree against metadata, prints it as a sentence in Chinese and English,
// and evaluates it in memory for one record. Compiling to SQL lives in store/compile; an oracle test holds the
// evaluators together.
//
// Every leaf is two-valued: it is true or false, never unknown. "!=", "not_in", "not_contains" and "matches" hold only
// for those who have a value; "not" is the complement.
package query

import "encoding/json"

// Node is one node of a condition tree. Exactly one of the groups below is set; which one Kind tells.
type Node struct {
	// Groups. An empty All is true, an empty Any is false.
	All []*Node `json:"all,omitempty"`
	Any []*Node `json:"any,omitempty"`
	Not *Node   `json:"not,omitempty"`

	// Leaves.
	Field    string  `json:"field,omitempty"`  // a field, or a path over to-one relations: "customer.city", "region.tier"
	Trait    string  `json:"trait,omitempty"`  // a trait of the customer
	Record   string  `json:"record,omitempty"` // records of an object that belong to the customer, aggregated
	Event    string  `json:"event,omitempty"`
	Property string  `json:"property,omitempty"` // inside an event's where
	Sequence []*Node `json:"sequence,omitempty"`
	First    *Node   `json:"first,omitempty"`
	Stopped  *Node   `json:"stopped,omitempty"`
	Resumed  *Node   `json:"resumed,omitempty"`
	Segment  string  `json:"segment,omitempty"`
	List     string  `json:"list,omitempty"`
	Random   *Random `json:"random,omitempty"`
	Top      *Top    `json:"top,omitempty"`

	Where     *Node           `json:"where,omitempty"`     // filter of Record or Event rows
	Aggregate *Aggregate      `json:"aggregate,omitempty"` // of Record or Event rows; count when absent
	NoneAs    *json.Number    `json:"none_as,omitempty"`   // the value of an aggregate over no rows
	Op        string          `json:"op,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"`
	Within    *Window         `json:"within,omitempty"`
	For       *Window         `json:"for,omitempty"`
	After     *Window         `json:"after,omitempty"`
}

// Aggregate is how the rows of a record or event leaf become one value. Func is count, days, sum, avg, min, max or
// distinct; Field is empty for count and days. In JSON: "count" or {"sum":"amount"}.
type Aggregate struct {
	Func  string
	Field string
}

// Window is a span of time: whole local days with today, a span of days ago, rolling hours, or dates inclusive.
type Window struct {
	Days  Days   `json:"days,omitzero"`
	Hours int    `json:"hours,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// Days is {"days":n} (Oldest n, Newest 0, Span false) or {"days":[oldest,newest]} (Span true).
type Days struct {
	Oldest, Newest int
	Span, Set      bool
}

// Random is a stable sample: the first eight bytes of md5(salt:id) over 2^64 is below Percent/100.
type Random struct {
	Percent json.Number `json:"percent"`
	Salt    string      `json:"salt"`
}

// Top is the customers of Of with the highest Trait: the first Count of them, or the first Percent of those who have a value.
type Top struct {
	Of      *Node       `json:"of,omitempty"`
	Trait   string      `json:"trait"`
	Count   int         `json:"count,omitempty"`
	Percent json.Number `json:"percent,omitempty"`
}

// Kind names what a node is: "all", "any", "not", "field", "trait", "record", "event", "property", "sequence",
// "first", "stopped", "resumed", "segment", "list", "random", "top"; "" for a node that is none or several of them.
func (n *Node) Kind() string {
	kind, found := "", 0
	is := func(ok bool, name string) {
		if ok {
			kind = name
			found++
		}
	}
	is(n.All != nil, "all")
	is(n.Any != nil, "any")
	is(n.Not != nil, "not")
	is(n.Field != "", "field")
	is(n.Trait != "", "trait")
	is(n.Record != "", "record")
	is(n.Event != "", "event")
	is(n.Property != "", "property")
	is(n.Sequence != nil, "sequence")
	is(n.First != nil, "first")
	is(n.Stopped != nil, "stopped")
	is(n.Resumed != nil, "resumed")
	is(n.Segment != "", "segment")
	is(n.List != "", "list")
	is(n.Random != nil, "random")
	is(n.Top != nil, "top")
	if found != 1 {
		return ""
	}
	return kind
}
