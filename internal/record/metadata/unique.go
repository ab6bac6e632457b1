package metadata

import (
	"context"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Limits of unique rules.
const (
	MaxUniqueRules  = 10
	MaxUniqueFields = 6
)

// checkUnique says what is wrong with unique rules, gives those without a key one, and settles where each stands: what is new, was off
// or names other fields than before is to be checked, under a physical name of its own.
func (s *Service) checkUnique(obj *schema.Object, rules []schema.UniqueRule) []*fault.Fault {
	if len(rules) > MaxUniqueRules {
		return []*fault.Fault{fault.InvalidField("metadata.too_many_unique", "unique_rules", fault.Params{"max": MaxUniqueRules})}
	}
	var bad []*fault.Fault
	taken, seen := map[string]bool{}, map[string]bool{}
	for _, r := range rules {
		taken[r.Key] = true
	}
	for i := range rules {
		r := &rules[i]
		at := "unique_rules." + strconv.Itoa(i)
		for n := 1; r.Key == ""; n++ {
			if key := "unique_" + strconv.Itoa(n); !taken[key] {
				r.Key, taken[key] = key, true
			}
		}
		if !keyShape.MatchString(r.Key) || seen[r.Key] {
			bad = append(bad, fault.InvalidField("metadata.bad_key", at+".key", fault.Params{"key": r.Key}))
		}
		seen[r.Key] = true
		bad = append(bad, checkLabel(at+".label", r.Label, true))
		if len(r.Fields) == 0 || len(r.Fields) > MaxUniqueFields {
			bad = append(bad, fault.InvalidField("metadata.unique_fields", at+".fields", fault.Params{"max": MaxUniqueFields}))
		}
		for n, key := range r.Fields {
			f := obj.Field(key)
			switch {
			case f == nil || schema.System(key) == f:
				bad = append(bad, unknownField(at+".fields", key))
			case !schema.CanBeJoined(f) || slices.Contains(r.Fields[:n], key):
				bad = append(bad, fault.InvalidField("metadata.unique_field", at+".fields", fault.Params{"field": f.Label}))
			}
		}
		s.settle(obj.UniqueRule(r.Key), r)
	}
	return bad
}

// settle says where a rule stands after a change by a person.
func (s *Service) settle(now, want *schema.UniqueRule) {
	asked := want.State
	want.Physical = ""
	if now != nil {
		want.Physical = now.Physical
	}
	same := now != nil && slices.Equal(now.Fields, want.Fields)
	switch {
	case asked == schema.UniqueOff:
		want.State = schema.UniqueOff
	case same && now.Kept():
		want.State = now.State
	case same && now.State == schema.UniqueClash && asked == schema.UniqueClash:
		want.State = schema.UniqueClash
	default:
		want.State, want.Physical = schema.UniqueChecking, "u"+strconv.FormatInt(int64(s.cfg.IDs.Next()), 36)
	}
}

// SettleUnique notes how the check of a unique rule ended: it is kept to from then on, or records clash. A check of a rule that has
// been changed meanwhile says nothing.
func (s *Service) SettleUnique(ctx context.Context, object, key, physical string, clash bool) error {
	return s.change(ctx, "object.unique", object, key, func(d *draft) error {
		spec, err := d.object(object)
		if err != nil {
			return err
		}
		for i := range spec.UniqueRules {
			if r := &spec.UniqueRules[i]; r.Key == key && r.Physical == physical && r.State == schema.UniqueChecking {
				r.State = schema.UniqueOn
				if clash {
					r.State = schema.UniqueClash
				}
				return d.put(object, "", spec)
			}
		}
		return nil
	})
}

// uniqueUsers are the unique rules that name a field, by what they are called.
func uniqueUsers(obj *schema.Object, field string) (out []schema.Label) {
	for _, u := range obj.UniqueRules {
		if slices.Contains(u.Fields, field) {
			out = append(out, u.Label)
		}
	}
	return out
}
