package person

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// get is a part of an event about an order, by the specification's name.
func (s *sale) get(name string) any {
	if p := s.rule.Properties[name]; p != "" {
		return at(s.props, p)
	}
	return s.props[name]
}

func (s *sale) key() string { return clip(text(s.get("order_id")), 200) }

// item is a product of an order.
type item struct {
	product, sku, name, brand, category, url, image string
	quantity                                        int64 // three decimals
	price                                           int64 // six decimals
	priced                                          bool
}

// same is what a line is recognised by when the order is told again.
func (i *item) same() string {
	return cmp.Or(i.sku, i.product, i.name)
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// items are the products of an event; those with a quantity that is none count once.
func (s *sale) items() (out []item) {
	list, _ := s.get("products").([]any)
	for _, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		get := func(keys ...string) string {
			for _, k := range keys {
				if t := text(m[k]); t != "" {
					return clip(t, 200)
				}
			}
			return ""
		}
		i := item{product: get("product_id", "productId", "id"), sku: get("sku"), name: get("name", "title"), brand: get("brand"), category: get("category"), url: get("url"), image: get("image_url")}
		if i.same() == "" {
			continue
		}
		i.quantity = 1000
		if q, ok := scaled(m["quantity"], 3); ok && q > 0 {
			i.quantity = q
		}
		i.price, i.priced = scaled(m["price"], 6)
		out = append(out, i)
	}
	return out
}

// total is the amount of the lines in minor units.
func total(items []item, exp int) (sum int64, priced bool) {
	div := int64(1_000_000_000)
	for range exp {
		div /= 10
	}
	for i := range items {
		if items[i].priced {
			priced = true
			sum += money.MulDiv(items[i].quantity, items[i].price, div)
		}
	}
	return sum, priced
}

func (r *run) currency(s *sale) string {
	if c := strings.ToUpper(text(s.get("currency"))); len(c) == 3 && money.Known(c) {
		return c
	}
	return cmp.Or(r.env.Base, "CNY")
}

// amounts are what an event says of the money of an order. net is what is paid for the goods: the revenue, or the total less shipping
// and tax, or what the lines come to less the discount.
func (r *run) amounts(s *sale, items []item) (in record.Input) {
	in = record.Input{}
	cur := r.currency(s)
	exp := money.Exponent(cur)
	read := func(name string) (int64, bool) { return scaled(s.get(name), exp) }
	discount, discounted := read("discount")
	net, ok := read("revenue")
	if !ok {
		if net, ok = read("total"); ok {
			for _, part := range []string{"shipping", "tax"} {
				v, _ := read(part)
				net -= v
			}
		}
	}
	if !ok {
		net, ok = read("value")
	}
	if !ok {
		if net, ok = total(items, exp); ok {
			net -= discount
		}
	}
	m := func(v int64) money.Money { return money.Money{Amount: v, Currency: cur} }
	if ok {
		in["net_amount"], in["gross_amount"], in["currency"] = m(net), m(net+discount), cur
	}
	if discounted && discount != 0 {
		in["discount_amount"] = m(discount)
	}
	if c := clip(text(s.get("coupon")), 64); c != "" {
		in["coupon_code"] = c
	}
	return in
}

// orders takes the events about orders.
func (r *run) orders(ctx context.Context) error {
	byKey := map[string][]*sale{}
	var keys []string
	for i := range r.sales {
		s := &r.sales[i]
		k := s.key()
		if k == "" {
			continue
		}
		if byKey[k] == nil {
			keys = append(keys, k)
		}
		byKey[k] = append(byKey[k], s)
	}
	if len(keys) == 0 {
		return nil
	}
	w := &works{run: r, byKey: map[string]*work{}}
	if err := w.load(ctx, keys); err != nil {
		return err
	}
	if err := w.products(ctx, keys, byKey); err != nil {
		return err
	}
	for _, k := range keys {
		for _, s := range byKey[k] {
			if err := w.take(ctx, k, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// works are the orders of a batch.
type works struct {
	*run
	byKey    map[string]*work
	variants map[string]thing // by sku
	codes    map[string]thing // products by code
}

type thing struct{ variant, product id.ID }

// work is one order as it is.
type work struct {
	Order
	rec *record.Record // nil in the recycle bin
}

var orderFields = []string{"customer", "status", "placed_at", "net_amount", "gross_amount", "discount_amount", "currency", "coupon_code", "quantity", "line_count"}

// load finds the orders that are there.
func (w *works) load(ctx context.Context, keys []string) error {
	known, err := w.s.cfg.Store.Orders(ctx, keys)
	if err != nil {
		return err
	}
	var ids []id.ID
	for i := range known {
		w.byKey[known[i].Key] = &work{Order: known[i]}
	}
	found, err := w.s.cfg.Records.Lookup(ctx, "order", "external_id", keys)
	if err != nil {
		return fmt.Errorf("look for orders: %w", err)
	}
	for _, k := range keys {
		if v := found[k]; v != 0 {
			if w.byKey[k] == nil {
				w.byKey[k] = &work{Order: Order{Key: k}}
			}
			w.byKey[k].Record = v
			ids = append(ids, v)
		} else if o := w.byKey[k]; o != nil && o.Record != 0 {
			ids = append(ids, o.Record)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	recs, err := w.s.cfg.Records.GetMany(ctx, "order", ids, orderFields)
	if err != nil {
		return fmt.Errorf("read orders: %w", err)
	}
	of := map[id.ID]*work{}
	for _, o := range w.byKey {
		of[o.Record] = o
	}
	for _, rec := range recs {
		of[rec.ID].rec = rec
	}
	return nil
}

// products finds what was bought, by sku and by code, and makes products that nobody knows.
func (w *works) products(ctx context.Context, keys []string, byKey map[string][]*sale) error {
	w.variants, w.codes = map[string]thing{}, map[string]thing{}
	all := map[string]item{}
	var skus, codes []string
	for _, k := range keys {
		for _, s := range byKey[k] {
			for _, i := range s.items() {
				if i.sku != "" {
					skus = append(skus, i.sku)
				}
				for _, c := range []string{i.product, i.sku} {
					if c != "" {
						codes = append(codes, c)
					}
				}
				if c := cmp.Or(i.product, i.sku); c != "" {
					if old, ok := all[c]; !ok || old.name == "" {
						all[c] = i
					}
				}
			}
		}
	}
	if len(codes) == 0 {
		return nil
	}
	found, err := w.s.cfg.Records.Lookup(ctx, "variant", "sku", skus)
	if err != nil {
		return fmt.Errorf("look for variants: %w", err)
	}
	if err := w.ofVariants(ctx, found); err != nil {
		return err
	}
	for _, field := range []string{"code", "external_id"} {
		got, err := w.s.cfg.Records.Lookup(ctx, "product", field, codes)
		if err != nil {
			return fmt.Errorf("look for products: %w", err)
		}
		for c, v := range got {
			if w.codes[c].product == 0 {
				w.codes[c] = thing{product: v}
			}
		}
	}
	var ops []record.BulkOp
	var made []string
	for _, c := range slices.Sorted(maps.Keys(all)) {
		i := all[c]
		if w.of(&i).product != 0 {
			continue
		}
		in := record.Input{"code": c, "name": cmp.Or(i.name, c)}
		for key, v := range map[string]string{"brand": i.brand, "category": i.category, "url": i.url, "image_url": i.image} {
			if v != "" {
				in[key] = v
			}
		}
		ops, made = append(ops, record.BulkOp{Op: change.Create, Object: "product", ID: w.s.cfg.Records.NewID(), Input: in}), append(made, c)
	}
	res, err := w.bulk(ctx, ops)
	if err != nil {
		return fmt.Errorf("make products: %w", err)
	}
	for i := range res {
		if res[i].Err == nil {
			w.codes[made[i]] = thing{product: res[i].ID}
		}
	}
	return nil
}

func (w *works) ofVariants(ctx context.Context, found map[string]id.ID) error {
	if len(found) == 0 {
		return nil
	}
	recs, err := w.s.cfg.Records.GetMany(ctx, "variant", slices.Collect(maps.Values(found)), []string{"product"})
	if err != nil {
		return fmt.Errorf("read variants: %w", err)
	}
	product := map[id.ID]id.ID{}
	for _, rec := range recs {
		product[rec.ID], _ = rec.Values["product"].(id.ID)
	}
	for sku, v := range found {
		w.variants[sku] = thing{variant: v, product: product[v]}
	}
	return nil
}

// of is what an item is in the catalogue.
func (w *works) of(i *item) thing {
	if t, ok := w.variants[i.sku]; ok && i.sku != "" {
		return t
	}
	if t, ok := w.codes[i.product]; ok && i.product != "" {
		return t
	}
	return w.codes[i.sku]
}

// take takes one event.
func (w *works) take(ctx context.Context, key string, s *sale) error {
	o := w.byKey[key]
	switch {
	case s.open && (o == nil || o.Record == 0):
		return w.hear(ctx, o, key, s)
	case s.open && (s.rule.Does == Refunded || s.rule.Does == Cancelled):
		return nil
	case s.rule.Does == Refunded:
		return w.refund(ctx, o, key, s)
	case o == nil || o.rec == nil && o.Record == 0:
		if s.rule.Does == Cancelled && len(s.items()) == 0 {
			return nil // nobody knows what was cancelled
		}
		return w.create(ctx, key, s)
	case o.rec == nil: // in the recycle bin: somebody removed it
		return nil
	}
	return w.complete(ctx, o, s)
}

// hear notes whose browser told of an order that nobody whose word counts has told of yet: the first one.
func (w *works) hear(ctx context.Context, o *work, key string, s *sale) error {
	if o != nil || s.rule.Does != Completed {
		return nil
	}
	o = &work{Order: Order{Key: key, Profile: s.ev.Profile}}
	w.byKey[key] = o
	return w.s.cfg.Store.SaveOrders(ctx, []Order{o.Order})
}

// buyer is the profile of an order that is told of, and its customer, 0 for none: whoever the event is of, else whose browser told of it before.
func (w *works) buyer(ctx context.Context, o *work, s *sale) (profile, customer id.ID, err error) {
	if customer = w.customer(s.ev.Profile); customer != 0 || o == nil || o.Profile == 0 {
		return s.ev.Profile, customer, nil
	}
	if _, there := w.stand[o.Profile]; !there {
		more, err := w.s.cfg.Store.Standings(ctx, []id.ID{o.Profile})
		if err != nil {
			return 0, 0, err
		}
		maps.Copy(w.stand, more)
	}
	return o.Profile, w.customer(o.Profile), nil
}

func (w *works) create(ctx context.Context, key string, s *sale) error {
	items := s.items()
	in := w.amounts(s, items)
	in["external_id"], in["source"], in["placed_at"] = key, "shop", time.UnixMilli(s.ev.At).UTC()
	in["status"] = "confirmed"
	if s.rule.Does == Cancelled {
		in["status"] = "cancelled"
	}
	profile, customer, err := w.buyer(ctx, w.byKey[key], s)
	if err != nil {
		return err
	}
	if customer != 0 {
		in["customer"] = customer
	}
	in["line_count"], in["quantity"] = int64(len(items)), quantityOf(items)
	v := w.s.cfg.Records.NewID()
	ops := []record.BulkOp{{Op: change.Create, Object: "order", ID: v, Input: in}}
	for i := range items {
		ops = append(ops, w.line(v, customer, s, &items[i], int64(i)+1))
	}
	res, err := w.bulk(ctx, ops)
	if err != nil {
		return fmt.Errorf("make order: %w", err)
	}
	if res[0].Err != nil {
		return nil //nolint:nilerr // refused and logged by bulk
	}
	o := &work{Order: Order{Key: key, Record: v, Profile: profile, Customer: customer, At: s.ev.At}}
	recs, err := w.s.cfg.Records.GetMany(ctx, "order", []id.ID{v}, orderFields)
	if err != nil {
		return err
	}
	if len(recs) == 1 {
		o.rec = recs[0]
	}
	w.byKey[key] = o
	return w.s.cfg.Store.SaveOrders(ctx, []Order{o.Order})
}

func quantityOf(items []item) (n int64) {
	for i := range items {
		n += items[i].quantity
	}
	return n
}

func (w *works) line(order, customer id.ID, s *sale, i *item, position int64) record.BulkOp {
	in := record.Input{"order": order, "quantity": i.quantity, "placed_at": time.UnixMilli(s.ev.At).UTC(), "position": position, "name": cmp.Or(i.name, i.same())}
	if customer != 0 {
		in["customer"] = customer
	}
	if i.priced {
		cur := w.currency(s)
		one := []item{*i}
		amount, _ := total(one, money.Exponent(cur))
		in["unit_price"], in["amount"] = i.price, money.Money{Amount: amount, Currency: cur}
	}
	for key, v := range map[string]string{"sku": i.sku, "brand": i.brand, "category": i.category} {
		if v != "" {
			in[key] = v
		}
	}
	t := w.of(i)
	if t.variant != 0 {
		in["variant"] = t.variant
	}
	if t.product != 0 {
		in["product"] = t.product
	}
	return record.BulkOp{Op: change.Create, Object: "order_line", ID: w.s.cfg.Records.NewID(), Input: in}
}

// complete brings an order up to date: told again it fills what is missing, an update that is not older than what was taken overwrites,
// a cancellation cancels.
func (w *works) complete(ctx context.Context, o *work, s *sale) error {
	items := s.items()
	said := w.amounts(s, items)
	newer := s.rule.Does == Updated && s.ev.At >= o.At && !s.open
	in := record.Input{}
	for key, v := range said {
		if newer || empty(o.rec, key) {
			in[key] = v
		}
	}
	if s.rule.Does == Cancelled && s.ev.At >= o.At {
		in["status"] = "cancelled"
	}
	customer, _ := o.rec.Values["customer"].(id.ID)
	if customer == 0 {
		if customer = w.customer(s.ev.Profile); customer != 0 {
			in["customer"] = customer
		}
	}
	ops, err := w.newLines(ctx, o, customer, s, items, in)
	if err != nil {
		return err
	}
	if len(in) > 0 {
		ops = append([]record.BulkOp{{Op: change.Update, Object: "order", ID: o.Record, Input: in}}, ops...)
	}
	if _, err := w.bulk(ctx, ops); err != nil {
		return fmt.Errorf("complete order: %w", err)
	}
	recs, err := w.s.cfg.Records.GetMany(ctx, "order", []id.ID{o.Record}, orderFields)
	if err != nil {
		return err
	}
	if len(recs) == 1 {
		o.rec = recs[0]
	}
	o.Profile, o.Customer, o.At = cmp.Or(o.Profile, s.ev.Profile), customer, max(o.At, s.ev.At)
	return w.s.cfg.Store.SaveOrders(ctx, []Order{o.Order})
}

// newLines are the lines that an order lacks.
func (w *works) newLines(ctx context.Context, o *work, customer id.ID, s *sale, items []item, in record.Input) (ops []record.BulkOp, err error) {
	if len(items) == 0 {
		return nil, nil
	}
	lines, err := w.s.cfg.Records.Lines(ctx, o.Record)
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	if s.open && len(lines) > 0 { // anybody could put something into an order whose number they guess
		return nil, nil
	}
	have := map[string]int{}
	for _, l := range lines {
		sku, _ := l.Values["sku"].(string)
		name, _ := l.Values["name"].(string)
		have[cmp.Or(sku, name)]++
	}
	n := int64(len(lines))
	for i := range items {
		it := &items[i]
		k := cmp.Or(it.sku, it.name, it.same())
		if have[k] > 0 {
			have[k]--
			continue
		}
		n++
		ops = append(ops, w.line(o.Record, customer, s, it, n))
	}
	if len(ops) > 0 {
		in["line_count"] = n
		q, _ := o.rec.Values["quantity"].(int64)
		for _, op := range ops {
			add, _ := op.Input["quantity"].(int64)
			q += add
		}
		in["quantity"] = q
	}
	return ops, nil
}

// refund makes the refunds of an event: one a product, or one of the whole order. Told again they are found by what they say.
func (w *works) refund(ctx context.Context, o *work, key string, s *sale) error {
	items := s.items()
	mark := clip(text(s.get("refund_id")), 100)
	if mark == "" {
		mark = "all"
		if len(items) > 0 {
			raw, err := json.Marshal(s.get("products"))
			if err != nil {
				return err
			}
			sum := sha256.Sum256(raw)
			mark = hex.EncodeToString(sum[:8])
		}
	}
	var order, customer id.ID
	var rec *record.Record
	if o != nil && o.rec != nil {
		order, rec = o.Record, o.rec
		customer, _ = rec.Values["customer"].(id.ID)
	}
	if customer == 0 {
		customer = w.customer(s.ev.Profile)
	}
	var ops []record.BulkOp
	var names []string
	add := func(n int, in record.Input) {
		name := clip(key, 80) + "#" + mark
		if n > 0 {
			name += "-" + strconv.Itoa(n)
		}
		in["external_id"], in["refunded_at"] = name, time.UnixMilli(s.ev.At).UTC()
		if order != 0 {
			in["order"] = order
		}
		if customer != 0 {
			in["customer"] = customer
		}
		names = append(names, name)
		ops = append(ops, record.BulkOp{Op: change.Create, Object: "refund", ID: w.s.cfg.Records.NewID(), Input: in})
	}
	cur := w.currency(s)
	if len(items) == 0 {
		whole := w.amounts(s, nil)
		amount, ok := whole["net_amount"].(money.Money)
		if !ok && rec != nil {
			amount, ok = rec.Values["net_amount"].(money.Money)
		}
		if !ok {
			return nil // nobody knows how much
		}
		add(0, record.Input{"amount": amount})
	}
	for i := range items {
		it := &items[i]
		line := w.line(order, customer, s, it, 0).Input
		in := record.Input{"quantity": it.quantity, "amount": money.Money{Currency: cur}}
		for _, k := range []string{"amount", "name", "sku", "brand", "category", "variant", "product"} {
			if line[k] != nil {
				in[k] = line[k]
			}
		}
		add(i+1, in)
	}
	there, err := w.s.cfg.Records.Lookup(ctx, "refund", "external_id", names)
	if err != nil {
		return fmt.Errorf("look for refunds: %w", err)
	}
	var fresh []record.BulkOp
	for i, op := range ops {
		if there[names[i]] == 0 {
			fresh = append(fresh, op)
		}
	}
	_, err = w.bulk(ctx, fresh)
	return err
}

// adopt gives orders of visitors who became customers to them.
func (r *run) adopt(ctx context.Context) error {
	var members []id.ID
	owner := map[id.ID]id.ID{}
	for _, st := range r.stand {
		if st.Customer == 0 {
			continue
		}
		for _, p := range st.Members {
			if owner[p] == 0 {
				members = append(members, p)
				owner[p] = st.Customer
			}
		}
	}
	if len(members) == 0 {
		return nil
	}
	slices.Sort(members)
	list, err := r.s.cfg.Store.Unowned(ctx, members)
	if err != nil || len(list) == 0 {
		return err
	}
	var ops []record.BulkOp
	for i := range list {
		list[i].Customer = owner[list[i].Profile]
		ops = append(ops, record.BulkOp{Op: change.Update, Object: "order", ID: list[i].Record, Input: record.Input{"customer": list[i].Customer}})
		for _, object := range []string{"order_line", "refund"} {
			recs, err := r.s.cfg.Records.Children(ctx, object, list[i].Record)
			if err != nil {
				return fmt.Errorf("read what belongs to an order: %w", err)
			}
			for _, v := range recs {
				ops = append(ops, record.BulkOp{Op: change.Update, Object: object, ID: v, Input: record.Input{"customer": list[i].Customer}})
			}
		}
	}
	if _, err := r.bulk(ctx, ops); err != nil {
		return fmt.Errorf("give orders to customers: %w", err)
	}
	return r.s.cfg.Store.SaveOrders(ctx, list)
}

// scaled reads a number with decimals, rounded half away from zero; ok is false for what is none.
func scaled(v any, scale int) (int64, bool) {
	var t string
	switch x := v.(type) {
	case json.Number:
		t = x.String()
	case string:
		t = strings.TrimSpace(x)
	default:
		return 0, false
	}
	return parseScaled(t, scale)
}
