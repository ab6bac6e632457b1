package analytics

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// EventSeen is a name under which events came, with how many there are and the time of the newest in milliseconds. Events that
// conditions do not see are not counted.
type EventSeen struct {
	Name   string
	Count  int64
	Newest int64
}

// EventNames are the names of events of a day and later, the most frequent first.
func (s *Store) EventNames(ctx context.Context, since clock.Day, limit int) ([]EventSeen, error) {
	var out []EventSeen
	err := each(ctx, s.db, seenNames, []any{int64(since), int64(query.EventFlagsApart), int64(limit)}, func(r *sql.Rows) error {
		var e EventSeen
		err := r.Scan(&e.Name, &e.Count, &e.Newest)
		out = append(out, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list names of events: %w", err)
	}
	return out, nil
}

// EventSamples are the properties, JSON objects, of some events of a name of a day and later.
func (s *Store) EventSamples(ctx context.Context, name string, since clock.Day, limit int) ([]string, error) {
	var out []string
	err := each(ctx, s.db, seenProperties, []any{name, int64(since), int64(limit)}, func(r *sql.Rows) error {
		var text sql.NullString
		err := r.Scan(&text)
		out = append(out, text.String)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sample properties of events: %w", err)
	}
	return out, nil
}

const (
	seenNames = `SELECT name, count(*), max("at") FROM ` + compile.EventTable + ` WHERE day >= CAST($1 AS BIGINT) AND (flags & CAST($2 AS BIGINT)) = 0
GROUP BY name ORDER BY count(*) DESC, name LIMIT CAST($3 AS BIGINT)`
	seenProperties = `SELECT properties FROM ` + compile.EventTable + ` WHERE name = CAST(? AS TEXT) AND day >= CAST(? AS BIGINT) LIMIT CAST(? AS BIGINT)`
)
