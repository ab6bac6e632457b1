package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Talk implements talk.Store.
type Talk struct{ store *Store }

var _ talk.Store = (*Talk)(nil)

// NewTalk keeps comments, follows and notifications in a Store.
func NewTalk(s *Store) *Talk { return &Talk{store: s} }

const (
	commentColumns = "id, object, record_id, body, by_id, at, edited_at, deleted_at, deleted_by, version"
	commentInsert  = "INSERT INTO comment (" + commentColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	commentGet     = "SELECT " + commentColumns + " FROM comment WHERE id = ?"
	commentKeep    = "INSERT INTO comment_revision (comment, version, body, at) SELECT id, version, body, CASE WHEN edited_at > 0 THEN edited_at ELSE at END FROM comment WHERE id = ? AND version = ?"
	commentEdit    = "UPDATE comment SET body = ?, edited_at = ?, version = ? WHERE id = ? AND version = ? AND deleted_at = 0"
	commentDelete  = "UPDATE comment SET deleted_at = ?, deleted_by = ? WHERE id = ? AND deleted_at = 0"
	revisionList   = "SELECT version, body, at FROM comment_revision WHERE comment = ? ORDER BY version"
	followSet      = "INSERT INTO follow (record_id, user_id, object, at) VALUES (?, ?, ?, ?) ON CONFLICT (record_id, user_id) DO NOTHING"
	followEnd      = "DELETE FROM follow WHERE record_id = ? AND user_id = ?"
	followOne      = "SELECT at FROM follow WHERE record_id = ? AND user_id = ?"
	noticeColumns  = "id, user_id, kind, object, record_id, by_kind, by_id, at, read_at, times, detail"
	noticeInsert   = "INSERT INTO notification (" + noticeColumns + ", once, mailed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (once) DO NOTHING"
	noticeOnce     = "SELECT id FROM notification WHERE once = ?"
	noticeJoin     = "SELECT id FROM notification WHERE user_id = ? AND record_id = ? AND kind = 'changed' AND read_at = 0 ORDER BY id DESC LIMIT 1"
	noticeJoined   = "UPDATE notification SET times = times + 1, at = ?, by_kind = ?, by_id = ?, detail = ?, once = ? WHERE id = ?"
	noticeUnread   = "SELECT count(*) FROM notification WHERE user_id = ? AND read_at = 0"
	noticeReadAll  = "UPDATE notification SET read_at = ? WHERE user_id = ? AND read_at = 0"
	// SQLite uses the index of what is open only where its condition stands in the question as it is.
	noticeUnmailed = "SELECT " + noticeColumns + " FROM notification WHERE mailed <> 1 AND mailed = 0 ORDER BY id LIMIT ?"
	noticeDigests  = "SELECT " + noticeColumns + " FROM notification WHERE mailed <> 1 AND mailed = 2 AND at < ? ORDER BY user_id, id LIMIT ?"
	noticeMailed   = "UPDATE notification SET mailed = ? WHERE "
	noticeDetail   = "SELECT detail FROM notification WHERE once = ?"
	noticeRetell   = "UPDATE notification SET detail = ? WHERE once = ?"
	noticeForget   = "SELECT id FROM notification WHERE at < ? ORDER BY id LIMIT 500"
)

func scanComment(rows *sql.Rows) (c talk.Comment, err error) {
	var key, rec, by, at, edited, deleted, deletedBy int64
	err = rows.Scan(&key, &c.Object, &rec, &c.Body, &by, &at, &edited, &deleted, &deletedBy, &c.Version)
	c.ID, c.Record, c.By, c.DeletedBy = id.ID(key), id.ID(rec), id.ID(by), id.ID(deletedBy)
	c.At, c.EditedAt, c.DeletedAt = instant(at), instant(edited), instant(deleted)
	return c, err
}

// AddComment implements talk.Store.
func (k *Talk) AddComment(ctx context.Context, c talk.Comment, told []talk.Notification) error {
	return k.store.Write(ctx, func(conn Conn) error {
		if _, err := conn.Exec(ctx, commentInsert, int64(c.ID), c.Object, int64(c.Record), c.Body, int64(c.By), milli(c.At), 0, 0, 0, c.Version); err != nil {
			return err
		}
		_, err := tell(ctx, conn, told)
		return err
	})
}

// EditComment implements talk.Store.
func (k *Talk) EditComment(ctx context.Context, c talk.Comment, told []talk.Notification) error {
	return k.store.Write(ctx, func(conn Conn) error {
		if _, err := conn.Exec(ctx, commentKeep, int64(c.ID), c.Version-1); err != nil {
			return err
		}
		n, err := conn.Exec(ctx, commentEdit, c.Body, milli(c.EditedAt), c.Version, int64(c.ID), c.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "talk.stale", nil)
		}
		if err == nil {
			_, err = tell(ctx, conn, told)
		}
		return err
	})
}

// DeleteComment implements talk.Store.
func (k *Talk) DeleteComment(ctx context.Context, c talk.Comment) error {
	return k.store.Write(ctx, func(conn Conn) error {
		_, err := conn.Exec(ctx, commentDelete, milli(c.DeletedAt), int64(c.DeletedBy), int64(c.ID))
		return err
	})
}

// Comment implements talk.Store.
func (k *Talk) Comment(ctx context.Context, key id.ID) (talk.Comment, error) {
	list, err := read(ctx, k.store, scanComment, commentGet, int64(key))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "talk.comment_not_found", nil)
	}
	if err != nil {
		return talk.Comment{}, err
	}
	return list[0], nil
}

// read collects the rows of one query.
func read[T any](ctx context.Context, s *Store, scan func(*sql.Rows) (T, error), q string, args ...any) (out []T, err error) {
	err = s.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			v, err := scan(rows)
			out = append(out, v)
			return err
		}, q, args...)
	})
	return out, err
}

// tableColumn is a column of a table that holds an id.
type tableColumn struct{ table, name string }

// purge removes the rows of some tables that hold an id which a query finds, in that order and a part at a time, until it finds
// none. The query limits itself, so that others write in between.
func (s *Store) purge(ctx context.Context, from []tableColumn, q string, args ...any) error {
	for {
		n := 0
		err := s.Write(Bulk(ctx), func(c Conn) error {
			var ids []int64
			err := Each(ctx, c, func(rows *sql.Rows) error {
				var v int64
				err := rows.Scan(&v)
				ids = append(ids, v)
				return err
			}, q, args...)
			if n = len(ids); err != nil || n == 0 {
				return err
			}
			d := c.Dialect()
			for _, col := range from {
				if _, err := c.Exec(ctx, "DELETE FROM "+col.table+" WHERE "+d.In(col.name), d.IDList(ids)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

func longs(ids []id.ID) []int64 {
	out := make([]int64, len(ids))
	for i, v := range ids {
		out[i] = int64(v)
	}
	return out
}

// Comments implements talk.Store.
func (k *Talk) Comments(ctx context.Context, records []id.ID, until time.Time, limit int) ([]talk.Comment, error) {
	d := k.store.db.Dialect()
	q := "SELECT " + commentColumns + " FROM comment WHERE " + d.In("record_id") + " AND at <= ? ORDER BY at DESC, id DESC LIMIT ?"
	return read(ctx, k.store, scanComment, q, d.IDList(longs(records)), milli(until), limit)
}

// Revisions implements talk.Store.
func (k *Talk) Revisions(ctx context.Context, comment id.ID) ([]talk.Revision, error) {
	return read(ctx, k.store, func(rows *sql.Rows) (r talk.Revision, err error) {
		var at int64
		err = rows.Scan(&r.Version, &r.Body, &at)
		r.At = instant(at)
		return r, err
	}, revisionList, int64(comment))
}

// familyAtMost bounds the merges that are followed back.
const familyAtMost = 100

// Family implements talk.Store.
func (k *Talk) Family(ctx context.Context, rec id.ID) ([]id.ID, error) {
	return k.store.Family(ctx, rec)
}

// Family is a record with those that became part of it, and part of those.
func (s *Store) Family(ctx context.Context, rec id.ID) (out []id.ID, err error) {
	err = s.View(ctx, func(r record.Reader) error {
		out = []id.ID{rec}
		m, ok := r.(record.MergeReader)
		if !ok {
			return nil
		}
		for i := 0; i < len(out); i++ {
			merges, err := m.MergesOf(ctx, out[i], familyAtMost)
			if err != nil {
				return err
			}
			for _, row := range merges {
				for _, v := range row.Merged {
					if !slices.Contains(out, v) {
						out = append(out, v)
					}
				}
			}
		}
		return nil
	})
	return out, err
}

// SetFollow implements talk.Store.
func (k *Talk) SetFollow(ctx context.Context, object string, rec, user id.ID, on bool, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) (err error) {
		if on {
			_, err = c.Exec(ctx, followSet, int64(rec), int64(user), object, milli(at))
		} else {
			_, err = c.Exec(ctx, followEnd, int64(rec), int64(user))
		}
		return err
	})
}

// Followers implements talk.Store.
func (k *Talk) Followers(ctx context.Context, records []id.ID) (map[id.ID][]id.ID, error) {
	d := k.store.db.Dialect()
	type pair struct{ rec, user id.ID }
	list, err := read(ctx, k.store, func(rows *sql.Rows) (p pair, err error) {
		var rec, user int64
		err = rows.Scan(&rec, &user)
		return pair{id.ID(rec), id.ID(user)}, err
	}, "SELECT record_id, user_id FROM follow WHERE "+d.In("record_id"), d.IDList(longs(records)))
	out := map[id.ID][]id.ID{}
	for _, p := range list {
		out[p.rec] = append(out[p.rec], p.user)
	}
	return out, err
}

// Following implements talk.Store.
func (k *Talk) Following(ctx context.Context, rec, user id.ID) (found bool, err error) {
	var at int64
	err = k.store.Read(ctx, func(c Conn) (err error) {
		found, err = c.QueryRow(ctx, []any{&at}, followOne, int64(rec), int64(user))
		return err
	})
	return found, err
}

// tell stores notifications that are not there yet. A change of a record of which somebody has an unread notification joins it.
func tell(ctx context.Context, c Conn, told []talk.Notification) ([]talk.Notification, error) {
	var fresh []talk.Notification
	for _, n := range told {
		var there int64
		if found, err := c.QueryRow(ctx, []any{&there}, noticeOnce, n.Once); err != nil || found {
			if err != nil {
				return nil, err
			}
			continue
		}
		if n.Kind == talk.Changed {
			found, err := c.QueryRow(ctx, []any{&there}, noticeJoin, int64(n.User), int64(n.Record))
			if err != nil {
				return nil, err
			}
			if found {
				if _, err := c.Exec(ctx, noticeJoined, milli(n.At), string(n.ByKind), int64(n.By), asJSON(n.Detail), n.Once, there); err != nil {
					return nil, err
				}
				fresh = append(fresh, n)
				continue
			}
		}
		added, err := c.Exec(ctx, noticeInsert, int64(n.ID), int64(n.User), string(n.Kind), n.Object, int64(n.Record), string(n.ByKind), int64(n.By), milli(n.At), 0, n.Times,
			asJSON(n.Detail), n.Once)
		if err != nil {
			return nil, err
		}
		if added == 0 {
			continue
		}
		fresh = append(fresh, n)
	}
	return fresh, nil
}

// Tell implements talk.Store.
func (k *Talk) Tell(ctx context.Context, told []talk.Notification) (fresh []talk.Notification, err error) {
	err = k.store.Write(ctx, func(c Conn) (err error) {
		fresh, err = tell(ctx, c, told)
		return err
	})
	return fresh, err
}

// Collect implements talk.Store.
func (k *Talk) Collect(ctx context.Context, told []talk.Notification, consumer string, to change.Position) (fresh []talk.Notification, err error) {
	if len(told) == 0 {
		return nil, k.store.Log().SavePosition(ctx, consumer, to)
	}
	err = k.store.Write(ctx, func(c Conn) (err error) {
		if fresh, err = tell(ctx, c, told); err != nil {
			return err
		}
		return SavePosition(ctx, c, consumer, to)
	})
	return fresh, err
}

func scanNotice(rows *sql.Rows) (n talk.Notification, err error) {
	var key, user, rec, by, at, seen int64
	var kind, byKind, detail string
	if err = rows.Scan(&key, &user, &kind, &n.Object, &rec, &byKind, &by, &at, &seen, &n.Times, &detail); err != nil {
		return n, err
	}
	n.ID, n.User, n.Record, n.By = id.ID(key), id.ID(user), id.ID(rec), id.ID(by)
	n.Kind, n.ByKind, n.At, n.ReadAt = talk.Kind(kind), access.ActorKind(byKind), instant(at), instant(seen)
	if err := json.Unmarshal([]byte(detail), &n.Detail); err != nil {
		return n, fmt.Errorf("stored notification %d: %w", key, err)
	}
	return n, nil
}

// Notifications implements talk.Store.
func (k *Talk) Notifications(ctx context.Context, user id.ID, unread bool, before id.ID, limit int) ([]talk.Notification, error) {
	q, args := "SELECT "+noticeColumns+" FROM notification WHERE user_id = ?", []any{int64(user)}
	if unread {
		q += " AND read_at = 0"
	}
	if before != 0 {
		q, args = q+" AND id < ?", append(args, int64(before))
	}
	return read(ctx, k.store, scanNotice, q+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// Unread implements talk.Store.
func (k *Talk) Unread(ctx context.Context, user id.ID) (n int, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, noticeUnread, int64(user))
		return err
	})
	return n, err
}

// Read implements talk.Store.
func (k *Talk) Read(ctx context.Context, user id.ID, keys []id.ID, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) (err error) {
		if len(keys) == 0 {
			_, err = c.Exec(ctx, noticeReadAll, milli(at), int64(user))
			return err
		}
		d := c.Dialect()
		_, err = c.Exec(ctx, noticeReadAll+" AND "+d.In("id"), milli(at), int64(user), d.IDList(longs(keys)))
		return err
	})
}

// Retell implements talk.Store.
func (k *Talk) Retell(ctx context.Context, once, text string) error {
	return k.store.Write(ctx, func(c Conn) error {
		var raw []byte
		found, err := c.QueryRow(ctx, []any{&raw}, noticeDetail, once)
		if err != nil || !found {
			return err
		}
		var d talk.Detail
		if err := json.Unmarshal(raw, &d); err != nil {
			return fmt.Errorf("read notification: %w", err)
		}
		d.Text = text
		if raw, err = json.Marshal(d); err != nil {
			return err
		}
		_, err = c.Exec(ctx, noticeRetell, string(raw), once)
		return err
	})
}

// Forget implements talk.Store, some hundred at a time.
func (k *Talk) Forget(ctx context.Context, before time.Time) error {
	for {
		n := 0
		err := k.store.Write(Bulk(ctx), func(c Conn) error {
			var ids []int64
			err := Each(ctx, c, func(rows *sql.Rows) error {
				var v int64
				err := rows.Scan(&v)
				ids = append(ids, v)
				return err
			}, noticeForget, milli(before))
			if n = len(ids); err != nil || n == 0 {
				return err
			}
			d := c.Dialect()
			_, err = c.Exec(ctx, "DELETE FROM notification WHERE "+d.In("id"), d.IDList(ids))
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

var _ talk.MailStore = (*Talk)(nil)

// Unmailed implements talk.MailStore.
func (k *Talk) Unmailed(ctx context.Context, limit int) ([]talk.Notification, error) {
	return read(ctx, k.store, scanNotice, noticeUnmailed, limit)
}

// Mailed implements talk.MailStore.
func (k *Talk) Mailed(ctx context.Context, keys []id.ID, state int) error {
	return k.store.Write(ctx, func(c Conn) error {
		d := c.Dialect()
		_, err := c.Exec(ctx, noticeMailed+d.In("id"), int64(state), d.IDList(longs(keys)))
		return err
	})
}

// Digests implements talk.MailStore.
func (k *Talk) Digests(ctx context.Context, before time.Time, limit int) ([]talk.Notification, error) {
	return read(ctx, k.store, scanNotice, noticeDigests, milli(before), limit)
}
