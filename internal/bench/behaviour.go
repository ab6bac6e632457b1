package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/objects"
)

// The behaviour of a shop: visits of about six events over 120 days in the order of their arrival, a few of them late; a million visitors with a
// long tail, of whom three in ten are customers; pages with a long tail; campaigns, products, baskets, tills and orders.
const (
	shopDays     = 120
	shopLast     = 20_700 // the last local day
	shopZone     = 8 * 60 * 60 * 1000
	shopVisitors = 1_000_000
	shopSpan     = 90 // days that reports look back
)

const (
	clearVisits = `DROP TABLE IF EXISTS made_visit`
	// {first} is the number of the first visit of a day, {n} how many there are; an eighth of a hundredth arrives up to twenty days late.
	makeVisits = `CREATE TEMP TABLE made_visit AS SELECT v, p, CAST({day} AS BIGINT) * 86400000 - {zone} + (v - {first}) * 86000000 // {n} AS arrived,
 CAST({day} AS BIGINT) * 86400000 - {zone} + (v - {first}) * 86000000 // {n} - CASE WHEN v % 800 = 0 THEN (CAST(hash(v + 11) % 20 AS BIGINT)) * 86400000 ELSE 0 END AS ms,
 CAST(1 + floor(pow((CAST(hash(v + 3) % 100000 AS BIGINT)) / 100000.0, 1.5) * 13) AS BIGINT) AS events,
 CASE WHEN CAST(hash(v + 5) % 10 AS BIGINT) = 0 THEN CAST(hash(v + 6) % 17 AS BIGINT) END AS campaign, CAST(hash(v) % 5 AS BIGINT) AS way, CAST(hash(v + 9) % 10 AS BIGINT) AS device
FROM (SELECT v, CAST(floor(pow((CAST(hash(v + 1) % 1000000 AS BIGINT)) / 1000000.0, 1.7) * {visitors}) AS BIGINT) AS p FROM range({first}, {first} + {n}) t(v)) x`
	makeShop = `INSERT INTO f_event ({columns})
SELECT 20000000000000 + v * 16384 + k * 512, CASE WHEN p % 10 < 3 THEN 1000000000000 + p * 4096 ELSE 9000000000000 + p * 4096 END, 9000000000000 + p * 4096, ms + k * 45000,
 (ms + k * 45000 + {zone}) // 86400000, arrived + k * 45000, 1 + v % 3, CASE WHEN r < 64 THEN 'page' ELSE 'track' END,
 CASE WHEN r < 64 THEN 'Page Viewed' WHEN r < 74 THEN 'Page Engaged' WHEN r < 86 THEN 'Product Viewed' WHEN r < 88 THEN 'Products Searched' WHEN r < 94 THEN 'Product Added'
  WHEN r < 97 THEN 'Checkout Started' ELSE 'Order Completed' END,
 CASE WHEN r >= 74 THEN 0 WHEN v % 90 = 0 THEN 8 ELSE 0 END, 'shop.example', '/p/' || page, '第' || page || '页', CASE WHEN k = 0 THEN ['', 'www.baidu.com', 'www.xiaohongshu.com', '', ''][1 + way] ELSE 'shop.example' END,
 CASE WHEN k = 0 THEN ['direct', 'search', 'social', 'ads', 'referral'][1 + way] ELSE 'internal' END,
 CASE WHEN k = 0 AND campaign IS NOT NULL THEN 'weixin' ELSE '' END, CASE WHEN k = 0 AND campaign IS NOT NULL THEN 'social' ELSE '' END, CASE WHEN k = 0 AND campaign IS NOT NULL THEN 'c' || campaign ELSE '' END, '', '',
 CASE WHEN device < 7 THEN 'mobile' ELSE 'desktop' END, CASE WHEN device < 5 THEN 'WeChat' ELSE 'Chrome' END, CASE WHEN device < 7 THEN 'Android' ELSE 'Windows' END, 'zh-CN', 'CN', ['4401', '4403', '3100', '1100'][1 + p % 4],
 CASE WHEN r >= 64 AND r < 74 THEN 3000 + CAST(hash(v * 16 + k + 4) % 60000 AS BIGINT) END, CASE WHEN r >= 97 THEN 5000 + CAST(hash(v * 16 + k + 8) % 90000 AS BIGINT) END, '', '',
 CASE WHEN r < 74 THEN '{"title":"第' || page || '页","url":"https://shop.example/p/' || page || '"}'
  WHEN r >= 97 THEN '{"order_id":"o' || v || '","revenue":' || (5000 + CAST(hash(v * 16 + k + 8) % 90000 AS BIGINT)) / 100 || ',"currency":"CNY"}'
  ELSE '{"product_id":"P' || page || '","category":"c' || page % 40 || '","price":' || 20 + page % 900 || '}' END, '{"locale":"zh-CN"}'
FROM (SELECT m.*, k, CAST(hash(v * 16 + k) % 100 AS BIGINT) AS r, CAST(floor(pow((CAST(hash(v * 16 + k + 2) % 100000 AS BIGINT)) / 100000.0, 3) * 3000) AS BIGINT) AS page
 FROM made_visit m, range(14) t(k) WHERE k < m.events) x ORDER BY arrived + k * 45000`
	makeShoppers = `INSERT INTO a_customer (id, version, created_at, created_at_day, gender) SELECT 1000000000000 + i * 4096, 1, 0, 19000, CASE WHEN i % 5 = 0 THEN 'female' ELSE 'male' END FROM range({visitors}) t(i)`
	makeBuyers   = `INSERT INTO t_order (customer_id, orders, spend_total, last_order_day, days_since_last, computed_at) SELECT 1000000000000 + i * 4096, i % 12, (i * 7919) % 1000000, {last} - i % 400, i % 400, 0 FROM range({visitors}) t(i)`
	// A visit has 5.7 events.
	shopEventsInTen = 57
)

// shop is the plane of a made-up shop. The bare window over all visits is measured by the part visits.
type shop struct {
	db     analytics.DB
	store  *analytics.Store
	events *analytics.Events
	board  *analytics.Audience
	web    *analytics.Web
	reg    *schema.Registry
	cat    *trait.Catalogue
}

// now is the evening of the last day.
func (*shop) now() time.Time { return clock.Day(shopLast).Time().Add(12 * time.Hour) }

// stopped is a clock that stands.
type stopped struct{ clock.System }

func (stopped) Now() time.Time { return (&shop{}).now() }

func (p *shop) env() compile.Env {
	return compile.Env{Registry: p.reg, Traits: p.cat, Now: p.now(), Zone: time.FixedZone("", shopZone/1000), Base: "CNY", Columnar: true}
}

// openShop opens the plane in a directory, and fills it where it is empty.
func (s *settings) openShop(ctx context.Context, dir string) (p *shop, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db, err := duckdb.Open(ctx, duckdb.Config{Dir: dir, Format: analytics.Format})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	list, err := schema.Load(objects.FS)
	if err != nil {
		return nil, err
	}
	p = &shop{db: db, store: analytics.New(db, stopped{}), events: analytics.NewEvents(db, stopped{})}
	if p.reg, err = schema.NewRegistry(list); err != nil {
		return nil, err
	}
	if p.cat, err = trait.Standard(); err != nil {
		return nil, err
	}
	p.store.Shape(1, nil)
	if err := p.store.Ensure(ctx, p.reg, trait.Defaults()); err != nil {
		return nil, err
	}
	p.board = analytics.NewAudience(p.store, p.env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
	p.web = analytics.NewWeb(db, p.board, func() *time.Location { return p.env().Zone })
	if some, err := p.web.Any(ctx); err != nil || some {
		return p, err
	}
	return p, p.fill(ctx, s.events)
}

// fill makes the behaviour day by day, and the customers.
func (p *shop) fill(ctx context.Context, events int) error {
	columns := `"` + strings.Join(analytics.EventColumns(), `", "`) + `"`
	visits := events * 10 / shopEventsInTen / shopDays
	put := func(values map[string]int, texts ...string) error {
		return p.db.Write(ctx, func(tx analytics.Tx) error {
			for _, text := range texts {
				for k, v := range values {
					text = strings.ReplaceAll(text, "{"+k+"}", fmt.Sprint(v))
				}
				if _, err := tx.Exec(ctx, strings.ReplaceAll(text, "{columns}", columns)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for i := range shopDays {
		if i%20 == 0 {
			progress("making events of day %d", i)
		}
		day := map[string]int{"day": shopLast - shopDays + 1 + i, "first": i * visits, "n": visits, "zone": shopZone, "visitors": shopVisitors}
		if err := put(day, clearVisits, makeVisits, makeShop); err != nil {
			return fmt.Errorf("make events: %w", err)
		}
	}
	return put(map[string]int{"visitors": shopVisitors, "last": shopLast}, clearVisits, makeShoppers, makeBuyers)
}

// timed is what something took by the clock and of the processor.
type timed struct{ wall, cpu time.Duration }

func (t timed) String() string {
	return fmt.Sprintf("%s, processor %s", short(t.wall), short(t.cpu))
}

func take(fn func() error) (timed, error) {
	start, before := time.Now(), own()
	err := fn()
	return timed{time.Since(start), own() - before}, err
}

// best is the shorter of two repeats.
func best(fn func() error) (timed, error) {
	first, err := take(fn)
	if err != nil {
		return first, err
	}
	second, err := take(fn)
	if second.wall < first.wall {
		return second, err
	}
	return first, err
}

// asked is one question about behaviour, with the bare statement that does its core.
type asked struct {
	what string
	goal time.Duration
	bare string
	ask  func(ctx context.Context) error
}

func (s *settings) measureBehaviour(ctx context.Context, d *document) error {
	dir := filepath.Join(s.dir, "behaviour")
	if !s.keep {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	p, err := s.openShop(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _ = p.db.Close() }()
	d.section("Behaviour, %s events", thousands(s.events))
	d.open("behaviour", "| what | ours | processor | bare | processor | goal | |")
	if err := s.behave(ctx, d, p, asked{"visits of all days made anew", 5 * time.Second, "", p.visitsAnew}); err != nil {
		return err
	}
	if s.asksReports(p) {
		rolled, err := take(func() error { return p.rollUp(ctx) })
		if err != nil {
			return fmt.Errorf("roll up: %w", err)
		}
		progress("all days rolled up: %s", rolled)
		fmt.Fprintf(&d.b, "| all days rolled up, in the background | %s | %s | | | | |\n", short(rolled.wall), short(rolled.cpu))
	}
	for _, list := range [][]asked{p.reports(), p.leaves(), p.passes()} {
		for _, a := range list {
			a.bare = strings.NewReplacer("{from}", fmt.Sprint(shopLast-shopSpan+1), "{to}", fmt.Sprint(shopLast)).Replace(a.bare)
			if err := s.behave(ctx, d, p, a); err != nil {
				return fmt.Errorf("%s: %w", a.what, err)
			}
		}
	}
	return nil
}

// asksReports says whether anything is asked that reads rollups.
func (s *settings) asksReports(p *shop) bool {
	return s.only == nil || slices.ContainsFunc(p.reports(), func(a asked) bool { return s.only.MatchString(a.what) })
}

// behave measures one question twice, and its bare statement.
func (s *settings) behave(ctx context.Context, d *document, p *shop, a asked) error {
	if s.only != nil && !s.only.MatchString(a.what) {
		return nil
	}
	ours, err := best(func() error { return a.ask(ctx) })
	if ctx.Err() != nil {
		return err
	}
	if err != nil { // what the memory of the plane does not hold is a figure too
		progress("%s: %v", a.what, err)
		fmt.Fprintf(&d.b, "| %s | fails: %s | | | | | **not met** |\n", a.what, fault.CodeOf(err))
		return nil
	}
	progress("%s: %s", a.what, ours)
	row := fmt.Sprintf("| %s | %s | %s |", a.what, short(ours.wall), short(ours.cpu))
	if a.bare != "" {
		bare, err := best(func() error { return p.plain(ctx, a.bare) })
		if err != nil {
			return err
		}
		progress("  bare: %s", bare)
		row += fmt.Sprintf(" %s | %s |", short(bare.wall), short(bare.cpu))
	} else {
		row += " | |"
	}
	if a.goal > 0 {
		row += fmt.Sprintf(" %s | %s |", short(a.goal), verdict(ours.wall <= a.goal))
	} else {
		row += " | |"
	}
	d.b.WriteString(row + "\n")
	return nil
}
