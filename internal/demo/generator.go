package demo

import (
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// Generator makes the company. It is immutable after New and safe for concurrent use.
type Generator struct {
	options      Options
	almanac      *almanac
	process      Process
	joined       weights
	catalogue    *catalogue
	stores       []Store
	places       []place
	placeWeights weights
	names        *nameBook
	onlineHours  weights
	storeHours   weights
	life         func() *life
}

// New prepares a company; see Options for defaults. Values out of range are moved to the nearest limit, an unknown
// industry is fashion.
func New(o Options) *Generator {
	if o.Customers <= 0 {
		o.Customers = 20_000
	}
	if o.Days <= 0 {
		o.Days = 730
	}
	o.Days = min(max(o.Days, 60), 3660)
	if o.OrdersPerCustomer <= 0 {
		o.OrdersPerCustomer = 5
	}
	o.OrdersPerCustomer = min(max(o.OrdersPerCustomer, 1), 20)
	if o.Until.IsZero() {
		o.Until = time.Date(2026, time.October, 31, 12, 0, 0, 0, Zone)
	}
	if o.Events == 0 {
		o.Events = min(15*o.Customers, 300_000)
	}
	o.Industry = "fashion"
	g := &Generator{options: o, almanac: newAlmanac(clock.DayOf(o.Until, Zone), o.Days), names: newNameBook()}
	g.joined = joinWeights(g.almanac)
	g.process = newProcess(o, g.joined, g.almanac)
	g.catalogue = newCatalogue(o.Seed, g.almanac)
	g.stores = newStores(o.Seed, g.almanac.first)
	g.places, g.placeWeights = newPlaces(g.stores)
	online := [24]float64{1.5, .7, .3, .15, .1, .15, .4, .9, 1.5, 2.4, 3.2, 3.3, 3.4, 3.2, 2.9, 2.9, 2.9, 2.8, 3, 3.8, 5, 5.4, 4.6, 2.8}
	g.onlineHours = newWeights(24, func(i int) float64 { return online[i] })
	store := [24]float64{10: 2, 11: 3, 12: 3, 13: 4, 14: 5, 15: 6, 16: 6, 17: 5, 18: 5, 19: 7, 20: 7, 21: 4}
	g.storeHours = newWeights(24, func(i int) float64 { return store[i] })
	g.life = sync.OnceValue(g.newLife)
	return g
}

// Options returns the options with the defaults filled in.
func (g *Generator) Options() Options { return g.options }

// Process returns the parameters of the population.
func (g *Generator) Process() Process { return g.process }

// FirstDay is the first day of the history.
func (g *Generator) FirstDay() clock.Day { return g.almanac.first }

// LastDay is the last day of the history.
func (g *Generator) LastDay() clock.Day { return g.almanac.day(len(g.almanac.busy) - 1) }

// Stores lists the stores by code. The slice is shared: do not write to it.
func (g *Generator) Stores() []Store { return g.stores }

// Products lists the styles by code. The slice is shared: do not write to it.
func (g *Generator) Products() []Product { return g.catalogue.products }

// Customers calls yield for every customer in order of index until it returns false. For several processors call
// Customer instead.
func (g *Generator) Customers(yield func(Customer) bool) {
	for i := range g.options.Customers {
		if !yield(g.Customer(i)) {
			return
		}
	}
}
