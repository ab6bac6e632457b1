// Package recommend says what a customer tends to buy, and what to show him next.
//
// Preferences. Of everything a customer buys, products are regular (常购), lapsed or occasional (偶购), see Habit; the time of the next
// purchase of a product follows from his own rhythm, drawn towards that of all customers where he has bought it only a few times.
//
// Recommendations. Four lists: personal (what suits him among what he has not bought lately: likeness of products or factors, whichever
// foretold better on later purchases), again (what he buys over and over), together (what is bought with what he bought last), similar
// (products of the same make-up). Who has bought nothing is shown what is popular among people like him. Business rules cut every list
// alike, and each item says why it is there.
//
// Two models of the room keep what was learned: "preference" writes what is known of habits, "recommend" the likeness of products, their
// factors, the rules of baskets and the next product of each customer. Lists are worked out when they are asked for, from what was learned
// and the customer's purchases, so that they never lag behind him.
//
// Only purchases count, as the workspace defines them, up to the day of analysis. Lines that name no product are passed over.
package recommend

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Deed is a purchase, when Product is 0, or a line of one.
type Deed struct {
	Customer, Order int64
	Day             clock.Day
	At              int64 // milliseconds, of purchases
	Product         int64
	Quantity        int64 // thousandths
	Amount          int64 // minor units of the base currency
}

// Good is a live product.
type Good struct {
	ID                            int64
	Name, Brand, Category, Styles string // Styles are option keys between bars: |minimal|casual|
	Audience                      string
	Price                         int64 // minor units, 0 where there is none
	OnSale                        bool  // sold now, in at least one variant
}

// Person is what lists for newcomers go by.
type Person struct {
	ID           int64
	Gender, Tier string
}

// Past is what is known of one customer.
type Past struct {
	Person
	Deeds    []Deed
	Returned []int64 // products
}

// Extent is how much there is to learn from.
type Extent struct {
	Lines, Customers int64
	First, Last      clock.Day // 0 where there is nothing
}

// Sample is which customers are read: those whose number leaves no rest by Of; all where Of is less than 2.
type Sample struct {
	Until clock.Day
	Of    int64
}

// Facts answers from the analytics plane.
type Facts interface {
	// Extent counts lines with a product up to a day.
	Extent(ctx context.Context, until clock.Day) (Extent, error)
	// Deeds gives purchases and lines by customer, then by day, order and line; a purchase comes before its lines.
	Deeds(ctx context.Context, s Sample, take func(Deed) error) error
	// Goods are the live products in the order of ids.
	Goods(ctx context.Context) ([]Good, error)
	// People are the live customers in the order of ids.
	People(ctx context.Context, take func(Person) error) error
	// Past is one customer's, up to a day; a customer who is not there has none.
	Past(ctx context.Context, customer int64, until clock.Day) (Past, error)
}

// Scores takes the traits of a family, all of them or none. Values are int64, string or nil, one for each column; the slice is used again.
type Scores interface {
	ReplaceFamily(ctx context.Context, family string, columns []string, at int64, mark string, rows Rows) (int64, error)
}

// Rows are customers with their values.
type Rows = predict.Rows

// Kept is where the versions of models are.
type Kept interface {
	// InUse is the version of a model that is in use, 0 for none.
	InUse(ctx context.Context, model string) (int64, error)
	// State is what a version has learned.
	State(ctx context.Context, model string, version int64) (json.RawMessage, error)
}
