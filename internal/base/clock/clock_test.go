package clock_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

func TestDayIsLocal(t *testing.T) {
	t.Parallel()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 10, 16, 0, 0, 0, time.UTC) // midnight of 11-11 in Shanghai
	if got := clock.DayOf(at, shanghai).String(); got != "2026-11-11" {
		t.Errorf("local day %s", got)
	}
	if got := clock.DayOf(at.Add(-time.Nanosecond), shanghai).String(); got != "2026-11-10" {
		t.Errorf("local day just before midnight %s", got)
	}
	if got := clock.DayOf(at, time.UTC).String(); got != "2026-11-10" {
		t.Errorf("UTC day %s", got)
	}
}

func TestDaysReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := clock.Day(rapid.Int32Range(-200000, 200000).Draw(t, "day")) // years 1422 to 2517
		got, err := clock.ParseDay(d.String())
		if err != nil || got != d {
			t.Fatalf("%d prints %s, reads %d, %v", d, d, got, err)
		}
	})
}

func TestDayStartOfDaylightSaving(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	d := clock.NewDay(2026, 3, 29) // 23 hours long
	if got := (d + 1).Start(london).Sub(d.Start(london)); got != 23*time.Hour {
		t.Errorf("the day is %s long", got)
	}
}
