package record_test

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// fill makes n customers, some without a height, all with names of a few beginnings.
func (w *world) fill(n int) []id.ID {
	w.t.Helper()
	names := []string{"张三", "李四", "王五", "赵六", "陈七"}
	ops := make([]record.BulkOp, n)
	for i := range ops {
		in := record.Input{"name": names[i%len(names)], "external_id": fmt.Sprint("E", i)}
		if i%3 != 0 {
			in["height_cm"] = 150 + i%7
		}
		ops[i] = record.BulkOp{Op: change.Create, Object: "customer", Input: in}
	}
	res, _, err := w.s.Bulk(w.ctx(), w.s.NewID(), ops)
	if err != nil {
		w.t.Fatal(err)
	}
	ids := make([]id.ID, n)
	for i, r := range res {
		if r.Err != nil {
			w.t.Fatal(r.Err)
		}
		ids[i] = r.ID
	}
	return ids
}

// Following the cursors gives every record once, in order, in every sort.
func testPages(t *testing.T, w *world) {
	all := w.fill(57)
	for _, sort := range [][]schema.Sort{
		nil, {{Field: "name"}}, {{Field: "name", Desc: true}, {Field: "height_cm"}}, {{Field: "height_cm"}}, {{Field: "height_cm", Desc: true}, {Field: "external_id"}},
		{{Field: "id"}}, {{Field: "created_at", Desc: true}}, {{Field: "created_by"}, {Field: "do_not_contact"}},
	} {
		var seen []id.ID
		q := record.Query{Sort: sort, Limit: 10, Fields: []string{"name"}}
		for pages := 0; ; pages++ {
			if pages > 10 {
				t.Fatalf("%v: no end", sort)
			}
			p := w.list("customer", q)
			for _, r := range p.Items {
				seen = append(seen, r.ID)
				if len(r.Values) != 1 {
					t.Fatalf("values %v of one field asked for", r.Values)
				}
			}
			if p.NextCursor == "" {
				break
			}
			q.Cursor = p.NextCursor
		}
		whole := w.list("customer", record.Query{Sort: sort, Limit: 500})
		var want []id.ID
		for _, r := range whole.Items {
			want = append(want, r.ID)
		}
		if !slices.Equal(seen, want) || len(seen) != len(all) {
			t.Errorf("%v: %d records in pages, %d in one", sort, len(seen), len(want))
		}
	}
	p := w.list("customer", record.Query{Limit: 10, Offset: 50, Total: record.TotalExact})
	if len(p.Items) != 7 || p.Total != 57 || p.TotalIsEstimate || p.NextCursor != "" {
		t.Errorf("the last page has %d of %d", len(p.Items), p.Total)
	}
}

func TestCursorsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(9)
	q := record.Query{Limit: 3, Sort: []schema.Sort{{Field: "name"}}}
	good := w.list("customer", q).NextCursor
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{"x", "????", good + "A", good[:len(good)-4]}
	for i := range raw {
		c := slices.Clone(raw)
		c[i] ^= 2
		bad = append(bad, base64.RawURLEncoding.EncodeToString(c))
	}
	for _, c := range bad {
		q.Cursor = c
		_, err := w.s.List(w.ctx(), "customer", q)
		wantFault(t, err, fault.Invalid, "record.cursor_invalid", "cursor")
	}
	q.Cursor = good
	for name, other := range map[string]record.Query{
		"another sort":      {Limit: 3, Sort: []schema.Sort{{Field: "name", Desc: true}}, Cursor: good},
		"another condition": {Limit: 3, Sort: q.Sort, Where: where(t, `{"field":"kind","op":"=","value":"person"}`), Cursor: good},
		"another search":    {Limit: 3, Sort: q.Sort, Search: "张", Cursor: good},
		"an offset":         {Limit: 3, Sort: q.Sort, Offset: 3, Cursor: good},
	} {
		if _, err := w.s.List(w.ctx(), "customer", other); fault.CodeOf(err) != "record.cursor_invalid" {
			t.Errorf("with %s: %v", name, err)
		}
	}
	if p := w.list("customer", q); len(p.Items) != 3 {
		t.Error("the good cursor is refused")
	}
}

func TestQueriesAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		q           record.Query
		code, place string
	}{
		{record.Query{Limit: 501}, "record.limit_range", "limit"},
		{record.Query{Limit: -1}, "record.limit_range", "limit"},
		{record.Query{Offset: 10_001}, "record.offset_range", "offset"},
		{record.Query{Sort: []schema.Sort{{Field: "nothing"}}}, "record.unknown_field", "sort.0"},
		{record.Query{Sort: []schema.Sort{{Field: "phone"}}}, "record.sort_field", "sort.0"},
		{record.Query{Sort: []schema.Sort{{Field: "name"}, {Field: "name"}}}, "record.sort_field", "sort.1"},
		{record.Query{Sort: []schema.Sort{{Trait: "spend_total"}}}, "record.sort_trait", "sort.0"},
		{record.Query{Sort: make([]schema.Sort, 5)}, "record.sort_too_many", "sort"},
		{record.Query{Fields: []string{"name", "nothing"}}, "record.unknown_field", "fields.1"},
		{record.Query{Total: "some"}, "record.total_unknown", "total"},
		{record.Query{Where: where(t, `{"field":"nothing","op":"=","value":1}`)}, "query.unknown_field", ""},
	} {
		_, err := w.s.List(w.ctx(), "customer", c.q)
		wantFault(t, err, fault.Invalid, c.code, c.place)
	}
	_, err := w.s.List(w.ctx(), "nothing", record.Query{})
	wantFault(t, err, fault.NotFound, "record.unknown_object", "")
}

func testConditionsOnPersonalValues(t *testing.T, w *world) {
	c := w.create("customer", record.Input{"name": "张三", "phone": "13812341234", "email": "a@qq.com", "id_number": "11010519491231002x"})
	w.create("customer", record.Input{"name": "李四", "phone": "13812341235"})
	w.create("customer", record.Input{"name": "王五"})
	for cond, want := range map[string]int{
		`{"field":"phone","op":"=","value":"138 1234 1234"}`:          1,
		`{"field":"phone","op":"in","value":["+8613812341235","1"]}`:  -1,
		`{"field":"phone","op":"in","value":["+8613812341235"]}`:      1,
		`{"field":"phone","op":"is_set"}`:                             2,
		`{"field":"email","op":"=","value":"A@QQ.com"}`:               1,
		`{"field":"id_number","op":"=","value":"11010519491231002X"}`: 1,
		`{"field":"email.domain","op":"=","value":"qq.com"}`:          1,
		`{"field":"name","op":"starts_with","value":"张"}`:             1,
	} {
		p, err := w.s.List(w.ctx(), "customer", record.Query{Where: where(t, cond)})
		if want < 0 {
			if fault.KindOf(err) != fault.Invalid && (err != nil || len(p.Items) != 1) {
				t.Errorf("%s: %v", cond, err)
			}
			continue
		}
		if err != nil || len(p.Items) != want {
			t.Errorf("%s: %v, %v; want %d", cond, p, err, want)
			continue
		}
		if want == 1 && strings.Contains(cond, "=") && p.Items[0].ID != c.ID {
			t.Errorf("%s found another", cond)
		}
	}
}

func testLookup(t *testing.T, w *world) {
	a := w.create("customer", record.Input{"name": "张三", "phone": "13812341234", "external_id": "Ext-1"})
	w.create("customer", record.Input{"name": "张三", "phone": "13812341234"})
	gone := w.create("customer", record.Input{"name": "李四", "external_id": "Ext-2"})
	if err := w.s.Delete(w.ctx(), "customer", gone.ID, 0); err != nil {
		t.Fatal(err)
	}
	printed := id.Format("cus", a.ID)
	for field, values := range map[string]map[string]id.ID{
		"external_id": {"ext-1": a.ID, " Ext-1 ": a.ID, "Ext-2": 0, "": 0},
		"phone":       {"138-1234-1234": a.ID, "+86 13812341234": a.ID, "139": 0},
		"name":        {"张三": a.ID, "nobody": 0},
		"id":          {printed: a.ID, id.Format("cus", gone.ID): 0, "x": 0},
	} {
		var in []string
		want := map[string]id.ID{}
		for v, n := range values {
			in = append(in, v)
			if n != 0 {
				want[v] = n
			}
		}
		if got, err := w.s.Lookup(w.ctx(), "customer", field, in); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v; want %v", field, got, err, want)
		}
	}
	_, err := w.s.Lookup(w.ctx(), "customer", "height_cm", []string{"1"})
	wantFault(t, err, fault.Invalid, "record.lookup_field", "field")
}

func testSearch(t *testing.T, w *world) {
	people := map[string]id.ID{}
	for _, p := range []struct{ name, phone string }{
		{"张三", "13812341234"}, {"张三丰", "13911112222"}, {"小张三", ""}, {"王张三", ""}, {"张散", ""}, {"Zhang San", ""}, {"重庆火锅", ""},
	} {
		in := record.Input{"name": p.name}
		if p.phone != "" {
			in["phone"] = p.phone
			in["email"] = p.phone + "@qq.com"
		}
		people[p.name] = w.create("customer", in).ID
		w.clock.Advance(time.Second)
	}
	store := w.create("store", record.Input{"name": "张江店", "code": "ZJ-01"})
	product := w.create("product", record.Input{"name": "真丝连衣裙", "code": "SN25DR017", "brand": "Orchid"})
	find := func(q string) (titles []string) {
		t.Helper()
		found, err := w.s.Search(w.ctx(), q, nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			titles = append(titles, f.Title)
		}
		return titles
	}
	if got := find("张三"); got != nil {
		t.Errorf("found %v before anything is indexed", got)
	}
	w.catchUp(9)
	for q, want := range map[string][]string{
		"张三":                 {"张三", "张三丰", "王张三", "小张三"},
		"zhangsanf":          {"张三丰"},
		"1234":               {"张三"},
		"13911112222":        {"张三丰"},
		"+86 139-1111-2222":  {"张三丰"},
		"13911112222@QQ.com": {"张三丰"},
		"sn25dr":             {"真丝连衣裙"},
		"orchid":             {"真丝连衣裙"},
		"连衣裙":                {"真丝连衣裙"},
		"zj-01":              {"张江店"},
		"cq":                 nil,
		"nobody":             nil,
		"   ":                nil,
	} {
		if got := find(q); !slices.Equal(got, want) && q != "cq" {
			t.Errorf("%q found %v, want %v", q, got, want)
		}
	}
	if got := find("zs"); !slices.Contains(got, "张三") || !slices.Contains(got, "张散") {
		t.Errorf("initials found %v", got)
	}
	if got := find("张"); len(got) < 4 || !slices.Contains(got, "张江店") || slices.Contains(got, "王张三") {
		t.Errorf("one character found %v", got)
	}
	found, err := w.s.Search(w.ctx(), "13812341234", []string{"customer"}, 5)
	if err != nil || len(found) != 1 || found[0].Match != record.MatchPersonal || found[0].Subtitle != "138****1234" {
		t.Errorf("by phone: %+v, %v", found, err)
	}
	// A list searched is ranked, filtered and paged; sorted by a field when that is asked for.
	q := record.Query{Search: "张三", Limit: 2, Total: record.TotalCapped}
	p := w.list("customer", q)
	if len(p.Items) != 2 || p.Items[0].ID != people["张三"] || p.Items[1].ID != people["张三丰"] || p.Total != 4 || p.NextCursor == "" {
		t.Errorf("page %v of %d", p.Items, p.Total)
	}
	q.Cursor = p.NextCursor
	if p = w.list("customer", q); len(p.Items) != 2 || p.NextCursor != "" {
		t.Errorf("second page %v", p.Items)
	}
	q = record.Query{Search: "张三", Sort: []schema.Sort{{Field: "created_at"}}, Where: where(t, `{"field":"phone","op":"is_not_set"}`)}
	if p = w.list("customer", q); len(p.Items) != 2 || p.Items[0].ID != people["小张三"] {
		t.Errorf("sorted and filtered %v", p.Items)
	}
	// The index follows: renamed, deleted, restored.
	if _, err := w.s.Update(w.ctx(), "customer", people["张三丰"], 0, record.Input{"name": "李逍遥", "phone": nil}); err != nil {
		t.Fatal(err)
	}
	if err := w.s.Delete(w.ctx(), "store", store.ID, 0); err != nil {
		t.Fatal(err)
	}
	w.catchUp(2)
	if a, b, c, d := find("张三丰"), find("lixiaoyao"), find("zj-01"), find("2222"); a != nil || len(b) != 1 || c != nil || d != nil {
		t.Errorf("after changes: %v %v %v %v", a, b, c, d)
	}
	if _, err := w.s.Restore(w.ctx(), "store", store.ID); err != nil {
		t.Fatal(err)
	}
	w.catchUp(1)
	if got := find("zj-01"); len(got) != 1 {
		t.Errorf("restored: %v", got)
	}
	// A rebuild finds the same.
	if err := w.store.DeleteSearch(w.ctx(), []id.ID{product.ID, people["张三"]}); err != nil {
		t.Fatal(err)
	}
	if n, err := w.x.Rebuild(w.ctx()); err != nil || n != 9 {
		t.Errorf("rebuilt %d, %v", n, err)
	}
	if got := find("1234"); len(got) != 1 {
		t.Errorf("after the rebuild: %v", got)
	}
	if at, head, err := w.x.Lag(w.ctx()); err != nil || at != head {
		t.Errorf("lag %v of %v, %v", at, head, err)
	}
}

func TestReveal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.create("customer", record.Input{"name": "张三", "phone": "13812341234", "address": map[string]any{"region": "330106", "street": "文三路"}})
	ctx := as(t, access.Member)
	got, err := w.s.Reveal(ctx, "customer", c.ID, []string{"phone", "email", "address"})
	if err != nil || len(got) != 2 || got["phone"] != "+8613812341234" || got["address"] != (schema.AddressValue{Region: "330106", Street: "文三路"}) {
		t.Fatalf("revealed %v, %v", got, err)
	}
	if len(w.audit.entries) != 1 || w.audit.entries[0].Action != "record.reveal" || w.audit.entries[0].Record != c.ID || len(w.audit.entries[0].Fields) != 3 {
		t.Errorf("audited %+v", w.audit.entries)
	}
	_, err = w.s.Reveal(ctx, "customer", c.ID, []string{"name"})
	wantFault(t, err, fault.Invalid, "record.not_personal", "fields.0")
	_, err = w.s.Reveal(ctx, "customer", 5, []string{"phone"})
	wantFault(t, err, fault.NotFound, "record.not_found", "")
	w.audit.broken = true
	if got, err := w.s.Reveal(ctx, "customer", c.ID, []string{"phone"}); err == nil {
		t.Errorf("revealed %v without an audit entry", got)
	}
	w.audit.broken = false
	for range 3 {
		if _, err := w.s.Reveal(ctx, "customer", c.ID, []string{"phone"}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.s.Reveal(ctx, "customer", c.ID, []string{"phone"})
	wantFault(t, err, fault.RateLimited, "record.reveal_limit", "")
	if f, _ := fault.Find(err); f.Params["retry_after"] != 720 {
		t.Errorf("retry after %v seconds", f.Params["retry_after"])
	}
	w.clock.Advance(13 * time.Minute)
	if _, err := w.s.Reveal(ctx, "customer", c.ID, []string{"phone"}); err != nil {
		t.Errorf("after waiting: %v", err)
	}
	n := len(w.audit.entries)
	p := w.list("customer", record.Query{Plain: true, Fields: []string{"name", "phone"}})
	if p.Items[0].Values["phone"] != "+8613812341234" || len(p.Items[0].Masks) != 0 || len(w.audit.entries) != n+1 || w.audit.entries[n].Count != 1 ||
		!slices.Equal(w.audit.entries[n].Fields, []string{"phone"}) {
		t.Errorf("a page in clear: %+v, audited %+v", p.Items[0], w.audit.entries[n:])
	}
	sys := access.With(t.Context(), access.System())
	if v, err := w.s.PlainValue(sys, "customer", "phone", []id.ID{c.ID, 5}); err != nil || len(v) != 1 || v[c.ID] != "+8613812341234" {
		t.Errorf("plain values %v, %v", v, err)
	}
}

func testHistory(t *testing.T, w *world) {
	c := w.create("customer", record.Input{"name": "张三", "phone": "13812341234"})
	for i := range 5 {
		w.clock.Advance(time.Minute)
		in := record.Input{"height_cm": 150 + i, "annual_revenue": map[string]any{"amount": i, "currency": "USD"}, "birthday": map[string]any{"calendar": "lunar", "month": i + 1, "day": 1, "leap": true}}
		if i == 4 {
			in = record.Input{"phone": nil}
		}
		if _, err := w.s.Update(w.ctx(), "customer", c.ID, 0, in); err != nil {
			t.Fatal(err)
		}
	}
	first, next, err := w.s.History(w.ctx(), "customer", c.ID, change.Position{}, 4)
	if err != nil || len(first) != 4 || next == (change.Position{}) {
		t.Fatalf("%d entries, %v", len(first), err)
	}
	rest, end, err := w.s.History(w.ctx(), "customer", c.ID, next, 4)
	if err != nil || len(rest) != 2 || end != (change.Position{}) || rest[1].Op != change.Create || rest[1].Changes != nil {
		t.Fatalf("rest %+v, %v", rest, err)
	}
	if !reflect.DeepEqual(first[0].Changes, []record.FieldChange{{Field: "phone", Before: "138****1234", Masked: true}}) {
		t.Errorf("newest %+v", first[0].Changes)
	}
	got := map[string]record.FieldChange{}
	for _, ch := range first[1].Changes {
		got[ch.Field] = ch
	}
	if len(got) != 3 || got["height_cm"].Before != int64(1520) || got["height_cm"].After != int64(1530) ||
		fmt.Sprint(got["annual_revenue"].After) != "3.00 USD" || got["birthday"].After != (schema.BirthdayValue{Calendar: "lunar", Month: 4, Day: 1, Leap: true}) {
		t.Errorf("second %+v", got)
	}
	_, _, err = w.s.History(w.ctx(), "customer", 5, change.Position{}, 4)
	wantFault(t, err, fault.NotFound, "record.not_found", "")
}

// The titles of a page take one read for each object, whatever the number of records.
func TestTitles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.create("customer", record.Input{"name": "甲"}), w.create("customer", record.Input{"name": "乙"})
	if err := w.s.Delete(w.ctx(), "customer", b.ID, 0); err != nil {
		t.Fatal(err)
	}
	refs := []record.Ref{{Object: "customer", ID: a.ID}, {Object: "user", ID: 11}, {Object: "customer", ID: b.ID}, {Object: "customer", ID: 5}, {Object: "nothing", ID: 5}, {Object: "customer", ID: a.ID}}
	if err := w.s.Titles(w.ctx(), refs); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range refs {
		got = append(got, r.Title)
	}
	if !slices.Equal(got, []string{"甲", "李雷", "乙", "", "", "甲"}) {
		t.Errorf("titles %v", got)
	}
}
