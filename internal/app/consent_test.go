package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type consentView struct {
	Claims []api.ConsentEntry
	States []struct {
		Purpose, Channel, State, Why string
		Allowed                      bool
	}
	History []struct {
		ID, Purpose, Channel, State, Source, Page, Note string
		Wording                                         *int64
		Actor                                           struct{ Kind, Name string }
		Visitor                                         bool
	}
	Minor  bool
	Left   string
	Unsent bool
}

func (v *consentView) of(purpose, channel string) string {
	for _, s := range v.States {
		if s.Purpose == purpose && s.Channel == channel {
			return fmt.Sprintf("%s %v %s", s.State, s.Allowed, s.Why)
		}
	}
	return "no place"
}

func (c *client) consents(customer string) *consentView {
	c.Helper()
	v := read[consentView](c, "GET", "/customers/"+customer+"/consents", "", 200)
	return &v
}

func (c *client) says(customer, statement string) {
	c.Helper()
	c.want(200, c.do("POST", "/customers/"+customer+"/consents", `{"items":[`+statement+`]}`))
}

func (c *client) stands(customer, purpose, channel, want string) {
	c.Helper()
	got := c.consents(customer)
	if s := got.of(purpose, channel); s != want {
		c.Fatalf("%s by %s: %q, want %q; %+v", purpose, channel, s, want, got.History)
	}
}

func TestConsents(t *testing.T) {
	t.Parallel()
	atWork(t, consents)
}

func consents(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	li := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"李雷","email":"li.lei@example.com","phone":"13812345678","external_id":"u-1"}}`, 201).ID
	twin := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"李磊"}}`, 201).ID
	child := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"小明","birthday":{"calendar":"solar","year":2024,"month":5,"day":1}}}`, 201).ID

	// Silence: marketing fails closed, messages about orders do not.
	c.stands(li, "marketing", "email", " false nothing")
	c.stands(li, "service", "email", " true unasked")
	for body, want := range map[string]string{
		`{"purpose":"nonsense","channel":"email","state":"given"}`:                                         "consent.unknown_purpose",
		`{"purpose":"marketing","channel":"pigeon","state":"given"}`:                                       "consent.unknown_channel",
		`{"purpose":"marketing","channel":"email","state":"expired"}`:                                      "consent.bad_state",
		`{"purpose":"marketing","channel":"email","state":"given","at":"2999-01-01T00:00:00Z"}`:            "consent.bad_time",
		`{"purpose":"marketing","channel":"email","state":"given","wording":9}`:                            "consent.unknown_wording",
		`{"purpose":"marketing","channel":"email","state":"given","evidence":"abc"}`:                       "consent.bad_evidence",
		`{"purpose":"marketing","channel":"email","state":"given","source":"page"}`:                        "consent.bad_source",
		`{"purpose":"marketing","channel":"email","state":"given"},{"purpose":"","channel":"","state":""}`: "consent.",
	} {
		if a := c.do("POST", "/customers/"+li+"/consents", `{"items":[`+body+`]}`); a.status != 422 || !strings.HasPrefix(a.code(), want) {
			t.Fatalf("%s: %d %s", body, a.status, a.body)
		}
	}
	if n := len(c.consents(li).History); n != 0 {
		t.Fatalf("what was refused left %d lines", n)
	}

	// Words have versions, and lines know theirs.
	c.want(201, c.do("POST", "/consents/wordings", `{"purpose":"marketing","text":{"zh-CN":"我同意接收营销信息","en":"I agree to marketing"},"valid_from":"2026-01-01T00:00:00Z"}`))
	c.wantCode(422, "consent.bad_wording", c.do("POST", "/consents/wordings", `{"purpose":"marketing","text":{"zh-CN":"只有中文"}}`))
	c.says(li, `{"purpose":"marketing","channel":"email","state":"given","source":"form","page":"https://shop.example/join?mail=x","note":"柜台签字","once":"paper-7"}`)
	c.says(li, `{"purpose":"marketing","channel":"email","state":"given","source":"form","once":"paper-7"}`)
	v := c.consents(li)
	if len(v.History) != 1 || v.History[0].Wording == nil || *v.History[0].Wording != 1 || v.History[0].Page != "https://shop.example/join" || v.History[0].Note != "柜台签字" || v.History[0].Actor.Kind != "user" {
		t.Fatalf("the ledger: %+v", v.History)
	}
	c.stands(li, "marketing", "email", "given true given")

	// Children: a guardian agrees, nobody else.
	c.says(child, `{"purpose":"marketing","channel":"sms","state":"given"}`)
	c.stands(child, "marketing", "sms", "given false minor")
	c.says(child, `{"purpose":"marketing","channel":"sms","state":"given","guardian":true}`)
	c.stands(child, "marketing", "sms", "given true given")

	// An older word changes nothing, a merge takes the newest of both, and its undoing gives back.
	c.says(li, `{"purpose":"marketing","channel":"sms","state":"given","at":"2026-02-01T00:00:00Z"}`)
	c.says(twin, `{"purpose":"marketing","channel":"sms","state":"withdrawn","at":"2026-02-02T00:00:00Z"}`)
	merged := read[struct{ Merge string }](c, "POST", "/records/customer/merge", `{"survivor":"`+li+`","ids":["`+twin+`"]}`, 200)
	eventually(t, "the refusal of the merged one", func() bool { return c.consents(li).of("marketing", "sms") == "withdrawn false withdrawn" })
	c.want(200, c.do("POST", "/records/customer/unmerge", `{"merge":"`+merged.Merge+`"}`))
	eventually(t, "each with their own word", func() bool {
		return c.consents(li).of("marketing", "sms") == "given true given" && c.consents(twin).of("marketing", "sms") == "withdrawn false withdrawn"
	})

	consentsInSegments(t, c, li)
	consentsByLink(t, s, c, li)

	consentsOfEvents(s, c, li)
	consentsByFile(t, c, li)

	// Rights: whoever reads may not write, and nobody but an administrator changes purposes.
	reader := s.as(access.ReadOnly)
	reader.want(200, reader.do("GET", "/customers/"+li+"/consents", ""))
	reader.want(403, reader.do("POST", "/customers/"+li+"/consents", `{"items":[{"purpose":"marketing","channel":"email","state":"given"}]}`))
	reader.want(403, reader.do("POST", "/customers/"+li+"/consents/link", ``))
	manager := s.as(access.Manager)
	manager.want(403, manager.do("POST", "/consents/wordings", `{"purpose":"marketing","text":{"zh-CN":"甲","en":"A"}}`))

	// Quiet beats everything that reaches somebody.
	now := read[rec](c, "GET", "/records/customer/"+li, "", 200)
	c.want(200, c.with("If-Match", fmt.Sprintf(`"%d"`, now.Version)).do("PATCH", "/records/customer/"+li, `{"fields":{"do_not_contact":true}}`))
	c.stands(li, "service", "email", " false do_not_contact")
}

// consentsInSegments: states are traits, on the analytics plane, a moment later.
func consentsInSegments(t *testing.T, c *client, li string) {
	t.Helper()
	count := func(state string) int {
		return read[struct{ Count int }](c, "POST", "/segments/count", `{"where":{"trait":"consent_marketing_email","op":"=","value":"`+state+`"}}`, 200).Count
	}
	eventually(t, "the consent in a segment", func() bool { return count("given") == 1 })
	c.says(li, `{"purpose":"marketing","channel":"email","state":"withdrawn","source":"agent"}`)
	c.stands(li, "marketing", "email", "withdrawn false withdrawn")
	eventually(t, "the withdrawal in a segment", func() bool { return count("given") == 0 && count("withdrawn") == 1 })
	got := read[struct {
		Items []struct {
			Purpose, Channel, State, Trait string
			Count                          int
		}
	}](c, "GET", "/consents/figures", "", 200).Items
	found := false
	for _, f := range got {
		found = found || f.Purpose == "marketing" && f.Channel == "email" && f.State == "withdrawn" && f.Count == 1 && f.Trait == "consent_marketing_email"
	}
	if !found {
		t.Fatalf("figures %+v", got)
	}
}

// consentsByLink: the person says it without signing in; one click ends what a mail was for.
func consentsByLink(t *testing.T, s *site, c *client, li string) {
	t.Helper()
	link := read[struct{ URL string }](c, "POST", "/customers/"+li+"/consents/link", ``, 200).URL
	_, token, _ := strings.Cut(link, "#")
	anyone := s.client()
	seen := anyone.want(200, anyone.do("POST", "/consents/page/look", `{"token":"`+token+`"}`))
	if text := string(seen.body); strings.Contains(text, "li.lei@") || strings.Contains(text, "13812345678") || !strings.Contains(text, "138****5678") || !strings.Contains(text, "我同意接收营销信息") {
		t.Fatalf("the page shows %s", text)
	}
	anyone.want(200, anyone.do("POST", "/consents/page/save", `{"token":"`+token+`","choices":[{"purpose":"marketing","channel":"email","on":true,"wording":1},{"purpose":"personalisation","channel":"any","on":false}]}`))
	c.stands(li, "marketing", "email", "given true given")
	c.stands(li, "personalisation", "any", "withdrawn false withdrawn")
	other := "A" // in the place of the last character but one, all of whose bits count
	if token[len(token)-2] == 'A' {
		other = "B"
	}
	for _, bad := range []string{"", "main.", "main.AAAA", token[:len(token)-2] + other + token[len(token)-1:], "nowhere." + token} {
		anyone.wantCode(404, "consent.link_unknown", anyone.do("POST", "/consents/page/save", `{"token":"`+bad+`","withdraw_all":true}`))
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/api/v1/consents/stop/"+token, strings.NewReader(url.Values{"List-Unsubscribe": {"One-Click"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for range 2 { // clicked twice
		if a := anyone.send(req.Clone(t.Context())); a.status != 200 {
			t.Fatalf("one click: %d %s", a.status, a.body)
		}
	}
	c.stands(li, "marketing", "email", "withdrawn false withdrawn")
	anyone.want(200, anyone.do("POST", "/consents/page/save", `{"token":"`+token+`","withdraw_all":true}`))
	c.stands(li, "marketing", "wechat", "withdrawn false withdrawn")
	c.stands(li, "service", "email", " true unasked")
}

// consentsOfEvents: what a browser said before it was known who it is counts for the customer from then on; a thousand pages are one line.
func consentsOfEvents(s *site, c *client, li string) {
	s.Helper()
	d := s.door(c)
	agree := `"context":{"page":{"url":"https://shop.example/a?b=c"},"consent":{"categoryPreferences":{"Advertising":%v,"analytics":true,"unknown":true}}}`
	for i := range 3 {
		d.send(fmt.Sprintf(`{"type":"page","anonymousId":"b-1","timestamp":"2099-01-0%dT00:00:00Z",`+agree+`}`, i+1, true))
	}
	d.send(`{"type":"identify","anonymousId":"b-1","userId":"u-1"}`)
	eventually(s.T, "the consent of the browser", func() bool { return strings.HasPrefix(c.consents(li).of("analytics", "any"), "given") })
	d.send(fmt.Sprintf(`{"type":"page","anonymousId":"b-1",`+agree+`}`, false))
	eventually(s.T, "the refusal of the browser", func() bool { return c.consents(li).of("marketing", "web") == "withdrawn false withdrawn" })
	d.send(`{"type":"page","anonymousId":"b-1","context":{"consent":{"categoryPreferences":{"analytics":false}}}}`)
	eventually(s.T, "the refusal to be analysed", func() bool { return strings.HasPrefix(c.consents(li).of("analytics", "any"), "withdrawn") })
	// A source that asks for consent keeps nothing of those who say nothing.
	src := read[struct {
		Source   struct{ ID, Consent string }
		WriteKey string `json:"write_key"`
	}](c, "POST", "/event-sources", `{"name":"Asks","type":"server","consent":"drop"}`, 201)
	if src.Source.Consent != "drop" {
		s.Fatalf("the source asks %+v", src)
	}
	asks := &door{site: s, key: src.WriteKey, n: 1000}
	asks.send(`{"type":"identify","userId":"u-silent","traits":{"name":"Silent"}}`, `{"type":"identify","userId":"u-agreed","traits":{"name":"Agreed"},"context":{"consent":{"categoryPreferences":{"analytics":true}}}}`)
	asks.one(c, "external_id", "u-agreed")
	if len(customersBy(c, "external_id", "u-silent")) != 0 {
		s.Fatal("what nobody agreed to made a customer")
	}
	n := 0
	for _, h := range c.consents(li).History {
		if h.Source == "event" && h.Purpose == "analytics" && h.State == "given" {
			if n++; !h.Visitor || h.Page != "https://shop.example/a" {
				s.Fatalf("the line of an event: %+v", h)
			}
		}
	}
	if n != 1 {
		s.Fatalf("%d lines say the same", n)
	}
}

// consentsByFile: many at once, each by itself, once.
func consentsByFile(t *testing.T, c *client, li string) {
	t.Helper()
	body := `{"by":"external_id","try":%v,"items":[{"customer":"u-1","purpose":"marketing","channel":"post","state":"given","at":"2026-05-01T00:00:00Z","once":"f:1"},{"customer":"u-9","purpose":"marketing","channel":"post","state":"given"},
		{"customer":"u-1","purpose":"marketing","channel":"boat","state":"given"}]}`
	type answer struct {
		New, Known int
		Errors     []struct {
			Index int
			Code  string
		}
	}
	for i, want := range []string{"1 0", "1 0", "0 1"} {
		got := read[answer](c, "POST", "/consents/import", fmt.Sprintf(body, i == 0), 200)
		if fmt.Sprint(got.New, got.Known) != want || len(got.Errors) != 2 || got.Errors[0].Code != "consent.unknown_customer" || got.Errors[1].Code != "consent.unknown_channel" {
			t.Fatalf("import %d: %+v", i, got)
		}
		if i == 0 && c.consents(li).of("marketing", "post") == "given true given" {
			t.Fatal("a trial wrote something")
		}
	}
	answers := read[struct {
		Items []struct {
			Allowed bool
			Why     string
		}
	}](c, "POST", "/consents/check", `{"purpose":"marketing","channel":"post","customers":["`+li+`"]}`, 200).Items
	if len(answers) != 1 || answers[0].Allowed != (answers[0].Why == "given") {
		t.Fatalf("asked: %+v", answers)
	}
}
