package form

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"net/url"
	"regexp"
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

// Config is what a Service is made of.
type Config struct {
	Store    Store
	Costs    CostStore
	Acquired Acquired
	People   People
	Consents Consents
	Gifts    Gifts
	Teller   Teller
	Clock    clock.Clock
	Zone     func() *time.Location
	IDs      *id.Generator
	Log      *slog.Logger
	Sign     func([]byte) []byte
	Verify   func([]byte) ([]byte, bool)
	Note     func(ctx context.Context, action string, key id.ID, detail map[string]any) error
	Changed  func(key id.ID)
}

// Service keeps forms and takes what is sent. It is safe for concurrent use.
type Service struct {
	cfg    Config
	taking sync.Mutex

	mu   sync.Mutex
	kept map[string]kept
}

// kept is a form as a process remembers it for a moment.
type kept struct {
	form Form
	at   time.Time
}

// New makes one.
func New(cfg Config) *Service { return &Service{cfg: cfg, kept: map[string]kept{}} }

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

// List are all of them, the newest first, with what became of each.
func (s *Service) List(ctx context.Context) ([]Form, map[id.ID]map[string]Sums, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, nil, err
	}
	list, err := s.cfg.Store.Forms(ctx)
	if err != nil || len(list) == 0 {
		return list, nil, err
	}
	sums, err := s.cfg.Store.Sums(ctx)
	return list, sums, err
}

// Get is one, with what became of it by code; "" has what came by none.
func (s *Service) Get(ctx context.Context, key id.ID) (Form, map[string]Sums, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Form{}, nil, err
	}
	f, err := s.cfg.Store.Form(ctx, key)
	if err != nil {
		return f, nil, err
	}
	sums, err := s.cfg.Store.Sums(ctx)
	return f, sums[key], err
}

// Inputs are the fields that a form may ask for.
func (s *Service) Inputs(ctx context.Context) ([]Input, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.People.Inputs(), nil
}

// Create makes a draft. Faults: form.invalid with every place that needs a change.
func (s *Service) Create(ctx context.Context, name string, p Plan) (Form, error) {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return Form{}, err
	}
	now, who := s.cfg.Clock.Now(), access.From(ctx).ID
	f := Form{ID: s.cfg.IDs.Next(), Key: newKey(10), Name: strings.TrimSpace(name), Status: Draft, Plan: p, Version: 1, CreatedBy: who, UpdatedBy: who, CreatedAt: now, UpdatedAt: now}
	if err := s.check(ctx, &f); err != nil {
		return f, err
	}
	if err := s.cfg.Store.Insert(ctx, f); err != nil {
		return f, err
	}
	return f, s.cfg.Note(ctx, "form.create", f.ID, map[string]any{"name": f.Name})
}

// Update changes a form over the version that the caller saw. One that is public needs the right to start campaigns.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, name string, status Status, p Plan) (Form, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Form{}, err
	}
	f, err := s.cfg.Store.Form(ctx, key)
	if err != nil {
		return f, err
	}
	right := access.CampaignWrite
	if status == Active || f.Status == Active {
		right = access.CampaignSend
	}
	if err := may(ctx, right); err != nil {
		return f, err
	}
	if f.Version != version {
		return f, fault.New(fault.Stale, "form.stale", nil)
	}
	if status == "" {
		status = f.Status
	}
	if status != f.Status && status != Active && status != Ended {
		return f, fault.InvalidField("form.bad_status", "status", nil)
	}
	f.Name, f.Status, f.Plan, f.UpdatedBy, f.UpdatedAt = strings.TrimSpace(name), status, p, access.From(ctx).ID, s.cfg.Clock.Now()
	f.Version++
	if err := s.check(ctx, &f); err != nil {
		return f, err
	}
	if err := s.cfg.Store.Update(ctx, f); err != nil {
		return f, err
	}
	s.mu.Lock()
	clear(s.kept)
	s.mu.Unlock()
	return f, s.cfg.Note(ctx, "form.update", f.ID, map[string]any{"name": f.Name, "status": string(status)})
}

// Listed is a submission with the name of its customer.
type Listed struct {
	Submission
	Name string
}

// Months makes the time of two months, for Ask.
func (s *Service) Months(from, to int) (start, end time.Time, err error) {
	first, last, ok := span(from, to)
	if !ok {
		return start, end, fault.InvalidField("form.bad_months", "from", fault.Params{"max": maxMonths})
	}
	return first.Start(s.cfg.Zone()), (last + 1).Start(s.cfg.Zone()), nil
}

// Submissions are those of a form whose customers the caller sees, the newest first; more is the key to go on from, 0 at the end.
func (s *Service) Submissions(ctx context.Context, a Ask) (out []Listed, more id.ID, err error) {
	for _, r := range []access.Right{access.CampaignRead, access.RecordRead} {
		if err := may(ctx, r); err != nil {
			return nil, 0, err
		}
	}
	a.Limit = min(max(a.Limit, 1), maxListed)
	if _, err := s.cfg.Store.Form(ctx, a.Form); err != nil {
		return nil, 0, err
	}
	want := a.Limit
	for range maxPages { // whoever sees few of them is not kept waiting for all
		a.Limit = want
		list, err := s.cfg.Store.Submissions(ctx, a)
		if err != nil {
			return nil, 0, err
		}
		var who []id.ID
		for i := range list {
			who = append(who, list[i].Customer)
		}
		slices.Sort(who)
		names, err := s.cfg.People.Seen(ctx, slices.Compact(who))
		if err != nil {
			return nil, 0, err
		}
		for i := range list {
			a.Before = list[i].ID
			if name, ok := names[list[i].Customer]; ok {
				if out = append(out, Listed{list[i], name}); len(out) == want {
					return out, a.Before, nil
				}
			}
		}
		if len(list) < want {
			return out, 0, nil
		}
	}
	return out, a.Before, nil
}

const (
	maxListed = 200
	maxPages  = 10
)

// newKey is a key that nobody guesses and everybody can read out.
func newKey(n int) string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))[:n]
}

// Bounds.
const (
	maxName     = 100
	maxTitle    = 80
	maxText     = 1000
	maxLabel    = 60
	maxButton   = 30
	maxURL      = 2000
	maxFields   = 20
	maxConsents = 10
	maxOrigins  = 20
	maxCodes    = 300
	maxTrace    = 100
)

var codeShape = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// checking gathers what is wrong with a plan.
type checking struct {
	s   *Service
	f   *Form
	bad []*fault.Fault
}

func (c *checking) add(code, field string, p fault.Params) {
	c.bad = append(c.bad, fault.InvalidField("form."+code, field, p))
}

func long(text string, most int) bool { return len([]rune(text)) > most }

func (s *Service) check(ctx context.Context, f *Form) error {
	c := &checking{s: s, f: f}
	if f.Name == "" || long(f.Name, maxName) {
		c.add("bad_name", "name", fault.Params{"max": maxName})
	}
	c.words()
	c.fields()
	if err := c.consents(ctx); err != nil {
		return err
	}
	if err := c.codes(ctx); err != nil {
		return err
	}
	if p := &f.Plan; p.Offer != "" {
		mailed := slices.ContainsFunc(p.Consents, func(x Consent) bool { return slices.Contains(x.Channels, "email") })
		asked := slices.ContainsFunc(p.Fields, func(x Field) bool { return x.Key == "email" })
		if !mailed || !asked {
			c.add("gift_needs_mail", "plan.offer", nil)
		} else if err := s.cfg.Gifts.Holds(ctx, p.Offer); err != nil {
			if fault.KindOf(err) == fault.Internal {
				return err
			}
			c.add("bad_offer", "plan.offer", nil)
		}
	}
	slices.SortStableFunc(c.bad, func(a, b *fault.Fault) int { return cmp.Compare(a.Field, b.Field) })
	if f := fault.Join("form.invalid", c.bad); f != nil {
		return f
	}
	return nil
}

func locale(key string) bool {
	return key == string(lang.ChineseSimplified) || key == string(lang.English)
}

func (c *checking) words() {
	p := &c.f.Plan
	if _, ok := p.Words[p.Locale]; !ok {
		c.add("no_words", "plan.words", nil)
	}
	for key, w := range p.Words {
		at := "plan.words." + key + "."
		if !locale(key) {
			c.add("bad_locale", "plan.words", nil)
		}
		if strings.TrimSpace(w.Title) == "" || long(w.Title, maxTitle) {
			c.add("bad_title", at+"title", fault.Params{"max": maxTitle})
		}
		for field, text := range map[string]string{"text": w.Text, "thanks": w.Thanks} {
			if long(text, maxText) {
				c.add("too_long", at+field, fault.Params{"max": maxText})
			}
		}
		if long(w.Button, maxButton) {
			c.add("too_long", at+"button", fault.Params{"max": maxButton})
		}
	}
	for field, address := range map[string]string{"plan.thanks_url": p.ThanksURL, "plan.privacy": p.Privacy} {
		if address != "" && !web(address) {
			c.add("bad_url", field, nil)
		}
	}
	if len(p.Origins) > maxOrigins {
		c.add("too_many", "plan.origins", fault.Params{"max": maxOrigins})
	}
	for _, o := range p.Origins {
		if u, err := url.Parse(o); err != nil || !web(o) || o != u.Scheme+"://"+u.Host || strings.ContainsAny(o, " ;,'\"*") {
			c.add("bad_origin", "plan.origins", nil)
			break
		}
	}
}

func web(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && len(address) <= maxURL
}

func (c *checking) fields() {
	p := &c.f.Plan
	known := map[string]bool{}
	for _, in := range c.s.cfg.People.Inputs() {
		known[in.Key] = true
	}
	if len(p.Fields) > maxFields {
		c.add("too_many", "plan.fields", fault.Params{"max": maxFields})
	}
	seen, reached := map[string]bool{}, false
	for _, x := range p.Fields {
		if !known[x.Key] || seen[x.Key] {
			c.add("bad_field", "plan.fields", fault.Params{"field": x.Key})
		}
		seen[x.Key] = true
		reached = reached || x.Required && (x.Key == "email" || x.Key == "phone")
		for key, text := range x.Label {
			if !locale(key) || long(text, maxLabel) {
				c.add("too_long", "plan.fields", fault.Params{"max": maxLabel})
			}
		}
	}
	if !reached {
		c.add("nobody", "plan.fields", nil)
	}
	for _, in := range c.s.cfg.People.Inputs() {
		if in.Needed && !slices.ContainsFunc(p.Fields, func(x Field) bool { return x.Key == in.Key && x.Required }) {
			c.add("field_missing", "plan.fields", fault.Params{"field": in.Label})
		}
	}
}

func (c *checking) consents(ctx context.Context) error {
	p := &c.f.Plan
	if len(p.Consents) > maxConsents {
		c.add("too_many", "plan.consents", fault.Params{"max": maxConsents})
	}
	seen := map[string]bool{}
	for _, x := range p.Consents {
		got, err := c.s.cfg.Consents.Purpose(ctx, x.Purpose, x.Channels)
		if err != nil {
			return err
		}
		switch {
		case !got.Known || seen[x.Purpose] || len(x.Channels) == 0:
			c.add("bad_consent", "plan.consents", fault.Params{"purpose": x.Purpose})
		case got.Wording == 0 && c.f.Status == Active:
			c.add("no_wording", "plan.consents", fault.Params{"purpose": got.Label})
		}
		seen[x.Purpose] = true
	}
	return nil
}

func (c *checking) codes(ctx context.Context) error {
	p := &c.f.Plan
	if len(p.Codes) > maxCodes {
		c.add("too_many", "plan.codes", fault.Params{"max": maxCodes})
	}
	seen := map[string]bool{}
	var stores []string
	for i := range p.Codes {
		x := &p.Codes[i]
		if x.Key == "" {
			x.Key = newKey(6)
		}
		if !codeShape.MatchString(x.Key) || seen[x.Key] || strings.TrimSpace(x.Name) == "" || long(x.Name, maxName) {
			c.add("bad_code", "plan.codes", fault.Params{"max": maxName})
		}
		seen[x.Key] = true
		for _, v := range []string{x.Source, x.Medium, x.Campaign} {
			if long(v, maxTrace) {
				c.add("too_long", "plan.codes", fault.Params{"max": maxTrace})
			}
		}
		if x.Store != "" {
			stores = append(stores, x.Store)
		}
	}
	if len(stores) == 0 {
		return nil
	}
	names, err := c.s.cfg.People.Stores(ctx, stores)
	if err != nil {
		return err
	}
	for _, v := range stores {
		if _, ok := names[v]; !ok {
			c.add("bad_store", "plan.codes", nil)
			break
		}
	}
	return nil
}
