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

var text64 = base64.StdEncoding

// FindFactor implements auth.Factors.
func (s *Store) FindFactor(ctx context.Context, user id.ID) (auth.Factor, bool, error) {
	var f auth.Factor
	var created, confirmed int64
	var secret, salt string
	err := s.on(ctx).row(`SELECT f.person, f.secret, f.created_at, f.confirmed_at, f.last_step, f.salt,
		(SELECT count(*) FROM recovery_code r WHERE r.person = f.person AND r.used_at = 0) FROM factor f WHERE f.person = ?`, int64(user)).
		Scan(&f.UserID, &secret, &created, &confirmed, &f.LastStep, &salt, &f.CodesLeft)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	f.CreatedAt, f.ConfirmedAt = at(created), at(confirmed)
	if f.Secret, err = text64.DecodeString(secret); err != nil {
		return f, false, err
	}
	f.Salt, err = text64.DecodeString(salt)
	return f, err == nil, err
}

// BeginFactor implements auth.Factors.
func (s *Store) BeginFactor(ctx context.Context, f auth.Factor) error {
	n, err := s.on(ctx).exec(`INSERT INTO factor (person, secret, created_at, confirmed_at, last_step, salt) VALUES (?, ?, ?, 0, 0, '')
		ON CONFLICT (person) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at WHERE factor.confirmed_at = 0`,
		int64(f.UserID), text64.EncodeToString(f.Secret), ms(f.CreatedAt))
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "auth.factor_on", nil)
	}
	return err
}

// ConfirmFactor implements auth.Factors.
func (s *Store) ConfirmFactor(ctx context.Context, f auth.Factor, sums []string) error {
	return s.tx(ctx, func(t *tx) error {
		n, err := t.exec("UPDATE factor SET confirmed_at = ?, last_step = ?, salt = ? WHERE person = ? AND confirmed_at = 0 AND secret = ?",
			ms(f.ConfirmedAt), f.LastStep, text64.EncodeToString(f.Salt), int64(f.UserID), text64.EncodeToString(f.Secret))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "auth.enrol_over", nil)
		}
		return putRecovery(t, f.UserID, sums)
	})
}

func putRecovery(t *tx, user id.ID, sums []string) error {
	if _, err := t.exec("DELETE FROM recovery_code WHERE person = ?", int64(user)); err != nil {
		return err
	}
	for _, sum := range sums {
		if _, err := t.exec("INSERT INTO recovery_code (person, sum, used_at) VALUES (?, ?, 0)", int64(user), sum); err != nil {
			return err
		}
	}
	return nil
}

// UseStep implements auth.Factors.
func (s *Store) UseStep(ctx context.Context, user id.ID, step int64) (bool, error) {
	n, err := s.on(ctx).exec("UPDATE factor SET last_step = ? WHERE person = ? AND confirmed_at > 0 AND last_step < ?", step, int64(user), step)
	return n == 1, err
}

// UseRecovery implements auth.Factors.
func (s *Store) UseRecovery(ctx context.Context, user id.ID, sum string, when time.Time) (left int, ok bool, err error) {
	err = s.tx(ctx, func(t *tx) error {
		n, err := t.exec("UPDATE recovery_code SET used_at = ? WHERE person = ? AND sum = ? AND used_at = 0", ms(when), int64(user), sum)
		if err != nil {
			return err
		}
		ok = n == 1
		return t.row("SELECT count(*) FROM recovery_code WHERE person = ? AND used_at = 0", int64(user)).Scan(&left)
	})
	return left, ok, err
}

// ReplaceRecovery implements auth.Factors.
func (s *Store) ReplaceRecovery(ctx context.Context, user id.ID, salt []byte, sums []string) error {
	return s.tx(ctx, func(t *tx) error {
		n, err := t.exec("UPDATE factor SET salt = ? WHERE person = ? AND confirmed_at > 0", text64.EncodeToString(salt), int64(user))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "auth.factor_none", nil)
		}
		return putRecovery(t, user, sums)
	})
}

// DeleteFactor implements auth.Factors.
func (s *Store) DeleteFactor(ctx context.Context, user id.ID) (bool, error) {
	had := false
	err := s.tx(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM factor WHERE person = ?", int64(user))
		if err != nil {
			return err
		}
		had = n == 1
		_, err = t.exec("DELETE FROM recovery_code WHERE person = ?", int64(user))
		return err
	})
	return had, err
}
