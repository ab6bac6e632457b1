package transfer

import (
	"context"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// keyValue is a mapped value by which records are found.
type keyValue struct {
	value int
	index *index
}

// parties finds or makes whatever an order refers to: customer, store, channel, products and variants.
type parties struct {
	o         *orders
	customers []keyValue // in order of preference: unique fields, then phone and e-mail
	stores    []keyValue
	channels  []keyValue
	variants  []keyValue
	products  []keyValue
	codes     *index           // product.code, also of products known by SKU alone
	named     *index           // product.external_id of products known by name alone
	productOf map[id.ID]id.ID  // variant → product
	detailOf  map[id.ID]detail // product → what order lines repeat
}

// detail is what order lines repeat of a product.
type detail struct{ name, brand, category string }

func newParties(o *orders) *parties {
	p := &parties{o: o, productOf: map[id.ID]id.ID{}, detailOf: map[id.ID]detail{}}
	reg := o.svc.cfg.Registry()
	ix := func(object, field string) *index {
		return o.index(object, reg.Object(object).Field(field))
	}
	keys := func(object string, soft ...string) []keyValue {
		var hard, loose []keyValue
		for _, i := range o.roles.fields[object] {
			f := o.plan.Values[i].Field
			switch {
			case f.Unique:
				hard = append(hard, keyValue{i, ix(object, f.Key)})
			case slices.Contains(soft, f.Key):
				loose = append(loose, keyValue{i, ix(object, f.Key)})
			}
		}
		slices.SortStableFunc(hard, func(a, b keyValue) int { return rankKey(a.index.field.Key) - rankKey(b.index.field.Key) })
		return append(hard, loose...)
	}
	p.customers = keys("customer", "phone", "email")
	p.stores, p.channels = keys("store", "name"), keys("channel", "name")
	p.variants, p.products = keys("variant"), keys("product")
	p.codes, p.named = ix("product", "code"), ix("product", "external_id")
	for i := range p.products {
		if p.products[i].index.field.Key == "code" {
			p.products[i].index = p.codes
		}
	}
	return p
}

func rankKey(field string) int {
	switch field {
	case "external_id", "sku", "code", "key":
		return 0
	}
	return 1
}

// want asks for everything that the fresh lines of a group refer to.
func (p *parties) want(g *group) {
	for _, list := range [][]keyValue{p.customers, p.stores, p.channels} {
		for _, k := range list {
			if t := g.first(k.value); len(t) > 0 {
				k.index.want(t)
			}
		}
	}
	for _, l := range g.fresh {
		for _, list := range [][]keyValue{p.variants, p.products} {
			for _, k := range list {
				if t := l.texts[k.value]; len(t) > 0 {
					k.index.want(t)
				}
			}
		}
		if l.has(p.o.roles.sku) {
			p.codes.want(l.texts[p.o.roles.sku])
		} else if l.has(p.o.roles.productName) {
			p.named.want(nameKey(l.texts[p.o.roles.productName]))
		}
	}
}

// nameKey is the external id of a product of which only the name is known.
func nameKey(name []byte) []byte {
	s := "name:" + lang.Fold(string(name))
	if len(s) > 190 {
		s = s[:190]
		for len(s) > 0 && s[len(s)-1]&0xc0 == 0x80 { // not inside a character
			s = s[:len(s)-1]
		}
		s = s[:len(s)-1]
	}
	return []byte(s)
}

// resolve looks up all that was wanted.
func (p *parties) resolve(ctx context.Context) error {
	for _, list := range [][]keyValue{p.customers, p.stores, p.channels} {
		for _, k := range list {
			if _, err := k.index.resolve(ctx); err != nil {
				return err
			}
		}
	}
	var variants, products []id.ID
	for _, k := range p.variants {
		found, err := k.index.resolve(ctx)
		if err != nil {
			return err
		}
		variants = append(variants, found...)
	}
	for _, x := range append([]*index{p.codes, p.named}, indexesOf(p.products)...) {
		found, err := x.resolve(ctx)
		if err != nil {
			return err
		}
		products = append(products, found...)
	}
	err := p.o.fetch(ctx, "variant", variants, []string{"product"}, func(r *record.Record) {
		if v, ok := r.Values["product"].(id.ID); ok {
			p.productOf[r.ID] = v
			products = append(products, v)
		}
	})
	if err != nil {
		return err
	}
	products = slices.DeleteFunc(products, func(v id.ID) bool { _, ok := p.detailOf[v]; return ok })
	slices.Sort(products)
	return p.o.fetch(ctx, "product", slices.Compact(products), []string{"name", "brand", "category"}, func(r *record.Record) {
		p.detailOf[r.ID] = detail{text(r.Values["name"]), text(r.Values["brand"]), text(r.Values["category"])}
	})
}

func indexesOf(list []keyValue) []*index {
	out := make([]*index, len(list))
	for i := range list {
		out[i] = list[i].index
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// maker is the place in a chunk where records are made for a group.
type maker struct {
	c    *chunk
	u    *unit
	row  int64
	g    *group
	made map[id.ID]int // records made by shared operations of the chunk → their place
}

// use notes that a unit needs a record that its chunk makes.
func (m *maker) use(v id.ID) id.ID {
	if n, ok := m.made[v]; ok && !slices.Contains(m.u.needs, n) {
		m.u.needs = append(m.u.needs, n)
	}
	return v
}

func (m *maker) make(object string, v id.ID, in record.Input) id.ID {
	m.made[v] = m.c.add(-1, create(object, v, in))
	return m.use(v)
}

// customer finds the customer of a group or makes one; 0 for nobody.
func (p *parties) customer(m *maker) id.ID {
	var key []byte
	for _, k := range p.customers {
		t := m.g.first(k.value)
		if len(t) == 0 || k.index.key(t) == "" {
			continue
		}
		if v := k.index.get(t); v != 0 {
			return m.use(v)
		}
		if key == nil {
			key = t
		}
	}
	if key == nil {
		return 0
	}
	in := record.Input{"source": "import"}
	p.fill(m, in, "customer", func(i int) []byte { return m.g.first(i) })
	if in["name"] == nil {
		in["name"] = p.nameless(in, key)
	}
	v := p.o.svc.cfg.Records.NewID()
	p.remember(p.customers, v, func(i int) []byte { return m.g.first(i) })
	return m.make("customer", v, in)
}

// nameless is what a customer is called of whom only a key is known; never a whole phone number or address.
func (p *parties) nameless(in record.Input, key []byte) string {
	if in["external_id"] == nil && in["card_number"] == nil {
		if s, ok := in["phone"].(string); ok {
			return lang.MaskPhone(s)
		}
		if s, ok := in["email"].(string); ok {
			return lang.MaskEmail(s)
		}
	}
	return string(key)
}

func (p *parties) remember(list []keyValue, v id.ID, at func(int) []byte) {
	for _, k := range list {
		if t := at(k.value); len(t) > 0 {
			k.index.put(t, v)
		}
	}
}

// fill sets the mapped fields of an object; a value that cannot be read is reported and left out.
func (p *parties) fill(m *maker, in record.Input, object string, at func(int) []byte) {
	for _, i := range p.o.roles.fields[object] {
		v := &p.o.plan.Values[i]
		putValue(in, v, at(i), &p.o.env, func(bad *fault.Fault) { m.c.report(m.row, v.Header, bad) })
	}
}

// place finds a store or channel of a group or makes one; 0 for none.
func (p *parties) place(m *maker, object string, list []keyValue) id.ID {
	for _, k := range list {
		if t := m.g.first(k.value); len(t) > 0 {
			if v := k.index.get(t); v != 0 {
				return m.use(v)
			}
		}
	}
	in := record.Input{}
	p.fill(m, in, object, func(i int) []byte { return m.g.first(i) })
	name := text(in["name"])
	for _, key := range []string{"code", "key", "external_id"} {
		if name == "" {
			name = text(in[key])
		}
	}
	if name == "" {
		return 0
	}
	in["name"] = name
	if object == "channel" && in["key"] == nil {
		in["key"] = clipText(lang.Fold(name), 64)
	}
	v := p.o.svc.cfg.Records.NewID()
	p.remember(list, v, func(i int) []byte { return m.g.first(i) })
	return m.make(object, v, in)
}

func clipText(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// product finds the variant and the product of a line, or makes them; 0 for none.
func (p *parties) product(m *maker, l *line) (variant, product id.ID) {
	for _, k := range p.variants {
		if t := l.texts[k.value]; len(t) > 0 {
			if v := k.index.get(t); v != 0 {
				return m.use(v), m.use(p.productOf[v])
			}
		}
	}
	product = p.style(m, l)
	ro := p.o.roles
	if product == 0 || !l.has(ro.sku) {
		return 0, product
	}
	in := record.Input{"product": product}
	p.fill(m, in, "variant", func(i int) []byte { return l.texts[i] })
	if in["sku"] == nil {
		return 0, product
	}
	v := p.o.svc.cfg.Records.NewID()
	p.remember(p.variants, v, func(i int) []byte { return l.texts[i] })
	p.productOf[v] = product
	return m.make("variant", v, in), product
}

// style finds or makes the product of a line: by its own keys, by the SKU as code, or by its name.
func (p *parties) style(m *maker, l *line) id.ID {
	ro := p.o.roles
	for _, k := range p.products {
		if t := l.texts[k.value]; len(t) > 0 {
			if v := k.index.get(t); v != 0 {
				return m.use(v)
			}
		}
	}
	coded := slices.ContainsFunc(p.products, func(k keyValue) bool { return len(l.texts[k.value]) > 0 })
	in := record.Input{}
	switch {
	case coded:
	case l.has(ro.sku):
		if v := p.codes.get(l.texts[ro.sku]); v != 0 {
			return m.use(v)
		}
		in["code"] = l.text(ro.sku)
	case l.has(ro.productName):
		if v := p.named.get(nameKey(l.texts[ro.productName])); v != 0 {
			return m.use(v)
		}
		in["external_id"] = string(nameKey(l.texts[ro.productName]))
	default:
		return 0
	}
	p.fill(m, in, "product", func(i int) []byte { return l.texts[i] })
	if in["name"] == nil {
		for _, i := range []int{ro.sku, ro.code, ro.productID} {
			if in["name"] == nil && l.has(i) {
				in["name"] = l.text(i)
			}
		}
	}
	v := p.o.svc.cfg.Records.NewID()
	p.remember(p.products, v, func(i int) []byte { return l.texts[i] })
	if !coded && l.has(ro.sku) {
		p.codes.put(l.texts[ro.sku], v)
	} else if !coded {
		p.named.put(nameKey(l.texts[ro.productName]), v)
	}
	p.detailOf[v] = detail{text(in["name"]), text(in["brand"]), text(in["category"])}
	return m.make("product", v, in)
}

// statusWords are what other systems call the states of an order.
var statusWords = map[string][]string{
	"completed": {"交易成功", "已完成", "完成", "已签收", "已收货", "成功", "completed", "complete", "delivered", "closed", "finished"},
	"confirmed": {"已付款", "待发货", "等待卖家发货", "已发货", "卖家已发货", "等待买家确认收货", "配送中", "支付成功", "已支付", "部分发货", "paid", "processing", "shipped", "fulfilled", "authorized", "confirmed", "partiallyrefunded", "open"},
	"cancelled": {"已取消", "交易关闭", "取消", "已关闭", "关闭", "作废", "cancelled", "canceled", "voided", "void", "failed"},
	"draft":     {"待付款", "未付款", "等待买家付款", "待支付", "草稿", "pending", "unpaid", "draft"},
}

// status reads the state of an order.
func (o *orders) status(t []byte) (string, *fault.Fault) {
	if len(t) == 0 {
		return "", nil
	}
	f := o.plan.Values[o.roles.status].Field
	v, bad := schema.ParseTextWith(f, string(t), &o.env)
	if bad == nil {
		return text(v), nil
	}
	folded := lang.Fold(string(t))
	for status, words := range statusWords {
		if slices.Contains(words, folded) {
			return status, nil
		}
	}
	return "", bad
}

// fetch reads some fields of records in pages.
func (o *orders) fetch(ctx context.Context, object string, ids []id.ID, fields []string, visit func(*record.Record)) error {
	for part := range slices.Chunk(ids, record.MaxLimit) {
		page, err := o.svc.cfg.Records.List(ctx, object, record.Query{IDs: part, Fields: fields, Limit: record.MaxLimit})
		if err != nil {
			return err
		}
		for _, r := range page.Items {
			visit(r)
		}
	}
	return nil
}

// suffixed is a number that several records of one order share, told apart.
func suffixed(number string, n int) string {
	if n <= 1 {
		return number
	}
	return number + "-" + strconv.Itoa(n)
}
