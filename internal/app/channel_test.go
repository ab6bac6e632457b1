package app_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/sms/smstest"
)

type channelShown struct {
	ID, Inbox string
	Version   int64
	HasSecret bool   `json:"has_secret"`
	LastError string `json:"last_error"`
}

type textTally struct {
	campaignTally
	Cost    int64
	Reasons []struct {
		State, Code string
		Count       int64
	}
	Treated struct{ Assigned, Sent, Bounced, Delivered, Unsubscribed int64 }
}

// texted runs a test with a company that delivers text messages on SQLite and, where there is one, on PostgreSQL.
func texted(t *testing.T, fn func(*testing.T, *site, *smstest.Server)) {
	t.Helper()
	flags := map[string]string{"channel-networks": "127.0.0.0/8", "public-url": "https://crm.example.com"}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, prepare(t, open(t, app.Options{Config: settings(t, flags)})), smstest.Start(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, postgresSiteWith(t, app.Options{}, flags), smstest.Start(t))
	})
}

// TestTextMessages: an account whose secret nobody reads again; a campaign goes from a segment through the gates to the company, once for everybody; what is
// refused, dead and unknown is told apart, and what is unknown is never sent again; receipts and answers come back, an answer withdraws consent at once.
func TestTextMessages(t *testing.T) {
	t.Parallel()
	texted(t, func(t *testing.T, s *site, server *smstest.Server) {
		c := s.as(access.Administrator)
		account := fmt.Sprintf(`{"channel":"sms","provider":"aliyun","name":"阿里云","endpoint":%q,"key":%q,"secret":%q,"sign":"【关系】","price":45000}`, server.URL, server.Key, server.Secret)
		c.wantCode(422, "channel.url_private", c.do("POST", "/channels", strings.Replace(account, server.URL, "https://10.1.2.3/", 1)))
		c.wantCode(422, "channel.bad_secret", c.do("POST", "/channels", strings.Replace(account, server.Secret, "", 1)))
		made := read[channelShown](c, "POST", "/channels", account, 201)
		if list := c.do("GET", "/channels", ""); strings.Contains(string(list.body), server.Secret) || !made.HasSecret {
			t.Error("the secret is shown again")
		}
		c.wantCode(422, "channel.secret_again", c.do("PATCH", "/channels/"+made.ID, `{"endpoint":"https://sms.example.com"}`))
		member := s.as(access.Member)
		member.want(403, member.do("GET", "/channels", ""))
		if got := read[struct{ Outcome string }](c, "POST", "/channels/"+made.ID+"/test", `{"to":"13800009999","code":"SMS_9"}`, 200); got.Outcome != "taken" {
			t.Fatalf("%+v %v", got, server.Refused())
		}

		var all []string
		for i := range 12 {
			body := fmt.Sprintf(`{"name":"客户%d","phone":"1380000%04d"}`, i, i)
			if i == 0 {
				body = `{"name":"无号"}`
			}
			who := c.create("customer", body).ID
			all = append(all, who)
			if i != 1 { // one never agreed
				read[consentView](c, "POST", "/customers/"+who+"/consents", `{"items":[{"purpose":"marketing","channel":"sms","state":"given","source":"form"}]}`, 200)
			}
		}
		server.Answer("13800000003", "isv.MOBILE_NUMBER_ILLEGAL")
		server.Answer("13800000004", "isv.BUSINESS_LIMIT_CONTROL")
		server.Answer("13800000005", "500") // it was taken, and the answer is broken
		version := read[struct{ Version int64 }](c, "GET", "/contact-rules", "", 200)
		c.want(200, c.do("PATCH", "/contact-rules", fmt.Sprintf(`{"version":%d,"holdout":0,"cycle":"1","caps":[{"channel":"sms","days":1,"most":1}],"windows":[{"channel":"sms","from":0,"to":1440}],"four_eyes":false}`, version.Version)))
		seg := read[struct{ Segment struct{ Key string } }](c, "POST", "/segments/list", `{"label":"名单","field":"id","values":["`+strings.Join(all, `","`)+`"]}`, 200).Segment.Key

		doc := `{"locale":"zh-CN","documents":{"zh-CN":{"text":"{{ customer.name }}，春装上新，到店享九折","params":[{"key":"name","value":"{{ customer.name }}"}]}}}`
		shown := read[struct {
			Text   string
			Signed bool
			Price  int64
			Length struct{ Units, Parts int }
			Params []struct{ Key, Value string }
		}](c, "POST", "/templates/preview", `{"channel":"sms","locale":"zh-CN","customer":"`+all[6]+`","body":`+doc+`}`, 200)
		if shown.Text != "【关系】客户6，春装上新，到店享九折 拒收请回复R" || !shown.Signed || shown.Price != 45000 || shown.Length.Parts != 1 || shown.Length.Units != len([]rune(shown.Text)) || shown.Params[0].Value != "客户6" {
			t.Errorf("%+v", shown)
		}
		tpl := read[struct{ ID string }](c, "POST", "/templates", `{"name":"上新","channel":"sms","body":`+doc+`}`, 201).ID
		plan := fmt.Sprintf(`{"segments":[%q],"except":[],"purpose":"marketing","variants":[{"key":"a","template":%q,"weight":1}],"holdout":0,"start":null,"local":false,"per_minute":0,"drop_quiet":false,"wait_cap":false,"days":14,"cost":0,"fixed":100,"margin":40,"profile":"","utm_source":"","utm_medium":"","utm_campaign":""}`, seg, tpl)
		v := read[campaignShown](c, "POST", "/campaigns", `{"name":"春季短信","channel":"sms","plan":`+plan+`}`, 201)
		start := func() {
			c.want(200, c.do("POST", "/campaigns/"+v.ID+"/start", fmt.Sprintf(`{"version":%d}`, v.Version)))
		}
		c.wantCode(422, "campaign.no_code", c.do("POST", "/campaigns/"+v.ID+"/start", fmt.Sprintf(`{"version":%d}`, v.Version)))
		c.want(200, c.do("PATCH", "/templates/"+tpl, `{"version":1,"body":`+strings.Replace(doc, `"params"`, `"code":"SMS_100","params"`, 1)+`}`))
		start()
		until := func(status string) {
			t.Helper()
			eventually(t, "a campaign that is "+status, func() bool {
				v = read[campaignShown](c, "GET", "/campaigns/"+v.ID, "", 200)
				return v.Status == status
			})
		}
		until("sent")
		seen := map[string]int{}
		for _, m := range server.Messages() {
			seen[m.To]++
			if m.To != "13800009999" && (m.Sign != "关系" || m.Template != "SMS_100" || !strings.Contains(m.Params, "客户")) {
				t.Errorf("%+v", m)
			}
		}
		for to, n := range seen {
			if n != 1 {
				t.Errorf("%s has %d", to, n)
			}
		}
		tally := func() textTally { return read[textTally](c, "GET", "/campaigns/"+v.ID+"/result", "", 200) }
		r := tally()
		states := map[string]int64{}
		for _, x := range r.States {
			states[x.State] = x.Count
		}
		if sum, gates, stopped := r.sum(); sum != 12 || gates != stopped || stopped != 2 || states["accepted"] != 7 || states["bounced"] != 1 || states["failed"] != 1 || states["unknown"] != 1 || len(r.Reasons) != 3 || r.Cost != 100+9*45 {
			t.Fatalf("%+v, %v", r, states)
		}
		tellAll(t, s, c, server, made, all[7])
		eventually(t, "what the provider told", func() bool {
			r = tally()
			return r.Treated.Delivered == 7 && r.Treated.Unsubscribed == 1 && r.Treated.Bounced == 2
		})
		pauseRefused(t, c, server, made, plan, until, &v)
		tasksAndCalls(t, c, server, seg, until, &v)
		textOfJourney(t, c, server, tpl, all[8])
	})
}

// tellAll is what the company says about everything that it took, and what one person answers.
func tellAll(t *testing.T, s *site, c *client, server *smstest.Server, made channelShown, leaver string) {
	t.Helper()
	tell := func(path, body string) (int, string) {
		t.Helper()
		res, err := http.Post(s.server.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(raw)
	}
	var list []string
	for _, m := range server.Messages() {
		ok, code := true, "DELIVERED"
		if m.To == "13800000006" {
			ok, code = false, "MK:0001"
		}
		list = append(list, fmt.Sprintf(`{"phone_number":%q,"success":%v,"report_time":"2026-11-23 10:00:00","err_code":%q,"biz_id":%q,"out_id":%q}`, m.To, ok, code, m.Receipt, m.ID))
	}
	reports := "[" + strings.Join(list, ",") + "]"
	if status, _ := tell(made.Inbox[:len(made.Inbox)-3], reports); status != 404 {
		t.Errorf("a changed address is answered with %d", status)
	}
	for range 2 { // told twice it is told once
		if status, body := tell(made.Inbox, reports); status != 200 || body != `{"code":0,"msg":"OK"}` {
			t.Fatalf("%d %s", status, body)
		}
		if status, _ := tell(made.Inbox, `[{"phone_number":"13800000007","send_time":"2026-11-23 10:01:00","content":"TD","sign_name":"关系"},{"phone_number":"13800000008","send_time":"2026-11-23 10:01:00","content":"几点关门？"},{"phone_number":"13712340000","send_time":"2026-11-23 10:01:00","content":"退订"}]`); status != 200 {
			t.Fatal(status)
		}
	}
	if got := c.do("GET", "/customers/"+leaver+"/consents", "").body; !strings.Contains(string(got), `"reply"`) || !strings.Contains(string(got), `"withdrawn"`) {
		t.Errorf("%s", got)
	}
	for _, want := range []string{`"released":true`, `"released":false`} {
		if got := c.do("POST", "/channels/release", `{"number":"137 1234 0000"}`); !strings.Contains(string(got.body), want) {
			t.Errorf("%s", got.body)
		}
	}
	turned := read[channelShown](c, "POST", "/channels/"+made.ID+"/turn", "", 200)
	if status, _ := tell(made.Inbox, "[]"); status != 404 || turned.Inbox == made.Inbox {
		t.Error("an address that was replaced still leads somewhere")
	}
}

// pauseRefused: an account that the company refuses pauses the campaign and loses nobody; with the right secret it goes on.
func pauseRefused(t *testing.T, c *client, server *smstest.Server, made channelShown, plan string, until func(string), v *campaignShown) {
	t.Helper()
	c.want(200, c.do("PATCH", "/channels/"+made.ID, `{"secret":"another"}`))
	*v = read[campaignShown](c, "POST", "/campaigns", `{"name":"服务短信","channel":"sms","plan":`+strings.Replace(plan, `"purpose":"marketing"`, `"purpose":""`, 1)+`}`, 201)
	c.want(200, c.do("POST", "/campaigns/"+v.ID+"/start", fmt.Sprintf(`{"version":%d}`, v.Version)))
	until("paused")
	r := read[textTally](c, "GET", "/campaigns/"+v.ID+"/result", "", 200)
	states := map[string]int64{}
	for _, x := range r.States {
		states[x.State] = x.Count
	}
	gates := map[string]int64{}
	for _, x := range r.Gates {
		gates[x.Gate] = x.Count
	}
	if states["queued"] != 9 || gates["bounced"] != 2 || gates["no_address"] != 1 {
		t.Errorf("%+v", r)
	}
	health := read[struct{ Items []channelShown }](c, "GET", "/channels", "", 200).Items[0]
	if health.LastError != "SignatureDoesNotMatch" {
		t.Errorf("%+v", health)
	}
	c.want(200, c.do("PATCH", "/channels/"+made.ID, `{"active":false}`))
	c.want(200, c.do("POST", "/campaigns/"+v.ID+"/resume", ""))
	until("paused")
	c.want(200, c.do("PATCH", "/channels/"+made.ID, fmt.Sprintf(`{"active":true,"secret":%q}`, server.Secret)))
	before := len(server.Messages())
	c.wantCode(409, "channel.in_use", c.do("DELETE", "/channels/"+made.ID, ""))
	c.want(200, c.do("POST", "/campaigns/"+v.ID+"/resume", ""))
	until("sent")
	if n := len(server.Messages()) - before; n != 8 { // the ninth has had as many as a provider brings a number
		t.Errorf("%d messages", n)
	}
	c.want(204, c.do("DELETE", "/channels/"+made.ID, ""))
}

// tasksAndCalls: a campaign makes a task for whoever is to get in touch, and another one makes a signed call for each customer.
func tasksAndCalls(t *testing.T, c *client, server *smstest.Server, seg string, until func(string), v *campaignShown) {
	t.Helper()
	plan := func(more string) string {
		return fmt.Sprintf(`{"segments":[%q],"except":[],"purpose":"","variants":[{"key":"a","title":"联系 {{ customer.name }}","text":"约到店 {{ customer.%s }}","weight":1}],"holdout":0,"start":null,"local":false,"per_minute":0,"drop_quiet":false,"wait_cap":false,"days":14,"cost":0,"fixed":0,"margin":0,"profile":"","utm_source":"","utm_medium":"","utm_campaign":"","due":3}`, seg, more)
	}
	start := func(channel, field string) answer {
		*v = read[campaignShown](c, "POST", "/campaigns", `{"name":"回访","channel":"`+channel+`","plan":`+plan(field)+`}`, 201)
		return c.do("POST", "/campaigns/"+v.ID+"/start", fmt.Sprintf(`{"version":%d}`, v.Version))
	}
	c.wantCode(422, "template.unknown_field", start("task", "nothing"))
	c.want(200, start("task", "name"))
	until("sent")
	tasks := read[page](c, "POST", "/records/task/query", `{"limit":50}`, 200).Items
	said := 0
	for _, x := range tasks {
		if strings.HasPrefix(x.Title, "联系 客户") || x.Title == "联系 无号" {
			said++
		}
	}
	if said != 12 || len(tasks) != 12 {
		t.Errorf("%d of %d tasks", said, len(tasks))
	}
	c.wantCode(422, "channel.no_receiver", start("webhook", "name"))
	hook := read[channelShown](c, "POST", "/channels", fmt.Sprintf(`{"channel":"webhook","name":"外呼","endpoint":%q,"secret":%q}`, server.URL, server.Secret), 201)
	if got := read[struct{ Outcome string }](c, "POST", "/channels/"+hook.ID+"/test", `{"to":""}`, 200); got.Outcome != "taken" {
		t.Errorf("%+v, %v", got, server.Refused())
	}
	before := len(server.Messages())
	c.want(200, c.do("POST", "/campaigns/"+v.ID+"/start", fmt.Sprintf(`{"version":%d}`, v.Version)))
	until("sent")
	heard := map[string]bool{}
	for _, m := range server.Messages()[before:] {
		heard[m.ID] = true
		if !strings.HasPrefix(m.ID, "msg_") || !strings.HasPrefix(m.Text, "约到店 ") {
			t.Errorf("%+v", m)
		}
	}
	if len(heard) != 12 {
		t.Errorf("%d calls", len(heard))
	}
}

// textOfJourney: a step of a journey that sends a template of text messages goes through the account once.
func textOfJourney(t *testing.T, c *client, server *smstest.Server, tpl, who string) {
	t.Helper()
	definition := fmt.Sprintf(`{"trigger":{"kind":"api"},"reentry":{"kind":"once"},"holdout":0,"goal":{"kind":"none"},"exit":{},"start":"m","steps":[{"key":"m","kind":"send","template":%q,"purpose":"","next":"end"},{"key":"end","kind":"exit"}]}`, tpl)
	c.want(201, c.do("POST", "/channels", fmt.Sprintf(`{"channel":"sms","provider":"tencent","name":"腾讯云","endpoint":%q,"key":%q,"secret":%q,"app":%q,"sign":"关系"}`, server.URL, server.Key, server.Secret, server.App)))
	j := read[journeyShown](c, "POST", "/journeys", `{"name":"到店提醒","definition":`+definition+`}`, 201)
	c.want(200, c.do("POST", "/journeys/"+j.ID+"/publish", `{"version":1,"flight":"finish"}`))
	before := len(server.Messages())
	c.want(200, c.do("POST", "/journeys/"+j.ID+"/enter", `{"customers":[`+fmt.Sprintf("%q", who)+`]}`))
	within(t, 40*time.Second, "the message of a journey", func() bool { return len(server.Messages()) > before })
	if got := server.Messages()[before:]; len(got) != 1 || got[0].To != "+8613800000008" || got[0].Template != "SMS_100" {
		t.Errorf("%+v", got)
	}
}
