// Package transfer brings files into the record engine: customers, products and other records one per row, and flat
// purchase files, one line per purchased item, grouped into orders.
//
// An import is a Job: an uploaded file, a mapping, and how far it has come. Service makes and changes jobs; Run works
// them off, one at a time per workspace. Guarantees:
//
//   - Every chunk commits in one transaction together with the position reached, the fingerprints of its lines and its
//     errors. After a crash at any moment the job goes on where it was, and everything is there once.
//   - A purchase line is known again by source, order, content and how many equal lines of that order came before it, so
//     that a file imported twice changes nothing and a longer file adds only what is new. A plain row is known again by
//     its match field or, without one, by its content and occurrence.
//   - Every row of the file is imported, recognised, or reported with its number, column and reason.
//   - A dry run of records writes every chunk and takes it back, so that it counts what the import would; nothing of it stays.
//   - Rows that may be other records, by the rules of duplicates, are compared a chunk at a time with all that is stored and with the rows
//     before them. A dry run, which stores nothing, remembers the last 200,000 rows for that.
//   - An import runs with the rights that its person has when it runs. What it may do beside writing records of its object (make related
//     records, options, give records to owners) is refused when the mapping is set and asked again then.
//   - Undo takes back what a job created and restores what it updated, and reports what has been changed since.
//   - Memory does not grow with the file beyond keys and ids; what must be sorted spills to encrypted scratch files.
//
// Uploaded files are kept encrypted until the import is undone or expires. Neither jobs nor errors hold personal values.
package transfer

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
)

// Status is where a job stands.
type Status string

// The states. Checking is a dry run; running, checking and undoing jobs wait for their turn in these states too.
const (
	Uploaded  Status = "uploaded"
	Checking  Status = "checking"
	Checked   Status = "checked"
	Running   Status = "running"
	Done      Status = "done"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
	Undoing   Status = "undoing"
	Undone    Status = "undone"
)

// Active reports whether Run has something to do for a job in this state.
func (s Status) Active() bool { return s == Checking || s == Running || s == Undoing }

// Phases of Progress.
const (
	PhaseQueued  = "queued"
	PhaseReading = "reading" // a purchase file is read and put in order
	PhaseWriting = "writing"
	PhaseUndoing = "undoing"
	PhaseDone    = "done"
)

// Progress is how far a job has come. Bytes are a share of TotalBytes that fits the work done.
type Progress struct {
	Rows        int64   `json:"rows"`
	Bytes       int64   `json:"bytes"`
	TotalBytes  int64   `json:"total_bytes"`
	Rate        float64 `json:"rate"` // rows a second
	SecondsLeft float64 `json:"seconds_left"`
	Phase       string  `json:"phase"`
}

// Count is what happened to records of one kind.
type Count struct {
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
}

// Result sums up a job. Rows, Skipped and Errors count rows of the file: Skipped are left out by a rule (no customer, price
// zero), Errors are rows that could not be imported. Created, Updated and Unchanged count records of the job's object.
type Result struct {
	Rows      int64             `json:"rows"`
	Created   int64             `json:"created"`
	Updated   int64             `json:"updated"`
	Unchanged int64             `json:"unchanged"`
	Skipped   int64             `json:"skipped"`
	Errors    int64             `json:"errors"`
	ByObject  map[string]*Count `json:"by_object"`
	Seconds   float64           `json:"seconds"`
	// NoRate counts, by currency, the rows with an amount that has no value in the base currency since no rate is known.
	NoRate map[string]int64 `json:"no_rate,omitempty"`
	// Reasons counts the rows that are reported, by the code of the reason; a row with two reasons counts under both.
	Reasons map[string]int64 `json:"reasons,omitempty"`
	// Marked counts rows that were imported and may be duplicates, and Review those among them whose pair waits for somebody.
	Marked int64 `json:"marked,omitempty"`
	Review int64 `json:"review,omitempty"`
	// Of an undo: records taken back, restored, and left because somebody changed them since.
	Removed  int64 `json:"removed,omitempty"`
	Restored int64 `json:"restored,omitempty"`
	Kept     int64 `json:"kept,omitempty"`
}

// count adds reported rows to their reasons.
func (r *Result) count(list []RowError) {
	if len(list) == 0 {
		return
	}
	type at struct {
		row  int64
		code string
	}
	seen := make(map[at]bool, len(list))
	if r.Reasons == nil {
		r.Reasons = map[string]int64{}
	}
	for i := range list {
		k := at{list[i].Row, list[i].Code}
		if seen[k] {
			continue
		}
		seen[k] = true
		r.Reasons[k.code]++
		if linesOf(k.code) == MarkedLines {
			r.Marked++
		}
	}
}

func (r *Result) of(object string) *Count {
	if r.ByObject == nil {
		r.ByObject = map[string]*Count{}
	}
	c := r.ByObject[object]
	if c == nil {
		c = &Count{}
		r.ByObject[object] = c
	}
	return c
}

func (r Result) clone() Result {
	c := r
	c.NoRate, c.Reasons = maps.Clone(r.NoRate), maps.Clone(r.Reasons)
	c.ByObject = make(map[string]*Count, len(r.ByObject))
	for k, v := range r.ByObject {
		n := *v
		c.ByObject[k] = &n
	}
	return c
}

// State is the part of a job that only the importer reads: who it acts for, and where to go on.
type State struct {
	Actor  Actor `json:"actor"`
	DryRun bool  `json:"dry_run,omitempty"`
	// FileKey opens the stored file (see Vault); nil for a file stored in clear.
	FileKey []byte `json:"file_key,omitempty"`
	// Rows is how many rows of a plain file, Groups how many orders of a purchase file, are committed; Read says that the
	// errors of reading a purchase file are.
	Rows   int64 `json:"rows,omitempty"`
	Groups int64 `json:"groups,omitempty"`
	Read   bool  `json:"read,omitempty"`
	// Since and Until bound the changes of the job in the log; FirstID and LastID the ids it gave.
	Since   change.Position `json:"since"`
	Until   change.Position `json:"until"`
	FirstID id.ID           `json:"first_id,omitempty"`
	LastID  id.ID           `json:"last_id,omitempty"`
	Undo    UndoState       `json:"undo"`
	Expired bool            `json:"expired,omitempty"` // the file is gone
	Retry   id.ID           `json:"retry,omitempty"`   // the import whose rejected rows the file holds
	Saved   id.ID           `json:"saved,omitempty"`   // the saved mapping in use
	Active  float64         `json:"active,omitempty"`  // seconds of work in earlier runs
}

// UndoState is how far an undo has come: first updates are put back, newest first, then records are removed, object by
// object.
type UndoState struct {
	Began    bool            `json:"began,omitempty"`
	Before   change.Position `json:"before"`             // updates from here on are put back
	Restored bool            `json:"restored,omitempty"` // all updates are
	Object   string          `json:"object,omitempty"`   // whose records are being removed
	After    id.ID           `json:"after,omitempty"`
}

// Actor is who a job acts for.
type Actor struct {
	Kind   access.ActorKind `json:"kind"`
	ID     id.ID            `json:"id,omitempty"`
	Person id.ID            `json:"person,omitempty"` // whose own records count as the actor's
	Role   access.Role      `json:"role"`
	Locale string           `json:"locale,omitempty"`
	Scopes []string         `json:"scopes,omitempty"` // of an API key
}

// importer is an actor whose right to import reaches as far as its role does: the scope of an API key that allows importing allows
// the writing that importing is.
func importer(a access.Actor) access.Actor {
	if a.Kind == access.ByKey && a.Can(access.ImportRun) {
		a.Kind = access.ByUser
	}
	return a
}

// Job is one import.
type Job struct {
	ID         id.ID
	Object     string
	FileName   string
	SHA256     string
	Size       int64
	Mapping    mapping.Mapping
	Status     Status
	Progress   Progress
	Result     Result
	Error      *fault.Fault // why it failed, without its cause
	State      State
	Version    int64
	CreatedBy  id.ID
	CreatedAt  time.Time
	StartedAt  time.Time // zero for not yet
	FinishedAt time.Time
	UpdatedAt  time.Time
}

// RowError is one thing to report about a row. It holds no personal value: Params has a "value" only of other fields.
type RowError struct {
	Row    int64
	Number int // counts several of one row
	Column string
	Code   string
	Params fault.Params
}

// LineKey is the fingerprint of a plain row: its content, and how many equal rows came before it.
type LineKey struct {
	Hash       [16]byte
	Occurrence int64
}

// SeenLine is a plain row that was imported.
type SeenLine struct {
	LineKey
	Record id.ID
}

// SeenOrder is what was imported of one order of a purchase file.
type SeenOrder struct {
	Key     [16]byte // of the order within its source
	Order   id.ID    // 0 when only refunds came
	Digest  uint64   // of the order's own fields, to see when they change
	Gross   int64    // sum of quantity times price, six decimals, before rounding
	Refunds int      // how many refunds bear the order's number
	Lines   []SeenItem
}

// SeenItem is one line of an order: the hash of its content and the record it became.
type SeenItem struct {
	Hash   uint64
	Record id.ID
}

// Commit is what is stored together with the records of a chunk.
type Commit struct {
	Job      id.ID
	Expect   Status // the job's status; another one now means it was cancelled, and nothing is stored
	Progress Progress
	Result   Result
	State    State
	At       time.Time
	Source   string
	Orders   []SeenOrder
	Lines    []SeenLine
	Errors   []RowError
	Object   string
	Pairs    []Pair // for the review of duplicates
}

// Made is a record that a job created.
type Made struct {
	ID      id.ID
	Touched bool // changed by somebody else since, or pointed at by another record
}

// Changed is a record that a job updated, with the image of the fields before.
type Changed struct {
	Position change.Position
	Object   string
	Record   id.ID
	Version  int64 // that the update made
	Before   []byte
	Touched  bool
}

// Store is what imports need from storage besides records.
type Store interface {
	SaveJob(ctx context.Context, j *Job, expect Status) error // expect "" inserts; another status found is import.state_changed
	GetJob(ctx context.Context, v id.ID) (*Job, error)        // fault NotFound import.not_found
	ListJobs(ctx context.Context, limit int, statuses ...Status) ([]*Job, error)
	// FindJobs is a page of the history, newest first.
	FindJobs(ctx context.Context, q JobQuery) ([]*Job, error)
	// Commit stores c in the transaction of the records, or with a nil tx in one of its own.
	Commit(ctx context.Context, tx record.Tx, c *Commit) error
	SeenOrders(ctx context.Context, source string, keys [][16]byte) (map[[16]byte]SeenOrder, error)
	SeenLines(ctx context.Context, source string, keys []LineKey) (map[LineKey]id.ID, error)
	// Errors reads errors in order of row, those after (row, number).
	Errors(ctx context.Context, job id.ID, row int64, number, limit int) ([]RowError, error)
	ClearErrors(ctx context.Context, job id.ID) error
	// Remembered is the mapping last used for files with the same columns; ok is false for none.
	Remembered(ctx context.Context, fingerprint string) (m mapping.Mapping, ok bool, err error)
	Remember(ctx context.Context, fingerprint string, m mapping.Mapping) error
	// SavedMappings reads the mappings that were saved by name, of one object or of all for "", by name.
	SavedMappings(ctx context.Context, object string) ([]SavedMapping, error)
	// SaveMapping stores one: a new one has Version 1; the stored one must have Version-1, else it is a Stale fault. A name that another of the
	// object has is the Conflict fault import.saved_name_taken.
	SaveMapping(ctx context.Context, m SavedMapping) error
	DeleteMapping(ctx context.Context, v id.ID) error
	UsedMapping(ctx context.Context, v id.ID, at int64) error
	// Made lists the records of one object that a job created and that are still there, by id after the given one.
	Made(ctx context.Context, obj *schema.Object, job *Job, after id.ID, limit int) ([]Made, error)
	// Changed lists the updates of a job, newest first, before the given position (zero: from the newest).
	Changed(ctx context.Context, job *Job, before change.Position, limit int) ([]Changed, error)
	// Forget drops the fingerprints of lines whose records, made by the job, are gone. Head is the end of the change log.
	Forget(ctx context.Context, job *Job) error
	Head(ctx context.Context) (change.Position, error)
}

// Records is what imports need from the record engine.
type Records interface {
	NewID() id.ID
	Env(ctx context.Context) schema.ParseEnv
	LookupAll(ctx context.Context, object, field string, values []string) (map[string][]id.ID, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	List(ctx context.Context, object string, q record.Query) (*record.Page, error)
	BulkThen(ctx context.Context, batch id.ID, ops []record.BulkOp, then record.Then) ([]record.BulkResult, change.Position, error)
	Revert(ctx context.Context, object string, images []record.Image) ([]record.BulkOp, error)
}

// Event is published whenever a job moves.
type Event struct {
	Job      id.ID
	Object   string
	Status   Status
	Progress Progress
}

func encodeJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // plain structs always marshal
		panic(err)
	}
	return string(b)
}
