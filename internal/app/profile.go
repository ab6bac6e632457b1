package app

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// profiles gathers the 360° view of a customer from the engines.
type profiles struct {
	registry  func() *schema.Registry
	catalogue func() *trait.Catalogue
	traits    *trait.Service
	classes   *classify.Service
	board     classify.Board
	segments  *segment.Service
	inside    func(ctx context.Context, customer id.ID) ([]string, error) // keys of segments by stored membership
	records   *record.Service
	zone      *time.Location
	currency  string
}

var _ api.ProfileService = (*profiles)(nil)

// highlightKeys are the traits of the strip at the top of a customer's page.
var highlightKeys = [...]string{"spend_total", "orders", "last_order_day", "average_basket", "refund_rate"}

// relatedAtMost is where counting the records of a related object stops.
const relatedAtMost = 10_000

// Profile implements api.ProfileService.
func (p *profiles) Profile(ctx context.Context, customer id.ID) (*api.Profile, error) {
	out := &api.Profile{Highlights: []api.Highlight{}, Traits: []api.TraitFact{}, Classes: []api.ClassFact{}, Segments: []api.SegmentFact{}}
	parts := []func(context.Context, id.ID, *api.Profile) error{p.addTraits, p.addClasses, p.addSegments}
	if !access.From(ctx).Can(access.SegmentRead) { // what is worked out about customers has a right of its own
		parts = nil
	}
	for _, add := range parts {
		if err := add(ctx, customer, out); err != nil && !away(err) {
			return nil, err
		}
	}
	return out, p.addRelated(ctx, customer, out)
}

func (p *profiles) addTraits(ctx context.Context, customer id.ID, out *api.Profile) error {
	anchor, err := p.traits.Anchor(ctx)
	if err != nil {
		return err
	}
	all, err := p.traits.Values(ctx, []id.ID{customer})
	if err != nil {
		return err
	}
	state, err := p.traits.State(ctx)
	if err != nil {
		return err
	}
	values, catalogue := all[customer], p.catalogue()
	explain := trait.Explainer{Catalogue: catalogue, Anchor: anchor, Zone: p.zone, Currency: p.currency}
	groups := map[string]schema.Label{}
	for _, g := range catalogue.Groups() {
		groups[g.Key] = g.Label
	}
	var at *time.Time
	if state.Known {
		at = &state.ComputedAt
	}
	for _, d := range catalogue.List() {
		out.Traits = append(out.Traits, api.TraitFact{Key: d.Key, Label: d.Label, Group: groups[d.Group], GroupKey: d.Group, Type: api.TraitType(d),
			Value: api.TraitValue(d, values[d.Key], p.currency), Explanation: explain.Sentence(d.Key, values), ComputedAt: at})
	}
	for _, k := range highlightKeys {
		if d, ok := catalogue.Find(k); ok {
			out.Highlights = append(out.Highlights, api.Highlight{Key: k, Label: d.Label, Value: api.TraitValue(d, values[k], p.currency)})
		}
	}
	if r, ok := values["r_score"].(int64); ok {
		f, _ := values["f_score"].(int64)
		m, _ := values["m_score"].(int64)
		out.RFM = &api.RFMScore{R: int(r), F: int(f), M: int(m)}
	}
	return nil
}

func (p *profiles) addClasses(ctx context.Context, customer id.ID, out *api.Profile) error {
	defs, err := p.classes.List(ctx)
	if err != nil {
		return err
	}
	members, err := p.board.MembersSince(ctx, customer)
	if err != nil {
		return err
	}
	for _, d := range defs {
		m, ok := members[d.Key]
		if !ok {
			continue
		}
		for _, c := range d.Classes {
			if c.Key != m.Class {
				continue
			}
			fact := api.ClassFact{Classification: d.Key, Label: d.Label, Key: c.Key, ClassLabel: c.Label, Color: c.Color}
			if !m.Since.IsZero() {
				day := clock.DayOf(m.Since, p.zone).String()
				fact.Since = &day
			}
			out.Classes = append(out.Classes, fact)
		}
	}
	return nil
}

func (p *profiles) addSegments(ctx context.Context, customer id.ID, out *api.Profile) error {
	keys, err := p.inside(ctx, customer)
	if err != nil {
		return err
	}
	for _, k := range keys {
		s, err := p.segments.Get(ctx, k)
		if fault.KindOf(err) == fault.NotFound && err != nil {
			continue // deleted a moment ago
		}
		if err != nil {
			return err
		}
		out.Segments = append(out.Segments, api.SegmentFact{Key: k, Label: s.Label})
	}
	return nil
}

func (p *profiles) addRelated(ctx context.Context, customer id.ID, out *api.Profile) error {
	out.Related = []api.RelatedCount{}
	self := query.Node{Op: "="}
	self.Value = []byte(`"` + id.Format(p.registry().Object(query.Customer).Prefix, customer) + `"`)
	for _, ref := range p.registry().Referrers(query.Customer) {
		if who := access.From(ctx); ref.Object.Hidden || !who.May(ref.Object.Key, access.Read) || !who.MayAsk(ref.Object.Key, ref.Field) {
			continue
		}
		where := self
		where.Field = ref.Field.Key
		n, _, err := p.records.Count(ctx, ref.Object.Key, &where, "", false)
		if err != nil {
			return err
		}
		out.Related = append(out.Related, api.RelatedCount{Object: ref.Object.Key, Via: ref.Field.Key, Label: ref.Object.Plural, Count: min(n, relatedAtMost)})
	}
	return nil
}

func (w *workspace) newProfiles() *profiles {
	return &profiles{registry: w.registry, catalogue: w.words.Catalogue, traits: w.traits, classes: w.classes,
		board: w.audience, segments: w.segments, inside: w.audience.SegmentsOf, records: w.records, zone: w.zone, currency: w.info.Currency}
}
