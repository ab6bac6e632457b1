package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

var zero change.Position

func testUnique(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	phone, name := w.Customer.Field("phone"), w.Customer.Field("name")
	w.Update(func(ctx context.Context, tx record.Tx) error {
		taken, err := tx.Reserve(ctx, w.Customer, phone, map[string]id.ID{"a": 1, "b": 2, "引'号\"": 3, "<&>\\\n": 4})
		if len(taken) != 0 {
			t.Errorf("taken: %v", taken)
		}
		return err
	})
	w.Update(func(ctx context.Context, tx record.Tx) error {
		taken, err := tx.Reserve(ctx, w.Customer, phone, map[string]id.ID{"a": 9, "b": 2, "c": 9, "引'号\"": 9, "<&>\\\n": 4})
		if fmt.Sprint(taken) != fmt.Sprint(map[string]id.ID{"a": 1, "引'号\"": 3}) {
			t.Errorf("taken: %v", taken)
		}
		other, err2 := tx.Reserve(ctx, w.Customer, name, map[string]id.ID{"a": 9})
		if len(other) != 0 {
			t.Errorf("another field's keys are in the way: %v", other)
		}
		return errors.Join(err, err2)
	})
	w.View(func(ctx context.Context, r record.Reader) error {
		held, err := r.FindUnique(ctx, w.Customer, phone, []string{"a", "b", "c", "d", "<&>\\\n"})
		if fmt.Sprint(held) != fmt.Sprint(map[string]id.ID{"a": 1, "b": 2, "c": 9, "<&>\\\n": 4}) {
			t.Errorf("held: %v", held)
		}
		return err
	})
	w.Update(func(ctx context.Context, tx record.Tx) error {
		if err := tx.Release(ctx, w.Customer, phone, []string{"a", "b", "nothing"}); err != nil {
			return err
		}
		taken, err := tx.Reserve(ctx, w.Customer, phone, map[string]id.ID{"a": 9})
		if len(taken) != 0 {
			t.Errorf("a released key is taken: %v", taken)
		}
		return err
	})
}

// testUniqueRace lets eight callers claim the same keys; what one reserves and keeps nobody else has, and a caller who
// takes everything back leaves nothing.
func testUniqueRace(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	phone := w.Customer.Field("phone")
	var mu sync.Mutex
	owner := map[string]id.ID{}
	errBack := errors.New("taken back")
	var wg sync.WaitGroup
	for caller := range 8 {
		wg.Go(func() {
			me := id.ID(caller + 1)
			for round := range 20 {
				var got []string
				_, err := w.Store.Update(t.Context(), func(tx record.Tx) error {
					got = nil
					keys := map[string]id.ID{}
					for k := range 5 {
						keys[fmt.Sprintf("%d-%d", round, k)] = me
					}
					taken, err := tx.Reserve(t.Context(), w.Customer, phone, keys)
					for k := range keys {
						if _, ok := taken[k]; !ok {
							got = append(got, k)
						}
					}
					if err == nil && caller%2 == 1 {
						return errBack
					}
					return err
				})
				if caller%2 == 1 && errors.Is(err, errBack) {
					continue
				}
				if err != nil {
					t.Errorf("reserve: %v", err)
					return
				}
				mu.Lock()
				for _, k := range got {
					if o, ok := owner[k]; ok && o != me {
						t.Errorf("%s belongs to %d and %d", k, o, me)
					}
					owner[k] = me
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(owner) != 100 {
		t.Errorf("%d of 100 keys have an owner", len(owner))
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		for k, o := range owner {
			held, err := r.FindUnique(ctx, w.Customer, phone, []string{k})
			if err != nil || held[k] != o {
				t.Errorf("%s is held by %d, not %d (%v)", k, held[k], o, err)
			}
		}
		return nil
	})
}

func testUniqueMany(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	phone := w.Customer.Field("phone")
	const n = 10_000
	first, second := map[string]id.ID{}, map[string]id.ID{}
	for i := range n {
		first[fmt.Sprintf("key-%05d", i)] = id.ID(i + 1)
		second[fmt.Sprintf("key-%05d", i+n/2)] = id.ID(n + i + 1)
	}
	w.Update(func(ctx context.Context, tx record.Tx) error {
		taken, err := tx.Reserve(ctx, w.Customer, phone, first)
		if len(taken) != 0 {
			t.Errorf("%d taken of an empty table", len(taken))
		}
		return err
	})
	w.Update(func(ctx context.Context, tx record.Tx) error {
		taken, err := tx.Reserve(ctx, w.Customer, phone, second)
		if len(taken) != n/2 || taken["key-05000"] != 5001 {
			t.Errorf("%d taken, key-05000 by %d", len(taken), taken["key-05000"])
		}
		all := make([]string, 0, n)
		for k := range first {
			all = append(all, k)
		}
		return errors.Join(err, tx.Release(ctx, w.Customer, phone, all))
	})
	w.View(func(ctx context.Context, r record.Reader) error {
		held, err := r.FindUnique(ctx, w.Customer, phone, []string{"key-00000", "key-09999", "key-10000", "key-14999"})
		if len(held) != 2 {
			t.Errorf("held after release: %v", held)
		}
		return err
	})
}

func testCounter(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	undo := errors.New("undo")
	var mu sync.Mutex
	var got []int64
	var wg sync.WaitGroup
	for caller := range 6 {
		wg.Go(func() {
			for round := range 15 {
				var mine []int64
				_, err := w.Store.Update(t.Context(), func(tx record.Tx) error {
					mine = nil
					for _, n := range []int{1, 3} {
						first, err := tx.Next(t.Context(), "SO", n)
						if err != nil {
							return err
						}
						for i := range n {
							mine = append(mine, first+int64(i))
						}
					}
					if (caller+round)%3 == 0 {
						return undo
					}
					return nil
				})
				switch {
				case errors.Is(err, undo):
				case err != nil:
					t.Errorf("next: %v", err)
					return
				default:
					mu.Lock()
					got = append(got, mine...)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(got)
	if len(got) != 60*4 {
		t.Fatalf("%d numbers", len(got))
	}
	for i, n := range got {
		if n != int64(i+1) {
			t.Fatalf("number %d stands where %d should", n, i+1)
		}
	}
}

func testPersonKeys(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	w.Update(func(ctx context.Context, tx record.Tx) error {
		return errors.Join(
			tx.SavePersonKeys(ctx, map[id.ID][]byte{1: {1}}),
			tx.SavePersonKeys(ctx, map[id.ID][]byte{1: {9}}), // the first one stays
			tx.SavePersonKeys(ctx, map[id.ID][]byte{1: {8}, 2: {2, 0}, 3: {3}}),
			tx.SavePersonKeys(ctx, nil))
	})
	w.View(func(ctx context.Context, r record.Reader) error {
		keys, err := r.PersonKeys(ctx, []id.ID{1, 2, 4})
		if len(keys) != 2 || !bytes.Equal(keys[1], []byte{1}) || !bytes.Equal(keys[2], []byte{2, 0}) {
			t.Errorf("keys: %v", keys)
		}
		return err
	})
}
