package sqlstore

import (
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/invite"
)

// Guests implements invite.Store.
type Guests struct{ store *Store }

var _ invite.Store = (*Guests)(nil)

// NewGuests keeps the guests of meetings in a Store.
func NewGuests(s *Store) *Guests { return &Guests{store: s} }

const (
	guestColumns = "id, meeting, name, mask, blind, wrapped, address, source, record_id, answer, answered_at, answered_by, sequence, digest, removed, added_by, added_at"
	guestList    = "SELECT " + guestColumns + " FROM meeting_guest WHERE meeting = ? ORDER BY id"
	guestInsert  = "INSERT INTO meeting_guest (" + guestColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (meeting, blind) DO NOTHING"
	guestBack    = "UPDATE meeting_guest SET removed = FALSE WHERE meeting = ? AND blind = ? AND removed = TRUE"
	guestUpdate  = "UPDATE meeting_guest SET answer = ?, answered_at = ?, answered_by = ?, sequence = ?, digest = ?, removed = ? WHERE meeting = ? AND id = ?"
	guestDelete  = "DELETE FROM meeting_guest WHERE meeting = ? AND id = ?"
)

// Guests implements invite.Store.
func (k *Guests) Guests(ctx context.Context, meeting id.ID) ([]invite.Guest, error) {
	return read(ctx, k.store, func(rows *sql.Rows) (g invite.Guest, err error) {
		var key, of, rec, answered, by, sequence, added, at int64
		var answer string
		err = rows.Scan(&key, &of, &g.Name, &g.Mask, &g.Blind, &g.Wrapped, &g.Address, &g.Object, &rec, &answer, &answered, &by, &sequence, &g.Digest, &g.Removed, &added, &at)
		g.ID, g.Meeting, g.Record, g.AnsweredBy, g.AddedBy = id.ID(key), id.ID(of), id.ID(rec), id.ID(by), id.ID(added)
		g.Answer, g.AnsweredAt, g.AddedAt, g.Sequence = invite.Answer(answer), instant(answered), instant(at), int(sequence)
		return g, err
	}, guestList, int64(meeting))
}

// AddGuest implements invite.Store.
func (k *Guests) AddGuest(ctx context.Context, g invite.Guest) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, guestInsert, int64(g.ID), int64(g.Meeting), g.Name, g.Mask, g.Blind, g.Wrapped, g.Address, g.Object, int64(g.Record), string(g.Answer), milli(g.AnsweredAt),
			int64(g.AnsweredBy), int64(g.Sequence), g.Digest, g.Removed, int64(g.AddedBy), milli(g.AddedAt))
		if err != nil || n > 0 {
			return err
		}
		if n, err = c.Exec(ctx, guestBack, int64(g.Meeting), g.Blind); err == nil && n == 0 {
			err = fault.New(fault.Conflict, "invite.guest_twice", nil)
		}
		return err
	})
}

// UpdateGuest implements invite.Store.
func (k *Guests) UpdateGuest(ctx context.Context, g invite.Guest) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, guestUpdate, string(g.Answer), milli(g.AnsweredAt), int64(g.AnsweredBy), int64(g.Sequence), g.Digest, g.Removed, int64(g.Meeting), int64(g.ID))
		return err
	})
}

// DeleteGuest implements invite.Store.
func (k *Guests) DeleteGuest(ctx context.Context, meeting, guest id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, guestDelete, int64(meeting), int64(guest))
		return err
	})
}
