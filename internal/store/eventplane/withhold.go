package eventplane

import (
	"context"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// Behaviour reports whether an event is what consent to analysis is about: what somebody did, not who somebody is, and not what a colleague wrote down.
func Behaviour(e *event.Event) bool {
	return (e.Kind == event.Page || e.Kind == event.Screen || e.Kind == event.Track) && !e.Flags.Has(event.Settled)
}

// withhold takes the person from events of a list that happened while their owners refused to be analysed, and says how many of each source.
func (p *Plane) withhold(ctx context.Context, list []event.Event, owners map[id.ID]analytics.Owner) (map[id.ID]int64, error) {
	if p.c.Refusals == nil {
		return nil, nil //nolint:nilnil // nobody refused
	}
	asked := make([]id.ID, 0, len(owners))
	for _, o := range owners {
		asked = append(asked, o.ID)
	}
	slices.Sort(asked)
	refused, err := p.c.Refusals(ctx, slices.Compact(asked))
	if err != nil || len(refused) == 0 {
		return nil, err
	}
	out := map[id.ID]int64{}
	for i := range list {
		e := &list[i]
		if e.Flags.Has(event.NoConsent) || !Behaviour(e) || !consent.Refused(refused[owners[e.Profile].ID], e.At) {
			continue
		}
		e.Profile = e.ID
		e.Flags |= event.NoConsent
		out[e.Source]++
	}
	return out, nil
}

// sweepAtOnce is how many events are taken out at a time.
const sweepAtOnce = 50_000

// Sweep takes what persons did while they refused to be analysed out of analysis: refusals that came to be known after the events. It says how many of each
// source. more says that the same refusals have to be given again; nothing is done while the plane is read back.
func (p *Plane) Sweep(ctx context.Context, refusals []consent.Refusal) (swept map[id.ID]int64, more bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known, err := p.c.Facts.Loaded(ctx); err != nil || !known {
		return nil, true, err
	}
	for p.c.Owners != nil { // what became theirs a moment ago is theirs
		if n, err := p.follow(ctx); err != nil {
			return nil, true, err
		} else if n == 0 {
			break
		}
	}
	events, swept, err := p.c.Facts.Refused(ctx, refusals, sweepAtOnce)
	if err != nil || len(events) == 0 {
		return nil, false, err
	}
	if _, err := p.drop(ctx, analytics.Gone{Events: events}); err != nil {
		return nil, true, fmt.Errorf("take out what was refused: %w", err)
	}
	if p.c.Touched != nil {
		p.c.Touched()
	}
	return swept, len(events) == sweepAtOnce, p.c.Store.AddCounts(ctx, p.c.Store.Withheld(swept))
}
