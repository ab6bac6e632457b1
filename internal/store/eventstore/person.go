package eventstore

import (
	"context"
	"database/sql"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/customer/person"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// People is person.Store: what the step from events to customers remembers, beside the profiles.
type People struct {
	DB     sqlstore.DB
	Engine *identity.Engine
}

var _ person.Store = People{}

func (p People) read(ctx context.Context, fn func(c sqlstore.Conn) error) error {
	return p.DB.Read(ctx, fn)
}

// Standings implements person.Store.
func (p People) Standings(ctx context.Context, profiles []id.ID) (out map[id.ID]person.Standing, err error) {
	err = p.read(ctx, func(c sqlstore.Conn) error {
		out = map[id.ID]person.Standing{}
		trees, err := NewLedger(c).Trees(ctx, profiles)
		for i := range trees {
			t := &trees[i]
			st := person.Standing{Root: t.Root, Customer: t.Customer()}
			for j := range t.Profiles {
				st.Members = append(st.Members, t.Profiles[j].ID)
			}
			for _, v := range st.Members {
				if _, asked := slices.BinarySearch(profiles, v); asked || v == t.Root {
					out[v] = st
				}
			}
		}
		return err
	})
	return out, err
}

// Link implements person.Store.
func (p People) Link(ctx context.Context, links []person.Link, doubts []person.Doubt) error {
	return p.DB.Write(ctx, func(c sqlstore.Conn) error {
		l := NewLedger(c)
		list := make([]identity.Link, len(links))
		for i, x := range links {
			list[i] = identity.Link(x)
		}
		if len(list) > 0 {
			if _, err := p.Engine.Link(ctx, l, list); err != nil {
				return err
			}
		}
		for _, d := range doubts {
			if d.Apart {
				var err error
				if d.Customers, err = l.unknown(ctx, d.Customers); err != nil {
					return err
				}
				if len(d.Customers) == 0 {
					continue
				}
			}
			shown := make([]identity.Shown, len(d.Shown))
			for i, s := range d.Shown {
				shown[i] = identity.Shown{Namespace: s[0], Text: s[1]}
			}
			if err := p.Engine.Ambiguity(ctx, l, d.Profile, d.Customers, shown, d.At); err != nil {
				return err
			}
		}
		return nil
	})
}

// unknown are the customers without a profile.
func (l Ledger) unknown(ctx context.Context, customers []id.ID) (out []id.ID, err error) {
	for _, c := range customers {
		owned, err := l.Owned(ctx, []id.ID{c})
		if err != nil {
			return nil, err
		}
		if len(owned) == 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

// ForgetTold removes what is remembered of what events said of customers.
func ForgetTold(ctx context.Context, c sqlstore.Conn, customers []id.ID) error {
	in, list := NewLedger(c).in("customer_id", customers)
	_, err := c.Exec(ctx, "DELETE FROM profile_value WHERE "+in, list)
	return err
}

// Told implements person.Store.
func (p People) Told(ctx context.Context, customers []id.ID) (out []person.Told, err error) {
	err = p.read(ctx, func(c sqlstore.Conn) error {
		out = nil
		in, list := NewLedger(c).in("customer_id", customers)
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var t person.Told
			err := r.Scan(&t.Customer, &t.Field, &t.Digest, &t.At)
			out = append(out, t)
			return err
		}, "SELECT customer_id, field, digest, at FROM profile_value WHERE "+in, list)
	})
	return out, err
}

// SaveTold implements person.Store.
func (p People) SaveTold(ctx context.Context, list []person.Told) error {
	if len(list) == 0 {
		return nil
	}
	return p.DB.Write(ctx, func(c sqlstore.Conn) error {
		return put(ctx, c, sheet{"profile_value", "customer_id, field, digest, at", 4, " ON CONFLICT (customer_id, field) DO UPDATE SET digest = excluded.digest, at = excluded.at"}, list,
			func(t *person.Told) ([]any, error) { return []any{int64(t.Customer), t.Field, t.Digest, t.At}, nil })
	})
}

const orderColumns = "order_id, record_id, profile_id, customer_id, at"

func (p People) orders(ctx context.Context, where string, args ...any) (out []person.Order, err error) {
	err = p.read(ctx, func(c sqlstore.Conn) error {
		out = nil
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var o person.Order
			err := r.Scan(&o.Key, &o.Record, &o.Profile, &o.Customer, &o.At)
			out = append(out, o)
			return err
		}, "SELECT "+orderColumns+" FROM profile_order WHERE "+where, args...)
	})
	return out, err
}

// Orders implements person.Store.
func (p People) Orders(ctx context.Context, keys []string) ([]person.Order, error) {
	d := p.DB.Dialect()
	return p.orders(ctx, d.In("order_id"), d.TextList(keys))
}

// Unowned implements person.Store.
func (p People) Unowned(ctx context.Context, profiles []id.ID) ([]person.Order, error) {
	list := make([]int64, len(profiles))
	for i, v := range profiles {
		list[i] = int64(v)
	}
	d := p.DB.Dialect()
	return p.orders(ctx, d.In("profile_id")+" AND customer_id = 0 AND record_id <> 0", d.IDList(list))
}

// SaveOrders implements person.Store.
func (p People) SaveOrders(ctx context.Context, list []person.Order) error {
	return p.DB.Write(ctx, func(c sqlstore.Conn) error {
		return put(ctx, c, sheet{"profile_order", orderColumns, 5, " ON CONFLICT (order_id) DO UPDATE SET record_id = excluded.record_id, profile_id = excluded.profile_id, customer_id = excluded.customer_id, at = excluded.at"}, list,
			func(o *person.Order) ([]any, error) {
				return []any{o.Key, int64(o.Record), int64(o.Profile), int64(o.Customer), o.At}, nil
			})
	})
}
