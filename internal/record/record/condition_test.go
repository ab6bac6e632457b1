package record_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/objects"
)

// shaped is a world whose standard objects say more.
func (w *world) shaped(change func(o *schema.Object)) {
	w.t.Helper()
	list, err := schema.Load(objects.FS)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range list {
		change(o)
	}
	if w.reg, err = schema.NewRegistry(list); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.Ensure(w.t.Context(), w.reg); err != nil {
		w.t.Fatal(err)
	}
}

func conditional(o *schema.Object) {
	if o.Key != "task" {
		return
	}
	o.Fields = append(o.Fields,
		&schema.Field{Key: "loss", Type: schema.Text, Label: schema.Label{"en": "Loss"}, Custom: true,
			ShownWhen:    json.RawMessage(`{"field":"status","op":"=","value":"cancelled"}`),
			RequiredWhen: json.RawMessage(`{"field":"priority","op":"=","value":"high"}`)},
		&schema.Field{Key: "company_note", Type: schema.Text, Label: schema.Label{"en": "Company note"}, Custom: true, Required: true,
			ShownWhen: json.RawMessage(`{"field":"customer.kind","op":"=","value":"company"}`)})
}

// worlds runs a test on both databases, the second where the environment names one.
func worlds(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); fn(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); fn(t, newPostgresWorld(t)) })
}

func TestConditionsAreKeptFromEveryDoor(t *testing.T) {
	t.Parallel()
	worlds(t, func(t *testing.T, w *world) {
		w.shaped(conditional)
		person := w.create("customer", record.Input{"name": "王敏", "kind": "person"})
		company := w.create("customer", record.Input{"name": "云锦", "kind": "company"})

		// Shown and required: neither a create nor an update nor a bulk write leaves it empty.
		_, err := w.s.Create(w.ctx(), "task", record.Input{"subject": "a", "status": "cancelled", "priority": "high", "customer": person.ID})
		wantFault(t, err, fault.Invalid, "record.required_when", "fields.loss")
		// Required and not shown: nobody could fill it in.
		task := w.create("task", record.Input{"subject": "b", "status": "open", "priority": "high", "customer": person.ID})
		_, err = w.s.Update(w.ctx(), "task", task.ID, 0, record.Input{"status": "cancelled"})
		wantFault(t, err, fault.Invalid, "record.required_when", "fields.loss")
		if _, err = w.s.Update(w.ctx(), "task", task.ID, 0, record.Input{"status": "cancelled", "loss": "price"}); err != nil {
			t.Fatal(err)
		}
		_, err = w.s.Update(w.ctx(), "task", task.ID, 0, record.Input{"loss": nil})
		wantFault(t, err, fault.Invalid, "record.required_when", "fields.loss")

		// What hides it keeps its value.
		if _, err = w.s.Update(w.ctx(), "task", task.ID, 0, record.Input{"status": "open"}); err != nil {
			t.Fatal(err)
		}
		if got := w.get("task", task.ID).Values["loss"]; got != "price" {
			t.Errorf("a hidden field has %v", got)
		}

		// A relation is followed, also to a record that the same call makes; a field that always is required is where it is shown.
		_, err = w.s.Create(w.ctx(), "task", record.Input{"subject": "c", "customer": company.ID})
		wantFault(t, err, fault.Invalid, "record.required_when", "fields.company_note")
		fresh := w.s.NewID()
		res, _, err := w.s.Bulk(w.ctx(), 0, []record.BulkOp{
			{Op: change.Create, Object: "customer", ID: fresh, Input: record.Input{"name": "新", "kind": "company"}},
			{Op: change.Create, Object: "task", Input: record.Input{"subject": "d", "customer": fresh}}})
		if err != nil || res[0].Err != nil || !mentions(res[1].Err, "record.required_when") {
			t.Errorf("a bulk write: %+v, %v", res, err)
		}

		// Who corrects something else is not kept from it.
		if _, err = w.s.Update(w.ctx(), "customer", person.ID, 0, record.Input{"kind": "company"}); err != nil {
			t.Fatal(err)
		}
		if _, err = w.s.Update(w.ctx(), "task", task.ID, 0, record.Input{"subject": "e"}); err != nil {
			t.Errorf("another field: %v", err)
		}
	})
}

func mentions(err error, code string) bool {
	f, ok := fault.Find(err)
	if !ok {
		return false
	}
	return f.Code == code || slices.ContainsFunc(f.Items, func(x *fault.Fault) bool { return x.Code == code })
}

func TestTryTellsWhatIsHiddenAndRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.shaped(conditional)
	company := w.create("customer", record.Input{"name": "云锦", "kind": "company"})
	for _, c := range []struct {
		in               record.Input
		hidden, required []string
	}{
		{record.Input{"subject": "a"}, []string{"loss", "company_note"}, nil},
		{record.Input{"status": "cancelled"}, []string{"company_note"}, nil},
		{record.Input{"status": "cancelled", "priority": "high"}, []string{"company_note"}, []string{"loss"}},
		{record.Input{"customer": id.Format("cus", company.ID)}, []string{"loss"}, []string{"company_note"}},
		{record.Input{"status": "no such status"}, []string{"loss", "company_note"}, nil},
	} {
		got, err := w.s.Try(w.ctx(), "task", 0, c.in)
		if err != nil || !slices.Equal(got.Hidden, c.hidden) || !slices.Equal(got.Required, c.required) {
			t.Errorf("%v: %+v, %v", c.in, got, err)
		}
	}
	task := w.create("task", record.Input{"subject": "a", "status": "cancelled"})
	got, err := w.s.Try(w.ctx(), "task", task.ID, record.Input{"priority": "high"})
	if err != nil || !slices.Equal(got.Required, []string{"loss"}) {
		t.Errorf("a stored record: %+v, %v", got, err)
	}
}

func slots(o *schema.Object) {
	if o.Key == "visit" {
		o.UniqueRules = []*schema.UniqueRule{{Key: "slot", Label: schema.Label{"en": "Slot"}, Fields: []string{"place", "starts_at"}, State: schema.UniqueOn, Physical: "u1"}}
	}
}

func TestUniqueRuleOverSeveralFields(t *testing.T) {
	t.Parallel()
	worlds(t, func(t *testing.T, w *world) {
		w.shaped(slots)
		at := "2026-11-23T10:00:00Z"
		visit := func(place, at any) (*record.Record, error) {
			return w.s.Create(w.ctx(), "visit", record.Input{"subject": "v", "place": place, "starts_at": at})
		}
		first, err := visit("南京路", at)
		if err != nil {
			t.Fatal(err)
		}
		_, err = visit("南京路", at)
		wantFault(t, err, fault.Conflict, "record.rule_taken", "fields.place")
		if f, _ := fault.Find(err); f.Params["record"] != id.Format("vst", first.ID) {
			t.Errorf("the fault does not name the record: %v", f.Params)
		}
		other, err := visit("南京路", "2026-11-23T11:00:00Z")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // empty values are not compared
			if _, err := visit(nil, at); err != nil {
				t.Fatal(err)
			}
		}
		_, err = w.s.Update(w.ctx(), "visit", other.ID, 0, record.Input{"starts_at": at})
		wantFault(t, err, fault.Conflict, "record.rule_taken", "fields.place")

		// A place is free when its record goes, and taken when it comes back.
		if err := w.s.Delete(w.ctx(), "visit", first.ID, 0); err != nil {
			t.Fatal(err)
		}
		if _, err = w.s.Update(w.ctx(), "visit", other.ID, 0, record.Input{"starts_at": at}); err != nil {
			t.Fatal(err)
		}
		_, err = w.s.Restore(w.ctx(), "visit", first.ID)
		wantFault(t, err, fault.Conflict, "record.rule_taken", "fields.place")
		// It moved on: the old place is free again.
		if _, err = visit("南京路", "2026-11-23T11:00:00Z"); err != nil {
			t.Errorf("a place that was left: %v", err)
		}
		// Two of one call clash as well, and nothing of it stays.
		_, _, err = w.s.Batch(w.ctx(), true, []record.BatchOp{
			{Op: change.Create, Object: "visit", Input: record.Input{"subject": "a", "place": "徐家汇", "starts_at": at}},
			{Op: change.Create, Object: "visit", Input: record.Input{"subject": "b", "place": "徐家汇", "starts_at": at}}})
		if err == nil || !mentions(err, "record.rule_taken") {
			t.Errorf("a batch: %v", err)
		}
		if _, err = visit("徐家汇", at); err != nil {
			t.Errorf("after a batch that failed: %v", err)
		}
	})
}

func TestClaimRuleFindsThoseOfBefore(t *testing.T) {
	t.Parallel()
	worlds(t, func(t *testing.T, w *world) {
		at := "2026-11-23T10:00:00Z"
		var all []*record.Record
		for range 3 {
			all = append(all, w.create("visit", record.Input{"subject": "v", "place": "南京路", "starts_at": at}))
		}
		w.create("visit", record.Input{"subject": "v", "place": "徐家汇", "starts_at": at})
		w.shaped(slots)
		for range 2 { // a second time finds the same
			got, err := w.s.ClaimRule(w.ctx(), "visit", "slot", 0)
			if err != nil || got.Seen != 4 || got.More || len(got.Clashes) != 2 {
				t.Fatalf("%+v, %v", got, err)
			}
			for _, c := range got.Clashes {
				if c.Holder != all[0].ID && c.Holder != all[1].ID && c.Holder != all[2].ID {
					t.Errorf("held by %v", c.Holder)
				}
			}
		}
	})
}
