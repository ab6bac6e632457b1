package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/view"
)

// Views implements view.Store.
type Views struct{ store *Store }

var _ view.Store = (*Views)(nil)

// NewViews keeps saved views in a Store.
func NewViews(s *Store) *Views { return &Views{store: s} }

const (
	viewColumns = "id, object, name, owner, columns, condition, sort, kind, options, pinned, position, version, created_at, updated_at"
	viewList    = "SELECT " + viewColumns + " FROM view_saved WHERE object = ? AND (owner = ? AND owner <> 0 OR id IN (SELECT view FROM view_share WHERE "
	viewListEnd = ")) ORDER BY position, id"
	viewAll     = "SELECT " + viewColumns + " FROM view_saved ORDER BY id"
	viewGet     = "SELECT " + viewColumns + " FROM view_saved WHERE id = ?"
	viewInsert  = "INSERT INTO view_saved (" + viewColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	viewUpdate  = "UPDATE view_saved SET name = ?, columns = ?, condition = ?, sort = ?, kind = ?, options = ?, pinned = ?, position = ?, version = ?, updated_at = ? WHERE id = ? AND version = ?"
	viewDelete  = "DELETE FROM view_saved WHERE id = ?"
	viewMove    = "UPDATE view_saved SET owner = ?, version = version + 1, updated_at = ? WHERE owner = ?"
	viewOwned   = "SELECT owner, count(*) FROM view_saved WHERE owner <> 0 GROUP BY owner"

	viewShares     = "SELECT view, who, writes FROM view_share WHERE "
	viewSharesEnd  = " ORDER BY view, who"
	viewShareOn    = "INSERT INTO view_share (view, who, writes) VALUES (?, ?, ?)"
	viewShareOff   = "DELETE FROM view_share WHERE view = ?"
	viewShareOfOne = "DELETE FROM view_share WHERE who = ? AND view IN (SELECT id FROM view_saved WHERE owner = ?)"
	viewShareGone  = "DELETE FROM view_share WHERE who = ?"

	viewUsuals    = "SELECT who, view FROM view_usual WHERE object = ? AND "
	viewUsualAll  = "SELECT who, view FROM view_usual WHERE object = ? AND who NOT LIKE 'user %'"
	viewUsualOff  = "DELETE FROM view_usual WHERE object = ? AND who = ?"
	viewUsualOn   = "INSERT INTO view_usual (object, who, view) VALUES (?, ?, ?)"
	viewUsualGo   = "DELETE FROM view_usual WHERE view = ?"
	viewUsualGone = "DELETE FROM view_usual WHERE who = ?"
)

func scanView(rows *sql.Rows) (view.View, error) {
	var v view.View
	var key, owner, created, updated int64
	var columns, sorts string
	var where, options sql.NullString
	err := rows.Scan(&key, &v.Object, &v.Name, &owner, &columns, &where, &sorts, &v.Kind, &options, &v.Pinned, &v.Position, &v.Version, &created, &updated)
	if err != nil {
		return v, err
	}
	v.ID, v.Owner = id.ID(key), id.ID(owner)
	v.CreatedAt, v.UpdatedAt = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
	if err := json.Unmarshal([]byte(columns), &v.Columns); err != nil {
		return v, fmt.Errorf("stored view %d: %w", key, err)
	}
	if err := json.Unmarshal([]byte(sorts), &v.Sort); err != nil {
		return v, fmt.Errorf("stored view %d: %w", key, err)
	}
	if options.Valid {
		if err := json.Unmarshal([]byte(options.String), &v.Options); err != nil {
			return v, fmt.Errorf("stored view %d: %w", key, err)
		}
	}
	if where.Valid {
		if v.Where, err = query.Parse([]byte(where.String)); err != nil {
			return v, fmt.Errorf("stored view %d: %w", key, err)
		}
	}
	return v, nil
}

// views reads views with whom they are shared.
func (k *Views) views(ctx context.Context, q string, args ...any) ([]view.View, error) {
	var out []view.View
	err := k.store.Read(ctx, func(c Conn) error {
		out = nil
		at := map[int64]int{}
		var ids []int64
		err := Each(ctx, c, func(rows *sql.Rows) error {
			v, err := scanView(rows)
			at[int64(v.ID)] = len(out)
			ids = append(ids, int64(v.ID))
			out = append(out, v)
			return err
		}, q, args...)
		if err != nil || len(ids) == 0 {
			return err
		}
		d := c.Dialect()
		return Each(ctx, c, func(rows *sql.Rows) error {
			var key int64
			var who string
			var x view.Share
			if err := rows.Scan(&key, &who, &x.Writes); err != nil {
				return err
			}
			ok := false
			if x.Grantee, ok = view.ParseWho(who); ok {
				v := &out[at[key]]
				v.Shares = append(v.Shares, x)
				v.Shared = v.Shared || x.Kind == view.Everyone
			}
			return nil
		}, viewShares+d.In("view")+viewSharesEnd, d.IDList(ids))
	})
	return out, err
}

func whos(list []view.Grantee) []string {
	out := make([]string, len(list))
	for i, g := range list {
		out[i] = g.Who()
	}
	return out
}

// ListViews implements view.Store.
func (k *Views) ListViews(ctx context.Context, object string, owner id.ID, with []view.Grantee) ([]view.View, error) {
	d := k.store.db.Dialect()
	return k.views(ctx, viewList+d.In("who")+viewListEnd, object, int64(owner), d.TextList(whos(with)))
}

// AllViews are everybody's views.
func (k *Views) AllViews(ctx context.Context) ([]view.View, error) { return k.views(ctx, viewAll) }

// GetView implements view.Store.
func (k *Views) GetView(ctx context.Context, key id.ID) (view.View, error) {
	list, err := k.views(ctx, viewGet, int64(key))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "view.not_found", nil)
	}
	if err != nil {
		return view.View{}, err
	}
	return list[0], nil
}

func putShares(ctx context.Context, c Conn, v *view.View) error {
	if _, err := c.Exec(ctx, viewShareOff, int64(v.ID)); err != nil {
		return err
	}
	for _, x := range v.Shares {
		if _, err := c.Exec(ctx, viewShareOn, int64(v.ID), x.Who(), x.Writes); err != nil {
			return err
		}
	}
	return nil
}

func viewCondition(v view.View) any {
	if v.Where == nil {
		return nil
	}
	return asJSON(v.Where)
}

// InsertView implements view.Store.
func (k *Views) InsertView(ctx context.Context, v view.View) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, viewInsert, int64(v.ID), v.Object, v.Name, int64(v.Owner), asJSON(v.Columns), viewCondition(v),
			asJSON(v.Sort), string(v.Kind), asJSON(v.Options), v.Pinned, int64(v.Position), v.Version, milli(v.CreatedAt), milli(v.UpdatedAt))
		if err != nil {
			return err
		}
		return putShares(ctx, c, &v)
	})
}

// UpdateView implements view.Store.
func (k *Views) UpdateView(ctx context.Context, v view.View) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, viewUpdate, v.Name, asJSON(v.Columns), viewCondition(v), asJSON(v.Sort), string(v.Kind), asJSON(v.Options), v.Pinned, int64(v.Position),
			v.Version, milli(v.UpdatedAt), int64(v.ID), v.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "view.stale", nil)
		}
		if err != nil {
			return err
		}
		return putShares(ctx, c, &v)
	})
}

// DeleteView implements view.Store.
func (k *Views) DeleteView(ctx context.Context, key id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, viewUsualGo, id.Format(view.Prefix, key)); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, viewShareOff, int64(key)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, viewDelete, int64(key))
		return err
	})
}

// Usuals implements view.Store.
func (k *Views) Usuals(ctx context.Context, object string, of []view.Grantee) ([]view.Usual, error) {
	d := k.store.db.Dialect()
	q, args := viewUsualAll, []any{object}
	if of != nil {
		q, args = viewUsuals+d.In("who"), append(args, d.TextList(whos(of)))
	}
	return read(ctx, k.store, func(rows *sql.Rows) (view.Usual, error) {
		var u view.Usual
		var who string
		err := rows.Scan(&who, &u.View)
		u.For, _ = view.ParseWho(who)
		return u, err
	}, q, args...)
}

// SetUsual implements view.Store.
func (k *Views) SetUsual(ctx context.Context, object string, of view.Grantee, name string) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, viewUsualOff, object, of.Who()); err != nil || name == "" {
			return err
		}
		_, err := c.Exec(ctx, viewUsualOn, object, of.Who(), name)
		return err
	})
}

// MoveViews implements view.Store.
func (k *Views) MoveViews(ctx context.Context, from, to id.ID, now time.Time) (moved int, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, viewShareOfOne, view.Grantee{Kind: view.Person, ID: to}.Who(), int64(from)); err != nil {
			return err
		}
		n, err := c.Exec(ctx, viewMove, int64(to), milli(now), int64(from))
		moved = int(n)
		return err
	})
	return moved, err
}

// CountOwned implements view.Store.
func (k *Views) CountOwned(ctx context.Context) (map[id.ID]int, error) {
	out := map[id.ID]int{}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		return Each(ctx, c, func(rows *sql.Rows) error {
			var who int64
			var n int
			err := rows.Scan(&who, &n)
			out[id.ID(who)] = n
			return err
		}, viewOwned)
	})
	return out, err
}

// forgetGrantee ends what views were shared with somebody who is gone, and whose default they were.
func forgetGrantee(ctx context.Context, c Conn, g view.Grantee) error {
	for _, q := range []string{viewShareGone, viewUsualGone} {
		if _, err := c.Exec(ctx, q, g.Who()); err != nil {
			return err
		}
	}
	return nil
}
