package recommend

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	stat "github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// Habit defines what is bought regularly: on at least Days different days, and in at least In of the last Periods periods of Period days
// that end with the day of analysis. What was bought on as many days but in fewer periods has lapsed; everything else is occasional.
type Habit struct {
	Days    int `json:"regular_days"`
	Period  int `json:"period_days"`
	Periods int `json:"periods"`
	In      int `json:"in_periods"`
}

// DefaultHabit is three days, in two of the last four quarters.
func DefaultHabit() Habit { return Habit{Days: 3, Period: 90, Periods: 4, In: 2} }

// Standing is what a product or category is to a customer.
type Standing string

// The standings.
const (
	Regular    Standing = "regular"
	Lapsed     Standing = "lapsed"
	Occasional Standing = "occasional"
)

// Due is when something is expected to be bought again, with an interval that holds 80 % of cases.
type Due struct {
	On, From, To clock.Day // from the day of analysis on: it was not bought until then
	Usual        clock.Day // when it would have been bought by the rhythm alone
	Gaps         int       // between its purchases so far
}

// Bought is one product, or one category, of a customer.
type Bought struct {
	Product     int64  // 0 for a category
	Category    string // "" where a product has none
	Standing    Standing
	Days        int // on which it was bought
	In          int // periods in which it was
	Quantity    int64
	Amount      int64
	First, Last clock.Day
	Due         *Due // nil where it was bought on fewer than three days, or so long ago that the rhythm is broken
	days        []clock.Day
}

// Share is a part of what somebody buys.
type Share struct {
	Key   string
	Share float64
	N     int
}

// Preference is what is known of a customer's habits.
type Preference struct {
	Products   []Bought // the most days first
	Categories []Bought
	Brands     []Share // by quantity, the greatest first
	Styles     []Share
	Price      *PriceBand
	Weekdays   [7]int // purchases by day, Monday first
	Dayparts   [4]int // night, morning, afternoon, evening; purchases without a time of day are not among them
	Purchases  int
	// Weekday and Daypart stand out: their share is more than an even one by more than chance; -1 for none.
	Weekday, Daypart int
}

// PriceBand is what a customer pays for one piece.
type PriceBand struct {
	Low, Median, High int64 // quarter, half and three quarters of his pieces cost at most so much
	Band              Band  // against others in the same categories
	Pieces            int
}

// Band is how dear somebody buys within a category.
type Band string

// The bands: of the pieces sold in a category a third each.
const (
	Economy Band = "economy"
	Middle  Band = "middle"
	Premium Band = "premium"
)

// Bands are the cuts between the thirds of each category.
type Bands map[string][2]int64

func (b Bands) of(category string, price int64) (Band, bool) {
	cut, ok := b[category]
	switch {
	case !ok || cut[0] == cut[1]:
		return "", false
	case price <= cut[0]:
		return Economy, true
	case price <= cut[1]:
		return Middle, true
	}
	return Premium, true
}

// Dayparts are the names of the parts of a day, six hours each from midnight.
func Dayparts() []string { return []string{"night", "morning", "afternoon", "evening"} }

// Weekdays are their names, Monday first.
func Weekdays() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// knowledge is what preferences are worked out with.
type knowledge struct {
	habit  Habit
	rhythm stat.Rhythm
	known  bool // whether there is a rhythm
	bands  Bands
	goods  map[int64]*Good
	zone   *time.Location
	today  clock.Day
}

func (k *knowledge) category(product int64) string {
	if g := k.goods[product]; g != nil {
		return g.Category
	}
	return ""
}

// prefer works out the preference of one customer from his deeds, in the order of days.
func (k *knowledge) prefer(deeds []Deed) *Preference {
	p := &Preference{Weekday: -1, Daypart: -1}
	products, categories := map[int64]*Bought{}, map[string]*Bought{}
	brands, styles := map[string]float64{}, map[string]float64{}
	var prices []int64
	bands := map[Band]int{}
	pieces := 0.0
	styled := 0.0
	for i := range deeds {
		d := &deeds[i]
		if d.Product == 0 {
			k.time(p, d)
			continue
		}
		b := products[d.Product]
		if b == nil {
			b = &Bought{Product: d.Product, Category: k.category(d.Product)}
			products[d.Product] = b
		}
		b.add(d)
		if b.Category != "" {
			c := categories[b.Category]
			if c == nil {
				c = &Bought{Category: b.Category}
				categories[b.Category] = c
			}
			c.add(d)
		}
		n := float64(d.Quantity) / 1000
		pieces += n
		if g := k.goods[d.Product]; g != nil {
			if g.Brand != "" {
				brands[g.Brand] += n
			}
			if list := splitStyles(g.Styles); len(list) > 0 {
				styled += n
				for _, s := range list {
					styles[s] += n / float64(len(list))
				}
			}
		}
		if d.Quantity > 0 {
			price := d.Amount * 1000 / d.Quantity
			prices = append(prices, price)
			if band, ok := k.bands.of(b.Category, price); ok {
				bands[band]++
			}
		}
	}
	for _, b := range products {
		k.judge(b)
		p.Products = append(p.Products, *b)
	}
	for _, c := range categories {
		k.judge(c)
		p.Categories = append(p.Categories, *c)
	}
	byDays := func(a, b Bought) int {
		return cmp.Or(cmp.Compare(b.Days, a.Days), cmp.Compare(b.Amount, a.Amount), cmp.Compare(a.Product, b.Product), cmp.Compare(a.Category, b.Category))
	}
	slices.SortFunc(p.Products, byDays)
	slices.SortFunc(p.Categories, byDays)
	p.Brands, p.Styles = shares(brands, pieces), shares(styles, styled)
	p.Price = priceBand(prices, bands)
	p.Weekday, p.Daypart = standsOut(p.Weekdays[:]), standsOut(p.Dayparts[:])
	return p
}

func (k *knowledge) time(p *Preference, d *Deed) {
	p.Purchases++
	p.Weekdays[(int64(d.Day)%7+7+3)%7]++ // day 0 was a Thursday
	if d.At == 0 {
		return
	}
	at := time.UnixMilli(d.At).In(k.zone)
	if at.Hour() == 0 && at.Minute() == 0 && at.Second() == 0 {
		return // a date without a time
	}
	p.Dayparts[at.Hour()/6]++
}

func (b *Bought) add(d *Deed) {
	b.Quantity += d.Quantity
	b.Amount += d.Amount
	if len(b.days) == 0 || b.days[len(b.days)-1] != d.Day {
		b.days = append(b.days, d.Day)
	}
}

func splitStyles(s string) []string {
	if s = strings.Trim(s, "|"); s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

// gaps are the days between purchases.
func gaps(days []clock.Day) []int64 {
	if len(days) < 2 {
		return nil
	}
	out := make([]int64, len(days)-1)
	for i := range out {
		out[i] = int64(days[i+1] - days[i])
	}
	return out
}

// fewGaps is how many gaps a rhythm of one's own needs.
const fewGaps = 2

func (k *knowledge) judge(b *Bought) {
	b.Days, b.First, b.Last = len(b.days), b.days[0], b.days[len(b.days)-1]
	in := map[int64]bool{}
	for _, d := range b.days {
		if at := int64(k.today-d) / int64(max(k.habit.Period, 1)); at >= 0 && at < int64(k.habit.Periods) {
			in[at] = true
		}
	}
	b.In = len(in)
	switch {
	case b.Days < k.habit.Days:
		b.Standing = Occasional
	case b.In < k.habit.In:
		b.Standing = Lapsed
	default:
		b.Standing = Regular
	}
	own := gaps(b.days)
	if !k.known || len(own) < fewGaps {
		return
	}
	e := k.rhythm.Next(own, float64(k.today-b.Last))
	if e.Broken {
		return
	}
	b.Due = &Due{On: b.Last + clock.Day(math.Round(e.Days)), From: b.Last + clock.Day(math.Floor(e.Low)), To: b.Last + clock.Day(math.Ceil(e.High)), Usual: b.Last + clock.Day(math.Round(e.Usual)), Gaps: len(own)}
}

func shares(sums map[string]float64, of float64) []Share {
	var out []Share
	for key, n := range sums {
		if of > 0 {
			out = append(out, Share{Key: key, Share: n / of, N: int(math.Round(n))})
		}
	}
	slices.SortFunc(out, func(a, b Share) int { return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Key, b.Key)) })
	return out
}

func priceBand(prices []int64, bands map[Band]int) *PriceBand {
	if len(prices) == 0 {
		return nil
	}
	slices.Sort(prices)
	at := func(q, of int) int64 { return prices[(len(prices)-1)*q/of] }
	p := &PriceBand{Low: at(1, 4), Median: at(1, 2), High: at(3, 4), Pieces: len(prices)}
	best := 0
	for _, b := range []Band{Middle, Economy, Premium} { // ties go to the middle
		if bands[b] > best {
			best, p.Band = bands[b], b
		}
	}
	return p
}

// standsOut is the greatest of some counts if its share is certainly more than an even one, else -1.
func standsOut(counts []int) int {
	total, best := 0, 0
	for i, n := range counts {
		total += n
		if n > counts[best] {
			best = i
		}
	}
	if low, _ := stat.Wilson(counts[best], total); total < 3 || low <= 1/float64(len(counts)) {
		return -1
	}
	return best
}

// Next is the first product that is due, nil when none is.
func (p *Preference) Next() *Bought {
	var out *Bought
	for i := range p.Products {
		if b := &p.Products[i]; b.Due != nil && (out == nil || b.Due.On < out.Due.On) {
			out = b
		}
	}
	return out
}

// count is how many products have a standing, and how many of the pieces that customers buy they are.
func (p *Preference) count(s Standing) (n int, pieces int64) {
	for i := range p.Products {
		if p.Products[i].Standing == s {
			n++
			pieces += p.Products[i].Quantity
		}
	}
	return n, pieces
}
