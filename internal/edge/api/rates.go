package api

import "context"

// ExchangeRate is what one unit of a currency is worth in the workspace's base currency from a day on, a decimal with up to nine
// places. The first rate of a currency holds for the days before it too.
type ExchangeRate struct {
	Currency string `json:"currency"`
	From     string `json:"from"`
	Rate     string `json:"rate"`
}

// RateService keeps the exchange rates of a workspace.
type RateService interface {
	Rates(ctx context.Context) ([]ExchangeRate, error)
	// SetRates replaces all rates; amounts that are stored are worked out anew in the background.
	SetRates(ctx context.Context, rates []ExchangeRate) error
}

// ExchangeRates are the rates and the currency that they lead to.
type ExchangeRates struct {
	Base  string         `json:"base"`
	Rates []ExchangeRate `json:"rates"`
}

func (a *API) rates(ctx context.Context, c *call, _ struct{}) (ExchangeRates, error) {
	list, err := c.ws.Rates.Rates(ctx)
	return ExchangeRates{Base: c.who.Workspace.Currency, Rates: list}, err
}

type setRatesIn struct {
	Body struct {
		Rates []ExchangeRate `json:"rates"`
	}
}

func (a *API) setRates(ctx context.Context, c *call, in setRatesIn) (ExchangeRates, error) {
	if err := c.ws.Rates.SetRates(ctx, in.Body.Rates); err != nil {
		return ExchangeRates{}, err
	}
	return a.rates(ctx, c, struct{}{})
}
