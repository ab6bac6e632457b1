package btyd

import (
	"cmp"
	"math"
	"slices"
)

// Spend is what a customer with X repeat purchases spent on a mean one; N customers with the same. Without a repeat he says nothing.
type Spend struct {
	X    int
	Mean float64
	N    int64 // 0 counts as 1
}

// Money are the parameters of the Gamma-Gamma model: values of purchases are Gamma(P, ν), and ν is Gamma(Q, Gamma) over customers.
type Money struct {
	P     float64 `json:"p"`
	Q     float64 `json:"q"`
	Gamma float64 `json:"gamma"`
	// Mean of all purchases of those who were learned from, weighted by purchases: what is expected where the parameters give none.
	Mean float64 `json:"mean"`
}

// MoneyFit is what a fit found.
type MoneyFit struct {
	Money
	LogLikelihood float64
	Customers     int64
	// Correlation of X and Mean over customers; the model takes them for independent, 0.3 is a warning.
	Correlation float64
	// Constant: all means are equal, so that every customer is expected to spend just that.
	Constant bool
	// Degenerate: nobody bought again for a positive value. Nothing is expected.
	Degenerate bool
}

// FitMoney finds the parameters of greatest likelihood from those with a repeat purchase and a positive mean.
func FitMoney(rows []Spend) MoneyFit {
	var f MoneyFit
	var kept []Spend
	var values, purchases float64
	for _, r := range rows {
		if r.X <= 0 || r.Mean <= 0 || math.IsInf(r.Mean, 0) || math.IsNaN(r.Mean) {
			continue
		}
		r.N = max(r.N, 1)
		kept = append(kept, r)
		f.Customers += r.N
		values += float64(r.N) * float64(r.X) * r.Mean
		purchases += float64(r.N) * float64(r.X)
	}
	if len(kept) == 0 {
		f.Degenerate = true
		return f
	}
	f.Mean = values / purchases
	f.Correlation = correlation(kept)
	slices.SortFunc(kept, func(a, b Spend) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Mean, b.Mean)) })
	least, most := kept[0].Mean, kept[0].Mean
	for _, r := range kept {
		least, most = math.Min(least, r.Mean), math.Max(most, r.Mean)
	}
	if most-least <= 1e-9*most {
		f.Constant = true
		return f
	}
	m := newSpends(kept, f.Mean)
	var best optimum
	for i, start := range [][]float64{{1, 1, 1}, {0, 2, 2}} {
		if o := minimise(m.evaluate, start, nil); i == 0 || o.value < best.value {
			best = o
		}
	}
	f.P, f.Q, f.Gamma = math.Exp(best.at[0]), math.Exp(best.at[1]), math.Exp(best.at[2])*f.Mean
	f.LogLikelihood = -best.value - float64(f.Customers)*math.Log(f.Mean)
	return f
}

type spends struct {
	xs     []float64
	weight []float64
	rows   []spendRow
	terms  []spendTerm
}

type spendRow struct {
	x          int32
	z, log, nx float64 // nx: its x as a number
	n          float64
}

type spendTerm struct{ constant, dp, dq float64 }

func newSpends(rows []Spend, scale float64) *spends {
	m := &spends{}
	for _, r := range rows {
		x := float64(r.X)
		if len(m.xs) == 0 || m.xs[len(m.xs)-1] != x {
			m.xs, m.weight = append(m.xs, x), append(m.weight, 0)
		}
		i := len(m.xs) - 1
		m.weight[i] += float64(r.N)
		z := r.Mean / scale
		m.rows = append(m.rows, spendRow{int32(i), z, math.Log(z), x, float64(r.N)})
	}
	m.terms = make([]spendTerm, len(m.xs))
	return m
}

// evaluate is the negative log-likelihood at the logarithms of p, q and gamma.
func (m *spends) evaluate(at, gradient []float64) (float64, bool) {
	p, q, g := math.Exp(at[0]), math.Exp(at[1]), math.Exp(at[2])
	lg, lq, gq := at[2], lgamma(q), digamma(q)
	for i, x := range m.xs {
		px := p * x
		d := digamma(px + q)
		m.terms[i] = spendTerm{lgamma(px+q) - lgamma(px) - lq + q*lg + px*math.Log(x), x * (d - digamma(px) + math.Log(x)), d - gq + lg}
	}
	var sum, dp, dq, dg float64
	for i := range m.rows {
		r := &m.rows[i]
		t := &m.terms[r.x]
		total := r.nx*r.z + g
		l := math.Log(total)
		px := p * r.nx
		sum += r.n * (t.constant + (px-1)*r.log - (px+q)*l)
		dp += r.n * (t.dp + r.nx*(r.log-l))
		dq += r.n * (t.dq - l)
		dg += r.n * (q/g - (px+q)/total)
	}
	gradient[0], gradient[1], gradient[2] = -dp*p, -dq*q, -dg*g
	return -sum, usable(sum)
}

// Population is what a purchase of a customer is worth of whom nothing is known.
func (m Money) Population() float64 {
	if m.Q > 1 {
		return m.Gamma * m.P / (m.Q - 1)
	}
	return m.Mean
}

// Expected is the mean value of a future purchase of a customer who spent mean on each of x repeat purchases: between his own mean and
// everybody's. With q ≤ 1 the model's mean is infinite, and everybody's observed mean takes its place.
func (m Money) Expected(x int, mean float64) float64 {
	if x <= 0 || mean <= 0 || m.P <= 0 {
		return m.Population()
	}
	px := m.P * float64(x)
	if m.Q > 1 {
		w := (m.Q - 1) / (px + m.Q - 1)
		return w*m.Population() + (1-w)*mean
	}
	w := m.Q / (px + m.Q)
	return w*m.Mean + (1-w)*mean
}

func correlation(rows []Spend) float64 {
	var n, sx, sz float64
	for _, r := range rows {
		w := float64(r.N)
		n += w
		sx += w * float64(r.X)
		sz += w * r.Mean
	}
	mx, mz := sx/n, sz/n
	var xx, zz, xz float64
	for _, r := range rows {
		w, dx, dz := float64(r.N), float64(r.X)-mx, r.Mean-mz
		xx += w * dx * dx
		zz += w * dz * dz
		xz += w * dx * dz
	}
	if xx <= 0 || zz <= 0 {
		return 0
	}
	return xz / math.Sqrt(xx*zz)
}
