// Package survival says how long cases last when some have not ended yet: the estimator of Kaplan and Meier (1958) with Greenwood's variance,
// and the log-rank test of whether groups differ (Mantel 1966).
//
// A case that was seen last at a time, without an end, is still at risk at that time. Cases with time 0 are at risk at 0 only.
package survival

import (
	"math"
	"slices"
)

// Count is cases that have the same time: some ended then, others were seen last.
type Count struct {
	Time  int64
	Ended int64
	Seen  int64
}

// Point is the curve from a time on at which somebody ended. Low and High bound it with 95 % (of the logarithm, as R does by default).
type Point struct {
	Time          int64
	AtRisk, Ended int64
	Survival      float64
	Error         float64 // standard error of Survival
	Low, High     float64
}

// Tally collects cases into counts by ascending time.
func Tally(times []int64, ended []bool) []Count {
	by := map[int64]Count{}
	for i, t := range times {
		c := by[t]
		c.Time = t
		if ended[i] {
			c.Ended++
		} else {
			c.Seen++
		}
		by[t] = c
	}
	out := make([]Count, 0, len(by))
	for _, c := range by {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Count) int { return int(min(1, max(-1, a.Time-b.Time))) })
	return out
}

const z95 = 1.959963984540054

// Curve is the estimate for counts in ascending order of time. It is empty when nobody ended.
func Curve(counts []Count) []Point {
	var atRisk int64
	for _, c := range counts {
		atRisk += c.Ended + c.Seen
	}
	var out []Point
	s, sum := 1.0, 0.0
	for _, c := range counts {
		if c.Ended > 0 {
			n, d := float64(atRisk), float64(c.Ended)
			s *= 1 - d/n
			p := Point{Time: c.Time, AtRisk: atRisk, Ended: c.Ended, Survival: s}
			if n > d {
				sum += d / (n * (n - d))
				p.Error = s * math.Sqrt(sum)
				p.Low, p.High = s*math.Exp(-z95*math.Sqrt(sum)), math.Min(1, s*math.Exp(z95*math.Sqrt(sum)))
			}
			out = append(out, p)
		}
		atRisk -= c.Ended + c.Seen
	}
	return out
}

// At is the curve at a time.
func At(curve []Point, time int64) float64 {
	s := 1.0
	for _, p := range curve {
		if p.Time > time {
			break
		}
		s = p.Survival
	}
	return s
}

// Median is the first time at which the curve is at a half or below; ok is false when it never is.
func Median(curve []Point) (int64, bool) {
	for _, p := range curve {
		if p.Survival <= 0.5 {
			return p.Time, true
		}
	}
	return 0, false
}

// Test is what a log-rank test found.
type Test struct {
	Chi2     float64
	Freedom  int
	P        float64
	Observed []float64 // ends in each group
	Expected []float64 // had all groups been alike
}

// LogRank compares groups, each in ascending order of time. Groups without cases are left out; ok is false for fewer than two others or when
// nobody ended.
func LogRank(groups [][]Count) (t Test, ok bool) {
	k := len(groups)
	t.Observed, t.Expected = make([]float64, k), make([]float64, k)
	atRisk, next := make([]float64, k), make([]int, k)
	var times []int64
	for g, list := range groups {
		for _, c := range list {
			atRisk[g] += float64(c.Ended + c.Seen)
			times = append(times, c.Time)
		}
	}
	var used []int
	for g := range groups {
		if atRisk[g] > 0 {
			used = append(used, g)
		}
	}
	if len(used) < 2 {
		return t, false
	}
	slices.Sort(times)
	cov := make([]float64, k*k)
	for _, at := range slices.Compact(times) {
		ended, leave := make([]float64, k), make([]float64, k)
		var n, d float64
		for g, list := range groups {
			if next[g] < len(list) && list[next[g]].Time == at {
				ended[g] = float64(list[next[g]].Ended)
				leave[g] = ended[g] + float64(list[next[g]].Seen)
				next[g]++
			}
			n += atRisk[g]
			d += ended[g]
		}
		if d > 0 {
			for g := range groups {
				t.Observed[g] += ended[g]
				t.Expected[g] += d * atRisk[g] / n
			}
			if n > 1 {
				f := d * (n - d) / (n - 1)
				for a := range groups {
					for b := range groups {
						same := 0.0
						if a == b {
							same = 1
						}
						cov[a*k+b] += f * atRisk[a] / n * (same - atRisk[b]/n)
					}
				}
			}
		}
		for g := range groups {
			atRisk[g] -= leave[g]
		}
	}
	m := len(used) - 1
	a, b := make([]float64, m*m), make([]float64, m)
	for i := range m {
		b[i] = t.Observed[used[i]] - t.Expected[used[i]]
		for j := range m {
			a[i*m+j] = cov[used[i]*k+used[j]]
		}
	}
	x, free := eliminate(a, slices.Clone(b), m)
	if free == 0 {
		return t, false
	}
	for i := range m {
		t.Chi2 += b[i] * x[i]
	}
	t.Chi2, t.Freedom = math.Max(0, t.Chi2), free
	t.P = ChiSquareTail(t.Chi2, free)
	return t, true
}

// eliminate solves a·x = b and says the rank; what cannot be solved for is 0.
func eliminate(a, b []float64, n int) ([]float64, int) {
	rank := 0
	pivots := make([]int, n)
	for i := range pivots {
		pivots[i] = -1
	}
	done := make([]bool, n)
	for c := range n {
		best := -1
		for r := range n {
			if !done[r] && (best < 0 || math.Abs(a[r*n+c]) > math.Abs(a[best*n+c])) {
				best = r
			}
		}
		if best < 0 || math.Abs(a[best*n+c]) < 1e-10 {
			continue
		}
		done[best], pivots[c] = true, best
		rank++
		for r := range n {
			if r == best {
				continue
			}
			f := a[r*n+c] / a[best*n+c]
			for j := c; j < n; j++ {
				a[r*n+j] -= f * a[best*n+j]
			}
			b[r] -= f * b[best]
		}
	}
	x := make([]float64, n)
	for c, r := range pivots {
		if r >= 0 {
			x[c] = b[r] / a[r*n+c]
		}
	}
	return x, rank
}

// ChiSquareTail is the probability that a chi-square variable exceeds x: the upper incomplete gamma function (series and continued fraction,
// Abramowitz & Stegun 6.5.29 and 6.5.31).
func ChiSquareTail(x float64, freedom int) float64 {
	if x <= 0 || freedom <= 0 {
		return 1
	}
	a, v := float64(freedom)/2, x/2
	lg, _ := math.Lgamma(a)
	front := math.Exp(a*math.Log(v) - v - lg)
	if v < a+1 {
		term := 1 / a
		sum := term
		for n := 1.0; n < 1000 && term > sum*1e-16; n++ {
			term *= v / (a + n)
			sum += term
		}
		return math.Max(0, 1-sum*front)
	}
	const tiny = 1e-300
	b := v + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1.0; i < 1000; i++ {
		an := -i * (i - a)
		b += 2
		d = an*d + b
		if math.Abs(d) < tiny {
			d = tiny
		}
		c = b + an/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		h *= d * c
		if math.Abs(d*c-1) < 1e-15 {
			break
		}
	}
	return front * h
}
