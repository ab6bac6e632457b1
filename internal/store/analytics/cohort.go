package analytics

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// Cohort is the customers whose first purchase fell into one calendar month of the workspace's zone.
type Cohort struct {
	Year, Month int
	// Active counts those who purchased in the cohort's month (Active[0], its size) and in each month after it, up to the
	// month of the newest purchase counted.
	Active []int64
}

// Size is the number of customers of the cohort.
func (c Cohort) Size() int64 { return c.Active[0] }

// Label is the month, "2010-12".
func (c Cohort) Label() string { return fmt.Sprintf("%04d-%02d", c.Year, c.Month) }

// cohortText counts active customers by first month and month; a month is year*12+month-1. Days become months by calendar,
// since a day is counted from 1970-01-01 on both engines. The day of the first purchase is the trait's, which spares the
// engines a second walk over all purchases.
const cohortText = `SELECT m.first, m.month, count(*) FROM (
 SELECT DISTINCT d.customer_id,
  CAST(extract(year FROM DATE '1970-01-01' + CAST(o.first_order_day AS INTEGER)) AS BIGINT) * 12 +
  CAST(extract(month FROM DATE '1970-01-01' + CAST(o.first_order_day AS INTEGER)) AS BIGINT) - 1 AS first,
  CAST(extract(year FROM DATE '1970-01-01' + CAST(d.day AS INTEGER)) AS BIGINT) * 12 +
  CAST(extract(month FROM DATE '1970-01-01' + CAST(d.day AS INTEGER)) AS BIGINT) - 1 AS month
 FROM f_purchase d JOIN t_order o ON o.customer_id = d.customer_id WHERE d.day <= $1 AND o.first_order_day IS NOT NULL) m
GROUP BY m.first, m.month ORDER BY m.first, m.month`

// Cohorts counts customers by the month of their first purchase and the months in which they purchased again, up to and
// including a day, from the traits as they were last computed. The last column is the month of the newest purchase, which may not be over.
func (s *Store) Cohorts(ctx context.Context, until clock.Day) ([]Cohort, error) {
	var out []Cohort
	var firsts []int64
	last := int64(0)
	err := each(ctx, s.db, cohortText, []any{int64(until)}, func(r *sql.Rows) error {
		var first, month, n int64
		if err := r.Scan(&first, &month, &n); err != nil {
			return err
		}
		if len(firsts) == 0 || firsts[len(firsts)-1] != first {
			firsts = append(firsts, first)
			out = append(out, Cohort{Year: int(first / 12), Month: int(first%12) + 1})
		}
		c := &out[len(out)-1]
		for int64(len(c.Active)) < month-first {
			c.Active = append(c.Active, 0)
		}
		c.Active = append(c.Active, n)
		last = max(last, month)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count cohorts: %w", err)
	}
	for i := range out {
		for int64(len(out[i].Active)) <= last-firsts[i] {
			out[i].Active = append(out[i].Active, 0)
		}
	}
	return out, nil
}
