package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
)

// VisitsMade reports whether visits of all profiles are made and none wait to be made anew.
func (e *Events) VisitsMade(ctx context.Context) (bool, error) {
	var st VisitState
	if known, err := getJSON(ctx, e.db, visitsKey, &st); err != nil || !known || st.Slices > 0 {
		return false, err
	}
	var touched, batch, from int64
	_, err := one(ctx, e.db, countTouchedSet, nil, &touched, &batch, &from)
	return touched == 0, err
}

// ProfilesOf are the profiles whose events belong to customers.
func (e *Events) ProfilesOf(ctx context.Context, customers []id.ID) (out []id.ID, err error) {
	if len(customers) == 0 {
		return nil, nil
	}
	args := make([]any, len(customers))
	for i, c := range customers {
		args[i] = int64(c)
	}
	list := strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")
	err = each(ctx, e.db, "SELECT DISTINCT profile_id FROM f_event WHERE customer_id IN ("+list+")", args, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		out = append(out, id.ID(v))
		return err
	})
	return out, err
}

// Drop takes events and their visits away for good and says how many events. Parts of a parted table of which nothing stays go whole.
func (e *Events) Drop(ctx context.Context, g Gone) (events int64, err error) {
	if g.Nothing() {
		return 0, nil
	}
	err = e.db.Write(ctx, func(tx Tx) error {
		events = 0
		owners := make(map[id.ID]Owner, len(g.Profiles))
		for _, p := range g.Profiles {
			owners[p] = Owner{ID: p}
		}
		if err := setOwners(ctx, tx, owners); err != nil {
			return err
		}
		if err := setGone(ctx, tx, g.Events); err != nil {
			return err
		}
		where, args := g.where("event_owner", "event_gone")
		stays, stayArgs := g.where("event_owner", "")
		if err := e.markGone(ctx, tx, where, args, stays, stayArgs); err != nil {
			return err
		}
		if err := e.markLeft(ctx, tx, g); err != nil {
			return err
		}
		if events, err = e.dropParts(ctx, tx, g, where, args); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "DELETE FROM "+EventTable+" WHERE "+where, args...)
		if err != nil {
			return fmt.Errorf("drop events: %w", err)
		}
		events += n
		if _, err := tx.Exec(ctx, "DELETE FROM "+SessionTable+" WHERE "+stays, stayArgs...); err != nil {
			return fmt.Errorf("drop visits: %w", err)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM event_touched WHERE profile_id IN (SELECT profile_id FROM event_owner)"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, clearGone); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, clearOwners)
		return err
	})
	return events, err
}

// Texts of single events that go: who had them since when, and where they stood.
const (
	clearGone = `DELETE FROM event_gone`
	goneFrom  = `SELECT e.customer_id, e.profile_id, min(e."at"), max(CASE WHEN c.id > 0 THEN 1 ELSE 0 END) FROM f_event e JOIN event_gone g ON g.id = e.id
LEFT JOIN a_customer c ON c.id = e.customer_id GROUP BY e.customer_id, e.profile_id`
)

func setGone(ctx context.Context, tx Tx, events []id.ID) error {
	if _, err := tx.Exec(ctx, clearGone); err != nil || len(events) == 0 {
		return err
	}
	return tx.Append(ctx, "event_gone", []string{"id"}, func(yield func([]any, error) bool) {
		row := make([]any, 1)
		for _, v := range events {
			if row[0] = int64(v); !yield(row, nil) {
				return
			}
		}
	})
}

// markLeft marks whose visits and traits are otherwise without single events.
func (e *Events) markLeft(ctx context.Context, tx Tx, g Gone) error {
	if len(g.Events) == 0 {
		return nil
	}
	var rows [][3]int64
	customers := map[id.ID]bool{}
	err := each(ctx, tx, goneFrom, nil, func(r *sql.Rows) error {
		var v [3]int64
		var known int64
		err := r.Scan(&v[0], &v[1], &v[2], &known)
		rows = append(rows, v)
		if known == 1 {
			customers[id.ID(v[0])] = true
		}
		return err
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	batch, err := e.nextTouched(ctx, tx)
	if err != nil {
		return err
	}
	err = tx.Append(ctx, "event_touched", []string{"customer_id", "profile_id", "batch", "from_at"}, func(yield func([]any, error) bool) {
		for _, v := range rows {
			if !yield([]any{v[0], v[1], batch, v[2]}, nil) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("mark profiles: %w", err)
	}
	return touch(ctx, tx, customers)
}

// dropParts drops the parts of the table of events of which nothing stays.
func (e *Events) dropParts(ctx context.Context, tx Tx, g Gone, where string, args []any) (events int64, err error) {
	if e.db.Dialect().Parted("day") == "" || len(g.Before) == 0 {
		return 0, nil
	}
	newest := int64(0)
	for _, day := range g.Before {
		newest = max(newest, day)
	}
	list, err := parts(ctx, tx, EventTable)
	if err != nil {
		return 0, err
	}
	for _, name := range list {
		end, ok := partEnd(EventTable, name)
		if !ok || int64(end) > newest {
			continue
		}
		var rows, stay int64
		if _, err := one(ctx, tx, "SELECT count(*), count(*) FILTER (WHERE NOT "+where+") FROM "+Quote(name), args, &rows, &stay); err != nil {
			return events, err
		}
		if stay > 0 {
			continue
		}
		if _, err := tx.Exec(ctx, "DROP TABLE "+Quote(name)); err != nil {
			return events, fmt.Errorf("drop %s: %w", name, err)
		}
		events += rows
	}
	return events, nil
}

// refusedText finds what persons did in times that they refused: customer, from and until of each, and how many at most. What a colleague wrote down
// (256) and what is without a person already (64) stays.
func refusedText(refusals int) string {
	const row = "(CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))"
	return "SELECT DISTINCT e.id, e.source_id FROM f_event e JOIN (VALUES " + row + strings.Repeat(", "+row, refusals-1) + `) r(customer_id, from_at, until_at) ON r.customer_id = e.customer_id
WHERE e."at" >= r.from_at AND e."at" < r.until_at AND e.kind IN ('page', 'screen', 'track') AND (e.flags & 64) <> 64 AND (e.flags & 256) <> 256 ORDER BY e.id LIMIT CAST(? AS BIGINT)`
}

// Refused are events of persons in times in which they refused to be analysed, and how many of them came by each source.
func (e *Events) Refused(ctx context.Context, refusals []consent.Refusal, limit int) (events []id.ID, by map[id.ID]int64, err error) {
	by = map[id.ID]int64{}
	if len(refusals) == 0 {
		return nil, by, nil
	}
	args := make([]any, 0, 3*len(refusals)+1)
	for _, r := range refusals {
		until := int64(math.MaxInt64)
		if !r.Until.IsZero() {
			until = r.Until.UnixMilli()
		}
		args = append(args, int64(r.Subject), r.From.UnixMilli(), until)
	}
	err = each(ctx, e.db, refusedText(len(refusals)), append(args, limit), func(r *sql.Rows) error {
		var v, source int64
		err := r.Scan(&v, &source)
		events = append(events, id.ID(v))
		by[id.ID(source)]++
		return err
	})
	return events, by, err
}
