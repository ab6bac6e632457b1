package apptest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Amounts in another currency have no value in that of the workspace until a rate is known; then everything stored gets one,
// the traits follow, and a later rate counts from its day on.
func TestExchangeRates(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := build(t).setup("Asia/Shanghai", "CNY").start()
			c := m.client()
			who := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"Anna"}}`)
			for i, day := range []string{"2026-03-01", "2026-09-01"} {
				read[rec](c, "POST", "/records/order", fmt.Sprintf(`{"fields":{"customer":%q,"number":"S%d","placed_at":"%sT10:00:00+08:00","status":"completed","gross_amount":{"amount":"10","currency":"USD"}}}`, who.ID, i, day))
			}
			own := read[rec](c, "POST", "/records/product", `{"fields":{"name":"衬衫","list_price":{"amount":"99","currency":"CNY"}}}`)
			spent := func() string {
				c.settled()
				r := read[page](c, "POST", "/records/customer/query", `{"traits":["spend_total","orders"],"limit":1}`).Items[0]
				return fmt.Sprint(r.Traits["spend_total"], r.Traits["orders"])
			}
			if got := spent(); strings.Contains(got, "70") {
				t.Errorf("without a rate: %s", got)
			}
			for body, code := range map[string]string{
				`{"rates":[{"currency":"CNY","from":"2026-01-01","rate":"1"}]}`: "rates.base_currency",
				`{"rates":[{"currency":"US","from":"2026-01-01","rate":"1"}]}`:  "rates.bad_currency",
				`{"rates":[{"currency":"USD","from":"soon","rate":"1"}]}`:       "rates.bad_day",
				`{"rates":[{"currency":"USD","from":"2026-01-01","rate":"0"}]}`: "rates.bad_rate",
			} {
				if a := c.do("PATCH", "/rates", body); a.code() != code {
					t.Errorf("%s: %d %s", body, a.status, a.body)
				}
			}
			c.want(200, c.do("PATCH", "/rates", `{"rates":[{"currency":"USD","from":"2026-01-01","rate":"7"}]}`))
			eventually(c, "everything has a value", 30*time.Second, func() bool { return strings.Contains(spent(), "140.00") })
			c.want(200, c.do("PATCH", "/rates", `{"rates":[{"currency":"USD","from":"2026-01-01","rate":"7"},{"currency":"USD","from":"2026-06-01","rate":"7.2"}]}`))
			eventually(c, "the later rate counts", 30*time.Second, func() bool { return strings.Contains(spent(), "142.00") })
			if now := read[rec](c, "GET", "/records/product/"+own.ID, ""); now.Version != 1 {
				t.Errorf("a record in the base currency was written: version %d", now.Version)
			}
			read[rec](c, "POST", "/records/order", fmt.Sprintf(`{"fields":{"customer":%q,"number":"S3","placed_at":"2026-09-02T10:00:00+08:00","status":"completed","gross_amount":{"amount":"1","currency":"USD"}}}`, who.ID))
			eventually(c, "a new order has a value at once", 30*time.Second, func() bool { return strings.Contains(spent(), "149.20") })
		})
	}
}
