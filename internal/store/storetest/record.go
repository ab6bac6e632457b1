package storetest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

func testRecords(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	full := w.Row(w.Customer, map[string]any{
		"name": "张伟 'x' \"y\" ?", "name_fold": "张伟 'x' \"y\" ?", "name_sort": "zhang1wei3", "phone": []byte{0, 1, 255}, "phone_blind": "abc_-ABC",
		"phone_class": "移动", "level": "a", "spent": int64(-1), "spent_currency": "CNY", "spent_base": int64(1) << 60,
		"seen_at": int64(1772337600123), "seen_at_day": int64(20513), "points": int64(0), "active": true, "group": "|a|b|",
	})
	full.CreatedBy, full.UpdatedBy, full.BatchID = 5, 6, 7
	empty := w.Row(w.Customer, map[string]any{"active": false})
	w.Insert(w.Customer, full, empty)
	for _, want := range []record.Row{full, empty} {
		got := w.Get(w.Customer, want.ID, false)
		if got == nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		rows, err := r.Get(ctx, w.Customer, []id.ID{empty.ID, 99, full.ID}, false)
		if len(rows) != 2 {
			t.Errorf("got %d rows of two that exist and one that does not", len(rows))
		}
		none, err2 := r.Get(ctx, w.Customer, nil, false)
		if len(none) != 0 {
			t.Errorf("no ids gave %d rows", len(none))
		}
		return errors.Join(err, err2)
	})
	w.Update(func(ctx context.Context, tx record.Tx) error { return tx.Purge(ctx, w.Customer, []id.ID{full.ID, 99}) })
	if w.Get(w.Customer, full.ID, true) != nil || w.Get(w.Customer, empty.ID, true) == nil {
		t.Error("purge removed the wrong rows")
	}
	_, err := w.Store.Update(t.Context(), func(tx record.Tx) error { return tx.Insert(t.Context(), w.Customer, []record.Row{empty}) })
	if fault.CodeOf(err) != "store.duplicate" || fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same id twice: %v", err)
	}
}

func testVersions(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	rows := []record.Row{w.Named("a"), w.Named("b"), w.Named("c"), w.Named("d"), w.Named("e"), w.Named("f")}
	w.Insert(w.Customer, rows...)
	next := func(from []record.Row, name string) []record.Row {
		out := make([]record.Row, len(from))
		for i, r := range from {
			r.Cols = append([]any(nil), r.Cols...)
			r.Cols[0], r.Version = name, r.Version+1
			out[i] = r
		}
		return out
	}
	one, all := next(rows[:1], "one"), []record.Row(nil)
	w.Update(func(ctx context.Context, tx record.Tx) error { return tx.Replace(ctx, w.Customer, one) })
	all = next(append(one, rows[1:]...), "all")
	w.Update(func(ctx context.Context, tx record.Tx) error { return tx.Replace(ctx, w.Customer, all) })
	for _, want := range all {
		if got := w.Get(w.Customer, want.ID, false); got == nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	for _, n := range []int{1, len(rows)} { // single statements and the batch
		bad := next(rows[len(rows)-n:], "stale")
		_, err := w.Store.Update(t.Context(), func(tx record.Tx) error { return tx.Replace(t.Context(), w.Customer, bad) })
		if fault.KindOf(err) != fault.Stale || fault.CodeOf(err) != "record.stale" {
			t.Errorf("an old version of %d: %v", n, err)
		}
	}
	gone := w.Named("never stored")
	gone.Version = 2
	_, err := w.Store.Update(t.Context(), func(tx record.Tx) error { return tx.Replace(t.Context(), w.Customer, []record.Row{gone}) })
	if fault.KindOf(err) != fault.Stale {
		t.Errorf("a row that does not exist: %v", err)
	}
	if got := w.Get(w.Customer, rows[3].ID, false); got.Cols[0] != "all" || got.Version != 2 {
		t.Errorf("a refused write changed a row: %+v", got)
	}
	raceOneVersion(t, w)
}

// raceOneVersion lets eight callers write the same next version; one of them does.
func raceOneVersion(t *testing.T, w *World) {
	r := w.Named("race")
	w.Insert(w.Customer, r)
	r.Version = 2
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 8 {
		wg.Go(func() {
			_, err := w.Store.Update(t.Context(), func(tx record.Tx) error { return tx.Replace(t.Context(), w.Customer, []record.Row{r}) })
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if fault.KindOf(err) != fault.Stale {
				t.Errorf("a loser got %v", err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d callers wrote version 2", won)
	}
}

func testFact(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	a, b := w.Named("a"), w.Named("b")
	w.Insert(w.Customer, a, b)
	order := func(customer any, number string) record.Row {
		return w.Row(w.Order, map[string]any{"number": number, "customer": customer, "placed_at": int64(1), "placed_at_day": int64(0)})
	}
	o, anonymous := order(int64(a.ID), "SO1"), order(nil, "SO2")
	w.Insert(w.Order, o, anonymous)
	if got := w.Get(w.Order, anonymous.ID, false); got == nil || !reflect.DeepEqual(*got, anonymous) {
		t.Errorf("an order of nobody: %+v", got)
	}
	at := w.Order.Offset("customer")
	for _, to := range []any{int64(b.ID), nil, int64(a.ID)} {
		o.Cols = append([]any(nil), o.Cols...)
		o.Cols[at] = to
		o.Version++
		w.Update(func(ctx context.Context, tx record.Tx) error { return tx.Replace(ctx, w.Order, []record.Row{o}) })
		if got := w.Get(w.Order, o.ID, false); got == nil || !reflect.DeepEqual(*got, o) {
			t.Errorf("moved to %v: %+v", to, got)
		}
	}
	_, err := w.Store.Update(t.Context(), func(tx record.Tx) error { return tx.Replace(t.Context(), w.Order, []record.Row{o}) })
	if fault.KindOf(err) != fault.Stale {
		t.Errorf("the same version again: %v", err)
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		n, err := r.Count(ctx, w.Order, record.Selection{}, 0)
		if n != 2 {
			t.Errorf("%d orders after moving one of two", n)
		}
		return err
	})
}

func testBin(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	live, dead := w.Named("live"), w.Named("dead")
	dead.DeletedAt = T0.UnixMilli()
	w.Insert(w.Customer, live, dead)
	if w.Get(w.Customer, dead.ID, false) != nil {
		t.Error("a deleted row is read as a live one")
	}
	if got := w.Get(w.Customer, dead.ID, true); got == nil || got.DeletedAt != dead.DeletedAt {
		t.Errorf("the bin holds %+v", got)
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		for _, deleted := range []bool{false, true} {
			want := live.ID
			if deleted {
				want = dead.ID
			}
			rows, err := r.Select(ctx, w.Customer, record.Selection{Deleted: deleted, Limit: 10})
			if err != nil {
				return err
			}
			n, err := r.Count(ctx, w.Customer, record.Selection{Deleted: deleted}, 0)
			if err != nil {
				return err
			}
			if len(rows) != 1 || rows[0].ID != want || n != 1 {
				t.Errorf("deleted %v: %d rows, count %d", deleted, len(rows), n)
			}
		}
		return nil
	})
}

func testAtomic(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	mine := errors.New("the caller's own")
	r := w.Named("gone")
	pos, err := w.Store.Update(t.Context(), func(tx record.Tx) error {
		ctx := t.Context()
		_, err := tx.Reserve(ctx, w.Customer, w.Customer.Field("phone"), map[string]id.ID{"k": r.ID})
		return errors.Join(tx.Insert(ctx, w.Customer, []record.Row{r}), tx.Append(ctx, Created(w.Customer, []record.Row{r})), err, mine)
	})
	if !errors.Is(err, mine) || pos.Seq != 0 {
		t.Errorf("got %v at %v", err, pos)
	}
	if w.Get(w.Customer, r.ID, true) != nil {
		t.Error("the row stayed")
	}
	w.View(func(ctx context.Context, rd record.Reader) error {
		held, err := rd.FindUnique(ctx, w.Customer, w.Customer.Field("phone"), []string{"k"})
		if len(held) != 0 {
			t.Error("the unique key stayed")
		}
		return err
	})
	if rows, err := w.Store.Log().Read(t.Context(), zero, 10); err != nil || len(rows) != 0 {
		t.Errorf("the log holds %d rows, %v", len(rows), err)
	}
	panicked := func() (p any) {
		defer func() { p = recover() }()
		_, _ = w.Store.Update(t.Context(), func(record.Tx) error { panic("boom") })
		return nil
	}()
	if panicked == nil {
		t.Error("a panic did not reach the caller")
	}
	w.Insert(w.Customer, w.Named("after"))
}

func testTogether(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	write := func(name string, fail error) error {
		_, err := w.Store.UpdateWith(t.Context(), func(tx record.Tx, c sqlstore.Conn) error {
			if err := tx.Insert(t.Context(), w.Customer, []record.Row{w.Named(name)}); err != nil {
				return err
			}
			if _, err := c.Exec(t.Context(), "INSERT INTO setting(key, value) VALUES (?, ?)", name, "{}"); err != nil {
				return err
			}
			return fail
		})
		return err
	}
	bad := errors.New("no")
	if err := write("kept?", nil); err != nil {
		t.Fatal(err)
	}
	if err := write("gone", bad); !errors.Is(err, bad) {
		t.Fatal(err)
	}
	err := w.Store.ViewWith(t.Context(), func(r record.Reader, c sqlstore.Conn) error {
		n, err := r.Count(t.Context(), w.Customer, record.Selection{}, 0)
		if err != nil {
			return err
		}
		var keys []string
		rows, err := c.Query(t.Context(), "SELECT key FROM setting WHERE value <> '?' AND key <> ?", "other")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k string
			if err := rows.Scan(&k); err != nil {
				return err
			}
			keys = append(keys, k)
		}
		if n != 1 || strings.Join(keys, ",") != "kept?" {
			t.Errorf("%d records, settings %v", n, keys)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testCancel(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	if _, err := w.Store.Update(ctx, func(record.Tx) error { ran = true; return nil }); !errors.Is(err, context.Canceled) || ran {
		t.Errorf("a cancelled write: %v, ran %v", err, ran)
	}
	if err := w.Store.View(ctx, func(r record.Reader) error {
		_, err := r.Count(ctx, w.Customer, record.Selection{}, 0)
		return err
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled read: %v", err)
	}
	w.Insert(w.Customer, w.Named("after"))
}

func testClosed(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	if err := errors.Join(w.Store.DB().Close(), w.Store.DB().Close()); err != nil {
		t.Fatal(err)
	}
	_, werr := w.Store.Update(t.Context(), func(record.Tx) error { return nil })
	rerr := w.Store.View(t.Context(), func(record.Reader) error { return nil })
	for _, err := range []error{werr, rerr} {
		if fault.KindOf(err) != fault.Unavailable || fault.CodeOf(err) != "store.closed" {
			t.Errorf("a closed store gave %v", err)
		}
	}
}

func testBulk(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	total := 0
	for _, n := range []int{1, 7, 8, 9, 63, 64, 65, 200, 1001} {
		rows := make([]record.Row, n)
		for i := range rows {
			rows[i] = w.Row(w.Customer, map[string]any{"points": int64(i), "phone": []byte{byte(i)}, "active": i%2 == 0})
		}
		w.Insert(w.Customer, rows...)
		total += n
		for _, i := range []int{0, n / 2, n - 1} {
			if got := w.Get(w.Customer, rows[i].ID, false); got == nil || !reflect.DeepEqual(*got, rows[i]) {
				t.Fatalf("row %d of %d: %+v", i, n, got)
			}
		}
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		n, err := r.Count(ctx, w.Customer, record.Selection{}, 0)
		if n != total {
			t.Errorf("%d rows, not %d", n, total)
		}
		return err
	})
	if rows := w.Changes(total); len(rows) != total {
		t.Errorf("%d changes of %d", len(rows), total)
	}
}
