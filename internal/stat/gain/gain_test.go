package gain_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/stat/gain"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 1e-12 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestAUCCountsPairs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		score, hit := make([]float64, n), make([]bool, n)
		for i := range n {
			score[i], hit[i] = float64(rapid.IntRange(0, 4).Draw(t, "score")), rapid.Bool().Draw(t, "hit")
		}
		var good, pairs float64
		for i := range n {
			for j := range n {
				if hit[i] && !hit[j] {
					pairs++
					switch {
					case score[i] > score[j]:
						good++
					case score[i] == score[j]:
						good += 0.5
					}
				}
			}
		}
		auc, ok := gain.AUC(score, hit)
		if ok != (pairs > 0) || ok && math.Abs(auc-good/pairs) > 1e-12 {
			t.Fatalf("AUC %v %v, want %v of %v pairs", auc, ok, good, pairs)
		}
	})
}

func TestDecilesKeepEqualsTogether(t *testing.T) {
	t.Parallel()
	if got := gain.Deciles([]float64{5, 4, 3, 2, 1, 10, 9, 8, 7, 6}); !slices.Equal(got, []int{6, 7, 8, 9, 10, 1, 2, 3, 4, 5}) {
		t.Errorf("ten different scores: %v", got)
	}
	if got := gain.Deciles([]float64{0, 0, 0, 7}); !slices.Equal(got, []int{3, 3, 3, 1}) {
		t.Errorf("equal scores: %v", got)
	}
	if got := gain.Deciles(nil); len(got) != 0 {
		t.Errorf("nobody: %v", got)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	even, ok := gain.SpreadOf([]float64{3, 3, 3, 3}, 4)
	if !ok {
		t.Fatal("an even sum is not spread")
	}
	near(t, "Gini of equals", even.Gini, 0)
	near(t, "top tenth of equals", even.Top, 0.1)
	near(t, "half of equals", even.Lorenz[2], 0.5)
	one, _ := gain.SpreadOf([]float64{0, 0, 0, 8, -5}, 10)
	near(t, "Gini when one has all", one.Gini, 0.8)
	near(t, "top tenth when one of five has all", one.Top, 0.5)
	near(t, "the end", one.Lorenz[10], 1)
	if _, ok := gain.SpreadOf([]float64{0, -1}, 4); ok {
		t.Error("nothing is spread")
	}
	if _, ok := gain.SpreadOf(nil, 4); ok {
		t.Error("nobody is spread over")
	}
}
