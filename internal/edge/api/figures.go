package api

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

type aggregateIn struct {
	Object string `path:"object"`
	Body   struct {
		Where    Condition       `json:"where,omitempty"`
		Search   string          `json:"search,omitempty"`
		GroupBy  []query.Group   `json:"group_by,omitempty"`
		Measures []query.Measure `json:"measures,omitempty"`
		Limit    int             `json:"limit,omitempty"`
	}
}

// Figures are counts and measures of the records that a condition finds, by groups and over all.
type Figures struct {
	Groups []FigureGroup `json:"groups"`
	More   bool          `json:"more" doc:"there are more groups than the limit"`
	Total  FigureTotal   `json:"total"`
	Plane  string        `json:"plane" enum:"records,analytics"`
	AsOf   time.Time     `json:"as_of"`
	// Seconds is how long it took.
	Seconds float64 `json:"seconds"`
}

// FigureGroup is one group. Values are in the form of a record's fields, null for the records without one; Where finds its records.
type FigureGroup struct {
	Values   []any       `json:"values"`
	Where    *query.Node `json:"where"`
	Count    int64       `json:"count"`
	Measures []any       `json:"measures"`
}

// FigureTotal is over everything.
type FigureTotal struct {
	Count    int64 `json:"count"`
	Measures []any `json:"measures"`
}

func (a *API) aggregate(ctx context.Context, c *call, in aggregateIn) (Figures, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return Figures{}, err
	}
	where, err := in.Body.Where.node("where")
	if err != nil {
		return Figures{}, err
	}
	begin := time.Now()
	got, err := c.ws.Records.Aggregate(ctx, o.Key, record.Aggregation{Where: where, Search: in.Body.Search, GroupBy: in.Body.GroupBy,
		Measures: in.Body.Measures, Limit: in.Body.Limit})
	if err != nil {
		return Figures{}, under(err, "where")
	}
	p := figurePresenter{c: c, f: got.Asked, env: c.ws.Records.Env(ctx), titles: map[record.Ref]string{}}
	if err := p.readTitles(ctx, got.Rows); err != nil {
		return Figures{}, err
	}
	out := Figures{Groups: []FigureGroup{}, More: got.More, Plane: "records", AsOf: a.Clock.Now(),
		Total: FigureTotal{Count: got.Total.Count, Measures: p.measures(&got.Total)}}
	if !got.AsOf.IsZero() {
		out.Plane, out.AsOf = "analytics", got.AsOf
	}
	if len(got.Asked.Groups) > 0 {
		for i := range got.Rows {
			g, err := p.group(&got.Rows[i])
			if err != nil {
				return Figures{}, err
			}
			out.Groups = append(out.Groups, g)
		}
	}
	out.Seconds = time.Since(begin).Seconds()
	return out, nil
}

// figurePresenter turns rows of figures into the API's form.
type figurePresenter struct {
	c      *call
	f      *query.Figures
	env    schema.ParseEnv
	titles map[record.Ref]string
}

// refOf is the record that a group stands for.
func refOf(g *query.GroupSlot, v any) (record.Ref, bool) {
	n, ok := v.(id.ID)
	if !ok || g.Kind != query.ByRecord || g.Trait != nil {
		return record.Ref{}, false
	}
	if g.Field.Type == schema.User {
		return record.Ref{Object: "user", ID: n}, true
	}
	return record.Ref{Object: g.Field.Target, ID: n}, true
}

func (p *figurePresenter) readTitles(ctx context.Context, rows []record.FigureRow) error {
	var refs []record.Ref
	for i := range rows {
		for j := range p.f.Groups {
			if r, ok := refOf(&p.f.Groups[j], rows[i].Keys[j]); ok {
				if _, seen := p.titles[r]; !seen {
					p.titles[r] = ""
					refs = append(refs, r)
				}
			}
		}
	}
	if err := p.c.ws.Records.Titles(ctx, refs); err != nil {
		return err
	}
	for _, r := range refs {
		p.titles[record.Ref{Object: r.Object, ID: r.ID}] = r.Title
	}
	return nil
}

func (p *figurePresenter) group(r *record.FigureRow) (FigureGroup, error) {
	out := FigureGroup{Count: r.Count, Measures: p.measures(r), Values: make([]any, len(r.Keys))}
	var all []*query.Node
	for i, k := range r.Keys {
		g := &p.f.Groups[i]
		out.Values[i] = p.value(g, k)
		n, err := p.where(g, k)
		if err != nil {
			return out, err
		}
		all = append(all, n...)
	}
	out.Where = &query.Node{All: all}
	if len(all) == 1 {
		out.Where = all[0]
	}
	return out, nil
}

// value is a key in the form of a field's value.
func (p *figurePresenter) value(g *query.GroupSlot, k any) any {
	switch v := k.(type) {
	case clock.Day:
		return v.String()
	case id.ID:
		ref, _ := refOf(g, v)
		return Ref{ID: p.printed(g, v), Object: ref.Object, Title: p.titles[ref]}
	case string:
		if g.Kind == query.ByRegion {
			return schema.RegionJSON(v, p.env.Locale)
		}
		if g.Trait != nil {
			for _, o := range g.Options {
				if o.Key == v {
					return map[string]any{"key": v, "label": o.Label}
				}
			}
		}
	}
	return k
}

func (p *figurePresenter) printed(g *query.GroupSlot, v id.ID) string {
	if g.Field.Type == schema.User {
		return id.Format(auth.UserPrefix, v)
	}
	return id.Format(g.Field.TargetPrefix(), v)
}

// where are the conditions that find a group's records.
func (p *figurePresenter) where(g *query.GroupSlot, k any) ([]*query.Node, error) {
	leaf := func(op string, value any) (*query.Node, error) {
		n := &query.Node{Field: g.Group.Field, Trait: g.Group.Trait, Op: op}
		if value != nil {
			raw, err := json.Marshal(value)
			if err != nil {
				return nil, fault.Wrap(fault.Internal, "api.internal", err)
			}
			n.Value = raw
		}
		return n, nil
	}
	op, value := "=", k
	switch v := k.(type) {
	case nil:
		op = "is_not_set"
	case id.ID:
		value = p.printed(g, v)
	case clock.Day:
		from, to := g.Span(v)
		op, value = "between", []string{from.String(), (to - 1).String()}
	}
	n, err := leaf(op, value)
	if err != nil {
		return nil, err
	}
	code, ok := k.(string)
	if !ok || g.Kind != query.ByRegion || g.Group.By == "province" {
		return []*query.Node{n}, nil
	}
	// A region condition takes in what lies inside; records that name only the wider region are those outside its parts.
	var inner []string
	for _, r := range region.Children(code) {
		if g.Group.By == "district" || region.Prefix(code) == code[:2] {
			inner = append(inner, r.Code)
		}
	}
	if len(inner) == 0 {
		return []*query.Node{n}, nil
	}
	beside, err := leaf("not_in", inner)
	return []*query.Node{n, beside}, err
}

func (p *figurePresenter) measures(r *record.FigureRow) []any {
	out := make([]any, len(r.Cells))
	for i := range r.Cells {
		out[i] = p.measure(&p.f.Measures[i], &r.Cells[i], r.Count)
	}
	return out
}

func (p *figurePresenter) measure(m *query.MeasureSlot, cell *record.FigureCell, count int64) any {
	switch m.Measure.Func {
	case "count":
		return count
	case "filled", "has":
		return cell.Filled
	case "empty":
		return count - cell.Filled
	}
	if !cell.Some {
		return nil
	}
	v, scale := cell.Value, m.Scale
	currency := p.c.who.Workspace.Currency
	switch m.Type {
	case schema.Date:
		return clock.Day(v).String()
	case schema.DateTime:
		return time.UnixMilli(v).UTC()
	case schema.Money:
		if m.Measure.Func == "avg" {
			v = money.MulDiv(v, 1, max(1, cell.Filled))
		}
		return ShowMoney(v, currency)
	}
	if m.Measure.Func == "avg" {
		// Two more decimals than the field has.
		f := float64(v) / float64(max(1, cell.Filled)) / math.Pow10(scale)
		return math.Round(f*math.Pow10(scale+2)) / math.Pow10(scale+2)
	}
	return json.Number(money.FormatScaled(v, scale))
}
