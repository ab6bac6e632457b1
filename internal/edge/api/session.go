package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
)

// User is a person as the API shows them.
type User struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Email      string     `json:"email"`
	Locale     string     `json:"locale"`
	Theme      string     `json:"theme"`
	Role       string     `json:"role"`
	Disabled   bool       `json:"disabled"`
	LastSeenAt *time.Time `json:"last_seen_at"`
	// For those who manage people, and of oneself.
	SecondFactor      *bool `json:"second_factor,omitempty"`
	TemporaryPassword *bool `json:"temporary_password,omitempty"`
	// Invited says that the person cannot sign in yet: there is no password, and no other way.
	Invited bool `json:"invited,omitempty"`
	// NoPassword says that the person signs in without one; of oneself and for those who manage people.
	NoPassword bool `json:"no_password,omitempty"`
}

// WorkspaceInfo is an organisation as the API shows it.
type WorkspaceInfo struct {
	Key      string `json:"key"`
	Name     string `json:"name"`
	Timezone string `json:"timezone"`
	Currency string `json:"currency"`
	Locale   string `json:"locale"`
}

// Me is who the caller is and what they may do.
type Me struct {
	User      *User           `json:"user"`
	Workspace WorkspaceInfo   `json:"workspace"`
	CSRF      string          `json:"csrf,omitempty"`
	Role      string          `json:"role"`
	RoleName  string          `json:"role_name,omitempty" doc:"of a role made in the workspace"`
	Can       map[string]bool `json:"can"`
	// Stage is what the session still owes before it may do anything else: a code of the second factor, a new password, an
	// enrolment. User and rights are told when nothing is owed.
	Stage string `json:"stage,omitempty" enum:"code,password,enrol"`
}

func showUser(u auth.User) *User {
	return &User{ID: id.Format(auth.UserPrefix, u.ID), Name: u.Name, Email: u.Email, Locale: u.Locale, Theme: u.Theme, Role: string(u.Role), Disabled: u.Disabled, LastSeenAt: optional(u.LastSeenAt)}
}

// showManaged is showUser with what only the person and those who manage people may know.
func showManaged(u auth.User) *User {
	out := showUser(u)
	out.NoPassword = u.PasswordHash == ""
	out.SecondFactor, out.TemporaryPassword, out.Invited = &u.Factor, &u.MustChange, u.PasswordHash == "" && !u.Linked && !u.Factor
	return out
}

func showWorkspace(w auth.Workspace) WorkspaceInfo {
	return WorkspaceInfo{Key: w.Key, Name: w.Name, Timezone: w.Timezone, Currency: w.Currency, Locale: w.Locale}
}

// showMe tells who the caller is; of a session that has just begun or changed, with what its role holds.
func (a *API) showMe(ctx context.Context, who auth.Identity, token string) (Me, error) {
	who, err := a.withRights(ctx, who)
	return showMe(who, token), err
}

// withRights completes an identity with what its role holds in its workspace.
func (a *API) withRights(ctx context.Context, who auth.Identity) (auth.Identity, error) {
	if who.Stage != auth.Full || who.Actor.Role.Known() || who.Workspace.Key == "" {
		who.Actor.Person = personOf(who)
		return who, nil
	}
	ws, err := a.Workspaces.Open(ctx, who.Workspace.Key)
	if err != nil {
		return who, err
	}
	who.Actor.Person = personOf(who)
	who.Actor, err = ws.Rights.Resolve(ctx, who.Actor)
	return who, err
}

// personOf is whose own records count as the caller's.
func personOf(who auth.Identity) id.ID {
	if who.Actor.Kind == access.ByKey {
		return who.Key.CreatedBy
	}
	return who.Actor.ID
}

func showMe(who auth.Identity, token string) Me {
	m := Me{Can: map[string]bool{}, Stage: string(who.Stage)}
	if token != "" {
		m.CSRF = auth.CSRF(token)
	}
	if who.Stage != auth.Full {
		return m
	}
	m.Workspace, m.Role = showWorkspace(who.Workspace), string(who.Actor.Role)
	if who.Actor.Kind == access.ByUser {
		m.User = showManaged(who.User)
	}
	if h := who.Actor.Held; h != nil {
		m.RoleName = h.Role.Name
	}
	for _, r := range access.Rights() {
		m.Can[string(r)] = who.Actor.Can(r)
	}
	if who.Actor.Kind == access.ByKey {
		m.Can["key."+access.ActScope] = who.Actor.ActsForMaker()
	}
	return m
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// SetupState says whether the first run is still to come.
type SetupState struct {
	Needed        bool `json:"needed"`
	DemoAvailable bool `json:"demo_available"`
}

func (a *API) setupState(ctx context.Context, _ *call, _ struct{}) (SetupState, error) {
	needed, err := a.Auth.NeedsSetup(ctx)
	return SetupState{Needed: needed, DemoAvailable: needed}, err
}

type setupIn struct {
	Body struct {
		Email     string `json:"email"`
		Password  string `json:"password"`
		Name      string `json:"name,omitempty"`
		Workspace string `json:"workspace,omitempty"`
		Locale    string `json:"locale,omitempty"`
		Timezone  string `json:"timezone,omitempty"`
		Currency  string `json:"currency,omitempty"`
		Demo      bool   `json:"demo,omitempty"`
	}
}

func (a *API) setup(ctx context.Context, c *call, in setupIn) (Me, error) {
	b := in.Body
	needed, err := a.Auth.NeedsSetup(ctx)
	if err != nil {
		return Me{}, err
	}
	if !needed {
		return Me{}, fault.New(fault.Conflict, "auth.already_set_up", nil)
	}
	u, w, err := a.Auth.Initialise(ctx, auth.Setup{Email: b.Email, Password: b.Password, Name: b.Name, Workspace: b.Workspace,
		Locale: or(b.Locale, c.locale), Timezone: or(b.Timezone, "Asia/Shanghai"), Currency: or(b.Currency, "CNY"), Address: c.address})
	if err != nil {
		return Me{}, err
	}
	if err := a.Setup.Install(ctx, w, b.Demo); err != nil {
		return Me{}, err
	}
	in2, err := a.Auth.Open(ctx, u, w.Key, c.peer())
	if err != nil {
		return Me{}, err
	}
	a.setSession(c, in2.Token, in2.ExpiresAt)
	return a.showMe(ctx, in2.Identity, in2.Token)
}

func or(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}

type signInIn struct {
	Workspace string `header:"X-Workspace"`
	Body      struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
}

func (a *API) signIn(ctx context.Context, c *call, in signInIn) (Me, error) {
	if len(in.Body.Password) > 4096 || len(in.Body.Email) > 1024 {
		return Me{}, fault.New(fault.Unauthenticated, "auth.bad_credentials", nil)
	}
	s, err := a.Auth.SignIn(ctx, auth.Credentials{Email: in.Body.Email, Password: in.Body.Password, Address: c.address, Agent: c.r.UserAgent(), Workspace: in.Workspace})
	if err != nil {
		return Me{}, err
	}
	if err := a.endEarlier(ctx, c); err != nil {
		return Me{}, err
	}
	return a.goOn(c, s, nil)
}

// endEarlier ends the session that this browser had: signing in never continues one.
func (a *API) endEarlier(ctx context.Context, c *call) error {
	if c.token == "" {
		return nil
	}
	old, err := a.Auth.Authenticate(ctx, c.token, "")
	if err != nil {
		return nil //nolint:nilerr // there was none
	}
	return a.Auth.SignOut(ctx, old)
}

// SignedOut says what is left to do.
type SignedOut struct {
	Go string `json:"go,omitempty" doc:"where the browser signs out at the provider of identities that signed it in"`
}

func (a *API) signOut(ctx context.Context, c *call, _ struct{}) (SignedOut, error) {
	to := a.Auth.EndAddress(ctx, c.who, a.base(c)+"/sign-in")
	a.clearSession(c)
	return SignedOut{to}, a.Auth.SignOut(ctx, c.who)
}

func (a *API) me(_ context.Context, c *call, _ struct{}) (Me, error) {
	return showMe(c.who, c.token), nil
}

type patchMeIn struct {
	Body struct {
		Name            *string `json:"name,omitempty"`
		Locale          *string `json:"locale,omitempty"`
		Theme           *string `json:"theme,omitempty"`
		CurrentPassword *string `json:"current_password,omitempty"`
		NewPassword     *string `json:"new_password,omitempty"`
	}
}

func (a *API) patchMe(ctx context.Context, c *call, in patchMeIn) (Me, error) {
	b := in.Body
	u, fresh, err := a.Auth.ChangeSelf(ctx, c.who, auth.SelfChange{Name: b.Name, Locale: b.Locale, Theme: b.Theme,
		CurrentPassword: b.CurrentPassword, NewPassword: b.NewPassword, Peer: c.peer()})
	if err != nil {
		return Me{}, err
	}
	who, token := c.who, c.token
	who.User = u
	if fresh.Token != "" {
		who, token = fresh.Identity, fresh.Token
		a.setSession(c, fresh.Token, fresh.ExpiresAt)
	}
	return a.showMe(ctx, who, token)
}

// Users is the list of people of the workspace.
type Users struct {
	Items []*User `json:"items"`
}

func (a *API) listUsers(ctx context.Context, c *call, _ struct{}) (Users, error) {
	us, err := a.Auth.Store.ListUsers(ctx, c.who.Workspace.Key)
	out := Users{Items: []*User{}}
	show := showUser
	if c.who.Actor.Can(access.UserManage) {
		show = showManaged
	}
	for _, u := range us {
		out.Items = append(out.Items, show(u))
	}
	return out, err
}

type createUserIn struct {
	Body struct {
		Email    string `json:"email"`
		Name     string `json:"name,omitempty"`
		Role     string `json:"role"`
		Password string `json:"password"`
		Locale   string `json:"locale,omitempty"`
		// Temporary makes the password good for one sign-in, at which the person sets their own.
		Temporary bool `json:"temporary,omitempty"`
	}
}

func (a *API) createUser(ctx context.Context, c *call, in createUserIn) (*User, error) {
	b := in.Body
	u, err := a.Auth.AddUser(ctx, c.who.Workspace.Key, auth.NewUser{Email: b.Email, Name: b.Name, Password: b.Password, Role: access.Role(b.Role), Locale: or(b.Locale, c.who.Workspace.Locale), Temporary: b.Temporary})
	if err != nil {
		return nil, err
	}
	return showManaged(u), nil
}

type patchUserIn struct {
	ID   string `path:"id"`
	Body struct {
		Name     *string      `json:"name,omitempty"`
		Role     *access.Role `json:"role,omitempty"`
		Disabled *bool        `json:"disabled,omitempty"`
		Password *string      `json:"password,omitempty"`
		// Temporary makes a new password good for one sign-in.
		Temporary bool `json:"temporary,omitempty"`
	}
}

func (a *API) patchUser(ctx context.Context, c *call, in patchUserIn) (*User, error) {
	user, err := id.Parse(auth.UserPrefix, in.ID)
	if err != nil {
		return nil, fault.New(fault.NotFound, "auth.user_unknown", nil)
	}
	u, err := a.Auth.ChangeUser(ctx, c.who.Workspace.Key, user, auth.UserChange{Name: in.Body.Name, Role: in.Body.Role, Disabled: in.Body.Disabled, Password: in.Body.Password, Temporary: in.Body.Temporary})
	if err != nil {
		return nil, err
	}
	return showManaged(u), nil
}

// APIKey is a key as it is listed; its secret is not known any more.
type APIKey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes"`
	Prefix     string     `json:"prefix"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

// APIKeys is the list of keys.
type APIKeys struct {
	Items []APIKey `json:"items"`
}

func (a *API) listKeys(ctx context.Context, c *call, _ struct{}) (APIKeys, error) {
	ks, err := a.Auth.Store.ListKeys(ctx, c.who.Workspace.Key)
	out := APIKeys{Items: []APIKey{}}
	for _, k := range ks {
		out.Items = append(out.Items, APIKey{ID: id.Format(auth.KeyPrefix, k.ID), Name: k.Name, Scopes: k.Scopes, Prefix: k.Prefix,
			CreatedAt: k.CreatedAt, LastUsedAt: optional(k.LastUsedAt), RevokedAt: optional(k.RevokedAt)})
	}
	return out, err
}

type createKeyIn struct {
	Body struct {
		Name   string   `json:"name"`
		Scopes []string `json:"scopes"`
	}
}

// NewAPIKey is a new key with its secret, shown this once.
type NewAPIKey struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

func (a *API) createKey(ctx context.Context, c *call, in createKeyIn) (NewAPIKey, error) {
	k, secret, err := a.Auth.NewKey(ctx, c.who.Workspace.Key, in.Body.Name, in.Body.Scopes)
	return NewAPIKey{ID: id.Format(auth.KeyPrefix, k.ID), Key: secret}, err
}

type idIn struct {
	ID string `path:"id"`
}

func (a *API) revokeKey(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := id.Parse(auth.KeyPrefix, in.ID)
	if err != nil {
		return empty{}, fault.New(fault.NotFound, "auth.key_unknown", nil)
	}
	return empty{}, a.Auth.RevokeKey(ctx, c.who.Workspace.Key, key)
}

func showActor(kind access.ActorKind, who id.ID, name string) Actor {
	prefix := auth.UserPrefix
	switch kind {
	case access.ByKey:
		prefix = auth.KeyPrefix
	case access.ByRule:
		prefix = automation.Prefix
	}
	return Actor{Kind: string(kind), ID: id.Format(prefix, who), Name: name}
}

func (c *call) prefixOf(object string) string {
	switch object {
	case "user":
		return auth.UserPrefix
	case "apikey":
		return auth.KeyPrefix
	case "provider":
		return auth.ProviderPrefix
	}
	if o := c.ws.Registry().Object(object); o != nil {
		return o.Prefix
	}
	return "rec"
}

// limitOf keeps a page size between 1 and 500.
func limitOf(n, fallback int) int {
	if n <= 0 {
		return fallback
	}
	return min(n, 500)
}
