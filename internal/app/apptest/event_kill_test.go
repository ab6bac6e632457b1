package apptest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

const (
	killSenders = 4
	killUsers   = 5 // of each sender
)

// seller sends batches to the door of events, one after the other, and each again until it is acknowledged.
type seller struct {
	who  int
	next int // the batch that is not acknowledged yet
}

// batch is of one person: who it is, two events, and an order of which two batches in a row tell.
func (s *seller) batch() string {
	user := fmt.Sprintf("s%d-%d", s.who, s.next%killUsers)
	name := fmt.Sprintf("%d-%d", s.who, s.next)
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC).Add(time.Duration(s.next) * time.Minute).Format(time.RFC3339)
	var list []string
	add := func(kind, rest string) {
		list = append(list, fmt.Sprintf(`{"type":%q,"messageId":"%s-%d","userId":%q,"timestamp":%q,%s}`, kind, name, len(list), user, at, rest))
	}
	add("identify", fmt.Sprintf(`"anonymousId":"b-%s","traits":{"name":"客户%s"}`, user, user))
	for i := range 2 {
		add("track", fmt.Sprintf(`"event":"Tested","properties":{"n":"%s-%d"}`, name, i))
	}
	add("track", fmt.Sprintf(`"event":"Order Completed","properties":{"order_id":"k%d-%d","revenue":10,"currency":"CNY","products":[{"sku":"S-%d","name":"裙","price":10,"quantity":1}]}`, s.who, s.next/(2*killUsers), s.who))
	return `{"batch":[` + strings.Join(list, ",") + `]}`
}

// sell sends batches until there are so many (0: for ever), the program is gone, or it is stopped.
func (s *seller) sell(url, key string, upTo int, acknowledged *atomic.Int64, stop <-chan struct{}) {
	for upTo == 0 || s.next < upTo {
		select {
		case <-stop:
			return
		default:
		}
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/v1/batch", strings.NewReader(s.batch()))
		if err != nil {
			return
		}
		req.SetBasicAuth(key, "")
		res, err := asking.Do(req)
		if err != nil {
			return
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			s.next++
			acknowledged.Add(1)
		}
	}
}

// TestEventsKilledAtAnyStep: the program is killed while it accepts events, finds whose they are, makes customers and orders of them, loads them,
// builds visits and archives, and while it erases somebody. Everything that was acknowledged is there once, every person and every order once, traits
// count it, and of whom was erased nothing is left.
func TestEventsKilledAtAnyStep(t *testing.T) {
	t.Parallel()
	onMachines(t, eventsKilled)
}

func eventsKilled(t *testing.T, m *machine) {
	m.start()
	c := m.client()
	var made struct {
		WriteKey string `json:"write_key"`
	}
	if err := json.Unmarshal(c.want(201, c.do("POST", "/event-sources", `{"name":"Shop","type":"server"}`)).body, &made); err != nil {
		t.Fatal(err)
	}
	c.want(201, c.do("POST", "/traits/computed", `{"key":"tested","label":{"zh-CN":"次数","en":"Times"},"figure":{"of":{"event":"Tested"},"kind":"counter"}}`))
	sellers := make([]*seller, killSenders)
	for i := range sellers {
		sellers[i] = &seller{who: i}
	}
	random := rand.New(rand.NewPCG(3, 9)) //nolint:gosec // the same each time
	rounds := 3
	if m.schema() != "" && !long() { // another process leads when the one that was killed is surely gone
		rounds = 1
	}
	for round := range rounds {
		if round > 0 {
			m.start()
		}
		var acknowledged atomic.Int64
		stop := make(chan struct{})
		var group sync.WaitGroup
		for _, s := range sellers {
			group.Go(func() { s.sell(m.url, made.WriteKey, 0, &acknowledged, stop) })
		}
		until := int64(20 + random.IntN(60))
		eventually(t, "enough events", time.Minute, func() bool { return acknowledged.Load() > until })
		if round%2 == 1 { // what was accepted is on its way, and nothing new comes
			close(stop)
			group.Wait()
			<-time.After(time.Duration(random.IntN(300)) * time.Millisecond)
		}
		m.kill()
		group.Wait()
	}
	m.start()
	var late atomic.Int64
	for _, s := range sellers { // the last of each may be there or not; it is sent again, and the people come to the same number
		upTo := (s.next/killUsers + 1) * killUsers
		if s.sell(m.url, made.WriteKey, upTo, &late, nil); s.next != upTo {
			t.Fatal("an event is not accepted after the restart")
		}
	}
	c = m.client()
	least := sellers[0].next
	for _, s := range sellers {
		least = min(least, s.next)
	}
	each := 2 * least / killUsers
	eventually(t, "traits of everybody", 2*time.Minute, func() bool {
		return c.counted(fmt.Sprintf(`{"trait":"tested","op":">=","value":%d}`, each)) == killSenders*killUsers
	})
	c.settled()
	victim, people := m.soldOnce(c, sellers)

	e := read[struct{ ID, State string }](c, "POST", "/records/customer/"+victim+"/erase", `{"reason":"request","confirm":"`+victim+`"}`)
	if m.schema() == "" || long() { // another process goes on with a job when the one that was killed is surely gone: a minute
		<-time.After(time.Duration(random.IntN(200)) * time.Millisecond)
		m.kill()
		m.start()
		c = m.client()
	}
	eventually(t, "the erasure", 2*time.Minute, func() bool {
		return read[struct{ State string }](c, "GET", "/privacy/erasures/"+e.ID, "").State == "done"
	})
	m.stop()
	m.soldFacts(sellers, people)
	doctor(m, true)
}

// soldOnce checks customers and orders, and answers the customers by their numbers and the one who is to be erased.
func (m *machine) soldOnce(c *client, sellers []*seller) (victim string, people map[string]int64) {
	m.Helper()
	people = map[string]int64{}
	customers, orders := c.all("customer"), c.all("order")
	wanted := 0
	for _, s := range sellers {
		for u := range killUsers {
			name := fmt.Sprintf("s%d-%d", s.who, u)
			got := customers[name]
			if len(got) != 1 {
				m.Fatalf("%s is %d customers", name, len(got))
			}
			v, err := id.Parse("cus", got[0].ID)
			if err != nil {
				m.Fatal(err)
			}
			people[name], victim = int64(v), got[0].ID
		}
		for k := range (s.next + 2*killUsers - 1) / (2 * killUsers) {
			wanted++
			if got := orders[fmt.Sprintf("k%d-%d", s.who, k)]; len(got) != 1 {
				m.Errorf("order %d of seller %d is there %d times", k, s.who, len(got))
			}
		}
	}
	if got := c.records("order"); got != wanted {
		m.Errorf("%d orders, want %d", got, wanted)
	}
	if got := c.records("product"); got != killSenders {
		m.Errorf("%d products, want %d", got, killSenders)
	}
	if got := len(customers); got != killSenders*killUsers {
		m.Errorf("%d customers, want %d", got, killSenders*killUsers)
	}
	return victim, people
}

// soldFacts checks the events as analysis has them: each once with its person, and none of the last person, who was erased.
func (m *machine) soldFacts(sellers []*seller, people map[string]int64) {
	m.Helper()
	db, table := m.facts()
	defer db.Close()
	rows, err := db.QueryContext(context.WithoutCancel(m.Context()), "SELECT customer_id, properties FROM "+table+" WHERE name = 'Tested'")
	if err != nil {
		m.Fatal(err)
	}
	seen := map[string][]int64{}
	for rows.Next() {
		var customer int64
		var raw string
		if err := rows.Scan(&customer, &raw); err != nil {
			m.Fatal(err)
		}
		var p struct{ N string }
		if err := json.Unmarshal([]byte(raw), &p); err != nil {
			m.Fatal(err)
		}
		seen[p.N] = append(seen[p.N], customer)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		m.Fatal(err)
	}
	erased := fmt.Sprintf("s%d-%d", killSenders-1, killUsers-1)
	for _, s := range sellers {
		for b := range s.next {
			user := fmt.Sprintf("s%d-%d", s.who, b%killUsers)
			for i := range 2 {
				got := seen[fmt.Sprintf("%d-%d-%d", s.who, b, i)]
				if user == erased && len(got) != 0 || user != erased && (len(got) != 1 || got[0] != people[user]) {
					m.Errorf("event %d of batch %d of seller %d, of %s, is of %v", i, b, s.who, user, got)
				}
			}
		}
	}
}
