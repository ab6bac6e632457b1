package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// both runs a test on SQLite and, where there is one, on PostgreSQL; webhooks may reach this machine.
func both(t *testing.T, c clock.Clock, fn func(*testing.T, *site)) {
	t.Helper()
	flags := map[string]string{"webhook-networks": "127.0.0.0/8"}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, prepare(t, open(t, app.Options{Config: settings(t, flags), Clock: c})))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, postgresSiteWith(t, app.Options{Clock: c}, flags))
	})
}

// message is what a receiver got.
type message struct {
	id, signature, stamp string
	header               http.Header
	raw                  []byte
	Type                 string `json:"type"`
	Workspace            string `json:"workspace"`
	Data                 struct {
		Object  string         `json:"object"`
		ID      string         `json:"id"`
		Version int64          `json:"version"`
		Fields  map[string]any `json:"fields"`
		Changed []string       `json:"changed"`
		File    string         `json:"file"`
	} `json:"data"`
}

// receiver is an endpoint; answer decides the status of the n-th request (from 0), nil is always 204.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []message
	answer func(n int, m message) int
}

func newReceiver(t *testing.T, answer func(n int, m message) int) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		raw, err := io.ReadAll(q.Body)
		m := message{id: q.Header.Get("webhook-id"), signature: q.Header.Get("webhook-signature"), stamp: q.Header.Get("webhook-timestamp"), header: q.Header, raw: raw}
		if err = errors.Join(err, json.Unmarshal(raw, &m)); err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		n := len(r.got)
		r.got = append(r.got, m)
		answer := r.answer
		r.mu.Unlock()
		status := 204
		if answer != nil {
			status = answer(n, m)
		}
		w.WriteHeader(status)
		if status == 200 { // an endpoint that says back what it heard
			fmt.Fprintf(w, "%s %s %s", q.Header.Get("X-Token"), q.Header.Get("webhook-signature"), raw)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) answers(fn func(n int, m message) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = fn
}

// signed computes a signature without the code under test.
func signed(t *testing.T, secret string, m message) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", m.id, m.stamp, m.raw)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

type hook struct {
	Webhook hookState `json:"webhook"`
	Secret  string    `json:"secret"`
}

type hookState struct {
	ID       string   `json:"id"`
	State    string   `json:"state"`
	Reason   string   `json:"reason"`
	Headers  []string `json:"headers"`
	Version  int64    `json:"version"`
	Failures int      `json:"failures"`
	Waiting  int      `json:"waiting"`
	Dead     int      `json:"dead"`
	Error    string   `json:"last_error"`
}

type deliveryPage struct {
	Items []struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		State    string `json:"state"`
		Error    string `json:"error"`
		Attempts int    `json:"attempts"`
	} `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

func (c *client) hook(url, rest string) hook {
	c.Helper()
	if rest == "" {
		rest = `"rules":[{"object":"customer","kinds":["created","updated","deleted","restored"]}]`
	}
	return read[hook](c, "POST", "/webhooks", fmt.Sprintf(`{"name":"收银台","url":%q,%s}`, url, rest), 201)
}

func (c *client) hookState(v string) hookState {
	c.Helper()
	return read[hookState](c, "GET", "/webhooks/"+v, "", 200)
}

// TestWebhooksTell follows a customer through its life at a real receiver.
func TestWebhooksTell(t *testing.T) {
	t.Parallel()
	both(t, nil, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		to := newReceiver(t, func(int, message) int { return 200 })
		h := admin.hook(to.URL+"/hooks", `"rules":[{"object":"customer","kinds":["created","updated","deleted","restored"]}],"headers":{"X-Token":"geheim"}`)
		r := read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"林小满","phone":"13912345678"}}`, 201)
		for i, name := range []string{"林大满", "林中满"} { // faster than the collector reads: each event shows its own version
			admin.want(200, admin.with("If-Match", fmt.Sprintf(`"%d"`, i+1)).do("PATCH", "/records/customer/"+r.ID, `{"fields":{"name":"`+name+`"}}`))
		}
		admin.want(204, admin.with("If-Match", `"3"`).do("DELETE", "/records/customer/"+r.ID, ""))
		admin.want(200, admin.do("POST", "/records/customer/"+r.ID+"/restore", ""))
		eventually(t, "five messages", func() bool { return len(to.all()) >= 5 })
		got := to.all()
		types := []string{"customer.created", "customer.updated", "customer.updated", "customer.deleted", "customer.restored"}
		names := []string{"林小满", "林大满", "林中满", "林中满", "林中满"}
		for i, m := range got {
			if m.Type != types[i] || m.Data.Fields["name"] != names[i] || m.Data.ID != r.ID || m.Data.Version != int64(i+1) || m.Workspace != "main" {
				t.Errorf("message %d: %s %v", i, m.Type, m.Data)
			}
			if m.signature != signed(t, h.Secret, m) {
				t.Errorf("message %d is signed %s, want %s", i, m.signature, signed(t, h.Secret, m))
			}
			if phone := fmt.Sprint(m.Data.Fields["phone"]); strings.Contains(string(m.raw), "13912345678") || !strings.Contains(phone, "*") {
				t.Errorf("message %d shows a telephone number: %s", i, phone)
			}
			if m.header.Get("X-Token") != "geheim" || m.header.Get("Content-Type") != "application/json" {
				t.Errorf("message %d has headers %v", i, m.header)
			}
		}
		if !slices.Equal(got[1].Data.Changed, []string{"name"}) || !slices.Contains(got[0].Data.Changed, "phone") {
			t.Errorf("changed: %v, %v", got[0].Data.Changed, got[1].Data.Changed)
		}
		eventually(t, "an empty queue", func() bool { return admin.hookState(h.Webhook.ID).Waiting == 0 })
		for _, path := range []string{"/webhooks", "/webhooks/" + h.Webhook.ID, "/webhooks/" + h.Webhook.ID + "/deliveries/" + got[0].id} {
			body := string(admin.want(200, admin.do("GET", path, "")).body)
			for _, hidden := range []string{"geheim", strings.TrimPrefix(h.Secret, "whsec_"), "13912345678", got[0].signature} {
				if strings.Contains(body, hidden) {
					t.Errorf("%s gives away %s", path, hidden)
				}
			}
		}
		if len(got) != 5 {
			t.Errorf("%d messages for five changes", len(got))
		}
	})
}

// TestWebhookRules: conditions at the version of the event, fields that must have changed, and values in clear for those who may.
func TestWebhookRules(t *testing.T) {
	t.Parallel()
	both(t, nil, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		named, changed, plain := newReceiver(t, nil), newReceiver(t, nil), newReceiver(t, func(int, message) int { return 200 })
		admin.hook(named.URL, `"rules":[{"object":"customer","kinds":["created","updated"],"where":{"all":[{"field":"name","op":"=","value":"阿满"},{"field":"phone","op":"=","value":"13912345678"}]}}]`)
		admin.hook(changed.URL, `"rules":[{"object":"customer","kinds":["updated"],"fields":["phone"]}]`)
		h := admin.hook(plain.URL, `"reveal":true,"rules":[{"object":"customer","kinds":["created"]}]`)
		r := read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"阿满","phone":"13912345678"}}`, 201)
		admin.want(200, admin.with("If-Match", `"1"`).do("PATCH", "/records/customer/"+r.ID, `{"fields":{"name":"阿宽"}}`))
		admin.want(200, admin.with("If-Match", `"2"`).do("PATCH", "/records/customer/"+r.ID, `{"fields":{"phone":"13987654321"}}`))
		eventually(t, "a change of the number", func() bool { return len(changed.all()) == 1 })
		eventually(t, "one that passes the condition", func() bool { return len(named.all()) == 1 })
		eventually(t, "one in clear", func() bool { return len(plain.all()) == 1 })
		if m := named.all()[0]; m.Type != "customer.created" || m.Data.Fields["name"] != "阿满" {
			t.Errorf("the condition let through %s %v", m.Type, m.Data)
		}
		if m := changed.all()[0]; m.Data.Version != 3 || !slices.Equal(m.Data.Changed, []string{"phone"}) {
			t.Errorf("changed field: %v", m.Data)
		}
		m := plain.all()[0]
		if phone := fmt.Sprint(m.Data.Fields["phone"]); strings.Contains(phone, "*") || !strings.Contains(phone, "139") || m.signature != signed(t, h.Secret, m) {
			t.Errorf("the telephone number in clear is %s", phone)
		}
		detail := string(admin.want(200, admin.do("GET", "/webhooks/"+h.Webhook.ID+"/deliveries/"+m.id, "")).body)
		if strings.Contains(detail, "12345678") || strings.Contains(detail, "87654321") {
			t.Error("the log shows a telephone number")
		}
		if trail := string(admin.want(200, admin.do("GET", "/audit?action=webhook.reveal", "")).body); !strings.Contains(trail, r.ID) || !strings.Contains(trail, "phone") {
			t.Errorf("the trail does not tell of values in clear: %.300s", trail)
		}
		for body, code := range map[string]string{
			`{"name":"x","url":"http://example.com","rules":[{"object":"customer","kinds":["created"]}]}`:                                                    "",
			`{"name":"x","url":"https://10.0.0.1/","rules":[{"object":"customer","kinds":["created"]}]}`:                                                     "webhook.url_private",
			`{"name":"x","url":"https://[::ffff:169.254.169.254]/","rules":[{"object":"customer","kinds":["created"]}]}`:                                     "webhook.url_private",
			`{"name":"x","url":"https://a:b@example.com/","rules":[{"object":"customer","kinds":["created"]}]}`:                                              "webhook.url_userinfo",
			`{"name":"x","url":"ftp://example.com/","rules":[{"object":"customer","kinds":["created"]}]}`:                                                    "webhook.url_https",
			`{"name":"x","url":"https://example.com/","rules":[]}`:                                                                                           "webhook.bad_rules",
			`{"name":"x","url":"https://example.com/","rules":[{"object":"nothing","kinds":["created"]}]}`:                                                   "webhook.unknown_object",
			`{"name":"x","url":"https://example.com/","rules":[{"object":"customer","kinds":["created"],"fields":["nothing"]}]}`:                             "webhook.unknown_field",
			`{"name":"x","url":"https://example.com/","headers":{"Webhook-Id":"1"},"rules":[{"object":"customer","kinds":["created"]}]}`:                     "webhook.bad_header",
			`{"name":"x","url":"https://example.com/","headers":{"X":"a\r\nY: b"},"rules":[{"object":"customer","kinds":["created"]}]}`:                      "webhook.bad_header",
			`{"name":"x","url":"https://example.com/","rules":[{"object":"customer","kinds":["created"],"where":{"trait":"orders","op":">=","value":1}}]}`:   "*",
			`{"name":"x","url":"https://example.com/","rules":[{"object":"customer","kinds":["created"],"where":{"record":"order","op":"none"}}]}`:           "*",
			`{"name":"x","url":"https://example.com/","rules":[{"object":"customer","kinds":["created"],"where":{"field":"nothing","op":"=","value":"1"}}]}`: "query.unknown_field",
		} {
			a := admin.do("POST", "/webhooks", body)
			if code == "" && a.status == 201 || a.status == 422 && (code == "*" || strings.Contains(string(a.body), code)) {
				continue
			}
			t.Errorf("%s: %d %.300s", body, a.status, a.body)
		}
	})
}

// TestWebhookFailures: repeated under the same id by the schedule, in the order of the record, given up, shown, and sent again.
func TestWebhookFailures(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Now())
	sqlite := prepare(t, open(t, app.Options{Config: settings(t, map[string]string{"webhook-networks": "127.0.0.0/8"}), Clock: now}))
	person := sqlite.as(access.Administrator)
	admin := sqlite.client() // a key: a session would end in the days that pass
	admin.key = read[struct{ Key string }](person, "POST", "/apikeys", `{"name":"k","scopes":["admin"]}`, 201).Key
	to := newReceiver(t, func(int, message) int { return 503 })
	other := newReceiver(t, nil)
	h := admin.hook(to.URL, "")
	admin.hook(other.URL, "")
	r := read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"甲"}}`, 201)
	admin.want(200, admin.with("If-Match", `"1"`).do("PATCH", "/records/customer/"+r.ID, `{"fields":{"name":"乙"}}`))
	eventually(t, "a first attempt", func() bool { return admin.hookState(h.Webhook.ID).Failures == 1 })
	waits := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour, 10 * time.Hour}
	for i, wait := range waits {
		now.Advance(wait + wait/10 + time.Second)
		eventually(t, fmt.Sprintf("attempt %d", i+2), func() bool { return admin.hookState(h.Webhook.ID).Failures >= i+2 })
	}
	for i, m := range to.all() {
		if m.Type != "customer.created" || m.id != to.all()[0].id {
			t.Fatalf("request %d is %s %s: the change waits behind the creation", i, m.Type, m.id)
		}
	}
	if got := other.all(); len(got) != 2 {
		t.Errorf("the healthy endpoint got %d messages", len(got))
	}
	now.Advance(12 * time.Hour)
	eventually(t, "a dead letter", func() bool { return admin.hookState(h.Webhook.ID).Dead == 1 })
	eventually(t, "the change that waited behind it", func() bool { ms := to.all(); return ms[len(ms)-1].Type == "customer.updated" })
	eventually(t, "its failure is written down", func() bool { return admin.hookState(h.Webhook.ID).Failures > len(waits)+2 })
	to.answers(nil)
	now.Advance(time.Minute)
	eventually(t, "the change is told", func() bool { return admin.hookState(h.Webhook.ID).Waiting == 0 })
	list := read[deliveryPage](admin, "GET", "/webhooks/"+h.Webhook.ID+"/deliveries?state=dead", "", 200)
	if len(list.Items) != 1 || list.Items[0].Attempts != 10 || list.Items[0].Error != "status" {
		t.Fatalf("dead letters: %+v", list.Items)
	}
	before := len(to.all())
	if n := read[struct{ Count int }](admin, "POST", "/webhooks/"+h.Webhook.ID+"/replay", `{"dead":true}`, 200).Count; n != 1 {
		t.Errorf("%d sent again", n)
	}
	eventually(t, "the dead letter arrives", func() bool { return len(to.all()) == before+1 })
	eventually(t, "its arrival is written down", func() bool { s := admin.hookState(h.Webhook.ID); return s.Dead == 0 && s.Waiting == 0 })
	last := to.all()[before]
	if last.id != list.Items[0].ID || last.Type != "customer.created" || last.signature != signed(t, h.Secret, last) {
		t.Errorf("sent again as %s %s", last.id, last.Type)
	}
	from, until := now.Now().Add(-100*24*time.Hour).Format(time.RFC3339), now.Now().Add(time.Hour).Format(time.RFC3339)
	if n := read[struct{ Count int }](admin, "POST", "/webhooks/"+h.Webhook.ID+"/replay", `{"from":"`+from+`","to":"`+until+`"}`, 200).Count; n != 2 {
		t.Errorf("%d of a time range sent again", n)
	}
	eventually(t, "a range arrives", func() bool { return len(to.all()) == before+3 })
	admin.wantCode(422, "webhook.replay_what", admin.do("POST", "/webhooks/"+h.Webhook.ID+"/replay", `{}`))
	if !strings.Contains(string(admin.want(200, admin.do("GET", "/audit?action=webhook.replay", "")).body), h.Webhook.ID) {
		t.Error("the trail does not tell of the replay")
	}

	// Five days without success.
	to.answers(func(int, message) int { return 500 })
	read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"丙"}}`, 201)
	for i := range 12 {
		eventually(t, "an attempt", func() bool { return admin.hookState(h.Webhook.ID).Failures > min(i, 9) })
		if i == 10 {
			read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"丁"}}`, 201)
		}
		now.Advance(12 * time.Hour)
		if admin.hookState(h.Webhook.ID).State == "disabled" {
			break
		}
	}
	eventually(t, "it is disabled", func() bool { v := admin.hookState(h.Webhook.ID); return v.State == "disabled" && v.Reason == "failing" })
	eventually(t, "the trail says so", func() bool {
		return strings.Contains(string(admin.want(200, admin.do("GET", "/audit?action=webhook.disabled", "")).body), "failing")
	})
	admin.wantCode(409, "webhook.disabled", admin.do("POST", "/webhooks/"+h.Webhook.ID+"/replay", `{"dead":true}`))
	if v := read[hookState](admin, "PATCH", "/webhooks/"+h.Webhook.ID, `{"state":"active"}`, 200); v.State != "active" || v.Failures != 0 {
		t.Errorf("turned on again: %+v", v)
	}
}

// TestWebhookGoneAndPaused: 410 disables; a pause keeps what comes and sends it afterwards; a rotation signs twice.
func TestWebhookGoneAndPaused(t *testing.T) {
	t.Parallel()
	both(t, nil, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		gone, to := newReceiver(t, func(int, message) int { return 410 }), newReceiver(t, nil)
		g, h := admin.hook(gone.URL, ""), admin.hook(to.URL, "")
		read[hookState](admin, "PATCH", "/webhooks/"+h.Webhook.ID, `{"state":"paused"}`, 200)
		read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"甲"}}`, 201)
		eventually(t, "410 disables", func() bool { v := admin.hookState(g.Webhook.ID); return v.State == "disabled" && v.Reason == "gone" })
		eventually(t, "the pause keeps", func() bool { return admin.hookState(h.Webhook.ID).Waiting == 1 })
		second := read[hook](admin, "POST", "/webhooks/"+h.Webhook.ID+"/rotate", "", 200)
		read[hookState](admin, "PATCH", "/webhooks/"+h.Webhook.ID, `{"state":"active"}`, 200)
		eventually(t, "what was kept is sent", func() bool { return len(to.all()) == 1 })
		m := to.all()[0]
		if want := signed(t, second.Secret, m) + " " + signed(t, h.Secret, m); m.signature != want || h.Secret == second.Secret {
			t.Errorf("signatures %s, want %s", m.signature, want)
		}
		test := read[struct {
			Attempt struct{ Status int }
		}](admin, "POST", "/webhooks/"+h.Webhook.ID+"/test", "", 200)
		if all := to.all(); test.Attempt.Status != 204 || len(all) != 2 || all[1].Type != "webhook.test" {
			t.Errorf("test: %+v", test)
		}
		if a := admin.with("If-Match", `"1"`).do("PATCH", "/webhooks/"+h.Webhook.ID, `{"name":"x"}`); a.status != 412 {
			t.Errorf("an old version: %d", a.status)
		}
		admin.want(204, admin.do("DELETE", "/webhooks/"+h.Webhook.ID, ""))
		admin.wantCode(404, "webhook.not_found", admin.do("GET", "/webhooks/"+h.Webhook.ID+"/deliveries", ""))
	})
}

// TestWebhookGuard: without a setting this machine is not reached, and nothing says what is there.
func TestWebhookGuard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(access.Administrator)
	to := newReceiver(t, nil)
	admin.wantCode(422, "webhook.url_https", admin.do("POST", "/webhooks", `{"name":"x","url":"`+to.URL+`","rules":[{"object":"customer","kinds":["created"]}]}`))
	admin.wantCode(422, "webhook.url_private", admin.do("POST", "/webhooks", `{"name":"x","url":"https://localhost/","rules":[{"object":"customer","kinds":["created"]}]}`))
	// A name that leads here: the address passes, dialling it does not.
	h := admin.hook("https://localhost.localdomain"+to.URL[strings.LastIndex(to.URL, ":"):], "")
	test := read[struct {
		Attempt struct {
			Status   int
			Error    string
			Response string
		}
	}](admin, "POST", "/webhooks/"+h.Webhook.ID+"/test", "", 200)
	if a := test.Attempt; a.Status != 0 || a.Response != "" || a.Error != "refused" && a.Error != "resolve" || len(to.all()) != 0 {
		t.Errorf("%+v, %d requests", a, len(to.all()))
	}
}

// TestFilesAreTold: that a file was added or removed reaches webhooks and begins rules, each once, and makes no version of the record.
func TestFilesAreTold(t *testing.T) {
	t.Parallel()
	both(t, nil, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		to := newReceiver(t, nil)
		h := admin.hook(to.URL+"/hooks", `"rules":[{"object":"customer","kinds":["file_added","file_removed"]}]`)
		for kind, word := range map[string]string{"file_added": "带附件", "file_removed": "删附件"} {
			admin.want(201, admin.do("POST", "/automations", `{"name":"`+kind+`","state":"on","run_as":"system","definition":{"object":"customer","trigger":{"kind":"`+kind+`"},
				"steps":[{"id":"b","kind":"create","object":"task","values":[{"field":"subject","text":"`+word+`"},{"field":"about","from":"id"}]}]}}`))
		}
		r := read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"有文件"}}`, 201)
		at := "/records/customer/" + r.ID
		f := admin.attached(at, "合同.txt", "甲方")
		if now := read[rec](admin, "GET", at, "", 200); now.Version != 1 {
			t.Errorf("a file made version %d", now.Version)
		}
		tasks := func(word string) int {
			return read[struct{ Count int }](admin, "POST", "/records/task/count", `{"where":{"field":"subject","op":"=","value":"`+word+`"}}`, 200).Count
		}
		eventually(t, "the rule of a file", func() bool { return tasks("带附件") == 1 })
		admin.want(204, admin.do("DELETE", "/files/"+f.ID, ""))
		eventually(t, "the rule of a removed file", func() bool { return tasks("删附件") == 1 })
		eventually(t, "two messages", func() bool { return len(to.all()) >= 2 })
		eventually(t, "an empty queue", func() bool { return admin.hookState(h.Webhook.ID).Waiting == 0 })
		var types []string
		for _, m := range to.all() {
			types = append(types, m.Type)
			if m.Data.File != f.ID || m.Data.ID != r.ID {
				t.Errorf("%+v", m)
			}
		}
		if got := strings.Join(types, " "); got != "customer.file_added customer.file_removed" {
			t.Errorf("told of %s", got)
		}
		if tasks("带附件") != 1 || tasks("删附件") != 1 {
			t.Error("a rule began twice")
		}
	})
}
