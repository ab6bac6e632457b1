package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
)

// Forecasts implements forecast.Facts from the facts of buying.
type Forecasts struct {
	db     DB
	anchor func(context.Context) (clock.Day, error)
}

var _ forecast.Facts = (*Forecasts)(nil)

// NewForecasts answers from db; anchor says which day analysis ends on.
func NewForecasts(db DB, anchor func(context.Context) (clock.Day, error)) *Forecasts {
	return &Forecasts{db: db, anchor: anchor}
}

// Anchor implements forecast.Facts.
func (f *Forecasts) Anchor(ctx context.Context) (clock.Day, error) { return f.anchor(ctx) }

const (
	forecastFirst = `SELECT min(day) FROM f_purchase`
	// The traits know who purchased first when.
	forecastNewcomers = `SELECT count(*) FROM t_order WHERE first_order_day >= CAST($1 AS BIGINT) AND first_order_day <= CAST($2 AS BIGINT)`
	forecastDays      = ` WHERE l.day >= CAST($1 AS BIGINT) AND l.day <= CAST($2 AS BIGINT)`
)

// forecastKeys are the values of dimensions as texts; none is ”.
var forecastKeys = map[forecast.Dimension]string{
	forecast.Product:  "COALESCE(CAST(NULLIF(l.product_id, 0) AS TEXT), '')",
	forecast.Category: "COALESCE(l.category, '')",
	forecast.Brand:    "COALESCE(l.brand, '')",
	forecast.Channel:  "COALESCE(CAST(NULLIF(p.channel_id, 0) AS TEXT), '')",
	forecast.Place:    "COALESCE(CAST(NULLIF(p.store_id, 0) AS TEXT), '')",
	forecast.Region:   "COALESCE(substr(c.region, 1, 2) || '0000', '')",
}

// forecastFrom are the facts that dimensions and figures stand in: the lines (l) when something is asked of what was bought, else the orders,
// under both names (l, p) so that texts are alike.
func forecastFrom(lines bool, dims []forecast.Dimension) string {
	orders, customers := false, false
	for _, d := range dims {
		lines = lines || d.OfLines()
		orders = orders || d == forecast.Channel || d == forecast.Place
		customers = customers || d == forecast.Region
	}
	from := " FROM f_purchase l"
	if lines {
		from = " FROM f_purchase_line l"
	}
	if orders && lines {
		from += " JOIN f_purchase p ON p.order_id = l.order_id AND p.customer_id = l.customer_id"
	}
	if customers {
		from += " JOIN a_customer c ON c.id = l.customer_id"
	}
	return from
}

// forecastKey is a dimension's value in the names of forecastFrom.
func forecastKey(d forecast.Dimension, lines bool) string {
	key := forecastKeys[d]
	if !lines {
		key = strings.ReplaceAll(key, "p.", "l.")
	}
	return key
}

func forecastLines(figure forecast.Figure, dims []forecast.Dimension) bool {
	for _, d := range dims {
		if d.OfLines() {
			return true
		}
	}
	return figure == forecast.Quantity
}

func forecastMeasure(figure forecast.Figure, lines bool) string {
	switch figure {
	case forecast.Orders:
		if lines {
			return "count(DISTINCT l.order_id)"
		}
		return "count(*)"
	case forecast.Customers:
		return "count(DISTINCT l.customer_id)"
	case forecast.Quantity:
		return "CAST(COALESCE(sum(l.quantity), 0) AS BIGINT)"
	}
	return "CAST(COALESCE(sum(l.amount), 0) AS BIGINT)"
}

// forecastStep is the first day of a period, for months their number: year*12+month-1.
func forecastStep(p forecast.Period) string {
	switch p {
	case forecast.Week:
		return "l.day - (l.day + 3) % 7"
	case forecast.Month:
		return "CAST(extract(year FROM DATE '1970-01-01' + CAST(l.day AS INTEGER)) AS BIGINT) * 12 + CAST(extract(month FROM DATE '1970-01-01' + CAST(l.day AS INTEGER)) AS BIGINT) - 1"
	}
	return "l.day"
}

// seriesText sums a figure by period; with a dimension its value is the parameter 3.
func seriesText(figure forecast.Figure, d forecast.Dimension, p forecast.Period) string {
	var dims []forecast.Dimension
	where := ""
	if d != forecast.Total {
		dims = []forecast.Dimension{d}
	}
	lines := forecastLines(figure, dims)
	if d != forecast.Total {
		where = " AND " + forecastKey(d, lines) + " = CAST($3 AS TEXT)"
	}
	step := forecastStep(p)
	return "SELECT " + step + " AS step, " + forecastMeasure(figure, lines) + forecastFrom(lines, dims) + forecastDays + where + " GROUP BY " + step + " ORDER BY step"
}

func valuesOfText(d forecast.Dimension) string {
	dims := []forecast.Dimension{d}
	lines := forecastLines(forecast.Revenue, dims)
	key := forecastKey(d, lines)
	return "SELECT " + key + " AS name, CAST(sum(l.amount) AS BIGINT) AS revenue" + forecastFrom(lines, dims) + forecastDays + " GROUP BY " + key + " ORDER BY revenue DESC, name LIMIT CAST($3 AS BIGINT)"
}

// cellsText sums everything by up to two dimensions. Quantity stands in lines: of orders it is asked apart (quantityText).
func cellsText(dims []forecast.Dimension) string {
	lines := forecastLines(forecast.Revenue, dims)
	quantity := "0"
	if lines {
		quantity = forecastMeasure(forecast.Quantity, true)
	}
	return forecastGroups(dims, lines, forecastMeasure(forecast.Revenue, lines)+", "+forecastMeasure(forecast.Orders, lines)+", "+forecastMeasure(forecast.Customers, lines)+", "+quantity)
}

func quantityText(dims []forecast.Dimension) string {
	return forecastGroups(dims, true, forecastMeasure(forecast.Quantity, true))
}

func forecastGroups(dims []forecast.Dimension, lines bool, measures string) string {
	keys := []string{"''", "''"}
	var groups []string
	for i, d := range dims {
		keys[i] = forecastKey(d, lines)
		groups = append(groups, keys[i])
	}
	text := "SELECT " + strings.Join(keys, ", ") + ", " + measures + forecastFrom(lines, dims) + forecastDays
	if len(groups) > 0 {
		text += " GROUP BY " + strings.Join(groups, ", ")
	}
	return text
}

// ForecastTexts are all statements of forecasts and of groups, for the test that prepares every text.
func ForecastTexts() []Text {
	out := []Text{{"first purchase", forecastFirst}, {"newcomers", forecastNewcomers}, {"cells", cellsText(nil)}, {"cells, quantity", quantityText(nil)}}
	all := append([]forecast.Dimension{forecast.Total}, forecast.Dimensions()...)
	for i, d := range all {
		for _, f := range []forecast.Figure{forecast.Revenue, forecast.Orders, forecast.Customers, forecast.Quantity} {
			for _, p := range []forecast.Period{forecast.Day, forecast.Week, forecast.Month} {
				out = append(out, Text{fmt.Sprintf("series of %s by %s, %s", f, d, p), seriesText(f, d, p)})
			}
		}
		if d == forecast.Total {
			continue
		}
		one := []forecast.Dimension{d}
		out = append(out, Text{"values of " + string(d), valuesOfText(d)}, Text{"cells of " + string(d), cellsText(one)}, Text{"quantity of " + string(d), quantityText(one)})
		for _, e := range all[i+1:] {
			two := []forecast.Dimension{d, e}
			out = append(out, Text{"cells of " + string(d) + ", " + string(e), cellsText(two)}, Text{"quantity of " + string(d) + ", " + string(e), quantityText(two)})
		}
	}
	return append(append(out, clusterTexts()...), actionTexts()...)
}

// First implements forecast.Facts.
func (f *Forecasts) First(ctx context.Context) (day clock.Day, ok bool, err error) {
	var first sql.NullInt64
	if _, err := one(ctx, f.db, forecastFirst, nil, &first); err != nil {
		return 0, false, fmt.Errorf("first purchase: %w", err)
	}
	return clock.Day(first.Int64), first.Valid, nil
}

// Newcomers implements forecast.Facts.
func (f *Forecasts) Newcomers(ctx context.Context, from, to clock.Day) (n int64, err error) {
	if _, err := one(ctx, f.db, forecastNewcomers, []any{int64(from), int64(to)}, &n); err != nil {
		return 0, fmt.Errorf("count newcomers: %w", err)
	}
	return n, nil
}

// Series implements forecast.Facts.
func (f *Forecasts) Series(ctx context.Context, figure forecast.Figure, s forecast.Slice, p forecast.Period, from, to clock.Day) (out []forecast.Point, err error) {
	args := []any{int64(from), int64(to)}
	if s.Dimension != forecast.Total {
		args = append(args, s.Value)
	}
	err = wide(ctx, f.db, func(q Querier) error {
		return each(ctx, q, seriesText(figure, s.Dimension, p), args, func(r *sql.Rows) error {
			var step, value int64
			if err := r.Scan(&step, &value); err != nil {
				return err
			}
			day := clock.Day(step)
			if p == forecast.Month {
				day = monthDay(step)
			}
			out = append(out, forecast.Point{Day: day, Value: value})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("sum %s by %s: %w", figure, p, err)
	}
	return out, nil
}

// Values implements forecast.Facts.
func (f *Forecasts) Values(ctx context.Context, d forecast.Dimension, from, to clock.Day, limit int) (out []forecast.Value, err error) {
	err = wide(ctx, f.db, func(q Querier) error {
		return each(ctx, q, valuesOfText(d), []any{int64(from), int64(to), int64(limit)}, func(r *sql.Rows) error {
			var v forecast.Value
			err := r.Scan(&v.Key, &v.Revenue)
			out = append(out, v)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("values of %s: %w", d, err)
	}
	return out, nil
}

// Cells implements forecast.Facts.
func (f *Forecasts) Cells(ctx context.Context, dims []forecast.Dimension, from, to clock.Day) (out []forecast.Cell, err error) {
	span := []any{int64(from), int64(to)}
	at := map[[2]string]int{}
	err = wide(ctx, f.db, func(q Querier) error {
		err := each(ctx, q, cellsText(dims), span, func(r *sql.Rows) error {
			var c forecast.Cell
			if err := r.Scan(&c.Keys[0], &c.Keys[1], &c.Revenue, &c.Orders, &c.Customers, &c.Quantity); err != nil {
				return err
			}
			at[c.Keys] = len(out)
			out = append(out, c)
			return nil
		})
		if err != nil || forecastLines(forecast.Revenue, dims) {
			return err
		}
		return each(ctx, q, quantityText(dims), span, func(r *sql.Rows) error {
			var keys [2]string
			var quantity int64
			if err := r.Scan(&keys[0], &keys[1], &quantity); err != nil {
				return err
			}
			if i, ok := at[keys]; ok {
				out[i].Quantity = quantity
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("sum by %v: %w", dims, err)
	}
	return out, nil
}

// monthDay is the first day of a month by its number.
func monthDay(number int64) clock.Day {
	return clock.NewDay(int(number/12), time.Month(number%12+1), 1)
}
