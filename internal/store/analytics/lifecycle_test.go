package analytics_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/stat/stay"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// audienceOf asks of a bench at its day of analysis.
func audienceOf(t *testing.T, b *bench, day clock.Day) *analytics.Audience {
	t.Helper()
	cat, err := trait.Standard()
	must(t, err)
	return analytics.NewAudience(b.store, func() compile.Env {
		return compile.Env{Registry: b.reg, Traits: cat, Now: noon(day), Zone: time.UTC, Base: "CNY", Columnar: b.db.Dialect().Mirrored()}
	}, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
}

func standard(t *testing.T, keys ...string) []classify.Classification {
	t.Helper()
	defs, err := classify.Defaults()
	must(t, err)
	return slices.DeleteFunc(defs, func(d classify.Classification) bool { return !slices.Contains(keys, d.Key) })
}

// The lifecycle of a few customers, whose stages at the end of each month can be told by hand.
func TestThePastIsDecidedAnew(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		now := clock.NewDay(2026, 6, 20)
		day := func(m time.Month, d int) int64 { return int64(clock.NewDay(2026, m, d)) }
		last := func(m, d int) int64 { return int64(clock.NewDay(2025, time.Month(m), d)) }
		b.load(t, "customer", []string{"id", "created_at_day", "acquired_on", "source"}, analytics.Rows([][]any{
			{int64(1), int64(now), nil, "store"},        // buys in March, April, again in June
			{int64(2), int64(now), day(2, 10), "store"}, // known from February, buys in May
			{int64(3), int64(now), nil, "wechat"},       // bought in January 2025, then away until June 2026
			{int64(4), int64(now), nil, nil},            // never bought; known since it was entered
		}))
		var orders [][]any
		for i, o := range [][2]int64{{1, day(3, 5)}, {1, day(4, 7)}, {1, day(6, 2)}, {2, day(5, 20)}, {3, last(1, 9)}, {3, day(6, 10)}} {
			orders = append(orders, []any{int64(i + 1), o[0], o[1] * dayMillis, o[1], "completed", int64(1000 * (i + 1))})
		}
		b.load(t, "order", []string{"id", "customer", "placed_at", "placed_at_day", "status", "net_amount_base"}, analytics.Rows(orders))
		_, err := b.store.Full(t.Context(), pass(now, trait.Defaults()), now)
		must(t, err)
		a := audienceOf(t, b, now)
		defs := standard(t, "lifecycle", "value_tier", "customer_type")
		_, err = a.Apply(t.Context(), defs, false, noon(now), func([]classify.Move) error { return nil })
		must(t, err)
		must(t, a.Remember(t.Context(), defs, noon(now)))

		k, ok, err := a.Known(t.Context(), "lifecycle")
		must(t, err)
		if want := (classify.Known{Since: clock.NewDay(2025, 1, 31), Replayed: clock.NewDay(2026, 5, 31), Version: 1}); !ok || k != want {
			t.Errorf("known %+v, want %+v", k, want)
		}
		if k, _, err = a.Known(t.Context(), "customer_type"); err != nil || k.Since != now || k.Replayed != 0 {
			t.Errorf("what fields say is not known of earlier days: %+v %v", k, err)
		}
		steps := func(customer id.ID) string {
			list, err := a.Steps(t.Context(), customer)
			must(t, err)
			var out []string
			for _, s := range list {
				if s.Classification == "lifecycle" {
					out = append(out, s.Day.String()+" "+s.Class)
				}
			}
			return strings.Join(out, ", ")
		}
		for customer, want := range map[id.ID]string{
			1: "2026-03-31 first_purchase, 2026-04-30 active",
			2: "2026-02-28 potential, 2026-05-31 first_purchase",
			3: "2025-01-31 first_purchase, 2025-07-31 at_risk, 2026-01-31 lost, 2026-06-20 won_back",
			4: "2026-06-20 potential",
		} {
			if got := steps(customer); got != want {
				t.Errorf("customer %d\n got %s\nwant %s", customer, got, want)
			}
		}
		flows, err := a.Flows(t.Context(), "lifecycle", clock.NewDay(2026, 3, 31), now)
		must(t, err)
		if got := fmt.Sprint(flows); got != "[{ potential 1} {first_purchase active 1} {lost won_back 1} {potential first_purchase 1}]" {
			t.Errorf("flows %s", got)
		}
		sizes, err := a.Sizes(t.Context(), "lifecycle", []clock.Day{clock.NewDay(2025, 12, 31), clock.NewDay(2026, 5, 31)})
		must(t, err)
		if sizes[0]["at_risk"] != 1 || sizes[0]["potential"] != 0 || sizes[1]["active"] != 1 || sizes[1]["first_purchase"] != 1 || sizes[1]["lost"] != 1 {
			t.Errorf("sizes %v", sizes)
		}
		stays, err := a.Stays(t.Context(), "lifecycle")
		must(t, err)
		if got := stays["first_purchase"]; len(got) != 2 || !slices.Contains(got, stay.Stay{Days: 30, Ended: true, N: 1}) || !slices.Contains(got, stay.Stay{Days: 20, Ended: false, N: 1}) {
			t.Errorf("stays as first purchase %v", got) // that of customer 3 began when the past did
		}
		ranks := map[string]int{"potential": 1, "first_purchase": 2, "active": 3}
		reached, err := a.Reached(t.Context(), "lifecycle", ranks, 60, classify.BySource)
		must(t, err)
		slices.SortFunc(reached, func(x, y classify.Reached) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		if got := fmt.Sprint(reached); got != "[{ 1 true 1} {store 1 false 1} {store 3 false 1}]" {
			t.Errorf("reached within 60 days: %s", got)
		}
		people, err := a.Behind(t.Context(), "lifecycle", classify.Behind{Figure: "reached", By: classify.ByMonth, Group: "2026-03", Rank: 3, Days: 60, Ranks: ranks}, classify.Page{Limit: 10, Count: true})
		must(t, err)
		if people.Total != 1 || !slices.Equal(people.IDs, []id.ID{1}) {
			t.Errorf("who became active in time: %+v", people)
		}
		for _, x := range []struct {
			figure classify.Behind
			want   string
		}{
			{classify.Behind{Figure: "in", To: "lost", B: clock.NewDay(2026, 3, 1)}, "[3]"},
			{classify.Behind{Figure: "flow", To: "potential", A: clock.NewDay(2026, 3, 31), B: now}, "[4]"},
			{classify.Behind{Figure: "move", To: "first_purchase", A: clock.NewDay(2026, 3, 1), B: now}, "[1 2]"},
			{classify.Behind{Figure: "move", From: "potential", A: clock.NewDay(2026, 3, 1), B: now}, "[2]"},
			{classify.Behind{Figure: "group", By: classify.BySource, Group: "store", Days: 60, Ranks: ranks}, "[1 2]"},
		} {
			got, err := a.Behind(t.Context(), "lifecycle", x.figure, classify.Page{Limit: 10})
			must(t, err)
			if fmt.Sprint(got.IDs) != x.want {
				t.Errorf("behind %+v: %v, want %s", x.figure, got.IDs, x.want)
			}
		}
		later, err := a.Later(t.Context(), "lifecycle", clock.NewDay(2026, 4, 30), now)
		must(t, err)
		if s := later["active"]; s.N != 1 || s.Buyers != 1 || s.Sum != 3000 || s.Sq != 9e6 {
			t.Errorf("active in April purchased later %+v", s)
		}
		if s := later["potential"]; s.Sum != 4000 {
			t.Errorf("potential in April purchased later %+v", s)
		}
		values, ok, err := a.Values(t.Context(), "orders", clock.NewDay(2026, 4, 30), now)
		must(t, err)
		if !ok || len(values) != 3 || values[2].X != 2 || values[2].Sum != 3000 || values[0].Sum != 4000 {
			t.Errorf("orders by April and what came later: %v %v", values, ok)
		}
		// Rules that say otherwise: the present differs by who moves.
		strict := defs[0]
		strict.Classes = slices.Clone(strict.Classes)
		for i, c := range strict.Classes {
			if c.Key == "active" {
				strict.Classes = slices.Delete(strict.Classes, i, i+1)
				break
			}
		}
		moving, err := a.Moving(t.Context(), strict)
		must(t, err)
		if !slices.Contains(moving, classify.Flow{From: "active", To: "potential", N: 1}) {
			t.Errorf("who would move: %v", moving)
		}
		who, err := a.MovingPeople(t.Context(), strict, "active", "potential", classify.Page{Limit: 5, Count: true})
		must(t, err)
		if who.Total != 1 || who.IDs[0] != 1 {
			t.Errorf("who would move: %+v", who)
		}
		pairs, err := a.Together(t.Context(), "lifecycle", "value_tier")
		must(t, err)
		n := int64(0)
		for _, p := range pairs {
			n += p.N
		}
		if n != 4 {
			t.Errorf("together %v", pairs)
		}
		// Moves that passes find go on in the log, and another version is decided anew.
		strict.Version = 2
		_, err = a.Apply(t.Context(), []classify.Classification{strict}, false, noon(now), func([]classify.Move) error { return nil })
		must(t, err)
		must(t, a.Remember(t.Context(), []classify.Classification{strict}, noon(now)))
		if got := steps(1); got != "2026-03-31 first_purchase, 2026-04-30 potential" {
			t.Errorf("under other rules: %s", got)
		}
	})
}

// Every classification and every set of stages that comes with the program is decided on both databases, also of an earlier day.
func TestWhatComesWithTheProgramIsDecided(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		now := clock.NewDay(2026, 6, 20)
		b.load(t, "customer", []string{"id", "created_at_day", "occupation", "occupation_fold", "country", "country_fold"}, analytics.Rows([][]any{
			{int64(1), int64(now - 100), "小学教师", "小学教师", nil, nil}, {int64(2), int64(now - 100), nil, nil, "France", "france"},
		}))
		b.load(t, "order", []string{"id", "customer", "placed_at", "placed_at_day", "status", "net_amount_base"},
			analytics.Rows([][]any{{int64(1), int64(1), int64(now-80) * dayMillis, int64(now - 80), "completed", int64(5000)}}))
		_, err := b.store.Full(t.Context(), pass(now, trait.Defaults()), now)
		must(t, err)
		a := audienceOf(t, b, now)
		defs, err := classify.Defaults()
		must(t, err)
		templates, err := classify.Templates()
		must(t, err)
		for _, x := range templates {
			defs = append(defs, classify.Classification{Key: "set_" + x.Key, Classes: x.Classes, Version: 1})
		}
		_, err = a.Apply(t.Context(), defs, false, noon(now), func([]classify.Move) error { return nil })
		must(t, err)
		must(t, a.Remember(t.Context(), defs, noon(now)))
		for customer, want := range map[id.ID]map[string]string{
			1: {"occupation_class": "professional", "local_class": "unknown", "psychographic_class": "unknown", "set_five_stage": "introduction", "set_care_cycle": "cultivate"},
			2: {"occupation_class": "unknown", "local_class": "overseas", "region_class": "overseas", "set_care_cycle": "acquire"},
		} {
			got, err := b.store.Classes(t.Context(), customer)
			must(t, err)
			for key, class := range want {
				if got[key].Key != class {
					t.Errorf("customer %d, %s: %q, want %q", customer, key, got[key].Key, class)
				}
			}
		}
		for _, key := range []string{"set_five_stage", "set_care_cycle", "potential_class", "lifecycle"} {
			if k, _, err := a.Known(t.Context(), key); err != nil || k.Replayed == 0 {
				t.Errorf("%s is not decided of earlier days: %+v %v", key, k, err)
			}
		}
	})
}
