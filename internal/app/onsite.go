package app

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/engage/onsite"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newOnsite makes what sites show to their visitors.
func (w *workspace) newOnsite() {
	a := w.app
	w.edge.Onsite = onsite.New(onsite.Config{Store: sqlstore.NewOnsite(w.store), People: onsitePeople{w}, Figures: analytics.NewPromotions(w.gate, a.Clock, w.zoneOf), Clock: a.Clock, Zone: w.zoneOf, IDs: a.ids,
		Note: func(ctx context.Context, action string, key id.ID, detail map[string]any) error {
			return a.auth.Note(ctx, w.info.Key, action, "onsite", key, detail)
		}})
}

// onsitePeople implements onsite.People.
type onsitePeople struct{ w *workspace }

// Exists implements onsite.People.
func (p onsitePeople) Exists(ctx context.Context, segment string) error {
	return campaignAudience{ruleSegments(p)}.Exists(ctx, segment)
}

// InSegment implements onsite.People.
func (p onsitePeople) InSegment(ctx context.Context, customer id.ID, segments []string) (bool, error) {
	return offerPeople(p).InSegment(ctx, customer, segments)
}

// Behind implements onsite.People.
func (p onsitePeople) Behind(ctx context.Context, browser string) (customer id.ID, chosen bool, err error) {
	w := p.w
	ctx = system(ctx)
	known, err := w.browsers(ctx, map[string]bool{browser: true})
	b := known[browser]
	if err != nil || b == 0 {
		return 0, false, err
	}
	links, err := w.consents.store.Links(ctx, []id.ID{b})
	if err != nil || !links[b].Proven {
		return 0, false, err
	}
	err = w.events.store.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		owners, err := eventstore.Owners(ctx, c, []id.ID{links[b].Parent})
		customer = owners[links[b].Parent]
		return err
	})
	if err != nil || customer == 0 {
		return 0, false, err
	}
	left, err := consentPeople{w}.Left(ctx, []id.ID{customer})
	if err != nil || left[customer] != "" {
		return 0, false, err
	}
	may, err := w.consents.Allowed(ctx, []id.ID{customer}, consent.Personalisation, consent.Any)
	return customer, may[customer].OK, err
}

// shownOnSite is a message as the tracker draws it.
type shownOnSite struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Title  string   `json:"title"`
	Text   string   `json:"text,omitempty"`
	Button string   `json:"button,omitempty"`
	URL    string   `json:"url,omitempty"`
	Image  string   `json:"image,omitempty"`
	Close  string   `json:"close"`
	Paths  []string `json:"paths,omitempty"`
	On     string   `json:"on"`
	After  int      `json:"after"`
	PerDay int      `json:"per_day,omitempty"`
	Total  int      `json:"total,omitempty"`
}

// onsiteFor is what the door answers a browser.
func (w *workspace) onsiteFor(ctx context.Context, source id.ID, browser, locale string) ([]byte, error) {
	if len(browser) > 1200 {
		browser = ""
	}
	list, err := w.edge.Onsite.For(ctx, source, browser)
	if err != nil {
		return nil, err
	}
	out := struct {
		Items []shownOnSite `json:"items"`
	}{[]shownOnSite{}}
	for i := range list {
		p := &list[i].Plan
		words, in := p.In(locale)
		out.Items = append(out.Items, shownOnSite{ID: id.Format(onsite.Prefix, list[i].ID), Name: list[i].Name, Kind: p.Kind, Title: words.Title, Text: words.Text, Button: words.Button, URL: words.URL, Image: words.Image,
			Close: w.app.words.Text(lang.Locale(in), "onsite.close", nil), Paths: p.Paths, On: p.On, After: p.After, PerDay: p.PerDay, Total: p.Total})
	}
	return json.Marshal(out)
}
