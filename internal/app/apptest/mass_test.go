package apptest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// bulkJob is a job as the API shows it.
type bulkJob struct {
	ID     string
	Status string
	Error  *struct{ Type string }
	Result struct{ Changed, Unchanged, Skipped, Failed, Restored, Partly, Kept int }
}

func (j bulkJob) active() bool {
	return j.Status == "collecting" || j.Status == "running" || j.Status == "undoing"
}

// killedUntil kills the program again and again while a job goes on, and reads it once it has ended.
func killedUntil(m *machine, id string, kills int) bulkJob {
	m.Helper()
	for range kills {
		c := m.client()
		before := read[bulkJob](c, "GET", "/jobs/"+id, "").Result
		eventually(m, "a part of the job", time.Minute, func() bool {
			j := read[bulkJob](c, "GET", "/jobs/"+id, "")
			return !j.active() || j.Result.Changed+j.Result.Restored > before.Changed+before.Restored
		})
		m.kill()
		m.start()
	}
	c := m.client()
	var j bulkJob
	eventually(m, "the end of the job", 2*time.Minute, func() bool {
		j = read[bulkJob](c, "GET", "/jobs/"+id, "")
		return !j.active()
	})
	return j
}

// TestBulkWorkIsKilled: kill -9 in the middle of an edit, of its undo and of an export; every record is changed once and put back
// once, and the file is whole.
func TestBulkWorkIsKilled(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(testing.TB) *machine{
		"embedded": func(t testing.TB) *machine { return newMachine(t).setup("Asia/Shanghai", "CNY") },
		"postgres": func(t testing.TB) *machine { return postgres(t).setup("Asia/Shanghai", "CNY") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := make(t)
			m.start()
			c := m.client()
			const n = 6000
			for from := 0; from < n; from += 1000 {
				ops := []string{}
				for i := from; i < from+1000; i++ {
					ops = append(ops, fmt.Sprintf(`{"op":"create","fields":{"name":"客户%d","external_id":"k%d","height_cm":160}}`, i, i))
				}
				c.want(200, c.do("POST", "/records/customer/batch", `{"operations":[`+strings.Join(ops, ",")+`]}`))
			}
			a := c.want(202, c.do("POST", "/records/customer/bulk", `{"action":"edit","changes":[{"field":"height_cm","op":"increase","value":1}]}`))
			var j bulkJob
			if err := json.Unmarshal(a.body, &j); err != nil {
				t.Fatal(err)
			}
			check := func(height float64, version int64) {
				t.Helper()
				list := m.client().all("customer")
				if len(list) != n {
					t.Fatalf("%d customers", len(list))
				}
				for ext, recs := range list {
					if recs[0].Fields["height_cm"] != height || recs[0].Version != version {
						t.Fatalf("%s: height %v, version %d; want %v, %d", ext, recs[0].Fields["height_cm"], recs[0].Version, height, version)
					}
				}
			}
			if j = killedUntil(m, j.ID, 2); j.Status != "done" || j.Result.Changed != n {
				t.Fatalf("%+v", j)
			}
			check(161, 2)
			m.client().want(200, m.client().do("POST", "/jobs/"+j.ID+"/undo", "{}"))
			if j = killedUntil(m, j.ID, 2); j.Status != "undone" || j.Result.Restored != n {
				t.Fatalf("%+v", j)
			}
			check(160, 3)
			a = m.client().want(202, m.client().do("POST", "/records/customer/exports", `{"format":"csv","encoding":"utf-8","fields":["external_id","name"]}`))
			if err := json.Unmarshal(a.body, &j); err != nil {
				t.Fatal(err)
			}
			m.kill()
			m.start()
			if j = killedUntil(m, j.ID, 0); j.Status != "done" || j.Result.Changed != n {
				t.Fatalf("%+v", j)
			}
			file := m.client().want(200, m.client().do("GET", "/jobs/"+j.ID+"/file", ""))
			if lines := strings.Count(string(file.body), "\n"); lines != n+1 {
				t.Errorf("%d lines in the file", lines)
			}
			m.stop()
			doctor(m, true)
		})
	}
}

// TestDemoLoadIsKilled: a load of the demo company that the process did not survive is finished by the next one, once.
func TestDemoLoadIsKilled(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY")
	m.start()
	m.client().want(202, m.client().do("POST", "/demo", `{"customers":6000,"orders_per_customer":3}`))
	type state struct {
		Phase     string
		Customers int
	}
	c := m.client()
	eventually(t, "a part of the load", time.Minute, func() bool {
		st := read[state](c, "GET", "/demo", "")
		return st.Customers > 0 || st.Phase == "done"
	})
	m.kill()
	m.start()
	c = m.client()
	eventually(t, "the end of the load", 2*time.Minute, func() bool { return read[state](c, "GET", "/demo", "").Phase == "done" })
	if n := c.records("customer"); n != 6000 {
		t.Errorf("%d customers", n)
	}
	codes := map[any]bool{}
	for _, recs := range c.all("product") {
		for _, r := range recs {
			if codes[r.Fields["code"]] {
				t.Errorf("product %v is there twice", r.Fields["code"])
			}
			codes[r.Fields["code"]] = true
		}
	}
	c.settled()
	m.stop()
	doctor(m, true)
}
