package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Move implements automation.Store.
func (k *Automations) Move(ctx context.Context, rt record.Tx, moves []automation.Move, turn *automation.Turn) error {
	if t, ok := rt.(*tx); ok {
		return moveRuns(ctx, t.c, moves, turn)
	}
	return k.store.Write(Bulk(ctx), func(c Conn) error { return moveRuns(ctx, c, moves, turn) })
}

func moved() error { return fault.New(fault.Stale, "automation.moved", nil) }

func moveRuns(ctx context.Context, c Conn, moves []automation.Move, turn *automation.Turn) error {
	counts := map[id.ID]*tally{}
	var steps []int
	var at time.Time
	for i := range moves {
		m := &moves[i]
		n, err := c.Exec(ctx, runMove, string(m.State), flag(m.State.Live()), int64(m.PC), m.Moves, milli(m.DueAt), milli(m.Deadline), flag(m.Watch), int64(m.Tries),
			problemText(m.Problem), milli(m.EndedAt), int64(m.ID), m.Moves-1)
		if err != nil {
			return err
		}
		if n == 0 {
			return moved()
		}
		if m.Step != nil {
			steps, at = append(steps, i), m.Step.At
		}
		count(counts, m)
		if m.State == automation.Failed {
			if err := tellOfFailure(ctx, c, m); err != nil {
				return err
			}
		}
	}
	if len(steps) > 0 {
		err := c.InsertMany(ctx, "automation_step", strings.Split(stepColumns, ", "), len(steps), func(i int, dst []any) {
			m := &moves[steps[i]]
			dst[0], dst[1], dst[2], dst[3], dst[4] = int64(m.ID), m.Step.Number, m.Step.Step, string(m.Step.Kind), string(m.Step.Outcome)
			dst[5], dst[6] = asJSON(m.Step.Detail), milli(m.Step.At)
		})
		if err != nil {
			return err
		}
	}
	if err := putEffects(ctx, c, moves, at); err != nil {
		return err
	}
	if turn != nil && turn.From != turn.To {
		n, err := c.Exec(ctx, turnPut, int64(turn.Rule), turn.Step, turn.To, turn.From)
		if err != nil {
			return err
		}
		if n == 0 {
			return moved()
		}
	}
	if at.IsZero() {
		return nil
	}
	return addHours(ctx, c, at, counts)
}

// failureTold is what other systems are told of a run that failed. Ids are plain numbers.
type failureTold struct {
	Automation id.ID  `json:"automation"`
	Run        id.ID  `json:"run"`
	Step       string `json:"step,omitempty"`
	Code       string `json:"code"`
}

func tellOfFailure(ctx context.Context, c Conn, m *automation.Move) error {
	said := failureTold{Automation: m.Rule, Run: m.ID}
	if m.Problem != nil {
		said.Step, said.Code = m.Problem.Step, m.Problem.Code
	}
	return tellOf(ctx, c, webhook.Happening{Once: fmt.Sprintf("arn:%d:%d", m.ID, m.Moves), Type: webhook.AutomationFailed, Object: m.Object, Record: m.Record, At: m.EndedAt}, said)
}

func count(counts map[id.ID]*tally, m *automation.Move) {
	n := counts[m.Rule]
	if n == nil {
		n = &tally{}
		counts[m.Rule] = n
	}
	if m.Moves == 1 {
		n.begun++
	}
	switch m.State {
	case automation.Done, automation.Stopped:
		n.done++
	case automation.Failed:
		n.failed++
	}
}

func putEffects(ctx context.Context, c Conn, moves []automation.Move, at time.Time) error {
	type made struct {
		automation.Effect
		run id.ID
	}
	var list []made
	for i := range moves {
		for _, e := range moves[i].Effect {
			list = append(list, made{e, moves[i].ID})
		}
	}
	if len(list) == 0 {
		return nil
	}
	return c.InsertMany(ctx, "automation_effect", []string{"record_id", "version", "run", "at"}, len(list), func(i int, dst []any) {
		dst[0], dst[1], dst[2], dst[3] = int64(list[i].Record), list[i].Version, int64(list[i].run), milli(at)
	})
}

// Turn implements automation.Store.
func (k *Automations) Turn(ctx context.Context, rule id.ID, step string) (next int64, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&next}, "SELECT next FROM automation_turn WHERE automation = ? AND step = ?", int64(rule), step)
		return err
	})
	return next, err
}

// Causes implements automation.Store.
func (k *Automations) Causes(ctx context.Context, effects []automation.Effect) (map[automation.Effect]automation.Run, error) {
	out := map[automation.Effect]automation.Run{}
	ids := make([]int64, len(effects))
	wanted := map[automation.Effect]bool{}
	for i, e := range effects {
		ids[i], wanted[e] = int64(e.Record), true
	}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		d := c.Dialect()
		by := map[id.ID][]automation.Effect{}
		var runs []int64
		err := Each(ctx, c, func(rows *sql.Rows) error {
			var rec, version, run int64
			if err := rows.Scan(&rec, &version, &run); err != nil {
				return err
			}
			if e := (automation.Effect{Record: id.ID(rec), Version: version}); wanted[e] {
				by[id.ID(run)] = append(by[id.ID(run)], e)
				runs = append(runs, run)
			}
			return nil
		}, "SELECT record_id, version, run FROM automation_effect WHERE "+d.In("record_id"), d.IDList(ids))
		if err != nil || len(runs) == 0 {
			return err
		}
		found, err := readRuns(ctx, c, runAll+" WHERE "+d.In("id"), d.IDList(runs))
		for _, r := range found {
			for _, e := range by[r.ID] {
				out[e] = r
			}
		}
		return err
	})
	return out, err
}

// Runs implements automation.Store.
func (k *Automations) Runs(ctx context.Context, f automation.Filter, limit int) ([]automation.Run, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(text string, v any) { where, args = append(where, text), append(args, v) }
	if f.Rule != 0 {
		add("automation = ?", int64(f.Rule))
	}
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.Record != 0 {
		add("record_id = ?", int64(f.Record))
	}
	if f.Run != 0 {
		add("id = ?", int64(f.Run))
	}
	if f.Before != 0 {
		add("id < ?", int64(f.Before))
	}
	return k.runs(ctx, runAll+" WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// Steps implements automation.Store.
func (k *Automations) Steps(ctx context.Context, run id.ID) (out []automation.Log, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var l automation.Log
			var kind, outcome, detail string
			var at int64
			if err := rows.Scan(&l.Number, &l.Step, &kind, &outcome, &detail, &at); err != nil {
				return err
			}
			l.Kind, l.Outcome, l.At = automation.StepKind(kind), automation.Outcome(outcome), instant(at)
			if err := json.Unmarshal([]byte(detail), &l.Detail); err != nil {
				return fmt.Errorf("stored automation step of %d: %w", run, err)
			}
			out = append(out, l)
			return nil
		}, "SELECT number, step, kind, outcome, detail, at FROM automation_step WHERE run = ? ORDER BY number", int64(run))
	})
	return out, err
}

// change states of the runs of a rule, or of one.
func (k *Automations) turnRuns(ctx context.Context, set, state string, rule, run id.ID, args ...any) (n int, err error) {
	q := "UPDATE automation_run SET " + set + " WHERE automation = ? AND " + state
	args = append(args, int64(rule))
	if run != 0 {
		q, args = q+" AND id = ?", append(args, int64(run))
	}
	err = k.store.Write(ctx, func(c Conn) error {
		touched, err := c.Exec(ctx, q, args...)
		n = int(touched)
		return err
	})
	return n, err
}

// Again implements automation.Store.
func (k *Automations) Again(ctx context.Context, rule, run id.ID, now time.Time) (int, error) {
	return k.turnRuns(ctx, "state = 'ready', live = 1, tries = 0, ended_at = 0, due_at = ?", "state = 'failed'", rule, run, milli(now))
}

// Cancel implements automation.Store.
func (k *Automations) Cancel(ctx context.Context, rule, run id.ID, now time.Time) (int, error) {
	return k.turnRuns(ctx, "state = 'cancelled', live = 0, watch = 0, ended_at = ?", "live = 1", rule, run, milli(now))
}

// Nudge implements automation.Store.
func (k *Automations) Nudge(ctx context.Context, run id.ID, now time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, "UPDATE automation_run SET due_at = ? WHERE id = ? AND state = 'waiting' AND due_at > ?", milli(now), int64(run), milli(now))
		return err
	})
}

// effectsFor is how long it is known which run made a change: far longer than a follower is behind.
const effectsFor = 7 * 24 * time.Hour

// Sweep implements automation.Store.
func (k *Automations) Sweep(ctx context.Context, ended, failed time.Time) error {
	if err := k.forget(ctx, oldRuns, milli(ended), milli(failed)); err != nil {
		return err
	}
	now := k.store.clock.Now()
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		if _, err := c.Exec(ctx, "DELETE FROM automation_effect WHERE at < ?", milli(now.Add(-effectsFor))); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "DELETE FROM automation_hour WHERE hour < ?", hourOf(ended))
		return err
	})
}

// pastAtMost bounds how many rows of the change log a look back reads; pastPage is how many at a time.
const (
	pastAtMost = 300_000
	pastPage   = 5000
)

// Past implements automation.Past.
func (k *Automations) Past(ctx context.Context, object string, since time.Time, fn func([]change.Row) error) (bool, error) {
	d := k.store.db.Dialect()
	q := "SELECT " + d.ChangeColumns() + " FROM change WHERE " + d.ChangeBefore() + " ORDER BY " + d.ChangeOrder(true) + " LIMIT ?"
	at := change.Position{Xid: 1<<63 - 1, Seq: 1<<63 - 1}
	for seen := 0; seen < pastAtMost; seen += pastPage {
		var rows []change.Row
		err := k.store.Read(ctx, func(c Conn) (err error) {
			rows, err = readChanges(ctx, c, q, at.Xid, at.Seq, pastPage)
			return err
		})
		if err != nil || len(rows) == 0 {
			return true, err
		}
		at = rows[len(rows)-1].Position
		var wanted []change.Row
		old := false
		for i := range rows {
			old = old || rows[i].At < since.UnixMilli()
			if rows[i].Object == object && rows[i].At >= since.UnixMilli() {
				wanted = append(wanted, rows[i])
			}
		}
		if len(wanted) > 0 {
			if err := fn(wanted); err != nil {
				return false, err
			}
		}
		if old || len(rows) < pastPage {
			return true, nil
		}
	}
	return false, nil
}
