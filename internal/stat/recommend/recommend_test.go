package recommend_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Four users, four items, worked out by hand: 0 {a b}, 1 {a b c}, 2 {a c}, 3 {d}.
func small() *recommend.Matrix {
	return recommend.NewMatrix(4, 4, []recommend.Entry{{User: 1, Item: 2, Weight: 1}, {User: 0, Item: 0, Weight: 1}, {User: 0, Item: 1, Weight: 1}, {User: 1, Item: 0, Weight: 1},
		{User: 1, Item: 1, Weight: 1}, {User: 2, Item: 0, Weight: 1}, {User: 2, Item: 2, Weight: 2}, {User: 3, Item: 3, Weight: 1},
		{User: 9, Item: 0, Weight: 1}, {User: 0, Item: -1, Weight: 1}, {User: 3, Item: 3, Weight: 0}})
}

func TestMatrixAddsUpAndTurns(t *testing.T) {
	t.Parallel()
	m := recommend.NewMatrix(2, 3, []recommend.Entry{{User: 1, Item: 2, Weight: 1}, {User: 1, Item: 0, Weight: 2}, {User: 1, Item: 2, Weight: 3}})
	items, weights := m.Row(1)
	if !slices.Equal(items, []int32{0, 2}) || !slices.Equal(weights, []float32{2, 4}) || m.Len() != 2 {
		t.Errorf("row: %v %v", items, weights)
	}
	items, weights = m.Transpose().Row(2)
	if !slices.Equal(items, []int32{1}) || !slices.Equal(weights, []float32{4}) {
		t.Errorf("column: %v %v", items, weights)
	}
	if c := small().Counts(); !slices.Equal(c, []int32{3, 2, 2, 1}) {
		t.Errorf("counts: %v", c)
	}
}

func TestNeighboursByHand(t *testing.T) {
	t.Parallel()
	n := recommend.Neighbours(small(), recommend.Likeness{K: 3})
	// cos(a, b) = 2/√6, cos(a, c) = 2/√6, cos(b, c) = 1/2; d has nobody.
	near(t, "a b", float64(n[0][0].Score), 2/math.Sqrt(6), 1e-6)
	if n[0][0].Item != 1 || n[0][1].Item != 2 || len(n[0]) != 2 || len(n[3]) != 0 {
		t.Errorf("neighbours: %v", n)
	}
	shrunk := recommend.Neighbours(small(), recommend.Likeness{K: 1, Shrink: 3})
	near(t, "a b shrunk", float64(shrunk[0][0].Score), 2/math.Sqrt(6)*2/5, 1e-6)
	narrow := recommend.Neighbours(small(), recommend.Likeness{K: 3, Widest: 2}) // user 1 says nothing
	near(t, "a b narrow", float64(narrow[0][0].Score), 1/math.Sqrt(2), 1e-6)
	scores, why := recommend.Gather(n, []int32{1, 3}, []float32{1, 1})
	if scores[0].Item != 0 || why[0] != 1 || scores[1].Item != 2 || len(scores) != 2 {
		t.Errorf("gathered: %v %v", scores, why)
	}
	mixed := recommend.Mixed(slices.Clone(scores), []int32{0, 0, 3, 0}, 1) // four times 1/2 is more than 2/√6
	if mixed[0].Item != 2 || math.Abs(float64(mixed[0].Score)-2) > 1e-6 {
		t.Errorf("mixed: %v", mixed)
	}
}

func TestRulesByHand(t *testing.T) {
	t.Parallel()
	rules := recommend.Rules(small(), recommend.Basketry{Least: 2})
	if len(rules) != 2 {
		t.Fatalf("rules: %+v", rules)
	}
	r := rules[0]
	// From b (2 baskets) to a (3): both 2 of 4, confidence 1, lift 4/3. By chance: C(3,2)/C(4,2) = 1/2.
	if r.A != 1 || r.B != 0 {
		t.Errorf("the rule goes from the rarer item: %+v", r)
	}
	near(t, "support", r.Support(), .5, 1e-12)
	near(t, "confidence", r.Confidence(), 1, 1e-12)
	near(t, "reverse", r.Reverse(), 2./3, 1e-12)
	near(t, "lift", r.Lift(), 4./3, 1e-12)
	near(t, "p", r.P, .5, 1e-12)
	low, _ := recommend.Wilson(2, 2)
	near(t, "lower bound", r.LiftLow(), low*4/3, 1e-12)
	if r.LiftLow() > 1 {
		t.Error("two baskets are taken for more than chance")
	}
}

// Fisher's lady tasting tea, and a table whose value R's fisher.test(alternative = "greater") prints.
func TestFisher(t *testing.T) {
	t.Parallel()
	near(t, "tea, 4 of 4", recommend.Fisher(4, 4, 4, 8), 1./70, 1e-12)
	near(t, "tea, 3 of 4", recommend.Fisher(3, 4, 4, 8), 17./70, 1e-12)
	near(t, "certain", recommend.Fisher(0, 4, 4, 8), 1, 0)
	near(t, "impossible", recommend.Fisher(5, 4, 4, 8), 0, 0)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + random.IntN(60)
		a, b := random.IntN(n+1), random.IntN(n+1)
		k := random.IntN(min(a, b) + 1)
		sum := 0.0
		for x := k; x <= min(a, b); x++ {
			sum += exact(a, x) * exact(n-a, b-x) / exact(n, b)
		}
		near(t, "random table", recommend.Fisher(k, a, b, n), math.Min(sum, 1), 1e-9)
	}
	for _, v := range []float64{recommend.Fisher(900_000, 1_000_000, 1_000_000, 10_000_000), recommend.Fisher(1, 5_000_000, 5_000_000, 10_000_000)} {
		if math.IsNaN(v) || v < 0 || v > 1 {
			t.Errorf("large table: %v", v)
		}
	}
}

func exact(n, k int) float64 {
	if k < 0 || k > n {
		return 0
	}
	out := 1.0
	for i := range k {
		out = out * float64(n-i) / float64(i+1)
	}
	return out
}

func TestFalseRulesAreCounted(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	var entries []recommend.Entry
	for b := range int32(4000) { // thirty items without any connection, and a pair that is bought together
		for range 3 {
			entries = append(entries, recommend.Entry{User: b, Item: random.Int32N(30), Weight: 1})
		}
		if b%20 == 0 {
			entries = append(entries, recommend.Entry{User: b, Item: 30, Weight: 1}, recommend.Entry{User: b, Item: 31, Weight: 1})
		}
	}
	rules := recommend.Rules(recommend.NewMatrix(4000, 32, entries), recommend.Basketry{Least: 5})
	if rules[0].A != 30 || rules[0].B != 31 || rules[0].Q > 1e-50 {
		t.Errorf("the planted pair is not the surest: %+v", rules[0])
	}
	sure := 0
	for i := range rules {
		if rules[i].Q < .05 {
			sure++
		}
		if rules[i].Q < rules[i].P {
			t.Errorf("q below p: %+v", rules[i])
		}
	}
	if sure > 3 {
		t.Errorf("%d rules of nothing but chance are believed", sure)
	}
}

func TestJudgeByHand(t *testing.T) {
	t.Parallel()
	truth := [][]int32{{1}, {2, 3}, nil, {0}}
	lists := [][]int32{{0, 1, 2}, {2, 0, 3}, {9}, {}}
	q := recommend.Judge(4, 5, 2, func(u int) []int32 { return truth[u] }, func(u int) []int32 { return lists[u] })
	// User 0 has one right item in second place, user 1 two to be found and one in first place, user 3 none.
	first := 1 / math.Log2(3)
	second := 1 / (1 + 1/math.Log2(3))
	near(t, "users", float64(q.Users), 3, 0)
	near(t, "hit", q.Hit, 2./3, 1e-12)
	near(t, "ndcg", q.NDCG, (first+second)/3, 1e-12)
	near(t, "recall", q.Recall, (1+.5)/3, 1e-12)
	near(t, "coverage", q.Coverage, 3./5, 1e-12) // 0, 1 and 2
	if q := recommend.Judge(0, 0, 10, nil, nil); q != (recommend.Quality{}) {
		t.Errorf("nobody: %+v", q)
	}
}

func TestAgain(t *testing.T) {
	t.Parallel()
	taken := []recommend.Taken{{Item: 1, Days: []int64{10, 20}}, {Item: 2, Days: []int64{99}}, {Item: 3, Days: []int64{30, 90}}, {Item: 4}}
	order := func(half float64) (out []int32) {
		for _, s := range recommend.Again(taken, 100, half) {
			out = append(out, s.Item)
		}
		return out
	}
	if got := order(0); !slices.Equal(got, []int32{3, 1, 2}) {
		t.Errorf("by counts: %v", got)
	}
	if got := order(10); !slices.Equal(got, []int32{2, 3, 1}) {
		t.Errorf("by recency: %v", got)
	}
}

// Two groups of users with tastes of their own: what is like what a user took comes before everything else.
func TestFactorsFindTastes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	var entries []recommend.Entry
	for u := range int32(200) {
		for range 6 {
			entries = append(entries, recommend.Entry{User: u, Item: u%2*10 + random.Int32N(10), Weight: 1})
		}
	}
	m := recommend.NewMatrix(200, 20, entries)
	a := recommend.ALS{Factors: 2, Rounds: 10, Alpha: 10, Lambda: 1, Seed: 1}
	f, again := recommend.Fit(m, a), recommend.Fit(m, a)
	if !slices.Equal(f.Item, again.Item) {
		t.Error("the same matrix and seed give other factors")
	}
	user := f.User([]int32{1, 2, -3, 99}, []float32{1, 1, 1, 1})
	for own := range int32(10) {
		for other := int32(10); other < 20; other++ {
			if f.Score(user, own) <= f.Score(user, other) {
				t.Fatalf("item %d (%v) does not come before %d (%v)", own, f.Score(user, own), other, f.Score(user, other))
			}
		}
	}
	if n := f.Near(3, []int32{15, 4, 3}); n != 4 {
		t.Errorf("nearest to 3: %d", n)
	}
	kept := recommend.Restore(f.Size, f.Item, 10, 1)
	if !slices.Equal(kept.User([]int32{1, 2}, []float32{1, 1}), f.User([]int32{1, 2}, []float32{1, 1})) {
		t.Error("restored factors give another user")
	}
}

// The exact solution of a user is that of the normal equations, solved here by elimination.
func TestUserFactorsSolveTheNormalEquations(t *testing.T) {
	t.Parallel()
	const k, alpha, lambda = 4, 5.0, 0.5
	f := recommend.Fit(small(), recommend.ALS{Factors: k, Rounds: 5, Alpha: alpha, Lambda: lambda, Seed: 9})
	a := make([][]float64, k)
	for i := range a {
		a[i] = make([]float64, k+1)
		a[i][i] = lambda
	}
	took := map[int]float64{0: 1, 2: 2}
	for item := range 4 {
		y := f.Item[item*k : item*k+k]
		w := took[item]
		for i := range k {
			for j := range k {
				a[i][j] += (1 + alpha*w) * float64(y[i]) * float64(y[j])
			}
			if w > 0 {
				a[i][k] += (1 + alpha*w) * float64(y[i])
			}
		}
	}
	for i := range k {
		for r := i + 1; r < k; r++ {
			by := a[r][i] / a[i][i]
			for c := i; c <= k; c++ {
				a[r][c] -= by * a[i][c]
			}
		}
	}
	want := make([]float64, k)
	for i := k - 1; i >= 0; i-- {
		v := a[i][k]
		for c := i + 1; c < k; c++ {
			v -= a[i][c] * want[c]
		}
		want[i] = v / a[i][i]
	}
	for i, v := range f.User([]int32{0, 2}, []float32{1, 2}) {
		near(t, "factor", float64(v), want[i], 1e-3)
	}
}

func TestNothingIsLearnedFromNothing(t *testing.T) {
	t.Parallel()
	empty := recommend.NewMatrix(0, 0, nil)
	if len(recommend.Neighbours(empty, recommend.Likeness{K: 5})) != 0 || len(recommend.Rules(empty, recommend.Basketry{})) != 0 {
		t.Error("something from nothing")
	}
	f := recommend.Fit(empty, recommend.ALS{Factors: 4, Rounds: 2, Alpha: 1, Lambda: 1})
	if v := f.User([]int32{0}, []float32{1}); !slices.Equal(v, make([]float32, 4)) {
		t.Errorf("a user of nothing: %v", v)
	}
	same := make([]recommend.Entry, 50) // everybody takes the one item
	for i := range same {
		same[i] = recommend.Entry{User: int32(i), Weight: 1000}
	}
	one := recommend.Fit(recommend.NewMatrix(50, 1, same), recommend.ALS{Factors: 4, Rounds: 8, Alpha: 40, Lambda: .01})
	if v := one.Score(one.User([]int32{0}, []float32{1e6}), 0); v < .5 || v > 1.5 {
		t.Errorf("the only item: %v", v)
	}
}

// Gaps made with a known mean and known variances give them back, and eight in ten of the next gaps lie in the interval.
func TestRhythmIsRecovered(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	const mean, between, within = 4.0, .3, .2
	var g recommend.Gaps
	type pair struct {
		known []int64
		next  float64
	}
	var later []pair
	for range 20_000 {
		own := mean + math.Sqrt(between)*random.NormFloat64()
		gap := func() float64 { return math.Exp(own + math.Sqrt(within)*random.NormFloat64()) }
		p := pair{next: gap()}
		for range 1 + random.IntN(5) {
			p.known = append(p.known, int64(math.Round(gap())))
		}
		g.Add(p.known)
		later = append(later, p)
	}
	r, ok := g.Rhythm()
	if !ok {
		t.Fatal("no rhythm")
	}
	near(t, "mean", r.Mean, mean, .02)
	near(t, "between", r.Between, between, .02)
	near(t, "within", r.Within, within, .02)
	inside, closer, waited, met := 0, 0, 0, 0
	for _, p := range later {
		e := r.Next(p.known, 0)
		days := e.Days
		if p.next >= e.Low && p.next <= e.High {
			inside++
		}
		if p.next > 45 { // so long has passed, and nothing was bought
			waited++
			if e := r.Next(p.known, 45); p.next >= e.Low && p.next <= e.High && e.Low >= 45 {
				met++
			}
		}
		last := float64(p.known[len(p.known)-1])
		if math.Abs(math.Log(p.next/days)) < math.Abs(math.Log(p.next/last)) {
			closer++
		}
	}
	near(t, "coverage of 80 %", float64(inside)/float64(len(later)), .8, .015)
	near(t, "coverage of 80 % after 45 days", float64(met)/float64(waited), .8, .015)
	if closer*2 < len(later) {
		t.Errorf("the last gap foretells better in %d of %d cases", len(later)-closer, len(later))
	}
}

func TestRhythmOfExtremes(t *testing.T) {
	t.Parallel()
	var none, same, few recommend.Gaps
	if _, ok := none.Rhythm(); ok {
		t.Error("a rhythm of nothing")
	}
	few.Add([]int64{3, 4})
	if _, ok := few.Rhythm(); ok {
		t.Error("a rhythm of two gaps")
	}
	for range 40 {
		same.Add([]int64{30, 30, 30})
	}
	r, ok := same.Rhythm()
	e := r.Next([]int64{30, 30}, 0)
	if !ok || math.Abs(e.Days-30) > 1e-6 || !(e.Low < 30 && e.High > 30 && e.High < 32) || e.Broken {
		t.Errorf("of equal gaps: %+v %v", e, ok)
	}
	if e := r.Next([]int64{30, 30}, 400); !e.Broken || math.IsNaN(e.Days) || e.Days < 400 {
		t.Errorf("long after: %+v", e)
	}
	e = r.Next([]int64{0, 1 << 40}, 1e9)
	if math.IsInf(e.High, 0) || math.IsNaN(e.Days) || e.Low < 0 {
		t.Errorf("of a gap without end: %+v", e)
	}
}
