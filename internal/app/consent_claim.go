package app

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/eventplane"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// A write key that stands in a page is everybody's: who sends by it can say to be any customer. So what such an event says is said by its browser, which
// counts for whoever visits, and of a customer only where a source with a secret key named the browser and the user id in one event: that is proof of the
// first person so named, and of nobody else. The browser's own behaviour is left out at once when it refuses that. A refusal in the name of a customer to
// whom the browser is not proven to belong waits for somebody to decide. Where no source has a secret key nothing could ever be proven: there a refusal
// counts for whom it names, the stricter word.

// secretSources are the sources whose keys are known to servers alone. That of our own forms names no browser, so that it proves nothing.
func (w *workspace) secretSources(ctx context.Context) (map[id.ID]bool, error) {
	list, err := w.app.instance.Sources(ctx, w.info.Key)
	if err != nil {
		return nil, err
	}
	forms, err := formTeller{w}.known(ctx)
	out := map[id.ID]bool{}
	for i := range list {
		if !list[i].Public() && list[i].ID != forms {
			out[list[i].ID] = true
		}
	}
	return out, err
}

// claimedConsents are the events that anybody could have sent, with who did.
func (w *workspace) claimedConsents(ctx context.Context, batch []event.Event) (map[id.ID]consent.Sender, error) {
	secret, err := w.secretSources(ctx)
	if err != nil {
		return nil, err
	}
	var claiming, proving []*event.Event
	names := map[string]bool{}
	for i := range batch {
		ev := &batch[i]
		switch {
		case !secret[ev.Source] && !ev.Flags.Has(event.Historic) && bytes.Contains(ev.Context, []byte(`"categoryPreferences"`)):
			claiming = append(claiming, ev)
		case secret[ev.Source] && ev.UserID != "" && ev.AnonymousID != "" && ev.Profile != 0 && !ev.Flags.Has(event.NoConsent):
			proving = append(proving, ev)
		default:
			continue
		}
		names[ev.AnonymousID] = true
	}
	if len(claiming)+len(proving) == 0 {
		return nil, nil //nolint:nilnil // nobody claims anything
	}
	browsers, err := w.browsers(ctx, names)
	if err != nil {
		return nil, err
	}
	links, err := w.joinBrowsers(ctx, browsers, claiming, proving)
	if err != nil {
		return nil, err
	}
	subjects := make([]id.ID, 0, 2*len(claiming))
	for _, ev := range claiming {
		subjects = append(subjects, browsers[ev.AnonymousID], ev.Profile)
	}
	roots, err := w.consents.store.Roots(ctx, subjects)
	if err != nil {
		return nil, err
	}
	claims := make(map[id.ID]consent.Sender, len(claiming))
	for _, ev := range claiming {
		b := browsers[ev.AnonymousID]
		own := b != 0 && ev.Profile != 0 && roots[b] == roots[ev.Profile]
		claims[ev.ID] = consent.Sender{Browser: b, Own: own, Taken: !own && links[b].Proven && ev.UserID != "", Heard: len(secret) == 0}
	}
	return claims, nil
}

// joinBrowsers joins browsers to whoever the first event of each says it is, and once and for all to whom a secret key says first.
func (w *workspace) joinBrowsers(ctx context.Context, browsers map[string]id.ID, claiming, proving []*event.Event) (map[id.ID]consent.Edge, error) {
	all := make([]id.ID, 0, len(browsers))
	for _, b := range browsers {
		all = append(all, b)
	}
	links, err := w.consents.store.Links(ctx, all)
	if err != nil {
		return nil, err
	}
	var edges []consent.Edge
	join := func(ev *event.Event, proven bool) {
		b := browsers[ev.AnonymousID]
		if e, known := links[b]; b == 0 || ev.Profile == 0 || e.Proven || known && !proven {
			return
		}
		links[b] = consent.Edge{Member: b, Parent: ev.Profile, Proven: proven}
		edges = append(edges, links[b])
	}
	for _, ev := range proving {
		join(ev, true)
	}
	for _, ev := range claiming {
		join(ev, false)
	}
	return links, w.consents.Link(ctx, edges)
}

// browsers are the subjects that stand for anonymous ids: the ids of these identifiers.
func (w *workspace) browsers(ctx context.Context, names map[string]bool) (map[string]id.ID, error) {
	delete(names, "")
	found, err := w.identifiers(ctx, map[string]map[string]bool{identity.AnonymousID: names})
	out := make(map[string]id.ID, len(found))
	for key, x := range found {
		out[key[1]] = x.ID
	}
	return out, err
}

// identifiers are those that are known, by namespace and value.
func (w *workspace) identifiers(ctx context.Context, names map[string]map[string]bool) (out map[[2]string]identity.Identifier, err error) {
	out = map[[2]string]identity.Identifier{}
	err = w.events.store.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		out, err = identifiersIn(ctx, c, names)
		return err
	})
	return out, err
}

func identifiersIn(ctx context.Context, c sqlstore.Conn, names map[string]map[string]bool) (map[[2]string]identity.Identifier, error) {
	out := map[[2]string]identity.Identifier{}
	for namespace, values := range names {
		list := make([]string, 0, len(values))
		for v := range values {
			list = append(list, v)
		}
		if len(list) == 0 {
			continue
		}
		found, err := eventstore.NewLedger(c).Find(ctx, namespace, list)
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			out[[2]string{namespace, x.Value}] = x
		}
	}
	return out, nil
}

// withholder finds what is not to be analysed.
type withholder struct {
	w      *workspace
	orders map[string]bool
	speaks func(*event.Event) (agrees, speaks bool)
}

// acts reports behaviour. Orders become orders all the same, and lose their person where they are loaded; who somebody is is no behaviour.
func (h *withholder) acts(ev *event.Event) bool {
	return !ev.Flags.Has(event.NoConsent) && eventplane.Behaviour(ev) && !(ev.Kind == event.Track && h.orders[ev.Name])
}

// refuses reports that an event says itself that it is not to be analysed.
func (h *withholder) refuses(ev *event.Event) bool {
	agrees, speaks := h.speaks(ev)
	return speaks && !agrees
}

// withhold finds what customers, visitors and browsers did while they refused to be analysed, before it gets a profile: it is counted without a person. What
// agrees or refuses by itself is judged there too, when the ledger has it.
func (h *withholder) withhold(ctx context.Context, c sqlstore.Conn, batch []event.Event) error {
	names := map[string]map[string]bool{identity.UserID: {}, identity.AnonymousID: {}}
	for i := range batch {
		if ev := &batch[i]; h.acts(ev) {
			names[identity.UserID][ev.UserID], names[identity.AnonymousID][ev.AnonymousID] = true, true
		}
	}
	for _, values := range names {
		delete(values, "")
	}
	known, err := identifiersIn(ctx, c, names)
	if err != nil || len(known) == 0 {
		return err
	}
	var profiles, subjects []id.ID
	for key, x := range known {
		profiles = append(profiles, x.Profile)
		if key[0] == identity.AnonymousID {
			subjects = append(subjects, x.ID)
		}
	}
	slices.Sort(profiles)
	profiles = slices.Compact(profiles)
	owners, err := eventstore.Owners(ctx, c, profiles)
	if err != nil {
		return err
	}
	subjects = append(subjects, profiles...)
	for _, o := range owners {
		subjects = append(subjects, o)
	}
	refused, err := h.w.consents.store.Refusals(ctx, subjects)
	if err != nil {
		return err
	}
	var secret map[id.ID]bool
	if len(refused) > 0 {
		if secret, err = h.w.secretSources(ctx); err != nil {
			return err
		}
	}
	var list []*event.Event
	agreed := map[id.ID]int64{} // since when, by this batch
	for i := range batch {
		ev := &batch[i]
		browser := known[[2]string{identity.AnonymousID, ev.AnonymousID}]
		x, ok := known[[2]string{identity.UserID, ev.UserID}]
		if !ok {
			x = browser
		}
		if x.ID == 0 {
			continue
		}
		who := cmp.Or(owners[x.Profile], x.Profile)
		if h.refuses(ev) {
			if h.acts(ev) {
				list = append(list, ev)
			}
			continue
		}
		out := false
		for _, subject := range []id.ID{who, browser.ID} {
			if subject == 0 || !consent.Refused(refused[subject], ev.At) {
				continue
			}
			if agrees, _ := h.speaks(ev); agrees && (secret[ev.Source] || subject == browser.ID || !ok) {
				agreed[subject] = ev.At
			}
			since, ended := agreed[subject]
			out = out || !ended || ev.At < since
		}
		if out && h.acts(ev) {
			list = append(list, ev)
		}
	}
	return h.w.events.store.Withhold(ctx, c, list)
}

// refusalsAtOnce is how many refusals are looked through together.
const refusalsAtOnce = 200

// sweepRefusals is the step that takes out of analysis what was loaded before it was known that it had been refused.
func (w *workspace) sweepRefusals(ctx context.Context) (int, error) {
	list, err := w.consents.store.Unswept(ctx, refusalsAtOnce)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	refusals := make([]consent.Refusal, len(list))
	for i := range list {
		refusals[i] = list[i].Refusal
	}
	swept, more, err := w.events.plane.Sweep(ctx, refusals)
	if err != nil {
		return 0, err
	}
	if len(swept) > 0 {
		w.moveInfluence()
		w.app.Log.Info("what was refused was taken out of analysis", "workspace", w.info.Key, "sources", len(swept))
	}
	if more {
		return len(swept), nil
	}
	return len(list), w.consents.store.Swept(ctx, list)
}
