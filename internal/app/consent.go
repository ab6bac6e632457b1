package app

import (
	"context"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	// consentStep is the consumer whose position says up to where the consent of events stands in the ledger.
	consentStep    = "consent"
	consentsAtOnce = 2000
	// consentLinks is the consumer that follows whose the profiles are.
	consentLinks = "consent_links"
	// consentEvery is how often states are looked at without being told.
	consentEvery = 5 * time.Second
)

// consents are the consents of a workspace with what carries them to the analytics plane.
type consents struct {
	*consent.Service
	store *sqlstore.Consents
	links consent.Links

	mu    sync.Mutex
	woken chan struct{}
}

func (c *consents) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.woken)
	c.woken = make(chan struct{})
}

func (c *consents) waits() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.woken
}

func (w *workspace) newConsents(keys *crypt.Keyring) {
	c := &consents{store: sqlstore.NewConsents(w.store), woken: make(chan struct{}), links: consent.Links{Workspace: w.info.Key, Sign: keys.Sign, Verify: keys.Verify}}
	c.Service = consent.New(consent.Config{Store: c.store, People: consentPeople{w}, Seal: consentNotes{keys}, Clock: w.app.Clock, IDs: w.app.ids, Confirm: w.confirmConsent,
		Changed: func() {
			c.wake()
			w.events.store.Wake()
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "privacy"})
		},
		PolicyChanged: func() {
			w.words.forget()
			c.wake()
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "privacy"})
		},
		Note: func(ctx context.Context, action string, customer id.ID, detail map[string]any) error {
			object := ""
			if customer != 0 {
				object = query.Customer
			}
			return w.app.auth.Note(ctx, w.info.Key, action, object, customer, detail)
		}})
	w.consents = c
	w.edge.Consents, w.edge.ConsentLinks = c.Service, c.links
	w.edge.ConsentContact = w.consentContact
	w.words.forget() // the traits of consents are there from now on
}

// consentNotes seals what people write beside a consent.
type consentNotes struct{ keys *crypt.Keyring }

func consentPlace() crypt.Place { return crypt.Place{Object: "consent", Field: "note"} }

// Seal implements consent.Sealer.
func (n consentNotes) Seal(text string) (string, error) { return n.keys.SealText(consentPlace(), text) }

// Open implements consent.Sealer.
func (n consentNotes) Open(sealed string) (string, error) {
	return n.keys.OpenText(consentPlace(), sealed)
}

// consentPeople implements consent.People.
type consentPeople struct{ w *workspace }

// Left implements consent.People. Whoever is in the bin or erased is only stored.
func (p consentPeople) Left(ctx context.Context, customers []id.ID) (map[id.ID]string, error) {
	list, err := p.w.records.GetMany(system(ctx), query.Customer, customers, []string{"do_not_contact", privacy.ProcessingField})
	if err != nil {
		return nil, err
	}
	out := make(map[id.ID]string, len(customers))
	for _, c := range customers {
		out[c] = consent.Restricted
	}
	for _, r := range list {
		delete(out, r.ID)
		if on, _ := r.Values["do_not_contact"].(bool); on {
			out[r.ID] = consent.NotToContact
		}
		if r.Values[privacy.ProcessingField] != nil {
			out[r.ID] = consent.Restricted
		}
	}
	return out, nil
}

// adult is the age from which people decide for themselves.
const adult = 14

// Minors implements consent.People. A birthday of the lunar calendar lies within two months behind the same numbers of the solar one: who may be a minor
// counts as one.
func (p consentPeople) Minors(ctx context.Context, customers []id.ID) (map[id.ID]bool, error) {
	list, err := p.w.records.GetMany(system(ctx), query.Customer, customers, []string{"birthday"})
	if err != nil {
		return nil, err
	}
	today := p.w.app.Clock.Now().In(p.w.zone)
	out := map[id.ID]bool{}
	for _, r := range list {
		b, ok := r.Values["birthday"].(schema.BirthdayValue)
		if !ok || b.Year == 0 {
			continue
		}
		turns := time.Date(b.Year+adult, time.Month(max(b.Month, 1)), max(b.Day, 1), 0, 0, 0, 0, p.w.zone)
		if b.Calendar != "solar" {
			turns = turns.AddDate(0, 2, 0)
		}
		out[r.ID] = today.Before(turns)
	}
	return out, nil
}

// See implements consent.People.
func (p consentPeople) See(ctx context.Context, customer id.ID, write bool) (id.ID, error) {
	r, err := p.w.records.Get(ctx, query.Customer, customer)
	if err != nil {
		return 0, err
	}
	if r.Values[privacy.ProcessingField] == privacy.ErasedState {
		return 0, fault.New(fault.NotFound, "record.not_found", nil)
	}
	if !write {
		return r.ID, nil
	}
	reached, err := p.w.records.Reached(ctx, query.Customer, []id.ID{r.ID}, access.Update)
	if err == nil && !reached[r.ID] {
		err = fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.RecordUpdate)})
	}
	return r.ID, err
}

// Reach implements consent.People.
func (p consentPeople) Reach(ctx context.Context, customers []id.ID) (map[id.ID]bool, error) {
	reached, err := p.w.records.Reached(ctx, query.Customer, customers, access.Update)
	if err != nil {
		return nil, err
	}
	left, err := p.Left(ctx, customers)
	for v, why := range left {
		if why == consent.Restricted {
			delete(reached, v)
		}
	}
	return reached, err
}

// consentContact is what the page of preferences shows of a customer, masked.
func (w *workspace) consentContact(ctx context.Context, customer id.ID) (map[string]string, error) {
	ctx = system(ctx)
	out := map[string]string{}
	obj := w.registry().Object(query.Customer)
	for _, field := range []string{"email", "phone"} {
		f := obj.Field(field)
		if f == nil {
			continue
		}
		got, err := w.records.PlainValue(ctx, query.Customer, field, []id.ID{customer})
		if err != nil {
			return nil, err
		}
		if text, ok := got[customer].(string); ok && text != "" {
			if out[field] = schema.Mask(f, text, w.records.Env(ctx)); field == "email" {
				out[field] = mail.Mask(text)
			}
		}
	}
	return out, nil
}

// confirmConsent mails the link that confirms a consent.
func (w *workspace) confirmConsent(ctx context.Context, e consent.Entry) (bool, error) {
	ctx = system(ctx)
	ready, err := office{w}.Reachable(ctx)
	if err != nil || !ready {
		return false, err
	}
	origin, err := office{w}.Address(ctx)
	if err != nil {
		return false, err
	}
	got, err := w.records.PlainValue(ctx, query.Customer, "email", []id.ID{e.Subject})
	if err != nil {
		return false, err
	}
	address, _ := got[e.Subject].(string)
	if address == "" {
		return false, nil
	}
	pol, _, err := w.consents.store.Policy(ctx)
	if err != nil {
		return false, err
	}
	if len(pol.Purposes) == 0 {
		pol = consent.Defaults()
	}
	loc := lang.Locale(w.info.Locale)
	p, _ := pol.Find(e.Purpose)
	say := func(part string) string {
		return w.app.words.Text(loc, "consent.mail_"+part, map[string]any{"workspace": w.info.Name, "purpose": p.Label.In(loc)})
	}
	letter := mail.Letter{Locale: w.info.Locale, Workspace: w.info.Name, Title: say("title"), Paragraphs: []string{say("text")}, Button: mail.Link{Label: say("button"), URL: origin + "/p/confirm#" + w.consents.links.Confirm(e.ID, w.app.Clock.Now())},
		Small: []string{say("small")}}
	_, err = w.post.Enqueue(ctx, letter.Message(mail.Message{Key: "consent:" + id.Format(consent.EntryPrefix, e.ID), Kind: "consent", To: mail.Address{Email: address}, Subject: letter.Title,
		About: mail.About{Object: query.Customer, Record: e.Subject}}))
	if code := fault.CodeOf(err); code == "mail.address_stopped" || code == "mail.bad_address" {
		return false, nil
	}
	return err == nil, err
}

// takeConsents is the step that reads the consent of events into the ledger, and follows whose the profiles are. What it writes can be written
// again; its positions move when all of it is there.
func (w *workspace) takeConsents(ctx context.Context) (int, error) {
	n, err := w.readConsents(system(ctx))
	if err != nil {
		return 0, err
	}
	m, err := w.joinConsents(system(ctx))
	return n + m, err
}

func (w *workspace) readConsents(ctx context.Context) (int, error) {
	s := w.events.store
	at, err := s.Position(ctx, consentStep)
	if err != nil {
		return 0, err
	}
	resolved, err := s.Position(ctx, eventstore.Resolved)
	if err != nil || !at.Less(resolved) {
		return 0, err
	}
	batch, err := s.Until(ctx, at, resolved, consentsAtOnce)
	if err != nil {
		return 0, err
	}
	upTo := resolved // where nothing is left to read, what was there has gone on
	if n := len(batch); n > 0 {
		upTo = eventstore.PositionOf(&batch[n-1])
		if err := w.refusing(ctx, batch); err != nil {
			return 0, err
		}
		claims, err := w.claimedConsents(ctx, batch)
		if err != nil {
			return 0, err
		}
		if err := w.consents.Take(ctx, batch, claims); err != nil {
			return 0, err
		}
	}
	return len(batch), w.advanceConsents(ctx, consentStep, upTo)
}

// refusing finds whose the events are that refuse to be analysed. They got no profile, so that nobody is analysed by them; the refusal itself counts for
// whoever is known by their user id or browser already.
func (w *workspace) refusing(ctx context.Context, batch []event.Event) error {
	names := map[string][]string{}
	for i := range batch {
		if ev := &batch[i]; ev.Flags.Has(event.NoConsent) {
			for namespace, value := range map[string]string{identity.UserID: ev.UserID, identity.AnonymousID: ev.AnonymousID} {
				if value != "" {
					names[namespace] = append(names[namespace], value)
				}
			}
		}
	}
	known := map[[2]string]id.ID{}
	err := w.events.store.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		for namespace, values := range names {
			found, err := eventstore.NewLedger(c).Find(ctx, namespace, values)
			if err != nil {
				return err
			}
			for _, x := range found {
				known[[2]string{namespace, x.Value}] = x.Profile
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range batch {
		ev := &batch[i]
		if !ev.Flags.Has(event.NoConsent) {
			continue
		}
		ev.Profile = known[[2]string{identity.UserID, ev.UserID}]
		if ev.Profile == 0 {
			ev.Profile = known[[2]string{identity.AnonymousID, ev.AnonymousID}]
		}
	}
	return nil
}

func (w *workspace) advanceConsents(ctx context.Context, consumer string, p change.Position) error {
	s := w.events.store
	return s.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error { return s.Advance(ctx, c, consumer, p) })
}

func (w *workspace) joinConsents(ctx context.Context) (int, error) {
	s := w.events.store
	at, err := s.Position(ctx, consentLinks)
	if err != nil {
		return 0, err
	}
	var edges []consent.Edge
	upTo := at
	err = s.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		list, err := eventstore.Mappings(ctx, c, at.Seq, consentsAtOnce)
		edges, upTo = nil, at
		for _, m := range list {
			edges, upTo.Seq = append(edges, consent.Edge{Member: m.Profile, Parent: m.Subject}), m.Seq
		}
		return err
	})
	if err != nil || len(edges) == 0 {
		return 0, err
	}
	if err := w.consents.Link(ctx, edges); err != nil {
		return 0, err
	}
	return len(edges), w.advanceConsents(ctx, consentLinks, upTo)
}

// followConsents carries states to the analytics plane and notes which consents ran out, until the context ends.
func (w *workspace) followConsents(ctx context.Context) error {
	ctx = system(ctx)
	plane := analytics.NewConsents(w.adb)
	for ctx.Err() == nil {
		woken := w.consents.waits()
		did, err := w.consents.Expire(ctx)
		if err != nil {
			return err
		}
		more, err := w.carryConsents(ctx, plane)
		if err != nil && !away(err) {
			return err
		}
		if did+more > 0 {
			continue
		}
		if err := clock.Pause(ctx, consentEvery, woken); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w *workspace) carryConsents(ctx context.Context, plane *analytics.Consents) (int, error) {
	at, err := plane.At(ctx)
	if err != nil {
		return 0, err
	}
	head, err := w.consents.store.Head(ctx)
	if err != nil {
		return 0, err
	}
	if at > head { // the records are those of an earlier day
		return 1, plane.Clear(ctx)
	}
	if at == head {
		return 0, nil
	}
	customers, states, upTo, err := w.consents.store.Changed(ctx, at, consentsAtOnce)
	if err != nil {
		return 0, err
	}
	pol, found, err := w.consents.store.Policy(ctx)
	if err != nil {
		return 0, err
	}
	if !found {
		pol = consent.Defaults()
	}
	if upTo == at {
		upTo = head
	}
	values := make(map[id.ID]map[string]string, len(customers))
	now := w.app.Clock.Now()
	for _, st := range states {
		p, ok := pol.Find(st.Purpose)
		if !ok {
			continue
		}
		if values[st.Subject] == nil {
			values[st.Subject] = map[string]string{}
		}
		values[st.Subject][analytics.ConsentColumn(p.Place, st.Channel)] = string(st.Ended(now))
	}
	if err := plane.Load(ctx, customers, values, upTo, now.UnixMilli()); err != nil {
		return 0, err
	}
	if len(customers) > 0 {
		w.traits.Notify()
	}
	return 1, nil
}

// consentTraits are the states of consents as traits, one for each purpose and channel.
func (w *workspace) consentTraits(ctx context.Context) ([]trait.Def, error) {
	if w.consents == nil { // while the workspace opens
		return nil, nil
	}
	pol, found, err := w.consents.store.Policy(ctx)
	if err != nil {
		return nil, err
	}
	if !found {
		pol = consent.Defaults()
	}
	var out []trait.Def
	for _, p := range pol.Purposes {
		for _, c := range p.Channels {
			name := schema.Label{}
			def := trait.Def{Group: "consent", Type: schema.Choice, Table: analytics.FamilyConsent, Column: analytics.ConsentColumn(p.Place, c), Definition: schema.Label{}, Explain: schema.Label{}, Absent: schema.Label{}}
			for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
				say := func(part string, params map[string]any) string { return w.app.words.Text(loc, "consent."+part, params) }
				what := p.Label.In(loc)
				if c != consent.Any {
					what = say("trait_place", map[string]any{"purpose": what, "channel": say("channel_"+string(c), nil)})
				}
				name[loc] = say("trait_label", map[string]any{"what": what})
				def.Definition[loc], def.Explain[loc], def.Absent[loc] = say("trait_definition", map[string]any{"what": what}), say("trait_explain", map[string]any{"what": what, "value": "{value}"}), say("trait_absent", map[string]any{"what": what})
			}
			def.Key, def.Label = consent.TraitKey(p.Key, c), name
			for _, st := range []consent.State{consent.Given, consent.Withdrawn, consent.Expired, consent.Pending} {
				o := schema.Option{Key: string(st), Label: schema.Label{}}
				for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
					o.Label[loc] = w.app.words.Text(loc, "consent.state_"+string(st), nil)
				}
				def.Options = append(def.Options, o)
			}
			out = append(out, def)
		}
	}
	return out, nil
}

// mailConsent asks whether a mail for a purpose may go to a customer; 0 has nobody who could have agreed.
func (w *workspace) mailConsent(ctx context.Context, customer id.ID, purpose string) error {
	if customer == 0 {
		return fault.New(fault.Conflict, "letter.no_consent", nil)
	}
	got, err := w.consents.Allowed(ctx, []id.ID{customer}, purpose, consent.Email)
	if err != nil {
		return err
	}
	switch a := got[customer]; {
	case a.OK:
		return nil
	case a.Why == consent.NotToContact || a.Why == consent.Restricted:
		return fault.New(fault.Conflict, "letter.quiet", nil)
	}
	return fault.New(fault.Conflict, "letter.no_consent", nil)
}

// mailFoot is the end of a mail for a purpose: where its reader says what they want, and the address that one click calls. Both are "" while nobody
// said where the site is.
func (w *workspace) mailFoot(ctx context.Context, customer id.ID, purpose, locale string) (foot, stop string, err error) {
	if customer == 0 {
		return "", "", nil
	}
	origin, err := office{w}.Address(ctx)
	if err != nil || origin == "" {
		return "", "", err
	}
	token := w.consents.links.Page(customer, consent.Place{Purpose: purpose, Channel: consent.Email}, w.app.Clock.Now())
	if locale == "" {
		locale = w.info.Locale
	}
	return w.app.words.Text(lang.Locale(locale), "consent.mail_foot", map[string]any{"link": origin + "/p#" + token}), origin + "/api/v1/consents/stop/" + token, nil
}

// letterConsent is what letters ask before they go out.
func (w *workspace) letterConsent(ctx context.Context, object string, rec id.ID, purpose string) error {
	if purpose == "" {
		return nil
	}
	customer, err := w.customerOf(ctx, object, rec)
	if err != nil {
		return err
	}
	return w.mailConsent(ctx, customer, purpose)
}

// letterFoot is the end of letters for a purpose.
func (w *workspace) letterFoot(ctx context.Context, object string, rec id.ID, purpose, locale string) (foot, stop string, err error) {
	if purpose == "" {
		return "", "", nil
	}
	customer, err := w.customerOf(ctx, object, rec)
	if err != nil {
		return "", "", err
	}
	return w.mailFoot(ctx, customer, purpose, locale)
}

// customerOf is the customer that a record is or belongs to, 0 for none.
func (w *workspace) customerOf(ctx context.Context, object string, rec id.ID) (id.ID, error) {
	if object == query.Customer {
		return rec, nil
	}
	obj := w.registry().Object(object)
	if obj == nil || obj.CustomerField == "" {
		return 0, nil
	}
	r, err := w.records.Get(system(ctx), object, rec)
	if err != nil {
		return 0, err
	}
	v, _ := r.Values[obj.CustomerField].(id.ID)
	return v, nil
}

// Consents implements privacy.Outside: what stays is the proof without the person.
func (o outside) ForgetConsents(ctx context.Context, customers []id.ID, erasure id.ID) (int64, error) {
	return o.w.consents.Erase(system(ctx), customers, erasure, func(v id.ID) string { return o.keys.Suppression("consent", id.Format("cus", v)) })
}

// Marketed implements privacy.Gather.
func (g gatherer) Marketed(ctx context.Context, customers []id.ID) ([]privacy.Marketed, error) {
	return sqlstore.Privacy{Store: g.w.store}.Marketed(ctx, customers, gatherAtMost)
}

// Consented implements privacy.Gather.
func (g gatherer) Consented(ctx context.Context, customer id.ID) ([]privacy.Consented, error) {
	list, err := g.w.consents.Told(ctx, customer, 0, gatherAtMost)
	if err != nil {
		return nil, err
	}
	words, err := g.w.consents.store.Wordings(ctx)
	if err != nil {
		return nil, err
	}
	var out []privacy.Consented
	for i := range list {
		e := &list[i]
		c := privacy.Consented{At: e.At, Purpose: e.Purpose, Channel: string(e.Channel), State: string(e.State), Source: string(e.Source), Page: e.Page, Note: e.Note}
		for _, v := range words {
			if v.ID == e.Wording {
				c.Wording, c.Text = v.Number, v.Text
			}
		}
		out = append(out, c)
	}
	return out, nil
}
