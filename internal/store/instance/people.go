package instance

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

var _ auth.Store = (*Store)(nil)

const lockPeople = 775002

// Initialise implements auth.People.
func (s *Store) Initialise(ctx context.Context, w auth.Workspace, u auth.User) error {
	return s.tx(ctx, func(t *tx) error {
		if err := t.lock(lockPeople); err != nil {
			return err
		}
		var n int
		if err := t.row("SELECT count(*) FROM person").Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.Conflict, "auth.already_set_up", nil)
		}
		if err := insertWorkspace(t, w); err != nil {
			return err
		}
		return insertPerson(t, w.Key, u)
	})
}

// CountUsers implements auth.People.
func (s *Store) CountUsers(ctx context.Context) (n int, err error) {
	err = s.on(ctx).row("SELECT count(*) FROM person").Scan(&n)
	return n, err
}

// CreateWorkspace implements auth.People; Conflict auth.workspace_taken.
func (s *Store) CreateWorkspace(ctx context.Context, w auth.Workspace) error {
	return insertWorkspace(s.on(ctx), w)
}

func insertWorkspace(t *tx, w auth.Workspace) error {
	_, err := t.exec("INSERT INTO workspace (key, name, timezone, currency, locale, created_at, factor_roles, provider_only) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		w.Key, w.Name, w.Timezone, w.Currency, w.Locale, ms(w.CreatedAt), joinRoles(w.FactorRoles), w.ProviderOnly)
	if duplicate(err) {
		return fault.New(fault.Conflict, "auth.workspace_taken", fault.Params{"workspace": w.Key})
	}
	return err
}

// Workspaces implements auth.People.
func (s *Store) Workspaces(ctx context.Context) ([]auth.Workspace, error) {
	list, _, err := asked(s, question{kind: "workspaces"}, func() ([]auth.Workspace, bool, error) {
		list, err := collect(s.on(ctx), func(scan func(...any) error) (auth.Workspace, error) { return scanWorkspace(scan) },
			"SELECT "+workspaceColumns+" FROM workspace w ORDER BY w.created_at, w.key")
		return list, true, err
	})
	return slices.Clone(list), err
}

const workspaceColumns = "w.key, w.name, w.timezone, w.currency, w.locale, w.created_at, w.factor_roles, w.provider_only"

// scanWorkspace reads workspaceColumns and whatever is selected behind them.
func scanWorkspace(scan func(...any) error, more ...any) (w auth.Workspace, err error) {
	var created int64
	var roles string
	err = scan(append([]any{&w.Key, &w.Name, &w.Timezone, &w.Currency, &w.Locale, &created, &roles, &w.ProviderOnly}, more...)...)
	w.CreatedAt = at(created)
	for _, r := range strings.Fields(roles) {
		w.FactorRoles = append(w.FactorRoles, access.Role(r))
	}
	return w, err
}

func joinRoles(roles []access.Role) string {
	var words []string
	for _, r := range roles {
		words = append(words, string(r))
	}
	return strings.Join(words, " ")
}

// SetFactorRoles implements auth.People; NotFound auth.workspace_unknown.
func (s *Store) SetFactorRoles(ctx context.Context, workspace string, roles []access.Role) error {
	n, err := s.on(ctx).exec("UPDATE workspace SET factor_roles = ? WHERE key = ?", joinRoles(roles), workspace)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "auth.workspace_unknown", fault.Params{"workspace": workspace})
	}
	return err
}

// Memberships implements auth.People.
func (s *Store) Memberships(ctx context.Context, user id.ID) ([]auth.Membership, error) {
	list, _, err := asked(s, question{kind: "memberships", number: int64(user)}, func() ([]auth.Membership, bool, error) {
		list, err := collect(s.on(ctx), func(scan func(...any) error) (m auth.Membership, err error) {
			m.Workspace, err = scanWorkspace(scan, &m.Role)
			return m, err
		}, "SELECT "+workspaceColumns+`, m.role
		FROM membership m JOIN workspace w ON w.key = m.workspace WHERE m.person = ? ORDER BY m.created_at, w.key`, int64(user))
		return list, true, err
	})
	return slices.Clone(list), err
}

const personColumns = "p.id, p.email, p.name, p.locale, p.theme, p.password_hash, p.disabled, p.created_at, p.updated_at, p.last_seen_at, p.must_change, " +
	"(EXISTS (SELECT 1 FROM factor f WHERE f.person = p.id AND f.confirmed_at > 0) OR EXISTS (SELECT 1 FROM passkey k WHERE k.person = p.id)), " +
	"EXISTS (SELECT 1 FROM linked_identity l WHERE l.person = p.id)"

func scanUser(scan func(...any) error) (u auth.User, err error) {
	var created, updated, seen int64
	err = scan(&u.ID, &u.Email, &u.Name, &u.Locale, &u.Theme, &u.PasswordHash, &u.Disabled, &created, &updated, &seen, &u.MustChange, &u.Factor, &u.Linked, &u.Role)
	u.CreatedAt, u.UpdatedAt, u.LastSeenAt = at(created), at(updated), at(seen)
	return u, err
}

// FindUser implements auth.People; the role is left empty.
func (s *Store) FindUser(ctx context.Context, email string) (auth.User, bool, error) {
	u, err := scanUser(s.on(ctx).row("SELECT "+personColumns+", '' FROM person p WHERE p.email_fold = ?", lang.Fold(email)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return auth.User{}, false, nil
	}
	return u, err == nil, err
}

// GetUser implements auth.People.
func (s *Store) GetUser(ctx context.Context, workspace string, user id.ID) (auth.User, error) {
	u, _, err := asked(s, question{kind: "user", text: workspace, number: int64(user)}, func() (auth.User, bool, error) {
		u, err := getUser(s.on(ctx), workspace, user)
		return u, err == nil, err
	})
	return u, err
}

func getUser(t *tx, workspace string, user id.ID) (auth.User, error) {
	u, err := scanUser(t.row("SELECT "+personColumns+", m.role FROM person p JOIN membership m ON m.person = p.id WHERE m.workspace = ? AND p.id = ?", workspace, int64(user)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return u, fault.New(fault.NotFound, "auth.user_unknown", nil)
	}
	return u, err
}

// ListUsers implements auth.People.
func (s *Store) ListUsers(ctx context.Context, workspace string) ([]auth.User, error) {
	list, _, err := asked(s, question{kind: "users", text: workspace}, func() ([]auth.User, bool, error) {
		list, err := collect(s.on(ctx), scanUser, "SELECT "+personColumns+", m.role FROM person p JOIN membership m ON m.person = p.id WHERE m.workspace = ? ORDER BY p.created_at, p.id", workspace)
		return list, true, err
	})
	return slices.Clone(list), err
}

// CreateUser implements auth.People; Conflict auth.email_taken.
func (s *Store) CreateUser(ctx context.Context, workspace string, u auth.User) error {
	return s.tx(ctx, func(t *tx) error { return insertPerson(t, workspace, u) })
}

func insertPerson(t *tx, workspace string, u auth.User) error {
	_, err := t.exec("INSERT INTO person (id, email, email_fold, name, locale, theme, password_hash, disabled, created_at, updated_at, last_seen_at, must_change) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		int64(u.ID), u.Email, lang.Fold(u.Email), u.Name, u.Locale, u.Theme, u.PasswordHash, u.Disabled, ms(u.CreatedAt), ms(u.UpdatedAt), ms(u.LastSeenAt), u.MustChange)
	if duplicate(err) {
		return &fault.Fault{Kind: fault.Conflict, Code: "auth.email_taken", Field: "email"}
	}
	if err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO membership (workspace, person, role, created_at) VALUES (?, ?, ?, ?)", workspace, int64(u.ID), string(u.Role), ms(u.CreatedAt))
	return err
}

// UpdateUser implements auth.People.
func (s *Store) UpdateUser(ctx context.Context, workspace string, user id.ID, change func(*auth.User) (bool, error), keep string) (auth.User, error) {
	var u auth.User
	err := s.tx(ctx, func(t *tx) error {
		err := t.lock(lockPeople)
		if err != nil {
			return err
		}
		if u, err = getUser(t, workspace, user); err != nil {
			return err
		}
		kill, err := change(&u)
		if err != nil {
			return err
		}
		if _, err := t.exec("UPDATE person SET name = ?, locale = ?, theme = ?, password_hash = ?, disabled = ?, must_change = ?, updated_at = ? WHERE id = ?",
			u.Name, u.Locale, u.Theme, u.PasswordHash, u.Disabled, u.MustChange, ms(u.UpdatedAt), int64(user)); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE membership SET role = ? WHERE workspace = ? AND person = ?", string(u.Role), workspace, int64(user)); err != nil {
			return err
		}
		var admins int
		if err := t.row("SELECT count(*) FROM membership m JOIN person p ON p.id = m.person WHERE m.workspace = ? AND m.role = ? AND p.disabled = FALSE",
			workspace, string(access.Administrator)).Scan(&admins); err != nil {
			return err
		}
		if admins == 0 {
			return fault.New(fault.Conflict, "auth.last_administrator", nil)
		}
		if kill {
			_, err = t.exec("DELETE FROM web_session WHERE person = ? AND hash <> ?", int64(user), keep)
		}
		return err
	})
	return u, err
}
