package auth

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// PasskeyPrefix is the prefix of printed passkey ids.
const PasskeyPrefix = "pky"

// Passkey is a public key credential of a person (Web Authentication, level 3). The private key never leaves the authenticator.
type Passkey struct {
	ID         id.ID
	UserID     id.ID
	Site       string // the domain that it is good for
	Credential []byte // its id, as the authenticator gave it
	Record     []byte // the public record, JSON
	Name       string
	Counter    uint32 // of the last signature; 0 for authenticators that do not count
	CreatedAt  time.Time
	UsedAt     time.Time // zero when never
	StoppedAt  time.Time // zero while it is good; set when a copy of it showed up
}

// Synced reports whether the passkey may be kept on several devices, by a password manager say.
func (p *Passkey) Synced() bool {
	c, err := p.record()
	return err == nil && c.Flags.BackupEligible
}

func (p *Passkey) record() (webauthn.Credential, error) {
	var c webauthn.Credential
	if err := json.Unmarshal(p.Record, &c); err != nil {
		return c, err
	}
	c.ID, c.Authenticator.SignCount, c.Authenticator.CloneWarning = p.Credential, p.Counter, false
	return c, nil
}

// pack keeps of a credential what later signatures are checked with.
func (p *Passkey) pack(c *webauthn.Credential) error {
	kept := *c
	kept.Attestation = webauthn.CredentialAttestation{}
	raw, err := json.Marshal(kept)
	p.Credential, p.Record, p.Counter = c.ID, raw, c.Authenticator.SignCount
	return err
}

// Passkeys stores passkeys.
type Passkeys interface {
	// AddPasskey stores one, with recovery codes in place of earlier ones unless salt is nil. Conflict auth.passkey_known when the
	// credential is stored already.
	AddPasskey(ctx context.Context, p Passkey, salt []byte, sums []string) error
	// FindPasskey finds one by the id of its credential.
	FindPasskey(ctx context.Context, credential []byte) (Passkey, bool, error)
	// ListPasskeys are a person's, the oldest first.
	ListPasskeys(ctx context.Context, user id.ID) ([]Passkey, error)
	// HasPasskeys reports whether anybody has one that is good for a site.
	HasPasskeys(ctx context.Context, site string) (bool, error)
	// UsePasskey keeps what a signature changed: false when the passkey is stopped or gone, or when another signature with the same
	// or a higher count was kept meanwhile.
	UsePasskey(ctx context.Context, p Passkey) (bool, error)
	StopPasskey(ctx context.Context, key id.ID, at time.Time) error
	// RenamePasskey and DeletePasskey are the person's; NotFound auth.passkey_unknown. With the last second factor the recovery
	// codes go too.
	RenamePasskey(ctx context.Context, user, key id.ID, name string) error
	DeletePasskey(ctx context.Context, user, key id.ID) error
}

// Site is where the browser is: a passkey is good for one domain.
type Site struct {
	Host    string   // without port
	Origins []string // that pages of it may have
	Name    string
}

// Possible reports whether browsers make passkeys for the site: it needs a name, not an address, and TLS unless it is localhost.
func (s Site) Possible() bool { return protocol.ValidateRPID(s.Host) == nil && len(s.Origins) > 0 }

func (s Site) party() (*webauthn.WebAuthn, error) {
	if !s.Possible() {
		return nil, fault.New(fault.Conflict, "auth.passkey_site", nil)
	}
	name := s.Name
	if name == "" {
		name = "Guanxi"
	}
	return webauthn.New(&webauthn.Config{RPID: s.Host, RPDisplayName: name, RPOrigins: s.Origins, AttestationPreference: protocol.PreferNoAttestation})
}

// holder is a person as the library wants to see them. The handle is the printed id: it says nothing about the person.
type holder struct {
	user User
	keys []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(id.Format(UserPrefix, h.user.ID)) }
func (h holder) WebAuthnName() string                       { return h.user.Email }
func (h holder) WebAuthnDisplayName() string                { return h.user.Name }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// holding gathers a person's passkeys of a site that are good.
func (s *Service) holding(ctx context.Context, u User, site Site) (holder, error) {
	list, err := s.Store.ListPasskeys(ctx, u.ID)
	if err != nil {
		return holder{}, err
	}
	h := holder{user: u}
	for i := range list {
		if list[i].Site != site.Host || !list[i].StoppedAt.IsZero() {
			continue
		}
		c, err := list[i].record()
		if err != nil {
			return holder{}, err
		}
		h.keys = append(h.keys, c)
	}
	return h, nil
}

// Challenge is what a browser is asked: Options goes to the authenticator, Flow comes back with the answer.
type Challenge struct {
	Flow    string
	Options []byte // JSON, as navigator.credentials takes it
}

// PasskeyAnswer is what the browser brings back.
type PasskeyAnswer struct {
	Flow       string
	Credential []byte // JSON
	Name       string // of a passkey that is made
	Workspace  string // preferred, "" for the first
}

const (
	mostPasskeys = 20
	passkeyLife  = 5 * time.Minute
	passkeyName  = 60 // characters
)

func (s *Service) ask(ctx context.Context, kind FlowKind, user id.ID, options any, session *webauthn.SessionData) (Challenge, error) {
	data, err := json.Marshal(session)
	if err != nil {
		return Challenge{}, err
	}
	raw, err := json.Marshal(options)
	if err != nil {
		return Challenge{}, err
	}
	flow, err := s.putFlow(ctx, kind, user, data, passkeyLife)
	return Challenge{Flow: flow, Options: raw}, err
}

func (s *Service) answered(ctx context.Context, kind FlowKind, user id.ID, flow string) (webauthn.SessionData, error) {
	var session webauthn.SessionData
	data, err := s.takeFlow(ctx, kind, user, flow)
	if err != nil {
		return session, err
	}
	return session, json.Unmarshal(data, &session)
}

// Passkeys are a person's.
func (s *Service) Passkeys(ctx context.Context, user id.ID) ([]Passkey, error) {
	return s.Store.ListPasskeys(ctx, user)
}

// PasskeyOffered reports whether anybody could sign in at a site with a passkey.
func (s *Service) PasskeyOffered(ctx context.Context, site Site) (bool, error) {
	if !site.Possible() {
		return false, nil
	}
	return s.Store.HasPasskeys(ctx, site.Host)
}

// BeginPasskey asks an authenticator for a passkey. A full session proves the password; one that stands at the enrolment has just
// done so. Faults: Conflict auth.passkey_site where browsers make none, auth.passkey_many.
func (s *Service) BeginPasskey(ctx context.Context, who Identity, site Site, password string) (Challenge, error) {
	party, err := site.party()
	if err != nil {
		return Challenge{}, err
	}
	if who.Stage == Full {
		if err := s.prove(ctx, who, password, "password"); err != nil {
			return Challenge{}, err
		}
	}
	list, err := s.Store.ListPasskeys(ctx, who.User.ID)
	if err != nil {
		return Challenge{}, err
	}
	if len(list) >= mostPasskeys {
		return Challenge{}, fault.New(fault.Conflict, "auth.passkey_many", fault.Params{"max": mostPasskeys})
	}
	h, err := s.holding(ctx, who.User, site)
	if err != nil {
		return Challenge{}, err
	}
	options, session, err := party.BeginRegistration(h, webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred),
		webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()), func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.AuthenticatorSelection.UserVerification = protocol.VerificationPreferred
			return nil
		})
	if err != nil {
		return Challenge{}, err
	}
	return s.ask(ctx, FlowPasskeyNew, who.User.ID, options, session)
}

// AddPasskey stores what the authenticator made. The first second factor of a person brings recovery codes, shown this once, ends
// every other session and goes on under another token; so does one that the role demanded. Faults: Invalid auth.passkey_refused,
// auth.passkey_name, Conflict auth.flow_over, auth.passkey_known.
func (s *Service) AddPasskey(ctx context.Context, who Identity, site Site, in PasskeyAnswer, peer Peer) (Passkey, []string, SignedIn, error) {
	party, err := site.party()
	if err != nil {
		return Passkey{}, nil, SignedIn{}, err
	}
	name, err := s.passkeyName(in.Name, peer)
	if err != nil {
		return Passkey{}, nil, SignedIn{}, err
	}
	session, err := s.answered(ctx, FlowPasskeyNew, who.User.ID, in.Flow)
	if err != nil {
		return Passkey{}, nil, SignedIn{}, err
	}
	refused := fault.InvalidField("auth.passkey_refused", "credential", nil)
	answer, err := protocol.ParseCredentialCreationResponseBytes(in.Credential)
	if err != nil {
		return Passkey{}, nil, SignedIn{}, refused
	}
	made, err := party.CreateCredential(holder{user: who.User}, session, answer)
	if err != nil {
		return Passkey{}, nil, SignedIn{}, refused
	}
	p := Passkey{ID: s.IDs.Next(), UserID: who.User.ID, Site: site.Host, Name: name, CreatedAt: s.Clock.Now()}
	if err := p.pack(made); err != nil {
		return Passkey{}, nil, SignedIn{}, err
	}
	var codes, sums []string
	var salt []byte
	first := !who.User.Factor
	if first {
		codes, salt, sums = s.newRecovery()
	}
	if err := s.Store.AddPasskey(ctx, p, salt, sums); err != nil {
		return Passkey{}, nil, SignedIn{}, err
	}
	if err := s.Note(ctx, who.Workspace.Key, "passkey.create", "user", who.User.ID, map[string]any{"passkey": id.Format(PasskeyPrefix, p.ID), "synced": p.Synced()}); err != nil {
		return Passkey{}, nil, SignedIn{}, err
	}
	if err := s.tell(ctx, who.Workspace.Key, who.User, "passkey_added", peer); err != nil {
		return Passkey{}, nil, SignedIn{}, err
	}
	u := who.User
	u.Factor = true
	var fresh SignedIn
	switch {
	case who.Stage != Full:
		if _, err = s.Store.EndSessions(ctx, u.ID, who.Session); err == nil {
			fresh, err = s.step(ctx, who, u, peer, map[string]any{"factor": "passkey enrolled"})
		}
	case first:
		fresh, err = s.renew(ctx, u, who, peer, Full)
	}
	return p, codes, fresh, err
}

// passkeyName is a name that was given, or the device's.
func (s *Service) passkeyName(name string, peer Peer) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		browser, system, _ := Device(peer.Agent)
		name = strings.Trim(browser+" \u00b7 "+system, " \u00b7")
	}
	if name == "" {
		name = "Passkey"
	}
	if utf8.RuneCountInString(name) > passkeyName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return "", fault.InvalidField("auth.passkey_name", "name", fault.Params{"max": passkeyName})
	}
	return name, nil
}

// RenamePasskey gives one of the caller's passkeys another name.
func (s *Service) RenamePasskey(ctx context.Context, who Identity, key id.ID, name string) error {
	if strings.TrimSpace(name) == "" {
		return fault.InvalidField("auth.passkey_name", "name", fault.Params{"max": passkeyName})
	}
	name, err := s.passkeyName(name, Peer{})
	if err != nil {
		return err
	}
	if err := s.Store.RenamePasskey(ctx, who.User.ID, key, name); err != nil {
		return err
	}
	return s.Note(ctx, who.Workspace.Key, "passkey.rename", "user", who.User.ID, map[string]any{"passkey": id.Format(PasskeyPrefix, key)})
}

// DropPasskey revokes one of the caller's passkeys. Every other session ends, since one of them may stand on the device that was
// lost; the present one goes on, at the enrolment when the role demands a second factor and none is left.
func (s *Service) DropPasskey(ctx context.Context, who Identity, key id.ID, password string, peer Peer) (SignedIn, error) {
	if err := s.prove(ctx, who, password, "password"); err != nil {
		return SignedIn{}, err
	}
	if err := s.Store.DeletePasskey(ctx, who.User.ID, key); err != nil {
		return SignedIn{}, err
	}
	if err := s.Note(ctx, who.Workspace.Key, "passkey.revoke", "user", who.User.ID, map[string]any{"passkey": id.Format(PasskeyPrefix, key)}); err != nil {
		return SignedIn{}, err
	}
	if err := s.tell(ctx, who.Workspace.Key, who.User, "passkey_revoked", peer); err != nil {
		return SignedIn{}, err
	}
	return s.renewAs(ctx, who, peer)
}

// renewAs is renew after a change of second factors: what is owed is found anew.
func (s *Service) renewAs(ctx context.Context, who Identity, peer Peer) (SignedIn, error) {
	u, err := s.Store.GetUser(ctx, who.Workspace.Key, who.User.ID)
	if err != nil {
		return SignedIn{}, err
	}
	stage, err := s.owes(ctx, u, who.Via, true)
	if err != nil {
		return SignedIn{}, err
	}
	return s.renew(ctx, u, who, peer, stage)
}

// BeginPasskeySignIn asks whoever is at the browser for a passkey of theirs, which must check who holds it.
func (s *Service) BeginPasskeySignIn(ctx context.Context, site Site) (Challenge, error) {
	party, err := site.party()
	if err != nil {
		return Challenge{}, err
	}
	options, session, err := party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Challenge{}, err
	}
	return s.ask(ctx, FlowPasskeySignIn, 0, options, session)
}

// errPasskey is the same whatever was wrong with a passkey that signs in.
var errPasskey = fault.New(fault.Unauthenticated, "auth.passkey_wrong", nil)

// PasskeySignIn signs in with a passkey alone: having it is one factor, and the check of the person by the authenticator is
// another. Faults: Unauthenticated auth.passkey_wrong whatever was wrong, auth.passkey_cloned, Conflict auth.flow_over, auth.locked.
func (s *Service) PasskeySignIn(ctx context.Context, site Site, in PasskeyAnswer, peer Peer) (SignedIn, error) {
	party, err := site.party()
	if err != nil {
		return SignedIn{}, err
	}
	peer.Agent = cleanAgent(peer.Agent)
	throttle := "passkey:" + peer.Address
	if err := s.slow(ctx, throttle); err != nil {
		s.refused(ctx, "", "passkey", SignInEntry{Outcome: OutcomeLocked, Way: WayPasskey, Peer: peer})
		return SignedIn{}, err
	}
	session, err := s.answered(ctx, FlowPasskeySignIn, 0, in.Flow)
	if err != nil {
		return SignedIn{}, err
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(in.Credential)
	if err != nil {
		s.refused(ctx, "", "passkey", SignInEntry{Outcome: OutcomeWrongPasskey, Way: WayPasskey, Peer: peer})
		return SignedIn{}, errPasskey
	}
	p, u, known, err := s.ownerOf(ctx, answer.RawID, site)
	if err != nil {
		return SignedIn{}, err
	}
	var used *webauthn.Credential
	if known {
		used, err = s.verified(p, u, func(h holder) (*webauthn.Credential, error) {
			_, c, err := party.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return h, nil }, session, answer)
			return c, err
		})
	}
	if !known || err != nil || u.Disabled {
		outcome := OutcomeWrongPasskey
		if u.Disabled {
			outcome = OutcomeDisabled
		}
		s.refused(ctx, u.Email, "passkey", SignInEntry{UserID: u.ID, Outcome: outcome, Way: WayPasskey, Peer: peer})
		return SignedIn{}, errPasskey
	}
	if err := s.spend(ctx, p, used, u, peer); err != nil {
		return SignedIn{}, err
	}
	if err := s.Store.Forgive(ctx, throttle); err != nil {
		return SignedIn{}, err
	}
	stage, err := s.owes(ctx, u, Via{Way: WayPasskey}, true)
	if err != nil {
		return SignedIn{}, err
	}
	return s.open(ctx, u, opening{workspace: in.Workspace, peer: peer, stage: stage, via: Via{Way: WayPasskey}, detail: map[string]any{"way": WayPasskey, "passkey": id.Format(PasskeyPrefix, p.ID)}})
}

// ownerOf finds a passkey of the site and the person it belongs to.
func (s *Service) ownerOf(ctx context.Context, credential []byte, site Site) (Passkey, User, bool, error) {
	p, ok, err := s.Store.FindPasskey(ctx, credential)
	if err != nil || !ok || p.Site != site.Host {
		return Passkey{}, User{}, false, err
	}
	m, err := s.place(ctx, p.UserID, "")
	if fault.CodeOf(err) == "auth.no_workspace" {
		return Passkey{}, User{}, false, nil
	}
	if err != nil {
		return Passkey{}, User{}, false, err
	}
	u, err := s.Store.GetUser(ctx, m.Workspace.Key, p.UserID)
	return p, u, err == nil, err
}

// verified checks a signature with the stored passkey.
func (s *Service) verified(p Passkey, u User, check func(holder) (*webauthn.Credential, error)) (*webauthn.Credential, error) {
	if !p.StoppedAt.IsZero() {
		return nil, errPasskey
	}
	c, err := p.record()
	if err != nil {
		return nil, err
	}
	return check(holder{user: u, keys: []webauthn.Credential{c}})
}

// spend keeps that a passkey was used. One whose count does not go up may have been copied: it is stopped, and the person is not
// let in.
func (s *Service) spend(ctx context.Context, p Passkey, used *webauthn.Credential, u User, peer Peer) error {
	now := s.Clock.Now()
	copied := used.Authenticator.CloneWarning
	if !copied {
		p.UsedAt = now
		if err := p.pack(used); err != nil {
			return err
		}
		kept, err := s.Store.UsePasskey(ctx, p)
		if err != nil || kept {
			return err
		}
		copied = p.Counter > 0
		if !copied {
			return errPasskey
		}
	}
	if err := s.Store.StopPasskey(ctx, p.ID, now); err != nil {
		return err
	}
	if err := s.noteOf(ctx, u, "passkey.cloned", map[string]any{"passkey": id.Format(PasskeyPrefix, p.ID)}, peer); err != nil {
		return err
	}
	s.refused(ctx, u.Email, "passkey copied", SignInEntry{UserID: u.ID, Outcome: OutcomeWrongPasskey, Way: WayPasskey, Peer: peer})
	return fault.New(fault.Unauthenticated, "auth.passkey_cloned", nil)
}

// StepWays are the ways in which a session that owes a code can go on.
type StepWays struct{ Authenticator, Passkey, Recovery bool }

// StepWaysOf are the ways of a person at a site.
func (s *Service) StepWaysOf(ctx context.Context, u User, site Site) (StepWays, error) {
	f, ok, err := s.Store.FindFactor(ctx, u.ID)
	if err != nil {
		return StepWays{}, err
	}
	h, err := s.holding(ctx, u, site)
	if err != nil {
		return StepWays{}, err
	}
	_, left, err := s.Store.FindRecovery(ctx, u.ID)
	return StepWays{Authenticator: ok && !f.ConfirmedAt.IsZero(), Passkey: len(h.keys) > 0 && site.Possible(), Recovery: left > 0}, err
}

// BeginPasskeyStep asks for a passkey in place of a code. Conflict auth.step_over for a session that owes none, auth.passkey_none.
func (s *Service) BeginPasskeyStep(ctx context.Context, who Identity, site Site) (Challenge, error) {
	if who.Stage != OwesCode {
		return Challenge{}, fault.New(fault.Conflict, "auth.step_over", nil)
	}
	party, err := site.party()
	if err != nil {
		return Challenge{}, err
	}
	h, err := s.holding(ctx, who.User, site)
	if err != nil {
		return Challenge{}, err
	}
	if len(h.keys) == 0 {
		return Challenge{}, fault.New(fault.Conflict, "auth.passkey_none", nil)
	}
	options, session, err := party.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return Challenge{}, err
	}
	return s.ask(ctx, FlowPasskeyStep, who.User.ID, options, session)
}

// PassPasskey is the second step of signing in with a passkey. Faults: Conflict auth.step_over, auth.flow_over, Invalid
// auth.passkey_refused, auth.locked.
func (s *Service) PassPasskey(ctx context.Context, who Identity, site Site, in PasskeyAnswer, peer Peer) (SignedIn, error) {
	if who.Stage != OwesCode {
		return SignedIn{}, fault.New(fault.Conflict, "auth.step_over", nil)
	}
	party, err := site.party()
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.slow(ctx, factorKey(who)); err != nil {
		return SignedIn{}, err
	}
	session, err := s.answered(ctx, FlowPasskeyStep, who.User.ID, in.Flow)
	if err != nil {
		return SignedIn{}, err
	}
	peer.Agent = cleanAgent(peer.Agent)
	var p Passkey
	var used *webauthn.Credential
	known := false
	answer, err := protocol.ParseCredentialRequestResponseBytes(in.Credential)
	if err == nil {
		var found error
		if p, known, found = s.Store.FindPasskey(ctx, answer.RawID); found != nil {
			return SignedIn{}, found
		}
		used, err = s.verified(p, who.User, func(holder) (*webauthn.Credential, error) {
			h, err := s.holding(ctx, who.User, site)
			if err != nil {
				return nil, err
			}
			return party.ValidateLogin(h, session, answer)
		})
	}
	if err != nil || !known || p.UserID != who.User.ID {
		s.refused(ctx, who.User.Email, "passkey", SignInEntry{UserID: who.User.ID, Outcome: OutcomeWrongPasskey, Way: WayPasskey, Peer: peer})
		return SignedIn{}, fault.InvalidField("auth.passkey_refused", "credential", nil)
	}
	if err := s.spend(ctx, p, used, who.User, peer); err != nil {
		return SignedIn{}, err
	}
	if err := s.Store.Forgive(ctx, factorKey(who)); err != nil {
		return SignedIn{}, err
	}
	return s.step(ctx, who, who.User, peer, map[string]any{"factor": "passkey", "passkey": id.Format(PasskeyPrefix, p.ID)})
}
