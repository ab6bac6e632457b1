// Package demo makes up a lifelike Chinese fashion retailer: stores, sales channels, a catalogue of some 450 styles,
// and any number of customers with their purchases and refunds.
//
// It is pure: the same Options give the same company on every machine, nothing is read or stored, and customer i is a
// function of (Options, i) alone, so customers can be made in any order and in parallel. It is made for demonstrations,
// for benchmarks, and for tests of the models, which is why the process behind every customer is known (Truth) and
// follows the literature:
//
//   - Purchases are BG/NBD (Fader, Hardie & Lee 2005): the rate is gamma-distributed over customers, and after every
//     repeat purchase a customer leaves with a probability that is beta-distributed. The clock of that process runs
//     faster on busy days (双11, 618, before 春节, weekends, change of season) and averages one over the history.
//   - The value of an order is gamma-distributed around a level of the customer's own, which is inverse-gamma
//     distributed and independent of the rate (Gamma-Gamma, Fader & Hardie 2013). Real baskets of real prices come
//     close to the drawn value, not to the fen. Companies and public bodies buy in bulk and stand outside this law.
//
// Names, numbers and addresses are invented; phone numbers are unique and lie in assigned prefixes, so nothing may ever
// be sent to them. What they did in the last half year before and beside their purchases (visits to the shop on the web and in WeChat, in stores, what they
// liked and shared) is behaviour: Life. It does not make anonymous orders, cancelled orders, tickets or surveys.
package demo

import (
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
)

// Options say how large a company to make. Zero values take the defaults named.
type Options struct {
	Customers         int       // 20,000
	Seed              uint64    // 0 is a seed like any other
	Until             time.Time // the last day of the history, whole, in Zone; 2026-10-31
	Days              int       // length of the history, at least 60; 730
	Industry          string    // "fashion", the only one
	OrdersPerCustomer float64   // mean over all customers, those without an order included, 1 to 20; 5
	// Events is about how many events of behaviour there are: fifteen a customer and 300,000 at most for 0, none when negative.
	Events int
}

// Zone is the time zone that the company lives in.
var Zone = time.FixedZone("Asia/Shanghai", 8*3600)

// Kind of customer, as records store it.
type Kind string

// The kinds: 96.7 % persons, 3 % companies, 0.3 % public bodies.
const (
	Person     Kind = "person"
	Company    Kind = "company"
	Government Kind = "government"
)

// Gender of a person or a contact.
type Gender string

// The genders; empty for organisations.
const (
	Female Gender = "female"
	Male   Gender = "male"
)

// Channel is a way of selling. Store is the only one that is not online.
type Channel struct {
	Key    string // "tmall", "jd", "douyin", "wechat_mini", "website", "store"
	Name   lang.Label
	Online bool
}

// Store is a shop in a street.
type Store struct {
	Code     string // "S001"
	Name     lang.Label
	Region   string // county code
	OpenedOn clock.Day
	Area     int // m²
}

// Category is a kind of product.
type Category struct {
	Key  string
	Name lang.Label
}

// Brand is one of the company's labels.
type Brand struct {
	Key  string
	Name lang.Label
}

// Product is a style. Prices are in fen.
type Product struct {
	Style          string // "SN25DR017"
	Name           lang.Label
	Brand          string // key
	Category       string // key
	Department     string // "women", "men", "kids", "unisex"
	Season         string // "spring", "summer", "autumn", "winter", "all"
	Price          int64
	Cost           int64
	LaunchedOn     clock.Day
	DiscontinuedOn clock.Day // 0 while it is sold
	Basic          bool      // bought again and again, in the same size and colour
	Variants       []Variant
}

// Variant is a style in a size and a colour: what is stocked and sold.
type Variant struct {
	SKU    string
	Size   string
	Colour lang.Label
}

// Contact is a person who buys for an organisation.
type Contact struct {
	Name   string
	Gender Gender
	Title  string
	Phone  string
	Email  string
}

// Customer is everything that the company knows about one customer. Fields that are not known are zero.
type Customer struct {
	Index      int
	Kind       Kind
	Name       string
	Gender     Gender
	Phone      string // eleven digits, unique among customers and contacts
	Email      string // unique
	Region     string // code of a county, or of a city that has none
	Street     string
	Birthday   lunar.Birthday // Calendar is empty when not known
	Source     string         // channel of the first touch
	HomeStore  string         // code of the store nearby
	CreatedAt  time.Time      // in Zone, never after the first order
	UnionID    string         // WeChat
	ExternalID string         // member card, unique
	Tags       []string
	Industry   string // of a company
	Height     int    // cm
	Size       string // of tops
	Contacts   []Contact
	Orders     []Order // by time
}

// Order is a confirmed purchase. Amounts are in fen and include tax.
type Order struct {
	Number    string // unique
	At        time.Time
	Channel   string
	Store     string // code when the channel is "store"
	Promotion string // code of the sale it fell into, or empty
	Contact   int    // index into Contacts, -1 for a person
	Lines     []Line
	Amount    int64 // sum of the lines
	Refunds   []Refund
}

// Line is a variant bought. Amount = ListPrice × Quantity − Discount.
type Line struct {
	SKU       string
	Style     string
	Quantity  int
	ListPrice int64 // of one
	Discount  int64 // on the line
	Amount    int64
	Cost      int64 // of the line
}

// Refund is a return of goods for money, at most once for a line.
type Refund struct {
	Number string // unique
	At     time.Time
	Reason string // "size", "quality", "colour", "dislike", "late"
	Lines  []RefundLine
	Amount int64
}

// RefundLine names the line of the order by its index.
type RefundLine struct {
	Line     int
	Quantity int
	Amount   int64
}

// Truth is what nobody in the company could know: the process behind a customer.
type Truth struct {
	Prospect   bool      // registered, never bought
	Lambda     float64   // purchases a week of average busyness, while alive
	Dropout    float64   // probability of leaving after each repeat purchase
	FirstOn    clock.Day // day of the first purchase; 0 for a prospect
	DeathOn    clock.Day // day of the purchase after which the customer left; 0 while alive at the end
	Purchases  int       // orders within the history
	PriceLevel int64     // mean value of an order, fen
	Archetype  string    // "trend", "classic", "value", "family", "sport", "luxury"; "bulk" for organisations
	Online     float64   // share of orders online
	Bargain    float64   // inclination to buy at a discount, 0 to 1
	Brand      string    // favourite brand
}

// Process holds the parameters of the population, in weeks and yuan, as a model fitted to persons should find them.
type Process struct {
	R, Alpha, A, B float64 // BG/NBD
	P, Q, Gamma    float64 // Gamma-Gamma
}
