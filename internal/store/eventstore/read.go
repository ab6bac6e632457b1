package eventstore

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Columns are those that Scan reads, for statements of others on event_inbox.
func Columns(d dialect.Dialect) string {
	return d.ChangeXid() + ", seq, " + strings.Join(inboxColumns, ", ")
}

// Scan reads a row of Columns.
func Scan(r *sql.Rows) (e event.Event, err error) {
	var own, source, profile, day, flags int64
	var kind, properties, context string
	err = r.Scan(&e.Xid, &e.Seq, &own, &source, &e.MessageID, &kind, &e.Name, &e.At, &day, &e.ReceivedAt, &e.OriginalAt, &flags, &e.UserID, &e.AnonymousID, &e.GroupID,
		&e.PreviousID, &properties, &context, &profile)
	e.ID, e.Source, e.Profile, e.Kind = id.ID(own), id.ID(source), id.ID(profile), event.Kind(kind)
	e.Day, e.Flags, e.Properties, e.Context = clock.Day(day), event.Flags(flags), []byte(properties), []byte(context) //nolint:gosec // a day fits
	return e, err
}

// PositionOf is the place of an event that was read.
func PositionOf(e *event.Event) change.Position { return change.Position{Xid: e.Xid, Seq: e.Seq} }

// bound is asked in a transaction of its own: the one that reads the rows must begin after it.
func (s *Store) bound(ctx context.Context) (bound int64, err error) {
	q := s.DB.Dialect().ChangeBound()
	if q == "" {
		return math.MaxInt64, nil
	}
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		_, err := c.QueryRow(ctx, []any{&bound}, q)
		return err
	})
	return bound, err
}

// Read are events behind a position in the order of the inbox. Those behind the position of Resolved have no profile yet.
func (s *Store) Read(ctx context.Context, after change.Position, limit int) (out []event.Event, err error) {
	bound, err := s.bound(ctx)
	if err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		out, err = batch(ctx, c, after, bound, limit)
		return err
	})
	return out, err
}

// Until are events behind a position up to one that a consumer has come to. All of those are decided and readable, though Read may not give them for a moment:
// its bound steps back when a writer is seen that announced itself before they were committed. So that no events here means that they have gone on, while none
// of Read means nothing.
func (s *Store) Until(ctx context.Context, after, upTo change.Position, limit int) (out []event.Event, err error) {
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		out, err = batch(ctx, c, after, upTo.Xid+1, limit)
		return err
	})
	for n := range out {
		if upTo.Less(PositionOf(&out[n])) {
			return out[:n], err
		}
	}
	return out, err
}

func batch(ctx context.Context, c sqlstore.Conn, after change.Position, bound int64, limit int) (out []event.Event, err error) {
	d := c.Dialect()
	q := "SELECT " + Columns(d) + " FROM event_inbox WHERE " + d.ChangeAfter() + " AND " + d.ChangeBelow() + " ORDER BY " + d.ChangeOrder(false) + " LIMIT ?"
	err = sqlstore.Each(ctx, c, func(r *sql.Rows) error {
		e, err := Scan(r)
		out = append(out, e)
		return err
	}, q, after.Xid, after.Seq, bound, limit)
	return out, err
}

// Head is the position of the newest event that may be read, zero of an empty inbox.
func (s *Store) Head(ctx context.Context) (p change.Position, err error) {
	bound, err := s.bound(ctx)
	if err != nil {
		return p, err
	}
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		d := c.Dialect()
		_, err := c.QueryRow(ctx, []any{&p.Xid, &p.Seq}, "SELECT "+d.ChangeXid()+", seq FROM event_inbox WHERE "+d.ChangeBelow()+" ORDER BY "+d.ChangeOrder(true)+" LIMIT 1", bound)
		return err
	})
	return p, err
}

// Waiting is how many events a consumer has still to come to, counted up to limit.
func (s *Store) Waiting(ctx context.Context, consumer string, limit int) (n int64, err error) {
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		d := c.Dialect()
		p, err := position(ctx, c, consumer, "")
		if err != nil {
			return err
		}
		_, err = c.QueryRow(ctx, []any{&n}, "SELECT count(*) FROM (SELECT 1 AS one FROM event_inbox WHERE "+d.ChangeAfter()+" LIMIT ?) AS w", p.Xid, p.Seq, limit)
		return err
	})
	return n, err
}

// profilesAtOnce bounds the statement that stores profiles.
const profilesAtOnce = 200

// Resolve gives fn the next events in inbox order and stores the profile that fn set in each, together with the position and whatever fn
// wrote through c, in one transaction. It says how many events it was, 0 when there are none. An event that fn left without a profile
// is an error: resolution gives one to every event. Those that were adopted with theirs are passed over. On SQLite other writers wait for fn, so limit should keep it below 50 ms.
func (s *Store) Resolve(ctx context.Context, limit int, fn func(ctx context.Context, c sqlstore.Conn, batch []event.Event) error) (n int, err error) {
	bound, err := s.bound(ctx)
	if err != nil {
		return 0, err
	}
	ctx = sqlstore.Bulk(ctx)
	err = s.DB.Write(ctx, func(c sqlstore.Conn) error {
		p, err := position(ctx, c, Resolved, c.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		list, err := batch(ctx, c, p, bound, limit)
		n = len(list)
		if err != nil || n == 0 {
			return err
		}
		last := PositionOf(&list[n-1])
		list = slices.DeleteFunc(list, func(e event.Event) bool { return e.Flags.Has(event.Settled) })
		if len(list) > 0 {
			if err := fn(ctx, c, list); err != nil {
				return err
			}
			if err := setProfiles(ctx, c, list); err != nil {
				return err
			}
		}
		return s.Advance(ctx, c, Resolved, last)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func setProfiles(ctx context.Context, c sqlstore.Conn, list []event.Event) error {
	xid := c.Dialect().ChangeXid()
	for len(list) > 0 {
		part := list[:min(len(list), profilesAtOnce)]
		list = list[len(part):]
		args := make([]any, 0, 3*len(part))
		for i := range part {
			if part[i].Profile == 0 {
				return fault.New(fault.Internal, "event.unresolved", nil)
			}
			args = append(args, part[i].Seq, part[i].Xid, int64(part[i].Profile))
		}
		const row = "(CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))"
		q := "UPDATE event_inbox SET profile_id = v.column3 FROM (VALUES " + row + strings.Repeat(", "+row, len(part)-1) + ") AS v WHERE event_inbox.seq = v.column1 AND " +
			xid + " = v.column2"
		if _, err := c.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}
