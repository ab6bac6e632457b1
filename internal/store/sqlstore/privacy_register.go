package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

const (
	requestColumns = "id, kind, law, object, record_id, channel, verified, received_on, due_on, extended, state, assignee, outcome, reference, proof_kind, proof, version, created_by, created_at, updated_at, closed_at"
	requestInsert  = "INSERT INTO privacy_request (" + requestColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	requestUpdate  = "UPDATE privacy_request SET kind = ?, law = ?, object = ?, record_id = ?, channel = ?, verified = ?, received_on = ?, due_on = ?, extended = ?, state = ?, assignee = ?, outcome = ?, " +
		"reference = ?, proof_kind = ?, proof = ?, version = version + 1, updated_at = ?, closed_at = ? WHERE id = ? AND version = ?"
	copyColumns      = "id, object, record_id, request, state, locale, sealed, bytes, sha256, parts, error, by_kind, created_by, created_at, finished_at, expires_at"
	copyInsert       = "INSERT INTO privacy_copy (" + copyColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	copyUpdate       = "UPDATE privacy_copy SET state = ?, sealed = ?, bytes = ?, sha256 = ?, parts = ?, error = ?, finished_at = ?, expires_at = ? WHERE id = ?"
	retentionColumns = "id, object, name, months, basis, condition, active, version, created_by, created_at, updated_at"
	retentionInsert  = "INSERT INTO retention_rule (" + retentionColumns + ", action) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')"
	retentionUpdate  = "UPDATE retention_rule SET name = ?, months = ?, basis = ?, condition = ?, active = ?, version = version + 1, updated_at = ? WHERE id = ? AND version = ?"
	runInsert        = "INSERT INTO retention_run (rule, at, found, done, held, failed, error) VALUES (?, ?, ?, ?, ?, ?, ?)"
	runList          = "SELECT at, found, done, held, failed, error FROM retention_run WHERE rule = ? ORDER BY at DESC LIMIT ?"
)

// SaveRequest implements privacy.Register.
func (s Privacy) SaveRequest(ctx context.Context, r *privacy.Request, version int64) error {
	return s.Write(ctx, func(c Conn) error {
		if version == 0 {
			_, err := c.Exec(ctx, requestInsert, int64(r.ID), r.Kind, r.Law, r.Object, int64(r.Record), r.Channel, r.Verified, int64(r.ReceivedOn), int64(r.DueOn), r.Extended, r.State, int64(r.Assignee),
				r.Outcome, r.Reference, r.ProofKind, int64(r.Proof), int64(1), int64(r.CreatedBy), milli(r.CreatedAt), milli(r.UpdatedAt), milli(r.ClosedAt))
			r.Version = 1
			return err
		}
		n, err := c.Exec(ctx, requestUpdate, r.Kind, r.Law, r.Object, int64(r.Record), r.Channel, r.Verified, int64(r.ReceivedOn), int64(r.DueOn), r.Extended, r.State, int64(r.Assignee), r.Outcome,
			r.Reference, r.ProofKind, int64(r.Proof), milli(r.UpdatedAt), milli(r.ClosedAt), int64(r.ID), version)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "privacy.request_stale", nil)
		}
		r.Version = version + 1
		return err
	})
}

func scanRequest(rows *sql.Rows) (*privacy.Request, error) {
	r := &privacy.Request{}
	var key, rec, received, due, assignee, proof, by, created, updated, closed int64
	err := rows.Scan(&key, &r.Kind, &r.Law, &r.Object, &rec, &r.Channel, &r.Verified, &received, &due, &r.Extended, &r.State, &assignee, &r.Outcome, &r.Reference, &r.ProofKind, &proof, &r.Version, &by, &created, &updated, &closed)
	r.ID, r.Record, r.Assignee, r.Proof, r.CreatedBy = id.ID(key), id.ID(rec), id.ID(assignee), id.ID(proof), id.ID(by)
	r.ReceivedOn, r.DueOn = clock.Day(received), clock.Day(due) //nolint:gosec // stored from days
	r.CreatedAt, r.UpdatedAt, r.ClosedAt = instant(created), instant(updated), instant(closed)
	return r, err
}

// GetRequest implements privacy.Register.
func (s Privacy) GetRequest(ctx context.Context, v id.ID) (*privacy.Request, error) {
	list, err := read(ctx, s.Store, scanRequest, "SELECT "+requestColumns+" FROM privacy_request WHERE id = ?", int64(v))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "privacy.request_unknown", nil)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// ListRequests implements privacy.Register.
func (s Privacy) ListRequests(ctx context.Context, f privacy.RequestFilter) ([]*privacy.Request, error) {
	var w filter
	order := "id DESC"
	if f.Open != nil {
		not := "NOT "
		if *f.Open {
			not, order = "", "due_on, id"
		}
		w.add(true, "state "+not+"IN ('open', 'working')")
	}
	w.add(f.Record != 0, "record_id = ?", int64(f.Record))
	return read(ctx, s.Store, scanRequest, "SELECT "+requestColumns+" FROM privacy_request WHERE "+w.text()+" ORDER BY "+order+" LIMIT ?", append(w.args, int64(f.Limit))...)
}

// SaveCopy implements privacy.Copies.
func (s Privacy) SaveCopy(ctx context.Context, c *privacy.Copy, fresh bool) error {
	parts := asJSON(c.Parts)
	return s.Write(ctx, func(conn Conn) error {
		if fresh {
			_, err := conn.Exec(ctx, copyInsert, int64(c.ID), c.Object, int64(c.Record), int64(c.Request), string(c.State), c.Locale, c.Sealed, c.Bytes, c.SHA256, parts, c.Error, string(c.ByKind), int64(c.CreatedBy),
				milli(c.CreatedAt), milli(c.FinishedAt), milli(c.ExpiresAt))
			return err
		}
		_, err := conn.Exec(ctx, copyUpdate, string(c.State), c.Sealed, c.Bytes, c.SHA256, parts, c.Error, milli(c.FinishedAt), milli(c.ExpiresAt), int64(c.ID))
		return err
	})
}

func scanCopy(rows *sql.Rows) (*privacy.Copy, error) {
	c := &privacy.Copy{}
	var key, rec, request, by, created, finished, expires int64
	var state, parts, kind string
	if err := rows.Scan(&key, &c.Object, &rec, &request, &state, &c.Locale, &c.Sealed, &c.Bytes, &c.SHA256, &parts, &c.Error, &kind, &by, &created, &finished, &expires); err != nil {
		return nil, err
	}
	c.ID, c.Record, c.Request, c.CreatedBy = id.ID(key), id.ID(rec), id.ID(request), id.ID(by)
	c.State, c.ByKind = privacy.State(state), access.ActorKind(kind)
	c.CreatedAt, c.FinishedAt, c.ExpiresAt = instant(created), instant(finished), instant(expires)
	return c, json.Unmarshal([]byte(parts), &c.Parts)
}

// GetCopy implements privacy.Copies.
func (s Privacy) GetCopy(ctx context.Context, v id.ID) (*privacy.Copy, error) {
	list, err := read(ctx, s.Store, scanCopy, "SELECT "+copyColumns+" FROM privacy_copy WHERE id = ?", int64(v))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "privacy.copy_unknown", nil)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// ListCopies implements privacy.Copies.
func (s Privacy) ListCopies(ctx context.Context, f privacy.CopyFilter) ([]*privacy.Copy, error) {
	var w filter
	w.add(f.Record != 0, "record_id = ?", int64(f.Record))
	if f.States != nil {
		text, arg := listed(s.db.Dialect(), "state", f.States)
		w.add(true, text, arg)
	}
	return read(ctx, s.Store, scanCopy, "SELECT "+copyColumns+" FROM privacy_copy WHERE "+w.text()+" ORDER BY id DESC LIMIT ?", append(w.args, int64(f.Limit))...)
}

// SaveRule implements privacy.Rules.
func (s Privacy) SaveRule(ctx context.Context, r *privacy.Rule, version int64) error {
	var where any
	if r.Where != nil {
		where = asJSON(r.Where)
	}
	return s.Write(ctx, func(c Conn) error {
		if version == 0 {
			_, err := c.Exec(ctx, retentionInsert, int64(r.ID), r.Object, r.Name, int64(r.Months), r.Basis, where, r.Active, int64(1), int64(r.CreatedBy), milli(r.CreatedAt), milli(r.UpdatedAt))
			r.Version = 1
			return err
		}
		n, err := c.Exec(ctx, retentionUpdate, r.Name, int64(r.Months), r.Basis, where, r.Active, milli(r.UpdatedAt), int64(r.ID), version)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "privacy.rule_stale", nil)
		}
		r.Version = version + 1
		return err
	})
}

func scanRetention(rows *sql.Rows) (*privacy.Rule, error) {
	r := &privacy.Rule{}
	var key, months, by, created, updated int64
	var where sql.NullString
	if err := rows.Scan(&key, &r.Object, &r.Name, &months, &r.Basis, &where, &r.Active, &r.Version, &by, &created, &updated); err != nil {
		return nil, err
	}
	r.ID, r.Months, r.CreatedBy, r.CreatedAt, r.UpdatedAt = id.ID(key), int(months), id.ID(by), instant(created), instant(updated)
	if where.Valid && where.String != "" {
		r.Where = &query.Node{}
		if err := json.Unmarshal([]byte(where.String), r.Where); err != nil {
			return nil, fmt.Errorf("decode rule: %w", err)
		}
	}
	return r, nil
}

// GetRule implements privacy.Rules.
func (s Privacy) GetRule(ctx context.Context, v id.ID) (*privacy.Rule, error) {
	list, err := read(ctx, s.Store, scanRetention, "SELECT "+retentionColumns+" FROM retention_rule WHERE id = ?", int64(v))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "privacy.rule_unknown", nil)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// ListRules implements privacy.Rules.
func (s Privacy) ListRules(ctx context.Context) ([]*privacy.Rule, error) {
	return read(ctx, s.Store, scanRetention, "SELECT "+retentionColumns+" FROM retention_rule ORDER BY id")
}

// DropRule implements privacy.Rules.
func (s Privacy) DropRule(ctx context.Context, v id.ID) error {
	return s.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, "DELETE FROM retention_run WHERE rule = ?", int64(v)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "DELETE FROM retention_rule WHERE id = ?", int64(v))
		return err
	})
}

// AddRun implements privacy.Rules.
func (s Privacy) AddRun(ctx context.Context, rule id.ID, r privacy.RuleRun) error {
	return s.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, runInsert, int64(rule), milli(r.At), int64(r.Found), int64(r.Done), int64(r.Held), int64(r.Failed), r.Error)
		return err
	})
}

// Runs implements privacy.Rules.
func (s Privacy) Runs(ctx context.Context, rule id.ID, limit int) ([]privacy.RuleRun, error) {
	return read(ctx, s.Store, func(rows *sql.Rows) (r privacy.RuleRun, err error) {
		var at int64
		err = rows.Scan(&at, &r.Found, &r.Done, &r.Held, &r.Failed, &r.Error)
		r.At = instant(at)
		return r, err
	}, runList, int64(rule), int64(limit))
}

// Idle implements privacy.Rules.
func (s Privacy) Idle(ctx context.Context, ask privacy.IdleQuery) ([]id.ID, error) {
	obj, facts := ask.Object, ask.Facts
	column, args := "updated_at", []any{milli(ask.Before), int64(ask.After)}
	if ask.Basis == privacy.SinceCreated {
		column, facts = "created_at", nil
	}
	q := "SELECT t.id FROM " + dialect.Quote(obj.Physical) + " t WHERE t.deleted_at IS NULL AND t." + column + " < ? AND t.id > ?"
	if c, ok := obj.Column(privacy.ProcessingField, schema.Main); ok {
		q += " AND (t." + dialect.Quote(c.Name) + " IS NULL OR t." + dialect.Quote(c.Name) + " <> '" + privacy.ErasedState + "')"
	}
	for _, f := range facts {
		by, ok := f.Object.Column(f.By.Key, schema.Main)
		at, has := f.Object.Column(f.Time.Key, schema.Main)
		if !ok || !has {
			continue
		}
		q += " AND NOT EXISTS (SELECT 1 FROM " + dialect.Quote(f.Object.Physical) + " f WHERE f." + dialect.Quote(by.Name) + " = t.id AND f.deleted_at IS NULL AND f." + dialect.Quote(at.Name) + " >= ?)"
		args = append(args, milli(ask.Before))
	}
	return read(ctx, s.Store, scanID, q+" ORDER BY t.id LIMIT ?", append(args, int64(ask.Limit))...)
}
