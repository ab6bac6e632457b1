package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

// ahead is the clock of the machine, moved on.
type ahead struct{ by atomic.Int64 }

func (a *ahead) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(a.by.Load()))
}

type journeyShown struct {
	ID, Status string
	Version    int64
	Published  int64
	InForce    struct {
		Steps []struct{ Key, Run string }
	} `json:"in_force"`
	Standing struct{ Entered, On, Done, Left, Held, Goal int64 }
}

type journeyTold struct {
	Standing struct{ Entered, On, Done, Left, Held, Goal int64 }
	Steps    []journeyStepTold
	Treated  struct{ People, Goal int64 }
}

type journeyStepTold struct {
	Step     string
	Waiting  int64
	Outcomes []struct {
		Outcome string
		Count   int64
	}
}

func (c *client) journeyAt(key, what string, ok func(*journeyTold) bool) journeyTold {
	c.Helper()
	for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		got := read[journeyTold](c, "GET", "/journeys/"+key+"/counts", "", 200)
		if ok(&got) {
			return got
		}
		if time.Now().After(deadline) {
			c.Fatalf("%s: %+v", what, got)
		}
	}
}

// TestJourney: an event lets a customer in, the wait ends as the clock goes on, the branch tells customers apart, the mail goes through the gates of
// campaigns once, field, tag, task and call are done once, an order reaches the goal, and everybody's way is written down.
func TestJourney(t *testing.T) {
	t.Parallel()
	now := &ahead{}
	var mu sync.Mutex
	keys := map[string]int{}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		keys[r.Header.Get("webhook-id")]++
	}))
	t.Cleanup(hook.Close)
	server := mailtest.New(t, mailtest.Options{User: "robot", Password: "secret of the robot"})
	s := prepare(t, open(t, app.Options{Config: settings(t, map[string]string{"mail-networks": "127.0.0.0/8", "webhook-networks": "127.0.0.0/8", "public-url": "https://crm.example.com"}), MailRoots: server.Roots, Clock: now}))
	c := s.as(access.Administrator)
	c.mailServer(server)
	var who []string
	for i := range 3 {
		r := c.create("customer", fmt.Sprintf(`{"name":"客户%d","email":"p%d@example.org","gender":%q}`, i, i, []string{"female", "male", "female"}[i]))
		who = append(who, r.ID)
		if i < 2 {
			read[consentView](c, "POST", "/customers/"+r.ID+"/consents", `{"items":[{"purpose":"marketing","channel":"email","state":"given","source":"form"}]}`, 200)
		}
	}
	tpl := read[struct{ ID string }](c, "POST", "/templates", `{"name":"想念","channel":"email","body":{"locale":"zh-CN","documents":{"zh-CN":{"subject":"{{ customer.name }}，好久不见","blocks":[{"kind":"text","text":"回来看看"}]}}}}`, 201).ID

	draw := func(extra string) string {
		return fmt.Sprintf(`{"trigger":{"kind":"event","event":"Cart Left","match":[{"property":"total","op":">","value":"50"}]},"reentry":{"kind":"once"},"holdout":0,"goal":{"kind":"purchase","days":30},"exit":{"goal":true},"start":"w","steps":[
		{"key":"w","kind":"wait","wait":{"hours":2},"next":"b"},{"key":"b","kind":"branch","ways":[{"key":"f","where":{"field":"gender","op":"=","value":"female"},"next":"m"}],"next":"t"},
		{"key":"m","kind":"send","template":%q,"purpose":"marketing","next":"u"},{"key":"u","kind":"update","field":"note","value":"写过信","next":"g"},{"key":"g","kind":"tag","add":["召回"],"next":"h"},
		{"key":"h","kind":"webhook","url":%q,"next":"l"},{"key":"l","kind":"wait","wait":{"days":20,"event":"purchase"},"ways":[{"key":"bought","next":"end"}],"next":"t"},
		{"key":"t","kind":"task","title":"打个电话","days":2,"next":"end"},{"key":"end","kind":"exit"}%s]}`, tpl, hook.URL, extra)
	}
	bad := read[struct {
		Problems []struct{ Step, Code, Message string }
	}](c, "POST", "/journeys/check", `{"definition":`+strings.Replace(draw(`,{"key":"lost","kind":"task","title":"x","next":""}`), tpl, "tpl_nothing", 1)+`}`, 200).Problems
	said := fmt.Sprint(bad)
	if !strings.Contains(said, "{lost journey.unreachable") || !strings.Contains(said, "{lost journey.dead_end") || !strings.Contains(said, "{m journey.no_template") || !strings.Contains(said, "Nobody reaches") {
		t.Errorf("%v", bad)
	}
	j := read[journeyShown](c, "POST", "/journeys", `{"name":"购物车","definition":`+draw("")+`}`, 201)
	member := s.as(access.ReadOnly)
	member.want(403, member.do("POST", "/journeys/"+j.ID+"/publish", `{"version":1,"flight":"finish"}`))
	j = read[journeyShown](c, "POST", "/journeys/"+j.ID+"/publish", `{"version":1,"flight":"finish"}`, 200)
	if j.Status != "live" || j.Published != 1 {
		t.Fatalf("%+v", j)
	}
	src := read[madeSource](c, "POST", "/event-sources", `{"name":"商城","type":"web","origins":["https://shop.example/"]}`, 201)
	tell := func(body string) {
		t.Helper()
		if status, answer := s.sendEvent("/v1/track", src.WriteKey, body); status != 200 {
			t.Fatal(status, answer)
		}
	}
	for i := range 3 {
		if status, answer := s.sendEvent("/v1/identify", src.WriteKey, fmt.Sprintf(`{"userId":"u%d","messageId":"i%d","traits":{"email":"p%d@example.org"}}`, i, i, i)); status != 200 {
			t.Fatal(status, answer)
		}
		for k := range 2 { // twice is once
			tell(fmt.Sprintf(`{"event":"Cart Left","userId":"u%d","messageId":"m%d.%d","properties":{"total":80}}`, i, i, k))
		}
	}
	tell(`{"event":"Cart Left","userId":"u9","messageId":"m9","properties":{"total":80}}`) // nobody known
	c.journeyAt(j.ID, "entered", func(n *journeyTold) bool { return n.Standing.On == 3 })
	if len(server.Messages()) != 0 {
		t.Fatal("sent before the wait was over")
	}
	now.by.Store(int64(2*time.Hour + time.Minute))
	mails := server.Wait(t, 1)
	told := c.journeyAt(j.ID, "behind the branch", func(n *journeyTold) bool {
		return n.Standing.Done == 1 && slices.ContainsFunc(n.Steps, func(s journeyStepTold) bool { return s.Step == "l" && s.Waiting == 2 })
	})
	outcomes := map[string]int64{}
	for _, st := range told.Steps {
		for _, o := range st.Outcomes {
			outcomes[st.Step+" "+o.Outcome] = o.Count
		}
	}
	for key, n := range map[string]int64{"w done": 3, "b f": 2, "b else": 1, "m done": 1, "m stopped": 1, "u done": 2, "t done": 1} {
		if outcomes[key] != n {
			t.Errorf("%s %d times, want %d: %v", key, outcomes[key], n, outcomes)
		}
	}
	if len(mails) != 1 || !strings.Contains(mails[0].To, "p0@example.org") {
		t.Errorf("%+v", mails)
	}
	run := ""
	for _, st := range j.InForce.Steps {
		if st.Key == "m" {
			run = st.Run
		}
	}
	result := read[campaignTally](c, "GET", "/campaigns/"+run+"/result", "", 200)
	if states, _, _ := result.sum(); states != 2 || result.Audience != 2 || len(result.Gates) != 1 || result.Gates[0].Gate != "consent" {
		t.Errorf("%+v", result)
	}
	if list := read[struct{ Items []struct{ ID string } }](c, "GET", "/campaigns", "", 200).Items; len(list) != 0 {
		t.Error("runs of journeys are listed as campaigns")
	}
	f := read[shownRecord](c, "GET", "/records/customer/"+who[0], "", 200).Fields
	if f["note"] != "写过信" || fmt.Sprint(f["tags"]) != "[召回]" {
		t.Errorf("%v", f)
	}
	if tasks := read[page](c, "GET", "/records/task", "", 200).Items; len(tasks) != 1 || tasks[0].Title != "打个电话" {
		t.Errorf("%v", tasks)
	}
	mu.Lock()
	if len(keys) != 2 {
		t.Errorf("%v", keys)
	}
	mu.Unlock()

	at := now.Now().Add(time.Second).Format(time.RFC3339)
	c.create("order", fmt.Sprintf(`{"number":"J1","customer":%q,"status":"confirmed","placed_at":%q,"net_amount":{"amount":"100.00","currency":"CNY"}}`, who[0], at))
	told = c.journeyAt(j.ID, "goal", func(n *journeyTold) bool { return n.Standing.Goal == 1 && n.Standing.On == 1 })
	if told.Treated.Goal != 1 || told.Treated.People != 3 || told.Standing.Left != 1 {
		t.Errorf("%+v", told)
	}
	way := read[struct {
		Items []struct {
			State string
			Path  []struct{ Step, Outcome, Why string }
		}
	}](c, "GET", "/customers/"+who[0]+"/journeys", "", 200).Items
	if len(way) != 1 || way[0].State != "left" || fmt.Sprint(way[0].Path) != "[{w done } {b f } {m done } {u done } {g done } {h done } {l left goal}]" {
		t.Errorf("%+v", way)
	}
	people := read[struct {
		Items []struct{ Customer struct{ ID string } }
	}](c, "GET", "/journeys/"+j.ID+"/people?step=l&state=on", "", 200).Items
	if len(people) != 1 || people[0].Customer.ID != who[2] {
		t.Errorf("%+v", people)
	}
	j = read[journeyShown](c, "POST", "/journeys/"+j.ID+"/stop", "", 200)
	c.journeyAt(j.ID, "stopped", func(n *journeyTold) bool { return n.Standing.On == 0 && n.Standing.Left == 2 })
	playsWork(t, c)
}

// playsWork: every ready journey makes a draft that has nothing wrong, and its past can be looked at.
func playsWork(t *testing.T, c *client) {
	t.Helper()
	list := read[struct {
		Items []struct {
			Key, Name string
			Missing   bool
		}
	}](c, "GET", "/journey-plays", "", 200).Items
	if len(list) != 13 {
		t.Errorf("%d plays", len(list))
	}
	for _, p := range list {
		if p.Missing {
			t.Errorf("%s: something is missing", p.Key)
			continue
		}
		made := read[struct {
			ID    string
			Draft map[string]any
		}](c, "POST", "/journey-plays/"+p.Key, "", 201)
		definition := string(c.want(200, c.do("GET", "/journeys/"+made.ID, "")).body)
		var whole struct {
			Draft rawText `json:"draft"`
		}
		if err := (answer{body: []byte(definition)}).json(&whole); err != nil {
			t.Fatal(err)
		}
		if bad := read[struct {
			Problems []struct{ Step, At, Code string }
		}](c, "POST", "/journeys/check", `{"definition":`+string(whole.Draft)+`}`, 200).Problems; len(bad) > 0 {
			t.Errorf("%s: %v", p.Key, bad)
		}
		c.want(200, c.do("POST", "/journeys/simulate", `{"definition":`+string(whole.Draft)+`,"days":14}`))
	}
}

type rawText []byte

func (r *rawText) UnmarshalJSON(b []byte) error { *r = append((*r)[:0], b...); return nil }
