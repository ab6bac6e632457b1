package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"rsc.io/qr"
)

// trustRoutes are how people prove who they are, and what they and administrators can see and end of it.
func (a *API) trustRoutes() []route {
	enrol := stages{auth.OwesEnrolment}
	return []route{
		{method: post, path: "/session/code", need: person, run: op(a.passCode), doc: "Second step of signing in: a code of the authenticator or a recovery code", secret: true, stages: stages{auth.OwesCode}},
		{method: post, path: "/session/password", need: person, run: op(a.passPassword), doc: "Step of signing in: own password in place of a temporary one", secret: true, stages: stages{auth.OwesPassword}},
		{method: get, path: "/me/factor", need: person, run: op(a.factor), doc: "State of my second factor", stages: enrol},
		{method: post, path: "/me/factor", need: person, run: op(a.beginFactor), doc: "Begin to enrol a second factor: secret and square code", secret: true, stages: enrol},
		{method: post, path: "/me/factor/confirm", need: person, run: op(a.confirmFactor), doc: "Turn the second factor on with a first code; recovery codes are shown once", secret: true, stages: enrol},
		{method: post, path: "/me/factor/off", need: person, run: op(a.dropFactor), doc: "Turn the second factor off with password and code", secret: true},
		{method: post, path: "/me/factor/recovery", need: person, run: op(a.newRecovery), doc: "New recovery codes in place of the old, with password and, where there is an authenticator, code", secret: true},
		{method: get, path: "/me/sessions", need: person, run: op(a.mySessions), doc: "Where I am signed in"},
		{method: del, path: "/me/sessions", need: person, run: op(a.revokeOthers), doc: "End all my sessions but this one"},
		{method: del, path: "/me/sessions/{id}", need: person, run: op(a.revokeSession), doc: "End one of my sessions"},
		{method: get, path: "/me/sign-ins", need: person, run: op(a.mySignIns), doc: "Attempts to sign in as me, newest first"},
		{method: get, path: "/sign-ins", need: right, right: access.AuditRead, run: op(a.signIns), doc: "Attempts to sign in, of everybody, newest first"},
		{method: del, path: "/users/{id}/factor", need: right, right: access.UserManage, run: op(a.resetFactor), doc: "Remove a person's second factor"},
		{method: del, path: "/users/{id}/sessions", need: right, right: access.UserManage, run: op(a.endSessions), doc: "Sign a person out everywhere"},
		{method: get, path: "/security", need: right, right: access.UserManage, run: op(a.security), doc: "Security rules of the workspace"},
		{method: patch, path: "/security", need: right, right: access.UserManage, run: op(a.patchSecurity), doc: "Change the security rules"},
	}
}

func (c *call) peer() auth.Peer { return auth.Peer{Address: c.address, Agent: c.r.UserAgent()} }

// goOn hands the next session to the browser.
func (a *API) goOn(c *call, s auth.SignedIn, err error) (Me, error) {
	if err != nil {
		return Me{}, err
	}
	a.setSession(c, s.Token, s.ExpiresAt)
	return a.showMe(c.r.Context(), s.Identity, s.Token)
}

type codeIn struct {
	Body struct {
		Code string `json:"code"`
	}
}

func (a *API) passCode(ctx context.Context, c *call, in codeIn) (Me, error) {
	s, err := a.Auth.PassCode(ctx, c.who, in.Body.Code, c.peer())
	return a.goOn(c, s, err)
}

type passPasswordIn struct {
	Body struct {
		NewPassword string `json:"new_password"`
	}
}

func (a *API) passPassword(ctx context.Context, c *call, in passPasswordIn) (Me, error) {
	s, err := a.Auth.PassPassword(ctx, c.who, in.Body.NewPassword, c.peer())
	return a.goOn(c, s, err)
}

// FactorInfo is the state of a second factor.
type FactorInfo struct {
	On            bool       `json:"on"` // an authenticator
	Since         *time.Time `json:"since"`
	Passkeys      int        `json:"passkeys"`
	RecoveryCodes int        `json:"recovery_codes"` // unused ones
	Required      bool       `json:"required"`       // by the person's role
}

func (a *API) factor(ctx context.Context, c *call, _ struct{}) (FactorInfo, error) {
	f, err := a.Auth.FactorOf(ctx, c.who.User.ID)
	return FactorInfo{On: f.On, Since: optional(f.Since), Passkeys: f.Passkeys, RecoveryCodes: f.CodesLeft, Required: f.Required}, err
}

type passwordIn struct {
	Body struct {
		// Password is asked of a full session; one that stands at the enrolment has just given it.
		Password string `json:"password,omitempty"`
	}
}

// Enrolment is a second factor to be confirmed.
type Enrolment struct {
	Secret string `json:"secret"` // base32, to type by hand
	URI    string `json:"uri"`    // otpauth://
	QR     string `json:"qr"`     // the address as a square code: an SVG picture as a data address
}

func (a *API) beginFactor(ctx context.Context, c *call, in passwordIn) (Enrolment, error) {
	e, err := a.Auth.BeginFactor(ctx, c.who, in.Body.Password)
	if err != nil {
		return Enrolment{}, err
	}
	picture, err := square(e.URI)
	return Enrolment{Secret: e.Secret, URI: e.URI, QR: picture}, err
}

// square draws a text as a QR code: black on white in any theme, because that is what cameras read, with the quiet margin of
// four modules.
func square(text string) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", fmt.Errorf("draw square code: %w", err)
	}
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(drawn(code))), nil
}

// drawn is a QR code as SVG.
func drawn(code *qr.Code) string {
	const margin = 4
	n := code.Size + 2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, n, n, n, n)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+margin, y+margin, x-from, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String()
}

// RecoveryCodes are ten codes, each good once in place of one from the authenticator.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
	Me    *Me      `json:"me,omitempty"` // the session that goes on, when it changed
}

func (a *API) confirmFactor(ctx context.Context, c *call, in codeIn) (RecoveryCodes, error) {
	codes, s, err := a.Auth.ConfirmFactor(ctx, c.who, in.Body.Code, c.peer())
	if err != nil {
		return RecoveryCodes{}, err
	}
	me, err := a.goOn(c, s, nil)
	return RecoveryCodes{Codes: codes, Me: &me}, err
}

type bothIn struct {
	Body struct {
		// Password is asked of people who have one; others have signed in minutes ago.
		Password string `json:"password,omitempty"`
		Code     string `json:"code,omitempty"`
	}
}

func (a *API) dropFactor(ctx context.Context, c *call, in bothIn) (Me, error) {
	s, err := a.Auth.DropFactor(ctx, c.who, in.Body.Password, in.Body.Code, c.peer())
	return a.goOn(c, s, err)
}

func (a *API) newRecovery(ctx context.Context, c *call, in bothIn) (RecoveryCodes, error) {
	codes, err := a.Auth.NewRecoveryCodes(ctx, c.who, in.Body.Password, in.Body.Code)
	return RecoveryCodes{Codes: codes}, err
}

// Device is what a browser says of itself, as a person would name it; unknown parts are empty.
type Device struct {
	Browser string `json:"browser"`
	System  string `json:"system"`
	Phone   bool   `json:"phone"`
}

func showDevice(agent string) Device {
	b, s, phone := auth.Device(agent)
	return Device{b, s, phone}
}

// SessionInfo is a place where a person is signed in.
type SessionInfo struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current"`
	Way       string    `json:"way,omitempty" enum:"password,passkey,provider"`
	Device    Device    `json:"device"`
	Address   string    `json:"address"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`
}

// SessionList is the places where a person is signed in, the last used first.
type SessionList struct {
	Items []SessionInfo `json:"items"`
}

const sessionPrefix = "ses_"

func (a *API) mySessions(ctx context.Context, c *call, _ struct{}) (SessionList, error) {
	all, err := a.Auth.Sessions(ctx, c.who.User.ID)
	out := SessionList{Items: []SessionInfo{}}
	for _, s := range all {
		out.Items = append(out.Items, SessionInfo{ID: sessionPrefix + s.Name(), Current: s.Hash == c.who.Session, Way: string(s.Via.Way), Device: showDevice(s.Peer.Agent),
			Address: s.Peer.Address, CreatedAt: s.CreatedAt.UTC(), SeenAt: s.SeenAt.UTC()})
	}
	return out, err
}

func (a *API) revokeSession(ctx context.Context, c *call, in idIn) (empty, error) {
	name, ok := strings.CutPrefix(in.ID, sessionPrefix)
	if !ok {
		return empty{}, fault.New(fault.NotFound, "auth.session_unknown", nil)
	}
	return empty{}, a.Auth.Revoke(ctx, c.who, name)
}

// Ended counts the sessions that ended.
type Ended struct {
	Sessions int `json:"sessions"`
}

func (a *API) revokeOthers(ctx context.Context, c *call, _ struct{}) (Ended, error) {
	n, err := a.Auth.RevokeOthers(ctx, c.who)
	return Ended{n}, err
}

func (a *API) endSessions(ctx context.Context, c *call, in idIn) (Ended, error) {
	user, err := id.Parse(auth.UserPrefix, in.ID)
	if err != nil {
		return Ended{}, fault.New(fault.NotFound, "auth.user_unknown", nil)
	}
	n, err := a.Auth.RevokeAllOf(ctx, c.who.Workspace.Key, user)
	return Ended{n}, err
}

func (a *API) resetFactor(ctx context.Context, c *call, in idIn) (empty, error) {
	user, err := id.Parse(auth.UserPrefix, in.ID)
	if err != nil {
		return empty{}, fault.New(fault.NotFound, "auth.user_unknown", nil)
	}
	return empty{}, a.Auth.ResetFactor(ctx, c.who.Workspace.Key, user)
}

type emailIn struct {
	Body struct {
		Email string `json:"email"`
	}
}

// ResetResult says whose second factor was removed.
type ResetResult struct {
	Email string `json:"email"`
	Reset bool   `json:"reset"`
}

func (a *API) localResetFactor(ctx context.Context, c *call, in emailIn) (ResetResult, error) {
	err := a.Auth.ResetFactorOf(ctx, c.who.Workspace.Key, strings.TrimSpace(in.Body.Email))
	return ResetResult{in.Body.Email, err == nil}, err
}

// SignInInfo is one attempt to sign in.
type SignInInfo struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	User    *Actor    `json:"user"` // null when no account has the address that was typed
	Outcome string    `json:"outcome" enum:"ok,wrong_password,unknown_account,disabled,locked,wrong_code,wrong_passkey,provider_refused,provider_only"`
	Way     string    `json:"way,omitempty" enum:"password,passkey,provider"`
	Device  Device    `json:"device"`
	Address string    `json:"address"`
}

// SignIns is a page of attempts, newest first.
type SignIns struct {
	Items      []SignInInfo `json:"items"`
	NextCursor *string      `json:"next_cursor"`
}

type mySignInsIn struct {
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
}

type signInsIn struct {
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
	User   string `query:"user"`
}

const signInPrefix = "sgn"

func (a *API) mySignIns(ctx context.Context, c *call, in mySignInsIn) (SignIns, error) {
	return a.attempts(ctx, auth.SignInFilter{UserID: c.who.User.ID}, in.Limit, in.Cursor)
}

func (a *API) signIns(ctx context.Context, c *call, in signInsIn) (SignIns, error) {
	f := auth.SignInFilter{Workspace: c.who.Workspace.Key}
	if in.User != "" {
		var err error
		if f.UserID, err = id.Parse(auth.UserPrefix, in.User); err != nil || f.UserID == 0 {
			return SignIns{}, fault.InvalidField("api.bad_parameter", "user", nil)
		}
	}
	return a.attempts(ctx, f, in.Limit, in.Cursor)
}

func (a *API) attempts(ctx context.Context, f auth.SignInFilter, limit int, cursor string) (SignIns, error) {
	var err error
	if cursor != "" {
		if f.Before, err = id.Parse(signInPrefix, cursor); err != nil {
			return SignIns{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	f.Limit = limitOf(limit, 20) + 1
	es, err := a.Auth.Store.ListSignIns(ctx, f)
	if err != nil {
		return SignIns{}, err
	}
	out := SignIns{Items: []SignInInfo{}}
	if len(es) == f.Limit {
		es = es[:f.Limit-1]
		next := id.Format(signInPrefix, es[len(es)-1].ID)
		out.NextCursor = &next
	}
	for _, e := range es {
		item := SignInInfo{ID: id.Format(signInPrefix, e.ID), At: e.At, Outcome: string(e.Outcome), Way: string(e.Way), Device: showDevice(e.Peer.Agent), Address: e.Peer.Address}
		if e.UserID != 0 {
			who := showActor(access.ByUser, e.UserID, e.Name)
			item.User = &who
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// Security is the workspace's rules of signing in.
type Security struct {
	// FactorRoles are the roles that must have a second factor from their next sign-in on.
	FactorRoles []access.Role `json:"factor_roles"`
	// ProviderOnly lets people, administrators apart, in through a provider of identities alone.
	ProviderOnly bool `json:"provider_only"`
}

func (a *API) security(_ context.Context, c *call, _ struct{}) (Security, error) {
	return showSecurity(c.who.Workspace), nil
}

func showSecurity(w auth.Workspace) Security {
	return Security{append([]access.Role{}, w.FactorRoles...), w.ProviderOnly}
}

type securityIn struct {
	Body struct {
		FactorRoles  *[]access.Role `json:"factor_roles,omitempty"`
		ProviderOnly *bool          `json:"provider_only,omitempty"`
	}
}

func (a *API) patchSecurity(ctx context.Context, c *call, in securityIn) (Security, error) {
	if in.Body.FactorRoles != nil {
		if err := a.Auth.RequireFactor(ctx, c.who.Workspace.Key, *in.Body.FactorRoles); err != nil {
			return Security{}, err
		}
	}
	if in.Body.ProviderOnly != nil {
		if err := a.Auth.RequireProvider(ctx, c.who.Workspace.Key, *in.Body.ProviderOnly); err != nil {
			return Security{}, err
		}
	}
	w, err := a.Auth.Workspace(ctx, c.who.Workspace.Key)
	return showSecurity(w), err
}
