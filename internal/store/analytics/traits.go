package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
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
	s.redefined.Store(true)
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

// LastPurchase implements trait.Store. Up to the anchor of the last full pass the traits know it, but for the customers that
// wait; beyond it, or where they go by something else, all purchases are read.
func (s *Store) LastPurchase(ctx context.Context, until clock.Day) (clock.Day, bool, error) {
	st, err := s.State(ctx)
	if err != nil {
		return 0, false, err
	}
	text, args := lastPurchaseDay, []any{int64(until)}
	// Where facts are views, they show what nobody has marked yet.
	if s.db.Dialect().Mirrored() && st.Known && !st.Refilled && until <= st.Anchor && !s.redefined.Load() {
		text = lastKnownDay
		if touched, _, err := s.Waiting(ctx); err != nil {
			return 0, false, err
		} else if touched > 0 {
			text, args = lastMarkedDay, []any{int64(until), int64(until)}
		}
	}
	var day sql.NullInt64
	if _, err := one(ctx, s.db, text, args, &day); err != nil {
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
	r := trait.Result{Kind: "small", Anchor: p.Anchor, At: p.At}
	if err := s.computedTables(ctx, p.Computed); err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	start := s.clock.Now()
	err := s.db.Write(ctx, func(tx Tx) error { return s.small(ctx, tx, p, &r) })
	r.Took = s.clock.Now().Sub(start)
	if err != nil {
		return r, fmt.Errorf("compute traits of changed customers: %w", err)
	}
	return r, nil
}

func (s *Store) small(ctx context.Context, tx Tx, p trait.Pass, r *trait.Result) error {
	var batch int64
	if _, err := one(ctx, tx, lastBatch, nil, &batch); err != nil {
		return err
	}
	if err := run(ctx, tx, exec{clearNow, nil}, exec{takeTouched, []any{batch}}, s.settle("trait_now")); err != nil {
		return err
	}
	who, err := takenUp(ctx, tx)
	if err != nil {
		return err
	}
	if err := s.fillFew(ctx, tx, who, p.Anchor); err != nil {
		return err
	}
	if err := s.computeFew(ctx, tx, who, p); err != nil {
		return err
	}
	m := monetary(p.Settings)
	before, err := who.figures(ctx, tx, m)
	if err != nil {
		return err
	}
	if err := run(ctx, tx, append(who.each(deleteNow(FamilyOrder, who.scope)), who.each(deleteNow(FamilyTaste, who.scope))...)...); err != nil {
		return err
	}
	if err := run(ctx, tx, s.familySteps(FamilyOrder, FamilyTaste, p)...); err != nil {
		return err
	}
	after, err := who.figures(ctx, tx, m)
	if err != nil {
		return err
	}
	st, err := loadState(ctx, tx)
	if err != nil {
		return err
	}
	old := st.Cuts
	if st.Cuts, err = recut(ctx, tx, p.Settings, st.Cuts, before, after); err != nil {
		return err
	}
	steps := append(who.each(deleteNow(FamilyRFM, who.scope)), who.each(rfmText(FamilyRFM, FamilyOrder, m, who.scope), append(cutArgs(st.Cuts), p.At.UnixMilli())...)...)
	if st.Cuts != old { // others' scores moved too
		steps = append(movedSteps(old, st.Cuts, m), exec{deleteNow(FamilyRFM, scopeTouched), nil},
			exec{rfmText(FamilyRFM, FamilyOrder, m, scopeTouched), append(cutArgs(st.Cuts), p.At.UnixMilli())})
	}
	if err := run(ctx, tx, append(append(steps, exec{dropTouched, []any{batch}}), s.emptySteps()...)...); err != nil {
		return err
	}
	st.ComputedAt, st.Unfinished = p.At, true
	r.Cuts = st.Cuts
	if _, err := one(ctx, tx, countNow, nil, &r.Customers); err != nil {
		return err
	}
	return setJSON(ctx, tx, "traits", st)
}

// settle is the statement that renews the statistics of a table.
func (s *Store) settle(table string) exec { return exec{s.db.Dialect().Settle(table), nil} }

func cutArgs(m rfm.Model) []any {
	var out []any
	for _, c := range []rfm.Cuts{m.Recency, m.Frequency, m.Monetary} {
		for _, v := range c {
			out = append(out, v)
		}
	}
	return out
}

// rowsPerSlice bounds the memory of a full pass: so many orders and lines are computed in one statement.
const rowsPerSlice = 6_000_000

// rowsPerAnswer is how many facts are read at once by what goes through them one by one: an answer is held in memory as a whole.
const rowsPerAnswer = 2_000_000

// slices are ascending customer ids: slice i holds the ids from bounds[i] up to, not including, bounds[i+1], and about as
// many facts as any other.
func (s *Store) slices(ctx context.Context, rows int64) ([]int64, error) {
	var facts int64
	if _, err := one(ctx, s.db, countFacts, nil, &facts); err != nil {
		return nil, err
	}
	bounds := []int64{0}
	n := int(1 + facts/rows)
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
func (s *Store) Full(ctx context.Context, p trait.Pass, today clock.Day) (r trait.Result, err error) {
	r = trait.Result{Kind: "full", Full: true, Anchor: p.Anchor, At: p.At}
	if err := s.computedTables(ctx, p.Computed); err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	start := s.clock.Now()
	var from beginning
	if _, err := one(ctx, s.db, lastBatch, nil, &from.batch); err != nil {
		return r, err
	}
	from.refilled, _, err = getState(ctx, s.db, stateRefilled)
	if err != nil {
		return r, err
	}
	bounds, err := s.slices(ctx, rowsPerSlice)
	if err != nil {
		return r, fmt.Errorf("slice customers: %w", err)
	}
	if from.ranks, err = s.stage(ctx, p, bounds); err != nil {
		return r, fmt.Errorf("compute all traits: %w", err)
	}
	err = s.db.Write(ctx, func(tx Tx) error { return s.swap(ctx, tx, p, today, from, &r) })
	if err != nil {
		return r, fmt.Errorf("exchange traits: %w", err)
	}
	r.Took = s.clock.Now().Sub(start)
	return r, nil
}

// stage fills the staged twins of all families and answers the cuts by which it scored. The facts of a slice are committed
// before they are computed with: DuckDB reads what a transaction has not committed by one thread only.
func (s *Store) stage(ctx context.Context, p trait.Pass, bounds []int64) (r ranks, err error) {
	err = s.db.Write(ctx, func(tx Tx) error {
		for _, f := range append(computedFamilies(), s.defined(p.Computed)...) {
			if _, err := tx.Exec(ctx, "DELETE FROM "+staged(f.name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	whole := exec{s.db.Dialect().WholeSet(), nil}
	for i := 0; i+1 < len(bounds); i++ {
		if err := s.db.Write(ctx, func(tx Tx) error { return s.fillSlice(ctx, tx, bounds[i], bounds[i+1], p.Anchor) }); err != nil {
			return r, err
		}
		if err := s.computeSlice(ctx, bounds[i], bounds[i+1], p); err != nil {
			return r, err
		}
		steps := append([]exec{whole}, s.familySteps(staged(FamilyOrder), staged(FamilyTaste), p)...)
		steps = append(steps, s.emptySteps()...)
		if err := s.db.Write(ctx, func(tx Tx) error { return run(ctx, tx, steps...) }); err != nil {
			return r, err
		}
	}
	err = s.db.Write(ctx, func(tx Tx) error {
		if r, err = cut(ctx, tx, p.Settings, staged(FamilyOrder)); err != nil {
			return err
		}
		text := rfmText(staged(FamilyRFM), staged(FamilyOrder), monetary(p.Settings), scopeAll)
		return run(ctx, tx, whole, exec{text, append(cutArgs(r.Cuts), p.At.UnixMilli())})
	})
	return r, err
}

// beginning is what a full pass saw of the plane when it began: it makes up for that and leaves what came later.
type beginning struct {
	batch    int64  // the newest mark
	refilled string // see MarkRefilled
	ranks    ranks  // what it scored by
}

// swap compares the staged values with the present ones and has them take their place.
func (s *Store) swap(ctx context.Context, tx Tx, p trait.Pass, today clock.Day, from beginning, r *trait.Result) error {
	st, err := loadState(ctx, tx)
	if err != nil {
		return err
	}
	r.Cuts = from.ranks.Cuts
	if err := run(ctx, tx, exec{s.db.Dialect().WholeSet(), nil}); err != nil {
		return err
	}
	marked := true
	if p.Marked != nil {
		if marked, err = p.Marked(ctx); err != nil {
			return err
		}
	}
	if marked && st.Known && !st.Refilled && st.Anchor == p.Anchor && st.Today == today {
		if r.Verified, r.Differing, err = differing(ctx, tx, s.comparable(p, st)); err != nil {
			return err
		}
	}
	if err := s.exchange(ctx, tx, append(computedFamilies(), s.defined(p.Computed)...)); err != nil {
		return err
	}
	if err := setComputed(ctx, tx, p); err != nil {
		return err
	}
	err = run(ctx, tx, exec{dropTouched, []any{from.batch}}, exec{clearNow, nil}, exec{dropRefilled, []any{stateRefilled, from.refilled}})
	if err != nil {
		return err
	}
	if _, err := one(ctx, tx, "SELECT count(*) FROM "+FamilyOrder, nil, &r.Customers); err != nil {
		return err
	}
	if err := setJSON(ctx, tx, stateRanks, from.ranks); err != nil {
		return err
	}
	s.redefined.Store(false)
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
func differing(ctx context.Context, q Querier, families []table) (bool, int64, error) {
	var touched, sum int64
	if _, err := one(ctx, q, countTouched, nil, &touched); err != nil {
		return false, 0, err
	}
	for _, f := range families {
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
	if _, err = getJSON(ctx, q, "traits", &st); err != nil {
		return st, err
	}
	if _, st.Refilled, err = getState(ctx, q, stateRefilled); err != nil {
		return st, err
	}
	st.Mark, st.ComputedAll, err = loadComputed(ctx, q)
	return st, err
}

// stateRefilled is the entry of the plane's state that says that relations were filled anew, and for how many times since
// the last full pass.
const stateRefilled = "refilled"

// MarkRefilled notes that a relation is filled anew, which leaves no marks of customers: the next full pass makes up for it
// and compares itself with nothing.
func MarkRefilled(ctx context.Context, tx Tx) error {
	had, _, err := getState(ctx, tx, stateRefilled)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi("0" + had)
	if err != nil {
		return fmt.Errorf("read state %s: %w", stateRefilled, err)
	}
	return setState(ctx, tx, stateRefilled, strconv.Itoa(n+1))
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
