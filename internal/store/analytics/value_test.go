package analytics_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/insight/value"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// shop is a small company: customer 1 with two purchases of one day, a refund on another, one on a day that it empties and one whose cost is
// not known; customer 2, whom 1 brought, with one; customer 3 with none; an order of nobody that is there.
func shop(t *testing.T, b *bench) {
	t.Helper()
	b.load(t, "customer", []string{"id", "referrer"}, analytics.Rows([][]any{{int64(1), nil}, {int64(2), int64(1)}, {int64(3), nil}}))
	order := func(id, customer, day, amount int64, cost any) []any {
		return []any{id, customer, day * dayMillis, day, "completed", amount, int64(10), cost}
	}
	b.load(t, "order", []string{"id", "customer", "placed_at", "placed_at_day", "status", "net_amount_base", "discount_amount_base", "cost_amount_base"}, analytics.Rows([][]any{
		order(1, 1, 100, 1000, int64(400)), order(2, 1, 100, 500, int64(100)), order(3, 1, 200, 700, int64(300)), order(4, 1, 300, 900, int64(500)),
		order(5, 1, 400, 1000, nil), order(6, 2, 350, 2000, int64(500)), order(7, 99, 350, 2000, int64(500)), order(8, 2, 600, 100, int64(50)),
	}))
	b.load(t, "order_line", []string{"id", "order", "customer", "placed_at_day", "status", "amount_base", "category"}, analytics.Rows([][]any{
		{int64(1), int64(1), int64(1), int64(100), "completed", int64(1000), "hats"}, {int64(2), int64(2), int64(1), int64(100), "completed", int64(500), "shoes"},
		{int64(3), int64(3), int64(1), int64(200), "completed", int64(700), "hats"}, {int64(4), int64(6), int64(2), int64(350), "completed", int64(2000), nil},
	}))
	b.load(t, "refund", []string{"id", "customer", "refunded_at_day", "amount_base", "cost_amount_base"}, analytics.Rows([][]any{
		{int64(1), int64(1), int64(200), int64(200), int64(80)}, {int64(2), int64(1), int64(300), int64(900), int64(500)}, {int64(3), int64(2), int64(360), int64(2000), int64(500)},
	}))
}

func TestPurchaseDaysOfValue(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		shop(t, b)
		v := analytics.NewValues(b.db, b.store)
		ask := value.Ask{Cut: 200, Until: 500, Basis: value.Revenue, Rate: 5000}
		got, err := v.Purchases(t.Context(), ask)
		must(t, err)
		want := []value.Purchases{
			{Customer: 1, First: 100, FirstValue: 1500, Cut: value.Counted{Days: 2, Last: 200, Value: 2000}, All: value.Counted{Days: 3, Last: 400, Value: 3000}, Year: 2},
			{Customer: 2, First: 350, FirstValue: 2000, All: value.Counted{Days: 1, Last: 350, Value: 2000}, Year: 1},
		}
		if !slices.Equal(got, want) {
			t.Errorf("by revenue\n%+v\nwant\n%+v", got, want)
		}
		ask.Basis = value.Margin
		// 1000 at half margin where no cost is known; the refund of day 200 takes its margin of 120 off.
		want[0].FirstValue, want[0].Cut.Value, want[0].All.Value = 1000, 1280, 1780
		want[1].FirstValue, want[1].All.Value = 1500, 1500
		if got, err = v.Purchases(t.Context(), ask); err != nil || !slices.Equal(got, want) {
			t.Errorf("by margin\n%+v\nwant\n%+v (%v)", got, want, err)
		}
		one, ok, err := v.PurchasesOf(t.Context(), ask, 1)
		if err != nil || !ok || one != want[0] {
			t.Errorf("of one: %+v %v %v", one, ok, err)
		}
		if _, ok, err := v.PurchasesOf(t.Context(), ask, 3); err != nil || ok {
			t.Errorf("who never purchased: %v %v", ok, err)
		}
		costs, err := v.Costs(t.Context(), 500)
		if want := (value.Costs{Purchases: 7, Costed: 6, CostedRevenue: 7100, Spent: 2300, First: 100}); err != nil || costs != want {
			t.Errorf("costs %+v, want %+v (%v)", costs, want, err)
		}
		breadth, err := v.Breadth(t.Context(), 500)
		if err != nil || len(breadth) != 1 || breadth[1] != 2 {
			t.Errorf("breadth %v (%v)", breadth, err)
		}
		brought, err := v.Referrals(t.Context())
		if err != nil || !slices.Equal(brought, []value.Brought{{Customer: 2, By: 1}}) {
			t.Errorf("referrals %v (%v)", brought, err)
		}
		row := make([]any, len(value.Columns()))
		row[0] = int64(4200)
		n, err := v.Replace(t.Context(), scored(map[int64][]any{1: row}), 7, "3@500")
		if err != nil || n != 1 {
			t.Fatalf("%d rows written: %v", n, err)
		}
		if got := b.table(t, "SELECT clv, clv_decile FROM customer_traits WHERE customer_id = 1"); got == "" {
			t.Error("no score is in the wide view")
		}
	})
}

func TestLedgerAndMoves(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		shop(t, b)
		v := analytics.NewValues(b.db, b.store)
		l, err := v.Ledger(t.Context(), 150, 500)
		want := value.Ledger{From: 150, To: 500, Customers: 3, Orders: 5, List: 6650, Discounts: 50, Revenue: 6600, Returns: 3100,
			Cost: 300 + 500 + 500 + 500 - 80 - 500 - 500, Uncosted: 1000, UncostedPurchases: 1}
		if err != nil || l != want || l.Profit() != 6600-3100-720 {
			t.Errorf("ledger %+v, want %+v (%v)", l, want, err)
		}
		empty, err := v.Ledger(t.Context(), 1, 2)
		if err != nil || empty != (value.Ledger{From: 1, To: 2}) {
			t.Errorf("an empty span: %+v (%v)", empty, err)
		}
		best, err := v.Earners(t.Context(), 150, 500, false, 2)
		if err != nil || len(best) != 2 || best[0].Customer != 99 || best[0].Profit() != 1500 || best[1].Customer != 1 || best[1].Profit() != 2600-1100-220 {
			t.Errorf("best %+v (%v)", best, err)
		}
		worst, err := v.Earners(t.Context(), 150, 500, true, 1)
		if err != nil || len(worst) != 1 || worst[0].Customer != 2 || worst[0].Profit() != 0 {
			t.Errorf("worst %+v (%v)", worst, err)
		}
		r, err := b.store.Full(t.Context(), pass(500, trait.Defaults()), 500)
		must(t, err)
		moves, err := v.Moves(t.Context(), 320, 500)
		must(t, err)
		// The groups of the later day are those that the traits have.
		groups := b.table(t, "SELECT rfm_segment FROM t_rfm WHERE customer_id <= 2 ORDER BY customer_id")
		var all int64
		for _, m := range moves {
			all += m.Customers
			if (m.Was == "") != (m.Value == 2000) { // customer 2 came after day 320
				t.Errorf("move %+v by cuts %+v", m, r.Cuts)
			}
			if !strings.Contains(groups, m.Now) {
				t.Errorf("nobody is %q in %s", m.Now, groups)
			}
			who, err := v.Movers(t.Context(), 320, 500, m, 10)
			if err != nil || int64(len(who)) != m.Customers {
				t.Errorf("movers of %+v: %v (%v)", m, who, err)
			}
		}
		if all != 2 {
			t.Errorf("%d customers moved, want 2: %+v", all, moves)
		}
		for _, by := range append(value.Groupings(), value.ByDecile) {
			if _, err := v.Groups(t.Context(), by); err != nil {
				t.Errorf("by %s: %v", by, err)
			}
		}
		row := make([]any, len(value.Columns()))
		row[0], row[4], row[5], row[6], row[11], row[12] = int64(4200), int64(1), int64(100), int64(700), int64(1), int64(2000)
		other := slices.Clone(row)
		other[0], other[5], other[6], other[11], other[12] = int64(800), int64(2000), int64(300), int64(0), int64(0)
		_, err = v.Replace(t.Context(), scored(map[int64][]any{1: row, 2: other}), 7, "1@500")
		must(t, err)
		o, err := v.All(t.Context())
		if err != nil || o.All.CLV != 5000 || o.All.Customers != 2 || o.Loyalty != 500 || o.Loyal != 1 || o.Referrers != 1 || o.Referral != 2000 {
			t.Errorf("all %+v (%v)", o, err)
		}
		tenths, err := v.Groups(t.Context(), value.ByDecile)
		if err != nil || len(tenths) != 1 || tenths[0].Key != "1" || tenths[0].CLV != 5000 {
			t.Errorf("tenths %+v (%v)", tenths, err)
		}
	})
}
