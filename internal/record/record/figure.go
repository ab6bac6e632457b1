package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Aggregation asks for figures over everything that a list finds.
type Aggregation struct {
	Where    *query.Node
	Search   string
	GroupBy  []query.Group   // none: one row over everything
	Measures []query.Measure // the count is always there
	Limit    int             // groups, 200 when 0, at most MaxFigures
}

const (
	// MaxFigures is how many groups one answer may have.
	MaxFigures = 1000
	// figuresWithin is how long the store may compute before the question is given up.
	figuresWithin = 8 * time.Second
)

// FigureRow are the figures of one group. Keys are aligned with the groups asked for: nil for the records without a value, else
// string (option, region), bool, clock.Day (the first of the span) or id.ID.
type FigureRow struct {
	Keys  []any
	Count int64
	Cells []FigureCell // aligned with the measures
}

// FigureCell is a measure of one group before it is presented: the sum of sum and avg, the value of min and max; Some is false
// where no record has a value. Filled is how many have one.
type FigureCell struct {
	Value  int64
	Some   bool
	Filled int64
}

// Figures is the answer to an Aggregation.
type Figures struct {
	Asked *query.Figures
	Rows  []FigureRow // options in their order, days ascending, all else by count descending; those without a value last
	More  bool        // there are more groups than Limit
	Total FigureRow   // over everything, without keys
	// AsOf is when the analytics plane was asked, zero when the store answered.
	AsOf time.Time
}

// Figurer answers figures by columns: it holds traits too. ok is false when it cannot answer now.
type Figurer interface {
	// Figures are raw rows of what Where finds within Limits: days one by one, regions by their own code. Limit bounds the rows of a question that names records.
	Figures(ctx context.Context, f *query.Figures, sel Selection, limit int) (rows []FigureRow, ok bool, err error)
}

// Aggregate counts and sums by groups under the rights of the actor: the records that List would give, the fields that may be
// read. Faults: those of List and query.ResolveFigures; record.figures_slow when no plane answers in time.
func (s *Service) Aggregate(ctx context.Context, object string, a Aggregation) (*Figures, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, err
	}
	if a.Limit == 0 {
		a.Limit = 200
	}
	if a.Limit < 0 || a.Limit > MaxFigures {
		return nil, fault.InvalidField("record.limit_range", "limit", fault.Params{"max": MaxFigures})
	}
	f, err := s.figures(ctx, obj, &a)
	if err != nil {
		return nil, err
	}
	q := Query{Where: a.Where, Search: a.Search, Sort: []schema.Sort{{Field: "id"}}}
	l, err := s.prepare(ctx, obj, &q)
	if err != nil {
		return nil, err
	}
	if err := beyond(l.sel.Limits, f); err != nil {
		return nil, err
	}
	run := &figuring{l: l, f: f, limit: a.Limit, who: access.From(ctx)}
	out, err := run.answer(ctx)
	if err != nil {
		return nil, fmt.Errorf("figures of %s: %w", obj.Key, err)
	}
	return out, nil
}

// beyond refuses figures over relations to records that the reader sees only some of: a sum would tell of the others.
func beyond(limits *query.Limits, f *query.Figures) error {
	if limits == nil || limits.Of == nil {
		return nil
	}
	refuse := func(slot *query.Slot, path string) error {
		for _, h := range slot.Hops {
			if limits.Of(h.Target) != nil {
				return fault.InvalidField("query.forbidden_field", "", fault.Params{"field": path})
			}
		}
		return nil
	}
	for i := range f.Groups {
		if err := refuse(&f.Groups[i].Slot, f.Groups[i].Group.Field); err != nil {
			return err
		}
	}
	for i := range f.Measures {
		if err := refuse(&f.Measures[i].Slot, f.Measures[i].Measure.Field); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) figures(ctx context.Context, obj *schema.Object, a *Aggregation) (*query.Figures, error) {
	if s.cfg.Figures != nil {
		return s.cfg.Figures(ctx, obj.Key, a.GroupBy, a.Measures)
	}
	return query.ResolveFigures(a.GroupBy, a.Measures, query.CheckEnv{Registry: s.cfg.Registry(), Object: obj.Key, Use: query.ForList, Base: s.cfg.BaseCurrency(),
		Can: access.Asking(access.From(ctx), s.cfg.Registry())})
}

// figuring is one question on its way.
type figuring struct {
	l     *listing
	f     *query.Figures
	limit int
	who   access.Actor
}

func (g *figuring) answer(ctx context.Context) (*Figures, error) {
	out := &Figures{Asked: g.f}
	rows, wide, err := g.rows(ctx, g.f, g.limit+1)
	if err != nil {
		return nil, err
	}
	if wide {
		out.AsOf = g.l.s.cfg.Clock.Now()
	}
	rows = widen(g.f, rows)
	out.Total = total(g.f, rows)
	order(g.f, rows)
	if len(rows) > g.limit {
		rows, out.More = rows[:g.limit], true
		// The groups past the limit were never read where they are records: their part of the total is.
		if slices.ContainsFunc(g.f.Groups, func(s query.GroupSlot) bool { return s.Kind == query.ByRecord }) {
			whole := *g.f
			whole.Groups = nil
			all, _, err := g.rows(ctx, &whole, 1)
			if err != nil {
				return nil, err
			}
			out.Total = total(&whole, all)
		}
	}
	out.Rows = rows
	return out, nil
}

// rows asks the plane that answers: as for a list, the store first where an index may serve, for a moment.
func (g *figuring) rows(ctx context.Context, f *query.Figures, limit int) (rows []FigureRow, wide bool, err error) {
	l := g.l
	figurer := l.s.cfg.Figurer
	if f.Analytic() || l.sel.Where != nil && query.NeedsAnalytics(l.sel.Where) {
		if l.search.given || figurer == nil {
			return nil, false, fault.InvalidField("api.search_with_traits", "search", nil)
		}
		rows, ok, err := figurer.Figures(ctx, f, l.sel, limit)
		if err == nil && !ok {
			err = slowFigures()
		}
		return rows, true, err
	}
	can := figurer != nil && l.s.cfg.Broad != nil && l.sh.obj.Analytic && l.sel.IDs == nil && !l.search.given
	kind := g.kind(f)
	if !can {
		rows, err = g.narrow(ctx, f, limit, figuresWithin)
		return rows, false, err
	}
	if !l.s.slow.is(kind, l.s.cfg.Clock.Now()) {
		rows, err = g.narrow(ctx, f, limit, patience)
		if err == nil {
			l.s.slow.forget(kind)
		}
		if err == nil || fault.CodeOf(err) != codeSlowFigures {
			return rows, false, err
		}
		l.s.slow.note(kind, l.s.cfg.Clock.Now())
	}
	rows, ok, err := figurer.Figures(ctx, f, l.sel, limit)
	if err != nil && ctx.Err() == nil {
		l.s.cfg.Log.Error("figures from the analytics plane", "object", l.sh.obj.Key, "error", err)
	}
	if err == nil && ok || ctx.Err() != nil {
		return rows, true, err
	}
	rows, err = g.narrow(ctx, f, limit, figuresWithin)
	return rows, false, err
}

const codeSlowFigures = "record.figures_slow"

func slowFigures() error { return fault.New(fault.Unavailable, codeSlowFigures, nil) }

// kind is what is asked without the values.
func (g *figuring) kind(f *query.Figures) string {
	var b strings.Builder
	b.WriteString("figures|" + f.Object.Key)
	if g.l.sel.Limits != nil { // what is slow for one who sees little is not for one who sees much
		b.WriteString("|" + string(g.who.Role) + " " + id.Format("p", g.who.Person))
	}
	for i := range f.Groups {
		b.WriteString("|" + f.Groups[i].Group.Field)
	}
	for i := range f.Measures {
		b.WriteString("|" + f.Measures[i].Measure.Func + " " + f.Measures[i].Measure.Field)
	}
	query.Walk(g.l.sel.Where, func(n *query.Node, _ string) bool {
		b.WriteString("|" + n.Kind() + " " + n.Field + " " + n.Op)
		return true
	})
	return b.String()
}

// narrow asks the store, for so long.
func (g *figuring) narrow(ctx context.Context, f *query.Figures, limit int, within time.Duration) (rows []FigureRow, err error) {
	timed, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err = g.l.s.cfg.Store.View(timed, func(r Reader) error {
		if err := g.l.candidates(timed, r); err != nil {
			return err
		}
		if err := g.l.sighted(timed, r); err != nil {
			return err
		}
		var err error
		rows, err = r.Figures(timed, f, g.l.sel, limit)
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, slowFigures()
	}
	return rows, err
}

// widen joins days to weeks, months, quarters and years, and regions to their provinces or cities.
func widen(f *query.Figures, rows []FigureRow) []FigureRow {
	at := make(map[string]int, len(rows))
	out := make([]FigureRow, 0, len(rows))
	for _, r := range rows {
		var name strings.Builder
		for i := range f.Groups {
			r.Keys[i] = groupKey(&f.Groups[i], r.Keys[i])
			fmt.Fprintf(&name, "%T:%v\x00", r.Keys[i], r.Keys[i])
		}
		i, ok := at[name.String()]
		if !ok {
			at[name.String()] = len(out)
			out = append(out, r)
			continue
		}
		out[i].add(f, &r)
	}
	return out
}

// groupKey makes of what a column holds the key of its group.
func groupKey(g *query.GroupSlot, v any) any {
	switch x := v.(type) {
	case int64:
		switch g.Kind {
		case query.ByDay:
			from, _ := g.Span(clock.Day(x))
			return from
		case query.ByRecord:
			return id.ID(x)
		case query.ByTruth:
			return x != 0
		}
	case string:
		if g.Kind == query.ByRegion {
			return regionKey(g.Group.By, x)
		}
	}
	return v
}

// regionKey is the code of the level; a code that is wider than the level stays.
func regionKey(level, code string) string {
	switch {
	case len(code) != 6:
		return code
	case level == "province":
		return code[:2] + "0000"
	case level == "city" && code[2:4] != "00":
		return code[:4] + "00"
	}
	return code
}

// add takes the figures of another row in.
func (r *FigureRow) add(f *query.Figures, other *FigureRow) {
	r.Count += other.Count
	for i := range r.Cells {
		a, b := &r.Cells[i], &other.Cells[i]
		a.Filled += b.Filled
		switch {
		case !b.Some:
		case !a.Some:
			a.Value, a.Some = b.Value, true
		default:
			switch f.Measures[i].Measure.Func {
			case "min":
				a.Value = min(a.Value, b.Value)
			case "max":
				a.Value = max(a.Value, b.Value)
			default:
				a.Value += b.Value
			}
		}
	}
}

func total(f *query.Figures, rows []FigureRow) FigureRow {
	out := FigureRow{Cells: make([]FigureCell, len(f.Measures))}
	for i := range rows {
		out.add(f, &rows[i])
	}
	return out
}

// order sorts groups as people read them.
func order(f *query.Figures, rows []FigureRow) {
	places := make([]map[string]int, len(f.Groups))
	for i := range f.Groups {
		places[i] = map[string]int{}
		for n, o := range f.Groups[i].Options {
			places[i][o.Key] = n
		}
	}
	slices.SortStableFunc(rows, func(a, b FigureRow) int {
		for i := range f.Groups {
			if c := before(&f.Groups[i], places[i], a.Keys[i], b.Keys[i]); c != 0 {
				return c
			}
			if k := f.Groups[i].Kind; (k == query.ByRecord || k == query.ByRegion) && a.Keys[i] != b.Keys[i] {
				if a.Count != b.Count {
					return int(max(-1, min(1, b.Count-a.Count)))
				}
				return strings.Compare(fmt.Sprint(a.Keys[i]), fmt.Sprint(b.Keys[i]))
			}
		}
		return 0
	})
}

// before compares two keys of a group, 0 where their counts decide.
func before(g *query.GroupSlot, places map[string]int, a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	switch x := a.(type) {
	case clock.Day:
		return int(x) - int(b.(clock.Day))
	case bool:
		switch {
		case x == b:
			return 0
		case x:
			return -1
		}
		return 1
	case string:
		if g.Kind == query.ByOption {
			p, known := places[x]
			q, also := places[b.(string)]
			if known && also {
				return p - q
			}
			if known != also {
				if known {
					return -1
				}
				return 1
			}
			return strings.Compare(x, b.(string))
		}
	}
	return 0
}

// NewFigureRow reads a row of a compiled question (see store/compile): the keys, the count, then two values a measure.
func NewFigureRow(f *query.Figures, values []any) FigureRow {
	n := len(f.Groups)
	r := FigureRow{Keys: values[:n:n], Cells: make([]FigureCell, len(f.Measures))}
	for i, v := range r.Keys {
		if b, ok := v.([]byte); ok {
			r.Keys[i] = string(b)
		}
	}
	r.Count, _ = values[n].(int64)
	for i := range r.Cells {
		c := &r.Cells[i]
		c.Value, c.Some = values[n+1+2*i].(int64)
		c.Filled, _ = values[n+2+2*i].(int64)
	}
	return r
}
