package campaign

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/stat/uplift"
)

// Group is what came of the people of an arm.
type Group struct {
	Arm       string
	Assigned  int64 // eligible people whom chance put here
	Sent      int64 // taken by a server or provider
	Bounced   int64
	Opened    int64 // by people, as far as can be told
	Machine   int64 // by programs alone
	Clicked   int64
	Left      int64 // withdrew their consent after it
	Complain  int64
	Delivered int64 // of them the provider said so
	Buyers    int64 // of the assigned, in the window
	Orders    int64
	Revenue   int64 // minor units
	squares   float64
	ValueMean float64 // revenue for each assigned person
}

func (g *Group) rate() uplift.Rate { return uplift.Rate{N: g.Assigned, Hits: g.Buyers} }
func (g *Group) money() uplift.Arm {
	return uplift.Arm{N: g.Assigned, Sum: float64(g.Revenue), Squares: g.squares}
}

// Result is what came of a campaign. Audience is the sum of Gates, Queued and what left the queue.
type Result struct {
	Audience int64
	Queued   int64
	Waits    map[Gate]int64 // of the queued
	Gates    map[Gate]int64
	States   map[State]int64
	Groups   []Group // by key; variants only
	Control  Group   // the holdout of the campaign
	Treated  Group   // all variants together
	Global   int64   // people in the global holdout
	Links    []Link
	Reasons  []Reason
	Parts    int64
	Cost     int64
	// From and To are the window of purchases; Open says that it has not ended.
	From, To time.Time
	Open     bool
	// Buyers and Revenue compare the treated with the holdout. Incremental is revenue that there would not have been, with its interval; Profit is what
	// is left of it after margin and cost.
	Buyers                    uplift.Effect
	Revenue                   uplift.Effect
	Incremental, Low, High    int64
	Profit, ProfitLo, ProfitH int64
	// Balance is false where the sizes of the arms cannot be chance: nothing may be concluded then.
	Balanced bool
	Skew     float64 // the p of it
	// Best is the variant whose buyers are surely more than those of each other one, "" for none.
	Best string
	At   time.Time
}

const resultsFor = 20 * time.Second

type results struct {
	mu sync.Mutex
	of map[id.ID]Result
	// settled is when it was looked what became of the mails of a campaign.
	settled map[id.ID]time.Time
}

func (r *results) forget(key id.ID) {
	r.mu.Lock()
	delete(r.of, key)
	r.mu.Unlock()
}

// Result is what came of a campaign, not older than some seconds.
func (s *Service) Result(ctx context.Context, key id.ID) (Result, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Result{}, err
	}
	c, err := s.cfg.Store.Campaign(ctx, key)
	if err != nil {
		return Result{}, err
	}
	now := s.now()
	s.results.mu.Lock()
	got, ok := s.results.of[key]
	s.results.mu.Unlock()
	if ok && now.Sub(got.At) < resultsFor {
		return got, nil
	}
	out, err := s.result(ctx, &c, now)
	if err != nil {
		return out, err
	}
	s.results.mu.Lock()
	s.results.of[key] = out
	s.results.mu.Unlock()
	return out, nil
}

func (s *Service) result(ctx context.Context, c *Campaign, now time.Time) (Result, error) {
	out := Result{Gates: map[Gate]int64{}, Waits: map[Gate]int64{}, States: map[State]int64{}, At: now, Balanced: true, Skew: 1}
	sums, err := s.cfg.Store.Sums(ctx, c.ID, c.Plan.Purpose)
	if err != nil {
		return out, err
	}
	groups := map[string]*Group{}
	for _, v := range c.Plan.Variants {
		groups[v.Key] = &Group{Arm: v.Key}
	}
	out.Control.Arm, out.Treated.Arm = ArmHoldout, "all"
	for _, x := range sums {
		out.add(&x, groups)
	}
	if out.Links, err = s.cfg.Store.Links(ctx, c.ID); err != nil {
		return out, err
	}
	if out.Reasons, err = s.cfg.Store.Reasons(ctx, c.ID); err != nil {
		return out, err
	}
	if !c.BeganAt.IsZero() {
		out.From, out.To = c.StartAt, c.StartAt.AddDate(0, 0, c.Plan.Days)
		out.Open = now.Before(out.To)
		if err := s.purchases(ctx, c, &out, groups); err != nil {
			return out, err
		}
	}
	for _, v := range c.Plan.Variants {
		out.Groups = append(out.Groups, *groups[v.Key])
	}
	n := max(out.Parts, out.Treated.Sent)
	out.Cost = c.Plan.Fixed + c.Plan.Cost*n
	if c.Plan.Cost == 0 {
		out.Cost += (c.Plan.Rate*n + 500) / 1000
	}
	out.compare(c)
	return out, nil
}

func (r *Result) add(x *Sum, groups map[string]*Group) {
	r.Audience += x.Count
	r.States[x.State] += x.Count
	if x.Gate != "" {
		r.Gates[x.Gate] += x.Count
	}
	if x.State == Queued {
		r.Queued += x.Count
		if x.Wait != "" {
			r.Waits[Gate(x.Wait)] += x.Count
		}
	}
	if x.State == Accepted || x.State == Bounced || x.State == Unknown {
		r.Parts += x.Parts
	}
	g := groups[x.Arm]
	switch {
	case !x.Eligible:
		return
	case x.Arm == ArmGlobal:
		r.Global += x.Count
		return
	case x.Arm == ArmHoldout:
		r.Control.Assigned += x.Count
		return
	case g == nil:
		return
	}
	for _, to := range []*Group{g, &r.Treated} {
		to.Assigned += x.Count
		if x.State == Accepted || x.State == Bounced {
			to.Sent += x.Count
		}
		if x.State == Bounced {
			to.Bounced += x.Count
		}
		to.Delivered += x.Delivered
		to.Opened, to.Machine, to.Clicked, to.Left, to.Complain = to.Opened+x.Opened, to.Machine+x.Machine, to.Clicked+x.Clicked, to.Left+x.Left, to.Complain+x.Complain
	}
}

// purchases walks lines and purchases side by side, both by customer.
func (s *Service) purchases(ctx context.Context, c *Campaign, out *Result, groups map[string]*Group) error {
	type bought struct {
		who            id.ID
		orders, amount int64
	}
	var list []bought
	err := s.cfg.Purchases.Bought(ctx, out.From, out.To, func(who id.ID, orders, amount int64) error {
		list = append(list, bought{who, orders, amount})
		return nil
	})
	if err != nil {
		return err
	}
	if !slices.IsSortedFunc(list, func(a, b bought) int { return cmp.Compare(a.who, b.who) }) {
		slices.SortFunc(list, func(a, b bought) int { return cmp.Compare(a.who, b.who) })
	}
	at := 0
	return s.cfg.Store.Arms(ctx, c.ID, func(who id.ID, arm string) error {
		for at < len(list) && list[at].who < who {
			at++
		}
		if at == len(list) || list[at].who != who {
			return nil
		}
		b := list[at]
		to := []*Group{groups[arm], &out.Treated}
		if arm == ArmHoldout {
			to = []*Group{&out.Control}
		}
		if arm == ArmGlobal || to[0] == nil {
			return nil
		}
		for _, g := range to {
			g.Buyers++
			g.Orders += b.orders
			g.Revenue += b.amount
			g.squares += float64(b.amount) * float64(b.amount)
		}
		return nil
	})
}

// compare says what was gained.
func (r *Result) compare(c *Campaign) {
	for i := range r.Groups {
		if g := &r.Groups[i]; g.Assigned > 0 {
			g.ValueMean = float64(g.Revenue) / float64(g.Assigned)
		}
	}
	for _, g := range []*Group{&r.Treated, &r.Control} {
		if g.Assigned > 0 {
			g.ValueMean = float64(g.Revenue) / float64(g.Assigned)
		}
	}
	r.balance(c)
	r.Buyers = uplift.Rates(r.Treated.rate(), r.Control.rate())
	r.Revenue = uplift.Money(r.Treated.money(), r.Control.money())
	if r.Revenue.OK && r.Balanced {
		value, low, high := r.Revenue.Total(r.Treated.Assigned)
		r.Incremental, r.Low, r.High = int64(value), int64(low), int64(high)
		margin := float64(c.Plan.Margin) / 100
		if c.Plan.Margin == 0 {
			margin = 1
		}
		r.Profit, r.ProfitLo, r.ProfitH = int64(value*margin)-r.Cost, int64(low*margin)-r.Cost, int64(high*margin)-r.Cost
	}
	r.best()
}

// balance checks the sizes of arms against their weights.
func (r *Result) balance(c *Campaign) {
	var counts []int64
	var weights []float64
	all := 0.0
	for _, v := range c.Plan.Variants {
		all += float64(v.Weight)
	}
	for i, v := range c.Plan.Variants {
		counts = append(counts, r.Groups[i].Assigned)
		weights = append(weights, float64(v.Weight)/all*float64(100-c.Plan.Holdout))
	}
	if c.Plan.Holdout > 0 {
		counts, weights = append(counts, r.Control.Assigned), append(weights, float64(c.Plan.Holdout))
	}
	if len(counts) < 2 {
		return
	}
	p, alarm := uplift.Mismatch(counts, weights)
	r.Skew, r.Balanced = p, !alarm
}

// best names a variant that each other one is surely worse than.
func (r *Result) best() {
	if !r.Balanced || len(r.Groups) < 2 {
		return
	}
	top := slices.MaxFunc(r.Groups, func(a, b Group) int { return cmp.Compare(a.rate().Share(), b.rate().Share()) })
	var others []uplift.Rate
	for _, g := range r.Groups {
		if g.Arm != top.Arm {
			others = append(others, g.rate())
		}
	}
	for _, e := range uplift.Arms(top.rate(), others...) {
		if !e.OK || e.Lift >= 0 || e.P >= uplift.Level {
			return
		}
	}
	r.Best = top.Arm
}
