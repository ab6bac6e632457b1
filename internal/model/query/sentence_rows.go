package query

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// inside is the speaker about the rows of an object.
func (s speaker) inside(object string) speaker {
	if s.env.Registry != nil {
		s.obj = s.env.Registry.Object(object)
	}
	return s
}

// described are the rows of a leaf in words: "orders", 「状态是已完成的订单」. n is how many, for the plural.
func (s speaker) described(n *Node) (one, many string) {
	if n.Event != "" {
		one, many = s.event(n.Event)
	} else {
		one, many = s.object(n.Record)
	}
	if n.Where == nil || n.Where.Kind() == "all" && len(n.Where.All) == 0 {
		return one, many
	}
	in := s.inside(n.Record)
	where := in.node(n.Where)
	key := "rows.where"
	if len(n.Where.All)+len(n.Where.Any) > 1 {
		key = "rows.where_several"
	}
	return s.say(key, words{"rows": one, "where": where}), s.say(key, words{"rows": many, "where": where})
}

// rows says a record or event leaf.
func (s speaker) rows(n *Node) string {
	one, many := s.described(n)
	when := ""
	if n.Within != nil {
		when = s.say("rows.when", words{"window": s.span(n.Within, false)})
	}
	p := words{"one": one, "many": many, "when": when}
	if n.Op == "none" {
		return s.say("rows.none", p)
	}
	agg := Aggregate{Func: "count"}
	if n.Aggregate != nil {
		agg = *n.Aggregate
	}
	if n.Op == "" {
		return s.say("rows.some", p)
	}
	sub := subject{ok: true, v: operand{class: numberClass}}
	if agg.Field != "" {
		f := s.aggregated(n, agg)
		p["field"] = f.name
		if agg.Func != "distinct" {
			sub = f
		}
	}
	out := ""
	if agg.Func == "count" {
		out = s.counted(n, p)
	} else {
		sub.name = s.say("rows."+agg.Func+s.moment(sub, agg.Func), p)
		sub.unset = true
		out = s.compare(sub, n)
	}
	switch {
	case n.NoneAs != nil:
		out += s.say("rows.none_as", words{"n": string(*n.NoneAs)})
	case zero(n):
		out += s.say("rows.none_out", nil)
	}
	return out
}

// moment chooses "earliest" and "latest" for times.
func (s speaker) moment(sub subject, fn string) string {
	if (fn == "min" || fn == "max") && sub.ok && (sub.v.class == dateClass || sub.v.class == instantClass) {
		return ".date"
	}
	return ""
}

// counted says how many rows there are.
func (s speaker) counted(n *Node, p words) string {
	sub := subject{ok: true, v: operand{class: numberClass}}
	switch n.Op {
	case "between":
		p["low"], p["high"] = s.pair(sub, n.Value)
		return s.say("count.between", p)
	case "in", "not_in":
		p["n"] = s.values(sub, n)
		return s.say("count."+n.Op, p)
	}
	var num json.Number
	if json.Unmarshal(n.Value, &num) == nil {
		if i, err := num.Int64(); err == nil {
			p["n"] = i
			return s.say("count."+n.Op, p)
		}
	}
	p["n"] = s.values(sub, n)
	return s.say("count."+n.Op, p)
}

func (s speaker) lifecycle(n *Node, kind string) string {
	inner, w := n.First, n.Within
	switch kind {
	case "stopped":
		inner, w = n.Stopped, n.For
	case "resumed":
		inner, w = n.Resumed, n.After
	}
	if w == nil || inner == nil {
		return s.say("unreadable", nil)
	}
	one, many := s.described(inner)
	return s.say(kind, words{"one": one, "many": many, "window": s.span(w, false), "length": s.length(w)})
}

// length is a span of time by itself: "90 days".
func (s speaker) length(w *Window) string {
	if w.Hours > 0 {
		return s.say("length.hours", words{"n": w.Hours})
	}
	return s.say("length.days", words{"n": w.Days.Oldest})
}

// step says one step of a sequence.
func (s speaker) step(n *Node) string {
	one, _ := s.described(n)
	if n.Event == "" || n.Event == AnyEvent || !strings.HasPrefix(one, s.say("event.one", words{"name": n.Event})) {
		return one
	}
	return s.say("event.step", words{"name": n.Event}) + strings.TrimPrefix(one, s.say("event.one", words{"name": n.Event}))
}

func (s speaker) sequence(n *Node) string {
	steps := make([]string, len(n.Sequence))
	for i, it := range n.Sequence {
		steps[i] = s.step(it)
	}
	key := "sequence.did"
	if n.Op == "did_not" {
		key = "sequence.did_not"
	}
	when := ""
	if n.Within != nil {
		when = s.say("rows.when", words{"window": s.span(n.Within, false)})
	}
	return s.say(key, words{"steps": strings.Join(steps, s.say("sequence.then", nil)), "when": when})
}

// value writes one value of a subject.
func (s speaker) value(sub subject, raw json.RawMessage) string {
	var text string
	isText := starts(raw, '"') && json.Unmarshal(raw, &text) == nil
	if !isText {
		text = strings.TrimSpace(string(raw))
	}
	quoted := s.say("quoted", words{"text": clip(text)})
	if !sub.ok {
		if isText {
			return quoted
		}
		return clip(text)
	}
	switch sub.v.class {
	case choiceClass, setClass:
		return s.option(sub, text, quoted)
	case regionClass:
		if r, ok := region.Get(text); ok {
			return r.In(s.loc)
		}
	case idClass, pointerClass:
		return s.title(sub, text)
	case boolClass:
		return s.say("bool."+text, nil)
	case moneyClass:
		return s.money(raw, text)
	case personalClass:
		return s.masked(sub.v.slot.Field, text)
	case exactClass:
		if f := sub.v.slot.Field; f != nil && sub.v.slot.Role == schema.ClassRole && f.Type != schema.Email {
			return s.say("class."+text, nil)
		}
		return quoted
	case textClass, filesClass:
		return quoted
	}
	return clip(text)
}

func (s speaker) option(sub subject, key, quoted string) string {
	for _, o := range sub.v.options {
		if o.Key == key {
			if l := o.Label.In(s.loc); l != "" {
				return l
			}
			return key
		}
	}
	return quoted
}

func (s speaker) title(sub subject, text string) string {
	prefix, v, err := id.ParseAny(text)
	if err != nil || s.env.Title == nil {
		return clip(text)
	}
	object := sub.object
	if f := sub.v.slot.Field; f != nil {
		switch f.Type {
		case schema.Relation:
			object = f.Target
		case schema.User:
			object = "user"
		case schema.Record:
			if o := s.env.Registry.ByPrefix(prefix); o != nil {
				object = o.Key
			}
		}
	}
	if t := s.env.Title(object, v); t != "" {
		return s.say("quoted", words{"text": t})
	}
	return clip(text)
}

func (s speaker) money(raw json.RawMessage, text string) string {
	var m struct {
		Amount   json.RawMessage `json:"amount"`
		Currency string          `json:"currency"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return clip(text)
	}
	amount := clip(strings.Trim(string(m.Amount), `"`))
	if m.Currency == "CNY" {
		return s.say("money.CNY", words{"amount": amount})
	}
	return s.say("money", words{"amount": amount, "currency": clip(m.Currency)})
}

// masked hides the middle of a personal value.
func (s speaker) masked(f *schema.Field, text string) string {
	if v, bad := schema.ParseJSON(f, text, schema.ParseEnv{}); bad == nil && v != nil {
		return schema.Mask(f, v, schema.ParseEnv{})
	}
	return lang.MaskText(text, 1, 0)
}

// named are the events that the program knows by itself, by name.
func named() []string {
	return []string{event.PageViewed, event.ScreenViewed, event.Identified, event.Grouped, event.Aliased, event.Engaged}
}

// event says one event and several of a name.
func (s speaker) event(name string) (one, many string) {
	switch {
	case name == AnyEvent:
		return s.say("event.any.one", nil), s.say("event.any.many", nil)
	case slices.Contains(named(), name):
		name = s.say("event.name."+strings.ToLower(strings.ReplaceAll(name, " ", "_")), nil)
	}
	return s.say("event.one", words{"name": clip(name)}), s.say("event.many", words{"name": clip(name)})
}

// property is a value of an event; what it is compared with says how it is read.
func (s speaker) property(key, op string, raw json.RawMessage) subject {
	c := &checker{shared: &shared{}}
	v, _ := c.eventOperand(key, op, raw, "")
	if col, ok := eventColumns[key]; ok {
		return subject{name: s.say("event.column."+col.column, nil), v: v, ok: true}
	}
	return subject{name: s.say("event.property", words{"name": clip(key)}), v: v, ok: v.class != exactClass}
}

// aggregated is what an aggregate is of.
func (s speaker) aggregated(n *Node, agg Aggregate) subject {
	if n.Event != "" {
		return s.property(agg.Field, "", json.RawMessage("0"))
	}
	return s.inside(n.Record).field(agg.Field)
}
