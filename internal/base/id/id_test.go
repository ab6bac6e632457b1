package id_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

func TestPrintedIDsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := id.ID(rapid.Int64Range(1, 1<<63-1).Draw(t, "id"))
		got, err := id.Parse("cus", id.Format("cus", want))
		if err != nil || got != want {
			t.Fatalf("Parse(Format(%d)) = %d, %v", want, got, err)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "cus_", "cus_1", "ord_0000000000001", "cus_0000000000000", "cus_ZZZZZZZZZZZZZ", "cus_000000000000U", "cus_00000000000001"} {
		if v, err := id.Parse("cus", s); err == nil {
			t.Errorf("Parse(%q) = %d, want an error", s, v)
		}
	}
	if v, err := id.Parse("cus", "cus_000000000000o"); err == nil {
		t.Errorf("the letter O alone is zero, which is no id, got %d", v)
	}
	if v, err := id.Parse("cus", "cus_000000000000i"); err != nil || v != 1 {
		t.Errorf("I reads as 1: got %d, %v", v, err)
	}
}

func TestIDsRiseAndNeverRepeat(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC))
	g := id.NewGenerator(c, 5)
	var last id.ID
	for i := range 20000 { // many more than 4096 in one millisecond, then the clock goes back
		if i == 10000 {
			c.Advance(-time.Hour)
		}
		v := g.Next()
		if v <= last {
			t.Fatalf("id %d after %d", v, last)
		}
		last = v
	}
}

func TestIDsAreUniqueAcrossGoroutines(t *testing.T) {
	t.Parallel()
	g := id.NewGenerator(clock.System{}, 1)
	var mu sync.Mutex
	seen := map[id.ID]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			mine := make([]id.ID, 5000)
			for i := range mine {
				mine[i] = g.Next()
			}
			mu.Lock()
			defer mu.Unlock()
			for _, v := range mine {
				seen[v] = true
			}
		})
	}
	wg.Wait()
	if len(seen) != 8*5000 {
		t.Fatalf("%d different ids of %d", len(seen), 8*5000)
	}
}
