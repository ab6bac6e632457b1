package apptest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	pgstore "github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// onMachines runs a test on a machine of each database.
func onMachines(t *testing.T, fn func(*testing.T, *machine)) {
	t.Helper()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, build(t).setup("Asia/Shanghai", "CNY"))
		})
	}
}

// write changes the workspace's tables while the program is away.
func (m *machine) write(statements ...string) {
	m.Helper()
	ctx := context.Background()
	var db sqlstore.DB
	var err error
	if schema := m.schema(); schema == "" {
		db, err = sqlite.Open(ctx, sqlite.Config{Path: m.database()})
	} else {
		db, err = pgstore.Open(ctx, pgstore.Config{URL: os.Getenv("GUANXI_TEST_POSTGRES_URL"), Schema: schema + "main"})
	}
	if err != nil {
		m.Fatal(err)
	}
	err = db.Write(ctx, func(c sqlstore.Conn) error {
		for _, q := range statements {
			if _, err := c.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		m.Fatal(err)
	}
}

// schema begins the names of the machine's schemas, "" on SQLite.
func (m *machine) schema() string {
	for _, e := range m.env {
		if v, ok := strings.CutPrefix(e, apptestSchema+"="); ok {
			return v
		}
	}
	return ""
}

// soonKilled kills the program after a while and starts it again.
func (m *machine) soonKilled(random *rand.Rand, least, most int) {
	m.Helper()
	<-time.NewTimer(time.Duration(least+random.IntN(most-least)) * time.Millisecond).C
	m.kill()
	m.start()
}

type asked struct {
	ID, State string
	Record    *struct{ ID string }
	Events    []struct{ Kind string }
}

func (a asked) count(kind string) (n int) {
	for _, e := range a.Events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// wish is a request that was acknowledged.
type wish struct{ id, record, value string }

// TestApprovalsAfterKill: the program is killed while people ask, decide and have made what they agreed to; then while requests run out.
// Whatever was acknowledged is there once.
func TestApprovalsAfterKill(t *testing.T) {
	t.Parallel()
	onMachines(t, killApprovals)
}

func killApprovals(t *testing.T, m *machine) {
	m.start()
	c := m.client()
	person := m.signedIn()
	me := read[struct{ User struct{ ID string } }](person, "GET", "/me", "").User.ID
	for _, spec := range []string{
		`"name":"改备注","action":"update","fields":["note"],"steps":[{"name":"一","mode":"any","who":[{"kind":"user","user":"` + me + `"}]},{"name":"二","mode":"any","who":[{"kind":"user","user":"` + me + `"}]}]`,
		`"name":"新建","action":"create","where":{"field":"occupation","op":"=","value":"k"},"steps":[{"name":"一","mode":"any","who":[{"kind":"user","user":"` + me + `"}]}]`,
		`"name":"期限","action":"update","fields":["country"],"steps":[{"name":"一","mode":"any","hours":5,"late":"approve","who":[{"kind":"user","user":"` + me + `"}]}]`,
	} {
		c.want(201, c.do("POST", "/approval-processes", `{"spec":{"object":"customer","enabled":true,"whole":false,"own":"ask","once":false,`+spec+`}}`))
	}
	random := rand.New(rand.NewPCG(11, 3)) //nolint:gosec // a test
	var mu sync.Mutex
	var wishes []wish
	var agreed []string
	for round := range 4 {
		asker, decider := m.client(), *person
		decider.url = m.url
		var group sync.WaitGroup
		group.Go(func() { // asks, until the server is gone
			for n := 0; ; n++ {
				name := fmt.Sprintf("w-%d-%d", round, n)
				body, w := `{"object":"customer","action":"create","fields":{"name":"`+name+`","occupation":"k"}}`, wish{value: name}
				if n%2 == 0 {
					a, err := asker.ask("POST", "/records/customer", "application/json", strings.NewReader(`{"fields":{"name":"`+name+`"}}`))
					var r rec
					if err != nil || json.Unmarshal(a.body, &r) != nil {
						return
					}
					w.record = r.ID
					body = `{"object":"customer","action":"update","record":"` + r.ID + `","fields":{"note":"` + name + `"}}`
				}
				a, err := asker.ask("POST", "/approvals", "application/json", strings.NewReader(body))
				var got asked
				if err != nil || a.status != 201 || json.Unmarshal(a.body, &got) != nil {
					if err == nil && a.status != 201 {
						t.Errorf("asked: %d %.300s", a.status, a.body)
					}
					return
				}
				w.id = got.ID
				mu.Lock()
				wishes = append(wishes, w)
				mu.Unlock()
			}
		})
		group.Go(func() { // decides what waits
			for {
				a, err := decider.ask("GET", "/approvals?tab=waiting&limit=20", "", nil)
				var list struct{ Items []asked }
				if err != nil || json.Unmarshal(a.body, &list) != nil {
					return
				}
				for _, r := range list.Items {
					a, err := decider.ask("POST", "/approvals/"+r.ID+"/decide", "application/json", strings.NewReader(`{"answer":"approve"}`))
					if err != nil {
						return
					}
					if a.status == 200 {
						mu.Lock()
						agreed = append(agreed, r.ID)
						mu.Unlock()
					}
				}
			}
		})
		<-time.NewTimer(time.Duration(700+random.IntN(900)) * time.Millisecond).C
		m.kill()
		group.Wait()
		m.start()
	}
	if len(wishes) < 20 || len(agreed) < 20 {
		t.Fatalf("only %d requests and %d answers came through", len(wishes), len(agreed))
	}
	c, person.url = m.client(), m.url
	for { // what is still open
		list := read[struct{ Items []asked }](person, "GET", "/approvals?tab=waiting&limit=100", "")
		if len(list.Items) == 0 {
			break
		}
		for _, r := range list.Items {
			person.want(200, person.do("POST", "/approvals/"+r.ID+"/decide", `{"answer":"approve"}`))
		}
	}
	steps := map[string]int{}
	for _, v := range agreed {
		steps[v]++
	}
	for _, w := range wishes {
		var r asked
		eventually(t, "the end of a request", time.Minute, func() bool {
			r = read[asked](c, "GET", "/approvals/"+w.id, "")
			return r.State == "applied"
		})
		if r.count("submitted") != 1 || r.count("applied") != 1 || r.count("approved") < max(1, steps[w.id]) || r.count("approved") > 2 {
			t.Errorf("%s: %+v, answered %d times", w.value, r.Events, steps[w.id])
		}
		if w.record == "" {
			if n := read[struct{ Count int }](c, "POST", "/records/customer/count", `{"where":{"field":"name","op":"=","value":"`+w.value+`"}}`).Count; n != 1 {
				t.Errorf("%s was made %d times", w.value, n)
			}
			continue
		}
		if now := read[rec](c, "GET", "/records/customer/"+w.record, ""); now.Fields["note"] != w.value || now.Version != 2 {
			t.Errorf("%s: %v at version %d", w.value, now.Fields["note"], now.Version)
		}
	}
	lateRequests(t, m, random)
	m.stop()
	doctor(m, true)
}

// lateRequests lets many requests run out at once, and kills the program while it deals with them.
func lateRequests(t *testing.T, m *machine, random *rand.Rand) {
	c := m.client()
	const n = 120
	recs, reqs := make([]string, n), make([]string, n)
	for i := range n {
		recs[i] = read[rec](c, "POST", "/records/customer", fmt.Sprintf(`{"fields":{"name":"late-%d"}}`, i)).ID
		reqs[i] = read[asked](c, "POST", "/approvals", fmt.Sprintf(`{"object":"customer","action":"update","record":%q,"fields":{"country":"L%d"}}`, recs[i], i)).ID
	}
	m.kill()
	m.write("UPDATE approval_task SET due_at = 1 WHERE state = 'pending' AND due_at > 0")
	m.start()
	for range 3 {
		m.soonKilled(random, 30, 400)
	}
	c = m.client()
	for i := range n {
		var r asked
		eventually(t, "the end of a request that ran out", time.Minute, func() bool {
			r = read[asked](c, "GET", "/approvals/"+reqs[i], "")
			return r.State == "applied"
		})
		now := read[rec](c, "GET", "/records/customer/"+recs[i], "")
		if r.count("expired") != 1 || r.count("applied") != 1 || now.Version != 2 || now.Fields["country"] != fmt.Sprintf("L%d", i) {
			t.Errorf("%+v %+v", r, now)
		}
	}
}

// TestStagesAfterKill: the program is killed while it does what stages do on entering, and while it moves records whose time is over.
func TestStagesAfterKill(t *testing.T) {
	t.Parallel()
	onMachines(t, killStages)
}

func killStages(t *testing.T, m *machine) {
	m.start()
	c := m.client()
	c.want(200, c.do("PATCH", "/stages/customer", `{"version":0,"spec":{"field":"source","stages":[
		{"key":"store","kind":"open","probability":10,"days":7,"hours":500,"next":"online_shop","entry":[{"kind":"set","field":"country","value":"进店"},{"kind":"task","text":"一"},{"kind":"task","text":"二"}]},
		{"key":"online_shop","kind":"open","probability":50,"days":3,"entry":[{"kind":"set","field":"occupation","value":"到了"},{"kind":"task","text":"三"}]}]}}`))
	const n = 400
	random := rand.New(rand.NewPCG(5, 8)) //nolint:gosec // a test
	for from := 0; from < n; from += 100 {
		ops := []string{}
		for i := from; i < from+100; i++ {
			ops = append(ops, fmt.Sprintf(`{"op":"create","fields":{"name":"客户%d","external_id":"s%d","source":"store"}}`, i, i))
		}
		m.client().want(200, m.client().do("POST", "/records/customer/batch", `{"atomic":true,"operations":[`+strings.Join(ops, ",")+`]}`))
		m.soonKilled(random, 200, 900)
	}
	tasks := func(text string) int {
		return read[struct{ Count int }](m.client(), "POST", "/records/task/count", `{"where":{"field":"subject","op":"=","value":"`+text+`"}}`).Count
	}
	settled := func(what string, want int, text string) {
		t.Helper()
		eventually(t, what, 2*time.Minute, func() bool { return tasks(text) >= want })
		m.quietly()
		if got := tasks(text); got != want {
			t.Errorf("%d tasks %s, want %d", got, text, want)
		}
	}
	settled("the tasks of the first stage", n, "一")
	settled("the tasks of the first stage", n, "二")
	m.kill()
	m.write("UPDATE stage_stay SET due_at = 1 WHERE left_at = 0 AND due_at > 0")
	m.start()
	for range 5 {
		m.soonKilled(random, 100, 900)
	}
	settled("the tasks of the second stage", n, "三")
	c = m.client()
	for ext, list := range c.all("customer") {
		r := list[0]
		if len(list) != 1 || r.Fields["source"] != "online_shop" || r.Fields["country"] != "进店" || r.Fields["occupation"] != "到了" || r.Version != 4 {
			t.Fatalf("%s: %d, %+v at version %d", ext, len(list), r.Fields, r.Version)
		}
	}
	stays := 0
	for _, list := range c.all("customer") {
		path := read[struct{ Stays []struct{ Stage string } }](c, "GET", "/records/customer/"+list[0].ID+"/stages", "")
		if len(path.Stays) != 2 || path.Stays[0].Stage != "store" || path.Stays[1].Stage != "online_shop" {
			t.Fatalf("%+v", path)
		}
		stays += len(path.Stays)
	}
	if stays != 2*n {
		t.Errorf("%d stays", stays)
	}
	m.stop()
	doctor(m, true)
}

// quietly waits until nothing of stages is left to do.
func (m *machine) quietly() {
	m.Helper()
	c := m.client()
	last, same := int64(-1), 0
	eventually(m, "an end of the work", 2*time.Minute, func() bool {
		var sum int64
		for _, list := range c.all("customer") {
			sum += list[0].Version
		}
		if sum != last {
			last, same = sum, 0
			return false
		}
		same++
		return same > 10
	})
}
