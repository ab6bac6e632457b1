package demo_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/demo"
)

// TestLife: behaviour is a function of options and customer, about as much as asked for, well formed, in its window, in proportion to orders,
// and its ids are unique.
func TestLife(t *testing.T) {
	t.Parallel()
	o := demo.Options{Customers: 2000, Seed: 3, Events: 30_000}
	g, again := demo.New(o), demo.New(o)
	seen, anonymous := map[string]bool{}, map[string]bool{}
	total, named := 0, map[string]int{}
	orders := map[string]bool{}
	joined, brought := 0, 0
	look := func(h demo.History) {
		for i, a := range h.Actors {
			if anonymous[a.Anonymous] || a.Anonymous == "" {
				t.Errorf("two browsers have the id %q", a.Anonymous)
			}
			anonymous[a.Anonymous] = true
			if i > 0 && !a.Customer && a.Anonymous[5] == 's' {
				brought++
			}
		}
		if len(h.Joining) > 0 {
			joined++
		}
		for _, e := range append(h.Events, h.Joining...) {
			total++
			named[e.Name]++
			if seen[e.ID] {
				t.Fatalf("the id %s twice", e.ID)
			}
			seen[e.ID] = true
			if d := clock.DayOf(e.At, demo.Zone); d > g.LastDay() || d < g.LastDay()-182 {
				t.Errorf("%s on %s", e.Name, d)
			}
			var props map[string]any
			if err := json.Unmarshal(e.Properties, &props); err != nil {
				t.Fatalf("%s: %v", e.Properties, err)
			}
			if !json.Valid(e.Context) {
				t.Fatalf("%s", e.Context)
			}
			if v, ok := props["order_id"].(string); ok && e.Name == "Order Completed" {
				orders[v] = true
			}
		}
	}
	online := 0
	g.Customers(func(c demo.Customer) bool {
		h := g.Life(&c, lang.English)
		look(h)
		for _, o := range c.Orders {
			if (o.Channel == "website" || o.Channel == "wechat_mini") && clock.DayOf(o.At, demo.Zone) > g.LastDay()-180 {
				online++
				if !orders[o.Number] {
					t.Errorf("the order %s was not seen", o.Number)
				}
			}
		}
		if c.Index%97 == 0 && !reflect.DeepEqual(h, again.Life(&c, lang.English)) {
			t.Errorf("customer %d lived twice differently", c.Index)
		}
		return true
	})
	for i := range g.Visitors() {
		look(g.Visitor(i, lang.ChineseSimplified))
	}
	if total < 24_000 || total > 36_000 {
		t.Errorf("%d events of 30,000 asked for", total)
	}
	if online < 100 || joined < 20 || brought < 20 {
		t.Errorf("%d orders, %d devices that joined, %d people brought", online, joined, brought)
	}
	for _, name := range []string{"", "Product Viewed", "Products Searched", "Product Added", "Checkout Started", "Order Completed", "Page Engaged", "Store Visited", "Item Tried On", "Content Viewed",
		"Content Liked", "Content Commented", "Content Saved", "Content Shared", "Live Stream Watched", "Account Followed", "Product Reviewed", "Message Received", "Message Sent", "Call Made", "Share Opened", "Coupon Applied"} {
		if named[name] == 0 {
			t.Errorf("nobody did %q", name)
		}
	}
	if n := len(g.Contents()); n < 90 || n > 180 {
		t.Errorf("%d contents", n)
	}
	t.Log(total, named)
	o.Events = -1
	silent := demo.New(o)
	c := silent.Customer(5)
	if h := silent.Life(&c, lang.English); len(h.Events) > 0 || len(silent.Contents()) > 0 || silent.Visitors() > 0 {
		t.Error("a silent company does something")
	}
}
