package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// FamilySocial holds the influence of customers, for those who have some. It is worked out for everybody at once (social.Weigh), as what
// one has depends on what others do. CreditTable holds for whom.
const (
	FamilySocial = "t_social"
	CreditTable  = "social_credit"
)

func socialFamily() table {
	return family(FamilySocial, ints("influence", "share_reach", "share_reactions", "people_brought", "brought_orders", "brought_revenue", "shares"))
}

// creditTable: customer_id is the sharer; since is a local day, 0 where nobody knows.
func creditTable() table {
	return table{name: CreditTable, key: []string{"customer_id", "person_id"},
		columns: ints("customer_id", "person_id", "since", "openings", "is_new", "referred", "orders", "revenue")}
}

// A share is named by share_id, ref or utm_content, read in this order. What says nothing of the three is not looked into.
const (
	sharesMade = `SELECT {share}, e.customer_id, CASE WHEN c.id > 0 THEN 1 ELSE 0 END FROM f_event e LEFT JOIN a_customer c ON c.id = e.customer_id
WHERE e.kind = 'track' AND ` + ofPerson + ` AND e.name IN ({shares}) AND e.properties LIKE '%share_id%' ORDER BY e."at", e.id`
	sharesUsed = `SELECT e.customer_id, CASE WHEN c.id > 0 THEN 1 ELSE 0 END, e."at", e.day, e.name, COALESCE({share}, ''), COALESCE(NULLIF({ref}, ''), ''), COALESCE(e.utm_content, ''), COALESCE(e.content, '')
FROM f_event e LEFT JOIN a_customer c ON c.id = e.customer_id
WHERE e.kind IN ('track', 'page', 'screen') AND ` + ofPerson + ` AND e.name NOT IN ({shares}) AND (e.name IN ({reactions}) OR e.utm_content <> '' OR e.properties LIKE '%share_id%' OR e.properties LIKE '%"ref"%')
ORDER BY e."at", e.id`
	newcomers    = `SELECT c.id, COALESCE(c.referrer, 0), COALESCE(c.acquired_on, 0), COALESCE(t.first_order_at, 0), COALESCE(t.first_order_day, 0) FROM a_customer c LEFT JOIN t_order t ON t.customer_id = c.id WHERE `
	newReferred  = newcomers + `c.referrer > 0`
	newNamed     = newcomers + `c.id IN ({who})`
	boughtByThem = `SELECT p.order_id, p.customer_id, p.placed_at, p.day, p.amount FROM f_purchase p WHERE p.customer_id IN ({who}) ORDER BY p.placed_at, p.order_id`
	readCredit   = `SELECT k.customer_id, k.person_id, k.since, k.openings, k.is_new, k.referred, k.orders, k.revenue FROM social_credit k WHERE k.customer_id = CAST(? AS BIGINT)
ORDER BY k.revenue DESC, k.is_new DESC, k.openings DESC, k.person_id LIMIT CAST(? AS BIGINT)`
	readSharesOf = `SELECT {share}, e."at", e.name, COALESCE(e.content, ''), COALESCE(e.platform, '') FROM f_event e WHERE e.customer_id = CAST(? AS BIGINT) AND e.kind = 'track' AND ` + ofPerson + `
 AND e.name IN ({shares}) AND e.properties LIKE '%share_id%' ORDER BY e."at" DESC, e.id DESC LIMIT CAST(? AS BIGINT)`
	readInfluence = `SELECT shares, share_reach, share_reactions, people_brought, brought_orders, brought_revenue FROM t_social WHERE customer_id = CAST(? AS BIGINT)`
	allInfluence  = `SELECT customer_id, shares, share_reach, share_reactions, people_brought, brought_orders, brought_revenue FROM t_social`
	clearCredit   = `DELETE FROM social_credit`
)

// whoAtOnce is how many customers a statement names.
const whoAtOnce = 2000

func listed(list []string) string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = literal(v)
	}
	return strings.Join(out, ", ")
}

func socialText(d Dialect, text string, who int) string {
	return strings.NewReplacer("{share}", d.Property("e.properties", "share_id"), "{ref}", d.Property("e.properties", "ref"), "{shares}", listed(event.Shares()),
		"{reactions}", listed(append(event.Interactions(), event.ShareOpened)), "{who}", places(who)).Replace(text)
}

// socialTexts are the statements of influence.
func socialTexts(d Dialect) []Text {
	return []Text{{"shares made", socialText(d, sharesMade, 0)}, {"shares used", socialText(d, sharesUsed, 0)}, {"referred", newReferred}, {"newcomers", socialText(d, newNamed, 3)},
		{"bought by them", socialText(d, boughtByThem, 3)}, {"credit", readCredit}, {"shares of one", socialText(d, readSharesOf, 0)}, {"influence of one", readInfluence},
		{"influence of all", allInfluence}, {"clear credit", clearCredit}, {"deeds elsewhere", elsewhereText(d, 2)}, {"event of a customer", eventOf}}
}

// Crowd is social.Crowd on the plane.
type Crowd struct{ DB DB }

var _ social.Crowd = Crowd{}

// Shares implements social.Crowd.
func (c Crowd) Shares(ctx context.Context, fn func(social.SharedAct)) error {
	return each(ctx, c.DB, socialText(c.DB.Dialect(), sharesMade, 0), nil, func(r *sql.Rows) error {
		var share sql.NullString
		var by, known int64
		err := r.Scan(&share, &by, &known)
		fn(social.SharedAct{Share: share.String, By: id.ID(by), Known: known == 1})
		return err
	})
}

// Acts implements social.Crowd.
func (c Crowd) Acts(ctx context.Context, fn func(social.OtherAct)) error {
	return each(ctx, c.DB, socialText(c.DB.Dialect(), sharesUsed, 0), nil, func(r *sql.Rows) error {
		var a social.OtherAct
		var who, known, day int64
		var share, ref, content string
		err := r.Scan(&who, &known, &a.At, &day, &a.Name, &share, &ref, &content, &a.Content)
		a.Who, a.Known, a.Day = id.ID(who), known == 1, clock.Day(day) //nolint:gosec // a day fits
		for _, v := range []string{share, ref, content} {
			if a.Share == "" {
				a.Share = v
			}
		}
		fn(a)
		return err
	})
}

func scanNewcomer(fn func(social.Newcomer)) func(*sql.Rows) error {
	return func(r *sql.Rows) error {
		var who, referrer, acquired, first, firstDay int64
		err := r.Scan(&who, &referrer, &acquired, &first, &firstDay)
		fn(social.Newcomer{Who: id.ID(who), Referrer: id.ID(referrer), Acquired: clock.Day(acquired), FirstOrder: first, FirstOrderDay: clock.Day(firstDay)}) //nolint:gosec // days fit
		return err
	}
}

// Referred implements social.Crowd.
func (c Crowd) Referred(ctx context.Context, fn func(social.Newcomer)) error {
	return each(ctx, c.DB, newReferred, nil, scanNewcomer(fn))
}

// Newcomers implements social.Crowd.
func (c Crowd) Newcomers(ctx context.Context, who []id.ID, fn func(social.Newcomer)) error {
	for part := range slices.Chunk(who, whoAtOnce) {
		if err := each(ctx, c.DB, socialText(c.DB.Dialect(), newNamed, len(part)), keys(part), scanNewcomer(fn)); err != nil {
			return err
		}
	}
	return nil
}

// Purchases implements social.Crowd.
func (c Crowd) Purchases(ctx context.Context, who []id.ID, fn func(social.Bought)) error {
	for part := range slices.Chunk(who, whoAtOnce) {
		err := each(ctx, c.DB, socialText(c.DB.Dialect(), boughtByThem, len(part)), keys(part), func(r *sql.Rows) error {
			var b social.Bought
			var order, by, day int64
			err := r.Scan(&order, &by, &b.At, &day, &b.Amount)
			b.Order, b.Who, b.Day = id.ID(order), id.ID(by), clock.Day(day) //nolint:gosec // a day fits
			fn(b)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// SaveInfluence has influences take the place of those that are kept, and says whose changed; mark is kept until the plane is made anew. Where
// nothing changed and the mark is the one there was, nothing is written.
func (s *Store) SaveInfluence(ctx context.Context, in *social.Influences, at time.Time, mark, had string) (changed []id.ID, err error) {
	was := map[id.ID]social.Influence{}
	err = each(ctx, s.db, allInfluence, nil, func(r *sql.Rows) error {
		var who int64
		var v social.Influence
		err := r.Scan(&who, &v.Shares, &v.Reach, &v.Reactions, &v.Brought, &v.Orders, &v.Revenue)
		was[id.ID(who)] = v
		return err
	})
	if err != nil {
		return nil, err
	}
	for who, v := range in.Of {
		old, ok := was[who]
		old.Openings = v.Openings // which no column holds
		if !ok || old != *v {
			changed = append(changed, who)
		}
	}
	for who := range was {
		if in.Of[who] == nil {
			changed = append(changed, who)
		}
	}
	if len(changed) == 0 && mark == had {
		return nil, nil
	}
	slices.Sort(changed)
	order := make([]id.ID, 0, len(in.Of))
	for who := range in.Of {
		order = append(order, who)
	}
	slices.Sort(order)
	if err := s.saveCredit(ctx, in.Brought); err != nil { // first: whoever sees the score sees whom it is of
		return nil, err
	}
	_, err = s.ReplaceFamily(ctx, FamilySocial, []string{"influence", "share_reach", "share_reactions", "people_brought", "brought_orders", "brought_revenue", "shares"}, at.UnixMilli(), mark,
		func(yield func(int64, []any) bool) error {
			for _, who := range order {
				v := in.Of[who]
				if !yield(int64(who), []any{v.Score(), v.Reach, v.Reactions, v.Brought, v.Orders, v.Revenue, v.Shares}) {
					return nil
				}
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	return changed, s.db.Write(ctx, func(tx Tx) error { return touchFew(ctx, tx, changed) })
}

// saveCredit has credit take the place of all that is kept.
func (s *Store) saveCredit(ctx context.Context, list []social.Brought) error {
	return s.db.Write(ctx, func(tx Tx) error {
		if err := run(ctx, tx, exec{clearCredit, nil}); err != nil {
			return err
		}
		return tx.Append(ctx, CreditTable, creditTable().names(), func(yield func([]any, error) bool) {
			for i := range list {
				b := &list[i]
				if !yield([]any{int64(b.Sharer), int64(b.Who), int64(b.Since), b.Openings, bit(b.New), bit(b.Referred), b.Orders, b.Revenue}, nil) {
					return
				}
			}
		})
	})
}

func bit(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// Influence implements social.Facts.
func (s *Social) Influence(ctx context.Context, customer id.ID) (v social.Influence, err error) {
	_, err = one(ctx, s.db, readInfluence, []any{int64(customer)}, &v.Shares, &v.Reach, &v.Reactions, &v.Brought, &v.Orders, &v.Revenue)
	return v, err
}

// Credit implements social.Facts.
func (s *Social) Credit(ctx context.Context, customer id.ID, limit int) (out []social.Brought, err error) {
	err = each(ctx, s.db, readCredit, []any{int64(customer), int64(limit)}, func(r *sql.Rows) error {
		var b social.Brought
		var sharer, who, since, fresh, referred int64
		err := r.Scan(&sharer, &who, &since, &b.Openings, &fresh, &referred, &b.Orders, &b.Revenue)
		b.Sharer, b.Who, b.Since, b.New, b.Referred = id.ID(sharer), id.ID(who), clock.Day(since), fresh == 1, referred == 1 //nolint:gosec // a day fits
		out = append(out, b)
		return err
	})
	return out, err
}

// SharesOf implements social.Facts.
func (s *Social) SharesOf(ctx context.Context, customer id.ID, limit int) (out []social.Share, err error) {
	err = each(ctx, s.db, socialText(s.db.Dialect(), readSharesOf, 0), []any{int64(customer), int64(limit)}, func(r *sql.Rows) error {
		var v social.Share
		var share sql.NullString
		var at int64
		err := r.Scan(&share, &at, &v.Name, &v.Content, &v.Platform)
		v.ID, v.At = share.String, time.UnixMilli(at).UTC()
		out = append(out, v)
		return err
	})
	return out, err
}

// elsewhereRead is what customers did off the web.
const elsewhereRead = `SELECT e.id, e.customer_id, e.profile_id, e.source_id, e."at", e.name, COALESCE(e.content, ''), COALESCE(e.platform, ''), e.properties, e.context FROM f_event e WHERE e.customer_id IN ({owners})
 AND e.kind = 'track' AND ` + ofPerson + ` AND e.name IN ({names}) AND (e."at" < CAST(? AS BIGINT) OR e."at" = CAST(? AS BIGINT) AND e.id < CAST(? AS BIGINT)) ORDER BY e."at" DESC, e.id DESC LIMIT CAST(? AS BIGINT)`

func elsewhereText(_ Dialect, owners int) string {
	return strings.NewReplacer("{owners}", places(owners), "{names}", listed(append(event.Elsewhere(), event.ProductReviewed, event.ProductShared, event.CartShared, event.ShareOpened, event.CouponUsed))).Replace(elsewhereRead)
}

// Elsewhere reads at most limit interactions of owners behind a place, newest first: with contents, in stores, on the phone, on platforms.
func Elsewhere(ctx context.Context, q DB, owners []id.ID, b SeenBefore, limit int) (out []social.Interaction, err error) {
	if len(owners) == 0 {
		return nil, nil
	}
	err = each(ctx, q, elsewhereText(q.Dialect(), len(owners)), append(keys(owners), b.At, b.At, b.ID, int64(limit)), func(r *sql.Rows) error {
		var v social.Interaction
		var own, owner, profile, source, at int64
		err := r.Scan(&own, &owner, &profile, &source, &at, &v.Name, &v.Content, &v.Platform, &v.Properties, &v.Context)
		v.ID, v.Owner, v.Profile, v.Source, v.At = id.ID(own), id.ID(owner), id.ID(profile), id.ID(source), time.UnixMilli(at).UTC()
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("interactions of customers: %w", err)
	}
	return out, nil
}

// eventOf finds one event of a customer.
const eventOf = `SELECT e.source_id, e.name FROM f_event e WHERE e.customer_id = CAST(? AS BIGINT) AND e.id = CAST(? AS BIGINT)`

// EventOf reads the source and the name of an event of a customer.
func EventOf(ctx context.Context, q DB, customer, event id.ID) (v social.Interaction, ok bool, err error) {
	var source int64
	ok, err = one(ctx, q, eventOf, []any{int64(customer), int64(event)}, &source, &v.Name)
	v.ID, v.Owner, v.Source = event, customer, id.ID(source)
	return v, ok, err
}
