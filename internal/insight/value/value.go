// Package value says what customers are worth: what they will bring (customer lifetime value), what they brought (profit, its parts, its
// spread), how loyal they are, whom they brought along, and how they moved between the groups of RFM.
//
// Counting follows Fader, Hardie and Lee (2005): the purchases of a local day are one; refunds are taken off on their own day and never count as a
// purchase, and neither does a day that leaves nothing. The first purchase day is what made the customer; X counts the days after it. The value of a
// day is its revenue less what was refunded on it, or the margin on that. How often somebody will buy again is
// the BG/NBD's or MBG/NBD's to say, how much he spends each time the Gamma-Gamma's (stat/btyd). A lifetime value is of the future only, within a
// horizon, discounted. It is estimated after measuring the model on the last weeks, which are held back for that.
//
// The probability of still being a customer is the MBG/NBD's whichever model counts: the BG/NBD gives 1 to everyone who bought once.
//
// The package has no SQL: Facts does.
package value

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/stat/btyd"
)

// Key is the model's.
const Key = "value"

// Family is the trait family of the scores.
const Family = "m_value"

// The columns of the family, which are the keys of the traits as well.
const (
	TraitCLV            = "clv"
	TraitOrders         = "expected_orders"
	TraitAlive          = "alive_probability"
	TraitBasket         = "expected_basket"
	TraitDecile         = "clv_decile"
	TraitPast           = "value_past"
	TraitLoyalty        = "loyalty_index"
	TraitRepurchase     = "loyalty_repurchase"
	TraitBreadth        = "loyalty_breadth"
	TraitTenure         = "loyalty_tenure"
	TraitRecommendation = "loyalty_recommendation"
	TraitReferred       = "referral_count"
	TraitReferral       = "referral_value"
)

// Columns of the family in order.
func Columns() []string {
	return []string{TraitCLV, TraitOrders, TraitAlive, TraitBasket, TraitDecile, TraitPast, TraitLoyalty, TraitRepurchase, TraitBreadth, TraitTenure,
		TraitRecommendation, TraitReferred, TraitReferral}
}

// Basis is what a purchase is worth.
type Basis string

// The bases. Auto is margin where every purchase has a cost.
const (
	Auto    Basis = "auto"
	Revenue Basis = "revenue"
	Margin  Basis = "margin"
)

// Ask says which purchases: those of the days up to Until, counted to Cut apart. Rate is the margin in ten-thousandths that stands in for
// an unknown cost.
type Ask struct {
	Cut, Until clock.Day
	Basis      Basis
	Rate       int64
}

// Counted are purchase days, the last of them, and their values together, in minor units.
type Counted struct {
	Days  int
	Last  clock.Day
	Value int64
}

// Purchases are those of one customer. First is his first purchase day and FirstValue what it was worth.
type Purchases struct {
	Customer   int64
	First      clock.Day
	FirstValue int64
	Cut        Counted // Days is 0 where he came later
	All        Counted
	Year       int // purchase days of the 365 days up to Until
}

// Costs is how many purchases there are and of how many the cost is known.
type Costs struct {
	Purchases, Costed    int64
	CostedRevenue, Spent int64 // revenue of those with a cost, and their cost
	First                clock.Day
}

// Brought is a customer whom another one brought.
type Brought struct{ Customer, By int64 }

// Facts answers from the analytics plane and writes scores there; store/analytics implements it.
type Facts interface {
	// Purchases gives all customers with a purchase, by id.
	Purchases(ctx context.Context, a Ask) ([]Purchases, error)
	// PurchasesOf gives one customer's: ok is false when he has none.
	PurchasesOf(ctx context.Context, a Ask, customer int64) (p Purchases, ok bool, err error)
	Costs(ctx context.Context, until clock.Day) (Costs, error)
	// Breadth is in how many categories each customer bought; those without one are absent.
	Breadth(ctx context.Context, until clock.Day) (map[int64]int, error)
	// Referrals are all customers with a referrer, by id.
	Referrals(ctx context.Context) ([]Brought, error)
	// Replace has rows, a value for each of Columns, take the place of all scores.
	Replace(ctx context.Context, rows predict.Rows, at int64, mark string) (int64, error)
}

// Model is the model of value.
type Model struct {
	facts Facts
	// minor is how many minor units make one unit of the base currency.
	minor func() float64
	// anchor is the day of analysis.
	anchor func(context.Context) (clock.Day, error)
}

var _ predict.Model = (*Model)(nil)

// New makes the model; minor answers how many minor units make one unit of the base currency, anchor the day of analysis.
func New(f Facts, minor func() float64, anchor func(context.Context) (clock.Day, error)) *Model {
	return &Model{f, minor, anchor}
}

func limit(v float64) *float64 { return &v }

func number(key string, value string, least, most float64, unit string) predict.Option {
	return predict.Option{Key: key, Kind: predict.Number, Default: json.RawMessage(value), Min: limit(least), Max: limit(most), Unit: unit}
}

func choice(key string, choices ...string) predict.Option {
	b, err := json.Marshal(choices[0])
	if err != nil {
		b = []byte(`""`)
	}
	return predict.Option{Key: key, Kind: predict.Choice, Default: b, Choices: choices}
}

// About implements predict.Model.
func (m *Model) About() predict.About {
	return predict.About{Key: Key, Page: "/value", Traits: Columns(), Family: Family, Refit: predict.Weekly, Measure: "auc", Options: []predict.Option{
		choice("model", string(btyd.BG), string(btyd.MBG)),
		number("months", "12", 1, 60, "month"),
		number("discount", "10", 0, 100, "percent"),
		choice("timing", string(btyd.EndOfMonth), string(btyd.MidMonth)),
		choice("basis", string(Auto), string(Revenue), string(Margin)),
		number("held", "26", 0, 104, "week"),
		choice("unit", "week", "day"),
		number("weight_repurchase", "40", 0, 100, ""), number("weight_breadth", "20", 0, 100, ""),
		number("weight_tenure", "20", 0, 100, ""), number("weight_recommendation", "20", 0, 100, ""),
		number("full_repurchase", "6", 1, 365, ""), number("full_breadth", "4", 1, 100, ""),
		number("full_tenure", "24", 1, 240, "month"), number("full_recommendation", "3", 1, 100, ""),
	}}
}

// options are those of About with their values.
type options struct {
	Model     btyd.Kind   `json:"model"`
	Months    float64     `json:"months"`
	Discount  float64     `json:"discount"`
	Timing    btyd.Timing `json:"timing"`
	Basis     Basis       `json:"basis"`
	Held      float64     `json:"held"`
	Unit      string      `json:"unit"`
	WeightRep float64     `json:"weight_repurchase"`
	WeightBr  float64     `json:"weight_breadth"`
	WeightTen float64     `json:"weight_tenure"`
	WeightRec float64     `json:"weight_recommendation"`
	FullRep   float64     `json:"full_repurchase"`
	FullBr    float64     `json:"full_breadth"`
	FullTen   float64     `json:"full_tenure"`
	FullRec   float64     `json:"full_recommendation"`
}

// read takes what is set; the rest has its default.
func (m *Model) read(given json.RawMessage) (options, error) {
	var o options
	all := map[string]json.RawMessage{}
	for _, d := range m.About().Options {
		all[d.Key] = d.Default
	}
	set := map[string]json.RawMessage{}
	if len(given) > 0 {
		if err := json.Unmarshal(given, &set); err != nil {
			return o, err
		}
	}
	for k, v := range set {
		all[k] = v
	}
	whole, err := json.Marshal(all)
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(whole, &o)
}

// unit is a step of the clock in days.
func (o options) unit() float64 {
	if o.Unit == "day" {
		return 1
	}
	return 7
}

func (o options) horizon() btyd.Horizon {
	return btyd.Horizon{Months: int(o.Months), Month: btyd.WeeksPerMonth * 7 / o.unit(), Discount: btyd.Monthly(o.Discount / 100), Timing: o.Timing}
}
