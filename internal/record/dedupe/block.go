package dedupe

import (
	"hash/maphash"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/match"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// block is one way in which candidates are brought together: the parts of a rule whose coarse forms they share. Rules that block alike share
// one.
type block struct {
	rule  int
	parts []int
}

// blocks picks for each rule the most telling of its needed parts.
func (c *comparer) blocks() []block {
	var out []block
	var known []string
	for i, r := range c.rules {
		b := block{rule: i, parts: c.telling(r)}
		name := ""
		for _, j := range b.parts {
			name += r.Parts[j].Field + "/" + string(r.Parts[j].Method) + "|"
		}
		if !slices.Contains(known, name) {
			known, out = append(known, name), append(out, b)
		}
	}
	return out
}

// telling are the parts that bring candidates together: a value that few share by itself, or an address, otherwise a name with all that is
// needed besides.
func (c *comparer) telling(r *Rule) []int {
	var all []int
	for j := range r.Parts {
		p := &r.Parts[j]
		f := c.obj.Field(p.Field)
		if !p.Needed {
			continue
		}
		if p.Method == Exact && selective(f, p) {
			return []int{j}
		}
		all = append(all, j)
	}
	for _, j := range all {
		if r.Parts[j].Method == Address {
			return []int{j}
		}
	}
	return all
}

// keys are the keyed hashes of a record in a block: which records share one is known in memory alone, and for one run. The seed
// differs from run to run.
func (c *comparer) keys(seed maphash.Seed, n int, b *block, r *read, out []uint64) []uint64 {
	rule := c.rules[b.rule]
	fixed := append(make([]byte, 0, 96), byte(n)) //nolint:gosec // few blocks
	var forms []string
	for _, j := range b.parts {
		v := r.parts[b.rule][j]
		if v == nil {
			return out
		}
		switch x := v.(type) {
		case *match.Name:
			forms = append(forms, "s"+x.Sound())
			if len(b.parts) > 2 { // the surname alone is too little
				forms = append(forms, "f"+x.Family())
			}
		case *match.Address:
			k := x.Block()
			if k == "" {
				return out
			}
			forms = append(forms, k)
		case string:
			if rule.Parts[j].Method == Text {
				forms = append(forms, match.TextBlocks(x)...)
				continue
			}
			fixed = append(append(fixed, x...), 0)
		}
	}
	if forms == nil {
		return append(out, maphash.Bytes(seed, fixed))
	}
	for _, f := range forms {
		out = append(out, maphash.Bytes(seed, append(fixed[:len(fixed):len(fixed)], f...)))
	}
	return out
}

// probes are the questions that find the candidates of all rules for one record; plain are its values in clear.
func (c *comparer) probes(r *read, plain []any) []record.Probe {
	var out []record.Probe
	asked := map[string]bool{}
	for i, rule := range c.rules {
		j := c.askable(rule)
		if j < 0 || c.lacks(i, r) || asked[rule.Parts[j].Field+string(rule.Parts[j].Method)] {
			continue
		}
		p := &rule.Parts[j]
		asked[p.Field+string(p.Method)] = true
		v, value := r.parts[i][j], plain[c.places[i][j]]
		if v == nil || value == nil {
			continue
		}
		switch p.Method {
		case Exact:
			out = append(out, record.Probe{Field: p.Field, Value: value})
		case Person:
			name := v.(*match.Name)
			var sets [][]string
			for _, t := range name.Tokens() {
				sets = append(sets, []string{t})
			}
			out = append(out, record.Probe{Tokens: sets}, record.Probe{Field: p.Field, Value: value})
		case Company:
			if t := lang.QueryTokens(v.(string)); len(t) > 0 {
				out = append(out, record.Probe{Tokens: [][]string{t}}, record.Probe{Field: p.Field, Value: value})
			}
		case Text:
			if t := lang.QueryTokens(text(value)); len(t) > 0 {
				out = append(out, record.Probe{Tokens: [][]string{t}}, record.Probe{Field: p.Field, Value: value})
			}
		}
	}
	return out
}

// lacks reports a record without a value that a rule needs, which the rule can find nothing for.
func (c *comparer) lacks(rule int, r *read) bool {
	for j := range c.rules[rule].Parts {
		if c.rules[rule].Parts[j].Needed && r.parts[rule][j] == nil {
			return true
		}
	}
	return false
}

// askable is the needed part by which the store can be asked: a value by index, else a name by the words of the search; -1 for none.
func (c *comparer) askable(r *Rule) int {
	best := -1
	for j := range r.Parts {
		p := &r.Parts[j]
		f := c.obj.Field(p.Field)
		if !p.Needed {
			continue
		}
		if p.Method == Exact && selective(f, p) {
			return j
		}
		words := p.Method == Person || p.Method == Company || p.Method == Text
		if best < 0 && words && (f.Searchable || c.obj.TitleField == f.Key) && f.Type == schema.Text {
			best = j
		}
	}
	return best
}
