package demo

import (
	"math"
	"math/rand/v2"
	"sort"
)

// A stream of random numbers for one purpose of one customer, so that adding a draw to one purpose leaves the others.
type stream uint64

const (
	streamLatent stream = iota + 1
	streamProfile
	streamOrders
	streamCatalogue
	streamStores
	streamPlant
	streamLife
	streamContent
	streamVisitor
	streamSaid
)

// random is a source with the distributions that are needed. Not safe for concurrent use.
type random struct {
	*rand.Rand
	source rand.PCG
}

func newRandom(seed uint64, s stream, index uint64) *random {
	r := &random{}
	r.source.Seed(mix(seed^mix(uint64(s))), mix(index*0x9E3779B97F4A7C15+uint64(s)))
	r.Rand = rand.New(&r.source) //nolint:gosec // a simulation, to be repeated
	return r
}

// mix is the finaliser of SplitMix64 (Steele, Lea & Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9
	x = (x ^ (x >> 27)) * 0x94D049BB133111EB
	return x ^ (x >> 31)
}

func (r *random) chance(p float64) bool { return r.Float64() < p }

// between is uniform over lo to hi, both included.
func (r *random) between(lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// gamma draws with the given shape and scale 1 (Marsaglia & Tsang 2000).
func (r *random) gamma(shape float64) float64 {
	if shape < 1 {
		return r.gamma(shape+1) * math.Pow(1-r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if u := 1 - r.Float64(); math.Log(u) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func (r *random) beta(a, b float64) float64 {
	x := r.gamma(a)
	return x / (x + r.gamma(b))
}

// poisson draws a count of the given mean (Knuth 1969), which is small.
func (r *random) poisson(mean float64) int {
	limit, n := math.Exp(-min(mean, 60)), 0
	for p := r.Float64(); p > limit; p *= r.Float64() {
		n++
	}
	return n
}

// pick is one of a list.
func pick[T any](r *random, list []T) T { return list[r.IntN(len(list))] }

// weights draws indexes in proportion to given weights.
type weights []float64 // cumulative

func newWeights(n int, weight func(i int) float64) weights {
	w := make(weights, n)
	sum := 0.0
	for i := range n {
		sum += weight(i)
		w[i] = sum
	}
	return w
}

func (w weights) draw(r *random) int {
	x := r.Float64() * w[len(w)-1]
	return min(sort.SearchFloat64s(w, x), len(w)-1)
}

// spread maps 0, 1, 2 … one to one onto numbers below size that look unordered. step must share
// no factor with size, size × step must fit 64 bits, and index must be below size.
func spread(index, size, step, offset uint64) uint64 {
	return (index%size*step%size + offset) % size
}
