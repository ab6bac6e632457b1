package analytics

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// The traits that a workspace defines lie in families of thirty columns, t_computed_1 and so on: twenty for integers (i1 …) and ten
// for texts (t1 …), which the definitions take and leave. A pass gives each trait a statement, collects their values in one table
// (pass_value), and makes rows of them: so no statement groups twice, however many traits there are.

// computedName is the name of a family, from 1.
func computedName(n int) string { return "t_computed_" + strconv.Itoa(n) }

// ComputedPlace is where the values of a computed trait lie.
func ComputedPlace(c *trait.Computed) (table, column string) {
	return computedName(c.Family()), computedColumn(c.Column())
}

func computedColumn(n int) string {
	if n < trait.FamilyInts {
		return "i" + strconv.Itoa(n+1)
	}
	return "t" + strconv.Itoa(n-trait.FamilyInts+1)
}

func computedFamily(n int) table {
	var cols []string
	for i := range trait.FamilyColumns {
		cols = append(cols, computedColumn(i))
	}
	return family(computedName(n), ints(cols[:trait.FamilyInts]...), texts(cols[trait.FamilyInts:]...))
}

// computedWork are the tables that a pass over computed traits works in: the events of few customers, and the values by place.
func computedWork() []table {
	events := eventTable()
	return []table{
		{name: passEvent, columns: events.columns, staging: true},
		{name: "pass_value", columns: append(ints("customer_id", "place", "number"), texts("word")...), staging: true},
	}
}

const passEvent = "pass_event"

// defined are the families of a plan.
func (s *Store) defined(plan *trait.ComputedPlan) []table {
	if plan == nil {
		return nil
	}
	var out []table
	for i := range plan.Families {
		out = append(out, computedFamily(i+1))
	}
	return out
}

// ComputedColumn is a computed trait in the wide view.
type ComputedColumn struct {
	Key           string
	Table, Column string
}

// Shape says which families of computed traits the next Ensure makes sure of, and which traits the wide view shows from then on.
func (s *Store) Shape(families int, columns []ComputedColumn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted, s.computed = families, columns
}

// computedTables makes the families of a plan that are not there.
func (s *Store) computedTables(ctx context.Context, plan *trait.ComputedPlan) error {
	if plan == nil || int64(plan.Families) <= s.families.Load() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.makeEach(ctx, s.familyTables(plan.Families)); err != nil {
		return err
	}
	s.families.Store(int64(plan.Families))
	return nil
}

// familyTables are the tables of so many families.
func (s *Store) familyTables(n int) []table {
	if n == 0 {
		return nil
	}
	var own []table
	for i := range n {
		f := computedFamily(i + 1)
		own = append(own, f, f.next())
	}
	if s.db.Dialect().Spread("", true, "") != "" {
		own = append(own, computedWork()...)
	}
	return own
}

// makeEach makes tables of facts, each in a transaction of its own, and places them.
func (s *Store) makeEach(ctx context.Context, list []table) error {
	d := s.db.Dialect()
	for _, t := range list {
		err := s.db.Write(ctx, func(tx Tx) error {
			_, err := tx.Exec(ctx, t.ddl(d))
			return err
		})
		if text := d.Spread(t.name, true, s.customers); err == nil && text != "" {
			err = s.db.Write(ctx, func(tx Tx) error {
				_, err := tx.Exec(ctx, text)
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("create %s: %w", t.name, err)
		}
	}
	return nil
}

// computedScratch empties the tables of the values.
func (s *Store) computedScratch() []exec {
	var out []exec
	for _, text := range scratch(s.db.Dialect(), computedWork()) {
		out = append(out, exec{text, nil})
	}
	return out
}

// valueSteps collect the values of all traits of the customers in pass_customer.
func valueSteps(p trait.Pass, scope trait.ComputedScope) ([]exec, error) {
	steps, err := p.Computed.Steps(p.Moment, scope)
	if err != nil {
		return nil, err
	}
	var out []exec
	for _, st := range steps {
		place, column := strconv.Itoa(st.Place), "number"
		if st.Place%trait.FamilyColumns >= trait.FamilyInts {
			column = "word"
		}
		head := "INSERT INTO pass_value (customer_id, place, " + column + ") SELECT q.customer_id, " + place
		if st.SQL == "" {
			kept := computedColumn(st.Place % trait.FamilyColumns)
			out = append(out, exec{head + ", q." + kept + " FROM " + computedName(st.Place/trait.FamilyColumns+1) + " q WHERE q." + kept +
				" IS NOT NULL AND q.customer_id IN (SELECT customer_id FROM pass_customer)", nil})
			continue
		}
		out = append(out, exec{head + ", q.value FROM (" + st.SQL + ") q WHERE q.value IS NOT NULL", st.Args})
	}
	return out, nil
}

// pivotSteps make the rows of the families from the values.
func (s *Store) pivotSteps(p trait.Pass, into func(family string) string) ([]exec, error) {
	steps, err := p.Computed.Steps(p.Moment, trait.ComputedScope{})
	if err != nil {
		return nil, err
	}
	byPlace := map[int]trait.ComputedStep{}
	for _, st := range steps {
		byPlace[st.Place] = st
	}
	var out []exec
	for n, f := range s.defined(p.Computed) {
		out = append(out, exec{pivotComputed(into(f.name), n, byPlace), []any{p.At.UnixMilli()}})
	}
	return out, nil
}

func pivotComputed(into string, n int, byPlace map[int]trait.ComputedStep) string {
	var cols, values strings.Builder
	for i := range trait.FamilyColumns {
		place := n*trait.FamilyColumns + i
		st, ok := byPlace[place]
		if !ok {
			continue
		}
		column := "number"
		if i >= trait.FamilyInts {
			column = "word"
		}
		x := "max(CASE WHEN v.place = " + strconv.Itoa(place) + " THEN v." + column + " END)"
		if st.Zero {
			x = "COALESCE(" + x + ", 0)"
		}
		cols.WriteString(", " + computedColumn(i))
		values.WriteString(", " + x)
	}
	return "INSERT INTO " + into + " (customer_id" + cols.String() + ", computed_at) SELECT c.customer_id" + values.String() +
		", CAST(? AS BIGINT) FROM pass_customer c LEFT JOIN pass_value v ON v.customer_id = c.customer_id GROUP BY c.customer_id ORDER BY c.customer_id"
}

// computeFew recomputes the computed traits of the customers of a small pass, whose ids are in pass_customer.
func (s *Store) computeFew(ctx context.Context, tx Tx, who taken, p trait.Pass) error {
	if p.Computed == nil || p.Computed.Families == 0 {
		return nil
	}
	values, err := valueSteps(p, trait.ComputedScope{Events: passEvent, Who: who.condition})
	if err != nil {
		return err
	}
	steps := s.computedScratch()
	if p.Computed.Events {
		steps = append(steps, who.each(scoped(fillEvents(asked(values)), who.scope, 1))...)
		steps = append(steps, s.settle(passEvent))
	}
	steps = append(append(steps, values...), s.settle("pass_value"))
	for _, f := range s.defined(p.Computed) {
		steps = append(steps, who.each(deleteNow(f.name, who.scope))...)
	}
	rows, err := s.pivotSteps(p, func(family string) string { return family })
	if err != nil {
		return err
	}
	return run(ctx, tx, append(append(steps, rows...), s.computedScratch()...)...)
}

// condition is the scope as a condition on a column.
func (t taken) condition(column string) (string, []any) {
	if t.scope == scopeTouched {
		return column + " IN (SELECT customer_id FROM pass_customer)", nil
	}
	args := make([]any, len(t.ids))
	for i, v := range t.ids {
		args[i] = v
	}
	if len(args) == 0 {
		return column + " < 0", nil // ids are positive
	}
	return column + " IN (" + strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ") + ")", args
}

// computeSlice computes the computed traits of the customers in pass_customer, whose ids lie from lo up to hi, into the staged
// families. The values are committed before they become rows, so that DuckDB reads them by all threads.
func (s *Store) computeSlice(ctx context.Context, lo, hi int64, p trait.Pass) error {
	if p.Computed == nil || p.Computed.Families == 0 {
		return nil
	}
	within := trait.ComputedScope{Who: func(column string) (string, []any) { return column + " >= ? AND " + column + " < ?", []any{lo, hi} }}
	values, err := valueSteps(p, within)
	if err != nil {
		return err
	}
	whole := exec{s.db.Dialect().WholeSet(), nil}
	err = s.db.Write(ctx, func(tx Tx) error {
		return run(ctx, tx, append(append([]exec{whole}, append(s.computedScratch(), values...)...), s.settle("pass_value"))...)
	})
	if err != nil {
		return err
	}
	rows, err := s.pivotSteps(p, staged)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx Tx) error {
		return run(ctx, tx, append(append([]exec{whole}, rows...), s.computedScratch()...)...)
	})
}

// Compute implements trait.Store: beside the present values, slice by slice, then exchanged in one transaction. Customers touched
// meanwhile keep their marks.
func (s *Store) Compute(ctx context.Context, p trait.Pass) (r trait.Result, err error) {
	r = trait.Result{Kind: "computed", Full: true, Anchor: p.Anchor, At: p.At}
	if p.Computed == nil {
		return r, nil
	}
	if err := s.computedTables(ctx, p.Computed); err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	start := s.clock.Now()
	bounds, err := s.slices(ctx, rowsPerSlice)
	if err != nil {
		return r, fmt.Errorf("slice customers: %w", err)
	}
	err = s.db.Write(ctx, func(tx Tx) error {
		for _, f := range s.defined(p.Computed) {
			if _, err := tx.Exec(ctx, "DELETE FROM "+staged(f.name)); err != nil {
				return err
			}
		}
		return nil
	})
	for i := 0; err == nil && i+1 < len(bounds); i++ {
		err = s.db.Write(ctx, func(tx Tx) error {
			return run(ctx, tx, append(s.emptySteps(), exec{scoped(fillCustomers, scopeSlice, 1), []any{bounds[i], bounds[i+1]}}, s.settle("pass_customer"))...)
		})
		if err == nil {
			err = s.computeSlice(ctx, bounds[i], bounds[i+1], p)
		}
	}
	if err == nil {
		err = s.db.Write(ctx, func(tx Tx) error {
			if err := s.exchange(ctx, tx, s.defined(p.Computed)); err != nil {
				return err
			}
			st, err := loadState(ctx, tx)
			if err != nil {
				return err
			}
			st.ComputedAt, st.Unfinished = p.At, true
			if _, err := one(ctx, tx, countCustomers, nil, &r.Customers); err != nil {
				return err
			}
			if err := setJSON(ctx, tx, "traits", st); err != nil {
				return err
			}
			r.Cuts = st.Cuts
			return setComputed(ctx, tx, p)
		})
	}
	r.Took = s.clock.Now().Sub(start)
	if err != nil {
		return r, fmt.Errorf("compute defined traits: %w", err)
	}
	return r, nil
}

// exchange has the staged twins of families take their place.
func (s *Store) exchange(ctx context.Context, tx Tx, families []table) error {
	for _, f := range families {
		next := f.next()
		for _, text := range s.db.Dialect().Exchange(f.name, next.name, next.ddl(s.db.Dialect()), swapText(f)) {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
		if err := run(ctx, tx, s.settle(f.name)); err != nil {
			return err
		}
	}
	return nil
}

// comparable are the families that a full pass must find as they are: computed ones only under the definitions by which they were
// computed, without the columns that change by the hour.
func (s *Store) comparable(p trait.Pass, st trait.State) []table {
	out := computedFamilies()
	if p.Computed == nil || p.Computed.Mark != st.Mark {
		return out
	}
	steps, err := p.Computed.Steps(p.Moment, trait.ComputedScope{})
	if err != nil {
		return out
	}
	moving := map[string]bool{}
	for _, step := range steps {
		if step.Rolling {
			moving[strconv.Itoa(step.Place/trait.FamilyColumns)+computedColumn(step.Place%trait.FamilyColumns)] = true
		}
	}
	for n, f := range s.defined(p.Computed) {
		var kept []column
		for _, c := range f.columns {
			if !moving[strconv.Itoa(n)+c.name] {
				kept = append(kept, c)
			}
		}
		f.columns = kept
		out = append(out, f)
	}
	return out
}

// stateComputed is the entry of the plane's state that says by which definitions computed traits were worked out for everyone.
const stateComputed = "computed"

type computedState struct {
	Mark string
	At   int64
}

func loadComputed(ctx context.Context, q Querier) (string, time.Time, error) {
	var c computedState
	if _, err := getJSON(ctx, q, stateComputed, &c); err != nil || c.At == 0 {
		return c.Mark, time.Time{}, err
	}
	return c.Mark, time.UnixMilli(c.At), nil
}

func setComputed(ctx context.Context, tx Tx, p trait.Pass) error {
	if p.Computed == nil {
		return nil
	}
	return setJSON(ctx, tx, stateComputed, computedState{Mark: p.Computed.Mark, At: p.At.UnixMilli()})
}

// fillEvents copies the events of the customers of a small pass, so that each trait does not look for them anew; of their columns those named.
func fillEvents(columns []string) string {
	return "INSERT INTO " + passEvent + " (" + quoteAll(columns, "") + ") SELECT " + quoteAll(columns, "") + " FROM " + compile.EventTable + " WHERE {scope customer_id}"
}

// asked are the columns of events that statements name; what lies in the others, texts above all, is not read.
func asked(steps []exec) []string {
	var out []string
	for _, c := range eventTable().columns {
		if c.name == "customer_id" || slices.ContainsFunc(steps, func(e exec) bool { return strings.Contains(e.text, "."+Quote(c.name)) }) {
			out = append(out, c.name)
		}
	}
	return out
}

// madeComputed are the computed traits whose family was made.
func (s *Store) madeComputed() []ComputedColumn {
	var out []ComputedColumn
	for _, c := range s.computed {
		for n := range s.families.Load() {
			if c.Table == computedName(int(n)+1) {
				out = append(out, c)
			}
		}
	}
	return out
}
