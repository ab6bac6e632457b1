package ingest_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/edge/ingest"
)

type salts map[clock.Day][]byte

func (s salts) Salt(_ context.Context, day clock.Day) ([]byte, error) {
	if s[day] == nil {
		s[day] = make([]byte, 32)
		_, _ = rand.Read(s[day])
	}
	return s[day], nil
}

func TestVisitorsAreOthersTomorrow(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CST", 8*3600)
	clk := clock.NewFake(time.Date(2026, 11, 22, 23, 50, 0, 0, zone))
	v := ingest.NewVisitors(salts{}, clk, func() *time.Location { return zone })
	who := func(address, agent string) string {
		t.Helper()
		got, err := v.ID(t.Context(), 7, address, agent)
		if err != nil || !strings.HasPrefix(got, "v_") || len(got) != 26 {
			t.Fatalf("%q %v", got, err)
		}
		return got
	}
	anna, bert := who("203.0.113.7", "Firefox"), who("203.0.113.7", "Chrome")
	if anna == bert || who("203.0.113.7", "Firefox") != anna || who("203.0.113.70", "Firefox") == anna {
		t.Fatal("an address with a browser is one visitor")
	}
	if other, err := v.ID(t.Context(), 8, "203.0.113.7", "Firefox"); err != nil || other == anna {
		t.Fatal("two sources do not know the same visitor")
	}
	clk.Advance(20 * time.Minute) // over midnight
	if who("203.0.113.7", "Firefox") != anna {
		t.Error("a visit over midnight is one visit")
	}
	clk.Advance(25 * time.Minute)
	if who("203.0.113.7", "Firefox") != anna {
		t.Error("as long as they stay")
	}
	if who("203.0.113.7", "Chrome") == bert {
		t.Error("who was away for half an hour comes as another")
	}
	clk.Advance(31 * time.Minute)
	next := who("203.0.113.7", "Firefox")
	if next == anna || who("203.0.113.7", "Firefox") != next {
		t.Error("the id of a new day holds for the day")
	}
	clk.Advance(48 * time.Hour)
	if got := who("203.0.113.7", "Firefox"); got == anna || got == next {
		t.Error("two days later nobody is known")
	}
}
