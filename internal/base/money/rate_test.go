package money_test

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/money"
)

func TestRates(t *testing.T) {
	t.Parallel()
	day := func(s string) clock.Day {
		d, err := clock.ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	table, err := money.NewTable("CNY", []money.Rate{
		{Currency: "USD", From: day("2026-07-01"), Value: 7_150_000_000}, {Currency: "USD", From: day("2026-01-01"), Value: 7_000_000_000},
		{Currency: "JPY", From: day("2026-01-01"), Value: 48_123_456}, {Currency: "KWD", From: day("2026-01-01"), Value: 23_000_000_000},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		amount, currency, on, want string
	}{
		{"10.00", "USD", "2026-06-30", "70.00"}, {"10.00", "USD", "2026-07-01", "71.50"}, {"10.00", "USD", "2020-01-01", "70.00"},
		{"-0.01", "USD", "2026-07-01", "-0.07"}, {"1000", "JPY", "2026-02-01", "48.12"}, {"1.001", "KWD", "2026-02-01", "23.02"}, {"5", "CNY", "2026-02-01", "5.00"},
	} {
		m, err := money.Parse(c.amount, c.currency)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := table.Convert(m, "CNY", day(c.on))
		if text := (money.Money{Amount: got, Currency: "CNY"}).Decimal(); !ok || text != c.want {
			t.Errorf("%s %s on %s: %s, want %s", c.amount, c.currency, c.on, text, c.want)
		}
	}
	if _, ok := table.Convert(money.Money{Amount: 1, Currency: "EUR"}, "CNY", 0); ok {
		t.Error("a currency without a rate was converted")
	}
	if _, ok := table.Convert(money.Money{Amount: 1, Currency: "USD"}, "GBP", 0); ok {
		t.Error("converted into another base")
	}
	for _, bad := range [][]money.Rate{{{Currency: "CNY", Value: 1}}, {{Currency: "usd", Value: 1}}, {{Currency: "USD"}}, {{Currency: "USD", Value: 1}, {Currency: "USD", Value: 2}}} {
		if _, err := money.NewTable("CNY", bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}
