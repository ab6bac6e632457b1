package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
)

var _ automation.WatchStore = (*Automations)(nil)

const (
	watchPut = "INSERT INTO automation_watch (segment, mark, since, looked_at, head_xid, head_seq) VALUES (?, ?, ?, ?, ?, ?) " +
		"ON CONFLICT (segment) DO UPDATE SET mark = excluded.mark, since = excluded.since, looked_at = excluded.looked_at, head_xid = excluded.head_xid, head_seq = excluded.head_seq"
	watchAll    = "SELECT segment, mark, since, looked_at, head_xid, head_seq FROM automation_watch ORDER BY segment"
	watchEnd    = "DELETE FROM automation_watch WHERE segment = ?"
	watchedPart = "SELECT record_id FROM automation_member WHERE segment = ? AND record_id > ? ORDER BY record_id LIMIT ?"
	watchedOf   = "SELECT record_id FROM automation_member WHERE segment = ? AND "
	watchedDrop = "DELETE FROM automation_member WHERE segment = ? AND "
	// forgetMany is how many members are forgotten at a time.
	forgetMany = 20_000
)

// Watches implements automation.WatchStore.
func (k *Automations) Watches(ctx context.Context) ([]automation.Watch, error) {
	return read(ctx, k.store, func(rows *sql.Rows) (w automation.Watch, err error) {
		var since, looked int64
		err = rows.Scan(&w.Segment, &w.Mark, &since, &looked, &w.Head.Xid, &w.Head.Seq)
		w.Since, w.LookedAt = instant(since), instant(looked)
		return w, err
	}, watchAll)
}

// PutWatch implements automation.WatchStore.
func (k *Automations) PutWatch(ctx context.Context, w automation.Watch) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, watchPut, w.Segment, w.Mark, milli(w.Since), milli(w.LookedAt), w.Head.Xid, w.Head.Seq)
		return err
	})
}

// DropWatch implements automation.WatchStore: the watch first, so that nothing is compared with what is left.
func (k *Automations) DropWatch(ctx context.Context, segment string) error {
	err := k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, watchEnd, segment)
		return err
	})
	for err == nil {
		var page []id.ID
		if page, err = k.WatchedAfter(ctx, segment, 0, forgetMany); err != nil || len(page) == 0 {
			return err
		}
		err = k.store.Write(Bulk(ctx), func(c Conn) error { return dropMembers(ctx, c, segment, page) })
	}
	return err
}

func dropMembers(ctx context.Context, c Conn, segment string, list []id.ID) error {
	d := c.Dialect()
	_, err := c.Exec(ctx, watchedDrop+d.In("record_id"), segment, d.IDList(plain(list)))
	return err
}

// Watched implements automation.WatchStore.
func (k *Automations) Watched(ctx context.Context, segment string, customers []id.ID) ([]id.ID, error) {
	d := k.store.db.Dialect()
	return read(ctx, k.store, scanID, watchedOf+d.In("record_id"), segment, d.IDList(plain(customers)))
}

// WatchedAfter implements automation.WatchStore.
func (k *Automations) WatchedAfter(ctx context.Context, segment string, after id.ID, limit int) ([]id.ID, error) {
	return read(ctx, k.store, scanID, watchedPart, segment, int64(after), limit)
}

// Cross implements automation.WatchStore.
func (k *Automations) Cross(ctx context.Context, x automation.Crossing) error {
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		if len(x.Left) > 0 {
			if err := dropMembers(ctx, c, x.Segment, x.Left); err != nil {
				return err
			}
		}
		if len(x.Entered) > 0 {
			if err := dropMembers(ctx, c, x.Segment, x.Entered); err != nil { // another process may have put them there
				return err
			}
			err := c.InsertMany(ctx, "automation_member", []string{"segment", "record_id"}, len(x.Entered), func(i int, dst []any) { dst[0], dst[1] = x.Segment, int64(x.Entered[i]) })
			if err != nil {
				return err
			}
		}
		if len(x.Runs) == 0 {
			return nil
		}
		counts := map[id.ID]*tally{}
		for i := range x.Runs {
			r := &x.Runs[i]
			n := counts[r.Rule]
			if n == nil {
				n = &tally{}
				counts[r.Rule] = n
			}
			if r.State == automation.Looped {
				n.looped++
			} else {
				n.started++
			}
		}
		if err := insertRuns(ctx, c, x.Runs); err != nil {
			return err
		}
		if err := addHours(ctx, c, x.At, counts); err != nil {
			return err
		}
		return pauseLooped(ctx, c, x.Looped, x.At)
	})
}

// pauseLooped pauses rules with too many refused runs within the hour.
func pauseLooped(ctx context.Context, c Conn, looped map[id.ID]int, at time.Time) error {
	for rule := range looped {
		var n int
		if _, err := c.QueryRow(ctx, []any{&n}, "SELECT looped FROM automation_hour WHERE automation = ? AND hour = ?", int64(rule), hourOf(at)); err != nil {
			return err
		}
		if n < automation.LoopsAtMost {
			continue
		}
		if _, err := c.Exec(ctx, rulePause, automation.ReasonLoop, milli(at), int64(rule)); err != nil {
			return err
		}
	}
	return nil
}
