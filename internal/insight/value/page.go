package value

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Worth are figures of customers together, in minor units; Orders in hundredths.
type Worth struct {
	Customers         int64
	CLV, Past, Orders int64
}

// Group are the customers of one tenth, class or channel; Key is "" for those of none.
type Group struct {
	Key string
	Worth
}

// Grouping is by what the page groups customers; each is the key of a trait as well.
type Grouping string

// The groupings.
const (
	ByDecile   Grouping = "clv_decile"
	ByTier     Grouping = "value_tier"
	ByStage    Grouping = "lifecycle"
	ByType     Grouping = "customer_type"
	ByRegion   Grouping = "region_class"
	ByChannel  Grouping = "favourite_channel"
	ByRFM      Grouping = "rfm_segment"
	mostGroups          = 50
)

// Groupings of the page in order, the tenths apart.
func Groupings() []Grouping {
	return []Grouping{ByTier, ByStage, ByType, ByRegion, ByChannel, ByRFM}
}

// Overview is what all customers are worth.
type Overview struct {
	Anchor clock.Day
	All    Worth // those with a lifetime value
	Tenths []Group
	By     map[Grouping][]Group
	// Loyalty is the mean index in tenths of a point over those who have one, Loyal how many have 60 points or more, Judged how many have one.
	Loyalty, Loyal, Judged int64
	// Referrers brought Referred customers, who have been worth Referral.
	Referrers, Referred, Referral int64
}

// Ledger is where the money of a span went, in minor units. What is not recorded anywhere has no entry. Purchases without a known cost are
// in Uncosted, with their revenue.
type Ledger struct {
	From, To                    clock.Day
	Customers, Orders           int64
	List                        int64 // before discounts
	Discounts                   int64
	Revenue                     int64 // List less Discounts
	Returns                     int64
	Cost                        int64 // of goods sold, where it is known, less that of what came back
	Uncosted, UncostedPurchases int64
}

// Profit is what stays by what is known.
func (l *Ledger) Profit() int64 { return l.Revenue - l.Returns - l.Cost }

// Earner is a customer's ledger.
type Earner struct {
	Customer id.ID
	Ledger
}

// Move is how many customers went from one group of RFM to another; Was is "" for those who had not purchased then. Value is what they are worth in
// the second (monetary value of RFM).
type Move struct {
	Was, Now  string
	Customers int64
	Value     int64
}

// Reports answers for the page; store/analytics implements it.
type Reports interface {
	Anchor(ctx context.Context) (clock.Day, error)
	All(ctx context.Context) (Overview, error)
	Groups(ctx context.Context, by Grouping) ([]Group, error)
	Ledger(ctx context.Context, from, to clock.Day) (Ledger, error)
	// Earners are customers by profit in a span, the best first, or the worst.
	Earners(ctx context.Context, from, to clock.Day, worst bool, limit int) ([]Earner, error)
	// Moves are between the end of two days, by the cuts of today.
	Moves(ctx context.Context, then, now clock.Day) ([]Move, error)
	// Movers are the customers of a move, those who are worth most first.
	Movers(ctx context.Context, then, now clock.Day, m Move, limit int) ([]id.ID, error)
}

// Service answers the page's questions. It is safe for concurrent use.
type Service struct{ reports Reports }

// NewService makes a Service.
func NewService(r Reports) *Service { return &Service{r} }

// Limits of questions.
const (
	MaxDays = 3660
	MaxList = 200
)

func may(ctx context.Context) error {
	if access.From(ctx).Can(access.ReportRead) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.ReportRead)})
}

// Overview is what all customers are worth, by tenths and groups.
func (s *Service) Overview(ctx context.Context) (Overview, error) {
	if err := may(ctx); err != nil {
		return Overview{}, err
	}
	o, err := s.reports.All(ctx)
	if err != nil {
		return o, err
	}
	if o.Anchor, err = s.reports.Anchor(ctx); err != nil {
		return o, err
	}
	if o.Tenths, err = s.reports.Groups(ctx, ByDecile); err != nil {
		return o, err
	}
	o.By = map[Grouping][]Group{}
	for _, by := range Groupings() {
		if o.By[by], err = s.reports.Groups(ctx, by); err != nil {
			return o, err
		}
	}
	return o, nil
}

// Span is the days that are asked for: as given, or the year up to the day of analysis.
func (s *Service) span(ctx context.Context, from, to clock.Day) (clock.Day, clock.Day, error) {
	if to == 0 {
		var err error
		if to, err = s.reports.Anchor(ctx); err != nil {
			return 0, 0, err
		}
	}
	if from == 0 {
		from = to - 364
	}
	if from > to || to-from >= MaxDays {
		return 0, 0, fault.InvalidField("value.bad_span", "from", fault.Params{"days": MaxDays})
	}
	return from, to, nil
}

// Profit is the ledger of a span of local days, both ends included, and of the span of the same length before it.
func (s *Service) Profit(ctx context.Context, from, to clock.Day) (now, before Ledger, err error) {
	if err = may(ctx); err != nil {
		return now, before, err
	}
	if from, to, err = s.span(ctx, from, to); err != nil {
		return now, before, err
	}
	if now, err = s.reports.Ledger(ctx, from, to); err != nil {
		return now, before, err
	}
	before, err = s.reports.Ledger(ctx, from-(to-from)-1, from-1)
	return now, before, err
}

// Earners are the customers with the highest or the lowest profit in a span.
func (s *Service) Earners(ctx context.Context, from, to clock.Day, worst bool, limit int) ([]Earner, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	from, to, err := s.span(ctx, from, to)
	if err != nil {
		return nil, err
	}
	return s.reports.Earners(ctx, from, to, worst, min(max(limit, 1), MaxList))
}

// Moves are between two days; the later one is the day of analysis when 0, the earlier one 90 days before it.
func (s *Service) Moves(ctx context.Context, then, now clock.Day) (list []Move, from, to clock.Day, err error) {
	if err = may(ctx); err != nil {
		return nil, 0, 0, err
	}
	if then, now, err = s.days(ctx, then, now); err != nil {
		return nil, 0, 0, err
	}
	list, err = s.reports.Moves(ctx, then, now)
	return list, then, now, err
}

func (s *Service) days(ctx context.Context, then, now clock.Day) (clock.Day, clock.Day, error) {
	if now == 0 {
		var err error
		if now, err = s.reports.Anchor(ctx); err != nil {
			return 0, 0, err
		}
	}
	if then == 0 {
		then = now - 90
	}
	return s.span(ctx, then, now)
}

// Movers are the customers of a move.
func (s *Service) Movers(ctx context.Context, then, now clock.Day, m Move, limit int) ([]id.ID, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	then, now, err := s.days(ctx, then, now)
	if err != nil {
		return nil, err
	}
	return s.reports.Movers(ctx, then, now, m, min(max(limit, 1), MaxList))
}
