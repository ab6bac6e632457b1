package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/stage"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Stages implements stage.Store.
type Stages struct{ store *Store }

var _ stage.Store = (*Stages)(nil)

// NewStages keeps stage processes and stays in a Store.
func NewStages(s *Store) *Stages { return &Stages{store: s} }

const (
	stageColumns = "object, version, body, at, by_id"
	stagePresent = "SELECT " + stageColumns + " FROM stage_process WHERE state = 'present' ORDER BY object"
	stageVersion = "SELECT " + stageColumns + " FROM stage_process WHERE object = ? AND version = ?"
	stageNewest  = "SELECT COALESCE(MAX(version), 0) FROM stage_process WHERE object = ?"
	stageHeld    = "SELECT version FROM stage_process WHERE object = ? AND state = 'present'"
	stagePast    = "UPDATE stage_process SET state = 'past' WHERE object = ? AND state = 'present'"
	stageInsert  = "INSERT INTO stage_process (object, version, field, body, state, at, by_id) VALUES (?, ?, ?, ?, 'present', ?, ?) ON CONFLICT DO NOTHING"
	stayColumns  = "id, object, record_id, stage, version, entered_at, left_at, next, by_kind, by_id, due_at, done"
	stayInsert   = "INSERT INTO stage_stay (" + stayColumns + ") VALUES (?, ?, ?, ?, ?, ?, 0, '', ?, ?, ?, ?)"
	stayEnd      = "UPDATE stage_stay SET left_at = ?, next = ?, due_at = 0 WHERE record_id = ? AND left_at = 0"
	stayNow      = "SELECT " + stayColumns + " FROM stage_stay WHERE left_at = 0 AND "
	stayOf       = "SELECT " + stayColumns + " FROM stage_stay WHERE record_id = ? ORDER BY entered_at, id"
	stayTodo     = "SELECT " + stayColumns + " FROM stage_stay WHERE done = 0 ORDER BY id LIMIT ?"
	stayDue      = "SELECT " + stayColumns + " FROM stage_stay WHERE left_at = 0 AND due_at > 0 AND due_at <= ? ORDER BY due_at LIMIT ?"
	stayDone     = "UPDATE stage_stay SET done = 1 WHERE id = ? AND done = 0"
	stayPostpone = "UPDATE stage_stay SET due_at = ? WHERE id = ?"
	stayAlive    = "SELECT s.id, s.object, s.record_id, s.stage, s.version, s.entered_at, s.left_at, s.next, s.by_kind, s.by_id, s.due_at, s.done FROM stage_stay s " +
		"JOIN %[1]s r ON r.id = s.record_id AND r.deleted_at IS NULL WHERE s.object = ? AND s.stage = ? AND "
	stayBetween   = stayAlive + "s.entered_at >= ? AND s.entered_at < ? ORDER BY s.entered_at, s.id LIMIT ?"
	stayStuck     = stayAlive + "s.left_at = 0 AND s.entered_at < ? AND r.%[2]s = s.stage ORDER BY s.entered_at, s.id LIMIT ?"
	stageFile     = "SELECT 1 FROM attachment WHERE record_id = ? AND deleted_at = 0 LIMIT 1"
	stayBackdated = "INSERT INTO stage_stay (" + stayColumns + ") SELECT r.id, ?, r.id, r.%[1]s, ?, r.updated_at, 0, '', '', 0, 0, 1 FROM %[2]s r " +
		"WHERE r.deleted_at IS NULL AND r.%[1]s IS NOT NULL AND NOT EXISTS (SELECT 1 FROM stage_stay s WHERE s.record_id = r.id) ON CONFLICT DO NOTHING"
)

func scanStage(rows *sql.Rows) (p stage.Process, err error) {
	var body string
	var at, by int64
	var object string
	if err = rows.Scan(&object, &p.Version, &body, &at, &by); err != nil {
		return p, err
	}
	err = json.Unmarshal([]byte(body), &p.Course)
	p.Object, p.At, p.By = object, instant(at), id.ID(by)
	return p, err
}

func scanStay(rows *sql.Rows) (s stage.Stay, err error) {
	var key, rec, entered, left, by, due, done int64
	var byKind string
	err = rows.Scan(&key, &s.Object, &rec, &s.Stage, &s.Version, &entered, &left, &s.Next, &byKind, &by, &due, &done)
	s.ID, s.Record, s.Entered, s.Left, s.By, s.Due, s.Done = id.ID(key), id.ID(rec), instant(entered), instant(left), id.ID(by), instant(due), done == 1
	s.ByKind = access.ActorKind(byKind)
	return s, err
}

func (k *Stages) in(ctx context.Context, r record.Reader, fn func(Conn) error) error {
	if t, ok := r.(*tx); ok {
		return fn(t.c)
	}
	return k.store.Read(ctx, fn)
}

// State implements stage.Store.
func (k *Stages) State(ctx context.Context, r record.Reader) (int64, error) {
	return processVersion(ctx, k.store, r)
}

// Processes implements stage.Store.
func (k *Stages) Processes(ctx context.Context, r record.Reader) (state int64, out []stage.Process, err error) {
	err = k.in(ctx, r, func(c Conn) error {
		out = nil
		if _, err := c.QueryRow(ctx, []any{&state}, approvalVersion); err != nil {
			return err
		}
		return Each(ctx, c, func(rows *sql.Rows) error {
			p, err := scanStage(rows)
			out = append(out, p)
			return err
		}, stagePresent)
	})
	return state, out, err
}

// Version implements stage.Store.
func (k *Stages) Version(ctx context.Context, object string, version int64) (stage.Process, error) {
	list, err := read(ctx, k.store, scanStage, stageVersion, object, version)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "stage.unknown", nil)
	}
	if err != nil {
		return stage.Process{}, err
	}
	return list[0], nil
}

// held is the version that is present, 0 for none.
func (k *Stages) held(ctx context.Context, c Conn, object string) (version int64, err error) {
	_, err = c.QueryRow(ctx, []any{&version}, stageHeld+c.Dialect().ForUpdate(), object)
	return version, err
}

// Put implements stage.Store. Versions of a process that was taken out of use are not given again.
func (k *Stages) Put(ctx context.Context, p *stage.Process, obj *schema.Object) error {
	body, err := jsonText(p.Course)
	if err != nil {
		return fmt.Errorf("encode a stage process: %w", err)
	}
	seen := p.Version - 1
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, approvalRaise); err != nil { // first: it makes writers wait for each other
			return err
		}
		now, err := k.held(ctx, c, p.Object)
		if err != nil {
			return err
		}
		if now != seen {
			return fault.New(fault.Stale, "stage.stale", nil)
		}
		var newest int64
		if _, err := c.QueryRow(ctx, []any{&newest}, stageNewest, p.Object); err != nil {
			return err
		}
		p.Version = newest + 1
		if _, err := c.Exec(ctx, stagePast, p.Object); err != nil {
			return err
		}
		n, err := c.Exec(ctx, stageInsert, p.Object, p.Version, p.Field, body, milli(p.At), int64(p.By))
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "stage.stale", nil)
		}
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, fmt.Sprintf(stayBackdated, dialect.Quote(obj.Field(p.Field).Physical), dialect.Quote(obj.Physical)), p.Object, p.Version)
		return err
	})
}

// Drop implements stage.Store.
func (k *Stages) Drop(ctx context.Context, object string, version int64) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, approvalRaise); err != nil {
			return err
		}
		now, err := k.held(ctx, c, object)
		if err == nil && (now == 0 || version != 0 && now != version) {
			err = fault.New(fault.Stale, "stage.stale", nil)
		}
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, stagePast, object)
		return err
	})
}

// Now implements stage.Store.
func (k *Stages) Now(ctx context.Context, r record.Reader, records []id.ID) (out []stage.Stay, err error) {
	err = k.in(ctx, r, func(c Conn) error {
		out = nil
		d := c.Dialect()
		return Each(ctx, c, func(rows *sql.Rows) error {
			s, err := scanStay(rows)
			out = append(out, s)
			return err
		}, stayNow+d.In("record_id"), d.IDList(plain(records)))
	})
	return out, err
}

// Stays implements stage.Store.
func (k *Stages) Stays(ctx context.Context, rec id.ID) ([]stage.Stay, error) {
	return read(ctx, k.store, scanStay, stayOf, int64(rec))
}

// Follow implements stage.Store.
func (k *Stages) Follow(ctx context.Context, moves []stage.Stay, consumer string, to change.Position) error {
	return k.store.Write(ctx, func(c Conn) error {
		for i := range moves {
			m := &moves[i]
			if err := tellOfMove(ctx, c, m); err != nil {
				return err
			}
			if _, err := c.Exec(ctx, stayEnd, milli(m.Entered), m.Stage, int64(m.Record)); err != nil {
				return err
			}
			if m.Stage == "" {
				continue
			}
			if _, err := c.Exec(ctx, stayInsert, int64(m.ID), m.Object, int64(m.Record), m.Stage, m.Version, milli(m.Entered), string(m.ByKind), int64(m.By), milli(m.Due), one(m.Done)); err != nil {
				return err
			}
		}
		return SavePosition(ctx, c, consumer, to)
	})
}

// moveTold is what other systems are told of a record that went from one stage to another.
type moveTold struct {
	From    string           `json:"from"`
	To      string           `json:"to"`
	Entered int64            `json:"entered,omitempty"` // when it came into the stage that it left
	ByKind  access.ActorKind `json:"by_kind"`
	By      id.ID            `json:"by,omitempty"`
}

func tellOfMove(ctx context.Context, c Conn, m *stage.Stay) error {
	said := moveTold{To: m.Stage, ByKind: m.ByKind, By: m.By}
	if _, err := c.QueryRow(ctx, []any{&said.From, &said.Entered}, "SELECT stage, entered_at FROM stage_stay WHERE record_id = ? AND left_at = 0", int64(m.Record)); err != nil {
		return err
	}
	once := fmt.Sprintf("stage:%d:%d:%s", m.Record, milli(m.Entered), m.Stage)
	return tellOf(ctx, c, webhook.Happening{Once: once, Type: webhook.StageMoved, Object: m.Object, Record: m.Record, At: m.Entered}, said)
}

// Todo implements stage.Store.
func (k *Stages) Todo(ctx context.Context, limit int) ([]stage.Stay, error) {
	return read(ctx, k.store, scanStay, stayTodo, limit)
}

// Overdue implements stage.Store.
func (k *Stages) Overdue(ctx context.Context, now time.Time, limit int) ([]stage.Stay, error) {
	return read(ctx, k.store, scanStay, stayDue, milli(now), limit)
}

// SetDone implements stage.Store.
func (k *Stages) SetDone(ctx context.Context, rt record.Tx, stay id.ID) (fresh bool, err error) {
	mark := func(c Conn) error {
		n, err := c.Exec(ctx, stayDone, int64(stay))
		fresh = n > 0
		return err
	}
	if t, ok := rt.(*tx); ok {
		err = mark(t.c)
	} else {
		err = k.store.Write(ctx, mark)
	}
	return fresh, err
}

// SetDue implements stage.Store.
func (k *Stages) SetDue(ctx context.Context, stay id.ID, due time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, stayPostpone, milli(due), int64(stay))
		return err
	})
}

// Between implements stage.Store.
func (k *Stages) Between(ctx context.Context, obj *schema.Object, key string, from, to time.Time, limit int) ([]stage.Stay, error) {
	return read(ctx, k.store, scanStay, fmt.Sprintf(stayBetween, dialect.Quote(obj.Physical)), obj.Key, key, milli(from), milli(to), limit)
}

// Stuck implements stage.Store.
func (k *Stages) Stuck(ctx context.Context, obj *schema.Object, field, key string, before time.Time, limit int) ([]stage.Stay, error) {
	return read(ctx, k.store, scanStay, fmt.Sprintf(stayStuck, dialect.Quote(obj.Physical), dialect.Quote(obj.Field(field).Physical)), obj.Key, key, milli(before), limit)
}

// HasFile implements stage.Store.
func (k *Stages) HasFile(ctx context.Context, r record.Reader, rec id.ID) (found bool, err error) {
	err = k.in(ctx, r, func(c Conn) error {
		var n int64
		found, err = c.QueryRow(ctx, []any{&n}, stageFile, int64(rec))
		return err
	})
	return found, err
}
