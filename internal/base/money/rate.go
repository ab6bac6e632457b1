package money

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// RateScale is the number of decimals of a rate.
const RateScale = 9

const rateUnit = 1_000_000_000

// Rate is what one unit of Currency is worth in the base currency from a day on: Value × 10^-9.
type Rate struct {
	Currency string
	From     clock.Day
	Value    int64
}

// Table converts amounts into one base currency by dated rates. The first known rate of a currency holds for the days
// before it too. A nil Table knows no rate.
type Table struct {
	base  string
	rates map[string][]Rate // by day
}

// NewTable checks and orders rates. A rate that is not positive, one of the base currency itself, and two of a currency on
// one day are errors.
func NewTable(base string, list []Rate) (*Table, error) {
	t := &Table{base: base, rates: map[string][]Rate{}}
	for _, r := range list {
		if !Known(r.Currency) || r.Currency == base || r.Value <= 0 {
			return nil, fmt.Errorf("rate of %q in %s: %d", r.Currency, base, r.Value)
		}
		t.rates[r.Currency] = append(t.rates[r.Currency], r)
	}
	for c, rs := range t.rates {
		slices.SortFunc(rs, func(a, b Rate) int { return cmp.Compare(a.From, b.From) })
		for i := range rs[1:] {
			if rs[i].From == rs[i+1].From {
				return nil, fmt.Errorf("two rates of %s on %s", c, rs[i].From)
			}
		}
	}
	return t, nil
}

// Convert gives an amount in minor units of the base currency at the rate of a day, rounded half away from zero; ok is false
// when no rate of its currency is known or base is another one than the table's.
func (t *Table) Convert(m Money, base string, on clock.Day) (amount int64, ok bool) {
	if m.Currency == base {
		return m.Amount, true
	}
	if t == nil || base != t.base || len(t.rates[m.Currency]) == 0 {
		return 0, false
	}
	rs := t.rates[m.Currency]
	i := sort.Search(len(rs), func(i int) bool { return rs[i].From > on })
	value := rs[max(i-1, 0)].Value
	up, down := int64(1), int64(rateUnit)
	for range max(0, Exponent(base)-Exponent(m.Currency)) {
		up *= 10
	}
	for range max(0, Exponent(m.Currency)-Exponent(base)) {
		down *= 10
	}
	return MulDiv(m.Amount*up, value, down), true
}
