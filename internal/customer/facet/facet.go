// Package facet reads out of an event what analysis asks for again and again: the page and the site it is on, where the visitor
// came from, what was used to look at it, how long, and what it was worth.
//
// It is lenient: a value of another shape than expected counts as missing, and no event is refused here. Nothing is looked up
// outside; the same event gives the same facets, under the same rates.
//
// Channels. A source is named by the first of these that speaks: the click id of an advertiser or a paid medium (ads), the
// medium or source of a campaign (email, social, search, referral, else campaign), the referring site (internal for the site
// itself, search, social, email, else referral), and without any of them the app whose own browser shows the page (social), else
// direct.
package facet

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// The channels.
const (
	Direct   = "direct"
	Search   = "search"
	Social   = "social"
	Ads      = "ads"
	Email    = "email"
	Referral = "referral"
	Campaign = "campaign"
	Internal = "internal" // from a page of the same site
)

// Facets are what an event says of itself. Texts are "" where there is nothing and at most 2,000 characters.
type Facets struct {
	Host, Path, Title, Referrer                            string // Referrer is the host of the referring page
	Channel                                                string
	UTMSource, UTMMedium, UTMCampaign, UTMTerm, UTMContent string
	Device, Browser, OS, Language, Country, Region         string // Device is desktop, mobile, tablet, bot or other
	Content, Platform                                      string
	Dwell                                                  int64 // milliseconds of visible, active time
	HasDwell                                               bool
	Amount                                                 int64 // minor units of the base currency
	HasAmount                                              bool
	Passive                                                bool            // it says that nobody did anything
	Bot                                                    bool            // the user agent names itself a robot
	Properties, Context                                    json.RawMessage // without the queries of addresses, but for campaigns and clicks
}

// maxText is the longest text in characters, maxDwell the longest time that one event may report.
const (
	maxText  = 2000
	maxDwell = 60 * 60 * 1000
)

// Rates convert amounts into the base currency; a nil Table knows no rate.
type Rates struct {
	Table *money.Table
	Base  string
}

// Reader reads events. It remembers user agents and is for one goroutine.
type Reader struct {
	agents map[string]Agent
}

// NewReader makes one.
func NewReader() *Reader { return &Reader{agents: map[string]Agent{}} }

// said are the members of properties and context that are looked at.
type said struct {
	URL        text `json:"url"`
	Path       text `json:"path"`
	Title      text `json:"title"`
	Referrer   text `json:"referrer"`
	Search     text `json:"search"`
	Name       text `json:"name"`
	Content    text `json:"content"`
	ContentID  text `json:"content_id"`
	Platform   text `json:"platform"`
	Revenue    text `json:"revenue"`
	Value      text `json:"value"`
	Total      text `json:"total"`
	Currency   text `json:"currency"`
	Dwell      text `json:"dwell_ms"`
	Engaged    text `json:"engaged_ms"`
	EngagedIn  text `json:"engagement_time_msec"`
	Passive    text `json:"nonInteraction"`
	Interacted text `json:"interactive"`
}

// surroundings are the members of a context that are looked at.
type surroundings struct {
	Page     part[said]     `json:"page"`
	Campaign part[campaign] `json:"campaign"`
	Referrer part[said]     `json:"referrer"`
	Device   part[device]   `json:"device"`
	OS       part[device]   `json:"os"`
	Location part[location] `json:"location"`
	Agent    text           `json:"userAgent"`
	Locale   text           `json:"locale"`
	Language text           `json:"language"`
	Country  text           `json:"country"`
	Region   text           `json:"region"`
}

type campaign struct {
	Source  text `json:"source"`
	Medium  text `json:"medium"`
	Name    text `json:"name"`
	Term    text `json:"term"`
	Content text `json:"content"`
}

type device struct {
	Type text `json:"type"`
	Name text `json:"name"`
}

type location struct {
	Country text `json:"country"`
	Region  text `json:"region"`
}

// text takes a text, a number or a truth value; anything else is "".
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	switch {
	case len(raw) == 0, raw[0] == '{', raw[0] == '[', raw[0] == 'n':
		return nil
	case raw[0] != '"':
		*t = text(raw)
		return nil
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	}
	return nil
}

// part takes an object; anything else is as if it were not there.
type part[T any] struct{ V T }

// UnmarshalJSON implements json.Unmarshaler.
func (p *part[T]) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		return json.Unmarshal(raw, &p.V)
	}
	return nil
}

// Read gives the facets of an event. Amounts are converted at the rate of the event's day; without one there is no amount.
func (r *Reader) Read(e *event.Event, rates Rates) Facets {
	var props said
	var around surroundings
	// The inbox holds valid objects only, and a part that is of another shape than expected is passed over.
	_ = json.Unmarshal(e.Context, &around)
	traits := e.Kind == event.Identify || e.Kind == event.Group
	if !traits {
		_ = json.Unmarshal(e.Properties, &props)
	}
	f := Facets{Properties: e.Properties, Context: e.Context}
	if traits {
		f.Properties = names(e.Properties)
	}
	page := around.Page.V
	if e.Kind == event.Page {
		page = prefer(props, page)
	}
	f.page(page, around.Referrer.V)
	if e.Kind == event.Screen {
		f.Path, f.Title = cut(string(props.Name)), cut(string(props.Name))
	}
	a := r.agent(string(around.Agent))
	f.used(a, &around)
	f.Country, f.Region = first(around.Location.V.Country, around.Country), first(around.Location.V.Region, around.Region)
	query := f.campaign(around.Campaign.V, page)
	f.Channel = f.channel(query, a)
	if e.Kind == event.Track {
		f.acted(e, &props, rates)
	}
	if e.Kind == event.Page {
		f.Properties = withoutQueries(f.Properties)
	}
	f.Context = cleanContext(f.Context)
	return f
}

// prefer is a page as its own event says, completed by the context.
func prefer(own, around said) said {
	pick := func(a *text, b text) {
		if *a == "" {
			*a = b
		}
	}
	pick(&own.URL, around.URL)
	pick(&own.Path, around.Path)
	pick(&own.Title, around.Title)
	pick(&own.Referrer, around.Referrer)
	pick(&own.Search, around.Search)
	return own
}

func (f *Facets) page(p, from said) {
	f.Title = cut(string(p.Title))
	f.Path = cut(string(p.Path))
	if u, err := url.Parse(string(p.URL)); err == nil && p.URL != "" {
		f.Host = cut(host(u))
		f.Path = cut(pathOf(u))
	}
	f.Path, _, _ = strings.Cut(f.Path, "?")
	for _, s := range []text{p.Referrer, from.URL} {
		if u, err := url.Parse(string(s)); err == nil && u.Host != "" {
			f.Referrer = cut(host(u))
			break
		}
	}
}

// host is the name of the machine in lower case, without a port.
func host(u *url.URL) string { return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") }

// pathOf is the path of an address; a part behind # that is a path of the page's own belongs to it.
func pathOf(u *url.URL) string {
	p := u.Path
	if p == "" && u.Host != "" {
		p = "/"
	}
	if route := strings.TrimPrefix(u.Fragment, "!"); strings.HasPrefix(route, "/") {
		route, _, _ = strings.Cut(route, "?")
		p += "#" + route
	}
	return p
}

func (f *Facets) used(a Agent, c *surroundings) {
	f.Device, f.Browser, f.OS, f.Bot = a.Device, a.Browser, a.OS, a.Bot
	if v := c.OS.V.Name; v != "" && f.OS == "" {
		f.OS = cut(string(v))
	}
	if t := strings.ToLower(string(c.Device.V.Type)); f.Device == "" && t != "" {
		switch t {
		case "ios", "android", "harmony", "mobile", "phone", "smartphone":
			f.Device = Mobile
		case "tablet", "ipad", "pad":
			f.Device = Tablet
		case "desktop", "pc", "browser":
			f.Device = Desktop
		default:
			f.Device = Other
		}
	}
	f.Language = strings.ReplaceAll(first(c.Locale, c.Language), "_", "-")
}

// acted reads what an interaction was worth, how long it took and what it was about.
func (f *Facets) acted(e *event.Event, p *said, rates Rates) {
	f.Content, f.Platform = first(p.Content, p.ContentID), first(p.Platform)
	f.Passive = p.Passive == "true" || p.Passive == "1" || p.Interacted == "false"
	if e.Name == event.Engaged {
		for _, t := range []text{p.Dwell, p.Engaged, p.EngagedIn} {
			if ms, err := money.ParseScaled(string(t), 0); err == nil && t != "" {
				f.Dwell, f.HasDwell = min(max(ms, 0), maxDwell), true
				break
			}
		}
	}
	currency := strings.ToUpper(strings.TrimSpace(string(p.Currency)))
	if !money.Known(currency) {
		currency = rates.Base
	}
	for _, t := range []text{p.Revenue, p.Value, p.Total} {
		if t == "" {
			continue
		}
		m, err := money.Parse(string(t), currency)
		if err != nil {
			continue
		}
		if f.Amount, f.HasAmount = rates.Table.Convert(m, rates.Base, e.Day); f.HasAmount {
			return
		}
	}
}

// first is the first text that is not empty.
func first(list ...text) string {
	for _, t := range list {
		if s := strings.TrimSpace(string(t)); s != "" {
			return cut(s)
		}
	}
	return ""
}

// cut shortens a text to what a column takes, and leaves out what no database takes.
func cut(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if len(s) <= maxText || utf8.RuneCountInString(s) <= maxText {
		return s
	}
	return string([]rune(s)[:maxText])
}

// names are the members of an object without their values: what is kept of traits.
func names(raw json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return json.RawMessage("{}")
	}
	for k := range members {
		members[k] = json.RawMessage("true")
	}
	out, err := json.Marshal(members)
	if err != nil {
		return json.RawMessage("{}")
	}
	return out
}
