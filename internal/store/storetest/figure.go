package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// testFigures compares counts and measures by groups with those of the rows themselves.
func testFigures(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	live := fillPages(w)
	column := func(r *record.Row, name string) any {
		for i, c := range w.Customer.Columns() {
			if c.Name == name {
				return r.Cols[i]
			}
		}
		return nil
	}
	measures := []query.Measure{{Func: "sum", Field: "spent"}, {Func: "min", Field: "points"}, {Func: "max", Field: "points"}, {Func: "filled", Field: "name"}}
	for field, name := range map[string]string{"level": "level", "active": "active", "": ""} {
		var groups []query.Group
		if field != "" {
			groups = []query.Group{{Field: field}}
		}
		f, err := query.ResolveFigures(groups, measures, query.CheckEnv{Registry: w.Reg, Object: "customer"})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		byKey := map[string][]record.Row{}
		for _, r := range live {
			key := ""
			if name != "" {
				key = fmt.Sprint(column(&r, name))
			}
			byKey[key] = append(byKey[key], r)
		}
		for key, rows := range byKey {
			var sum, spent, named int64
			points := []int64{}
			for i := range rows {
				if v, ok := column(&rows[i], "spent_base").(int64); ok {
					sum, spent = sum+v, spent+1
				}
				if column(&rows[i], "name") != nil {
					named++
				}
				points = append(points, column(&rows[i], "points").(int64))
			}
			want[key] = fmt.Sprint(len(rows), sum, spent > 0, spent, slices.Min(points), slices.Max(points), named)
		}
		got := map[string]string{}
		w.View(func(ctx context.Context, r record.Reader) error {
			rows, err := r.Figures(ctx, f, record.Selection{}, 100)
			for _, row := range rows {
				key := ""
				if len(row.Keys) == 1 {
					key = fmt.Sprint(row.Keys[0])
					if n, ok := row.Keys[0].(int64); ok && name == "active" {
						key = fmt.Sprint(n != 0)
					}
				}
				c := row.Cells
				got[key] = fmt.Sprint(row.Count, c[0].Value, c[0].Some, c[0].Filled, c[1].Value, c[2].Value, c[3].Filled)
			}
			return err
		})
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("by %q:\n got %v\nwant %v", field, got, want)
		}
	}
	testFiguresByRecord(t, w)
}

// testFiguresByRecord counts orders of customers: the most first, no further than asked.
func testFiguresByRecord(t *testing.T, w *World) {
	var orders []record.Row
	for n := int64(1); n <= 4; n++ {
		for range n {
			orders = append(orders, w.Row(w.Order, map[string]any{"customer": 1000 + n, "net_base": n}))
		}
	}
	orders = append(orders, w.Row(w.Order, map[string]any{"customer": int64(0)}))
	w.Insert(w.Order, orders...)
	f, err := query.ResolveFigures([]query.Group{{Field: "customer"}}, []query.Measure{{Func: "sum", Field: "net"}}, query.CheckEnv{Registry: w.Reg, Object: "order"})
	if err != nil {
		t.Fatal(err)
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		for limit, want := range map[int]string{100: "[1004 4 16] [1003 3 9] [1002 2 4] [1001 1 1] [<nil> 1 0]", 2: "[1004 4 16] [1003 3 9]"} {
			rows, err := r.Figures(ctx, f, record.Selection{}, limit)
			if err != nil {
				return err
			}
			slices.SortFunc(rows, func(a, b record.FigureRow) int {
				return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Cells[0].Value, a.Cells[0].Value))
			})
			got := ""
			for _, row := range rows {
				got += fmt.Sprintf("[%v %d %d] ", row.Keys[0], row.Count, row.Cells[0].Value)
			}
			if got != want+" " {
				t.Errorf("limit %d:\n got %s\nwant %s", limit, got, want)
			}
		}
		return nil
	})
}
