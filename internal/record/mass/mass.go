// Package mass does bulk work on records: editing, assigning, deleting, restoring and exporting everything that a list, a
// segment or a selection holds, without a bound.
//
// A Job is one piece of such work. What it is about is frozen when it begins: the keys of the records, with the versions they
// had then, are kept with the job in parts. Guarantees:
//
//   - Every part commits in one transaction together with the position reached, the tallies and the errors. After a crash at
//     any moment the job goes on where it was, and everything is done once.
//   - A job acts with the rights that the person who started it has while it runs, through the record engine, so that scopes
//     of rows and masks of fields hold.
//   - A record that somebody changed after the set was frozen is left out and reported, or changed all the same, as the job
//     says; it is never overwritten unseen. What cannot be done to a record is kept as an error of that record.
//   - Undo puts back what the job changed, field by field, where nothing was changed since, and reports the rest.
//   - Bulk work yields the writer: it waits until nobody else wants to write, part by part.
//   - An exported file is kept encrypted, for its owner alone, until it expires. Memory does not grow with its rows.
//
// Small jobs have a lane of their own, so that they never wait for large ones; large writes and large exports have one each.
// Conditions, search texts and lists of ids are dropped from a job when its set is frozen: jobs and errors hold no personal
// values.
package mass

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

// Kind is what a job does.
type Kind string

// The kinds.
const (
	Edit    Kind = "edit"
	Assign  Kind = "assign"
	Delete  Kind = "delete"
	Restore Kind = "restore"
	Export  Kind = "export"
)

// Action is what a job of a kind does with records; its right is needed to start one.
func (k Kind) Action() access.Action {
	switch k {
	case Delete, Restore:
		return access.Delete
	case Export:
		return access.Export
	case Assign:
		return access.Assign
	case Edit:
	}
	return access.Update
}

func (k Kind) known() bool {
	return k == Edit || k == Assign || k == Delete || k == Restore || k == Export
}

// Status is where a job stands.
type Status string

// The states. Collecting jobs freeze their set first. Collecting, running and undoing jobs may wait for their turn.
const (
	Collecting Status = "collecting"
	Running    Status = "running"
	Done       Status = "done"
	Failed     Status = "failed"
	Cancelled  Status = "cancelled"
	Undoing    Status = "undoing"
	Undone     Status = "undone"
)

// Active reports whether Run has something to do for a job in this state.
func (s Status) Active() bool { return s == Collecting || s == Running || s == Undoing }

// Lane is the queue a job waits in.
type Lane int

// The lanes.
const (
	Quick   Lane = iota // few records, whatever is done to them
	Writes              // large ones that write
	Exports             // large ones that read
	lanes
)

// QuickMost is how many records a job of the quick lane has at most.
const QuickMost = 1000

// Set says which records a job is about: listed by id, or found by a condition, a search text, or a segment.
type Set struct {
	IDs     []id.ID       `json:"ids,omitempty"`
	Where   *query.Node   `json:"where,omitempty"`
	Search  string        `json:"search,omitempty"`
	Segment string        `json:"segment,omitempty"`
	Except  []id.ID       `json:"except,omitempty"` // of those found
	Sort    []schema.Sort `json:"sort,omitempty"`   // of an export; by id when empty
	Deleted bool          `json:"deleted,omitempty"`
}

// Sources of a set, as a job keeps them.
const (
	ByIDs     = "ids"
	ByFilter  = "filter"
	BySegment = "segment"
	ByAll     = "all"
)

func (s *Set) source() string {
	switch {
	case s.IDs != nil:
		return ByIDs
	case s.Segment != "":
		return BySegment
	case s.Where != nil || s.Search != "":
		return ByFilter
	}
	return ByAll
}

// Change is one thing that an edit does to a field.
type Change struct {
	Field string          `json:"field"`
	Op    string          `json:"op"`              // set, clear, add, remove, increase
	Value json.RawMessage `json:"value,omitempty"` // of add and remove a list
}

// Operations of a Change.
const (
	OpSet      = "set"
	OpClear    = "clear"
	OpAdd      = "add"
	OpRemove   = "remove"
	OpIncrease = "increase"
)

// What becomes of records that somebody changed after the set was frozen.
const (
	SkipChanged = "skip"  // they are left out and reported
	TakeChanged = "apply" // they are changed all the same
)

// Spec is what a job is to do.
type Spec struct {
	Set     Set      `json:"set"`
	Source  string   `json:"source"`            // what Set was: it is dropped when the keys are frozen
	Segment string   `json:"segment,omitempty"` // its key
	Changes []Change `json:"changes,omitempty"` // of an edit
	Owner   id.ID    `json:"owner,omitempty"`   // of an assignment; 0 for nobody
	Changed string   `json:"changed,omitempty"` // SkipChanged or TakeChanged
	File    *File    `json:"file,omitempty"`    // of an export
}

// File is how an export is written.
type File struct {
	Format   sink.Format `json:"format"`
	Encoding string      `json:"encoding,omitempty"`
	Fields   []string    `json:"fields,omitempty"` // and traits, as "trait.<key>"; all fields when empty
	Name     string      `json:"name,omitempty"`   // of the file, without its ending
}

// Phases of Progress.
const (
	PhaseQueued     = "queued"
	PhaseCollecting = "collecting"
	PhaseWorking    = "working"
	PhaseUndoing    = "undoing"
	PhaseDone       = "done"
)

// Progress is how far a job has come, in records.
type Progress struct {
	Done        int64   `json:"done"`
	Total       int64   `json:"total"` // 0 while it is being collected
	Rate        float64 `json:"rate"`  // records a second
	SecondsLeft float64 `json:"seconds_left"`
	Phase       string  `json:"phase"`
}

// Result sums up a job, in records.
type Result struct {
	Changed   int64   `json:"changed"`   // updated, deleted, restored, or written to a file
	Unchanged int64   `json:"unchanged"` // had it already
	Skipped   int64   `json:"skipped"`   // changed or gone since the set was frozen
	Failed    int64   `json:"failed"`    // refused; see the errors
	Bytes     int64   `json:"bytes,omitempty"`
	Shortened int64   `json:"shortened,omitempty"` // cells that were cut since the format bounds them
	Seconds   float64 `json:"seconds"`
	// Of an undo: put back; put back but for fields that were changed since; left.
	Restored int64 `json:"restored,omitempty"`
	Partly   int64 `json:"partly,omitempty"`
	Kept     int64 `json:"kept,omitempty"`
}

// State is the part of a job that only the engine reads.
type State struct {
	Actor Actor   `json:"actor"`
	Part  int64   `json:"part"`              // the next one
	Parts int64   `json:"parts"`             // in all
	Quick bool    `json:"quick,omitempty"`   // small enough for the quick lane
	Undo  id.ID   `json:"undo,omitempty"`    // the batch of the undo, 0 before it begins
	Key   []byte  `json:"key,omitempty"`     // opens the file of an export (see Vault)
	Spent float64 `json:"spent,omitempty"`   // seconds of work in earlier runs
	Gone  bool    `json:"expired,omitempty"` // the file was removed
}

// Actor is who a job acts for.
type Actor struct {
	Kind   access.ActorKind `json:"kind"`
	ID     id.ID            `json:"id,omitempty"`
	Person id.ID            `json:"person,omitempty"`
	Locale string           `json:"locale,omitempty"`
}

// Job is one piece of bulk work.
type Job struct {
	ID         id.ID
	Kind       Kind
	Object     string
	Lane       Lane
	Status     Status
	Spec       Spec
	Progress   Progress
	Result     Result
	Error      *fault.Fault // why it failed, without its cause
	State      State
	CreatedBy  id.ID
	ByKind     access.ActorKind
	CreatedAt  time.Time
	StartedAt  time.Time // zero for not yet
	FinishedAt time.Time
	UpdatedAt  time.Time
	ExpiresAt  time.Time // of the file; zero for none
}

// Undoable reports whether Undo would take the job.
func (j *Job) Undoable() bool {
	return j.Kind != Export && (j.Status == Done || j.Status == Failed || j.Status == Cancelled) && (j.Result.Changed > 0 || j.State.Undo != 0)
}

// Resumable reports whether Resume would take the job.
func (j *Job) Resumable() bool {
	return j.Status == Failed || j.Status == Cancelled && j.State.Undo == 0
}

// Downloadable reports whether there is a file.
func (j *Job) Downloadable() bool { return j.Kind == Export && j.Status == Done && !j.State.Gone }

// Phases of errors.
const (
	WhileWorking = 0
	WhileUndoing = 1
)

// RecordError is what could not be done to a record. It holds no personal value.
type RecordError struct {
	Record  id.ID
	Phase   int
	Version int64
	Field   string
	Code    string
	Params  fault.Params
}

// Commit is what is stored together with the records of a part.
type Commit struct {
	Job      id.ID
	Expect   Status // another one now means that the job was cancelled, and nothing is stored
	Progress Progress
	Result   Result
	State    State
	At       time.Time
	Errors   []RecordError
}

// Filter says which jobs to list.
type Filter struct {
	By       id.ID // of one person, 0 of all
	ByKind   access.ActorKind
	Kind     Kind     // "" for all
	Statuses []Status // nil for all
	Lane     Lane     // only looked at when OneLane
	OneLane  bool
	Before   id.ID // older than this; 0 from the newest
	Limit    int
}

// Store is what jobs need from storage besides records.
type Store interface {
	// SaveJob stores a job; expect "" inserts, another status found is mass.state_changed.
	SaveJob(ctx context.Context, j *Job, expect Status) error
	GetJob(ctx context.Context, v id.ID) (*Job, error) // NotFound mass.not_found
	ListJobs(ctx context.Context, f Filter) ([]*Job, error)
	// Commit stores c in the transaction of the records, or with a nil tx in one of its own.
	Commit(ctx context.Context, tx record.Tx, c *Commit) error
	PutPart(ctx context.Context, job id.ID, number int64, keys []record.Key) error
	Part(ctx context.Context, job id.ID, number int64) ([]record.Key, error)
	DropParts(ctx context.Context, job id.ID) error
	// Errors reads errors by phase and record, those after the given one.
	Errors(ctx context.Context, job id.ID, phase int, after id.ID, limit int) ([]RecordError, error)
	// Made reads what a batch did to some records: one change each.
	Made(ctx context.Context, batch id.ID, object string, ids []id.ID) ([]change.Row, error)
	// DropJobs removes jobs that ended before an instant, with all that belongs to them.
	DropJobs(ctx context.Context, before time.Time) ([]id.ID, error)
}

// Records is what jobs need from the record engine.
type Records interface {
	NewID() id.ID
	Env(ctx context.Context) schema.ParseEnv
	Keys(ctx context.Context, object string, q record.Query, fn func([]record.Key) error) error
	Count(ctx context.Context, object string, where *query.Node, search string, exact bool) (int, bool, error)
	ExportMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	CheckInput(ctx context.Context, object string, in record.Input, assign bool) error
	Foresee(ctx context.Context, object string, ids []id.ID, in record.Input, assign bool) ([]record.Outlook, error)
	Mass(ctx context.Context, ops []record.BatchOp, c record.MassCall) ([]record.BulkResult, change.Position, error)
	Titles(ctx context.Context, refs []record.Ref) error
}

// Audience answers what only the analytics plane can: conditions on traits and segments.
type Audience interface {
	// Check refuses a condition that is wrong or that the actor may not ask.
	Check(ctx context.Context, object string, where *query.Node) error
	// Analytic reports whether a condition or an order needs the analytics plane.
	Analytic(where *query.Node, sort []schema.Sort) bool
	// IDs are all records that fulfil a condition and that the actor reaches by reading and the actions, in order.
	IDs(ctx context.Context, object string, where *query.Node, sort []schema.Sort, actions ...access.Action) ([]id.ID, error)
}

// Extra gives columns that are not fields of an object: traits of customers.
type Extra interface {
	// Column describes a column; ok is false when there is none with this key, or the actor may not see it.
	Column(ctx context.Context, object, key string) (c sink.Column, ok bool)
	// Cells are the values of columns for some records, in the order of the keys.
	Cells(ctx context.Context, object string, keys []string, ids []id.ID) (map[id.ID][]sink.Cell, error)
}

// Event is published whenever a job moves.
type Event struct {
	Job    id.ID
	Object string
	Kind   Kind
	Status Status
}

// Input makes of changes what the record engine takes. Faults are Invalid and located at "changes.<n>".
func Input(obj *schema.Object, changes []Change) (record.Input, error) {
	in := record.Input{}
	var bad []*fault.Fault
	deltas := map[string]*record.Delta{}
	for i, c := range changes {
		at := "changes." + strconv.Itoa(i)
		f := obj.Field(c.Field)
		_, twice := in[c.Field]
		switch {
		case f == nil || schema.System(c.Field) != nil || f.Hidden:
			bad = append(bad, fault.InvalidField("record.unknown_field", at+".field", fault.Params{"field": c.Field}))
			continue
		case f.Personal && c.Op != OpClear:
			bad = append(bad, fault.InvalidField("mass.personal_field", at+".field", fault.Params{"field": c.Field, "label": f.Label}))
			continue
		case f.Unique && c.Op != OpClear:
			bad = append(bad, fault.InvalidField("mass.unique_field", at+".field", fault.Params{"field": c.Field, "label": f.Label}))
			continue
		case twice && (c.Op == OpSet || c.Op == OpClear || c.Op == OpIncrease || deltas[c.Field] == nil):
			bad = append(bad, fault.InvalidField("mass.field_twice", at+".field", fault.Params{"field": c.Field, "label": f.Label}))
			continue
		}
		if b := putChange(in, deltas, c); b != nil {
			bad = append(bad, b.At(at))
		}
	}
	if len(changes) == 0 {
		bad = append(bad, fault.InvalidField("mass.nothing_to_do", "changes", nil))
	}
	for k, d := range deltas {
		in[k] = *d
	}
	if f := fault.Join("record.invalid", bad); f != nil {
		return nil, f
	}
	return in, nil
}

func putChange(in record.Input, deltas map[string]*record.Delta, c Change) *fault.Fault {
	v, err := decodeValue(c.Value)
	if err != nil || v == nil && c.Op != OpClear {
		return fault.InvalidField("mass.value_missing", "value", nil)
	}
	delta := func() *record.Delta {
		if deltas[c.Field] == nil {
			deltas[c.Field] = &record.Delta{}
		}
		in[c.Field] = nil
		return deltas[c.Field]
	}
	switch c.Op {
	case OpSet:
		in[c.Field] = v
	case OpClear:
		in[c.Field] = nil
	case OpIncrease:
		delta().By = v
	case OpAdd, OpRemove:
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		if d := delta(); c.Op == OpAdd {
			d.Add = append(d.Add, list...)
		} else {
			d.Remove = append(d.Remove, list...)
		}
	default:
		return fault.InvalidField("mass.unknown_operation", "op", fault.Params{"operation": c.Op})
	}
	return nil
}

// former is an input that lets fields of changes be put back.
func (s *Spec) former(obj *schema.Object, kind Kind) record.Input {
	in := record.Input{}
	if kind == Assign {
		in[access.Owner(obj).Key] = record.Former{}
	}
	for _, c := range s.Changes {
		in[c.Field] = record.Former{}
	}
	return in
}

func (k Kind) op() change.Op {
	switch k {
	case Delete:
		return change.Delete
	case Restore:
		return change.Restore
	case Edit, Assign, Export:
	}
	return change.Update
}

func without(keys []record.Key, except map[id.ID]bool) []record.Key {
	if len(except) == 0 {
		return keys
	}
	return slices.DeleteFunc(keys, func(k record.Key) bool { return except[k.ID] })
}
