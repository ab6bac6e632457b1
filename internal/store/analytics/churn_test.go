package analytics_test

import (
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/churn"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

func TestHistoriesAndScoresOfChurn(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		shop(t, b)
		c := analytics.NewChurn(b.db, b.store)
		got := map[int64][]churn.Fact{}
		read := func(customer int64, h []churn.Fact) error {
			got[customer] = slices.Clone(h)
			return nil
		}
		must(t, c.Histories(t.Context(), 350, 0, read))
		want := []churn.Fact{
			{Day: 100, Count: 2, Amount: 1500, Discount: 20}, {Day: 200, Count: 1, Amount: 700, Discount: 10}, {Day: 200, Kind: churn.Refund, Count: 1, Amount: 200},
			{Day: 300, Count: 1, Amount: 900, Discount: 10}, {Day: 300, Kind: churn.Refund, Count: 1, Amount: 900},
		}
		if len(got) != 2 || !slices.Equal(got[1], want) || len(got[2]) != 1 {
			t.Errorf("histories %+v", got)
		}
		clear(got)
		must(t, c.Histories(t.Context(), 1000, 2, read))
		if len(got) != 1 || len(got[2]) != 3 {
			t.Errorf("of one %+v", got)
		}
		order := func(id, orders, spend, first, last int64) []any { return []any{id, orders, spend, first, last} }
		must(t, b.db.Write(t.Context(), func(tx analytics.Tx) error {
			return tx.Append(t.Context(), "t_order", []string{"customer_id", "orders", "spend_365d", "first_order_day", "last_order_day"},
				analytics.Rows([][]any{order(1, 3, 5000, 100, 400), order(2, 1, 900, 350, 350)}))
		}))
		n, err := c.Replace(t.Context(), scored(map[int64][]any{
			1: {int64(7250), int64(1500), int64(415), int64(667), int64(180), churn.High, "recency"},
			2: {nil, int64(1500), int64(365), int64(1000), int64(180), churn.Lost, nil},
		}), 7, "1@500")
		if err != nil || n != 2 {
			t.Fatalf("%d rows: %v", n, err)
		}
		o, err := churn.Report(t.Context(), c)
		must(t, err)
		if o.Risks != [10]int64{7: 1} || o.Floor != 5000 || !slices.Equal(o.Bands, []churn.Band{{Key: churn.High, Customers: 1, Spend: 5000}, {Key: churn.Lost, Customers: 1, Spend: 900}}) {
			t.Errorf("overview %+v", o)
		}
		if !slices.Equal(o.Drivers, []churn.Driver{{Key: "recency", Customers: 1}}) {
			t.Errorf("drivers %+v", o.Drivers)
		}
		whys, err := c.Whys(t.Context(), "value_tier")
		if err != nil || !slices.Equal(whys, []churn.Why{{Driver: "recency", Customers: 1}}) {
			t.Errorf("whys %+v (%v)", whys, err)
		}
		lives, err := c.Lives(t.Context(), "value_tier", clock.Day(500))
		must(t, err)
		if !slices.Equal(lives, []churn.Life{{Months: 0, Lost: 1}, {Months: 13, Active: 1}}) {
			t.Errorf("lives %+v", lives)
		}
		s, err := churn.Last(t.Context(), c, "value_tier", 500)
		if err != nil || s.Test != nil || s.All.Customers != 2 || s.All.Lost != 1 || s.All.Curve[0].Survival != .5 {
			t.Errorf("survival %+v (%v)", s, err)
		}
	})
}

// scored are the rows of scores of some customers.
func scored(rows map[int64][]any) predict.Rows {
	return func(yield func(int64, []any) bool) error {
		for customer, values := range rows {
			if !yield(customer, values) {
				break
			}
		}
		return nil
	}
}
