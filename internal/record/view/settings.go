package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Kind is how a view shows records.
type Kind string

// The kinds of view. Every object has all of them.
const (
	List     Kind = "list"
	Board    Kind = "board"
	Calendar Kind = "calendar"
	Cards    Kind = "cards"
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{List, Board, Calendar, Cards} }

// Limits of the settings of a view.
const (
	MaxFrozen = 4
	MaxWidth  = 2000
	MaxLimits = 200 // columns of a board with a limit or collapsed
)

// Settings are those of a view beside columns, condition and order. What is not set is the interface's usual.
type Settings struct {
	// Widths of columns in pixels.
	Widths map[string]int `json:"widths,omitempty"`
	// Frozen is how many columns stay in sight at the left, the title included; 0 is 1.
	Frozen int `json:"frozen,omitempty"`
	// Group of a list.
	Group *query.Group `json:"group,omitempty"`
	// Totals are the figures under the columns: column to count, filled, empty, sum, avg, min or max.
	Totals map[string]string `json:"totals,omitempty"`
	// Columns of a board: Board groups, Measure is the total in their heads, Limits warn by key of a column, Collapsed are narrow.
	Board     *query.Group   `json:"board,omitempty"`
	Measure   *query.Measure `json:"measure,omitempty"`
	Limits    map[string]int `json:"limits,omitempty"`
	Collapsed []string       `json:"collapsed,omitempty"`
	// Date is the field that a calendar shows records by; Span is month, week or agenda.
	Date string `json:"date,omitempty"`
	Span string `json:"span,omitempty"`
}

// Without leaves out what names a field that a reader does not see.
func (o Settings) Without(hidden func(field string) bool) Settings {
	first := func(field string) string { // of a path over relations the reader must see the first step
		head, _, _ := strings.Cut(field, ".")
		return head
	}
	gone := func(g *query.Group) bool { return g != nil && g.Field != "" && hidden(first(g.Field)) }
	if gone(o.Group) {
		o.Group = nil
	}
	if gone(o.Board) {
		o.Board, o.Limits, o.Collapsed = nil, nil, nil
	}
	if o.Measure != nil && o.Measure.Field != "" && hidden(first(o.Measure.Field)) {
		o.Measure = nil
	}
	if o.Date != "" && hidden(o.Date) {
		o.Date = ""
	}
	o.Totals, o.Widths = maps.Clone(o.Totals), maps.Clone(o.Widths)
	maps.DeleteFunc(o.Totals, func(k, _ string) bool { return hidden(k) })
	maps.DeleteFunc(o.Widths, func(k string, _ int) bool { return hidden(k) })
	return o
}

// badOptions finds what is wrong with the settings of a view.
func (s *Service) badOptions(obj *schema.Object, o *Settings) (bad []*fault.Fault) {
	wrong := func(name string) {
		bad = append(bad, fault.InvalidField("view.option_invalid", "options."+name, fault.Params{"name": name}))
	}
	for c, w := range o.Widths {
		if !s.columnKnown(obj, c) || w < 0 || w > MaxWidth {
			wrong("widths")
			break
		}
	}
	if o.Frozen < 0 || o.Frozen > MaxFrozen {
		wrong("frozen")
	}
	if len(o.Limits) > MaxLimits || len(o.Collapsed) > MaxLimits {
		wrong("limits")
	}
	for _, n := range o.Limits {
		if n < 0 {
			wrong("limits")
			break
		}
	}
	for c := range o.Totals {
		if !s.columnKnown(obj, c) {
			wrong("totals")
			break
		}
	}
	env := query.CheckEnv{Registry: s.cfg.Registry(), Object: obj.Key, Use: query.ForList}
	if s.cfg.Traits != nil {
		env.Traits = s.cfg.Traits()
	}
	figures := func(name string, groups []query.Group, measures []query.Measure) {
		if _, err := query.ResolveFigures(groups, measures, env); err != nil {
			wrong(name)
		}
	}
	for name, g := range map[string]*query.Group{"group": o.Group, "board": o.Board} {
		if g != nil {
			figures(name, []query.Group{*g}, nil)
		}
	}
	if o.Measure != nil {
		figures("measure", nil, []query.Measure{*o.Measure})
	}
	if o.Date != "" {
		if f := obj.Field(o.Date); f == nil || f.Type != schema.Date && f.Type != schema.DateTime {
			wrong("date")
		}
	}
	if o.Span != "" && !slices.Contains([]string{"month", "week", "agenda"}, o.Span) {
		wrong("span")
	}
	return bad
}

func badKind(k Kind) *fault.Fault {
	if slices.Contains(Kinds(), k) {
		return nil
	}
	return fault.InvalidField("view.kind_unknown", "kind", fault.Params{"value": fmt.Sprintf("%.20s", string(k))})
}
