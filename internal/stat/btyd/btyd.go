// Package btyd says how often customers without a contract will buy again and what they will be worth ("buy till you die").
//
// Two models of counts: the BG/NBD (Fader, Hardie & Lee 2005), in which a customer may leave after each repeat purchase, and the
// MBG/NBD (Batislam, Denizel & Filiztekin 2007; Wagner & Hoppe 2008), in which he may leave after his first purchase too. One
// model of money: the Gamma-Gamma (Fader & Hardie 2013). Lifetime values put both together, discounted month by month.
//
// Equal rows are collapsed, likelihoods have analytic gradients in forms that do not overflow, and what cannot be learned is said
// in the result (Degenerate, NoDropout) instead of a NaN. Times are in the unit that the caller chose, a week as a rule; likelihoods
// are in that unit too. Everything is deterministic. The package knows no storage.
package btyd

import (
	"cmp"
	"math"
	"slices"
)

// Kind is a model of counts.
type Kind string

// The kinds.
const (
	BG  Kind = "bgnbd"
	MBG Kind = "mbgnbd"
)

// Row is what is counted of a customer, or of N customers with the same: X repeat purchases (days with a purchase, less one), the
// last of them Recency after the first purchase, observed for Age after the first purchase. Without a repeat Recency is 0.
type Row struct {
	X       int
	Recency float64
	Age     float64
	N       int64 // 0 counts as 1
}

// Params are those of a model of counts. Purchases come at a rate that is Gamma(R, Alpha) over customers; after each the customer
// leaves with a probability that is Beta(A, B) over customers. With A = 0 nobody leaves and the model is the NBD.
type Params struct {
	Kind  Kind    `json:"kind"`
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// Fit is what a fit found.
type Fit struct {
	Params
	LogLikelihood float64
	Customers     int64
	Repeats       int64 // sum of X
	Repeaters     int64 // customers with X > 0
	// Evaluations of the likelihood over all rows.
	Evaluations int
	// NoDropout: nothing shows that anybody left, so A is 0 (the likelihood is not better than the NBD's).
	NoDropout bool
	// Alike: customers do not differ in their rate as far as can be seen; R and Alpha stand at a bound, their ratio is what counts.
	Alike bool
	// Degenerate: nobody or nothing to learn from. The parameters are 0 and nothing is expected of anyone.
	Degenerate bool
}

// Collapse sorts rows and unites those that are equal.
func Collapse(rows []Row) []Row {
	out := slices.Clone(rows)
	for i := range out {
		out[i].N = max(out[i].N, 1)
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Age, b.Age), cmp.Compare(a.Recency, b.Recency))
	})
	n := 0
	for _, r := range out {
		if n > 0 && out[n-1].X == r.X && out[n-1].Age == r.Age && out[n-1].Recency == r.Recency {
			out[n-1].N += r.N
			continue
		}
		out[n] = r
		n++
	}
	return out[:n]
}

// gain is how much better than the NBD a likelihood must be before a dropout is believed.
const gain = 0.01

// sampleRows is how many rows the starts are tried on when there are more.
const sampleRows = 2000

// FitCounts finds the parameters of greatest likelihood.
func FitCounts(kind Kind, rows []Row) Fit {
	rows = Collapse(rows)
	f := Fit{Params: Params{Kind: kind}}
	var age float64
	for _, r := range rows {
		f.Customers += r.N
		f.Repeats += r.N * int64(r.X)
		if r.X > 0 {
			f.Repeaters += r.N
		}
		age += float64(r.N) * r.Age
	}
	if f.Repeats == 0 || age <= 0 || math.IsNaN(age) || math.IsInf(age, 0) {
		f.Degenerate = true
		return f
	}
	// Time is scaled so that alpha is about 1; the likelihood of the original unit differs by a constant.
	scale := age / float64(f.Customers)
	back := float64(f.Repeats) * math.Log(scale)
	whole := newCounts(kind, rows, scale)
	part := whole
	if len(rows) > sampleRows {
		part = newCounts(kind, sample(rows), scale)
	}
	var best optimum
	for i, start := range [][]float64{{0, 0, 0, 0}, {-1, -1, -0.5, 1}} {
		o := minimise(part.evaluate, start, nil)
		if i == 0 || o.value < best.value {
			best = o
		}
	}
	if part != whole {
		weight := float64(part.customers) / float64(whole.customers)
		best = minimise(whole.evaluate, best.at, best.shrunk(weight))
	}
	none := minimise(whole.withoutDropout, []float64{best.at[0], best.at[1]}, nil)
	f.Evaluations = whole.evaluations
	if -best.value < -none.value+gain {
		f.NoDropout = true
		f.R, f.Alpha = math.Exp(none.at[0]), math.Exp(none.at[1])*scale
		f.LogLikelihood = -none.value - back
	} else {
		f.R, f.Alpha, f.A, f.B = math.Exp(best.at[0]), math.Exp(best.at[1])*scale, math.Exp(best.at[2]), math.Exp(best.at[3])
		f.LogLikelihood = -best.value - back
	}
	f.Alike = math.Log(f.R) > bound-0.5
	return f
}

// sample takes rows at even steps, their weights as they are.
func sample(rows []Row) []Row {
	out := make([]Row, 0, sampleRows)
	for i := range sampleRows {
		out = append(out, rows[i*len(rows)/sampleRows])
	}
	return out
}

// LogLikelihood is that of rows under given parameters.
func (p Params) LogLikelihood(rows []Row) float64 {
	c := newCounts(p.Kind, Collapse(rows), 1)
	if p.A <= 0 {
		v, _ := c.withoutDropout([]float64{math.Log(p.R), math.Log(p.Alpha)}, make([]float64, 2))
		return -v
	}
	v, _ := c.evaluate([]float64{math.Log(p.R), math.Log(p.Alpha), math.Log(p.A), math.Log(p.B)}, make([]float64, 4))
	return -v
}

// chances is how often a customer with x repeats has had the chance to leave.
func (p Params) chances(x int) float64 {
	if p.Kind == MBG {
		return float64(x + 1)
	}
	return float64(x)
}

// Alive is the probability that a customer has not left. Under the BG/NBD it is 1 by construction without a repeat purchase.
func (p Params) Alive(r Row) float64 { return 1 / (1 + p.gone(r)) }

// gone is the odds of having left.
func (p Params) gone(r Row) float64 {
	k := p.chances(r.X)
	if k == 0 || p.A <= 0 {
		return 0
	}
	return math.Exp(math.Log(p.A) - math.Log(p.B+k-1) + (p.R+float64(r.X))*(math.Log(p.Alpha+r.Age)-math.Log(p.Alpha+r.Recency)))
}

// Expected is how many repeat purchases a customer of whom r is known makes in the next t.
func (p Params) Expected(r Row, t float64) float64 {
	v := p.whileAlive(r.X, r.Age, t) / (1 + p.gone(r))
	if math.IsNaN(v) || v < 0 {
		return 0
	}
	return v
}

// Ahead is Expected(row of nobody, t): what a new customer does in t after his first purchase.
func (p Params) Ahead(t float64) float64 {
	if p.Kind == MBG { // the first purchase itself was a chance to leave
		return p.Expected(Row{}, t)
	}
	return p.whileAlive(0, 0, t)
}

// whileAlive is the expectation for a customer who has not left at age. With k chances to have left and e = a-1 it is, by Euler's
// transformation, (a+b+k-1)/e · [1 − (1−z)^e · F(a+b+s−1−r, e; a+b+k−1; z)], z = t/(alpha+age+t); as e is a factor of every term of
// F but the first, it is divided out, so that nothing is special about a = 1.
func (p Params) whileAlive(x int, age, t float64) float64 {
	if t <= 0 || p.R <= 0 || p.Alpha <= 0 {
		return 0
	}
	n := p.R + float64(x)
	if p.A <= 0 {
		return n / (p.Alpha + age) * t
	}
	k := p.chances(x)
	z := t / (p.Alpha + age + t)
	first, second, third := p.A+p.B+k-1-n, p.A-1, p.A+p.B+k-1
	if first > -30 && z < 0.9995 && math.Abs(third) > 1e-6 {
		if s, ok := series(first, second, third, z); ok {
			l := math.Log1p(-z)
			m := l
			if e := second; math.Abs(e*l) > 1e-12 {
				m = math.Expm1(e*l) / e
			}
			if v := -m - (1+second*m)*s; v > 1e-9*math.Abs(m) { // else the digits have gone
				return third * v
			}
		}
	}
	return p.byQuadrature(n, k, age, t)
}

// series is (F(a, e; c; z) − 1)/e.
func series(a, e, c, z float64) (float64, bool) {
	term := a / c * z // (a)_1 (e+1)_0 / ((c)_1 1!) z
	sum := term
	for n := 1; n < 20_000; n++ {
		f := float64(n)
		term *= (a + f) * (e + f) / ((c + f) * (f + 1)) * z
		sum += term
		if math.Abs(term) <= 1e-14*math.Abs(sum) || term == 0 {
			return sum, !math.IsNaN(sum) && !math.IsInf(sum, 0)
		}
	}
	return sum, false
}

// byQuadrature integrates the same expectation over the probability of leaving, E_p[(1 − (1 + p·u)^−n)/p], u = t/(alpha+age), by the
// double exponential rule: slower, and right for any parameters for which the integral exists.
func (p Params) byQuadrature(n, k, age, t float64) float64 {
	u := t / (p.Alpha + age)
	a, b := p.A, p.B+k
	whole := lgamma(a+b) - lgamma(a) - lgamma(b)
	const step = 1.0 / 64
	var sum float64
	for i := -64 * 5; i <= 64*5; i++ {
		v := float64(i) * step
		w := math.Pi / 2 * math.Sinh(v)
		// p = 1/(1+exp(-2w)), and logs of p and 1-p without cancellation
		lp, lq := -math.Log1p(math.Exp(-2*w)), -math.Log1p(math.Exp(2*w))
		if w < -300 {
			lp = 2 * w
		}
		if w > 300 {
			lq = -2 * w
		}
		q := math.Exp(lp)
		g := n * u
		if q > 1e-280 {
			g = -math.Expm1(-n*math.Log1p(q*u)) / q
		}
		sum += math.Exp(whole+a*lp+b*lq) * g * math.Pi * math.Cosh(v)
	}
	return sum * step
}
