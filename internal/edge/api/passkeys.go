package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// passkeyRoutes are ceremonies of Web Authentication: each begins with options for the browser, and ends with its answer.
func (a *API) passkeyRoutes() []route {
	enrol, code := stages{auth.OwesEnrolment}, stages{auth.OwesCode}
	return []route{
		{method: post, path: "/session/passkey/begin", need: open, run: op(a.beginPasskeySignIn), doc: "Ask the browser for a passkey to sign in with", secret: true},
		{method: post, path: "/session/passkey", need: open, run: op(a.passkeySignIn), doc: "Sign in with a passkey", secret: true},
		{method: get, path: "/session/step", need: person, run: op(a.stepWays), doc: "In which ways the second step of signing in can be done", stages: code},
		{method: post, path: "/session/step/passkey/begin", need: person, run: op(a.beginPasskeyStep), doc: "Ask the browser for a passkey as the second step", secret: true, stages: code},
		{method: post, path: "/session/step/passkey", need: person, run: op(a.passPasskey), doc: "Second step of signing in: a passkey", secret: true, stages: code},
		{method: get, path: "/me/passkeys", need: person, run: op(a.myPasskeys), doc: "My passkeys", stages: enrol},
		{method: post, path: "/me/passkeys/begin", need: person, run: op(a.beginPasskey), doc: "Ask the browser to make a passkey, with password", secret: true, stages: enrol},
		{method: post, path: "/me/passkeys", need: person, run: op(a.addPasskey), doc: "Keep the passkey that the browser made; with the first second factor, recovery codes are shown once", secret: true, status: http.StatusCreated, stages: enrol},
		{method: patch, path: "/me/passkeys/{id}", need: person, run: op(a.renamePasskey), doc: "Give a passkey another name"},
		{method: post, path: "/me/passkeys/{id}/revoke", need: person, run: op(a.revokePasskey), doc: "Revoke a passkey, with password; my other sessions end", secret: true},
	}
}

// base is the address that people see, without a slash behind.
func (a *API) base(c *call) string { return a.baseOf(c.r) }

func (a *API) baseOf(r *http.Request) string {
	if base := strings.TrimSuffix(a.PublicURL, "/"); base != "" {
		return base
	}
	if a.https(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// site is where the browser stands, for passkeys: their pages come over TLS, on the machine itself without as well. A proxy that
// takes the TLS away need not be known for it.
func (a *API) site(c *call) auth.Site {
	u, err := url.Parse(a.base(c))
	if err != nil {
		return auth.Site{}
	}
	s := auth.Site{Host: strings.ToLower(u.Hostname()), Origins: []string{"https://" + u.Host}, Name: c.who.Workspace.Name}
	if s.Host == "localhost" || strings.HasSuffix(s.Host, ".localhost") {
		s.Origins = append(s.Origins, "http://"+u.Host)
	}
	return s
}

// Ceremony is what goes between this program and an authenticator, as Web Authentication has it in JSON.
type Ceremony json.RawMessage

// UnmarshalJSON keeps the text.
func (v *Ceremony) UnmarshalJSON(b []byte) error { *v = append((*v)[:0], b...); return nil }

// MarshalJSON gives the text.
func (v Ceremony) MarshalJSON() ([]byte, error) { return json.RawMessage(v).MarshalJSON() }

// PasskeyChallenge is what the browser is asked.
type PasskeyChallenge struct {
	Flow    string   `json:"flow" doc:"comes back with the answer; good once and for five minutes"`
	Options Ceremony `json:"options" doc:"for navigator.credentials: publicKey in the JSON form of Web Authentication"`
}

func showChallenge(v auth.Challenge, err error) (PasskeyChallenge, error) {
	return PasskeyChallenge{Flow: v.Flow, Options: Ceremony(v.Options)}, err
}

func (a *API) beginPasskeySignIn(ctx context.Context, c *call, _ struct{}) (PasskeyChallenge, error) {
	return showChallenge(a.Auth.BeginPasskeySignIn(ctx, a.site(c)))
}

type passkeyIn struct {
	Workspace string `header:"X-Workspace"`
	Body      struct {
		Flow       string   `json:"flow"`
		Credential Ceremony `json:"credential" doc:"PublicKeyCredential.toJSON()"`
		Name       string   `json:"name,omitempty" doc:"of a passkey that is made"`
	}
}

func (in *passkeyIn) answer() auth.PasskeyAnswer {
	return auth.PasskeyAnswer{Flow: in.Body.Flow, Credential: in.Body.Credential, Name: in.Body.Name, Workspace: in.Workspace}
}

func (a *API) passkeySignIn(ctx context.Context, c *call, in passkeyIn) (Me, error) {
	s, err := a.Auth.PasskeySignIn(ctx, a.site(c), in.answer(), c.peer())
	if err != nil {
		return Me{}, err
	}
	if err := a.endEarlier(ctx, c); err != nil {
		return Me{}, err
	}
	return a.goOn(c, s, nil)
}

// SecondSteps are the ways in which the second step of signing in can be done.
type SecondSteps struct {
	Authenticator bool `json:"authenticator"`
	Passkey       bool `json:"passkey"`
	Recovery      bool `json:"recovery"`
}

func (a *API) stepWays(ctx context.Context, c *call, _ struct{}) (SecondSteps, error) {
	w, err := a.Auth.StepWaysOf(ctx, c.who.User, a.site(c))
	return SecondSteps(w), err
}

func (a *API) beginPasskeyStep(ctx context.Context, c *call, _ struct{}) (PasskeyChallenge, error) {
	return showChallenge(a.Auth.BeginPasskeyStep(ctx, c.who, a.site(c)))
}

func (a *API) passPasskey(ctx context.Context, c *call, in passkeyIn) (Me, error) {
	s, err := a.Auth.PassPasskey(ctx, c.who, a.site(c), in.answer(), c.peer())
	return a.goOn(c, s, err)
}

// PasskeyInfo is a passkey of one's own.
type PasskeyInfo struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Synced    bool       `json:"synced" doc:"may be kept on several devices"`
	Site      string     `json:"site" doc:"the address that it is good for"`
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    *time.Time `json:"used_at"`
	StoppedAt *time.Time `json:"stopped_at" doc:"when a copy of it showed up"`
}

// PasskeyList is one's passkeys, the oldest first.
type PasskeyList struct {
	Items    []PasskeyInfo `json:"items"`
	Possible bool          `json:"possible" doc:"browsers make passkeys for the address of this site"`
}

func showPasskey(p auth.Passkey) PasskeyInfo {
	return PasskeyInfo{ID: id.Format(auth.PasskeyPrefix, p.ID), Name: p.Name, Synced: p.Synced(), Site: p.Site, CreatedAt: p.CreatedAt.UTC(),
		UsedAt: optional(p.UsedAt), StoppedAt: optional(p.StoppedAt)}
}

func (a *API) myPasskeys(ctx context.Context, c *call, _ struct{}) (PasskeyList, error) {
	list, err := a.Auth.Passkeys(ctx, c.who.User.ID)
	out := PasskeyList{Items: []PasskeyInfo{}, Possible: a.site(c).Possible()}
	for _, p := range list {
		out.Items = append(out.Items, showPasskey(p))
	}
	return out, err
}

func (a *API) beginPasskey(ctx context.Context, c *call, in passwordIn) (PasskeyChallenge, error) {
	return showChallenge(a.Auth.BeginPasskey(ctx, c.who, a.site(c), in.Body.Password))
}

// PasskeyAdded is a new passkey.
type PasskeyAdded struct {
	Passkey PasskeyInfo `json:"passkey"`
	Codes   []string    `json:"codes,omitempty" doc:"recovery codes, with the first second factor: each is good once"`
	Me      *Me         `json:"me,omitempty" doc:"the session that goes on, when it changed"`
}

func (a *API) addPasskey(ctx context.Context, c *call, in passkeyIn) (PasskeyAdded, error) {
	p, codes, s, err := a.Auth.AddPasskey(ctx, c.who, a.site(c), in.answer(), c.peer())
	if err != nil {
		return PasskeyAdded{}, err
	}
	out := PasskeyAdded{Passkey: showPasskey(p), Codes: codes}
	if s.Token != "" {
		me, err := a.goOn(c, s, nil)
		if err != nil {
			return PasskeyAdded{}, err
		}
		out.Me = &me
	}
	return out, nil
}

type renamePasskeyIn struct {
	ID   string `path:"id"`
	Body struct {
		Name string `json:"name"`
	}
}

func passkeyID(text string) (id.ID, error) {
	key, err := id.Parse(auth.PasskeyPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "auth.passkey_unknown", nil)
	}
	return key, nil
}

func (a *API) renamePasskey(ctx context.Context, c *call, in renamePasskeyIn) (empty, error) {
	key, err := passkeyID(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.RenamePasskey(ctx, c.who, key, in.Body.Name)
}

type revokePasskeyIn struct {
	ID   string `path:"id"`
	Body struct {
		// Password is asked of people who have one; others have signed in minutes ago.
		Password string `json:"password,omitempty"`
	}
}

func (a *API) revokePasskey(ctx context.Context, c *call, in revokePasskeyIn) (Me, error) {
	key, err := passkeyID(in.ID)
	if err != nil {
		return Me{}, err
	}
	s, err := a.Auth.DropPasskey(ctx, c.who, key, in.Body.Password, c.peer())
	return a.goOn(c, s, err)
}
