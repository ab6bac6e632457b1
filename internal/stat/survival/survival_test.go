package survival_test

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/survival"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s: got %.8f, want %.8f ± %g", what, got, want, tolerance)
	}
}

func TestTelco(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../../../shared/data/telco/Telco-Customer-Churn.csv")
	if err != nil {
		t.Skip("../shared/data is absent")
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var times []int64
	var ended []bool
	for _, r := range rows[1:] {
		n, err := strconv.ParseInt(r[5], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		times, ended = append(times, n), append(ended, r[20] == "Yes")
	}
	curve := survival.Curve(survival.Tally(times, ended))
	near(t, "S(12)", survival.At(curve, 12), .843200, 1e-6)
	near(t, "S(24)", survival.At(curve, 24), .788736, 1e-6)
	near(t, "S(72)", survival.At(curve, 72), .592790, 1e-6)
	if _, ok := survival.Median(curve); ok {
		t.Error("the median is not reached")
	}
}

// The leukaemia trial of Freireich (1963), as in Cox & Oakes and Collett: 6-MP against placebo.
func TestLeukaemia(t *testing.T) {
	t.Parallel()
	drug := survival.Tally([]int64{6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35},
		[]bool{true, true, true, false, true, false, true, false, false, true, true, false, false, false, true, true, false, false, false, false, false})
	placebo := survival.Tally([]int64{1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23},
		[]bool{true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true})
	curve := survival.Curve(drug)
	near(t, "S(6)", survival.At(curve, 6), .8571, 1e-4)
	near(t, "S(22)", survival.At(curve, 22), .5378, 1e-4)
	near(t, "standard error at 6", curve[0].Error, .0764, 1e-4)
	near(t, "lower bound at 6", curve[0].Low, .7198, 2e-4)
	if m, ok := survival.Median(survival.Curve(placebo)); !ok || m != 8 {
		t.Errorf("median of placebo %d", m)
	}
	test, ok := survival.LogRank([][]survival.Count{drug, placebo})
	if !ok || test.Freedom != 1 {
		t.Fatalf("log-rank %+v", test)
	}
	near(t, "chi square", test.Chi2, 16.79, .01)
	near(t, "expected of the drug", test.Expected[0], 19.25, .01)
	if test.P > 5e-5 || test.P < 3e-5 {
		t.Errorf("p %g", test.P)
	}
}

func TestChiSquareTail(t *testing.T) {
	t.Parallel()
	near(t, "1", survival.ChiSquareTail(3.841458820694124, 1), .05, 1e-9)
	near(t, "3", survival.ChiSquareTail(7.814727903251179, 3), .05, 1e-9)
	near(t, "10", survival.ChiSquareTail(2, 10), .99634015317, 1e-9)
	near(t, "0", survival.ChiSquareTail(0, 4), 1, 0)
}

func TestExtremes(t *testing.T) {
	t.Parallel()
	if len(survival.Curve(nil)) != 0 || survival.At(nil, 9) != 1 {
		t.Error("nobody")
	}
	all := survival.Tally([]int64{0, 0, 0}, []bool{true, true, true})
	curve := survival.Curve(all)
	if len(curve) != 1 || curve[0].Survival != 0 || math.IsNaN(curve[0].Error) {
		t.Errorf("all at once: %+v", curve)
	}
	none := survival.Tally([]int64{4, 9}, []bool{false, false})
	if _, ok := survival.LogRank([][]survival.Count{none, none}); ok {
		t.Error("nobody ended, yet groups were compared")
	}
	if _, ok := survival.LogRank([][]survival.Count{all, nil}); ok {
		t.Error("one group was compared with nobody")
	}
	if test, ok := survival.LogRank([][]survival.Count{all, none, survival.Tally([]int64{2, 5}, []bool{true, true})}); !ok || test.Freedom != 2 || math.IsNaN(test.P) {
		t.Errorf("three groups: %+v", test)
	}
}
