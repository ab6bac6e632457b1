package instance

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

const providerColumns = "id, workspace, name, issuer, client, secret, settings, enabled, version, created_at, updated_at"

func scanProvider(scan func(...any) error) (p auth.Provider, err error) {
	var created, updated int64
	var secret, settings string
	if err = scan(&p.ID, &p.Workspace, &p.Name, &p.Issuer, &p.Client, &secret, &settings, &p.Enabled, &p.Version, &created, &updated); err != nil {
		return p, err
	}
	p.CreatedAt, p.UpdatedAt = at(created), at(updated)
	if secret != "" {
		if p.Secret, err = text64.DecodeString(secret); err != nil {
			return p, err
		}
	}
	return p, json.Unmarshal([]byte(settings), &p.Settings)
}

// CreateProvider implements auth.Providers.
func (s *Store) CreateProvider(ctx context.Context, p auth.Provider) error {
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		return err
	}
	_, err = s.on(ctx).exec("INSERT INTO identity_provider ("+providerColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", int64(p.ID), p.Workspace, p.Name, p.Issuer, p.Client,
		text64.EncodeToString(p.Secret), string(settings), p.Enabled, p.Version, ms(p.CreatedAt), ms(p.UpdatedAt))
	return err
}

// UpdateProvider implements auth.Providers.
func (s *Store) UpdateProvider(ctx context.Context, p auth.Provider) error {
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		return err
	}
	n, err := s.on(ctx).exec("UPDATE identity_provider SET name = ?, issuer = ?, client = ?, secret = ?, settings = ?, enabled = ?, version = ?, updated_at = ? WHERE id = ? AND version = ?",
		p.Name, p.Issuer, p.Client, text64.EncodeToString(p.Secret), string(settings), p.Enabled, p.Version, ms(p.UpdatedAt), int64(p.ID), p.Version-1)
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "auth.provider_changed", nil)
	}
	return err
}

// DeleteProvider implements auth.Providers.
func (s *Store) DeleteProvider(ctx context.Context, workspace string, provider id.ID) error {
	return s.tx(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM identity_provider WHERE id = ? AND workspace = ?", int64(provider), workspace)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "auth.provider_unknown", nil)
		}
		if _, err := t.exec("DELETE FROM linked_identity WHERE provider = ?", int64(provider)); err != nil {
			return err
		}
		_, err = t.exec("DELETE FROM web_session WHERE provider = ?", int64(provider))
		return err
	})
}

// FindProvider implements auth.Providers.
func (s *Store) FindProvider(ctx context.Context, provider id.ID) (auth.Provider, bool, error) {
	p, err := scanProvider(s.on(ctx).row("SELECT "+providerColumns+" FROM identity_provider WHERE id = ?", int64(provider)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return auth.Provider{}, false, nil
	}
	return p, err == nil, err
}

// ListProviders implements auth.Providers.
func (s *Store) ListProviders(ctx context.Context, workspace string) ([]auth.Provider, error) {
	if workspace == "" {
		return collect(s.on(ctx), scanProvider, "SELECT "+providerColumns+" FROM identity_provider ORDER BY id")
	}
	return collect(s.on(ctx), scanProvider, "SELECT "+providerColumns+" FROM identity_provider WHERE workspace = ? ORDER BY id", workspace)
}

// SetProviderOnly implements auth.Providers; NotFound auth.workspace_unknown.
func (s *Store) SetProviderOnly(ctx context.Context, workspace string, only bool) error {
	n, err := s.on(ctx).exec("UPDATE workspace SET provider_only = ? WHERE key = ?", only, workspace)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "auth.workspace_unknown", fault.Params{"workspace": workspace})
	}
	return err
}

// FindLink implements auth.Providers.
func (s *Store) FindLink(ctx context.Context, provider id.ID, subject string) (user id.ID, ok bool, err error) {
	err = s.on(ctx).row("SELECT person FROM linked_identity WHERE provider = ? AND subject = ?", int64(provider), subject).Scan(&user)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return user, err == nil, err
}

// PutLink implements auth.Providers.
func (s *Store) PutLink(ctx context.Context, provider id.ID, subject string, user id.ID, when time.Time) error {
	_, err := s.on(ctx).exec("INSERT INTO linked_identity (provider, subject, person, created_at, used_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (provider, subject) DO UPDATE SET used_at = excluded.used_at",
		int64(provider), subject, int64(user), ms(when), ms(when))
	return err
}

// EndProviderSessions implements auth.Providers.
func (s *Store) EndProviderSessions(ctx context.Context, provider id.ID, subject, sid string) (int, error) {
	where, args := "provider = ?", []any{int64(provider)}
	if subject != "" {
		where, args = where+" AND subject = ?", append(args, subject)
	}
	if sid != "" {
		where, args = where+" AND sid = ?", append(args, sid)
	}
	if subject == "" && sid == "" {
		return 0, nil
	}
	n, err := s.on(ctx).exec("DELETE FROM web_session WHERE "+where, args...)
	return int(n), err
}

// RewrapProviders is RewrapFactors for the secrets of providers.
func (s *Store) RewrapProviders(ctx context.Context, rewrap func(provider id.ID, sealed []byte) ([]byte, bool, error)) error {
	list, err := s.ListProviders(ctx, "")
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Secret == nil {
			continue
		}
		out, changed, err := rewrap(p.ID, p.Secret)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		if _, err := s.on(ctx).exec("UPDATE identity_provider SET secret = ? WHERE id = ? AND secret = ?", text64.EncodeToString(out), int64(p.ID), text64.EncodeToString(p.Secret)); err != nil {
			return err
		}
	}
	return nil
}
