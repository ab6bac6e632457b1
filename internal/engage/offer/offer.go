// Package offer is what a company takes off a price, and for whom: offers with a rule, codes that are brought to a checkout, and a ledger of what
// became of them.
//
// Guarantees: a single code is used once at a time, however many tills try it at once; what the uses of an offer that stand took off never goes over its
// budget, nor their number over its total, by a unit; the entries of the ledger sum to what was spent; a key of a cart brought again has the same
// answer. A use is reserved for a cart for a while, and then redeemed, let go, or run out: what ran out is given back by the next who
// asks for the offer, so no worker has to be alive for it. Amounts are minor units of the base currency, goods before any discount; shares of lines
// sum to the discount. Taxes are not touched.
package offer

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Prefixes of printed ids.
const (
	Prefix       = "ofr"
	CouponPrefix = "cpn"
	UsePrefix    = "use"
)

// Kind is what an offer gives.
type Kind string

// The kinds.
const (
	Percent  Kind = "percent"
	Amount   Kind = "amount"
	Gift     Kind = "gift"
	Shipping Kind = "shipping"
	Trial    Kind = "trial" // one piece of the goods, the cheapest in the cart, at the price Amount
)

// Status of an offer.
type Status string

// The statuses.
const (
	Draft  Status = "draft"
	Active Status = "active"
	Ended  Status = "ended"
)

// Rule is what an offer gives and to whom. Empty lists and zeros bound nothing.
type Rule struct {
	Kind       Kind     `json:"kind"`
	Percent    int      `json:"percent,omitempty"`
	Amount     int64    `json:"amount,omitempty"`
	Most       int64    `json:"most,omitempty"` // of percent and shipping: no more than this
	Gift       string   `json:"gift,omitempty"`
	Minimum    int64    `json:"minimum,omitempty"` // of the goods it holds for
	Products   []string `json:"products,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Brands     []string `json:"brands,omitempty"`
	Channels   []string `json:"channels,omitempty"` // keys of channels and stores as the shop names them
	First      bool     `json:"first,omitempty"`    // first order only
	Segments   []string `json:"segments,omitempty"` // whoever is in one of them
	From       string   `json:"from,omitempty"`     // local days, both included
	To         string   `json:"to,omitempty"`
	Group      string   `json:"group,omitempty"` // two of one group do not go together; empty: with every other
	Order      int      `json:"order,omitempty"` // lower ones are taken off first
	PerPerson  int      `json:"per_person,omitempty"`
	PerDay     int      `json:"per_day,omitempty"` // of one person
	Total      int64    `json:"total,omitempty"`
	Budget     int64    `json:"budget,omitempty"`
	ValidDays  int      `json:"valid_days,omitempty"` // of a code after it was issued
	HoldMin    int      `json:"hold_minutes,omitempty"`
	Back       bool     `json:"back,omitempty"` // the code comes back when everything was returned
}

// Offer is one.
type Offer struct {
	ID                   id.ID
	Name                 string
	Status               Status
	Rule                 Rule
	Version              int64
	Used, Spent          int64
	CreatedBy, UpdatedBy id.ID
	CreatedAt, UpdatedAt time.Time
}

// State of a code.
type State string

// The states of codes.
const (
	Issued   State = "issued"
	Reserved State = "reserved"
	Redeemed State = "redeemed"
	Revoked  State = "revoked"
)

// Coupon is a code. A shared one stays issued.
type Coupon struct {
	ID, Offer, Customer id.ID
	Code                string
	Shared              bool
	State               State
	IssuedAt, ExpiresAt time.Time
	For                 string // what it was given for, once; empty for nothing in particular
}

// UseState is what became of a use.
type UseState string

// The states of uses.
const (
	Held     UseState = "reserved"
	Taken    UseState = "redeemed"
	Released UseState = "released"
	RanOut   UseState = "expired"
	Refunded UseState = "refunded"
)

// Use is a code in a cart.
type Use struct {
	ID, Offer, Coupon, Customer id.ID
	Code                        string
	Cart, Digest, Order         string
	Day                         clock.Day
	State                       UseState
	Stands                      bool
	Discount, Base              int64
	GoodsBack, DiscountBack     int64
	Lines                       []int64
	ReservedAt, Until, EndedAt  time.Time
}

// Entry is a line of the ledger.
type Entry struct {
	ID, Offer, Use, By id.ID
	Kind, Ref          string
	Goods, Amount      int64
	At                 time.Time
}

// Sums is what became of the codes of an offer.
type Sums struct {
	Issued, Shared, Customers        int64
	Reserved, Redeemed, Refunded     int64
	Released, Expired                int64
	Goods, Discount, GoodsBack, Back int64 // of uses that were redeemed
}

// Hold is a reservation that is wanted. Version is that of the offer that was looked at.
type Hold struct {
	Same    []id.ID // the customer, and those that became one with him
	Use     Use
	Version int64
	Rule    Rule
	Shared  bool
}

// Stamp is who writes, when, and where ids of entries come from.
type Stamp struct {
	By  id.ID
	IDs func() id.ID
	At  time.Time
}

// Return is goods of an order that came back: Goods their prices before discounts, or All that are left. Back tells by offer whether the code comes back
// with the last of them.
type Return struct {
	Ref   string
	Goods int64
	All   bool
	Back  func(offer id.ID) bool
}

// Store keeps offers. The writes are one transaction each.
type Store interface {
	Offers(ctx context.Context) ([]Offer, error)
	// Offer is one; NotFound offer.not_found.
	Offer(ctx context.Context, key id.ID) (Offer, error)
	Insert(ctx context.Context, v Offer) error
	// Update writes over the version before; Stale offer.stale.
	Update(ctx context.Context, v Offer) error
	// Issue adds codes and says how many are new; codes that exist stay as they are.
	Issue(ctx context.Context, list []Coupon) (int, error)
	// Give adds codes that are for something; where something has a code already, that one is answered. The answer is in the order of the list.
	Give(ctx context.Context, offer id.ID, list []Coupon) (all []Coupon, fresh int, err error)
	// SharedCode is the newest code of an offer that many may use at an instant.
	SharedCode(ctx context.Context, offer id.ID, at time.Time) (Coupon, bool, error)
	Coupon(ctx context.Context, code string) (Coupon, bool, error)
	// Coupons are those of an offer or of a customer, the newest first, before a key.
	Coupons(ctx context.Context, offer id.ID, customers []id.ID, before id.ID, limit int) ([]Coupon, error)
	// Revoke takes a code back that is not in use; Conflict offer.coupon_used.
	Revoke(ctx context.Context, coupon id.ID) error
	// Counted is how many uses of somebody stand, ever and on a day.
	Counted(ctx context.Context, offer id.ID, customers []id.ID, day clock.Day) (all, today int, err error)
	// Hold reserves all or nothing. Faults: Stale offer.stale, Conflict offer.used_up, offer.coupon_used, offer.person_limit, offer.day_limit.
	// A cart that has uses gets those.
	Hold(ctx context.Context, list []Hold, by Stamp) ([]Use, error)
	// Lapse gives back what an offer holds for too long.
	Lapse(ctx context.Context, offer id.ID, by Stamp) error
	Uses(ctx context.Context, cart string) ([]Use, error)
	// Redeem makes reserved uses of a cart redeemed for an order. Faults: NotFound offer.no_cart, Conflict offer.not_reserved, offer.other_order.
	Redeem(ctx context.Context, cart, order string, by Stamp) ([]Use, error)
	// Release lets reserved uses go.
	Release(ctx context.Context, cart string, by Stamp) ([]Use, error)
	// Refund says that goods of an order came back: a Ref counts once.
	Refund(ctx context.Context, cart string, r Return, by Stamp) ([]Use, error)
	Ledger(ctx context.Context, offer, before id.ID, limit int) ([]Entry, error)
	Sums(ctx context.Context, offer id.ID) (Sums, error)
}

// People knows customers.
type People interface {
	// InSegment tells whether somebody is in one of some segments.
	InSegment(ctx context.Context, customer id.ID, segments []string) (bool, error)
	// HasBought tells whether somebody has a purchase.
	HasBought(ctx context.Context, customer id.ID) (bool, error)
	// Merged are the customers that became one with somebody.
	Merged(ctx context.Context, customer id.ID) ([]id.ID, error)
	// Members are those of a segment whom the actor sees, at most as many as asked; whole is false where there are more.
	Members(ctx context.Context, segment string, most int) (list []id.ID, whole bool, err error)
}
