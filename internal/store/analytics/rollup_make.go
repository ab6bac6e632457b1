package analytics

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

const (
	listStale  = `SELECT day, batch, since, changed FROM web_stale WHERE day >= ` + asInt + ` AND day <= ` + asInt + ` ORDER BY day`
	lastStale  = `SELECT COALESCE(max(batch), 0) FROM web_stale`
	nextStale  = `SELECT day, batch FROM web_stale WHERE changed <= ` + asInt + ` OR since <= ` + asInt + ` ORDER BY day DESC LIMIT 1`
	batchStale = `SELECT batch FROM web_stale WHERE day = ` + asInt
	dropStale  = `DELETE FROM web_stale WHERE day = ` + asInt
	dropDay    = `DELETE FROM web_day WHERE day = ` + asInt
	allDays    = `SELECT day FROM f_event GROUP BY day UNION SELECT day FROM f_session GROUP BY day UNION SELECT day FROM web_day GROUP BY day`
	movedDays  = `SELECT day FROM f_event_moved GROUP BY day UNION SELECT day FROM f_session_moved GROUP BY day`
	countDays  = `SELECT count(DISTINCT w.day), count(DISTINCT s.day) FROM web_day w LEFT JOIN web_stale s ON s.day = w.day WHERE w.kind = '` + rollAll + `'`
	sampleDays = `SELECT w.day FROM web_day w LEFT JOIN web_stale s ON s.day = w.day WHERE w.kind = '` + rollAll + `' AND s.day IS NULL ORDER BY w.day`
	dropStrips = `DELETE FROM web_strip WHERE day = ` + asInt
	readStrip  = `SELECT part, events, body FROM web_strip WHERE day = ` + asInt + ` ORDER BY part`
	readDay    = `SELECT kind, place, host, value, title, visits, views, events, bounced, engaged, duration, engaged_ms, orders, amount, entries, exits, visitors, who, buyers, kept
FROM web_day WHERE day = ` + asInt + ` ORDER BY kind, place`
)

// markDays says that the facts of days have changed.
func markDays(ctx context.Context, tx Tx, now int64, days map[clock.Day]bool) error {
	if len(days) == 0 {
		return nil
	}
	list := sortedKeys(days)
	since := map[int64]int64{}
	err := each(ctx, tx, listStale, []any{int64(list[0]), int64(list[len(list)-1])}, func(r *sql.Rows) error {
		var day, batch, from, changed int64
		err := r.Scan(&day, &batch, &from, &changed)
		since[day] = from
		return err
	})
	if err != nil {
		return err
	}
	var batch int64
	if _, err := one(ctx, tx, lastStale, nil, &batch); err != nil {
		return err
	}
	batch = max(batch+1, now) // no number comes twice, even when all marks are gone
	rows := make([][]any, len(list))
	for i, day := range list {
		from, known := since[int64(day)]
		if known {
			if _, err := tx.Exec(ctx, dropStale, int64(day)); err != nil {
				return err
			}
		} else {
			from = now
		}
		rows[i] = []any{int64(day), batch, from, now}
	}
	if err := tx.Append(ctx, staleTable, []string{"day", "batch", "since", "changed"}, Rows(rows)); err != nil {
		return fmt.Errorf("mark days: %w", err)
	}
	return nil
}

// mark says that the facts of days have changed.
func (e *Events) mark(ctx context.Context, tx Tx, days map[clock.Day]bool) error {
	return markDays(ctx, tx, e.clock.Now().UnixMilli(), days)
}

// markGone marks the days of rows that are about to go for good, and takes their rollups away with them.
func (e *Events) markGone(ctx context.Context, tx Tx, where string, args []any, stays string, stayArgs []any) error {
	days, err := daysOf(ctx, tx, "SELECT day FROM "+EventTable+" WHERE "+where+" GROUP BY day", args...)
	if err != nil {
		return err
	}
	visits, err := daysOf(ctx, tx, "SELECT day FROM "+SessionTable+" WHERE "+stays+" GROUP BY day", stayArgs...)
	if err != nil {
		return err
	}
	maps.Copy(days, withNext(visits))
	for _, day := range sortedKeys(days) {
		for _, text := range []string{dropDay, dropStrips} {
			if _, err := tx.Exec(ctx, text, int64(day)); err != nil {
				return err
			}
		}
	}
	return e.mark(ctx, tx, days)
}

// withNext are days of visits and the days after them: what somebody did after midnight belongs to the visit around it.
func withNext(days map[clock.Day]bool) map[clock.Day]bool {
	out := make(map[clock.Day]bool, 2*len(days))
	for day := range days {
		out[day], out[day+1] = true, true
	}
	return out
}

// Rollup rolls the next day up that has been quiet, and answers 1, or 0 when there is none. At first it marks every day.
func (e *Events) Rollup(ctx context.Context) (int, error) {
	var st rollupState
	if _, err := getJSON(ctx, e.db, rollupKey, &st); err != nil {
		return 0, err
	}
	if st.Format != rollupFormat {
		return 1, e.beginRollups(ctx)
	}
	now := e.clock.Now().UnixMilli()
	var day, batch int64
	if ok, err := one(ctx, e.db, nextStale, []any{now - rollQuiet, now - rollLate}, &day, &batch); err != nil || !ok {
		return 0, err
	}
	return 1, e.rollup(ctx, clock.Day(day), batch) //nolint:gosec // a day fits
}

// beginRollups marks every day, as if it had changed long ago.
func (e *Events) beginRollups(ctx context.Context) error {
	return e.db.Write(ctx, func(tx Tx) error {
		days, err := daysOf(ctx, tx, allDays)
		if err != nil {
			return fmt.Errorf("find days: %w", err)
		}
		if err := markDays(ctx, tx, 0, days); err != nil {
			return err
		}
		return setJSON(ctx, tx, rollupKey, rollupState{rollupFormat})
	})
}

// rollup rolls a day up whose mark has a number.
func (e *Events) rollup(ctx context.Context, day clock.Day, batch int64) error {
	d, err := rollDay(ctx, e.db, day)
	if err != nil {
		return err
	}
	return e.db.Write(ctx, func(tx Tx) error {
		var at int64
		if ok, err := one(ctx, tx, batchStale, []any{int64(day)}, &at); err != nil || !ok || at != batch {
			return err // it changed meanwhile and waits for another turn
		}
		for _, text := range []string{dropDay, dropStrips, dropStale} {
			if _, err := tx.Exec(ctx, text, int64(day)); err != nil {
				return err
			}
		}
		if err := tx.Append(ctx, rollupTable, dayTable().names(), Rows(d.rows(day))); err != nil {
			return fmt.Errorf("store the rollup of a day: %w", err)
		}
		if err := tx.Append(ctx, stripTable, stripTables()[0].names(), Rows(d.strip.rows(day))); err != nil {
			return fmt.Errorf("store the strips of a day: %w", err)
		}
		return nil
	})
}

// RemakeRollups has the next calls of Rollup make every day anew.
func (e *Events) RemakeRollups(ctx context.Context) error {
	return e.db.Write(ctx, func(tx Tx) error {
		_, err := tx.Exec(ctx, dropState, rollupKey)
		return err
	})
}

// RollupCheck is what was found where rollups were compared with the facts.
type RollupCheck struct {
	Days, Stale int         // rolled up, of which so many wait to be made anew
	Compared    []clock.Day // with their facts
	Differing   []clock.Day
}

// CheckRollups compares some days with their facts, others at each call. Days that change meanwhile are left out.
func (e *Events) CheckRollups(ctx context.Context, sample int) (c RollupCheck, err error) {
	var days, stale int64
	if _, err := one(ctx, e.db, countDays, nil, &days, &stale); err != nil {
		return c, err
	}
	c.Days, c.Stale = int(days), int(stale)
	fresh, err := daysOf(ctx, e.db, sampleDays)
	if err != nil {
		return c, err
	}
	list := sortedKeys(fresh)
	if len(list) == 0 {
		return c, nil
	}
	step := max(len(list)/max(sample, 1), 1)
	for i := int(e.clock.Now().UnixMilli() % int64(step)); i < len(list) && len(c.Compared) < sample; i += step {
		equal, steady, err := e.compareDay(ctx, list[i])
		if err != nil {
			return c, err
		}
		if !steady {
			continue
		}
		c.Compared = append(c.Compared, list[i])
		if !equal {
			c.Differing = append(c.Differing, list[i])
		}
	}
	return c, nil
}

// compareDay rolls a day up once more; steady says that its facts did not change meanwhile.
func (e *Events) compareDay(ctx context.Context, day clock.Day) (equal, steady bool, err error) {
	d, err := rollDay(ctx, e.db, day)
	if err != nil {
		return false, false, err
	}
	var kept [][]any
	err = each(ctx, e.db, readDay, []any{int64(day)}, func(r *sql.Rows) error {
		var kind, host, value, title string
		var place, visitors int64
		var s sums
		var who, buyers, set []byte
		if err := r.Scan(append(append([]any{&kind, &place, &host, &value, &title}, s.dst()...), &visitors, &who, &buyers, &set)...); err != nil {
			return err
		}
		row := []any{kind, int64(day), place, host, value, title}
		for _, f := range s.fields() {
			row = append(row, *f)
		}
		kept = append(kept, append(row, visitors, who, buyers, set))
		return nil
	})
	if err != nil {
		return false, false, err
	}
	var strips [][]any
	err = each(ctx, e.db, readStrip, []any{int64(day)}, func(r *sql.Rows) error {
		var part, events int64
		var body []byte
		err := r.Scan(&part, &events, &body)
		strips = append(strips, []any{part, int64(day), events, body})
		return err
	})
	if err != nil {
		return false, false, err
	}
	equal = slices.EqualFunc(kept, d.rows(day), sameRow) && slices.EqualFunc(strips, d.strip.rows(day), sameRow)
	var batch int64
	marked, err := one(ctx, e.db, batchStale, []any{int64(day)}, &batch)
	return equal, !marked, err
}

func sameRow(a, b []any) bool {
	return slices.EqualFunc(a, b, func(x, y any) bool {
		was, ok := x.([]byte)
		if !ok {
			return x == y
		}
		is, _ := y.([]byte)
		return bytes.Equal(was, is)
	})
}

// rollupTexts are the statements on rollups.
func rollupTexts() []Text {
	out := []Text{{"list stale days", listStale}, {"last mark of days", lastStale}, {"next stale day", nextStale}, {"mark of a day", batchStale}, {"drop mark of a day", dropStale},
		{"drop rollup of a day", dropDay}, {"days of events and visits", allDays}, {"count rollups", countDays}, {"sample rollups", sampleDays}, {"read rollup of a day", readDay},
		{"days of what moved", movedDays}, {"visits of a day", rollVisitsText()}, {"events of a day", rollEvents}, {"events of a day in visits", rollWithin}, {"trend of rollups", readTrend}, {"stale days within", staleWithin},
		{"drop strips of a day", dropStrips}, {"read strips of a day", readStrip}, {"dictionaries of strips", readDictionaries}, {"read strips", readStrips},
		{"visitors of days", readVisitors}, {"doers of days", readDoers}}
	out = append(out, Text{"customers among persons", someCustomers(2)})
	for _, kept := range []bool{false, true} {
		out = append(out, Text{fmt.Sprint("rollup sums ", kept), sumsText(nil, kept).text})
	}
	for i, values := range [][]rolledKey{nil, {{"h", "v"}, {"", "w"}}} {
		for _, column := range []string{"who", "buyers", "COALESCE(w.kept, w.who)"} {
			out = append(out, Text{fmt.Sprint("rollup sets ", i, " ", strings.ReplaceAll(column, ",", "")), setsText(column, nil, values).text})
		}
	}
	return out
}
