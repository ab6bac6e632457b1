package cluster

import (
	"math"
	"math/rand/v2"
)

// Silhouette is the mean, over at most so many rows drawn by the seed (0: all), of (b−a)/max(a, b): a the mean distance to one's own
// group, b that to the nearest other one. A row alone in its group counts 0. Fewer than two groups give 0.
func Silhouette(p Points, labels []int, k, sample int, seed uint64) float64 {
	n := p.Len()
	if k < 2 || n < 2 {
		return 0
	}
	rows := subset(n, sample, seed)
	var total float64
	for _, i := range rows {
		sums, counts := make([]float64, k), make([]int, k)
		for _, j := range rows {
			if i != j {
				sums[labels[j]] += math.Sqrt(gap(p.Row(i), p.Row(j)))
				counts[labels[j]]++
			}
		}
		own := labels[i]
		if counts[own] == 0 {
			continue
		}
		a, b := sums[own]/float64(counts[own]), math.Inf(1)
		for c := range k {
			if c != own && counts[c] > 0 {
				b = math.Min(b, sums[c]/float64(counts[c]))
			}
		}
		if most := math.Max(a, b); most > 0 && !math.IsInf(b, 1) {
			total += (b - a) / most
		}
	}
	return total / float64(len(rows))
}

// subset draws places in ascending order; all of them when sample is 0 or not less than n.
func subset(n, sample int, seed uint64) []int {
	out := make([]int, 0, n)
	if sample <= 0 || sample >= n {
		for i := range n {
			out = append(out, i)
		}
		return out
	}
	r := rand.New(rand.NewPCG(seed, 0x5a))
	left := sample
	for i := 0; i < n && left > 0; i++ { // selection sampling (Knuth 3.4.2 S)
		if r.IntN(n-i) < left {
			out = append(out, i)
			left--
		}
	}
	return out
}

// AdjustedRand says how much two groupings of the same rows agree: 1 entirely, 0 as much as chance would.
func AdjustedRand(a, b []int) float64 {
	table, rows, columns := map[[2]int]float64{}, map[int]float64{}, map[int]float64{}
	for i := range a {
		table[[2]int{a[i], b[i]}]++
		rows[a[i]]++
		columns[b[i]]++
	}
	pairs := func(n float64) float64 { return n * (n - 1) / 2 }
	var both, ra, cb float64
	for _, n := range table {
		both += pairs(n)
	}
	for _, n := range rows {
		ra += pairs(n)
	}
	for _, n := range columns {
		cb += pairs(n)
	}
	all := pairs(float64(len(a)))
	if all == 0 {
		return 1
	}
	expected, most := ra*cb/all, (ra+cb)/2
	if most == expected {
		return 1
	}
	return (both - expected) / (most - expected)
}

// Trial is how k groups did.
type Trial struct {
	K          int
	Inertia    float64
	Silhouette float64
	Stability  float64 // the mean adjusted Rand index between groups found on different halves and those of all
	Smallest   float64 // the share of the smallest group
}

// SearchOptions of Suggest.
type SearchOptions struct {
	From, To int // k; 0: 2 to 8
	Sample   int // rows that are looked at at most; 0: 10,000
	Again    int // how many halves are drawn; 0: 5
	Seed     uint64
}

// stable is the least agreement, smallest the least share of a group, that a suggestion may have where another can.
const (
	stable   = 0.8
	smallest = 0.02
	// Two groups always keep apart best and say least: more of them are suggested when their silhouette is at least this part of it.
	worthwhile = 0.75
)

// Suggest tries numbers of groups. The suggestion has the greatest silhouette among those whose groups come again on halves of the
// rows and are not tiny, two groups only when more of them are much worse; when none are so, the most stable one. 0 when there are fewer than four rows, or one distinct row.
func Suggest(p Points, o SearchOptions) (k int, trials []Trial) {
	if o.From == 0 {
		o.From, o.To = 2, 8
	}
	if o.Sample == 0 {
		o.Sample = 10_000
	}
	if o.Again == 0 {
		o.Again = 5
	}
	if p.Len() > o.Sample {
		p = p.pick(subset(p.Len(), o.Sample, o.Seed))
	}
	n := p.Len()
	if n < 4 {
		return 0, nil
	}
	most := min(o.To, distinct(p, o.To), n/2)
	for k := o.From; k <= most; k++ {
		whole := Group(p, Options{K: k, Starts: 4, Seed: o.Seed})
		t := Trial{K: k, Inertia: whole.Inertia, Silhouette: Silhouette(p, whole.Labels, k, 2000, o.Seed), Smallest: 1}
		for _, s := range whole.Sizes {
			t.Smallest = math.Min(t.Smallest, float64(s)/float64(n))
		}
		for again := range o.Again {
			half := p.pick(subset(n, (n+1)/2, o.Seed+uint64(again)+1))
			part := Group(half, Options{K: k, Starts: 2, Seed: o.Seed + uint64(again)})
			other := make([]int, n)
			for i := range n {
				other[i], _ = Nearest(p.Row(i), part.Centres)
			}
			t.Stability += AdjustedRand(whole.Labels, other) / float64(o.Again)
		}
		trials = append(trials, t)
	}
	best := -1
	for i, t := range trials {
		if t.Stability >= stable && t.Smallest >= smallest && (best < 0 || t.Silhouette > trials[best].Silhouette+1e-9) {
			best = i
		}
	}
	if best >= 0 && trials[best].K == 2 {
		more := -1
		for i, t := range trials {
			if t.K > 2 && t.Stability >= stable && t.Smallest >= smallest && t.Silhouette >= worthwhile*trials[best].Silhouette && (more < 0 || t.Silhouette > trials[more].Silhouette+1e-9) {
				more = i
			}
		}
		if more >= 0 {
			best = more
		}
	}
	for i, t := range trials {
		if best < 0 || trials[best].Stability < stable && t.Stability > trials[best].Stability+1e-9 {
			best = i
		}
	}
	if best < 0 {
		return 0, trials
	}
	return trials[best].K, trials
}
