package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
)

// Offers implements offer.Store. Whoever writes to several lines takes the offers first, by id, then uses, then codes, so that writers wait for each
// other and never in a circle.
type Offers struct{ store *Store }

var _ offer.Store = (*Offers)(nil)

// NewOffers keeps offers in a Store.
func NewOffers(s *Store) *Offers { return &Offers{store: s} }

const (
	offerColumns = "id, name, status, rule, version, used, spent, created_by, created_at, updated_by, updated_at"
	offerAll     = "SELECT " + offerColumns + " FROM offer ORDER BY id DESC"
	offerGet     = "SELECT " + offerColumns + " FROM offer WHERE id = ?"
	offerNew     = "INSERT INTO offer (id, name, status, rule, version, total, budget, created_by, created_at, updated_by, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	offerPut     = "UPDATE offer SET name = ?, status = ?, rule = ?, version = ?, total = ?, budget = ?, updated_by = ?, updated_at = ? WHERE id = ? AND version = ?"
	offerLock    = "UPDATE offer SET used = used WHERE id = ? AND version = ?"
	offerTake    = "UPDATE offer SET used = used + 1, spent = spent + CAST(? AS BIGINT) WHERE id = ? AND (total = 0 OR used < total) AND (budget = 0 OR spent + CAST(? AS BIGINT) <= budget)"
	offerGive    = "UPDATE offer SET used = used - CAST(? AS BIGINT), spent = spent - CAST(? AS BIGINT) WHERE id = ?"

	couponColumns = "id, offer_id, code, shared, customer_id, state, issued_at, expires_at"
	couponNew     = "INSERT INTO coupon (" + couponColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (code) DO NOTHING"
	couponGive    = "INSERT INTO coupon (" + couponColumns + ", given_for) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	couponShown   = "SELECT " + couponColumns + " FROM coupon WHERE offer_id = ? AND given_for = ?"
	couponForAll  = "SELECT " + couponColumns + " FROM coupon WHERE offer_id = ? AND shared AND state = 'issued' AND (expires_at = 0 OR expires_at > ?) ORDER BY id DESC LIMIT 1"
	couponGet     = "SELECT " + couponColumns + " FROM coupon WHERE code = ?"
	couponSome    = "SELECT " + couponColumns + " FROM coupon WHERE "
	couponMove    = "UPDATE coupon SET state = ? WHERE id = ? AND state = ?"
	couponOpen    = "UPDATE coupon SET state = ? WHERE id = ? AND state = ? AND NOT shared"
	couponShared  = "SELECT count(*) FROM coupon WHERE id = ? AND shared AND state = 'issued'"

	useColumns = "u.id, u.offer_id, u.coupon_id, u.customer_id, c.code, u.cart, u.digest, u.order_ref, u.day, u.state, u.stands, u.discount, u.base, u.goods_back, u.discount_back, u.lines, u.reserved_at, u.until, u.ended_at"
	useRead    = "SELECT " + useColumns + " FROM offer_use u JOIN coupon c ON c.id = u.coupon_id WHERE "
	useOfCart  = useRead + "u.cart = ? ORDER BY u.offer_id, u.id"
	useLate    = useRead + "u.offer_id = ? AND u.state = 'reserved' AND u.until <= ? ORDER BY u.id LIMIT 500"
	useAnyLate = "SELECT count(*) FROM offer_use WHERE offer_id = ? AND state = 'reserved' AND until <= ?"
	useNew     = "INSERT INTO offer_use (id, cart, digest, offer_id, coupon_id, customer_id, day, state, stands, discount, base, lines, reserved_at, until) VALUES (?, ?, ?, ?, ?, ?, ?, 'reserved', TRUE, ?, ?, ?, ?, ?)"
	useFree    = "UPDATE offer_use SET state = ?, stands = FALSE, ended_at = ? WHERE id = ? AND state = 'reserved'"
	useRedeem  = "UPDATE offer_use SET state = 'redeemed', order_ref = ?, ended_at = ? WHERE id = ? AND state = 'reserved'"
	useRefund  = "UPDATE offer_use SET state = ?, stands = ?, goods_back = ?, discount_back = ? WHERE id = ? AND state = 'redeemed' AND goods_back = ?"
	useCount   = "SELECT count(*), COALESCE(sum(CASE WHEN day = ? THEN 1 ELSE 0 END), 0) FROM offer_use WHERE offer_id = ? AND stands AND "
	useSums    = "SELECT state, count(*), CAST(COALESCE(sum(base), 0) AS BIGINT), CAST(COALESCE(sum(discount), 0) AS BIGINT), CAST(COALESCE(sum(goods_back), 0) AS BIGINT), CAST(COALESCE(sum(discount_back), 0) AS BIGINT) FROM offer_use WHERE offer_id = ? GROUP BY state ORDER BY state"
	usePeople  = "SELECT count(DISTINCT customer_id) FROM offer_use WHERE offer_id = ? AND customer_id > 0 AND state IN ('redeemed', 'refunded')"
	useCodes   = "SELECT count(*), COALESCE(sum(CASE WHEN shared THEN 1 ELSE 0 END), 0) FROM coupon WHERE offer_id = ?"

	entryNew  = "INSERT INTO offer_entry (id, offer_id, use_id, kind, ref, goods, amount, at, by_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	entrySome = "SELECT id, offer_id, use_id, kind, ref, goods, amount, at, by_id FROM offer_entry WHERE offer_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
	entryHas  = "SELECT count(*) FROM offer_entry WHERE use_id = ? AND kind = 'refund' AND ref = ?"
)

func (k *Offers) list(ctx context.Context, q string, args ...any) (out []offer.Offer, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v offer.Offer
			var key, by, at, changer, changed int64
			var status, rule string
			if err := r.Scan(&key, &v.Name, &status, &rule, &v.Version, &v.Used, &v.Spent, &by, &at, &changer, &changed); err != nil {
				return err
			}
			v.ID, v.Status, v.CreatedBy, v.UpdatedBy, v.CreatedAt, v.UpdatedAt = id.ID(key), offer.Status(status), id.ID(by), id.ID(changer), timeOf(at), timeOf(changed)
			if err := json.Unmarshal([]byte(rule), &v.Rule); err != nil {
				return fmt.Errorf("stored rule of an offer: %w", err)
			}
			out = append(out, v)
			return nil
		}, q, args...)
	})
	return out, err
}

// Offers implements offer.Store.
func (k *Offers) Offers(ctx context.Context) ([]offer.Offer, error) { return k.list(ctx, offerAll) }

// Offer implements offer.Store.
func (k *Offers) Offer(ctx context.Context, key id.ID) (offer.Offer, error) {
	found, err := k.list(ctx, offerGet, int64(key))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "offer.not_found", nil)
	}
	if err != nil {
		return offer.Offer{}, err
	}
	return found[0], nil
}

// Insert implements offer.Store.
func (k *Offers) Insert(ctx context.Context, v offer.Offer) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, offerNew, int64(v.ID), v.Name, string(v.Status), asJSON(v.Rule), v.Version, v.Rule.Total, v.Rule.Budget, int64(v.CreatedBy), milli(v.CreatedAt), int64(v.UpdatedBy), milli(v.UpdatedAt))
		return err
	})
}

// Update implements offer.Store.
func (k *Offers) Update(ctx context.Context, v offer.Offer) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, offerPut, v.Name, string(v.Status), asJSON(v.Rule), v.Version, v.Rule.Total, v.Rule.Budget, int64(v.UpdatedBy), milli(v.UpdatedAt), int64(v.ID), v.Version-1)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "offer.stale", nil)
		}
		return err
	})
}

// Issue implements offer.Store.
func (k *Offers) Issue(ctx context.Context, list []offer.Coupon) (fresh int, err error) {
	err = k.store.Write(Bulk(ctx), func(c Conn) error {
		fresh = 0
		for i := range list {
			v := &list[i]
			n, err := c.Exec(ctx, couponNew, int64(v.ID), int64(v.Offer), v.Code, v.Shared, int64(v.Customer), string(v.State), milli(v.IssuedAt), milli(v.ExpiresAt))
			if err != nil {
				return err
			}
			fresh += int(n)
		}
		return nil
	})
	return fresh, err
}

// Give implements offer.Store.
func (k *Offers) Give(ctx context.Context, of id.ID, list []offer.Coupon) (all []offer.Coupon, fresh int, err error) {
	err = k.store.Write(Bulk(ctx), func(c Conn) error {
		all, fresh = make([]offer.Coupon, len(list)), 0
		for i, v := range list {
			n, err := c.Exec(ctx, couponGive, int64(v.ID), int64(of), v.Code, v.Shared, int64(v.Customer), string(v.State), milli(v.IssuedAt), milli(v.ExpiresAt), v.For)
			if err != nil {
				return err
			}
			fresh += int(n)
			if all[i] = v; n > 0 {
				continue
			}
			held, err := couponsIn(ctx, c, couponShown, int64(of), v.For)
			if err != nil {
				return err
			}
			if len(held) == 0 { // a code that is there already, which does not happen in a lifetime
				return fault.New(fault.Stale, "offer.stale", nil)
			}
			all[i] = held[0]
		}
		return nil
	})
	return all, fresh, err
}

// SharedCode implements offer.Store.
func (k *Offers) SharedCode(ctx context.Context, of id.ID, at time.Time) (offer.Coupon, bool, error) {
	found, err := k.coupons(ctx, couponForAll, int64(of), milli(at))
	if err != nil || len(found) == 0 {
		return offer.Coupon{}, false, err
	}
	return found[0], true, nil
}

func (k *Offers) coupons(ctx context.Context, q string, args ...any) (out []offer.Coupon, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out, err = couponsIn(ctx, c, q, args...)
		return err
	})
	return out, err
}

func couponsIn(ctx context.Context, c Conn, q string, args ...any) (out []offer.Coupon, err error) {
	err = Each(ctx, c, func(r *sql.Rows) error {
		var v offer.Coupon
		var key, of, customer, issued, expires int64
		var state string
		err := r.Scan(&key, &of, &v.Code, &v.Shared, &customer, &state, &issued, &expires)
		v.ID, v.Offer, v.Customer, v.State, v.IssuedAt, v.ExpiresAt = id.ID(key), id.ID(of), id.ID(customer), offer.State(state), timeOf(issued), timeOf(expires)
		out = append(out, v)
		return err
	}, q, args...)
	return out, err
}

// Coupon implements offer.Store.
func (k *Offers) Coupon(ctx context.Context, code string) (offer.Coupon, bool, error) {
	found, err := k.coupons(ctx, couponGet, code)
	if err != nil || len(found) == 0 {
		return offer.Coupon{}, false, err
	}
	return found[0], true, nil
}

const everyID = int64(1)<<62 - 1

func upTo(before id.ID) int64 {
	if before <= 0 {
		return everyID
	}
	return int64(before)
}

// Coupons implements offer.Store.
func (k *Offers) Coupons(ctx context.Context, of id.ID, customers []id.ID, before id.ID, limit int) ([]offer.Coupon, error) {
	where, args := "id < ?", []any{upTo(before)}
	if of > 0 {
		where, args = where+" AND offer_id = ?", append(args, int64(of))
	}
	if len(customers) > 0 {
		d := k.store.db.Dialect()
		where, args = where+" AND "+d.In("customer_id"), append(args, d.IDList(plain(customers)))
	}
	return k.coupons(ctx, couponSome+where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// Revoke implements offer.Store.
func (k *Offers) Revoke(ctx context.Context, coupon id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, couponMove, string(offer.Revoked), int64(coupon), string(offer.Issued))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "offer.coupon_used", nil)
		}
		return err
	})
}

// Counted implements offer.Store.
func (k *Offers) Counted(ctx context.Context, of id.ID, customers []id.ID, day clock.Day) (all, today int, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		all, today, err = k.counted(ctx, c, of, customers, day)
		return err
	})
	return all, today, err
}

func (k *Offers) counted(ctx context.Context, c Conn, of id.ID, customers []id.ID, day clock.Day) (int, int, error) {
	var all, today int64
	d := k.store.db.Dialect()
	_, err := c.QueryRow(ctx, []any{&all, &today}, useCount+d.In("customer_id"), int64(day), int64(of), d.IDList(plain(customers)))
	return int(all), int(today), err
}

// Hold implements offer.Store.
func (k *Offers) Hold(ctx context.Context, list []offer.Hold, by offer.Stamp) (out []offer.Use, err error) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b offer.Hold) int { return cmp.Compare(a.Use.Offer, b.Use.Offer) })
	err = k.store.Write(ctx, func(c Conn) error {
		out = nil
		for i := range list { // all offers are ours before anything else is touched
			n, err := c.Exec(ctx, offerLock, int64(list[i].Use.Offer), list[i].Version)
			if err == nil && n == 0 {
				err = fault.New(fault.Stale, "offer.stale", nil)
			}
			if err != nil {
				return err
			}
		}
		for i := range list {
			if err := lapse(ctx, c, list[i].Use.Offer, by); err != nil {
				return err
			}
		}
		for i := range list {
			if err := k.holdOne(ctx, c, &list[i], by); err != nil {
				return err
			}
			out = append(out, list[i].Use)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (k *Offers) holdOne(ctx context.Context, c Conn, h *offer.Hold, by offer.Stamp) error {
	u := &h.Use
	if n, err := c.Exec(ctx, offerTake, u.Discount, int64(u.Offer), u.Discount); err != nil {
		return err
	} else if n == 0 {
		return fault.New(fault.Conflict, "offer.used_up", nil)
	}
	if u.Customer > 0 {
		all, today, err := k.counted(ctx, c, u.Offer, h.Same, u.Day)
		switch {
		case err != nil:
			return err
		case h.Rule.PerPerson > 0 && all >= h.Rule.PerPerson:
			return fault.New(fault.Conflict, "offer.person_limit", nil)
		case h.Rule.PerDay > 0 && today >= h.Rule.PerDay:
			return fault.New(fault.Conflict, "offer.day_limit", nil)
		}
	}
	var n int64
	var err error
	if h.Shared {
		_, err = c.QueryRow(ctx, []any{&n}, couponShared, int64(u.Coupon))
	} else {
		n, err = c.Exec(ctx, couponMove, string(offer.Reserved), int64(u.Coupon), string(offer.Issued))
	}
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "offer.coupon_used", nil)
	}
	if err != nil {
		return err
	}
	if _, err := c.Exec(ctx, useNew, int64(u.ID), u.Cart, u.Digest, int64(u.Offer), int64(u.Coupon), int64(u.Customer), int64(u.Day), u.Discount, u.Base, asJSON(u.Lines), milli(u.ReservedAt), milli(u.Until)); err != nil {
		return err
	}
	return enter(ctx, c, offer.Entry{ID: by.IDs(), Offer: u.Offer, Use: u.ID, Kind: "reserve", Goods: u.Base, Amount: u.Discount, At: u.ReservedAt, By: by.By})
}

// Lapse implements offer.Store.
func (k *Offers) Lapse(ctx context.Context, of id.ID, by offer.Stamp) error {
	var n int64
	err := k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, useAnyLate, int64(of), milli(by.At))
		return err
	})
	if err != nil || n == 0 {
		return err
	}
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, offerGive, 0, 0, int64(of)); err != nil {
			return err
		}
		return lapse(ctx, c, of, by)
	})
}

func enter(ctx context.Context, c Conn, e offer.Entry) error {
	_, err := c.Exec(ctx, entryNew, int64(e.ID), int64(e.Offer), int64(e.Use), e.Kind, e.Ref, e.Goods, e.Amount, milli(e.At), int64(e.By))
	return err
}

// lapse gives back what was reserved for too long. The offer is locked.
func lapse(ctx context.Context, c Conn, of id.ID, by offer.Stamp) error {
	late, err := uses(ctx, c, useLate, int64(of), milli(by.At))
	for i := 0; i < len(late) && err == nil; i++ {
		_, err = letGo(ctx, c, &late[i], offer.RanOut, by)
	}
	return err
}

// letGo ends a use that was only reserved; ok is false for one that is not any more. The offer is locked.
func letGo(ctx context.Context, c Conn, u *offer.Use, state offer.UseState, by offer.Stamp) (ok bool, err error) {
	n, err := c.Exec(ctx, useFree, string(state), milli(by.At), int64(u.ID))
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := c.Exec(ctx, offerGive, 1, u.Discount, int64(u.Offer)); err != nil {
		return false, err
	}
	if _, err := c.Exec(ctx, couponOpen, string(offer.Issued), int64(u.Coupon), string(offer.Reserved)); err != nil {
		return false, err
	}
	kind := "release"
	if state == offer.RanOut {
		kind = "expire"
	}
	return true, enter(ctx, c, offer.Entry{ID: by.IDs(), Offer: u.Offer, Use: u.ID, Kind: kind, Amount: -u.Discount, At: by.At, By: by.By})
}

func uses(ctx context.Context, c Conn, q string, args ...any) (out []offer.Use, err error) {
	err = Each(ctx, c, func(r *sql.Rows) error {
		var u offer.Use
		var key, of, coupon, customer, day, at, until, ended int64
		var state, lines string
		if err := r.Scan(&key, &of, &coupon, &customer, &u.Code, &u.Cart, &u.Digest, &u.Order, &day, &state, &u.Stands, &u.Discount, &u.Base, &u.GoodsBack, &u.DiscountBack, &lines, &at, &until, &ended); err != nil {
			return err
		}
		u.ID, u.Offer, u.Coupon, u.Customer, u.Day, u.State = id.ID(key), id.ID(of), id.ID(coupon), id.ID(customer), clock.Day(day), offer.UseState(state) //nolint:gosec // a day
		u.ReservedAt, u.Until, u.EndedAt = timeOf(at), timeOf(until), timeOf(ended)
		if err := json.Unmarshal([]byte(lines), &u.Lines); err != nil {
			return fmt.Errorf("stored lines of a use: %w", err)
		}
		out = append(out, u)
		return nil
	}, q, args...)
	return out, err
}

// Uses implements offer.Store.
func (k *Offers) Uses(ctx context.Context, cart string) (out []offer.Use, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out, err = uses(ctx, c, useOfCart, cart)
		return err
	})
	return out, err
}

// onCart does something with each use of a cart, the offers of which are locked, and answers with how they stand then.
func (k *Offers) onCart(ctx context.Context, cart string, do func(Conn, *offer.Use) error) (out []offer.Use, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		list, err := uses(ctx, c, useOfCart, cart)
		if err == nil && len(list) == 0 {
			err = fault.New(fault.NotFound, "offer.no_cart", nil)
		}
		if err != nil {
			return err
		}
		for i := range list {
			if _, err := c.Exec(ctx, offerGive, 0, 0, int64(list[i].Offer)); err != nil {
				return err
			}
		}
		if list, err = uses(ctx, c, useOfCart, cart); err != nil { // as they are now that nobody else writes
			return err
		}
		for i := range list {
			if err := do(c, &list[i]); err != nil {
				return err
			}
		}
		out, err = uses(ctx, c, useOfCart, cart)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Redeem implements offer.Store.
func (k *Offers) Redeem(ctx context.Context, cart, order string, by offer.Stamp) ([]offer.Use, error) {
	return k.onCart(ctx, cart, func(c Conn, u *offer.Use) error {
		switch {
		case (u.State == offer.Taken || u.State == offer.Refunded) && u.Order == order:
			return nil
		case u.State == offer.Taken || u.State == offer.Refunded:
			return fault.New(fault.Conflict, "offer.other_order", nil)
		case u.State != offer.Held || !by.At.Before(u.Until):
			return fault.New(fault.Conflict, "offer.not_reserved", nil)
		}
		if _, err := c.Exec(ctx, useRedeem, order, milli(by.At), int64(u.ID)); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, couponOpen, string(offer.Redeemed), int64(u.Coupon), string(offer.Reserved)); err != nil {
			return err
		}
		return enter(ctx, c, offer.Entry{ID: by.IDs(), Offer: u.Offer, Use: u.ID, Kind: "redeem", Ref: order, At: by.At, By: by.By})
	})
}

// Release implements offer.Store.
func (k *Offers) Release(ctx context.Context, cart string, by offer.Stamp) ([]offer.Use, error) {
	return k.onCart(ctx, cart, func(c Conn, u *offer.Use) error {
		if u.State == offer.Taken || u.State == offer.Refunded {
			return fault.New(fault.Conflict, "offer.not_reserved", nil)
		}
		_, err := letGo(ctx, c, u, offer.Released, by)
		return err
	})
}

// Refund implements offer.Store.
func (k *Offers) Refund(ctx context.Context, cart string, x offer.Return, by offer.Stamp) ([]offer.Use, error) {
	return k.onCart(ctx, cart, func(c Conn, u *offer.Use) error {
		var had int64
		if _, err := c.QueryRow(ctx, []any{&had}, entryHas, int64(u.ID), x.Ref); err != nil || had > 0 {
			return err
		}
		goods, left := x.Goods, u.Base-u.GoodsBack
		switch {
		case u.State != offer.Taken:
			return fault.New(fault.Conflict, "offer.not_redeemed", nil)
		case x.All:
			goods = left
		case goods > left:
			return fault.New(fault.Conflict, "offer.refund_too_much", fault.Params{"left": left})
		}
		total := u.GoodsBack + goods
		given := offer.Back(u.Discount, u.Base, total)
		whole := total >= u.Base
		state, returns := offer.Taken, int64(0)
		if whole {
			state = offer.Refunded
			if x.Back(u.Offer) {
				returns = 1
			}
		}
		if _, err := c.Exec(ctx, useRefund, string(state), returns == 0, total, given, int64(u.ID), u.GoodsBack); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, offerGive, returns, given-u.DiscountBack, int64(u.Offer)); err != nil {
			return err
		}
		if returns > 0 {
			if _, err := c.Exec(ctx, couponOpen, string(offer.Issued), int64(u.Coupon), string(offer.Redeemed)); err != nil {
				return err
			}
		}
		return enter(ctx, c, offer.Entry{ID: by.IDs(), Offer: u.Offer, Use: u.ID, Kind: "refund", Ref: x.Ref, Goods: goods, Amount: u.DiscountBack - given, At: by.At, By: by.By})
	})
}

// Ledger implements offer.Store.
func (k *Offers) Ledger(ctx context.Context, of, before id.ID, limit int) (out []offer.Entry, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var e offer.Entry
			var key, of, use, at, by int64
			err := r.Scan(&key, &of, &use, &e.Kind, &e.Ref, &e.Goods, &e.Amount, &at, &by)
			e.ID, e.Offer, e.Use, e.By, e.At = id.ID(key), id.ID(of), id.ID(use), id.ID(by), timeOf(at)
			out = append(out, e)
			return err
		}, entrySome, int64(of), upTo(before), limit)
	})
	return out, err
}

// Sums implements offer.Store.
func (k *Offers) Sums(ctx context.Context, of id.ID) (s offer.Sums, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		s = offer.Sums{}
		if _, err := c.QueryRow(ctx, []any{&s.Issued, &s.Shared}, useCodes, int64(of)); err != nil {
			return err
		}
		if _, err := c.QueryRow(ctx, []any{&s.Customers}, usePeople, int64(of)); err != nil {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			var state string
			var n, base, discount, goods, back int64
			if err := r.Scan(&state, &n, &base, &discount, &goods, &back); err != nil {
				return err
			}
			switch offer.UseState(state) {
			case offer.Held:
				s.Reserved = n
			case offer.Released:
				s.Released = n
			case offer.RanOut:
				s.Expired = n
			case offer.Refunded:
				s.Refunded = n
			}
			if state == string(offer.Taken) || state == string(offer.Refunded) {
				s.Redeemed += n
				s.Goods += base
				s.Discount += discount
				s.GoodsBack += goods
				s.Back += back
			}
			return nil
		}, useSums, int64(of))
	})
	return s, err
}
