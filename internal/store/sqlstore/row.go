package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

const systemCount = len(schema.SystemColumns)

// Get implements record.Reader.
func (t *tx) Get(ctx context.Context, obj *schema.Object, ids []id.ID, deleted bool) ([]record.Row, error) {
	sh := t.store.shapes.of(obj)
	var q string
	var arg any
	switch len(ids) {
	case 0:
		return nil, nil
	case 1:
		q, arg = sh.get, int64(ids[0])
	default:
		q, arg = sh.getMany, t.c.Dialect().IDList(plain(ids))
	}
	if !deleted {
		q += " AND t.deleted_at IS NULL"
	}
	return t.rows(ctx, reading{sh: sh}, len(ids), q, arg)
}

func plain(ids []id.ID) []int64 {
	out := make([]int64, len(ids))
	for i, v := range ids {
		out[i] = int64(v)
	}
	return out
}

// reading is what a statement gives of each record: all columns of a shape in their order, ids alone, or the system columns and some others.
type reading struct {
	sh      *shape
	list    string
	only    bool  // ids
	columns []int // the others, nil for all
}

// some are the system columns and those at some places, quoted, of alias t.
func (sh *shape) some(columns []int) string {
	var b strings.Builder
	for i := range systemCount + len(columns) {
		at := i
		if i >= systemCount {
			at = systemCount + columns[i-systemCount]
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("t." + dialect.Quote(sh.columns[at]))
	}
	return b.String()
}

// rows reads records.
func (t *tx) rows(ctx context.Context, r reading, capacity int, q string, args ...any) ([]record.Row, error) {
	if r.only {
		return t.bareIDs(ctx, capacity, q, args...)
	}
	if v, ok := t.c.(Valuer); ok {
		return r.values(ctx, v, capacity, q, args)
	}
	rows, err := t.c.Query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make([]record.Row, 0, min(capacity, 1000))
	sc := newScanner(r.sh, r.columns)
	for rows.Next() {
		var r record.Row
		if err := sc.scan(rows, &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// values is rows where the database gives values as they are.
func (r reading) values(ctx context.Context, c Valuer, capacity int, q string, args []any) ([]record.Row, error) {
	out := make([]record.Row, 0, min(capacity, 1000))
	width := len(r.sh.columns) - systemCount
	err := c.Values(ctx, q, args, func(row []driver.Value) error {
		var v [systemCount]int64
		for i := range v {
			switch x := row[i].(type) {
			case nil:
			case int64:
				v[i] = x
			default:
				return fmt.Errorf("a system column holds %T", x)
			}
		}
		cols := make([]any, width)
		if r.columns == nil {
			for i, x := range row[systemCount:] {
				cols[i] = x
			}
		}
		for i, at := range r.columns {
			cols[at] = row[systemCount+i]
		}
		out = append(out, r.sh.row(&v, cols))
		return nil
	})
	return out, err
}

// row puts a record together.
func (sh *shape) row(v *[systemCount]int64, cols []any) record.Row {
	if sh.customer >= 0 && cols[sh.customer] == int64(0) {
		cols[sh.customer] = nil
	}
	return record.Row{ID: id.ID(v[0]), Version: v[1], CreatedAt: v[2], CreatedAtDay: v[3], CreatedBy: id.ID(v[4]),
		UpdatedAt: v[5], UpdatedAtDay: v[6], UpdatedBy: id.ID(v[7]), DeletedAt: v[8], BatchID: id.ID(v[9]), Cols: cols}
}

func (t *tx) bareIDs(ctx context.Context, capacity int, q string, args ...any) ([]record.Row, error) {
	out := make([]record.Row, 0, min(capacity, 1000))
	if v, ok := t.c.(Valuer); ok {
		err := v.Values(ctx, q, args, func(row []driver.Value) error {
			n, ok := row[0].(int64)
			if !ok {
				return fmt.Errorf("an id is %T", row[0])
			}
			out = append(out, record.Row{ID: id.ID(n)})
			return nil
		})
		return out, err
	}
	var v int64
	dest := []any{&v}
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		err := r.Scan(dest...)
		out = append(out, record.Row{ID: id.ID(v)})
		return err
	}, q, args...)
	return out, err
}

// scanner reads rows without allocating more than the values themselves.
type scanner struct {
	dest     []any
	system   [systemCount]orZero
	width    int
	columns  []int // the places that are read, nil for all
	customer int
}

// orZero reads an integer, NULL as 0.
type orZero int64

// Scan implements sql.Scanner.
func (o *orZero) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*o = 0
	case int64:
		*o = orZero(v)
	default:
		return fmt.Errorf("a system column holds %T", src)
	}
	return nil
}

func newScanner(sh *shape, columns []int) *scanner {
	s := &scanner{width: len(sh.columns) - systemCount, columns: columns, customer: sh.customer}
	n := s.width
	if columns != nil {
		n = len(columns)
	}
	s.dest = make([]any, systemCount+n)
	for i := range s.system {
		s.dest[i] = &s.system[i]
	}
	return s
}

func (s *scanner) scan(rows *sql.Rows, r *record.Row) error {
	cols := make([]any, s.width)
	if s.columns == nil {
		for i := range cols {
			s.dest[systemCount+i] = &cols[i]
		}
	}
	for i, at := range s.columns {
		s.dest[systemCount+i] = &cols[at]
	}
	if err := rows.Scan(s.dest...); err != nil {
		return err
	}
	v := &s.system
	*r = record.Row{ID: id.ID(v[0]), Version: int64(v[1]), CreatedAt: int64(v[2]), CreatedAtDay: int64(v[3]), CreatedBy: id.ID(v[4]),
		UpdatedAt: int64(v[5]), UpdatedAtDay: int64(v[6]), UpdatedBy: id.ID(v[7]), DeletedAt: int64(v[8]), BatchID: id.ID(v[9]), Cols: cols}
	if s.customer >= 0 && cols[s.customer] == int64(0) {
		cols[s.customer] = nil
	}
	return nil
}

func orNil(v int64) any {
	if v == 0 {
		return nil
	}
	return v
}

// fillRow writes a record in the order of shape.columns.
func (sh *shape) fillRow(r *record.Row, dst []any) {
	dst[0], dst[1], dst[2], dst[3], dst[4] = int64(r.ID), r.Version, r.CreatedAt, r.CreatedAtDay, orNil(int64(r.CreatedBy))
	dst[5], dst[6], dst[7], dst[8], dst[9] = r.UpdatedAt, r.UpdatedAtDay, orNil(int64(r.UpdatedBy)), orNil(r.DeletedAt), orNil(int64(r.BatchID))
	copy(dst[systemCount:], r.Cols)
	if sh.customer >= 0 && dst[systemCount+sh.customer] == nil {
		dst[systemCount+sh.customer] = int64(0)
	}
}

func (sh *shape) check(rows []record.Row) error {
	for i := range rows {
		if len(rows[i].Cols) != len(sh.columns)-systemCount {
			return fmt.Errorf("a row of %s has %d values, not %d", sh.table, len(rows[i].Cols), len(sh.columns)-systemCount)
		}
		if rows[i].ID <= 0 {
			return fmt.Errorf("a row of %s has no id", sh.table)
		}
	}
	return nil
}

// Insert implements record.Tx.
func (t *tx) Insert(ctx context.Context, obj *schema.Object, rows []record.Row) error {
	if len(rows) == 0 {
		return nil
	}
	sh := t.store.shapes.of(obj)
	if err := sh.check(rows); err != nil {
		return err
	}
	return t.c.InsertMany(ctx, sh.table, sh.columns, len(rows), func(i int, dst []any) { sh.fillRow(&rows[i], dst) })
}

// rewriteFrom is the number of rows from which deleting and inserting beats single updates where each one is a round trip.
const rewriteFrom = 4

// Replace implements record.Tx. On PostgreSQL a fact is deleted and inserted: its customer, which may have changed, is
// part of the key, and a distributed table refuses to update that. Deleting locks the rows, which a distributed table refuses to
// do for reading, and tells which versions they had.
func (t *tx) Replace(ctx context.Context, obj *schema.Object, rows []record.Row) error {
	if len(rows) == 0 {
		return nil
	}
	sh := t.store.shapes.of(obj)
	if err := sh.check(rows); err != nil {
		return err
	}
	if sh.customer >= 0 || t.c.Dialect().FactKey() && len(rows) >= rewriteFrom {
		return t.rewrite(ctx, sh, rows)
	}
	args := make([]any, len(sh.columns)+2)
	for i := range rows {
		sh.fillRow(&rows[i], args)
		args[len(args)-2], args[len(args)-1] = int64(rows[i].ID), rows[i].Version-1
		n, err := t.c.Exec(ctx, sh.replace, args[1:]...)
		if err != nil {
			return err
		}
		if n != 1 {
			return stale(rows[i].ID)
		}
	}
	return nil
}

func stale(v id.ID) error {
	return fault.New(fault.Stale, "record.stale", fault.Params{"id": int64(v)})
}

func (t *tx) rewrite(ctx context.Context, sh *shape, rows []record.Row) error {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = int64(rows[i].ID)
	}
	gone := make(map[int64]int64, len(rows))
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var rowID, version int64
		if err := r.Scan(&rowID, &version); err != nil {
			return err
		}
		gone[rowID] = version
		return nil
	}, "DELETE FROM "+dialect.Quote(sh.table)+" WHERE "+t.c.Dialect().In("id")+" RETURNING id, version", t.c.Dialect().IDList(ids))
	if err != nil {
		return err
	}
	for i := range rows {
		if v, ok := gone[ids[i]]; !ok || v != rows[i].Version-1 {
			return stale(rows[i].ID) // what was deleted comes back with the transaction
		}
		delete(gone, ids[i]) // the same record twice in one call is stale the second time
	}
	return t.c.InsertMany(ctx, sh.table, sh.columns, len(rows), func(i int, dst []any) { sh.fillRow(&rows[i], dst) })
}

var _ record.Amender = (*tx)(nil)

// System columns that every change writes, by their place: version, updated_at, updated_at_day, updated_by.
var stamps = [...]int{1, 5, 6, 7} //nolint:gochecknoglobals // a constant

// Amend implements record.Amender. On PostgreSQL a whole row is one tuple whatever changed, and rewriting is one round trip.
func (t *tx) Amend(ctx context.Context, obj *schema.Object, columns []int, rows []record.Row) (bool, error) {
	if t.c.Dialect().FactKey() {
		return false, nil
	}
	sh := t.store.shapes.of(obj)
	if err := sh.check(rows); err != nil {
		return false, err
	}
	places := append([]int{}, stamps[:]...)
	for _, c := range columns {
		places = append(places, systemCount+c)
	}
	var set strings.Builder
	for i, p := range places {
		if i > 0 {
			set.WriteString(", ")
		}
		set.WriteString(dialect.Quote(sh.columns[p]) + " = ?")
	}
	q := "UPDATE " + dialect.Quote(sh.table) + " SET " + set.String() + " WHERE id = ? AND version = ?"
	all, args := make([]any, len(sh.columns)), make([]any, len(places)+2)
	for i := range rows {
		sh.fillRow(&rows[i], all)
		for n, p := range places {
			args[n] = all[p]
		}
		args[len(places)], args[len(places)+1] = int64(rows[i].ID), rows[i].Version-1
		n, err := t.c.Exec(ctx, q, args...)
		if err != nil {
			return false, err
		}
		if n != 1 {
			return false, stale(rows[i].ID)
		}
	}
	return true, nil
}

// Purge implements record.Tx.
func (t *tx) Purge(ctx context.Context, obj *schema.Object, ids []id.ID) error {
	if len(ids) == 0 {
		return nil
	}
	d := t.c.Dialect()
	_, err := t.c.Exec(ctx, "DELETE FROM "+dialect.Quote(obj.Physical)+" WHERE "+d.In("id"), d.IDList(plain(ids)))
	return err
}
