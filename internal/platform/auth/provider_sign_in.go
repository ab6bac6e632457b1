package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

const providerLife = 15 * time.Minute // to sign in there

// asked is what is remembered while a browser is at a provider.
type asked struct {
	Provider id.ID  `json:"provider"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Redirect string `json:"redirect"`
	Browser  string `json:"browser"` // hash of the secret that the browser keeps
}

// OpenProviders are the providers that are on, of every workspace.
func (s *Service) OpenProviders(ctx context.Context) ([]Provider, error) {
	list, err := s.Store.ListProviders(ctx, "")
	return slices.DeleteFunc(list, func(p Provider) bool { return !p.Enabled }), err
}

// AskProvider is the address where a browser asks a provider who it is; browser is a secret that the same browser brings back, and
// redirect where it comes back to. NotFound auth.provider_unknown for one that is not on.
func (s *Service) AskProvider(ctx context.Context, key id.ID, redirect, browser string) (string, error) {
	p, ok, err := s.Store.FindProvider(ctx, key)
	if err != nil {
		return "", err
	}
	if !ok || !p.Enabled {
		return "", fault.New(fault.NotFound, "auth.provider_unknown", nil)
	}
	a := asked{Provider: key, Nonce: newToken(), Verifier: newToken(), Redirect: redirect, Browser: hashToken(browser)}
	raw, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	state, err := s.putFlow(ctx, FlowProvider, 0, raw, providerLife)
	if err != nil {
		return "", err
	}
	return s.Door.Ask(ctx, &p, DoorAsk{Redirect: redirect, State: state, Nonce: a.Nonce, Verifier: a.Verifier})
}

// Returning is what a browser brings back from a provider.
type Returning struct {
	Browser                    string // the secret it kept
	State, Code, Issuer, Error string // of the address it came back to
	Peer                       Peer
}

// ProviderSignIn signs in who a provider vouches for. A person is found by the provider's own name for them, or once by an address
// that the provider has verified; who is not found is added where the provider may. Roles follow the rules at each sign-in; the
// role of an administrator with a password is left alone. Faults: Conflict auth.flow_over; Unauthenticated auth.provider_declined,
// auth.provider_token; Forbidden auth.provider_email, auth.provider_domain_closed, auth.provider_nobody, auth.provider_no_role.
func (s *Service) ProviderSignIn(ctx context.Context, in Returning) (SignedIn, error) {
	in.Peer.Agent = cleanAgent(in.Peer.Agent)
	raw, err := s.takeFlow(ctx, FlowProvider, 0, in.State)
	if err != nil {
		return SignedIn{}, err
	}
	var a asked
	if err := json.Unmarshal(raw, &a); err != nil {
		return SignedIn{}, err
	}
	p, ok, err := s.Store.FindProvider(ctx, a.Provider)
	if err != nil {
		return SignedIn{}, err
	}
	if !ok || !p.Enabled || subtle.ConstantTimeCompare([]byte(a.Browser), []byte(hashToken(in.Browser))) != 1 {
		return SignedIn{}, fault.New(fault.Conflict, "auth.flow_over", nil)
	}
	ctx = access.With(ctx, access.Actor{Kind: access.BySystem, Name: p.Name, Role: access.Administrator})
	claims, err := s.vouched(ctx, &p, a, in)
	if err != nil {
		return SignedIn{}, s.providerRefused(ctx, &p, User{}, err, in.Peer)
	}
	u, err := s.knownTo(ctx, &p, claims)
	if err != nil {
		return SignedIn{}, s.providerRefused(ctx, &p, u, err, in.Peer)
	}
	via := Via{Way: WayProvider, Provider: p.ID, Subject: claims.Subject, SID: claims.SID, Proved: p.Settings.trusts(claims)}
	if p.Settings.End {
		if via.Hint, err = s.Vault.Seal(ctx, u.ID, []byte(claims.Raw)); err != nil {
			return SignedIn{}, err
		}
	}
	stage, err := s.owes(ctx, u, via, false)
	if err != nil {
		return SignedIn{}, err
	}
	return s.open(ctx, u, opening{workspace: p.Workspace, peer: in.Peer, stage: stage, via: via, detail: map[string]any{"way": WayProvider, "provider": p.Name}})
}

func (s *Service) vouched(ctx context.Context, p *Provider, a asked, in Returning) (Claims, error) {
	switch {
	case in.Issuer != "" && in.Issuer != p.Issuer: // an answer of another provider (RFC 9207)
		return Claims{}, fault.New(fault.Unauthenticated, "auth.provider_token", nil)
	case in.Error != "" || in.Code == "":
		return Claims{}, fault.New(fault.Unauthenticated, "auth.provider_declined", nil)
	}
	secret := ""
	if p.Secret != nil {
		raw, err := s.Vault.Open(ctx, p.ID, p.Secret)
		if err != nil {
			return Claims{}, err
		}
		secret = string(raw)
	}
	return s.Door.Take(ctx, p, secret, DoorAnswer{Redirect: a.Redirect, Code: in.Code, Nonce: a.Nonce, Verifier: a.Verifier})
}

// providerRefused leaves a sign-in through a provider that failed in the trail and the history.
func (s *Service) providerRefused(ctx context.Context, p *Provider, u User, err error, peer Peer) error {
	f, ok := fault.Find(err)
	if !ok {
		return err
	}
	outcome := OutcomeProvider
	if u.Disabled {
		outcome = OutcomeDisabled
	}
	s.refused(ctx, u.Email, "provider", SignInEntry{UserID: u.ID, Outcome: outcome, Way: WayProvider, Peer: peer})
	if noted := s.Record(ctx, Entry{Workspace: p.Workspace, ActorKind: access.BySystem, ActorName: p.Name, Action: "provider.refused", Object: "provider", RecordID: p.ID,
		Detail: map[string]any{"code": f.Code}, Address: peer.Address}); noted != nil {
		return noted
	}
	return err
}

// knownTo finds or makes the person that a provider vouches for, with the role of now. A person who may not come in is returned with
// the fault.
func (s *Service) knownTo(ctx context.Context, p *Provider, c Claims) (User, error) {
	_, domain, _ := strings.Cut(strings.ToLower(c.Email), "@")
	if len(p.Settings.Domains) > 0 && (!c.Verified || !slices.Contains(p.Settings.Domains, domain)) {
		return User{}, fault.New(fault.Forbidden, "auth.provider_domain_closed", nil)
	}
	role, ruled := p.Settings.roleFor(c.Values)
	if ruled && role == "" {
		return User{}, fault.New(fault.Forbidden, "auth.provider_no_role", nil)
	}
	user, linked, err := s.Store.FindLink(ctx, p.ID, c.Subject)
	if err != nil {
		return User{}, err
	}
	if !linked {
		if user, err = s.link(ctx, p, c, role); err != nil {
			return User{}, err
		}
	}
	u, err := s.Store.GetUser(ctx, p.Workspace, user)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return User{}, fault.New(fault.Forbidden, "auth.provider_nobody", nil)
	}
	if err != nil {
		return User{}, err
	}
	if u.Disabled {
		return u, fault.New(fault.Forbidden, "auth.provider_nobody", nil)
	}
	if err := s.Store.PutLink(ctx, p.ID, c.Subject, u.ID, s.Clock.Now()); err != nil {
		return u, err
	}
	if !linked {
		if err := s.noteLink(ctx, p, u); err != nil {
			return u, err
		}
	}
	if !ruled || u.Role == role || u.Role == access.Administrator && u.PasswordHash != "" {
		return u, nil
	}
	return s.follow(ctx, p, u, role)
}

// link finds the person by a verified address, once, or adds them.
func (s *Service) link(ctx context.Context, p *Provider, c Claims, role access.Role) (id.ID, error) {
	if c.Email == "" || !c.Verified || !validEmail(c.Email) {
		return 0, fault.New(fault.Forbidden, "auth.provider_email", nil)
	}
	u, found, err := s.Store.FindUser(ctx, c.Email)
	if err != nil || found {
		return u.ID, err
	}
	if !p.Settings.Create {
		return 0, fault.New(fault.Forbidden, "auth.provider_nobody", nil)
	}
	if role == "" {
		role = p.Settings.Role
	}
	if err := s.Roles(ctx, p.Workspace, role); err != nil {
		if fault.KindOf(err) == fault.Invalid { // the role was removed meanwhile
			return 0, fault.New(fault.Forbidden, "auth.provider_no_role", nil)
		}
		return 0, err
	}
	w, err := s.Workspace(ctx, p.Workspace)
	if err != nil {
		return 0, err
	}
	now, name := s.Clock.Now(), strings.TrimSpace(strings.Map(printable, c.Name))
	if name == "" {
		name, _, _ = strings.Cut(c.Email, "@")
	}
	if utf8.RuneCountInString(name) > 100 {
		name = string([]rune(name)[:100])
	}
	u = User{ID: s.IDs.Next(), Email: c.Email, Name: name, Locale: w.Locale, Theme: "system", Role: role, CreatedAt: now, UpdatedAt: now}
	err = s.Store.CreateUser(ctx, p.Workspace, u)
	if fault.CodeOf(err) == "auth.email_taken" { // another browser of the same person was quicker
		if u, found, err = s.Store.FindUser(ctx, c.Email); err == nil && found {
			return u.ID, nil
		}
	}
	if err != nil {
		return 0, err
	}
	if err := s.Store.SetVerified(ctx, u.ID, now); err != nil {
		return 0, err
	}
	return u.ID, s.Note(ctx, p.Workspace, "user.create", "user", u.ID, map[string]any{"role": role, "provider": p.Name})
}

func printable(r rune) rune {
	if r < ' ' || r == utf8.RuneError {
		return -1
	}
	return r
}

func (s *Service) noteLink(ctx context.Context, p *Provider, u User) error {
	if err := s.Note(ctx, p.Workspace, "provider.link", "user", u.ID, map[string]any{"provider": p.Name}); err != nil {
		return err
	}
	if u.PasswordHash == "" { // the account is the provider's own
		return nil
	}
	return s.tell(ctx, p.Workspace, u, "provider_linked", Peer{})
}

// follow gives a person the role that the provider's values ask for; a workspace keeps its last administrator whatever they say.
func (s *Service) follow(ctx context.Context, p *Provider, u User, role access.Role) (User, error) {
	if err := s.Roles(ctx, p.Workspace, role); err != nil {
		if fault.KindOf(err) == fault.Invalid {
			return u, fault.New(fault.Forbidden, "auth.provider_no_role", nil)
		}
		return u, err
	}
	before := u.Role
	changed, err := s.Store.UpdateUser(ctx, p.Workspace, u.ID, func(x *User) (bool, error) {
		x.Role, x.UpdatedAt = role, s.Clock.Now()
		return true, nil
	}, "")
	if fault.CodeOf(err) == "auth.last_administrator" {
		return u, nil
	}
	if err != nil {
		return u, err
	}
	return changed, s.Note(ctx, p.Workspace, "provider.role", "user", u.ID, map[string]any{"provider": p.Name, "before": before, "role": role})
}

// roleFor is the role of who has values; ruled says that the rules decide, also for who has a role already.
func (x *ProviderSettings) roleFor(values []string) (role access.Role, ruled bool) {
	if len(x.Rules) == 0 {
		return x.Role, false
	}
	for _, r := range x.Rules {
		if slices.Contains(values, r.Value) {
			return r.Role, true
		}
	}
	return x.Role, true
}

// trusts reports whether the provider's second factor counts. The names are those of RFC 8176; mfa says it outright, the others are
// things that a person has or is.
func (x *ProviderSettings) trusts(c Claims) bool {
	switch x.Factor {
	case FactorProvider:
		return true
	case FactorTold:
		return slices.ContainsFunc(c.Methods, func(m string) bool {
			return slices.Contains([]string{"mfa", "otp", "hwk", "swk", "sc", "fpt", "face", "iris", "retina", "vbm"}, m)
		})
	case FactorHere:
	}
	return false
}

// EndAddress is where a browser ends the session at the provider that opened this one, "" where there is none or it does not answer.
func (s *Service) EndAddress(ctx context.Context, who Identity, back string) string {
	if who.Via.Provider == 0 || who.Via.Hint == nil {
		return ""
	}
	p, ok, err := s.Store.FindProvider(ctx, who.Via.Provider)
	if err != nil || !ok || !p.Settings.End {
		return ""
	}
	hint, err := s.Vault.Open(ctx, who.User.ID, who.Via.Hint)
	if err != nil {
		return ""
	}
	to, err := s.Door.End(ctx, &p, string(hint), back)
	if err != nil {
		return ""
	}
	return to
}

// ProviderEnded ends the sessions that a provider tells to be over. Invalid auth.provider_token for a token that does not hold.
func (s *Service) ProviderEnded(ctx context.Context, key id.ID, token string, peer Peer) error {
	p, ok, err := s.Store.FindProvider(ctx, key)
	if err != nil {
		return err
	}
	if !ok || !p.Enabled {
		return fault.New(fault.NotFound, "auth.provider_unknown", nil)
	}
	subject, sid, err := s.Door.Ended(ctx, &p, token)
	if err != nil {
		return fault.InvalidField("auth.provider_token", "logout_token", nil)
	}
	n, err := s.Store.EndProviderSessions(ctx, p.ID, subject, sid)
	if err != nil || n == 0 {
		return err
	}
	user, _, err := s.Store.FindLink(ctx, p.ID, subject)
	if err != nil {
		return err
	}
	return s.Record(ctx, Entry{Workspace: p.Workspace, ActorKind: access.BySystem, ActorName: p.Name, Action: "provider.logout", Object: "user", RecordID: user,
		Detail: map[string]any{"sessions": n}, Address: peer.Address})
}
