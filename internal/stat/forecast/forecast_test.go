package forecast_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/forecast"
)

// data opens a file of the real data sets.
func data(t *testing.T, name string) [][]string {
	t.Helper()
	dir, _ := os.Getwd()
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if f, err := os.Open(filepath.Join(dir, "shared", "data", "forecasting", name)); err == nil {
			defer f.Close()
			rows, err := csv.NewReader(f).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			return rows[1:]
		}
	}
	t.Skip("the real data sets are not here: shared/data/forecasting/" + name)
	return nil
}

func numbers(t *testing.T, s string) (out []float64) {
	t.Helper()
	for _, f := range strings.Fields(s) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func passengers(t *testing.T) (out []float64) {
	for _, r := range data(t, "airline-passengers.csv") {
		out = append(out, numbers(t, r[1])...)
	}
	return out
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s: got %.6f, want %.6f within %g", what, got, want, within)
	}
}

// Values of R's HoltWinters at fixed weights.
func TestHoltWintersIsThatOfR(t *testing.T) {
	t.Parallel()
	y := passengers(t)
	w := forecast.Smoothing{Alpha: 0.3, Beta: 0.05, Gamma: 0.6}
	s := forecast.Winters(y, 12, w, true)
	near(t, "SSE", s.SSE, 18628.03999, 1e-4)
	near(t, "level", s.Level, 484.189869, 1e-4)
	near(t, "slope", s.Slope, 3.457293, 1e-4)
	for i, want := range []float64{448.6137, 423.9966, 480.1196} {
		near(t, "next "+strconv.Itoa(i+1), s.Ahead(3, true)[i], want, 1e-4)
	}
	near(t, "additive SSE", forecast.Winters(y, 12, w, false).SSE, 35612.501, 1e-3)
}

type series struct {
	train, test []float64
	season      int
}

func m3(t *testing.T) (out []series) {
	for _, r := range data(t, "M3.csv") {
		season, err := strconv.Atoi(r[5])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, series{numbers(t, r[7]), numbers(t, r[8]), season})
	}
	if len(out) != 3003 {
		t.Fatalf("%d series", len(out))
	}
	return out
}

// The means over the series of the M3 competition.
func TestM3(t *testing.T) {
	t.Parallel()
	all := m3(t)
	for _, c := range []struct {
		method forecast.Method
		want   float64
	}{{forecast.Naive, 15.70}, {forecast.SeasonalNaive, 15.19}, {forecast.SES, 14.63}, {forecast.Theta, 12.76}} {
		var sum float64
		for _, s := range all {
			sum += forecast.SMAPE(s.test, forecast.With(c.method, s.train, s.season, len(s.test)))
		}
		got := sum / float64(len(all))
		t.Logf("%s %.4f", c.method, got)
		near(t, string(c.method), got, c.want, c.want*0.005)
	}
}

// What is chosen is better than any rule alone that needs no choosing, and its intervals hold what they say. Every fifth series,
// only those that the widths were not set on.
func TestChoiceAndCoverage(t *testing.T) {
	t.Parallel()
	all := m3(t)
	var auto, naive, in80, in95, points float64
	n := 0.0
	for i, s := range all {
		if (i+1)%2 != 0 || i%5 != 0 { // even numbers
			continue
		}
		r := forecast.Run(forecast.Ask{Y: s.train, Season: s.season, Horizon: len(s.test)})
		auto += forecast.SMAPE(s.test, r.Mean)
		naive += forecast.SMAPE(s.test, forecast.With(forecast.SeasonalNaive, s.train, s.season, len(s.test)))
		n++
		for j, a := range s.test {
			points++
			if a >= r.Low80[j] && a <= r.High80[j] {
				in80++
			}
			if a >= r.Low95[j] && a <= r.High95[j] {
				in95++
			}
		}
	}
	t.Logf("%v series: chosen %.3f, seasonal naive %.3f, within 80 %%: %.3f, within 95 %%: %.3f", n, auto/n, naive/n, in80/points, in95/points)
	if auto >= naive*0.95 {
		t.Errorf("the choice is off by %.2f, the seasonal naive rule by %.2f", auto/n, naive/n)
	}
	near(t, "coverage of 80 %", in80/points, 0.80, 0.04)
	near(t, "coverage of 95 %", in95/points, 0.95, 0.025)
}

func TestCoverageOfTheOddSeries(t *testing.T) {
	if os.Getenv("GUANXI_TUNE") == "" {
		t.Skip("only to set the widths")
	}
	var in80, in95, points float64
	for i, s := range m3(t) {
		if (i+1)%2 != 1 || i%3 != 0 {
			continue
		}
		r := forecast.Run(forecast.Ask{Y: s.train, Season: s.season, Horizon: len(s.test)})
		for j, a := range s.test {
			points++
			if a >= r.Low80[j] && a <= r.High80[j] {
				in80++
			}
			if a >= r.Low95[j] && a <= r.High95[j] {
				in95++
			}
		}
	}
	t.Logf("odd: within 80 %%: %.3f, within 95 %%: %.3f", in80/points, in95/points)
}

// Rows of a known truth: noise around a level, a season and a trend, daily as a shop has it.
func TestCoverageOnSimulatedRows(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]func(r *rand.Rand, n int) []float64{
		"level": func(r *rand.Rand, n int) []float64 {
			out := make([]float64, n)
			for i := range out {
				out[i] = 1000 + 100*r.NormFloat64()
			}
			return out
		},
		"walk": func(r *rand.Rand, n int) []float64 {
			out, level := make([]float64, n), 1000.0
			for i := range out {
				level += 20 * r.NormFloat64()
				out[i] = level
			}
			return out
		},
		"weeks": func(r *rand.Rand, n int) []float64 {
			out := make([]float64, n)
			for i := range out {
				out[i] = (500 + float64(i)) * (1 + 0.4*math.Sin(2*math.Pi*float64(i)/7)) * (1 + 0.08*r.NormFloat64())
			}
			return out
		},
	} {
		r := rand.New(rand.NewPCG(7, 11))
		var in80, in95, points float64
		for range 150 {
			y := row(r, 126)
			got := forecast.Run(forecast.Ask{Y: y[:112], Season: 7, Horizon: 14})
			for j, a := range y[112:] {
				points++
				if a >= got.Low80[j] && a <= got.High80[j] {
					in80++
				}
				if a >= got.Low95[j] && a <= got.High95[j] {
					in95++
				}
			}
		}
		t.Logf("%s: %.3f %.3f", name, in80/points, in95/points)
		near(t, name+" 80 %", in80/points, 0.80, 0.09)
		near(t, name+" 95 %", in95/points, 0.95, 0.05)
	}
}

func TestExtremesGiveNumbers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	rare := make([]float64, 80)
	for i := range rare {
		if r.IntN(5) == 0 {
			rare[i] = float64(1 + r.IntN(4))
		}
	}
	huge := make([]float64, 60)
	for i := range huge {
		huge[i] = 1e15 * (1 + r.Float64())
	}
	for name, y := range map[string][]float64{
		"none": nil, "one": {5}, "two": {5, 7}, "three": {5, 7, 9}, "zeros": make([]float64, 40), "constant": constantRow(30, 8), "rare": rare, "huge": huge,
		"not a number": {1, math.NaN(), 3, math.Inf(1), 5, 6, 7, 8}, "one sale": append(make([]float64, 50), 3), "negative": {-5, 3, -7, 2, -1, 0, 4, -3, 2, 1, 5, -9},
	} {
		for _, season := range []int{0, 1, 7, 12, 52} {
			got := forecast.Run(forecast.Ask{Y: y, Season: season, Horizon: 14})
			if len(got.Mean) != 14 || len(got.Fitted) != len(y) && len(y) > 0 {
				t.Fatalf("%s, season %d: %+v", name, season, got)
			}
			for h := range got.Mean {
				for _, v := range []float64{got.Mean[h], got.Low80[h], got.High80[h], got.Low95[h], got.High95[h]} {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Fatalf("%s, season %d: %+v", name, season, got)
					}
				}
				if got.Low95[h] > got.Low80[h] || got.Low80[h] > got.Mean[h] || got.Mean[h] > got.High80[h] || got.High80[h] > got.High95[h] {
					t.Errorf("%s, season %d, %d: intervals do not lie in each other: %+v", name, season, h, got)
				}
			}
			for _, e := range got.Errors {
				if math.IsNaN(e.MASE) || math.IsInf(e.MASE, 0) || math.IsNaN(e.SMAPE) {
					t.Errorf("%s: %+v", name, e)
				}
			}
		}
	}
	if got := forecast.Run(forecast.Ask{Y: constantRow(30, 8), Season: 7, Horizon: 3}); got.Mean[2] != 8 || got.High95[2] != 8 || !got.Constant {
		t.Errorf("constant: %+v", got)
	}
}

func constantRow(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestErrorsOfNothing(t *testing.T) {
	t.Parallel()
	near(t, "sMAPE of zeros", forecast.SMAPE([]float64{0, 0}, []float64{0, 0}), 0, 0)
	near(t, "sMAPE", forecast.SMAPE([]float64{100, 0}, []float64{50, 1}), (200.0*50/150+200)/2, 1e-9)
	near(t, "MASE of a constant row", forecast.MASE([]float64{6}, []float64{5}, []float64{5, 5, 5}, 1), 0.2, 1e-12)
	near(t, "MASE", forecast.MASE([]float64{6}, []float64{5}, []float64{1, 2, 4, 4}, 2), 1/2.5, 1e-12)
}

// The worked example of Croston's method: demand every third period.
func TestIntermittent(t *testing.T) {
	t.Parallel()
	y := []float64{0, 0, 6, 0, 0, 6, 0, 0, 6}
	rate, _ := forecast.Intermittent(y, 0.1, false)
	near(t, "Croston", rate, 2, 1e-12)
	rate, _ = forecast.Intermittent(y, 0.1, true)
	near(t, "SBA", rate, 1.9, 1e-12)
}

// A holiday that moves is seen, one that does nothing is not, and the factors of months follow their days.
func TestHolidays(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	const first = 18262 // 2020-01-01
	y := make([]float64, 3*365)
	var spans []forecast.Span
	for i, at := range []int{40, 395, 760} {
		spans = append(spans, forecast.Span{Key: "feast", From: first + at, To: first + at + 6}, forecast.Span{Key: "nothing", From: first + at + 100 + i, To: first + at + 102 + i})
	}
	for i := range y {
		y[i] = 200 * (1 + 0.3*math.Sin(float64((first+i)%7))) * (1 + 0.1*r.NormFloat64())
	}
	for _, s := range spans {
		if s.Key == "feast" {
			for d := s.From; d <= s.To; d++ {
				y[d-first] *= 0.4
			}
		}
	}
	c := forecast.Learn(y, first, append(spans, forecast.Span{Key: "feast", From: first + 1150, To: first + 1156}))
	for _, e := range c.Effects() {
		switch e.Key {
		case "feast":
			near(t, "feast", e.Factor, 0.42, 0.05)
		case "nothing":
			near(t, "nothing", e.Factor, 1, 0.0)
		}
	}
	near(t, "a day of the next feast", c.Factor(first+1152, first+1152, 1), 0.42, 0.05)
	near(t, "a plain day", c.Factor(first+1170, first+1170, 1), 1, 0)
	near(t, "a week with the feast", c.Factor(first+1150, first+1156, 7), 0.42, 0.05)
	near(t, "28 days of a month", c.Factor(first+1200, first+1227, 30.4375), 28/30.4375, 0.01)
}
