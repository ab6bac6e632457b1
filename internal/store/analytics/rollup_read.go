package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
)

// Reports from rollups. Each answers what the facts would, or, with ok false, leaves the question to them: what more than one dimension narrows, whom
// a segment names, hours, and spans of which too much has changed since it was rolled up.

const (
	staleWithin = `SELECT day FROM web_stale WHERE day >= ` + asInt + ` AND day <= ` + asInt
	readTrend   = `SELECT day, visitors, visits, views FROM web_day WHERE kind = ` + asText + ` AND value = ` + asText + ` AND day >= ` + asInt + ` AND day <= ` + asInt
)

// among is a kind within the part.
func (p narrowed) among(kind string) string {
	if p.plain {
		return kind
	}
	return among(kind, p.kind, p.value)
}

// wide reports whether other kinds are rolled up within the part.
func (p narrowed) wide() bool {
	return p.plain || p.kind == rollThrough || p.kind == string(web.Channel)
}

func sourceValue(source int64) string { return strconv.FormatInt(source, 10) }

// narrowed is which rows of a rollup answer a question.
type narrowed struct {
	kind, value string
	plain       bool // nothing is narrowed
}

// rolledPart is the part of a question; ok is false where there is none.
func rolledPart(q web.Question) (p narrowed, ok bool) {
	switch {
	case q.Members() != nil || len(q.Is) > 1 || len(q.Is) == 1 && q.Through != 0:
		return p, false
	case q.Through != 0:
		return narrowed{kind: rollThrough, value: sourceValue(int64(q.Through))}, true
	}
	for d, v := range q.Is {
		if column, _ := webColumn(d); column != "" {
			return narrowed{kind: string(d), value: v}, true
		}
	}
	return narrowed{kind: rollAll, plain: true}, true
}

// rolling is a span read from rollups, whose stale days are rolled up in memory for this answer.
type rolling struct {
	db    Querier
	span  web.Span
	stale map[clock.Day]dayRoll
}

// rollAttempts is how often an answer is tried while days change.
const rollAttempts = 3

// rolled answers from rollups with fn, which may run more than once. visits and events say which facts of stale days fn reads.
func (w *Web) rolled(ctx context.Context, span web.Span, visits, events bool, fn func(r *rolling) error) (ok bool, err error) {
	if w.plain {
		return false, nil
	}
	most := staleVisits
	if events {
		most = staleEvents
	}
	for range rollAttempts {
		var st rollupState
		if _, err := getJSON(ctx, w.db, rollupKey, &st); err != nil || st.Format != rollupFormat {
			return false, err
		}
		stale, err := daysOf(ctx, w.db, staleWithin, int64(span.From), int64(span.To))
		if err != nil || len(stale) > most {
			return false, err
		}
		r := &rolling{db: w.db, span: span, stale: map[clock.Day]dayRoll{}}
		for _, day := range sortedKeys(stale) {
			d := newDayRoll()
			if visits {
				err = d.rollVisits(ctx, w.db, day)
			}
			if err == nil && events {
				err = d.rollEvents(ctx, w.db, day)
			}
			if err != nil {
				return false, err
			}
			r.stale[day] = d
		}
		if err := fn(r); err != nil {
			return false, err
		}
		// A day that became stale meanwhile may have been read with or without its rollup.
		after, err := daysOf(ctx, w.db, staleWithin, int64(span.From), int64(span.To))
		if err != nil {
			return false, err
		}
		steady := true
		for day := range after {
			steady = steady && stale[day]
		}
		if steady {
			return true, nil
		}
	}
	return false, nil
}

// without leaves the stale days out of rows "w".
func (r *rolling) without(s *statement) {
	s.put(staleList(slices.Sorted(maps.Keys(r.stale))))
}

func staleList(days []clock.Day) (s statement) {
	for _, day := range days {
		s.add(" AND w.day <> "+asInt, int64(day))
	}
	return s
}

// sumsText sums the rows of a kind by host and value; its parameters are the kind, the first and the last day.
func sumsText(stale []clock.Day, titled bool) (s statement) {
	title := "CAST('' AS TEXT)"
	if titled {
		title = "max(w.title)"
	}
	s.add("SELECT w.host, w.value, " + title)
	for _, c := range sumColumns() {
		s.add(", CAST(COALESCE(sum(w." + c + "), 0) AS BIGINT)")
	}
	s.add(" FROM web_day w WHERE w.kind = " + asText + " AND w.day >= " + asInt + " AND w.day <= " + asInt)
	s.put(staleList(stale))
	s.add(" GROUP BY w.host, w.value")
	return s
}

// sums are the figures of every value of a kind, without persons.
func (r *rolling) sums(ctx context.Context, kind string, titled bool) (roll, error) {
	s := sumsText(slices.Sorted(maps.Keys(r.stale)), titled)
	out := roll{}
	args := append([]any{kind, int64(r.span.From), int64(r.span.To)}, s.args...)
	err := each(ctx, r.db, s.text, args, func(rows *sql.Rows) error {
		v := &rolled{}
		err := rows.Scan(append([]any{&v.key.host, &v.key.value, &v.title}, v.sums.dst()...)...)
		out[v.key] = v
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sum rollups: %w", err)
	}
	for _, d := range r.stale {
		for key, v := range d.kind(kind) {
			sum := out.at(key)
			sum.sums.add(v.sums)
			sum.title = max(sum.title, v.title)
		}
	}
	return out, nil
}

// setsText reads sets of persons, of some values where they are given; its parameters are the kind, the first and the last day, behind those of values.
func setsText(column string, stale []clock.Day, values []rolledKey) (s statement) {
	s.add("SELECT w.host, w.value, " + column + " FROM web_day w")
	if len(values) > 0 {
		s.add(" JOIN (VALUES ")
		for i, v := range values {
			if i > 0 {
				s.add(", ")
			}
			s.add("("+asText+", "+asText+")", v.host, v.value)
		}
		s.add(") x(host, value) ON x.host = w.host AND x.value = w.value")
	}
	s.add(" WHERE w.kind = " + asText + " AND w.day >= " + asInt + " AND w.day <= " + asInt)
	return s
}

// who is which set of a row is meant.
type who struct {
	column string
	of     func(v *rolled) people
}

func visitorsOf() who { return who{"w.who", func(v *rolled) people { return v.who }} }
func buyersOf() who   { return who{"w.buyers", func(v *rolled) people { return v.buyers }} }

// crowds are the persons of values of a kind over the span.
func (r *rolling) crowds(ctx context.Context, kind string, values []rolledKey, set who) (map[rolledKey]*crowd, error) {
	out := make(map[rolledKey]*crowd, len(values))
	for _, v := range values {
		out[v] = &crowd{}
	}
	if len(values) == 0 {
		return out, nil
	}
	s := setsText(set.column, nil, values)
	s.args = append(s.args, kind, int64(r.span.From), int64(r.span.To))
	r.without(&s)
	err := each(ctx, r.db, s.text, s.args, func(rows *sql.Rows) error {
		var key rolledKey
		var b sql.RawBytes
		if err := rows.Scan(&key.host, &key.value, &b); err != nil {
			return err
		}
		c := out[key]
		if c == nil {
			return nil
		}
		return eachOf(b, func(who int64) { c.add(who) })
	})
	if err != nil {
		return nil, fmt.Errorf("read persons of rollups: %w", err)
	}
	for _, d := range r.stale {
		for key, v := range d.kind(kind) {
			if c := out[key]; c != nil {
				for _, who := range set.of(v) {
					c.add(who)
				}
			}
		}
	}
	return out, nil
}

// goals are who did the goal; nil without one.
func (r *rolling) goals(ctx context.Context, goal string) (*crowd, error) {
	if goal == "" {
		return nil, nil //nolint:nilnil // nobody was asked for
	}
	all := &crowd{}
	for _, kind := range []string{rollEvent, rollOther} {
		c, err := r.crowds(ctx, kind, []rolledKey{{value: goal}}, visitorsOf())
		if err != nil {
			return nil, err
		}
		c[rolledKey{value: goal}].list(func(who int64) { all.add(who) })
	}
	return all, nil
}

// totalsOf are the figures of some values with their persons.
func (r *rolling) totalsOf(ctx context.Context, kind string, list []*rolled, goal string) ([]web.Totals, error) {
	keys := make([]rolledKey, len(list))
	for i, v := range list {
		keys[i] = v.key
	}
	visitors, err := r.crowds(ctx, kind, keys, visitorsOf())
	if err != nil {
		return nil, err
	}
	goals, err := r.goals(ctx, goal)
	if err != nil {
		return nil, err
	}
	var buyers map[rolledKey]*crowd
	if goals == nil {
		if buyers, err = r.crowds(ctx, kind, keys, buyersOf()); err != nil {
			return nil, err
		}
	}
	out := make([]web.Totals, len(list))
	for i, v := range list {
		out[i] = v.sums.totals()
		out[i].Visitors = visitors[v.key].count()
		if goals != nil {
			out[i].Converters = visitors[v.key].both(goals)
		} else {
			out[i].Converters = buyers[v.key].count()
		}
	}
	return out, nil
}

func (w *Web) rolledTotals(ctx context.Context, q web.Question) (t web.Totals, ok bool, err error) {
	p, ok := rolledPart(q)
	if !ok || q.Goal != "" && !p.plain {
		return t, false, nil
	}
	ok, err = w.rolled(ctx, q.Span, true, q.Goal != "", func(r *rolling) error {
		all, err := r.sums(ctx, p.kind, false)
		if err != nil {
			return err
		}
		list, err := r.totalsOf(ctx, p.kind, []*rolled{all.at(rolledKey{value: p.value})}, q.Goal)
		if err == nil {
			t = list[0]
		}
		return err
	})
	return t, ok, err
}

// rolledTrend fills the buckets of the days of a span.
func (w *Web) rolledTrend(ctx context.Context, q web.Question, out []web.Bucket) (ok bool, err error) {
	p, ok := rolledPart(q)
	if !ok {
		return false, nil
	}
	return w.rolled(ctx, q.Span, true, false, func(r *rolling) error {
		for i := range out {
			out[i] = web.Bucket{Day: out[i].Day}
		}
		err := each(ctx, w.db, readTrend, []any{p.kind, p.value, int64(q.From), int64(q.To)}, func(rows *sql.Rows) error {
			var day int64
			var b web.Bucket
			err := rows.Scan(&day, &b.Visitors, &b.Visits, &b.Views)
			b.Day = clock.Day(day) //nolint:gosec // a day fits
			out[b.Day-q.From] = b
			return err
		})
		for day, d := range r.stale {
			v := d.kind(p.kind).at(rolledKey{value: p.value})
			v.who = v.who.tidy()
			out[day-q.From] = web.Bucket{Day: day, Visitors: int64(len(v.who)), Visits: v.sums.visits, Views: v.sums.views}
		}
		return err
	})
}

func (w *Web) rolledBreakdown(ctx context.Context, q web.Question, by web.Dimension, limit int) (out []web.Row, ok bool, err error) {
	p, ok := rolledPart(q)
	if !ok || !p.plain && (!p.wide() || q.Goal != "" || !slices.Contains(amongKinds(), string(by))) {
		return nil, false, nil
	}
	kind := p.among(string(by))
	ok, err = w.rolled(ctx, q.Span, true, q.Goal != "", func(r *rolling) error {
		out = []web.Row{}
		all, err := r.sums(ctx, kind, false)
		if err != nil {
			return err
		}
		list := first(all, limit, func(a, b *rolled) int {
			return cmp.Or(cmp.Compare(b.sums.visits, a.sums.visits), cmp.Compare(a.key.value, b.key.value))
		})
		totals, err := r.totalsOf(ctx, kind, list, q.Goal)
		if err != nil {
			return err
		}
		for i, v := range list {
			out = append(out, web.Row{Value: v.key.value, Totals: totals[i]})
		}
		return nil
	})
	return out, ok, err
}

// first are the first rows in an order.
func first(r roll, limit int, order func(a, b *rolled) int) []*rolled {
	list := make([]*rolled, 0, len(r))
	for _, v := range r {
		list = append(list, v)
	}
	slices.SortFunc(list, order)
	return list[:min(limit, len(list))]
}

func (w *Web) rolledPages(ctx context.Context, q web.Question, limit int) (out []web.Page, ok bool, err error) {
	p, ok := rolledPart(q)
	ofHost := p.kind == string(web.Host)
	if !ok || !p.wide() && !ofHost {
		return nil, false, nil
	}
	kind := rollPage
	if !ofHost {
		kind = p.among(rollPage)
	}
	ok, err = w.rolled(ctx, q.Span, true, true, func(r *rolling) error {
		out = []web.Page{}
		all, err := r.sums(ctx, kind, true)
		if err != nil {
			return err
		}
		for key, v := range all {
			if v.sums.views == 0 || ofHost && key.host != p.value {
				delete(all, key)
			}
		}
		list := first(all, limit, func(a, b *rolled) int {
			return cmp.Or(cmp.Compare(b.sums.views, a.sums.views), cmp.Compare(a.key.value, b.key.value), cmp.Compare(a.key.host, b.key.host))
		})
		keys := make([]rolledKey, len(list))
		for i, v := range list {
			keys[i] = v.key
		}
		visitors, err := r.crowds(ctx, kind, keys, visitorsOf())
		if err != nil {
			return err
		}
		for _, v := range list {
			out = append(out, web.Page{Host: v.key.host, Path: v.key.value, Title: v.title, Views: v.sums.views, Visitors: visitors[v.key].count(), Entries: v.sums.entries,
				Exits: v.sums.exits, Bounced: v.sums.bounced, Dwell: v.sums.engagedTime})
		}
		return nil
	})
	return out, ok, err
}

func (w *Web) rolledEvents(ctx context.Context, q web.Question, limit int) (out []web.Event, ok bool, err error) {
	p, ok := rolledPart(q)
	if !ok || !p.wide() {
		return nil, false, nil
	}
	kind := p.among(rollEvent)
	ok, err = w.rolled(ctx, q.Span, false, true, func(r *rolling) error {
		out = []web.Event{}
		all, err := r.sums(ctx, kind, false)
		if err != nil {
			return err
		}
		list := first(all, limit, func(a, b *rolled) int {
			return cmp.Or(cmp.Compare(b.sums.events, a.sums.events), cmp.Compare(a.key.value, b.key.value))
		})
		keys := make([]rolledKey, len(list))
		for i, v := range list {
			keys[i] = v.key
		}
		visitors, err := r.crowds(ctx, kind, keys, visitorsOf())
		if err != nil {
			return err
		}
		for _, v := range list {
			out = append(out, web.Event{Name: v.key.value, Count: v.sums.events, Visitors: visitors[v.key].count(), Amount: v.sums.amount})
		}
		return nil
	})
	return out, ok, err
}
