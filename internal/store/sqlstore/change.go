package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Append implements record.Tx. On PostgreSQL the rows get the transaction's id, on SQLite the next sequence numbers.
func (t *tx) Append(ctx context.Context, rows []change.Row) error {
	if len(rows) == 0 {
		return nil
	}
	err := t.c.InsertMany(ctx, "change", changeColumns, len(rows), func(i int, dst []any) {
		r := &rows[i]
		dst[0], dst[1], dst[2], dst[3], dst[4] = r.Object, int64(r.Record), r.Version, string(r.Op), r.At
		dst[5], dst[6], dst[7] = string(r.ByKind), int64(r.By), int64(r.Batch)
		dst[8], dst[9] = image(r.Before), image(r.After)
	})
	if err != nil {
		return err
	}
	_, err = t.c.QueryRow(ctx, []any{&t.last.Xid, &t.last.Seq}, t.c.Dialect().LastChange())
	return err
}

var changeColumns = []string{"object", "record_id", "version", "op", "at", "by_kind", "by_id", "batch_id", "before", "after"}

func image(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// readChanges reads rows of the dialect's ChangeColumns.
func readChanges(ctx context.Context, c Conn, q string, args ...any) ([]change.Row, error) {
	var out []change.Row
	err := Each(ctx, c, func(r *sql.Rows) error {
		var row change.Row
		var op, kind string
		var rec, by, batch int64
		p := &row.Position
		if err := r.Scan(&p.Xid, &p.Seq, &row.Object, &rec, &row.Version, &op, &row.At, &kind, &by, &batch, &row.Before, &row.After); err != nil {
			return err
		}
		row.Record, row.Op, row.ByKind, row.By, row.Batch = id.ID(rec), change.Op(op), access.ActorKind(kind), id.ID(by), id.ID(batch)
		out = append(out, row)
		return nil
	}, q, args...)
	return out, err
}

// Changes implements record.Reader. Its transaction's own and other committed rows are seen, whether consumers may read
// them yet or not.
func (t *tx) Changes(ctx context.Context, object string, rec id.ID, before change.Position, limit int) ([]change.Row, error) {
	if before == (change.Position{}) {
		before = change.Position{Xid: math.MaxInt64, Seq: math.MaxInt64}
	}
	d := t.c.Dialect()
	q := "SELECT " + d.ChangeColumns() + " FROM change WHERE record_id = ? AND object = ? AND " + d.ChangeBefore() +
		" ORDER BY " + d.ChangeOrder(true) + " LIMIT ?"
	return readChanges(ctx, t.c, q, int64(rec), object, before.Xid, before.Seq, limit)
}

// Read implements change.Log.
func (l changeLog) Read(ctx context.Context, after change.Position, limit int) (rows []change.Row, err error) {
	d := l.s.db.Dialect()
	bound, err := l.bound(ctx)
	if err != nil {
		return nil, err
	}
	q := "SELECT " + d.ChangeColumns() + " FROM change WHERE " + d.ChangeAfter() + " AND " + d.ChangeBelow() + " ORDER BY " + d.ChangeOrder(false) + " LIMIT ?"
	err = l.s.db.Read(ctx, func(c Conn) error {
		rows, err = readChanges(ctx, c, q, after.Xid, after.Seq, bound, limit)
		return err
	})
	return rows, err
}

// bound is asked in a transaction of its own: the one that reads the rows must begin after it.
func (l changeLog) bound(ctx context.Context) (bound int64, err error) {
	q := l.s.db.Dialect().ChangeBound()
	if q == "" {
		return math.MaxInt64, nil
	}
	err = l.s.db.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&bound}, q)
		return err
	})
	return bound, err
}

// changeLog implements change.Log.
type changeLog struct{ s *Store }

// Log is the change log for consumers.
func (s *Store) Log() change.Log { return changeLog{s} }

// Head implements change.Log.
func (l changeLog) Head(ctx context.Context) (p change.Position, err error) {
	d := l.s.db.Dialect()
	bound, err := l.bound(ctx)
	if err != nil {
		return p, err
	}
	err = l.s.db.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&p.Xid, &p.Seq}, "SELECT "+d.ChangeXid()+", seq FROM change WHERE "+d.ChangeBelow()+
			" ORDER BY "+d.ChangeOrder(true)+" LIMIT 1", bound)
		return err
	})
	return p, err
}

// LoadPosition implements change.Log.
func (l changeLog) LoadPosition(ctx context.Context, consumer string) (p change.Position, err error) {
	err = l.s.db.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&p.Xid, &p.Seq}, "SELECT xid, seq FROM consumer_position WHERE consumer = ?", consumer)
		return err
	})
	return p, err
}

// SavePosition implements change.Log.
func (l changeLog) SavePosition(ctx context.Context, consumer string, p change.Position) error {
	return l.s.db.Write(ctx, func(c Conn) error { return SavePosition(ctx, c, consumer, p) })
}

// SavePosition stores where a consumer stopped in the transaction that does its work, so that both commit together.
func SavePosition(ctx context.Context, c Conn, consumer string, p change.Position) error {
	const q = "INSERT INTO consumer_position(consumer, xid, seq) VALUES (?, ?, ?) " +
		"ON CONFLICT (consumer) DO UPDATE SET xid = excluded.xid, seq = excluded.seq"
	_, err := c.Exec(ctx, q, consumer, p.Xid, p.Seq)
	return err
}

// BeginAtHead gives consumers that have none yet the position of this moment: for them what was before is nobody's, and what comes then is
// theirs, also when the process ends before they first run.
func (s *Store) BeginAtHead(ctx context.Context, consumers ...string) error {
	log := changeLog{s}
	for _, name := range consumers {
		p, err := log.LoadPosition(ctx, name)
		if err != nil {
			return err
		}
		if p != (change.Position{}) {
			continue
		}
		if p, err = log.Head(ctx); err != nil {
			return err
		}
		if p == (change.Position{}) { // zero stands for none
			p.Seq = -1
		}
		err = s.Write(ctx, func(c Conn) error {
			_, err := c.Exec(ctx, "INSERT INTO consumer_position(consumer, xid, seq) VALUES (?, ?, ?) ON CONFLICT (consumer) DO NOTHING", name, p.Xid, p.Seq)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const positions = "SELECT xid, seq FROM consumer_position"

// Behind reports whether any consumer has not come to a position yet.
func (s *Store) Behind(ctx context.Context, at change.Position) (behind bool, err error) {
	list, err := read(ctx, s, func(r *sql.Rows) (p change.Position, err error) { return p, r.Scan(&p.Xid, &p.Seq) }, positions)
	for _, p := range list {
		behind = behind || p.Less(at)
	}
	return behind, err
}

// ForgetConsumer removes a consumer that is no more, so that Trim does not wait for it.
func (s *Store) ForgetConsumer(ctx context.Context, consumer string) error {
	return s.db.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, "DELETE FROM consumer_position WHERE consumer = ?", consumer)
		return err
	})
}

// committed wakes everybody who waits for changes.
func (s *Store) committed() {
	s.wakeMu.Lock()
	defer s.wakeMu.Unlock()
	close(s.wake)
	s.wake = make(chan struct{})
}

func (s *Store) woken() <-chan struct{} {
	s.wakeMu.Lock()
	defer s.wakeMu.Unlock()
	return s.wake
}

const waitAtMost = time.Second

// Wait implements change.Log.
func (l changeLog) Wait(ctx context.Context) error {
	return waitFor(ctx, l.s.woken(), waitAtMost)
}

// WaitAfter implements change.Log. Other processes, and on PostgreSQL writers that hold rows back, wake nobody
// here: there the log is also looked at a few times a second.
func (l changeLog) WaitAfter(ctx context.Context, after change.Position) error {
	d := l.s.db.Dialect()
	for {
		wake := l.s.woken() // before looking, so that no commit falls between
		found, err := l.any(ctx, after, math.MaxInt64)
		if found && d.ChangeBound() != "" {
			var bound int64
			if bound, err = l.bound(ctx); err == nil {
				found, err = l.any(ctx, after, bound)
			}
		}
		if err != nil || found {
			return err
		}
		if err := waitFor(ctx, wake, d.PollEvery()); err != nil {
			return err
		}
	}
}

// any reports whether there are rows after a position and below a bound.
func (l changeLog) any(ctx context.Context, after change.Position, bound int64) (found bool, err error) {
	d := l.s.db.Dialect()
	q := "SELECT seq FROM change WHERE " + d.ChangeAfter() + " AND " + d.ChangeBelow() + " LIMIT 1"
	err = l.s.db.Read(ctx, func(c Conn) (err error) {
		var seq int64
		found, err = c.QueryRow(ctx, []any{&seq}, q, after.Xid, after.Seq, bound)
		return err
	})
	return found, err
}

// waitFor waits for a wake-up, at most d when it is positive.
func waitFor(ctx context.Context, wake <-chan struct{}, d time.Duration) error {
	var tick <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		tick = t.C
	}
	select {
	case <-wake:
		return nil
	case <-tick:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Trim implements change.Log.
func (l changeLog) Trim(ctx context.Context, policy change.TrimPolicy) (int, error) {
	if policy.Limit == 0 {
		policy.Limit = 10_000
	}
	d := l.s.db.Dialect()
	var n int64
	err := l.s.db.Write(Bulk(ctx), func(c Conn) error {
		var p change.Position
		found, err := c.QueryRow(ctx, []any{&p.Xid, &p.Seq}, "SELECT xid, seq FROM consumer_position ORDER BY xid, seq LIMIT 1")
		if err != nil || !found {
			return err
		}
		var head change.Position
		if _, err := c.QueryRow(ctx, []any{&head.Xid, &head.Seq}, "SELECT "+d.ChangeXid()+", seq FROM change ORDER BY "+d.ChangeOrder(true)+" LIMIT 1"); err != nil {
			return err
		}
		if !p.Less(head) { // the newest row stays, so that a position is never ahead of the log
			p = head
		} else {
			p.Seq++
		}
		key := d.ChangeKey()
		q := "DELETE FROM change WHERE (" + key + ") IN (SELECT " + key + " FROM change WHERE " + d.ChangeBefore() +
			" AND (op = 'create' AND before IS NULL AND after IS NULL AND at < ? OR NOT (op = 'create' AND before IS NULL AND after IS NULL) AND at < ?)" +
			" ORDER BY " + d.ChangeOrder(false) + " LIMIT ?)"
		n, err = c.Exec(ctx, q, p.Xid, p.Seq, policy.CreatesBefore, policy.ImagesBefore, policy.Limit)
		return err
	})
	return int(n), err
}
