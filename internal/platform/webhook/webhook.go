// Package webhook tells other systems what happens to records.
//
// A subscription names an address, kinds of events, and the secret that signs. A Collector follows the change log from a position
// of its own and puts one delivery for each event and subscription into a queue, in the transaction that moves the position; a
// Dispatcher sends what is due, by the specification of Standard Webhooks 1.0.0, and writes down each attempt.
//
// Guarantees. Every event of an active or paused subscription is queued exactly once and delivered at least once; its webhook-id is
// the same in every attempt and after every crash. Deliveries about one record arrive in the order of its changes: while one waits
// for its next attempt the later ones wait behind it. Endpoints do not wait for one another. An attempt lasts 15 seconds at most; a
// failed one is repeated after 5 s, 5 min, 30 min, 2 h, 5 h and then every 10 h, nine times in all; after that the delivery is
// dead: kept, shown, and sent again when somebody asks. An endpoint that answers 410, or that failed for five days without one
// success, is disabled, and what waits is kept.
//
// What goes on around records, requests for agreement, rules and stages, is written down in the transaction in which it happens, and an Outbox
// puts it into the same queue; such an event is queued exactly once too. Its condition is asked of the record as it is then.
//
// The event shows the record as it was at that version. Personal values are masked in the queue and in the log; a subscription that
// may reveal gets them in clear, as they are when the request is made, and written into the audit trail. Conditions are asked of the
// record at that version, and of records it points at as they are at the moment. An undone import purges records: their
// "deleted" event has no fields and passes no condition.
//
// The package knows no storage and no record engine; it declares what it needs of both.
package webhook

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Prefixes of printed ids: a subscription, and a delivery, whose printed id is the webhook-id of its message.
const (
	Prefix        = "whk"
	MessagePrefix = "msg"
)

// Kind is what happened to a record.
type Kind string

// The kinds of event.
const (
	Created  Kind = "created"
	Updated  Kind = "updated"
	Deleted  Kind = "deleted" // to the recycle bin, or for good
	Restored Kind = "restored"
	// A file of the record.
	FileAdded   Kind = "file_added"
	FileRemoved Kind = "file_removed"
)

// The kinds of event of what goes on around a record. They are written down with what happened, not read from the change log.
const (
	ApprovalAsked     Kind = "approval.asked"   // somebody is asked for agreement to a write
	ApprovalDecided   Kind = "approval.decided" // and answered, or nobody did in time
	ApprovalWithdrawn Kind = "approval.withdrawn"
	ApprovalApplied   Kind = "approval.applied" // what was agreed to was carried out
	ApprovalFailed    Kind = "approval.failed"  // it was refused by the record
	AutomationFailed  Kind = "automation.failed"
	StageMoved        Kind = "stage.moved"
)

// Kinds lists every kind of change, in a fixed order.
func Kinds() []Kind { return []Kind{Created, Updated, Deleted, Restored, FileAdded, FileRemoved} }

// Around lists every kind of what goes on around a record, in a fixed order.
func Around() []Kind {
	return []Kind{ApprovalAsked, ApprovalDecided, ApprovalWithdrawn, ApprovalApplied, ApprovalFailed, AutomationFailed, StageMoved}
}

// KindOf is the kind of event that a change is.
func KindOf(op change.Op) Kind {
	switch op {
	case change.Create:
		return Created
	case change.Update, change.Merge, change.Unmerge, change.Erase:
		return Updated
	case change.Restore:
		return Restored
	case change.Attach:
		return FileAdded
	case change.Detach:
		return FileRemoved
	}
	return Deleted
}

// TestType is the type of the message that a person sends to try an address.
const TestType = "webhook.test"

// Rule chooses events of one object.
type Rule struct {
	Object string      `json:"object"`
	Kinds  []Kind      `json:"kinds"`
	Where  *query.Node `json:"where,omitempty"`
	// Fields, when there are any, choose the updates that changed one of them.
	Fields []string `json:"fields,omitempty"`
}

// State says whether a subscription collects and sends.
type State string

// The states.
const (
	Active   State = "active"
	Paused   State = "paused"   // collects and does not send
	Disabled State = "disabled" // neither; Reason says why
)

// Why a subscription was disabled by the program.
const (
	ReasonGone      = "gone"      // the endpoint answered 410
	ReasonFailing   = "failing"   // no success for five days
	ReasonCondition = "condition" // a condition cannot be asked any more
)

// Subscription is whom to tell, and what.
type Subscription struct {
	ID        id.ID
	Name, URL string
	Rules     []Rule
	State     State
	Reason    string
	Reveal    bool // personal values in clear
	Sealed
	HeaderNames []string
	Version     int64
	CreatedBy   id.ID
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Health
}

// Sealed is what a subscription keeps secret, under a data key of its own.
type Sealed struct {
	Wrapped   []byte
	Secret    []byte
	OldSecret []byte
	OldUntil  time.Time
	Headers   []byte // a JSON object; nil for none
}

// Health is how a subscription fares.
type Health struct {
	LastSuccess  time.Time
	LastFailure  time.Time
	FailingSince time.Time // first failure after the last success
	Failures     int       // since then
	LastError    string    // code of the last failure
	Waiting      int       // deliveries to come; filled in by lists
	Dead         int
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery.
const (
	Waiting   DeliveryState = "waiting"
	Delivered DeliveryState = "delivered"
	Dead      DeliveryState = "dead"
)

// Delivery is one message to one subscription.
type Delivery struct {
	ID      id.ID
	Webhook id.ID
	Type    string
	Object  string
	Record  id.ID
	At      time.Time // of the event
	Body    string    // as it is sent, personal values masked
	Masked  []string  // fields of the body that a subscription that may reveal gets in clear
	State   DeliveryState
	// Reason is the code of the last failure.
	Reason   string
	Attempts int // in all
	Tries    int // since it was queued or replayed
	NextAt   time.Time
	DoneAt   time.Time
}

// Message is the delivery's webhook-id.
func (d *Delivery) Message() string { return id.Format(MessagePrefix, d.ID) }

// Attempt is one request.
type Attempt struct {
	Number   int
	At       time.Time
	Took     time.Duration
	Status   int    // 0 without an answer
	Error    string // a code of Codes; "" for success
	Response string // the beginning of the answer's body
}

// Outcome is what an attempt does to its delivery and its subscription.
type Outcome struct {
	Delivery Delivery // as it is now
	Attempt  Attempt
	OK       bool
	Disable  string // reason, "" to leave the subscription as it is
}

// Filter chooses deliveries of a subscription. Zero values choose all.
type Filter struct {
	State    DeliveryState
	Delivery id.ID
	From, To time.Time // of the event; To is left out
	Before   id.ID     // older than this one
}

// Store keeps subscriptions and the queue.
type Store interface {
	// Webhooks are all subscriptions, oldest first, with their health; counts asks for Waiting and Dead too.
	Webhooks(ctx context.Context, counts bool) ([]Subscription, error)
	// Webhook is one of them, with counts. NotFound webhook.not_found.
	Webhook(ctx context.Context, key id.ID) (Subscription, error)
	InsertWebhook(ctx context.Context, s Subscription) error
	// UpdateWebhook writes everything but the health, over version s.Version-1; a fresh start of a disabled one clears the failures.
	// Stale webhook.stale.
	UpdateWebhook(ctx context.Context, s Subscription) error
	// DeleteWebhook removes a subscription with its deliveries.
	DeleteWebhook(ctx context.Context, key id.ID) error
	// Collect queues deliveries and moves the consumer's position in one transaction; reasons disables subscriptions.
	Collect(ctx context.Context, queue []Delivery, disable map[id.ID]string, to change.Position) error
	// Happenings are the oldest that are not queued yet.
	Happenings(ctx context.Context, limit int) ([]Happening, error)
	// Tell queues deliveries and takes the happenings that they tell of off the list, in one transaction; disable is as in Collect.
	Tell(ctx context.Context, queue []Delivery, disable map[id.ID]string, told []Happening) error
	// Due are deliveries that may be sent now, the longest waiting first: none that stands behind an earlier one about the same record.
	Due(ctx context.Context, webhook id.ID, now time.Time, limit int) ([]Delivery, error)
	// Finish stores an attempt and what follows from it.
	Finish(ctx context.Context, o Outcome) error
	// Deliveries are the newest first.
	Deliveries(ctx context.Context, webhook id.ID, f Filter, limit int) ([]Delivery, error)
	Attempts(ctx context.Context, delivery id.ID) ([]Attempt, error)
	// Replay makes deliveries wait again, as if they had never been tried; those that wait already are left alone.
	Replay(ctx context.Context, webhook id.ID, f Filter, now time.Time) (int, error)
	// InsertDelivery adds one that is already done (a test).
	InsertDelivery(ctx context.Context, d Delivery, a Attempt) error
	// Sweep forgets deliveries that were done before an instant: delivered ones, and dead ones.
	Sweep(ctx context.Context, delivered, dead time.Time) error
}

// Snapshot is a record as an event shows it.
type Snapshot struct {
	ID      string         // printed
	Fields  map[string]any // as the API shows them to a key that may read
	Masked  []string       // fields whose values are masks
	Changed []string       // fields that the change touched
	File    string         // the printed id of the file of a FileAdded or FileRemoved
	// Holds asks a condition of the record as it was.
	Holds func(where *query.Node) (bool, error)
}

// Happening is something around a record that others are to be told of, as it was written down.
type Happening struct {
	Once   string
	Type   Kind
	Object string
	Record id.ID // 0 for none
	At     time.Time
	Body   []byte // JSON, in the words of whoever wrote it
}

// Story is a happening as an event shows it.
type Story struct {
	Data  map[string]any
	Holds func(where *query.Node) (bool, error)
}

// Source is what the collector and the dispatcher need from the record engine.
type Source interface {
	// Describe makes a snapshot for each change: the record as that change left it. Nil for an object that is no more.
	Describe(ctx context.Context, rows []change.Row) ([]*Snapshot, error)
	// Explain makes the story of each happening. Nil for an object that is no more.
	Explain(ctx context.Context, list []Happening) ([]*Story, error)
	// Plain reads personal fields in clear, in the form of the API, for one subscription, and notes it in the audit trail.
	Plain(ctx context.Context, webhook id.ID, object string, rec id.ID, fields []string) (map[string]any, error)
}

// Vault seals what a subscription keeps secret.
type Vault interface {
	// NewKey makes a data key and gives its wrapped form.
	NewKey(webhook id.ID) ([]byte, error)
	Seal(wrapped []byte, webhook id.ID, field string, plain []byte) ([]byte, error)
	Open(wrapped []byte, webhook id.ID, field string, sealed []byte) ([]byte, error)
}

// Names of the sealed values.
const (
	sealedSecret  = "secret"
	sealedHeaders = "headers"
)
