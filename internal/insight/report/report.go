// Package report describes the business: the figures of the home page, the RFM grid, and purchase cohorts.
//
// Every figure is of whole local days that end on the anchor day: today, or for imported history the last day that has
// orders. Every figure comes with the condition that lists the records behind it, so that a person can check it.
// Revenue is gross (what customers paid for purchases); refunds stand apart, and net is the difference. A purchase is
// what the workspace defines (a confirmed or completed order of positive value unless edited).
package report

import (
	"context"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Span is a run of whole local days, both ends included.
type Span struct{ From, To clock.Day }

// Days is the number of days.
func (s Span) Days() int { return int(s.To-s.From) + 1 }

// Before is the span of the same length that ends the day before.
func (s Span) Before() Span { return Span{s.From - clock.Day(s.Days()), s.From - 1} }

// Totals are figures of one span; amounts are minor units of the base currency.
type Totals struct {
	Customers      int // all live customers, of now
	WithPurchase   int // of them, how many ever purchased
	FirstPurchases int // customers whose first purchase lies in the span
	Buyers         int // customers with a purchase in the span
	RepeatBuyers   int // of them, how many have another purchase in or before the span
	Orders         int
	Gross          int64
	Refunds        int64
	RefundCount    int
}

// Bucket is one step of the trend.
type Bucket struct {
	Span
	Gross  int64
	Orders int
}

// Cell is one field of the RFM grid.
type Cell struct {
	R, F  int
	Count int
	Gross int64
}

// Ranked is a product or a channel with its sales in the span.
type Ranked struct {
	ID       id.ID
	Name     string
	Quantity int64 // thousandths
	Orders   int   // of a channel
	Gross    int64
}

// Cohort is the customers of one month of first purchase; Active[k] is how many of them purchased k months later,
// Active[0] being all of them.
type Cohort struct {
	Month  string // 2006-01
	Active []int
}

// Freshness tells how old an answer of the analytics plane is.
type Freshness struct {
	AsOf time.Time
	Lag  time.Duration
}

// Facts answers from the analytics plane; store/analytics implements it on DuckDB and PostgreSQL.
type Facts interface {
	Anchor(ctx context.Context) (clock.Day, error)
	Freshness(ctx context.Context) (Freshness, error)
	// Version is another text whenever any figure may be another.
	Version(ctx context.Context) (string, error)
	Totals(ctx context.Context, s Span) (Totals, error)
	// Trend sums purchases for each step of so many days, counted back from the end; empty steps are there with zeros.
	Trend(ctx context.Context, s Span, step int) ([]Bucket, error)
	Grid(ctx context.Context) ([]Cell, error)
	TopProducts(ctx context.Context, s Span, n int) ([]Ranked, error)
	Channels(ctx context.Context, s Span) ([]Ranked, error)
	Cohorts(ctx context.Context) ([]Cohort, error)
}

// Service is the behaviour of reports. It is safe for concurrent use.
type Service struct {
	facts Facts
	mu    sync.Mutex
	homes map[int]known // by days
}

// known is a home page and the version of what it was computed from.
type known struct {
	version string
	home    *Home
}

// keptHomes bounds the home pages in memory, a few kilobytes each.
const keptHomes = 64

// New makes a Service.
func New(f Facts) *Service { return &Service{facts: f, homes: map[int]known{}} }

// remembered is the home page of so many days, when nothing has changed since it was computed.
func (s *Service) remembered(days int, version string) *Home {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.homes[days]; k.home != nil && k.version == version {
		return k.home
	}
	return nil
}

func (s *Service) remember(days int, version string, h *Home) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.homes) >= keptHomes {
		clear(s.homes)
	}
	s.homes[days] = known{version, h}
}

// Home is everything the home page shows but classes, which their engine counts.
type Home struct {
	Freshness
	Anchor      clock.Day
	Span        Span
	Now, Before Totals
	Trend       []Bucket
	Grid        []Cell
	TopProducts []Ranked
	Channels    []Ranked
}

// Home computes the home page of so many days (7 to 730), or gives that of before when nothing has changed. It is not to be
// changed.
func (s *Service) Home(ctx context.Context, days int) (*Home, error) {
	if !access.From(ctx).Can(access.ReportRead) {
		return nil, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SegmentRead)})
	}
	if days < 7 || days > 730 {
		return nil, fault.InvalidField("report.bad_days", "days", fault.Params{"min": 7, "max": 730})
	}
	version, err := s.facts.Version(ctx) // before the figures: what changes meanwhile makes them old at once
	if err != nil {
		return nil, err
	}
	fresh, err := s.facts.Freshness(ctx)
	if err != nil {
		return nil, err
	}
	if h := s.remembered(days, version); h != nil {
		now := *h
		now.Freshness = fresh
		return &now, nil
	}
	anchor, err := s.facts.Anchor(ctx)
	if err != nil {
		return nil, err
	}
	span := Span{From: anchor - clock.Day(days) + 1, To: anchor}
	h := &Home{Freshness: fresh, Anchor: anchor, Span: span}
	steps := []func() error{
		func() (err error) { h.Now, err = s.facts.Totals(ctx, span); return },
		func() (err error) { h.Before, err = s.facts.Totals(ctx, span.Before()); return },
		func() (err error) { h.Trend, err = s.facts.Trend(ctx, span, step(days)); return },
		func() (err error) { h.Grid, err = s.facts.Grid(ctx); return },
		func() (err error) { h.TopProducts, err = s.facts.TopProducts(ctx, span, 5); return },
		func() (err error) { h.Channels, err = s.facts.Channels(ctx, span); return },
	}
	for _, f := range steps {
		if err := f(); err != nil {
			return nil, err
		}
	}
	s.remember(days, version, h)
	return h, nil
}

// step keeps the trend between about 12 and 53 points.
func step(days int) int {
	switch {
	case days <= 45:
		return 1
	case days <= 370:
		return 7
	default:
		return 30
	}
}

// Cohorts are customers by month of first purchase against the months in which they purchased again.
func (s *Service) Cohorts(ctx context.Context) ([]Cohort, error) {
	if !access.From(ctx).Can(access.ReportRead) {
		return nil, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SegmentRead)})
	}
	return s.facts.Cohorts(ctx)
}
