package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TicketKind is what a link in a mail is good for.
type TicketKind string

// The kinds of ticket.
const (
	Invitation   TicketKind = "invite" // set a first password
	Recovery     TicketKind = "reset"  // set a new password
	Verification TicketKind = "verify" // the address is one's own
)

// How long tickets are good.
const (
	InvitationLife   = 7 * 24 * time.Hour
	RecoveryLife     = time.Hour
	VerificationLife = 24 * time.Hour
)

func (k TicketKind) life() time.Duration {
	switch k {
	case Invitation:
		return InvitationLife
	case Verification:
		return VerificationLife
	case Recovery:
	}
	return RecoveryLife
}

// Ticket is good for one thing, once. Its secret stands in a mail and nowhere else.
type Ticket struct {
	Hash      string // SHA-256 of the secret, hex
	Kind      TicketKind
	UserID    id.ID
	Workspace string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero while it is good
}

// Tickets stores them.
type Tickets interface {
	// CreateTicket stores one; those of the same person and kind that were not used end.
	CreateTicket(ctx context.Context, t Ticket) error
	FindTicket(ctx context.Context, hash string) (Ticket, bool, error)
	// UseTicket takes one, once: false when it was taken, or is over.
	UseTicket(ctx context.Context, hash string, now time.Time) (bool, error)
	// EndTickets ends those of a person and kind.
	EndTickets(ctx context.Context, user id.ID, kind TicketKind) error
	// Invited are the people of a workspace with an invitation that is still good, and when it ends.
	Invited(ctx context.Context, workspace string, now time.Time) (map[id.ID]time.Time, error)
	// SetVerified notes that an address was proved; Verified says when, zero when never.
	SetVerified(ctx context.Context, user id.ID, at time.Time) error
	Verified(ctx context.Context, user id.ID) (time.Time, error)
	// PurgeTickets removes what ended before an instant.
	PurgeTickets(ctx context.Context, before time.Time) error
}

// LetterKind is what a letter to a person is about.
type LetterKind string

// The letters beside those that carry a ticket.
const (
	LetterNewDevice       LetterKind = "signin"   // somebody signed in from a device that was not seen before
	LetterPasswordChanged LetterKind = "password" // the password was set by a link
	LetterAccess          LetterKind = "access"   // another change to how the person signs in: What
)

// Letter is what a person is written about their account.
type Letter struct {
	Kind  LetterKind // or a TicketKind
	What  string     // of a LetterAccess: password, passkey_added, passkey_revoked, factor_on, factor_off, factor_reset, provider_linked
	To    User
	Token string // of a ticket
	Until time.Time
	By    string // who invites
	Peer  Peer
	At    time.Time
}

// Post writes to people. It keeps what it is given until it is sent.
type Post interface {
	// Reachable reports whether letters with links can be sent from a workspace.
	Reachable(ctx context.Context, workspace string) (bool, error)
	Send(ctx context.Context, workspace string, l Letter) error
}

var errNoPost = fault.New(fault.Conflict, "mail.no_server", nil)

func (s *Service) reachable(ctx context.Context, workspace string) (bool, error) {
	if s.Post == nil {
		return false, nil
	}
	return s.Post.Reachable(ctx, workspace)
}

// write makes a ticket and sends it.
func (s *Service) write(ctx context.Context, workspace string, kind TicketKind, u User) error {
	now, token := s.Clock.Now(), newToken()
	t := Ticket{Hash: hashToken(token), Kind: kind, UserID: u.ID, Workspace: workspace, CreatedAt: now, ExpiresAt: now.Add(kind.life())}
	if err := s.Store.CreateTicket(ctx, t); err != nil {
		return err
	}
	return s.Post.Send(ctx, workspace, Letter{Kind: LetterKind(kind), To: u, Token: token, Until: t.ExpiresAt, By: access.From(ctx).Name, At: now})
}

// tell writes to a person that how they sign in was changed, whoever did it: the news comes too when it was somebody else. It is kept
// in the queue of the workspace; a workspace that writes no letters has none.
func (s *Service) tell(ctx context.Context, workspace string, u User, what string, peer Peer) error {
	if ok, err := s.reachable(ctx, workspace); err != nil || !ok {
		return err
	}
	return s.Post.Send(ctx, workspace, Letter{Kind: LetterAccess, What: what, To: u, Peer: Peer{peer.Address, cleanAgent(peer.Agent)}, At: s.Clock.Now()})
}

// InviteUser makes a user without a password and writes them a link to set one. Faults as of AddUser; Conflict mail.no_server
// where no letter can be sent.
func (s *Service) InviteUser(ctx context.Context, workspace string, in NewUser) (User, error) {
	if ok, err := s.reachable(ctx, workspace); err != nil {
		return User{}, err
	} else if !ok {
		return User{}, errNoPost
	}
	if err := s.Roles(ctx, workspace, in.Role); err != nil {
		return User{}, err
	}
	in.Email, in.Name = strings.TrimSpace(in.Email), strings.TrimSpace(in.Name)
	if !validEmail(in.Email) {
		return User{}, fault.InvalidField("auth.email_invalid", "email", nil)
	}
	if in.Name == "" {
		in.Name, _, _ = strings.Cut(in.Email, "@")
	}
	if utf8.RuneCountInString(in.Name) > 100 {
		return User{}, fault.InvalidField("auth.name_length", "name", fault.Params{"max": 100})
	}
	now := s.Clock.Now()
	u := User{ID: s.IDs.Next(), Email: in.Email, Name: in.Name, Locale: in.Locale, Theme: "system", Role: in.Role, CreatedAt: now, UpdatedAt: now}
	if err := s.Store.CreateUser(ctx, workspace, u); err != nil {
		return User{}, err
	}
	if err := s.Note(ctx, workspace, "user.invite", "user", u.ID, map[string]any{"role": u.Role}); err != nil {
		return u, err
	}
	return u, s.write(ctx, workspace, Invitation, u)
}

// InviteAgain writes to somebody who has not set a password yet; the former link ends. Conflict auth.has_password.
func (s *Service) InviteAgain(ctx context.Context, workspace string, user id.ID) error {
	u, err := s.onlyHere(ctx, workspace, user, "auth.password_of_other_workspace")
	if err != nil {
		return err
	}
	if u.PasswordHash != "" {
		return fault.New(fault.Conflict, "auth.has_password", nil)
	}
	if err := s.Roles(ctx, workspace, u.Role); err != nil {
		return err
	}
	if ok, err := s.reachable(ctx, workspace); err != nil {
		return err
	} else if !ok {
		return errNoPost
	}
	if err := s.Note(ctx, workspace, "user.invite", "user", u.ID, map[string]any{"again": true}); err != nil {
		return err
	}
	return s.write(ctx, workspace, Invitation, u)
}

// resetsAnHour is how many links for a new password one account, and resetsPerAddress one network address, is sent in an hour.
const (
	resetsAnHour     = 5
	resetsPerAddress = 30
)

// AskReset writes a link to set a new password to whom an address belongs. What is answered, and when, does not tell whether it
// belongs to anybody: the work is done later. Nobody is written to who is disabled, or too often.
func (s *Service) AskReset(ctx context.Context, email string, peer Peer) error {
	now := s.Clock.Now()
	keys := []struct {
		key  string
		free int
	}{{"reset:" + hashToken(lang.Fold(email))[:32], resetsAnHour}, {"resets:" + peer.Address, resetsPerAddress}}
	for _, k := range keys {
		at, err := s.Store.Hit(ctx, k.key, now, failureWindow, func(n int) time.Time { return now.Add(wait(n, k.free)) })
		if err != nil {
			return err
		}
		if at.Until.After(now) {
			return fault.New(fault.RateLimited, "auth.locked", fault.Params{"retry_after": int(at.Until.Sub(now).Seconds()) + 1})
		}
	}
	s.Later(func(ctx context.Context) error { return s.writeReset(ctx, email, peer) })
	return nil
}

func (s *Service) writeReset(ctx context.Context, email string, peer Peer) error {
	u, found, err := s.Store.FindUser(ctx, email)
	if err != nil || !found || u.Disabled {
		return err
	}
	if _, err := s.reach(ctx, u.ID, "", Via{}); fault.CodeOf(err) == "auth.provider_only" { // a password would open nothing
		return nil
	}
	ms, err := s.Store.Memberships(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if ok, err := s.reachable(ctx, m.Workspace.Key); err != nil {
			return err
		} else if !ok {
			continue
		}
		err := s.Record(ctx, Entry{Workspace: m.Workspace.Key, ActorKind: access.BySystem, ActorName: "system", Action: "password.ask_reset", Object: "user", RecordID: u.ID, Address: peer.Address})
		if err != nil {
			return err
		}
		return s.write(ctx, m.Workspace.Key, Recovery, u)
	}
	return nil
}

// AskVerify writes the caller a link that proves that the address is theirs.
func (s *Service) AskVerify(ctx context.Context, who Identity) error {
	if err := s.slow(ctx, "verify:"+id.Format(UserPrefix, who.User.ID)); err != nil {
		return err
	}
	if ok, err := s.reachable(ctx, who.Workspace.Key); err != nil {
		return err
	} else if !ok {
		return errNoPost
	}
	return s.write(ctx, who.Workspace.Key, Verification, who.User)
}

// Seen is what a ticket's holder is shown before it is used.
type Seen struct {
	Kind      TicketKind
	User      User
	Workspace Workspace
	ExpiresAt time.Time
}

// LookAt shows what a ticket is good for, without using it. NotFound auth.ticket_over for one that is unknown, used or over.
func (s *Service) LookAt(ctx context.Context, token string) (Seen, error) {
	over := fault.New(fault.NotFound, "auth.ticket_over", nil)
	t, ok, err := s.Store.FindTicket(ctx, hashToken(token))
	if err != nil {
		return Seen{}, err
	}
	if !ok || !t.UsedAt.IsZero() || !s.Clock.Now().Before(t.ExpiresAt) {
		return Seen{}, over
	}
	u, err := s.Store.GetUser(ctx, t.Workspace, t.UserID)
	if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && u.Disabled {
		return Seen{}, over
	}
	if err != nil {
		return Seen{}, err
	}
	w, err := s.Workspace(ctx, t.Workspace)
	return Seen{Kind: t.Kind, User: u, Workspace: w, ExpiresAt: t.ExpiresAt}, err
}

// TicketUse is what a ticket is used for. Password is asked for by all but a Verification; Name may be given with an Invitation.
type TicketUse struct {
	Token, Password, Name string
	Peer                  Peer
}

// UseTicket uses a ticket, once: a password is set and every session of the person ends, the address is proved. It signs nobody in:
// second factors and throttles are those of signing in.
func (s *Service) UseTicket(ctx context.Context, in TicketUse) (User, error) {
	seen, err := s.LookAt(ctx, in.Token)
	if err != nil {
		return User{}, err
	}
	u, hash := seen.User, ""
	if seen.Kind != Verification {
		name := u.Name
		if seen.Kind == Invitation && strings.TrimSpace(in.Name) != "" {
			if err := setName(&u, in.Name); err != nil {
				return User{}, err
			}
			name = u.Name
		}
		if f := CheckPassword(in.Password, "password", u.Email, name, seen.Workspace.Name); f != nil {
			return User{}, f
		}
		hash = s.Hasher.Hash(in.Password)
	}
	now := s.Clock.Now()
	ok, err := s.Store.UseTicket(ctx, hashToken(in.Token), now)
	if err != nil {
		return User{}, err
	}
	if !ok {
		return User{}, fault.New(fault.NotFound, "auth.ticket_over", nil)
	}
	if hash != "" {
		name := u.Name
		u, err = s.Store.UpdateUser(ctx, seen.Workspace.Key, u.ID, func(x *User) (bool, error) {
			x.Name, x.PasswordHash, x.MustChange, x.UpdatedAt = name, hash, false, now
			return true, nil
		}, "")
		if err != nil {
			return User{}, err
		}
		err = errors.Join(s.Store.EndTickets(ctx, u.ID, Recovery), s.Store.EndTickets(ctx, u.ID, Invitation))
	}
	err = errors.Join(err, s.Store.SetVerified(ctx, u.ID, now), s.Record(ctx, Entry{Workspace: seen.Workspace.Key, ActorKind: access.ByUser, ActorID: u.ID, ActorName: u.Name,
		Action: "ticket." + string(seen.Kind), Object: "user", RecordID: u.ID, Address: in.Peer.Address}))
	if err == nil && seen.Kind == Recovery {
		err = s.Post.Send(ctx, seen.Workspace.Key, Letter{Kind: LetterPasswordChanged, To: u, Peer: Peer{in.Peer.Address, cleanAgent(in.Peer.Agent)}, At: now})
	}
	return u, err
}

// deviceMemory is how many of a person's last sign-ins tell which devices are known.
const deviceMemory = 200

// arrived writes to a person who signed in from a device that was not seen before; the first device of all is nobody's news.
func (s *Service) arrived(ctx context.Context, workspace string, u User, e SignInEntry) error {
	if ok, err := s.reachable(ctx, workspace); err != nil || !ok {
		return err
	}
	list, err := s.Store.ListSignIns(ctx, SignInFilter{UserID: u.ID, Before: e.ID, Limit: deviceMemory})
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(o SignInEntry) bool { return o.Outcome != OutcomeOK })
	browser, system, _ := Device(e.Peer.Agent)
	if len(list) == 0 || slices.ContainsFunc(list, func(o SignInEntry) bool {
		b, sys, _ := Device(o.Peer.Agent)
		return b == browser && sys == system
	}) {
		return nil
	}
	return s.Post.Send(ctx, workspace, Letter{Kind: LetterNewDevice, To: u, Peer: e.Peer, At: e.At})
}

// ResetOffered reports whether a link for a new password can be sent from any workspace.
func (s *Service) ResetOffered(ctx context.Context) (bool, error) {
	all, err := s.Store.Workspaces(ctx)
	if err != nil {
		return false, err
	}
	for _, w := range all {
		if ok, err := s.reachable(ctx, w.Key); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
