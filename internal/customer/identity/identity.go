// Package identity says who did what: it gives every accepted event a profile, joins profiles that are one person, and keeps
// what it did so that a person can look at it and take it back.
//
// A profile is somebody as far as events tell. It holds identifiers (a user id, an e-mail address, a phone number, a browser's
// anonymous id …), each in a namespace; an identifier belongs to one profile at a time. Profiles that are joined form a tree:
// each but the root points at the one it was joined to (Profile.Into), so taking a join back is forgetting one edge, in
// any order, and leaves every other row as it was. The id of a joined profile leads to its root for good.
//
// Guarantees. Events are resolved in the order of the inbox, and what an event was given never changes: after a second
// person signs in on a shared tablet the events before stay with the first, those behind go to the second. Two profiles are
// joined only when an event shows identifiers of both, the limits of all namespaces hold for both together, nobody
// said that they are two people, and they have at most one user id and one customer between them; otherwise the weaker
// identifier is left out of the event and, where it is one that people do not share, the pair is put before a person (Review).
// The same events in the same order over the same state give the same profiles.
//
// Personal identifiers (e-mail, phone, and user ids that look like one) are kept as a keyed index, a mask and a sealed value.
//
// It knows no SQL, no HTTP and no records: a Ledger reads and writes inside a transaction, a Vault seals.
package identity

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Prefixes of printed ids.
const (
	ProfilePrefix    = "prf"
	IdentifierPrefix = "idn"
	MergePrefix      = "pmg"
	ReviewPrefix     = "prv"
)

// Profile is somebody as far as events tell.
type Profile struct {
	ID        id.ID
	Into      id.ID // the profile that it was joined to, 0 for a root
	Root      id.ID // of its tree; its own id for a root
	Customer  id.ID // that was linked to it, 0 for none; a joined profile keeps its own
	Now       id.ID // the customer that Customer is since customers were merged; not stored
	CreatedAt int64 // milliseconds, of its first event
}

// Identifier is one name under which somebody appears.
type Identifier struct {
	ID        id.ID
	Namespace string
	// Value is what it is found by: the text itself, or of a personal one "~" and its keyed index.
	Value   string
	Shown   string // the text, or of a personal one its mask
	Sealed  string // of a personal one
	Profile id.ID  // whom it belongs to; a tree has those of all its profiles
	FirstAt int64  // milliseconds, time of the first event that showed it with this profile
	LastAt  int64
}

// Personal reports whether the text of an identifier is kept sealed.
func (i *Identifier) Personal() bool { return i.Sealed != "" }

// The reasons of a Merge.
const (
	ByEvent    = "event"    // an event showed identifiers of both
	ByMove     = "move"     // an identifier went to another profile: somebody else signed in on the device
	ByPerson   = "person"   // somebody decided so
	ByCustomer = "customer" // both are the same customer
)

// Merge is a line of the log of joins. The log is only appended to; taking a join back fills Undone.
type Merge struct {
	ID       id.ID
	Loser    id.ID // the root that was joined, or the profile that an identifier left
	Winner   id.ID
	At       int64 // milliseconds, of the event or of the decision
	Why      string
	By       id.ID // the person, 0 for none
	Event    id.ID // the event that showed it, 0 for none
	Evidence Evidence
	UndoneAt int64
	UndoneBy id.ID
}

// Evidence is what a join or a review rests on.
type Evidence struct {
	Kind        string   `json:"kind,omitempty"` // of the event
	Identifiers []Shown  `json:"identifiers,omitempty"`
	Limits      []string `json:"limits,omitempty"` // namespaces whose limits spoke against it
	Customers   []id.ID  `json:"customers,omitempty"`
	Moved       id.ID    `json:"moved,omitempty"` // the identifier that went over
	Since       int64    `json:"since,omitempty"` // and when the one that it left showed it first
}

// Shown is an identifier as it may be shown to everybody.
type Shown struct {
	Namespace string `json:"namespace"`
	Text      string `json:"text"`
}

// State is what became of a review.
type State string

// The states.
const (
	Open    State = "open"
	Later   State = "later"
	Joined  State = "joined"
	NotSame State = "not_same"
)

// Known reports whether a state is one.
func (s State) Known() bool { return s == Open || s == Later || s == Joined || s == NotSame }

// The kinds of review.
const (
	TwoPeople = "profiles" // two profiles with user ids or customers of their own show the same identifier
	Ambiguous = "customer" // several customers have the identifier of a profile
)

// Review is a question for a person: are these the same?
type Review struct {
	ID        id.ID
	Kind      string
	A, B      id.ID // profiles, A < B; of an Ambiguous one B is 0
	Evidence  Evidence
	State     State
	Count     int64 // how often it showed
	CreatedAt int64
	LastAt    int64
	By        id.ID
	At        int64 // of the decision
}

// Mapping says that a profile's events are those of a customer, or of another profile, from the moment it was written on: of
// several for a profile the last counts. Without one they are the profile's own.
type Mapping struct {
	Seq     int64 // the order of writing, without gaps that are filled later
	Profile id.ID
	Subject id.ID
}

// Tree is a root with everything joined to it.
type Tree struct {
	Root        id.ID
	Profiles    []Profile // by id
	Identifiers []Identifier
}

// Customer is that of a tree as it is now: the root's, or else that of the oldest profile with one. 0 for none.
func (t *Tree) Customer() (c id.ID) {
	for i := range t.Profiles {
		p := &t.Profiles[i]
		if p.ID == t.Root && p.Now != 0 {
			return p.Now
		}
		if c == 0 {
			c = p.Now
		}
	}
	return c
}

// Subject is whose the tree's events are: the customer, or the root.
func (t *Tree) Subject() id.ID {
	if c := t.Customer(); c != 0 {
		return c
	}
	return t.Root
}

// Ledger reads and writes profiles inside one transaction. A Ledger that writes waits at Lock for every other.
type Ledger interface {
	// Lock makes writers of identity follow one another until the transaction ends.
	Lock(ctx context.Context) error
	// Find reads the identifiers of a namespace with one of these values.
	Find(ctx context.Context, namespace string, values []string) ([]Identifier, error)
	// Trees reads the whole trees that profiles stand in, in the order of their roots.
	Trees(ctx context.Context, profiles []id.ID) ([]Tree, error)
	// Verdicts are the pairs of profiles that somebody said are two people, in which one of profiles stands.
	Verdicts(ctx context.Context, profiles []id.ID) ([][2]id.ID, error)
	// Owned are the profiles that customers were linked to, also through customers that were merged into them.
	Owned(ctx context.Context, customers []id.ID) ([]id.ID, error)
	// Merge and Review read one line; found is false for none.
	Merge(ctx context.Context, merge id.ID) (m Merge, found bool, err error)
	Review(ctx context.Context, review id.ID) (r Review, found bool, err error)
	// Undone marks a merge as taken back; Decide stores the state of a review, which is made when the pair has none.
	Undone(ctx context.Context, merge, by id.ID, at int64) error
	Decide(ctx context.Context, r *Review) error
	// Survives stores that merged customers are another one now, or with 0 that they are themselves again.
	Survives(ctx context.Context, merged []id.ID, survivor id.ID) error
	// Forget removes the identifiers of profiles and what evidence shows of them.
	Forget(ctx context.Context, profiles []id.ID) error
	// Save writes everything; of reviews that are there only the count and the time move.
	Save(ctx context.Context, c *Changes) error
}

// Changes are what a run did.
type Changes struct {
	Profiles    []Profile // new ones, or with another Into, Root or Customer
	Identifiers []Identifier
	Merges      []Merge
	Reviews     []Review
	Mappings    []Mapping // Seq is given by Save
}

// Vault keeps personal identifiers.
type Vault interface {
	// Open reads a sealed member of an event ({"$sealed":"…"}).
	Open(ctx context.Context, sealed json.RawMessage) (string, error)
	// Seal keeps a text; Unseal gives it back.
	Seal(ctx context.Context, text string) (string, error)
	Unseal(ctx context.Context, sealed string) (string, error)
	// Index is the keyed index of a normalised text, the same for good.
	Index(namespace, normalised string) string
}

// Encode is the stored form of evidence.
func (e *Evidence) Encode() (string, error) {
	b, err := json.Marshal(e)
	return string(b), err
}
