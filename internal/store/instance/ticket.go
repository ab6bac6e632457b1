package instance

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

const ticketColumns = "hash, kind, person, workspace, created_at, expires_at, used_at"

func scanTicket(scan func(...any) error) (v auth.Ticket, err error) {
	var created, expires, used int64
	err = scan(&v.Hash, &v.Kind, &v.UserID, &v.Workspace, &created, &expires, &used)
	v.CreatedAt, v.ExpiresAt, v.UsedAt = at(created), at(expires), at(used)
	return v, err
}

// CreateTicket implements auth.Tickets.
func (s *Store) CreateTicket(ctx context.Context, v auth.Ticket) error {
	return s.tx(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM ticket WHERE person = ? AND kind = ? AND used_at = 0", int64(v.UserID), string(v.Kind)); err != nil {
			return err
		}
		_, err := t.exec("INSERT INTO ticket ("+ticketColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)", v.Hash, string(v.Kind), int64(v.UserID), v.Workspace, ms(v.CreatedAt), ms(v.ExpiresAt), ms(v.UsedAt))
		return err
	})
}

// FindTicket implements auth.Tickets.
func (s *Store) FindTicket(ctx context.Context, hash string) (auth.Ticket, bool, error) {
	v, err := scanTicket(s.on(ctx).row("SELECT "+ticketColumns+" FROM ticket WHERE hash = ?", hash).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, err
}

// UseTicket implements auth.Tickets.
func (s *Store) UseTicket(ctx context.Context, hash string, now time.Time) (bool, error) {
	n, err := s.on(ctx).exec("UPDATE ticket SET used_at = ? WHERE hash = ? AND used_at = 0 AND expires_at > ?", ms(now), hash, ms(now))
	return n > 0, err
}

// EndTickets implements auth.Tickets.
func (s *Store) EndTickets(ctx context.Context, user id.ID, kind auth.TicketKind) error {
	_, err := s.on(ctx).exec("DELETE FROM ticket WHERE person = ? AND kind = ? AND used_at = 0", int64(user), string(kind))
	return err
}

// Invited implements auth.Tickets.
func (s *Store) Invited(ctx context.Context, workspace string, now time.Time) (map[id.ID]time.Time, error) {
	list, err := collect(s.on(ctx), scanTicket, "SELECT "+ticketColumns+" FROM ticket WHERE workspace = ? AND kind = ? AND used_at = 0 AND expires_at > ?", workspace, string(auth.Invitation), ms(now))
	out := map[id.ID]time.Time{}
	for _, v := range list {
		out[v.UserID] = v.ExpiresAt
	}
	return out, err
}

// SetVerified implements auth.Tickets.
func (s *Store) SetVerified(ctx context.Context, user id.ID, when time.Time) error {
	_, err := s.on(ctx).exec("UPDATE person SET verified_at = ? WHERE id = ?", ms(when), int64(user))
	return err
}

// Verified implements auth.Tickets.
func (s *Store) Verified(ctx context.Context, user id.ID) (time.Time, error) {
	var when int64
	err := s.on(ctx).row("SELECT verified_at FROM person WHERE id = ?", int64(user)).Scan(&when)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return at(when), err
}

// PurgeTickets implements auth.Tickets.
func (s *Store) PurgeTickets(ctx context.Context, before time.Time) error {
	_, err := s.on(ctx).exec("DELETE FROM ticket WHERE expires_at < ?", ms(before))
	return err
}
