// Package gain measures how well a ranking finds what it is after, and how unevenly a sum is spread over people. Equal scores are one
// block: no measure depends on the order of ties. The package is pure.
package gain

import (
	"math"
	"slices"
)

// AUC is the chance that somebody with a hit has a higher score than somebody without, ties half (Mann and Whitney). ok is false where one of
// the two groups is empty.
func AUC(score []float64, hit []bool) (auc float64, ok bool) {
	at := order(score)
	var ranks, hits, misses float64
	for i := 0; i < len(at); {
		j := i
		for j < len(at) && score[at[j]] == score[at[i]] {
			j++
		}
		for _, k := range at[i:j] {
			if hit[k] {
				ranks += float64(i+j+1) / 2
				hits++
			} else {
				misses++
			}
		}
		i = j
	}
	if hits == 0 || misses == 0 {
		return 0, false
	}
	return (ranks - hits*(hits+1)/2) / (hits * misses), true
}

// order are the places of the scores, ascending; ties in the order in which they came.
func order(score []float64) []int {
	at := make([]int, len(score))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		switch {
		case score[a] < score[b]:
			return -1
		case score[a] > score[b]:
			return 1
		}
		return 0
	})
	return at
}

// Deciles are the tenth that each score belongs to, 1 the highest. Equal scores are in one tenth, that of the first of them.
func Deciles(score []float64) []int {
	at := order(score)
	slices.Reverse(at)
	out := make([]int, len(score))
	for i := 0; i < len(at); {
		j := i
		for j < len(at) && score[at[j]] == score[at[i]] {
			out[at[j]] = 1 + i*10/len(at)
			j++
		}
		i = j
	}
	return out
}

// Spread is how a sum is spread over people: the part that the lowest people have, at so many even steps, from 0 to 1 (the curve of Lorenz);
// the Gini coefficient; and the part of the highest tenth. Negative values count as 0. ok is false where there is nothing to spread.
type Spread struct {
	Lorenz []float64
	Gini   float64
	Top    float64
}

// SpreadOf measures values, in any order, at steps+1 points.
func SpreadOf(values []float64, steps int) (s Spread, ok bool) {
	v := make([]float64, len(values))
	var sum float64
	for i, x := range values {
		v[i] = math.Max(x, 0)
		sum += v[i]
	}
	if sum <= 0 || math.IsInf(sum, 0) || math.IsNaN(sum) {
		return s, false
	}
	slices.Sort(v)
	upTo := make([]float64, len(v)+1)
	var weighted float64
	for i, x := range v {
		upTo[i+1] = upTo[i] + x
		weighted += float64(i+1) * x
	}
	n := float64(len(v))
	at := func(share float64) float64 {
		p := share * n
		i := min(int(p), len(v))
		out := upTo[i]
		if i < len(v) {
			out += (p - float64(i)) * v[i]
		}
		return math.Min(1, out/upTo[len(v)])
	}
	for i := range steps + 1 {
		s.Lorenz = append(s.Lorenz, at(float64(i)/float64(steps)))
	}
	s.Gini = math.Max(0, 2*weighted/(n*upTo[len(v)])-(n+1)/n)
	s.Top = 1 - at(0.9)
	return s, true
}
