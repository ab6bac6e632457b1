package app_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestDemoIsLoadedFromThePage: an administrator loads the demo company into an empty workspace, sees how far it is, and
// cannot load it twice.
func TestDemoIsLoadedFromThePage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		admin, manager := s.as(access.Administrator), s.as(access.Manager)
		if st := read[api.DemoState](admin, "GET", "/demo", "", 200); !st.Available || st.Phase != "idle" {
			t.Fatalf("%+v", st)
		}
		for _, body := range []string{`{"customers":999}`, `{"customers":1000001}`, `{}`} {
			if a := admin.wantCode(422, "api.demo_size", admin.do("POST", "/demo", body)); !strings.Contains(string(a.body), "between 1000 and 1000000") {
				t.Errorf("%s", a.body)
			}
		}
		manager.wantCode(403, "access.forbidden", manager.do("POST", "/demo", `{"customers":1000}`))
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.server.URL+"/api/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := admin.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		mine := read[madeSource](admin, "POST", "/event-sources", `{"name":"自己的","type":"server"}`, 201)
		if status, answer := s.sendEvent("/v1/track", mine.WriteKey, `{"event":"Mine","anonymousId":"me"}`); status != 200 {
			t.Fatal(status, answer)
		}
		st := read[api.DemoState](admin, "POST", "/demo", `{"customers":1000,"orders_per_customer":1,"events":9000}`, http.StatusAccepted)
		if st.Available || st.Phase != "queued" {
			t.Errorf("queued: %+v", st)
		}
		admin.wantCode(409, "app.busy", admin.do("POST", "/demo", `{"customers":1000}`))
		var worker sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		worker.Go(func() { s.app.Jobs().Run(ctx) })
		defer worker.Wait()
		defer stop()
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() && !strings.Contains(lines.Text(), `"kind":"demo"`) {
		}
		if lines.Err() != nil {
			t.Errorf("pages are not told: %v", lines.Err())
		}
		within(t, 3*time.Minute, "the demo company", func() bool {
			st = read[api.DemoState](admin, "GET", "/demo", "", 200)
			return st.Phase == "done" || st.Phase == "failed"
		})
		if st.Phase != "done" || st.Available || st.Customers != 1000 || st.Target != 1000 || st.Orders < 500 || st.Records < st.Customers+st.Orders || st.Error != nil {
			t.Fatalf("%+v", st)
		}
		if n := read[struct{ Count int }](admin, "POST", "/records/customer/count", `{"exact":true}`, 200); n.Count != 1000 {
			t.Errorf("%d customers", n.Count)
		}
		if n := agreed(admin); n < 200 {
			t.Errorf("%d agreed to mails", n)
		}
		admin.wantCode(409, "app.demo_not_empty", admin.do("POST", "/demo", `{"customers":1000}`))
		demoBehaves(t, admin)
		interactions(t, s, admin, mine.WriteKey)
		removesDemo(t, s, admin, manager)
		demoIsStill(t, admin)
	})
}

// agreed is how many customers agreed to marketing by mail.
func agreed(c *client) (n int) {
	for _, f := range read[struct {
		Items []struct {
			Purpose, Channel, State string
			Count                   int
		}
	}](c, "GET", "/consents/figures", "", 200).Items {
		if f.Purpose == "marketing" && f.Channel == "email" && f.State == "given" {
			n = f.Count
		}
	}
	return n
}

// removesDemo: what the demo company brought goes, what somebody entered stays, and what that points at.
func removesDemo(t *testing.T, s *site, admin, manager *client) {
	t.Helper()
	type one struct{ ID string }
	first := read[struct{ Items []one }](admin, "POST", "/records/customer/query", `{"limit":1}`, 200).Items[0].ID
	read[one](admin, "POST", "/records/customer", `{"fields":{"name":"自己的客户"}}`, 201)
	own := read[one](admin, "POST", "/records/order", `{"fields":{"customer":"`+first+`","status":"confirmed","placed_at":"2026-11-01T03:00:00Z"}}`, 201)
	name := read[struct{ Workspace struct{ Name string } }](admin, "GET", "/me", "", 200).Workspace.Name
	manager.wantCode(403, "access.forbidden", manager.do("POST", "/demo/remove", `{"confirm":"`+name+`"}`))
	admin.wantCode(422, "app.demo_confirm", admin.do("POST", "/demo/remove", `{"confirm":"nothing"}`))
	if st := read[api.DemoState](admin, "GET", "/demo", "", 200); !st.Removable {
		t.Errorf("not removable: %+v", st)
	}
	read[api.DemoState](admin, "POST", "/demo/remove", `{"confirm":"`+name+`"}`, 202)
	var st api.DemoState
	eventually(t, "the removal", func() bool {
		st = read[api.DemoState](admin, "GET", "/demo", "", 200)
		return (st.Phase == "done" || st.Phase == "failed") && !st.Removable
	})
	count := func(object string) int {
		return read[struct{ Count int }](admin, "POST", "/records/"+object+"/count", `{"exact":true}`, 200).Count
	}
	if st.Phase != "done" || count("customer") != 2 || count("order") != 1 || count("product")+count("refund")+count("order_line") != 0 {
		t.Errorf("%+v: %d customers, %d orders, %d products left", st, count("customer"), count("order"), count("product"))
	}
	read[one](admin, "GET", "/records/order/"+own.ID, "", 200)
	if n := agreed(admin); n > 1 { // of the customer who stays
		t.Errorf("%d consents of nobody are left", n)
	}
	admin.wantCode(409, "app.demo_none", admin.do("POST", "/demo/remove", `{"confirm":"`+name+`"}`))
}
