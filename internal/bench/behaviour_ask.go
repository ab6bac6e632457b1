package main

import (
	"context"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// The bare statements: the least that the engine must do for the same figures.
const (
	bareTotals = `SELECT count(DISTINCT customer_id), count(*), sum(views) FROM f_session WHERE day BETWEEN {from} AND {to}`
	barePages  = `SELECT path, count(*), count(DISTINCT customer_id) FROM f_event WHERE day BETWEEN {from} AND {to} AND kind = 'page' GROUP BY path ORDER BY 2 DESC LIMIT 100`
	bareEvents = `SELECT name, count(*), count(DISTINCT customer_id) FROM f_event WHERE day BETWEEN {from} AND {to} GROUP BY name ORDER BY 2 DESC`
	// The first time of each step in their order, which is less than a funnel asks.
	bareFunnel = `WITH a AS (SELECT customer_id, min(f_event.at) AS t FROM f_event WHERE day BETWEEN {from} AND {to} AND name = 'Page Viewed' GROUP BY 1),
b AS (SELECT e.customer_id, min(e.at) AS t FROM f_event e JOIN a ON a.customer_id = e.customer_id AND e.at > a.t WHERE day BETWEEN {from} AND {to} AND name = 'Product Added' GROUP BY 1),
c AS (SELECT e.customer_id, min(e.at) AS t FROM f_event e JOIN b ON b.customer_id = e.customer_id AND e.at > b.t WHERE day BETWEEN {from} AND {to} AND name = 'Checkout Started' GROUP BY 1),
d AS (SELECT e.customer_id, min(e.at) AS t FROM f_event e JOIN c ON c.customer_id = e.customer_id AND e.at > c.t WHERE day BETWEEN {from} AND {to} AND name = 'Order Completed' GROUP BY 1)
SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c), (SELECT count(*) FROM d)`
	bareRetention = `WITH c AS (SELECT customer_id, min(day) // 7 AS p FROM f_event WHERE name = 'Product Added' GROUP BY 1),
a AS (SELECT DISTINCT customer_id, day // 7 AS p FROM f_event WHERE day BETWEEN {from} AND {to} AND name = 'Page Viewed')
SELECT c.p, a.p, count(*) FROM c JOIN a ON a.customer_id = c.customer_id WHERE a.p >= c.p GROUP BY 1, 2`
	bareLeaf  = `SELECT count(*) FROM (SELECT customer_id FROM f_event WHERE day BETWEEN {from} AND {to} AND name = 'Order Completed' GROUP BY 1 HAVING count(*) >= 2) x`
	bareFew   = `SELECT customer_id, count(*) FROM f_event WHERE (customer_id - 1000000000000) % 819200 = 0 GROUP BY customer_id`
	bareTrait = `SELECT customer_id, count(*), sum(amount), max(f_event.at) FROM f_event GROUP BY customer_id`
)

// plain runs a bare statement and reads what it gives.
func (p *shop) plain(ctx context.Context, text string) error {
	rows, err := p.db.Query(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() { //nolint:revive // they are read, not looked at
	}
	return rows.Err()
}

func (p *shop) visitsAnew(ctx context.Context) error {
	if err := p.events.RemakeVisits(ctx); err != nil {
		return err
	}
	for {
		if did, err := p.events.Visits(ctx, analytics.VisitOptions{}); err != nil || did == 0 {
			return err
		}
	}
}

// rollUp makes the rollups of all days anew.
func (p *shop) rollUp(ctx context.Context) error {
	if err := p.events.RemakeRollups(ctx); err != nil {
		return err
	}
	for {
		if did, err := p.events.Rollup(ctx); err != nil || did == 0 {
			return err
		}
	}
}

// reports are those of the page of visits, for ninety days.
func (p *shop) reports() []asked {
	w := p.web
	q := web.Question{Span: web.Span{From: shopLast - shopSpan + 1, To: shopLast}}
	search := q
	search.Is = map[web.Dimension]string{web.Channel: "search"}
	steps := []web.Step{{Event: "Page Viewed"}, {Event: "Product Added"}, {Event: "Checkout Started"}, {Event: "Order Completed"}}
	rare := append([]web.Step{{Event: "Product Viewed", Path: "/p/1*"}}, steps[1:]...)
	funnel := func(q web.Question, f web.Funnel) func(context.Context) error {
		return func(ctx context.Context) error { _, err := w.Funnel(ctx, q, f); return err }
	}
	paths := func(f web.Paths) func(context.Context) error {
		return func(ctx context.Context) error { _, err := w.Paths(ctx, q, f); return err }
	}
	retention := func(r web.Retention) func(context.Context) error {
		return func(ctx context.Context) error { _, err := w.Retention(ctx, q, r); return err }
	}
	return []asked{
		{"totals of visits", time.Second, bareTotals, func(ctx context.Context) error { _, err := w.Totals(ctx, q); return err }},
		{"trend by day", time.Second, "", func(ctx context.Context) error { _, err := w.Trend(ctx, q, false); return err }},
		{"visits by channel", time.Second, "", func(ctx context.Context) error { _, err := w.Breakdown(ctx, q, web.Channel, 100); return err }},
		{"visits by entry page", time.Second, "", func(ctx context.Context) error { _, err := w.Breakdown(ctx, q, web.Entry, 100); return err }},
		{"pages", time.Second, barePages, func(ctx context.Context) error { _, err := w.Pages(ctx, q, 100); return err }},
		{"pages of a channel", 0, "", func(ctx context.Context) error { _, err := w.Pages(ctx, search, 100); return err }},
		{"events by name", time.Second, bareEvents, func(ctx context.Context) error { _, err := w.Events(ctx, q, 100); return err }},
		{"funnel of four steps", 1500 * time.Millisecond, bareFunnel, funnel(q, web.Funnel{Steps: steps, Window: 7})},
		{"funnel by channel", 0, "", funnel(q, web.Funnel{Steps: steps, Window: 7, By: "channel"})},
		{"funnel of rare events", 1500 * time.Millisecond, "", funnel(q, web.Funnel{Steps: rare, Window: 7})},
		{"funnel of a channel", 0, "", funnel(search, web.Funnel{Steps: steps, Window: 7})},
		{"top paths of pages", 4 * time.Second, "", paths(web.Paths{Nodes: web.PathPages, Depth: 4, Top: 7})},
		{"paths from a page", 4 * time.Second, "", paths(web.Paths{Nodes: web.PathPages, Node: "/p/9", Depth: 4, Top: 7})},
		{"paths back from an order", 4 * time.Second, "", paths(web.Paths{Nodes: web.PathBoth, Node: "Order Completed", Backward: true, Depth: 4, Top: 7})},
		{"retention of visits by week", 3 * time.Second, "", retention(web.Retention{Start: web.OfVisit, Return: web.OfVisit, Period: "week"})},
		{"retention of an event by week", 3 * time.Second, bareRetention, retention(web.Retention{Start: "Product Added", Return: "Page Viewed", Period: "week"})},
		{"people of a step", 0, "", func(ctx context.Context) error {
			_, err := w.People(ctx, q, web.Behind{Funnel: &web.FunnelStep{Funnel: web.Funnel{Steps: steps, Window: 7}, Step: 2, Lost: true}}, web.PeoplePage{Anonymous: true, Limit: 50, Count: true})
			return err
		}},
	}
}

// leaves are conditions of segments about events.
func (p *shop) leaves() []asked {
	var out []asked
	for _, one := range []struct{ name, text, bare string }{
		{"segment: bought twice", `{"event":"Order Completed","op":">=","value":2,"within":{"days":90}}`, bareLeaf},
		{"segment: property of an event", `{"event":"Product Viewed","where":{"property":"price","op":">","value":500},"op":">=","value":1,"within":{"days":90}}`, ""},
		{"segment: stopped buying", `{"stopped":{"event":"Order Completed"},"for":{"days":60}}`, ""},
		{"segment: one after the other", `{"sequence":[{"event":"Product Added"},{"event":"Order Completed"}],"op":"did","within":{"days":60}}`, ""},
	} {
		out = append(out, asked{one.name, 0, one.bare, func(ctx context.Context) error {
			n, err := query.Parse([]byte(one.text))
			if err != nil {
				return err
			}
			_, err = p.board.Count(ctx, n, nil, 5)
			return err
		}})
	}
	return out
}

// plan are five computed traits over events.
func (p *shop) plan() (*trait.ComputedPlan, error) {
	figures := map[int]*query.ComputedFigure{}
	for place, text := range map[int]string{0: `counter - {"event":"Product Viewed","within":{"days":30}}`, 1: `sum price {"event":"Product Added"}`,
		2: `time_since - {"event":"*"}`, 20: `most_frequent category {"event":"Product Viewed"}`, 21: `last $channel {"event":"Page Viewed"}`} {
		parts := strings.SplitN(text, " ", 3)
		of, err := query.Parse([]byte(parts[2]))
		if err != nil {
			return nil, err
		}
		d := query.Computed{Kind: query.ComputedKind(parts[0]), Of: of}
		if parts[1] != "-" {
			d.Field = parts[1]
		}
		if figures[place], err = query.ResolveComputed(d, query.CheckEnv{Registry: p.reg, Base: "CNY", Behaviour: true}); err != nil {
			return nil, err
		}
	}
	return &trait.ComputedPlan{Mark: "a", Families: 1, Events: true, Steps: func(moment time.Time, s trait.ComputedScope) ([]trait.ComputedStep, error) {
		var out []trait.ComputedStep
		env := p.env()
		env.Now = moment
		for place, f := range figures {
			text, args, err := compile.ComputedText(env, f, compile.ComputedScope(s))
			if err != nil {
				return nil, err
			}
			out = append(out, trait.ComputedStep{Place: place, Zero: f.Kind.Zero(), SQL: text, Args: args})
		}
		return out, nil
	}}, nil
}

// passes compute traits of some customers and of all.
func (p *shop) passes() []asked {
	pass := func() (trait.Pass, error) {
		plan, err := p.plan()
		return trait.Pass{Settings: trait.Defaults(), Anchor: shopLast, At: p.now(), Computed: plan, Moment: p.now()}, err
	}
	return []asked{
		{"computed traits of 5,000 customers", time.Second, bareFew, func(ctx context.Context) error {
			ps, err := pass()
			if err != nil {
				return err
			}
			touched := make([]id.ID, 5000)
			for i := range touched {
				touched[i] = id.ID(1_000_000_000_000 + i*200*4096)
			}
			if err := p.store.Touch(ctx, touched); err != nil {
				return err
			}
			_, err = p.store.Small(ctx, ps)
			return err
		}},
		{"computed traits of everybody", 0, bareTrait, func(ctx context.Context) error {
			ps, err := pass()
			if err != nil {
				return err
			}
			_, err = p.store.Compute(ctx, ps)
			return err
		}},
	}
}
