package btyd_test

import (
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/stat/btyd"
)

const shared = "../../../../shared/data"

func open(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Open(shared + "/cdnow/" + name)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(shared); err == nil {
			t.Fatalf("%s is missing though the folder is there", name)
		}
		t.Skip("../shared/data is absent: the CDNOW anchors are not tested")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// summary is the published file: rows and mean values.
func summary(t testing.TB) ([]btyd.Row, []btyd.Spend) {
	t.Helper()
	all, err := csv.NewReader(open(t, "cdnow_customers_summary_with_transactions.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []btyd.Row
	var spends []btyd.Spend
	for _, rec := range all[1:] {
		x := int(number(t, rec[1]))
		rows = append(rows, btyd.Row{X: x, Recency: number(t, rec[2]), Age: number(t, rec[3])})
		spends = append(spends, btyd.Spend{X: x, Mean: number(t, rec[4])})
	}
	return rows, spends
}

// purchases counts the sample of purchases itself: rows and means at the end of September 1997, and the days with a purchase in the 39 weeks after.
func purchases(t testing.TB) (rows []btyd.Row, spends []btyd.Spend, later []float64) {
	t.Helper()
	data, err := os.ReadFile(open(t, "CDNOW_sample.txt").Name())
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC)
	held := end.AddDate(0, 0, 39*7)
	days := map[string]map[time.Time]float64{}
	var order []string
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		day, err := time.Parse("20060102", f[2])
		if err != nil {
			t.Fatal(err)
		}
		if days[f[1]] == nil {
			days[f[1]] = map[time.Time]float64{}
			order = append(order, f[1])
		}
		days[f[1]][day] += number(t, f[4])
	}
	for _, who := range order {
		var all []time.Time
		for d := range days[who] { // a day with a free copy counts as published
			all = append(all, d)
		}
		slices.SortFunc(all, time.Time.Compare)
		first, last, x, sum, after := all[0], all[0], 0, 0.0, 0.0
		for _, d := range all[1:] {
			switch {
			case !d.After(end):
				x, last, sum = x+1, d, sum+days[who][d]
			case !d.After(held):
				after++
			}
		}
		s := btyd.Spend{X: x}
		if x > 0 {
			s.Mean = sum / float64(x)
		}
		rows = append(rows, btyd.Row{X: x, Recency: last.Sub(first).Hours() / 168, Age: end.Sub(first).Hours() / 168})
		spends, later = append(spends, s), append(later, after)
	}
	return rows, spends, later
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.7g, want %.7g ± %.3g", what, got, want, tolerance)
	}
}

func within(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	near(t, what, got, want, math.Abs(want)*share)
}

func params(t *testing.T, f btyd.Fit, r, alpha, a, b, ll float64) {
	t.Helper()
	near(t, "log-likelihood", f.LogLikelihood, ll, 0.01)
	within(t, "r", f.R, r, 0.005)
	within(t, "alpha", f.Alpha, alpha, 0.005)
	within(t, "a", f.A, a, 0.005)
	within(t, "b", f.B, b, 0.005)
	if f.NoDropout || f.Alike || f.Degenerate {
		t.Errorf("the fit says no dropout %v, alike %v, degenerate %v", f.NoDropout, f.Alike, f.Degenerate)
	}
}

func TestCDNOWCounts(t *testing.T) {
	t.Parallel()
	rows, _ := summary(t)
	f := btyd.FitCounts(btyd.BG, rows)
	params(t, f, 0.242593, 4.413532, 0.792886, 2.425754, -9582.425561)
	if f.Customers != 2357 || f.Repeaters != 946 || f.Repeats != 2457 {
		t.Errorf("%d customers, %d repeaters, %d repeats; want 2357, 946, 2457", f.Customers, f.Repeaters, f.Repeats)
	}
	exact, _, _ := purchases(t)
	params(t, btyd.FitCounts(btyd.BG, exact), 0.2425945, 4.4136021, 0.7929220, 2.4259066, -9582.429207)
}

func TestCDNOWUnitOfTime(t *testing.T) {
	t.Parallel()
	rows, _ := summary(t)
	for i := range rows {
		rows[i].Recency, rows[i].Age = rows[i].Recency*7, rows[i].Age*7
	}
	f := btyd.FitCounts(btyd.BG, rows)
	within(t, "alpha in days", f.Alpha, 7*4.413532, 0.005)
	near(t, "log-likelihood in days", f.LogLikelihood, -9582.425561-2457*math.Log(7), 0.01)
}

func TestCDNOWExpectations(t *testing.T) {
	t.Parallel()
	p := btyd.Params{Kind: btyd.BG, R: 0.242593, Alpha: 4.413532, A: 0.792886, B: 2.425754}
	for week, want := range map[float64]float64{1: 0.0532, 3: 0.1506, 32: 1.0437, 78: 1.858} {
		within(t, "expected after "+strconv.Itoa(int(week)), p.Ahead(week), want, 0.001)
	}
	one := btyd.Row{X: 2, Recency: 30.43, Age: 38.86}
	within(t, "customer 1", p.Expected(one, 39), 1.2259, 0.001)
}

// auc is the probability that a buyer stands before another, ties half.
func auc(score []float64, buys []float64) float64 {
	at := make([]int, len(score))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return int(math.Copysign(1, score[a]-score[b])) * b2i(score[a] != score[b]) })
	var ranks, n, m float64
	for i := 0; i < len(at); {
		j := i
		for j < len(at) && score[at[j]] == score[at[i]] {
			j++
		}
		for _, k := range at[i:j] {
			if buys[k] > 0 {
				ranks += float64(i+j+1) / 2
				n++
			} else {
				m++
			}
		}
		i = j
	}
	return (ranks - n*(n+1)/2) / (n * m)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestCDNOWHeldOut(t *testing.T) {
	t.Parallel()
	rows, _, later := purchases(t)
	f := btyd.FitCounts(btyd.BG, rows)
	var expected, actual float64
	e, recency, alive := make([]float64, len(rows)), make([]float64, len(rows)), make([]float64, len(rows))
	for i, r := range rows {
		e[i] = f.Expected(r, 39)
		recency[i] = r.Recency - r.Age // the fewer days since the last purchase the better
		alive[i] = f.Alive(r)
		expected += e[i]
		actual += later[i]
	}
	within(t, "expected in the held-out weeks", expected, 1653.42, 0.001)
	near(t, "actual", actual, 1882, 0)
	near(t, "AUC by expectation", auc(e, later), .7725, .003)
	near(t, "AUC by recency", auc(recency, later), .7714, .003)
	near(t, "AUC by P(alive)", auc(alive, later), .3158, .003)
}

func TestCDNOWMoney(t *testing.T) {
	t.Parallel()
	rows, spends := summary(t)
	m := btyd.FitMoney(spends)
	near(t, "log-likelihood of money", m.LogLikelihood, -4055.92, 0.01)
	within(t, "p", m.P, 6.25, 0.005)
	within(t, "q", m.Q, 3.74, 0.005)
	within(t, "gamma", m.Gamma, 15.44, 0.005)
	if m.Customers != 946 {
		t.Errorf("%d customers with a repeat, want 946", m.Customers)
	}
	published := btyd.Money{P: 6.25, Q: 3.74, Gamma: 15.44}
	for i, want := range []float64{24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17} {
		within(t, "mean of customer "+strconv.Itoa(i+1), published.Expected(spends[i].X, spends[i].Mean), want, 0.002)
		within(t, "fitted mean of customer "+strconv.Itoa(i+1), m.Expected(spends[i].X, spends[i].Mean), want, 0.005)
	}
	f := btyd.FitCounts(btyd.BG, rows)
	l := btyd.NewLifetime(f.Params, btyd.Horizon{Months: 12, Month: btyd.WeeksPerMonth, Discount: 0.01, Timing: btyd.EndOfMonth})
	var sum float64
	for i, r := range rows {
		sum += l.Purchases(r) * m.Expected(spends[i].X, spends[i].Mean)
	}
	within(t, "lifetime value of all", sum, 71509.90, 0.001)
}

// simulate draws customers of known parameters.
func simulate(p btyd.Params, n int, seed uint64) []btyd.Row {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]btyd.Row, n)
	for i := range out {
		age := 20 + 60*rng.Float64()
		age = math.Round(age*7) / 7
		rate := gamma(rng, p.R) / p.Alpha
		leave := 0.0
		if p.A > 0 {
			x, y := gamma(rng, p.A), gamma(rng, p.B)
			leave = x / (x + y)
		}
		r := btyd.Row{Age: age}
		at, there := 0.0, p.Kind != btyd.MBG || rng.Float64() >= leave
		for there {
			at += rng.ExpFloat64() / rate
			if at > age {
				break
			}
			r.X, r.Recency = r.X+1, at
			there = rng.Float64() >= leave
		}
		out[i] = r
	}
	return out
}

// gamma draws by Marsaglia and Tsang.
func gamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(rng, shape+1) * math.Pow(1-rng.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := math.Pow(1+c*x, 3)
		if v > 0 && math.Log(1-rng.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func TestKnownParametersAreRecovered(t *testing.T) {
	t.Parallel()
	for _, p := range []btyd.Params{
		{Kind: btyd.BG, R: 0.8, Alpha: 6, A: 0.9, B: 3},
		{Kind: btyd.BG, R: 2.5, Alpha: 20, A: 1.8, B: 9},
		{Kind: btyd.MBG, R: 0.7, Alpha: 5, A: 0.6, B: 2.2},
	} {
		rows := simulate(p, 40_000, 7)
		f := btyd.FitCounts(p.Kind, rows)
		if f.LogLikelihood < p.LogLikelihood(rows)-1e-6 {
			t.Errorf("%+v: the fit is less likely than the truth", p)
		}
		within(t, "r", f.R, p.R, 0.06)
		within(t, "alpha", f.Alpha, p.Alpha, 0.06)
		within(t, "mean dropout", f.A/(f.A+f.B), p.A/(p.A+p.B), 0.05)
		// What matters: a year ahead.
		within(t, "a year ahead", f.Ahead(52), p.Ahead(52), 0.02)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	truth := btyd.Money{P: 5, Q: 4, Gamma: 60}
	var spends []btyd.Spend
	for range 60_000 {
		x := 1 + rng.IntN(30)
		nu := gamma(rng, truth.Q) / truth.Gamma
		spends = append(spends, btyd.Spend{X: x, Mean: gamma(rng, truth.P*float64(x)) / nu / float64(x)})
	}
	m := btyd.FitMoney(spends)
	within(t, "p", m.P, truth.P, 0.15) // the surface is flat along p·gamma
	within(t, "p·gamma", m.P*m.Gamma, truth.P*truth.Gamma, 0.03)
	within(t, "q", m.Q, truth.Q, 0.05)
	within(t, "population mean", m.Population(), truth.Population(), 0.02)
}

// direct is the conditional expectation as it is printed in the literature, with the hypergeometric series summed plainly.
func direct(p btyd.Params, r btyd.Row, t float64) float64 {
	x := float64(r.X)
	k := x
	if p.Kind == btyd.MBG {
		k++
	}
	a, b, c, z := p.R+x, p.B+k, p.A+p.B+k-1, t/(p.Alpha+r.Age+t)
	term, sum := 1.0, 1.0
	for n := 0.0; n < 100_000 && math.Abs(term) > 1e-16*sum; n++ {
		term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
		sum += term
	}
	odds := 0.0
	if k > 0 {
		odds = p.A / (p.B + k - 1) * math.Pow((p.Alpha+r.Age)/(p.Alpha+r.Recency), a)
	}
	return c / (p.A - 1) * (1 - math.Pow(1-z, a)*sum) / (1 + odds)
}

func TestExpectationAgreesWithThePrintedForm(t *testing.T) {
	t.Parallel()
	for _, kind := range []btyd.Kind{btyd.BG, btyd.MBG} {
		for _, p := range []btyd.Params{{R: .243, Alpha: 4.414, A: .793, B: 2.426}, {R: 3, Alpha: 10, A: 2.5, B: 4}, {R: .1, Alpha: .4, A: .3, B: .5}} {
			p.Kind = kind
			for _, r := range []btyd.Row{{Age: 1}, {Age: 38}, {X: 2, Recency: 30, Age: 38}, {X: 20, Recency: 30, Age: 38}} {
				for _, ahead := range []float64{1, 39, 200} {
					within(t, "expectation", p.Expected(r, ahead), direct(p, r, ahead), 1e-7)
				}
			}
		}
	}
}

func TestNothingIsSpecialAboutOne(t *testing.T) {
	t.Parallel()
	r := btyd.Row{X: 3, Recency: 20, Age: 30}
	at := func(a float64) float64 {
		return btyd.Params{Kind: btyd.BG, R: .5, Alpha: 5, A: a, B: 2}.Expected(r, 52)
	}
	near(t, "at a = 1", at(1), (at(1-1e-4)+at(1+1e-4))/2, 1e-6)
}

func TestExtremesAreNumbers(t *testing.T) {
	t.Parallel()
	for _, kind := range []btyd.Kind{btyd.BG, btyd.MBG} {
		for _, p := range []btyd.Params{
			{R: .243, Alpha: 4.414, A: .793, B: 2.426}, {R: 1e4, Alpha: 1e4, A: .5, B: 5}, {R: 1e-4, Alpha: 1e-3, A: 1e-4, B: 1e4},
			{R: 5, Alpha: 1e-3, A: 50, B: .01}, {R: 2, Alpha: 3, A: 0, B: 1}, {R: .5, Alpha: 1, A: .4, B: .6},
		} {
			p.Kind = kind
			for _, r := range []btyd.Row{{}, {Age: 500}, {X: 5000, Recency: 500, Age: 500}, {X: 5000, Recency: 1, Age: 500}, {X: 1, Recency: 0.01, Age: 5000}} {
				prev := 0.0
				for _, ahead := range []float64{0, 1, 52, 5200} {
					v, alive := p.Expected(r, ahead), p.Alive(r)
					if math.IsNaN(v) || math.IsInf(v, 0) || v < prev-1e-9*(1+prev) || math.IsNaN(alive) || alive < 0 || alive > 1 {
						t.Fatalf("%+v %+v ahead %v: expected %v after %v, alive %v", p, r, ahead, v, prev, alive)
					}
					prev = v
				}
			}
		}
	}
}

// A customer with thousands of purchases goes on as before when his rate is known and hardly anybody leaves.
func TestVeryManyPurchases(t *testing.T) {
	t.Parallel()
	p := btyd.Params{Kind: btyd.BG, R: .243, Alpha: 4.414, A: .793, B: 2.426}
	r := btyd.Row{X: 4000, Recency: 400, Age: 400}
	rate := (p.R + 4000) / (p.Alpha + 400)
	v := p.Expected(r, 4)
	if v < 0.97*rate*4 || v > rate*4 {
		t.Errorf("expected %v in four weeks at a rate of %v", v, rate)
	}
}

func TestLittleToLearnFrom(t *testing.T) {
	t.Parallel()
	cases := map[string][]btyd.Row{
		"nobody":             nil,
		"one who came once":  {{Age: 10}},
		"nobody came again":  {{Age: 10, N: 500}, {Age: 20, N: 300}},
		"no time has passed": {{N: 10}},
	}
	for name, rows := range cases {
		if f := btyd.FitCounts(btyd.BG, rows); !f.Degenerate || f.Expected(btyd.Row{Age: 3}, 5) != 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for name, rows := range map[string][]btyd.Row{
		"one customer": {{X: 5, Recency: 9, Age: 10}},
		"all alike":    {{X: 5, Recency: 9, Age: 10, N: 1000}},
		"all churned":  {{X: 3, Recency: 3, Age: 400, N: 1000}},
		"thousands":    {{X: 5000, Recency: 300, Age: 301, N: 3}, {X: 1, Recency: 1, Age: 300, N: 10}, {Age: 300, N: 50}},
		"on one day":   {{X: 1, Recency: 0, Age: 0, N: 3}, {X: 1, Recency: 1, Age: 1}},
	} {
		for _, kind := range []btyd.Kind{btyd.BG, btyd.MBG} {
			f := btyd.FitCounts(kind, rows)
			for _, v := range []float64{f.R, f.Alpha, f.A, f.B, f.LogLikelihood, f.Expected(rows[0], 52), f.Alive(rows[0]), f.Ahead(52)} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s: %+v gives %v", name, f, v)
				}
			}
		}
	}
	if m := btyd.FitMoney([]btyd.Spend{{X: 0}, {X: 2, Mean: -1}}); !m.Degenerate || m.Expected(2, 10) != 0 {
		t.Errorf("nobody to learn money from: %+v", m)
	}
	if m := btyd.FitMoney([]btyd.Spend{{X: 1, Mean: 50}, {X: 3, Mean: 50}}); !m.Constant || m.Expected(2, 50) != 50 || m.Expected(0, 0) != 50 {
		t.Errorf("constant money: %+v", m)
	}
	if m := btyd.FitMoney([]btyd.Spend{{X: 1, Mean: 1}, {X: 1, Mean: 1e9}}); m.Expected(1, 5) <= 0 || math.IsInf(m.Expected(1, 5), 0) {
		t.Errorf("wild money: %+v", m)
	}
}

func TestNobodyLeaves(t *testing.T) {
	t.Parallel()
	p := btyd.Params{Kind: btyd.BG, R: 3, Alpha: 10}
	rows := simulate(p, 5000, 11)
	f := btyd.FitCounts(btyd.BG, rows)
	if f.NoDropout {
		within(t, "r", f.R, 3, 0.1)
		if f.Alive(btyd.Row{X: 2, Recency: 1, Age: 50}) != 1 {
			t.Error("somebody left though nobody does")
		}
	} else if share := f.A / (f.A + f.B); share > 0.005 {
		t.Errorf("a dropout of %v is found where nobody leaves", share)
	}
	// Those who came evenly and last yesterday leave no doubt.
	even := btyd.FitCounts(btyd.BG, []btyd.Row{{X: 10, Recency: 50, Age: 50, N: 500}, {X: 5, Recency: 50, Age: 50, N: 700}, {X: 20, Recency: 40, Age: 40, N: 60}})
	if !even.NoDropout || even.A != 0 {
		t.Errorf("even customers: %+v", even)
	}
}

func TestCollapsedRowsFitAlike(t *testing.T) {
	t.Parallel()
	rows := simulate(btyd.Params{Kind: btyd.BG, R: .6, Alpha: 6, A: .8, B: 3}, 3000, 5)
	for i := range rows {
		rows[i].Recency, rows[i].Age = math.Round(rows[i].Recency), math.Round(rows[i].Age)
	}
	one := btyd.FitCounts(btyd.BG, rows)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	other := btyd.FitCounts(btyd.BG, btyd.Collapse(rows))
	if one.Params != other.Params || one.LogLikelihood != other.LogLikelihood {
		t.Errorf("the order of rows changes the fit: %+v, %+v", one, other)
	}
}

func TestLifetimeOfAContract(t *testing.T) {
	t.Parallel()
	h := btyd.Horizon{Months: 3, Month: 1, Timing: btyd.EndOfMonth}
	stays := []float64{.9, .8, .6, .3}
	near(t, "a new customer", btyd.Contract(100, stays, 0, h), 100*(.9+.8+.6), 1e-9)
	near(t, "after two months", btyd.Contract(100, stays, 2, h), 100*(.6/.8+.3/.8+.3*.5/.8), 1e-9)
	near(t, "for ever", btyd.Contract(100, nil, 5, h), 300, 1e-9)
	near(t, "nobody stays", btyd.Contract(100, []float64{0}, 3, h), 0, 0)
	near(t, "a month of 12 % a year", btyd.Monthly(0.12), 0.009488793, 1e-9)
}

func BenchmarkFitCDNOW(b *testing.B) {
	rows, _ := summary(b)
	for b.Loop() {
		btyd.FitCounts(btyd.BG, rows)
	}
}

func BenchmarkFit100000(b *testing.B) {
	rows := simulate(btyd.Params{Kind: btyd.BG, R: .25, Alpha: 4.4, A: .8, B: 2.4}, 100_000, 1)
	for i := range rows { // days
		rows[i].Recency = math.Ceil(rows[i].Recency*7) / 7
	}
	for b.Loop() {
		btyd.FitCounts(btyd.BG, rows)
	}
}
