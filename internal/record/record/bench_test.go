package record_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

const benchBatch = 1000

func (w *world) bulk(ops []record.BulkOp) {
	w.t.Helper()
	res, _, err := w.s.Bulk(w.ctx(), 1, ops)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range res {
		if r.Err != nil {
			w.t.Fatal(r.Err)
		}
	}
}

// processor is the time that this process has spent computing, which does not depend on what else the machine does.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed measures a call in both ways.
func timed(b *testing.B, spent *time.Duration, fn func()) {
	from := processor()
	b.StartTimer()
	fn()
	b.StopTimer()
	*spent += processor() - from
}

func report(b *testing.B, n int, spent time.Duration) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(n)/spent.Seconds(), "records/processor-s")
}

// Customers as an import makes them: a name, an encrypted phone number, a unique external id, a region.
func BenchmarkBulkCustomers(b *testing.B) {
	w := newWorld(b)
	n, spent := 0, time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		ops := make([]record.BulkOp, benchBatch)
		for i := range ops {
			n++
			ops[i] = record.BulkOp{Op: change.Create, Object: "customer", Input: record.Input{"name": fmt.Sprint("张三", n), "phone": fmt.Sprintf("+86138%08d", n),
				"external_id": fmt.Sprint("C", n), "region": "330106", "source": "import"}}
		}
		timed(b, &spent, func() { w.bulk(ops) })
		b.StartTimer()
	}
	report(b, n, spent)
}

// Order lines that point at an order of the same batch, at customers, products and variants of earlier ones.
func BenchmarkBulkLines(b *testing.B) {
	w := newWorld(b)
	var customers, products []id.ID
	for i := range 500 {
		customers = append(customers, w.s.NewID())
		products = append(products, w.s.NewID())
		w.bulk([]record.BulkOp{{Op: change.Create, Object: "customer", ID: customers[i], Input: record.Input{"name": "甲"}},
			{Op: change.Create, Object: "product", ID: products[i], Input: record.Input{"name": "衬衫"}}})
	}
	n, at := 0, t0
	lines, spent := 0, time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		ops := make([]record.BulkOp, 0, benchBatch)
		for len(ops) < benchBatch {
			order, customer := w.s.NewID(), customers[n%500]
			n++
			at = at.Add(time.Second)
			ops = append(ops, record.BulkOp{Op: change.Create, Object: "order", ID: order, Input: record.Input{"number": fmt.Sprint("N", n), "customer": customer,
				"placed_at": at, "net_amount": money.Money{Amount: 100, Currency: "CNY"}}})
			for range 9 {
				lines++
				ops = append(ops, record.BulkOp{Op: change.Create, Object: "order_line", Input: record.Input{"order": order, "customer": customer, "product": products[lines%500],
					"name": "真丝连衣裙", "sku": "SN25DR017-S-RED", "quantity": int64(2000), "unit_price": int64(99_000_000), "amount": money.Money{Amount: 19800, Currency: "CNY"},
					"placed_at": at, "category": "连衣裙", "brand": "Orchid"}})
			}
		}
		timed(b, &spent, func() { w.bulk(ops) })
		b.StartTimer()
	}
	report(b, lines, spent)
}
