package analytics_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/internal/store/mirror"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
)

// The benchmarks run on GUANXI_BENCH_CUSTOMERS customers (50,000 unless set), ten times as many orders and twenty times as
// many lines, in the 512 MB that the plane has by default. Besides the wall time they report the processor time.
func benchCustomers() int64 {
	n, err := strconv.ParseInt(os.Getenv("GUANXI_BENCH_CUSTOMERS"), 10, 64)
	if err != nil || n <= 0 {
		return 50_000
	}
	return n
}

// Generated data: customers by their number times 4096, orders over 2,000 days with a long tail of customers.
const (
	makeCustomers = `INSERT INTO a_customer (id, version, created_at, name) SELECT i * 4096, 1, i, 'c' || i FROM range(1, {c} + 1) t(i)`
	makeOrders    = `INSERT INTO a_order (id, version, number, customer, status, placed_at, placed_at_day, store, channel, net_amount, net_amount_base, discount_amount_base, cost_amount_base)
SELECT i * 4096, 1, 'SO' || i, CAST(1 + floor(pow(random(), 1.5) * {c}) AS BIGINT) * 4096, CASE WHEN i % 20 = 0 THEN 'cancelled' WHEN i % 2 = 0 THEN 'confirmed' ELSE 'completed' END,
 (18000 + i * 2000 // ({c} * 10)) * 86400000, 18000 + i * 2000 // ({c} * 10), 1 + i % 300, 1 + i % 8, v, v, 500, v // 3
FROM (SELECT i, CAST(floor(random() * random() * 100000) AS BIGINT) AS v FROM range({c} * 10) t(i)) x`
	makeLines = `INSERT INTO a_order_line (id, version, "order", customer, product, variant, quantity, amount_base, placed_at, placed_at_day, status, category, brand)
SELECT o.id + k, 1, o.id, o.customer, CAST(floor(random() * 5000) AS BIGINT), CAST(floor(random() * 20000) AS BIGINT), 1000, o.net_amount_base // 2, o.placed_at, o.placed_at_day, o.status,
 'category ' || (o.id // 4096 % 30), 'brand ' || (o.id // 4096 % 50) FROM a_order o, range(1, 3) t(k)`
	makeRefunds = `INSERT INTO a_refund (id, customer, refunded_at_day, amount_base) SELECT id, customer, placed_at_day + 3, net_amount_base FROM a_order WHERE id // 4096 % 20 = 3`
)

var makeSmall = []string{
	`INSERT INTO a_product (id, name) SELECT i, 'p' || i FROM range(5000) t(i)`,
	`INSERT INTO a_variant (id, size) SELECT i, ['S', 'M', 'L', 'XL'][1 + i % 4] FROM range(20000) t(i)`,
	`INSERT INTO a_channel (id, name, kind) SELECT i, 'channel ' || i, CASE WHEN i < 4 THEN 'online' ELSE 'offline' END FROM range(1, 9) t(i)`,
	`INSERT INTO a_store (id, name) SELECT i, 'store ' || i FROM range(1, 301) t(i)`,
}

const benchAnchor = clock.Day(20_000)

func benchPlane(b *testing.B) *bench {
	b.Helper()
	p := duckBench(b, 0)
	p.store = analytics.New(p.db, clock.System{})
	n := strconv.FormatInt(benchCustomers(), 10)
	for _, text := range append(makeSmall, makeCustomers, makeOrders, makeLines, makeRefunds) {
		must(b, write(b.Context(), p.db, strings.ReplaceAll(text, "{c}", n)))
	}
	return p
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measured runs fn b.N times and reports the processor time beside the wall time.
func measured(b *testing.B, fn func()) {
	b.Helper()
	before := cpu()
	for b.Loop() {
		fn()
	}
	b.ReportMetric((cpu()-before).Seconds()/float64(b.N), "cpu-s/op")
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		b.ReportMetric(float64(u.Maxrss)/1024, "peak-MB")
	}
}

func BenchmarkTraits(b *testing.B) {
	p := benchPlane(b)
	ctx := context.Background()
	b.Run("full pass", func(b *testing.B) {
		measured(b, func() {
			_, err := p.store.Full(ctx, pass(benchAnchor, trait.Defaults()), benchAnchor)
			must(b, err)
		})
	})
	b.Run("recency, frequency and monetary value of all", func(b *testing.B) {
		measured(b, func() {
			must(b, write(ctx, p.db, `CREATE OR REPLACE TEMP TABLE bare AS SELECT customer_id, max(day) AS last, count(*) AS n, CAST(sum(amount) AS BIGINT) AS amount
FROM f_purchase GROUP BY customer_id`))
		})
	})
	b.Run("small pass of 5000 customers", func(b *testing.B) {
		measured(b, func() {
			must(b, write(ctx, p.db, `INSERT INTO trait_touched (customer_id, batch) SELECT id, 1 FROM a_customer ORDER BY md5(CAST(id AS TEXT)) LIMIT 5000`))
			_, err := p.store.Small(ctx, pass(benchAnchor, trait.Defaults()))
			must(b, err)
		})
	})
	b.Run("small pass of one customer", func(b *testing.B) {
		measured(b, func() {
			must(b, write(ctx, p.db, `INSERT INTO trait_touched (customer_id, batch) VALUES (4096, 1)`))
			_, err := p.store.Small(ctx, pass(benchAnchor, trait.Defaults()))
			must(b, err)
		})
	})
	b.Run("cohorts", func(b *testing.B) {
		measured(b, func() {
			_, err := p.store.Cohorts(ctx, benchAnchor)
			must(b, err)
		})
	})
}

func BenchmarkMirrorFill(b *testing.B) {
	ctx := context.Background()
	dir := b.TempDir()
	reg := registry(b)
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "records.db")})
	must(b, err)
	b.Cleanup(func() { must(b, db.Close()) })
	_, err = sqlstore.Migrate(ctx, db, migrations.Files, "migration")
	must(b, err)
	records := sqlstore.New(sqlstore.Config{DB: db})
	_, err = records.Ensure(ctx, reg)
	must(b, err)
	n := strconv.FormatInt(benchCustomers(), 10)
	for _, text := range []string{
		`WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {c}) INSERT INTO r_customer (id, version, created_at, created_at_day, updated_at, updated_at_day, name, name_fold, name_sort, kind)
SELECT i * 4096, 1, i, 20000, i, 20000, 'customer ' || i, 'customer ' || i, 'customer ' || i, 'person' FROM s`,
		`WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {c} * 10) INSERT INTO r_order (id, version, created_at, created_at_day, updated_at, updated_at_day, number, customer, status, placed_at, placed_at_day, store, channel, gross_amount, gross_amount_currency, gross_amount_base, net_amount, net_amount_currency, net_amount_base)
SELECT i * 4096, 1, i, 20000, i, 20000, 'SO' || i, (1 + i % {c}) * 4096, 'confirmed', i, 20000, 1 + i % 300, 1 + i % 8, 10000, 'CNY', 10000, 9000, 'CNY', 9000 FROM s`,
	} {
		must(b, records.Write(ctx, func(c sqlstore.Conn) error {
			_, err := c.Exec(ctx, strings.ReplaceAll(text, "{c}", n))
			return err
		}))
	}
	plane, err := duckdb.Open(ctx, duckdb.Config{Dir: dir, Format: analytics.Format})
	must(b, err)
	b.Cleanup(func() { must(b, plane.Close()) })
	must(b, analytics.New(plane, clock.System{}).Ensure(ctx, reg, trait.Defaults()))
	m := mirror.New(mirror.Config{DB: plane, Log: records.Log(), Clock: clock.System{}, Logger: slog.New(slog.DiscardHandler),
		Registry: func() *schema.Registry { return reg },
		Records: mirror.Records{Read: func(ctx context.Context, fn func(mirror.Conn) error) error {
			return records.Read(ctx, func(c sqlstore.Conn) error { return fn(c) })
		}}})
	measured(b, func() {
		must(b, m.Rebuild(ctx))
		must(b, m.Drain(ctx))
	})
	b.ReportMetric(float64(benchCustomers()*11)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	rep, err := m.Reconcile(ctx)
	must(b, err)
	if !rep.Equal() || rep.Rows != benchCustomers()*11 {
		b.Fatalf("the filled plane differs: %+v", rep)
	}
}
