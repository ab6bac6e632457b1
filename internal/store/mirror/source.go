package mirror

import (
	"context"
	"database/sql"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Source reads live records in the form of a relation: one value for each of its columns. A row is valid only during the
// call; the callback answers false to stop.
type Source interface {
	// Rows reads the records that exist of those named, in no particular order.
	Rows(ctx context.Context, r analytics.Relation, ids []id.ID, fn func(row []any) bool) error
	// Scan reads at most limit records after an id, in id order.
	Scan(ctx context.Context, r analytics.Relation, after id.ID, limit int, fn func(row []any) bool) error
	// Sums answers figures that two equal sets of records have in common (see sums).
	Sums(ctx context.Context, r analytics.Relation) ([]int64, error)
}

// Conn is one reading transaction of the records plane; sqlstore.Conn is one.
type Conn interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	Dialect() dialect.Dialect
}

// Records is the Source of a workspace's record store. It reads columns straight into values, without records between, since
// a rebuild passes tens of millions of rows.
type Records struct {
	// Read runs fn on one snapshot of the records (sqlstore.Store.Read).
	Read func(ctx context.Context, fn func(Conn) error) error
}

var _ Source = Records{}

func selectList(r analytics.Relation) string {
	var b strings.Builder
	for i, c := range r.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		if c.Set {
			b.WriteString("(" + analytics.Quote(c.Source) + " IS NOT NULL)")
			continue
		}
		b.WriteString(analytics.Quote(c.Source))
	}
	return "SELECT " + b.String() + " FROM " + analytics.Quote(r.Object.Physical) + " WHERE deleted_at IS NULL"
}

// Rows implements Source.
func (s Records) Rows(ctx context.Context, r analytics.Relation, ids []id.ID, fn func([]any) bool) error {
	return s.Read(ctx, func(c Conn) error {
		list := make([]int64, len(ids))
		for i, v := range ids {
			list[i] = int64(v)
		}
		return stream(ctx, c, r, fn, selectList(r)+" AND "+c.Dialect().In("id"), c.Dialect().IDList(list))
	})
}

// Scan implements Source.
func (s Records) Scan(ctx context.Context, r analytics.Relation, after id.ID, limit int, fn func([]any) bool) error {
	return s.Read(ctx, func(c Conn) error {
		return stream(ctx, c, r, fn, selectList(r)+" AND id > ? ORDER BY id LIMIT ?", int64(after), limit)
	})
}

func stream(ctx context.Context, c Conn, r analytics.Relation, fn func([]any) bool, query string, args ...any) error {
	rows, err := c.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	row, dst := make([]any, len(r.Columns)), make([]any, len(r.Columns))
	for i := range dst {
		dst[i] = &row[i]
	}
	customer := -1
	for i, col := range r.Columns {
		if col.Name == r.CustomerColumn() {
			customer = i
		}
	}
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		normalise(r, row)
		if customer > 0 && row[customer] == int64(0) { // a fact without a customer, as PostgreSQL keeps it
			row[customer] = nil
		}
		if !fn(row) {
			return nil
		}
	}
	return rows.Err()
}

// normalise makes the values that drivers give into those of the column's kind.
func normalise(r analytics.Relation, row []any) {
	for i := range row {
		switch v := row[i].(type) {
		case []byte:
			row[i] = string(v)
		case int64:
			if r.Columns[i].Kind == schema.Boolean {
				row[i] = v != 0
			}
		}
	}
}

// modulus keeps sums of ids and instants small.
const modulus = "1000003"

// sums are the expressions that reconcile compares: the number of rows, sums over id, version and time of change, and the sum
// of every amount in the base currency.
func sums(r analytics.Relation) []string {
	cols := []string{"count(*)"}
	add := func(expr string) { cols = append(cols, "CAST(COALESCE(sum("+expr+"), 0) AS BIGINT)") }
	add("id % " + modulus)
	add("version")
	add("updated_at % " + modulus)
	for _, c := range r.Object.Columns() {
		if c.Field.Type == schema.Money && c.Role == schema.Base {
			add(analytics.Quote(c.Name))
		}
	}
	return cols
}

// Sums implements Source.
func (s Records) Sums(ctx context.Context, r analytics.Relation) (out []int64, err error) {
	text := "SELECT " + strings.Join(sums(r), ", ") + " FROM " + analytics.Quote(r.Object.Physical) + " WHERE deleted_at IS NULL"
	err = s.Read(ctx, func(c Conn) error {
		rows, err := c.Query(ctx, text)
		if err != nil {
			return err
		}
		out, err = scanSums(rows, len(sums(r)))
		return err
	})
	return out, err
}

func scanSums(rows *sql.Rows, n int) ([]int64, error) {
	defer rows.Close()
	out, dst := make([]int64, n), make([]any, n)
	for i := range dst {
		dst[i] = &out[i]
	}
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}
