package recommend

import (
	"math"
	"math/rand/v2"
)

// ALS are the settings of implicit factors. Confidence in a pair is 1 + Alpha · weight.
type ALS struct {
	Factors int
	Rounds  int
	Alpha   float64
	Lambda  float64 // of the ridge
	Steps   int     // of the conjugate gradient in each solution; 3 when 0
	Seed    uint64
}

// Factors are what was found out about items; a user's are solved for from what he took, so nothing about users is kept.
type Factors struct {
	Size   int
	Item   []float32 // Size for each item
	gram   []float32 // sum over items of y·y', with the ridge on its diagonal
	alpha  float32
	lambda float32
}

// Fit finds the factors of the items by alternating least squares (Hu, Koren & Volinsky 2008); each side is improved by some steps
// of conjugate gradients from where it stood (Takács, Pilászy & Tikk 2011).
func Fit(m *Matrix, a ALS) *Factors {
	if a.Steps <= 0 {
		a.Steps = 3
	}
	f := &Factors{Size: max(a.Factors, 1), alpha: float32(a.Alpha), lambda: float32(a.Lambda)}
	f.Item = make([]float32, m.items*f.Size)
	user := make([]float32, m.users*f.Size)
	random := rand.New(rand.NewPCG(a.Seed, 0x9e3779b97f4a7c15)) //nolint:gosec // a start that can be repeated
	for i := range f.Item {
		f.Item[i] = float32(random.NormFloat64() * 0.1 / math.Sqrt(float64(f.Size)) * 3)
	}
	t := m.Transpose()
	for range a.Rounds {
		f.improve(m, user, f.Item, a.Steps)
		f.improve(t, f.Item, user, a.Steps)
	}
	f.settle()
	return f
}

// Restore takes up factors that were kept.
func Restore(size int, item []float32, alpha, lambda float64) *Factors {
	f := &Factors{Size: size, Item: item, alpha: float32(alpha), lambda: float32(lambda)}
	f.settle()
	return f
}

func (f *Factors) settle() { f.gram = gramOf(f.Item, f.Size, f.lambda) }

// gramOf is Y'Y + lambda·I. The rows are summed in blocks of a fixed size, so that the order of the sums is fixed.
func gramOf(y []float32, k int, lambda float32) []float32 {
	const block = 2048
	n := len(y) / k
	blocks := (n + block - 1) / block
	parts := make([][]float32, blocks)
	spread(blocks, func(from, to int) {
		for b := from; b < to; b++ {
			g := make([]float32, k*k)
			for r := b * block; r < min(n, (b+1)*block); r++ {
				row := y[r*k : r*k+k]
				for i, v := range row {
					axpy(v, row, g[i*k:i*k+k])
				}
			}
			parts[b] = g
		}
	})
	out := make([]float32, k*k)
	for _, g := range parts {
		axpy(1, g, out)
	}
	for i := range k {
		out[i*k+i] += lambda
	}
	return out
}

func axpy(a float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += a * v
	}
}

func dot(x, y []float32) float32 {
	y = y[:len(x)]
	var a, b, c, d float32
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += x[i] * y[i]
		b += x[i+1] * y[i+1]
		c += x[i+2] * y[i+2]
		d += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return a + b + c + d
}

// improve moves the rows of x towards the solution of (Y'CY + lambda I) x = Y'C p.
func (f *Factors) improve(m *Matrix, x, y []float32, steps int) {
	k := f.Size
	fixed := &side{gramOf(y, k, f.lambda), y, f.alpha}
	spread(m.users, func(from, to int) {
		s := newSolver(k)
		for u := from; u < to; u++ {
			items, weights := m.Row(u)
			row := x[u*k : u*k+k]
			if len(items) == 0 {
				clear(row)
				continue
			}
			s.solve(row, fixed, items, weights, steps)
		}
	})
}

type solver struct{ r, p, ap []float32 }

func newSolver(k int) *solver {
	return &solver{make([]float32, k), make([]float32, k), make([]float32, k)}
}

// side is the one that stands still while the other is solved for.
type side struct {
	gram, y []float32
	alpha   float32
}

// apply is (gram + Σ alpha·w·y·y') v.
func (f *side) apply(out, v []float32, items []int32, weights []float32) {
	k := len(v)
	for i := range k {
		out[i] = dot(f.gram[i*k:i*k+k], v)
	}
	for n, i := range items {
		row := f.y[int(i)*k : int(i)*k+k]
		axpy(f.alpha*weights[n]*dot(row, v), row, out)
	}
}

func (s *solver) solve(x []float32, f *side, items []int32, weights []float32, steps int) {
	k := len(x)
	f.apply(s.ap, x, items, weights)
	for i := range k {
		s.r[i] = -s.ap[i]
	}
	for n, i := range items {
		axpy(1+f.alpha*weights[n], f.y[int(i)*k:int(i)*k+k], s.r)
	}
	copy(s.p, s.r)
	old := dot(s.r, s.r)
	for range steps {
		if !(old > 1e-20) {
			return
		}
		f.apply(s.ap, s.p, items, weights)
		curve := dot(s.p, s.ap)
		if !(curve > 0) {
			return
		}
		step := old / curve
		axpy(step, s.p, x)
		axpy(-step, s.ap, s.r)
		next := dot(s.r, s.r)
		ratio := next / old
		for i := range k {
			s.p[i] = s.r[i] + ratio*s.p[i]
		}
		old = next
	}
}

// User are the factors of somebody who took some items: the exact solution, by as many steps as there are factors.
func (f *Factors) User(items []int32, weights []float32) []float32 {
	x := make([]float32, f.Size)
	var known []int32
	var strength []float32
	for n, i := range items {
		if i >= 0 && (int(i)+1)*f.Size <= len(f.Item) {
			known, strength = append(known, i), append(strength, weights[n])
		}
	}
	if len(known) > 0 {
		newSolver(f.Size).solve(x, &side{f.gram, f.Item, f.alpha}, known, strength, f.Size)
	}
	return x
}

// Score is how much an item suits a user's factors: about 1 for what he would surely take, about 0 for the rest.
func (f *Factors) Score(user []float32, item int32) float32 {
	v := dot(user, f.Item[int(item)*f.Size:int(item)*f.Size+f.Size])
	if v != v || math.IsInf(float64(v), 0) { // a NaN is not equal to itself
		return 0
	}
	return v
}

// Near is which of some items lies nearest to an item (the cosine of their factors), -1 for none.
func (f *Factors) Near(item int32, among []int32) int32 {
	k := f.Size
	row := f.Item[int(item)*k : int(item)*k+k]
	best, at := float32(0), int32(-1)
	for _, i := range among {
		if i < 0 || int(i+1)*k > len(f.Item) || i == item {
			continue
		}
		other := f.Item[int(i)*k : int(i)*k+k]
		norm := dot(other, other)
		if !(norm > 0) {
			continue
		}
		v := dot(row, other) / float32(math.Sqrt(float64(norm)))
		if at < 0 || v > best || v == best && i < at {
			best, at = v, i
		}
	}
	return at
}
