package mirror

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

const (
	readPosition  = `SELECT xid, seq FROM mirror_position`
	dropPosition  = `DELETE FROM mirror_position`
	writePosition = `INSERT INTO mirror_position (xid, seq) VALUES (?, ?)`
	clearBatch    = `DELETE FROM mirror_batch`
	lastMark      = `SELECT COALESCE(max(batch), 0) + 1 FROM trait_touched`
)

// changed are the records of one relation that a batch concerns.
type changed struct {
	relation analytics.Relation
	ids      []id.ID
}

// group sorts the changes by relation, each record once, in the order of the registry.
func group(reg *schema.Registry, rows []change.Row) []changed {
	byObject := map[string][]id.ID{}
	for i := range rows {
		byObject[rows[i].Object] = append(byObject[rows[i].Object], rows[i].Record)
	}
	var out []changed
	for _, o := range reg.Objects() {
		ids := byObject[o.Key]
		if len(ids) == 0 || !o.Analytic {
			continue
		}
		slices.Sort(ids)
		out = append(out, changed{analytics.NewRelation(o), slices.Compact(ids)})
	}
	return out
}

// apply replaces the records of a batch and stores the position, in one transaction.
func (m *Mirror) apply(ctx context.Context, rows []change.Row) (records int, err error) {
	groups := group(m.c.Registry(), rows)
	err = m.c.DB.Write(ctx, func(tx analytics.Tx) error {
		records = 0
		if len(groups) > 0 {
			t, err := newToucher(ctx, tx)
			if err != nil {
				return err
			}
			for _, g := range groups {
				if err := m.replace(ctx, tx, g, t); err != nil {
					return fmt.Errorf("%s: %w", g.relation.Name, err)
				}
				records += len(g.ids)
			}
			if err := t.write(ctx, tx); err != nil {
				return fmt.Errorf("mark customers: %w", err)
			}
		}
		return setPosition(ctx, tx, rows[len(rows)-1].Position)
	})
	return records, err
}

func setPosition(ctx context.Context, tx analytics.Tx, p change.Position) error {
	if _, err := tx.Exec(ctx, dropPosition); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, writePosition, p.Xid, p.Seq)
	return err
}

// replace deletes the records of a group and appends them as they are now.
func (m *Mirror) replace(ctx context.Context, tx analytics.Tx, g changed, t *toucher) error {
	where, args, err := members(ctx, tx, g.ids)
	if err != nil {
		return err
	}
	if err := t.before(ctx, tx, g.relation, where, args); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM "+analytics.Quote(g.relation.Name)+" WHERE "+where("id"), args...); err != nil {
		return err
	}
	customer := slices.Index(g.relation.Names(), g.relation.CustomerColumn())
	err = tx.Append(ctx, g.relation.Name, g.relation.Names(), func(yield func([]any, error) bool) {
		stopped := false
		err := m.c.Records.Rows(ctx, g.relation, g.ids, func(row []any) bool {
			if customer >= 0 {
				t.add(row[customer])
			}
			stopped = !yield(row, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	})
	if err != nil {
		return err
	}
	return t.dependents(ctx, tx, g.relation, where, args)
}

// few ids are named in the statement, where they prune what is read; many are put into a table first.
const few = 100

// members is a condition "column is one of the ids".
func members(ctx context.Context, tx analytics.Tx, ids []id.ID) (where func(column string) string, args []any, err error) {
	if len(ids) <= few {
		args = make([]any, len(ids))
		for i, v := range ids {
			args[i] = int64(v)
		}
		list := " IN (" + strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ") + ")"
		return func(c string) string { return analytics.Quote(c) + list }, args, nil
	}
	if _, err := tx.Exec(ctx, clearBatch); err != nil {
		return nil, nil, err
	}
	err = tx.Append(ctx, "mirror_batch", []string{"id"}, func(yield func([]any, error) bool) {
		row := make([]any, 1)
		for _, v := range ids {
			row[0] = int64(v)
			if !yield(row, nil) {
				return
			}
		}
	})
	return func(c string) string { return analytics.Quote(c) + " IN (SELECT id FROM mirror_batch)" }, nil, err
}

// toucher collects the customers that a batch concerns.
type toucher struct {
	batch     int64
	customers map[int64]struct{}
}

func newToucher(ctx context.Context, q analytics.Querier) (*toucher, error) {
	t := &toucher{customers: map[int64]struct{}{}}
	rows, err := q.Query(ctx, lastMark)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&t.batch); err != nil {
			return nil, err
		}
	}
	return t, rows.Err()
}

func (t *toucher) add(customer any) {
	if v, ok := customer.(int64); ok && v > 0 {
		t.customers[v] = struct{}{}
	}
}

func (t *toucher) query(ctx context.Context, q analytics.Querier, text string, args []any) error {
	rows, err := q.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var v sql.NullInt64
		if err := rows.Scan(&v); err != nil {
			return err
		}
		t.add(v.Int64)
	}
	return rows.Err()
}

// before collects the customers that the records belonged to until now: an order may have changed hands, or be deleted.
func (t *toucher) before(ctx context.Context, q analytics.Querier, r analytics.Relation, where func(string) string, args []any) error {
	col := r.CustomerColumn()
	if col == "" {
		return nil
	}
	return t.query(ctx, q, "SELECT DISTINCT "+analytics.Quote(col)+" FROM "+analytics.Quote(r.Name)+" WHERE "+where("id"), args)
}

// dependent says which facts name a record of another object, so that its change concerns their customers.
type dependent struct{ relation, column string }

func dependents(object string) []dependent {
	switch object {
	case "product":
		return []dependent{{"a_order_line", "product"}}
	case "variant":
		return []dependent{{"a_order_line", "variant"}}
	case "channel", "store":
		return []dependent{{"a_order", object}}
	}
	return nil
}

// dependents collects the customers whose traits read a changed product, variant, channel or store.
func (t *toucher) dependents(ctx context.Context, q analytics.Querier, r analytics.Relation, where func(string) string, args []any) error {
	for _, d := range dependents(r.Object.Key) {
		text := "SELECT DISTINCT customer FROM " + d.relation + " WHERE " + where(d.column)
		if err := t.query(ctx, q, text, args); err != nil {
			return err
		}
	}
	return nil
}

func (t *toucher) write(ctx context.Context, tx analytics.Tx) error {
	if len(t.customers) == 0 {
		return nil
	}
	return tx.Append(ctx, "trait_touched", []string{"customer_id", "batch"}, func(yield func([]any, error) bool) {
		row := make([]any, 2)
		row[1] = t.batch
		for c := range t.customers {
			row[0] = c
			if !yield(row, nil) {
				return
			}
		}
	})
}
