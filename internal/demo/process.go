package demo

import (
	"math"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

const (
	prospectShare   = 0.08
	companyShare    = 0.03
	governmentShare = 0.003
	bulkFactor      = 9 // how much more an organisation spends at a time
)

// latent is everything about a customer that the process decides, before there are goods and prices.
type latent struct {
	kind      Kind
	prospect  bool
	lambda    float64
	dropout   float64
	days      []int // index of the day of each purchase, ascending
	joined    int   // index of the day of registration
	dead      bool
	scale     float64 // of the gamma distribution of order values, yuan
	level     float64 // mean order value, yuan
	archetype int
	online    float64
	bargain   float64
	brand     int
	shop      float64 // which online shop is the usual one, as a share
	region    int     // index into the places
}

// newProcess returns the parameters that give the mean number of orders asked for.
func newProcess(o Options, joined weights, a *almanac) Process {
	p := Process{R: 0.6, A: 0.9, B: 5.5, P: 6, Q: 4, Gamma: 330}
	// More orders come from customers who stay as well as from ones who buy faster, else the fastest buy every day.
	p.B *= math.Pow(max(o.OrdersPerCustomer/5, 1), 1.6)
	want := o.OrdersPerCustomer/(1-prospectShare) - 1
	lo, hi := math.Log(1e-3), math.Log(1e5)
	for range 60 {
		p.Alpha = math.Exp((lo + hi) / 2)
		if p.meanRepeats(joined, a) > want {
			lo = math.Log(p.Alpha)
		} else {
			hi = math.Log(p.Alpha)
		}
	}
	return p
}

// meanRepeats is the expected number of repeat purchases within the history, over the days of joining. Given rate and
// dropout the number until t has the mean (1 − exp(−λpt))/p; the gamma integral over λ is closed, that over p is taken
// by the midpoint rule after the substitution u = p^a, which removes the pole at 0.
func (p Process) meanRepeats(joined weights, a *almanac) float64 {
	const steps = 200
	la, _ := math.Lgamma(p.A)
	lb, _ := math.Lgamma(p.B)
	lab, _ := math.Lgamma(p.A + p.B)
	norm := math.Exp(lab-la-lb) / p.A / steps
	total := 0.0
	for day := 0; day < len(joined); day += 10 {
		share := joined[min(day+9, len(joined)-1)]
		if day > 0 {
			share -= joined[day-1]
		}
		weeks := (a.end() - a.start[min(day+5, len(joined)-1)]) / 7
		sum := 0.0
		for i := range steps {
			drop := math.Pow((float64(i)+0.5)/steps, 1/p.A)
			sum += math.Pow(1-drop, p.B-1) * (1 - math.Pow(p.Alpha/(p.Alpha+drop*weeks), p.R)) / drop
		}
		total += share * sum * norm
	}
	return total / joined[len(joined)-1]
}

// joinWeights says how many customers join on which day: a wave at the beginning (the members carried over from the
// old system buy again first), then a slow growth, more on busy days.
func joinWeights(a *almanac) weights {
	n := len(a.busy)
	return newWeights(n, func(i int) float64 {
		w := 0.8 + 0.4*float64(i)/float64(n)
		if i < n/12 {
			w += 2.5
		}
		return w * math.Sqrt(a.busy[i])
	})
}

// latent draws the process behind customer i.
func (g *Generator) latent(i int) latent {
	r := newRandom(g.options.Seed, streamLatent, uint64(i)) //nolint:gosec // not negative
	l := latent{kind: Person}
	switch u := r.Float64(); {
	case u < governmentShare:
		l.kind = Government
	case u < governmentShare+companyShare:
		l.kind = Company
	}
	l.prospect = r.chance(prospectShare)
	l.lambda = r.gamma(g.process.R) / g.process.Alpha
	l.dropout = r.beta(g.process.A, g.process.B)
	l.scale = g.process.Gamma / r.gamma(g.process.Q)
	if l.kind != Person {
		l.scale *= bulkFactor
	}
	l.level = l.scale * g.process.P
	l.joined = g.joined.draw(r)
	g.taste(r, &l)
	if l.prospect {
		return l
	}
	l.days = append(l.days, l.joined)
	clockAt := g.almanac.start[l.joined] + r.Float64()*g.almanac.busy[l.joined]
	for {
		clockAt += r.ExpFloat64() / l.lambda * 7
		if clockAt >= g.almanac.end() {
			return l
		}
		l.days = append(l.days, g.almanac.at(clockAt))
		if r.chance(l.dropout) {
			l.dead = true
			return l
		}
	}
}

// taste draws what a customer likes. Who spends more is more often after luxury, who spends less after value, and
// neither depends on how often a customer buys.
func (g *Generator) taste(r *random, l *latent) {
	l.region = g.placeWeights.draw(r)
	l.shop = r.Float64()
	if l.kind != Person {
		l.archetype, l.online, l.bargain, l.brand = bulk, 0.55, 0.3, g.catalogue.bulkBrand
		return
	}
	rich := l.level / (g.process.P * g.process.Gamma / (g.process.Q - 1))
	w := newWeights(bulk, func(i int) float64 {
		return archetypes[i].share * math.Pow(rich, archetypes[i].wealth)
	})
	l.archetype = w.draw(r)
	kind := archetypes[l.archetype]
	l.bargain = r.beta(1+4*kind.bargain, 5-4*kind.bargain)
	online := kind.online
	if len(g.places[l.region].stores) == 0 {
		online = 0.96
	}
	l.online = r.beta(6*online, 6*(1-online))
	l.brand = g.catalogue.favourite(r, l.archetype, rich)
}

// Truth returns the process behind customer i. It is a function of (Options, i), as Customer is, and cheaper.
func (g *Generator) Truth(i int) Truth {
	l := g.latent(i)
	t := Truth{
		Prospect: l.prospect, Lambda: l.lambda, Dropout: l.dropout, Purchases: len(l.days),
		PriceLevel: int64(math.Round(l.level * 100)), Archetype: archetypes[l.archetype].key, Online: l.online,
		Bargain: l.bargain, Brand: g.catalogue.brands[l.brand].brand.Key,
	}
	if len(l.days) > 0 {
		t.FirstOn = g.almanac.day(l.days[0])
	}
	if l.dead {
		t.DeathOn = g.almanac.day(l.days[len(l.days)-1])
	}
	return t
}

// moment is a time of a day, by the hours in which people buy.
func (g *Generator) moment(r *random, day int, online bool) time.Time {
	var hour int
	switch {
	case online && g.almanac.sales[day].busy >= 4 && r.chance(0.3):
		hour = 0 // the sale opens at midnight
	case online:
		hour = g.onlineHours.draw(r)
	default:
		hour = g.storeHours.draw(r)
	}
	return at(g.almanac.day(day), hour*3600+r.IntN(3600))
}

func at(d clock.Day, second int) time.Time {
	return time.Unix(int64(d)*86400-8*3600+int64(second), 0).In(Zone)
}

// archetype is a kind of shopper.
type archetype struct {
	key     string
	share   float64 // at the mean price level
	wealth  float64 // how the share grows with the price level
	bargain float64
	online  float64
	kids    float64  // share of baskets for children
	loves   []string // categories
}

// bulk is the index of the archetype of organisations, behind those of persons.
const bulk = 6

var archetypes = [...]archetype{
	{"trend", 0.24, 0.1, 0.35, 0.80, 0.03, []string{"dress", "skirt", "hoodie", "sneaker", "bag", "accessory"}},
	{"classic", 0.22, 0.4, 0.25, 0.60, 0.05, []string{"shirt", "knit", "coat", "trousers", "shoe", "scarf"}},
	{"value", 0.24, -1.2, 0.85, 0.82, 0.10, []string{"tee", "jeans", "underwear", "socks", "hoodie"}},
	{"family", 0.16, -0.2, 0.55, 0.70, 0.55, []string{"kids_top", "kids_bottom", "kids_coat", "underwear", "tee"}},
	{"sport", 0.09, 0, 0.4, 0.72, 0.03, []string{"sneaker", "sport", "hoodie", "tee", "down"}},
	{"luxury", 0.05, 1.8, 0.1, 0.45, 0.03, []string{"coat", "dress", "bag", "boot", "knit", "scarf"}},
	{"bulk", 0, 0, 0.3, 0.55, 0, []string{"shirt", "tee", "jacket", "hoodie", "scarf"}},
}
