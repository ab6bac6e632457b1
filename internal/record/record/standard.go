package record

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// registerStandard adds the rules of the standard objects that are arithmetic on their own fields.
func (s *Service) registerStandard() {
	s.RegisterHook("order", Hook{BeforeWrite: s.orderAmounts})
	s.RegisterHook("order_line", Hook{BeforeWrite: s.lineAmount})
	s.RegisterHook("customer", Hook{BeforeWrite: regionOfAddress})
	s.RegisterHook("store", Hook{BeforeWrite: regionOfAddress})
}

// orderAmounts works out the net amount of an order that comes without one, gross less discount, and keeps it in step
// when either changes.
func (s *Service) orderAmounts(_ context.Context, c *Change) error {
	gross, ok := c.Get("gross_amount").(money.Money)
	if c.Get("currency") == nil {
		if m, is := c.Get("net_amount").(money.Money); is {
			c.Set("currency", m.Currency)
		} else if ok {
			c.Set("currency", gross.Currency)
		}
	}
	if !ok || c.Written("net_amount") && c.Get("net_amount") != nil {
		return nil
	}
	if c.Op == change.Update && !c.Written("gross_amount") && !c.Written("discount_amount") && !c.Written("net_amount") {
		return nil
	}
	net := gross
	if d, ok := c.Get("discount_amount").(money.Money); ok {
		if d.Currency != gross.Currency {
			return currencies("discount_amount", gross.Currency)
		}
		net.Amount -= d.Amount
	}
	c.Set("net_amount", net)
	return nil
}

func currencies(field, want string) error {
	return fault.InvalidField("record.currency_mixed", "fields."+field, fault.Params{"currency": want})
}

// lineAmount works out the amount of an order line that comes without one: quantity times unit price, rounded to minor
// units, less discount.
func (s *Service) lineAmount(_ context.Context, c *Change) error {
	if c.Op == change.Update && !c.Written("quantity") && !c.Written("unit_price") && !c.Written("discount_amount") ||
		c.Written("amount") && c.Get("amount") != nil {
		return nil
	}
	q, hasQuantity := c.Get("quantity").(int64)
	p, hasPrice := c.Get("unit_price").(int64)
	if !hasQuantity || !hasPrice {
		return nil
	}
	// quantity has 3 decimals and the price 6: nine together, less those of the currency.
	currency := s.cfg.BaseCurrency()
	discount, ok := c.Get("discount_amount").(money.Money)
	if ok {
		currency = discount.Currency
	} else if old, ok := c.Old("amount").(money.Money); ok {
		currency = old.Currency
	}
	div := int64(1_000_000_000)
	for range money.Exponent(currency) {
		div /= 10
	}
	c.Set("amount", money.Money{Amount: money.MulDiv(q, p, div) - discount.Amount, Currency: currency})
	return nil
}

// regionOfAddress fills the region of a record from its address where it has none of its own.
func regionOfAddress(_ context.Context, c *Change) error {
	a, ok := c.Get("address").(schema.AddressValue)
	if ok && c.Written("address") && a.Region != "" && c.Get("region") == nil {
		c.Set("region", a.Region)
	}
	return nil
}
