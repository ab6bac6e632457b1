package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/facet"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/objects"
)

// Events from the inbox to analysis, by themselves: so many events of ninety days in DuckDB, loaded as the program loads them, and the visits of all of
// them made anew in one pass; bare is the least a window over the same rows can do, which finds where visits begin and counts them.
const (
	visitDays   = 90
	loadedInAll = 1_000_000 // as the program loads them; the rest is made by the engine itself
	loadedAtOne = 20_000
	dayLength   = 24 * 60 * 60 * 1000
)

// madeEvents fills f_event with visits of five events a minute apart, by profiles that come back a few times: {n} of them from {begin} on, by so many {profiles}.
const madeEvents = `INSERT INTO f_event SELECT i + 1, 10000000 + hash(i // 5) % {profiles}, 10000000 + hash(i // 5) % {profiles},
 {begin} + hash(i // 5 + 7) % 7776000000 + (i % 5) * 60000, ({begin} + hash(i // 5 + 7) % 7776000000 + (i % 5) * 60000) // 86400000, 0, 1,
 CASE WHEN i % 5 = 3 THEN 'track' ELSE 'page' END, CASE WHEN i % 5 = 3 THEN CASE WHEN i % 15 = 3 THEN 'Page Engaged' ELSE 'Product Added' END ELSE 'Page Viewed' END, 0,
 'shop.example', '/p/' || (i * 7919) % 5000, '第' || (i * 7919) % 5000 || '页', CASE WHEN i % 5 = 0 THEN 'www.baidu.com' ELSE 'shop.example' END, CASE WHEN i % 5 = 0 THEN 'search' ELSE 'internal' END,
 CASE WHEN i % 50 = 0 THEN 'weixin' ELSE '' END, CASE WHEN i % 50 = 0 THEN 'social' ELSE '' END, CASE WHEN i % 50 = 0 THEN 'c' || i % 17 ELSE '' END, '', '',
 CASE WHEN hash(i // 5) % 3 = 0 THEN 'desktop' ELSE 'mobile' END, 'Chrome', 'Windows', 'zh-CN', 'CN', '330000', CASE WHEN i % 15 = 3 THEN 12000 END, NULL, '', '', '{"title":"页"}', '{"locale":"zh-CN"}'
FROM range({n}) r(i)`

const bareVisits = `SELECT count(*), sum(events) FROM (SELECT profile_id, visit, count(*) AS events, min(ms), max(ms) FROM (
 SELECT profile_id, ms, sum(begins) OVER (PARTITION BY profile_id ORDER BY ms) AS visit FROM (
  SELECT e.profile_id, e.at AS ms, CASE WHEN e.at - lag(e.at) OVER (PARTITION BY e.profile_id ORDER BY e.at) <= 1800000 THEN 0 ELSE 1 END AS begins FROM f_event e) x) y GROUP BY profile_id, visit) z`

func (s *settings) measureVisits(ctx context.Context, d *document) (err error) {
	dir := filepath.Join(s.dir, "visits")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := duckdb.Open(ctx, duckdb.Config{Dir: dir, Format: analytics.Format})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	list, err := schema.Load(objects.FS)
	if err != nil {
		return err
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		return err
	}
	if err := analytics.New(db, clock.System{}).Ensure(ctx, reg, trait.Defaults()); err != nil {
		return err
	}
	f := analytics.NewEvents(db, clock.System{})
	begin := time.Now().Add(-visitDays * 24 * time.Hour).UnixMilli()
	begin -= begin % dayLength
	n := s.events
	progress("making %d events", n)
	err = db.Write(ctx, func(tx analytics.Tx) error {
		_, err := tx.Exec(ctx, strings.NewReplacer("{n}", fmt.Sprint(n), "{begin}", fmt.Sprint(begin), "{profiles}", fmt.Sprint(max(n/20, 1))).Replace(madeEvents))
		return err
	})
	if err != nil {
		return err
	}
	d.section("Events and visits, %d million events of %d days", n/1_000_000, visitDays)
	if err := s.visitPasses(ctx, d, f, db); err != nil {
		return err
	}
	return loadEvents(ctx, d, f, begin)
}

// visitPasses measures a pass over all profiles, beside the bare window, and the visits of a batch.
func (s *settings) visitPasses(ctx context.Context, d *document, f *analytics.Events, db analytics.DB) error {
	pass := func() (time.Duration, time.Duration, error) {
		start, before := time.Now(), own()
		for {
			if did, err := f.Visits(ctx, analytics.VisitOptions{}); err != nil || did == 0 {
				return time.Since(start), own() - before, err
			}
		}
	}
	took, cpu, err := pass()
	if err != nil {
		return err
	}
	start, before := time.Now(), own()
	rows, err := db.Query(ctx, bareVisits)
	if err != nil {
		return err
	}
	var visits, events int64
	for rows.Next() {
		if err := rows.Scan(&visits, &events); err != nil {
			return err
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	bare, bareCPU := time.Since(start), own()-before
	d.wide()
	d.pass("all visits made anew", took, bare, 5*time.Second, fmt.Sprintf("%d visits; processor %s, bare %s", visits, short(cpu), short(bareCPU)))
	if err := f.RemakeVisits(ctx); err != nil {
		return err
	}
	if took, cpu, err = pass(); err != nil {
		return err
	}
	d.pass("… in the place of those that were there", took, 0, 0, "processor "+short(cpu))
	return nil
}

// loadEvents loads events as the program does: facets read, appended, marked; then the visits of each batch.
func loadEvents(ctx context.Context, d *document, f *analytics.Events, begin int64) error {
	reader, rates := facet.NewReader(), facet.Rates{Base: "CNY"}
	var read, loading, visiting, readCPU, loadCPU, visitCPU time.Duration
	at := change.Position{}
	timed := func(took, cpu *time.Duration, fn func() error) error {
		start, before := time.Now(), own()
		err := fn()
		*took += time.Since(start)
		*cpu += own() - before
		return err
	}
	for first := 0; first < loadedInAll; first += loadedAtOne {
		rows := make([]analytics.Row, 0, loadedAtOne)
		err := timed(&read, &readCPU, func() error {
			for i := range loadedAtOne {
				rows = append(rows, loadedRow(reader, rates, first+i, begin))
			}
			return nil
		})
		next := change.Position{Seq: at.Seq + loadedAtOne}
		if err == nil {
			err = timed(&loading, &loadCPU, func() error { return f.Load(ctx, rows, at, next) })
		}
		if err == nil {
			err = timed(&visiting, &visitCPU, func() error { _, err := f.Visits(ctx, analytics.VisitOptions{}); return err })
		}
		if err != nil {
			return err
		}
		at = next
	}
	each := func(v time.Duration) string {
		return fmt.Sprintf("%.1f µs of the processor each", float64(v.Nanoseconds())/1000/loadedInAll)
	}
	d.figure("events loaded, a second", loadedInAll/(read+loading).Seconds(), "/s, of which reading facets %s and adding rows %s", each(readCPU), each(loadCPU))
	d.figure("visits of a batch of 20,000 made anew", visiting.Seconds()*1000*loadedAtOne/loadedInAll, "ms, %s", each(visitCPU))
	return nil
}

// loadedRow is a page looked at yesterday, as the inbox holds it.
func loadedRow(reader *facet.Reader, rates facet.Rates, i int, begin int64) analytics.Row {
	profile := id.ID(50_000_000 + i/8)
	when := begin + (visitDays-1)*dayLength + int64(i)*80
	e := event.Event{ID: id.ID(1_000_000_000 + i), Source: 1, Kind: event.Page, Name: event.PageViewed, At: when, ReceivedAt: when, Profile: profile,
		Properties: json.RawMessage(fmt.Sprintf(`{"url":"https://shop.example/p/%d?utm_source=weixin&sid=%d","title":"第%d页","referrer":"https://www.baidu.com/s?wd=x"}`, i%5000, i, i%5000)),
		Context: json.RawMessage(`{"page":{"url":"https://shop.example/p/1","title":"页"},"locale":"zh-CN","userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.` +
			strings.Repeat("1", i%3+1) + `.0 Safari/537.36","campaign":{"source":"weixin"},"library":{"name":"t.js","version":"1"}}`)}
	e.Day = clock.DayOf(time.UnixMilli(when), time.UTC)
	return analytics.NewRow(&e, analytics.Owner{ID: profile}, reader.Read(&e, rates))
}
