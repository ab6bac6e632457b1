package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// door sends events as a website does.
type door struct {
	*site
	key string
	n   int
}

func (s *site) door(c *client) *door {
	s.Helper()
	src := read[struct {
		WriteKey string `json:"write_key"`
	}](c, "POST", "/event-sources", `{"name":"Shop","type":"server"}`, 201)
	return &door{site: s, key: src.WriteKey}
}

// send sends calls as one batch, each with a message id of its own unless it says one.
func (d *door) send(calls ...string) {
	d.Helper()
	for i, c := range calls {
		if !strings.Contains(c, `"messageId"`) {
			d.n++
			calls[i] = fmt.Sprintf(`{"messageId":"m%d",%s`, d.n, c[1:])
		}
	}
	req, err := http.NewRequestWithContext(d.Context(), http.MethodPost, d.server.URL+"/v1/batch", strings.NewReader(`{"batch":[`+strings.Join(calls, ",")+`]}`))
	if err != nil {
		d.Fatal(err)
	}
	req.SetBasicAuth(d.key, "")
	c := d.client()
	a := c.send(req)
	if a.status != 200 || !strings.Contains(string(a.body), fmt.Sprintf(`"accepted":%d`, len(calls))) {
		d.Fatalf("%d %s", a.status, a.body)
	}
}

type identityOf struct {
	Profiles []struct {
		ID, Into, Root string
		Identifiers    []struct {
			ID, Namespace, Text string
			Personal            bool
		}
	}
	Merges []struct {
		ID, Loser, Winner, Why string
		UndoneAt               *string `json:"undone_at"`
	}
	Reviews int
}

func (o *identityOf) texts() string {
	var out []string
	for _, p := range o.Profiles {
		for _, x := range p.Identifiers {
			out = append(out, x.Namespace+"="+x.Text)
		}
	}
	return strings.Join(out, " ")
}

func customersBy(c *client, field, value string) []rec {
	c.Helper()
	return read[page](c, "POST", "/records/customer/query", fmt.Sprintf(`{"where":{"field":%q,"op":"=","value":%q}}`, field, value), 200).Items
}

// one waits for the one customer with a value.
func (d *door) one(c *client, field, value string) (out rec) {
	d.Helper()
	eventually(d.T, "a customer with "+field+" "+value, func() bool {
		list := customersBy(c, field, value)
		if len(list) == 1 {
			out = list[0]
		}
		return len(list) == 1
	})
	return out
}

// settled waits until everything that was sent has been carried on. The second mark is in a batch behind that of the first.
func (d *door) settled(c *client) {
	d.Helper()
	for range 2 {
		d.n++
		mark := fmt.Sprintf("mark-%d", d.n)
		d.send(`{"type":"identify","userId":"` + mark + `","traits":{"name":"` + mark + `"}}`)
		d.one(c, "external_id", mark)
	}
}

func (d *door) identities(c *client, customer string) identityOf {
	d.Helper()
	return read[identityOf](c, "GET", "/customers/"+customer+"/identities", "", 200)
}

func TestEventsBecomeCustomers(t *testing.T) {
	t.Parallel()
	atWork(t, eventsBecomeCustomers)
}

func eventsBecomeCustomers(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	d := s.door(c)
	there := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"李雷","email":"li.lei@example.com"}}`, 201)
	d.send(`{"type":"page","anonymousId":"browser-1","properties":{"url":"https://shop.example.com/"}}`,
		`{"type":"identify","anonymousId":"browser-1","userId":"u-1","traits":{"email":"Li.Lei@example.com","phone":"13812345678","gender":"m","name":"别名"}}`,
		`{"type":"identify","userId":"u-2","traits":{"firstName":"Ann","lastName":"Lee","email":"ann@example.com","address":{"street":"1 Main St","city":"Boston","country":"US"}}}`,
		`{"type":"identify","userId":"null","traits":{"name":"Nobody"}}`)
	li := d.one(c, "external_id", "u-1")
	if li.ID != there.ID {
		t.Fatalf("another customer %s was made for an address that is there", li.ID)
	}
	ann := d.one(c, "external_id", "u-2")
	if ann.Title != "Ann Lee" || ann.Fields["country"] != "US" || ann.Fields["source"] != "online_shop" {
		t.Fatalf("made %+v", ann)
	}
	if li = read[rec](c, "GET", "/records/customer/"+li.ID, "", 200); li.Fields["gender"] != "male" || li.Fields["phone"] != "138****5678" {
		t.Fatalf("not completed: %+v", li.Fields)
	}
	if n := len(customersBy(c, "name", "Nobody")); n != 0 {
		t.Fatal("a placeholder became a customer")
	}
	got := d.identities(c, li.ID)
	for _, want := range []string{"user_id=u-1", "email=l***@example.com", "phone=138****5678", "anonymous_id=browser-1"} {
		if !strings.Contains(got.texts(), want) {
			t.Fatalf("%s is missing in %s", want, got.texts())
		}
	}
	for _, p := range got.Profiles {
		for _, x := range p.Identifiers {
			if x.Namespace == "email" {
				if plain := read[struct{ Text string }](c, "POST", "/identities/identifiers/"+x.ID+"/reveal", "", 200); plain.Text != "li.lei@example.com" {
					t.Fatalf("revealed %q", plain.Text)
				}
				s.as(access.ReadOnly).want(403, s.as(access.ReadOnly).do("POST", "/identities/identifiers/"+x.ID+"/reveal", ""))
			}
		}
	}

	// A correction by a person stays while the website repeats what it said, and gives way to something new.
	li = read[rec](c.with("If-Match", "*"), "PATCH", "/records/customer/"+li.ID, `{"fields":{"gender":"female"}}`, 200)
	d.send(`{"type":"identify","userId":"u-1","traits":{"gender":"m"}}`)
	d.settled(c)
	if li = read[rec](c, "GET", "/records/customer/"+li.ID, "", 200); li.Fields["gender"] != "female" {
		t.Fatal("a repetition overwrote a correction")
	}
	d.send(`{"type":"identify","userId":"u-1","traits":{"gender":"other"}}`)
	d.settled(c)
	if li = read[rec](c, "GET", "/records/customer/"+li.ID, "", 200); li.Fields["gender"] != "other" {
		t.Fatalf("what is new was not written: %v", li.Fields["gender"])
	}
}

const completed = `{"type":"track","event":"Order Completed","anonymousId":"guest-1","properties":{"order_id":"O-77","currency":"CNY","revenue":199.9,"discount":10,"products":[{"product_id":"P-1","sku":"SKU-1","name":"连衣裙","price":104.95,"quantity":2,"brand":"Moon"}]}}`

func TestEventsBecomeOrders(t *testing.T) {
	t.Parallel()
	atWork(t, eventsBecomeOrders)
}

func ordersBy(c *client, external string) []rec {
	c.Helper()
	return read[page](c, "POST", "/records/order/query", fmt.Sprintf(`{"where":{"field":"external_id","op":"=","value":%q}}`, external), 200).Items
}

func eventsBecomeOrders(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	d := s.door(c)
	d.send(`{"type":"track","event":"Order Completed","anonymousId":"guest-1","properties":{"order_id":"O-77"}}`)
	d.send(completed, completed)
	d.settled(c)
	list := ordersBy(c, "O-77")
	if len(list) != 1 || amountOf(list[0], "net_amount") != "199.90" || amountOf(list[0], "gross_amount") != "209.90" || list[0].Fields["customer"] != nil {
		t.Fatalf("orders %+v", list)
	}
	lines := read[page](c, "POST", "/records/order_line/query", fmt.Sprintf(`{"where":{"field":"order","op":"=","value":%q}}`, list[0].ID), 200)
	if len(lines.Items) != 1 || lines.Items[0].Fields["sku"] != "SKU-1" || amountOf(lines.Items[0], "amount") != "209.90" || lines.Items[0].Fields["product"] == nil {
		t.Fatalf("lines %+v", lines.Items)
	}
	// The guest signs in: the order is the customer's, and so are its lines.
	d.send(`{"type":"identify","anonymousId":"guest-1","userId":"buyer","traits":{"name":"韩梅梅"}}`)
	buyer := d.one(c, "external_id", "buyer")
	eventually(t, "the guest's order is the customer's", func() bool {
		ref, _ := ordersBy(c, "O-77")[0].Fields["customer"].(map[string]any)
		return ref != nil && ref["id"] == buyer.ID
	})
	for range 2 {
		d.send(`{"type":"track","event":"Order Refunded","userId":"buyer","properties":{"order_id":"O-77","currency":"CNY","products":[{"sku":"SKU-1","name":"连衣裙","price":104.95,"quantity":1}]}}`)
	}
	d.settled(c)
	refunds := read[page](c, "POST", "/records/refund/query", fmt.Sprintf(`{"where":{"field":"order","op":"=","value":%q}}`, list[0].ID), 200)
	if len(refunds.Items) != 1 || amountOf(refunds.Items[0], "amount") != "104.95" {
		t.Fatalf("refunds %+v", refunds.Items)
	}
	d.send(`{"type":"track","event":"Order Cancelled","userId":"buyer","properties":{"order_id":"O-77"}}`)
	d.settled(c)
	if o := ordersBy(c, "O-77"); len(o) != 1 || o[0].Fields["status"] != "cancelled" {
		t.Fatalf("not cancelled: %+v", o)
	}
}

func amountOf(r rec, field string) string {
	m, _ := r.Fields[field].(map[string]any)
	text, _ := m["amount"].(string)
	return text
}

type reviewPage struct {
	Items []struct {
		ID, Kind, State string
		Sides           []struct {
			Profile  string
			Customer *rec
		}
	}
	Total int
}

func TestIdentityReviews(t *testing.T) {
	t.Parallel()
	atWork(t, identityReviews)
}

func identityReviews(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	d := s.door(c)
	for _, u := range []string{"u-1", "u-2", "u-3"} {
		d.send(`{"type":"identify","anonymousId":"b-` + u + `","userId":"` + u + `","traits":{"name":"` + u + `","email":"same@example.com"}}`)
		d.one(c, "external_id", u)
	}
	var open reviewPage
	eventually(t, "questions", func() bool {
		open = read[reviewPage](c, "GET", "/identities/reviews", "", 200)
		known := 0
		for _, r := range open.Items {
			if r.Kind == "profiles" && r.Sides[0].Customer != nil && r.Sides[1].Customer != nil {
				known++
			}
		}
		return known >= 2
	})
	s.as(access.ReadOnly).want(403, s.as(access.ReadOnly).do("GET", "/identities/reviews", ""))
	var pair, other string
	for _, r := range open.Items {
		if r.Kind != "profiles" {
			continue
		}
		if pair == "" {
			pair = r.ID
			first, second := r.Sides[0].Customer, r.Sides[1].Customer
			c.want(204, c.do("POST", "/identities/reviews/"+pair+"/merge", fmt.Sprintf(`{"survivor":%q}`, first.ID)))
			got := d.identities(c, first.ID)
			if len(got.Profiles) != 2 || len(got.Merges) != 1 || got.Merges[0].Why != "person" {
				t.Fatalf("after the merge %+v", got)
			}
			if again := read[rec](c, "GET", "/records/customer/"+second.ID, "", 200); again.ID == second.ID {
				t.Logf("merged customer answers as %s", again.ID)
			}
			// Taken back: first the profiles, then the customers.
			c.want(204, c.do("POST", "/identities/merges/"+got.Merges[0].ID+"/undo", ""))
			merges := read[struct{ Items []struct{ ID string } }](c, "GET", "/records/customer/"+first.ID+"/merges", "", 200)
			c.want(200, c.do("POST", "/records/customer/unmerge", fmt.Sprintf(`{"merge":%q}`, merges.Items[0].ID)))
			eventually(t, "each customer has a profile again", func() bool {
				return len(d.identities(c, first.ID).Profiles) == 1 && len(d.identities(c, second.ID).Profiles) == 1
			})
			continue
		}
		other = r.ID
	}
	if other != "" {
		c.want(204, c.do("POST", "/identities/reviews/"+other+"/decide", `{"state":"not_same"}`))
		for _, r := range read[reviewPage](c, "GET", "/identities/reviews?state=open", "", 200).Items {
			if r.ID == other {
				t.Fatal("what was answered is still open")
			}
		}
	}
	c.wantCode(404, "identity.unknown_review", c.do("POST", "/identities/reviews/prv_0000000000000/decide", `{"state":"later"}`))
}

// A key that stands in a page is everybody's: what comes by it makes customers and fills gaps, and replaces nothing.
func TestPublicKeysReplaceNothing(t *testing.T) {
	t.Parallel()
	atWork(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		there := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"韩梅梅","external_id":"u-9","email":"han@example.com"}}`, 201)
		claimed := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"林涛","email":"lin@example.com"}}`, 201)
		d := s.door(c)
		page := &door{site: s, n: 1000, key: read[struct {
			WriteKey string `json:"write_key"`
		}](c, "POST", "/event-sources", `{"name":"Page","type":"web"}`, 201).WriteKey}
		const browser = `"context":{"userAgent":"Mozilla/5.0 (Macintosh) Safari/605.1.15"},`
		page.send(`{"type":"identify","anonymousId":"b-9",`+browser+`"userId":"u-9","traits":{"name":"Somebody","email":"other@example.com","phone":"13912340009","occupation":"盗"}}`,
			`{"type":"identify","anonymousId":"b-8",`+browser+`"userId":"mine","traits":{"email":"lin@example.com"}}`,
			`{"type":"identify","anonymousId":"b-7",`+browser+`"userId":"u-new","traits":{"name":"新来的","email":"new@example.com"}}`)
		d.one(c, "external_id", "u-new")
		d.settled(c)
		got := read[rec](c, "GET", "/records/customer/"+there.ID, "", 200)
		if got.Title != "韩梅梅" || got.Fields["occupation"] != nil || len(customersBy(c, "email", "han@example.com")) != 1 || len(customersBy(c, "phone", "13912340009")) != 1 {
			t.Errorf("by a public key: %+v", got)
		}
		if got := read[rec](c, "GET", "/records/customer/"+claimed.ID, "", 200); got.Fields["external_id"] != nil {
			t.Errorf("somebody claimed a customer: %+v", got)
		}
		d.send(`{"type":"identify","userId":"u-9","traits":{"email":"other@example.com"}}`)
		eventually(t, "the shop's own server is believed", func() bool { return len(customersBy(c, "email", "other@example.com")) == 1 })
		publicOrders(c, d, page)
	})
}

// publicOrders: what a browser tells of orders counts when a server tells of the same one, and then whose browser it was is known. Browsers cancel and
// refund nothing. A source may be set to be believed.
func publicOrders(c *client, d, browser *door) {
	c.Helper()
	send := func(calls ...string) {
		for i := range calls { // by a browser and no robot
			calls[i] = strings.Replace(calls[i], `"anonymousId":"b-7",`, `"anonymousId":"b-7","context":{"userAgent":"Mozilla/5.0 (Macintosh) Safari/605.1.15"},`, 1)
		}
		browser.send(calls...)
	}
	send(strings.Replace(completed, "guest-1", "b-7", 1), `{"type":"track","event":"Order Completed","anonymousId":"b-7","properties":{"order_id":"O-never","revenue":5}}`)
	d.settled(c)
	if got := ordersBy(c, "O-77"); len(got) != 0 {
		c.Fatalf("a browser made an order: %+v", got)
	}
	d.send(`{"type":"track","event":"Order Completed","anonymousId":"shop-server","properties":{"order_id":"O-77","currency":"CNY","revenue":150}}`)
	send(`{"type":"track","event":"Order Updated","anonymousId":"b-7","properties":{"order_id":"O-77","revenue":1,"coupon":"SPRING"}}`, `{"type":"track","event":"Order Cancelled","anonymousId":"b-7","properties":{"order_id":"O-77"}}`,
		`{"type":"track","event":"Order Refunded","anonymousId":"b-7","properties":{"order_id":"O-77","revenue":150}}`)
	d.settled(c)
	buyer := customersBy(c, "external_id", "u-new")[0]
	got := ordersBy(c, "O-77")
	ref, _ := got[0].Fields["customer"].(map[string]any)
	if len(got) != 1 || amountOf(got[0], "net_amount") != "150.00" || got[0].Fields["status"] != "confirmed" || got[0].Fields["coupon_code"] != "SPRING" || ref["id"] != buyer.ID {
		c.Errorf("confirmed by the server: %+v", got)
	}
	if n := len(read[page](c, "GET", "/records/refund", "", 200).Items); n != 0 {
		c.Errorf("a browser made %d refunds", n)
	}
	for _, s := range read[struct{ Items []struct{ ID, Name string } }](c, "GET", "/event-sources", "", 200).Items {
		if s.Name == "Page" {
			shown := read[struct{ Orders, Located bool }](c, "PATCH", "/event-sources/"+s.ID, `{"orders":true,"located":false}`, 200)
			if !shown.Orders || shown.Located {
				c.Errorf("%+v", shown)
			}
		}
	}
	send(`{"type":"track","event":"Order Completed","anonymousId":"b-7","properties":{"order_id":"O-believed","revenue":5,"currency":"CNY"}}`)
	eventually(c.T, "the order of a source that is believed", func() bool { return len(ordersBy(c, "O-believed")) == 1 })
	if len(ordersBy(c, "O-never")) != 0 {
		c.Error("an order that nobody confirmed is there")
	}
}

func TestIdentitySettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(access.Administrator)
	now := read[map[string]map[string]any](c, "GET", "/identities/settings", "", 200)
	s.as(access.Member).want(403, s.as(access.Member).do("GET", "/identities/settings", ""))
	now["people"]["create"] = false
	saved := read[map[string]map[string]any](c, "PATCH", "/identities/settings", mustJSON(t, now), 200)
	if saved["people"]["create"] != false || saved["people"]["version"] != 1.0 {
		t.Fatalf("saved %+v", saved["people"])
	}
	c.wantCode(412, "identity.stale", c.do("PATCH", "/identities/settings", mustJSON(t, now)))
	saved["people"]["mappings"] = []map[string]string{{"trait": "", "field": "owner", "mode": "newest"}}
	a := c.do("PATCH", "/identities/settings", mustJSON(t, saved))
	if a.status != 422 || !strings.Contains(string(a.body), "mappings.0.trait") || !strings.Contains(string(a.body), "mappings.0.field") {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

// TestErasureForgetsIdentifiers plants texts that only events carry, and looks for them in every table of the inbox's database.
func TestErasureForgetsIdentifiers(t *testing.T) {
	t.Parallel()
	atWork(t, erasureForgetsIdentifiers)
}

func erasureForgetsIdentifiers(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	d := s.door(c)
	d.send(`{"type":"identify","anonymousId":"canary-browser","userId":"canary-user","traits":{"name":"Canary","email":"canary@example.com"}}`)
	who := d.one(c, "external_id", "canary-user")
	d.settled(c)
	// What was refused names the person by each identifier, and somebody else.
	for i, refused := range []string{`"userId":"canary-user"`, `"anonymousId":"canary-browser"`, `"userId":"Canary@Example.com"`, `"userId":"x","properties":{"to":"canary@example.com"}`, `"userId":"somebody"`} {
		if status, answer := s.sendEvent("/v1/track", d.key, fmt.Sprintf(`{"messageId":"refused-%d",%s}`, i, refused)); status != 200 || !strings.Contains(answer, "event.name_missing") {
			t.Fatalf("%d %s", status, answer)
		}
	}
	if raw := string(c.want(200, c.do("GET", "/events/rejected", "")).body); strings.Contains(strings.ToLower(raw), "canary@example") || strings.Count(raw, "refused-") < 5 {
		t.Errorf("refused: %s", raw)
	}
	if got := d.identities(c, who.ID); !strings.Contains(got.texts(), "canary-browser") {
		t.Fatalf("identifiers %s", got.texts())
	}
	c.want(202, c.do("POST", "/records/customer/"+who.ID+"/erase", `{"reason":"request","confirm":"`+who.ID+`"}`))
	eventually(t, "the identifiers are gone", func() bool {
		got := d.identities(c, who.ID)
		return got.texts() == ""
	})
	if raw := string(c.want(200, c.do("GET", "/events/rejected", "")).body); strings.Contains(raw, "canary") || strings.Contains(raw, "refused-3") || !strings.Contains(raw, "refused-4") {
		t.Errorf("refused afterwards: %s", raw)
	}
}
