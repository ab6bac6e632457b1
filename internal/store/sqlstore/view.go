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
	viewColumns = "id, object, name, owner, shared, columns, condition, sort, kind, options, pinned, position, version, created_at, updated_at"
	viewList    = "SELECT " + viewColumns + " FROM view_saved WHERE object = ? AND (owner = ? OR shared = TRUE) ORDER BY position, id"
	viewAll     = "SELECT " + viewColumns + " FROM view_saved ORDER BY id"
	viewGet     = "SELECT " + viewColumns + " FROM view_saved WHERE id = ?"
	viewInsert  = "INSERT INTO view_saved (" + viewColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	viewUpdate  = "UPDATE view_saved SET name = ?, shared = ?, columns = ?, condition = ?, sort = ?, kind = ?, options = ?, pinned = ?, position = ?, version = ?, updated_at = ? WHERE id = ? AND version = ?"
	viewDelete  = "DELETE FROM view_saved WHERE id = ?"

	viewDefaults   = "SELECT owner, view FROM view_default WHERE object = ? AND (owner = ? OR owner = 0)"
	viewDefaultOff = "DELETE FROM view_default WHERE object = ? AND owner = ?"
	viewDefaultOn  = "INSERT INTO view_default (object, owner, view) VALUES (?, ?, ?)"
	viewDefaultGo  = "DELETE FROM view_default WHERE view = ?"
)

func scanView(rows *sql.Rows) (view.View, error) {
	var v view.View
	var key, owner, created, updated int64
	var columns, sorts string
	var where, options sql.NullString
	err := rows.Scan(&key, &v.Object, &v.Name, &owner, &v.Shared, &columns, &where, &sorts, &v.Kind, &options, &v.Pinned, &v.Position, &v.Version, &created, &updated)
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

// ListViews implements view.Store.
func (k *Views) ListViews(ctx context.Context, object string, owner id.ID) ([]view.View, error) {
	var out []view.View
	err := k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			v, err := scanView(rows)
			out = append(out, v)
			return err
		}, viewList, object, int64(owner))
	})
	return out, err
}

// AllViews are everybody's views.
func (k *Views) AllViews(ctx context.Context) ([]view.View, error) {
	var out []view.View
	err := k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			v, err := scanView(rows)
			out = append(out, v)
			return err
		}, viewAll)
	})
	return out, err
}

// GetView implements view.Store.
func (k *Views) GetView(ctx context.Context, key id.ID) (found view.View, err error) {
	ok := false
	err = k.store.Read(ctx, func(c Conn) error {
		return Each(ctx, c, func(rows *sql.Rows) (err error) {
			found, err = scanView(rows)
			ok = true
			return err
		}, viewGet, int64(key))
	})
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "view.not_found", nil)
	}
	return found, err
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
		_, err := c.Exec(ctx, viewInsert, int64(v.ID), v.Object, v.Name, int64(v.Owner), v.Shared, asJSON(v.Columns), viewCondition(v),
			asJSON(v.Sort), string(v.Kind), asJSON(v.Options), v.Pinned, int64(v.Position), v.Version, milli(v.CreatedAt), milli(v.UpdatedAt))
		return err
	})
}

// UpdateView implements view.Store.
func (k *Views) UpdateView(ctx context.Context, v view.View) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, viewUpdate, v.Name, v.Shared, asJSON(v.Columns), viewCondition(v), asJSON(v.Sort), string(v.Kind), asJSON(v.Options), v.Pinned, int64(v.Position),
			v.Version, milli(v.UpdatedAt), int64(v.ID), v.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "view.stale", nil)
		}
		return err
	})
}

// DeleteView implements view.Store.
func (k *Views) DeleteView(ctx context.Context, key id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, viewDefaultGo, id.Format(view.Prefix, key)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, viewDelete, int64(key))
		return err
	})
}

// Defaults implements view.Store.
func (k *Views) Defaults(ctx context.Context, object string, owner id.ID) (mine, all string, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		return Each(ctx, c, func(rows *sql.Rows) error {
			var who int64
			var name string
			err := rows.Scan(&who, &name)
			if who == 0 {
				all = name
			} else {
				mine = name
			}
			return err
		}, viewDefaults, object, int64(owner))
	})
	return mine, all, err
}

// SetDefault implements view.Store.
func (k *Views) SetDefault(ctx context.Context, object string, owner id.ID, name string) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, viewDefaultOff, object, int64(owner)); err != nil || name == "" {
			return err
		}
		_, err := c.Exec(ctx, viewDefaultOn, object, int64(owner), name)
		return err
	})
}
