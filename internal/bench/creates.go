package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// createRun is one way of creating records for some time.
type createRun struct {
	what    string
	object  string
	clients int
	blocks  bool // a rule that refuses duplicates holds, so that they are looked for before each create
}

func createRuns() []createRun {
	return []createRun{
		{what: "customers, one client", object: "customer", clients: 1},
		{what: "customers, eight clients", object: "customer", clients: 8},
		{what: "customers, one client, a rule refuses duplicates", object: "customer", clients: 1, blocks: true},
		{what: "customers, eight clients, a rule refuses duplicates", object: "customer", clients: 8, blocks: true},
		{what: "orders, one client", object: "order", clients: 1},
		{what: "orders, eight clients", object: "order", clients: 8},
	}
}

// createdAt is what a run measured, for each record.
type createdAt struct {
	n             int
	rate          float64
	cpu, all      time.Duration // of the processor: until the last was answered, and until everything behind them was done
	behind        time.Duration // how long that took after the last answer
	p50, p95      time.Duration
	residentAfter int64
}

// measureCreates creates records one by one through the interface, for some seconds in each way, and measures the processor time that the
// server takes for them: at the last answer, and when search index, mirror, traits, sums and all other followers of the change
// log are done too.
func (s *settings) measureCreates(ctx context.Context, n int, d *document) error {
	d.section("Creates one by one, %s customers of the demo company", thousands(n))
	again := *s
	again.reuse = true // the company that other parts have loaded
	p, _, err := again.open(ctx, n, newDocument(s.bin))
	defer p.stop()
	if err != nil {
		return err
	}
	buyers, err := p.buyers()
	if err != nil {
		return err
	}
	base := int(time.Now().UnixMilli() / 100 % 90_000_000)
	for _, run := range createRuns() {
		if err := p.refuseDuplicates(run.blocks); err != nil {
			return err
		}
		progress("%d customers: creating %s (process %d)", n, run.what, p.server.Process.Pid)
		got, err := p.creates(run, buyers, base, s.seconds)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", run.what, err), p.refuseDuplicates(false))
		}
		base += got.n + 1
		d.created(run.what, got)
		progress("%s: %d, %.0f/s, %s until answered, %s with everything, %s later, p50 %s, p95 %s, %d MB", run.what, got.n, got.rate, millis(got.cpu), millis(got.all), short(got.behind),
			short(got.p50), short(got.p95), got.residentAfter/mb)
	}
	return p.refuseDuplicates(false)
}

// buyers are customers that orders are entered for.
func (p *program) buyers() (ids []string, err error) {
	var got listed
	err = p.call(http.MethodPost, "/records/customer/query", obj{"limit": 500, "fields": []string{"name"}}, &got)
	for _, it := range got.Items {
		ids = append(ids, it.ID)
	}
	return ids, err
}

// created is one row of the creates.
func (d *document) created(what string, c createdAt) {
	d.open("creates", "| what | a second | p50 | p95 | processor until answered | with everything behind it | goal | |")
	fmt.Fprintf(&d.b, "| %s | %.0f | %s | %s | %s | %s | 1 ms | %s |\n", what, c.rate, short(c.p50), short(c.p95), millis(c.cpu), millis(c.all), verdict(c.cpu <= time.Millisecond))
}

// creates runs one way for so many seconds.
func (p *program) creates(run createRun, buyers []string, base, lasts int) (c createdAt, err error) {
	if err := p.quiet(); err != nil {
		return c, err
	}
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var next atomic.Int64
	before, began := p.processor(), time.Now()
	until := began.Add(time.Duration(lasts) * time.Second)
	var wg sync.WaitGroup
	for range run.clients {
		wg.Go(func() {
			var mine []time.Duration
			var bad error
			for bad == nil && time.Now().Before(until) {
				i := int(next.Add(1))
				one := time.Now()
				bad = p.call(http.MethodPost, "/records/"+run.object, obj{"fields": createFields(run.object, buyers, base+i)}, nil)
				mine = append(mine, time.Since(one))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			failed = errors.Join(failed, bad)
		})
	}
	wg.Wait()
	ended := time.Now()
	if failed != nil {
		return c, failed
	}
	c.n = len(took)
	c.rate = float64(c.n) / ended.Sub(began).Seconds()
	c.cpu = (p.processor() - before) / time.Duration(c.n)
	if err := p.quiet(); err != nil {
		return c, err
	}
	c.behind = time.Since(ended)
	c.all = (p.processor() - before) / time.Duration(c.n)
	slices.Sort(took)
	c.p50, c.p95 = took[c.n/2], took[c.n*95/100]
	c.residentAfter = p.resident("VmRSS")
	return c, nil
}

// createFields are those of a record that nobody has entered before. Names are few, as in life, so that many customers are called alike.
func createFields(object string, buyers []string, i int) obj {
	if object == "order" {
		return obj{"customer": at(buyers, i), "gross_amount": obj{"amount": strconv.Itoa(50+i%900) + ".00", "currency": "CNY"}, "placed_at": time.Now().UTC().Format(time.RFC3339)}
	}
	return obj{"kind": "person", "name": at(families, i) + at(givenNames, i/len(families)), "phone": fmt.Sprintf("139%08d", i%100_000_000), "email": fmt.Sprintf("bench%d@guanxi.example", i),
		"region": at(provinces, i), "source": at(sources, i)}
}

//nolint:gochecknoglobals // constants
var (
	families   = []string{"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何"}
	givenNames = []string{"伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀兰", "霞", "平", "刚", "桂英"}
)

// refuseDuplicates makes all rules of customers refuse, or only warn; what a program writes is not held against rules that warn.
func (p *program) refuseDuplicates(refuse bool) error {
	var rules struct {
		Version int64 `json:"version"`
		Rules   []obj `json:"rules"`
	}
	if err := p.call(http.MethodGet, "/duplicates/customer/rules", nil, &rules); err != nil {
		return err
	}
	want := "warn"
	if refuse {
		want = "block"
	}
	changed := false
	for _, r := range rules.Rules {
		if r["action"] != want {
			r["action"], changed = want, true
		}
	}
	if !changed {
		return nil
	}
	return p.call(http.MethodPatch, "/duplicates/customer/rules", obj{"version": rules.Version, "rules": rules.Rules}, nil)
}
