package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

var _ record.MergeTx = (*tx)(nil)

const (
	mergeColumns    = "id, object, survivor, at, by_kind, by_id, before, after, moved, undone_at, pending, total, place, stuck"
	mergeInsert     = "INSERT INTO record_merge (" + mergeColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	mergeOf         = "SELECT " + mergeColumns + " FROM record_merge WHERE survivor = ? AND undone_at = 0 ORDER BY id DESC LIMIT ?"
	mergeCount      = "UPDATE record_merge SET moved = moved + ? WHERE id = ?"
	mergeEnd        = "UPDATE record_merge SET undone_at = ?, pending = ?, place = ? WHERE id = ? AND undone_at = 0"
	mergeStep       = "UPDATE record_merge SET pending = ?, place = ?, stuck = stuck + ? WHERE id = ?"
	mergePending    = "SELECT " + mergeColumns + " FROM record_merge WHERE pending > 0 ORDER BY id LIMIT ?"
	mergeOne        = "SELECT " + mergeColumns + " FROM record_merge WHERE id = ?"
	mergeChildDrop  = "DELETE FROM record_merge_child WHERE merge = ? AND object = ? AND field = ? AND "
	mergedOf        = "SELECT record_id FROM record_merged WHERE merge = ? ORDER BY record_id"
	mergedCustomers = "SELECT record_id, survivor FROM record_merged WHERE object = 'customer'"
	mergedEnd       = "DELETE FROM record_merged WHERE merge = ?"
	mergeChildEnd   = "DELETE FROM record_merge_child WHERE merge = ?"
	mergeChildren   = "SELECT object, field, record_id, former FROM record_merge_child WHERE merge = ? ORDER BY object, field, record_id LIMIT ?"
	mergeChildrenOn = "SELECT object, field, record_id, former FROM record_merge_child WHERE merge = ? AND (object, field, record_id) > (?, ?, ?) ORDER BY object, field, record_id LIMIT ?"
)

// together are customers and those that were merged into them, at any distance, with whom each is part of.
func together(ctx context.Context, c Conn, customers []id.ID) (all []id.ID, of map[id.ID]id.ID, err error) {
	of = make(map[id.ID]id.ID, len(customers))
	for _, v := range customers {
		of[v] = v
	}
	all = slices.Clone(customers)
	for last := customers; len(last) > 0; {
		var found []id.ID
		err := Each(ctx, c, func(r *sql.Rows) error {
			var merged, survivor id.ID
			if err := r.Scan(&merged, &survivor); err != nil {
				return err
			}
			if _, known := of[merged]; !known {
				of[merged] = of[survivor]
				found = append(found, merged)
			}
			return nil
		}, mergedCustomers+" AND "+c.Dialect().In("survivor"), c.Dialect().IDList(plain(last)))
		if err != nil {
			return nil, nil, err
		}
		all, last = append(all, found...), found
	}
	return all, of, nil
}

// mergedAway are all customers that were merged, with whom each is part of now.
func mergedAway(ctx context.Context, c Conn) (map[id.ID]id.ID, error) {
	out := map[id.ID]id.ID{}
	err := Each(ctx, c, func(r *sql.Rows) error {
		var merged, survivor id.ID
		err := r.Scan(&merged, &survivor)
		out[merged] = survivor
		return err
	}, mergedCustomers)
	for merged, v := range out {
		for next, ok := out[v]; ok && next != merged; next, ok = out[v] {
			v = next
		}
		out[merged] = v
	}
	return out, err
}

// MergedInto implements record.MergeReader.
func (t *tx) MergedInto(ctx context.Context, ids []id.ID) (map[id.ID]id.ID, error) {
	out := map[id.ID]id.ID{}
	d := t.c.Dialect()
	for ask := plain(ids); len(ask) > 0; {
		found := map[id.ID]id.ID{}
		err := Each(ctx, t.c, func(r *sql.Rows) error {
			var from, to int64
			err := r.Scan(&from, &to)
			found[id.ID(from)] = id.ID(to)
			return err
		}, "SELECT record_id, survivor FROM record_merged WHERE "+d.In("record_id"), d.IDList(ask))
		if err != nil {
			return nil, err
		}
		ask = nil
		for from, to := range out { // further along the chain
			if next, ok := found[to]; ok {
				out[from] = next
			}
		}
		for from, to := range found {
			if _, known := out[from]; !known {
				out[from] = to
			}
			ask = append(ask, int64(to))
		}
	}
	asked := make(map[id.ID]id.ID, len(ids))
	for _, v := range ids {
		if to, ok := out[v]; ok {
			asked[v] = to
		}
	}
	return asked, nil
}

func (t *tx) merges(ctx context.Context, q string, args ...any) ([]record.MergeRow, error) {
	var out []record.MergeRow
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var m record.MergeRow
		var key, survivor, by int64
		var kind string
		err := r.Scan(&key, &m.Object, &survivor, &m.At, &kind, &by, &m.Before, &m.After, &m.Moved, &m.UndoneAt, &m.Pending, &m.Total, &m.Place, &m.Stuck)
		m.ID, m.Survivor, m.By, m.ByKind = id.ID(key), id.ID(survivor), id.ID(by), access.ActorKind(kind)
		out = append(out, m)
		return err
	}, q, args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Pending == record.MergeGiving { // its records lead nowhere any more
			if err := json.Unmarshal([]byte(out[i].Place), &out[i].Merged); err != nil {
				return nil, err
			}
			continue
		}
		err := Each(ctx, t.c, func(r *sql.Rows) error {
			var rec int64
			err := r.Scan(&rec)
			out[i].Merged = append(out[i].Merged, id.ID(rec))
			return err
		}, mergedOf, int64(out[i].ID))
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Merges implements record.MergeReader.
func (t *tx) Merges(ctx context.Context, ids []id.ID) ([]record.MergeRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	d := t.c.Dialect()
	return t.merges(ctx, "SELECT "+mergeColumns+" FROM record_merge WHERE "+d.In("id"), d.IDList(plain(ids)))
}

// MergesOf implements record.MergeReader.
func (t *tx) MergesOf(ctx context.Context, survivor id.ID, limit int) ([]record.MergeRow, error) {
	return t.merges(ctx, mergeOf, int64(survivor), int64(limit))
}

// MergeChildren implements record.MergeReader.
func (t *tx) MergeChildren(ctx context.Context, merge id.ID, after *record.MergeChild, limit int) ([]record.MergeChild, error) {
	q, args := mergeChildren, []any{int64(merge), int64(limit)}
	if after != nil {
		q, args = mergeChildrenOn, []any{int64(merge), after.Object, after.Field, int64(after.Record), int64(limit)}
	}
	var out []record.MergeChild
	err := Each(ctx, t.c, func(r *sql.Rows) error {
		var c record.MergeChild
		var rec, former int64
		err := r.Scan(&c.Object, &c.Field, &rec, &former)
		c.Record, c.Former = id.ID(rec), id.ID(former)
		out = append(out, c)
		return err
	}, q, args...)
	return out, err
}

// AddMerge implements record.MergeTx.
func (t *tx) AddMerge(ctx context.Context, m *record.MergeRow) error {
	if _, err := t.c.Exec(ctx, mergeInsert, int64(m.ID), m.Object, int64(m.Survivor), m.At, string(m.ByKind), int64(m.By), m.Before, m.After, int64(m.Moved), m.UndoneAt, int64(m.Pending), int64(m.Total), m.Place,
		int64(m.Stuck)); err != nil {
		return err
	}
	return t.c.InsertMany(ctx, "record_merged", []string{"record_id", "object", "survivor", "merge"}, len(m.Merged), func(i int, dst []any) {
		dst[0], dst[1], dst[2], dst[3] = int64(m.Merged[i]), m.Object, int64(m.Survivor), int64(m.ID)
	})
}

// AddMergeChildren implements record.MergeTx.
func (t *tx) AddMergeChildren(ctx context.Context, merge id.ID, children []record.MergeChild) error {
	if len(children) == 0 {
		return nil
	}
	err := t.c.InsertMany(ctx, "record_merge_child", []string{"merge", "object", "field", "record_id", "former"}, len(children), func(i int, dst []any) {
		c := &children[i]
		dst[0], dst[1], dst[2], dst[3], dst[4] = int64(merge), c.Object, c.Field, int64(c.Record), int64(c.Former)
	})
	if err != nil {
		return err
	}
	_, err = t.c.Exec(ctx, mergeCount, int64(len(children)), int64(merge))
	return err
}

// EndMerge implements record.MergeTx.
func (t *tx) EndMerge(ctx context.Context, merge id.ID, at int64, pending record.MergeWork) error {
	place := ""
	if pending != 0 { // to whom is given back
		list, err := t.merges(ctx, mergeOne, int64(merge))
		if err != nil {
			return err
		}
		for i := range list {
			place = asJSON(list[i].Merged)
		}
	}
	n, err := t.c.Exec(ctx, mergeEnd, at, int64(pending), place, int64(merge))
	if err != nil {
		return err
	}
	if n != 1 { // somebody else was faster
		return fault.New(fault.Conflict, "merge.undone", nil)
	}
	if _, err := t.c.Exec(ctx, mergedEnd, int64(merge)); err != nil || pending != 0 {
		return err
	}
	_, err = t.c.Exec(ctx, mergeChildEnd, int64(merge))
	return err
}

// MergesPending implements record.MergeReader.
func (t *tx) MergesPending(ctx context.Context, limit int) ([]record.MergeRow, error) {
	return t.merges(ctx, mergePending, int64(limit))
}

// LockMerge implements record.MergeTx.
func (t *tx) LockMerge(ctx context.Context, merge id.ID) (record.MergeRow, error) {
	list, err := t.merges(ctx, mergeOne+t.c.Dialect().ForUpdate(), int64(merge))
	if err != nil || len(list) == 0 {
		return record.MergeRow{}, err
	}
	return list[0], nil
}

// StepMerge implements record.MergeTx.
func (t *tx) StepMerge(ctx context.Context, merge id.ID, pending record.MergeWork, place string, stuck int) error {
	_, err := t.c.Exec(ctx, mergeStep, int64(pending), place, int64(stuck), int64(merge))
	return err
}

// DropMergeChildren implements record.MergeTx.
func (t *tx) DropMergeChildren(ctx context.Context, merge id.ID, children []record.MergeChild) error {
	d := t.c.Dialect()
	type pointing struct{ object, field string }
	by := map[pointing][]int64{}
	for _, c := range children {
		key := pointing{c.Object, c.Field}
		by[key] = append(by[key], int64(c.Record))
	}
	for key, ids := range by {
		if _, err := t.c.Exec(ctx, mergeChildDrop+d.In("record_id"), int64(merge), key.object, key.field, d.IDList(ids)); err != nil {
			return err
		}
	}
	return nil
}
