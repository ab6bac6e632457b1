package api

import (
	"context"
	"net/http"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// watchRoutes are the figures that are watched.
func (a *API) watchRoutes() []route {
	return []route{
		{method: get, path: "/forecast/watches", need: right, right: access.ReportRead, run: op(a.forecastWatches), doc: "Watched figures: what was said of each period before it began, what came, and what was not expected"},
		{method: post, path: "/forecast/watches", need: right, right: access.SegmentWrite, run: op(a.watchForecast), doc: "Watch a figure", status: http.StatusCreated},
		{method: patch, path: "/forecast/watches/{id}", need: right, right: access.SegmentWrite, run: op(a.tellForecast), doc: "Say who else is told of what was not expected"},
		{method: del, path: "/forecast/watches/{id}", need: right, right: access.SegmentWrite, run: op(a.unwatchForecast), doc: "Stop watching a figure"},
	}
}

// watchPrefix begins the ids of watches.
const watchPrefix = "fcw"

// ForecastSaid is what was said of a period before it began, and what came.
type ForecastSaid struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	Made   string   `json:"made" doc:"the last day that was known"`
	Method string   `json:"method"`
	Mean   float64  `json:"mean"`
	Low80  float64  `json:"low80"`
	High80 float64  `json:"high80"`
	Low95  float64  `json:"low95"`
	High95 float64  `json:"high95"`
	Came   *float64 `json:"came" doc:"null until the period is over"`
	Odd    bool     `json:"odd" doc:"what came lies outside the outer interval"`
}

// ForecastWatch is a watched figure.
type ForecastWatch struct {
	ID        string         `json:"id"`
	Figure    string         `json:"figure"`
	Dimension string         `json:"dimension"`
	Value     string         `json:"value"`
	Title     string         `json:"title"`
	Period    string         `json:"period"`
	Currency  string         `json:"currency" doc:"of money, else empty"`
	Error     *float64       `json:"error" doc:"sum of errors over the sum of what came; null before anything came"`
	Odd       int            `json:"odd" doc:"periods that were not expected"`
	Said      []ForecastSaid `json:"said" doc:"oldest first"`
	By        *Ref           `json:"by" doc:"who watches it, and is told"`
	Told      []Ref          `json:"told" doc:"who else is told of what was not expected"`
	Behind    *HomeLink      `json:"behind" doc:"the list behind; narrow placed_at to a period"`
}

// ForecastWatches are the watched figures.
type ForecastWatches struct {
	Items []ForecastWatch `json:"items"`
}

func (a *API) forecastWatches(ctx context.Context, c *call, _ struct{}) (ForecastWatches, error) {
	found, err := c.ws.Forecasts.Watches(ctx)
	if err != nil {
		return ForecastWatches{}, err
	}
	values := map[forecast.Dimension][]string{}
	for _, w := range found {
		values[w.Slice.Dimension] = append(values[w.Slice.Dimension], w.Slice.Value)
	}
	n, err := c.names(ctx, values)
	if err != nil {
		return ForecastWatches{}, err
	}
	var people []id.ID
	for _, w := range found {
		people = append(append(people, w.By), w.Told...)
	}
	called, err := c.userNames(ctx, people...)
	if err != nil {
		return ForecastWatches{}, err
	}
	person := func(user id.ID) Ref {
		return Ref{ID: id.Format(auth.UserPrefix, user), Object: "user", Title: called[record.Ref{Object: "user", ID: user}]}
	}
	out := ForecastWatches{Items: []ForecastWatch{}}
	for _, w := range found {
		by, currency := c.unit(w.Figure)
		v := ForecastWatch{ID: id.Format(watchPrefix, w.ID), Figure: string(w.Figure), Dimension: string(w.Slice.Dimension), Period: string(w.Period), Currency: currency, Error: w.Error, Odd: w.Odd, Said: []ForecastSaid{}, Told: []Ref{}}
		if w.By != 0 {
			by := person(w.By)
			v.By = &by
		}
		for _, user := range w.Told {
			v.Told = append(v.Told, person(user))
		}
		v.Value, v.Title = n.of(w.Slice.Dimension, w.Slice.Value)
		behind := map[forecast.Dimension]string{}
		if w.Slice.Dimension != forecast.Total {
			behind[w.Slice.Dimension] = v.Value
		}
		v.Behind = c.behind(behind)
		for _, s := range w.Said {
			u := func(x int64) float64 { return float64(x) / by }
			said := ForecastSaid{From: s.From.String(), To: s.To.String(), Made: s.Made.String(), Method: s.Method, Mean: u(s.Mean), Low80: u(s.Low80), High80: u(s.High80), Low95: u(s.Low95), High95: u(s.High95), Odd: s.Odd()}
			if s.Came != nil {
				came := u(*s.Came)
				said.Came = &came
			}
			v.Said = append(v.Said, said)
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

type watchForecastIn struct {
	Body struct {
		Figure    string `json:"figure" enum:"revenue,orders,customers,quantity"`
		Dimension string `json:"dimension,omitempty"`
		Value     string `json:"value,omitempty"`
		Period    string `json:"period" enum:"day,week,month"`
	}
}

// WatchMade is the watch that was made.
type WatchMade struct {
	ID string `json:"id"`
}

func (a *API) watchForecast(ctx context.Context, c *call, in watchForecastIn) (WatchMade, error) {
	b := in.Body
	ask, err := c.forecastAsk(forecastIn{Figure: b.Figure, Dimension: b.Dimension, Value: b.Value, Period: b.Period})
	if err != nil {
		return WatchMade{}, err
	}
	w, err := c.ws.Forecasts.Watch(ctx, ask)
	return WatchMade{ID: id.Format(watchPrefix, w.ID)}, err
}

type tellForecastIn struct {
	ID   string `path:"id"`
	Body struct {
		Told []string `json:"told" doc:"people of the workspace"`
	}
}

func (a *API) tellForecast(ctx context.Context, c *call, in tellForecastIn) (empty, error) {
	watch, err := id.Parse(watchPrefix, in.ID)
	if err != nil {
		watch = 0
	}
	users := make([]id.ID, len(in.Body.Told))
	for i, text := range in.Body.Told {
		if users[i], err = id.Parse(auth.UserPrefix, text); err != nil {
			return empty{}, fault.InvalidField("forecast.unknown_user", "told", nil)
		}
	}
	names, err := c.userNames(ctx, users...)
	if err != nil {
		return empty{}, err
	}
	for _, u := range users {
		if _, ok := names[record.Ref{Object: "user", ID: u}]; !ok {
			return empty{}, fault.InvalidField("forecast.unknown_user", "told", nil)
		}
	}
	return empty{}, c.ws.Forecasts.Tell(ctx, watch, users)
}

func (a *API) unwatchForecast(ctx context.Context, c *call, in idIn) (empty, error) {
	watch, err := id.Parse(watchPrefix, in.ID)
	if err != nil {
		watch = 0
	}
	return empty{}, c.ws.Forecasts.Unwatch(ctx, watch)
}
