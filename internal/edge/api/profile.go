package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
)

// CustomerProfile is everything about a customer in one answer.
type CustomerProfile struct {
	Record     *Record           `json:"record"`
	Highlights []Highlight       `json:"highlights"`
	Traits     []TraitFact       `json:"traits"`
	Classes    []ClassFact       `json:"classes"`
	Segments   []SegmentFact     `json:"segments"`
	Timeline   []TimelineEntry   `json:"timeline"`
	Further    *string           `json:"timeline_next" doc:"the cursor by which the timeline goes on"`
	Related    []RelatedCount    `json:"related"`
	RFM        *RFMScore         `json:"rfm"`
	Identities ProfileIdentities `json:"identities"`
	Behaviour  *BehaviourFigures `json:"behaviour" doc:"null for who did nothing on sites and in apps"`
	Orders     []TimelineEntry   `json:"orders" doc:"the newest five"`
	Open       []AgendaItem      `json:"open" doc:"what is still to be done"`
	Next       *AgendaItem       `json:"next" doc:"the first of them that has a time"`
	Duplicates DuplicateMatches  `json:"duplicates"`
	Consent    *ProfileConsent   `json:"consent" doc:"null for readers who may not read consents"`
}

// ProfileConsent is where a customer stands on every purpose and channel.
type ProfileConsent struct {
	States []ConsentState `json:"states"`
	Minor  bool           `json:"minor" doc:"under fourteen"`
	Left   string         `json:"left" enum:",do_not_contact,restricted"`
}

// ProfileIdentities are the names of a customer in short.
type ProfileIdentities struct {
	Names    []Identifier `json:"names" doc:"the last seen first, at most twelve; personal ones are masked"`
	Profiles int          `json:"profiles" doc:"that are the customer"`
	Reviews  int          `json:"reviews" doc:"questions that nobody has answered"`
}

const (
	profileTimeline = 20
	profileNames    = 12
	profileOrders   = 5
)

// profiling is one answer being put together.
type profiling struct {
	a   *API
	c   *call
	o   *schema.Object
	rec *record.Record
	out CustomerProfile

	alike dedupe.Matches
}

func (a *API) profile(ctx context.Context, c *call, in idIn) (CustomerProfile, error) {
	if c.ws.Profiles == nil {
		return CustomerProfile{}, fault.New(fault.Unavailable, "api.not_there", nil)
	}
	o, v, err := c.survivor(ctx, recordIn{query.Customer, in.ID})
	if err != nil {
		return CustomerProfile{}, err
	}
	r, err := c.ws.Records.Get(ctx, o.Key, v)
	if err != nil {
		return CustomerProfile{}, err
	}
	a.settle(ctx, c)
	p := &profiling{a: a, c: c, o: o, rec: r}
	// What is read from analysis and what is searched for run beside the rest; only the rest prints, which a call does one after the other.
	var beside sync.WaitGroup
	var seen, alike error
	beside.Go(func() { seen = p.addBehaviour(ctx) })
	beside.Go(func() { alike = p.findDuplicates(ctx) })
	err = p.addAll(ctx)
	beside.Wait()
	if err := errors.Join(err, seen, alike); err != nil {
		return CustomerProfile{}, err
	}
	p.out.Duplicates, err = c.showMatches(ctx, o, p.alike)
	return p.out, err
}

func (p *profiling) addAll(ctx context.Context) error {
	for _, add := range []func(context.Context) error{p.addEngines, p.addRecord, p.addTimeline, p.addIdentities, p.addConsent, p.addWork} {
		if err := add(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *profiling) addConsent(ctx context.Context) error {
	if !access.From(ctx).Can(access.ConsentRead) {
		return nil
	}
	seen, err := p.c.ws.Consents.Of(ctx, p.rec.ID)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound || fault.KindOf(err) == fault.Forbidden { // erased, or a key with fewer rights
			err = nil
		}
		return err
	}
	p.out.Consent = &ProfileConsent{States: showStates(&seen), Minor: seen.Minor, Left: seen.Left}
	return nil
}

func (p *profiling) addEngines(ctx context.Context) error {
	got, err := p.c.ws.Profiles.Profile(ctx, p.rec.ID)
	if err != nil {
		return err
	}
	out := &p.out
	out.Highlights, out.Traits, out.Classes, out.Segments = list(got.Highlights), list(got.Traits), list(got.Classes), list(got.Segments)
	out.Related, out.RFM = list(got.Related), got.RFM
	return nil
}

func (p *profiling) addRecord(ctx context.Context) (err error) {
	if p.out.Record, err = p.c.showRecord(ctx, p.o, p.rec); err != nil {
		return err
	}
	return p.c.addReach(ctx, p.o, p.out.Record)
}

func (p *profiling) addTimeline(ctx context.Context) error {
	items, next, err := p.c.ws.Timeline.Read(ctx, p.o.Key, p.rec.ID, timeline.Query{Limit: profileTimeline})
	if err != nil {
		return err
	}
	if p.out.Timeline, err = p.c.showTimeline(ctx, p.o, items); err != nil {
		return err
	}
	if next != "" {
		p.out.Further = &next
	}
	orders, _, err := p.c.ws.Timeline.Read(ctx, p.o.Key, p.rec.ID, timeline.Query{Limit: profileOrders, Kinds: []timeline.Kind{timeline.Order}})
	if err != nil {
		return err
	}
	p.out.Orders, err = p.c.showTimeline(ctx, p.o, orders)
	return err
}

func (p *profiling) addIdentities(ctx context.Context) error {
	view, err := p.c.ws.Identities.Of(ctx, p.rec.ID)
	if err != nil {
		return err
	}
	out := &p.out.Identities
	out.Names, out.Reviews = []Identifier{}, len(view.Reviews)
	for i := range view.Trees {
		t := &view.Trees[i]
		out.Profiles += len(t.Profiles)
		out.Names = append(out.Names, p.c.showIdentifiers(t.Identifiers, id.ID(0))...)
	}
	slices.SortStableFunc(out.Names, func(x, y Identifier) int {
		return cmp.Or(y.LastAt.Compare(x.LastAt), cmp.Compare(x.ID, y.ID))
	})
	out.Names = out.Names[:min(len(out.Names), profileNames)]
	return nil
}

func (p *profiling) addBehaviour(ctx context.Context) (err error) {
	p.out.Behaviour, err = p.c.ws.Behaved.Figures(ctx, p.rec.ID)
	return err
}

func (p *profiling) findDuplicates(ctx context.Context) (err error) {
	if p.rec.DeletedAt == nil {
		p.alike, err = p.c.ws.Duplicates.Find(ctx, p.o.Key, p.rec.ID, nil, dedupe.OnShow)
	}
	return err
}

func (p *profiling) addWork(ctx context.Context) error {
	items, err := p.c.ws.Agenda.Of(ctx, p.o.Key, p.rec.ID)
	if err != nil {
		return err
	}
	if p.out.Open, err = p.c.showAgenda(ctx, items); err != nil {
		return err
	}
	for i := range p.out.Open {
		if v := &p.out.Open[i]; v.At != nil && (p.out.Next == nil || v.At.Before(*p.out.Next.At)) {
			p.out.Next = v
		}
	}
	return nil
}
