package analytics_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// A small company in memory, and the traits of its customers worked out by plain loops.

type order struct {
	id, customer, day, net int64
	discount, cost         any
	channel, store         int64
	status                 string
}

type line struct {
	id, order, customer, day, quantity, amount int64
	product, variant                           int64
	category, brand                            string
	status                                     string
}

type refund struct{ id, customer, day, amount, cost int64 }

type company struct {
	rng       *rand.Rand
	customers []int64
	orders    map[int64]order
	lines     map[int64]line
	refunds   map[int64]refund
	next      int64
}

var (
	channelNames = map[int64]string{1: "天猫", 2: "Web", 3: "web", 4: "门店"}
	channelKinds = map[int64]string{1: "marketplace", 2: "online", 3: "phone", 4: "offline"}
	storeNames   = map[int64]string{1: "Z店", 2: "a店", 3: "a店"}
	sizes        = map[int64]string{1: "S", 2: "M", 3: "", 4: "XL"}
	productKind  = map[int64][2]string{1: {"衬衫", "甲"}, 2: {"Shirt", "乙"}, 3: {"", ""}}
)

func newCompany(seed uint64) *company {
	c := &company{rng: rand.New(rand.NewPCG(seed, 7)), orders: map[int64]order{}, lines: map[int64]line{}, refunds: map[int64]refund{}, next: 1000}
	for i := range int64(40) {
		c.customers = append(c.customers, 100+i*3)
	}
	for range 150 {
		c.addOrder()
	}
	for range 25 {
		c.addRefund()
	}
	return c
}

func (c *company) id() int64 { c.next++; return c.next }

func (c *company) pick(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := c.rng.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}

func (c *company) addOrder() (customer int64) {
	o := order{id: c.id(), day: 20_000 - int64(c.rng.IntN(500)), net: int64(c.rng.IntN(5)) * 2503,
		status: []string{"confirmed", "completed", "cancelled", "draft"}[c.pick(6, 6, 1, 1)],
		store:  int64(c.rng.IntN(4)), channel: int64(c.rng.IntN(5))}
	if c.rng.IntN(20) > 0 {
		o.customer = c.customers[min(c.rng.IntN(len(c.customers)), c.rng.IntN(len(c.customers)))]
	}
	if c.rng.IntN(30) == 0 {
		o.day = 20_005 // not yet
	}
	if c.rng.IntN(3) == 0 {
		o.discount = int64(c.rng.IntN(900))
	}
	if c.rng.IntN(6) > 0 {
		o.cost = int64(c.rng.IntN(3000))
	}
	c.orders[o.id] = o
	for range c.rng.IntN(4) {
		l := line{id: c.id(), order: o.id, customer: o.customer, day: o.day, status: o.status, quantity: int64(1+c.rng.IntN(3)) * 500,
			amount: int64(c.rng.IntN(4)) * 999, product: int64(c.rng.IntN(4)), variant: int64(c.rng.IntN(5))}
		if c.rng.IntN(3) == 0 {
			l.category, l.brand = "shirt", "丙"
		}
		c.lines[l.id] = l
	}
	return o.customer
}

func (c *company) addRefund() (customer int64) {
	r := refund{id: c.id(), customer: c.customers[c.rng.IntN(len(c.customers))], day: 20_000 - int64(c.rng.IntN(300)),
		amount: int64(c.rng.IntN(4000)), cost: int64(c.rng.IntN(500))}
	c.refunds[r.id] = r
	return r.customer
}

func nul(v int64) any {
	if v == 0 {
		return nil
	}
	return v
}

func word(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (o order) row() []any {
	return []any{o.id, int64(1), nul(o.customer), o.status, o.day*dayMillis + o.id, o.day, o.net, o.discount, o.cost, nul(o.channel), nul(o.store)}
}

func (l line) row() []any {
	return []any{l.id, int64(1), l.order, nul(l.customer), l.day, l.quantity, l.amount, nul(l.product), nul(l.variant), word(l.category), word(l.brand), l.status}
}

func (r refund) row() []any {
	return []any{r.id, int64(1), r.customer, r.day, r.amount, r.cost}
}

var (
	orderColumns  = []string{"id", "version", "customer", "status", "placed_at", "placed_at_day", "net_amount_base", "discount_amount_base", "cost_amount_base", "channel", "store"}
	lineColumns   = []string{"id", "version", "order", "customer", "placed_at_day", "quantity", "amount_base", "product", "variant", "category", "brand", "status"}
	refundColumns = []string{"id", "version", "customer", "refunded_at_day", "amount_base", "cost_amount_base"}
)

func rowsOf[T interface{ row() []any }](m map[int64]T) analytics.Source {
	var out [][]any
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k].row())
	}
	return analytics.Rows(out)
}

func (c *company) load(t *testing.T, b *bench) {
	t.Helper()
	var customers, channels, stores, variants, products [][]any
	for _, k := range c.customers {
		customers = append(customers, []any{k, int64(1)})
	}
	for k, n := range channelNames {
		channels = append(channels, []any{k, n, channelKinds[k]})
	}
	for k, n := range storeNames {
		stores = append(stores, []any{k, n})
	}
	for k, n := range sizes {
		variants = append(variants, []any{k, word(n)})
	}
	for k, n := range productKind {
		products = append(products, []any{k, word(n[0]), word(n[1])})
	}
	b.load(t, "customer", []string{"id", "version"}, analytics.Rows(customers))
	b.load(t, "channel", []string{"id", "name", "kind"}, analytics.Rows(channels))
	b.load(t, "store", []string{"id", "name"}, analytics.Rows(stores))
	b.load(t, "variant", []string{"id", "size"}, analytics.Rows(variants))
	b.load(t, "product", []string{"id", "category", "brand"}, analytics.Rows(products))
	b.load(t, "order", orderColumns, rowsOf(c.orders))
	b.load(t, "order_line", lineColumns, rowsOf(c.lines))
	b.load(t, "refund", refundColumns, rowsOf(c.refunds))
}

// tally finds a favourite: most, then greatest amount, then first in byte order (then smallest id).
type tally map[string][2]int64

func (t tally) add(key string, n, amount int64) {
	v := t[key]
	t[key] = [2]int64{v[0] + n, v[1] + amount}
}

func (t tally) best() any {
	best := ""
	for _, k := range slices.Sorted(maps.Keys(t)) {
		if best == "" || t[k][0] > t[best][0] || t[k][0] == t[best][0] && t[k][1] > t[best][1] {
			best = k
		}
	}
	if best == "" {
		return nil
	}
	name, _, _ := strings.Cut(best, "\x00") // a place is told apart by its id after the name
	return name
}

func bought(status string) bool { return status == "confirmed" || status == "completed" }

// values are the traits of one customer of t_order and t_taste at an anchor, and the RFM figures.
func (c *company) values(customer, anchor int64) (map[string]any, rfm.Customer) {
	v := map[string]any{}
	var orders, spend, discount, cost, costed, online, offline int64
	within := map[int64][2]int64{}
	days := map[int64]bool{}
	channels, stores, categories, brands, sizeCount := tally{}, tally{}, tally{}, tally{}, tally{}
	var firstAt, lastAt int64
	channelIDs := map[int64]bool{}
	for _, o := range c.orders {
		if o.customer != customer || !bought(o.status) || o.net <= 0 || o.day > anchor {
			continue
		}
		orders++
		spend += o.net
		days[o.day] = true
		at := o.day*dayMillis + o.id
		if firstAt == 0 || at < firstAt {
			firstAt = at
		}
		lastAt = max(lastAt, at)
		for _, n := range []int64{30, 90, 180, 365} {
			if o.day > anchor-n {
				within[n] = [2]int64{within[n][0] + 1, within[n][1] + o.net}
			}
		}
		if d, ok := o.discount.(int64); ok {
			discount += d
		}
		if x, ok := o.cost.(int64); ok {
			cost += x
			costed++
		}
		switch {
		case o.channel == 1 || o.channel == 2:
			online++
		case o.channel == 4 || o.channel == 0 && o.store != 0:
			offline++
		}
		if o.channel != 0 {
			channelIDs[o.channel] = true
			channels.add(fmt.Sprintf("%s\x00%d", channelNames[o.channel], o.channel), 1, o.net)
		}
		if o.store != 0 {
			stores.add(fmt.Sprintf("%s\x00%d", storeNames[o.store], o.store), 1, o.net)
		}
	}
	var items int64
	products := map[int64]bool{}
	hasLine := false
	for _, l := range c.lines {
		if l.customer != customer || !bought(l.status) || l.amount <= 0 || l.day > anchor {
			continue
		}
		hasLine = true
		items += l.quantity
		if l.product != 0 {
			products[l.product] = true
		}
		category, brand := l.category, l.brand
		if category == "" {
			category, brand = productKind[l.product][0], productKind[l.product][1]
		}
		for key, t := range map[string]tally{category: categories, "\x01" + brand: brands, "\x02" + sizes[l.variant]: sizeCount} {
			if key = strings.TrimLeft(key, "\x01\x02"); key != "" {
				t.add(key, l.quantity, l.amount)
			}
		}
	}
	var refunds, refunded, returned int64
	for _, r := range c.refunds {
		if r.customer == customer && r.day <= anchor {
			refunds++
			refunded += r.amount
			returned += r.cost
		}
	}
	v["orders"], v["spend_total"], v["net_spend"], v["purchase_days"] = orders, spend, spend-refunded, int64(len(days))
	v["refund_count"], v["refund_amount"] = refunds, refunded
	for n, w := range map[string]int64{"30d": 30, "90d": 90, "180d": 180, "365d": 365} {
		v["orders_"+n], v["spend_"+n] = within[w][0], within[w][1]
	}
	div := func(key string, a, b int64) {
		if b > 0 {
			v[key] = money.MulDiv(a, 1, b)
		}
	}
	if orders == 0 {
		return v, rfm.Customer{}
	}
	all := slices.Sorted(maps.Keys(days))
	first, last := all[0], all[len(all)-1]
	v["first_order_at"], v["last_order_at"], v["first_order_day"], v["last_order_day"] = firstAt, lastAt, first, last
	v["days_since_last"] = anchor - last
	div("average_basket", spend, orders)
	div("average_interval_days", (last-first)*100, int64(len(days))-1)
	// Only orders with a discount count; without any gross amount there is none to compare with.
	div("discount_share", discount*10_000, spend+discount)
	div("refund_rate", refunded*10_000, spend)
	if costed == orders {
		margin := spend - cost - refunded + returned
		v["margin"] = margin
		div("margin_rate", margin*10_000, spend-refunded)
	}
	v["channels"] = int64(len(channelIDs))
	if hasLine {
		v["items"], v["products"] = items, int64(len(products))
	}
	div("online_share", online*10_000, online+offline)
	div("offline_share", offline*10_000, online+offline)
	for key, t := range map[string]tally{"favourite_channel": channels, "favourite_store": stores, "favourite_category": categories,
		"favourite_brand": brands, "favourite_size": sizeCount} {
		if best := t.best(); best != nil {
			v[key] = best
		}
	}
	return v, rfm.Customer{Recency: anchor - last, Frequency: orders, Monetary: spend}
}

// expected are the traits of every customer.
func (c *company) expected(anchor int64) map[id.ID]trait.Values {
	out := map[id.ID]trait.Values{}
	figures := map[int64]rfm.Customer{}
	var who []rfm.Customer
	for _, k := range c.customers {
		v, f := c.values(k, anchor)
		out[id.ID(k)] = v
		if f.Frequency > 0 {
			figures[k] = f
			who = append(who, f)
		}
	}
	model := rfm.Fit(who)
	for k, f := range figures {
		r, fr, m := model.Score(f)
		v := out[id.ID(k)]
		v["recency"], v["frequency"], v["monetary"] = f.Recency, f.Frequency, f.Monetary
		v["r_score"], v["f_score"], v["m_score"] = int64(r), int64(fr), int64(m)
		v["rfm_cell"], v["rfm_segment"] = fmt.Sprint(r*100+fr*10+m), rfm.Segment(r, fr, m)
	}
	return out
}

func (c *company) check(t *testing.T, b *bench, anchor int64, when string) {
	t.Helper()
	cat, err := trait.Standard()
	must(t, err)
	var ids []id.ID
	for _, k := range c.customers {
		ids = append(ids, id.ID(k))
	}
	got, err := b.store.Read(t.Context(), ids, cat.List())
	must(t, err)
	for k, want := range c.expected(anchor) {
		if !maps.Equal(got[k], want) {
			for _, key := range slices.Sorted(maps.Keys(want)) {
				if got[k][key] != want[key] {
					t.Errorf("%s: customer %d: %s is %v, want %v", when, k, key, got[k][key], want[key])
				}
			}
			for key := range got[k] {
				if _, ok := want[key]; !ok {
					t.Errorf("%s: customer %d: %s is %v, want none", when, k, key, got[k][key])
				}
			}
			t.Fatalf("%s: customer %d differs", when, k)
		}
	}
}

// change alters the company and the plane alike and answers the customers concerned.
func (c *company) change(t *testing.T, b *bench) []id.ID {
	t.Helper()
	touched := map[int64]bool{}
	for range 1 + c.rng.IntN(8) {
		switch c.rng.IntN(5) {
		case 0, 1:
			before := slices.Sorted(maps.Keys(c.lines))
			touched[c.addOrder()] = true
			o := c.orders[slices.Max(slices.Collect(maps.Keys(c.orders)))]
			b.load(t, "order", orderColumns, analytics.Rows([][]any{o.row()}))
			var added [][]any
			for _, k := range slices.Sorted(maps.Keys(c.lines)) {
				if _, old := slices.BinarySearch(before, k); !old {
					added = append(added, c.lines[k].row())
				}
			}
			b.load(t, "order_line", lineColumns, analytics.Rows(added))
		case 2:
			touched[c.addRefund()] = true
			r := c.refunds[c.next]
			b.load(t, "refund", refundColumns, analytics.Rows([][]any{r.row()}))
		case 3: // an order moves to another customer; its lines follow
			keys := slices.Sorted(maps.Keys(c.orders))
			o := c.orders[keys[c.rng.IntN(len(keys))]]
			touched[o.customer] = true
			o.customer = c.customers[c.rng.IntN(len(c.customers))]
			touched[o.customer] = true
			c.orders[o.id] = o
			b.remove(t, "order", "id = ?", o.id)
			b.load(t, "order", orderColumns, analytics.Rows([][]any{o.row()}))
			b.remove(t, "order_line", `"order" = ?`, o.id)
			var moved [][]any
			for k, l := range c.lines {
				if l.order == o.id {
					l.customer = o.customer
					c.lines[k] = l
					moved = append(moved, l.row())
				}
			}
			b.load(t, "order_line", lineColumns, analytics.Rows(moved))
		case 4: // a customer comes and another one goes
			k := c.id()
			c.customers = append(c.customers, k)
			b.load(t, "customer", []string{"id", "version"}, analytics.Rows([][]any{{k, int64(1)}}))
			gone := c.customers[0]
			c.customers = c.customers[1:]
			b.remove(t, "customer", "id = ?", gone)
			touched[k], touched[gone] = true, true
		}
	}
	delete(touched, 0)
	var out []id.ID
	for k := range touched {
		out = append(out, id.ID(k))
	}
	return out
}

func TestTraitsAgreeWithPlainLoops(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		for seed := range uint64(3) {
			if seed > 0 {
				for _, o := range []string{"customer", "channel", "store", "variant", "product", "order", "order_line", "refund"} {
					b.remove(t, o, "TRUE")
				}
			}
			c := newCompany(seed)
			c.load(t, b)
			const anchor = 20_000
			r, err := b.store.Full(t.Context(), pass(anchor, trait.Defaults()), anchor)
			must(t, err)
			if !r.Full || r.Customers != int64(len(c.customers)) {
				t.Errorf("the full pass computed %d customers, want %d", r.Customers, len(c.customers))
			}
			c.check(t, b, anchor, "after a full pass")
			for round := range 12 {
				must(t, b.store.Touch(t.Context(), c.change(t, b)))
				_, err := b.store.Small(t.Context(), pass(anchor, trait.Defaults()))
				must(t, err)
				c.check(t, b, anchor, fmt.Sprintf("seed %d, after small pass %d", seed, round))
			}
			r, err = b.store.Full(t.Context(), pass(anchor, trait.Defaults()), anchor)
			must(t, err)
			if !r.Verified || r.Differing != 0 {
				t.Errorf("the full pass found %d rows otherwise (verified %v)", r.Differing, r.Verified)
			}
			later := clock.Day(anchor + 40)
			_, err = b.store.Full(t.Context(), pass(later, trait.Defaults()), later)
			must(t, err)
			c.check(t, b, int64(later), "forty days later")
		}
	})
}

func TestAFullPassFindsWhatASmallOneMissed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		c := newCompany(9)
		c.load(t, b)
		const anchor = 20_000
		_, err := b.store.Full(t.Context(), pass(anchor, trait.Defaults()), anchor)
		must(t, err)
		// An order arrives that nobody was told of.
		o := order{id: 1, customer: c.customers[5], day: anchor - 3, net: 777, status: "confirmed"}
		b.load(t, "order", orderColumns, analytics.Rows([][]any{o.row()}))
		r, err := b.store.Full(t.Context(), pass(anchor, trait.Defaults()), anchor)
		must(t, err)
		if !r.Verified || r.Differing == 0 {
			t.Errorf("a missed order makes no difference: %+v", r)
		}
		st, err := b.store.State(t.Context())
		must(t, err)
		if !st.Known || !st.Verified || st.Differing != r.Differing || st.Anchor != anchor || !st.FullAt.Equal(noon(anchor)) {
			t.Errorf("the state does not tell: %+v", st)
		}
		c.orders[o.id] = o
		c.check(t, b, anchor, "after the pass that found it")
		// One who waits is taken along by a full pass and waits no more.
		o.id, o.customer = 2, c.customers[6]
		c.orders[o.id] = o
		b.load(t, "order", orderColumns, analytics.Rows([][]any{o.row()}))
		must(t, b.store.Touch(t.Context(), []id.ID{id.ID(o.customer)}))
		_, err = b.store.Full(t.Context(), pass(anchor, trait.Defaults()), anchor)
		must(t, err)
		c.check(t, b, anchor, "after a full pass over one who waited")
		if touched, _, err := b.store.Waiting(t.Context()); err != nil || touched != 0 {
			t.Errorf("%d customers still wait: %v", touched, err)
		}
	})
}

func TestSettingsDecideWhatAPurchaseIs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		c := newCompany(4)
		c.load(t, b)
		s := trait.Defaults()
		s.Statuses = []string{"completed"}
		s.Monetary = trait.MonetaryNet
		s.Mode, s.Cuts = trait.ModeSaved, rfm.Model{Recency: rfm.Cuts{10, 50, 100, 200}, Frequency: rfm.Cuts{1, 2, 3, 4}, Monetary: rfm.Cuts{0, 1000, 5000, 9000}}
		must(t, b.store.Define(t.Context(), s))
		_, err := b.store.Full(t.Context(), pass(20_000, s), 20_000)
		must(t, err)
		want := int64(0)
		for _, o := range c.orders {
			if o.customer != 0 && o.status == "completed" && o.net > 0 && o.day <= 20_000 {
				want++
			}
		}
		if got := b.table(t, "SELECT CAST(sum(orders) AS BIGINT) FROM t_order"); got != fmt.Sprintf("%d\n", want) {
			t.Errorf("%s purchases, want %d", got, want)
		}
		rows, err := b.db.Query(t.Context(), "SELECT r.recency, r.frequency, r.monetary, r.r_score, r.f_score, r.m_score, o.net_spend FROM t_rfm r JOIN t_order o ON o.customer_id = r.customer_id")
		must(t, err)
		defer rows.Close()
		n := 0
		for rows.Next() {
			var x rfm.Customer
			var r, f, m int
			var net int64
			must(t, rows.Scan(&x.Recency, &x.Frequency, &x.Monetary, &r, &f, &m, &net))
			wr, wf, wm := s.Cuts.Score(x)
			if x.Monetary != net || r != wr || f != wf || m != wm {
				t.Errorf("%+v (net %d) is scored %d%d%d, want %d%d%d", x, net, r, f, m, wr, wf, wm)
			}
			n++
		}
		must(t, rows.Err())
		if n == 0 {
			t.Error("nobody is scored")
		}
		if err := b.store.Define(t.Context(), trait.Settings{Statuses: []string{"x'; DROP TABLE t_order; --"}}); err == nil {
			t.Error("a state that is no key is accepted")
		}
		// Ensure puts the definition back that it is given.
		must(t, b.store.Ensure(t.Context(), b.reg, trait.Defaults()))
		last, ok, err := b.store.LastPurchase(t.Context(), 30_000)
		must(t, err)
		if !ok || last != 20_005 {
			t.Errorf("the newest purchase is on %s", last)
		}
	})
}
