package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

func (a *API) templateRoutes() []route {
	r, w := access.CampaignRead, access.CampaignWrite
	return []route{
		{method: get, path: "/templates", need: right, right: r, run: op(a.listTemplates), doc: "Templates of messages, the last change first"},
		{method: post, path: "/templates", need: right, right: w, run: op(a.createTemplate), doc: "Write a template", status: http.StatusCreated},
		{method: get, path: "/templates/{id}", need: right, right: r, run: op(a.getTemplate), doc: "One template, in its latest version or an earlier one"},
		{method: patch, path: "/templates/{id}", need: right, right: w, run: op(a.patchTemplate), doc: "Change a template; another text is another version"},
		{method: get, path: "/templates/{id}/versions", need: right, right: r, run: op(a.templateVersions), doc: "Versions of a template, the newest first"},
		{method: post, path: "/templates/{id}/test", need: right, right: w, run: op(a.testTemplate), doc: "Send a template to myself as a customer would get it", status: http.StatusOK},
		{method: post, path: "/templates/preview", need: right, right: r, run: op(a.previewTemplate), doc: "What a template says to a customer, with what is to be looked at", secret: true, status: http.StatusOK},
	}
}

// TemplateBlock is a part of a mail.
type TemplateBlock struct {
	Kind  string          `json:"kind" enum:"heading,text,button,image,divider,columns,products,coupon"`
	Text  string          `json:"text,omitempty" doc:"**bold** and [label](address) in texts; fields as {{ customer.name }}"`
	URL   string          `json:"url,omitempty"`
	Image string          `json:"image,omitempty"`
	Count int             `json:"count,omitempty"`
	Left  []TemplateInner `json:"left,omitempty"`
	Right []TemplateInner `json:"right,omitempty"`
}

// TemplateInner is a block in a column.
type TemplateInner struct {
	Kind  string `json:"kind" enum:"heading,text,button,image,divider,products,coupon"`
	Text  string `json:"text,omitempty"`
	URL   string `json:"url,omitempty"`
	Image string `json:"image,omitempty"`
	Count int    `json:"count,omitempty"`
}

// TemplateDocument is what is said in one language.
type TemplateDocument struct {
	Subject   string          `json:"subject,omitempty"`
	Preheader string          `json:"preheader,omitempty"`
	Blocks    []TemplateBlock `json:"blocks,omitempty"`
	Text      string          `json:"text,omitempty" doc:"of a short message"`
	Offer     string          `json:"offer,omitempty" doc:"each reader gets a code of it: {{ coupon.code }}"`
	Code      string          `json:"code,omitempty" doc:"of a short message: what the provider calls the text that it approved"`
	Params    []ParamValue    `json:"params,omitempty" doc:"of a short message: values for the places of the provider's text, in their order"`
}

// TemplateBody is a version.
type TemplateBody struct {
	Locale    string                      `json:"locale" doc:"of the document for languages that have none"`
	Documents map[string]TemplateDocument `json:"documents" doc:"by language: zh-CN, en"`
}

func (b *TemplateBody) body() template.Body {
	out := template.Body{Locale: b.Locale, Documents: map[string]template.Document{}}
	inner := func(list []TemplateInner) []template.Block {
		var out []template.Block
		for _, x := range list {
			out = append(out, template.Block{Kind: template.Kind(x.Kind), Text: x.Text, URL: x.URL, Image: x.Image, Count: x.Count})
		}
		return out
	}
	for locale, d := range b.Documents {
		doc := template.Document{Subject: d.Subject, Preheader: d.Preheader, Text: d.Text, Offer: d.Offer, Code: d.Code}
		for _, p := range d.Params {
			doc.Params = append(doc.Params, template.Param(p))
		}
		for _, x := range d.Blocks {
			doc.Blocks = append(doc.Blocks, template.Block{Kind: template.Kind(x.Kind), Text: x.Text, URL: x.URL, Image: x.Image, Count: x.Count, Left: inner(x.Left), Right: inner(x.Right)})
		}
		out.Documents[locale] = doc
	}
	return out
}

func showBody(b *template.Body) TemplateBody {
	out := TemplateBody{Locale: b.Locale, Documents: map[string]TemplateDocument{}}
	inner := func(list []template.Block) []TemplateInner {
		var out []TemplateInner
		for _, x := range list {
			out = append(out, TemplateInner{Kind: string(x.Kind), Text: x.Text, URL: x.URL, Image: x.Image, Count: x.Count})
		}
		return out
	}
	for locale, d := range b.Documents {
		doc := TemplateDocument{Subject: d.Subject, Preheader: d.Preheader, Text: d.Text, Offer: d.Offer, Code: d.Code}
		for _, p := range d.Params {
			doc.Params = append(doc.Params, ParamValue(p))
		}
		for _, x := range d.Blocks {
			doc.Blocks = append(doc.Blocks, TemplateBlock{Kind: string(x.Kind), Text: x.Text, URL: x.URL, Image: x.Image, Count: x.Count, Left: inner(x.Left), Right: inner(x.Right)})
		}
		out.Documents[locale] = doc
	}
	return out
}

// MessageTemplate is what is written to many people.
type MessageTemplate struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Channel   string       `json:"channel" enum:"email,sms"`
	Version   int64        `json:"version"`
	Archived  bool         `json:"archived"`
	Body      TemplateBody `json:"body"`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
	UpdatedBy Ref          `json:"updated_by"`
}

// TemplateList is all of them.
type TemplateList struct {
	Items []MessageTemplate `json:"items"`
}

func (c *call) showTemplates(ctx context.Context, list []template.Template) ([]MessageTemplate, error) {
	people := make([]id.ID, 0, len(list))
	for i := range list {
		people = append(people, list[i].UpdatedBy)
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	out := make([]MessageTemplate, len(list))
	for i := range list {
		t := &list[i]
		out[i] = MessageTemplate{ID: id.Format(template.Prefix, t.ID), Name: t.Name, Channel: t.Channel, Version: t.Version, Archived: t.Archived, Body: showBody(&t.Body), CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
			UpdatedBy: personRef(t.UpdatedBy, names)}
	}
	return out, nil
}

func (c *call) showTemplate(ctx context.Context, t template.Template, err error) (MessageTemplate, error) {
	if err != nil {
		return MessageTemplate{}, err
	}
	list, err := c.showTemplates(ctx, []template.Template{t})
	if err != nil {
		return MessageTemplate{}, err
	}
	return list[0], nil
}

func templateID(text string) (id.ID, error) {
	v, err := id.Parse(template.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "template.not_found", nil)
	}
	return v, nil
}

func (a *API) listTemplates(ctx context.Context, c *call, _ struct{}) (TemplateList, error) {
	list, err := c.ws.Templates.List(ctx)
	if err != nil {
		return TemplateList{}, err
	}
	items, err := c.showTemplates(ctx, list)
	return TemplateList{items}, err
}

type createTemplateIn struct {
	Body struct {
		Name    string       `json:"name"`
		Channel string       `json:"channel" enum:"email,sms"`
		Body    TemplateBody `json:"body"`
	}
}

func (a *API) createTemplate(ctx context.Context, c *call, in createTemplateIn) (MessageTemplate, error) {
	t, err := c.ws.Templates.Create(ctx, in.Body.Name, in.Body.Channel, in.Body.Body.body())
	return c.showTemplate(ctx, t, err)
}

type versionedTemplateIn struct {
	ID      string `path:"id"`
	Version int64  `query:"version" doc:"the latest when empty"`
}

func (a *API) getTemplate(ctx context.Context, c *call, in versionedTemplateIn) (MessageTemplate, error) {
	key, err := templateID(in.ID)
	if err != nil {
		return MessageTemplate{}, err
	}
	t, err := c.ws.Templates.Get(ctx, key, in.Version)
	return c.showTemplate(ctx, t, err)
}

type patchTemplateIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		Name     *string       `json:"name,omitempty"`
		Archived *bool         `json:"archived,omitempty"`
		Body     *TemplateBody `json:"body,omitempty"`
		Version  int64         `json:"version,omitempty"`
	}
}

func (a *API) patchTemplate(ctx context.Context, c *call, in patchTemplateIn) (MessageTemplate, error) {
	key, err := templateID(in.ID)
	if err != nil {
		return MessageTemplate{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return MessageTemplate{}, err
	}
	change := template.Change{Name: in.Body.Name, Archived: in.Body.Archived}
	if in.Body.Body != nil {
		body := in.Body.Body.body()
		change.Body = &body
	}
	t, err := c.ws.Templates.Update(ctx, key, version, change)
	return c.showTemplate(ctx, t, err)
}

// TemplatePast is an earlier version.
type TemplatePast struct {
	Version int64     `json:"version"`
	By      Ref       `json:"by"`
	At      time.Time `json:"at"`
}

// TemplateVersions are all of one.
type TemplateVersions struct {
	Items []TemplatePast `json:"items"`
}

func (a *API) templateVersions(ctx context.Context, c *call, in idIn) (TemplateVersions, error) {
	out := TemplateVersions{Items: []TemplatePast{}}
	key, err := templateID(in.ID)
	if err != nil {
		return out, err
	}
	list, err := c.ws.Templates.Versions(ctx, key)
	if err != nil {
		return out, err
	}
	var people []id.ID
	for _, p := range list {
		people = append(people, p.By)
	}
	names, err := c.userNames(ctx, people...)
	for _, p := range list {
		out.Items = append(out.Items, TemplatePast{p.Version, personRef(p.By, names), p.At})
	}
	return out, err
}

type previewTemplateIn struct {
	Body struct {
		Channel  string       `json:"channel" enum:"email,sms"`
		Body     TemplateBody `json:"body"`
		Locale   string       `json:"locale"`
		Customer string       `json:"customer,omitempty" doc:"nobody when empty: everything that may be missing is"`
	}
}

// TemplateFinding is something about a place of a template.
type TemplateFinding struct {
	At     string `json:"at"`
	Code   string `json:"code"`
	What   string `json:"what"`
	Line   int    `json:"line"`
	Severe bool   `json:"severe" doc:"it keeps the template from being saved"`
	Text   string `json:"text" doc:"in words"`
}

// TemplatePreview is a message as somebody gets it.
type TemplatePreview struct {
	Subject  string            `json:"subject"`
	HTML     string            `json:"html"`
	Text     string            `json:"text"`
	Length   TemplateLength    `json:"length" doc:"of a short message with its signature and its words for opting out"`
	Signed   bool              `json:"signed" doc:"there is an account whose signature was added"`
	Price    int64             `json:"price" doc:"of the short message, thousandths of a minor unit"`
	Params   []ParamValue      `json:"params" doc:"values for the places of a provider's text"`
	Findings []TemplateFinding `json:"findings"`
	Fields   []TemplateField   `json:"fields" doc:"what templates may speak of"`
}

// TemplateField is a value that templates may speak of.
type TemplateField struct {
	Path  string `json:"path"`
	Label string `json:"label"`
}

// templateFields are those with their names in the reader's language.
func (a *API) templateFields(ctx context.Context, c *call) []TemplateField {
	out := []TemplateField{}
	locale := localeOf(c.locale)
	customer := c.ws.Registry().Object(query.Customer)
	for _, path := range c.ws.Templates.Fields(ctx) {
		v := TemplateField{Path: path}
		of, key, _ := strings.Cut(path, ".")
		switch of {
		case "customer":
			v.Label = customer.Field(key).Label.In(locale)
		case "traits":
			d, _ := c.ws.Catalogue().Find(key)
			v.Label = d.Label.In(locale)
		default:
			v.Label = a.Words.Text(locale, "template.value_"+strings.ReplaceAll(path, ".", "_"), nil)
		}
		out = append(out, v)
	}
	return out
}

// TemplateLength is how networks count a short message.
type TemplateLength struct {
	Coding string `json:"coding" enum:",gsm7,ucs2"`
	Units  int    `json:"units"`
	Parts  int    `json:"parts"`
	Room   int    `json:"room"`
}

func (a *API) previewTemplate(ctx context.Context, c *call, in previewTemplateIn) (TemplatePreview, error) {
	body := in.Body.Body.body()
	out := TemplatePreview{Findings: []TemplateFinding{}, Params: []ParamValue{}, Fields: a.templateFields(ctx, c)}
	severe := false
	for _, f := range c.ws.Templates.Check(ctx, in.Body.Channel, &body) {
		severe = severe || f.Severe
		out.Findings = append(out.Findings, TemplateFinding{f.At, f.Code, f.What, f.Line, f.Severe, a.Words.Text(localeOf(c.locale), "template."+f.Code, fault.Params{"what": f.What, "line": f.Line, "max": f.What})})
	}
	if severe {
		return out, nil
	}
	var customer id.ID
	if in.Body.Customer != "" {
		var err error
		if customer, err = c.customerID(in.Body.Customer); err != nil {
			return out, err
		}
	}
	r, err := c.ws.CampaignWriter.Draft(ctx, in.Body.Channel, &body, in.Body.Locale, customer)
	if err != nil {
		return out, err
	}
	out.Subject, out.HTML, out.Text = r.Subject, r.HTML, r.Text
	if in.Body.Channel == template.SMS {
		if out.Text, out.Price, out.Signed, err = c.ws.CampaignWriter.Signed(ctx, r.Text); err != nil {
			return out, err
		}
		out.Length = TemplateLength(template.Measure(out.Text))
		out.Price *= int64(out.Length.Parts)
		for _, p := range r.Params {
			out.Params = append(out.Params, ParamValue(p))
		}
	}
	return out, nil
}

type testTemplateIn struct {
	ID   string `path:"id"`
	Body struct {
		Locale   string `json:"locale,omitempty"`
		Customer string `json:"customer,omitempty"`
	}
}

// TestSent says where a test went.
type TestSent struct {
	To string `json:"to"`
}

func (a *API) testTemplate(ctx context.Context, c *call, in testTemplateIn) (TestSent, error) {
	key, err := templateID(in.ID)
	if err != nil {
		return TestSent{}, err
	}
	t, err := c.ws.Templates.Get(ctx, key, 0)
	if err != nil {
		return TestSent{}, err
	}
	if t.Channel != template.Email || !slices.Contains([]access.ActorKind{access.ByUser}, c.who.Actor.Kind) {
		return TestSent{}, fault.New(fault.Conflict, "template.no_test", nil)
	}
	var customer id.ID
	if in.Body.Customer != "" {
		if customer, err = c.customerID(in.Body.Customer); err != nil {
			return TestSent{}, err
		}
	}
	to := mail.Address{Name: c.who.Actor.Name, Email: c.who.User.Email}
	err = c.ws.CampaignWriter.Test(ctx, &t, in.Body.Locale, customer, to, fmt.Sprintf("test:%s:%d", id.Format(template.Prefix, t.ID), a.Clock.Now().UnixNano()))
	return TestSent{to.Email}, err
}
