// Package campaign sends something to the people of segments, once, and says what came of it.
//
// A campaign has a plan (Plan). When it starts, every person of its audience gets one line (Intent), in batches, before anything is sent: chance
// has put the person into an arm (Assign: a variant, the holdout of the campaign, or the global holdout), by a hash that a retry repeats. The line
// of a person is unique for run, channel and step, so two workers, or one after a crash, write it once.
//
// A line passes the gates in one order: erased or suppressed, consent, global holdout, holdout of the campaign, still in the segment, cap, quiet
// hours, rate. The first that stops it is written down (Gate); quiet hours and rate make it wait. So the lines of an audience are always the sum
// of its gates, of what waits and of what was sent.
//
// Handing over. A mail, the counters of the person's day and the state of the line are written in one transaction: the queue of mails takes it from
// there, at most once (package mail). To a provider who is called, the state "sending" is stored before the call; where the answer never came the
// state is "unknown", and it is not sent again by itself.
//
// What is counted. Effects compare everybody whom chance treated with everybody whom it held back, both before caps and quiet hours (intention
// to treat), by the purchases of a window from the start on. Opens that programs made are apart.
//
// The package knows no SQL and no HTTP, and no other engine: who is reached, what is written and who carries it is asked of interfaces.
package campaign

import (
	"context"
	"log/slog"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// Prefixes of printed ids.
const (
	Prefix       = "cmp"
	IntentPrefix = "msg"
)

// The channels.
const (
	Email   = "email"
	SMS     = "sms"
	Webhook = "webhook"
	Task    = "task"
)

// Channels lists them in a fixed order.
func Channels() []string { return []string{Email, SMS, Webhook, Task} }

// Status is where a campaign stands.
type Status string

// The statuses.
const (
	Draft     Status = "draft"
	Scheduled Status = "scheduled"
	Planning  Status = "planning" // the audience is being written down
	Sending   Status = "sending"
	Paused    Status = "paused"
	Sent      Status = "sent"
	Stopped   Status = "stopped"
)

// Variant is one of the things that are sent.
type Variant struct {
	Key      string `json:"key"` // a, b, c …
	Template id.ID  `json:"template,omitempty"`
	Version  int64  `json:"version,omitempty"` // of the template; fixed when the campaign starts
	Weight   int    `json:"weight"`
	// Title and Text are what a task or a webhook says, with places as templates have.
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"`
}

// Plan is what a campaign does.
type Plan struct {
	Segments []string `json:"segments"`
	Except   []string `json:"except,omitempty"`
	// Purpose is what consents call it; "" for messages that owe nothing to marketing (transactional): they pass holdouts, caps and quiet hours.
	Purpose  string    `json:"purpose"`
	Variants []Variant `json:"variants"`
	// Holdout is how many of a hundred are held back by chance.
	Holdout int `json:"holdout"`
	// Start is when it begins; zero for as soon as it is started. Local begins at that hour of everybody's own day.
	Start time.Time `json:"start,omitzero"`
	Local bool      `json:"local,omitempty"`
	// PerMinute is the most that go out in a minute; 0 for no limit of its own.
	PerMinute int `json:"per_minute,omitempty"`
	// LateQuiet and LateCap say what becomes of those whom quiet hours and caps stop: they wait, or are left out.
	DropQuiet bool `json:"drop_quiet,omitempty"`
	WaitCap   bool `json:"wait_cap,omitempty"`
	// Days is the window in which purchases count.
	Days int `json:"days"`
	// Cost is what a message costs (of SMS a part), Fixed what the campaign cost besides, in minor units; Margin how many of a hundred of revenue are left.
	Cost int64 `json:"cost,omitempty"`
	// Rate is what a part costs where Cost says nothing, in thousandths of a minor unit: the price of the account when the campaign started.
	Rate   int64 `json:"rate,omitempty"`
	Fixed  int64 `json:"fixed,omitempty"`
	Margin int   `json:"margin,omitempty"`
	// Profile is the mail server, Account the provider or webhook; 0 for the standard one.
	Profile id.ID `json:"profile,omitempty"`
	Account id.ID `json:"account,omitempty"`
	// Owner gets the tasks; 0 for who has the customer. Due is how many days they have.
	Owner id.ID `json:"owner,omitempty"`
	Due   int   `json:"due,omitempty"`
	// Tags are added to links.
	Source   string `json:"utm_source,omitempty"`
	Medium   string `json:"utm_medium,omitempty"`
	Campaign string `json:"utm_campaign,omitempty"`
	// Journey is whose step this is the run of: its people come one by one, and it has no end of its own.
	Journey id.ID `json:"journey,omitempty"`
}

// Campaign is one.
type Campaign struct {
	ID                   id.ID
	Name, Channel        string
	Status               Status
	Plan                 Plan
	Version              int64
	Cursor               string // how far the audience was written down; "done" behind its end
	Audience             int64
	Reason               string // why it was paused by itself
	CreatedBy, UpdatedBy id.ID
	CreatedAt, UpdatedAt time.Time
	StartedBy            id.ID
	StartAt              time.Time
	BeganAt              time.Time
	EndedAt              time.Time
}

// State is where a line stands.
type State string

// The states of lines.
const (
	Queued    State = "queued"
	Held      State = "stopped" // by a gate
	Handed    State = "handed"  // to the queue of mails
	Calling   State = "sending" // a provider is being called
	Accepted  State = "accepted"
	Bounced   State = "bounced"
	Failed    State = "failed"
	Unknown   State = "unknown"
	Cancelled State = "cancelled"
)

// States lists them in a fixed order.
func States() []State {
	return []State{Queued, Held, Handed, Calling, Accepted, Bounced, Failed, Unknown, Cancelled}
}

// Gate is what stopped a line.
type Gate string

// The gates, in the order in which they are asked. NoAddress and Stopped addresses are part of the first.
const (
	Suppressed    Gate = "suppressed"
	NoAddress     Gate = "no_address"
	BadAddress    Gate = "bounced"
	NoConsent     Gate = "consent"
	GlobalHoldout Gate = "global_holdout"
	Holdout       Gate = "holdout"
	LeftSegment   Gate = "left_segment"
	Capped        Gate = "cap"
	Quiet         Gate = "quiet"
)

// Gates lists them in their order.
func Gates() []Gate {
	return []Gate{Suppressed, NoAddress, BadAddress, NoConsent, GlobalHoldout, Holdout, LeftSegment, Capped, Quiet}
}

// Arms that are no variant.
const (
	ArmGlobal  = "global"
	ArmHoldout = "holdout"
)

// Intent is the line of one person.
type Intent struct {
	ID       id.ID
	Run      id.ID
	Customer id.ID
	Channel  string
	Step     int
	Arm      string
	Eligible bool
	State    State
	Gate     Gate
	Due      time.Time
	At       time.Time
	HandedAt time.Time
	DoneAt   time.Time
	Reason   string
	Opened   time.Time
	Machine  time.Time
	Clicked  time.Time
	Tries    int // that came to nothing and are repeated
}

// Handover moves a line that waits: into the queue of mails, to a provider that is called next, behind a gate, or to a later hour.
type Handover struct {
	Intent   id.ID
	Customer id.ID
	Channel  string
	Day      clock.Day // of the person
	Counts   bool      // against caps
	State    State     // Handed, Calling, Held or Queued
	Gate     Gate
	Later    time.Time // of what waits on
	Parts    int
	Mail     *mail.Item
	// NextDay is when a day begins that caps count anew; what a cap stops waits for it when Wait.
	NextDay time.Time
	Wait    bool
}

// Done is what became of a line.
type Done struct {
	Intent  id.ID
	State   State
	Receipt string
	Reason  string
	At      time.Time
	Tried   bool // of what waits again: an attempt was made
}

// Sum counts lines that are alike.
type Sum struct {
	Arm      string
	Eligible bool
	State    State
	Gate     Gate
	Wait     string
	Count    int64
	Parts    int64
	Opened   int64
	Machine  int64
	Clicked  int64
	Left     int64 // withdrew consent after it
	Complain int64
	// Delivered are those of whom the provider said so.
	Delivered int64
}

// Report is what a provider says became of a message that it took: Intent is what it was sent as, 0 where Receipt alone is known. Neither Delivered
// nor Code says that it is under way.
type Report struct {
	Intent    id.ID
	Receipt   string
	Account   id.ID
	Delivered bool
	Dead      bool // the number takes nothing any more
	Code      string
	At        time.Time
}

// Doubt is a message of which nobody knows whether it was taken.
type Doubt struct {
	Intent, Run, Customer, Account id.ID
	Receipt                        string
	At                             time.Time
}

// Reason counts lines that came to nothing for one reason.
type Reason struct {
	State State
	Code  string
	Count int64
}

// Link is what became of one link.
type Link struct {
	Number  int
	URL     string
	People  int64
	Clicks  int64
	Machine int64
}

// Cap is how many messages somebody gets by a channel ("" for all together) within so many days of their own calendar.
type Cap struct {
	Channel string `json:"channel"`
	Days    int    `json:"days"`
	Most    int    `json:"most"`
}

// Store keeps campaigns and their lines.
type Store interface {
	Campaigns(ctx context.Context) ([]Campaign, error)
	// Campaign is one. NotFound campaign.not_found.
	Campaign(ctx context.Context, key id.ID) (Campaign, error)
	Insert(ctx context.Context, c Campaign) error
	// Update writes everything that people say over version c.Version-1. Stale campaign.stale.
	Update(ctx context.Context, c Campaign) error
	// Move writes status, reason and times where the status is one of from; false when it is not.
	Move(ctx context.Context, c Campaign, from ...Status) (bool, error)
	Delete(ctx context.Context, key id.ID) error
	// Enlist writes lines and the cursor in one transaction while the campaign is planning; a line that is there already stays.
	Enlist(ctx context.Context, run id.ID, list []Intent, cursor string) error
	// Due are lines that wait, the longest due first.
	Due(ctx context.Context, run id.ID, now time.Time, limit int) ([]Intent, error)
	// Recent counts lines handed over at or after an instant, and those that a queue still has.
	Recent(ctx context.Context, run id.ID, since time.Time) (handed, open int, err error)
	// Counted is how often people were written to on the days from..to, by customer and channel.
	Counted(ctx context.Context, customers []id.ID, from, to clock.Day) (map[id.ID]map[string]map[clock.Day]int, error)
	// Hand moves lines in one transaction and says which are Handed or Calling now. A line that no longer waits stays as it is; one that a cap
	// stops goes to its gate, or waits.
	Hand(ctx context.Context, list []Handover, caps []Cap, now time.Time) ([]id.ID, error)
	// Finish writes what became of lines that are being sent; Queued makes one wait again until At.
	Finish(ctx context.Context, list []Done) error
	// Settle takes over what became of mails, makes lines unknown that were being sent before an instant, and counts what is still open.
	Settle(ctx context.Context, run id.ID, before, now time.Time) (changed, open int, err error)
	// Cancel ends what waits, and the mails of it that wait.
	Cancel(ctx context.Context, run id.ID, now time.Time) error
	// Sums counts lines that are alike; who withdrew consent for the purpose after the message is counted apart.
	Sums(ctx context.Context, run id.ID, purpose string) ([]Sum, error)
	Links(ctx context.Context, run id.ID) ([]Link, error)
	// Lines are those of a state or gate ("" for all), the newest first, before one.
	Lines(ctx context.Context, run id.ID, state State, gate Gate, before id.ID, limit int) ([]Intent, error)
	// Arms calls take for every eligible line by ascending customer.
	Arms(ctx context.Context, run id.ID, take func(customer id.ID, arm string) error) error
	// Report writes down what a provider says of a line of a run that goes through the account; found is false for any other.
	Report(ctx context.Context, v Report, now time.Time) (run id.ID, found bool, err error)
	// Doubts are unknown lines of text messages handed over between two instants, that were asked about less than most times; Asked counts one.
	Doubts(ctx context.Context, from, to time.Time, most, limit int) ([]Doubt, error)
	Asked(ctx context.Context, intent id.ID) error
	// Reasons are why lines came to nothing, the most frequent first.
	Reasons(ctx context.Context, run id.ID) ([]Reason, error)
	// Seen writes an open or a click down; false when there is no such line.
	Seen(ctx context.Context, s Sight) (bool, error)
	// Bounce notes that a mail came back, or was complained of; NotFound campaign.unknown_message.
	Bounce(ctx context.Context, mailID id.ID, hard, complaint bool, reason string, now time.Time) error
}

// Sight is that a message was looked at: Link 0 for opened.
type Sight struct {
	Intent  id.ID
	Link    int
	URL     string
	Machine bool
	At      time.Time
}

// Person is somebody as gates and writers see them.
type Person struct {
	ID         id.ID
	Suppressed bool // erased, restricted, asks for quiet
	Stopped    bool // the address takes nothing any more
	Refused    bool // no consent for the purpose by the channel
	Address    string
	Name       string
	Locale     string
	Zone       *time.Location
}

// People knows everybody.
type People interface {
	// Look says of customers whether they may be reached by a channel for a purpose, and where.
	Look(ctx context.Context, channel, purpose string, customers []id.ID) (map[id.ID]Person, error)
}

// Audience knows who is in segments.
type Audience interface {
	Members(ctx context.Context, segment string, after id.ID, limit int) ([]id.ID, error)
	Among(ctx context.Context, segment string, customers []id.ID) (map[id.ID]bool, error)
	// Exists refuses a segment that there is not, or that is broken.
	Exists(ctx context.Context, segment string) error
}

// Letter is a message for one person, ready to go.
type Letter struct {
	Subject, HTML, Text string
	Stop                string // address of one click that ends them
	Parts               int
	// Code and Values are what a provider that knows its texts is given.
	Code   string
	Values []Value
}

// Value is one for a place of a provider's text.
type Value struct{ Key, Value string }

// Draw asks for the message of a person.
type Draw struct {
	Campaign *Campaign
	Variant  *Variant
	Intent   id.ID
	Person   *Person
}

// Writer writes messages.
type Writer interface {
	// Write makes the messages of a batch; a person whose message cannot be made has an error.
	Write(ctx context.Context, list []Draw) ([]Letter, []error)
	// Ready refuses a plan whose template or server is missing, and fixes the versions of templates.
	Ready(ctx context.Context, c *Campaign) error
}

// Parcel is what a provider gets.
type Parcel struct {
	Intent  id.ID
	Person  *Person
	Letter  *Letter
	Account id.ID
	Run     *Campaign
	Variant *Variant
}

// Answer is what a provider made of a parcel. Later says that it surely did not take it.
type Answer struct {
	State   State // Accepted, Failed or Unknown
	Later   bool
	Receipt string
	Reason  string
	// Halt is why nothing would be taken now: the campaign is paused with it, and what was not taken waits.
	Halt string
}

// Carrier brings parcels to people.
type Carrier interface {
	// Ready refuses a campaign of which nothing would be taken now; it is paused with the code.
	Ready(ctx context.Context, c *Campaign) error
	Carry(ctx context.Context, p Parcel) Answer
}

// Post is the queue of mails.
type Post interface {
	// Make seals a message without writing it down.
	Make(m mail.Message) (mail.Item, error)
	Ready(ctx context.Context) (bool, error)
}

// Purchases are those of a span, by ascending customer.
type Purchases interface {
	Bought(ctx context.Context, from, to time.Time, take func(customer id.ID, orders, amount int64) error) error
}

// Config is what a Service needs.
type Config struct {
	Store     Store
	People    People
	Audience  Audience
	Writer    Writer
	Post      Post
	Carriers  map[string]Carrier
	Purchases Purchases
	Rules     func(ctx context.Context) (Rules, error)
	SetRules  func(ctx context.Context, r Rules) error
	Clock     clock.Clock
	Zone      func() *time.Location
	IDs       *id.Generator
	Log       *slog.Logger
	Note      func(ctx context.Context, action string, key id.ID, detail map[string]any) error
	Publish   func(key id.ID)
	Sent      func() // mails were written down
}

// Service is the campaigns of one workspace. It is safe for concurrent use.
type Service struct {
	cfg     Config
	wake    chan struct{}
	results results
}

// New makes a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, wake: make(chan struct{}, 1), results: results{of: map[id.ID]Result{}, settled: map[id.ID]time.Time{}}}
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

func (s *Service) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
