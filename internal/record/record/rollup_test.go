package record_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/rollup"
	"github.com/guanxi-crm/guanxi/objects"
)

// withRollups gives the customer sums over orders, and the store a sum over those of its customers.
func (w *world) withRollups() *rollup.Follower {
	w.t.Helper()
	list, err := schema.Load(objects.FS)
	if err != nil {
		w.t.Fatal(err)
	}
	field := func(key string, kind schema.Type, r schema.Rollup) *schema.Field {
		return &schema.Field{Key: key, Type: kind, Label: schema.Label{"zh-CN": key, "en": key}, Section: "basic", ReadOnly: true, Rollup: &r}
	}
	orders := schema.Rollup{Object: "order", Via: "customer"}
	of := func(fn, field, where string) schema.Rollup {
		r := orders
		r.Func, r.Field = fn, field
		if where != "" {
			r.Where = json.RawMessage(where)
		}
		return r
	}
	for _, o := range list {
		switch o.Key {
		case "customer":
			o.Fields = append(o.Fields, field("rolled_n", schema.Number, of("count", "", "")), field("rolled_sum", schema.Money, of("sum", "gross_amount", `{"field":"status","op":"=","value":"completed"}`)),
				field("rolled_max", schema.Money, of("max", "gross_amount", "")), field("rolled_last", schema.DateTime, of("max", "placed_at", "")), field("rolled_no", schema.Text, of("last", "number", "")))
		}
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		w.t.Fatal(err)
	}
	w.reg = reg
	if _, err := w.store.Ensure(w.t.Context(), reg); err != nil {
		w.t.Fatal(err)
	}
	return rollup.New(rollup.Config{Changes: w.store.Log(), Records: w.s, Registry: func() *schema.Registry { return w.reg }, Clock: clock.System{}, Batch: 5})
}

// Rollups are right after everything has come to rest, whatever was written at the same time, and however often the follower was
// stopped in the middle.
func testRollupsUnderWrites(t *testing.T, w *world) {
	f := w.withRollups()
	var customers []id.ID
	for _, name := range []string{"王芳", "李娜", "张伟"} {
		customers = append(customers, w.create("customer", record.Input{"name": name}).ID)
	}
	ctx, stop := context.WithCancel(t.Context())
	var followers sync.WaitGroup
	followers.Go(func() { // each run ends after a moment, as if its process had died, and another one goes on
		for ctx.Err() == nil {
			short, cancel := context.WithTimeout(ctx, 15*time.Millisecond)
			if err := f.Run(short); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
				t.Errorf("follower: %v", err)
			}
			cancel()
		}
	})
	var writers sync.WaitGroup
	for n := range uint64(3) {
		writers.Go(func() { w.writeOrders(rand.New(rand.NewPCG(n, 1)), customers) })
	}
	writers.Wait()
	stop()
	followers.Wait()
	w.rest(f)
	n, err := f.Check(w.ctx())
	if err != nil || n != 0 {
		t.Errorf("%d records differ, %v", n, err)
	}
	total := int64(0)
	for _, c := range customers {
		r := w.get("customer", c)
		orders := w.list("order", record.Query{Where: where(t, `{"field":"customer","op":"=","value":"`+id.Format("cus", c)+`"}`), Limit: 500})
		if got, _ := r.Values["rolled_n"].(int64); got != int64(len(orders.Items)) {
			t.Errorf("%d orders, rolled up to %d", len(orders.Items), got)
		}
		total += int64(len(orders.Items))
	}
	if total == 0 {
		t.Error("no order is left")
	}
}

// writeOrders makes, changes, moves, deletes and restores orders at random.
func (w *world) writeOrders(r *rand.Rand, customers []id.ID) {
	ctx := access.With(context.Background(), access.Actor{Kind: access.ByUser, ID: 11, Role: access.Administrator})
	var mine []id.ID
	for range 40 {
		customer := customers[r.IntN(len(customers))]
		var err error
		switch k := r.IntN(6); {
		case k < 2 || len(mine) == 0:
			var o *record.Record
			o, err = w.s.Create(ctx, "order", record.Input{"customer": customer, "placed_at": t0.Add(time.Duration(r.IntN(1000)) * time.Hour), "status": []string{"completed", "confirmed"}[r.IntN(2)],
				"gross_amount": money.Money{Amount: int64(r.IntN(100000)), Currency: []string{"CNY", "USD"}[r.IntN(2)]}})
			if err == nil {
				mine = append(mine, o.ID)
			}
		case k == 2:
			_, err = w.s.Update(ctx, "order", mine[r.IntN(len(mine))], 0, record.Input{"customer": customer})
		case k == 3:
			_, err = w.s.Update(ctx, "order", mine[r.IntN(len(mine))], 0, record.Input{"gross_amount": money.Money{Amount: int64(r.IntN(100000)), Currency: "CNY"}}, record.Operation())
		case k == 4:
			err = w.s.Delete(ctx, "order", mine[r.IntN(len(mine))], 0)
		default:
			_, err = w.s.Restore(ctx, "order", mine[r.IntN(len(mine))])
		}
		if f, ok := fault.Find(err); err != nil && (!ok || f.Kind == fault.Internal) {
			w.t.Errorf("write: %v", err)
		}
	}
}

// rest lets the follower take in everything that was written. PostgreSQL holds changes back while older transactions run.
func (w *world) rest(f *rollup.Follower) {
	w.t.Helper()
	for quiet := 0; quiet < 3; {
		n, err := f.CatchUp(w.ctx())
		if err != nil {
			w.t.Fatal(err)
		}
		if quiet++; n > 0 {
			quiet = 0
		}
		if err := w.store.Log().Wait(w.ctx()); err != nil {
			w.t.Fatal(err)
		}
	}
}
