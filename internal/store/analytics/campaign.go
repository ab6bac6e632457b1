package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
)

// Bought implements campaign.Purchases on the plane.
type Bought struct {
	db   DB
	zone func() *time.Location
}

var _ campaign.Purchases = Bought{}

// NewBought answers from a plane.
func NewBought(db DB, zone func() *time.Location) Bought { return Bought{db, zone} }

const boughtInSpan = `SELECT customer_id, count(*), CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM f_purchase
WHERE day >= CAST(? AS BIGINT) AND day <= CAST(? AS BIGINT) AND placed_at >= CAST(? AS BIGINT) AND placed_at < CAST(? AS BIGINT) AND customer_id > 0 GROUP BY customer_id ORDER BY customer_id`

func campaignTexts() []Text { return []Text{{"bought in a span", boughtInSpan}} }

// Bought implements campaign.Purchases.
func (b Bought) Bought(ctx context.Context, from, to time.Time, take func(customer id.ID, orders, amount int64) error) error {
	first, last := clock.DayOf(from, b.zone()), clock.DayOf(to, b.zone())
	err := each(ctx, b.db, boughtInSpan, []any{int64(first), int64(last), from.UnixMilli(), to.UnixMilli()}, func(r *sql.Rows) error {
		var who, orders, amount int64
		if err := r.Scan(&who, &orders, &amount); err != nil {
			return err
		}
		return take(id.ID(who), orders, amount)
	})
	if err != nil {
		return fmt.Errorf("purchases of a span: %w", err)
	}
	return nil
}
