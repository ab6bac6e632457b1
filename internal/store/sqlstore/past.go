package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Pasts reads what one customer bought from the records themselves, by their indexes: the analytics plane in a file of its own has none
// and would walk over everybody's lines. It says the same, by the same definition of a purchase.
type Pasts struct {
	store    *Store
	registry func() *schema.Registry
	states   func() []string // of an order that make it a purchase
}

// NewPasts reads from a Store.
func NewPasts(s *Store, registry func() *schema.Registry, states func() []string) *Pasts {
	return &Pasts{s, registry, states}
}

const (
	pastPerson = `SELECT COALESCE(gender, ''), COALESCE(region_tier, '') FROM {customer} WHERE id = ? AND deleted_at IS NULL AND processing IS NULL`

	// A purchase comes before its lines; see the views f_purchase and f_line of the analytics plane.
	pastDeeds = `SELECT order_id, day, placed_at, product_id, quantity, amount FROM (
 SELECT id AS order_id, placed_at_day AS day, placed_at, 0 AS product_id, 0 AS quantity, net_amount_base AS amount, 0 AS line_id FROM {order}
 WHERE customer = ? AND placed_at_day <= ? AND net_amount_base > 0 AND deleted_at IS NULL AND status IN ({states})
 UNION ALL
 SELECT "order" AS order_id, placed_at_day AS day, 0 AS placed_at, product AS product_id, quantity, amount_base AS amount, id AS line_id FROM {order_line}
 WHERE customer = ? AND placed_at_day <= ? AND amount_base > 0 AND product > 0 AND deleted_at IS NULL AND status IN ({states})
) x ORDER BY day, order_id, line_id`

	pastReturned = `SELECT DISTINCT COALESCE(r.product, l.product, 0) AS product FROM {refund} r
LEFT JOIN {order_line} l ON l.id = r.order_line AND l.customer = r.customer AND l.deleted_at IS NULL
WHERE r.customer = ? AND r.refunded_at_day <= ? AND r.deleted_at IS NULL ORDER BY product`
)

// Past is what a customer bought up to a day; one who is not there, or only stored, has none.
func (p *Pasts) Past(ctx context.Context, customer int64, until clock.Day) (out recommend.Past, err error) {
	reg, names := p.registry(), []string{}
	for _, key := range []string{"customer", "order", "order_line", "refund"} {
		names = append(names, "{"+key+"}", reg.Object(key).Physical)
	}
	var states []any
	for _, s := range p.states() {
		states = append(states, s)
	}
	text := strings.NewReplacer(append(names, "{states}", strings.TrimSuffix(strings.Repeat("?, ", len(states)), ", "))...)
	args := []any{customer, int64(until)}
	args = append(append(append(args, states...), customer, int64(until)), states...)
	err = p.store.Read(ctx, func(c Conn) error {
		out = recommend.Past{Person: recommend.Person{ID: customer}}
		found, err := c.QueryRow(ctx, []any{&out.Gender, &out.Tier}, text.Replace(pastPerson), customer)
		if err != nil || !found {
			return err
		}
		err = Each(ctx, c, func(r *sql.Rows) error {
			d := recommend.Deed{Customer: customer}
			var day int64
			err := r.Scan(&d.Order, &day, &d.At, &d.Product, &d.Quantity, &d.Amount)
			d.Day = clock.Day(day) //nolint:gosec // a calendar day
			out.Deeds = append(out.Deeds, d)
			return err
		}, text.Replace(pastDeeds), args...)
		if err != nil {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			var product int64
			if err := r.Scan(&product); err != nil || product == 0 {
				return err
			}
			out.Returned = append(out.Returned, product)
			return nil
		}, text.Replace(pastReturned), customer, int64(until))
	})
	if err != nil {
		return out, fmt.Errorf("purchases of a customer: %w", err)
	}
	return out, nil
}
