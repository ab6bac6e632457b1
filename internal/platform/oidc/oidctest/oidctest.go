// Package oidctest is a small provider of identities for tests: discovery, keys, authorisation with a page and a button, tokens against
// codes with PKCE, user information, and signing out at both ends. It is real on the wire and keeps everything in memory; it checks what
// a client sends as a strict provider does, and can be told to answer wrongly.
package oidctest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// Provider is the provider. Its fields are set before it is asked; Mu guards them afterwards.
type Provider struct {
	Mu sync.Mutex
	// Issuer is its own address, without a slash behind.
	Issuer string
	// Client and Secret are those of the one client; Redirect is where it may come back to, "" for anywhere.
	Client, Secret, Redirect string
	// Person are the claims of who signs in.
	Person map[string]any
	// Behind are claims that only the user information tells.
	Behind map[string]any
	// Wrong changes the claims of tokens.
	Wrong map[string]any
	// Forged signs with a key that is not published.
	Forged bool
	// Page asks for a press of a button before it goes on.
	Page bool
	// Declines sends the browser back without a code.
	Declines   bool
	clock      clock.Clock
	key, other *rsa.PrivateKey
	codes      map[string]asked
	tokens     map[string]map[string]any
	Signed     string // the last identity token
	Ended      url.Values
}

type asked struct {
	challenge, redirect, nonce string
	person                     map[string]any
}

// New makes a provider with keys of its own.
func New(issuer, client, secret string, c clock.Clock) (*Provider, error) {
	p := &Provider{Issuer: issuer, Client: client, Secret: secret, clock: c, codes: map[string]asked{}, tokens: map[string]map[string]any{}}
	var err error
	if p.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	p.other, err = rsa.GenerateKey(rand.Reader, 2048)
	return p, err
}

var text = base64.RawURLEncoding

// Sign makes a token of claims.
func (p *Provider) Sign(claims map[string]any, kind string) string {
	head, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": "one", "typ": kind})
	body, _ := json.Marshal(claims)
	input := text.EncodeToString(head) + "." + text.EncodeToString(body)
	sum := sha256.Sum256([]byte(input))
	key := p.key
	if p.Forged {
		key = p.other
	}
	sig, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return input + "." + text.EncodeToString(sig)
}

// Logout is the token by which it tells that a subject, or one of its sessions, is over.
func (p *Provider) Logout(subject, sid string) string {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	c := map[string]any{"iss": p.Issuer, "aud": p.Client, "iat": p.clock.Now().Unix(), "exp": p.clock.Now().Add(2 * time.Minute).Unix(), "jti": rand.Text(), "sub": subject,
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
	if sid != "" {
		c["sid"] = sid
	}
	maps.Copy(c, p.Wrong)
	return p.Sign(c, "logout+jwt")
}

// ServeHTTP answers.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer(w, 200, map[string]any{"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token", "jwks_uri": p.Issuer + "/keys",
			"userinfo_endpoint": p.Issuer + "/userinfo", "end_session_endpoint": p.Issuer + "/end", "backchannel_logout_supported": true,
			"response_types_supported": []string{"code"}, "id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"}})
	case "/keys":
		answer(w, 200, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256", "n": text.EncodeToString(p.key.N.Bytes()),
			"e": text.EncodeToString(big.NewInt(int64(p.key.E)).Bytes())}}})
	case "/authorize":
		p.authorize(w, r)
	case "/token":
		p.token(w, r)
	case "/userinfo":
		person, ok := p.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		if !ok {
			answer(w, 401, map[string]any{"error": "invalid_token"})
			return
		}
		all := map[string]any{"sub": person["sub"]}
		maps.Copy(all, p.Behind)
		answer(w, 200, all)
	case "/end":
		p.Ended = r.URL.Query()
		http.Redirect(w, r, p.Ended.Get("post_logout_redirect_uri"), http.StatusFound)
	case "/tell": // a test changes who signs in
		p.Person = map[string]any{}
		if err := json.NewDecoder(r.Body).Decode(&p.Person); err != nil {
			answer(w, 400, map[string]any{"error": err.Error()})
			return
		}
		answer(w, 200, map[string]any{})
	default:
		http.NotFound(w, r)
	}
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != p.Client || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 ||
		len(q.Get("state")) < 22 || len(q.Get("nonce")) < 22 || !strings.Contains(" "+q.Get("scope")+" ", " openid ") || p.Redirect != "" && q.Get("redirect_uri") != p.Redirect {
		answer(w, 400, map[string]any{"error": "invalid_request"})
		return
	}
	if p.Page && q.Get("pressed") == "" {
		q.Set("pressed", "yes")
		name, _ := p.Person["name"].(string)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>Provider</title><h1>Provider</h1><a href="/authorize?` + html.EscapeString(q.Encode()) + `">Continue as ` + html.EscapeString(name) + `</a>`))
		return
	}
	back := url.Values{"state": {q.Get("state")}, "iss": {p.Issuer}}
	if p.Declines {
		back.Set("error", "access_denied")
	} else {
		code := rand.Text()
		p.codes[code] = asked{q.Get("code_challenge"), q.Get("redirect_uri"), q.Get("nonce"), maps.Clone(p.Person)}
		back.Set("code", code)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		answer(w, 400, map[string]any{"error": "invalid_request"})
		return
	}
	client, secret, basic := r.BasicAuth()
	if basic { // RFC 6749, 2.3.1: both parts are form-encoded
		client, _ = url.QueryUnescape(client)
		secret, _ = url.QueryUnescape(secret)
	} else {
		client, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	a, known := p.codes[r.PostForm.Get("code")]
	delete(p.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case client != p.Client || secret != p.Secret:
		answer(w, 401, map[string]any{"error": "invalid_client"})
		return
	case r.PostForm.Get("grant_type") != "authorization_code" || !known || r.PostForm.Get("redirect_uri") != a.redirect || text.EncodeToString(sum[:]) != a.challenge:
		answer(w, 400, map[string]any{"error": "invalid_grant"})
		return
	}
	access := rand.Text()
	p.tokens[access] = a.person
	c := map[string]any{"iss": p.Issuer, "aud": p.Client, "iat": p.clock.Now().Unix(), "exp": p.clock.Now().Add(5 * time.Minute).Unix(), "nonce": a.nonce}
	maps.Copy(c, a.person)
	maps.Copy(c, p.Wrong)
	p.Signed = p.Sign(c, "JWT")
	answer(w, 200, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": p.Signed})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Visit goes where a browser is sent, and returns what it comes back with.
func Visit(ctx context.Context, address string) (url.Values, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	to, err := res.Location()
	if err != nil {
		return nil, err
	}
	return to.Query(), nil
}
