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
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
)

// Campaigns implements campaign.Store.
type Campaigns struct{ store *Store }

var _ campaign.Store = (*Campaigns)(nil)

// NewCampaigns keeps campaigns in a Store.
func NewCampaigns(s *Store) *Campaigns { return &Campaigns{store: s} }

const (
	campaignColumns = "id, name, channel, status, plan, version, cursor, audience, reason, created_by, created_at, updated_by, updated_at, started_by, start_at, began_at, ended_at"
	campaignAll     = "SELECT " + campaignColumns + " FROM campaign ORDER BY id DESC"
	campaignGet     = "SELECT " + campaignColumns + " FROM campaign WHERE id = ?"
	campaignNew     = "INSERT INTO campaign (" + campaignColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	campaignPut     = "UPDATE campaign SET name = ?, channel = ?, status = ?, plan = ?, version = ?, updated_by = ?, updated_at = ?, started_by = ?, start_at = ? WHERE id = ? AND version = ?"
	campaignMove    = "UPDATE campaign SET status = ?, reason = ?, began_at = ?, ended_at = ? WHERE id = ? AND status IN ("
	campaignDrop    = "DELETE FROM campaign WHERE id = ? AND status = 'draft'"
	campaignGrown   = "UPDATE campaign SET audience = audience + ? WHERE id = ?"
	campaignCursor  = "UPDATE campaign SET cursor = ?, audience = audience + ? WHERE id = ? AND status = 'planning'"

	intentColumns = "id, run_id, customer_id, channel, step, arm, eligible, state, gate, due_at, created_at, handed_at, done_at, reason, opened_at, machine_at, clicked_at, tries"
	intentRead    = "SELECT " + intentColumns + " FROM message_intent WHERE "
	intentNew     = "INSERT INTO message_intent (id, run_id, customer_id, channel, step, arm, eligible, state, gate, due_at, created_at, done_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) " +
		"ON CONFLICT (run_id, customer_id, channel, step) DO NOTHING"
	intentDue    = intentRead + "run_id = ? AND state = 'queued' AND due_at <= ? ORDER BY due_at, id LIMIT ?"
	intentRecent = "SELECT count(*) FROM message_intent WHERE run_id = ? AND handed_at > 0 AND handed_at >= ?"
	intentOpen   = "SELECT count(*) FROM message_intent WHERE run_id = ? AND state IN ('handed', 'sending')"
	intentCancel = "UPDATE message_intent SET state = 'cancelled', wait = '', done_at = ? WHERE run_id = ? AND state = 'queued'"
	mailsCancel  = "UPDATE mail_message SET state = 'cancelled', done_at = ? WHERE state = 'waiting' AND id IN (SELECT outside FROM message_intent WHERE run_id = ? AND state = 'handed')"

	intentSums = "SELECT i.arm, i.eligible, i.state, i.gate, i.wait, count(*), CAST(COALESCE(sum(i.parts), 0) AS BIGINT), " +
		"sum(CASE WHEN i.opened_at > 0 THEN 1 ELSE 0 END), sum(CASE WHEN i.machine_at > 0 AND i.opened_at = 0 THEN 1 ELSE 0 END), sum(CASE WHEN i.clicked_at > 0 THEN 1 ELSE 0 END), " +
		"sum(CASE WHEN c.subject_id IS NULL THEN 0 ELSE 1 END), sum(CASE WHEN i.complained_at > 0 THEN 1 ELSE 0 END), sum(CASE WHEN i.delivered_at > 0 THEN 1 ELSE 0 END) " +
		"FROM message_intent i LEFT JOIN consent_state c ON c.subject_id = i.customer_id AND c.purpose = ? AND c.channel = i.channel AND c.state = 'withdrawn' AND i.handed_at > 0 AND c.at >= i.handed_at " +
		"WHERE i.run_id = ? GROUP BY i.arm, i.eligible, i.state, i.gate, i.wait ORDER BY i.arm, i.state, i.gate, i.wait"
	intentLinks = "SELECT link, min(url), CAST(sum(CASE WHEN machine THEN 0 ELSE 1 END) AS BIGINT), CAST(sum(CASE WHEN machine THEN 0 ELSE n END) AS BIGINT), CAST(sum(CASE WHEN machine THEN n ELSE 0 END) AS BIGINT) " +
		"FROM message_click WHERE run_id = ? GROUP BY link ORDER BY link"
	intentArms = "SELECT customer_id, arm FROM message_intent WHERE run_id = ? AND eligible ORDER BY customer_id"
)

func scanCampaign(r *sql.Rows) (v campaign.Campaign, err error) {
	var key, by, at, changer, changed, starter, start, began, ended int64
	var status, plan string
	if err := r.Scan(&key, &v.Name, &v.Channel, &status, &plan, &v.Version, &v.Cursor, &v.Audience, &v.Reason, &by, &at, &changer, &changed, &starter, &start, &began, &ended); err != nil {
		return v, err
	}
	v.ID, v.Status, v.CreatedBy, v.UpdatedBy, v.StartedBy = id.ID(key), campaign.Status(status), id.ID(by), id.ID(changer), id.ID(starter)
	v.CreatedAt, v.UpdatedAt, v.StartAt, v.BeganAt, v.EndedAt = timeOf(at), timeOf(changed), timeOf(start), timeOf(began), timeOf(ended)
	if err := json.Unmarshal([]byte(plan), &v.Plan); err != nil {
		return v, fmt.Errorf("stored plan of a campaign: %w", err)
	}
	return v, nil
}

func (k *Campaigns) list(ctx context.Context, q string, args ...any) (out []campaign.Campaign, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			v, err := scanCampaign(r)
			out = append(out, v)
			return err
		}, q, args...)
	})
	return out, err
}

// Campaigns implements campaign.Store.
func (k *Campaigns) Campaigns(ctx context.Context) ([]campaign.Campaign, error) {
	return k.list(ctx, campaignAll)
}

// Campaign implements campaign.Store.
func (k *Campaigns) Campaign(ctx context.Context, key id.ID) (campaign.Campaign, error) {
	found, err := k.list(ctx, campaignGet, int64(key))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "campaign.not_found", nil)
	}
	if err != nil {
		return campaign.Campaign{}, err
	}
	return found[0], nil
}

// Insert implements campaign.Store.
func (k *Campaigns) Insert(ctx context.Context, v campaign.Campaign) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, campaignNew, int64(v.ID), v.Name, v.Channel, string(v.Status), asJSON(v.Plan), v.Version, v.Cursor, v.Audience, v.Reason, int64(v.CreatedBy), milli(v.CreatedAt),
			int64(v.UpdatedBy), milli(v.UpdatedAt), int64(v.StartedBy), milli(v.StartAt), milli(v.BeganAt), milli(v.EndedAt))
		return err
	})
}

// Update implements campaign.Store.
func (k *Campaigns) Update(ctx context.Context, v campaign.Campaign) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, campaignPut, v.Name, v.Channel, string(v.Status), asJSON(v.Plan), v.Version, int64(v.UpdatedBy), milli(v.UpdatedAt), int64(v.StartedBy), milli(v.StartAt), int64(v.ID), v.Version-1)
		if err == nil && n == 0 {
			err = fault.New(fault.Stale, "campaign.stale", nil)
		}
		return err
	})
}

// Move implements campaign.Store.
func (k *Campaigns) Move(ctx context.Context, v campaign.Campaign, from ...campaign.Status) (ok bool, err error) {
	args := []any{string(v.Status), v.Reason, milli(v.BeganAt), milli(v.EndedAt), int64(v.ID)}
	for _, f := range from {
		args = append(args, string(f))
	}
	err = k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, campaignMove+strings.TrimSuffix(strings.Repeat("?, ", len(from)), ", ")+")", args...)
		ok = n > 0
		return err
	})
	return ok, err
}

// Delete implements campaign.Store.
func (k *Campaigns) Delete(ctx context.Context, key id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, campaignDrop, int64(key))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "campaign.not_draft", nil)
		}
		return err
	})
}

// Enlist implements campaign.Store.
func (k *Campaigns) Enlist(ctx context.Context, run id.ID, list []campaign.Intent, cursor string) error {
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		fresh := int64(0)
		for i := range list {
			n, err := insertIntent(ctx, c, run, &list[i])
			if err != nil {
				return err
			}
			fresh += n
		}
		n, err := c.Exec(ctx, campaignCursor, cursor, fresh, int64(run))
		if err == nil && n == 0 { // it was paused or stopped meanwhile: nothing of the batch stays
			err = fault.New(fault.Unavailable, "campaign.not_planning", nil)
		}
		return err
	})
}

func insertIntent(ctx context.Context, c Conn, run id.ID, it *campaign.Intent) (int64, error) {
	return c.Exec(ctx, intentNew, int64(it.ID), int64(run), int64(it.Customer), it.Channel, it.Step, it.Arm, it.Eligible, string(it.State), string(it.Gate), milli(it.Due), milli(it.At), milli(it.DoneAt))
}

func scanIntent(r *sql.Rows) (v campaign.Intent, err error) {
	var key, run, customer, due, at, handed, finished, opened, machine, clicked int64
	var state, gate string
	err = r.Scan(&key, &run, &customer, &v.Channel, &v.Step, &v.Arm, &v.Eligible, &state, &gate, &due, &at, &handed, &finished, &v.Reason, &opened, &machine, &clicked, &v.Tries)
	v.ID, v.Run, v.Customer, v.State, v.Gate = id.ID(key), id.ID(run), id.ID(customer), campaign.State(state), campaign.Gate(gate)
	v.Due, v.At, v.HandedAt, v.DoneAt, v.Opened, v.Machine, v.Clicked = timeOf(due), timeOf(at), timeOf(handed), timeOf(finished), timeOf(opened), timeOf(machine), timeOf(clicked)
	return v, err
}

func (k *Campaigns) intents(ctx context.Context, q string, args ...any) (out []campaign.Intent, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			v, err := scanIntent(r)
			out = append(out, v)
			return err
		}, q, args...)
	})
	return out, err
}

// Due implements campaign.Store.
func (k *Campaigns) Due(ctx context.Context, run id.ID, now time.Time, limit int) ([]campaign.Intent, error) {
	return k.intents(ctx, intentDue, int64(run), milli(now), limit)
}

// Lines implements campaign.Store.
func (k *Campaigns) Lines(ctx context.Context, run id.ID, state campaign.State, gate campaign.Gate, before id.ID, limit int) ([]campaign.Intent, error) {
	where, args := "run_id = ?", []any{int64(run)}
	if state != "" {
		where, args = where+" AND state = ?", append(args, string(state))
	}
	if gate != "" {
		where, args = where+" AND gate = ?", append(args, string(gate))
	}
	if before > 0 {
		where, args = where+" AND id < ?", append(args, int64(before))
	}
	return k.intents(ctx, intentRead+where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// Recent implements campaign.Store.
func (k *Campaigns) Recent(ctx context.Context, run id.ID, since time.Time) (handed, open int, err error) {
	var a, b int64
	err = k.store.Read(ctx, func(c Conn) error {
		if _, err := c.QueryRow(ctx, []any{&a}, intentRecent, int64(run), milli(since)); err != nil {
			return err
		}
		_, err := c.QueryRow(ctx, []any{&b}, intentOpen, int64(run))
		return err
	})
	return int(a), int(b), err
}

// Cancel implements campaign.Store.
func (k *Campaigns) Cancel(ctx context.Context, run id.ID, now time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, mailsCancel, milli(now), int64(run)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, intentCancel, milli(now), int64(run))
		return err
	})
}

// Sums implements campaign.Store.
func (k *Campaigns) Sums(ctx context.Context, run id.ID, purpose string) (out []campaign.Sum, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v campaign.Sum
			var state, gate string
			err := r.Scan(&v.Arm, &v.Eligible, &state, &gate, &v.Wait, &v.Count, &v.Parts, &v.Opened, &v.Machine, &v.Clicked, &v.Left, &v.Complain, &v.Delivered)
			v.State, v.Gate = campaign.State(state), campaign.Gate(gate)
			out = append(out, v)
			return err
		}, intentSums, purpose, int64(run))
	})
	return out, err
}

// Links implements campaign.Store.
func (k *Campaigns) Links(ctx context.Context, run id.ID) (out []campaign.Link, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v campaign.Link
			err := r.Scan(&v.Number, &v.URL, &v.People, &v.Clicks, &v.Machine)
			out = append(out, v)
			return err
		}, intentLinks, int64(run))
	})
	return out, err
}

// Arms implements campaign.Store.
func (k *Campaigns) Arms(ctx context.Context, run id.ID, take func(customer id.ID, arm string) error) error {
	return k.store.Read(ctx, func(c Conn) error {
		return Each(ctx, c, func(r *sql.Rows) error {
			var customer int64
			var arm string
			if err := r.Scan(&customer, &arm); err != nil {
				return err
			}
			return take(id.ID(customer), arm)
		}, intentArms, int64(run))
	})
}
