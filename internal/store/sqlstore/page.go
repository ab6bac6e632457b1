package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// pageQuery is what all statements of one selection have in common: "FROM … WHERE …" and its parameters.
type pageQuery struct {
	from string
	args []any
	// inner, with innerArgs, is the same of the list's keys alone where an index holds the whole question; "" elsewhere.
	inner     string
	innerArgs []any
}

// environment is what conditions are compiled against, with this database's dialect.
func (s *Store) environment() compile.Env {
	env := s.env()
	env.Dialect = conditionDialect(s.db.Dialect())
	return env
}

func conditionDialect(d dialect.Dialect) compile.Dialect {
	if p, ok := d.(dialect.Postgres); ok {
		return compile.PostgreSQL{Citus: p.Citus}
	}
	return compile.SQLite{}
}

func (t *tx) query(obj *schema.Object, sel record.Selection) (pageQuery, error) {
	f := compile.Fragment{}
	if sel.Where != nil || sel.Limits != nil {
		var err error
		if f, err = compile.RecordsWithin(t.store.environment(), obj, sel.Where, sel.Limits); err != nil {
			return pageQuery{}, err
		}
	}
	return t.question(obj, sel, f), nil
}

// question asks for the records of a compiled selection.
func (t *tx) question(obj *schema.Object, sel record.Selection, f compile.Fragment) pageQuery {
	q := pageQuery{args: slices.Clone(f.Args)}
	var b strings.Builder
	b.WriteString(" FROM " + dialect.Quote(obj.Physical) + " t" + f.Joins + " WHERE " + alive(sel))
	if f.Where != "" {
		b.WriteString(" AND (" + f.Where + ")")
	}
	if sel.IDs != nil {
		d := t.c.Dialect()
		b.WriteString(" AND " + d.In("t.id"))
		q.args = append(q.args, d.IDList(plain(sel.IDs)))
	}
	q.from = b.String()
	return q
}

// alive asks for the live or the deleted.
func alive(sel record.Selection) string {
	switch {
	case sel.Binned:
		return "TRUE"
	case sel.Deleted:
		return "t.deleted_at IS NOT NULL"
	}
	return "t.deleted_at IS NULL"
}

// listed is query for statements that find records, which begin where fewest are. A page does not begin with what limits name where
// these leave much.
func (t *tx) listed(ctx context.Context, obj *schema.Object, sel record.Selection, page bool) (q pageQuery, err error) {
	if page {
		w, err := t.within(ctx, obj, sel)
		if err != nil {
			return q, err
		}
		q = t.question(obj, sel, w)
	} else if q, err = t.query(obj, sel); err != nil {
		return q, err
	}
	f, err := t.narrow(ctx, obj, sel)
	if err != nil || f.inner != "" {
		q.inner, q.innerArgs = f.inner, f.args
		return q, err
	}
	q.from += f.also
	q.args = append(q.args, f.args...)
	return q, nil
}

// Select implements record.Reader. Records without a value in the first sort key come last in both directions; they are
// a statement of their own, so that each statement can walk an index.
func (t *tx) Select(ctx context.Context, obj *schema.Object, sel record.Selection) ([]record.Row, error) {
	if sel.Limit <= 0 {
		return nil, nil
	}
	q, err := t.listed(ctx, obj, sel, true)
	if err != nil {
		return nil, err
	}
	keys, joins, err := compile.Sorting(t.store.environment(), obj, sel.Sort, false)
	if err != nil {
		return nil, err
	}
	table := " FROM " + dialect.Quote(obj.Physical) + " t"
	q.from = table + joins + strings.TrimPrefix(q.from, table)
	sh := t.store.shapes.of(obj)
	r := reading{sh: sh, list: sh.list}
	switch {
	case sel.OnlyIDs:
		r.list, r.only = "t.id", true
	case sel.Columns != nil:
		r.list, r.columns = sh.some(sel.Columns), sel.Columns
	}
	after, err := sh.cursor(keys, sel.After)
	if err != nil {
		return nil, err
	}
	branches, err := compile.Keyset(conditionDialect(t.c.Dialect()), keys, after)
	if err != nil {
		return nil, err
	}
	var out []record.Row
	skip := sel.Offset
	for i, br := range branches {
		rows, err := t.branch(ctx, r, q, br, sel.Limit-len(out), skip)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		if len(out) == sel.Limit || i == len(branches)-1 {
			break
		}
		if skip, err = t.left(ctx, q, br, skip, len(rows)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *tx) branch(ctx context.Context, r reading, q pageQuery, br compile.Branch, limit, skip int) ([]record.Row, error) {
	text := "SELECT " + r.list + q.from + " AND " + br.Where
	args := append(append(make([]any, 0, len(q.args)+len(q.innerArgs)+2*len(br.Args)+3), q.args...), br.Args...)
	if q.inner != "" {
		text += " AND t.id IN (SELECT t.id" + q.inner + " AND " + br.Where + " ORDER BY " + br.Order + " LIMIT ?)"
		args = append(append(append(args, q.innerArgs...), br.Args...), int64(limit+skip))
	}
	text += " ORDER BY " + br.Order + " LIMIT ?"
	args = append(args, int64(limit))
	if skip > 0 {
		text += " OFFSET ?"
		args = append(args, int64(skip))
	}
	return t.rows(ctx, r, limit, text, args...)
}

// left is how many rows of an offset remain to be skipped after a branch that gave fewer rows than asked for.
func (t *tx) left(ctx context.Context, q pageQuery, br compile.Branch, skip, got int) (int, error) {
	if skip == 0 || got > 0 {
		return 0, nil
	}
	if q.inner != "" {
		q.from, q.args = q.inner, q.innerArgs
	}
	var n int64
	args := append(append(append(make([]any, 0, len(q.args)+len(br.Args)+1), q.args...), br.Args...), int64(skip))
	_, err := t.c.QueryRow(ctx, []any{&n}, "SELECT count(*) FROM (SELECT 1"+q.from+" AND "+br.Where+" LIMIT ?) n", args...)
	return skip - int(n), err
}

// cursor makes of a cursor's values what the columns hold.
func (sh *shape) cursor(keys []compile.SortKey, after []any) ([]any, error) {
	if after == nil {
		return nil, nil
	}
	out := make([]any, len(after))
	for i, v := range after {
		switch v := v.(type) {
		case id.ID:
			out[i] = int64(v)
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				return nil, fault.New(fault.Invalid, "query.bad_cursor", nil)
			}
			out[i] = n
		default:
			out[i] = v
		}
		if out[i] == nil && i < len(keys) && sh.customer >= 0 && keys[i].Index == sh.customer {
			out[i] = int64(0)
		}
	}
	return out, nil
}

// Count implements record.Reader.
func (t *tx) Count(ctx context.Context, obj *schema.Object, sel record.Selection, limit int) (int, error) {
	q, err := t.listed(ctx, obj, sel, false)
	if err != nil {
		return 0, err
	}
	if q.inner != "" {
		q.from, q.args = q.inner, q.innerArgs
	}
	text := "SELECT count(*)" + q.from
	if limit > 0 {
		text = "SELECT count(*) FROM (SELECT 1" + q.from + " LIMIT ?) n"
		q.args = append(q.args, int64(limit))
	}
	var n int64
	_, err = t.c.QueryRow(ctx, []any{&n}, text, q.args...)
	return int(n), err
}

// keysAtOnce is how many keys Keys hands over at a time.
const keysAtOnce = 1000

var _ record.Keyer = (*tx)(nil)

// Keys implements record.Keyer.
func (t *tx) Keys(ctx context.Context, obj *schema.Object, sel record.Selection, fn func([]record.Key) error) error {
	q, err := t.query(obj, sel)
	if err != nil {
		return err
	}
	keys, err := compile.SortKeys(obj, sel.Sort)
	if err != nil {
		return err
	}
	branches, err := compile.Keyset(conditionDialect(t.c.Dialect()), keys, nil)
	if err != nil {
		return err
	}
	part := make([]record.Key, 0, keysAtOnce)
	flush := func() error {
		if len(part) == 0 {
			return nil
		}
		err := fn(part)
		part = part[:0]
		return err
	}
	for _, br := range branches {
		text := "SELECT t.id, t.version" + q.from + " AND " + br.Where + " ORDER BY " + br.Order
		args := append(append(make([]any, 0, len(q.args)+len(br.Args)), q.args...), br.Args...)
		err := Each(ctx, t.c, func(r *sql.Rows) error {
			var k record.Key
			if err := r.Scan((*int64)(&k.ID), &k.Version); err != nil {
				return err
			}
			if part = append(part, k); len(part) < keysAtOnce {
				return nil
			}
			return flush()
		}, text, args...)
		if err != nil {
			return err
		}
	}
	return flush()
}
