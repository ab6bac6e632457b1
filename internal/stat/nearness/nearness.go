// Package nearness learns what tells some people from the rest, to find others like them: logistic regression with a ridge penalty, by Newton
// steps (iteratively reweighted least squares), on standardised figures. How well it tells them apart is measured on people whom it did not see
// (the area under the curve). Every weight is finite; data that teach nothing give Fit.OK false.
package nearness

import (
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/stat/gain"
)

// Fit is what was learned: the log-odds of a row x are Bias + Σ Weights[i]·x[i].
type Fit struct {
	OK      bool
	Bias    float64
	Weights []float64
	AUC     float64 // of the rows that were held out; 0.5 tells nothing
	Rows    int     // that it learned from
}

const (
	steps    = 25
	enough   = 1e-7
	leastOf  = 10 // members, and others, without which nothing is learned
	farthest = 20 // of the log-odds
)

// Learn fits rows (all of the same length, standardised) whose label says who belongs. Every fifth row of each kind is held out. Ridge is the
// penalty on the squares of the weights, per row; the classes weigh the same however many are in each.
func Learn(rows [][]float64, label []bool, ridge float64) Fit {
	var train, test []int
	var seen [2]int
	for i := range rows {
		k := 0
		if label[i] {
			k = 1
		}
		if seen[k]%5 == 4 {
			test = append(test, i)
		} else {
			train = append(train, i)
		}
		seen[k]++
	}
	if seen[0] < leastOf || seen[1] < leastOf || len(rows[0]) == 0 {
		return Fit{}
	}
	weight := [2]float64{0.5 / float64(seen[0]), 0.5 / float64(seen[1])}
	beta := newton(rows, label, train, weight, ridge)
	if slices.ContainsFunc(beta, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
		return Fit{}
	}
	f := Fit{OK: true, Bias: beta[0], Weights: beta[1:], Rows: len(train)}
	f.AUC = heldOut(rows, label, test, f)
	return f
}

// Score is the log-odds of a row.
func (f Fit) Score(x []float64) float64 {
	s := f.Bias
	for i, w := range f.Weights {
		s += w * x[i]
	}
	return s
}

func newton(rows [][]float64, label []bool, train []int, weight [2]float64, ridge float64) []float64 {
	n := len(rows[0]) + 1
	beta := make([]float64, n)
	x := make([]float64, n)
	x[0] = 1
	for range steps {
		grad, hess := make([]float64, n), make([][]float64, n)
		for i := range hess {
			hess[i] = make([]float64, n)
		}
		for _, r := range train {
			copy(x[1:], rows[r])
			z := 0.0
			for i := range x {
				z += beta[i] * x[i]
			}
			p := 1 / (1 + math.Exp(-max(-farthest, min(farthest, z))))
			y, w := 0.0, weight[0]
			if label[r] {
				y, w = 1, weight[1]
			}
			slope := w * p * (1 - p)
			for i := range x {
				grad[i] += w * (y - p) * x[i]
				for j := range i + 1 {
					hess[i][j] += slope * x[i] * x[j]
				}
			}
		}
		for i := 1; i < n; i++ {
			grad[i] -= ridge * beta[i]
			hess[i][i] += ridge
		}
		hess[0][0] += 1e-9
		step := solve(hess, grad)
		if step == nil {
			return beta
		}
		far := 0.0
		for i := range beta {
			beta[i] += step[i]
			far = max(far, math.Abs(step[i]))
		}
		if far < enough {
			break
		}
	}
	return beta
}

// solve is the solution of a symmetric system of which the lower half is given, by Cholesky; nil where it has none.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for i := range n {
		for j := range i + 1 {
			s := a[i][j]
			for k := range j {
				s -= a[i][k] * a[j][k]
			}
			if i == j {
				if s <= 0 || math.IsNaN(s) {
					return nil
				}
				a[i][i] = math.Sqrt(s)
			} else {
				a[i][j] = s / a[j][j]
			}
		}
	}
	x := slices.Clone(b)
	for i := range n {
		for k := range i {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= a[k][i] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x
}

// heldOut is the AUC of the rows that were held out; 0.5 where they are all of one kind.
func heldOut(rows [][]float64, label []bool, test []int, f Fit) float64 {
	scores, in := make([]float64, len(test)), make([]bool, len(test))
	for i, r := range test {
		scores[i], in[i] = f.Score(rows[r]), label[r]
	}
	if auc, ok := gain.AUC(scores, in); ok {
		return auc
	}
	return 0.5
}
