package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
)

const (
	savedColumns = "id, object, name, fingerprint, mapping, version, created_by, created_at, updated_at, used_at"
	savedAll     = "SELECT " + savedColumns + " FROM import_saved WHERE (? = '' OR object = ?) ORDER BY object, name_fold, id"
	savedTaken   = "SELECT id FROM import_saved WHERE object = ? AND name_fold = ? AND id <> ?"
	savedInsert  = "INSERT INTO import_saved (id, object, name, name_fold, fingerprint, mapping, version, created_by, created_at, updated_at, used_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)"
	savedUpdate  = "UPDATE import_saved SET name = ?, name_fold = ?, fingerprint = ?, mapping = ?, version = ?, updated_at = ?, used_at = ? WHERE id = ? AND version = ?"
	savedUsed    = "UPDATE import_saved SET used_at = ? WHERE id = ?"
	savedDelete  = "DELETE FROM import_saved WHERE id = ?"
)

// SavedMappings implements transfer.Store.
func (s *Imports) SavedMappings(ctx context.Context, object string) (out []transfer.SavedMapping, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var m transfer.SavedMapping
			var rec, by, created, updated, used int64
			var text string
			if err := r.Scan(&rec, &m.Object, &m.Name, &m.Fingerprint, &text, &m.Version, &by, &created, &updated, &used); err != nil {
				return err
			}
			m.ID, m.CreatedBy, m.CreatedAt, m.UpdatedAt, m.UsedAt = id.ID(rec), id.ID(by), timeOf(created), timeOf(updated), timeOf(used)
			if err := json.Unmarshal([]byte(text), &m.Mapping); err != nil {
				return fmt.Errorf("decode saved mapping: %w", err)
			}
			out = append(out, m)
			return nil
		}, savedAll, object, object)
	})
	return out, err
}

// SaveMapping implements transfer.Store.
func (s *Imports) SaveMapping(ctx context.Context, m transfer.SavedMapping) error {
	text, err := jsonText(m.Mapping)
	if err != nil {
		return fmt.Errorf("encode saved mapping: %w", err)
	}
	fold := lang.Fold(m.Name)
	return s.store.Write(ctx, func(c Conn) error {
		var other int64
		taken, err := c.QueryRow(ctx, []any{&other}, savedTaken, m.Object, fold, int64(m.ID))
		if err != nil {
			return err
		}
		if taken {
			return fault.InvalidField("import.saved_name_taken", "name", fault.Params{"name": m.Name})
		}
		if m.Version == 1 {
			_, err := c.Exec(ctx, savedInsert, int64(m.ID), m.Object, m.Name, fold, m.Fingerprint, text, int64(m.CreatedBy), msOf(m.CreatedAt), msOf(m.UpdatedAt), msOf(m.UsedAt))
			return err
		}
		n, err := c.Exec(ctx, savedUpdate, m.Name, fold, m.Fingerprint, text, m.Version, msOf(m.UpdatedAt), msOf(m.UsedAt), int64(m.ID), m.Version-1)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "import.saved_stale", nil)
		}
		return err
	})
}

// DeleteMapping implements transfer.Store.
func (s *Imports) DeleteMapping(ctx context.Context, v id.ID) error {
	return s.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, savedDelete, int64(v))
		return err
	})
}

// UsedMapping implements transfer.Store.
func (s *Imports) UsedMapping(ctx context.Context, v id.ID, at int64) error {
	return s.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, savedUsed, at, int64(v))
		return err
	})
}

// FindJobs implements transfer.Store.
func (s *Imports) FindJobs(ctx context.Context, q transfer.JobQuery) ([]*transfer.Job, error) {
	var where []string
	var args []any
	and := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Object != "" {
		and("object = ?", q.Object)
	}
	if len(q.Statuses) > 0 {
		marks := make([]string, len(q.Statuses))
		values := make([]any, len(q.Statuses))
		for i, v := range q.Statuses {
			marks[i], values[i] = "?", string(v)
		}
		and("status IN ("+strings.Join(marks, ", ")+")", values...)
	}
	if q.By != 0 {
		and("created_by = ?", int64(q.By))
	}
	if q.Text != "" {
		text := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(q.Text))
		and("lower(file_name) LIKE ? ESCAPE '!'", "%"+text+"%")
	}
	if q.Before != 0 {
		and("id < ?", int64(q.Before))
	}
	stmt := "SELECT " + importColumns + " FROM import_job"
	if len(where) > 0 {
		stmt += " WHERE " + strings.Join(where, " AND ")
	}
	return s.jobs(ctx, stmt+" ORDER BY id DESC LIMIT ?", append(args, q.Limit)...)
}

// putPairs puts pairs to the review of duplicates, in the group of the older record where it has one.
func putPairs(ctx context.Context, c Conn, m *transfer.Commit) error {
	const group = "SELECT grp FROM duplicate_pair WHERE object = ? AND (a = ? OR b = ?) LIMIT 1"
	for i := range m.Pairs {
		p := &m.Pairs[i]
		at := int64(p.A)
		if _, err := c.QueryRow(ctx, []any{&at}, group, m.Object, int64(p.A), int64(p.A)); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, duplicatePut, int64(p.A), int64(p.B), m.Object, at, int64(p.Score), one(p.Sure), p.Rule, string(p.Reasons), int64(m.Job)); err != nil {
			return err
		}
	}
	return nil
}
