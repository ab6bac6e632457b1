package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
)

// Behaviour tells how events fare.
type Behaviour interface {
	// Counts are what came by the sources since a day of UTC.
	Counts(ctx context.Context, since int64) ([]model.Count, error)
	// Take accepts the decoded events of a source, as those of an import unless that is 0.
	Take(ctx context.Context, source id.ID, items []event.Item, imported id.ID) ([]event.Result, error)
	// Flow is how far events were carried on.
	Flow(ctx context.Context) (EventFlow, error)
}

// sourceRoutes are for administrators. Every line that changes something leaves a note in the trail: source.create, .update, .rotate,
// .import and .delete.
func (a *API) sourceRoutes() []route {
	r := access.SourceManage
	return []route{
		{method: get, path: "/event-sources", need: right, right: r, run: op(a.listSources), doc: "Doors that events come by, with their health"},
		{method: post, path: "/event-sources", need: right, right: r, run: op(a.createSource), doc: "Make a door for events; its write key is shown once", status: http.StatusCreated, secret: true},
		{method: post, path: "/event-sources/try", need: right, right: r, run: op(a.trySource), doc: "What a mapping makes of a sample", secret: true},
		{method: get, path: "/event-sources/{id}", need: right, right: r, run: op(a.getSource), doc: "One door for events"},
		{method: patch, path: "/event-sources/{id}", need: right, right: r, run: op(a.patchSource), doc: "Change, switch off or switch on a door for events"},
		{method: del, path: "/event-sources/{id}", need: right, right: r, run: op(a.deleteSource), doc: "Remove a door with its keys; its events stay"},
		{method: post, path: "/event-sources/{id}/import", need: right, right: r, run: op(a.importEvents), doc: "Bring in events of before, with their own times", large: true},
		{method: post, path: "/event-sources/{id}/rotate", need: right, right: r, run: op(a.rotateSource), doc: "Another write key, shown once; the old ones stay good for the hours given", secret: true},
	}
}

// SourceKey is a write key; what is shown of it is how it begins.
type SourceKey struct {
	Hint      string     `json:"hint"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// SourceDay is what came on a day of UTC.
type SourceDay struct {
	Day       string `json:"day" format:"date"`
	Accepted  int64  `json:"accepted" doc:"stored, collisions included"`
	Duplicate int64  `json:"duplicate" doc:"sent again, and not stored again"`
	Collision int64  `json:"collision" doc:"stored under another message id"`
	Rejected  int64  `json:"rejected"`
	Withheld  int64  `json:"withheld" doc:"kept out of analysis, or taken out of it, because it was refused"`
}

// SourceMapping says how the calls of another program become events; see the guide on events.
type SourceMapping struct {
	Kind        string `json:"kind" enum:"track,identify"`
	Each        string `json:"each" doc:"path to a list, each of whose members is an event"`
	Event       string `json:"event" doc:"path to the name, or =Name"`
	UserID      string `json:"user_id"`
	AnonymousID string `json:"anonymous_id"`
	Time        string `json:"time"`
	MessageID   string `json:"message_id"`
	Properties  string `json:"properties" doc:"path to an object; empty for everything"`
}

// EventSource is a door as the API shows it.
type EventSource struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Type        string         `json:"type" enum:"web,server,sensors,webhook"`
	Enabled     bool           `json:"enabled"`
	Origins     []string       `json:"origins" doc:"pages that may call a web source; empty for every page"`
	PerSecond   int            `json:"per_second" doc:"events; 0 for the standard"`
	StandardPer int            `json:"standard_per_second"`
	Retention   int            `json:"retention_days" doc:"0 for ever"`
	Mapping     *SourceMapping `json:"mapping"`
	Consent     string         `json:"consent" enum:",anonymous,drop" doc:"what becomes of events that do not say that analysis was agreed to; empty takes them"`
	Located     bool           `json:"located" doc:"country and region are made of the address of the network, which is not kept"`
	Orders      bool           `json:"orders" doc:"of web and sensors: orders count at once; otherwise when a source whose key is secret tells of the same order"`
	Keys        []SourceKey    `json:"keys"`
	Days        []SourceDay    `json:"days" doc:"of the last thirty days those on which something came"`
	LastEventAt *time.Time     `json:"last_event_at"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
	Version     int64          `json:"version"`
}

func (s EventSource) etag() string { return `"` + strconv.FormatInt(s.Version, 10) + `"` }

// EventFlow is how far events were carried on.
type EventFlow struct {
	Accepted int64           `json:"accepted" doc:"number of the newest event"`
	Trouble  []EventFlowStep `json:"trouble" doc:"stations that fail at present"`
}

// EventFlowStep is a station on the way of events that fails.
type EventFlowStep struct {
	Step     string    `json:"step"`
	Code     string    `json:"code"`
	Message  string    `json:"message"`
	Since    time.Time `json:"since"`
	Failures int       `json:"failures"`
}

// EventSourceList is every door of the workspace.
type EventSourceList struct {
	Items []EventSource `json:"items"`
	Flow  EventFlow     `json:"flow"`
}

// NewEventSource is a door with a write key that is shown this once.
type NewEventSource struct {
	Source   EventSource `json:"source"`
	WriteKey string      `json:"write_key"`
}

// sourceDays is how far back counts are shown.
const sourceDays = 30

func showSource(s *event.Source, counts []model.Count) EventSource {
	out := EventSource{ID: id.Format(event.SourcePrefix, s.ID), Name: s.Name, Type: string(s.Type), Enabled: s.Enabled, Origins: list(s.Origins), PerSecond: s.PerSecond, StandardPer: event.DefaultRate,
		Retention: s.Retention, Consent: string(s.Consent), Located: !s.Unlocated, Orders: s.Orders || !s.Public(), Keys: []SourceKey{}, Days: []SourceDay{}, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Version: s.Version}
	if s.Mapping != nil {
		out.Mapping = &SourceMapping{Kind: string(s.Mapping.Kind), Each: s.Mapping.Each, Event: s.Mapping.Event, UserID: s.Mapping.UserID, AnonymousID: s.Mapping.AnonymousID, Time: s.Mapping.Time,
			MessageID: s.Mapping.MessageID, Properties: s.Mapping.Properties}
	}
	for _, k := range s.Keys {
		out.Keys = append(out.Keys, SourceKey{Hint: k.Hint, CreatedAt: k.CreatedAt, ExpiresAt: optional(k.ExpiresAt)})
	}
	var last int64
	for _, n := range counts {
		if n.Source != s.ID {
			continue
		}
		last = max(last, n.LastAt)
		out.Days = append(out.Days, SourceDay{Day: clock.Day(n.Day).String(), Accepted: n.Accepted, Duplicate: n.Duplicate, Collision: n.Collision, Rejected: n.Rejected, Withheld: n.Withheld}) //nolint:gosec // a day fits
	}
	if last > 0 {
		out.LastEventAt = optional(time.UnixMilli(last).UTC())
	}
	return out
}

func (a *API) sourceCounts(ctx context.Context, c *call) ([]model.Count, error) {
	return c.ws.Behaviour.Counts(ctx, a.Clock.Now().Unix()/86400-sourceDays+1)
}

func (a *API) listSources(ctx context.Context, c *call, _ struct{}) (EventSourceList, error) {
	out := EventSourceList{Items: []EventSource{}}
	all, err := c.ws.Sources.List(ctx)
	if err != nil {
		return out, err
	}
	counts, err := a.sourceCounts(ctx, c)
	if err != nil {
		return out, err
	}
	for i := range all {
		out.Items = append(out.Items, showSource(&all[i], counts))
	}
	out.Flow, err = c.ws.Behaviour.Flow(ctx)
	for i := range out.Flow.Trouble {
		t := &out.Flow.Trouble[i]
		t.Message = c.words.Text(lang.Locale(c.locale), t.Code, nil)
	}
	return out, err
}

func sourceID(text string) (id.ID, error) {
	v, err := id.Parse(event.SourcePrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "event.source_not_found", nil)
	}
	return v, nil
}

func (a *API) shownSource(ctx context.Context, c *call, s *event.Source) (EventSource, error) {
	counts, err := a.sourceCounts(ctx, c)
	return showSource(s, counts), err
}

func (a *API) getSource(ctx context.Context, c *call, in idIn) (EventSource, error) {
	key, err := sourceID(in.ID)
	if err != nil {
		return EventSource{}, err
	}
	s, err := c.ws.Sources.Get(ctx, key)
	if err != nil {
		return EventSource{}, err
	}
	return a.shownSource(ctx, c, &s)
}

type sourceBody struct {
	Name      *string        `json:"name,omitempty"`
	Type      *string        `json:"type,omitempty" enum:"web,server,sensors,webhook" doc:"web when absent; stays as it was made"`
	Enabled   *bool          `json:"enabled,omitempty"`
	Origins   *[]string      `json:"origins,omitempty"`
	PerSecond *int           `json:"per_second,omitempty"`
	Retention *int           `json:"retention_days,omitempty"`
	Mapping   *SourceMapping `json:"mapping,omitempty"`
	Consent   *string        `json:"consent,omitempty" enum:",anonymous,drop"`
	Located   *bool          `json:"located,omitempty"`
	Orders    *bool          `json:"orders,omitempty"`
	Version   int64          `json:"version,omitempty"`
}

func (m *SourceMapping) mapping() *event.Mapping {
	if m == nil {
		return nil
	}
	return &event.Mapping{Kind: model.Kind(m.Kind), Each: m.Each, Event: m.Event, UserID: m.UserID, AnonymousID: m.AnonymousID, Time: m.Time, MessageID: m.MessageID, Properties: m.Properties}
}

func (b *sourceBody) input() event.SourceInput {
	in := event.SourceInput{Name: b.Name, Enabled: b.Enabled, Origins: b.Origins, PerSecond: b.PerSecond, Retention: b.Retention, Mapping: b.Mapping.mapping(), Located: b.Located, Orders: b.Orders}
	if b.Type != nil {
		t := event.SourceType(*b.Type)
		in.Type = &t
	}
	if b.Consent != nil {
		asks := event.Asking(*b.Consent)
		in.Consent = &asks
	}
	return in
}

func (a *API) noteSource(ctx context.Context, c *call, action string, s *event.Source) error {
	return a.Auth.Note(ctx, c.who.Workspace.Key, action, "", 0, map[string]any{"source": id.Format(event.SourcePrefix, s.ID), "name": s.Name, "type": string(s.Type), "enabled": s.Enabled})
}

type createSourceIn struct{ Body sourceBody }

func (a *API) createSource(ctx context.Context, c *call, in createSourceIn) (NewEventSource, error) {
	s, secret, err := c.ws.Sources.Create(ctx, in.Body.input())
	if err != nil {
		return NewEventSource{}, err
	}
	return NewEventSource{Source: showSource(&s, nil), WriteKey: secret}, a.noteSource(ctx, c, "source.create", &s)
}

type patchSourceIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    sourceBody
}

func (a *API) patchSource(ctx context.Context, c *call, in patchSourceIn) (EventSource, error) {
	key, err := sourceID(in.ID)
	if err != nil {
		return EventSource{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return EventSource{}, err
	}
	s, err := c.ws.Sources.Update(ctx, key, version, in.Body.input())
	if err != nil {
		return EventSource{}, err
	}
	if err := a.noteSource(ctx, c, "source.update", &s); err != nil {
		return EventSource{}, err
	}
	return a.shownSource(ctx, c, &s)
}

func (a *API) deleteSource(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := sourceID(in.ID)
	if err != nil {
		return empty{}, err
	}
	s, err := c.ws.Sources.Get(ctx, key)
	if err != nil {
		return empty{}, err
	}
	if err := c.ws.Sources.Delete(ctx, key); err != nil {
		return empty{}, err
	}
	return empty{}, a.noteSource(ctx, c, "source.delete", &s)
}

type rotateSourceIn struct {
	ID   string `path:"id"`
	Body struct {
		OverlapHours int `json:"overlap_hours,omitempty" doc:"how long the old keys stay good, up to ninety days; 0 ends them at once"`
	}
}

func (a *API) rotateSource(ctx context.Context, c *call, in rotateSourceIn) (NewEventSource, error) {
	key, err := sourceID(in.ID)
	if err != nil {
		return NewEventSource{}, err
	}
	s, secret, err := c.ws.Sources.Rotate(ctx, key, time.Duration(in.Body.OverlapHours)*time.Hour)
	if err != nil {
		return NewEventSource{}, err
	}
	shown, err := a.shownSource(ctx, c, &s)
	if err != nil {
		return NewEventSource{}, err
	}
	return NewEventSource{Source: shown, WriteKey: secret}, a.noteSource(ctx, c, "source.rotate", &s)
}

type trySourceIn struct {
	Body struct {
		Mapping SourceMapping `json:"mapping"`
		Sample  string        `json:"sample" doc:"the body of a call, as it comes"`
	}
}

// TriedEvent is what a mapping makes of a part of a sample.
type TriedEvent struct {
	Kind        string          `json:"kind"`
	Name        string          `json:"name"`
	UserID      string          `json:"user_id"`
	AnonymousID string          `json:"anonymous_id"`
	MessageID   string          `json:"message_id"`
	At          time.Time       `json:"at"`
	NoTime      bool            `json:"no_time" doc:"no time was found: that of the call counts"`
	Properties  json.RawMessage `json:"properties"`
	Code        string          `json:"code" doc:"why it would be refused, empty for an event that would be accepted"`
	Field       string          `json:"field"`
	Message     string          `json:"message"`
}

// TriedEvents are what a mapping makes of a sample.
type TriedEvents struct {
	Items []TriedEvent `json:"items"`
}

// triedAtMost is how many events of a sample are shown.
const triedAtMost = 20

func (a *API) trySource(_ context.Context, c *call, in trySourceIn) (TriedEvents, error) {
	out := TriedEvents{Items: []TriedEvent{}}
	m := in.Body.Mapping.mapping()
	if err := m.Check(); err != nil {
		return out, err
	}
	items, err := event.Hook(m, []byte(in.Body.Sample), &event.Delivery{ReceivedAt: a.Clock.Now(), Zone: c.ws.Zone})
	if err != nil {
		return out, err
	}
	for i := range items {
		if i == triedAtMost {
			break
		}
		e := &items[i].Event
		t := TriedEvent{Kind: string(e.Kind), Name: e.Name, UserID: e.UserID, AnonymousID: e.AnonymousID, MessageID: e.MessageID, At: time.UnixMilli(e.At).UTC(), NoTime: e.Flags.Has(model.NoTime), Properties: e.Properties}
		if f := items[i].Fault; f != nil {
			t.Code, t.Field, t.Message = f.Code, f.Field, c.words.Text(lang.Locale(c.locale), f.Code, f.Params)
		}
		if t.Properties == nil {
			t.Properties = json.RawMessage("{}")
		}
		out.Items = append(out.Items, t)
	}
	return out, nil
}
