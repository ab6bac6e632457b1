package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/value"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Values implements value.Facts and value.Books from the facts of buying.
type Values struct {
	db    DB
	store *Store
}

var _ value.Facts = (*Values)(nil)

// NewValues answers from db; store writes the scores.
func NewValues(db DB, store *Store) *Values { return &Values{db, store} }

func valueFamily() table { return family(value.Family, ints(value.Columns()...)) }

// packed joins a day and a value so that the least of them is the value of the first day; values are cut to twelve digits.
const packed = `day * 1000000000000 + CASE WHEN value < 0 THEN 0 WHEN value > 999999999999 THEN 999999999999 ELSE value END`

const packedDay = 1_000_000_000_000

// The purchase days of customers with what they were worth: {value} of a purchase and {back} of a refund; {who} narrows. $1 is the last day, $2 the margin in
// ten-thousandths where no cost is known.
const valueDays = `SELECT customer_id, day, CAST(sum(value) AS BIGINT) AS value FROM (
 SELECT customer_id, day, amount, {value} AS value FROM f_purchase WHERE day <= CAST($1 AS BIGINT){who}
 UNION ALL SELECT customer_id, day, -amount, {back} FROM f_refund WHERE day <= CAST($1 AS BIGINT){who}) u
 GROUP BY customer_id, day HAVING sum(amount) > 0`

// valuePurchases counts the days of each live customer up to $1, up to $3 apart, and those of the 365 days up to $1.
const valuePurchases = `SELECT d.customer_id, min(d.day), min(d.packed), count(*) FILTER (WHERE d.day <= CAST($3 AS BIGINT)),
 COALESCE(max(d.day) FILTER (WHERE d.day <= CAST($3 AS BIGINT)), 0), CAST(COALESCE(sum(d.value) FILTER (WHERE d.day <= CAST($3 AS BIGINT)), 0) AS BIGINT),
 count(*), max(d.day), CAST(sum(d.value) AS BIGINT), count(*) FILTER (WHERE d.day > CAST($1 AS BIGINT) - 365)
FROM (SELECT customer_id, day, value, ` + packed + ` AS packed FROM ({days}) x) d
JOIN a_customer c ON c.id = d.customer_id GROUP BY d.customer_id ORDER BY d.customer_id`

const (
	valueCosts = `SELECT count(*), count(cost), CAST(COALESCE(sum(amount) FILTER (WHERE cost IS NOT NULL), 0) AS BIGINT), CAST(COALESCE(sum(cost), 0) AS BIGINT), COALESCE(min(day), 0)
FROM f_purchase WHERE day <= CAST(? AS BIGINT)`

	valueBreadth = `SELECT customer_id, count(DISTINCT category) FROM f_purchase_line WHERE day <= CAST(? AS BIGINT) AND category IS NOT NULL GROUP BY customer_id`

	valueReferrals = `SELECT id, referrer FROM a_customer WHERE referrer > 0 ORDER BY id`
)

// valueText is valuePurchases for a basis; oneOf narrows it to the customer $4.
func valueText(b value.Basis, oneOf bool) string {
	// The margin in $2 is named in either text, so that both have the same parameters.
	worth, back, who := "amount + 0 * CAST($2 AS BIGINT)", "-amount", ""
	if b == value.Margin {
		worth, back = "COALESCE(amount - cost, gx_div(amount * CAST($2 AS BIGINT), 10000))", "cost - amount"
	}
	if oneOf {
		who = " AND customer_id = CAST($4 AS BIGINT)"
	}
	days := strings.NewReplacer("{value}", worth, "{back}", back, "{who}", who).Replace(valueDays)
	return strings.ReplaceAll(valuePurchases, "{days}", days)
}

func valueTexts() []Text {
	return []Text{{"value by revenue", valueText(value.Revenue, false)}, {"value by margin", valueText(value.Margin, false)},
		{"value of one by revenue", valueText(value.Revenue, true)}, {"value of one by margin", valueText(value.Margin, true)},
		{"value costs", valueCosts}, {"value breadth", valueBreadth}, {"value referrals", valueReferrals}}
}

func scanPurchases(r *sql.Rows) (p value.Purchases, err error) {
	var first, packed, cutLast, last int64
	err = r.Scan(&p.Customer, &first, &packed, &p.Cut.Days, &cutLast, &p.Cut.Value, &p.All.Days, &last, &p.All.Value, &p.Year)
	p.First, p.FirstValue, p.Cut.Last, p.All.Last = clock.Day(first), packed-first*packedDay, clock.Day(cutLast), clock.Day(last)
	return p, err
}

// Purchases implements value.Facts.
func (v *Values) Purchases(ctx context.Context, a value.Ask) (out []value.Purchases, err error) {
	err = each(ctx, v.db, valueText(a.Basis, false), []any{int64(a.Until), a.Rate, int64(a.Cut)}, func(r *sql.Rows) error {
		p, err := scanPurchases(r)
		out = append(out, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count purchase days: %w", err)
	}
	return out, nil
}

// PurchasesOf implements value.Facts.
func (v *Values) PurchasesOf(ctx context.Context, a value.Ask, customer int64) (p value.Purchases, ok bool, err error) {
	err = each(ctx, v.db, valueText(a.Basis, true), []any{int64(a.Until), a.Rate, int64(a.Cut), customer}, func(r *sql.Rows) (err error) {
		ok = true
		p, err = scanPurchases(r)
		return err
	})
	if err != nil {
		return p, false, fmt.Errorf("count purchase days: %w", err)
	}
	return p, ok, nil
}

// Costs implements value.Facts.
func (v *Values) Costs(ctx context.Context, until clock.Day) (c value.Costs, err error) {
	var first int64
	if _, err := one(ctx, v.db, valueCosts, []any{int64(until)}, &c.Purchases, &c.Costed, &c.CostedRevenue, &c.Spent, &first); err != nil {
		return c, fmt.Errorf("count costs: %w", err)
	}
	c.First = clock.Day(first)
	return c, nil
}

// Breadth implements value.Facts.
func (v *Values) Breadth(ctx context.Context, until clock.Day) (map[int64]int, error) {
	out := map[int64]int{}
	err := each(ctx, v.db, valueBreadth, []any{int64(until)}, func(r *sql.Rows) error {
		var customer int64
		var n int
		err := r.Scan(&customer, &n)
		out[customer] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count categories: %w", err)
	}
	return out, nil
}

// Referrals implements value.Facts.
func (v *Values) Referrals(ctx context.Context) (out []value.Brought, err error) {
	err = each(ctx, v.db, valueReferrals, nil, func(r *sql.Rows) error {
		var b value.Brought
		err := r.Scan(&b.Customer, &b.By)
		out = append(out, b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read referrals: %w", err)
	}
	return out, nil
}

// Replace implements value.Facts.
func (v *Values) Replace(ctx context.Context, rows predict.Rows, at int64, mark string) (int64, error) {
	return v.store.ReplaceFamily(ctx, value.Family, value.Columns(), at, mark, rows)
}
