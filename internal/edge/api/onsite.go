package api

import (
	"context"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/onsite"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// onsiteRoutes are pop-ups and banners on websites.
func (a *API) onsiteRoutes() []route {
	r, w := access.CampaignRead, access.CampaignWrite
	return []route{
		{method: get, path: "/onsite-messages", need: right, right: r, run: op(a.listOnsite), doc: "Pop-ups and banners of websites, the newest first, with what became of them"},
		{method: post, path: "/onsite-messages", need: right, right: w, run: op(a.createOnsite), doc: "Write one, as a draft", status: http.StatusCreated},
		{method: get, path: "/onsite-messages/{id}", need: right, right: r, run: op(a.getOnsite), doc: "One of them"},
		{method: patch, path: "/onsite-messages/{id}", need: right, right: w, run: op(a.patchOnsite), doc: "Change one, show it, or end it; what shows needs the right to start campaigns"},
	}
}

// OnsiteWords are what is said in one language.
type OnsiteWords struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Button string `json:"button"`
	URL    string `json:"url" doc:"of the button: an address of the web, or a path of the site"`
	Image  string `json:"image"`
}

// OnsitePlan is what is shown, where, when and to whom. Empty lists and zeros bound nothing.
type OnsitePlan struct {
	Kind     string                 `json:"kind" enum:"popup,banner"`
	Locale   string                 `json:"locale" doc:"of the words for languages that have none"`
	Words    map[string]OnsiteWords `json:"words" doc:"by language: zh-CN, en"`
	Sources  []string               `json:"sources" doc:"web sources"`
	Paths    []string               `json:"paths" doc:"of pages; * stands for anything"`
	On       string                 `json:"on" enum:"load,scroll,leave"`
	After    int                    `json:"after" doc:"seconds after loading, or percent of the page"`
	Segments []string               `json:"segments" doc:"only for their members, whose browser a server has named"`
	Except   []string               `json:"except"`
	From     string                 `json:"from" doc:"local day"`
	To       string                 `json:"to" doc:"local day, included"`
	PerDay   int                    `json:"per_day" doc:"of one browser"`
	Total    int                    `json:"total" doc:"of one browser"`
	Rank     int                    `json:"rank" doc:"lower ones first; one message at a time"`
}

func (p *OnsitePlan) plan() onsite.Plan {
	out := onsite.Plan{Kind: p.Kind, Locale: p.Locale, Words: map[string]onsite.Words{}, Sources: p.Sources, Paths: p.Paths, On: p.On, After: p.After, Segments: p.Segments, Except: p.Except, From: p.From, To: p.To, PerDay: p.PerDay, Total: p.Total, Rank: p.Rank}
	for locale, v := range p.Words {
		out.Words[locale] = onsite.Words(v)
	}
	return out
}

// OnsiteMessage is one.
type OnsiteMessage struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Status    string     `json:"status" enum:"draft,active,ended"`
	Plan      OnsitePlan `json:"plan"`
	Version   int64      `json:"version"`
	Viewed    int64      `json:"viewed" doc:"how often it was seen, in the last 400 days"`
	Viewers   int64      `json:"viewers" doc:"visitors who saw it"`
	Clicked   int64      `json:"clicked"`
	Clickers  int64      `json:"clickers"`
	Dismissed int64      `json:"dismissed"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

func showOnsite(m *onsite.Message, sums map[string]onsite.Sums) OnsiteMessage {
	p := &m.Plan
	key := id.Format(onsite.Prefix, m.ID)
	s := sums[key]
	out := OnsiteMessage{ID: key, Name: m.Name, Status: string(m.Status), Version: m.Version, Viewed: s.Viewed, Viewers: s.Viewers, Clicked: s.Clicked, Clickers: s.Clickers, Dismissed: s.Dismissed, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
		Plan: OnsitePlan{Kind: p.Kind, Locale: p.Locale, Words: map[string]OnsiteWords{}, Sources: listed(p.Sources), Paths: listed(p.Paths), On: p.On, After: p.After, Segments: listed(p.Segments), Except: listed(p.Except), From: p.From, To: p.To, PerDay: p.PerDay, Total: p.Total, Rank: p.Rank}}
	for locale, v := range p.Words {
		out.Plan.Words[locale] = OnsiteWords(v)
	}
	return out
}

// OnsiteList is all of them.
type OnsiteList struct {
	Items []OnsiteMessage `json:"items"`
}

func (a *API) listOnsite(ctx context.Context, c *call, _ struct{}) (OnsiteList, error) {
	out := OnsiteList{Items: []OnsiteMessage{}}
	list, err := c.ws.Onsite.List(ctx)
	if err != nil || len(list) == 0 {
		return out, err
	}
	sums, err := c.ws.Onsite.Sums(ctx)
	for i := range list {
		out.Items = append(out.Items, showOnsite(&list[i], sums))
	}
	return out, err
}

type createOnsiteIn struct {
	Body struct {
		Name string     `json:"name"`
		Plan OnsitePlan `json:"plan"`
	}
}

func (a *API) createOnsite(ctx context.Context, c *call, in createOnsiteIn) (OnsiteMessage, error) {
	m, err := c.ws.Onsite.Create(ctx, in.Body.Name, in.Body.Plan.plan())
	if err != nil {
		return OnsiteMessage{}, err
	}
	return showOnsite(&m, nil), nil
}

func onsiteID(text string) (id.ID, error) {
	v, err := id.Parse(onsite.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "onsite.not_found", nil)
	}
	return v, nil
}

func (a *API) getOnsite(ctx context.Context, c *call, in idIn) (OnsiteMessage, error) {
	key, err := onsiteID(in.ID)
	if err != nil {
		return OnsiteMessage{}, err
	}
	m, err := c.ws.Onsite.Get(ctx, key)
	if err != nil {
		return OnsiteMessage{}, err
	}
	sums, err := c.ws.Onsite.Sums(ctx)
	return showOnsite(&m, sums), err
}

type patchOnsiteIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		Name    string     `json:"name"`
		Status  string     `json:"status,omitempty" enum:"draft,active,ended"`
		Plan    OnsitePlan `json:"plan"`
		Version int64      `json:"version,omitempty"`
	}
}

func (a *API) patchOnsite(ctx context.Context, c *call, in patchOnsiteIn) (OnsiteMessage, error) {
	key, err := onsiteID(in.ID)
	if err != nil {
		return OnsiteMessage{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return OnsiteMessage{}, err
	}
	m, err := c.ws.Onsite.Update(ctx, key, version, in.Body.Name, onsite.Status(in.Body.Status), in.Body.Plan.plan())
	if err != nil {
		return OnsiteMessage{}, err
	}
	sums, err := c.ws.Onsite.Sums(ctx)
	return showOnsite(&m, sums), err
}
