package recommend

import "math"

// Rhythm is what is known of the time between two purchases of the same product, over all customers: the logarithm of a gap in days is
// normal around a mean of its own for each pair of customer and product, and these means are normal around Mean. A pair with few gaps is
// drawn towards Mean, one with many speaks for itself (empirical Bayes).
type Rhythm struct {
	Mean    float64 `json:"mean"`
	Between float64 `json:"between"` // variance of the means of pairs
	Within  float64 `json:"within"`  // variance of gaps of one pair
	Pairs   int64   `json:"pairs"`
	Gaps    int64   `json:"gaps"`
}

// Gaps collects the gaps of pairs for a Rhythm, in constant memory.
type Gaps struct {
	pairs, gaps         int64
	sum, weighted       float64 // Σ mean and Σ n·mean over pairs
	squares, inside     float64 // Σ n·mean², Σ within squares
	countSquares, loose float64 // Σ n², Σ (n−1)
}

// Add takes the gaps in days of one pair; a gap of less than a day counts as one.
func (g *Gaps) Add(gaps []int64) {
	n := float64(len(gaps))
	if n == 0 {
		return
	}
	mean, inside := spreadOf(gaps)
	g.pairs++
	g.gaps += int64(len(gaps))
	g.sum += mean
	g.weighted += n * mean
	g.squares += n * mean * mean
	g.inside += inside
	g.countSquares += n * n
	g.loose += n - 1
}

// spreadOf is the mean of the logarithms and their sum of squares around it.
func spreadOf(gaps []int64) (mean, squares float64) {
	for _, d := range gaps {
		mean += math.Log(float64(max(d, 1)))
	}
	mean /= float64(len(gaps))
	for _, d := range gaps {
		v := math.Log(float64(max(d, 1))) - mean
		squares += v * v
	}
	return mean, squares
}

// Few is how many gaps there must be at least to speak of a rhythm.
const Few = 30

// Rhythm is what the gaps say, ok when there are enough. Variances come from the analysis of variance of unequal groups.
func (g *Gaps) Rhythm() (Rhythm, bool) {
	r := Rhythm{Pairs: g.pairs, Gaps: g.gaps}
	if g.gaps < Few || g.loose < 1 || g.pairs < 2 {
		return r, false
	}
	n, k := float64(g.gaps), float64(g.pairs)
	r.Mean = g.weighted / n
	r.Within = math.Max(g.inside/g.loose, 1e-4)
	size := (n - g.countSquares/n) / (k - 1)
	if size > 0 {
		r.Between = math.Max(((g.squares-n*r.Mean*r.Mean)/(k-1)-r.Within)/size, 0)
	}
	return r, true
}

// tail is what an interval of 80 % leaves out on either side.
const tail = 0.1

// Expected is when something is taken again, in days after it was taken last.
type Expected struct {
	Days, Low, High float64 // the middle, and an interval that holds 80 % of cases
	Usual           float64 // the middle before anything was known of how long it has been
	Broken          bool    // it has been longer than nine in ten gaps last
}

// Next is when the next purchase is expected, given the gaps so far and that since the last one so many days have passed without any.
func (r Rhythm) Next(gaps []int64, since float64) Expected {
	n := float64(len(gaps))
	mean, left := r.Mean, r.Between
	if n > 0 {
		own, _ := spreadOf(gaps)
		trust := 0.0
		if r.Between > 0 {
			trust = r.Between / (r.Between + r.Within/n)
		}
		mean, left = r.Mean+trust*(own-r.Mean), r.Between*(1-trust)
	}
	deviation := math.Sqrt(math.Max(left+r.Within, 1e-8))
	passed := 0.0
	if since > 0 {
		passed = math.Erfc((mean-math.Log(since))/deviation/math.Sqrt2) / 2
	}
	const longest = 8 // e^8 days are eight years
	at := func(p float64) float64 {
		p = math.Min(passed+p*(1-passed), 1-1e-12)
		return math.Max(math.Exp(math.Min(mean+deviation*math.Sqrt2*math.Erfinv(2*p-1), longest)), since)
	}
	return Expected{Days: at(.5), Low: at(tail), High: at(1 - tail), Usual: math.Exp(math.Min(mean, longest)), Broken: passed > 1-tail}
}
