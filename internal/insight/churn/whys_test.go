package churn_test

import (
	"context"
	"math"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/insight/churn"
)

type whys struct {
	churn.Books
	list []churn.Why
}

func (w whys) Whys(context.Context, string) ([]churn.Why, error) { return w.list, nil }

// What stands out is what chance does not make: by the adjusted residual of a table of classes and reasons.
func TestWhys(t *testing.T) {
	t.Parallel()
	got, err := churn.Whys(t.Context(), whys{list: []churn.Why{
		{"", "silence", 4}, {"high", "overdue", 60}, {"high", "recency", 40}, {"low", "overdue", 100}, {"low", "recency", 296},
	}}, "value_tier")
	if err != nil || len(got) != 3 || got[0].Class != "low" || got[0].Customers != 396 || got[0].Weights[0].Key != "recency" {
		t.Fatalf("%+v, %v", got, err)
	}
	high := got[1].Weights
	// 160 of 500 are overdue, so 32 of 100 are expected; sqrt(32 · 0.8 · 0.68) = 4.17, and 60 lies 6.7 of these above.
	if high[0].Key != "overdue" || high[0].Stands != 1 || high[1].Stands != -1 || math.Abs(high[0].Usual-0.32) > 1e-12 || high[0].Share != 0.6 {
		t.Errorf("%+v", high)
	}
	if none := got[2]; none.Class != "" || !none.Few || none.Weights[0].Stands != 0 || none.Weights[0].Share != 1 {
		t.Errorf("%+v", none)
	}
	// 43 of 631 bought on few days, so 4.97 of 73 are expected: too few for a residual, yet 23 are no chance, and 7 may be.
	for count, stands := range map[int64]int{23: 1, 7: 0} {
		got, err := churn.Whys(t.Context(), whys{list: []churn.Why{{"high", "purchase_days", count}, {"high", "recency", 73 - count}, {"low", "purchase_days", 43 - count}, {"low", "recency", 515 + count}}}, "value_tier")
		if err != nil || len(got) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		for _, w := range got[1].Weights {
			if w.Key == "purchase_days" && w.Stands != stands {
				t.Errorf("%d: %+v", count, w)
			}
		}
	}
	for _, list := range [][]churn.Why{nil, {{"high", "overdue", 50}}, {{"high", "overdue", 50}, {"low", "overdue", 50}}} { // nothing, one class, one reason
		got, err := churn.Whys(t.Context(), whys{list: list}, "value_tier")
		for _, r := range got {
			for _, w := range r.Weights {
				if err != nil || w.Stands != 0 || w.Share != 1 || w.Usual != 1 {
					t.Errorf("%+v, %v", w, err)
				}
			}
		}
	}
}
