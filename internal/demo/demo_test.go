package demo_test

import (
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/demo"
)

const many = 20_000

func TestDeterminism(t *testing.T) {
	t.Parallel()
	o := demo.Options{Customers: 500, Seed: 7}
	a, b := demo.New(o), demo.New(o)
	if !reflect.DeepEqual(a.Products(), b.Products()) || !reflect.DeepEqual(a.Stores(), b.Stores()) {
		t.Fatal("two companies of one seed have different goods or stores")
	}
	var first []demo.Customer
	a.Customers(func(c demo.Customer) bool {
		first = append(first, c)
		return true
	})
	if len(first) != 500 {
		t.Fatalf("%d customers", len(first))
	}
	// Backwards, in parallel, from another generator that is asked for more customers.
	o.Customers = 90_000
	b = demo.New(o)
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			for i := len(first) - 1 - part; i >= 0; i -= 4 {
				if !reflect.DeepEqual(b.Customer(i), first[i]) {
					t.Errorf("customer %d depends on the order of making", i)
				}
			}
		})
	}
	wg.Wait()
	o.Seed = 8
	if reflect.DeepEqual(demo.New(o).Customer(3), first[3]) {
		t.Error("the seed does not matter")
	}
	n := 0
	a.Customers(func(demo.Customer) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("stopped after %d customers, want 3", n)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	g := demo.New(demo.Options{Seed: 1})
	skus := map[string]bool{}
	styles := map[string]bool{}
	categories, brands := map[string]bool{}, map[string]bool{}
	for _, c := range g.Categories() {
		categories[c.Key] = true
	}
	for _, b := range g.Brands() {
		brands[b.Key] = true
	}
	for _, p := range g.Products() {
		if styles[p.Style] || p.Price < 1900 || p.Cost <= 0 || p.Cost >= p.Price/2 || len(p.Variants) == 0 ||
			!categories[p.Category] || !brands[p.Brand] || p.Name["zh-CN"] == "" || p.Name["en"] == "" {
			t.Errorf("bad product %+v", p)
		}
		styles[p.Style] = true
		for _, v := range p.Variants {
			if skus[v.SKU] {
				t.Errorf("SKU %s twice", v.SKU)
			}
			skus[v.SKU] = true
		}
	}
	if n := len(styles); n < 380 || n > 480 {
		t.Errorf("%d styles", n)
	}
	for _, s := range g.Stores() {
		if _, ok := region.CityOf(s.Region); !ok {
			t.Errorf("store %s lies nowhere: %s", s.Code, s.Region)
		}
	}
	if len(g.Channels()) != 6 {
		t.Error("channels")
	}
}

// What belongs to each customer is well formed, unique where it must be, and inside the history.
func TestCustomers(t *testing.T) {
	t.Parallel()
	g := demo.New(demo.Options{Customers: many, Seed: 1})
	channels := map[string]bool{}
	for _, c := range g.Channels() {
		channels[c.Key] = true
	}
	prices := map[string]int64{}
	for _, p := range g.Products() {
		for _, v := range p.Variants {
			prices[v.SKU] = p.Price
		}
	}
	phones, emails, cards := map[string]bool{}, map[string]bool{}, map[string]bool{}
	numbers := map[string]bool{}
	once := func(seen map[string]bool, what, s string) {
		if s == "" {
			return
		}
		if seen[s] {
			t.Errorf("%s %s twice", what, s)
		}
		seen[s] = true
	}
	checkPhone := func(s string) {
		e164, ok := lang.NormalisePhone(s, "CN")
		if !ok || len(s) != 11 || lang.PhoneOperator(e164) == lang.OperatorUndefined {
			t.Errorf("bad phone %q", s)
		}
		once(phones, "phone", s)
	}
	checkEmail := func(s string) {
		if n, ok := lang.NormaliseEmail(s); s != "" && (!ok || n != s) {
			t.Errorf("bad e-mail %q", s)
		}
	}
	g.Customers(func(c demo.Customer) bool {
		checkPhone(c.Phone)
		checkEmail(c.Email)
		once(emails, "e-mail", c.Email)
		once(cards, "card", c.ExternalID)
		if (c.Kind == demo.Person) != (len(c.Contacts) == 0) || len(c.Contacts) > 3 || c.Name == "" || c.Street == "" ||
			!channels[c.Source] || clock.DayOf(c.CreatedAt, demo.Zone) < g.FirstDay() {
			t.Errorf("bad customer %+v", c)
		}
		for n, k := range c.Contacts {
			checkPhone(k.Phone)
			checkEmail(k.Email)
			if n > 0 {
				once(emails, "e-mail", k.Email)
			}
		}
		if r, ok := region.Get(c.Region); !ok || (r.Level != region.County && len(region.Children(c.Region)) > 0) {
			t.Errorf("bad region %q", c.Region)
		}
		if c.Birthday.Calendar != "" && c.Birthday.Validate() != nil {
			t.Errorf("bad birthday %+v", c.Birthday)
		}
		last := c.CreatedAt
		for _, o := range c.Orders {
			once(numbers, "order", o.Number)
			if o.At.Before(last) || clock.DayOf(o.At, demo.Zone) > g.LastDay() || !channels[o.Channel] ||
				(o.Channel == "store") != (o.Store != "") || (o.Contact < 0) != (c.Kind == demo.Person) || len(o.Lines) == 0 {
				t.Errorf("bad order %+v after %v", o, last)
			}
			last = o.At
			checkOrder(t, g, &o, prices)
			for _, r := range o.Refunds {
				once(numbers, "refund", r.Number)
			}
		}
		return !t.Failed()
	})
}

func checkOrder(t *testing.T, g *demo.Generator, o *demo.Order, prices map[string]int64) {
	t.Helper()
	sum := int64(0)
	for _, l := range o.Lines {
		sum += l.Amount
		if l.Quantity < 1 || l.ListPrice != prices[l.SKU] || l.Discount < 0 || l.Amount <= 0 || l.Cost <= 0 ||
			l.Amount != l.ListPrice*int64(l.Quantity)-l.Discount {
			t.Errorf("bad line %+v of %s", l, o.Number)
		}
	}
	back := int64(0)
	for _, r := range o.Refunds {
		if !r.At.After(o.At) || clock.DayOf(r.At, demo.Zone) > g.LastDay() || r.Reason == "" {
			t.Errorf("bad refund %+v of %s", r, o.Number)
		}
		part := int64(0)
		for _, l := range r.Lines {
			part += l.Amount
			if line := o.Lines[l.Line]; l.Quantity < 1 || l.Quantity > line.Quantity || l.Amount < 0 || l.Amount > line.Amount {
				t.Errorf("bad refund line %+v of %+v", l, line)
			}
		}
		if part != r.Amount {
			t.Errorf("refund %s is %d, its lines %d", r.Number, r.Amount, part)
		}
		back += part
	}
	if sum != o.Amount || back > sum {
		t.Errorf("order %s is %d, its lines %d, its refunds %d", o.Number, o.Amount, sum, back)
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	g := demo.New(demo.Options{Customers: many, Seed: 2})
	var persons, companies, emails, unions, lunarDays, solarDays, orders, lines, returned, inStoreCity int
	g.Customers(func(c demo.Customer) bool {
		orders += len(c.Orders)
		for _, o := range c.Orders {
			lines += len(o.Lines)
			for _, r := range o.Refunds {
				returned += len(r.Lines)
			}
		}
		if c.HomeStore != "" {
			inStoreCity++
		}
		if c.Kind == demo.Company {
			companies++
		}
		if c.Kind != demo.Person {
			return true
		}
		persons++
		if c.Email != "" {
			emails++
		}
		if c.UnionID != "" {
			unions++
		}
		switch c.Birthday.Calendar {
		case "lunar":
			lunarDays++
		case "solar":
			solarDays++
		}
		return true
	})
	near := func(what string, got, want, tolerance float64) {
		if math.Abs(got-want) > tolerance {
			t.Errorf("%s is %.4f, want %.4f ± %.4f", what, got, want, tolerance)
		}
	}
	p := float64(persons)
	near("orders a customer", float64(orders)/many, 5, 0.25)
	near("share of companies", float64(companies)/many, 0.03, 0.005)
	near("share with e-mail", float64(emails)/p, 0.6, 0.02)
	near("share with unionid", float64(unions)/p, 0.5, 0.02)
	near("share with a lunar birthday", float64(lunarDays)/p, 0.125, 0.01)
	near("share with a solar birthday", float64(solarDays)/p, 0.75, 0.02)
	near("lines sent back", float64(returned)/float64(lines), 0.085, 0.035)
	near("lines an order", float64(lines)/float64(orders), 1.75, 0.3)
	near("share in cities with stores", float64(inStoreCity)/many, 0.42, 0.12)
}

func TestOrdersPerCustomer(t *testing.T) {
	t.Parallel()
	for _, o := range []demo.Options{
		{Seed: 3, OrdersPerCustomer: 10}, {Seed: 4, OrdersPerCustomer: 2}, {Seed: 5, Days: 60, OrdersPerCustomer: 1.5},
		{Seed: 6, Days: 1460, OrdersPerCustomer: 8, Until: time.Date(2025, time.March, 3, 23, 0, 0, 0, demo.Zone)},
	} {
		g := demo.New(o)
		sum := 0
		for i := range many {
			sum += g.Truth(i).Purchases
		}
		if got := float64(sum) / many; math.Abs(got/o.OrdersPerCustomer-1) > 0.06 {
			t.Errorf("%+v: mean %.3f", o, got)
		}
		if got := g.LastDay() - g.FirstDay() + 1; int(got) != g.Options().Days {
			t.Errorf("%d days of history, want %d", got, g.Options().Days)
		}
	}
}

func TestTruth(t *testing.T) {
	t.Parallel()
	g := demo.New(demo.Options{Seed: 1})
	var dead, alive int
	for i := range 3000 {
		tr, c := g.Truth(i), g.Customer(i)
		if tr.Purchases != len(c.Orders) || tr.Prospect != (len(c.Orders) == 0) || tr.Lambda <= 0 ||
			tr.Dropout < 0 || tr.Dropout > 1 || tr.PriceLevel <= 0 || (tr.Archetype == "bulk") != (c.Kind != demo.Person) {
			t.Fatalf("truth %+v of %d orders", tr, len(c.Orders))
		}
		if tr.Prospect {
			continue
		}
		if got := clock.DayOf(c.Orders[0].At, demo.Zone); got != tr.FirstOn {
			t.Errorf("customer %d: first order on %v, truth %v", i, got, tr.FirstOn)
		}
		if tr.DeathOn == 0 {
			alive++
			continue
		}
		dead++
		if got := clock.DayOf(c.Orders[len(c.Orders)-1].At, demo.Zone); got != tr.DeathOn || len(c.Orders) < 2 {
			t.Errorf("customer %d: last order on %v, dead on %v", i, got, tr.DeathOn)
		}
	}
	if dead < 300 || alive < 300 {
		t.Errorf("%d dead, %d alive", dead, alive)
	}
}

// The spending follows the law: values of orders have the level of the customer, and levels the mean of the population.
func TestSpending(t *testing.T) {
	t.Parallel()
	g := demo.New(demo.Options{Customers: many, Seed: 4})
	p := g.Process()
	var levels, drawn, paid float64
	persons := 0
	ratios := map[bool][]float64{} // by whether the level is above the mean
	mean := p.P * p.Gamma / (p.Q - 1) * 100
	g.Customers(func(c demo.Customer) bool {
		if c.Kind != demo.Person {
			return true
		}
		tr := g.Truth(c.Index)
		persons++
		levels += float64(tr.PriceLevel)
		sum := 0.0
		for _, o := range c.Orders {
			sum += float64(o.Amount)
		}
		paid += sum
		drawn += float64(tr.PriceLevel) * float64(len(c.Orders))
		if n := len(c.Orders); n >= 8 {
			high := float64(tr.PriceLevel) > mean
			ratios[high] = append(ratios[high], sum/float64(n)/float64(tr.PriceLevel))
		}
		return true
	})
	if got := levels / float64(persons); math.Abs(got/mean-1) > 0.03 {
		t.Errorf("mean level %.0f, want %.0f", got, mean)
	}
	if got := paid / drawn; math.Abs(got-1) > 0.1 {
		t.Errorf("paid over drawn is %.3f", got)
	}
	for high, r := range ratios {
		slices.Sort(r)
		if got := r[len(r)/2]; math.Abs(got-1) > 0.15 {
			t.Errorf("customers with high level %v pay %.3f of it at the median", high, got)
		}
	}
}

func TestSeasons(t *testing.T) {
	t.Parallel()
	g := demo.New(demo.Options{Customers: many, Seed: 5})
	perDay := map[string]int{}
	winter, down, discounted, lines := 0, 0, 0, 0
	category := map[string]string{}
	for _, p := range g.Products() {
		category[p.Style] = p.Category
	}
	g.Customers(func(c demo.Customer) bool {
		for _, o := range c.Orders {
			perDay[o.At.Format(time.DateOnly)]++
			for _, l := range o.Lines {
				if l.Discount > 0 {
					discounted++
				}
				lines++
				if category[l.Style] == "down" {
					down++
					if m := o.At.Month(); m >= time.September || m <= time.May {
						winter++
					}
				}
			}
		}
		return true
	})
	total := 0
	for _, n := range perDay {
		total += n
	}
	mean := float64(total) / 730
	if got := float64(perDay["2025-11-11"]) / mean; got < 3.5 || got > 9 {
		t.Errorf("双11 is %.1f times an average day", got)
	}
	if got := float64(perDay["2026-06-18"]) / mean; got < 2 || got > 6 {
		t.Errorf("618 is %.1f times an average day", got)
	}
	if got := float64(perDay["2026-02-17"]) / mean; got > 0.7 { // 春节
		t.Errorf("春节 is %.2f of an average day", got)
	}
	if down == 0 || float64(winter)/float64(down) < 0.999 {
		t.Errorf("%d of %d down jackets are sold outside summer", winter, down)
	}
	if got := float64(discounted) / float64(lines); got < 0.25 || got > 0.6 {
		t.Errorf("%.2f of the lines are discounted", got)
	}
}

// The likelihood of BG/NBD (Fader, Hardie & Lee 2005) on the days of purchase is higher at the true parameters than at
// ones a quarter off, so a fitted model finds them. The calendar is not the even clock, hence no finer test.
func TestProcessIsRecoverable(t *testing.T) {
	t.Parallel()
	g := demo.New(demo.Options{Customers: many, Seed: 6})
	type summary struct{ x, tx, T float64 }
	var data []summary
	g.Customers(func(c demo.Customer) bool {
		if c.Kind != demo.Person || len(c.Orders) == 0 {
			return true
		}
		first := clock.DayOf(c.Orders[0].At, demo.Zone)
		last, days := first, 0
		for _, o := range c.Orders {
			if d := clock.DayOf(o.At, demo.Zone); d > last {
				last = d
				days++
			}
		}
		data = append(data, summary{float64(days), float64(last-first) / 7, float64(g.LastDay()-first) / 7})
		return true
	})
	lgamma := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	likelihood := func(p demo.Process) float64 {
		sum := 0.0
		for _, d := range data {
			l := lgamma(p.R+d.x) - lgamma(p.R) + p.R*math.Log(p.Alpha) +
				lgamma(p.A+p.B) + lgamma(p.B+d.x) - lgamma(p.B) - lgamma(p.A+p.B+d.x)
			alive := -(p.R + d.x) * math.Log(p.Alpha+d.T)
			if d.x > 0 {
				gone := math.Log(p.A) - math.Log(p.B+d.x-1) - (p.R+d.x)*math.Log(p.Alpha+d.tx)
				top := max(alive, gone)
				alive = top + math.Log(math.Exp(alive-top)+math.Exp(gone-top))
			}
			sum += l + alive
		}
		return sum
	}
	truth := g.Process()
	best := likelihood(truth)
	for _, f := range []float64{0.75, 1.25} {
		for name, change := range map[string]func(*demo.Process){
			"r": func(p *demo.Process) { p.R *= f }, "alpha": func(p *demo.Process) { p.Alpha *= f },
			"a": func(p *demo.Process) { p.A *= f }, "b": func(p *demo.Process) { p.B *= f },
		} {
			p := truth
			change(&p)
			if l := likelihood(p); l >= best {
				t.Errorf("%s × %.2f is likelier than the truth: %.1f against %.1f", name, f, l, best)
			}
		}
	}
}

func BenchmarkCustomer(b *testing.B) {
	g := demo.New(demo.Options{Seed: 1})
	for i := 0; b.Loop(); i++ {
		_ = g.Customer(i)
	}
}

func BenchmarkCustomerWithTenOrders(b *testing.B) {
	g := demo.New(demo.Options{Seed: 1, OrdersPerCustomer: 10})
	for i := 0; b.Loop(); i++ {
		_ = g.Customer(i)
	}
}
