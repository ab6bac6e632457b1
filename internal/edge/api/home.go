package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Home is the figures of the business over a span of days; every figure has the condition that lists what is behind it.
type Home struct {
	AsOf          time.Time           `json:"as_of"`
	LagSeconds    float64             `json:"lag_seconds"`
	Currency      string              `json:"currency"`
	Customers     HomeCustomers       `json:"customers"`
	Revenue       HomeRevenue         `json:"revenue"`
	Orders        HomeCount           `json:"orders"`
	AverageBasket HomeMoney           `json:"average_basket"`
	Repurchase    HomeRate            `json:"repurchase_rate"`
	Lifecycle     []HomeClass         `json:"lifecycle"`
	ValueTiers    []HomeClass         `json:"value_tiers"`
	RFM           HomeRFM             `json:"rfm"`
	Trend         []HomeBucket        `json:"trend"`
	TopProducts   []HomeProduct       `json:"top_products"`
	Channels      []HomeChannel       `json:"channels"`
	Links         map[string]HomeLink `json:"links"`
	Anchor        string              `json:"anchor"`
}

// HomeCustomers counts customers.
type HomeCustomers struct {
	Total        int `json:"total"`
	New          int `json:"new" doc:"first purchase within the span"`
	NewPrevious  int `json:"new_previous"`
	WithPurchase int `json:"with_purchase"`
}

// HomeRevenue is what was sold and given back.
type HomeRevenue struct {
	Gross         Money `json:"gross"`
	GrossPrevious Money `json:"gross_previous"`
	Refunds       Money `json:"refunds"`
	Net           Money `json:"net"`
}

// HomeCount is a number with that of the span before.
type HomeCount struct {
	Count    int `json:"count"`
	Previous int `json:"previous"`
}

// HomeMoney is an amount with that of the span before.
type HomeMoney struct {
	Value    Money `json:"value"`
	Previous Money `json:"previous"`
}

// HomeRate is a share with that of the span before; null where nobody purchased.
type HomeRate struct {
	Value    *float64 `json:"value"`
	Previous *float64 `json:"previous"`
}

// HomeClass is a class with its size and the condition that lists it.
type HomeClass struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	Color string       `json:"color"`
	Count int          `json:"count"`
	Where *query.Node  `json:"where"`
}

// HomeRFM is the grid of recency and frequency.
type HomeRFM struct {
	Cells []HomeCell `json:"cells"`
}

// HomeCell is one field of the grid.
type HomeCell struct {
	R     int         `json:"r"`
	F     int         `json:"f"`
	Count int         `json:"count"`
	Spend Money       `json:"spend"`
	Where *query.Node `json:"where"`
}

// HomeBucket is one step of the trend.
type HomeBucket struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Revenue Money  `json:"revenue"`
	Orders  int    `json:"orders"`
}

// HomeProduct is a product with its sales.
type HomeProduct struct {
	Record   Ref     `json:"record"`
	Quantity float64 `json:"quantity"`
	Revenue  Money   `json:"revenue"`
}

// HomeChannel is a channel with its sales.
type HomeChannel struct {
	Key     string `json:"key"`
	Label   string `json:"label"`
	Orders  int    `json:"orders"`
	Revenue Money  `json:"revenue"`
}

// HomeLink is a list behind a figure.
type HomeLink struct {
	Object string      `json:"object"`
	Where  *query.Node `json:"where"`
}

type homeIn struct {
	Days int `query:"days"`
}

func (a *API) home(ctx context.Context, c *call, in homeIn) (Home, error) {
	if in.Days == 0 {
		in.Days = 30
	}
	a.settle(ctx, c)
	h, err := c.ws.Reports.Home(ctx, in.Days)
	if err != nil {
		return Home{}, err
	}
	cur := c.who.Workspace.Currency
	m := func(v int64) Money { return ShowMoney(v, cur) }
	out := Home{AsOf: h.AsOf, LagSeconds: h.Lag.Seconds(), Currency: cur, Anchor: h.Anchor.String(),
		Customers:     HomeCustomers{Total: h.Now.Customers, New: h.Now.FirstPurchases, NewPrevious: h.Before.FirstPurchases, WithPurchase: h.Now.WithPurchase},
		Revenue:       HomeRevenue{Gross: m(h.Now.Gross), GrossPrevious: m(h.Before.Gross), Refunds: m(h.Now.Refunds), Net: m(h.Now.Gross - h.Now.Refunds)},
		Orders:        HomeCount{Count: h.Now.Orders, Previous: h.Before.Orders},
		AverageBasket: HomeMoney{Value: m(basket(h.Now)), Previous: m(basket(h.Before))},
		Repurchase:    HomeRate{Value: share(h.Now), Previous: share(h.Before)},
		Trend:         []HomeBucket{}, TopProducts: []HomeProduct{}, Channels: []HomeChannel{}, RFM: HomeRFM{Cells: []HomeCell{}}}
	for _, b := range h.Trend {
		out.Trend = append(out.Trend, HomeBucket{From: b.From.String(), To: b.To.String(), Revenue: m(b.Gross), Orders: b.Orders})
	}
	for _, g := range h.Grid {
		out.RFM.Cells = append(out.RFM.Cells, HomeCell{R: g.R, F: g.F, Count: g.Count, Spend: m(g.Gross),
			Where: &query.Node{All: []*query.Node{traitIs("r_score", g.R), traitIs("f_score", g.F)}}})
	}
	if out.Lifecycle, err = c.homeClasses(ctx, "lifecycle"); err != nil {
		return Home{}, err
	}
	if out.ValueTiers, err = c.homeClasses(ctx, "value_tier"); err != nil {
		return Home{}, err
	}
	if err := c.homeRanked(ctx, h, &out); err != nil {
		return Home{}, err
	}
	out.Links = c.homeLinks(h.Span)
	return out, nil
}

func basket(t report.Totals) int64 {
	if t.Orders == 0 {
		return 0
	}
	return money.MulDiv(t.Gross, 1, int64(t.Orders))
}

func share(t report.Totals) *float64 {
	if t.Buyers == 0 {
		return nil
	}
	v := float64(t.RepeatBuyers) / float64(t.Buyers)
	return &v
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

func traitIs(trait string, v any) *query.Node {
	return &query.Node{Trait: trait, Op: "=", Value: raw(v)}
}

// homeClasses are the classes of a standard classification in the order of charts; none when it does not exist.
func (c *call) homeClasses(ctx context.Context, key string) ([]HomeClass, error) {
	out := []HomeClass{}
	k, err := c.ws.Classes.Get(ctx, key)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	counts, err := c.ws.Classes.Counts(ctx, k)
	if err != nil {
		return nil, err
	}
	ordered := make([]HomeClass, len(k.Classes))
	ranks := make([]int, len(k.Classes))
	for i, cl := range k.Classes {
		ordered[i] = HomeClass{Key: cl.Key, Label: cl.Label, Color: cl.Color, Count: counts[cl.Key], Where: traitIs(key, cl.Key)}
		if ranks[i] = cl.Rank; cl.Rank == 0 {
			ranks[i] = i + 1
		}
	}
	for rank := 1; len(out) < len(ordered) && rank <= 1000; rank++ {
		for i := range ordered {
			if ranks[i] == rank {
				out = append(out, ordered[i])
			}
		}
	}
	return out, nil
}

func (c *call) homeRanked(ctx context.Context, h *report.Home, out *Home) error {
	var refs []record.Ref
	for _, p := range h.TopProducts {
		refs = append(refs, record.Ref{Object: "product", ID: p.ID})
	}
	for _, p := range h.Channels {
		refs = append(refs, record.Ref{Object: "channel", ID: p.ID})
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return err
	}
	cur := c.who.Workspace.Currency
	for i, p := range h.TopProducts {
		out.TopProducts = append(out.TopProducts, HomeProduct{Record: Ref{ID: id.Format(c.prefixOf("product"), p.ID), Object: "product", Title: or(p.Name, refs[i].Title)},
			Quantity: float64(p.Quantity) / 1000, Revenue: ShowMoney(p.Gross, cur)})
	}
	for i, p := range h.Channels {
		out.Channels = append(out.Channels, HomeChannel{Key: id.Format(c.prefixOf("channel"), p.ID), Label: or(p.Name, refs[len(h.TopProducts)+i].Title), Orders: p.Orders, Revenue: ShowMoney(p.Gross, cur)})
	}
	return nil
}

func (c *call) homeLinks(s report.Span) map[string]HomeLink {
	days := raw([]string{s.From.String(), s.To.String()})
	within := func(field string) *query.Node { return &query.Node{Field: field, Op: "between", Value: days} }
	return map[string]HomeLink{
		"new_customers": {Object: "customer", Where: &query.Node{Trait: "first_order_day", Op: "between", Value: days}},
		"orders": {Object: "order", Where: &query.Node{All: []*query.Node{within("placed_at"),
			{Field: "status", Op: "in", Value: raw(c.ws.Purchases())}}}},
		"refunds": {Object: "refund", Where: within("refunded_at")},
	}
}

// Cohorts are customers by month of first purchase.
type Cohorts struct {
	Cohorts []Cohort `json:"cohorts"`
	Unit    string   `json:"unit" enum:"month"`
}

// Cohort is one month's customers; active[k] of them purchased k months later.
type Cohort struct {
	Month  string `json:"month"`
	Size   int    `json:"size"`
	Active []int  `json:"active"`
}

func (a *API) cohorts(ctx context.Context, c *call, _ struct{}) (Cohorts, error) {
	a.settle(ctx, c)
	cs, err := c.ws.Reports.Cohorts(ctx)
	out := Cohorts{Unit: "month", Cohorts: []Cohort{}}
	for _, k := range cs {
		v := Cohort{Month: k.Month, Active: k.Active}
		if len(k.Active) > 0 {
			v.Size = k.Active[0]
		}
		out.Cohorts = append(out.Cohorts, v)
	}
	return out, err
}

// list is a slice that is never null in JSON.
func list[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

// RFMIn names how RFM is to be cut.
type rfmIn struct {
	Body struct {
		Mode string   `json:"mode" enum:"quintile,saved"`
		Cuts *RFMCuts `json:"cuts,omitempty"`
	}
}

func (a *API) rfm(ctx context.Context, c *call, _ struct{}) (RFM, error) { return c.ws.Cuts.Cuts(ctx) }

func (a *API) setCuts(ctx context.Context, c *call, in rfmIn) (RFM, error) {
	out, err := c.ws.Cuts.SetCuts(ctx, in.Body.Mode, in.Body.Cuts)
	if err != nil {
		return RFM{}, err
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "rfm.cuts", "", 0, map[string]any{"mode": in.Body.Mode})
}

// SystemInfo is how the machine is doing.
type SystemInfo struct {
	Version   string       `json:"version"`
	Plane     string       `json:"plane" enum:"embedded,postgres"`
	Mirror    SystemMirror `json:"mirror"`
	Search    SystemSearch `json:"search"`
	Traits    SystemTraits `json:"traits"`
	DataBytes int64        `json:"data_bytes"`
	Jobs      []SystemJob  `json:"jobs"`
}

// SystemJob is background work that failed: for good, or so far.
type SystemJob struct {
	Kind     string    `json:"kind"`
	State    string    `json:"state" enum:"retrying,failed"`
	Attempts int       `json:"attempts"`
	Message  string    `json:"message"`
	At       time.Time `json:"at"`
}

// SystemMirror is how far analytics is behind.
type SystemMirror struct {
	Position   int64   `json:"position"`
	Head       int64   `json:"head"`
	LagChanges int64   `json:"lag_changes"`
	LagSeconds float64 `json:"lag_seconds"`
	Rebuilding bool    `json:"rebuilding"`
}

// SystemSearch is how far search is behind.
type SystemSearch struct {
	LagChanges int64 `json:"lag_changes"`
}

// SystemTraits is when traits were computed.
type SystemTraits struct {
	ComputedAt *time.Time `json:"computed_at"`
	Stale      bool       `json:"stale"`
}

func (a *API) system(ctx context.Context, c *call, _ struct{}) (SystemInfo, error) {
	s, err := c.ws.Status(ctx)
	out := SystemInfo{Version: a.Version, Plane: s.Plane, DataBytes: s.DataBytes, Search: SystemSearch{LagChanges: s.SearchLag}, Jobs: []SystemJob{},
		Mirror: SystemMirror{Position: s.Position, Head: s.Head, LagChanges: s.LagChanges, LagSeconds: s.LagSeconds, Rebuilding: s.Rebuilding},
		Traits: SystemTraits{ComputedAt: optional(s.ComputedAt), Stale: s.TraitsStale}}
	for _, j := range s.Jobs {
		job := SystemJob{Kind: j.Kind, State: "retrying", Attempts: j.Attempts, At: j.At}
		if j.GaveUp {
			job.State = "failed"
		}
		if j.Code != "" {
			job.Message = a.Words.Text(localeOf(c.locale), j.Code, nil)
		}
		if job.Message == "" || strings.Contains(job.Message, "{") { // what the sentence is about was not kept
			job.Message = a.Words.Text(localeOf(c.locale), "job.failed", nil)
		}
		out.Jobs = append(out.Jobs, job)
	}
	return out, err
}

// wrote remembers where the caller's last write stands in the log.
func (a *API) wrote(c *call, p change.Position) {
	if p != (change.Position{}) {
		a.positions.put(c.who.Workspace.Key+"/"+string(c.who.Actor.Kind)+id.Format("a", c.who.Actor.ID), p, a.Clock.Now())
	}
}

// settle lets a question to analytics wait, a second at most, for what the same caller wrote just before.
func (a *API) settle(ctx context.Context, c *call) {
	if p, ok := a.positions.take(c.who.Workspace.Key+"/"+string(c.who.Actor.Kind)+id.Format("a", c.who.Actor.ID), a.Clock.Now()); ok {
		c.ws.Settle(ctx, p)
	}
}
