package money_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/money"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, cur string
		want    int64
		text    string
	}{
		{"12.5", "CNY", 1250, "12.50 CNY"},
		{"-0.05", "EUR", -5, "-0.05 EUR"},
		{"1,234,567.891", "USD", 123456789, "1234567.89 USD"},
		{"0.005", "USD", 1, "0.01 USD"},
		{"-0.005", "USD", -1, "-0.01 USD"},
		{"99.5", "JPY", 100, "100 JPY"},
		{"1.0005", "KWD", 1001, "1.001 KWD"},
		{".5", "CNY", 50, "0.50 CNY"},
	} {
		m, err := money.Parse(c.in, c.cur)
		if err != nil || m.Amount != c.want || m.String() != c.text {
			t.Errorf("Parse(%q, %s) = %d %q, %v; want %d %q", c.in, c.cur, m.Amount, m, err, c.want, c.text)
		}
	}
	for _, bad := range []string{"", ".", "-", "1e5", "12a", "１２", "1.2.3", "99999999999999999999"} {
		if m, err := money.Parse(bad, "CNY"); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", bad, m)
		}
	}
}

func TestScaledNumbersReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(-1<<62, 1<<62).Draw(t, "v")
		scale := rapid.IntRange(0, 6).Draw(t, "scale")
		got, err := money.ParseScaled(money.FormatScaled(v, scale), scale)
		if err != nil || got != v {
			t.Fatalf("%d at scale %d came back as %d, %v", v, scale, got, err)
		}
	})
}

func TestMulDivRoundsHalfAway(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(-1e12, 1e12).Draw(t, "a")
		b := rapid.Int64Range(-1e6, 1e6).Draw(t, "b")
		c := rapid.Int64Range(1, 1e7).Draw(t, "c")
		got := money.MulDiv(a, b, c)
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(a), big.NewInt(b)), big.NewInt(c))
		diff := new(big.Rat).Sub(new(big.Rat).SetInt64(got), exact)
		half := big.NewRat(1, 2)
		if diff.Abs(diff).Cmp(half) > 0 {
			t.Fatalf("MulDiv(%d,%d,%d) = %d is more than a half away", a, b, c, got)
		}
		if diff.Cmp(half) == 0 && new(big.Rat).Abs(new(big.Rat).SetInt64(got)).Cmp(new(big.Rat).Abs(exact)) < 0 {
			t.Fatalf("MulDiv(%d,%d,%d) = %d rounds a half towards zero", a, b, c, got)
		}
	})
}
