// Package stage moves records along the stages of a choice field.
//
// A process belongs to an object and orders the options of one of its choice fields: for each stage a kind (open, won, lost), how
// likely it is to be won, how long it should take, which stages may follow, and a gate: fields that must be filled, a condition
// that must hold, a task that must be done, a file that must be there. Agreement to a move is what package approval guards.
//
// Guarantees. The Service is a record.Guard: a move that its way or its gate does not allow is refused whatever door it comes through,
// naming every field that is missing. A record that is under way goes on in the version of the process with which it entered its
// stage. What is done on entering and leaving (a field set, a task made, people told), and a move by time, happens once for each
// stay, also after a crash: a Follower of the change log keeps the stays (Stay), and marks in the same transaction what was done.
//
// What the program itself writes (access.BySystem) passes every gate.
//
// Limits. A record that was there before the process counts as having entered its stage when it was last changed.
//
// The package knows no SQL and no HTTP.
package stage

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Kind says how a stage ends.
type Kind string

// The kinds.
const (
	Open Kind = "open"
	Won  Kind = "won"
	Lost Kind = "lost"
)

// StageAct is something that happens by itself.
type StageAct struct {
	Kind  string `json:"kind" enum:"set,task,notify"`
	Field string `json:"field,omitempty"` // of set
	Value any    `json:"value,omitempty"`
	Text  string `json:"text,omitempty"` // of a task and of what people are told
	Days  int    `json:"days,omitempty"` // until a task is due
	User  string `json:"user,omitempty"` // printed id; the record's owner when empty
}

// The kinds of StageAct.
const (
	SetField = "set"
	MakeTask = "task"
	Notify   = "notify"
)

// Stage is one option of the field.
type Stage struct {
	Key         string      `json:"key"`
	Kind        Kind        `json:"kind" enum:"open,won,lost"`
	Probability int         `json:"probability"` // per cent
	Days        int         `json:"days"`        // that it should take; 0 for no goal
	To          []string    `json:"to,omitempty"`
	Fields      []string    `json:"fields,omitempty"`  // that must be filled to enter
	Where       *query.Node `json:"where,omitempty"`   // that must hold to enter
	Message     string      `json:"message,omitempty"` // said when it does not
	Task        bool        `json:"task,omitempty"`    // a task about the record must be done
	File        bool        `json:"file,omitempty"`    // a file must be there
	Entry       []StageAct  `json:"entry,omitempty"`
	Exit        []StageAct  `json:"exit,omitempty"`
	Hours       int         `json:"hours,omitempty"` // after which it moves by itself; 0 never
	Next        string      `json:"next,omitempty"`  // where to
}

// Course is a process as it is written.
type Course struct {
	Field  string  `json:"field"`
	Stages []Stage `json:"stages"`
}

// Stage finds one by key, nil for an option that the process does not know.
func (s *Course) Stage(key string) *Stage {
	for i := range s.Stages {
		if s.Stages[i].Key == key {
			return &s.Stages[i]
		}
	}
	return nil
}

// Process is a stored process.
type Process struct {
	Object  string
	Version int64
	Course
	At time.Time
	By id.ID
}

// Stay is a record's time in a stage.
type Stay struct {
	ID      id.ID
	Object  string
	Record  id.ID
	Stage   string
	Version int64 // of the process
	Entered time.Time
	Left    time.Time // zero while it is there
	Next    string
	ByKind  access.ActorKind // who moved it there
	By      id.ID
	Due     time.Time // when it moves by itself; zero never
	Done    bool      // what happens on entering was done
}

// Store keeps processes and stays.
type Store interface {
	// State goes up with every change of processes; in reads as of a transaction of records, nil by itself.
	State(ctx context.Context, in record.Reader) (int64, error)
	// Processes are the present ones, with the State of then.
	Processes(ctx context.Context, in record.Reader) (state int64, list []Process, err error)
	// Version is one of an object. NotFound stage.unknown.
	Version(ctx context.Context, object string, version int64) (Process, error)
	// Put stores a version, whose number it sets: the present one must be the one before (0 for none): Stale stage.stale. Records that are in a stage
	// without a stay get one, as of their last change.
	Put(ctx context.Context, p *Process, obj *schema.Object) error
	Drop(ctx context.Context, object string, version int64) error

	// Now are the stays that records are in.
	Now(ctx context.Context, in record.Reader, records []id.ID) ([]Stay, error)
	// Stays of a record, oldest first.
	Stays(ctx context.Context, rec id.ID) ([]Stay, error)
	// Follow ends and begins stays and moves the position of a consumer, in one transaction.
	Follow(ctx context.Context, moves []Stay, consumer string, to change.Position) error
	// Todo are stays of which something is to be done on entering, oldest first; Overdue those that are to end by themselves.
	Todo(ctx context.Context, limit int) ([]Stay, error)
	Overdue(ctx context.Context, now time.Time, limit int) ([]Stay, error)
	// SetDone marks a stay in the transaction of records if there is one; false when it was marked before.
	SetDone(ctx context.Context, tx record.Tx, stay id.ID) (bool, error)
	SetDue(ctx context.Context, stay id.ID, due time.Time) error
	// Between are the stays of a stage that began in a span and whose records are not in the recycle bin, oldest first, at most limit.
	Between(ctx context.Context, obj *schema.Object, stage string, from, to time.Time, limit int) ([]Stay, error)
	// Stuck are the stays of records that entered a stage before an instant and did not leave it, longest first.
	Stuck(ctx context.Context, obj *schema.Object, field, stage string, before time.Time, limit int) ([]Stay, error)
	// HasFile reports whether a record has a file.
	HasFile(ctx context.Context, in record.Reader, rec id.ID) (bool, error)
}

// Records is what is needed of the record engine.
type Records interface {
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	Carry(ctx context.Context, op record.BatchOp, assign bool, then record.Then) (*record.Record, error)
	CarryMany(ctx context.Context, ops []record.BatchOp, then record.Then) ([]record.BulkResult, error)
	CheckCondition(object string, where *query.Node) error
	Count(ctx context.Context, object string, where *query.Node, search string, exact bool) (n int, more bool, err error)
	History(ctx context.Context, object string, rec id.ID, before change.Position, limit int) ([]record.Entry, change.Position, error)
}

// Notice is what somebody is told.
type Notice struct {
	User   id.ID
	Object string
	Record id.ID
	Text   string
	Once   string
}

// Config is what a Service needs. All but Log must be set.
type Config struct {
	Store    Store
	Records  Records
	Registry func() *schema.Registry
	Clock    clock.Clock
	IDs      *id.Generator
	Tell     func(ctx context.Context, list []Notice) error
	Note     func(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error
	Changed  func()
	// Held reports whether something keeps the field of a record from being changed for a while; in is the transaction.
	Held func(ctx context.Context, in record.Reader, rec id.ID, field string) (bool, error)
	Log  *slog.Logger
}

// Service is the behaviour of the package. It is safe for concurrent use.
type Service struct {
	cfg  Config
	wake chan struct{}

	mu      sync.Mutex
	known   map[string]*Process // versions that were read: they never change
	current *present
	behind  atomic.Bool // a transaction found another State than that of current
}

// present is the processes in use, as of one State of the Store.
type present struct {
	state    int64
	list     []Process
	byObject map[string]*Process
}

// present are the processes in use. They are read again only when the State of the Store is another one.
func (s *Service) present(ctx context.Context, in record.Reader) (*present, error) {
	state, err := s.cfg.Store.State(ctx, in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	now := s.current
	s.mu.Unlock()
	if now != nil && now.state == state {
		return now, nil
	}
	now = &present{byObject: map[string]*Process{}}
	if now.state, now.list, err = s.cfg.Store.Processes(ctx, in); err != nil {
		return nil, err
	}
	for i := range now.list {
		now.byObject[now.list[i].Object] = &now.list[i]
	}
	if in != nil { // what a transaction sees may yet be taken back
		s.behind.Store(true)
		return now, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || s.current.state < now.state {
		s.current = now
	}
	return now, nil
}

// Forget drops what was read of the processes: they may be as they were before a change that was taken back.
func (s *Service) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.known = nil, map[string]*Process{}
}

// Prepare implements record.Preparer.
func (s *Service) Prepare(ctx context.Context) error {
	if !s.behind.CompareAndSwap(true, false) {
		return nil
	}
	_, err := s.present(ctx, nil)
	return err
}

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg: cfg, wake: make(chan struct{}, 1), known: map[string]*Process{}}
}

// Processes are the present ones.
func (s *Service) Processes(ctx context.Context) ([]Process, error) {
	now, err := s.present(ctx, nil)
	if err != nil {
		return nil, err
	}
	return slices.Clone(now.list), nil
}

// Process is the present one of an object; found is false when it has none.
func (s *Service) Process(ctx context.Context, object string) (p Process, found bool, err error) {
	now, err := s.present(ctx, nil)
	if err != nil || now.byObject[object] == nil {
		return p, false, err
	}
	return *now.byObject[object], true, nil
}

func (s *Service) version(ctx context.Context, object string, version int64) (*Process, error) {
	key := object + "/" + strconv.FormatInt(version, 10)
	s.mu.Lock()
	p := s.known[key]
	s.mu.Unlock()
	if p != nil {
		return p, nil
	}
	got, err := s.cfg.Store.Version(ctx, object, version)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[key] = &got
	return &got, nil
}

// Save stores another version of an object's process; version is the one that the caller saw, 0 for none.
func (s *Service) Save(ctx context.Context, object string, version int64, spec Course) (Process, error) {
	if !access.From(ctx).Can(access.SchemaManage) {
		return Process{}, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SchemaManage)})
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return Process{}, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	if err := s.Check(obj, &spec); err != nil {
		return Process{}, err
	}
	p := Process{Object: object, Version: version + 1, Course: spec, At: s.cfg.Clock.Now().UTC().Truncate(time.Millisecond), By: access.From(ctx).ID}
	if err := s.cfg.Store.Put(ctx, &p, obj); err != nil {
		return Process{}, err
	}
	s.cfg.Changed()
	return p, s.cfg.Note(ctx, "stage.update", object, 0, map[string]any{"field": spec.Field, "version": p.Version, "definition": spec})
}

// Remove takes the process of an object out of use.
func (s *Service) Remove(ctx context.Context, object string, version int64) error {
	if !access.From(ctx).Can(access.SchemaManage) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SchemaManage)})
	}
	if err := s.cfg.Store.Drop(ctx, object, version); err != nil {
		return err
	}
	s.cfg.Changed()
	return s.cfg.Note(ctx, "stage.delete", object, 0, nil)
}

const (
	maxActs  = 10
	maxText  = 500
	maxHours = 8760
	maxDays  = 3650
)

// Check reports everything that is wrong with a process.
func (s *Service) Check(obj *schema.Object, spec *Course) error {
	c := checking{s: s, obj: obj, spec: spec, field: obj.Field(spec.Field), seen: map[string]bool{}}
	if c.field == nil || c.field.Type != schema.Choice || c.field.ReadOnly {
		c.fail("field", "field", nil)
		return fault.Join("stage.invalid", c.bad)
	}
	if len(spec.Stages) == 0 {
		c.fail("none", "stages", nil)
	}
	for i := range spec.Stages {
		c.stage(&spec.Stages[i], "stages."+strconv.Itoa(i))
	}
	if f := fault.Join("stage.invalid", c.bad); f != nil {
		return f
	}
	return nil
}

// checking collects what is wrong with a process.
type checking struct {
	s     *Service
	obj   *schema.Object
	spec  *Course
	field *schema.Field
	seen  map[string]bool
	bad   []*fault.Fault
}

func (c *checking) fail(code, at string, p fault.Params) {
	c.bad = append(c.bad, fault.InvalidField("stage."+code, at, p))
}

func (c *checking) stage(st *Stage, at string) {
	if c.seen[st.Key] || !slices.ContainsFunc(c.field.Options, func(o schema.Option) bool { return o.Key == st.Key }) {
		c.fail("option", at+".key", fault.Params{"option": st.Key})
	}
	c.seen[st.Key] = true
	if st.Kind != Open && st.Kind != Won && st.Kind != Lost {
		c.fail("kind", at+".kind", nil)
	}
	if st.Probability < 0 || st.Probability > 100 {
		c.fail("probability", at+".probability", nil)
	}
	if st.Days < 0 || st.Days > maxDays {
		c.fail("days", at+".days", fault.Params{"max": maxDays})
	}
	c.gate(st, at)
	for _, key := range append(slices.Clone(st.To), st.Next) {
		if key != "" && (key == st.Key || c.spec.Stage(key) == nil) {
			c.fail("to", at+".to", fault.Params{"option": key})
		}
	}
	if st.Hours < 0 || st.Hours > maxHours || (st.Hours > 0) != (st.Next != "") {
		c.fail("hours", at+".hours", fault.Params{"max": maxHours})
	}
	for name, acts := range map[string][]StageAct{"entry": st.Entry, "exit": st.Exit} {
		checkActs(c.obj, c.spec.Field, acts, at+"."+name, c.fail)
	}
}

func (c *checking) gate(st *Stage, at string) {
	for _, key := range st.Fields {
		if x := c.obj.Field(key); x == nil || schema.System(key) == x || key == c.spec.Field || c.obj.Offset(key) < 0 {
			c.fail("gate_field", at+".fields", fault.Params{"field": key})
		}
	}
	if st.Where != nil {
		if err := c.s.cfg.Records.CheckCondition(c.obj.Key, st.Where); err != nil {
			c.fail("where", at+".where", fault.Params{"reason": fault.CodeOf(err)})
		}
	}
	if utf8.RuneCountInString(st.Message) > maxText {
		c.fail("text", at+".message", fault.Params{"max": maxText})
	}
}

func checkActs(obj *schema.Object, field string, acts []StageAct, at string, fail func(code, at string, p fault.Params)) {
	if len(acts) > maxActs {
		fail("acts", at, fault.Params{"max": maxActs})
	}
	for i, a := range acts {
		at := at + "." + strconv.Itoa(i)
		if n := utf8.RuneCountInString(strings.TrimSpace(a.Text)); a.Kind != SetField && (n == 0 || n > maxText) {
			fail("text", at+".text", fault.Params{"max": maxText})
		}
		if a.User != "" {
			if _, err := id.Parse("usr", a.User); err != nil {
				fail("user", at+".user", nil)
			}
		}
		switch a.Kind {
		case SetField:
			f := obj.Field(a.Field)
			if f == nil || a.Field == field || f.ReadOnly || f.Personal || schema.System(a.Field) == f {
				fail("gate_field", at+".field", fault.Params{"field": a.Field})
				continue
			}
			if _, bad := schema.ParseJSON(f, a.Value, schema.ParseEnv{}); bad != nil {
				fail("value", at+".value", fault.Params{"label": f.Label})
			}
		case MakeTask, Notify:
		default:
			fail("act", at+".kind", nil)
		}
	}
}
