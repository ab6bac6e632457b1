package app

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/form"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// acquired implements form.Acquired.
type acquired struct{ w *workspace }

var _ form.Acquired = acquired{}

// cameOn is the condition of customers who came on days: the day of acquisition that the record names, else the day on which it was made.
func cameOn(from, to clock.Day) (*query.Node, error) {
	days, err := json.Marshal([]string{from.String(), to.String()})
	if err != nil {
		return nil, err
	}
	return &query.Node{Any: []*query.Node{{Field: "acquired_on", Op: "between", Value: days},
		{All: []*query.Node{{Field: "acquired_on", Op: "is_not_set"}, {Field: "created_at", Op: "between", Value: days}}}}}, nil
}

// boughtOnce is the condition of customers who have bought.
func boughtOnce() *query.Node {
	return &query.Node{Trait: "orders", Op: ">", Value: json.RawMessage("0")}
}

// Sources implements form.Acquired.
func (a acquired) Sources(ctx context.Context, from, to clock.Day) (out map[string]form.Counted, bought bool, err error) {
	came, err := cameOn(from, to)
	if err != nil {
		return nil, false, err
	}
	out = map[string]form.Counted{}
	count := func(where *query.Node, add func(c *form.Counted, n int64)) error {
		got, err := a.w.records.Aggregate(ctx, query.Customer, record.Aggregation{Where: where, GroupBy: []query.Group{{Field: "source"}}})
		if err != nil {
			return err
		}
		for _, r := range got.Rows {
			key, _ := r.Keys[0].(string)
			c := out[key]
			add(&c, r.Count)
			out[key] = c
		}
		return nil
	}
	if err := count(came, func(c *form.Counted, n int64) { c.Customers += n }); err != nil {
		return nil, false, err
	}
	err = count(&query.Node{All: []*query.Node{came, boughtOnce()}}, func(c *form.Counted, n int64) { c.Bought += n })
	if f, ok := fault.Find(err); ok && (f.Kind == fault.Invalid || f.Kind == fault.Forbidden) { // orders are not for this reader
		return out, false, nil
	}
	return out, err == nil, err
}

// amongAtOnce is how many customers are looked at in one question.
const amongAtOnce = 1000

// Among implements form.Acquired.
func (a acquired) Among(ctx context.Context, customers []id.ID, bought bool) (out form.Counted, err error) {
	for len(customers) > 0 {
		part := customers[:min(len(customers), amongAtOnce)]
		customers = customers[len(part):]
		reached, err := a.w.records.Reached(ctx, query.Customer, part, access.Read)
		if err != nil {
			return out, err
		}
		var seen []id.ID
		for _, v := range part {
			if reached[v] {
				seen = append(seen, v)
			}
		}
		out.Customers += int64(len(seen))
		if !bought || len(seen) == 0 {
			continue
		}
		have, err := ruleConditions(a).Holding(system(ctx), query.Customer, boughtOnce(), seen, false)
		if err != nil {
			return out, err
		}
		for _, v := range seen {
			if have[v] {
				out.Bought++
			}
		}
	}
	return out, nil
}

// Options implements form.Acquired.
func (a acquired) Options() (out []string) {
	if f := a.w.registry().Object(query.Customer).Field("source"); f != nil {
		for _, o := range f.Options {
			out = append(out, o.Key)
		}
	}
	return out
}
