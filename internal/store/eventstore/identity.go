package eventstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Ledger is identity.Ledger on a transaction of the store's database.
type Ledger struct{ c sqlstore.Conn }

var _ identity.Ledger = Ledger{}

// NewLedger reads and writes profiles in a transaction.
func NewLedger(c sqlstore.Conn) Ledger { return Ledger{c} }

const (
	identityLock   = "UPDATE profile_lock SET seq = seq WHERE id = 1"
	identitySeq    = "UPDATE profile_lock SET seq = seq + ? WHERE id = 1"
	identityHead   = "SELECT seq FROM profile_lock WHERE id = 1"
	profileColumns = "id, into_id, root_id, customer_id, created_at"
	profileEnd     = " ON CONFLICT (id) DO UPDATE SET into_id = excluded.into_id, root_id = excluded.root_id, customer_id = excluded.customer_id"
	identifierCols = "namespace, value, id, profile_id, shown, sealed, first_at, last_at"
	identifierEnd  = " ON CONFLICT (namespace, value) DO UPDATE SET profile_id = excluded.profile_id, first_at = excluded.first_at, last_at = excluded.last_at"
	mergeColumns   = "id, loser_id, winner_id, at, why, by_id, event_id, evidence, undone_at, undone_by"
	reviewColumns  = "a_id, b_id, id, kind, evidence, state, count, created_at, last_at, by_id, at"
	reviewMore     = " ON CONFLICT (a_id, b_id) DO UPDATE SET count = profile_review.count + excluded.count, last_at = CASE WHEN excluded.last_at > profile_review.last_at THEN excluded.last_at ELSE profile_review.last_at END"
	reviewDecide   = " ON CONFLICT (a_id, b_id) DO UPDATE SET state = excluded.state, by_id = excluded.by_id, at = excluded.at"
	mergeUndone    = "UPDATE profile_merge SET undone_at = ?, undone_by = ? WHERE id = ?"
	survivorPut    = "INSERT INTO profile_survivor (merged_id, survivor_id) VALUES (?, ?) ON CONFLICT (merged_id) DO UPDATE SET survivor_id = excluded.survivor_id"
	survivorDrop   = "DELETE FROM profile_survivor WHERE merged_id = ?"
)

// Lock implements identity.Ledger. The line stays locked until the transaction ends, so the numbers of mappings are given in the
// order in which transactions commit.
func (l Ledger) Lock(ctx context.Context) error {
	_, err := l.c.Exec(ctx, identityLock)
	return err
}

func (l Ledger) in(column string, ids []id.ID) (string, any) {
	list := make([]int64, len(ids))
	for i, v := range ids {
		list[i] = int64(v)
	}
	d := l.c.Dialect()
	return d.In(column), d.IDList(list)
}

func scanIdentifier(r *sql.Rows) (x identity.Identifier, err error) {
	err = r.Scan(&x.Namespace, &x.Value, &x.ID, &x.Profile, &x.Shown, &x.Sealed, &x.FirstAt, &x.LastAt)
	return x, err
}

// Find implements identity.Ledger.
func (l Ledger) Find(ctx context.Context, namespace string, values []string) (out []identity.Identifier, err error) {
	d := l.c.Dialect()
	err = sqlstore.Each(ctx, l.c, func(r *sql.Rows) error {
		x, err := scanIdentifier(r)
		out = append(out, x)
		return err
	}, "SELECT "+identifierCols+" FROM identifier WHERE namespace = ? AND "+d.In("value"), namespace, d.TextList(values))
	return out, err
}

// Trees implements identity.Ledger.
func (l Ledger) Trees(ctx context.Context, profiles []id.ID) ([]identity.Tree, error) {
	in, list := l.in("id", profiles)
	at := map[id.ID]int{}
	var out []identity.Tree
	treeOf := map[id.ID]int{}
	var all, customers []id.ID
	err := sqlstore.Each(ctx, l.c, func(r *sql.Rows) error {
		var p identity.Profile
		if err := r.Scan(&p.ID, &p.Into, &p.Root, &p.Customer, &p.CreatedAt); err != nil {
			return err
		}
		i, ok := at[p.Root]
		if !ok {
			i = len(out)
			at[p.Root] = i
			out = append(out, identity.Tree{Root: p.Root})
		}
		out[i].Profiles = append(out[i].Profiles, p)
		treeOf[p.ID] = i
		all = append(all, p.ID)
		if p.Customer != 0 {
			customers = append(customers, p.Customer)
		}
		return nil
	}, "SELECT "+profileColumns+" FROM profile WHERE root_id IN (SELECT root_id FROM profile WHERE "+in+") ORDER BY root_id, id", list)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	now, err := l.Survivors(ctx, customers)
	if err != nil {
		return nil, err
	}
	for i := range out {
		for j := range out[i].Profiles {
			p := &out[i].Profiles[j]
			p.Now = p.Customer
			if v, ok := now[p.Customer]; ok {
				p.Now = v
			}
		}
	}
	in, list = l.in("profile_id", all)
	err = sqlstore.Each(ctx, l.c, func(r *sql.Rows) error {
		x, err := scanIdentifier(r)
		if err == nil {
			i := treeOf[x.Profile]
			out[i].Identifiers = append(out[i].Identifiers, x)
		}
		return err
	}, "SELECT "+identifierCols+" FROM identifier WHERE "+in+" ORDER BY id", list)
	return out, err
}

// Survivors are what customers are now, of those that were merged.
func (l Ledger) Survivors(ctx context.Context, customers []id.ID) (map[id.ID]id.ID, error) {
	into := map[id.ID]id.ID{}
	for next := customers; len(next) > 0; {
		in, list := l.in("merged_id", next)
		next = nil
		err := sqlstore.Each(ctx, l.c, func(r *sql.Rows) error {
			var a, b id.ID
			err := r.Scan(&a, &b)
			if _, known := into[a]; !known {
				into[a] = b
				next = append(next, b)
			}
			return err
		}, "SELECT merged_id, survivor_id FROM profile_survivor WHERE "+in, list)
		if err != nil {
			return nil, err
		}
	}
	out := map[id.ID]id.ID{}
	for _, c := range customers {
		to, steps := c, 0
		for into[to] != 0 && steps <= len(into) {
			to = into[to]
			steps++
		}
		if to != c {
			out[c] = to
		}
	}
	return out, nil
}

// Verdicts implements identity.Ledger.
func (l Ledger) Verdicts(ctx context.Context, profiles []id.ID) (out [][2]id.ID, err error) {
	for _, column := range []string{"a_id", "b_id"} {
		in, list := l.in(column, profiles)
		err = sqlstore.Each(ctx, l.c, func(r *sql.Rows) error {
			var p [2]id.ID
			err := r.Scan(&p[0], &p[1])
			out = append(out, p)
			return err
		}, "SELECT a_id, b_id FROM profile_review WHERE "+in+" AND state = 'not_same' AND b_id <> 0", list)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Owned implements identity.Ledger.
func (l Ledger) Owned(ctx context.Context, customers []id.ID) ([]id.ID, error) {
	all := slices.Clone(customers)
	for next := all; len(next) > 0; {
		in, list := l.in("survivor_id", next)
		got, err := l.ids(ctx, "SELECT merged_id FROM profile_survivor WHERE "+in, list)
		if err != nil {
			return nil, err
		}
		next = slices.DeleteFunc(got, func(v id.ID) bool { return slices.Contains(all, v) })
		all = append(all, next...)
	}
	in, list := l.in("customer_id", all)
	return l.ids(ctx, "SELECT id FROM profile WHERE "+in+" ORDER BY id", list)
}

func (l Ledger) ids(ctx context.Context, q string, args ...any) (out []id.ID, err error) {
	err = sqlstore.Each(ctx, l.c, func(r *sql.Rows) error {
		var v id.ID
		err := r.Scan(&v)
		out = append(out, v)
		return err
	}, q, args...)
	return out, err
}

func scanMerge(r *sql.Rows) (m identity.Merge, err error) {
	var evidence string
	if err := r.Scan(&m.ID, &m.Loser, &m.Winner, &m.At, &m.Why, &m.By, &m.Event, &evidence, &m.UndoneAt, &m.UndoneBy); err != nil {
		return m, err
	}
	return m, json.Unmarshal([]byte(evidence), &m.Evidence)
}

func scanReview(r *sql.Rows) (v identity.Review, err error) {
	var evidence, state string
	if err := r.Scan(&v.A, &v.B, &v.ID, &v.Kind, &evidence, &state, &v.Count, &v.CreatedAt, &v.LastAt, &v.By, &v.At); err != nil {
		return v, err
	}
	v.State = identity.State(state)
	return v, json.Unmarshal([]byte(evidence), &v.Evidence)
}

func (l Ledger) merges(ctx context.Context, where string, args ...any) (out []identity.Merge, err error) {
	err = sqlstore.Each(ctx, l.c, func(r *sql.Rows) error {
		m, err := scanMerge(r)
		out = append(out, m)
		return err
	}, "SELECT "+mergeColumns+" FROM profile_merge WHERE "+where, args...)
	return out, err
}

func (l Ledger) reviews(ctx context.Context, where string, args ...any) (out []identity.Review, err error) {
	err = sqlstore.Each(ctx, l.c, func(r *sql.Rows) error {
		v, err := scanReview(r)
		out = append(out, v)
		return err
	}, "SELECT "+reviewColumns+" FROM profile_review WHERE "+where, args...)
	return out, err
}

// Merge implements identity.Ledger.
func (l Ledger) Merge(ctx context.Context, merge id.ID) (m identity.Merge, found bool, err error) {
	got, err := l.merges(ctx, "id = ?", int64(merge))
	if err != nil || len(got) == 0 {
		return m, false, err
	}
	return got[0], true, nil
}

// Review implements identity.Ledger.
func (l Ledger) Review(ctx context.Context, review id.ID) (v identity.Review, found bool, err error) {
	got, err := l.reviews(ctx, "id = ?", int64(review))
	if err != nil || len(got) == 0 {
		return v, false, err
	}
	return got[0], true, nil
}

// MergesOf are the lines of the log that have to do with profiles, newest first.
func (l Ledger) MergesOf(ctx context.Context, profiles []id.ID, limit int) ([]identity.Merge, error) {
	var out []identity.Merge
	for _, column := range []string{"loser_id", "winner_id"} {
		in, list := l.in(column, profiles)
		got, err := l.merges(ctx, in+" ORDER BY id DESC LIMIT ?", list, limit)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	slices.SortFunc(out, func(a, b identity.Merge) int { return int(min(1, max(-1, b.ID-a.ID))) })
	out = slices.CompactFunc(out, func(a, b identity.Merge) bool { return a.ID == b.ID })
	return out[:min(limit, len(out))], nil
}

// Reviews are those in a state, the most recent first, and how many there are, counted up to a thousand.
func (l Ledger) Reviews(ctx context.Context, state identity.State, offset, limit int) (out []identity.Review, total int, err error) {
	if out, err = l.reviews(ctx, "state = ? ORDER BY last_at DESC, id DESC LIMIT ? OFFSET ?", string(state), limit, offset); err != nil {
		return nil, 0, err
	}
	_, err = l.c.QueryRow(ctx, []any{&total}, "SELECT count(*) FROM (SELECT 1 AS one FROM profile_review WHERE state = ? LIMIT 1000) AS n", string(state))
	return out, total, err
}

// ReviewsOf are the reviews in which profiles stand.
func (l Ledger) ReviewsOf(ctx context.Context, profiles []id.ID, state identity.State) (out []identity.Review, err error) {
	for _, column := range []string{"a_id", "b_id"} {
		in, list := l.in(column, profiles)
		got, err := l.reviews(ctx, in+" AND state = ? ORDER BY id", list, string(state))
		if err != nil {
			return nil, err
		}
		for _, r := range got {
			if !slices.ContainsFunc(out, func(x identity.Review) bool { return x.ID == r.ID }) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// Identifier reads one identifier; found is false for none.
func (l Ledger) Identifier(ctx context.Context, identifier id.ID) (x identity.Identifier, found bool, err error) {
	err = sqlstore.Each(ctx, l.c, func(r *sql.Rows) (err error) {
		found = true
		x, err = scanIdentifier(r)
		return err
	}, "SELECT "+identifierCols+" FROM identifier WHERE id = ?", int64(identifier))
	return x, found, err
}

// Undone implements identity.Ledger.
func (l Ledger) Undone(ctx context.Context, merge, by id.ID, at int64) error {
	_, err := l.c.Exec(ctx, mergeUndone, at, int64(by), int64(merge))
	return err
}

// Decide implements identity.Ledger.
func (l Ledger) Decide(ctx context.Context, r *identity.Review) error {
	return l.putReviews(ctx, []identity.Review{*r}, reviewDecide)
}

// Survives implements identity.Ledger.
func (l Ledger) Survives(ctx context.Context, merged []id.ID, survivor id.ID) error {
	for _, v := range merged {
		var err error
		if survivor == 0 {
			_, err = l.c.Exec(ctx, survivorDrop, int64(v))
		} else {
			_, err = l.c.Exec(ctx, survivorPut, int64(v), int64(survivor))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Forget implements identity.Ledger.
func (l Ledger) Forget(ctx context.Context, profiles []id.ID) error {
	in, list := l.in("profile_id", profiles)
	if _, err := l.c.Exec(ctx, "DELETE FROM identifier WHERE "+in, list); err != nil {
		return err
	}
	for _, column := range []string{"loser_id", "winner_id"} {
		in, list := l.in(column, profiles)
		if _, err := l.c.Exec(ctx, "UPDATE profile_merge SET evidence = '{}' WHERE "+in, list); err != nil {
			return err
		}
	}
	for _, column := range []string{"a_id", "b_id"} {
		in, list := l.in(column, profiles)
		if _, err := l.c.Exec(ctx, "UPDATE profile_review SET evidence = '{}' WHERE "+in, list); err != nil {
			return err
		}
	}
	return nil
}

// ForgetPrefix removes the profiles that have an identifier of a namespace with a prefix, and everything about them. A profile that had been
// joined to one of them is by itself again.
func (l Ledger) ForgetPrefix(ctx context.Context, namespace, prefix string) error {
	if err := l.Lock(ctx); err != nil {
		return err
	}
	const those = "(SELECT profile_id FROM identifier WHERE namespace = ? AND value >= ? AND value < ?)"
	args := []any{namespace, prefix, prefix + "\U0010FFFF"}
	for _, q := range []string{
		"UPDATE profile SET into_id = 0, root_id = id WHERE root_id IN " + those,
		"DELETE FROM profile_merge WHERE loser_id IN " + those,
		"DELETE FROM profile_merge WHERE winner_id IN " + those,
		"DELETE FROM profile_review WHERE a_id IN " + those,
		"DELETE FROM profile_review WHERE b_id IN " + those,
		"DELETE FROM profile_customer WHERE profile_id IN " + those,
		"DELETE FROM profile WHERE id IN " + those,
		"DELETE FROM identifier WHERE profile_id IN " + those,
	} {
		if _, err := l.c.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

// rowsAtOnce bounds a statement.
const rowsAtOnce = 200

// sheet is where rows go: the table, its columns and how many they are, and what follows the rows in the statement.
type sheet struct {
	table, columns string
	width          int
	end            string
}

// put inserts rows with one statement for many of them.
func put[T any](ctx context.Context, c sqlstore.Conn, to sheet, rows []T, fill func(*T) ([]any, error)) error {
	for len(rows) > 0 {
		n := min(len(rows), rowsAtOnce)
		args := make([]any, 0, n*to.width)
		for i := range rows[:n] {
			v, err := fill(&rows[i])
			if err != nil {
				return err
			}
			args = append(args, v...)
		}
		rows = rows[n:]
		if _, err := c.Exec(ctx, "INSERT INTO "+to.table+" ("+to.columns+") VALUES "+dialect.Values(n, to.width)+to.end, args...); err != nil {
			return fmt.Errorf("write %s: %w", to.table, err)
		}
	}
	return nil
}

func (l Ledger) putReviews(ctx context.Context, list []identity.Review, end string) error {
	return put(ctx, l.c, sheet{"profile_review", reviewColumns, 11, end}, list, func(r *identity.Review) ([]any, error) {
		evidence, err := r.Evidence.Encode()
		return []any{int64(r.A), int64(r.B), int64(r.ID), r.Kind, evidence, string(r.State), r.Count, r.CreatedAt, r.LastAt, int64(r.By), r.At}, err
	})
}

// Save implements identity.Ledger.
func (l Ledger) Save(ctx context.Context, c *identity.Changes) error {
	err := put(ctx, l.c, sheet{"profile", profileColumns, 5, profileEnd}, c.Profiles, func(p *identity.Profile) ([]any, error) {
		return []any{int64(p.ID), int64(p.Into), int64(p.Root), int64(p.Customer), p.CreatedAt}, nil
	})
	if err != nil {
		return err
	}
	err = put(ctx, l.c, sheet{"identifier", identifierCols, 8, identifierEnd}, c.Identifiers, func(x *identity.Identifier) ([]any, error) {
		return []any{x.Namespace, x.Value, int64(x.ID), int64(x.Profile), x.Shown, x.Sealed, x.FirstAt, x.LastAt}, nil
	})
	if err != nil {
		return err
	}
	err = put(ctx, l.c, sheet{"profile_merge", mergeColumns, 10, ""}, c.Merges, func(m *identity.Merge) ([]any, error) {
		evidence, err := m.Evidence.Encode()
		return []any{int64(m.ID), int64(m.Loser), int64(m.Winner), m.At, m.Why, int64(m.By), int64(m.Event), evidence, m.UndoneAt, int64(m.UndoneBy)}, err
	})
	if err != nil {
		return err
	}
	if err := l.putReviews(ctx, c.Reviews, reviewMore); err != nil || len(c.Mappings) == 0 {
		return err
	}
	return l.mapping(ctx, c.Mappings)
}

func (l Ledger) mapping(ctx context.Context, list []identity.Mapping) error {
	if _, err := l.c.Exec(ctx, identitySeq, len(list)); err != nil {
		return err
	}
	var head int64
	if _, err := l.c.QueryRow(ctx, []any{&head}, identityHead); err != nil {
		return err
	}
	for i := range list {
		list[i].Seq = head - int64(len(list)-1-i)
	}
	return put(ctx, l.c, sheet{"profile_customer", "seq, profile_id, customer_id", 3, ""}, list, func(m *identity.Mapping) ([]any, error) {
		return []any{m.Seq, int64(m.Profile), int64(m.Subject)}, nil
	})
}

// Owners are whose the events of profiles are, of those that are not their own: customers, or other profiles.
func Owners(ctx context.Context, c sqlstore.Conn, profiles []id.ID) (map[id.ID]id.ID, error) {
	in, list := NewLedger(c).in("profile_id", profiles)
	out := map[id.ID]id.ID{}
	return out, sqlstore.Each(ctx, c, func(r *sql.Rows) error {
		var p, to id.ID
		err := r.Scan(&p, &to)
		out[p] = to
		return err
	}, "SELECT profile_id, customer_id FROM profile_customer WHERE "+in+" ORDER BY profile_id, seq", list)
}

// Mappings are the lines of the map from profiles to customers behind a number, in their order. They commit in that order, so a
// consumer that remembers the last number misses none.
func Mappings(ctx context.Context, c sqlstore.Conn, after int64, limit int) (out []identity.Mapping, err error) {
	err = sqlstore.Each(ctx, c, func(r *sql.Rows) error {
		var m identity.Mapping
		err := r.Scan(&m.Seq, &m.Profile, &m.Subject)
		out = append(out, m)
		return err
	}, "SELECT seq, profile_id, customer_id FROM profile_customer WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
	return out, err
}

// Ownership is the map from profiles to whose their events are, for who carries the events.
type Ownership struct{ DB sqlstore.DB }

// ownersAtOnce bounds a question.
const ownersAtOnce = 10_000

// Owners are those of profiles that are not their own: a customer, or the profile they were joined to.
func (o Ownership) Owners(ctx context.Context, profiles []id.ID) (map[id.ID]id.ID, error) {
	out := make(map[id.ID]id.ID, len(profiles))
	for part := range slices.Chunk(profiles, ownersAtOnce) {
		err := o.DB.Read(ctx, func(c sqlstore.Conn) error {
			found, err := Owners(ctx, c, part)
			for p, to := range found {
				if to != p {
					out[p] = to
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Moved are profiles whose owner was set behind a place in the map, and the place up to which that is known.
func (o Ownership) Moved(ctx context.Context, after int64, limit int) (profiles []id.ID, upTo int64, err error) {
	err = o.DB.Read(ctx, func(c sqlstore.Conn) error {
		list, err := Mappings(ctx, c, after, limit)
		profiles, upTo = nil, after
		for i := range list {
			profiles, upTo = append(profiles, list[i].Profile), list[i].Seq
		}
		return err
	})
	return profiles, upTo, err
}

// Head is the newest place.
func (o Ownership) Head(ctx context.Context) (head int64, err error) {
	err = o.DB.Read(ctx, func(c sqlstore.Conn) error {
		_, err := c.QueryRow(ctx, []any{&head}, identityHead)
		return err
	})
	return head, err
}
