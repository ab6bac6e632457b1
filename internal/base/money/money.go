// Package money holds amounts as minor units of an ISO 4217 currency, and exact decimals as scaled integers.
// Nothing here is a float.
package money

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Money is an amount in minor units (fen, cents) of Currency.
type Money struct {
	Amount   int64
	Currency string
}

// Exponent is the number of minor digits of a currency: 0 for JPY and KRW, 3 for KWD, 2 for nearly all others.
func Exponent(currency string) int {
	switch currency {
	case "JPY", "KRW", "VND", "CLP", "ISK", "UGX", "XAF", "XOF", "PYG", "RWF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	default:
		return 2
	}
}

// Known reports whether a string is shaped like a currency code (three capital letters).
func Known(currency string) bool {
	if len(currency) != 3 {
		return false
	}
	for i := range 3 {
		if currency[i] < 'A' || currency[i] > 'Z' {
			return false
		}
	}
	return true
}

// Parse reads a decimal text as minor units; more digits than the currency has are rounded half away from zero.
func Parse(s, currency string) (Money, error) {
	v, err := ParseScaled(s, Exponent(currency))
	return Money{Amount: v, Currency: currency}, err
}

// String is the plain decimal with all minor digits and the currency: "12.50 CNY".
func (m Money) String() string { return m.Decimal() + " " + m.Currency }

// Decimal is the plain decimal with all minor digits: "12.50".
func (m Money) Decimal() string { return FormatScaled(m.Amount, Exponent(m.Currency)) }

// ParseScaled reads a decimal text as an integer scaled by 10^scale, rounding half away from zero. It accepts a sign,
// digits with grouping commas, and a point; anything else is an error.
func ParseScaled(s string, scale int) (int64, error) {
	t := strings.ReplaceAll(strings.TrimSpace(s), ",", "")
	neg := false
	switch {
	case strings.HasPrefix(t, "-"):
		neg, t = true, t[1:]
	case strings.HasPrefix(t, "+"):
		t = t[1:]
	}
	whole, frac, _ := strings.Cut(t, ".")
	if whole == "" && frac == "" || !digits(whole) || !digits(frac) {
		return 0, fmt.Errorf("%q is not a decimal number", s)
	}
	up := false
	if len(frac) > scale {
		up = frac[scale] >= '5'
		frac = frac[:scale]
	}
	v, err := strconv.ParseInt("0"+whole+frac+strings.Repeat("0", scale-len(frac)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is too large a number", s)
	}
	if up {
		v++
	}
	if neg {
		v = -v
	}
	return v, nil
}

// FormatScaled prints an integer scaled by 10^scale with exactly scale decimals.
func FormatScaled(v int64, scale int) string {
	if scale == 0 {
		return strconv.FormatInt(v, 10)
	}
	neg := v < 0
	u := uint64(v)
	if neg {
		u = -u
	}
	s := strconv.FormatUint(u, 10)
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	if neg {
		return "-" + s
	}
	return s
}

// MulDiv is a*b/c rounded half away from zero, without overflow in between. c must not be zero.
func MulDiv(a, b, c int64) int64 {
	n := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	d := big.NewInt(c)
	neg := n.Sign()*d.Sign() < 0
	n.Abs(n)
	d.Abs(d)
	n.Add(n.Lsh(n, 1), d)
	n.Quo(n, d.Lsh(d, 1))
	if neg {
		n.Neg(n)
	}
	return n.Int64()
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
