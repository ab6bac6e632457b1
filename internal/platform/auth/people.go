package auth

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// NewUser describes a person to add.
type NewUser struct {
	Email, Name, Password, Locale string
	Role                          access.Role
	Temporary                     bool // the password must be changed at the first sign-in
}

// AddUser makes a user of a workspace; Conflict auth.email_taken when the address has an account.
func (s *Service) AddUser(ctx context.Context, workspace string, in NewUser) (User, error) {
	w, err := s.Workspace(ctx, workspace)
	if err != nil {
		return User{}, err
	}
	u, items := s.newUser(in.Email, in.Name, in.Password, in.Locale, w.Name)
	u.MustChange = in.Temporary
	if err := s.Roles(ctx, workspace, in.Role); err != nil {
		f, ok := fault.Find(err)
		if !ok || f.Kind != fault.Invalid {
			return User{}, err
		}
		items = append(items, f)
	}
	if f := fault.Join("api.invalid", items); f != nil {
		return User{}, f
	}
	u.Role, u.PasswordHash = in.Role, s.Hasher.Hash(in.Password)
	if err := s.Store.CreateUser(ctx, workspace, u); err != nil {
		return User{}, err
	}
	return u, s.Note(ctx, workspace, "user.create", "user", u.ID, map[string]any{"role": u.Role})
}

// UserChange names what to change about a user; nil leaves a thing as it is.
type UserChange struct {
	Name     *string
	Role     *access.Role
	Disabled *bool
	Password *string
	// Temporary makes the password good for one sign-in, at which a new one must be set.
	Temporary bool
}

// ChangeUser is an administrator's change of a user. A change of password, role or disabled ends the user's sessions. A
// password is set only for a user of this workspace alone: those of others change their own.
func (s *Service) ChangeUser(ctx context.Context, workspace string, user id.ID, in UserChange) (User, error) {
	var hash string
	if in.Password != nil {
		old, err := s.onlyHere(ctx, workspace, user, "auth.password_of_other_workspace")
		if err != nil {
			return User{}, err
		}
		w, err := s.Workspace(ctx, workspace)
		if err != nil {
			return User{}, err
		}
		if f := CheckPassword(*in.Password, "password", old.Email, old.Name, w.Name); f != nil {
			return User{}, f
		}
		hash = s.Hasher.Hash(*in.Password)
	}
	old, err := s.Store.GetUser(ctx, workspace, user)
	if err != nil {
		return User{}, err
	}
	// Whoever hands out a role, or changes somebody who has one, must reach as far as it does.
	if in.Role != nil && *in.Role != old.Role || in.Password != nil || in.Disabled != nil {
		for _, r := range []*access.Role{&old.Role, in.Role} {
			if r == nil {
				continue
			}
			if err := s.Roles(ctx, workspace, *r); err != nil && (r == in.Role || fault.KindOf(err) != fault.Invalid) { // a role that is gone holds nothing
				return User{}, err
			}
		}
	}
	detail := map[string]any{}
	u, err := s.Store.UpdateUser(ctx, workspace, user, func(u *User) (bool, error) {
		kill := false
		if in.Name != nil {
			if err := setName(u, *in.Name); err != nil {
				return false, err
			}
		}
		if in.Role != nil && *in.Role != u.Role {
			u.Role, kill, detail["role"] = *in.Role, true, *in.Role
		}
		if in.Disabled != nil && *in.Disabled != u.Disabled {
			u.Disabled, kill, detail["disabled"] = *in.Disabled, true, *in.Disabled
		}
		if hash != "" {
			u.PasswordHash, u.MustChange, kill, detail["password"] = hash, in.Temporary, true, "set"
		}
		u.UpdatedAt = s.Clock.Now()
		return kill, nil
	}, "")
	if err != nil {
		return User{}, err
	}
	return u, s.Note(ctx, workspace, "user.update", "user", user, detail)
}

// onlyHere finds a user who belongs to this workspace and to no other; code is the refusal of the others.
func (s *Service) onlyHere(ctx context.Context, workspace string, user id.ID, code string) (User, error) {
	u, err := s.Store.GetUser(ctx, workspace, user)
	if err != nil {
		return User{}, err
	}
	ms, err := s.Store.Memberships(ctx, user)
	if err != nil {
		return User{}, err
	}
	if len(ms) > 1 {
		return User{}, fault.New(fault.Forbidden, code, nil)
	}
	return u, nil
}

// SelfChange is what a person may change about themselves.
type SelfChange struct {
	Name, Locale, Theme          *string
	CurrentPassword, NewPassword *string
	Peer                         Peer
}

// ChangeSelf applies a person's change of their own account. With a new password, which needs the current one, every other
// session of theirs ends and the present one continues under a new token (returned, else "").
func (s *Service) ChangeSelf(ctx context.Context, who Identity, in SelfChange) (User, SignedIn, error) {
	var hash string
	if in.NewPassword != nil {
		var err error
		if hash, err = s.rehash(ctx, who, in); err != nil {
			return User{}, SignedIn{}, err
		}
	}
	u, err := s.Store.UpdateUser(ctx, who.Workspace.Key, who.User.ID, func(u *User) (bool, error) {
		if in.Name != nil {
			if err := setName(u, *in.Name); err != nil {
				return false, err
			}
		}
		if in.Locale != nil {
			if !slices.Contains([]string{"zh-CN", "en"}, *in.Locale) {
				return false, fault.InvalidField("auth.locale_unknown", "locale", nil)
			}
			u.Locale = *in.Locale
		}
		if in.Theme != nil {
			if !slices.Contains([]string{"light", "dark", "system"}, *in.Theme) {
				return false, fault.InvalidField("auth.theme_unknown", "theme", nil)
			}
			u.Theme = *in.Theme
		}
		u.UpdatedAt = s.Clock.Now()
		if hash != "" {
			u.PasswordHash, u.MustChange = hash, false
		}
		return hash != "", nil
	}, "")
	if err != nil || hash == "" {
		return u, SignedIn{}, err
	}
	if err := s.Store.EndTickets(ctx, u.ID, Recovery); err != nil {
		return u, SignedIn{}, err
	}
	if err := s.Note(ctx, who.Workspace.Key, "password.change", "user", u.ID, nil); err != nil {
		return u, SignedIn{}, err
	}
	if err := s.tell(ctx, who.Workspace.Key, u, "password", in.Peer); err != nil {
		return u, SignedIn{}, err
	}
	fresh, err := s.renew(ctx, u, who, in.Peer, Full)
	return u, fresh, err
}

func (s *Service) rehash(ctx context.Context, who Identity, in SelfChange) (string, error) {
	current := ""
	if in.CurrentPassword != nil {
		current = *in.CurrentPassword
	}
	if err := s.prove(ctx, who, current, "current_password"); err != nil {
		return "", err
	}
	if f := CheckPassword(*in.NewPassword, "new_password", who.User.Email, who.User.Name, who.Workspace.Name); f != nil {
		return "", f
	}
	return s.Hasher.Hash(*in.NewPassword), nil
}

// prove asks for the password once more before a change to how a person signs in. Guesses are slowed as at sign-in.
func (s *Service) prove(ctx context.Context, who Identity, password, field string) error {
	if who.User.PasswordHash == "" {
		return s.proveFresh(ctx, who)
	}
	key := "self:" + id.Format(UserPrefix, who.User.ID)
	if err := s.slow(ctx, key); err != nil {
		return err
	}
	if !s.Hasher.Verify(who.User.PasswordHash, password) {
		return fault.InvalidField("auth.current_password_wrong", field, nil)
	}
	return s.Store.Forgive(ctx, key)
}

// freshFor is how long a sign-in speaks for a person who has no password.
const freshFor = 10 * time.Minute

// proveFresh asks of a person without a password that the session began minutes ago. A provider of identities speaks for the people
// of its workspace alone. Forbidden auth.sign_in_again.
func (s *Service) proveFresh(ctx context.Context, who Identity) error {
	ms, err := s.Store.Memberships(ctx, who.User.ID)
	if err != nil {
		return err
	}
	if s.Clock.Now().Sub(who.Since) > freshFor || who.Via.Provider != 0 && len(ms) > 1 {
		return fault.New(fault.Forbidden, "auth.sign_in_again", nil)
	}
	return nil
}

// slow counts an attempt and refuses it while the one before must be waited for.
func (s *Service) slow(ctx context.Context, key string) error {
	now := s.Clock.Now()
	at, err := s.Store.Hit(ctx, key, now, failureWindow, untilAfter(now))
	if err == nil && at.Until.After(now) {
		err = fault.New(fault.RateLimited, "auth.locked", fault.Params{"retry_after": int(at.Until.Sub(now).Seconds()) + 1})
	}
	return err
}

func setName(u *User, name string) error {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > 100 {
		return fault.InvalidField("auth.name_length", "name", fault.Params{"max": 100})
	}
	u.Name = name
	return nil
}
