package record_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

func testCreateAndGet(t *testing.T, w *world) {
	store := w.create("store", record.Input{"name": "西湖店", "code": "S001", "address": map[string]any{"region": "330106", "street": "文三路 1 号"}})
	c := w.create("customer", record.Input{"name": " 张三 ", "phone": "138-1234-1234", "email": "Zhang@QQ.com", "tags": []any{"VIP"},
		"address": map[string]any{"region": "330106", "street": "文三路 2 号", "postcode": "310000"}, "store": map[string]any{"code": "s001"}, "owner": "usr_000000000000B",
		"birthday": map[string]any{"calendar": "lunar", "month": 8.0, "day": 15.0}, "annual_revenue": map[string]any{"amount": "10.00", "currency": "USD"}})
	got := w.get("customer", c.ID)
	if got.Title != "张三" || got.Version != 1 || !got.CreatedAt.Equal(t0) || got.CreatedBy != 11 || c.Position.Seq == 0 {
		t.Errorf("record %+v", got)
	}
	want := map[string]any{"name": "张三", "kind": "person", "do_not_contact": false, "tags": []string{"VIP"}, "store": store.ID, "owner": id.ID(11),
		"region": "330106", "address": schema.AddressValue{Region: "330106", Street: "文三*****", Postcode: "310000"},
		"birthday": schema.BirthdayValue{Calendar: "lunar", Month: 8, Day: 15}, "annual_revenue": money.Money{Amount: 1000, Currency: "USD"}}
	a, _ := got.Values["address"].(schema.AddressValue)
	want["address"] = schema.AddressValue{Region: "330106", Street: a.Street, Postcode: "310000"}
	if !strings.HasPrefix(a.Street, "文三") || strings.Contains(a.Street, "2") {
		t.Errorf("street %q", a.Street)
	}
	if !reflect.DeepEqual(got.Values, want) {
		t.Errorf("values %v\n  want %v", got.Values, want)
	}
	if got.Masks["phone"] != "138****1234" || got.Masks["email"] != "z***@qq.com" || got.Masks["address"] == "" || len(got.Masks) != 3 {
		t.Errorf("masks %v", got.Masks)
	}
	if got.Titles["store"] != (record.Ref{Object: "store", ID: store.ID, Title: "西湖店"}) || got.Titles["owner"].Title != "李雷" {
		t.Errorf("titles %v", got.Titles)
	}
	// Derived columns.
	for _, x := range []struct {
		field string
		role  schema.Role
		want  any
	}{
		{"annual_revenue", schema.Base, int64(7000)}, {"region", schema.ClassRole, "new_first"}, {"phone", schema.ClassRole, "mobile"},
		{"email", schema.ClassRole, "qq.com"}, {"birthday", schema.MonthDay, int64(815)}, {"address", schema.RegionRole, "330106"},
		{"phone", schema.BlindRole, w.keys.Blind("phone", "+8613812341234")},
	} {
		if v := w.column("customer", c.ID, x.field, x.role); v != x.want {
			t.Errorf("%s: stored %v, want %v", x.field, v, x.want)
		}
	}
	if v := w.column("store", store.ID, "region", schema.Main); v != "330106" {
		t.Errorf("the store's region is %v: it should come from its address", v)
	}
	_, changes := w.raw("customer", c.ID)
	if len(changes) != 1 || changes[0].Op != change.Create || changes[0].Before != nil || changes[0].After != nil || changes[0].By != 11 {
		t.Errorf("changes %+v", changes)
	}
}

// Everything that is wrong is said at once, and nothing is stored.
func TestAllFaultsTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.s.Create(w.ctx(), "customer", record.Input{"phone": "12", "kind": "robot", "nothing": 1, "orders": []any{}, "owner": "usr_000000000000Z"})
	f, ok := fault.Find(err)
	if !ok || f.Kind != fault.Invalid || f.Code != "record.invalid" {
		t.Fatalf("error %v", err)
	}
	got := map[string]string{}
	for _, it := range f.Items {
		got[it.Field] = it.Code
	}
	want := map[string]string{"fields.phone": "schema.not_phone", "fields.kind": "schema.option_unknown", "fields.nothing": "record.unknown_field",
		"fields.orders": "record.read_only", "fields.owner": "record.relation_unknown", "fields.name": "record.required"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("faults %v\n  want %v", got, want)
	}
	if n, _, err := w.s.Count(w.ctx(), "customer", nil, "", true); n != 0 || err != nil {
		t.Errorf("%d customers, %v", n, err)
	}
}

func testUpdate(t *testing.T, w *world) {
	c := w.create("customer", record.Input{"name": "张三", "phone": "13812341234", "tags": []any{"b", "a"}, "height_cm": 170.5, "note": "x"})
	w.clock.Advance(time.Hour)
	ctx := access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: 12, Role: access.Member})
	u, err := w.s.Update(ctx, "customer", c.ID, 1, record.Input{"name": "张三丰", "phone": "13912341234", "note": nil, "tags": []any{"a", "b"}, "height_cm": 170.5})
	if err != nil {
		t.Fatal(err)
	}
	if u.Version != 2 || u.Title != "张三丰" || u.Masks["phone"] != "139****1234" || u.Values["note"] != nil || !u.UpdatedAt.Equal(t0.Add(time.Hour)) || u.UpdatedBy != 12 || u.CreatedBy != 11 {
		t.Errorf("updated %+v", u)
	}
	_, changes := w.raw("customer", c.ID)
	if len(changes) != 2 {
		t.Fatalf("%d changes", len(changes))
	}
	last := changes[0]
	if string(last.Before) == "" || strings.Contains(string(last.Before), "height") || strings.Contains(string(last.After), "tags") || strings.Contains(string(last.After), "fold") ||
		strings.Contains(string(last.After), "139") || strings.Contains(string(last.Before), "1381") {
		t.Errorf("images %s → %s", last.Before, last.After)
	}
	// The same again changes nothing: no version, no time, no change row.
	w.clock.Advance(time.Hour)
	same, err := w.s.Update(ctx, "customer", c.ID, 2, record.Input{"name": "张三丰", "phone": "+86 139 1234 1234", "note": "", "tags": []any{"b", "a"}})
	if err != nil || same.Version != 2 || same.Position.Seq != 0 || !same.UpdatedAt.Equal(u.UpdatedAt) {
		t.Errorf("a no-op gave %+v, %v", same, err)
	}
	if _, changes = w.raw("customer", c.ID); len(changes) != 2 {
		t.Errorf("a no-op wrote a change")
	}
	_, err = w.s.Update(ctx, "customer", c.ID, 1, record.Input{"name": "x"})
	wantFault(t, err, fault.Stale, "record.stale", "")
	_, err = w.s.Update(ctx, "customer", c.ID, 0, record.Input{"name": nil})
	wantFault(t, err, fault.Invalid, "record.required", "fields.name")
	_, err = w.s.Update(ctx, "customer", 12345, 0, record.Input{"name": "x"})
	wantFault(t, err, fault.NotFound, "record.not_found", "")
	_, err = w.s.Update(ctx, "customer", c.ID, 0, record.Input{"owner": "usr_000000000000C"})
	wantFault(t, err, fault.Invalid, "record.operation_only", "fields.owner")
	if a, err := w.s.Assign(ctx, "customer", c.ID, 12, 2); err != nil || a.Titles["owner"].Title != "韩梅梅" || a.Version != 3 {
		t.Errorf("assigned %+v, %v", a, err)
	}
	_, err = w.s.Assign(ctx, "customer", c.ID, 99, 0)
	wantFault(t, err, fault.Invalid, "record.relation_unknown", "owner")
}

func TestRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.create("customer", record.Input{"name": "张三", "phone": "13812341234"})
	nobody, reader, member, manager := t.Context(), as(t, access.ReadOnly), as(t, access.Member), as(t, access.Manager)
	key := access.With(t.Context(), access.Actor{Kind: access.ByKey, ID: 5, Role: access.Administrator, Scopes: []string{"read"}})
	ops := map[string]func(context.Context) error{
		"get": func(ctx context.Context) error { _, err := w.s.Get(ctx, "customer", c.ID); return err },
		"many": func(ctx context.Context) error {
			_, err := w.s.GetMany(ctx, "customer", []id.ID{c.ID}, nil)
			return err
		},
		"list":   func(ctx context.Context) error { _, err := w.s.List(ctx, "customer", record.Query{}); return err },
		"count":  func(ctx context.Context) error { _, _, err := w.s.Count(ctx, "customer", nil, "", false); return err },
		"search": func(ctx context.Context) error { _, err := w.s.Search(ctx, "张三", nil, 5); return err },
		"lookup": func(ctx context.Context) error {
			_, err := w.s.Lookup(ctx, "customer", "external_id", []string{"a"})
			return err
		},
		"history": func(ctx context.Context) error {
			_, _, err := w.s.History(ctx, "customer", c.ID, change.Position{}, 5)
			return err
		},
		"reveal": func(ctx context.Context) error {
			_, err := w.s.Reveal(ctx, "customer", c.ID, []string{"phone"})
			return err
		},
		"plain": func(ctx context.Context) error {
			_, err := w.s.List(ctx, "customer", record.Query{Plain: true})
			return err
		},
		"create": func(ctx context.Context) error {
			_, err := w.s.Create(ctx, "tag", record.Input{"name": fmt.Sprint(w.s.NewID())})
			return err
		},
		"update": func(ctx context.Context) error {
			_, err := w.s.Update(ctx, "customer", c.ID, 0, record.Input{"note": "x"})
			return err
		},
		"delete": func(ctx context.Context) error {
			v := w.create("tag", record.Input{"name": fmt.Sprint(w.s.NewID())})
			return w.s.Delete(ctx, "tag", v.ID, 0)
		},
		"bulk":   func(ctx context.Context) error { _, _, err := w.s.Bulk(ctx, 1, nil); return err },
		"revert": func(ctx context.Context) error { _, err := w.s.Revert(ctx, "customer", nil); return err },
		"value": func(ctx context.Context) error {
			_, err := w.s.PlainValue(ctx, "customer", "phone", []id.ID{c.ID})
			return err
		},
	}
	may := map[string][]context.Context{
		"get": {reader, member, manager, key}, "many": {reader, member, manager, key}, "list": {reader, member, manager, key}, "count": {reader, member, manager, key},
		"search": {reader, member, manager, key}, "lookup": {reader, member, manager, key}, "history": {reader, member, manager, key},
		"reveal": {member, manager}, "plain": {manager}, "create": {member, manager}, "update": {member, manager}, "delete": {manager}, "bulk": {manager}, "revert": {manager},
		"value": nil,
	}
	for name, op := range ops {
		for who, ctx := range map[string]context.Context{"nobody": nobody, "a reader": reader, "a member": member, "a manager": manager, "a reading key": key} {
			allowed := false
			for _, x := range may[name] {
				allowed = allowed || x == ctx
			}
			err := op(ctx)
			if allowed && err != nil {
				t.Errorf("%s by %s: %v", name, who, err)
			}
			if !allowed && fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s by %s: %v, want Forbidden", name, who, err)
			}
		}
	}
	res, _, err := w.s.Batch(reader, false, []record.BatchOp{{Op: change.Create, Object: "tag", Input: record.Input{"name": "x"}}, {Op: change.Purge, Object: "customer", ID: c.ID}})
	if err != nil || fault.KindOf(res[0].Err) != fault.Forbidden || fault.KindOf(res[1].Err) != fault.Forbidden {
		t.Errorf("a reader's batch: %+v, %v", res, err)
	}
	if res, _, _ := w.s.Batch(w.ctx(), false, []record.BatchOp{{Op: change.Purge, Object: "customer", ID: c.ID}}); fault.KindOf(res[0].Err) != fault.Forbidden {
		t.Errorf("a batch purged: %+v", res)
	}
	if _, err := w.s.Get(w.ctx(), "user", 11); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a virtual object: %v", err)
	}
}

func testUniqueKeys(t *testing.T, w *world) {
	a := w.create("customer", record.Input{"name": "甲", "card_number": "AB-1", "external_id": "X1"})
	_, err := w.s.Create(w.ctx(), "customer", record.Input{"name": "乙", "card_number": " ａb-1", "external_id": "X2"})
	wantFault(t, err, fault.Conflict, "record.unique_taken", "fields.card_number")
	if f, _ := fault.Find(err); f != nil && f.Params["record"] != id.Format("cus", a.ID) {
		t.Errorf("params %v", f.Params)
	}
	// The key that the failed record had claimed before it failed is free.
	b := w.create("customer", record.Input{"name": "乙", "external_id": "X2"})
	if _, err := w.s.Update(w.ctx(), "customer", a.ID, 0, record.Input{"card_number": "AB-2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Update(w.ctx(), "customer", b.ID, 0, record.Input{"card_number": "AB-1"}); err != nil {
		t.Errorf("a freed key is taken: %v", err)
	}
	if _, err := w.s.Update(w.ctx(), "customer", b.ID, 0, record.Input{"card_number": "ab-1"}); err != nil {
		t.Errorf("a record is in the way of itself: %v", err)
	}
	// The recycle bin frees keys, and taking a record out of it claims them again.
	if err := w.s.Delete(w.ctx(), "customer", a.ID, 0); err != nil {
		t.Fatal(err)
	}
	c := w.create("customer", record.Input{"name": "丙", "card_number": "AB-2"})
	_, err = w.s.Restore(w.ctx(), "customer", a.ID)
	wantFault(t, err, fault.Conflict, "record.unique_taken", "fields.card_number")
	if err := w.s.Delete(w.ctx(), "customer", c.ID, 0); err != nil {
		t.Fatal(err)
	}
	if r, err := w.s.Restore(w.ctx(), "customer", a.ID); err != nil || r.DeletedAt != nil {
		t.Errorf("restored %+v, %v", r, err)
	}
	_, err = w.s.Restore(w.ctx(), "customer", a.ID)
	wantFault(t, err, fault.Conflict, "record.not_deleted", "")
	// Racing for one key: one wins.
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, lost := 0, 0
	for i := range 8 {
		wg.Go(func() {
			_, err := w.s.Create(w.ctx(), "customer", record.Input{"name": fmt.Sprint("客", i), "card_number": "RACE"})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if fault.CodeOf(err) == "record.unique_taken" {
				lost++
			}
		})
	}
	wg.Wait()
	if won != 1 || lost != 7 {
		t.Errorf("%d won and %d lost", won, lost)
	}
}

func testRecycleBin(t *testing.T, w *world) {
	c := w.create("customer", record.Input{"name": "张三"})
	err := w.s.Delete(w.ctx(), "customer", c.ID, 5)
	wantFault(t, err, fault.Stale, "record.stale", "")
	if err := w.s.Delete(w.ctx(), "customer", c.ID, 1); err != nil {
		t.Fatal(err)
	}
	if n := len(w.list("customer", record.Query{}).Items); n != 0 {
		t.Errorf("%d live records", n)
	}
	if bin := w.list("customer", record.Query{Deleted: true}).Items; len(bin) != 1 || bin[0].DeletedAt == nil {
		t.Errorf("bin %v", bin)
	}
	_, err = w.s.Update(w.ctx(), "customer", c.ID, 0, record.Input{"name": "x"})
	wantFault(t, err, fault.NotFound, "record.not_found", "")
	_, err = w.s.Create(w.ctx(), "contact", record.Input{"name": "李四", "customer": c.ID})
	wantFault(t, err, fault.Invalid, "record.relation_unknown", "fields.customer")
	if got := w.get("customer", c.ID); got.DeletedAt == nil {
		t.Error("a deleted record reads as live")
	}
	if err := w.s.Delete(w.ctx(), "customer", c.ID, 0); fault.KindOf(err) != fault.NotFound {
		t.Errorf("deleted twice: %v", err)
	}
	r, err := w.s.Restore(w.ctx(), "customer", c.ID)
	if err != nil || r.Version != 3 {
		t.Errorf("restored %+v, %v", r, err)
	}
}

func testAutoNumberAndAmounts(t *testing.T, w *world) {
	c := w.create("customer", record.Input{"name": "张三", "external_id": "E1"})
	o := w.create("order", record.Input{"customer": map[string]any{"external_id": "E1"}, "gross_amount": "100.00", "discount_amount": "15.50", "placed_at": "2026-11-20T17:00:00Z"})
	if o.Values["number"] != "SO20261121-00001" || o.Values["net_amount"] != (money.Money{Amount: 8450, Currency: "CNY"}) || o.Values["customer"] != c.ID ||
		o.Values["status"] != "confirmed" || o.Titles["customer"].Title != "张三" || o.Values["currency"] != "CNY" {
		t.Errorf("order %v", o.Values)
	}
	if n := w.create("order", record.Input{}); n.Values["number"] != "SO20261121-00002" || n.Values["placed_at"] != t0 {
		t.Errorf("second order %v", n.Values)
	}
	given := w.create("order", record.Input{"number": "MINE-7", "net_amount": "3", "gross_amount": "5"})
	if given.Values["number"] != "MINE-7" || given.Values["net_amount"] != (money.Money{Amount: 300, Currency: "CNY"}) {
		t.Errorf("a given number and net: %v", given.Values)
	}
	u, err := w.s.Update(w.ctx(), "order", o.ID, 0, record.Input{"discount_amount": nil})
	if err != nil || u.Values["net_amount"] != (money.Money{Amount: 10000, Currency: "CNY"}) {
		t.Errorf("without discount: %v, %v", u, err)
	}
	_, err = w.s.Create(w.ctx(), "order", record.Input{"gross_amount": "5", "discount_amount": map[string]any{"amount": "1", "currency": "USD"}})
	wantFault(t, err, fault.Invalid, "record.currency_mixed", "fields.discount_amount")
	l := w.create("order_line", record.Input{"order": o.ID, "quantity": 3, "unit_price": 9.995, "discount_amount": "0.50"})
	if l.Values["amount"] != (money.Money{Amount: 2949, Currency: "CNY"}) {
		t.Errorf("line amount %v", l.Values["amount"])
	}
	for in, code := range map[string]string{"nothing": "record.relation_unknown", "name": "record.relation_key"} {
		key := map[string]any{"external_id": "E9"}
		if in == "name" {
			key = map[string]any{"name": "张三"}
		}
		_, err := w.s.Create(w.ctx(), "order", record.Input{"customer": key})
		wantFault(t, err, fault.Invalid, code, "fields.customer")
	}
	// The exchange rate is that of the day of the fact; another day's is looked up again.
	usd := w.create("order", record.Input{"net_amount": map[string]any{"amount": "2", "currency": "USD"}})
	if v := w.column("order", usd.ID, "net_amount", schema.Base); v != int64(1400) {
		t.Errorf("base amount %v", v)
	}
}

// No personal value is anywhere in the database file or its log in clear.
func TestNothingInClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	canaries := []string{"13987654321", "87654321", "canary@example.org", "310101199001011234", "桃花岛密道", "wx_canary_id"}
	c := w.create("customer", record.Input{"name": "张三", "phone": canaries[0], "email": canaries[2], "id_number": canaries[3],
		"address": map[string]any{"street": canaries[4] + "7号"}})
	k := w.create("contact", record.Input{"name": "李四", "customer": c.ID, "wechat": canaries[5], "phone": canaries[0]})
	if _, err := w.s.Update(w.ctx(), "customer", c.ID, 0, record.Input{"phone": "13612341234", "address": nil}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Update(w.ctx(), "contact", k.ID, 0, record.Input{"wechat": nil}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.x.CatchUp(w.ctx()); err != nil {
		t.Fatal(err)
	}
	if got := w.list("customer", record.Query{Search: "canary@example.org"}).Items; len(got) != 1 {
		t.Errorf("the address is not found: %v", got)
	}
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(w.path + suffix)
		if os.IsNotExist(err) {
			continue
		}
		for _, x := range canaries {
			if bytes.Contains(data, []byte(x)) {
				t.Errorf("records.db%s holds %q", suffix, x)
			}
		}
		if suffix == "" && !bytes.Contains(data, []byte("张三")) {
			t.Error("the name is not in the file: the test looks in the wrong place")
		}
	}
}

// A contact's values are encrypted for its customer; they follow it to another one.
func testSubjectMoves(t *testing.T, w *world) {
	a, b := w.create("customer", record.Input{"name": "甲公司", "kind": "company"}), w.create("customer", record.Input{"name": "乙公司", "kind": "company"})
	k := w.create("contact", record.Input{"name": "李四", "customer": a.ID, "phone": "13812341234", "email": "li@example.com"})
	keys := func() (n int) {
		err := w.store.View(w.ctx(), func(r record.Reader) error {
			m, err := r.PersonKeys(w.ctx(), []id.ID{a.ID, b.ID, k.ID})
			n = len(m)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if keys() != 1 {
		t.Errorf("%d keys, want the customer's alone", keys())
	}
	moved, err := w.s.Update(w.ctx(), "contact", k.ID, 0, record.Input{"customer": b.ID, "email": "li@example.cn"})
	if err != nil || moved.Masks["phone"] != "138****1234" || moved.Masks["email"] != "l***@example.cn" || keys() != 2 {
		t.Fatalf("moved %+v, %v, %d keys", moved, err, keys())
	}
	// A fresh process, with no key in memory, reads it too.
	fresh := newKeyring(t)
	s := w.with(fresh)
	got, err := s.Reveal(w.ctx(), "contact", k.ID, []string{"phone", "email"})
	if err != nil || got["phone"] != "+8613812341234" || got["email"] != "li@example.cn" {
		t.Errorf("revealed %v, %v", got, err)
	}
	entries, _, err := s.History(w.ctx(), "contact", k.ID, change.Position{}, 10)
	if err != nil || len(entries) != 2 || len(entries[0].Changes) != 2 {
		t.Fatalf("history %+v, %v", entries, err)
	}
	for _, ch := range entries[0].Changes {
		if ch.Field == "email" && (ch.Before != "***" || ch.After != "l***@example.cn" || !ch.Masked) {
			t.Errorf("change of the address %+v", ch)
		}
	}
}

func testBatch(t *testing.T, w *world) {
	c := w.create("customer", record.Input{"name": "张三"})
	ops := []record.BatchOp{
		{Op: change.Create, Object: "customer", Input: record.Input{"name": "李四", "card_number": "1"}},
		{Op: change.Update, Object: "customer", ID: c.ID, Version: 9, Input: record.Input{"name": "x"}},
		{Op: change.Create, Object: "customer", Input: record.Input{"phone": "1"}},
		{Op: change.Create, Object: "customer", Input: record.Input{"name": "王五", "card_number": "1"}},
		{Op: change.Update, Object: "customer", ID: c.ID, Input: record.Input{"note": "first"}},
		{Op: change.Update, Object: "customer", ID: c.ID, Input: record.Input{"name": "second"}},
		{Op: change.Create, Object: "nothing"},
		{Op: change.Update, Object: "customer", ID: c.ID, Input: record.Input{"owner": nil}},
	}
	_, _, err := w.s.Batch(w.ctx(), true, ops)
	if err == nil {
		t.Fatal("an atomic batch with faults was stored")
	}
	if n, _, _ := w.s.Count(w.ctx(), "customer", nil, "", true); n != 1 {
		t.Fatalf("%d customers after a refused batch", n)
	}
	res, pos, err := w.s.Batch(w.ctx(), false, ops)
	if err != nil || pos.Seq == 0 {
		t.Fatal(err)
	}
	codes := make([]string, len(res))
	for i, r := range res {
		codes[i] = fault.CodeOf(r.Err)
	}
	want := []string{"", "record.stale", "record.invalid", "record.unique_taken", "", "", "record.unknown_object", "record.operation_only"}
	if !reflect.DeepEqual(codes, want) {
		t.Errorf("codes %v, want %v", codes, want)
	}
	got := w.get("customer", c.ID)
	if got.Title != "second" || got.Values["note"] != "first" || got.Version != 3 || res[5].Version != 3 {
		t.Errorf("two updates of one record: %+v", got)
	}
	if _, _, err := w.s.Batch(w.ctx(), false, make([]record.BatchOp, record.MaxBatch+1)); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("too many: %v", err)
	}
}

// Bulk writes several objects that point at each other; what fails takes with it what points at it, and nothing else.
func testBulk(t *testing.T, w *world) {
	w.create("customer", record.Input{"name": "有卡", "card_number": "TAKEN"})
	var ops []record.BulkOp
	ids := map[string]id.ID{}
	add := func(name, object string, in record.Input) {
		ids[name] = w.s.NewID()
		ops = append(ops, record.BulkOp{Op: change.Create, Object: object, ID: ids[name], Input: in, CreatedAt: t0.Add(-240 * time.Hour).UnixMilli()})
	}
	add("good", "customer", record.Input{"name": "甲", "phone": "13812341234", "owner": id.ID(11)})
	add("bad", "customer", record.Input{"name": "乙", "card_number": "taken"})
	add("order", "order", record.Input{"customer": ids["good"], "number": "A1", "quantity": int64(2000), "line_count": int64(1)})
	add("orphan", "order", record.Input{"customer": ids["bad"], "number": "A2"})
	add("line", "order_line", record.Input{"order": ids["order"], "customer": ids["good"], "name": "衬衫"})
	add("lost", "order_line", record.Input{"order": ids["orphan"], "name": "裙子"})
	add("wrong", "order_line", record.Input{"order": ids["good"], "name": "帽子"})
	ops = append(ops, record.BulkOp{Op: change.Update, Object: "order", ID: ids["order"], Input: record.Input{"quantity": int64(5000)}})
	batch := w.s.NewID()
	res, _, err := w.s.BulkThen(w.ctx(), batch, ops, func(ctx context.Context, tx record.Tx, res []record.BulkResult) error {
		rows, err := tx.Get(ctx, w.reg.Object("order"), []id.ID{ids["order"]}, false)
		if len(rows) != 1 || len(res) != 8 || rows[0].Version != 2 {
			t.Errorf("in the transaction: %d rows, %d results", len(rows), len(res))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, r := range res {
		codes = append(codes, fault.CodeOf(r.Err))
	}
	want := []string{"", "record.unique_taken", "", "record.relation_unknown", "", "record.relation_unknown", "record.relation_unknown", ""}
	if !reflect.DeepEqual(codes, want) {
		t.Fatalf("codes %v, want %v", codes, want)
	}
	o := w.get("order", ids["order"])
	if o.BatchID != batch || !o.CreatedAt.Equal(t0.Add(-240*time.Hour)) || o.Values["quantity"] != int64(5000) {
		t.Errorf("order %+v", o)
	}
	// The number of the order that failed is free.
	w.create("order", record.Input{"number": "A2"})
	// A failing Then takes everything back.
	_, _, err = w.s.BulkThen(w.ctx(), batch, []record.BulkOp{{Op: change.Create, Object: "tag", Input: record.Input{"name": "x"}}},
		func(context.Context, record.Tx, []record.BulkResult) error {
			return fault.New(fault.Conflict, "x.y", nil)
		})
	wantFault(t, err, fault.Conflict, "x.y", "")
	if n := len(w.list("tag", record.Query{}).Items); n != 0 {
		t.Errorf("%d tags", n)
	}
}

// An import's updates are reverted from their images, its records purged, and keys are free again.
func testRevertAndPurge(t *testing.T, w *world) {
	c := w.create("customer", record.Input{"name": "张三", "phone": "13812341234", "card_number": "C1", "tags": []any{"a"}})
	batch := w.s.NewID()
	_, _, err := w.s.Bulk(w.ctx(), batch, []record.BulkOp{
		{Op: change.Update, Object: "customer", ID: c.ID, Input: record.Input{"name": "错", "phone": "13900000000", "card_number": "C2", "tags": nil, "note": "new"}},
		{Op: change.Create, Object: "customer", Input: record.Input{"name": "新", "card_number": "C3"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, changes := w.raw("customer", c.ID)
	ops, err := w.s.Revert(w.ctx(), "customer", []record.Image{{Record: c.ID, Version: changes[0].Version, Before: changes[0].Before}})
	if err != nil || len(ops) != 1 {
		t.Fatal(ops, err)
	}
	made := w.list("customer", record.Query{Where: where(t, `{"field":"name","op":"=","value":"新"}`)}).Items
	if len(made) != 1 {
		t.Fatal("the new record is not found")
	}
	res, _, err := w.s.Bulk(w.ctx(), w.s.NewID(), append(ops, record.BulkOp{Op: change.Purge, Object: "customer", ID: made[0].ID}))
	if err != nil || res[0].Err != nil || res[1].Err != nil {
		t.Fatal(res, err)
	}
	got := w.get("customer", c.ID)
	phone, err := w.s.Reveal(w.ctx(), "customer", c.ID, []string{"phone"})
	if err != nil || got.Title != "张三" || phone["phone"] != "+8613812341234" || got.Values["card_number"] != "C1" || got.Values["note"] != nil ||
		!reflect.DeepEqual(got.Values["tags"], []string{"a"}) {
		t.Errorf("reverted %v, %v", got.Values, err)
	}
	if _, err := w.s.Get(w.ctx(), "customer", made[0].ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a purged record: %v", err)
	}
	w.create("customer", record.Input{"name": "再", "card_number": "C2"})
	w.create("customer", record.Input{"name": "又", "card_number": "C3"})
	// Changed since: the image does not apply any more.
	if _, err := w.s.Update(w.ctx(), "customer", c.ID, 0, record.Input{"note": "mine"}); err != nil {
		t.Fatal(err)
	}
	if res, _, _ := w.s.Bulk(w.ctx(), w.s.NewID(), ops); fault.CodeOf(res[0].Err) != "record.stale" {
		t.Errorf("reverted over a later change: %+v", res)
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.s.RegisterHook("tag", record.Hook{BeforeWrite: func(_ context.Context, c *record.Change) error {
		if c.Get("name") == "禁" {
			return fault.InvalidField("tag.banned", "fields.name", nil)
		}
		if c.Op == change.Update && c.Written("name") && c.Old("name") != nil {
			c.Set("note", fmt.Sprint("was ", c.Old("name")))
		}
		return nil
	}})
	_, err := w.s.Create(w.ctx(), "tag", record.Input{"name": "禁"})
	wantFault(t, err, fault.Invalid, "tag.banned", "fields.name")
	tag := w.create("tag", record.Input{"name": "甲"})
	u, err := w.s.Update(w.ctx(), "tag", tag.ID, 0, record.Input{"name": "乙"})
	if err != nil || u.Values["note"] != "was 甲" {
		t.Errorf("hooked %v, %v", u, err)
	}
}
