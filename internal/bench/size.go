package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const mb = 1 << 20

// measureSize measures the chosen parts on a demo company of n customers.
func (s *settings) measureSize(ctx context.Context, n int, d *document) error {
	d.section("%s customers of the demo company, %g orders each on average", thousands(n), s.orders)
	p, loaded, err := s.open(ctx, n, d)
	defer p.stop()
	if err != nil {
		return err
	}
	if s.parts["insight"] && !s.parts["load"] && !s.parts["requests"] && !s.parts["analytics"] && !s.parts["writes"] {
		return s.measureInsight(ctx, p, d)
	}
	c := comparison{rate: loaded.rate()}
	progress("%d customers: asking", n)
	a := asker{p: p, n: s.warm}
	if a.s, err = p.sample(s.warm); err != nil {
		return err
	}
	c.like = a.s.numbers[0]
	if s.parts["requests"] {
		if err := p.benchSegment(); err != nil {
			return err
		}
		c.kinds = append(append(a.lists(), a.finds()...), a.views()...)
		c.ours = make([]timing, len(c.kinds))
		for i, k := range c.kinds {
			if c.ours[i], err = warmed(p.processor, k); err != nil {
				return fmt.Errorf("%s: %w", k.what, err)
			}
		}
	}
	if s.parts["analytics"] {
		progress("%d customers: passes", n)
		if c.passes, err = p.passes(ctx, n); err != nil {
			return err
		}
	}
	if s.parts["insight"] {
		progress("%d customers: insight", n)
		if err := s.measureInsight(ctx, p, d); err != nil {
			return err
		}
	}
	if s.parts["writes"] {
		progress("%d customers: writing", n)
		if c.writes, err = p.writes(s.warm); err != nil {
			return err
		}
	}
	size, err := directory(p.data)
	if err != nil {
		return err
	}
	if loaded.Records > 0 {
		d.figure("on disk", float64(size)/1e6, "MB, %.0f bytes a record", float64(size)/float64(loaded.Records))
	} else {
		d.figure("on disk", float64(size)/1e6, "MB")
	}
	p.stop()
	progress("%d customers: the bare engines", n)
	return s.compare(ctx, p, d, c)
}

// open makes the company, or takes the one that is there, and starts the server.
func (s *settings) open(ctx context.Context, n int, d *document) (*program, loaded, error) {
	name := filepath.Join(s.dir, fmt.Sprintf("demo-%d-%g", n, s.orders))
	if s.reuse {
		for _, dir := range []string{s.dir, name} {
			if _, err := os.Stat(filepath.Join(dir, "instance.db")); err == nil {
				progress("%d customers: those in %s", n, dir)
				p := &program{bin: s.bin, data: dir}
				_, err := p.start(ctx)
				return p, loaded{}, err
			}
		}
	}
	progress("%d customers: loading", n)
	p, err := fresh(ctx, s, filepath.Base(name), "CNY", "Asia/Shanghai")
	if err != nil {
		return p, loaded{}, err
	}
	l, err := p.demo(ctx, n, s.orders, d)
	if err != nil {
		return p, l, err
	}
	return p, l, p.begin(ctx, s, d)
}

// benchSegment makes the segment that requests ask for, where an earlier run has not.
func (p *program) benchSegment() error {
	var list struct{ Items []struct{ Key string } }
	if err := p.call(http.MethodGet, "/segments", nil, &list); err != nil {
		return err
	}
	for _, it := range list.Items {
		if it.Key == "bench" {
			return nil
		}
	}
	return p.call(http.MethodPost, "/segments", obj{"key": "bench", "label": "基准", "kind": "dynamic", "where": obj{"trait": "orders", "op": ">=", "value": 3}}, nil)
}

// loaded is what a load of the company did.
type loaded struct {
	Records, Orders int
	Seconds         float64
	Insight         float64 `json:"insight_seconds"`
}

// rate is how many records a second, 0 where nothing was loaded.
func (l loaded) rate() float64 {
	if l.Seconds == 0 {
		return 0
	}
	return float64(l.Records) / l.Seconds
}

// usualOrders is how many orders a customer has in the company of whose load the goal speaks.
const usualOrders = 5

// demo loads the company.
func (p *program) demo(ctx context.Context, n int, orders float64, d *document) (r loaded, err error) {
	u, err := p.command(ctx, "", "demo", "load", "--customers", strconv.Itoa(n), "--orders-per-customer", strconv.FormatFloat(orders, 'g', -1, 64), "--json")
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(u.out, &r); err != nil {
		return r, err
	}
	besides := fmt.Sprintf("%s records, %s orders, %.0f records/s", thousands(r.Records), thousands(r.Orders), r.rate())
	atMost := 300 * float64(n) / 1e6 * max(orders/usualOrders, 1)
	d.goal("demo load, indexes included", seconds(r.Seconds), besides, r.Seconds <= atMost, fmt.Sprintf("%.0f s: a million of %d orders each in 5 min", atMost, usualOrders))
	d.figure("analytics, traits and classes after it", r.Insight, "s")
	d.figure("processor time of the whole command", u.cpu.Seconds(), "s, peak %d MB", u.peak/mb)
	return r, nil
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
type passes struct {
	traits, rebuild, preview time.Duration
	cpu                      time.Duration // of the pass of the traits
}

func (p *program) passes(ctx context.Context, _ int) (v passes, err error) {
	var r struct{ Seconds float64 }
	for range 2 { // the second has the file in memory
		before := p.processor()
		u, err := p.command(ctx, "", "trait", "recompute", "--json")
		if err != nil {
			return v, err
		}
		if err := json.Unmarshal(u.out, &r); err != nil {
			return v, err
		}
		v.cpu = p.processor() - before
		if u.cpu > v.cpu { // on PostgreSQL the command works itself
			v.cpu = u.cpu
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
	cpu, all                time.Duration // processor time of a create among many: until all are answered, and with everything behind them
	answer, behind          time.Duration // of a create alone: until it is answered, and then for search, mirror, traits and classes
	lag                     time.Duration
	burst                   time.Duration
}

// aloneCreates is how many creates are made one at a time, each after the one before has been followed to its end.
const aloneCreates = 30

// writes creates, reads and changes customers, and watches the mirror after a burst.
func (p *program) writes(warm int) (w written, err error) {
	n := warm * 4
	ids := make([]string, 3*n+2+aloneCreates)
	phone := int(time.Now().UnixMilli() / 100 % 90_000_000) // others than those of an earlier run on the same company
	create := func(from int) func(int) error {
		return func(i int) error {
			var made struct{ ID string }
			err := p.call(http.MethodPost, "/records/customer", obj{"fields": obj{"kind": "person", "name": fmt.Sprintf("测试客户%d", from+i),
				"phone": fmt.Sprintf("139%08d", phone+from+i), "region": at(provinces, i), "source": at(sources, i)}}, &made)
			ids[from+i] = made.ID
			return err
		}
	}
	if err := p.quiet(); err != nil {
		return w, err
	}
	before := p.processor()
	if w.one, err = measure(n, 1, create(0)); err != nil {
		return w, err
	}
	w.cpu = (p.processor() - before) / time.Duration(n+1)
	if err := p.quiet(); err != nil {
		return w, err
	}
	w.all = (p.processor() - before) / time.Duration(n+1)
	if err := p.alone(&w, create(3*n+2)); err != nil {
		return w, err
	}
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

// alone measures creates of which each finds the program at rest.
func (p *program) alone(w *written, create func(int) error) error {
	for i := range aloneCreates {
		before := p.spent()
		if err := create(i); err != nil {
			return err
		}
		answered := p.spent()
		if err := p.quiet(); err != nil {
			return err
		}
		w.answer += (answered - before) / aloneCreates
		w.behind += (p.spent() - answered) / aloneCreates
	}
	return nil
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
	var rfm time.Duration
	if s.parts["analytics"] {
		if rfm, err = b.once(ctx, "rfm"); err != nil {
			return err
		}
	}
	b.close()
	d.wide()
	if s.parts["analytics"] {
		d.pass("all traits of everyone, RFM and classes among them", c.passes.traits, rfm, 0, "bare is RFM alone; "+seconds(c.passes.cpu.Seconds())+" of processor time")
		d.pass("lifecycle classes of everyone, previewed", c.passes.preview, 0, 0, "")
		d.pass("the mirror made anew, traits and comparison included", c.passes.rebuild, 0, 0, "")
	}
	if !s.parts["writes"] {
		return nil
	}
	create, err := b.creates(ctx, 200, c.like)
	if err != nil {
		return err
	}
	w := c.writes
	d.pass("1,000 creates in one request", w.burst, 0, 0, "")
	d.pass("until analytics had them", w.lag, 0, 2*time.Second, "")
	d.rates("create, one client", w.one, create.rate, "a synced commit each")
	d.rates("create, four clients", w.four, create.rate, "commits are shared")
	d.rates("read one record, four clients", w.read, 0, "")
	d.rates("update, four clients", w.update, 0, "")
	if c.rate > 0 {
		lines, err := b.lines(ctx, 100_000)
		if err != nil {
			return err
		}
		d.bulk(c.rate, lines)
	}
	d.goal("processor time of a create among many", millis(w.cpu), millis(w.all)+" with search index, mirror and traits behind it", w.cpu <= time.Millisecond, "1 ms")
	d.figure("processor time of a create alone", float64(w.answer.Microseconds())/1000, "ms until it is answered, then %s for search index, mirror, traits and classes of the one customer", millis(w.behind))
	return nil
}

func millis(v time.Duration) string { return fmt.Sprintf("%.2f ms", float64(v.Microseconds())/1000) }

func directory(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, visit(&sum))
	return sum, err
}
