package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type onsiteShown struct {
	ID, Status       string
	Version          int64
	Viewed, Viewers  int64
	Clicked, Dismiss int64
}

// TestOnsite: what a site shows follows its plan; what is for members goes to a browser that a server has named, and not to whoever says to be one; what became
// of it is counted from events.
func TestOnsite(t *testing.T) {
	t.Parallel()
	atWork(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		d := s.door(c)
		d.send(`{"type":"identify","userId":"vip","traits":{"name":"贵客"}}`)
		vip := d.one(c, "external_id", "vip").ID
		web := s.page(c, 5001)
		seg := read[struct{ Segment struct{ Key string } }](c, "POST", "/segments/list", `{"label":"贵宾","field":"id","values":["`+vip+`"]}`, 200).Segment.Key
		plan := func(title, more string) string {
			return fmt.Sprintf(`{"kind":"popup","locale":"zh-CN","words":{"zh-CN":{"title":%q,"text":"","button":"去看看","url":"/sale","image":""},"en":{"title":"For %s","text":"","button":"","url":"","image":""}},"sources":[],"paths":["/sale*"],"on":"load","after":2,"segments":[],"except":[],"from":"","to":"","per_day":1,"total":3,"rank":0%s}`, title, title, more)
		}
		member := s.as(access.Member)
		member.want(403, member.do("POST", "/onsite-messages", `{"name":"x","plan":`+plan("x", "")+`}`))
		for _, bad := range [][2]string{{"onsite.bad_url", strings.Replace(plan("a", ""), `"/sale"`, `"javascript:alert(1)"`, 1)}, {"onsite.bad_url", strings.Replace(plan("a", ""), `"/sale"`, `"//evil.example"`, 1)},
			{"onsite.bad_title", plan("", "")}, {"onsite.bad_segment", strings.Replace(plan("a", ""), `"segments":[]`, `"segments":["nobody"]`, 1)}, {"onsite.bad_days", strings.Replace(plan("a", ""), `"from":""`, `"from":"31.12."`, 1)}} {
			c.wantCode(422, bad[0], c.do("POST", "/onsite-messages", `{"name":"x","plan":`+bad[1]+`}`))
		}
		begin := func(title, plan string) string {
			t.Helper()
			v := read[onsiteShown](c, "POST", "/onsite-messages", fmt.Sprintf(`{"name":%q,"plan":%s}`, title, plan), 201)
			if v = read[onsiteShown](c, "PATCH", "/onsite-messages/"+v.ID, fmt.Sprintf(`{"name":%q,"status":"active","version":1,"plan":%s}`, title, plan), 200); v.Status != "active" {
				t.Errorf("%+v", v)
			}
			return v.ID
		}
		everybody := begin("所有人", plan("所有人", ""))
		begin("贵宾", strings.Replace(plan("贵宾", ""), `"segments":[]`, `"segments":["`+seg+`"]`, 1))
		begin("从前", strings.Replace(plan("从前", ""), `"to":""`, `"to":"2020-01-01"`, 1))
		read[onsiteShown](c, "POST", "/onsite-messages", `{"name":"草稿","plan":`+plan("草稿", "")+`}`, 201)
		shown := func(key, browser, locale string) (int, string) {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.server.URL+"/v1/onsite/"+key+"?id="+browser+"&lang="+locale, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", "https://shop.example")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			raw, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Items []struct{ Title, Close string }
			}
			_ = json.Unmarshal(raw, &got) // else nothing is shown
			var titles []string
			for _, i := range got.Items {
				titles = append(titles, i.Title)
				if want := map[bool]string{true: "Close", false: "关闭"}[strings.HasPrefix(i.Title, "For")]; i.Close != want {
					t.Errorf("%s: %s", i.Title, i.Close)
				}
			}
			return res.StatusCode, strings.Join(titles, " ")
		}
		want := func(when, browser, locale, titles string) {
			t.Helper()
			eventually(t, when, func() bool { _, got := shown(web.key, browser, locale); return got == titles })
		}
		want("a stranger", "", "zh-CN", "所有人")
		want("in another language", "br-9", "en-GB", "For 所有人")
		web.send(`{"type":"identify","userId":"vip","anonymousId":"br-7"}`)
		d.settled(c)
		want("who says to be somebody", "br-7", "fr", "所有人")
		d.send(`{"type":"track","event":"Signed In","userId":"vip","anonymousId":"br-8"}`)
		want("whom the server named", "br-8", "zh-CN", "贵宾 所有人")
		read[consentView](c, "POST", "/customers/"+vip+"/consents", `{"items":[{"purpose":"personalisation","channel":"any","state":"withdrawn","source":"agent"}]}`, 200)
		want("who wants nothing chosen", "br-8", "zh-CN", "所有人")
		for key, code := range map[string]int{"wk_nothing": 401, d.key: 404} {
			if got, _ := shown(key, "br-8", ""); got != code {
				t.Errorf("a wrong key answers %d, want %d", got, code)
			}
		}
		done := func(name, message string) string {
			return fmt.Sprintf(`{"type":"track","event":%q,"messageId":%q,"anonymousId":"br-9","context":{"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"},"properties":{"promotion_id":%q}}`, name, message, everybody)
		}
		web.send(done("Promotion Viewed", "m1"), done("Promotion Viewed", "m2"), done("Promotion Clicked", "m3"))
		eventually(t, "the figures", func() bool {
			v := read[onsiteShown](c, "GET", "/onsite-messages/"+everybody, "", 200)
			return fmt.Sprint(v.Viewed, v.Viewers, v.Clicked) == "2 1 1"
		})
		c.wantCode(412, "onsite.stale", c.do("PATCH", "/onsite-messages/"+everybody, `{"name":"所有人","status":"ended","version":1,"plan":`+plan("所有人", "")+`}`))
		read[onsiteShown](c, "PATCH", "/onsite-messages/"+everybody, `{"name":"所有人","status":"ended","version":2,"plan":`+plan("所有人", "")+`}`, 200)
		want("after its end", "br-9", "zh-CN", "")
	})
}
