package btyd

import "math"

// bound is how far from 0 a logarithm of a parameter may go; a function whose least value lies farther out stops there.
const bound = 11.5 // e^11.5 is about 100,000

// optimum is where a function is least, its value there, and the inverse of its curvature as far as it was seen.
type optimum struct {
	at      []float64
	value   float64
	inverse [][]float64
}

// shrunk is the inverse of the curvature as it would be with 1/weight times the data.
func (o optimum) shrunk(weight float64) [][]float64 {
	out := make([][]float64, len(o.inverse))
	for i, row := range o.inverse {
		out[i] = make([]float64, len(row))
		for j, v := range row {
			out[i][j] = v * weight
		}
	}
	return out
}

// minimise is BFGS with a line search that halves, inside the bounds: a coordinate that stands at a bound and would leave is held.
// f writes the gradient and says whether the value can be used. inverse may be what an earlier run left.
func minimise(f func(at, gradient []float64) (float64, bool), start []float64, inverse [][]float64) optimum {
	n := len(start)
	o := optimum{at: append([]float64(nil), start...), inverse: inverse}
	g, next, ng, d := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	o.value, _ = f(o.at, g)
	fresh := inverse == nil
	if fresh {
		o.inverse = scaled(n, g)
	}
	for range 300 {
		held := o.direction(g, d)
		slope := dot(g, d)
		if slope >= 0 { // the curvature is of no use here
			if fresh {
				break
			}
			o.inverse, fresh = scaled(n, g), true
			continue
		}
		// Newton's decrement: what could still be gained.
		if -slope < 1e-9 {
			break
		}
		step, value, ok := 1.0, 0.0, false
		for range 40 {
			for i := range next {
				next[i] = math.Max(-bound, math.Min(bound, o.at[i]+step*d[i]))
			}
			var usable bool
			if value, usable = f(next, ng); usable && value <= o.value+1e-4*step*slope {
				ok = true
				break
			}
			step /= 2
		}
		if !ok {
			if fresh {
				break
			}
			o.inverse, fresh = scaled(n, g), true
			continue
		}
		gained := o.value - value
		o.update(next, ng, g, held, fresh)
		fresh = false
		copy(o.at, next)
		copy(g, ng)
		o.value = value
		if gained < 1e-12*(1+math.Abs(value)) {
			break
		}
	}
	return o
}

// direction is where to go, and which coordinates stay.
func (o optimum) direction(g, d []float64) []bool {
	held := make([]bool, len(g))
	for i, v := range o.at {
		held[i] = v >= bound && g[i] < 0 || v <= -bound && g[i] > 0
	}
	for i := range d {
		d[i] = 0
		if held[i] {
			continue
		}
		for j := range g {
			if !held[j] {
				d[i] -= o.inverse[i][j] * g[j]
			}
		}
		d[i] = math.Max(-3, math.Min(3, d[i]))
	}
	return held
}

// update is that of Broyden, Fletcher, Goldfarb and Shanno, after the first step with the curvature that was met.
func (o *optimum) update(next, ng, g []float64, held []bool, first bool) {
	n := len(g)
	s, y := make([]float64, n), make([]float64, n)
	for i := range s {
		s[i], y[i] = next[i]-o.at[i], ng[i]-g[i]
		if held[i] {
			s[i], y[i] = 0, 0
		}
	}
	sy := dot(s, y)
	if sy <= 1e-14 {
		return
	}
	if first {
		yy := dot(y, y)
		for i := range o.inverse {
			for j := range o.inverse[i] {
				o.inverse[i][j] = 0
			}
			o.inverse[i][i] = sy / yy
		}
	}
	hy := make([]float64, n)
	for i := range hy {
		hy[i] = dot(o.inverse[i], y)
	}
	c := (1 + dot(y, hy)/sy) / sy
	for i := range n {
		for j := range n {
			o.inverse[i][j] += c*s[i]*s[j] - (hy[i]*s[j]+s[i]*hy[j])/sy
		}
	}
}

// scaled is a first guess: a step of a third along the gradient.
func scaled(n int, g []float64) [][]float64 {
	length := math.Sqrt(dot(g, g))
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
		out[i][i] = 1 / (3 * math.Max(length/3, 1e-12) * 3)
	}
	return out
}

func dot(a, b []float64) float64 {
	var s float64
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}
