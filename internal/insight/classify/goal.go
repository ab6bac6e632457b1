package classify

import (
	"context"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Goal is what a stage is to come to by a day: a share of all customers, or a share of those who became known that reach it within
// so many days.
type Goal struct {
	Classification string    `json:"classification"`
	Class          string    `json:"class"`
	Kind           string    `json:"kind"` // share or conversion
	Target         float64   `json:"target"`
	Below          bool      `json:"below"` // at most, not at least
	Due            clock.Day `json:"due"`
	// Start is what it was when the goal was set, on the day Set.
	Start float64   `json:"start"`
	Set   clock.Day `json:"set"`
	At    time.Time `json:"at"`
}

// The kinds of goals.
const (
	GoalShare      = "share"
	GoalConversion = "conversion"
)

// GoalStore keeps the goals of a workspace as one list.
type GoalStore interface {
	Goals(ctx context.Context) ([]Goal, error)
	SetGoals(ctx context.Context, goals []Goal) error
}

// Actual is what a goal measures, in a report; ok is false where nothing is known.
func (j Journey) Actual(g Goal) (value float64, ok bool) {
	var all int64
	for _, st := range j.Stages {
		all += st.Now
	}
	for _, st := range j.Stages {
		if st.Key != g.Class {
			continue
		}
		switch {
		case g.Kind == GoalShare && all > 0:
			return float64(st.Now) / float64(all), true
		case g.Kind == GoalConversion && j.EverCustomers > 0 && st.PhaseOf() == Growing:
			return float64(st.Ever) / float64(j.EverCustomers), true
		}
	}
	return 0, false
}

// Goals are those of a classification.
func (s *Service) Goals(ctx context.Context, key string) ([]Goal, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	all, err := s.c.Goals.Goals(ctx)
	return slices.DeleteFunc(all, func(g Goal) bool { return g.Classification != key }), err
}

// SetGoal sets a stage's goal of a kind; a target of 0 removes it.
func (s *Service) SetGoal(ctx context.Context, g Goal) error {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return err
	}
	c, err := s.get(ctx, g.Classification)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(c.Classes, func(cl Class) bool { return cl.Key == g.Class })
	bad := func(field string) error { return fault.InvalidField("classify.bad_goal", field, nil) }
	switch {
	case at < 0:
		return bad("class")
	case g.Kind != GoalShare && g.Kind != GoalConversion || g.Kind == GoalConversion && c.Classes[at].PhaseOf() != Growing:
		return bad("kind")
	case g.Target < 0 || g.Target > 1:
		return bad("target")
	}
	all, err := s.c.Goals.Goals(ctx)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(o Goal) bool {
		return o.Classification == g.Classification && o.Class == g.Class && o.Kind == g.Kind
	})
	if g.Target > 0 {
		j, err := s.Journey(ctx, JourneyAsk{Key: g.Classification})
		if err != nil {
			return err
		}
		if g.Due <= j.Now {
			return bad("due")
		}
		g.Start, _ = j.Actual(g)
		g.Set, g.At = j.Now, s.c.Clock.Now()
		all = append(all, g)
	}
	return s.c.Goals.SetGoals(ctx, all)
}
