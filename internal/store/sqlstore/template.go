package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
)

// Templates implements template.Store.
type Templates struct{ store *Store }

var _ template.Store = (*Templates)(nil)

// NewTemplates keeps templates in a Store.
func NewTemplates(s *Store) *Templates { return &Templates{store: s} }

const (
	templateRead = "SELECT t.id, t.name, t.channel, v.version, t.archived, t.created_by, t.created_at, v.saved_by, CASE WHEN v.version = t.version THEN t.updated_at ELSE v.saved_at END, v.body " +
		"FROM template t JOIN template_version v ON v.template_id = t.id AND v.version = "
	templateAll  = templateRead + "t.version ORDER BY t.updated_at DESC, t.id DESC"
	templateGet  = templateRead + "CASE WHEN CAST(? AS BIGINT) = 0 THEN t.version ELSE CAST(? AS BIGINT) END WHERE t.id = ?"
	templateNew  = "INSERT INTO template (id, name, channel, version, archived, created_by, created_at, updated_by, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	templateBody = "INSERT INTO template_version (template_id, version, body, saved_by, saved_at) VALUES (?, ?, ?, ?, ?)"
	templateSave = "UPDATE template SET name = ?, version = ?, archived = ?, updated_by = ?, updated_at = ? WHERE id = ? AND version = ?"
	templatePast = "SELECT version, saved_by, saved_at FROM template_version WHERE template_id = ? ORDER BY version DESC"
)

func scanTemplate(r *sql.Rows) (t template.Template, err error) {
	var key, by, at, saved, changed int64
	var body string
	if err := r.Scan(&key, &t.Name, &t.Channel, &t.Version, &t.Archived, &by, &at, &saved, &changed, &body); err != nil {
		return t, err
	}
	t.ID, t.CreatedBy, t.CreatedAt, t.UpdatedBy, t.UpdatedAt = id.ID(key), id.ID(by), timeOf(at), id.ID(saved), timeOf(changed)
	if err := json.Unmarshal([]byte(body), &t.Body); err != nil {
		return t, fmt.Errorf("stored template: %w", err)
	}
	return t, nil
}

func (k *Templates) list(ctx context.Context, q string, args ...any) (out []template.Template, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			t, err := scanTemplate(r)
			out = append(out, t)
			return err
		}, q, args...)
	})
	return out, err
}

// Templates implements template.Store.
func (k *Templates) Templates(ctx context.Context) ([]template.Template, error) {
	return k.list(ctx, templateAll)
}

// Template implements template.Store.
func (k *Templates) Template(ctx context.Context, key id.ID, version int64) (template.Template, error) {
	found, err := k.list(ctx, templateGet, version, version, int64(key))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "template.not_found", nil)
	}
	if err != nil {
		return template.Template{}, err
	}
	return found[0], nil
}

// Insert implements template.Store.
func (k *Templates) Insert(ctx context.Context, t template.Template) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, templateNew, int64(t.ID), t.Name, t.Channel, t.Version, t.Archived, int64(t.CreatedBy), milli(t.CreatedAt), int64(t.UpdatedBy), milli(t.UpdatedAt)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, templateBody, int64(t.ID), t.Version, asJSON(t.Body), int64(t.UpdatedBy), milli(t.UpdatedAt))
		return err
	})
}

// Save implements template.Store.
func (k *Templates) Save(ctx context.Context, t template.Template, body bool) error {
	before := t.Version
	if body {
		before--
	}
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, templateSave, t.Name, t.Version, t.Archived, int64(t.UpdatedBy), milli(t.UpdatedAt), int64(t.ID), before)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Stale, "template.stale", nil)
		}
		if body {
			_, err = c.Exec(ctx, templateBody, int64(t.ID), t.Version, asJSON(t.Body), int64(t.UpdatedBy), milli(t.UpdatedAt))
		}
		return err
	})
}

// Versions implements template.Store.
func (k *Templates) Versions(ctx context.Context, key id.ID) (out []template.Past, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var p template.Past
			var by, at int64
			err := r.Scan(&p.Version, &by, &at)
			p.By, p.At = id.ID(by), timeOf(at)
			out = append(out, p)
			return err
		}, templatePast, int64(key))
	})
	return out, err
}
