// Package approval lets certain writes wait until somebody has agreed to them.
//
// A process belongs to an object and guards one action: making a record, changing some of its fields, moving a choice field from
// one value to another, deleting, or exporting. It has a condition, and steps in an order, each with people who are asked: named
// ones, those of a role, a team or a department, the head of a department, the chain of heads above the requester, or the person
// in a field of the record. A step ends when the first of them has answered, when all have agreed, when most have, or when all
// have one after the other; it may have a condition and a time after which something happens by itself.
//
// Guarantees. A guarded write is refused with approval.needed whatever door it comes through (Service is a record.Guard: it is
// asked inside the transaction of the write); while a request is open, what it is about is locked with approval.locked. What is
// carried out is exactly what was agreed to, with the rights that the requester has at that moment, once: the write and the end of
// the request commit together, and a crash in between is made up for by Run. It is not carried out when one of the values that
// would be replaced is another one than when it was proposed. A request goes on in the version of the process with which it
// began. If the write needs the agreement of a second process, the same request goes on in that one.
//
// Who is asked must be able to see the record; who is not there is left out, and his deputy may answer for him. A proposal is kept
// sealed under a key of its own; when the request has ended, personal values in it are replaced by their masks.
//
// What the program itself writes (access.BySystem) waits for nobody.
//
// The package knows no SQL and no HTTP.
package approval

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Prefixes of printed ids: a process, a request, and what somebody is asked in one.
const (
	ProcessPrefix = "apc"
	Prefix        = "apr"
	TaskPrefix    = "apt"
)

// Action is what a process guards.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update" // of some fields, or of any
	Move   Action = "move"   // of a choice field, from some of its values to some
	Delete Action = "delete"
	Export Action = "export"
)

// Actions lists every action, in a fixed order.
func Actions() []Action { return []Action{Create, Update, Move, Delete, Export} }

// Mode says when a step has its answer.
type Mode string

// The modes.
const (
	First    Mode = "any"      // the first answer counts
	All      Mode = "all"      // everybody agrees
	Majority Mode = "majority" // more than half agree
	Sequence Mode = "sequence" // everybody agrees, one after the other
)

// Late says what happens when a step was not answered in time.
type Late string

// What happens.
const (
	Remind   Late = "remind"   // who is asked is told again, each time the span has passed
	Escalate Late = "escalate" // others are asked in their place
	Agree    Late = "approve"
	Refuse   Late = "reject"
)

// Nobody says what happens in a step in which nobody can be asked.
type Nobody string

// What happens.
const (
	AskAdministrators Nobody = "administrators"
	SkipStep          Nobody = "skip"
	RefuseRequest     Nobody = "reject"
)

// Own says what becomes of a requester who would be asked.
type Own string

// What becomes of them.
const (
	OwnLeaves Own = "leave" // others are asked; with nobody left it is Nobody
	OwnAgrees Own = "agree" // counts as having agreed
	OwnAsked  Own = "ask"
)

// Kind says how people are found.
type Kind string

// The kinds.
const (
	ByPerson    Kind = "user"
	ByRole      Kind = "role"
	ByUnit      Kind = "unit"          // everybody in a team or department
	ByHead      Kind = "head"          // who is at the head of a team or department
	ByManager   Kind = "manager"       // the head above the requester, Level steps up
	ByChain     Kind = "chain"         // the heads above the requester, up to Level steps, one after the other
	ByField     Kind = "field"         // the person in a field of the record
	ByFieldHead Kind = "field_manager" // the head above that person, Level steps up
)

// Approver says who is asked. Ids are printed ones.
type Approver struct {
	Kind  Kind   `json:"kind" enum:"user,role,unit,head,manager,chain,field,field_manager"`
	User  string `json:"user,omitempty"`
	Role  string `json:"role,omitempty"`
	Unit  string `json:"unit,omitempty"`
	Field string `json:"field,omitempty"`
	Level int    `json:"level,omitempty"` // 1 to 10
}

// ProcessStep is one stop on the way.
type ProcessStep struct {
	Name     string      `json:"name"`
	Where    *query.Node `json:"where,omitempty"` // of the record as it would be; without one the step is always taken
	Who      []Approver  `json:"who"`
	Mode     Mode        `json:"mode" enum:"any,all,majority,sequence"`
	Hours    int         `json:"hours,omitempty"` // to answer in; 0 for ever
	Late     Late        `json:"late,omitempty" enum:",remind,escalate,approve,reject"`
	Escalate []Approver  `json:"escalate,omitempty"`
	Nobody   Nobody      `json:"nobody,omitempty" enum:",administrators,skip,reject"` // administrators when empty
}

// ProcessSpec is a process as it is written.
type ProcessSpec struct {
	Name    string        `json:"name"`
	Object  string        `json:"object"`
	Enabled bool          `json:"enabled"`
	Action  Action        `json:"action" enum:"create,update,move,delete,export"`
	Fields  []string      `json:"fields,omitempty"` // of Update: none for any; of Move: the one
	From    []string      `json:"from,omitempty"`   // of Move: options; none for any
	To      []string      `json:"to,omitempty"`
	Where   *query.Node   `json:"where,omitempty"`  // of the record as it would be
	Free    *query.Node   `json:"free,omitempty"`   // writes of which it holds wait for nobody
	For     []Approver    `json:"for,omitempty"`    // whose writes are guarded: users, roles, units; none for everybody
	Except  []Approver    `json:"except,omitempty"` // whose are not
	Whole   bool          `json:"whole"`            // the whole record is locked meanwhile, not only what is guarded
	Own     Own           `json:"own" enum:"leave,agree,ask"`
	Once    bool          `json:"once"` // who has agreed in a step is not asked in a later one
	Steps   []ProcessStep `json:"steps"`
}

// Process is a stored process.
type Process struct {
	ID      id.ID
	Version int64
	ProcessSpec
	At time.Time
	By id.ID
}

// State is where a request stands.
type State string

// The states. Pending, Returned and Approved requests are open: they hold their record locked.
const (
	Pending   State = "pending"
	Returned  State = "returned" // for the requester to correct
	Approved  State = "approved" // agreed to, about to be carried out
	Applied   State = "applied"
	Rejected  State = "rejected"
	Withdrawn State = "withdrawn"
	Failed    State = "failed" // agreed to and then refused by the record
)

// Open reports whether a request in this state locks its record.
func (s State) Open() bool { return s == Pending || s == Returned || s == Approved }

// TaskState is where a question to one person stands.
type TaskState string

// The states of a task.
const (
	TaskWaits     TaskState = "waiting" // for others to answer first
	TaskPending   TaskState = "pending"
	TaskApproved  TaskState = "approved"
	TaskRejected  TaskState = "rejected"
	TaskReturned  TaskState = "returned"
	TaskHanded    TaskState = "handed"    // to somebody else
	TaskEscalated TaskState = "escalated" // others are asked instead
	TaskCancelled TaskState = "cancelled" // the answer is no longer needed
)

func (s TaskState) open() bool { return s == TaskWaits || s == TaskPending }

// Task is what one person is asked.
type Task struct {
	ID     id.ID     `json:"-"`
	Person id.ID     `json:"-"`
	By     id.ID     `json:"-"` // who answered: the person or a deputy; 0 for the program and for nobody yet
	State  TaskState `json:"-"`
	Due    time.Time `json:"-"` // zero for ever
	Told   bool      `json:"-"`

	Round   int       `json:"round"`
	Step    int       `json:"step"` // of the plan
	Place   int       `json:"place"`
	Extra   bool      `json:"extra,omitempty"`  // added by another who was asked; must agree besides
	Behind  []id.ID   `json:"behind,omitempty"` // tasks that must be answered first
	From    id.ID     `json:"from,omitempty"`   // who handed it over or added it
	Auto    bool      `json:"auto,omitempty"`   // answered by the program
	At      time.Time `json:"at"`
	Decided time.Time `json:"decided,omitzero"`
	Comment string    `json:"comment,omitempty"`
}

// EventKind is what happened to a request.
type EventKind string

// The kinds of event.
const (
	EvSubmitted   EventKind = "submitted"
	EvResubmitted EventKind = "resubmitted"
	EvApproved    EventKind = "approved"
	EvRejected    EventKind = "rejected"
	EvReturned    EventKind = "returned"
	EvHanded      EventKind = "handed"
	EvAdded       EventKind = "added"
	EvCommented   EventKind = "commented"
	EvWithdrawn   EventKind = "withdrawn"
	EvSkipped     EventKind = "skipped"
	EvEscalated   EventKind = "escalated"
	EvReminded    EventKind = "reminded"
	EvExpired     EventKind = "expired" // answered by the program since nobody did in time
	EvNobody      EventKind = "nobody"  // refused since nobody could be asked
	EvNext        EventKind = "next"    // goes on in a second process
	EvApplied     EventKind = "applied"
	EvFailed      EventKind = "failed"
)

// Event is one thing that happened to a request.
type Event struct {
	ID      id.ID            `json:"-"`
	Request id.ID            `json:"-"`
	Record  id.ID            `json:"-"`
	At      time.Time        `json:"-"`
	Kind    EventKind        `json:"kind"`
	ByKind  access.ActorKind `json:"by_kind"`
	By      id.ID            `json:"by,omitempty"`
	For     id.ID            `json:"for,omitempty"` // whom a deputy answered for
	Step    string           `json:"step,omitempty"`
	Process string           `json:"process,omitempty"`
	People  []id.ID          `json:"people,omitempty"`
	Comment string           `json:"comment,omitempty"`
	Code    string           `json:"code,omitempty"` // of the fault
}

// Actor is who a request acts for.
type Actor struct {
	Kind   access.ActorKind `json:"kind"`
	ID     id.ID            `json:"id,omitempty"`
	Person id.ID            `json:"person,omitempty"`
	Locale string           `json:"locale,omitempty"`
}

// Request is what somebody proposes to do, on its way.
type Request struct {
	ID      id.ID
	Process id.ID
	Version int64
	Object  string
	Record  id.ID // 0 of a create until it is carried out, and of an export
	State   State
	By      Actor
	Rev     int64
	At      time.Time
	EndedAt time.Time
	Told    bool
	Body
	Tasks  []Task
	Events []Event // what is new, when it is saved; all of them, oldest first, when it is read by itself
	// Content is the sealed proposal.
	Content []byte
}

// Body is the part of a request that is stored as one text.
type Body struct {
	Name     string           `json:"name"` // of the process
	Action   Action           `json:"action"`
	Op       change.Op        `json:"op,omitempty"`
	Assign   bool             `json:"assign,omitempty"`
	Revision int64            `json:"revision,omitempty"` // of the record when it was proposed
	Plan     []int            `json:"plan"`               // places of the steps that are taken
	Step     int              `json:"step"`               // of the plan
	Round    int              `json:"round"`
	Locks    []string         `json:"locks,omitempty"`  // fields; none for the whole record
	People   map[string]id.ID `json:"people,omitempty"` // in fields that steps name
	Passed   []id.ID          `json:"passed,omitempty"` // processes that agreed already
	Comment  string           `json:"comment,omitempty"`
	Files    []id.ID          `json:"files,omitempty"` // attachments of the record
	Code     string           `json:"code,omitempty"`  // of the fault that kept it from being carried out
	Params   fault.Params     `json:"params,omitempty"`
	Job      id.ID            `json:"job,omitempty"` // that an export will be
	Origin   string           `json:"origin,omitempty"`
}

// Content is what is proposed.
type Content struct {
	Input  record.Input      `json:"input,omitempty"`
	Before []byte            `json:"before,omitempty"` // of the fields, at the time
	Masked map[string]string `json:"masked,omitempty"` // personal values of a request that has ended
	Order  []byte            `json:"order,omitempty"`  // of an export, in the words of whoever carries it out
	About  string            `json:"about,omitempty"`  // of an export: which file, in words
}

// Lock is an open request about a record.
type Lock struct {
	Request id.ID
	Process id.ID
	Record  id.ID
	Name    string
	Whole   bool
	Fields  []string
}

// Away says who decides for somebody meanwhile. Until is zero for no end.
type Away struct {
	Person, Deputy id.ID
	Since, Until   time.Time
}

func (a Away) now(t time.Time) bool {
	return !t.Before(a.Since) && (a.Until.IsZero() || t.Before(a.Until))
}

// Tab chooses requests of a list.
type Tab string

// The tabs.
const (
	Waiting Tab = "waiting" // for me to answer
	Mine    Tab = "mine"
	Done    Tab = "done" // answered by me
	Every   Tab = "all"  // of the workspace
)

// Query asks for a page of requests, newest first.
type Query struct {
	Tab    Tab
	People []id.ID // whose tasks count as mine
	Me     id.ID
	Object string
	Record id.ID
	States []State
	Before id.ID
	Limit  int
}

// Store keeps it all.
type Store interface {
	// Version is that of the processes; In reads as of a transaction of records.
	Version(ctx context.Context, in record.Reader) (int64, error)
	// Processes are the present ones of all objects, switched off ones too, and the objects that ever had one.
	Processes(ctx context.Context, in record.Reader) (version int64, list []Process, ever []string, err error)
	// Process is one version of one. NotFound approval.process_unknown.
	Process(ctx context.Context, process id.ID, version int64) (Process, error)
	// PutProcess stores a version: 1 is a new process, else the present one must be the one before: Stale approval.stale.
	PutProcess(ctx context.Context, p Process) error
	// DropProcess takes a process out of use; requests in it go on.
	DropProcess(ctx context.Context, process id.ID, version int64) error

	// Add stores a request. Conflict approval.open_already when the process has one of the record.
	Add(ctx context.Context, r *Request) error
	// Save stores a request over the one of Rev and raises Rev, in the transaction of records if there is one. Stale
	// approval.moved.
	Save(ctx context.Context, tx record.Tx, r *Request) error
	// Get reads one with everything. NotFound approval.unknown.
	Get(ctx context.Context, request id.ID) (*Request, error)
	// List reads a page, with tasks and without events.
	List(ctx context.Context, q Query) ([]*Request, error)
	// Count is how many requests wait for people.
	Count(ctx context.Context, people []id.ID) (int, error)
	// Locks are the open requests about records.
	Locks(ctx context.Context, in record.Reader, records []id.ID) ([]Lock, error)
	// Events are what happened in requests about a record at or before an instant, newest first.
	Events(ctx context.Context, rec id.ID, until time.Time, limit int) ([]Event, error)
	// Ready are requests to be carried out, Late those with a question that is overdue, Untold those of which somebody is to be
	// told something.
	Ready(ctx context.Context, limit int) ([]id.ID, error)
	Late(ctx context.Context, now time.Time, limit int) ([]id.ID, error)
	Untold(ctx context.Context, limit int) ([]id.ID, error)
	// SetTold notes that everything in a request was told.
	SetTold(ctx context.Context, r *Request) error
	Away(ctx context.Context) ([]Away, error)
	// SetAway replaces what is said of a person; without a deputy it is removed.
	SetAway(ctx context.Context, a Away) error
}

// Records is what is needed of the record engine.
type Records interface {
	Carry(ctx context.Context, op record.BatchOp, assign bool, then record.Then) (*record.Record, error)
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	Sketch(ctx context.Context, object string, rec id.ID, in record.Input, before []byte) ([]record.FieldChange, string, error)
	Masked(ctx context.Context, object string, in record.Input) record.Input
	CheckCondition(object string, where *query.Node) error
	Reaches(ctx context.Context, object string, rec id.ID, actions ...access.Action) (map[access.Action]bool, error)
}

// Person is somebody of the workspace.
type Person struct {
	ID       id.ID
	Name     string
	Role     access.Role
	Disabled bool
}

// Unit is a department or a team.
type Unit struct {
	ID, Parent id.ID
	Name       string
	Department bool
	Head       id.ID
	Members    []id.ID
}

// Directory knows who there is.
type Directory interface {
	People(ctx context.Context) ([]Person, error)
	Units(ctx context.Context) ([]Unit, error)
	// Actor gives the present rights of somebody; a fault when there are none any more.
	Actor(ctx context.Context, a Actor) (access.Actor, error)
	// Roles tells whether there is such a role.
	Role(ctx context.Context, role access.Role) (bool, error)
}

// Vault seals proposals, each under a key of its own.
type Vault interface {
	Seal(request id.ID, plain []byte) ([]byte, error)
	Open(request id.ID, sealed []byte) ([]byte, error)
}

// Notice is what somebody is told.
type Notice struct {
	User    id.ID
	Request *Request
	Status  string // asked, or a kind of event
	ByKind  access.ActorKind
	By      id.ID
	Once    string
}

// Exporter carries out exports that were agreed to.
type Exporter interface {
	// Export starts the export under the rights of the context as a job of this key; a repeated call starts nothing new.
	Export(ctx context.Context, job id.ID, order []byte) error
}

// Config is what a Service needs. All but Exports, Log, Publish and Moved must be set.
type Config struct {
	Store    Store
	Records  Records
	People   Directory
	Registry func() *schema.Registry
	Clock    clock.Clock
	IDs      *id.Generator
	Vault    Vault
	Exports  Exporter
	Tell     func(ctx context.Context, list []Notice) error
	// Note leaves an entry in the trail.
	Note func(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error
	// Publish tells open pages that a request moved.
	Publish func(r *Request)
	// Moved tells other systems of what happened; nil for nobody.
	Moved func(ctx context.Context, r *Request, e Event) error
	Log   *slog.Logger
}

// Service is the behaviour of the package. It is safe for concurrent use.
type Service struct {
	cfg  Config
	wake chan struct{}

	mu     sync.Mutex
	state  *state
	behind atomic.Bool // a transaction found another version of the processes than that of state
}

// New makes a Service; it must be registered as a guard of the record engine, and Run carries out what was agreed to.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Publish == nil {
		cfg.Publish = func(*Request) {}
	}
	return &Service{cfg: cfg, wake: make(chan struct{}, 1)}
}

func allow(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

func unknown(v id.ID) error {
	return fault.New(fault.NotFound, "approval.unknown", fault.Params{"id": id.Format(Prefix, v)})
}

// now is the present instant as it is stored.
func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }
