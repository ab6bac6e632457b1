package query_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/objects"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// registry holds the standard objects, each loaded anew.
func registry(t testing.TB) *schema.Registry {
	t.Helper()
	objs, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewRegistry(objs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func catalog(t testing.TB) *lang.Catalog {
	t.Helper()
	c, err := lang.NewCatalog(os.DirFS("../../.."), lang.ChineseSimplified)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type traits map[string]query.Trait

func (m traits) Trait(key string) (query.Trait, bool) { v, ok := m[key]; return v, ok }

func someTraits() traits {
	return traits{
		"orders_180d": {Key: "orders_180d", Type: schema.Number, Label: schema.Label{"zh-CN": "近 180 天订单数", "en": "Orders in 180 days"}},
		"clv_12m":     {Key: "clv_12m", Type: schema.Money, Label: schema.Label{"zh-CN": "未来一年价值", "en": "Value of the next 12 months"}},
		"lifecycle": {Key: "lifecycle", Type: schema.Choice, Label: schema.Label{"zh-CN": "生命周期", "en": "Lifecycle stage"}, Options: []schema.Option{
			{Key: "active", Label: schema.Label{"zh-CN": "活跃", "en": "Active"}}, {Key: "lost", Label: schema.Label{"zh-CN": "流失", "en": "Lost"}}}},
		"last_order": {Key: "last_order", Type: schema.Date, Label: schema.Label{"zh-CN": "最近下单日", "en": "Last order"}},
	}
}

type segments map[string]query.Segment

func (m segments) Segment(key string) (query.Segment, bool) { v, ok := m[key]; return v, ok }

func parse(t testing.TB, s string) *query.Node {
	t.Helper()
	n, err := query.Parse([]byte(s))
	if err != nil {
		t.Fatalf("parse %s: %v", s, err)
	}
	return n
}

func someSegments(t testing.TB) segments {
	t.Helper()
	return segments{
		"vip":    {Key: "vip", Label: schema.Label{"zh-CN": "高价值", "en": "High value"}, Where: parse(t, `{"trait":"clv_12m","op":">=","value":{"amount":"1000","currency":"CNY"}}`)},
		"static": {Key: "static", Label: schema.Label{"zh-CN": "展会名单", "en": "Fair visitors"}},
		"loop_a": {Key: "loop_a", Where: parse(t, `{"not":{"segment":"loop_b"}}`)},
		"loop_b": {Key: "loop_b", Where: parse(t, `{"any":[{"segment":"loop_a"}]}`)},
		"broken": {Key: "broken", Where: parse(t, `{"field":"gone","op":"is_set"}`)},
		"secret": {Key: "secret", Where: parse(t, `{"all":[{"field":"note","op":"is_set"}]}`)},
	}
}

func checkEnv(t testing.TB, object string) query.CheckEnv {
	t.Helper()
	return query.CheckEnv{
		Registry: registry(t), Object: object, Traits: someTraits(), Segments: someSegments(t), Base: "CNY", Behaviour: true,
		Blind: func(f *schema.Field, s string) string { return f.Key + ":" + s },
	}
}

// now is 2026-11-21 10:00 in Shanghai.
func moment(t testing.TB) query.Moment {
	t.Helper()
	return query.Moment{Now: time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC), Zone: shanghai(t)}
}

func shanghai(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// codes are the codes of a fault by their places.
func codes(err error) map[string]string {
	out := map[string]string{}
	f, ok := fault.Find(err)
	if !ok {
		return out
	}
	items := f.Items
	if len(items) == 0 {
		items = []*fault.Fault{f}
	}
	for _, it := range items {
		out[it.Field] = it.Code
	}
	return out
}
