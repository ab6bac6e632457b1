package app

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newForecasts answers from the analytics plane about how figures go on and why they changed.
func (w *workspace) newForecasts() *forecast.Service {
	return forecast.New(analytics.NewForecasts(w.gate, w.traits.Anchor), w.app.Clock, w.zoneOf).Watching(sqlstore.NewForecasts(w.store), w.app.ids.Next).Telling(w.tellAnomaly)
}

// tellAnomaly tells whoever watches a figure, and whoever the watch names, that it was not what was expected: once for each period, in their language.
func (w *workspace) tellAnomaly(ctx context.Context, v forecast.Watch, s forecast.Said) error {
	if s.Came == nil {
		return nil
	}
	var errs []error
	for _, user := range append([]id.ID{v.By}, v.Told...) {
		if user != 0 {
			errs = append(errs, w.tellOfAnomaly(ctx, user, v, s))
		}
	}
	return errors.Join(errs...)
}

// tellOfAnomaly tells one person; who left or may not read figures hears nothing.
func (w *workspace) tellOfAnomaly(ctx context.Context, user id.ID, v forecast.Watch, s forecast.Said) error {
	p, ok, err := members{w.app, w.info.Key}.Person(ctx, user)
	if err != nil || !ok || p.Disabled {
		return err
	}
	theirs, err := w.as(ctx, user)
	if fault.KindOf(err) == fault.Forbidden || err == nil && !access.From(theirs).Can(access.ReportRead) {
		return nil
	}
	if err != nil {
		return err
	}
	locale := lang.Locale(p.Locale)
	if locale == "" {
		locale = lang.ChineseSimplified
	}
	number := func(x int64) string {
		switch v.Figure {
		case forecast.Revenue, forecast.Basket:
			return money.Money{Amount: x, Currency: w.info.Currency}.Decimal() + " " + w.info.Currency
		case forecast.Quantity:
			return strconv.FormatFloat(math.Round(float64(x)/1000), 'f', 0, 64)
		}
		return strconv.FormatInt(x, 10)
	}
	days := s.From.String()
	if s.To != s.From {
		days += " – " + s.To.String()
	}
	text := w.app.words.Text(locale, "forecast.odd", map[string]any{"figure": w.app.words.Text(locale, "forecast.odd_"+string(v.Figure), nil), "slice": w.sliceName(ctx, v.Slice), "days": days,
		"came": number(*s.Came), "low": number(s.Low95), "high": number(s.High95)})
	once := "odd:" + id.Format("fcw", v.ID) + ":" + s.From.String()
	if user != v.By {
		once += ":" + id.Format("usr", user)
	}
	return w.talk.Tell(system(ctx), talk.Notification{User: user, Kind: talk.Anomaly, ByKind: access.BySystem, Detail: talk.Detail{Text: strings.TrimSpace(text)},
		Once: once})
}

// sliceName is what a slice of a figure is called; "" for all of it.
func (w *workspace) sliceName(ctx context.Context, s forecast.Slice) string {
	if s.Dimension == forecast.Total || s.Value == "" {
		return ""
	}
	n, err := strconv.ParseInt(s.Value, 10, 64)
	if err != nil {
		return "(" + s.Value + ")"
	}
	refs := []record.Ref{{Object: string(s.Dimension), ID: id.ID(n)}}
	if err := w.records.Titles(system(ctx), refs); err != nil || refs[0].Title == "" {
		return ""
	}
	return "(" + refs[0].Title + ")"
}
