package consent

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Basis is why the law allows a use.
type Basis string

// The bases, of PIPL article 13 and GDPR article 6.
const (
	Consent  Basis = "consent"
	Contract Basis = "contract" // what the person ordered cannot be done without
	Duty     Basis = "legal"    // a law asks for it
	Interest Basis = "interest" // it may be refused
)

// Minor is what holds for people under fourteen.
type Minor string

// The rules for minors.
const (
	MinorsToo Minor = ""         // the same as for everybody
	Guardians Minor = "guardian" // a parent or guardian must have said so
	NoMinors  Minor = "never"
)

// Keys of purposes that the program asks for by itself.
const (
	Marketing       = "marketing"
	Personalisation = "personalisation"
	Analytics       = "analytics"
	Messages        = "service"
)

// Purpose is what data is used for.
type Purpose struct {
	Key         string       `json:"key"`
	Label       schema.Label `json:"label"`
	Description schema.Label `json:"description,omitempty"`
	Basis       Basis        `json:"basis"`
	Channels    []Channel    `json:"channels"`
	// FailClosed refuses those who have said nothing.
	FailClosed bool  `json:"fail_closed"`
	Minor      Minor `json:"minor,omitempty"`
	// Months is how long a consent holds; 0 for ever.
	Months int `json:"months,omitempty"`
	// Confirm wants consent by mail confirmed by a link.
	Confirm bool `json:"confirm,omitempty"`
	// Retired purposes are asked for no more; what was said stays, and every use is refused.
	Retired bool `json:"retired,omitempty"`
	// Place is where the analytics plane keeps the states, 0 to MaxPurposes-1; it is given by the program.
	Place int `json:"place"`
}

// Category says which place a category of context.consent.categoryPreferences speaks about. One category may speak about several.
type Category struct {
	Category string  `json:"category"`
	Purpose  string  `json:"purpose"`
	Channel  Channel `json:"channel"`
}

// Policy is what a workspace decides about consents.
type Policy struct {
	Version    int64      `json:"version"`
	Purposes   []Purpose  `json:"purposes"`
	Categories []Category `json:"categories"`
}

// Bounds of a policy.
const (
	MaxPurposes   = 12
	maxCategories = 100
	maxMonths     = 120
	maxLabel      = 60
	maxText       = 500
	maxWording    = 10_000
)

func label(zh, en string) schema.Label {
	return schema.Label{lang.ChineseSimplified: zh, lang.English: en}
}

// Defaults is the policy of a workspace that has saved none.
func Defaults() Policy {
	reach := []Channel{Email, SMS, Phone, WeChat, Push, Post}
	return Policy{
		Purposes: []Purpose{
			{Key: Marketing, Label: label("营销", "Marketing"), Description: label("新品、活动与优惠的消息", "News of products, campaigns and offers"), Basis: Consent, Channels: append(slices.Clone(reach), Web), FailClosed: true, Minor: Guardians, Place: 0},
			{Key: Personalisation, Label: label("个性化推荐", "Personalisation"), Description: label("按您的喜好推荐商品与内容", "Products and content chosen for you"), Basis: Interest, Channels: []Channel{Any}, Place: 1},
			{Key: Analytics, Label: label("行为分析", "Analytics"), Description: label("了解网站与应用如何被使用", "How our sites and apps are used"), Basis: Interest, Channels: []Channel{Any}, Place: 2},
			{Key: Messages, Label: label("服务通知", "Service messages"), Description: label("与订单和服务有关的通知", "Messages about orders and service"), Basis: Contract, Channels: slices.Clone(reach), Place: 3},
			{Key: "profiling", Label: label("用户画像", "Profiling"), Description: label("自动化分析与分类", "Automated analysis and classification"), Basis: Consent, Channels: []Channel{Any}, FailClosed: true, Minor: NoMinors, Place: 4},
			{Key: "sensitive", Label: label("敏感个人信息", "Sensitive data"), Description: label("需要单独同意的个人信息", "Data that needs a consent of its own"), Basis: Consent, Channels: []Channel{Any}, FailClosed: true, Minor: Guardians, Place: 5},
		},
		Categories: []Category{
			{"analytics", Analytics, Any}, {"statistics", Analytics, Any}, {"performance", Analytics, Any},
			{"personalization", Personalisation, Any}, {"personalisation", Personalisation, Any}, {"preferences", Personalisation, Any},
			{"advertising", Marketing, Web}, {"marketing", Marketing, Web}, {"targeting", Marketing, Web},
		},
	}
}

// Find finds a purpose by key.
func (p *Policy) Find(key string) (Purpose, bool) {
	for _, x := range p.Purposes {
		if x.Key == key {
			return x, true
		}
	}
	return Purpose{}, false
}

// Place finds a purpose that is asked for by a channel: Invalid consent.unknown_purpose and consent.unknown_channel.
func (p *Policy) Place(purpose string, channel Channel) (Purpose, error) {
	x, ok := p.Find(purpose)
	if !ok {
		return x, fault.InvalidField("consent.unknown_purpose", "purpose", fault.Params{"purpose": purpose})
	}
	if !slices.Contains(x.Channels, channel) {
		return x, fault.InvalidField("consent.unknown_channel", "channel", fault.Params{"channel": string(channel), "purpose": x.Label})
	}
	return x, nil
}

// Policy is the one in force, for whoever may see consents.
func (s *Service) Policy(ctx context.Context) (Policy, error) {
	if err := may(ctx, access.ConsentRead); err != nil {
		return Policy{}, err
	}
	return s.policy(ctx)
}

func (s *Service) policy(ctx context.Context) (Policy, error) {
	p, found, err := s.cfg.Store.Policy(ctx)
	if err != nil || found {
		return p, err
	}
	return Defaults(), nil
}

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// SetPolicy replaces the policy of the version that it names. Purposes stay, since the ledger speaks of them: they are retired. Faults:
// consent.invalid with every place that needs a change, Stale consent.stale.
func (s *Service) SetPolicy(ctx context.Context, p Policy) (Policy, error) {
	if err := may(ctx, access.ConsentManage); err != nil {
		return p, err
	}
	old, err := s.policy(ctx)
	if err != nil {
		return p, err
	}
	if p.Version != old.Version {
		return p, fault.New(fault.Stale, "consent.stale", nil)
	}
	if f := p.check(&old); f != nil {
		return p, f
	}
	p.Version++
	who := access.From(ctx)
	ok, err := s.cfg.Store.SavePolicy(ctx, p, who.ID, s.now())
	if err != nil {
		return p, err
	}
	if !ok {
		return p, fault.New(fault.Stale, "consent.stale", nil)
	}
	s.cfg.PolicyChanged()
	return p, s.cfg.Note(ctx, "consent.policy", 0, map[string]any{"version": p.Version})
}

// check normalises a policy and gives new purposes a place.
func (p *Policy) check(old *Policy) error {
	var bad []*fault.Fault
	fail := func(code, at string, params fault.Params) { bad = append(bad, fault.InvalidField(code, at, params)) }
	if len(p.Purposes) > MaxPurposes {
		fail("consent.too_many_purposes", "purposes", fault.Params{"max": MaxPurposes})
		return fault.Join("consent.invalid", bad)
	}
	taken, seen := map[int]bool{}, map[string]bool{}
	for _, o := range old.Purposes {
		taken[o.Place] = true
	}
	for i := range p.Purposes {
		x := &p.Purposes[i]
		at := "purposes." + x.Key
		if seen[x.Key] || !keyShape.MatchString(x.Key) {
			fail("consent.bad_key", at, fault.Params{"key": x.Key})
		}
		seen[x.Key] = true
		if was, ok := old.Find(x.Key); ok {
			x.Place = was.Place
		} else {
			for x.Place = 0; taken[x.Place]; x.Place++ {
			}
			taken[x.Place] = true
		}
		x.check(at, fail)
	}
	for _, o := range old.Purposes {
		if !seen[o.Key] {
			fail("consent.purpose_missing", "purposes", fault.Params{"purpose": o.Label})
		}
	}
	if len(p.Categories) > maxCategories {
		fail("consent.too_many_categories", "categories", fault.Params{"max": maxCategories})
	}
	for i := range p.Categories {
		c := &p.Categories[i]
		c.Category = strings.ToLower(strings.TrimSpace(c.Category))
		if c.Category == "" || utf8.RuneCountInString(c.Category) > maxLabel {
			fail("consent.bad_category", "categories", fault.Params{"max": maxLabel})
		}
		if _, err := p.Place(c.Purpose, c.Channel); err != nil {
			fail(fault.CodeOf(err), "categories", fault.Params{"purpose": c.Purpose, "channel": string(c.Channel)})
		}
	}
	if f := fault.Join("consent.invalid", bad); f != nil {
		return f
	}
	return nil
}

func (x *Purpose) check(at string, fail func(string, string, fault.Params)) {
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		n := utf8.RuneCountInString(strings.TrimSpace(x.Label[loc]))
		if n == 0 || n > maxLabel {
			fail("consent.bad_label", at+".label", fault.Params{"max": maxLabel})
		}
		if utf8.RuneCountInString(x.Description[loc]) > maxText {
			fail("consent.bad_description", at+".description", fault.Params{"max": maxText})
		}
	}
	if x.Basis != Consent && x.Basis != Contract && x.Basis != Duty && x.Basis != Interest {
		fail("consent.bad_basis", at+".basis", nil)
	}
	if x.Minor != MinorsToo && x.Minor != Guardians && x.Minor != NoMinors {
		fail("consent.bad_minor", at+".minor", nil)
	}
	if x.Basis == Consent && !x.FailClosed {
		fail("consent.consent_fails_closed", at+".fail_closed", nil)
	}
	if x.Months < 0 || x.Months > maxMonths {
		fail("consent.bad_months", at+".months", fault.Params{"max": maxMonths})
	}
	known, own := Channels(), map[Channel]bool{}
	for _, c := range x.Channels {
		if !slices.Contains(known, c) || own[c] {
			fail("consent.bad_channels", at+".channels", nil)
		}
		own[c] = true
	}
	if len(x.Channels) == 0 || own[Any] && len(x.Channels) > 1 {
		fail("consent.bad_channels", at+".channels", nil)
	}
}

// Wording is a version of the words that people agree to.
type Wording struct {
	ID        id.ID
	Purpose   string
	Number    int64 // of the purpose, from 1
	Text      schema.Label
	ValidFrom time.Time
	CreatedBy id.ID
	CreatedAt time.Time
}

// Wordings are all versions, by purpose and number.
func (s *Service) Wordings(ctx context.Context) ([]Wording, error) {
	if err := may(ctx, access.ConsentRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Wordings(ctx)
}

// AddWording adds a version of the words of a purpose. It never changes afterwards. A zero ValidFrom is now.
func (s *Service) AddWording(ctx context.Context, w Wording) (Wording, error) {
	if err := may(ctx, access.ConsentManage); err != nil {
		return w, err
	}
	p, err := s.policy(ctx)
	if err != nil {
		return w, err
	}
	if _, ok := p.Find(w.Purpose); !ok {
		return w, fault.InvalidField("consent.unknown_purpose", "purpose", fault.Params{"purpose": w.Purpose})
	}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		text := strings.TrimSpace(w.Text[loc])
		if text == "" || utf8.RuneCountInString(text) > maxWording {
			return w, fault.InvalidField("consent.bad_wording", "text."+string(loc), fault.Params{"max": maxWording})
		}
		w.Text[loc] = text
	}
	now := s.now()
	if w.ValidFrom.IsZero() {
		w.ValidFrom = now
	}
	if w.ValidFrom.Before(now.AddDate(-20, 0, 0)) || w.ValidFrom.After(now.AddDate(5, 0, 0)) {
		return w, fault.InvalidField("consent.bad_valid_from", "valid_from", nil)
	}
	w.ID, w.CreatedBy, w.CreatedAt = s.cfg.IDs.Next(), access.From(ctx).ID, now
	if w, err = s.cfg.Store.AddWording(ctx, w); err != nil {
		return w, err
	}
	return w, s.cfg.Note(ctx, "consent.wording", 0, map[string]any{"purpose": w.Purpose, "number": w.Number, "wording": id.Format(WordingPrefix, w.ID)})
}

// InForceWording is the version of a purpose that is valid at an instant; the last one that began, none before the first.
func InForceWording(list []Wording, purpose string, at time.Time) (w Wording, ok bool) {
	for _, x := range list {
		if x.Purpose == purpose && !x.ValidFrom.After(at) && (!ok || x.ValidFrom.After(w.ValidFrom) || x.ValidFrom.Equal(w.ValidFrom) && x.Number > w.Number) {
			w, ok = x, true
		}
	}
	return w, ok
}

// TraitKey is the trait that holds the state of a place.
func TraitKey(purpose string, c Channel) string {
	if c == Any {
		return "consent_" + purpose
	}
	return "consent_" + purpose + "_" + string(c)
}

// pageOf is the address of a page without what it was called with, which may say who called; false for what is none.
func pageOf(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", true
	}
	u, err := url.Parse(text)
	if err != nil || len(text) > 2000 || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return "", false
	}
	u.RawQuery, u.Fragment = "", ""
	return u.String(), true
}
