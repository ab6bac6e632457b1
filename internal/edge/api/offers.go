package api

import (
	"context"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// offerRoutes are offers and their codes, and what the checkout of a shop asks.
func (a *API) offerRoutes() []route {
	r, w, u := access.OfferRead, access.OfferWrite, access.OfferUse
	return []route{
		{method: get, path: "/offers", need: right, right: r, run: op(a.listOffers), doc: "Offers, the newest first"},
		{method: post, path: "/offers", need: right, right: w, run: op(a.createOffer), doc: "Write an offer, as a draft", status: http.StatusCreated},
		{method: get, path: "/offers/{id}", need: right, right: r, run: op(a.getOffer), doc: "One offer, with what came of it"},
		{method: patch, path: "/offers/{id}", need: right, right: w, run: op(a.patchOffer), doc: "Change an offer, let it begin, or end it"},
		{method: post, path: "/offers/{id}/codes", need: right, right: w, run: op(a.issueCodes), doc: "Make codes, take in a list of one's own, or give one to each of some customers", status: http.StatusCreated, secret: true, large: true},
		{method: get, path: "/offers/{id}/codes", need: right, right: w, run: op(a.offerCodes), doc: "Codes of an offer, the newest first", secret: true},
		{method: get, path: "/offers/{id}/ledger", need: right, right: r, run: op(a.offerLedger), doc: "What happened to an offer, the newest first"},
		{method: post, path: "/coupons/{id}/revoke", need: right, right: w, run: op(a.revokeCoupon), doc: "Take a code back that is not in use", status: http.StatusNoContent},
		{method: get, path: "/customers/{id}/coupons", need: right, right: r, run: op(a.customerCoupons), doc: "Codes of a customer, the newest first"},
		{method: post, path: "/offers/quote", need: right, right: u, run: op(a.quoteOffers), doc: "What codes take off a cart, and why not; reserves nothing", status: http.StatusOK, secret: true},
		{method: post, path: "/offers/reserve", need: right, right: u, run: op(a.reserveOffers), doc: "Hold codes for a cart, all or none; the same cart again has the same answer", status: http.StatusOK, secret: true},
		{method: post, path: "/offers/redeem", need: right, right: u, run: op(a.redeemOffers), doc: "The cart became an order", status: http.StatusOK, secret: true},
		{method: post, path: "/offers/release", need: right, right: u, run: op(a.releaseOffers), doc: "The cart was given up", status: http.StatusOK, secret: true},
		{method: post, path: "/offers/refund", need: right, right: u, run: op(a.refundOffers), doc: "Goods of the order came back, some or all", status: http.StatusOK, secret: true},
	}
}

// OfferRule is what an offer gives and to whom. Empty lists and zeros bound nothing; amounts are minor units of the base currency.
type OfferRule struct {
	Kind       string   `json:"kind" enum:"percent,amount,gift,shipping,trial"`
	Percent    int      `json:"percent" doc:"1 to 100, of percent"`
	Amount     int64    `json:"amount" doc:"of amount"`
	Most       int64    `json:"most" doc:"of percent and shipping: no more than this"`
	Gift       string   `json:"gift" doc:"of gift: what is given"`
	Minimum    int64    `json:"minimum" doc:"of the goods that it holds for, before discounts"`
	Products   []string `json:"products"`
	Categories []string `json:"categories"`
	Brands     []string `json:"brands"`
	Channels   []string `json:"channels" doc:"channels and stores, as the shop names them"`
	First      bool     `json:"first" doc:"for the first order only"`
	Segments   []string `json:"segments" doc:"for whoever is in one of them"`
	From       string   `json:"from" doc:"local day"`
	To         string   `json:"to" doc:"local day, included"`
	Group      string   `json:"group" doc:"two offers of one group do not go together"`
	Order      int      `json:"order" doc:"lower ones are taken off first"`
	PerPerson  int      `json:"per_person"`
	PerDay     int      `json:"per_day" doc:"of one person"`
	Total      int64    `json:"total" doc:"uses of all"`
	Budget     int64    `json:"budget" doc:"what all uses take off together"`
	ValidDays  int      `json:"valid_days" doc:"of a code, after it was issued"`
	Hold       int      `json:"hold_minutes" doc:"how long a cart holds a code; 30 when 0"`
	Back       bool     `json:"back" doc:"the code comes back when everything was returned"`
}

func (r *OfferRule) rule() offer.Rule {
	return offer.Rule{Kind: offer.Kind(r.Kind), Percent: r.Percent, Amount: r.Amount, Most: r.Most, Gift: r.Gift, Minimum: r.Minimum, Products: r.Products, Categories: r.Categories, Brands: r.Brands,
		Channels: r.Channels, First: r.First, Segments: r.Segments, From: r.From, To: r.To, Group: r.Group, Order: r.Order, PerPerson: r.PerPerson, PerDay: r.PerDay, Total: r.Total, Budget: r.Budget,
		ValidDays: r.ValidDays, HoldMin: r.Hold, Back: r.Back}
}

func listed(v []string) []string {
	if v == nil {
		return []string{}
	}
	return v
}

func showOfferRule(r *offer.Rule) OfferRule {
	return OfferRule{Kind: string(r.Kind), Percent: r.Percent, Amount: r.Amount, Most: r.Most, Gift: r.Gift, Minimum: r.Minimum, Products: listed(r.Products), Categories: listed(r.Categories), Brands: listed(r.Brands),
		Channels: listed(r.Channels), First: r.First, Segments: listed(r.Segments), From: r.From, To: r.To, Group: r.Group, Order: r.Order, PerPerson: r.PerPerson, PerDay: r.PerDay, Total: r.Total, Budget: r.Budget,
		ValidDays: r.ValidDays, Hold: r.HoldMin, Back: r.Back}
}

// Offer is one.
type Offer struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Status    string    `json:"status" enum:"draft,active,ended"`
	Rule      OfferRule `json:"rule"`
	Version   int64     `json:"version"`
	Used      int64     `json:"used" doc:"uses that stand, reserved ones too"`
	Spent     Money     `json:"spent" doc:"what they take off, less what was returned"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (c *call) showOffer(v *offer.Offer) Offer {
	return Offer{ID: id.Format(offer.Prefix, v.ID), Name: v.Name, Status: string(v.Status), Rule: showOfferRule(&v.Rule), Version: v.Version, Used: v.Used, Spent: c.money(v.Spent), CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt}
}

// OfferList is all of them.
type OfferList struct {
	Items []Offer `json:"items"`
}

func (a *API) listOffers(ctx context.Context, c *call, _ struct{}) (OfferList, error) {
	list, err := c.ws.Offers.List(ctx)
	out := OfferList{Items: []Offer{}}
	for i := range list {
		out.Items = append(out.Items, c.showOffer(&list[i]))
	}
	return out, err
}

type createOfferIn struct {
	Body struct {
		Name string    `json:"name"`
		Rule OfferRule `json:"rule"`
	}
}

func (a *API) createOffer(ctx context.Context, c *call, in createOfferIn) (Offer, error) {
	v, err := c.ws.Offers.Create(ctx, in.Body.Name, in.Body.Rule.rule())
	if err != nil {
		return Offer{}, err
	}
	return c.showOffer(&v), nil
}

// OfferResult is an offer and what came of it. What was sold with a code might have been sold without it: nothing here says what the offer caused.
type OfferResult struct {
	Offer     Offer `json:"offer"`
	Codes     int64 `json:"codes"`
	Customers int64 `json:"customers" doc:"known ones who used it"`
	Reserved  int64 `json:"reserved"`
	Redeemed  int64 `json:"redeemed" doc:"refunded ones too"`
	Refunded  int64 `json:"refunded" doc:"wholly"`
	Released  int64 `json:"released"`
	Expired   int64 `json:"expired" doc:"reservations that ran out and were given back"`
	Goods     Money `json:"goods" doc:"sold with it, before discounts and less returns"`
	Discount  Money `json:"discount" doc:"taken off orders, less returns"`
}

func (a *API) getOffer(ctx context.Context, c *call, in idIn) (OfferResult, error) {
	key, err := offerID(in.ID)
	if err != nil {
		return OfferResult{}, err
	}
	v, err := c.ws.Offers.Get(ctx, key)
	if err != nil {
		return OfferResult{}, err
	}
	s, err := c.ws.Offers.Sums(ctx, key)
	return OfferResult{Offer: c.showOffer(&v), Codes: s.Issued, Customers: s.Customers, Reserved: s.Reserved, Redeemed: s.Redeemed, Refunded: s.Refunded, Released: s.Released, Expired: s.Expired,
		Goods: c.money(s.Goods - s.GoodsBack), Discount: c.money(s.Discount - s.Back)}, err
}

func offerID(text string) (id.ID, error) {
	v, err := id.Parse(offer.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "offer.not_found", nil)
	}
	return v, nil
}

type patchOfferIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		Name    string    `json:"name"`
		Status  string    `json:"status,omitempty" enum:"draft,active,ended"`
		Rule    OfferRule `json:"rule"`
		Version int64     `json:"version,omitempty"`
	}
}

func (a *API) patchOffer(ctx context.Context, c *call, in patchOfferIn) (Offer, error) {
	key, err := offerID(in.ID)
	if err != nil {
		return Offer{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return Offer{}, err
	}
	v, err := c.ws.Offers.Update(ctx, key, version, in.Body.Name, offer.Status(in.Body.Status), in.Body.Rule.rule())
	if err != nil {
		return Offer{}, err
	}
	return c.showOffer(&v), nil
}

// Coupon is a code.
type Coupon struct {
	ID        string     `json:"id"`
	Offer     string     `json:"offer"`
	Code      string     `json:"code"`
	Shared    bool       `json:"shared"`
	State     string     `json:"state" enum:"issued,reserved,redeemed,revoked"`
	Customer  *Ref       `json:"customer" doc:"whose it is, where the reader sees him"`
	Bound     bool       `json:"bound" doc:"it is somebody's"`
	IssuedAt  time.Time  `json:"issued_at"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// CouponList is a page of them.
type CouponList struct {
	Items []Coupon `json:"items"`
	New   int      `json:"new" doc:"of codes that were just issued: how many did not exist before"`
	Next  string   `json:"next" doc:"before of the next page, empty for the last"`
}

func (c *call) showCoupons(ctx context.Context, list []offer.Coupon) (CouponList, error) {
	var people []id.ID
	for _, v := range list {
		if v.Customer > 0 {
			people = append(people, v.Customer)
		}
	}
	seen, err := c.seenCustomers(ctx, people)
	out := CouponList{Items: []Coupon{}}
	for _, v := range list {
		x := Coupon{ID: id.Format(offer.CouponPrefix, v.ID), Offer: id.Format(offer.Prefix, v.Offer), Code: v.Code, Shared: v.Shared, State: string(v.State), Bound: v.Customer > 0, IssuedAt: v.IssuedAt, ExpiresAt: optional(v.ExpiresAt)}
		if r, ok := seen[v.Customer]; ok {
			x.Customer = &r
		}
		out.Items = append(out.Items, x)
	}
	return out, err
}

type issueCodesIn struct {
	ID   string `path:"id"`
	Body struct {
		N         int      `json:"n,omitempty" doc:"codes to make"`
		Codes     []string `json:"codes,omitempty" doc:"codes of one's own"`
		Customers []string `json:"customers,omitempty" doc:"one code for each"`
		Segment   string   `json:"segment,omitempty" doc:"one code for each member who got none for this segment before; alone, and answered without the codes"`
		Shared    bool     `json:"shared,omitempty" doc:"a code that many use"`
	}
}

func (a *API) issueCodes(ctx context.Context, c *call, in issueCodesIn) (CouponList, error) {
	key, err := offerID(in.ID)
	if err != nil {
		return CouponList{}, err
	}
	if b := &in.Body; b.Segment != "" {
		if b.N != 0 || len(b.Codes)+len(b.Customers) > 0 || b.Shared {
			return CouponList{}, fault.InvalidField("offer.bad_count", "segment", fault.Params{"max": 0})
		}
		n, err := c.ws.Offers.IssueTo(ctx, key, b.Segment)
		return CouponList{Items: []Coupon{}, New: n}, err
	}
	x := offer.Issuing{N: in.Body.N, Codes: in.Body.Codes, Shared: in.Body.Shared}
	for _, text := range in.Body.Customers {
		v, err := c.seenCustomer(ctx, text)
		if err != nil {
			return CouponList{}, err
		}
		x.Customers = append(x.Customers, v)
	}
	list, n, err := c.ws.Offers.Issue(ctx, key, x)
	if err != nil {
		return CouponList{}, err
	}
	out, err := c.showCoupons(ctx, list)
	out.New = n
	return out, err
}

type offerPageIn struct {
	ID     string `path:"id"`
	Before string `query:"before"`
	Limit  int    `query:"limit"`
}

func (in *offerPageIn) page(prefix string) (before id.ID, limit int, err error) {
	limit = limitOf(in.Limit, 100)
	if in.Before != "" {
		if before, err = id.Parse(prefix, in.Before); err != nil {
			err = fault.InvalidField("api.bad_parameter", "before", nil)
		}
	}
	return before, limit, err
}

func (a *API) offerCodes(ctx context.Context, c *call, in offerPageIn) (CouponList, error) {
	key, err := offerID(in.ID)
	if err != nil {
		return CouponList{}, err
	}
	return c.couponPage(ctx, key, 0, &in)
}

func (a *API) customerCoupons(ctx context.Context, c *call, in offerPageIn) (CouponList, error) {
	customer, err := c.seenCustomer(ctx, in.ID)
	if err != nil {
		return CouponList{}, err
	}
	return c.couponPage(ctx, 0, customer, &in)
}

func (c *call) couponPage(ctx context.Context, of, customer id.ID, in *offerPageIn) (CouponList, error) {
	before, limit, err := in.page(offer.CouponPrefix)
	if err != nil {
		return CouponList{}, err
	}
	list, err := c.ws.Offers.Coupons(ctx, of, customer, before, limit)
	if err != nil {
		return CouponList{}, err
	}
	out, err := c.showCoupons(ctx, list)
	if len(list) == limit {
		out.Next = out.Items[limit-1].ID
	}
	return out, err
}

func (a *API) revokeCoupon(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := id.Parse(offer.CouponPrefix, in.ID)
	if err != nil {
		return empty{}, fault.New(fault.NotFound, "offer.not_found", nil)
	}
	return empty{}, c.ws.Offers.Revoke(ctx, key)
}

// OfferEntry is a line of the ledger.
type OfferEntry struct {
	ID     string    `json:"id"`
	Use    string    `json:"use"`
	Kind   string    `json:"kind" enum:"reserve,redeem,release,expire,refund"`
	Ref    string    `json:"ref" doc:"of redeem the order, of refund the return"`
	Amount Money     `json:"amount" doc:"the amounts of an offer sum to what it spent"`
	At     time.Time `json:"at"`
}

// OfferLedger is a page of lines.
type OfferLedger struct {
	Items []OfferEntry `json:"items"`
	Next  string       `json:"next" doc:"before of the next page, empty for the last"`
}

const offerEntryPrefix = "ofe"

func (a *API) offerLedger(ctx context.Context, c *call, in offerPageIn) (OfferLedger, error) {
	out := OfferLedger{Items: []OfferEntry{}}
	key, err := offerID(in.ID)
	if err != nil {
		return out, err
	}
	before, limit, err := in.page(offerEntryPrefix)
	if err != nil {
		return out, err
	}
	list, err := c.ws.Offers.Ledger(ctx, key, before, limit)
	for _, e := range list {
		out.Items = append(out.Items, OfferEntry{ID: id.Format(offerEntryPrefix, e.ID), Use: id.Format(offer.UsePrefix, e.Use), Kind: e.Kind, Ref: e.Ref, Amount: c.money(e.Amount), At: e.At})
	}
	if len(list) == limit {
		out.Next = out.Items[limit-1].ID
	}
	return out, err
}
