// Package cluster groups rows of numbers: k-means (Lloyd 1982) from k-means++ starts (Arthur & Vassilvitskii 2007), how well groups
// keep apart (silhouette, Rousseeuw 1987) and how surely they come again on other samples (adjusted Rand index, Hubert & Arabie
// 1985), and a suggestion of how many there are.
//
// It is pure. The same rows, options and seed give the same groups with the same numbers: groups are sorted by the sum of their
// centre's coordinates, the greatest first, then by the coordinates one by one.
package cluster

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Points are n rows of d numbers, row by row.
type Points struct {
	D int
	X []float64
}

// Len is the number of rows.
func (p Points) Len() int {
	if p.D == 0 {
		return 0
	}
	return len(p.X) / p.D
}

// Row is one row; it is not to be changed.
func (p Points) Row(i int) []float64 { return p.X[i*p.D : (i+1)*p.D] }

// pick copies some rows.
func (p Points) pick(rows []int) Points {
	out := Points{D: p.D, X: make([]float64, 0, len(rows)*p.D)}
	for _, r := range rows {
		out.X = append(out.X, p.Row(r)...)
	}
	return out
}

// Scale is how one column becomes comparable: its logarithm when Log, then its distance from the mean in standard deviations.
type Scale struct {
	Log  bool    `json:"log,omitempty"`
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"` // 0 for a column that is the same everywhere, which becomes 0
}

// Apply gives the comparable form of a value.
func (s Scale) Apply(v float64) float64 {
	if s.Log {
		v = math.Log1p(math.Max(v, 0))
	}
	if s.SD == 0 {
		return 0
	}
	return (v - s.Mean) / s.SD
}

// Back is the value that has a comparable form.
func (s Scale) Back(z float64) float64 {
	v := z*s.SD + s.Mean
	if s.Log {
		return math.Expm1(v)
	}
	return v
}

// Standardise makes columns comparable in place. A column whose log flag is set is taken as log(1+v), with values below 0 as 0; the
// deviation is that of the whole (divided by n).
func Standardise(p Points, logs []bool) []Scale {
	out := make([]Scale, p.D)
	n := p.Len()
	if n == 0 {
		return out
	}
	for j := range p.D {
		out[j].Log = logs[j]
		var sum float64
		for i := range n {
			v := p.X[i*p.D+j]
			if logs[j] {
				v = math.Log1p(math.Max(v, 0))
				p.X[i*p.D+j] = v
			}
			sum += v
		}
		mean := sum / float64(n)
		var squares float64
		for i := range n {
			d := p.X[i*p.D+j] - mean
			squares += d * d
		}
		sd := math.Sqrt(squares / float64(n))
		if sd < 1e-12*(1+math.Abs(mean)) {
			sd = 0
		}
		out[j].Mean, out[j].SD = mean, sd
		for i := range n {
			if sd == 0 {
				p.X[i*p.D+j] = 0
				continue
			}
			p.X[i*p.D+j] = (p.X[i*p.D+j] - mean) / sd
		}
	}
	return out
}

// Result are groups.
type Result struct {
	Centres [][]float64
	Labels  []int // of each row, from 0
	Sizes   []int
	Inertia float64 // the sum of squared distances to the centre
	Rounds  int
}

// Options of a search.
type Options struct {
	K      int
	Starts int // how often it begins anew; the best is kept. 0: 10
	Seed   uint64
	Rounds int // at most; 0: 300
}

// Group finds k groups. Fewer distinct rows than k give as many groups as there are distinct rows; no rows give none.
func Group(p Points, o Options) Result {
	n := p.Len()
	k := min(o.K, distinct(p, o.K))
	if n == 0 || k < 1 {
		return Result{Labels: []int{}}
	}
	if o.Starts == 0 {
		o.Starts = 10
	}
	if o.Rounds == 0 {
		o.Rounds = 300
	}
	var best Result
	for start := range o.Starts {
		r := rand.New(rand.NewPCG(o.Seed, uint64(start)))
		got := lloyd(p, seed(p, k, r), o.Rounds)
		if start == 0 || got.Inertia < best.Inertia-1e-9 {
			best = got
		}
	}
	return best.sorted()
}

// distinct counts different rows, up to a bound.
func distinct(p Points, most int) int {
	var seen [][]float64
	for i := 0; i < p.Len() && len(seen) < most; i++ {
		row := p.Row(i)
		if !slices.ContainsFunc(seen, func(s []float64) bool { return slices.Equal(s, row) }) {
			seen = append(seen, row)
		}
	}
	return len(seen)
}

func gap(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		d := v - b[i]
		s += d * d
	}
	return s
}

// seed draws k starts, each the likelier the farther it is from those before; of some tries the best is kept.
func seed(p Points, k int, r *rand.Rand) [][]float64 {
	n := p.Len()
	centres := [][]float64{slices.Clone(p.Row(r.IntN(n)))}
	near := make([]float64, n)
	total := 0.0
	for i := range n {
		near[i] = gap(p.Row(i), centres[0])
		total += near[i]
	}
	tries := 2 + int(math.Log(float64(k)))
	trial, kept := make([]float64, n), make([]float64, n)
	for len(centres) < k {
		bestTotal, bestAt := math.Inf(1), -1
		for range tries {
			at := draw(near, total, r)
			sum := 0.0
			for i := range n {
				trial[i] = math.Min(near[i], gap(p.Row(i), p.Row(at)))
				sum += trial[i]
			}
			if sum < bestTotal {
				bestTotal, bestAt = sum, at
				trial, kept = kept, trial
			}
		}
		centres = append(centres, slices.Clone(p.Row(bestAt)))
		copy(near, kept)
		total = bestTotal
	}
	return centres
}

// draw takes a place by weight.
func draw(weights []float64, total float64, r *rand.Rand) int {
	x := r.Float64() * total
	last := 0
	for i, w := range weights {
		if w <= 0 {
			continue
		}
		last = i
		if x -= w; x < 0 {
			return i
		}
	}
	return last
}

func lloyd(p Points, centres [][]float64, rounds int) Result {
	n, k := p.Len(), len(centres)
	labels, dist := make([]int, n), make([]float64, n)
	for i := range labels {
		labels[i] = -1
	}
	out := Result{}
	for out.Rounds = 1; out.Rounds <= rounds; out.Rounds++ {
		moved := 0
		for i := range n {
			row := p.Row(i)
			at, d := 0, math.Inf(1)
			for c := range centres {
				if g := gap(row, centres[c]); g < d {
					at, d = c, g
				}
			}
			if labels[i] != at {
				labels[i] = at
				moved++
			}
			dist[i] = d
		}
		sizes := make([]int, k)
		for _, l := range labels {
			sizes[l]++
		}
		for c := range k {
			if sizes[c] == 0 { // an empty group begins anew at the row that is farthest from its own
				far := 0
				for i := range n {
					if dist[i] > dist[far] && sizes[labels[i]] > 1 {
						far = i
					}
				}
				sizes[labels[far]]--
				labels[far], dist[far], sizes[c] = c, 0, 1
				moved++
			}
		}
		if moved == 0 {
			break
		}
		for c := range centres {
			centres[c] = make([]float64, p.D)
		}
		for i, l := range labels {
			for j, v := range p.Row(i) {
				centres[l][j] += v
			}
		}
		for c := range centres {
			for j := range centres[c] {
				centres[c][j] /= float64(sizes[c])
			}
		}
		out.Sizes = sizes
	}
	for i, l := range labels {
		out.Inertia += gap(p.Row(i), centres[l])
	}
	out.Centres, out.Labels = centres, labels
	out.Sizes = make([]int, k)
	for _, l := range labels {
		out.Sizes[l]++
	}
	return out
}

// sorted numbers the groups by the stable rule.
func (r Result) sorted() Result {
	k := len(r.Centres)
	order := make([]int, k)
	sums := make([]float64, k)
	for i := range order {
		order[i] = i
		for _, v := range r.Centres[i] {
			sums[i] += v
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case sums[a] > sums[b]:
			return -1
		case sums[a] < sums[b]:
			return 1
		}
		return slices.Compare(r.Centres[b], r.Centres[a])
	})
	place := make([]int, k)
	out := Result{Inertia: r.Inertia, Rounds: r.Rounds, Labels: make([]int, len(r.Labels)), Centres: make([][]float64, k), Sizes: make([]int, k)}
	for at, old := range order {
		place[old] = at
		out.Centres[at], out.Sizes[at] = r.Centres[old], r.Sizes[old]
	}
	for i, l := range r.Labels {
		out.Labels[i] = place[l]
	}
	return out
}

// Nearest is the group of a row and the squared distance to its centre.
func Nearest(row []float64, centres [][]float64) (label int, distance float64) {
	distance = math.Inf(1)
	for c := range centres {
		if g := gap(row, centres[c]); g < distance {
			label, distance = c, g
		}
	}
	return label, distance
}
