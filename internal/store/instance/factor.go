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
	var secret string
	err := s.on(ctx).row("SELECT person, secret, created_at, confirmed_at, last_step FROM factor WHERE person = ?", int64(user)).
		Scan(&f.UserID, &secret, &created, &confirmed, &f.LastStep)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	f.CreatedAt, f.ConfirmedAt = at(created), at(confirmed)
	f.Secret, err = text64.DecodeString(secret)
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
func (s *Store) ConfirmFactor(ctx context.Context, f auth.Factor, salt []byte, sums []string) error {
	return s.tx(ctx, func(t *tx) error {
		n, err := t.exec("UPDATE factor SET confirmed_at = ?, last_step = ? WHERE person = ? AND confirmed_at = 0 AND secret = ?",
			ms(f.ConfirmedAt), f.LastStep, int64(f.UserID), text64.EncodeToString(f.Secret))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "auth.enrol_over", nil)
		}
		return putRecovery(t, f.UserID, salt, sums)
	})
}

func putRecovery(t *tx, user id.ID, salt []byte, sums []string) error {
	if err := dropRecovery(t, user); err != nil {
		return err
	}
	if _, err := t.exec("INSERT INTO recovery_salt (person, salt) VALUES (?, ?)", int64(user), text64.EncodeToString(salt)); err != nil {
		return err
	}
	for _, sum := range sums {
		if _, err := t.exec("INSERT INTO recovery_code (person, sum, used_at) VALUES (?, ?, 0)", int64(user), sum); err != nil {
			return err
		}
	}
	return nil
}

func dropRecovery(t *tx, user id.ID) error {
	if _, err := t.exec("DELETE FROM recovery_salt WHERE person = ?", int64(user)); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM recovery_code WHERE person = ?", int64(user))
	return err
}

// dropLastRecovery removes the recovery codes of a person who has no second factor left.
func dropLastRecovery(t *tx, user id.ID) error {
	var left bool
	if err := t.row("SELECT EXISTS (SELECT 1 FROM factor WHERE person = ? AND confirmed_at > 0) OR EXISTS (SELECT 1 FROM passkey WHERE person = ?)", int64(user), int64(user)).Scan(&left); err != nil || left {
		return err
	}
	return dropRecovery(t, user)
}

// FindRecovery implements auth.Factors.
func (s *Store) FindRecovery(ctx context.Context, user id.ID) (salt []byte, left int, err error) {
	var text string
	err = s.on(ctx).row("SELECT s.salt, (SELECT count(*) FROM recovery_code r WHERE r.person = s.person AND r.used_at = 0) FROM recovery_salt s WHERE s.person = ?", int64(user)).Scan(&text, &left)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	salt, err = text64.DecodeString(text)
	return salt, left, err
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
		n, err := t.exec("DELETE FROM recovery_salt WHERE person = ?", int64(user)) // whoever has a second factor has one
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "auth.factor_none", nil)
		}
		return putRecovery(t, user, salt, sums)
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
		return dropLastRecovery(t, user)
	})
	return had, err
}

// ResetFactors implements auth.Factors.
func (s *Store) ResetFactors(ctx context.Context, user id.ID) (bool, error) {
	had := false
	err := s.tx(ctx, func(t *tx) error {
		for _, q := range []string{"DELETE FROM factor WHERE person = ?", "DELETE FROM passkey WHERE person = ?"} {
			n, err := t.exec(q, int64(user))
			if err != nil {
				return err
			}
			had = had || n > 0
		}
		return dropRecovery(t, user)
	})
	return had, err
}
