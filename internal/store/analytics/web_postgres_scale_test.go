package analytics_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// The behaviour of webPlane on PostgreSQL, in its monthly parts: visits of about six events over 180 days, ids spread as those of the program are.
const (
	pgVisits = `CREATE TEMP TABLE visit ON COMMIT DROP AS SELECT i, CAST(1 + floor(pow(random(), 1.6) * {n} / 24) AS BIGINT) * 4000000000000 AS who,
 CAST(19821 + floor(random() * 180) AS BIGINT) * 86400000 + CAST(floor(random() * 80000000) AS BIGINT) AS ms, 1 + CAST(floor(pow(random(), 1.5) * 13) AS BIGINT) AS events
FROM generate_series(0, {n} / 6 - 1) t(i) ORDER BY 3`
	pgEvents = `INSERT INTO f_event (id, customer_id, profile_id, "at", day, received_at, source_id, kind, name, flags, host, path, title, referrer_host, channel,
 utm_source, utm_medium, utm_campaign, utm_term, utm_content, device, browser, os, language, country, region, dwell_ms, amount, content, platform, properties, context)
SELECT 1 + i * 16 + k, who, who, ms + k * 60000, (ms + k * 60000) / 86400000, ms, 1, CASE WHEN r < 90 THEN 'page' ELSE 'track' END,
 CASE WHEN r < 90 THEN 'Page Viewed' WHEN r < 96 THEN 'Product Added' WHEN r < 99 THEN 'Checkout Started' ELSE 'Order Completed' END, 0, 'shop.example',
 CASE WHEN r < 90 THEN '/p/' || CAST(floor(pow(p, 3) * 3000) AS BIGINT) ELSE '' END, 'title', '', 'internal', '', '', '', '', '',
 CASE WHEN i % 2 = 0 THEN 'mobile' ELSE 'desktop' END, 'Chrome', 'Android', 'zh-CN', 'CN', '4401', 3000, 0, '', '', '{"price":12}', '{}'
FROM (SELECT v.*, k, CAST(floor(random() * 100) AS BIGINT) AS r, random() AS p FROM visit v, generate_series(0, 13) t(k) WHERE k < v.events) x`
	pgSessions = `INSERT INTO f_session SELECT 1 + i * 16, who, who, ms, ms + (events - 1) * 60000, ms / 86400000, 1, events, events, events * 3000, CASE WHEN events = 1 THEN 1 ELSE 0 END,
 CASE WHEN events > 1 THEN 1 ELSE 0 END, CASE WHEN i % 16 = 0 THEN 1 ELSE 0 END, CASE WHEN i % 16 = 0 THEN 9900 ELSE 0 END, 'shop.example', '/p/' || i % 300, '/p/' || i % 700, '',
 (ARRAY['direct', 'search', 'social', 'ads', 'referral'])[1 + i % 5], '', '', '', CASE WHEN i % 2 = 0 THEN 'mobile' ELSE 'desktop' END, 'Chrome', 'Android', 'zh-CN', 'CN', '4401' FROM visit`
)

// webPostgres is a plane on PostgreSQL with GUANXI_BENCH_EVENTS events (a million unless set), in a schema of its own; the schema
// GUANXI_BENCH_SCHEMA is filled once, kept and measured again.
func webPostgres(b *testing.B) (*bench, *analytics.Web) {
	b.Helper()
	ctx := b.Context()
	n, err := strconv.ParseInt(os.Getenv("GUANXI_BENCH_EVENTS"), 10, 64)
	if err != nil || n <= 0 {
		n = 1_000_000
	}
	p := postgresNamed(b, os.Getenv("GUANXI_BENCH_SCHEMA"))
	var have int64
	have, err = strconv.ParseInt(strings.TrimSpace(p.table(b, "SELECT count(*) FROM (SELECT 1 FROM f_event LIMIT 1) x")), 10, 64)
	must(b, err)
	if have == 0 {
		must(b, p.db.Write(ctx, func(tx analytics.Tx) error {
			for month := 4; month <= 11; month++ {
				from, to := int64(clock.NewDay(2024, time.Month(month), 1)), int64(clock.NewDay(2024, time.Month(month+1), 1))
				if _, err := tx.Exec(ctx, p.db.Dialect().Month("f_event", fmt.Sprintf("f_event_2024%02d", month), &from, &to)); err != nil {
					return err
				}
			}
			for _, text := range []string{pgVisits, pgEvents, pgSessions} {
				if _, err := tx.Exec(ctx, strings.ReplaceAll(text, "{n}", strconv.FormatInt(n, 10))); err != nil {
					return err
				}
			}
			return nil
		}))
		must(b, write(ctx, p.db, "ANALYZE f_event", "ANALYZE f_session"))
	}
	must(b, write(ctx, p.db, "TRUNCATE "+p.reg.Object("customer").Physical, `INSERT INTO `+p.reg.Object("customer").Physical+` (id, version, created_at, created_at_day, created_by, updated_at, updated_at_day, kind)
SELECT customer_id, 1, 1, 1, 1, 1, 1, 'person' FROM f_session WHERE customer_id / 4000000000000 % 3 = 0 GROUP BY customer_id`, "ANALYZE "+p.reg.Object("customer").Physical))
	// The visits are there already.
	must(b, write(ctx, p.db, "DELETE FROM plane_state WHERE key = 'events_visits'", `INSERT INTO plane_state (key, value) VALUES ('events_visits', '{"definition":"1","slices":0,"done":0}')`))
	return p, webOf(p)
}

// BenchmarkWebPostgres rolls every day up, asks every report of web analytics for the last 90 days of rollups and of the
// facts alone.
func BenchmarkWebPostgres(b *testing.B) {
	p, w := webPostgres(b)
	f := analytics.NewEvents(p.db, p.clock)
	days := 0
	start := time.Now()
	for { // what a former run has rolled up stays
		did, err := f.Rollup(b.Context())
		must(b, err)
		if did == 0 {
			break
		}
		days++
	}
	if days > 0 {
		b.Logf("%d days rolled up in %s", days, time.Since(start))
	}
	b.Log("bytes of events, visits, figures, strips: " + p.table(b, `SELECT (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'f_event'::regclass),
 pg_total_relation_size('f_session'), pg_total_relation_size('web_day'), pg_total_relation_size('web_strip')`))
	span := web.Span{From: clock.Day(19911), To: 20000}
	b.Run("rollups", func(b *testing.B) { askWeb(b, w, span) })
	b.Run("visits", func(b *testing.B) { loadPostgres(b, p, f) })
	b.Run("leaves", func(b *testing.B) { leavesPostgres(b, p) })
	b.Run("facts", func(b *testing.B) { askWeb(b, w.FromFacts(), span) })
}

// loadPostgres loads 2,000 events of as many profiles, as a busy second brings them, and makes their visits anew.
func loadPostgres(b *testing.B, p *bench, f *analytics.Events) {
	at, _, err := f.Loaded(b.Context())
	must(b, err)
	rows := make([]analytics.Row, 2000)
	for b.Loop() {
		next := at
		next.Seq += int64(len(rows))
		now := noon(20_001).UnixMilli() + at.Seq
		for i := range rows {
			d := deed{id: 9_000_000_000 + at.Seq + int64(i), profile: int64(1+i*97) * 4_000_000_000_000, at: now + int64(i), source: 1, kind: "page", name: "Page Viewed", path: "/p/1"}
			d.owner = d.profile
			rows[i] = d.row()
		}
		must(b, f.Load(b.Context(), rows, at, next))
		at = next
		_, err := f.Visits(b.Context(), analytics.VisitOptions{})
		must(b, err)
	}
}

// leavesPostgres counts customers by what they did.
func leavesPostgres(b *testing.B, p *bench) {
	cat, err := trait.Standard()
	must(b, err)
	env := func() compile.Env {
		return compile.Env{Registry: p.reg, Traits: cat, Now: p.clock.Now(), Zone: time.UTC, Base: "CNY"}
	}
	board := analytics.NewAudience(p.store, env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
	for name, text := range map[string]string{
		"did":      `{"event":"Order Completed","op":">=","value":2,"within":{"days":90}}`,
		"property": `{"event":"Product Added","where":{"property":"price","op":">","value":5},"op":">=","value":1,"within":{"days":90}}`,
		"stopped":  `{"stopped":{"event":"Order Completed"},"for":{"days":60}}`,
	} {
		n, err := query.Parse([]byte(text))
		must(b, err)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := board.Count(b.Context(), n, nil, 5)
				must(b, err)
			}
		})
	}
}
