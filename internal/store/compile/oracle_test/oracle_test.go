package oracle_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// failer is a test, of testing or of rapid.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func parse(t failer, v any) (*query.Node, string) {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	n, err := query.Parse(raw)
	if err != nil {
		t.Fatalf("parse %s: %v", raw, err)
	}
	return n, string(raw)
}

// dynamic are the segments with conditions.
func dynamic(t testing.TB) map[string]*query.Node {
	t.Helper()
	out := map[string]*query.Node{}
	for k, s := range map[string]string{
		"dynamic": `{"any":[{"field":"level","op":"=","value":"gold"},{"record":"order","op":">=","value":3}]}`,
		"nested":  `{"all":[{"segment":"dynamic"},{"segment":"static","op":"not_in"},{"record":"order","op":">=","value":1,"within":{"days":30}}]}`,
	} {
		n, err := query.Parse([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		out[k] = n
	}
	return out
}

type segments map[string]*query.Node

func (s segments) Segment(key string) (query.Segment, bool) {
	return query.Segment{Key: key, Where: s[key]}, s[key] != nil || key == "static" || key == "ranked"
}

// lab is a world in every engine.
type lab struct {
	w        *world
	dynamic  segments
	records  []engine
	analytic []engine
}

func newLab(t *testing.T, seed uint64) *lab {
	t.Helper()
	w := newWorld(t, seed, 40)
	l := &lab{w: w, dynamic: dynamic(t)}
	l.records = append(l.records, sqlite(t, w))
	l.analytic = append(l.analytic, duckdb(t, w))
	if pg, ok := postgres(t, w); ok {
		l.records = append(l.records, pg)
		l.analytic = append(l.analytic, pg)
	} else {
		t.Log("GUANXI_TEST_POSTGRES_URL is not set: PostgreSQL is left out")
	}
	return l
}

func (l *lab) checkEnv(object string) query.CheckEnv {
	return query.CheckEnv{
		Registry: l.w.registry, Object: object, Traits: allTraits(), Segments: l.dynamic, Base: "CNY", Convert: convert, Blind: blind,
		Behaviour: true,
	}
}

func (l *lab) env(d compile.Dialect) compile.Env {
	return compile.Env{
		Registry: l.w.registry, Traits: allTraits(), Now: l.w.now, Zone: l.w.zone, Base: "CNY", Convert: convert, Blind: blind, Dialect: d,
		Segment: func(key string) (*query.Node, bool) { n, ok := l.dynamic[key]; return n, ok },
	}
}

// evaluated are the live records for which the condition holds in memory, asked in both forms.
func (l *lab) evaluated(t failer, n *query.Node, object string) map[id.ID]bool {
	e, err := query.Prepare(n, query.EvalEnv{CheckEnv: l.checkEnv(object), Moment: query.Moment{Now: l.w.now, Zone: l.w.zone}})
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
	out := map[id.ID]bool{}
	for _, r := range l.w.rows[object] {
		if r.deleted {
			continue
		}
		facts, err := e.Eval(&r.Facts)
		if err != nil {
			t.Fatalf("eval: %v", err)
		}
		columns, err := e.Eval(r.stored)
		if err != nil {
			t.Fatalf("eval of columns: %v", err)
		}
		if facts != columns {
			text, _ := json.Marshal(n)
			t.Fatalf("record %d: %v from values, %v from columns\n%s\n%v", r.RecordID, facts, columns, text, r.Values)
		}
		if facts {
			out[r.RecordID] = true
		}
	}
	return out
}

func sortedIDs(m map[id.ID]bool) []id.ID { return slices.Sorted(maps.Keys(m)) }

// agree runs a condition in the engines and compares with what is expected.
func agree(t failer, e engine, table, live string, f compile.Fragment, want map[id.ID]bool, tree string) {
	got, text, err := e.ids(table, f, live)
	if e.refused(err) {
		return
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%v\n%s", e.name, err, text, f.Args, tree)
	}
	if !maps.Equal(got, want) {
		t.Fatalf("%s finds %v\nin memory %v\n%s\n%v\n%s", e.name, sortedIDs(got), sortedIDs(want), text, f.Args, tree)
	}
	if n, err := e.nulls(table, f); !e.refused(err) && (err != nil || n > 0) {
		t.Fatalf("%s: %d rows without an answer, %v\n%s\n%s", e.name, n, err, text, tree)
	}
}

func dialect(e engine) compile.Dialect {
	if e.name == "sqlite" {
		return compile.SQLite{}
	}
	return compile.PostgreSQL{Citus: e.citus}
}

func TestEverywhereTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		l := newLab(t, seed)
		for _, object := range []string{"customer", "order"} {
			obj := l.w.registry.Object(object)
			rapid.Check(t, func(t *rapid.T) {
				g := &tree{t: t, w: l.w}
				n, text := parse(t, g.condition(object, 3))
				want := l.evaluated(t, n, object)
				l.agreeRecords(t, n, obj, want, text)
				if object == "customer" {
					l.agreeAnalytics(t, n, obj, want, text)
				}
			})
			rapid.Check(t, func(t *rapid.T) {
				g := &tree{t: t, w: l.w, analytics: true}
				n, text := parse(t, g.condition(object, 3))
				l.agreeAnalytics(t, n, obj, l.evaluated(t, n, object), text)
			})
		}
	}
}

func (l *lab) agreeRecords(t failer, n *query.Node, obj *schema.Object, want map[id.ID]bool, text string) {
	t.Helper()
	for _, e := range l.records {
		f, err := compile.Records(l.env(dialect(e)), obj, n)
		if err != nil {
			t.Fatalf("compile: %v\n%s", err, text)
		}
		agree(t, e, quoted(obj.Physical), "t.deleted_at IS NULL AND ", f, want, text)
	}
}

func (l *lab) agreeAnalytics(t failer, n *query.Node, obj *schema.Object, want map[id.ID]bool, text string) {
	for _, e := range l.analytic {
		env := l.env(nil)
		env.Columnar = e.name == "duckdb"
		f, err := compile.Analytics(env, obj, n)
		if err != nil {
			t.Fatalf("compile: %v\n%s", err, text)
		}
		agree(t, e, quoted("a_"+obj.Key), "", f, want, text)
	}
}

// A top list is not asked in memory: here it is computed by hand and then asked as membership.
func TestTopEverywhereTheSame(t *testing.T) {
	t.Parallel()
	l := newLab(t, 7)
	obj := l.w.registry.Object("customer")
	rapid.Check(t, func(t *rapid.T) {
		g := &tree{t: t, w: l.w, analytics: true}
		trait, count := draw(g, "spend", "orders_n", "last_on"), draw(g, 1, 3, 10, 1000)
		top := node{"trait": trait, "count": count}
		of := node{"all": []node{}}
		if g.number(0, 2) > 0 {
			of = g.condition("customer", 1)
			top["of"] = of
		}
		other := g.leaf("customer")
		inner, _ := parse(t, of)
		in := l.evaluated(t, inner, "customer")
		var ranked []*record
		for _, r := range l.w.rows["customer"] {
			if in[r.RecordID] && r.Traits[trait] != nil {
				ranked = append(ranked, r)
			}
			delete(r.Segments, "ranked")
		}
		slices.SortFunc(ranked, func(a, b *record) int {
			x, y := rank(a.Traits[trait]), rank(b.Traits[trait])
			if x != y {
				return int(y - x)
			}
			return int(a.RecordID - b.RecordID)
		})
		if g.number(0, 2) == 0 { // a share of those who have a value
			percent := draw(g, 1, 20, 50, 100)
			delete(top, "count")
			top["percent"] = percent
			count = max(1, (2*len(ranked)*percent+100)/200)
		}
		for _, r := range ranked[:min(count, len(ranked))] {
			r.Segments["ranked"] = true
		}
		byHand, _ := parse(t, node{"any": []node{{"segment": "ranked"}, {"not": other}}})
		n, text := parse(t, node{"any": []node{{"top": top}, {"not": other}}})
		l.agreeAnalytics(t, n, obj, l.evaluated(t, byHand, "customer"), text)
	})
}

func rank(v any) int64 {
	switch x := v.(type) {
	case int64:
		return x
	case clock.Day:
		return int64(x)
	}
	return 0
}
