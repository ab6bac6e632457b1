package analytics_test

import (
	"context"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// Classes after passes over the touched customers, one or many at a time, are those that a pass over everyone finds; and each
// move is told once, from the class before to the class after.
func TestTouchedCustomersGetTheClassesOfEveryone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		cat, err := trait.Standard()
		must(t, err)
		env := func() compile.Env {
			return compile.Env{Registry: b.reg, Traits: cat, Now: b.clock.Now(), Zone: time.UTC, Base: "CNY"}
		}
		board := analytics.NewAudience(b.store, env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
		class := func(key, text string) classify.Class {
			if text == "" {
				return classify.Class{Key: key}
			}
			where, err := query.Parse([]byte(text))
			must(t, err)
			return classify.Class{Key: key, Where: where}
		}
		defs := []classify.Classification{
			{Key: "frequency_class", Classes: []classify.Class{class("often", `{"trait":"orders","op":">=","value":4}`),
				class("seldom", `{"trait":"orders","op":">=","value":1}`)}},
			{Key: "value_tier", Classes: []classify.Class{class("high", `{"trait":"m_score","op":">=","value":4}`), class("rest", "")}},
		}
		c := newCompany(11)
		c.load(t, b)
		const anchor = 20_000
		_, err = b.store.Full(t.Context(), pass(anchor, trait.Defaults()), anchor)
		must(t, err)
		known := map[int64]map[string]string{}
		apply := func(touched bool) (told int) {
			_, err := board.Apply(t.Context(), defs, touched, b.clock.Now(), func(moves []classify.Move) error {
				for _, m := range moves {
					told++
					at := known[int64(m.Customer)]
					if at[m.Classification] != m.From || m.From == m.To || m.From == "" {
						t.Errorf("customer %d goes from %q to %q in %s and was in %q", m.Customer, m.From, m.To, m.Classification, at[m.Classification])
					}
				}
				return nil
			})
			must(t, err)
			known = map[int64]map[string]string{}
			for _, k := range c.customers {
				of, err := b.store.Classes(t.Context(), id.ID(k))
				must(t, err)
				known[k] = map[string]string{}
				for name, v := range of {
					known[k][name] = v.Key
				}
			}
			return told
		}
		if n := apply(false); n != 0 {
			t.Errorf("first classes are told as %d moves", n)
		}
		told := 0
		const rows = "SELECT customer_id, frequency_class, value_tier FROM t_class ORDER BY customer_id"
		for round := range 8 {
			if round%2 == 0 { // exactly one
				o := order{id: c.id(), customer: c.customers[round], day: anchor - 2, net: 90_000, status: "completed"}
				c.orders[o.id] = o
				b.load(t, "order", orderColumns, analytics.Rows([][]any{o.row()}))
				must(t, b.store.Touch(t.Context(), []id.ID{id.ID(o.customer)}))
			} else {
				must(t, b.store.Touch(t.Context(), c.change(t, b)))
			}
			_, err := b.store.Small(t.Context(), pass(anchor, trait.Defaults()))
			must(t, err)
			told += apply(true)
			before := b.table(t, rows)
			if n := apply(false); n != 0 {
				t.Errorf("round %d: a pass over everyone finds %d moves more", round, n)
			}
			if after := b.table(t, rows); after != before {
				t.Errorf("round %d: touched\n%s\neveryone\n%s", round, before, after)
			}
		}
		if told == 0 {
			t.Error("nobody moved")
		}
	})
}
