package btyd

import "math"

// Timing says when in a month its value arrives.
type Timing string

// The timings.
const (
	EndOfMonth Timing = "end"
	MidMonth   Timing = "mid"
)

// Horizon is how a lifetime value looks ahead: so many months of Month units of time, discounted by Discount a month.
type Horizon struct {
	Months   int
	Month    float64
	Discount float64
	Timing   Timing
}

// WeeksPerMonth is a month in weeks as the tools of the trade have it.
const WeeksPerMonth = 4.345

// Monthly is the discount a month that makes so much a year.
func Monthly(year float64) float64 { return math.Pow(1+year, 1.0/12) - 1 }

// weights are the discount factors of the months.
func (h Horizon) weights() []float64 {
	out := make([]float64, max(h.Months, 0))
	for i := range out {
		at := float64(i + 1)
		if h.Timing == MidMonth {
			at -= 0.5
		}
		out[i] = math.Pow(1+h.Discount, -at)
	}
	return out
}

// Lifetime gives discounted counts of future purchases. It remembers what it worked out, because many customers share x and age;
// one must not be used by two goroutines.
type Lifetime struct {
	p       Params
	h       Horizon
	weights []float64
	known   map[lifetimeKey]float64
}

type lifetimeKey struct {
	x   int
	age float64
}

// NewLifetime looks ahead by h with the parameters p.
func NewLifetime(p Params, h Horizon) *Lifetime {
	return &Lifetime{p: p, h: h, weights: h.weights(), known: map[lifetimeKey]float64{}}
}

// Purchases is the discounted number of repeat purchases within the horizon; times the expected value of one it is the lifetime value.
// What was bought before counts nowhere.
func (l *Lifetime) Purchases(r Row) float64 {
	k := lifetimeKey{r.X, r.Age}
	v, ok := l.known[k]
	if !ok {
		var before float64
		for i, w := range l.weights {
			now := l.p.whileAlive(r.X, r.Age, float64(i+1)*l.h.Month)
			v += w * (now - before)
			before = now
		}
		l.known[k] = v
	}
	if v /= 1 + l.p.gone(r); math.IsNaN(v) || v < 0 {
		return 0
	}
	return v
}

// Contract is the value of a customer under a contract who pays value each month as long as he stays. stays is the probability of being there
// at the end of month i+1 after joining (a survival curve by months of tenure); after its end the last ratio goes on. tenure is
// how many months he has been there.
func Contract(value float64, stays []float64, tenure int, h Horizon) float64 {
	at := func(month int) float64 {
		if month <= 0 || len(stays) == 0 {
			return 1
		}
		if month <= len(stays) {
			return stays[month-1]
		}
		last := stays[len(stays)-1]
		before := 1.0
		if len(stays) > 1 {
			before = stays[len(stays)-2]
		}
		if before <= 0 {
			return 0
		}
		return last * math.Pow(math.Min(1, last/before), float64(month-len(stays)))
	}
	here := at(tenure)
	if here <= 0 {
		return 0
	}
	var sum float64
	for i, w := range h.weights() {
		sum += w * value * at(tenure+i+1) / here
	}
	return sum
}
