package api

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// forecastRoutes are how figures go on and why they changed, those that are watched, and the groups that were found.
func (a *API) forecastRoutes() []route {
	r := access.ReportRead
	return slices.Concat([]route{
		{method: get, path: "/forecast", need: right, right: r, run: op(a.forecast), doc: "How a figure goes on, with intervals, the method chosen and its errors of before"},
		{method: get, path: "/forecast/values", need: right, right: r, run: op(a.forecastValues), doc: "The values of a dimension that brought most in the last year"},
		{method: get, path: "/why", need: right, right: r, run: op(a.why), doc: "Why a figure changed between two spans of days"},
	}, a.watchRoutes(), a.clusterRoutes(), a.actionRoutes())
}

type forecastIn struct {
	Figure    string `query:"figure" doc:"revenue, orders, customers or quantity"`
	Dimension string `query:"dimension" doc:"channel, store, region, category, brand or product; the total when empty"`
	Value     string `query:"value" doc:"of the dimension: the id of a record, the code of a province, a text; empty for what has none"`
	Period    string `query:"period" doc:"day, week or month"`
	Horizon   int    `query:"horizon" doc:"periods ahead; what suits the period when empty"`
}

// ForecastKnown is a period that was.
type ForecastKnown struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Value    float64  `json:"value"`
	Fitted   *float64 `json:"fitted" doc:"what the method would have said a period before"`
	Partial  bool     `json:"partial" doc:"not all of its days are known: not learned from"`
	Holidays []string `json:"holidays"`
}

// ForecastAhead is a period to come.
type ForecastAhead struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Mean     float64  `json:"mean"`
	Low80    float64  `json:"low80"`
	High80   float64  `json:"high80"`
	Low95    float64  `json:"low95"`
	High95   float64  `json:"high95"`
	Holidays []string `json:"holidays"`
}

// ForecastError is how far off a method was in the past.
type ForecastError struct {
	Method string  `json:"method"`
	SMAPE  float64 `json:"smape" doc:"mean of 200·|a−f|/(|a|+|f|)"`
	MASE   float64 `json:"mase" doc:"mean absolute error against that of the seasonal naive rule within the row"`
}

// ForecastEffect is what a holiday does.
type ForecastEffect struct {
	Holiday string  `json:"holiday"`
	Factor  float64 `json:"factor" doc:"1.5: half as much again as such days bring otherwise"`
	Seen    int     `json:"seen" doc:"how often it was there to be measured"`
}

// Forecast is a figure with how it goes on. Money is in units of the currency, quantities in pieces.
type Forecast struct {
	Figure    string           `json:"figure"`
	Dimension string           `json:"dimension"`
	Value     string           `json:"value"`
	Title     string           `json:"title" doc:"of the value"`
	Period    string           `json:"period"`
	Currency  string           `json:"currency" doc:"of money, else empty"`
	Anchor    string           `json:"anchor"`
	Known     []ForecastKnown  `json:"known"`
	Ahead     []ForecastAhead  `json:"ahead"`
	Method    string           `json:"method"`
	Errors    []ForecastError  `json:"errors" doc:"of every method that was tried, best first"`
	Peer      *ForecastError   `json:"peer" doc:"of the seasonal naive rule on the same periods; null when the row is too short"`
	Origins   int              `json:"origins" doc:"how many times the past was asked"`
	Cover80   *float64         `json:"cover80" doc:"share of past periods that lay within the inner interval drawn before"`
	Cover95   *float64         `json:"cover95"`
	Learned   int              `json:"learned" doc:"periods that were learned from"`
	Calendar  bool             `json:"calendar" doc:"holidays and the days of periods were taken into account"`
	Effects   []ForecastEffect `json:"effects"`
	Notes     []string         `json:"notes"`
	Sum       float64          `json:"sum" doc:"of the periods to come"`
	Before    *float64         `json:"before" doc:"the sum of the same periods a year before"`
	TookMS    int64            `json:"took_ms"`
	Behind    *HomeLink        `json:"behind" doc:"the list behind; narrow placed_at to a period"`
}

func (a *API) forecast(ctx context.Context, c *call, in forecastIn) (Forecast, error) {
	ask, err := c.forecastAsk(in)
	if err != nil {
		return Forecast{}, err
	}
	a.settle(ctx, c)
	f, err := c.ws.Forecasts.Forecast(ctx, ask)
	if err != nil {
		return Forecast{}, err
	}
	return c.showForecast(ctx, f, in.Value)
}

// forecastAsk reads what is asked.
func (c *call) forecastAsk(in forecastIn) (forecast.Ask, error) {
	ask := forecast.Ask{Figure: forecast.Figure(or(in.Figure, string(forecast.Revenue))), Period: forecast.Period(or(in.Period, string(forecast.Month))), Horizon: in.Horizon}
	value, err := c.dimensionValue(forecast.Dimension(in.Dimension), in.Value)
	ask.Slice = forecast.Slice{Dimension: forecast.Dimension(in.Dimension), Value: value}
	if in.Dimension == "" {
		ask.Slice = forecast.Slice{}
	}
	return ask, err
}

// dimensionObjects are the objects whose records are values of a dimension.
var dimensionObjects = map[forecast.Dimension]string{forecast.Channel: "channel", forecast.Place: "store", forecast.Product: "product"}

// dimensionValue turns a printed id into the plane's.
func (c *call) dimensionValue(d forecast.Dimension, text string) (string, error) {
	object, ok := dimensionObjects[d]
	if !ok || text == "" {
		return text, nil
	}
	o, err := c.object(object)
	if err != nil {
		return "", err
	}
	v, err := recordID(o, text)
	return strconv.FormatInt(int64(v), 10), err
}

// namer says how values of dimensions are called and printed.
type namer struct {
	c      *call
	titles map[record.Ref]string
}

// names reads the titles of the records among values.
func (c *call) names(ctx context.Context, values map[forecast.Dimension][]string) (*namer, error) {
	n := &namer{c: c, titles: map[record.Ref]string{}}
	var refs []record.Ref
	for d, list := range values {
		for _, v := range list {
			if key, err := strconv.ParseInt(v, 10, 64); err == nil && dimensionObjects[d] != "" {
				refs = append(refs, record.Ref{Object: dimensionObjects[d], ID: id.ID(key)})
			}
		}
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return nil, err
	}
	for _, r := range refs {
		n.titles[record.Ref{Object: r.Object, ID: r.ID}] = r.Title
	}
	return n, nil
}

// of gives the printed key and the title of a value.
func (n *namer) of(d forecast.Dimension, value string) (key, title string) {
	if value == "" || d == forecast.Total {
		return "", ""
	}
	if object := dimensionObjects[d]; object != "" {
		number, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return value, value
		}
		key = id.Format(n.c.prefixOf(object), id.ID(number))
		return key, or(n.titles[record.Ref{Object: object, ID: id.ID(number)}], key)
	}
	if d == forecast.Region {
		if r, ok := region.Get(value); ok {
			return value, r.In(localeOf(n.c.locale))
		}
	}
	return value, value
}

// unit is what a figure of the plane is divided by, and the currency when it is money.
func (c *call) unit(f forecast.Figure) (divisor float64, currency string) {
	switch f {
	case forecast.Revenue, forecast.Basket:
		cur := c.who.Workspace.Currency
		return math.Pow10(money.Exponent(cur)), cur
	case forecast.Quantity:
		return 1000, ""
	}
	return 1, ""
}

func (c *call) showForecast(ctx context.Context, f *forecast.Answer, value string) (Forecast, error) {
	n, err := c.names(ctx, map[forecast.Dimension][]string{f.Slice.Dimension: {f.Slice.Value}})
	if err != nil {
		return Forecast{}, err
	}
	by, currency := c.unit(f.Figure)
	v := func(x float64) float64 { return x / by }
	out := Forecast{Figure: string(f.Figure), Dimension: string(f.Slice.Dimension), Value: value, Period: string(f.Period), Currency: currency, Anchor: f.Anchor.String(), Known: []ForecastKnown{},
		Ahead: []ForecastAhead{}, Method: string(f.Method), Errors: []ForecastError{}, Origins: f.Origins, Learned: f.Learned, Calendar: f.Calendar, Effects: []ForecastEffect{},
		Notes: list(f.Notes), Sum: v(f.Sum), TookMS: f.Took.Milliseconds(), Behind: c.behind(map[forecast.Dimension]string{f.Slice.Dimension: value})}
	_, out.Title = n.of(f.Slice.Dimension, f.Slice.Value)
	for _, k := range f.Known {
		w := ForecastKnown{From: k.From.String(), To: k.To.String(), Value: v(k.Value), Partial: k.Partial, Holidays: list(k.Holidays)}
		if k.Fitted != nil {
			fitted := v(*k.Fitted)
			w.Fitted = &fitted
		}
		out.Known = append(out.Known, w)
	}
	for _, p := range f.Ahead {
		out.Ahead = append(out.Ahead, ForecastAhead{From: p.From.String(), To: p.To.String(), Mean: v(p.Mean), Low80: v(p.Low80), High80: v(p.High80), Low95: v(p.Low95), High95: v(p.High95), Holidays: list(p.Holidays)})
	}
	for _, e := range f.Errors {
		out.Errors = append(out.Errors, ForecastError{string(e.Method), e.SMAPE, e.MASE})
	}
	if f.Origins > 0 {
		out.Peer = &ForecastError{string(f.Peer.Method), f.Peer.SMAPE, f.Peer.MASE}
		out.Cover80, out.Cover95 = &f.Cover80, &f.Cover95
	}
	for _, e := range f.Effects {
		out.Effects = append(out.Effects, ForecastEffect{e.Key, e.Factor, e.Seen})
	}
	if f.Before != nil {
		before := v(*f.Before)
		out.Before = &before
	}
	return out, nil
}

// behind is the list of orders, or of their lines, of values of dimensions, by their printed keys.
func (c *call) behind(values map[forecast.Dimension]string) *HomeLink {
	object, prefix := "order", ""
	for d := range values {
		if d.OfLines() {
			object, prefix = "order_line", "order."
		}
	}
	where := &query.Node{All: []*query.Node{{Field: "status", Op: "in", Value: raw(c.ws.Purchases())}}}
	for _, d := range forecast.Dimensions() {
		value, ok := values[d]
		if !ok {
			continue
		}
		field := string(d)
		switch {
		case d == forecast.Region:
			field = "customer.region"
		case !d.OfLines():
			field = prefix + field
		}
		node := &query.Node{Field: field, Op: "in", Value: raw([]string{value})}
		switch {
		case value == "":
			node = &query.Node{Field: field, Op: "is_not_set"}
		case (d == forecast.Category || d == forecast.Brand) && object == "order_line": // what the line does not say its product does
			node = &query.Node{Any: []*query.Node{node, {All: []*query.Node{{Field: field, Op: "is_not_set"}, {Field: "product." + field, Op: "in", Value: raw([]string{value})}}}}}
		}
		where.All = append(where.All, node)
	}
	return &HomeLink{Object: object, Where: where}
}

type forecastValuesIn struct {
	Dimension string `query:"dimension" doc:"channel, store, region, category, brand or product"`
}

// ForecastValue is a value of a dimension.
type ForecastValue struct {
	Key     string `json:"key"`
	Title   string `json:"title"`
	Revenue Money  `json:"revenue" doc:"of the last year"`
}

// ForecastValues are values to choose from.
type ForecastValues struct {
	Items []ForecastValue `json:"items"`
}

func (a *API) forecastValues(ctx context.Context, c *call, in forecastValuesIn) (ForecastValues, error) {
	d := forecast.Dimension(in.Dimension)
	found, err := c.ws.Forecasts.Values(ctx, d)
	if err != nil {
		return ForecastValues{}, err
	}
	keys := make([]string, len(found))
	for i, v := range found {
		keys[i] = v.Key
	}
	n, err := c.names(ctx, map[forecast.Dimension][]string{d: keys})
	if err != nil {
		return ForecastValues{}, err
	}
	out := ForecastValues{Items: []ForecastValue{}}
	for _, v := range found {
		key, title := n.of(d, v.Key)
		out.Items = append(out.Items, ForecastValue{Key: key, Title: title, Revenue: ShowMoney(v.Revenue, c.who.Workspace.Currency)})
	}
	return out, nil
}

type whyIn struct {
	Figure     string `query:"figure" doc:"revenue, orders, customers, basket or quantity"`
	From       string `query:"from" doc:"first local day, 2006-01-02; the last 30 days to the day of analysis when empty"`
	To         string `query:"to" doc:"last local day"`
	BeforeFrom string `query:"before_from" doc:"first day of the span to compare with; as many days before when empty"`
	BeforeTo   string `query:"before_to"`
	First      string `query:"first" doc:"of two dimensions whose combinations are told"`
	Second     string `query:"second"`
}

// WhyPart is an addend of a change.
type WhyPart struct {
	Kind   string    `json:"kind" enum:"value,other,rest" doc:"other: the values that are not told; rest: what values do not add up to"`
	Keys   []string  `json:"keys"`
	Titles []string  `json:"titles"`
	Now    float64   `json:"now"`
	Before float64   `json:"before"`
	Change float64   `json:"change"`
	Mix    float64   `json:"mix" doc:"part of the change by its share among all"`
	Rate   float64   `json:"rate" doc:"part of the change by its own rate"`
	Values int       `json:"values" doc:"how many values other stands for"`
	Behind *HomeLink `json:"behind" doc:"the list behind; narrow placed_at to a span"`
}

// WhySplit is a change told by values.
type WhySplit struct {
	Dimensions []string  `json:"dimensions"`
	Parts      []WhyPart `json:"parts" doc:"they sum to the change"`
	Mixed      bool      `json:"mixed" doc:"volume, mix and rate are told"`
	Weight     string    `json:"weight" doc:"the count that the figure is a rate of"`
	Volume     float64   `json:"volume"`
	Mix        float64   `json:"mix"`
	Rate       float64   `json:"rate"`
	Rest       float64   `json:"rest" doc:"what the values do not add up to"`
	Focus      float64   `json:"focus" doc:"how much few values explain, 0 to 1"`
}

// WhyDriver is a factor of the figure.
type WhyDriver struct {
	Key    string  `json:"key"`
	Money  bool    `json:"money"`
	Now    float64 `json:"now"`
	Before float64 `json:"before"`
	Change float64 `json:"change" doc:"in the unit of the figure; drivers sum to the change"`
}

// Why explains a change.
type Why struct {
	Figure     string      `json:"figure"`
	Currency   string      `json:"currency" doc:"of money, else empty"`
	From       string      `json:"from"`
	To         string      `json:"to"`
	BeforeFrom string      `json:"before_from"`
	BeforeTo   string      `json:"before_to"`
	Now        float64     `json:"now"`
	Before     float64     `json:"before"`
	Change     float64     `json:"change"`
	Drivers    []WhyDriver `json:"drivers"`
	Splits     []WhySplit  `json:"splits"`
	Pair       *WhySplit   `json:"pair"`
	Empty      bool        `json:"empty"`
	Behind     *HomeLink   `json:"behind"`
	Anchor     string      `json:"anchor"`
}

func (a *API) why(ctx context.Context, c *call, in whyIn) (Why, error) {
	a.settle(ctx, c)
	q, anchor, err := c.whyQuestion(ctx, in)
	if err != nil {
		return Why{}, err
	}
	r, err := c.ws.Forecasts.Why(ctx, q)
	if err != nil {
		return Why{}, err
	}
	out, err := c.showWhy(ctx, r)
	out.Anchor = anchor.String()
	return out, err
}

func (c *call) whyQuestion(ctx context.Context, in whyIn) (forecast.Question, clock.Day, error) {
	anchor, err := c.ws.Forecasts.Anchor(ctx)
	if err != nil {
		return forecast.Question{}, 0, err
	}
	q := forecast.Question{Figure: forecast.Figure(or(in.Figure, string(forecast.Revenue))), Now: forecast.Span{From: anchor - 29, To: anchor},
		Pair: [2]forecast.Dimension{forecast.Dimension(in.First), forecast.Dimension(in.Second)}}
	day := func(field, text string, into *clock.Day) {
		if text == "" || err != nil {
			return
		}
		if *into, err = clock.ParseDay(text); err != nil {
			err = fault.InvalidField("api.bad_parameter", field, nil)
		}
	}
	day("from", in.From, &q.Now.From)
	day("to", in.To, &q.Now.To)
	days := q.Now.To - q.Now.From + 1
	q.Before = forecast.Span{From: q.Now.From - days, To: q.Now.From - 1}
	day("before_from", in.BeforeFrom, &q.Before.From)
	day("before_to", in.BeforeTo, &q.Before.To)
	return q, anchor, err
}

// moneyDrivers are drivers in money.
var moneyDrivers = []string{"basket", "price"}

func (c *call) showWhy(ctx context.Context, r *forecast.Reasons) (Why, error) {
	by, currency := c.unit(r.Figure)
	cents, _ := c.unit(forecast.Revenue)
	out := Why{Figure: string(r.Figure), Currency: currency, From: r.Now.From.String(), To: r.Now.To.String(), BeforeFrom: r.Before.From.String(), BeforeTo: r.Before.To.String(),
		Now: r.NowValue / by, Before: r.BeforeValue / by, Change: (r.NowValue - r.BeforeValue) / by, Drivers: []WhyDriver{}, Splits: []WhySplit{}, Empty: r.Empty, Behind: c.behind(nil)}
	for _, d := range r.Drivers {
		v := WhyDriver{Key: d.Key, Now: d.Now, Before: d.Before, Change: d.Change / by, Money: slices.Contains(moneyDrivers, d.Key)}
		if v.Money {
			v.Now, v.Before = v.Now/cents, v.Before/cents
		}
		out.Drivers = append(out.Drivers, v)
	}
	values := map[forecast.Dimension][]string{}
	all := slices.Clone(r.Splits)
	if r.Pair != nil {
		all = append(all, *r.Pair)
	}
	for _, s := range all {
		for _, p := range s.Parts {
			for i, d := range s.Dimensions {
				if d != forecast.Total && p.Keys[i] != "" {
					values[d] = append(values[d], p.Keys[i])
				}
			}
		}
	}
	n, err := c.names(ctx, values)
	if err != nil {
		return Why{}, err
	}
	for _, s := range r.Splits {
		out.Splits = append(out.Splits, c.showSplit(&s, n, by))
	}
	if r.Pair != nil {
		pair := c.showSplit(r.Pair, n, by)
		out.Pair = &pair
	}
	return out, nil
}

func (c *call) showSplit(s *forecast.Split, n *namer, by float64) WhySplit {
	out := WhySplit{Dimensions: []string{}, Parts: []WhyPart{}, Mixed: s.Mixed, Weight: string(s.Weight), Volume: s.Volume / by, Mix: s.Mix / by, Rate: s.Rate / by, Rest: s.Unattributed / by, Focus: s.Focus}
	for _, d := range s.Dimensions {
		if d != forecast.Total {
			out.Dimensions = append(out.Dimensions, string(d))
		}
	}
	for _, p := range s.Parts {
		v := WhyPart{Kind: "value", Keys: []string{}, Titles: []string{}, Now: p.Now / by, Before: p.Before / by, Change: p.Change / by, Mix: p.Mix / by, Rate: p.Rate / by, Values: p.Values}
		switch {
		case p.Other:
			v.Kind = "other"
		case p.Rest:
			v.Kind = "rest"
		default:
			behind := map[forecast.Dimension]string{}
			for i, d := range s.Dimensions {
				if d == forecast.Total {
					continue
				}
				key, title := n.of(d, p.Keys[i])
				v.Keys, v.Titles = append(v.Keys, key), append(v.Titles, title)
				behind[d] = key
			}
			v.Behind = c.behind(behind)
		}
		out.Parts = append(out.Parts, v)
	}
	return out
}
