package offer

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Bounds.
const (
	maxName   = 100
	maxList   = 200
	maxText   = 100
	maxMoney  = 1_000_000_000_000
	maxLines  = 1000
	maxPieces = 1_000_000
	maxCodes  = 10
	maxHold   = 24 * 60
	maxDays   = 3650
)

// Line of a cart: Amount is its whole price before discounts, of Quantity pieces, 0 for one.
type Line struct {
	Product, Category, Brand string
	Amount, Quantity         int64
}

// Cart is what somebody is about to buy.
type Cart struct {
	Channel  string
	Lines    []Line
	Shipping int64
}

// check says what is wrong with an offer.
func check(v *Offer) error {
	var items []*fault.Fault
	bad := func(code, field string, p fault.Params) { items = append(items, fault.InvalidField(code, field, p)) }
	if n := len([]rune(v.Name)); n == 0 || n > maxName {
		bad("offer.bad_name", "name", fault.Params{"max": maxName})
	}
	r := &v.Rule
	switch r.Kind {
	case Percent:
		if r.Percent < 1 || r.Percent > 100 {
			bad("offer.bad_percent", "rule.percent", nil)
		}
	case Amount:
		if r.Amount < 1 || r.Amount > maxMoney {
			bad("offer.bad_money", "rule.amount", nil)
		}
	case Gift:
		if r.Gift == "" || len([]rune(r.Gift)) > maxText {
			bad("offer.bad_gift", "rule.gift", fault.Params{"max": maxText})
		}
	case Shipping:
	case Trial:
		if r.Amount < 0 || r.Amount > maxMoney {
			bad("offer.bad_money", "rule.amount", nil)
		}
		if len(r.Products) == 0 {
			bad("offer.trial_goods", "rule.products", nil)
		}
	default:
		bad("offer.bad_kind", "rule.kind", nil)
	}
	for field, n := range map[string]int64{"rule.most": r.Most, "rule.minimum": r.Minimum, "rule.budget": r.Budget, "rule.total": r.Total} {
		if n < 0 || n > maxMoney {
			bad("offer.bad_money", field, nil)
		}
	}
	if r.PerPerson < 0 || r.PerDay < 0 || r.ValidDays < 0 || r.ValidDays > maxDays || r.HoldMin < 0 || r.HoldMin > maxHold {
		bad("offer.bad_number", "rule", nil)
	}
	for field, list := range map[string][]string{"rule.products": r.Products, "rule.categories": r.Categories, "rule.brands": r.Brands, "rule.channels": r.Channels, "rule.segments": r.Segments} {
		if len(list) > maxList || slices.ContainsFunc(list, func(s string) bool { return strings.TrimSpace(s) == "" || len([]rune(s)) > maxText }) {
			bad("offer.bad_list", field, fault.Params{"max": maxList})
		}
	}
	from, errFrom := dayOf(r.From, 0)
	to, errTo := dayOf(r.To, 1<<30)
	if errFrom != nil || errTo != nil || from > to {
		bad("offer.bad_days", "rule.from", nil)
	}
	if len(items) == 0 {
		return nil
	}
	slices.SortFunc(items, func(a, b *fault.Fault) int { return cmp.Compare(a.Field, b.Field) })
	return &fault.Fault{Kind: fault.Invalid, Code: "offer.invalid", Items: items}
}

// Expiry is when a code ends that is issued at an instant; zero for never.
func (r *Rule) Expiry(issued time.Time, zone *time.Location) time.Time {
	if r.ValidDays == 0 {
		return time.Time{}
	}
	return (clock.DayOf(issued, zone) + clock.Day(r.ValidDays) + 1).Start(zone) //nolint:gosec // bounded
}

func dayOf(s string, none clock.Day) (clock.Day, error) {
	if s == "" {
		return none, nil
	}
	return clock.ParseDay(s)
}

func anyOf(list []string, v string) bool {
	return len(list) == 0 || v != "" && slices.Contains(list, v)
}

func (r *Rule) matches(l *Line) bool {
	return anyOf(r.Products, l.Product) && anyOf(r.Categories, l.Category) && anyOf(r.Brands, l.Brand)
}

// Cut is what a rule takes off a cart.
type Cut struct {
	Total    int64   // Lines and Shipping together
	Lines    []int64 // of each line of the cart
	Shipping int64
	Base     int64 // the goods it holds for, or the shipping
	Gift     string
}

// Take says what a rule takes off a cart of which left is still to be paid; the minimum is asked of the full prices. Faults:
// offer.wrong_channel, offer.nothing_matches, offer.below_minimum.
func (r *Rule) Take(cart *Cart, left []int64, shipping int64) (Cut, error) {
	out := Cut{Lines: make([]int64, len(cart.Lines))}
	if !anyOf(r.Channels, cart.Channel) {
		return out, fault.New(fault.Conflict, "offer.wrong_channel", nil)
	}
	weights := make([]int64, len(cart.Lines))
	full, open, matched := int64(0), int64(0), false
	for i := range cart.Lines {
		if r.matches(&cart.Lines[i]) {
			weights[i], matched = left[i], true
			full += cart.Lines[i].Amount
			open += left[i]
		}
	}
	if !matched {
		return out, fault.New(fault.Conflict, "offer.nothing_matches", nil)
	}
	if full < r.Minimum {
		return out, fault.New(fault.Conflict, "offer.below_minimum", fault.Params{"missing": r.Minimum - full})
	}
	out.Base = full
	switch r.Kind {
	case Percent:
		out.Total = mulDiv(open, int64(r.Percent), 100)
	case Amount:
		out.Total = min(r.Amount, open)
	case Shipping:
		out.Total, out.Base = shipping, cart.Shipping
	case Gift:
		out.Gift = r.Gift
	case Trial:
		i, piece := cheapest(cart, weights)
		weights = make([]int64, len(weights))
		weights[i], out.Base = left[i], cart.Lines[i].Amount/max(1, cart.Lines[i].Quantity)
		out.Total = min(max(0, piece-r.Amount), left[i])
	}
	if r.Most > 0 {
		out.Total = min(out.Total, r.Most)
	}
	if r.Kind == Shipping {
		out.Shipping = out.Total
		return out, nil
	}
	out.Lines = share(out.Total, weights)
	return out, nil
}

// cheapest is the line with the lowest price of a piece among those that have a weight, the first of equals, and that price. Where all are paid already it is the
// first line.
func cheapest(cart *Cart, weights []int64) (line int, piece int64) {
	line = -1
	for i, w := range weights {
		if w == 0 {
			continue
		}
		if p := w / max(1, cart.Lines[i].Quantity); line < 0 || p < piece {
			line, piece = i, p
		}
	}
	return max(line, 0), piece
}

// share divides a total by weights, by the largest remainder and then the first; the shares sum to the total, and none is more than its weight
// as long as the total is not more than all of them.
func share(total int64, weights []int64) []int64 {
	out := make([]int64, len(weights))
	sum := int64(0)
	for _, w := range weights {
		sum += w
	}
	if sum <= 0 || total <= 0 {
		return out
	}
	rest := make([]int64, len(weights))
	order := make([]int, len(weights))
	given := int64(0)
	for i, w := range weights {
		order[i] = i
		out[i] = mulDiv(total, w, sum)
		hi, lo := bits.Mul64(uint64(total), uint64(w))   //nolint:gosec // neither is negative
		rest[i] = int64(bits.Rem64(hi, lo, uint64(sum))) //nolint:gosec // below sum
		given += out[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for _, i := range order {
		if given == total {
			break
		}
		out[i]++
		given++
	}
	return out
}

// mulDiv is a·b/c rounded down; none is negative and the result fits.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b)) //nolint:gosec // not negative
	q, _ := bits.Div64(hi, lo, uint64(c))      //nolint:gosec // c is more than a·b/2^64 as a ≤ c or b ≤ c
	return int64(q)                            //nolint:gosec // fits
}

// Back is how much of a discount goes back in all once so much of its goods came back: rounded to the nearest, so that parts sum to the whole.
func Back(discount, base, goods int64) int64 {
	if base <= 0 || goods >= base {
		return discount
	}
	return mulDiv(discount, goods, base) + roundUp(discount, goods, base)
}

func roundUp(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))                         //nolint:gosec // not negative
	if rest := bits.Rem64(hi, lo, uint64(c)); rest >= uint64(c)-rest { //nolint:gosec // not negative
		return 1
	}
	return 0
}
