package query

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Words are the texts of the program; *lang.Catalog has them.
type Words interface {
	Text(loc lang.Locale, key string, params map[string]any) string
}

// SentenceEnv is what a sentence is written with. Names that are not found are written by their key, so that a broken
// condition can still be read.
type SentenceEnv struct {
	Registry *schema.Registry
	Object   string
	Traits   Traits   // may be nil
	Segments Segments // may be nil
	Words    Words
	// Title is the title of a record, "" for unknown; nil writes ids.
	Title func(object string, v id.ID) string
}

// Sentence writes a condition for a person: 「地区属于上海市或杭州市，且近 180 天订单数 ≥ 2」, "region is Shanghai or
// Hangzhou, and has at least 2 orders in the last 180 days". What people without a value do is said: "!=" reads "is set
// but is not", and its complement "is not … or is not set". Personal values are masked. It never fails.
func Sentence(n *Node, env SentenceEnv, loc lang.Locale) string {
	s := speaker{env: env, loc: loc}
	if env.Registry != nil {
		s.obj = env.Registry.Object(env.Object)
	}
	if n == nil {
		n = &Node{All: []*Node{}}
	}
	return strings.TrimSpace(s.node(n))
}

type speaker struct {
	env SentenceEnv
	loc lang.Locale
	obj *schema.Object
}

type words = map[string]any

// say is a text; what has none (an operator that a type does not have, in a broken condition) is unreadable.
func (s speaker) say(key string, params words) string {
	if t := s.env.Words.Text(s.loc, "condition."+key, params); t != "condition."+key {
		return t
	}
	return s.env.Words.Text(s.loc, "condition.unreadable", nil)
}

// name is a label in the middle of a sentence: in English in small letters, except for names such as "VIP" and "SKU".
func (s speaker) name(l schema.Label, key string) string {
	t := l.In(s.loc)
	if t == "" {
		return key
	}
	if strings.HasPrefix(string(s.loc), "zh") {
		return t
	}
	r, size := utf8.DecodeRuneInString(t)
	next, _ := utf8.DecodeRuneInString(t[size:])
	if unicode.IsUpper(r) && (unicode.IsLower(next) || next == '-') {
		return string(unicode.ToLower(r)) + t[size:]
	}
	return t
}

func (s speaker) object(key string) (one, many string) {
	o := (*schema.Object)(nil)
	if s.env.Registry != nil {
		o = s.env.Registry.Object(key)
	}
	if o == nil {
		return key, key
	}
	one = s.name(o.Label, key)
	if many = s.name(o.Plural, one); len(o.Plural) == 0 {
		many = one
	}
	return one, many
}

func (s speaker) node(n *Node) string {
	switch kind := n.Kind(); kind {
	case "all", "any":
		return s.group(n, kind)
	case "not":
		return s.not(n.Not)
	case "field":
		return s.compare(s.field(n.Field), n)
	case "trait":
		return s.compare(s.trait(n.Trait), n)
	case "record", "event":
		return s.rows(n)
	case "first", "stopped", "resumed":
		return s.lifecycle(n, kind)
	case "segment":
		return s.say(n.Kind()+"."+membership(n.Op), words{"name": s.segment(n.Segment)})
	case "list":
		return s.say("list."+membership(n.Op), words{"name": s.segment(n.List)})
	case "random":
		return s.say("random", words{"percent": string(n.Random.Percent)})
	case "top":
		of := ""
		if n.Top.Of != nil {
			of = s.say("top.of", words{"where": s.node(n.Top.Of)})
		}
		if n.Top.Percent != "" {
			return s.say("top.percent", words{"percent": string(n.Top.Percent), "trait": s.trait(n.Top.Trait).name, "of": of})
		}
		return s.say("top", words{"count": n.Top.Count, "trait": s.trait(n.Top.Trait).name, "of": of})
	case "sequence":
		return s.sequence(n)
	case "property":
		return s.compare(s.property(n.Property, n.Op, n.Value), n)
	}
	return s.say("unreadable", nil)
}

func membership(op string) string {
	if op == "not_in" {
		return "not_in"
	}
	return "in"
}

func (s speaker) segment(key string) string {
	if s.env.Segments != nil {
		if g, ok := s.env.Segments.Segment(key); ok {
			if t := g.Label.In(s.loc); t != "" {
				return t
			}
		}
	}
	return key
}

func (s speaker) group(n *Node, kind string) string {
	items := n.All
	if kind == "any" {
		items = n.Any
	}
	switch len(items) {
	case 0:
		many := "…"
		if s.obj != nil {
			_, many = s.object(s.obj.Key)
		}
		return s.say(kind+".empty", words{"objects": many})
	case 1:
		return s.node(items[0])
	}
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = s.node(it)
		if k := it.Kind(); (k == "all" || k == "any") && k != kind && len(it.All)+len(it.Any) > 1 {
			out[i] = s.say("group", words{"what": out[i]})
		}
	}
	return strings.Join(out, s.say(kind+".joint", nil))
}

// not says a complement: with the opposite operator and those without a value where there is one.
func (s speaker) not(n *Node) string {
	if n == nil {
		return s.say("unreadable", nil)
	}
	switch n.Kind() {
	case "not":
		return s.node(n.Not)
	case "segment", "list":
		c := *n
		c.Op = "not_in"
		if n.Op == "not_in" {
			c.Op = "in"
		}
		return s.node(&c)
	case "field", "trait":
		op, ok := Opposite(n.Op)
		if !ok {
			break
		}
		c := *n
		c.Op = op
		if op == "is_set" || op == "is_not_set" {
			return s.node(&c)
		}
		sub := s.trait(n.Trait)
		if n.Field != "" {
			sub = s.field(n.Field)
		}
		sub.unset = true
		return s.say("or_unset", words{"what": s.compare(sub, &c)})
	case "record", "event":
		if n.Op == "none" {
			return s.rows(&Node{Record: n.Record, Event: n.Event, Where: n.Where, Within: n.Within})
		}
		if n.Op == "" {
			return s.rows(&Node{Record: n.Record, Event: n.Event, Where: n.Where, Within: n.Within, Op: "none"})
		}
	case "sequence":
		c := *n
		c.Op = "did_not"
		if n.Op == "did_not" {
			c.Op = "did"
		}
		return s.node(&c)
	}
	return s.say("not", words{"what": s.node(n)})
}

// subject is what a comparison is about, with what is needed to write its values.
type subject struct {
	name   string
	v      operand
	ok     bool // v is known
	object string
	unset  bool // "or not set" follows: having a value need not be said
}

func (s speaker) field(path string) subject {
	obj := s.obj
	var names []string
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if obj == nil || obj.Field(part) == nil {
			return subject{name: path}
		}
		f := obj.Field(part)
		names = append(names, s.name(f.Label, f.Key))
		if i == len(parts)-1 || f.Type != schema.Relation {
			attr := strings.Join(parts[i+1:], ".")
			if attr != "" {
				names = append(names, s.say("attribute."+attr, nil))
			}
			v, ok := operandOf(Slot{Object: obj, Field: f}, attr)
			return subject{name: strings.Join(names, s.say("of", nil)), v: v, ok: ok, object: obj.Key}
		}
		obj = s.env.Registry.Object(f.Target)
	}
	return subject{name: path}
}

func (s speaker) trait(key string) subject {
	if s.env.Traits != nil {
		if t, ok := s.env.Traits.Trait(key); ok {
			v, ok := operandOfTrait(t)
			return subject{name: s.name(t.Label, t.Key), v: v, ok: ok}
		}
	}
	return subject{name: key}
}

// compare says field, operator and value.
func (s speaker) compare(sub subject, n *Node) string {
	p := words{"field": sub.name}
	key := n.Op
	switch n.Op {
	case "is_set", "is_not_set":
		return s.say("op."+n.Op, p)
	case "within_last", "within_next", "anniversary_within":
		w, bad := ParseWindow(n.Value)
		if bad != nil {
			return s.say("unreadable", nil)
		}
		p["window"] = s.span(w, n.Op != "within_last")
		if n.Op == "anniversary_within" && sub.ok && sub.v.class == birthdayClass {
			key = "birthday_within"
		}
		return s.say("op."+key, p)
	case "between":
		low, high := s.pair(sub, n.Value)
		p["low"], p["high"] = low, high
		return s.say("op."+key+s.flavour(sub), p)
	}
	p["value"] = s.values(sub, n)
	switch n.Op {
	case "in":
		key = "="
	case "not_in":
		key = "!="
	}
	if sub.ok && sub.v.class == setClass {
		key = map[string]string{"in": "contains", "not_in": "not_contains"}[n.Op]
		if key == "" {
			key = n.Op
		}
	}
	if negative(n.Op) && sub.unset {
		return s.say("op."+key+s.flavour(sub)+".plain", p)
	}
	return s.say("op."+key+s.flavour(sub), p)
}

// flavour is the family of wordings of a class: numbers, days, regions, or the general one.
func (s speaker) flavour(sub subject) string {
	if !sub.ok {
		return ""
	}
	switch sub.v.class {
	case numberClass, moneyClass, yearClass:
		return ".number"
	case dateClass, instantClass:
		return ".date"
	case regionClass:
		return ".region"
	case setClass:
		return ".set"
	}
	return ""
}

// values are the value or values of a leaf, joined.
func (s speaker) values(sub subject, n *Node) string {
	var list []json.RawMessage
	if json.Unmarshal(n.Value, &list) != nil || list == nil {
		return s.value(sub, n.Value)
	}
	joint := "or"
	if n.Op == "contains" || n.Op == "not_contains" || (n.Op == "=" || n.Op == "!=") && sub.ok && sub.v.class == setClass {
		joint = "and"
	}
	return s.join(sub, list, joint)
}

// shownValues is how many values of a list a sentence names.
const shownValues = 8

func (s speaker) join(sub subject, list []json.RawMessage, joint string) string {
	out := make([]string, 0, min(len(list), shownValues))
	for _, v := range list[:min(len(list), shownValues)] {
		out = append(out, s.value(sub, v))
	}
	if len(list) > shownValues {
		return s.say("list_more", words{"values": strings.Join(out, s.say("join.next", nil)), "more": len(list) - shownValues, "count": len(list)})
	}
	switch len(out) {
	case 0:
		return "…"
	case 1:
		return out[0]
	}
	last := len(out) - 1
	return strings.Join(out[:last], s.say("join.next", nil)) + s.say("join."+joint, nil) + out[last]
}

func (s speaker) pair(sub subject, raw json.RawMessage) (low, high string) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) != 2 {
		return "…", "…"
	}
	return s.value(sub, list[0]), s.value(sub, list[1])
}

// span says a window of time that ends today or, looking ahead, begins today.
func (s speaker) span(w *Window, ahead bool) string {
	side := "last"
	if ahead {
		side = "next"
	}
	switch {
	case w.Hours > 0:
		return s.say("window."+side+".hours", words{"n": w.Hours})
	case w.Days.Set && w.Days.Newest > 0:
		return s.say("window."+side+".span", words{"oldest": w.Days.Oldest, "newest": w.Days.Newest})
	case w.Days.Set && w.Days.Oldest == 1:
		return s.say("window.today", nil)
	case w.Days.Set:
		return s.say("window."+side+".days", words{"n": w.Days.Oldest})
	case w.From == "":
		return s.say("window.to", words{"to": w.To})
	case w.To == "":
		return s.say("window.from", words{"from": w.From})
	}
	return s.say("window.dates", words{"from": w.From, "to": w.To})
}

// zero reports operators that hold for a count of nothing.
func zero(n *Node) bool {
	if slices.Contains([]string{"<", "<=", "!=", "not_in"}, n.Op) {
		return true
	}
	v := strings.Trim(string(n.Value), `"`)
	return (n.Op == "=" || n.Op == ">=") && v == "0"
}
