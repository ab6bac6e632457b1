package forecast

import (
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
	"github.com/guanxi-crm/guanxi/internal/stat/forecast"
)

// fixed are the holidays and sales days of the solar calendar: the first day, and how many.
var fixed = []struct {
	key   string
	month time.Month
	day   int
	days  int
}{
	{"new_year", time.January, 1, 3}, {"valentine", time.February, 14, 1}, {"women", time.March, 6, 3}, {"labour", time.May, 1, 5},
	{"may20", time.May, 20, 1}, {"june18", time.June, 16, 3}, {"national", time.October, 1, 7}, {"double11_eve", time.November, 1, 3},
	{"double11", time.November, 11, 1}, {"double12", time.December, 12, 1}, {"christmas", time.December, 24, 2},
}

// lunarDays are those of the lunar calendar: month and day, the first day relative to it, and how many.
var lunarDays = []struct {
	key             string
	month, day      int
	before, lasting int
}{
	{"lantern", 1, 15, 0, 1}, {"dragon_boat", 5, 5, 1, 3}, {"qixi", 7, 7, 0, 1}, {"mid_autumn", 8, 15, 1, 3},
}

// moving are the holidays that fall into another month from year to year.
var moving = map[string]bool{"spring_before": true, "spring": true, "mid_autumn": true, "dragon_boat": true}

// The days around the Spring Festival: the shopping before it, and the days off.
const (
	shoppingFrom, shoppingDays = 15, 13
	festivalFrom, festivalDays = 1, 8
)

// holidays are the holidays that touch a run of days, by their first day.
func holidays(from, to clock.Day) []forecast.Span {
	var out []forecast.Span
	add := func(key string, first clock.Day, days int) {
		if first <= to && first+clock.Day(days) > from {
			out = append(out, forecast.Span{Key: key, From: int(first), To: int(first) + days - 1})
		}
	}
	for year := from.Time().Year(); year <= to.Time().Year(); year++ {
		for _, f := range fixed {
			add(f.key, clock.NewDay(year, f.month, f.day), f.days)
		}
		add("qingming", qingming(year)-1, 3)
		spring, err := lunar.NewYear(year)
		if err != nil { // beyond the table
			continue
		}
		add("spring_before", spring-shoppingFrom, shoppingDays)
		add("spring", spring-festivalFrom, festivalDays)
		for _, l := range lunarDays {
			if day, err := (lunar.Date{Year: year, Month: l.month, Day: l.day}).Solar(); err == nil {
				add(l.key, day-clock.Day(l.before), l.lasting)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b forecast.Span) int { return a.From - b.From })
	return out
}

// qingming is the solar term of the 20th and 21st century, by the usual approximation (days of the year's cycle after 2000).
func qingming(year int) clock.Day {
	y := year % 100
	constant := 4.81
	if year < 2000 {
		constant = 5.59
	}
	return clock.NewDay(year, time.April, int(float64(y)*0.2422+constant)-y/4)
}
