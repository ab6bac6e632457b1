package app_test

import (
	"encoding/json"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// figuresOut is an answer of aggregate.
type figuresOut struct {
	Groups []struct {
		Values   []any
		Where    json.RawMessage
		Count    int
		Measures []any
	}
	More  bool
	Total struct {
		Count    int
		Measures []any
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	onBoth(t, figuresScenario)
}

func figuresScenario(t *testing.T, s *site) {
	c := s.as(access.Manager)
	ids := []string{}
	for _, body := range []string{
		`{"name":"甲","kind":"person","source":"store","region":"浙江省杭州市","height_cm":160}`,
		`{"name":"乙","kind":"company","source":"store","region":"浙江省杭州市西湖区"}`,
		`{"name":"丙","kind":"person","region":"浙江省","height_cm":170.5}`,
	} {
		ids = append(ids, read[rec](c, "POST", "/records/customer", `{"fields":`+body+`}`, 201).ID)
	}
	for _, body := range []string{
		`{"customer":"` + ids[0] + `","placed_at":"2026-10-31T15:00:00Z","net_amount":{"amount":"10.10","currency":"CNY"}}`,
		`{"customer":"` + ids[0] + `","placed_at":"2026-10-31T17:00:00Z","net_amount":{"amount":"20.05","currency":"CNY"}}`,
		`{"placed_at":"2026-11-05T17:00:00Z","net_amount":{"amount":"1","currency":"CNY"}}`,
	} {
		c.want(201, c.do("POST", "/records/order", `{"fields":`+body+`}`))
	}
	ask := func(object, body string) figuresOut {
		t.Helper()
		return read[figuresOut](c, "POST", "/records/"+object+"/aggregate", body, 200)
	}
	flat := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	count := func(object string, where json.RawMessage) int {
		t.Helper()
		return read[struct{ Count int }](c, "POST", "/records/"+object+"/count", `{"where":`+string(where)+`}`, 200).Count
	}

	// Every group's own condition finds as many records as the group counts.
	eventually(t, "everybody in a class", func() bool { return ask("customer", `{"group_by":[{"trait":"lifecycle"}]}`).Total.Count == 3 })
	for object, groups := range map[string][]string{
		"customer": {`{"field":"kind"}`, `{"field":"source"}`, `{"field":"region"}`, `{"field":"region","by":"city"}`, `{"field":"region","by":"district"}`,
			`{"field":"do_not_contact"}`, `{"field":"created_at","by":"week"}`, `{"field":"owner"}`, `{"trait":"lifecycle"}`},
		"order": {`{"field":"customer"}`, `{"field":"placed_at","by":"month"}`, `{"field":"status"}`, `{"field":"customer.region"}`},
	} {
		for _, g := range groups {
			got := ask(object, `{"group_by":[`+g+`]}`)
			all := 0
			for _, row := range got.Groups {
				all += row.Count
				if n := count(object, row.Where); n != row.Count {
					t.Errorf("%s by %s: %s finds %d, the group counts %d", object, g, row.Where, n, row.Count)
				}
			}
			if all != 3 || got.Total.Count != 3 {
				t.Errorf("%s by %s: groups count %d, total %d", object, g, all, got.Total.Count)
			}
		}
	}

	months := ask("order", `{"group_by":[{"field":"placed_at","by":"month"}],"measures":[{"func":"sum","field":"net_amount"},{"func":"avg","field":"net_amount"},{"func":"empty","field":"customer"}]}`)
	// 17:00 in UTC is already November in Shanghai.
	if got := flat(months.Groups); len(months.Groups) != 2 || months.Groups[0].Values[0] != "2026-10-01" ||
		flat(months.Groups[1].Measures) != `[{"amount":"21.05","currency":"CNY"},{"amount":"10.53","currency":"CNY"},1]` {
		t.Errorf("orders by month: %s", got)
	}
	if got := flat(months.Total.Measures); got != `[{"amount":"31.15","currency":"CNY"},{"amount":"10.38","currency":"CNY"},1]` {
		t.Errorf("total of orders: %s", got)
	}
	heights := ask("customer", `{"measures":[{"func":"avg","field":"height_cm"},{"func":"filled","field":"phone"},{"func":"max","field":"height_cm"}]}`)
	if got := flat(heights.Total.Measures); got != `[165.25,0,170.5]` {
		t.Errorf("heights: %s", got)
	}
	few := ask("order", `{"group_by":[{"field":"customer"}],"limit":1,"measures":[{"func":"sum","field":"net_amount"}]}`)
	if ref, ok := few.Groups[0].Values[0].(map[string]any); !ok || !few.More || ref["title"] != "甲" || flat(few.Total.Measures) != `[{"amount":"31.15","currency":"CNY"}]` {
		t.Errorf("the customer with the most orders: %s", flat(few))
	}

	for body, code := range map[string]string{
		`{"group_by":[{"field":"name"}]}`:                          "query.group_type",
		`{"group_by":[{"field":"phone"}]}`:                         "query.group_type",
		`{"group_by":[{"field":"created_at","by":"fortnight"}]}`:   "query.group_span",
		`{"measures":[{"func":"sum","field":"name"}]}`:             "query.measure_type",
		`{"measures":[{"func":"median","field":"height_cm"}]}`:     "query.measure_unknown",
		`{"group_by":[{"field":"nothing"}]}`:                       "query.unknown_field",
		`{"where":{"field":"nothing","op":"=","value":1}}`:         "query.unknown_field",
		`{"limit":100000}`:                                         "record.limit_range",
		`{"group_by":[{"trait":"lifecycle"}],"search":"somebody"}`: "api.search_with_traits",
	} {
		c.wantCode(422, code, c.do("POST", "/records/customer/aggregate", body))
	}
}

type savedView struct {
	ID      string
	Kind    string
	Pinned  bool
	Default string
	Version int
	Options map[string]any
}

func TestViewKinds(t *testing.T) {
	t.Parallel()
	onBoth(t, viewKinds)
}

func viewKinds(t *testing.T, s *site) {
	c, member := s.as(access.Manager), s.as(access.Member)
	options := `{"board":{"field":"status"},"measure":{"func":"sum","field":"net_amount"},"limits":{"draft":5},"collapsed":["cancelled"],"widths":{"number":200},"frozen":2,"totals":{"net_amount":"sum"}}`
	v := read[savedView](c, "POST", "/views", `{"object":"order","name":"看板","shared":true,"kind":"board","options":`+options+`}`, 201)
	if v.Kind != "board" || !v.Pinned || v.Options["frozen"] != 2.0 {
		t.Fatalf("%+v", v)
	}
	views := func(c *client) map[string]savedView {
		out := map[string]savedView{}
		for _, x := range read[struct{ Items []savedView }](c, "GET", "/views?object=order", "", 200).Items {
			out[x.ID] = x
		}
		return out
	}
	if got := views(member)[v.ID]; got.Kind != "board" || got.Default != "" {
		t.Errorf("as another sees it: %+v", got)
	}
	c.want(204, c.do("POST", "/views/"+v.ID+"/default", `{"object":"order","for":"everyone","on":true}`))
	if got := views(member)[v.ID].Default; got != "everyone" {
		t.Errorf("default %q", got)
	}
	member.want(204, member.do("POST", "/views/builtin:drafts/default", `{"object":"order","for":"me","on":true}`))
	if got := views(member); got["builtin:drafts"].Default != "me" || got[v.ID].Default != "everyone" {
		t.Errorf("own default: %+v", got)
	}
	if got := views(c)["builtin:drafts"].Default; got != "" {
		t.Errorf("one's own choice reached another: %q", got)
	}
	member.want(403, member.do("POST", "/views/"+v.ID+"/default", `{"object":"order","for":"everyone","on":false}`))
	off := read[savedView](c, "PATCH", "/views/"+v.ID, `{"pinned":false,"options":{"date":"placed_at","span":"week"},"kind":"calendar"}`, 200)
	if off.Pinned || off.Kind != "calendar" || off.Options["board"] != nil {
		t.Errorf("after the change: %+v", off)
	}
	for body, code := range map[string]string{
		`{"kind":"chart"}`:                                 "view.kind_unknown",
		`{"options":{"date":"number"}}`:                    "view.option_invalid",
		`{"options":{"board":{"field":"number"}}}`:         "view.option_invalid",
		`{"options":{"frozen":9}}`:                         "view.option_invalid",
		`{"options":{"totals":{"nothing":"sum"}}}`:         "view.option_invalid",
		`{"options":{"widths":{"number":-4}}}`:             "view.option_invalid",
		`{"options":{"measure":{"func":"sum","field":1}}}`: "",
	} {
		got := c.do("PATCH", "/views/"+v.ID, body)
		if got.status != 422 && got.status != 400 || code != "" && got.code() != code {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	c.want(204, c.do("DELETE", "/views/"+v.ID, ""))
	if got := views(member); len(got) == 0 || got[v.ID].ID != "" {
		t.Errorf("after deletion: %+v", got)
	}
}

func TestFiguresWithinRights(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		o := newOffice(t, s)
		o.role("sales", `{"name":"销售","rights":["segment.read"],"objects":{"*":{"actions":{"read":{"scope":"all"}}},"customer":{"actions":`+
			`{"read":{"scope":"own"},"create":{"scope":"own"},"update":{"scope":"own"}},"fields":{"height_cm":"hidden"}},"order":`+grants("own")+`}}`)
		ann, bob := o.person("ann", o.roles["sales"]), o.person("bob", o.roles["sales"])
		mine := o.make(ann, "customer", `{"name":"甲","kind":"person"}`)
		theirs := o.make(bob, "customer", `{"name":"乙","kind":"company"}`)
		o.make(o.admin, "order", `{"customer":"`+mine.ID+`","net_amount":{"amount":"10","currency":"CNY"}}`)
		o.make(o.admin, "order", `{"customer":"`+theirs.ID+`","net_amount":{"amount":"20","currency":"CNY"}}`)
		sum := func(c *client, object, body string) figuresOut {
			t.Helper()
			return read[figuresOut](c, "POST", "/records/"+object+"/aggregate", body, 200)
		}
		if got := sum(ann, "customer", `{"group_by":[{"field":"kind"}]}`); len(got.Groups) != 1 || got.Groups[0].Values[0] != "person" || got.Total.Count != 1 {
			t.Errorf("ann's customers: %+v", got)
		}
		if got := sum(ann, "order", `{"measures":[{"func":"sum","field":"net_amount"}]}`); got.Total.Count != 1 || got.Total.Measures[0].(map[string]any)["amount"] != "10.00" {
			t.Errorf("ann's orders: %+v", got)
		}
		// The analytics plane keeps to the same limits.
		const byTrait = `{"group_by":[{"trait":"lifecycle"}]}`
		eventually(t, "both customers in the analytics plane", func() bool { return sum(o.admin, "customer", byTrait).Total.Count == 2 })
		if got := sum(ann, "customer", byTrait); got.Total.Count != 1 {
			t.Errorf("ann's customers by a trait: %+v", got)
		}
		if got := sum(o.admin, "order", `{"measures":[{"func":"sum","field":"net_amount"}]}`); got.Total.Count != 2 {
			t.Errorf("all orders: %+v", got)
		}
		ann.wantCode(422, "query.forbidden_field", ann.do("POST", "/records/customer/aggregate", `{"measures":[{"func":"avg","field":"height_cm"}]}`))
		ann.wantCode(422, "query.forbidden_field", ann.do("POST", "/records/order/aggregate", `{"group_by":[{"field":"customer.kind"}]}`))
	})
}
