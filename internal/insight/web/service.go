package web

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Limits of questions.
const (
	MaxDays    = 731
	MaxHours   = 7 // days of a trend by hours
	MaxRows    = 10_000
	MaxSteps   = 8
	MaxWindow  = 365
	MaxMatches = 5
	maxText    = 2000
	maxNodes   = 20
)

// Config is what a Service is made of.
type Config struct {
	Facts Facts
	Store Store
	Clock clock.Clock
	IDs   *id.Generator
	// Check refuses a condition about customers that the actor may not use.
	Check func(ctx context.Context, where *query.Node) error
	// Classification reports whether there is one of a key.
	Classification func(ctx context.Context, key string) (bool, error)
}

// Service is the behaviour of web analytics. It is safe for concurrent use.
type Service struct{ c Config }

// New makes a Service.
func New(c Config) *Service { return &Service{c: c} }

func may(ctx context.Context) error {
	if access.From(ctx).Can(access.WebRead) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.WebRead)})
}

// check refuses a question that makes no sense, and finds the condition of its segment.
func (s *Service) check(ctx context.Context, q *Question) error {
	if err := may(ctx); err != nil {
		return err
	}
	switch {
	case q.To < q.From:
		return fault.InvalidField("web.bad_span", "to", nil)
	case q.Days() > MaxDays:
		return fault.InvalidField("web.long_span", "to", fault.Params{"max": MaxDays})
	case len(q.Goal) > maxText:
		return fault.InvalidField("web.long_text", "goal", fault.Params{"max": maxText})
	}
	for d, v := range q.Is {
		if !slices.Contains(Dimensions(), d) {
			return fault.InvalidField("web.bad_dimension", "filter."+string(d), nil)
		}
		if len(v) > maxText {
			return fault.InvalidField("web.long_text", "filter."+string(d), fault.Params{"max": maxText})
		}
	}
	if q.Segment == "" {
		return nil
	}
	if !access.From(ctx).Can(access.SegmentRead) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SegmentRead)})
	}
	node := &query.Node{Segment: q.Segment, Op: "in"}
	if err := s.c.Check(ctx, node); err != nil {
		if f, ok := fault.Find(err); ok {
			return fault.InvalidField(f.Code, "filter.segment", f.Params)
		}
		return err
	}
	q.members = node
	return nil
}

// Overview is the figures of a span beside those of the span before it.
type Overview struct {
	Any         bool // there is an event at all, of whatever day
	Now, Before Totals
	Trend, Past []Bucket
}

// Overview computes the figures of the span and of the one before, by days or hours.
func (s *Service) Overview(ctx context.Context, q Question, hours bool) (*Overview, error) {
	if err := s.check(ctx, &q); err != nil {
		return nil, err
	}
	if hours && q.Days() > MaxHours {
		return nil, fault.InvalidField("web.too_many_hours", "by", fault.Params{"max": MaxHours})
	}
	before := q
	before.Span = q.Before()
	o := &Overview{}
	for _, step := range []func() error{
		func() (err error) { o.Any, err = s.c.Facts.Any(ctx); return },
		func() (err error) { o.Now, err = s.c.Facts.Totals(ctx, q); return },
		func() (err error) { o.Before, err = s.c.Facts.Totals(ctx, before); return },
		func() (err error) { o.Trend, err = s.c.Facts.Trend(ctx, q, hours); return },
		func() (err error) { o.Past, err = s.c.Facts.Trend(ctx, before, hours); return },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func rows(n int) (int, error) {
	switch {
	case n == 0:
		return 100, nil
	case n < 0 || n > MaxRows:
		return 0, fault.InvalidField("web.bad_limit", "limit", fault.Params{"max": MaxRows})
	}
	return n, nil
}

// cut drops the row that was read to know of more.
func cut[T any](list []T, limit int, err error) ([]T, bool, error) {
	if err != nil || len(list) <= limit {
		return list, false, err
	}
	return list[:limit], true, nil
}

// Breakdown is the figures by the values of a dimension, most visits first; more tells that there are others.
func (s *Service) Breakdown(ctx context.Context, q Question, by Dimension, limit int) (list []Row, more bool, err error) {
	if err := s.check(ctx, &q); err != nil {
		return nil, false, err
	}
	if !slices.Contains(Dimensions(), by) {
		return nil, false, fault.InvalidField("web.bad_dimension", "by", nil)
	}
	if limit, err = rows(limit); err != nil {
		return nil, false, err
	}
	list, err = s.c.Facts.Breakdown(ctx, q, by, limit+1)
	return cut(list, limit, err)
}

// Pages are the pages and screens, most views first.
func (s *Service) Pages(ctx context.Context, q Question, limit int) (list []Page, more bool, err error) {
	if err := s.check(ctx, &q); err != nil {
		return nil, false, err
	}
	if limit, err = rows(limit); err != nil {
		return nil, false, err
	}
	list, err = s.c.Facts.Pages(ctx, q, limit+1)
	return cut(list, limit, err)
}

// Events are the events by name, most frequent first.
func (s *Service) Events(ctx context.Context, q Question, limit int) (list []Event, more bool, err error) {
	if err := s.check(ctx, &q); err != nil {
		return nil, false, err
	}
	if limit, err = rows(limit); err != nil {
		return nil, false, err
	}
	list, err = s.c.Facts.Events(ctx, q, limit+1)
	return cut(list, limit, err)
}

// Funnel counts who took the steps. With a split the whole stands under no group first: Split holds the rows of each group.
func (s *Service) Funnel(ctx context.Context, q Question, f Funnel) (whole, split []Reached, err error) {
	if err := s.check(ctx, &q); err != nil {
		return nil, nil, err
	}
	if err := s.checkFunnel(ctx, f); err != nil {
		return nil, nil, err
	}
	plain := f
	plain.By = ""
	if whole, err = s.c.Facts.Funnel(ctx, q, plain); err != nil || f.By == "" {
		return whole, nil, err
	}
	split, err = s.c.Facts.Funnel(ctx, q, f)
	return whole, split, err
}

// ClassBy begins a split by a classification.
const ClassBy = "class:"

func (s *Service) checkFunnel(ctx context.Context, f Funnel) error {
	if len(f.Steps) < 2 || len(f.Steps) > MaxSteps {
		return fault.InvalidField("web.bad_steps", "steps", fault.Params{"min": 2, "max": MaxSteps})
	}
	if f.Window < 1 || f.Window > MaxWindow {
		return fault.InvalidField("web.bad_window", "window_days", fault.Params{"min": 1, "max": MaxWindow})
	}
	var bad []*fault.Fault
	for i, step := range f.Steps {
		at := "steps." + itoa(i)
		if strings.TrimSpace(step.Event) == "" {
			bad = append(bad, fault.InvalidField("web.event_required", at+".event", nil))
		}
		if len(step.Event) > maxText || len(step.Path) > maxText {
			bad = append(bad, fault.InvalidField("web.long_text", at+".event", fault.Params{"max": maxText}))
		}
		bad = append(bad, checkMatches(step.Where, at)...)
	}
	if err := fault.Join("web.bad_funnel", bad); err != nil {
		return err
	}
	if f.By == "" || slices.Contains(Dimensions(), Dimension(f.By)) {
		return nil
	}
	key, ok := strings.CutPrefix(f.By, ClassBy)
	if ok {
		var err error
		if ok, err = s.c.Classification(ctx, key); err != nil {
			return err
		}
	}
	if !ok {
		return fault.InvalidField("web.bad_dimension", "by", nil)
	}
	return nil
}

func checkMatches(list []Match, at string) []*fault.Fault {
	var bad []*fault.Fault
	if len(list) > MaxMatches {
		bad = append(bad, fault.InvalidField("web.many_conditions", at+".where", fault.Params{"max": MaxMatches}))
	}
	for i, m := range list {
		at := at + ".where." + itoa(i)
		switch {
		case strings.TrimSpace(m.Property) == "" || len(m.Property) > 200:
			bad = append(bad, fault.InvalidField("web.property_required", at+".property", nil))
		case !slices.Contains(Ops(), m.Op):
			bad = append(bad, fault.InvalidField("web.bad_op", at+".op", nil))
		case len(m.Value) > maxText:
			bad = append(bad, fault.InvalidField("web.long_text", at+".value", fault.Params{"max": maxText}))
		case Numeric(m.Op) && !number(m.Value):
			bad = append(bad, fault.InvalidField("web.number_required", at+".value", nil))
		}
	}
	return bad
}

// Numeric reports whether an operator compares numbers.
func Numeric(op string) bool { return op == ">" || op == ">=" || op == "<" || op == "<=" }

// number is a plain decimal: up to 18 digits, and up to 6 behind the point.
func number(s string) bool {
	whole, part, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	digits := func(s string, most int) bool {
		return len(s) > 0 && len(s) <= most && strings.Trim(s, "0123456789") == ""
	}
	return digits(whole, 18) && (!point || digits(part, 6))
}

// Paths are the links of the ways, in the order of steps, the widest first.
func (s *Service) Paths(ctx context.Context, q Question, p Paths) ([]Link, error) {
	if err := s.check(ctx, &q); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	list, err := s.c.Facts.Paths(ctx, q, p)
	if err != nil {
		return nil, err
	}
	return fold(list, p.Top), nil
}

func (p Paths) check() error {
	switch {
	case p.Nodes != PathPages && p.Nodes != PathEvents && p.Nodes != PathBoth:
		return fault.InvalidField("web.bad_nodes", "nodes", nil)
	case p.Depth < 3 || p.Depth > 6:
		return fault.InvalidField("web.bad_depth", "depth", fault.Params{"min": 3, "max": 6})
	case p.Top < 1 || p.Top > maxNodes:
		return fault.InvalidField("web.bad_top", "top", fault.Params{"min": 1, "max": maxNodes})
	case len(p.Node) > maxText:
		return fault.InvalidField("web.long_text", "node", fault.Params{"max": maxText})
	}
	return nil
}

// Retention counts who came back. Cells come by cohort, then by period.
func (s *Service) Retention(ctx context.Context, q Question, r Retention) ([]Cell, error) {
	if err := s.check(ctx, &q); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.c.Facts.Retention(ctx, q, r)
}

func (r Retention) check() error {
	switch {
	case r.Start == "" || len(r.Start) > maxText:
		return fault.InvalidField("web.event_required", "start", nil)
	case r.Return == "" || len(r.Return) > maxText:
		return fault.InvalidField("web.event_required", "return", nil)
	case r.Period != "day" && r.Period != "week" && r.Period != "month":
		return fault.InvalidField("web.bad_period", "period", nil)
	}
	return nil
}

// People are the persons behind a figure, as far as the page says. Without customers to read it is refused; anonymous visitors
// are listed to those who read every customer.
func (s *Service) People(ctx context.Context, q Question, b Behind, p PeoplePage) (People, error) {
	if err := s.checkPeople(ctx, &q, b); err != nil {
		return People{}, err
	}
	if p.Anonymous && p.Limits != nil {
		return People{Customers: -1, Anonymous: -1}, nil
	}
	return s.c.Facts.People(ctx, q, b, p)
}

// Visitors tells what is known of anonymous visitors.
func (s *Service) Visitors(ctx context.Context, ids []id.ID) ([]Visitor, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	return s.c.Facts.Visitors(ctx, ids)
}

func (s *Service) checkPeople(ctx context.Context, q *Question, b Behind) error {
	if err := s.check(ctx, q); err != nil {
		return err
	}
	if !access.From(ctx).Can(access.RecordRead) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.RecordRead)})
	}
	if b.parts() != 1 {
		return fault.InvalidField("web.bad_figure", "behind", nil)
	}
	switch {
	case b.Visits:
		if !slices.Contains([]string{"", "bounced", "engaged", "converted"}, b.Only) {
			return fault.InvalidField("web.bad_figure", "behind.only", nil)
		}
	case b.Funnel != nil:
		if b.Funnel.Step < 1 || b.Funnel.Step > len(b.Funnel.Steps) || b.Funnel.Lost && b.Funnel.Step == len(b.Funnel.Steps) {
			return fault.InvalidField("web.bad_figure", "behind.step", nil)
		}
		return s.checkFunnel(ctx, b.Funnel.Funnel)
	case b.Cohort != nil:
		return b.Cohort.check()
	case b.Way != nil:
		if b.Way.Step < 1 || b.Way.Step >= b.Way.Depth {
			return fault.InvalidField("web.bad_figure", "behind.step", nil)
		}
		return b.Way.check()
	}
	return nil
}

func (b Behind) parts() int {
	n := 0
	for _, given := range []bool{b.Visits, b.Path != nil, b.Event != "", b.Funnel != nil, b.Cohort != nil, b.Way != nil} {
		if given {
			n++
		}
	}
	return n
}

// First is the first day of the period that a day lies in; weeks begin on Monday.
func (r Retention) First(d clock.Day) clock.Day {
	switch r.Period {
	case "week":
		return d - (d+3)%7
	case "month":
		t := d.Time()
		return clock.NewDay(t.Year(), t.Month(), 1)
	}
	return d
}

// Between is how many periods lie between two first days.
func (r Retention) Between(from, to clock.Day) int {
	switch r.Period {
	case "week":
		return int(to-from) / 7
	case "month":
		a, b := from.Time(), to.Time()
		return (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month())
	}
	return int(to - from)
}

// After is the first day of the period so many later.
func (r Retention) After(from clock.Day, periods int) clock.Day {
	switch r.Period {
	case "week":
		return from + clock.Day(7*periods)
	case "month":
		t := from.Time().AddDate(0, periods, 0)
		return clock.NewDay(t.Year(), t.Month(), 1)
	}
	return from + clock.Day(periods)
}

// Hours are the beginnings of the hours of a span in a zone. A day of daylight saving has 23 or 25.
func (s Span) Hours(zone *time.Location) []time.Time {
	var out []time.Time
	end := (s.To + 1).Start(zone)
	for t := s.From.Start(zone); t.Before(end); t = t.Add(time.Hour) {
		out = append(out, t)
	}
	return out
}
