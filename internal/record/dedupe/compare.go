package dedupe

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/match"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Reason is why a rule holds: one of its parts.
type Reason struct {
	Field  string `json:"field"`
	Method Method `json:"method"`
	Alike  int    `json:"alike"` // per cent
}

// hit is what a rule says of two records.
type hit struct {
	rule    *Rule
	score   int // per cent
	reasons []Reason
}

// comparer compares records of one object by some rules. It belongs to one goroutine.
type comparer struct {
	obj     *schema.Object
	rules   []*Rule
	facets  []record.Facet
	places  [][]int // rule, part → facet
	speller *match.Speller
}

func newComparer(obj *schema.Object, rules []Rule, keep func(*Rule) bool) *comparer {
	c := &comparer{obj: obj, speller: match.NewSpeller()}
	for i := range rules {
		r := &rules[i]
		if !keep(r) || Check(obj, []Rule{*r}) != nil { // its field was archived
			continue
		}
		places := make([]int, len(r.Parts))
		for j, p := range r.Parts {
			f := record.Facet{Field: p.Field, Clear: p.Method == Address}
			at := slices.Index(c.facets, f)
			if at < 0 {
				at = len(c.facets)
				c.facets = append(c.facets, f)
			}
			places[j] = at
		}
		c.rules, c.places = append(c.rules, r), append(c.places, places)
	}
	return c
}

// read is a record whose values are ready to be compared: a value for each part of each rule.
type read struct {
	id      id.ID
	deleted bool
	parts   [][]any // rule, part: string, *match.Name, *match.Address, nil for none
}

func (c *comparer) read(r *record.Compared) *read {
	out := &read{id: r.ID, deleted: r.Deleted, parts: make([][]any, len(c.rules))}
	names := map[int]*match.Name{}
	for i, rule := range c.rules {
		out.parts[i] = make([]any, len(rule.Parts))
		for j := range rule.Parts {
			at := c.places[i][j]
			v := r.Values[at]
			if v == nil {
				continue
			}
			if rule.Parts[j].Method == Person {
				if names[at] == nil {
					n := c.speller.Name(text(v))
					names[at] = &n
				}
				out.parts[i][j] = names[at]
				continue
			}
			out.parts[i][j] = form(rule.Parts[j].Method, v)
		}
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// form is what a value is compared as; nil when it says nothing.
func form(m Method, v any) any {
	orNil := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	switch m {
	case Company:
		return orNil(lang.CompanyKey(text(v)))
	case Text:
		return orNil(strings.ReplaceAll(lang.Fold(text(v)), " ", ""))
	case Address:
		if a, ok := v.(schema.AddressValue); ok {
			s := match.Street(a.Region, a.Street)
			if !s.Empty() {
				return &s
			}
		}
		return nil
	case Place:
		if s := text(v); len(s) >= 4 {
			return s[:4]
		}
		return nil
	}
	switch x := v.(type) {
	case string:
		return orNil(lang.Fold(x))
	case json.RawMessage:
		return orNil(string(x))
	}
	return orNil(fmt.Sprint(v))
}

// alike compares two values of a part, in per cent.
func alike(p *Part, a, b any) int {
	var sim float64
	switch p.Method {
	case Person:
		sim = match.Persons(a.(*match.Name), b.(*match.Name))
	case Company:
		sim = match.Companies(a.(string), b.(string))
	case Text:
		sim = match.Texts(a.(string), b.(string))
	case Address:
		sim = match.Addresses(a.(*match.Address), b.(*match.Address))
	default:
		if a == b {
			sim = 1
		}
	}
	n := int(sim*100 + 0.5)
	if n < p.Least {
		return 0
	}
	return n
}

// best is the rule that says most of two records; ok is false when none holds.
func (c *comparer) best(a, b *read) (best hit, ok bool) {
	for i, rule := range c.rules {
		if h, holds := c.hold(rule, a.parts[i], b.parts[i]); holds && (!ok || h.score > best.score || h.score == best.score && rule.Sure && !best.rule.Sure) {
			best, ok = h, true
		}
	}
	return best, ok
}

func (c *comparer) hold(rule *Rule, a, b []any) (hit, bool) {
	sum, weight := 0, 0
	h := hit{rule: rule}
	for j := range rule.Parts {
		p := &rule.Parts[j]
		if a[j] == nil || b[j] == nil {
			if p.Needed {
				return h, false
			}
			continue
		}
		n := alike(p, a[j], b[j])
		if n == 0 && p.Needed {
			return h, false
		}
		sum, weight = sum+n*p.Weight, weight+p.Weight
		if n > 0 {
			h.reasons = append(h.reasons, Reason{Field: p.Field, Method: p.Method, Alike: n})
		}
	}
	if weight == 0 {
		return h, false
	}
	h.score = (sum + weight/2) / weight
	return h, h.score >= rule.Threshold
}
