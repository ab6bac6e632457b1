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

// ticketRoutes are invitations, new passwords and proved addresses: what goes by links in mails. The secret of a link stands behind
// the # of its address and comes here in a body, so that no log and no other site sees it.
func (a *API) ticketRoutes() []route {
	return []route{
		{method: post, path: "/users/invite", need: right, right: access.UserManage, run: op(a.inviteUser), doc: "Add a person and write them a link to set their password", status: http.StatusCreated},
		{method: post, path: "/users/{id}/invite", need: right, right: access.UserManage, run: op(a.inviteAgain), doc: "Write a new link to a person who has not set a password yet"},
		{method: get, path: "/session/ways", need: open, run: op(a.signInWays), doc: "In which ways people sign in here"},
		{method: post, path: "/session/reset", need: open, run: op(a.askReset), doc: "Write a link to set a new password, where the address has an account", status: http.StatusAccepted, secret: true},
		{method: post, path: "/tickets/look", need: open, run: op(a.lookAtTicket), doc: "What a link of a mail is good for", secret: true},
		{method: post, path: "/tickets/use", need: open, run: op(a.useTicket), doc: "Use a link of a mail: set a password, prove an address", secret: true},
		{method: get, path: "/me/address", need: person, run: op(a.myAddress), doc: "Whether my address is proved"},
		{method: post, path: "/me/address", need: person, run: op(a.proveAddress), doc: "Write me a link that proves my address"},
	}
}

type inviteIn struct {
	Body struct {
		Email  string `json:"email"`
		Name   string `json:"name,omitempty"`
		Role   string `json:"role"`
		Locale string `json:"locale,omitempty"`
	}
}

func (a *API) inviteUser(ctx context.Context, c *call, in inviteIn) (*User, error) {
	b := in.Body
	u, err := a.Auth.InviteUser(ctx, c.who.Workspace.Key, auth.NewUser{Email: b.Email, Name: b.Name, Role: access.Role(b.Role), Locale: or(b.Locale, c.who.Workspace.Locale)})
	if err != nil {
		return nil, err
	}
	out := showManaged(u)
	out.Invited = true
	return out, nil
}

func (a *API) inviteAgain(ctx context.Context, c *call, in idIn) (empty, error) {
	user, err := colleague(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.InviteAgain(ctx, c.who.Workspace.Key, user)
}

// SignInWays is what the page for signing in offers.
type SignInWays struct {
	Reset   bool `json:"reset" doc:"a link to set a new password can be asked for"`
	Passkey bool `json:"passkey" doc:"somebody has a passkey for this address"`
	// Providers are the providers of identities that are on.
	Providers []ProviderButton `json:"providers"`
}

func (a *API) signInWays(ctx context.Context, c *call, _ struct{}) (SignInWays, error) {
	reset, err := a.Auth.ResetOffered(ctx)
	if err != nil {
		return SignInWays{}, err
	}
	passkey, err := a.Auth.PasskeyOffered(ctx, a.site(c))
	if err != nil {
		return SignInWays{}, err
	}
	out := SignInWays{Reset: reset, Passkey: passkey, Providers: []ProviderButton{}}
	list, err := a.Auth.OpenProviders(ctx)
	for _, p := range list {
		out.Providers = append(out.Providers, ProviderButton{ID: id.Format(auth.ProviderPrefix, p.ID), Name: p.Name})
	}
	return out, err
}

type askResetIn struct {
	Body struct {
		Email string `json:"email"`
	}
}

// askReset answers the same whether there is such an account or not.
func (a *API) askReset(ctx context.Context, c *call, in askResetIn) (empty, error) {
	if len(in.Body.Email) > 1024 {
		return empty{}, nil
	}
	return empty{}, a.Auth.AskReset(ctx, in.Body.Email, c.peer())
}

type ticketIn struct {
	Body struct {
		Token    string `json:"token"`
		Password string `json:"password,omitempty"`
		Name     string `json:"name,omitempty"`
	}
}

// TicketInfo is what a link of a mail is good for.
type TicketInfo struct {
	Kind      string    `json:"kind" enum:"invite,reset,verify"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Workspace string    `json:"workspace"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *API) lookAtTicket(ctx context.Context, _ *call, in ticketIn) (TicketInfo, error) {
	seen, err := a.Auth.LookAt(ctx, in.Body.Token)
	if err != nil {
		return TicketInfo{}, err
	}
	return TicketInfo{Kind: string(seen.Kind), Email: seen.User.Email, Name: seen.User.Name, Workspace: seen.Workspace.Name, ExpiresAt: seen.ExpiresAt}, nil
}

// TicketUsed is whose link it was.
type TicketUsed struct {
	Email string `json:"email"`
}

func (a *API) useTicket(ctx context.Context, c *call, in ticketIn) (TicketUsed, error) {
	u, err := a.Auth.UseTicket(ctx, auth.TicketUse{Token: in.Body.Token, Password: in.Body.Password, Name: in.Body.Name, Peer: c.peer()})
	return TicketUsed{Email: u.Email}, err
}

// MyAddress is the caller's address.
type MyAddress struct {
	Email      string     `json:"email"`
	VerifiedAt *time.Time `json:"verified_at"`
	Reachable  bool       `json:"reachable" doc:"a link can be sent"`
}

func (a *API) myAddress(ctx context.Context, c *call, _ struct{}) (MyAddress, error) {
	at, err := a.Auth.Store.Verified(ctx, c.who.User.ID)
	if err != nil {
		return MyAddress{}, err
	}
	ok, err := c.ws.Office.Reachable(ctx)
	return MyAddress{Email: c.who.User.Email, VerifiedAt: optional(at), Reachable: ok}, err
}

func (a *API) proveAddress(ctx context.Context, c *call, _ struct{}) (empty, error) {
	return empty{}, a.Auth.AskVerify(ctx, c.who)
}

// colleague is a user id of a path.
func colleague(text string) (id.ID, error) {
	user, err := id.Parse(auth.UserPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "auth.user_unknown", nil)
	}
	return user, nil
}
