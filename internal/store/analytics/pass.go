package analytics

import (
	"context"
	"database/sql"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
)

// taken are the customers of a small pass: few are named one by one, of many the table trait_now is asked.
type taken struct {
	scope string
	ids   []int64
}

// fewTaken is up to how many customers are named: each costs some statements, a list costs a walk over the relations.
const fewTaken = 8

// takenUp reads whom trait_now holds.
func takenUp(ctx context.Context, q Querier) (t taken, err error) {
	err = each(ctx, q, listNow, []any{int64(fewTaken + 1)}, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		t.ids = append(t.ids, v)
		return err
	})
	t.scope = scopeOne
	if len(t.ids) > fewTaken {
		t.scope, t.ids = scopeTouched, nil
	}
	return t, err
}

// each is a text of the scope for all of them; the id follows the other parameters.
func (t taken) each(text string, args ...any) []exec {
	if t.scope == scopeTouched {
		return []exec{{text, args}}
	}
	var out []exec
	for _, v := range t.ids {
		out = append(out, exec{text, append(slices.Clone(args), v)})
	}
	return out
}

// figures are the values of RFM of those who purchased; nil when there are many.
func (t taken) figures(ctx context.Context, q Querier, monetary string) (figures, error) {
	if t.scope == scopeTouched {
		return nil, nil
	}
	out := figures{}
	for _, st := range t.each(valuesText(monetary, t.scope)) {
		err := each(ctx, q, st.text, st.args, func(r *sql.Rows) error {
			var f [3]int64
			err := r.Scan(&f[0], &f[1], &f[2])
			out = append(out, f)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fillFew copies the customers of a small pass and their facts into the work tables.
func (s *Store) fillFew(ctx context.Context, tx Tx, who taken, anchor clock.Day) error {
	customers, facts := fillTexts(who.scope)
	steps := append(s.emptySteps(), who.each(customers)...)
	for _, text := range facts {
		steps = append(steps, who.each(text, int64(anchor))...)
	}
	if err := run(ctx, tx, steps...); err != nil {
		return err
	}
	if err := s.numberNames(ctx, tx, listFewNames); err != nil {
		return err
	}
	return run(ctx, tx, append([]exec{{numberLines, nil}}, s.settleAll()...)...)
}

// fillSlice copies the customers from one id up to another and their facts into the work tables.
func (s *Store) fillSlice(ctx context.Context, tx Tx, lo, hi int64, anchor clock.Day) error {
	if err := s.numberNames(ctx, tx, scoped(listNames, scopeSlice, 1), lo, hi); err != nil {
		return err
	}
	customers, facts := fillTexts(scopeSlice)
	steps := append(s.emptySteps(), exec{customers, []any{lo, hi}})
	for _, text := range facts {
		steps = append(steps, exec{text, []any{int64(anchor), lo, hi}})
	}
	return run(ctx, tx, append(steps, s.settleAll()...)...)
}

// numberNames gives the names that a text lists numbers in byte order, from 1. Their table is counted at once: lines are
// joined to it while the same transaction goes on, and a planner that takes it for empty goes through it for each line.
func (s *Store) numberNames(ctx context.Context, tx Tx, text string, args ...any) error {
	var names []string
	err := each(ctx, tx, text, args, func(r *sql.Rows) error {
		var n string
		err := r.Scan(&n)
		names = append(names, n)
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(names)
	if err := run(ctx, tx, exec{clearNames, nil}); err != nil {
		return err
	}
	err = tx.Append(ctx, "pass_name", []string{"code", "name"}, func(yield func([]any, error) bool) {
		row := make([]any, 2)
		for i, n := range names {
			if row[0], row[1] = int64(i+1), n; !yield(row, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return run(ctx, tx, s.settle("pass_name"))
}

// settleAll renews the statistics of the tables that were filled.
func (s *Store) settleAll() []exec {
	var out []exec
	for _, name := range []string{"pass_customer", "pass_purchase", "pass_refund", "pass_line"} {
		out = append(out, s.settle(name))
	}
	return out
}

// familySteps compute the order and taste families from the work tables into tables.
func (s *Store) familySteps(order, taste string, p trait.Pass) []exec {
	now := p.At.UnixMilli()
	out := []exec{{orderText(order), []any{int64(p.Anchor), now}}}
	for _, text := range tasteParts(s.db.Dialect()) {
		out = append(out, exec{text, nil})
	}
	return append(out, exec{tasteText(taste), []any{now}})
}

// emptySteps empty the work tables.
func (s *Store) emptySteps() []exec {
	var out []exec
	for _, text := range scratch(s.db.Dialect(), workTables()) {
		out = append(out, exec{text, nil})
	}
	return out
}
