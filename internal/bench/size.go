package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"time"
)

const mb = 1 << 20

// measureSize measures everything on a demo company of n customers.
func (s *settings) measureSize(ctx context.Context, n int, d *document) error {
	progress("%d customers: loading", n)
	p, err := fresh(ctx, s, "demo-"+strconv.Itoa(n), "CNY", "Asia/Shanghai")
	defer p.stop()
	if err != nil {
		return err
	}
	d.section("%s customers of the demo company", thousands(n))
	records, rate, err := p.demo(ctx, n, d)
	if err != nil {
		return err
	}
	if err := p.begin(ctx, s, d); err != nil {
		return err
	}
	progress("%d customers: asking", n)
	a := asker{p: p, n: s.warm}
	if a.s, err = p.sample(s.warm); err != nil {
		return err
	}
	if err := p.call(http.MethodPost, "/segments", obj{"key": "bench", "label": "基准", "kind": "dynamic", "where": obj{"trait": "orders", "op": ">=", "value": 3}}, nil); err != nil {
		return err
	}
	kinds := append(append(a.lists(), a.finds()...), a.views()...)
	ours := make([]timing, len(kinds))
	for i, k := range kinds {
		if ours[i], err = charged(p.processor, k.n, clients, k.ask); err != nil {
			return fmt.Errorf("%s: %w", k.what, err)
		}
	}
	progress("%d customers: passes", n)
	passes, err := p.passes(ctx, n)
	if err != nil {
		return err
	}
	progress("%d customers: writing", n)
	w, err := p.writes(s.warm)
	if err != nil {
		return err
	}
	size, err := directory(p.data)
	if err != nil {
		return err
	}
	d.figure("on disk", float64(size)/1e6, "MB, %.0f bytes a record", float64(size)/float64(records))
	p.stop()
	progress("%d customers: the bare engines", n)
	return s.compare(ctx, p, d, comparison{kinds: kinds, ours: ours, passes: passes, writes: w, rate: rate, like: a.s.numbers[0]})
}

// demo loads the company; it answers how many records and how many a second.
func (p *program) demo(ctx context.Context, n int, d *document) (int, float64, error) {
	u, err := p.command(ctx, "", "demo", "load", "--customers", strconv.Itoa(n), "--json")
	if err != nil {
		return 0, 0, err
	}
	var r struct {
		Records, Orders int
		Seconds         float64
		Insight         float64 `json:"insight_seconds"`
	}
	if err := json.Unmarshal(u.out, &r); err != nil {
		return 0, 0, err
	}
	rate := float64(r.Records) / r.Seconds
	d.goal("demo load, indexes included", seconds(r.Seconds), fmt.Sprintf("%s records, %s orders, %.0f records/s", thousands(r.Records), thousands(r.Orders), rate),
		r.Seconds <= 300*float64(n)/1e6, "a million in 5 min")
	d.figure("analytics, traits and classes after it", r.Insight, "s")
	d.figure("processor time of the whole command", u.cpu.Seconds(), "s, peak %d MB", u.peak/mb)
	return r.Records, rate, nil
}

// begin starts the server and reads what it takes when idle.
func (p *program) begin(ctx context.Context, s *settings, d *document) error {
	ready, err := p.start(ctx)
	if err != nil {
		return err
	}
	d.goal("start until ready", short(ready), "", ready < 2*time.Second, "2 s")
	progress("waiting for the search index")
	waited := time.Now()
	if _, err := p.caughtUp(2 * time.Hour); err != nil {
		return err
	}
	d.figure("search index after the load", time.Since(waited).Seconds(), "s in the background")
	p.stop()
	if _, err := p.start(ctx); err != nil {
		return err
	}
	if err := p.call(http.MethodPost, "/records/customer/query", obj{"limit": pageSize}, nil); err != nil {
		return err
	}
	if err := p.call(http.MethodPost, "/segments/count", obj{"where": six(0)}, nil); err != nil {
		return err
	}
	peak := p.resident("VmHWM")
	time.Sleep(time.Duration(s.settle) * time.Second)
	rss, anon := p.resident("VmRSS"), p.resident("RssAnon")
	d.goal("memory after a list and a count", fmt.Sprintf("%d MB", rss/mb), fmt.Sprintf("%d MB of it its own, the rest pages of the program file; %d MB at the count", anon/mb, peak/mb), rss < 150*mb, "150 MB")
	return nil
}

// passes are computations over everyone.
type passes struct{ traits, rebuild, preview time.Duration }

func (p *program) passes(ctx context.Context, _ int) (v passes, err error) {
	var r struct{ Seconds float64 }
	for range 2 { // the second has the file in memory
		u, err := p.command(ctx, "", "trait", "recompute", "--json")
		if err != nil {
			return v, err
		}
		if err := json.Unmarshal(u.out, &r); err != nil {
			return v, err
		}
	}
	v.traits = time.Duration(r.Seconds * float64(time.Second))
	var list struct{ Items []obj }
	if err := p.call(http.MethodGet, "/classifications", nil, &list); err != nil {
		return v, err
	}
	for _, c := range list.Items {
		if c["key"] != "lifecycle" {
			continue
		}
		var classes []obj
		for _, x := range c["classes"].([]any) {
			m := x.(obj)
			classes = append(classes, obj{"key": m["key"], "label": m["label"], "color": m["color"], "where": m["where"]})
		}
		t, err := measure(5, 1, func(int) error {
			return p.call(http.MethodPost, "/classifications/lifecycle/preview", obj{"classes": classes}, nil)
		})
		if err != nil {
			return v, err
		}
		v.preview = t.p50
	}
	u, err := p.command(ctx, "", "rebuild", "analytics", "--json")
	if err != nil {
		return v, err
	}
	err = json.Unmarshal(u.out, &r)
	v.rebuild = time.Duration(r.Seconds * float64(time.Second))
	return v, err
}

// written is what writing by requests takes.
type written struct {
	one, four, read, update timing
	cpu, all                time.Duration // processor time of a create: until it is answered, and with search and mirror behind it
	lag                     time.Duration
	burst                   time.Duration
}

// writes creates, reads and changes customers, and watches the mirror after a burst.
func (p *program) writes(warm int) (w written, err error) {
	n := warm * 4
	ids := make([]string, 3*n+2)
	create := func(from int) func(int) error {
		return func(i int) error {
			var made struct{ ID string }
			err := p.call(http.MethodPost, "/records/customer", obj{"fields": obj{"kind": "person", "name": fmt.Sprintf("测试客户%d", from+i),
				"phone": fmt.Sprintf("139%08d", from+i), "region": at(provinces, i), "source": at(sources, i)}}, &made)
			ids[from+i] = made.ID
			return err
		}
	}
	before := p.processor()
	if w.one, err = measure(n, 1, create(0)); err != nil {
		return w, err
	}
	w.cpu = (p.processor() - before) / time.Duration(n+1)
	if _, err := p.caughtUp(time.Minute); err != nil {
		return w, err
	}
	w.all = (p.processor() - before) / time.Duration(n+1)
	if w.four, err = measure(n, clients, create(n+1)); err != nil {
		return w, err
	}
	if w.read, err = measure(2*n, clients, func(i int) error { return p.call(http.MethodGet, "/records/customer/"+ids[i%n], nil, nil) }); err != nil {
		return w, err
	}
	if w.update, err = measure(n, clients, func(i int) error {
		return p.call(http.MethodPatch, "/records/customer/"+ids[i%(n+1)], obj{"version": 1 + i/(n+1), "fields": obj{"occupation": fmt.Sprintf("职业%d", i)}}, nil)
	}); err != nil {
		return w, err
	}
	if _, err := p.caughtUp(time.Minute); err != nil {
		return w, err
	}
	var ops []obj
	for i := range 1000 {
		ops = append(ops, obj{"op": "create", "fields": obj{"kind": "person", "name": fmt.Sprintf("批量客户%d", i), "region": at(provinces, i)}})
	}
	begin := time.Now()
	if err := p.call(http.MethodPost, "/records/customer/batch", obj{"operations": ops}, nil); err != nil {
		return w, err
	}
	w.burst = time.Since(begin)
	w.lag, err = p.caughtUp(time.Minute)
	return w, err
}

// comparison is what is set against the bare engines.
type comparison struct {
	kinds  []kind
	ours   []timing
	passes passes
	writes written
	rate   float64 // records a second of the load
	like   int64   // a customer to copy
}

func (s *settings) compare(ctx context.Context, p *program, d *document, c comparison) error {
	b, err := openBare(p)
	if err != nil {
		return err
	}
	defer b.close()
	d.table()
	for i, k := range c.kinds {
		var t timing
		if len(k.bare) > 0 {
			if t, err = b.measure(ctx, k); err != nil {
				return err
			}
		}
		d.row(k.what, c.ours[i], t, k.goal)
	}
	rfm, err := b.once(ctx, "rfm")
	if err != nil {
		return err
	}
	b.close()
	create, err := b.creates(ctx, 200, c.like)
	if err != nil {
		return err
	}
	lines, err := b.lines(ctx, 100_000)
	if err != nil {
		return err
	}
	w := c.writes
	d.wide()
	d.pass("all traits of everyone, RFM and classes among them", c.passes.traits, rfm, 0, "bare is RFM alone")
	d.pass("lifecycle classes of everyone, previewed", c.passes.preview, 0, 0, "")
	d.pass("the mirror made anew, traits and comparison included", c.passes.rebuild, 0, 0, "")
	d.pass("1,000 creates in one request", w.burst, 0, 0, "")
	d.pass("until analytics had them", w.lag, 0, 2*time.Second, "")
	d.rates("create, one client", w.one, create.rate, "a synced commit each")
	d.rates("create, four clients", w.four, create.rate, "commits are shared")
	d.rates("read one record, four clients", w.read, 0, "")
	d.rates("update, four clients", w.update, 0, "")
	d.bulk(c.rate, lines)
	d.goal("processor time of a create", fmt.Sprintf("%.2f ms", float64(w.cpu.Microseconds())/1000),
		fmt.Sprintf("%.2f ms with search index and mirror behind it", float64(w.all.Microseconds())/1000), w.cpu <= time.Millisecond, "1 ms")
	return nil
}

func directory(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, visit(&sum))
	return sum, err
}
