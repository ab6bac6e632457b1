// Package cut proposes where to cut a number into classes: so that classes are equally large (Quantiles), so that values lie
// close together within a class (Natural: the optimal partition of Fisher 1958, known as Jenks natural breaks), or so that what
// came later differs most between classes (Later: the same optimal partition of the means of an outcome in the order of values,
// which is what a regression tree looks for, found exactly).
//
// A cut is the least value of the class above it: classes are cut[i-1] <= x < cut[i]. Fewer cuts than asked for come back where
// the values do not allow more.
package cut

import "math"

// Value is a value with how many have it and what of an outcome they came to, with the sum of squares.
type Value struct {
	X       int64
	N       int64
	Sum, Sq float64
}

// most bounds the bins of an optimal partition, whose cost grows with their square.
const most = 256

// Quantiles cuts ascending values into classes of about the same size. Equal values stay together.
func Quantiles(values []Value, classes int) []int64 {
	var all int64
	for _, v := range values {
		all += v.N
	}
	var out []int64
	var seen int64
	for i, v := range values {
		want := float64(all) * float64(len(out)+1) / float64(classes)
		if i > 0 && len(out) < classes-1 && seen > 0 && math.Abs(float64(seen)-want) <= math.Abs(float64(seen+v.N)-want) {
			out = append(out, v.X)
		}
		seen += v.N
	}
	return out
}

// Natural cuts ascending values where the sum of squares of the values within classes is least.
func Natural(values []Value, classes int) []int64 {
	bins := fold(values)
	for i := range bins {
		x := bins[i].mean
		bins[i].sum = x * bins[i].n
	}
	return partition(bins, classes, 0)
}

// Later cuts ascending values where the sum of squares of the outcome within classes is least. No class is smaller than least.
func Later(values []Value, classes int, least int64) []int64 {
	bins := fold(values)
	for i := range bins {
		bins[i].sum = bins[i].outcome
	}
	return partition(bins, classes, float64(least))
}

// Explained is the share of the outcome's variance that classes under cuts explain, from 0 to 1.
func Explained(values []Value, cuts []int64) float64 {
	var n, sum, sq, within float64
	var cn, csum, csq float64
	next := 0
	end := func() {
		if cn > 0 {
			within += max(0, csq-csum*csum/cn)
		}
		cn, csum, csq = 0, 0, 0
	}
	for _, v := range values {
		for next < len(cuts) && v.X >= cuts[next] {
			end()
			next++
		}
		w := float64(v.N)
		n, sum, sq = n+w, sum+v.Sum, sq+v.Sq
		cn, csum, csq = cn+w, csum+v.Sum, csq+v.Sq
	}
	end()
	if n == 0 {
		return 0
	}
	total := sq - sum*sum/n
	if total <= 0 || total < 1e-12*sq {
		return 0
	}
	return min(1, max(0, 1-within/total))
}

// bin is neighbouring values together.
type bin struct {
	low                   int64
	n, mean, sum, outcome float64
}

// fold joins values into at most so many bins of about the same size.
func fold(values []Value) []bin {
	var all int64
	for _, v := range values {
		all += v.N
	}
	var out []bin
	var seen int64
	for _, v := range values {
		if v.N <= 0 {
			continue
		}
		if len(values) > most && len(out) > 0 && seen*most/max(1, all) == (seen+v.N-1)*most/max(1, all) && seen*most/max(1, all) == int64(len(out)-1) {
			b := &out[len(out)-1]
			b.mean = (b.mean*b.n + float64(v.X)*float64(v.N)) / (b.n + float64(v.N))
			b.n += float64(v.N)
			b.outcome += v.Sum
		} else if len(values) > most && len(out) == most {
			b := &out[len(out)-1]
			b.mean = (b.mean*b.n + float64(v.X)*float64(v.N)) / (b.n + float64(v.N))
			b.n += float64(v.N)
			b.outcome += v.Sum
		} else {
			out = append(out, bin{low: v.X, n: float64(v.N), mean: float64(v.X), outcome: v.Sum})
		}
		seen += v.N
	}
	return out
}

// partition finds the classes whose sums of squares between means are greatest, which is where those within are least: dynamic
// programming over where the last class begins.
func partition(bins []bin, classes int, least float64) []int64 {
	m := len(bins)
	classes = min(classes, m)
	if classes < 2 {
		return nil
	}
	n, s := make([]float64, m+1), make([]float64, m+1)
	for i, b := range bins {
		n[i+1], s[i+1] = n[i]+b.n, s[i]+b.sum
	}
	gain := func(from, to int) float64 { // of the class of bins from..to-1
		w := n[to] - n[from]
		if w < least || w <= 0 {
			return math.Inf(-1)
		}
		d := s[to] - s[from]
		return d * d / w
	}
	best := make([][]float64, classes+1)
	at := make([][]int, classes+1)
	for k := range best {
		best[k], at[k] = make([]float64, m+1), make([]int, m+1)
		for j := range best[k] {
			best[k][j] = math.Inf(-1)
		}
	}
	best[0][0] = 0
	for k := 1; k <= classes; k++ {
		for j := k; j <= m; j++ {
			for i := k - 1; i < j; i++ {
				if math.IsInf(best[k-1][i], -1) {
					continue
				}
				if v := best[k-1][i] + gain(i, j); v > best[k][j] {
					best[k][j], at[k][j] = v, i
				}
			}
		}
	}
	for classes > 1 && math.IsInf(best[classes][m], -1) {
		classes--
	}
	var out []int64
	for k, j := classes, m; k > 1; k-- {
		j = at[k][j]
		out = append([]int64{bins[j].low}, out...)
	}
	return out
}
