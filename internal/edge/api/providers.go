package api

import (
	"context"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// providerRoutes are signing in through providers of identities (OpenID Connect), and their settings.
func (a *API) providerRoutes() []route {
	return []route{
		{method: post, path: "/session/provider/{id}", need: open, run: op(a.askProvider), doc: "The address where the browser asks a provider of identities", secret: true},
		{method: post, path: "/session/provider/finish", need: open, run: op(a.providerSignIn), doc: "Sign in with what the browser brought back from a provider", secret: true},
		{method: post, path: "/session/provider/{id}/logout", need: open, run: op(a.providerEnded), doc: "A provider tells that somebody signed out there (back-channel logout: form with logout_token)", secret: true},
		{method: get, path: "/providers", need: right, right: access.UserManage, run: op(a.listProviders), doc: "Providers of identities of the workspace"},
		{method: post, path: "/providers", need: right, right: access.UserManage, run: op(a.addProvider), doc: "Add a provider of identities; one that is on must answer", status: http.StatusCreated, secret: true},
		{method: post, path: "/providers/look", need: right, right: access.UserManage, run: op(a.lookAtProvider), doc: "Ask a provider what it offers"},
		{method: patch, path: "/providers/{id}", need: right, right: access.UserManage, run: op(a.changeProvider), doc: "Replace the settings of a provider", secret: true},
		{method: del, path: "/providers/{id}", need: right, right: access.UserManage, run: op(a.dropProvider), doc: "Remove a provider; the sessions it opened end"},
	}
}

// returnPath is the page that a browser comes back to from a provider.
const returnPath = "/sign-in/return"

const (
	flowCookie       = "guanxi_flow"
	secureFlowCookie = "__Host-guanxi_flow"
	flowCookieLife   = 15 * 60 // seconds
)

// browserSecret is what tells this browser apart from others while it is at a provider; a second tab shares it.
func (a *API) browserSecret(c *call) string {
	name := flowCookie
	if a.https(c.r) {
		name = secureFlowCookie
	}
	value := ""
	if k, err := c.r.Cookie(name); err == nil && len(k.Value) == 43 {
		value = k.Value
	} else {
		value = auth.NewSecret()
	}
	http.SetCookie(c.w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: name == secureFlowCookie, SameSite: http.SameSiteLaxMode, MaxAge: flowCookieLife})
	return value
}

func (a *API) shownSecret(c *call) string {
	for _, name := range []string{secureFlowCookie, flowCookie} {
		if k, err := c.r.Cookie(name); err == nil {
			return k.Value
		}
	}
	return ""
}

// ProviderAddress is where the browser goes.
type ProviderAddress struct {
	URL string `json:"url"`
}

func providerID(text string) (id.ID, error) {
	key, err := id.Parse(auth.ProviderPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "auth.provider_unknown", nil)
	}
	return key, nil
}

func (a *API) askProvider(ctx context.Context, c *call, in idIn) (ProviderAddress, error) {
	key, err := providerID(in.ID)
	if err != nil {
		return ProviderAddress{}, err
	}
	to, err := a.Auth.AskProvider(ctx, key, a.base(c)+returnPath, a.browserSecret(c))
	return ProviderAddress{to}, err
}

type returningIn struct {
	Body struct {
		State  string `json:"state"`
		Code   string `json:"code,omitempty"`
		Issuer string `json:"iss,omitempty"`
		Error  string `json:"error,omitempty"`
	}
}

func (a *API) providerSignIn(ctx context.Context, c *call, in returningIn) (Me, error) {
	b := in.Body
	s, err := a.Auth.ProviderSignIn(ctx, auth.Returning{Browser: a.shownSecret(c), State: b.State, Code: b.Code, Issuer: b.Issuer, Error: b.Error, Peer: c.peer()})
	if err != nil {
		return Me{}, err
	}
	if err := a.endEarlier(ctx, c); err != nil {
		return Me{}, err
	}
	return a.goOn(c, s, nil)
}

const logoutMost = 128 << 10 // bytes of a form

// providerEnded is called by the provider itself, with a form; its signature says who it is.
func (a *API) providerEnded(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := providerID(in.ID)
	if err != nil {
		return empty{}, err
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, logoutMost)
	if err := c.r.ParseForm(); err != nil {
		return empty{}, fault.InvalidField("auth.provider_token", "logout_token", nil)
	}
	return empty{}, a.Auth.ProviderEnded(ctx, key, c.r.PostForm.Get("logout_token"), c.peer())
}

// ProviderButton is a way to sign in.
type ProviderButton struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ProviderRule gives a role to who has a value in the claim.
type ProviderRule struct {
	Value string      `json:"value"`
	Role  access.Role `json:"role"`
}

// ProviderShape is what an administrator says about a provider.
type ProviderShape struct {
	Name    string           `json:"name" doc:"on the button of the page for signing in"`
	Issuer  string           `json:"issuer" doc:"as the provider names itself, to the letter"`
	Client  string           `json:"client" doc:"the client id"`
	Scopes  []string         `json:"scopes,omitempty" doc:"openid is always asked for"`
	Domains []string         `json:"domains,omitempty" doc:"of addresses that may come in; none for all"`
	Create  bool             `json:"create" doc:"people without an account are added"`
	Role    access.Role      `json:"role,omitempty" doc:"of people who are added, and where no rule fits"`
	Claim   string           `json:"claim,omitempty" doc:"that holds groups; with dots for members of members"`
	Rules   []ProviderRule   `json:"rules,omitempty" doc:"the first that fits gives the role, at each sign-in"`
	Factor  auth.FactorTrust `json:"factor,omitempty" enum:"here,provider,told" doc:"whose second factor counts: ours, the provider's, the provider's where its token tells of one (amr)"`
	End     bool             `json:"end" doc:"signing out here signs out there"`
	Enabled bool             `json:"enabled"`
}

// ProviderInfo is a provider as it is shown; its secret is not.
type ProviderInfo struct {
	ID string `json:"id"`
	ProviderShape
	Secret    bool      `json:"secret" doc:"a secret is stored"`
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ProviderList is the providers of a workspace, and what they are told about this program.
type ProviderList struct {
	Items    []ProviderInfo `json:"items"`
	Redirect string         `json:"redirect" doc:"the address that a provider must allow to come back to"`
	Logout   string         `json:"logout" doc:"where a provider tells of signing out, with the id of the provider in place of {id}"`
}

func showProvider(p auth.Provider) ProviderInfo {
	x := p.Settings
	out := ProviderInfo{ID: id.Format(auth.ProviderPrefix, p.ID), Secret: p.Secret != nil, Version: p.Version, UpdatedAt: p.UpdatedAt.UTC(), ProviderShape: ProviderShape{Name: p.Name, Issuer: p.Issuer,
		Client: p.Client, Scopes: x.Scopes, Domains: x.Domains, Create: x.Create, Role: x.Role, Claim: x.Claim, Rules: []ProviderRule{}, Factor: x.Factor, End: x.End, Enabled: p.Enabled}}
	for _, r := range x.Rules {
		out.Rules = append(out.Rules, ProviderRule(r))
	}
	return out
}

func (s *ProviderShape) entered(secret *string) auth.NewProvider {
	out := auth.NewProvider{Name: s.Name, Issuer: s.Issuer, Client: s.Client, Secret: secret, Enabled: s.Enabled,
		Settings: auth.ProviderSettings{Scopes: s.Scopes, Domains: s.Domains, Create: s.Create, Role: s.Role, Claim: s.Claim, Rules: []auth.RoleRule{}, Factor: s.Factor, End: s.End}}
	for _, r := range s.Rules {
		out.Settings.Rules = append(out.Settings.Rules, auth.RoleRule(r))
	}
	return out
}

func (a *API) listProviders(ctx context.Context, c *call, _ struct{}) (ProviderList, error) {
	list, err := a.Auth.Providers(ctx, c.who.Workspace.Key)
	base := a.base(c)
	out := ProviderList{Items: []ProviderInfo{}, Redirect: base + returnPath, Logout: base + Prefix + "/session/provider/{id}/logout"}
	for _, p := range list {
		out.Items = append(out.Items, showProvider(p))
	}
	return out, err
}

type addProviderIn struct {
	Body struct {
		ProviderShape
		Secret *string `json:"secret,omitempty" doc:"the client secret; without one the client is public"`
	}
}

func (a *API) addProvider(ctx context.Context, c *call, in addProviderIn) (ProviderInfo, error) {
	p, err := a.Auth.AddProvider(ctx, c.who.Workspace.Key, in.Body.entered(in.Body.Secret))
	if err != nil {
		return ProviderInfo{}, err
	}
	return showProvider(p), nil
}

type changeProviderIn struct {
	ID   string `path:"id"`
	Body struct {
		ProviderShape
		Secret  *string `json:"secret,omitempty" doc:"left out, the stored one stays; empty makes the client public"`
		Version int64   `json:"version" doc:"that was read"`
	}
}

func (a *API) changeProvider(ctx context.Context, c *call, in changeProviderIn) (ProviderInfo, error) {
	key, err := providerID(in.ID)
	if err != nil {
		return ProviderInfo{}, err
	}
	p, err := a.Auth.ChangeProvider(ctx, c.who.Workspace.Key, key, in.Body.Version, in.Body.entered(in.Body.Secret))
	if err != nil {
		return ProviderInfo{}, err
	}
	return showProvider(p), nil
}

func (a *API) dropProvider(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := providerID(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.DropProvider(ctx, c.who.Workspace.Key, key)
}

type lookIn struct {
	Body struct {
		Issuer string `json:"issuer"`
	}
}

// ProviderSigns are what a provider offers.
type ProviderSigns struct {
	Issuer string `json:"issuer"`
	End    bool   `json:"end" doc:"signing out here can sign out there"`
	Told   bool   `json:"told" doc:"it tells when somebody signs out there"`
}

func (a *API) lookAtProvider(ctx context.Context, c *call, in lookIn) (ProviderSigns, error) {
	s, err := a.Auth.LookAtProvider(ctx, c.who.Workspace.Key, in.Body.Issuer)
	return ProviderSigns(s), err
}
