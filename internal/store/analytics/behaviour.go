package analytics

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// What one customer did, for the customer's page. It is asked for owners: the customer, and with a company the customers and profiles of
// its contacts. Visits are read from f_session, which is a sixth of the events and narrow; the events of visits are read by their days, so
// that of f_event only the parts of those days are looked at.

// Act is one event of a customer as the customer's page shows it.
type Act struct {
	ID      id.ID
	Owner   id.ID
	Profile id.ID
	At      int64 // milliseconds
	Kind    string
	Name    string
	Host    string
	Path    string
	Title   string
	Dwell   int64 // milliseconds
	Amount  int64 // minor units of the base currency
	About   string
}

// Seen is a visit of a customer.
type Seen struct {
	ID       id.ID
	Owner    id.ID
	Profile  id.ID
	Start    int64 // milliseconds
	End      int64 // of the last event
	Day      clock.Day
	Views    int64
	Events   int64
	Engaged  int64 // milliseconds
	Orders   int64
	Amount   int64 // minor units of the base currency
	Host     string
	Entry    string
	Exit     string
	Referrer string
	Channel  string
	Source   string
	Campaign string
	Device   string
	Country  string
	Region   string
	Bounced  int64
}

// SeenBefore is a place in the visits of owners, newest first, at one instant the greater id first: what stands behind it is wanted.
type SeenBefore struct {
	At int64
	ID int64 // of those at the instant only the smaller ones
}

const (
	seenColumns = `s.id, s.customer_id, s.profile_id, s.started_at, s.ended_at, s.day, s.views, s.events, s.engaged_ms, s.orders, s.amount, COALESCE(s.host, ''), COALESCE(s.entry_path, ''),
 COALESCE(s.exit_path, ''), COALESCE(s.referrer_host, ''), COALESCE(s.channel, ''), COALESCE(s.utm_source, ''), COALESCE(s.utm_campaign, ''), COALESCE(s.device, ''), COALESCE(s.country, ''), COALESCE(s.region, ''), s.bounced`
	// Which visits those of a page are is read from four columns; the rest of them from the days that they lie in.
	seenPlaces = `SELECT s.id, s.day FROM f_session s WHERE s.customer_id IN ({owners})
 AND (s.started_at < CAST(? AS BIGINT) OR s.started_at = CAST(? AS BIGINT) AND s.id < CAST(? AS BIGINT)) ORDER BY s.started_at DESC, s.id DESC LIMIT CAST(? AS BIGINT)`
	seenRead = `SELECT ` + seenColumns + ` FROM f_session s WHERE s.customer_id IN ({owners}) AND s.day IN ({days}) AND s.id IN ({ids}) ORDER BY s.started_at DESC, s.id DESC`
	seenOne  = `SELECT ` + seenColumns + ` FROM f_session s WHERE s.customer_id IN ({owners}) AND s.id = CAST(? AS BIGINT)`
	actsRead = `SELECT e.id, e.customer_id, e.profile_id, e.at, e.kind, e.name, COALESCE(e.host, ''), COALESCE(e.path, ''), COALESCE(e.title, ''), COALESCE(e.dwell_ms, 0), COALESCE(e.amount, 0),
 CASE WHEN e.kind = 'track' THEN e.properties ELSE '' END FROM f_event e WHERE e.customer_id IN ({owners}) AND e.day IN ({days}) AND e.at >= CAST(? AS BIGINT) AND e.at <= CAST(? AS BIGINT)
 AND (e.flags & CAST(? AS BIGINT)) = 0 AND e.kind IN ('track', 'page', 'screen') ORDER BY e.at DESC, e.id DESC LIMIT CAST(? AS BIGINT)`
	seenAll  = `SELECT ` + seenColumns + ` FROM f_session s WHERE s.customer_id IN ({owners}) ORDER BY s.started_at DESC, s.id DESC LIMIT CAST(? AS BIGINT)`
	stirRead = `SELECT s.customer_id, count(*), CAST(sum(s.events) AS BIGINT), CAST(sum(s.engaged_ms) AS BIGINT), max(s.ended_at), max(s.id) FROM f_session s WHERE s.customer_id IN ({owners}) GROUP BY s.customer_id`
)

// places are n parameters.
func places(n int) string { return strings.TrimSuffix(strings.Repeat("CAST(? AS BIGINT), ", n), ", ") }

// ofOwners fills in who, on which days, and which rows.
func ofOwners(text string, owners, days, ids int) string {
	return strings.NewReplacer("{owners}", places(owners), "{days}", places(days), "{ids}", places(ids)).Replace(text)
}

func keys[K ~int64 | ~int32](list []K) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = int64(v)
	}
	return out
}

func scanSeen(r *sql.Rows) (v Seen, err error) {
	var day int64
	err = r.Scan(&v.ID, &v.Owner, &v.Profile, &v.Start, &v.End, &day, &v.Views, &v.Events, &v.Engaged, &v.Orders, &v.Amount, &v.Host, &v.Entry, &v.Exit, &v.Referrer, &v.Channel,
		&v.Source, &v.Campaign, &v.Device, &v.Country, &v.Region, &v.Bounced)
	v.Day = clock.Day(day) //nolint:gosec // a day fits
	return v, err
}

// Visits reads at most limit visits of owners behind a place, newest first by their beginning, then by id, the greater first.
func Visits(ctx context.Context, q Querier, owners []id.ID, b SeenBefore, limit int) (out []Seen, err error) {
	if len(owners) == 0 {
		return nil, nil
	}
	var ids []id.ID
	days := map[clock.Day]bool{}
	err = each(ctx, q, ofOwners(seenPlaces, len(owners), 0, 0), append(keys(owners), b.At, b.At, b.ID, int64(limit)), func(r *sql.Rows) error {
		var v, day int64
		err := r.Scan(&v, &day)
		ids, days[clock.Day(day)] = append(ids, id.ID(v)), true //nolint:gosec // a day fits
		return err
	})
	if err == nil && len(ids) > 0 {
		args := append(append(keys(owners), keys(sortedKeys(days))...), keys(ids)...)
		err = each(ctx, q, ofOwners(seenRead, len(owners), len(days), len(ids)), args, func(r *sql.Rows) error {
			v, err := scanSeen(r)
			out = append(out, v)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read visits: %w", err)
	}
	return out, nil
}

// Visit reads one visit of owners; ok is false for none.
func Visit(ctx context.Context, q Querier, owners []id.ID, visit id.ID) (v Seen, ok bool, err error) {
	if len(owners) == 0 {
		return v, false, nil
	}
	err = each(ctx, q, ofOwners(seenOne, len(owners), 0, 0), append(keys(owners), int64(visit)), func(r *sql.Rows) (err error) {
		ok = true
		v, err = scanSeen(r)
		return err
	})
	if err != nil {
		return v, false, fmt.Errorf("read visit: %w", err)
	}
	return v, ok, nil
}

// ActsAsked says which events are wanted: those of local days between two instants, both included.
type ActsAsked struct {
	Owners   []id.ID
	Days     []clock.Day
	From, To int64
	Limit    int
}

// Acts reads what owners did, newest first; robots are left out.
func Acts(ctx context.Context, q Querier, a ActsAsked) (out []Act, err error) {
	if len(a.Owners) == 0 || len(a.Days) == 0 {
		return nil, nil
	}
	args := append(append(keys(a.Owners), keys(a.Days)...), a.From, a.To, int64(event.Bot), int64(a.Limit))
	err = each(ctx, q, ofOwners(actsRead, len(a.Owners), len(a.Days), 0), args, func(r *sql.Rows) error {
		var v Act
		var properties sql.NullString
		if err := r.Scan(&v.ID, &v.Owner, &v.Profile, &v.At, &v.Kind, &v.Name, &v.Host, &v.Path, &v.Title, &v.Dwell, &v.Amount, &properties); err != nil {
			return err
		}
		v.About = about(properties.String)
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read behaviour: %w", err)
	}
	return out, nil
}

// AllVisits reads the newest visits of owners in one pass, newest first.
func AllVisits(ctx context.Context, q Querier, owners []id.ID, most int) (out []Seen, err error) {
	if len(owners) == 0 {
		return nil, nil
	}
	err = each(ctx, q, ofOwners(seenAll, len(owners), 0, 0), append(keys(owners), int64(most)), func(r *sql.Rows) error {
		v, err := scanSeen(r)
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read all visits: %w", err)
	}
	return out, nil
}

// Stir tells whether the visits of an owner changed: two that differ say so.
type Stir struct{ Visits, Events, Engaged, Last, Newest int64 }

// Stirred reads how the visits of owners stand; who has none is missing.
func Stirred(ctx context.Context, q Querier, owners []id.ID) (map[id.ID]Stir, error) {
	out := map[id.ID]Stir{}
	if len(owners) == 0 {
		return out, nil
	}
	err := each(ctx, q, ofOwners(stirRead, len(owners), 0, 0), keys(owners), func(r *sql.Rows) error {
		var k id.ID
		var v Stir
		err := r.Scan(&k, &v.Visits, &v.Events, &v.Engaged, &v.Last, &v.Newest)
		out[k] = v
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at visits: %w", err)
	}
	return out, nil
}

// behaviourTexts are the statements about one customer.
func behaviourTexts() []Text {
	return []Text{{"places of visits", ofOwners(seenPlaces, 2, 0, 0)}, {"visits of owners", ofOwners(seenRead, 2, 3, 2)}, {"visit of owners", ofOwners(seenOne, 2, 0, 0)},
		{"acts of owners", ofOwners(actsRead, 2, 3, 0)}, {"all visits of owners", ofOwners(seenAll, 2, 0, 0)}, {"stir of owners", ofOwners(stirRead, 2, 0, 0)}}
}

// aboutMost bounds what is shown of a property, in characters.
const aboutMost = 120

// about is what an event was about: the product, the search or the order that its properties name.
func about(properties string) string {
	var m struct {
		Name    any `json:"name"`
		Query   any `json:"query"`
		Order   any `json:"order_id"`
		Coupon  any `json:"coupon"`
		Product any `json:"product_id"`
	}
	if properties == "" || json.Unmarshal([]byte(properties), &m) != nil {
		return ""
	}
	for _, v := range []any{m.Name, m.Query, m.Order, m.Coupon, m.Product} {
		if s, ok := v.(string); ok && s != "" {
			if r := []rune(s); len(r) > aboutMost {
				return string(r[:aboutMost]) + "…"
			}
			return s
		}
	}
	return ""
}
