// Package eventschema keeps what was learned of events, the plan, and the window of the newest ones, beside the inbox that they
// stand in: in the workspace's second SQLite file, or in its schema on PostgreSQL (tables of migration 0004).
//
// Learn is a consumer of the inbox with the position "learn": what a batch teaches, the window and the position commit together,
// so that every event is counted once. It works on one leading process.
package eventschema

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/tracking"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Consumer is the name of the position up to which events were learned of.
const Consumer = "learn"

const (
	batchSize = 2000
	manySize  = 10_000
	// Window is how many events the newest are. Of a full batch, behind which more waits, only a part is put into it: nobody can follow.
	Window     = 10_000
	ofFull     = 500
	trimEvery  = 1000 // events put into it, after which the oldest go
	keptVolume = 400  // days

	nameAll     = "SELECT source, name, kind, total, first_at, last_at FROM event_name ORDER BY total DESC, source, name"
	nameKnown   = "SELECT source, name FROM event_name"
	namePut     = "INSERT INTO event_name (source, name, kind, total, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source, name) DO UPDATE SET total = event_name.total + excluded.total, last_at = CASE WHEN excluded.last_at > event_name.last_at THEN excluded.last_at ELSE event_name.last_at END"
	volumePut   = "INSERT INTO event_volume (source, name, day, total) VALUES (?, ?, ?, ?) ON CONFLICT (source, name, day) DO UPDATE SET total = event_volume.total + excluded.total"
	volumeSince = "SELECT source, name, day, total FROM event_volume WHERE day >= ?"
	volumeTrim  = "DELETE FROM event_volume WHERE day < ?"
	propertyOf  = "SELECT path, total, types, examples, first_at, last_at FROM event_property WHERE source = ? AND name = ?"
	propertyPut = "INSERT INTO event_property (source, name, path, total, types, examples, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, name, path) DO UPDATE SET total = excluded.total, types = excluded.types, examples = excluded.examples, first_at = excluded.first_at, last_at = excluded.last_at"
	planNow     = "SELECT version, at, by_id, body FROM event_plan ORDER BY version DESC LIMIT 1"
	planPut     = "INSERT INTO event_plan (version, at, by_id, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
	recentCols  = "id, source, name, kind, profile, user_id, anonymous_id, flags, received_at, body"
	recentGone  = "DELETE FROM event_recent WHERE id <= ?"
	recentEdge  = "SELECT id FROM event_recent ORDER BY id DESC LIMIT 1 OFFSET ?"
)

// maxProperties of one name are kept.
const maxProperties = 200

// Store implements tracking.Store and the step that learns.
type Store struct {
	inbox *eventstore.Store
	clock clock.Clock
	zone  func() *time.Location
	shown int // since the window was cut; the step alone touches it
}

var _ tracking.Store = (*Store)(nil)

// New keeps it in an inbox whose tables are there.
func New(inbox *eventstore.Store, c clock.Clock, zone func() *time.Location) *Store {
	return &Store{inbox: inbox, clock: c, zone: zone, shown: trimEvery}
}

// Learn takes the next events of the inbox that have their profiles and says how many.
func (s *Store) Learn(ctx context.Context) (int, error) { return s.learn(ctx, batchSize) }

// LearnMany is Learn of many at a time, where nobody else waits for the inbox.
func (s *Store) LearnMany(ctx context.Context) (int, error) { return s.learn(ctx, manySize) }

func (s *Store) learn(ctx context.Context, size int) (int, error) {
	at, err := s.inbox.Position(ctx, Consumer)
	if err != nil {
		return 0, err
	}
	batch, err := s.inbox.Read(ctx, at, size)
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	full := len(batch) == size
	if batch, err = s.resolved(ctx, batch); err != nil || len(batch) == 0 {
		return 0, err
	}
	last := batch[len(batch)-1]
	shown := batch
	if full {
		shown = batch[max(0, len(batch)-ofFull):]
	}
	learned := tracking.Learn(batch)
	err = s.inbox.Write(sqlstore.Bulk(ctx), func(ctx context.Context, c sqlstore.Conn) error {
		if err := s.merge(ctx, c, learned); err != nil {
			return err
		}
		if err := s.show(ctx, c, shown); err != nil {
			return err
		}
		return s.inbox.Advance(ctx, c, Consumer, eventstore.PositionOf(&last))
	})
	if err != nil {
		return 0, err
	}
	if s.shown += len(shown); s.shown >= trimEvery {
		s.shown = 0
		return len(batch), s.trim(ctx)
	}
	return len(batch), nil
}

// resolved leaves out what resolution has not come to. Where nobody resolves, nothing waits for it.
func (s *Store) resolved(ctx context.Context, batch []event.Event) ([]event.Event, error) {
	at, err := s.inbox.Position(ctx, eventstore.Resolved)
	if err != nil || at == (change.Position{}) {
		return batch, err
	}
	n := len(batch)
	for n > 0 && at.Less(eventstore.PositionOf(&batch[n-1])) {
		n--
	}
	return batch[:n], nil
}

func (s *Store) merge(ctx context.Context, c sqlstore.Conn, learned map[tracking.Key]*tracking.Learned) error {
	known := map[tracking.Key]bool{}
	err := sqlstore.Each(ctx, c, func(rows *sql.Rows) error {
		var source int64
		var name string
		err := rows.Scan(&source, &name)
		known[tracking.Key{Source: id.ID(source), Name: name}] = true
		return err
	}, nameKnown)
	if err != nil {
		return err
	}
	for k, l := range tracking.Into(learned, func(k tracking.Key) bool { return known[k] }, tracking.MaxNames-len(known)) {
		if _, err := c.Exec(ctx, namePut, int64(k.Source), k.Name, string(l.Kind), l.Count, l.First, l.Last); err != nil {
			return err
		}
		for day, n := range l.Days {
			if _, err := c.Exec(ctx, volumePut, int64(k.Source), k.Name, int64(day), n); err != nil {
				return err
			}
		}
		if err := mergeProperties(ctx, c, k, l.Properties); err != nil {
			return err
		}
	}
	_, err = c.Exec(ctx, volumeTrim, int64(clock.DayOf(s.clock.Now(), s.zone()))-keptVolume)
	return err
}

func mergeProperties(ctx context.Context, c sqlstore.Conn, k tracking.Key, fresh map[string]*tracking.LearnedProperty) error {
	if len(fresh) == 0 {
		return nil
	}
	have, err := properties(ctx, c, k)
	if err != nil {
		return err
	}
	room := maxProperties - len(have)
	for path, p := range fresh {
		was := have[path]
		if was == nil {
			if room--; room < 0 {
				continue
			}
			was = &tracking.LearnedProperty{First: p.First}
		}
		was.Merge(p)
		types, err := json.Marshal(was.Types)
		if err != nil {
			return err
		}
		examples, err := json.Marshal(was.Examples)
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, propertyPut, int64(k.Source), k.Name, path, was.Count, string(types), string(examples), was.First, was.Last); err != nil {
			return err
		}
	}
	return nil
}

func properties(ctx context.Context, c sqlstore.Conn, k tracking.Key) (map[string]*tracking.LearnedProperty, error) {
	out := map[string]*tracking.LearnedProperty{}
	return out, sqlstore.Each(ctx, c, func(rows *sql.Rows) error {
		var path, types, examples string
		p := &tracking.LearnedProperty{}
		if err := rows.Scan(&path, &p.Count, &types, &examples, &p.First, &p.Last); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(types), &p.Types); err != nil {
			return fmt.Errorf("stored types: %w", err)
		}
		if err := json.Unmarshal([]byte(examples), &p.Examples); err != nil {
			return fmt.Errorf("stored examples: %w", err)
		}
		out[path] = p
		return nil
	}, propertyOf, int64(k.Source), k.Name)
}

// recentBody is what the window keeps of an event besides its columns.
type recentBody struct {
	Seq        int64           `json:"seq"`
	MessageID  string          `json:"message_id"`
	At         int64           `json:"at"`
	Day        clock.Day       `json:"day"`
	OriginalAt int64           `json:"original_at,omitempty"`
	GroupID    string          `json:"group_id,omitempty"`
	PreviousID string          `json:"previous_id,omitempty"`
	Properties json.RawMessage `json:"properties"`
	Context    json.RawMessage `json:"context"`
}

// show puts events into the window, whose order is that of their ids.
func (s *Store) show(ctx context.Context, c sqlstore.Conn, list []event.Event) error {
	bodies := make([]string, len(list))
	for i := range list {
		e := &list[i]
		b, err := json.Marshal(recentBody{e.Seq, e.MessageID, e.At, e.Day, e.OriginalAt, e.GroupID, e.PreviousID, object(e.Properties), object(e.Context)})
		if err != nil {
			return fmt.Errorf("encode an event: %w", err)
		}
		bodies[i] = string(b)
	}
	return c.InsertMany(ctx, "event_recent", recentColumns(), len(list), func(i int, dst []any) {
		e := &list[i]
		dst[0], dst[1], dst[2], dst[3], dst[4] = int64(e.ID), int64(e.Source), e.Name, string(e.Kind), int64(e.Profile)
		dst[5], dst[6], dst[7], dst[8], dst[9] = e.UserID, e.AnonymousID, int64(e.Flags), e.ReceivedAt, bodies[i]
	})
}

func recentColumns() []string {
	return []string{"id", "source", "name", "kind", "profile", "user_id", "anonymous_id", "flags", "received_at", "body"}
}

// trim cuts the window to its size.
func (s *Store) trim(ctx context.Context) error {
	return s.inbox.Write(sqlstore.Bulk(ctx), func(ctx context.Context, c sqlstore.Conn) error {
		var edge int64
		found, err := c.QueryRow(ctx, []any{&edge}, recentEdge, Window)
		if err != nil || !found {
			return err
		}
		_, err = c.Exec(ctx, recentGone, edge)
		return err
	})
}

func object(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

// Plan implements tracking.Store.
func (s *Store) Plan(ctx context.Context) (tracking.Plan, error) {
	p := tracking.Plan{Unplanned: tracking.Allow, Events: []tracking.Planned{}}
	err := s.inbox.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		var version, at, by int64
		var body string
		found, err := c.QueryRow(ctx, []any{&version, &at, &by, &body}, planNow)
		if err != nil || !found {
			return err
		}
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			return fmt.Errorf("stored plan %d: %w", version, err)
		}
		p.Version, p.At, p.By = version, time.UnixMilli(at).UTC(), id.ID(by)
		return nil
	})
	return p, err
}

// PutPlan implements tracking.Store.
func (s *Store) PutPlan(ctx context.Context, p tracking.Plan) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.inbox.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		var now int64
		if _, err := c.QueryRow(ctx, []any{&now}, "SELECT coalesce(max(version), 0) FROM event_plan"); err != nil {
			return err
		}
		n := int64(0)
		if now == p.Version {
			if n, err = c.Exec(ctx, planPut, p.Version+1, p.At.UnixMilli(), int64(p.By), string(body)); err != nil {
				return err
			}
		}
		if n == 0 {
			return fault.New(fault.Stale, "tracking.stale", nil)
		}
		return nil
	})
}

func names(ctx context.Context, c sqlstore.Conn) (out []tracking.Name, err error) {
	err = sqlstore.Each(ctx, c, func(rows *sql.Rows) error {
		var n tracking.Name
		var source int64
		var kind string
		err := rows.Scan(&source, &n.Name, &kind, &n.Count, &n.First, &n.Last)
		n.Source, n.Kind = id.ID(source), event.Kind(kind)
		out = append(out, n)
		return err
	}, nameAll)
	return out, err
}

// Names implements tracking.Store.
func (s *Store) Names(ctx context.Context, since clock.Day) (out []tracking.Name, err error) {
	err = s.inbox.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		if out, err = names(ctx, c); err != nil {
			return err
		}
		at := make(map[tracking.Key]int, len(out))
		for i := range out {
			at[out[i].Key], out[i].Days = i, map[clock.Day]int64{}
		}
		return sqlstore.Each(ctx, c, func(rows *sql.Rows) error {
			var k tracking.Key
			var source, day, n int64
			if err := rows.Scan(&source, &k.Name, &day, &n); err != nil {
				return err
			}
			k.Source = id.ID(source)
			if i, ok := at[k]; ok {
				out[i].Days[clock.Day(day)] = n
			}
			return nil
		}, volumeSince, int64(since))
	})
	return out, err
}

// Described implements tracking.Store.
func (s *Store) Described(ctx context.Context, source id.ID, name string) (out []tracking.Name, err error) {
	err = s.inbox.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		out = nil
		all, err := names(ctx, c)
		if err != nil {
			return err
		}
		for _, n := range all {
			if name != "" && n.Name != name || source != 0 && n.Source != source {
				continue
			}
			if n.Properties, err = properties(ctx, c, n.Key); err != nil {
				return err
			}
			out = append(out, n)
		}
		return nil
	})
	return out, err
}

// Forget implements tracking.Store.
func (s *Store) Forget(ctx context.Context, k tracking.Key) error {
	return s.inbox.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		for _, table := range []string{"event_property", "event_volume", "event_name"} {
			if _, err := c.Exec(ctx, "DELETE FROM "+table+" WHERE source = ? AND name = ?", int64(k.Source), k.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Recent implements tracking.Store. The window is small enough to be walked.
func (s *Store) Recent(ctx context.Context, q tracking.RecentQuery) (out []tracking.Recent, err error) {
	where, args := "1 = 1", []any{}
	add := func(text string, v any) { where, args = where+" AND "+text, append(args, v) }
	if q.Event != 0 {
		add("id = ?", int64(q.Event))
	}
	if q.Source != 0 {
		add("source = ?", int64(q.Source))
	}
	if q.Name != "" {
		add("name = ?", q.Name)
	}
	if q.Kind != "" {
		add("kind = ?", string(q.Kind))
	}
	if q.Person != "" {
		add("(user_id = ?", q.Person)
		where, args = where+" OR anonymous_id = ?)", append(args, q.Person)
	}
	if q.Flags != 0 {
		add("(flags & ?) = ?", int64(q.Flags))
		args = append(args, int64(q.Flags))
	}
	err = s.inbox.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		out = nil
		text, params := where, args
		if q.Profiles != nil {
			ids := make([]int64, len(q.Profiles))
			for i, p := range q.Profiles {
				ids[i] = int64(p)
			}
			text, params = text+" AND "+c.Dialect().In("profile"), append(params[:len(params):len(params)], c.Dialect().IDList(ids))
		}
		return eachRecent(ctx, c, func(r tracking.Recent) { out = append(out, r) },
			"SELECT "+recentCols+" FROM event_recent WHERE "+text+" ORDER BY id DESC LIMIT ?", append(params[:len(params):len(params)], q.Limit)...)
	})
	return out, err
}

func eachRecent(ctx context.Context, c sqlstore.Conn, fn func(tracking.Recent), query string, args ...any) error {
	return sqlstore.Each(ctx, c, func(rows *sql.Rows) error {
		var r tracking.Recent
		var key, source, profile, flags int64
		var kind, body string
		if err := rows.Scan(&key, &source, &r.Name, &kind, &profile, &r.UserID, &r.AnonymousID, &flags, &r.ReceivedAt, &body); err != nil {
			return err
		}
		var b recentBody
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			return fmt.Errorf("stored event %d: %w", key, err)
		}
		r.ID, r.Seq, r.Source, r.Kind, r.Profile, r.Flags = id.ID(key), b.Seq, id.ID(source), event.Kind(kind), id.ID(profile), event.Flags(flags)
		r.MessageID, r.At, r.Day, r.OriginalAt, r.GroupID, r.PreviousID = b.MessageID, b.At, b.Day, b.OriginalAt, b.GroupID, b.PreviousID
		r.Properties, r.Context = b.Properties, b.Context
		fn(r)
		return nil
	}, query, args...)
}

// Clear empties the window and the examples: somebody who is erased may stand in them, and both fill again by themselves.
func (s *Store) Clear(ctx context.Context) error {
	return s.inbox.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		if _, err := c.Exec(ctx, "DELETE FROM event_recent"); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "UPDATE event_property SET examples = '[]' WHERE examples <> '[]'")
		return err
	})
}
