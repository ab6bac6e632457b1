package lunar

import (
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Calendar says in which calendar a birthday is kept. Its values are stored and shown in the API.
type Calendar string

// The calendars. The empty string is not a calendar.
const (
	Solar Calendar = "solar"
	Lunar Calendar = "lunar"
)

// Birthday is a yearly day as a person states it. Year 0 means that the year is not known; Leap has a meaning in the
// lunar calendar only.
type Birthday struct {
	Calendar Calendar
	Year     int
	Month    int
	Day      int
	Leap     bool
}

// Validate reports a fault with Field set when no such day can exist. Without a year February 29, lunar day 30 and any
// leap month are accepted; with a lunar year from FirstYear to LastYear the day must have existed.
func (b Birthday) Validate() error {
	if b.Month < 1 || b.Month > 12 {
		return fault.InvalidField("lunar.month_invalid", "month", fault.Params{"month": b.Month})
	}
	if b.Year < 0 || b.Year > LastYear || (b.Year > 0 && b.Year < 1800) {
		return fault.InvalidField("lunar.year_invalid", "year", fault.Params{"year": b.Year})
	}
	badDay := fault.InvalidField("lunar.day_invalid", "day", fault.Params{"month": b.Month, "day": b.Day})
	switch b.Calendar {
	case Solar:
		year := b.Year
		if year == 0 {
			year = 2000 // a leap year: February 29 is possible
		}
		if b.Day < 1 || b.Day > daysIn(year, b.Month) {
			return badDay
		}
		if b.Leap {
			return fault.InvalidField("lunar.leap_invalid", "leap", nil)
		}
	case Lunar:
		if b.Day < 1 || b.Day > 30 {
			return badDay
		}
		if b.Year < FirstYear {
			return nil // unknown year, or one before the table: cannot be checked further
		}
		m, ok := months().find(b.Year, b.Month, b.Leap)
		if !ok {
			return fault.InvalidField("lunar.leap_invalid", "leap", fault.Params{"year": b.Year, "month": b.Month})
		}
		if b.Day > int(m.days) {
			return badDay
		}
	default:
		return fault.InvalidField("lunar.calendar_invalid", "calendar", fault.Params{"calendar": string(b.Calendar)})
	}
	return nil
}

// In returns the civil day on which the birthday is celebrated in a year of its own calendar. February 29 falls on
// February 28 in common years; a leap month falls back to the month of the same number in years that do not repeat it;
// lunar day 30 falls on day 29 in short months. Faults of Validate, and lunar.out_of_range for years off the table.
func (b Birthday) In(year int) (clock.Day, error) {
	if err := b.Validate(); err != nil {
		return 0, err
	}
	if b.Calendar == Solar {
		return clock.NewDay(year, time.Month(b.Month), min(b.Day, daysIn(year, b.Month))), nil
	}
	m, ok := months().find(year, b.Month, b.Leap)
	if !ok && b.Leap {
		m, ok = months().find(year, b.Month, false)
	}
	if !ok {
		return 0, fault.New(fault.Invalid, "lunar.out_of_range", fault.Params{"first": FirstYear, "last": LastYear})
	}
	return m.first + clock.Day(min(b.Day, int(m.days))-1), nil //nolint:gosec // at most 30
}

// Next returns the first celebration on or after the given day. A birthday is never celebrated before its own year.
// Faults of Validate, and lunar.out_of_range when a lunar birthday is asked for after the table ends.
func (b Birthday) Next(onOrAfter clock.Day) (clock.Day, error) {
	year := max(onOrAfter.Time().Year(), b.Year)
	if b.Calendar == Lunar {
		// The lunar year begins up to 51 days into the civil one.
		year = max(year-1, b.Year, FirstYear)
	}
	for {
		d, err := b.In(year)
		if err != nil {
			return 0, err
		}
		if d >= onOrAfter {
			return d, nil
		}
		year++
	}
}

// Age is the number of birthdays celebrated up to and including the given day; false when the year is not known or the
// birth lies ahead. Lunar birthdays count lunar years from the day of birth (周岁 by the lunar calendar, not 虚岁).
func (b Birthday) Age(on clock.Day) (int, bool) {
	if b.Year == 0 || b.Validate() != nil {
		return 0, false
	}
	year := on.Time().Year()
	if b.Calendar == Lunar {
		if d, err := FromSolar(on); err == nil {
			year = d.Year
		}
	}
	d, err := b.In(year)
	if err != nil {
		return 0, false
	}
	age := year - b.Year
	if d > on {
		age--
	}
	return age, age >= 0
}

func daysIn(year, mon int) int {
	return time.Date(year, time.Month(mon)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
