package app_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type interacted = api.CustomerInteractions

// What a colleague records of a customer stands on the page, in the timeline and in segments at once, and goes again without a trace.
func TestInteractionsByHand(t *testing.T) {
	t.Parallel()
	atWork(t, interactionsByHand)
}

func interactionsByHand(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	customer := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"林夏"}}`, 201).ID
	store := read[rec](c, "POST", "/records/store", `{"fields":{"name":"湖滨店","code":"HB"}}`, 201).ID
	content := read[rec](c, "POST", "/records/content", `{"fields":{"title":"春装穿搭","kind":"post","platform":"xiaohongshu","external_id":"xhs-1"}}`, 201).ID
	path := "/customers/" + customer + "/interactions"
	visit := read[api.CustomerInteraction](c, "POST", path, fmt.Sprintf(`{"name":"Store Visited","store":%q,"minutes":25,"text":"试了两件衬衫"}`, store), 201)
	read[api.CustomerInteraction](c, "POST", path, fmt.Sprintf(`{"name":"Content Commented","content":%q,"text":"颜色真好","at":"2026-01-05T10:00:00+08:00"}`, content), 201)
	list := read[interacted](c, "GET", path, "", 200).Items
	if len(list) != 2 || list[0].Name != "Store Visited" || list[0].About != "湖滨店" || list[0].Minutes != 25 || !list[0].ByHand || list[0].By == nil || list[0].By.Title == "" {
		t.Fatalf("%+v", list)
	}
	if v := list[1]; v.Name != "Content Commented" || v.Content != "xhs-1" || v.Platform != "xiaohongshu" || v.About != "春装穿搭" || v.Text != "颜色真好" {
		t.Errorf("%+v", v)
	}
	kinds := func() string {
		var out []string
		for _, e := range read[api.Timeline](c, "GET", "/records/customer/"+customer+"/timeline?kinds=interaction", "", 200).Items {
			out = append(out, e.Title["zh-CN"]+" "+e.Detail["zh-CN"])
		}
		return strings.Join(out, "; ")
	}
	if got := kinds(); got != "到店 湖滨店 · 试了两件衬衫; 评论了内容 小红书 · 春装穿搭 · 颜色真好" {
		t.Errorf("timeline: %s", got)
	}
	came := `{"where":{"event":"Store Visited","within":{"days":30}}}`
	inSegment := func(want int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d who visited a store", want), func() bool {
			return read[struct{ Count int }](c, "POST", "/segments/count", came, 200).Count == want
		})
	}
	inSegment(1)
	if n := read[api.ContentFigures](c, "GET", "/interactions/contents/"+content, "", 200).Commented; n != 1 {
		t.Errorf("%d comments of the content", n)
	}
	c.want(204, c.do("DELETE", path+"/"+visit.ID, ""))
	if got := kinds(); strings.Contains(got, "到店") {
		t.Errorf("after it was taken back: %s", got)
	}
	inSegment(0)
	c.wantCode(404, "interaction.not_found", c.do("DELETE", path+"/"+visit.ID, ""))

	for code, body := range map[string]string{
		"interaction.content_needed": `{"name":"Content Liked"}`,
		"interaction.bad_time":       `{"name":"Store Visited","at":"2199-01-01T00:00:00Z"}`,
		"api.bad_parameter":          `{"name":"Order Completed"}`,
	} {
		if a := c.do("POST", path, body); a.status < 400 || a.status >= 500 || !strings.Contains(string(a.body), code) && code != "api.bad_parameter" {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	d := s.door(c)
	d.send(`{"type":"track","event":"Store Visited","userId":"u-1","properties":{"store_id":"HB"}}`, `{"type":"identify","userId":"u-1","traits":{"name":"外来"}}`)
	other := d.one(c, "external_id", "u-1").ID
	var sent string
	eventually(t, "what came by a door", func() bool {
		items := read[interacted](c, "GET", "/customers/"+other+"/interactions", "", 200).Items
		if len(items) == 1 {
			sent = items[0].ID
		}
		return len(items) == 1 && !items[0].ByHand
	})
	c.wantCode(409, "interaction.not_by_hand", c.do("DELETE", "/customers/"+other+"/interactions/"+sent, ""))
	viewer := s.as(access.ReadOnly)
	if a := viewer.do("POST", path, `{"name":"Store Visited"}`); a.status != 403 {
		t.Errorf("somebody who only reads records: %d %s", a.status, a.body)
	}
}

// Who comes by what a customer shares, and what they buy, is credited to the customer, as a trait too.
func TestSharersHaveInfluence(t *testing.T) {
	t.Parallel()
	atWork(t, sharersHaveInfluence)
}

func sharersHaveInfluence(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	d := s.door(c)
	d.send(`{"type":"identify","userId":"sharer","traits":{"name":"分享者"}}`, `{"type":"track","event":"Product Shared","userId":"sharer","properties":{"product_id":"P1","share_id":"sh-1"}}`)
	d.settled(c)
	d.send(`{"type":"page","userId":"friend","context":{"campaign":{"source":"wechat","content":"sh-1"}},"properties":{"url":"https://shop.example/p/1"}}`, `{"type":"identify","userId":"friend","traits":{"name":"朋友"}}`,
		`{"type":"track","event":"Share Opened","anonymousId":"nobody","properties":{"share_id":"sh-1"}}`,
		`{"type":"track","event":"Order Completed","userId":"friend","properties":{"order_id":"o-9","revenue":88,"currency":"CNY","products":[{"product_id":"P1","price":88,"quantity":1}]}}`)
	sharer := d.one(c, "external_id", "sharer").ID
	var got api.Influence
	eventually(t, "credit for the friend", func() bool {
		got = read[api.Influence](c, "GET", "/customers/"+sharer+"/influence", "", 200)
		return got.Orders == 1 && got.Reach == 2
	})
	if got.Brought != 1 || got.Shared != 1 || got.Points != 12 || got.Score != 19 || got.Revenue.Amount != "88.00" || len(got.People) != 1 || got.People[0].Customer.Title != "朋友" || !got.People[0].New {
		t.Errorf("%+v", got)
	}
	if list := read[api.Sharers](c, "GET", "/interactions/people", "", 200).Items; len(list) != 1 || list[0].Score != 19 || list[0].Customer.Title != "分享者" {
		t.Errorf("%+v", list)
	}
	if n := read[struct{ Count int }](c, "POST", "/segments/count", `{"where":{"trait":"people_brought","op":">=","value":1}}`, 200).Count; n != 1 {
		t.Errorf("%d customers brought somebody", n)
	}
}

// A file of events is brought in once however often it is sent, and taken back as a whole, also from what is made anew.
func TestEventImportIsTakenBack(t *testing.T) {
	t.Parallel()
	atWork(t, eventImportIsTakenBack)
}

func eventImportIsTakenBack(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	source := read[struct {
		Source struct{ ID string }
	}](c, "POST", "/event-sources", `{"name":"Archive","type":"server"}`, 201).Source.ID
	begin := func() string {
		return read[api.EventImport](c, "POST", "/event-imports", fmt.Sprintf(`{"source":%q,"file_name":"visits.csv"}`, source), 201).ID
	}
	events := `[{"type":"identify","userId":"old-1","timestamp":"2026-01-01T08:00:00Z","traits":{"name":"老客"}},{"type":"track","event":"Store Visited","userId":"old-1","timestamp":"2026-01-02T08:00:00Z","properties":{"store_id":"A"}},
{"type":"track","event":"Store Visited","userId":"old-1","timestamp":"2026-01-03T08:00:00Z","properties":{"store_id":"B"}}]`
	send := func(part string) api.ImportedEvents {
		return read[api.ImportedEvents](c, "POST", "/event-sources/"+source+"/import", fmt.Sprintf(`{"events":%s,"import":%q}`, events, part), 200)
	}
	first := begin()
	if got := send(first); got.Accepted != 3 || got.Duplicate != 0 {
		t.Fatalf("%+v", got)
	}
	read[api.EventImport](c, "POST", "/event-imports/"+first+"/finish", "{}", 200)
	second := begin()
	if got := send(second); got.Duplicate != 3 {
		t.Errorf("the same file: %+v", got)
	}
	var customer string
	visits := func() int {
		if customer == "" {
			list := customersBy(c, "external_id", "old-1")
			if len(list) == 0 {
				return -1
			}
			customer = list[0].ID
		}
		return len(read[interacted](c, "GET", "/customers/"+customer+"/interactions", "", 200).Items)
	}
	eventually(t, "two visits of before", func() bool { return visits() == 2 })
	if v := read[api.EventImport](c, "GET", "/event-imports/"+first, "", 200); v.State != "done" || v.Accepted != 3 || v.SourceName != "Archive" || v.By == nil {
		t.Errorf("%+v", v)
	}
	read[api.EventImport](c, "POST", "/event-imports/"+first+"/undo", "{}", 200)
	eventually(t, "the import to be undone", func() bool {
		return read[api.EventImport](c, "GET", "/event-imports/"+first, "", 200).State == "undone"
	})
	if n := visits(); n != 0 {
		t.Errorf("%d visits are left", n)
	}
	c.wantCode(409, "event.import_undone", c.do("POST", "/event-imports/"+first+"/undo", "{}"))
	c.wantCode(409, "event.import_closed", c.do("POST", "/event-sources/"+source+"/import", fmt.Sprintf(`{"events":%s,"import":%q}`, events, first)))
	if got := send(begin()); got.Accepted != 3 || got.Duplicate != 0 {
		t.Errorf("once more after it was undone: %+v", got)
	}
	if list := read[api.EventImportList](c, "GET", "/event-imports", "", 200).Items; len(list) != 3 {
		t.Errorf("%+v", list)
	}
	if a := s.as(access.ReadOnly).do("GET", "/event-imports", ""); a.status != 403 {
		t.Errorf("%d", a.status)
	}
	rowsOfAFile(t, s, c)
}

// rowsOfAFile reads a file that a browser cannot, here text of another sort.
func rowsOfAFile(t *testing.T, s *site, c *client) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", "events.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write([]byte("userId,event,timestamp\nu1,Store Visited,2026-01-02\n"))
	_ = form.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/api/v1/event-imports/rows", &b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("X-CSRF-Token", c.csrf)
	if a := c.send(req); a.status != 200 || string(a.body) != "[\"userId\",\"event\",\"timestamp\"]\n[\"u1\",\"Store Visited\",\"2026-01-02\"]\n" {
		t.Errorf("%d %s", a.status, a.body)
	}
}
