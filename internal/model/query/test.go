package query

import (
	"cmp"
	"slices"
	"strings"
)

// List is the stored form of a list of keys: "|a|b|", sorted and without repetition.
func List(keys []string) string {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return "|" + strings.Join(slices.Compact(keys), "|") + "|"
}

// holds answers a bound test of a stored value: int64, string, bool or nil for none.
func (t *Test) holds(v any) bool {
	switch t.Kind {
	case IsSet:
		return v != nil
	case IsNotSet:
		return v == nil
	case Between, OneOf:
		n, ok := v.(int64)
		return ok && t.holdsInt(n)
	case IsTrue:
		b, ok := v.(bool)
		return ok && (b == t.Bool) != t.Not
	}
	s, ok := v.(string)
	return ok && t.holdsText(s)
}

func (t *Test) holdsInt(n int64) bool {
	if t.Kind == OneOf {
		_, found := slices.BinarySearch(t.Ints, n)
		return found != t.Not
	}
	return inRanges(t.Ranges, n) != t.Not
}

func inRanges(ranges []Range, n int64) bool {
	for _, r := range ranges {
		if r.has(func(bound int64) int { return cmp.Compare(n, bound) }) {
			return true
		}
	}
	return false
}

// has reports whether a value lies in the range; order compares the value with a bound.
func (r Range) has(order func(bound int64) int) bool {
	if r.Lo != nil {
		if c := order(*r.Lo); c < 0 || c == 0 && r.LoStrict {
			return false
		}
	}
	if r.Hi != nil {
		if c := order(*r.Hi); c > 0 || c == 0 && r.HiStrict {
			return false
		}
	}
	return true
}

func (t *Test) holdsText(s string) bool {
	found := false
	switch t.Kind {
	case TextIn:
		found = slices.Contains(t.Texts, s)
	case TextBetween:
		found = slices.ContainsFunc(t.Spans, func(r TextRange) bool { return r.has(s) })
	case Contains:
		found = strings.Contains(s, t.Texts[0])
	case EndsWith:
		found = strings.HasSuffix(s, t.Texts[0])
	case Matches:
		found = t.matcher.MatchString(s)
	case HasAll:
		found = !slices.ContainsFunc(t.Texts, func(k string) bool { return !strings.Contains(s, "|"+k+"|") })
	case HasAny:
		found = slices.ContainsFunc(t.Texts, func(k string) bool { return strings.Contains(s, "|"+k+"|") })
	}
	return found != t.Not
}

func (r TextRange) has(s string) bool {
	if r.Lo != nil && (s < *r.Lo || r.LoStrict && s == *r.Lo) {
		return false
	}
	return r.Hi == nil || s < *r.Hi || !r.HiStrict && s == *r.Hi
}
