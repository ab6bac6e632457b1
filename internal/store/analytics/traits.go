package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
)

var _ trait.Store = (*Store)(nil)

// The columns of the order family that may count as monetary value.
const (
	monetaryGross = "spend_total"
	monetaryNet   = "net_spend"
)

func monetary(s trait.Settings) string {
	if s.Monetary == trait.MonetaryNet {
		return monetaryNet
	}
	return monetaryGross
}

// Define implements trait.Store: the views of purchases follow the settings.
func (s *Store) Define(ctx context.Context, settings trait.Settings) error {
	facts, err := factViews(settings.Statuses)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db.Write(ctx, func(tx Tx) error {
		for _, v := range facts {
			// The columns stay the same, so the view is replaced in place.
			if _, err := tx.Exec(ctx, "CREATE OR REPLACE VIEW "+Quote(v.name)+" AS "+v.text); err != nil {
				return fmt.Errorf("define %s: %w", v.name, err)
			}
		}
		_, err := tx.Exec(ctx, dropState, "views") // Ensure compares with what it made itself
		return err
	})
}

// LastPurchase implements trait.Store.
func (s *Store) LastPurchase(ctx context.Context, until clock.Day) (clock.Day, bool, error) {
	var day sql.NullInt64
	if _, err := one(ctx, s.db, lastPurchaseDay, []any{int64(until)}, &day); err != nil {
		return 0, false, fmt.Errorf("find newest purchase: %w", err)
	}
	return clock.Day(day.Int64), day.Valid, nil
}

// Waiting implements trait.Store.
func (s *Store) Waiting(ctx context.Context) (touched, customers int64, err error) {
	if _, err := one(ctx, s.db, countTouched, nil, &touched); err != nil {
		return 0, 0, err
	}
	if touched > 0 {
		_, err = one(ctx, s.db, countCustomers, nil, &customers)
	}
	return touched, customers, err
}

// Touch implements trait.Store.
func (s *Store) Touch(ctx context.Context, customers []id.ID) error {
	return s.db.Write(ctx, func(tx Tx) error {
		batch, err := nextBatch(ctx, tx)
		if err != nil {
			return err
		}
		unique := slices.Compact(slices.Sorted(slices.Values(customers)))
		return tx.Append(ctx, "trait_touched", []string{"customer_id", "batch"}, func(yield func([]any, error) bool) {
			row := make([]any, 2)
			for _, c := range unique {
				row[0], row[1] = int64(c), batch
				if !yield(row, nil) {
					return
				}
			}
		})
	})
}

// nextBatch numbers the marks: a pass takes those up to the newest and leaves later ones.
func nextBatch(ctx context.Context, q Querier) (int64, error) {
	var n int64
	_, err := one(ctx, q, lastBatch, nil, &n)
	return n + 1, err
}

type exec struct {
	text string
	args []any
}

func run(ctx context.Context, tx Tx, steps ...exec) error {
	for _, st := range steps {
		if st.text == "" {
			continue
		}
		if _, err := tx.Exec(ctx, st.text, st.args...); err != nil {
			return err
		}
	}
	return nil
}

// Small implements trait.Store.
func (s *Store) Small(ctx context.Context, p trait.Pass) (trait.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := s.clock.Now()
	r := trait.Result{Anchor: p.Anchor, At: p.At}
	err := s.db.Write(ctx, func(tx Tx) error {
		var batch int64
		if _, err := one(ctx, tx, lastBatch, nil, &batch); err != nil {
			return err
		}
		anchor, now := int64(p.Anchor), p.At.UnixMilli()
		if err := run(ctx, tx, exec{clearNow, nil}, exec{takeTouched, []any{batch}}, s.settle("trait_now")); err != nil {
			return err
		}
		steps := append(s.fillSteps(scopeTouched, anchor), exec{deleteNow(FamilyOrder), nil},
			exec{orderText(FamilyOrder, scopeTouched), []any{anchor, now}}, exec{deleteNow(FamilyTaste), nil})
		steps = append(steps, tasteSteps(FamilyTaste, now)...)
		if err := run(ctx, tx, steps...); err != nil {
			return err
		}
		st, err := loadState(ctx, tx)
		if err != nil {
			return err
		}
		before := st.Cuts
		if st.Cuts, err = cuts(ctx, tx, p.Settings, FamilyOrder); err != nil {
			return err
		}
		m, args := monetary(p.Settings), cutArgs(st.Cuts)
		steps = nil
		if st.Cuts != before { // others' scores moved too
			steps = append(steps, exec{strings.ReplaceAll(addMoved, "{scores}", scoresText(FamilyOrder, m)), args})
		}
		steps = append(steps, exec{deleteNow(FamilyRFM), nil}, exec{rfmText(FamilyRFM, FamilyOrder, m, true), append(args, now)},
			exec{dropTouched, []any{batch}})
		if err := run(ctx, tx, append(steps, s.emptySteps()...)...); err != nil {
			return err
		}
		st.ComputedAt, st.Unfinished = p.At, true
		r.Cuts = st.Cuts
		if _, err := one(ctx, tx, countNow, nil, &r.Customers); err != nil {
			return err
		}
		return setJSON(ctx, tx, "traits", st)
	})
	r.Took = s.clock.Now().Sub(start)
	if err != nil {
		return r, fmt.Errorf("compute traits of changed customers: %w", err)
	}
	return r, nil
}

// settle is the statement that renews the statistics of a table.
func (s *Store) settle(table string) exec { return exec{s.db.Dialect().Settle(table), nil} }

// fillSteps copy the facts of a scope into the work tables; args are the anchor and, for a slice, its bounds.
func (s *Store) fillSteps(scope string, args ...any) []exec {
	out := s.emptySteps()
	for _, text := range fillTexts(scope) {
		out = append(out, exec{text, args})
	}
	for _, t := range workTables() {
		out = append(out, s.settle(t.name))
	}
	return out
}

// tasteSteps compute t_taste from the work tables into a table.
func tasteSteps(into string, now int64) []exec {
	out := []exec{{clearParts, nil}}
	for _, text := range tasteParts() {
		out = append(out, exec{text, nil})
	}
	return append(out, exec{tasteText(into), []any{now}}, exec{clearParts, nil})
}

// emptySteps empty the work tables.
func (s *Store) emptySteps() []exec {
	var out []exec
	for _, text := range Scratch(s.db.Dialect()) {
		out = append(out, exec{text, nil})
	}
	return out
}

func cutArgs(m rfm.Model) []any {
	var out []any
	for _, c := range []rfm.Cuts{m.Recency, m.Frequency, m.Monetary} {
		for _, v := range c {
			out = append(out, v)
		}
	}
	return out
}

// cuts are the saved cuts or the quintiles of everyone in an order family who purchased.
func cuts(ctx context.Context, q Querier, settings trait.Settings, from string) (rfm.Model, error) {
	if settings.Mode == trait.ModeSaved {
		return settings.Cuts, nil
	}
	var total int64
	if _, err := one(ctx, q, "SELECT count(*) FROM "+from+" WHERE orders > 0", nil, &total); err != nil {
		return rfm.Model{}, err
	}
	column := func(name string) (rfm.Cuts, error) {
		quantiles := rfm.NewQuantiles(total)
		var value, count int64
		err := each(ctx, q, distinctText(from, name), nil, func(r *sql.Rows) error {
			if err := r.Scan(&value, &count); err != nil {
				return err
			}
			quantiles.Add(value, count)
			return nil
		})
		return quantiles.Cuts(), err
	}
	var m rfm.Model
	var err error
	if m.Recency, err = column("days_since_last"); err != nil {
		return m, err
	}
	if m.Frequency, err = column("orders"); err != nil {
		return m, err
	}
	m.Monetary, err = column(monetary(settings))
	return m, err
}

// rowsPerSlice bounds the memory of a full pass: so many orders and lines are computed in one statement.
const rowsPerSlice = 6_000_000

// slices are ascending customer ids: slice i holds the ids from bounds[i] up to, not including, bounds[i+1], and about as
// many facts as any other.
func (s *Store) slices(ctx context.Context) ([]int64, error) {
	var facts int64
	if _, err := one(ctx, s.db, countFacts, nil, &facts); err != nil {
		return nil, err
	}
	bounds := []int64{0}
	n := int(1 + facts/rowsPerSlice)
	if n == 1 {
		return append(bounds, math.MaxInt64), nil
	}
	var sample []int64
	err := each(ctx, s.db, sliceSample, nil, func(r *sql.Rows) error {
		var c int64
		if err := r.Scan(&c); err != nil {
			return err
		}
		sample = append(sample, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := 1; i < n && len(sample) > 0; i++ {
		if at := sample[len(sample)*i/n]; at > bounds[len(bounds)-1] {
			bounds = append(bounds, at)
		}
	}
	return append(bounds, math.MaxInt64), nil
}

// Full implements trait.Store. Everything is computed beside the present values, slice by slice in transactions of their
// own, so that the mirror can go on between them; then the families are compared and exchanged in one transaction. A
// customer touched meanwhile is left to the small pass that follows.
func (s *Store) Full(ctx context.Context, p trait.Pass, today clock.Day) (trait.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := s.clock.Now()
	r := trait.Result{Full: true, Anchor: p.Anchor, At: p.At}
	var batch int64
	if _, err := one(ctx, s.db, lastBatch, nil, &batch); err != nil {
		return r, err
	}
	bounds, err := s.slices(ctx)
	if err != nil {
		return r, fmt.Errorf("slice customers: %w", err)
	}
	if err := s.stage(ctx, p, bounds); err != nil {
		return r, fmt.Errorf("compute all traits: %w", err)
	}
	err = s.db.Write(ctx, func(tx Tx) error { return s.swap(ctx, tx, p, today, batch, &r) })
	if err != nil {
		return r, fmt.Errorf("exchange traits: %w", err)
	}
	r.Took = s.clock.Now().Sub(start)
	return r, nil
}

// stage fills the staged twins of the order and taste families.
func (s *Store) stage(ctx context.Context, p trait.Pass, bounds []int64) error {
	err := s.db.Write(ctx, func(tx Tx) error {
		for _, f := range computedFamilies() {
			if _, err := tx.Exec(ctx, "DELETE FROM "+staged(f.name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	whole := exec{s.db.Dialect().WholeSet(), nil}
	anchor, now := int64(p.Anchor), p.At.UnixMilli()
	for i := 0; i+1 < len(bounds); i++ {
		lo, hi := bounds[i], bounds[i+1]
		steps := append([]exec{whole}, s.fillSteps(scopeSlice, anchor, lo, hi)...)
		steps = append(steps, exec{orderText(staged(FamilyOrder), scopeSlice), []any{anchor, now, lo, hi}})
		steps = append(steps, tasteSteps(staged(FamilyTaste), now)...)
		steps = append(steps, s.emptySteps()...)
		if err := s.db.Write(ctx, func(tx Tx) error { return run(ctx, tx, steps...) }); err != nil {
			return err
		}
	}
	return nil
}

// swap scores the staged values, compares them with the present ones and takes their place.
func (s *Store) swap(ctx context.Context, tx Tx, p trait.Pass, today clock.Day, batch int64, r *trait.Result) error {
	st, err := loadState(ctx, tx)
	if err != nil {
		return err
	}
	if r.Cuts, err = cuts(ctx, tx, p.Settings, staged(FamilyOrder)); err != nil {
		return err
	}
	if err := run(ctx, tx, exec{s.db.Dialect().WholeSet(), nil}); err != nil {
		return err
	}
	text := rfmText(staged(FamilyRFM), staged(FamilyOrder), monetary(p.Settings), false)
	if err := run(ctx, tx, exec{text, append(cutArgs(r.Cuts), p.At.UnixMilli())}); err != nil {
		return err
	}
	if st.Known && st.Anchor == p.Anchor && st.Today == today {
		if r.Verified, r.Differing, err = differing(ctx, tx); err != nil {
			return err
		}
	}
	for _, f := range computedFamilies() {
		err := run(ctx, tx, exec{"DELETE FROM " + f.name, nil}, exec{swapText(f), nil}, exec{"DELETE FROM " + staged(f.name), nil})
		if err != nil {
			return err
		}
		if err := run(ctx, tx, s.settle(f.name)); err != nil {
			return err
		}
	}
	if err := run(ctx, tx, exec{dropTouched, []any{batch}}, exec{clearNow, nil}); err != nil {
		return err
	}
	if _, err := one(ctx, tx, "SELECT count(*) FROM "+FamilyOrder, nil, &r.Customers); err != nil {
		return err
	}
	return setJSON(ctx, tx, "traits", trait.State{Known: true, Anchor: p.Anchor, ComputedAt: p.At, FullAt: p.At, Today: today,
		Settings: p.Settings, Cuts: r.Cuts, Verified: r.Verified || st.Verified, Differing: kept(r, st), Unfinished: true})
}

// kept is the difference to show: that of this pass where it measured one, else the last one measured.
func kept(r *trait.Result, st trait.State) int64 {
	if r.Verified {
		return r.Differing
	}
	return st.Differing
}

// differing counts the rows that a full pass computed otherwise. Customers touched meanwhile are left out; while there are
// any, so are scores, for one customer's purchase moves the cuts for all.
func differing(ctx context.Context, q Querier) (bool, int64, error) {
	var touched, sum int64
	if _, err := one(ctx, q, countTouched, nil, &touched); err != nil {
		return false, 0, err
	}
	for _, f := range computedFamilies() {
		if f.name == FamilyRFM && touched > 0 {
			continue
		}
		for _, text := range []string{changedText(f), lostText(f)} {
			var n int64
			if _, err := one(ctx, q, text, nil, &n); err != nil {
				return false, 0, err
			}
			sum += n
		}
	}
	return true, sum, nil
}

func loadState(ctx context.Context, q Querier) (st trait.State, err error) {
	_, err = getJSON(ctx, q, "traits", &st)
	return st, err
}

// Finish implements trait.Store.
func (s *Store) Finish(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db.Write(ctx, func(tx Tx) error {
		st, err := loadState(ctx, tx)
		if err != nil || !st.Unfinished {
			return err
		}
		st.Unfinished = false
		return setJSON(ctx, tx, "traits", st)
	})
}

// State implements trait.Store.
func (s *Store) State(ctx context.Context) (trait.State, error) { return loadState(ctx, s.db) }

// Summary implements trait.Store.
func (s *Store) Summary(ctx context.Context) (trait.Summary, error) {
	var sum trait.Summary
	_, err := one(ctx, s.db, rfmTotals, nil, &sum.Customers, &sum.Recency, &sum.Frequency, &sum.Monetary)
	return sum, err
}

// readAtOnce is how many customers one statement reads.
const readAtOnce = 500

// Read implements trait.Store: one statement for each family, which finds few customers fast because families are clustered
// by customer.
func (s *Store) Read(ctx context.Context, customers []id.ID, defs []trait.Def) (map[id.ID]trait.Values, error) {
	out := make(map[id.ID]trait.Values, len(customers))
	byTable := map[string][]trait.Def{}
	var order []string
	for _, d := range defs {
		if byTable[d.Table] == nil {
			order = append(order, d.Table)
		}
		byTable[d.Table] = append(byTable[d.Table], d)
	}
	for part := range slices.Chunk(customers, readAtOnce) {
		args := make([]any, len(part))
		for i, c := range part {
			args[i] = int64(c)
			out[c] = trait.Values{}
		}
		for _, t := range order {
			if err := s.readFamily(ctx, t, byTable[t], args, out); err != nil {
				return nil, fmt.Errorf("read traits: %w", err)
			}
		}
	}
	return out, nil
}

func (s *Store) readFamily(ctx context.Context, table string, defs []trait.Def, args []any, out map[id.ID]trait.Values) error {
	columns := make([]string, len(defs))
	for i, d := range defs {
		columns[i] = d.Column
	}
	values := make([]any, len(defs))
	var customer int64
	dst := []any{&customer}
	for i := range values {
		dst = append(dst, &values[i])
	}
	return each(ctx, s.db, readFamily(table, columns, len(args)), args, func(r *sql.Rows) error {
		if err := r.Scan(dst...); err != nil {
			return err
		}
		v := out[id.ID(customer)]
		for i, d := range defs {
			switch x := values[i].(type) {
			case nil:
			case []byte:
				v[d.Key] = string(x)
			default:
				v[d.Key] = x
			}
		}
		return nil
	})
}

// ComputedAt is when the traits were last touched by a pass; zero before the first.
func (s *Store) ComputedAt(ctx context.Context) (time.Time, error) {
	st, err := s.State(ctx)
	return st.ComputedAt, err
}
