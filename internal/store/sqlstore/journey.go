package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
)

// Journeys implements journey.Store.
type Journeys struct{ store *Store }

var _ journey.Store = (*Journeys)(nil)

// NewJourneys keeps journeys in a Store.
func NewJourneys(s *Store) *Journeys { return &Journeys{store: s} }

const (
	journeyColumns = "id, name, status, draft, changed, published, version, reason, cursor_at, created_by, created_at, updated_by, updated_at, began_at, ended_at"
	journeyAll     = "SELECT " + journeyColumns + " FROM journey ORDER BY id DESC"
	journeyGet     = "SELECT " + journeyColumns + " FROM journey WHERE id = ?"
	journeyNew     = "INSERT INTO journey (" + journeyColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	journeyPut     = "UPDATE journey SET name = ?, status = ?, draft = ?, changed = ?, published = ?, version = ?, reason = ?, cursor_at = ?, updated_by = ?, updated_at = ?, began_at = ?, ended_at = ? WHERE id = ? AND version = ?"
	journeyMove    = "UPDATE journey SET status = ?, reason = ?, ended_at = ? WHERE id = ? AND status IN ("
	journeyDrop    = "DELETE FROM journey WHERE id = ? AND published = 0"
	journeyCursor  = "UPDATE journey SET cursor_at = ? WHERE id = ? AND cursor_at < ?"
	journeyLease   = "UPDATE journey SET lease_by = ?, lease_until = ? WHERE id = ? AND (lease_by = ? OR lease_until < ?)"
	// A worker that has it prolongs it only when half of it is over.
	journeyLeased = "SELECT count(*) FROM journey WHERE id = ? AND lease_by = ? AND lease_until > ?"

	journeyVersionNew = "INSERT INTO journey_version (journey_id, number, definition, flight, published_by, published_at) VALUES (?, ?, ?, ?, ?, ?)"
	journeyVersionGet = "SELECT definition FROM journey_version WHERE journey_id = ? AND number = ?"
	journeyVersions   = "SELECT number, flight, published_by, published_at FROM journey_version WHERE journey_id = ? ORDER BY number DESC"

	tokenColumns = "id, journey_id, version, customer_id, entry, occasion, arm, state, step, moves, tries, due_at, until, awaits, woken_at, goal_at, entered_at, ended_at"
	tokenRead    = "SELECT " + tokenColumns + " FROM journey_token WHERE "
	tokenNew     = "INSERT INTO journey_token (" + tokenColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (journey_id, customer_id, occasion) DO NOTHING"
	tokenDue     = tokenRead + "journey_id = ? AND state = 'on' AND due_at <= ? ORDER BY due_at, id LIMIT ?"
	tokenMove    = "UPDATE journey_token SET step = ?, state = ?, moves = ?, tries = ?, due_at = ?, until = ?, awaits = ?, woken_at = ?, goal_at = CASE WHEN goal_at > 0 THEN goal_at ELSE ? END, ended_at = ? " +
		"WHERE id = ? AND moves = ? AND state = 'on'"
	tokenWake    = "UPDATE journey_token SET due_at = ?, woken_at = ? WHERE state = 'on' AND awaits = ? AND woken_at = 0 AND entered_at <= ? AND "
	tokenReach   = "UPDATE journey_token SET goal_at = ?, due_at = CASE WHEN state = 'on' AND due_at > ? THEN CAST(? AS BIGINT) ELSE due_at END WHERE journey_id = ? AND goal_at = 0 AND entered_at <= ? AND entered_at > ? AND "
	tokenOpen    = tokenRead + "journey_id = ? AND goal_at = 0 AND entered_at > ? AND id > ? ORDER BY id LIMIT ?"
	tokenBefore  = "SELECT customer_id, state, entered_at, occasion FROM journey_token WHERE journey_id = ? AND "
	tokenSince   = "SELECT count(*), CAST(COALESCE(sum(CASE WHEN entered_at >= ? THEN 1 ELSE 0 END), 0) AS BIGINT) FROM journey_token WHERE journey_id = ? AND arm = 'treated'"
	tokenStates  = "SELECT state, count(*), CAST(COALESCE(sum(CASE WHEN goal_at > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) FROM journey_token WHERE journey_id = ? GROUP BY state"
	tokenWaiting = "SELECT step, count(*) FROM journey_token WHERE journey_id = ? AND state = 'on' GROUP BY step"
	tokenArms    = "SELECT arm, count(*), CAST(COALESCE(sum(CASE WHEN goal_at > 0 AND goal_at - entered_at <= ? THEN 1 ELSE 0 END), 0) AS BIGINT), " +
		"CAST(COALESCE(sum(CASE WHEN entered_at <= ? THEN 1 ELSE 0 END), 0) AS BIGINT) FROM journey_token WHERE journey_id = ? AND entry = 1 GROUP BY arm ORDER BY arm"
	tokenEmptyPath  = "INSERT INTO journey_path (token_id, n, customer_id, step, kind, outcome, why, at) SELECT id, moves + 1, customer_id, step, '', 'left', CAST(? AS TEXT), CAST(? AS BIGINT) FROM journey_token WHERE journey_id = ? AND state = 'on'"
	tokenEmptyTally = "SELECT step, count(*) FROM journey_token WHERE journey_id = ? AND state = 'on' GROUP BY step"
	tokenEmpty      = "UPDATE journey_token SET state = 'left', moves = moves + 1, ended_at = ? WHERE journey_id = ? AND state = 'on'"
	tokenOnward     = "UPDATE journey_token SET version = ? WHERE journey_id = ? AND state = 'on' AND version < ? AND step IN ("

	pathColumns     = "token_id, n, step, kind, outcome, why, at"
	pathRead        = "SELECT " + pathColumns + " FROM journey_path WHERE "
	journeyTallyAdd = "INSERT INTO journey_tally (journey_id, step, outcome, n) VALUES (?, ?, ?, ?) ON CONFLICT (journey_id, step, outcome) DO UPDATE SET n = journey_tally.n + excluded.n"
	journeyTallies  = "SELECT step, outcome, n FROM journey_tally WHERE journey_id = ? ORDER BY step, outcome"

	crossedRead = "SELECT customer_id, at FROM segment_passage WHERE segment_key = ? AND entered = ? AND at >= ? AND (at > ? OR at = ? AND customer_id > ?) ORDER BY at, customer_id LIMIT ?"
)

func scanJourney(r *sql.Rows) (v journey.Journey, err error) {
	var key, cursor, by, at, changer, changed, began, ended int64
	var status, draft string
	if err := r.Scan(&key, &v.Name, &status, &draft, &v.Changed, &v.Published, &v.Version, &v.Reason, &cursor, &by, &at, &changer, &changed, &began, &ended); err != nil {
		return v, err
	}
	v.ID, v.Status, v.CreatedBy, v.UpdatedBy = id.ID(key), journey.Status(status), id.ID(by), id.ID(changer)
	v.Cursor, v.CreatedAt, v.UpdatedAt, v.BeganAt, v.EndedAt = timeOf(cursor), timeOf(at), timeOf(changed), timeOf(began), timeOf(ended)
	if err := json.Unmarshal([]byte(draft), &v.Draft); err != nil {
		return v, fmt.Errorf("stored draft of a journey: %w", err)
	}
	return v, nil
}

func (k *Journeys) list(ctx context.Context, q string, args ...any) (out []journey.Journey, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			v, err := scanJourney(r)
			out = append(out, v)
			return err
		}, q, args...)
	})
	return out, err
}

// Journeys implements journey.Store.
func (k *Journeys) Journeys(ctx context.Context) ([]journey.Journey, error) {
	return k.list(ctx, journeyAll)
}

// Journey implements journey.Store.
func (k *Journeys) Journey(ctx context.Context, key id.ID) (journey.Journey, error) {
	found, err := k.list(ctx, journeyGet, int64(key))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "journey.not_found", nil)
	}
	if err != nil {
		return journey.Journey{}, err
	}
	return found[0], nil
}

// Insert implements journey.Store.
func (k *Journeys) Insert(ctx context.Context, v journey.Journey) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, journeyNew, int64(v.ID), v.Name, string(v.Status), asJSON(v.Draft), v.Changed, v.Published, v.Version, v.Reason, milli(v.Cursor), int64(v.CreatedBy), milli(v.CreatedAt),
			int64(v.UpdatedBy), milli(v.UpdatedAt), milli(v.BeganAt), milli(v.EndedAt))
		return err
	})
}

func putJourney(ctx context.Context, c Conn, v *journey.Journey) error {
	n, err := c.Exec(ctx, journeyPut, v.Name, string(v.Status), asJSON(v.Draft), v.Changed, v.Published, v.Version, v.Reason, milli(v.Cursor), int64(v.UpdatedBy), milli(v.UpdatedAt), milli(v.BeganAt), milli(v.EndedAt),
		int64(v.ID), v.Version-1)
	if err == nil && n == 0 {
		err = fault.New(fault.Stale, "journey.stale", nil)
	}
	return err
}

// Update implements journey.Store.
func (k *Journeys) Update(ctx context.Context, v journey.Journey) error {
	return k.store.Write(ctx, func(c Conn) error { return putJourney(ctx, c, &v) })
}

// Publish implements journey.Store.
func (k *Journeys) Publish(ctx context.Context, v journey.Journey, d journey.Definition, flight journey.Flight) error {
	return k.store.Write(ctx, func(c Conn) error {
		if err := putJourney(ctx, c, &v); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, journeyVersionNew, int64(v.ID), v.Published, asJSON(d), string(flight), int64(v.UpdatedBy), milli(v.UpdatedAt)); err != nil {
			return err
		}
		switch flight {
		case journey.Leave:
			return emptyJourney(ctx, c, v.ID, journey.WhyNew, v.UpdatedAt)
		case journey.MoveOn:
			args := []any{v.Published, int64(v.ID), v.Published}
			for i := range d.Steps {
				args = append(args, d.Steps[i].Key)
			}
			_, err := c.Exec(ctx, tokenOnward+strings.TrimSuffix(strings.Repeat("?, ", len(d.Steps)), ", ")+")", args...)
			return err
		}
		return nil
	})
}

func emptyJourney(ctx context.Context, c Conn, key id.ID, why string, at time.Time) error {
	counts := map[[2]string]int64{}
	err := Each(ctx, c, func(r *sql.Rows) error {
		var step string
		var n int64
		err := r.Scan(&step, &n)
		counts[[2]string{step, journey.OutLeft}] += n
		return err
	}, tokenEmptyTally, int64(key))
	if err != nil {
		return err
	}
	if _, err := c.Exec(ctx, tokenEmptyPath, why, milli(at), int64(key)); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, tokenEmpty, milli(at), int64(key)); err != nil {
		return err
	}
	return addTallies(ctx, c, key, counts)
}

func addTallies(ctx context.Context, c Conn, key id.ID, counts map[[2]string]int64) error {
	keys := make([][2]string, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return strings.Compare(a[0]+"|"+a[1], b[0]+"|"+b[1]) })
	for _, k := range keys {
		if _, err := c.Exec(ctx, journeyTallyAdd, int64(key), k[0], k[1], counts[k]); err != nil {
			return err
		}
	}
	return nil
}

// Empty implements journey.Store.
func (k *Journeys) Empty(ctx context.Context, key id.ID, why string, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) error { return emptyJourney(ctx, c, key, why, at) })
}

// Version implements journey.Store.
func (k *Journeys) Version(ctx context.Context, key id.ID, number int64) (d journey.Definition, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		var text string
		ok, err := c.QueryRow(ctx, []any{&text}, journeyVersionGet, int64(key), number)
		if err == nil && !ok {
			err = fault.New(fault.NotFound, "journey.not_found", nil)
		}
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), &d)
	})
	return d, err
}

// Versions implements journey.Store.
func (k *Journeys) Versions(ctx context.Context, key id.ID) (out []journey.Version, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v journey.Version
			var by, at int64
			var flight string
			err := r.Scan(&v.Number, &flight, &by, &at)
			v.Flight, v.By, v.At = journey.Flight(flight), id.ID(by), timeOf(at)
			out = append(out, v)
			return err
		}, journeyVersions, int64(key))
	})
	return out, err
}

// Move implements journey.Store.
func (k *Journeys) Move(ctx context.Context, v journey.Journey, from ...journey.Status) (ok bool, err error) {
	args := []any{string(v.Status), v.Reason, milli(v.EndedAt), int64(v.ID)}
	for _, f := range from {
		args = append(args, string(f))
	}
	err = k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, journeyMove+strings.TrimSuffix(strings.Repeat("?, ", len(from)), ", ")+")", args...)
		ok = n > 0
		return err
	})
	return ok, err
}

// Delete implements journey.Store.
func (k *Journeys) Delete(ctx context.Context, key id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, journeyDrop, int64(key))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "journey.not_draft", nil)
		}
		return err
	})
}

// SetCursor implements journey.Store.
func (k *Journeys) SetCursor(ctx context.Context, key id.ID, at time.Time) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, journeyCursor, milli(at), int64(key), milli(at))
		return err
	})
}

// Lease implements journey.Store.
func (k *Journeys) Lease(ctx context.Context, key, worker id.ID, now, until time.Time) (ok bool, err error) {
	half := now.Add(until.Sub(now) / 2)
	err = k.store.Read(ctx, func(c Conn) error {
		var n int64
		_, err := c.QueryRow(ctx, []any{&n}, journeyLeased, int64(key), int64(worker), milli(half))
		ok = n > 0
		return err
	})
	if err != nil || ok {
		return ok, err
	}
	err = k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, journeyLease, int64(worker), milli(until), int64(key), int64(worker), milli(now))
		ok = n > 0
		return err
	})
	return ok, err
}

// Crossed implements journey.Store.
func (k *Journeys) Crossed(ctx context.Context, segment string, entered bool, since time.Time, after journey.Crossing, limit int) (out []journey.Crossing, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		at := milli(after.At)
		return Each(ctx, c, func(r *sql.Rows) error {
			var who, when int64
			err := r.Scan(&who, &when)
			out = append(out, journey.Crossing{Customer: id.ID(who), At: timeOf(when)})
			return err
		}, crossedRead, segment, flag(entered), milli(since), at, at, int64(after.Customer), int64(limit))
	})
	return out, err
}

// Tallies implements journey.Store.
func (k *Journeys) Tallies(ctx context.Context, key id.ID) (out []journey.Tally, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v journey.Tally
			err := r.Scan(&v.Step, &v.Outcome, &v.N)
			out = append(out, v)
			return err
		}, journeyTallies, int64(key))
	})
	return out, err
}

// Standing implements journey.Store.
func (k *Journeys) Standing(ctx context.Context, key id.ID) (s journey.Standing, waiting map[string]int64, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		s, waiting = journey.Standing{}, map[string]int64{}
		err := Each(ctx, c, func(r *sql.Rows) error {
			var state string
			var n, goal int64
			err := r.Scan(&state, &n, &goal)
			s.Entered += n
			s.Goal += goal
			switch journey.State(state) {
			case journey.On:
				s.On = n
			case journey.Done:
				s.Done = n
			case journey.Left:
				s.Left = n
			case journey.Held:
				s.Held = n
			}
			return err
		}, tokenStates, int64(key))
		if err != nil {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			var step string
			var n int64
			err := r.Scan(&step, &n)
			waiting[step] = n
			return err
		}, tokenWaiting, int64(key))
	})
	return s, waiting, err
}

// Arms implements journey.Store.
func (k *Journeys) Arms(ctx context.Context, key id.ID, days int, now time.Time) (out []journey.Arm, err error) {
	window := time.Duration(days) * 24 * time.Hour
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v journey.Arm
			err := r.Scan(&v.Arm, &v.N, &v.Hits, &v.Over)
			out = append(out, v)
			return err
		}, tokenArms, window.Milliseconds(), milli(now.Add(-window)), int64(key))
	})
	return out, err
}
