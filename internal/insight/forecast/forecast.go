// Package forecast says how revenue, orders, customers and demand go on, in total or for one product, category, brand, region, channel or
// store, and why they changed between two spans of days.
//
// Definitions. A purchase is the workspace's one definition; revenue is what was paid for purchases (of a product, category or brand: for
// their lines), refunds stand apart. Customers are who purchased within the period, each once. Weeks begin on Monday. A period counts once
// all its days are over: the running one, the day of analysis when it is today, and a first one that sales began in the middle of are shown
// but not learned from.
//
// A forecast is computed when it is asked for, from the daily figures of at most six years, since it takes well under a second; the method
// is chosen by rolling origin (package stat/forecast). Holidays of the Chinese calendar and the days that a period has are taken out
// before and put back after, unless that made the past plainly more wrong.
//
// Who asks needs the right access.ReportRead; figures are the workspace's.
package forecast

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/stat/forecast"
)

// Figure is what is counted.
type Figure string

// The figures. Revenue is in minor units of the base currency, quantity in thousandths. Basket is only explained, never continued.
const (
	Revenue   Figure = "revenue"
	Orders    Figure = "orders"
	Customers Figure = "customers"
	Quantity  Figure = "quantity"
	Basket    Figure = "basket"
)

// Dimension is what a figure is split by; "" is the total.
type Dimension string

// The dimensions. Region is the province of the customer, as the code of six digits.
const (
	Total    Dimension = ""
	Product  Dimension = "product"
	Category Dimension = "category"
	Brand    Dimension = "brand"
	Region   Dimension = "region"
	Channel  Dimension = "channel"
	Place    Dimension = "store"
)

// Dimensions are those that a figure can be split by, in the order of the page.
func Dimensions() []Dimension {
	return []Dimension{Channel, Place, Region, Category, Brand, Product}
}

// OfLines reports a dimension of what was bought rather than of the order.
func (d Dimension) OfLines() bool { return d == Product || d == Category || d == Brand }

// Period is the step of a row.
type Period string

// The periods.
const (
	Day   Period = "day"
	Week  Period = "week"
	Month Period = "month"
)

// Slice is one value of a dimension: the id of a record in digits, or a text. The zero value is everything.
type Slice struct {
	Dimension Dimension
	Value     string
}

// Point is the figure of a period, by its first day.
type Point struct {
	Day   clock.Day
	Value int64
}

// Value is a value of a dimension with what it brought.
type Value struct {
	Key     string
	Revenue int64
}

// Cell are the figures of a value of one or two dimensions in a span.
type Cell struct {
	Keys                                 [2]string
	Revenue, Orders, Customers, Quantity int64
}

// Facts answers from the analytics plane.
type Facts interface {
	Anchor(ctx context.Context) (clock.Day, error)
	// First is the day of the first purchase; ok is false when there is none.
	First(ctx context.Context) (day clock.Day, ok bool, err error)
	// Series sums by period, in order; periods without purchases are missing.
	Series(ctx context.Context, f Figure, s Slice, p Period, from, to clock.Day) ([]Point, error)
	// Values are the values of a dimension that brought most, at most so many.
	Values(ctx context.Context, d Dimension, from, to clock.Day, limit int) ([]Value, error)
	// Cells are the figures by the values of up to two dimensions, in any order; without dimensions there is one.
	Cells(ctx context.Context, dims []Dimension, from, to clock.Day) ([]Cell, error)
	// Newcomers counts who purchased for the first time in a span.
	Newcomers(ctx context.Context, from, to clock.Day) (int64, error)
}

// Limits of questions.
const (
	MaxYears  = 6
	MaxValues = 200
	MaxDays   = 1100 // of a span that is explained
)

// Service answers. It is safe for concurrent use.
type Service struct {
	facts  Facts
	keeper Keeper
	next   func() id.ID
	clock  clock.Clock
	zone   func() *time.Location
	tell   func(ctx context.Context, w Watch, v Said) error // nil: nobody hears
}

// New makes a Service.
func New(f Facts, c clock.Clock, zone func() *time.Location) *Service {
	return &Service{facts: f, clock: c, zone: zone}
}

func may(ctx context.Context) error {
	if access.From(ctx).Can(access.ReportRead) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.ReportRead)})
}

// Ask is a row to continue. Horizon 0 takes what suits the period.
type Ask struct {
	Figure  Figure
	Slice   Slice
	Period  Period
	Horizon int
}

var horizons = map[Period]struct{ usual, most, season, kept int }{
	Day:   {28, 92, 7, 2 * 366},
	Week:  {13, 53, 52, 6 * 53},
	Month: {6, 24, 12, 6 * 12},
}

func (a *Ask) check() error {
	h, ok := horizons[a.Period]
	if !ok {
		return fault.InvalidField("forecast.bad_period", "period", nil)
	}
	if a.Horizon == 0 {
		a.Horizon = h.usual
	}
	if a.Horizon < 1 || a.Horizon > h.most {
		return fault.InvalidField("forecast.bad_horizon", "horizon", fault.Params{"max": h.most})
	}
	switch a.Figure {
	case Revenue, Orders, Customers, Quantity:
	default:
		return fault.InvalidField("forecast.bad_figure", "figure", nil)
	}
	return a.Slice.check()
}

func (s Slice) check() error {
	if s.Dimension == Total && s.Value == "" {
		return nil
	}
	for _, d := range Dimensions() {
		if d == s.Dimension {
			return nil
		}
	}
	return fault.InvalidField("forecast.bad_dimension", "dimension", nil)
}

// Known is a period that was.
type Known struct {
	From, To clock.Day
	Value    float64
	Fitted   *float64 // what one would have said a period before; nil where nothing was learned
	Partial  bool     // not all its days are in it: not learned from
	Holidays []string
}

// Ahead is a period to come.
type Ahead struct {
	From, To      clock.Day
	Mean          float64
	Low80, High80 float64
	Low95, High95 float64
	Holidays      []string
}

// Answer is a row with how it goes on.
type Answer struct {
	Ask
	Anchor   clock.Day
	Known    []Known
	Ahead    []Ahead
	Method   forecast.Method
	Errors   []forecast.Error // best first
	Chosen   forecast.Error
	Peer     forecast.Error
	Origins  int
	Cover80  float64
	Cover95  float64
	Learned  int  // periods that were learned from
	Calendar bool // holidays and days of periods were taken out
	Effects  []forecast.Effect
	Notes    []string // empty, short, constant, intermittent, seasonless
	Sum      float64  // of the periods to come
	Before   *float64 // the sum of as many periods that ended a year before; nil when they are not known
	Took     time.Duration
}

// Forecast continues a row.
func (s *Service) Forecast(ctx context.Context, a Ask) (*Answer, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	return s.forecast(ctx, a, 0)
}

// forecast continues a row as it stood at the end of a day; 0 is the day of analysis.
func (s *Service) forecast(ctx context.Context, a Ask, until clock.Day) (*Answer, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	began := s.clock.Now()
	row, err := s.row(ctx, a, until)
	if err != nil {
		return nil, err
	}
	if until != 0 && until < row.complete {
		row = row.until(until)
	}
	out := row.answer()
	out.Took = s.clock.Now().Sub(began)
	return out, nil
}

// row is what is known of a figure.
type row struct {
	ask      Ask
	anchor   clock.Day
	complete clock.Day // the last day that is over
	first    clock.Day // of the days
	days     []float64
	periods  []Known
}

// Complete is the last day that is over: the day of analysis, or the day before when it is still running.
func (s *Service) complete(anchor clock.Day) clock.Day {
	return min(anchor, clock.DayOf(s.clock.Now(), s.zone())-1)
}

func (s *Service) row(ctx context.Context, a Ask, until clock.Day) (*row, error) {
	anchor, err := s.facts.Anchor(ctx)
	if err != nil {
		return nil, err
	}
	if until != 0 && until < anchor {
		anchor = until
	}
	r := &row{ask: a, anchor: anchor, complete: s.complete(anchor)}
	first, ok, err := s.facts.First(ctx)
	if err != nil || !ok || first > anchor {
		return r, err
	}
	begin := max(first, startOf(a.Period, anchor-MaxYears*366))
	points, err := s.facts.Series(ctx, a.Figure, a.Slice, Day, begin, anchor)
	if err != nil || len(points) == 0 {
		return r, err
	}
	r.first = begin
	if a.Slice != (Slice{}) || begin != first {
		r.first = max(begin, points[0].Day) // sales of it began then
	}
	r.days = make([]float64, int(anchor-r.first)+1)
	for _, p := range points {
		if p.Day >= r.first && p.Day <= anchor {
			r.days[p.Day-r.first] += float64(p.Value)
		}
	}
	own := map[clock.Day]float64{}
	if a.Figure == Customers && a.Period != Day { // who comes on two days is one customer
		list, err := s.facts.Series(ctx, a.Figure, a.Slice, a.Period, begin, anchor)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			own[p.Day] = float64(p.Value)
		}
	} else {
		for i, v := range r.days {
			own[startOf(a.Period, r.first+clock.Day(i))] += v
		}
	}
	for from := startOf(a.Period, r.first); from <= anchor; from = next(a.Period, from) {
		to := next(a.Period, from) - 1
		r.periods = append(r.periods, Known{From: from, To: to, Value: own[from], Partial: to > r.complete || from < r.first})
	}
	return r, nil
}

// startOf is the first day of the period that a day lies in.
func startOf(p Period, d clock.Day) clock.Day {
	switch p {
	case Week:
		return d - ((d+3)%7+7)%7 // day 0 was a Thursday
	case Month:
		t := d.Time()
		return clock.NewDay(t.Year(), t.Month(), 1)
	}
	return d
}

// next is the first day of the period after.
func next(p Period, from clock.Day) clock.Day {
	switch p {
	case Week:
		return from + 7
	case Month:
		t := from.Time()
		return clock.NewDay(t.Year(), t.Month()+1, 1)
	}
	return from + 1
}

// Anchor is the day of analysis.
func (s *Service) Anchor(ctx context.Context) (clock.Day, error) {
	if err := may(ctx); err != nil {
		return 0, err
	}
	return s.facts.Anchor(ctx)
}

// Values are the values of a dimension to choose from, those that brought most in the last year first.
func (s *Service) Values(ctx context.Context, d Dimension) ([]Value, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	if err := (Slice{Dimension: d, Value: "x"}).check(); err != nil {
		return nil, err
	}
	anchor, err := s.facts.Anchor(ctx)
	if err != nil {
		return nil, err
	}
	return s.facts.Values(ctx, d, anchor-364, anchor, MaxValues)
}
