package analytics_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// What is asked of a company, worked out by plain loops.
type asked struct {
	c       *company
	regions map[int64]string
}

type fact struct {
	order, customer, day, amount, quantity int64
	keys                                   map[forecast.Dimension]string
}

func digitsOf(v int64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprint(v)
}

// facts are the orders, or the lines, that count.
func (a asked) facts(lines bool) (out []fact) {
	good := func(status string) bool { return status == "confirmed" || status == "completed" }
	if !lines {
		for _, o := range a.c.orders {
			if good(o.status) && o.net > 0 && o.customer > 0 {
				out = append(out, fact{order: o.id, customer: o.customer, day: o.day, amount: o.net, keys: map[forecast.Dimension]string{
					forecast.Channel: digitsOf(o.channel), forecast.Place: digitsOf(o.store), forecast.Region: a.regions[o.customer]}})
			}
		}
		return out
	}
	for _, l := range a.c.lines {
		o := a.c.orders[l.order]
		if !good(l.status) || l.amount <= 0 || l.customer <= 0 {
			continue
		}
		f := fact{order: l.order, customer: l.customer, day: l.day, amount: l.amount, quantity: l.quantity, keys: map[forecast.Dimension]string{
			forecast.Product: digitsOf(l.product), forecast.Category: l.category, forecast.Brand: l.brand, forecast.Region: a.regions[l.customer]}}
		if l.category == "" {
			f.keys[forecast.Category] = productKind[l.product][0]
		}
		if l.brand == "" {
			f.keys[forecast.Brand] = productKind[l.product][1]
		}
		if good(o.status) && o.net > 0 && o.customer > 0 { // only then is there a purchase to say where
			f.keys[forecast.Channel], f.keys[forecast.Place] = digitsOf(o.channel), digitsOf(o.store)
		}
		out = append(out, f)
	}
	return out
}

func (a asked) cells(dims []forecast.Dimension, lines bool, from, to int64) []string {
	type sum struct {
		revenue, quantity int64
		orders, people    map[int64]bool
	}
	all := map[string]*sum{}
facts:
	for _, f := range a.facts(lines) {
		if f.day < from || f.day > to {
			continue
		}
		var keys [2]string
		for i, d := range dims {
			key, ok := f.keys[d]
			if !ok {
				continue facts
			}
			keys[i] = key
		}
		at := strings.Join(keys[:], "|")
		if all[at] == nil {
			all[at] = &sum{orders: map[int64]bool{}, people: map[int64]bool{}}
		}
		s := all[at]
		s.revenue += f.amount
		s.quantity += f.quantity
		s.orders[f.order], s.people[f.customer] = true, true
	}
	var out []string
	for k, s := range all {
		line := fmt.Sprint(k, " ", s.revenue, " ", len(s.orders), " ", len(s.people))
		if lines {
			line += fmt.Sprint(" ", s.quantity)
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

func TestForecastFacts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		c := newCompany(11)
		c.load(t, b)
		a := asked{c, map[int64]string{}}
		b.remove(t, "customer", "id > 0")
		var customers [][]any
		for i, k := range c.customers {
			code := []any{"440103", "110000", nil}[i%3]
			if code != nil {
				a.regions[k] = code.(string)[:2] + "0000"
			} else {
				a.regions[k] = ""
			}
			customers = append(customers, []any{k, int64(1), code})
		}
		b.load(t, "customer", []string{"id", "version", "region"}, analytics.Rows(customers))
		f := analytics.NewForecasts(b.db, func(context.Context) (clock.Day, error) { return 20_000, nil })
		dims := forecast.Dimensions()
		groups := [][]forecast.Dimension{nil}
		for i, d := range dims {
			groups = append(groups, []forecast.Dimension{d})
			for _, e := range dims[i+1:] {
				groups = append(groups, []forecast.Dimension{e, d})
			}
		}
		for _, g := range groups {
			lines := slices.ContainsFunc(g, forecast.Dimension.OfLines)
			got, err := f.Cells(t.Context(), g, 19_700, 19_960)
			must(t, err)
			var told []string
			for _, v := range got {
				line := fmt.Sprint(v.Keys[0], "|", v.Keys[1], " ", v.Revenue, " ", v.Orders, " ", v.Customers)
				if lines {
					line += fmt.Sprint(" ", v.Quantity)
				}
				told = append(told, line)
			}
			slices.Sort(told)
			if want := a.cells(g, lines, 19_700, 19_960); !slices.Equal(told, want) {
				t.Errorf("%v:\n got %v\nwant %v", g, told, want)
			}
		}
		// Every series sums to the cells, by every period.
		for _, d := range append(dims, forecast.Total) {
			var g []forecast.Dimension
			if d != forecast.Total {
				g = []forecast.Dimension{d}
			}
			cells, err := f.Cells(t.Context(), g, 19_500, 20_000)
			must(t, err)
			for _, v := range cells {
				for _, p := range []forecast.Period{forecast.Day, forecast.Week, forecast.Month} {
					for figure, want := range map[forecast.Figure]int64{forecast.Revenue: v.Revenue, forecast.Orders: v.Orders, forecast.Quantity: v.Quantity} {
						list, err := f.Series(t.Context(), figure, forecast.Slice{Dimension: d, Value: v.Keys[0]}, p, 19_500, 20_000)
						must(t, err)
						sum := int64(0)
						for i, x := range list {
							sum += x.Value
							when := x.Day.Time()
							if p == forecast.Week && when.Weekday() != 1 || p == forecast.Month && when.Day() != 1 || i > 0 && list[i-1].Day >= x.Day {
								t.Fatalf("%s: %s after %v", p, x.Day, list)
							}
						}
						if sum != want {
							t.Errorf("%s %s=%q by %s: %d, cells say %d", figure, d, v.Keys[0], p, sum, want)
						}
					}
				}
			}
		}
		values, err := f.Values(t.Context(), forecast.Channel, 19_500, 20_000, 3)
		must(t, err)
		if len(values) != 3 || values[0].Revenue < values[2].Revenue {
			t.Errorf("%+v", values)
		}
		first, ok, err := f.First(t.Context())
		must(t, err)
		want := int64(20_001)
		for _, x := range a.facts(false) {
			want = min(want, x.day)
		}
		if !ok || int64(first) != want {
			t.Errorf("first %v %v, want %d", first, ok, want)
		}
	})
}
