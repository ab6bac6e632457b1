package app

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/edge/ingest"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// doorkeeper is what stands behind the door of events.
type doorkeeper struct {
	app *App

	mu   sync.Mutex
	keys map[string]knownKey // by hash
}

// knownKey is what a write key opened when it was last asked for; a source of nil for a key that opens nothing.
type knownKey struct {
	source *event.Source
	at     time.Time
}

// Remembered keys: a change made by another process is seen after keyLife.
const (
	keyLife = 5 * time.Second
	maxKeys = 10_000
)

// newDoor makes the door of events.
func (a *App) newDoor() http.Handler {
	a.keeper = &doorkeeper{app: a, keys: map[string]knownKey{}}
	return ingest.New(ingest.Config{Backend: a.keeper, Words: a.words, Clock: a.Clock, Log: a.Log, Metrics: a.metrics, Visitor: a.visitorOf,
		Address: func(r *http.Request) netip.Addr { return a.handler.Caller(r) }, Secure: func(r *http.Request) bool { return a.handler.Secure(r) }, Locate: event.Locate})
}

// forget lets every key be asked for again.
func (k *doorkeeper) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.keys)
}

// Source implements ingest.Backend.
func (k *doorkeeper) Source(ctx context.Context, key string) (*event.Source, error) {
	hash, now := event.HashKey(key), k.app.Clock.Now()
	k.mu.Lock()
	known, there := k.keys[hash]
	k.mu.Unlock()
	if !there || now.Sub(known.at) > keyLife || now.Before(known.at) {
		source, found, err := k.app.instance.SourceByKey(ctx, hash, now)
		if err != nil {
			return nil, err
		}
		known = knownKey{at: now}
		if found {
			known.source = &source
		}
		k.mu.Lock()
		if len(k.keys) >= maxKeys {
			clear(k.keys)
		}
		k.keys[hash] = known
		k.mu.Unlock()
	}
	if known.source == nil {
		return nil, fault.New(fault.Unauthenticated, "event.key_unknown", nil)
	}
	return known.source, nil
}

// Room implements ingest.Backend.
func (k *doorkeeper) Room(ctx context.Context, workspace string) (ingest.Room, error) {
	w, err := k.app.workspace(ctx, workspace)
	if err != nil {
		return ingest.Room{}, err
	}
	return ingest.Room{Zone: w.zone, Intake: w.intake, Onsite: w.onsiteFor}, nil
}

// newIntake makes what takes events in.
func (w *workspace) newIntake() *event.Intake {
	w.bars = &doorPrivacy{w: w}
	return event.NewIntake(event.Config{Inbox: w.events.store, Privacy: w.bars, Gate: planGate{w}, Clock: w.app.Clock, Repeated: w.edge.Tracking.Repeated})
}

// Take implements api.Behaviour.
func (f *eventFlow) Take(ctx context.Context, source id.ID, items []event.Item, imported id.ID) ([]event.Result, error) {
	if imported == 0 {
		return f.w.intake.Take(ctx, source, items)
	}
	w := f.w
	in := event.NewIntake(event.Config{Inbox: eventstore.Into{Store: f.store, Import: imported}, Privacy: w.bars, Gate: planGate{w}, Clock: w.app.Clock, Repeated: w.edge.Tracking.Repeated})
	out, err := in.Take(ctx, source, items)
	return out, errors.Join(err, in.Flush(context.WithoutCancel(ctx)))
}

// newSources manages the doors of the workspace.
func (w *workspace) newSources() *event.Sources {
	return &event.Sources{Store: w.app.instance, Workspace: w.info.Key, Clock: w.app.Clock, IDs: w.app.ids, Changed: w.app.keeper.forget}
}

// countEvery is how often what came by the sources is written down.
const countEvery = time.Second

// countEvents writes down what came by the sources, and once more at the end.
func (w *workspace) countEvents(ctx context.Context) error {
	for {
		ended := sleep(ctx, countEvery) != nil
		if err := w.intake.Flush(context.WithoutCancel(ctx)); err != nil && !ended {
			return err
		}
		if ended {
			return nil
		}
	}
}

// traitPlace is where a personal value of an event stands: {"$sealed": …} opens by the ring's OpenText for it.
func traitPlace() crypt.Place { return crypt.Place{Object: "event", Field: "trait"} }

// doorPrivacy implements event.Privacy.
type doorPrivacy struct {
	w *workspace

	mu   sync.Mutex
	some bool // somebody is suppressed
	at   time.Time
}

var _ event.Privacy = (*doorPrivacy)(nil)

// Seal implements event.Privacy. Where nothing can be sealed nothing is kept.
func (p *doorPrivacy) Seal(v event.Value) string {
	sealed, err := p.w.ring.SealText(traitPlace(), v.Text)
	if err != nil {
		p.w.app.Log.Error("seal a trait of an event", "error", err)
		return ""
	}
	return sealed
}

// Mark implements event.Privacy.
func (p *doorPrivacy) Mark(id string) string { return "~" + p.w.ring.Fixed("event.robot", id) }

// suppressing reports whether anybody was erased; it is asked for again every few seconds.
func (p *doorPrivacy) suppressing(ctx context.Context) (bool, error) {
	now := p.w.app.Clock.Now()
	p.mu.Lock()
	some, at := p.some, p.at
	p.mu.Unlock()
	if !at.IsZero() && now.Sub(at) < keyLife {
		return some, nil
	}
	some, err := sqlstore.Privacy{Store: p.w.store}.AnySuppressed(ctx)
	if err != nil {
		return false, err
	}
	p.mu.Lock()
	p.some, p.at = some, now
	p.mu.Unlock()
	return some, nil
}

// forget has the next question look whether anybody was erased.
func (p *doorPrivacy) forget() {
	p.mu.Lock()
	p.at = time.Time{}
	p.mu.Unlock()
}

// Erased implements event.Privacy: by the user id, which is a customer's external id, a phone number or an address of mail, and by those
// that stand in the traits.
func (p *doorPrivacy) Erased(ctx context.Context, persons []event.Person) ([]bool, error) {
	out := make([]bool, len(persons))
	some, err := p.suppressing(ctx)
	if err != nil || !some {
		return out, err
	}
	obj := p.w.registry().Object(query.Customer)
	env := p.w.records.Env(ctx)
	byDigest := map[string][]int{}
	look := func(i int, field, text string) {
		f := obj.Field(field)
		if f == nil || text == "" {
			return
		}
		v, bad := schema.ParseText(f, text, env)
		if bad != nil {
			return
		}
		if h := p.w.records.Suppression(f, v); h != "" {
			byDigest[h] = append(byDigest[h], i)
		}
	}
	for i, who := range persons {
		for _, field := range []string{"external_id", "phone", "email"} {
			look(i, field, who.UserID)
		}
		for _, v := range who.Values {
			look(i, string(v.Kind), v.Text)
		}
	}
	if len(byDigest) == 0 {
		return out, nil
	}
	digests := make([]string, 0, len(byDigest))
	for h := range byDigest {
		digests = append(digests, h)
	}
	found, err := sqlstore.Privacy{Store: p.w.store}.SuppressedOf(ctx, digests)
	for h, is := range found {
		for _, i := range byDigest[h] {
			out[i] = out[i] || is
		}
	}
	return out, err
}
