package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/form"
)

var _ form.CostStore = (*Forms)(nil)

const (
	costList = "SELECT month, origin, source, campaign, amount FROM acquisition_cost WHERE month >= ? AND month <= ? ORDER BY month DESC, origin, source, campaign"
	costPut  = "INSERT INTO acquisition_cost (month, origin, source, campaign, amount, updated_by, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (month, origin, source, campaign) DO UPDATE SET amount = excluded.amount, updated_by = excluded.updated_by, updated_at = excluded.updated_at"
	costDrop = "DELETE FROM acquisition_cost WHERE month = ? AND origin = ? AND source = ? AND campaign = ?"
	wonList  = "SELECT form_id, source, campaign, customer_id FROM form_submission WHERE made AND at >= ? AND at < ? ORDER BY at, id"
)

// Costs implements form.CostStore.
func (k *Forms) Costs(ctx context.Context, from, to int) (out []form.Cost, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var x form.Cost
			err := r.Scan(&x.Month, &x.Origin, &x.Source, &x.Campaign, &x.Amount)
			out = append(out, x)
			return err
		}, costList, int64(from), int64(to))
	})
	return out, err
}

// SetCost implements form.CostStore.
func (k *Forms) SetCost(ctx context.Context, x form.Cost, by id.ID, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) (err error) {
		if x.Amount == 0 {
			_, err = c.Exec(ctx, costDrop, int64(x.Month), x.Origin, x.Source, x.Campaign)
			return err
		}
		_, err = c.Exec(ctx, costPut, int64(x.Month), x.Origin, x.Source, x.Campaign, x.Amount, int64(by), milli(at))
		return err
	})
}

// Won implements form.CostStore.
func (k *Forms) Won(ctx context.Context, from, to time.Time, fn func(form.Won) error) error {
	return k.store.Read(ctx, func(c Conn) error {
		return Each(ctx, c, func(r *sql.Rows) error {
			var of, customer int64
			var w form.Won
			if err := r.Scan(&of, &w.Source, &w.Campaign, &customer); err != nil {
				return err
			}
			w.Form, w.Customer = id.ID(of), id.ID(customer)
			return fn(w)
		}, wonList, milli(from), milli(to))
	})
}
