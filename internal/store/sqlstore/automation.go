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
	"github.com/guanxi-crm/guanxi/internal/record/automation"
)

// Automations implements automation.Store.
type Automations struct{ store *Store }

var _ automation.Store = (*Automations)(nil)

// NewAutomations keeps rules and their runs in a Store.
func NewAutomations(s *Store) *Automations { return &Automations{store: s} }

const (
	ruleColumns = "id, name, description, state, reason, run_as, revision, hook_serial, cursor_at, version, created_by, created_at, updated_by, updated_at"
	ruleInsert  = "INSERT INTO automation (" + ruleColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	ruleAll     = "SELECT a.id, a.name, a.description, a.state, a.reason, a.run_as, a.revision, a.hook_serial, a.cursor_at, a.version, a.created_by, a.created_at, a.updated_by, a.updated_at, r.definition " +
		"FROM automation a JOIN automation_revision r ON r.automation = a.id AND r.revision = a.revision"
	ruleUpdate = "UPDATE automation SET name = ?, description = ?, state = ?, reason = ?, run_as = ?, revision = ?, hook_serial = ?, cursor_at = CASE WHEN cursor_at > ? THEN cursor_at ELSE ? END, " +
		"version = ?, updated_by = ?, updated_at = ? WHERE id = ? AND version = ?"
	ruleRevision = "INSERT INTO automation_revision (automation, revision, definition, at, by_id) VALUES (?, ?, ?, ?, ?) ON CONFLICT (automation, revision) DO NOTHING"
	rulePause    = "UPDATE automation SET state = 'paused', reason = ?, version = version + 1, updated_at = ? WHERE id = ? AND state = 'on'"
	ruleCounts   = "SELECT automation, CAST(sum(started) AS BIGINT), CAST(sum(done) AS BIGINT), CAST(sum(failed) AS BIGINT), CAST(sum(looped) AS BIGINT) FROM automation_hour WHERE hour >= ? GROUP BY automation"
	ruleLive     = "SELECT automation, count(*) FROM automation_run WHERE live = 1 GROUP BY automation"
	ruleFailed   = "SELECT automation, count(*) FROM automation_run WHERE state = 'failed' GROUP BY automation"
	ruleLast     = "SELECT created_at FROM automation_run WHERE automation = ? ORDER BY id DESC LIMIT 1"

	runColumns = "id, automation, revision, object, record_id, occasion, state, live, pc, moves, due_at, deadline, watch, tries, depth, chain, input, problem, by_id, created_at, ended_at"
	runAll     = "SELECT " + runColumns + " FROM automation_run"
	runMove    = "UPDATE automation_run SET state = ?, live = ?, pc = ?, moves = ?, due_at = ?, deadline = ?, watch = ?, tries = ?, problem = ?, ended_at = ? WHERE id = ? AND moves = ? AND state <> 'cancelled'"
	runWake    = "UPDATE automation_run SET due_at = ? WHERE live = 1 AND watch = 1 AND due_at > ? AND "
	hourAdd    = "INSERT INTO automation_hour (automation, hour, started, begun, done, failed, looped) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (automation, hour) DO UPDATE SET " +
		"started = automation_hour.started + excluded.started, begun = automation_hour.begun + excluded.begun, done = automation_hour.done + excluded.done, " +
		"failed = automation_hour.failed + excluded.failed, looped = automation_hour.looped + excluded.looped"
	stepColumns = "run, number, step, kind, outcome, detail, at"
	turnPut     = "INSERT INTO automation_turn (automation, step, next) VALUES (?, ?, ?) ON CONFLICT (automation, step) DO UPDATE SET next = excluded.next WHERE automation_turn.next = ?"
	oldRuns     = "SELECT id FROM automation_run WHERE live = 0 AND ended_at < ? AND (state <> 'failed' OR ended_at < ?) ORDER BY ended_at LIMIT 500"
	runsOfRule  = "SELECT id FROM automation_run WHERE automation = ? ORDER BY id LIMIT 500"
)

func scanRule(rows *sql.Rows) (r automation.Rule, err error) {
	var key, as, cursor, by, created, changer, updated int64
	var state, def string
	err = rows.Scan(&key, &r.Name, &r.Description, &state, &r.Reason, &as, &r.Revision, &r.HookSerial, &cursor, &r.Version, &by, &created, &changer, &updated, &def)
	if err != nil {
		return r, err
	}
	r.ID, r.State, r.RunAs, r.CreatedBy, r.UpdatedBy = id.ID(key), automation.State(state), id.ID(as), id.ID(by), id.ID(changer)
	r.CursorAt, r.CreatedAt, r.UpdatedAt = instant(cursor), instant(created), instant(updated)
	if err := json.Unmarshal([]byte(def), &r.Definition); err != nil {
		return r, fmt.Errorf("stored automation %d: %w", key, err)
	}
	return r, nil
}

func (k *Automations) rules(ctx context.Context, stats bool, since time.Time, q string, args ...any) (out []automation.Rule, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		err := Each(ctx, c, func(rows *sql.Rows) error {
			r, err := scanRule(rows)
			out = append(out, r)
			return err
		}, q, args...)
		if err != nil || !stats {
			return err
		}
		return ruleStats(ctx, c, out, since)
	})
	return out, err
}

func ruleStats(ctx context.Context, c Conn, rules []automation.Rule, since time.Time) error {
	at := map[int64]*automation.Stats{}
	for i := range rules {
		at[int64(rules[i].ID)] = &rules[i].Stats
	}
	err := Each(ctx, c, func(rows *sql.Rows) error {
		var key int64
		var n automation.Counts
		if err := rows.Scan(&key, &n.Started, &n.Done, &n.Failed, &n.Looped); err != nil {
			return err
		}
		if s := at[key]; s != nil {
			s.Today = n
		}
		return nil
	}, ruleCounts, hourOf(since))
	if err != nil {
		return err
	}
	for _, q := range []string{ruleLive, ruleFailed} {
		err := Each(ctx, c, func(rows *sql.Rows) error {
			var key int64
			var n int
			if err := rows.Scan(&key, &n); err != nil {
				return err
			}
			s := at[key]
			switch {
			case s == nil:
			case q == ruleLive:
				s.Live = n
			default:
				s.Failed = n
			}
			return nil
		}, q)
		if err != nil {
			return err
		}
	}
	for i := range rules {
		var last int64
		if _, err := c.QueryRow(ctx, []any{&last}, ruleLast, int64(rules[i].ID)); err != nil {
			return err
		}
		rules[i].Stats.LastAt = instant(last)
	}
	return nil
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// Rules implements automation.Store.
func (k *Automations) Rules(ctx context.Context, stats bool, since time.Time) ([]automation.Rule, error) {
	return k.rules(ctx, stats, since, ruleAll+" ORDER BY a.name, a.id")
}

// Rule implements automation.Store.
func (k *Automations) Rule(ctx context.Context, key id.ID, since time.Time) (automation.Rule, error) {
	found, err := k.rules(ctx, true, since, ruleAll+" WHERE a.id = ?", int64(key))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "automation.not_found", nil)
	}
	if err != nil {
		return automation.Rule{}, err
	}
	return found[0], nil
}

// InsertRule implements automation.Store.
func (k *Automations) InsertRule(ctx context.Context, r automation.Rule) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, ruleInsert, int64(r.ID), r.Name, r.Description, string(r.State), r.Reason, int64(r.RunAs), r.Revision, r.HookSerial, milli(r.CursorAt), r.Version,
			int64(r.CreatedBy), milli(r.CreatedAt), int64(r.UpdatedBy), milli(r.UpdatedAt))
		if err != nil {
			return err
		}
		return putRevision(ctx, c, &r)
	})
}

func putRevision(ctx context.Context, c Conn, r *automation.Rule) error {
	_, err := c.Exec(ctx, ruleRevision, int64(r.ID), r.Revision, asJSON(r.Definition), milli(r.UpdatedAt), int64(r.UpdatedBy))
	return err
}

// UpdateRule implements automation.Store. The cursor only goes forward.
func (k *Automations) UpdateRule(ctx context.Context, r automation.Rule) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, ruleUpdate, r.Name, r.Description, string(r.State), r.Reason, int64(r.RunAs), r.Revision, r.HookSerial, milli(r.CursorAt), milli(r.CursorAt), r.Version,
			int64(r.UpdatedBy), milli(r.UpdatedAt), int64(r.ID), r.Version-1)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Stale, "automation.stale", nil)
		}
		return putRevision(ctx, c, &r)
	})
}

// DeleteRule implements automation.Store: the rule first, so that nothing begins any more, then what it did in parts.
func (k *Automations) DeleteRule(ctx context.Context, key id.ID) error {
	err := k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, "DELETE FROM automation WHERE id = ?", int64(key))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "automation.not_found", nil)
		}
		for _, table := range []string{"automation_revision", "automation_hour", "automation_turn"} {
			if err == nil {
				_, err = c.Exec(ctx, "DELETE FROM "+table+" WHERE automation = ?", int64(key))
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return k.forget(ctx, runsOfRule, int64(key))
}

// forget removes the runs that a query of ids finds, with their steps, until it finds none.
func (k *Automations) forget(ctx context.Context, q string, args ...any) error {
	return k.store.purge(ctx, []tableColumn{{"automation_step", "run"}, {"automation_run", "id"}}, q, args...)
}

// Revision implements automation.Store.
func (k *Automations) Revision(ctx context.Context, key id.ID, revision int64) (d automation.Definition, err error) {
	var text string
	var found bool
	err = k.store.Read(ctx, func(c Conn) (err error) {
		found, err = c.QueryRow(ctx, []any{&text}, "SELECT definition FROM automation_revision WHERE automation = ? AND revision = ?", int64(key), revision)
		return err
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "automation.not_found", nil)
	}
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(text), &d)
}

// Revisions implements automation.Store.
func (k *Automations) Revisions(ctx context.Context, key id.ID) (out []automation.RevisionInfo, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		live := map[int64]int{}
		err := Each(ctx, c, func(rows *sql.Rows) error {
			var n int64
			var count int
			err := rows.Scan(&n, &count)
			live[n] = count
			return err
		}, "SELECT revision, count(*) FROM automation_run WHERE automation = ? AND live = 1 GROUP BY revision", int64(key))
		if err != nil {
			return err
		}
		return Each(ctx, c, func(rows *sql.Rows) error {
			var r automation.RevisionInfo
			var at, by int64
			var text string
			if err := rows.Scan(&r.Revision, &text, &at, &by); err != nil {
				return err
			}
			r.At, r.By, r.Live = instant(at), id.ID(by), live[r.Revision]
			out = append(out, r)
			return json.Unmarshal([]byte(text), &out[len(out)-1].Definition)
		}, "SELECT revision, definition, at, by_id FROM automation_revision WHERE automation = ? ORDER BY revision DESC LIMIT 100", int64(key))
	})
	return out, err
}

// PauseRule implements automation.Store.
func (k *Automations) PauseRule(ctx context.Context, key id.ID, reason string, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, rulePause, reason, milli(at), int64(key))
		return err
	})
}

// SetCursor implements automation.Store.
func (k *Automations) SetCursor(ctx context.Context, key id.ID, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, "UPDATE automation SET cursor_at = ? WHERE id = ? AND cursor_at < ?", milli(at), int64(key), milli(at))
		return err
	})
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func runValues(r *automation.Run) []any {
	chain := r.Chain
	if chain == nil {
		chain = []automation.Link{}
	}
	return []any{int64(r.ID), int64(r.Rule), r.Revision, r.Object, int64(r.Record), r.Occasion, string(r.State), flag(r.State.Live()), int64(r.PC), r.Moves, milli(r.DueAt), milli(r.Deadline), flag(r.Watch),
		int64(r.Tries), int64(len(chain)), asJSON(chain), asJSON(r.Input), problemText(r.Problem), int64(r.By), milli(r.CreatedAt), milli(r.EndedAt)}
}

func problemText(p *automation.Problem) string {
	if p == nil {
		return ""
	}
	return asJSON(p)
}

func scanRun(rows *sql.Rows) (r automation.Run, err error) {
	var key, rule, rec, live, pc, due, deadline, watch, tries, depth, by, created, ended int64
	var state, chain, input, problem string
	err = rows.Scan(&key, &rule, &r.Revision, &r.Object, &rec, &r.Occasion, &state, &live, &pc, &r.Moves, &due, &deadline, &watch, &tries, &depth, &chain, &input, &problem, &by, &created, &ended)
	if err != nil {
		return r, err
	}
	r.ID, r.Rule, r.Record, r.State, r.By = id.ID(key), id.ID(rule), id.ID(rec), automation.RunState(state), id.ID(by)
	r.PC, r.Tries, r.Watch = int(pc), int(tries), watch == 1
	r.DueAt, r.Deadline, r.CreatedAt, r.EndedAt = instant(due), instant(deadline), instant(created), instant(ended)
	for text, to := range map[*string]any{&chain: &r.Chain, &input: &r.Input, &problem: &r.Problem} {
		if *text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(*text), to); err != nil {
			return r, fmt.Errorf("stored automation run %d: %w", key, err)
		}
	}
	return r, nil
}

func (k *Automations) runs(ctx context.Context, q string, args ...any) (out []automation.Run, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out, err = readRuns(ctx, c, q, args...)
		return err
	})
	return out, err
}

func readRuns(ctx context.Context, c Conn, q string, args ...any) (out []automation.Run, err error) {
	err = Each(ctx, c, func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		out = append(out, r)
		return err
	}, q, args...)
	return out, err
}

func insertRuns(ctx context.Context, c Conn, runs []automation.Run) error {
	return c.InsertMany(ctx, "automation_run", strings.Split(runColumns, ", "), len(runs), func(i int, dst []any) { copy(dst, runValues(&runs[i])) })
}

// tally are counts to add to the hour of an instant.
type tally struct {
	started, begun, done, failed, looped int
}

func addHours(ctx context.Context, c Conn, at time.Time, of map[id.ID]*tally) error {
	for rule, n := range of {
		if _, err := c.Exec(ctx, hourAdd, int64(rule), hourOf(at), n.started, n.begun, n.done, n.failed, n.looped); err != nil {
			return err
		}
	}
	return nil
}

// Collect implements automation.Store. A rule with too many refused runs within the hour is paused with it.
func (k *Automations) Collect(ctx context.Context, b automation.Begin) error {
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		d := c.Dialect()
		if len(b.Wake) > 0 {
			if _, err := c.Exec(ctx, runWake+d.In("record_id"), milli(b.At), milli(b.At), d.IDList(plain(b.Wake))); err != nil {
				return err
			}
		}
		counts := map[id.ID]*tally{}
		for i := range b.Runs {
			n := counts[b.Runs[i].Rule]
			if n == nil {
				n = &tally{}
				counts[b.Runs[i].Rule] = n
			}
			if b.Runs[i].State == automation.Looped {
				n.looped++
			} else {
				n.started++
			}
		}
		if len(b.Runs) > 0 {
			if err := insertRuns(ctx, c, b.Runs); err != nil {
				return err
			}
			if err := addHours(ctx, c, b.At, counts); err != nil {
				return err
			}
		}
		for rule := range b.Looped {
			var n int
			if _, err := c.QueryRow(ctx, []any{&n}, "SELECT looped FROM automation_hour WHERE automation = ? AND hour = ?", int64(rule), hourOf(b.At)); err != nil {
				return err
			}
			if n >= automation.LoopsAtMost && b.Pause[rule] == "" {
				b.Pause[rule] = automation.ReasonLoop
			}
		}
		for rule, reason := range b.Pause {
			if _, err := c.Exec(ctx, rulePause, reason, milli(b.At), int64(rule)); err != nil {
				return err
			}
		}
		return SavePosition(ctx, c, automation.Consumer, b.To)
	})
}

// Start implements automation.Store. All runs are of one rule and one occasion.
func (k *Automations) Start(ctx context.Context, runs []automation.Run) (n int, err error) {
	if len(runs) == 0 {
		return 0, nil
	}
	rule, occasion := runs[0].Rule, runs[0].Occasion
	err = k.store.Write(Bulk(ctx), func(c Conn) error {
		d := c.Dialect()
		ids := make([]int64, len(runs))
		for i := range runs {
			ids[i] = int64(runs[i].Record)
		}
		there := map[id.ID]bool{}
		err := Each(ctx, c, func(rows *sql.Rows) error {
			var v int64
			err := rows.Scan(&v)
			there[id.ID(v)] = true
			return err
		}, "SELECT record_id FROM automation_run WHERE automation = ? AND occasion = ? AND "+d.In("record_id"), int64(rule), occasion, d.IDList(ids))
		if err != nil {
			return err
		}
		var fresh []automation.Run
		for i := range runs {
			if !there[runs[i].Record] {
				there[runs[i].Record] = true
				fresh = append(fresh, runs[i])
			}
		}
		if n = len(fresh); n == 0 {
			return nil
		}
		if err := insertRuns(ctx, c, fresh); err != nil {
			return err
		}
		return addHours(ctx, c, fresh[0].CreatedAt, map[id.ID]*tally{rule: {started: n}})
	})
	return n, err
}

// Watching implements automation.Store.
func (k *Automations) Watching(ctx context.Context) (found bool, err error) {
	err = k.store.Read(ctx, func(c Conn) (err error) {
		var one int64
		found, err = c.QueryRow(ctx, []any{&one}, "SELECT 1 FROM automation_run WHERE watch = 1 LIMIT 1")
		return err
	})
	return found, err
}

// Due implements automation.Store.
func (k *Automations) Due(ctx context.Context, rule id.ID, now time.Time, limit int) ([]automation.Run, error) {
	return k.runs(ctx, runAll+" WHERE automation = ? AND live = 1 AND due_at <= ? ORDER BY due_at, id LIMIT ?", int64(rule), milli(now), limit)
}

// Begun implements automation.Store.
func (k *Automations) Begun(ctx context.Context, rule id.ID, at time.Time) (n int, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, "SELECT begun FROM automation_hour WHERE automation = ? AND hour = ?", int64(rule), hourOf(at))
		return err
	})
	return n, err
}

// Postpone implements automation.Store.
func (k *Automations) Postpone(ctx context.Context, rule id.ID, now, until time.Time) error {
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		_, err := c.Exec(ctx, "UPDATE automation_run SET due_at = ? WHERE automation = ? AND live = 1 AND moves = 0 AND due_at <= ?", milli(until), int64(rule), milli(now))
		return err
	})
}
