package transfer

import (
	"context"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// build makes the operations of one order: of what it refers to, of itself, its new lines and its refunds.
func (o *orders) build(c *chunk, g *group, made map[id.ID]int, standing map[id.ID]*record.Record) {
	u := &unit{}
	n := len(c.units)
	c.units = append(c.units, u)
	var bought, returned []*line
	for _, l := range g.fresh {
		u.rows = append(u.rows, l.row)
		if l.kind == purchase {
			bought = append(bought, l)
		} else {
			returned = append(returned, l)
		}
	}
	if len(u.rows) == 0 {
		o.recognised(c, u, n, g)
		return
	}
	o.countKnown(u, g)
	status, bad := o.status(g.first(o.roles.status))
	if bad == nil && len(bought) > 0 && g.seen.Order == 0 && o.taken(g) {
		bad = fault.New(fault.Conflict, "import.order_exists", fault.Params{"number": g.number})
	}
	if bad != nil {
		for _, row := range u.rows {
			c.report(row, o.header(o.roles.status, o.roles.number), bad)
		}
		c.faults += int64(len(u.rows))
		u.rows = nil
		return
	}
	o.reportRates(c, g)
	m := &maker{c: c, u: u, row: u.rows[0], g: g, made: made}
	g.customer = o.parties.customer(m)
	g.store = o.parties.place(m, "store", o.parties.stores)
	g.channel = o.parties.place(m, "channel", o.parties.channels)
	after := g.seen
	after.Key, after.Digest = g.key, g.digest
	after.Lines = append([]SeenItem(nil), g.seen.Lines...)
	if len(bought) > 0 {
		o.order(c, n, g, bought, status, standing)
		after.Order = g.order
		o.lines(m, n, bought, status, &after)
	}
	if len(returned) > 0 {
		o.refunds(m, n, returned, &after)
	}
	u.order = &after
}

// recognised deals with an order all of whose lines were imported before: only its own fields may have changed.
func (o *orders) recognised(c *chunk, u *unit, n int, g *group) {
	o.countKnown(u, g)
	if !g.known || g.seen.Order == 0 {
		return
	}
	if g.seen.Digest == g.digest {
		u.same("order", 1)
		return
	}
	in := record.Input{}
	row := g.lines[0].row
	status, bad := o.status(g.first(o.roles.status))
	if bad != nil {
		c.report(row, o.header(o.roles.status), bad)
	} else if status != "" {
		in["status"] = status
	}
	o.orderFields(c, g, row, in)
	if o.roles.total >= 0 && g.all {
		o.amounts(g, g.purchases(), in)
	}
	if len(in) == 0 {
		u.same("order", 1)
		return
	}
	u.rows = []int64{row}
	c.add(n, update("order", g.seen.Order, in))
	after := g.seen
	after.Digest = g.digest
	u.order = &after
}

// countKnown counts the lines that were recognised.
func (o *orders) countKnown(u *unit, g *group) {
	fresh := make(map[*line]bool, len(g.fresh))
	for _, l := range g.fresh {
		fresh[l] = true
	}
	for i := range g.lines {
		l := &g.lines[i]
		switch {
		case fresh[l]:
		case l.kind == refund:
			u.same("refund", 1)
		case l.kind == purchase && o.withLines:
			u.same("order_line", 1)
		}
	}
}

func (g *group) purchases() []*line {
	var out []*line
	for i := range g.lines {
		if g.lines[i].kind == purchase {
			out = append(out, &g.lines[i])
		}
	}
	return out
}

// header is the column name of the first of the values that is mapped.
func (o *orders) header(values ...int) string {
	for _, i := range values {
		if i >= 0 {
			return o.plan.Values[i].Header
		}
	}
	return ""
}

// order makes the order of a group, or brings the one that exists up to date.
func (o *orders) order(c *chunk, n int, g *group, bought []*line, status string, standing map[id.ID]*record.Record) {
	in := record.Input{"currency": g.currency}
	if status != "" {
		in["status"] = status
	}
	o.orderFields(c, g, bought[0].row, in)
	if g.seen.Order != 0 {
		g.order = g.seen.Order
		if old := standing[g.order]; old != nil && !g.all {
			o.extend(g, bought, in, old)
		} else {
			all := g.purchases()
			o.amounts(g, all, in)
			in["quantity"], in["line_count"] = quantityOf(all), int64(len(all))
		}
		c.add(n, update("order", g.order, in))
		return
	}
	g.order = g.planned
	in["source"], in["placed_at"] = "import", bought[0].at
	if g.number != "" {
		in["number"] = g.number
	}
	for key, v := range map[string]id.ID{"customer": g.customer, "store": g.store, "channel": g.channel} {
		if v != 0 {
			in[key] = v
		}
	}
	o.amounts(g, bought, in)
	in["quantity"], in["line_count"] = quantityOf(bought), int64(len(bought))
	if !o.withLines {
		delete(in, "line_count")
	}
	c.add(n, create("order", g.order, in))
}

// orderFields sets the order's own mapped fields other than amounts.
func (o *orders) orderFields(c *chunk, g *group, row int64, in record.Input) {
	env := o.env
	env.Currency = g.currency
	for _, i := range o.roles.fields["order"] {
		v := &o.plan.Values[i]
		putValue(in, v, g.first(i), &env, func(bad *fault.Fault) { c.report(row, v.Header, bad) })
	}
}

func quantityOf(lines []*line) int64 {
	var n int64
	for _, l := range lines {
		n += l.quantity
	}
	return n
}

// amounts sets the amounts of an order from all its lines: summed exactly, rounded once. A total in the file counts
// before the sum of the lines: the total of the order when its rows agree on it, else their sum.
func (o *orders) amounts(g *group, lines []*line, in record.Input) {
	var gross6, net6, lineDiscount, totals int64
	agree, totalled := o.roles.number >= 0, false
	for _, l := range lines {
		gross6, net6, lineDiscount = gross6+l.gross6, net6+l.net6, lineDiscount+l.discount
		if l.hasTotal {
			agree = agree && (!totalled || totals == l.total)
			totalled, totals = true, l.total
		}
	}
	if totalled && !agree {
		totals = 0
		for _, l := range lines {
			totals += l.total
		}
	}
	unit := pow10(6 - g.exp)
	discount := o.orderMoney(g, o.roles.discount)
	net := divRound(net6, unit) - discount
	gross := divRound(gross6, unit)
	if totalled {
		net = totals
		if o.roles.price < 0 && o.roles.amount < 0 {
			gross = net + discount
		}
	}
	if o.roles.gross >= 0 {
		if v := o.orderMoney(g, o.roles.gross); v != 0 {
			gross = v
			if !totalled && o.roles.price < 0 && o.roles.amount < 0 {
				net = gross - discount
			}
		}
	}
	in["gross_amount"] = money.Money{Amount: gross, Currency: g.currency}
	in["net_amount"] = money.Money{Amount: net, Currency: g.currency}
	if d := discount + lineDiscount; d != 0 {
		in["discount_amount"] = money.Money{Amount: d, Currency: g.currency}
	}
}

// orderMoney reads an amount of the order, 0 when it is not there or no amount.
func (o *orders) orderMoney(g *group, value int) int64 {
	t := g.first(value)
	if len(t) == 0 {
		return 0
	}
	if v, ok := plainNumber(t, g.exp); ok {
		return v
	}
	f := schema.Field{Key: "amount", Type: schema.Number, Scale: g.exp}
	v, _ := schema.ParseTextWith(&f, stripCurrency(string(t)), &o.env)
	n, _ := v.(int64)
	return n
}

// extend adds new lines to an order of which the file holds only a part.
func (o *orders) extend(g *group, bought []*line, in record.Input, old *record.Record) {
	o.amounts(g, bought, in)
	for _, key := range []string{"gross_amount", "net_amount", "discount_amount"} {
		was, _ := old.Values[key].(money.Money)
		now, ok := in[key].(money.Money)
		if ok && was.Currency == now.Currency {
			now.Amount += was.Amount
			in[key] = now
		}
	}
	q, _ := old.Values["quantity"].(int64)
	n, _ := old.Values["line_count"].(int64)
	in["quantity"], in["line_count"] = q+quantityOf(bought), n+int64(len(bought))
}

// lines makes the order lines.
func (o *orders) lines(m *maker, n int, bought []*line, status string, after *SeenOrder) {
	at := int64(len(after.Lines))
	for i, l := range bought {
		if !o.withLines {
			after.Lines = append(after.Lines, SeenItem{Hash: l.hash, Record: m.g.order})
			continue
		}
		v := o.svc.cfg.Records.NewID()
		in := make(record.Input, 16)
		o.itemFields(m, l, in, "order_line")
		in["order"], in["placed_at"], in["position"] = m.g.order, bought[0].at, at+int64(i)+1
		in["quantity"], in["unit_price"] = l.quantity, l.price
		in["amount"] = money.Money{Amount: l.amount, Currency: m.g.currency}
		if l.discount != 0 {
			in["discount_amount"] = money.Money{Amount: l.discount, Currency: m.g.currency}
		}
		if status != "" {
			in["status"] = status
		}
		m.c.add(n, create("order_line", v, in))
		after.Lines = append(after.Lines, SeenItem{Hash: l.hash, Record: v})
	}
}

// itemFields sets what order lines and refunds both say of what was bought.
func (o *orders) itemFields(m *maker, l *line, in record.Input, object string) {
	if object == "order_line" {
		env := o.env
		env.Currency = m.g.currency
		for _, i := range o.roles.fields["order_line"] {
			v := &o.plan.Values[i]
			putValue(in, v, l.texts[i], &env, func(bad *fault.Fault) { m.c.report(l.row, v.Header, bad) })
		}
	}
	if m.g.customer != 0 {
		in["customer"] = m.g.customer
	}
	variant, product := o.parties.product(m, l)
	if variant != 0 {
		in["variant"] = variant
	}
	if product != 0 {
		d := o.parties.detailOf[product]
		in["product"] = product
		for key, t := range map[string]string{"name": d.name, "brand": d.brand, "category": d.category} {
			if in[key] == nil && t != "" {
				in[key] = t
			}
		}
	}
	if t := l.text(o.roles.productName); t != "" {
		in["name"] = clipText(t, 300)
	}
	if t := l.text(o.roles.sku); t != "" {
		in["sku"] = t
	}
}

// refunds makes one refund for each line taken back.
func (o *orders) refunds(m *maker, n int, returned []*line, after *SeenOrder) {
	g := m.g
	link := after.Order
	if link == 0 {
		link = g.linked
	}
	for _, l := range returned {
		v := o.svc.cfg.Records.NewID()
		in := make(record.Input, 16)
		o.itemFields(m, l, in, "refund")
		in["refunded_at"], in["quantity"] = l.at, l.quantity
		in["amount"] = money.Money{Amount: l.amount, Currency: g.currency}
		for key, v := range map[string]id.ID{"order": link, "store": g.store, "channel": g.channel} {
			if v != 0 {
				in[key] = v
			}
		}
		if g.number != "" {
			after.Refunds++
			in["number"] = suffixed(g.number, after.Refunds)
		}
		o.reason(m, l, in)
		m.c.add(n, create("refund", v, in))
		after.Lines = append(after.Lines, SeenItem{Hash: l.hash, Record: v})
	}
}

// reason sets the reason of a refund; one that is none of the choices goes into the note.
func (o *orders) reason(m *maker, l *line, in record.Input) {
	if o.roles.reason < 0 || !l.has(o.roles.reason) {
		return
	}
	f := o.plan.Values[o.roles.reason].Field
	v, bad := schema.ParseTextWith(f, l.text(o.roles.reason), &o.env)
	if bad == nil && v != nil {
		in["reason"] = v
		return
	}
	in["reason"], in["note"] = "other", l.text(o.roles.reason)
}

// taken reports whether an order's number belongs to an order that did not come from this source.
func (o *orders) taken(g *group) bool {
	return g.number != "" && o.numbers.get([]byte(g.number)) != 0 || o.externals != nil && o.externals.get(g.first(o.roles.externalID)) != 0
}

// originals are the texts by which the order of a group's refunds may be found: the column that names it, or the number
// without its first letter or all letters before it ("C536379", "RET-1001").
func (o *orders) originals(g *group) [][]byte {
	if t := g.first(o.roles.refundOf); len(t) > 0 {
		return [][]byte{t}
	}
	out := [][]byte{[]byte(g.number)}
	if g.number == "" || !letter(g.number[0]) {
		return out
	}
	one := strings.TrimLeft(g.number[1:], "-_# ")
	all := strings.TrimLeft(strings.TrimLeftFunc(g.number, func(r rune) bool { return r < 128 && letter(byte(r)) }), "-_# ")
	for _, t := range []string{one, all} {
		if t != "" && t != string(out[len(out)-1]) {
			out = append(out, []byte(t))
		}
	}
	return out
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// link finds the orders that the refunds of groups belong to: the customer must be the same, unless the file names the
// order.
func (o *orders) link(ctx context.Context, gs []*group) error {
	candidates := map[id.ID][]*group{}
	var ids []id.ID
	making := map[string]*group{} // orders of this chunk
	for _, g := range gs {
		if g.planned != 0 && g.number != "" {
			making[o.numbers.key([]byte(g.number))] = g
		}
		if g.seen.Order != 0 || !g.returns() {
			continue
		}
		v := id.ID(0)
		for _, t := range o.originals(g) {
			if n := making[o.numbers.key(t)]; n != nil && n != g && g.linked == 0 && (len(g.first(o.roles.refundOf)) > 0 || o.sameCustomer(g, n)) {
				g.linked = n.planned
			}
			if v == 0 {
				v = o.numbers.get(t)
			}
		}
		if v == 0 || g.linked != 0 {
			continue
		}
		if len(g.first(o.roles.refundOf)) > 0 {
			g.linked = v
			continue
		}
		if candidates[v] == nil {
			ids = append(ids, v)
		}
		candidates[v] = append(candidates[v], g)
	}
	return o.fetch(ctx, "order", ids, []string{"customer"}, func(r *record.Record) {
		owner, _ := r.Values["customer"].(id.ID)
		for _, g := range candidates[r.ID] {
			for _, k := range o.parties.customers {
				if t := g.first(k.value); owner != 0 && len(t) > 0 && k.index.get(t) == owner {
					g.linked = r.ID
				}
			}
		}
	})
}

// sameCustomer reports whether two orders bear the same mark of a customer.
func (o *orders) sameCustomer(a, b *group) bool {
	for _, k := range o.parties.customers {
		t := k.index.key(a.first(k.value))
		if t != "" && t == k.index.key(b.first(k.value)) {
			return true
		}
	}
	return false
}

// buys reports whether a group makes an order.
func (g *group) buys() bool {
	for _, l := range g.fresh {
		if l.kind == purchase {
			return true
		}
	}
	return false
}

func (g *group) returns() bool {
	for _, l := range g.fresh {
		if l.kind == refund {
			return true
		}
	}
	return false
}
