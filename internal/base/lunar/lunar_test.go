package lunar_test

import (
	"testing"
	"time"

	"github.com/6tail/lunar-go/calendar"
	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
)

func day(t testing.TB, s string) clock.Day {
	t.Helper()
	d, err := clock.ParseDay(s)
	if err != nil {
		t.Fatalf("parse %s: %v", s, err)
	}
	return d
}

func TestKnownDays(t *testing.T) {
	t.Parallel()
	cases := []struct {
		solar string
		lunar lunar.Date
		text  string
	}{
		{"1900-01-31", lunar.Date{Year: 1900, Month: 1, Day: 1}, "1900年正月初一"},
		{"2024-02-10", lunar.Date{Year: 2024, Month: 1, Day: 1}, "2024年正月初一"},
		{"2025-01-29", lunar.Date{Year: 2025, Month: 1, Day: 1}, "2025年正月初一"},
		{"2025-07-25", lunar.Date{Year: 2025, Month: 6, Day: 1, Leap: true}, "2025年闰六月初一"},
		{"2026-02-17", lunar.Date{Year: 2026, Month: 1, Day: 1}, "2026年正月初一"},
		{"2026-09-25", lunar.Date{Year: 2026, Month: 8, Day: 15}, "2026年八月十五"},
		{"2023-03-22", lunar.Date{Year: 2023, Month: 2, Day: 1, Leap: true}, "2023年闰二月初一"},
		{"2027-02-05", lunar.Date{Year: 2026, Month: 12, Day: 29}, "2026年腊月廿九"},
		{"2033-12-22", lunar.Date{Year: 2033, Month: 11, Day: 1, Leap: true}, "2033年闰冬月初一"},
	}
	for _, c := range cases {
		got, err := lunar.FromSolar(day(t, c.solar))
		if err != nil || got != c.lunar || got.String() != c.text {
			t.Errorf("FromSolar(%s) = %v (%s), %v; want %v", c.solar, got, got.String(), err, c.text)
		}
		back, err := c.lunar.Solar()
		if err != nil || back != day(t, c.solar) {
			t.Errorf("Solar(%v) = %v, %v; want %s", c.lunar, back, err, c.solar)
		}
	}
	if lunar.LeapMonth(2025) != 6 || lunar.LeapMonth(2026) != 0 || lunar.Zodiac(2026) != "horse" {
		t.Error("leap month or zodiac wrong")
	}
}

// Every day of two centuries goes there and back, and a sample agrees with the library's own conversion.
func TestEveryDayRoundTrips(t *testing.T) {
	t.Parallel()
	first := day(t, "1900-01-31")
	last, err := lunar.Date{Year: lunar.LastYear, Month: 12, Day: 29}.Solar()
	if err != nil {
		t.Fatal(err)
	}
	for d := first; d <= last; d++ {
		l, err := lunar.FromSolar(d)
		if err != nil {
			t.Fatalf("%v: %v", d, err)
		}
		if back, err := l.Solar(); err != nil || back != d {
			t.Fatalf("%v → %v → %v, %v", d, l, back, err)
		}
		if d%97 != 0 {
			continue
		}
		tm := d.Time()
		want := calendar.NewLunarFromSolar(calendar.NewSolarFromYmd(tm.Year(), int(tm.Month()), tm.Day()))
		m := l.Month
		if l.Leap {
			m = -m
		}
		if want.GetYear() != l.Year || want.GetMonth() != m || want.GetDay() != l.Day {
			t.Fatalf("%v: got %v, library says %v", d, l, want)
		}
	}
}

func TestNextBirthday(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		b    lunar.Birthday
		from string
		want string
	}{
		{"solar today", lunar.Birthday{Calendar: lunar.Solar, Month: 11, Day: 21}, "2026-11-21", "2026-11-21"},
		{"solar passed", lunar.Birthday{Calendar: lunar.Solar, Month: 11, Day: 20}, "2026-11-21", "2027-11-20"},
		{"feb 29 in a common year", lunar.Birthday{Calendar: lunar.Solar, Year: 1996, Month: 2, Day: 29}, "2026-01-01", "2026-02-28"},
		{"feb 29 in a leap year", lunar.Birthday{Calendar: lunar.Solar, Year: 1996, Month: 2, Day: 29}, "2028-02-28", "2028-02-29"},
		{"lunar in the old lunar year", lunar.Birthday{Calendar: lunar.Lunar, Month: 12, Day: 8}, "2026-01-01", "2026-01-26"},
		{"lunar new year", lunar.Birthday{Calendar: lunar.Lunar, Year: 1990, Month: 1, Day: 1}, "2026-02-18", "2027-02-06"},
		{"leap month kept", lunar.Birthday{Calendar: lunar.Lunar, Year: 1987, Month: 6, Day: 1, Leap: true}, "2025-01-01", "2025-07-25"},
		{"leap month falls back", lunar.Birthday{Calendar: lunar.Lunar, Year: 1987, Month: 6, Day: 1, Leap: true}, "2026-01-01", "2026-07-14"},
		{"day 30 of a short month", lunar.Birthday{Calendar: lunar.Lunar, Month: 12, Day: 30}, "2027-01-01", "2027-02-05"},
		{"not before birth", lunar.Birthday{Calendar: lunar.Solar, Year: 2030, Month: 5, Day: 1}, "2026-01-01", "2030-05-01"},
	}
	for _, c := range cases {
		got, err := c.b.Next(day(t, c.from))
		if err != nil || got != day(t, c.want) {
			t.Errorf("%s: got %v, %v; want %s", c.name, got, err, c.want)
		}
	}
}

func TestNextProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := lunar.Birthday{
			Calendar: rapid.SampledFrom([]lunar.Calendar{lunar.Solar, lunar.Lunar}).Draw(t, "calendar"),
			Month:    rapid.IntRange(1, 12).Draw(t, "month"),
			Day:      rapid.IntRange(1, 30).Draw(t, "day"),
		}
		b.Leap = b.Calendar == lunar.Lunar && rapid.Bool().Draw(t, "leap")
		if b.Validate() != nil {
			t.Skip("no such day")
		}
		from := clock.NewDay(2020, time.January, 1) + clock.Day(rapid.IntRange(0, 20000).Draw(t, "from"))
		next, err := b.Next(from)
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		if next < from || next-from > 385 {
			t.Fatalf("next %v is not within a year of %v", next, from)
		}
		if again, err := b.Next(next); err != nil || again != next {
			t.Fatalf("next is not stable: %v then %v", next, again)
		}
	})
}

func TestValidateAndAge(t *testing.T) {
	t.Parallel()
	bad := map[string]lunar.Birthday{
		"lunar.month_invalid":    {Calendar: lunar.Solar, Month: 13, Day: 1},
		"lunar.day_invalid":      {Calendar: lunar.Solar, Year: 2025, Month: 2, Day: 29},
		"lunar.leap_invalid":     {Calendar: lunar.Lunar, Year: 2024, Month: 6, Day: 1, Leap: true},
		"lunar.calendar_invalid": {Calendar: "mayan", Month: 1, Day: 1},
		"lunar.year_invalid":     {Calendar: lunar.Solar, Year: 12, Month: 1, Day: 1},
	}
	for code, b := range bad {
		if err := b.Validate(); fault.CodeOf(err) != code {
			t.Errorf("%v: got %v, want %s", b, err, code)
		}
	}
	if _, err := lunar.FromSolar(day(t, "1899-12-31")); fault.CodeOf(err) != "lunar.out_of_range" {
		t.Errorf("before the table: %v", err)
	}
	if _, err := (lunar.Date{Year: 2024, Month: 6, Day: 1, Leap: true}).Solar(); fault.CodeOf(err) != "lunar.no_such_day" {
		t.Errorf("no such leap month: %v", err)
	}
	b := lunar.Birthday{Calendar: lunar.Solar, Year: 1990, Month: 11, Day: 22}
	if age, ok := b.Age(day(t, "2026-11-21")); !ok || age != 35 {
		t.Errorf("age %d %v, want 35", age, ok)
	}
	l := lunar.Birthday{Calendar: lunar.Lunar, Year: 1990, Month: 12, Day: 8}
	if age, ok := l.Age(day(t, "2026-01-25")); !ok || age != 34 {
		t.Errorf("lunar age %d %v, want 34", age, ok)
	}
}
