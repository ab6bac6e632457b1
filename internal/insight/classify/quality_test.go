package classify_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/stat/cut"
	"github.com/guanxi-crm/guanxi/internal/stat/stay"
)

func TestCramer(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		pairs []classify.Flow
		want  float64
	}{
		"nothing":     {nil, 0},
		"one class":   {[]classify.Flow{{From: "a", To: "x", N: 10}}, 0},
		"independent": {[]classify.Flow{{From: "a", To: "x", N: 100}, {From: "a", To: "y", N: 100}, {From: "b", To: "x", N: 100}, {From: "b", To: "y", N: 100}}, 0},
		"the same":    {[]classify.Flow{{From: "a", To: "x", N: 500}, {From: "b", To: "y", N: 500}}, 1},
		// chi² of 40 20 / 10 30 is 16.667, V 0.4082; corrected sqrt(0.15657/0.98990).
		"between": {[]classify.Flow{{From: "a", To: "x", N: 40}, {From: "a", To: "y", N: 20}, {From: "b", To: "x", N: 10}, {From: "b", To: "y", N: 30}}, 0.39771},
	} {
		if got := classify.Cramer(x.pairs); math.Abs(got-x.want) > 2e-4 {
			t.Errorf("%s: %.5f, want %.5f", name, got, x.want)
		}
	}
}

// story is a past with known figures.
type story struct {
	past
	values []cut.Value
}

func (story) Known(context.Context, string) (classify.Known, bool, error) {
	return classify.Known{Since: 1000, Replayed: 1970, Version: 1}, true, nil
}
func (story) Days(context.Context) (clock.Day, clock.Day, error) { return 2000, 900, nil }
func (story) Flows(context.Context, string, clock.Day, clock.Day) ([]classify.Flow, error) {
	return []classify.Flow{{From: "", To: "potential", N: 5}, {From: "active", To: "active", N: 60}, {From: "active", To: "at_risk", N: 20}, {From: "potential", To: "first_purchase", N: 20}}, nil
}

func (story) Passages(context.Context, string, clock.Day, clock.Day) ([]classify.Flow, error) {
	return []classify.Flow{{From: "active", To: "at_risk", N: 25}, {From: "active", To: "loyal", N: 5}, {From: "at_risk", To: "active", N: 5}}, nil
}

func (story) Sizes(_ context.Context, _ string, days []clock.Day) ([]map[string]int64, error) {
	return make([]map[string]int64, len(days)), nil
}

func (story) Stays(context.Context, string) (map[string][]stay.Stay, error) {
	return map[string][]stay.Stay{"active": {{Days: 30, Ended: true, N: 6}, {Days: 60, Ended: false, N: 4}}, "lost": {{Days: 40, N: 3}}}, nil
}

func (story) Reached(context.Context, string, map[string]int, int, string) ([]classify.Reached, error) {
	return []classify.Reached{{Group: "2026-01", Rank: 1, N: 50}, {Group: "2026-01", Rank: 3, N: 30}, {Group: "2026-02", Rank: 2, Young: true, N: 9}}, nil
}

func (story) Later(context.Context, string, clock.Day, clock.Day) (map[string]classify.Sum, error) {
	return map[string]classify.Sum{"active": {N: 100, Buyers: 60, Sum: 3000, Sq: 120_000}, "lost": {N: 300, Buyers: 10, Sum: 3000, Sq: 90_000}}, nil
}

func (story) Together(_ context.Context, _, other string) ([]classify.Flow, error) {
	if other == "value_tier" {
		return []classify.Flow{{From: "a", To: "x", N: 500}, {From: "b", To: "y", N: 500}}, nil
	}
	return nil, nil
}

func (s story) Values(context.Context, string, clock.Day, clock.Day) ([]cut.Value, bool, error) {
	return slices.Clone(s.values), true, nil
}

func storyteller(t *testing.T, values []cut.Value) (*classify.Service, *memory, context.Context) {
	t.Helper()
	m := newMemory()
	s := classify.New(classify.Config{Store: m, Board: &board{}, Past: story{values: values}, Language: anything{}, Publish: func(string) {},
		Clock: clock.NewFake(time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC))})
	ctx := access.With(context.Background(), access.System())
	if err := s.EnsureDefaults(ctx); err != nil {
		t.Fatal(err)
	}
	return s, m, ctx
}

func TestJourneyTellsStagesAndConversions(t *testing.T) {
	t.Parallel()
	s, _, ctx := storyteller(t, nil)
	j, err := s.Journey(ctx, classify.JourneyAsk{Key: "lifecycle"})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]classify.Stage{}
	for i, st := range j.Stages {
		by[st.Key] = st
		if i > 0 && st.Rank < j.Stages[i-1].Rank {
			t.Errorf("%s stands behind a later stage", st.Key)
		}
	}
	a := by["active"]
	if a.Now != 60 || a.Before != 80 || a.Entered != 5 || a.Left != 30 || a.Lost != 25 || a.Onwards != 5 {
		t.Errorf("active %+v", a)
	}
	if a.Median != 30 || a.ThreeQuarters != -1 || a.Going != 4 {
		t.Errorf("days as active %d, %d, going on %d", a.Median, a.ThreeQuarters, a.Going)
	}
	if l := by["lost"]; l.Median != -1 || len(l.Curve) != 0 {
		t.Errorf("nobody left: %+v", l)
	}
	if by["at_risk"].Onwards != 5 {
		t.Errorf("back from at risk: %+v", by["at_risk"])
	}
	if j.EverCustomers != 80 || by["first_purchase"].Ever != 30 || by["active"].Ever != 30 || by["loyal"].Ever != 0 || by["potential"].Ever != 80 {
		t.Errorf("reached: %d of %d", by["first_purchase"].Ever, j.EverCustomers)
	}
	if got, ok := j.Actual(classify.Goal{Class: "active", Kind: classify.GoalConversion}); !ok || got != .375 {
		t.Errorf("a goal of conversion measures %v %v", got, ok)
	}
	if got, ok := j.Actual(classify.Goal{Class: "active", Kind: classify.GoalShare}); !ok || math.Abs(got-60.0/105) > 1e-9 {
		t.Errorf("a goal of a share measures %v %v", got, ok)
	}
}

func TestQualityOfAClassification(t *testing.T) {
	t.Parallel()
	s, _, ctx := storyteller(t, nil)
	q, err := s.Quality(ctx, "lifecycle")
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(q.Stable90-.6) > 1e-9 {
		t.Errorf("stable %v", q.Stable90)
	}
	for _, c := range q.Classes {
		switch c.Key {
		case "active":
			if c.Mean != 30 || c.Rest != 10 || math.Abs(c.Lift-3) > 1e-9 || !(c.Low < 3 && c.High > 3 && c.Low > 1) {
				t.Errorf("active %+v", c)
			}
		case "loyal":
			if c.Lift != -1 {
				t.Errorf("nobody was loyal: %+v", c)
			}
		}
		for _, v := range []float64{c.Share, c.Mean, c.Rest, c.Lift, c.Low, c.High} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: %+v", c.Key, c)
			}
		}
	}
	if q.Overlaps[0].Other.Key != "value_tier" || math.Abs(q.Overlaps[0].V-1) > 1e-3 {
		t.Errorf("overlap %+v", q.Overlaps[0])
	}
	if q.Explained <= 0 || q.Explained >= 1 {
		t.Errorf("explains %v", q.Explained)
	}
}

func TestCutsAreSuggestedAsADraft(t *testing.T) {
	t.Parallel()
	values := []cut.Value{{X: 0, N: 500}}
	for x := int64(1); x <= 20; x++ {
		y := 1.0
		if x >= 8 {
			y = 10
		}
		if x >= 15 {
			y = 50
		}
		values = append(values, cut.Value{X: x, N: 100, Sum: 100 * y, Sq: 100*y*y + 50})
	}
	s, _, ctx := storyteller(t, values)
	got, err := s.Suggest(ctx, "frequency_class")
	if err != nil {
		t.Fatal(err)
	}
	if got.Trait != "orders_365d" || got.Classes != 3 || !slices.Equal(got.Now, []int64{6, 3, 1}) {
		t.Fatalf("%+v", got)
	}
	var later *classify.Suggestion
	for i, x := range got.Suggestions {
		if x.Way == "later" {
			later = &got.Suggestions[i]
		}
	}
	if later == nil || !slices.Equal(later.Cuts, []int64{8, 15}) || later.Explained < .99 || later.Explained <= got.Explained {
		t.Fatalf("%+v of %+v", later, got)
	}
	if !slices.Equal(later.Sizes, []int64{700, 700, 600}) {
		t.Errorf("sizes %v", later.Sizes)
	}
	var said []string
	for _, c := range later.Classes {
		if c.Where != nil {
			said = append(said, c.Key+string(c.Where.Value))
		}
	}
	if !slices.Equal(said, []string{"high15", "medium8", "low1", "dormant1"}) {
		t.Errorf("the draft says %v", said)
	}
	if got, err := s.Suggest(ctx, "customer_type"); err != nil || len(got.Suggestions) != 0 {
		t.Errorf("a classification by kind is cut: %+v %v", got, err)
	}
}

func TestTemplatesAreWhole(t *testing.T) {
	t.Parallel()
	list, err := classify.Templates()
	if err != nil || len(list) != 3 {
		t.Fatal(len(list), err)
	}
	s, _, ctx := storyteller(t, nil)
	for _, x := range list {
		if x.Label["zh-CN"] == "" || x.Label["en"] == "" || x.Description["en"] == "" {
			t.Errorf("%s lacks words", x.Key)
		}
		seen := map[int]bool{}
		for _, c := range x.Classes {
			if c.Rank == 0 || seen[c.Rank] {
				t.Errorf("%s.%s: rank %d", x.Key, c.Key, c.Rank)
			}
			seen[c.Rank] = true
		}
		if _, err := s.Update(ctx, "lifecycle", 0, schema.Label(nil), x.Classes); err != nil {
			t.Errorf("%s is refused: %v", x.Key, err)
		}
	}
}
