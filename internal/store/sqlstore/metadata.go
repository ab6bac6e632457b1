package sqlstore

import (
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
)

// Metadata implements metadata.Store.
type Metadata struct{ store *Store }

var _ metadata.Store = (*Metadata)(nil)

// NewMetadata keeps declarations in a Store.
func NewMetadata(s *Store) *Metadata { return &Metadata{store: s} }

const (
	metaObjects      = "SELECT key, '', spec, position, version FROM meta_object ORDER BY position, key"
	metaFields       = "SELECT object, key, spec, position, version FROM meta_field ORDER BY object, position, key"
	metaObjectInsert = "INSERT INTO meta_object (spec, position, version, created_at, updated_at, key) VALUES (?, ?, ?, ?, ?, ?)"
	metaObjectUpdate = "UPDATE meta_object SET spec = ?, position = ?, version = ?, updated_at = ? WHERE key = ? AND version = ?"
	metaFieldInsert  = "INSERT INTO meta_field (spec, position, version, created_at, updated_at, object, key) VALUES (?, ?, ?, ?, ?, ?, ?)"
	metaFieldUpdate  = "UPDATE meta_field SET spec = ?, position = ?, version = ?, updated_at = ? WHERE object = ? AND key = ? AND version = ?"
)

// Load implements metadata.Store.
func (m *Metadata) Load(ctx context.Context) (out []metadata.Row, err error) {
	err = m.store.Read(ctx, func(c Conn) error {
		out = nil
		for _, q := range []string{metaObjects, metaFields} {
			err := Each(ctx, c, func(rows *sql.Rows) error {
				var r metadata.Row
				err := rows.Scan(&r.Object, &r.Field, &r.Spec, &r.Position, &r.Version)
				out = append(out, r)
				return err
			}, q)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Save implements metadata.Store.
func (m *Metadata) Save(ctx context.Context, rows []metadata.Row) error {
	return m.store.Write(ctx, func(c Conn) error {
		now := m.store.clock.Now().UnixMilli()
		for _, r := range rows {
			insert, update, key := metaFieldInsert, metaFieldUpdate, []any{r.Object, r.Field}
			if r.Field == "" {
				insert, update, key = metaObjectInsert, metaObjectUpdate, []any{r.Object}
			}
			if r.Version == 1 {
				if _, err := c.Exec(ctx, insert, append([]any{string(r.Spec), r.Position, r.Version, now, now}, key...)...); err != nil {
					return err
				}
				continue
			}
			n, err := c.Exec(ctx, update, append(append([]any{string(r.Spec), r.Position, r.Version, now}, key...), r.Version-1)...)
			if err != nil {
				return err
			}
			if n == 0 {
				return fault.New(fault.Stale, "metadata.stale", nil)
			}
		}
		return nil
	})
}
