package compile_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/objects"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type traits map[string]query.Trait

func (m traits) Trait(key string) (query.Trait, bool) { v, ok := m[key]; return v, ok }

func env(t testing.TB) compile.Env {
	t.Helper()
	objs, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewRegistry(objs)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return compile.Env{
		Registry: r, Now: time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC), Zone: zone, Base: "CNY",
		Traits: traits{
			"clv_12m":   {Key: "clv_12m", Type: schema.Money, Table: "t_value", Column: "clv_12m"},
			"lifecycle": {Key: "lifecycle", Type: schema.Choice, Options: []schema.Option{{Key: "active"}, {Key: "lost"}}, Table: "t_class", Column: "lifecycle"},
		},
		Blind: func(f *schema.Field, s string) string { return "blind of " + f.Key + " " + s },
		Segment: func(key string) (*query.Node, bool) {
			if key != "vip" {
				return nil, false
			}
			n, err := query.Parse([]byte(`{"any":[{"trait":"clv_12m","op":">=","value":{"amount":"1000","currency":"CNY"}},{"record":"order","op":">=","value":10}]}`))
			return n, err == nil
		},
	}
}

func parse(t testing.TB, s string) *query.Node {
	t.Helper()
	n, err := query.Parse([]byte(s))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return n
}

// conditions are the golden ones, in files by the same name.
var conditions = []struct{ name, object, text string }{
	{"empty", "customer", `{"all":[]}`},
	{"nobody", "customer", `{"any":[]}`},
	{"text", "customer", `{"all":[{"field":"name","op":"contains","value":"有限_公司"},{"field":"name","op":"starts_with","value":"上海"},{"field":"name","op":"ends_with","value":"店"},{"field":"name","op":"matches","value":"^[A-Z].*$"}]}`},
	{"text_not", "customer", `{"not":{"any":[{"field":"name","op":"!=","value":"ABC"},{"field":"country","op":"in","value":["中国","France"]}]}}`},
	{"personal", "customer", `{"all":[{"field":"phone","op":"in","value":["13800138000","13900139000"]},{"field":"email","op":"is_not_set"},{"field":"email.domain","op":"=","value":"qq.com"}]}`},
	{"region", "customer", `{"any":[{"field":"region","op":"in","value":["310000","330106"]},{"field":"address.region","op":"=","value":"330100"},{"field":"region.tier","op":"=","value":"first"}]}`},
	{"dates", "customer", `{"all":[{"field":"created_at","op":"within_last","value":{"days":30}},{"field":"created_at","op":"within_last","value":{"hours":24}},{"field":"acquired_on","op":"between","value":["2026-01-01","2026-06-30"]}]}`},
	{"birthday", "customer", `{"field":"birthday","op":"anniversary_within","value":{"days":14}}`},
	{"sets", "customer", `{"all":[{"field":"tags","op":"contains","value":["a","b"]},{"field":"needs","op":"not_in","value":["product"]}]}`},
	{"paths", "customer", `{"all":[{"field":"store.region","op":"=","value":"310000"},{"field":"referrer.store.name","op":"=","value":"A"},{"field":"store.name","op":"is_set"}]}`},
	{"record_some", "customer", `{"record":"order","where":{"field":"status","op":"=","value":"completed"},"within":{"days":90}}`},
	{"record_none", "customer", `{"record":"order","op":"none","within":{"days":60}}`},
	{"record_shared", "customer", `{"all":[{"record":"order","op":">=","value":2,"within":{"days":180}},{"record":"order","aggregate":{"sum":"net_amount"},"op":">=","value":{"amount":"500","currency":"CNY"},"within":{"days":365}},
		{"record":"order","aggregate":{"avg":"net_amount"},"op":"between","value":[{"amount":"10","currency":"CNY"},{"amount":"90","currency":"CNY"}],"within":{"days":180}},{"stopped":{"record":"order"},"for":{"days":30}}]}`},
	{"record_windows", "customer", `{"any":[{"record":"order","op":">=","value":3,"within":{"days":30}},{"record":"order","op":"=","value":0,"none_as":0,"within":{"days":[60,30]}}]}`},
	{"record_joined", "customer", `{"all":[{"record":"order_line","where":{"field":"product.brand","op":"=","value":"Acme"},"aggregate":{"distinct":"product.category"},"op":">=","value":2},{"record":"order_line","op":">","value":5}]}`},
	{"lifecycle", "customer", `{"any":[{"first":{"record":"order"},"within":{"days":30}},{"resumed":{"record":"order"},"after":{"days":90}}]}`},
	{"order_list", "order", `{"all":[{"field":"customer.region","op":"=","value":"310000"},{"field":"net_amount","op":">","value":{"amount":"100","currency":"CNY"}}]}`},
	{"order_lines", "order", `{"record":"order_line","op":">=","value":3}`},
	{"segments", "customer", `{"all":[{"segment":"vip"},{"segment":"static","op":"not_in"},{"record":"order","op":"<","value":20}]}`},
	{"order_segments", "order", `{"any":[{"segment":"vip"},{"segment":"static"},{"trait":"lifecycle","op":"=","value":"lost"}]}`},
	{"random", "customer", `{"random":{"percent":12.5,"salt":"a"}}`},
	{"top", "customer", `{"top":{"of":{"trait":"lifecycle","op":"=","value":"active"},"trait":"clv_12m","count":1000}}`},
}

func show(f compile.Fragment, err error) string {
	if err != nil {
		return fault.CodeOf(err) + "\n"
	}
	return fmt.Sprintf("%s\nWHERE %s\n%v (%d of joins)\n", strings.TrimSpace(f.Joins), f.Where, f.Args, f.JoinArgs)
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range conditions {
		e := env(t)
		obj, n := e.Registry.Object(c.object), parse(t, c.text)
		var b strings.Builder
		fmt.Fprintf(&b, "-- %s: %s\n", c.object, c.text)
		for _, d := range []compile.Dialect{compile.SQLite{}, compile.PostgreSQL{}} {
			e.Dialect = d
			fmt.Fprintf(&b, "\n-- records, %T\n%s", d, show(compile.Records(e, obj, n)))
		}
		fmt.Fprintf(&b, "\n-- analytics\n%s", show(compile.Analytics(e, obj, n)))
		file := "testdata/" + c.name + ".sql"
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, b.String(), want)
		}
	}
}

// Leaves over the same records share one scan, whatever their windows, and no text does what a distributed PostgreSQL
// refuses.
func TestAnalyticsText(t *testing.T) {
	t.Parallel()
	e := env(t)
	for _, c := range conditions {
		f, err := compile.Analytics(e, e.Registry.Object(c.object), parse(t, c.text))
		if err != nil {
			continue
		}
		text := f.Joins + f.Where
		for _, word := range []string{"NOT EXISTS", "RECURSIVE", "GROUPING SETS", " OVER ("} {
			if strings.Contains(text, word) {
				t.Errorf("%s contains %s", c.name, word)
			}
		}
		if got := strings.Count(text, "?"); got != len(f.Args) || strings.Count(f.Joins, "?") != f.JoinArgs {
			t.Errorf("%s: %d parameters for %d marks", c.name, len(f.Args), got)
		}
		if scans := strings.Count(text, `FROM "a_order" `); c.name != "order_segments" && scans > 1 {
			t.Errorf("%s scans orders %d times", c.name, scans)
		}
	}
}

func TestPlanes(t *testing.T) {
	t.Parallel()
	e := env(t)
	for _, c := range conditions {
		n, obj := parse(t, c.text), e.Registry.Object(c.object)
		_, err := compile.Records(e, obj, n)
		if compile.Planes(n) != (fault.CodeOf(err) == "query.needs_analytics") {
			t.Errorf("%s: planes says %v, records says %v", c.name, compile.Planes(n), err)
		}
	}
	for text, code := range map[string]string{
		`{"field":"gone","op":"is_set"}`: "query.unknown_field", `{"field":"updated_by","op":"is_set"}`: "query.not_in_analytics",
	} {
		if _, err := compile.Analytics(e, e.Registry.Object("customer"), parse(t, text)); fault.CodeOf(err) != code {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := compile.Analytics(e, e.Registry.Object("order"), parse(t, `{"record":"order_line"}`)); fault.CodeOf(err) != "query.not_in_analytics" {
		t.Errorf("lines of an order: %v", err)
	}
}

func TestSortKeys(t *testing.T) {
	t.Parallel()
	e := env(t)
	obj := e.Registry.Object("customer")
	keys, err := compile.SortKeys(obj, []schema.Sort{{Field: "name"}, {Field: "annual_revenue", Desc: true}, {Field: "created_at"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `t."name_sort" COLLATE "C" NULLS LAST, t."annual_revenue_base" DESC NULLS LAST, t."created_at", t."id"`
	if got := compile.OrderBy(compile.PostgreSQL{}, keys); got != want {
		t.Errorf("order by %s", got)
	}
	for _, s := range []schema.Sort{{Field: "phone"}, {Field: "gone"}, {Field: "tags"}, {Field: "orders"}, {Trait: "clv_12m"}, {}} {
		if _, err := compile.SortKeys(obj, []schema.Sort{s}); fault.CodeOf(err) != "query.not_sortable" {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for _, after := range [][]any{{}, {"a", int64(1), int64(2)}, {"a", int64(1), int64(2), nil}, {int64(1), int64(1), int64(1), int64(1)}, {"a", int64(1), nil, int64(1)}, {"a", 1.5, int64(1), int64(1)}} {
		if _, err := compile.Keyset(nil, keys, after); fault.CodeOf(err) != "query.bad_cursor" {
			t.Errorf("%v: %v", after, err)
		}
	}
	if keys, err := compile.SortKeys(obj, nil); err != nil || compile.OrderBy(nil, keys) != `t."id" DESC` {
		t.Errorf("no sort: %v %v", keys, err)
	}
	if keys, err := compile.SortKeys(obj, []schema.Sort{{Field: "id"}, {Field: "name"}}); err != nil || len(keys) != 1 {
		t.Errorf("by id: %v %v", keys, err)
	}
}

func BenchmarkCompile(b *testing.B) {
	e := env(b)
	n, obj := parse(b, conditions[12].text), e.Registry.Object("customer")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := compile.Analytics(e, obj, n); err != nil {
			b.Fatal(err)
		}
	}
}
