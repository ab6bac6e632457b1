// Package template is what is written to many people: the document of a mail, made of blocks, or the text of a short message, in one or
// more languages, with places that are filled in for each person.
//
// Places are written in a small part of Liquid (Parse): values with filters, if, unless, for. The part is chosen so that a rendering ends:
// nothing in it repeats but lists that are given, and steps, depth and output are bounded. Every value that is put out is escaped for the
// place where it stands. A value that may be missing needs a fallback: Check says where there is none, and which fields nobody knows.
//
// A document is compiled once (Compile) and rendered for each person (Letter.Render) in a few microseconds; links are handed out one by one,
// so that the caller can count who follows them. The HTML is tables and styles in place, 600 pixels wide at most, and gives mail programs
// what they need for dark screens; its text form says the same.
//
// Versions are written once and never change: what was sent can be read years later. The package knows no SQL and no HTTP.
package template

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Prefix of printed ids.
const Prefix = "tpl"

// The channels of templates.
const (
	Email = "email"
	SMS   = "sms"
)

// Kind is the kind of a block.
type Kind string

// The kinds of blocks.
const (
	Heading  Kind = "heading"
	Text     Kind = "text"
	Button   Kind = "button"
	Picture  Kind = "image"
	Divider  Kind = "divider"
	Columns  Kind = "columns"
	Products Kind = "products"
	Coupon   Kind = "coupon"
)

// Block is a part of a mail.
type Block struct {
	Kind  Kind    `json:"kind"`
	Text  string  `json:"text,omitempty"` // of a heading, a text (**bold**, [label](address)), a button; what a picture shows
	URL   string  `json:"url,omitempty"`  // of a button, a picture that is a link, or the products
	Image string  `json:"image,omitempty"`
	Count int     `json:"count,omitempty"` // of products
	Left  []Block `json:"left,omitempty"`
	Right []Block `json:"right,omitempty"`
}

// Document is what is said in one language. A short message is its Text alone.
type Document struct {
	Subject   string  `json:"subject,omitempty"`
	Preheader string  `json:"preheader,omitempty"`
	Blocks    []Block `json:"blocks,omitempty"`
	Text      string  `json:"text,omitempty"`
	Offer     string  `json:"offer,omitempty"` // whose code each reader gets: {{ coupon.code }}
	// Code is what a provider of short messages calls the text that it approved, Params are the values for its places, in their order.
	Code   string  `json:"code,omitempty"`
	Params []Param `json:"params,omitempty"`
}

// Param is a value for a place of a provider's text.
type Param struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Body is a version: a document for each language, and the one that holds for the others.
type Body struct {
	Locale    string              `json:"locale"`
	Documents map[string]Document `json:"documents"`
}

// In is the document for a language, and which language it is in.
func (b *Body) In(locale string) (Document, string) {
	if d, ok := b.Documents[locale]; ok && locale != "" {
		return d, locale
	}
	return b.Documents[b.Locale], b.Locale
}

// Template is one with its latest version.
type Template struct {
	ID                   id.ID
	Name, Channel        string
	Version              int64
	Body                 Body
	Archived             bool
	CreatedBy, UpdatedBy id.ID
	CreatedAt, UpdatedAt time.Time
}

// Past is an earlier version.
type Past struct {
	Version int64
	By      id.ID
	At      time.Time
}

// Store keeps templates.
type Store interface {
	Templates(ctx context.Context) ([]Template, error)
	// Template is one in a version, 0 for the latest. NotFound template.not_found.
	Template(ctx context.Context, key id.ID, version int64) (Template, error)
	Insert(ctx context.Context, t Template) error
	// Save writes a new version over version t.Version-1, or the name and whether it is archived alone when body is false. Stale template.stale.
	Save(ctx context.Context, t Template, body bool) error
	Versions(ctx context.Context, key id.ID) ([]Past, error)
}

// Config is what a Service needs.
type Config struct {
	Store Store
	Clock clock.Clock
	IDs   *id.Generator
	// Known says which values there are: a path to whether everybody has it.
	Known func(ctx context.Context) map[string]bool
	// Offer says whether there is an offer of that printed id.
	Offer func(ctx context.Context, key string) bool
	Note  func(ctx context.Context, action string, key id.ID, detail map[string]any) error
}

// Service keeps the templates of one workspace. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg} }

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

// List are all of them, the newest change first.
func (s *Service) List(ctx context.Context) ([]Template, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Templates(ctx)
}

// Get is one in a version, 0 for the latest.
func (s *Service) Get(ctx context.Context, key id.ID, version int64) (Template, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Template{}, err
	}
	return s.cfg.Store.Template(ctx, key, version)
}

// Versions of one, the newest first.
func (s *Service) Versions(ctx context.Context, key id.ID) ([]Past, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Versions(ctx, key)
}

const maxName = 100

// Create makes one. Faults: template.invalid with every place that needs a change.
func (s *Service) Create(ctx context.Context, name, channel string, body Body) (Template, error) {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return Template{}, err
	}
	now := s.cfg.Clock.Now().UTC().Truncate(time.Millisecond)
	who := access.From(ctx).ID
	t := Template{ID: s.cfg.IDs.Next(), Name: strings.TrimSpace(name), Channel: channel, Version: 1, Body: body, CreatedBy: who, UpdatedBy: who, CreatedAt: now, UpdatedAt: now}
	if err := s.check(ctx, &t); err != nil {
		return Template{}, err
	}
	if err := s.cfg.Store.Insert(ctx, t); err != nil {
		return Template{}, err
	}
	return t, s.cfg.Note(ctx, "template.create", t.ID, map[string]any{"name": t.Name})
}

// Change is what Update may change; nil leaves it.
type Change struct {
	Name     *string
	Archived *bool
	Body     *Body
}

// Update changes one over the version that the caller saw.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, c Change) (Template, error) {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return Template{}, err
	}
	t, err := s.cfg.Store.Template(ctx, key, 0)
	if err != nil {
		return t, err
	}
	if version != t.Version {
		return t, fault.New(fault.Stale, "template.stale", nil)
	}
	if c.Name != nil {
		t.Name = strings.TrimSpace(*c.Name)
	}
	if c.Archived != nil {
		t.Archived = *c.Archived
	}
	if c.Body != nil {
		t.Body = *c.Body
		t.Version++
	}
	if err := s.check(ctx, &t); err != nil {
		return t, err
	}
	t.UpdatedBy, t.UpdatedAt = access.From(ctx).ID, s.cfg.Clock.Now().UTC().Truncate(time.Millisecond)
	if err := s.cfg.Store.Save(ctx, t, c.Body != nil); err != nil {
		return t, err
	}
	return t, s.cfg.Note(ctx, "template.update", t.ID, map[string]any{"version": t.Version})
}

func (s *Service) check(ctx context.Context, t *Template) error {
	var bad []*fault.Fault
	if t.Name == "" || utf8.RuneCountInString(t.Name) > maxName {
		bad = append(bad, fault.InvalidField("template.bad_name", "name", fault.Params{"max": maxName}))
	}
	if t.Channel != Email && t.Channel != SMS {
		bad = append(bad, fault.InvalidField("template.bad_channel", "channel", nil))
	}
	for _, f := range s.Check(ctx, t.Channel, &t.Body) {
		if f.Severe {
			bad = append(bad, fault.InvalidField("template."+f.Code, f.At, fault.Params{"what": f.What, "line": f.Line}))
		}
	}
	if f := fault.Join("template.invalid", bad); f != nil {
		return f
	}
	return nil
}

// Finding is something about a place of a body: Severe ones keep it from being saved, the others are to be looked at.
type Finding struct {
	At, Code, What string
	Line           int
	Severe         bool
}

// Check looks a body over: what cannot be read, fields that nobody knows, values that may be missing and say nothing instead.
func (s *Service) Check(ctx context.Context, channel string, b *Body) []Finding {
	var out []Finding
	if _, ok := b.Documents[b.Locale]; !ok || len(b.Documents) == 0 {
		return []Finding{{At: "documents", Code: "no_document", Severe: true}}
	}
	known := s.cfg.Known(ctx)
	locales := make([]string, 0, len(b.Documents))
	for locale := range b.Documents {
		locales = append(locales, locale)
	}
	slices.Sort(locales)
	for _, locale := range locales {
		at := "documents." + locale
		if locale != string(lang.ChineseSimplified) && locale != string(lang.English) {
			out = append(out, Finding{At: at, Code: "bad_locale", What: locale, Severe: true})
			continue
		}
		doc := b.Documents[locale]
		if doc.Offer != "" && !s.cfg.Offer(ctx, doc.Offer) {
			out = append(out, Finding{At: at + ".offer", Code: "unknown_offer", Severe: true})
		}
		_, found := Compile(channel, doc, locale)
		for _, f := range found {
			if f.Code == "use" {
				f.Code = ""
				if all, ok := known[f.What]; doc.Offer == "" && strings.HasPrefix(f.What, couponValues) {
					f.Code, f.Severe = "no_offer", true
				} else if !ok {
					f.Code, f.Severe = "unknown_field", true
				} else if !all && f.Line >= 0 {
					f.Code = "no_fallback"
				}
				f.Line = max(f.Line, 0)
			}
			if f.Code != "" {
				if f.At = at + "." + f.At; f.Code == "no_offer" { // once is enough
					f.What, f.Line = "", 0
				}
				if !slices.Contains(out, f) {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// Values of the code that a reader gets, and of traits.
const (
	couponValues = "coupon."
	traitValues  = "traits."
)

// Fields are what templates may speak of, in a fixed order.
func (s *Service) Fields(ctx context.Context) []string {
	var out []string
	for key := range s.cfg.Known(ctx) {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}
