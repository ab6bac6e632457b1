package demo

import (
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// purchases are the visits in which something was bought, and what belongs to a purchase.
func (m *maker) purchases() {
	for i := range m.customer.Orders {
		o := &m.customer.Orders[i]
		if !m.window(o.At) {
			continue
		}
		switch o.Channel {
		case "website":
			m.buy(o, false)
		case "wechat_mini":
			m.buy(o, true)
		case "store":
			m.shop(o)
		case "douyin":
			m.watch(o)
		}
		if o.Promotion == "COUPON" {
			var f fields
			f.text("coupon_id", "COUPON")
			f.text("order_id", o.Number)
			f.text("channel", o.Channel)
			m.act("store", "Coupon Applied", o.At, &f)
		}
		m.review(o)
	}
}

// act is something that no visit to the shop on the web belongs to.
func (m *maker) act(source, name string, at time.Time, f *fields) {
	if !m.window(at) {
		return
	}
	m.history.Events = append(m.history.Events, Event{ID: m.nextID(), Source: source, Kind: "track", Name: name, At: at, Properties: f.object(), Context: []byte("{}"), Signed: true})
}

// buy is a visit that ends with an order, at the moment of the order.
func (m *maker) buy(o *Order, mini bool) {
	start := o.At.Add(-time.Duration(m.between(12, 26)) * time.Minute)
	if !m.window(start) {
		return
	}
	w := m.walk(start, mini, true)
	if m.chance(0.5) {
		w.home()
	}
	for i := range o.Lines {
		style := m.g.catalogue.byStyle[o.Lines[i].Style]
		if i < 3 {
			w.goods(style)
		}
		var f fields
		m.product(&f, style)
		f.number("quantity", int64(o.Lines[i].Quantity))
		w.act("Product Added", &f)
		if o.At.Sub(w.t) < 5*time.Minute { // the order comes when it comes
			break
		}
	}
	var begin fields
	begin.money("value", o.Amount)
	begin.text("currency", "CNY")
	w.path, w.title = "/checkout", w.word("结算", "Checkout")
	w.t = slices.MinFunc([]time.Time{w.t, o.At.Add(-time.Minute)}, time.Time.Compare)
	w.act("Checkout Started", &begin)
	w.t = o.At
	var done fields
	done.text("order_id", o.Number)
	done.money("revenue", o.Amount)
	done.text("currency", "CNY")
	done.text("coupon", o.Promotion)
	done.raw("products", m.lines(o))
	w.act("Order Completed", &done)
}

func (m *maker) lines(o *Order) []byte {
	b := []byte{'['}
	for i := range o.Lines {
		if i > 0 {
			b = append(b, ',')
		}
		n := &o.Lines[i]
		var f fields
		f.text("product_id", n.Style)
		f.text("sku", n.SKU)
		f.money("price", n.ListPrice)
		f.number("quantity", int64(n.Quantity))
		b = append(b, f.object()...)
	}
	return append(b, ']')
}

// shop is the visit to a store in which something was bought, with what was tried on, and now and then one without a purchase before.
func (m *maker) shop(o *Order) {
	if m.chance(0.45) {
		m.drop(o.At.Add(-time.Duration(m.between(2, 20))*24*time.Hour), o, false)
	}
	m.drop(o.At, o, true)
}

func (m *maker) drop(at time.Time, o *Order, bought bool) {
	minutes := m.between(8, 55)
	came := at.Add(-time.Duration(minutes) * time.Minute)
	var f fields
	f.text("store_id", o.Store)
	for i := range m.g.stores {
		if m.g.stores[i].Code == o.Store {
			f.text("store", m.g.stores[i].Name.In(m.loc))
		}
	}
	f.number("minutes", int64(minutes))
	f.text("staff", o.Store+"-"+strconv.Itoa(m.between(1, 6)))
	if bought {
		f.text("order_id", o.Number)
	}
	m.act("store", "Store Visited", came, &f)
	for i := range o.Lines {
		style := m.g.catalogue.byStyle[o.Lines[i].Style]
		if len(fashion[m.g.catalogue.kinds[style]].sizes) == 0 || !m.chance(0.6) {
			continue
		}
		var f fields
		m.product(&f, style)
		f.text("size", o.Lines[i].SKU[len(o.Lines[i].Style)+4:])
		f.text("store_id", o.Store)
		m.act("store", "Item Tried On", came.Add(time.Duration(m.between(3, max(4, minutes-2)))*time.Minute), &f)
	}
}

// review is what somebody writes about what came.
func (m *maker) review(o *Order) {
	if o.Channel == "store" || !m.chance(0.11) {
		return
	}
	n := pick(m.random, o.Lines)
	rating := 5
	switch u := m.Float64(); {
	case len(o.Refunds) > 0:
		rating = m.between(1, 3)
	case u < 0.06:
		rating = 3
	case u < 0.3:
		rating = 4
	}
	good := []words{{"版型很好，颜色和图片一样", "Fits well, the colour is as in the picture"}, {"面料舒服，会回购", "Comfortable cloth, would buy again"}, {"发货快，质量不错", "Quick delivery, good quality"},
		{"上身显瘦，同事都问链接", "Flattering, colleagues asked where it is from"}}
	poor := []words{{"尺码偏小，建议拍大一码", "Runs small, order one size up"}, {"有点起球，客服处理得还行", "Pills a little, service was fine"}, {"颜色比图片深", "Darker than in the picture"}}
	text := pick(m.random, good)
	if rating < 4 {
		text = pick(m.random, poor)
	}
	var f fields
	m.product(&f, m.g.catalogue.byStyle[n.Style])
	f.text("review_id", "R-"+o.Number)
	f.number("rating", int64(rating))
	f.text("review_body", m.word(text.zh, text.en))
	f.text("platform", map[string]string{"tmall": "taobao", "jd": "jd", "douyin": "douyin"}[o.Channel])
	m.act("social", "Product Reviewed", o.At.Add(time.Duration(m.between(4*24, 16*24))*time.Hour), &f)
}

// look are visits in which nothing was bought. Some are made on a second device, whose user stays unknown or signs in one day.
func (m *maker) look() {
	n := m.poisson(m.life.factor * m.keenness())
	if n == 0 {
		return
	}
	days := make([]int, 0, n)
	for range n {
		day := m.life.from + m.life.busy.draw(m.random)
		if day >= int(m.joined) && (day <= int(m.left) || m.chance(0.15)) {
			days = append(days, day)
		}
	}
	if len(days) == 0 {
		return
	}
	slices.Sort(days)
	second := len(days) > 1 && m.chance(0.2)
	mini := m.chance(0.45)
	var other *walk
	for i, day := range days {
		at := m.g.moment(m.random, day, true)
		if second && i < len(days)-1 && m.chance(0.4) {
			if other == nil {
				other = &walk{device: m.pickDevice(), actor: m.actor(Actor{Anonymous: "demo-b" + pad(m.customer.Index, 8)})}
			}
			w := m.walk(at, false, false)
			w.device, w.actor = other.device, other.actor
			m.browse(w, false)
			continue
		}
		w := m.walk(at, mini && m.chance(0.7), i > 0 || m.chance(0.5))
		m.browse(w, m.chance(0.13))
	}
	if other != nil && m.chance(0.5) {
		m.signIn(other, m.g.moment(m.random, days[len(days)-1], true))
	}
}

func (m *maker) actor(a Actor) int {
	m.history.Actors = append(m.history.Actors, a)
	return len(m.history.Actors) - 1
}

// signIn shows that the second device is the customer's.
func (m *maker) signIn(other *walk, at time.Time) {
	w := m.walk(at, false, false)
	w.device, w.actor, w.into = other.device, other.actor, &m.history.Joining
	w.home()
	w.signed = true
	w.event("identify", "", []byte("{}"), w.context(true))
	w.t = w.t.Add(5 * time.Second)
	w.goods(m.choose(w.t))
}

// keenness is how much likelier than others a customer looks around: who buys more, and is still there, more often.
func (m *maker) keenness() float64 {
	bought := 0
	for i := range m.customer.Orders {
		if m.window(m.customer.Orders[i].At) {
			bought++
		}
	}
	k := 0.35 + 0.8*float64(min(bought, 8)) + 0.5*m.latent.online
	if m.latent.prospect {
		k = 0.9
	}
	if int(m.left) < m.life.from {
		k = 0.12
	}
	if m.latent.kind != Person {
		k *= 0.4
	}
	return k
}

// wander is the visit of somebody nobody knows.
func (m *maker) wander(at time.Time, keen bool) {
	w := m.walk(at, m.chance(0.25), false)
	if m.chance(0.45) { // a look, and gone
		switch {
		case m.chance(0.5):
			w.goods(m.choose(at))
		case m.chance(0.5):
			w.page("/sale/"+m.campaign(at), w.word("活动专场", "Sale"))
		default:
			w.home()
		}
		return
	}
	m.browse(w, keen)
}

// browse looks around, and when keen puts something into the basket; some of those go as far as the checkout.
func (m *maker) browse(w *walk, keen bool) {
	switch u := m.Float64(); {
	case w.from.medium != "" && u < 0.6:
		w.page("/sale/"+m.campaign(w.t), w.word("活动专场", "Sale"))
	case u < 0.55:
		w.home()
	}
	kind := m.kind()
	for range 1 + m.poisson(0.9) {
		switch u := m.Float64(); {
		case u < 0.2:
			w.search(kind)
		case u < 0.5:
			w.shelf(kind)
		}
		w.goods(m.choose(w.t))
	}
	if !keen {
		if m.chance(0.06) {
			w.page("/help/returns", w.word("退换货说明", "Returns"))
		}
		return
	}
	style := m.choose(w.t)
	w.goods(style)
	var f fields
	m.product(&f, style)
	f.number("quantity", 1)
	w.act("Product Added", &f)
	w.page("/cart", w.word("购物车", "Basket"))
	if m.chance(0.35) {
		var f fields
		f.money("value", m.g.catalogue.products[style].Price)
		f.text("currency", "CNY")
		w.path, w.title = "/checkout", w.word("结算", "Checkout")
		w.act("Checkout Started", &f)
	}
}

// kind is a category that the person likes.
func (m *maker) kind() int {
	if m.customer != nil {
		return m.g.catalogue.byKey[pick(m.random, archetypes[m.latent.archetype].loves)]
	}
	return m.IntN(len(fashion))
}

// choose is a style that is sold on a day, rather of a kind that the person likes.
func (m *maker) choose(t time.Time) int {
	d := clock.DayOf(t, Zone)
	l := &m.latent
	department := forWomen
	if m.customer == nil {
		l = &latent{archetype: m.IntN(bulk), brand: m.g.catalogue.bulkBrand, level: 500}
		department = m.IntN(2)
	} else if m.customer.Gender == Male {
		department = forMen
	}
	price := int64(18_000 + m.IntN(60_000))
	if id := m.g.catalogue.choose(m.random, shelf{seasonOf(d), department, m.kind()}, d, price, l); id >= 0 {
		return id
	}
	if id := m.g.catalogue.choose(m.random, shelf{seasonOf(d), department, -1}, d, price, l); id >= 0 {
		return id
	}
	return 0
}
