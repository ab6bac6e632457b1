// Package auth knows people, keys and sessions, and decides who is calling.
//
// Guarantees. Passwords are kept as argon2id hashes (19 MiB, two passes, one computation at a time so that memory stays
// bounded); session tokens and API keys are 256 random bits of which only the SHA-256 is stored. An attempt to sign in is
// counted before it is checked, per account and address together, per address, and per account, and takes equally long
// whether the account exists or not. A session ends when idle, when old, on sign-out, when its user is disabled, and when
// the password, second factor or role of its user changes; signing in always makes a new one. The CSRF token is derived from
// the session token and needs no storage. Every decision of interest leaves an Entry in the audit trail.
//
// Signing in has steps. A password opens a session that lasts minutes and stands at a Stage while something is still owed: a
// code of the second factor, a new password in place of one an administrator gave, the enrolment that the role demands. Such
// a session may do nothing but that step; each step done goes on under a new token. The second factor is TOTP (RFC 6238:
// SHA-1, six digits, 30 seconds, one step of grace to either side); its secret is sealed by the Vault, each code is good
// once, and ten recovery codes, kept as argon2id sums, replace it once each. Guesses at a code wait like guesses at a
// password.
//
// A passkey (Web Authentication) is a second factor too, and signs in alone where the authenticator checks who holds it. Only public
// keys are stored. Each challenge is good once and for minutes; a passkey whose count of signatures does not go up may have been
// copied: it is stopped.
//
// A provider of identities (OpenID Connect) vouches for people of one workspace, and what it opens reaches that workspace alone. A
// person is linked once, by an address that the provider has verified, and from then on known by the provider's own name for them. A
// workspace may let people in through its providers alone; administrators keep their passwords for the day when one fails.
//
// A ticket is the secret of a link in a mail: an invitation, a new password, the proof of an address. It is 256 random bits of which
// the SHA-256 is stored, is good once and for a while, and signs nobody in. Who asks for a new password is answered the same, and as
// quickly, whether the address has an account or not.
//
// It does not know HTTP, nor which right a request needs.
package auth

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// UserPrefix is the prefix of printed user ids.
const UserPrefix = "usr"

// KeyPrefix is the prefix of printed API key ids.
const KeyPrefix = "key"

// User is a person who can sign in, as seen from one workspace.
type User struct {
	ID           id.ID
	Email        string // as entered; unique in its folded form
	Name         string
	Locale       string // zh-CN or en
	Theme        string // light, dark or system
	PasswordHash string
	Disabled     bool
	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastSeenAt   time.Time   // zero when never
	Role         access.Role // in the workspace asked for
	MustChange   bool        // the password was given by an administrator and is good for one sign-in
	Factor       bool        // has a second factor: a confirmed authenticator or a passkey; stored apart, UpdateUser leaves it alone
	Linked       bool        // a provider of identities signs the person in; stored apart as well
}

// Workspace is one organisation of the instance.
type Workspace struct {
	Key       string // [a-z][a-z0-9_]{0,30}
	Name      string
	Timezone  string // IANA name
	Currency  string // ISO 4217
	Locale    string
	CreatedAt time.Time
	// FactorRoles are the roles that must have a second factor.
	FactorRoles []access.Role
	// ProviderOnly lets people, administrators apart, in through a provider of identities alone.
	ProviderOnly bool
}

// Stage is what a session still owes before it may do anything else.
type Stage string

// The stages, in the order in which they are passed; a session without any is a full one.
const (
	Full          Stage = ""
	OwesCode      Stage = "code"
	OwesPassword  Stage = "password"
	OwesEnrolment Stage = "enrol"
)

// Peer is the browser at the other end, for lists of sessions and sign-ins. It is what the other side says of itself.
type Peer struct {
	Address string
	Agent   string // the User-Agent header, at most 300 characters
}

// Session is a signed-in browser. Its token is never stored.
type Session struct {
	Hash      string // SHA-256 of the token, hex
	UserID    id.ID
	Workspace string // chosen at sign-in; a header may name another of the user's
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	Stage     Stage
	Peer      Peer
	Via       Via
}

// Way is how a person proves who they are.
type Way string

// The ways.
const (
	WayPassword Way = "password"
	WayPasskey  Way = "passkey"
	WayProvider Way = "provider"
)

// Via is how a session came about. One that a provider of identities opened reaches the provider's workspace alone.
type Via struct {
	Way      Way
	Provider id.ID  // 0 for none
	Subject  string // the person, as the provider names them
	SID      string // the session at the provider, where it tells
	Hint     []byte // the provider's token, sealed: it ends the session there
	Proved   bool   // the provider has checked a second factor; not stored
}

// Name tells a session apart without helping to take it over: part of the hash of its token.
func (s Session) Name() string { return s.Hash[:sessionName] }

const sessionName = 24

// Factor is the second factor of a person.
type Factor struct {
	UserID      id.ID
	Secret      []byte // sealed
	CreatedAt   time.Time
	ConfirmedAt time.Time // zero until a first code proved that it works
	LastStep    int64     // the time step of the last code taken; none at or before it is good
}

// Outcome is how an attempt to sign in ended.
type Outcome string

// The outcomes.
const (
	OutcomeOK            Outcome = "ok"
	OutcomeWrongPassword Outcome = "wrong_password"
	OutcomeUnknown       Outcome = "unknown_account"
	OutcomeDisabled      Outcome = "disabled"
	OutcomeLocked        Outcome = "locked"
	OutcomeWrongCode     Outcome = "wrong_code"
	OutcomeWrongPasskey  Outcome = "wrong_passkey"
	OutcomeProvider      Outcome = "provider_refused" // a provider's answer did not hold, or names nobody who may come in
	OutcomeProviderOnly  Outcome = "provider_only"    // the password was right, and the workspace takes none
)

// SignInEntry is one attempt to sign in.
type SignInEntry struct {
	ID      id.ID
	UserID  id.ID // 0 when no account has the address given
	Name    string
	At      time.Time
	Outcome Outcome
	Way     Way // "" for attempts of old
	Peer    Peer
}

// SignInFilter chooses attempts, newest first: of one person, or of everybody in a workspace and of unknown accounts.
type SignInFilter struct {
	UserID    id.ID
	Workspace string
	Before    id.ID // 0 for the newest
	Limit     int
}

// Key is an API key; only the hash of its secret is stored.
type Key struct {
	ID         id.ID
	Workspace  string
	Name       string
	Scopes     []string // read, write, import, admin, act
	Role       access.Role
	Prefix     string // the first characters, to recognise it by
	Hash       string
	CreatedBy  id.ID
	CreatedAt  time.Time
	LastUsedAt time.Time // zero when never
	RevokedAt  time.Time // zero when valid
}

// Entry is one line of the audit trail. Detail never holds personal values or secrets.
type Entry struct {
	ID        id.ID
	Workspace string // "" for the instance
	At        time.Time
	ActorKind access.ActorKind
	ActorID   id.ID
	ActorName string
	Action    string // e.g. "session.create", "personal.reveal"
	Object    string
	RecordID  id.ID
	Detail    map[string]any
	Address   string
}

// Attempt is the failure count of one throttling key.
type Attempt struct {
	Failures int
	LastAt   time.Time
	Until    time.Time // no attempt is allowed before
}

// Store is what auth needs from storage; store/instance implements it.
type Store interface {
	People
	Sessions
	Factors
	Tickets
	Passkeys
	Providers
	Flows
	Keys
	AppendAudit(ctx context.Context, e Entry) error
	// CountActors counts the entries of an action since an instant by who did it, the most first.
	CountActors(ctx context.Context, workspace, action string, since time.Time, limit int) ([]ActorCount, error)
	ListAudit(ctx context.Context, f EntryFilter) ([]Entry, error)
	// CheckTrail walks along the chain; head, when not 0, must be a place of it with that hash.
	CheckTrail(ctx context.Context, head int64, hash string) (TrailCheck, error)
	// Hit counts one attempt for a key: failures are forgotten when the last is older than window. The state before the
	// attempt is returned; when that forbids an attempt at now, nothing is counted.
	Hit(ctx context.Context, key string, now time.Time, window time.Duration, until func(failures int) time.Time) (Attempt, error)
	// Forgive clears keys.
	Forgive(ctx context.Context, keys ...string) error
	// Unhit takes back the Hit of an attempt that was none to be slowed: its count, and the wait that it began. before is what Hit
	// returned.
	Unhit(ctx context.Context, key string, now time.Time, before Attempt) error
}

// People stores users, workspaces and memberships.
type People interface {
	// Initialise stores the first workspace and user; it fails with Conflict when the instance has a user already.
	Initialise(ctx context.Context, w Workspace, u User) error
	CountUsers(ctx context.Context) (int, error)
	CreateWorkspace(ctx context.Context, w Workspace) error
	Workspaces(ctx context.Context) ([]Workspace, error)
	// SetFactorRoles says which roles of a workspace must have a second factor.
	SetFactorRoles(ctx context.Context, workspace string, roles []access.Role) error
	// Memberships are the workspaces of a user with the role in each, oldest first.
	Memberships(ctx context.Context, user id.ID) ([]Membership, error)
	FindUser(ctx context.Context, email string) (User, bool, error)
	GetUser(ctx context.Context, workspace string, user id.ID) (User, error)
	ListUsers(ctx context.Context, workspace string) ([]User, error)
	CreateUser(ctx context.Context, workspace string, u User) error
	// UpdateUser runs change on the stored user and writes it back in one transaction, refusing with Conflict to leave the
	// workspace without an enabled administrator. With killSessions every session of the user ends, except keep.
	UpdateUser(ctx context.Context, workspace string, user id.ID, change func(*User) (killSessions bool, err error), keep string) (User, error)
}

// Membership is a user's place in a workspace.
type Membership struct {
	Workspace Workspace
	Role      access.Role
}

// Sessions stores sessions.
type Sessions interface {
	CreateSession(ctx context.Context, s Session) error
	FindSession(ctx context.Context, hash string) (Session, bool, error)
	TouchSession(ctx context.Context, hash string, at time.Time) error
	DeleteSession(ctx context.Context, hash string) error
	// ListSessions are the full sessions of a person that have not ended, the last used first.
	ListSessions(ctx context.Context, user id.ID, idleBefore, now time.Time) ([]Session, error)
	// EndSession ends one by its Name; NotFound auth.session_unknown. EndSessions ends all but one hash and counts them.
	EndSession(ctx context.Context, user id.ID, name string) error
	EndSessions(ctx context.Context, user id.ID, keep string) (int, error)
	AppendSignIn(ctx context.Context, e SignInEntry) error
	ListSignIns(ctx context.Context, f SignInFilter) ([]SignInEntry, error)
	// PurgeSessions removes what has ended.
	PurgeSessions(ctx context.Context, idleBefore, now time.Time) error
}

// Factors stores second factors.
type Factors interface {
	FindFactor(ctx context.Context, user id.ID) (Factor, bool, error)
	// BeginFactor stores a factor to be confirmed in place of an earlier unconfirmed one; Conflict auth.factor_on when there
	// is a confirmed one.
	BeginFactor(ctx context.Context, f Factor) error
	// ConfirmFactor turns on the factor that BeginFactor stored, with its time and step, and new recovery codes; Conflict
	// auth.enrol_over when it is another one.
	ConfirmFactor(ctx context.Context, f Factor, salt []byte, sums []string) error
	// UseStep takes a time step, once: false when it or a later one was taken.
	UseStep(ctx context.Context, user id.ID, step int64) (bool, error)
	// FindRecovery is the salt of a person's recovery codes, nil for none, and how many are left.
	FindRecovery(ctx context.Context, user id.ID) (salt []byte, left int, err error)
	// UseRecovery takes a recovery code by its sum, once; left counts those that remain.
	UseRecovery(ctx context.Context, user id.ID, sum string, at time.Time) (left int, ok bool, err error)
	// ReplaceRecovery puts a new set in place of the old one.
	ReplaceRecovery(ctx context.Context, user id.ID, salt []byte, sums []string) error
	// DeleteFactor removes the authenticator, and the recovery codes with the last second factor; false when there was none.
	DeleteFactor(ctx context.Context, user id.ID) (bool, error)
	// ResetFactors removes every second factor with the codes; false when there was none.
	ResetFactors(ctx context.Context, user id.ID) (bool, error)
}

// Keys stores API keys.
type Keys interface {
	CreateKey(ctx context.Context, k Key) error
	FindKey(ctx context.Context, hash string) (Key, bool, error)
	ListKeys(ctx context.Context, workspace string) ([]Key, error)
	RevokeKey(ctx context.Context, workspace string, key id.ID, at time.Time) error
	TouchKey(ctx context.Context, key id.ID, at time.Time) error
}
