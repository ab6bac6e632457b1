package api

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/tracking"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Prefixes of printed ids.
const (
	eventPrefix    = "evt"
	rejectedPrefix = "rej"
	sourcePrefix   = "src" // of package event
	profilePrefix  = "prf"
)

// EventPeople says who profiles are, as the caller may know it.
type EventPeople interface {
	// Sources are the names of the workspace's sources of events.
	Sources(ctx context.Context) (map[id.ID]string, error)
	// Customers are those that profiles belong to.
	Customers(ctx context.Context, profiles []id.ID) (map[id.ID]id.ID, error)
	// Profiles are those of a customer.
	Profiles(ctx context.Context, customer id.ID) ([]id.ID, error)
}

// trackingRoutes ask for rights of their own: properties may hold personal data.
func (a *API) trackingRoutes() []route {
	read, manage := access.EventRead, access.EventManage
	return []route{
		{method: get, path: "/events/live", need: right, right: read, run: op(a.liveEvents), doc: "The newest events as they came in, with repeats and rejected ones", secret: true},
		{method: get, path: "/events/live/{id}", need: right, right: read, run: op(a.liveEvent), doc: "One of the newest events", secret: true},
		{method: get, path: "/events/names", need: right, right: read, run: op(a.eventNames), doc: "Names of events with their volume"},
		{method: get, path: "/events/names/one", need: right, right: read, run: op(a.eventName), doc: "One event of a source with its properties as they were seen"},
		{method: del, path: "/events/names/one", need: right, right: manage, run: op(a.forgetEventName), doc: "Forget a name that is not sent any more"},
		{method: get, path: "/events/plan", need: right, right: read, run: op(a.eventPlan), doc: "The tracking plan"},
		{method: post, path: "/events/plan", need: right, right: manage, run: op(a.setEventPlan), doc: "Change the tracking plan; the version is the one that was read"},
		{method: get, path: "/events/plan/draft", need: right, right: read, run: op(a.draftEventPlan), doc: "A plan of what was learned, not stored"},
		{method: get, path: "/events/rejected", need: right, right: read, run: op(a.rejectedEvents), doc: "Rejected and quarantined events, newest first", secret: true},
		{method: post, path: "/events/rejected/replay", need: right, right: manage, run: op(a.replayEvents), doc: "Repair rejected events by steps and take them through the door again, at most 500 at a time", secret: true},
		{method: post, path: "/events/rejected/delete", need: right, right: manage, run: op(a.deleteRejected), doc: "Delete rejected events, at most 500 at a time"},
	}
}

// SourceName names a source.
type SourceName struct {
	ID   string `json:"id"`
	Name string `json:"name" doc:"empty for one that is deleted"`
}

// EventTrouble is one way in which an event is not as planned, with its sentence.
type EventTrouble struct {
	Code     string `json:"code"`
	Property string `json:"property"`
	Text     string `json:"text"`
}

// LiveEvent is one event in the window.
type LiveEvent struct {
	ID          string         `json:"id" doc:"empty of a repeat"`
	State       string         `json:"state" enum:"accepted,duplicate,collision,rejected"`
	Source      SourceName     `json:"source"`
	Kind        string         `json:"kind"`
	Name        string         `json:"name"`
	MessageID   string         `json:"message_id"`
	At          time.Time      `json:"at" doc:"corrected"`
	ReceivedAt  time.Time      `json:"received_at"`
	ClaimedAt   *time.Time     `json:"claimed_at" doc:"as the client said it"`
	Flags       []string       `json:"flags" doc:"collision, future_time, no_time, bot, historic, unplanned, no_consent"`
	UserID      string         `json:"user_id"`
	AnonymousID string         `json:"anonymous_id"`
	Profile     string         `json:"profile"`
	Customer    *Ref           `json:"customer"`
	Page        string         `json:"page" doc:"its address, of what happened on one"`
	Trouble     []EventTrouble `json:"trouble" doc:"why it was rejected, or is not as planned"`
}

// LiveEvents are the newest events.
type LiveEvents struct {
	Items   []LiveEvent  `json:"items"`
	Sources []SourceName `json:"sources"`
}

// LiveDetail is an event with all that was sent.
type LiveDetail struct {
	Event      LiveEvent       `json:"event"`
	GroupID    string          `json:"group_id"`
	PreviousID string          `json:"previous_id"`
	Properties json.RawMessage `json:"properties"`
	Context    json.RawMessage `json:"context"`
}

var eventFlags = []struct {
	flag event.Flags
	name string
}{
	{event.Collision, "collision"}, {event.FutureTime, "future_time"}, {event.NoTime, "no_time"}, {event.Bot, "bot"},
	{event.Historic, "historic"}, {event.Unplanned, "unplanned"}, {event.NoConsent, "no_consent"},
}

func flagNames(f event.Flags) []string {
	out := []string{}
	for _, e := range eventFlags {
		if f.Has(e.flag) {
			out = append(out, e.name)
		}
	}
	return out
}

type liveIn struct {
	Source string `query:"source"`
	Name   string `query:"name"`
	Kind   string `query:"kind"`
	State  string `query:"state"`
	Flag   string `query:"flag"`
	Person string `query:"person"`
	Limit  int    `query:"limit"`
}

const (
	liveLimit = 100
	liveMost  = 500
)

func (a *API) liveEvents(ctx context.Context, c *call, in liveIn) (LiveEvents, error) {
	out := LiveEvents{Items: []LiveEvent{}, Sources: []SourceName{}}
	names, err := c.ws.People.Sources(ctx)
	if err != nil {
		return out, err
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		out.Sources = append(out.Sources, SourceName{id.Format(sourcePrefix, key), names[key]})
	}
	q, none, err := c.watchQuery(ctx, in)
	if err != nil || none {
		return out, err
	}
	found, err := c.ws.Tracking.Watch(ctx, q)
	if err != nil {
		return out, err
	}
	items, err := a.showLive(ctx, c, names, found)
	if err != nil {
		return out, err
	}
	out.Items = items[:min(len(items), q.Limit)]
	return out, nil
}

// watchQuery reads what is asked for; none says that nothing can fulfil it.
func (c *call) watchQuery(ctx context.Context, in liveIn) (q tracking.WatchQuery, none bool, err error) {
	q = tracking.WatchQuery{State: tracking.State(in.State), RecentQuery: tracking.RecentQuery{Name: in.Name, Kind: event.Kind(in.Kind), Limit: in.Limit}}
	if q.Limit <= 0 {
		q.Limit = liveLimit
	}
	q.Limit = min(q.Limit, liveMost)
	if in.State != "" && !slices.Contains([]tracking.State{tracking.Accepted, tracking.Duplicate, tracking.Collided, tracking.Refused}, q.State) {
		return q, false, fault.InvalidField("api.bad_parameter", "state", nil)
	}
	if in.Source != "" {
		if q.Source, err = id.Parse(sourcePrefix, in.Source); err != nil {
			return q, false, fault.InvalidField("api.bad_parameter", "source", nil)
		}
	}
	if in.Flag != "" {
		at := slices.IndexFunc(eventFlags, func(e struct {
			flag event.Flags
			name string
		}) bool {
			return e.name == in.Flag
		})
		if at < 0 {
			return q, false, fault.InvalidField("api.bad_parameter", "flag", nil)
		}
		q.Flags = eventFlags[at].flag
	}
	person := strings.TrimSpace(in.Person)
	prefix, key, err := id.ParseAny(person)
	switch {
	case person == "":
	case err == nil && prefix == profilePrefix:
		q.Profiles = []id.ID{key}
	case err == nil && c.isCustomer(prefix):
		if _, err := c.ws.Records.Get(ctx, "customer", key); err != nil {
			return q, false, err
		}
		q.Profiles, err = c.ws.People.Profiles(ctx, key)
		return q, err == nil && len(q.Profiles) == 0, err
	default:
		q.Person = person
	}
	return q, false, nil
}

func (c *call) isCustomer(prefix string) bool {
	obj := c.ws.Registry().Object("customer")
	return obj != nil && obj.Prefix == prefix
}

// showLive presents what a window holds, newest first.
func (a *API) showLive(ctx context.Context, c *call, sources map[id.ID]string, found tracking.Watched) ([]LiveEvent, error) {
	var profiles []id.ID
	for _, e := range found.Events {
		if e.Profile != 0 {
			profiles = append(profiles, e.Profile)
		}
	}
	who, err := c.customersOf(ctx, profiles)
	if err != nil {
		return nil, err
	}
	out := []LiveEvent{}
	for i := range found.Events {
		e := &found.Events[i]
		v := LiveEvent{ID: id.Format(eventPrefix, e.ID), State: string(e.State), Source: SourceName{id.Format(sourcePrefix, e.Source), sources[e.Source]}, Kind: string(e.Kind),
			Name: e.Name, MessageID: e.MessageID, At: time.UnixMilli(e.At).UTC(), ReceivedAt: time.UnixMilli(e.ReceivedAt).UTC(), Flags: flagNames(e.Flags), UserID: e.UserID,
			AnonymousID: e.AnonymousID, Profile: id.Format(profilePrefix, e.Profile), Customer: who[e.Profile], Page: pageOf(e.Context), Trouble: []EventTrouble{}}
		if e.OriginalAt != 0 {
			t := time.UnixMilli(e.OriginalAt).UTC()
			v.ClaimedAt = &t
		}
		if e.Flags.Has(event.Unplanned) {
			_, trouble := c.ws.Tracking.Check(&e.Event)
			v.Trouble = c.troubles(trouble)
		}
		out = append(out, v)
	}
	for _, r := range found.Rejected {
		v := LiveEvent{ID: id.Format(rejectedPrefix, r.ID), State: string(tracking.Refused), Source: SourceName{id.Format(sourcePrefix, r.Source), sources[r.Source]}, Kind: r.Kind,
			Name: r.Name, MessageID: r.MessageID, At: time.UnixMilli(r.At).UTC(), ReceivedAt: time.UnixMilli(r.At).UTC(), Flags: []string{}, Trouble: c.rejectedTrouble(r)}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(x, y LiveEvent) int { return y.ReceivedAt.Compare(x.ReceivedAt) })
	return out, nil
}

// customersOf names the customers of profiles that the caller may see.
func (c *call) customersOf(ctx context.Context, profiles []id.ID) (map[id.ID]*Ref, error) {
	out := map[id.ID]*Ref{}
	if len(profiles) == 0 {
		return out, nil
	}
	owners, err := c.ws.People.Customers(ctx, profiles)
	if err != nil || len(owners) == 0 {
		return out, err
	}
	keys := slices.Collect(maps.Values(owners))
	slices.Sort(keys)
	recs, err := c.ws.Records.GetMany(ctx, "customer", slices.Compact(keys), nil)
	if err != nil {
		return nil, err
	}
	refs := map[id.ID]*Ref{}
	for _, r := range recs {
		refs[r.ID] = &Ref{ID: id.Format(c.ws.Registry().Object("customer").Prefix, r.ID), Object: "customer", Title: r.Title}
	}
	for profile, customer := range owners {
		if refs[customer] != nil {
			out[profile] = refs[customer]
		}
	}
	return out, nil
}

func pageOf(context json.RawMessage) string {
	var v struct {
		Page struct {
			URL  string `json:"url"`
			Path string `json:"path"`
		} `json:"page"`
	}
	if json.Unmarshal(context, &v) != nil {
		return ""
	}
	if v.Page.URL == "" {
		return v.Page.Path
	}
	return v.Page.URL
}

// troubles are violations in the caller's words.
func (c *call) troubles(list []tracking.Violation) []EventTrouble {
	out := []EventTrouble{}
	for _, v := range list {
		params := map[string]any{"property": v.Property, "want": v.Want, "found": v.Found}
		if v.Code == tracking.WrongType {
			params["want"] = c.words.Text(lang.Locale(c.locale), "tracking.type_"+v.Want, nil)
			params["found"] = c.words.Text(lang.Locale(c.locale), "tracking.type_"+v.Found, nil)
		}
		out = append(out, EventTrouble{v.Code, v.Property, c.words.Text(lang.Locale(c.locale), v.Code, params)})
	}
	return out
}

func (c *call) rejectedTrouble(r tracking.Rejected) []EventTrouble {
	return c.troubles(c.ws.Tracking.Why(r))
}

func (a *API) liveEvent(ctx context.Context, c *call, in idIn) (LiveDetail, error) {
	gone := fault.New(fault.NotFound, "tracking.event_gone", nil)
	key, err := id.Parse(eventPrefix, in.ID)
	if err != nil {
		return LiveDetail{}, gone
	}
	found, err := c.ws.Tracking.Watch(ctx, tracking.WatchQuery{RecentQuery: tracking.RecentQuery{Event: key, Limit: 1}})
	if err != nil {
		return LiveDetail{}, err
	}
	if len(found.Events) == 0 {
		return LiveDetail{}, gone
	}
	names, err := c.ws.People.Sources(ctx)
	if err != nil {
		return LiveDetail{}, err
	}
	shown, err := a.showLive(ctx, c, names, found)
	if err != nil {
		return LiveDetail{}, err
	}
	e := found.Events[0]
	return LiveDetail{Event: shown[0], GroupID: e.GroupID, PreviousID: e.PreviousID, Properties: e.Properties, Context: e.Context}, nil
}

// EventDay is the volume of one day.
type EventDay struct {
	Day   string `json:"day"`
	Count int64  `json:"count"`
}

// EventName is what is known of an event of a source.
type EventName struct {
	Source     SourceName      `json:"source"`
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	Count      int64           `json:"count"`
	FirstAt    time.Time       `json:"first_at"`
	LastAt     time.Time       `json:"last_at"`
	Days       []EventDay      `json:"days" doc:"of the last thirty, those with any"`
	Planned    bool            `json:"planned"`
	Properties []EventProperty `json:"properties,omitempty"`
}

// EventProperty is what was seen in a property.
type EventProperty struct {
	Path     string           `json:"path"`
	Count    int64            `json:"count"`
	Types    map[string]int64 `json:"types"`
	Examples []string         `json:"examples" doc:"what looks like a person's is hidden"`
	FirstAt  time.Time        `json:"first_at"`
	LastAt   time.Time        `json:"last_at"`
}

// EventNames are all names.
type EventNames struct {
	Items []EventName `json:"items"`
}

func showName(n tracking.Name, sources map[id.ID]string, plan tracking.Plan) EventName {
	v := EventName{Source: SourceName{id.Format(sourcePrefix, n.Source), sources[n.Source]}, Name: n.Name, Kind: string(n.Kind), Count: n.Count,
		FirstAt: time.UnixMilli(n.First).UTC(), LastAt: time.UnixMilli(n.Last).UTC(), Days: []EventDay{},
		Planned: slices.ContainsFunc(plan.Events, func(p tracking.Planned) bool { return p.Name == n.Name })}
	for _, d := range slices.Sorted(maps.Keys(n.Days)) {
		v.Days = append(v.Days, EventDay{d.String(), n.Days[d]})
	}
	for _, path := range slices.Sorted(maps.Keys(n.Properties)) {
		p := n.Properties[path]
		e := EventProperty{Path: path, Count: p.Count, Types: map[string]int64{}, Examples: list(p.Examples), FirstAt: time.UnixMilli(p.First).UTC(), LastAt: time.UnixMilli(p.Last).UTC()}
		for t, k := range p.Types {
			e.Types[string(t)] = k
		}
		v.Properties = append(v.Properties, e)
	}
	return v
}

func (a *API) eventNames(ctx context.Context, c *call, _ struct{}) (EventNames, error) {
	out := EventNames{Items: []EventName{}}
	names, err := c.ws.Tracking.Names(ctx)
	if err != nil {
		return out, err
	}
	sources, err := c.ws.People.Sources(ctx)
	if err != nil {
		return out, err
	}
	plan, err := c.ws.Tracking.Plan(ctx)
	for _, n := range names {
		out.Items = append(out.Items, showName(n, sources, plan))
	}
	return out, err
}

type eventNameIn struct {
	Source string `query:"source"`
	Name   string `query:"name"`
}

func (in eventNameIn) key() (tracking.Key, error) {
	source, err := id.Parse(sourcePrefix, in.Source)
	if err != nil || in.Name == "" {
		return tracking.Key{}, fault.New(fault.NotFound, "tracking.name_unknown", nil)
	}
	return tracking.Key{Source: source, Name: in.Name}, nil
}

func (a *API) eventName(ctx context.Context, c *call, in eventNameIn) (EventName, error) {
	key, err := in.key()
	if err != nil {
		return EventName{}, err
	}
	n, err := c.ws.Tracking.Name(ctx, key)
	if err != nil {
		return EventName{}, err
	}
	sources, err := c.ws.People.Sources(ctx)
	if err != nil {
		return EventName{}, err
	}
	plan, err := c.ws.Tracking.Plan(ctx)
	return showName(n, sources, plan), err
}

func (a *API) forgetEventName(ctx context.Context, c *call, in eventNameIn) (empty, error) {
	key, err := in.key()
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Tracking.ForgetName(ctx, key)
}

// EventPlan is the tracking plan.
type EventPlan struct {
	Version   int64          `json:"version"`
	At        *time.Time     `json:"at"`
	Unplanned string         `json:"unplanned" enum:"allow,flag,quarantine"`
	Events    []PlannedEvent `json:"events"`
}

// PlannedEvent is one event of the plan.
type PlannedEvent struct {
	Name       string            `json:"name"`
	Note       string            `json:"note,omitempty"`
	Act        string            `json:"act,omitempty" enum:"allow,flag,quarantine" doc:"what happens with one that is not as planned"`
	Closed     bool              `json:"closed,omitempty" doc:"properties that are not named are not as planned"`
	Properties []PlannedProperty `json:"properties,omitempty"`
}

// PlannedProperty is one property of a planned event.
type PlannedProperty struct {
	Name     string   `json:"name" doc:"a path: price, address.city, products[].sku"`
	Note     string   `json:"note,omitempty"`
	Type     string   `json:"type,omitempty" enum:"text,number,integer,bool,time,object,list,any"`
	Required bool     `json:"required,omitempty"`
	Values   []string `json:"values,omitempty" doc:"that are allowed; none for every value"`
}

func showPlan(p tracking.Plan) EventPlan {
	out := EventPlan{Version: p.Version, At: optional(p.At), Unplanned: string(p.Unplanned), Events: []PlannedEvent{}}
	for _, e := range p.Events {
		v := PlannedEvent{Name: e.Name, Note: e.Note, Act: string(e.Act), Closed: e.Closed, Properties: []PlannedProperty{}}
		for _, q := range e.Properties {
			v.Properties = append(v.Properties, PlannedProperty{q.Name, q.Note, string(q.Type), q.Required, list(q.Values)})
		}
		out.Events = append(out.Events, v)
	}
	return out
}

func (a *API) eventPlan(ctx context.Context, c *call, _ struct{}) (EventPlan, error) {
	p, err := c.ws.Tracking.Plan(ctx)
	return showPlan(p), err
}

func (a *API) draftEventPlan(ctx context.Context, c *call, _ struct{}) (EventPlan, error) {
	p, err := c.ws.Tracking.DraftPlan(ctx)
	return showPlan(p), err
}

type setPlanIn struct {
	Body struct {
		Version   int64          `json:"version"`
		Unplanned string         `json:"unplanned" enum:"allow,flag,quarantine"`
		Events    []PlannedEvent `json:"events"`
	}
}

func (a *API) setEventPlan(ctx context.Context, c *call, in setPlanIn) (EventPlan, error) {
	p := tracking.Plan{Version: in.Body.Version, Unplanned: tracking.Act(in.Body.Unplanned), Events: []tracking.Planned{}}
	for _, e := range in.Body.Events {
		v := tracking.Planned{Name: e.Name, Note: e.Note, Act: tracking.Act(e.Act), Closed: e.Closed}
		for _, q := range e.Properties {
			v.Properties = append(v.Properties, tracking.Property{Name: q.Name, Note: q.Note, Type: tracking.Type(q.Type), Required: q.Required, Values: q.Values})
		}
		p.Events = append(p.Events, v)
	}
	p, err := c.ws.Tracking.SetPlan(ctx, p)
	if err != nil {
		return EventPlan{}, err
	}
	return showPlan(p), a.Auth.Note(ctx, c.who.Workspace.Key, "event.plan", "", 0, map[string]any{"version": p.Version, "events": len(p.Events), "unplanned": string(p.Unplanned)})
}

// RejectedEvent is an event that was not accepted, or was set aside by the plan.
type RejectedEvent struct {
	ID         string          `json:"id"`
	Source     SourceName      `json:"source"`
	ReceivedAt time.Time       `json:"received_at"`
	MessageID  string          `json:"message_id"`
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	Code       string          `json:"code"`
	Held       bool            `json:"held" doc:"by the plan"`
	Trouble    []EventTrouble  `json:"trouble"`
	Body       json.RawMessage `json:"body"`
}

// RejectedCode counts rejected events of a kind of trouble.
type RejectedCode struct {
	Code  string `json:"code"`
	Text  string `json:"text"`
	Count int64  `json:"count"`
}

// RejectedEvents is a page of rejected events.
type RejectedEvents struct {
	Items      []RejectedEvent `json:"items"`
	Codes      []RejectedCode  `json:"codes"`
	NextCursor *string         `json:"next_cursor"`
}

// RejectedWhich chooses rejected events: some by their ids, or all that fulfil the rest.
type RejectedWhich struct {
	IDs    []string `json:"ids,omitempty"`
	Source string   `json:"source,omitempty"`
	Name   string   `json:"name,omitempty"`
	Code   string   `json:"code,omitempty"`
	Search string   `json:"search,omitempty"`
	All    bool     `json:"all,omitempty" doc:"needed where nothing else is chosen"`
}

func (w RejectedWhich) query(careful bool) (q tracking.RejectedQuery, err error) {
	q = tracking.RejectedQuery{Name: w.Name, Code: w.Code, Search: w.Search}
	for _, text := range w.IDs {
		key, err := id.Parse(rejectedPrefix, text)
		if err != nil {
			return q, fault.InvalidField("api.bad_parameter", "ids", nil)
		}
		q.IDs = append(q.IDs, key)
	}
	if len(q.IDs) > liveMost {
		return q, fault.InvalidField("tracking.too_many", "ids", fault.Params{"max": liveMost})
	}
	if w.Source != "" {
		if q.Source, err = id.Parse(sourcePrefix, w.Source); err != nil {
			return q, fault.InvalidField("api.bad_parameter", "source", nil)
		}
	}
	if careful && !w.All && len(w.IDs) == 0 && w.Source+w.Name+w.Code+w.Search == "" {
		return q, fault.New(fault.Invalid, "tracking.which", nil)
	}
	return q, nil
}

type rejectedEventsIn struct {
	Source string `query:"source"`
	Name   string `query:"name"`
	Code   string `query:"code"`
	Search string `query:"search"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit"`
}

func (a *API) rejectedEvents(ctx context.Context, c *call, in rejectedEventsIn) (RejectedEvents, error) {
	out := RejectedEvents{Items: []RejectedEvent{}, Codes: []RejectedCode{}}
	q, err := RejectedWhich{Source: in.Source, Name: in.Name, Code: in.Code, Search: in.Search}.query(false)
	if err != nil {
		return out, err
	}
	if in.Cursor != "" {
		if q.Before, err = id.Parse(rejectedPrefix, in.Cursor); err != nil {
			return out, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	limit := in.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, liveMost)
	q.Limit = limit + 1
	sources, err := c.ws.People.Sources(ctx)
	if err != nil {
		return out, err
	}
	found, counts, err := c.ws.Tracking.Rejects(ctx, q)
	if err != nil {
		return out, err
	}
	if len(found) > limit {
		found = found[:limit]
		next := id.Format(rejectedPrefix, found[limit-1].ID)
		out.NextCursor = &next
	}
	for _, r := range found {
		out.Items = append(out.Items, RejectedEvent{ID: id.Format(rejectedPrefix, r.ID), Source: SourceName{id.Format(sourcePrefix, r.Source), sources[r.Source]},
			ReceivedAt: time.UnixMilli(r.At).UTC(), MessageID: r.MessageID, Kind: r.Kind, Name: r.Name, Code: r.Code, Held: r.Held, Trouble: c.rejectedTrouble(r), Body: jsonOf(r.Body)})
	}
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		out.Codes = append(out.Codes, RejectedCode{code, c.words.Text(lang.Locale(c.locale), code, map[string]any{"property": "…", "want": "…", "found": "…"}), counts[code]})
	}
	return out, nil
}

// jsonOf is a body as JSON: what is none is shown as a text.
func jsonOf(body json.RawMessage) json.RawMessage {
	if json.Valid(body) {
		return body
	}
	b, err := json.Marshal(string(body))
	if err != nil { // texts always encode
		return json.RawMessage("null")
	}
	return b
}

// EventStep is one repair of a rejected event.
type EventStep struct {
	Do       string `json:"do" enum:"rename_event,rename,cast,remove,set,user_id"`
	Event    string `json:"event,omitempty" doc:"rename_event: the name it gets"`
	Property string `json:"property,omitempty"`
	To       string `json:"to,omitempty" doc:"rename: the new name; cast: text, number, integer, bool; set: the value"`
}

type replayEventsIn struct {
	Body struct {
		Which RejectedWhich `json:"which"`
		Steps []EventStep   `json:"steps,omitempty"`
		Try   bool          `json:"try,omitempty" doc:"nothing is sent; the answer shows what the steps make of them"`
	}
}

// ReplayedEvent is what became of one.
type ReplayedEvent struct {
	ID    string          `json:"id"`
	State string          `json:"state" enum:",accepted,duplicate,collision" doc:"empty where it was refused again, or not sent"`
	Code  string          `json:"code"`
	Text  string          `json:"text"`
	Body  json.RawMessage `json:"body,omitempty"`
}

// ReplayedEvents are the outcomes.
type ReplayedEvents struct {
	Items    []ReplayedEvent `json:"items" doc:"at most twenty, those refused first"`
	Accepted int             `json:"accepted"`
	Repeated int             `json:"repeated" doc:"had been accepted before"`
	Refused  int             `json:"refused"`
	Done     bool            `json:"done" doc:"false where more are left: ask again"`
}

const shownOutcomes = 20

func (a *API) replayEvents(ctx context.Context, c *call, in replayEventsIn) (ReplayedEvents, error) {
	out := ReplayedEvents{Items: []ReplayedEvent{}}
	q, err := in.Body.Which.query(true)
	if err != nil {
		return out, err
	}
	steps := make([]tracking.Step, len(in.Body.Steps))
	for i, s := range in.Body.Steps {
		steps[i] = tracking.Step(s)
	}
	found, done, err := c.ws.Tracking.Replay(ctx, q, steps, in.Body.Try)
	if err != nil {
		return out, err
	}
	out.Done = done
	for _, r := range found {
		switch {
		case r.Code != "":
			out.Refused++
		case r.State == tracking.Duplicate:
			out.Repeated++
		case r.State != "":
			out.Accepted++
		}
	}
	slices.SortStableFunc(found, func(x, y tracking.Replayed) int { return strings.Compare(y.Code, x.Code) })
	for _, r := range found[:min(len(found), shownOutcomes)] {
		v := ReplayedEvent{ID: id.Format(rejectedPrefix, r.ID), State: string(r.State), Code: r.Code}
		if in.Body.Try {
			v.Body = jsonOf(r.Body)
		}
		if r.Code != "" {
			v.Text = c.words.Text(lang.Locale(c.locale), r.Code, map[string]any{"property": "…", "want": "…", "found": "…", "max": ""})
		}
		out.Items = append(out.Items, v)
	}
	if in.Body.Try {
		return out, nil
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "event.replay", "", 0, map[string]any{"accepted": out.Accepted, "refused": out.Refused})
}

type deleteRejectedIn struct {
	Body struct {
		Which RejectedWhich `json:"which"`
	}
}

// DeletedEvents says how many went.
type DeletedEvents struct {
	Count int  `json:"count"`
	Done  bool `json:"done" doc:"false where more are left: ask again"`
}

func (a *API) deleteRejected(ctx context.Context, c *call, in deleteRejectedIn) (DeletedEvents, error) {
	q, err := in.Body.Which.query(true)
	if err != nil {
		return DeletedEvents{}, err
	}
	n, done, err := c.ws.Tracking.DropRejected(ctx, q)
	if err != nil {
		return DeletedEvents{}, err
	}
	return DeletedEvents{n, done}, a.Auth.Note(ctx, c.who.Workspace.Key, "event.delete", "", 0, map[string]any{"count": n})
}
