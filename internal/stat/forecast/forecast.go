// Package forecast continues a row of numbers: exponential smoothing (Brown, Holt 1957, Winters 1960), Theta (Assimakopoulos &
// Nikolopoulos 2000), Croston (1972) with the correction of Syntetos & Boylan for demand that is often nothing, and the naive
// rules that all of them have to beat. The method is chosen by rolling origin: each is asked again and again what it would have
// said in the past, and the one that was least off speaks. Intervals take their width from what was off then, too.
//
// It is pure and deterministic: it draws no random numbers and knows no storage and no calendar beyond the length of a season.
// No result is ever NaN or infinite.
package forecast

import (
	"math"
	"slices"
)

// Method is a way to continue a row.
type Method string

// The methods, simplest first: where two are equally good the earlier one is taken.
const (
	Naive          Method = "naive"          // the last value
	SeasonalNaive  Method = "snaive"         // the value one season ago
	Mean           Method = "mean"           // the mean of all
	SES            Method = "ses"            // simple exponential smoothing
	Croston        Method = "croston"        // size and interval of demand apart
	SBA            Method = "sba"            // the same, corrected by Syntetos & Boylan
	Theta          Method = "theta"          // the rule of the M4 competition
	Holt           Method = "holt"           // level and trend
	Additive       Method = "additive"       // Holt-Winters with seasons that add
	Multiplicative Method = "multiplicative" // Holt-Winters with seasons that multiply
)

// Ask is a row to continue.
type Ask struct {
	Y       []float64 // complete periods, oldest first
	Season  int       // periods of a season; 1 or less: none
	Horizon int       // how many periods ahead; at least 1
	Methods []Method  // those to choose from; none: all that suit the row
}

// Error is how far off a method was: means over all points of all origins.
type Error struct {
	Method Method
	SMAPE  float64 // 0 to 200
	MASE   float64 // 1 is the mean error of the seasonal naive rule within the row
	Points int     // how many forecasts were compared
}

// Result is a row continued.
type Result struct {
	Method        Method
	Smoothing     Smoothing
	Mean          []float64
	Low80, High80 []float64
	Low95, High95 []float64
	Fitted        []float64 // what one would have said one period ahead; as long as Y, NaN-free: where nothing could be said, Y itself
	Errors        []Error   // of every method tried, best first; none when the row is too short
	Chosen, Peer  Error     // of the method and of the seasonal naive rule
	Origins       int       // how many times the past was asked
	Cover80       float64   // share of past points within the intervals drawn then; 0 without Origins
	Cover95       float64
	Short         bool // too short to compare methods
	Constant      bool // all values are equal
	Seasonal      bool // the season was seen in the row
}

// Smoothing are the weights of the newest value: of level, trend and season.
type Smoothing struct{ Alpha, Beta, Gamma float64 }

// intermittentShare is from which share of empty periods a row counts as intermittent.
const intermittentShare = 0.3

// Run chooses and continues.
func Run(a Ask) Result {
	a.Horizon = max(a.Horizon, 1)
	a.Season = max(a.Season, 1)
	y := make([]float64, 0, len(a.Y))
	for _, v := range a.Y {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			v = 0
		}
		y = append(y, v)
	}
	a.Y = y
	if len(y) == 0 {
		zero := func() []float64 { return make([]float64, a.Horizon) }
		return Result{Method: Naive, Mean: zero(), Low80: zero(), High80: zero(), Low95: zero(), High95: zero(), Short: true, Constant: true}
	}
	candidates := a.Methods
	if len(candidates) == 0 {
		candidates = suitable(y, a.Season)
	}
	past := roll(y, a.Season, a.Horizon, candidates)
	out := Result{Short: past.origins == 0, Constant: constant(y), Origins: past.origins, Seasonal: Seasonal(y, a.Season)}
	method := fallBack(y, a.Season, candidates)
	if past.origins > 0 {
		out.Errors = past.errors()
		method = out.Errors[0].Method
		out.Chosen, out.Peer = past.of(method), past.of(SeasonalNaive)
	}
	f := fit(method, y, a.Season)
	out.Method, out.Smoothing = method, f.smoothing
	spread := past.spread(method, -1)
	out.Mean, out.Low80, out.High80, out.Low95, out.High95 = f.bands(y, a.Horizon, spread)
	out.Cover80, out.Cover95 = past.coverage(method)
	out.Fitted = f.within(y)
	return out
}

// fallBack is the method for a row too short to compare any.
func fallBack(y []float64, season int, candidates []Method) Method {
	switch {
	case slices.Contains(candidates, SeasonalNaive) && season > 1 && len(y) >= 2*season:
		return SeasonalNaive
	case slices.Contains(candidates, SES) && len(y) >= 4:
		return SES
	case slices.Contains(candidates, Naive):
		return Naive
	}
	return candidates[0]
}

// With is a row continued by one method, or by a simpler one when the row does not suit it.
func With(m Method, y []float64, season, horizon int) []float64 {
	return fit(m, y, season).ahead(horizon)
}

// suitable are the methods that a row is long enough and of the right kind for.
func suitable(y []float64, season int) []Method {
	out := []Method{Naive}
	empty, positive := 0, true
	for _, v := range y {
		if v == 0 {
			empty++
		}
		positive = positive && v > 0
	}
	seasonal := season > 1 && len(y) >= 2*season
	if seasonal {
		out = append(out, SeasonalNaive)
	}
	out = append(out, Mean, SES)
	if float64(empty) >= intermittentShare*float64(len(y)) {
		out = append(out, Croston, SBA)
	}
	if len(y) >= 6 {
		out = append(out, Theta, Holt)
	}
	if seasonal && len(y) >= 2*season+3 {
		out = append(out, Additive)
		if positive {
			out = append(out, Multiplicative)
		}
	}
	return out
}

func constant(y []float64) bool {
	for _, v := range y {
		if v != y[0] {
			return false
		}
	}
	return true
}

// Seasonal is the test of the M4 competition: whether the autocorrelation at the season passes the 90 % limit. Fewer than
// three seasons are never seasonal.
func Seasonal(y []float64, season int) bool {
	if season <= 1 || len(y) < 3*season {
		return false
	}
	mean, n := average(y), float64(len(y))
	var c0 float64
	for _, v := range y {
		c0 += (v - mean) * (v - mean)
	}
	if c0 <= 0 {
		return false
	}
	sum, at := 1.0, 0.0
	for lag := 1; lag <= season; lag++ {
		var c float64
		for i := lag; i < len(y); i++ {
			c += (y[i] - mean) * (y[i-lag] - mean)
		}
		at = c / c0
		if lag < season {
			sum += 2 * at * at
		}
	}
	return math.Abs(at) > 1.645/math.Sqrt(n)*math.Sqrt(sum)
}

func average(y []float64) float64 {
	var s float64
	for _, v := range y {
		s += v
	}
	return s / float64(max(len(y), 1))
}

// SMAPE is the mean of 200·|a−f|/(|a|+|f|); a point where both are 0 counts as 0.
func SMAPE(actual, forecast []float64) float64 {
	if len(actual) == 0 {
		return 0
	}
	var s float64
	for i, a := range actual {
		s += smape(a, forecast[i])
	}
	return s / float64(len(actual))
}

func smape(a, f float64) float64 {
	if sum := math.Abs(a) + math.Abs(f); sum > 0 {
		return 200 * math.Abs(a-f) / sum
	}
	return 0
}

// Scale is what MASE divides by (Hyndman & Koehler 2006): the mean absolute error of the seasonal naive rule within y. Where that is
// 0 or the row is shorter than a season it falls back to the naive rule, then to the mean size of the values, then to 1.
func Scale(y []float64, season int) float64 {
	for _, m := range []int{max(season, 1), 1} {
		var s float64
		for i := m; i < len(y); i++ {
			s += math.Abs(y[i] - y[i-m])
		}
		if s > 0 {
			return s / float64(len(y)-m)
		}
	}
	var s float64
	for _, v := range y {
		s += math.Abs(v)
	}
	if s > 0 {
		return s / float64(len(y))
	}
	return 1
}

// MASE is the mean absolute error over the Scale of the row that the forecast was made from.
func MASE(actual, forecast, row []float64, season int) float64 {
	if len(actual) == 0 {
		return 0
	}
	var s float64
	for i, a := range actual {
		s += math.Abs(a - forecast[i])
	}
	return s / float64(len(actual)) / Scale(row, season)
}
