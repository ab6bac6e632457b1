package analytics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// Conditions of plays are answered together for everybody as each is by itself; ranks are written and read as the work list, and windows are counted.
func TestActionFacts(t *testing.T) {
	t.Parallel()
	catalogue, err := trait.Standard()
	must(t, err)
	onBoth(t, func(t *testing.T, b *bench) {
		c := newCompany(12)
		c.load(t, b)
		_, err := b.store.Full(t.Context(), pass(20_000, trait.Defaults()), 20_000)
		must(t, err)
		env := func() compile.Env {
			return compile.Env{Registry: b.reg, Traits: catalogue, Now: noon(20_000), Zone: time.UTC, Base: "CNY", Columnar: b.db.Dialect().Name() == "duckdb"}
		}
		board := analytics.NewAudience(b.store, env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
		f := analytics.NewActions(board)
		once := &query.Node{Trait: "orders", Op: ">=", Value: json.RawMessage("1")}
		often := &query.Node{Trait: "orders", Op: ">=", Value: json.RawMessage("3")}
		nobody := &query.Node{Trait: "orders", Op: ">=", Value: json.RawMessage("100000")}
		if f.Works(once) != nil || f.Works(&query.Node{Trait: "no_such", Op: "is_set"}) == nil {
			t.Error("which conditions work")
		}
		seen, first, second := [3]int64{}, int64(0), int64(0)
		got := ""
		must(t, f.Eligible(t.Context(), []*query.Node{once, often, nobody}, nil, func(c *action.Candidate) error {
			for i, h := range c.Holds {
				if h {
					seen[i]++
				}
			}
			if first == 0 {
				first = c.Customer
				got = fmt.Sprintf("%d|%d|%t\n", c.Basket, c.Year, c.Holds[1])
			} else if second == 0 {
				second = c.Customer
			}
			return nil
		}))
		for i, n := range []*query.Node{once, often, nobody} {
			want, err := f.Count(t.Context(), n)
			must(t, err)
			if seen[i] != want || i < 2 && want == 0 {
				t.Errorf("condition %d: %d by all together, %d by itself", i, seen[i], want)
			}
		}
		if want := b.table(t, fmt.Sprintf("SELECT average_basket, spend_365d, orders >= 3 FROM customer_traits WHERE customer_id = %d", first)); got != want {
			t.Errorf("got %s want %s", got, want)
		}
		one := 0
		must(t, f.Eligible(t.Context(), []*query.Node{once}, []id.ID{id.ID(first)}, func(c *action.Candidate) error {
			if one++; c.Customer != first {
				t.Errorf("%d instead of %d", c.Customer, first)
			}
			return nil
		}))
		if one != 1 {
			t.Errorf("%d rows of one customer", one)
		}
		n, err := f.Replace(t.Context(), 5, "1@20000", func(yield func(int64, []action.Ranked) bool) {
			if yield(first, []action.Ranked{{Play: "a", Gain: 50}, {Play: "b", Gain: 20}}) {
				yield(second, []action.Ranked{{Play: "b", Gain: 40}})
			}
		})
		must(t, err)
		lines, total, err := f.Work(t.Context(), action.Need{Limit: 2, Count: true})
		must(t, err)
		if n != 2 || total != 3 || len(lines) != 2 || lines[0].Gain != 50 || lines[0].Customer != id.ID(first) || lines[1].Gain != 40 {
			t.Errorf("%d written, %d, %v", n, total, lines)
		}
		lines, total, err = f.Work(t.Context(), action.Need{Play: "b", Where: &query.Node{Field: "id", Op: "=", Value: json.RawMessage(`"` + id.Format("cus", id.ID(first)) + `"`)}, Limit: 5, Count: true})
		must(t, err)
		if total != 1 || len(lines) != 1 || lines[0].Gain != 20 {
			t.Errorf("%d, %v", total, lines)
		}
		bought := ""
		must(t, f.Bought(t.Context(), 19_000, 20_000, func(customer, orders, revenue int64) {
			if customer == first {
				bought = fmt.Sprintf("%d|%d\n", orders, revenue)
			}
		}))
		if want := b.table(t, fmt.Sprintf("SELECT count(*), CAST(sum(amount) AS BIGINT) FROM f_purchase WHERE day > 19000 AND day <= 20000 AND customer_id = %d", first)); bought != want && bought != "" {
			t.Errorf("bought %q, want %q", bought, want)
		}
		basket, year, err := f.Usual(t.Context())
		must(t, err)
		if basket <= 0 || year < 0 {
			t.Errorf("usual %d, %d", basket, year)
		}
	})
}
