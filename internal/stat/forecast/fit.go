package forecast

import "math"

// fitted is a method that has seen a row.
type fitted struct {
	method    Method
	smoothing Smoothing
	season    int
	ahead     func(h int) []float64
	widen     func(h int) float64 // the variance at h periods ahead over that of one
	relative  bool                // errors grow with the value
	errors    []float64           // one period ahead, from index first on; relative ones when relative
	raw       []float64           // the same, never relative
	first     int
	spent     int // how many numbers were fitted
}

// crostonAlpha is the weight that Croston's method is used with: demand is too rare to learn it.
const crostonAlpha = 0.1

// fit lets a method see a row. A row that is too short for the method, or of the wrong kind, is seen by a simpler one.
func fit(method Method, y []float64, season int) fitted {
	n := len(y)
	switch method {
	case SeasonalNaive:
		if season > 1 && n >= season {
			return fitSeasonalNaive(y, season)
		}
	case Mean:
		return fitMean(y)
	case SES:
		if n >= 3 {
			return fitSimple(y)
		}
	case Croston, SBA:
		return fitCroston(y, method)
	case Theta:
		if n >= 4 {
			return fitTheta(y, season)
		}
	case Holt:
		if n >= 5 {
			return fitHolt(y)
		}
	case Additive, Multiplicative:
		if season > 1 && n >= 2*season+1 && (method == Additive || allPositive(y)) {
			return fitWinters(y, season, method == Multiplicative)
		}
	}
	return fitNaive(y)
}

func allPositive(y []float64) bool {
	for _, v := range y {
		if v <= 0 {
			return false
		}
	}
	return true
}

func fitNaive(y []float64) fitted {
	f := fitted{method: Naive, first: 1, spent: 0}
	last := 0.0
	if n := len(y); n > 0 {
		last = y[n-1]
	}
	for i := 1; i < len(y); i++ {
		f.errors = append(f.errors, y[i]-y[i-1])
	}
	f.raw = f.errors
	f.ahead = func(h int) []float64 { return repeat([]float64{last}, h) }
	f.widen = func(h int) float64 { return float64(h) }
	return f
}

func fitSeasonalNaive(y []float64, m int) fitted {
	f := fitted{method: SeasonalNaive, season: m, first: m}
	for i := m; i < len(y); i++ {
		f.errors = append(f.errors, y[i]-y[i-m])
	}
	f.raw = f.errors
	last := y[len(y)-m:]
	f.ahead = func(h int) []float64 { return repeat(last, h) }
	f.widen = func(h int) float64 { return float64((h-1)/m + 1) }
	return f
}

func fitMean(y []float64) fitted {
	f := fitted{method: Mean, spent: 1}
	mean := average(y)
	for _, v := range y {
		f.errors = append(f.errors, v-mean)
	}
	f.raw = f.errors
	f.ahead = func(h int) []float64 { return repeat([]float64{mean}, h) }
	f.widen = func(int) float64 { return 1 + 1/float64(max(len(y), 1)) }
	return f
}

func repeat(season []float64, h int) []float64 {
	out := make([]float64, h)
	for i := range out {
		out[i] = season[i%len(season)]
	}
	return out
}

// bestSimple is simple smoothing with the weight and the start that leave the smallest sum of squares. The start is exact: errors are
// linear in it.
func bestSimple(y []float64) (State, float64) {
	start := func(alpha float64) float64 {
		// e_t = c_t − d_t·l0 with c, d by the same recursion.
		level, d := 0.0, 1.0
		var cd, dd float64
		for _, v := range y {
			c := v - level
			cd += c * d
			dd += d * d
			level += alpha * c
			d *= 1 - alpha
		}
		return cd / dd
	}
	sse := func(alpha float64) float64 {
		level, s := start(alpha), 0.0
		for _, v := range y {
			e := v - level
			s += e * e
			level += alpha * e
		}
		return s
	}
	alpha := minimum(sse, 1e-4, 0.9999)
	return simpleFrom(y, alpha, start(alpha), 0), alpha
}

// minimum finds a minimum within [lo, hi] by a coarse grid and golden sections.
func minimum(of func(float64) float64, lo, hi float64) float64 {
	const steps = 16
	best, at := math.Inf(1), lo
	for i := 0; i <= steps; i++ {
		x := lo + (hi-lo)*float64(i)/steps
		if v := of(x); v < best {
			best, at = v, x
		}
	}
	step := (hi - lo) / steps
	a, b := math.Max(lo, at-step), math.Min(hi, at+step)
	const ratio = 0.6180339887498949
	c, d := b-ratio*(b-a), a+ratio*(b-a)
	fc, fd := of(c), of(d)
	for range 24 {
		if fc <= fd {
			b, d, fd = d, c, fc
			c = b - ratio*(b-a)
			fc = of(c)
		} else {
			a, c, fc = c, d, fd
			d = a + ratio*(b-a)
			fd = of(d)
		}
	}
	return (a + b) / 2
}

func fitSimple(y []float64) fitted {
	alpha := minimum(func(alpha float64) float64 { return Simple(y, alpha).SSE }, 1e-4, 0.9999)
	s := Simple(y, alpha)
	return fitted{method: SES, smoothing: Smoothing{Alpha: alpha}, errors: s.Errors, raw: s.Errors, first: 1, spent: 2,
		ahead: func(h int) []float64 { return s.Ahead(h, false) },
		widen: func(h int) float64 { return 1 + float64(h-1)*alpha*alpha }}
}

func fitCroston(y []float64, method Method) fitted {
	rate, hats := Intermittent(y, crostonAlpha, method == SBA)
	f := fitted{method: method, smoothing: Smoothing{Alpha: crostonAlpha}, spent: 2}
	seen := false
	for i, v := range y {
		if seen {
			f.errors = append(f.errors, v-hats[i])
		} else if v != 0 {
			seen, f.first = true, i+1
		}
	}
	f.raw = f.errors
	f.ahead = func(h int) []float64 { return repeat([]float64{rate}, h) }
	f.widen = func(h int) float64 { return 1 + float64(h-1)*crostonAlpha*crostonAlpha }
	return f
}

// fitTheta is the rule of the M4 benchmarks: deseasonalise when the season is seen; then simple smoothing with half the slope of the line
// of least squares as drift, which is what the two theta lines come to (Hyndman & Billah 2003). What falls below 0 is 0 in a row that
// never does.
func fitTheta(y []float64, season int) fitted {
	n := len(y)
	index, plain, multiply := []float64(nil), y, allPositive(y)
	if Seasonal(y, season) {
		_, index = Decompose(y, season, multiply)
		plain = make([]float64, n)
		for i, v := range y {
			if multiply {
				plain[i] = v / nonzero(index[i%season])
			} else {
				plain[i] = v - index[i%season]
			}
		}
	}
	put := func(v float64, i int) float64 {
		switch {
		case index == nil:
			return v
		case multiply:
			return v * index[i%season]
		}
		return v + index[i%season]
	}
	_, slope := line(plain)
	s, alpha := bestSimple(plain)
	drift := func(seen, ahead int) float64 { // of a value that many periods after as many were seen
		return slope / 2 * (float64(ahead-1) + (1-math.Pow(1-alpha, float64(seen)))/alpha)
	}
	f := fitted{method: Theta, smoothing: Smoothing{Alpha: alpha}, season: season, relative: multiply && index != nil, spent: 3}
	floor := lowest(y) >= 0
	for i, v := range y {
		f.note(v, put(plain[i]-s.Errors[i]+drift(i, 1), i))
	}
	f.ahead = func(h int) []float64 {
		out := make([]float64, h)
		for j := range out {
			out[j] = put(s.Level+drift(n, j+1), n+j)
			if floor && out[j] < 0 {
				out[j] = 0
			}
		}
		return out
	}
	f.widen = func(h int) float64 { return 1 + float64(h-1)*alpha*alpha }
	return f
}

func lowest(y []float64) float64 {
	out := math.Inf(1)
	for _, v := range y {
		out = math.Min(out, v)
	}
	return out
}

// note records one error.
func (f *fitted) note(v, hat float64) {
	f.raw = append(f.raw, v-hat)
	if f.relative {
		f.errors = append(f.errors, (v-hat)/math.Max(math.Abs(hat), 1e-9+0.05*math.Abs(v)))
		return
	}
	f.errors = append(f.errors, v-hat)
}

func fitHolt(y []float64) fitted {
	p := simplex(func(p []float64) float64 { return Trended(y, p[0], p[1]).SSE }, [][]float64{{0.3, 0.1}, {0.8, 0.05}})
	s := Trended(y, p[0], p[1])
	return fitted{method: Holt, smoothing: Smoothing{Alpha: p[0], Beta: p[1]}, errors: s.Errors, raw: s.Errors, first: 2, spent: 4,
		ahead: func(h int) []float64 { return s.Ahead(h, false) },
		widen: func(h int) float64 {
			v := 1.0
			for j := 1; j < h; j++ {
				c := p[0] * (1 + float64(j)*p[1])
				v += c * c
			}
			return v
		}}
}

func fitWinters(y []float64, m int, multiply bool) fitted {
	start := wintersStart(y, m, multiply)
	of := func(p []float64) State { return wintersFrom(y, m, Smoothing{p[0], p[1], p[2]}, multiply, start) }
	p := simplex(func(p []float64) float64 { return of(p).SSE }, [][]float64{{0.3, 0.1, 0.1}})
	s := of(p)
	method := Additive
	if multiply {
		method = Multiplicative
	}
	f := fitted{method: method, smoothing: Smoothing{p[0], p[1], p[2]}, season: m, relative: multiply, first: m, spent: 5 + m}
	for i, e := range s.Errors {
		f.note(y[m+i], y[m+i]-e)
	}
	f.ahead = func(h int) []float64 { return s.Ahead(h, multiply) }
	f.widen = func(h int) float64 {
		v := 1.0
		for j := 1; j < h; j++ {
			c := p[0] * (1 + float64(j)*p[1])
			if j%m == 0 {
				c += p[2] * (1 - p[0])
			}
			v += c * c
		}
		return v
	}
	return f
}

// within is what the method would have said of the row itself.
func (f fitted) within(y []float64) []float64 {
	out := append([]float64(nil), y...)
	for i, e := range f.raw {
		if j := f.first + i; j < len(out) && !math.IsNaN(e) && !math.IsInf(e, 0) {
			out[j] = y[j] - e
		}
	}
	return out
}

// simplex minimises over the open unit cube (Nelder & Mead 1965, on logits), from the best of some starts.
func simplex(of func([]float64) float64, starts [][]float64) []float64 {
	k := len(starts[0])
	unit := func(x []float64) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = 1 / (1 + math.Exp(-math.Max(-12, math.Min(12, v))))
		}
		return out
	}
	value := func(x []float64) float64 {
		v := of(unit(x))
		if math.IsNaN(v) {
			return math.Inf(1)
		}
		return v
	}
	best, bestValue := starts[0], math.Inf(1)
	for _, start := range starts {
		points, values := make([][]float64, k+1), make([]float64, k+1)
		for i := range points {
			points[i] = make([]float64, k)
			for j, p := range start {
				points[i][j] = math.Log(p / (1 - p))
			}
			if i > 0 {
				points[i][i-1]++
			}
			values[i] = value(points[i])
		}
		x, v := walk(points, values, value)
		if v < bestValue {
			best, bestValue = unit(x), v
		}
	}
	return best
}

func walk(points [][]float64, values []float64, value func([]float64) float64) (x []float64, v float64) {
	k := len(points) - 1
	at := func(center, worst []float64, t float64) []float64 {
		out := make([]float64, k)
		for j := range out {
			out[j] = center[j] + t*(worst[j]-center[j])
		}
		return out
	}
	for range 60 * k {
		lo, hi, second := order(values)
		if values[hi]-values[lo] <= 1e-9*(math.Abs(values[lo])+1e-12) {
			break
		}
		center := make([]float64, k)
		for i, p := range points {
			if i != hi {
				for j := range center {
					center[j] += p[j] / float64(k)
				}
			}
		}
		mirrored := at(center, points[hi], -1)
		got := value(mirrored)
		switch {
		case got < values[lo]:
			if far := at(center, points[hi], -2); value(far) < got {
				mirrored, got = far, value(far)
			}
		case got >= values[second]:
			t := 0.5
			if got < values[hi] {
				t = -0.5
			}
			near := at(center, points[hi], t)
			if v := value(near); v < math.Min(got, values[hi]) {
				mirrored, got = near, v
				break
			}
			for i := range points {
				if i != lo {
					points[i] = at(points[lo], points[i], 0.5)
					values[i] = value(points[i])
				}
			}
			continue
		}
		points[hi], values[hi] = mirrored, got
	}
	lo, _, _ := order(values)
	return points[lo], values[lo]
}

// order gives the places of the least, the greatest and the second greatest value.
func order(values []float64) (lo, hi, second int) {
	for i, v := range values {
		if v < values[lo] {
			lo = i
		}
		if v > values[hi] {
			hi = i
		}
	}
	second = lo
	for i, v := range values {
		if i != hi && v >= values[second] {
			second = i
		}
	}
	return lo, hi, second
}
