package app

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newOffers makes offers and gives them to the edge.
func (w *workspace) newOffers() {
	a := w.app
	w.edge.Offers = offer.New(offer.Config{Store: sqlstore.NewOffers(w.store), People: offerPeople{w}, Clock: a.Clock, Zone: w.zoneOf, IDs: a.ids,
		Note: func(ctx context.Context, action string, key id.ID, detail map[string]any) error {
			return a.auth.Note(ctx, w.info.Key, action, "offer", key, detail)
		}})
}

// offerPeople implements offer.People.
type offerPeople struct{ w *workspace }

// InSegment implements offer.People.
func (p offerPeople) InSegment(ctx context.Context, customer id.ID, segments []string) (bool, error) {
	for _, key := range segments {
		found, err := ruleSegments(p).Among(ctx, key, []id.ID{customer})
		if err != nil || found[customer] {
			return err == nil, err
		}
	}
	return false, nil
}

// Members implements offer.People.
func (p offerPeople) Members(ctx context.Context, segment string, most int) ([]id.ID, bool, error) {
	if err := (campaignAudience{ruleSegments(p)}).Exists(ctx, segment); err != nil {
		return nil, false, err
	}
	list, err := crowd(p).IDs(ctx, query.Customer, &query.Node{Segment: segment, Op: "in"}, nil)
	if err != nil || len(list) > most {
		return nil, false, err
	}
	return list, true, nil
}

// Merged implements offer.People.
func (p offerPeople) Merged(ctx context.Context, customer id.ID) ([]id.ID, error) {
	return p.w.store.MergedFrom(ctx, []id.ID{customer})
}

// HasBought implements offer.People.
func (p offerPeople) HasBought(ctx context.Context, customer id.ID) (bool, error) {
	who, err := json.Marshal([]string{id.Format(p.w.registry().Object(query.Customer).Prefix, customer)})
	if err != nil {
		return false, err
	}
	states, err := json.Marshal(p.w.purchases())
	if err != nil {
		return false, err
	}
	where := &query.Node{All: []*query.Node{{Field: "customer", Op: "in", Value: who}, {Field: "status", Op: "in", Value: states}}}
	n, _, err := p.w.records.Count(system(ctx), "order", where, "", true)
	return n > 0, err
}
