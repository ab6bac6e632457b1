package event

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Inbox is where events go.
type Inbox interface {
	// Accept stores events durably, each message id once, and says what became of each.
	Accept(ctx context.Context, events []event.Event) ([]event.State, error)
	Reject(ctx context.Context, list []event.Rejected) error
	AddCounts(ctx context.Context, list []event.Count) error
}

// Privacy protects what is personal. Its parts are asked for every event, so they are quick.
type Privacy interface {
	// Seal is what is kept of a personal value.
	Seal(v Value) string
	// Mark is what stands for an id that nobody is to be found by: the same for the same id, and no way back.
	Mark(id string) string
	// Erased reports which of some persons were erased and must not come back.
	Erased(ctx context.Context, persons []Person) ([]bool, error)
}

// Person is whom an event names, in clear.
type Person struct {
	UserID string
	Values []Value
}

// Gate may change events before they are accepted, or hold them back: it sets Fault. Nil for none.
type Gate interface {
	Pass(ctx context.Context, items []Item) error
}

// Config is what an Intake is made of.
type Config struct {
	Inbox   Inbox
	Privacy Privacy
	Gate    Gate
	Clock   clock.Clock
	// Repeated is told of events that had been accepted before; nil for nobody.
	Repeated func([]event.Event)
}

// Intake takes the decoded events of a workspace in. It is safe for concurrent use.
type Intake struct {
	cfg Config

	mu     sync.Mutex
	counts map[countKey]*event.Count
}

type countKey struct {
	source id.ID
	day    int64
}

// NewIntake makes the intake of a workspace.
func NewIntake(cfg Config) *Intake {
	return &Intake{cfg: cfg, counts: map[countKey]*event.Count{}}
}

// Result is what became of one item of a call.
type Result struct {
	State event.State // "" when it was refused
	Fault *fault.Fault
	ID    id.ID // of what was stored, 0 otherwise
}

// Take accepts what can be accepted and keeps what cannot among the rejected. What it answered is durable; an error means that nothing
// was accepted, and that the call may be repeated.
func (in *Intake) Take(ctx context.Context, source id.ID, items []Item) ([]Result, error) {
	if in.cfg.Gate != nil {
		if err := in.cfg.Gate.Pass(ctx, items); err != nil {
			return nil, err
		}
	}
	out := make([]Result, len(items))
	var events []event.Event
	var persons []Person
	var places []int
	var rejected []event.Rejected
	var refused []Person
	now := in.cfg.Clock.Now().UnixMilli()
	var lower []byte
	for i := range items {
		it := &items[i]
		s := sealing{seal: in.cfg.Privacy.Seal, lower: lower}
		who := Person{UserID: it.Event.UserID}
		if it.Fault != nil {
			out[i].Fault = it.Fault
			rejected = append(rejected, kept(it, &s, source, now))
			who.Values = s.found
			refused = append(refused, who)
			continue
		}
		if it.Unagreed {
			out[i].State = event.Stored
			continue
		}
		s.event(&it.Event, in.cfg.Privacy.Mark)
		lower = s.lower
		who.Values = s.found
		events, places = append(events, it.Event), append(places, i)
		persons = append(persons, who)
	}
	erased, err := in.cfg.Privacy.Erased(ctx, append(persons, refused...))
	if err != nil {
		return nil, err
	}
	count := len(rejected)
	rejected = unless(rejected, erased[len(events):])
	n := 0
	for j := range events { // taken in silence, and not kept
		if out[places[j]].State = event.Stored; erased[j] {
			continue
		}
		events[n], places[n] = events[j], places[j]
		n++
	}
	states, err := in.cfg.Inbox.Accept(ctx, events[:n])
	if err != nil {
		return nil, err
	}
	var again []event.Event
	for j, state := range states {
		out[places[j]].ID = events[j].ID
		if out[places[j]].State = state; state == event.Duplicate && in.cfg.Repeated != nil {
			again = append(again, events[j])
		}
	}
	if len(again) > 0 {
		in.cfg.Repeated(again)
	}
	if len(rejected) > 0 {
		if err := in.cfg.Inbox.Reject(ctx, rejected); err != nil {
			return nil, err
		}
	}
	in.count(event.Count{Source: source, Rejected: int64(count), Withheld: withheldOf(items, events, states)}, now, states)
	return out, nil
}

// withheldOf is how many events are not kept, or, of those that were accepted, counted without a person.
func withheldOf(items []Item, events []event.Event, states []event.State) (n int64) {
	for i := range items {
		if items[i].Fault == nil && items[i].Unagreed {
			n++
		}
	}
	for i, state := range states {
		if state != event.Duplicate && events[i].Flags.Has(event.NoConsent) {
			n++
		}
	}
	return n
}

// unless is a list without those of which something is said.
func unless[T any](list []T, is []bool) []T {
	n := 0
	for i := range list {
		if !is[i] {
			list[n] = list[i]
			n++
		}
	}
	return list[:n]
}

// kept is a rejected event as it is kept: what could be read of it, its personal values sealed.
func kept(it *Item, s *sealing, source id.ID, now int64) event.Rejected {
	r := event.Rejected{At: now, Source: source, MessageID: it.Event.MessageID, Kind: it.Event.Kind, Name: cut(it.Event.Name, event.MaxName), Code: it.Fault.Code, Field: it.Fault.Field, State: event.Refused}
	if it.Held {
		r.State = event.Quarantined
	}
	s.bare = true
	if o, ok := object(it.Raw); ok && len(it.Raw) > 0 {
		r.Payload = string(s.object(o))
	}
	return r
}

// count adds what came of a source, with what became of those that were accepted.
func (in *Intake) count(n event.Count, now int64, states []event.State) {
	in.mu.Lock()
	defer in.mu.Unlock()
	key := countKey{n.Source, now / dayMs}
	c := in.counts[key]
	if c == nil {
		c = &event.Count{Source: n.Source, Day: key.day}
		in.counts[key] = c
	}
	c.Rejected += n.Rejected
	c.Withheld += n.Withheld
	for _, s := range states {
		switch s {
		case event.Duplicate:
			c.Duplicate++
			continue
		case event.Collided:
			c.Collision++
		}
		c.Accepted++
		c.LastAt = now
	}
}

const dayMs = int64(24 * time.Hour / time.Millisecond)

// Flush stores what was counted since the last time.
func (in *Intake) Flush(ctx context.Context) error {
	in.mu.Lock()
	counts := in.counts
	in.counts = map[countKey]*event.Count{}
	in.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	list := make([]event.Count, 0, len(counts))
	for _, key := range slices.SortedFunc(maps.Keys(counts), func(a, b countKey) int { return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.day, b.day)) }) {
		list = append(list, *counts[key])
	}
	err := in.cfg.Inbox.AddCounts(ctx, list)
	if err == nil {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for key, c := range counts { // for the next time
		if n := in.counts[key]; n != nil {
			c.Accepted, c.Duplicate, c.Collision, c.Rejected = c.Accepted+n.Accepted, c.Duplicate+n.Duplicate, c.Collision+n.Collision, c.Rejected+n.Rejected
			c.LastAt = max(c.LastAt, n.LastAt)
		}
		in.counts[key] = c
	}
	return err
}
