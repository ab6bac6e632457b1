package app

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	door "github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// interactions are what customers do off the web, as people record it and read it.
type interactions struct{ w *workspace }

var _ api.InteractionService = interactions{}

// handKey is the setting that names the source of what people record by hand.
const handKey = "hand_source"

// Hand implements api.InteractionService.
func (i interactions) Hand(ctx context.Context) (own id.ID, err error) {
	_, err = i.w.store.Setting(ctx, handKey, &own)
	return own, err
}

// source is the source of what is recorded by hand; it is made when somebody records something first, without a key: nothing else comes by it.
func (i interactions) source(ctx context.Context) (id.ID, error) {
	w := i.w
	own, err := i.Hand(ctx)
	if err != nil {
		return 0, err
	}
	list, err := w.app.instance.Sources(ctx, w.info.Key)
	if err != nil || slices.ContainsFunc(list, func(s door.Source) bool { return s.ID == own }) {
		return own, err
	}
	now := w.app.Clock.Now()
	s := door.Source{ID: w.app.ids.Next(), Workspace: w.info.Key, Name: w.app.words.Text(lang.Locale(w.info.Locale), "interaction.source", nil), Type: door.Server, Enabled: true,
		Settings: door.Settings{Origins: []string{}}, Version: 1, CreatedAt: now, UpdatedAt: now}
	if err := w.app.instance.CreateSource(ctx, s); err != nil {
		return 0, err
	}
	return s.ID, w.store.SetSetting(ctx, handKey, s.ID)
}

// earliest is the first day on which something can have happened that is recorded by hand.
const earliest = 2000

// Record implements api.InteractionService.
func (i interactions) Record(ctx context.Context, customer id.ID, d api.InteractionDraft) (id.ID, error) {
	w := i.w
	now := w.app.Clock.Now()
	if d.At.IsZero() {
		d.At = now
	}
	if d.At.After(now.Add(time.Minute)) || d.At.Year() < earliest {
		return 0, fault.InvalidField("interaction.bad_time", "at", nil)
	}
	properties, err := i.properties(ctx, &d)
	if err != nil {
		return 0, err
	}
	raw, err := json.Marshal(properties)
	if err != nil {
		return 0, err
	}
	about, err := json.Marshal(map[string]any{"recorded_by": id.Format("usr", access.From(ctx).ID)})
	if err != nil {
		return 0, err
	}
	ctx = system(ctx)
	source, err := i.source(ctx)
	if err != nil {
		return 0, err
	}
	profile, fresh, err := i.profile(ctx, customer, now.UnixMilli())
	if err != nil {
		return 0, err
	}
	events := []event.Event{{Source: source, Kind: event.Track, Name: d.Name, At: min(d.At.UnixMilli(), now.UnixMilli()), Day: clock.DayOf(d.At, w.zone), ReceivedAt: now.UnixMilli(), OriginalAt: d.At.UnixMilli(),
		MessageID: "hand-" + id.Format(api.InteractionPrefix, w.app.ids.Next()), AnonymousID: "", Properties: raw, Context: about, Profile: profile}}
	err = w.events.store.Adopt(ctx, events, nil, func(ctx context.Context, c sqlstore.Conn) error {
		if fresh == nil {
			return nil
		}
		return eventstore.NewLedger(c).Save(ctx, fresh)
	})
	if err != nil {
		return 0, err
	}
	err = w.events.store.AddCounts(ctx, []event.Count{{Source: source, Day: now.UnixMilli() / (24 * time.Hour).Milliseconds(), Accepted: 1, LastAt: now.UnixMilli()}})
	if err != nil {
		return 0, err
	}
	w.moveInfluence()
	return events[0].ID, i.shown(ctx)
}

// shownTries bounds how long somebody waits for what was recorded to be seen.
const (
	shownTries = 60
	shownPause = 25 * time.Millisecond
)

// shown waits a moment until what was accepted is analysed: who records something looks at it next.
func (i interactions) shown(ctx context.Context) error {
	f := i.w.events
	head, err := f.store.Head(ctx)
	if err != nil {
		return err
	}
	for range shownTries {
		at, err := f.plane.Passed(ctx)
		if err != nil || !at.Less(head) {
			return nil //nolint:nilerr // it is recorded; the rest comes by itself
		}
		if err := sleep(ctx, shownPause); err != nil {
			return nil //nolint:nilerr // as above
		}
	}
	return nil
}

// properties are those of an event as other doors would bring it.
func (i interactions) properties(ctx context.Context, d *api.InteractionDraft) (map[string]any, error) {
	w := i.w
	out := map[string]any{}
	put := func(key, value string) {
		if value != "" {
			out[key] = value
		}
	}
	put("platform", d.Platform)
	if d.Content != 0 {
		r, err := w.records.Get(ctx, contentObject, d.Content)
		if err != nil {
			return nil, err
		}
		external, _ := r.Values["external_id"].(string)
		if external == "" {
			return nil, fault.InvalidField("interaction.content_unnamed", "content", nil)
		}
		put("content_id", external)
		put("content_title", r.Title)
		if v, ok := r.Values["platform"].(string); ok {
			out["platform"] = v
		}
	}
	for _, x := range []struct {
		object, key, code string
		id                id.ID
	}{{"store", "store_id", "store", d.Store}, {"product", "product_id", "product", d.Product}} {
		if x.id == 0 {
			continue
		}
		r, err := w.records.Get(ctx, x.object, x.id)
		if err != nil {
			return nil, err
		}
		code, _ := r.Values["code"].(string)
		put(x.key, cmp.Or(code, id.Format(w.registry().Object(x.object).Prefix, x.id)))
		put(x.code+"_name", r.Title)
	}
	put("direction", d.Direction)
	if d.Minutes > 0 {
		out["minutes"] = d.Minutes
	}
	if d.Rating > 0 {
		out["rating"] = d.Rating
	}
	put(api.InteractionText(d.Name), strings.TrimSpace(d.Text))
	return out, nil
}

// profile is the profile that stands for a customer: one that leads to the customer by itself, or one that is to be made.
func (i interactions) profile(ctx context.Context, customer id.ID, at int64) (own id.ID, fresh *identity.Changes, err error) {
	err = i.w.events.store.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		l := eventstore.NewLedger(c)
		owned, err := l.Owned(ctx, []id.ID{customer})
		if err != nil || len(owned) == 0 {
			return err
		}
		trees, err := l.Trees(ctx, owned)
		for t := range trees {
			for _, p := range trees[t].Profiles {
				if p.ID == p.Root && p.Customer == customer && (own == 0 || p.ID < own) {
					own = p.ID
				}
			}
		}
		return err
	})
	if err != nil || own != 0 {
		return own, nil, err
	}
	p := identity.Profile{ID: i.w.app.ids.Next(), CreatedAt: at, Customer: customer}
	p.Root = p.ID
	return p.ID, &identity.Changes{Profiles: []identity.Profile{p}, Mappings: []identity.Mapping{{Profile: p.ID, Subject: customer}}}, nil
}

const interactionsAtOnce = 30

// Of implements api.InteractionService.
func (i interactions) Of(ctx context.Context, customer id.ID, before string) (list []social.Interaction, next string, err error) {
	at, err := behindOf(before)
	if err != nil {
		return nil, "", err
	}
	list, err = analytics.Elsewhere(ctx, i.w.gate, []id.ID{customer}, at, interactionsAtOnce+1)
	if err != nil {
		if away(err) {
			err = nil
		}
		return nil, "", err
	}
	if len(list) > interactionsAtOnce {
		list = list[:interactionsAtOnce]
		next = cursorOf(list[interactionsAtOnce-1].At.UnixMilli(), list[interactionsAtOnce-1].ID)
	}
	return list, next, nil
}

// TakeBack implements api.InteractionService.
func (i interactions) TakeBack(ctx context.Context, customer, what id.ID) (string, error) {
	w := i.w
	ctx = system(ctx)
	if err := w.events.settle(ctx); err != nil {
		return "", err
	}
	v, ok, err := analytics.EventOf(ctx, w.gate, customer, what)
	if err != nil {
		return "", err
	}
	hand, err := i.Hand(ctx)
	if err != nil {
		return "", err
	}
	switch {
	case !ok:
		return "", fault.New(fault.NotFound, "interaction.not_found", nil)
	case v.Source != hand:
		return "", fault.New(fault.Conflict, "interaction.not_by_hand", nil)
	}
	if err := w.events.store.ForgetRecent(ctx, []id.ID{what}); err != nil {
		return "", err
	}
	if _, err := w.events.plane.Remove(ctx, []id.ID{what}); err != nil {
		return "", err
	}
	if err := w.dropFeedback(ctx, what); err != nil {
		return "", err
	}
	w.moveInfluence()
	return v.Name, nil
}

// Sharers implements api.InteractionService: the ids of the customers with most influence, of those whom the caller sees.
func (i interactions) Sharers(ctx context.Context, limits *query.Limits, limit int) ([]id.ID, error) {
	page, err := lister{i.w.audience}.List(ctx, api.AnalyticQuery{Object: query.Customer, Where: &query.Node{Trait: "influence", Op: ">", Value: []byte("0")}, Sort: []schema.Sort{{Trait: "influence", Desc: true}}, Limit: limit, Limits: limits})
	if away(err) {
		err = nil
	}
	return page.IDs, err
}
