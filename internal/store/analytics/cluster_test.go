package analytics_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/insight/cluster"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// Traits of several families are read beside each other for whom purchased, and groups become a trait.
func TestClusterStore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		c := newCompany(12)
		c.load(t, b)
		_, err := b.store.Full(t.Context(), pass(20_000, trait.Defaults()), 20_000)
		must(t, err)
		store := analytics.NewClusters(b.db, b.store)
		columns := []cluster.Column{{Key: "orders", Table: "t_order", Column: "orders", Type: schema.Number}, {Key: "online_share", Table: "t_taste", Column: "online_share", Type: schema.Number, Scale: 4},
			{Key: "average_interval_days", Table: "t_order", Column: "average_interval_days", Type: schema.Number, Scale: 2}, {Key: "products", Table: "t_taste", Column: "products", Type: schema.Number}}
		got, last := "", int64(0)
		people := []int64{}
		must(t, store.Read(t.Context(), columns, 0, func(customer int64, values []float64) {
			if customer <= last {
				t.Errorf("%d after %d", customer, last)
			}
			last = customer
			people = append(people, customer)
			got += fmt.Sprint(customer)
			for _, v := range values {
				if math.IsNaN(v) {
					got += "|-"
				} else {
					got += fmt.Sprintf("|%.0f", v)
				}
			}
			got += "\n"
		}))
		want := b.table(t, "SELECT customer_id, orders, online_share, average_interval_days, products FROM customer_traits WHERE orders > 0 ORDER BY customer_id")
		if got != want || len(people) < 10 {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		one := 0
		must(t, store.Read(t.Context(), columns, people[3], func(customer int64, _ []float64) {
			one++
			if customer != people[3] {
				t.Errorf("%d instead of %d", customer, people[3])
			}
		}))
		if one != 1 {
			t.Errorf("%d rows of one customer", one)
		}
		n, err := store.Write(t.Context(), 5, "1@20000", func(yield func(int64, string, int64) bool) {
			for i, p := range people {
				if !yield(p, cluster.Label(i%2), int64(i)) {
					return
				}
			}
		})
		must(t, err)
		sizes, err := store.Sizes(t.Context())
		must(t, err)
		if n != int64(len(people)) || sizes["c1"]+sizes["c2"] != n || sizes["c1"]-sizes["c2"] > 1 {
			t.Errorf("%d written, %v", n, sizes)
		}
		if told := b.table(t, "SELECT cluster, cluster_sure FROM customer_traits WHERE customer_id = "+fmt.Sprint(people[1])); told != "c2|1\n" {
			t.Errorf("%q", told)
		}
	})
}
