package query

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// leaf reads operator and value of a field or trait into a test.
func (c *checker) leaf(v operand, n *Node, at string) Expr {
	if !operators[n.Op] || !slices.Contains(operatorsOf(v.class), n.Op) {
		c.operator(n.Op, at)
		return All{}
	}
	r := reader{c: c, at: at + "/value"}
	if n.Op == "is_set" || n.Op == "is_not_set" {
		if n.Value != nil {
			c.bad("value_not_expected", r.at, fault.Params{"op": n.Op})
		}
		t := Test{Kind: IsSet}
		if n.Op == "is_not_set" {
			t.Kind = IsNotSet
		}
		if v.class != exactClass && v.class != yearClass && v.class != regionClass {
			v.slot.Role = schema.Main // whether there is a value does not depend on its other forms
		}
		if v.class == yearClass {
			// A birthday without year has none.
			lo := int64(10000)
			t = Test{Kind: Between, Ranges: []Range{{Lo: &lo}}}
			if n.Op == "is_not_set" {
				return Not{Item: Leaf{Slot: v.slot, Test: t}}
			}
		}
		return Leaf{Slot: v.slot, Test: t}
	}
	if len(n.Value) == 0 || !onlyValue(n.Value) || string(n.Value) == "null" {
		c.bad("value_missing", r.at, nil)
		return All{}
	}
	t, slot, ok := r.test(v, n.Op, n.Value)
	if !ok {
		return All{}
	}
	return Leaf{Slot: slot, Test: t}
}

// test reads a value for an operator that the class allows. The slot comes back because a comparison of an instant with
// a day looks at the day column.
func (r reader) test(v operand, op string, raw json.RawMessage) (Test, Slot, bool) {
	slot := v.slot
	var t Test
	ok := false
	switch v.class {
	case textClass, exactClass, filesClass:
		t, ok = r.textTest(v, op, raw)
	case choiceClass, personalClass, pointerClass:
		t, ok = r.keyTest(v, op, raw)
	case setClass:
		t, ok = r.setTest(v, op, raw)
	case regionClass:
		t, ok = r.regionTest(op, raw)
	case idClass:
		t, ok = r.oneOf(op, raw, func(raw json.RawMessage, at string) (int64, bool) { return r.id(v, raw, at) })
	case numberClass, moneyClass:
		t, ok = r.numberTest(v, op, raw)
	case yearClass:
		t, ok = r.yearTest(op, raw)
	case boolClass:
		var b bool
		b, ok = r.truth(raw)
		t = Test{Kind: IsTrue, Bool: b, Not: op == "!="}
	case dateClass, instantClass, birthdayClass:
		return r.timeTest(v, op, raw)
	}
	return t, slot, ok
}

// each reads one value or, for in and not_in, a list of them.
func (r reader) each(op string, raw json.RawMessage, read func(json.RawMessage, string) bool) bool {
	if op != "in" && op != "not_in" && op != "between" {
		r.c.spend(1, r.at)
		return read(raw, r.at)
	}
	items, ok := r.items(raw)
	if !ok {
		return false
	}
	r.c.spend(len(items), r.at)
	if op == "between" && len(items) != 2 {
		r.wrong(r.at, "pair")
		return false
	}
	for i, it := range items {
		ok = read(it, r.at+"/"+strconv.Itoa(i)) && ok
	}
	return ok
}

func negative(op string) bool { return op == "!=" || op == "not_in" || op == "not_contains" }

func (r reader) textTest(v operand, op string, raw json.RawMessage) (Test, bool) {
	if op == "matches" {
		s, ok := r.text(raw, r.at)
		if !ok {
			return Test{}, false
		}
		p, re, err := Pattern(s, v.class == textClass)
		if err != nil {
			r.bad("bad_pattern", r.at, nil)
			r.c.found[len(r.c.found)-1].Cause = err
			return Test{}, false
		}
		return Test{Kind: Matches, Pattern: p, matcher: re}, true
	}
	var words []string
	whole := op == "=" || op == "!=" || op == "in" || op == "not_in"
	f := v.slot.Field
	contact := f != nil && whole && v.class == textClass && (f.Type == schema.Phone || f.Type == schema.Email)
	ok := r.each(op, raw, func(raw json.RawMessage, at string) bool {
		s, ok := "", false
		if contact {
			s, ok = r.normal(f, raw, at)
		} else {
			s, ok = r.word(v, raw, at)
		}
		words = append(words, s)
		return ok
	})
	if !ok {
		return Test{}, false
	}
	first := words[0]
	switch op {
	case "contains", "not_contains":
		return Test{Kind: Contains, Texts: words, Not: negative(op)}, true
	case "starts_with":
		return Test{Kind: TextBetween, Spans: []TextRange{prefixed(first)}}, true
	case "ends_with":
		return Test{Kind: EndsWith, Texts: words}, true
	case ">", ">=":
		return Test{Kind: TextBetween, Spans: []TextRange{{Lo: &first, LoStrict: op == ">"}}}, true
	case "<", "<=":
		return Test{Kind: TextBetween, Spans: []TextRange{{Hi: &first, HiStrict: op == "<"}}}, true
	case "between":
		return Test{Kind: TextBetween, Spans: []TextRange{{Lo: &first, Hi: &words[1]}}}, true
	}
	return Test{Kind: TextIn, Texts: words, Not: negative(op)}, true
}

// prefixed are the texts that begin with a prefix: from it up to, and without, the next one of its length.
func prefixed(prefix string) TextRange {
	t := TextRange{Lo: &prefix}
	r := []rune(prefix)
	for len(r) > 0 {
		last := len(r) - 1
		switch r[last] {
		case 0x10FFFF:
			r = r[:last]
			continue
		case 0xD7FF:
			r[last] = 0xE000
		default:
			r[last]++
		}
		next := string(r)
		t.Hi, t.HiStrict = &next, true
		break
	}
	return t
}

func (r reader) keyTest(v operand, op string, raw json.RawMessage) (Test, bool) {
	var keys []string
	ok := r.each(op, raw, func(raw json.RawMessage, at string) bool {
		s, ok := "", false
		switch v.class {
		case personalClass:
			s, ok = r.normal(v.slot.Field, raw, at)
			if ok && r.c.env.Blinds != nil {
				keys = append(keys, r.c.env.Blinds(v.slot.Field, s)...)
				return true
			}
			if ok && r.c.env.Blind != nil {
				s = r.c.env.Blind(v.slot.Field, s)
			} else {
				s = ""
			}
		case pointerClass:
			s, ok = r.pointer(v.slot.Field, raw, at)
		default:
			s, ok = r.key(v, raw, at)
		}
		keys = append(keys, s)
		return ok
	})
	return Test{Kind: TextIn, Texts: keys, Not: negative(op)}, ok
}

// setTest: contains asks for all keys given (one or a list), in for one of them, "=" for exactly them.
func (r reader) setTest(v operand, op string, raw json.RawMessage) (Test, bool) {
	var keys []string
	as := op
	if op != "in" && op != "not_in" && starts(raw, '[') {
		as = "in" // a list is allowed everywhere
	}
	ok := r.each(as, raw, func(raw json.RawMessage, at string) bool {
		s, ok := r.key(v, raw, at)
		keys = append(keys, s)
		return ok
	})
	slices.Sort(keys)
	keys = slices.Compact(keys)
	t := Test{Kind: HasAny, Texts: keys, Not: negative(op)}
	switch op {
	case "contains", "not_contains":
		t.Kind = HasAll
	case "=", "!=":
		t.Kind, t.Texts = TextIn, []string{List(keys)}
	}
	return t, ok
}

func (r reader) regionTest(op string, raw json.RawMessage) (Test, bool) {
	t := Test{Kind: TextBetween, Not: negative(op)}
	ok := r.each(op, raw, func(raw json.RawMessage, at string) bool {
		code, ok := r.region(raw, at)
		if ok {
			t.Spans = append(t.Spans, prefixed(region.Prefix(code)))
		}
		return ok
	})
	return t, ok
}

func (r reader) oneOf(op string, raw json.RawMessage, read func(json.RawMessage, string) (int64, bool)) (Test, bool) {
	t := Test{Kind: OneOf, Not: negative(op)}
	ok := r.each(op, raw, func(raw json.RawMessage, at string) bool {
		n, ok := read(raw, at)
		t.Ints = append(t.Ints, n)
		return ok
	})
	slices.Sort(t.Ints)
	t.Ints = slices.Compact(t.Ints)
	return t, ok
}

func (r reader) numberTest(v operand, op string, raw json.RawMessage) (Test, bool) {
	if op == "in" || op == "not_in" {
		return r.oneOf(op, raw, func(raw json.RawMessage, at string) (int64, bool) { return r.integer(v, raw, at) })
	}
	var ns []int64
	ok := r.each(op, raw, func(raw json.RawMessage, at string) bool {
		n, ok := r.integer(v, raw, at)
		ns = append(ns, n)
		return ok
	})
	if !ok {
		return Test{}, false
	}
	return Test{Kind: Between, Ranges: []Range{ranged(op, ns)}, Not: op == "!="}, true
}

// ranged is the range of a comparison; "!=" is that of "=".
func ranged(op string, ns []int64) Range {
	n := ns[0]
	switch op {
	case ">", "after":
		return Range{Lo: &n, LoStrict: true}
	case ">=":
		return Range{Lo: &n}
	case "<", "before":
		return Range{Hi: &n, HiStrict: true}
	case "<=":
		return Range{Hi: &n}
	case "between":
		return closed(n, ns[1])
	}
	return point(n)
}

// yearTest compares the year of a birthday, which is stored as year*10000+month*100+day with year 0 for none.
func (r reader) yearTest(op string, raw json.RawMessage) (Test, bool) {
	t, ok := r.numberTest(operand{class: numberClass}, op, raw)
	if !ok {
		return t, false
	}
	if t.Kind == OneOf {
		for _, n := range t.Ints {
			t.Ranges = append(t.Ranges, point(n))
		}
		t.Kind, t.Ints = Between, nil
	}
	for i, y := range t.Ranges {
		lo, hi := int64(1), int64(9999)
		if y.Lo != nil {
			lo = min(max(lo, *y.Lo+int64(b2i(y.LoStrict))), 10000)
		}
		if y.Hi != nil {
			hi = max(min(hi, *y.Hi-int64(b2i(y.HiStrict))), 0)
		}
		t.Ranges[i] = closed(lo*10000, hi*10000+9999)
	}
	if t.Not { // the opposite among those whose year is known
		return Test{Kind: Between, Ranges: gaps(t.Ranges)}, true
	}
	return t, true
}

// gaps are the spans between ranges of years in ascending order.
func gaps(ranges []Range) []Range {
	var out []Range
	lo := int64(10000)
	for _, r := range ranges {
		if *r.Lo > lo {
			out = append(out, closed(lo, *r.Lo-1))
		}
		lo = max(lo, *r.Hi+1)
	}
	return append(out, closed(lo, 99999999))
}

// timeTest reads comparisons with days, instants and windows.
func (r reader) timeTest(v operand, op string, raw json.RawMessage) (Test, Slot, bool) {
	days := v.slot
	unit := inDays
	if v.class == instantClass {
		if v.days {
			days.Role = schema.DayRole
		} else {
			unit = inInstants
		}
	}
	switch op {
	case "within_last", "within_next":
		s, ok := r.relative(v, op, raw)
		if !ok {
			return Test{}, days, false
		}
		if s.kind == lastHours || s.kind == nextHours {
			return Test{span: s}, v.slot, true
		}
		s.unit = unit
		return Test{span: s}, days, true
	case "anniversary_within":
		s, ok := r.anniversary(raw)
		if !ok {
			return Test{}, days, false
		}
		r.c.spend(anniversaryConstants, r.at)
		s.unit, s.birthday = unit, v.class == birthdayClass
		return Test{span: s}, days, true
	}
	var ns []int64
	instants := 0
	ok := r.each(op, raw, func(raw json.RawMessage, at string) bool {
		n, instant, ok := r.moment(v, raw, at)
		ns, instants = append(ns, n), instants+b2i(instant)
		return ok
	})
	switch {
	case !ok:
		return Test{}, days, false
	case instants == len(ns):
		return Test{Kind: Between, Ranges: []Range{ranged(op, ns)}, Not: op == "!="}, v.slot, true
	case instants > 0:
		r.wrong(r.at, "pair")
		return Test{}, days, false
	}
	rg := ranged(op, ns)
	if unit == inDays {
		return Test{Kind: Between, Ranges: []Range{rg}, Not: op == "!="}, days, true
	}
	return Test{span: daySpan(rg), Not: op == "!="}, days, true
}

// daySpan is a fixed range of days whose slot holds instants.
func daySpan(r Range) *span {
	s := &span{kind: dates, unit: inInstants}
	if r.Lo != nil {
		d := clock.Day(*r.Lo + int64(b2i(r.LoStrict))) //nolint:gosec // a calendar day
		s.from = &d
	}
	if r.Hi != nil {
		d := clock.Day(*r.Hi - int64(b2i(r.HiStrict))) //nolint:gosec // a calendar day
		s.to = &d
	}
	return s
}

// relative reads the window of within_last and within_next.
func (r reader) relative(v operand, op string, raw json.RawMessage) (*span, bool) {
	w, f := ParseWindow(raw)
	if f != nil {
		r.c.found = append(r.c.found, f.At(r.at))
		return nil, false
	}
	next := op == "within_next"
	switch {
	case w.Days.Set && next:
		return &span{kind: nextDays, oldest: w.Days.Oldest, newest: w.Days.Newest}, true
	case w.Days.Set:
		return &span{kind: lastDays, oldest: w.Days.Oldest, newest: w.Days.Newest}, true
	case w.Hours > 0 && v.class == dateClass:
		r.bad("window_needs_time", r.at, nil)
	case w.Hours > 0 && next:
		return &span{kind: nextHours, oldest: w.Hours}, true
	case w.Hours > 0:
		return &span{kind: lastHours, oldest: w.Hours}, true
	default:
		r.bad("bad_window", r.at, nil)
	}
	return nil, false
}

// anniversaryConstants is about how many values an anniversary compares with: two days of each year.
const anniversaryConstants = 250

// maxAhead bounds the window of an anniversary: a year has all days.
const maxAhead = 366

// anniversary reads the window of anniversary_within: days ahead, today included, or dates.
func (r reader) anniversary(raw json.RawMessage) (*span, bool) {
	w, f := ParseWindow(raw)
	if f != nil {
		r.c.found = append(r.c.found, f.At(r.at))
		return nil, false
	}
	s := &span{kind: anniversary, oldest: w.Days.Oldest, newest: w.Days.Newest}
	switch {
	case w.Hours > 0, w.Days.Oldest-w.Days.Newest > maxAhead, w.Days.Oldest > 2*maxAhead:
		r.bad("bad_window", r.at, nil)
		return nil, false
	case w.Days.Set:
		return s, true
	}
	from, to, ok := r.c.dates(w, r.at)
	if ok && (from == nil || to == nil || *to-*from >= maxAhead) {
		r.bad("bad_window", r.at, nil)
		ok = false
	}
	s.from, s.to = from, to
	return s, ok
}

// dates reads from and to; a nil end is open.
func (c *checker) dates(w *Window, at string) (from, to *clock.Day, ok bool) {
	r := reader{c: c, at: at}
	ok = true
	if w.From != "" {
		d, good := r.day(w.From, at+"/from")
		from, ok = &d, good
	}
	if w.To != "" {
		d, good := r.day(w.To, at+"/to")
		to, ok = &d, ok && good
	}
	if ok && (from == nil && to == nil || from != nil && to != nil && *from > *to) {
		c.bad("bad_window", at, nil)
		ok = false
	}
	return from, to, ok
}
