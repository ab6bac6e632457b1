// Package journey takes people along a way of steps: who something happens to enters, waits, is told apart, gets what the steps give, and leaves.
//
// A journey is a graph of steps (Definition) that is checked as it is drawn (Check). It has a draft and numbered versions that never change; at
// publishing it is said what becomes of those who are on the way (Flight).
//
// People are moved as sets. Who is on the way is a Token with the step that is next and the instant at which it is due; a pass takes some thousand that
// are due, asks a condition or writes a batch for all of a step together, and moves them in one transaction with what the step did: lines of messages,
// coupons, fields, tags and tasks are in that transaction, so that a crash at any point does each of them once. A call to another system cannot be: it
// carries a key that is the same when it is made again.
//
// One worker at a time has a journey (Lease). Two that believe they have it do nothing twice either: a move is written over the count that it began
// with, and otherwise the whole batch is taken back.
//
// Messages are not sent from here: a step that sends has a run of the engine of campaigns, with its gates, lines and deliveries.
//
// What is counted. Chance holds some of those who enter back; they are watched for the same goal in the same window, and compared by what chance
// decided, not by what was delivered.
//
// The package knows no SQL and no HTTP, and no other engine.
package journey

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Prefixes of printed ids.
const (
	Prefix      = "jrn"
	TokenPrefix = "jtk"
)

// Status is where a journey stands.
type Status string

// The statuses.
const (
	Draft   Status = "draft"
	Live    Status = "live"
	Paused  Status = "paused"
	Stopped Status = "stopped"
)

// What lets people in.
const (
	OnEntered  = "segment_entered"
	OnLeft     = "segment_left"
	OnEvent    = "event"
	OnRecord   = "record"
	OnDate     = "date"
	OnSchedule = "schedule"
	OnAPI      = "api"
)

// Triggers lists them in a fixed order.
func Triggers() []string {
	return []string{OnEntered, OnLeft, OnEvent, OnRecord, OnDate, OnSchedule, OnAPI}
}

// How often a schedule lets people in.
const (
	Once     = "once"
	Daily    = "day"
	Weekly   = "week"
	Monthly  = "month"
	Festival = "festival"
)

// Match is a property of an event that must be so: =, !=, >, <, has.
type Match struct {
	Property string `json:"property"`
	Op       string `json:"op"`
	Value    string `json:"value"`
}

// Trigger lets people in.
type Trigger struct {
	Kind    string  `json:"kind"`
	Segment string  `json:"segment,omitempty"` // entered, left, or whom a schedule takes; "" for everybody
	Event   string  `json:"event,omitempty"`
	Match   []Match `json:"match,omitempty"`
	// Entity is a property of the event that tells entries of one person apart, such as a cart.
	Entity string      `json:"entity,omitempty"`
	Object string      `json:"object,omitempty"`
	Change string      `json:"change,omitempty"` // created or changed
	Where  *query.Node `json:"where,omitempty"`  // of the record
	Field  string      `json:"field,omitempty"`  // a date or birthday of the customer
	Yearly bool        `json:"yearly,omitempty"`
	Days   int         `json:"days,omitempty"`  // after the date; before it where negative
	Every  string      `json:"every,omitempty"` // once, day, week, month, festival
	On     int         `json:"on,omitempty"`    // weekday 1 (Monday) to 7, or day of the month
	Feast  string      `json:"feast,omitempty"` // of a festival
	At     string      `json:"at,omitempty"`    // time of day, "09:00"
	Date   string      `json:"date,omitempty"`  // of once
}

// Reentry says whether who was in may enter again.
type Reentry struct {
	Kind string `json:"kind"` // once, after or always
	Days int    `json:"days,omitempty"`
}

// The kinds of Reentry.
const (
	ReOnce   = "once"
	ReAfter  = "after"
	ReAlways = "always"
)

// Goal is what a journey is for, within days of the entry.
type Goal struct {
	Kind  string      `json:"kind"` // none, purchase, event or condition
	Event string      `json:"event,omitempty"`
	Where *query.Node `json:"where,omitempty"`
	Days  int         `json:"days,omitempty"`
}

// The kinds of Goal.
const (
	GoalNone      = "none"
	GoalPurchase  = "purchase"
	GoalEvent     = "event"
	GoalCondition = "condition"
)

// Exit ends the way early, asked before each step.
type Exit struct {
	Goal    bool        `json:"goal,omitempty"`
	Segment bool        `json:"segment,omitempty"` // who is no longer in the segment of the trigger
	Where   *query.Node `json:"where,omitempty"`
}

// The kinds of steps.
const (
	Wait    = "wait"
	Branch  = "branch"
	Split   = "split"
	Switch  = "switch"
	Send    = "send"
	Update  = "update"
	Tag     = "tag"
	Task    = "task"
	Coupon  = "coupon"
	Webhook = "webhook"
	Reached = "goal"
	End     = "exit"
)

// Kinds lists them in a fixed order.
func Kinds() []string {
	return []string{Wait, Branch, Split, Switch, Send, Update, Tag, Task, Coupon, Webhook, Reached, End}
}

// Waiting is how long a step waits: a span, then a time of day, and a weekday; or a date of the customer or of the calendar; or until an event comes,
// for the span at most.
type Waiting struct {
	Days     int    `json:"days,omitempty"`
	Hours    int    `json:"hours,omitempty"`
	Minutes  int    `json:"minutes,omitempty"`
	At       string `json:"at,omitempty"`
	Weekdays []int  `json:"weekdays,omitempty"`
	Date     string `json:"date,omitempty"`
	Field    string `json:"field,omitempty"`
	Event    string `json:"event,omitempty"` // a name, or "purchase"
}

// Purchase is the event of Waiting that is an order.
const Purchase = "purchase"

// Way is one of those that a step tells apart; the first that fits is taken. Whoever fits none goes on at Next of the step.
type Way struct {
	Key   string          `json:"key"`
	Label string          `json:"label,omitempty"`
	Where *query.Node     `json:"where,omitempty"`
	Share int             `json:"share,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
	Next  string          `json:"next"`
}

// Step is one.
type Step struct {
	Key  string   `json:"key"`
	Kind string   `json:"kind"`
	Name string   `json:"name,omitempty"`
	Next string   `json:"next,omitempty"`
	Ways []Way    `json:"ways,omitempty"`
	Wait *Waiting `json:"wait,omitempty"`
	// Template is what is sent; Run the run of campaigns that sends it, set when the version is published.
	Template string `json:"template,omitempty"`
	Purpose  string `json:"purpose,omitempty"`
	Run      id.ID  `json:"run,omitempty"`
	// Field is a field or trait that is switched by, or a field that is written. Value is written; null empties it.
	Field  string          `json:"field,omitempty"`
	Trait  string          `json:"trait,omitempty"`
	Value  json.RawMessage `json:"value,omitempty"`
	Add    []string        `json:"add,omitempty"`
	Remove []string        `json:"remove,omitempty"`
	Title  string          `json:"title,omitempty"`
	Text   string          `json:"text,omitempty"`
	Owner  string          `json:"owner,omitempty"` // of a task; "" for who has the customer
	Days   int             `json:"days,omitempty"`  // until a task is due
	Offer  string          `json:"offer,omitempty"`
	URL    string          `json:"url,omitempty"`
}

// Definition is what a journey does.
type Definition struct {
	Trigger Trigger     `json:"trigger"`
	Where   *query.Node `json:"where,omitempty"` // who may enter
	Reentry Reentry     `json:"reentry"`
	// PerDay and Total bound how many enter; 0 for no bound.
	PerDay int `json:"per_day,omitempty"`
	Total  int `json:"total,omitempty"`
	// Holdout is how many of a hundred are held back by chance.
	Holdout int    `json:"holdout"`
	Goal    Goal   `json:"goal"`
	Exit    Exit   `json:"exit"`
	Start   string `json:"start"`
	Steps   []Step `json:"steps"`
}

// Step is the one with a key; nil where there is none.
func (d *Definition) Step(key string) *Step {
	for i := range d.Steps {
		if d.Steps[i].Key == key {
			return &d.Steps[i]
		}
	}
	return nil
}

// Journey is one.
type Journey struct {
	ID                   id.ID
	Name                 string
	Status               Status
	Draft                Definition
	Changed              bool
	Published            int64
	Version              int64
	Reason               string
	Cursor               time.Time
	CreatedBy, UpdatedBy id.ID
	CreatedAt, UpdatedAt time.Time
	BeganAt, EndedAt     time.Time
}

// Flight is what becomes at publishing of those who are on the way.
type Flight string

// The flights: they go on in their version; they move to the new one where their step is in it; they leave.
const (
	Finish Flight = "finish"
	MoveOn Flight = "move"
	Leave  Flight = "leave"
)

// Version is one that was published.
type Version struct {
	Number int64
	Flight Flight
	By     id.ID
	At     time.Time
}

// State is where somebody stands.
type State string

// The states: on the way, at the end of it, left before, held back by chance.
const (
	On   State = "on"
	Done State = "done"
	Left State = "left"
	Held State = "held"
)

// Arms.
const (
	ArmTreated = "treated"
	ArmHoldout = "holdout"
	ArmGlobal  = "global"
)

// Token is somebody on the way.
type Token struct {
	ID, Journey, Customer id.ID
	Version, Entry        int64
	Occasion, Arm, Step   string
	State                 State
	Moves, Tries          int64
	Due, Until            time.Time
	Awaits                string
	Woken, Goal           time.Time
	Entered, Ended        time.Time
}

// Outcomes of steps, beside the keys of ways.
const (
	OutDone   = "done"
	OutElse   = "else"
	OutFailed = "failed"
	OutEvent  = "event"
	OutTime   = "time"
	OutLeft   = "left"
	OutEnter  = "entered"
	OutHeld   = "held"
	OutFull   = "full"
	OutAgain  = "again"
)

// Reasons why somebody left early.
const (
	WhyGoal    = "goal"
	WhyWhere   = "condition"
	WhySegment = "segment"
	WhyGone    = "gone"
	WhyStopped = "stopped"
	WhyNew     = "published"
	WhyNoStep  = "no_step"
)

// Move is what becomes of a token. Outcome "" writes nothing of the way down.
type Move struct {
	Token   *Token
	To      string
	State   State
	Due     time.Time
	Until   time.Time
	Awaits  string
	Tries   int64
	Outcome string
	Why     string
	Kind    string // of the step
	Goal    bool
}

// Batch is what is moved together, with lines and coupons that go with it, as the store knows them.
type Batch struct {
	Journey id.ID
	Moves   []Move
	Effects []any
	At      time.Time
}

// Entering is who would enter, and under which rules.
type Entering struct {
	Journey *Journey
	Def     *Definition
	List    []Token
	At      time.Time
	DayFrom time.Time // when the day of the workspace began
}

// Path is one thing of somebody's way.
type Path struct {
	Token                    id.ID
	N                        int64
	Step, Kind, Outcome, Why string
	At                       time.Time
}

// Tally is how often a step had an outcome.
type Tally struct {
	Step, Outcome string
	N             int64
}

// Standing is how many are where.
type Standing struct {
	Entered, On, Done, Left, Held int64
	Goal                          int64 // of all who entered
}

// Arm is what came of those whom chance put somewhere; Over counts those whose window has ended.
type Arm struct {
	Arm           string
	N, Hits, Over int64
}

// Store keeps journeys and who is on them.
type Store interface {
	Journeys(ctx context.Context) ([]Journey, error)
	// Journey is one. NotFound journey.not_found.
	Journey(ctx context.Context, key id.ID) (Journey, error)
	Insert(ctx context.Context, j Journey) error
	// Update writes what people say over version j.Version-1. Stale journey.stale.
	Update(ctx context.Context, j Journey) error
	// Publish writes a version and the journey over j.Version-1, and does with those on the way what flight says, in one transaction.
	Publish(ctx context.Context, j Journey, d Definition, flight Flight) error
	Version(ctx context.Context, key id.ID, number int64) (Definition, error)
	Versions(ctx context.Context, key id.ID) ([]Version, error)
	// Move writes status, reason and times where the status is one of from; false when it is not.
	Move(ctx context.Context, j Journey, from ...Status) (bool, error)
	// Empty lets everybody on the way leave.
	Empty(ctx context.Context, key id.ID, why string, at time.Time) error
	Delete(ctx context.Context, key id.ID) error
	SetCursor(ctx context.Context, key id.ID, at time.Time) error
	// Lease takes a journey for a worker, or prolongs it; false while another one has it.
	Lease(ctx context.Context, key, worker id.ID, now, until time.Time) (bool, error)
	// Enter writes tokens of whom the rules of entry let in, and counts the others. The same occasion lets in once.
	Enter(ctx context.Context, e Entering) (int, error)
	// Due are tokens on the way that are due, the longest first.
	Due(ctx context.Context, key id.ID, now time.Time, limit int) ([]Token, error)
	// Advance moves tokens in a transaction of the records plane (nil for one of its own). Stale journey.moved takes all of it back where one of
	// them was moved by somebody else.
	Advance(ctx context.Context, tx any, b Batch) error
	// Wake lets tokens go on that await something.
	Wake(ctx context.Context, awaits string, customers []id.ID, at time.Time) (int, error)
	// Reach notes the goal of whoever entered within days before an instant, and makes those on the way due.
	Reach(ctx context.Context, key id.ID, customers []id.ID, days int, at time.Time) (int, error)
	// Known are customers who ever entered a journey, or somebody who was merged into them.
	Known(ctx context.Context, customers []id.ID) (map[id.ID]bool, error)
	// Open are those whose goal may still be reached, by ascending id after one.
	Open(ctx context.Context, key id.ID, since time.Time, after id.ID, limit int) ([]Token, error)
	// Crossed are who entered or left a segment at or after an instant.
	Crossed(ctx context.Context, segment string, entered bool, since time.Time, after Crossing, limit int) ([]Crossing, error)
	Tallies(ctx context.Context, key id.ID) ([]Tally, error)
	// Standing counts states; waiting is who is at which step.
	Standing(ctx context.Context, key id.ID) (s Standing, waiting map[string]int64, err error)
	// Arms counts first entries of each arm and how many reached the goal within days.
	Arms(ctx context.Context, key id.ID, days int, now time.Time) ([]Arm, error)
	// People are tokens of a state at a step ("" for all), the newest first, before one.
	People(ctx context.Context, key id.ID, state State, step string, before id.ID, limit int) ([]Token, error)
	// Of are the tokens of a customer and of whom was merged into her, the newest first, with their ways.
	Of(ctx context.Context, customer id.ID, limit int) ([]Token, []Path, error)
	// Token is one with its way. NotFound journey.not_found.
	Token(ctx context.Context, key id.ID) (Token, []Path, error)
}

// Crossing is a passage through the edge of a segment.
type Crossing struct {
	Customer id.ID
	At       time.Time
}

// People knows everybody.
type People interface {
	// Check refuses a condition on customers that cannot be asked.
	Check(ctx context.Context, object string, where *query.Node) error
	Holding(ctx context.Context, where *query.Node, customers []id.ID) (map[id.ID]bool, error)
	All(ctx context.Context, where *query.Node, fn func([]id.ID) error) error
	// Segment refuses one that there is not, or that is broken.
	Segment(ctx context.Context, key string) error
	Among(ctx context.Context, segment string, customers []id.ID) (map[id.ID]bool, error)
	// Now says who they are after merges; who is gone is missing.
	Now(ctx context.Context, customers []id.ID) (map[id.ID]id.ID, error)
	// Dates are the instants of a date field on or after a day; missing where there is none.
	Dates(ctx context.Context, field string, customers []id.ID, from clock.Day) (map[id.ID]clock.Day, error)
	// DateField refuses a field that is none of dates.
	DateField(ctx context.Context, field string) error
	// Object refuses one whose records do not belong to customers.
	Object(ctx context.Context, key string) error
}

// Act is something that is written for somebody.
type Act struct {
	Step     *Step
	Customer id.ID
	At       time.Time
}

// Desk writes records.
type Desk interface {
	// Check refuses a step whose field, tag or person is not there.
	Check(ctx context.Context, s *Step) error
	// Write does acts in one transaction, each with its own result, and then what follows.
	Write(ctx context.Context, journey id.ID, acts []Act, then func(ctx context.Context, tx any, results []error) error) error
}

// Entry is somebody at a step that sends.
type Entry struct {
	Customer id.ID
	Number   int64
}

// Sender sends.
type Sender interface {
	// Check refuses a step whose template is not there.
	Check(ctx context.Context, s *Step) error
	// Ready makes the runs of the steps of a definition that send.
	Ready(ctx context.Context, j *Journey, d *Definition) error
	// Lines are what is written for people who come to a step; the gate of each, "" for none, in the same order.
	Lines(ctx context.Context, run id.ID, list []Entry) (lines []any, gates []string, err error)
	// Would says which gate would stop each, "" for none.
	Would(ctx context.Context, s *Step, list []id.ID) ([]string, error)
	// Pause and Resume hold back what was not handed over; Stop ends it.
	Pause(ctx context.Context, runs []id.ID) error
	Resume(ctx context.Context, runs []id.ID) error
	Stop(ctx context.Context, runs []id.ID) error
	// Global says whom nobody markets to.
	Global(ctx context.Context) (func(customer id.ID) bool, error)
}

// Offers makes coupons.
type Offers interface {
	Check(ctx context.Context, offer string) error
	Make(ctx context.Context, offer string, customers []id.ID) ([]any, error)
}

// Caller speaks with other systems.
type Caller interface {
	CheckURL(ctx context.Context, url string) error
	// Call answers with "" when it was taken, or the code of what went wrong; lasting when trying again is of no use.
	Call(ctx context.Context, url, key string, body map[string]any) (code string, lasting bool)
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	People  People
	Desk    Desk
	Sender  Sender
	Offers  Offers
	Caller  Caller
	Anchor  func(ctx context.Context) (clock.Day, error) // the day that what is known of customers reaches
	Clock   clock.Clock
	Zone    func() *time.Location
	IDs     *id.Generator
	Log     *slog.Logger
	Note    func(ctx context.Context, action string, key id.ID, detail map[string]any) error
	Publish func(key id.ID)
	Wake    func() // lines were written
}

// Service is the journeys of one workspace. It is safe for concurrent use.
type Service struct {
	cfg    Config
	wake   chan struct{}
	worker id.ID
	defs   definitions
	live   lively
	shown  counts
}

// New makes a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, wake: make(chan struct{}, 1), worker: cfg.IDs.Next(), defs: definitions{of: map[versionKey]*Definition{}}, shown: counts{of: map[id.ID]Counts{}}}
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
