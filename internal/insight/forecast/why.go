package forecast

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Span is a run of whole local days, both included.
type Span struct{ From, To clock.Day }

// Question asks why a figure is another in one span than in another. Pair, when set, are two dimensions whose combinations are told.
type Question struct {
	Figure      Figure
	Now, Before Span
	Pair        [2]Dimension
}

func (q *Question) check() error {
	switch q.Figure {
	case Revenue, Orders, Customers, Basket, Quantity:
	default:
		return fault.InvalidField("forecast.bad_figure", "figure", nil)
	}
	for field, s := range map[string]Span{"to": q.Now, "before_to": q.Before} {
		if s.To < s.From {
			return fault.InvalidField("forecast.bad_span", field, nil)
		}
		if s.To-s.From >= MaxDays {
			return fault.InvalidField("forecast.long_span", field, fault.Params{"max": MaxDays})
		}
	}
	if q.Pair == ([2]Dimension{}) {
		return nil
	}
	if q.Pair[0] == q.Pair[1] {
		return fault.InvalidField("forecast.bad_pair", "second", nil)
	}
	for _, d := range q.Pair {
		if err := (Slice{Dimension: d, Value: "x"}).check(); err != nil || d == Total {
			return fault.InvalidField("forecast.bad_dimension", "first", nil)
		}
	}
	return nil
}

// Part is one addend of a change. Key names a driver or is the value of a dimension ("" for none); Other sums the values that are not told,
// Rest what the values do not add up to: discounts of whole orders, or customers who are in several.
type Part struct {
	Keys        [2]string
	Now, Before float64
	Change      float64
	Mix, Rate   float64 // parts of Change: by its share among all, and by its own rate
	Other       bool
	Rest        bool
	Values      int // how many values Other stands for
}

// Split is a change told by the values of a dimension, or of two. The parts sum to the change. Where a figure is a count times a rate,
// Volume, Mix and Rate sum to it as well: more of all, more of those with a higher rate, and higher rates.
type Split struct {
	Dimensions   [2]Dimension
	Parts        []Part
	Mixed        bool // Volume, Mix and Rate are told
	Weight       Figure
	Volume       float64
	Mix          float64
	Rate         float64
	Unattributed float64
	Focus        float64 // how much of the change few values explain, 0 to 1: the share of the three greatest among all sizes
}

// Driver is a factor of the figure: the parts sum to the change.
type Driver struct {
	Key         string // customers, frequency, basket; items, price; newcomers, returning
	Now, Before float64
	Change      float64 // in the unit of the figure
}

// Reasons explain a change.
type Reasons struct {
	Question
	NowTotal, BeforeTotal Cell
	NowValue, BeforeValue float64
	Drivers               []Driver
	Splits                []Split // by each dimension, the most focused first
	Pair                  *Split
	Empty                 bool // there is nothing in either span
}

// told is how many values of a dimension are told one by one.
const told = 30

// Why explains a change. Everything it says adds up to the change exactly, but for the rounding of floating point.
func (s *Service) Why(ctx context.Context, q Question) (*Reasons, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	out := &Reasons{Question: q}
	var err error
	if out.NowTotal, err = s.total(ctx, q.Now); err != nil {
		return nil, err
	}
	if out.BeforeTotal, err = s.total(ctx, q.Before); err != nil {
		return nil, err
	}
	out.NowValue, out.BeforeValue = q.Figure.of(out.NowTotal), q.Figure.of(out.BeforeTotal)
	if out.NowTotal.Orders == 0 && out.BeforeTotal.Orders == 0 {
		out.Empty = true
		return out, nil
	}
	if out.Drivers, err = s.drivers(ctx, out); err != nil {
		return nil, err
	}
	for _, d := range Dimensions() {
		split, err := s.split(ctx, out, d)
		if err != nil {
			return nil, err
		}
		if len(split.Parts) > 0 {
			out.Splits = append(out.Splits, split)
		}
	}
	slices.SortStableFunc(out.Splits, func(a, b Split) int { return cmp.Compare(b.Focus, a.Focus) })
	if q.Pair != ([2]Dimension{}) {
		pair, err := s.split(ctx, out, q.Pair[0], q.Pair[1])
		if err != nil {
			return nil, err
		}
		out.Pair = &pair
	}
	return out, nil
}

func (s *Service) total(ctx context.Context, span Span) (Cell, error) {
	list, err := s.facts.Cells(ctx, nil, span.From, span.To)
	if err != nil || len(list) == 0 {
		return Cell{}, err
	}
	return list[0], nil
}

// of is the figure of a cell.
func (f Figure) of(c Cell) float64 {
	switch f {
	case Revenue:
		return float64(c.Revenue)
	case Orders:
		return float64(c.Orders)
	case Customers:
		return float64(c.Customers)
	case Quantity:
		return float64(c.Quantity)
	}
	return ratio(float64(c.Revenue), float64(c.Orders))
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// drivers takes a figure apart into factors by logarithmic means (Ang 2004): with L(a, b) = (a−b)/ln(a/b) the parts
// L(now, before)·ln(factor now/factor before) sum to the change. Where a factor is 0 there is only the change of the first.
func (s *Service) drivers(ctx context.Context, r *Reasons) ([]Driver, error) {
	a, b := r.NowTotal, r.BeforeTotal
	customers := Driver{Key: "customers", Now: float64(a.Customers), Before: float64(b.Customers)}
	frequency := Driver{Key: "frequency", Now: ratio(float64(a.Orders), float64(a.Customers)), Before: ratio(float64(b.Orders), float64(b.Customers))}
	basket := Driver{Key: "basket", Now: Basket.of(a), Before: Basket.of(b)}
	items := Driver{Key: "items", Now: ratio(float64(a.Quantity)/1000, float64(a.Orders)), Before: ratio(float64(b.Quantity)/1000, float64(b.Orders))}
	price := Driver{Key: "price", Now: ratio(float64(a.Revenue)*1000, float64(a.Quantity)), Before: ratio(float64(b.Revenue)*1000, float64(b.Quantity))}
	switch r.Figure {
	case Revenue:
		return factors(r.NowValue, r.BeforeValue, customers, frequency, basket), nil
	case Orders:
		return factors(r.NowValue, r.BeforeValue, customers, frequency), nil
	case Quantity:
		return factors(r.NowValue, r.BeforeValue, customers, frequency, items), nil
	case Basket:
		return factors(r.NowValue, r.BeforeValue, items, price), nil
	}
	fresh, err := s.facts.Newcomers(ctx, r.Now.From, r.Now.To)
	if err != nil {
		return nil, err
	}
	old, err := s.facts.Newcomers(ctx, r.Before.From, r.Before.To)
	if err != nil {
		return nil, err
	}
	n := Driver{Key: "newcomers", Now: float64(fresh), Before: float64(old)}
	back := Driver{Key: "returning", Now: r.NowValue - n.Now, Before: r.BeforeValue - n.Before}
	n.Change, back.Change = n.Now-n.Before, back.Now-back.Before
	return []Driver{n, back}, nil
}

func factors(now, before float64, list ...Driver) []Driver {
	whole := true
	for _, d := range list {
		whole = whole && d.Now > 0 && d.Before > 0
	}
	if !whole || now <= 0 || before <= 0 {
		list[0].Change = now - before
		return list
	}
	mean := now
	if now != before {
		mean = (now - before) / math.Log(now/before)
	}
	sum := 0.0
	for i := range list {
		list[i].Change = mean * math.Log(list[i].Now/list[i].Before)
		sum += list[i].Change
	}
	list[0].Change += now - before - sum // what floating point lost
	return list
}

// weightOf is the count that a figure is a rate of, among values of the dimensions.
func weightOf(f Figure, lines bool) (Figure, bool) {
	switch {
	case f == Revenue && lines:
		return Quantity, true
	case f == Revenue, f == Basket && !lines:
		return Orders, true
	case f == Orders:
		return Customers, true
	}
	return "", false
}

// split tells a change by one or two dimensions.
func (s *Service) split(ctx context.Context, r *Reasons, dims ...Dimension) (Split, error) {
	now, err := s.facts.Cells(ctx, dims, r.Now.From, r.Now.To)
	if err != nil {
		return Split{}, err
	}
	before, err := s.facts.Cells(ctx, dims, r.Before.From, r.Before.To)
	if err != nil {
		return Split{}, err
	}
	out := Split{}
	copy(out.Dimensions[:], dims)
	lines := slices.ContainsFunc(dims, Dimension.OfLines)
	out.Weight, out.Mixed = weightOf(r.Figure, lines)
	out.Parts = r.parts(now, before, &out)
	out.Focus = focus(out.Parts)
	sum := 0.0
	for _, p := range out.Parts {
		sum += p.Change
	}
	out.Unattributed = r.NowValue - r.BeforeValue - sum
	out.Parts = shorten(out.Parts)
	if size := math.Abs(out.Unattributed); size > 1e-6*(math.Abs(r.NowValue)+math.Abs(r.BeforeValue)) {
		out.Parts = append(out.Parts, Part{Rest: true, Change: out.Unattributed})
	}
	return out, nil
}

// parts are the values with their addends, the greatest change first.
func (r *Reasons) parts(now, before []Cell, split *Split) []Part {
	type pair struct{ a, b Cell }
	all := map[[2]string]*pair{}
	at := func(keys [2]string) *pair {
		if all[keys] == nil {
			all[keys] = &pair{}
		}
		return all[keys]
	}
	for _, c := range now {
		at(c.Keys).a = c
	}
	for _, c := range before {
		at(c.Keys).b = c
	}
	money := r.Figure
	if money == Basket {
		money = Revenue
	}
	var wa, wb, ra, rb float64 // sums of weights and of what they carry
	for _, p := range all {
		wa, wb = wa+split.Weight.count(p.a), wb+split.Weight.count(p.b)
		ra, rb = ra+money.of(p.a), rb+money.of(p.b)
	}
	split.Mixed = split.Mixed && wa > 0 && wb > 0
	overall := (ratio(ra, wa) + ratio(rb, wb)) / 2
	out := make([]Part, 0, len(all))
	scale := 1.0
	if split.Mixed && r.Figure != Basket {
		scale = (wa + wb) / 2
		split.Volume = (wa - wb) * overall
	}
	for keys, p := range all {
		part := Part{Keys: keys, Now: r.Figure.of(p.a), Before: r.Figure.of(p.b)}
		if split.Mixed {
			a, b := split.Weight.count(p.a), split.Weight.count(p.b)
			sa, sb := ratio(a, wa), ratio(b, wb)
			va, vb := ratio(money.of(p.a), a), ratio(money.of(p.b), b)
			if a == 0 { // a rate that nobody has is that of the other span: all of it is mix
				va = vb
			}
			if b == 0 {
				vb = va
			}
			part.Rate = scale * (sa + sb) / 2 * (va - vb)
			part.Mix = scale * (sa - sb) * ((va+vb)/2 - overall)
			split.Rate += part.Rate
			split.Mix += part.Mix
		}
		switch {
		case r.Figure == Basket && split.Mixed:
			part.Change = part.Mix + part.Rate
		case r.Figure == Basket: // what it adds to the mean basket
			part.Now = ratio(float64(p.a.Revenue), float64(r.NowTotal.Orders))
			part.Before = ratio(float64(p.b.Revenue), float64(r.BeforeTotal.Orders))
			part.Change = part.Now - part.Before
		default:
			part.Change = part.Now - part.Before
		}
		out = append(out, part)
	}
	slices.SortFunc(out, func(a, b Part) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Change), math.Abs(a.Change)), cmp.Compare(a.Keys[0], b.Keys[0]), cmp.Compare(a.Keys[1], b.Keys[1]))
	})
	return out
}

// count is the figure of a cell as a weight.
func (f Figure) count(c Cell) float64 {
	if f == "" {
		return 0
	}
	return f.of(c)
}

func focus(parts []Part) float64 {
	var all, top float64
	for i, p := range parts {
		all += math.Abs(p.Change)
		if i < 3 {
			top += math.Abs(p.Change)
		}
	}
	if len(parts) < 2 {
		return 0
	}
	return ratio(top, all) * (1 - 1/float64(len(parts)))
}

// shorten puts all but the greatest together.
func shorten(parts []Part) []Part {
	if len(parts) <= told+1 {
		return parts
	}
	rest := Part{Other: true, Values: len(parts) - told}
	for _, p := range parts[told:] {
		rest.Now += p.Now
		rest.Before += p.Before
		rest.Change += p.Change
		rest.Mix += p.Mix
		rest.Rate += p.Rate
	}
	return append(slices.Clone(parts[:told]), rest)
}
