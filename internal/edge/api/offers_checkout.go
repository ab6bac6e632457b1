package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// CartLine is a line of a cart.
type CartLine struct {
	Product  string `json:"product,omitempty"`
	Category string `json:"category,omitempty"`
	Brand    string `json:"brand,omitempty"`
	Amount   int64  `json:"amount" doc:"of the whole line before discounts, minor units of the base currency"`
	Quantity int64  `json:"quantity,omitempty" doc:"pieces in the line; 1 when left out"`
}

type checkoutBody struct {
	Cart     string     `json:"cart,omitempty" doc:"key of the cart, the shop's own; not needed to quote"`
	Customer string     `json:"customer,omitempty" doc:"id of the customer, where he is known"`
	Codes    []string   `json:"codes"`
	Lines    []CartLine `json:"lines"`
	Shipping int64      `json:"shipping,omitempty" doc:"minor units"`
	Channel  string     `json:"channel,omitempty" doc:"channel or store"`
	Address  string     `json:"address,omitempty" doc:"network address of the buyer; only counts wrong codes"`
}

type checkoutIn struct{ Body checkoutBody }

// ask reads a cart. A till knows its customers: an id is taken at its word, also where the key of the till reads no customers.
func (c *call) ask(b *checkoutBody) (offer.Ask, error) {
	out := offer.Ask{Codes: b.Codes, Address: b.Address, Cart: offer.Cart{Channel: b.Channel, Shipping: b.Shipping}}
	for _, l := range b.Lines {
		out.Cart.Lines = append(out.Cart.Lines, offer.Line{Product: l.Product, Category: l.Category, Brand: l.Brand, Amount: l.Amount, Quantity: l.Quantity})
	}
	if b.Customer != "" {
		obj, err := c.object(query.Customer)
		if err != nil {
			return out, err
		}
		if out.Customer, err = id.Parse(obj.Prefix, b.Customer); err != nil {
			return out, fault.InvalidField("api.bad_parameter", "customer", nil)
		}
	}
	return out, nil
}

// OfferQuote is what a code takes off.
type OfferQuote struct {
	Code     string  `json:"code"`
	OK       bool    `json:"ok"`
	Reason   string  `json:"reason" doc:"code of the refusal"`
	Message  string  `json:"message" doc:"the refusal in words"`
	Name     string  `json:"name" doc:"of the offer, when it holds"`
	Discount int64   `json:"discount" doc:"minor units"`
	Lines    []int64 `json:"lines" doc:"its shares of the lines of the cart"`
	Shipping int64   `json:"shipping" doc:"its part of the shipping"`
	Gift     string  `json:"gift"`
}

// OfferQuotes is what codes take off, in the order they are taken off.
type OfferQuotes struct {
	Items    []OfferQuote `json:"items"`
	Discount int64        `json:"discount" doc:"of all that hold together"`
}

func (a *API) quoteOffers(ctx context.Context, c *call, in checkoutIn) (OfferQuotes, error) {
	out := OfferQuotes{Items: []OfferQuote{}}
	ask, err := c.ask(&in.Body)
	if err != nil {
		return out, err
	}
	list, err := c.ws.Offers.Quote(ctx, ask)
	for _, x := range list {
		q := OfferQuote{Code: x.Code, Lines: []int64{}}
		if x.Refused != nil {
			q.Reason, q.Message = x.Refused.Code, c.words.Text(localeOf(c.locale), x.Refused.Code, x.Refused.Params)
		} else {
			q.OK, q.Name, q.Discount, q.Lines, q.Shipping, q.Gift = true, x.Name, x.Cut.Total, x.Cut.Lines, x.Cut.Shipping, x.Cut.Gift
			out.Discount += x.Cut.Total
		}
		out.Items = append(out.Items, q)
	}
	return out, err
}

// OfferUse is a code in a cart.
type OfferUse struct {
	ID       string    `json:"id"`
	Offer    string    `json:"offer"`
	Code     string    `json:"code"`
	State    string    `json:"state" enum:"reserved,redeemed,released,expired,refunded"`
	Discount int64     `json:"discount" doc:"minor units"`
	Returned int64     `json:"returned" doc:"of the discount, with goods that came back"`
	Lines    []int64   `json:"lines"`
	Order    string    `json:"order"`
	Until    time.Time `json:"until" doc:"when the reservation runs out"`
}

// OfferUses is what a cart holds.
type OfferUses struct {
	Items []OfferUse `json:"items"`
}

func showOfferUses(list []offer.Use, err error) (OfferUses, error) {
	out := OfferUses{Items: []OfferUse{}}
	for _, u := range list {
		out.Items = append(out.Items, OfferUse{ID: id.Format(offer.UsePrefix, u.ID), Offer: id.Format(offer.Prefix, u.Offer), Code: u.Code, State: string(u.State), Discount: u.Discount, Returned: u.DiscountBack,
			Lines: u.Lines, Order: u.Order, Until: u.Until})
	}
	return out, err
}

func (a *API) reserveOffers(ctx context.Context, c *call, in checkoutIn) (OfferUses, error) {
	ask, err := c.ask(&in.Body)
	if err != nil {
		return OfferUses{}, err
	}
	return showOfferUses(c.ws.Offers.Reserve(ctx, in.Body.Cart, ask))
}

type redeemOffersIn struct {
	Body struct {
		Cart  string `json:"cart"`
		Order string `json:"order" doc:"number of the order"`
	}
}

func (a *API) redeemOffers(ctx context.Context, c *call, in redeemOffersIn) (OfferUses, error) {
	return showOfferUses(c.ws.Offers.Redeem(ctx, in.Body.Cart, in.Body.Order))
}

type releaseOffersIn struct {
	Body struct {
		Cart string `json:"cart"`
	}
}

func (a *API) releaseOffers(ctx context.Context, c *call, in releaseOffersIn) (OfferUses, error) {
	return showOfferUses(c.ws.Offers.Release(ctx, in.Body.Cart))
}

type refundOffersIn struct {
	Body struct {
		Cart   string `json:"cart"`
		Refund string `json:"refund" doc:"number of the return; one counts once"`
		Goods  int64  `json:"goods,omitempty" doc:"their prices before discounts, minor units"`
		All    bool   `json:"all,omitempty" doc:"everything that is left"`
	}
}

func (a *API) refundOffers(ctx context.Context, c *call, in refundOffersIn) (OfferUses, error) {
	return showOfferUses(c.ws.Offers.Refund(ctx, in.Body.Cart, in.Body.Refund, in.Body.Goods, in.Body.All))
}
