package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// post sends a batch through the door as a browser does.
func postEvents(t *testing.T, s *site, key, agent string, batch ...string) (accepted int, codes []string) {
	t.Helper()
	body := fmt.Sprintf(`{"writeKey":%q,"batch":[%s]}`, key, strings.Join(batch, ","))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/v1/batch", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", agent)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	var out struct {
		Accepted int `json:"accepted"`
		Rejected []struct {
			Code string `json:"code"`
		} `json:"rejected"`
	}
	if err != nil || res.StatusCode != 200 || json.Unmarshal(raw, &out) != nil {
		t.Fatalf("%d %s %v", res.StatusCode, raw, err)
	}
	for _, r := range out.Rejected {
		codes = append(codes, r.Code)
	}
	return out.Accepted, codes
}

type liveList struct {
	Items []struct {
		ID          string   `json:"id"`
		State       string   `json:"state"`
		Name        string   `json:"name"`
		AnonymousID string   `json:"anonymous_id"`
		Flags       []string `json:"flags"`
		Trouble     []struct {
			Code string `json:"code"`
			Text string `json:"text"`
		} `json:"trouble"`
	} `json:"items"`
}

const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"

// TestEventsAreWatchedPlannedAndReplayed walks the whole way of events that are not as planned.
func TestEventsAreWatchedPlannedAndReplayed(t *testing.T) {
	t.Parallel()
	atWork(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		source := read[struct {
			Source   struct{ ID string } `json:"source"`
			WriteKey string              `json:"write_key"`
		}](admin, "POST", "/event-sources", `{"name":"Shop","type":"web"}`, 201)
		key := source.WriteKey
		watch := func(query string, n int) liveList {
			t.Helper()
			var out liveList
			eventually(t, query, func() bool {
				out = read[liveList](admin, "GET", "/events/live?"+query, "", 200)
				return len(out.Items) >= n
			})
			if len(out.Items) != n {
				t.Fatalf("%s: %d events, want %d: %+v", query, len(out.Items), n, out)
			}
			return out
		}
		order := func(id, revenue string) string {
			return fmt.Sprintf(`{"type":"track","event":"Order Completed","userId":"u1","messageId":%q,"timestamp":"2026-03-01T04:00:00Z","properties":{"order_id":"d","revenue":%s,"email":"anna@example.com"},"context":{"cart":7}}`, id, revenue)
		}

		// Visitors without an id: one a browser, and the same for every call.
		page := `{"type":"page","messageId":"p%d","anonymousId":"","properties":{"url":"https://shop.example/"},"context":{"cookieless":true,"page":{"url":"https://shop.example/"}}}`
		if n, codes := postEvents(t, s, key, browser, fmt.Sprintf(page, 1), fmt.Sprintf(page, 2)); n != 2 {
			t.Fatal(codes)
		}
		postEvents(t, s, key, browser+" Other", fmt.Sprintf(page, 3))
		views := watch("name=Page+Viewed", 3)
		newest, first := views.Items[0].AnonymousID, views.Items[2].AnonymousID
		if newest == first || views.Items[1].AnonymousID != first || !strings.HasPrefix(first, "v_") {
			t.Errorf("%+v", views)
		}

		postEvents(t, s, key, browser, order("o1", "10"), order("o1", "10"), order("o1", "11"))
		all := watch("name=Order+Completed", 3)
		states := map[string]int{}
		for _, e := range all.Items {
			states[e.State]++
		}
		if states["accepted"] != 1 || states["duplicate"] != 1 || states["collision"] != 1 {
			t.Errorf("%v", states)
		}
		watch("state=duplicate", 1)
		watch("person=u1&state=accepted", 1)
		detail := admin.want(200, admin.do("GET", "/events/live/"+watch("state=collision", 1).Items[0].ID, ""))
		if strings.Contains(string(detail.body), "anna@example.com") || !strings.Contains(string(detail.body), `"revenue":11`) {
			t.Errorf("%s", detail.body)
		}

		names := admin.want(200, admin.do("GET", "/events/names/one?name=Order+Completed&source="+source.Source.ID, ""))
		if !strings.Contains(string(names.body), `"path":"revenue"`) || strings.Contains(string(names.body), "anna") {
			t.Errorf("%s", names.body)
		}
		draft := read[struct {
			Events []struct{ Name string }
		}](admin, "GET", "/events/plan/draft", "", 200)
		if len(draft.Events) != 2 {
			t.Errorf("%+v", draft)
		}

		plan := `{"version":0,"unplanned":"flag","events":[{"name":"Order Completed","act":"quarantine","properties":[{"name":"revenue","type":"number","required":true}]}]}`
		admin.want(200, admin.do("POST", "/events/plan", plan))
		admin.wantCode(412, "tracking.stale", admin.do("POST", "/events/plan", plan))
		admin.wantCode(422, "tracking.invalid", admin.do("POST", "/events/plan", `{"version":1,"unplanned":"no","events":[{"name":""}]}`))
		n, codes := postEvents(t, s, key, browser, order("o2", `"1,280.50"`), order("o3", "30"), `{"type":"track","event":"Unheard","userId":"u1","messageId":"x1"}`, `{"type":"track","messageId":"x2","userId":"u1"}`)
		if n != 2 || fmt.Sprint(codes) != "[tracking.property_type event.name_missing]" {
			t.Fatal(n, codes)
		}
		flagged := watch("flag=unplanned", 1)
		if flagged.Items[0].Trouble[0].Code != "tracking.event_unplanned" || !strings.Contains(flagged.Items[0].Trouble[0].Text, "Unheard") {
			t.Errorf("%+v", flagged)
		}
		watch("state=rejected", 2)
		rejected := read[struct {
			Items []struct {
				ID   string
				Held bool
				Body json.RawMessage
			}
			Codes []struct {
				Code  string
				Count int
			}
		}](admin, "GET", "/events/rejected?code="+url.QueryEscape("tracking.property_type"), "", 200)
		if len(rejected.Items) != 1 || !rejected.Items[0].Held || len(rejected.Codes) != 2 || strings.Contains(string(rejected.Items[0].Body), "anna@") {
			t.Fatalf("%+v %s", rejected, rejected.Items[0].Body)
		}

		type outcome struct{ Accepted, Repeated, Refused int }
		admin.wantCode(422, "tracking.which", admin.do("POST", "/events/rejected/replay", `{"which":{}}`))
		again := read[outcome](admin, "POST", "/events/rejected/replay", `{"which":{"all":true}}`, 200)
		if again != (outcome{Refused: 2}) {
			t.Errorf("as they are, they are refused again: %+v", again)
		}
		fixed := `{"which":{"code":"tracking.property_type"},"steps":[{"do":"cast","property":"revenue","to":"number"}]`
		tried := admin.want(200, admin.do("POST", "/events/rejected/replay", fixed+`,"try":true}`))
		if !strings.Contains(string(tried.body), `"revenue":1280.5`) {
			t.Errorf("%s", tried.body)
		}
		if out := read[outcome](admin, "POST", "/events/rejected/replay", fixed+`}`, 200); out != (outcome{Accepted: 1}) {
			t.Fatalf("%+v", out)
		}
		replayed := watch("flag=historic", 1)
		if replayed.Items[0].Name != "Order Completed" {
			t.Errorf("%+v", replayed)
		}
		one := admin.want(200, admin.do("GET", "/events/live/"+replayed.Items[0].ID, ""))
		if !strings.Contains(string(one.body), `"at":"2026-03-01T04:00:00Z"`) || !strings.Contains(string(one.body), `"cart":7`) {
			t.Errorf("its time and context are kept: %s", one.body)
		}
		deleted := read[struct{ Count int }](admin, "POST", "/events/rejected/delete", `{"which":{"all":true}}`, 200)
		if deleted.Count != 1 {
			t.Errorf("%+v", deleted)
		}
		admin.want(204, admin.do("DELETE", "/events/names/one?name=Unheard&source="+source.Source.ID, ""))
		admin.wantCode(404, "tracking.name_unknown", admin.do("GET", "/events/names/one?name=Unheard&source="+source.Source.ID, ""))
	})
}
