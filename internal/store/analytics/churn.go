package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/churn"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Churn implements churn.Facts and churn.Books from the facts of buying and of behaviour.
type Churn struct {
	db    DB
	store *Store
}

var (
	_ churn.Facts = (*Churn)(nil)
	_ churn.Books = (*Churn)(nil)
)

// NewChurn answers from db; store writes the scores.
func NewChurn(db DB, store *Store) *Churn { return &Churn{db, store} }

func churnFamily() table {
	return family(churn.Family, ints(churn.Numbers()...), texts(churn.Words()...))
}

// What live customers did by day up to $1; {who} narrows to those from $2 on and before $3, or to $2. Robots and those who refused to be analysed left no behaviour.
const churnDays = `SELECT u.customer_id, u.day, u.kind, u.n, u.amount, u.discount FROM (
 SELECT customer_id, day, 0 AS kind, count(*) AS n, CAST(sum(amount) AS BIGINT) AS amount, CAST(sum(discount) AS BIGINT) AS discount
 FROM f_purchase WHERE day <= CAST($1 AS BIGINT){who} GROUP BY customer_id, day
 UNION ALL SELECT customer_id, day, 1, count(*), CAST(sum(amount) AS BIGINT), 0 FROM f_refund WHERE day <= CAST($1 AS BIGINT){who} GROUP BY customer_id, day
 UNION ALL SELECT e.customer_id, e.day, 2, count(*), 0, 0 FROM f_event e
 WHERE e.customer_id > 0 AND ` + ofPerson + ` AND e.day <= CAST($1 AS BIGINT) AND e.day > CAST($1 AS BIGINT) - 1000{whose} GROUP BY e.customer_id, e.day) u
JOIN a_customer c ON c.id = u.customer_id ORDER BY u.customer_id, u.day, u.kind`

func churnText(one bool) string {
	who := " AND {id} >= CAST($2 AS BIGINT) AND {id} < CAST($3 AS BIGINT)"
	if one {
		who = " AND {id} = CAST($2 AS BIGINT)"
	}
	return strings.NewReplacer("{who}", strings.ReplaceAll(who, "{id}", "customer_id"), "{whose}", strings.ReplaceAll(who, "{id}", "e.customer_id")).Replace(churnDays)
}

const (
	// Risks by tenths: those who are lost have none and are counted apart, by band.
	churnRisks = `SELECT gx_div(churn_risk - 500, 1000), count(*) FROM m_churn WHERE churn_risk IS NOT NULL GROUP BY gx_div(churn_risk - 500, 1000) ORDER BY 1`
	churnBands = `SELECT COALESCE(churn_band, ''), count(*), CAST(COALESCE(sum(o.spend_365d), 0) AS BIGINT) FROM m_churn m LEFT JOIN t_order o ON o.customer_id = m.customer_id
GROUP BY COALESCE(churn_band, '') ORDER BY 1`
	churnDrivers = `SELECT churn_driver, count(*) FROM m_churn WHERE churn_driver IS NOT NULL GROUP BY churn_driver ORDER BY count(*) DESC, churn_driver`
	churnWhys    = `SELECT COALESCE(k.class_key, ''), m.churn_driver, count(*) FROM m_churn m
LEFT JOIN (SELECT customer_id, class_key FROM class_member WHERE classification = ?) k ON k.customer_id = m.customer_id
WHERE m.churn_driver IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`
	// How long customers lasted, by thirty days since their first purchase: who is lost ended with his latest one.
	churnLives = `SELECT COALESCE(k.class_key, ''), gx_div(CASE WHEN m.churn_band = 'lost' THEN o.last_order_day - o.first_order_day ELSE CAST(? AS BIGINT) - o.first_order_day END - 15, 30) AS months,
 count(*) FILTER (WHERE m.churn_band = 'lost'), count(*) FILTER (WHERE m.churn_band IS NULL OR m.churn_band <> 'lost')
FROM m_churn m JOIN t_order o ON o.customer_id = m.customer_id
LEFT JOIN (SELECT customer_id, class_key FROM class_member WHERE classification = ?) k ON k.customer_id = m.customer_id
WHERE o.orders > 0 AND o.first_order_day <= CAST(? AS BIGINT) GROUP BY 1, 2 ORDER BY 1, 2`
	// Valuable are those whose spending of a year is at or above that of the best fifth of who is not lost.
	churnFloor = `SELECT spend_365d, count(*) FROM m_churn m JOIN t_order o ON o.customer_id = m.customer_id
WHERE m.churn_risk IS NOT NULL AND o.spend_365d > 0 GROUP BY spend_365d ORDER BY spend_365d DESC`
)

func churnTexts() []Text {
	return []Text{{"churn days", churnText(false)}, {"churn days of one", churnText(true)}, {"churn risks", churnRisks}, {"churn bands", churnBands}, {"churn drivers", churnDrivers}, {"churn whys", churnWhys},
		{"churn lives", churnLives}, {"churn floor", churnFloor}}
}

// Histories implements churn.Facts. Slices keep what is sorted and answered at a time small.
func (c *Churn) Histories(ctx context.Context, until clock.Day, customer int64, yield func(customer int64, h []churn.Fact) error) error {
	if customer != 0 {
		return c.histories(ctx, c.db, churnText(true), []any{int64(until), customer}, yield)
	}
	bounds, err := c.store.slices(ctx, rowsPerAnswer)
	if err != nil {
		return fmt.Errorf("slice customers: %w", err)
	}
	for i := 0; i+1 < len(bounds); i++ {
		err := wide(ctx, c.db, func(q Querier) error {
			return c.histories(ctx, q, churnText(false), []any{int64(until), bounds[i], bounds[i+1]}, yield)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Churn) histories(ctx context.Context, q Querier, text string, args []any, yield func(customer int64, h []churn.Fact) error) error {
	var who int64
	var list []churn.Fact
	flush := func() error {
		if len(list) == 0 {
			return nil
		}
		defer func() { list = list[:0] }()
		return yield(who, list)
	}
	var id, day int64
	var f churn.Fact
	err := each(ctx, q, text, args, func(r *sql.Rows) error {
		if err := r.Scan(&id, &day, &f.Kind, &f.Count, &f.Amount, &f.Discount); err != nil {
			return err
		}
		if id != who {
			if err := flush(); err != nil {
				return err
			}
			who = id
		}
		f.Day = clock.Day(day)
		list = append(list, f)
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return fmt.Errorf("read histories: %w", err)
	}
	return nil
}

// Replace implements churn.Facts.
func (c *Churn) Replace(ctx context.Context, rows predict.Rows, at int64, mark string) (int64, error) {
	return c.store.ReplaceFamily(ctx, churn.Family, churn.Columns(), at, mark, rows)
}

// Risks implements churn.Books.
func (c *Churn) Risks(ctx context.Context) (out [10]int64, err error) {
	err = each(ctx, c.db, churnRisks, nil, func(r *sql.Rows) error {
		var bin, n int64
		err := r.Scan(&bin, &n)
		out[min(9, max(0, bin))] += n
		return err
	})
	return out, err
}

// Bands implements churn.Books.
func (c *Churn) Bands(ctx context.Context) (out []churn.Band, err error) {
	err = each(ctx, c.db, churnBands, nil, func(r *sql.Rows) error {
		var b churn.Band
		err := r.Scan(&b.Key, &b.Customers, &b.Spend)
		out = append(out, b)
		return err
	})
	return out, err
}

// Drivers implements churn.Books.
func (c *Churn) Drivers(ctx context.Context) (out []churn.Driver, err error) {
	err = each(ctx, c.db, churnDrivers, nil, func(r *sql.Rows) error {
		var d churn.Driver
		err := r.Scan(&d.Key, &d.Customers)
		out = append(out, d)
		return err
	})
	return out, err
}

// Whys implements churn.Books.
func (c *Churn) Whys(ctx context.Context, classification string) (out []churn.Why, err error) {
	err = each(ctx, c.db, churnWhys, []any{classification}, func(r *sql.Rows) error {
		var w churn.Why
		err := r.Scan(&w.Class, &w.Driver, &w.Customers)
		out = append(out, w)
		return err
	})
	return out, err
}

// Lives implements churn.Books.
func (c *Churn) Lives(ctx context.Context, classification string, until clock.Day) (out []churn.Life, err error) {
	err = each(ctx, c.db, churnLives, []any{int64(until), classification, int64(until)}, func(r *sql.Rows) error {
		var l churn.Life
		err := r.Scan(&l.Class, &l.Months, &l.Lost, &l.Active)
		l.Months = max(0, l.Months)
		out = append(out, l)
		return err
	})
	return out, err
}

// Floor implements churn.Books.
func (c *Churn) Floor(ctx context.Context, part float64) (int64, error) {
	type step struct{ spend, n int64 }
	var list []step
	var all int64
	err := each(ctx, c.db, churnFloor, nil, func(r *sql.Rows) error {
		var s step
		err := r.Scan(&s.spend, &s.n)
		list = append(list, s)
		all += s.n
		return err
	})
	if err != nil {
		return 0, err
	}
	var seen int64
	for _, s := range list {
		if seen += s.n; float64(seen) >= part*float64(all) {
			return s.spend, nil
		}
	}
	return 1, nil
}
