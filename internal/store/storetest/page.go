package storetest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// fillPages stores rows full of ties and of missing values.
func fillPages(w *World) []record.Row {
	rng := rand.New(rand.NewPCG(1, 2))
	maybe := func(v any) any {
		if rng.IntN(4) == 0 {
			return nil
		}
		return v
	}
	rows := make([]record.Row, 120)
	for i := range rows {
		name := maybe([]string{"ah", "ah", "b", "李", "王", "Z"}[rng.IntN(6)])
		rows[i] = w.Row(w.Customer, map[string]any{"name": name, "name_fold": name, "name_sort": name, "spent_base": maybe(int64(rng.IntN(5) - 2)),
			"level": maybe([]string{"a", "b"}[rng.IntN(2)]), "active": maybe(rng.IntN(2) == 0), "points": int64(i)})
		rows[i].CreatedAt += int64(rng.IntN(3))
		if rng.IntN(10) == 0 {
			rows[i].DeletedAt = 1
		}
	}
	w.Insert(w.Customer, rows...)
	return slices.DeleteFunc(rows, func(r record.Row) bool { return r.DeletedAt != 0 })
}

func testPages(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	live := fillPages(w)
	if err := w.Store.Tune(t.Context()); err != nil {
		t.Fatal(err)
	}
	sorts := [][]schema.Sort{
		nil,
		{{Field: "name"}},
		{{Field: "spent"}},
		{{Field: "active"}},
		{{Field: "created_at"}},
		{{Field: "created_by"}},
		{{Field: "level"}, {Field: "spent"}},
		{{Field: "level"}, {Field: "spent", Desc: true}, {Field: "name"}},
		{{Field: "created_at"}, {Field: "name", Desc: true}},
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		for _, sort := range sorts {
			for _, flip := range []bool{false, true} {
				sort := slices.Clone(sort)
				for i := range sort {
					sort[i].Desc = sort[i].Desc != flip
				}
				checkPages(ctx, t, w, r, sort, live)
			}
		}
		_, err := r.Select(ctx, w.Customer, record.Selection{Sort: []schema.Sort{{Field: "phone"}}, Limit: 1})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("sorting by a personal field: %v", err)
		}
		_, err = r.Select(ctx, w.Customer, record.Selection{After: []any{"x"}, Limit: 1})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("a cursor without an id: %v", err)
		}
		return nil
	})
}

// checkPages walks a sort in pages by cursor and by offset and compares with the naive sort.
func checkPages(ctx context.Context, t *testing.T, w *World, r record.Reader, sort []schema.Sort, live []record.Row) {
	t.Helper()
	want := slices.Clone(live)
	slices.SortFunc(want, func(a, b record.Row) int { return naive(w.Customer, sort, a, b) })
	var got []id.ID
	sel := record.Selection{Sort: sort, Limit: 7}
	for {
		rows, err := r.Select(ctx, w.Customer, sel)
		if err != nil {
			t.Fatalf("%v: %v", sort, err)
		}
		for _, row := range rows {
			got = append(got, row.ID)
		}
		if len(rows) < sel.Limit {
			break
		}
		last := rows[len(rows)-1]
		sel.After = nil
		for _, s := range sort {
			sel.After = append(sel.After, sortValue(w.Customer, s.Field, last))
		}
		sel.After = append(sel.After, last.ID)
	}
	ids := make([]id.ID, len(want))
	for i, row := range want {
		ids[i] = row.ID
	}
	if !slices.Equal(got, ids) {
		t.Errorf("sorted by %v:\n got %v\nwant %v", sort, got, ids)
	}
	for _, offset := range []int{1, 40, 90, len(ids) - 1, len(ids), 500} {
		rows, err := r.Select(ctx, w.Customer, record.Selection{Sort: sort, Limit: 25, Offset: offset})
		if err != nil {
			t.Fatal(err)
		}
		from, to := min(offset, len(ids)), min(offset+25, len(ids))
		if !slices.EqualFunc(rows, ids[from:to], func(row record.Row, v id.ID) bool { return row.ID == v }) {
			t.Errorf("sorted by %v from %d: %d rows, or in another order", sort, offset, len(rows))
		}
	}
}

func sortValue(obj *schema.Object, field string, r record.Row) any {
	switch field {
	case "created_at":
		return r.CreatedAt
	case "created_by":
		return nil
	case "spent":
		return r.Cols[obj.Offset("spent")+2] // the amount in base currency
	}
	col, _ := obj.SortColumn(field)
	for i, c := range obj.Columns() {
		if c.Name == col.Name {
			return r.Cols[i]
		}
	}
	return nil
}

// naive compares rows: no value comes last in both directions, the id goes with the first key.
func naive(obj *schema.Object, sort []schema.Sort, a, b record.Row) int {
	for _, s := range sort {
		x, y := sortValue(obj, s.Field, a), sortValue(obj, s.Field, b)
		if x == nil || y == nil {
			if (x == nil) != (y == nil) {
				if x == nil {
					return 1
				}
				return -1
			}
			continue
		}
		if c := compareValues(x, y); c != 0 {
			if s.Desc {
				return -c
			}
			return c
		}
	}
	c := cmp.Compare(a.ID, b.ID)
	if len(sort) == 0 || sort[0].Desc { // without a sort the newest comes first
		return -c
	}
	return c
}

func compareValues(x, y any) int {
	switch x := x.(type) {
	case int64:
		return cmp.Compare(x, y.(int64))
	case string:
		return cmp.Compare(x, y.(string))
	case bool:
		n := map[bool]int{true: 1}
		return cmp.Compare(n[x], n[y.(bool)])
	}
	panic(fmt.Sprintf("a %T is not sorted", x))
}

func testCounts(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	live := fillPages(w)
	w.View(func(ctx context.Context, r record.Reader) error {
		for _, tt := range []struct{ limit, want int }{{0, len(live)}, {10, 10}, {len(live), len(live)}, {1000, len(live)}} {
			n, err := r.Count(ctx, w.Customer, record.Selection{}, tt.limit)
			if err != nil || n != tt.want {
				t.Errorf("limit %d: %d, %v", tt.limit, n, err)
			}
		}
		n, err := r.Count(ctx, w.Customer, record.Selection{IDs: []id.ID{live[0].ID, live[1].ID, 5}}, 0)
		if err != nil || n != 2 {
			t.Errorf("of three ids: %d, %v", n, err)
		}
		n, err = r.Count(ctx, w.Customer, record.Selection{IDs: []id.ID{}}, 0)
		if err != nil || n != 0 {
			t.Errorf("of no ids: %d, %v", n, err)
		}
		return checkNarrow(ctx, t, w, r)
	})
}

// checkNarrow holds what is read of some columns, and of ids alone, against whole rows.
func checkNarrow(ctx context.Context, t *testing.T, w *World, r record.Reader) error {
	sel := record.Selection{Sort: []schema.Sort{{Field: "level"}}, Limit: 1000}
	whole, err := r.Select(ctx, w.Customer, sel)
	if err != nil {
		return err
	}
	places := []int{w.Customer.Offset("points"), w.Customer.Offset("level")}
	for _, columns := range [][]int{places, {}} {
		sel.Columns = columns
		some, err := r.Select(ctx, w.Customer, sel)
		if err != nil || len(some) != len(whole) {
			return errors.Join(err, fmt.Errorf("%d rows, not %d", len(some), len(whole)))
		}
		for i := range some {
			for _, c := range columns {
				if some[i].Cols[c] != whole[i].Cols[c] {
					t.Errorf("column %d of row %d: %v, not %v", c, i, some[i].Cols[c], whole[i].Cols[c])
				}
			}
			if some[i].ID != whole[i].ID || some[i].Version != whole[i].Version || some[i].CreatedAt != whole[i].CreatedAt || len(some[i].Cols) != len(whole[i].Cols) {
				t.Errorf("row %d: %+v, not %+v", i, some[i], whole[i])
			}
		}
	}
	sel.OnlyIDs = true
	ids, err := r.Select(ctx, w.Customer, sel)
	if err != nil || len(ids) != len(whole) {
		return errors.Join(err, fmt.Errorf("%d ids, not %d", len(ids), len(whole)))
	}
	for i := range ids {
		if ids[i].ID != whole[i].ID {
			t.Errorf("id %d: %d, not %d", i, ids[i].ID, whole[i].ID)
		}
	}
	return nil
}

func testWhere(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	live := fillPages(w)
	where, err := query.Parse([]byte(`{"all":[{"field":"level","op":"=","value":"a"},{"field":"name","op":"=","value":"李"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]id.ID, 0, len(live))
	var want []id.ID
	for i, r := range live {
		if i%2 == 0 {
			ids = append(ids, r.ID)
			if r.Cols[w.Customer.Offset("level")] == "a" && r.Cols[w.Customer.Offset("name")] == "李" {
				want = append(want, r.ID)
			}
		}
	}
	if len(want) == 0 {
		t.Fatal("nothing to find")
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		sel := record.Selection{Where: where, IDs: ids, Limit: 100, Sort: []schema.Sort{{Field: "spent"}}}
		rows, err := r.Select(ctx, w.Customer, sel)
		if err != nil {
			return err
		}
		got := make([]id.ID, 0, len(rows))
		for _, row := range rows {
			got = append(got, row.ID)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		n, err := r.Count(ctx, w.Customer, sel, 1000)
		if n != len(want) {
			t.Errorf("counted %d of %d", n, len(want))
		}
		return err
	})
}

// testRelated: a page by a condition over a relation holds what it should, where few records of the other object fulfil the
// condition and where many do, with a deleted one among them, from the start, after an offset and after a cursor.
func testRelated(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	const many, few = 15100, 30 // many are more than a store begins with
	customers, orders := make([]record.Row, 0, many+few), make([]record.Row, 0, many+few)
	for i := range many + few {
		level := "a"
		if i%(many/few+1) == 5 {
			level = "b"
		}
		c := w.Row(w.Customer, map[string]any{"level": level})
		if i%400 == 5 {
			c.DeletedAt = 1
		}
		customers = append(customers, c)
		o := w.Row(w.Order, map[string]any{"customer": int64(c.ID), "placed_at": int64((i * 7919) % 4001), "placed_at_day": int64(0)})
		if i%310 == 7 {
			o.DeletedAt = 1
		}
		orders = append(orders, o)
	}
	w.Insert(w.Customer, customers...)
	w.Insert(w.Order, orders...)
	at := w.Order.Offset("placed_at")
	for _, level := range []string{"a", "b"} {
		leaf := `{"field":"customer.level","op":"=","value":"` + level + `"}`
		for _, text := range []string{leaf, `{"all":[` + leaf + `]}`, `{"all":[` + leaf + `,{"field":"placed_at","op":"is_set"}]}`} {
			where, err := query.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			var want []record.Row
			for i, o := range orders {
				if customers[i].DeletedAt == 0 && o.DeletedAt == 0 && customers[i].Cols[w.Customer.Offset("level")] == level {
					want = append(want, o)
				}
			}
			for _, desc := range []bool{true, false} {
				slices.SortFunc(want, func(a, b record.Row) int {
					c := cmp.Or(cmp.Compare(a.Cols[at].(int64), b.Cols[at].(int64)), cmp.Compare(a.ID, b.ID))
					if desc {
						return -c
					}
					return c
				})
				w.View(func(ctx context.Context, r record.Reader) error {
					return checkRelated(ctx, t, w, r, record.Selection{Where: where, Limit: 8, Sort: []schema.Sort{{Field: "placed_at", Desc: desc}}}, want)
				})
			}
		}
	}
}

// testRegion: a page of a city holds what lies in it in the order of the list, from one index that holds both; an older one makes room.
func testRegion(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	const held = "ix_r_order_area_placed_at"
	w.exec(`DROP INDEX ` + held)
	w.exec(`CREATE INDEX ix_r_order_area ON r_order (area, id) WHERE deleted_at IS NULL AND area IS NOT NULL`)
	ran, err := w.Store.Ensure(t.Context(), w.Reg)
	if err != nil || len(ran) != 2 || !strings.Contains(ran[0], held) || ran[1] != `DROP INDEX "ix_r_order_area"` {
		t.Fatalf("%q, %v", ran, err)
	}
	areas := []string{"310101", "310115", "310000", "330106", "330100", "110105"}
	orders := make([]record.Row, 0, 900)
	for i := range 900 {
		o := w.Row(w.Order, map[string]any{"area": areas[i%len(areas)], "placed_at": int64((i * 7919) % 401), "placed_at_day": int64(0)})
		if i%31 == 7 {
			o.DeletedAt = 1
		}
		if i%37 == 3 {
			o.Cols[w.Order.Offset("area")] = nil
		}
		orders = append(orders, o)
	}
	w.Insert(w.Order, orders...)
	at, area := w.Order.Offset("placed_at"), w.Order.Offset("area")
	for _, asked := range []string{`"310100"`, `"310000"`, `"310115"`, `"330100","110000"`, `"440100"`} {
		where, err := query.Parse([]byte(`{"field":"area","op":"in","value":[` + asked + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		var want []record.Row
		for _, o := range orders {
			code, _ := o.Cols[area].(string)
			for part := range strings.SplitSeq(strings.ReplaceAll(asked, `"`, ""), ",") {
				prefix := strings.TrimSuffix(strings.TrimSuffix(part, "00"), "00")
				if o.DeletedAt == 0 && strings.HasPrefix(code, prefix) {
					want = append(want, o)
				}
			}
		}
		slices.SortFunc(want, func(a, b record.Row) int {
			return -cmp.Or(cmp.Compare(a.Cols[at].(int64), b.Cols[at].(int64)), cmp.Compare(a.ID, b.ID))
		})
		w.View(func(ctx context.Context, r record.Reader) error {
			return checkRelated(ctx, t, w, r, record.Selection{Where: where, Limit: 8, Sort: []schema.Sort{{Field: "placed_at", Desc: true}}}, want)
		})
	}
	err = w.Store.Read(t.Context(), func(c sqlstore.Conn) error {
		if c.Dialect().Name() != (dialect.SQLite{}).Name() {
			return nil
		}
		seeks, reads := int64(-1), map[int64]bool{}
		err := sqlstore.Each(t.Context(), c, func(r *sql.Rows) error {
			var at, p1, p2, p3 int64
			var op string
			var rest [3]any
			err := r.Scan(&at, &op, &p1, &p2, &p3, &rest[0], &rest[1], &rest[2])
			switch op {
			case "DeferredSeek": // the row of an entry of the index p1 is sought when a column of its table p3 is read
				seeks = p3
			case "Column":
				reads[p1] = true
			}
			return err
		}, `EXPLAIN SELECT t.id FROM r_order t WHERE t.deleted_at IS NULL AND (t.area >= ? AND t.area < ?) AND t.placed_at IS NOT NULL ORDER BY t.placed_at DESC, t.id DESC LIMIT ?`,
			"310100", "310200", int64(9))
		if seeks < 0 || reads[seeks] {
			t.Errorf("the page is found by reading records: cursor %d of %v", seeks, reads)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// checkRelated counts, and reads pages after offsets and after cursors.
func checkRelated(ctx context.Context, t *testing.T, w *World, r record.Reader, sel record.Selection, want []record.Row) error {
	n, err := r.Count(ctx, w.Order, sel, 0)
	if err != nil || n != len(want) {
		t.Errorf("counted %d of %d, %v", n, len(want), err)
	}
	at := w.Order.Offset("placed_at")
	for _, skip := range []int{0, 7, 19} {
		sel.Offset, sel.After = skip, nil
		for range 2 {
			rows, err := r.Select(ctx, w.Order, sel)
			if err != nil {
				return err
			}
			rest := want[min(skip, len(want)):]
			if got := rowIDs(rows); !slices.Equal(got, rowIDs(rest[:min(8, len(rest))])) {
				t.Errorf("%v from %d after %v: %v", sel.Where, skip, sel.After, got)
			}
			if len(rows) == 0 {
				break
			}
			last := rows[len(rows)-1]
			sel.Offset, sel.After = 0, []any{last.Cols[at], last.ID}
			skip += len(rows)
		}
	}
	return nil
}

func rowIDs(rows []record.Row) []id.ID {
	out := make([]id.ID, len(rows))
	for i := range rows {
		out[i] = rows[i].ID
	}
	return out
}
