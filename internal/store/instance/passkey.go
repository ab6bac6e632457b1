package instance

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

const passkeyColumns = "id, person, site, credential, data, name, counter, created_at, used_at, stopped_at"

func scanPasskey(scan func(...any) error) (p auth.Passkey, err error) {
	var created, used, stopped int64
	var credential, data string
	if err = scan(&p.ID, &p.UserID, &p.Site, &credential, &data, &p.Name, &p.Counter, &created, &used, &stopped); err != nil {
		return p, err
	}
	p.Record, p.CreatedAt, p.UsedAt, p.StoppedAt = []byte(data), at(created), at(used), at(stopped)
	p.Credential, err = base64.RawURLEncoding.DecodeString(credential)
	return p, err
}

// AddPasskey implements auth.Passkeys.
func (s *Store) AddPasskey(ctx context.Context, p auth.Passkey, salt []byte, sums []string) error {
	return s.tx(ctx, func(t *tx) error {
		_, err := t.exec("INSERT INTO passkey ("+passkeyColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", int64(p.ID), int64(p.UserID), p.Site,
			base64.RawURLEncoding.EncodeToString(p.Credential), string(p.Record), p.Name, int64(p.Counter), ms(p.CreatedAt), ms(p.UsedAt), ms(p.StoppedAt))
		if duplicate(err) {
			return fault.New(fault.Conflict, "auth.passkey_known", nil)
		}
		if err != nil || salt == nil {
			return err
		}
		return putRecovery(t, p.UserID, salt, sums)
	})
}

// FindPasskey implements auth.Passkeys.
func (s *Store) FindPasskey(ctx context.Context, credential []byte) (auth.Passkey, bool, error) {
	p, err := scanPasskey(s.on(ctx).row("SELECT "+passkeyColumns+" FROM passkey WHERE credential = ?", base64.RawURLEncoding.EncodeToString(credential)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return auth.Passkey{}, false, nil
	}
	return p, err == nil, err
}

// ListPasskeys implements auth.Passkeys.
func (s *Store) ListPasskeys(ctx context.Context, user id.ID) ([]auth.Passkey, error) {
	return collect(s.on(ctx), scanPasskey, "SELECT "+passkeyColumns+" FROM passkey WHERE person = ? ORDER BY id", int64(user))
}

// HasPasskeys implements auth.Passkeys.
func (s *Store) HasPasskeys(ctx context.Context, site string) (has bool, err error) {
	err = s.on(ctx).row("SELECT EXISTS (SELECT 1 FROM passkey WHERE site = ? AND stopped_at = 0)", site).Scan(&has)
	return has, err
}

// UsePasskey implements auth.Passkeys.
func (s *Store) UsePasskey(ctx context.Context, p auth.Passkey) (bool, error) {
	n, err := s.on(ctx).exec("UPDATE passkey SET data = ?, counter = ?, used_at = ? WHERE id = ? AND stopped_at = 0 AND (counter < ? OR counter = 0 AND CAST(? AS BIGINT) = 0)",
		string(p.Record), int64(p.Counter), ms(p.UsedAt), int64(p.ID), int64(p.Counter), int64(p.Counter))
	return n == 1, err
}

// StopPasskey implements auth.Passkeys.
func (s *Store) StopPasskey(ctx context.Context, key id.ID, when time.Time) error {
	_, err := s.on(ctx).exec("UPDATE passkey SET stopped_at = ? WHERE id = ? AND stopped_at = 0", ms(when), int64(key))
	return err
}

// RenamePasskey implements auth.Passkeys.
func (s *Store) RenamePasskey(ctx context.Context, user, key id.ID, name string) error {
	n, err := s.on(ctx).exec("UPDATE passkey SET name = ? WHERE id = ? AND person = ?", name, int64(key), int64(user))
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "auth.passkey_unknown", nil)
	}
	return err
}

// DeletePasskey implements auth.Passkeys.
func (s *Store) DeletePasskey(ctx context.Context, user, key id.ID) error {
	return s.tx(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM passkey WHERE id = ? AND person = ?", int64(key), int64(user))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "auth.passkey_unknown", nil)
		}
		return dropLastRecovery(t, user)
	})
}

// PutFlow implements auth.Flows.
func (s *Store) PutFlow(ctx context.Context, f auth.Flow, now time.Time) error {
	return s.tx(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM sign_flow WHERE expires_at <= ?", ms(now)); err != nil {
			return err
		}
		_, err := t.exec("INSERT INTO sign_flow (hash, kind, person, data, expires_at) VALUES (?, ?, ?, ?, ?)", f.Hash, string(f.Kind), int64(f.UserID), string(f.Data), ms(f.ExpiresAt))
		return err
	})
}

// TakeFlow implements auth.Flows.
func (s *Store) TakeFlow(ctx context.Context, hash string) (f auth.Flow, ok bool, err error) {
	var data string
	var expires int64
	err = s.tx(ctx, func(t *tx) error {
		err := t.row("DELETE FROM sign_flow WHERE hash = ? RETURNING hash, kind, person, data, expires_at", hash).Scan(&f.Hash, &f.Kind, &f.UserID, &data, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	f.Data, f.ExpiresAt = []byte(data), at(expires)
	return f, ok && err == nil, err
}
