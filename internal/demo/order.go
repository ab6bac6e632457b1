package demo

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// shopper carries what is needed while the orders of one customer are made.
type shopper struct {
	*random
	customer *Customer
	latent   *latent
	place    *place
	own      int // index of the letter size
	shoe     string
	kid      int // index of the children's size at the beginning, growing with time
	staples  []int
}

// addOrders makes the purchases of a customer, in order of time.
func (g *Generator) addOrders(c *Customer, l *latent, p *place) {
	if len(l.days) == 0 {
		return
	}
	s := &shopper{random: newRandom(g.options.Seed, streamOrders, uint64(c.Index)), customer: c, latent: l, place: p} //nolint:gosec // not negative
	s.own = max(slices.Index(letterSizes, c.Size), 0)
	s.shoe = shoeSizes[min(max(s.between(0, 2)+s.own/2+1, 0), 5)]
	if c.Gender == Male {
		s.shoe = shoeSizes[min(s.between(4, 6)+s.own/2, len(shoeSizes)-1)]
	}
	s.kid = s.IntN(len(kidsSizes) - 2)
	c.Orders = make([]Order, 0, len(l.days))
	for _, day := range l.days {
		c.Orders = append(c.Orders, g.order(s, day))
	}
	slices.SortStableFunc(c.Orders, func(a, b Order) int { return a.At.Compare(b.At) })
	for n := range c.Orders {
		o := &c.Orders[n]
		o.Number = orderNumber(c.Index, n, o.At)
		g.refund(s, o)
	}
}

// orderNumber ascends in the order in which orders are made: a load writes its keys one after the other.
func orderNumber(i, n int, at time.Time) string {
	b := make([]byte, 0, 24)
	b = append(b, 'D')
	y, m, d := at.Date()
	b = appendPadded(b, i, 8)
	b = appendPadded(b, n+1, 3)
	return string(appendPadded(b, y%100*10000+int(m)*100+d, 6))
}

func appendPadded(b []byte, n, width int) []byte {
	for limit := int(math.Pow10(width - 1)); n < limit && limit > 1; limit /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(n), 10)
}

// order makes one purchase on a day.
func (g *Generator) order(s *shopper, day int) Order {
	l := s.latent
	o := Order{Contact: -1, Channel: g.channel(s.random, l)}
	online := o.Channel != "store"
	if !online {
		o.Store = s.customer.HomeStore
		if o.Store == "" || s.chance(0.06) { // on a journey
			o.Store = g.stores[s.IntN(len(g.stores))].Code
		}
	}
	if n := len(s.customer.Contacts); n > 0 {
		o.Contact = s.IntN(n)
	}
	o.At = g.moment(s.random, day, online)
	sale := g.almanac.sales[day]
	rate := 0.0
	switch {
	case sale.rate > 0 && s.chance(0.55+0.45*l.bargain):
		o.Promotion, rate = sale.code, sale.rate*(0.7+0.6*s.Float64())
	case s.chance(0.35 * l.bargain):
		o.Promotion, rate = "COUPON", 0.05+0.1*s.Float64()
	}
	value := s.gamma(g.process.P) * l.scale * 100
	g.fill(s, &o, day, value, rate)
	for _, line := range o.Lines {
		o.Amount += line.Amount
	}
	return o
}

// put adds a line, or its quantity to the line of the same variant.
func (o *Order) put(line Line) {
	for n := range o.Lines {
		if have := &o.Lines[n]; have.SKU == line.SKU {
			have.Quantity += line.Quantity
			have.Discount += line.Discount
			have.Amount += line.Amount
			have.Cost += line.Cost
			return
		}
	}
	o.Lines = append(o.Lines, line)
}

// channel draws where a customer buys.
func (g *Generator) channel(r *random, l *latent) string {
	if !r.chance(l.online) {
		return "store"
	}
	// A person keeps to one shop: the favourite gets three orders of four.
	u := r.Float64()
	if r.chance(0.75) {
		u = l.shop
	}
	for _, c := range channelList {
		if u -= c.share; u < 0 {
			return c.channel.Key
		}
	}
	return channelList[0].channel.Key
}

// fill puts goods worth about value fen into an order.
func (g *Generator) fill(s *shopper, o *Order, day int, value, rate float64) {
	l := s.latent
	if l.kind != Person {
		g.fillBulk(s, o, day, value, rate)
		return
	}
	d := g.almanac.day(day)
	count := 1
	for count < 5 && s.chance(min(0.6, 0.2+value/350_000)) {
		count++
	}
	if value/float64(count) < 7_000 {
		count = max(int(value/7_000), 1)
	}
	department := s.department()
	left := value
	previous := -1
	for n := range count {
		wanted := int64(left / float64(count-n) / (1 - rate) * math.Exp(0.25*s.NormFloat64()))
		if n == count-1 {
			wanted = int64(left / (1 - rate))
		}
		if n > 0 && wanted < 2_000 {
			break
		}
		id := g.item(s, d, department, wanted, previous)
		if id < 0 {
			continue
		}
		line := g.line(s, id, d, day, rate, 1)
		for wanted > 2*line.ListPrice && line.Quantity < 3 && g.catalogue.products[id].Basic {
			line = g.line(s, id, d, day, rate, line.Quantity+1)
		}
		left -= float64(line.Amount)
		previous = g.catalogue.kinds[id]
		o.put(line)
	}
	if len(o.Lines) == 0 { // nothing of the season was launched yet: a basic
		o.Lines = append(o.Lines, g.line(s, s.fallback(g), d, day, rate, 1))
	}
}

// fillBulk puts one or two styles in numbers into the order of an organisation.
func (g *Generator) fillBulk(s *shopper, o *Order, day int, value, rate float64) {
	d := g.almanac.day(day)
	styles := s.between(1, 2)
	for range styles {
		love := pick(s.random, archetypes[bulk].loves)
		unit := int64(25_000 * math.Exp(0.4*s.NormFloat64()))
		id := g.catalogue.choose(s.random, shelf{seasonOf(d), s.IntN(2), g.catalogue.byKey[love]}, d, unit, s.latent)
		if id < 0 {
			id = s.fallback(g)
		}
		share := value / float64(styles)
		quantity := int(math.Round(share / float64(g.catalogue.products[id].Price)))
		sizes := min(max(quantity/8, 1), 4)
		for range sizes {
			o.put(g.line(s, id, d, day, rate+0.08, max(quantity/sizes, 1)))
		}
	}
}

func (s *shopper) department() int {
	if s.chance(archetypes[s.latent.archetype].kids) {
		return forKids
	}
	other := s.chance(0.1) // a present, or for the partner
	if (s.customer.Gender == Male) != other {
		return forMen
	}
	return forWomen
}

// item chooses a product: now and then one that the customer always buys, something that goes with the last one, or
// anything for the price.
func (g *Generator) item(s *shopper, d clock.Day, department int, wanted int64, previous int) int {
	cat := g.catalogue
	if len(s.staples) > 0 && s.chance(0.14) {
		return pick(s.random, s.staples)
	}
	id := -1
	switch {
	case previous >= 0 && s.chance(0.4):
		id = cat.choose(s.random, shelf{seasonOf(d), department, pick(s.random, cat.pairs[previous])}, d, wanted, s.latent)
	case s.chance(0.3):
		love := pick(s.random, archetypes[s.latent.archetype].loves)
		id = cat.choose(s.random, shelf{seasonOf(d), department, cat.byKey[love]}, d, wanted, s.latent)
	}
	// A choice within a category may be far off the price that was wanted; then the price decides.
	if id < 0 || cat.products[id].Price > wanted*3/2 || cat.products[id].Price < wanted/2 {
		id = cat.choose(s.random, shelf{seasonOf(d), department, -1}, d, wanted, s.latent)
	}
	if id >= 0 && cat.products[id].Basic && len(s.staples) < 2 {
		s.staples = append(s.staples, id)
	}
	return id
}

// fallback is a product of all the year that was there before the history began.
func (s *shopper) fallback(g *Generator) int {
	for n := range g.catalogue.products {
		p := &g.catalogue.products[n]
		if p.Season == "all" && p.LaunchedOn < g.almanac.first && p.DiscontinuedOn == 0 && p.Department == "unisex" {
			return n
		}
	}
	return 0
}

// line prices a quantity of a product in the size of the customer.
func (g *Generator) line(s *shopper, id int, d clock.Day, day int, rate float64, quantity int) Line {
	p := &g.catalogue.products[id]
	v := s.variant(p, g.catalogue.sizes[id], day)
	gross := p.Price * int64(quantity)
	if !p.Basic && p.Season != "all" && p.Season != seasonNames[seasonOf(d)] {
		rate = max(rate, 0.3) // clearance of the season before
	}
	if rate < 0.2 && s.latent.kind == Person && s.customer.HomeStore != "" && s.chance(0.05) {
		rate += 0.05 // rounding off at the till
	}
	discount := int64(math.Round(float64(gross)*min(rate, 0.6)/100)) * 100
	return Line{
		SKU: p.Variants[v].SKU, Style: p.Style, Quantity: quantity, ListPrice: p.Price, Discount: discount,
		Amount: gross - discount, Cost: p.Cost * int64(quantity),
	}
}

// mismatch is the share of lines ordered in a neighbouring size.
const mismatch = 0.09

// variant chooses the own size, by mistake its neighbour, in a colour. Staples are bought in the same colour.
func (s *shopper) variant(p *Product, sizes, day int) int {
	at := s.fit(p, sizes, day)
	if s.chance(mismatch) {
		at += 1 - 2*s.IntN(2)
	}
	at = min(max(at, 0), sizes-1)
	colour := s.IntN(len(p.Variants) / sizes)
	if p.Basic {
		colour = s.customer.Index % (len(p.Variants) / sizes)
	}
	return colour*sizes + at
}

// fit is the index of the size that fits, among the first so many variants.
func (s *shopper) fit(p *Product, sizes, day int) int {
	wanted := letterSizes[s.own]
	switch {
	case s.latent.kind != Person:
		return s.IntN(sizes)
	case p.Department == "kids":
		wanted = kidsSizes[min(s.kid+day/365, len(kidsSizes)-1)]
	case p.Variants[0].Size >= shoeSizes[0] && p.Variants[0].Size <= shoeSizes[len(shoeSizes)-1]:
		wanted = s.shoe
	}
	for i := range sizes {
		if p.Variants[i].Size == wanted {
			return i
		}
	}
	return sizes / 2
}

// refund sends lines of an order back some days later, within the history: those in a wrong size often, others by
// their category, online more than in a store.
func (g *Generator) refund(s *shopper, o *Order) {
	factor := 0.45
	if o.Channel != "store" {
		factor = 1.15
	}
	if s.latent.kind != Person {
		factor *= 0.25
	}
	var rf Refund
	for n := range o.Lines {
		line := &o.Lines[n]
		reason := g.returnReason(s, line, factor)
		if reason == "" {
			continue
		}
		rf.Reason = reason
		quantity := line.Quantity
		if quantity > 1 {
			quantity = s.between(1, quantity)
		}
		amount := line.Amount
		if quantity < line.Quantity {
			amount = line.Amount * int64(quantity) / int64(line.Quantity)
		}
		rf.Lines = append(rf.Lines, RefundLine{Line: n, Quantity: quantity, Amount: amount})
		rf.Amount += amount
	}
	if len(rf.Lines) == 0 {
		return
	}
	days := clock.Day(s.between(1, 7)) //nolint:gosec // small
	if o.Channel != "store" {
		days += clock.Day(s.between(2, 8)) //nolint:gosec // small
	}
	rf.At = at(clock.DayOf(o.At, Zone)+days, s.between(9, 20)*3600+s.IntN(3600))
	if clock.DayOf(rf.At, Zone) > g.LastDay() {
		return
	}
	rf.Number = "R" + o.Number[1:]
	o.Refunds = append(o.Refunds, rf)
}

// returnReason decides whether a line comes back, and why; "" when it is kept.
func (g *Generator) returnReason(s *shopper, line *Line, factor float64) string {
	id := g.catalogue.byStyle[line.Style]
	p := &g.catalogue.products[id]
	kind := fashion[g.catalogue.kinds[id]]
	if s.latent.kind == Person && len(kind.sizes) > 0 && p.Department != "kids" {
		bought := line.SKU[len(p.Style)+4:] // after "-BK-"
		if fits := s.fit(p, g.catalogue.sizes[id], 0); p.Variants[fits].Size != bought && s.chance(0.5*factor) {
			return "size"
		}
	}
	if s.chance(kind.returns * factor * 0.85) {
		return pick(s.random, []string{"dislike", "dislike", "colour", "quality", "late", "size"})
	}
	return ""
}
