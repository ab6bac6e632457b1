package formula

import (
	"math"
	"math/big"
	"math/bits"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// The arithmetic of formulas on 64-bit integers. ok is false for a result that is blank: one that does not fit, a division
// by zero, a day outside of the years 1 to 9999.

// Days that dates of formulas can be.
const (
	minDay = -719162 // 0001-01-01
	maxDay = 2932896 // 9999-12-31
)

func fitsBig(x *big.Int) (int64, bool) {
	return x.Int64(), x.IsInt64()
}

func add(a, b int64) (int64, bool) {
	c := a + b
	if (c > a) != (b > 0) && b != 0 {
		return 0, false
	}
	return c, true
}

func negate(a int64) (int64, bool) {
	if a == math.MinInt64 {
		return 0, false
	}
	return -a, true
}

func abs(a int64) (int64, bool) {
	if a < 0 {
		return negate(a)
	}
	return a, true
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// product is a*b with so many digits dropped, rounded half away from zero.
func product(a, b int64, drop int) (int64, bool) {
	if drop == 0 {
		if hi, lo := bits.Mul64(size(a), size(b)); hi == 0 && lo <= math.MaxInt64 {
			return a * b, true
		}
	}
	x := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	if drop == 0 {
		return fitsBig(x)
	}
	return fitsBig(dropped(x, drop, "round"))
}

func size(a int64) uint64 {
	if a < 0 {
		return -uint64(a) //nolint:gosec // two's complement: right for the smallest number too
	}
	return uint64(a)
}

// dropped is x without its last digits.
func dropped(x *big.Int, drop int, how string) *big.Int {
	d := pow10(drop)
	if how == "round" {
		half := new(big.Int).Quo(d, big.NewInt(2))
		if x.Sign() < 0 {
			half.Neg(half)
		}
		return x.Quo(x.Add(x, half), d)
	}
	q, r := new(big.Int).QuoRem(x, d, new(big.Int))
	switch {
	case how == "floor" && r.Sign() < 0:
		q.Sub(q, big.NewInt(1))
	case how == "ceil" && r.Sign() > 0:
		q.Add(q, big.NewInt(1))
	}
	return q
}

// scaled adds (by > 0) or drops digits.
func scaled(n int64, by int, how string) (int64, bool) {
	switch {
	case by == 0:
		return n, true
	case by > 0:
		return fitsBig(new(big.Int).Mul(big.NewInt(n), pow10(by)))
	}
	return fitsBig(dropped(big.NewInt(n), -by, how))
}

// quotient is a/b with so many digits more than a has over b, cut off.
func quotient(a, b int64, digits int) (int64, bool) {
	if b == 0 {
		return 0, false
	}
	x := big.NewInt(a)
	y := big.NewInt(b)
	if digits >= 0 {
		x.Mul(x, pow10(digits))
	} else {
		y.Mul(y, pow10(-digits))
	}
	return fitsBig(x.Quo(x, y))
}

// amountQuotient is a/b of an amount, b having so many decimals, rounded half away from zero.
func amountQuotient(a, b int64, decimals int) (int64, bool) {
	if b == 0 {
		return 0, false
	}
	x := big.NewInt(a)
	x.Mul(x, pow10(decimals+4)).Quo(x, big.NewInt(b))
	return fitsBig(dropped(x, 4, "round"))
}

// modulo has the sign of b.
func modulo(a, b int64) (int64, bool) {
	if b == 0 || b == -1 {
		return 0, b != 0
	}
	r := a % b
	if r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r, true
}

func day(n int64) (int64, bool) { return n, n >= minDay && n <= maxDay }

func civil(d int64) (year int, month time.Month, dom int) {
	return clock.Day(d).Time().Date() //nolint:gosec // within the years 1 to 9999
}

const manyMonths = 120_000

// addMonths keeps the day of the month, or takes the last one of a shorter month.
func addMonths(d, n int64) (int64, bool) {
	if n > manyMonths || n < -manyMonths {
		return 0, false
	}
	y, m, dom := civil(d)
	first := clock.NewDay(y, m+time.Month(n), 1)
	fy, fm, _ := first.Time().Date()
	last := int(clock.NewDay(fy, fm+1, 1) - first)
	return day(int64(first) + int64(min(dom, last)) - 1)
}

// monthsBetween are the whole months from a to b.
func monthsBetween(a, b int64) int64 {
	if b < a {
		return -monthsBetween(b, a)
	}
	ya, ma, da := civil(a)
	yb, mb, db := civil(b)
	n := int64(yb-ya)*12 + int64(mb-ma)
	if db < da {
		n--
	}
	return n
}

// dateOf counts months and days beyond their ranges on: month 13 is January of the next year, day 0 the last of the month before.
func dateOf(y, m, d int64) (int64, bool) {
	const manyDays = 3_000_000
	if y < 1 || y > 9999 || m > manyMonths || m < -manyMonths || d > manyDays || d < -manyDays {
		return 0, false
	}
	return day(int64(clock.NewDay(int(y), time.Month(m), 1)) + d - 1)
}

func weekday(d int64) int64 { return (d+3)%7 + 1 + 7*boolInt((d+3)%7 < 0) }

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// wideInt sums 64-bit integers without overflow.
type wideInt struct{ x big.Int }

func (w *wideInt) add(n int64)          { w.x.Add(&w.x, big.NewInt(n)) }
func (w *wideInt) int64() (int64, bool) { return fitsBig(&w.x) }
