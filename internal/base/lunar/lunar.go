// Package lunar converts between the Gregorian calendar (公历) and the Chinese lunisolar calendar (农历) and finds the
// next occurrence of a birthday kept in either.
//
// It guarantees that a conversion and its inverse agree for every day from 1900-01-31 (the first day of lunar 1900) to
// the last day of lunar 2100, and that the next occurrence of a valid birthday exists, is on or after the date asked
// for, and is unique in its calendar year. Days are civil days (clock.Day) without a time zone: which day "today" is
// belongs to the caller. Everything is a pure function of its arguments and safe for concurrent use.
//
// It does not do horoscopes, solar terms or festivals other than the new year.
//
// The astronomy is lunar-go's; it is read once into a table of months, because that library keeps one cached year
// behind a lock and panics on impossible dates.
package lunar

import (
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/6tail/lunar-go/calendar"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// The lunar years that can be converted, both inclusive.
const (
	FirstYear = 1900
	LastYear  = 2100
)

// Date is a day of the lunar calendar. Month is 1 to 12, Leap says that it is the intercalary month that follows the
// month of the same number, Day is 1 to 30. The zero value is not a date.
type Date struct {
	Year, Month, Day int
	Leap             bool
}

type month struct {
	first clock.Day
	year  int16
	month int8
	days  int8
	leap  bool
}

type table struct {
	months []month
	starts [LastYear - FirstYear + 2]int // index of the first month of each year
	end    clock.Day                     // the day after the last one
}

var months = sync.OnceValue(func() *table {
	t := &table{}
	for y := FirstYear; y <= LastYear; y++ {
		t.starts[y-FirstYear] = len(t.months)
		for e := calendar.NewLunarYear(y).GetMonthsInYear().Front(); e != nil; e = e.Next() {
			m, ok := e.Value.(*calendar.LunarMonth)
			if !ok {
				continue
			}
			s := calendar.NewSolarFromJulianDay(m.GetFirstJulianDay())
			t.months = append(t.months, month{
				first: clock.NewDay(s.GetYear(), time.Month(s.GetMonth()), s.GetDay()),
				year:  int16(y), month: int8(max(m.GetMonth(), -m.GetMonth())), //nolint:gosec // small by construction
				days: int8(m.GetDayCount()), leap: m.IsLeap(), //nolint:gosec // 29 or 30
			})
		}
	}
	t.starts[LastYear-FirstYear+1] = len(t.months)
	last := t.months[len(t.months)-1]
	t.end = last.first + clock.Day(last.days)
	return t
})

// find returns the month, or false when the year has none such.
func (t *table) find(year, mon int, leap bool) (month, bool) {
	if year < FirstYear || year > LastYear {
		return month{}, false
	}
	for _, m := range t.months[t.starts[year-FirstYear]:t.starts[year-FirstYear+1]] {
		if int(m.month) == mon && m.leap == leap {
			return m, true
		}
	}
	return month{}, false
}

// FromSolar converts a civil day. Fault lunar.out_of_range outside the lunar years FirstYear to LastYear.
func FromSolar(d clock.Day) (Date, error) {
	t := months()
	if d < t.months[0].first || d >= t.end {
		return Date{}, fault.New(fault.Invalid, "lunar.out_of_range", fault.Params{"first": FirstYear, "last": LastYear})
	}
	i := sort.Search(len(t.months), func(i int) bool { return t.months[i].first > d }) - 1
	m := t.months[i]
	return Date{Year: int(m.year), Month: int(m.month), Day: int(d-m.first) + 1, Leap: m.leap}, nil
}

// Solar converts to the civil day. Fault lunar.out_of_range or lunar.no_such_day.
func (d Date) Solar() (clock.Day, error) {
	if d.Year < FirstYear || d.Year > LastYear {
		return 0, fault.New(fault.Invalid, "lunar.out_of_range", fault.Params{"first": FirstYear, "last": LastYear})
	}
	m, ok := months().find(d.Year, d.Month, d.Leap)
	if !ok || d.Day < 1 || d.Day > int(m.days) {
		return 0, fault.New(fault.Invalid, "lunar.no_such_day", fault.Params{"date": d.String()})
	}
	return m.first + clock.Day(d.Day-1), nil //nolint:gosec // at most 30
}

// String is the date in Chinese as people write it, e.g. "2025年闰六月初一"; without a year "正月十五". A date that
// cannot be written so is given in digits.
func (d Date) String() string {
	var b strings.Builder
	if d.Year != 0 {
		b.WriteString(strconv.Itoa(d.Year) + "年")
	}
	if d.Month < 1 || d.Month > 12 || d.Day < 1 || d.Day > 30 {
		b.WriteString(strconv.Itoa(d.Month) + "-" + strconv.Itoa(d.Day))
		return b.String()
	}
	if d.Leap {
		b.WriteString("闰")
	}
	names := [...]string{"正", "二", "三", "四", "五", "六", "七", "八", "九", "十", "冬", "腊"}
	b.WriteString(names[d.Month-1] + "月" + dayName(d.Day))
	return b.String()
}

func dayName(day int) string {
	digits := [...]string{"十", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	switch {
	case day == 10:
		return "初十"
	case day == 20:
		return "二十"
	case day == 30:
		return "三十"
	case day < 10:
		return "初" + digits[day]
	case day < 20:
		return "十" + digits[day-10]
	default:
		return "廿" + digits[day-20]
	}
}

// LeapMonth is the number of the month that the lunar year repeats, 0 for none or a year out of range.
func LeapMonth(year int) int {
	for m := 1; m <= 12; m++ {
		if _, ok := months().find(year, m, true); ok {
			return m
		}
	}
	return 0
}

// NewYear is the civil day of 春节 in the given year. Fault lunar.out_of_range.
func NewYear(year int) (clock.Day, error) {
	return Date{Year: year, Month: 1, Day: 1}.Solar()
}

// Zodiac is the key of the animal of a lunar year: rat, ox, tiger, rabbit, dragon, snake, horse, goat, monkey,
// rooster, dog or pig.
func Zodiac(year int) string {
	names := [...]string{
		"rat", "ox", "tiger", "rabbit", "dragon", "snake", "horse", "goat", "monkey", "rooster", "dog", "pig",
	}
	return names[((year-4)%12+12)%12]
}
