package classify

import (
	"cmp"
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/stat/stay"
)

// Lifecycle is the key of the classification whose classes are the stages of the relationship.
const Lifecycle = "lifecycle"

// Phases of stages: those that lead onwards, in the order of their ranks, and those aside.
const (
	Growing = "growing" // also ""
	AtRisk  = "at_risk"
	Lost    = "lost"
	Back    = "back"
)

// Phase is where a class stands in a lifecycle: what it says of itself, else what its key says.
func (c Class) PhaseOf() string {
	if c.Phase != "" {
		return c.Phase
	}
	switch c.Key {
	case "at_risk", "dormant", "sleeping":
		return AtRisk
	case "lost", "churned":
		return Lost
	case "won_back":
		return Back
	}
	return Growing
}

// Stage is a class with what is known of those who were in it.
type Stage struct {
	Class
	Rank int
	// Now and Before are how many are in it at the end and at the beginning of the span.
	Now, Before int64
	// Entered and Left are the moves of the span; Onwards those of Left that lead to a later growing stage, Lost to one of risk or loss.
	Entered, Left, Onwards, Lost int64
	// Ever is how many of the customers whose beginning is known reached this growing stage or a later one within the days asked for.
	Ever int64
	// Median and quartiles of days in the stage, those who are still in it counted as "at least so long"; -1 where not known.
	Quarter, Median, ThreeQuarters int64
	Stays, Going                   int64
	Curve                          []stay.Point
}

// Cohort is how many of a group reached each growing stage.
type Cohort struct {
	Group   string
	Size    int64 // known long enough
	Young   int64 // known for a shorter time than the days asked for
	Reached map[int]int64
}

// Journey is the report of a classification whose classes are stages.
type Journey struct {
	Classification   Classification
	Known            Known
	From, To, Now    clock.Day
	First            clock.Day // of all purchases
	Stages           []Stage   // by rank
	Flows            []Flow    // between the beginning and the end of the span
	Passages         []Flow
	Days             []clock.Day // of Sizes
	Sizes            []map[string]int64
	Within           int
	By               string
	Cohorts          []Cohort
	CohortCustomers  int64
	EverCustomers    int64
	BeginningUnknown bool
}

// JourneyAsk is what a report is asked for. Zero days are the 90 days up to the day of analysis.
type JourneyAsk struct {
	Key      string
	From, To clock.Day
	Within   int
	By       string
}

const curvePoints = 60

// Journey reports how customers go through the classes of a classification.
func (s *Service) Journey(ctx context.Context, ask JourneyAsk) (j Journey, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return j, err
	}
	if j.Classification, err = s.get(ctx, ask.Key); err != nil {
		return j, err
	}
	p := s.c.Past
	var ok bool
	if j.Known, ok, err = p.Known(ctx, ask.Key); err != nil {
		return j, err
	}
	if j.Now, j.First, err = p.Days(ctx); err != nil || !ok {
		return j, err
	}
	j.To = cmp.Or(min(ask.To, j.Now), j.Now)
	j.From = max(cmp.Or(ask.From, j.To-90), j.Known.Since)
	if j.From >= j.To {
		j.From = max(j.Known.Since, j.To-90)
	}
	j.Within, j.By = cmp.Or(ask.Within, 90), cmp.Or(ask.By, ByMonth)
	if j.By != ByMonth && j.By != BySource {
		return j, fault.InvalidField("api.bad_parameter", "by", nil)
	}
	j.Stages = stagesOf(j.Classification)
	if j.Flows, err = p.Flows(ctx, ask.Key, j.From, j.To); err != nil {
		return j, err
	}
	if j.Passages, err = p.Passages(ctx, ask.Key, j.From, j.To); err != nil {
		return j, err
	}
	j.Days = ends(j.Known.Since, j.Now)
	if j.Sizes, err = p.Sizes(ctx, ask.Key, j.Days); err != nil {
		return j, err
	}
	stays, err := p.Stays(ctx, ask.Key)
	if err != nil {
		return j, err
	}
	for i := range j.Stages {
		st := &j.Stages[i]
		st.count(j.Flows, j.Passages, j.Stages)
		st.stay(stays[st.Key])
	}
	return j, s.convert(ctx, ask.Key, &j)
}

// Ranks are the ranks of the growing stages by key.
func Ranks(c Classification) map[string]int {
	out := map[string]int{}
	for _, s := range stagesOf(c) {
		if s.PhaseOf() == Growing {
			out[s.Key] = s.Rank
		}
	}
	return out
}

// stagesOf are the classes in the order of charts.
func stagesOf(c Classification) []Stage {
	var out []Stage
	for i, cl := range c.Classes {
		out = append(out, Stage{Class: cl, Rank: cmp.Or(cl.Rank, i+1), Quarter: -1, Median: -1, ThreeQuarters: -1})
	}
	slices.SortStableFunc(out, func(a, b Stage) int { return a.Rank - b.Rank })
	return out
}

func (st *Stage) count(flows, passages []Flow, all []Stage) {
	rank, phase := map[string]int{}, map[string]string{}
	for _, o := range all {
		rank[o.Key], phase[o.Key] = o.Rank, o.PhaseOf()
	}
	for _, f := range flows {
		if f.To == st.Key {
			st.Now += f.N
		}
		if f.From == st.Key {
			st.Before += f.N
		}
	}
	for _, f := range passages {
		if f.To == st.Key {
			st.Entered += f.N
		}
		if f.From != st.Key {
			continue
		}
		st.Left += f.N
		switch ph := phase[f.To]; {
		case ph == AtRisk || ph == Lost:
			st.Lost += f.N
		case ph == Back || ph == Growing && (rank[f.To] > st.Rank || phase[st.Key] != Growing):
			st.Onwards += f.N
		}
	}
}

func (st *Stage) stay(list []stay.Stay) {
	for _, x := range list {
		if x.Ended {
			st.Stays += x.N
		} else {
			st.Going += x.N
		}
	}
	curve := stay.Curve(list)
	for _, q := range []struct {
		share float64
		into  *int64
	}{{.25, &st.Quarter}, {.5, &st.Median}, {.75, &st.ThreeQuarters}} {
		if d, ok := stay.Quantile(curve, q.share); ok {
			*q.into = d
		}
	}
	for i, p := range curve { // a curve of a picture's width
		if len(curve) <= curvePoints || i*curvePoints/len(curve) != (i-1)*curvePoints/len(curve) || i == len(curve)-1 {
			st.Curve = append(st.Curve, p)
		}
	}
}

// convert adds cohorts and how many ever reached each growing stage.
func (s *Service) convert(ctx context.Context, key string, j *Journey) error {
	ranks := Ranks(j.Classification)
	got, err := s.c.Past.Reached(ctx, key, ranks, j.Within, j.By)
	if err != nil {
		return err
	}
	by := map[string]*Cohort{}
	for _, r := range got {
		c := by[r.Group]
		if c == nil {
			c = &Cohort{Group: r.Group, Reached: map[int]int64{}}
			by[r.Group] = c
		}
		if r.Young {
			c.Young += r.N
			continue
		}
		c.Size += r.N
		j.EverCustomers += r.N
		for _, rank := range ranks {
			if r.Rank >= rank {
				c.Reached[rank] += r.N
			}
		}
	}
	for _, c := range by {
		j.Cohorts = append(j.Cohorts, *c)
		j.CohortCustomers += c.Size + c.Young
		for i := range j.Stages {
			if st := &j.Stages[i]; st.PhaseOf() == Growing {
				st.Ever += c.Reached[st.Rank]
			}
		}
	}
	slices.SortFunc(j.Cohorts, func(a, b Cohort) int {
		if j.By == ByMonth {
			return cmp.Compare(b.Group, a.Group)
		}
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Group, b.Group))
	})
	return nil
}

// ends are the ends of months from a day on, and the day of analysis itself.
func ends(since, now clock.Day) []clock.Day {
	var out []clock.Day
	t := since.Time()
	for y, m := t.Year(), t.Month(); ; m++ {
		end := clock.NewDay(y, m+1, 1) - 1
		if end >= now {
			break
		}
		out = append(out, end)
	}
	return append(out[max(0, len(out)-24):], now)
}

// People are the customers behind a figure.
func (s *Service) People(ctx context.Context, key string, b Behind, p Page) (People, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return People{}, err
	}
	c, err := s.get(ctx, key)
	if err != nil {
		return People{}, err
	}
	b.Ranks = Ranks(c)
	return s.c.Past.Behind(ctx, key, b, p)
}

// Steps are the classes that a customer was in, oldest first; whoever asks must see the customer.
func (s *Service) Steps(ctx context.Context, customer id.ID) ([]Step, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	return s.c.Past.Steps(ctx, customer)
}

// Moving counts those who would move by what from and to.
func (s *Service) Moving(ctx context.Context, key string, classes []Class) ([]Flow, error) {
	d, err := s.unsaved(ctx, key, classes)
	if err != nil {
		return nil, err
	}
	return s.c.Past.Moving(ctx, d)
}

// MovingPeople are those who would move from one class to another.
func (s *Service) MovingPeople(ctx context.Context, key string, classes []Class, from, to string, p Page) (People, error) {
	d, err := s.unsaved(ctx, key, classes)
	if err != nil {
		return People{}, err
	}
	return s.c.Past.MovingPeople(ctx, d, from, to, p)
}

func (s *Service) unsaved(ctx context.Context, key string, classes []Class) (Classification, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Classification{}, err
	}
	d, err := s.get(ctx, key)
	if err != nil {
		return d, err
	}
	d.Classes = classes
	return d, s.validate(ctx, d)
}

// Known is since when the past of a classification is known; zero before the first pass.
func (s *Service) Known(ctx context.Context, key string) (Known, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Known{}, err
	}
	k, _, err := s.c.Past.Known(ctx, key)
	return k, err
}
