package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rsc.io/qr"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/form"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// formRoutes are the forms by which people become customers.
func (a *API) formRoutes() []route {
	r, w := access.CampaignRead, access.CampaignWrite
	return []route{
		{method: get, path: "/forms", need: right, right: r, run: op(a.listForms), doc: "Forms by which people become customers, the newest first, with what became of them"},
		{method: post, path: "/forms", need: right, right: w, run: op(a.createForm), doc: "Write one, as a draft", status: http.StatusCreated},
		{method: get, path: "/forms/inputs", need: right, right: r, run: op(a.formInputs), doc: "Fields of customers that a form may ask for"},
		{method: get, path: "/forms/{id}", need: right, right: r, run: op(a.getForm), doc: "One of them, with what became of it by poster and link"},
		{method: patch, path: "/forms/{id}", need: right, right: w, run: op(a.patchForm), doc: "Change one, publish it, or end it; what is public needs the right to start campaigns"},
		{method: get, path: "/forms/{id}/submissions", need: right, right: r, run: op(a.formSubmissions), doc: "What was sent, of customers whom the caller sees, the newest first"},
		{method: get, path: "/forms/{id}/code", need: right, right: r, run: op(a.formCode), doc: "The square code of a poster or link, to be printed", stream: true},
		{method: get, path: "/acquisition", need: right, right: r, run: op(a.acquisition), doc: "Where the customers of some months came from, what they cost, and how many have bought"},
		{method: post, path: "/acquisition/costs", need: right, right: w, run: op(a.setAcquisitionCost), doc: "Enter what winning customers from somewhere cost in a month; 0 takes it away"},
	}
}

// FormWords are what is said in one language.
type FormWords struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Button string `json:"button"`
	Thanks string `json:"thanks"`
}

// FormField is a field that is asked for.
type FormField struct {
	Key      string            `json:"key" doc:"of the customer object"`
	Required bool              `json:"required"`
	Label    map[string]string `json:"label" doc:"by language; empty for the field's own"`
}

// FormConsent is a purpose that is asked for, with one box for all its channels.
type FormConsent struct {
	Purpose  string   `json:"purpose"`
	Channels []string `json:"channels"`
	Required bool     `json:"required"`
}

// FormCode is a poster or link by which people come.
type FormCode struct {
	Key      string `json:"key" doc:"of its address; empty for one that is made up"`
	Name     string `json:"name"`
	Store    string `json:"store" doc:"store that it hangs in, which becomes the customer's where he has none"`
	Source   string `json:"source"`
	Medium   string `json:"medium"`
	Campaign string `json:"campaign"`
}

// FormPlan is what a form asks and says.
type FormPlan struct {
	Locale    string               `json:"locale" doc:"of the words for languages that have none"`
	Words     map[string]FormWords `json:"words" doc:"by language: zh-CN, en"`
	Fields    []FormField          `json:"fields" doc:"a phone number or an address of mail among them, required"`
	Consents  []FormConsent        `json:"consents"`
	ThanksURL string               `json:"thanks_url" doc:"where to go afterwards; empty for the thanks of the words"`
	Privacy   string               `json:"privacy" doc:"address of the notice of privacy"`
	Contacts  bool                 `json:"contacts" doc:"fills in an empty phone number or address of mail of a known customer"`
	Offer     string               `json:"offer" doc:"given once for a confirmed address of mail; empty for none"`
	Origins   []string             `json:"origins" doc:"of sites that may show it in a frame"`
	Codes     []FormCode           `json:"codes"`
}

func (p *FormPlan) plan() form.Plan {
	out := form.Plan{Locale: p.Locale, Words: map[string]form.Words{}, ThanksURL: p.ThanksURL, Privacy: p.Privacy, Contacts: p.Contacts, Offer: p.Offer, Origins: p.Origins}
	for locale, v := range p.Words {
		out.Words[locale] = form.Words(v)
	}
	for _, v := range p.Fields {
		out.Fields = append(out.Fields, form.Field(v))
	}
	for _, v := range p.Consents {
		out.Consents = append(out.Consents, form.Consent(v))
	}
	for _, v := range p.Codes {
		out.Codes = append(out.Codes, form.Code(v))
	}
	return out
}

// FormSums are what became of a form, or of what came by one of its codes.
type FormSums struct {
	Shown     int64 `json:"shown" doc:"how often the page was opened, without robots"`
	Sent      int64 `json:"sent"`
	Made      int64 `json:"made" doc:"customers who were not known before"`
	Waiting   int64 `json:"waiting" doc:"whose mailed link was not used"`
	Confirmed int64 `json:"confirmed"`
	Gifts     int64 `json:"gifts"`
}

func (s *FormSums) add(x form.Sums) {
	s.Shown, s.Sent, s.Made = s.Shown+x.Shown, s.Sent+x.Sent, s.Made+x.Made
	s.Waiting, s.Confirmed, s.Gifts = s.Waiting+x.Waiting, s.Confirmed+x.Confirmed, s.Gifts+x.Gifts
}

// Form is one.
type Form struct {
	ID        string              `json:"id"`
	Name      string              `json:"name"`
	Status    string              `json:"status" enum:"draft,active,ended"`
	Address   string              `json:"address" doc:"of its public page"`
	Plan      FormPlan            `json:"plan"`
	Version   int64               `json:"version"`
	Sums      FormSums            `json:"sums"`
	Codes     map[string]FormSums `json:"codes" doc:"what came by each code; an empty key for what came by none"`
	CreatedAt time.Time           `json:"created_at"`
	UpdatedAt time.Time           `json:"updated_at"`
}

func (a *API) formAddress(c *call, f *form.Form) string {
	return a.base(c) + a.LandingPath + c.ws.Info.Key + "." + f.Key
}

func (a *API) showForm(c *call, f *form.Form, sums map[string]form.Sums) Form {
	p := &f.Plan
	out := Form{ID: id.Format(form.Prefix, f.ID), Name: f.Name, Status: string(f.Status), Address: a.formAddress(c, f), Version: f.Version, Codes: map[string]FormSums{}, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
		Plan: FormPlan{Locale: p.Locale, Words: map[string]FormWords{}, Fields: []FormField{}, Consents: []FormConsent{}, ThanksURL: p.ThanksURL, Privacy: p.Privacy, Contacts: p.Contacts, Offer: p.Offer, Origins: listed(p.Origins), Codes: []FormCode{}}}
	for locale, v := range p.Words {
		out.Plan.Words[locale] = FormWords(v)
	}
	for _, v := range p.Fields {
		if v.Label == nil {
			v.Label = map[string]string{}
		}
		out.Plan.Fields = append(out.Plan.Fields, FormField(v))
	}
	for _, v := range p.Consents {
		v.Channels = listed(v.Channels)
		out.Plan.Consents = append(out.Plan.Consents, FormConsent(v))
	}
	for _, v := range p.Codes {
		out.Plan.Codes = append(out.Plan.Codes, FormCode(v))
	}
	for code, x := range sums {
		one := FormSums{}
		one.add(x)
		out.Codes[code] = one
		out.Sums.add(x)
	}
	return out
}

// FormList is all of them.
type FormList struct {
	Items []Form `json:"items"`
}

func (a *API) listForms(ctx context.Context, c *call, _ struct{}) (FormList, error) {
	out := FormList{Items: []Form{}}
	list, sums, err := c.ws.Forms.List(ctx)
	for i := range list {
		out.Items = append(out.Items, a.showForm(c, &list[i], sums[list[i].ID]))
	}
	return out, err
}

type createFormIn struct {
	Body struct {
		Name string   `json:"name"`
		Plan FormPlan `json:"plan"`
	}
}

func (a *API) createForm(ctx context.Context, c *call, in createFormIn) (Form, error) {
	f, err := c.ws.Forms.Create(ctx, in.Body.Name, in.Body.Plan.plan())
	if err != nil {
		return Form{}, err
	}
	return a.showForm(c, &f, nil), nil
}

// FormInput is a field that a form may ask for.
type FormInput struct {
	Key      string       `json:"key"`
	Type     string       `json:"type"`
	Label    schema.Label `json:"label"`
	Personal bool         `json:"personal"`
}

// FormInputs are all of them.
type FormInputs struct {
	Items []FormInput `json:"items"`
}

func (a *API) formInputs(ctx context.Context, c *call, _ struct{}) (FormInputs, error) {
	out := FormInputs{Items: []FormInput{}}
	list, err := c.ws.Forms.Inputs(ctx)
	for _, v := range list {
		out.Items = append(out.Items, FormInput{Key: v.Key, Type: string(v.Type), Label: v.Label, Personal: v.Personal})
	}
	return out, err
}

func formID(text string) (id.ID, error) {
	v, err := id.Parse(form.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "form.not_found", nil)
	}
	return v, nil
}

func (a *API) getForm(ctx context.Context, c *call, in idIn) (Form, error) {
	key, err := formID(in.ID)
	if err != nil {
		return Form{}, err
	}
	f, sums, err := c.ws.Forms.Get(ctx, key)
	if err != nil {
		return Form{}, err
	}
	return a.showForm(c, &f, sums), nil
}

type patchFormIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		Name    string   `json:"name"`
		Status  string   `json:"status,omitempty" enum:"draft,active,ended"`
		Plan    FormPlan `json:"plan"`
		Version int64    `json:"version,omitempty"`
	}
}

func (a *API) patchForm(ctx context.Context, c *call, in patchFormIn) (Form, error) {
	key, err := formID(in.ID)
	if err != nil {
		return Form{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return Form{}, err
	}
	if _, err := c.ws.Forms.Update(ctx, key, version, in.Body.Name, form.Status(in.Body.Status), in.Body.Plan.plan()); err != nil {
		return Form{}, err
	}
	return a.getForm(ctx, c, idIn{ID: in.ID})
}

// FormSubmission is what somebody sent, without what was written: that stands in the customer's record.
type FormSubmission struct {
	ID          string          `json:"id"`
	Customer    string          `json:"customer"`
	Name        string          `json:"name" doc:"of the customer"`
	At          time.Time       `json:"at"`
	Made        bool            `json:"made" doc:"the customer was not known before"`
	Several     bool            `json:"several" doc:"several customers have what was written; the oldest was taken"`
	State       string          `json:"state" enum:"taken,waiting,confirmed"`
	ConfirmedAt *time.Time      `json:"confirmed_at"`
	Gift        string          `json:"gift" enum:",given,failed"`
	Code        string          `json:"code"`
	Source      string          `json:"source"`
	Medium      string          `json:"medium"`
	Campaign    string          `json:"campaign"`
	Referrer    string          `json:"referrer"`
	Filled      []string        `json:"filled" doc:"fields that were written"`
	Left        []string        `json:"left" doc:"fields that were told and stayed as they were"`
	Agreements  []FormAgreement `json:"agreements"`
}

// FormAgreement is what became of a consent.
type FormAgreement struct {
	Purpose string `json:"purpose"`
	Channel string `json:"channel"`
	What    string `json:"what" enum:"agreed,asked,unmailed,stands,said_no,not_asked,restricted"`
}

// FormSubmissions is a page of them.
type FormSubmissions struct {
	Items      []FormSubmission `json:"items"`
	NextCursor *string          `json:"next_cursor"`
}

type formSubmissionsIn struct {
	ID     string `path:"id"`
	State  string `query:"state" enum:",taken,waiting,confirmed,made,gift"`
	Code   string `query:"code" doc:"of a poster or link"`
	Traced bool   `query:"traced" doc:"only those of the source, campaign and months given"`
	Source string `query:"source"`
	Camp   string `query:"campaign"`
	From   string `query:"from" doc:"first month, 2026-01"`
	To     string `query:"to" doc:"last month"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" doc:"50 unless told, at most 200"`
}

func (a *API) formSubmissions(ctx context.Context, c *call, in formSubmissionsIn) (FormSubmissions, error) {
	out := FormSubmissions{Items: []FormSubmission{}}
	key, err := formID(in.ID)
	if err != nil {
		return out, err
	}
	ask := form.Ask{Form: key, State: in.State, Code: in.Code, Limit: in.Limit}
	if ask.Limit == 0 {
		ask.Limit = 50
	}
	if in.Traced {
		ask.Trace = &form.Traced{Source: in.Source, Campaign: in.Camp}
		if ask.Trace.From, ask.Trace.To, err = c.ws.Forms.Months(monthOf(in.From), monthOf(in.To)); err != nil {
			return out, err
		}
	}
	if in.Cursor != "" {
		if ask.Before, err = id.Parse(form.SubmissionPrefix, in.Cursor); err != nil {
			return out, fault.InvalidField("form.bad_cursor", "cursor", nil)
		}
	}
	list, more, err := c.ws.Forms.Submissions(ctx, ask)
	if err != nil {
		return out, err
	}
	prefix := c.ws.Registry().Object(query.Customer).Prefix
	for i := range list {
		s := &list[i]
		x := FormSubmission{ID: id.Format(form.SubmissionPrefix, s.ID), Customer: id.Format(prefix, s.Customer), Name: s.Name, At: s.At, Made: s.Made, Several: s.Told.Several, State: s.State, Gift: s.Gift, Code: s.Code,
			Source: s.Told.Trace.Source, Medium: s.Told.Trace.Medium, Campaign: s.Told.Trace.Campaign, Referrer: s.Told.Trace.Referrer, Filled: listed(s.Told.Filled), Left: listed(s.Told.Left), Agreements: []FormAgreement{}}
		if !s.ConfirmedAt.IsZero() {
			x.ConfirmedAt = &s.ConfirmedAt
		}
		for _, g := range s.Told.Agreements {
			x.Agreements = append(x.Agreements, FormAgreement(g))
		}
		out.Items = append(out.Items, x)
	}
	if more != 0 {
		text := id.Format(form.SubmissionPrefix, more)
		out.NextCursor = &text
	}
	return out, nil
}

type formCodeIn struct {
	ID     string `path:"id"`
	Code   string `query:"code" doc:"of a poster or link; empty for the plain address"`
	Format string `query:"format" enum:",svg,png" doc:"svg unless told"`
}

// coded is the address of a form by one of its codes.
func coded(address string, x form.Code) string {
	q := url.Values{}
	for key, v := range map[string]string{"utm_source": x.Source, "utm_medium": x.Medium, "utm_campaign": x.Campaign, "c": x.Key} {
		if v != "" {
			q.Set(key, v)
		}
	}
	if len(q) == 0 {
		return address
	}
	return address + "?" + q.Encode()
}

// pointsAModule makes pictures sharp on paper the width of a hand.
const pointsAModule = 16

func (a *API) formCode(ctx context.Context, c *call, in formCodeIn) (written, error) {
	key, err := formID(in.ID)
	if err != nil {
		return written{}, err
	}
	f, _, err := c.ws.Forms.Get(ctx, key)
	if err != nil {
		return written{}, err
	}
	x, ok := f.Plan.Code(in.Code)
	if !ok && in.Code != "" {
		return written{}, fault.New(fault.NotFound, "form.no_code", nil)
	}
	code, err := qr.Encode(coded(a.formAddress(c, &f), x), qr.M)
	if err != nil {
		return written{}, fmt.Errorf("draw square code: %w", err)
	}
	body, kind := []byte(drawn(code)), "image/svg+xml"
	if in.Format == "png" {
		code.Scale = pointsAModule
		body, kind = code.PNG(), "image/png"
	} else {
		in.Format = "svg"
	}
	name := "form"
	if x.Key != "" {
		name += "-" + x.Key
	}
	h := c.w.Header()
	h.Set("Content-Disposition", `attachment; filename="`+name+`.`+in.Format+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Type", kind)
	c.status = http.StatusOK
	_, err = c.w.Write(body)
	return written{}, err
}
