package analytics

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// modelFamilies are the families that models write their scores into, one for each model; a column that is added here is added to a
// plane that is there already.
func modelFamilies() []table {
	return []table{
		socialFamily(),
		valueFamily(), preferenceFamily(), recommendFamily(), churnFamily(),
		family("m_cluster", texts("cluster"), ints("cluster_sure")),
		actionFamily(),
	}
}

func modelFamily(name string) (table, bool) {
	list := modelFamilies()
	i := slices.IndexFunc(list, func(t table) bool { return t.name == name })
	if i < 0 {
		return table{}, false
	}
	return list[i], true
}

func clearFamily(name string) string { return "DELETE FROM " + Quote(name) }

func modelTexts() []Text {
	var out []Text
	for _, f := range modelFamilies() {
		out = append(out, Text{"clear " + f.name, clearFamily(f.name)}, Text{"read " + f.name, readFamily(f.name, f.values(), 3)})
	}
	return out
}

// Scores are the rows of a family in any order: a customer, and a value for each of the columns (int64, string or nil).
type Scores func(yield func(customer int64, values []any) bool) error

// stateScored is the entry of plane_state with the mark of what a family holds.
func stateScored(family string) string { return "scored:" + family }

// ReplaceFamily has scores take the place of all that a family holds, in one transaction, with the time they are stamped with and a mark that
// Scored answers until the plane is made anew. It says how many customers have scores. Rows must be worked out already: the plane's
// one writer waits while they come.
func (s *Store) ReplaceFamily(ctx context.Context, family string, columns []string, at int64, mark string, rows Scores) (int64, error) {
	f, ok := modelFamily(family)
	if !ok {
		return 0, fault.New(fault.Internal, "analytics.family_unknown", fault.Params{"family": family})
	}
	values := f.values()
	for _, c := range columns {
		if !slices.Contains(values, c) {
			return 0, fault.New(fault.Internal, "analytics.family_unknown", fault.Params{"family": family + "." + c})
		}
	}
	names := append(append([]string{"customer_id"}, columns...), "computed_at")
	var n int64
	err := s.db.Write(ctx, func(tx Tx) error {
		n = 0
		if _, err := tx.Exec(ctx, clearFamily(f.name)); err != nil {
			return err
		}
		var failed error
		err := tx.Append(ctx, f.name, names, func(yield func([]any, error) bool) {
			row := make([]any, len(names))
			failed = rows(func(customer int64, values []any) bool {
				row[0], row[len(row)-1] = customer, at
				if copy(row[1:len(row)-1], values) != len(columns) {
					panic(fmt.Sprintf("%s: %d values for %d columns", family, len(values), len(columns)))
				}
				n++
				return yield(row, nil)
			})
		})
		if failed != nil {
			return failed
		}
		if err != nil {
			return err
		}
		return setState(ctx, tx, stateScored(f.name), mark)
	})
	if err != nil {
		return 0, fmt.Errorf("write scores: %w", err)
	}
	return n, s.db.Write(ctx, func(tx Tx) error { return run(ctx, tx, s.settle(f.name)) })
}

// Scored is the mark of the scores that a family holds, "" when it holds none.
func (s *Store) Scored(ctx context.Context, family string) (string, error) {
	mark, _, err := getState(ctx, s.db, stateScored(family))
	return mark, err
}

// widen adds the columns that a family of a model gained.
func widen(ctx context.Context, tx Tx, d Dialect, have map[string][]string) error {
	for _, f := range modelFamilies() {
		cols, ok := have[f.name]
		if !ok {
			continue
		}
		for _, c := range f.columns {
			if slices.ContainsFunc(cols, func(n string) bool { return strings.EqualFold(n, c.name) }) {
				continue
			}
			if _, err := tx.Exec(ctx, "ALTER TABLE "+Quote(f.name)+" ADD COLUMN "+Quote(c.name)+" "+d.ColumnType(c.kind)); err != nil {
				return fmt.Errorf("add %s.%s: %w", f.name, c.name, err)
			}
		}
	}
	return nil
}
