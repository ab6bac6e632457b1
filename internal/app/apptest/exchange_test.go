package apptest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// exchangeState is a rotation as the API shows it.
type exchangeState struct {
	ID, Kind, State, Phase, Object string
	Done, Total, Changed           int64
	PerSecond                      int64 `json:"per_second"`
}

// TestKilledWhileKeysAreExchanged kills the program in the middle of both exchanges while people read and write, and finds everything as it
// was, under other keys. With GUANXI_LONG=1 there are 100,000 customers.
func TestKilledWhileKeysAreExchanged(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); killedExchange(t, newMachine(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); killedExchange(t, postgres(t)) })
}

func number(i int) string  { return fmt.Sprintf("N%07d", i) }
func phoneOf(i int) string { return fmt.Sprintf("139%08d", i) }

func killedExchange(t *testing.T, m *machine) {
	t.Helper()
	m.setup("Asia/Shanghai", "CNY")
	customers := 2_000
	if long() {
		customers = 100_000
	}
	m.start()
	c := m.client()
	c.want(201, c.do("POST", "/objects/customer/fields", `{"key":"id_no","type":"text","personal":true,"unique":true,"label":{"zh-CN":"证件号","en":"ID number"}}`))
	for from := 0; from < customers; from += 1000 {
		ops := make([]string, 0, 1000)
		for i := from; i < from+1000; i++ {
			ops = append(ops, fmt.Sprintf(`{"op":"create","fields":{"name":"客户","id_no":%q,"phone":%q,"email":"k%d@example.com"}}`, number(i), phoneOf(i), i))
		}
		c.want(200, c.do("POST", "/records/customer/batch", `{"operations":[`+strings.Join(ops, ",")+`]}`))
	}
	for _, what := range []string{"data", "index"} {
		c.want(202, c.do("POST", "/keys/rotate", fmt.Sprintf(`{"what":%q}`, what)))
		state := func(c *client) exchangeState {
			return read[struct{ Rotations []exchangeState }](c, "GET", "/keys", "").Rotations[0]
		}
		eventually(t, "a third of the records under "+what, 10*time.Minute, func() bool {
			s := state(c)
			return s.Phase == "records" && s.Changed >= int64(customers)/3 || s.Phase != "keys" && s.Phase != "index" && s.Phase != "records" || s.State == "done"
		})
		m.kill()
		m.start()
		c = m.client()
		var reads, writes atomic.Int64
		var worst atomic.Int64
		var group sync.WaitGroup
		done := make(chan struct{})
		for w := range 3 {
			mine := m.client()
			group.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-done:
						return
					default:
					}
					at := rand.N(customers)
					if got := len(read[page](mine, "POST", "/records/customer/query", fmt.Sprintf(`{"where":{"field":"phone","op":"=","value":%q}}`, phoneOf(at))).Items); got != 1 {
						t.Errorf("%s: %s is found %d times", what, phoneOf(at), got)
					}
					reads.Add(1)
					if a := mine.do("POST", "/records/customer", fmt.Sprintf(`{"fields":{"name":"又","id_no":%q}}`, number(at))); a.status != 409 {
						t.Errorf("%s: %s came twice: %d %.200s", what, number(at), a.status, a.body)
					}
					begin := time.Now()
					mine.want(201, mine.do("POST", "/records/customer", fmt.Sprintf(`{"fields":{"name":"新","id_no":"%s-%d-%d","phone":"150%d%07d"}}`, what, w, n, w, n)))
					if took := int64(time.Since(begin)); took > worst.Load() {
						worst.Store(took)
					}
					writes.Add(1)
				}
			})
		}
		begin := time.Now()
		eventually(t, what+" to be done", 20*time.Minute, func() bool { return state(c).State == "done" })
		close(done)
		group.Wait()
		s := state(c)
		t.Logf("%s: %d values of %d customers at %d a second of work; after the kill %.1f s with %d reads and %d writes beside, the slowest write %.0f ms", what, s.Changed, customers,
			s.PerSecond, time.Since(begin).Seconds(), reads.Load(), writes.Load(), float64(worst.Load())/1e6)
		for range 40 {
			at := rand.N(customers)
			p := read[page](c, "POST", "/records/customer/query", fmt.Sprintf(`{"where":{"field":"id_no","op":"=","value":%q}}`, number(at)))
			if len(p.Items) != 1 {
				t.Fatalf("%s is found %d times after %s", number(at), len(p.Items), what)
			}
			var shown struct{ Fields map[string]any }
			a := c.want(200, c.do("POST", "/records/customer/"+p.Items[0].ID+"/reveal", `{"fields":["phone"]}`))
			if err := json.Unmarshal(a.body, &shown); err != nil || !strings.Contains(string(a.body), phoneOf(at)) {
				t.Errorf("%s: %s %v", phoneOf(at), a.body, err)
			}
		}
	}
}
