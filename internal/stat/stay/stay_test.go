package stay_test

import (
	"math"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/stay"
)

// The remission times of Freireich et al. (1963), treated with 6-MP, as Kaplan-Meier estimates of them are published in every
// textbook: 6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+.
func TestRemissionTimes(t *testing.T) {
	t.Parallel()
	in := []stay.Stay{{6, true, 3}, {6, false, 1}, {7, true, 1}, {9, false, 1}, {10, true, 1}, {10, false, 1}, {11, false, 1}, {13, true, 1}, {16, true, 1},
		{17, false, 1}, {19, false, 1}, {20, false, 1}, {22, true, 1}, {23, true, 1}, {25, false, 1}, {32, false, 2}, {34, false, 1}, {35, false, 1}}
	want := map[int64]float64{6: .8571, 7: .8067, 10: .7529, 13: .6902, 16: .6275, 22: .5378, 23: .4482}
	curve := stay.Curve(in)
	if len(curve) != len(want) {
		t.Fatalf("%d steps: %v", len(curve), curve)
	}
	for _, p := range curve {
		if math.Abs(p.Share-want[p.Days]) > 5e-5 {
			t.Errorf("after %d days %.4f, published %.4f", p.Days, p.Share, want[p.Days])
		}
	}
	if half := curve[0].Share - curve[0].Low; math.Abs(half-1.96*.0764) > 5e-4 {
		t.Errorf("standard error of the first step %.4f, published 0.0764", half/1.96)
	}
	if m, ok := stay.Quantile(curve, .5); !ok || m != 23 {
		t.Errorf("median %d %v, published 23", m, ok)
	}
	if _, ok := stay.Quantile(curve, .75); ok {
		t.Error("the last quarter went on and has no day")
	}
	if got := stay.Left(curve, 15); math.Abs(got-.6902) > 5e-5 {
		t.Errorf("left after 15 days %.4f", got)
	}
}

func TestNothingToGoBy(t *testing.T) {
	t.Parallel()
	for _, in := range [][]stay.Stay{nil, {{5, false, 10}}, {{5, true, 0}}, {{-1, true, 3}}} {
		c := stay.Curve(in)
		if len(c) != 0 || stay.Left(c, 5) != 1 {
			t.Errorf("%v gives %v", in, c)
		}
		if _, ok := stay.Quantile(c, .5); ok {
			t.Errorf("%v has a median", in)
		}
	}
	if c := stay.Curve([]stay.Stay{{0, true, 4}}); len(c) != 1 || c[0].Share != 0 || math.IsNaN(c[0].Low) {
		t.Errorf("all over at once: %v", c)
	}
}
