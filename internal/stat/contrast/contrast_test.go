package contrast_test

import (
	"math"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/contrast"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestTails holds the distributions to their closed forms and to the tables.
func TestTails(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{0, 0.1, 1, 3.5, 20} {
		near(t, "Student 1", contrast.StudentTwoSided(x, 1), 1-2/math.Pi*math.Atan(x), 1e-12)
		near(t, "Student 2", contrast.StudentTwoSided(x, 2), 1-x/math.Sqrt(2+x*x), 1e-12)
		near(t, "normal", contrast.StudentTwoSided(x, 1e9), math.Erfc(x/math.Sqrt2), 1e-8)
		near(t, "chi 1", contrast.ChiSquareAbove(x, 1), math.Erfc(math.Sqrt(x/2)), 1e-12)
		near(t, "chi 2", contrast.ChiSquareAbove(x, 2), math.Exp(-x/2), 1e-12)
		near(t, "chi 4", contrast.ChiSquareAbove(x, 4), math.Exp(-x/2)*(1+x/2), 1e-12)
	}
	near(t, "t 0.975 of 10", contrast.StudentTwoSided(2.228138851964939, 10), 0.05, 1e-10)
	near(t, "chi 0.95 of 10", contrast.ChiSquareAbove(18.307038053275146, 10), 0.05, 1e-10)
}

// TestWelch holds the test to a worked example (two groups of 15, means 20.82 and 22.98667).
func TestWelch(t *testing.T) {
	t.Parallel()
	a := []float64{27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4}
	b := []float64{27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.4}
	of := func(v []float64) contrast.Sample {
		s := contrast.Sample{N: int64(len(v))}
		for _, x := range v {
			s.Mean += x / float64(len(v))
		}
		for _, x := range v {
			s.Variance += (x - s.Mean) * (x - s.Mean) / float64(len(v)-1)
		}
		return s
	}
	r, back := contrast.Welch(of(a), of(b)), contrast.Welch(of(b), of(a))
	if !r.OK || r.P != back.P || r.Effect != -back.Effect || r.Statistic >= 0 || r.P < 0.001 || r.P > 0.05 || r.DF < 20 || r.DF > 28 {
		t.Errorf("%+v %+v", r, back)
	}
	for what, pair := range map[string][2]contrast.Sample{
		"one value": {{N: 1, Mean: 3}, of(b)}, "nobody": {{}, of(b)}, "constant": {{N: 9, Mean: 1}, {N: 9, Mean: 2}},
		"not a number": {{N: 9, Mean: math.NaN(), Variance: 1}, of(b)}, "infinite": {{N: 9, Mean: math.Inf(1), Variance: 1}, of(b)},
	} {
		if r := contrast.Welch(pair[0], pair[1]); r.OK {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

// TestIndependence: 2×2 by hand: χ² = n(ad−bc)²/((a+b)(c+d)(a+c)(b+d)).
func TestIndependence(t *testing.T) {
	t.Parallel()
	r := contrast.Independence([]int64{10, 20, 0}, []int64{30, 5, 0})
	want := 65.0 * math.Pow(10*5-20*30, 2) / (30 * 35 * 40 * 25)
	near(t, "chi", r.Statistic, want, 1e-9)
	near(t, "p", r.P, math.Erfc(math.Sqrt(want/2)), 1e-12)
	near(t, "V", r.Effect, math.Sqrt(want/65), 1e-12)
	if r.DF != 1 {
		t.Errorf("%v degrees", r.DF)
	}
	if contrast.Independence([]int64{5, 0}, []int64{7, 0}).OK || contrast.Independence([]int64{0, 0}, []int64{7, 1}).OK {
		t.Error("a test of nothing")
	}
	near(t, "the same distribution", contrast.Independence([]int64{10, 20}, []int64{100, 200}).P, 1, 1e-12)
}

func TestHolm(t *testing.T) {
	t.Parallel()
	got := contrast.Holm([]float64{0.01, 0.04, 0.03, 0.005})
	if want := []float64{0.03, 0.06, 0.06, 0.02}; !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
		t.Errorf("%v, want %v", got, want)
	}
	if len(contrast.Holm(nil)) != 0 {
		t.Error("of nothing comes something")
	}
}
