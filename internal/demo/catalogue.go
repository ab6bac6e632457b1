package demo

import (
	"math"
	"sort"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// departments index the pools of products: what is looked at when buying for a woman, a man or a child.
const (
	forWomen = iota
	forMen
	forKids
	departments
)

// catalogue is the assortment with the ways to look into it.
type catalogue struct {
	products  []Product
	kinds     []int // category of each product
	makers    []int // brand of each product
	sizes     []int // how many sizes each product has: its variants are colours × sizes
	shelves   map[shelf][]int
	byKey     map[string]int // category
	byStyle   map[string]int // product
	brands    []house
	bulkBrand int
	pairs     [][]int // categories bought together
	loves     [bulk + 1][]bool
}

// shelf is a set of products ordered by price: of a season and department, and of a category or of all (-1).
type shelf struct{ season, department, category int }

func newCatalogue(seed uint64, a *almanac) *catalogue {
	c := &catalogue{shelves: map[shelf][]int{}, byKey: map[string]int{}, byStyle: map[string]int{}, brands: houses, bulkBrand: 3}
	for i, k := range fashion {
		c.byKey[k.key] = i
	}
	r := newRandom(seed, streamCatalogue, 0)
	maker := newWeights(len(houses), func(i int) float64 { return houses[i].share })
	for i, k := range fashion {
		for n := range k.styles {
			c.add(r, a, i, n+1, maker)
		}
		pair := make([]int, 0, len(k.with))
		for _, key := range k.with {
			pair = append(pair, c.byKey[key])
		}
		c.pairs = append(c.pairs, pair)
	}
	for i, t := range archetypes {
		c.loves[i] = make([]bool, len(fashion))
		for _, key := range t.loves {
			c.loves[i][c.byKey[key]] = true
		}
	}
	c.arrange()
	return c
}

// add makes one style of a category.
func (c *catalogue) add(r *random, a *almanac, kind, serial int, maker weights) {
	k := fashion[kind]
	brand := maker.draw(r)
	department := "unisex"
	switch u := r.Float64(); {
	case k.women+k.men == 0:
		brand, department = len(houses)-1, "kids"
	case u < k.women:
		department = "women"
	case u < k.women+k.men:
		department = "men"
	}
	season := "all"
	if len(k.seasons) > 0 {
		season = seasonNames[k.seasons[serial%len(k.seasons)]]
	}
	yuan := k.price * houses[brand].level * math.Exp(0.38*r.NormFloat64())
	price := priceTag(yuan)
	p := Product{
		Brand: houses[brand].brand.Key, Category: k.key, Department: department, Season: season, Price: price,
		Cost: int64(float64(price) * (0.28 + 0.17*r.Float64())), Basic: k.basic,
	}
	p.LaunchedOn, p.DiscontinuedOn = c.shelfLife(r, a, &p)
	year := p.LaunchedOn.Time().Year() % 100
	p.Style = houses[brand].code + strconv.Itoa(year) + k.code + pad(serial, 3)
	list := details
	switch {
	case len(k.sizes) == 0 || k.sizes[0] == shoeSizes[0]:
		list = smallDetails
	case season == "autumn" || season == "winter":
		list = warmDetails
	case season != "all":
		list = lightDetails
	}
	manner, detail := pick(r, manners), pick(r, list)
	name := houses[brand].brand.Name
	p.Name = label(name["zh-CN"]+" "+manner.zh+detail.zh+k.zh, name["en"]+" "+manner.en+" "+detail.en+" "+k.en)
	c.sizes = append(c.sizes, variants(r, &p, k))
	c.byStyle[p.Style] = len(c.products)
	c.products = append(c.products, p)
	c.kinds = append(c.kinds, kind)
	c.makers = append(c.makers, brand)
}

// shelfLife launches three styles of five before the history and the others at the beginning of one of their seasons;
// one style of six is discontinued some time later. Basics stay.
func (c *catalogue) shelfLife(r *random, a *almanac, p *Product) (from, until clock.Day) {
	days := len(a.busy)
	from = a.first - clock.Day(r.between(30, 400)) //nolint:gosec // small
	if r.chance(0.4) {
		from = a.day(r.IntN(days * 3 / 4))
		for p.Season != "all" && seasonNames[seasonOf(from+30)] != p.Season && from > a.first {
			from -= 7
		}
	}
	if !p.Basic && r.chance(1.0/6) {
		until = max(from, a.first) + clock.Day(r.between(200, 600)) //nolint:gosec // small
		if until > a.day(days-1) {
			until = 0
		}
	}
	return from, until
}

// variants makes every size in some colours and returns the number of sizes.
func variants(r *random, p *Product, k category) int {
	sizes := k.sizes
	switch {
	case len(sizes) == 0:
		sizes = []string{"F"}
	case sizes[0] == shoeSizes[0] && p.Department == "women":
		sizes = sizes[:6]
	case sizes[0] == shoeSizes[0] && p.Department == "men":
		sizes = sizes[4:]
	case sizes[0] == letterSizes[0] && p.Department == "men":
		sizes = sizes[1:]
	}
	first := r.IntN(len(colours))
	for n := range r.between(2, 4) {
		col := colours[(first+n*5)%len(colours)] // 5 and 14 share no factor: no colour twice
		for _, s := range sizes {
			p.Variants = append(p.Variants, Variant{SKU: p.Style + "-" + col.code + "-" + s, Size: s, Colour: col.name})
		}
	}
	return len(sizes)
}

// priceTag rounds to what stands on labels: 49, 129, 599, 1,299 yuan. The result is in fen.
func priceTag(yuan float64) int64 {
	switch {
	case yuan < 200:
		yuan = math.Round(yuan/10)*10 - 1
	case yuan < 1000:
		yuan = math.Round(yuan/20)*20 - 1
	default:
		yuan = math.Round(yuan/100)*100 - 1
	}
	return int64(max(yuan, 19)) * 100
}

// arrange fills the shelves. What is sold in a season is its own, that for all the year, and a third of what is left of
// the season before.
func (c *catalogue) arrange() {
	for i, p := range c.products {
		for season := range seasonNames {
			before := seasonNames[(season+3)%4]
			if p.Season != "all" && p.Season != seasonNames[season] && (p.Season != before || i%3 != 0) {
				continue
			}
			for d := range departments {
				if !suits(p.Department, d) {
					continue
				}
				for _, key := range [...]shelf{{season, d, -1}, {season, d, c.kinds[i]}} {
					c.shelves[key] = append(c.shelves[key], i)
				}
			}
		}
	}
	for _, s := range c.shelves {
		sort.SliceStable(s, func(i, j int) bool { return c.products[s[i]].Price < c.products[s[j]].Price })
	}
}

func suits(department string, d int) bool {
	switch department {
	case "women":
		return d == forWomen
	case "men":
		return d == forMen
	case "kids":
		return d == forKids
	}
	return d != forKids
}

// choose takes a product sold on a day that costs about what is wanted, more often one that suits the taste; -1 when the
// shelf is empty.
func (c *catalogue) choose(r *random, s shelf, day clock.Day, price int64, l *latent) int {
	list := c.shelves[s]
	if len(list) == 0 {
		return -1
	}
	mid := sort.Search(len(list), func(i int) bool { return c.products[list[i]].Price >= price })
	reach := max(len(list)/14, 2)
	best := -1
	for range 6 {
		at := mid + r.IntN(2*reach+1) - reach
		id := list[min(max(at, 0), len(list)-1)]
		p := &c.products[id]
		if p.LaunchedOn > day || (p.DiscontinuedOn != 0 && p.DiscontinuedOn < day) {
			continue
		}
		best = id
		like := 0.22
		if c.makers[id] == l.brand {
			like += 0.55
		}
		if c.loves[l.archetype][c.kinds[id]] {
			like += 0.3
		}
		if r.chance(like) {
			break
		}
	}
	return best
}

// favourite is the brand that a shopper likes best.
func (c *catalogue) favourite(r *random, archetype int, rich float64) int {
	return newWeights(len(c.brands), func(i int) float64 {
		return c.brands[i].fans[archetype] * math.Pow(rich, c.brands[i].wealth)
	}).draw(r)
}

// pad writes a number with leading zeros.
func pad(n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < width {
		s = "0" + s
	}
	return s
}
