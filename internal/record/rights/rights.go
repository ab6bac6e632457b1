// Package rights keeps who belongs together (departments, teams), the roles that a workspace made, and the single records that
// were shared with somebody; it works out of them what one actor may do (access.Held), and explains it.
//
// Guarantees. A change counts from the next request on, in every process: what was worked out is used only while the version
// of the stored rights is the one it was made of, and no shared record outlives its end. A role that is gone, or whose
// definition cannot be read, holds nothing. Nobody hands out a role that reaches further than their own. Departments are a tree:
// a change that would close a circle is refused. Every change leaves an entry in the trail.
//
// What a right means is package access's; that it is applied is the record engine's.
package rights

import (
	"context"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Kind tells departments from teams.
type Kind string

// The kinds of unit.
const (
	Department Kind = "department" // has a place in the tree
	Team       Kind = "team"
	// Person is whom a record can be shared with besides.
	Person Kind = "user"
)

// Unit is a department or a team.
type Unit struct {
	ID       id.ID
	Kind     Kind
	Parent   id.ID // of a department; 0 at the top
	Name     string
	Position int
	Members  []id.ID // ascending
	Head     id.ID   // who leads it; 0 for nobody
	Version  int64
}

// Role is a made role as it is stored.
type Role struct {
	access.Definition
	Version int64
	// Broken says that the stored definition cannot be read; the role then holds nothing.
	Broken bool
}

// Share is a record shared with a person, a team or a department and those below.
type Share struct {
	ID        id.ID
	Object    string
	Record    id.ID
	Kind      Kind
	Grantee   id.ID
	Writes    bool
	Until     time.Time // zero for no end; not shared from then on
	CreatedAt time.Time
	CreatedBy id.ID
}

// Grantee is somebody whom records are shared with.
type Grantee struct {
	Kind Kind
	ID   id.ID
}

// Store keeps rights; every write raises the version in its transaction.
type Store interface {
	Version(ctx context.Context) (int64, error)
	// Load reads all units with their members and all roles, with the version that they are of.
	Load(ctx context.Context) (version int64, units []Unit, roles []Role, err error)
	// PutUnit stores a unit without its members; version 1 is a new one, else the stored one must have Version-1: a Stale fault.
	PutUnit(ctx context.Context, u Unit) error
	DeleteUnit(ctx context.Context, unit id.ID) error
	// ChangeMembers adds and removes people of units.
	ChangeMembers(ctx context.Context, add, remove []Place) error
	// PutRole stores a role; version 1 is a new one (Conflict rights.role_taken), else the stored one must have Version-1.
	PutRole(ctx context.Context, r Role) error
	DeleteRole(ctx context.Context, key access.Role) error
	// Shares are those of one record, oldest first.
	Shares(ctx context.Context, object string, rec id.ID) ([]Share, error)
	// SharedWith are those to any of the grantees that have not ended.
	SharedWith(ctx context.Context, to []Grantee, now time.Time) ([]Share, error)
	// PutShare stores a share in the place of an earlier one of the same record and grantee. Conflict rights.too_many_shares
	// when the grantee has most already.
	PutShare(ctx context.Context, s Share, most int) error
	// DeleteShare is NotFound rights.share_unknown when the record has no such share.
	DeleteShare(ctx context.Context, object string, rec, share id.ID) error
}

// Place is a person in a unit.
type Place struct{ Unit, Person id.ID }

// Member is a person of the workspace.
type Member struct {
	ID       id.ID
	Name     string
	Role     access.Role
	Disabled bool
}

// People knows the people of the workspace.
type People interface {
	// Member finds a person; NotFound auth.user_unknown.
	Member(ctx context.Context, person id.ID) (Member, error)
	// Members are all of them.
	Members(ctx context.Context) ([]Member, error)
	// Holders counts the people and the valid keys that have a role.
	Holders(ctx context.Context, role access.Role) (int, error)
}

// Records is what is needed of the record engine.
type Records interface {
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	Count(ctx context.Context, object string, where *query.Node, search string, exact bool) (n int, more bool, err error)
	Judge(ctx context.Context, object string, rec id.ID, list []query.Expr) ([]bool, *record.Row, error)
	Reaches(ctx context.Context, object string, rec id.ID, actions ...access.Action) (map[access.Action]bool, error)
	RowValue(object string, row *record.Row, field *schema.Field) id.ID
	Titles(ctx context.Context, refs []record.Ref) error
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Registry func() *schema.Registry
	Records  func() Records // asked late: the record engine is made beside this one
	People   People
	Clock    clock.Clock
	IDs      *id.Generator
	// Env is what conditions of roles are checked against.
	Env func() query.CheckEnv
	// Answerable refuses a condition that one of the planes which lists are read from cannot ask.
	Answerable func(object string, where *query.Node) error
	Sentence   func(object string, where *query.Node) schema.Label
	Text       func(locale lang.Locale, key string, params map[string]any) string
	// Note leaves an entry in the trail. Changed is told after every change.
	Note    func(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error
	Changed func()
}

// Service is the behaviour of the package. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu    sync.Mutex
	state *state
}

// state is everything at one version, and what was worked out of it.
type state struct {
	version int64
	units   map[id.ID]*Unit
	order   []id.ID
	roles   map[access.Role]*Role
	held    map[holder]worked
}

type holder struct {
	role   access.Role
	person id.ID
}

// worked are rights good until an end of something shared; zero for no end.
type worked struct {
	held  *access.Held
	until time.Time
}

const (
	maxHeld = 2000
	// MaxShares is how many records are shared with one grantee at most: they are part of every question of theirs.
	MaxShares = 5000
	maxUnits  = 5000
	maxRoles  = 200
	maxName   = 100
)

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Resolve completes an actor with what its role holds for the person behind it. Built-in roles need nothing; the program
// itself and the owner of the machine are left as they are.
func (s *Service) Resolve(ctx context.Context, a access.Actor) (access.Actor, error) {
	if a.Kind == access.ByUser {
		a.Person = a.ID
	}
	if a.Role.Known() || a.Kind == access.BySystem || a.Kind == access.ByCLI {
		return a, nil
	}
	held, err := s.held(ctx, a.Role, a.Person)
	a.Held = held
	return a, err
}

func (s *Service) held(ctx context.Context, role access.Role, person id.ID) (*access.Held, error) {
	st, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	k := holder{role, person}
	s.mu.Lock()
	w, ok := st.held[k]
	s.mu.Unlock()
	if ok && (w.until.IsZero() || s.cfg.Clock.Now().Before(w.until)) {
		return w.held, nil
	}
	def := &access.Definition{Key: role}
	if r := st.roles[role]; r != nil && !r.Broken {
		def = &r.Definition
	}
	if w.held, w.until, err = s.apply(ctx, st, def, person); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(st.held) >= maxHeld {
		clear(st.held)
	}
	st.held[k] = w
	return w.held, nil
}

// apply works out a role for a person.
func (s *Service) apply(ctx context.Context, st *state, def *access.Definition, person id.ID) (*access.Held, time.Time, error) {
	h := &access.Held{Role: def, Person: person, Shared: map[string]access.Shared{}}
	h.Team, h.Department = st.people(person, Team), st.people(person, Department)
	list, err := s.cfg.Store.SharedWith(ctx, st.grantees(person), s.cfg.Clock.Now())
	if err != nil {
		return nil, time.Time{}, err
	}
	var end time.Time
	read, write := map[string][]id.ID{}, map[string][]id.ID{}
	for _, x := range list {
		read[x.Object] = append(read[x.Object], x.Record)
		if x.Writes {
			write[x.Object] = append(write[x.Object], x.Record)
		}
		if !x.Until.IsZero() && (end.IsZero() || x.Until.Before(end)) {
			end = x.Until
		}
	}
	for object, ids := range read {
		h.Shared[object] = access.Shared{Read: access.IDs(ids), Write: access.IDs(write[object])}
	}
	return h, end, nil
}

// now is the state of this moment.
func (s *Service) now(ctx context.Context) (*state, error) {
	version, err := s.cfg.Store.Version(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	st := s.state
	s.mu.Unlock()
	if st != nil && st.version == version {
		return st, nil
	}
	version, units, roles, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return nil, err
	}
	st = &state{version: version, units: map[id.ID]*Unit{}, roles: map[access.Role]*Role{}, held: map[holder]worked{}}
	for i := range units {
		st.units[units[i].ID] = &units[i]
		st.order = append(st.order, units[i].ID)
	}
	for i := range roles {
		st.roles[roles[i].Key] = &roles[i]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil || s.state.version < version {
		s.state = st
	}
	return st, nil
}

// inside are the units of a kind that a person is in.
func (st *state) inside(person id.ID, kind Kind) []id.ID {
	var out []id.ID
	for _, v := range st.order {
		u := st.units[v]
		if u.Kind == kind && contains(u.Members, person) {
			out = append(out, v)
		}
	}
	return out
}

// people are everybody in a person's units of a kind, departments with those below, and the person.
func (st *state) people(person id.ID, kind Kind) []int64 {
	all := []id.ID{person}
	units := map[id.ID]bool{}
	for _, v := range st.inside(person, kind) {
		units[v] = true
	}
	for _, v := range st.order {
		if u := st.units[v]; u.Kind == kind && (units[v] || kind == Department && st.under(v, units)) {
			all = append(all, u.Members...)
		}
	}
	return access.IDs(all)
}

// under reports whether a department lies below one of some.
func (st *state) under(unit id.ID, of map[id.ID]bool) bool {
	for range len(st.units) {
		u := st.units[unit]
		if u == nil || u.Parent == 0 {
			return false
		}
		if of[u.Parent] {
			return true
		}
		unit = u.Parent
	}
	return false
}

// grantees are all under which records may be shared with a person: what is shared with a department is shared with those below.
func (st *state) grantees(person id.ID) []Grantee {
	out := []Grantee{{Person, person}}
	for _, v := range st.inside(person, Team) {
		out = append(out, Grantee{Team, v})
	}
	seen := map[id.ID]bool{}
	for _, v := range st.inside(person, Department) {
		for u := st.units[v]; u != nil && !seen[u.ID]; u = st.units[u.Parent] {
			seen[u.ID] = true
			out = append(out, Grantee{Department, u.ID})
		}
	}
	return out
}

func contains(list []id.ID, v id.ID) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

// changed is what follows a change: its entry in the trail, and word to whoever listens.
func (s *Service) changed(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error {
	s.cfg.Changed()
	return s.cfg.Note(ctx, action, object, rec, detail)
}

func allow(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}
