package analytics_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// The size at which questions about behaviour are measured: twenty events of each of a million customers, in the order of their
// arrival, as a plane that was fed for a year holds them.
const (
	crowdSize  = 1_000_000
	crowdEvent = 20_000_000
)

const (
	fillCrowd = `INSERT INTO a_customer (id, version, created_at, created_at_day, gender) SELECT i, 1, 0, 19000, CASE WHEN i %% 5 = 0 THEN 'female' ELSE 'male' END FROM range(1, %d) t(i)`
	fillTrait = `INSERT INTO t_order (customer_id, orders, spend_total, last_order_day, days_since_last, computed_at) SELECT i, i %% 12, (i * 7919) %% 1000000, 20000 - i %% 400, i %% 400, 0 FROM range(1, %d) t(i)`
	fillDeeds = `INSERT INTO f_event (id, customer_id, profile_id, "at", day, received_at, source_id, kind, name, flags, channel, path, amount, properties, context)
SELECT i, 1 + (i * 48271) %% %d, 1, CAST(19635 + i * 365 // %d AS BIGINT) * 86400000 + i %% 86400000, 19635 + i * 365 // %d, 0, 1, 'track',
 CASE i %% 20 WHEN 0 THEN 'Order Completed' WHEN 1 THEN 'Product Added' WHEN 2 THEN 'Product Added' WHEN 3 THEN 'Checkout Started' WHEN 4 THEN 'Product Viewed' WHEN 5 THEN 'Product Viewed'
  WHEN 6 THEN 'Product Viewed' WHEN 7 THEN 'Products Searched' ELSE 'Page Viewed' END,
 0, CASE i %% 3 WHEN 0 THEN 'search' WHEN 1 THEN 'social' ELSE 'direct' END, '/p/' || (i %% 5000), CASE WHEN i %% 20 = 0 THEN (i * 31) %% 100000 END,
 '{"price": ' || ((i * 31) %% 100000) / 100 || ', "category": "c' || (i %% 40) || '", "currency": "CNY"}', '{}'
FROM range(1, %d) t(i)`
)

// spent is the processor time of the process.
func spent() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBehaviour answers questions about the events of a million customers, and recomputes traits of five thousand of them.
func BenchmarkBehaviour(b *testing.B) {
	w := duckBench(b, 2048)
	w.clock.Set(noon(20_000))
	must(b, write(b.Context(), w.db, fmt.Sprintf(fillCrowd, crowdSize+1), fmt.Sprintf(fillTrait, crowdSize+1), fmt.Sprintf(fillDeeds, crowdSize, crowdEvent, crowdEvent, crowdEvent+1)))
	cat, err := trait.Standard()
	must(b, err)
	env := func() compile.Env {
		return compile.Env{Registry: w.reg, Traits: cat, Now: noon(20_000), Zone: time.UTC, Base: "CNY", Columnar: true}
	}
	board := analytics.NewAudience(w.store, env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
	for name, text := range map[string]string{
		"did":      `{"event":"Order Completed","op":">=","value":2,"within":{"days":90}}`,
		"property": `{"event":"Product Viewed","where":{"property":"price","op":">","value":500},"op":">=","value":1,"within":{"days":180}}`,
		"stopped":  `{"stopped":{"event":"Order Completed"},"for":{"days":60}}`,
		"sequence": `{"sequence":[{"event":"Product Added"},{"event":"Order Completed"}],"op":"did","within":{"days":60}}`,
		"six": `{"all":[{"field":"gender","op":"=","value":"female"},{"trait":"orders","op":">=","value":3},{"trait":"spend_total","op":">","value":{"amount":"1000","currency":"CNY"}},
			{"trait":"last_order_day","op":"within_last","value":{"days":200}},{"event":"Product Viewed","where":{"property":"category","op":"in","value":["c1","c2","c3","c4"]},"op":">=","value":1,"within":{"days":90}},
			{"event":"Order Completed","op":"none","within":{"days":30}}]}`,
	} {
		n, err := query.Parse([]byte(text))
		must(b, err)
		b.Run(name, func(b *testing.B) {
			begin, found := spent(), 0
			for b.Loop() {
				c, err := board.Count(b.Context(), n, nil, 5)
				must(b, err)
				found = c.Count
			}
			b.ReportMetric(float64(found), "customers")
			b.ReportMetric(float64(spent()-begin)/float64(b.N)/1e6, "cpu-ms/op")
		})
	}
	b.Run("small pass", func(b *testing.B) {
		p := plan(b, w, map[int]string{0: `counter - {"event":"Product Viewed","within":{"days":30}}`, 1: `sum price {"event":"Order Completed"}`,
			2: `time_since - {"event":"*"}`, 20: `most_frequent category {"event":"Product Viewed"}`, 21: `last $channel {"event":"Page Viewed"}`})
		w.store.Shape(1, nil)
		must(b, w.store.Ensure(b.Context(), w.reg, trait.Defaults()))
		ps := pass(20_000, trait.Defaults())
		ps.Computed, ps.Moment = p.plan("a", -1), ps.At
		var touched []id.ID
		for i := range 5000 {
			touched = append(touched, id.ID(1+i*199))
		}
		begin := spent()
		for b.Loop() {
			must(b, w.store.Touch(b.Context(), touched))
			_, err := w.store.Small(b.Context(), ps)
			must(b, err)
		}
		b.ReportMetric(float64(spent()-begin)/float64(b.N)/1e6, "cpu-ms/op")
	})
}
