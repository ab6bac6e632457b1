package sqlstore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// Mails implements mail.Store.
type Mails struct{ store *Store }

var _ mail.Store = (*Mails)(nil)

// NewMails keeps mail profiles and the queue in a Store.
func NewMails(s *Store) *Mails { return &Mails{store: s} }

const (
	mailProfileColumns = "id, name, host, port, security, username, wrapped, password, from_name, from_address, reply_to, per_minute, per_hour, active, standard, " +
		"dkim_selector, dkim_key, dkim_public, dkim_on, version, created_by, created_at, updated_at"
	mailProfileAll    = "SELECT " + mailProfileColumns + ", last_success_at, failing_since, last_error, last_reply FROM mail_profile ORDER BY id"
	mailProfileInsert = "INSERT INTO mail_profile (" + mailProfileColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	mailProfileUpdate = "UPDATE mail_profile SET name = ?, host = ?, port = ?, security = ?, username = ?, password = ?, from_name = ?, from_address = ?, reply_to = ?, " +
		"per_minute = ?, per_hour = ?, active = ?, standard = ?, dkim_selector = ?, dkim_key = ?, dkim_public = ?, dkim_on = ?, version = ?, updated_at = ? WHERE id = ? AND version = ?"
	mailProfileOthers = "UPDATE mail_profile SET standard = FALSE, version = version + 1 WHERE standard = TRUE AND id <> ?"
	mailProfileDelete = "DELETE FROM mail_profile WHERE id = ?"
	mailProfileOrphan = "UPDATE mail_message SET profile = 0 WHERE profile = ? AND state IN ('waiting', 'sending', 'unknown', 'failed', 'cancelled')"
	mailFared         = "UPDATE mail_profile SET last_success_at = ?, failing_since = ?, last_error = ?, last_reply = ? WHERE id = ?"
	mailGood          = "UPDATE mail_profile SET last_success_at = ?, failing_since = 0, last_error = '', last_reply = '' WHERE id = ? AND (last_success_at < ? OR failing_since > 0)"
	mailBad           = "UPDATE mail_profile SET failing_since = CASE WHEN failing_since = 0 THEN ? ELSE failing_since END, last_error = ?, last_reply = ? WHERE id = ?"
	mailColumns       = "id, once, kind, profile, used, mask, blind, wrapped, content, keep, object, record_id, user_id, by_id, state, reason, reply, attempts, tries, " +
		"created_at, next_at, until_at, tried_at, done_at"
	mailInsert = "INSERT INTO mail_message (" + mailColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (once) DO NOTHING"
	mailOnce   = "SELECT id FROM mail_message WHERE once = ?"
	mailPast   = "UPDATE mail_message SET once = once || ':' || CAST(id AS TEXT) WHERE once = ? AND state IN ('failed', 'unknown', 'cancelled')"
	mailGet    = "SELECT " + mailColumns + " FROM mail_message WHERE id = ?"
	mailDue    = "SELECT " + mailColumns + " FROM mail_message WHERE state = 'waiting' AND profile = ? AND next_at <= ? AND until_at > ? ORDER BY next_at, id LIMIT ?"
	mailTried  = "SELECT count(*) FROM mail_message WHERE used = ? AND tried_at >= ?"
	mailClaim  = "UPDATE mail_message SET state = 'sending', used = ?, tried_at = ?, attempts = attempts + 1 WHERE id = ? AND state = 'waiting' " +
		"AND NOT EXISTS (SELECT 1 FROM mail_address a WHERE a.blind = mail_message.blind)"
	mailFinish = "UPDATE mail_message SET state = ?, reason = ?, reply = ?, attempts = ?, tries = ?, used = ?, next_at = ?, tried_at = ?, done_at = ?, " +
		"content = CASE WHEN ? = 'sent' AND keep = FALSE THEN NULL ELSE content END WHERE id = ? AND (state = ? OR ? = 'sending' AND state = 'unknown' AND tried_at = ?)"
	mailExpire  = "UPDATE mail_message SET state = 'failed', reason = ?, done_at = ? WHERE state = 'waiting' AND until_at <= ?"
	mailOrphans = "UPDATE mail_message SET state = 'unknown', reason = ?, done_at = ? WHERE state <> 'sent' AND state = 'sending' AND tried_at <= ?"
	mailCounts  = "SELECT state, count(*) FROM mail_message WHERE state <> 'sent' GROUP BY state"
	mailReplay  = "UPDATE mail_message SET state = 'waiting', reason = '', tries = 0, next_at = ?, until_at = ?, done_at = 0 " +
		"WHERE id = ? AND state IN ('failed', 'unknown', 'cancelled') AND content IS NOT NULL"
	mailCancel = "UPDATE mail_message SET state = 'cancelled', done_at = ? WHERE id = ? AND state IN ('waiting', 'unknown')"
	mailSweep  = "SELECT id FROM mail_message WHERE done_at > 0 AND done_at < ? AND keep = FALSE ORDER BY done_at LIMIT 500"
	mailStop   = "INSERT INTO mail_address (blind, mask, reason, reply, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (blind) DO UPDATE SET reason = excluded.reason, reply = excluded.reply, at = excluded.at"
	mailStops  = "SELECT blind, mask, reason, reply, at FROM mail_address"
)

func scanProfile(rows *sql.Rows) (p mail.Profile, err error) {
	var key, port, minute, hour, by, created, updated, good, since int64
	var security string
	err = rows.Scan(&key, &p.Name, &p.Host, &port, &security, &p.Username, &p.Wrapped, &p.Password, &p.FromName, &p.FromAddress, &p.ReplyTo, &minute, &hour, &p.Active, &p.Standard,
		&p.Selector, &p.Key, &p.Public, &p.On, &p.Version, &by, &created, &updated, &good, &since, &p.LastError, &p.LastReply)
	p.ID, p.Port, p.PerMinute, p.PerHour, p.CreatedBy = id.ID(key), int(port), int(minute), int(hour), id.ID(by)
	p.Security, p.CreatedAt, p.UpdatedAt, p.LastSuccess, p.FailingSince = mail.Security(security), instant(created), instant(updated), instant(good), instant(since)
	return p, err
}

// Profiles implements mail.Store.
func (k *Mails) Profiles(ctx context.Context) (out []mail.Profile, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			p, err := scanProfile(rows)
			out = append(out, p)
			return err
		}, mailProfileAll)
	})
	return out, err
}

// InsertProfile implements mail.Store.
func (k *Mails) InsertProfile(ctx context.Context, p mail.Profile) error {
	return k.store.Write(ctx, func(c Conn) error {
		if p.Standard {
			if _, err := c.Exec(ctx, mailProfileOthers, int64(p.ID)); err != nil {
				return err
			}
		}
		_, err := c.Exec(ctx, mailProfileInsert, int64(p.ID), p.Name, p.Host, int64(p.Port), string(p.Security), p.Username, p.Wrapped, image(p.Password), p.FromName, p.FromAddress, p.ReplyTo,
			int64(p.PerMinute), int64(p.PerHour), p.Active, p.Standard, p.Selector, image(p.Key), p.Public, p.On, p.Version, int64(p.CreatedBy), milli(p.CreatedAt), milli(p.UpdatedAt))
		return err
	})
}

// UpdateProfile implements mail.Store.
func (k *Mails) UpdateProfile(ctx context.Context, p mail.Profile) error {
	return k.store.Write(ctx, func(c Conn) error {
		if p.Standard {
			if _, err := c.Exec(ctx, mailProfileOthers, int64(p.ID)); err != nil {
				return err
			}
		}
		n, err := c.Exec(ctx, mailProfileUpdate, p.Name, p.Host, int64(p.Port), string(p.Security), p.Username, image(p.Password), p.FromName, p.FromAddress, p.ReplyTo,
			int64(p.PerMinute), int64(p.PerHour), p.Active, p.Standard, p.Selector, image(p.Key), p.Public, p.On, p.Version, milli(p.UpdatedAt), int64(p.ID), p.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "mail.stale", nil)
		}
		return err
	})
}

// DeleteProfile implements mail.Store.
func (k *Mails) DeleteProfile(ctx context.Context, key id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, mailProfileDelete, int64(key))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "mail.profile_not_found", nil)
		}
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, mailProfileOrphan, int64(key))
		return err
	})
}

// Fared implements mail.Store.
func (k *Mails) Fared(ctx context.Context, profile id.ID, h mail.Health) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, mailFared, milli(h.LastSuccess), milli(h.FailingSince), h.LastError, h.LastReply, int64(profile))
		return err
	})
}

func scanMail(rows *sql.Rows) (it mail.Item, err error) {
	var key, profile, used, record, user, by, attempts, tries, created, next, until, tried, done int64
	var state string
	err = rows.Scan(&key, &it.Key, &it.Kind, &profile, &used, &it.Mask, &it.Blind, &it.Wrapped, &it.Content, &it.Keep, &it.About.Object, &record, &user, &by, &state, &it.Reason, &it.Reply,
		&attempts, &tries, &created, &next, &until, &tried, &done)
	it.ID, it.Profile, it.Used, it.About.Record, it.User, it.By = id.ID(key), id.ID(profile), id.ID(used), id.ID(record), id.ID(user), id.ID(by)
	it.State, it.Attempts, it.Tries = mail.State(state), int(attempts), int(tries)
	it.CreatedAt, it.NextAt, it.Until, it.TriedAt, it.DoneAt = instant(created), instant(next), instant(until), instant(tried), instant(done)
	return it, err
}

func (k *Mails) items(ctx context.Context, q string, args ...any) ([]mail.Item, error) {
	return read(ctx, k.store, scanMail, q, args...)
}

// Enqueue implements mail.Store.
func (k *Mails) Enqueue(ctx context.Context, it mail.Item) (r mail.Receipt, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		r, err = enqueueMail(ctx, c, &it)
		return err
	})
	return r, err
}

// Supersede implements mail.Store.
func (k *Mails) Supersede(ctx context.Context, it mail.Item) (r mail.Receipt, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, mailPast, it.Key); err != nil {
			return err
		}
		r, err = enqueueMail(ctx, c, &it)
		return err
	})
	return r, err
}

func enqueueMail(ctx context.Context, c Conn, it *mail.Item) (r mail.Receipt, err error) {
	n, err := c.Exec(ctx, mailInsert, int64(it.ID), it.Key, it.Kind, int64(it.Profile), int64(it.Used), it.Mask, it.Blind, it.Wrapped, image(it.Content), it.Keep, it.About.Object,
		int64(it.About.Record), int64(it.User), int64(it.By), string(it.State), it.Reason, it.Reply, int64(it.Attempts), int64(it.Tries), milli(it.CreatedAt), milli(it.NextAt), milli(it.Until),
		milli(it.TriedAt), milli(it.DoneAt))
	if err != nil {
		return r, err
	}
	if r = (mail.Receipt{ID: it.ID, Fresh: n > 0}); r.Fresh {
		return r, nil
	}
	var there int64
	_, err = c.QueryRow(ctx, []any{&there}, mailOnce, it.Key)
	r.ID = id.ID(there)
	return r, err
}

// ByKey implements mail.Store.
func (k *Mails) ByKey(ctx context.Context, key string) (mail.Item, bool, error) {
	found, err := k.items(ctx, "SELECT "+mailColumns+" FROM mail_message WHERE once = ?", key)
	if err != nil || len(found) == 0 {
		return mail.Item{}, false, err
	}
	return found[0], true, nil
}

// Due implements mail.Store.
func (k *Mails) Due(ctx context.Context, profile id.ID, now time.Time, limit int) ([]mail.Item, error) {
	return k.items(ctx, mailDue, int64(profile), milli(now), milli(now), limit)
}

// TriedSince implements mail.Store.
func (k *Mails) TriedSince(ctx context.Context, profile id.ID, at time.Time) (int, error) {
	var n int64
	err := k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, mailTried, int64(profile), milli(at))
		return err
	})
	return int(n), err
}

// Claim implements mail.Store.
func (k *Mails) Claim(ctx context.Context, it mail.Item) (ok bool, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, mailClaim, int64(it.Used), milli(it.TriedAt), int64(it.ID))
		ok = n > 0
		return err
	})
	return ok, err
}

// Finish implements mail.Store.
func (k *Mails) Finish(ctx context.Context, o mail.Outcome, from mail.State) error {
	it := &o.Item
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, mailFinish, string(it.State), it.Reason, it.Reply, int64(it.Attempts), int64(it.Tries), int64(it.Used), milli(it.NextAt), milli(it.TriedAt), milli(it.DoneAt),
			string(it.State), int64(it.ID), string(from), string(from), milli(it.TriedAt))
		if err != nil || n == 0 {
			return err
		}
		switch {
		case o.Stop:
			_, err = c.Exec(ctx, mailStop, it.Blind, it.Mask, "bounced", it.Reply, milli(o.At))
		case o.Good: // once a second at most: many messages share the row
			_, err = c.Exec(ctx, mailGood, milli(o.At), int64(it.Used), milli(o.At.Add(-time.Second)))
		case o.Bad:
			_, err = c.Exec(ctx, mailBad, milli(o.At), it.Reason, it.Reply, int64(it.Used))
		}
		return err
	})
}

// Expire implements mail.Store. Nothing is written when there is nothing to end.
func (k *Mails) Expire(ctx context.Context, now time.Time) error {
	var n int64
	err := k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, "SELECT count(*) FROM (SELECT 1 FROM mail_message WHERE state = 'waiting' AND until_at <= ? LIMIT 1) AS late", milli(now))
		return err
	})
	if err != nil || n == 0 {
		return err
	}
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, mailExpire, mail.ErrExpired, milli(now), milli(now))
		return err
	})
}

// Orphans implements mail.Store.
func (k *Mails) Orphans(ctx context.Context, before, now time.Time) (n int, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		touched, err := c.Exec(ctx, mailOrphans, mail.ErrCrash, milli(now), milli(before))
		n = int(touched)
		return err
	})
	return n, err
}

// Messages implements mail.Store.
func (k *Mails) Messages(ctx context.Context, f mail.Filter, limit int) ([]mail.Item, error) {
	var where []string
	var args []any
	add := func(text string, v any) { where, args = append(where, text), append(args, v) }
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.Kind != "" {
		add("kind = ?", f.Kind)
	}
	if f.Blind != "" {
		add("blind = ?", f.Blind)
	}
	if f.About.Record != 0 {
		add("record_id = ?", int64(f.About.Record))
	}
	if f.Before != 0 {
		add("id < ?", int64(f.Before))
	}
	q := "SELECT " + mailColumns + " FROM mail_message"
	if len(where) > 0 {
		q += " WHERE " + strings.Join(where, " AND ")
	}
	return k.items(ctx, q+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// Message implements mail.Store.
func (k *Mails) Message(ctx context.Context, key id.ID) (mail.Item, error) {
	found, err := k.items(ctx, mailGet, int64(key))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "mail.not_found", nil)
	}
	if err != nil {
		return mail.Item{}, err
	}
	return found[0], nil
}

// Counts implements mail.Store.
func (k *Mails) Counts(ctx context.Context) (map[mail.State]int, error) {
	out := map[mail.State]int{}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		return Each(ctx, c, func(rows *sql.Rows) error {
			var state string
			var n int64
			err := rows.Scan(&state, &n)
			out[mail.State(state)] = int(n)
			return err
		}, mailCounts)
	})
	return out, err
}

// touch runs a statement for each of several messages and counts those it changed.
func (k *Mails) touch(ctx context.Context, keys []id.ID, q string, args ...any) (n int, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		n = 0
		for _, key := range keys {
			touched, err := c.Exec(ctx, q, append(append([]any{}, args...), int64(key))...)
			if err != nil {
				return err
			}
			n += int(touched)
		}
		return nil
	})
	return n, err
}

// Replay implements mail.Store.
func (k *Mails) Replay(ctx context.Context, keys []id.ID, now, until time.Time) (int, error) {
	return k.touch(ctx, keys, mailReplay, milli(now), milli(until))
}

// Cancel implements mail.Store.
func (k *Mails) Cancel(ctx context.Context, keys []id.ID, now time.Time) (int, error) {
	return k.touch(ctx, keys, mailCancel, milli(now))
}

// Sweep implements mail.Store.
func (k *Mails) Sweep(ctx context.Context, before time.Time) error {
	for {
		n, err := k.remove(ctx, mailSweep, milli(before))
		if err != nil || n == 0 {
			return err
		}
	}
}

// remove deletes the messages that a query of ids finds.
func (k *Mails) remove(ctx context.Context, q string, args ...any) (n int, err error) {
	err = k.store.Write(Bulk(ctx), func(c Conn) error {
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
		_, err = c.Exec(ctx, "DELETE FROM mail_message WHERE "+d.In("id"), d.IDList(ids))
		return err
	})
	return n, err
}

// About implements mail.Store.
func (k *Mails) About(ctx context.Context, records []id.ID, until time.Time, limit int) (out []mail.Item, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		d := c.Dialect()
		ids := make([]int64, len(records))
		for i, r := range records {
			ids[i] = int64(r)
		}
		return Each(ctx, c, func(rows *sql.Rows) error {
			it, err := scanMail(rows)
			out = append(out, it)
			return err
		}, "SELECT "+mailColumns+" FROM mail_message WHERE keep = TRUE AND record_id > 0 AND "+d.In("record_id")+" AND created_at <= ? ORDER BY created_at DESC, id DESC LIMIT ?",
			d.IDList(ids), milli(until), limit)
	})
	return out, err
}

// EraseAbout implements mail.Store.
func (k *Mails) EraseAbout(ctx context.Context, record id.ID, blind string) (total int, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, "DELETE FROM meeting_guest WHERE record_id = ? AND record_id > 0 OR blind = ?", int64(record), blind); err != nil || blind == "" {
			return err
		}
		_, err := c.Exec(ctx, "UPDATE mail_address SET mask = '***' WHERE blind = ?", blind)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, q := range []struct {
		text string
		arg  any
	}{
		{"SELECT id FROM mail_message WHERE record_id > 0 AND record_id = ? ORDER BY id LIMIT 500", int64(record)},
		{"SELECT id FROM mail_message WHERE blind = ? ORDER BY id LIMIT 500", blind},
	} {
		if q.arg == "" || q.arg == int64(0) {
			continue
		}
		for {
			n, err := k.remove(ctx, q.text, q.arg)
			if err != nil {
				return total, err
			}
			if total += n; n == 0 {
				break
			}
		}
	}
	return total, nil
}

func (k *Mails) stops(ctx context.Context, q string, args ...any) (out []mail.Stopped, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var s mail.Stopped
			var at int64
			err := rows.Scan(&s.Blind, &s.Mask, &s.Reason, &s.Reply, &at)
			s.At = instant(at)
			out = append(out, s)
			return err
		}, mailStops+q, args...)
	})
	return out, err
}

// Stopped implements mail.Store.
func (k *Mails) Stopped(ctx context.Context, blind string) (mail.Stopped, bool, error) {
	found, err := k.stops(ctx, " WHERE blind = ?", blind)
	if err != nil || len(found) == 0 {
		return mail.Stopped{}, false, err
	}
	return found[0], true, nil
}

// ListStopped implements mail.Store.
func (k *Mails) ListStopped(ctx context.Context, limit int) ([]mail.Stopped, error) {
	return k.stops(ctx, " ORDER BY at DESC LIMIT ?", limit)
}

// Release implements mail.Store.
func (k *Mails) Release(ctx context.Context, blind string) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, "DELETE FROM mail_address WHERE blind = ?", blind)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "mail.address_not_found", nil)
		}
		return err
	})
}

// StoppedAmong are those of some addresses, by their keyed index, that take nothing any more.
func (k *Mails) StoppedAmong(ctx context.Context, blinds []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(blinds) == 0 {
		return out, nil
	}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		d := c.Dialect()
		return Each(ctx, c, func(r *sql.Rows) error {
			var blind string
			err := r.Scan(&blind)
			out[blind] = true
			return err
		}, "SELECT blind FROM mail_address WHERE "+d.In("blind"), d.TextList(blinds))
	})
	return out, err
}
