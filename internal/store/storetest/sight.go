package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// testSight: who sees much and who sees little of an object get the same pages and counts as by asking for it themselves, in each order,
// with a condition of their own and without.
func testSight(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	rows := make([]record.Row, 6000)
	for i := range rows {
		level := "a"
		if i%12 == 0 {
			level = "b"
		}
		rows[i] = w.Row(w.Customer, map[string]any{"name": []string{"李", "王", "b"}[i%3], "name_fold": []string{"李", "王", "b"}[i%3], "name_sort": []string{"李", "王", "b"}[i%3], "level": level, "points": int64(i % 50)})
	}
	w.Insert(w.Customer, rows...)
	asked := parse(t, `{"field":"name","op":"=","value":"李"}`)
	for _, level := range []string{"a", "b"} {
		own := parse(t, `{"field":"level","op":"=","value":"`+level+`"}`)
		c, err := query.Resolve(own, query.CheckEnv{Registry: w.Reg, Object: "customer"})
		if err != nil {
			t.Fatal(err)
		}
		limits := &query.Limits{Rows: c.Root, Of: func(*schema.Object) query.Expr { return nil }}
		for _, where := range []*query.Node{nil, asked} {
			both := own
			if where != nil {
				both = &query.Node{All: []*query.Node{own, where}}
			}
			for _, sort := range [][]schema.Sort{{{Field: "created_at", Desc: true}}, {{Field: "name"}}, {{Field: "level"}, {Field: "points", Desc: true}}} {
				w.View(func(ctx context.Context, r record.Reader) error {
					want, err := r.Select(ctx, w.Customer, record.Selection{Where: both, Sort: sort, Limit: 60, Offset: 30})
					if err != nil {
						return err
					}
					got, err := r.Select(ctx, w.Customer, record.Selection{Where: where, Limits: limits, Sort: sort, Limit: 60, Offset: 30})
					if err != nil {
						return err
					}
					if a, b := keysOf(got), keysOf(want); len(a) != 60 || !slices.Equal(a, b) {
						t.Errorf("%s by %v:\n got %v\nwant %v", level, sort, a, b)
					}
					n, err := r.Count(ctx, w.Customer, record.Selection{Where: both}, 0)
					if err != nil {
						return err
					}
					m, err := r.Count(ctx, w.Customer, record.Selection{Where: where, Limits: limits}, 0)
					if m != n || n == 0 {
						t.Errorf("%s counts %d of %d", level, m, n)
					}
					return err
				})
			}
		}
	}
}

func parse(t *testing.T, text string) *query.Node {
	t.Helper()
	n, err := query.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func keysOf(rows []record.Row) []id.ID {
	out := make([]id.ID, len(rows))
	for i := range rows {
		out[i] = rows[i].ID
	}
	return out
}
