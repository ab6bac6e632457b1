package app

import (
	"context"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// Pages that show a customer are told when something happens there: when a record that points at the customer changes (tellWatchers), and when
// visits of the customer, or of a company's contacts, come or go on (watchVisits). Each process tells the pages that are connected to it.

const (
	watchEvery = 300 * time.Millisecond
	// watchOn is how long visits are looked at after events were loaded: they are made anew a moment later.
	watchOn = 3 * time.Second
	// watchParty is how long it is remembered who stands on a page.
	watchParty = 10 * time.Second
)

// watch is a customer on somebody's screen.
type watch struct {
	party  *timeline.Party
	since  time.Time // when the party was found
	stirs  map[id.ID]analytics.Stir
	looked bool
}

// watchVisits tells pages of visits.
func (w *workspace) watchVisits(ctx context.Context) error {
	watches, loads := map[string]*watch{}, analytics.NewEvents(w.adb, w.app.Clock)
	var at change.Position
	var until time.Time
	for {
		if err := sleep(ctx, watchEvery); err != nil {
			return err
		}
		shown := w.app.hub.Watched(w.info.Key)
		for k := range watches {
			if !slices.Contains(shown, k) {
				delete(watches, k)
			}
		}
		if len(shown) == 0 {
			continue
		}
		now := w.app.Clock.Now()
		loaded, _, err := loads.Loaded(ctx)
		if away(err) {
			continue
		}
		if err != nil {
			return err
		}
		if loaded != at {
			at, until = loaded, now.Add(watchOn)
		}
		if err := w.lookAt(ctx, watches, shown, now.Before(until)); err != nil && !away(err) {
			return err
		}
	}
}

// lookAt compares the visits of the customers that are shown with those of the last look, while events come in; busy says so. A page that was
// opened in that time is told once in any case: something may have come between its question and the first look.
func (w *workspace) lookAt(ctx context.Context, watches map[string]*watch, shown []string, busy bool) error {
	ctx, now := system(ctx), w.app.Clock.Now()
	var owners []id.ID
	for _, k := range shown {
		v := watches[k]
		if v != nil && v.looked && !busy {
			continue
		}
		if v == nil {
			v = &watch{}
			watches[k] = v
		}
		if v.party == nil || now.Sub(v.since) > watchParty {
			customer, err := id.Parse(w.registry().Object(query.Customer).Prefix, k)
			if err != nil {
				continue
			}
			if v.party, err = (behaviours{w}).Party(ctx, customer); err != nil {
				return err
			}
			v.since = now
		}
		owners = append(owners, v.party.Owners...)
	}
	if len(owners) == 0 {
		return nil
	}
	slices.Sort(owners)
	stirs, err := analytics.Stirred(ctx, w.adb, slices.Compact(owners))
	if err != nil {
		return err
	}
	for k, v := range watches {
		if v.party == nil || v.looked && !busy {
			continue
		}
		mine := map[id.ID]analytics.Stir{}
		for _, o := range v.party.Owners {
			mine[o] = stirs[o]
		}
		moved := slices.ContainsFunc(v.party.Owners, func(o id.ID) bool { return mine[o] != v.stirs[o] })
		if v.looked && moved || !v.looked && busy {
			w.tellPage(k)
		}
		v.stirs, v.looked = mine, true
	}
	return nil
}

func (w *workspace) tellPage(customer string) {
	w.app.hub.Publish(w.info.Key, api.Event{Kind: "profile", Object: query.Customer, ID: customer})
}

// tellWatchers tells pages of changes of records that point at the customer they show.
func (w *workspace) tellWatchers(ctx context.Context, rows []change.Row) error {
	shown := w.app.hub.Watched(w.info.Key)
	if len(shown) == 0 {
		return nil
	}
	changed, told := map[string][]id.ID{}, map[string]bool{}
	for i := range rows {
		r := &rows[i]
		obj := w.registry().Object(r.Object)
		switch {
		case obj == nil || obj.CustomerField == "":
		case r.Op == change.Delete || r.Op == change.Purge || r.Op == change.Erase: // whose it was is not asked any more
			for _, k := range shown {
				told[k] = true
			}
		default:
			changed[r.Object] = append(changed[r.Object], r.Record)
		}
	}
	prefix := w.registry().Object(query.Customer).Prefix
	for object, ids := range changed {
		field := w.registry().Object(object).CustomerField
		list, err := w.records.GetMany(system(ctx), object, ids, []string{field})
		if err != nil {
			return err
		}
		for _, r := range list {
			if v, ok := r.Values[field].(id.ID); ok {
				told[id.Format(prefix, v)] = true
			}
		}
	}
	for k := range told {
		if slices.Contains(shown, k) {
			w.tellPage(k)
		}
	}
	return nil
}
