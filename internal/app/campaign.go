package app

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	channels "github.com/guanxi-crm/guanxi/internal/engage/channel"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// campaignRules is where the rules of contact are kept.
const campaignRules = "contact_rules"

// newCampaigns makes templates, campaigns and offers and gives them to the edge.
func (w *workspace) newCampaigns(keys *crypt.Keyring) {
	w.newOffers()
	w.newOnsite()
	w.newForms(keys)
	a := w.app
	note := func(ctx context.Context, action string, key id.ID, detail map[string]any) error {
		object := ""
		if key != 0 {
			object, _, _ = strings.Cut(action, ".")
		}
		return a.auth.Note(ctx, w.info.Key, action, object, key, detail)
	}
	w.edge.Templates = template.New(template.Config{Store: sqlstore.NewTemplates(w.store), Clock: a.Clock, IDs: a.ids, Known: w.mergeable, Offer: w.hasOffer, Note: note})
	links := campaignLinks{w.info.Key, keys}
	mails := sqlstore.NewMails(w.store)
	writer := &campaignWriter{w: w, links: links, store: sqlstore.NewTemplates(w.store), letters: map[letterKey]*template.Letter{}}
	w.edge.CampaignWriter, w.edge.MessageLinks = writer, links
	w.edge.Campaigns = campaign.New(campaign.Config{Store: sqlstore.NewCampaigns(w.store), People: campaignPeople{w, mails}, Audience: campaignAudience{ruleSegments{w}}, Writer: writer, Post: w.post.Queue,
		Carriers: map[string]campaign.Carrier{campaign.SMS: textCarrier{w}, campaign.Webhook: callCarrier{w}, campaign.Task: taskCarrier{w, sqlstore.NewCampaigns(w.store)}}, Purchases: analytics.NewBought(w.gate, w.zoneOf), Clock: a.Clock, Zone: w.zoneOf, IDs: a.ids, Log: a.Log, Note: note, Sent: w.post.Notify,
		Rules: func(ctx context.Context) (campaign.Rules, error) {
			r := campaign.DefaultRules()
			_, err := w.store.Setting(ctx, campaignRules, &r)
			return r, err
		},
		SetRules: func(ctx context.Context, r campaign.Rules) error { return w.store.SetSetting(ctx, campaignRules, r) },
		Publish: func(key id.ID) {
			a.hub.Publish(w.info.Key, api.Event{Kind: "campaign", ID: id.Format(campaign.Prefix, key)})
		}})
}

// campaignAudience is who is in segments.
type campaignAudience struct{ ruleSegments }

// Exists implements campaign.Audience.
func (s campaignAudience) Exists(ctx context.Context, key string) error {
	seg, err := s.Find(ctx, key)
	if err == nil && seg.Broken {
		err = fault.New(fault.Conflict, "campaign.bad_segment", fault.Params{"key": key})
	}
	return err
}

// campaignPeople implements campaign.People.
type campaignPeople struct {
	w     *workspace
	mails *sqlstore.Mails
}

// reachedBy is the channel of consents that a channel of campaigns is.
func reachedBy(channel string) consent.Channel {
	switch channel {
	case campaign.SMS:
		return consent.SMS
	case campaign.Task:
		return consent.Phone
	case campaign.Webhook:
		return consent.Web
	}
	return consent.Email
}

// Look implements campaign.People.
func (p campaignPeople) Look(ctx context.Context, channel, purpose string, customers []id.ID) (map[id.ID]campaign.Person, error) {
	w, sys := p.w, system(ctx)
	out := make(map[id.ID]campaign.Person, len(customers))
	left, err := consentPeople{w}.Left(ctx, customers)
	if err != nil {
		return nil, err
	}
	var allowed map[id.ID]consent.Answer
	if purpose != "" {
		if allowed, err = w.consents.Allowed(ctx, customers, purpose, reachedBy(channel)); err != nil {
			return nil, err
		}
	}
	fields := []string{"name"}
	obj := w.registry().Object(query.Customer)
	for _, key := range []string{"language", "time_zone"} {
		if obj.Field(key) != nil {
			fields = append(fields, key)
		}
	}
	list, err := w.records.GetMany(sys, query.Customer, customers, fields)
	if err != nil {
		return nil, err
	}
	addresses, err := p.addresses(sys, channel, customers)
	if err != nil {
		return nil, err
	}
	stopped := map[string]bool{}
	blinds := map[id.ID]string{}
	if channel == campaign.Email {
		var all []string
		for c, a := range addresses {
			blinds[c] = w.post.Vault.Blind(a)
			all = append(all, blinds[c])
		}
		if stopped, err = p.mails.StoppedAmong(ctx, all); err != nil {
			return nil, err
		}
	}
	var numbers map[string]string
	if channel == campaign.SMS {
		if numbers, err = p.numbers(ctx, addresses); err != nil {
			return nil, err
		}
	}
	for _, r := range list {
		x := campaign.Person{ID: r.ID, Suppressed: left[r.ID] != "", Refused: purpose != "" && !allowed[r.ID].OK, Address: addresses[r.ID], Name: r.Title, Locale: languageOf(r, w.info.Locale), Stopped: stopped[blinds[r.ID]]}
		switch numbers[x.Address] {
		case channels.Dead:
			x.Stopped = true
		case channels.Left:
			x.Refused = x.Refused || purpose != ""
		}
		if why := allowed[r.ID].Why; why == consent.NotToContact || why == consent.Restricted {
			x.Suppressed = true
		}
		if name, _ := r.Values["time_zone"].(string); name != "" {
			if zone, err := time.LoadLocation(name); err == nil {
				x.Zone = zone
			}
		}
		out[r.ID] = x
	}
	return out, nil
}

// addresses are where people are reached; what needs none has their id.
func (p campaignPeople) addresses(ctx context.Context, channel string, customers []id.ID) (map[id.ID]string, error) {
	out := make(map[id.ID]string, len(customers))
	field := map[string]string{campaign.Email: "email", campaign.SMS: "phone"}[channel]
	if field == "" {
		for _, c := range customers {
			out[c] = id.Format("cus", c)
		}
		return out, nil
	}
	got, err := p.w.records.PlainValue(ctx, query.Customer, field, customers)
	if err != nil {
		return nil, err
	}
	for c, v := range got {
		text, _ := v.(string)
		if channel == campaign.Email {
			if clean, err := mail.ParseAddress(text); err == nil {
				text = clean
			} else {
				text = ""
			}
		}
		if channel == campaign.SMS && !strings.HasPrefix(text, "+") {
			text = "" // no number in its international form
		}
		if text != "" {
			out[c] = text
		}
	}
	return out, nil
}

func languageOf(r *record.Record, standard string) string {
	text, _ := r.Values["language"].(string)
	switch {
	case strings.HasPrefix(text, "en"):
		return string(lang.English)
	case strings.HasPrefix(text, "zh"):
		return string(lang.ChineseSimplified)
	}
	return standard
}

// mergeable says which values templates may speak of, and whether everybody has them. Personal ones stay out: they would be readable by whoever the
// mail is passed on to.
func (w *workspace) mergeable(context.Context) map[string]bool {
	out := map[string]bool{"workspace.name": true, "campaign.name": true, "today": true, "products": true}
	for _, f := range w.registry().Object(query.Customer).Fields {
		if !f.Hidden && !f.Personal && f.Type != schema.Relation && f.Type != schema.User {
			out["customer."+f.Key] = f.Required
		}
	}
	for key, all := range map[string]bool{"coupon.code": true, "coupon.name": true, "coupon.until": false, "coupon.valid": false} {
		out[key] = all
	}
	for _, d := range w.words.Catalogue().List() {
		if mayBeSaid(&d) {
			out["traits."+d.Key] = false
		}
	}
	return out
}

type letterKey struct {
	template id.ID
	version  int64
	locale   string
}

// campaignWriter implements campaign.Writer and api.MessageWriter.
type campaignWriter struct {
	w     *workspace
	links campaignLinks
	store template.Store

	mu      sync.Mutex
	letters map[letterKey]*template.Letter
}

const lettersKept = 200

// letter is a template compiled for a language.
func (c *campaignWriter) letter(ctx context.Context, key id.ID, version int64, locale string) (*template.Letter, string, error) {
	c.mu.Lock()
	l := c.letters[letterKey{key, version, locale}]
	c.mu.Unlock()
	if l != nil && version > 0 {
		return l, locale, nil
	}
	t, err := c.store.Template(ctx, key, version)
	if err != nil {
		return nil, "", err
	}
	doc, in := t.Body.In(locale)
	l, _ = template.Compile(t.Channel, doc, in)
	c.mu.Lock()
	if len(c.letters) > lettersKept {
		clear(c.letters)
	}
	c.letters[letterKey{key, t.Version, locale}] = l
	c.mu.Unlock()
	return l, in, nil
}

// Ready implements campaign.Writer.
func (c *campaignWriter) Ready(ctx context.Context, v *campaign.Campaign) error {
	if v.Plan.Purpose != "" {
		p, _, err := c.w.consents.store.Policy(ctx)
		if err != nil {
			return err
		}
		if len(p.Purposes) == 0 {
			p = consent.Defaults()
		}
		if _, err := p.Place(v.Plan.Purpose, reachedBy(v.Channel)); err != nil {
			return err
		}
	}
	if v.Channel == campaign.Webhook || v.Channel == campaign.Task {
		return c.plainReady(ctx, v)
	}
	for i := range v.Plan.Variants {
		x := &v.Plan.Variants[i]
		t, err := c.store.Template(ctx, x.Template, 0)
		if fault.KindOf(err) == fault.NotFound {
			return fault.InvalidField("campaign.no_template", fmt.Sprintf("variants.%d", i), nil)
		}
		if err != nil {
			return err
		}
		if t.Channel != v.Channel {
			return fault.InvalidField("campaign.wrong_template", fmt.Sprintf("variants.%d", i), nil)
		}
		x.Version = t.Version
		for _, doc := range t.Body.Documents {
			if err := c.w.offerHolds(ctx, doc.Offer); err != nil {
				return fault.InvalidField("campaign.offer_not_active", fmt.Sprintf("variants.%d", i), nil)
			}
		}
	}
	if v.Channel == campaign.SMS {
		return c.textReady(ctx, v)
	}
	ready, err := office{c.w}.Reachable(ctx)
	if err == nil && !ready {
		err = fault.New(fault.Conflict, "campaign.no_mail", nil)
	}
	return err
}

// batchOf is what the letters of a batch have in common.
type batchOf struct {
	origin string
	values map[id.ID]template.Values
	now    time.Time
	// account is what text messages go through.
	account *channels.Account
}

func (c *campaignWriter) batch(ctx context.Context, people []id.ID, locale string) (*batchOf, error) {
	origin, err := office{c.w}.Address(ctx)
	if err != nil {
		return nil, err
	}
	b := &batchOf{origin: origin, now: c.w.app.Clock.Now()}
	b.values, err = c.values(system(ctx), people, locale)
	return b, err
}

// Write implements campaign.Writer.
func (c *campaignWriter) Write(ctx context.Context, list []campaign.Draw) ([]campaign.Letter, []error) {
	out, errs := make([]campaign.Letter, len(list)), make([]error, len(list))
	by := map[string][]id.ID{}
	for i := range list {
		by[list[i].Person.Locale] = append(by[list[i].Person.Locale], list[i].Person.ID)
	}
	batches := map[string]*batchOf{}
	for locale, people := range by {
		b, err := c.batch(ctx, people, locale)
		if err == nil && list[0].Campaign.Channel == campaign.SMS {
			var a channels.Account
			a, err = c.w.channels.Get(system(ctx), list[0].Campaign.Plan.Account)
			b.account = &a
		}
		if err != nil {
			for i := range errs {
				errs[i] = err
			}
			return out, errs
		}
		batches[locale] = b
	}
	more, errs := c.more(ctx, list)
	for i := range list {
		if errs[i] == nil {
			out[i], errs[i] = c.one(ctx, &list[i], batches[list[i].Person.Locale], more[i])
		}
	}
	return out, errs
}

func (c *campaignWriter) one(ctx context.Context, d *campaign.Draw, b *batchOf, more template.Values) (out campaign.Letter, err error) {
	l, locale, err := c.letterOf(ctx, d)
	if err != nil {
		return out, err
	}
	values := b.values[d.Person.ID]
	if values == nil {
		return out, fault.New(fault.NotFound, "record.not_found", nil)
	}
	values = maps.Clone(values) // one person can have two lines
	maps.Copy(values, more)
	values["campaign"] = template.Values{"name": d.Campaign.Name}
	if l.Products() {
		env := c.w.records.Env(ctx)
		env.Locale = lang.Locale(locale)
		list, err := c.goods(ctx, d.Person.ID, env)
		if err != nil {
			return out, err
		}
		values["products"] = list
	}
	if plainly(d.Campaign.Channel) {
		return c.plain(l, values, locale)
	}
	if b.account != nil {
		return c.text(d, b, l, values, locale)
	}
	p := &d.Campaign.Plan
	f := template.Frame{Locale: locale, Tags: [][2]string{{"utm_source", p.Source}, {"utm_medium", p.Medium}, {"utm_campaign", p.Campaign}}}
	if p.Campaign != "" && len(p.Variants) > 1 {
		f.Tags = append(f.Tags, [2]string{"utm_content", d.Variant.Key})
	}
	if b.origin != "" {
		base := b.origin + "/api/v1/messages/"
		f.Pixel = base + "open/" + c.links.Token(d.Intent, 0, "")
		f.Link = func(n int, address string) string { return base + "go/" + c.links.Token(d.Intent, n, address) }
		if p.Purpose != "" {
			token := c.w.consents.links.Page(d.Person.ID, consent.Place{Purpose: p.Purpose, Channel: consent.Email}, b.now)
			f.Foot, f.FootLink, f.FootURL = c.foot(locale, "foot"), c.foot(locale, "foot_link"), b.origin+"/p#"+token
			if strings.HasPrefix(b.origin, "https://") {
				out.Stop = b.origin + "/api/v1/consents/stop/" + token
			}
		}
	}
	r, err := l.Render(values, f)
	if err != nil {
		return out, fault.Wrap(fault.Invalid, "campaign.not_written", err)
	}
	if strings.TrimSpace(r.Subject) == "" {
		r.Subject = d.Campaign.Name
	}
	out.Subject, out.HTML, out.Text, out.Parts = r.Subject, r.HTML, r.Text, 1
	return out, nil
}

func (c *campaignWriter) foot(locale, part string) string {
	return c.w.app.words.Text(lang.Locale(locale), "campaign."+part, map[string]any{"workspace": c.w.info.Name})
}

// Draft renders a body for a customer whom the caller sees, as a page shows it before it is saved.
func (c *campaignWriter) Draft(ctx context.Context, channel string, body *template.Body, locale string, customer id.ID) (template.Rendered, error) {
	doc, in := body.In(locale)
	l, found := template.Compile(channel, doc, in)
	for _, f := range found {
		if f.Severe {
			return template.Rendered{}, fault.InvalidField("template."+f.Code, f.At, fault.Params{"what": f.What, "line": f.Line})
		}
	}
	values := c.sample(in)
	if customer != 0 {
		if _, err := c.w.records.Get(ctx, query.Customer, customer); err != nil {
			return template.Rendered{}, err
		}
		got, err := c.values(ctx, []id.ID{customer}, in)
		if err != nil {
			return template.Rendered{}, err
		}
		if values = got[customer]; values == nil {
			return template.Rendered{}, fault.New(fault.NotFound, "record.not_found", nil)
		}
	}
	if l.Products() && customer != 0 {
		env := c.w.records.Env(ctx)
		env.Locale = lang.Locale(in)
		list, err := c.goods(ctx, customer, env)
		if err != nil {
			return template.Rendered{}, err
		}
		values["products"] = list
	}
	more, err := c.draftMore(ctx, l, in, customer)
	if err != nil {
		return template.Rendered{}, err
	}
	maps.Copy(values, more)
	values["campaign"] = template.Values{"name": ""}
	f := template.Frame{Locale: in}
	if channel == template.Email {
		f.Foot, f.FootLink, f.FootURL = c.foot(in, "foot"), c.foot(in, "foot_link"), "#"
	}
	r, err := l.Render(values, f)
	if err != nil {
		err = fault.Wrap(fault.Invalid, "campaign.not_written", err)
	}
	return r, err
}

// sample are the values of nobody: everything that may be missing is.
func (c *campaignWriter) sample(locale string) template.Values {
	return template.Values{"customer": template.Values{"name": c.foot(locale, "sample")}, "workspace": template.Values{"name": c.w.info.Name}, "today": c.w.app.Clock.Now().In(c.w.zone)}
}

// values are what templates may say of customers, in words of a language, as far as the actor reads it.
func (c *campaignWriter) values(ctx context.Context, people []id.ID, locale string) (map[id.ID]template.Values, error) {
	w := c.w
	known := w.mergeable(ctx)
	var fields []string
	obj := w.registry().Object(query.Customer)
	for _, f := range obj.Fields {
		if _, ok := known["customer."+f.Key]; ok {
			fields = append(fields, f.Key)
		}
	}
	list, err := w.records.GetMany(ctx, query.Customer, people, fields)
	if err != nil {
		return nil, err
	}
	env := w.records.Env(ctx)
	env.Locale = lang.Locale(locale)
	out := make(map[id.ID]template.Values, len(list))
	for _, r := range list {
		v := template.Values{}
		for _, key := range fields {
			if x := valueOf(obj.Field(key), r.Values[key], env); x != nil {
				v[key] = x
			}
		}
		out[r.ID] = template.Values{"customer": v, "workspace": template.Values{"name": w.info.Name}, "today": w.app.Clock.Now().In(w.zone)}
	}
	return out, nil
}

func valueOf(f *schema.Field, v any, env schema.ParseEnv) any {
	switch x := v.(type) {
	case nil:
		return nil
	case bool, float64:
		return x
	case int64:
		if f.Type == schema.Number {
			return x
		}
	}
	for _, o := range f.Options {
		if o.Key == v {
			return o.Label.In(env.Locale)
		}
	}
	if text := schema.FormatText(f, v, env); text != "" {
		return text
	}
	return nil
}

// campaignLinks makes and reads the addresses in messages. They name a line and where a link leads, and are signed.
type campaignLinks struct {
	workspace string
	keys      *crypt.Keyring
}

const linkSign = "message|"

// Token is one for a line: link 0 for its picture.
func (l campaignLinks) Token(intent id.ID, link int, address string) string {
	msg := binary.BigEndian.AppendUint64([]byte(linkSign), uint64(intent)) //nolint:gosec // ids are positive
	msg = binary.BigEndian.AppendUint16(msg, uint16(link))                 //nolint:gosec // few links
	return l.workspace + "." + base64.RawURLEncoding.EncodeToString(l.keys.Sign(append(msg, address...)))
}

// Read takes a token apart; ok is false for one that is not ours.
func (l campaignLinks) Read(token string) (intent id.ID, link int, address string, ok bool) {
	_, text, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return 0, 0, "", false
	}
	msg, ok := l.keys.Verify(raw)
	body, ours := strings.CutPrefix(string(msg), linkSign)
	if !ok || !ours || len(body) < 10 {
		return 0, 0, "", false
	}
	return id.ID(binary.BigEndian.Uint64([]byte(body))), int(binary.BigEndian.Uint16([]byte(body)[8:])), body[10:], true //nolint:gosec // ours
}

// Test sends a message of a template to a colleague as a customer would get it.
func (c *campaignWriter) Test(ctx context.Context, t *template.Template, locale string, customer id.ID, to mail.Address, key string) error {
	r, err := c.Draft(ctx, t.Channel, &t.Body, locale, customer)
	if err != nil {
		return err
	}
	_, err = c.w.post.Enqueue(ctx, mail.Message{Key: key, Kind: "test", To: to, Subject: c.foot(locale, "test") + r.Subject, Text: r.Text, HTML: r.HTML})
	return err
}
