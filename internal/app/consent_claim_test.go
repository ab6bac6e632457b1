package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// A key that stands in a page says nothing in a customer's name until a secret key has named the browser; what it refuses there waits for somebody to decide,
// and the browser is left alone at once. Whoever refused to be analysed is not, whatever a source sends and whenever it arrives.
func TestConsentByPublicKeysAndRefusals(t *testing.T) {
	t.Parallel()
	atWork(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		d := s.door(c)
		d.send(`{"type":"identify","userId":"victim","traits":{"name":"苏晴"}}`)
		publicKeysClaimNoConsent(s, c, d, d.one(c, "external_id", "victim").ID)
		browserIsLeftAlone(s, c, d)
		refusedIsNotAnalysed(s, c, d)
	})
}

func (s *site) page(c *client, n int) *door {
	return &door{site: s, n: n, key: read[struct {
		WriteKey string `json:"write_key"`
	}](c, "POST", "/event-sources", fmt.Sprintf(`{"name":"Page %d","type":"web"}`, n), 201).WriteKey}
}

func publicKeysClaimNoConsent(s *site, c *client, d *door, victim string) {
	web := s.page(c, 5000)
	says := func(yes bool, minute int) string {
		return fmt.Sprintf(`"timestamp":%q,"context":{"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36","consent":{"categoryPreferences":{"Advertising":%v}}}`, ago(60-minute), yes)
	}
	web.send(`{"type":"identify","userId":"victim","anonymousId":"br-1",`+says(true, 0)+`}`, `{"type":"track","event":"Product Viewed","userId":"victim",`+says(true, 1)+`}`, `{"type":"page","anonymousId":"br-1",`+says(true, 2)+`}`)
	eventually(s.T, "the claims in the ledger", func() bool {
		list := c.consents(victim).History
		return len(list) == 1 && list[0].Source == "claim" && list[0].State == "given"
	})
	if got := c.consents(victim).of("marketing", "web"); got != " false nothing" {
		s.T.Fatalf("who has the key of a page agrees in somebody's name: %q", got)
	}
	web.send(`{"type":"page","anonymousId":"br-1",` + says(false, 3) + `}`)
	eventually(s.T, "the refusal that waits", func() bool { return len(c.consents(victim).Claims) == 1 })
	if got := c.consents(victim).of("marketing", "web"); got != " false nothing" {
		s.T.Fatalf("who has the key of a page refuses in somebody's name: %q", got)
	}
	web.send(`{"type":"page","anonymousId":"br-1",` + says(true, 4) + `}`)
	eventually(s.T, "the browser that changed its mind", func() bool { return len(c.consents(victim).Claims) == 0 })
	c.want(200, c.do("POST", "/customers/"+victim+"/consents", `{"items":[{"purpose":"marketing","channel":"web","state":"given","at":"`+ago(70)+`"}]}`))
	web.send(`{"type":"track","event":"Product Viewed","userId":"victim","anonymousId":"br-else",`+says(false, 4)+`}`, `{"type":"track","event":"Product Viewed","userId":"victim",`+says(false, 4)+`}`)
	eventually(s.T, "what others refuse in this name", func() bool { return len(c.consents(victim).Claims) == 2 })
	if got := c.consents(victim).of("marketing", "web"); got != "given true given" {
		s.T.Fatalf("a guessed name refuses: %q", got)
	}
	if all := read[api.ConsentClaims](c, "GET", "/consents/claims", "", 200); len(all.Items) != 2 || all.Items[0].Customer.ID != victim {
		s.T.Fatalf("all that wait: %+v", all)
	}
	waiting := c.consents(victim).Claims
	decide := func(entry string, accept bool, status int) {
		c.want(status, c.do("POST", "/customers/"+victim+"/consents/claims", fmt.Sprintf(`{"entries":[%q],"accept":%v}`, entry, accept)))
	}
	decide(waiting[0].ID, false, 200)
	decide(waiting[0].ID, true, 404)
	if got := c.consents(victim); got.of("marketing", "web") != "given true given" || len(got.Claims) != 1 {
		s.T.Fatalf("after one was rejected: %+v", got.Claims)
	}
	decide(waiting[1].ID, true, 200)
	if got := c.consents(victim); got.of("marketing", "web") != "withdrawn false withdrawn" || len(got.Claims) != 0 {
		s.T.Fatalf("after one was accepted: %+v", got)
	}
	c.want(200, c.do("POST", "/customers/"+victim+"/consents", `{"items":[{"purpose":"marketing","channel":"web","state":"withdrawn","at":"`+ago(57)+`"}]}`))
	web.send(`{"type":"page","anonymousId":"br-1",` + says(true, 5) + `}`)
	d.settled(c)
	if got := c.consents(victim).of("marketing", "web"); got != "withdrawn false withdrawn" {
		s.T.Fatalf("a claim takes a refusal back: %q", got)
	}
	d.send(`{"type":"track","event":"Signed In","userId":"victim","anonymousId":"br-1"}`) // the server says whose browser it is
	eventually(s.T, "the consent of a browser that is known", func() bool { return c.consents(victim).of("marketing", "web") == "given true given" })
	d.send(`{"type":"identify","userId":"other","traits":{"name":"别人"}}`)
	other := d.one(c, "external_id", "other").ID
	web.send(`{"type":"identify","userId":"other","anonymousId":"br-1",` + says(true, 6) + `}`)
	d.settled(c)
	if got := c.consents(other).of("marketing", "web"); got != " false nothing" {
		s.T.Errorf("the browser of one agrees for another: %q", got)
	}
}

// browserIsLeftAlone: a browser that says it is somebody and refuses to be analysed is not; whoever it says it is goes on being.
func browserIsLeftAlone(s *site, c *client, d *door) {
	web := s.page(c, 5001)
	d.send(`{"type":"identify","userId":"watched","traits":{"name":"被看"}}`)
	watched := d.one(c, "external_id", "watched").ID
	seen := func() int {
		return strings.Count(string(c.want(200, c.do("GET", "/customers/"+watched+"/behaviour", "")).body), `"Product Viewed"`)
	}
	const agent = `"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"`
	view := func(ids string, minutes int, more string) string {
		return fmt.Sprintf(`{"type":"track","event":"Product Viewed",%s,"timestamp":%q,"context":{%s%s}}`, ids, ago(minutes), agent, more)
	}
	web.send(view(`"userId":"watched","anonymousId":"br-w"`, 50, ""))
	eventually(s.T, "the first view", func() bool { return seen() == 1 })
	web.send(view(`"userId":"watched","anonymousId":"br-w"`, 40, `,"consent":{"categoryPreferences":{"Analytics":false}}`))
	eventually(s.T, "the refusal", func() bool { return len(c.consents(watched).Claims) == 1 })
	web.send(view(`"anonymousId":"br-w"`, 30, ""), view(`"userId":"watched","anonymousId":"br-w"`, 29, ""))
	d.send(view(`"userId":"watched"`, 20, ""))
	eventually(s.T, "the view by the server", func() bool { return seen() == 2 })
	d.settled(c)
	if n := seen(); n != 2 {
		s.T.Errorf("%d views of a browser that refused, and of the customer", n)
	}
}

// ago is a time of minutes ago; what the tests send happened within the last hours.
func ago(minutes int) string {
	return time.Now().Add(-time.Duration(minutes) * time.Minute).UTC().Format(time.RFC3339)
}

func refusedIsNotAnalysed(s *site, c *client, d *door) {
	t := s.T
	d.send(`{"type":"identify","userId":"quiet","anonymousId":"br-q","traits":{"name":"安静"}}`)
	quiet := d.one(c, "external_id", "quiet").ID
	visit := func(store string, minutes int) string {
		return fmt.Sprintf(`{"type":"track","event":"Store Visited","userId":"quiet","timestamp":%q,"properties":{"store_id":%q}}`, ago(minutes), store)
	}
	visits := func() (out []string) {
		for _, i := range read[api.CustomerInteractions](c, "GET", "/customers/"+quiet+"/interactions", "", 200).Items {
			out = append(out, mustJSON(t, i))
		}
		return out
	}
	d.send(visit("A", 90), visit("B", 30), visit("C", 20))
	eventually(t, "visits before", func() bool { return len(visits()) == 3 })

	// The refusal of forty minutes ago comes to be known now: what was analysed since goes, what lay before stays.
	c.want(200, c.do("POST", "/customers/"+quiet+"/consents", fmt.Sprintf(`{"items":[{"purpose":"analytics","channel":"any","state":"withdrawn","at":%q}]}`, ago(40))))
	eventually(t, "what was refused gone", func() bool { return len(visits()) == 1 })

	// Later arrivals: by the state at their own time. An order is an order all the same.
	d.send(visit("D", 10), visit("E", 80), `{"type":"page","anonymousId":"br-q"}`,
		`{"type":"track","event":"Order Completed","userId":"quiet","properties":{"order_id":"o-77","revenue":10,"currency":"CNY","products":[{"product_id":"P1","price":10,"quantity":1}]}}`)
	eventually(t, "the order", func() bool { return strings.Contains(string(c.do("POST", "/records/order/query", `{}`).body), "o-77") })
	eventually(t, "the visit that was before the refusal", func() bool { return len(visits()) == 2 })
	d.settled(c)
	if got := visits(); len(got) != 2 {
		t.Errorf("%d visits of somebody who refused to be analysed: %v", len(got), got)
	}
	timeline := string(c.want(200, c.do("GET", "/customers/"+quiet+"/behaviour", "")).body)
	if strings.Contains(timeline, "Order Completed") {
		t.Errorf("the order is analysed: %s", timeline)
	}
	// Two that were taken out, the visit and the page that came later, and the order; before these three of the browser that was left alone.
	eventually(t, "the counts", func() bool { return withheld(c) == 8 })

	// Agreeing ends it.
	d.send(`{"type":"track","event":"Store Visited","userId":"quiet","properties":{"store_id":"F"},"context":{"consent":{"categoryPreferences":{"analytics":true}}}}`)
	eventually(t, "a visit after agreeing", func() bool { return len(visits()) == 3 })
}

func withheld(c *client) (n int64) {
	for _, v := range read[struct{ Items []api.EventSource }](c, "GET", "/event-sources", "", 200).Items {
		for _, day := range v.Days {
			n += day.Withheld
		}
	}
	return n
}
