package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newJourneys makes journeys and gives them to the edge. Campaigns, offers and the senders of webhooks must be there.
func (w *workspace) newJourneys(keys *crypt.Keyring, sender *webhook.Sender) {
	a := w.app
	w.edge.JourneyPlays = journeyPlays{w}
	w.edge.Journeys = journey.New(journey.Config{Store: sqlstore.NewJourneys(w.store), People: journeyPeople{w}, Desk: journeyDesk{w}, Sender: journeySender{w}, Offers: journeyOffers{w},
		Caller: journeyCaller{ruleCalls{w, keys, sender}}, Anchor: w.traits.Anchor, Clock: a.Clock, Zone: w.zoneOf, IDs: a.ids, Log: a.Log, Wake: w.edge.Campaigns.Wake,
		Note: func(ctx context.Context, action string, key id.ID, detail map[string]any) error {
			return a.auth.Note(ctx, w.info.Key, action, "journey", key, detail)
		},
		Publish: func(key id.ID) {
			a.hub.Publish(w.info.Key, api.Event{Kind: "journey", ID: id.Format(journey.Prefix, key)})
		}})
}

// journeyPeople implements journey.People.
type journeyPeople struct{ w *workspace }

// Check implements journey.People.
func (p journeyPeople) Check(ctx context.Context, object string, where *query.Node) error {
	return p.w.words.Check(ctx, object, where)
}

// Holding implements journey.People.
func (p journeyPeople) Holding(ctx context.Context, where *query.Node, customers []id.ID) (map[id.ID]bool, error) {
	return ruleConditions(p).Holding(system(ctx), query.Customer, where, customers, false)
}

// All implements journey.People.
func (p journeyPeople) All(ctx context.Context, where *query.Node, fn func([]id.ID) error) error {
	return ruleConditions(p).All(system(ctx), query.Customer, privacy.Processed(where), fn)
}

// Segment implements journey.People.
func (p journeyPeople) Segment(ctx context.Context, key string) error {
	return campaignAudience{ruleSegments(p)}.Exists(ctx, key)
}

// Among implements journey.People.
func (p journeyPeople) Among(ctx context.Context, segment string, customers []id.ID) (map[id.ID]bool, error) {
	return ruleSegments(p).Among(ctx, segment, customers)
}

// Now implements journey.People: who was merged is the survivor; who is deleted, erased or not to be processed is gone.
func (p journeyPeople) Now(ctx context.Context, customers []id.ID) (map[id.ID]id.ID, error) {
	ctx = system(ctx)
	here, err := p.here(ctx, customers)
	if err != nil {
		return nil, err
	}
	out := make(map[id.ID]id.ID, len(customers))
	var into []id.ID
	missing := map[id.ID]id.ID{}
	for _, v := range customers {
		state, found := here[v]
		switch {
		case found && state:
			out[v] = v
		case !found:
			to, ok, err := p.w.records.MergedInto(ctx, v)
			if err != nil {
				return nil, err
			}
			if ok {
				missing[v], into = to, append(into, to)
			}
		}
	}
	if len(into) == 0 {
		return out, nil
	}
	if here, err = p.here(ctx, into); err != nil {
		return nil, err
	}
	for v, to := range missing {
		if here[to] {
			out[v] = to
		}
	}
	return out, nil
}

// here are customers that there are, and whether they may be processed.
func (p journeyPeople) here(ctx context.Context, customers []id.ID) (map[id.ID]bool, error) {
	out := make(map[id.ID]bool, len(customers))
	list, err := p.w.records.GetMany(ctx, query.Customer, customers, []string{privacy.ProcessingField})
	for _, r := range list {
		if r != nil {
			out[r.ID] = r.Values[privacy.ProcessingField] == nil
		}
	}
	return out, err
}

// Dates implements journey.People.
func (p journeyPeople) Dates(ctx context.Context, field string, customers []id.ID, from clock.Day) (map[id.ID]clock.Day, error) {
	out := map[id.ID]clock.Day{}
	list, err := p.w.records.GetMany(system(ctx), query.Customer, customers, []string{field})
	for _, r := range list {
		switch v := r.Values[field].(type) {
		case schema.BirthdayValue:
			if day, err := v.Next(from); err == nil {
				out[r.ID] = day
			}
		case clock.Day:
			out[r.ID] = v
		case time.Time:
			out[r.ID] = clock.DayOf(v, p.w.zone)
		}
	}
	return out, err
}

// DateField implements journey.People.
func (p journeyPeople) DateField(_ context.Context, field string) error {
	f := p.w.registry().Object(query.Customer).Field(field)
	if f == nil || f.Type != schema.Date && f.Type != schema.DateTime && f.Type != schema.Birthday {
		return fault.New(fault.Invalid, "journey.no_date", fault.Params{"field": field})
	}
	return nil
}

// Object implements journey.People.
func (p journeyPeople) Object(_ context.Context, key string) error {
	if obj := p.w.registry().Object(key); obj == nil || key != query.Customer && obj.CustomerField == "" {
		return fault.New(fault.Invalid, "journey.bad_object", fault.Params{"object": key})
	}
	return nil
}

// journeyDesk implements journey.Desk.
type journeyDesk struct{ w *workspace }

// tagField is the field of customers that steps tag, unless they name another one.
const tagField = "tags"

func valueIn(raw json.RawMessage) (v any, err error) {
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &v)
	}
	return v, err
}

// Check implements journey.Desk.
func (d journeyDesk) Check(ctx context.Context, s *journey.Step) error {
	if s.Kind == journey.Task {
		if s.Owner == "" {
			return nil
		}
		key, err := id.Parse("usr", s.Owner)
		if err != nil {
			return fault.New(fault.Invalid, "journey.no_owner", nil)
		}
		here, err := rulePeople(d).Present(system(ctx), []id.ID{key})
		if err == nil && !here[key] {
			err = fault.New(fault.Invalid, "journey.no_owner", nil)
		}
		return err
	}
	name, value := s.Field, any(nil)
	if s.Kind == journey.Tag {
		name, value = tagField, anyTexts(append(slices.Clone(s.Add), s.Remove...))
	}
	f := d.w.registry().Object(query.Customer).Field(name)
	if f == nil || f.ReadOnly || f.Hidden || !access.From(ctx).MayAsk(query.Customer, f) {
		return fault.New(fault.Invalid, "journey.no_field", fault.Params{"field": name})
	}
	var err error
	if s.Kind == journey.Update {
		if value, err = valueIn(s.Value); err != nil {
			return fault.New(fault.Invalid, "journey.no_value", nil)
		}
	}
	if value == nil {
		return nil
	}
	if _, bad := schema.ParseJSON(f, value, d.w.records.Env(ctx)); bad != nil {
		return bad
	}
	return nil
}

func anyTexts(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// acting is the journey as who writes.
func (w *workspace) acting(ctx context.Context, key id.ID) context.Context {
	return access.With(ctx, access.Actor{Kind: access.ByRule, ID: key, Role: access.Administrator, Locale: w.info.Locale})
}

// Write implements journey.Desk.
func (d journeyDesk) Write(ctx context.Context, key id.ID, acts []journey.Act, then func(context.Context, any, []error) error) error {
	owners, err := d.owners(ctx, acts)
	if err != nil {
		return err
	}
	ops := make([]record.BatchOp, len(acts))
	for i, a := range acts {
		switch s := a.Step; s.Kind {
		case journey.Task:
			in := record.Input{"subject": s.Title, "customer": a.Customer, "due_at": a.At.AddDate(0, 0, s.Days)}
			if s.Text != "" {
				in["note"] = s.Text
			}
			if owners[a.Customer] != 0 {
				in["assignee"] = owners[a.Customer]
			}
			ops[i] = record.BatchOp{Op: change.Create, Object: "task", Input: in}
		case journey.Tag:
			ops[i] = record.BatchOp{Op: change.Update, Object: query.Customer, ID: a.Customer, Input: record.Input{tagField: record.Delta{Add: anyTexts(s.Add), Remove: anyTexts(s.Remove)}}}
		default:
			value, err := valueIn(s.Value)
			if err != nil {
				return fault.New(fault.Invalid, "journey.no_value", nil)
			}
			ops[i] = record.BatchOp{Op: change.Update, Object: query.Customer, ID: a.Customer, Input: record.Input{s.Field: value}}
		}
	}
	_, _, err = d.w.records.Mass(d.w.acting(ctx, key), ops, record.MassCall{Then: func(ctx context.Context, tx record.Tx, results []record.BulkResult) error {
		errs := make([]error, len(results))
		for i := range results {
			errs[i] = results[i].Err
		}
		return then(ctx, tx, errs)
	}})
	return err
}

// owners are who gets the tasks of acts.
func (d journeyDesk) owners(ctx context.Context, acts []journey.Act) (map[id.ID]id.ID, error) {
	out := map[id.ID]id.ID{}
	if len(acts) == 0 || acts[0].Step.Kind != journey.Task {
		return out, nil
	}
	if fixed := acts[0].Step.Owner; fixed != "" {
		key, err := id.Parse("usr", fixed)
		for _, a := range acts {
			out[a.Customer] = key
		}
		return out, err
	}
	obj := d.w.registry().Object(query.Customer)
	field := cmp.Or(obj.OwnerField, "owner")
	if obj.Field(field) == nil {
		return out, nil
	}
	ids := make([]id.ID, len(acts))
	for i := range acts {
		ids[i] = acts[i].Customer
	}
	list, err := d.w.records.GetMany(system(ctx), query.Customer, ids, []string{field})
	for _, r := range list {
		if who, ok := r.Values[field].(id.ID); ok {
			out[r.ID] = who
		}
	}
	return out, err
}

// journeySender implements journey.Sender with the engine of campaigns.
type journeySender struct{ w *workspace }

// plan is that of the run of a step.
func (s journeySender) plan(ctx context.Context, j id.ID, st *journey.Step) (channel string, p campaign.Plan, err error) {
	key, err := id.Parse(template.Prefix, st.Template)
	if err != nil {
		return "", p, fault.New(fault.Invalid, "journey.no_template", nil)
	}
	t, err := sqlstore.NewTemplates(s.w.store).Template(ctx, key, 0)
	if err != nil {
		return "", p, err
	}
	return t.Channel, campaign.Plan{Purpose: st.Purpose, Variants: []campaign.Variant{{Key: "a", Template: key, Weight: 1}}, Days: 30, Journey: j, Source: "guanxi", Medium: t.Channel, Campaign: id.Format(journey.Prefix, j)}, nil
}

// Check implements journey.Sender.
func (s journeySender) Check(ctx context.Context, st *journey.Step) error {
	channel, p, err := s.plan(ctx, 1, st)
	if err != nil {
		return err
	}
	return s.w.edge.Campaigns.Fit(ctx, channel, p)
}

// Ready implements journey.Sender.
func (s journeySender) Ready(ctx context.Context, j *journey.Journey, d *journey.Definition) error {
	for i := range d.Steps {
		st := &d.Steps[i]
		if st.Run = 0; st.Kind != journey.Send {
			continue
		}
		channel, p, err := s.plan(ctx, j.ID, st)
		if err != nil {
			return err
		}
		name := j.Name
		if st.Name != "" {
			name += " · " + st.Name
		}
		c, err := s.w.edge.Campaigns.Feed(ctx, name, channel, p)
		if err != nil {
			return err
		}
		st.Run = c.ID
	}
	return nil
}

// Lines implements journey.Sender.
func (s journeySender) Lines(ctx context.Context, run id.ID, list []journey.Entry) ([]any, []string, error) {
	come := make([]campaign.Come, len(list))
	for i, e := range list {
		come[i] = campaign.Come{Customer: e.Customer, Step: int(e.Number)}
	}
	got, err := s.w.edge.Campaigns.Coming(ctx, run, come)
	lines, gates := make([]any, len(got)), make([]string, len(got))
	for i := range got {
		lines[i], gates[i] = got[i], string(got[i].Gate)
	}
	return lines, gates, err
}

// Would implements journey.Sender.
func (s journeySender) Would(ctx context.Context, st *journey.Step, list []id.ID) ([]string, error) {
	channel, p, err := s.plan(ctx, 1, st)
	if err != nil {
		return nil, err
	}
	got, err := s.w.edge.Campaigns.Would(ctx, channel, p, list)
	out := make([]string, len(got))
	for i, g := range got {
		out[i] = string(g)
	}
	return out, err
}

func each(ctx context.Context, runs []id.ID, fn func(context.Context, id.ID) error) error {
	for _, run := range runs {
		if err := fn(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// Pause implements journey.Sender.
func (s journeySender) Pause(ctx context.Context, runs []id.ID) error {
	return each(ctx, runs, s.w.edge.Campaigns.HoldRun)
}

// Resume implements journey.Sender.
func (s journeySender) Resume(ctx context.Context, runs []id.ID) error {
	return each(ctx, runs, s.w.edge.Campaigns.LetRun)
}

// Stop implements journey.Sender.
func (s journeySender) Stop(ctx context.Context, runs []id.ID) error {
	return each(ctx, runs, s.w.edge.Campaigns.EndRun)
}

// Global implements journey.Sender.
func (s journeySender) Global(ctx context.Context) (func(id.ID) bool, error) {
	return s.w.edge.Campaigns.Spared(ctx)
}

// journeyOffers implements journey.Offers.
type journeyOffers struct{ w *workspace }

func offerID(text string) (id.ID, error) {
	key, err := id.Parse(offer.Prefix, text)
	if err != nil {
		err = fault.New(fault.Invalid, "journey.no_offer", nil)
	}
	return key, err
}

// Check implements journey.Offers.
func (o journeyOffers) Check(ctx context.Context, text string) error {
	key, err := offerID(text)
	if err == nil {
		_, err = o.w.edge.Offers.Prepare(ctx, key, nil)
	}
	return err
}

// Make implements journey.Offers.
func (o journeyOffers) Make(ctx context.Context, text string, customers []id.ID) ([]any, error) {
	key, err := offerID(text)
	if err != nil {
		return nil, err
	}
	got, err := o.w.edge.Offers.Prepare(ctx, key, customers)
	out := make([]any, len(got))
	for i := range got {
		out[i] = got[i]
	}
	return out, err
}

// journeyCaller implements journey.Caller.
type journeyCaller struct{ ruleCalls }

// Call implements journey.Caller.
func (c journeyCaller) Call(ctx context.Context, url, key string, body map[string]any) (string, bool) {
	raw, err := json.Marshal(body)
	if err != nil {
		return "journey.failed", true
	}
	status, code := c.sender.Post(ctx, webhook.Call{URL: url, ID: key, Body: raw, Key: derived(c.keys, "journey.sign", c.w.info.Key)})
	lasting := slices.Contains([]int{400, 401, 403, 404, 410, 422}, status) || code == "refused"
	return code, lasting
}

const (
	// journeyStep is the consumer of the inbox that tells journeys what customers did.
	journeyStep    = "journeys"
	journeyAtOnce  = 2000
	journeyChanges = "journey" // the position in the change log
)

// takeJourneys is the step that tells journeys what customers did. Told again they do nothing more.
func (w *workspace) takeJourneys(ctx context.Context) (int, error) {
	s := w.events.store
	at, err := s.Position(ctx, journeyStep)
	if err != nil {
		return 0, err
	}
	people, err := s.Position(ctx, peopleStep)
	if err != nil || !at.Less(people) || w.edge == nil || w.edge.Journeys == nil {
		return 0, err
	}
	ctx = system(ctx)
	last, n := people, 1
	awake, err := w.edge.Journeys.Awake(ctx)
	if err != nil {
		return 0, err
	}
	if awake {
		if last, n, err = w.tellJourneys(ctx, at, people); err != nil || n == 0 {
			return 0, err
		}
	}
	return n, s.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error { return s.Advance(ctx, c, journeyStep, last) })
}

// followJourneys tells journeys which records of customers were made and changed.
func (w *workspace) followJourneys(ctx context.Context) error {
	f := &change.Follower{Feed: w.store.Log(), Name: journeyChanges, Clock: w.app.Clock, Batch: journeyAtOnce}
	f.Step = func(ctx context.Context, after change.Position) (change.Position, int, error) {
		head, err := w.store.Log().Head(ctx)
		if err != nil {
			return after, 0, err
		}
		awake, err := w.edge.Journeys.Awake(ctx)
		if err != nil {
			return after, 0, err
		}
		if !awake {
			next, err := f.Leap(ctx, after, head)
			return next, 0, err
		}
		rows, err := w.store.Log().Read(ctx, after, journeyAtOnce)
		if err != nil || len(rows) == 0 {
			return after, 0, err
		}
		if err := w.journeyChanges(ctx, rows); err != nil {
			return after, 0, fmt.Errorf("tell journeys of changes: %w", err)
		}
		last := rows[len(rows)-1].Position
		return last, len(rows), w.store.Log().SavePosition(ctx, journeyChanges, last)
	}
	return f.Run(system(ctx))
}

// journeyChanges tells journeys of a batch of changes.
func (w *workspace) journeyChanges(ctx context.Context, rows []change.Row) error {
	by := map[string][]change.Row{}
	for _, r := range rows {
		if obj := w.registry().Object(r.Object); obj != nil && (r.Op == change.Create || r.Op == change.Update) && (r.Object == query.Customer || obj.CustomerField != "") {
			by[r.Object] = append(by[r.Object], r)
		}
	}
	for object, list := range by {
		wrote, bought, err := w.wrote(ctx, object, list)
		if err != nil {
			return err
		}
		holds := func(ctx context.Context, object string, where *query.Node, ids []id.ID) (map[id.ID]bool, error) {
			return ruleConditions{w}.Holding(system(ctx), object, where, ids, false)
		}
		if err := w.edge.Journeys.Written(ctx, wrote, holds); err != nil {
			return err
		}
		if err := w.edge.Journeys.Bought(ctx, bought); err != nil {
			return err
		}
	}
	return nil
}

// wrote is whose the records of changes are, and who bought with them.
func (w *workspace) wrote(ctx context.Context, object string, rows []change.Row) (out []journey.Wrote, bought []journey.Buying, err error) {
	obj := w.registry().Object(object)
	var ids []id.ID
	for _, r := range rows {
		ids = append(ids, r.Record)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	owner, placed, states := map[id.ID]id.ID{}, map[id.ID]time.Time{}, w.purchases()
	for part := range slices.Chunk(ids, feedbackWrite) {
		fields := []string{}
		if object != query.Customer {
			fields = append(fields, obj.CustomerField)
		}
		if object == "order" {
			fields = append(fields, "status", obj.TimeField)
		}
		list, err := w.records.GetMany(system(ctx), object, part, fields)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range list {
			who := r.ID
			if object != query.Customer {
				who, _ = r.Values[obj.CustomerField].(id.ID)
			}
			owner[r.ID] = who
			if status, _ := r.Values["status"].(string); object == "order" && slices.Contains(states, status) {
				placed[r.ID], _ = r.Values[obj.TimeField].(time.Time)
			}
		}
	}
	for _, r := range rows {
		if owner[r.Record] == 0 {
			continue
		}
		out = append(out, journey.Wrote{Object: object, Record: r.Record, Version: r.Version, Created: r.Op == change.Create, Customer: owner[r.Record], At: time.UnixMilli(r.At)})
		if at := placed[r.Record]; !at.IsZero() {
			bought = append(bought, journey.Buying{Customer: owner[r.Record], At: at})
		}
	}
	return out, bought, nil
}

// tellJourneys tells journeys of the events behind a position, as far as their people are known, and says how far it came.
func (w *workspace) tellJourneys(ctx context.Context, at, people change.Position) (last change.Position, n int, err error) {
	batch, err := w.events.store.Read(ctx, at, journeyAtOnce)
	if err != nil {
		return at, 0, err
	}
	for n < len(batch) && !people.Less(eventstore.PositionOf(&batch[n])) {
		n++
	}
	if n == 0 {
		return at, 0, nil
	}
	var profiles []id.ID
	for i := range batch[:n] {
		profiles = append(profiles, batch[i].Profile)
	}
	owners, err := w.customersOf(ctx, profiles)
	if err != nil {
		return at, 0, err
	}
	var seen []journey.Seen
	for i := range batch[:n] {
		e := &batch[i]
		who := owners[e.Profile]
		if who == 0 || e.Kind == event.Identify || e.Flags&event.Bot != 0 {
			continue
		}
		var properties map[string]json.RawMessage
		if json.Unmarshal(e.Properties, &properties) != nil {
			properties = nil
		}
		seen = append(seen, journey.Seen{Customer: who, Event: e.Name, At: time.UnixMilli(e.ReceivedAt), Key: strconv.FormatInt(int64(e.ID), 36), Properties: properties})
	}
	return eventstore.PositionOf(&batch[n-1]), n, w.edge.Journeys.Happened(ctx, seen)
}
