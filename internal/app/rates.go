package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
)

// ratesKey is where a workspace keeps what other currencies are worth.
const ratesKey = "rates"

// storedRate is a rate as it is kept: the value a decimal text.
type storedRate struct {
	Currency string `json:"currency"`
	From     string `json:"from"`
	Rate     string `json:"rate"`
}

// Convert implements schema.Rates with the rates of this moment.
func (w *workspace) Convert(m money.Money, base string, on clock.Day) (int64, bool) {
	return w.rates.Load().Convert(m, base, on)
}

// openRates reads the rates.
func (w *workspace) openRates(ctx context.Context) error {
	var stored []storedRate
	if _, err := w.store.Setting(ctx, ratesKey, &stored); err != nil {
		return err
	}
	t, err := w.table(stored)
	if err != nil {
		return fmt.Errorf("stored rates: %w", err)
	}
	w.rates.Store(t)
	return nil
}

// table checks rates, naming the entry that is wrong.
func (w *workspace) table(stored []storedRate) (*money.Table, error) {
	list := make([]money.Rate, len(stored))
	var bad []*fault.Fault
	seen := map[string]bool{}
	for i, r := range stored {
		at := "rates." + strconv.Itoa(i)
		day, err := clock.ParseDay(r.From)
		if err != nil {
			bad = append(bad, fault.InvalidField("rates.bad_day", at+".from", fault.Params{"value": r.From}))
		}
		value, err := money.ParseScaled(r.Rate, money.RateScale)
		if err != nil || value <= 0 {
			bad = append(bad, fault.InvalidField("rates.bad_rate", at+".rate", fault.Params{"value": r.Rate}))
		}
		switch {
		case !money.Known(r.Currency):
			bad = append(bad, fault.InvalidField("rates.bad_currency", at+".currency", fault.Params{"currency": r.Currency}))
		case r.Currency == w.info.Currency:
			bad = append(bad, fault.InvalidField("rates.base_currency", at+".currency", fault.Params{"currency": r.Currency}))
		case seen[r.Currency+r.From]:
			bad = append(bad, fault.InvalidField("rates.twice", at+".from", fault.Params{"currency": r.Currency, "day": r.From}))
		}
		seen[r.Currency+r.From] = true
		list[i] = money.Rate{Currency: r.Currency, From: day, Value: value}
	}
	if f := fault.Join("rates.invalid", bad); f != nil {
		return nil, f
	}
	return money.NewTable(w.info.Currency, list)
}

// exchange implements api.RateService.
type exchange struct{ w *workspace }

// Rates implements api.RateService.
func (x exchange) Rates(ctx context.Context) ([]api.ExchangeRate, error) {
	var stored []storedRate
	_, err := x.w.store.Setting(ctx, ratesKey, &stored)
	out := make([]api.ExchangeRate, len(stored))
	for i, r := range stored {
		out[i] = api.ExchangeRate(r)
	}
	return out, err
}

// SetRates implements api.RateService. What is stored already is worked out anew in the background.
func (x exchange) SetRates(ctx context.Context, rates []api.ExchangeRate) error {
	stored := make([]storedRate, len(rates))
	for i, r := range rates {
		stored[i] = storedRate(r)
	}
	t, err := x.w.table(stored)
	if err != nil {
		return err
	}
	if err := x.w.store.SetSetting(ctx, ratesKey, stored); err != nil {
		return err
	}
	x.w.rates.Store(t)
	key := x.w.info.Key
	_, err = x.w.app.jobs.Add(ctx, job.Job{Kind: revalueJob, Workspace: key, Unique: "revalue:" + key})
	return errors.Join(err, x.w.app.auth.Note(ctx, key, "rates.update", "", 0, map[string]any{"rates": len(stored)}))
}

// runRevalue works out the base amounts of everything anew.
func (a *App) runRevalue(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	if err := w.openRates(ctx); err != nil { // another process may have set them
		return err
	}
	for _, obj := range w.registry().Tables() {
		n, err := w.records.Revalue(system(ctx), obj.Key)
		if err != nil {
			return err
		}
		if n > 0 {
			a.Log.Info("amounts worked out anew", "workspace", w.info.Key, "object", obj.Key, "records", n)
		}
	}
	return nil
}
