package query

import (
	"regexp"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Checked is a condition that has passed Resolve: every name is found and every value is read into a constant. It is
// immutable and may be shared. Windows are still relative; At fixes them to an instant.
type Checked struct {
	// Object is what the condition is about.
	Object *schema.Object
	// Owner is the relation to the customer where Object is not the customer; nil for customers and where there is none.
	// Traits, segments and top are asked of the customer.
	Owner *schema.Field
	Root  Expr
}

// Expr is a node of a checked condition: All, Any, Not, Leaf, Aggregated, NoRows, Resumed, Steps, Member, Sample, Best or
// Among.
type Expr interface{ expr() }

// All holds when all items hold, also when there is none.
type All struct{ Items []Expr }

// Any holds when one item holds.
type Any struct{ Items []Expr }

// Not is the complement.
type Not struct{ Item Expr }

// Leaf asks a test of one value.
type Leaf struct {
	Slot Slot
	Test Test
}

// Rows are the records of another object that belong to the record asked about, those whose field Via points at it, or the
// events of a customer: those that satisfy Where, and whose time lies in Window.
type Rows struct {
	Event  string         // the name of the events, AnyEvent for all; "" for records
	Object *schema.Object // nil for events
	Via    *schema.Field
	Where  Expr  // nil for all
	Time   Slot  // where their time is kept, in days or in instants as Window needs
	Window *Test // of Time, nil for always
}

// Aggregated asks a test of an aggregate over rows. An aggregate over no rows, or over no values, has no value: the
// answer is then None.
type Aggregated struct {
	Rows
	Func   string // count, days, sum, avg, min, max, distinct
	Slot   Slot   // what is aggregated; the day of the rows for days, unused for count
	Factor int64  // avg: the constants of Test are Factor times the scale of Slot
	Test   Test
	None   bool
}

// NoRows holds when there are no rows.
type NoRows struct{ Rows }

// Resumed holds when there are rows both in and before the last Span (which ends now), and at least Gap (days or
// milliseconds) lies between the first row inside and the last row before. Rows after now count for neither.
type Resumed struct {
	Rows
	Span Test // the window of the return, one closed range once bound
	Gap  int64
}

// Member holds for customers in a segment. Of is the segment's condition about customers, nil where stored membership
// is asked.
type Member struct {
	Key string
	Of  Expr
}

// Sample is a stable random share of the records: the first eight bytes of md5(Salt:id) are below Below; everyone when
// Everyone is set. The id is written as a decimal number.
type Sample struct {
	Salt     string
	Below    uint64
	Everyone bool
}

// Best are the Count customers of Of (nil: all) with the highest value of a trait, ties by the lower id. Customers
// without a value are never among them. Share, where it is not 0, is how many in millionths of those who have a value, rounded, at least one.
type Best struct {
	Of    Expr
	Trait Trait
	Count int
	Share int64
}

func (All) expr()        {}
func (Any) expr()        {}
func (Not) expr()        {}
func (Leaf) expr()       {}
func (Aggregated) expr() {}
func (NoRows) expr()     {}
func (Resumed) expr()    {}
func (Member) expr()     {}
func (Sample) expr()     {}
func (Best) expr()       {}

// Slot is one stored value: a column of a field, reached over to-one relations, a trait, or a value of an event.
type Slot struct {
	Hops   []Hop // from the record asked about
	Object *schema.Object
	Field  *schema.Field
	Role   schema.Role
	Trait  *Trait     // instead of Object and Field
	Event  *EventSlot // instead of all others, inside the rows of events
}

// Hop is a to-one relation and the object it leads to.
type Hop = formula.Hop

// TestKind says which members of a Test count.
type TestKind uint8

// The tests. All but IsSet and IsNotSet hold only where there is a value.
const (
	IsSet       TestKind = iota // there is a value
	IsNotSet                    // there is none
	Between                     // an integer in one of Ranges
	OneOf                       // an integer among Ints
	TextIn                      // a text equal to one of Texts
	TextBetween                 // a text in one of Spans, by bytes
	Contains                    // Texts[0] is part of a text
	EndsWith                    // Texts[0] is the end of a text
	Matches                     // Pattern is found in a text
	HasAll                      // a list has all Texts
	HasAny                      // a list has one of Texts
	IsTrue                      // a truth equals Bool
	MonthDays                   // a birthday's month and day in Solar or Lunar, by its calendar
)

// Test is what is asked of one value. Constants are in stored form: scaled numbers, days, milliseconds, minor units of
// the base currency, folded texts.
type Test struct {
	Kind    TestKind
	Not     bool // the opposite, of those who have a value
	Ranges  []Range
	Ints    []int64
	Texts   []string
	Spans   []TextRange
	Pattern string // in the subset that every engine reads alike, see Pattern
	Bool    bool
	Solar   []Range // month*100+day
	Lunar   []Range // month*100+day, +10000 in a leap month

	span    *span // relative, until bound
	matcher *regexp.Regexp
}

// Range is a span of integers; a nil end is open to infinity. Strict ends are used only where the value is an average.
type Range struct {
	Lo, Hi             *int64
	LoStrict, HiStrict bool
}

// TextRange is a span of texts ordered by bytes; a nil end is open to infinity.
type TextRange struct {
	Lo, Hi             *string
	LoStrict, HiStrict bool
}

// closed is the range from lo to hi, both inside.
func closed(lo, hi int64) Range { return Range{Lo: &lo, Hi: &hi} }

func point(v int64) Range { return closed(v, v) }

// unit is what the slot of a span holds.
type unit uint8

const (
	inDays     unit = iota // local days
	inInstants             // milliseconds; whole days become the instants between their starts
)

type spanKind uint8

const (
	lastDays    spanKind = iota // the last Oldest days with today, less the last Newest
	nextDays                    // the next Oldest days with today, less the next Newest
	lastHours                   // (now - Oldest hours, now]
	nextHours                   // [now, now + Oldest hours)
	dates                       // From to To, fixed; a nil end is open
	beforeDays                  // before the last Oldest days
	beforeHours                 // up to now - Oldest hours
	anniversary                 // the yearly day falls on a day of the window
)

// span is a window that becomes ranges once the time is known.
type span struct {
	kind           spanKind
	oldest, newest int
	from, to       *clock.Day
	unit           unit
	birthday       bool // anniversary: month and day of a birthday instead of days
}
