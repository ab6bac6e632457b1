package analytics

import (
	"context"
	"database/sql"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/engage/onsite"
)

// Promotions implements onsite.Figures from f_event.
type Promotions struct {
	db    DB
	clock clock.Clock
	zone  func() *time.Location
}

var _ onsite.Figures = (*Promotions)(nil)

// NewPromotions answers from db.
func NewPromotions(db DB, c clock.Clock, zone func() *time.Location) *Promotions {
	return &Promotions{db, c, zone}
}

// promotionDays is how far back messages are counted.
const promotionDays = 400

// promotionText counts what was done with promotions since the day $1, by their ids. Visitors are who is known, or the browser.
func promotionText(d Dialect) string {
	return `SELECT x.promotion, count(*) FILTER (WHERE x.name = '` + onsite.Viewed + `'), count(DISTINCT x.customer_id) FILTER (WHERE x.name = '` + onsite.Viewed + `'),
 count(*) FILTER (WHERE x.name = '` + onsite.Clicked + `'), count(DISTINCT x.customer_id) FILTER (WHERE x.name = '` + onsite.Clicked + `'),
 count(*) FILTER (WHERE x.name = '` + onsite.Dismissed + `'), count(DISTINCT x.customer_id) FILTER (WHERE x.name = '` + onsite.Dismissed + `')
FROM (SELECT e.customer_id, e.name, ` + d.Property("e.properties", "promotion_id") + ` AS promotion FROM f_event e
 WHERE e.kind = 'track' AND e.name IN ('` + onsite.Viewed + `', '` + onsite.Clicked + `', '` + onsite.Dismissed + `') AND e.day >= CAST($1 AS BIGINT) AND ` + ofPerson + `) x
WHERE x.promotion IS NOT NULL GROUP BY x.promotion`
}

func promotionTexts(d Dialect) []Text {
	return []Text{{"what was done with promotions", promotionText(d)}}
}

// Promotions implements onsite.Figures.
func (p *Promotions) Promotions(ctx context.Context) (map[string]onsite.Sums, error) {
	out := map[string]onsite.Sums{}
	since := clock.DayOf(p.clock.Now(), p.zone()) - promotionDays
	err := each(ctx, p.db, promotionText(p.db.Dialect()), []any{int64(since)}, func(r *sql.Rows) error {
		var key string
		var s onsite.Sums
		err := r.Scan(&key, &s.Viewed, &s.Viewers, &s.Clicked, &s.Clickers, &s.Dismissed, &s.Refusers)
		out[key] = s
		return err
	})
	return out, err
}
