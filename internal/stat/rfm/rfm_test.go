package rfm_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
)

func TestQuintilesOfDistinctValues(t *testing.T) {
	t.Parallel()
	values := make([]int64, 100)
	for i := range values {
		values[i] = int64(i + 1)
	}
	cuts := rfm.CutsOf(values)
	if want := (rfm.Cuts{20, 40, 60, 80}); cuts != want {
		t.Fatalf("cuts %v, want %v", cuts, want)
	}
	counts := map[int]int{}
	for _, v := range values {
		counts[cuts.Score(v)]++
		if cuts.Score(v)+cuts.ScoreReversed(v) != 6 {
			t.Fatalf("score and reversed score of %d do not add up to 6", v)
		}
	}
	for s := 1; s <= 5; s++ {
		if counts[s] != 20 {
			t.Errorf("score %d is given %d times, want 20", s, counts[s])
		}
	}
}

func TestTiesShareAScore(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		values []int64
		cuts   rfm.Cuts
		scores map[int64]int
	}{
		{"all equal", []int64{7, 7, 7}, rfm.Cuts{7, 7, 7, 7}, map[int64]int{7: 1}},
		{"nine in ten bought once", []int64{1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, rfm.Cuts{1, 1, 1, 1}, map[int64]int{1: 1, 2: 5}},
		{"two halves", []int64{1, 1, 2, 2}, rfm.Cuts{1, 1, 2, 2}, map[int64]int{1: 1, 2: 3}},
		{"one customer", []int64{5}, rfm.Cuts{5, 5, 5, 5}, map[int64]int{5: 1}},
		{"nobody", nil, rfm.Cuts{}, map[int64]int{1: 5}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cuts := rfm.CutsOf(c.values)
			if cuts != c.cuts {
				t.Fatalf("cuts %v, want %v", cuts, c.cuts)
			}
			for v, want := range c.scores {
				if got := cuts.Score(v); got != want {
					t.Errorf("score of %d is %d, want %d", v, got, want)
				}
			}
		})
	}
}

// The definition, straight from the words: the k-th cut is the smallest value with at least k fifths of all at or below it.
func TestCutsMeetTheDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-5, 30), 1, 80).Draw(t, "values")
		cuts := rfm.CutsOf(values)
		for k := 1; k < rfm.Scores; k++ {
			var best *int64
			for _, v := range values {
				n := 0
				for _, w := range values {
					if w <= v {
						n++
					}
				}
				if n*rfm.Scores >= k*len(values) && (best == nil || v < *best) {
					best = &v
				}
			}
			if *best != cuts[k-1] {
				t.Fatalf("cut %d is %d, want %d", k, cuts[k-1], *best)
			}
		}
		if !cuts.Valid() {
			t.Fatal("cuts do not ascend")
		}
		sorted := slices.Sorted(slices.Values(values))
		for i := 1; i < len(sorted); i++ {
			if cuts.Score(sorted[i]) < cuts.Score(sorted[i-1]) {
				t.Fatal("a greater value has a lower score")
			}
		}
	})
}

func TestFitScoresThreeDimensions(t *testing.T) {
	t.Parallel()
	var customers []rfm.Customer
	for i := range int64(10) {
		customers = append(customers, rfm.Customer{Recency: i * 10, Frequency: 10 - i, Monetary: 100 * (10 - i)})
	}
	m := rfm.Fit(customers)
	if r, f, v := m.Score(customers[0]); r != 5 || f != 5 || v != 5 {
		t.Errorf("the best customer has %d%d%d", r, f, v)
	}
	if r, f, v := m.Score(customers[9]); r != 1 || f != 1 || v != 1 {
		t.Errorf("the worst customer has %d%d%d", r, f, v)
	}
	if (rfm.Model{Recency: rfm.Cuts{3, 2, 1, 0}}).Valid() {
		t.Error("falling cuts are valid")
	}
}

func TestSegmentsAreNamedByHighScores(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for r := 1; r <= 5; r++ {
		for f := 1; f <= 5; f++ {
			for m := 1; m <= 5; m++ {
				seen[rfm.Segment(r, f, m)]++
			}
		}
	}
	total := 0
	for _, k := range rfm.Segments() {
		if seen[k] == 0 {
			t.Errorf("%s never occurs", k)
		}
		total += seen[k]
	}
	if total != 125 || len(seen) != 8 {
		t.Errorf("%d cells in %d segments", total, len(seen))
	}
	if rfm.Segment(5, 4, 3) != "general_value" || rfm.Segment(1, 1, 5) != "important_win_back" {
		t.Error("a cell has the wrong name")
	}
}
