// Package oidc speaks OpenID Connect with providers of identities: discovery, the authorisation code with PKCE, the check of tokens,
// and signing out at both ends. It implements auth.Door.
//
// Guarantees. Only what the guard allows is reached, no redirect is followed, and an answer has at most a megabyte. The issuer of a
// discovery document and of a token is the configured one, to the letter. A token counts when its signature holds with a key of the
// provider, by an algorithm that the provider names and that is no shared secret, its audience is the client, its nonce the one that
// was sent, and its time is now. Addresses count as verified when the provider says so, never otherwise.
//
// It knows neither people nor sessions.
package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

const (
	timeout    = 10 * time.Second
	answerMost = 1 << 20   // bytes
	keepFor    = time.Hour // what a provider says of itself
	mostKept   = 100
	mostValues = 1000
)

// Client implements auth.Door. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	clock clock.Clock

	mu   sync.Mutex
	kept map[string]known
}

type known struct {
	provider *oidc.Provider
	at       time.Time
}

var _ auth.Door = (*Client)(nil)

// New makes a client that reaches what the guard allows.
func New(guard *httpc.Guard, o httpc.Options, c clock.Clock) *Client {
	o.Timeout = timeout
	plain := guard.Client(o)
	return &Client{http: &http.Client{Timeout: timeout, CheckRedirect: plain.CheckRedirect, Transport: bounded{plain.Transport}}, clock: c, kept: map[string]known{}}
}

// bounded cuts answers off.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, answerMost), res.Body}
	}
	return res, err
}

func (c *Client) context(ctx context.Context) context.Context { return oidc.ClientContext(ctx, c.http) }

// signs is what a discovery document tells beside what the library reads.
type signs struct {
	Issuer        string   `json:"issuer"`
	Authorisation string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	End           string   `json:"end_session_endpoint"`
	Told          bool     `json:"backchannel_logout_supported"`
	Shown         []string `json:"token_endpoint_auth_methods_supported"`
}

// find reads the discovery document of a provider, or has it from less than an hour ago.
func (c *Client) find(ctx context.Context, issuer string, fresh bool) (*oidc.Provider, signs, error) {
	now := c.clock.Now()
	c.mu.Lock()
	k, ok := c.kept[issuer]
	c.mu.Unlock()
	if !ok || fresh || now.Sub(k.at) > keepFor {
		p, err := oidc.NewProvider(c.context(ctx), issuer)
		if err != nil {
			return nil, signs{}, reason(err)
		}
		k = known{p, now}
		c.mu.Lock()
		if len(c.kept) >= mostKept {
			c.kept = map[string]known{}
		}
		c.kept[issuer] = k
		c.mu.Unlock()
	}
	var s signs
	if err := k.provider.Claims(&s); err != nil {
		return nil, s, reason(err)
	}
	for _, address := range []string{s.Authorisation, s.Token, s.Keys} {
		if !web(address) {
			return nil, s, fault.InvalidField("auth.provider_incomplete", "issuer", nil)
		}
	}
	return k.provider, s, nil
}

func web(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// reason is what a person can do about a provider that does not answer as it should.
func reason(err error) error {
	var refused *httpc.Refused
	var other *oidc.IssuerMismatchError
	switch {
	case errors.As(err, &refused):
		return fault.InvalidField("auth.provider_private", "issuer", nil)
	case errors.As(err, &other):
		return fault.InvalidField("auth.provider_issuer", "issuer", fault.Params{"found": cut(other.Discovered, 200)})
	}
	return &fault.Fault{Kind: fault.Invalid, Code: "auth.provider_unreachable", Field: "issuer", Cause: err}
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// Look implements auth.Door.
func (c *Client) Look(ctx context.Context, p *auth.Provider) (auth.DoorSigns, error) {
	_, s, err := c.find(ctx, p.Issuer, true)
	return auth.DoorSigns{Issuer: s.Issuer, End: web(s.End), Told: s.Told}, err
}

// configuration is of one exchange. How the secret is shown is chosen by what the provider says, in the header where it says nothing:
// a code is good once, so that there is no second try.
func configuration(p *auth.Provider, at *oidc.Provider, s signs, secret, redirect string) *oauth2.Config {
	end := at.Endpoint()
	end.AuthStyle = oauth2.AuthStyleInHeader
	if secret == "" || len(s.Shown) > 0 && !slices.Contains(s.Shown, "client_secret_basic") {
		end.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{ClientID: p.Client, ClientSecret: secret, Endpoint: end, RedirectURL: redirect, Scopes: p.Settings.Scopes}
}

// Ask implements auth.Door.
func (c *Client) Ask(ctx context.Context, p *auth.Provider, in auth.DoorAsk) (string, error) {
	at, s, err := c.find(ctx, p.Issuer, false)
	if err != nil {
		return "", err
	}
	return configuration(p, at, s, "", in.Redirect).AuthCodeURL(in.State, oidc.Nonce(in.Nonce), oauth2.S256ChallengeOption(in.Verifier)), nil
}

func wrong(err error) error {
	return fault.Wrap(fault.Unauthenticated, "auth.provider_token", err)
}

// Take implements auth.Door.
func (c *Client) Take(ctx context.Context, p *auth.Provider, secret string, in auth.DoorAnswer) (auth.Claims, error) {
	at, s, err := c.find(ctx, p.Issuer, false)
	if err != nil {
		return auth.Claims{}, err
	}
	ctx = c.context(ctx)
	token, err := configuration(p, at, s, secret, in.Redirect).Exchange(ctx, in.Code, oauth2.VerifierOption(in.Verifier))
	if err != nil {
		return auth.Claims{}, wrong(fmt.Errorf("exchange the code: %w", err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok || len(raw) > 64<<10 {
		return auth.Claims{}, wrong(errors.New("no identity in the answer"))
	}
	checked, err := c.verifier(p, at).Verify(ctx, raw)
	if err != nil {
		return auth.Claims{}, wrong(err)
	}
	if checked.Nonce != in.Nonce || checked.Subject == "" || len(checked.Subject) > 255 {
		return auth.Claims{}, wrong(errors.New("another nonce, or no subject"))
	}
	if checked.AccessTokenHash != "" {
		if err := checked.VerifyAccessToken(token.AccessToken); err != nil {
			return auth.Claims{}, wrong(err)
		}
	}
	all := map[string]any{}
	if err := checked.Claims(&all); err != nil {
		return auth.Claims{}, wrong(err)
	}
	if party, given := all["azp"].(string); len(checked.Audience) > 1 && party != p.Client || given && party != p.Client {
		return auth.Claims{}, wrong(errors.New("made for another client"))
	}
	if lacks(all, p.Settings.Claim) && at.UserInfoEndpoint() != "" {
		if err := c.more(ctx, at, token, all); err != nil {
			return auth.Claims{}, err
		}
	}
	return claimsOf(all, p.Settings.Claim, raw), nil
}

func (c *Client) verifier(p *auth.Provider, at *oidc.Provider) *oidc.IDTokenVerifier {
	return at.Verifier(&oidc.Config{ClientID: p.Client, Now: c.clock.Now})
}

func lacks(all map[string]any, claim string) bool {
	text, _ := all["email"].(string)
	return text == "" || claim != "" && inside(all, claim) == nil
}

// more adds what the provider tells of the person only when it is asked: what the token says stays.
func (c *Client) more(ctx context.Context, at *oidc.Provider, token *oauth2.Token, all map[string]any) error {
	info, err := at.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return wrong(err)
	}
	told := map[string]any{}
	if err := info.Claims(&told); err != nil {
		return wrong(err)
	}
	if told["sub"] != all["sub"] { // OpenID Connect Core, 5.3.2
		return wrong(errors.New("told of another person"))
	}
	if _, has := all["email"]; has { // an address and its proof come from one place
		delete(told, "email_verified")
		delete(told, "xms_edov")
	}
	for k, v := range told {
		if _, has := all[k]; !has {
			all[k] = v
		}
	}
	return nil
}

func claimsOf(all map[string]any, claim, raw string) auth.Claims {
	text := func(key string) string {
		v, _ := all[key].(string)
		return v
	}
	out := auth.Claims{Subject: text("sub"), Email: strings.TrimSpace(text("email")), Name: text("name"), SID: text("sid"), Methods: words(all["amr"]), Raw: raw}
	out.Verified = yes(all["email_verified"]) || yes(all["xms_edov"]) // the latter is what Microsoft Entra ID calls it
	if claim != "" {
		out.Values = words(inside(all, claim))
	}
	return out
}

func yes(v any) bool {
	return v == true || v == "true" || v == "1" || v == float64(1)
}

// inside finds a claim by its name, or member by member: "realm_access.roles".
func inside(all map[string]any, claim string) any {
	if v, ok := all[claim]; ok {
		return v
	}
	head, rest, ok := strings.Cut(claim, ".")
	if !ok {
		return nil
	}
	deeper, _ := all[head].(map[string]any)
	if deeper == nil {
		return nil
	}
	return inside(deeper, rest)
}

// words are the texts of a claim: one, or a list.
func words(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		var out []string
		for _, e := range x {
			if s, ok := e.(string); ok && len(out) < mostValues {
				out = append(out, s)
			}
		}
		return out
	case bool, float64, json.Number:
		return []string{fmt.Sprint(x)}
	}
	return nil
}

// End implements auth.Door.
func (c *Client) End(ctx context.Context, p *auth.Provider, hint, back string) (string, error) {
	_, s, err := c.find(ctx, p.Issuer, false)
	if err != nil || !web(s.End) {
		return "", err
	}
	u, err := url.Parse(s.End)
	if err != nil {
		return "", reason(err)
	}
	q := u.Query()
	q.Set("id_token_hint", hint)
	q.Set("client_id", p.Client)
	q.Set("post_logout_redirect_uri", back)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Ended implements auth.Door.
func (c *Client) Ended(ctx context.Context, p *auth.Provider, token string) (subject, sid string, err error) {
	if token == "" || len(token) > 64<<10 {
		return "", "", wrong(errors.New("no token"))
	}
	at, _, err := c.find(ctx, p.Issuer, false)
	if err != nil {
		return "", "", err
	}
	t, err := c.verifier(p, at).VerifyLogout(c.context(ctx), token)
	if err != nil {
		return "", "", wrong(err)
	}
	now := c.clock.Now()
	if t.Issuer != p.Issuer || !slices.Contains(t.Audience, p.Client) || t.Expiry.Before(now) || t.IssuedAt.After(now.Add(time.Minute)) || now.Sub(t.IssuedAt) > tokenAge {
		return "", "", wrong(errors.New("the token is another's, or old"))
	}
	return t.Subject, t.SessionID, nil
}

// tokenAge is how long ago a provider may have told that somebody signed out.
const tokenAge = 5 * time.Minute
