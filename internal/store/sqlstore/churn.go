package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/warning"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Warnings implements warning.Store.
type Warnings struct{ store *Store }

var _ warning.Store = (*Warnings)(nil)

// NewWarnings keeps warnings in a Store.
func NewWarnings(s *Store) *Warnings { return &Warnings{s} }

const (
	churnRules  = `SELECT id, version, body, updated_by, updated_at FROM churn_rule ORDER BY id`
	churnAdd    = `INSERT INTO churn_rule (id, version, body, updated_by, updated_at) VALUES (?, ?, ?, ?, ?)`
	churnSave   = `UPDATE churn_rule SET version = ?, body = ?, updated_by = ?, updated_at = ? WHERE id = ? AND version = ?`
	churnDrop   = `DELETE FROM churn_rule WHERE id = ?`
	churnForget = `DELETE FROM churn_warning WHERE rule_id = ?`
	churnWarned = `SELECT id, rule_id, customer_id, task_id, day, at, back_day FROM churn_warning WHERE rule_id = ?`
	churnCount  = `SELECT count(*) FROM churn_warning WHERE rule_id = ? AND day >= ?`
	churnBack   = `UPDATE churn_warning SET back_day = ? WHERE `
)

// ruleBody is what the body of a rule holds.
type ruleBody struct {
	Name    string          `json:"name"`
	Off     bool            `json:"off,omitempty"`
	Risk    int             `json:"risk,omitempty"`
	Segment string          `json:"segment,omitempty"`
	Where   json.RawMessage `json:"where,omitempty"`
	Owner   bool            `json:"owner,omitempty"`
	Person  int64           `json:"person"`
	Due     int             `json:"due"`
	Rest    int             `json:"rest"`
	Back    int             `json:"back"`
	Most    int             `json:"most"`
	Note    string          `json:"note,omitempty"`
}

// Rules implements warning.Store.
func (k *Warnings) Rules(ctx context.Context) (out []warning.Rule, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var rule warning.Rule
			var body string
			var by, at int64
			if err := r.Scan(&rule.ID, &rule.Version, &body, &by, &at); err != nil {
				return err
			}
			var b ruleBody
			if err := json.Unmarshal([]byte(body), &b); err != nil {
				return err
			}
			rule.Name, rule.Off, rule.Risk, rule.Segment, rule.Owner, rule.Person = b.Name, b.Off, b.Risk, b.Segment, b.Owner, id.ID(b.Person)
			rule.Due, rule.Rest, rule.Back, rule.Most, rule.Note = b.Due, b.Rest, b.Back, b.Most, b.Note
			rule.By, rule.At = id.ID(by), time.UnixMilli(at).UTC()
			if len(b.Where) > 0 {
				if err := json.Unmarshal(b.Where, &rule.Where); err != nil {
					return err
				}
			}
			out = append(out, rule)
			return nil
		}, churnRules)
	})
	return out, err
}

// Save implements warning.Store.
func (k *Warnings) Save(ctx context.Context, r *warning.Rule, version int64) error {
	b := ruleBody{Name: r.Name, Off: r.Off, Risk: r.Risk, Segment: r.Segment, Owner: r.Owner, Person: int64(r.Person), Due: r.Due, Rest: r.Rest, Back: r.Back, Most: r.Most, Note: r.Note}
	if r.Where != nil {
		where, err := json.Marshal(r.Where)
		if err != nil {
			return err
		}
		b.Where = where
	}
	body, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return k.store.Write(ctx, func(c Conn) error {
		if version == 0 {
			_, err := c.Exec(ctx, churnAdd, int64(r.ID), r.Version, string(body), int64(r.By), r.At.UnixMilli())
			return err
		}
		n, err := c.Exec(ctx, churnSave, r.Version, string(body), int64(r.By), r.At.UnixMilli(), int64(r.ID), version)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "warning.stale", nil)
		}
		return err
	})
}

// Drop implements warning.Store.
func (k *Warnings) Drop(ctx context.Context, rule id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, churnForget, int64(rule)); err != nil {
			return err
		}
		n, err := c.Exec(ctx, churnDrop, int64(rule))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "warning.unknown_rule", nil)
		}
		return err
	})
}

func (k *Warnings) read(ctx context.Context, c Conn, more string, args ...any) (out []warning.Warning, err error) {
	err = Each(ctx, c, func(r *sql.Rows) error {
		var w warning.Warning
		var day, at, back int64
		err := r.Scan(&w.ID, &w.Rule, &w.Customer, &w.Task, &day, &at, &back)
		w.Day, w.Back, w.At = clock.Day(day), clock.Day(back), time.UnixMilli(at).UTC() //nolint:gosec // calendar days
		out = append(out, w)
		return err
	}, churnWarned+more, args...)
	return out, err
}

// Latest implements warning.Store.
func (k *Warnings) Latest(ctx context.Context, rule id.ID, customers []id.ID) (map[id.ID]warning.Warning, error) {
	out := map[id.ID]warning.Warning{}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		all, of, err := together(ctx, c, customers)
		if err != nil {
			return err
		}
		list, err := k.read(ctx, c, " AND "+c.Dialect().In("customer_id")+" ORDER BY id", int64(rule), c.Dialect().IDList(plain(all)))
		for _, w := range list {
			out[of[w.Customer]] = w
		}
		return err
	})
	return out, err
}

// Since implements warning.Store.
func (k *Warnings) Since(ctx context.Context, rule id.ID, day clock.Day) (n int, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, churnCount, int64(rule), int64(day))
		return err
	})
	return n, err
}

// All implements warning.Store.
func (k *Warnings) All(ctx context.Context, rule id.ID, limit int) (out []warning.Warning, err error) {
	err = k.store.Read(ctx, func(c Conn) (err error) {
		out, err = k.read(ctx, c, " ORDER BY id DESC LIMIT ?", int64(rule), limit)
		return err
	})
	return out, err
}

// Waiting implements warning.Store.
func (k *Warnings) Waiting(ctx context.Context, rule id.ID, from clock.Day) (out []warning.Warning, err error) {
	err = k.store.Read(ctx, func(c Conn) (err error) {
		out, err = k.read(ctx, c, " AND day >= ? AND back_day = 0 ORDER BY id", int64(rule), int64(from))
		return err
	})
	return out, err
}

// Returned implements warning.Store.
func (k *Warnings) Returned(ctx context.Context, warnings []id.ID, day clock.Day) error {
	if len(warnings) == 0 {
		return nil
	}
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, churnBack+c.Dialect().In("id"), int64(day), c.Dialect().IDList(plain(warnings)))
		return err
	})
}

// Put stores warnings in a transaction of the records.
func (k *Warnings) Put(ctx context.Context, rt record.Tx, list []warning.Warning) error {
	put := func(c Conn) error {
		return c.InsertMany(ctx, "churn_warning", []string{"id", "rule_id", "customer_id", "task_id", "day", "at"}, len(list), func(i int, dst []any) {
			w := &list[i]
			copy(dst, []any{int64(w.ID), int64(w.Rule), int64(w.Customer), int64(w.Task), int64(w.Day), w.At.UnixMilli()})
		})
	}
	if t, ok := rt.(*tx); ok {
		return put(t.c)
	}
	return k.store.Write(ctx, put)
}
