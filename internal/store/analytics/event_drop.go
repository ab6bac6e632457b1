package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
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
	if len(g.Profiles) == 0 && len(g.Before) == 0 {
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
		where, args := g.where("event_owner")
		if err := e.markGone(ctx, tx, where, args); err != nil {
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
		if _, err := tx.Exec(ctx, "DELETE FROM "+SessionTable+" WHERE "+where, args...); err != nil {
			return fmt.Errorf("drop visits: %w", err)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM event_touched WHERE profile_id IN (SELECT profile_id FROM event_owner)"); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, clearOwners)
		return err
	})
	return events, err
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
