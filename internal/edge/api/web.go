package api

import (
	"context"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// webRoutes are the reports on behaviour. They are asked by POST, since a funnel does not fit into an address.
func (a *API) webRoutes() []route {
	r := access.WebRead
	return []route{
		{method: post, path: "/web/overview", need: right, right: r, run: op(a.webOverview), doc: "Visitors, visits, views and conversion of a span, beside those of the span before", secret: true},
		{method: post, path: "/web/breakdown", need: right, right: r, run: op(a.webBreakdown), doc: "Visits by source, campaign, device, place and other dimensions", secret: true},
		{method: post, path: "/web/pages", need: right, right: r, run: op(a.webPages), doc: "Pages with views, entries, exits and dwell", secret: true},
		{method: post, path: "/web/events", need: right, right: r, run: op(a.webEvents), doc: "Events by name", secret: true},
		{method: post, path: "/web/funnel", need: right, right: r, run: op(a.webFunnel), doc: "How many took the steps of a funnel, in order and in time", secret: true},
		{method: post, path: "/web/paths", need: right, right: r, run: op(a.webPaths), doc: "Ways through pages and events, step by step", secret: true},
		{method: post, path: "/web/retention", need: right, right: r, run: op(a.webRetention), doc: "How many of those who began in a period came back", secret: true},
		{method: post, path: "/web/people", need: right, right: r, run: op(a.webPeople), doc: "The people behind a figure: customers and anonymous visitors", secret: true},
		{method: post, path: "/web/segments", need: right, right: r, run: op(a.webSegment), doc: "Keep the customers behind a figure as a static segment", status: http.StatusCreated},
		{method: get, path: "/web/funnels", need: right, right: r, run: op(a.webFunnels), doc: "Funnels that were kept"},
		{method: post, path: "/web/funnels", need: right, right: r, run: op(a.saveWebFunnel), doc: "Keep a funnel under a name", status: http.StatusCreated},
		{method: patch, path: "/web/funnels/{id}", need: right, right: r, run: op(a.patchWebFunnel), doc: "Change a kept funnel"},
		{method: del, path: "/web/funnels/{id}", need: right, right: r, run: op(a.deleteWebFunnel), doc: "Forget a kept funnel"},
	}
}

// webAsk is what every report is asked with.
type webAsk struct {
	From   string            `json:"from" doc:"first local day, 2006-01-02"`
	To     string            `json:"to" doc:"last local day"`
	Filter map[string]string `json:"filter,omitempty" doc:"values of dimensions (host, channel, campaign, utm_source, utm_medium, referrer, device, browser, os, language, country, region, entry, exit), through (an event source) and segment"`
	Goal   string            `json:"goal,omitempty" doc:"the event that counts as conversion; a purchase where it is empty"`
}

// question reads what was asked.
func (in webAsk) question() (q web.Question, err error) {
	if q.From, err = clock.ParseDay(in.From); err != nil {
		return q, fault.InvalidField("api.bad_parameter", "from", nil)
	}
	if q.To, err = clock.ParseDay(in.To); err != nil {
		return q, fault.InvalidField("api.bad_parameter", "to", nil)
	}
	q.Goal, q.Is = in.Goal, map[web.Dimension]string{}
	for key, value := range in.Filter {
		switch key {
		case "segment":
			q.Segment = value
		case "through":
			if _, q.Through, err = id.ParseAny(value); err != nil {
				return q, fault.InvalidField("api.bad_parameter", "filter.through", nil)
			}
		default:
			q.Is[web.Dimension(key)] = value
		}
	}
	return q, nil
}

// WebTotals are figures of one span.
type WebTotals struct {
	Visitors       int64   `json:"visitors"`
	Visits         int64   `json:"visits"`
	Views          int64   `json:"views"`
	Events         int64   `json:"events"`
	Bounced        int64   `json:"bounced" doc:"visits without a second view and without an interactive event"`
	Engaged        int64   `json:"engaged" doc:"visits of over ten seconds, with a key event or with two views"`
	Seconds        float64 `json:"seconds" doc:"sum of last minus first event; a bounce has none"`
	EngagedSeconds float64 `json:"engaged_seconds" doc:"sum of visible and active time"`
	Converters     int64   `json:"converters" doc:"visitors who reached the goal"`
	Orders         int64   `json:"orders"`
	Amount         Money   `json:"amount"`
}

// webTotals is a figure in the form of the API.
func (c *call) webTotals(t web.Totals) WebTotals {
	return WebTotals{Visitors: t.Visitors, Visits: t.Visits, Views: t.Views, Events: t.Events, Bounced: t.Bounced, Engaged: t.Engaged,
		Seconds: seconds(t.Duration), EngagedSeconds: seconds(t.EngagedTime), Converters: t.Converters, Orders: t.Orders, Amount: ShowMoney(t.Amount, c.who.Workspace.Currency)}
}

func seconds(ms int64) float64 { return float64(ms) / 1000 }

// WebBucket is a day or an hour of the trend.
type WebBucket struct {
	Day      string     `json:"day"`
	At       *time.Time `json:"at,omitempty" doc:"of an hour: when it begins"`
	Visitors int64      `json:"visitors"`
	Visits   int64      `json:"visits"`
	Views    int64      `json:"views"`
}

func showBuckets(list []web.Bucket) []WebBucket {
	out := make([]WebBucket, len(list))
	for i, b := range list {
		out[i] = WebBucket{Day: b.Day.String(), At: optional(b.At), Visitors: b.Visitors, Visits: b.Visits, Views: b.Views}
	}
	return out
}

// WebOverview is a span beside the one before.
type WebOverview struct {
	Any        bool        `json:"any" doc:"there is an event at all, of whatever day"`
	Before     WebSpan     `json:"before_span"`
	Now        WebTotals   `json:"now"`
	Then       WebTotals   `json:"before"`
	Trend      []WebBucket `json:"trend"`
	Past       []WebBucket `json:"past"`
	AsOf       time.Time   `json:"as_of"`
	LagSeconds float64     `json:"lag_seconds"`
}

// WebSpan is a run of local days, both ends included.
type WebSpan struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type webOverviewIn struct {
	Body struct {
		webAsk
		By string `json:"by,omitempty" enum:"day,hour"`
	}
}

func (a *API) webOverview(ctx context.Context, c *call, in webOverviewIn) (WebOverview, error) {
	q, err := in.Body.question()
	if err != nil {
		return WebOverview{}, err
	}
	if in.Body.By != "" && in.Body.By != "day" && in.Body.By != "hour" {
		return WebOverview{}, fault.InvalidField("api.bad_parameter", "by", nil)
	}
	o, err := c.ws.Web.Overview(ctx, q, in.Body.By == "hour")
	if err != nil {
		return WebOverview{}, err
	}
	s, err := c.ws.Status(ctx)
	before := q.Before()
	return WebOverview{Any: o.Any, Before: WebSpan{before.From.String(), before.To.String()}, Now: c.webTotals(o.Now), Then: c.webTotals(o.Before), Trend: showBuckets(o.Trend), Past: showBuckets(o.Past),
		AsOf: a.Clock.Now().Add(-time.Duration(s.LagSeconds * float64(time.Second))), LagSeconds: s.LagSeconds}, err
}

// WebRow is a value of a dimension.
type WebRow struct {
	Value string `json:"value" doc:"empty for not known"`
	WebTotals
}

// WebRows are the values of a dimension, most visits first.
type WebRows struct {
	Items []WebRow `json:"items"`
	More  bool     `json:"more" doc:"there are others"`
}

type webBreakdownIn struct {
	Body struct {
		webAsk
		By    string `json:"by"`
		Limit int    `json:"limit,omitempty"`
	}
}

func (a *API) webBreakdown(ctx context.Context, c *call, in webBreakdownIn) (WebRows, error) {
	q, err := in.Body.question()
	if err != nil {
		return WebRows{}, err
	}
	list, more, err := c.ws.Web.Breakdown(ctx, q, web.Dimension(in.Body.By), in.Body.Limit)
	out := WebRows{Items: []WebRow{}, More: more}
	for _, r := range list {
		out.Items = append(out.Items, WebRow{r.Value, c.webTotals(r.Totals)})
	}
	return out, err
}

// WebPage is a page or a screen.
type WebPage struct {
	Host     string  `json:"host"`
	Path     string  `json:"path"`
	Title    string  `json:"title"`
	Views    int64   `json:"views"`
	Visitors int64   `json:"visitors"`
	Entries  int64   `json:"entries" doc:"visits that began with it"`
	Exits    int64   `json:"exits" doc:"visits that ended with it"`
	Bounced  int64   `json:"bounced" doc:"visits that began with it and bounced"`
	Dwell    float64 `json:"dwell_seconds" doc:"sum of visible and active time"`
}

// WebPages are pages, most views first.
type WebPages struct {
	Items []WebPage `json:"items"`
	More  bool      `json:"more"`
}

type webListIn struct {
	Body struct {
		webAsk
		Limit int `json:"limit,omitempty"`
	}
}

func (a *API) webPages(ctx context.Context, c *call, in webListIn) (WebPages, error) {
	q, err := in.Body.question()
	if err != nil {
		return WebPages{}, err
	}
	list, more, err := c.ws.Web.Pages(ctx, q, in.Body.Limit)
	out := WebPages{Items: []WebPage{}, More: more}
	for _, p := range list {
		out.Items = append(out.Items, WebPage{Host: p.Host, Path: p.Path, Title: p.Title, Views: p.Views, Visitors: p.Visitors, Entries: p.Entries, Exits: p.Exits, Bounced: p.Bounced, Dwell: seconds(p.Dwell)})
	}
	return out, err
}

// WebEvent is an event by name.
type WebEvent struct {
	Name     string `json:"name"`
	Count    int64  `json:"count"`
	Visitors int64  `json:"visitors"`
	Amount   Money  `json:"amount"`
}

// WebEvents are events by name, most frequent first.
type WebEvents struct {
	Items []WebEvent `json:"items"`
	More  bool       `json:"more"`
}

func (a *API) webEvents(ctx context.Context, c *call, in webListIn) (WebEvents, error) {
	q, err := in.Body.question()
	if err != nil {
		return WebEvents{}, err
	}
	list, more, err := c.ws.Web.Events(ctx, q, in.Body.Limit)
	out := WebEvents{Items: []WebEvent{}, More: more}
	for _, e := range list {
		out.Items = append(out.Items, WebEvent{Name: e.Name, Count: e.Count, Visitors: e.Visitors, Amount: ShowMoney(e.Amount, c.who.Workspace.Currency)})
	}
	return out, err
}

// WebReached is a step of a funnel.
type WebReached struct {
	Step          int     `json:"step" doc:"from 1"`
	Group         string  `json:"group,omitempty"`
	Count         int64   `json:"count"`
	MedianSeconds float64 `json:"median_seconds" doc:"from the step before"`
}

// WebFunnelResult is how many took the steps; groups holds them by the value that the funnel is split by.
type WebFunnelResult struct {
	Steps  []WebReached `json:"steps"`
	Groups []WebReached `json:"groups"`
}

type webFunnelIn struct {
	Body struct {
		webAsk
		web.Funnel
	}
}

func showReached(list []web.Reached) []WebReached {
	out := make([]WebReached, len(list))
	for i, r := range list {
		out[i] = WebReached{Step: r.Step, Group: r.Group, Count: r.Count, MedianSeconds: seconds(r.Median)}
	}
	return out
}

func (a *API) webFunnel(ctx context.Context, c *call, in webFunnelIn) (WebFunnelResult, error) {
	q, err := in.Body.question()
	if err != nil {
		return WebFunnelResult{}, err
	}
	whole, split, err := c.ws.Web.Funnel(ctx, q, in.Body.Funnel)
	return WebFunnelResult{Steps: showReached(whole), Groups: showReached(split)}, err
}

// WebLink is how many ways went from a node to the next; without a name a node stands for all others, without "to" the way ended.
type WebLink struct {
	Step  int      `json:"step"`
	From  WebNode  `json:"from"`
	To    *WebNode `json:"to"`
	Count int64    `json:"count"`
}

// WebNode is a page or an event of a step.
type WebNode struct {
	Name string `json:"name"`
	Rest bool   `json:"rest,omitempty" doc:"all that are not among the top of their step"`
}

// WebLinks are the ways.
type WebLinks struct {
	Items []WebLink `json:"items"`
}

// webPathsOf is which ways are asked for.
type webPathsOf struct {
	Nodes    string `json:"nodes" enum:"pages,events,both"`
	Node     string `json:"node,omitempty" doc:"where the ways begin, or end; empty for the beginning or the end of the visit"`
	Backward bool   `json:"backward,omitempty"`
	Depth    int    `json:"depth"`
	Top      int    `json:"top"`
}

func (p webPathsOf) paths() web.Paths { return web.Paths(p) }

type webPathsIn struct {
	Body struct {
		webAsk
		webPathsOf
	}
}

func (a *API) webPaths(ctx context.Context, c *call, in webPathsIn) (WebLinks, error) {
	q, err := in.Body.question()
	if err != nil {
		return WebLinks{}, err
	}
	list, err := c.ws.Web.Paths(ctx, q, in.Body.paths())
	out := WebLinks{Items: []WebLink{}}
	for _, l := range list {
		v := WebLink{Step: l.Step, From: WebNode(*l.From), Count: l.Count}
		if l.To != nil {
			to := WebNode(*l.To)
			v.To = &to
		}
		out.Items = append(out.Items, v)
	}
	return out, err
}

// webRetentionOf is which retention is asked for.
type webRetentionOf struct {
	Start  string `json:"start" doc:"visit, purchase, or the name of an event"`
	Return string `json:"return" doc:"visit, purchase, or the name of an event"`
	Period string `json:"period" enum:"day,week,month"`
}

func (r webRetentionOf) retention() web.Retention { return web.Retention(r) }

type webRetentionIn struct {
	Body struct {
		webAsk
		webRetentionOf
	}
}

// WebCohort is those who began in a period; active holds how many of them were there again, from its own period on until that of
// the last day asked for.
type WebCohort struct {
	From   string  `json:"from" doc:"first day of its period"`
	Size   int64   `json:"size"`
	Active []int64 `json:"active"`
}

// WebCohorts is the retention table.
type WebCohorts struct {
	Items []WebCohort `json:"items"`
}

func (a *API) webRetention(ctx context.Context, c *call, in webRetentionIn) (WebCohorts, error) {
	q, err := in.Body.question()
	if err != nil {
		return WebCohorts{}, err
	}
	r := in.Body.retention()
	list, err := c.ws.Web.Retention(ctx, q, r)
	if err != nil {
		return WebCohorts{}, err
	}
	out := WebCohorts{Items: []WebCohort{}}
	last := r.First(q.To)
	for _, cell := range list {
		if cell.Period < 0 {
			out.Items = append(out.Items, WebCohort{From: cell.Cohort.String(), Size: cell.Count, Active: make([]int64, r.Between(cell.Cohort, last)+1)})
		} else if at := len(out.Items) - 1; at >= 0 && cell.Period < len(out.Items[at].Active) {
			out.Items[at].Active[cell.Period] = cell.Count
		}
	}
	return out, nil
}
