package forecast

import (
	"math"
	"slices"
)

// maxOrigins is how many times the past is asked at most.
const maxOrigins = 8

// past is what methods would have said.
type past struct {
	methods []Method
	origins int
	smape   map[Method]float64
	mase    map[Method]float64
	points  int
	ratios  map[Method][]float64   // by origin: mean square of errors in units of what was expected
	apart   map[Method][][]float64 // by origin: each error in units of what was expected
}

// roll asks the past: origins lie evenly in the later part of the row, each with a horizon of at most the one that is wanted.
func roll(y []float64, season, horizon int, methods []Method) past {
	p := past{methods: methods, smape: map[Method]float64{}, mase: map[Method]float64{}, ratios: map[Method][]float64{}, apart: map[Method][][]float64{}}
	n := len(y)
	least := 5
	if season > 1 && n >= 2*season+3 {
		least = 2*season + 1
	}
	room := n - least // how many places the last known value may stand before the end
	if room < 1 {
		return p
	}
	h := min(horizon, max(1, room*2/3))
	count := min(maxOrigins, room-h+1)
	if count < 1 {
		return p
	}
	peers := methods
	if !slices.Contains(peers, SeasonalNaive) {
		peers = append(slices.Clone(peers), SeasonalNaive)
	}
	back := min(room, max(2*h, h+count-1))
	cuts := make([]int, 0, count)
	for i := range count {
		off := 0
		if count > 1 {
			off = (back - h) * i / (count - 1)
		}
		cut := n - h - off
		if !slices.Contains(cuts, cut) {
			cuts = append(cuts, cut)
		}
	}
	for _, cut := range cuts {
		train, test := y[:cut], y[cut:cut+h]
		scale := Scale(train, season)
		for _, m := range peers {
			f := fit(m, train, season)
			p.add(m, f, train, test, scale)
		}
		p.points += h
	}
	p.origins = len(cuts)
	return p
}

func (p *past) add(m Method, f fitted, train, test []float64, scale float64) {
	mean, sd := f.spreads(train, len(test))
	var squares float64
	apart := make([]float64, 0, len(test))
	for i, a := range test {
		p.smape[m] += smape(a, mean[i])
		p.mase[m] += math.Abs(a-mean[i]) / scale
		z := math.Abs(a-mean[i]) / sd[i]
		squares += math.Min(z*z, 1e6)
		apart = append(apart, z)
	}
	p.apart[m] = append(p.apart[m], apart)
	p.ratios[m] = append(p.ratios[m], squares/float64(len(test)))
}

func (p past) of(m Method) Error {
	n := float64(max(p.points, 1))
	return Error{Method: m, SMAPE: p.smape[m] / n, MASE: p.mase[m] / n, Points: p.points}
}

// errors are those of all methods, best first by MASE; of equal ones the simpler comes first.
func (p past) errors() []Error {
	out := make([]Error, 0, len(p.methods))
	for _, m := range p.methods {
		out = append(out, p.of(m))
	}
	slices.SortStableFunc(out, func(a, b Error) int {
		switch {
		case a.MASE < b.MASE-1e-9:
			return -1
		case b.MASE < a.MASE-1e-9:
			return 1
		}
		return 0
	})
	return out
}

// The width of intervals. A model fitted to few values is surer of itself than it should be: what it got wrong later, at the origins,
// corrects it. prior is how many origins its own word is worth, quiet how much wider than its word that is: both were set on the
// series of the M3 competition with an odd number; the tests measure the coverage on the even ones.
const (
	prior   = 4.0
	quiet   = 1.35
	z80     = 1.2815515655446004
	z95     = 1.959963984540054
	fatTail = 1.2 // errors have fatter tails than the normal distribution: the outer interval is this much wider
)

// spread is the factor on the standard deviations of a method, by all origins but one (-1: by all).
func (p past) spread(m Method, but int) float64 {
	sum, n := prior*quiet*quiet, prior
	for i, r := range p.ratios[m] {
		if i != but {
			sum += math.Min(r, 25)
			n++
		}
	}
	return math.Sqrt(sum / n)
}

// coverage is the share of errors within the intervals that the other origins would have drawn.
func (p past) coverage(m Method) (c80, c95 float64) {
	var n float64
	for i, list := range p.apart[m] {
		width := p.spread(m, i)
		for _, z := range list {
			n++
			if z <= z80*width {
				c80++
			}
			if z <= z95*fatTail*width {
				c95++
			}
		}
	}
	if n == 0 {
		return 0, 0
	}
	return c80 / n, c95 / n
}

// spreads are the forecasts and the standard deviations that the method itself believes in.
func (f fitted) spreads(y []float64, h int) (mean, sd []float64) {
	mean = f.ahead(h)
	var s float64
	for _, e := range f.errors {
		s += e * e
	}
	free := max(len(f.errors)-min(f.spent, len(f.errors)/2), 1)
	one := math.Sqrt(s / float64(free))
	sd = make([]float64, h)
	tiny := 1e-9 * (1 + math.Abs(average(y)))
	for i := range sd {
		if math.IsNaN(mean[i]) || math.IsInf(mean[i], 0) {
			mean[i] = y[len(y)-1]
		}
		sd[i] = one * math.Sqrt(f.widen(i+1))
		if f.relative {
			sd[i] *= math.Abs(mean[i])
		}
		if !(sd[i] > tiny) || math.IsInf(sd[i], 0) {
			sd[i] = tiny
		}
	}
	return mean, sd
}

// bands are the forecast with its intervals. A row that was never below 0 stays there.
func (f fitted) bands(y []float64, h int, spread float64) (mean, low80, high80, low95, high95 []float64) {
	mean, sd := f.spreads(y, h)
	floor := math.Inf(-1)
	if lowest(y) >= 0 {
		floor = 0
	}
	low80, high80, low95, high95 = make([]float64, h), make([]float64, h), make([]float64, h), make([]float64, h)
	if constant(y) {
		spread = 0
	}
	for i := range mean {
		mean[i] = math.Max(mean[i], floor)
		inner, outer := z80*spread*sd[i], z95*fatTail*spread*sd[i]
		low80[i], high80[i] = math.Max(mean[i]-inner, floor), mean[i]+inner
		low95[i], high95[i] = math.Max(mean[i]-outer, floor), mean[i]+outer
	}
	return mean, low80, high80, low95, high95
}
