package form

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Cost is what was spent in a month (202601) on winning customers from somewhere; Amount in minor units of the base currency.
type Cost struct {
	Month    int
	Origin   string // an option of the customers' field of sources, or the printed id of a form
	Source   string // of a form: where people came from
	Campaign string
	Amount   int64
}

// Won is a customer whom a form made.
type Won struct {
	Form             id.ID
	Source, Campaign string
	Customer         id.ID
}

// CostStore keeps costs, and knows whom forms made.
type CostStore interface {
	Costs(ctx context.Context, from, to int) ([]Cost, error)
	// SetCost writes a cost over the one before; an amount of 0 takes it away.
	SetCost(ctx context.Context, c Cost, by id.ID, at time.Time) error
	// Won passes whom forms made in a span of time, in the order of time.
	Won(ctx context.Context, from, to time.Time, fn func(Won) error) error
}

// Origin is where customers came from, with what it cost.
type Origin struct {
	Origin           string // "" for customers of whom it is not known
	Form             *Form  // of a row of a form
	Source, Campaign string
	Customers        int64
	Bought           int64 // of those, who have bought by now
	Cost             int64
}

// Origins is a report over months. Rows of forms are a part of the source "form".
type Origins struct {
	From, To int
	Sources  []Origin
	Forms    []Origin
	Costs    []Cost
	Bought   bool // how many have bought is told
}

// Counted is how many customers came from a source, and how many of them have bought.
type Counted struct{ Customers, Bought int64 }

// Acquired counts customers whom the actor sees.
type Acquired interface {
	// Sources counts those who came on days, by the option of their field of sources; "" for those without.
	// bought is false where the actor may not know who has bought.
	Sources(ctx context.Context, from, to clock.Day) (counted map[string]Counted, bought bool, err error)
	// Among says how many of some customers the actor sees and, where asked, how many of these have bought.
	Among(ctx context.Context, customers []id.ID, bought bool) (Counted, error)
	// Options are the sources that there are.
	Options() []string
}

const (
	maxMonths = 36
	maxWon    = 200_000
	maxCost   = 1_000_000_000_000
)

// FormSource is the source of customers whom forms made.
const FormSource = "form"

// span is the first day of a month and the last of another.
func span(from, to int) (first, last clock.Day, ok bool) {
	month := func(m int) (time.Time, bool) {
		t := time.Date(m/100, time.Month(m%100), 1, 0, 0, 0, 0, time.UTC)
		return t, m%100 >= 1 && m%100 <= 12 && m/100 >= 1990 && m/100 <= 2200
	}
	a, okA := month(from)
	b, okB := month(to)
	if !okA || !okB || from > to || (to/100-from/100)*12+to%100-from%100 >= maxMonths {
		return 0, 0, false
	}
	return clock.DayOf(a, time.UTC), clock.DayOf(b.AddDate(0, 1, -1), time.UTC), true
}

// Origins reports where customers of some months came from and what they cost. A customer came on the day of acquisition that his record names, else on the day
// on which it was made; whom a form made keeps the source of that submission for good.
func (s *Service) Origins(ctx context.Context, from, to int) (Origins, error) {
	out := Origins{From: from, To: to}
	for _, r := range []access.Right{access.CampaignRead, access.RecordRead} {
		if err := may(ctx, r); err != nil {
			return out, err
		}
	}
	first, last, ok := span(from, to)
	if !ok {
		return out, fault.InvalidField("form.bad_months", "from", fault.Params{"max": maxMonths})
	}
	var counted map[string]Counted
	var err error
	counted, out.Bought, err = s.cfg.Acquired.Sources(ctx, first, last)
	if err != nil {
		return out, err
	}
	if out.Costs, err = s.cfg.Costs.Costs(ctx, from, to); err != nil {
		return out, err
	}
	if out.Forms, err = s.wonByForms(ctx, first, last, &out); err != nil {
		return out, err
	}
	sources := map[string]*Origin{}
	at := func(key string) *Origin {
		if sources[key] == nil {
			sources[key] = &Origin{Origin: key}
		}
		return sources[key]
	}
	for key, n := range counted {
		o := at(key)
		o.Customers, o.Bought = n.Customers, n.Bought
	}
	for _, c := range out.Costs {
		if _, err := id.Parse(Prefix, c.Origin); err == nil { // a part of what forms cost
			at(FormSource).Cost += c.Amount
			continue
		}
		at(c.Origin).Cost += c.Amount
	}
	for _, o := range sources {
		out.Sources = append(out.Sources, *o)
	}
	slices.SortFunc(out.Sources, func(a, b Origin) int {
		return cmp.Or(cmp.Compare(b.Customers, a.Customers), cmp.Compare(a.Origin, b.Origin))
	})
	return out, nil
}

// wonByForms are the rows of forms: by form, source and campaign.
func (s *Service) wonByForms(ctx context.Context, first, last clock.Day, of *Origins) ([]Origin, error) {
	zone := s.cfg.Zone()
	type key struct {
		form             id.ID
		source, campaign string
	}
	won, n := map[key][]id.ID{}, 0
	err := s.cfg.Costs.Won(ctx, first.Start(zone), (last + 1).Start(zone), func(w Won) error {
		if n++; n > maxWon {
			return fault.New(fault.Invalid, "form.too_many_won", fault.Params{"max": maxWon})
		}
		k := key{w.Form, w.Source, w.Campaign}
		won[k] = append(won[k], w.Customer)
		return nil
	})
	if err != nil {
		return nil, err
	}
	spent := map[key]int64{}
	for _, c := range of.Costs {
		if form, err := id.Parse(Prefix, c.Origin); err == nil {
			k := key{form, c.Source, c.Campaign}
			spent[k] += c.Amount
			if _, ok := won[k]; !ok {
				won[k] = nil
			}
		}
	}
	forms := map[id.ID]*Form{}
	list, err := s.cfg.Store.Forms(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		forms[list[i].ID] = &list[i]
	}
	var out []Origin
	for k, customers := range won {
		f := forms[k.form]
		if f == nil {
			continue
		}
		c, err := s.cfg.Acquired.Among(ctx, customers, of.Bought)
		if err != nil {
			return nil, err
		}
		out = append(out, Origin{Origin: id.Format(Prefix, k.form), Form: f, Source: k.source, Campaign: k.campaign, Customers: c.Customers, Bought: c.Bought, Cost: spent[k]})
	}
	slices.SortFunc(out, func(a, b Origin) int {
		return cmp.Or(cmp.Compare(b.Customers, a.Customers), cmp.Compare(a.Form.ID, b.Form.ID), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Campaign, b.Campaign))
	})
	return out, nil
}

// SetCost enters what a month cost; 0 takes it away.
func (s *Service) SetCost(ctx context.Context, c Cost) error {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return err
	}
	if _, _, ok := span(c.Month, c.Month); !ok {
		return fault.InvalidField("form.bad_month", "month", nil)
	}
	if c.Amount < 0 || c.Amount > maxCost {
		return fault.InvalidField("form.bad_cost", "amount", nil)
	}
	if key, err := id.Parse(Prefix, c.Origin); err == nil {
		c.Source, c.Campaign = strings.TrimSpace(c.Source), strings.TrimSpace(c.Campaign)
		if long(c.Source, maxTrace) || long(c.Campaign, maxTrace) {
			return fault.InvalidField("form.too_long", "source", fault.Params{"max": maxTrace})
		}
		if _, err := s.cfg.Store.Form(ctx, key); err != nil {
			return err
		}
	} else {
		if !slices.Contains(s.cfg.Acquired.Options(), c.Origin) {
			return fault.InvalidField("form.bad_source", "origin", nil)
		}
		c.Source, c.Campaign = "", ""
	}
	if err := s.cfg.Costs.SetCost(ctx, c, access.From(ctx).ID, s.cfg.Clock.Now()); err != nil {
		return err
	}
	return s.cfg.Note(ctx, "form.cost", 0, map[string]any{"month": c.Month, "origin": c.Origin, "amount": c.Amount})
}
