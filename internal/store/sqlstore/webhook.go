package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
)

// Webhooks implements webhook.Store.
type Webhooks struct{ store *Store }

var _ webhook.Store = (*Webhooks)(nil)

// NewWebhooks keeps subscriptions and their deliveries in a Store.
func NewWebhooks(s *Store) *Webhooks { return &Webhooks{store: s} }

const (
	webhookConfig = "id, name, url, rules, state, reason, reveal, wrapped, secret, old_secret, old_until, headers, header_names, version, created_by, created_at, updated_at"
	webhookAll    = "SELECT " + webhookConfig + ", last_success_at, last_failure_at, failing_since, failures, last_error FROM webhook"
	webhookInsert = "INSERT INTO webhook (" + webhookConfig + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	webhookUpdate = "UPDATE webhook SET failing_since = CASE WHEN state = 'disabled' AND ? <> 'disabled' THEN 0 ELSE failing_since END, " +
		"failures = CASE WHEN state = 'disabled' AND ? <> 'disabled' THEN 0 ELSE failures END, " +
		"name = ?, url = ?, rules = ?, state = ?, reason = ?, reveal = ?, secret = ?, old_secret = ?, old_until = ?, headers = ?, header_names = ?, " +
		"version = ?, updated_at = ? WHERE id = ? AND version = ?"
	webhookDisable = "UPDATE webhook SET state = 'disabled', reason = ?, version = version + 1 WHERE id = ?"
	webhookGood    = "UPDATE webhook SET last_success_at = ?, failing_since = 0, failures = 0, last_error = '' WHERE id = ?"
	webhookBad     = "UPDATE webhook SET last_failure_at = ?, failing_since = CASE WHEN failing_since = 0 THEN ? ELSE failing_since END, " +
		"failures = failures + 1, last_error = ? WHERE id = ?"
	webhookCounts   = "SELECT webhook, state, count(*) FROM webhook_delivery WHERE state = 'waiting' GROUP BY webhook, state"
	webhookDead     = "SELECT webhook, state, count(*) FROM webhook_delivery WHERE state = 'dead' AND type <> '" + webhook.TestType + "' GROUP BY webhook, state"
	deliveryColumns = "id, webhook, type, object, record_id, at, body, masked, state, reason, attempts, tries, next_at, done_at"
	deliveryInsert  = "INSERT INTO webhook_delivery (" + deliveryColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	deliveryDue     = "SELECT " + deliveryColumns + " FROM webhook_delivery d WHERE webhook = ? AND state = 'waiting' AND next_at <= ? AND NOT EXISTS (" +
		"SELECT 1 FROM webhook_delivery e WHERE e.webhook = d.webhook AND e.record_id = d.record_id AND e.state = 'waiting' AND e.id < d.id) " +
		"ORDER BY next_at, id LIMIT ?"
	deliveryDone = "UPDATE webhook_delivery SET state = ?, reason = ?, attempts = ?, tries = ?, next_at = ?, done_at = ? WHERE id = ?"
	attemptPut   = "INSERT INTO webhook_attempt (delivery, number, at, took, status, error, response) VALUES (?, ?, ?, ?, ?, ?, ?) " +
		"ON CONFLICT (delivery, number) DO UPDATE SET at = excluded.at, took = excluded.took, status = excluded.status, error = excluded.error, response = excluded.response"
	attemptList   = "SELECT number, at, took, status, error, response FROM webhook_attempt WHERE delivery = ? ORDER BY number"
	webhookSwept  = "SELECT id FROM webhook_delivery WHERE state <> 'waiting' AND done_at < ? AND (state = 'delivered' OR done_at < ?) ORDER BY done_at LIMIT 500"
	webhookSwept1 = "SELECT id FROM webhook_delivery WHERE webhook = ? ORDER BY id LIMIT 500"
)

func scanWebhook(rows *sql.Rows) (s webhook.Subscription, err error) {
	var key, by, until, created, updated, good, bad, since, failures int64
	var rules, state, names string
	err = rows.Scan(&key, &s.Name, &s.URL, &rules, &state, &s.Reason, &s.Reveal, &s.Wrapped, &s.Secret, &s.OldSecret, &until, &s.Headers, &names, &s.Version, &by, &created, &updated,
		&good, &bad, &since, &failures, &s.LastError)
	if err != nil {
		return s, err
	}
	s.ID, s.CreatedBy, s.State, s.Failures = id.ID(key), id.ID(by), webhook.State(state), int(failures)
	s.OldUntil, s.CreatedAt, s.UpdatedAt = instant(until), instant(created), instant(updated)
	s.LastSuccess, s.LastFailure, s.FailingSince = instant(good), instant(bad), instant(since)
	if err := json.Unmarshal([]byte(rules), &s.Rules); err != nil {
		return s, fmt.Errorf("stored webhook %d: %w", key, err)
	}
	if err := json.Unmarshal([]byte(names), &s.HeaderNames); err != nil {
		return s, fmt.Errorf("stored webhook %d: %w", key, err)
	}
	return s, nil
}

// instant is the opposite of milli.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Webhooks implements webhook.Store.
func (k *Webhooks) Webhooks(ctx context.Context, counts bool) (out []webhook.Subscription, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		err := Each(ctx, c, func(rows *sql.Rows) error {
			s, err := scanWebhook(rows)
			out = append(out, s)
			return err
		}, webhookAll+" ORDER BY id")
		if err != nil || !counts {
			return err
		}
		return countDeliveries(ctx, c, out)
	})
	return out, err
}

func countDeliveries(ctx context.Context, c Conn, subs []webhook.Subscription) error {
	for _, q := range []string{webhookCounts, webhookDead} {
		err := Each(ctx, c, func(rows *sql.Rows) error {
			var key, n int64
			var state string
			if err := rows.Scan(&key, &state, &n); err != nil {
				return err
			}
			for i := range subs {
				switch {
				case subs[i].ID != id.ID(key):
				case state == string(webhook.Waiting):
					subs[i].Waiting = int(n)
				default:
					subs[i].Dead = int(n)
				}
			}
			return nil
		}, q)
		if err != nil {
			return err
		}
	}
	return nil
}

// Webhook implements webhook.Store.
func (k *Webhooks) Webhook(ctx context.Context, key id.ID) (webhook.Subscription, error) {
	var found []webhook.Subscription
	err := k.store.Read(ctx, func(c Conn) error {
		found = nil
		err := Each(ctx, c, func(rows *sql.Rows) error {
			s, err := scanWebhook(rows)
			found = append(found, s)
			return err
		}, webhookAll+" WHERE id = ?", int64(key))
		if err != nil {
			return err
		}
		return countDeliveries(ctx, c, found)
	})
	if err != nil {
		return webhook.Subscription{}, err
	}
	if len(found) == 0 {
		return webhook.Subscription{}, fault.New(fault.NotFound, "webhook.not_found", nil)
	}
	return found[0], nil
}

// InsertWebhook implements webhook.Store.
func (k *Webhooks) InsertWebhook(ctx context.Context, s webhook.Subscription) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, webhookInsert, int64(s.ID), s.Name, s.URL, asJSON(s.Rules), string(s.State), s.Reason, s.Reveal, s.Wrapped, s.Secret, image(s.OldSecret), milli(s.OldUntil),
			image(s.Headers), asJSON(s.HeaderNames), s.Version, int64(s.CreatedBy), milli(s.CreatedAt), milli(s.UpdatedAt))
		return err
	})
}

// UpdateWebhook implements webhook.Store.
func (k *Webhooks) UpdateWebhook(ctx context.Context, s webhook.Subscription) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, webhookUpdate, string(s.State), string(s.State), s.Name, s.URL, asJSON(s.Rules), string(s.State), s.Reason, s.Reveal, s.Secret, image(s.OldSecret),
			milli(s.OldUntil), image(s.Headers), asJSON(s.HeaderNames), s.Version, milli(s.UpdatedAt), int64(s.ID), s.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "webhook.stale", nil)
		}
		return err
	})
}

// DeleteWebhook implements webhook.Store: the subscription first, so that nothing is queued any more, then its deliveries in parts.
func (k *Webhooks) DeleteWebhook(ctx context.Context, key id.ID) error {
	err := k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, "DELETE FROM webhook WHERE id = ?", int64(key))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "webhook.not_found", nil)
		}
		return err
	})
	if err != nil {
		return err
	}
	return k.forget(ctx, webhookSwept1, int64(key))
}

// forget removes the deliveries that a query of ids finds, with their attempts, until it finds none.
func (k *Webhooks) forget(ctx context.Context, q string, args ...any) error {
	return k.store.purge(ctx, []tableColumn{{"webhook_attempt", "delivery"}, {"webhook_delivery", "id"}}, q, args...)
}

func deliveryValues(d *webhook.Delivery) []any {
	masked := d.Masked
	if masked == nil {
		masked = []string{}
	}
	return []any{int64(d.ID), int64(d.Webhook), d.Type, d.Object, int64(d.Record), milli(d.At), d.Body, asJSON(masked), string(d.State), d.Reason,
		int64(d.Attempts), int64(d.Tries), milli(d.NextAt), milli(d.DoneAt)}
}

// Collect implements webhook.Store.
func (k *Webhooks) Collect(ctx context.Context, queue []webhook.Delivery, disable map[id.ID]string, to change.Position) error {
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		if err := queueDeliveries(ctx, c, queue, disable); err != nil {
			return err
		}
		return SavePosition(ctx, c, webhook.Consumer, to)
	})
}

func scanDelivery(rows *sql.Rows) (d webhook.Delivery, err error) {
	var key, hook, rec, at, attempts, tries, next, done int64
	var masked, state string
	err = rows.Scan(&key, &hook, &d.Type, &d.Object, &rec, &at, &d.Body, &masked, &state, &d.Reason, &attempts, &tries, &next, &done)
	if err != nil {
		return d, err
	}
	d.ID, d.Webhook, d.Record, d.State = id.ID(key), id.ID(hook), id.ID(rec), webhook.DeliveryState(state)
	d.At, d.NextAt, d.DoneAt, d.Attempts, d.Tries = instant(at), instant(next), instant(done), int(attempts), int(tries)
	if err := json.Unmarshal([]byte(masked), &d.Masked); err != nil {
		return d, fmt.Errorf("stored delivery %d: %w", key, err)
	}
	return d, nil
}

func (k *Webhooks) deliveries(ctx context.Context, q string, args ...any) ([]webhook.Delivery, error) {
	return read(ctx, k.store, scanDelivery, q, args...)
}

// Due implements webhook.Store.
func (k *Webhooks) Due(ctx context.Context, hook id.ID, now time.Time, limit int) ([]webhook.Delivery, error) {
	return k.deliveries(ctx, deliveryDue, int64(hook), milli(now), limit)
}

// Finish implements webhook.Store. What was deleted meanwhile is let go.
func (k *Webhooks) Finish(ctx context.Context, o webhook.Outcome) error {
	d, a := &o.Delivery, &o.Attempt
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, deliveryDone, string(d.State), d.Reason, int64(d.Attempts), int64(d.Tries), milli(d.NextAt), milli(d.DoneAt), int64(d.ID))
		if err != nil || n == 0 {
			return err
		}
		if err := putAttempt(ctx, c, d.ID, a); err != nil {
			return err
		}
		if o.OK {
			_, err = c.Exec(ctx, webhookGood, milli(a.At), int64(d.Webhook))
			return err
		}
		if _, err := c.Exec(ctx, webhookBad, milli(a.At), milli(a.At), a.Error, int64(d.Webhook)); err != nil || o.Disable == "" {
			return err
		}
		_, err = c.Exec(ctx, webhookDisable, o.Disable, int64(d.Webhook))
		return err
	})
}

func putAttempt(ctx context.Context, c Conn, delivery id.ID, a *webhook.Attempt) error {
	_, err := c.Exec(ctx, attemptPut, int64(delivery), int64(a.Number), milli(a.At), a.Took.Milliseconds(), int64(a.Status), a.Error, a.Response)
	return err
}

// conditions of a filter: the text to follow "webhook = ?", and its arguments.
func deliveryFilter(hook id.ID, f webhook.Filter) (string, []any) {
	q, args := "webhook = ?", []any{int64(hook)}
	add := func(text string, v any) {
		q += " AND " + text
		args = append(args, v)
	}
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.Delivery != 0 {
		add("id = ?", int64(f.Delivery))
	}
	if !f.From.IsZero() {
		add("at >= ?", milli(f.From))
	}
	if !f.To.IsZero() {
		add("at < ?", milli(f.To))
	}
	if f.Before != 0 {
		add("id < ?", int64(f.Before))
	}
	return q, args
}

// Deliveries implements webhook.Store.
func (k *Webhooks) Deliveries(ctx context.Context, hook id.ID, f webhook.Filter, limit int) ([]webhook.Delivery, error) {
	where, args := deliveryFilter(hook, f)
	return k.deliveries(ctx, "SELECT "+deliveryColumns+" FROM webhook_delivery WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// Attempts implements webhook.Store.
func (k *Webhooks) Attempts(ctx context.Context, delivery id.ID) (out []webhook.Attempt, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var a webhook.Attempt
			var number, at, took, status int64
			err := rows.Scan(&number, &at, &took, &status, &a.Error, &a.Response)
			a.Number, a.At, a.Took, a.Status = int(number), instant(at), time.Duration(took)*time.Millisecond, int(status)
			out = append(out, a)
			return err
		}, attemptList, int64(delivery))
	})
	return out, err
}

// Replay implements webhook.Store.
func (k *Webhooks) Replay(ctx context.Context, hook id.ID, f webhook.Filter, now time.Time) (n int, err error) {
	where, args := deliveryFilter(hook, f)
	q := "UPDATE webhook_delivery SET state = 'waiting', tries = 0, next_at = ?, done_at = 0 WHERE " + where + " AND state <> 'waiting' AND type <> ?"
	err = k.store.Write(ctx, func(c Conn) error {
		all := append([]any{milli(now)}, args...)
		touched, err := c.Exec(ctx, q, append(all, webhook.TestType)...)
		n = int(touched)
		return err
	})
	return n, err
}

// InsertDelivery implements webhook.Store.
func (k *Webhooks) InsertDelivery(ctx context.Context, d webhook.Delivery, a webhook.Attempt) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, deliveryInsert, deliveryValues(&d)...); err != nil {
			return err
		}
		return putAttempt(ctx, c, d.ID, &a)
	})
}

// tellOf writes down what other systems are to be told of, in the transaction in which it happens.
func tellOf(ctx context.Context, c Conn, h webhook.Happening, body any) error {
	text, err := jsonText(body)
	if err != nil {
		return fmt.Errorf("encode what happened: %w", err)
	}
	_, err = c.Exec(ctx, "INSERT INTO webhook_event (once, type, object, record_id, at, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (once) DO NOTHING",
		h.Once, string(h.Type), h.Object, int64(h.Record), milli(h.At), text)
	return err
}

// Happenings implements webhook.Store.
func (k *Webhooks) Happenings(ctx context.Context, limit int) ([]webhook.Happening, error) {
	return read(ctx, k.store, func(rows *sql.Rows) (h webhook.Happening, err error) {
		var kind, body string
		var rec, at int64
		err = rows.Scan(&h.Once, &kind, &h.Object, &rec, &at, &body)
		h.Type, h.Record, h.At, h.Body = webhook.Kind(kind), id.ID(rec), instant(at), []byte(body)
		return h, err
	}, "SELECT once, type, object, record_id, at, body FROM webhook_event ORDER BY at, once LIMIT ?", limit)
}

// Tell implements webhook.Store. Happenings that another process has told of meanwhile are Stale webhook.stale, and nothing is queued.
func (k *Webhooks) Tell(ctx context.Context, queue []webhook.Delivery, disable map[id.ID]string, told []webhook.Happening) error {
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		for i := range told {
			n, err := c.Exec(ctx, "DELETE FROM webhook_event WHERE once = ?", told[i].Once)
			if err == nil && n == 0 {
				err = fault.New(fault.Stale, "webhook.stale", nil)
			}
			if err != nil {
				return err
			}
		}
		return queueDeliveries(ctx, c, queue, disable)
	})
}

func queueDeliveries(ctx context.Context, c Conn, queue []webhook.Delivery, disable map[id.ID]string) error {
	if len(queue) > 0 {
		err := c.InsertMany(ctx, "webhook_delivery", strings.Split(deliveryColumns, ", "), len(queue), func(i int, dst []any) { copy(dst, deliveryValues(&queue[i])) })
		if err != nil {
			return err
		}
	}
	for key, reason := range disable {
		if _, err := c.Exec(ctx, webhookDisable, reason, int64(key)); err != nil {
			return err
		}
	}
	return nil
}

// Sweep implements webhook.Store.
func (k *Webhooks) Sweep(ctx context.Context, delivered, dead time.Time) error {
	return k.forget(ctx, webhookSwept, milli(delivered), milli(dead))
}
