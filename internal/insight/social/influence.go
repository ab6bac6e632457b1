package social

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// The score of influence. A customer has a point for each person who came by what the customer shared, two for each reaction of others to it, ten
// for each new customer who came that way or names the customer as referrer. The score grows with the points p as 100·p/(p+HalfPoints): nobody
// has 100, and HalfPoints points have 50.
const (
	PointsReach    = 1
	PointsReaction = 2
	PointsBrought  = 10
	HalfPoints     = 50
)

// What others buy counts for whoever brought them: of two sharers for the one whose share was opened last, so many days before at most; of people who
// were new also what they buy in their first year.
const (
	OpenedDays = 30
	FirstDays  = 365
)

const dayMillis = 24 * 60 * 60 * 1000

// Influence is what a customer moves others to.
type Influence struct {
	Shares    int64 // that the customer made
	Openings  int64 // how often others came by them
	Reach     int64 // different people who did, known or not
	Reactions int64 // likes, comments, saves and shares of others, of what was shared
	Brought   int64 // new customers
	Orders    int64 // of others
	Revenue   int64 // of those orders, minor units of the base currency
}

// Points are those of the score.
func (v *Influence) Points() int64 {
	return PointsReach*v.Reach + PointsReaction*v.Reactions + PointsBrought*v.Brought
}

// Score is between 0 and 99.
func (v *Influence) Score() int64 {
	p := float64(v.Points())
	return int64(math.Floor(100 * p / (p + HalfPoints)))
}

// SharedAct is that somebody passed something on under an id.
type SharedAct struct {
	Share string
	By    id.ID
	Known bool // By is a customer
}

// OtherAct is something that others did: came by a share, or did something with a content. Share is "" where none is named.
type OtherAct struct {
	Who            id.ID
	Known          bool
	At             int64 // milliseconds
	Day            clock.Day
	Name           string
	Share, Content string
}

// Newcomer is what tells whether a customer was new when something happened. Times are milliseconds and local days; 0 for none.
type Newcomer struct {
	Who, Referrer id.ID
	Acquired      clock.Day
	FirstOrder    int64
	FirstOrderDay clock.Day
}

// Bought is a purchase.
type Bought struct {
	Order, Who id.ID
	At         int64
	Day        clock.Day
	Amount     int64
}

// Brought is one customer for whom a sharer has credit.
type Brought struct {
	Sharer, Who id.ID
	Since       clock.Day // of the first opening, or since when the customer is one; 0 where nobody knows
	Openings    int64
	New         bool // came as a new customer by the sharer
	Referred    bool // names the sharer as referrer
	Orders      int64
	Revenue     int64
}

// Crowd tells what influence is worked out from. All of it streams.
type Crowd interface {
	// Shares in the order of time: of two customers under one id the first has it.
	Shares(ctx context.Context, fn func(SharedAct)) error
	// Acts in the order of time.
	Acts(ctx context.Context, fn func(OtherAct)) error
	// Referred are the customers with a referrer, and Newcomers those named.
	Referred(ctx context.Context, fn func(Newcomer)) error
	Newcomers(ctx context.Context, who []id.ID, fn func(Newcomer)) error
	// Purchases are those of the named, in the order of time.
	Purchases(ctx context.Context, who []id.ID, fn func(Bought)) error
}

// Influences is the answer for everybody: who influences others, and for whom.
type Influences struct {
	Of      map[id.ID]*Influence
	Brought []Brought // by sharer and customer
}

// Share is something that a customer passed on.
type Share struct {
	ID                      string
	At                      time.Time
	Name, Content, Platform string
}

// Interaction is something that a customer did with a content, in a store, on the phone or on a platform.
type Interaction struct {
	ID, Owner, Profile, Source id.ID
	At                         time.Time
	Name                       string
	Content, Platform          string
	Properties, Context        string // JSON
}

// What a page shows.
const (
	MaxCredit = 50
	MaxShares = 20
)

// Standing is what there is to say of the influence of a customer.
type Standing struct {
	Influence
	Credit []Brought
	Passed []Share
}

// Standing reads the influence of one customer, whom the caller sees.
func (s *Service) Standing(ctx context.Context, customer id.ID) (out Standing, err error) {
	if out.Influence, err = s.facts.Influence(ctx, customer); err != nil {
		return out, err
	}
	if out.Credit, err = s.facts.Credit(ctx, customer, MaxCredit); err != nil {
		return out, err
	}
	out.Passed, err = s.facts.SharesOf(ctx, customer, MaxShares)
	return out, err
}

type pair struct{ sharer, who id.ID }

type opening struct {
	at     int64
	day    clock.Day
	sharer id.ID
}

// weighing is one working out.
type weighing struct {
	out     Influences
	sharer  map[string]id.ID
	reached map[pair]bool
	seen    map[id.ID]map[string][]id.ID // the sharers by whom somebody came to a content
	opened  map[id.ID][]opening          // of customers, in the order of time
	people  map[id.ID]*Newcomer
	credit  map[pair]*Brought
}

// Weigh works the influence of everybody out.
func Weigh(ctx context.Context, c Crowd) (*Influences, error) {
	w := &weighing{out: Influences{Of: map[id.ID]*Influence{}}, sharer: map[string]id.ID{}, reached: map[pair]bool{}, seen: map[id.ID]map[string][]id.ID{}, opened: map[id.ID][]opening{},
		people: map[id.ID]*Newcomer{}, credit: map[pair]*Brought{}}
	if err := c.Shares(ctx, w.share); err != nil {
		return nil, err
	}
	if len(w.sharer) > 0 {
		if err := c.Acts(ctx, w.act); err != nil {
			return nil, err
		}
	}
	note := func(n Newcomer) { w.people[n.Who] = &n }
	if err := c.Referred(ctx, note); err != nil {
		return nil, err
	}
	if who := sorted(w.opened); len(who) > 0 {
		if err := c.Newcomers(ctx, who, note); err != nil {
			return nil, err
		}
	}
	w.bring()
	if who := sorted(w.people); len(who) > 0 {
		if err := c.Purchases(ctx, who, w.buy); err != nil {
			return nil, err
		}
	}
	for _, b := range w.credit {
		w.out.Brought = append(w.out.Brought, *b)
	}
	slices.SortFunc(w.out.Brought, func(a, b Brought) int { return cmp.Or(cmp.Compare(a.Sharer, b.Sharer), cmp.Compare(a.Who, b.Who)) })
	return &w.out, nil
}

func sorted[V any](m map[id.ID]V) []id.ID {
	out := make([]id.ID, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (w *weighing) of(who id.ID) *Influence {
	v := w.out.Of[who]
	if v == nil {
		v = &Influence{}
		w.out.Of[who] = v
	}
	return v
}

func (w *weighing) brought(sharer, who id.ID) *Brought {
	k := pair{sharer, who}
	b := w.credit[k]
	if b == nil {
		b = &Brought{Sharer: sharer, Who: who}
		w.credit[k] = b
	}
	return b
}

func (w *weighing) share(s SharedAct) {
	if s.Share == "" || !s.Known {
		return
	}
	if _, taken := w.sharer[s.Share]; !taken {
		w.sharer[s.Share] = s.By
	}
	if w.sharer[s.Share] == s.By {
		w.of(s.By).Shares++
	}
}

// act counts an opening or a reaction. A reaction belongs to the share that it names, else to those by which the person came to the content.
func (w *weighing) act(a OtherAct) {
	reaction := slices.Contains(event.Interactions(), a.Name)
	sharer := w.sharer[a.Share]
	if reaction {
		if a.Share != "" && sharer != 0 && a.Name != event.ContentShared { // what one shares oneself names one's own share
			if sharer != a.Who {
				w.of(sharer).Reactions++
			}
			return
		}
		for _, o := range w.seen[a.Who][a.Content] {
			w.of(o).Reactions++
		}
		return
	}
	if sharer == 0 || sharer == a.Who {
		return
	}
	v, k := w.of(sharer), pair{sharer, a.Who}
	v.Openings++
	if !w.reached[k] {
		w.reached[k] = true
		v.Reach++
	}
	if a.Content != "" {
		by := w.seen[a.Who]
		if by == nil {
			by = map[string][]id.ID{}
			w.seen[a.Who] = by
		}
		if !slices.Contains(by[a.Content], sharer) {
			by[a.Content] = append(by[a.Content], sharer)
		}
	}
	if a.Known {
		w.opened[a.Who] = append(w.opened[a.Who], opening{a.At, a.Day, sharer})
		b := w.brought(sharer, a.Who)
		if b.Openings++; b.Openings == 1 {
			b.Since = a.Day
		}
	}
}

// bring says whom new customers came by: whom they name, else the sharer whose share they opened first.
func (w *weighing) bring() {
	for who, n := range w.people {
		switch {
		case n.Referrer != 0 && n.Referrer != who:
			b := w.brought(n.Referrer, who)
			b.New, b.Referred = true, true
			if b.Since == 0 {
				b.Since = n.Acquired
			}
			w.of(n.Referrer).Brought++
		case len(w.opened[who]) > 0:
			first := w.opened[who][0]
			if (n.FirstOrder == 0 || n.FirstOrder >= first.at) && (n.Acquired == 0 || n.Acquired >= first.day) {
				w.brought(first.sharer, who).New = true
				w.of(first.sharer).Brought++
			}
		}
	}
}

// buy gives a purchase to one sharer at most.
func (w *weighing) buy(p Bought) {
	sharer := id.ID(0)
	for _, o := range w.opened[p.Who] {
		if o.at <= p.At && p.At-o.at <= OpenedDays*dayMillis {
			sharer = o.sharer
		}
	}
	if sharer == 0 {
		sharer = w.newBy(p)
	}
	if sharer == 0 {
		return
	}
	b, v := w.brought(sharer, p.Who), w.of(sharer)
	b.Orders, b.Revenue = b.Orders+1, b.Revenue+p.Amount
	v.Orders, v.Revenue = v.Orders+1, v.Revenue+p.Amount
}

// newBy is who brought somebody who buys in the first year.
func (w *weighing) newBy(p Bought) id.ID {
	n := w.people[p.Who]
	sharer, since := n.Referrer, cmp.Or(n.Acquired, n.FirstOrderDay)
	if sharer == 0 || sharer == p.Who {
		list := w.opened[p.Who]
		if len(list) == 0 || !w.brought(list[0].sharer, p.Who).New {
			return 0
		}
		sharer, since = list[0].sharer, list[0].day
	}
	if p.Day < since || p.Day-since >= FirstDays {
		return 0
	}
	return sharer
}
