package analytics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// make makes a table with its indexes. A plain table that is to be parted becomes a part of nothing: its rows are put into the parts.
func (t table) make(ctx context.Context, tx Tx, d Dialect) error {
	if t.month == "" || d.Parted(t.month) == "" {
		_, err := tx.Exec(ctx, t.ddl(d))
		return errors.Join(err, t.index(ctx, tx, d))
	}
	var kind string
	if _, err := one(ctx, tx, readTableKind, []any{t.name}, &kind); err != nil {
		return err
	}
	if kind == "r" { // of a version that did not part it
		if _, err := tx.Exec(ctx, "ALTER TABLE "+Quote(t.name)+" RENAME TO "+Quote(plain(t.name))); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "ALTER TABLE "+Quote(plain(t.name))+" DROP CONSTRAINT IF EXISTS "+Quote(t.name+"_pkey")); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, t.ddl(d)); err != nil {
		return err
	}
	if err := t.index(ctx, tx, d); err != nil || kind != "r" {
		return err
	}
	var days []clock.Day
	err := each(ctx, tx, "SELECT DISTINCT "+Quote(t.month)+" FROM "+Quote(plain(t.name)), nil, func(r *sql.Rows) error {
		var day int64
		err := r.Scan(&day)
		days = append(days, clock.Day(day)) //nolint:gosec // a day fits
		return err
	})
	if err != nil {
		return err
	}
	if err := makeMonths(ctx, tx, d, t.name, days); err != nil {
		return err
	}
	names := quoteAll(t.names(), "")
	for _, text := range []string{"INSERT INTO " + Quote(t.name) + " (" + names + ") SELECT " + names + " FROM " + Quote(plain(t.name)), "DROP TABLE " + Quote(plain(t.name))} {
		if _, err := tx.Exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (t table) index(ctx context.Context, tx Tx, d Dialect) error {
	for _, columns := range t.indexes {
		if text := d.Index(t.name, columns...); text != "" {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
	}
	for _, column := range t.lookups {
		if text := d.Lookup(t.name, column); text != "" {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
	}
	return nil
}

func plain(table string) string { return table + "_plain" }

const (
	readTableKind = `SELECT CAST(c.relkind AS TEXT) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = ?`
	listParts     = `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
JOIN pg_namespace n ON n.oid = p.relnamespace WHERE n.nspname = current_schema() AND p.relname = ? ORDER BY c.relname`
)

// The first month that has a part of its own; what is older lies in one part together. No clock is set after the last.
const (
	firstMonth = 2010
	lastMonth  = 2100
)

// monthPart is the part of a parted table in which a day lies.
type monthPart struct {
	name     string
	from, to *int64 // days, open where nil
}

func monthOf(table string, day clock.Day) monthPart {
	t := day.Time()
	start := clock.NewDay(firstMonth, time.January, 1)
	end := clock.NewDay(lastMonth, time.January, 1)
	bound := func(d clock.Day) *int64 { v := int64(d); return &v }
	switch {
	case day < start:
		return monthPart{table + "_before", nil, bound(start)}
	case day >= end:
		return monthPart{table + "_beyond", bound(end), nil}
	}
	return monthPart{fmt.Sprintf("%s_%04d%02d", table, t.Year(), t.Month()), bound(clock.NewDay(t.Year(), t.Month(), 1)), bound(clock.NewDay(t.Year(), t.Month()+1, 1))}
}

// makeMonths makes the parts in which days lie.
func makeMonths(ctx context.Context, tx Tx, d Dialect, table string, days []clock.Day) error {
	if d.Month(table, table, nil, nil) == "" || len(days) == 0 {
		return nil
	}
	have, err := parts(ctx, tx, table)
	if err != nil {
		return err
	}
	for _, day := range days {
		p := monthOf(table, day)
		if slices.Contains(have, p.name) {
			continue
		}
		if _, err := tx.Exec(ctx, d.Month(table, p.name, p.from, p.to)); err != nil {
			return fmt.Errorf("make %s: %w", p.name, err)
		}
		have = append(have, p.name)
	}
	return nil
}

func parts(ctx context.Context, q Querier, table string) (out []string, err error) {
	err = each(ctx, q, listParts, []any{table}, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		out = append(out, name)
		return err
	})
	return out, err
}

// partEnd is the day before which everything in a part lies, by its name; ok is false for the last part.
func partEnd(table, name string) (clock.Day, bool) {
	suffix := strings.TrimPrefix(name, table+"_")
	if suffix == "before" {
		return clock.NewDay(firstMonth, time.January, 1), true
	}
	t, err := time.Parse("200601", suffix)
	if err != nil {
		return 0, false
	}
	return clock.NewDay(t.Year(), t.Month()+1, 1), true
}
