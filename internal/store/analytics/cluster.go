package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/insight/cluster"
)

// Clusters implements cluster.Store from the trait families.
type Clusters struct {
	db    DB
	store *Store
}

var _ cluster.Store = (*Clusters)(nil)

// NewClusters reads traits from db and writes groups into store.
func NewClusters(db DB, store *Store) *Clusters { return &Clusters{db, store} }

const clusterSizes = `SELECT cluster, count(*) FROM ` + cluster.Family + ` WHERE cluster IS NOT NULL GROUP BY cluster`

// clusterText reads columns of families for those who purchased; one customer is the parameter.
func clusterText(columns []cluster.Column, one bool) string {
	var tables []string
	selected, joins, where := "", "", ""
	for _, c := range columns {
		alias := "o"
		if c.Table != FamilyOrder {
			i := slices.Index(tables, c.Table)
			if i < 0 {
				i = len(tables)
				tables = append(tables, c.Table)
				name := "x" + strconv.Itoa(i)
				joins += " LEFT JOIN " + Quote(c.Table) + " " + name + " ON " + name + ".customer_id = o.customer_id"
			}
			alias = "x" + strconv.Itoa(i)
		}
		selected += ", " + alias + "." + Quote(c.Column)
	}
	if one {
		where = " AND o.customer_id = CAST($1 AS BIGINT)"
	}
	return "SELECT o.customer_id" + selected + " FROM " + FamilyOrder + " o" + joins + " WHERE o.orders > 0" + where + " ORDER BY o.customer_id"
}

func clusterTexts() []Text {
	columns := []cluster.Column{{Table: FamilyOrder, Column: "orders"}, {Table: FamilyTaste, Column: "online_share"}, {Table: FamilyRFM, Column: "recency"}, {Table: FamilyTaste, Column: "products"}}
	return []Text{{"sizes of groups", clusterSizes}, {"traits to group by", clusterText(columns, false)}, {"traits of one to group by", clusterText(columns, true)}}
}

// Read implements cluster.Store.
func (c *Clusters) Read(ctx context.Context, columns []cluster.Column, customer int64, row func(int64, []float64)) error {
	var args []any
	if customer != 0 {
		args = []any{customer}
	}
	cells := make([]sql.NullInt64, len(columns))
	values := make([]float64, len(columns))
	var key int64
	dst := []any{&key}
	for i := range cells {
		dst = append(dst, &cells[i])
	}
	err := wide(ctx, c.db, func(q Querier) error {
		return each(ctx, q, clusterText(columns, customer != 0), args, func(r *sql.Rows) error {
			if err := r.Scan(dst...); err != nil {
				return err
			}
			for i, v := range cells {
				values[i] = math.NaN()
				if v.Valid {
					values[i] = float64(v.Int64)
				}
			}
			row(key, values)
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("read traits to group by: %w", err)
	}
	return nil
}

// Write implements cluster.Store.
func (c *Clusters) Write(ctx context.Context, at int64, mark string, rows func(func(int64, string, int64) bool)) (int64, error) {
	return c.store.ReplaceFamily(ctx, cluster.Family, []string{cluster.Trait, cluster.Sure}, at, mark, func(yield func(int64, []any) bool) error {
		values := make([]any, 2)
		rows(func(customer int64, label string, sure int64) bool {
			values[0], values[1] = label, sure
			return yield(customer, values)
		})
		return nil
	})
}

// Sizes implements cluster.Store.
func (c *Clusters) Sizes(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := each(ctx, c.db, clusterSizes, nil, func(r *sql.Rows) error {
		var label string
		var n int64
		err := r.Scan(&label, &n)
		out[label] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sizes of groups: %w", err)
	}
	return out, nil
}
