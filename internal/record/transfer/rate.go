package transfer

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// convertible reports whether amounts of a currency have a value in the base currency on a day.
func convertible(env *schema.ParseEnv, currency string, on clock.Day) bool {
	if currency == baseOf(env) {
		return true
	}
	if env.Rates == nil {
		return false
	}
	_, ok := env.Rates.Convert(money.Money{Amount: 1, Currency: currency}, baseOf(env), on)
	return ok
}

func (r *run) noRate(currency, column string) *fault.Fault {
	return fault.New(fault.Invalid, "import.no_rate", fault.Params{"currency": currency, "base": r.env.Base, "field": column})
}

// tally counts a row among those with an amount without a rate.
func (c *chunk) tally(currency string) {
	if c.noRate == nil {
		c.noRate = map[string]int64{}
	}
	c.noRate[currency]++
}

// reportRates reports the amounts of a row that have no value in the base currency; the row is imported all the same.
func (p *plain) reportRates(c *chunk, w *row) {
	var seen []string
	for _, i := range p.amounts {
		v := &p.plan.Values[i]
		m, ok := w.in[v.Field.Key].(money.Money)
		if !ok || convertible(&p.run.env, m.Currency, p.today) {
			continue
		}
		c.report(w.number, v.Header, p.noRate(m.Currency, v.Header))
		if !slices.Contains(seen, m.Currency) {
			seen = append(seen, m.Currency)
			c.tally(m.Currency)
		}
	}
}

// reportRates reports new lines of an order whose currency has no rate, under the column of their amount.
func (o *orders) reportRates(c *chunk, g *group) {
	if len(g.fresh) == 0 || convertible(&o.run.env, g.currency, clock.DayOf(g.fresh[0].at, o.zone)) {
		return
	}
	column := o.header(o.roles.amount, o.roles.price, o.roles.total, o.roles.gross)
	for _, l := range g.fresh {
		c.report(l.row, column, o.noRate(g.currency, column))
		c.tally(g.currency)
	}
}

// baseOf is the base currency of a workspace.
func baseOf(env *schema.ParseEnv) string {
	if env.Base == "" {
		return "CNY"
	}
	return env.Base
}

// unconvertible warns of currencies that the options or the first rows of a file name and for which no rate is known.
func (s *Service) unconvertible(ctx context.Context, plan *mapping.Plan, sample source.Sample) []*fault.Fault {
	env := s.cfg.Records.Env(ctx)
	names := []string{plan.Options.Currency}
	if v := plan.Value("order.currency"); v != nil {
		for _, i := range v.Columns {
			names = append(names, sample.Values(i, 50)...)
		}
	}
	var out []*fault.Fault
	var seen []string
	on := clock.DayOf(s.cfg.Clock.Now(), time.UTC)
	for _, name := range names {
		c := strings.ToUpper(name)
		if !money.Known(c) || slices.Contains(seen, c) || convertible(&env, c, on) {
			continue
		}
		seen = append(seen, c)
		out = append(out, fault.New(fault.Invalid, "import.no_rate_currency", fault.Params{"currency": c, "base": baseOf(&env)}))
	}
	return out
}

// warnings are those of the file, and of what a run of it found.
func (s *Service) warnings(ctx context.Context, j *Job, l *look) []*fault.Fault {
	out := slices.Clone(l.warnings)
	env := s.cfg.Records.Env(ctx)
	for _, c := range slices.Sorted(maps.Keys(j.Result.NoRate)) {
		out = slices.DeleteFunc(out, func(f *fault.Fault) bool { return f.Code == "import.no_rate_currency" && f.Params["currency"] == c })
		out = append(out, fault.New(fault.Invalid, "import.no_rate_rows", fault.Params{"currency": c, "base": baseOf(&env), "rows": j.Result.NoRate[c]}))
	}
	return out
}
