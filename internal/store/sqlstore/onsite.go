package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/onsite"
)

// Onsite implements onsite.Store.
type Onsite struct{ store *Store }

var _ onsite.Store = (*Onsite)(nil)

// NewOnsite keeps messages of sites in a Store.
func NewOnsite(s *Store) *Onsite { return &Onsite{store: s} }

const (
	onsiteColumns = "id, name, status, plan, version, created_by, created_at, updated_by, updated_at"
	onsiteAll     = "SELECT " + onsiteColumns + " FROM onsite_message ORDER BY id DESC"
	onsiteGet     = "SELECT " + onsiteColumns + " FROM onsite_message WHERE id = ?"
	onsiteNew     = "INSERT INTO onsite_message (" + onsiteColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	onsitePut     = "UPDATE onsite_message SET name = ?, status = ?, plan = ?, version = ?, updated_by = ?, updated_at = ? WHERE id = ? AND version = ?"
)

func (k *Onsite) list(ctx context.Context, q string, args ...any) (out []onsite.Message, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var m onsite.Message
			var key, by, at, changer, changed int64
			var status, plan string
			if err := r.Scan(&key, &m.Name, &status, &plan, &m.Version, &by, &at, &changer, &changed); err != nil {
				return err
			}
			m.ID, m.Status, m.CreatedBy, m.UpdatedBy, m.CreatedAt, m.UpdatedAt = id.ID(key), onsite.Status(status), id.ID(by), id.ID(changer), timeOf(at), timeOf(changed)
			if err := json.Unmarshal([]byte(plan), &m.Plan); err != nil {
				return fmt.Errorf("stored plan of a message: %w", err)
			}
			out = append(out, m)
			return nil
		}, q, args...)
	})
	return out, err
}

// Messages implements onsite.Store.
func (k *Onsite) Messages(ctx context.Context) ([]onsite.Message, error) {
	return k.list(ctx, onsiteAll)
}

// Message implements onsite.Store.
func (k *Onsite) Message(ctx context.Context, key id.ID) (onsite.Message, error) {
	found, err := k.list(ctx, onsiteGet, int64(key))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "onsite.not_found", nil)
	}
	if err != nil {
		return onsite.Message{}, err
	}
	return found[0], nil
}

// Insert implements onsite.Store.
func (k *Onsite) Insert(ctx context.Context, m onsite.Message) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, onsiteNew, int64(m.ID), m.Name, string(m.Status), asJSON(m.Plan), m.Version, int64(m.CreatedBy), milli(m.CreatedAt), int64(m.UpdatedBy), milli(m.UpdatedAt))
		return err
	})
}

// Update implements onsite.Store.
func (k *Onsite) Update(ctx context.Context, m onsite.Message) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, onsitePut, m.Name, string(m.Status), asJSON(m.Plan), m.Version, int64(m.UpdatedBy), milli(m.UpdatedAt), int64(m.ID), m.Version-1)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "onsite.stale", nil)
		}
		return err
	})
}
