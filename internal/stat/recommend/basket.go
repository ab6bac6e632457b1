package recommend

import (
	"cmp"
	"math"
	"slices"
)

// Basketry are the settings of rules.
type Basketry struct {
	Least  int // baskets that must hold both items
	Widest int // larger baskets are left out; 0 for no bound
	Most   int // rules that are kept
}

// Rule says that baskets with A tend to hold B as well. The mirror rule has the same support, lift and P.
type Rule struct {
	A, B    int32
	Both    int // baskets with both
	WithA   int
	WithB   int
	Baskets int // of all
	// P is the probability of so many common baskets or more if A and B had nothing to do with each other (Fisher's exact test, one-sided).
	P float64
	// Q is the share of false rules to be expected among those with a P as small (Benjamini & Hochberg 1995).
	Q float64
}

// Support is the share of all baskets that hold both.
func (r *Rule) Support() float64 { return ratio(r.Both, r.Baskets) }

// Confidence is the share of the baskets with A that hold B.
func (r *Rule) Confidence() float64 { return ratio(r.Both, r.WithA) }

// Reverse is the share of the baskets with B that hold A.
func (r *Rule) Reverse() float64 { return ratio(r.Both, r.WithB) }

// Lift is how much more often they meet than chance would have it.
func (r *Rule) Lift() float64 {
	if r.WithA == 0 || r.WithB == 0 {
		return 0
	}
	return float64(r.Both) * float64(r.Baskets) / (float64(r.WithA) * float64(r.WithB))
}

// LiftLow is a lower bound of the lift at 95 %: the lower end of Wilson's interval of the confidence over the share of B.
func (r *Rule) LiftLow() float64 {
	if r.WithA == 0 || r.WithB == 0 {
		return 0
	}
	low, _ := Wilson(r.Both, r.WithA)
	return low * float64(r.Baskets) / float64(r.WithB)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Wilson is the 95 % interval of a share (Wilson 1927).
func Wilson(hits, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	p, m := float64(hits)/float64(n), float64(n)
	mid, half := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return math.Max(0, (mid-half)/(1+z*z/m)), math.Min(1, (mid+half)/(1+z*z/m))
}

// Rules are the pairs of items that meet in baskets more often than chance would have it, the surest first: by the lower bound of
// their lift, then by support. m has the baskets as rows. A is the item of the pair with fewer baskets, from which the confidence is greater.
func Rules(m *Matrix, b Basketry) []Rule {
	baskets, counts := 0, make([]int, m.items)
	wide := func(u int) bool { return b.Widest > 0 && int(m.start[u+1]-m.start[u]) > b.Widest }
	for u := range m.users {
		items, _ := m.Row(u)
		if len(items) == 0 || wide(u) {
			continue
		}
		baskets++
		for _, i := range items {
			counts[i]++
		}
	}
	least := max(b.Least, 1)
	columns := m.Transpose()
	found := make([][]Rule, m.items)
	spread(m.items, func(from, to int) {
		both := make([]int32, m.items)
		var seen []int32
		for i := from; i < to; i++ {
			if counts[i] < least {
				continue
			}
			row, _ := columns.Row(i)
			for _, u := range row {
				if wide(int(u)) {
					continue
				}
				items, _ := m.Row(int(u))
				at, _ := slices.BinarySearch(items, int32(i)+1)
				for _, j := range items[at:] {
					if both[j] == 0 {
						seen = append(seen, j)
					}
					both[j]++
				}
			}
			for _, j := range seen {
				n := int(both[j])
				both[j] = 0
				if n < least {
					continue
				}
				r := Rule{A: int32(i), B: j, Both: n, WithA: counts[i], WithB: counts[j], Baskets: baskets}
				if r.WithB < r.WithA {
					r.A, r.B, r.WithA, r.WithB = r.B, r.A, r.WithB, r.WithA
				}
				r.P = Fisher(r.Both, r.WithA, r.WithB, r.Baskets)
				found[i] = append(found[i], r)
			}
			seen = seen[:0]
		}
	})
	all := slices.Concat(found...)
	discover(all)
	all = slices.DeleteFunc(all, func(r Rule) bool { return r.Lift() <= 1 })
	slices.SortFunc(all, func(x, y Rule) int {
		return cmp.Or(cmp.Compare(y.LiftLow(), x.LiftLow()), cmp.Compare(y.Both, x.Both), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	if b.Most > 0 && len(all) > b.Most {
		all = all[:b.Most]
	}
	return all
}

// discover writes Q into rules; all pairs that were tested must be among them.
func discover(all []Rule) {
	slices.SortFunc(all, func(x, y Rule) int {
		return cmp.Or(cmp.Compare(x.P, y.P), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	least := 1.0
	for i := len(all) - 1; i >= 0; i-- {
		least = math.Min(least, all[i].P*float64(len(all))/float64(i+1))
		all[i].Q = least
	}
}

// Fisher is the probability that both or more of n baskets hold A and B when withA hold A and withB hold B, by chance alone.
func Fisher(both, withA, withB, n int) float64 {
	low, high := max(0, withA+withB-n), min(withA, withB)
	if both <= low {
		return 1
	}
	if both > high {
		return 0
	}
	log := func(k int) float64 {
		return choose(withA, k) + choose(n-withA, withB-k) - choose(n, withB)
	}
	// The terms fall from above the mode on: the rest is summed by their ratio, until nothing is added any more.
	term := math.Exp(log(both))
	sum := term
	for k := both; k < high; k++ {
		if term == 0 {
			if k > both && sum > 0 {
				break
			}
			term = math.Exp(log(k + 1)) // below the mode a first term may vanish though later ones do not
		} else {
			term *= float64(withA-k) * float64(withB-k) / (float64(k+1) * float64(n-withA-withB+k+1))
		}
		sum += term
		if term < sum*1e-17 && float64(k)*float64(n) > float64(withA)*float64(withB) {
			break
		}
	}
	return math.Min(1, sum)
}

func choose(n, k int) float64 {
	if k < 0 || k > n {
		return math.Inf(-1)
	}
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
