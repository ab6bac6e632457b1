package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/native"
	door "github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/demo"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// lifeBatch is about how many events of the demo company go into one transaction.
const lifeBatch = 3000

// demoLife loads what the customers of the demo company did. Everybody's profile is made here, since it is known whose it is; the events
// then pass the stations of all events.
type demoLife struct {
	*demoLoad
	sources map[string]id.ID
	now     int64
	counts  map[id.ID]int64
	joining []event.Event // of devices whose user turned out to be a customer: resolution finds that
}

// lifeChunk is what one transaction brings.
type lifeChunk struct {
	changes identity.Changes
	events  []event.Event
}

// contents are the records that interactions are about.
func (l *demoLoad) contents() error {
	var ops []record.BulkOp
	for _, c := range l.gen.Contents() {
		in := record.Input{"title": c.Title.In(l.loc), "kind": c.Kind, "platform": c.Platform, "external_id": c.ExternalID, "url": c.URL, "published_at": c.PublishedAt, "reach": c.Reach}
		put(in, "campaign", c.Campaign)
		if v, ok := l.styles[c.Product]; ok {
			in["product"] = v
		}
		ops = append(ops, l.create("content", in, c.PublishedAt))
	}
	if len(ops) == 0 {
		return nil
	}
	return l.store(ops)
}

// live brings in the behaviour: one goroutine makes it while the other stores it.
func (l *demoLoad) live(m *demoMark) error {
	if l.gen.Options().Events < 0 {
		return nil
	}
	life := &demoLife{demoLoad: l, sources: map[string]id.ID{}, now: l.w.app.Clock.Now().UnixMilli(), counts: map[id.ID]int64{}}
	if err := life.open(m); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(l.ctx)
	chunks := make(chan *lifeChunk)
	go func() {
		defer close(chunks)
		life.make(func(c *lifeChunk) bool {
			select {
			case chunks <- c:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	defer func() {
		cancel()
		for range chunks { //nolint:revive // wait for the maker to end
		}
	}()
	s := l.w.events.store
	for c := range chunks {
		err := s.Adopt(l.ctx, c.events, []string{eventstore.Resolved, peopleStep, consentStep, contentStep, journeyStep}, func(ctx context.Context, conn sqlstore.Conn) error {
			return eventstore.NewLedger(conn).Save(ctx, &c.changes)
		})
		if err != nil {
			return fmt.Errorf("behaviour of the demo company: %w", err)
		}
	}
	if err := l.ctx.Err(); err != nil {
		return err
	}
	for part := range slices.Chunk(life.joining, lifeBatch) {
		if _, err := s.Accept(l.ctx, part); err != nil {
			return err
		}
	}
	for _, n := range life.counts {
		l.res.Events += int(n)
	}
	return s.AddCounts(l.ctx, life.counted())
}

// behaves takes the behaviour to analysis, and defines the traits over it before traits are computed.
func (l *demoLoad) behaves(m *demoMark) error {
	if l.gen.Options().Events < 0 {
		return nil
	}
	if err := l.w.events.drain(l.ctx); err != nil {
		return err
	}
	debug.FreeOSMemory()
	native.Trim()
	for _, c := range demoTraits {
		t := trait.Computed{Key: c.key, Label: schema.Label{lang.ChineseSimplified: c.zh, lang.English: c.en}}
		if err := json.Unmarshal([]byte(c.figure), &t.Figure); err != nil {
			return err
		}
		if _, err := l.w.edge.Computed.Create(l.ctx, t); err != nil {
			return fmt.Errorf("trait %s of the demo company: %w", c.key, err)
		}
		m.Traits = append(m.Traits, c.key)
	}
	return l.w.markDemo(l.ctx, *m)
}

// gather saves the segments over behaviour.
func (l *demoLoad) gather(m *demoMark) error {
	if l.gen.Options().Events < 0 {
		return nil
	}
	for _, c := range demoSegments {
		label := lang.Label{lang.ChineseSimplified: c.zh, lang.English: c.en}.In(l.loc)
		where := &query.Node{}
		if err := json.Unmarshal([]byte(c.figure), where); err != nil {
			return err
		}
		if _, err := l.w.segments.Create(l.ctx, segment.Draft{Key: c.key, Label: &label, Kind: segment.Dynamic, Where: where}); err != nil {
			return fmt.Errorf("segment %s of the demo company: %w", c.key, err)
		}
		m.Segments = append(m.Segments, c.key)
	}
	return nil
}

// demoDefinition is something the demo company defines over behaviour; figure is the JSON of a figure, or of a condition.
type demoDefinition struct{ key, zh, en, figure string }

var (
	demoTraits = []demoDefinition{
		{"demo_visit_days", "近 30 天到站天数", "Days on the site in 30 days", `{"of":{"event":"Page Viewed","within":{"days":30}},"kind":"days"}`},
		{"demo_last_viewed", "最近看过的商品", "Product looked at last", `{"of":{"event":"Product Viewed"},"kind":"last","field":"name"}`},
	}
	demoSegments = []demoDefinition{
		{"demo_left_basket", "近 30 天加购未下单", "Left a basket within 30 days", `{"all":[{"event":"Product Added","within":{"days":30}},{"event":"Order Completed","op":"none","within":{"days":30}}]}`},
		{"demo_store_and_site", "线上线下都来的客户", "Comes to stores and the site", `{"all":[{"event":"Store Visited","within":{"days":90}},{"event":"Page Viewed","within":{"days":90}}]}`},
	}
)

// open makes the doors by which the behaviour is said to have come.
func (l *demoLife) open(m *demoMark) error {
	for _, s := range l.gen.Sources() {
		name, kind := s.Name.In(l.loc), door.Server
		if s.Key == "web" {
			kind = door.Web
		}
		made, _, err := l.w.edge.Sources.Create(l.ctx, door.SourceInput{Name: &name, Type: &kind})
		if err != nil {
			return err
		}
		l.sources[s.Key] = made.ID
		m.Sources = append(m.Sources, made.ID)
		if err := l.w.markDemo(l.ctx, *m); err != nil {
			return err
		}
	}
	return nil
}

// make gives chunks of events until everything is made or emit says that it is enough.
func (l *demoLife) make(emit func(*lifeChunk) bool) {
	c := &lifeChunk{}
	full := func(least int) bool {
		if len(c.events) < least {
			return true
		}
		ok := emit(c)
		c = &lifeChunk{events: make([]event.Event, 0, lifeBatch+500)}
		return ok
	}
	whole := true
	l.gen.Customers(func(who demo.Customer) bool {
		h := l.gen.Life(&who, l.loc)
		l.history(c, &h, l.people[who.Index], who.ExternalID)
		whole = full(lifeBatch)
		return whole
	})
	for i := 0; whole && i < l.gen.Visitors(); i++ {
		h := l.gen.Visitor(i, l.loc)
		l.history(c, &h, 0, "")
		whole = full(lifeBatch)
	}
	if whole {
		full(1)
	}
}

// history adds a history with the profiles of those who take part in it.
func (l *demoLife) history(c *lifeChunk, h *demo.History, customer id.ID, user string) {
	if len(h.Events) == 0 {
		return
	}
	profiles := make([]id.ID, len(h.Actors))
	first, last := make([]int64, len(h.Actors)), make([]int64, len(h.Actors))
	for i := range h.Events {
		e := &h.Events[i]
		at := e.At.UnixMilli()
		if first[e.Actor] == 0 || at < first[e.Actor] {
			first[e.Actor] = at
		}
		last[e.Actor] = max(last[e.Actor], at)
	}
	for i, a := range h.Actors {
		if first[i] == 0 {
			continue
		}
		p := identity.Profile{ID: l.w.app.ids.Next(), CreatedAt: first[i]}
		p.Root, profiles[i] = p.ID, p.ID
		names := [][2]string{{identity.AnonymousID, a.Anonymous}}
		if a.Customer {
			p.Customer = customer
			names = append(names, [2]string{identity.UserID, user})
			c.changes.Mappings = append(c.changes.Mappings, identity.Mapping{Profile: p.ID, Subject: customer})
		}
		c.changes.Profiles = append(c.changes.Profiles, p)
		for _, n := range names {
			c.changes.Identifiers = append(c.changes.Identifiers, identity.Identifier{ID: l.w.app.ids.Next(), Namespace: n[0], Value: n[1], Shown: n[1], Profile: p.ID, FirstAt: first[i], LastAt: last[i]})
		}
	}
	for i := range h.Events {
		e := l.event(&h.Events[i], h, user)
		e.Profile = profiles[h.Events[i].Actor]
		c.events = append(c.events, e)
	}
	for i := range h.Joining {
		l.joining = append(l.joining, l.event(&h.Joining[i], h, user))
	}
}

func (l *demoLife) event(e *demo.Event, h *demo.History, user string) event.Event {
	out := event.Event{Source: l.sources[e.Source], MessageID: e.ID, Kind: event.Kind(e.Kind), Name: e.Name, At: e.At.UnixMilli(), Day: clock.DayOf(e.At, l.w.zone),
		ReceivedAt: l.now, OriginalAt: e.At.UnixMilli(), Flags: event.Historic, Properties: e.Properties, Context: e.Context}
	switch out.Kind {
	case event.Page:
		out.Name = event.PageViewed
	case event.Screen:
		out.Name = event.ScreenViewed
	case event.Identify:
		out.Name = event.Identified
	}
	if e.Signed {
		out.UserID = user
	}
	if e.Source == "web" || e.Source == "mini" { // a platform and a till know no browser
		out.AnonymousID = h.Actors[e.Actor].Anonymous
	}
	l.counts[out.Source]++
	return out
}

func (l *demoLife) counted() (out []event.Count) {
	for source, n := range l.counts {
		out = append(out, event.Count{Source: source, Day: l.now / (24 * time.Hour).Milliseconds(), Accepted: n, LastAt: l.now})
	}
	return out
}

// drain takes what was accepted through the stations as far as analysis, on a workspace whose runner rests. What follows has time.
func (f *eventFlow) drain(ctx context.Context) error {
	for _, s := range f.w.eventSteps() {
		if s.name == sealStep || s.name == tidyStep {
			continue
		}
		if s.name == learnStep {
			s.run = f.w.learned.LearnMany
		}
		for {
			n, err := s.run(ctx)
			if err != nil {
				return fmt.Errorf("step %s of events: %w", s.name, err)
			}
			if n == 0 {
				break
			}
		}
	}
	return nil
}

// unlive takes the behaviour of the demo company away: its events everywhere, the profiles that stand for its browsers, and its doors.
// It may be repeated.
func (w *workspace) unlive(ctx context.Context, m demoMark) error {
	for _, key := range m.Segments {
		for _, forget := range []func(context.Context, string) error{w.segments.Delete, w.segments.Purge} {
			if err := forget(ctx, key); err != nil && !slices.Contains([]fault.Kind{fault.NotFound, fault.Conflict}, fault.KindOf(err)) { // somebody builds on it: it stays
				return err
			}
		}
	}
	for _, key := range m.Traits {
		if err := w.edge.Computed.Delete(ctx, key); err != nil && !slices.Contains([]fault.Kind{fault.NotFound, fault.Conflict}, fault.KindOf(err)) {
			return err
		}
	}
	if len(m.Sources) == 0 {
		return nil
	}
	if err := w.events.drain(ctx); err != nil { // what is not loaded is not found
		return err
	}
	far := clock.DayOf(w.app.Clock.Now(), w.zone) + 2
	before := map[id.ID]clock.Day{}
	for _, s := range m.Sources {
		before[s] = far
	}
	if _, err := w.events.plane.Retain(ctx, before); err != nil {
		return err
	}
	err := w.events.store.Write(sqlstore.Bulk(ctx), func(ctx context.Context, c sqlstore.Conn) error {
		return eventstore.NewLedger(c).ForgetPrefix(ctx, identity.AnonymousID, demo.AnonymousPrefix)
	})
	if err != nil {
		return err
	}
	if err := w.learned.ForgetSources(ctx, m.Sources); err != nil {
		return err
	}
	for _, s := range m.Sources {
		err = errors.Join(err, w.app.instance.DeleteSource(ctx, w.info.Key, s))
	}
	w.app.keeper.forget()
	return err
}
