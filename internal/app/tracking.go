package app

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	door "github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/customer/tracking"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/edge/ingest"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/eventschema"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newTracking makes what keeps consents, what takes events in, what is learned, planned and watched of them, and the ids of visitors who keep none.
func (w *workspace) newTracking(ctx context.Context) error {
	a := w.app
	w.newConsents(w.ring)
	w.learned = eventschema.New(w.events.store, a.Clock, w.zoneOf)
	w.visitors = ingest.NewVisitors(w.learned, a.Clock, w.zoneOf)
	w.edge.Tracking = tracking.New(tracking.Config{Store: w.learned, Door: trackDoor{w.learned, w}, Clock: a.Clock,
		Today: func() clock.Day { return clock.DayOf(a.Clock.Now(), w.zone) }})
	w.edge.People = eventPeople{w}
	w.intake = w.newIntake()
	return w.edge.Tracking.Refresh(ctx)
}

// planEvery is how often a process looks whether another one changed the plan.
const planEvery = 5 * time.Second

// followPlan keeps to the plan of all processes.
func (w *workspace) followPlan(ctx context.Context) error {
	for {
		if err := sleep(ctx, planEvery); err != nil {
			return err
		}
		if err := w.edge.Tracking.Refresh(ctx); err != nil {
			return err
		}
	}
}

// planGate implements door.Gate: what the plan says of each event.
type planGate struct{ w *workspace }

// Pass implements door.Gate. What is held back is kept as it would have been accepted, so that a replay loses nothing of it.
func (g planGate) Pass(_ context.Context, items []door.Item) error {
	for i := range items {
		it := &items[i]
		if it.Fault != nil {
			continue
		}
		act, found := g.w.edge.Tracking.Check(&it.Event)
		switch act {
		case tracking.Flag:
			it.Event.Flags |= event.Unplanned
		case tracking.Quarantine:
			body, err := tracking.Body(&it.Event)
			if err != nil {
				return err
			}
			it.Raw, it.Fault, it.Held = body, heldBack(found), true
		}
	}
	return nil
}

// heldBack is the fault of an event that the plan holds back, at the first of its violations.
func heldBack(found []tracking.Violation) *fault.Fault {
	v := found[0]
	return fault.InvalidField(v.Code, v.Property, fault.Params{"property": v.Property, "want": v.Want, "found": v.Found})
}

// trackDoor implements tracking.Door.
type trackDoor struct {
	*eventschema.Store
	w *workspace
}

var _ tracking.Door = trackDoor{}

// Replay implements tracking.Door. An event without an id of its own gets one from the rejected one, so that it counts once.
func (d trackDoor) Replay(ctx context.Context, r tracking.Rejected, body json.RawMessage) (tracking.State, error) {
	var m map[string]json.RawMessage
	if bytes.Contains(body, []byte(`"`+door.Sealed+`"`)) { // the door seals anew what it seals, and knows who it is of
		body = door.Unsealed(body, func(sealed json.RawMessage) (string, error) { return d.w.identityVault().Open(ctx, sealed) })
	}
	if err := json.Unmarshal(body, &m); err != nil || m == nil {
		return "", fault.New(fault.Invalid, "tracking.not_an_event", nil)
	}
	fill := func(name, value string) error {
		if len(m[name]) > 0 && string(m[name]) != "null" && string(m[name]) != `""` {
			return nil
		}
		v, err := json.Marshal(value)
		m[name] = v
		return err
	}
	if err := fill("messageId", "replay-"+id.Format("rej", r.ID)); err != nil {
		return "", err
	}
	if err := fill("timestamp", time.UnixMilli(r.At).UTC().Format(time.RFC3339Nano)); err != nil {
		return "", err
	}
	raw, err := json.Marshal(map[string]any{"batch": []any{m}})
	if err != nil {
		return "", err
	}
	items, err := door.Segment("batch", raw, &door.Delivery{Source: r.Source, ReceivedAt: d.w.app.Clock.Now(), Zone: d.w.zone})
	if err != nil {
		return "", err
	}
	if items[0].Fault != nil {
		return "", items[0].Fault
	}
	if act, found := d.w.edge.Tracking.Check(&items[0].Event); act == tracking.Quarantine {
		return "", heldBack(found)
	}
	items[0].Event.Flags |= event.Historic
	results, err := d.w.intake.Take(ctx, r.Source, items)
	if err != nil {
		return "", err
	}
	switch {
	case results[0].Fault != nil:
		return "", results[0].Fault
	case results[0].State == event.Duplicate:
		return tracking.Duplicate, nil
	case results[0].State == event.Collided:
		return tracking.Collided, nil
	}
	return tracking.Accepted, nil
}

// eventPeople implements api.EventPeople.
type eventPeople struct{ w *workspace }

var _ api.EventPeople = eventPeople{}

// Sources implements api.EventPeople.
func (p eventPeople) Sources(ctx context.Context) (map[id.ID]string, error) {
	list, err := p.w.app.instance.Sources(ctx, p.w.info.Key)
	out := make(map[id.ID]string, len(list))
	for _, s := range list {
		out[s.ID] = s.Name
	}
	return out, err
}

// Customers implements api.EventPeople. Profiles that were joined to another one of nobody known are among them; no customer has such an id.
func (p eventPeople) Customers(ctx context.Context, profiles []id.ID) (map[id.ID]id.ID, error) {
	return eventstore.Ownership{DB: p.w.events.store.DB}.Owners(ctx, profiles)
}

// Profiles implements api.EventPeople.
func (p eventPeople) Profiles(ctx context.Context, customer id.ID) (out []id.ID, err error) {
	err = p.w.events.store.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		out, err = eventstore.NewLedger(c).Owned(ctx, []id.ID{customer})
		return err
	})
	return out, err
}

// visitorOf is the id of whoever sends an event that names nobody; "" where there is no secret for it at the moment, and then the
// event is refused.
func (a *App) visitorOf(r *http.Request, s *door.Source) string {
	w, err := a.workspace(r.Context(), s.Workspace)
	if err != nil {
		return ""
	}
	name, err := w.visitors.ID(r.Context(), s.ID, a.handler.Address(r), r.UserAgent())
	if err != nil {
		a.Log.Error("id of a visitor", "workspace", s.Workspace, "error", err)
		return ""
	}
	return name
}
