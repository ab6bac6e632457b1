// Package contrast says in what two groups differ: Welch's test of two means with unequal variances (B. L. Welch, Biometrika 34, 1947, degrees
// of freedom by Satterthwaite), Pearson's chi-squared test of two distributions over the same categories, the sizes of the effects (Cohen's d
// over the mean of the variances, Cramér's V), and Holm's correction for asking many questions at once (Scand. J. Statist. 6, 1979).
//
// Every figure is finite. Where a test says nothing (fewer than two values on a side, no spread, a single category) its OK is false.
package contrast

import (
	"cmp"
	"math"
	"slices"
)

// Sample is a group's values: how many, their mean and their variance (over n−1).
type Sample struct {
	N        int64
	Mean     float64
	Variance float64
}

// Result is what a test found. Effect is Cohen's d, positive where the first group has more, or Cramér's V.
type Result struct {
	OK        bool
	Statistic float64
	DF        float64
	P         float64 // two-sided
	Effect    float64
}

// Welch compares two means.
func Welch(a, b Sample) Result {
	if a.N < 2 || b.N < 2 || !finite(a.Mean, a.Variance, b.Mean, b.Variance) {
		return Result{}
	}
	va, vb := a.Variance/float64(a.N), b.Variance/float64(b.N)
	spread := math.Sqrt((a.Variance + b.Variance) / 2)
	if va+vb <= 0 || spread <= 0 {
		return Result{}
	}
	t := (a.Mean - b.Mean) / math.Sqrt(va+vb)
	df := (va + vb) * (va + vb) / (va*va/float64(a.N-1) + vb*vb/float64(b.N-1))
	r := Result{OK: true, Statistic: t, DF: df, P: StudentTwoSided(t, df), Effect: (a.Mean - b.Mean) / spread}
	r.OK = finite(r.Statistic, r.DF, r.P, r.Effect)
	return r
}

// Independence compares two distributions: a[i] and b[i] are how many of each group fall into category i. Categories that nobody is in are
// left out.
func Independence(a, b []int64) Result {
	var na, nb float64
	rows := 0
	for i := range a {
		if a[i]+b[i] > 0 {
			rows++
		}
		na += float64(a[i])
		nb += float64(b[i])
	}
	if rows < 2 || na == 0 || nb == 0 {
		return Result{}
	}
	var x float64
	for i := range a {
		both := float64(a[i] + b[i])
		if both == 0 {
			continue
		}
		ea, eb := both*na/(na+nb), both*nb/(na+nb)
		x += (float64(a[i])-ea)*(float64(a[i])-ea)/ea + (float64(b[i])-eb)*(float64(b[i])-eb)/eb
	}
	df := float64(rows - 1)
	return Result{OK: true, Statistic: x, DF: df, P: ChiSquareAbove(x, df), Effect: math.Sqrt(x / (na + nb))} // the smaller side of the table is 2: V² = χ²/n
}

// Holm corrects p-values for being many: what is below a level afterwards may be believed at that level for all of them together.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(p[x], p[y]) })
	out, worst := make([]float64, len(p)), 0.0
	for place, i := range order {
		worst = max(worst, min(1, p[i]*float64(len(p)-place)))
		out[i] = worst
	}
	return out
}

func finite(values ...float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// StudentTwoSided is the probability of a value of Student's t at least as far from 0.
func StudentTwoSided(t, df float64) float64 {
	if df > normalFrom {
		return math.Erfc(math.Abs(t) / math.Sqrt2)
	}
	return incompleteBeta(df/(df+t*t), df/2, 0.5)
}

// ChiSquareAbove is the probability of a value of chi-squared above x.
func ChiSquareAbove(x, df float64) float64 { return upperGamma(df/2, x/2) }

const (
	steps = 500
	close = 1e-15
	tiny  = 1e-300
	// normalFrom is from how many degrees of freedom on Student and Gauss differ by nothing.
	normalFrom = 1e7
)

// incompleteBeta is the regularised incomplete beta function, by its continued fraction (Lentz).
func incompleteBeta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	if x > (a+1)/(a+b+2) {
		return 1 - front*betaFraction(1-x, b, a)/b
	}
	return front * betaFraction(x, a, b) / a
}

func betaFraction(x, a, b float64) float64 {
	c, d := 1.0, 1/nonZero(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m < steps; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/nonZero(1+even*d), nonZero(1+even/c)
		h *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/nonZero(1+odd*d), nonZero(1+odd/c)
		h *= d * c
		if math.Abs(d*c-1) < close {
			break
		}
	}
	return h
}

// upperGamma is the regularised upper incomplete gamma function: a series below a+1, a continued fraction above.
func upperGamma(a, x float64) float64 {
	if x <= 0 {
		return 1
	}
	lg, _ := math.Lgamma(a)
	front := math.Exp(a*math.Log(x) - x - lg)
	if x < a+1 {
		term := 1 / a
		sum := term
		for n := 1.0; n < steps*20; n++ {
			term *= x / (a + n)
			sum += term
			if term < sum*close {
				break
			}
		}
		return max(0, 1-front*sum)
	}
	b := x + 1 - a
	c, d := 1/tiny, 1/nonZero(b)
	h := d
	for n := 1.0; n < steps*20; n++ {
		an := -n * (n - a)
		b += 2
		d, c = 1/nonZero(an*d+b), nonZero(b+an/c)
		h *= d * c
		if math.Abs(d*c-1) < close {
			break
		}
	}
	return front * h
}

func nonZero(v float64) float64 {
	if math.Abs(v) < tiny {
		return tiny
	}
	return v
}
