// Package mail sends e-mail for one workspace.
//
// A message is an intent first: Enqueue writes it with a unique key, sealed, before anything is said to a server, and a second one
// of the same key is not written. A Dispatcher sends what is due through a profile (a mail server with its sender), over kept
// connections, within the limits a minute and an hour that the profile sets.
//
// Guarantees. A message is handed over at most once, unless a person decides otherwise. Connecting, signing in, MAIL FROM and
// RCPT TO may be repeated as often as it takes; before the content goes out, the state "sending" is stored, and only then DATA is said.
// Where the program or the connection ends between that and the server's answer, nobody can know whether the server took the message
// (SMTP has no way to ask): its state becomes "unknown", and it is sent again or set aside when a person says so, never by itself.
//
// Failures. A server that cannot be reached or refuses our login concerns all messages: they wait, and the profile says why. A
// temporary answer (4xx) about one message is tried again after 1, 5, 15 and 30 minutes, 1, 2, 4, 8, 12 and 24 hours. A permanent
// one (5xx) ends it; about the recipient, with an enhanced status of class 5.1 or 5.2 or none, it is noted at the address, to which
// nothing is sent any more until a person releases it. A message that is past its time ends as expired.
//
// What a message says, and to whom, is sealed with a key of its own and forgotten when it was sent, unless it is to be kept (what was
// written to a customer). Queue and log show a masked address. Server answers are kept without addresses.
//
// Connections go to public addresses, or to networks that the operator allows; there alone a connection without TLS is made.
//
// The package knows no storage; it declares what it needs.
package mail

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Prefixes of printed ids.
const (
	ProfilePrefix = "mlp"
	Prefix        = "eml"
)

// Security is how a connection is protected.
type Security string

// The ways to protect a connection.
const (
	STARTTLS Security = "starttls" // plain at first, then TLS; refused when the server does not offer it
	TLS      Security = "tls"      // TLS from the first byte
	Plain    Security = "none"     // no protection; only in networks that the operator allows
)

// Profile is a mail server with the sender that uses it.
type Profile struct {
	ID          id.ID
	Name        string
	Host        string
	Port        int
	Security    Security
	Username    string // "" for no login
	Wrapped     []byte // data key
	Password    []byte // sealed; nil for none
	FromName    string
	FromAddress string
	ReplyTo     string
	PerMinute   int // most messages in any minute; 0 for no limit
	PerHour     int
	Active      bool
	Standard    bool // serves messages that name no profile; at most one
	DKIM
	Version   int64
	CreatedBy id.ID
	CreatedAt time.Time
	UpdatedAt time.Time
	Health
}

// DKIM is how a profile signs (RFC 6376): RSA of 2048 bits, SHA-256, relaxed canonical forms. The domain is that of the sender.
type DKIM struct {
	Selector string
	Key      []byte // sealed PKCS #8; nil for none
	Public   string // base64 of the public key in SubjectPublicKeyInfo
	On       bool
}

// Health is how a profile fares.
type Health struct {
	LastSuccess  time.Time
	FailingSince time.Time // first failure after the last success; zero when it works
	LastError    string    // a code of failed steps
	LastReply    string    // what the server said, without addresses
}

// Address is a mailbox.
type Address struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

// File is an attachment.
type File struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // media type
	Content []byte `json:"content"`
}

// Calendar is an invitation that mail programs understand (RFC 6047).
type Calendar struct {
	Method string `json:"method"` // REQUEST or CANCEL
	Text   string `json:"text"`   // an iCalendar object with the same METHOD
}

// Message is a mail to one recipient.
type Message struct {
	// Key says what it is for, 1 to 200 characters; a second message of the same key is not written.
	Key string
	// Kind is the sort of message, lower-case letters and underscores: notice, invite, customer …
	Kind string
	// Profile is the one to use; 0 for the standard one at the moment of sending.
	Profile id.ID
	To      Address
	ReplyTo string // "" for that of the profile
	Subject string
	Text    string
	HTML    string // "" for a mail of plain text
	Files   []File
	// Calendar, when there is one, stands beside text and HTML as their alternative.
	Calendar *Calendar
	// About is the record that the message is about.
	About About
	User  id.ID // the colleague who gets it; 0 for others
	By    id.ID // who wrote it; 0 for the program
	// NotBefore is when it may go out; zero for now.
	NotBefore time.Time
	// Until is when it is no use any more; zero for five days after NotBefore.
	Until time.Time
	// Stop is an https address at which one POST ends mails of this sort (RFC 8058); "" for none.
	Stop string
	// Keep keeps what it says after it was sent.
	Keep bool
	// Personal says that a person wrote it: it is not marked as made by a program.
	Personal bool
}

// About names a record.
type About struct {
	Object string
	Record id.ID
}

// Receipt is what became of a request to send.
type Receipt struct {
	ID    id.ID
	Fresh bool // false: there was one of the same key, and that is ID
}

// Sender is what others need of the package.
type Sender interface {
	// Enqueue writes a message down to be sent. Faults: Invalid mail.bad_address, mail.bad_message; Conflict mail.address_stopped
	// when the address takes nothing any more.
	Enqueue(ctx context.Context, m Message) (Receipt, error)
	// Ready reports whether there is an active standard profile.
	Ready(ctx context.Context) (bool, error)
}

// State is where a message stands.
type State string

// The states of a message.
const (
	Waiting   State = "waiting"
	Sending   State = "sending" // the content is on its way
	Sent      State = "sent"    // a server took it
	Failed    State = "failed"
	Unknown   State = "unknown" // it was on its way when the program or the connection ended
	Cancelled State = "cancelled"
)

// States lists every state, in a fixed order.
func States() []State { return []State{Waiting, Sending, Sent, Failed, Unknown, Cancelled} }

// The codes of failed steps.
const (
	ErrResolve   = "resolve" // the host has no address
	ErrRefused   = "refused" // by the guard: not a public address
	ErrConnect   = "connect"
	ErrTimeout   = "timeout"
	ErrGreeting  = "greeting" // no SMTP server, or one that does not want us
	ErrNoTLS     = "no_tls"   // the server offers no STARTTLS
	ErrTLS       = "tls"
	ErrNoAuth    = "no_auth" // the server offers no login that we know
	ErrAuth      = "auth"
	ErrSender    = "sender"    // MAIL FROM was refused
	ErrAddress   = "address"   // RCPT TO was refused for good
	ErrTemporary = "temporary" // refused for now
	ErrContent   = "content"   // refused for good after DATA
	ErrBroken    = "broken"    // the connection broke off
	ErrSealed    = "sealed"    // a stored secret or content cannot be opened
	ErrExpired   = "expired"
	ErrGaveUp    = "gave_up" // refused for now as often as we ask
	ErrStopped   = "stopped" // the address takes nothing any more
	ErrCrash     = "crash"   // the program ended in the middle
	ErrNoProfile = "no_profile"
	ErrMessage   = "message" // it cannot be put into the form of a mail
)

// Item is a message in the queue.
type Item struct {
	ID        id.ID
	Key, Kind string
	Profile   id.ID
	Used      id.ID
	Mask      string // the address as it is shown
	Blind     string
	Wrapped   []byte
	Content   []byte // sealed; nil when forgotten
	Keep      bool
	About     About
	User, By  id.ID
	State     State
	Reason    string // a code
	Reply     string // of the server, without addresses
	Attempts  int    // in all
	Tries     int    // since it was queued or replayed
	CreatedAt time.Time
	NextAt    time.Time
	Until     time.Time
	TriedAt   time.Time
	DoneAt    time.Time
}

// Stopped is an address that takes nothing any more.
type Stopped struct {
	Blind, Mask string
	Reason      string // bounced
	Reply       string
	At          time.Time
}

// Filter chooses messages. Zero values choose all.
type Filter struct {
	State  State
	Kind   string
	Blind  string // of the address
	About  About
	Before id.ID // older than this one
}

// Outcome is what an attempt does to its message, its profile and its address.
type Outcome struct {
	Item Item // as it is now
	// Good and Bad tell how the profile fared; neither leaves its health alone.
	Good, Bad bool
	// Stop notes the address.
	Stop bool
	At   time.Time
}

// Store keeps profiles and the queue.
type Store interface {
	// Profiles are all of them, oldest first.
	Profiles(ctx context.Context) ([]Profile, error)
	// InsertProfile and UpdateProfile unset the standard of others when p is the standard one; UpdateProfile writes everything but
	// the health over version p.Version-1. Stale mail.stale.
	InsertProfile(ctx context.Context, p Profile) error
	UpdateProfile(ctx context.Context, p Profile) error
	// DeleteProfile removes one; what waits for it waits for the standard one. NotFound mail.profile_not_found.
	DeleteProfile(ctx context.Context, key id.ID) error
	// Fared stores how a profile fares outside of a message.
	Fared(ctx context.Context, profile id.ID, h Health) error

	// Enqueue writes a message unless there is one of its key, whose id it returns instead.
	Enqueue(ctx context.Context, it Item) (Receipt, error)
	// Supersede takes the key from a message of it that failed, is unknown or was cancelled, and writes another one under it.
	Supersede(ctx context.Context, it Item) (Receipt, error)
	// ByKey finds the message of a key.
	ByKey(ctx context.Context, key string) (Item, bool, error)
	// Due are messages that wait for a profile (0: for the standard one), the longest due first.
	Due(ctx context.Context, profile id.ID, now time.Time, limit int) ([]Item, error)
	// TriedSince counts messages that a profile tried at or after an instant.
	TriedSince(ctx context.Context, profile id.ID, at time.Time) (int, error)
	// Claim marks a waiting message as being sent; false when it does not wait any more, or its address is stopped.
	Claim(ctx context.Context, it Item) (bool, error)
	// Finish stores an attempt and what follows from it; it changes only a message that stands at from, and, from sending, one that is unknown because
	// the same attempt was taken for left in the middle.
	Finish(ctx context.Context, o Outcome, from State) error
	// Expire ends what waits past its time.
	Expire(ctx context.Context, now time.Time) error
	// Orphans makes messages that were being sent before an instant unknown, and counts them.
	Orphans(ctx context.Context, before, now time.Time) (int, error)
	// Messages are the newest first.
	Messages(ctx context.Context, f Filter, limit int) ([]Item, error)
	// Message is one. NotFound mail.not_found.
	Message(ctx context.Context, key id.ID) (Item, error)
	// Counts are the messages of each state but the sent ones.
	Counts(ctx context.Context) (map[State]int, error)
	// Replay makes failed, unknown and cancelled messages wait again, and counts them; what was forgotten stays.
	Replay(ctx context.Context, keys []id.ID, now, until time.Time) (int, error)
	// Cancel ends waiting and unknown messages, and counts them.
	Cancel(ctx context.Context, keys []id.ID, now time.Time) (int, error)
	// Sweep forgets messages that were done before an instant, but kept ones.
	Sweep(ctx context.Context, before time.Time) error
	// About are the kept messages about records at or before an instant, newest first.
	About(ctx context.Context, records []id.ID, until time.Time, limit int) ([]Item, error)
	// EraseAbout removes every message about a record, and those to an address ("" for none), and takes them off the lists of
	// meetings. That an address is stopped stays known by its keyed index alone. It counts messages.
	EraseAbout(ctx context.Context, record id.ID, blind string) (int, error)

	Stopped(ctx context.Context, blind string) (Stopped, bool, error)
	ListStopped(ctx context.Context, limit int) ([]Stopped, error)
	// Release lets an address take mail again.
	Release(ctx context.Context, blind string) error
}

// Vault seals what profiles and messages keep secret.
type Vault interface {
	// NewKey makes a data key for a profile or a message and gives its wrapped form.
	NewKey(subject id.ID) ([]byte, error)
	Seal(wrapped []byte, subject id.ID, field string, plain []byte) ([]byte, error)
	Open(wrapped []byte, subject id.ID, field string, sealed []byte) ([]byte, error)
	// Blind is the keyed index of an address.
	Blind(address string) string
}

// Names of the sealed values.
const (
	sealedPassword = "password"
	sealedKey      = "dkim"
	sealedContent  = "content"
)
