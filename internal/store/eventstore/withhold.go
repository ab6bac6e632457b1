package eventstore

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Withhold notes of events of the inbox that their persons had refused to be analysed: they are counted without a person from then on. It counts them for
// their sources and sets the flag in the list.
func (s *Store) Withhold(ctx context.Context, c sqlstore.Conn, list []*event.Event) error {
	if len(list) == 0 {
		return nil
	}
	for _, e := range list {
		e.Flags |= event.NoConsent
	}
	xid := c.Dialect().ChangeXid()
	for part := range slices.Chunk(list, profilesAtOnce) {
		args := make([]any, 0, 3*len(part))
		for _, e := range part {
			args = append(args, e.Seq, e.Xid, int64(e.Flags))
		}
		const row = "(CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))"
		q := "UPDATE event_inbox SET flags = v.column3 FROM (VALUES " + row + strings.Repeat(", "+row, len(part)-1) + ") AS v WHERE event_inbox.seq = v.column1 AND " + xid + " = v.column2"
		if _, err := c.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	counts := map[id.ID]int64{}
	for _, e := range list {
		counts[e.Source]++
	}
	return addCounts(ctx, c, s.Withheld(counts))
}

// Withheld are counts of today of what was kept out of analysis, by source.
func (s *Store) Withheld(of map[id.ID]int64) []Count {
	today, out := s.Clock.Now().UnixMilli()/dayMs, make([]Count, 0, len(of))
	for source, n := range of {
		out = append(out, Count{Source: source, Day: today, Withheld: n})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Compare(a.Source, b.Source) })
	return out
}
