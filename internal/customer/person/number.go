package person

import (
	"math/big"
)

// maxDigits bounds the texts that are read as numbers, so that an exponent cannot make a huge one.
const maxDigits = 40

var (
	half = big.NewRat(1, 2)
	ten  = big.NewInt(10)
)

// parseScaled reads a decimal number times 10^scale, rounded half away from zero.
func parseScaled(t string, scale int) (int64, bool) {
	if t == "" || len(t) > maxDigits {
		return 0, false
	}
	for i := range len(t) {
		switch c := t[i]; {
		case c >= '0' && c <= '9', c == '.', c == '-' && i == 0:
		case (c == 'e' || c == 'E') && i > 0 && len(t)-i <= 4:
		case (c == '-' || c == '+') && i > 0 && (t[i-1] == 'e' || t[i-1] == 'E'):
		default:
			return 0, false
		}
	}
	r, ok := new(big.Rat).SetString(t)
	if !ok {
		return 0, false
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(ten, big.NewInt(int64(scale)), nil)))
	neg := r.Sign() < 0
	r.Abs(r).Add(r, half)
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return 0, false
	}
	v := n.Int64()
	if neg {
		v = -v
	}
	return v, true
}
