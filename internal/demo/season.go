package demo

import (
	"sort"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
)

// sale is a promotion on one day. The zero value is none.
type sale struct {
	code string
	rate float64 // usual discount
	busy float64 // how much more is bought than on a day without it
}

// almanac is the history day by day: how busy each day is, and which sale is on. It turns the even clock of the
// purchase process into days and back.
type almanac struct {
	first clock.Day
	busy  []float64 // mean 1
	sales []sale
	// start[i] is the sum of busy before day i, one entry more than days: the even clock in days.
	start []float64
}

func newAlmanac(last clock.Day, days int) *almanac {
	a := &almanac{
		first: last - clock.Day(days) + 1, //nolint:gosec // some hundreds
		busy:  make([]float64, days), sales: make([]sale, days), start: make([]float64, days+1),
	}
	sum := 0.0
	for i := range days {
		d := a.day(i)
		a.sales[i] = saleOn(d)
		a.busy[i] = ordinary(d.Time()) * afterSale(d) * max(a.sales[i].busy, 0.1)
		sum += a.busy[i]
	}
	for i := range days {
		a.busy[i] *= float64(days) / sum
		a.start[i+1] = a.start[i] + a.busy[i]
	}
	return a
}

func (a *almanac) day(i int) clock.Day { return a.first + clock.Day(i) } //nolint:gosec // some hundreds

// at returns the index of the day on which the even clock shows t.
func (a *almanac) at(t float64) int {
	i := sort.Search(len(a.busy), func(i int) bool { return a.start[i+1] > t })
	return min(i, len(a.busy)-1)
}

// end is the even clock at the end of the history.
func (a *almanac) end() float64 { return a.start[len(a.busy)] }

// ordinary is the business of a day by month and weekday.
func ordinary(t time.Time) float64 {
	months := [...]float64{0.95, 0.85, 1.12, 1.05, 1.0, 0.95, 0.8, 0.85, 1.15, 1.15, 1.1, 1.1}
	days := [...]float64{1.15, 0.92, 0.92, 0.93, 0.95, 1.05, 1.2}
	return months[t.Month()-1] * days[t.Weekday()]
}

// saleOn is the promotion of a day, with busy 1 on a day without any.
func saleOn(d clock.Day) sale {
	t := d.Time()
	day := t.Day()
	switch t.Month() {
	case time.March:
		if day >= 5 && day <= 8 {
			return sale{"LADY38", 0.10, 1.6}
		}
	case time.June:
		switch {
		case day == 18:
			return sale{"618", 0.18, 4}
		case day <= 3 || day == 16 || day == 17:
			return sale{"618", 0.16, 1.8}
		case day < 18:
			return sale{"618", 0.12, 1.2}
		}
	case time.October:
		if day <= 7 {
			return sale{"GOLDEN", 0.08, 1.4}
		}
	case time.November:
		switch {
		case day == 11:
			return sale{"D11", 0.22, 6}
		case day <= 3 || day == 10:
			return sale{"D11", 0.20, 2.3}
		case day < 11:
			return sale{"D11", 0.15, 1.3}
		}
	case time.December:
		switch {
		case day == 12:
			return sale{"D12", 0.14, 2}
		case day == 10 || day == 11:
			return sale{"D12", 0.10, 1.3}
		}
	}
	if s, ok := springFestival(d); ok {
		return s
	}
	if day == 28 {
		return sale{"MEMBER28", 0.06, 1.3}
	}
	return sale{busy: 1}
}

// springFestival is the shopping before 春节 and the quiet of the holiday itself.
func springFestival(d clock.Day) (sale, bool) {
	newYear, err := lunar.NewYear(d.Time().Year())
	if err != nil {
		return sale{}, false
	}
	switch left := newYear - d; {
	case left > 28:
		return sale{}, false
	case left >= 8:
		return sale{"NEWYEAR", 0.12, 1.5}, true
	case left >= 3:
		return sale{busy: 0.9}, true
	case left >= -4:
		return sale{busy: 0.4}, true
	case left >= -8:
		return sale{busy: 0.8}, true
	}
	return sale{}, false
}

// afterSale is the quiet after the two largest ones.
func afterSale(d clock.Day) float64 {
	t := d.Time()
	switch {
	case t.Month() == time.November && t.Day() > 11 && t.Day() <= 20:
		return 0.7
	case t.Month() == time.June && t.Day() > 18 && t.Day() <= 25:
		return 0.75
	}
	return 1
}

// seasonOf is the season that is sold in a month, and the index of it.
func seasonOf(d clock.Day) int { return (int(d.Time().Month()) + 9) % 12 / 3 }

var seasonNames = [...]string{"spring", "summer", "autumn", "winter"}

// SeasonName is what a shop calls a season of Product.Season; one that is not known is what is sold all the year.
func SeasonName(key string) lang.Label {
	switch key {
	case "spring":
		return lang.Label{lang.ChineseSimplified: "春季", lang.English: "Spring"}
	case "summer":
		return lang.Label{lang.ChineseSimplified: "夏季", lang.English: "Summer"}
	case "autumn":
		return lang.Label{lang.ChineseSimplified: "秋季", lang.English: "Autumn"}
	case "winter":
		return lang.Label{lang.ChineseSimplified: "冬季", lang.English: "Winter"}
	}
	return lang.Label{lang.ChineseSimplified: "四季", lang.English: "All year"}
}
