package app_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

type campaignShown struct {
	ID, Status string
	Version    int64
	Audience   int64
}

type campaignCount struct {
	Gate, State string
	Count       int64
}

type campaignTally struct {
	Audience int64
	States   []campaignCount
	Gates    []campaignCount
	Treated  struct {
		Assigned, Sent, Opened, Clicked, Unsubscribed, Buyers, Revenue int64
		MachineOpened                                                  int64 `json:"machine_opened"`
	}
	Control struct{ Assigned int64 }
	Links   []struct {
		URL    string
		People int64
	}
	Balanced bool
}

func (r *campaignTally) sum() (states, gates, stopped int64) {
	for _, s := range r.States {
		states += s.Count
		if s.State == "stopped" {
			stopped = s.Count
		}
	}
	for _, g := range r.Gates {
		gates += g.Count
	}
	return states, gates, stopped
}

// parts are the bodies of a mail by their types, as a reader of mails that is not ours finds them.
func parts(t *testing.T, data string) (netmail.Header, map[string]string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s: %v", kind, err)
	}
	out := map[string]string{}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return m.Header, out
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		out[kind] = string(raw)
	}
}

var trackedLink = regexp.MustCompile(`https://crm\.example\.com(/api/v1/messages/(?:go|open)/[A-Za-z0-9._-]+)`)

// TestCampaign: a template is written and shown as a customer gets it; a dry run and then the sending go through the gates, whose sums are the audience;
// everybody gets one signed mail; pictures and links tell who looked, one click ends it and looking at the link does not; what was bought counts.
func TestCampaign(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		c := s.as(access.Administrator)
		profile := c.mailServer(server)
		c.want(200, c.do("POST", "/mail/profiles/"+profile+"/key", `{"selector":"g1"}`))
		c.want(200, c.do("PATCH", "/mail/profiles/"+profile, `{"sign":true}`))
		var all []string
		for i := range 40 {
			body := fmt.Sprintf(`{"name":"客户%d","email":"p%d@example.org"}`, i, i)
			switch i {
			case 0:
				body = `{"name":"无址"}`
			case 1:
				body = `{"name":"安静","email":"p1@example.org","do_not_contact":true}`
			}
			who := c.create("customer", body).ID
			all = append(all, who)
			if i != 2 { // one never agreed
				read[consentView](c, "POST", "/customers/"+who+"/consents", `{"items":[{"purpose":"marketing","channel":"email","state":"given","source":"form"}]}`, 200)
			}
		}
		seg := read[struct{ Segment struct{ Key string } }](c, "POST", "/segments/list", `{"label":"名单","field":"id","values":["`+strings.Join(all, `","`)+`"]}`, 200).Segment.Key
		out := read[struct{ Segment struct{ Key string } }](c, "POST", "/segments/list", `{"label":"除外","field":"id","values":["`+all[3]+`"]}`, 200).Segment.Key

		gift := read[struct{ ID string }](c, "POST", "/offers", `{"name":"春季礼","rule":{"kind":"amount","amount":1000,"valid_days":30}}`, 201).ID
		doc := `{"locale":"zh-CN","documents":{"zh-CN":{"subject":"{{ customer.name }}，上新","blocks":[{"kind":"text","text":"**春装** {{ customer.occupation | default: \"您好\" }}"},{"kind":"button","text":"去看看","url":"https://shop.example/new"},{"kind":"coupon","text":"送您 {{ coupon.name }}，您已买 {{ traits.orders | default: 0 }} 次"}],"offer":"` + gift + `"}}}`
		c.wantCode(422, "template.no_offer", c.do("POST", "/templates", strings.Replace(`{"name":"上新","channel":"email","body":`+doc+`}`, gift, "", 1)))
		c.wantCode(422, "template.unknown_field", c.do("POST", "/templates", strings.Replace(`{"name":"上新","channel":"email","body":`+doc+`}`, "traits.orders", "traits.churn_risk", 1)))
		c.wantCode(422, "template.unknown_field", c.do("POST", "/templates", strings.Replace(`{"name":"上新","channel":"email","body":`+doc+`}`, "customer.occupation", "customer.nothing", 1)))
		c.wantCode(422, "template.unknown_field", c.do("POST", "/templates", strings.Replace(`{"name":"上新","channel":"email","body":`+doc+`}`, "customer.occupation", "customer.phone", 1)))
		tpl := read[struct{ ID string }](c, "POST", "/templates", `{"name":"上新","channel":"email","body":`+doc+`}`, 201).ID
		shown := read[struct{ Subject, HTML, Text string }](c, "POST", "/templates/preview", `{"channel":"email","locale":"zh-CN","customer":"`+all[5]+`","body":`+doc+`}`, 200)
		if shown.Subject != "客户5，上新" || !strings.Contains(shown.HTML, "<b>春装</b>") || !strings.Contains(shown.Text, "去看看: https://shop.example/new") {
			t.Errorf("%+v", shown)
		}

		plan := fmt.Sprintf(`{"segments":[%q],"except":[%q],"purpose":"marketing","variants":[{"key":"a","template":%q,"weight":1},{"key":"b","template":%q,"weight":1}],"holdout":30,"start":null,"local":false,"per_minute":0,"drop_quiet":false,"wait_cap":false,"days":14,"cost":10,"fixed":0,"margin":40,"profile":"","utm_source":"guanxi","utm_medium":"email","utm_campaign":"spring"}`, seg, out, tpl, tpl)
		v := read[campaignShown](c, "POST", "/campaigns", `{"name":"春季上新","channel":"email","plan":`+plan+`}`, 201)
		trial := read[struct {
			Audience, Reached int64
			Gates             []campaignCount
			Samples           []struct{ Title string }
		}](c, "POST", "/campaigns/"+v.ID+"/try", "", 200)
		gates := map[string]int64{}
		sum := trial.Reached
		for _, g := range trial.Gates {
			gates[g.Gate] = g.Count
			sum += g.Count
		}
		c.wantCode(422, "campaign.offer_not_active", c.do("POST", "/campaigns/"+v.ID+"/start", fmt.Sprintf(`{"version":%d}`, v.Version)))
		c.want(200, c.do("PATCH", "/offers/"+gift, `{"name":"春季礼","status":"active","version":1,"rule":{"kind":"amount","amount":1000,"valid_days":30}}`))
		if trial.Audience != 39 || sum != 39 || gates["no_address"] != 1 || gates["suppressed"] != 1 || gates["consent"] != 1 || gates["holdout"] == 0 || len(trial.Samples) == 0 {
			t.Fatalf("%+v", trial)
		}
		if len(server.Messages()) != 0 {
			t.Fatal("a dry run sends")
		}
		member := s.as(access.Member)
		member.want(403, member.do("POST", "/campaigns/"+v.ID+"/start", `{"version":1}`))
		c.wantCode(412, "campaign.stale", c.do("POST", "/campaigns/"+v.ID+"/start", `{"version":9}`))
		c.want(200, c.do("POST", "/campaigns/"+v.ID+"/start", fmt.Sprintf(`{"version":%d}`, v.Version)))
		mails := server.Wait(t, int(trial.Reached))
		for deadline := time.Now().Add(30 * time.Second); ; {
			if v = read[campaignShown](c, "GET", "/campaigns/"+v.ID, "", 200); v.Status == "sent" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v", v)
			}
			time.Sleep(100 * time.Millisecond)
		}
		seen := map[string]bool{}
		for _, m := range mails {
			if seen[m.To] {
				t.Errorf("%s has two", m.To)
			}
			seen[m.To] = true
		}
		result := read[campaignTally](c, "GET", "/campaigns/"+v.ID+"/result", "", 200)
		if states, stops, stopped := result.sum(); states != 39 || result.Audience != 39 || stops != stopped || result.Treated.Sent != trial.Reached || result.Treated.Assigned+result.Control.Assigned != 36 || !result.Balanced {
			t.Errorf("%+v", result)
		}
		couponsOf(t, c, gift, mails)
		followMail(t, s, c, mails[0], v.ID)
		buyAfter(t, c, v.ID, mails, trial.Reached)
		comeBack(t, s, c, profile, v.ID, mails)
	})
}

var sentCode = regexp.MustCompile(`送您 春季礼，您已买 0 次: ([0-9A-Z]{12}) 有效期至 20\d\d-\d\d-\d\d`)

// couponsOf: everybody has a code of his own, and there are no others.
func couponsOf(t *testing.T, c *client, offer string, mails []mailtest.Message) {
	t.Helper()
	issued := map[string]string{}
	for _, v := range read[struct {
		Items []struct {
			Code     string
			Customer struct{ Title string }
		}
	}](c, "GET", "/offers/"+offer+"/codes?limit=200", "", 200).Items {
		issued[v.Code] = v.Customer.Title
	}
	for _, m := range mails {
		_, body := parts(t, m.Data)
		found := sentCode.FindStringSubmatch(body["text/plain"])
		if found == nil || !strings.Contains(body["text/html"], found[1]) || !strings.Contains(m.To, "p"+strings.TrimPrefix(issued[found[1]], "客户")+"@") {
			t.Fatalf("%s: %v, issued %v\n%s", m.To, found, issued, body["text/plain"])
		}
		delete(issued, found[1])
	}
	if len(issued) != 0 {
		t.Errorf("%d codes that nobody was told", len(issued))
	}
}

// followMail reads one mail as others do, and does with it what its reader does.
func followMail(t *testing.T, s *site, c *client, m mailtest.Message, campaign string) {
	t.Helper()
	h, body := parts(t, m.Data)
	dns := read[struct {
		Items []struct {
			DNS string `json:"dns_value"`
		}
	}](c, "GET", "/mail/profiles", "", 200).Items[0].DNS
	found, err := dkim.VerifyWithOptions(bytes.NewReader([]byte(m.Data)), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) { return []string{dns}, nil }})
	if err != nil || len(found) != 1 || found[0].Err != nil {
		t.Fatalf("%+v, %v", found, err)
	}
	signed := strings.ToLower(strings.Join(found[0].HeaderKeys, " "))
	if !strings.Contains(signed, "list-unsubscribe-post") || !strings.Contains(strings.ReplaceAll(signed, "list-unsubscribe-post", ""), "list-unsubscribe") {
		t.Errorf("signed: %s", signed)
	}
	stop := strings.Trim(h.Get("List-Unsubscribe"), "<>")
	if h.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.HasPrefix(stop, "https://crm.example.com/api/v1/consents/stop/") {
		t.Fatalf("%v", h)
	}
	if !strings.Contains(body["text/plain"], "春装 您好") || !strings.Contains(body["text/html"], "<b>春装</b> 您好") {
		t.Errorf("%s", body["text/plain"])
	}
	path := func(address string) string { return strings.TrimPrefix(address, "https://crm.example.com") }
	ask := func(method, at, agent, content string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+at, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", agent)
		if content != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	time.Sleep(3100 * time.Millisecond) // what comes earlier is a program's
	for _, link := range trackedLink.FindAllStringSubmatch(body["text/html"], -1) {
		res := ask("GET", link[1], "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15", "")
		if strings.Contains(link[1], "/go/") && (res.StatusCode != 302 || !strings.HasPrefix(res.Header.Get("Location"), "https://shop.example/new?utm_campaign=spring")) {
			t.Errorf("%d %s", res.StatusCode, res.Header.Get("Location"))
		}
		if res := ask("GET", link[1][:len(link[1])-2], "Mozilla/5.0 (X11)", ""); strings.Contains(link[1], "/go/") && res.StatusCode != 404 {
			t.Errorf("a changed link leads to %d", res.StatusCode)
		}
	}
	ask("GET", path(stop), "Mozilla/5.0 (X11)", "")
	result := read[campaignTally](c, "GET", "/campaigns/"+campaign+"/result", "", 200)
	if result.Treated.Unsubscribed != 0 {
		t.Error("looking at the link ends it")
	}
	if res := ask("POST", path(stop), "Mozilla/5.0", "List-Unsubscribe=One-Click"); res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
}

// buyAfter: what the treated buy in the window is counted, with those who looked and who left.
func buyAfter(t *testing.T, c *client, campaign string, mails []mailtest.Message, reached int64) {
	t.Helper()
	people := read[struct {
		Items []struct{ Customer struct{ ID string } }
	}](c, "GET", "/campaigns/"+campaign+"/people?state=accepted", "", 200).Items
	if int64(len(people)) != reached {
		t.Fatalf("%d people of %d", len(people), len(mails))
	}
	now := time.Now().UTC().Add(time.Second).Format(time.RFC3339)
	for i, p := range people[:3] {
		c.create("order", fmt.Sprintf(`{"number":"C%d","customer":%q,"status":"confirmed","placed_at":%q,"net_amount":{"amount":"100.00","currency":"CNY"}}`, i, p.Customer.ID, now))
	}
	var r campaignTally
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(time.Second) {
		if r = read[campaignTally](c, "GET", "/campaigns/"+campaign+"/result", "", 200); r.Treated.Buyers == 3 && r.Treated.Unsubscribed == 1 {
			break
		}
	}
	if r.Treated.Buyers != 3 || r.Treated.Unsubscribed != 1 || r.Treated.Opened != 1 || r.Treated.Clicked != 1 || len(r.Links) != 1 || r.Links[0].People != 1 {
		t.Errorf("%+v", r)
	}
}

// comeBack: servers tell later that mails did not arrive, or were called abuse: what never will arrive stops the address, what may arrive later does not.
func comeBack(t *testing.T, s *site, c *client, profile, campaign string, mails []mailtest.Message) {
	t.Helper()
	var path string
	for _, p := range read[struct {
		Items []struct{ ID, Returns string }
	}](c, "GET", "/mail/profiles", "", 200).Items {
		if p.ID == profile {
			path = p.Returns
		}
	}
	tell := func(path, kind, status string, m mailtest.Message) int {
		t.Helper()
		h, _ := parts(t, m.Data)
		raw := fmt.Sprintf("From: mx@example.net\r\nContent-Type: multipart/report; report-type=%s; boundary=b\r\n\r\n--b\r\nContent-Type: message/%s\r\n\r\n%s\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: %s\r\n\r\nx\r\n--b--\r\n",
			kind, kind, status, h.Get("Message-ID"))
		res, err := http.Post(s.server.URL+path, "message/rfc822", strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	failed := func(status string) string {
		return "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x@example.org\r\nAction: failed\r\nStatus: " + status
	}
	if tell(path[:len(path)-3], "delivery-status", failed("5.1.1"), mails[1]) != 404 {
		t.Error("an address that is nobody's takes mails")
	}
	for _, got := range []int{tell(path, "delivery-status", failed("5.1.1"), mails[1]), tell(path, "delivery-status", failed("5.1.1"), mails[1]), tell(path, "delivery-status", failed("4.2.2"), mails[2]),
		tell(path, "feedback-report", "Feedback-Type: abuse\r\nVersion: 1", mails[3])} {
		if got != 204 {
			t.Errorf("status %d", got)
		}
	}
	stopped := read[struct {
		Items []struct{ To, Reason, Reply string }
	}](c, "GET", "/mail/addresses", "", 200).Items
	why := map[string]string{}
	for _, x := range stopped {
		why[x.Reason] = x.Reply
	}
	if len(stopped) != 2 || why["bounced"] != "5.1.1" || why["complained"] != "abuse" {
		t.Errorf("%+v", stopped)
	}
	trial := read[struct{ Gates []campaignCount }](c, "POST", "/campaigns/"+campaign+"/try", "", 200)
	for _, g := range trial.Gates {
		if g.Gate == "bounced" && g.Count != 2 {
			t.Errorf("%+v", trial)
		}
	}
	if people := read[struct{ Items []struct{ Reason string } }](c, "GET", "/campaigns/"+campaign+"/people?state=bounced", "", 200).Items; len(people) != 1 || people[0].Reason != "5.1.1" {
		t.Errorf("%+v", people)
	}
}
