package record_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// couple is two records of one customer, with what belongs to each.
type couple struct {
	a, b         *record.Record
	contact      *record.Record // of b
	orders       []*record.Record
	gone, friend *record.Record // an order of b in the recycle bin; a customer whom b recommended
}

func newCouple(t *testing.T, w *world) couple {
	t.Helper()
	var c couple
	c.a = w.create("customer", record.Input{"name": "王小明", "phone": "13812341234", "tags": []any{"老客户"}, "note": "喜欢蓝色", "external_id": "E1"})
	w.clock.Advance(time.Hour)
	c.b = w.create("customer", record.Input{"name": "王晓明", "email": "ming@example.com", "tags": []any{"会员"}, "note": "周末送货", "card_number": "C9", "external_id": "E2",
		"do_not_contact": true, "referrer": c.a.ID, "address": map[string]any{"region": "330100", "street": "文三路 1 号"}})
	c.contact = w.create("contact", record.Input{"name": "李四", "customer": c.b.ID, "phone": "13900001111"})
	for i := range 3 {
		c.orders = append(c.orders, w.create("order", record.Input{"customer": c.b.ID, "number": "N" + strconv.Itoa(i), "contact": c.contact.ID}))
	}
	c.gone = w.create("order", record.Input{"customer": c.b.ID, "number": "GONE"})
	if err := w.s.Delete(w.ctx(), "order", c.gone.ID, 0); err != nil {
		t.Fatal(err)
	}
	c.friend = w.create("customer", record.Input{"name": "赵六", "referrer": c.b.ID})
	return c
}

func (c *couple) merge(t *testing.T, w *world, fields map[string]record.MergeChoice) *record.Merged {
	t.Helper()
	m, err := w.s.Merge(w.ctx(), record.MergeRequest{Object: "customer", Survivor: c.a.ID, Others: []id.ID{c.b.ID}, Fields: fields})
	if err != nil {
		t.Fatalf("merge: %v", err)
	}
	return m
}

func testMerge(t *testing.T, w *world) {
	c := newCouple(t, w)
	m := c.merge(t, w, nil)
	if m.Moved != 6 || m.Done { // the contact, three orders and one in the bin, the friend
		t.Errorf("moved %d", m.Moved)
	}
	got := w.get("customer", c.a.ID)
	if got.Title != "王小明" || got.Masks["email"] != "m***@example.com" || got.Masks["phone"] != "138****1234" || got.Values["do_not_contact"] != true ||
		got.Values["note"] != "喜欢蓝色\n\n周末送货" || !slices.Equal(got.Values["tags"].([]string), []string{"会员", "老客户"}) || got.Values["card_number"] != "C9" ||
		got.Values["external_id"] != "E1" || got.Values["referrer"] != nil {
		t.Errorf("survivor %+v %+v", got.Values, got.Masks)
	}
	// Another process opens every personal value: all are sealed for whom they belong to.
	s := w.with(newKeyring(t))
	for _, x := range []struct {
		object string
		rec    id.ID
		field  string
		want   any
	}{
		{"customer", c.a.ID, "email", "ming@example.com"}, {"customer", c.a.ID, "address", schema.AddressValue{Region: "330100", Street: "文三路 1 号"}},
		{"contact", c.contact.ID, "phone", "+8613900001111"},
	} {
		if v, err := s.Reveal(w.ctx(), x.object, x.rec, []string{x.field}); err != nil || v[x.field] != x.want {
			t.Errorf("%s.%s is %v, %v", x.object, x.field, v, err)
		}
	}
	for object, rec := range map[string]id.ID{"contact": c.contact.ID, "order": c.orders[1].ID} {
		if r := w.get(object, rec); r.Values["customer"] != c.a.ID {
			t.Errorf("%s belongs to %v", object, r.Values["customer"])
		}
	}
	if r := w.get("order", c.gone.ID); r.Values["customer"] != c.a.ID || r.DeletedAt == nil {
		t.Errorf("order in the bin %+v", r)
	}
	if r := w.get("customer", c.friend.ID); r.Values["referrer"] != c.a.ID {
		t.Errorf("friend was recommended by %v", r.Values["referrer"])
	}
	if into, ok, err := w.s.MergedInto(w.ctx(), c.b.ID); err != nil || !ok || into != c.a.ID {
		t.Errorf("the merged record leads to %d, %v, %v", into, ok, err)
	}
	if _, err := w.s.Restore(w.ctx(), "customer", c.b.ID); err == nil {
		t.Error("a merged record was taken out of the bin")
	} else {
		wantFault(t, err, fault.Conflict, "record.merged", "")
	}
	w.create("customer", record.Input{"name": "新人", "external_id": "E2"}) // the key is free
	_, changes := w.raw("customer", c.a.ID)
	if n := change.Notes(changes[0].After); changes[0].Op != change.Merge || len(n) != 1 || !slices.Equal(n[0].Records, []id.ID{c.b.ID}) {
		t.Errorf("change %+v", changes[0])
	}
	if again := c.merge(t, w, nil); !again.Done || again.Merge != m.Merge || w.get("customer", c.a.ID).Version != got.Version {
		t.Errorf("merged twice: %+v", again)
	}
	// Along a chain the first id leads to the last survivor.
	last := w.create("customer", record.Input{"name": "王小明"})
	if _, err := w.s.Merge(w.ctx(), record.MergeRequest{Object: "customer", Survivor: last.ID, Others: []id.ID{c.a.ID}}); err != nil {
		t.Fatal(err)
	}
	if into, _, _ := w.s.MergedInto(w.ctx(), c.b.ID); into != last.ID {
		t.Errorf("the chain ends at %d", into)
	}
	if _, err := w.s.Unmerge(w.ctx(), "customer", m.Merge); err == nil {
		t.Error("an earlier merge was taken back before a later one")
	} else {
		wantFault(t, err, fault.Conflict, "merge.survivor_gone", "")
	}
}

func testMergeChoices(t *testing.T, w *world) {
	c := newCouple(t, w)
	bad := []struct {
		req   record.MergeRequest
		kind  fault.Kind
		code  string
		place string
	}{
		{record.MergeRequest{Object: "customer", Survivor: c.a.ID, Others: []id.ID{c.a.ID}}, fault.Invalid, "merge.too_few", "ids"},
		{record.MergeRequest{Object: "customer", Survivor: c.a.ID, Others: []id.ID{42}}, fault.NotFound, "record.not_found", ""},
		{record.MergeRequest{Object: "customer", Survivor: c.a.ID, Others: []id.ID{c.b.ID}, Version: 9}, fault.Stale, "record.stale", ""},
		{record.MergeRequest{Object: "customer", Survivor: c.a.ID, Others: []id.ID{c.b.ID}, Fields: map[string]record.MergeChoice{"name": {From: 42}}}, fault.Invalid, "merge.not_among", "fields.name"},
		{record.MergeRequest{Object: "customer", Survivor: c.a.ID, Others: []id.ID{c.b.ID}, Fields: map[string]record.MergeChoice{"name": {United: true}}}, fault.Invalid, "merge.not_united", "fields.name"},
		{record.MergeRequest{Object: "customer", Survivor: c.a.ID, Others: []id.ID{c.b.ID}, Fields: map[string]record.MergeChoice{"name": {}}}, fault.Invalid, "record.required", "fields.name"},
	}
	for _, x := range bad {
		_, err := w.s.Merge(w.ctx(), x.req)
		wantFault(t, err, x.kind, x.code, x.place)
	}
	for _, role := range []access.Role{access.Member, access.ReadOnly} {
		_, err := w.s.Merge(as(t, role), record.MergeRequest{Object: "customer", Survivor: c.a.ID, Others: []id.ID{c.b.ID}})
		wantFault(t, err, fault.Forbidden, "record.forbidden", "")
	}
	if r := w.get("order", c.orders[0].ID); r.Values["customer"] != c.b.ID || w.get("customer", c.b.ID).DeletedAt != nil {
		t.Error("a refused merge left something behind")
	}
	plan, err := w.s.PlanMerge(w.ctx(), record.MergeRequest{Object: "customer", Others: []id.ID{c.a.ID, c.b.ID}})
	if err != nil || plan.Survivor != c.b.ID || len(plan.Records) != 2 {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	from := map[string]id.ID{}
	for _, f := range plan.Fields {
		from[f.Field] = f.From
		if f.Field == "tags" && (!f.United || !f.Differs) || f.Field == "phone" && (!f.Differs || f.United) {
			t.Errorf("plan of %+v", f)
		}
	}
	if from["phone"] != c.a.ID || from["email"] != c.b.ID || from["name"] != c.b.ID {
		t.Errorf("plan takes %v", from)
	}
	c.merge(t, w, map[string]record.MergeChoice{"name": {From: c.b.ID}, "note": {From: c.b.ID}, "phone": {From: c.b.ID}, "tags": {Value: []any{"新"}}})
	got := w.get("customer", c.a.ID)
	if got.Title != "王晓明" || got.Values["note"] != "周末送货" || got.Masks["phone"] != "" || !slices.Equal(got.Values["tags"].([]string), []string{"新"}) {
		t.Errorf("survivor %+v %+v", got.Values, got.Masks)
	}
}

func testUnmerge(t *testing.T, w *world) {
	c := newCouple(t, w)
	m := c.merge(t, w, map[string]record.MergeChoice{"name": {From: c.b.ID}})
	since := w.create("order", record.Input{"customer": c.a.ID, "number": "SINCE"})
	if _, err := w.s.Update(w.ctx(), "order", c.orders[2].ID, 0, record.Input{"customer": c.friend.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Update(w.ctx(), "customer", c.a.ID, 0, record.Input{"note": "后来写的"}); err != nil {
		t.Fatal(err)
	}
	list, err := w.s.MergesOf(w.ctx(), "customer", c.a.ID)
	if err != nil || len(list) != 1 || list[0].Moved != 6 || !slices.Equal(list[0].Merged, []id.ID{c.b.ID}) {
		t.Fatalf("merges %+v, %v", list, err)
	}
	back, err := w.s.Unmerge(w.ctx(), "customer", m.Merge)
	if err != nil || back.Moved != 5 || !slices.Equal(back.Restored, []id.ID{c.b.ID}) {
		t.Fatalf("taken back %+v, %v", back, err)
	}
	a, b := w.get("customer", c.a.ID), w.get("customer", c.b.ID)
	if a.Title != "王小明" || a.Masks["email"] != "" || a.Values["note"] != "后来写的" || a.Values["card_number"] != nil || a.Values["do_not_contact"] != false ||
		!slices.Equal(a.Values["tags"].([]string), []string{"老客户"}) || a.Values["address"] != nil {
		t.Errorf("survivor %+v %+v", a.Values, a.Masks)
	}
	if b.DeletedAt != nil || b.Title != "王晓明" || b.Masks["email"] != "m***@example.com" || b.Values["card_number"] != "C9" || b.Values["external_id"] != "E2" {
		t.Errorf("restored %+v %+v", b.Values, b.Masks)
	}
	for rec, want := range map[id.ID]id.ID{c.orders[0].ID: c.b.ID, c.orders[1].ID: c.b.ID, c.orders[2].ID: c.friend.ID, since.ID: c.a.ID, c.gone.ID: c.b.ID} {
		if r := w.get("order", rec); r.Values["customer"] != want {
			t.Errorf("order %v belongs to %v, want %v", r.Title, r.Values["customer"], want)
		}
	}
	if v, err := w.with(newKeyring(t)).Reveal(w.ctx(), "contact", c.contact.ID, []string{"phone"}); err != nil || v["phone"] != "+8613900001111" {
		t.Errorf("the contact's phone is %v, %v", v, err)
	}
	if _, ok, _ := w.s.MergedInto(w.ctx(), c.b.ID); ok {
		t.Error("the id still leads elsewhere")
	}
	_, err = w.s.Unmerge(w.ctx(), "customer", m.Merge)
	wantFault(t, err, fault.Conflict, "merge.undone", "")
	h, _, err := w.s.History(w.ctx(), "customer", c.a.ID, change.Position{}, 5)
	if err != nil || h[0].Op != change.Unmerge || !slices.Equal(h[0].Related, []id.ID{c.b.ID}) || h[2].Op != change.Merge {
		t.Errorf("history %+v, %v", h, err)
	}
	var actions []string
	for _, e := range w.audit.entries {
		actions = append(actions, e.Action)
	}
	if !slices.Contains(actions, "record.merge") || !slices.Contains(actions, "record.unmerge") {
		t.Errorf("audited %v", actions)
	}
}

// A customer with thousands of orders is merged piece by piece: the others are gone at once, their orders follow.
func TestMergeOfManyOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.create("customer", record.Input{"name": "甲"}), w.create("customer", record.Input{"name": "乙"})
	const orders = 2500
	ops := make([]record.BulkOp, orders)
	for i := range ops {
		ops[i] = record.BulkOp{Op: change.Create, Object: "order", Input: record.Input{"customer": b.ID, "number": "M" + strconv.Itoa(i)}}
	}
	if _, _, err := w.s.Bulk(w.ctx(), 0, ops); err != nil {
		t.Fatal(err)
	}
	system := access.With(w.ctx(), access.System())
	mine := func(v id.ID) int {
		n, _, err := w.s.Count(w.ctx(), "order", where(t, `{"field":"customer","op":"=","value":"`+id.Format("cus", v)+`"}`), "", true)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	m, err := w.s.Merge(w.ctx(), record.MergeRequest{Object: "customer", Survivor: a.ID, Others: []id.ID{b.ID}})
	if err != nil || !m.Moving || m.Total != orders {
		t.Fatalf("merged %+v, %v", m, err)
	}
	if into, ok, _ := w.s.MergedInto(w.ctx(), b.ID); !ok || into != a.ID {
		t.Error("the id does not lead to the survivor")
	}
	c := w.create("customer", record.Input{"name": "丙"})
	_, err = w.s.Merge(w.ctx(), record.MergeRequest{Object: "customer", Survivor: c.ID, Others: []id.ID{a.ID}})
	wantFault(t, err, fault.Conflict, "merge.busy", "")
	if err := w.s.MovePiece(w.ctx(), m.Merge); err == nil {
		t.Error("a person did the program's work")
	}
	// Some have moved when it is taken back: those that moved go back, the others never left.
	for range 4 {
		if err := w.s.MovePiece(system, m.Merge); err != nil {
			t.Fatal(err)
		}
	}
	if n := mine(a.ID); n == 0 || n == orders {
		t.Errorf("%d orders after some pieces", n)
	}
	pieces := func() (n int) {
		for n = 0; n < 100; n++ {
			before := mine(a.ID)
			if err := w.s.MovePiece(system, m.Merge); err != nil {
				t.Fatal(err)
			}
			if mine(a.ID) == before {
				break
			}
		}
		return n
	}
	if back, err := w.s.Unmerge(w.ctx(), "customer", m.Merge); err != nil || !back.Moving {
		t.Fatalf("taken back %+v, %v", back, err)
	}
	_, err = w.s.Merge(w.ctx(), record.MergeRequest{Object: "customer", Survivor: c.ID, Others: []id.ID{b.ID}})
	wantFault(t, err, fault.Conflict, "merge.busy", "")
	pieces()
	if mine(a.ID) != 0 || mine(b.ID) != orders {
		t.Errorf("%d and %d orders", mine(a.ID), mine(b.ID))
	}
	// And whole, there and back.
	if m, err = w.s.Merge(w.ctx(), record.MergeRequest{Object: "customer", Survivor: a.ID, Others: []id.ID{b.ID}}); err != nil {
		t.Fatal(err)
	}
	late := w.create("order", record.Input{"customer": a.ID, "number": "LATE"})
	if n := pieces(); n < 10 || mine(a.ID) != orders+1 || mine(b.ID) != 0 {
		t.Errorf("%d pieces: %d and %d orders", n, mine(a.ID), mine(b.ID))
	}
	if again, err := w.s.Merge(w.ctx(), record.MergeRequest{Object: "customer", Survivor: a.ID, Others: []id.ID{b.ID}}); err != nil || !again.Done || again.Moving || again.Moved != orders {
		t.Errorf("repeated %+v, %v", again, err)
	}
	if _, err := w.s.Unmerge(w.ctx(), "customer", m.Merge); err != nil {
		t.Fatal(err)
	}
	pieces()
	if r := w.get("order", late.ID); mine(b.ID) != orders || r.Values["customer"] != a.ID {
		t.Errorf("%d orders went back, the late one is of %v", mine(b.ID), r.Values["customer"])
	}
}
