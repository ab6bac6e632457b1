package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/channel"
)

// Channels implements channel.Store.
type Channels struct{ store *Store }

var _ channel.Store = (*Channels)(nil)

// NewChannels keeps accounts in a Store.
func NewChannels(s *Store) *Channels { return &Channels{store: s} }

const (
	channelColumns = "id, channel, provider, name, settings, wrapped, secret, active, version, created_at, updated_at, last_success_at, failing_since, last_error"
	channelAll     = "SELECT " + channelColumns + " FROM channel_account ORDER BY id"
	channelNew     = "INSERT INTO channel_account (" + channelColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '')"
	channelSave    = "UPDATE channel_account SET name = ?, settings = ?, secret = ?, active = ?, version = ?, updated_at = ? WHERE id = ? AND version = ?"
	channelDrop    = "DELETE FROM channel_account WHERE id = ?"
	channelUses    = "SELECT plan FROM campaign WHERE status IN ('scheduled', 'planning', 'sending', 'paused')"
	channelFine    = "UPDATE channel_account SET last_success_at = ?, failing_since = 0, last_error = '' WHERE id = ?"
	channelFails   = "UPDATE channel_account SET failing_since = CASE WHEN failing_since = 0 THEN CAST(? AS BIGINT) ELSE failing_since END, last_error = ? WHERE id = ?"
	channelStop    = "INSERT INTO channel_address (channel, blind, reason, at) VALUES (?, ?, ?, ?) ON CONFLICT (channel, blind) DO UPDATE SET reason = excluded.reason, at = excluded.at"
	channelRelease = "DELETE FROM channel_address WHERE channel = ? AND blind = ?"
	channelStopped = "SELECT blind, reason FROM channel_address WHERE channel = ? AND "

	reportFind   = "SELECT i.id, i.run_id, i.state, i.delivered_at, c.plan FROM message_intent i JOIN campaign c ON c.id = i.run_id WHERE i.channel = 'sms' AND "
	reportTaken  = "UPDATE message_intent SET state = 'accepted', reason = '', receipt = CASE WHEN receipt = '' THEN CAST(? AS TEXT) ELSE receipt END, done_at = ? WHERE id = ? AND state IN ('sending', 'unknown')"
	reportDone   = "UPDATE message_intent SET state = 'accepted', reason = '', delivered_at = ?, receipt = CASE WHEN receipt = '' THEN CAST(? AS TEXT) ELSE receipt END, done_at = CASE WHEN done_at = 0 THEN CAST(? AS BIGINT) ELSE done_at END WHERE id = ? AND delivered_at = 0 AND state IN ('sending', 'accepted', 'unknown')"
	reportFailed = "UPDATE message_intent SET state = ?, reason = ?, receipt = CASE WHEN receipt = '' THEN CAST(? AS TEXT) ELSE receipt END, done_at = ? WHERE id = ? AND delivered_at = 0 AND state IN ('sending', 'accepted', 'unknown')"
	doubtRead    = "SELECT i.id, i.run_id, i.customer_id, i.receipt, i.handed_at, c.plan FROM message_intent i JOIN campaign c ON c.id = i.run_id " +
		"WHERE i.channel = 'sms' AND i.state = 'unknown' AND i.handed_at > ? AND i.handed_at <= ? AND i.asked < ? ORDER BY i.asked, i.handed_at, i.id LIMIT ?"
	doubtAsked   = "UPDATE message_intent SET asked = asked + 1 WHERE id = ?"
	reasonsCount = "SELECT state, reason, count(*) FROM message_intent WHERE run_id = ? AND reason <> '' AND state IN ('bounced', 'failed', 'unknown') GROUP BY state, reason ORDER BY count(*) DESC, state, reason LIMIT 50"
)

// Accounts implements channel.Store.
func (k *Channels) Accounts(ctx context.Context) (out []channel.Account, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v channel.Account
			var key, made, changed, fine, failing int64
			var settings string
			if err := r.Scan(&key, &v.Channel, &v.Provider, &v.Name, &settings, &v.Wrapped, &v.Secret, &v.Active, &v.Version, &made, &changed, &fine, &failing, &v.LastError); err != nil {
				return err
			}
			v.ID, v.CreatedAt, v.UpdatedAt, v.LastSuccess, v.FailingSince = id.ID(key), timeOf(made), timeOf(changed), timeOf(fine), timeOf(failing)
			if err := json.Unmarshal([]byte(settings), &v.Settings); err != nil {
				return fmt.Errorf("stored channel account: %w", err)
			}
			out = append(out, v)
			return nil
		}, channelAll)
	})
	return out, err
}

// Insert implements channel.Store.
func (k *Channels) Insert(ctx context.Context, a channel.Account) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, channelNew, int64(a.ID), a.Channel, a.Provider, a.Name, asJSON(a.Settings), a.Wrapped, a.Secret, a.Active, a.Version, milli(a.CreatedAt), milli(a.UpdatedAt))
		return err
	})
}

// Save implements channel.Store.
func (k *Channels) Save(ctx context.Context, a channel.Account) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, channelSave, a.Name, asJSON(a.Settings), a.Secret, a.Active, a.Version, milli(a.UpdatedAt), int64(a.ID), a.Version-1)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "channel.stale", nil)
		}
		return err
	})
}

// Delete implements channel.Store.
func (k *Channels) Delete(ctx context.Context, key id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		used := false
		if err := Each(ctx, c, func(r *sql.Rows) error {
			account, err := accountOf(r)
			used = used || account == key
			return err
		}, channelUses); err != nil {
			return err
		}
		if used {
			return fault.New(fault.Conflict, "channel.in_use", nil)
		}
		n, err := c.Exec(ctx, channelDrop, int64(key))
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "channel.not_found", nil)
		}
		return err
	})
}

func accountOf(r *sql.Rows) (id.ID, error) {
	var text string
	if err := r.Scan(&text); err != nil {
		return 0, err
	}
	return accountIn(text)
}

func accountIn(plan string) (id.ID, error) {
	var p campaign.Plan
	err := json.Unmarshal([]byte(plan), &p)
	return p.Account, err
}

// Health implements channel.Store.
func (k *Channels) Health(ctx context.Context, key id.ID, code string, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		var err error
		if code == "" {
			_, err = c.Exec(ctx, channelFine, milli(at), int64(key))
		} else {
			_, err = c.Exec(ctx, channelFails, milli(at), code, int64(key))
		}
		return err
	})
}

// Stop implements channel.Store.
func (k *Channels) Stop(ctx context.Context, ch, blind, reason string, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, channelStop, ch, blind, reason, milli(at))
		return err
	})
}

// Stopped implements channel.Store.
func (k *Channels) Stopped(ctx context.Context, ch string, blinds []string) (map[string]string, error) {
	out := map[string]string{}
	if len(blinds) == 0 {
		return out, nil
	}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		d := c.Dialect()
		return Each(ctx, c, func(r *sql.Rows) error {
			var blind, reason string
			err := r.Scan(&blind, &reason)
			out[blind] = reason
			return err
		}, channelStopped+d.In("blind"), ch, d.TextList(blinds))
	})
	return out, err
}

// Release implements channel.Store.
func (k *Channels) Release(ctx context.Context, ch, blind string) (was bool, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, channelRelease, ch, blind)
		was = n > 0
		return err
	})
	return was, err
}

// FinishIn writes what became of one line in a transaction of records: false when the line is not being sent any more.
func (k *Campaigns) FinishIn(ctx context.Context, rt any, d campaign.Done) (bool, error) {
	t, ok := rt.(*tx)
	if !ok {
		return false, fmt.Errorf("not a transaction of records: %T", rt)
	}
	n, err := t.c.Exec(ctx, finishPut, string(d.State), d.Receipt, d.Reason, milli(d.At), int64(d.Intent))
	return n > 0, err
}

// Report implements campaign.Store.
func (k *Campaigns) Report(ctx context.Context, v campaign.Report, now time.Time) (run id.ID, found bool, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		var key, of, delivered int64
		var state, plan string
		where, arg := "i.id = ?", any(int64(v.Intent))
		if v.Intent == 0 {
			where, arg = "i.receipt = ? AND i.receipt <> ''", v.Receipt
		}
		var err error
		run, found = 0, false
		ok, err := c.QueryRow(ctx, []any{&key, &of, &state, &delivered, &plan}, reportFind+where+" ORDER BY i.id DESC LIMIT 1", arg)
		if err != nil || !ok {
			return err
		}
		account, err := accountIn(plan)
		if err != nil || account != v.Account {
			return err
		}
		run, found = id.ID(of), true
		at := milli(v.At)
		if v.At.IsZero() || v.At.After(now) {
			at = milli(now)
		}
		switch {
		case v.Delivered:
			_, err = c.Exec(ctx, reportDone, at, v.Receipt, at, key)
		case v.Code != "":
			to := campaign.Failed
			if v.Dead {
				to = campaign.Bounced
			}
			_, err = c.Exec(ctx, reportFailed, string(to), v.Code, v.Receipt, at, key)
		default: // taken, and under way
			_, err = c.Exec(ctx, reportTaken, v.Receipt, milli(now), key)
		}
		return err
	})
	return run, found, err
}

// Doubts implements campaign.Store.
func (k *Campaigns) Doubts(ctx context.Context, from, to time.Time, most, limit int) (out []campaign.Doubt, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var key, run, customer, at int64
			var plan string
			var v campaign.Doubt
			if err := r.Scan(&key, &run, &customer, &v.Receipt, &at, &plan); err != nil {
				return err
			}
			v.Intent, v.Run, v.Customer, v.At = id.ID(key), id.ID(run), id.ID(customer), timeOf(at)
			var err error
			v.Account, err = accountIn(plan)
			out = append(out, v)
			return err
		}, doubtRead, milli(from), milli(to), most, limit)
	})
	return out, err
}

// Asked implements campaign.Store.
func (k *Campaigns) Asked(ctx context.Context, intent id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, doubtAsked, int64(intent))
		return err
	})
}

// Reasons implements campaign.Store.
func (k *Campaigns) Reasons(ctx context.Context, run id.ID) (out []campaign.Reason, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v campaign.Reason
			var state string
			err := r.Scan(&state, &v.Code, &v.Count)
			v.State = campaign.State(state)
			out = append(out, v)
			return err
		}, reasonsCount, int64(run))
	})
	return out, err
}
