package app_test

import (
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// demoBehaves: the events of the demo company stand in conditions, with their customers, in traits, segments and lists at once; a device that
// signed in is its customer's.
func demoBehaves(t *testing.T, admin *client) {
	t.Helper()
	for _, where := range []string{`{"event":"Product Viewed","within":{"days":180}}`, `{"trait":"demo_last_viewed","op":"is_set"}`, `{"event":"Store Visited"}`, `{"event":"Content Liked"}`,
		`{"segment":"demo_left_basket","op":"in"}`, `{"segment":"demo_store_and_site","op":"in"}`} {
		if n := count(admin, where); n < 1 || n > 990 {
			t.Errorf("%s: %d", where, n)
		}
	}
	names := read[struct{ Items []struct{ Name string } }](admin, "GET", "/events/names", "", 200)
	known := map[string]bool{}
	for _, n := range names.Items {
		known[n.Name] = true
	}
	if len(known) < 15 || !known["Mine"] {
		t.Errorf("%d names are known", len(known))
	}
	if v := read[struct{ Count int }](admin, "POST", "/records/content/count", `{"exact":true}`, 200); v.Count < 90 {
		t.Errorf("%d contents", v.Count)
	}
	if list := read[api.EventSourceList](admin, "GET", "/event-sources", "", 200); len(list.Items) != 5 {
		t.Errorf("%d sources", len(list.Items))
	}
}

// interactions: contents have figures that agree with each other, an interaction with something unknown makes it known, and a call that is done as an
// activity counts with the calls that events tell of.
func interactions(t *testing.T, s *site, admin *client, key string) {
	t.Helper()
	ask := func(more string) api.InteractionOverview {
		from := time.Now().AddDate(0, 0, -200).Format(time.DateOnly)
		return read[api.InteractionOverview](admin, "GET", "/interactions?limit=1000&from="+from+"&to="+time.Now().AddDate(0, 0, 2).Format(time.DateOnly)+more, "", 200)
	}
	o := ask("")
	if o.All.Contents < 90 || o.All.Interactions < 50 || o.All.Seen <= o.All.Interactions || int64(len(o.Contents)) != o.All.Contents {
		t.Errorf("%+v, %d contents listed", o.All, len(o.Contents))
	}
	sums := func(list []api.InteractionGroup) (n, seen int64) {
		for _, g := range list {
			n, seen = n+g.Interactions, seen+g.Seen
		}
		return n, seen
	}
	for _, list := range [][]api.InteractionGroup{o.Platforms, o.Kinds, o.Weeks} {
		if n, seen := sums(list); n != o.All.Interactions || seen != o.All.Seen {
			t.Errorf("a split has %d interactions of %d, reach %d of %d", n, o.All.Interactions, seen, o.All.Seen)
		}
	}
	best := o.Contents[0]
	if best.Interactions < o.Contents[1].Interactions || best.Record.Title == "" || best.ExternalID == "" || best.People == 0 {
		t.Errorf("%+v", best)
	}
	if one := read[api.ContentFigures](admin, "GET", "/interactions/contents/"+best.Record.ID, "", 200); one != best {
		t.Errorf("alone %+v, in the list %+v", one, best)
	}
	liked := count(admin, `{"event":"*","where":{"property":"content_id","op":"=","value":"`+best.ExternalID+`"}}`)
	if liked == 0 || int64(liked) > best.Viewers+best.People {
		t.Errorf("%d customers did something with it, %d people", liked, best.People)
	}
	if p := ask("&platform=" + best.Platform); p.All.Interactions >= o.All.Interactions || p.All.Interactions == 0 {
		t.Errorf("of one platform %+v", p.All)
	}
	admin.wantCode(422, "web.bad_span", admin.do("GET", "/interactions?from=2026-02-02&to=2026-02-01", ""))
	admin.wantCode(404, "record.not_found", admin.do("GET", "/interactions/contents/cot_0", ""))
	calls := func(o api.InteractionOverview) int64 {
		for _, d := range o.Deeds {
			if d.Name == event.CallMade {
				return d.Count
			}
		}
		return 0
	}
	before := calls(o)
	admin.want(201, admin.do("POST", "/records/call", `{"fields":{"subject":"回访","status":"done","starts_at":"`+time.Now().UTC().Format(time.RFC3339)+`"}}`))
	const liking = `{"event":"Content Liked","anonymousId":"me","properties":{"content_id":"Note-77","platform":"XiaoHongShu","content_title":"秋日穿搭","content_url":"https://www.xiaohongshu.com/explore/77"}}`
	if status, answer := s.sendEvent("/v1/track", key, liking); status != 200 {
		t.Fatal(status, answer)
	}
	eventually(t, "the content that was liked, and the call", func() bool {
		next := ask("")
		for _, c := range next.Contents {
			if c.ExternalID == "Note-77" {
				return c.Record.Title == "秋日穿搭" && c.Platform == "xiaohongshu" && c.Liked == 1 && c.Seen == 0 && calls(next) == before+1
			}
		}
		return false
	})
}

func count(c *client, where string) int {
	return read[struct{ Count int }](c, "POST", "/segments/count", `{"where":`+where+`}`, 200).Count
}

// demoIsStill: what the company did is gone with it, and what came by another source stays.
func demoIsStill(t *testing.T, admin *client) {
	t.Helper()
	list := read[api.EventSourceList](admin, "GET", "/event-sources", "", 200)
	names := read[struct{ Items []struct{ Name string } }](admin, "GET", "/events/names", "", 200)
	if len(list.Items) != 1 || len(names.Items) != 2 {
		t.Errorf("sources %+v, names %v", list.Items, names.Items)
	}
	segments := read[struct{ Items []struct{ Key string } }](admin, "GET", "/segments", "", 200)
	for _, s := range segments.Items {
		if s.Key == "demo_left_basket" {
			t.Error("a segment of the company is left")
		}
	}
}
