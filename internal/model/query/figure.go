package query

import (
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Group is one key that figures are grouped by: a field (also over to-one relations, "customer.region") or a trait. By is
// how wide a group of days or regions is: day, week (from Monday), month, quarter or year of dates and instants, month when
// empty; province, city or district of regions, province when empty.
type Group struct {
	Field string `json:"field,omitempty"`
	Trait string `json:"trait,omitempty"`
	By    string `json:"by,omitempty"`
}

// Measure is one figure over the records of a group. Func is count, filled, empty, has, sum, avg, min or max; count needs no field. has is how many hold
// the option Value in a field of several choices or tags.
type Measure struct {
	Func  string `json:"func"`
	Field string `json:"field,omitempty"`
	Trait string `json:"trait,omitempty"`
	Value string `json:"value,omitempty"`
}

// Limits of a question for figures.
const (
	MaxGroups   = 2
	MaxMeasures = 60
)

// GroupKind says what the key of a group is.
type GroupKind uint8

// The kinds of group.
const (
	ByOption GroupKind = iota // key of an option, text
	ByTruth                   // bool
	ByDay                     // clock.Day: the first day of the span
	ByRecord                  // id of a record or user
	ByRegion                  // region code of the level
)

// GroupSlot is a resolved Group.
type GroupSlot struct {
	Slot
	Group   Group
	Kind    GroupKind
	Options []schema.Option // of ByOption, in their order
}

// MeasureSlot is a resolved Measure. Type and Scale tell how its values are read: number, money (minor units of the base
// currency), date or datetime.
type MeasureSlot struct {
	Slot
	Measure Measure
	Type    schema.Type
	Scale   int
}

// Figures is a resolved question for figures about records of an object.
type Figures struct {
	Object   *schema.Object
	Groups   []GroupSlot
	Measures []MeasureSlot
}

// Analytic reports whether the question names a trait, which only the analytics plane holds.
func (f *Figures) Analytic() bool {
	for i := range f.Groups {
		if f.Groups[i].Trait != nil {
			return true
		}
	}
	for i := range f.Measures {
		if f.Measures[i].Trait != nil {
			return true
		}
	}
	return false
}

// NeedsAnalytics reports whether a condition names what only the analytics plane answers: a trait, a segment, a list, an event,
// a random share or a top list. Everything else both planes answer.
func NeedsAnalytics(n *Node) (analytics bool) {
	Walk(n, func(n *Node, _ string) bool {
		switch n.Kind() {
		case "trait", "segment", "list", "event", "sequence", "random", "top":
			analytics = true
		}
		return !analytics
	})
	return analytics
}

// ResolveFigures checks groups and measures against metadata and reports all faults together: those of Resolve for fields and
// traits, query.group_type, query.group_span, query.measure_unknown, query.measure_type and query.too_many_figures.
func ResolveFigures(groups []Group, measures []Measure, env CheckEnv) (*Figures, error) {
	obj := env.Registry.Object(env.Object)
	if obj == nil {
		return nil, fault.InvalidField("query.unknown_object", "", fault.Params{"object": env.Object})
	}
	if len(groups) > MaxGroups {
		return nil, fault.InvalidField("query.too_many_figures", "group_by", fault.Params{"max": MaxGroups})
	}
	if len(measures) > MaxMeasures {
		return nil, fault.InvalidField("query.too_many_figures", "measures", fault.Params{"max": MaxMeasures})
	}
	c := &checker{env: env, obj: obj, shared: &shared{segments: map[string]resolved{}}}
	f := &Figures{Object: obj}
	for i, g := range groups {
		f.Groups = append(f.Groups, c.group(g, "group_by."+strconv.Itoa(i)))
	}
	for i, m := range measures {
		f.Measures = append(f.Measures, c.measure(m, "measures."+strconv.Itoa(i)))
	}
	return f, joined(c.faults())
}

// target finds what a group or measure names.
func (c *checker) target(field, trait, at string) (slot Slot, typ schema.Type, scale int, options []schema.Option, ok bool) {
	if trait != "" {
		v, ok := c.traitOperand(trait, at+".trait")
		if !ok || c.obj.Key != Customer {
			if ok {
				c.bad("unknown_trait", at+".trait", fault.Params{"trait": clip(trait)})
			}
			return slot, "", 0, nil, false
		}
		return v.slot, v.slot.Trait.Type, v.slot.Trait.Scale, v.slot.Trait.Options, true
	}
	slot, attr, ok := c.path(field, at+".field")
	if ok && attr != "" {
		c.bad("unknown_field", at+".field", fault.Params{"field": field, "object": c.obj.Label})
		ok = false
	}
	if !ok {
		return slot, "", 0, nil, false
	}
	return slot, slot.Field.Type, slot.Field.Scale, slot.Field.Options, true
}

func (c *checker) group(g Group, at string) GroupSlot {
	out := GroupSlot{Group: g}
	slot, typ, _, options, ok := c.target(g.Field, g.Trait, at)
	if !ok {
		return out
	}
	out.Slot, out.Options = slot, options
	out.Role = schema.Main
	spans := []string{""}
	switch typ {
	case schema.Choice:
		out.Kind = ByOption
	case schema.Bool:
		out.Kind = ByTruth
	case schema.Date, schema.DateTime:
		out.Kind, spans = ByDay, []string{"", "day", "week", "month", "quarter", "year"}
		if typ == schema.DateTime {
			out.Role = schema.DayRole
		}
		if out.Group.By == "" {
			out.Group.By = "month"
		}
		if typ == schema.DateTime && slot.Trait != nil {
			c.bad("group_type", at, fault.Params{"field": g.Trait})
		}
	case schema.Relation, schema.User:
		out.Kind = ByRecord
	case schema.Region:
		out.Kind, spans = ByRegion, []string{"", "province", "city", "district"}
		if out.Group.By == "" {
			out.Group.By = "province"
		}
	default:
		c.bad("group_type", at, fault.Params{"field": g.Field + g.Trait})
		return out
	}
	if slot.Trait == nil && slot.Field.Personal {
		c.bad("group_type", at, fault.Params{"field": g.Field})
	}
	for _, s := range spans {
		if s == g.By {
			return out
		}
	}
	c.bad("group_span", at+".by", fault.Params{"value": clip(g.By)})
	return out
}

func (c *checker) measure(m Measure, at string) MeasureSlot {
	out := MeasureSlot{Measure: m}
	if m.Func == "count" {
		return out
	}
	slot, typ, scale, options, ok := c.target(m.Field, m.Trait, at)
	if !ok {
		return out
	}
	out.Slot, out.Type, out.Scale = slot, typ, scale
	number := typ == schema.Number || typ == schema.Money || typ == schema.Rating
	var fits bool
	switch m.Func {
	case "filled", "empty":
		fits = slot.Trait != nil || len(schema.FieldColumns(slot.Field)) > 0 || schema.System(slot.Field.Key) == slot.Field
	case "has":
		fits = typ == schema.MultiChoice || typ == schema.Tags
		if typ == schema.MultiChoice && !slices.ContainsFunc(options, func(o schema.Option) bool { return o.Key == m.Value }) || m.Value == "" {
			c.bad("unknown_option", at+".value", fault.Params{"option": clip(m.Value)})
		}
	case "sum", "avg":
		fits = number
	case "min", "max":
		fits = number || typ == schema.Date || typ == schema.DateTime
	default:
		c.bad("measure_unknown", at+".func", fault.Params{"value": clip(m.Func)})
		return out
	}
	if !fits {
		c.bad("measure_type", at, fault.Params{"field": m.Field + m.Trait, "func": m.Func})
	}
	if typ == schema.Money && slot.Trait == nil && m.Func != "filled" && m.Func != "empty" && m.Func != "has" {
		out.Role = schema.Base
	}
	return out
}

// Span is the first day of the group that a day belongs to, and the first day after it.
func (g *GroupSlot) Span(d clock.Day) (from, to clock.Day) {
	t := d.Time()
	y, m := t.Year(), t.Month()
	switch g.Group.By {
	case "week":
		from = d - clock.Day((int(t.Weekday())+6)%7)
		return from, from + 7
	case "month":
		return clock.NewDay(y, m, 1), clock.NewDay(y, m+1, 1)
	case "quarter":
		first := m - (m-1)%3
		return clock.NewDay(y, first, 1), clock.NewDay(y, first+3, 1)
	case "year":
		return clock.NewDay(y, 1, 1), clock.NewDay(y+1, 1, 1)
	}
	return d, d + 1
}
