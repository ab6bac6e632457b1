package action

import (
	"cmp"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/stat/uplift"
)

// Limits of what is believed, and of what is shown.
const (
	// Shown is how many plays are written for a customer.
	Shown = 3
	// enough is how many closed cases each arm needs, and actors how many people somebody must have acted for.
	enough = 100
	actors = 30
	// slow is how many decisions of a stage the wish that nobody dismisses weighs.
	slow = 20
	// halved is what is left of a gain after each dismissal by the customer's own people.
	halved = 0.5
)

// Finding is what was learned about a play.
type Finding struct {
	Play string `json:"play"`
	// Learned says that Lift was measured; else it is the company's estimate.
	Learned bool    `json:"learned,omitempty"`
	Lift    float64 `json:"lift"`
	// Seen is the effect of acting as the holdout alone tells it, with its interval.
	Seen float64 `json:"seen,omitempty"`
	Low  float64 `json:"low,omitempty"`
	High float64 `json:"high,omitempty"`
	// Stages are what is left of the gain by stage, after dismissals.
	Stages map[string]float64 `json:"stages,omitempty"`
}

// find learns about a play from what became of it.
func find(p *Play, o Outcome) Finding {
	f := Finding{Play: p.Key, Lift: p.Lift}
	for stage, r := range o.Stages {
		if r.Hits > 0 {
			if f.Stages == nil {
				f.Stages = map[string]float64{}
			}
			f.Stages[stage] = 1 - uplift.Shrink(r, 0, slow)
		}
	}
	r := Judge(p, o)
	if r.Mismatch || !r.Bought.OK || min(o.Treated.N, o.Control.N) < enough || o.Acted < actors || r.Bought.Error <= 0 {
		return f
	}
	share := float64(o.Acted) / float64(o.Treated.N)
	f.Seen, f.Low, f.High = r.Bought.Lift/share, r.Bought.Low/share, r.Bought.High/share
	// The estimate counts as much as a measurement whose error is the estimate itself.
	error, doubt := r.Bought.Error/share, math.Max(p.Lift, 0.005)
	seen, said := 1/(error*error), 1/(doubt*doubt)
	f.Lift = (f.Seen*seen + p.Lift*said) / (seen + said)
	f.Learned = true
	return f
}

// Result is what a holdout says of a play.
type Result struct {
	Bought, Revenue    uplift.Effect // of everybody who was eligible
	Mismatch           bool          // the groups do not have the sizes that were meant: nothing may be believed
	P                  float64       // of that
	Total              float64       // revenue that would not have come otherwise, minor units
	TotalLow, TotalHi  float64
	Share              float64 // of those shown, for whom somebody acted
	Need               int64   // people that each group needs to see the estimate; 0 where not known
	Treated, Control   int64   // closed cases
	Verdict            uplift.Verdict
	NoHoldout, Waiting bool
}

// Judge compares who was shown a play with who was left out.
func Judge(p *Play, o Outcome) Result {
	r := Result{Bought: uplift.Rates(uplift.Rate{N: o.Treated.N, Hits: o.TreatedHits}, uplift.Rate{N: o.Control.N, Hits: o.ControlHits}),
		Revenue: uplift.Money(o.Treated, o.Control), Treated: o.Treated.N, Control: o.Control.N, P: 1}
	r.NoHoldout = p.Held == 0 && o.Assigned[0]+o.Assigned[1] == 0
	r.Waiting = !r.NoHoldout && (o.Treated.N == 0 || o.Control.N == 0)
	if p.Held > 0 && p.Held < 100 {
		r.P, r.Mismatch = uplift.Mismatch(o.Assigned[:], []float64{float64(100 - p.Held), float64(p.Held)})
	}
	if o.Treated.N > 0 {
		r.Share = float64(o.Acted) / float64(o.Treated.N)
	}
	r.Total, r.TotalLow, r.TotalHi = r.Revenue.Total(o.Treated.N)
	if base := r.Bought.Control; o.Control.N > 0 && base > 0 {
		if n, ok := uplift.RateSize(base, p.Lift*math.Max(r.Share, 0.05), .8); ok {
			r.Need = n
		}
	}
	if r.Verdict = r.Bought.Verdict(); r.Mismatch {
		r.Verdict = uplift.Unknown
	}
	return r
}

// Offer is a play for a customer with how its gain comes about.
type Offer struct {
	Play    *Play
	Gain    int64
	Lift    float64
	Learned bool
	Finding *Finding
	Worth   int64 // what a purchase counts for, minor units
	Usual   bool  // that is everybody's, since his own is not known
	Turned  int   // how often it was dismissed for him
	Stage   float64
}

// ranker ranks plays for one customer after the other.
type ranker struct {
	plays        []Play
	found        map[string]*Finding
	today        clock.Day
	atMost, span int
	basket, year int64
	turned       map[Turn]int
	past         map[int64][]Choice
}

// rest says whether a play may not be said to a customer now.
func rest(past []Choice, play string, today clock.Day) bool {
	return slices.ContainsFunc(past, func(c Choice) bool { return c.Play == play && c.Until > today })
}

// full reports that a customer has had as much as he may.
func (r *ranker) full(customer int64) bool {
	n := 0
	for _, c := range r.past[customer] {
		if c.Pick == Taken && c.Day > r.today-clock.Day(r.span) { //nolint:gosec // days of an option
			n++
		}
	}
	return r.atMost > 0 && n >= r.atMost
}

// worth is what a purchase of a candidate counts for; usual says that it is everybody's.
func (r *ranker) worth(p *Play, c *Candidate) (v int64, usual bool) {
	switch p.Worth {
	case Fixed:
		return p.Amount, false
	case Year:
		if c.Year > 0 {
			return c.Year, false
		}
		return r.year, true
	case Future:
		if c.Future > 0 {
			return c.Future, false
		}
	}
	if c.Basket > 0 {
		return c.Basket, p.Worth == Future
	}
	return r.basket, true
}

// offer works out what a play is worth for a candidate.
func (r *ranker) offer(p *Play, c *Candidate) Offer {
	o := Offer{Play: p, Lift: p.Lift, Stage: 1, Turned: r.turned[Turn{p.Key, c.Customer}]}
	if f := r.found[p.Key]; f != nil {
		o.Finding, o.Learned = f, f.Learned
		if f.Learned {
			o.Lift = f.Lift
		}
		if v, ok := f.Stages[c.Stage]; ok {
			o.Stage = v
		}
	}
	o.Worth, o.Usual = r.worth(p, c)
	gain := o.Lift*float64(o.Worth) - float64(p.Cost)
	if gain > 0 {
		gain *= math.Pow(halved, float64(min(o.Turned, 10))) * o.Stage
	}
	if gain = math.Round(gain); math.Abs(gain) < math.MaxInt64/2 {
		o.Gain = int64(gain)
	}
	return o
}

// offers are the plays that may be said to a candidate and are worth it, the best first, ties by key.
func (r *ranker) offers(c *Candidate, into []Offer) []Offer {
	into = into[:0]
	if r.full(c.Customer) {
		return into
	}
	for i := range r.plays {
		p := &r.plays[i]
		if !c.Holds[i] || LeftOut(p.Key, c.Customer, p.Held) || rest(r.past[c.Customer], p.Key, r.today) {
			continue
		}
		if o := r.offer(p, c); o.Gain > 0 {
			into = append(into, o)
		}
	}
	slices.SortFunc(into, func(a, b Offer) int { return cmp.Or(cmp.Compare(b.Gain, a.Gain), cmp.Compare(a.Play.Key, b.Play.Key)) })
	return into
}
