package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
)

const (
	readVisitors = `SELECT w.day, w.who FROM web_day w WHERE w.kind = '` + rollAll + `' AND w.value = ` + asText + ` AND w.day >= ` + asInt + ` AND w.day <= ` + asInt
	readDoers    = `SELECT w.day, COALESCE(w.kept, w.who) FROM web_day w WHERE w.kind IN ('` + rollEvent + `', '` + rollOther + `') AND w.value = ` + asText + ` AND w.day >= ` + asInt + ` AND w.day <= ` + asInt
)

// doers gives every day with those who did something on it to fn: visits, or an event.
func (r *rolling) doers(ctx context.Context, what string, fn func(day clock.Day, who int64)) error {
	text, value, kinds := readDoers, what, []string{rollEvent, rollOther}
	if what == web.OfVisit {
		text, value, kinds = readVisitors, "", []string{rollAll}
	}
	var s statement
	s.add(text, value, int64(r.span.From), int64(r.span.To))
	r.without(&s)
	err := each(ctx, r.db, s.text, s.args, func(rows *sql.Rows) error {
		var day int64
		var b sql.RawBytes
		if err := rows.Scan(&day, &b); err != nil {
			return err
		}
		return eachOf(b, func(who int64) { fn(clock.Day(day), who) }) //nolint:gosec // a day fits
	})
	if err != nil {
		return fmt.Errorf("read who was there: %w", err)
	}
	for day, d := range r.stale {
		for _, kind := range kinds {
			v := d.kind(kind).at(rolledKey{value: value})
			set := v.set
			if kind == rollAll {
				set = v.who
			}
			for _, who := range set {
				fn(day, who)
			}
		}
	}
	return nil
}

// rolledRetention counts cohorts from the persons of days. Who bought is told by the orders, which are no events.
func (w *Web) rolledRetention(ctx context.Context, q web.Question, t web.Retention) (out []web.Cell, ok bool, err error) {
	if p, ok := rolledPart(q); !ok || !p.plain || t.Start == web.OfPurchase || t.Return == web.OfPurchase {
		return nil, false, nil
	}
	all := web.Span{From: math.MinInt32, To: q.To}
	visits := t.Start == web.OfVisit || t.Return == web.OfVisit
	events := t.Start != web.OfVisit || t.Return != web.OfVisit
	ok, err = w.rolled(ctx, all, visits, events, func(r *rolling) error {
		out, err = r.retention(ctx, q.Span, t)
		return err
	})
	return out, ok, err
}

func (r *rolling) retention(ctx context.Context, span web.Span, t web.Retention) ([]web.Cell, error) {
	place := map[int64]int{} // of persons in began
	var began []clock.Day
	err := r.doers(ctx, t.Start, func(day clock.Day, who int64) {
		i, known := place[who]
		if !known {
			place[who], began = len(began), append(began, day)
			return
		}
		began[i] = min(began[i], day)
	})
	if err != nil {
		return nil, err
	}
	period := map[clock.Day]clock.Day{}
	first := func(day clock.Day) clock.Day {
		p, ok := period[day]
		if !ok {
			p = t.First(day)
			period[day] = p
		}
		return p
	}
	sizes := map[clock.Day]int64{}
	for _, day := range began {
		if day >= span.From && day <= span.To {
			sizes[first(day)]++
		}
	}
	// Whoever comes more than once in a period is one who came back in it.
	again, known := map[[2]clock.Day]int64{}, map[clock.Day][]uint64{}
	inSpan := &rolling{db: r.db, span: span, stale: map[clock.Day]dayRoll{}}
	for day, d := range r.stale {
		if day >= span.From {
			inSpan.stale[day] = d
		}
	}
	err = inSpan.doers(ctx, t.Return, func(day clock.Day, who int64) {
		i, ok := place[who]
		if !ok || began[i] < span.From || began[i] > span.To {
			return
		}
		from, to := first(began[i]), first(day)
		if to < from {
			return
		}
		bits := known[to]
		if bits == nil {
			bits = make([]uint64, len(began)/64+1)
			known[to] = bits
		}
		if bit := uint64(1) << (i % 64); bits[i/64]&bit == 0 {
			bits[i/64] |= bit
			again[[2]clock.Day{from, to}]++
		}
	})
	if err != nil {
		return nil, err
	}
	out := []web.Cell{}
	for cohort, n := range sizes {
		out = append(out, web.Cell{Cohort: cohort, Period: -1, Count: n})
	}
	for at, n := range again {
		out = append(out, web.Cell{Cohort: at[0], Period: t.Between(at[0], at[1]), Count: n})
	}
	slices.SortFunc(out, func(a, b web.Cell) int {
		return cmp.Or(cmp.Compare(a.Cohort, b.Cohort), cmp.Compare(a.Period, b.Period))
	})
	return out, nil
}
