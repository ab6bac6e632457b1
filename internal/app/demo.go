package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/base/native"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/demo"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// demoBatch is about how many records go into one transaction.
const demoBatch = 4000

// loadGC is the garbage collector's target during a load; the memory limit of a server holds beside it.
const loadGC = 250

// eventsGC is the target while behaviour is loaded: its batches are large, and analysis wants the memory.
const eventsGC = 60

// DemoResult is what a load of the demo company did.
type DemoResult struct {
	Customers int     `json:"customers"`
	Orders    int     `json:"orders"`
	Records   int     `json:"records"`
	Events    int     `json:"events"`
	Seconds   float64 `json:"seconds"`
	Insight   float64 `json:"insight_seconds"`
}

// enqueueDemo loads the demo company in the background.
func (a *App) enqueueDemo(ctx context.Context, workspace string) error {
	args, err := json.Marshal(api.DemoOptions{Customers: a.Config.DemoCustomers, Seed: 1})
	if err != nil {
		return err
	}
	_, err = a.jobs.Add(ctx, job.Job{Kind: demoJob, Workspace: workspace, Args: string(args), Unique: "demo:" + workspace})
	return err
}

func (a *App) runDemo(ctx context.Context, j job.Job) error {
	var o api.DemoOptions
	if err := json.Unmarshal([]byte(j.Args), &o); err != nil {
		return err
	}
	_, err := operator{a}.Demo(system(ctx), j.Workspace, o, func(text string) { a.Log.InfoContext(ctx, "demo", "progress", text) })
	return err
}

// serveDemo sets up and fills an empty instance when the settings ask for it. The password of its administrator is printed
// once when it was made here.
func (a *App) serveDemo(ctx context.Context, say func(string)) error {
	if !a.Config.Demo {
		return nil
	}
	needed, err := a.auth.NeedsSetup(ctx)
	if err != nil || !needed {
		return err
	}
	password := a.Config.DemoPassword
	if password == "" {
		password = rand.Text()[:16]
		defer say("demo administrator: demo@guanxi.example  password: " + password)
	}
	_, w, err := a.auth.Initialise(ctx, auth.Setup{Email: "demo@guanxi.example", Password: password, Name: "演示管理员", Workspace: "锦书服饰", Locale: "zh-CN", Timezone: "Asia/Shanghai", Currency: "CNY"})
	if err != nil {
		return err
	}
	if err := a.Install(ctx, w, false); err != nil {
		return err
	}
	_, err = operator{a}.Demo(system(ctx), w.Key, api.DemoOptions{Customers: a.Config.DemoCustomers, Seed: 1}, say)
	return err
}

// Demo implements api.Operator: it streams the generated company through the record engine and computes what follows.
func (o operator) Demo(ctx context.Context, key string, opt api.DemoOptions, say func(string)) (_ any, err error) {
	w, err := o.app.workspace(ctx, key)
	if err != nil {
		return nil, err
	}
	ctx = system(ctx)
	if !w.loading.TryLock() {
		return nil, fault.New(fault.Conflict, "app.busy", nil)
	}
	defer w.loading.Unlock()
	w.pause()
	defer w.resume()
	if err := w.emptyForDemo(ctx, say); err != nil {
		return nil, err
	}
	w.demoBegins(opt.Customers)
	defer func() { w.demoEnds(err) }()
	start := time.Now()
	l := &demoLoad{w: w, ctx: ctx, say: say, start: start, batch: w.records.NewID(), loc: lang.Locale(w.info.Locale),
		gen: demo.New(demo.Options{Customers: opt.Customers, Seed: opt.Seed, Industry: opt.Industry, OrdersPerCustomer: opt.OrdersPerCustomer, Events: opt.Events,
			Until: w.app.Clock.Now().AddDate(0, 0, -1)})} // a living company: its history ends yesterday
	mark := demoMark{Batch: l.batch, State: demoLoading, Options: opt}
	if err := w.markDemo(ctx, mark); err != nil {
		return nil, err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(loadGC)) // little lives long: collect seldom
	if err := w.store.Unindex(ctx, w.registry()); err != nil {
		return nil, err
	}
	res, err := l.run()
	say("making the indexes")
	if err := errors.Join(err, w.store.Reindex(context.WithoutCancel(ctx), w.registry())); err != nil {
		return nil, err
	}
	debug.SetGCPercent(eventsGC)
	debug.FreeOSMemory()
	native.Trim()
	if err := l.live(&mark); err != nil {
		return nil, err
	}
	res.Seconds = time.Since(start).Seconds()
	say(fmt.Sprintf("%d records, %d events in %.1f s; computing traits and classes", res.Records, res.Events, res.Seconds))
	w.demoComputes(res)
	begin := time.Now()
	if err := w.refill(ctx, func() error { return l.behaves(&mark) }); err != nil {
		return nil, err
	}
	if err := l.gather(&mark); err != nil {
		return nil, err
	}
	res.Insight = time.Since(begin).Seconds()
	mark.State = demoLoaded
	return res, w.markDemo(ctx, mark)
}

// emptyForDemo removes what a load that was interrupted left, and refuses a workspace with customers.
func (w *workspace) emptyForDemo(ctx context.Context, say func(string)) error {
	m, err := w.demoMarked(ctx)
	if err != nil {
		return err
	}
	if m.State == demoLoading || m.State == demoRemoving {
		say("removing what an interrupted load left")
		if _, _, err := w.removeDemo(ctx, m, nil); err != nil {
			return err
		}
	}
	n, _, err := w.records.Count(ctx, "customer", nil, "", false)
	if err == nil && n > 0 {
		err = fault.New(fault.Conflict, "app.demo_not_empty", nil)
	}
	return err
}

// refill makes analytics, traits and classes anew: after a load of everything that is far quicker than to follow the log. ready, unless it is nil,
// is called when everything lies there from which traits are computed.
func (w *workspace) refill(ctx context.Context, ready func() error) error {
	if err := w.feed.Rebuild(ctx); err != nil {
		return err
	}
	if err := w.feed.Drain(ctx); err != nil {
		return err
	}
	if ready != nil {
		if err := ready(); err != nil {
			return err
		}
	}
	// A second pass where the first found other values than were there: it must find nothing more.
	for range 2 {
		w.traits.Recompute()
		if r, _, err := w.traits.Tick(system(ctx)); err != nil || r.Differing == 0 {
			return err
		}
	}
	return nil
}

type demoLoad struct {
	w     *workspace
	ctx   context.Context
	say   func(string)
	start time.Time
	batch id.ID
	loc   lang.Locale
	gen   *demo.Generator

	mu   sync.Mutex
	res  DemoResult
	said time.Time

	stores   map[string]id.ID
	channels map[string]id.ID
	variants map[string]variantRef
	styles   map[string]id.ID // products
	people   []id.ID          // customers by index
	brands   map[string]string
	kinds    map[string]string
}

type variantRef struct {
	id, product           id.ID
	name, brand, category string
}

// demoPart goes into two transactions: customers with everything that belongs to them, and then what they said.
type demoPart struct {
	ops  []record.BulkOp
	said []consent.Entry
}

func (l *demoLoad) run() (*DemoResult, error) {
	if err := l.master(); err != nil {
		return nil, err
	}
	// One goroutine makes the company while the other stores it.
	ctx, cancel := context.WithCancel(l.ctx)
	batches := make(chan demoPart, 2)
	go func() {
		defer close(batches)
		ops, said := make([]record.BulkOp, 0, demoBatch+500), []consent.Entry(nil)
		emit := func() bool {
			select {
			case batches <- demoPart{ops, said}:
				ops, said = make([]record.BulkOp, 0, demoBatch+500), nil
				return true
			case <-ctx.Done():
				return false
			}
		}
		l.gen.Customers(func(c demo.Customer) bool {
			ops = l.customer(ops, &c)
			said = l.agreed(said, l.people[len(l.people)-1], &c)
			return len(ops) < demoBatch || emit()
		})
		if len(ops) > 0 {
			emit()
		}
	}()
	defer func() {
		cancel()
		for range batches { //nolint:revive // wait for the maker to end
		}
	}()
	// Two store: while one waits for the commit the other reads and encrypts. Customers do not depend on each other.
	errs := make(chan error, demoStorers)
	for range demoStorers {
		go func() {
			for part := range batches {
				err := l.store(part.ops)
				if err == nil && len(part.said) > 0 {
					_, err = l.w.consents.store.Append(sqlstore.Bulk(l.ctx), part.said, l.w.app.Clock.Now())
				}
				if err != nil {
					cancel()
					errs <- err
					return
				}
				l.progress()
			}
			errs <- nil
		}()
	}
	var failed error
	for range demoStorers {
		failed = errors.Join(failed, <-errs)
	}
	return &l.res, errors.Join(failed, l.ctx.Err())
}

const demoStorers = 2

// progress says how far the load is, every two seconds.
func (l *demoLoad) progress() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w.demoMoves(&l.res)
	if now := time.Now(); now.Sub(l.said) > 2*time.Second {
		l.said = now
		l.say(fmt.Sprintf("%d customers, %d orders, %.0f records/s", l.res.Customers, l.res.Orders, float64(l.res.Records)/now.Sub(l.start).Seconds()))
	}
}

func (l *demoLoad) store(ops []record.BulkOp) error {
	res, _, err := l.w.records.Bulk(l.ctx, l.batch, ops)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, r := range res {
		if r.Err != nil {
			return fmt.Errorf("demo %s: %w", ops[i].Object, r.Err)
		}
		switch ops[i].Object {
		case "customer":
			l.res.Customers++
		case "order":
			l.res.Orders++
		}
	}
	l.res.Records += len(ops)
	return nil
}

func (l *demoLoad) create(object string, in record.Input, at time.Time) record.BulkOp {
	op := record.BulkOp{Op: change.Create, Object: object, ID: l.w.records.NewID(), Input: in}
	if !at.IsZero() {
		op.CreatedAt = at.UnixMilli()
	}
	return op
}

func (l *demoLoad) money(fen int64) money.Money {
	return money.Money{Amount: fen, Currency: l.w.info.Currency}
}

// channelKinds say what sort of channel each is.
func channelKind(c demo.Channel) string {
	switch c.Key {
	case "tmall", "jd", "douyin":
		return "marketplace"
	case "wechat_mini":
		return "social"
	case "store":
		return "offline"
	}
	return "online"
}

// source is the channel of the first touch as customers' sources name it.
func source(channel string) string {
	switch channel {
	case "tmall", "jd", "douyin":
		return "marketplace"
	case "wechat_mini":
		return "wechat"
	case "store":
		return "store"
	}
	return "online_shop"
}

// industry is the choice of a company's trade.
func industry(trade string) string {
	switch trade {
	case "medical":
		return "healthcare"
	case "hotel", "catering":
		return "hospitality"
	case "trade":
		return "retail"
	case "property", "construction":
		return "real_estate"
	case "media", "consulting":
		return "other"
	case "", "technology", "logistics", "education", "manufacturing", "finance":
		return trade
	}
	return "other"
}

// master stores channels, stores, products and variants.
func (l *demoLoad) master() error {
	l.stores, l.channels, l.variants = map[string]id.ID{}, map[string]id.ID{}, map[string]variantRef{}
	l.styles, l.people = map[string]id.ID{}, make([]id.ID, 0, l.gen.Options().Customers)
	l.brands, l.kinds = map[string]string{}, map[string]string{}
	var ops []record.BulkOp
	for _, c := range l.gen.Channels() {
		op := l.create("channel", record.Input{"name": c.Name.In(l.loc), "key": c.Key, "kind": channelKind(c)}, time.Time{})
		l.channels[c.Key] = op.ID
		ops = append(ops, op)
	}
	for _, s := range l.gen.Stores() {
		op := l.create("store", record.Input{"name": s.Name.In(l.loc), "code": s.Code, "kind": "own", "region": s.Region, "area_m2": int64(s.Area) * 10, "opened_on": s.OpenedOn}, time.Time{})
		l.stores[s.Code] = op.ID
		ops = append(ops, op)
	}
	for _, b := range l.gen.Brands() {
		l.brands[b.Key] = b.Name.In(l.loc)
	}
	for _, k := range l.gen.Categories() {
		l.kinds[k.Key] = k.Name.In(l.loc)
	}
	for _, p := range l.gen.Products() {
		ops = l.product(ops, p)
	}
	for len(ops) > 0 {
		n := min(len(ops), demoBatch)
		if err := l.store(ops[:n]); err != nil {
			return err
		}
		ops = ops[n:]
	}
	return l.contents()
}

func (l *demoLoad) product(ops []record.BulkOp, p demo.Product) []record.BulkOp {
	in := record.Input{"name": p.Name.In(l.loc), "code": p.Style, "brand": l.brands[p.Brand], "category": l.kinds[p.Category], "season": demo.SeasonName(p.Season).In(l.loc), "audience": p.Department,
		"list_price": l.money(p.Price), "cost": l.money(p.Cost), "status": "active", "launched_on": p.LaunchedOn}
	if p.DiscontinuedOn != 0 {
		in["status"] = "discontinued"
	}
	op := l.create("product", in, time.Time{})
	l.styles[p.Style] = op.ID
	ops = append(ops, op)
	for _, v := range p.Variants {
		vop := l.create("variant", record.Input{"sku": v.SKU, "product": op.ID, "size": v.Size, "colour": v.Colour.In(l.loc), "price": l.money(p.Price), "cost": l.money(p.Cost)}, time.Time{})
		l.variants[v.SKU] = variantRef{id: vop.ID, product: op.ID, name: p.Name.In(l.loc), brand: l.brands[p.Brand], category: l.kinds[p.Category]}
		ops = append(ops, vop)
	}
	return ops
}

func put(in record.Input, key, v string) {
	if v != "" {
		in[key] = v
	}
}

func (l *demoLoad) customer(ops []record.BulkOp, c *demo.Customer) []record.BulkOp {
	in := record.Input{"kind": string(c.Kind), "name": c.Name, "source": source(c.Source)}
	put(in, "gender", string(c.Gender))
	put(in, "phone", c.Phone)
	put(in, "email", c.Email)
	put(in, "region", c.Region)
	put(in, "external_id", c.ExternalID)
	put(in, "wechat_unionid", c.UnionID)
	put(in, "industry", industry(c.Industry))
	if c.Street != "" {
		in["address"] = schema.AddressValue{Region: c.Region, Street: c.Street}
	}
	if c.Birthday.Calendar != "" {
		in["birthday"] = c.Birthday
	}
	if v, ok := l.stores[c.HomeStore]; ok {
		in["store"] = v
	}
	if len(c.Tags) > 0 {
		in["tags"] = c.Tags
	}
	if c.Height > 0 {
		in["height_cm"] = int64(c.Height) * 10
	}
	op := l.create("customer", in, c.CreatedAt)
	l.people = append(l.people, op.ID)
	ops = append(ops, op)
	contacts := make([]id.ID, len(c.Contacts))
	for i, k := range c.Contacts {
		kin := record.Input{"customer": op.ID, "name": k.Name, "primary": i == 0}
		put(kin, "gender", string(k.Gender))
		put(kin, "job_title", k.Title)
		put(kin, "phone", k.Phone)
		put(kin, "email", k.Email)
		kop := l.create("contact", kin, c.CreatedAt)
		contacts[i] = kop.ID
		ops = append(ops, kop)
	}
	for i := range c.Orders {
		ops = l.order(ops, op.ID, contacts, &c.Orders[i])
	}
	return ops
}

func (l *demoLoad) order(ops []record.BulkOp, customer id.ID, contacts []id.ID, o *demo.Order) []record.BulkOp {
	var gross, discount, cost, quantity int64
	for _, n := range o.Lines {
		gross += n.ListPrice * int64(n.Quantity)
		discount += n.Discount
		cost += n.Cost
		quantity += int64(n.Quantity)
	}
	in := record.Input{"number": o.Number, "customer": customer, "status": "completed", "placed_at": o.At, "paid_at": o.At, "channel": l.channels[o.Channel],
		"gross_amount": l.money(gross), "discount_amount": l.money(discount), "net_amount": l.money(o.Amount), "cost_amount": l.money(cost),
		"quantity": quantity * 1000, "line_count": int64(len(o.Lines)), "source": "shop", "currency": l.w.info.Currency}
	if v, ok := l.stores[o.Store]; ok {
		in["store"], in["source"] = v, "pos"
	}
	put(in, "coupon_code", o.Promotion)
	if o.Contact >= 0 && o.Contact < len(contacts) {
		in["contact"] = contacts[o.Contact]
	}
	op := l.create("order", in, o.At)
	ops = append(ops, op)
	lines := make([]id.ID, len(o.Lines))
	for i, n := range o.Lines {
		v := l.variants[n.SKU]
		line := l.create("order_line", record.Input{"order": op.ID, "customer": customer, "name": v.name, "sku": n.SKU, "variant": v.id, "product": v.product,
			"quantity": int64(n.Quantity) * 1000, "unit_price": n.ListPrice * 10_000, "amount": l.money(n.Amount), "discount_amount": l.money(n.Discount),
			"cost_amount": l.money(n.Cost), "placed_at": o.At, "category": v.category, "brand": v.brand, "status": "completed", "position": int64(i + 1)}, o.At)
		lines[i] = line.ID
		ops = append(ops, line)
	}
	for _, r := range o.Refunds {
		ops = l.refund(ops, op.ID, customer, lines, o, r)
	}
	return ops
}

// reasons translates why goods came back.
func reason(r string) string {
	switch r {
	case "size", "quality", "late":
		return r
	case "colour":
		return "not_as_described"
	}
	return "changed_mind"
}

func (l *demoLoad) refund(ops []record.BulkOp, order, customer id.ID, lines []id.ID, o *demo.Order, r demo.Refund) []record.BulkOp {
	for i, n := range r.Lines {
		number := r.Number
		if i > 0 {
			number = fmt.Sprintf("%s-%d", r.Number, i+1)
		}
		of := o.Lines[n.Line]
		v := l.variants[of.SKU]
		in := record.Input{"number": number, "customer": customer, "order": order, "order_line": lines[n.Line], "refunded_at": r.At, "amount": l.money(n.Amount),
			"quantity": int64(n.Quantity) * 1000, "cost_amount": l.money(money.MulDiv(of.Cost, int64(n.Quantity), int64(max(of.Quantity, 1)))), "reason": reason(r.Reason),
			"variant": v.id, "product": v.product, "name": v.name, "sku": of.SKU, "category": v.category, "brand": v.brand, "channel": l.channels[o.Channel]}
		if s, ok := l.stores[o.Store]; ok {
			in["store"] = s
		}
		ops = append(ops, l.create("refund", in, r.At))
	}
	return ops
}
