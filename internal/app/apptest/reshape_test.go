package apptest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

type shapeWork struct {
	ID, State, Error   string
	Seen, Total, Found int
}

// shapes makes an object with so many records: a shop and a day that are unique together but for twins, and a size as text.
func shapes(m *machine, n, twins int) {
	m.Helper()
	c := m.client()
	c.want(201, c.do("POST", "/objects", `{"key":"lot","label":{"zh-CN":"批次","en":"Lot"}}`))
	for _, f := range []string{`{"key":"shop","type":"text","label":{"en":"Shop"}}`, `{"key":"day","type":"number","label":{"en":"Day"}}`, `{"key":"size","type":"text","label":{"en":"Size"}}`} {
		c.want(201, c.do("POST", "/objects/lot/fields", f))
	}
	for from := 0; from < n; from += 1000 {
		ops := make([]string, 0, 1000)
		for i := from; i < min(n, from+1000); i++ {
			day := i
			if i < twins {
				day = i + n - twins // as one of the last ones
			}
			ops = append(ops, fmt.Sprintf(`{"op":"create","fields":{"name":"n%d","shop":"南京路","day":%d,"size":"%d"}}`, i, day, i%5000))
		}
		c.want(200, c.do("POST", "/records/lot/batch", `{"atomic":true,"operations":[`+strings.Join(ops, ",")+`]}`))
	}
}

func (m *machine) work(id string) shapeWork {
	m.Helper()
	return read[shapeWork](m.client(), "GET", "/objects/lot/works/"+id, "")
}

func (m *machine) worked(id, state string) (w shapeWork) {
	m.Helper()
	eventually(m, "state "+state, 10*time.Minute, func() bool {
		w = m.work(id)
		if w.State == "failed" {
			m.Fatalf("failed: %s", w.Error)
		}
		return w.State == state
	})
	return w
}

func (m *machine) rule() string {
	m.Helper()
	return read[struct {
		UniqueRules []struct{ State string } `json:"unique_rules"`
	}](m.client(), "GET", "/objects/lot", "").UniqueRules[0].State
}

const lotRule = `{"unique_rules":[{"label":{"zh-CN":"门店当天","en":"Shop and day"},"fields":["shop","day"]}]}`

// TestShapeAfterKill: the check of a unique rule and the change of a field's type are killed again and again; each finds what there is to
// find once, and every value is converted once.
func TestShapeAfterKill(t *testing.T) {
	t.Parallel()
	onMachines(t, killShape)
}

func killShape(t *testing.T, m *machine) {
	m.start()
	const n, twins = 9_000, 40
	shapes(m, n, twins)
	random := rand.New(rand.NewPCG(2, 6)) //nolint:gosec // a test
	m.client().want(200, m.client().do("PATCH", "/objects/lot", lotRule))
	for range 3 {
		m.soonKilled(random, 20, 300)
	}
	eventually(t, "the check", 2*time.Minute, func() bool { return m.rule() == "clash" })
	clashes := read[struct{ Total int }](m.client(), "GET", "/objects/lot/unique/unique_1/clashes", "")
	if clashes.Total != twins {
		t.Errorf("%d clashes, want %d", clashes.Total, twins)
	}
	w := read[shapeWork](m.client(), "POST", "/objects/lot/fields/size/convert", `{"type":"number"}`)
	for range 2 {
		m.soonKilled(random, 20, 200)
	}
	if w = m.worked(w.ID, "checked"); w.Found != 0 {
		t.Errorf("%+v", w)
	}
	m.client().want(202, m.client().do("POST", "/objects/lot/works/"+w.ID+"/start", ""))
	for range 4 {
		m.soonKilled(random, 50, 600)
	}
	m.worked(w.ID, "done")
	c := m.client()
	if got := read[struct{ Count int }](c, "POST", "/records/lot/count", `{"where":{"field":"size","op":"<","value":5000}}`).Count; got != n {
		t.Errorf("%d values converted, want %d", got, n)
	}
	p := read[page](c, "POST", "/records/lot/query", `{"limit":500,"sort":[{"field":"id"}]}`)
	for _, r := range p.Items {
		if r.Version != 2 || fmt.Sprint(r.Fields["size"]) == "" {
			t.Fatalf("%+v at version %d", r.Fields, r.Version)
		}
	}
	m.stop()
	doctor(m, true)
}

// waits measures how long a person waits who changes a customer again and again.
type waits struct {
	spans []time.Duration
	stop  chan struct{}
	done  chan struct{}
}

func (m *machine) waiting(rec string) *waits {
	w := &waits{stop: make(chan struct{}), done: make(chan struct{})}
	c := m.client().with("If-Match", "*")
	go func() {
		defer close(w.done)
		for n := 0; ; n++ {
			select {
			case <-w.stop:
				return
			case <-time.NewTimer(5 * time.Millisecond).C:
			}
			began := time.Now()
			a, err := c.ask("PATCH", "/records/customer/"+rec, "application/json", strings.NewReader(fmt.Sprintf(`{"fields":{"note":"n%d"}}`, n)))
			if err != nil || a.status != 200 {
				c.Errorf("%d %v %.200s", a.status, err, a.body)
				return
			}
			w.spans = append(w.spans, time.Since(began))
		}
	}()
	return w
}

func (w *waits) String() string {
	close(w.stop)
	<-w.done
	slices.Sort(w.spans)
	n := len(w.spans)
	if n == 0 {
		return "no writes"
	}
	over := n - func() int { i, _ := slices.BinarySearch(w.spans, 200*time.Millisecond); return i }()
	return fmt.Sprintf("%d writes meanwhile: median %s, p99 %s, longest %s, over 200 ms %d", n, w.spans[n/2], w.spans[n*99/100], w.spans[n-1], over)
}

// TestLongWorkLetsOthersWrite measures long work on large tables, and how long others wait meanwhile. Nothing is asserted about times.
func TestLongWorkLetsOthersWrite(t *testing.T) {
	if !long() {
		t.Skip("GUANXI_LONG=1 measures")
	}
	m := newMachine(t).setup("Asia/Shanghai", "CNY").start()
	c := m.client()
	rec1 := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"甲"}}`).ID
	measure := func(what string, fn func()) {
		t.Helper()
		m.quiet()
		w, began := m.waiting(rec1), time.Now()
		fn()
		t.Logf("%s: %s; %s", what, time.Since(began).Round(10*time.Millisecond), w)
	}
	measure("nothing, 5 s", func() { <-time.NewTimer(5 * time.Second).C })

	const n = 300_000
	shapes(m, n, 100)
	measure("unique rule over two fields, 300,000 records", func() {
		c.want(200, c.do("PATCH", "/objects/lot", lotRule))
		eventually(t, "the check", 10*time.Minute, func() bool { return m.rule() == "clash" })
	})
	var w shapeWork
	measure("trying another type, 300,000 records", func() {
		w = read[shapeWork](c, "POST", "/objects/lot/fields/size/convert", `{"type":"number"}`)
		m.worked(w.ID, "checked")
	})
	measure("another type, 300,000 records", func() {
		c.want(202, c.do("POST", "/objects/lot/works/"+w.ID+"/start", ""))
		m.worked(w.ID, "done")
	})
	measure("an index, 300,000 records", func() {
		c.want(200, c.do("PATCH", "/objects/lot/fields/day", `{"indexed":true}`))
		<-time.NewTimer(20 * time.Second).C // within which it is made
	})

	a, b := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"留"}}`).ID, read[rec](c, "POST", "/records/customer", `{"fields":{"name":"并"}}`).ID
	const orders = 100_000
	for from := 0; from < orders; from += 1000 {
		ops := make([]string, 1000)
		for i := range ops {
			ops[i] = fmt.Sprintf(`{"op":"create","fields":{"customer":%q,"external_id":"o%d"}}`, b, from+i)
		}
		c.want(200, c.do("POST", "/records/order/batch", `{"atomic":true,"operations":[`+strings.Join(ops, ",")+`]}`))
	}
	var merge struct{ Merge string }
	measure("merge with 100,000 orders", func() {
		began := time.Now()
		merge = read[struct{ Merge string }](c, "POST", "/records/customer/merge", `{"survivor":"`+a+`","ids":["`+b+`"]}`)
		t.Logf("answered after %s", time.Since(began))
		eventually(t, "the end", 10*time.Minute, func() bool {
			return !anyMoving(read[mergeShown](c, "GET", "/records/customer/"+a+"/merges", ""))
		})
	})
	measure("taking it back", func() {
		c.want(200, c.do("POST", "/records/customer/unmerge", `{"merge":"`+merge.Merge+`"}`))
		eventually(t, "the end", 10*time.Minute, func() bool {
			return read[struct{ Count int }](c, "POST", "/records/order/count", `{"where":{"field":"customer","op":"=","value":"`+b+`"},"exact":true}`).Count == orders
		})
	})
	m.stop()
}
