package analytics_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// scores writes what models say into the plane.
type scores struct{ store *analytics.Store }

func (s scores) ReplaceFamily(ctx context.Context, family string, columns []string, at int64, mark string, rows recommend.Rows) (int64, error) {
	return s.store.ReplaceFamily(ctx, family, columns, at, mark, rows)
}

// loadShop puts three customers with orders, lines and a refund into the plane.
func loadShop(t *testing.T, b *bench) {
	t.Helper()
	b.load(t, "customer", []string{"id", "version", "name", "gender", "region_tier", "processing"}, analytics.Rows([][]any{
		{int64(1), int64(1), "a", "female", "first", nil}, {int64(2), int64(1), "b", nil, nil, nil}, {int64(3), int64(1), "c", "male", nil, "restricted"}}))
	b.load(t, "product", []string{"id", "name", "brand", "category", "style", "audience", "list_price", "status"}, analytics.Rows([][]any{
		{int64(10), "shirt", "A", "tops", "|casual|", "women", int64(5000), "active"}, {int64(11), "coat", "B", "coats", nil, nil, nil, "active"},
		{int64(12), "hat", nil, nil, nil, nil, nil, "discontinued"}}))
	b.load(t, "variant", []string{"id", "product", "discontinued"}, analytics.Rows([][]any{{int64(100), int64(10), true}, {int64(101), int64(10), nil}, {int64(102), int64(11), true}}))
	day := int64(19_990)
	order := func(own, customer, day int64, status string) []any {
		return []any{own, int64(1), customer, status, day * dayMillis, day, int64(9000), int64(9000)}
	}
	b.load(t, "order", []string{"id", "version", "customer", "status", "placed_at", "placed_at_day", "net_amount", "net_amount_base"}, analytics.Rows([][]any{
		order(50, 1, day, "completed"), order(51, 1, day-30, "completed"), order(52, 2, day, "completed"), order(53, 2, day, "cancelled"), order(54, 3, day, "completed"), order(55, 1, day+5, "completed")}))
	line := func(own, order, customer, day int64, product any, amount int64, status string) []any {
		return []any{own, order, customer, status, day * dayMillis, day, product, int64(1000), amount, amount}
	}
	b.load(t, "order_line", []string{"id", "order", "customer", "status", "placed_at", "placed_at_day", "product", "quantity", "amount", "amount_base"}, analytics.Rows([][]any{
		line(60, 50, 1, day, int64(11), 4000, "completed"), line(61, 50, 1, day, int64(10), 5000, "completed"), line(62, 51, 1, day-30, int64(10), 5000, "completed"),
		line(63, 52, 2, day, nil, 4000, "completed"), line(64, 53, 2, day, int64(10), 5000, "cancelled"), line(65, 54, 3, day, int64(10), 5000, "completed"),
		line(66, 50, 1, day, int64(12), 0, "completed"), line(67, 55, 1, day+5, int64(12), 100, "completed")}))
	b.load(t, "refund", []string{"id", "customer", "refunded_at_day", "amount", "amount_base", "product", "order_line"}, analytics.Rows([][]any{
		{int64(70), int64(1), day + 1, int64(100), int64(100), nil, int64(60)}, {int64(71), int64(1), day + 1, int64(100), int64(100), int64(12), nil},
		{int64(72), int64(1), day + 9, int64(100), int64(100), int64(10), nil}}))
}

func TestRecommendReadsPurchasesAsDefined(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		loadShop(t, b)
		ctx, r := t.Context(), analytics.NewRecommending(b.store)
		const until = clock.Day(19_991)
		e, err := r.Extent(ctx, until)
		must(t, err)
		if e.Lines != 4 || e.Customers != 2 || e.First != 19_960 || e.Last != 19_990 {
			t.Errorf("extent: %+v", e)
		}
		var got [][3]int64
		must(t, r.Deeds(ctx, recommend.Sample{Until: until}, func(d recommend.Deed) error {
			got = append(got, [3]int64{d.Customer, d.Order, d.Product})
			return nil
		}))
		want := [][3]int64{{1, 51, 0}, {1, 51, 10}, {1, 50, 0}, {1, 50, 11}, {1, 50, 10}, {2, 52, 0}, {3, 54, 0}, {3, 54, 10}}
		if !slices.Equal(got, want) {
			t.Errorf("deeds: %v, want %v", got, want)
		}
		odd := 0
		must(t, r.Deeds(ctx, recommend.Sample{Until: until, Of: 2}, func(d recommend.Deed) error {
			odd += int(d.Customer % 2)
			return nil
		}))
		if odd != 0 {
			t.Error("the sample holds customers that do not belong to it")
		}
		goods, err := r.Goods(ctx)
		must(t, err)
		if len(goods) != 3 || !goods[0].OnSale || goods[1].OnSale || goods[2].OnSale || goods[0].Styles != "|casual|" || goods[0].Price != 5000 {
			t.Errorf("goods: %+v", goods)
		}
		past, err := r.Past(ctx, 1, until)
		must(t, err)
		if past.Gender != "female" || past.Tier != "first" || len(past.Deeds) != 5 || !slices.Equal(past.Returned, []int64{11, 12}) {
			t.Errorf("past: %+v", past)
		}
		restricted, err := r.Past(ctx, 3, until)
		must(t, err)
		if len(restricted.Deeds) != 0 {
			t.Errorf("a customer who is only stored is read: %+v", restricted)
		}
	})
}

func TestScoresOfHabitsReachTheWideView(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		loadShop(t, b)
		ctx := t.Context()
		m := recommend.NewPreferences(analytics.NewRecommending(b.store), scores{b.store}, func() *time.Location { return time.UTC })
		fitted, err := m.Fit(ctx, predict.Request{Until: 19_991})
		must(t, err)
		n, err := m.Score(ctx, predict.ScoreRequest{State: fitted.State, Until: 19_991, AtMilli: 1, Mark: "1"})
		must(t, err)
		if n != 3 {
			t.Errorf("%d customers have scores", n)
		}
		const want = "1|0|2|5000|casual\n2|0|0|-|-\n3|0|1|5000|-\n"
		if got := b.table(t, "SELECT customer_id, regular_products, occasional_products, price_median, preferred_style FROM customer_traits ORDER BY customer_id"); got != want {
			t.Errorf("traits:\n%s", got)
		}
	})
}

// kept is one state without a room.
type kept map[string]json.RawMessage

func (k kept) InUse(_ context.Context, model string) (int64, error) {
	if k[model] == nil {
		return 0, nil
	}
	return 1, nil
}

func (k kept) State(_ context.Context, model string, _ int64) (json.RawMessage, error) {
	return k[model], nil
}

// BenchmarkRecommend fits and scores both models, and asks for lists, on GUANXI_BENCH_CUSTOMERS customers.
func BenchmarkRecommend(b *testing.B) {
	p := benchPlane(b)
	must(b, write(b.Context(), p.db, `DELETE FROM a_product`,
		`INSERT INTO a_product (id, name, status, category, brand) SELECT i, 'p' || i, 'active', 'c' || (i % 60), 'b' || (i % 90) FROM range(1, 5000) t(i)`, `DELETE FROM a_variant`))
	ctx, facts := context.Background(), analytics.NewRecommending(p.store)
	rules := func(context.Context) (recommend.Rules, error) { return recommend.DefaultRules(), nil }
	states := kept{}
	for _, m := range []predict.Model{recommend.NewPreferences(facts, scores{p.store}, func() *time.Location { return time.UTC }), recommend.NewLearner(facts, scores{p.store}, rules)} {
		key := m.About().Key
		b.Run("fit "+key, func(b *testing.B) {
			measured(b, func() {
				f, err := m.Fit(ctx, predict.Request{Until: benchAnchor, Seed: 1})
				must(b, err)
				states[key] = f.State
			})
		})
		b.Run("score "+key, func(b *testing.B) {
			measured(b, func() {
				_, err := m.Score(ctx, predict.ScoreRequest{State: states[key], Until: benchAnchor, AtMilli: 1, Mark: "1"})
				must(b, err)
			})
		})
	}
	s := recommend.New(recommend.Config{Facts: facts, Kept: states, Rules: rules, Anchor: func(context.Context) (clock.Day, error) { return benchAnchor, nil },
		Zone: func() *time.Location { return time.UTC }, Clock: clock.System{}})
	n := int64(0)
	for _, kind := range recommend.Kinds() {
		b.Run("list "+string(kind), func(b *testing.B) {
			measured(b, func() {
				n = n*31%benchCustomers() + 1
				_, err := s.For(ctx, n*4096, kind, 10, nil)
				must(b, err)
			})
		})
	}
}
