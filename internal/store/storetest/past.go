package storetest

import (
	"context"
	"reflect"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/objects"
)

// testPasts: what one customer bought is read by the definition of a purchase, up to a day, a purchase before its lines.
func testPasts(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Store.Ensure(t.Context(), reg); err != nil {
		t.Fatal(err)
	}
	object := reg.Object
	add := func(key string, values map[string]any) int64 {
		row := w.Row(object(key), values)
		w.Insert(object(key), row)
		return int64(row.ID)
	}
	customer := add("customer", map[string]any{"name": "a", "gender": "female", "region_tier": "first"})
	other := add("customer", map[string]any{"name": "b"})
	held := add("customer", map[string]any{"name": "c", "processing": "restricted"})
	shirt, coat := add("product", map[string]any{"name": "shirt"}), add("product", map[string]any{"name": "coat"})
	order := func(of, day int64, status string, amount int64) int64 {
		return add("order", map[string]any{"customer": of, "placed_at": day * 86_400_000, "placed_at_day": day, "status": status, "net_amount_base": amount})
	}
	line := func(of, day int64, status string, order int64, product any, amount int64) int64 {
		return add("order_line", map[string]any{"customer": of, "order": order, "placed_at_day": day, "status": status, "product": product, "quantity": int64(2000), "amount_base": amount})
	}
	second := order(customer, 20_002, "completed", 300)
	returned := line(customer, 20_002, "completed", second, coat, 300)
	first := order(customer, 20_000, "confirmed", 100)
	line(customer, 20_000, "confirmed", first, shirt, 100)
	line(customer, 20_000, "confirmed", first, coat, 0)    // a gift
	line(customer, 20_000, "confirmed", first, nil, 50)    // of no product
	line(customer, 20_001, "cancelled", first, shirt, 100) // no purchase
	order(customer, 20_009, "completed", 100)              // too late
	for _, of := range []int64{other, held} {
		line(of, 20_000, "completed", order(of, 20_000, "completed", 100), shirt, 100)
	}
	add("refund", map[string]any{"customer": customer, "refunded_at_day": int64(20_003), "order_line": returned})
	add("refund", map[string]any{"customer": customer, "refunded_at_day": int64(20_008), "product": shirt})
	bin := w.Row(object("order"), map[string]any{"customer": customer, "placed_at": int64(0), "placed_at_day": int64(20_000), "status": "completed", "net_amount_base": int64(9)})
	bin.DeletedAt = T0.UnixMilli()
	w.Insert(object("order"), bin)

	p := sqlstore.NewPasts(w.Store, func() *schema.Registry { return reg }, func() []string { return []string{"confirmed", "completed"} })
	got, err := p.Past(context.Background(), customer, 20_005)
	want := recommend.Past{Person: recommend.Person{ID: customer, Gender: "female", Tier: "first"}, Returned: []int64{coat}, Deeds: []recommend.Deed{
		{Customer: customer, Order: first, Day: 20_000, At: 20_000 * 86_400_000, Amount: 100},
		{Customer: customer, Order: first, Day: 20_000, Product: shirt, Quantity: 2000, Amount: 100},
		{Customer: customer, Order: second, Day: 20_002, At: 20_002 * 86_400_000, Amount: 300},
		{Customer: customer, Order: second, Day: 20_002, Product: coat, Quantity: 2000, Amount: 300}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v, %v", got, want, err)
	}
	for _, of := range []int64{held, int64(id.ID(1))} {
		if got, err := p.Past(context.Background(), of, 20_005); err != nil || len(got.Deeds) != 0 {
			t.Errorf("somebody who may not be read, or is not there: %+v %v", got, err)
		}
	}
}
