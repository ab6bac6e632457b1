package auth

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Vault seals the secrets of second factors, and of providers of identities, for storage; a sealed secret opens for the same person or
// provider only.
type Vault interface {
	Seal(ctx context.Context, user id.ID, secret []byte) ([]byte, error)
	Open(ctx context.Context, user id.ID, sealed []byte) ([]byte, error)
}

const (
	enrolLife      = 15 * time.Minute // to scan the code and type the first one
	recoveryCodes  = 10
	recoveryLength = 10 // letters, 50 random bits; guesses are slowed, and the stored sums are argon2id
)

// owes is what a person who came in some way must still do; proved says that the second factor was proved too.
func (s *Service) owes(ctx context.Context, u User, via Via, proved bool) (Stage, error) {
	switch {
	case u.Factor && !proved && !via.Proved:
		return OwesCode, nil
	case u.MustChange && via.Provider == 0:
		return OwesPassword, nil
	case u.Factor || via.Proved:
		return Full, nil
	}
	required, err := s.FactorRequired(ctx, u.ID)
	if required && err == nil {
		return OwesEnrolment, nil
	}
	return Full, err
}

// FactorRequired reports whether a workspace of the person demands a second factor of their role there: the session reaches
// all of their workspaces.
func (s *Service) FactorRequired(ctx context.Context, user id.ID) (bool, error) {
	ms, err := s.Store.Memberships(ctx, user)
	return slices.ContainsFunc(ms, func(m Membership) bool { return slices.Contains(m.Workspace.FactorRoles, m.Role) }), err
}

// step ends a session that stood at a stage and goes on with what is owed next.
func (s *Service) step(ctx context.Context, who Identity, u User, peer Peer, detail map[string]any) (SignedIn, error) {
	stage, err := s.owes(ctx, u, who.Via, true)
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.Store.DeleteSession(ctx, who.Session); err != nil {
		return SignedIn{}, err
	}
	peer.Agent = cleanAgent(peer.Agent)
	return s.open(ctx, u, opening{workspace: who.Workspace.Key, peer: peer, stage: stage, via: who.Via, detail: detail})
}

// renew ends every session of a person, whose way to sign in has changed, and goes on under a new token.
func (s *Service) renew(ctx context.Context, u User, who Identity, peer Peer, stage Stage) (SignedIn, error) {
	if _, err := s.Store.EndSessions(ctx, u.ID, ""); err != nil {
		return SignedIn{}, err
	}
	peer.Agent = cleanAgent(peer.Agent)
	return s.open(ctx, u, opening{workspace: who.Workspace.Key, peer: peer, stage: stage, renewed: true, via: who.Via})
}

// PassCode is the second step of signing in: a code of the authenticator, or a recovery code. Faults: Conflict
// auth.step_over for a session that owes no code, auth.code_wrong and auth.code_used (Invalid), auth.locked.
func (s *Service) PassCode(ctx context.Context, who Identity, code string, peer Peer) (SignedIn, error) {
	if who.Stage != OwesCode {
		return SignedIn{}, fault.New(fault.Conflict, "auth.step_over", nil)
	}
	how, err := s.takeCode(ctx, who, code)
	if err != nil {
		if outcome, known := map[string]Outcome{"auth.code_wrong": OutcomeWrongCode, "auth.code_used": OutcomeWrongCode, "auth.locked": OutcomeLocked}[fault.CodeOf(err)]; known {
			peer.Agent = cleanAgent(peer.Agent)
			s.refused(ctx, who.User.Email, "code", SignInEntry{UserID: who.User.ID, Outcome: outcome, Way: who.Via.Way, Peer: peer})
		}
		return SignedIn{}, err
	}
	return s.step(ctx, who, who.User, peer, map[string]any{"factor": how})
}

// PassPassword replaces a password that an administrator gave, at the first sign-in with it.
func (s *Service) PassPassword(ctx context.Context, who Identity, password string, peer Peer) (SignedIn, error) {
	if who.Stage != OwesPassword {
		return SignedIn{}, fault.New(fault.Conflict, "auth.step_over", nil)
	}
	if f := CheckPassword(password, "new_password", who.User.Email, who.User.Name, who.Workspace.Name); f != nil {
		return SignedIn{}, f
	}
	if s.Hasher.Verify(who.User.PasswordHash, password) {
		return SignedIn{}, fault.InvalidField("auth.password_same", "new_password", nil)
	}
	hash := s.Hasher.Hash(password)
	u, err := s.Store.UpdateUser(ctx, who.Workspace.Key, who.User.ID, func(u *User) (bool, error) {
		u.PasswordHash, u.MustChange, u.UpdatedAt = hash, false, s.Clock.Now()
		return true, nil
	}, who.Session)
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.Note(ctx, who.Workspace.Key, "password.change", "user", u.ID, nil); err != nil {
		return SignedIn{}, err
	}
	return s.step(ctx, who, u, peer, nil)
}

// Enrolment is a second factor to be confirmed: the secret to type, or the address to draw.
type Enrolment struct {
	Secret string // base32, upper case
	URI    string // otpauth://
}

// BeginFactor makes a secret for a person who has none in force. A full session proves the password; one that stands at the
// enrolment has just done so. Faults: Conflict auth.factor_on.
func (s *Service) BeginFactor(ctx context.Context, who Identity, password string) (Enrolment, error) {
	if s.Vault == nil {
		return Enrolment{}, fault.New(fault.Unavailable, "auth.no_vault", nil)
	}
	if who.Stage == Full {
		if err := s.prove(ctx, who, password, "password"); err != nil {
			return Enrolment{}, err
		}
	}
	secret := newFactorSecret()
	sealed, err := s.Vault.Seal(ctx, who.User.ID, secret)
	if err != nil {
		return Enrolment{}, err
	}
	if err := s.Store.BeginFactor(ctx, Factor{UserID: who.User.ID, Secret: sealed, CreatedAt: s.Clock.Now()}); err != nil {
		return Enrolment{}, err
	}
	return Enrolment{Secret: base32Text.EncodeToString(secret), URI: keyURI(secret, who.Workspace.Name, who.User.Email)}, nil
}

// ConfirmFactor turns the second factor on with a first code. The recovery codes are returned this once; every other session
// ends and the present one goes on under a new token. Faults: Conflict auth.enrol_over when nothing waits to be confirmed.
func (s *Service) ConfirmFactor(ctx context.Context, who Identity, code string, peer Peer) ([]string, SignedIn, error) {
	f, ok, err := s.Store.FindFactor(ctx, who.User.ID)
	now := s.Clock.Now()
	switch {
	case err != nil:
		return nil, SignedIn{}, err
	case ok && !f.ConfirmedAt.IsZero():
		return nil, SignedIn{}, fault.New(fault.Conflict, "auth.factor_on", nil)
	case !ok || now.Sub(f.CreatedAt) > enrolLife:
		return nil, SignedIn{}, fault.New(fault.Conflict, "auth.enrol_over", nil)
	}
	if err := s.slow(ctx, factorKey(who)); err != nil {
		return nil, SignedIn{}, err
	}
	secret, err := s.Vault.Open(ctx, who.User.ID, f.Secret)
	if err != nil {
		return nil, SignedIn{}, err
	}
	step, ok := matchCode(secret, now, squeezeCode(code))
	if !ok {
		return nil, SignedIn{}, fault.InvalidField("auth.code_wrong", "code", nil)
	}
	codes, salt, sums := s.newRecovery()
	f.ConfirmedAt, f.LastStep = now, step
	if err := s.Store.ConfirmFactor(ctx, f, salt, sums); err != nil {
		return nil, SignedIn{}, err
	}
	if err := s.Store.Forgive(ctx, factorKey(who)); err != nil {
		return nil, SignedIn{}, err
	}
	if err := s.Note(ctx, who.Workspace.Key, "factor.enrol", "user", who.User.ID, nil); err != nil {
		return nil, SignedIn{}, err
	}
	if err := s.tell(ctx, who.Workspace.Key, who.User, "factor_on", peer); err != nil {
		return nil, SignedIn{}, err
	}
	u := who.User
	u.Factor = true
	var fresh SignedIn
	if who.Stage == Full {
		fresh, err = s.renew(ctx, u, who, peer, Full)
	} else if _, err = s.Store.EndSessions(ctx, u.ID, who.Session); err == nil {
		fresh, err = s.step(ctx, who, u, peer, map[string]any{"factor": "enrolled"})
	}
	return codes, fresh, err
}

// DropFactor turns the second factor off with password and code. Every session ends; the present one goes on under a new
// token, at the enrolment when the role demands a second factor: so a new phone takes the place of an old one.
func (s *Service) DropFactor(ctx context.Context, who Identity, password, code string, peer Peer) (SignedIn, error) {
	if err := s.proveBoth(ctx, who, password, code); err != nil {
		return SignedIn{}, err
	}
	if _, err := s.Store.DeleteFactor(ctx, who.User.ID); err != nil {
		return SignedIn{}, err
	}
	if err := s.Note(ctx, who.Workspace.Key, "factor.off", "user", who.User.ID, nil); err != nil {
		return SignedIn{}, err
	}
	if err := s.tell(ctx, who.Workspace.Key, who.User, "factor_off", peer); err != nil {
		return SignedIn{}, err
	}
	return s.renewAs(ctx, who, peer)
}

// NewRecoveryCodes replaces the recovery codes, with password and code; who has passkeys alone gives the password.
func (s *Service) NewRecoveryCodes(ctx context.Context, who Identity, password, code string) ([]string, error) {
	f, ok, err := s.Store.FindFactor(ctx, who.User.ID)
	switch {
	case err != nil:
		return nil, err
	case ok && !f.ConfirmedAt.IsZero():
		err = s.proveBoth(ctx, who, password, code)
	case who.User.Factor:
		err = s.prove(ctx, who, password, "password")
	default:
		err = fault.New(fault.Conflict, "auth.factor_none", nil)
	}
	if err != nil {
		return nil, err
	}
	codes, salt, sums := s.newRecovery()
	if err := s.Store.ReplaceRecovery(ctx, who.User.ID, salt, sums); err != nil {
		return nil, err
	}
	return codes, s.Note(ctx, who.Workspace.Key, "factor.recovery_new", "user", who.User.ID, nil)
}

func (s *Service) proveBoth(ctx context.Context, who Identity, password, code string) error {
	if err := s.prove(ctx, who, password, "password"); err != nil {
		return err
	}
	_, err := s.takeCode(ctx, who, code)
	return err
}

func factorKey(who Identity) string { return "factor:" + id.Format(UserPrefix, who.User.ID) }

// takeCode checks and uses up a code of the authenticator ("totp") or a recovery code ("recovery").
func (s *Service) takeCode(ctx context.Context, who Identity, given string) (how string, err error) {
	f, ok, err := s.Store.FindFactor(ctx, who.User.ID)
	if err != nil {
		return "", err
	}
	enrolled := ok && !f.ConfirmedAt.IsZero()
	if !enrolled && !who.User.Factor {
		return "", fault.New(fault.Conflict, "auth.factor_none", nil)
	}
	if err := s.slow(ctx, factorKey(who)); err != nil {
		return "", err
	}
	code := squeezeCode(given)
	switch {
	case len(code) == recoveryLength:
		how, err = "recovery", s.takeRecovery(ctx, who, code)
	case enrolled:
		how, err = "totp", s.takeTOTP(ctx, who, f, code)
	default:
		err = fault.InvalidField("auth.code_wrong", "code", nil)
	}
	if err != nil {
		return "", err
	}
	return how, s.Store.Forgive(ctx, factorKey(who))
}

func (s *Service) takeTOTP(ctx context.Context, who Identity, f Factor, code string) error {
	secret, err := s.Vault.Open(ctx, who.User.ID, f.Secret)
	if err != nil {
		return err
	}
	step, ok := matchCode(secret, s.Clock.Now(), code)
	if !ok {
		return fault.InvalidField("auth.code_wrong", "code", nil)
	}
	first, err := s.Store.UseStep(ctx, who.User.ID, step)
	if err == nil && !first {
		err = fault.InvalidField("auth.code_used", "code", nil)
	}
	return err
}

func (s *Service) takeRecovery(ctx context.Context, who Identity, code string) error {
	salt, _, err := s.Store.FindRecovery(ctx, who.User.ID)
	if err != nil {
		return err
	}
	left, ok, err := s.Store.UseRecovery(ctx, who.User.ID, s.Hasher.digest(code, salt), s.Clock.Now())
	if err != nil {
		return err
	}
	if !ok {
		return fault.InvalidField("auth.code_wrong", "code", nil)
	}
	return s.Note(access.With(ctx, who.Actor), who.Workspace.Key, "factor.recovery_used", "user", who.User.ID, map[string]any{"left": left})
}

// squeezeCode drops what people put between the characters of a code; case does not matter.
func squeezeCode(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\u2013", "", "\u00a0", "", "\t", "").Replace(s))
}

// recoveryLetters leave out what is easily mistaken for another; 32 of them, so that each takes five random bits.
const recoveryLetters = "abcdefghjkmnpqrstuvwxyz023456789"

func (s *Service) newRecovery() (codes []string, salt []byte, sums []string) {
	salt = make([]byte, saltBytes)
	_, _ = rand.Read(salt)
	for range recoveryCodes {
		raw := make([]byte, recoveryLength)
		_, _ = rand.Read(raw)
		for i, b := range raw {
			raw[i] = recoveryLetters[b&31]
		}
		codes = append(codes, string(raw[:recoveryLength/2])+"-"+string(raw[recoveryLength/2:]))
		sums = append(sums, s.Hasher.digest(string(raw), salt))
	}
	return codes, salt, sums
}

// FactorState is what a person may know of their second factor.
type FactorState struct {
	On        bool // an authenticator
	Since     time.Time
	Passkeys  int
	CodesLeft int
	Required  bool // by the person's role in one of their workspaces
}

// FactorOf is the state of a person's second factor.
func (s *Service) FactorOf(ctx context.Context, user id.ID) (FactorState, error) {
	f, ok, err := s.Store.FindFactor(ctx, user)
	if err != nil {
		return FactorState{}, err
	}
	keys, err := s.Store.ListPasskeys(ctx, user)
	if err != nil {
		return FactorState{}, err
	}
	_, left, err := s.Store.FindRecovery(ctx, user)
	if err != nil {
		return FactorState{}, err
	}
	required, err := s.FactorRequired(ctx, user)
	out := FactorState{Passkeys: len(keys), CodesLeft: left, Required: required}
	if ok && !f.ConfirmedAt.IsZero() {
		out.On, out.Since = true, f.ConfirmedAt
	}
	return out, err
}

// ResetFactor removes the second factors of a person who lost them, passkeys included, on an administrator's word, and ends the
// person's sessions. Who helps must reach as far as the person's role does; a person of several workspaces is helped from the
// command line alone. Faults: Conflict auth.factor_none.
func (s *Service) ResetFactor(ctx context.Context, workspace string, user id.ID) error {
	u, err := s.onlyHere(ctx, workspace, user, "auth.factor_of_other_workspace")
	if err != nil {
		return err
	}
	if err := s.Roles(ctx, workspace, u.Role); err != nil && fault.KindOf(err) != fault.Invalid { // a role that is gone holds nothing
		return err
	}
	return s.reset(ctx, workspace, u)
}

// ResetFactorOf is ResetFactor for the owner of the machine, by the address of the account; NotFound auth.user_unknown.
func (s *Service) ResetFactorOf(ctx context.Context, workspace, email string) error {
	u, ok, err := s.Store.FindUser(ctx, email)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.NotFound, "auth.user_unknown", nil)
	}
	return s.reset(ctx, workspace, u)
}

func (s *Service) reset(ctx context.Context, workspace string, u User) error {
	had, err := s.Store.ResetFactors(ctx, u.ID)
	if err != nil {
		return err
	}
	if !had {
		return fault.New(fault.Conflict, "auth.factor_none", nil)
	}
	if _, err := s.Store.EndSessions(ctx, u.ID, ""); err != nil {
		return err
	}
	if err := s.Store.Forgive(ctx, factorKey(Identity{User: u})); err != nil {
		return err
	}
	if err := s.Note(ctx, workspace, "factor.reset", "user", u.ID, nil); err != nil {
		return err
	}
	return s.tell(ctx, workspace, u, "factor_reset", Peer{})
}

// RequireFactor says which roles of a workspace must have a second factor from their next sign-in on.
func (s *Service) RequireFactor(ctx context.Context, workspace string, roles []access.Role) error {
	for _, r := range roles {
		if err := s.Roles(ctx, workspace, r); err != nil {
			return fault.InvalidField("auth.role_unknown", "factor_roles", nil)
		}
	}
	roles = slices.Compact(slices.Sorted(slices.Values(roles)))
	if err := s.Store.SetFactorRoles(ctx, workspace, roles); err != nil {
		return err
	}
	return s.Note(ctx, workspace, "security.update", "", 0, map[string]any{"factor_roles": roles})
}

// Sessions are a person's, the last used first.
func (s *Service) Sessions(ctx context.Context, user id.ID) ([]Session, error) {
	now := s.Clock.Now()
	return s.Store.ListSessions(ctx, user, now.Add(-s.Idle), now)
}

// Revoke ends one of the person's sessions by name.
func (s *Service) Revoke(ctx context.Context, who Identity, name string) error {
	if len(name) != sessionName {
		return fault.New(fault.NotFound, "auth.session_unknown", nil)
	}
	if err := s.Store.EndSession(ctx, who.User.ID, name); err != nil {
		return err
	}
	return s.Note(ctx, who.Workspace.Key, "session.revoke", "user", who.User.ID, nil)
}

// RevokeOthers ends all of the person's sessions but the present one and counts them.
func (s *Service) RevokeOthers(ctx context.Context, who Identity) (int, error) {
	n, err := s.Store.EndSessions(ctx, who.User.ID, who.Session)
	if err != nil {
		return 0, err
	}
	return n, s.Note(ctx, who.Workspace.Key, "session.revoke_all", "user", who.User.ID, map[string]any{"sessions": n})
}

// RevokeAllOf ends the sessions of a person of the workspace, by an administrator.
func (s *Service) RevokeAllOf(ctx context.Context, workspace string, user id.ID) (int, error) {
	if _, err := s.Store.GetUser(ctx, workspace, user); err != nil {
		return 0, err
	}
	n, err := s.Store.EndSessions(ctx, user, "")
	if err != nil {
		return 0, err
	}
	return n, s.Note(ctx, workspace, "session.revoke_all", "user", user, map[string]any{"sessions": n})
}
