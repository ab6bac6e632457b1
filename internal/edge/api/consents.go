package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// consentRoutes are what people agreed to. Every line that changes something leaves a note in the trail, but for those of people who come by a
// link: what they say is the ledger itself.
func (a *API) consentRoutes() []route {
	return []route{
		{method: get, path: "/consents/policy", need: right, right: access.ConsentRead, run: op(a.consentPolicy), doc: "Purposes, wordings and categories of consents"},
		{method: patch, path: "/consents/policy", need: right, right: access.ConsentManage, run: op(a.setConsentPolicy), doc: "Change purposes and categories of consents"},
		{method: post, path: "/consents/wordings", need: right, right: access.ConsentManage, run: op(a.addConsentWording), doc: "Add a version of the words that people agree to; it never changes afterwards", status: http.StatusCreated},
		{method: get, path: "/consents/figures", need: right, right: access.ConsentRead, run: op(a.consentFigures), doc: "How many customers agreed and refused, by purpose and channel"},
		{method: post, path: "/consents/check", need: right, right: access.ConsentRead, run: op(a.checkConsents), doc: "Whether customers may be reached for a purpose by a channel; ask it before each sending"},
		{method: post, path: "/consents/import", need: right, right: access.ConsentWrite, run: op(a.importConsents), doc: "Record what many customers said; what cannot be taken is named, the rest written", large: true},
		{method: get, path: "/customers/{id}/consents", need: right, right: access.ConsentRead, run: op(a.consentsOf), doc: "What a customer agreed to and refused, with the ledger"},
		{method: post, path: "/customers/{id}/consents", need: right, right: access.ConsentWrite, run: op(a.recordConsent), doc: "Record that a customer agreed or withdrew"},
		{method: post, path: "/customers/{id}/consents/claims", need: right, right: access.ConsentWrite, run: op(a.decideConsents), doc: "Say whether refusals that nobody proved are the customer's"},
		{method: get, path: "/consents/claims", need: right, right: access.ConsentWrite, run: op(a.consentClaims), doc: "Refusals in the name of customers that nobody proved, and that wait to be decided"},
		{method: post, path: "/customers/{id}/consents/link", need: right, right: access.ConsentWrite, run: op(a.consentLink), doc: "A link to the page on which the customer sets preferences without signing in", secret: true},
		{method: post, path: "/consents/page/look", need: open, run: op(a.lookAtConsents), doc: "What the page of preferences shows by a link", secret: true},
		{method: post, path: "/consents/page/save", need: open, run: op(a.saveConsents), doc: "Set preferences by a link, or withdraw everything", secret: true},
		{method: post, path: "/consents/page/confirm", need: open, run: op(a.confirmConsent), doc: "Confirm a consent by the link that was mailed", secret: true},
		{method: post, path: "/consents/stop/{token}", need: open, run: op(a.stopConsent), doc: "End what a mail was sent for by one click (RFC 8058)", secret: true},
	}
}

// ConsentPurpose is what data is used for.
type ConsentPurpose struct {
	Key         string       `json:"key"`
	Label       schema.Label `json:"label"`
	Description schema.Label `json:"description"`
	Basis       string       `json:"basis" enum:"consent,contract,legal,interest"`
	Channels    []string     `json:"channels" doc:"email, sms, phone, wechat, push, post, web; or any alone"`
	FailClosed  bool         `json:"fail_closed" doc:"whoever has said nothing is refused"`
	Minor       string       `json:"minor" enum:",guardian,never" doc:"for people under fourteen"`
	Months      int          `json:"months" doc:"how long a consent holds; 0 for ever"`
	Confirm     bool         `json:"confirm" doc:"consent by mail counts once its link was used"`
	Retired     bool         `json:"retired"`
}

// ConsentCategory maps a category of context.consent.categoryPreferences.
type ConsentCategory struct {
	Category string `json:"category"`
	Purpose  string `json:"purpose"`
	Channel  string `json:"channel"`
}

// ConsentWording is a version of the words that people agree to.
type ConsentWording struct {
	ID        string       `json:"id"`
	Purpose   string       `json:"purpose"`
	Number    int64        `json:"number"`
	Text      schema.Label `json:"text"`
	ValidFrom time.Time    `json:"valid_from"`
	CreatedAt time.Time    `json:"created_at"`
	By        *Ref         `json:"by"`
}

// ConsentPolicy is what a workspace decides about consents.
type ConsentPolicy struct {
	Version    int64             `json:"version"`
	Purposes   []ConsentPurpose  `json:"purposes"`
	Categories []ConsentCategory `json:"categories"`
	Wordings   []ConsentWording  `json:"wordings"`
	Channels   []string          `json:"channels"`
}

func showConsentPolicy(p *consent.Policy) ConsentPolicy {
	out := ConsentPolicy{Version: p.Version, Purposes: []ConsentPurpose{}, Categories: []ConsentCategory{}, Wordings: []ConsentWording{}}
	for _, x := range p.Purposes {
		c := ConsentPurpose{Key: x.Key, Label: x.Label, Description: x.Description, Basis: string(x.Basis), Channels: []string{}, FailClosed: x.FailClosed, Minor: string(x.Minor), Months: x.Months, Confirm: x.Confirm, Retired: x.Retired}
		if c.Description == nil {
			c.Description = schema.Label{}
		}
		for _, ch := range x.Channels {
			c.Channels = append(c.Channels, string(ch))
		}
		out.Purposes = append(out.Purposes, c)
	}
	for _, x := range p.Categories {
		out.Categories = append(out.Categories, ConsentCategory{x.Category, x.Purpose, string(x.Channel)})
	}
	for _, ch := range consent.Channels() {
		out.Channels = append(out.Channels, string(ch))
	}
	return out
}

func (c *call) showWordings(ctx context.Context, list []consent.Wording) ([]ConsentWording, error) {
	var who []id.ID
	for _, w := range list {
		who = append(who, w.CreatedBy)
	}
	names, err := c.userNames(ctx, who...)
	out := []ConsentWording{}
	for _, w := range list {
		out = append(out, ConsentWording{ID: id.Format(consent.WordingPrefix, w.ID), Purpose: w.Purpose, Number: w.Number, Text: w.Text, ValidFrom: w.ValidFrom, CreatedAt: w.CreatedAt, By: optionalPerson(w.CreatedBy, names)})
	}
	return out, err
}

func (a *API) consentPolicy(ctx context.Context, c *call, _ struct{}) (ConsentPolicy, error) {
	p, err := c.ws.Consents.Policy(ctx)
	if err != nil {
		return ConsentPolicy{}, err
	}
	return c.wholePolicy(ctx, &p)
}

func (c *call) wholePolicy(ctx context.Context, p *consent.Policy) (ConsentPolicy, error) {
	out := showConsentPolicy(p)
	list, err := c.ws.Consents.Wordings(ctx)
	if err != nil {
		return out, err
	}
	out.Wordings, err = c.showWordings(ctx, list)
	return out, err
}

type consentPolicyIn struct {
	Body struct {
		Version    int64             `json:"version" doc:"the one that is changed"`
		Purposes   []ConsentPurpose  `json:"purposes"`
		Categories []ConsentCategory `json:"categories"`
	}
}

func (a *API) setConsentPolicy(ctx context.Context, c *call, in consentPolicyIn) (ConsentPolicy, error) {
	p := consent.Policy{Version: in.Body.Version, Purposes: []consent.Purpose{}, Categories: []consent.Category{}}
	for _, x := range in.Body.Purposes {
		own := consent.Purpose{Key: x.Key, Label: x.Label, Description: x.Description, Basis: consent.Basis(x.Basis), FailClosed: x.FailClosed, Minor: consent.Minor(x.Minor), Months: x.Months, Confirm: x.Confirm, Retired: x.Retired}
		for _, ch := range x.Channels {
			own.Channels = append(own.Channels, consent.Channel(ch))
		}
		p.Purposes = append(p.Purposes, own)
	}
	for _, x := range in.Body.Categories {
		p.Categories = append(p.Categories, consent.Category{Category: x.Category, Purpose: x.Purpose, Channel: consent.Channel(x.Channel)})
	}
	p, err := c.ws.Consents.SetPolicy(ctx, p)
	if err != nil {
		return ConsentPolicy{}, err
	}
	return c.wholePolicy(ctx, &p)
}

type consentWordingIn struct {
	Body struct {
		Purpose   string       `json:"purpose"`
		Text      schema.Label `json:"text"`
		ValidFrom *time.Time   `json:"valid_from,omitempty" doc:"now when absent"`
	}
}

func (a *API) addConsentWording(ctx context.Context, c *call, in consentWordingIn) (ConsentWording, error) {
	w := consent.Wording{Purpose: in.Body.Purpose, Text: in.Body.Text}
	if w.Text == nil {
		w.Text = schema.Label{}
	}
	if in.Body.ValidFrom != nil {
		w.ValidFrom = in.Body.ValidFrom.UTC()
	}
	w, err := c.ws.Consents.AddWording(ctx, w)
	if err != nil {
		return ConsentWording{}, err
	}
	list, err := c.showWordings(ctx, []consent.Wording{w})
	if err != nil {
		return ConsentWording{}, err
	}
	return list[0], nil
}

// ConsentFigure is how many customers stand somewhere.
type ConsentFigure struct {
	Purpose string `json:"purpose"`
	Channel string `json:"channel"`
	State   string `json:"state" enum:"given,pending,expired,withdrawn"`
	Count   int64  `json:"count"`
	Trait   string `json:"trait" doc:"the trait that conditions ask by"`
}

// ConsentFigures are those of all places about which somebody said something.
type ConsentFigures struct {
	Items []ConsentFigure `json:"items"`
}

func (a *API) consentFigures(ctx context.Context, c *call, _ struct{}) (ConsentFigures, error) {
	list, err := c.ws.Consents.Figures(ctx)
	out := ConsentFigures{Items: []ConsentFigure{}}
	for _, f := range list {
		out.Items = append(out.Items, ConsentFigure{f.Purpose, string(f.Channel), string(f.State), f.Count, consent.TraitKey(f.Purpose, f.Channel)})
	}
	return out, err
}

// ConsentAnswer says whether a customer may be reached.
type ConsentAnswer struct {
	Customer string `json:"customer"`
	Allowed  bool   `json:"allowed"`
	Why      string `json:"why" enum:"given,unasked,nothing,withdrawn,pending,expired,do_not_contact,restricted,minor,retired"`
}

// ConsentAnswers are in the order asked for; customers whom the caller does not see are left out.
type ConsentAnswers struct {
	Items []ConsentAnswer `json:"items"`
}

type consentCheckIn struct {
	Body struct {
		Purpose   string   `json:"purpose"`
		Channel   string   `json:"channel"`
		Customers []string `json:"customers" doc:"ids, 1000 at most"`
	}
}

func (a *API) checkConsents(ctx context.Context, c *call, in consentCheckIn) (ConsentAnswers, error) {
	out := ConsentAnswers{Items: []ConsentAnswer{}}
	o, err := c.object(query.Customer)
	if err != nil {
		return out, err
	}
	if len(in.Body.Customers) > consent.MaxStatements {
		return out, fault.InvalidField("consent.bad_count", "customers", fault.Params{"max": consent.MaxStatements})
	}
	var who []id.ID
	for _, text := range in.Body.Customers {
		v, err := recordID(o, text)
		if err != nil {
			return out, err
		}
		who = append(who, v)
	}
	reached, err := c.ws.Records.Reached(ctx, o.Key, who, access.Read)
	if err != nil {
		return out, err
	}
	who = slices.DeleteFunc(who, func(v id.ID) bool { return !reached[v] })
	got, err := c.ws.Consents.Allowed(ctx, who, in.Body.Purpose, consent.Channel(in.Body.Channel))
	for _, v := range who {
		out.Items = append(out.Items, ConsentAnswer{id.Format(o.Prefix, v), got[v].OK, got[v].Why})
	}
	return out, err
}

// ConsentState is where a customer stands with a purpose and a channel.
type ConsentState struct {
	Purpose   string     `json:"purpose"`
	Channel   string     `json:"channel"`
	State     string     `json:"state" enum:",given,pending,expired,withdrawn" doc:"empty while nothing was said"`
	At        *time.Time `json:"at"`
	ExpiresAt *time.Time `json:"expires_at"`
	Allowed   bool       `json:"allowed"`
	Why       string     `json:"why" enum:"given,unasked,nothing,withdrawn,pending,expired,do_not_contact,restricted,minor,retired"`
}

// ConsentEntry is a line of the ledger.
type ConsentEntry struct {
	ID         string     `json:"id"`
	Purpose    string     `json:"purpose"`
	Channel    string     `json:"channel"`
	State      string     `json:"state" enum:"given,pending,expired,withdrawn"`
	At         time.Time  `json:"at"`
	RecordedAt time.Time  `json:"recorded_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Source     string     `json:"source" enum:"form,import,api,event,claim,agent,page,link,confirm,reply,expiry"`
	Wording    *int64     `json:"wording" doc:"number of the version of the words"`
	Guardian   bool       `json:"guardian"`
	Actor      Actor      `json:"actor"`
	Page       string     `json:"page"`
	Note       string     `json:"note"`
	Evidence   string     `json:"evidence" doc:"SHA-256 of a document"`
	Visitor    bool       `json:"visitor" doc:"said before it was known who it was, or by a customer that was merged into this one"`
	Verdict    string     `json:"verdict" enum:",accepted,dismissed" doc:"what somebody decided about a line that nobody proved"`
}

// CustomerConsents is everything about the consents of a customer.
type CustomerConsents struct {
	Policy  ConsentPolicy  `json:"policy"`
	States  []ConsentState `json:"states"`
	History []ConsentEntry `json:"history" doc:"newest first"`
	More    bool           `json:"more" doc:"there are older lines"`
	Minor   bool           `json:"minor" doc:"under fourteen"`
	Left    string         `json:"left" enum:",do_not_contact,restricted"`
	Unsent  bool           `json:"unsent" doc:"a consent waits for its link, and no mail could be sent"`
	Claims  []ConsentEntry `json:"claims" doc:"refusals that nobody proved to be the customer's, and that wait to be decided, newest first"`
}

// ConsentClaim is a refusal that waits to be decided.
type ConsentClaim struct {
	Customer Ref          `json:"customer"`
	Entry    ConsentEntry `json:"entry"`
}

// ConsentClaims are those of all customers whom the caller may change.
type ConsentClaims struct {
	Items []ConsentClaim `json:"items" doc:"newest first"`
	Next  string         `json:"next" doc:"what to ask the following ones with; empty at the end"`
}

type consentsIn struct {
	ID     string `path:"id"`
	Before string `query:"before" doc:"a line; older ones follow"`
}

const consentsShown = 50

// customerID reads the printed id of a customer.
func (c *call) customerID(printed string) (id.ID, error) {
	o, err := c.object(query.Customer)
	if err != nil {
		return 0, err
	}
	return recordID(o, printed)
}

func (a *API) consentsOf(ctx context.Context, c *call, in consentsIn) (CustomerConsents, error) {
	v, err := c.customerID(in.ID)
	if err != nil {
		return CustomerConsents{}, err
	}
	var before id.ID
	if in.Before != "" {
		if before, err = id.Parse(consent.EntryPrefix, in.Before); err != nil {
			return CustomerConsents{}, fault.New(fault.NotFound, "consent.unknown_entry", nil)
		}
	}
	return c.customerConsents(ctx, v, before)
}

func (c *call) customerConsents(ctx context.Context, customer, before id.ID) (CustomerConsents, error) {
	seen, err := c.ws.Consents.Of(ctx, customer)
	if err != nil {
		return CustomerConsents{}, err
	}
	list, err := c.ws.Consents.History(ctx, customer, before, consentsShown+1)
	if err != nil {
		return CustomerConsents{}, err
	}
	out := CustomerConsents{Policy: showConsentPolicy(&seen.Policy), States: showStates(&seen), History: []ConsentEntry{}, More: len(list) > consentsShown, Minor: seen.Minor, Left: seen.Left}
	if out.Policy.Wordings, err = c.showWordings(ctx, seen.Wordings); err != nil {
		return out, err
	}
	numbers := map[id.ID]int64{}
	for _, w := range seen.Wordings {
		numbers[w.ID] = w.Number
	}
	list = list[:min(len(list), consentsShown)]
	claims, err := c.ws.Consents.Claims(ctx, customer, consentsShown)
	if err != nil {
		return out, err
	}
	var who []id.ID
	for i := range list {
		who = append(who, list[i].By.ID)
	}
	names, err := c.userNames(ctx, who...)
	for i := range list {
		out.History = append(out.History, c.showConsentEntry(&list[i], seen.Customer, numbers, names))
	}
	out.Claims = make([]ConsentEntry, len(claims))
	for i := range claims {
		out.Claims[i] = c.showConsentEntry(&claims[i].Entry, seen.Customer, numbers, names)
	}
	return out, err
}

type claimsIn struct {
	Before string `query:"before" doc:"what next said"`
}

func (a *API) consentClaims(ctx context.Context, c *call, in claimsIn) (out ConsentClaims, err error) {
	var before id.ID
	if in.Before != "" {
		if before, err = id.Parse(consent.EntryPrefix, in.Before); err != nil {
			return out, fault.New(fault.NotFound, "consent.unknown_entry", nil)
		}
	}
	list, next, err := c.ws.Consents.Waiting(ctx, before)
	if err != nil {
		return out, err
	}
	refs := make([]record.Ref, len(list))
	for i := range list {
		refs[i] = record.Ref{Object: query.Customer, ID: list[i].Customer}
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return out, err
	}
	out.Items = make([]ConsentClaim, len(list))
	for i, r := range refs {
		out.Items[i] = ConsentClaim{Customer: Ref{ID: id.Format(c.prefixOf(r.Object), r.ID), Object: r.Object, Title: r.Title}, Entry: c.showConsentEntry(&list[i].Entry, r.ID, nil, nil)}
	}
	if next != 0 {
		out.Next = id.Format(consent.EntryPrefix, next)
	}
	return out, nil
}

type decideConsentsIn struct {
	ID   string `path:"id"`
	Body struct {
		Entries []string `json:"entries" doc:"lines that wait, all of them or none"`
		Accept  bool     `json:"accept" doc:"they are the customer's and count from when they were said; otherwise they count for the browser alone"`
	}
}

func (a *API) decideConsents(ctx context.Context, c *call, in decideConsentsIn) (CustomerConsents, error) {
	v, err := c.customerID(in.ID)
	if err != nil {
		return CustomerConsents{}, err
	}
	entries := make([]id.ID, len(in.Body.Entries))
	for i, e := range in.Body.Entries {
		if entries[i], err = id.Parse(consent.EntryPrefix, e); err != nil {
			return CustomerConsents{}, fault.New(fault.NotFound, "consent.unknown_claim", nil)
		}
	}
	if err := c.ws.Consents.Decide(ctx, v, entries, in.Body.Accept); err != nil {
		return CustomerConsents{}, err
	}
	return c.customerConsents(ctx, v, 0)
}

func (c *call) showConsentEntry(e *consent.Entry, customer id.ID, numbers map[id.ID]int64, names map[record.Ref]string) ConsentEntry {
	out := ConsentEntry{ID: id.Format(consent.EntryPrefix, e.ID), Purpose: e.Purpose, Channel: string(e.Channel), State: string(e.State), At: e.At, RecordedAt: e.RecordedAt, ExpiresAt: optional(e.Expires), Source: string(e.Source),
		Guardian: e.Guardian, Actor: c.actor(e.By.Kind, e.By.ID, names), Page: e.Page, Note: e.Note, Evidence: e.Evidence, Visitor: e.Subject != customer}
	if n, ok := numbers[e.Wording]; ok {
		out.Wording = &n
	}
	if e.Verdict.Decided {
		out.Verdict = "dismissed"
		if e.Verdict.Accepted {
			out.Verdict = "accepted"
		}
	}
	return out
}

func showStates(seen *consent.Seen) []ConsentState {
	by := map[consent.Place]consent.Standing{}
	for _, st := range seen.Standings {
		by[consent.Place{Purpose: st.Purpose, Channel: st.Channel}] = st
	}
	out := []ConsentState{}
	for _, p := range seen.Policy.Purposes {
		for _, ch := range p.Channels {
			at := consent.Place{Purpose: p.Key, Channel: ch}
			st, answer := by[at], seen.Answers[at]
			out = append(out, ConsentState{Purpose: p.Key, Channel: string(ch), State: string(st.State), At: optional(st.At), ExpiresAt: optional(st.Expires), Allowed: answer.OK, Why: answer.Why})
		}
	}
	return out
}

// ConsentStatement is something that a customer said.
type ConsentStatement struct {
	Purpose  string     `json:"purpose"`
	Channel  string     `json:"channel"`
	State    string     `json:"state" enum:"given,withdrawn"`
	At       *time.Time `json:"at,omitempty" doc:"when it was said; now when absent"`
	Source   string     `json:"source,omitempty" enum:"form,import,api,agent" doc:"agent for people, api for keys when absent"`
	Wording  int64      `json:"wording,omitempty" doc:"number of the version of the words; the one in force then when absent"`
	Guardian bool       `json:"guardian,omitempty" doc:"said by a parent or guardian"`
	Page     string     `json:"page,omitempty" doc:"address of the page it was said on; what it was called with is not kept"`
	Note     string     `json:"note,omitempty"`
	Evidence string     `json:"evidence,omitempty" doc:"SHA-256 of a document that proves it, hex"`
	Once     string     `json:"once,omitempty" doc:"chosen by the caller: a second line of the same is not written"`
}

func (c *call) statement(x *ConsentStatement) consent.Statement {
	out := consent.Statement{Purpose: x.Purpose, Channel: consent.Channel(x.Channel), State: consent.State(x.State), Source: consent.Source(x.Source), WordingNumber: x.Wording, Guardian: x.Guardian, Page: x.Page, Note: x.Note, Evidence: x.Evidence}
	if x.At != nil {
		out.At = *x.At
	}
	if x.Once != "" {
		out.Once = "api:" + x.Once
	}
	if out.Source == "" {
		out.Source = consent.ByAPI
		if c.who.Actor.Kind == access.ByUser {
			out.Source = consent.ByAgent
		}
	}
	return out
}

type recordConsentIn struct {
	ID   string `path:"id"`
	Body struct {
		Items []ConsentStatement `json:"items"`
	}
}

func (a *API) recordConsent(ctx context.Context, c *call, in recordConsentIn) (CustomerConsents, error) {
	v, err := c.customerID(in.ID)
	if err != nil {
		return CustomerConsents{}, err
	}
	list := make([]consent.Statement, len(in.Body.Items))
	for i := range in.Body.Items {
		list[i] = c.statement(&in.Body.Items[i])
	}
	done, err := c.ws.Consents.Record(ctx, v, list)
	if err != nil {
		return CustomerConsents{}, err
	}
	out, err := c.customerConsents(ctx, v, 0)
	out.Unsent = done.Unsent > 0
	return out, err
}

// ImportedStatement is a statement about one of many customers.
type ImportedStatement struct {
	Customer string `json:"customer"`
	ConsentStatement
}

type importConsentsIn struct {
	Body struct {
		By    string              `json:"by,omitempty" doc:"the field of customers that names them: id (when absent), external_id, card_number, phone, email"`
		Try   bool                `json:"try,omitempty" doc:"look everything over and write nothing"`
		Items []ImportedStatement `json:"items" doc:"1000 at most"`
	}
}

// ConsentImport is what became of statements.
type ConsentImport struct {
	New    int            `json:"new" doc:"lines that were written, or would be"`
	Known  int            `json:"known" doc:"lines that had been written before"`
	Errors []ConsentFault `json:"errors"`
	Unsent int            `json:"unsent" doc:"consents that wait for a link that could not be mailed"`
}

// ConsentFault is a statement that cannot be taken.
type ConsentFault struct {
	Index   int    `json:"index"`
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (a *API) importConsents(ctx context.Context, c *call, in importConsentsIn) (ConsentImport, error) {
	out := ConsentImport{Errors: []ConsentFault{}}
	by := or(in.Body.By, "id")
	texts := make([]string, len(in.Body.Items))
	for i := range in.Body.Items {
		texts[i] = in.Body.Items[i].Customer
	}
	found, err := c.ws.Records.LookupAll(ctx, query.Customer, by, texts)
	if err != nil {
		return out, err
	}
	list := make([]consent.Statement, len(texts))
	for i := range list {
		list[i] = c.statement(&in.Body.Items[i].ConsentStatement)
		if in.Body.Items[i].Source == "" {
			list[i].Source = consent.ByImport
		}
		if of := found[texts[i]]; len(of) == 1 { // several: nobody knows whose word it is
			list[i].Customer = of[0]
		}
	}
	got, err := c.ws.Consents.Import(ctx, list, in.Body.Try)
	if err != nil {
		return out, err
	}
	out.New, out.Unsent = got.New, got.Unsent
	out.Known = len(list) - len(got.Faults) - got.New
	for i := range list {
		f, ok := got.Faults[i]
		if !ok {
			continue
		}
		if list[i].Customer == 0 && len(found[texts[i]]) > 1 {
			f = fault.InvalidField("consent.many_customers", "items."+strconv.Itoa(i)+".customer", nil)
		}
		out.Errors = append(out.Errors, ConsentFault{Index: i, Code: f.Code, Field: f.Field, Message: c.words.Text(lang.Locale(localeOf(c.locale)), f.Code, f.Params)})
	}
	return out, nil
}

// ConsentLink leads to the page of preferences of one customer.
type ConsentLink struct {
	URL string `json:"url" doc:"a path where nobody said where the site is"`
}

func (a *API) consentLink(ctx context.Context, c *call, in idIn) (ConsentLink, error) {
	o, err := c.object(query.Customer)
	if err != nil {
		return ConsentLink{}, err
	}
	v, err := recordID(o, in.ID)
	if err != nil {
		return ConsentLink{}, err
	}
	token, err := c.ws.Consents.PageLink(ctx, c.ws.ConsentLinks, v)
	if err != nil {
		return ConsentLink{}, err
	}
	origin, err := c.ws.Office.Address(ctx)
	return ConsentLink{URL: origin + "/p#" + token}, err
}
