package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
)

// Forecasts implements forecast.Keeper.
type Forecasts struct{ store *Store }

var _ forecast.Keeper = (*Forecasts)(nil)

// NewForecasts keeps watched figures in a Store.
func NewForecasts(s *Store) *Forecasts { return &Forecasts{store: s} }

const (
	watchList   = `SELECT id, figure, dimension, value, period, created_by, created_at, told FROM forecast_watch ORDER BY id`
	watchAdd    = `INSERT INTO forecast_watch (id, figure, dimension, value, period, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	watchTell   = `UPDATE forecast_watch SET told = ? WHERE id = ?`
	watchDrop   = `DELETE FROM forecast_watch WHERE id = ?`
	watchForget = `DELETE FROM forecast_said WHERE watch_id = ?`
	watchSaid   = `SELECT from_day, to_day, made_day, method, mean, low80, high80, low95, high95, came FROM forecast_said WHERE watch_id = ? ORDER BY from_day`
	// What was said once stays; only what came is added.
	watchSay = `INSERT INTO forecast_said (watch_id, from_day, to_day, made_day, method, mean, low80, high80, low95, high95, came) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (watch_id, from_day) DO UPDATE SET came = excluded.came`
)

// Watches implements forecast.Keeper.
func (f *Forecasts) Watches(ctx context.Context) (out []forecast.Watch, err error) {
	err = f.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var w forecast.Watch
			var key, by, at int64
			var told string
			if err := rows.Scan(&key, &w.Figure, &w.Slice.Dimension, &w.Slice.Value, &w.Period, &by, &at, &told); err != nil {
				return err
			}
			for text := range strings.SplitSeq(told, ",") {
				if n, err := strconv.ParseInt(text, 10, 64); err == nil {
					w.Told = append(w.Told, id.ID(n))
				}
			}
			w.ID, w.By, w.At = id.ID(key), id.ID(by), time.UnixMilli(at).UTC()
			out = append(out, w)
			return nil
		}, watchList)
	})
	return out, err
}

// Add implements forecast.Keeper.
func (f *Forecasts) Add(ctx context.Context, w forecast.Watch) error {
	return f.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, watchAdd, int64(w.ID), string(w.Figure), string(w.Slice.Dimension), w.Slice.Value, string(w.Period), int64(w.By), w.At.UnixMilli())
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "forecast.watched", nil)
		}
		return err
	})
}

// Tell implements forecast.Keeper.
func (f *Forecasts) Tell(ctx context.Context, watch id.ID, users []id.ID) error {
	texts := make([]string, len(users))
	for i, u := range users {
		texts[i] = strconv.FormatInt(int64(u), 10)
	}
	return f.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, watchTell, strings.Join(texts, ","), int64(watch))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "forecast.no_watch", nil)
		}
		return err
	})
}

// Drop implements forecast.Keeper.
func (f *Forecasts) Drop(ctx context.Context, watch id.ID) error {
	return f.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, watchForget, int64(watch)); err != nil {
			return err
		}
		n, err := c.Exec(ctx, watchDrop, int64(watch))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "forecast.no_watch", nil)
		}
		return err
	})
}

// Said implements forecast.Keeper.
func (f *Forecasts) Said(ctx context.Context, watch id.ID) (out []forecast.Said, err error) {
	err = f.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var s forecast.Said
			var from, to, made int64
			var came sql.NullInt64
			if err := rows.Scan(&from, &to, &made, &s.Method, &s.Mean, &s.Low80, &s.High80, &s.Low95, &s.High95, &came); err != nil {
				return err
			}
			s.From, s.To, s.Made = clock.Day(from), clock.Day(to), clock.Day(made) //nolint:gosec // calendar days
			if came.Valid {
				s.Came = &came.Int64
			}
			out = append(out, s)
			return nil
		}, watchSaid, int64(watch))
	})
	return out, err
}

// Say implements forecast.Keeper.
func (f *Forecasts) Say(ctx context.Context, watch id.ID, list []forecast.Said) error {
	if len(list) == 0 {
		return nil
	}
	return f.store.Write(ctx, func(c Conn) error {
		for _, s := range list {
			var came any
			if s.Came != nil {
				came = *s.Came
			}
			if _, err := c.Exec(ctx, watchSay, int64(watch), int64(s.From), int64(s.To), int64(s.Made), s.Method, s.Mean, s.Low80, s.High80, s.Low95, s.High95, came); err != nil {
				return err
			}
		}
		return nil
	})
}
