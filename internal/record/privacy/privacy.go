// Package privacy is what people may ask about their data, done: erasure with proof, a copy, restriction, the register of their
// requests, and rules for how long records are kept.
//
// Erasure of a person takes everything about a customer, with all records merged into it, or about a contact. Guarantees:
//
//   - Everything that belongs to the person goes for good: contacts, activities, notes, records of made objects, comments, files,
//     notices, shares, duplicates, merges, messages to other systems, kept import files and exports that may name the person.
//   - Records with amounts (orders, their lines, refunds, made objects with an amount) stay, emptied of texts and of everything
//     personal, and the customer stays as an empty shell that they point at: no figure of the business changes (Fates, Kept).
//   - The change log keeps when and by whom, without images; the audit trail keeps its chain, without what entries told.
//   - The data key of the person is destroyed. Keyed digests of the identifiers stay, so that neither an import nor a program
//     brings the person back unnoticed (record.Suppressor).
//   - The work is a job in steps, each of which may be repeated: after a crash at any moment it goes on, and nothing is left over.
//     At the end the pages of the databases are rewritten, so that the bytes are gone from the files too (Config.Clean).
//   - A certificate says what went, when and by whom, and stands in the audit trail with its digest.
//
// It does not reach what people wrote about somebody in records that belong to others, nor copies that left the program.
// A backup made before still holds the person; restoring applies the ledger of erasures to it again (Config.Ledger).
//
// No value of a person is stored here: erasures, requests and copies hold ids.
package privacy

import (
	"context"
	"io"
	"log/slog"
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

// Prefixes of printed ids.
const (
	ErasurePrefix = "era"
	RequestPrefix = "prq"
	CopyPrefix    = "cpy"
	RulePrefix    = "ret"
)

// State is where an erasure stands.
type State string

// The states. A waiting erasure needs a second person; a cleaning one has done everything but rewriting the databases' pages.
const (
	Waiting  State = "waiting"
	Queued   State = "queued"
	Running  State = "running"
	Cleaning State = "cleaning"
	Done     State = "done"
	Failed   State = "failed"
	Refused  State = "refused"
)

// Reasons of an erasure.
const (
	ByRequest  = "request"  // the person asked
	Withdrawn  = "consent"  // consent was withdrawn
	Achieved   = "purpose"  // the purpose is achieved, or the period over
	Unlawful   = "unlawful" // the data should not have been there
	OtherCause = "other"
	Restored   = "restored" // a backup brought an erased person back
	Retention  = "retention"
)

// Fate is what becomes of something in an erasure.
type Fate string

// The fates.
const (
	Gone    Fate = "gone"    // removed for good
	Emptied Fate = "emptied" // stays without anything about the person
	Shell   Fate = "shell"   // the customer itself: stays empty, for figures
	Freed   Fate = "freed"   // stays as it is but for what pointed at the person
)

// Count is how much of something an erasure takes. Part is "object:<key>" or one of the parts of the store.
type Count struct {
	Part  string `json:"part"`
	Fate  Fate   `json:"fate"`
	Count int64  `json:"count"`
}

// Erasure is one erasure of a person.
type Erasure struct {
	ID          id.ID
	Object      string
	Record      id.ID
	State       State
	Reason      string
	Reference   string // a number of the case; not a name
	Request     id.ID  // of the register, 0 for none
	Step        string
	Plan        Plan
	Counts      []Count
	Error       string // code of the fault that ended it
	Digest      string // SHA-256 of the certificate, in hexadecimal
	ByKind      access.ActorKind
	RequestedBy id.ID
	RequestedAt time.Time
	DecidedBy   id.ID
	DecidedAt   time.Time
	StartedAt   time.Time
	FinishedAt  time.Time
}

// Plan is what a running erasure has found out and must know after a crash.
type Plan struct {
	Imports []id.ID   `json:"imports,omitempty"` // batches that made or changed records of the person
	Objects []string  `json:"objects,omitempty"` // of the records concerned
	At      time.Time `json:"at,omitzero"`       // when the records were emptied
	Waiting int       `json:"waiting,omitempty"` // uploads nobody has started, which are not looked into
}

// Member is a record concerned by an erasure.
type Member struct {
	Object string
	ID     id.ID
	Fate   Fate
}

// ErasureFilter says which erasures to list, newest first.
type ErasureFilter struct {
	States []State
	Record id.ID
	Before id.ID
	Limit  int
}

// Hold keeps a record from being erased.
type Hold struct {
	Record id.ID
	Object string
	Reason string
	By     id.ID
	At     time.Time
}

// Store keeps everything of this package; store/sqlstore implements it.
type Store interface {
	// SaveErasure stores an erasure; expect "" inserts, another state found is the Conflict privacy.state_changed.
	SaveErasure(ctx context.Context, e *Erasure, expect State) error
	GetErasure(ctx context.Context, v id.ID) (*Erasure, error) // NotFound privacy.erasure_unknown
	ListErasures(ctx context.Context, f ErasureFilter) ([]*Erasure, error)
	// Linked are the records of an object, deleted ones too, whose relation or pointer field names one of the records of target.
	Linked(ctx context.Context, obj *schema.Object, f *schema.Field, target *schema.Object, ids []id.ID) ([]id.ID, error)
	// MergedFrom are the records that were merged into one of these, and those merged into them.
	MergedFrom(ctx context.Context, ids []id.ID) ([]id.ID, error)
	PutMembers(ctx context.Context, erasure id.ID, members []Member) (added int, err error)
	Members(ctx context.Context, erasure id.ID) ([]Member, error)
	DropMembers(ctx context.Context, erasure id.ID) error
	// Batches are the imports and bulk jobs that made or changed records.
	Batches(ctx context.Context, ids []id.ID) ([]id.ID, error)
	// Survey counts what hangs on records, by part.
	Survey(ctx context.Context, ids []id.ID) (map[string]int64, error)
	// Scrub removes what hangs on records and blanks the images of their changes. printed are ids as they stand in texts. Messages
	// to other systems that tell of something after at stay.
	Scrub(ctx context.Context, ids []id.ID, printed []string, at time.Time) (map[string]int64, error)
	// Blobs are the names of the contents of the files of records.
	Blobs(ctx context.Context, ids []id.ID) ([]string, error)
	DropKeys(ctx context.Context, subjects []id.ID) (int64, error)
	// Suppress remembers digests with the keys of their fields; Unsuppress forgets some.
	Suppress(ctx context.Context, erasure id.ID, digests map[string]string, at time.Time) error
	Unsuppress(ctx context.Context, digests []string) (int64, error)
	SuppressedOf(ctx context.Context, digests []string) (map[string]bool, error)

	PutHold(ctx context.Context, h Hold) error
	DropHold(ctx context.Context, rec id.ID) (bool, error)
	Holds(ctx context.Context, ids []id.ID) (map[id.ID]Hold, error) // nil ids are all
	Setting(ctx context.Context, key string, v any) (bool, error)
	SetSetting(ctx context.Context, key string, v any) error

	Register
	Copies
	Rules
}

// Records is what this package needs of the record engine.
type Records interface {
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	Update(ctx context.Context, object string, rec id.ID, version int64, in record.Input, opts ...record.Option) (*record.Record, error)
	Erase(ctx context.Context, list []record.Erasing) (int, change.Position, error)
	Everything(ctx context.Context, object string, ids []id.ID) ([]*record.Record, error)
	Suppression(f *schema.Field, v any) string
	MergedInto(ctx context.Context, merged id.ID) (id.ID, bool, error)
	Env(ctx context.Context) schema.ParseEnv
	Keys(ctx context.Context, object string, q record.Query, fn func([]record.Key) error) error
	Delete(ctx context.Context, object string, rec id.ID, version int64) error
	Titles(ctx context.Context, refs []record.Ref) error
	History(ctx context.Context, object string, rec id.ID, before change.Position, limit int) ([]record.Entry, change.Position, error)
}

// Outside is what lies outside of the records store: other stores, files, and the pages of the databases.
type Outside interface {
	// Settle waits until everything that follows the change log has read what is in it now.
	Settle(ctx context.Context) error
	// ShredImports removes the kept files of imports that ended and are named or hold one of the texts; waiting are uploads that
	// nobody has started.
	ShredImports(ctx context.Context, batches []id.ID, texts []string) (removed, waiting int, err error)
	// ShredExports removes the kept files of exports of objects.
	ShredExports(ctx context.Context, objects []string) (int, error)
	// ForgetMail removes what was or is to be mailed to an address, whatever record it is about, and takes it off the lists of
	// meetings.
	ForgetMail(ctx context.Context, address string) (int, error)
	// CarryBehaviour waits until every event that was accepted has reached the person it is of; from when it is called, nothing of people whose
	// identifiers are suppressed is accepted any more.
	CarryBehaviour(ctx context.Context) error
	// ForgetBehaviour removes the events and visits of customers from wherever they are kept, and says how many events there were.
	ForgetBehaviour(ctx context.Context, customers []id.ID) (int64, error)
	// ForgetConsents empties what customers consented to of what is personal, and keeps the proof that they did; it says how many lines there were.
	ForgetConsents(ctx context.Context, customers []id.ID, erasure id.ID) (int64, error)
	// RemoveBlob removes the content of a file.
	RemoveBlob(name string) error
	// ForgetAnswers blanks kept answers to requests that name one of the records, and ForgetTrail what entries of the audit trail
	// about them told, but for who saw what.
	ForgetAnswers(ctx context.Context, printed []string) (int, error)
	ForgetTrail(ctx context.Context, ids []id.ID) (int, error)
	// ForgetKey drops a data key from memory.
	ForgetKey(subject id.ID)
	// Large reports databases whose pages are rewritten at night only.
	Large() bool
	// Clean rewrites the pages of the databases.
	Clean(ctx context.Context) error
	// Ledger writes an erasure where a restored backup will find it.
	Ledger(ctx context.Context, e *Erasure) error
	// Lifted writes there that digests are suppressed no more.
	Lifted(ctx context.Context, digests []string) error
	// Enqueue has Run called soon.
	Enqueue(ctx context.Context) error
	// Actor is somebody with the rights of now.
	Actor(ctx context.Context, kind access.ActorKind, who id.ID) (access.Actor, error)
	// Note writes into the audit trail.
	Note(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error
	// Publish tells open pages that something moved.
	Publish()
}

// Config is what a Service is made of.
type Config struct {
	Store    Store
	Records  Records
	Outside  Outside
	Registry func() *schema.Registry
	Clock    clock.Clock
	Zone     func() *time.Location
	IDs      interface{ Next() id.ID }
	Log      *slog.Logger
	// Words gives a sentence or word in a language of the program.
	Words  func(locale, key string, p fault.Params) string
	Locale func() string // of the workspace
	// Check refuses a condition that is wrong or that the actor may not ask; Analytic ones are answered by IDs.
	Check    func(ctx context.Context, object string, where *query.Node) error
	Analytic func(where *query.Node) bool
	IDsOf    func(ctx context.Context, object string, where *query.Node) ([]id.ID, error)
	Files    CopyFiles
	Gather   Gather
	Work     string // name of the workspace, for what people read
}

// CopyFiles keeps the files of copies, encrypted.
type CopyFiles interface {
	Create(key id.ID, fill func(w io.Writer) error) (sealed []byte, size int64, err error)
	Open(key id.ID, sealed []byte) (io.ReadCloser, error)
	Remove(key id.ID) error
}

// Service is privacy in one workspace. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(c Config) *Service { return &Service{cfg: c} }

// Settings are what a workspace decides.
type Settings struct {
	SecondPerson bool           `json:"second_person"` // an erasure needs another person
	Law          string         `json:"law"`           // pipl or gdpr: by which clock requests are due
	Days         int            `json:"days"`          // working days for a request under PIPL
	Reveals      map[string]int `json:"reveals"`       // per hour, by role; a role not named has DefaultReveals
}

// DefaultReveals is how many records somebody may reveal in an hour.
const DefaultReveals = 100

const settingsKey = "privacy"

// Settings are those in force.
func (s *Service) Settings(ctx context.Context) (Settings, error) {
	out := Settings{Law: PIPL, Days: 15, Reveals: map[string]int{}}
	_, err := s.cfg.Store.Setting(ctx, settingsKey, &out)
	if out.Reveals == nil {
		out.Reveals = map[string]int{}
	}
	return out, err
}

// SetSettings changes them. It needs PrivacyManage. Switching the second person off is itself in the trail.
func (s *Service) SetSettings(ctx context.Context, in Settings) (Settings, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return in, err
	}
	if in.Law != PIPL && in.Law != GDPR {
		return in, fault.InvalidField("privacy.unknown_law", "law", nil)
	}
	if in.Days < 1 || in.Days > 60 {
		return in, fault.InvalidField("privacy.days_range", "days", fault.Params{"min": 1, "max": 60})
	}
	for role, n := range in.Reveals {
		if n < 0 || n > 10_000 || role == "" {
			return in, fault.InvalidField("privacy.reveals_range", "reveals."+role, fault.Params{"min": 0, "max": 10_000})
		}
	}
	if err := s.cfg.Store.SetSetting(ctx, settingsKey, in); err != nil {
		return in, err
	}
	return in, s.cfg.Outside.Note(ctx, "privacy.settings", "", 0, map[string]any{"second_person": in.SecondPerson, "law": in.Law, "days": in.Days, "reveals": in.Reveals})
}

func may(ctx context.Context, right access.Right) error {
	if !access.From(ctx).Can(right) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(right)})
	}
	return nil
}

func system(ctx context.Context) context.Context { return access.With(ctx, access.System()) }

// person is the user who acts, 0 for others.
func person(ctx context.Context) id.ID {
	a := access.From(ctx)
	if a.Kind == access.ByUser {
		return a.ID
	}
	return a.Person
}
