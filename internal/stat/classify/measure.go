package classify

import (
	"cmp"
	"math"
	"slices"
)

// ranked are the indexes by score, the highest first; equal ones in the order given.
func ranked(scores []float64) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return order
}

// PRAUC is the average precision: the sum over the steps of recall of the precision reached there. Equal scores are one step.
func PRAUC(scores []float64, y []bool) (float64, bool) {
	order := ranked(scores)
	all := share(y) * float64(len(y))
	if all == 0 {
		return 0, false
	}
	var hits, sum float64
	for i := 0; i < len(order); {
		j := i
		n := 0.0
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if y[order[j]] {
				n++
			}
		}
		hits += n
		sum += n / all * hits / float64(j)
		i = j
	}
	return sum, true
}

// Brier is the mean squared distance of probabilities from what came.
func Brier(p []float64, y []bool) float64 {
	if len(p) == 0 {
		return 0
	}
	sum := 0.0
	for i, v := range p {
		d := v - unit(y[i])
		sum += d * d
	}
	return sum / float64(len(p))
}

// Lift is how many times more positive cases the first part of a ranking holds than as many drawn at random. Cases whose score equals that at
// the border count in proportion.
func Lift(scores []float64, y []bool, part float64) (float64, bool) {
	base := share(y)
	room := part * float64(len(y))
	if base == 0 || room <= 0 {
		return 0, false
	}
	order := ranked(scores)
	want, hits := room, 0.0
	for i := 0; i < len(order) && room > 0; {
		j := i
		n := 0.0
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if y[order[j]] {
				n++
			}
		}
		take := math.Min(1, room/float64(j-i))
		hits += n * take
		room -= float64(j - i)
		i = j
	}
	return hits / want / base, true
}

// Bin is a row of a calibration table: how many cases, the mean of what was said, and the share of what came.
type Bin struct {
	Cases      int
	Said, Came float64
}

// Calibration cuts the cases by what was said into bins of about equal size; equal probabilities stay together.
func Calibration(p []float64, y []bool, bins int) []Bin {
	order := ranked(p)
	slices.Reverse(order)
	var out []Bin
	for i, k := 0, 1; i < len(order); k++ {
		end := max(i+1, k*len(order)/bins)
		for end < len(order) && p[order[end]] == p[order[end-1]] {
			end++
		}
		b := Bin{Cases: end - i}
		for ; i < end; i++ {
			b.Said += p[order[i]] / float64(b.Cases)
			b.Came += unit(y[order[i]]) / float64(b.Cases)
		}
		out = append(out, b)
	}
	return out
}

// Platt turns scores into probabilities by a logistic curve through them (Platt 1999): Sigmoid(Slope·score + Offset).
type Platt struct {
	Slope  float64 `json:"slope"`
	Offset float64 `json:"offset"`
}

// FitPlatt learns the curve with Platt's targets, which keep away from 0 and 1. Where a higher score does not mean a higher share, or there is
// but one kind of case, the curve leaves scores as they are.
func FitPlatt(scores []float64, y []bool) Platt {
	positive := share(y) * float64(len(y))
	negative := float64(len(y)) - positive
	asIs := Platt{1, 0}
	if positive == 0 || negative == 0 {
		return asIs
	}
	high, low := (positive+1)/(positive+2), 1/(negative+2)
	a, b := 1.0, 0.0
	loss := func(a, b float64) float64 {
		sum := 0.0
		for i, s := range scores {
			t := low
			if y[i] {
				t = high
			}
			v := a*s + b
			sum += math.Max(0, v) + math.Log1p(math.Exp(-math.Abs(v))) - t*v
		}
		return sum
	}
	last := loss(a, b)
	for range 100 {
		var ga, gb, haa, hab, hbb float64
		for i, s := range scores {
			t := low
			if y[i] {
				t = high
			}
			q := Sigmoid(a*s + b)
			w := q * (1 - q)
			ga += (q - t) * s
			gb += q - t
			haa += w * s * s
			hab += w * s
			hbb += w
		}
		haa, hbb = haa+1e-9, hbb+1e-9
		det := haa*hbb - hab*hab
		if !(det > 1e-18) {
			break
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		size, now := 1.0, 0.0
		for range 30 {
			if now = loss(a-size*da, b-size*db); now <= last {
				break
			}
			size /= 2
		}
		if !(now <= last) {
			break
		}
		a, b = a-size*da, b-size*db
		if last-now < 1e-10*(1+math.Abs(now)) {
			break
		}
		last = now
	}
	if !(a > 0) || math.IsInf(a, 0) || math.IsNaN(b) {
		return asIs
	}
	return Platt{a, b}
}

// Probability is that of a score.
func (p Platt) Probability(score float64) float64 { return Sigmoid(p.Slope*score + p.Offset) }

// Isotonic turns scores into probabilities by the rising steps that are nearest to what came (pool adjacent violators), with straight lines
// between the middles of steps.
type Isotonic struct {
	At    []float64 `json:"at"` // scores, ascending
	Value []float64 `json:"value"`
}

// FitIsotonic learns the steps; without cases everything is a half.
func FitIsotonic(scores []float64, y []bool) Isotonic {
	type block struct{ score, came, n float64 }
	order := ranked(scores)
	slices.Reverse(order)
	var list []block
	for i := 0; i < len(order); {
		b := block{}
		s := scores[order[i]]
		for ; i < len(order) && scores[order[i]] == s; i++ {
			b.came += unit(y[order[i]])
			b.n++
		}
		b.score = s * b.n
		list = append(list, b)
		for len(list) > 1 && list[len(list)-2].came*list[len(list)-1].n >= list[len(list)-1].came*list[len(list)-2].n {
			l := list[len(list)-1]
			list = list[:len(list)-1]
			t := &list[len(list)-1]
			t.score, t.came, t.n = t.score+l.score, t.came+l.came, t.n+l.n
		}
	}
	var out Isotonic
	for _, b := range list {
		out.At, out.Value = append(out.At, b.score/b.n), append(out.Value, b.came/b.n)
	}
	return out
}

// Probability is that of a score.
func (s Isotonic) Probability(score float64) float64 {
	if len(s.At) == 0 {
		return 0.5
	}
	i, _ := slices.BinarySearch(s.At, score)
	switch {
	case i == 0:
		return s.Value[0]
	case i == len(s.At):
		return s.Value[i-1]
	}
	part := (score - s.At[i-1]) / (s.At[i] - s.At[i-1])
	return s.Value[i-1] + part*(s.Value[i]-s.Value[i-1])
}
