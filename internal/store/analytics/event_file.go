package analytics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// EventFiles writes events into Parquet files and reads them back, on an engine that can (DuckDB). A file holds the columns of f_event but whose
// the profile is, which is asked anew when it is read back.
type EventFiles struct{ db DB }

// NewEventFiles is nil for an engine whose tables are durable themselves.
func NewEventFiles(db DB) *EventFiles {
	if !db.Dialect().Mirrored() {
		return nil
	}
	return &EventFiles{db: db}
}

// fileColumns are the columns of a file.
func fileColumns(prefix string) string {
	var names []string
	for _, c := range EventColumns() {
		if c != "customer_id" {
			names = append(names, c)
		}
	}
	return quoteAll(names, prefix)
}

const (
	asParquet    = ` (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`
	newSealIDs   = `CREATE OR REPLACE TEMP TABLE seal_id (id BIGINT)`
	newFileProfs = `CREATE OR REPLACE TEMP TABLE seal_profile (profile_id BIGINT)`
)

// Copy writes the events of the given ids into a new file, in the order of time. Ids that are not there are left out.
func (f *EventFiles) Copy(ctx context.Context, ids []int64, path string) error {
	if len(ids) == 0 {
		return errors.New("no event to write")
	}
	lo, hi := ids[0], ids[0]
	for _, v := range ids {
		lo, hi = min(lo, v), max(hi, v)
	}
	return f.db.Write(ctx, func(tx Tx) error {
		if err := fillIDs(ctx, tx, newSealIDs, "seal_id", "id", ids); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprintf("COPY (SELECT %s FROM f_event e JOIN seal_id i ON i.id = e.id WHERE e.id >= %d AND e.id <= %d ORDER BY e.at, e.id) TO %s%s",
			fileColumns("e."), lo, hi, literal(path), asParquet))
		return err
	})
}

func fillIDs(ctx context.Context, tx Tx, create, table, column string, ids []int64) error {
	if _, err := tx.Exec(ctx, create); err != nil {
		return err
	}
	return tx.Append(ctx, table, []string{column}, func(yield func([]any, error) bool) {
		row := []any{nil}
		for _, v := range ids {
			if row[0] = v; !yield(row, nil) {
				return
			}
		}
	})
}

// Describe is how many events a file holds, and the local days of the first and the last.
func (f *EventFiles) Describe(ctx context.Context, path string) (rows, minDay, maxDay int64, err error) {
	_, err = one(ctx, f.db, "SELECT count(*), COALESCE(min(day), 0), COALESCE(max(day), 0) FROM read_parquet("+literal(path)+")", nil, &rows, &minDay, &maxDay)
	return rows, minDay, maxDay, err
}

// Profiles are those in a file.
func (f *EventFiles) Profiles(ctx context.Context, path string) (out []id.ID, err error) {
	err = each(ctx, f.db, "SELECT DISTINCT profile_id FROM read_parquet("+literal(path)+")", nil, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		out = append(out, id.ID(v))
		return err
	})
	return out, err
}

// Restored is the file that was read back last, "" for none; begun is false before Begin.
func (f *EventFiles) Restored(ctx context.Context) (name string, begun bool, err error) {
	return getState(ctx, f.db, restoredKey)
}

// Begin empties the facts of behaviour to read them back; followed is up to where the map of profiles is known.
func (f *EventFiles) Begin(ctx context.Context, followed int64) error {
	return f.db.Write(ctx, func(tx Tx) error {
		for _, t := range ownedTables() {
			if _, err := tx.Exec(ctx, "DELETE FROM "+t.name); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, dropState, visitsKey); err != nil {
			return err
		}
		if err := setJSON(ctx, tx, movedKey, followed); err != nil {
			return err
		}
		return setState(ctx, tx, restoredKey, "")
	})
}

// Restore adds the events of a file, each with its owner, and notes that it was done.
func (f *EventFiles) Restore(ctx context.Context, path, name string, owners map[id.ID]Owner) error {
	return f.db.Write(ctx, func(tx Tx) error {
		if err := setOwners(ctx, tx, owners); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO f_event (customer_id, "+fileColumns("")+") SELECT o.customer_id, "+fileColumns("p.")+" FROM read_parquet("+literal(path)+
			") p JOIN event_owner o ON o.profile_id = p.profile_id ORDER BY p.at, p.id")
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, clearOwners); err != nil {
			return err
		}
		return setState(ctx, tx, restoredKey, name)
	})
}

// Finish says that every file was read back: loading goes on behind a place in the inbox, and all visits are made anew.
func (f *EventFiles) Finish(ctx context.Context, loaded change.Position) error {
	return f.db.Write(ctx, func(tx Tx) error {
		if _, err := tx.Exec(ctx, dropState, restoredKey); err != nil {
			return err
		}
		return setJSON(ctx, tx, loadedKey, loaded)
	})
}

// Abandon has everything be read back anew.
func (f *EventFiles) Abandon(ctx context.Context) error {
	return f.db.Write(ctx, func(tx Tx) error {
		for _, key := range []string{restoredKey, loadedKey} {
			if _, err := tx.Exec(ctx, dropState, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// Gone says which events are to go: all of some profiles, single ones, or those of sources before a day.
type Gone struct {
	Profiles []id.ID
	Events   []id.ID
	Before   map[id.ID]int64 // local day by source
}

// Nothing reports that no event is to go.
func (g Gone) Nothing() bool { return len(g.Profiles) == 0 && len(g.Events) == 0 && len(g.Before) == 0 }

// where is the condition, with the profiles and the events in tables of these names; without one of events it is of whole visits.
func (g Gone) where(profiles, events string) (text string, args []any) {
	var parts []string
	if len(g.Profiles) > 0 {
		parts = append(parts, "profile_id IN (SELECT profile_id FROM "+profiles+")")
	}
	if len(g.Events) > 0 && events != "" {
		parts = append(parts, "id IN (SELECT id FROM "+events+")")
	}
	for _, source := range sortedIDs(g.Before) {
		parts = append(parts, "(source_id = CAST(? AS BIGINT) AND day < CAST(? AS BIGINT))")
		args = append(args, int64(source), g.Before[source])
	}
	if len(parts) == 0 {
		return "(1 = 0)", nil
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

func sortedIDs(m map[id.ID]int64) []id.ID {
	set := make(map[id.ID]bool, len(m))
	for k := range m {
		set[k] = true
	}
	return sortedKeys(set)
}

// Rewrite writes what is to stay of a file into another, where there is something to go; kept is how many events stay and gone how many go. Without any
// to go, and without any to stay, nothing is written.
func (f *EventFiles) Rewrite(ctx context.Context, from, to string, g Gone) (kept, gone int64, err error) {
	err = f.db.Write(ctx, func(tx Tx) error {
		if err := fillIDs(ctx, tx, newFileProfs, "seal_profile", "profile_id", plainIDs(g.Profiles)); err != nil {
			return err
		}
		if err := fillIDs(ctx, tx, newSealIDs, "seal_id", "id", plainIDs(g.Events)); err != nil {
			return err
		}
		where, args := g.where("seal_profile", "seal_id")
		if _, err := one(ctx, tx, "SELECT count(*) FILTER (WHERE NOT "+where+"), count(*) FILTER (WHERE "+where+") FROM read_parquet("+literal(from)+")", append(args, args...), &kept, &gone); err != nil {
			return err
		}
		if gone == 0 || kept == 0 {
			return nil
		}
		_, err := tx.Exec(ctx, "COPY (SELECT * FROM read_parquet("+literal(from)+") WHERE NOT "+inline(where, args)+` ORDER BY "at", id) TO `+literal(to)+asParquet)
		return err
	})
	return kept, gone, err
}

// inline writes numbers into a condition: COPY takes no parameters.
func inline(where string, args []any) string {
	for _, a := range args {
		where = strings.Replace(where, "?", fmt.Sprint(a), 1)
	}
	return where
}

func plainIDs(list []id.ID) []int64 {
	out := make([]int64, len(list))
	for i, v := range list {
		out[i] = int64(v)
	}
	return out
}
