package app_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

var (
	formToken = regexp.MustCompile(`name="token" value="([A-Za-z0-9_-]+)"`)
	giftCode  = regexp.MustCompile(`[A-Z0-9]{4,}-[A-Z0-9-]{4,}|[A-Z0-9]{8,}`)
)

type formShown struct {
	ID, Status, Address string
	Version             int64
	Sums                struct{ Shown, Sent, Made, Waiting, Confirmed, Gifts int }
	Codes               map[string]struct{ Shown, Sent int }
}

type formSent struct {
	Items []struct {
		ID, Customer, State, Gift, Code, Source string
		Made                                    bool
		Filled, Left                            []string
		Agreements                              []struct{ Purpose, Channel, What string }
	}
}

type originShown struct {
	Origin, Name, Source, Campaign string
	Customers, Bought, Cost        int
}

// public is somebody before a form, with no account and no script.
type public struct {
	*testing.T
	s       *site
	address string
}

func (p *public) ask(method, path, language string, form url.Values) (*http.Response, string) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, p.s.server.URL+p.address+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Accept-Language", language)
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		p.Fatal(err)
	}
	return res, b.String()
}

func (p *public) token(query string) string {
	p.Helper()
	res, page := p.ask(http.MethodGet, query, "zh-CN", nil)
	m := formToken.FindStringSubmatch(page)
	if res.StatusCode != http.StatusOK || m == nil {
		p.Fatalf("%d: %.400s", res.StatusCode, page)
	}
	return m[1]
}

func (p *public) send(status int, pairs ...string) (*http.Response, string) {
	p.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	res, page := p.ask(http.MethodPost, "", "zh-CN", v)
	if res.StatusCode != status {
		p.Fatalf("%d, want %d: %.1500s", res.StatusCode, status, page)
	}
	return res, page
}

// TestForms: a form makes customers and writes over nobody; consent by mail waits for its link, and the gift for that; who reads what was sent sees the customers.
func TestForms(t *testing.T) {
	t.Parallel()
	postedWith(t, app.Options{Background: true}, func(t *testing.T, s *site, server *mailtest.Server) {
		o := &office{site: s, admin: s.as(access.Administrator), roles: map[string]string{}, users: map[string]string{}, units: map[string]string{}}
		c := o.admin
		c.mailServer(server)
		shop := read[rec](c, "POST", "/records/store", `{"fields":{"name":"静安店"}}`, 201).ID
		gift := read[rec](c, "POST", "/offers", `{"name":"见面礼","rule":{"kind":"percent","percent":10}}`, 201).ID
		known := c.create("customer", `{"name":"王芳","phone":"13764023851"}`).ID
		said := `{"items":[{"purpose":"marketing","channel":"sms","state":"withdrawn","source":"agent"}]}`
		read[consentView](c, "POST", "/customers/"+known+"/consents", said, 200)

		plan := fmt.Sprintf(`{"locale":"zh-CN","words":{"zh-CN":{"title":"加入会员","text":"","button":"","thanks":"欢迎"},"en":{"title":"Join us","text":"","button":"","thanks":""}},
			"fields":[{"key":"name","required":true,"label":{"zh-CN":"怎么称呼您"}},{"key":"phone","required":true,"label":{}},{"key":"email","required":false,"label":{}},{"key":"gender","required":false,"label":{}},{"key":"birthday","required":false,"label":{}},{"key":"style_preferences","required":false,"label":{}}],
			"consents":[{"purpose":"marketing","channels":["email","sms"],"required":false}],"thanks_url":"","privacy":"https://shop.example/privacy","contacts":false,"offer":%q,"origins":["https://shop.example"],
			"codes":[{"key":"poster","name":"静安店海报","store":%q,"source":"store","medium":"qr","campaign":"spring"}]}`, gift, shop)
		post := func(plan string) answer { return c.do("POST", "/forms", `{"name":"会员表单","plan":`+plan+`}`) }
		c.wantCode(422, "form.bad_offer", first(post(plan)))
		c.want(200, c.do("PATCH", "/offers/"+gift, `{"name":"见面礼","status":"active","version":1,"rule":{"kind":"percent","percent":10}}`))
		for code, bad := range map[string][2]string{"form.nobody": {`"phone","required":true`, `"phone","required":false`}, "form.bad_field": {`"gender"`, `"do_not_contact"`}, "form.bad_origin": {`"https://shop.example"]`, `"https://shop.example/x"]`},
			"form.bad_url": {`https://shop.example/privacy`, `javascript:alert(1)`}, "form.bad_consent": {`"email","sms"`, `"fax"`}, "form.gift_needs_mail": {`"email","sms"`, `"sms"`}} {
			c.wantCode(422, code, first(post(strings.Replace(plan, bad[0], bad[1], 1))))
		}
		member := s.as(access.Member)
		member.want(403, member.do("POST", "/forms", `{"name":"x","plan":`+plan+`}`))
		f := read[formShown](c, "POST", "/forms", `{"name":"会员表单","plan":`+plan+`}`, 201)
		status := func(to string, version int64) answer {
			return c.do("PATCH", "/forms/"+f.ID, fmt.Sprintf(`{"name":"会员表单","status":%q,"version":%d,"plan":%s}`, to, version, plan))
		}
		who := &public{t, s, strings.TrimPrefix(f.Address, "https://crm.example.com")}
		if res, _ := who.ask(http.MethodGet, "", "zh-CN", nil); res.StatusCode != 404 {
			t.Errorf("a draft answers %d", res.StatusCode)
		}
		c.wantCode(422, "form.no_wording", first(status("active", 1)))
		c.want(201, c.do("POST", "/consents/wordings", `{"purpose":"marketing","text":{"zh-CN":"我同意接收<营销>信息","en":"I agree to marketing"},"valid_from":"2026-01-01T00:00:00Z"}`))
		c.want(200, status("active", 1))

		j := read[journeyShown](c, "POST", "/journeys", `{"name":"欢迎","definition":{"trigger":{"kind":"event","event":"form_submitted","match":[{"property":"campaign","op":"=","value":"spring"}]},"reentry":{"kind":"once"},"holdout":0,"goal":{"kind":"purchase","days":30},"exit":{},"start":"g","steps":[{"key":"g","kind":"tag","add":["新会员"],"next":"end"},{"key":"end","kind":"exit"}]}}`, 201)
		read[journeyShown](c, "POST", "/journeys/"+j.ID+"/publish", `{"version":1,"flight":"finish"}`, 200)

		res, page := who.ask(http.MethodGet, "?c=poster", "zh-CN,zh;q=0.9", nil)
		policy := res.Header.Get("Content-Security-Policy")
		for _, want := range []string{"加入会员", "怎么称呼您", "我同意接收&lt;营销&gt;信息", `type="tel"`, `type="date"`, `autocomplete="tel"`, "https://shop.example/privacy"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page has no %s", want)
			}
		}
		if strings.Contains(page, "<script") || strings.Contains(policy, "script") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors https://shop.example") || res.Header.Get("X-Frame-Options") != "" {
			t.Errorf("policy %s", policy)
		}
		if _, page := who.ask(http.MethodGet, "", "en-GB", nil); !strings.Contains(page, "Join us") || !strings.Contains(page, "I agree to marketing") || !strings.Contains(page, ">Phone") {
			t.Errorf("in English: %.600s", page)
		}
		if _, page := who.send(422, "token", who.token(""), "f_name", "<快手>", "f_phone", "123"); !strings.Contains(page, "太快") || !strings.Contains(page, "&lt;快手&gt;") {
			t.Errorf("in no time: %.600s", page)
		}
		tokens := make([]string, 7)
		for i := range tokens {
			tokens[i] = who.token("?c=poster&utm_source=other")
		}
		time.Sleep(2100 * time.Millisecond) // a person takes longer

		if _, page := who.send(422, "token", tokens[0], "f_name", "李雷", "f_phone", "12", "f_email", "no", "f_birthday", "1990-13-40"); strings.Count(page, `aria-invalid="true"`) != 3 {
			t.Errorf("what needs a change: %s", page)
		}
		lei := []string{"token", tokens[0], "f_name", "李雷", "f_phone", "139 1762 4085", "f_email", "Lei@Example.org", "f_gender", "male", "f_birthday", "1990-05-02", "f_style_preferences", "casual", "f_style_preferences", "sport", "c_marketing", "1", "c", "poster"}
		for range 2 { // pressed twice
			if res, _ := who.send(303, lei...); !strings.HasSuffix(res.Header.Get("Location"), "/thanks?lang=zh-CN&mail=1") {
				t.Errorf("on to %s", res.Header.Get("Location"))
			}
		}
		list := func() formSent {
			t.Helper()
			return read[formSent](c, "GET", "/forms/"+f.ID+"/submissions", "", 200)
		}
		got := list()
		if len(got.Items) != 1 || !got.Items[0].Made || got.Items[0].State != "waiting" || got.Items[0].Source != "store" {
			t.Fatalf("%+v", got)
		}
		made := got.Items[0].Customer
		v := read[rec](c, "GET", "/records/customer/"+made, "", 200)
		if at, _ := v.Fields["store"].(map[string]any); v.Title != "李雷" || v.Fields["source"] != "form" || v.Fields["gender"] != "male" || len(v.Fields["style_preferences"].([]any)) != 2 || at["id"] != shop {
			t.Errorf("%+v", v)
		}
		c.stands(made, "marketing", "email", "pending false pending")
		c.stands(made, "marketing", "sms", "given true given")
		if h := c.consents(made).History[0]; !strings.HasSuffix(h.Page, who.address) || h.Source != "form" || h.Wording == nil {
			t.Errorf("the proof: %+v", h)
		}

		// Somebody who is known: nothing is written over, a no stays a no, and nobody is told.
		if res, _ := who.send(303, "token", tokens[1], "f_name", "冒充", "f_phone", "+8613764023851", "f_email", "stranger@example.org", "f_gender", "female", "c_marketing", "1"); !strings.HasSuffix(res.Header.Get("Location"), "/thanks?lang=zh-CN&mail=1") {
			t.Errorf("on to %s", res.Header.Get("Location"))
		}
		if x := list().Items[0]; x.Customer != known || x.Made || fmt.Sprint(x.Filled, x.Left) != "[gender] [email name]" {
			t.Errorf("%+v", x)
		}
		if v := read[rec](c, "GET", "/records/customer/"+known, "", 200); v.Title != "王芳" || v.Fields["email"] != nil || v.Fields["gender"] != "female" {
			t.Errorf("%+v", v)
		}
		c.stands(known, "marketing", "sms", "withdrawn false withdrawn")
		who.send(303, "token", tokens[2], "f_name", "机器", "f_phone", "13701826394", "more_2", "http://spam.example")
		who.send(422, "token", "forged", "f_name", "x", "f_phone", "13701826394")
		// Sent again at once: one customer, and no second mail.
		who.send(303, "token", tokens[3], "f_name", "李雷", "f_phone", "13917624085", "f_email", "lei@example.org", "c_marketing", "1")
		if x := list().Items[0]; x.Customer != made || x.Agreements[0].What != "not_asked" || x.Agreements[1].What != "stands" {
			t.Errorf("%+v", x)
		}

		// Whoever leaves the address out agrees to no mail.
		if res, _ := who.send(303, "token", tokens[5], "f_name", "韩梅", "f_phone", "13701826394", "f_email", " ", "c_marketing", "1"); strings.Contains(res.Header.Get("Location"), "mail=1") {
			t.Errorf("on to %s", res.Header.Get("Location"))
		}
		if x := list().Items[0]; len(x.Agreements) != 1 || x.Agreements[0].Channel != "sms" || x.State != "taken" {
			t.Errorf("%+v", x)
		}

		_, text := plainOf(t, server.Wait(t, 1)[0])
		token := confirmLink.FindStringSubmatch(text)
		if token == nil {
			t.Fatalf("no link in %s", text)
		}
		anyone := s.client()
		for range 2 {
			anyone.want(200, anyone.do("POST", "/consents/page/confirm", `{"token":"`+token[1]+`"}`))
		}
		c.stands(made, "marketing", "email", "given true given")
		subject, text := plainOf(t, server.Wait(t, 2)[1])
		if !strings.Contains(subject, "锦书") || giftCode.FindString(text) == "" {
			t.Errorf("%s: %s", subject, text)
		}
		// Confirmed already: once is once.
		who.send(303, "token", tokens[4], "f_name", "李雷", "f_phone", "13917624085", "f_email", "lei@example.org", "c_marketing", "1")
		sums := read[formShown](c, "GET", "/forms/"+f.ID, "", 200)
		if x := sums.Sums; fmt.Sprint(x.Sent, x.Made, x.Waiting, x.Confirmed, x.Gifts) != "5 2 0 2 1" || sums.Codes["poster"].Sent != 1 || sums.Codes["poster"].Shown != 8 || x.Shown != 10 {
			t.Errorf("%+v", sums)
		}
		if codes := read[struct{ Items []struct{ Code string } }](c, "GET", "/offers/"+gift+"/codes", "", 200); len(codes.Items) != 1 {
			t.Errorf("%+v", codes)
		}
		if x := read[formSent](c, "GET", "/forms/"+f.ID+"/submissions?state=gift", "", 200); len(x.Items) != 1 || x.Items[0].Gift != "given" {
			t.Errorf("%+v", x)
		}

		o.role("own", `{"name":"own","rights":["campaign.read"],"objects":{"*":{"actions":{"read":{"scope":"all"}}},"customer":`+grants("own")+`}}`)
		own := o.person("own", o.roles["own"])
		if x := read[formSent](own, "GET", "/forms/"+f.ID+"/submissions", "", 200); len(x.Items) != 0 {
			t.Errorf("who sees no customer sees %+v", x)
		}
		if a := c.want(200, c.do("GET", "/forms/"+f.ID+"/code?code=poster&format=png", "")); a.header.Get("Content-Type") != "image/png" {
			t.Errorf("%v", a.header)
		} else if _, err := png.Decode(bytes.NewReader(a.body)); err != nil {
			t.Error(err)
		}
		if a := c.want(200, c.do("GET", "/forms/"+f.ID+"/code?code=poster", "")); !bytes.HasPrefix(a.body, []byte("<svg ")) {
			t.Errorf("%.100s", a.body)
		}
		c.wantCode(404, "form.no_code", c.do("GET", "/forms/"+f.ID+"/code?code=none", ""))

		eventually(t, "the journey of the event", func() bool {
			return fmt.Sprint(read[rec](c, "GET", "/records/customer/"+made, "", 200).Fields["tags"]) == "[新会员]"
		})
		month := time.Now().In(time.FixedZone("CST", 8*3600)).Format("2006-01")
		spend := func(origin, source, campaign string, amount int) answer {
			return c.do("POST", "/acquisition/costs", fmt.Sprintf(`{"month":%q,"origin":%q,"source":%q,"campaign":%q,"amount":%d}`, month, origin, source, campaign, amount))
		}
		c.want(204, spend(f.ID, "store", "spring", 999))
		c.want(204, spend(f.ID, "store", "spring", 5000)) // over the one before
		c.want(204, spend("store", "", "", 700))
		c.want(204, spend("wechat", "", "", 1))
		c.want(204, spend("wechat", "", "", 0))
		c.wantCode(422, "form.bad_source", spend("moon", "", "", 1))
		c.wantCode(422, "form.bad_months", c.do("GET", "/acquisition?from=2026-05&to=2026-01", ""))
		c.create("order", `{"customer":"`+made+`","status":"completed","net_amount":{"amount":"10.00","currency":"CNY"}}`)
		report := func(who *client) (out string) {
			t.Helper()
			v := read[struct{ Sources, Forms []originShown }](who, "GET", "/acquisition?from="+month+"&to="+month, "", 200)
			for _, x := range append(v.Sources, v.Forms...) {
				if x.Origin == f.ID {
					x.Origin = x.Name
				}
				out += fmt.Sprintf("%s/%s/%s %d %d %d; ", x.Origin, x.Source, x.Campaign, x.Customers, x.Bought, x.Cost)
			}
			return out
		}
		within(t, 60*time.Second, "the report", func() bool {
			said := report(c)
			return said == "form// 2 1 5000; // 1 0 0; store// 0 0 700; 会员表单// 1 0 0; 会员表单/store/spring 1 1 5000; "
		})
		if got := report(own); strings.Contains(got, " 1 ") {
			t.Errorf("who sees no customer is told %s", got)
		}
		if x := read[formSent](c, "GET", "/forms/"+f.ID+"/submissions?state=made&traced=true&source=store&campaign=spring&from="+month+"&to="+month, "", 200); len(x.Items) != 1 || x.Items[0].Customer != made {
			t.Errorf("%+v", x)
		}
		// The source of the form's events proves no browser's owner: where no other source could, a refusal counts at once as it did before.
		web, mei := s.page(c, 6000), c.create("customer", `{"name":"韩梅","external_id":"u-mei"}`).ID
		c.want(200, c.do("POST", "/customers/"+mei+"/consents", `{"items":[{"purpose":"marketing","channel":"web","state":"given","at":"`+ago(70)+`"}]}`))
		web.send(`{"type":"identify","userId":"u-mei","anonymousId":"br-mei","timestamp":"` + ago(9) + `","context":{"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36","consent":{"categoryPreferences":{"Advertising":false}}}}`)
		eventually(t, "the refusal", func() bool { return c.consents(mei).of("marketing", "web") == "withdrawn false withdrawn" })
		c.want(200, status("ended", 2))
		if res, _ := who.ask(http.MethodGet, "", "en", nil); res.StatusCode != 404 {
			t.Errorf("after its end %d", res.StatusCode)
		}
	})
}
