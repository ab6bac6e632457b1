// Package social describes what people do with what a company publishes, on whatever platform, and what happens off the web: visits to
// stores, calls, messages, reviews.
//
// Definitions. An interaction is a like, a comment, a share, a save or the watching of a live stream; to view a content is none. The interaction
// rate is interactions over reach. The reach of a content is how many people its platform says saw it (the field), or how many
// viewed it as events tell, whichever is more. Contents belong to the span in which they were published, and all their interactions since
// count; a group (platform, kind, week) has the sums of its contents, so its rate weighs contents by reach. Weeks begin on Monday.
//
// What happens off the web is counted on the day it happened: events by their names, and activities that are done (calls with the calls that
// events tell of, visits of sales people by themselves), each once.
//
// Robots and people who refused to be analysed are left out. Who asks needs the right access.WebRead; figures are the workspace's.
package social

import (
	"cmp"
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Limits of questions.
const (
	MaxDays     = 731
	MaxContents = 20_000 // published in a span; the newest count
)

// Ask says which contents: published on these local days, both ends included, on a platform and of a kind ("" for every one).
type Ask struct {
	From, To       clock.Day
	Platform, Kind string
}

// Content is a content with what was done with it. People counts who interacted, each once; Viewers who viewed it.
type Content struct {
	ID                                               id.ID
	Platform, Kind                                   string
	Week                                             clock.Day // Monday of the week of publication
	Reach, Viewers, People                           int64
	Viewed, Liked, Commented, Shared, Saved, Watched int64
}

// Interactions is how often something was done with it.
func (c *Content) Interactions() int64 {
	return c.Liked + c.Commented + c.Shared + c.Saved + c.Watched
}

// Seen is what the rate is measured against.
func (c *Content) Seen() int64 { return max(c.Reach, c.Viewers) }

// Group are the contents of a platform, kind or week together.
type Group struct {
	Key                          string
	Contents, Seen, Interactions int64
	Liked, Commented, Shared     int64
	Saved, Watched               int64
}

func (g *Group) add(c *Content) {
	g.Contents++
	g.Seen += c.Seen()
	g.Interactions += c.Interactions()
	g.Liked += c.Liked
	g.Commented += c.Commented
	g.Shared += c.Shared
	g.Saved += c.Saved
	g.Watched += c.Watched
}

// Deed is something that happens off the web: the name of an event, or Visit, with how often and of how many people. Mean is of the
// ratings of reviews, in hundredths; 0 where there is none.
type Deed struct {
	Name                string
	Count, People, Mean int64
}

// Visit is the name of a visit that a sales person made, an activity.
const Visit = "visit"

// Deeds are the names of what is counted off the web, in the order of the page.
func Deeds() []string {
	return []string{event.StoreVisited, event.ItemTried, Visit, event.CallMade, event.MessageReceived, event.MessageSent, event.ProductReviewed, event.BrandMentioned,
		event.AccountFollowed, event.AccountLeft, event.ShareOpened, event.CouponUsed}
}

// Overview is the answer to an Ask. Contents are the best first: by interactions, then by reach.
type Overview struct {
	All       Group
	Platforms []Group
	Kinds     []Group
	Weeks     []Group // every week of the span, in order; Key is the Monday
	Contents  []Content
	Deeds     []Deed
}

// Facts answers from the analytics plane.
type Facts interface {
	// Contents are those published in the span with their figures, in any order, at most so many.
	Contents(ctx context.Context, a Ask, limit int) ([]Content, error)
	// Content is one; ok is false where the plane does not know it yet.
	Content(ctx context.Context, content id.ID) (c Content, ok bool, err error)
	// Deeds counts what happened off the web on local days.
	Deeds(ctx context.Context, from, to clock.Day) ([]Deed, error)
	// Influence is that of a customer, Credit for whom it is, the most revenue first, and SharesOf what the customer passed on, newest first.
	Influence(ctx context.Context, customer id.ID) (Influence, error)
	Credit(ctx context.Context, customer id.ID, limit int) ([]Brought, error)
	SharesOf(ctx context.Context, customer id.ID, limit int) ([]Share, error)
}

// Service answers questions about contents. It is safe for concurrent use.
type Service struct{ facts Facts }

// New makes a Service.
func New(f Facts) *Service { return &Service{f} }

func may(ctx context.Context) error {
	if access.From(ctx).Can(access.WebRead) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.WebRead)})
}

// Overview computes the figures of a span.
func (s *Service) Overview(ctx context.Context, a Ask) (*Overview, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	switch {
	case a.To < a.From:
		return nil, fault.InvalidField("web.bad_span", "to", nil)
	case int(a.To-a.From)+1 > MaxDays:
		return nil, fault.InvalidField("web.long_span", "to", fault.Params{"max": MaxDays})
	}
	list, err := s.facts.Contents(ctx, a, MaxContents)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(x, y Content) int {
		return cmp.Or(cmp.Compare(y.Interactions(), x.Interactions()), cmp.Compare(y.Seen(), x.Seen()), cmp.Compare(y.ID, x.ID))
	})
	o := &Overview{Contents: list}
	platforms, kinds, weeks := map[string]*Group{}, map[string]*Group{}, map[string]*Group{}
	for i := range list {
		c := &list[i]
		o.All.add(c)
		into(platforms, c.Platform).add(c)
		into(kinds, c.Kind).add(c)
		into(weeks, c.Week.String()).add(c)
	}
	o.Platforms, o.Kinds = ranked(platforms), ranked(kinds)
	for day := Monday(a.From); day <= a.To; day += 7 {
		o.Weeks = append(o.Weeks, *into(weeks, day.String()))
	}
	o.Deeds, err = s.facts.Deeds(ctx, a.From, a.To)
	return o, err
}

// Content is one with its figures; nothing was done with one that is not known yet.
func (s *Service) Content(ctx context.Context, content id.ID) (Content, error) {
	if err := may(ctx); err != nil {
		return Content{}, err
	}
	c, ok, err := s.facts.Content(ctx, content)
	if !ok {
		c.ID = content
	}
	return c, err
}

// Monday is the first day of the week of a day.
func Monday(d clock.Day) clock.Day { return d - (d+3)%7 } // day 0 was a Thursday

func into(groups map[string]*Group, key string) *Group {
	g := groups[key]
	if g == nil {
		g = &Group{Key: key}
		groups[key] = g
	}
	return g
}

func ranked(groups map[string]*Group) []Group {
	out := make([]Group, 0, len(groups))
	for _, g := range groups {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(x, y Group) int {
		return cmp.Or(cmp.Compare(y.Interactions, x.Interactions), cmp.Compare(x.Key, y.Key))
	})
	return out
}
