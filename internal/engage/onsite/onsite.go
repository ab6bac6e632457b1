// Package onsite is what a website shows to its visitors on behalf of the company: pop-ups and banners, drawn by the tracker.
//
// A plan says what is shown, where, when, to whom and how often. Whom: everybody, visitors whom nobody knows included, or members of segments. Whoever asks by
// the key of a page can say to be anybody, so a browser gets what is for members only where a source with a secret key named the browser and the customer
// together. A customer who refused to have things chosen for him gets what everybody gets. How often is kept by the browser, since nothing is kept of
// visitors who agreed to nothing; those see a message on the first page of a visit at most.
//
// What became of messages is told by the events of promotions, which the tracker sends.
package onsite

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Prefix of printed ids.
const Prefix = "osm"

// The events that tell what became of a message; their property promotion_id is its printed id.
const (
	Viewed    = "Promotion Viewed"
	Clicked   = "Promotion Clicked"
	Dismissed = "Promotion Dismissed"
)

// The kinds.
const (
	Popup  = "popup"
	Banner = "banner"
)

// When a message comes on a page.
const (
	OnLoad   = "load"   // After seconds
	OnScroll = "scroll" // After percent of the page
	OnLeave  = "leave"  // the pointer leaves for the bar of addresses; never on phones
)

// Status of a message.
type Status string

// The statuses.
const (
	Draft  Status = "draft"
	Active Status = "active"
	Ended  Status = "ended"
)

// Words are what is said in one language.
type Words struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Button string `json:"button"`
	URL    string `json:"url"`
	Image  string `json:"image"`
}

// Plan is what is shown, where, when and to whom. Empty lists and zeros bound nothing.
type Plan struct {
	Kind     string           `json:"kind"`
	Locale   string           `json:"locale"` // of the words for languages that have none
	Words    map[string]Words `json:"words"`
	Sources  []string         `json:"sources"` // printed ids of web sources
	Paths    []string         `json:"paths"`   // of pages: * stands for anything
	On       string           `json:"on"`
	After    int              `json:"after"`
	Segments []string         `json:"segments"`
	Except   []string         `json:"except"`
	From     string           `json:"from"` // local days, both included
	To       string           `json:"to"`
	PerDay   int              `json:"per_day"` // of one browser
	Total    int              `json:"total"`   // of one browser
	Rank     int              `json:"rank"`    // lower ones first: one message at a time
}

// Message is one.
type Message struct {
	ID                   id.ID
	Name                 string
	Status               Status
	Plan                 Plan
	Version              int64
	CreatedBy, UpdatedBy id.ID
	CreatedAt, UpdatedAt time.Time
}

// Sums is what became of a message: how often, and of how many visitors.
type Sums struct {
	Viewed, Viewers     int64
	Clicked, Clickers   int64
	Dismissed, Refusers int64
}

// Store keeps messages.
type Store interface {
	Messages(ctx context.Context) ([]Message, error)
	// Message is one; NotFound onsite.not_found.
	Message(ctx context.Context, key id.ID) (Message, error)
	Insert(ctx context.Context, m Message) error
	// Update writes over the version before; Stale onsite.stale.
	Update(ctx context.Context, m Message) error
}

// People knows who is behind a browser.
type People interface {
	// Behind is the customer of whom it is proven that a browser is his, 0 for nobody, and whether things may be chosen for him.
	Behind(ctx context.Context, browser string) (customer id.ID, chosen bool, err error)
	InSegment(ctx context.Context, customer id.ID, segments []string) (bool, error)
	// Exists refuses a segment that is not there.
	Exists(ctx context.Context, segment string) error
}

// Figures counts events.
type Figures interface {
	Promotions(ctx context.Context) (map[string]Sums, error)
}

// Config is what a Service is made of.
type Config struct {
	Store   Store
	People  People
	Figures Figures
	Clock   clock.Clock
	Zone    func() *time.Location
	IDs     *id.Generator
	Note    func(ctx context.Context, action string, key id.ID, detail map[string]any) error
}

// Service keeps messages and answers browsers. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu   sync.Mutex
	kept []Message
	at   time.Time
}

// New makes one.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

// List are all of them, the newest first.
func (s *Service) List(ctx context.Context) ([]Message, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Messages(ctx)
}

// Get is one.
func (s *Service) Get(ctx context.Context, key id.ID) (Message, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Message{}, err
	}
	return s.cfg.Store.Message(ctx, key)
}

// Sums are what became of messages, by printed id.
func (s *Service) Sums(ctx context.Context) (map[string]Sums, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Figures.Promotions(ctx)
}

// Create makes a draft. Faults: onsite.invalid with every place that needs a change.
func (s *Service) Create(ctx context.Context, name string, p Plan) (Message, error) {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return Message{}, err
	}
	now, who := s.cfg.Clock.Now(), access.From(ctx).ID
	m := Message{ID: s.cfg.IDs.Next(), Name: strings.TrimSpace(name), Status: Draft, Plan: p, Version: 1, CreatedBy: who, UpdatedBy: who, CreatedAt: now, UpdatedAt: now}
	if err := s.check(ctx, &m); err != nil {
		return m, err
	}
	if err := s.cfg.Store.Insert(ctx, m); err != nil {
		return m, err
	}
	return m, s.cfg.Note(ctx, "onsite.create", m.ID, map[string]any{"name": m.Name})
}

// Update changes a message over the version that the caller saw. One that shows needs the right to start campaigns.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, name string, status Status, p Plan) (Message, error) {
	m, err := s.Get(ctx, key)
	if err != nil {
		return m, err
	}
	right := access.CampaignWrite
	if status == Active || m.Status == Active {
		right = access.CampaignSend
	}
	if err := may(ctx, right); err != nil {
		return m, err
	}
	if m.Version != version {
		return m, fault.New(fault.Stale, "onsite.stale", nil)
	}
	if status == "" {
		status = m.Status
	}
	if status != m.Status && status != Active && status != Ended {
		return m, fault.InvalidField("onsite.bad_status", "status", nil)
	}
	m.Name, m.Status, m.Plan, m.UpdatedBy, m.UpdatedAt = strings.TrimSpace(name), status, p, access.From(ctx).ID, s.cfg.Clock.Now()
	m.Version++
	if err := s.check(ctx, &m); err != nil {
		return m, err
	}
	if err := s.cfg.Store.Update(ctx, m); err != nil {
		return m, err
	}
	s.mu.Lock()
	s.at = time.Time{}
	s.mu.Unlock()
	return m, s.cfg.Note(ctx, "onsite.update", m.ID, map[string]any{"name": m.Name, "status": string(status)})
}

// Bounds.
const (
	maxName  = 100
	maxTitle = 80
	maxText  = 400
	maxLabel = 30
	maxURL   = 2000
	maxList  = 50
	maxAfter = 600
	maxTimes = 1000
)

func (s *Service) check(ctx context.Context, m *Message) error {
	var bad []*fault.Fault
	add := func(code, field string, p fault.Params) {
		bad = append(bad, fault.InvalidField("onsite."+code, field, p))
	}
	long := func(text string, most int) bool { return len([]rune(text)) > most }
	if m.Name == "" || long(m.Name, maxName) {
		add("bad_name", "name", fault.Params{"max": maxName})
	}
	p := &m.Plan
	if p.Kind != Popup && p.Kind != Banner {
		add("bad_kind", "plan.kind", nil)
	}
	if _, ok := p.Words[p.Locale]; !ok {
		add("no_words", "plan.words", nil)
	}
	for locale, w := range p.Words {
		at := "plan.words." + locale + "."
		if locale != string(lang.ChineseSimplified) && locale != string(lang.English) {
			add("bad_locale", "plan.words", nil)
		}
		if strings.TrimSpace(w.Title) == "" || long(w.Title, maxTitle) {
			add("bad_title", at+"title", fault.Params{"max": maxTitle})
		}
		if long(w.Text, maxText) {
			add("too_long", at+"text", fault.Params{"max": maxText})
		}
		if long(w.Button, maxLabel) {
			add("too_long", at+"button", fault.Params{"max": maxLabel})
		}
		if (w.Button == "") != (w.URL == "") || w.URL != "" && !leads(w.URL) {
			add("bad_url", at+"url", nil)
		}
		if w.Image != "" && !web(w.Image) {
			add("bad_url", at+"image", nil)
		}
	}
	if p.On != OnLoad && p.On != OnScroll && p.On != OnLeave || p.After < 0 || p.After > maxAfter || p.On == OnScroll && p.After > 100 {
		add("bad_moment", "plan.after", fault.Params{"max": maxAfter})
	}
	if p.PerDay < 0 || p.PerDay > maxTimes || p.Total < 0 || p.Total > maxTimes || p.Rank < 0 || p.Rank > maxTimes {
		add("bad_times", "plan.total", fault.Params{"max": maxTimes})
	}
	for field, list := range map[string][]string{"plan.paths": p.Paths, "plan.sources": p.Sources, "plan.segments": p.Segments, "plan.except": p.Except} {
		if len(list) > maxList || slices.ContainsFunc(list, func(v string) bool { return strings.TrimSpace(v) == "" || len(v) > maxURL }) {
			add("bad_list", field, fault.Params{"max": maxList})
		}
	}
	for _, path := range p.Paths {
		if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "*") {
			add("bad_path", "plan.paths", nil)
			break
		}
	}
	for field, list := range map[string][]string{"plan.segments": p.Segments, "plan.except": p.Except} {
		for _, key := range list {
			if err := s.cfg.People.Exists(ctx, key); err != nil {
				add("bad_segment", field, fault.Params{"key": key})
			}
		}
	}
	from, errFrom := dayOf(p.From, 0)
	to, errTo := dayOf(p.To, 1<<30)
	if errFrom != nil || errTo != nil || from > to {
		add("bad_days", "plan.from", nil)
	}
	slices.SortFunc(bad, func(a, b *fault.Fault) int { return cmp.Compare(a.Field, b.Field) })
	if f := fault.Join("onsite.invalid", bad); f != nil {
		return f
	}
	return nil
}

func dayOf(s string, none clock.Day) (clock.Day, error) {
	if s == "" {
		return none, nil
	}
	return clock.ParseDay(s)
}

func web(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(address) <= maxURL
}

// leads reports an address that a button may lead to: of the web, or a path of the site.
func leads(address string) bool {
	return web(address) || strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.HasPrefix(address, "/\\") && len(address) <= maxURL
}

// keptFor is how long a process answers by what it read: as long as another may take to change a message everywhere.
const keptFor = 5 * time.Second

func (s *Service) active(ctx context.Context) ([]Message, error) {
	now := s.cfg.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.at.IsZero() && now.Sub(s.at) < keptFor && !now.Before(s.at) {
		return s.kept, nil
	}
	all, err := s.cfg.Store.Messages(ctx)
	if err != nil {
		return nil, err
	}
	s.kept = slices.DeleteFunc(all, func(m Message) bool { return m.Status != Active })
	slices.SortStableFunc(s.kept, func(a, b Message) int { return cmp.Or(cmp.Compare(a.Plan.Rank, b.Plan.Rank), cmp.Compare(b.ID, a.ID)) })
	s.at = now
	return s.kept, nil
}

// For are the messages for a browser on a site, the first to be shown first. It says nothing that the browser does not show.
func (s *Service) For(ctx context.Context, source id.ID, browser string) ([]Message, error) {
	list, err := s.active(ctx)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	today := clock.DayOf(s.cfg.Clock.Now(), s.cfg.Zone())
	var out []Message
	asked, customer, chosen := false, id.ID(0), false
	for i := range list {
		p := &list[i].Plan
		from, _ := dayOf(p.From, 0) // they were checked when it was saved
		to, _ := dayOf(p.To, 1<<30)
		if today < from || today > to || len(p.Sources) > 0 && !slices.Contains(p.Sources, id.Format("src", source)) {
			continue
		}
		if len(p.Segments)+len(p.Except) > 0 {
			if !asked && browser != "" {
				if customer, chosen, err = s.cfg.People.Behind(ctx, browser); err != nil {
					return nil, err
				}
			}
			asked = true
			ok, err := s.fits(ctx, p, customer, chosen)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		out = append(out, list[i])
	}
	return out, nil
}

func (s *Service) fits(ctx context.Context, p *Plan, customer id.ID, chosen bool) (bool, error) {
	if len(p.Segments) > 0 {
		if customer == 0 || !chosen {
			return false, nil
		}
		if in, err := s.cfg.People.InSegment(ctx, customer, p.Segments); err != nil || !in {
			return false, err
		}
	}
	if len(p.Except) > 0 && customer != 0 {
		in, err := s.cfg.People.InSegment(ctx, customer, p.Except)
		return !in, err
	}
	return true, nil
}

// In is what a message says in a language, and in which.
func (p *Plan) In(locale string) (words Words, in string) {
	part := func(v string) string { head, _, _ := strings.Cut(v, "-"); return strings.ToLower(head) }
	for key, w := range p.Words {
		if locale != "" && part(key) == part(locale) {
			return w, key
		}
	}
	return p.Words[p.Locale], p.Locale
}
