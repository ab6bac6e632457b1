package analytics_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// Generated behaviour: visits of about six events over 180 days, people with a long tail, pages with a long tail. Nine events of ten are
// views; the others put something into the basket, go to the till and buy, each rarer than the one before.
const (
	makeVisits = `CREATE TEMP TABLE visit AS SELECT i, CAST(1 + floor(pow(random(), 1.6) * {n} / 24) AS BIGINT) * 4096 AS who,
 CAST(19821 + floor(random() * 180) AS BIGINT) * 86400000 + CAST(floor(random() * 80000000) AS BIGINT) AS ms, 1 + CAST(floor(pow(random(), 1.5) * 13) AS BIGINT) AS events FROM range({n} // 6) t(i)`
	makeEvents = `INSERT INTO f_event (id, customer_id, profile_id, "at", day, received_at, source_id, kind, name, flags, host, path, title, referrer_host, channel, device, browser, os, language, country, region, dwell_ms, amount, properties, context)
SELECT 1 + i * 16 + k, who, who, ms + k * 60000, (ms + k * 60000) // 86400000, ms, 1, CASE WHEN r < 90 THEN 'page' ELSE 'track' END,
 CASE WHEN r < 90 THEN 'Page Viewed' WHEN r < 96 THEN 'Product Added' WHEN r < 99 THEN 'Checkout Started' ELSE 'Order Completed' END, 0, 'shop.example',
 CASE WHEN r < 90 THEN '/p/' || CAST(floor(pow(random(), 3) * 3000) AS BIGINT) ELSE '' END, 'title', '', 'internal', ['mobile', 'desktop'][1 + i % 2], 'Chrome', 'Android', 'zh-CN', 'CN', '4401', 3000, 0, '{"price":12}', '{}'
FROM (SELECT v.*, k, CAST(floor(random() * 100) AS BIGINT) AS r FROM visit v, range(14) t(k) WHERE k < v.events) x`
	makeSessions = `INSERT INTO f_session SELECT 1 + i * 16, who, who, ms, ms + (events - 1) * 60000, ms // 86400000, 1, events, events, events * 3000, CASE WHEN events = 1 THEN 1 ELSE 0 END, CASE WHEN events > 1 THEN 1 ELSE 0 END, 0, 0,
 'shop.example', '/p/1', '/p/2', '', ['direct', 'search', 'social', 'ads', 'referral'][1 + i % 5], '', '', '', ['mobile', 'desktop'][1 + i % 2], 'Chrome', 'Android', 'zh-CN', 'CN', '4401' FROM visit`
)

// webPlane is a plane with GUANXI_BENCH_EVENTS events (a million unless set).
func webPlane(b *testing.B) *analytics.Web {
	b.Helper()
	p := duckBench(b, 0)
	n, err := strconv.ParseInt(os.Getenv("GUANXI_BENCH_EVENTS"), 10, 64)
	if err != nil || n <= 0 {
		n = 1_000_000
	}
	must(b, p.db.Write(b.Context(), func(tx analytics.Tx) error {
		for _, text := range []string{makeVisits, makeEvents, makeSessions} {
			if _, err := tx.Exec(b.Context(), strings.ReplaceAll(text, "{n}", strconv.FormatInt(n, 10))); err != nil {
				return err
			}
		}
		return nil
	}))
	env := func() compile.Env {
		return compile.Env{Registry: p.reg, Now: p.clock.Now(), Zone: time.UTC, Base: "CNY"}
	}
	a := analytics.NewAudience(p.store, env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
	return analytics.NewWeb(p.db, a, func() *time.Location { return time.UTC })
}

// BenchmarkWeb asks every report of web analytics for the last 90 days.
func BenchmarkWeb(b *testing.B) {
	askWeb(b, webPlane(b), web.Span{From: clock.Day(19911), To: 20000})
}

// askWeb measures every report for a span.
func askWeb(b *testing.B, w *analytics.Web, span web.Span) {
	b.Helper()
	q := web.Question{Span: span}
	search := q
	search.Is = map[web.Dimension]string{web.Channel: "search"}
	steps := []web.Step{{Event: "Page Viewed"}, {Event: "Product Added"}, {Event: "Checkout Started"}, {Event: "Order Completed"}}
	for _, one := range []struct {
		name string
		ask  func(ctx context.Context) error
	}{
		{"totals", func(ctx context.Context) error { _, err := w.Totals(ctx, q); return err }},
		{"trend", func(ctx context.Context) error { _, err := w.Trend(ctx, q, false); return err }},
		{"breakdown", func(ctx context.Context) error { _, err := w.Breakdown(ctx, q, web.Channel, 100); return err }},
		{"pages", func(ctx context.Context) error { _, err := w.Pages(ctx, q, 100); return err }},
		{"pages of a channel", func(ctx context.Context) error { _, err := w.Pages(ctx, search, 100); return err }},
		{"events", func(ctx context.Context) error { _, err := w.Events(ctx, q, 100); return err }},
		{"funnel", func(ctx context.Context) error {
			_, err := w.Funnel(ctx, q, web.Funnel{Steps: steps, Window: 7})
			return err
		}},
		{"funnel of rare events", func(ctx context.Context) error {
			_, err := w.Funnel(ctx, q, web.Funnel{Steps: append([]web.Step{{Event: "Page Viewed", Path: "/p/1"}}, steps[1:]...), Window: 7})
			return err
		}},
		{"paths", func(ctx context.Context) error {
			_, err := w.Paths(ctx, q, web.Paths{Nodes: web.PathPages, Depth: 4, Top: 7})
			return err
		}},
		{"paths from a page", func(ctx context.Context) error {
			_, err := w.Paths(ctx, q, web.Paths{Nodes: web.PathPages, Node: "/p/9", Depth: 4, Top: 7})
			return err
		}},
		{"retention", func(ctx context.Context) error {
			_, err := w.Retention(ctx, q, web.Retention{Start: web.OfVisit, Return: web.OfVisit, Period: "week"})
			return err
		}},
		{"retention of an event", func(ctx context.Context) error {
			_, err := w.Retention(ctx, q, web.Retention{Start: "Product Added", Return: "Page Viewed", Period: "week"})
			return err
		}},
		{"people", func(ctx context.Context) error {
			_, err := w.People(ctx, q, web.Behind{Visits: true}, web.PeoplePage{Anonymous: true, Limit: 50, Count: true})
			return err
		}},
	} {
		b.Run(one.name, func(b *testing.B) { measured(b, func() { must(b, one.ask(b.Context())) }) })
	}
}
