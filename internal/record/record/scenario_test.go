package record_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
)

// The timeline of a customer on real stores: orders a millisecond apart, pages smaller than the ties.
func testTimeline(t *testing.T, w *world) {
	c := w.create("customer", record.Input{"name": "张三"})
	other := w.create("customer", record.Input{"name": "李四"})
	for i := range 7 {
		at := t0.Add(-48*time.Hour + time.Duration(i/3)*time.Millisecond)
		w.create("order", record.Input{"customer": c.ID, "placed_at": at, "net_amount": i + 1})
		w.create("order", record.Input{"customer": other.ID, "placed_at": at})
	}
	w.create("refund", record.Input{"customer": c.ID, "amount": "1.50"})
	w.clock.Advance(time.Hour)
	if _, err := w.s.Update(w.ctx(), "customer", c.ID, 0, record.Input{"note": "x"}); err != nil {
		t.Fatal(err)
	}
	s := timeline.New(w.s, nil, func() *schema.Registry { return w.reg })
	var kinds []timeline.Kind
	seen := map[string]bool{}
	cursor := ""
	for {
		items, next, err := s.Read(w.ctx(), "customer", c.ID, timeline.Query{Limit: 2, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			if seen[it.ID] {
				t.Fatalf("%s twice", it.ID)
			}
			seen[it.ID] = true
			kinds = append(kinds, it.Kind)
			if it.Kind == timeline.Refund && it.Amount.Amount != 150 {
				t.Errorf("refund %+v", it)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	want := []timeline.Kind{timeline.Updated, timeline.Refund, timeline.Created}
	for range 7 {
		want = append(want, timeline.Order)
	}
	if !reflect.DeepEqual(kinds, want) {
		t.Errorf("kinds %v", kinds)
	}
	if _, _, err := s.Read(t.Context(), "customer", c.ID, timeline.Query{Limit: 2}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("nobody read a timeline: %v", err)
	}
}

// slow is a store in which another writer is faster, once.
type slow struct {
	record.Store
	lost int
}

func (s *slow) Update(ctx context.Context, fn func(record.Tx) error) (change.Position, error) {
	if s.lost > 0 {
		s.lost--
		return s.Store.Update(ctx, func(tx record.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return fault.New(fault.Stale, "record.stale", nil) // as the commit of another would make it
		})
	}
	return s.Store.Update(ctx, fn)
}

// A write that names no version is tried again when another writer was faster; one that names a version is not.
func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.create("customer", record.Input{"name": "张三", "external_id": "A"})
	store := &slow{Store: w.store, lost: 2}
	s := record.New(record.Config{Store: store, Registry: func() *schema.Registry { return w.reg }, Keys: w.keys, Clock: w.clock,
		IDs: id.NewGenerator(w.clock, 3), Zone: func() *time.Location { return shanghai }})
	calls := 0
	s.RegisterHook("customer", record.Hook{BeforeWrite: func(_ context.Context, c *record.Change) error {
		calls++
		n, _ := c.Old("height_cm").(int64)
		c.Set("height_cm", n+10)
		return nil
	}})
	u, err := s.Update(w.ctx(), "customer", c.ID, 0, record.Input{"phone": "13812341234", "external_id": "B"})
	if err != nil || calls != 3 || u.Version != 2 || u.Values["height_cm"] != int64(10) {
		t.Errorf("after %d tries: %+v, %v", calls, u, err)
	}
	store.lost = 1
	if _, err := s.Update(w.ctx(), "customer", c.ID, 2, record.Input{"note": "x"}); fault.KindOf(err) != fault.Stale {
		t.Errorf("a named version was tried again: %v", err)
	}
	store.lost = 5
	if _, err := s.Update(w.ctx(), "customer", c.ID, 0, record.Input{"note": "x"}); fault.KindOf(err) != fault.Stale {
		t.Errorf("endless tries: %v", err)
	}
	store.lost = 1
	made, err := s.Create(w.ctx(), "order", record.Input{"customer": map[string]any{"external_id": "B"}})
	if err != nil || made.Values["number"] != "SO20261121-00001" || made.Values["customer"] != c.ID {
		t.Errorf("created %+v, %v", made, err)
	}
}

// Random histories of a few records, against a model in memory: values, versions, the log and the unique keys agree at
// every step, and the images in the log lead from each state to the next.
func testAgainstModel(t *testing.T, w *world) {
	r := rand.New(rand.NewPCG(1, 2))
	type state struct {
		id      id.ID
		values  map[string]any
		version int64
		deleted bool
		writes  int
	}
	var all []*state
	inUse := map[string]*state{}
	pick := func(list ...any) any { return list[r.IntN(len(list))] }
	input := func() record.Input {
		in := record.Input{}
		for key, v := range map[string]any{"external_id": pick("a", "b", "c", "d", nil), "height_cm": pick(int64(1500), int64(1600), nil), "tags": pick([]string{"x"}, []string{"x", "y"}, nil),
			"phone": pick("+8613812341234", "+8613912341234", nil), "do_not_contact": pick(true, false), "note": pick("一", "二", nil)} {
			if r.IntN(2) == 0 {
				in[key] = v
			}
		}
		return in
	}
	for step := range 400 {
		in := input()
		key, _ := in["external_id"].(string)
		if len(all) < 4 || r.IntN(20) == 0 {
			in["name"] = fmt.Sprint("客", step)
			got, err := w.s.Create(w.ctx(), "customer", in)
			if holder := inUse[key]; key != "" && holder != nil {
				wantFault(t, err, fault.Conflict, "record.unique_taken", "fields.external_id")
				continue
			}
			if err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			s := &state{id: got.ID, version: 1, writes: 1, values: map[string]any{"name": in["name"], "kind": "person", "do_not_contact": false}}
			for k, v := range in {
				s.values[k] = v
			}
			all = append(all, s)
			if key != "" {
				inUse[key] = s
			}
			continue
		}
		s := all[r.IntN(len(all))]
		own, _ := s.values["external_id"].(string)
		switch {
		case s.deleted:
			_, err := w.s.Restore(w.ctx(), "customer", s.id)
			if own != "" && inUse[own] != nil {
				wantFault(t, err, fault.Conflict, "record.unique_taken", "")
				continue
			}
			if err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			s.deleted, s.version, s.writes = false, s.version+1, s.writes+1
			if own != "" {
				inUse[own] = s
			}
		case r.IntN(6) == 0:
			if err := w.s.Delete(w.ctx(), "customer", s.id, s.version); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			s.deleted, s.version, s.writes = true, s.version+1, s.writes+1
			delete(inUse, own)
		default:
			_, err := w.s.Update(w.ctx(), "customer", s.id, s.version, in)
			if _, given := in["external_id"]; given && key != "" && inUse[key] != nil && inUse[key] != s {
				wantFault(t, err, fault.Conflict, "record.unique_taken", "fields.external_id")
				continue
			}
			if err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			changed := false
			for k, v := range in {
				changed = changed || !reflect.DeepEqual(s.values[k], v)
				s.values[k] = v
			}
			if changed {
				s.version, s.writes = s.version+1, s.writes+1
			}
			if _, given := in["external_id"]; given {
				delete(inUse, own)
				if key != "" {
					inUse[key] = s
				}
			}
		}
	}
	sys := access.With(t.Context(), access.System())
	for _, s := range all {
		got := w.get("customer", s.id)
		want := map[string]any{}
		for k, v := range s.values {
			if v != nil && k != "phone" {
				want[k] = v
			}
		}
		if !reflect.DeepEqual(got.Values, want) || got.Version != s.version || (got.DeletedAt != nil) != s.deleted {
			t.Errorf("record %v version %d, want %v version %d", got.Values, got.Version, want, s.version)
		}
		if !s.deleted {
			phones, err := w.s.PlainValue(sys, "customer", "phone", []id.ID{s.id})
			if err != nil || phones[s.id] != s.values["phone"] {
				t.Errorf("phone %v, %v; want %v", phones[s.id], err, s.values["phone"])
			}
		}
		w.checkLog(s.id, s.writes)
	}
	for key, holder := range map[string]bool{"a": true, "b": true, "c": true, "d": true} {
		found, err := w.s.Lookup(w.ctx(), "customer", "external_id", []string{key})
		if err != nil || !holder {
			t.Fatal(err)
		}
		if s := inUse[key]; (s == nil) != (len(found) == 0) || s != nil && found[key] != s.id {
			t.Errorf("key %s is held by %v, want %+v", key, found, s)
		}
	}
}

// checkLog follows the images of a record's updates back from its present row: each After must be what stands there.
func (w *world) checkLog(v id.ID, writes int) {
	w.t.Helper()
	row, changes := w.raw("customer", v)
	if len(changes) != writes || changes[0].Version != row.Version {
		w.t.Errorf("%d changes up to version %d, want %d up to %d", len(changes), changes[0].Version, writes, row.Version)
		return
	}
	now := map[string]any{}
	for i, c := range w.reg.Object("customer").Columns() {
		now[c.Name] = row.Cols[i]
	}
	for _, c := range changes {
		if c.Op != change.Update {
			continue
		}
		var before, after map[string]any
		for raw, into := range map[*[]byte]*map[string]any{&c.Before: &before, &c.After: &after} {
			dec := json.NewDecoder(bytes.NewReader(*raw))
			dec.UseNumber()
			if err := dec.Decode(into); err != nil {
				w.t.Fatal(err)
			}
		}
		if len(before) != len(after) || len(after) == 0 {
			w.t.Errorf("images %s → %s", c.Before, c.After)
		}
		for name, x := range after {
			if b, ok := now[name].([]byte); ok {
				now[name] = encoded(b)
			}
			if fmt.Sprint(now[name]) != fmt.Sprint(x) {
				w.t.Errorf("version %d: %s was %v, the log says %v", c.Version, name, now[name], x)
			}
			now[name] = before[name]
		}
	}
}

func encoded(b []byte) string {
	raw, err := json.Marshal(b)
	if err != nil {
		return ""
	}
	return string(raw[1 : len(raw)-1])
}
