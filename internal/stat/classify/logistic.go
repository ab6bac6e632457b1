package classify

import "math"

// Logistic is a logistic regression with an L2 penalty. Columns are standardised by the mean and deviation of what was learned from, the
// intercept is not penalised: minimise w'w/2 + C · sum of log(1 + exp(−y·(w'x + intercept))).
type Logistic struct {
	Mean      []float64 `json:"mean"`
	Deviation []float64 `json:"deviation"` // 0 for a constant column, whose weight is 0
	Weights   []float64 `json:"weights"`   // of the standardised columns
	Intercept float64   `json:"intercept"`
}

var _ Model = (*Logistic)(nil)

// FitLogistic learns by Newton's method. c is the inverse strength of the penalty (1 is usual, more penalises less).
func FitLogistic(t *Table, y []bool, c float64) *Logistic {
	n, p := t.Rows(), t.Columns
	m := &Logistic{Mean: make([]float64, p), Deviation: make([]float64, p), Weights: make([]float64, p)}
	if n == 0 {
		return m
	}
	m.standardise(t)
	base := share(y)
	m.Intercept = Logit(base)
	if base == 0 || base == 1 {
		m.Intercept = Logit((base*float64(n) + 0.5) / (float64(n) + 1))
		return m
	}
	m.newton(t, y, c)
	return m
}

func (m *Logistic) standardise(t *Table) {
	n := float64(t.Rows())
	for i := range t.Rows() {
		for j, v := range t.Row(i) {
			m.Mean[j] += v / n
		}
	}
	for i := range t.Rows() {
		for j, v := range t.Row(i) {
			d := v - m.Mean[j]
			m.Deviation[j] += d * d / n
		}
	}
	for j, v := range m.Deviation {
		d := math.Sqrt(v)
		if d <= 1e-12*(1+math.Abs(m.Mean[j])) {
			d = 0
		}
		m.Deviation[j] = d
	}
}

func (m *Logistic) scale(row, into []float64) {
	for j, v := range row {
		into[j] = 0
		if m.Deviation[j] > 0 {
			into[j] = (v - m.Mean[j]) / m.Deviation[j]
		}
	}
}

func (m *Logistic) loss(t *Table, y []bool, c float64) float64 {
	x := make([]float64, t.Columns)
	sum := 0.0
	for i := range t.Rows() {
		m.scale(t.Row(i), x)
		s := m.Intercept
		for j, v := range x {
			s += m.Weights[j] * v
		}
		if y[i] {
			s = -s
		}
		sum += c * (math.Max(0, s) + math.Log1p(math.Exp(-math.Abs(s))))
	}
	for _, w := range m.Weights {
		sum += w * w / 2
	}
	return sum
}

const (
	newtonSteps = 60
	enough      = 1e-9 // of the loss, relatively
)

// newton walks downhill; a step that does not lower the loss is halved. The last entry of a row is the intercept's.
func (m *Logistic) newton(t *Table, y []bool, c float64) {
	p := t.Columns
	x, grad := make([]float64, p+1), make([]float64, p+1)
	h := make([]float64, (p+1)*(p+1))
	last := m.loss(t, y, c)
	for range newtonSteps {
		clear(grad)
		clear(h)
		x[p] = 1
		for i := range t.Rows() {
			m.scale(t.Row(i), x[:p])
			s := m.Intercept
			for j := range p {
				s += m.Weights[j] * x[j]
			}
			q := Sigmoid(s)
			g, w := c*(q-unit(y[i])), c*math.Max(q*(1-q), 1e-10)
			for a := range p + 1 {
				grad[a] += g * x[a]
				wa := w * x[a]
				if wa == 0 {
					continue
				}
				row := h[a*(p+1):]
				for b := 0; b <= a; b++ {
					row[b] += wa * x[b]
				}
			}
		}
		for j := range p {
			grad[j] += m.Weights[j]
			h[j*(p+1)+j]++
		}
		step := solve(h, grad, p+1)
		was := append(append([]float64{}, m.Weights...), m.Intercept)
		size, now := 1.0, 0.0
		for range 30 {
			for j := range p {
				m.Weights[j] = was[j] - size*step[j]
			}
			m.Intercept = was[p] - size*step[p]
			if now = m.loss(t, y, c); now <= last {
				break
			}
			size /= 2
		}
		if now > last {
			copy(m.Weights, was[:p])
			m.Intercept = was[p]
			return
		}
		if last-now <= enough*(1+math.Abs(now)) {
			return
		}
		last = now
	}
}

// solve gives the x of a·x = b for a positive definite a, of which the lower half counts (Cholesky). a is overwritten.
func solve(a, b []float64, n int) []float64 {
	for j := range n {
		d := a[j*n+j]
		for k := range j {
			d -= a[j*n+k] * a[j*n+k]
		}
		d = math.Sqrt(math.Max(d, 1e-12))
		a[j*n+j] = d
		for i := j + 1; i < n; i++ {
			v := a[i*n+j]
			for k := range j {
				v -= a[i*n+k] * a[j*n+k]
			}
			a[i*n+j] = v / d
		}
	}
	x := make([]float64, n)
	for i := range n {
		v := b[i]
		for k := range i {
			v -= a[i*n+k] * x[k]
		}
		x[i] = v / a[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= a[k*n+i] * x[k]
		}
		x[i] /= a[i*n+i]
	}
	return x
}

// Score implements Model.
func (m *Logistic) Score(row []float64) float64 {
	s := m.Intercept
	for j, v := range row {
		if m.Deviation[j] > 0 {
			s += m.Weights[j] * (v - m.Mean[j]) / m.Deviation[j]
		}
	}
	return s
}

// Contributions implements Model: the weight of a column times its standardised value.
func (m *Logistic) Contributions(row []float64) (float64, []float64) {
	parts := make([]float64, len(row))
	for j, v := range row {
		if m.Deviation[j] > 0 {
			parts[j] = m.Weights[j] * (v - m.Mean[j]) / m.Deviation[j]
		}
	}
	return m.Intercept, parts
}
