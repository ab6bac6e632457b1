package api

import (
	"context"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
)

// StayPrefix is the prefix of printed ids of visits to sites and apps.
const StayPrefix = "stv"

// behaviourRoutes are what one customer did, with a company also what its contacts did.
func (a *API) behaviourRoutes() []route {
	r := access.RecordRead
	return []route{
		{method: get, path: "/customers/{id}/behaviour", need: right, right: r, run: op(a.behaviourOf), doc: "What a customer did, by visits, newest first"},
		{method: get, path: "/customers/{id}/behaviour/{visit}", need: right, right: r, run: op(a.visitOf), doc: "One visit of a customer with its events"},
	}
}

// BehaviourPages is what customers did, whom the caller must see.
type BehaviourPages interface {
	// Behaviour is a page of visits before a cursor, "" for the newest.
	Behaviour(ctx context.Context, customer id.ID, before string) (Behaved, error)
	// Visit is one visit with its events, at most a thousand of them.
	Visit(ctx context.Context, customer, visit id.ID) (BehavedVisit, error)
	// Figures sums everything up; nil for a customer who did nothing.
	Figures(ctx context.Context, customer id.ID) (*BehaviourFigures, error)
	// Texts are what can be searched for in visits.
	Texts(ctx context.Context, customer id.ID, visits []*timeline.Stay) (map[id.ID]string, error)
}

// Behaved is what a customer did.
type Behaved struct {
	Visits []BehavedVisit `json:"visits"`
	Next   string         `json:"next,omitempty" doc:"the cursor of what was before, none at the end"`
}

// BehavedVisit is a visit by the definitions of web analytics.
type BehavedVisit struct {
	ID        string       `json:"id"`
	Contact   *Ref         `json:"contact,omitempty" doc:"of a company: whose visit it was"`
	StartedAt time.Time    `json:"started_at"`
	EndedAt   time.Time    `json:"ended_at"`
	Host      string       `json:"host,omitempty"`
	Channel   string       `json:"channel,omitempty" doc:"by which the visitor came"`
	Device    string       `json:"device,omitempty"`
	Views     int          `json:"views" doc:"pages and screens"`
	EngagedMS int64        `json:"engaged_ms" doc:"visible and active time"`
	Acts      []BehavedAct `json:"acts" doc:"newest first"`
}

// BehavedAct is one event.
type BehavedAct struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind" enum:"track,page,screen"`
	Name   string    `json:"name"`
	Title  string    `json:"title,omitempty"`
	Path   string    `json:"path,omitempty"`
	About  string    `json:"about,omitempty" doc:"the product, search or order that it was about"`
	Amount *int64    `json:"amount,omitempty" doc:"minor units of the base currency"`
}

// BehaviourFigures are the visits of a customer in figures.
type BehaviourFigures struct {
	FirstAt   time.Time        `json:"first_at"`
	LastAt    time.Time        `json:"last_at"`
	Visits    int64            `json:"visits"`
	Views     int64            `json:"views" doc:"pages and screens"`
	Orders    int64            `json:"orders" doc:"in visits"`
	Bounced   int64            `json:"bounced" doc:"visits without a second view and without an interaction"`
	EngagedMS int64            `json:"engaged_ms" doc:"visible and active time"`
	Devices   []BehaviourShare `json:"devices" doc:"the most visits first, at most five, as are channels"`
	Channels  []BehaviourShare `json:"channels"`
	Pages     []BehaviourPage  `json:"pages" doc:"of the last thirty visits, the most views first, at most five"`
	Products  []BehaviourShare `json:"products" doc:"of the last thirty visits: products that were looked at, added or shared"`
	Days      []BehaviourDay   `json:"days" doc:"the last thirty local days, oldest first"`
}

// BehaviourShare is how many visits, or events of a product, fall to a value.
type BehaviourShare struct {
	Key    string `json:"key"`
	Visits int64  `json:"visits"`
}

// BehaviourPage is a page that somebody looked at.
type BehaviourPage struct {
	Host      string `json:"host"`
	Path      string `json:"path"`
	Title     string `json:"title"`
	Views     int64  `json:"views"`
	EngagedMS int64  `json:"engaged_ms"`
}

// BehaviourDay is a local day.
type BehaviourDay struct {
	Day    string `json:"day"`
	Visits int64  `json:"visits"`
	Views  int64  `json:"views"`
}

// visitDetail says how somebody came, with what, and where the visit led.
func (c *call) visitDetail(s *timeline.Stay) schema.Label {
	out := schema.Label{}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		var parts []string
		for _, word := range []struct{ area, value string }{{"channel", s.Channel}, {"device", s.Device}} {
			if word.value == "" {
				continue
			}
			code := "profile." + word.area + "_" + word.value
			text := c.words.Text(loc, code, nil)
			if text == code { // a value that came from outside is called as it came
				text = word.value
			}
			parts = append(parts, text)
		}
		if s.Campaign != "" {
			parts = append(parts, s.Campaign)
		}
		switch {
		case s.Entry != "" && s.Exit != "" && s.Entry != s.Exit:
			parts = append(parts, s.Entry+" → "+s.Exit)
		case s.Entry != "":
			parts = append(parts, s.Entry)
		}
		if len(parts) > 0 {
			out[loc] = strings.Join(parts, " · ")
		}
	}
	return out
}

// deedDetail is where it was, what it was about, and what was said.
func (c *call) deedDetail(d *timeline.Deed) schema.Label {
	out := schema.Label{}
	obj := c.ws.Registry().Object(contentObject)
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		place := d.Place
		if obj != nil {
			if f := obj.Field("platform"); f != nil {
				for _, o := range f.Options {
					if o.Key == d.Place {
						place = o.Label.In(loc)
					}
				}
			}
		}
		var parts []string
		for _, p := range []string{place, d.About, d.Text} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		if len(parts) > 0 {
			out[loc] = strings.Join(parts, " · ")
		}
	}
	return out
}

// ofCustomer finds a customer whom the caller sees.
func (c *call) ofCustomer(ctx context.Context, text string) (id.ID, error) {
	o, customer, err := c.survivor(ctx, recordIn{"customer", text})
	if err != nil {
		return 0, err
	}
	_, err = c.ws.Records.Get(ctx, o.Key, customer)
	return customer, err
}

type behaviourIn struct {
	ID     string `path:"id"`
	Before string `query:"before"`
}

func (a *API) behaviourOf(ctx context.Context, c *call, in behaviourIn) (Behaved, error) {
	customer, err := c.ofCustomer(ctx, in.ID)
	if err != nil {
		return Behaved{}, err
	}
	return c.ws.Behaved.Behaviour(ctx, customer, in.Before)
}

type visitIn struct {
	ID    string `path:"id"`
	Visit string `path:"visit"`
}

func (a *API) visitOf(ctx context.Context, c *call, in visitIn) (BehavedVisit, error) {
	customer, err := c.ofCustomer(ctx, in.ID)
	if err != nil {
		return BehavedVisit{}, err
	}
	visit, err := id.Parse(StayPrefix, in.Visit)
	if err != nil {
		return BehavedVisit{}, fault.New(fault.NotFound, "profile.no_visit", nil)
	}
	return c.ws.Behaved.Visit(ctx, customer, visit)
}

// showBehaviour adds what an item has of behaviour and identity.
func (c *call) showBehaviour(it *timeline.Item, v *TimelineEntry) {
	if r := it.Contact; r != nil {
		v.Contact = &Ref{ID: id.Format(c.prefixOf(r.Object), r.ID), Title: r.Title, Object: r.Object}
	}
	if s := it.Stay; s != nil {
		v.Detail = c.visitDetail(s)
		v.Visit = &TimelineVisit{ID: id.Format(StayPrefix, s.ID), EndedAt: s.End, Views: s.Views, Events: s.Events, EngagedMS: s.Engaged.Milliseconds(), Orders: s.Orders, Host: s.Host, Entry: s.Entry, Exit: s.Exit,
			Referrer: s.Referrer, Channel: s.Channel, Campaign: s.Campaign, Device: s.Device}
	}
	if d := it.Deed; d != nil {
		v.Detail = c.deedDetail(d)
	}
	if j := it.Join; j != nil {
		v.Identity = &TimelineIdentity{Why: j.Why, Undone: j.Undone, Loser: id.Format(identity.ProfilePrefix, j.Loser), Winner: id.Format(identity.ProfilePrefix, j.Winner), Evidence: []IdentityEvidence{}}
		for _, x := range j.Shown {
			if c.seesNamespace(x.Namespace) {
				v.Identity.Evidence = append(v.Identity.Evidence, IdentityEvidence(x))
			}
		}
		if n := len(v.Identity.Evidence); n > 0 {
			texts := make([]string, n)
			for i := range texts {
				texts[i] = v.Identity.Evidence[i].Text
			}
			line := strings.Join(texts, " · ")
			v.Detail = schema.Label{lang.ChineseSimplified: line, lang.English: line}
		}
	}
}
