package app_test

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

func TestValuePage(t *testing.T) {
	t.Parallel()
	onBoth(t, valueScenario)
}

type valueMoney struct{ Amount, Currency string }

func valueScenario(t *testing.T, s *site) {
	c := s.as(access.Manager)
	who := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"甲","kind":"person"}}`, 201).ID
	for _, body := range []string{
		`{"customer":"` + who + `","status":"completed","placed_at":"2026-10-01T04:00:00Z","net_amount":{"amount":"90","currency":"CNY"},"discount_amount":{"amount":"10","currency":"CNY"},"cost_amount":{"amount":"40","currency":"CNY"}}`,
		`{"customer":"` + who + `","status":"completed","placed_at":"2026-10-20T04:00:00Z","net_amount":{"amount":"50","currency":"CNY"}}`,
	} {
		c.want(201, c.do("POST", "/records/order", `{"fields":`+body+`}`))
	}
	type part struct {
		Key    string
		Amount *valueMoney
	}
	type profit struct {
		Now struct {
			Customers, Orders, Uncosted int
			Parts                       []part
		}
		Best []struct {
			Record struct{ ID string }
			Profit valueMoney
		}
	}
	eventually(t, "the orders are in the ledger", func() bool {
		return read[profit](c, "GET", "/value/profit?from=2026-10-01&to=2026-10-31", "", 200).Now.Orders == 2
	})
	p := read[profit](c, "GET", "/value/profit?from=2026-10-01&to=2026-10-31", "", 200)
	want := map[string]string{"list": "150.00", "discounts": "-10.00", "revenue": "140.00", "returns": "0.00", "cost": "-40.00", "profit": "100.00"}
	for _, x := range p.Now.Parts {
		if w, known := want[x.Key]; known != (x.Amount != nil) || known && x.Amount.Amount != w {
			t.Errorf("part %s is %v, want %q", x.Key, x.Amount, w)
		}
	}
	if p.Now.Uncosted != 1 || len(p.Best) != 1 || p.Best[0].Record.ID != who || p.Best[0].Profit.Amount != "100.00" {
		t.Errorf("profit %+v", p)
	}
	overview := read[struct {
		All    struct{ Customers int }
		Tenths []any
	}](c, "GET", "/value", "", 200)
	if overview.Tenths == nil {
		t.Error("tenths are null")
	}
	read[struct{ Moves []any }](c, "GET", "/value/migration?from=2026-10-10&to=2026-10-31", "", 200)
	c.wantCode(422, "value.bad_span", c.do("GET", "/value/profit?from=2026-10-31&to=2026-10-01", ""))
	c.wantCode(422, "api.bad_parameter", c.do("GET", "/value/profit?from=yesterday", ""))
	none := s.client()
	none.want(401, none.do("GET", "/value", ""))
}
