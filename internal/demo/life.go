package demo

import (
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Event is something that somebody did, in the words of the Segment specification.
type Event struct {
	ID     string // unique in the company
	Actor  int    // index into History.Actors
	Source string // key of Sources
	Kind   string // "track", "page", "screen", "identify"
	Name   string // of a track; what else there is has its kind's
	At     time.Time
	// Properties and Context are JSON objects.
	Properties, Context []byte
	// Signed says that the actor is known by the user id at that moment; otherwise by the anonymous id alone.
	Signed bool
}

// Actor is somebody as a browser or an app shows them.
type Actor struct {
	Anonymous string // id that the browser keeps, unique in the company; of the customer that of the first device
	Customer  bool   // known to be the customer
}

// History is what a customer, or somebody nobody knows, did in the last half year, with the people who came by what they shared.
type History struct {
	Actors []Actor // the first is the customer or visitor
	Events []Event // not in the order of time
	// Joining are events of a device by which its anonymous user turns out to be the customer: the identify and what came after.
	Joining []Event
}

// Source is where events come from.
type Source struct {
	Key  string // "web", "mini", "social", "store"
	Name lang.Label
}

// Sources lists where events come from.
func (g *Generator) Sources() []Source {
	return []Source{
		{"web", label("官方商城", "Official shop")},
		{"mini", label("微信小程序", "WeChat mini program")},
		{"social", label("社交平台", "Social platforms")},
		{"store", label("门店终端", "Store terminals")},
	}
}

// AnonymousPrefix begins the anonymous id of every browser of the company.
const AnonymousPrefix = "demo-"

// lifeDays is how long behaviour is kept.
const lifeDays = 182

// Shares of the events asked for.
const (
	visitorShare    = 0.2 // of visitors whom nobody knows
	perVisitor      = 5.6 // about how many events one makes
	lifeSample      = 500
	mostVisitFactor = 12
)

// life is what the behaviour of all customers is drawn from.
type life struct {
	from     int     // index of the first day
	busy     weights // of the days since then
	factor   float64 // of visits without a purchase
	visitors int
	contents []Content
	pull     weights // of contents
}

// newLife adjusts how often people look around to the number of events asked for, by a sample of the customers.
func (g *Generator) newLife() *life {
	n := len(g.almanac.busy)
	l := &life{from: max(0, n-lifeDays)}
	l.busy = newWeights(n-l.from, func(i int) float64 { return g.almanac.busy[l.from+i] })
	l.contents, l.pull = g.newContents(l)
	if g.options.Events < 0 {
		return l
	}
	sample := min(lifeSample, g.options.Customers)
	count := func(factor float64) float64 {
		l.factor = factor
		total := 0
		for k := range sample {
			c := g.Customer(k * g.options.Customers / sample)
			h := g.history(l, &c, lang.English)
			total += len(h.Events) + len(h.Joining)
		}
		return float64(total) / float64(sample)
	}
	fixed := count(0)
	each := max(count(1)-fixed, 0.01)
	wanted := float64(g.options.Events) * (1 - visitorShare) / float64(g.options.Customers)
	l.factor = min(max((wanted-fixed)/each, 0), mostVisitFactor)
	l.visitors = int(float64(g.options.Events) * visitorShare / perVisitor)
	return l
}

// Visitors is how many people nobody knows there are beside the customers.
func (g *Generator) Visitors() int { return g.life().visitors }

// Life is the behaviour of customer i as Customer made it, in a language. It is a function of (Options, i).
func (g *Generator) Life(c *Customer, loc lang.Locale) History {
	if g.options.Events < 0 {
		return History{}
	}
	return g.history(g.life(), c, loc)
}

// Visitor is the behaviour of somebody nobody knows, from 0 to Visitors.
func (g *Generator) Visitor(i int, loc lang.Locale) History {
	l := g.life()
	r := newRandom(g.options.Seed, streamVisitor, uint64(i)) //nolint:gosec // not negative
	h := History{Actors: []Actor{{Anonymous: "demo-v" + pad(i, 7)}}}
	m := &maker{g: g, life: l, random: r, loc: loc, history: &h, prefix: "demo-v" + pad(i, 7), city: g.places[g.placeWeights.draw(r)].city}
	m.device = m.pickDevice()
	for range 1 + r.poisson(0.35) {
		day := l.from + l.busy.draw(r)
		m.wander(g.moment(r, day, true), r.chance(0.12))
	}
	h.cut(g.LastDay())
	return h
}

// history makes what a customer did.
func (g *Generator) history(l *life, c *Customer, loc lang.Locale) History {
	r := newRandom(g.options.Seed, streamLife, uint64(c.Index)) //nolint:gosec // not negative
	id := pad(c.Index, 8)
	h := History{Actors: []Actor{{Anonymous: "demo-a" + id, Customer: true}}}
	m := &maker{g: g, life: l, random: r, loc: loc, history: &h, prefix: "demo-c" + id, customer: c, latent: g.latent(c.Index)}
	m.city = g.places[m.latent.region].city
	m.device = m.pickDevice()
	m.joined = max(clock.DayOf(c.CreatedAt, Zone)-g.almanac.first, 0)
	m.left = g.LastDay() - g.almanac.first
	if m.latent.dead {
		m.left = clock.Day(m.latent.days[len(m.latent.days)-1] + 10) //nolint:gosec // some hundreds
	}
	m.purchases()
	m.look()
	m.socialise()
	m.talk()
	h.cut(g.LastDay())
	return h
}

// cut leaves out what would have happened after a day.
func (h *History) cut(last clock.Day) {
	after := func(e Event) bool { return clock.DayOf(e.At, Zone) > last }
	h.Events = slices.DeleteFunc(h.Events, after)
	h.Joining = slices.DeleteFunc(h.Joining, after)
}

// window reports whether a moment lies in the last half year and not after its end.
func (m *maker) window(t time.Time) bool {
	d := clock.DayOf(t, Zone) - m.g.almanac.first
	return int(d) >= m.life.from && clock.DayOf(t, Zone) <= m.g.LastDay()
}
