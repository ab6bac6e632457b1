package btyd

import (
	"math"
	"slices"
)

// counts are collapsed rows with what depends on few distinct values taken out of them.
type counts struct {
	kind        Kind
	customers   int64
	xs          []int     // distinct, ascending
	weight      []float64 // customers by x
	ages        []float64 // distinct
	lasts       []float64 // distinct recencies
	rows        []indexed
	perX        []perX
	logAge      []float64
	inverseAge  []float64
	logLast     []float64
	inverseLast []float64
	evaluations int
}

type indexed struct {
	x, age, last int32
	n            float64
}

// perX are the parts of the likelihood that depend on x alone, and their derivatives.
type perX struct {
	power    float64 // r + x
	constant float64
	dr       float64
	da, db   float64
	odds     float64 // ln a − ln(b+k−1)
	leaves   bool
}

func newCounts(kind Kind, rows []Row, scale float64) *counts {
	c := &counts{kind: kind, rows: make([]indexed, len(rows))}
	for _, r := range rows { // rows are sorted by x
		if len(c.xs) == 0 || c.xs[len(c.xs)-1] != r.X {
			c.xs = append(c.xs, r.X)
			c.weight = append(c.weight, 0)
		}
		c.weight[len(c.xs)-1] += float64(r.N)
		c.customers += r.N
		c.ages = append(c.ages, r.Age)
		c.lasts = append(c.lasts, r.Recency)
	}
	slices.Sort(c.ages)
	slices.Sort(c.lasts)
	c.ages, c.lasts = slices.Compact(c.ages), slices.Compact(c.lasts)
	ageAt, lastAt := places(c.ages), places(c.lasts)
	x := 0
	for i, r := range rows {
		for c.xs[x] != r.X {
			x++
		}
		c.rows[i] = indexed{int32(x), ageAt[r.Age], lastAt[r.Recency], float64(r.N)}
	}
	for i := range c.ages {
		c.ages[i] /= scale
	}
	for i := range c.lasts {
		c.lasts[i] /= scale
	}
	c.perX = make([]perX, len(c.xs))
	c.logAge, c.inverseAge = make([]float64, len(c.ages)), make([]float64, len(c.ages))
	c.logLast, c.inverseLast = make([]float64, len(c.lasts)), make([]float64, len(c.lasts))
	return c
}

func places(sorted []float64) map[float64]int32 {
	out := make(map[float64]int32, len(sorted))
	for i, v := range sorted {
		out[v] = int32(i)
	}
	return out
}

func logs(alpha float64, of, log, inverse []float64) {
	for i, v := range of {
		log[i] = math.Log(alpha + v)
		inverse[i] = 1 / (alpha + v)
	}
}

// evaluate is the negative log-likelihood at the logarithms of r, alpha, a and b, and its gradient by them. The MBG/NBD is the BG/NBD with
// one more chance to leave.
func (c *counts) evaluate(at, gradient []float64) (float64, bool) {
	c.evaluations++
	r, alpha, a, b := math.Exp(at[0]), math.Exp(at[1]), math.Exp(at[2]), math.Exp(at[3])
	logs(alpha, c.ages, c.logAge, c.inverseAge)
	logs(alpha, c.lasts, c.logLast, c.inverseLast)
	more := 0.0
	if c.kind == MBG {
		more = 1
	}
	gr, lr, la := digamma(r), lgamma(r), at[1]
	gab, lab, gb, lb := digamma(a+b), lgamma(a+b), digamma(b), lgamma(b)
	var sum, dr, dalpha, da, db float64
	for i, xi := range c.xs {
		x := float64(xi)
		k := x + more
		p := perX{power: r + x, constant: lgamma(r+x) - lr + r*la, dr: digamma(r+x) - gr + la, leaves: k > 0}
		if k > 0 {
			gabk := digamma(a + b + k)
			p.constant += lab + lgamma(b+k) - lb - lgamma(a+b+k)
			p.da, p.db = gab-gabk, gab+digamma(b+k)-gb-gabk
			p.odds = at[2] - math.Log(b+k-1)
		}
		c.perX[i] = p
		n := c.weight[i]
		sum += n * p.constant
		dr += n * p.dr
		da += n * p.da
		db += n * p.db
		dalpha += n * r / alpha
	}
	for i := range c.rows {
		row := &c.rows[i]
		p := &c.perX[row.x]
		logAge, invAge := c.logAge[row.age], c.inverseAge[row.age]
		if !p.leaves {
			sum -= row.n * p.power * logAge
			dr -= row.n * logAge
			dalpha -= row.n * p.power * invAge
			continue
		}
		logLast, invLast := c.logLast[row.last], c.inverseLast[row.last]
		d := p.odds + p.power*(logAge-logLast) // of having left against being there
		var w, more float64
		if d > 0 {
			e := math.Exp(-d)
			w, more = 1/(1+e), d+math.Log1p(e)
		} else {
			e := math.Exp(d)
			w, more = e/(1+e), math.Log1p(e)
		}
		sum += row.n * (more - p.power*logAge)
		dr -= row.n * (logAge + w*(logLast-logAge))
		dalpha -= row.n * p.power * (invAge + w*(invLast-invAge))
		da += row.n * w / a
		db -= row.n * w / (b + float64(c.xs[row.x]) + more1(c.kind) - 1)
	}
	gradient[0], gradient[1], gradient[2], gradient[3] = -dr*r, -dalpha*alpha, -da*a, -db*b
	return -sum, usable(sum)
}

func more1(k Kind) float64 {
	if k == MBG {
		return 1
	}
	return 0
}

func usable(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// withoutDropout is the negative log-likelihood of the NBD at the logarithms of r and alpha.
func (c *counts) withoutDropout(at, gradient []float64) (float64, bool) {
	c.evaluations++
	r, alpha := math.Exp(at[0]), math.Exp(at[1])
	logs(alpha, c.ages, c.logAge, c.inverseAge)
	gr, lr, la := digamma(r), lgamma(r), at[1]
	var sum, dr, dalpha float64
	for i, xi := range c.xs {
		x, n := float64(xi), c.weight[i]
		c.perX[i].power = r + x
		sum += n * (lgamma(r+x) - lr + r*la)
		dr += n * (digamma(r+x) - gr + la)
		dalpha += n * r / alpha
	}
	for i := range c.rows {
		row := &c.rows[i]
		power, logAge := c.perX[row.x].power, c.logAge[row.age]
		sum -= row.n * power * logAge
		dr -= row.n * logAge
		dalpha -= row.n * power * c.inverseAge[row.age]
	}
	gradient[0], gradient[1] = -dr*r, -dalpha*alpha
	return -sum, usable(sum)
}

func lgamma(v float64) float64 {
	l, _ := math.Lgamma(v)
	return l
}

// digamma is the derivative of ln Γ for v > 0, by recurrence and the asymptotic series.
func digamma(v float64) float64 {
	var out float64
	for v < 8 {
		out -= 1 / v
		v++
	}
	i := 1 / v
	s := i * i
	return out + math.Log(v) - i/2 - s*(1.0/12-s*(1.0/120-s*(1.0/252-s*(1.0/240-s*(1.0/132-s*691.0/32760)))))
}
