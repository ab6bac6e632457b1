package cut_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/cut"
)

func values(xs ...int64) (out []cut.Value) {
	slices.Sort(xs)
	for _, x := range xs {
		if n := len(out); n > 0 && out[n-1].X == x {
			out[n-1].N++
			continue
		}
		out = append(out, cut.Value{X: x, N: 1})
	}
	return out
}

func TestQuantilesKeepEqualValuesTogether(t *testing.T) {
	t.Parallel()
	if got := cut.Quantiles(values(1, 2, 3, 4, 5, 6, 7, 8, 9), 3); !slices.Equal(got, []int64{4, 7}) {
		t.Errorf("%v", got)
	}
	if got := cut.Quantiles(values(1, 1, 1, 1, 1, 1, 1, 2, 3), 3); len(got) == 0 || got[0] != 2 {
		t.Errorf("%v", got)
	}
	if got := cut.Quantiles(values(5, 5, 5), 3); len(got) != 0 {
		t.Errorf("one value is cut: %v", got)
	}
	if got := cut.Quantiles(nil, 3); got != nil {
		t.Errorf("nothing is cut: %v", got)
	}
}

// Against every possible partition.
func TestNaturalIsTheBestOfAll(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	within := func(v []cut.Value, cuts []int64) float64 {
		sum := 0.0
		for c := 0; c <= len(cuts); c++ {
			var n, s, q float64
			for _, x := range v {
				if (c > 0 && x.X < cuts[c-1]) || (c < len(cuts) && x.X >= cuts[c]) {
					continue
				}
				w, f := float64(x.N), float64(x.X)
				n, s, q = n+w, s+w*f, q+w*f*f
			}
			if n > 0 {
				sum += q - s*s/n
			}
		}
		return sum
	}
	for range 50 {
		var xs []int64
		for range 14 {
			xs = append(xs, r.Int64N(60))
		}
		v := values(xs...)
		best := math.Inf(1)
		for i := 1; i < len(v); i++ {
			for j := i + 1; j < len(v); j++ {
				best = min(best, within(v, []int64{v[i].X, v[j].X}))
			}
		}
		if got := within(v, cut.Natural(v, 3)); got > best+1e-6 {
			t.Fatalf("%v: %v within, best %v", xs, got, best)
		}
	}
}

func TestLaterFindsWhereTheOutcomeSteps(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var v []cut.Value
	for x := int64(0); x < 1000; x++ {
		mean := 10.0
		if x >= 300 {
			mean = 30
		}
		if x >= 800 {
			mean = 90
		}
		y := mean + r.NormFloat64()*5
		v = append(v, cut.Value{X: x, N: 1, Sum: y, Sq: y * y})
	}
	got := cut.Later(v, 3, 20)
	if len(got) != 2 || math.Abs(float64(got[0]-300)) > 5 || math.Abs(float64(got[1]-800)) > 5 {
		t.Errorf("the steps are at 300 and 800, found %v", got)
	}
	if e := cut.Explained(v, got); e < .9 || e > 1 {
		t.Errorf("explains %.3f", e)
	}
	if e := cut.Explained(v, nil); e != 0 {
		t.Errorf("one class explains %.3f", e)
	}
	if got := cut.Later(v, 3, 600); len(got) != 0 {
		t.Errorf("classes of 600 of 1000: %v", got)
	}
	same := []cut.Value{{X: 1, N: 5}, {X: 2, N: 5}}
	if e := cut.Explained(same, []int64{2}); e != 0 || math.IsNaN(e) {
		t.Errorf("nothing later: %v", e)
	}
}
