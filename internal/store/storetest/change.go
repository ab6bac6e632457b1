package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

func testLog(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	log, ctx := w.Store.Log(), t.Context()
	if head, err := log.Head(ctx); err != nil || head != zero {
		t.Errorf("head of an empty log: %v, %v", head, err)
	}
	var positions []change.Position
	for i := range 5 {
		positions = append(positions, w.Insert(w.Customer, w.Named(fmt.Sprint(i)), w.Named(fmt.Sprint(i))))
	}
	rows := w.Changes(10)
	if len(rows) != 10 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, r := range rows {
		if i > 0 && !rows[i-1].Position.Less(r.Position) {
			t.Errorf("row %d stands before its predecessor", i)
		}
		if i%2 == 1 && r.Position != positions[i/2] {
			t.Errorf("the update answered %v, the log says %v", positions[i/2], r.Position)
		}
		if r.Object != "customer" || r.Op != change.Create || r.ByKind != "user" || r.By != 7 || r.Before != nil || r.After != nil {
			t.Errorf("row %+v", r)
		}
	}
	if head, err := log.Head(ctx); err != nil || head != positions[4] {
		t.Errorf("head %v, %v", head, err)
	}
	part, err := log.Read(ctx, positions[1], 3)
	if err != nil || len(part) != 3 || part[0].Position != rows[4].Position {
		t.Errorf("from the middle: %d rows, %v", len(part), err)
	}
	if p, err := log.LoadPosition(ctx, "search"); err != nil || p != zero {
		t.Errorf("a new consumer stands at %v, %v", p, err)
	}
	for _, p := range []change.Position{positions[3], positions[0]} {
		if err := log.SavePosition(ctx, "search", p); err != nil {
			t.Fatal(err)
		}
		if got, err := log.LoadPosition(ctx, "search"); err != nil || got != p {
			t.Errorf("position %v, %v", got, err)
		}
	}
	none := w.Update(func(context.Context, record.Tx) error { return nil })
	if none != zero {
		t.Errorf("an update without a change has the position %v", none)
	}
}

func testHistory(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	a, b := w.Named("a"), w.Named("b")
	w.Insert(w.Customer, a, b)
	for i := range 5 {
		w.Update(func(ctx context.Context, tx record.Tx) error {
			return tx.Append(ctx, []change.Row{
				{Object: "customer", Record: a.ID, Version: int64(i + 2), Op: change.Update, At: int64(i), ByKind: "system", Before: []byte(`{"x":1}`), After: []byte{}},
				{Object: "customer", Record: b.ID, Version: int64(i + 2), Op: change.Delete, At: int64(i), ByKind: "system", Batch: 3},
			})
		})
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		all, err := r.Changes(ctx, "customer", a.ID, zero, 100)
		if err != nil {
			return err
		}
		if len(all) != 6 || all[0].Version != 6 || all[5].Op != change.Create || string(all[0].Before) != `{"x":1}` || all[0].After == nil {
			t.Errorf("history: %+v", all)
		}
		page, err := r.Changes(ctx, "customer", a.ID, all[2].Position, 2)
		if err == nil && (len(page) != 2 || page[0].Position != all[3].Position) {
			t.Errorf("the next page: %+v", page)
		}
		other, err2 := r.Changes(ctx, "order", a.ID, zero, 10)
		if len(other) != 0 {
			t.Errorf("another object's history: %+v", other)
		}
		return errors.Join(err, err2)
	})
}

// testSlowWriter: a consumer that reads all the time sees the rows of every transaction once, in the log's order, however
// long a transaction stays open after it has appended. Where writers run at the same time the slow one is given the
// earlier sequence and commits last.
func testSlowWriter(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	ctx, log := t.Context(), w.Store.Log()
	seen := map[id.ID]int{}
	var at change.Position
	consume := func() {
		t.Helper()
		rows, err := log.Read(ctx, at, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if !at.Less(r.Position) {
				t.Errorf("%v comes after %v", r.Position, at)
			}
			at = r.Position
			seen[r.Record]++
		}
	}
	const rounds = 5
	for round := range rounds {
		slow, fast := w.Named("slow"), w.Named("fast")
		appended, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := w.Store.Update(ctx, func(tx record.Tx) error {
				if err := tx.Append(ctx, Created(w.Customer, []record.Row{slow})); err != nil {
					return err
				}
				once.Do(func() { close(appended) })
				if s.ManyWriters {
					<-release
				}
				return nil
			})
			if err != nil {
				t.Errorf("slow: %v", err)
			}
		})
		<-appended
		w.Insert(w.Customer, fast)
		consume()
		if s.ManyWriters && seen[fast.ID] != 0 && seen[slow.ID] == 0 {
			t.Errorf("round %d: the later sequence was given out before the earlier one had committed", round)
		}
		close(release)
		wg.Wait()
		consume()
		for len(seen) < 2*(round+1) {
			if err := log.WaitAfter(ctx, at); err != nil {
				t.Fatal(err)
			}
			consume()
		}
		for _, r := range []record.Row{slow, fast} {
			if seen[r.ID] != 1 {
				t.Errorf("round %d: a change was seen %d times", round, seen[r.ID])
			}
		}
	}
}

// testManyWriters: whatever the order in which concurrent transactions begin, append and end, a reader that never rests sees
// every row once, in order, and none is still to come behind its position.
func testManyWriters(t *testing.T, s Suite) {
	const writers, each, appends = 6, 25, 3
	w := NewWorld(t, s.Open(t))
	ctx, log := t.Context(), w.Store.Log()
	var group sync.WaitGroup
	for n := range writers {
		group.Go(func() {
			for i := range each {
				_, err := w.Store.Update(ctx, func(tx record.Tx) error {
					for range appends + (n+i)%4 {
						if err := tx.Append(ctx, Created(w.Customer, []record.Row{w.Named("row")})); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Errorf("writer %d: %v", n, err)
					return
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { group.Wait(); close(written) }()
	seen := map[id.ID]int{}
	var at change.Position
	for last := false; ; {
		select {
		case <-written:
			last = true
		default:
		}
		rows, err := log.Read(ctx, at, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if !at.Less(r.Position) {
				t.Fatalf("%v comes after %v", r.Position, at)
			}
			at, seen[r.Record] = r.Position, seen[r.Record]+1
		}
		if last && len(rows) == 0 {
			break
		}
	}
	want := 0
	for n := range writers {
		for i := range each {
			want += appends + (n+i)%4
		}
	}
	if len(seen) != want {
		t.Errorf("%d of %d rows were seen", len(seen), want)
	}
	for rec, n := range seen {
		if n != 1 {
			t.Errorf("%v was seen %d times", rec, n)
		}
	}
}

func testWait(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	log := w.Store.Log()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			close1(start)
			if err := log.WaitAfter(t.Context(), zero); err != nil {
				t.Errorf("wait: %v", err)
			}
			rows, err := log.Read(t.Context(), zero, 10)
			if err != nil || len(rows) == 0 {
				t.Errorf("woken with %d rows, %v", len(rows), err)
			}
		})
	}
	<-start
	p := w.Insert(w.Customer, w.Named("a"))
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := log.WaitAfter(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for what does not come: %v", err)
	}
}

// close1 closes a channel that several goroutines may close.
func close1(c chan struct{}) {
	defer func() { _ = recover() }()
	close(c)
}

func testTrim(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	ctx, log := t.Context(), w.Store.Log()
	var positions []change.Position
	for i := range 6 {
		r := w.Named(fmt.Sprint(i))
		positions = append(positions, w.Insert(w.Customer, r))
		w.Update(func(ctx context.Context, tx record.Tx) error {
			return tx.Append(ctx, []change.Row{{Object: "customer", Record: r.ID, Version: 2, Op: change.Update, At: T0.UnixMilli(), ByKind: "user", Before: []byte("{}"), After: []byte("{}")}})
		})
	}
	trim := func(policy change.TrimPolicy, want int) {
		t.Helper()
		if n, err := log.Trim(ctx, policy); err != nil || n != want {
			t.Errorf("trimmed %d, not %d (%v)", n, want, err)
		}
	}
	later := T0.UnixMilli() + 1
	trim(change.TrimPolicy{CreatesBefore: later, ImagesBefore: later}, 0) // nobody has read anything
	save := func(consumer string, p change.Position) {
		t.Helper()
		if err := log.SavePosition(ctx, consumer, p); err != nil {
			t.Fatal(err)
		}
	}
	save("mirror", positions[5])
	save("search", positions[2])
	trim(change.TrimPolicy{CreatesBefore: T0.UnixMilli()}, 0) // too young
	trim(change.TrimPolicy{CreatesBefore: later, Limit: 2}, 2)
	trim(change.TrimPolicy{CreatesBefore: later}, 1)
	trim(change.TrimPolicy{ImagesBefore: later}, 2)
	left := w.Changes(7)
	if len(left) != 7 || !positions[2].Less(left[0].Position) {
		t.Errorf("%d rows are left", len(left))
	}
	if err := w.Store.ForgetConsumer(ctx, "search"); err != nil {
		t.Fatal(err)
	}
	head := left[6].Position
	save("mirror", head)
	trim(change.TrimPolicy{CreatesBefore: later, ImagesBefore: later}, 6)
	if again, err := log.Head(ctx); err != nil || again != head {
		t.Errorf("the head moved from %v to %v, %v", head, again, err)
	}
	if p := w.Insert(w.Customer, w.Named("new")); !head.Less(p) {
		t.Errorf("after trimming, %v follows %v", p, head)
	}
}

// exec runs one statement in a transaction of its own.
func (w *World) exec(query string, args ...any) {
	w.T.Helper()
	err := w.Store.Write(w.T.Context(), func(c sqlstore.Conn) error {
		_, err := c.Exec(w.T.Context(), query, args...)
		return err
	})
	if err != nil {
		w.T.Fatalf("%s: %v", query, err)
	}
}
