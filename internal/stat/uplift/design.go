package uplift

import (
	"math"

	"github.com/guanxi-crm/guanxi/internal/stat/contrast"
)

// Joint is a group's outcomes y beside what was known of the same people before, x, by their sums.
type Joint struct {
	N          int64
	Y, X       float64
	YY, XX, XY float64
}

// Add takes one person.
func (j *Joint) Add(y, x float64) {
	j.N++
	j.Y += y
	j.X += x
	j.YY += y * y
	j.XX += x * x
	j.XY += x * y
}

// Adjusted compares means after what x explains has been taken away (CUPED): theta is the covariance over the variance of x, of both groups
// together, and kept is the part of the variance that is left. Where x explains nothing the comparison is that of Money.
func Adjusted(treated, control Joint) (e Effect, theta, kept float64) {
	plain := Money(Arm{treated.N, treated.Y, treated.YY}, Arm{control.N, control.Y, control.YY})
	n := float64(treated.N + control.N)
	if !plain.OK || n < 3 {
		return plain, 0, 1
	}
	// Within the groups: between them lies the effect itself.
	sxx := inner(treated.XX, treated.X, treated.X, treated.N) + inner(control.XX, control.X, control.X, control.N)
	sxy := inner(treated.XY, treated.X, treated.Y, treated.N) + inner(control.XY, control.X, control.Y, control.N)
	if !(sxx > 0) || !finite(sxx, sxy) {
		return plain, 0, 1
	}
	theta = sxy / sxx
	mean := (treated.X + control.X) / n
	e = Money(treated.less(theta, mean), control.less(theta, mean))
	if !e.OK || plain.Error <= 0 {
		return plain, 0, 1
	}
	return e, theta, (e.Error / plain.Error) * (e.Error / plain.Error)
}

func inner(cross, a, b float64, n int64) float64 {
	if n == 0 {
		return 0
	}
	return cross - a*b/float64(n)
}

// less are the sums of y − theta·(x − mean).
func (j Joint) less(theta, mean float64) Arm {
	n := float64(j.N)
	xx := j.XX - 2*mean*j.X + n*mean*mean
	xy := j.XY - mean*j.Y
	return Arm{N: j.N, Sum: j.Y - theta*(j.X-n*mean), Squares: j.YY - 2*theta*xy + theta*theta*xx}
}

// Anytime is the interval of an effect that may be looked at as often as one likes and stopped at will (Robbins' normal mixture, for large
// groups). It is narrowest where the standard error is planned; there it is about 1.5 times as wide as the one of a single look.
func (e Effect) Anytime(planned float64) (low, high float64) {
	if !e.OK || !(e.Error > 0) {
		return e.Low, e.High
	}
	if !(planned > 0) {
		planned = e.Error
	}
	v := e.Error * e.Error
	// The best weight for one place: −2·ln α + ln(1 − 2·ln α) of its variance, up to a little.
	weight := -2*math.Log(Level) + math.Log(1-2*math.Log(Level))
	t := planned * planned * weight
	half := math.Sqrt(v * (v + t) / t * 2 * math.Log(math.Sqrt((v+t)/v)/Level))
	return e.Lift - half, e.Lift + half
}

// RateSize is how many people each of two even groups needs to see a share move from base to base+lift with the error of Level and the power
// asked for (.8 is usual). ok is false where there is no such move.
func RateSize(base, lift, power float64) (each int64, ok bool) {
	to := base + lift
	if !(base >= 0 && base <= 1 && to >= 0 && to <= 1) || lift == 0 || !(power > 0 && power < 1) {
		return 0, false
	}
	mid := (base + to) / 2
	up := normal(Level)*math.Sqrt(2*mid*(1-mid)) + normal(2*(1-power))*math.Sqrt(base*(1-base)+to*(1-to))
	return ceil(up * up / (lift * lift))
}

// MoneySize is the same for a mean with a standard deviation.
func MoneySize(deviation, lift, power float64) (each int64, ok bool) {
	if !(deviation > 0) || lift == 0 || !(power > 0 && power < 1) || !finite(deviation, lift) {
		return 0, false
	}
	up := (normal(Level) + normal(2*(1-power))) * deviation / lift
	return ceil(2 * up * up)
}

func ceil(n float64) (int64, bool) {
	if !finite(n) || n > 1e15 {
		return 0, false
	}
	return int64(math.Ceil(math.Max(2, n))), true
}

// Shrink draws what was seen of a small group to what is usual: the usual share has the weight of so many people.
func Shrink(r Rate, usual, weight float64) float64 {
	if !(weight > 0) || !finite(usual, weight) {
		return r.Share()
	}
	return (float64(r.Hits) + usual*weight) / (float64(r.N) + weight)
}

// Arms compares several groups with one control; p-values are corrected for being many (Holm).
func Arms(control Rate, treated ...Rate) []Effect {
	out, p := make([]Effect, len(treated)), make([]float64, len(treated))
	for i, t := range treated {
		out[i] = Rates(t, control)
		p[i] = 1
		if out[i].OK {
			p[i] = out[i].P
		}
	}
	for i, v := range contrast.Holm(p) {
		if out[i].OK {
			out[i].P = v
		}
	}
	return out
}
