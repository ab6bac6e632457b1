package eventschema

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/tracking"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	rejectedCols  = "id, at, source_id, message_id, kind, name, code, field, state, payload"
	rejectedCodes = "SELECT code, count(*) FROM event_rejected GROUP BY code"
)

// Rejected gives rejected events, newest first.
func (s *Store) Rejected(ctx context.Context, q tracking.RejectedQuery) (out []tracking.Rejected, err error) {
	where, args := "1 = 1", []any{}
	add := func(text string, v any) { where, args = where+" AND "+text, append(args, v) }
	if q.Source != 0 {
		add("source_id = ?", int64(q.Source))
	}
	if q.Name != "" {
		add("name = ?", q.Name)
	}
	if q.Code != "" {
		add("code = ?", q.Code)
	}
	if q.Before != 0 {
		add("id < ?", int64(q.Before))
	}
	if q.Search != "" {
		add(`payload LIKE ? ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(q.Search)+"%")
	}
	if q.IDs != nil {
		d := s.inbox.DB.Dialect()
		add(d.In("id"), d.IDList(longs(q.IDs)))
	}
	err = s.inbox.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		out = nil
		return sqlstore.Each(ctx, c, func(rows *sql.Rows) error {
			var r tracking.Rejected
			var key, source int64
			var state, payload string
			err := rows.Scan(&key, &r.At, &source, &r.MessageID, &r.Kind, &r.Name, &r.Code, &r.Field, &state, &payload)
			r.ID, r.Source, r.Body = id.ID(key), id.ID(source), json.RawMessage(payload)
			r.Held = state == event.Quarantined
			out = append(out, r)
			return err
		}, "SELECT "+rejectedCols+" FROM event_rejected WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, q.Limit)...)
	})
	return out, err
}

func longs(ids []id.ID) []int64 {
	out := make([]int64, len(ids))
	for i, v := range ids {
		out[i] = int64(v)
	}
	return out
}

// RejectedCount says how many there are of each code.
func (s *Store) RejectedCount(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	return out, s.inbox.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		clear(out)
		return sqlstore.Each(ctx, c, func(rows *sql.Rows) error {
			var code string
			var n int64
			err := rows.Scan(&code, &n)
			out[code] = n
			return err
		}, rejectedCodes)
	})
}

// DropRejected deletes rejected events.
func (s *Store) DropRejected(ctx context.Context, ids []id.ID) error {
	return s.inbox.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		d := c.Dialect()
		_, err := c.Exec(ctx, "DELETE FROM event_rejected WHERE "+d.In("id"), d.IDList(longs(ids)))
		return err
	})
}

// ForgetSources removes what was learned of sources, their newest events with it.
func (s *Store) ForgetSources(ctx context.Context, sources []id.ID) error {
	return s.inbox.Write(sqlstore.Bulk(ctx), func(ctx context.Context, c sqlstore.Conn) error {
		for _, v := range sources {
			for _, table := range []string{"event_name", "event_volume", "event_property", "event_recent"} {
				if _, err := c.Exec(ctx, "DELETE FROM "+table+" WHERE source = ?", int64(v)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
