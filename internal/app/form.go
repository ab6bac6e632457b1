package app

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	door "github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/customer/person"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/edge/landing"
	"github.com/guanxi-crm/guanxi/internal/engage/form"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newForms makes the forms by which people become customers. Offers, mails and events must be there.
func (w *workspace) newForms(keys *crypt.Keyring) {
	a := w.app
	w.edge.Forms = form.New(form.Config{Store: sqlstore.NewForms(w.store), Costs: sqlstore.NewForms(w.store), Acquired: acquired{w}, People: formPeople{w}, Consents: formConsents{w}, Gifts: formGifts{w}, Teller: formTeller{w}, Clock: a.Clock, Zone: w.zoneOf, IDs: a.ids, Log: a.Log,
		Sign: keys.Sign, Verify: keys.Verify,
		Note: func(ctx context.Context, action string, key id.ID, detail map[string]any) error {
			return a.auth.Note(ctx, w.info.Key, action, "form", key, detail)
		},
		Changed: func(key id.ID) {
			a.hub.Publish(w.info.Key, api.Event{Kind: "form", ID: id.Format(form.Prefix, key)})
		}})
}

// newLanding makes the public pages of forms.
func (a *App) newLanding(address, base func(*http.Request) string) http.Handler {
	c := landing.Config{Backend: publicForms{a}, Words: a.words, Clock: a.Clock, Log: a.Log, Address: address, Base: base}
	if r := a.Rates.Anonymous; r.PerSecond > 0 { // where anybody may ask more, forms take more
		c.Sends = rate.Limit(r.PerSecond / formShare)
	}
	return landing.New(c)
}

// formShare is how many requests without an account stand against one form that is sent.
const formShare = 10

// publicForms implements landing.Backend.
type publicForms struct{ app *App }

// Room implements landing.Backend.
func (p publicForms) Room(ctx context.Context, workspace string) (landing.Room, error) {
	w, err := p.app.workspace(ctx, workspace)
	if err != nil {
		return landing.Room{}, err
	}
	return landing.Room{Name: w.info.Name, Locale: w.info.Locale, Forms: w.edge.Forms}, nil
}

// formPeople implements form.People.
type formPeople struct{ w *workspace }

// askable are the types of fields that a page without a script can ask for.
var askable = []schema.Type{schema.Text, schema.LongText, schema.Phone, schema.Email, schema.URL, schema.Number, schema.Date, schema.Birthday, schema.Choice, schema.MultiChoice, schema.Bool}

// unasked are fields that say something of us, not of the person.
var unasked = []string{"source", "do_not_contact", "acquired_on", "note", privacy.ProcessingField}

// Inputs implements form.People.
func (p formPeople) Inputs() []form.Input {
	obj := p.w.registry().Object(query.Customer)
	var out []form.Input
	for _, f := range obj.Fields {
		if f.Unique || !person.Writable(f) || schema.System(f.Key) == f || !slices.Contains(askable, f.Type) || slices.Contains(unasked, f.Key) {
			continue
		}
		in := form.Input{Key: f.Key, Type: f.Type, Label: f.Label, Help: f.Help, Personal: f.Personal, Needed: f.Required && f.Default == nil && f.Key != "name", Max: f.MaxLength}
		for _, o := range f.Options {
			if !o.Archived {
				in.Options = append(in.Options, o)
			}
		}
		out = append(out, in)
	}
	return out
}

// Read implements form.People.
func (p formPeople) Read(ctx context.Context, written map[string][]string) (values map[string]any, bad map[string]error) {
	obj, env := p.w.registry().Object(query.Customer), p.w.records.Env(ctx)
	values, bad = map[string]any{}, map[string]error{}
	for key, list := range written {
		f := obj.Field(key)
		if f == nil {
			continue
		}
		var v any
		var wrong *fault.Fault
		switch f.Type {
		case schema.MultiChoice:
			all := []any{}
			for _, x := range list {
				if x != "" {
					all = append(all, x)
				}
			}
			if len(all) > 0 {
				v, wrong = schema.ParseJSON(f, all, env)
			}
		case schema.Bool:
			v = true
		case schema.Choice:
			if list[0] != "" {
				v, wrong = schema.ParseJSON(f, list[0], env)
			}
		default:
			v, wrong = schema.ParseText(f, list[0], env)
			if text, ok := v.(string); ok && f.MaxLength > 0 && len([]rune(text)) > f.MaxLength {
				wrong = fault.New(fault.Invalid, "form.too_long", fault.Params{"max": f.MaxLength})
			}
		}
		switch {
		case wrong != nil:
			bad[key] = wrong
		case v != nil:
			values[key] = v
		}
	}
	return values, bad
}

// Find implements form.People by the rules by which events find customers: who has both the address and the number, else who has the address, else who has
// the number; of several the oldest.
func (p formPeople) Find(ctx context.Context, values map[string]any) (out form.Found, err error) {
	by := map[string][]id.ID{}
	for _, field := range []string{"email", "phone"} {
		text, _ := values[field].(string)
		if text == "" {
			continue
		}
		found, err := p.w.records.LookupAll(ctx, query.Customer, field, []string{text})
		if err != nil {
			return out, err
		}
		by[field] = found[text]
	}
	var list []id.ID
	for _, v := range by["email"] {
		if slices.Contains(by["phone"], v) {
			list = append(list, v)
		}
	}
	if len(list) == 0 {
		list = append(slices.Clone(by["email"]), by["phone"]...)
	}
	if len(list) == 0 {
		return out, nil
	}
	out.Customer, out.Several = list[0], len(list) > 1
	left, err := consentPeople(p).Left(ctx, list[:1])
	out.Restricted = left[out.Customer] == consent.Restricted
	return out, err
}

// store is a store of which a code says that people come from it, nil for none.
func (p formPeople) store(text string) any {
	f := p.w.registry().Object(query.Customer).Field("store")
	if f == nil || text == "" {
		return nil
	}
	v, err := id.Parse(p.w.registry().Object("store").Prefix, text)
	if err != nil {
		return nil
	}
	return v
}

// Make implements form.People.
func (p formPeople) Make(ctx context.Context, values map[string]any, store string) (id.ID, error) {
	obj := p.w.registry().Object(query.Customer)
	in := record.Input{}
	for key, v := range values {
		in[key] = v
	}
	if in["name"] == nil {
		if email, _ := values["email"].(string); email != "" {
			in["name"] = lang.MaskEmail(email)
		} else if phone, _ := values["phone"].(string); phone != "" {
			in["name"] = lang.MaskPhone(schema.DisplayPhone(phone, "CN"))
		}
	}
	if f := obj.Field("source"); f != nil && slices.ContainsFunc(f.Options, func(o schema.Option) bool { return o.Key == "form" }) {
		in["source"] = "form"
	}
	if v := p.store(store); v != nil {
		in["store"] = v
	}
	r, err := p.w.records.Create(ctx, query.Customer, in)
	if err != nil {
		return 0, refusedFields(err, values)
	}
	return r.ID, nil
}

// refusedFields turns a fault of a record into those of the fields of a form; what no field of the form can mend stays what it is.
func refusedFields(err error, values map[string]any) error {
	f, ok := fault.Find(err)
	if !ok || f.Kind != fault.Invalid && f.Kind != fault.Conflict {
		return err
	}
	out := form.Faulty{}
	for _, x := range append([]*fault.Fault{f}, f.Items...) {
		key := strings.TrimPrefix(x.Field, "fields.")
		key, _, _ = strings.Cut(key, ".")
		if _, ok := values[key]; ok {
			if out[key] = x; f.Kind == fault.Conflict || x.Kind == fault.Conflict { // nobody is told whom we know
				out[key] = fault.New(fault.Invalid, "form.page_wrong", nil)
			}
		}
	}
	if len(out) == 0 {
		return err
	}
	return out
}

// reaching are the ways to reach somebody: in the hands of a stranger they would lead what is meant for a customer to him.
var reaching = []string{"phone", "email"}

// Fill implements form.People.
func (p formPeople) Fill(ctx context.Context, customer id.ID, values map[string]any, contacts bool, store string) (filled, left []string, err error) {
	for range 3 {
		filled, left = []string{}, []string{}
		r, err := p.w.records.Get(ctx, query.Customer, customer)
		if err != nil {
			return nil, nil, err
		}
		in := record.Input{}
		for key, v := range values {
			has, same, err := p.compare(ctx, r, key, v)
			if err != nil {
				return nil, nil, err
			}
			switch {
			case same:
			case has || slices.Contains(reaching, key) && !contacts:
				left = append(left, key)
			default:
				in[key] = v
				filled = append(filled, key)
			}
		}
		if v := p.store(store); v != nil && r.Values["store"] == nil {
			in["store"] = v
		}
		slices.Sort(filled)
		slices.Sort(left)
		if len(in) == 0 {
			return filled, left, nil
		}
		_, err = p.w.records.Update(ctx, query.Customer, customer, r.Version, in)
		switch fault.KindOf(err) {
		case fault.Stale: // somebody else writes: look again
			continue
		case fault.Invalid, fault.Conflict:
			if err != nil { // it stays as it is; who sent it learns nothing of that
				return []string{}, slices.Sorted(slices.Values(append(left, filled...))), nil
			}
		}
		return filled, left, err
	}
	return nil, nil, fault.New(fault.Unavailable, "form.busy", nil)
}

// compare tells whether a customer has a value in a field, and whether it is the one that was written.
func (p formPeople) compare(ctx context.Context, r *record.Record, key string, v any) (has, same bool, err error) {
	f := p.w.registry().Object(query.Customer).Field(key)
	if f == nil {
		return true, false, nil
	}
	own := r.Values[key]
	if f.Personal {
		got, err := p.w.records.PlainValue(ctx, query.Customer, key, []id.ID{r.ID})
		if err != nil {
			return true, false, err
		}
		own = got[r.ID]
	}
	if own == nil || f.Type == schema.Bool && own == false {
		return false, false, nil
	}
	env := p.w.records.Env(ctx)
	return true, schema.FormatText(f, own, env) == schema.FormatText(f, v, env), nil
}

// Seen implements form.People.
func (p formPeople) Seen(ctx context.Context, customers []id.ID) (map[id.ID]string, error) {
	return p.names(ctx, query.Customer, customers)
}

func (p formPeople) names(ctx context.Context, object string, ids []id.ID) (map[id.ID]string, error) {
	list, err := p.w.records.GetMany(ctx, object, ids, []string{"name"})
	out := make(map[id.ID]string, len(list))
	for _, r := range list {
		out[r.ID] = r.Title
	}
	return out, err
}

// Stores implements form.People.
func (p formPeople) Stores(ctx context.Context, keys []string) (map[string]string, error) {
	prefix := p.w.registry().Object("store").Prefix
	var ids []id.ID
	for _, k := range keys {
		if v, err := id.Parse(prefix, k); err == nil {
			ids = append(ids, v)
		}
	}
	names, err := p.names(system(ctx), "store", ids)
	out := map[string]string{}
	for v, name := range names {
		out[id.Format(prefix, v)] = name
	}
	return out, err
}

// formConsents implements form.Consents.
type formConsents struct{ w *workspace }

// Purpose implements form.Consents.
func (c formConsents) Purpose(ctx context.Context, key string, channels []string) (form.Purpose, error) {
	pol, found, err := c.w.consents.store.Policy(ctx)
	if err != nil {
		return form.Purpose{}, err
	}
	if !found {
		pol = consent.Defaults()
	}
	p, ok := pol.Find(key)
	out := form.Purpose{Key: key, Label: p.Label, Known: ok && !p.Retired && (p.Basis == consent.Consent || p.Basis == consent.Interest)}
	for _, x := range channels {
		out.Known = out.Known && slices.Contains(p.Channels, consent.Channel(x))
	}
	words, err := c.w.consents.store.Wordings(ctx)
	if err != nil {
		return out, err
	}
	if v, ok := consent.InForceWording(words, key, c.w.app.Clock.Now()); ok {
		out.Text, out.Wording = v.Text, v.Number
	}
	return out, nil
}

// Standing implements form.Consents.
func (c formConsents) Standing(ctx context.Context, customer id.ID, purpose, channel string) (string, error) {
	list, err := c.w.consents.store.Standings(ctx, []id.ID{customer})
	if err != nil {
		return "", err
	}
	for i := range list {
		if x := &list[i]; x.Purpose == purpose && string(x.Channel) == channel {
			return string(x.Ended(c.w.app.Clock.Now())), nil
		}
	}
	return "", nil
}

// Agree implements form.Consents.
func (c formConsents) Agree(ctx context.Context, y form.Yes) (string, error) {
	got, err := c.w.consents.Record(ctx, y.Customer, []consent.Statement{{Purpose: y.Purpose, Channel: consent.Channel(y.Channel), State: consent.Given, Source: consent.ByForm, WordingNumber: y.Wording, Page: y.Page, Once: y.Once, Confirm: true}})
	switch {
	case err != nil:
		return "", err
	case got.Unsent > 0:
		return form.Unmailed, nil
	case len(got.Pending) > 0:
		return form.Asked, nil
	}
	return form.Agreed, nil
}

// formGifts implements form.Gifts.
type formGifts struct{ w *workspace }

// Holds implements form.Gifts.
func (g formGifts) Holds(ctx context.Context, text string) error {
	key, err := id.Parse(offer.Prefix, text)
	if err != nil {
		return fault.New(fault.Invalid, "form.bad_offer", nil)
	}
	v, err := g.w.edge.Offers.Get(system(ctx), key)
	if err == nil && v.Status != offer.Active {
		err = fault.New(fault.Conflict, "offer.not_active", nil)
	}
	return err
}

// Give implements form.Gifts. The code is one of the customer's own and for this form; the mail has a key of the same, so that neither comes twice.
func (g formGifts) Give(ctx context.Context, text string, f *form.Form, sub *form.Submission) error {
	w := g.w
	key, err := id.Parse(offer.Prefix, text)
	if err != nil {
		return fault.New(fault.Invalid, "form.bad_offer", nil)
	}
	got, err := w.records.PlainValue(ctx, query.Customer, "email", []id.ID{sub.Customer})
	if err != nil {
		return err
	}
	address, _ := got[sub.Customer].(string)
	if address == "" {
		return fault.New(fault.Conflict, "mail.bad_address", nil)
	}
	what := "form:" + id.Format(form.Prefix, f.ID) + ":" + id.Format("cus", sub.Customer)
	codes, err := w.edge.Offers.Give(ctx, key, []offer.Given{{For: what, Customer: sub.Customer}})
	if err != nil {
		return err
	}
	loc := lang.Locale(w.info.Locale)
	if sub.Told.Locale != "" {
		loc = lang.Locale(sub.Told.Locale)
	}
	say := func(part string) string {
		return w.app.words.Text(loc, "form.gift_"+part, map[string]any{"workspace": w.info.Name, "code": codes[0].Code})
	}
	letter := mail.Letter{Locale: string(loc), Workspace: w.info.Name, Title: say("title"), Paragraphs: []string{say("text")}, Facts: []mail.Fact{{Label: say("label"), Value: codes[0].Code}}, Small: []string{say("small")}}
	if at := codes[0].ExpiresAt; !at.IsZero() {
		letter.Facts = append(letter.Facts, mail.Fact{Label: say("until"), Value: at.In(w.zone).Format(time.DateOnly)})
	}
	_, err = w.post.Enqueue(ctx, letter.Message(mail.Message{Key: what, Kind: "form", To: mail.Address{Email: address}, Subject: letter.Title, About: mail.About{Object: query.Customer, Record: sub.Customer}}))
	return err
}

// formTeller implements form.Teller: forms are a source of events of their own, made with the first submission.
type formTeller struct{ w *workspace }

// formSource is where the id of that source is kept.
const formSource = "form_source"

// known is that source, 0 before the first submission.
func (t formTeller) known(ctx context.Context) (id.ID, error) {
	var key int64
	_, err := t.w.store.Setting(ctx, formSource, &key)
	return id.ID(key), err
}

func (t formTeller) source(ctx context.Context) (id.ID, error) {
	w := t.w
	key, err := t.known(ctx)
	if err != nil {
		return 0, err
	}
	list, err := w.app.instance.Sources(ctx, w.info.Key)
	if err != nil {
		return 0, err
	}
	for i := range list {
		if list[i].ID == key {
			return list[i].ID, nil
		}
	}
	name, kind := w.app.words.Text(lang.Locale(w.info.Locale), "form.source", nil), door.Server
	v, _, err := w.newSources().Create(ctx, door.SourceInput{Name: &name, Type: &kind})
	if err != nil {
		return 0, err
	}
	return v.ID, w.store.SetSetting(ctx, formSource, int64(v.ID))
}

// Tell implements form.Teller. The event names the customer by his own number, or by what he wrote, as far as it is his; one before it says nothing but who he
// is, so that his profile is found.
func (t formTeller) Tell(ctx context.Context, f *form.Form, sub *form.Submission, values map[string]any, page string) error {
	w := t.w
	r, err := w.records.Get(ctx, query.Customer, sub.Customer)
	if err != nil {
		return err
	}
	user, _ := r.Values["external_id"].(string)
	for _, field := range []string{"email", "phone"} {
		own, err := w.records.PlainValue(ctx, query.Customer, field, []id.ID{sub.Customer})
		if err != nil {
			return err
		}
		if text, _ := own[sub.Customer].(string); user == "" && text != "" && text == values[field] {
			user = text
		}
	}
	if user == "" {
		return nil // nothing that he is known by was written
	}
	source, err := t.source(ctx)
	if err != nil {
		return err
	}
	trace := &sub.Told.Trace
	where := map[string]any{"name": trace.Campaign, "source": trace.Source, "medium": trace.Medium, "term": trace.Term, "content": trace.Content}
	for key, v := range where {
		if v == "" {
			delete(where, key)
		}
	}
	body, err := json.Marshal(map[string]any{"batch": []any{map[string]any{"type": "identify", "userId": user, "messageId": "form-who-" + sub.Once, "timestamp": sub.At.UTC().Format(time.RFC3339Nano), "traits": map[string]any{}}, map[string]any{"type": "track", "event": form.EventName, "userId": user, "messageId": "form-" + sub.Once, "timestamp": sub.At.UTC().Format(time.RFC3339Nano),
		"properties": map[string]any{"form_id": id.Format(form.Prefix, f.ID), "form_name": f.Name, "code": sub.Code, "new_customer": sub.Made, "waiting": sub.State == form.Waiting, "source": trace.Source, "medium": trace.Medium, "campaign": trace.Campaign},
		"context":    map[string]any{"campaign": where, "locale": sub.Told.Locale, "page": map[string]any{"url": page, "referrer": trace.Referrer}}}}})
	if err != nil {
		return err
	}
	items, err := door.Segment("batch", body, &door.Delivery{Source: source, ReceivedAt: w.app.Clock.Now(), Zone: w.zone})
	if err != nil {
		return err
	}
	got, err := w.intake.Take(ctx, source, items)
	for i := range got {
		if err == nil && got[i].Fault != nil {
			err = got[i].Fault
		}
	}
	return err
}
