package app_test

import (
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// A workspace defines a trait, sees it before it is saved, uses it at once, and cannot lose it while something speaks of it.
func TestComputedTraits(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); computedTraits(t, newSite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); computedTraits(t, newPostgresSite(t)) })
}

func computedTraits(t *testing.T, s *site) {
	t.Helper()
	admin, reader := s.as(access.Administrator), s.as(access.ReadOnly)
	type rec struct{ ID string }
	customer := func(name string) string {
		return read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"`+name+`"}}`, 201).ID
	}
	order := func(who, amount string) {
		admin.want(201, admin.do("POST", "/records/order", `{"fields":{"customer":"`+who+`","status":"completed","net_amount":{"amount":"`+amount+`","currency":"CNY"}}}`))
	}
	buyer := customer("甲")
	customer("乙")
	order(buyer, "100.50")
	order(buyer, "30")

	const figure = `{"of":{"record":"order","where":{"field":"status","op":"=","value":"completed"}},"kind":"max","field":"net_amount"}`
	eventually(t, "a preview with what counted", func() bool {
		p := read[api.TraitPreview](admin, "POST", "/traits/computed/preview", `{"customer":"`+buyer+`","figure":`+figure+`}`, 200)
		return p.Type == "money" && len(p.Rows) == 2 && p.Rows[0].Title != "" && strings.Contains(mustJSON(t, p.Value), "100.50") && p.Having == 1 && p.Sentence["zh-CN"] != ""
	})
	// Bad definitions are told with their places.
	bad := admin.do("POST", "/traits/computed", `{"key":"Big One","label":{},"figure":{"of":{"record":"order"},"kind":"sum","field":"status"}}`)
	admin.want(422, bad)
	made := read[api.ComputedTrait](admin, "POST", "/traits/computed", `{"key":"biggest_order","label":{"zh-CN":"最大一单","en":"Biggest order"},"figure":`+figure+`}`, 201)
	if made.Type != "money" || made.Version != 1 || made.Broken != nil {
		t.Errorf("%+v", made)
	}
	read[api.ComputedTrait](admin, "POST", "/traits/computed", `{"key":"visits","label":{"zh-CN":"浏览次数"},"figure":{"of":{"event":"Page Viewed","within":{"days":30}},"kind":"counter"}}`, 201)
	admin.want(422, admin.do("POST", "/traits/computed", `{"key":"orders","label":{"en":"taken"},"figure":`+figure+`}`))
	reader.want(403, reader.do("POST", "/traits/computed", `{"key":"mine","label":{"en":"mine"},"figure":`+figure+`}`))

	having := func(amount string) func() bool {
		return func() bool {
			p := read[page](admin, "POST", "/records/customer/query", `{"where":{"trait":"biggest_order","op":"=","value":{"amount":"`+amount+`","currency":"CNY"}},"traits":["biggest_order","visits"],"total":"exact"}`, 200)
			return len(p.Items) == 1 && p.Items[0].ID == buyer && strings.Contains(mustJSON(t, p.Items[0].Traits), amount) && strings.Contains(mustJSON(t, p.Items[0].Traits), `"visits":0`)
		}
	}
	eventually(t, "the value of everyone", having("100.50"))
	order(buyer, "250")
	eventually(t, "the value after an order", having("250.00"))
	profile := read[api.CustomerProfile](admin, "GET", "/customers/"+buyer+"/profile", "", 200)
	told := ""
	for _, f := range profile.Traits {
		if f.Key == "biggest_order" {
			told = f.Explanation["zh-CN"]
		}
	}
	if !strings.Contains(told, "250") {
		t.Errorf("explained as %q", told)
	}
	// What nobody did is asked without a fault, and those who did nothing are found.
	count := func(where string) int {
		return read[struct{ Count int }](admin, "POST", "/segments/count", `{"where":`+where+`}`, 200).Count
	}
	if n := count(`{"event":"Page Viewed","op":"none","within":{"days":7}}`); n != 2 {
		t.Errorf("%d did not look at a page", n)
	}
	if n := count(`{"sequence":[{"event":"A"},{"event":"B","where":{"property":"price","op":">","value":9.5}}]}`); n != 0 {
		t.Errorf("%d did one thing after another", n)
	}
	names := read[api.SeenEvents](admin, "GET", "/conditions/events", "", 200)
	if len(names.Items) != 0 || len(names.Columns) == 0 {
		t.Errorf("%+v", names)
	}
	read[api.SeenProperties](admin, "GET", "/conditions/events/properties?event=A", "", 200)

	// In use it stays; a condition about it is part of a segment.
	read[struct{ Key string }](admin, "POST", "/segments", `{"key":"big","label":"大单","kind":"dynamic","where":{"trait":"biggest_order","op":">","value":{"amount":"200","currency":"CNY"}}}`, 201)
	if uses := read[api.TraitUses](admin, "GET", "/traits/computed/biggest_order/uses", "", 200); len(uses.Items) != 1 || uses.Items[0].Name != "大单" {
		t.Errorf("%+v", uses)
	}
	admin.want(409, admin.do("DELETE", "/traits/computed/biggest_order", ""))
	changed := read[api.ComputedTrait](admin, "PATCH", "/traits/computed/biggest_order", `{"version":1,"label":{"zh-CN":"最小一单"},"figure":`+strings.Replace(figure, `"max"`, `"min"`, 1)+`}`, 200)
	if changed.Version != 2 {
		t.Errorf("%+v", changed)
	}
	admin.want(412, admin.do("PATCH", "/traits/computed/biggest_order", `{"version":1,"label":{"zh-CN":"x"},"figure":`+figure+`}`))
	eventually(t, "the value under another definition", having("30.00"))
	admin.want(204, admin.do("DELETE", "/segments/big", ""))
	admin.want(204, admin.do("DELETE", "/traits/computed/biggest_order", ""))
	admin.want(422, admin.do("POST", "/segments/count", `{"where":{"trait":"biggest_order","op":"is_set"}}`))
	eventually(t, "passes over everyone are remembered", func() bool {
		return len(read[api.TraitPasses](reader, "GET", "/traits/passes", "", 200).Items) > 0
	})
}
