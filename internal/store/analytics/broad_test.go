package analytics_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// crowd fills a workspace with customers and orders of few different values, many of them missing.
func crowd(t *testing.T, e *embedded) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	one := func(values ...any) any { return values[rnd.IntN(len(values))] }
	var people, orders []record.Row
	for n := int64(1); n <= 300; n++ {
		name, note := one("王伟", "王芳", "李娜", "Anna", nil), one("喜欢连衣裙", "老客户", nil)
		r := e.row("customer", n, 1, map[string]any{"kind": one("person", "company"), "name": name, "name_fold": name, "name_sort": name,
			"source": one("store", "wechat", nil), "height_cm": one(int64(1600), int64(1700), nil), "region": one("440106", "440305", "110101", nil),
			"note": note, "note_fold": note, "tags": one("|vip|", "|new|vip|", "|new|", nil)})
		r.CreatedAt = 1000 + int64(rnd.IntN(50))
		people = append(people, r)
	}
	for n := int64(1001); n <= 1500; n++ {
		orders = append(orders, e.order(n, int64(rnd.IntN(301)), 1, int64(rnd.IntN(40)*100)))
	}
	e.put(t, "customer", change.Create, people...)
	e.put(t, "order", change.Create, orders...)
	must(t, e.mirror.Drain(t.Context()))
}

// A page of a list is the same whichever plane answers: ids, order, cursors, offsets and counts.
func TestBothPlanesGiveTheSamePages(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t, registry(t))
	crowd(t, e)
	env := func() compile.Env {
		return compile.Env{Registry: e.reg, Now: e.clock.Now(), Zone: time.UTC, Base: "CNY"}
	}
	records := sqlstore.New(sqlstore.Config{DB: e.records.DB(), Env: env, Clock: e.clock})
	broad := analytics.NewAudience(e.store, env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
	conditions := map[string][]string{
		"customer": {
			`{"field":"kind","op":"=","value":"person"}`,
			`{"field":"note","op":"contains","value":"连衣"}`,
			`{"all":[{"field":"height_cm","op":">=","value":165},{"not":{"field":"source","op":"=","value":"store"}}]}`,
			`{"any":[{"field":"region","op":"in","value":["440000"]},{"field":"source","op":"is_not_set"}]}`,
			`{"field":"name","op":"=","value":"nobody"}`,
		},
		"order": {`{"field":"customer.region","op":"in","value":["440000"]}`, `{"field":"customer","op":"is_not_set"}`, `{"field":"customer.kind","op":"=","value":"company"}`},
	}
	sorts := map[string][]schema.Sort{
		"customer": {{Field: "created_at", Desc: true}, {Field: "name"}, {Field: "height_cm", Desc: true}, {Field: "source"}, {Field: "id"}},
		"order":    {{Field: "placed_at", Desc: true}, {Field: "net_amount"}, {Field: "customer"}},
	}
	for object, list := range conditions {
		obj := e.reg.Object(object)
		for _, text := range list {
			where, err := query.Parse([]byte(text))
			must(t, err)
			for _, s := range sorts[object] {
				for _, sel := range []record.Selection{{Limit: 23}, {Limit: 40, Offset: 35}, {Limit: 500}} {
					sel.Where, sel.Sort = where, []schema.Sort{s}
					same(t, records, broad, obj, sel, fmt.Sprintf("%s %s by %s, %d from %d", object, text, s.Field, sel.Limit, sel.Offset))
				}
			}
		}
	}
}

// same walks a list page by page on the records and asks the other plane for each page.
func same(t *testing.T, records *sqlstore.Store, broad *analytics.Audience, obj *schema.Object, sel record.Selection, what string) {
	t.Helper()
	for page := 0; ; page++ {
		var rows []record.Row
		var all, capped int
		must(t, records.View(t.Context(), func(r record.Reader) (err error) {
			if rows, err = r.Select(t.Context(), obj, sel); err != nil {
				return err
			}
			if all, err = r.Count(t.Context(), obj, sel, 0); err != nil {
				return err
			}
			capped, err = r.Count(t.Context(), obj, sel, 20)
			return err
		}))
		want := make([]id.ID, len(rows))
		for i := range rows {
			want[i] = rows[i].ID
		}
		got, err := broad.Select(t.Context(), obj, sel)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Fatalf("%s, page %d:\n got %v\nwant %v", what, page, got, want)
		}
		for limit, n := range map[int]int{0: all, 20: capped} {
			if m, err := broad.CountUpTo(t.Context(), obj, sel.Where, sel.Limits, limit); err != nil || m != n {
				t.Fatalf("%s: %d counted up to %d, want %d (%v)", what, m, limit, n, err)
			}
		}
		if len(rows) < sel.Limit {
			return
		}
		last := &rows[len(rows)-1]
		sel.Offset, sel.After = 0, nil
		keys, err := compile.SortKeys(obj, sel.Sort)
		must(t, err)
		for _, k := range keys {
			switch {
			case k.Column == "id":
				sel.After = append(sel.After, last.ID)
			case k.Index < 0:
				sel.After = append(sel.After, last.CreatedAt)
			default:
				sel.After = append(sel.After, last.Cols[k.Index])
			}
		}
	}
}
