package eventstore

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Adopt stores events whose profiles are known, in one transaction with whatever fn writes: those profiles. They get their ids and the flag
// event.Settled; neither identity nor people look at them again. Their message ids are not remembered: it is for the caller not to bring
// them twice. An event without a profile is a fault.
//
// Each of the consumers named that has nothing left to do is moved past them where there is one writer, so that it need not read what is not for it.
func (s *Store) Adopt(ctx context.Context, events []event.Event, consumers []string, fn func(ctx context.Context, c sqlstore.Conn) error) error {
	for i := range events {
		e := &events[i]
		if e.Profile == 0 {
			return fault.New(fault.Internal, "event.unresolved", nil)
		}
		e.ID = s.IDs.Next()
		e.Flags |= event.Settled
	}
	err := s.DB.Write(sqlstore.Bulk(ctx), func(c sqlstore.Conn) error {
		if fn != nil {
			if err := fn(ctx, c); err != nil {
				return err
			}
		}
		var idle []string
		if c.Dialect().ChangeBound() == "" {
			var err error
			if idle, err = atTheEnd(ctx, c, consumers); err != nil {
				return err
			}
		}
		if err := insertEvents(ctx, c, events); err != nil {
			return err
		}
		return s.pass(ctx, c, idle)
	})
	if err == nil {
		s.Wake()
	}
	return err
}

// atTheEnd are the consumers for whom nothing lies in the inbox.
func atTheEnd(ctx context.Context, c sqlstore.Conn, consumers []string) (idle []string, err error) {
	for _, name := range consumers {
		p, err := position(ctx, c, name, "")
		if err != nil {
			return nil, err
		}
		var seq int64
		waits, err := c.QueryRow(ctx, []any{&seq}, "SELECT seq FROM event_inbox WHERE "+c.Dialect().ChangeAfter()+" LIMIT 1", p.Xid, p.Seq)
		if err != nil {
			return nil, err
		}
		if !waits {
			idle = append(idle, name)
		}
	}
	return idle, nil
}

func (s *Store) pass(ctx context.Context, c sqlstore.Conn, consumers []string) error {
	if len(consumers) == 0 {
		return nil
	}
	var p change.Position
	d := c.Dialect()
	if _, err := c.QueryRow(ctx, []any{&p.Xid, &p.Seq}, "SELECT "+d.ChangeXid()+", seq FROM event_inbox ORDER BY "+d.ChangeOrder(true)+" LIMIT 1"); err != nil {
		return err
	}
	for _, name := range consumers {
		if err := s.Advance(ctx, c, name, p); err != nil {
			return err
		}
	}
	return nil
}

func insertEvents(ctx context.Context, c sqlstore.Conn, events []event.Event) error {
	return c.InsertMany(ctx, "event_inbox", inboxColumns, len(events), func(i int, dst []any) { fillEvent(&events[i], dst) })
}

// fillEvent is a row of inboxColumns.
func fillEvent(e *event.Event, dst []any) {
	dst[0], dst[1], dst[2], dst[3], dst[4] = int64(e.ID), int64(e.Source), e.MessageID, string(e.Kind), e.Name
	dst[5], dst[6], dst[7], dst[8], dst[9] = e.At, int64(e.Day), e.ReceivedAt, e.OriginalAt, int64(e.Flags)
	dst[10], dst[11], dst[12], dst[13] = e.UserID, e.AnonymousID, e.GroupID, e.PreviousID
	dst[14], dst[15], dst[16] = object(e.Properties), object(e.Context), int64(e.Profile)
}
