package instance

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// CreateSession implements auth.Sessions.
func (s *Store) CreateSession(ctx context.Context, v auth.Session) error {
	return s.tx(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO web_session ("+sessionColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			v.Hash, int64(v.UserID), v.Workspace, ms(v.CreatedAt), ms(v.SeenAt), ms(v.ExpiresAt), string(v.Stage), v.Peer.Address, v.Peer.Agent,
			string(v.Via.Way), int64(v.Via.Provider), v.Via.Subject, v.Via.SID, text64.EncodeToString(v.Via.Hint)); err != nil {
			return err
		}
		if v.Stage != auth.Full {
			return nil // not signed in yet
		}
		_, err := t.exec("UPDATE person SET last_seen_at = ? WHERE id = ?", ms(v.CreatedAt), int64(v.UserID))
		return err
	})
}

// FindSession implements auth.Sessions.
func (s *Store) FindSession(ctx context.Context, hash string) (auth.Session, bool, error) {
	return asked(s, question{kind: "session", text: hash}, func() (auth.Session, bool, error) {
		v, err := scanSession(s.on(ctx).row("SELECT "+sessionColumns+" FROM web_session WHERE hash = ?", hash).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return v, false, nil
		}
		return v, err == nil, err
	})
}

const sessionColumns = "hash, person, workspace, created_at, seen_at, expires_at, stage, address, agent, way, provider, subject, sid, hint"

func scanSession(scan func(...any) error) (v auth.Session, err error) {
	var created, seen, expires int64
	var hint string
	err = scan(&v.Hash, &v.UserID, &v.Workspace, &created, &seen, &expires, &v.Stage, &v.Peer.Address, &v.Peer.Agent, &v.Via.Way, &v.Via.Provider, &v.Via.Subject, &v.Via.SID, &hint)
	if err == nil && hint != "" {
		v.Via.Hint, err = text64.DecodeString(hint)
	}
	v.CreatedAt, v.SeenAt, v.ExpiresAt = at(created), at(seen), at(expires)
	return v, err
}

// ListSessions implements auth.Sessions.
func (s *Store) ListSessions(ctx context.Context, user id.ID, idleBefore, now time.Time) ([]auth.Session, error) {
	return collect(s.on(ctx), scanSession, "SELECT "+sessionColumns+" FROM web_session WHERE person = ? AND stage = '' AND seen_at >= ? AND expires_at > ? ORDER BY seen_at DESC, hash",
		int64(user), ms(idleBefore), ms(now))
}

// EndSession implements auth.Sessions.
func (s *Store) EndSession(ctx context.Context, user id.ID, name string) error {
	n, err := s.on(ctx).exec("DELETE FROM web_session WHERE person = ? AND substr(hash, 1, ?) = ?", int64(user), len(name), name)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "auth.session_unknown", nil)
	}
	return err
}

// EndSessions implements auth.Sessions.
func (s *Store) EndSessions(ctx context.Context, user id.ID, keep string) (int, error) {
	n, err := s.on(ctx).exec("DELETE FROM web_session WHERE person = ? AND hash <> ?", int64(user), keep)
	return int(n), err
}

// AppendSignIn implements auth.Sessions.
func (s *Store) AppendSignIn(ctx context.Context, e auth.SignInEntry) error {
	_, err := s.on(ctx).exec("INSERT INTO sign_in (id, person, at, outcome, address, agent, way) VALUES (?, ?, ?, ?, ?, ?, ?)",
		int64(e.ID), int64(e.UserID), ms(e.At), string(e.Outcome), e.Peer.Address, e.Peer.Agent, string(e.Way))
	return err
}

// ListSignIns implements auth.Sessions.
func (s *Store) ListSignIns(ctx context.Context, f auth.SignInFilter) ([]auth.SignInEntry, error) {
	where, args := "h.person = ?", []any{int64(f.UserID)}
	if f.UserID == 0 {
		where, args = "(h.person = 0 OR h.person IN (SELECT person FROM membership WHERE workspace = ?))", []any{f.Workspace}
	} else if f.Workspace != "" {
		where, args = where+" AND h.person IN (SELECT person FROM membership WHERE workspace = ?)", append(args, f.Workspace)
	}
	if f.Before != 0 {
		where, args = where+" AND h.id < ?", append(args, int64(f.Before))
	}
	return collect(s.on(ctx), func(scan func(...any) error) (e auth.SignInEntry, err error) {
		var when int64
		err = scan(&e.ID, &e.UserID, &e.Name, &when, &e.Outcome, &e.Peer.Address, &e.Peer.Agent, &e.Way)
		e.At = at(when)
		return e, err
	}, "SELECT h.id, h.person, coalesce(p.name, ''), h.at, h.outcome, h.address, h.agent, h.way FROM sign_in h LEFT JOIN person p ON p.id = h.person WHERE "+where+
		" ORDER BY h.id DESC LIMIT ?", append(args, f.Limit)...)
}

// TouchSession implements auth.Sessions.
func (s *Store) TouchSession(ctx context.Context, hash string, when time.Time) error {
	return s.tx(ctx, func(t *tx) error {
		if _, err := t.exec("UPDATE web_session SET seen_at = ? WHERE hash = ?", ms(when), hash); err != nil {
			return err
		}
		_, err := t.exec("UPDATE person SET last_seen_at = ? WHERE id = (SELECT person FROM web_session WHERE hash = ?)", ms(when), hash)
		return err
	})
}

// DeleteSession implements auth.Sessions.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	_, err := s.on(ctx).exec("DELETE FROM web_session WHERE hash = ?", hash)
	return err
}

// PurgeSessions implements auth.Sessions.
func (s *Store) PurgeSessions(ctx context.Context, idleBefore, now time.Time) error {
	_, err := s.on(ctx).exec("DELETE FROM web_session WHERE seen_at < ? OR expires_at <= ?", ms(idleBefore), ms(now))
	return err
}
