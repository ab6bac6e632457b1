package analytics_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Figures are the same whichever plane answers, for every kind of group and every measure.
func TestBothPlanesGiveTheSameFigures(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	crowd(t, e)
	env := func() compile.Env {
		return compile.Env{Registry: e.reg, Now: e.clock.Now(), Zone: time.UTC, Base: "CNY"}
	}
	records := sqlstore.New(sqlstore.Config{DB: e.records.DB(), Env: env, Clock: e.clock})
	broad := analytics.NewAudience(e.store, env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
	measures := map[string][]query.Measure{
		"customer": {{Func: "count"}, {Func: "sum", Field: "height_cm"}, {Func: "avg", Field: "height_cm"}, {Func: "min", Field: "height_cm"},
			{Func: "max", Field: "created_at"}, {Func: "filled", Field: "note"}, {Func: "filled", Field: "phone"}, {Func: "empty", Field: "region"}, {Func: "has", Field: "tags", Value: "vip"}},
		"order": {{Func: "sum", Field: "net_amount"}, {Func: "min", Field: "placed_at"}, {Func: "filled", Field: "customer"}, {Func: "filled", Field: "customer.region"}},
	}
	groups := map[string][][]query.Group{
		"customer": {nil, {{Field: "source"}}, {{Field: "region"}}, {{Field: "created_at", By: "day"}}, {{Field: "owner"}}, {{Field: "kind"}, {Field: "region", By: "city"}}},
		"order":    {nil, {{Field: "customer"}}, {{Field: "placed_at", By: "quarter"}}, {{Field: "customer.region", By: "district"}}, {{Field: "customer.kind"}, {Field: "status"}}},
	}
	conditions := map[string][]string{
		"customer": {"", `{"field":"note","op":"contains","value":"连衣"}`, `{"field":"name","op":"=","value":"nobody"}`},
		"order":    {"", `{"field":"customer.kind","op":"=","value":"company"}`},
	}
	for object, sets := range groups {
		for _, set := range sets {
			f, err := query.ResolveFigures(set, measures[object], query.CheckEnv{Registry: e.reg, Object: object})
			must(t, err)
			for _, text := range conditions[object] {
				var where *query.Node
				if text != "" {
					where, err = query.Parse([]byte(text))
					must(t, err)
				}
				var want []record.FigureRow
				must(t, records.View(t.Context(), func(r record.Reader) (err error) {
					want, err = r.Figures(t.Context(), f, record.Selection{Where: where}, 1000)
					return err
				}))
				got, err := broad.Figures(t.Context(), f, where, nil, 1000)
				must(t, err)
				if a, b := lines(got), lines(want); !slices.Equal(a, b) {
					t.Errorf("%s by %v where %s:\n got %v\nwant %v", object, set, text, a, b)
				}
			}
		}
	}
}

// lines are rows in a form that can be compared: engines give groups in any order.
func lines(rows []record.FigureRow) []string {
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = fmt.Sprintf("%v %d %v", rows[i].Keys, rows[i].Count, rows[i].Cells)
	}
	slices.Sort(out)
	return out
}
