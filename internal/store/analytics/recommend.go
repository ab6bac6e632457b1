package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
)

// Recommending implements recommend.Facts.
type Recommending struct{ store *Store }

var _ recommend.Facts = Recommending{}

// NewRecommending answers from a plane.
func NewRecommending(s *Store) Recommending { return Recommending{s} }

const (
	recommendExtent = `SELECT count(*), count(DISTINCT customer_id), COALESCE(min(day), 0), COALESCE(max(day), 0) FROM f_line WHERE product_id > 0 AND day <= CAST($1 AS BIGINT)`

	// Purchases come before their lines. {who} says whose.
	recommendDeeds = `SELECT customer_id, order_id, day, placed_at, product_id, quantity, amount FROM (
 SELECT customer_id, order_id, day, placed_at, 0 AS product_id, 0 AS quantity, amount, 0 AS line_id FROM f_purchase WHERE day <= CAST($1 AS BIGINT) AND {who}
 UNION ALL
 SELECT customer_id, order_id, day, 0 AS placed_at, product_id, quantity, amount, line_id FROM f_line WHERE product_id > 0 AND day <= CAST($1 AS BIGINT) AND {who}
) x ORDER BY customer_id, day, order_id, line_id`

	recommendSlice = `customer_id >= CAST($2 AS BIGINT) AND customer_id < CAST($3 AS BIGINT) AND customer_id % CAST($4 AS BIGINT) = 0`
	recommendOne   = `customer_id = CAST($2 AS BIGINT)`

	// A product with variants is sold while one of them is.
	recommendGoods = `SELECT p.id, COALESCE(p.name, ''), COALESCE(p.brand, ''), COALESCE(p.category, ''), COALESCE(p.style, ''), COALESCE(p.audience, ''), COALESCE(p.list_price, 0),
 CASE WHEN p.status = 'active' AND (v.variants IS NULL OR v.sold > 0) THEN 1 ELSE 0 END
FROM a_product p LEFT JOIN (SELECT product, count(*) AS variants, count(*) FILTER (WHERE discontinued IS NULL OR NOT discontinued) AS sold FROM a_variant WHERE product > 0 GROUP BY product) v
ON v.product = p.id ORDER BY p.id`

	recommendPeople = `SELECT id, COALESCE(gender, ''), COALESCE(region_tier, '') FROM a_customer WHERE gender IS NOT NULL OR region_tier IS NOT NULL ORDER BY id`
	recommendPerson = `SELECT id, COALESCE(gender, ''), COALESCE(region_tier, '') FROM a_customer WHERE id = CAST($1 AS BIGINT) AND processing IS NULL`

	// A refund names a product itself or by the line that it takes back.
	recommendReturned = `SELECT DISTINCT COALESCE(r.product, l.product, 0) FROM a_refund r LEFT JOIN (SELECT id, product FROM a_order_line WHERE customer = CAST($1 AS BIGINT)) l ON l.id = r.order_line
WHERE r.customer = CAST($1 AS BIGINT) AND r.refunded_at_day <= CAST($2 AS BIGINT) ORDER BY 1`
)

func recommendTexts() []Text {
	return []Text{{"extent of lines", recommendExtent}, {"deeds of a slice", ofWhom(recommendDeeds, recommendSlice)}, {"deeds of one", ofWhom(recommendDeeds, recommendOne)}, {"goods", recommendGoods},
		{"people by group", recommendPeople}, {"person by group", recommendPerson}, {"returned goods", recommendReturned}}
}

func ofWhom(text, who string) string { return strings.ReplaceAll(text, "{who}", who) }

// Extent implements recommend.Facts.
func (r Recommending) Extent(ctx context.Context, until clock.Day) (e recommend.Extent, err error) {
	var first, last int64
	_, err = one(ctx, r.store.db, recommendExtent, []any{int64(until)}, &e.Lines, &e.Customers, &first, &last)
	if err != nil {
		return e, fmt.Errorf("extent of lines: %w", err)
	}
	e.First, e.Last = clock.Day(first), clock.Day(last)
	return e, nil
}

// Deeds implements recommend.Facts. Slices keep what is sorted at a time small.
func (r Recommending) Deeds(ctx context.Context, s recommend.Sample, take func(recommend.Deed) error) error {
	bounds, err := r.store.slices(ctx, rowsPerAnswer)
	if err != nil {
		return fmt.Errorf("slice customers: %w", err)
	}
	for i := 0; i+1 < len(bounds); i++ {
		args := []any{int64(s.Until), bounds[i], bounds[i+1], max(s.Of, 1)}
		err := wide(ctx, r.store.db, func(q Querier) error { return eachDeed(ctx, q, ofWhom(recommendDeeds, recommendSlice), args, take) })
		if err != nil {
			return fmt.Errorf("purchases and lines: %w", err)
		}
	}
	return nil
}

func eachDeed(ctx context.Context, q Querier, text string, args []any, take func(recommend.Deed) error) error {
	return each(ctx, q, text, args, func(rows *sql.Rows) error {
		var d recommend.Deed
		var day int64
		if err := rows.Scan(&d.Customer, &d.Order, &day, &d.At, &d.Product, &d.Quantity, &d.Amount); err != nil {
			return err
		}
		d.Day = clock.Day(day)
		return take(d)
	})
}

// Goods implements recommend.Facts.
func (r Recommending) Goods(ctx context.Context) (out []recommend.Good, err error) {
	err = each(ctx, r.store.db, recommendGoods, nil, func(rows *sql.Rows) error {
		var g recommend.Good
		var sold int64
		err := rows.Scan(&g.ID, &g.Name, &g.Brand, &g.Category, &g.Styles, &g.Audience, &g.Price, &sold)
		g.OnSale = sold == 1
		out = append(out, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("products: %w", err)
	}
	return out, nil
}

// People implements recommend.Facts.
func (r Recommending) People(ctx context.Context, take func(recommend.Person) error) error {
	err := each(ctx, r.store.db, recommendPeople, nil, func(rows *sql.Rows) error {
		var p recommend.Person
		if err := rows.Scan(&p.ID, &p.Gender, &p.Tier); err != nil {
			return err
		}
		return take(p)
	})
	if err != nil {
		return fmt.Errorf("groups of people: %w", err)
	}
	return nil
}

// Past implements recommend.Facts.
func (r Recommending) Past(ctx context.Context, customer int64, until clock.Day) (p recommend.Past, err error) {
	db := r.store.db
	ok, err := one(ctx, db, recommendPerson, []any{customer}, &p.ID, &p.Gender, &p.Tier)
	if err != nil {
		return p, fmt.Errorf("group of a customer: %w", err)
	}
	if !ok {
		p.ID = customer
		return p, nil
	}
	err = eachDeed(ctx, db, ofWhom(recommendDeeds, recommendOne), []any{int64(until), customer}, func(d recommend.Deed) error {
		p.Deeds = append(p.Deeds, d)
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("purchases of a customer: %w", err)
	}
	err = each(ctx, db, recommendReturned, []any{customer, int64(until)}, func(rows *sql.Rows) error {
		var v int64
		if err := rows.Scan(&v); err != nil || v == 0 {
			return err
		}
		p.Returned = append(p.Returned, v)
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("returned goods of a customer: %w", err)
	}
	return p, nil
}

func preferenceFamily() table {
	return family("m_preference", ints("regular_products", "lapsed_products", "occasional_products", "regular_share"), texts("regular_product", "preferred_style"),
		ints("price_low", "price_median", "price_high"), texts("price_band", "preferred_weekday", "preferred_daypart", "replenish_product"), ints("replenish_on", "replenish_from", "replenish_to"))
}

func recommendFamily() table {
	return family("m_recommend", texts("recommended_product", "recommended_category"))
}
