package api

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// socialRoutes are the figures of contents and of what happens off the web.
func (a *API) socialRoutes() []route {
	r := access.WebRead
	return []route{
		{method: get, path: "/interactions", need: right, right: r, run: op(a.interactions), doc: "Contents published in a span with what was done with them, by platform, kind and week, and what happened off the web"},
		{method: get, path: "/interactions/contents/{id}", need: right, right: r, run: op(a.contentFigures), doc: "What was done with a content"},
	}
}

const contentObject = "content"

type interactionsIn struct {
	From     string `query:"from" doc:"first local day, 2006-01-02"`
	To       string `query:"to" doc:"last local day"`
	Platform string `query:"platform" doc:"key of a platform; every one when empty"`
	Kind     string `query:"kind" doc:"key of a kind of content; every one when empty"`
	Limit    int    `query:"limit" doc:"contents that are listed, 50 when empty, 1000 at most"`
}

// InteractionGroup are contents together. The rate is interactions over seen.
type InteractionGroup struct {
	Key          string `json:"key"`
	Contents     int64  `json:"contents"`
	Seen         int64  `json:"seen" doc:"sum of the reach of the contents, or of how many viewed them, whichever is more"`
	Interactions int64  `json:"interactions" doc:"likes, comments, shares, saves and live streams watched"`
	Liked        int64  `json:"liked"`
	Commented    int64  `json:"commented"`
	Shared       int64  `json:"shared"`
	Saved        int64  `json:"saved"`
	Watched      int64  `json:"watched"`
}

func showGroup(g *social.Group) InteractionGroup {
	return InteractionGroup{g.Key, g.Contents, g.Seen, g.Interactions, g.Liked, g.Commented, g.Shared, g.Saved, g.Watched}
}

func showGroups(list []social.Group) []InteractionGroup {
	out := make([]InteractionGroup, len(list))
	for i := range list {
		out[i] = showGroup(&list[i])
	}
	return out
}

// ContentFigures is a content with what was done with it.
type ContentFigures struct {
	Record       Ref    `json:"record"`
	ExternalID   string `json:"external_id" doc:"by which events name it"`
	Platform     string `json:"platform"`
	Kind         string `json:"kind"`
	Reach        int64  `json:"reach" doc:"as the platform says"`
	Viewers      int64  `json:"viewers" doc:"people who viewed it, as events tell"`
	Seen         int64  `json:"seen" doc:"what the rate is measured against: reach or viewers, whichever is more"`
	People       int64  `json:"people" doc:"who interacted, each once"`
	Viewed       int64  `json:"viewed"`
	Interactions int64  `json:"interactions"`
	Liked        int64  `json:"liked"`
	Commented    int64  `json:"commented"`
	Shared       int64  `json:"shared"`
	Saved        int64  `json:"saved"`
	Watched      int64  `json:"watched"`
}

// OfflineDeed is something that happens off the web.
type OfflineDeed struct {
	Name   string   `json:"name" doc:"of the event, or visit for visits of sales people"`
	Count  int64    `json:"count"`
	People int64    `json:"people"`
	Rating *float64 `json:"rating" doc:"mean of reviews, of 5"`
}

// InteractionOverview is the answer about a span.
type InteractionOverview struct {
	All       InteractionGroup   `json:"all"`
	Platforms []InteractionGroup `json:"platforms"`
	Kinds     []InteractionGroup `json:"kinds"`
	Weeks     []InteractionGroup `json:"weeks" doc:"by week of publication; key is its Monday"`
	Contents  []ContentFigures   `json:"contents" doc:"those whom the reader sees, the best first"`
	Deeds     []OfflineDeed      `json:"deeds"`
}

// contentsMost bounds a list of contents.
const contentsMost = 1000

func (a *API) interactions(ctx context.Context, c *call, in interactionsIn) (InteractionOverview, error) {
	var ask social.Ask
	var err error
	if ask.From, err = clock.ParseDay(in.From); err != nil {
		return InteractionOverview{}, fault.InvalidField("api.bad_parameter", "from", nil)
	}
	if ask.To, err = clock.ParseDay(in.To); err != nil {
		return InteractionOverview{}, fault.InvalidField("api.bad_parameter", "to", nil)
	}
	if in.Limit < 0 || in.Limit > contentsMost {
		return InteractionOverview{}, fault.InvalidField("api.bad_parameter", "limit", nil)
	}
	if in.Limit == 0 {
		in.Limit = 50
	}
	ask.Platform, ask.Kind = in.Platform, in.Kind
	o, err := c.ws.Social.Overview(ctx, ask)
	if err != nil {
		return InteractionOverview{}, err
	}
	out := InteractionOverview{All: showGroup(&o.All), Platforms: showGroups(o.Platforms), Kinds: showGroups(o.Kinds), Weeks: showGroups(o.Weeks), Deeds: []OfflineDeed{}}
	for _, d := range o.Deeds {
		v := OfflineDeed{Name: d.Name, Count: d.Count, People: d.People}
		if d.Mean > 0 {
			mean := float64(d.Mean) / 100
			v.Rating = &mean
		}
		out.Deeds = append(out.Deeds, v)
	}
	out.Contents, err = c.showContents(ctx, o.Contents[:min(len(o.Contents), in.Limit)])
	return out, err
}

// showContents are contents with their titles, those that the caller sees.
func (c *call) showContents(ctx context.Context, list []social.Content) ([]ContentFigures, error) {
	out := []ContentFigures{}
	obj, err := c.object(contentObject)
	if err != nil || len(list) == 0 {
		return out, err
	}
	ids := make([]id.ID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	recs, err := c.ws.Records.GetMany(ctx, obj.Key, ids, []string{"title", "external_id"})
	if err != nil {
		if fault.KindOf(err) == fault.Forbidden { // whoever may not read contents sees the sums
			err = nil
		}
		return out, err
	}
	byID := make(map[id.ID]*record.Record, len(recs))
	for _, r := range recs {
		byID[r.ID] = r
	}
	for i := range list {
		v := &list[i]
		r := byID[v.ID]
		if r == nil {
			continue
		}
		external, _ := r.Values["external_id"].(string)
		out = append(out, ContentFigures{Record: Ref{ID: id.Format(obj.Prefix, v.ID), Object: obj.Key, Title: r.Title}, ExternalID: external, Platform: v.Platform, Kind: v.Kind, Reach: v.Reach, Viewers: v.Viewers,
			Seen: v.Seen(), People: v.People, Viewed: v.Viewed, Interactions: v.Interactions(), Liked: v.Liked, Commented: v.Commented, Shared: v.Shared, Saved: v.Saved, Watched: v.Watched})
	}
	return out, nil
}

func (a *API) contentFigures(ctx context.Context, c *call, in idIn) (ContentFigures, error) {
	obj, err := c.object(contentObject)
	if err != nil {
		return ContentFigures{}, err
	}
	of, err := recordID(obj, in.ID)
	if err != nil {
		return ContentFigures{}, err
	}
	if _, err := c.ws.Records.Get(ctx, obj.Key, of); err != nil {
		return ContentFigures{}, err
	}
	v, err := c.ws.Social.Content(ctx, of)
	if err != nil {
		return ContentFigures{}, err
	}
	list, err := c.showContents(ctx, []social.Content{v})
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "record.not_found", fault.Params{"object": obj.Key, "id": in.ID})
	}
	if err != nil {
		return ContentFigures{}, err
	}
	return list[0], nil
}
