package forecast

import "math"

// State is where smoothing stands after a row.
type State struct {
	Level, Slope float64
	Seasons      []float64 // the last season, oldest first
	SSE          float64   // of errors one period ahead, from the first that counts
	Errors       []float64 // those errors
	First        int       // the index of the first
}

// Simple is simple exponential smoothing that starts at the first value; errors count from the second.
func Simple(y []float64, alpha float64) State {
	if len(y) == 0 {
		return State{}
	}
	return simpleFrom(y[1:], alpha, y[0], 1)
}

func simpleFrom(y []float64, alpha, level float64, first int) State {
	s := State{Level: level, First: first, Errors: make([]float64, 0, len(y))}
	for _, v := range y {
		e := v - s.Level
		s.Errors = append(s.Errors, e)
		s.SSE += e * e
		s.Level += alpha * e
	}
	return s
}

// Trended is Holt's method as R's HoltWinters starts it: level y2, slope y2−y1, errors from the third value.
func Trended(y []float64, alpha, beta float64) State {
	if len(y) < 2 {
		return Simple(y, alpha)
	}
	s := State{Level: y[1], Slope: y[1] - y[0], First: 2, Errors: make([]float64, 0, len(y))}
	for _, v := range y[2:] {
		e := v - s.Level - s.Slope
		s.Errors = append(s.Errors, e)
		s.SSE += e * e
		level := alpha*v + (1-alpha)*(s.Level+s.Slope)
		s.Slope = beta*(level-s.Level) + (1-beta)*s.Slope
		s.Level = level
	}
	return s
}

// Winters is Holt-Winters as R's HoltWinters starts it: seasons from decompose() of the first two, level and slope by least squares
// on its trend, errors from period m+1. The row must hold two seasons, and only values above 0 when seasons multiply.
func Winters(y []float64, m int, w Smoothing, multiply bool) State {
	return wintersFrom(y, m, w, multiply, wintersStart(y, m, multiply))
}

func wintersStart(y []float64, m int, multiply bool) State {
	trend, figure := Decompose(y[:2*m], m, multiply)
	var x []float64
	for _, v := range trend {
		if !math.IsNaN(v) {
			x = append(x, v)
		}
	}
	level, slope := line(x)
	return State{Level: level, Slope: slope, Seasons: figure}
}

func wintersFrom(y []float64, m int, w Smoothing, multiply bool, start State) State {
	s := State{Level: start.Level, Slope: start.Slope, First: m, Errors: make([]float64, 0, len(y))}
	season := make([]float64, len(y))
	copy(season, start.Seasons)
	seasonAt := func(i int) float64 {
		if i < 2*m {
			return start.Seasons[i%m]
		}
		return season[i-m]
	}
	for i := m; i < len(y); i++ {
		last := seasonAt(i)
		var hat, fresh float64
		if multiply {
			hat, fresh = (s.Level+s.Slope)*last, y[i]/nonzero(last)
		} else {
			hat, fresh = s.Level+s.Slope+last, y[i]-last
		}
		e := y[i] - hat
		s.Errors = append(s.Errors, e)
		s.SSE += e * e
		level := w.Alpha*fresh + (1-w.Alpha)*(s.Level+s.Slope)
		s.Slope = w.Beta*(level-s.Level) + (1-w.Beta)*s.Slope
		s.Level = level
		if multiply {
			season[i] = w.Gamma*(y[i]/nonzero(level)) + (1-w.Gamma)*last
		} else {
			season[i] = w.Gamma*(y[i]-level) + (1-w.Gamma)*last
		}
	}
	s.Seasons = append([]float64(nil), season[len(y)-m:]...)
	return s
}

// nonzero keeps a divisor away from 0.
func nonzero(v float64) float64 {
	if math.Abs(v) < 1e-12 {
		return math.Copysign(1e-12, v)
	}
	return v
}

// Ahead are the next values of a state; multiply only matters with seasons.
func (s State) Ahead(horizon int, multiply bool) []float64 {
	out := make([]float64, horizon)
	for h := range out {
		v := s.Level + float64(h+1)*s.Slope
		if m := len(s.Seasons); m > 0 {
			if multiply {
				v *= s.Seasons[h%m]
			} else {
				v += s.Seasons[h%m]
			}
		}
		out[h] = v
	}
	return out
}

// Decompose is the classical decomposition as R's decompose(): the centred moving mean over a season (NaN at both ends) and the
// figure of a season, from the place that y begins with, which sums to 0 or averages 1.
func Decompose(y []float64, m int, multiply bool) (trend, figure []float64) {
	trend, figure = make([]float64, len(y)), make([]float64, m)
	half := m / 2
	for i := range y {
		if i < half || i+half >= len(y) {
			trend[i] = math.NaN()
			continue
		}
		var s float64
		for j := i - half; j <= i+half; j++ {
			weight := 1.0
			if m%2 == 0 && (j == i-half || j == i+half) {
				weight = 0.5
			}
			s += weight * y[j]
		}
		trend[i] = s / float64(m)
	}
	count := make([]int, m)
	for i, v := range trend {
		if math.IsNaN(v) {
			continue
		}
		if multiply {
			figure[i%m] += y[i] / nonzero(v)
		} else {
			figure[i%m] += y[i] - v
		}
		count[i%m]++
	}
	for i, c := range count {
		if c > 0 {
			figure[i] /= float64(c)
		} else if multiply {
			figure[i] = 1
		}
	}
	mean := average(figure)
	for i := range figure {
		if multiply {
			figure[i] /= nonzero(mean)
		} else {
			figure[i] -= mean
		}
	}
	return trend, figure
}

// line is the least squares line through (1, y1), (2, y2), …: its value at 0 and its slope.
func line(y []float64) (at0, slope float64) {
	n := float64(len(y))
	if len(y) < 2 {
		return average(y), 0
	}
	mx, my := (n+1)/2, average(y)
	var sxy, sxx float64
	for i, v := range y {
		dx := float64(i+1) - mx
		sxy += dx * (v - my)
		sxx += dx * dx
	}
	slope = sxy / sxx
	return my - slope*mx, slope
}

// Intermittent is Croston's method: the mean size of demand and the mean interval between two of them, each smoothed; the forecast is
// their quotient, with the correction of Syntetos & Boylan (2005) when corrected. A row without demand gives 0.
func Intermittent(y []float64, alpha float64, corrected bool) (rate float64, fitted []float64) {
	fitted = make([]float64, len(y))
	var size, interval float64
	since := 0
	for i, v := range y {
		fitted[i] = rate
		since++
		if v == 0 {
			continue
		}
		if interval == 0 {
			size, interval = v, float64(since)
		} else {
			size += alpha * (v - size)
			interval += alpha * (float64(since) - interval)
		}
		since = 0
		rate = size / interval
		if corrected {
			rate *= 1 - alpha/2
		}
	}
	return rate, fitted
}
