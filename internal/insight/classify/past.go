package classify

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/stat/cut"
	"github.com/guanxi-crm/guanxi/internal/stat/stay"
)

// Past is what is known of the classes of earlier days. A classification that asks only of purchases and of other things with a
// time of their own is decided anew for the ends of past months, under the rules of now; every other one, and every classification
// since, by the moves that were found. A customer is in the past from the day on which he was known: entered, acquired, or first
// purchasing. Days are days of analysis; "now" is the day that the traits go by.
type Past interface {
	// Remember makes the past of each classification whose rules are others than those it was made by, and takes out customers who
	// are gone.
	Remember(ctx context.Context, defs []Classification, at time.Time) error
	// TooLarge reports so much data that Remember takes longer than somebody waits.
	TooLarge(ctx context.Context) (bool, error)
	// Known says since when the past of a classification is known; ok is false before the first pass.
	Known(ctx context.Context, key string) (Known, bool, error)
	// Flows counts customers by their class on two days; "" is not known yet, or in no class.
	Flows(ctx context.Context, key string, from, to clock.Day) ([]Flow, error)
	// Passages counts the moves in a span of days by what they lead from and to, and Sizes customers by class at the end of days.
	Passages(ctx context.Context, key string, from, to clock.Day) ([]Flow, error)
	Sizes(ctx context.Context, key string, days []clock.Day) ([]map[string]int64, error)
	// Stays are how long customers were in each class: over ones and those that go on. What began before the past is known is left out.
	Stays(ctx context.Context, key string) (map[string][]stay.Stay, error)
	// Reached counts customers by group (month of the day on which they became known as 2006-01, or source) and the highest of the
	// given ranks that they reached within so many days of it; 0 is none. Customers known for a shorter time are left out of ranks
	// and counted as Young.
	Reached(ctx context.Context, key string, ranks map[string]int, days int, by string) ([]Reached, error)
	// Behind are the customers of a figure whom a reader sees, in the order of ids after one.
	Behind(ctx context.Context, key string, b Behind, p Page) (People, error)
	// Steps are the classes of a customer, oldest first.
	Steps(ctx context.Context, customer id.ID) ([]Step, error)
	// Together counts customers by their present class of two classifications.
	Together(ctx context.Context, one, other string) ([]Flow, error)
	// Later is what customers purchased in the days after one, up to and including another, by their class on it.
	Later(ctx context.Context, key string, day, until clock.Day) (map[string]Sum, error)
	// Values are a trait's values on a day, ascending, with what those who had it purchased after it up to another. ok is false for
	// a trait that is not known of earlier days: then day is not looked at, and nothing is later.
	Values(ctx context.Context, trait string, day, until clock.Day) (values []cut.Value, ok bool, err error)
	// Moving counts customers by their present class and that which unsaved classes would give them.
	Moving(ctx context.Context, def Classification) ([]Flow, error)
	// MovingPeople are those of one flow.
	MovingPeople(ctx context.Context, def Classification, from, to string, p Page) (People, error)
	// Days are the day of analysis and that of the first purchase; 0 without any.
	Days(ctx context.Context) (now, first clock.Day, err error)
}

// Known is since when the past of a classification is known.
type Known struct {
	Since clock.Day `json:"since"`
	// Replayed is the day up to which it was decided anew by month; 0 for a classification of which moves alone are known.
	Replayed clock.Day `json:"replayed"`
	Version  int64     `json:"version"`
}

// Flow is how many customers are in one class here and another there.
type Flow struct {
	From, To string
	N        int64
}

// Reached is how many customers of a group reached a rank.
type Reached struct {
	Group string
	Rank  int
	Young bool
	N     int64
}

// Step is a customer's class from a day on.
type Step struct {
	Classification string
	Class          string
	Day            clock.Day
}

// Sum is what customers came to.
type Sum struct {
	N, Buyers int64
	Sum, Sq   float64
}

// Behind says which figure's customers are wanted.
type Behind struct {
	// Figure is "flow" (in class From on day A and To on day B), "move" (moved From To from day A to day B; an empty one is any),
	// "in" (in class To on day B), "reached" (of Group, reached at least Rank within Days) or "group".
	Figure   string
	From, To string
	A, B     clock.Day
	By       string
	Group    string
	Rank     int
	Days     int
	Ranks    map[string]int
}

// Page is a page of customers.
type Page struct {
	Limits *query.Limits // what the reader sees; nil for everything
	After  id.ID
	Limit  int
	Count  bool
}

// People are a page, and how many there are in all where that was asked: whom the reader sees.
type People struct {
	IDs   []id.ID
	Total int64 // -1 where it was not asked
}

// Groups of conversion.
const (
	ByMonth  = "month"
	BySource = "source"
)
