// Package rfm scores recency, frequency and monetary value (Hughes 1994; Bult & Wansbeek 1995) without ever splitting
// equal customers: a score depends on the value alone, through cut points, so equal values share a score. With fewer
// than five distinct values there are fewer scores, which is not an error.
//
// The k-th cut of a set of values is its k/5 quantile: the smallest value v such that at least k fifths of all values
// are ≤ v. Cuts may also be saved and used later, so that a customer's score does not move because others moved.
//
// The package is pure: it knows no storage, and works on integers only.
package rfm

import "slices"

// Scores is how many scores there are: 1 (worst) to 5 (best).
const Scores = 5

// Cuts are the four ascending cut points between five scores. Equal neighbours mean that a score is not given.
type Cuts [Scores - 1]int64

// Valid reports whether the cuts ascend (equal neighbours are allowed).
func (c Cuts) Valid() bool { return slices.IsSorted(c[:]) }

// Score is 1 plus the number of cuts below v: for values of which more is better (frequency, monetary value).
func (c Cuts) Score(v int64) int {
	s := 1
	for _, cut := range c {
		if v > cut {
			s++
		}
	}
	return s
}

// ScoreReversed is 5 less the number of cuts below v: for values of which less is better (recency in days).
func (c Cuts) ScoreReversed(v int64) int { return Scores + 1 - c.Score(v) }

// Quantiles collects values in ascending order with their counts and answers their cuts. It keeps four numbers and the
// total it was told, so a million distinct values pass through it in constant memory.
type Quantiles struct {
	total, seen int64
	next        int // the next cut to be found, 1..4
	last        int64
	cuts        Cuts
}

// NewQuantiles prepares for total values.
func NewQuantiles(total int64) *Quantiles { return &Quantiles{total: total, next: 1} }

// Add takes the next distinct value and how often it occurs; values must ascend.
func (q *Quantiles) Add(value, count int64) {
	q.seen += count
	q.last = value
	for q.next < Scores && q.seen*Scores >= int64(q.next)*q.total {
		q.cuts[q.next-1] = value
		q.next++
	}
}

// Cuts are the cut points found. When fewer values were added than promised, the cuts not reached are the last value.
func (q *Quantiles) Cuts() Cuts {
	c := q.cuts
	for i := q.next; i < Scores; i++ {
		c[i-1] = q.last
	}
	return c
}

// CutsOf are the cuts of a set of values in any order; the slice is left as it is. No values give zero cuts.
func CutsOf(values []int64) Cuts {
	s := slices.Clone(values)
	slices.Sort(s)
	q := NewQuantiles(int64(len(s)))
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] == s[i] {
			j++
		}
		q.Add(s[i], int64(j-i))
		i = j
	}
	return q.Cuts()
}

// Model are the cuts of the three dimensions.
type Model struct {
	Recency   Cuts `json:"r"` // days, ascending; fewer days score higher
	Frequency Cuts `json:"f"` // orders
	Monetary  Cuts `json:"m"` // minor units of the base currency
}

// Valid reports whether all cuts ascend.
func (m Model) Valid() bool { return m.Recency.Valid() && m.Frequency.Valid() && m.Monetary.Valid() }

// Customer is one customer's three figures.
type Customer struct {
	Recency, Frequency, Monetary int64
}

// Score gives the three scores of a customer.
func (m Model) Score(c Customer) (r, f, v int) {
	return m.Recency.ScoreReversed(c.Recency), m.Frequency.Score(c.Frequency), m.Monetary.Score(c.Monetary)
}

// Fit makes the quintile model of a set of customers.
func Fit(customers []Customer) Model {
	column := func(get func(Customer) int64) Cuts {
		v := make([]int64, len(customers))
		for i, c := range customers {
			v[i] = get(c)
		}
		return CutsOf(v)
	}
	return Model{
		Recency:   column(func(c Customer) int64 { return c.Recency }),
		Frequency: column(func(c Customer) int64 { return c.Frequency }),
		Monetary:  column(func(c Customer) int64 { return c.Monetary }),
	}
}

// High is the lowest score that counts as high when a cell is named.
const High = 4

// Segment names the cell of three scores by which of them are high, the eight groups in common use in Chinese retail:
// important_* have a high monetary score; value, develop, keep and win_back say whether the customer came lately and often.
func Segment(r, f, m int) string {
	prefix := "general_"
	if m >= High {
		prefix = "important_"
	}
	switch {
	case r >= High && f >= High:
		return prefix + "value"
	case r >= High:
		return prefix + "develop"
	case f >= High:
		return prefix + "keep"
	}
	return prefix + "win_back"
}

// Segments are the keys that Segment answers, in a fixed order.
func Segments() []string {
	return []string{"important_value", "important_develop", "important_keep", "important_win_back",
		"general_value", "general_develop", "general_keep", "general_win_back"}
}
