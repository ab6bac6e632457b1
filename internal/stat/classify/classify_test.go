package classify_test

import (
	"encoding/csv"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/classify"
	"github.com/guanxi-crm/guanxi/internal/stat/gain"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s: got %.6f, want %.6f ± %g", what, got, want, tolerance)
	}
}

// telco reads the customers of a telephone company: columns are one-hot, folds by the CRC of the id.
func telco(t *testing.T) (table *classify.Table, y []bool, fold []int) {
	t.Helper()
	f, err := os.Open("../../../../shared/data/telco/Telco-Customer-Churn.csv")
	if err != nil {
		t.Skip("../shared/data is absent")
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head, rows := rows[0], rows[1:]
	numeric := []string{"SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges"}
	levels := make([][]string, len(head))
	columns := 0
	for c := 1; c < len(head)-1; c++ {
		if slices.Contains(numeric, head[c]) {
			columns++
			continue
		}
		for _, r := range rows {
			if !slices.Contains(levels[c], r[c]) {
				levels[c] = append(levels[c], r[c])
			}
		}
		columns += len(levels[c])
	}
	table = classify.NewTable(columns, len(rows))
	for _, r := range rows {
		var row []float64
		for c := 1; c < len(head)-1; c++ {
			if levels[c] == nil {
				v, _ := strconv.ParseFloat(r[c], 64) // blank counts as 0
				row = append(row, v)
				continue
			}
			for _, l := range levels[c] {
				row = append(row, map[bool]float64{true: 1}[l == r[c]])
			}
		}
		table.Add(row)
		y = append(y, r[len(head)-1] == "Yes")
		fold = append(fold, int(crc32.ChecksumIEEE([]byte(r[0]))%5))
	}
	return table, y, fold
}

func parted(table *classify.Table, y []bool, in func(i int) bool) (*classify.Table, []bool) {
	var rows []int
	var labels []bool
	for i := range y {
		if in(i) {
			rows, labels = append(rows, i), append(labels, y[i])
		}
	}
	return table.Take(rows, nil), labels
}

func TestTelcoLogistic(t *testing.T) {
	t.Parallel()
	table, y, fold := telco(t)
	var mean float64
	var all, platt []float64
	var labels []bool
	for k, want := range []float64{.8352, .8506, .8459, .8623, .8342} {
		train, ty := parted(table, y, func(i int) bool { return fold[i] != k })
		test, hy := parted(table, y, func(i int) bool { return fold[i] == k })
		m := classify.FitLogistic(train, ty, 1)
		scores := classify.Scores(m, test)
		auc, ok := gain.AUC(scores, hy)
		if !ok {
			t.Fatal("no AUC")
		}
		near(t, "AUC of fold "+strconv.Itoa(k), auc, want, .003)
		mean += auc / 5
		all = append(all, classify.Probabilities(scores)...)
		labels = append(labels, hy...)
		p := classify.FitPlatt(classify.Scores(m, train), ty)
		for _, s := range scores {
			platt = append(platt, p.Probability(s))
		}
	}
	near(t, "AUC", mean, .8457, .003)
	near(t, "Brier", classify.Brier(all, labels), .1356, .001)
	near(t, "Brier after Platt", classify.Brier(platt, labels), .1356, .001)
	lift, _ := classify.Lift(all, labels, .1)
	near(t, "lift", lift, 2.88, .05)
	for _, b := range classify.Calibration(all, labels, 10) {
		near(t, "calibration", b.Came, b.Said, .05)
	}
	pr, ok := classify.PRAUC(all, labels)
	if !ok || pr < .63 || pr > .68 {
		t.Errorf("precision over recall is %.4f", pr)
	}
}

func TestTelcoTrees(t *testing.T) {
	t.Parallel()
	table, y, fold := telco(t)
	var mean float64
	for k := range 5 {
		train, ty := parted(table, y, func(i int) bool { return fold[i] != k && (fold[i] != (k+1)%5 || i%2 == 0) })
		held, vy := parted(table, y, func(i int) bool { return fold[i] == (k+1)%5 && i%2 == 1 })
		test, hy := parted(table, y, func(i int) bool { return fold[i] == k })
		b := classify.DefaultBoost()
		b.Depth = 3
		m := classify.FitTrees(train, ty, held, vy, b)
		auc, _ := gain.AUC(classify.Scores(m, test), hy)
		mean += auc / 5
		again := classify.FitTrees(train, ty, held, vy, b)
		if !slices.Equal(classify.Scores(m, test), classify.Scores(again, test)) {
			t.Error("the same input gave other trees")
		}
	}
	near(t, "AUC of trees", mean, .8488, .003)
}

func TestContributionsSumToTheScore(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	table := classify.NewTable(4, 2000)
	var y []bool
	for range 2000 {
		row := []float64{r.NormFloat64(), r.Float64() * 100, float64(r.IntN(3)), 7}
		table.Add(row)
		y = append(y, r.Float64() < classify.Sigmoid(row[0]+(row[1]-50)/30))
	}
	for _, m := range []classify.Model{classify.FitLogistic(table, y, 1), classify.FitTrees(table, y, nil, nil, classify.DefaultBoost())} {
		for i := range 200 {
			base, parts := m.Contributions(table.Row(i))
			for _, p := range parts {
				base += p
			}
			near(t, "sum of contributions", base, m.Score(table.Row(i)), 1e-9)
			if parts[3] != 0 {
				t.Error("a constant column contributes")
			}
		}
	}
}

func TestLogisticRecoversTheTruth(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	table := classify.NewTable(2, 60000)
	var y []bool
	for range 60000 {
		a, b := r.NormFloat64(), r.NormFloat64()*5+20
		table.Add([]float64{a, b})
		y = append(y, r.Float64() < classify.Sigmoid(-1+0.8*a-0.1*(b-20)))
	}
	m := classify.FitLogistic(table, y, 1)
	near(t, "weight", m.Weights[0]/m.Deviation[0], 0.8, .04)
	near(t, "weight", m.Weights[1]/m.Deviation[1], -0.1, .01)
	near(t, "intercept", m.Score([]float64{0, 20}), -1, .05)
}

func TestMeasuresByHand(t *testing.T) {
	t.Parallel()
	y := []bool{true, false, true, false}
	auc, _ := gain.AUC([]float64{.9, .5, .5, .1}, y)
	near(t, "AUC with a tie", auc, .875, 1e-12)
	pr, _ := classify.PRAUC([]float64{.9, .5, .5, .1}, y)
	near(t, "average precision", pr, .5*1+.5*2/3, 1e-12)
	lift, _ := classify.Lift([]float64{.9, .5, .5, .1}, y, .5)
	near(t, "lift with a tie at the border", lift, 1.5, 1e-12)
	near(t, "Brier", classify.Brier([]float64{1, 0, .5, .5}, y), .125, 1e-12)
	if _, ok := gain.AUC([]float64{1, 2}, []bool{true, true}); ok {
		t.Error("an AUC of one kind")
	}
	iso := classify.FitIsotonic([]float64{1, 2, 3, 4}, []bool{false, true, false, true})
	near(t, "isotonic", iso.Probability(2.5), .5, 1e-12)
	near(t, "isotonic above", iso.Probability(9), 1, 1e-12)
	near(t, "isotonic below", iso.Probability(-9), 0, 1e-12)
}

func TestPlattCalibrates(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var scores []float64
	var y []bool
	for range 50000 {
		s := r.NormFloat64() * 3
		scores = append(scores, s)
		y = append(y, r.Float64() < classify.Sigmoid(0.5*s-2))
	}
	p := classify.FitPlatt(scores, y)
	near(t, "slope", p.Slope, .5, .02)
	near(t, "offset", p.Offset, -2, .05)
}

// Whatever comes, numbers stay numbers.
func TestExtremes(t *testing.T) {
	t.Parallel()
	cases := map[string]func(i int) ([]float64, bool){
		"constant":     func(i int) ([]float64, bool) { return []float64{3, 0}, i%2 == 0 },
		"all positive": func(i int) ([]float64, bool) { return []float64{float64(i), 1}, true },
		"none":         func(i int) ([]float64, bool) { return []float64{float64(i), 1}, false },
		"separable":    func(i int) ([]float64, bool) { return []float64{float64(i), 1e15}, i > 50 },
		"not numbers":  func(i int) ([]float64, bool) { return []float64{math.NaN(), math.Inf(1)}, i%3 == 0 },
		"twice":        func(i int) ([]float64, bool) { return []float64{float64(i % 9), float64(i % 9)}, i%9 > 3 },
	}
	for name, of := range cases {
		for _, n := range []int{0, 1, 2, 100} {
			table := classify.NewTable(2, n)
			var y []bool
			for i := range n {
				row, label := of(i)
				table.Add(row)
				y = append(y, label)
			}
			for _, m := range []classify.Model{classify.FitLogistic(table, y, 1), classify.FitTrees(table, y, table, y, classify.DefaultBoost())} {
				scores := classify.Scores(m, table)
				platt, iso := classify.FitPlatt(scores, y), classify.FitIsotonic(scores, y)
				for _, s := range scores {
					for _, p := range []float64{classify.Sigmoid(s), platt.Probability(s), iso.Probability(s)} {
						if math.IsNaN(p) || p < 0 || p > 1 {
							t.Fatalf("%s of %d: probability %v of score %v", name, n, p, s)
						}
					}
				}
			}
		}
	}
}
