package oracle_test

import (
	"encoding/json"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// figure draws a computed trait; many fields do not fit their kind.
func (g *tree) figure() query.Computed {
	kinds := query.ComputedKinds()
	d := query.Computed{Kind: kinds[g.number(0, len(kinds)-1)], Number: g.number(0, 1) == 0}
	of := g.named()
	fields := []string{"price", "sku", "商品", "50%", "$amount", "$path", "$channel", "$dwell_ms"}
	if g.number(0, 1) == 0 {
		of = node{"record": draw(g, "order", "order_line")}
		if g.number(0, 1) == 0 {
			of["where"] = g.condition(of["record"].(string)+inRows, 1)
		}
		fields = []string{"amount", "quantity", "status", "number", "placed_at", "store.name", "customer.level"}
		if of["record"] == "order_line" {
			fields = []string{"amount", "name", "on", "product.category", "product.price"}
		}
	}
	if g.number(0, 1) == 0 {
		of["within"] = g.window(of["record"] != "order_line")
	}
	raw, err := json.Marshal(of)
	if err != nil {
		g.t.Fatal(err)
	}
	if d.Of, err = query.Parse(raw); err != nil {
		g.t.Fatal(err)
	}
	if d.Kind.NeedsField() {
		d.Field = draw(g, fields...)
	}
	return d
}

// A computed trait has the same value for every customer in memory and in both engines.
func TestComputedEverywhereTheSame(t *testing.T) {
	t.Parallel()
	l := newLab(t, 4)
	for _, e := range l.analytic {
		d := analytics.Dialect(analytics.Duck{})
		if e.numbered {
			d = analytics.Postgres{}
		}
		e.exec(t, d.Division())
	}
	moment := query.Moment{Now: l.w.now, Zone: l.w.zone}
	answered := 0
	rapid.Check(t, func(t *rapid.T) {
		g := &tree{t: t, w: l.w, analytics: true}
		d := g.figure()
		f, err := query.ResolveComputed(d, l.checkEnv("customer"))
		if err != nil {
			return // a field that does not fit
		}
		answered++
		text, _ := json.Marshal(d)
		fixed := f.At(moment)
		want := map[id.ID]any{}
		for _, r := range l.w.rows["customer"] {
			if r.deleted {
				continue
			}
			v, err := fixed.Eval(query.EvalEnv{CheckEnv: l.checkEnv("customer"), Moment: moment}, r.stored)
			if err != nil {
				t.Fatalf("eval: %v\n%s", err, text)
			}
			if v != nil && (v != int64(0) || !d.Kind.Zero()) {
				want[r.RecordID] = v
			}
		}
		for _, e := range l.analytic {
			env := l.env(nil)
			env.Columnar = e.name == "duckdb"
			got, q := e.values(t, env, f)
			for k, v := range got {
				if v == int64(0) && d.Kind.Zero() {
					delete(got, k)
				}
			}
			if !maps.Equal(got, want) {
				t.Fatalf("%s gives %v\nin memory %v\n%s\n%s", e.name, got, want, q, text)
			}
		}
	})
	if answered < 20 {
		t.Errorf("only %d figures could be worked out", answered)
	}
}

// values are the values of live customers.
func (e engine) values(t failer, env compile.Env, f *query.ComputedFigure) (map[id.ID]any, string) {
	text, args, err := compile.ComputedText(env, f, compile.ComputedScope{})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	rows, err := e.db.Query(e.bind("SELECT q.customer_id, q.value FROM ("+text+") q JOIN a_customer c ON c.id = q.customer_id WHERE q.value IS NOT NULL"), args...)
	if e.refused(err) {
		return nil, text
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%v", e.name, err, text, args)
	}
	defer rows.Close()
	out := map[id.ID]any{}
	for rows.Next() {
		var who int64
		var number int64
		var word string
		dst := any(&number)
		if trait.Textual(f) {
			dst = &word
		}
		if err := rows.Scan(&who, dst); err != nil {
			t.Fatalf("%s: %v\n%s", e.name, err, text)
		}
		if out[id.ID(who)] = any(number); trait.Textual(f) {
			out[id.ID(who)] = word
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v\n%s", e.name, err, text)
	}
	return out, text
}
