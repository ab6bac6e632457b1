// Package clock is where the program gets the time from, so that a test can hold it still.
// It also defines the local day: whole days since 1970-01-01 in a given zone.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. Implementations are safe for concurrent use.
type Clock interface{ Now() time.Time }

// System is the machine's clock, in UTC.
type System struct{}

// Now is the present instant in UTC.
func (System) Now() time.Time { return time.Now().UTC() }

// Fake is a clock that moves only when told.
type Fake struct {
	mu sync.Mutex
	t  time.Time
}

// NewFake starts at t.
func NewFake(t time.Time) *Fake { return &Fake{t: t.UTC()} }

// Now is the instant it was last set to.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.t
}

// Advance moves the clock by d.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.t = f.t.Add(d)
}

// Set moves the clock to t.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.t = t.UTC()
}

// Day is a calendar day as whole days since 1970-01-01; it has no zone of its own.
type Day int32

// DayOf is the calendar day of t in zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return NewDay(y, m, d)
}

// NewDay is the day of a date; out-of-range values are normalised as time.Date does.
func NewDay(y int, m time.Month, d int) Day {
	s := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()
	q := s / 86400
	if s%86400 < 0 {
		q--
	}
	return Day(q)
}

// ParseDay reads "2006-01-02".
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, err
	}
	return NewDay(t.Year(), t.Month(), t.Day()), nil
}

// Time is midnight of the day in UTC.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Start is the first instant of the day in zone.
func (d Day) Start(zone *time.Location) time.Time {
	y, m, dd := d.Time().Date()
	return time.Date(y, m, dd, 0, 0, 0, 0, zone)
}

// String is "2006-01-02".
func (d Day) String() string { return d.Time().Format(time.DateOnly) }
