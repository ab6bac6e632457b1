package schema

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Years that dates and instants may lie in.
const (
	MinYear = 1800
	MaxYear = 2200
)

// moment is a date and time of day as it was written.
type moment struct {
	year, month, day  int
	hour, minute, sec int
	nano              int
	offset            int  // seconds east of UTC, when zoned
	timed, zoned, pm  bool // pm and am as written
	am                bool
}

// scanMoment reads the usual written forms of a date with or without a time: 2026-11-21, 2026/11/21, 2026.11.21,
// 20261121, 2026年11月21日, 21 Nov 2026, Nov 21, 2026, 12/1/2010 8:26, each with 8:26, 8:26:30, 8:26 PM, 下午3时5分,
// a trailing Z or +08:00. dayFirst decides 3/4/2026 unless one of the two is above 12. It checks the calendar.
func scanMoment(s string, dayFirst bool) (m moment, ok bool) {
	p := scanner{s: s}
	if !p.date(&m, dayFirst) || !p.clockTime(&m) {
		return m, false
	}
	if m.pm && m.hour < 12 {
		m.hour += 12
	} else if m.am && m.hour == 12 {
		m.hour = 0
	}
	if m.hour == 24 && m.minute == 0 && m.sec == 0 {
		return m, false
	}
	return m, m.valid()
}

func (m *moment) valid() bool {
	return m.month >= 1 && m.month <= 12 && m.day >= 1 && m.day <= daysIn(m.year, m.month) &&
		m.hour < 24 && m.minute < 60 && m.sec < 60
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

type scanner struct {
	s string
	i int
}

func (p *scanner) spaces() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == ',') {
		p.i++
	}
}

// digits reads a run of digits; n is how many there were.
func (p *scanner) digits() (v, n int) {
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' && n < 9 {
		v = v*10 + int(p.s[p.i]-'0')
		p.i++
		n++
	}
	return v, n
}

// one consumes the first of the given marks that stands here.
func (p *scanner) one(marks ...string) bool {
	for _, m := range marks {
		if strings.HasPrefix(p.s[p.i:], m) {
			p.i += len(m)
			return true
		}
	}
	return false
}

func (p *scanner) date(m *moment, dayFirst bool) bool {
	if month := p.monthName(); month > 0 { // Nov 21, 2026
		p.spaces()
		day, n := p.digits()
		p.one("st", "nd", "rd", "th")
		p.spaces()
		year, k := p.digits()
		m.year, m.month, m.day = year, month, day
		return n > 0 && k == 4
	}
	a, n := p.digits()
	switch n {
	case 0:
		return false
	case 8:
		m.year, m.month, m.day = a/10000, a/100%100, a%100
		return true
	case 4:
		return p.yearFirst(m, a)
	}
	if n > 2 {
		return false
	}
	return p.yearLast(m, a, dayFirst)
}

func (p *scanner) yearFirst(m *moment, year int) bool {
	m.year = year
	if !p.one("-", "/", ".", "年", " ") {
		return false
	}
	p.spaces()
	month, k := p.digits()
	if k == 0 || k > 2 || !p.one("-", "/", ".", "月", " ") {
		return false
	}
	p.spaces()
	day, k := p.digits()
	m.month, m.day = month, day
	p.one("日", "号")
	return k > 0 && k <= 2
}

func (p *scanner) yearLast(m *moment, a int, dayFirst bool) bool {
	if !p.one("-", "/", ".", " ") {
		return false
	}
	p.spaces()
	if month := p.monthName(); month > 0 { // 21 Nov 2026, 21-Nov-2026
		p.one("-", "/", ".", ",")
		p.spaces()
		year, k := p.digits()
		m.year, m.month, m.day = year, month, a
		return k == 4
	}
	b, k := p.digits()
	if k == 0 || k > 2 || !p.one("-", "/", ".", " ") {
		return false
	}
	year, k := p.digits()
	if k != 4 {
		return false
	}
	m.year = year
	if a > 12 || dayFirst && b <= 12 {
		m.day, m.month = a, b
	} else {
		m.month, m.day = a, b
	}
	return true
}

func (p *scanner) monthName() int {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	j := p.i
	for j < len(p.s) && (p.s[j]|0x20) >= 'a' && (p.s[j]|0x20) <= 'z' {
		j++
	}
	word := strings.ToLower(p.s[p.i:j])
	if len(word) < 3 {
		return 0
	}
	k := strings.Index(names, word[:3])
	if k < 0 || k%3 != 0 {
		return 0
	}
	full := time.Month(k/3 + 1).String()
	if !strings.HasPrefix(strings.ToLower(full), word) && word != "sept" {
		return 0
	}
	p.i = j
	p.one(".")
	return k/3 + 1
}

// clockTime reads what follows the date; nothing is midnight.
func (p *scanner) clockTime(m *moment) bool {
	if p.i == len(p.s) {
		return true
	}
	if !p.one("T", "t") {
		p.spaces()
	}
	p.half(m)
	p.spaces()
	hour, n := p.digits()
	if n == 0 || n > 2 || !p.one(":", "时", "点") {
		return false
	}
	m.hour, m.timed = hour, true
	minute, n := p.digits()
	if n > 2 {
		return false
	}
	m.minute = minute
	p.one("分")
	if p.one(":") || p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		sec, n := p.digits()
		if n == 0 || n > 2 {
			return false
		}
		m.sec = sec
		p.one("秒")
		if p.one(".", ",") {
			f, n := p.digits()
			for ; n < 9; n++ {
				f *= 10
			}
			m.nano = f
		}
	}
	p.spaces()
	p.half(m)
	return p.offset(m) && p.i == len(p.s)
}

// half reads AM and PM.
func (p *scanner) half(m *moment) {
	switch {
	case p.one("下午", "晚上", "中午", "PM", "pm", "p.m.", "Pm"):
		m.pm = true
	case p.one("上午", "早上", "凌晨", "AM", "am", "a.m.", "Am"):
		m.am = true
	}
	p.spaces()
}

func (p *scanner) offset(m *moment) bool {
	p.spaces()
	if p.one("Z", "z", "UTC", "GMT") {
		m.zoned = true
		return true
	}
	sign := 0
	switch {
	case p.one("+"):
		sign = 1
	case p.one("-"):
		sign = -1
	default:
		return true
	}
	h, n := p.digits()
	if n == 4 {
		h, n = h/100*3600+h%100*60, 2
	} else {
		h *= 3600
		if p.one(":") {
			mm, k := p.digits()
			if k != 2 {
				return false
			}
			h += mm * 60
		}
	}
	m.zoned, m.offset = true, sign*h
	return n == 2 && h <= 14*3600
}

// excelEpoch is day 0 of spreadsheet serial numbers, 1899-12-30 (which makes up for the leap day 1900 never had).
const excelEpoch = clock.Day(-25569)

// excelSerial reads a spreadsheet's serial number: days and fractions of a day since excelEpoch.
func excelSerial(s string) (day clock.Day, ms int64, ok bool) {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' {
			return 0, 0, false
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v < 1 || v >= 110_000 {
		return 0, 0, false
	}
	whole := math.Floor(v)
	// Serials carry about 10 decimals: whole milliseconds are rounded to the nearest.
	ms = int64(math.Round((v - whole) * 86_400_000))
	return excelEpoch + clock.Day(whole), ms, true
}

func inYears(y int) bool { return y >= MinYear && y <= MaxYear }

// timeIn is the instant of a written moment. A time that a zone skips is moved on as time.Date does.
func (m *moment) timeIn(zone *time.Location) time.Time {
	if m.zoned {
		zone = time.FixedZone("", m.offset)
	}
	return time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.sec, m.nano, zone).UTC().Truncate(time.Millisecond)
}

// dateCodec is of calendar days, written "2006-01-02".
type dateCodec struct{}

func (c dateCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	switch x := v.(type) {
	case clock.Day:
		return c.bounded(f, x)
	case string:
		if strings.TrimSpace(x) == "" {
			return nil, nil
		}
		if m, ok := scanMoment(x, false); ok && isoDate(x) {
			if m.timed && m.zoned { // an instant: its day in the workspace's zone
				return c.bounded(f, clock.DayOf(m.timeIn(env.zone()), env.zone()))
			}
			return c.bounded(f, clock.NewDay(m.year, time.Month(m.month), m.day))
		}
	}
	return nil, invalid(f, "not_date", nil)
}

// isoDate reports a text that begins like 2006-01-02.
func isoDate(s string) bool { return len(s) >= 10 && s[4] == '-' && s[7] == '-' }

func (dateCodec) bounded(f *Field, d clock.Day) (any, *fault.Fault) {
	if !inYears(d.Time().Year()) {
		return nil, invalid(f, "date_range", fault.Params{"first": MinYear, "last": MaxYear})
	}
	return d, nil
}

func (c dateCodec) parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	s = halfWidth(s)
	if env.DateLayout != "" {
		if t, err := time.Parse(env.DateLayout, s); err == nil {
			return c.bounded(f, clock.NewDay(t.Year(), t.Month(), t.Day()))
		}
	}
	if m, ok := scanMoment(s, env.DayFirst); ok {
		if m.zoned {
			return c.bounded(f, clock.DayOf(m.timeIn(env.zone()), env.zone()))
		}
		return c.bounded(f, clock.NewDay(m.year, time.Month(m.month), m.day))
	}
	if d, _, ok := excelSerial(s); ok {
		return c.bounded(f, d)
	}
	return nil, invalid(f, "not_date", fault.Params{"value": shown(f, s)})
}

func (dateCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any    { return v.(clock.Day).String() }
func (dateCodec) formatText(_ *Field, v any, _ *ParseEnv) string { return v.(clock.Day).String() }

func (dateCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any {
	return append(dst, int64(v.(clock.Day)))
}

func (dateCodec) decode(_ *Field, cols []any) any {
	n, _ := cols[0].(int64)
	return clock.Day(n) //nolint:gosec // written from a Day
}

// instantCodec is of points in time, whole milliseconds.
type instantCodec struct{}

func (c instantCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	switch x := v.(type) {
	case time.Time:
		return c.bounded(f, x.UTC().Truncate(time.Millisecond))
	case string:
		if strings.TrimSpace(x) == "" {
			return nil, nil
		}
		if m, ok := scanMoment(x, false); ok && isoDate(x) {
			return c.bounded(f, m.timeIn(env.zone()))
		}
	}
	return nil, invalid(f, "not_datetime", nil)
}

func (instantCodec) bounded(f *Field, t time.Time) (any, *fault.Fault) {
	if !inYears(t.Year()) {
		return nil, invalid(f, "date_range", fault.Params{"first": MinYear, "last": MaxYear})
	}
	return t, nil
}

func (c instantCodec) parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	s = halfWidth(s)
	if env.DateLayout != "" {
		if t, err := time.ParseInLocation(env.DateLayout, s, env.zone()); err == nil {
			return c.bounded(f, t.UTC().Truncate(time.Millisecond))
		}
	}
	if m, ok := scanMoment(s, env.DayFirst); ok {
		return c.bounded(f, m.timeIn(env.zone()))
	}
	if d, ms, ok := excelSerial(s); ok {
		y, mo, dd := d.Time().Date()
		return c.bounded(f, time.Date(y, mo, dd, 0, 0, 0, int(ms)*1_000_000, env.zone()).UTC())
	}
	if t, ok := timestamp(s); ok {
		return c.bounded(f, t)
	}
	return nil, invalid(f, "not_datetime", fault.Params{"value": shown(f, s)})
}

// timestamp reads Unix seconds (10 digits) or milliseconds (13).
func timestamp(s string) (time.Time, bool) {
	if len(s) != 10 && len(s) != 13 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	if len(s) == 10 {
		n *= 1000
	}
	return time.UnixMilli(n).UTC(), true
}

func (instantCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any {
	return v.(time.Time).UTC().Format("2006-01-02T15:04:05.999Z07:00")
}

func (instantCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	return v.(time.Time).In(env.zone()).Format("2006-01-02 15:04:05.999")
}

func (instantCodec) encode(dst []any, _ *Field, v any, e *EncodeEnv) []any {
	t, zone := v.(time.Time), e.Zone
	if zone == nil {
		zone = time.UTC
	}
	return append(dst, t.UnixMilli(), int64(clock.DayOf(t, zone)))
}

func (instantCodec) decode(_ *Field, cols []any) any {
	n, _ := cols[0].(int64)
	return time.UnixMilli(n).UTC()
}
