package metadata

import (
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// MaxRules is how many validation rules an object may have.
const MaxRules = 100

// checkRules says what is wrong with validation rules, and gives those without a key one.
func checkRules(reg *schema.Registry, obj *schema.Object, rules []schema.Rule) []*fault.Fault {
	if len(rules) > MaxRules {
		return []*fault.Fault{fault.InvalidField("metadata.too_many_rules", "rules", fault.Params{"max": MaxRules})}
	}
	var bad []*fault.Fault
	taken := map[string]bool{}
	for _, r := range rules {
		taken[r.Key] = true
	}
	seen := map[string]bool{}
	for i := range rules {
		r := &rules[i]
		at := "rules." + strconv.Itoa(i)
		for n := 1; r.Key == ""; n++ {
			if key := "rule_" + strconv.Itoa(n); !taken[key] {
				r.Key, taken[key] = key, true
			}
		}
		if !keyShape.MatchString(r.Key) || seen[r.Key] {
			bad = append(bad, fault.InvalidField("metadata.bad_key", at+".key", fault.Params{"key": r.Key}))
		}
		seen[r.Key] = true
		if f := checkLabel(at+".message", r.Message, true); f != nil {
			bad = append(bad, f)
		}
		if f := obj.Field(r.Field); r.Field != "" && (f == nil || f.ReadOnly) {
			bad = append(bad, fault.InvalidField("metadata.field_unknown", at+".field", fault.Params{"field": r.Field}))
		}
		p, problems := formula.CheckRule(r.When, formula.CheckEnv{Registry: reg, Object: obj})
		for _, one := range problems {
			f := one.Fault()
			f.Field = at + ".when"
			bad = append(bad, f)
		}
		if p != nil {
			r.When = p.Normal
		}
	}
	return bad
}

// ruleUsers are the validation rules that read a field, by what they say.
func ruleUsers(reg *schema.Registry, object, field string) []schema.Label {
	var out []schema.Label
	for _, o := range reg.Objects() {
		for _, r := range o.Rules {
			p, _ := r.Program().(*formula.Program)
			if o.Key == object && r.Field == field || p != nil && slices.Contains(p.Uses, formula.Use{Object: object, Field: field}) {
				out = append(out, r.Message)
			}
		}
	}
	return out
}

func inRules(f *schema.Field, messages []schema.Label) *fault.Fault {
	zh, en := make([]string, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		zh[i], en[i] = m.In("zh-CN"), m.In("en")
	}
	words := schema.Label{"zh-CN": strings.Join(zh, " / "), "en": strings.Join(en, " / ")}
	return fault.New(fault.Conflict, "metadata.field_in_rule", fault.Params{"label": f.Label, "rules": words})
}
