package record_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// A request that is repeated after its process died writes nothing again and answers with what it wrote.
func testOnce(t *testing.T, w *world) {
	in := record.Input{"name": "张三", "card_number": "C1"}
	first, err := w.s.Create(record.Once(w.ctx(), "a"), "customer", in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Update(w.ctx(), "customer", first.ID, 1, record.Input{"note": "seen since"}); err != nil {
		t.Fatal(err)
	}
	later := w.with(newKeyring(t)) // another process
	again, err := later.Create(record.Once(w.ctx(), "a"), "customer", in)
	if err != nil || again.ID != first.ID || again.Version != 2 || again.Values["note"] != "seen since" {
		t.Fatalf("repeated: %+v, %v", again, err)
	}
	if _, err := later.Create(record.Once(w.ctx(), "b"), "customer", in); fault.CodeOf(err) != "record.unique_taken" {
		t.Errorf("another request: %v", err)
	}
	// What was refused was not done: the same key may be used for it again.
	if fixed, err := later.Create(record.Once(w.ctx(), "b"), "customer", record.Input{"name": "李四"}); err != nil || fixed.ID == first.ID {
		t.Errorf("after a refusal: %+v, %v", fixed, err)
	}
	// Two writes of one request are two turns.
	both := func() (ids [2]id.ID) {
		ctx := record.Once(w.ctx(), "c")
		for i := range ids {
			r, err := later.Create(ctx, "customer", record.Input{"name": "王五"})
			if err != nil {
				t.Fatal(err)
			}
			ids[i] = r.ID
		}
		return ids
	}
	if one, two := both(), both(); one != two || one[0] == one[1] {
		t.Errorf("two writes %v, repeated %v", one, two)
	}
	w.sameBatch(later, first.ID)
	if n, _, _ := w.s.Count(w.ctx(), "customer", nil, "", true); n != 5 {
		t.Errorf("%d customers, want 5", n)
	}
	if err := w.store.ForgetOutcomes(w.ctx(), t0.Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := later.Create(record.Once(w.ctx(), "a"), "customer", in); fault.CodeOf(err) != "record.unique_taken" {
		t.Errorf("forgotten: %v", err)
	}
}

// sameBatch repeats a batch of which some operations fail.
func (w *world) sameBatch(later *record.Service, existing id.ID) {
	w.t.Helper()
	ops := []record.BatchOp{
		{Op: change.Create, Object: "customer", Input: record.Input{"name": "赵六"}},
		{Op: change.Create, Object: "customer", Input: record.Input{"name": "钱七", "card_number": "C1"}},
		{Op: change.Update, Object: "customer", ID: existing, Input: record.Input{"note": "batch"}},
	}
	var told [2][]string
	for i, s := range []*record.Service{w.s, later} {
		res, _, err := s.Batch(record.Once(w.ctx(), "d"), false, ops)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range res {
			told[i] = append(told[i], id.Format("c", r.ID)+" "+fault.CodeOf(r.Err))
		}
	}
	if !reflect.DeepEqual(told[0], told[1]) {
		w.t.Errorf("a batch %v, repeated %v", told[0], told[1])
	}
	if got := w.get("customer", existing); got.Version != 3 {
		w.t.Errorf("version %d after a repeated update", got.Version)
	}
}

// patient is a store that finds nothing in a hurry.
type patient struct {
	record.Store
	calm <-chan struct{} // ends whoever asks; what ends earlier is in a hurry
}

func (s patient) View(ctx context.Context, fn func(record.Reader) error) error {
	if ctx.Done() != s.calm {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.View(ctx, fn)
}

// second answers from the same store what it is asked.
type second struct {
	store record.Store
	asked int
	away  bool
}

func (b *second) Select(ctx context.Context, obj *schema.Object, sel record.Selection) (ids []id.ID, ok bool, err error) {
	b.asked++
	err = b.store.View(context.WithoutCancel(ctx), func(r record.Reader) error {
		rows, err := r.Select(ctx, obj, sel)
		for i := range rows {
			ids = append(ids, rows[i].ID)
		}
		return err
	})
	return ids, !b.away, err
}

func (b *second) Count(ctx context.Context, obj *schema.Object, sel record.Selection, limit int) (n int, ok bool, err error) {
	err = b.store.View(context.WithoutCancel(ctx), func(r record.Reader) (err error) {
		n, err = r.Count(ctx, obj, record.Selection{Where: sel.Where, Limits: sel.Limits}, limit)
		return err
	})
	return n, !b.away, err
}

// A list that the store does not find at once comes from Broad, page by page as from the store, and from the store after
// all when Broad cannot say.
func testSlowLists(t *testing.T, w *world) {
	for _, note := range []string{"a", "b", "a", "a", "b", "a"} {
		w.create("customer", record.Input{"name": "客户" + note, "note": note})
	}
	where, err := query.Parse([]byte(`{"field":"note","op":"=","value":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	two := &second{store: w.store}
	s := record.New(record.Config{Store: patient{w.store, w.ctx().Done()}, Registry: func() *schema.Registry { return w.reg }, Keys: newKeyring(t), Clock: w.clock,
		IDs: id.NewGenerator(w.clock, 3), Broad: two})
	walk := func(s *record.Service) (titles []string, totals []int) {
		cursor := ""
		for {
			p, err := s.List(w.ctx(), "customer", record.Query{Where: where, Limit: 3, Cursor: cursor, Total: record.TotalCapped})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Items {
				titles = append(titles, id.Format("c", r.ID))
			}
			totals = append(totals, p.Total)
			if cursor = p.NextCursor; cursor == "" {
				return titles, totals
			}
		}
	}
	want, sums := walk(w.s)
	if got, totals := walk(s); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(totals, sums) || two.asked != 2 || len(want) != 4 {
		t.Errorf("from the other plane %v %v (asked %d times), want %v %v", got, totals, two.asked, want, sums)
	}
	two.away = true
	if got, _ := walk(s); !reflect.DeepEqual(got, want) {
		t.Errorf("without the other plane %v, want %v", got, want)
	}
}
