package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Config is what a Service is made of.
type Config struct {
	Store  Store
	Clock  clock.Clock
	IDs    *id.Generator
	Hasher *Hasher
	Vault  Vault         // of second factors and of the secrets at providers; nil refuses them
	Door   Door          // to providers of identities
	Idle   time.Duration // a session unused for so long ends
	Max    time.Duration // a session ends after so long
	// Roles refuses a role that there is not, or that the actor may not hand out; nil knows the built-in ones alone.
	Roles func(ctx context.Context, workspace string, role access.Role) error
	// Post writes to people; nil for no letters.
	Post Post
	// Later runs work behind the request that asks for it; nil runs it at once.
	Later func(func(context.Context) error)
	// SignedIn is told the outcome of each attempt: ok, refused or locked. May be nil.
	SignedIn func(outcome string)
}

// Service is the behaviour of the package. It is safe for concurrent use.
type Service struct{ Config }

// New makes a Service.
func New(c Config) *Service {
	if c.Roles == nil {
		c.Roles = func(_ context.Context, _ string, r access.Role) error {
			if !r.Known() {
				return fault.InvalidField("auth.role_unknown", "role", nil)
			}
			return nil
		}
	}
	if c.Later == nil {
		c.Later = func(fn func(context.Context) error) { _ = fn(context.Background()) }
	}
	if c.SignedIn == nil {
		c.SignedIn = func(string) {}
	}
	return &Service{c}
}

// touchEvery bounds how often a session's or key's last use is written.
const touchEvery = time.Minute

// throttle windows and thresholds.
const (
	failureWindow  = time.Hour
	freePerPair    = 5   // failures of one account from one address before waiting begins
	freePerAddress = 30  // failures of one address, whatever the account
	freePerAccount = 100 // failures of one account, from wherever
	firstWait      = 15 * time.Second
	longestWait    = 15 * time.Minute
)

// Identity is who a request comes from, and where they stand.
type Identity struct {
	User      User // zero for keys
	Key       Key  // zero for users
	Workspace Workspace
	Actor     access.Actor
	Session   string // hash of the session, "" for keys
	Stage     Stage  // what the session still owes; Full for keys
	Via       Via
	Since     time.Time // when the session began; zero for keys
}

// SignedIn is a new session; Token goes into the cookie and nowhere else.
type SignedIn struct {
	Identity
	Token     string
	ExpiresAt time.Time
}

// Credentials are what a person signs in with.
type Credentials struct {
	Email     string
	Password  string
	Address   string // of the network peer, for throttling
	Agent     string // what the browser calls itself
	Workspace string // preferred, "" for the first
}

// Setup is the first run: one workspace and its administrator.
type Setup struct {
	Email, Password, Name      string
	Workspace                  string // display name of the organisation
	Locale, Timezone, Currency string
	Address                    string
	Theme                      string
}

// CSRF is the token that a session's writes must carry in a header, derived from the session token.
func CSRF(token string) string {
	m := hmac.New(sha256.New, []byte(token))
	m.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// CheckCSRF compares in constant time.
func CheckCSRF(token, given string) bool {
	return subtle.ConstantTimeCompare([]byte(CSRF(token)), []byte(given)) == 1
}

func hashToken(t string) string {
	s := sha256.Sum256([]byte(t))
	return hex.EncodeToString(s[:])
}

func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// NewSecret is a text of 256 random bits, 43 letters, for what a browser keeps.
func NewSecret() string { return newToken() }

// NeedsSetup reports an instance without users.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	n, err := s.Store.CountUsers(ctx)
	return n == 0, err
}

var workspaceShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// Initialise makes the first workspace (key "main") and its administrator; Conflict auth.already_set_up afterwards.
func (s *Service) Initialise(ctx context.Context, in Setup) (User, Workspace, error) {
	w := Workspace{Key: "main", Name: strings.TrimSpace(in.Workspace), Timezone: in.Timezone, Currency: in.Currency, Locale: in.Locale, CreatedAt: s.Clock.Now()}
	if w.Name == "" {
		w.Name = "Guanxi"
	}
	u, items := s.newUser(in.Email, in.Name, in.Password, in.Locale, w.Name)
	u.Role = access.Administrator
	if f := fault.Join("api.invalid", append(items, checkWorkspace(w)...)); f != nil {
		return User{}, w, f
	}
	u.PasswordHash = s.Hasher.Hash(in.Password)
	if err := s.Store.Initialise(ctx, w, u); err != nil {
		return User{}, w, err
	}
	err := s.Record(ctx, Entry{Workspace: w.Key, ActorKind: access.ByUser, ActorID: u.ID, ActorName: u.Name, Action: "instance.setup", Address: in.Address})
	return u, w, err
}

// CreateWorkspace adds an organisation; members are added with AddMember or CreateUser.
func (s *Service) CreateWorkspace(ctx context.Context, w Workspace) error {
	w.CreatedAt = s.Clock.Now()
	if f := fault.Join("api.invalid", checkWorkspace(w)); f != nil {
		return f
	}
	if err := s.Store.CreateWorkspace(ctx, w); err != nil {
		return err
	}
	return s.Note(ctx, w.Key, "workspace.create", "", 0, nil)
}

func checkWorkspace(w Workspace) []*fault.Fault {
	var items []*fault.Fault
	if !workspaceShape.MatchString(w.Key) {
		items = append(items, fault.InvalidField("auth.workspace_key", "key", nil))
	}
	if n := utf8.RuneCountInString(w.Name); n == 0 || n > 100 {
		items = append(items, fault.InvalidField("auth.name_length", "workspace", fault.Params{"max": 100}))
	}
	if _, err := time.LoadLocation(w.Timezone); err != nil || w.Timezone == "" || w.Timezone == "Local" {
		items = append(items, fault.InvalidField("auth.timezone_unknown", "timezone", nil))
	}
	if !money.Known(w.Currency) {
		items = append(items, fault.InvalidField("auth.currency_unknown", "currency", nil))
	}
	if w.Locale != "zh-CN" && w.Locale != "en" {
		items = append(items, fault.InvalidField("auth.locale_unknown", "locale", nil))
	}
	return items
}

func (s *Service) newUser(email, name, password, locale, workspace string) (User, []*fault.Fault) {
	var items []*fault.Fault
	email, name = strings.TrimSpace(email), strings.TrimSpace(name)
	if !validEmail(email) {
		items = append(items, fault.InvalidField("auth.email_invalid", "email", nil))
	}
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	if utf8.RuneCountInString(name) > 100 {
		items = append(items, fault.InvalidField("auth.name_length", "name", fault.Params{"max": 100}))
	}
	if f := CheckPassword(password, "password", email, name, workspace); f != nil {
		items = append(items, f)
	}
	now := s.Clock.Now()
	return User{ID: s.IDs.Next(), Email: email, Name: name, Locale: locale, Theme: "system", CreatedAt: now, UpdatedAt: now}, items
}

func validEmail(e string) bool {
	a, err := mail.ParseAddress(e)
	return err == nil && a.Address == e && len(e) <= 254 && !strings.ContainsAny(e, " \t\r\n<>")
}

// SignIn checks credentials and opens a session, which may stand at a Stage. Faults: auth.bad_credentials (Unauthenticated)
// whatever was wrong, auth.locked (RateLimited, retry_after seconds).
func (s *Service) SignIn(ctx context.Context, c Credentials) (SignedIn, error) {
	now := s.Clock.Now()
	peer := Peer{c.Address, cleanAgent(c.Agent)}
	account := hashToken(lang.Fold(c.Email))[:32]
	keys := []string{"pair:" + account + ":" + c.Address, "addr:" + c.Address, "acct:" + account}
	locked, place := fault.New(fault.RateLimited, "auth.locked", nil), Attempt{}
	for i, free := range []int{freePerPair, freePerAddress, freePerAccount} {
		at, err := s.Store.Hit(ctx, keys[i], now, failureWindow, func(n int) time.Time { return now.Add(wait(n, free)) })
		if err != nil {
			return SignedIn{}, err
		}
		if i == 1 {
			place = at
		}
		if at.Until.After(now) {
			locked.Params = fault.Params{"retry_after": int(at.Until.Sub(now).Seconds()) + 1}
			break
		}
	}
	u, found, err := s.Store.FindUser(ctx, c.Email)
	if err != nil {
		return SignedIn{}, err
	}
	if locked.Params != nil {
		s.refused(ctx, c.Email, "locked", SignInEntry{UserID: u.ID, Outcome: OutcomeLocked, Way: WayPassword, Peer: peer})
		return SignedIn{}, locked
	}
	if !s.Hasher.Verify(u.PasswordHash, c.Password) || !found || u.Disabled {
		outcome := OutcomeWrongPassword
		switch {
		case !found:
			outcome = OutcomeUnknown
		case u.Disabled:
			outcome = OutcomeDisabled
		}
		s.refused(ctx, c.Email, "credentials", SignInEntry{UserID: u.ID, Outcome: outcome, Way: WayPassword, Peer: peer})
		return SignedIn{}, fault.New(fault.Unauthenticated, "auth.bad_credentials", nil)
	}
	if err := s.Store.Forgive(ctx, keys[0], keys[2]); err != nil {
		return SignedIn{}, err
	}
	// A house full of people shares an address: who got in does not count towards its limit, and does not clear it either.
	if err := s.Store.Unhit(ctx, keys[1], now, place); err != nil {
		return SignedIn{}, err
	}
	stage, err := s.owes(ctx, u, Via{Way: WayPassword}, false)
	if err != nil {
		return SignedIn{}, err
	}
	return s.open(ctx, u, opening{workspace: c.Workspace, peer: peer, stage: stage, via: Via{Way: WayPassword}})
}

// refused leaves a failed attempt in the trail and in the history. It is refused whether or not they can be written; the
// account's name is not kept, it may be a password typed into the wrong box.
func (s *Service) refused(ctx context.Context, email, reason string, e SignInEntry) {
	if e.Outcome == OutcomeLocked {
		s.SignedIn("locked")
	} else {
		s.SignedIn("refused")
	}
	_ = s.Record(ctx, Entry{ActorKind: access.BySystem, Action: "session.refused", Address: e.Peer.Address,
		Detail: map[string]any{"reason": reason, "account": hashToken(lang.Fold(email))[:12]}})
	_, _ = s.attempted(ctx, e)
}

func (s *Service) attempted(ctx context.Context, e SignInEntry) (SignInEntry, error) {
	e.ID, e.At = s.IDs.Next(), s.Clock.Now()
	return e, s.Store.AppendSignIn(ctx, e)
}

// wait is how long the next attempt must wait after n failures: nothing while free, then doubling.
func wait(n, free int) time.Duration {
	if n < free {
		return 0
	}
	d := firstWait
	for range n - free {
		if d *= 2; d >= longestWait {
			return longestWait
		}
	}
	return d
}

func untilAfter(now time.Time) func(int) time.Time {
	return func(n int) time.Time { return now.Add(wait(n, freePerPair)) }
}

// Open makes a full session for a user that has proved who they are.
func (s *Service) Open(ctx context.Context, u User, workspace string, peer Peer) (SignedIn, error) {
	peer.Agent = cleanAgent(peer.Agent)
	return s.open(ctx, u, opening{workspace: workspace, peer: peer})
}

// opening is how a session begins.
type opening struct {
	workspace string // "" for the first
	peer      Peer
	stage     Stage
	// renewed is a session that goes on under a new token: no sign-in of its own.
	renewed bool
	via     Via
	detail  map[string]any // for the trail
}

// stageLife is how long a session may stand at a stage.
const stageLife = 10 * time.Minute

func (s *Service) open(ctx context.Context, u User, o opening) (SignedIn, error) {
	m, err := s.reach(ctx, u.ID, o.workspace, o.via)
	if fault.CodeOf(err) == "auth.provider_only" {
		s.refused(ctx, u.Email, "provider only", SignInEntry{UserID: u.ID, Outcome: OutcomeProviderOnly, Way: o.via.Way, Peer: o.peer})
	}
	if err != nil {
		return SignedIn{}, err
	}
	now, token := s.Clock.Now(), newToken()
	sess := Session{Hash: hashToken(token), UserID: u.ID, Workspace: m.Workspace.Key, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(s.Max), Stage: o.stage, Peer: o.peer, Via: o.via}
	if o.stage != Full {
		sess.ExpiresAt = now.Add(stageLife)
	}
	if err := s.Store.CreateSession(ctx, sess); err != nil {
		return SignedIn{}, err
	}
	u.Role = m.Role
	out := SignedIn{Identity: identify(u, m, sess), Token: token, ExpiresAt: sess.ExpiresAt}
	if o.stage != Full || o.renewed {
		return out, nil
	}
	s.SignedIn("ok")
	entry, err := s.attempted(ctx, SignInEntry{UserID: u.ID, Outcome: OutcomeOK, Way: o.via.Way, Peer: o.peer})
	if err != nil {
		return SignedIn{}, err
	}
	if s.Post != nil {
		s.Later(func(ctx context.Context) error { return s.arrived(ctx, m.Workspace.Key, u, entry) })
	}
	if m.Workspace.ProviderOnly && o.via.Provider == 0 { // an administrator, on the way that stays open when the provider fails
		if err := s.noteOf(ctx, u, "session.break_glass", map[string]any{"way": o.via.Way}, o.peer); err != nil {
			return SignedIn{}, err
		}
	}
	return out, s.Record(ctx, Entry{Workspace: m.Workspace.Key, ActorKind: access.ByUser, ActorID: u.ID, ActorName: u.Name, Action: "session.create", Detail: o.detail, Address: o.peer.Address})
}

func identify(u User, m Membership, sess Session) Identity {
	u.Role = m.Role
	return Identity{User: u, Workspace: m.Workspace, Session: sess.Hash, Stage: sess.Stage, Via: sess.Via, Since: sess.CreatedAt,
		Actor: access.Actor{Kind: access.ByUser, ID: u.ID, Name: u.Name, Role: m.Role, Locale: u.Locale}}
}

// place finds the membership in the workspace named, or the first one.
func (s *Service) place(ctx context.Context, user id.ID, workspace string) (Membership, error) {
	ms, err := s.Store.Memberships(ctx, user)
	if err != nil {
		return Membership{}, err
	}
	for _, m := range ms {
		if workspace == "" || m.Workspace.Key == workspace {
			return m, nil
		}
	}
	return Membership{}, fault.New(fault.Forbidden, "auth.no_workspace", nil)
}

// reach is place for a session: one that a provider of identities opened reaches the provider's workspace, which is named; others
// reach no workspace that takes its people through a provider alone, administrators apart. Forbidden auth.provider_only when nothing
// is left.
func (s *Service) reach(ctx context.Context, user id.ID, workspace string, via Via) (Membership, error) {
	if via.Provider != 0 {
		return s.place(ctx, user, workspace)
	}
	ms, err := s.Store.Memberships(ctx, user)
	if err != nil {
		return Membership{}, err
	}
	code := "auth.no_workspace"
	for _, m := range ms {
		if workspace != "" && m.Workspace.Key != workspace {
			continue
		}
		if !m.Workspace.ProviderOnly || m.Role == access.Administrator {
			return m, nil
		}
		code = "auth.provider_only"
	}
	return Membership{}, fault.New(fault.Forbidden, code, nil)
}

// Authenticate finds the identity behind a session token; workspace names another of the user's workspaces, "" for the
// session's own. An ended or unknown session is Unauthenticated auth.session_ended.
func (s *Service) Authenticate(ctx context.Context, token, workspace string) (Identity, error) {
	ended := fault.New(fault.Unauthenticated, "auth.session_ended", nil)
	sess, ok, err := s.Store.FindSession(ctx, hashToken(token))
	if err != nil {
		return Identity{}, err
	}
	now := s.Clock.Now()
	if !ok || !now.Before(sess.ExpiresAt) || now.Sub(sess.SeenAt) > s.Idle {
		return Identity{}, ended
	}
	if workspace == "" || sess.Via.Provider != 0 {
		workspace = sess.Workspace
	}
	m, err := s.reach(ctx, sess.UserID, workspace, sess.Via)
	if fault.CodeOf(err) == "auth.provider_only" {
		return Identity{}, ended
	}
	if err != nil {
		return Identity{}, err
	}
	u, err := s.Store.GetUser(ctx, m.Workspace.Key, sess.UserID)
	if err != nil {
		return Identity{}, err
	}
	if u.Disabled {
		return Identity{}, ended
	}
	if now.Sub(sess.SeenAt) > touchEvery && sess.Stage == Full {
		if err := s.Store.TouchSession(ctx, sess.Hash, now); err != nil {
			return Identity{}, err
		}
	}
	return identify(u, m, sess), nil
}

// AuthenticateKey finds the identity behind an API key.
func (s *Service) AuthenticateKey(ctx context.Context, secret string) (Identity, error) {
	bad := fault.New(fault.Unauthenticated, "auth.bad_key", nil)
	if !strings.HasPrefix(secret, "gxk_") {
		return Identity{}, bad
	}
	k, ok, err := s.Store.FindKey(ctx, hashToken(secret))
	if err != nil {
		return Identity{}, err
	}
	if !ok || !k.RevokedAt.IsZero() {
		return Identity{}, bad
	}
	w, err := s.Workspace(ctx, k.Workspace)
	if err != nil {
		return Identity{}, err
	}
	if now := s.Clock.Now(); now.Sub(k.LastUsedAt) > touchEvery {
		if err := s.Store.TouchKey(ctx, k.ID, now); err != nil {
			return Identity{}, err
		}
	}
	return Identity{Key: k, Workspace: w, Actor: access.Actor{Kind: access.ByKey, ID: k.ID, Name: k.Name, Role: k.Role, Scopes: k.Scopes, Locale: w.Locale}}, nil
}

// Workspace finds a workspace by key; NotFound auth.workspace_unknown.
func (s *Service) Workspace(ctx context.Context, key string) (Workspace, error) {
	all, err := s.Store.Workspaces(ctx)
	if err != nil {
		return Workspace{}, err
	}
	for _, w := range all {
		if w.Key == key {
			return w, nil
		}
	}
	return Workspace{}, fault.New(fault.NotFound, "auth.workspace_unknown", fault.Params{"workspace": key})
}

// SignOut ends a session for good.
func (s *Service) SignOut(ctx context.Context, who Identity) error {
	if err := s.Store.DeleteSession(ctx, who.Session); err != nil {
		return err
	}
	if who.Stage != Full {
		return nil
	}
	return s.Note(access.With(ctx, who.Actor), who.Workspace.Key, "session.delete", "", 0, nil)
}

// Record appends to the audit trail; id and time are set here.
func (s *Service) Record(ctx context.Context, e Entry) error {
	e.ID, e.At = s.IDs.Next(), s.Clock.Now()
	return s.Store.AppendAudit(ctx, e)
}

// noteOf records something that happened to a person who is not signed in, in each of their workspaces.
func (s *Service) noteOf(ctx context.Context, u User, action string, detail map[string]any, peer Peer) error {
	ms, err := s.Store.Memberships(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, m := range ms {
		err := s.Record(ctx, Entry{Workspace: m.Workspace.Key, ActorKind: access.ByUser, ActorID: u.ID, ActorName: u.Name, Action: action, Object: "user", RecordID: u.ID, Detail: detail, Address: peer.Address})
		if err != nil {
			return err
		}
	}
	return nil
}

// Note records an action of the actor in the context.
func (s *Service) Note(ctx context.Context, workspace, action, object string, record id.ID, detail map[string]any) error {
	a := access.From(ctx)
	return s.Record(ctx, Entry{Workspace: workspace, ActorKind: a.Kind, ActorID: a.ID, ActorName: a.Name, Action: action, Object: object, RecordID: record, Detail: detail})
}

// NewKey makes an API key with at least one of the scopes read, write, import, admin, act; the secret is returned once. The key
// acts with the role of the actor in the context.
func (s *Service) NewKey(ctx context.Context, workspace, name string, scopes []string) (Key, string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > 100 {
		return Key{}, "", fault.InvalidField("auth.name_length", "name", fault.Params{"max": 100})
	}
	if len(scopes) == 0 {
		return Key{}, "", fault.InvalidField("auth.scope_unknown", "scopes", nil)
	}
	for _, sc := range scopes {
		if !slices.Contains([]string{"read", "write", "import", "admin", access.ActScope, access.CheckoutScope}, sc) {
			return Key{}, "", fault.InvalidField("auth.scope_unknown", "scopes", nil)
		}
	}
	a := access.From(ctx)
	secret := "gxk_" + newToken()
	k := Key{ID: s.IDs.Next(), Workspace: workspace, Name: name, Scopes: slices.Compact(slices.Sorted(slices.Values(scopes))), Role: a.Role,
		Prefix: secret[:10], Hash: hashToken(secret), CreatedBy: a.ID, CreatedAt: s.Clock.Now()}
	if err := s.Store.CreateKey(ctx, k); err != nil {
		return Key{}, "", err
	}
	return k, secret, s.Note(ctx, workspace, "apikey.create", "apikey", k.ID, map[string]any{"name": k.Name, "scopes": k.Scopes})
}

// RevokeKey ends a key at once.
func (s *Service) RevokeKey(ctx context.Context, workspace string, key id.ID) error {
	if err := s.Store.RevokeKey(ctx, workspace, key, s.Clock.Now()); err != nil {
		return err
	}
	return s.Note(ctx, workspace, "apikey.revoke", "apikey", key, nil)
}
