package auth

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// ProviderPrefix is the prefix of printed ids of providers.
const ProviderPrefix = "idp"

// Provider is who vouches for people of a workspace (OpenID Connect). What it opens reaches that workspace alone.
type Provider struct {
	ID        id.ID
	Workspace string
	Name      string // on the button
	Issuer    string // as the provider names itself, to the letter
	Client    string // this program's name at the provider
	Secret    []byte // sealed; nil for a public client
	Settings  ProviderSettings
	Enabled   bool
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ProviderSettings are how a provider is asked and what its word is worth.
type ProviderSettings struct {
	Scopes  []string    `json:"scopes"`  // openid is always among them
	Domains []string    `json:"domains"` // of addresses that may come in; none for all
	Create  bool        `json:"create"`  // people without an account are added
	Role    access.Role `json:"role"`    // where no rule fits; "" lets nobody in who has no fitting value
	Claim   string      `json:"claim"`   // that holds groups, with dots for members of members; "" for no rules
	Rules   []RoleRule  `json:"rules"`   // the first that fits counts, at each sign-in
	Factor  FactorTrust `json:"factor"`
	End     bool        `json:"end"` // signing out here signs out there
}

// RoleRule gives a role to who has a value in the claim.
type RoleRule struct {
	Value string      `json:"value"`
	Role  access.Role `json:"role"`
}

// FactorTrust says whose second factor counts.
type FactorTrust string

// The kinds of trust.
const (
	FactorHere     FactorTrust = "here"     // ours is asked
	FactorProvider FactorTrust = "provider" // the provider's counts, always
	FactorTold     FactorTrust = "told"     // the provider's counts where its token tells of one (amr)
)

// Providers stores providers and whom they vouch for.
type Providers interface {
	CreateProvider(ctx context.Context, p Provider) error
	// UpdateProvider replaces one whose version is p.Version-1; Conflict auth.provider_changed.
	UpdateProvider(ctx context.Context, p Provider) error
	// DeleteProvider removes one with its links and ends the sessions it opened; NotFound auth.provider_unknown.
	DeleteProvider(ctx context.Context, workspace string, provider id.ID) error
	// FindProvider finds one of any workspace.
	FindProvider(ctx context.Context, provider id.ID) (Provider, bool, error)
	// ListProviders are those of a workspace, of all for "", the oldest first.
	ListProviders(ctx context.Context, workspace string) ([]Provider, error)
	SetProviderOnly(ctx context.Context, workspace string, only bool) error
	// FindLink finds the person that a provider's subject is.
	FindLink(ctx context.Context, provider id.ID, subject string) (id.ID, bool, error)
	// PutLink stores who a subject is, or that it came in again.
	PutLink(ctx context.Context, provider id.ID, subject string, user id.ID, at time.Time) error
	// EndProviderSessions ends what a provider opened for a subject, or for one of its sessions, and counts it.
	EndProviderSessions(ctx context.Context, provider id.ID, subject, sid string) (int, error)
}

// Claims are what a provider vouches for, checked.
type Claims struct {
	Subject  string
	Email    string
	Verified bool // the provider says that the address is the person's
	Name     string
	Values   []string // of the claim asked for
	SID      string
	Methods  []string // amr
	Raw      string   // the token itself
}

// DoorAsk is what a browser takes to a provider.
type DoorAsk struct{ Redirect, State, Nonce, Verifier string }

// DoorAnswer is what it brings back.
type DoorAnswer struct{ Redirect, Code, Nonce, Verifier string }

// Door speaks with providers; platform/oidc implements it. Faults: auth.provider_private, auth.provider_issuer,
// auth.provider_unreachable, auth.provider_incomplete for one that cannot be asked, auth.provider_token for an answer that does not hold.
type Door interface {
	// Look reads what a provider says of itself.
	Look(ctx context.Context, p *Provider) (DoorSigns, error)
	// Ask is the address where the browser asks.
	Ask(ctx context.Context, p *Provider, in DoorAsk) (string, error)
	// Take exchanges the answer's code and checks the token.
	Take(ctx context.Context, p *Provider, secret string, in DoorAnswer) (Claims, error)
	// End is the address where the browser signs out; "" where the provider offers none.
	End(ctx context.Context, p *Provider, hint, back string) (string, error)
	// Ended checks a token by which a provider tells that somebody signed out there.
	Ended(ctx context.Context, p *Provider, token string) (subject, sid string, err error)
}

// DoorSigns are what a provider offers.
type DoorSigns struct {
	Issuer string
	End    bool // signing out by the browser
	Told   bool // signing out told behind the browser
}

const (
	mostProviders = 10
	mostRules     = 50
	mostDomains   = 50
)

var (
	domainShape = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$`)
	scopeShape  = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]{1,100}$`)
	claimShape  = regexp.MustCompile(`^[^\s]{1,200}$`)
)

// NewProvider is what an administrator enters. Secret nil leaves the stored one; "" makes the client public.
type NewProvider struct {
	Name, Issuer, Client string
	Secret               *string
	Settings             ProviderSettings
	Enabled              bool
}

// governs refuses who could not make an administrator: a provider may vouch for one.
func (s *Service) governs(ctx context.Context, workspace string) error {
	return s.Roles(ctx, workspace, access.Administrator)
}

func (s *Service) checkProvider(ctx context.Context, workspace string, in *NewProvider) error {
	var items []*fault.Fault
	bad := func(code, field string, params fault.Params) {
		items = append(items, fault.InvalidField(code, field, params))
	}
	in.Name, in.Issuer, in.Client = strings.TrimSpace(in.Name), strings.TrimSpace(in.Issuer), strings.TrimSpace(in.Client)
	if n := utf8.RuneCountInString(in.Name); n == 0 || n > 60 {
		bad("auth.name_length", "name", fault.Params{"max": 60})
	}
	u, err := url.Parse(in.Issuer)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(in.Issuer) > 500 {
		bad("auth.provider_address", "issuer", nil)
	}
	if in.Client == "" || len(in.Client) > 300 {
		bad("auth.provider_client", "client", nil)
	}
	if in.Secret != nil && len(*in.Secret) > 2000 {
		bad("auth.provider_secret", "secret", nil)
	}
	x := &in.Settings
	x.Scopes = clean(x.Scopes, func(v string) string { return v })
	if !slices.Contains(x.Scopes, "openid") {
		x.Scopes = append([]string{"openid"}, x.Scopes...)
	}
	if len(x.Scopes) > 20 || slices.ContainsFunc(x.Scopes, func(v string) bool { return !scopeShape.MatchString(v) }) {
		bad("auth.provider_scope", "scopes", nil)
	}
	x.Domains = clean(x.Domains, func(v string) string { return strings.ToLower(strings.TrimPrefix(v, "@")) })
	if len(x.Domains) > mostDomains || slices.ContainsFunc(x.Domains, func(v string) bool { return !domainShape.MatchString(v) }) {
		bad("auth.provider_domain", "domains", nil)
	}
	if x.Factor == "" {
		x.Factor = FactorHere
	}
	if !slices.Contains([]FactorTrust{FactorHere, FactorProvider, FactorTold}, x.Factor) {
		bad("auth.provider_factor", "factor", nil)
	}
	x.Claim = strings.TrimSpace(x.Claim)
	if x.Claim != "" && !claimShape.MatchString(x.Claim) || x.Claim == "" && len(x.Rules) > 0 {
		bad("auth.provider_claim", "claim", nil)
	}
	if len(x.Rules) > mostRules {
		bad("auth.provider_rules", "rules", fault.Params{"max": mostRules})
	}
	if x.Create && x.Role == "" && len(x.Rules) == 0 {
		bad("auth.provider_role", "role", nil)
	}
	if f := fault.Join("api.invalid", items); f != nil {
		return f
	}
	if x.Role != "" {
		if err := s.Roles(ctx, workspace, x.Role); err != nil {
			return atField(err, "role")
		}
	}
	for i := range x.Rules {
		r := &x.Rules[i]
		if r.Value = strings.TrimSpace(r.Value); r.Value == "" || len(r.Value) > 300 {
			return fault.InvalidField("auth.provider_value", "rules", nil)
		}
		if err := s.Roles(ctx, workspace, r.Role); err != nil {
			return atField(err, "rules")
		}
	}
	return nil
}

func atField(err error, field string) error {
	if f, ok := fault.Find(err); ok && f.Kind == fault.Invalid {
		return fault.InvalidField(f.Code, field, f.Params)
	}
	return err
}

func clean(list []string, fold func(string) string) []string {
	out := []string{}
	for _, v := range list {
		if v = fold(strings.TrimSpace(v)); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// Providers are those of a workspace.
func (s *Service) Providers(ctx context.Context, workspace string) ([]Provider, error) {
	return s.Store.ListProviders(ctx, workspace)
}

// provider finds one of a workspace; NotFound auth.provider_unknown.
func (s *Service) provider(ctx context.Context, workspace string, key id.ID) (Provider, error) {
	p, ok, err := s.Store.FindProvider(ctx, key)
	if err == nil && (!ok || p.Workspace != workspace) {
		err = fault.New(fault.NotFound, "auth.provider_unknown", nil)
	}
	return p, err
}

// LookAtProvider asks a provider what it offers, before it is saved.
func (s *Service) LookAtProvider(ctx context.Context, workspace, issuer string) (DoorSigns, error) {
	if err := s.governs(ctx, workspace); err != nil {
		return DoorSigns{}, err
	}
	u, err := url.Parse(strings.TrimSpace(issuer))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return DoorSigns{}, fault.InvalidField("auth.provider_address", "issuer", nil)
	}
	return s.Door.Look(ctx, &Provider{Issuer: strings.TrimSpace(issuer)})
}

// AddProvider stores a provider; one that is switched on must answer. Faults: Invalid by field, Forbidden for who could not make an
// administrator, Conflict auth.provider_many.
func (s *Service) AddProvider(ctx context.Context, workspace string, in NewProvider) (Provider, error) {
	if err := s.governs(ctx, workspace); err != nil {
		return Provider{}, err
	}
	if err := s.checkProvider(ctx, workspace, &in); err != nil {
		return Provider{}, err
	}
	list, err := s.Store.ListProviders(ctx, workspace)
	if err != nil {
		return Provider{}, err
	}
	if len(list) >= mostProviders {
		return Provider{}, fault.New(fault.Conflict, "auth.provider_many", fault.Params{"max": mostProviders})
	}
	now := s.Clock.Now()
	p := Provider{ID: s.IDs.Next(), Workspace: workspace, CreatedAt: now, Version: 1}
	if err := s.fill(ctx, &p, in, now); err != nil {
		return Provider{}, err
	}
	if err := s.Store.CreateProvider(ctx, p); err != nil {
		return Provider{}, err
	}
	return p, s.Note(ctx, workspace, "provider.create", "provider", p.ID, providerDetail(&p))
}

// ChangeProvider replaces the settings of a provider; version is the one that was read. The last one that is on stays on while
// people of the workspace sign in through providers alone: Conflict auth.provider_last.
func (s *Service) ChangeProvider(ctx context.Context, workspace string, key id.ID, version int64, in NewProvider) (Provider, error) {
	if err := s.governs(ctx, workspace); err != nil {
		return Provider{}, err
	}
	p, err := s.provider(ctx, workspace, key)
	if err != nil {
		return Provider{}, err
	}
	if version != p.Version {
		return Provider{}, fault.New(fault.Conflict, "auth.provider_changed", nil)
	}
	if err := s.checkProvider(ctx, workspace, &in); err != nil {
		return Provider{}, err
	}
	if !in.Enabled {
		if err := s.notLast(ctx, workspace, key); err != nil {
			return Provider{}, err
		}
	}
	if in.Issuer != p.Issuer { // subjects are the issuer's: another one's say nothing about who was linked
		return Provider{}, fault.InvalidField("auth.provider_moved", "issuer", nil)
	}
	if err := s.fill(ctx, &p, in, s.Clock.Now()); err != nil {
		return Provider{}, err
	}
	p.Version++
	if err := s.Store.UpdateProvider(ctx, p); err != nil {
		return Provider{}, err
	}
	return p, s.Note(ctx, workspace, "provider.update", "provider", p.ID, providerDetail(&p))
}

func (s *Service) fill(ctx context.Context, p *Provider, in NewProvider, now time.Time) error {
	p.Name, p.Issuer, p.Client, p.Settings, p.Enabled, p.UpdatedAt = in.Name, in.Issuer, in.Client, in.Settings, in.Enabled, now
	if in.Secret != nil {
		p.Secret = nil
		if *in.Secret != "" {
			var err error
			if p.Secret, err = s.Vault.Seal(ctx, p.ID, []byte(*in.Secret)); err != nil {
				return err
			}
		}
	}
	if !p.Enabled {
		return nil
	}
	_, err := s.Door.Look(ctx, p)
	return err
}

func providerDetail(p *Provider) map[string]any {
	return map[string]any{"name": p.Name, "enabled": p.Enabled, "create": p.Settings.Create, "rules": len(p.Settings.Rules), "factor": p.Settings.Factor}
}

// DropProvider removes a provider, with its links and sessions. Faults as of ChangeProvider.
func (s *Service) DropProvider(ctx context.Context, workspace string, key id.ID) error {
	if err := s.governs(ctx, workspace); err != nil {
		return err
	}
	p, err := s.provider(ctx, workspace, key)
	if err != nil {
		return err
	}
	if err := s.notLast(ctx, workspace, key); err != nil {
		return err
	}
	if err := s.Store.DeleteProvider(ctx, workspace, key); err != nil {
		return err
	}
	return s.Note(ctx, workspace, "provider.delete", "provider", key, map[string]any{"name": p.Name})
}

func (s *Service) notLast(ctx context.Context, workspace string, key id.ID) error {
	w, err := s.Workspace(ctx, workspace)
	if err != nil || !w.ProviderOnly {
		return err
	}
	list, err := s.Store.ListProviders(ctx, workspace)
	if err == nil && !slices.ContainsFunc(list, func(p Provider) bool { return p.Enabled && p.ID != key }) {
		err = fault.New(fault.Conflict, "auth.provider_last", nil)
	}
	return err
}

// RequireProvider says whether people of a workspace sign in through a provider alone. Administrators keep their passwords and
// passkeys, for the day when the provider fails: it is turned on only where a provider is on and an administrator has a password.
func (s *Service) RequireProvider(ctx context.Context, workspace string, only bool) error {
	if err := s.governs(ctx, workspace); err != nil {
		return err
	}
	if only {
		list, err := s.Store.ListProviders(ctx, workspace)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(p Provider) bool { return p.Enabled }) {
			return fault.InvalidField("auth.provider_none", "provider_only", nil)
		}
		people, err := s.Store.ListUsers(ctx, workspace)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(people, func(u User) bool {
			return u.Role == access.Administrator && !u.Disabled && u.PasswordHash != ""
		}) {
			return fault.InvalidField("auth.provider_glass", "provider_only", nil)
		}
	}
	if err := s.Store.SetProviderOnly(ctx, workspace, only); err != nil {
		return err
	}
	return s.Note(ctx, workspace, "security.update", "", 0, map[string]any{"provider_only": only})
}
