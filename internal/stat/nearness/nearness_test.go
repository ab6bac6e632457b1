package nearness_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/nearness"
)

// drawn are rows of known weights: who belongs is drawn by the logistic chance of them.
func drawn(n int, bias float64, weights ...float64) (rows [][]float64, label []bool) {
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		x := make([]float64, len(weights))
		z := bias
		for i := range x {
			x[i] = r.NormFloat64()
			z += weights[i] * x[i]
		}
		rows, label = append(rows, x), append(label, r.Float64() < 1/(1+math.Exp(-z)))
	}
	return rows, label
}

func TestWeightsAreFoundAgain(t *testing.T) {
	t.Parallel()
	want := []float64{1.5, -1, 0, 0.5}
	rows, label := drawn(40_000, 0, want...)
	f := nearness.Learn(rows, label, 1e-6)
	if !f.OK || f.AUC < 0.8 || f.AUC > 0.95 {
		t.Fatalf("%+v", f)
	}
	for i, w := range f.Weights {
		if math.Abs(w-want[i]) > 0.06 {
			t.Errorf("weight %d is %v, was %v", i, w, want[i])
		}
	}
}

func TestNothingToLearn(t *testing.T) {
	t.Parallel()
	rows, label := drawn(500, 0, 0, 0)
	if f := nearness.Learn(rows, label, 1e-3); !f.OK || math.Abs(f.AUC-0.5) > 0.15 {
		t.Errorf("noise: %+v", f)
	}
	constant := make([][]float64, 100)
	halves := make([]bool, 100)
	apart := make([][]float64, 100)
	for i := range constant {
		constant[i], halves[i], apart[i] = []float64{0, 3}, i%2 == 0, []float64{float64(i % 2)}
	}
	if f := nearness.Learn(constant, halves, 1e-3); f.OK && math.Abs(f.AUC-0.5) > 1e-9 {
		t.Errorf("constant: %+v", f)
	}
	if f := nearness.Learn(apart, halves, 1e-3); !f.OK || f.AUC != 1 || math.IsInf(f.Weights[0], 0) || f.Weights[0] >= 0 {
		t.Errorf("perfectly apart: %+v", f)
	}
	if nearness.Learn(rows[:12], make([]bool, 12), 1e-3).OK || nearness.Learn(nil, nil, 1).OK {
		t.Error("learned from nobody")
	}
}
