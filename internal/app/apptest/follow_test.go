package apptest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

// passes is how many passes over the traits of a size the server has made.
func (c *client) passes(size string) (n int) {
	c.Helper()
	res, err := http.Get(c.url + "/metrics")
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	for in := bufio.NewScanner(io.LimitReader(res.Body, 1<<20)); in.Scan(); {
		if rest, ok := strings.CutPrefix(in.Text(), `guanxi_trait_passes_total{size="`+size+`",workspace="main"} `); ok {
			if _, err := fmt.Sscan(rest, &n); err != nil {
				c.Fatal(err)
			}
		}
	}
	return n
}

// TestAnOldFileIsComputedOnce: each batch of an old file moves the day on which windows end, and everyone's traits are
// computed when the file is in, not at each of these days.
func TestAnOldFileIsComputedOnce(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := m(t).setup("Europe/London", "GBP").start()
			c := m.client()
			c.settled()
			full, small := c.passes("full"), c.passes("small")
			j := c.finished(c.load("order", "retail.csv", retailMapping, retailCut(t, 100_000)), 5*time.Minute)
			if j.Status != "done" || j.Result.Rows != 100_000 {
				t.Fatalf("%+v %s", j, j.Error)
			}
			during := c.passes("full") - full
			c.settled()
			total := c.passes("full") - full
			t.Logf("100,000 rows in %.1f s; %d full passes while they came, %d with what followed, %d small ones", j.Result.Seconds, during, total, c.passes("small")-small)
			if during > 1 || total > 2 || total == 0 {
				t.Errorf("%d full passes during the import, %d in all", during, total)
			}
			rfm := read[struct{ Anchor string }](c, "GET", "/rfm", "")
			if rfm.Anchor <= "2010-12-02" || rfm.Anchor > "2011-12-10" {
				t.Errorf("the windows end on %s", rfm.Anchor)
			}
			before := m.run.log.String()
			if strings.Contains(before, "traits differed") {
				t.Errorf("the log says\n%s", before)
			}
		})
	}
}

// TestAnotherProcessLeadsAtOnce: on PostgreSQL what follows the log goes on soon after the process that did it was killed.
func TestAnotherProcessLeadsAtOnce(t *testing.T) {
	t.Parallel()
	m := postgres(t).setup("Asia/Shanghai", "CNY").start()
	c := m.client()
	made := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"甲","external_id":"a"}}`)
	c.settled()
	m.kill()
	m.start()
	c = m.client()
	order := fmt.Sprintf(`{"fields":{"customer":%q,"external_id":"o","status":"confirmed","placed_at":"2026-11-01T03:00:00Z","net_amount":{"amount":"12.50","currency":"CNY"}}}`, made.ID)
	read[rec](c, "POST", "/records/order", order)
	began := time.Now()
	eventually(t, "the traits of the new order", 15*time.Second, func() bool { return c.counted(`{"trait":"orders","op":"=","value":1}`) == 1 })
	t.Logf("followed after %.1f s", time.Since(began).Seconds())
	second := *m // another process on the same database
	second.run = nil
	second.start()
	m.kill()
	c = second.client()
	read[rec](c, "POST", "/records/order", strings.Replace(order, `"o"`, `"p"`, 1))
	began = time.Now()
	eventually(t, "the traits of the second order", 15*time.Second, func() bool { return c.counted(`{"trait":"orders","op":"=","value":2}`) == 1 })
	t.Logf("taken over after %.1f s", time.Since(began).Seconds())
	second.stop()
}

// TestBackgroundWorkAfterAKill: a job that a killed process was at goes on at the next start, and one that was tried often
// enough is given up and shown.
func TestBackgroundWorkAfterAKill(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY").start()
	m.kill()
	s, err := instance.OpenSQLite(t.Context(), m.dir+"/instance.db")
	if err != nil {
		t.Fatal(err)
	}
	ids := id.NewGenerator(clock.System{}, 7)
	at := func(attempts int, kind, args string) {
		t.Helper()
		now := time.Now()
		others(t, s, now)
		if ok, err := s.Enqueue(t.Context(), job.Job{ID: ids.Next(), Kind: kind, Workspace: "main", Args: args, Unique: kind + args, RunAt: now, CreatedAt: now}); err != nil || !ok {
			t.Fatal(ok, err)
		}
		for range attempts { // what processes leave that were killed while they worked
			if _, err := s.Reclaim(t.Context()); err != nil {
				t.Fatal(err)
			}
			j, ok, err := s.Lease(t.Context(), now, now.Add(time.Hour))
			if err != nil || !ok || j.Kind != kind {
				t.Fatal(j, ok, err)
			}
		}
	}
	at(1, "nightly", "2026-11-20")
	if again, ok, err := s.Lease(t.Context(), time.Now(), time.Now().Add(time.Hour)); err != nil || ok && again.Kind == "nightly" {
		t.Fatal(again, ok, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	m.start()
	c := m.client()
	eventually(t, "the end of the job", 20*time.Second, func() bool { return len(c.jobs()) == 0 && m.pending(t, "nightly") == 0 })
	m.kill()
	if s, err = instance.OpenSQLite(t.Context(), m.dir+"/instance.db"); err != nil {
		t.Fatal(err)
	}
	at(job.MaxAttempts, "nightly", "poison")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	m.start()
	c = m.client()
	eventually(t, "the job to be given up", 20*time.Second, func() bool {
		list := c.jobs()
		return len(list) == 1 && list[0].State == "failed" && list[0].Kind == "nightly" && list[0].Attempts == job.MaxAttempts && strings.Contains(list[0].Message, "not tried again")
	})
	m.stop()
}

// others does what else the program has waiting by itself: only the job in question is left.
func others(t *testing.T, s *instance.Store, now time.Time) {
	t.Helper()
	if _, err := s.Reclaim(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		j, ok, err := s.Lease(t.Context(), now, now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return
		}
		if err := s.Finish(t.Context(), j, job.Done, "", now, now); err != nil {
			t.Fatal(err)
		}
	}
}

type jobShown struct {
	Kind, State, Message string
	Attempts             int
}

func (c *client) jobs() []jobShown {
	c.Helper()
	return read[struct{ Jobs []jobShown }](c, "GET", "/system", "").Jobs
}

// pending counts the jobs of a kind that wait or run.
func (m *machine) pending(t *testing.T, kind string) int {
	t.Helper()
	s, err := instance.OpenSQLite(t.Context(), m.dir+"/instance.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := s.Pending(t.Context(), "main", kind)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSmallPassesLeaveWhatAFullOneFinds changes records of every kind that traits are computed from, one by one, and then has
// everything computed anew: it must find what was there.
func TestSmallPassesLeaveWhatAFullOneFinds(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := m(t).setup("Europe/London", "GBP").start()
			c := m.client()
			if j := c.finished(c.load("order", "retail.csv", retailMapping, retailCut(t, 12_000)), 2*time.Minute); j.Status != "done" {
				t.Fatalf("%+v %s", j, j.Error)
			}
			c.settled()
			random := rand.New(rand.NewPCG(3, 5))
			some := func(object string) []rec {
				return read[page](c, "POST", "/records/"+object+"/query", `{"limit":200,"sort":[{"field":"id"}]}`).Items
			}
			customers, orders, lines, products, refunds := some("customer"), some("order"), some("order_line"), some("product"), some("refund")
			change := func(object string, list []rec, fields string) {
				t.Helper()
				i := random.IntN(len(list))
				a := c.with("If-Match", fmt.Sprintf(`"%d"`, list[i].Version)).do("PATCH", "/records/"+object+"/"+list[i].ID, `{"fields":`+fields+`}`)
				if err := json.Unmarshal(c.want(200, a).body, &list[i]); err != nil {
					t.Fatal(err)
				}
			}
			full := c.passes("full")
			for round := range 12 {
				customer := customers[random.IntN(len(customers))].ID
				change("order", orders, fmt.Sprintf(`{"customer":%q}`, customer))
				change("order", orders, `{"status":"`+[]string{"cancelled", "completed", "confirmed"}[round%3]+`"}`)
				change("order", orders, fmt.Sprintf(`{"net_amount":{"amount":"%d.50","currency":"GBP"}}`, random.IntN(9000)))
				change("order_line", lines, fmt.Sprintf(`{"quantity":"%d"}`, 1+random.IntN(50)))
				change("product", products, fmt.Sprintf(`{"category":"类%d","brand":"b%d"}`, random.IntN(3), random.IntN(3)))
				change("refund", refunds, fmt.Sprintf(`{"amount":{"amount":"%d.25","currency":"GBP"}}`, random.IntN(50)))
				made := read[rec](c, "POST", "/records/order", fmt.Sprintf(`{"fields":{"customer":%q,"external_id":"new-%d","status":"confirmed","placed_at":"2010-12-02T0%d:00:00Z","net_amount":{"amount":"7.30","currency":"GBP"}}}`, customer, round, round%10))
				if round%2 == 0 {
					c.want(204, c.with("If-Match", `"1"`).do("DELETE", "/records/order/"+made.ID, ""))
				}
				gone := orders[len(orders)-1-round]
				c.want(204, c.with("If-Match", fmt.Sprintf(`"%d"`, gone.Version)).do("DELETE", "/records/order/"+gone.ID, ""))
				orders = orders[:len(orders)-1]
				if round%4 == 3 {
					c.settled()
				}
			}
			last := customers[len(customers)-1]
			c.want(204, c.with("If-Match", fmt.Sprintf(`"%d"`, last.Version)).do("DELETE", "/records/customer/"+last.ID, ""))
			c.settled()
			if n := c.passes("full") - full; n != 0 {
				t.Errorf("%d full passes came in between, so that nothing is left to compare", n)
			}
			if c.passes("small") < 3 {
				t.Errorf("only %d small passes", c.passes("small"))
			}
			var done struct {
				Customers, Differing int
				Verified             bool
			}
			m.ok(&done, "trait", "recompute")
			if done.Customers < 100 || !done.Verified || done.Differing != 0 {
				t.Errorf("computed anew: %+v", done)
			}
			var d struct {
				OK     bool
				Checks []struct {
					Name, Detail string
					OK           bool
				}
			}
			m.ok(&d, "doctor")
			if !d.OK {
				t.Errorf("the doctor says %+v", d.Checks)
			}
			if said := m.run.log.String(); strings.Contains(said, "differed") {
				t.Errorf("the log says\n%s", said)
			}
		})
	}
}
