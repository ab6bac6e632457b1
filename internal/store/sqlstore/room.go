package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/room"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Models implements room.Store.
type Models struct{ store *Store }

var _ room.Store = (*Models)(nil)

// NewModels keeps what models learned in a Store.
func NewModels(s *Store) *Models { return &Models{store: s} }

const (
	modelStandings = `SELECT model, edition, turned_off, options, refit, version, tried_at, failure, scored_at, scored_day, scored_version, scored, took_ms FROM model_standing`
	modelStart     = `INSERT INTO model_standing (model, edition, turned_off, options, refit, version) VALUES (?, 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	modelSave      = `UPDATE model_standing SET edition = edition + 1, turned_off = ?, options = ?, refit = ?, version = ? WHERE model = ? AND edition = ?`
	modelFirst     = `INSERT INTO model_standing (model, edition, options) VALUES (?, 1, '{}') ON CONFLICT DO NOTHING`
	modelNote      = `UPDATE model_standing SET version = ?, tried_at = ?, failure = ?, scored_at = ?, scored_day = ?, scored_version = ?, scored = ?, took_ms = ? WHERE model = ?`
	modelNext      = `SELECT COALESCE(max(number), 0) + 1 FROM model_version WHERE model = ?`
	modelInsert    = `INSERT INTO model_version (model, number, cause, options, state, card, until_day, fitted_at, fitted_by, took_ms, facts, held_back) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	modelForget    = `DELETE FROM model_version WHERE model = ? AND number <= ? AND number NOT IN (SELECT version FROM model_standing WHERE model = ?) AND number NOT IN (SELECT scored_version FROM model_standing WHERE model = ?)`
	modelColumns   = `SELECT model, number, cause, options, card, until_day, fitted_at, fitted_by, took_ms, facts, held_back`
	modelVersions  = modelColumns + `, '' FROM model_version WHERE model = ? ORDER BY number DESC`
	modelOutline   = modelColumns + `, '' FROM model_version WHERE model = ? AND number = ?`
	modelVersion   = modelColumns + `, state FROM model_version WHERE model = ? AND number = ?`
	modelLog       = `INSERT INTO model_log (at, model, what, version, by_id, took_ms, detail) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	modelLogForget = `DELETE FROM model_log WHERE model = ? AND at < ?`
	modelLines     = `SELECT at, what, version, by_id, took_ms, detail FROM model_log WHERE model = ? ORDER BY at DESC, what LIMIT ?`
)

// linesFor is how long it is remembered what happened to models.
const linesFor = 2 * 365 * 24 * time.Hour

// Standings implements room.Store.
func (m *Models) Standings(ctx context.Context) (map[string]room.Standing, error) {
	var out map[string]room.Standing
	err := m.store.Read(ctx, func(c Conn) error {
		out = map[string]room.Standing{}
		return Each(ctx, c, func(rows *sql.Rows) error {
			var s room.Standing
			var off, tried, scoredAt, day, took int64
			var options, refit string
			if err := rows.Scan(&s.Model, &s.Edition, &off, &options, &refit, &s.Version, &tried, &s.Failure, &scoredAt, &day, &s.ScoredVersion, &s.Scored, &took); err != nil {
				return err
			}
			s.Off, s.Options, s.Refit = off != 0, json.RawMessage(options), predict.Refit(refit)
			s.TriedAt, s.ScoredAt, s.ScoredDay, s.Took = instant(tried), instant(scoredAt), clock.Day(day), time.Duration(took)*time.Millisecond //nolint:gosec // a calendar day
			out[s.Model] = s
			return nil
		}, modelStandings)
	})
	return out, err
}

// SaveStanding implements room.Store.
func (m *Models) SaveStanding(ctx context.Context, s room.Standing) error {
	options := string(s.Options)
	if options == "" {
		options = "{}"
	}
	return m.store.Write(ctx, func(c Conn) error {
		var n int64
		var err error
		if s.Edition == 0 {
			n, err = c.Exec(ctx, modelStart, s.Model, flag(s.Off), options, string(s.Refit), s.Version)
		} else {
			n, err = c.Exec(ctx, modelSave, flag(s.Off), options, string(s.Refit), s.Version, s.Model, s.Edition)
		}
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "model.stale", fault.Params{"model": s.Model})
		}
		return err
	})
}

// Note implements room.Store.
func (m *Models) Note(ctx context.Context, s room.Standing) error {
	return m.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, modelFirst, s.Model); err != nil {
			return err
		}
		_, err := c.Exec(ctx, modelNote, s.Version, milli(s.TriedAt), s.Failure, milli(s.ScoredAt), int64(s.ScoredDay), s.ScoredVersion, s.Scored, s.Took.Milliseconds(), s.Model)
		return err
	})
}

// Insert implements room.Store.
func (m *Models) Insert(ctx context.Context, v room.Version, keep int) (room.Version, error) {
	card, err := json.Marshal(v.Card)
	if err != nil {
		return v, fmt.Errorf("card of %s: %w", v.Model, err)
	}
	err = m.store.Write(ctx, func(c Conn) error {
		if _, err := c.QueryRow(ctx, []any{&v.Number}, modelNext, v.Model); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, modelInsert, v.Model, v.Number, string(v.Cause), string(v.Options), string(v.State), string(card), int64(v.Until), milli(v.FittedAt),
			int64(v.FittedBy), v.Took.Milliseconds(), v.Facts, flag(v.HeldBack)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, modelForget, v.Model, v.Number-int64(keep), v.Model, v.Model)
		return err
	})
	return v, err
}

func scanVersion(scan func(...any) error) (v room.Version, err error) {
	var cause, options, card, state string
	var until, at, by, took, held int64
	if err := scan(&v.Model, &v.Number, &cause, &options, &card, &until, &at, &by, &took, &v.Facts, &held, &state); err != nil {
		return v, err
	}
	v.Cause, v.Options, v.State, v.Until = room.Cause(cause), json.RawMessage(options), json.RawMessage(state), clock.Day(until) //nolint:gosec // a calendar day
	v.FittedAt, v.FittedBy, v.Took, v.HeldBack = instant(at), id.ID(by), time.Duration(took)*time.Millisecond, held != 0
	if err := json.Unmarshal([]byte(card), &v.Card); err != nil {
		return v, fmt.Errorf("stored card of %s: %w", v.Model, err)
	}
	return v, nil
}

// Versions implements room.Store.
func (m *Models) Versions(ctx context.Context, model string) ([]room.Version, error) {
	var out []room.Version
	err := m.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			v, err := scanVersion(rows.Scan)
			out = append(out, v)
			return err
		}, modelVersions, model)
	})
	return out, err
}

// Version implements room.Store.
func (m *Models) Version(ctx context.Context, model string, number int64) (room.Version, error) {
	return m.one(ctx, modelVersion, model, number)
}

// Outline implements room.Store.
func (m *Models) Outline(ctx context.Context, model string, number int64) (room.Version, error) {
	return m.one(ctx, modelOutline, model, number)
}

func (m *Models) one(ctx context.Context, query, model string, number int64) (room.Version, error) {
	var out room.Version
	found := false
	err := m.store.Read(ctx, func(c Conn) error {
		found = false
		return Each(ctx, c, func(rows *sql.Rows) (err error) {
			found = true
			out, err = scanVersion(rows.Scan)
			return err
		}, query, model, number)
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "model.no_version", fault.Params{"model": model, "version": number})
	}
	return out, err
}

// Log implements room.Store.
func (m *Models) Log(ctx context.Context, l room.Line) error {
	return m.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, modelLogForget, l.Model, milli(l.At.Add(-linesFor))); err != nil {
			return err
		}
		_, err := c.Exec(ctx, modelLog, milli(l.At), l.Model, l.What, l.Version, int64(l.By), l.Took.Milliseconds(), l.Detail)
		return err
	})
}

// Lines implements room.Store.
func (m *Models) Lines(ctx context.Context, model string, limit int) ([]room.Line, error) {
	var out []room.Line
	err := m.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			l := room.Line{Model: model}
			var at, by, took int64
			if err := rows.Scan(&at, &l.What, &l.Version, &by, &took, &l.Detail); err != nil {
				return err
			}
			l.At, l.By, l.Took = instant(at), id.ID(by), time.Duration(took)*time.Millisecond
			out = append(out, l)
			return nil
		}, modelLines, model, limit)
	})
	return out, err
}
