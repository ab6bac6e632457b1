package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// WebBehind names a figure; which members count depends on figure.
type WebBehind struct {
	Figure    string          `json:"figure" enum:"visits,page,event,step,cohort,way"`
	Only      string          `json:"only,omitempty" enum:"bounced,engaged,converted"`
	Host      string          `json:"host,omitempty"`
	Path      string          `json:"path,omitempty"`
	Event     string          `json:"event,omitempty"`
	Funnel    *web.Funnel     `json:"funnel,omitempty"`
	Step      int             `json:"step,omitempty" doc:"of a funnel or of a way, from 1"`
	Lost      bool            `json:"lost,omitempty" doc:"took the step and not the next"`
	Group     *string         `json:"group,omitempty"`
	Retention *webRetentionOf `json:"retention,omitempty"`
	Cohort    string          `json:"cohort,omitempty" doc:"first day of the period"`
	Period    int             `json:"period,omitempty" doc:"-1 for the whole cohort"`
	Paths     *webPathsOf     `json:"paths,omitempty"`
	From      string          `json:"from,omitempty"`
	To        string          `json:"to,omitempty"`
	Ended     bool            `json:"ended,omitempty"`
}

func (b WebBehind) behind() (out web.Behind, err error) {
	missing := func(name string) error { return fault.InvalidField("api.bad_parameter", "behind."+name, nil) }
	switch b.Figure {
	case "visits":
		out.Visits, out.Only = true, b.Only
	case "page":
		out.Path = &web.PagePath{Host: b.Host, Path: b.Path}
	case "event":
		out.Event = b.Event
	case "step":
		if b.Funnel == nil {
			return out, missing("funnel")
		}
		out.Funnel = &web.FunnelStep{Funnel: *b.Funnel, Step: b.Step, Lost: b.Lost, Grouped: b.Group != nil}
		if b.Group != nil {
			out.Funnel.Group = *b.Group
		}
	case "cohort":
		if b.Retention == nil {
			return out, missing("retention")
		}
		out.Cohort = &web.CohortCell{Retention: b.Retention.retention(), Period: b.Period}
		if out.Cohort.Cohort, err = clock.ParseDay(b.Cohort); err != nil {
			return out, missing("cohort")
		}
	case "way":
		if b.Paths == nil {
			return out, missing("paths")
		}
		out.Way = &web.Way{Paths: b.Paths.paths(), Step: b.Step, From: b.From, To: b.To, Ended: b.Ended}
	default:
		return out, missing("figure")
	}
	return out, nil
}

type webPeopleIn struct {
	Body struct {
		webAsk
		Behind    WebBehind `json:"behind"`
		Anonymous bool      `json:"anonymous,omitempty" doc:"list the anonymous visitors, not the customers"`
		Cursor    string    `json:"cursor,omitempty"`
		Limit     int       `json:"limit,omitempty"`
	}
}

// WebPeople are the people behind a figure. The numbers are the workspace's; listed are those whom the reader sees.
type WebPeople struct {
	Customers  *int64       `json:"customers" doc:"on the first page alone"`
	Anonymous  *int64       `json:"anonymous" doc:"on the first page alone"`
	Items      []Sample     `json:"items"`
	Visitors   []WebVisitor `json:"visitors"`
	Closed     bool         `json:"closed" doc:"anonymous visitors are listed to readers of every customer only"`
	NextCursor *string      `json:"next_cursor"`
}

// WebVisitor is somebody whom nobody knows.
type WebVisitor struct {
	ID      string     `json:"id"`
	Visits  int64      `json:"visits" doc:"of all days"`
	Views   int64      `json:"views"`
	FirstAt *time.Time `json:"first_at"`
	LastAt  *time.Time `json:"last_at"`
	Channel string     `json:"channel" doc:"of the first visit, as are device, country and region"`
	Device  string     `json:"device"`
	Country string     `json:"country"`
	Region  string     `json:"region"`
}

// visitorPrefix is the prefix of printed ids of profiles.
const visitorPrefix = "prf"

func (a *API) webPeople(ctx context.Context, c *call, in webPeopleIn) (WebPeople, error) {
	out := WebPeople{Items: []Sample{}, Visitors: []WebVisitor{}}
	q, err := in.Body.question()
	if err != nil {
		return out, err
	}
	b, err := in.Body.Behind.behind()
	if err != nil {
		return out, err
	}
	p := web.PeoplePage{Anonymous: in.Body.Anonymous, Limit: limitOf(in.Body.Limit, 50), Count: in.Body.Cursor == ""}
	if in.Body.Cursor != "" {
		if _, p.After, err = id.ParseAny(in.Body.Cursor); err != nil {
			return out, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	obj, err := c.object(query.Customer)
	if err != nil {
		return out, err
	}
	if p.Limits, err = c.ws.Records.Limits(ctx, obj.Key); err != nil {
		return out, err
	}
	found, err := c.ws.Web.People(ctx, q, b, p)
	if err != nil {
		return out, err
	}
	out.Closed = p.Anonymous && p.Limits != nil
	if found.Customers >= 0 {
		out.Customers, out.Anonymous = &found.Customers, &found.Anonymous
	}
	prefix := obj.Prefix
	if p.Anonymous {
		prefix = visitorPrefix
		err = c.visitors(ctx, found.IDs, &out)
	} else {
		out.Items, err = c.samples(ctx, found.IDs)
	}
	if n := len(found.IDs); n == p.Limit {
		next := id.Format(prefix, found.IDs[n-1])
		out.NextCursor = &next
	}
	return out, err
}

type webSegmentIn struct {
	Body struct {
		webAsk
		Behind      WebBehind `json:"behind"`
		Label       string    `json:"label"`
		Description string    `json:"description,omitempty"`
	}
}

// listPage is how many of the people are read at a time.
const listPage = 20_000

// webSegment keeps the customers behind a figure whom the caller sees as a list of its own.
func (a *API) webSegment(ctx context.Context, c *call, in webSegmentIn) (Segment, error) {
	q, err := in.Body.question()
	if err != nil {
		return Segment{}, err
	}
	b, err := in.Body.Behind.behind()
	if err != nil {
		return Segment{}, err
	}
	p := web.PeoplePage{Limit: listPage}
	if p.Limits, err = c.ws.Records.Limits(ctx, query.Customer); err != nil {
		return Segment{}, err
	}
	var members []id.ID
	for {
		found, err := c.ws.Web.People(ctx, q, b, p)
		if err != nil {
			return Segment{}, err
		}
		members = append(members, found.IDs...)
		if len(found.IDs) < p.Limit {
			break
		}
		p.After = found.IDs[len(found.IDs)-1]
	}
	if len(members) == 0 {
		return Segment{}, fault.New(fault.Invalid, "web.nobody", nil)
	}
	s, err := c.ws.Segments.CreateList(ctx, segment.Draft{Label: &in.Body.Label, Description: &in.Body.Description}, members)
	if err != nil {
		return Segment{}, err
	}
	return a.showSegment(c, s), a.Auth.Note(ctx, c.who.Workspace.Key, "segment.create", "segment", 0, map[string]any{"key": s.Key})
}

func (c *call) visitors(ctx context.Context, ids []id.ID, out *WebPeople) error {
	list, err := c.ws.Web.Visitors(ctx, ids)
	for _, v := range list {
		out.Visitors = append(out.Visitors, WebVisitor{ID: id.Format(visitorPrefix, v.ID), Visits: v.Visits, Views: v.Views, FirstAt: optional(v.FirstAt), LastAt: optional(v.LastAt),
			Channel: v.Channel, Device: v.Device, Country: v.Country, Region: v.Region})
	}
	return err
}

// WebSaved is a kept funnel.
type WebSaved struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Funnel    web.Funnel `json:"funnel"`
	Version   int64      `json:"version"`
	Edit      bool       `json:"edit" doc:"the reader may change it"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// WebSavedList are the kept funnels, by name.
type WebSavedList struct {
	Items []WebSaved `json:"items"`
}

const funnelPrefix = "fun"

func showSaved(ctx context.Context, f web.Saved) WebSaved {
	return WebSaved{ID: id.Format(funnelPrefix, f.ID), Name: f.Name, Funnel: f.Funnel, Version: f.Version, Edit: f.MayEdit(ctx), UpdatedAt: f.UpdatedAt}
}

func (a *API) webFunnels(ctx context.Context, c *call, _ struct{}) (WebSavedList, error) {
	list, err := c.ws.Web.Funnels(ctx)
	out := WebSavedList{Items: []WebSaved{}}
	for _, f := range list {
		out.Items = append(out.Items, showSaved(ctx, f))
	}
	return out, err
}

type webSavedBody struct {
	Name    string     `json:"name"`
	Funnel  web.Funnel `json:"funnel"`
	Version int64      `json:"version,omitempty" doc:"of a change: the version that was read"`
}

type saveWebFunnelIn struct {
	Body webSavedBody
}

func (a *API) saveWebFunnel(ctx context.Context, c *call, in saveWebFunnelIn) (WebSaved, error) {
	f, err := c.ws.Web.SaveFunnel(ctx, web.Saved{Name: in.Body.Name, Funnel: in.Body.Funnel})
	return showSaved(ctx, f), err
}

type patchWebFunnelIn struct {
	ID   string `path:"id"`
	Body webSavedBody
}

func (a *API) patchWebFunnel(ctx context.Context, c *call, in patchWebFunnelIn) (WebSaved, error) {
	key, err := id.Parse(funnelPrefix, in.ID)
	if err != nil {
		return WebSaved{}, fault.New(fault.NotFound, "web.no_funnel", nil)
	}
	f, err := c.ws.Web.SaveFunnel(ctx, web.Saved{ID: key, Name: in.Body.Name, Funnel: in.Body.Funnel, Version: in.Body.Version})
	return showSaved(ctx, f), err
}

type webFunnelID struct {
	ID string `path:"id"`
}

func (a *API) deleteWebFunnel(ctx context.Context, c *call, in webFunnelID) (empty, error) {
	key, err := id.Parse(funnelPrefix, in.ID)
	if err != nil {
		return empty{}, fault.New(fault.NotFound, "web.no_funnel", nil)
	}
	return empty{}, c.ws.Web.DropFunnel(ctx, key)
}
