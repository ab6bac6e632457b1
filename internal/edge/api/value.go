package api

import (
	"context"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	worth "github.com/guanxi-crm/guanxi/internal/insight/value"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// valueRoutes are the figures of what customers are worth.
func (a *API) valueRoutes() []route {
	r := access.ReportRead
	return []route{
		{method: get, path: "/value", need: right, right: r, run: op(a.valueOverview), doc: "What customers will be worth and have been, by tenths, classes and channels"},
		{method: get, path: "/value/profit", need: right, right: r, run: op(a.valueProfit), doc: "Where the money of a span went, and the customers it came from"},
		{method: get, path: "/value/migration", need: right, right: r, run: op(a.valueMoves), doc: "How customers moved between the groups of RFM from one day to another"},
		{method: get, path: "/value/migration/customers", need: right, right: r, run: op(a.valueMovers), doc: "The customers of one move"},
	}
}

// ValueFigures are those of customers together.
type ValueFigures struct {
	Customers int64   `json:"customers"`
	CLV       Money   `json:"clv" doc:"expected within the horizon, discounted"`
	Past      Money   `json:"past"`
	Orders    float64 `json:"orders" doc:"expected within the horizon"`
}

// ValueGroup are the customers of a tenth, class or channel.
type ValueGroup struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	ValueFigures
	Where *query.Node `json:"where" doc:"lists them"`
}

// ValueGrouping is one way to group customers; key is that of a trait.
type ValueGrouping struct {
	Key    string       `json:"key"`
	Label  schema.Label `json:"label"`
	Groups []ValueGroup `json:"groups"`
}

// ValueLoyalty sums loyalty up.
type ValueLoyalty struct {
	Judged int64       `json:"judged" doc:"customers with an index"`
	Mean   float64     `json:"mean"`
	Loyal  int64       `json:"loyal" doc:"with 60 points or more"`
	Where  *query.Node `json:"where" doc:"lists the loyal"`
}

// ValueReferral sums up who brought whom.
type ValueReferral struct {
	Referrers int64       `json:"referrers"`
	Referred  int64       `json:"referred"`
	Past      Money       `json:"past" doc:"of those who were brought"`
	Where     *query.Node `json:"where" doc:"lists the referrers"`
}

// ValueOverview is what customers are worth.
type ValueOverview struct {
	Anchor    string          `json:"anchor"`
	All       ValueFigures    `json:"all"`
	Where     *query.Node     `json:"where"`
	Tenths    []ValueGroup    `json:"tenths" doc:"1 is the highest"`
	Groupings []ValueGrouping `json:"groupings"`
	Loyalty   ValueLoyalty    `json:"loyalty"`
	Referral  ValueReferral   `json:"referral"`
}

func (c *call) money(v int64) Money { return ShowMoney(v, c.who.Workspace.Currency) }

func (c *call) valueFigures(w worth.Worth) ValueFigures {
	return ValueFigures{Customers: w.Customers, CLV: c.money(w.CLV), Past: c.money(w.Past), Orders: float64(w.Orders) / 100}
}

func (a *API) valueOverview(ctx context.Context, c *call, _ struct{}) (ValueOverview, error) {
	a.settle(ctx, c)
	o, err := c.ws.Value.Overview(ctx)
	if err != nil {
		return ValueOverview{}, err
	}
	known := &query.Node{Trait: worth.TraitCLV, Op: "is_set"}
	out := ValueOverview{Anchor: o.Anchor.String(), All: c.valueFigures(o.All), Where: known, Tenths: []ValueGroup{}, Groupings: []ValueGrouping{},
		Loyalty: ValueLoyalty{Judged: o.Judged, Mean: float64(o.Loyalty) / 10, Loyal: o.Loyal, Where: &query.Node{Trait: worth.TraitLoyalty, Op: ">=", Value: raw(60)}},
		Referral: ValueReferral{Referrers: o.Referrers, Referred: o.Referred, Past: c.money(o.Referral),
			Where: &query.Node{Trait: worth.TraitReferred, Op: ">", Value: raw(0)}}}
	tenths := make([]*worth.Group, 10)
	for i := range o.Tenths {
		if n, err := strconv.Atoi(o.Tenths[i].Key); err == nil && n >= 1 && n <= len(tenths) {
			tenths[n-1] = &o.Tenths[i]
		}
	}
	for i, g := range tenths {
		if g != nil {
			out.Tenths = append(out.Tenths, ValueGroup{Key: g.Key, ValueFigures: c.valueFigures(g.Worth), Where: traitIs(worth.TraitDecile, i+1)})
		}
	}
	for _, by := range worth.Groupings() {
		d, ok := c.ws.Catalogue().Find(string(by))
		if !ok {
			continue
		}
		v := ValueGrouping{Key: d.Key, Label: d.Label, Groups: []ValueGroup{}}
		for _, g := range o.By[by] {
			group := ValueGroup{Key: g.Key, ValueFigures: c.valueFigures(g.Worth), Where: &query.Node{All: []*query.Node{known, traitIs(d.Key, g.Key)}}}
			if group.Label = d.Option(g.Key); g.Key == "" {
				group.Label = nil
				group.Where = &query.Node{All: []*query.Node{known, {Trait: d.Key, Op: "is_not_set"}}}
			}
			v.Groups = append(v.Groups, group)
		}
		out.Groupings = append(out.Groupings, v)
	}
	return out, nil
}

type valueSpanIn struct {
	From  string `query:"from" doc:"first local day, 2006-01-02; a year before the last one when empty"`
	To    string `query:"to" doc:"last local day; the day of analysis when empty"`
	Limit int    `query:"limit" doc:"customers that are listed at either end, 20 when empty, 200 at most"`
}

// ValuePart is one part of a ledger. Amount is null where nothing records it; what lowers profit is negative.
type ValuePart struct {
	Key    string `json:"key" enum:"list,discounts,revenue,returns,cost,shipping,service,marketing,incentives,profit"`
	Amount *Money `json:"amount"`
}

// ValueLedger is where the money of a span went.
type ValueLedger struct {
	From      string      `json:"from"`
	To        string      `json:"to"`
	Customers int64       `json:"customers" doc:"with a purchase or a refund in the span"`
	Orders    int64       `json:"orders"`
	Parts     []ValuePart `json:"parts"`
	Uncosted  int64       `json:"uncosted" doc:"purchases without a known cost; their whole revenue is in the profit"`
	Unknown   Money       `json:"uncosted_revenue"`
}

// ValueEarner is what a customer brought in the span.
type ValueEarner struct {
	Record    Ref   `json:"record"`
	Orders    int64 `json:"orders"`
	Revenue   Money `json:"revenue"`
	Discounts Money `json:"discounts"`
	Returns   Money `json:"returns"`
	Cost      Money `json:"cost"`
	Profit    Money `json:"profit"`
	Uncosted  int64 `json:"uncosted"`
}

// ValueProfit is the profit of a span.
type ValueProfit struct {
	Now    ValueLedger   `json:"now"`
	Before ValueLedger   `json:"before" doc:"the span of the same length before"`
	Best   []ValueEarner `json:"best" doc:"those whom the reader sees"`
	Worst  []ValueEarner `json:"worst"`
}

// unrecorded are the parts of profit that nothing records yet.
var unrecorded = [...]string{"shipping", "service", "marketing", "incentives"}

func (c *call) ledger(l worth.Ledger) ValueLedger {
	out := ValueLedger{From: l.From.String(), To: l.To.String(), Customers: l.Customers, Orders: l.Orders, Uncosted: l.UncostedPurchases, Unknown: c.money(l.Uncosted)}
	add := func(key string, v int64) {
		m := c.money(v)
		out.Parts = append(out.Parts, ValuePart{key, &m})
	}
	add("list", l.List)
	add("discounts", -l.Discounts)
	add("revenue", l.Revenue)
	add("returns", -l.Returns)
	if l.Orders > 0 && l.UncostedPurchases == l.Orders {
		out.Parts = append(out.Parts, ValuePart{"cost", nil})
	} else {
		add("cost", -l.Cost)
	}
	for _, key := range unrecorded {
		out.Parts = append(out.Parts, ValuePart{key, nil})
	}
	add("profit", l.Profit())
	return out
}

func optionalSpan(from, to string) (a, b clock.Day, err error) {
	if a, err = optionalDay(from, "from"); err == nil {
		b, err = optionalDay(to, "to")
	}
	return a, b, err
}

func (a *API) valueProfit(ctx context.Context, c *call, in valueSpanIn) (ValueProfit, error) {
	from, to, err := optionalSpan(in.From, in.To)
	if err != nil {
		return ValueProfit{}, err
	}
	if in.Limit == 0 {
		in.Limit = 20
	}
	if in.Limit < 0 || in.Limit > worth.MaxList {
		return ValueProfit{}, fault.InvalidField("api.bad_parameter", "limit", nil)
	}
	a.settle(ctx, c)
	now, before, err := c.ws.Value.Profit(ctx, from, to)
	if err != nil {
		return ValueProfit{}, err
	}
	out := ValueProfit{Now: c.ledger(now), Before: c.ledger(before)}
	if out.Best, err = c.earners(ctx, now, false, in.Limit); err != nil {
		return out, err
	}
	out.Worst, err = c.earners(ctx, now, true, in.Limit)
	return out, err
}

func (c *call) earners(ctx context.Context, span worth.Ledger, worst bool, limit int) ([]ValueEarner, error) {
	list, err := c.ws.Value.Earners(ctx, span.From, span.To, worst, limit)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(list))
	for i := range list {
		ids[i] = list[i].Customer
	}
	seen, err := c.customersSeen(ctx, ids)
	out := []ValueEarner{}
	for _, e := range list {
		if r := seen[e.Customer]; r != nil {
			out = append(out, ValueEarner{Record: *r, Orders: e.Orders, Revenue: c.money(e.Revenue), Discounts: c.money(e.Discounts), Returns: c.money(e.Returns),
				Cost: c.money(e.Cost), Profit: c.money(e.Profit()), Uncosted: e.UncostedPurchases})
		}
	}
	return out, err
}

// customersSeen are those of the customers that the caller sees.
func (c *call) customersSeen(ctx context.Context, ids []id.ID) (map[id.ID]*Ref, error) {
	out := map[id.ID]*Ref{}
	obj, err := c.object(query.Customer)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	recs, err := c.ws.Records.GetMany(ctx, obj.Key, ids, []string{obj.TitleField})
	if fault.KindOf(err) == fault.Forbidden && err != nil {
		return out, nil
	}
	for _, r := range recs {
		out[r.ID] = &Ref{ID: id.Format(obj.Prefix, r.ID), Object: obj.Key, Title: r.Title}
	}
	return out, err
}

type valueMovesIn struct {
	From string `query:"from" doc:"local day at whose end customers stood where they were; 90 days before the later one when empty"`
	To   string `query:"to" doc:"the later day; the day of analysis when empty"`
}

// ValueMove is how many customers went from one group to another.
type ValueMove struct {
	Was       string `json:"was" doc:"group of RFM, empty for those who had not purchased"`
	Now       string `json:"now"`
	Customers int64  `json:"customers"`
	Value     Money  `json:"value" doc:"monetary value of RFM on the later day"`
}

// ValueMoves are all moves between two days.
type ValueMoves struct {
	From   string      `json:"from"`
	To     string      `json:"to"`
	Groups []ValueName `json:"groups"`
	Moves  []ValueMove `json:"moves"`
}

// ValueName is a group of RFM with its name.
type ValueName struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
}

func (a *API) valueMoves(ctx context.Context, c *call, in valueMovesIn) (ValueMoves, error) {
	from, to, err := optionalSpan(in.From, in.To)
	if err != nil {
		return ValueMoves{}, err
	}
	a.settle(ctx, c)
	list, from, to, err := c.ws.Value.Moves(ctx, from, to)
	if err != nil {
		return ValueMoves{}, err
	}
	out := ValueMoves{From: from.String(), To: to.String(), Groups: []ValueName{}, Moves: []ValueMove{}}
	if d, ok := c.ws.Catalogue().Find(string(worth.ByRFM)); ok {
		for _, o := range d.Options {
			out.Groups = append(out.Groups, ValueName{o.Key, o.Label})
		}
	}
	for _, m := range list {
		out.Moves = append(out.Moves, ValueMove{m.Was, m.Now, m.Customers, c.money(m.Value)})
	}
	return out, nil
}

type valueMoversIn struct {
	From  string `query:"from"`
	To    string `query:"to"`
	Was   string `query:"was" doc:"group of RFM then, empty for those who had not purchased"`
	Now   string `query:"now" doc:"group of RFM on the later day"`
	Limit int    `query:"limit" doc:"50 when empty, 200 at most"`
}

// ValueMovers are customers of a move whom the reader sees, those who are worth most first.
type ValueMovers struct {
	Customers []Ref `json:"customers"`
}

func (a *API) valueMovers(ctx context.Context, c *call, in valueMoversIn) (ValueMovers, error) {
	from, to, err := optionalSpan(in.From, in.To)
	if err != nil {
		return ValueMovers{}, err
	}
	if in.Limit == 0 {
		in.Limit = 50
	}
	if in.Limit < 0 || in.Limit > worth.MaxList {
		return ValueMovers{}, fault.InvalidField("api.bad_parameter", "limit", nil)
	}
	ids, err := c.ws.Value.Movers(ctx, from, to, worth.Move{Was: in.Was, Now: in.Now}, in.Limit)
	if err != nil {
		return ValueMovers{}, err
	}
	seen, err := c.customersSeen(ctx, ids)
	out := ValueMovers{Customers: []Ref{}}
	for _, v := range ids {
		if r := seen[v]; r != nil {
			out.Customers = append(out.Customers, *r)
		}
	}
	return out, err
}
