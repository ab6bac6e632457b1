package instance

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// CreateKey implements auth.Keys.
func (s *Store) CreateKey(ctx context.Context, k auth.Key) error {
	_, err := s.on(ctx).exec(`INSERT INTO api_key (id, workspace, name, scopes, role, prefix, hash, created_by, created_at, last_used_at, revoked_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`, int64(k.ID), k.Workspace, k.Name, strings.Join(k.Scopes, " "), string(k.Role), k.Prefix, k.Hash, int64(k.CreatedBy), ms(k.CreatedAt))
	return err
}

const keyColumns = "id, workspace, name, scopes, role, prefix, hash, created_by, created_at, last_used_at, revoked_at"

func scanKey(scan func(...any) error) (k auth.Key, err error) {
	var scopes string
	var created, used, revoked int64
	err = scan(&k.ID, &k.Workspace, &k.Name, &scopes, &k.Role, &k.Prefix, &k.Hash, &k.CreatedBy, &created, &used, &revoked)
	k.Scopes = strings.Fields(scopes)
	k.CreatedAt, k.LastUsedAt, k.RevokedAt = at(created), at(used), at(revoked)
	return k, err
}

// FindKey implements auth.Keys.
func (s *Store) FindKey(ctx context.Context, hash string) (auth.Key, bool, error) {
	k, found, err := asked(s, question{kind: "key", text: hash}, func() (auth.Key, bool, error) {
		k, err := scanKey(s.on(ctx).row("SELECT "+keyColumns+" FROM api_key WHERE hash = ?", hash).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return k, false, nil
		}
		return k, err == nil, err
	})
	k.Scopes = slices.Clone(k.Scopes)
	return k, found, err
}

// ListKeys implements auth.Keys, newest first.
func (s *Store) ListKeys(ctx context.Context, workspace string) ([]auth.Key, error) {
	return collect(s.on(ctx), scanKey, "SELECT "+keyColumns+" FROM api_key WHERE workspace = ? ORDER BY id DESC", workspace)
}

// RevokeKey implements auth.Keys; NotFound auth.key_unknown.
func (s *Store) RevokeKey(ctx context.Context, workspace string, key id.ID, when time.Time) error {
	n, err := s.on(ctx).exec("UPDATE api_key SET revoked_at = ? WHERE workspace = ? AND id = ? AND revoked_at = 0", ms(when), workspace, int64(key))
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "auth.key_unknown", nil)
	}
	return err
}

// TouchKey implements auth.Keys.
func (s *Store) TouchKey(ctx context.Context, key id.ID, when time.Time) error {
	_, err := s.on(ctx).exec("UPDATE api_key SET last_used_at = ? WHERE id = ?", ms(when), int64(key))
	return err
}

// ListAudit implements auth.Store.
func (s *Store) ListAudit(ctx context.Context, f auth.EntryFilter) ([]auth.Entry, error) {
	where, args := []string{"workspace IN (?, '')"}, []any{f.Workspace}
	if f.Actor != 0 {
		where, args = append(where, "actor_id = ?"), append(args, int64(f.Actor))
	}
	if prefix, ok := strings.CutSuffix(f.Action, "."); ok {
		where, args = append(where, "action >= ? AND action < ?"), append(args, prefix+".", prefix+"/")
	} else if f.Action != "" {
		where, args = append(where, "action = ?"), append(args, f.Action)
	}
	if f.Object != "" {
		where, args = append(where, "object = ?"), append(args, f.Object)
	}
	if f.Record != 0 {
		where, args = append(where, "record_id = ?"), append(args, int64(f.Record))
	}
	if !f.From.IsZero() {
		where, args = append(where, "at >= ?"), append(args, ms(f.From))
	}
	if !f.To.IsZero() {
		where, args = append(where, "at < ?"), append(args, ms(f.To))
	}
	if f.Before != 0 {
		where, args = append(where, "id < ?"), append(args, int64(f.Before))
	}
	q := "SELECT " + auditColumns + " FROM audit WHERE " +
		strings.Join(where, " AND ") + " ORDER BY id DESC LIMIT ?"
	return collect(s.on(ctx), func(scan func(...any) error) (e auth.Entry, err error) {
		var when int64
		var detail string
		if err = scan(&e.ID, &e.Workspace, &when, &e.ActorKind, &e.ActorID, &e.ActorName, &e.Action, &e.Object, &e.RecordID, &detail, &e.Address); err != nil {
			return e, err
		}
		e.At = at(when)
		return e, json.Unmarshal([]byte(detail), &e.Detail)
	}, q, append(args, f.Limit)...)
}

const lockAttempts = 775003

// Hit implements auth.Store.
func (s *Store) Hit(ctx context.Context, key string, now time.Time, window time.Duration, until func(int) time.Time) (auth.Attempt, error) {
	var a auth.Attempt
	err := s.tx(ctx, func(t *tx) error {
		if err := t.lock(lockAttempts); err != nil {
			return err
		}
		var last, free int64
		err := t.row("SELECT failures, last_at, until_at FROM attempt WHERE key = ?", key).Scan(&a.Failures, &last, &free)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		a.LastAt, a.Until = at(last), at(free)
		if a.Until.After(now) {
			return nil
		}
		n := a.Failures + 1
		if now.Sub(a.LastAt) > window {
			n = 1
		}
		_, err = t.exec(`INSERT INTO attempt (key, failures, last_at, until_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, until_at = excluded.until_at`, key, n, ms(now), ms(until(n)))
		return err
	})
	return a, err
}

// Unhit implements auth.Store.
func (s *Store) Unhit(ctx context.Context, key string, now time.Time, before auth.Attempt) error {
	return s.tx(ctx, func(t *tx) error {
		if err := t.lock(lockAttempts); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE attempt SET failures = failures - 1 WHERE key = ? AND failures > 0", key); err != nil {
			return err
		}
		_, err := t.exec("UPDATE attempt SET until_at = ? WHERE key = ? AND last_at = ?", ms(before.Until), key, ms(now)) // unless another attempt followed
		return err
	})
}

// Forgive implements auth.Store.
func (s *Store) Forgive(ctx context.Context, keys ...string) error {
	return s.tx(ctx, func(t *tx) error {
		for _, k := range keys {
			if _, err := t.exec("DELETE FROM attempt WHERE key = ?", k); err != nil {
				return err
			}
		}
		return nil
	})
}

// Claim takes an idempotency key for a request, or returns the answer stored for it; first is true when the caller must
// Fill or Abandon the key. A claim without an answer is free again after stale, an answer after 24 hours. Faults: Conflict
// api.idempotency_running while the first request runs, Invalid api.idempotency_reused for another request's key.
func (s *Store) Claim(ctx context.Context, key, digest string, now time.Time, stale time.Duration) (status int, body string, first bool, err error) {
	err = s.tx(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM idempotency WHERE key = ? AND (created_at < ? OR status = 0 AND created_at < ?)",
			key, ms(now.Add(-24*time.Hour)), ms(now.Add(-stale))); err != nil {
			return err
		}
		n, err := t.exec("INSERT INTO idempotency (key, digest, status, body, created_at) VALUES (?, ?, 0, '', ?) ON CONFLICT (key) DO NOTHING", key, digest, ms(now))
		if err != nil || n == 1 {
			first = n == 1
			return err
		}
		var was string
		if err := t.row("SELECT digest, status, body FROM idempotency WHERE key = ?", key).Scan(&was, &status, &body); err != nil {
			return err
		}
		switch {
		case was != digest:
			return fault.InvalidField("api.idempotency_reused", "Idempotency-Key", nil)
		case status == 0:
			return fault.New(fault.Conflict, "api.idempotency_running", nil)
		}
		return nil
	})
	return status, body, first, err
}

// Fill stores the answer of a claimed key.
func (s *Store) Fill(ctx context.Context, key string, status int, body string) error {
	_, err := s.on(ctx).exec("UPDATE idempotency SET status = ?, body = ? WHERE key = ?", status, body, key)
	return err
}

// Abandon frees a claimed key, so that the request can be tried again.
func (s *Store) Abandon(ctx context.Context, key string) error {
	_, err := s.on(ctx).exec("DELETE FROM idempotency WHERE key = ? AND status = 0", key)
	return err
}

// FreeClaims frees the keys of requests that never answered; for a store that one process uses, when it starts.
func (s *Store) FreeClaims(ctx context.Context) error {
	_, err := s.on(ctx).exec("DELETE FROM idempotency WHERE status = 0")
	return err
}

// historyKept is how long attempts to sign in can be looked up.
const historyKept = 180 * 24 * time.Hour

// Sweep removes answers, counters, finished jobs and old attempts to sign in that nobody needs any more.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	return s.tx(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM idempotency WHERE created_at < ?", ms(now.Add(-24*time.Hour))); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM attempt WHERE last_at < ?", ms(now.Add(-24*time.Hour))); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM sign_in WHERE at < ?", ms(now.Add(-historyKept))); err != nil {
			return err
		}
		_, err := t.exec("DELETE FROM job WHERE state IN ('done', 'failed') AND finished_at < ?", ms(now.Add(-30*24*time.Hour)))
		return err
	})
}

// Keep stores a small value by key ("" removes it); Kept reads it, "" for none.
func (s *Store) Keep(ctx context.Context, key, value string) error {
	_, err := s.on(ctx).exec("INSERT INTO kept (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}

// Kept reads a value stored by Keep.
func (s *Store) Kept(ctx context.Context, key string) (v string, err error) {
	err = s.on(ctx).row("SELECT value FROM kept WHERE key = ?", key).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, err
}
