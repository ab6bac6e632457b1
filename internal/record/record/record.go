// Package record is the one engine behind every object: create, read, update, delete, list, search and history of
// records, written once against metadata.
//
// Guarantees. A write validates every field before anything is stored and reports all faults together; the rows, the
// unique keys and the change rows of one call commit together or not at all (Bulk and Batch say per item what was left
// out); an update that changes nothing writes nothing; versions are optimistic; unique keys are claimed in the
// database, not looked up. Personal values are encrypted with the key of the customer they belong to, and leave the
// package in clear only through Reveal and Query.Plain, which ask for the right and tell the Auditor. The actor in the
// context decides what is allowed; without one nothing is.
//
// Change rows hold, for each changed field, its stored columns except those that can be derived (folds, sort keys, days,
// classes, blind indexes), as a JSON object by column name; bytes are base64. A Create has no image.
//
// It knows no SQL, no HTTP and no analytics: conditions on traits, segments or events are answered elsewhere, and the
// ids brought here to be filled in (GetMany).
package record

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// Input is what a caller wants fields to become: field key to a JSON-decoded or canonical value (see schema.ParseJSON);
// nil clears. Fields left out keep their value, or take their default in a new record.
type Input map[string]any

// Ref names a record. Object "user" stands for users.
type Ref struct {
	Object string
	ID     id.ID
	Title  string
}

// Record is one record as a reader sees it.
type Record struct {
	Object    string
	ID        id.ID
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
	CreatedBy id.ID
	UpdatedBy id.ID
	DeletedAt *time.Time
	BatchID   id.ID
	Title     string
	// Values are canonical. Personal values are absent unless read in clear; of a personal address the region is there
	// and the street is its mask.
	Values map[string]any
	// Masks are what may be seen of personal values, by field: those with a value and not read in clear.
	Masks map[string]string
	// Titles name what relation and user fields point at.
	Titles map[string]Ref
	// Files are those that the record's values name, and may be others that were read with it; nil for none.
	Files map[id.ID]*FieldFile
	// Position is that of the change that a write made; zero for reads and for updates that changed nothing.
	Position change.Position
}

// Ref is the reference to the record itself.
func (r *Record) Ref() Ref { return Ref{Object: r.Object, ID: r.ID, Title: r.Title} }

// Users knows the people of the instance.
type Users interface {
	// Users gives the names of those that exist.
	Users(ctx context.Context, ids []id.ID) (map[id.ID]string, error)
}

// Auditor keeps who saw what. A reading in clear that cannot be recorded does not happen.
type Auditor interface {
	Audit(ctx context.Context, e AuditEntry) error
}

// AuditEntry is one reading of personal data in clear.
type AuditEntry struct {
	Action string // "record.reveal" or "record.read_plain"
	Object string
	Record id.ID // 0 when several were read
	Fields []string
	Count  int // records read
}

// Config is what a Service needs. Store, Registry, Keys, Clock and IDs must be set.
type Config struct {
	Store        Store
	Registry     func() *schema.Registry
	Keys         *crypt.Keyring
	Clock        clock.Clock
	IDs          *id.Generator
	Zone         func() *time.Location // nil is UTC
	BaseCurrency func() string         // nil is CNY
	PhoneRegion  func() string         // nil is CN
	Rates        schema.Rates          // nil knows none: amounts in other currencies get no base amount
	Users        Users                 // nil knows nobody
	Auditor      Auditor               // nil forbids reading in clear
	Broad        Broad                 // nil: the store answers everything
	Figurer      Figurer               // nil: figures of traits are not known
	// Figures resolves a question for figures for the actor; nil checks against metadata alone.
	Figures func(ctx context.Context, object string, groups []query.Group, measures []query.Measure) (*query.Figures, error)
	// Check refuses conditions that the actor may not ask or that are wrong; nil checks against metadata alone.
	Check func(ctx context.Context, object string, where *query.Node) error
	// RevealsPerHour is how many records one actor may reveal in an hour, 100 when 0; RevealLimit says it for an actor, nil for the same
	// for everybody.
	RevealsPerHour int
	RevealLimit    func(ctx context.Context, a access.Actor) int
	Log            *slog.Logger // nil discards
}

// Service is the record engine of one workspace. It is safe for concurrent use.
type Service struct {
	cfg     Config
	shapes  sync.Map // *schema.Object → *shape
	hooks   map[string][]Hook
	guards  []Guard
	limiter limiter
	slow    slowly
	watch   func(Asked)  // nil watches nothing
	looking atomic.Int64 // pages being read from the store with patience

	mergeWake  chan struct{}
	mergeMoved func(object string, survivor id.ID) // nil tells nobody
}

// New makes a Service with the hooks of the standard objects registered.
func New(cfg Config) *Service {
	if cfg.Zone == nil {
		cfg.Zone = func() *time.Location { return time.UTC }
	}
	if cfg.BaseCurrency == nil {
		cfg.BaseCurrency = func() string { return "CNY" }
	}
	if cfg.PhoneRegion == nil {
		cfg.PhoneRegion = func() string { return "CN" }
	}
	if cfg.RevealsPerHour == 0 {
		cfg.RevealsPerHour = 100
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: cfg, hooks: map[string][]Hook{}, mergeWake: make(chan struct{}, 1)}
	s.limiter = limiter{clock: cfg.Clock, used: map[actorKey]*bucket{}}
	s.registerStandard()
	return s
}

// NewID is an id for a record that Bulk will create, so that others in the same call can point at it.
func (s *Service) NewID() id.ID { return s.cfg.IDs.Next() }

// Env is the parsing environment of the workspace, for the actor's language.
func (s *Service) Env(ctx context.Context) schema.ParseEnv {
	return schema.ParseEnv{Zone: s.cfg.Zone(), Base: s.cfg.BaseCurrency(), PhoneRegion: s.cfg.PhoneRegion(),
		Locale: lang.Locale(access.From(ctx).Locale), Rates: s.cfg.Rates}
}

// object finds an object that has a table, after asking whether the actor may do something with it.
func (s *Service) object(ctx context.Context, key string, right access.Right) (*schema.Object, error) {
	if err := allow(ctx, right); err != nil {
		return nil, err
	}
	obj := s.cfg.Registry().Object(key)
	if obj == nil || obj.Virtual {
		return nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": key})
	}
	if x, ok := access.ActionOf(right); ok {
		return obj, may(ctx, obj, x)
	}
	return obj, nil
}

// may asks for an action on an object, on some records at least.
func may(ctx context.Context, obj *schema.Object, x access.Action) error {
	if !access.From(ctx).May(obj.Key, x) {
		return fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(x.Right())})
	}
	return nil
}

func allow(ctx context.Context, right access.Right) error {
	if !access.From(ctx).Can(right) {
		return fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(right)})
	}
	return nil
}

func notFound(obj *schema.Object, v id.ID) *fault.Fault {
	return fault.New(fault.NotFound, "record.not_found", fault.Params{"object": obj.Key, "label": obj.Label, "id": id.Format(obj.Prefix, v)})
}

// shape is what the engine works out once about an object.
type shape struct {
	obj      *schema.Object
	fields   []fieldShape
	index    map[string]int // field key → position in fields
	width    int            // columns
	customer int            // position of the customer field, -1 for none: the record is its own subject
	moment   int            // position of the time field, -1 for created_at
	unique   []int
	required []int
	related  []int // relation fields
	numbered []int // auto numbers
	personal []int
	filed    []int // fields that hold files
	defaults []int
	rules    []ruleShape
	joined   []joined // unique rules over several fields
	staged   []staged // fields that are being converted
	computed []int    // fields with a formula that holds
	title    int      // position of the title field, -1 for a system field
	err      error

	conditions []condition
}

type fieldShape struct {
	f     *schema.Field
	off   int // first column
	n     int // columns
	deflt any // canonical
	now   bool
}

func (s *Service) shape(obj *schema.Object) *shape {
	if sh, ok := s.shapes.Load(obj); ok {
		return sh.(*shape)
	}
	sh := newShape(obj)
	sh.conditions = s.conditions(sh)
	s.shapes.Store(obj, sh)
	return sh
}

func newShape(obj *schema.Object) *shape {
	sh := &shape{obj: obj, index: make(map[string]int, len(obj.Fields)), width: len(obj.Columns()), customer: -1, moment: -1, title: -1}
	for i, f := range obj.Fields {
		sh.index[f.Key] = i
		fs := fieldShape{f: f, off: obj.Offset(f.Key), n: len(schema.FieldColumns(f))}
		add := func(list *[]int, is bool) {
			if is {
				*list = append(*list, i)
			}
		}
		switch {
		case f.Default == "now" && (f.Type == schema.DateTime || f.Type == schema.Date):
			fs.now = true
		case f.Default != nil:
			v, bad := schema.ParseJSON(f, f.Default, schema.ParseEnv{})
			if bad != nil && sh.err == nil {
				sh.err = fault.Wrap(fault.Internal, "record.bad_default", bad)
			}
			fs.deflt = v
		}
		add(&sh.unique, f.Unique)
		add(&sh.required, f.Required && f.ShownWhen == nil) // else it is asked for where it is shown
		add(&sh.related, f.Type == schema.Relation)
		add(&sh.numbered, f.Type == schema.AutoNumber)
		add(&sh.personal, f.Personal)
		add(&sh.filed, f.HoldsFiles())
		add(&sh.computed, formula.Of(f) != nil)
		add(&sh.defaults, fs.now || fs.deflt != nil)
		sh.fields = append(sh.fields, fs)
	}
	at := func(key string) int {
		if i, ok := sh.index[key]; ok && key != "" {
			return i
		}
		return -1
	}
	sh.rules, sh.joined = newRules(sh, obj), newJoined(sh, obj)
	sh.staged = newStaged(sh)
	sh.customer, sh.moment, sh.title = at(obj.CustomerField), at(obj.TimeField), at(obj.TitleField)
	return sh
}

// cols are the columns of the i-th field.
func (sh *shape) cols(cols []any, i int) []any {
	fs := &sh.fields[i]
	return cols[fs.off : fs.off+fs.n]
}

// subject is whose key encrypts the personal values of a row: the customer's, or the record's own.
func (sh *shape) subject(row *Row) id.ID {
	if sh.customer >= 0 {
		if c, ok := row.Cols[sh.fields[sh.customer].off].(int64); ok && c != 0 {
			return id.ID(c)
		}
	}
	return row.ID
}
