package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
)

// Duplicates implements dedupe.Store.
type Duplicates struct {
	store *Store
	read  sync.Map // rules as they were read last, by object: a create asks for them, and reading JSON costs more than the store
}

// rulesRead are rules with the text that they were read from.
type rulesRead struct {
	text  string
	rules dedupe.Rules
}

var _ dedupe.Store = (*Duplicates)(nil)

// NewDuplicates keeps rules, pairs and decisions about duplicates in a Store.
func NewDuplicates(s *Store) *Duplicates { return &Duplicates{store: s} }

const (
	duplicatePut = "INSERT INTO duplicate_pair (a, b, object, grp, score, sure, rule, reasons, run, later) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) " +
		"ON CONFLICT (a, b) DO UPDATE SET grp = excluded.grp, score = excluded.score, sure = excluded.sure, rule = excluded.rule, reasons = excluded.reasons, run = excluded.run"
	duplicateOld     = "DELETE FROM duplicate_pair WHERE object = ? AND run <> ?"
	duplicateGroups  = "SELECT grp, MAX(score), MIN(sure) FROM duplicate_pair WHERE object = ? AND later = ? GROUP BY grp HAVING MIN(sure) >= ? ORDER BY MAX(score) DESC, grp DESC LIMIT ? OFFSET ?"
	duplicateGroup   = "SELECT grp, MAX(score), MIN(sure) FROM duplicate_pair WHERE object = ? AND grp = ? GROUP BY grp HAVING MIN(sure) >= ?"
	duplicateCount   = "SELECT COUNT(*) FROM (SELECT grp FROM duplicate_pair WHERE object = ? AND later = ? GROUP BY grp HAVING MIN(sure) >= ?) g"
	duplicatePairs   = "SELECT a, b, grp, score, sure, rule, reasons, later FROM duplicate_pair WHERE object = ? AND "
	duplicateVerdict = "INSERT INTO duplicate_verdict (a, b, object, by_id, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (a, b) DO NOTHING"
	duplicateForget  = "DELETE FROM duplicate_pair WHERE a = ? AND b = ?"
	duplicateLater   = "UPDATE duplicate_pair SET later = ? WHERE object = ? AND grp = ?"
	duplicateRun     = "SELECT id, state, scanned, found, started_at, ended_at, by_id FROM duplicate_run WHERE object = ?"
	duplicateRunPut  = "INSERT INTO duplicate_run (object, id, state, scanned, found, started_at, ended_at, by_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?) " +
		"ON CONFLICT (object) DO UPDATE SET id = excluded.id, state = excluded.state, scanned = excluded.scanned, found = excluded.found, " +
		"started_at = excluded.started_at, ended_at = excluded.ended_at, by_id = excluded.by_id"
)

func rulesKey(object string) string { return "duplicates." + object }

// Rules implements dedupe.Store.
func (d *Duplicates) Rules(ctx context.Context, object string) (r dedupe.Rules, found bool, err error) {
	var text string
	err = d.store.Read(ctx, func(c Conn) (err error) {
		found, err = c.QueryRow(ctx, []any{&text}, settingRead, rulesKey(object))
		return err
	})
	if err != nil || !found {
		return r, false, err
	}
	if last, ok := d.read.Load(object); ok && last.(rulesRead).text == text {
		return last.(rulesRead).rules, true, nil
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, false, fmt.Errorf("rules of %s: %w", object, err)
	}
	d.read.Store(object, rulesRead{text, r})
	return r, true, nil
}

// SaveRules implements dedupe.Store.
func (d *Duplicates) SaveRules(ctx context.Context, object string, r dedupe.Rules) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("rules of %s: %w", object, err)
	}
	return d.store.Write(ctx, func(c Conn) error {
		var text string
		var old dedupe.Rules
		found, err := c.QueryRow(ctx, []any{&text}, settingRead+c.Dialect().ForUpdate(), rulesKey(object))
		if err == nil && found {
			err = json.Unmarshal([]byte(text), &old)
		}
		if err != nil {
			return err
		}
		if old.Version != r.Version-1 {
			return fault.New(fault.Stale, "dedupe.stale", nil)
		}
		_, err = c.Exec(ctx, settingWrite, rulesKey(object), string(b))
		return err
	})
}

// SavePairs implements dedupe.Store.
func (d *Duplicates) SavePairs(ctx context.Context, object string, run id.ID, pairs []dedupe.Pair) error {
	return d.store.Write(Bulk(ctx), func(c Conn) error {
		for i := range pairs {
			p := &pairs[i]
			reasons, err := json.Marshal(p.Reasons)
			if err != nil {
				return err
			}
			if _, err := c.Exec(ctx, duplicatePut, int64(p.A), int64(p.B), object, int64(p.Group), int64(p.Score), one(p.Sure), p.Rule, string(reasons), int64(run)); err != nil {
				return err
			}
		}
		return nil
	})
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// EndRun implements dedupe.Store.
func (d *Duplicates) EndRun(ctx context.Context, object string, run id.ID) error {
	return d.store.Write(Bulk(ctx), func(c Conn) error {
		_, err := c.Exec(ctx, duplicateOld, object, int64(run))
		return err
	})
}

// Groups implements dedupe.Store.
func (d *Duplicates) Groups(ctx context.Context, object string, q dedupe.GroupQuery) (groups []dedupe.Group, total int, err error) {
	err = d.store.Read(ctx, func(c Conn) error {
		groups = nil
		at := map[id.ID]int{}
		add := func(r *sql.Rows) error {
			var g, score, sure int64
			if err := r.Scan(&g, &score, &sure); err != nil {
				return err
			}
			at[id.ID(g)] = len(groups)
			groups = append(groups, dedupe.Group{ID: id.ID(g), Score: int(score), Sure: sure == 1, Later: q.Later})
			return nil
		}
		if q.Group != 0 {
			total = 1
			if err := Each(ctx, c, add, duplicateGroup, object, int64(q.Group), one(q.Sure)); err != nil {
				return err
			}
		} else {
			if err := Each(ctx, c, add, duplicateGroups, object, one(q.Later), one(q.Sure), int64(q.Limit), int64(q.Offset)); err != nil {
				return err
			}
			if _, err := c.QueryRow(ctx, []any{&total}, duplicateCount, object, one(q.Later), one(q.Sure)); err != nil {
				return err
			}
		}
		if len(groups) == 0 {
			return nil
		}
		ids := make([]int64, len(groups))
		for i := range groups {
			ids[i] = int64(groups[i].ID)
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			p, err := scanPair(r)
			if i, ok := at[p.Group]; ok {
				groups[i].Pairs = append(groups[i].Pairs, p)
			}
			return err
		}, duplicatePairs+c.Dialect().In("grp")+" ORDER BY score DESC, a, b", object, c.Dialect().IDList(ids))
	})
	return groups, total, err
}

func scanPair(r *sql.Rows) (p dedupe.Pair, err error) {
	var a, b, g, score, sure, later int64
	var reasons string
	if err := r.Scan(&a, &b, &g, &score, &sure, &p.Rule, &reasons, &later); err != nil {
		return p, err
	}
	p.A, p.B, p.Group, p.Score, p.Sure, p.Later = id.ID(a), id.ID(b), id.ID(g), int(score), sure == 1, later == 1
	return p, json.Unmarshal([]byte(reasons), &p.Reasons)
}

// Drop implements dedupe.Store.
func (d *Duplicates) Drop(ctx context.Context, object string, ids []id.ID) error {
	return d.store.Write(ctx, func(c Conn) error {
		for _, column := range []string{"a", "b"} {
			q := "DELETE FROM duplicate_pair WHERE object = ? AND " + c.Dialect().In(column)
			if _, err := c.Exec(ctx, q, object, c.Dialect().IDList(plain(ids))); err != nil {
				return err
			}
		}
		return nil
	})
}

// Decide implements dedupe.Store.
func (d *Duplicates) Decide(ctx context.Context, object string, group id.ID, what dedupe.Decision, by id.ID, at int64) (n int, err error) {
	err = d.store.Write(ctx, func(c Conn) error {
		if what != dedupe.NotSame {
			k, err := c.Exec(ctx, duplicateLater, one(what == dedupe.Later), object, int64(group))
			n = int(k)
			return err
		}
		var pairs [][2]id.ID
		err := Each(ctx, c, func(r *sql.Rows) error {
			p, err := scanPair(r)
			pairs = append(pairs, [2]id.ID{p.A, p.B})
			return err
		}, duplicatePairs+"grp = ?", object, int64(group))
		n = len(pairs)
		if err != nil {
			return err
		}
		return notSame(ctx, c, object, pairs, by, at)
	})
	return n, err
}

// NotSame implements dedupe.Store.
func (d *Duplicates) NotSame(ctx context.Context, object string, pairs [][2]id.ID, by id.ID, at int64) error {
	return d.store.Write(ctx, func(c Conn) error { return notSame(ctx, c, object, pairs, by, at) })
}

func notSame(ctx context.Context, c Conn, object string, pairs [][2]id.ID, by id.ID, at int64) error {
	for _, p := range pairs {
		if _, err := c.Exec(ctx, duplicateVerdict, int64(p[0]), int64(p[1]), object, int64(by), at); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, duplicateForget, int64(p[0]), int64(p[1])); err != nil {
			return err
		}
	}
	return nil
}

// Known implements dedupe.Store.
func (d *Duplicates) Known(ctx context.Context, object string, ids []id.ID) (map[[2]id.ID]bool, error) {
	out := map[[2]id.ID]bool{}
	err := d.store.Read(ctx, func(c Conn) error {
		add := func(r *sql.Rows) error {
			var a, b int64
			err := r.Scan(&a, &b)
			out[[2]id.ID{id.ID(a), id.ID(b)}] = true
			return err
		}
		const all = "SELECT a, b FROM duplicate_verdict WHERE object = ?"
		if ids == nil {
			return Each(ctx, c, add, all, object)
		}
		for _, column := range []string{"a", "b"} {
			if err := Each(ctx, c, add, all+" AND "+c.Dialect().In(column), object, c.Dialect().IDList(plain(ids))); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// LastRun implements dedupe.Store.
func (d *Duplicates) LastRun(ctx context.Context, object string) (r dedupe.Run, found bool, err error) {
	var key, scanned, pairs, started, ended, by int64
	err = d.store.Read(ctx, func(c Conn) (err error) {
		found, err = c.QueryRow(ctx, []any{&key, &r.State, &scanned, &pairs, &started, &ended, &by}, duplicateRun, object)
		return err
	})
	r.ID, r.Object, r.By, r.Started, r.Ended = id.ID(key), object, id.ID(by), instant(started), instant(ended)
	r.Progress = dedupe.Progress{Scanned: int(scanned), Found: int(pairs)}
	return r, found, err
}

// SaveRun implements dedupe.Store.
func (d *Duplicates) SaveRun(ctx context.Context, r dedupe.Run) error {
	return d.store.Write(ctx, func(c Conn) error {
		ended := int64(0)
		if !r.Ended.IsZero() {
			ended = r.Ended.UnixMilli()
		}
		_, err := c.Exec(ctx, duplicateRunPut, r.Object, int64(r.ID), r.State, int64(r.Progress.Scanned), int64(r.Progress.Found), r.Started.UnixMilli(), ended, int64(r.By))
		return err
	})
}
