package oracle_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

var sortable = map[string][]string{
	"customer": {"name", "note", "region", "level", "score", "credit", "vip", "joined", "seen_at", "birthday", "store", "owner", "number", "created_at", "updated_at", "created_by", "id"},
	"order":    {"placed_at", "amount", "status", "customer", "quantity"},
}

// stored is the value of a sort key in a record.
func (r *record) key(k compile.SortKey) any {
	if k.Index >= 0 {
		return whole(r.cols[k.Index])
	}
	switch k.Column {
	case "id":
		return int64(r.RecordID)
	case "created_at":
		return r.createdAt.UnixMilli()
	case "updated_at":
		return r.updatedAt.UnixMilli()
	}
	return whole(r.Values[k.Column])
}

// before orders records by hand: values by their direction, those without one last.
func before(keys []compile.SortKey) func(a, b *record) int {
	return func(a, b *record) int {
		for _, k := range keys {
			x, y := a.key(k), b.key(k)
			switch {
			case x == nil && y == nil:
				continue
			case x == nil:
				return 1
			case y == nil:
				return -1
			}
			c := 0
			switch x := x.(type) {
			case int64:
				c = int(max(-1, min(1, x-y.(int64))))
			case string:
				c = strings.Compare(x, y.(string))
			case bool:
				if x != y.(bool) {
					c = map[bool]int{true: 1, false: -1}[x]
				}
			}
			if k.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	}
}

// page reads up to limit rows after some values, branch by branch.
func page(t *rapid.T, e engine, obj *schema.Object, keys []compile.SortKey, after []any, limit int) []id.ID {
	branches, err := compile.Keyset(dialect(e), keys, after)
	if err != nil {
		t.Fatal(err)
	}
	var out []id.ID
	for _, b := range branches {
		if len(out) == limit {
			break
		}
		text := `SELECT t."id" FROM ` + quoted(obj.Physical) + " t WHERE " + b.Where + " ORDER BY " + b.Order + " LIMIT " + strconv.Itoa(limit-len(out))
		out = append(out, e.list(t, text, b.Args)...)
	}
	return out
}

func (e engine) list(t *rapid.T, text string, args []any) []id.ID {
	rows, err := e.db.Query(e.bind(text), args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", e.name, err, text)
	}
	defer rows.Close()
	var out []id.ID
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		out = append(out, id.ID(n))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	return out
}

// Pages put together are the whole list in its order, in every engine.
func TestPagesAreTheList(t *testing.T) {
	t.Parallel()
	l := newLab(t, 11)
	rapid.Check(t, func(t *rapid.T) {
		g := &tree{t: t, w: l.w}
		object := draw(g, "customer", "order")
		obj := l.w.registry.Object(object)
		var sorts []schema.Sort
		for range g.number(0, 3) {
			f := draw(g, sortable[object]...)
			if !slices.ContainsFunc(sorts, func(s schema.Sort) bool { return s.Field == f }) {
				sorts = append(sorts, schema.Sort{Field: f, Desc: g.number(0, 1) == 0})
			}
		}
		keys, err := compile.SortKeys(obj, sorts)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(l.w.rows[object])
		slices.SortFunc(want, before(keys))
		ids := make([]id.ID, len(want))
		for i, r := range want {
			ids[i] = r.RecordID
		}
		limit := draw(g, 3, 7, 100)
		for _, e := range l.records {
			if e.citus && slices.ContainsFunc(sorts, func(s schema.Sort) bool { return s.Field == obj.CustomerField }) {
				continue // what belongs to nobody has 0 there, which comes first
			}
			all := e.list(t, `SELECT t."id" FROM `+quoted(obj.Physical)+" t ORDER BY "+compile.OrderBy(dialect(e), keys), nil)
			if !slices.Equal(all, ids) {
				t.Fatalf("%s sorts by %v: %v, want %v", e.name, sorts, all, ids)
			}
			var paged []id.ID
			var after []any
			for {
				p := page(t, e, obj, keys, after, limit)
				paged = append(paged, p...)
				if len(p) < limit || len(paged) > len(ids) {
					break
				}
				last := want[len(paged)-1]
				after = make([]any, len(keys))
				for i, k := range keys {
					after[i] = last.key(k)
				}
			}
			if !slices.Equal(paged, ids) {
				t.Fatalf("%s pages by %v: %v, want %v", e.name, sorts, paged, ids)
			}
		}
	})
}

// Each branch of a page reads an index of SQLite in its order and sorts nothing.
func TestPagesUseIndexes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, 5)
	e := sqlite(t, w)
	obj := w.registry.Object("customer")
	for _, c := range []string{"name_sort", "credit_base", "created_at", "joined"} {
		e.exec(t, "CREATE INDEX ix_"+c+" ON r_customer("+c+")")
	}
	for _, s := range []schema.Sort{{Field: "name"}, {Field: "name", Desc: true}, {Field: "credit"}, {Field: "created_at", Desc: true}, {Field: "joined", Desc: true}} {
		keys, err := compile.SortKeys(obj, []schema.Sort{s})
		if err != nil {
			t.Fatal(err)
		}
		value := any(int64(5))
		if s.Field == "name" {
			value = "a"
		}
		for _, after := range [][]any{nil, {value, int64(7)}, {nil, int64(7)}} {
			if s.Field == "created_at" && after != nil && after[0] == nil {
				continue
			}
			branches, err := compile.Keyset(nil, keys, after)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range branches {
				plan := e.plan(t, `SELECT t."id" FROM r_customer t WHERE `+b.Where+" ORDER BY "+b.Order+" LIMIT 50", b.Args)
				if !strings.Contains(plan, "INDEX ix_") || strings.Contains(plan, "TEMP B-TREE") {
					t.Errorf("%+v after %v: WHERE %s ORDER BY %s: %s", s, after, b.Where, b.Order, plan)
				}
			}
		}
	}
	e.exec(t, "CREATE INDEX ix_level ON r_customer(level)")
	for _, text := range []string{`{"field":"level","op":"in","value":["gold","silver"]}`, `{"all":[{"field":"joined","op":"after","value":"2026-01-01"}]}`} {
		n, _ := parse(t, json.RawMessage(text))
		l := &lab{w: w}
		f, err := compile.Records(l.env(nil), obj, n)
		if err != nil {
			t.Fatal(err)
		}
		if plan := e.plan(t, `SELECT t."id" FROM r_customer t WHERE t.deleted_at IS NULL AND `+f.Where, f.Args); !strings.Contains(plan, "SEARCH t USING INDEX") {
			t.Errorf("%s: %s", text, plan)
		}
	}
}

func (e engine) plan(t *testing.T, text string, args []any) string {
	t.Helper()
	rows, err := e.db.Query("EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var a, b, c int
		var detail string
		if err := rows.Scan(&a, &b, &c, &detail); err != nil {
			t.Fatal(err)
		}
		out = append(out, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "; ")
}
