package analytics

import (
	"context"
	"database/sql"
	"sort"

	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
)

// ranks are the cuts of RFM with where they lie among the purchasers, so that a pass over few customers need not count
// everyone again: a cut is the smallest value that so many fifths of the purchasers do not exceed.
type ranks struct {
	Cuts     rfm.Model
	Monetary string // the column that counts as monetary value
	Total    int64  // purchasers
	// How many lie below each cut, and how many at it or below, of recency, frequency and monetary value.
	Below, Upto [3][rfm.Scores - 1]int64
}

// stateRanks is the entry of the plane's state that holds the ranks of the present cuts.
const stateRanks = "ranks"

// figures are the three values of purchasers.
type figures [][3]int64

func (r *ranks) cuts() [3]*rfm.Cuts {
	return [3]*rfm.Cuts{&r.Cuts.Recency, &r.Cuts.Frequency, &r.Cuts.Monetary}
}

func (r *ranks) columns() [3]string { return [3]string{"days_since_last", "orders", r.Monetary} }

// cut are the saved cuts, or the quintiles of everyone in an order family who purchased.
func cut(ctx context.Context, q Querier, settings trait.Settings, from string) (ranks, error) {
	r := ranks{Monetary: monetary(settings)}
	if settings.Mode == trait.ModeSaved {
		r.Cuts = settings.Cuts
		return r, nil
	}
	if _, err := one(ctx, q, "SELECT count(*) FROM "+from+" WHERE orders > 0", nil, &r.Total); err != nil {
		return r, err
	}
	for d, column := range r.columns() {
		quantiles := rfm.NewQuantiles(r.Total)
		var values, upto []int64
		var value, count, seen int64
		err := each(ctx, q, distinctText(from, column), nil, func(rows *sql.Rows) error {
			if err := rows.Scan(&value, &count); err != nil {
				return err
			}
			quantiles.Add(value, count)
			seen += count
			values, upto = append(values, value), append(upto, seen)
			return nil
		})
		if err != nil {
			return r, err
		}
		cuts := quantiles.Cuts()
		*r.cuts()[d] = cuts
		for j, c := range cuts {
			at := sort.Search(len(values), func(i int) bool { return values[i] >= c })
			if at == len(values) {
				continue
			}
			r.Upto[d][j] = upto[at]
			if at > 0 {
				r.Below[d][j] = upto[at-1]
			}
		}
	}
	return r, nil
}

// recut are the cuts after the figures of some purchasers changed, with their ranks kept in the plane's state. Where the
// figures or the ranks of before are not known, everyone is counted.
func recut(ctx context.Context, tx Tx, settings trait.Settings, present rfm.Model, before, after figures) (rfm.Model, error) {
	if settings.Mode == trait.ModeSaved {
		return settings.Cuts, nil
	}
	var r ranks
	known, err := getJSON(ctx, tx, stateRanks, &r)
	if err != nil {
		return present, err
	}
	known = known && r.Cuts == present && r.Monetary == monetary(settings) && before != nil
	if known {
		r.change(before, -1)
		r.change(after, 1)
		if known, err = r.follow(ctx, tx); err != nil {
			return present, err
		}
	}
	if !known {
		if r, err = cut(ctx, tx, settings, FamilyOrder); err != nil {
			return present, err
		}
	}
	return r.Cuts, setJSON(ctx, tx, stateRanks, r)
}

// change counts purchasers in or out.
func (r *ranks) change(by figures, sign int64) {
	r.Total += sign * int64(len(by))
	for _, f := range by {
		for d, cuts := range r.cuts() {
			for j, c := range cuts {
				if f[d] < c {
					r.Below[d][j] += sign
				}
				if f[d] <= c {
					r.Upto[d][j] += sign
				}
			}
		}
	}
}

// stepsAtMost is how far a cut is followed from value to value before counting everyone is the quicker way.
const stepsAtMost = 8

// follow moves each cut to where it belongs; false when that is far away.
func (r *ranks) follow(ctx context.Context, q Querier) (bool, error) {
	for d, cuts := range r.cuts() {
		for j := range cuts {
			if near, err := r.followOne(ctx, q, d, j); !near || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (r *ranks) followOne(ctx context.Context, q Querier, d, j int) (bool, error) {
	at, below, upto := &r.cuts()[d][j], &r.Below[d][j], &r.Upto[d][j]
	want := int64(j+1) * r.Total
	for range stepsAtMost {
		up := *upto*rfm.Scores < want
		if !up && *below*rfm.Scores < want {
			return true, nil
		}
		var value, count int64
		if ok, err := one(ctx, q, nextText(r.columns()[d], up), []any{*at}, &value, &count); !ok || err != nil {
			return false, err
		}
		if up {
			*below, *upto = *upto, *upto+count
		} else {
			*below, *upto = *below-count, *below
		}
		*at = value
	}
	return false, nil
}

// movedSteps add those to the touched customers whose score another cut changes.
func movedSteps(old, now rfm.Model, monetary string) []exec {
	a, b := ranks{Cuts: old, Monetary: monetary}, ranks{Cuts: now, Monetary: monetary}
	var out []exec
	for d, column := range a.columns() {
		for j := range a.cuts()[d] {
			if x, y := a.cuts()[d][j], b.cuts()[d][j]; x != y {
				out = append(out, exec{movedText(column), []any{min(x, y), max(x, y)}})
			}
		}
	}
	return out
}
