package demo

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
	"github.com/guanxi-crm/guanxi/internal/base/region"
)

// mobilePrefixes are assigned to the public by the four operators.
var mobilePrefixes = strings.Fields(`134 135 136 137 138 139 147 150 151 152 157 158 159 178 182 183 184 187 188 195 198
	130 131 132 145 155 156 166 175 176 185 186 196 133 153 173 177 180 181 189 190 191 193 199 192`)

// contactsMost is how many people a customer can have: itself and three contacts.
const contactsMost = 4

// Customer makes customer i, from 0, with everything that belongs to it. Any i may be asked, also beyond
// Options.Customers.
func (g *Generator) Customer(i int) Customer {
	l := g.latent(i)
	r := newRandom(g.options.Seed, streamProfile, uint64(i)) //nolint:gosec // not negative
	c := Customer{Index: i, Kind: l.kind, Phone: g.phone(i, 0)}
	p := &g.places[l.region]
	c.Region = pick(r, p.codes)
	if len(p.stores) > 0 {
		c.HomeStore = g.stores[p.stores[r.IntN(len(p.stores))]].Code
	}
	c.ExternalID = "GX" + strconv.Itoa(100_000_000+i)
	if l.kind == Person {
		g.fillPerson(r, &c, &l)
	} else {
		g.fillOrganisation(r, &c, p)
	}
	g.addOrders(&c, &l, p)
	g.register(r, &c, &l)
	return c
}

// register dates the record: at the first purchase or minutes before it, for prospects any time of their day.
func (g *Generator) register(r *random, c *Customer, l *latent) {
	if len(c.Orders) == 0 {
		c.Source = g.channel(r, l)
		c.CreatedAt = g.moment(r, l.joined, c.Source != "store")
		c.Tags = append(c.Tags, "潜客")
		return
	}
	first := &c.Orders[0]
	c.Source = first.Channel
	c.CreatedAt = first.At.Add(-time.Duration(r.IntN(900)) * time.Second)
	if start := g.almanac.day(l.joined).Start(Zone); c.CreatedAt.Before(start) {
		c.CreatedAt = start
	}
}

func (g *Generator) fillPerson(r *random, c *Customer, l *latent) {
	c.Gender = Female
	female := 0.68
	if l.archetype == 4 { // sport
		female = 0.42
	}
	if !r.chance(female) {
		c.Gender = Male
	}
	var spelled string
	c.Name, spelled = g.names.person(r, c.Gender)
	c.Street = g.names.street(r, false)
	born := g.birthday(r, c)
	if r.chance(0.6) {
		c.Email = g.email(r, c.Index, 0, spelled, born)
	}
	if r.chance(0.5) {
		c.UnionID = unionID(r)
	}
	mean, sd := 161.5, 5.6
	if c.Gender == Male {
		mean, sd = 173.2, 6.0
	}
	height := int(math.Round(mean + sd*r.NormFloat64()))
	c.Size = letterSizes[topSize(height, c.Gender)]
	if r.chance(0.45) {
		c.Height = height
	}
	tags := [...]string{"直播粉丝", "企微好友", "老带新", "到店试穿", "朋友圈互动", "社群成员"}
	for range r.IntN(3) {
		if t := pick(r, tags[:]); len(c.Tags) == 0 || c.Tags[0] != t {
			c.Tags = append(c.Tags, t)
		}
	}
}

// birthday fills the day in one of the calendars for seven customers of eight, and returns the year of birth, which
// exists for all.
func (g *Generator) birthday(r *random, c *Customer) int {
	today := g.LastDay().Time().Year()
	age := int(math.Round(32 + 9.5*r.NormFloat64()))
	if r.chance(0.12) {
		age = r.between(45, 74)
	}
	year := today - min(max(age, 16), 80)
	d := clock.NewDay(year, time.January, 1) + clock.Day(r.IntN(365)) //nolint:gosec // small
	u := r.Float64()
	switch {
	case u < 0.125:
	case u < 0.25:
		if b, err := lunar.FromSolar(d); err == nil {
			c.Birthday = lunar.Birthday{Calendar: lunar.Lunar, Year: b.Year, Month: b.Month, Day: b.Day, Leap: b.Leap}
		}
	default:
		t := d.Time()
		c.Birthday = lunar.Birthday{Calendar: lunar.Solar, Year: year, Month: int(t.Month()), Day: t.Day()}
		if u > 0.93 {
			c.Birthday.Year = 0 // told the day and not the year
		}
	}
	return year
}

func (g *Generator) fillOrganisation(r *random, c *Customer, p *place) {
	city, _ := region.Get(p.city)
	if c.Kind == Government {
		county, _ := region.Get(c.Region)
		name := county.Name
		if strings.HasSuffix(name, "区") {
			name = city.Name + name
		}
		c.Name = g.names.authority(r, name)
		c.Tags = append(c.Tags, "政府采购")
	} else {
		c.Name, c.Industry = g.names.company(r, townName(city, c.Region))
		c.Tags = append(c.Tags, "团购")
	}
	c.Street = g.names.street(r, true)
	for n := range r.between(1, contactsMost-1) {
		contact := Contact{Gender: Female, Phone: g.phone(c.Index, n+1)}
		if r.chance(0.5) {
			contact.Gender = Male
		}
		var spelled string
		contact.Name, spelled = g.names.person(r, contact.Gender)
		contact.Title = pick(r, []string{"行政经理", "采购经理", "人事经理", "办公室主任", "总经理助理", "采购专员"})
		if r.chance(0.8) {
			contact.Email = g.email(r, c.Index, n+1, spelled, 0)
		}
		c.Contacts = append(c.Contacts, contact)
	}
	c.Email = c.Contacts[0].Email
}

// townName is the short name that companies put in front of theirs; in prefectures that of the county.
func townName(city region.Region, code string) string {
	switch {
	case city.Code == "500200":
		return "重庆"
	case !strings.HasSuffix(city.Name, "市"):
		if county, ok := region.Get(code); ok {
			return strings.TrimRight(county.Name, "市县区旗")
		}
	}
	return strings.TrimSuffix(city.Name, "市")
}

// phone maps customer and contact one to one onto numbers.
func (g *Generator) phone(i, contact int) string {
	const tail = 100_000_000
	size := uint64(len(mobilePrefixes)) * tail
	// The step is prime and larger than the size's prime factors, so no two indexes meet.
	n := spread(uint64(i*contactsMost+contact), size, 2_654_435_761, mix(g.options.Seed)%size) //nolint:gosec // not negative
	return mobilePrefixes[n/tail] + pad(int(n%tail), 8)                                        //nolint:gosec // below 10^8
}

// email is unique through the number that it ends in.
func (g *Generator) email(r *random, i, contact int, spelled string, born int) string {
	const size = 1_000_000_000
	n := spread(uint64(i*contactsMost+contact), size, 387_420_489, mix(g.options.Seed+1)%size) //nolint:gosec // not negative
	switch u := r.Float64(); {
	case u < 0.46:
		return strconv.FormatUint(size+n, 10) + "@qq.com"
	case u < 0.68:
		return spelled + strconv.FormatUint(n, 36) + "@163.com"
	case u < 0.78:
		return spelled + "_" + strconv.FormatUint(n, 36) + "@126.com"
	case u < 0.86 && born > 0:
		return spelled + strconv.Itoa(born) + "." + strconv.FormatUint(n, 36) + "@outlook.com"
	case u < 0.93:
		return spelled + strconv.FormatUint(n, 36) + "@sina.com"
	default:
		return spelled + "." + strconv.FormatUint(n, 36) + "@gmail.com"
	}
}

func unionID(r *random) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b [28]byte
	b[0] = 'o'
	var bits uint64
	for i := 1; i < len(b); i++ {
		if i%9 == 1 {
			bits = r.Uint64()
		}
		b[i] = letters[bits&63]
		bits >>= 6
	}
	return string(b[:])
}

// topSize is the index of the letter size that fits a height.
func topSize(height int, gender Gender) int {
	lower := 152 // up to which XS fits
	if gender == Male {
		lower = 160
	}
	return min(max((height-lower+5)/6, 0), len(letterSizes)-1)
}
