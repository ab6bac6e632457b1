package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
)

func scanToken(r *sql.Rows) (t journey.Token, err error) {
	var key, of, customer, due, until, woken, goal, entered, ended int64
	var state string
	err = r.Scan(&key, &of, &t.Version, &customer, &t.Entry, &t.Occasion, &t.Arm, &state, &t.Step, &t.Moves, &t.Tries, &due, &until, &t.Awaits, &woken, &goal, &entered, &ended)
	t.ID, t.Journey, t.Customer, t.State = id.ID(key), id.ID(of), id.ID(customer), journey.State(state)
	t.Due, t.Until, t.Woken, t.Goal, t.Entered, t.Ended = timeOf(due), timeOf(until), timeOf(woken), timeOf(goal), timeOf(entered), timeOf(ended)
	return t, err
}

func tokensOf(ctx context.Context, c Conn, q string, args ...any) (out []journey.Token, err error) {
	err = Each(ctx, c, func(r *sql.Rows) error {
		t, err := scanToken(r)
		out = append(out, t)
		return err
	}, q, args...)
	return out, err
}

func (k *Journeys) tokens(ctx context.Context, q string, args ...any) (out []journey.Token, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out, err = tokensOf(ctx, c, q, args...)
		return err
	})
	return out, err
}

// before is how customers were in a journey until now; what somebody who was merged went through is the survivor's.
type before struct {
	n    int64
	in   bool
	last int64
	had  map[string]bool
}

func beforeOf(ctx context.Context, c Conn, key id.ID, list []journey.Token) (map[id.ID]*before, error) {
	ids := make([]id.ID, len(list))
	for i := range list {
		ids[i] = list[i].Customer
	}
	slices.Sort(ids)
	all, who, err := together(ctx, c, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	out := map[id.ID]*before{}
	d := c.Dialect()
	err = Each(ctx, c, func(r *sql.Rows) error {
		var customer, entered int64
		var state, occasion string
		if err := r.Scan(&customer, &state, &entered, &occasion); err != nil {
			return err
		}
		b := out[who[id.ID(customer)]]
		if b == nil {
			b = &before{had: map[string]bool{}}
			out[who[id.ID(customer)]] = b
		}
		b.n++
		b.in = b.in || journey.State(state) == journey.On
		b.last = max(b.last, entered)
		b.had[occasion] = true
		return nil
	}, tokenBefore+d.In("customer_id"), int64(key), d.IDList(plain(all)))
	return out, err
}

// Enter implements journey.Store.
func (k *Journeys) Enter(ctx context.Context, e journey.Entering) (entered int, err error) {
	err = k.store.Write(ctx, func(c Conn) error {
		entered = 0
		list := slices.Clone(e.List)
		had, err := beforeOf(ctx, c, e.Journey.ID, list)
		if err != nil {
			return err
		}
		var all, today int64
		if e.Def.PerDay > 0 || e.Def.Total > 0 {
			if _, err := c.QueryRow(ctx, []any{&all, &today}, tokenSince, milli(e.DayFrom), int64(e.Journey.ID)); err != nil {
				return err
			}
		}
		counts := map[[2]string]int64{}
		for i := range list {
			t := &list[i]
			b := had[t.Customer]
			if b == nil {
				b = &before{had: map[string]bool{}}
				had[t.Customer] = b
			}
			if b.had[t.Occasion] {
				continue // the same once more
			}
			if refused(e.Def, b, t) {
				counts[[2]string{"", journey.OutAgain}]++
				continue
			}
			if t.Arm == journey.ArmTreated {
				if e.Def.PerDay > 0 && today >= int64(e.Def.PerDay) || e.Def.Total > 0 && all >= int64(e.Def.Total) {
					counts[[2]string{"", journey.OutFull}]++
					continue
				}
				all, today = all+1, today+1
			}
			t.Entry = b.n + 1
			n, err := insertToken(ctx, c, t)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			b.n, b.in, b.last, b.had[t.Occasion] = b.n+1, b.in || t.State == journey.On, milli(t.Entered), true
			entered++
			if t.State == journey.Held {
				counts[[2]string{"", journey.OutHeld}]++
			} else {
				counts[[2]string{"", journey.OutEnter}]++
			}
		}
		return addTallies(ctx, c, e.Journey.ID, counts)
	})
	return entered, err
}

// refused asks the rule of entering again. Who is on the way does not enter, unless entries are told apart.
func refused(d *journey.Definition, b *before, t *journey.Token) bool {
	switch {
	case b.n == 0:
		return false
	case b.in && d.Trigger.Entity == "":
		return true
	case d.Reentry.Kind == journey.ReAlways:
		return false
	case d.Reentry.Kind == journey.ReAfter:
		return milli(t.Entered)-b.last < int64(d.Reentry.Days)*24*3600*1000
	}
	return true
}

func insertToken(ctx context.Context, c Conn, t *journey.Token) (int64, error) {
	return c.Exec(ctx, tokenNew, int64(t.ID), int64(t.Journey), t.Version, int64(t.Customer), t.Entry, t.Occasion, t.Arm, string(t.State), t.Step, t.Moves, t.Tries, milli(t.Due), milli(t.Until), t.Awaits, milli(t.Woken),
		milli(t.Goal), milli(t.Entered), milli(t.Ended))
}

// Due implements journey.Store.
func (k *Journeys) Due(ctx context.Context, key id.ID, now time.Time, limit int) ([]journey.Token, error) {
	return k.tokens(ctx, tokenDue, int64(key), milli(now), int64(limit))
}

// Advance implements journey.Store.
func (k *Journeys) Advance(ctx context.Context, rt any, b journey.Batch) error {
	if t, ok := rt.(*tx); ok {
		return advance(ctx, t.c, &b)
	}
	return k.store.Write(ctx, func(c Conn) error { return advance(ctx, c, &b) })
}

func advance(ctx context.Context, c Conn, b *journey.Batch) error {
	counts := map[[2]string]int64{}
	var logged []int
	for i := range b.Moves {
		m := &b.Moves[i]
		t := m.Token
		var goal, ended, woken int64
		if m.Goal {
			goal = milli(b.At)
		}
		if m.State != journey.On {
			ended = milli(b.At)
		}
		if m.To == t.Step && m.State == journey.On {
			woken = milli(t.Woken)
		}
		n, err := c.Exec(ctx, tokenMove, m.To, string(m.State), t.Moves+1, m.Tries, milli(m.Due), milli(m.Until), m.Awaits, woken, goal, ended, int64(t.ID), t.Moves)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Stale, "journey.moved", nil)
		}
		if m.Outcome == "" {
			continue
		}
		logged = append(logged, i)
		counts[[2]string{t.Step, m.Outcome}]++
		if m.State == journey.Done && m.To != t.Step {
			counts[[2]string{m.To, journey.OutDone}]++
		}
	}
	err := c.InsertMany(ctx, "journey_path", []string{"token_id", "n", "customer_id", "step", "kind", "outcome", "why", "at"}, len(logged), func(i int, dst []any) {
		m := &b.Moves[logged[i]]
		dst[0], dst[1], dst[2], dst[3] = int64(m.Token.ID), m.Token.Moves+1, int64(m.Token.Customer), m.Token.Step
		dst[4], dst[5], dst[6], dst[7] = m.Kind, m.Outcome, m.Why, milli(b.At)
	})
	if err != nil {
		return err
	}
	if err := addTallies(ctx, c, b.Journey, counts); err != nil {
		return err
	}
	return addEffects(ctx, c, b.Effects)
}

// addEffects writes what steps did beside the way.
func addEffects(ctx context.Context, c Conn, effects []any) error {
	grown := map[id.ID]int64{}
	for _, e := range effects {
		var err error
		switch v := e.(type) {
		case campaign.Intent:
			var n int64
			n, err = insertIntent(ctx, c, v.Run, &v)
			grown[v.Run] += n
		case offer.Coupon:
			_, err = c.Exec(ctx, couponNew, int64(v.ID), int64(v.Offer), v.Code, v.Shared, int64(v.Customer), string(v.State), milli(v.IssuedAt), milli(v.ExpiresAt))
		default:
			err = fmt.Errorf("a journey does not know how to write %T", e)
		}
		if err != nil {
			return err
		}
	}
	for run, n := range grown {
		if _, err := c.Exec(ctx, campaignGrown, n, int64(run)); err != nil {
			return err
		}
	}
	return nil
}

// Wake implements journey.Store.
func (k *Journeys) Wake(ctx context.Context, awaits string, customers []id.ID, at time.Time) (woken int, err error) {
	for part := range slices.Chunk(customers, passageBatch) {
		n, err := k.touch(ctx, part, tokenWake, milli(at), milli(at), awaits, milli(at))
		woken += n
		if err != nil {
			return woken, err
		}
	}
	return woken, nil
}

// Reach implements journey.Store.
func (k *Journeys) Reach(ctx context.Context, key id.ID, customers []id.ID, days int, at time.Time) (reached int, err error) {
	from := at.Add(-time.Duration(days) * 24 * time.Hour)
	for part := range slices.Chunk(customers, passageBatch) {
		n, err := k.touch(ctx, part, tokenReach, milli(at), milli(at), milli(at), int64(key), milli(at), milli(from))
		reached += n
		if err != nil {
			return reached, err
		}
	}
	return reached, nil
}

// Known implements journey.Store.
func (k *Journeys) Known(ctx context.Context, customers []id.ID) (map[id.ID]bool, error) {
	out := map[id.ID]bool{}
	err := k.store.Read(ctx, func(c Conn) error {
		clear(out)
		all, who, err := together(ctx, c, customers)
		if err != nil {
			return err
		}
		d := c.Dialect()
		return Each(ctx, c, func(r *sql.Rows) error {
			var v int64
			err := r.Scan(&v)
			out[who[id.ID(v)]] = true
			return err
		}, "SELECT DISTINCT customer_id FROM journey_token WHERE "+d.In("customer_id"), d.IDList(plain(all)))
	})
	return out, err
}

// touch writes tokens of customers, and of those who were merged into them.
func (k *Journeys) touch(ctx context.Context, customers []id.ID, q string, args ...any) (n int, err error) {
	known, err := k.Known(ctx, customers) // most of those to whom something happens are on no way
	if err != nil || len(known) == 0 {
		return 0, err
	}
	err = k.store.Write(ctx, func(c Conn) error {
		all, _, err := together(ctx, c, customers)
		if err != nil {
			return err
		}
		d := c.Dialect()
		got, err := c.Exec(ctx, q+d.In("customer_id"), append(slices.Clone(args), d.IDList(plain(all)))...)
		n = int(got)
		return err
	})
	return n, err
}

// Open implements journey.Store.
func (k *Journeys) Open(ctx context.Context, key id.ID, since time.Time, after id.ID, limit int) ([]journey.Token, error) {
	return k.tokens(ctx, tokenOpen, int64(key), milli(since), int64(after), int64(limit))
}

// People implements journey.Store.
func (k *Journeys) People(ctx context.Context, key id.ID, state journey.State, step string, before id.ID, limit int) ([]journey.Token, error) {
	where, args := "journey_id = ?", []any{int64(key)}
	if state != "" {
		where, args = where+" AND state = ?", append(args, string(state))
	}
	if step != "" {
		where, args = where+" AND step = ?", append(args, step)
	}
	if before > 0 {
		where, args = where+" AND id < ?", append(args, int64(before))
	}
	return k.tokens(ctx, tokenRead+where+" ORDER BY id DESC LIMIT ?", append(args, int64(limit))...)
}

func pathsOf(ctx context.Context, c Conn, tokens []journey.Token) (out []journey.Path, err error) {
	ids := make([]id.ID, len(tokens))
	for i := range tokens {
		ids[i] = tokens[i].ID
	}
	d := c.Dialect()
	err = Each(ctx, c, func(r *sql.Rows) error {
		var p journey.Path
		var token, at int64
		err := r.Scan(&token, &p.N, &p.Step, &p.Kind, &p.Outcome, &p.Why, &at)
		p.Token, p.At = id.ID(token), timeOf(at)
		out = append(out, p)
		return err
	}, pathRead+d.In("token_id")+" ORDER BY token_id DESC, n", d.IDList(plain(ids)))
	return out, err
}

// Of implements journey.Store.
func (k *Journeys) Of(ctx context.Context, customer id.ID, limit int) (tokens []journey.Token, paths []journey.Path, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		all, _, err := together(ctx, c, []id.ID{customer})
		if err != nil {
			return err
		}
		d := c.Dialect()
		if tokens, err = tokensOf(ctx, c, tokenRead+d.In("customer_id")+" AND state <> 'held' ORDER BY id DESC LIMIT ?", d.IDList(plain(all)), int64(limit)); err != nil || len(tokens) == 0 {
			return err
		}
		paths, err = pathsOf(ctx, c, tokens)
		return err
	})
	return tokens, paths, err
}

// Token implements journey.Store.
func (k *Journeys) Token(ctx context.Context, key id.ID) (t journey.Token, paths []journey.Path, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		found, err := tokensOf(ctx, c, tokenRead+"id = ?", int64(key))
		if err == nil && len(found) == 0 {
			err = fault.New(fault.NotFound, "journey.not_found", nil)
		}
		if err != nil {
			return err
		}
		t = found[0]
		paths, err = pathsOf(ctx, c, found)
		return err
	})
	return t, paths, err
}
