package app_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

var (
	confirmLink = regexp.MustCompile(`https://crm\.example\.com/p/confirm#([A-Za-z0-9._-]+)`)
	pageLink    = regexp.MustCompile(`https://crm\.example\.com/p#([A-Za-z0-9._-]+)`)
)

// TestConsentByMail: consent by mail counts once its link was used; letters and rules with a purpose go to nobody else, end with a link to the page of
// preferences, and one click ends them.
func TestConsentByMail(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		c := s.as(access.Administrator)
		type policy struct {
			Version    int              `json:"version"`
			Purposes   []map[string]any `json:"purposes"`
			Categories []map[string]any `json:"categories"`
		}
		pol := read[policy](c, "GET", "/consents/policy", "", 200)
		pol.Purposes[0]["confirm"] = true
		saved := read[policy](c, "PATCH", "/consents/policy", encode(t, pol), 200)
		c.wantCode(412, "consent.stale", c.do("PATCH", "/consents/policy", encode(t, pol)))
		saved.Purposes, saved.Categories = saved.Purposes[1:], []map[string]any{}
		c.wantCode(422, "consent.purpose_missing", c.do("PATCH", "/consents/policy", encode(t, saved)))
		fang := c.create("customer", `{"name":"王芳","email":"fang@example.org"}`).ID
		given := `{"items":[{"purpose":"marketing","channel":"email","state":"given","source":"form"}]}`
		if v := read[consentView](c, "POST", "/customers/"+fang+"/consents", given, 200); !v.Unsent || v.of("marketing", "email") != "pending false pending" {
			t.Fatalf("without a mail server: %+v", v.States[0])
		}
		c.mailServer(server)
		read[consentView](c, "POST", "/customers/"+fang+"/consents", given, 200)
		_, text := plainOf(t, server.Wait(t, 1)[0])
		token := confirmLink.FindStringSubmatch(text)
		if token == nil {
			t.Fatalf("no link in %s", text)
		}
		letter := func(key string) answer {
			return c.do("POST", "/records/customer/"+fang+"/letters", `{"key":"`+key+`","field":"email","subject":"新品","text":"上新了","purpose":"marketing"}`)
		}
		c.wantCode(409, "letter.no_consent", letter("0123-before"))
		c.wantCode(422, "consent.unknown_purpose", c.do("POST", "/records/customer/"+fang+"/letters", `{"key":"0123-before","field":"email","subject":"s","text":"t","purpose":"nothing"}`))
		anyone := s.client()
		for range 2 { // a link that is used twice
			anyone.want(200, anyone.do("POST", "/consents/page/confirm", `{"token":"`+token[1]+`"}`))
		}
		c.stands(fang, "marketing", "email", "given true given")
		if n := len(c.consents(fang).History); n != 3 {
			t.Fatalf("%d lines of two requests and one confirmation", n)
		}
		c.want(201, letter("0123-after"))
		m := server.Wait(t, 2)[1]
		_, text = plainOf(t, m)
		page := pageLink.FindStringSubmatch(text)
		if page == nil || !strings.Contains(m.Data, "List-Unsubscribe-Post: List-Unsubscribe=One-Click") {
			t.Fatalf("the mail ends with %s", text)
		}

		rule := c.rule("上新", `{"object":"customer","trigger":{"kind":"changed","changes":[{"field":"occupation"}]},"steps":[{"id":"m","kind":"email","mail":{"to":"field","field":"email","purpose":"marketing","subject":"上新","text":"来看看"}}]}`)
		silent := c.create("customer", `{"name":"安静","email":"silent@example.org"}`)
		c.change(silent, `{"occupation":"a"}`)
		run := c.runs(rule, "done", 1)[0]
		if steps := c.stepsOf(rule, run.ID); outcomes(steps) != "m held" || steps[0].Problem == "" {
			t.Fatalf("who agreed to nothing: %+v", steps)
		}
		known := read[shownRecord](c, "GET", "/records/customer/"+fang, "", 200)
		known.Object = "customer"
		c.change(known, `{"occupation":"b"}`)
		c.runs(rule, "done", 2)
		if _, text := plainOf(t, server.Wait(t, 3)[2]); pageLink.FindString(text) == "" {
			t.Fatalf("the mail of a rule ends with %s", text)
		}

		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/api/v1/consents/stop/"+page[1], strings.NewReader("List-Unsubscribe=One-Click"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		anyone.want(200, anyone.send(req))
		c.stands(fang, "marketing", "email", "withdrawn false withdrawn")
		c.wantCode(409, "letter.no_consent", letter("0123-later"))
		anyone.wantCode(409, "consent.withdrawn_since", anyone.do("POST", "/consents/page/confirm", `{"token":"`+token[1]+`"}`))
	})
}

func encode(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
