package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type usesShown struct {
	Items []struct {
		State              string
		Discount, Returned int64
	}
}

// TestOffers: the checkout of a shop with a key that can do nothing else; refusals say why; people see offers and codes as their role allows.
func TestOffers(t *testing.T) {
	t.Parallel()
	s := prepareAtWork(t)
	admin := s.as(access.Administrator)
	till := s.client()
	till.key = admin.apiKey("checkout")
	person := func(name string) string {
		return read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"`+name+`"}}`, 201).ID
	}
	old, fresh := person("老客"), person("新客")
	admin.want(201, admin.do("POST", "/records/order", `{"fields":{"customer":"`+old+`","status":"completed","net_amount":{"amount":"10.00","currency":"CNY"}}}`))
	admin.want(201, admin.do("POST", "/segments", `{"key":"greens","label":"新","kind":"dynamic","where":{"field":"name","op":"contains","value":"新"}}`))
	begin := func(rule, codes string) string {
		t.Helper()
		v := read[rec](admin, "POST", "/offers", `{"name":"开业","rule":`+rule+`}`, 201)
		admin.wantCode(409, "offer.not_active", till.do("POST", "/offers/reserve", `{"cart":"x","codes":["`+read[struct{ Items []struct{ Code string } }](admin, "POST", "/offers/"+v.ID+"/codes", codes, 201).Items[0].Code+`"],"lines":[{"amount":1}]}`))
		admin.want(200, admin.do("PATCH", "/offers/"+v.ID, `{"name":"开业","status":"active","version":1,"rule":`+rule+`}`))
		return v.ID
	}
	first := begin(`{"kind":"percent","percent":15,"first":true,"minimum":1000,"segments":["greens"]}`, `{"codes":["hello-1"],"shared":true}`)
	quote := func(who, amount string) (reason string) {
		t.Helper()
		got := read[struct {
			Items []struct{ Reason, Message string }
		}](till, "POST", "/offers/quote", `{"customer":"`+who+`","codes":["Hello 1"],"lines":[{"amount":`+amount+`}]}`, 200)
		if x := got.Items[0]; (x.Reason == "") != (x.Message == "") || strings.HasPrefix(x.Message, "offer.") {
			t.Errorf("%+v", got)
		}
		return got.Items[0].Reason
	}
	eventually(t, "the segment", func() bool { return quote(fresh, "2000") == "" }) // segments follow what is recorded
	for _, c := range [][3]string{{old, "2000", "offer.not_first"}, {"", "2000", "offer.needs_customer"}, {fresh, "999", "offer.below_minimum"}, {fresh, "2000", ""}, {person("旁人"), "2000", "offer.not_in_segment"}} {
		if got := quote(c[0], c[1]); got != c[2] {
			t.Errorf("%v: %s", c, got)
		}
	}
	body := `{"cart":"c1","customer":"` + fresh + `","codes":["HELLO1"],"lines":[{"amount":1001},{"amount":999}]}`
	for range 2 {
		if got := read[usesShown](till, "POST", "/offers/reserve", body, 200); len(got.Items) != 1 || got.Items[0].Discount != 300 {
			t.Fatalf("%+v", got)
		}
	}
	till.want(200, till.do("POST", "/offers/redeem", `{"cart":"c1","order":"N1"}`))
	till.wantCode(409, "offer.not_reserved", till.do("POST", "/offers/release", `{"cart":"c1"}`))
	if got := read[usesShown](till, "POST", "/offers/refund", `{"cart":"c1","refund":"R1","goods":1001}`, 200); got.Items[0].Returned != 150 || got.Items[0].State != "redeemed" {
		t.Errorf("%+v", got)
	}
	result := read[struct {
		Redeemed, Customers int
		Discount            struct{ Amount string }
	}](admin, "GET", "/offers/"+first, "", 200)
	if result.Redeemed != 1 || result.Customers != 1 || result.Discount.Amount != "1.50" {
		t.Errorf("%+v", result)
	}
	admin.wantCode(404, "offer.no_cart", till.do("POST", "/offers/redeem", `{"cart":"none","order":"N1"}`))
	admin.wantCode(422, "offer.invalid", admin.do("POST", "/offers", `{"name":"","rule":{"kind":"percent","percent":101}}`))

	for _, path := range []string{"/offers", "/offers/" + first, "/records/customer/" + fresh} {
		till.want(403, till.do("GET", path, ""))
	}
	reader := s.as(access.ReadOnly)
	reader.want(200, reader.do("GET", "/offers/"+first, ""))
	reader.want(403, reader.do("GET", "/offers/"+first+"/codes", ""))
	reader.want(403, reader.do("POST", "/offers/quote", body))
	given := read[struct{ Items []struct{ ID, Code string } }](admin, "POST", "/offers/"+first+"/codes", `{"customers":["`+fresh+`"]}`, 201).Items[0]
	list := string(admin.want(200, admin.do("GET", "/customers/"+fresh+"/coupons", "")).body)
	if !strings.Contains(list, given.Code) {
		t.Error(list)
	}
	admin.want(204, admin.do("POST", "/coupons/"+given.ID+"/revoke", ""))
	admin.wantCode(409, "offer.coupon_revoked", till.do("POST", "/offers/reserve", fmt.Sprintf(`{"cart":"c2","customer":"%s","codes":["%s"],"lines":[{"amount":5000}]}`, fresh, given.Code)))
}
