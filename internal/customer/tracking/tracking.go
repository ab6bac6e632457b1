// Package tracking is what a workspace knows of its events and wants of them.
//
// Learned: the runner reads the inbox in order and keeps, for each source and name, how often it comes, when it came first and
// last, how many of each day, and its properties with the types and a few examples that show nobody (Learn, Example). The number
// of names and properties is bounded; what lies beyond is counted under More.
//
// Planned: a plan names events with their properties (Plan). The door asks a Checker of the current plan before it accepts:
// what is not as planned is accepted with a flag, or set aside among the rejected (Quarantine), where a person repairs it by steps
// (Fix) and sends it through the door again. A replay keeps the message id, so the door accepts an event once however often it is
// replayed, and a crash between accepting and forgetting does no harm.
//
// Watched: the newest events of all sources as they were accepted (Recent), bounded in number, with repeats that the door passed
// over; it is a window for whoever builds a website and no archive.
//
// Reading asks for the right event.read, every change for event.manage: properties may hold personal data. The package knows no
// SQL, no HTTP and no protocol.
package tracking

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Name is what is known of an event of a source.
type Name struct {
	Key
	Kind        event.Kind
	Count       int64
	First, Last int64
	Days        map[clock.Day]int64         // of the days asked for
	Properties  map[string]*LearnedProperty // where they were asked for
}

// Recent is one event in the window.
type Recent struct {
	event.Event
	State State
}

// State is what the door did with an event.
type State string

// The states.
const (
	Accepted  State = "accepted"
	Duplicate State = "duplicate" // its message id was accepted before with the same content: passed over
	Collided  State = "collision" // its message id was accepted before with other content: kept under another id
	Refused   State = "rejected"  // not an event, or set aside by the plan
)

// Rejected is an event that the door did not accept, or set aside.
type Rejected struct {
	ID        id.ID
	Source    id.ID
	At        int64 // milliseconds of arrival
	MessageID string
	Kind      string
	Name      string
	Code      string          // why: the key of a sentence
	Field     string          // where
	Held      bool            // by the plan: quarantined
	Body      json.RawMessage // as it came, personal traits sealed; of one that is held in the words of the Segment specification
}

// RejectedQuery chooses rejected events, newest first.
type RejectedQuery struct {
	IDs    []id.ID
	Source id.ID
	Name   string
	Code   string
	Search string // in the body
	Before id.ID  // older than this one; 0 for the newest
	Limit  int
}

// Store keeps what is learned, planned and watched.
type Store interface {
	Plan(ctx context.Context) (Plan, error)
	// PutPlan stores the version after p.Version; Stale tracking.stale where there is one already.
	PutPlan(ctx context.Context, p Plan) error
	// Names gives every name with its days from since on, most frequent first.
	Names(ctx context.Context, since clock.Day) ([]Name, error)
	// Described gives names with their properties; an empty name for all, source 0 for every source.
	Described(ctx context.Context, source id.ID, name string) ([]Name, error)
	// Forget removes a name that is not sent any more; it is learned again when it comes.
	Forget(ctx context.Context, key Key) error
	Recent(ctx context.Context, q RecentQuery) ([]Recent, error)
}

// RecentQuery chooses events of the window, newest first.
type RecentQuery struct {
	Event  id.ID // this one alone
	Source id.ID
	Name   string
	Kind   event.Kind
	Person string // a user id or an anonymous id
	// Profiles are whose events; nil for everybody's.
	Profiles []id.ID
	Flags    event.Flags // all of these
	Limit    int
}

// Door is what the edge offers: the way that events come in.
type Door interface {
	Rejected(ctx context.Context, q RejectedQuery) ([]Rejected, error)
	// RejectedCount says how many there are, by code.
	RejectedCount(ctx context.Context) (map[string]int64, error)
	DropRejected(ctx context.Context, ids []id.ID) error
	// Replay takes one event through the door as of its source, flagged Historic. A state, or a fault that says why not.
	Replay(ctx context.Context, r Rejected, body json.RawMessage) (State, error)
}

// Config is what a Service needs.
type Config struct {
	Store Store
	Door  Door
	Clock clock.Clock
	Today func() clock.Day // in the workspace's zone
}

// Service is what people do.
type Service struct {
	cfg     Config
	checker atomic.Pointer[Checker]
	version atomic.Int64

	mu      sync.Mutex
	repeats []Recent // the newest last
}

// New makes a Service; Refresh must have read the plan before the first event is checked.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Refresh reads the plan again: at the start, and where another process may have changed it.
func (s *Service) Refresh(ctx context.Context) error {
	p, err := s.cfg.Store.Plan(ctx)
	if err != nil {
		return err
	}
	s.use(p)
	return nil
}

func (s *Service) use(p Plan) {
	if p.Version != 0 && p.Version == s.version.Load() {
		return
	}
	s.checker.Store(NewChecker(p))
	s.version.Store(p.Version)
}

// Check says what the plan wants done with an event. It is called by the door for every event and asks nobody's right.
func (s *Service) Check(e *event.Event) (Act, []Violation) { return s.checker.Load().Check(e) }

// maxRepeats are remembered by a process for the window.
const maxRepeats = 500

// Why are the reasons for which an event is among the rejected. Those of one that is held are those of the current plan, and where
// that would let it pass, the one that it was held for.
func (s *Service) Why(r Rejected) []Violation {
	if r.Held {
		var body struct {
			Properties json.RawMessage `json:"properties"`
		}
		if json.Unmarshal(r.Body, &body) == nil {
			if _, found := s.Check(&event.Event{Kind: event.Kind(r.Kind), Name: r.Name, Properties: body.Properties}); len(found) > 0 {
				return found
			}
		}
	}
	return []Violation{{Code: r.Code, Property: r.Field}}
}

// Repeated notes events that the door passed over, for the window.
func (s *Service) Repeated(batch []event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range batch[max(0, len(batch)-maxRepeats):] {
		s.repeats = append(s.repeats, Recent{e, Duplicate})
	}
	if over := len(s.repeats) - maxRepeats; over > 0 {
		s.repeats = slices.Clone(s.repeats[over:])
	}
}

func may(ctx context.Context, r access.Right) error {
	if !access.From(ctx).Can(r) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
	}
	return nil
}

// Plan is the current plan; one without a version allows everything.
func (s *Service) Plan(ctx context.Context) (Plan, error) {
	if err := may(ctx, access.EventRead); err != nil {
		return Plan{}, err
	}
	return s.cfg.Store.Plan(ctx)
}

// SetPlan makes p the plan. p.Version is the one that it was made of; Stale tracking.stale where it is not the current one.
func (s *Service) SetPlan(ctx context.Context, p Plan) (Plan, error) {
	if err := may(ctx, access.EventManage); err != nil {
		return Plan{}, err
	}
	if err := p.Check(); err != nil {
		return Plan{}, err
	}
	p.At, p.By = s.cfg.Clock.Now(), access.From(ctx).ID
	if err := s.cfg.Store.PutPlan(ctx, p); err != nil {
		return Plan{}, err
	}
	p.Version++
	s.use(p)
	return p, nil
}

// DraftPlan is a plan of what was learned so far; it is not stored. Version is that of the current plan.
func (s *Service) DraftPlan(ctx context.Context) (Plan, error) {
	now, err := s.Plan(ctx)
	if err != nil {
		return Plan{}, err
	}
	names, err := s.cfg.Store.Described(ctx, 0, "")
	if err != nil {
		return Plan{}, err
	}
	p := Draft(names)
	p.Version = now.Version
	return p, nil
}

// volumeDays are how many days a list of names shows.
const volumeDays = 30

// Names are all names with the volume of the last thirty days.
func (s *Service) Names(ctx context.Context) ([]Name, error) {
	if err := may(ctx, access.EventRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Names(ctx, s.cfg.Today()-volumeDays+1)
}

// Name is one name of a source with its properties.
func (s *Service) Name(ctx context.Context, k Key) (Name, error) {
	if err := may(ctx, access.EventRead); err != nil {
		return Name{}, err
	}
	list, err := s.cfg.Store.Described(ctx, k.Source, k.Name)
	if err != nil {
		return Name{}, err
	}
	if len(list) == 0 {
		return Name{}, fault.New(fault.NotFound, "tracking.name_unknown", nil)
	}
	return list[0], nil
}

// ForgetName removes a name from what was learned.
func (s *Service) ForgetName(ctx context.Context, k Key) error {
	if err := may(ctx, access.EventManage); err != nil {
		return err
	}
	return s.cfg.Store.Forget(ctx, k)
}

// WatchQuery chooses what a window shows.
type WatchQuery struct {
	RecentQuery
	State State // "" for every state
}

// Watched are the newest of what came in, newest first.
type Watched struct {
	Events   []Recent
	Rejected []Rejected
}

// Watch gives the newest events of the window with the repeats and rejections among them.
func (s *Service) Watch(ctx context.Context, q WatchQuery) (Watched, error) {
	var out Watched
	if err := may(ctx, access.EventRead); err != nil {
		return out, err
	}
	if q.State == "" || q.State == Accepted || q.State == Collided {
		r := q.RecentQuery
		if q.State == Collided {
			r.Flags |= event.Collision
		}
		list, err := s.cfg.Store.Recent(ctx, r)
		if err != nil {
			return out, err
		}
		for i := range list {
			list[i].State = Accepted
			if list[i].Flags.Has(event.Collision) {
				list[i].State = Collided
			}
			if q.State == "" || q.State == list[i].State {
				out.Events = append(out.Events, list[i])
			}
		}
	}
	if q.State == "" || q.State == Duplicate {
		out.Events = append(out.Events, s.repeated(q.RecentQuery)...)
	}
	slices.SortStableFunc(out.Events, func(a, b Recent) int { return int(min(max(b.ReceivedAt-a.ReceivedAt, -1), 1)) })
	out.Events = out.Events[:min(len(out.Events), q.Limit)]
	if q.State != "" && q.State != Refused || q.Person != "" || q.Profiles != nil || q.Flags != 0 || q.Event != 0 {
		return out, nil
	}
	var err error
	out.Rejected, err = s.cfg.Door.Rejected(ctx, RejectedQuery{Source: q.Source, Name: q.Name, Limit: q.Limit})
	if q.Kind != "" {
		out.Rejected = slices.DeleteFunc(out.Rejected, func(r Rejected) bool { return r.Kind != string(q.Kind) })
	}
	return out, err
}

func (s *Service) repeated(q RecentQuery) []Recent {
	if q.Event != 0 || q.Profiles != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Recent
	for _, r := range slices.Backward(s.repeats) {
		if (q.Source == 0 || r.Source == q.Source) && (q.Name == "" || r.Name == q.Name) && (q.Kind == "" || r.Kind == q.Kind) &&
			(q.Person == "" || r.UserID == q.Person || r.AnonymousID == q.Person) && r.Flags.Has(q.Flags) && len(out) < q.Limit {
			out = append(out, r)
		}
	}
	return out
}

// Rejects are rejected events, newest first, and how many there are of each code.
func (s *Service) Rejects(ctx context.Context, q RejectedQuery) ([]Rejected, map[string]int64, error) {
	if err := may(ctx, access.EventRead); err != nil {
		return nil, nil, err
	}
	list, err := s.cfg.Door.Rejected(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	counts, err := s.cfg.Door.RejectedCount(ctx)
	return list, counts, err
}

// Replayed is what became of one rejected event.
type Replayed struct {
	ID    id.ID
	State State  // "" where it was refused again
	Code  string // why
	Body  json.RawMessage
}

// maxReplay are taken at a time; the caller asks again until none is left.
const maxReplay = 500

// Replay repairs rejected events by steps and takes them through the door again. Those that are accepted now, or were before, are no
// rejected ones any more. With try nothing is sent: the answer shows what the steps make of them. done is false where more than 500
// fulfil the query.
func (s *Service) Replay(ctx context.Context, q RejectedQuery, steps []Step, try bool) (out []Replayed, done bool, err error) {
	if err := may(ctx, access.EventManage); err != nil {
		return nil, false, err
	}
	if err := CheckSteps(steps); err != nil {
		return nil, false, err
	}
	q.Limit = maxReplay + 1
	list, err := s.cfg.Door.Rejected(ctx, q)
	if err != nil {
		return nil, false, err
	}
	done = len(list) <= maxReplay
	list = list[:min(len(list), maxReplay)]
	slices.Reverse(list) // in the order of arrival
	var gone []id.ID
	for _, r := range list {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		res := Replayed{ID: r.ID}
		if res.Body, err = Fix(r.Body, steps); err == nil && !try {
			res.State, err = s.cfg.Door.Replay(ctx, r, res.Body)
		}
		switch f, ok := fault.Find(err); {
		case err == nil:
			if !try {
				gone = append(gone, r.ID)
			}
		case ok && (f.Kind == fault.Invalid || f.Kind == fault.TooLarge):
			res.Code = f.Code
		default:
			return nil, false, err
		}
		out = append(out, res)
	}
	if len(gone) > 0 {
		if err := s.cfg.Door.DropRejected(ctx, gone); err != nil {
			return nil, false, err
		}
	}
	return out, done, nil
}

// DropRejected deletes rejected events for good and says how many; at most 500 at a time.
func (s *Service) DropRejected(ctx context.Context, q RejectedQuery) (n int, done bool, err error) {
	if err := may(ctx, access.EventManage); err != nil {
		return 0, false, err
	}
	q.Limit = maxReplay + 1
	list, err := s.cfg.Door.Rejected(ctx, q)
	if err != nil {
		return 0, false, err
	}
	done = len(list) <= maxReplay
	var ids []id.ID
	for _, r := range list[:min(len(list), maxReplay)] {
		ids = append(ids, r.ID)
	}
	if len(ids) == 0 {
		return 0, true, nil
	}
	return len(ids), done, s.cfg.Door.DropRejected(ctx, ids)
}
