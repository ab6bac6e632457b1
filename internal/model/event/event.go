// Package event is the vocabulary of behaviour: what an event is once it has come through a door, whatever protocol it
// came by, and what it is called when it is stored, counted and asked for in conditions.
//
// An event is immutable once accepted. What is added later stands beside it: the profile (by identity resolution, in the
// order of acceptance), the customer (by the map from profiles to customers) and the session (by the builder of sessions).
// This package knows no SQL, no HTTP and no protocol.
package event

import (
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Kind is what sort of call an event came by, in the words of the Segment specification; other doors translate into them.
type Kind string

// The kinds. Track, Page and Screen are behaviour; Identify, Group and Alias say who somebody is.
const (
	Track    Kind = "track"
	Page     Kind = "page"
	Screen   Kind = "screen"
	Identify Kind = "identify"
	Group    Kind = "group"
	Alias    Kind = "alias"
)

// Names of events that come without one, as conditions, reports and the debugger call them.
const (
	PageViewed   = "Page Viewed"   // Kind Page
	ScreenViewed = "Screen Viewed" // Kind Screen
	Identified   = "Identified"    // Kind Identify
	Grouped      = "Grouped"       // Kind Group
	Aliased      = "Aliased"       // Kind Alias
	Engaged      = "Page Engaged"  // how long a page was visible and used, by the tracker's heartbeat; never opens a session, is no second view
)

// Flags are what was noticed about an event; they are kept with it as a bit set.
type Flags int64

// The flags.
const (
	Collision  Flags = 1 << iota // another event with the same message id and other content was accepted before
	FutureTime                   // its corrected time lay after its arrival and was set to that
	NoTime                       // it said no time of its own: that of its arrival
	Bot                          // sent by a known robot; kept, and left out of sessions and reports
	Historic                     // imported from a file or replayed, not lived through
	Unplanned                    // the tracking plan does not know it, or its properties are not as planned
	NoConsent                    // the context says that analysis was refused: kept for counting without a person
	Passive                      // it says of itself that nobody did anything (nonInteraction): it makes no visit one with an interaction
	Settled                      // accepted with its profile, and what it says of customers and orders stands in the records: nobody resolves it again
)

// Has reports whether all of the given flags are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Bounds of texts, in bytes.
const (
	MaxMessageID = 100
	MaxName      = 200
)

// Event is one event as accepted. Times are milliseconds since 1970 in UTC.
type Event struct {
	Seq int64 // place in the inbox: the order of acceptance, 0 before
	Xid int64 // on PostgreSQL the transaction that accepted it; the inbox is read in (Xid, Seq) order, as the change log

	ID        id.ID  // ours, unique; shown as "evt_…"
	Source    id.ID  // the source whose write key it came by
	MessageID string // the client's, at most 100 characters; made by the door where there is none
	Kind      Kind
	Name      string // of a track its event, of others the constant above; at most 200 characters

	At         int64     // corrected: ReceivedAt − (SentAt − OriginalAt), at most ReceivedAt
	Day        clock.Day // local day of At in the workspace's zone
	ReceivedAt int64
	OriginalAt int64 // as the client said it, 0 for none
	Flags      Flags

	UserID      string // "" for none; at least one of UserID and AnonymousID is there
	AnonymousID string
	GroupID     string // of a group
	PreviousID  string // of an alias

	// Properties are those of a track, page or screen, and the traits of an identify or group: a JSON object, never nil.
	// Personal values of traits (phone, email, identity number, street address) are sealed before the event is stored:
	// {"$sealed":"…"}.
	Properties json.RawMessage
	// Context is the client's context (page, campaign, device, locale, consent, ip is left out) as a JSON object, never nil.
	Context json.RawMessage

	// Hash is of what the client said: everything but the times of sending and arriving and what a retry changes, before values were
	// sealed. It tells a resend from another event with the same message id. 0 has the store make it of the event as it is.
	Hash int64

	// Profile is whom identity resolution gave it to; 0 before. It never changes.
	Profile id.ID
}
