package offer_test

import (
	"math/rand/v2"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/engage/offer"
)

// TestTake: on random carts and rules, with amounts up to where products of two would overflow, shares sum to the discount, no line goes below zero, lines that
// do not match pay in full; parts of a discount that go back never shrink and end at the whole.
func TestTake(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 9)) //nolint:gosec // a seed
	for range 20_000 {
		most := []int64{3, 1000, 1_000_000_000_000}[r.IntN(3)]
		var cart offer.Cart
		var left []int64
		full := int64(0)
		for range 1 + r.IntN(8) {
			l := offer.Line{Amount: r.Int64N(most + 1), Brand: []string{"a", "b"}[r.IntN(2)]}
			cart.Lines = append(cart.Lines, l)
			left = append(left, r.Int64N(l.Amount+1))
			if l.Brand == "a" {
				full += l.Amount
			}
		}
		rule := offer.Rule{Kind: []offer.Kind{offer.Percent, offer.Amount}[r.IntN(2)], Percent: 1 + r.IntN(100), Amount: 1 + r.Int64N(most), Most: r.Int64N(2) * r.Int64N(most), Brands: []string{"a"}}
		cut, err := rule.Take(&cart, left, 0)
		if err != nil {
			continue // nothing of the brand
		}
		sum := int64(0)
		for i, n := range cut.Lines {
			sum += n
			if n < 0 || n > left[i] || n > 0 && cart.Lines[i].Brand != "a" {
				t.Fatalf("%+v of %v: line %d pays %d less", rule, left, i, n)
			}
		}
		if sum != cut.Total || cut.Base != full || rule.Most > 0 && cut.Total > rule.Most {
			t.Fatalf("%+v of %v: %d of %d", rule, left, sum, cut.Total)
		}
		before := int64(0)
		for goods := int64(0); full > 0 && goods < full; goods += 1 + full/7 {
			back := offer.Back(cut.Total, full, goods)
			if back < before || back > cut.Total {
				t.Fatalf("%d of %d go back, %d before", back, cut.Total, before)
			}
			before = back
		}
		if offer.Back(cut.Total, full, full) != cut.Total {
			t.Fatal("the whole did not go back")
		}
	}
}

// TestTrial: one piece of the goods, the cheapest, costs what the trial costs.
func TestTrial(t *testing.T) {
	t.Parallel()
	rule := offer.Rule{Kind: offer.Trial, Amount: 100, Products: []string{"serum", "mask"}}
	cart := offer.Cart{Lines: []offer.Line{{Product: "soap", Amount: 50}, {Product: "serum", Amount: 9000, Quantity: 3}, {Product: "mask", Amount: 4000}}}
	for _, c := range []struct {
		left []int64
		line int
		cut  int64
	}{{[]int64{50, 9000, 4000}, 1, 2900}, {[]int64{50, 0, 4000}, 2, 3900}, {[]int64{50, 0, 60}, 2, 0}, {[]int64{50, 0, 0}, 0, 0}} {
		cut, err := rule.Take(&cart, c.left, 0)
		if err != nil || cut.Total != c.cut || cut.Lines[c.line] != c.cut {
			t.Errorf("%v: %+v, %v", c.left, cut, err)
		}
	}
	if _, err := rule.Take(&offer.Cart{Lines: cart.Lines[:1]}, []int64{50}, 0); err == nil {
		t.Error("goods that are not to be tried")
	}
}
