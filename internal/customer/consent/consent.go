// Package consent keeps what people agreed to and refused: for which purpose, by which channel, in answer to which words, and what proves it.
//
// A purpose (Purpose) is what data is used for; it names its legal basis, the channels it is asked for by, and what holds while nobody has
// said anything: a purpose that fails closed is refused then. The words that people agree to have versions that never change (Wording).
// What somebody said is a line of a ledger (Entry) that is only added to. What it comes to (State) is worked out from the lines by Fold alone:
// of all that a customer, the customers merged into it and its visitors said about a purpose and a channel, the newest statement counts, of two
// of the same instant the stricter one. So the order in which lines arrive does not matter, joining people loses nothing, and taking a join back
// gives everybody what they said themselves.
//
// Guarantees. A line of one key (Entry.Once) is stored once. A withdrawal counts for every answer of Allowed from the moment that Record
// returned. Consent that has run out is refused at that instant, whether the ledger says so yet or not. Consent by a mail address that is to be
// confirmed counts once the link in the mail was used. What is not understood is refused: an unknown purpose or channel is an error.
//
// Quick to ask: Allowed reads a state per customer by its key. The package knows no SQL and no HTTP, and no other engine.
package consent

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Prefixes of printed ids.
const (
	EntryPrefix   = "csn"
	WordingPrefix = "csw"
)

// State is what somebody said, or what it comes to.
type State string

// The states. Nothing is said of who never spoke.
const (
	Nothing   State = ""
	Given     State = "given"
	Pending   State = "pending" // given, and not confirmed by the link that was mailed
	Expired   State = "expired"
	Withdrawn State = "withdrawn"
)

// rank orders statements of the same instant: the strictest last.
func (s State) rank() int {
	switch s {
	case Given:
		return 1
	case Pending:
		return 2
	case Expired:
		return 3
	case Withdrawn:
		return 4
	case Nothing:
	}
	return 0
}

// Channel is a way on which somebody is reached.
type Channel string

// The channels. Any is that of purposes that have nothing to do with reaching anybody.
const (
	Email  Channel = "email"
	SMS    Channel = "sms"
	Phone  Channel = "phone"
	WeChat Channel = "wechat"
	Push   Channel = "push"
	Post   Channel = "post"
	Web    Channel = "web"
	Any    Channel = "any"
)

// Channels lists every channel in a fixed order, which is also that of the columns of the analytics plane.
func Channels() []Channel { return []Channel{Email, SMS, Phone, WeChat, Push, Post, Web, Any} }

// Source is how a statement came.
type Source string

// The sources.
const (
	ByForm    Source = "form"    // a paper or a form
	ByImport  Source = "import"  // a file
	ByAPI     Source = "api"     // another program
	ByEvent   Source = "event"   // the consent that an event carries
	ByClaim   Source = "claim"   // the same, by a key that everybody can read, said by a browser: see Counting
	ByNamed   Source = "named"   // the same, of whom such a key named by a user id without proof: see Counting
	ByAgent   Source = "agent"   // said to somebody of ours
	ByPage    Source = "page"    // the person, on the page of preferences
	ByLink    Source = "link"    // the person, by one click in a mail
	ByConfirm Source = "confirm" // the person, by the link that confirms
	ByReply   Source = "reply"   // the person, by answering a text message
	ByExpiry  Source = "expiry"  // nobody: the consent ran out
)

// Known reports whether people and programs may name a source.
func (s Source) Known() bool {
	return s == ByForm || s == ByImport || s == ByAPI || s == ByAgent
}

// Entry is a line of the ledger.
type Entry struct {
	ID      id.ID
	Once    string // chosen by who wrote it: a second line of the same is not stored
	Subject id.ID  // the customer, or the profile of a visitor; 0 after erasure
	Purpose string
	Channel Channel
	State   State
	At      time.Time // when it was said; milliseconds
	// RecordedAt is when we wrote it down.
	RecordedAt time.Time
	Expires    time.Time // zero for never
	Wording    id.ID     // the version of the words, 0 where none is known
	Source     Source
	Guardian   bool // said by a parent or guardian
	By         access.Actor
	Page       string // address of the page it was said on, without its query
	Note       string // free text, in clear here and sealed where it is stored
	Evidence   string // SHA-256 of a document, hex
	Erasure    id.ID  // that emptied the line, 0 for none
	Verdict    Verdict

	// Quiet lines repeat themselves: one that says what its subject said last is kept as the time of that alone.
	Quiet bool
}

// Verdict is what somebody decided about a line that nobody proved; the zero one for none.
type Verdict struct {
	Decided  bool
	Accepted bool
	By       id.ID
	At       time.Time
}

// Claim is a refusal that nobody proved to be a customer's: it waits for somebody to decide.
type Claim struct {
	Customer id.ID
	Entry    Entry
}

// Standing is what the ledger comes to for a subject, a purpose and a channel.
type Standing struct {
	Subject  id.ID
	Purpose  string
	Channel  Channel
	State    State
	At       time.Time
	Entry    id.ID
	Expires  time.Time
	Guardian bool
}

// Edge says that what Member said counts for Parent, until another edge of Member says otherwise; Parent 0 makes it its own again.
//
// Of a browser, which is joined to whoever it says it is, Proven says that a source with a secret key said so too.
type Edge struct {
	Member, Parent id.ID
	Proven         bool
}

// Figure is how many customers stand somewhere.
type Figure struct {
	Purpose string
	Channel Channel
	State   State
	Count   int64
}

// Store keeps policy, wordings, ledger and states.
type Store interface {
	// Policy is the saved document; found is false before the first.
	Policy(ctx context.Context) (p Policy, found bool, err error)
	// SavePolicy replaces the document of version p.Version-1; false when there is another.
	SavePolicy(ctx context.Context, p Policy, by id.ID, at time.Time) (bool, error)
	Wordings(ctx context.Context) ([]Wording, error) // by purpose and number
	// AddWording gives the version its number.
	AddWording(ctx context.Context, w Wording) (Wording, error)

	// Append adds lines and works out the states of their subjects in one transaction. It says how many were new.
	Append(ctx context.Context, list []Entry, now time.Time) (int, error)
	// Link sets edges and works out the states of everybody concerned.
	Link(ctx context.Context, list []Edge, now time.Time) error
	// Standings are the states of subjects, of those that were joined to others the others'. Subject is the one that was asked for.
	Standings(ctx context.Context, subjects []id.ID) ([]Standing, error)
	// History is the ledger of a subject and of all that were joined to it, newest first, before a line (0 for the newest).
	History(ctx context.Context, subject, before id.ID, limit int) ([]Entry, error)
	// Entry is one line; NotFound consent.unknown_entry.
	Entry(ctx context.Context, entry id.ID) (Entry, error)
	// Claims are refusals of a customer, and of all that were joined to it, that wait to be decided, newest first; customer 0 has those of everybody,
	// before a line (0 for the newest).
	Claims(ctx context.Context, customer, before id.ID, limit int) ([]Claim, error)
	// Decide stores a verdict about those of some lines that wait as claims of a customer, and works out its states. It says how many there were.
	Decide(ctx context.Context, customer id.ID, entries []id.ID, v Verdict, now time.Time) (int, error)
	// Due are standings whose consent ran out before now and whose ledger does not say so yet.
	Due(ctx context.Context, now time.Time, limit int) ([]Standing, error)
	Figures(ctx context.Context) ([]Figure, error)
	// Erase empties the lines of subjects and forgets their states and edges. proof is a digest of each subject.
	Erase(ctx context.Context, subjects []id.ID, erasure id.ID, proof func(id.ID) string) (int64, error)
}

// People is what is known of customers elsewhere.
type People interface {
	// Left are customers whom nobody is to contact, or whose data is only kept, with the reason (NotToContact, Restricted).
	Left(ctx context.Context, customers []id.ID) (map[id.ID]string, error)
	// Minors are those who are younger than fourteen, as far as birthdays say.
	Minors(ctx context.Context, customers []id.ID) (map[id.ID]bool, error)
	// See refuses a customer whom the caller does not see, and says which one it is since merges.
	See(ctx context.Context, customer id.ID, write bool) (id.ID, error)
	// Reach are those of some customers whom the caller may change.
	Reach(ctx context.Context, customers []id.ID) (map[id.ID]bool, error)
}

// Config is what a Service is made of; all parts are required.
type Config struct {
	Store  Store
	People People
	Seal   Sealer
	Clock  clock.Clock
	IDs    *id.Generator
	// Note writes into the audit trail.
	Note func(ctx context.Context, action string, customer id.ID, detail map[string]any) error
	// Confirm mails the link that confirms a line; false where no mail can be sent.
	Confirm func(ctx context.Context, e Entry) (bool, error)
	// Changed is told that states changed.
	Changed func()
	// PolicyChanged is told that purposes changed.
	PolicyChanged func()
}

// Sealer keeps notes sealed.
type Sealer interface {
	Seal(text string) (string, error)
	Open(sealed string) (string, error)
}

// Service is the consents of one workspace. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }
