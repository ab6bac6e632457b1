// Package uplift says what was gained by doing something: it compares people to whom something was done with people left out by chance, and
// ranks people by how much more they do because of it.
//
// Everybody who was assigned counts, whether or not he was reached (intention to treat). Money is compared by Welch's test; rates by the
// pooled z with Newcombe's interval of the difference (Statistics in Medicine 17, 1998, method 10); the sizes of the groups by chi-squared,
// with an alarm below .001; what is known from before takes noise away (CUPED: Deng, Xu, Kohavi & Walker 2013). Looking more than once needs
// Anytime; several arms against one control need contrast.Holm. Rankings are judged by Qini (Radcliffe 2007).
//
// Every figure is finite. Where nothing can be said OK is false and Why says what is missing. The package is pure.
package uplift

import (
	"math"

	"github.com/guanxi-crm/guanxi/internal/stat/contrast"
)

// Level is the error that intervals and verdicts allow, and Alarm the one below which sizes of groups cannot be chance.
const (
	Level = 0.05
	Alarm = 0.001
)

// Why nothing can be said.
type Why string

const (
	Enough   Why = ""
	NoTaken  Why = "no_treated" // nobody was treated
	NoKept   Why = "no_control" // nobody was left out
	Few      Why = "few"        // fewer than two people in a group
	Constant Why = "constant"   // all outcomes are alike: there is no chance to measure against
	Broken   Why = "broken"     // sums that no outcomes can have
)

// Arm is a group's outcomes by their sums.
type Arm struct {
	N            int64
	Sum, Squares float64
}

// ArmOf adds up outcomes.
func ArmOf(values []float64) Arm {
	a := Arm{N: int64(len(values))}
	for _, v := range values {
		a.Sum += v
		a.Squares += v * v
	}
	return a
}

// Mean is 0 of nobody.
func (a Arm) Mean() float64 {
	if a.N == 0 {
		return 0
	}
	return a.Sum / float64(a.N)
}

// Variance is over n−1; 0 below two people.
func (a Arm) Variance() float64 {
	if a.N < 2 {
		return 0
	}
	n := float64(a.N)
	return math.Max(0, (a.Squares-a.Sum*a.Sum/n)/(n-1))
}

// Rate is a group in which each person did something or not.
type Rate struct{ N, Hits int64 }

// Share is 0 of nobody.
func (r Rate) Share() float64 {
	if r.N == 0 {
		return 0
	}
	return float64(r.Hits) / float64(r.N)
}

// Effect is the difference of two groups for each person: means or shares, the difference, its standard error, test and interval of 95 %.
type Effect struct {
	OK               bool
	Why              Why
	Treated, Control float64
	Lift             float64 // Treated − Control
	Error            float64
	Statistic, DF, P float64 // DF is 0 for a normal test
	Low, High        float64
}

// Relative is the difference as a part of what happens anyway; ok is false where nothing happens anyway.
func (e Effect) Relative() (part float64, ok bool) {
	if !e.OK || e.Control <= 0 {
		return 0, false
	}
	part = e.Lift / e.Control
	return part, finite(part)
}

// Verdict is an effect in a word.
type Verdict string

const (
	Better  Verdict = "better"
	Worse   Verdict = "worse"
	Unclear Verdict = "unclear" // chance alone may do this
	Unknown Verdict = "unknown" // nothing can be said yet
)

// Verdict is what the interval allows to say.
func (e Effect) Verdict() Verdict {
	switch {
	case !e.OK:
		return Unknown
	case e.Low > 0:
		return Better
	case e.High < 0:
		return Worse
	}
	return Unclear
}

// Total is what the treated brought altogether that they would not have brought otherwise, with its interval.
func (e Effect) Total(treated int64) (value, low, high float64) {
	n := float64(treated)
	return e.Lift * n, e.Low * n, e.High * n
}

// people says whether both groups have anybody and, for a variance, two.
func people(treated, control, least int64) Why {
	switch {
	case treated < 0 || control < 0:
		return Broken
	case treated == 0:
		return NoTaken
	case control == 0:
		return NoKept
	case treated < least || control < least:
		return Few
	}
	return Enough
}

// Money compares means by Welch's test.
func Money(treated, control Arm) Effect {
	e := Effect{Treated: treated.Mean(), Control: control.Mean()}
	if !finite(treated.Sum, treated.Squares, control.Sum, control.Squares) {
		return Effect{Why: Broken}
	}
	e.Lift = e.Treated - e.Control
	if e.Why = people(treated.N, control.N, 2); e.Why != Enough {
		return e
	}
	vt, vc := treated.Variance(), control.Variance()
	w := contrast.Welch(contrast.Sample{N: treated.N, Mean: e.Treated, Variance: vt}, contrast.Sample{N: control.N, Mean: e.Control, Variance: vc})
	if !w.OK {
		e.Why = Constant
		return e
	}
	e.Error = math.Sqrt(vt/float64(treated.N) + vc/float64(control.N))
	e.Statistic, e.DF, e.P = w.Statistic, w.DF, w.P
	half := student(Level, w.DF) * e.Error
	e.Low, e.High, e.OK = e.Lift-half, e.Lift+half, true
	return e.sound()
}

// Rates compares shares: the test pools them, the interval is Newcombe's, so that none of both leaves what is possible. The error is that of
// the difference without pooling.
func Rates(treated, control Rate) Effect {
	e := Effect{Treated: treated.Share(), Control: control.Share()}
	e.Lift = e.Treated - e.Control
	if e.Why = people(treated.N, control.N, 1); e.Why != Enough {
		return e
	}
	if treated.Hits < 0 || control.Hits < 0 || treated.Hits > treated.N || control.Hits > control.N {
		return Effect{Why: Broken}
	}
	nt, nc := float64(treated.N), float64(control.N)
	pooled := float64(treated.Hits+control.Hits) / (nt + nc)
	spread := math.Sqrt(pooled * (1 - pooled) * (1/nt + 1/nc))
	if spread <= 0 {
		e.Why = Constant
		return e
	}
	e.Error = math.Sqrt(e.Treated*(1-e.Treated)/nt + e.Control*(1-e.Control)/nc)
	e.Statistic = e.Lift / spread
	e.P = math.Erfc(math.Abs(e.Statistic) / math.Sqrt2)
	lt, ht := Wilson(treated)
	lc, hc := Wilson(control)
	e.Low = e.Lift - math.Hypot(e.Treated-lt, hc-e.Control)
	e.High = e.Lift + math.Hypot(ht-e.Treated, e.Control-lc)
	e.OK = true
	return e.sound()
}

// Wilson is the interval of a share with 95 %; 0 to 1 of nobody.
func Wilson(r Rate) (low, high float64) {
	if r.N <= 0 {
		return 0, 1
	}
	n, p, z := float64(r.N), r.Share(), normal(Level)
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return math.Max(0, math.Min(p, middle-half)), math.Min(1, math.Max(p, middle+half))
}

// Mismatch tests whether groups have the sizes that were meant (sample ratio mismatch). shares need not sum to 1. An alarm means that the
// assignment or the counting is wrong, and that no difference between the groups may be believed.
func Mismatch(counts []int64, shares []float64) (p float64, alarm bool) {
	var n, sum float64
	for i, c := range counts {
		n += float64(c)
		if i < len(shares) && shares[i] > 0 {
			sum += shares[i]
		}
	}
	if n <= 0 || !(sum > 0) || math.IsInf(sum, 0) || len(counts) != len(shares) {
		return 1, false
	}
	var x float64
	groups := 0
	for i, c := range counts {
		if !(shares[i] > 0) {
			if c > 0 {
				return 0, true // somebody is where nobody may be
			}
			continue
		}
		want := n * shares[i] / sum
		x += (float64(c) - want) * (float64(c) - want) / want
		groups++
	}
	if groups < 2 {
		return 1, false
	}
	p = contrast.ChiSquareAbove(x, float64(groups-1))
	return p, p < Alarm
}

// sound takes back what overflowed.
func (e Effect) sound() Effect {
	if finite(e.Treated, e.Control, e.Lift, e.Error, e.Statistic, e.DF, e.P, e.Low, e.High) {
		return e
	}
	return Effect{Why: Broken}
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// normal is how many standard deviations a two-sided error reaches.
func normal(level float64) float64 { return math.Sqrt2 * math.Erfinv(1-level) }

// student is the same of Student's t, found by halving.
func student(level, df float64) float64 {
	low, high := 0.0, 2.0
	for contrast.StudentTwoSided(high, df) > level && high < 1e9 {
		high *= 2
	}
	for range 80 {
		if mid := (low + high) / 2; contrast.StudentTwoSided(mid, df) > level {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}
