// Package automation runs rules: when something happens to a record and a condition holds, do something.
//
// A rule has revisions, which never change. A Collector follows the change log and a Timer the clock; both begin runs: one record on its
// way through one revision. A Runner takes runs that are due from step to step. All three work on sets: hundreds of change rows or runs
// at a time cost one question each, however many records they are about.
//
// Guarantees. A change begins a run of a rule exactly once: the run is stored in the transaction that moves the position in the log. A
// step that writes records is written down in the transaction that writes them, over the count of steps that it began with: after a kill
// at any point, or with two processes at work, it has happened once or not at all. A notification is claimed by its key. A request to
// another system carries the same webhook-id in every attempt, so that the receiver can tell a repetition. A mail is written down under
// the key of its run and step; the run waits until a mail server took it, and fails with the mail. A write that needs somebody's agreement
// becomes a request for it, and the run waits for the answer. A step that fails for a reason
// that may pass is tried again after 5 s, 1 min, 5 min, 30 min and 2 h; after that, or for a reason that will not pass, the run has failed:
// it is kept with its reason, and goes on when somebody replays it or skips the step.
//
// Conditions are asked of the record as it stands when the rule looks, a moment after the change; what a field was and became is asked of
// the change itself. A rule acts as the person it is said to run as, with that person's rights of the moment, or with the rights of an
// administrator; what it changes says that the rule did it. A person who is gone or shut out pauses the rule.
//
// Loops. A change that a rule made does not begin the same rule on the same record again. Where this comes about through other rules,
// or a chain is longer than MaxDepth, the run is refused and shown; a rule with LoopsAtMost of these within an hour is paused.
//
// It knows no SQL, no HTTP and no analytics; what it needs of them it declares.
package automation

import (
	"context"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Prefixes of printed ids.
const (
	Prefix    = "aut"
	RunPrefix = "arn"
)

// Limits.
const (
	MaxRules    = 200
	MaxSteps    = 60
	MaxDepth    = 8  // rules that follow from one another
	LoopsAtMost = 50 // refused runs of a rule within an hour before it is paused
	// PerHour is how many runs of a rule begin within an hour where it says nothing else; the rest waits.
	PerHour    = 200_000
	maxName    = 100
	maxText    = 2000
	maxValues  = 50
	maxPeople  = 50
	maxWaitFor = 400 * 24 * time.Hour
)

// State says whether a rule works.
type State string

// The states.
const (
	On     State = "on"
	Off    State = "off"
	Paused State = "paused" // by the program; Reason says why
)

// Why the program paused a rule.
const (
	ReasonLoop   = "loop"
	ReasonRunner = "runner" // the person it runs as is gone or may not sign in
	ReasonBroken = "broken" // its definition no longer fits the objects
)

// Rule is a rule in its present revision.
type Rule struct {
	ID          id.ID
	Name        string
	Description string
	State       State
	Reason      string
	RunAs       id.ID // 0 is the program, with the rights of an administrator
	Revision    int64
	HookSerial  int64     // of the address from which other systems begin runs
	CursorAt    time.Time // since when it is on; of a rule by the clock how far it has looked
	Version     int64
	CreatedBy   id.ID
	CreatedAt   time.Time
	UpdatedBy   id.ID
	UpdatedAt   time.Time
	Definition  Definition
	Stats       Stats
}

// Stats are how a rule fares.
type Stats struct {
	Today  Counts
	Live   int // runs under way, waiting ones too
	Failed int // runs that failed and wait for somebody
	LastAt time.Time
}

// Counts of a span of time.
type Counts struct{ Started, Done, Failed, Looped int }

// RunState is where a run stands.
type RunState string

// The states of a run.
const (
	Ready     RunState = "ready"
	Waiting   RunState = "waiting" // at a wait step
	Done      RunState = "done"
	Stopped   RunState = "stopped" // by a stop step, a wait that ran out, or because its record is gone
	Failed    RunState = "failed"
	Looped    RunState = "looped"
	Cancelled RunState = "cancelled"
)

// Live reports whether a run goes on.
func (s RunState) Live() bool { return s == Ready || s == Waiting }

// Known reports whether there is such a state.
func (s RunState) Known() bool {
	switch s {
	case Ready, Waiting, Done, Stopped, Failed, Looped, Cancelled:
		return true
	}
	return false
}

// Link is a run that a run follows from.
type Link struct {
	Rule   id.ID `json:"rule"`
	Record id.ID `json:"record"`
}

// Input is what a run was given at its beginning.
type Input struct {
	// Old are former values of fields that the steps name, printed.
	Old map[string]string `json:"old,omitempty"`
	// Body is what another system sent.
	Body json.RawMessage `json:"body,omitempty"`
}

// Problem is why a run failed or was refused.
type Problem struct {
	Code   string         `json:"code"`
	Params map[string]any `json:"params,omitempty"`
	Field  string         `json:"field,omitempty"`
	Step   string         `json:"step,omitempty"`
}

// Run is a record on its way through a revision.
type Run struct {
	ID       id.ID
	Rule     id.ID
	Revision int64
	Object   string
	Record   id.ID
	// Occasion is what it began with: "v12" a version of the record, "f…" a file, "d2026-11-22" a day, "t…" an instant, "m…" a request. A rule has one
	// run for each record and occasion.
	Occasion  string
	State     RunState
	PC        int
	Moves     int64
	DueAt     time.Time
	Deadline  time.Time
	Watch     bool // a change of the record makes it due
	Tries     int
	Chain     []Link // what it follows from, oldest first
	Input     Input
	Problem   *Problem
	By        id.ID // who pressed the button
	CreatedAt time.Time
	EndedAt   time.Time
}

// Move is a run after a step, written over Moves-1.
type Move struct {
	Run
	Step   *Log // nil when only the time of the next attempt changes
	Effect []Effect
}

// Log is a step that was taken.
type Log struct {
	Number  int64
	Step    string // its id in the definition
	Kind    StepKind
	Outcome Outcome
	Detail  Detail
	At      time.Time
}

// Outcome is what became of a step.
type Outcome string

// The outcomes.
const (
	OutDone    Outcome = "done"
	OutSame    Outcome = "same"    // nothing was to change
	OutYes     Outcome = "yes"     // a branch
	OutNo      Outcome = "no"      // a branch
	OutWaiting Outcome = "waiting" // a wait began
	OutPassed  Outcome = "passed"  // a wait is over
	OutExpired Outcome = "expired" // a wait ran out
	OutFailed  Outcome = "failed"
	OutSkipped Outcome = "skipped" // by a person
	OutSending Outcome = "sending" // a request is about to be made
	OutNobody  Outcome = "nobody"  // nobody to tell or to give it to
	OutStopped Outcome = "stopped"
	OutHeld    Outcome = "held"  // a mail that must not be sent: Detail.Code says why
	OutAsked   Outcome = "asked" // a write waits for somebody's agreement
)

// Detail is what else there is to say of a step. Nothing of it is personal.
type Detail struct {
	Fields []string   `json:"fields,omitempty"`
	Object string     `json:"object,omitempty"`
	Record string     `json:"record,omitempty"` // printed id
	People []string   `json:"people,omitempty"` // printed ids
	Until  *time.Time `json:"until,omitempty"`
	Status int        `json:"status,omitempty"`
	Host   string     `json:"host,omitempty"`
	Code   string     `json:"code,omitempty"`
	Field  string     `json:"field,omitempty"`
	Params any        `json:"params,omitempty"`
	Tries  int        `json:"tries,omitempty"`
	// Mail is the printed id of a mail.
	Mail string `json:"mail,omitempty"`
	// Request is the printed id of a request for agreement.
	Request string `json:"request,omitempty"`
}

// Effect is a change that a run made.
type Effect struct {
	Record  id.ID
	Version int64
}

// Begin are runs to begin, stored with a position of the log.
type Begin struct {
	Runs   []Run
	Wake   []id.ID // records whose waiting runs are due
	Pause  map[id.ID]string
	Looped map[id.ID]int
	At     time.Time
	To     change.Position
}

// Filter chooses runs. Zero values choose all.
type Filter struct {
	Rule   id.ID
	State  RunState
	Record id.ID
	Run    id.ID
	Before id.ID // older than this one
}

// Store keeps rules and runs.
type Store interface {
	// Rules are all rules with their present definitions, by name; stats asks for Stats too, of the hours since an instant.
	Rules(ctx context.Context, stats bool, since time.Time) ([]Rule, error)
	// Rule is one of them with Stats. NotFound automation.not_found.
	Rule(ctx context.Context, key id.ID, since time.Time) (Rule, error)
	InsertRule(ctx context.Context, r Rule) error
	// UpdateRule writes a rule over version r.Version-1, and its definition when the revision is not stored yet. Stale automation.stale.
	UpdateRule(ctx context.Context, r Rule) error
	// DeleteRule removes a rule with everything it did.
	DeleteRule(ctx context.Context, key id.ID) error
	// Revision reads a definition. NotFound automation.not_found.
	Revision(ctx context.Context, key id.ID, revision int64) (Definition, error)
	Revisions(ctx context.Context, key id.ID) ([]RevisionInfo, error)
	// PauseRule makes a rule that is on pause, for a reason.
	PauseRule(ctx context.Context, key id.ID, reason string, at time.Time) error
	SetCursor(ctx context.Context, key id.ID, at time.Time) error

	// Collect begins runs and moves the consumer's position in one transaction.
	Collect(ctx context.Context, b Begin) error
	// Start begins runs that are not there yet, by rule, record and occasion, and says how many were new.
	Start(ctx context.Context, runs []Run) (int, error)
	// Watching reports whether any run waits for its record to change.
	Watching(ctx context.Context) (bool, error)
	// Due are runs of a rule that are due, the longest due first.
	Due(ctx context.Context, rule id.ID, now time.Time, limit int) ([]Run, error)
	// Begun is how many runs of a rule took their first step in the hour of an instant.
	Begun(ctx context.Context, rule id.ID, at time.Time) (int, error)
	// Postpone puts off all runs of a rule that are due and have not begun.
	Postpone(ctx context.Context, rule id.ID, now, until time.Time) error
	// Move writes steps; a run that somebody else moved meanwhile is the Stale automation.moved, and nothing is written. tx is that of the
	// records, nil for a transaction of its own. turn, unless nil, moves whose turn it is from one number to another.
	Move(ctx context.Context, tx record.Tx, moves []Move, turn *Turn) error
	Turn(ctx context.Context, rule id.ID, step string) (int64, error)
	// Causes finds the runs that made changes.
	Causes(ctx context.Context, effects []Effect) (map[Effect]Run, error)
	// Nudge makes a run due that waits.
	Nudge(ctx context.Context, run id.ID, now time.Time) error
	// Runs are the newest first.
	Runs(ctx context.Context, f Filter, limit int) ([]Run, error)
	Steps(ctx context.Context, run id.ID) ([]Log, error)
	// Again makes failed runs of a rule, or one, go on at once; it says how many.
	Again(ctx context.Context, rule, run id.ID, now time.Time) (int, error)
	// Cancel ends the live runs of a rule, or one.
	Cancel(ctx context.Context, rule, run id.ID, now time.Time) (int, error)
	// Sweep forgets runs that ended before an instant, failed ones before another.
	Sweep(ctx context.Context, ended, failed time.Time) error
}

// RevisionInfo is a revision of a rule.
type RevisionInfo struct {
	Revision   int64
	At         time.Time
	By         id.ID
	Live       int // runs that are under way in it
	Definition Definition
}

// Turn is whose turn it is at a step that deals out in turn.
type Turn struct {
	Rule     id.ID
	Step     string
	From, To int64
}

// Records is what is needed of the record engine.
type Records interface {
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	Mass(ctx context.Context, ops []record.BatchOp, c record.MassCall) ([]record.BulkResult, change.Position, error)
	Foresee(ctx context.Context, object string, ids []id.ID, in record.Input, assign bool) ([]record.Outlook, error)
	Evaluate(ctx context.Context, object string, field *schema.Field, ids []id.ID) (map[id.ID]any, error)
	ChangesOf(row *change.Row) []record.FieldChange
	Titles(ctx context.Context, refs []record.Ref) error
	Env(ctx context.Context) schema.ParseEnv
	Count(ctx context.Context, object string, where *query.Node, search string, exact bool) (int, bool, error)
}

// Conditions is the condition language of the workspace.
type Conditions interface {
	// Check refuses a condition that the actor may not ask.
	Check(ctx context.Context, object string, where *query.Node) error
	// Holding finds those of some records that the actor sees and that fulfil a condition; nil is fulfilled by all.
	Holding(ctx context.Context, object string, where *query.Node, ids []id.ID, deleted bool) (map[id.ID]bool, error)
	// Changeable finds those of some records that the actor may change.
	Changeable(ctx context.Context, object string, ids []id.ID) (map[id.ID]bool, error)
	// All gives everything that fulfils a condition and that the actor sees, in portions.
	All(ctx context.Context, object string, where *query.Node, fn func([]id.ID) error) error
}

// People knows who works here.
type People interface {
	// Actor is who a rule acts as: a person (0 for the program) with the rights of now. Forbidden or NotFound for one who is gone or shut out.
	Actor(ctx context.Context, person id.ID) (access.Actor, error)
	// Present says which of some people are here and not shut out.
	Present(ctx context.Context, people []id.ID) (map[id.ID]bool, error)
	// Members are the people of a team or department.
	Members(ctx context.Context, unit id.ID) ([]id.ID, error)
	// Load is how many open records of an object each person owns.
	Load(ctx context.Context, object, owner string, people []id.ID) (map[id.ID]int, error)
}

// Message is what people are told.
type Message struct {
	Rule   string // its name
	RuleID id.ID
	Object string
	Record id.ID
	To     []id.ID
	Text   string
	Once   string // key of the message
}

// Notices tells people something in the program; whoever was told under the same key is not told again.
type Notices interface {
	Notify(ctx context.Context, list []Message) error
}

// Request is one call of another system.
type Request struct {
	Rule id.ID
	URL  string
	ID   string // the same in every attempt
	Body []byte
}

// Outbound speaks with other systems.
type Outbound interface {
	// CheckURL refuses an address that is not reached from here.
	CheckURL(ctx context.Context, url string) error
	// Post makes one attempt; code is "" for success.
	Post(ctx context.Context, r Request) (status int, code string)
}

// Past reads changes of an object, the newest first and not older than an instant; it looks at no more of the log than its bound, and
// complete tells whether that was all.
type Past func(ctx context.Context, object string, since time.Time, fn func([]change.Row) error) (complete bool, err error)

// Receiver is whom a mail is for: an address in a field of a record, somebody who works here, or an address.
type Receiver struct {
	Object  string
	Record  id.ID
	Field   string
	Person  id.ID
	Address string
	Purpose string // of a mail to an address of a record; "" for none
}

// Mailbox is where a mail goes. Address is for the Post alone: nothing shows or stores it.
type Mailbox struct{ Address, Name, Mask, Locale string }

// Letter is a mail to send.
type Letter struct {
	Key     string
	Rule    id.ID
	To      Mailbox
	ReplyTo Receiver // zero for what the mail server says
	Subject string
	Text    string
	Object  string // of the record that it is about
	Record  id.ID
	Person  id.ID // the colleague who gets it
	Purpose string
}

// PostState is where a mail stands.
type PostState string

// The states of a mail.
const (
	PostWaiting PostState = "waiting"
	PostSent    PostState = "sent"
	PostFailed  PostState = "failed"
)

// Posted is a mail that was written down. Code says why it failed.
type Posted struct {
	Mail  string // printed id
	State PostState
	Code  string
	Reply string
}

// Post sends mails.
type Post interface {
	// CheckAddress refuses a text that is no address.
	CheckAddress(address string) error
	// CheckPurpose refuses a text that is no purpose that mails are sent for.
	CheckPurpose(ctx context.Context, purpose string) error
	// Find says where a mail goes. Conflict when nothing may go there: its code begins with HeldBack.
	Find(ctx context.Context, r Receiver) (Mailbox, error)
	// Standing is the mail of a key.
	Standing(ctx context.Context, key string) (Posted, bool, error)
	// Write writes a mail down unless there is one of its key; again replaces one that failed.
	Write(ctx context.Context, l Letter, again bool) (Posted, error)
	// Page is a text as the HTML of a mail.
	Page(text string) string
}

// HeldBack begins the codes of faults that keep a mail from being sent without anything being wrong.
const HeldBack = "automation.held_"

// Asking is a write that somebody is to agree to.
type Asking struct {
	Request id.ID // of its own: asked again under the same one it is asked once
	Run     string
	Rule    string
	Person  id.ID // who asks
	Op      record.BatchOp
	Assign  bool
}

// AnswerState is what became of a request.
type AnswerState string

// The states of a request.
const (
	AnswerOpen    AnswerState = "open"
	AnswerDone    AnswerState = "done" // agreed to and carried out
	AnswerRefused AnswerState = "refused"
	AnswerFailed  AnswerState = "failed" // agreed to and then refused by the record
	AnswerNone    AnswerState = "none"   // there is no such request
)

// Agreements asks people for their agreement to writes.
type Agreements interface {
	Ask(ctx context.Context, a Asking) error
	Answer(ctx context.Context, request id.ID) (state AnswerState, code string, err error)
}
