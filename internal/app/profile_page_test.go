package app_test

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// The page of a customer: one answer, visits in the timeline and to be searched, those of a company's contacts, and news while it is open.
func TestPageOfACustomer(t *testing.T) {
	t.Parallel()
	atWork(t, pageOfACustomer)
}

func pageOfACustomer(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	d := s.door(c)
	view := func(who, path, title string) string {
		return `{"type":"page",` + who + `,"context":{"page":{"url":"https://shop.example.com` + path + `","path":"` + path + `","title":"` + title + `"}}}`
	}
	company := read[rec](c, "POST", "/records/customer", `{"fields":{"kind":"company","name":"江南丝绸有限公司"}}`, 201)
	wang := read[rec](c, "POST", "/records/contact", `{"fields":{"name":"王芳","customer":"`+company.ID+`","email":"wang.fang@example.com"}}`, 201)
	d.send(`{"type":"identify","userId":"p-1","anonymousId":"b-1","traits":{"name":"韩梅梅","email":"han@example.com"}}`,
		view(`"userId":"p-1","anonymousId":"b-1"`, "/home", "首页"), view(`"userId":"p-1","anonymousId":"b-1"`, "/dress/7", "连衣裙"),
		`{"type":"track","userId":"p-1","anonymousId":"b-1","event":"Product Added","properties":{"name":"真丝连衣裙","product_id":"7"}}`,
		`{"type":"identify","userId":"w-1","anonymousId":"b-2","traits":{"name":"王芳","email":"wang.fang@example.com"}}`,
		view(`"userId":"w-1","anonymousId":"b-2"`, "/bulk", "批发"))
	han := d.one(c, "external_id", "p-1")
	var p api.CustomerProfile
	profile := func(id string) *api.CustomerProfile {
		p = read[api.CustomerProfile](c, "GET", "/customers/"+id+"/profile", "", 200)
		return &p
	}
	eventually(t, "the visit", func() bool { return profile(han.ID).Behaviour != nil && p.Behaviour.Views == 2 })
	wholeProfile(t, &p)

	timeline := func(who, query string) api.Timeline {
		return read[api.Timeline](c, "GET", "/records/customer/"+who+"/timeline?"+query, "", 200)
	}
	kinds := func(tl api.Timeline) (out []string) {
		for _, e := range tl.Items {
			out = append(out, e.Kind)
		}
		return out
	}
	visits := timeline(han.ID, "kinds=behaviour")
	if len(visits.Items) != 1 || visits.Items[0].Visit == nil || visits.Items[0].Visit.Views != 2 || !strings.Contains(visits.Items[0].Title["zh-CN"], "shop.example.com") || visits.Items[0].Contact != nil {
		t.Fatalf("visits %+v", visits.Items)
	}
	visit := visits.Items[0].Visit.ID
	acts := read[api.BehavedVisit](c, "GET", "/customers/"+han.ID+"/behaviour/"+visit, "", 200)
	if len(acts.Acts) != 3 || acts.Acts[0].About != "真丝连衣裙" || acts.Acts[2].Title != "首页" {
		t.Fatalf("acts %+v", acts)
	}
	c.wantCode(404, "profile.no_visit", c.do("GET", "/customers/"+company.ID+"/behaviour/"+visit, ""))
	c.wantCode(404, "profile.no_visit", c.do("GET", "/customers/"+han.ID+"/behaviour/nonsense", ""))
	if got := read[api.Behaved](c, "GET", "/customers/"+han.ID+"/behaviour", "", 200); len(got.Visits) != 1 || got.Visits[0].ID != visit || got.Next != "" {
		t.Fatalf("behaviour %+v", got)
	}
	for query, want := range map[string][]string{"q=真丝": {"behaviour"}, "q=真丝%20首页": {"behaviour"}, "q=没有的词": nil, "q=真丝&kinds=created": nil, "kinds=behaviour,created": {"behaviour", "created"},
		"to=2020-01-01": nil, "from=2020-01-01&kinds=created": {"created"}} {
		got := kinds(timeline(han.ID, query))
		slices.Sort(got) // the customer is made of the first event
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	c.wantCode(422, "profile.bad_span", c.do("GET", "/records/customer/"+han.ID+"/timeline?from=2026-02-02&to=2026-02-01", ""))
	c.wantCode(422, "api.bad_parameter", c.do("GET", "/records/customer/"+han.ID+"/timeline?from=yesterday", ""))

	// Wang buys; the company shows what she does and buys, with her name.
	as := d.one(c, "external_id", "w-1")
	read[rec](c, "POST", "/records/order", `{"fields":{"customer":"`+as.ID+`","net_amount":"88.00"}}`, 201)
	var both api.Timeline
	eventually(t, "the contact's visit on the page of the company", func() bool {
		both = timeline(company.ID, "kinds=behaviour,order")
		return len(both.Items) == 2
	})
	for _, e := range both.Items {
		if e.Contact == nil || e.Contact.ID != wang.ID || e.Contact.Title != "王芳" {
			t.Errorf("%s without its contact: %+v", e.Kind, e.Contact)
		}
	}
	if b := profile(company.ID).Behaviour; b == nil || b.Visits != 1 || len(p.Orders) != 1 {
		t.Errorf("the company's profile: %+v, %d orders", b, len(p.Orders))
	}
	toldOfNews(t, s, c, d, han.ID, view(`"userId":"p-1","anonymousId":"b-1"`, "/dress/8", "半裙"))
}

func wholeProfile(t *testing.T, p *api.CustomerProfile) {
	t.Helper()
	b := p.Behaviour
	if b.Visits != 1 || len(b.Pages) != 2 || len(b.Products) != 1 || b.Products[0].Key != "真丝连衣裙" || len(b.Days) != 30 || b.Days[29].Visits+b.Days[28].Visits != 1 || b.FirstAt.After(b.LastAt) {
		t.Errorf("figures %+v", b)
	}
	var names []string
	for _, n := range p.Identities.Names {
		names = append(names, n.Namespace+"="+n.Text)
	}
	slices.Sort(names)
	if want := []string{"anonymous_id=b-1", "email=h***@example.com", "user_id=p-1"}; !slices.Equal(names, want) || p.Identities.Profiles < 1 {
		t.Errorf("names %v of %d profiles, want %v", names, p.Identities.Profiles, want)
	}
	if !slices.ContainsFunc(p.Timeline, func(e api.TimelineEntry) bool { return e.Kind == "behaviour" }) || p.Record.Title != "韩梅梅" || p.Open == nil || p.Duplicates.Items == nil || p.Orders == nil {
		t.Errorf("the answer is not whole: %+v", p)
	}
}

// toldOfNews opens the stream of a page and expects to be told of an event and of an order of the customer, and of nobody else's.
func toldOfNews(t *testing.T, s *site, c *client, d *door, customer, event string) {
	t.Helper()
	c.want(404, c.do("GET", "/events?customer=cus_00000000000000000000000000", ""))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/api/v1/events?customer="+customer, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func(what string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), `"kind":"profile"`) {
				if want := fmt.Sprintf(`"id":%q`, customer); !strings.Contains(lines.Text(), want) {
					t.Fatalf("%s: told %s, want %s", what, lines.Text(), want)
				}
				return
			}
		}
		t.Fatalf("the page is not told of %s: %v", what, lines.Err())
	}
	d.send(event)
	next("a visit")
	read[rec](c, "POST", "/records/order", `{"fields":{"customer":"`+customer+`","net_amount":"9.00"}}`, 201)
	next("an order")
}
