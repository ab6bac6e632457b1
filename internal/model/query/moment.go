package query

import (
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
)

// Moment is when and where a condition is asked: windows of whole days are local days of Zone.
//
// {"days":n} are the last n local days, today included: [today-n+1, today], none for 0. {"days":[a,b]} are those less
// the last b: [today-a+1, today-b], so that [60,30] and [30,0] make up [60,0] and [2,1] is yesterday alone. {"hours":n}
// is (now-n hours, now]. within_next mirrors both: [today+b, today+a-1] and [now, now+n hours). from and to are days,
// both inside. An anniversary looks ahead like within_next.
type Moment struct {
	Now  time.Time
	Zone *time.Location
}

// Today is the local day.
func (m Moment) Today() clock.Day { return clock.DayOf(m.Now, m.Zone) }

// At fixes every relative window to a moment. The result shares everything that does not depend on time.
func (c *Checked) At(m Moment) *Checked {
	out := *c
	out.Root = m.bind(c.Root)
	return &out
}

func (m Moment) bind(e Expr) Expr {
	switch e := e.(type) {
	case All:
		return All{Items: m.bindAll(e.Items)}
	case Any:
		return Any{Items: m.bindAll(e.Items)}
	case Not:
		return Not{Item: m.bind(e.Item)}
	case Leaf:
		e.Test = m.test(e.Test)
		return e
	case Aggregated:
		e.Rows, e.Test = m.rows(e.Rows), m.test(e.Test)
		return e
	case NoRows:
		return NoRows{Rows: m.rows(e.Rows)}
	case Resumed:
		e.Rows, e.Span = m.rows(e.Rows), m.test(e.Span)
		return e
	case Steps:
		items := make([]Rows, len(e.Items))
		for i, r := range e.Items {
			items[i] = m.rows(r)
		}
		e.Items = items
		if e.Window != nil {
			w := m.test(*e.Window)
			e.Window = &w
		}
		return e
	case Member:
		if e.Of != nil {
			e.Of = m.bind(e.Of)
		}
		return e
	case Best:
		if e.Of != nil {
			e.Of = m.bind(e.Of)
		}
		return e
	}
	return e
}

func (m Moment) bindAll(items []Expr) []Expr {
	out := make([]Expr, len(items))
	for i, it := range items {
		out[i] = m.bind(it)
	}
	return out
}

func (m Moment) rows(r Rows) Rows {
	if r.Where != nil {
		r.Where = m.bind(r.Where)
	}
	if r.Window != nil {
		w := m.test(*r.Window)
		r.Window = &w
	}
	return r
}

func (m Moment) test(t Test) Test {
	s := t.span
	if s == nil {
		return t
	}
	t.span = nil
	if s.kind == anniversary {
		lo, hi := m.ahead(s)
		if s.birthday {
			t.Kind = MonthDays
			t.Solar, t.Lunar = birthdays(lo, hi)
			return t
		}
		t.Kind, t.Ranges = Between, m.inUnit(s, yearly(lo, hi))
		return t
	}
	t.Kind, t.Ranges = Between, nil
	if r, ok := m.window(s); ok {
		t.Ranges = []Range{r}
	}
	return t
}

// window is the one range of a span; ok is false when it is empty.
func (m Moment) window(s *span) (r Range, ok bool) {
	now := m.Now.UnixMilli()
	hours := int64(s.oldest) * int64(time.Hour/time.Millisecond)
	today := int64(m.Today())
	switch s.kind {
	case lastHours:
		return closed(now-hours+1, now), true
	case nextHours:
		return closed(now, now+hours-1), true
	case beforeHours:
		hi := now - hours
		return Range{Hi: &hi}, true
	case lastDays:
		r = closed(today-int64(s.oldest)+1, today-int64(s.newest))
	case nextDays:
		r = closed(today+int64(s.newest), today+int64(s.oldest)-1)
	case beforeDays:
		hi := today - int64(s.oldest)
		r = Range{Hi: &hi}
	default:
		r = Range{Lo: day64(s.from), Hi: day64(s.to)}
	}
	if r.Lo != nil && r.Hi != nil && *r.Lo > *r.Hi {
		return Range{}, false
	}
	return m.inUnit(s, []Range{r})[0], true
}

func day64(d *clock.Day) *int64 {
	if d == nil {
		return nil
	}
	v := int64(*d)
	return &v
}

// inUnit turns ranges of days into ranges of instants where the slot holds those.
func (m Moment) inUnit(s *span, days []Range) []Range {
	if s.unit == inDays {
		return days
	}
	out := make([]Range, len(days))
	for i, r := range days {
		if r.Lo != nil {
			lo := clock.Day(*r.Lo).Start(m.Zone).UnixMilli() //nolint:gosec // a calendar day
			out[i].Lo = &lo
		}
		if r.Hi != nil {
			hi := clock.Day(*r.Hi+1).Start(m.Zone).UnixMilli() - 1 //nolint:gosec // a calendar day
			out[i].Hi = &hi
		}
	}
	return out
}

// ahead are the days of an anniversary's window, lo after hi for none.
func (m Moment) ahead(s *span) (lo, hi clock.Day) {
	if s.from != nil && s.to != nil {
		return *s.from, *s.to
	}
	today := m.Today()
	return today + clock.Day(s.newest), today + clock.Day(s.oldest) - 1 //nolint:gosec // at most a year
}

// firstYear is the first year whose days are found by an anniversary of a date.
const firstYear = 1900

// yearly are all days from 1900 on whose anniversary (or the day itself) falls on a day from lo to hi: February 29 is
// kept on February 28 of common years.
func yearly(lo, hi clock.Day) []Range {
	var days []int64
	for d := lo; d <= hi; d++ {
		y, mon, dd := d.Time().Date()
		for year := y; year >= firstYear; year-- {
			at := clock.NewDay(year, mon, dd)
			if _, m2, _ := at.Time().Date(); m2 != mon {
				continue // February 29 of a common year
			}
			days = append(days, int64(at))
			if mon == time.February && dd == 28 && !leap(y) && leap(year) {
				days = append(days, int64(at)+1)
			}
		}
	}
	return runs(days)
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// birthdays are the months and days of those who celebrate on a day from lo to hi, by calendar: February 29 on the 28th
// of common years, a leap month in the month of the same number where the year does not repeat it, lunar day 30 on the
// last day of a short month. Lunar birthdays end with the calendar's table (lunar.LastYear).
func birthdays(lo, hi clock.Day) (solar, lunars []Range) {
	var s, l []int64
	for d := lo; d <= hi; d++ {
		y, mon, dd := d.Time().Date()
		s = append(s, int64(mon)*100+int64(dd))
		if mon == time.February && dd == 28 && !leap(y) {
			s = append(s, 229)
		}
		if date, err := lunar.FromSolar(d); err == nil {
			l = append(l, lunarKeys(date)...)
		}
	}
	return runs(s), runs(l)
}

func lunarKeys(d lunar.Date) []int64 {
	key := func(day int, leap bool) int64 {
		v := int64(d.Month*100 + day)
		if leap {
			v += 10000
		}
		return v
	}
	days := []int{d.Day}
	if d.Day == 29 {
		if _, err := (lunar.Date{Year: d.Year, Month: d.Month, Day: 30, Leap: d.Leap}).Solar(); err != nil {
			days = append(days, 30)
		}
	}
	var out []int64
	for _, day := range days {
		out = append(out, key(day, d.Leap))
		if !d.Leap && lunar.LeapMonth(d.Year) != d.Month {
			out = append(out, key(day, true))
		}
	}
	return out
}

// runs sorts values and joins neighbours into ranges.
func runs(values []int64) []Range {
	slices.Sort(values)
	values = slices.Compact(values)
	var out []Range
	for i := 0; i < len(values); {
		j := i
		for j+1 < len(values) && values[j+1] == values[j]+1 {
			j++
		}
		out = append(out, closed(values[i], values[j]))
		i = j + 1
	}
	return out
}
