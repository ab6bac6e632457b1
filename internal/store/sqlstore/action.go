package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/stat/uplift"
)

// Actions implements action.Keeper.
type Actions struct{ store *Store }

var _ action.Keeper = (*Actions)(nil)

// NewActions keeps plays and decisions in a Store.
func NewActions(s *Store) *Actions { return &Actions{s} }

const (
	playList   = `SELECT key, body, version, updated_at, updated_by FROM action_play ORDER BY key`
	playInsert = `INSERT INTO action_play (body, version, updated_at, updated_by, key) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	playUpdate = `UPDATE action_play SET body = ?, version = ?, updated_at = ?, updated_by = ? WHERE key = ? AND version = ?`
	playDrop   = `DELETE FROM action_play WHERE key = ?`

	choiceColumns = `id, play, customer_id, pick, reason, at, day, until_day, to_day, by_id, stage, gain, learned, task_id, orders, revenue`
	choiceList    = `SELECT ` + choiceColumns + ` FROM action_choice WHERE (until_day > ? OR (pick = 'taken' AND day > ?))`
	choiceHistory = `SELECT ` + choiceColumns + ` FROM action_choice WHERE `
	choiceAdd     = `INSERT INTO action_choice (` + choiceColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0) ON CONFLICT DO NOTHING`
	choiceMade    = `UPDATE action_choice SET task_id = ? WHERE id = ?`
	choiceDrop    = `DELETE FROM action_choice WHERE id = ?`
	choiceTurned  = `SELECT play, customer_id, count(*) FROM action_choice WHERE pick = 'dismissed'{who} GROUP BY play, customer_id`

	tallyDrop = `DELETE FROM action_tally`
	tallyAdd  = `INSERT INTO action_tally (play, day, at, eligible, held, resting, offered, gain, broken) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	tallyList = `SELECT play, day, at, eligible, held, resting, offered, gain, broken FROM action_tally`

	caseStanding = `SELECT customer_id FROM action_case WHERE play = ? AND from_day > ?`
	// Those of one window stand together.
	caseDue = `SELECT id, choice, customer_id, from_day, to_day FROM (
 SELECT id, FALSE AS choice, customer_id, from_day, to_day FROM action_case WHERE orders IS NULL AND to_day <= ?
 UNION ALL SELECT id, TRUE, customer_id, day, to_day FROM action_choice WHERE orders IS NULL AND pick = 'taken' AND to_day <= ?) x
ORDER BY from_day, to_day, id LIMIT ?`
	caseClose   = `UPDATE action_case SET orders = ?, revenue = ? WHERE id = ?`
	choiceClose = `UPDATE action_choice SET orders = ?, revenue = ? WHERE id = ?`

	caseSums = `SELECT play, shown, count(*), count(orders), COALESCE(sum(CASE WHEN orders > 0 THEN 1 ELSE 0 END), 0),
 COALESCE(sum(CASE WHEN orders IS NULL THEN 0.0 ELSE CAST(revenue AS DOUBLE PRECISION) END), 0.0),
 COALESCE(sum(CASE WHEN orders IS NULL THEN 0.0 ELSE CAST(revenue AS DOUBLE PRECISION) * CAST(revenue AS DOUBLE PRECISION) END), 0.0)
FROM action_case GROUP BY play, shown`
	caseActed = `SELECT k.play, count(DISTINCT k.id) FROM action_case k
JOIN action_choice c ON c.customer_id = k.customer_id AND c.play = k.play AND c.pick = 'taken' AND c.day >= k.from_day AND c.day <= k.to_day
WHERE k.shown AND k.orders IS NOT NULL GROUP BY k.play`
	choiceSums = `SELECT play, pick, stage, count(*), count(orders), COALESCE(sum(CASE WHEN orders > 0 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN orders IS NULL THEN 0 ELSE revenue END), 0)
FROM action_choice GROUP BY play, pick, stage`
)

// Plays implements action.Keeper.
func (k *Actions) Plays(ctx context.Context) ([]action.Play, error) {
	return read(ctx, k.store, func(r *sql.Rows) (p action.Play, err error) {
		var key, body string
		var version, at, by int64
		if err = r.Scan(&key, &body, &version, &at, &by); err != nil {
			return p, err
		}
		if err = json.Unmarshal([]byte(body), &p); err != nil {
			return p, fmt.Errorf("stored play %s: %w", key, err)
		}
		p.Key, p.Version, p.UpdatedAt, p.UpdatedBy = key, version, time.UnixMilli(at).UTC(), id.ID(by)
		return p, nil
	}, playList)
}

// SavePlay implements action.Keeper.
func (k *Actions) SavePlay(ctx context.Context, p action.Play) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return k.store.Write(ctx, func(c Conn) error {
		text, args := playInsert, []any{string(body), p.Version, p.UpdatedAt.UnixMilli(), int64(p.UpdatedBy), p.Key}
		if p.Version > 1 {
			text, args = playUpdate, append(args, p.Version-1)
		}
		n, err := c.Exec(ctx, text, args...)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "action.stale", fault.Params{"key": p.Key, "version": p.Version})
		}
		return err
	})
}

// DropPlay implements action.Keeper.
func (k *Actions) DropPlay(ctx context.Context, key string) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, playDrop, key)
		return err
	})
}

func scanChoice(r *sql.Rows) (c action.Choice, err error) {
	var key, customer, at, day, until, to, by, task int64
	var orders sql.NullInt64
	if err = r.Scan(&key, &c.Play, &customer, &c.Pick, &c.Reason, &at, &day, &until, &to, &by, &c.Stage, &c.Gain, &c.Learned, &task, &orders, &c.Revenue); err != nil {
		return c, err
	}
	c.ID, c.Customer, c.By, c.Task, c.At = id.ID(key), id.ID(customer), id.ID(by), id.ID(task), time.UnixMilli(at).UTC()
	c.Day, c.Until, c.To = clock.Day(day), clock.Day(until), clock.Day(to) //nolint:gosec // calendar days
	if orders.Valid {
		c.Orders = &orders.Int64
	}
	return c, nil
}

// among narrows to customers and whoever was merged into them; nil are all. as says of whom a row is by now.
func (k *Actions) among(ctx context.Context, c Conn, customers []id.ID) (text string, args []any, as func(id.ID) id.ID, err error) {
	var of map[id.ID]id.ID
	if customers == nil {
		of, err = mergedAway(ctx, c)
	} else {
		var all []id.ID
		all, of, err = together(ctx, c, customers)
		d := c.Dialect()
		text, args = " AND "+d.In("customer_id"), []any{d.IDList(plain(all))}
	}
	return text, args, func(v id.ID) id.ID { return cmp.Or(of[v], v) }, err
}

// Choices implements action.Keeper.
func (k *Actions) Choices(ctx context.Context, rests, since clock.Day, customers []id.ID) (out []action.Choice, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		who, args, as, err := k.among(ctx, c, customers)
		if err != nil {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			v, err := scanChoice(r)
			v.Customer = as(v.Customer)
			out = append(out, v)
			return err
		}, choiceList+who+" ORDER BY at, id", append([]any{int64(rests), int64(since)}, args...)...)
	})
	return out, err
}

// History implements action.Keeper.
func (k *Actions) History(ctx context.Context, customer id.ID, limit int) (out []action.Choice, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		all, _, err := together(ctx, c, []id.ID{customer})
		if err != nil {
			return err
		}
		d := c.Dialect()
		return Each(ctx, c, func(r *sql.Rows) error {
			v, err := scanChoice(r)
			v.Customer = customer
			out = append(out, v)
			return err
		}, choiceHistory+d.In("customer_id")+" ORDER BY at DESC, id DESC LIMIT ?", d.IDList(plain(all)), int64(limit))
	})
	return out, err
}

// Choose implements action.Keeper.
func (k *Actions) Choose(ctx context.Context, c action.Choice) error {
	return k.store.Write(ctx, func(x Conn) error {
		n, err := x.Exec(ctx, choiceAdd, int64(c.ID), c.Play, int64(c.Customer), string(c.Pick), c.Reason, c.At.UnixMilli(), int64(c.Day), int64(c.Until), int64(c.To), int64(c.By), c.Stage, c.Gain, c.Learned, int64(c.Task))
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "action.decided", nil)
		}
		return err
	})
}

// Made implements action.Keeper.
func (k *Actions) Made(ctx context.Context, choice, task id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, choiceMade, int64(task), int64(choice))
		return err
	})
}

// Unchoose implements action.Keeper.
func (k *Actions) Unchoose(ctx context.Context, choice id.ID) error {
	return k.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, choiceDrop, int64(choice))
		return err
	})
}

// Turned implements action.Keeper.
func (k *Actions) Turned(ctx context.Context, customers []id.ID) (map[action.Turn]int, error) {
	out := map[action.Turn]int{}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		who, args, as, err := k.among(ctx, c, customers)
		if err != nil {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			var t action.Turn
			var n int
			err := r.Scan(&t.Play, &t.Customer, &n)
			t.Customer = int64(as(id.ID(t.Customer)))
			out[t] += n
			return err
		}, strings.Replace(choiceTurned, "{who}", who, 1), args...)
	})
	return out, err
}

// SaveTallies implements action.Keeper.
func (k *Actions) SaveTallies(ctx context.Context, list []action.Tally) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, tallyDrop); err != nil {
			return err
		}
		for _, t := range list {
			if _, err := c.Exec(ctx, tallyAdd, t.Play, int64(t.Day), t.At.UnixMilli(), t.Eligible, t.Held, t.Resting, t.Offered, t.Gain, t.Broken); err != nil {
				return err
			}
		}
		return nil
	})
}

// Tallies implements action.Keeper.
func (k *Actions) Tallies(ctx context.Context) (map[string]action.Tally, error) {
	list, err := read(ctx, k.store, func(r *sql.Rows) (t action.Tally, err error) {
		var day, at int64
		err = r.Scan(&t.Play, &day, &at, &t.Eligible, &t.Held, &t.Resting, &t.Offered, &t.Gain, &t.Broken)
		t.Day, t.At = clock.Day(day), time.UnixMilli(at).UTC() //nolint:gosec // a calendar day
		return t, err
	}, tallyList)
	out := map[string]action.Tally{}
	for _, t := range list {
		out[t.Play] = t
	}
	return out, err
}

// Standing implements action.Keeper. A case of somebody who was merged is the survivor's.
func (k *Actions) Standing(ctx context.Context, play string, after clock.Day) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		_, _, as, err := k.among(ctx, c, nil)
		if err != nil {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			var customer id.ID
			err := r.Scan(&customer)
			out[int64(as(customer))] = true
			return err
		}, caseStanding, play, int64(after))
	})
	return out, err
}

// AddCases implements action.Keeper.
func (k *Actions) AddCases(ctx context.Context, list []action.Case) error {
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		return c.InsertMany(ctx, "action_case", []string{"id", "play", "customer_id", "shown", "from_day", "to_day"}, len(list), func(i int, dst []any) {
			v := list[i]
			dst[0], dst[1], dst[2], dst[3], dst[4], dst[5] = int64(v.ID), v.Play, v.Customer, v.Shown, int64(v.From), int64(v.To)
		})
	})
}

// Due implements action.Keeper.
func (k *Actions) Due(ctx context.Context, until clock.Day, limit int) ([]action.Open, error) {
	return read(ctx, k.store, func(r *sql.Rows) (o action.Open, err error) {
		var key, from, to int64
		err = r.Scan(&key, &o.Choice, &o.Customer, &from, &to)
		o.ID, o.From, o.To = id.ID(key), clock.Day(from), clock.Day(to) //nolint:gosec // calendar days
		return o, err
	}, caseDue, int64(until), int64(until), int64(limit))
}

// closedAtOnce is how many rows a closure of the writer touches.
const closedAtOnce = 1000

// Close implements action.Keeper.
func (k *Actions) Close(ctx context.Context, list []action.Open) error {
	for len(list) > 0 {
		part := list[:min(len(list), closedAtOnce)]
		list = list[len(part):]
		err := k.store.Write(Bulk(ctx), func(c Conn) error {
			for _, o := range part {
				text := caseClose
				if o.Choice {
					text = choiceClose
				}
				if _, err := c.Exec(ctx, text, o.Orders, o.Revenue, int64(o.ID)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Outcomes implements action.Keeper.
func (k *Actions) Outcomes(ctx context.Context) (map[string]action.Outcome, error) {
	out := map[string]action.Outcome{}
	err := k.store.Read(ctx, func(c Conn) error {
		out = map[string]action.Outcome{}
		if err := Each(ctx, c, func(r *sql.Rows) error { return caseSum(r, out) }, caseSums); err != nil {
			return err
		}
		if err := Each(ctx, c, func(r *sql.Rows) error { return choiceSum(r, out) }, choiceSums); err != nil {
			return err
		}
		return Each(ctx, c, func(r *sql.Rows) error {
			var play string
			var n int64
			err := r.Scan(&play, &n)
			o := out[play]
			o.Acted = n
			out[play] = o
			return err
		}, caseActed)
	})
	return out, err
}

func caseSum(r *sql.Rows, out map[string]action.Outcome) error {
	var play string
	var shown bool
	var all, closed, hits int64
	var sum, squares float64
	if err := r.Scan(&play, &shown, &all, &closed, &hits, &sum, &squares); err != nil {
		return err
	}
	o := out[play]
	arm := uplift.Arm{N: closed, Sum: sum, Squares: squares}
	if shown {
		o.Treated, o.TreatedHits, o.Assigned[0] = arm, hits, all
	} else {
		o.Control, o.ControlHits, o.Assigned[1] = arm, hits, all
	}
	out[play] = o
	return nil
}

func choiceSum(r *sql.Rows, out map[string]action.Outcome) error {
	var play, stage string
	var pick action.Pick
	var n, done, hits, revenue int64
	if err := r.Scan(&play, &pick, &stage, &n, &done, &hits, &revenue); err != nil {
		return err
	}
	o := out[play]
	if o.Stages == nil {
		o.Stages = map[string]uplift.Rate{}
	}
	s := o.Stages[stage]
	switch pick {
	case action.Taken:
		o.TakenAll += n
		o.Done.N += done
		o.Done.Hits += hits
		o.Revenue += revenue
		s.N += n
	case action.Dismissed:
		o.Dismissed += n
		s.N += n
		s.Hits += n
	case action.Snoozed:
		o.Snoozed += n
	}
	o.Stages[stage] = s
	out[play] = o
	return nil
}
