package analytics

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
)

// Reports implements report.Facts.
type Reports struct {
	db      DB
	anchor  func(context.Context) (clock.Day, error)
	fresh   func(context.Context) (report.Freshness, error)
	version func(context.Context) (string, error)
}

var _ report.Facts = (*Reports)(nil)

// NewReports answers from db; anchor and fresh say which day windows end on and how old the plane is, version is another
// text whenever the plane has changed.
func NewReports(db DB, anchor func(context.Context) (clock.Day, error), fresh func(context.Context) (report.Freshness, error), version func(context.Context) (string, error)) *Reports {
	return &Reports{db: db, anchor: anchor, fresh: fresh, version: version}
}

// Texts of the reports. $1 and $2 are the first and the last day.
const (
	reportCustomers = `SELECT count(*) FROM a_customer`

	// Who purchased before is known from the traits, so that only the purchases of the span are read.
	reportBuyers = `SELECT count(*), count(*) FILTER (WHERE COALESCE(t.first_order_day, c.first_day) < CAST($1 AS BIGINT) OR c.inside > 1),
 count(*) FILTER (WHERE COALESCE(t.first_order_day, c.first_day) >= CAST($1 AS BIGINT)),
 CAST(COALESCE(sum(c.inside), 0) AS BIGINT), CAST(COALESCE(sum(c.gross), 0) AS BIGINT)
FROM (SELECT customer_id, count(*) AS inside, sum(amount) AS gross, min(day) AS first_day
 FROM f_purchase WHERE day >= CAST($1 AS BIGINT) AND day <= CAST($2 AS BIGINT) GROUP BY customer_id) c
LEFT JOIN t_order t ON t.customer_id = c.customer_id`

	reportEver = `SELECT count(*) FROM t_order WHERE first_order_day <= CAST($1 AS BIGINT)`

	reportRefunds = `SELECT count(*), CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM f_refund
WHERE day >= CAST($1 AS BIGINT) AND day <= CAST($2 AS BIGINT)`

	reportTrend = `SELECT day, count(*), CAST(sum(amount) AS BIGINT) FROM f_purchase
WHERE day >= CAST($1 AS BIGINT) AND day <= CAST($2 AS BIGINT) GROUP BY day ORDER BY day`

	reportGrid = `SELECT r_score, f_score, count(*), CAST(sum(monetary) AS BIGINT) FROM t_rfm GROUP BY r_score, f_score ORDER BY r_score, f_score`

	reportProducts = `SELECT s.product_id, COALESCE(p.name, ''), s.quantity, 0, s.gross FROM (
 SELECT product_id, CAST(sum(quantity) AS BIGINT) AS quantity, CAST(sum(amount) AS BIGINT) AS gross
 FROM f_purchase_line WHERE day >= CAST($1 AS BIGINT) AND day <= CAST($2 AS BIGINT) AND product_id IS NOT NULL
 GROUP BY product_id ORDER BY gross DESC, product_id LIMIT 20) s
LEFT JOIN a_product p ON p.id = s.product_id ORDER BY s.gross DESC, s.product_id`

	reportChannels = `SELECT s.channel_id, COALESCE(k.name, ''), 0, s.orders, s.gross FROM (
 SELECT COALESCE(channel_id, 0) AS channel_id, count(*) AS orders, CAST(sum(amount) AS BIGINT) AS gross
 FROM f_purchase WHERE day >= CAST($1 AS BIGINT) AND day <= CAST($2 AS BIGINT)
 GROUP BY COALESCE(channel_id, 0)) s
LEFT JOIN a_channel k ON k.id = s.channel_id ORDER BY s.gross DESC, s.channel_id`
)

// ReportTexts are the statements of the reports, for the test that prepares every text.
func ReportTexts() []Text {
	return []Text{
		{"report customers", reportCustomers}, {"report buyers", reportBuyers}, {"report ever", reportEver}, {"report refunds", reportRefunds},
		{"report trend", reportTrend}, {"report grid", reportGrid}, {"report products", reportProducts}, {"report channels", reportChannels},
	}
}

// Anchor implements report.Facts.
func (p *Reports) Anchor(ctx context.Context) (clock.Day, error) { return p.anchor(ctx) }

// Freshness implements report.Facts.
func (p *Reports) Freshness(ctx context.Context) (report.Freshness, error) { return p.fresh(ctx) }

// Version implements report.Facts.
func (p *Reports) Version(ctx context.Context) (string, error) { return p.version(ctx) }

// Totals implements report.Facts.
func (p *Reports) Totals(ctx context.Context, s report.Span) (report.Totals, error) {
	var t report.Totals
	span := []any{int64(s.From), int64(s.To)}
	if _, err := one(ctx, p.db, reportCustomers, nil, &t.Customers); err != nil {
		return t, fmt.Errorf("count customers: %w", err)
	}
	if _, err := one(ctx, p.db, reportEver, span[1:], &t.WithPurchase); err != nil {
		return t, fmt.Errorf("count who ever purchased: %w", err)
	}
	if _, err := one(ctx, p.db, reportBuyers, span, &t.Buyers, &t.RepeatBuyers, &t.FirstPurchases, &t.Orders, &t.Gross); err != nil {
		return t, fmt.Errorf("count buyers: %w", err)
	}
	if _, err := one(ctx, p.db, reportRefunds, span, &t.RefundCount, &t.Refunds); err != nil {
		return t, fmt.Errorf("sum refunds: %w", err)
	}
	return t, nil
}

// Trend implements report.Facts.
func (p *Reports) Trend(ctx context.Context, s report.Span, step int) ([]report.Bucket, error) {
	n := (s.Days() + step - 1) / step
	out := make([]report.Bucket, n)
	for i := range out {
		to := s.To - clock.Day((n-1-i)*step)
		out[i].Span = report.Span{From: max(s.From, to-clock.Day(step)+1), To: to}
	}
	err := each(ctx, p.db, reportTrend, []any{int64(s.From), int64(s.To)}, func(r *sql.Rows) error {
		var day, orders, gross int64
		if err := r.Scan(&day, &orders, &gross); err != nil {
			return err
		}
		b := &out[n-1-int(int64(s.To)-day)/step]
		b.Orders += int(orders)
		b.Gross += gross
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sum the trend: %w", err)
	}
	return out, nil
}

// Grid implements report.Facts.
func (p *Reports) Grid(ctx context.Context) ([]report.Cell, error) {
	var out []report.Cell
	err := each(ctx, p.db, reportGrid, nil, func(r *sql.Rows) error {
		var c report.Cell
		err := r.Scan(&c.R, &c.F, &c.Count, &c.Gross)
		out = append(out, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count the RFM grid: %w", err)
	}
	return out, nil
}

// TopProducts implements report.Facts; n is at most 20.
func (p *Reports) TopProducts(ctx context.Context, s report.Span, n int) ([]report.Ranked, error) {
	out, err := p.ranked(ctx, reportProducts, s)
	return out[:min(n, len(out))], err
}

// Channels implements report.Facts.
func (p *Reports) Channels(ctx context.Context, s report.Span) ([]report.Ranked, error) {
	return p.ranked(ctx, reportChannels, s)
}

func (p *Reports) ranked(ctx context.Context, text string, s report.Span) ([]report.Ranked, error) {
	var out []report.Ranked
	err := each(ctx, p.db, text, []any{int64(s.From), int64(s.To)}, func(r *sql.Rows) error {
		var v report.Ranked
		var key int64
		err := r.Scan(&key, &v.Name, &v.Quantity, &v.Orders, &v.Gross)
		v.ID = id.ID(key)
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rank sales: %w", err)
	}
	return out, nil
}

// Cohorts implements report.Facts.
func (p *Reports) Cohorts(ctx context.Context) ([]report.Cohort, error) {
	until, err := p.anchor(ctx)
	if err != nil {
		return nil, err
	}
	found, err := (&Store{db: p.db}).Cohorts(ctx, until)
	if err != nil {
		return nil, err
	}
	out := make([]report.Cohort, len(found))
	for i, c := range found {
		out[i].Month = c.Label()
		for _, n := range c.Active {
			out[i].Active = append(out[i].Active, int(n))
		}
	}
	return out, nil
}
