package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

const (
	handStop  = "UPDATE message_intent SET state = 'stopped', gate = ?, wait = '', done_at = ? WHERE id = ? AND state = 'queued'"
	handLater = "UPDATE message_intent SET wait = ?, due_at = ? WHERE id = ? AND state = 'queued'"
	handTake  = "UPDATE message_intent SET state = ?, wait = '', handed_at = ?, outside = ?, parts = ? WHERE id = ? AND state = 'queued'"
	handBack  = "UPDATE message_intent SET state = ?, gate = ?, wait = ?, handed_at = 0, outside = 0, due_at = CASE WHEN CAST(? AS BIGINT) > 0 THEN CAST(? AS BIGINT) ELSE due_at END, done_at = ? WHERE id = ?"
	handAgain = "UPDATE message_intent SET outside = ? WHERE id = ?"
	handNoted = "UPDATE message_intent SET counted = TRUE WHERE id = ?"
	handCount = "SELECT counted FROM message_intent WHERE id = ?"

	countAdd  = "INSERT INTO contact_count (customer_id, channel, day, n) VALUES (?, ?, ?, 1) ON CONFLICT (customer_id, channel, day) DO UPDATE SET n = contact_count.n + 1"
	countTake = "UPDATE contact_count SET n = n - 1 WHERE customer_id = ? AND channel = ? AND day = ?"
	countSum  = "SELECT CAST(COALESCE(sum(n), 0) AS BIGINT) FROM contact_count WHERE channel = ? AND day > ? AND day <= ? AND "

	finishPut  = "UPDATE message_intent SET state = ?, receipt = ?, reason = ?, done_at = ? WHERE id = ? AND state = 'sending'"
	finishBack = "UPDATE message_intent SET state = 'queued', handed_at = 0, tries = tries + ?, reason = ?, due_at = ? WHERE id = ? AND state = 'sending'"

	settleLost = "UPDATE message_intent SET state = 'unknown', reason = 'crash', done_at = ? WHERE run_id = ? AND state = 'sending' AND handed_at < ?"
	settleRead = "SELECT i.id, COALESCE(m.state, ''), COALESCE(m.reason, ''), COALESCE(m.done_at, 0) FROM message_intent i LEFT JOIN mail_message m ON m.id = i.outside " +
		"WHERE i.run_id = ? AND i.state = 'handed' AND (m.state IS NULL OR m.state NOT IN ('waiting', 'sending')) ORDER BY i.id LIMIT 2000"
	settlePut = "UPDATE message_intent SET state = ?, reason = ?, done_at = ? WHERE id = ? AND state = 'handed'"

	seenRead  = "SELECT run_id, handed_at, done_at FROM message_intent WHERE id = ?"
	seenOpen  = "UPDATE message_intent SET opened_at = ? WHERE id = ? AND opened_at = 0"
	seenAuto  = "UPDATE message_intent SET machine_at = ? WHERE id = ? AND machine_at = 0"
	seenClick = "UPDATE message_intent SET clicked_at = ? WHERE id = ? AND clicked_at = 0"
	seenLink  = "INSERT INTO message_click (intent_id, link, machine, run_id, url, n, first_at) VALUES (?, ?, ?, ?, ?, 1, ?) ON CONFLICT (intent_id, link, machine) DO UPDATE SET n = message_click.n + 1"

	bounceHard   = "UPDATE message_intent SET state = 'bounced', reason = ?, done_at = ? WHERE outside = ? AND state IN ('handed', 'accepted', 'unknown')"
	bounceSoft   = "UPDATE message_intent SET reason = ? WHERE outside = ? AND state IN ('handed', 'accepted', 'unknown')"
	bounceAnger  = "UPDATE message_intent SET complained_at = ? WHERE outside = ? AND complained_at = 0"
	bounceAny    = "SELECT count(*) FROM mail_message WHERE id = ?"
	bounceIntent = "SELECT count(*) FROM message_intent WHERE outside = ?"
	bounceStop   = "INSERT INTO mail_address (blind, mask, reason, reply, at) SELECT blind, mask, ?, ?, ? FROM mail_message WHERE id = ? ON CONFLICT (blind) DO NOTHING"
)

// Hand implements campaign.Store. Lines are taken by ascending customer, so that two workers wait for each other and never in a circle.
func (k *Campaigns) Hand(ctx context.Context, list []campaign.Handover, caps []campaign.Cap, now time.Time) (taken []id.ID, err error) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b campaign.Handover) int { return cmp.Compare(a.Customer, b.Customer) })
	err = k.store.Write(ctx, func(c Conn) error {
		taken = nil
		for i := range list {
			ok, err := handOne(ctx, c, &list[i], caps, now)
			if err != nil {
				return err
			}
			if ok {
				taken = append(taken, list[i].Intent)
			}
		}
		return nil
	})
	return taken, err
}

func handOne(ctx context.Context, c Conn, h *campaign.Handover, caps []campaign.Cap, now time.Time) (bool, error) {
	switch h.State {
	case campaign.Held:
		_, err := c.Exec(ctx, handStop, string(h.Gate), milli(now), int64(h.Intent))
		return false, err
	case campaign.Queued:
		_, err := c.Exec(ctx, handLater, string(h.Gate), milli(h.Later), int64(h.Intent))
		return false, err
	}
	var outside id.ID
	if h.Mail != nil {
		outside = h.Mail.ID
	}
	n, err := c.Exec(ctx, handTake, string(h.State), milli(now), int64(outside), h.Parts, int64(h.Intent))
	if err != nil || n == 0 {
		return false, err
	}
	if h.Counts {
		full, err := countMessage(ctx, c, h, caps)
		if err != nil {
			return false, err
		}
		if full {
			state, gate, wait, due, ended := campaign.Held, campaign.Capped, campaign.Gate(""), int64(0), milli(now)
			if h.Wait {
				state, gate, wait, due, ended = campaign.Queued, "", campaign.Capped, milli(h.NextDay), 0
			}
			_, err = c.Exec(ctx, handBack, string(state), string(gate), string(wait), due, due, ended, int64(h.Intent))
			return false, err
		}
	}
	if h.Mail != nil {
		r, err := enqueueMail(ctx, c, h.Mail)
		if err == nil && r.ID != outside {
			_, err = c.Exec(ctx, handAgain, int64(r.ID), int64(h.Intent))
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// countMessage adds a message to the day of a person and says whether it was too many; it is taken back then. A line is counted once.
func countMessage(ctx context.Context, c Conn, h *campaign.Handover, caps []campaign.Cap) (full bool, err error) {
	var before bool
	if _, err := c.QueryRow(ctx, []any{&before}, handCount, int64(h.Intent)); err != nil || before {
		return false, err
	}
	channels := []string{"", h.Channel}
	for _, ch := range channels {
		if _, err := c.Exec(ctx, countAdd, int64(h.Customer), ch, int64(h.Day)); err != nil {
			return false, err
		}
	}
	var same []id.ID // what was sent to somebody who was merged into her was sent to her
	if len(caps) > 0 {
		if same, _, err = together(ctx, c, []id.ID{h.Customer}); err != nil {
			return false, err
		}
	}
	d := c.Dialect()
	for _, cap := range caps {
		var got int64
		if _, err := c.QueryRow(ctx, []any{&got}, countSum+d.In("customer_id"), cap.Channel, int64(h.Day)-int64(cap.Days), int64(h.Day), d.IDList(plain(same))); err != nil {
			return false, err
		}
		full = full || got > int64(cap.Most)
	}
	if !full {
		_, err = c.Exec(ctx, handNoted, int64(h.Intent))
		return false, err
	}
	for _, ch := range channels {
		if _, err := c.Exec(ctx, countTake, int64(h.Customer), ch, int64(h.Day)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// Counted implements campaign.Store.
func (k *Campaigns) Counted(ctx context.Context, customers []id.ID, from, to clock.Day) (map[id.ID]map[string]map[clock.Day]int, error) {
	out := map[id.ID]map[string]map[clock.Day]int{}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		all, who, err := together(ctx, c, customers)
		if err != nil {
			return err
		}
		d := c.Dialect()
		return Each(ctx, c, func(r *sql.Rows) error {
			var customer, day, n int64
			var channel string
			if err := r.Scan(&customer, &channel, &day, &n); err != nil {
				return err
			}
			of := out[who[id.ID(customer)]]
			if of == nil {
				of = map[string]map[clock.Day]int{}
				out[who[id.ID(customer)]] = of
			}
			if of[channel] == nil {
				of[channel] = map[clock.Day]int{}
			}
			of[channel][clock.Day(day)] += int(n) //nolint:gosec // a day fits
			return nil
		}, "SELECT customer_id, channel, day, n FROM contact_count WHERE "+d.In("customer_id")+" AND day >= ? AND day <= ? AND n > 0", d.IDList(plain(all)), int64(from), int64(to))
	})
	return out, err
}

// Finish implements campaign.Store.
func (k *Campaigns) Finish(ctx context.Context, list []campaign.Done) error {
	if len(list) == 0 {
		return nil
	}
	return k.store.Write(ctx, func(c Conn) error {
		for _, d := range list {
			var err error
			if d.State == campaign.Queued {
				tried := 0
				if d.Tried {
					tried = 1
				}
				_, err = c.Exec(ctx, finishBack, tried, d.Reason, milli(d.At), int64(d.Intent))
			} else {
				_, err = c.Exec(ctx, finishPut, string(d.State), d.Receipt, d.Reason, milli(d.At), int64(d.Intent))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// fate is what the state of a mail makes of its line.
func fate(state mail.State, reason string) campaign.State {
	switch {
	case state == mail.Sent:
		return campaign.Accepted
	case state == mail.Failed && (reason == mail.ErrAddress || reason == mail.ErrStopped):
		return campaign.Bounced
	case state == mail.Failed:
		return campaign.Failed
	case state == mail.Cancelled:
		return campaign.Cancelled
	}
	return campaign.Unknown // also a mail that was erased
}

// Settle implements campaign.Store.
func (k *Campaigns) Settle(ctx context.Context, run id.ID, before, now time.Time) (changed, open int, err error) {
	type found struct {
		intent, at    int64
		state, reason string
	}
	var list []found
	var left int64
	err = k.store.Read(ctx, func(c Conn) error {
		list = nil
		if _, err := c.QueryRow(ctx, []any{&left}, intentOpen, int64(run)); err != nil || left == 0 {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			var f found
			err := r.Scan(&f.intent, &f.state, &f.reason, &f.at)
			list = append(list, f)
			return err
		}, settleRead, int64(run))
	})
	if err != nil || left == 0 {
		return 0, int(left), err
	}
	err = k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, settleLost, milli(now), int64(run), milli(before))
		if err != nil {
			return err
		}
		changed = int(n)
		for _, f := range list {
			if f.at == 0 {
				f.at = milli(now)
			}
			n, err := c.Exec(ctx, settlePut, string(fate(mail.State(f.state), f.reason)), f.reason, f.at, f.intent)
			if err != nil {
				return err
			}
			changed += int(n)
		}
		return nil
	})
	return changed, int(left) - changed, err
}

// What comes within seconds of the handing over is a program that looks mails through.
const tooSoon = 3 * time.Second

// Seen implements campaign.Store.
func (k *Campaigns) Seen(ctx context.Context, s campaign.Sight) (ok bool, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		var run, handed, finished int64
		var err error
		if ok, err = c.QueryRow(ctx, []any{&run, &handed, &finished}, seenRead, int64(s.Intent)); err != nil || !ok {
			return err
		}
		machine := s.Machine || handed == 0 || s.At.Sub(timeOf(max(handed, finished))) < tooSoon
		at, key := milli(s.At), int64(s.Intent)
		if s.Link > 0 {
			if _, err := c.Exec(ctx, seenLink, key, s.Link, machine, run, s.URL, at); err != nil {
				return err
			}
			if !machine {
				if _, err := c.Exec(ctx, seenClick, at, key); err != nil {
					return err
				}
			}
		}
		if machine {
			_, err = c.Exec(ctx, seenAuto, at, key)
		} else {
			_, err = c.Exec(ctx, seenOpen, at, key) // who follows a link has opened it, pictures or not
		}
		return err
	})
	return ok, err
}

// Bounce implements campaign.Store.
func (k *Campaigns) Bounce(ctx context.Context, mailID id.ID, hard, complaint bool, reason string, now time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		known := int64(0)
		for _, q := range []string{bounceAny, bounceIntent} {
			var n int64
			if _, err := c.QueryRow(ctx, []any{&n}, q, int64(mailID)); err != nil {
				return err
			}
			known += n
		}
		if known == 0 {
			return fault.New(fault.NotFound, "campaign.unknown_message", nil)
		}
		var err error
		switch {
		case complaint:
			_, err = c.Exec(ctx, bounceAnger, milli(now), int64(mailID))
		case hard:
			_, err = c.Exec(ctx, bounceHard, reason, milli(now), int64(mailID))
		default:
			_, err = c.Exec(ctx, bounceSoft, reason, int64(mailID))
		}
		if err != nil || !hard && !complaint {
			return err
		}
		why := "bounced"
		if complaint {
			why = "complained"
		}
		_, err = c.Exec(ctx, bounceStop, why, reason, milli(now), int64(mailID))
		return err
	})
}
