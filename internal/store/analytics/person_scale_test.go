package analytics_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// Visits of six pages each, twenty events of each of a million customers, in the order of their arrival.
const (
	fillViews = `INSERT INTO f_event (id, customer_id, profile_id, "at", day, received_at, source_id, kind, name, flags, host, path, title, channel, device, dwell_ms, properties, context)
SELECT i, 1 + ((i // 6) * 48271) %% %d, 1 + ((i // 6) * 48271) %% %d, CAST(19635 + i * 365 // %d AS BIGINT) * 86400000 + (i %% 6) * 60000, 19635 + i * 365 // %d, 0, 1, 'page', 'Page Viewed', 0, 'shop.example',
 '/p/' || (i %% 5000), 'Page ' || (i %% 5000), 'search', 'mobile', 3000, '{}', '{}' FROM range(1, %d) t(i)`
	fillStays = `INSERT INTO f_session SELECT i * 6, 1 + (i * 48271) %% %d, 1 + (i * 48271) %% %d, CAST(19635 + i * 6 * 365 // %d AS BIGINT) * 86400000, CAST(19635 + i * 6 * 365 // %d AS BIGINT) * 86400000 + 300000,
 19635 + i * 6 * 365 // %d, 1, 6, 6, 18000, 0, 1, 0, 0, 'shop.example', '/p/1', '/p/2', '', 'search', '', '', '', 'mobile', 'Chrome', 'Android', 'zh-CN', 'CN', '4401' FROM range(1, %d) t(i)`
)

// BenchmarkPerson reads what the page of one customer shows of behaviour.
func BenchmarkPerson(b *testing.B) {
	w := duckBench(b, 2048)
	c, n := crowdSize, crowdEvent
	must(b, write(b.Context(), w.db, fmt.Sprintf(fillViews, c, c, n, n, n+1), fmt.Sprintf(fillStays, c, c, n, n, n, n/6), "CHECKPOINT"))
	owner := []id.ID{4711}
	all, err := analytics.AllVisits(b.Context(), w.db, owner, 1000)
	must(b, err)
	for _, one := range []struct {
		name string
		ask  func() error
	}{
		{"a page of visits", func() error {
			_, err := analytics.Visits(b.Context(), w.db, owner, analytics.SeenBefore{At: math.MaxInt64}, 31)
			return err
		}},
		{"all visits", func() error { _, err := analytics.AllVisits(b.Context(), w.db, owner, 20_000); return err }},
		{"acts of a visit", func() error {
			_, err := analytics.Acts(b.Context(), w.db, analytics.ActsAsked{Owners: owner, Days: []clock.Day{all[0].Day}, From: all[0].Start, To: all[0].End, Limit: 1000})
			return err
		}},
		{"stirred", func() error { _, err := analytics.Stirred(b.Context(), w.db, owner); return err }},
	} {
		b.Run(one.name, func(b *testing.B) {
			begin := spent()
			for b.Loop() {
				must(b, one.ask())
			}
			b.ReportMetric(float64(spent()-begin)/float64(b.N)/1e6, "cpu-ms/op")
		})
	}
}
