package eventstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// State is what became of an event that came to Accept.
type State = event.State

// The states.
const (
	Stored    = event.Stored
	Duplicate = event.Duplicate
	Collision = event.Collided
)

// acceptTries bounds how often Accept begins anew because another process accepted one of its message ids at the same moment.
const acceptTries = 8

// Accept stores the events that were not accepted before, all in one transaction, and says for each what became of it. The ids of
// those that are stored are filled in; message ids and flags change for a collision.
func (s *Store) Accept(ctx context.Context, events []event.Event) (states []State, err error) {
	return s.accept(ctx, events, 0)
}

// accept takes events, as those of an import unless that is 0.
func (s *Store) accept(ctx context.Context, events []event.Event, imported id.ID) (states []State, err error) {
	if len(events) == 0 {
		return nil, nil
	}
	for i := range events {
		if events[i].Hash == 0 {
			events[i].Hash = events[i].ContentHash()
		}
	}
	in := intake{s: s, events: events, imported: imported}
	for try := 1; ; try++ {
		err = s.DB.Write(ctx, func(c sqlstore.Conn) error { return in.run(ctx, c) })
		if err == nil || try == acceptTries || fault.CodeOf(err) != dialect.CodeUnique {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	for i := range events {
		if in.states[i] == Duplicate {
			continue
		}
		events[i].ID, events[i].MessageID = in.ids[i], in.names[i]
		if in.states[i] == Collision {
			events[i].Flags |= event.Collision
		}
	}
	if len(in.fresh) > 0 {
		s.Wake()
	}
	return in.states, nil
}

// intake is one call of Accept. Its closure may run several times and sets everything it leaves.
type intake struct {
	s      *Store
	events []event.Event
	states []State
	ids    []id.ID
	names  []string // message ids under which events are stored
	fresh  []int    // indexes of those that are stored, in their order

	imported id.ID // the import that brings them, 0 for none
	before   map[string]bool
}

func (in *intake) run(ctx context.Context, c sqlstore.Conn) error {
	in.states, in.ids, in.names = make([]State, len(in.events)), make([]id.ID, len(in.events)), make([]string, len(in.events))
	in.fresh = in.fresh[:0]
	names := make([]string, len(in.events))
	for i := range in.events {
		names[i] = in.events[i].MessageID
	}
	seen, err := seenBefore(ctx, c, names)
	if err != nil {
		return err
	}
	if in.imported != 0 {
		if in.before, err = importedBefore(ctx, c, names); err != nil {
			return err
		}
	}
	var other []int // their message id belongs to another event
	for i := range in.events {
		if !in.place(i, names[i], Stored, seen) {
			other = append(other, i)
		}
	}
	if len(other) > 0 {
		for j, i := range other {
			names[j] = collided(names[i], in.events[i].Hash)
		}
		again, err := seenBefore(ctx, c, names[:len(other)])
		if err != nil {
			return err
		}
		for name, hash := range seen { // those of this very batch too
			again[name] = hash
		}
		for j, i := range other {
			if !in.place(i, names[j], Collision, again) {
				return fmt.Errorf("message id %d of a batch collides twice", i)
			}
		}
		in.inOrder()
	}
	return in.store(ctx, c)
}

// place decides about one event under a message id; false when that belongs to an event of other content.
func (in *intake) place(i int, name string, state State, seen map[string]int64) bool {
	hash, known := seen[name]
	switch {
	case !known && in.before[name]: // longer ago than message ids are remembered
		in.states[i] = Duplicate
	case known && hash == in.events[i].Hash:
		in.states[i] = Duplicate
	case known:
		return false
	default:
		seen[name] = in.events[i].Hash
		in.states[i], in.names[i], in.ids[i] = state, name, in.s.IDs.Next()
		in.fresh = append(in.fresh, i)
	}
	return true
}

// inOrder puts what was decided late back into its place in the batch.
func (in *intake) inOrder() {
	in.fresh = in.fresh[:0]
	for i, s := range in.states {
		if s != Duplicate {
			in.fresh = append(in.fresh, i)
		}
	}
}

// collided is the message id of an event whose own was taken: made from the content, so that its resend is known again.
func collided(name string, hash int64) string {
	const most = event.MaxMessageID - 17
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "")
	}
	return fmt.Sprintf("%s~%016x", name, uint64(hash)) //nolint:gosec // the same bits
}

// seenBefore are the hashes of message ids that were accepted before.
func seenBefore(ctx context.Context, c sqlstore.Conn, names []string) (map[string]int64, error) {
	out := make(map[string]int64, len(names))
	if len(names) == 1 { // most requests bring one
		var hash int64
		found, err := c.QueryRow(ctx, []any{&hash}, "SELECT hash FROM event_seen WHERE message_id = ?", names[0])
		if found {
			out[names[0]] = hash
		}
		return out, err
	}
	d := c.Dialect()
	err := sqlstore.Each(ctx, c, func(r *sql.Rows) error {
		var name string
		var hash int64
		err := r.Scan(&name, &hash)
		out[name] = hash
		return err
	}, "SELECT message_id, hash FROM event_seen WHERE "+d.In("message_id"), d.TextList(names))
	return out, err
}

var (
	seenColumns  = []string{"message_id", "hash", "day"}
	inboxColumns = []string{"id", "source_id", "message_id", "kind", "name", "at", "day", "received_at", "original_at", "flags", "user_id", "anonymous_id", "group_id",
		"previous_id", "properties", "context", "profile_id"}
)

const dayMs = 24 * 60 * 60 * 1000

func (in *intake) store(ctx context.Context, c sqlstore.Conn) error {
	if len(in.fresh) == 0 {
		return nil
	}
	today := in.s.Clock.Now().UnixMilli() / dayMs
	byName := slices.Clone(in.fresh) // the same order everywhere, so that two calls with the same message ids do not wait for each other
	slices.SortFunc(byName, func(a, b int) int { return strings.Compare(in.names[a], in.names[b]) })
	err := c.InsertMany(ctx, "event_seen", seenColumns, len(byName), func(i int, dst []any) {
		i = byName[i]
		dst[0], dst[1], dst[2] = in.names[i], in.events[i].Hash, today
	})
	if err != nil {
		return err
	}
	if err := in.noteImported(ctx, c); err != nil {
		return err
	}
	return c.InsertMany(ctx, "event_inbox", inboxColumns, len(in.fresh), func(i int, dst []any) {
		i = in.fresh[i]
		e := in.events[i]
		e.ID, e.MessageID = in.ids[i], in.names[i]
		if in.states[i] == Collision {
			e.Flags |= event.Collision
		}
		fillEvent(&e, dst)
	})
}

func object(raw []byte) string {
	if len(raw) == 0 {
		return "{}"
	}
	return string(raw)
}
