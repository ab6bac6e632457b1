package mass_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

// TestEditEverythingAndUndo: one job sets, clears, adds and removes tags and adds to a number, over more records than a quick job
// takes; each record is written once, and undo puts each back once.
func TestEditEverythingAndUndo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		const n = 1203
		ids := w.customers(n)
		j := w.start(edit(set("note", `"批量"`), mass.Change{Field: "source", Op: mass.OpClear},
			mass.Change{Field: "tags", Op: mass.OpAdd, Value: []byte(`["VIP","老客"]`)}, mass.Change{Field: "tags", Op: mass.OpRemove, Value: []byte(`["老客"]`)},
			mass.Change{Field: "height_cm", Op: mass.OpIncrease, Value: []byte(`2.5`)}))
		if j.Status != mass.Collecting || j.Lane != mass.Writes {
			t.Fatalf("a large job is %s in lane %d", j.Status, j.Lane)
		}
		j = w.run(j)
		if j.Status != mass.Done || j.Result.Changed != n || j.Result.Failed+j.Result.Skipped+j.Result.Unchanged != 0 || j.Progress.Done != n || j.Progress.Total != n {
			t.Fatalf("%s %+v %+v %v", j.Status, j.Result, j.Progress, j.Error)
		}
		if j.Spec.Set.Where != nil || j.Spec.Set.IDs != nil {
			t.Error("the condition is kept although the set is frozen")
		}
		for _, v := range []id.ID{ids[0], ids[n/2], ids[n-1]} {
			r := w.get(v)
			if r.Values["note"] != "批量" || r.Values["source"] != nil || tags(r) != "VIP,老客" || fmt.Sprint(r.Values["height_cm"]) != "185" || r.Version != 2 {
				t.Errorf("%v version %d tags %s", r.Values, r.Version, tags(r))
			}
		}
		j = w.undo(j)
		if j.Status != mass.Undone || j.Result.Restored != n || j.Result.Kept+j.Result.Partly != 0 {
			t.Fatalf("%s %+v %v", j.Status, j.Result, j.Error)
		}
		for _, v := range []id.ID{ids[0], ids[n/2], ids[n-1]} {
			r := w.get(v)
			if r.Values["note"] != nil || r.Values["source"] != "store" || tags(r) != "老客" || fmt.Sprint(r.Values["height_cm"]) != "160" || r.Version != 3 {
				t.Errorf("after undo %v version %d tags %s", r.Values, r.Version, tags(r))
			}
		}
		entries, _, err := w.records.History(w.ctx, "customer", ids[0], change.Position{}, 10)
		if err != nil || len(entries) != 3 || entries[1].Batch != j.ID || entries[1].By != 42 {
			t.Errorf("history %+v %v", entries, err)
		}
		if _, err := w.svc.Undo(w.ctx, j.ID); fault.CodeOf(err) != "mass.wrong_state" {
			t.Errorf("undone twice: %v", err)
		}
	})
}

// TestChangedMeanwhile: the set is frozen; what somebody changes, adds or deletes after that is left out, or taken when asked so.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.customers(20)
		filter := mass.Set{Where: w.where(`{"field":"source","op":"=","value":"store"}`), Except: ids[:1]}
		for _, mode := range []string{mass.SkipChanged, mass.TakeChanged} {
			o := edit(set("note", `"`+mode+`"`))
			o.Set, o.Changed = filter, mode
			j := w.start(o)
			if j.Lane != mass.Quick || j.Progress.Total != 19-map[string]int64{mass.TakeChanged: 1}[mode] {
				t.Fatalf("lane %d total %d", j.Lane, j.Progress.Total)
			}
			if _, err := w.records.Update(w.ctx, "customer", ids[3], 0, record.Input{"email": "a" + mode + "@example.com"}); err != nil {
				t.Fatal(err)
			}
			if mode == mass.SkipChanged {
				if err := w.records.Delete(w.ctx, "customer", ids[5], 0); err != nil {
					t.Fatal(err)
				}
			}
			j = w.run(j)
			want := mass.Result{Changed: 17, Skipped: 2}
			if mode == mass.TakeChanged {
				want = mass.Result{Changed: 18}
			}
			if j.Status != mass.Done || j.Result.Changed != want.Changed || j.Result.Skipped != want.Skipped || j.Result.Failed != 0 {
				t.Fatalf("%s: %s %+v", mode, j.Status, j.Result)
			}
			if got := w.get(ids[3]).Values["note"]; (got == mode) != (mode == mass.TakeChanged) {
				t.Errorf("%s: note %v", mode, got)
			}
			if got := w.get(ids[0]).Values["note"]; got != nil {
				t.Errorf("an excepted record was changed: %v", got)
			}
			if mode != mass.SkipChanged {
				continue
			}
			reasons, err := w.svc.Reasons(w.ctx, j, 10)
			if err != nil || len(reasons) != 2 || reasons[0].Code != "mass.changed_meanwhile" || reasons[1].Code != "mass.gone" {
				t.Errorf("reasons %+v %v", reasons, err)
			}
			var b bytes.Buffer
			if err := w.svc.Report(w.ctx, j.ID, &b); err != nil || strings.Count(b.String(), "\n") != 3 || !strings.Contains(b.String(), "客户00003") {
				t.Errorf("report %q %v", b.String(), err)
			}
		}
	})
}

// TestUndoLeavesWhatChangedSince: field by field; a record changed in the same field is named as left.
func TestUndoLeavesWhatChangedSince(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.customers(4)
		j := w.run(w.start(edit(set("note", `"一"`), set("source", `"advertising"`))))
		if j.Result.Changed != 4 {
			t.Fatalf("%+v %v", j.Result, j.Error)
		}
		change := func(v id.ID, in record.Input) {
			if _, err := w.records.Update(w.ctx, "customer", v, 0, in); err != nil {
				t.Fatal(err)
			}
		}
		change(ids[0], record.Input{"gender": "female"}) // another field: all is put back
		change(ids[1], record.Input{"note": "我的"})       // one of two
		change(ids[2], record.Input{"note": "我的", "source": "store"})
		j = w.undo(j)
		if j.Status != mass.Undone || j.Result.Restored != 2 || j.Result.Partly != 1 || j.Result.Kept != 1 {
			t.Fatalf("%s %+v %v", j.Status, j.Result, j.Error)
		}
		for i, want := range []string{"<nil> store", "我的 store", "我的 store", "<nil> store"} {
			r := w.get(ids[i])
			if got := fmt.Sprint(r.Values["note"], " ", r.Values["source"]); got != want {
				t.Errorf("record %d: %s, want %s", i, got, want)
			}
		}
		reasons, err := w.svc.Reasons(w.ctx, j, 10)
		if err != nil || len(reasons) != 2 || reasons[0].Code != "mass.undone_partly" || reasons[0].Field == nil || reasons[0].Field.Key != "note" || reasons[1].Code != "record.changed_since" {
			t.Errorf("reasons %+v %v", reasons, err)
		}
	})
}

// TestDeleteRestoreAssign: the other kinds, each with its undo; a unique value taken in between keeps a record in the bin.
func TestDeleteRestoreAssign(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.customers(6)
		assign := w.run(w.start(mass.Order{Kind: mass.Assign, Object: "customer", Owner: 43, Set: mass.Set{IDs: ids[:3]}}))
		if assign.Result.Changed != 3 || w.get(ids[0]).Values["owner"] != id.ID(43) || w.get(ids[3]).Values["owner"] != nil {
			t.Fatalf("%+v %v", assign.Result, assign.Error)
		}
		if j := w.undo(assign); j.Result.Restored != 3 || w.get(ids[0]).Values["owner"] != nil {
			t.Fatalf("%+v", j.Result)
		}
		gone := w.run(w.start(mass.Order{Kind: mass.Delete, Object: "customer", Set: mass.Set{IDs: ids}}))
		if gone.Result.Changed != 6 || w.get(ids[0]).DeletedAt == nil {
			t.Fatalf("%+v %v", gone.Result, gone.Error)
		}
		if _, err := w.records.Create(w.ctx, "customer", record.Input{"name": "占用", "external_id": "c00002"}); err != nil {
			t.Fatal(err)
		}
		j := w.undo(gone)
		if j.Result.Restored != 5 || j.Result.Kept != 1 || w.get(ids[0]).DeletedAt != nil || w.get(ids[2]).DeletedAt == nil {
			t.Fatalf("%+v", j.Result)
		}
		if reasons, err := w.svc.Reasons(w.ctx, j, 10); err != nil || len(reasons) != 1 || reasons[0].Code != "record.unique_taken" {
			t.Errorf("%+v %v", reasons, err)
		}
		again := w.run(w.start(mass.Order{Kind: mass.Delete, Object: "customer", Set: mass.Set{IDs: ids[:2]}}))
		back := w.run(w.start(mass.Order{Kind: mass.Restore, Object: "customer", Set: mass.Set{Deleted: true, Except: ids[2:3]}}))
		if again.Result.Changed != 2 || back.Result.Changed != 2 || w.get(ids[1]).DeletedAt != nil {
			t.Fatalf("%+v %+v %v", again.Result, back.Result, back.Error)
		}
		if j := w.undo(back); j.Result.Restored != 2 || w.get(ids[1]).DeletedAt == nil {
			t.Fatalf("%+v", j.Result)
		}
	})
}

// TestRightsHoldWhileItRuns: who may not, may not start; who lost the right or the access meanwhile does no more; others see nothing.
func TestRightsHoldWhileItRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t))
	ids := w.customers(5)
	w.role[44] = access.ReadOnly
	o := edit(set("note", `"x"`))
	o.Set.IDs = ids
	if _, err := w.svc.Start(w.as(44), o); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a reader started an edit: %v", err)
	}
	if _, err := w.svc.Start(t.Context(), o); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("nobody started an edit: %v", err)
	}
	j := w.start(o)
	w.role[42] = access.ReadOnly
	if j = w.run(j); j.Status != mass.Failed || j.Error.Code != "record.forbidden" || w.get(ids[0]).Values["note"] != nil {
		t.Errorf("without the right: %s %v", j.Status, j.Error)
	}
	w.role[42] = access.Manager
	if !j.Resumable() {
		t.Fatal("a failed job cannot go on")
	}
	if _, err := w.svc.Resume(w.ctx, j.ID); err != nil {
		t.Fatal(err)
	}
	if j = w.run(j); j.Status != mass.Done || j.Result.Changed != 5 || w.get(ids[0]).Values["note"] != "x" {
		t.Errorf("resumed: %s %+v", j.Status, j.Result)
	}
	o.Changes = []mass.Change{set("note", `"y"`)}
	j = w.start(o)
	delete(w.role, 42)
	if j = w.run(j); j.Status != mass.Failed || j.Error.Code != "auth.actor_gone" {
		t.Errorf("somebody gone: %s %v", j.Status, j.Error)
	}
	w.role[42], w.role[45] = access.Manager, access.Member
	if _, err := w.svc.Get(w.as(45), j.ID); fault.CodeOf(err) != "mass.not_found" {
		t.Errorf("another's job: %v", err)
	}
	if list, err := w.svc.List(w.as(45), mass.Filter{Limit: 10}, true); err != nil || len(list) != 0 {
		t.Errorf("another's list: %v %v", list, err)
	}
	if list, err := w.svc.List(w.as(43), mass.Filter{Limit: 10}, true); err != nil || len(list) != 2 {
		t.Errorf("the administrator's list: %v %v", list, err)
	}
	if _, err := w.svc.Undo(w.as(45), j.ID); fault.CodeOf(err) != "mass.not_found" {
		t.Errorf("another's undo: %v", err)
	}
}

// TestWrongOrders: each is refused before anything is stored, with the place of the mistake.
func TestWrongOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t))
	ids := w.customers(2)
	for _, c := range []struct {
		order       mass.Order
		code, place string
	}{
		{edit(), "mass.nothing_to_do", "changes"},
		{edit(set("nope", `1`)), "record.unknown_field", "changes.0.field"},
		{edit(set("source", `"nope"`)), "", "fields.source"},
		{edit(set("phone", `"13900000000"`)), "mass.personal_field", "changes.0.field"},
		{edit(set("external_id", `"a"`)), "mass.unique_field", "changes.0.field"},
		{edit(set("note", `"a"`), set("note", `"b"`)), "mass.field_twice", "changes.1.field"},
		{edit(mass.Change{Field: "note", Op: mass.OpAdd, Value: []byte(`["a"]`)}), "record.delta_type", "fields.note"},
		{edit(mass.Change{Field: "note", Op: "rot", Value: []byte(`1`)}), "mass.unknown_operation", "changes.0.op"},
		{edit(mass.Change{Field: "note", Op: mass.OpSet}), "mass.value_missing", "changes.0.value"},
		{edit(set("owner", `"usr_1"`)), "record.operation_only", "fields.owner"},
		{edit(mass.Change{Field: "name", Op: mass.OpClear}), "record.required", "fields.name"},
		{mass.Order{Kind: mass.Assign, Object: "customer", Owner: 99}, "record.relation_unknown", "fields.owner"},
		{mass.Order{Kind: mass.Assign, Object: "channel", Owner: 42}, "mass.no_owner", "object"},
		{mass.Order{Kind: mass.Delete, Object: "customer", Set: mass.Set{IDs: []id.ID{}}}, "mass.set_empty", "ids"},
		{mass.Order{Kind: mass.Delete, Object: "customer", Set: mass.Set{IDs: ids, Search: "a"}}, "mass.set_unclear", "ids"},
		{mass.Order{Kind: mass.Delete, Object: "customer", Set: mass.Set{Deleted: true}}, "mass.bin_only", "deleted"},
		{mass.Order{Kind: mass.Delete, Object: "order", Set: mass.Set{Segment: "a"}}, "mass.segment_object", "segment"},
		{mass.Order{Kind: "rot", Object: "customer"}, "mass.unknown_kind", "action"},
		{mass.Order{Kind: mass.Export, Object: "customer", File: &mass.File{Format: "doc"}}, "export.unknown_format", "format"},
		{mass.Order{Kind: mass.Export, Object: "customer", File: &mass.File{Format: sink.CSV, Fields: []string{"name", "nope"}}}, "record.unknown_field", "fields.1"},
	} {
		_, err := w.svc.Start(w.ctx, c.order)
		f, ok := fault.Find(err)
		if !ok || c.code != "" && f.Code != c.code || f.Field != c.place {
			t.Errorf("%+v: %v, want %s at %s", c.order, err, c.code, c.place)
		}
	}
	if list, err := w.svc.List(w.ctx, mass.Filter{Limit: 10}, false); err != nil || len(list) != 0 {
		t.Errorf("a refused order left a job: %v %v", list, err)
	}
}

// TestInterruptedAnywhere: the process ends between any two parts, of the work and of its undo; the next one goes on, and
// every record is changed once.
func TestInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		const n = 2100
		ids := w.customers(n)
		j := w.start(edit(mass.Change{Field: "height_cm", Op: mass.OpIncrease, Value: []byte(`1`)}))
		work := func(until mass.Status) {
			for stop := int64(0); ; stop++ {
				ctx, cancel := context.WithCancel(t.Context())
				w.jobs.before = func(part int64) {
					if part == stop {
						cancel()
					}
				}
				if _, err := w.svc.Next(ctx, mass.Writes); err != nil && ctx.Err() == nil {
					t.Fatal(err)
				}
				cancel()
				w.svc = w.service() // a new process
				if got := w.read(j); got.Status == until {
					return
				} else if !got.Status.Active() || stop > 10 {
					t.Fatalf("%s after %d: %v", got.Status, stop, got.Error)
				}
			}
		}
		check := func(height string, version int64) {
			t.Helper()
			for from := 0; from < n; from += 500 {
				recs, err := w.records.GetMany(w.ctx, "customer", ids[from:min(from+500, n)], []string{"height_cm"})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range recs {
					if fmt.Sprint(r.Values["height_cm"]) != height || r.Version != version {
						t.Fatalf("height %v version %d, want %s, %d", r.Values["height_cm"], r.Version, height, version)
					}
				}
			}
		}
		work(mass.Done)
		check("170", 2)
		if _, err := w.svc.Undo(w.ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		work(mass.Undone)
		check("160", 3)
		if got := w.read(j); got.Result.Changed != n || got.Result.Restored != n {
			t.Errorf("%+v", got.Result)
		}
	})
}

// TestCancelThenUndo: what a cancelled job did stays until it is undone, and nothing else is touched.
func TestCancelThenUndo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.customers(1600)
		j := w.start(edit(set("note", `"x"`)))
		w.jobs.before = func(part int64) {
			if part == 2 {
				if _, err := w.svc.Cancel(w.ctx, j.ID); err != nil {
					t.Error(err)
				}
			}
		}
		if j = w.run(j); j.Status != mass.Cancelled || j.Result.Changed != 1000 {
			t.Fatalf("%s %+v", j.Status, j.Result)
		}
		w.jobs.before = nil
		j = w.undo(j)
		if j.Status != mass.Undone || j.Result.Restored != 1000 || j.Result.Kept != 0 {
			t.Fatalf("%s %+v", j.Status, j.Result)
		}
		if n, _, err := w.records.Count(w.ctx, "customer", w.where(`{"field":"note","op":"is_set"}`), "", true); err != nil || n != 0 {
			t.Errorf("%d notes left, %v", n, err)
		}
	})
}

// TestExport: in the order asked for, masked, as it is when the file is written; encrypted on disk, for its owner, until it
// expires.
func TestExport(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		const n = 1100
		ids := w.customers(n)
		if _, err := w.records.Update(w.ctx, "customer", ids[0], 0, record.Input{"name": "=cmd()"}); err != nil {
			t.Fatal(err)
		}
		j := w.start(mass.Order{Kind: mass.Export, Object: "customer", Set: mass.Set{Sort: []schema.Sort{{Field: "external_id", Desc: true}}},
			File: &mass.File{Format: sink.CSV, Fields: []string{"external_id", "name", "phone", "tags", "height_cm", "created_by"}, Name: "客户/名单"}})
		w.jobs.before = func(part int64) {
			if part == 0 {
				if err := w.records.Delete(w.ctx, "customer", ids[1], 0); err != nil {
					t.Error(err)
				}
			}
			w.clock.Advance(time.Second)
		}
		if j = w.run(j); j.Status != mass.Done || j.Result.Changed != n-1 || j.Result.Skipped != 1 || j.Result.Bytes == 0 {
			t.Fatalf("%s %+v %v", j.Status, j.Result, j.Error)
		}
		f, err := w.svc.Open(w.ctx, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(f)
		if err != nil || int64(len(raw)) != j.Result.Bytes || !strings.HasPrefix(f.Name, "客户_名单-") {
			t.Fatalf("%d bytes of %d, %s, %v", len(raw), j.Result.Bytes, f.Name, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
		if len(lines) != n || !strings.HasPrefix(lines[0], "\ufeffid,") || !strings.Contains(lines[1], ",c01099,客户01099,139****1099,") || !strings.Contains(lines[n-1], ",'=cmd(),") {
			t.Errorf("%d lines: %q %q … %q", len(lines), lines[0], lines[1], lines[len(lines)-1])
		}
		disk, err := os.ReadFile(filepath.Join(w.dir, id.Format(mass.Prefix, j.ID)))
		if err != nil || bytes.Contains(disk, []byte("客户")) || bytes.Contains(disk, []byte("c01099")) {
			t.Errorf("the file is in clear on disk, %v", err)
		}
		if _, err := w.svc.Open(w.as(43), j.ID); fault.CodeOf(err) != "mass.not_found" {
			t.Errorf("another opened it: %v", err)
		}
		w.clock.Advance(8 * 24 * time.Hour)
		if _, err := w.svc.Open(w.ctx, j.ID); fault.CodeOf(err) != "export.file_gone" {
			t.Errorf("expired: %v", err)
		}
		if err := w.svc.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(w.dir); err != nil || len(entries) != 0 {
			t.Errorf("left on disk: %v %v", entries, err)
		}
		w.clock.Advance(500 * 24 * time.Hour)
		if err := w.svc.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Get(w.ctx, j.ID); fault.CodeOf(err) != "mass.not_found" {
			t.Errorf("an old job is still there: %v", err)
		}
	})
}

// TestStreamedExport is what the command line takes: the same engine without a job.
func TestStreamedExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t))
	w.customers(1500)
	p, err := w.svc.Prepare(w.ctx, mass.Order{Object: "customer", Set: mass.Set{Segment: "everybody"}, File: &mass.File{Format: sink.NDJSON, Fields: []string{"name", "phone"}}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	rows, err := p.Stream(w.ctx, &b)
	if err != nil || rows != 1500 || strings.Count(b.String(), "\n") != 1500 || !strings.Contains(b.String(), `"phone":"139****0000"`) {
		t.Errorf("%d rows, %v, %.200s", rows, err, b.String())
	}
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := p.Stream(ctx, io.Discard); err == nil {
		t.Error("a cancelled stream did not fail")
	}
}

// TestForesee: a count and the first records before and after, nothing written.
func TestForesee(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t))
	ids := w.customers(30)
	o := edit(mass.Change{Field: "tags", Op: mass.OpAdd, Value: []byte(`["VIP"]`)}, mass.Change{Field: "phone", Op: mass.OpClear}, set("source", `"store"`))
	o.Set.IDs = append(append([]id.ID{}, ids[:10]...), ids[3], 99)
	p, err := w.svc.Foresee(w.ctx, o, 4)
	if err != nil || p.Count != 10 || len(p.Items) != 4 {
		t.Fatalf("%+v %v", p, err)
	}
	it := p.Items[0]
	if fmt.Sprint(it.Values["tags"]) != "[老客]" || fmt.Sprint(it.After["tags"]) != "[VIP 老客]" || it.Masks["phone"] == "" || it.After["phone"] != nil || it.Same || it.Err != nil {
		t.Errorf("%+v", it)
	}
	o = edit(set("source", `"store"`))
	o.Set.IDs = ids[:2]
	if p, err = w.svc.Foresee(w.ctx, o, 4); err != nil || p.Count != 2 || !p.Items[0].Same {
		t.Errorf("%+v %v", p, err)
	}
	if r := w.get(ids[0]); r.Version != 1 {
		t.Errorf("the preview wrote: version %d", r.Version)
	}
}
