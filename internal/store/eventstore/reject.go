package eventstore

import (
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Rejected is an event that was not accepted.
type Rejected = event.Rejected

// Count is what came by a source on a day of UTC.
type Count = event.Count

var rejectedColumns = []string{"id", "at", "source_id", "message_id", "kind", "name", "code", "field", "state", "payload"}

// Reject keeps events that were not accepted; their ids are filled in.
func (s *Store) Reject(ctx context.Context, list []Rejected) error {
	for i := range list {
		list[i].ID = s.IDs.Next()
	}
	return s.DB.Write(ctx, func(c sqlstore.Conn) error {
		return c.InsertMany(ctx, "event_rejected", rejectedColumns, len(list), func(i int, dst []any) {
			r := &list[i]
			dst[0], dst[1], dst[2], dst[3], dst[4] = int64(r.ID), r.At, int64(r.Source), r.MessageID, string(r.Kind)
			dst[5], dst[6], dst[7], dst[8], dst[9] = r.Name, r.Code, r.Field, r.State, r.Payload
		})
	})
}

// Rejects are the newest rejected events of a source, of every source for 0, before an id (0 for the newest).
func (s *Store) Rejects(ctx context.Context, source, before id.ID, limit int) (out []Rejected, err error) {
	const q = "SELECT id, at, source_id, message_id, kind, name, code, field, state, payload FROM event_rejected WHERE (source_id = ? OR ? = 0) AND (id < ? OR ? = 0) " +
		"ORDER BY id DESC LIMIT ?"
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		out = nil
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var v Rejected
			var own, src int64
			var kind string
			err := r.Scan(&own, &v.At, &src, &v.MessageID, &kind, &v.Name, &v.Code, &v.Field, &v.State, &v.Payload)
			v.ID, v.Source, v.Kind = id.ID(own), id.ID(src), event.Kind(kind)
			out = append(out, v)
			return err
		}, q, int64(source), int64(source), int64(before), int64(before), limit)
	})
	return out, err
}

const addCount = "INSERT INTO event_count(source_id, day, accepted, duplicate, collision, rejected, withheld, last_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) " +
	"ON CONFLICT (source_id, day) DO UPDATE SET accepted = event_count.accepted + excluded.accepted, duplicate = event_count.duplicate + excluded.duplicate, " +
	"collision = event_count.collision + excluded.collision, rejected = event_count.rejected + excluded.rejected, withheld = event_count.withheld + excluded.withheld, " +
	"last_at = CASE WHEN excluded.last_at > event_count.last_at THEN excluded.last_at ELSE event_count.last_at END"

// AddCounts adds to the counts of sources. They are for looking at: a crash may lose those of the last second.
func (s *Store) AddCounts(ctx context.Context, list []Count) error {
	return s.DB.Write(ctx, func(c sqlstore.Conn) error { return addCounts(ctx, c, list) })
}

func addCounts(ctx context.Context, c sqlstore.Conn, list []Count) error {
	for _, v := range list {
		if _, err := c.Exec(ctx, addCount, int64(v.Source), v.Day, v.Accepted, v.Duplicate, v.Collision, v.Rejected, v.Withheld, v.LastAt); err != nil {
			return err
		}
	}
	return nil
}

// Counts are those of all sources since a day of UTC, by source and day.
func (s *Store) Counts(ctx context.Context, since int64) (out []Count, err error) {
	err = s.DB.Read(ctx, func(c sqlstore.Conn) error {
		out = nil
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var v Count
			var src int64
			err := r.Scan(&src, &v.Day, &v.Accepted, &v.Duplicate, &v.Collision, &v.Rejected, &v.Withheld, &v.LastAt)
			v.Source = id.ID(src)
			out = append(out, v)
			return err
		}, "SELECT source_id, day, accepted, duplicate, collision, rejected, withheld, last_at FROM event_count WHERE day >= ? ORDER BY source_id, day", since)
	})
	return out, err
}

// Limits of what is kept beside the inbox.
const (
	rejectedFor = 30 * dayMs
	countedFor  = 400
	forgetSlice = 5000
)

// Forget removes message ids that are older than SeenFor, what was rejected thirty days ago and counts of over a year, and says whether
// there may be more to remove.
func (s *Store) Forget(ctx context.Context) (more bool, err error) {
	now := s.Clock.Now().UnixMilli()
	today := now / dayMs
	ctx = sqlstore.Bulk(ctx)
	err = s.DB.Write(ctx, func(c sqlstore.Conn) error {
		more = false
		for _, q := range []struct {
			text string
			args []any
		}{
			{"DELETE FROM event_seen WHERE message_id IN (SELECT message_id FROM event_seen WHERE day < ? LIMIT ?)", []any{today - SeenFor.Milliseconds()/dayMs, forgetSlice}},
			{"DELETE FROM event_rejected WHERE id IN (SELECT id FROM event_rejected WHERE at < ? LIMIT ?)", []any{now - rejectedFor, forgetSlice}},
			{"DELETE FROM event_count WHERE day < ?", []any{today - countedFor}},
		} {
			n, err := c.Exec(ctx, q.text, q.args...)
			if err != nil {
				return err
			}
			more = more || n >= forgetSlice
		}
		return nil
	})
	return more, err
}

// ForgetRejects removes the rejected events whose payload is told, and looks through so many at a time.
func (s *Store) ForgetRejects(ctx context.Context, atOnce int, told func(payload string) bool) error {
	for after := int64(0); ; {
		var gone []int64
		n := 0
		err := s.DB.Read(ctx, func(c sqlstore.Conn) error {
			from := after
			gone, n = nil, 0
			return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
				var payload string
				if err := r.Scan(&after, &payload); err != nil {
					return err
				}
				if n++; payload != "" && told(payload) {
					gone = append(gone, after)
				}
				return nil
			}, "SELECT id, payload FROM event_rejected WHERE id > ? ORDER BY id LIMIT ?", from, atOnce)
		})
		if err != nil {
			return err
		}
		if len(gone) > 0 {
			err = s.DB.Write(ctx, func(c sqlstore.Conn) error {
				d := c.Dialect()
				_, err := c.Exec(ctx, "DELETE FROM event_rejected WHERE "+d.In("id"), d.IDList(gone))
				return err
			})
		}
		if err != nil || n < atOnce {
			return err
		}
	}
}
