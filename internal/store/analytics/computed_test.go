package analytics_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// planned are definitions as a workspace stores them, with their places.
type planned struct {
	b       *bench
	figures map[int]*query.ComputedFigure
}

func plan(t testing.TB, b *bench, definitions map[int]string) *planned {
	t.Helper()
	out := &planned{b: b, figures: map[int]*query.ComputedFigure{}}
	for place, text := range definitions {
		parts := strings.SplitN(text, " ", 3) // kind field {of}
		of, err := query.Parse([]byte(parts[2]))
		must(t, err)
		d := query.Computed{Kind: query.ComputedKind(parts[0]), Of: of}
		if parts[1] != "-" {
			d.Field = parts[1]
		}
		f, err := query.ResolveComputed(d, query.CheckEnv{Registry: b.reg, Base: "CNY", Behaviour: true})
		must(t, err)
		out.figures[place] = f
	}
	return out
}

func (p *planned) env() compile.Env {
	return compile.Env{Registry: p.b.reg, Now: p.b.clock.Now(), Zone: time.UTC, Base: "CNY", Columnar: p.b.db.Dialect().Mirrored()}
}

// plan is what passes go by; broken is the place of a definition that does not work any more, -1 for none.
func (p *planned) plan(mark string, broken int) *trait.ComputedPlan {
	return &trait.ComputedPlan{Mark: mark, Families: 2, Events: true, Steps: func(moment time.Time, s trait.ComputedScope) ([]trait.ComputedStep, error) {
		var out []trait.ComputedStep
		env := p.env()
		env.Now = moment
		for place, f := range p.figures {
			step := trait.ComputedStep{Place: place, Zero: f.Kind.Zero()}
			if place != broken {
				var err error
				if step.SQL, step.Args, err = compile.ComputedText(env, f, compile.ComputedScope(s)); err != nil {
					return nil, err
				}
			}
			out = append(out, step)
		}
		return out, nil
	}}
}

// happen loads events of a customer.
func (b *bench) happen(t *testing.T, customer int64, events ...[]any) {
	t.Helper()
	var rows [][]any
	for _, e := range events { // id, day, name, amount, properties
		day := int64(e[1].(int))
		rows = append(rows, []any{int64(e[0].(int)), customer, customer, day*dayMillis + int64(e[0].(int)), day, int64(0), int64(1), "track", e[2], int64(0), int64(e[3].(int)), e[4], "{}"})
	}
	must(t, b.db.Write(t.Context(), func(tx analytics.Tx) error {
		if text := b.db.Dialect().Month("f_event", "f_event_whole", nil, nil); text != "" { // one part for every month
			if _, err := tx.Exec(t.Context(), text); err != nil {
				return err
			}
		}
		return tx.Append(t.Context(), analytics.EventTable, []string{"id", "customer_id", "profile_id", "at", "day", "received_at", "source_id", "kind", "name", "flags", "amount", "properties", "context"}, analytics.Rows(rows))
	}))
}

func TestComputedTraitsFollowChangesAndAgreeWithAFullPass(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		const anchor = 20_000
		c := newCompany(5)
		c.load(t, b)
		p := plan(t, b, map[int]string{
			0:  `counter - {"event":"Buy","within":{"days":30}}`,
			1:  `sum price {"event":"Buy","where":{"property":"colour","op":"=","value":"red"}}`,
			2:  `time_since - {"event":"View"}`,
			3:  `sum net_amount {"record":"order"}`,
			20: `most_frequent colour {"event":"Buy"}`,
			21: `unique_list colour {"event":"*"}`,
			30: `average $amount {"event":"Buy"}`, // the second family
		})
		who, other := c.customers[0], c.customers[1]
		b.happen(t, who, []any{1, anchor - 1, "Buy", 1000, `{"price": 1.5, "colour": "red"}`}, []any{2, anchor - 40, "Buy", 501, `{"price": "2.25", "colour": "red"}`},
			[]any{3, anchor - 3, "View", 0, `{"colour": "blue"}`}, []any{4, anchor, "Buy", 0, `{"price": 9, "colour": "green|x"}`})
		columns := []analytics.ComputedColumn{{Key: "buys", Table: "t_computed_1", Column: "i1"}, {Key: "average", Table: "t_computed_2", Column: "i1"}}
		b.store.Shape(2, columns)
		must(t, b.store.Ensure(t.Context(), b.reg, trait.Defaults()))
		b.clock.Set(noon(anchor))
		passed := func(mark string, broken int) trait.Pass {
			ps := pass(anchor, trait.Defaults())
			ps.Computed, ps.Moment = p.plan(mark, broken), ps.At
			return ps
		}
		if r, err := b.store.Full(t.Context(), passed("a", -1), anchor); err != nil || r.Kind != "full" {
			t.Fatal(r, err)
		}
		one := "SELECT f.i1, f.i2, f.i3, f.t1, f.t2, s.i1 FROM t_computed_1 f JOIN t_computed_2 s ON s.customer_id = f.customer_id WHERE f.customer_id = ?"
		if got, want := b.table(t, one, who), "2|37500|3|red|\\|blue\\|green/x\\|red\\||500\n"; got != strings.ReplaceAll(want, `\`, "") {
			t.Errorf("first values %q, want %q", got, want)
		}
		if got := b.table(t, one, other); got != "0|-|-|-|-|-\n" {
			t.Errorf("nobody's values %q", got)
		}
		if got := b.table(t, "SELECT buys, average FROM customer_traits WHERE customer_id = ?", who); got != "2|500\n" {
			t.Errorf("in the wide view %q", got)
		}
		all := "SELECT f.*, s.* FROM t_computed_1 f JOIN t_computed_2 s ON s.customer_id = f.customer_id ORDER BY f.customer_id"
		for round := range 4 { // one customer, then many
			b.happen(t, other, []any{10 + round, anchor - round, "Buy", 300 * round, `{"price": 2, "colour": "blue"}`})
			touched := []id.ID{id.ID(other)}
			if round%2 == 1 {
				touched = append(touched, c.change(t, b)...)
			}
			must(t, b.store.Touch(t.Context(), touched))
			_, err := b.store.Small(t.Context(), passed("a", -1))
			must(t, err)
			r, err := b.store.Full(t.Context(), passed("a", -1), anchor)
			if got := b.table(t, one, other); round == 0 && got != "1|-|-|-||blue||0\n" {
				t.Errorf("values after an event %q", got)
			}
			if err != nil || !r.Verified || r.Differing != 0 {
				t.Fatalf("round %d: a full pass differs by %d (verified %v): %v", round, r.Differing, r.Verified, err)
			}
		}
		before := b.table(t, all)
		// A definition that does not work keeps its values, in a small pass and in one over everyone.
		must(t, b.store.Touch(t.Context(), []id.ID{id.ID(who)}))
		_, err := b.store.Small(t.Context(), passed("a", 20))
		must(t, err)
		if after := b.table(t, all); after != before {
			t.Errorf("a broken definition changed values:\n%s\n%s", before, after)
		}
		r, err := b.store.Compute(t.Context(), passed("b", 20))
		if err != nil || r.Customers == 0 || !r.Full {
			t.Errorf("a pass over defined traits alone: %+v %v", r, err)
		}
		if after := b.table(t, all); after != before {
			t.Errorf("a pass over defined traits alone changed values")
		}
		if st, err := b.store.State(t.Context()); err != nil || st.Mark != "b" || !st.ComputedAll.Equal(noon(anchor)) {
			t.Errorf("state %+v %v", st, err)
		}
	})
}

// Another process defined the traits: the pass makes room for their values itself, whichever pass comes first.
func TestPassesMakeRoomForTraitsDefinedElsewhere(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		c := newCompany(8)
		c.load(t, b)
		b.clock.Set(noon(20_000))
		p := plan(t, b, map[int]string{0: `counter - {"record":"order"}`, 30: `counter - {"event":"Buy"}`})
		_, err := b.store.Full(t.Context(), pass(20_000, trait.Defaults()), 20_000)
		must(t, err)
		ps := pass(20_000, trait.Defaults())
		ps.Computed, ps.Moment = p.plan("a", -1), ps.At
		must(t, b.store.Touch(t.Context(), []id.ID{id.ID(c.customers[0])}))
		_, err = b.store.Small(t.Context(), ps)
		must(t, err)
		if got := b.table(t, "SELECT count(*) FROM t_computed_2"); got != "1\n" {
			t.Errorf("%q customers have values after a small pass", got)
		}
		_, err = b.store.Full(t.Context(), ps, 20_000)
		must(t, err)
		if got := b.table(t, "SELECT count(*) FROM t_computed_2"); got == "1\n" {
			t.Error("only one customer has values after a pass over everyone")
		}
	})
}

func TestPreviewShowsWhatCounts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		c := newCompany(6)
		c.load(t, b)
		b.clock.Set(noon(20_000))
		p := plan(t, b, map[int]string{0: `max price {"event":"Buy"}`, 1: `last status {"record":"order"}`})
		who := c.customers[2]
		b.happen(t, who, []any{1, 19_990, "Buy", 0, `{"price": 1.5}`}, []any{2, 19_991, "Buy", 0, `{"price": 7}`}, []any{3, 19_992, "Buy", 0, `{"other": 7}`})
		board := analytics.NewAudience(b.store, p.env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
		got, err := board.PreviewFigure(t.Context(), p.figures[0], id.ID(who))
		must(t, err)
		if got.Value != int64(70_000) || len(got.Rows) != 2 || got.Rows[0].ID != 2 || got.Rows[0].Value != int64(70_000) || got.Rows[0].Event != "Buy" || got.Sampled == 0 || got.Having != 1 || got.High != 70_000 {
			t.Errorf("%+v", got)
		}
		got, err = board.PreviewFigure(t.Context(), p.figures[1], 0)
		must(t, err)
		if got.Having == 0 || len(got.Common) == 0 || got.Figure.Type != schema.Choice {
			t.Errorf("%+v", got)
		}
	})
}
