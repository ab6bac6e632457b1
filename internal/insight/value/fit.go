package value

import (
	"context"
	"encoding/json"
	"math"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/stat/btyd"
	"github.com/guanxi-crm/guanxi/internal/stat/gain"
)

// state is what a fit leaves for scoring.
type state struct {
	Counts btyd.Params `json:"counts"`
	Alive  btyd.Params `json:"alive"` // of the MBG/NBD
	Money  btyd.Money  `json:"money"` // in units of the currency
	Basis  Basis       `json:"basis"`
	Rate   int64       `json:"rate"`
	Known  bool        `json:"known"` // false: too little to learn from
	// Options that it was fitted by, by which scores are explained.
	Options json.RawMessage `json:"options,omitempty"`
}

// row is what the models count of a customer up to a day.
func row(c Counted, first, until clock.Day, unit float64) btyd.Row {
	return btyd.Row{X: c.Days - 1, Recency: float64(c.Last-first) / unit, Age: float64(until-first) / unit}
}

// spend is the mean of the repeat days, in units of the currency.
func spend(c Counted, firstValue int64, minor float64) btyd.Spend {
	s := btyd.Spend{X: c.Days - 1}
	if s.X > 0 {
		s.Mean = float64(c.Value-firstValue) / float64(s.X) / minor
	}
	return s
}

// few customers with a repeat purchase are too few to learn from.
const few = 30

// shortest is how many held-back days say something.
const shortest = 28

// learned is what was fitted on the days up to one day.
type learned struct {
	counts, other btyd.Fit // of the kind that was asked for, and of the other one
	money         btyd.MoneyFit
}

func learn(kind btyd.Kind, rows []btyd.Row, spends []btyd.Spend) learned {
	other := btyd.MBG
	if kind == btyd.MBG {
		other = btyd.BG
	}
	collapsed := btyd.Collapse(rows)
	return learned{btyd.FitCounts(kind, collapsed), btyd.FitCounts(other, collapsed), btyd.FitMoney(spends)}
}

func (l learned) alive() btyd.Params {
	if l.counts.Kind == btyd.MBG {
		return l.counts.Params
	}
	return l.other.Params
}

// Fit implements predict.Model.
func (m *Model) Fit(ctx context.Context, r predict.Request) (predict.Fitted, error) {
	o, err := m.read(r.Options)
	if err != nil {
		return predict.Fitted{}, err
	}
	costs, err := m.facts.Costs(ctx, r.Until)
	if err != nil {
		return predict.Fitted{}, err
	}
	st, notes := basis(o.Basis, costs)
	end, cut := r.Until, r.Until
	switch {
	case r.HeldUntil != 0:
		end = r.HeldUntil
	case costs.First != 0:
		days := min(clock.Day(o.Held)*7, (r.Until-costs.First)/3)
		if days >= shortest || o.unit() == 1 && days > 0 && o.Held > 0 {
			cut = r.Until - days
		}
	}
	ask := Ask{Cut: cut, Until: end, Basis: st.Basis, Rate: st.Rate}
	people, err := m.facts.Purchases(ctx, ask)
	if err != nil {
		return predict.Fitted{}, err
	}
	progress(r, 0.3)
	card := predict.Card{From: costs.First, Until: r.Until, Notes: notes}
	minor := m.minor()
	var known learned
	if cut < end {
		known = m.measure(&card, people, ask, o)
		card.HeldFrom, card.HeldUntil = cut+1, end
	} else {
		card.Notes = append(card.Notes, predict.Note{Key: "no_holdout", Level: predict.Info})
	}
	progress(r, 0.6)
	if r.HeldUntil == 0 { // the days that were held back are learned from too
		rows, spends := make([]btyd.Row, 0, len(people)), make([]btyd.Spend, 0, len(people))
		for i := range people {
			p := &people[i]
			rows = append(rows, row(p.All, p.First, end, o.unit()))
			spends = append(spends, spend(p.All, p.FirstValue, minor))
		}
		known = learn(o.Model, rows, spends)
	}
	st.Counts, st.Alive, st.Money = known.counts.Params, known.alive(), known.money.Money
	st.Known = !known.counts.Degenerate && known.counts.Repeaters >= few
	describe(&card, known, o, minor, st.Basis)
	st.Options = r.Options
	if st.Known && r.HeldUntil == 0 {
		m.spread(&card, people, st, o, end)
	}
	raw, err := json.Marshal(st)
	return predict.Fitted{State: raw, Card: card}, err
}

func progress(r predict.Request, done float64) {
	if r.Progress != nil {
		r.Progress(done)
	}
}

// basis decides what a purchase is worth.
func basis(want Basis, c Costs) (state, []predict.Note) {
	st := state{Basis: Revenue}
	share := 0.0
	if c.Purchases > 0 {
		share = float64(c.Costed) / float64(c.Purchases)
	}
	if c.CostedRevenue > 0 {
		st.Rate = int64(math.Round(float64(c.CostedRevenue-c.Spent) / float64(c.CostedRevenue) * 10_000))
	}
	switch {
	case want == Margin && c.Costed > 0, want == Auto && c.Purchases > 0 && c.Costed == c.Purchases:
		st.Basis = Margin
		if c.Costed < c.Purchases {
			return st, []predict.Note{{Key: "margin_part", Level: predict.Warning, Params: map[string]any{"share": predict.Share(share), "rate": predict.Share(float64(st.Rate) / 10_000)}}}
		}
		return st, []predict.Note{{Key: "margin", Level: predict.Info}}
	case want == Margin:
		return st, []predict.Note{{Key: "no_cost", Level: predict.Warning}}
	}
	return st, []predict.Note{{Key: "revenue", Level: predict.Info, Params: map[string]any{"share": predict.Share(share)}}}
}

// measure learns from the days up to the cut and says how far off that is on the days after it.
func (m *Model) measure(card *predict.Card, people []Purchases, a Ask, o options) learned {
	minor, unit := m.minor(), o.unit()
	var rows []btyd.Row
	var spends []btyd.Spend
	var who []*Purchases
	for i := range people {
		p := &people[i]
		if p.Cut.Days == 0 {
			continue
		}
		who = append(who, p)
		rows = append(rows, row(p.Cut, p.First, a.Cut, unit))
		spends = append(spends, spend(p.Cut, p.FirstValue, minor))
	}
	l := learn(o.Model, rows, spends)
	if l.counts.Degenerate || l.counts.Repeaters < few {
		return l
	}
	ahead := float64(a.Until-a.Cut) / unit
	expected, recency, hit := make([]float64, len(rows)), make([]float64, len(rows)), make([]bool, len(rows))
	later := make([]float64, len(rows))
	var sum, actual, money, actualMoney, other float64
	future := newExpectation(l.counts.Params, ahead)
	beside := newExpectation(l.other.Params, ahead)
	for i, r := range rows {
		expected[i] = future.of(r)
		recency[i] = r.Recency - r.Age
		later[i] = float64(who[i].All.Days - who[i].Cut.Days)
		hit[i] = later[i] > 0
		sum += expected[i]
		other += beside.of(r)
		actual += later[i]
		money += expected[i] * mean(l.money.Money, spends[i])
		actualMoney += float64(who[i].All.Value-who[i].Cut.Value) / minor
	}
	if auc, ok := gain.AUC(expected, hit); ok {
		v := predict.Measure{Key: "auc", Value: auc, Better: predict.Higher, PeerIs: "recency"}
		if peer, ok := gain.AUC(recency, hit); ok {
			v.Peer = &peer
		}
		card.Measures = append(card.Measures, v)
	}
	card.Measures = append(card.Measures, predict.Measure{Key: "holdout_expected", Value: sum}, predict.Measure{Key: "holdout_actual", Value: actual},
		predict.Measure{Key: "holdout_other", Value: other})
	if actual > 0 {
		card.Measures = append(card.Measures, predict.Measure{Key: "total_error", Value: math.Abs(sum-actual) / actual, Better: predict.Lower, Share: true})
	}
	if actualMoney > 0 {
		card.Measures = append(card.Measures, predict.Measure{Key: "money_error", Value: math.Abs(money-actualMoney) / actualMoney, Better: predict.Lower, Share: true})
	}
	deciles(card, expected, later)
	return l
}

// deciles draws what was expected against what came, by tenths of what was expected.
func deciles(card *predict.Card, expected, later []float64) {
	var e, a, n [10]float64
	for i, d := range gain.Deciles(expected) {
		e[d-1] += expected[i]
		a[d-1] += later[i]
		n[d-1]++
	}
	chart := predict.Chart{Key: "deciles", Kind: predict.Bars, Series: []predict.Series{{Key: "expected"}, {Key: "actual"}}}
	var off, all float64
	for d := range 10 {
		if n[d] == 0 {
			continue
		}
		chart.X = append(chart.X, strconv.Itoa(d+1))
		chart.Series[0].Values = append(chart.Series[0].Values, predict.Finite(e[d]/n[d]))
		chart.Series[1].Values = append(chart.Series[1].Values, predict.Finite(a[d]/n[d]))
		off += math.Abs(e[d] - a[d])
		all += a[d]
	}
	card.Charts = append(card.Charts, chart)
	if all > 0 {
		card.Measures = append(card.Measures, predict.Measure{Key: "decile_error", Value: off / all, Better: predict.Lower, Share: true})
	}
}

// describe writes parameters and what is to be said about them.
func describe(card *predict.Card, l learned, o options, minor float64, b Basis) {
	f := l.counts
	card.Rows = f.Customers
	if f.Repeaters < few {
		card.Notes = append(card.Notes, predict.Note{Key: "few_repeaters", Level: predict.Warning, Params: map[string]any{"have": f.Repeaters, "need": few}})
	}
	if f.Degenerate {
		return
	}
	card.Parameters = append(card.Parameters, predict.Parameter{Key: "r", Value: f.R}, predict.Parameter{Key: "alpha", Value: f.Alpha},
		predict.Parameter{Key: "a", Value: f.A}, predict.Parameter{Key: "b", Value: f.B})
	card.Measures = append(card.Measures, predict.Measure{Key: "log_likelihood", Value: f.LogLikelihood})
	if !l.other.Degenerate {
		card.Measures = append(card.Measures, predict.Measure{Key: "other_likelihood", Value: l.other.LogLikelihood})
	}
	if f.NoDropout {
		card.Notes = append(card.Notes, predict.Note{Key: "no_dropout", Level: predict.Warning})
	}
	if f.Alike {
		card.Notes = append(card.Notes, predict.Note{Key: "alike", Level: predict.Info})
	}
	m := l.money
	if m.Degenerate {
		card.Notes = append(card.Notes, predict.Note{Key: "no_money", Level: predict.Warning})
		return
	}
	if m.Constant {
		card.Notes = append(card.Notes, predict.Note{Key: "constant_money", Level: predict.Info, Params: map[string]any{"value": predict.Money(int64(math.Round(m.Mean * minor)))}})
		return
	}
	card.Parameters = append(card.Parameters, predict.Parameter{Key: "p", Value: m.P}, predict.Parameter{Key: "q", Value: m.Q}, predict.Parameter{Key: "gamma", Value: m.Gamma})
	card.Measures = append(card.Measures, predict.Measure{Key: "money_likelihood", Value: m.LogLikelihood}, predict.Measure{Key: "correlation", Value: m.Correlation})
	if math.Abs(m.Correlation) > 0.3 {
		card.Notes = append(card.Notes, predict.Note{Key: "correlated", Level: predict.Warning, Params: map[string]any{"value": predict.Figure(m.Correlation)}})
	}
	if m.Q <= 1 {
		card.Notes = append(card.Notes, predict.Note{Key: "wild_money", Level: predict.Warning})
	}
}

// spread adds how the value to come is spread over customers.
func (m *Model) spread(card *predict.Card, people []Purchases, st state, o options, until clock.Day) {
	life := btyd.NewLifetime(st.Counts, o.horizon())
	minor := m.minor()
	future, past := make([]float64, len(people)), make([]float64, len(people))
	for i := range people {
		p := &people[i]
		future[i] = life.Purchases(row(p.All, p.First, until, o.unit())) * mean(st.Money, spend(p.All, p.FirstValue, minor))
		past[i] = float64(p.All.Value)
	}
	const steps = 20
	f, ok := gain.SpreadOf(future, steps)
	if !ok {
		return
	}
	card.Measures = append(card.Measures, predict.Measure{Key: "gini", Value: f.Gini}, predict.Measure{Key: "top_share", Value: f.Top, Share: true})
	chart := predict.Chart{Key: "lorenz", Kind: predict.Lines, Series: []predict.Series{{Key: "future"}}}
	b, hasPast := gain.SpreadOf(past, steps)
	if hasPast {
		chart.Series = append(chart.Series, predict.Series{Key: "past"})
	}
	for i := range steps + 1 {
		chart.X = append(chart.X, strconv.Itoa(i*100/steps)+"%")
		chart.Series[0].Values = append(chart.Series[0].Values, predict.Finite(f.Lorenz[i]*100))
		if hasPast {
			chart.Series[1].Values = append(chart.Series[1].Values, predict.Finite(b.Lorenz[i]*100))
		}
	}
	card.Charts = append(card.Charts, chart)
}

// mean is what a purchase to come is worth; who spent nothing on repeat purchases is drawn towards everybody from 0.
func mean(m btyd.Money, s btyd.Spend) float64 {
	if s.X > 0 && s.Mean <= 0 {
		s.Mean = 1e-9
	}
	if v := m.Expected(s.X, s.Mean); v > 0 && !math.IsInf(v, 0) {
		return v
	}
	return 0
}

// expectation remembers the numbers of purchases in a time ahead.
type expectation struct{ life *btyd.Lifetime }

func newExpectation(p btyd.Params, ahead float64) expectation {
	return expectation{btyd.NewLifetime(p, btyd.Horizon{Months: 1, Month: ahead})}
}

func (e expectation) of(r btyd.Row) float64 { return e.life.Purchases(r) }
