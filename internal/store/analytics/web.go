package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Web implements web.Facts from f_event and f_session.
type Web struct {
	db      Querier
	dialect Dialect
	// of compiles the condition of customers into "FROM a_customer t … WHERE …".
	of   func(where *query.Node, l *query.Limits) (string, []any, error)
	zone func() *time.Location
	turn chan struct{}
	// atOnce is how many events are put in order at a time.
	atOnce int64
	plain  bool // rollups are not asked
}

var _ web.Facts = (*Web)(nil)

// NewWeb answers from db; conditions about customers are compiled as those of audiences are.
func NewWeb(db DB, a *Audience, zone func() *time.Location) *Web {
	return &Web{db: db, dialect: db.Dialect(), zone: zone, turn: a.turn, atOnce: partEvents, of: func(where *query.Node, l *query.Limits) (string, []any, error) {
		return a.within(customer, where, l)
	}}
}

// AtOnce sets how many events are put in order at a time.
func (w *Web) AtOnce(n int64) *Web {
	w.atOnce = n
	return w
}

// FromFacts answers the same without rollups, for who compares them.
func (w *Web) FromFacts() *Web {
	out := *w
	out.plain = true
	return &out
}

// alone runs what walks over all events when it is its turn: in DuckDB one such question uses all processors.
func (w *Web) alone(ctx context.Context, ask func(w *Web) error) error {
	return (&Audience{turn: w.turn}).alone(ctx, func() error {
		return wide(ctx, w.db, func(q Querier) error {
			out := *w
			out.db = q
			return ask(&out)
		})
	})
}

// statement is a text that grows with its parameters.
type statement struct {
	text string
	args []any
}

func (s *statement) add(text string, args ...any) {
	s.text += text
	s.args = append(s.args, args...)
}

func (s *statement) put(o statement) { s.add(o.text, o.args...) }

const (
	asInt  = "CAST(? AS BIGINT)"
	asText = "CAST(? AS TEXT)"
	// notBot leaves robots out; person leaves out those too who refused to be analysed. PostgreSQL takes it that few rows equal a value it has no
	// statistics of, and most differ from one, which is so here.
	notBot   = "(e.flags & 8) <> 8"
	ofPerson = "(e.flags & 8) <> 8 AND (e.flags & 64) <> 64"
	isView   = "e.kind IN ('page', 'screen')"
	// isDone leaves out what is said about people and how long a page was looked at.
	isDone = "e.kind IN ('page', 'screen', 'track') AND e.name <> '" + event.Engaged + "'"
)

// webColumns are the columns of the dimensions, in both relations where a bool says so, else of the visit alone.
func webColumn(d web.Dimension) (column string, both bool) {
	switch d {
	case web.Channel:
		return "channel", false
	case web.Campaign:
		return "utm_campaign", false
	case web.Source:
		return "utm_source", false
	case web.Medium:
		return "utm_medium", false
	case web.Referrer:
		return "referrer_host", false
	case web.Entry:
		return "entry_path", false
	case web.Exit:
		return "exit_path", false
	case web.Host, web.Device, web.Browser, web.OS, web.Language, web.Country, web.Region:
		return string(d), true
	}
	return "", false
}

// is adds the conditions of dimensions on a relation.
func (s *statement) is(alias string, f web.Filter, wanted func(both bool) bool) {
	for _, d := range slices.Sorted(maps.Keys(f.Is)) {
		column, both := webColumn(d)
		if column == "" || !wanted(both) {
			continue
		}
		if f.Is[d] == "" {
			s.add(" AND COALESCE(" + alias + "." + column + ", '') = ''")
			continue
		}
		s.add(" AND "+alias+"."+column+" = "+asText, f.Is[d])
	}
}

// members adds the condition of a segment.
func (w *Web) members(s *statement, column string, f web.Filter) error {
	if f.Members() == nil {
		return nil
	}
	text, args, err := w.of(f.Members(), nil)
	if err != nil {
		return err
	}
	s.add(" AND "+column+" IN (SELECT t.id"+text+")", args...)
	return nil
}

// visits is "FROM f_session s WHERE …" of a question; without days, of all days.
func (w *Web) visits(q web.Question, days bool) (statement, error) {
	var s statement
	s.add(" FROM f_session s WHERE TRUE")
	if days {
		s.add(" AND s.day >= "+asInt+" AND s.day <= "+asInt, int64(q.From), int64(q.To))
	}
	s.is("s", q.Filter, func(bool) bool { return true })
	if q.Through != 0 {
		s.add(" AND s.source_id = "+asInt, int64(q.Through))
	}
	return s, w.members(&s, "s.customer_id", q.Filter)
}

// over says which events a report reads: of whom, from which day to which.
type over struct {
	who      string // notBot or ofPerson
	from, to clock.Day
	all      bool // of all days
	part     share
	join     string // another relation beside the events
}

// share is the persons of one of several parts; the zero value is everybody.
type share struct{ of, at int64 }

// partEvents is how many events are walked at a time where they must be put in order, which happens in memory in DuckDB. Of events of which
// nothing but marks is carried as many fit as partWide to partNarrow.
const (
	partEvents = 2_500_000
	partWide   = 8
	partNarrow = 5
)

const countSpan = "SELECT count(*) FROM f_event e WHERE e.day >= " + asInt + " AND e.day <= " + asInt

// parts cuts the persons into so many parts that n events can be put in order in memory, those of one part at a time. What is asked of each
// person by itself is the sum of its parts. Numbers of parts are primes, since ids made one by one end alike.
func (w *Web) parts(n int64) []share {
	of := int64(1)
	for _, prime := range []int64{3, 5, 7, 11, 17, 29, 53, 101, 211} {
		if n <= of*w.atOnce {
			break
		}
		of = prime
	}
	out := make([]share, of)
	for i := range out {
		out[i] = share{of, int64(i)}
	}
	return out
}

// events is "FROM f_event e … WHERE …" of a question. What the filter says about visits is asked of the visit around the event;
// visits of one profile never overlap.
func (w *Web) events(q web.Question, o over) (statement, error) {
	var s, v statement
	s.add(" FROM f_event e")
	v.is("s", q.Filter, func(both bool) bool { return !both })
	if v.text != "" {
		s.add(" JOIN (SELECT s.customer_id, s.profile_id, s.started_at, s.ended_at FROM f_session s WHERE TRUE")
		if !o.all {
			s.add(" AND s.day >= "+asInt+" AND s.day <= "+asInt, int64(o.from)-1, int64(o.to))
		}
		s.put(v)
		s.add(") v ON v.customer_id = e.customer_id AND v.profile_id = e.profile_id AND e.at >= v.started_at AND e.at <= v.ended_at")
	}
	s.add(o.join + " WHERE " + o.who)
	if !o.all {
		s.add(" AND e.day >= "+asInt+" AND e.day <= "+asInt, int64(o.from), int64(o.to))
	}
	if o.part.of > 1 {
		s.add(" AND mod(e.customer_id, "+asInt+") = "+asInt, o.part.of, o.part.at)
	}
	s.is("e", q.Filter, func(both bool) bool { return both })
	if q.Through != 0 {
		s.add(" AND e.source_id = "+asInt, int64(q.Through))
	}
	return s, w.members(&s, "e.customer_id", q.Filter)
}

// within reads the events of the span.
func within(q web.Question, who string) over { return over{who: who, from: q.From, to: q.To} }

const anyEvent = "SELECT 1 FROM f_event LIMIT 1"

// Any implements web.Facts.
func (w *Web) Any(ctx context.Context) (bool, error) {
	var n int64
	return one(ctx, w.db, anyEvent, nil, &n)
}

// totals are the sums over visits, in the order of scanTotals. Goal 0: who bought in the visit.
const totals = `count(DISTINCT s.customer_id), count(*), CAST(COALESCE(sum(s.views), 0) AS BIGINT), CAST(COALESCE(sum(s.events), 0) AS BIGINT),
 CAST(COALESCE(sum(s.bounced), 0) AS BIGINT), CAST(COALESCE(sum(s.engaged), 0) AS BIGINT),
 CAST(COALESCE(sum(CASE WHEN s.bounced = 1 THEN 0 ELSE s.ended_at - s.started_at END), 0) AS BIGINT),
 CAST(COALESCE(sum(s.engaged_ms), 0) AS BIGINT), CAST(COALESCE(sum(s.orders), 0) AS BIGINT), CAST(COALESCE(sum(s.amount), 0) AS BIGINT)`

func scanTotals(t *web.Totals) []any {
	return []any{&t.Visitors, &t.Visits, &t.Views, &t.Events, &t.Bounced, &t.Engaged, &t.Duration, &t.EngagedTime, &t.Orders, &t.Amount, &t.Converters}
}

// reached gives the persons who did the goal, "goals" with customer_id; without a goal there is none.
func (w *Web) reached(q web.Question) (statement, bool, error) {
	if q.Goal == "" {
		return statement{}, false, nil
	}
	s, err := w.events(q, within(q, notBot))
	if err != nil {
		return s, false, err
	}
	s.add(" AND e.name = "+asText, q.Goal)
	var out statement
	out.add("SELECT DISTINCT e.customer_id")
	out.put(s)
	return out, true, nil
}

func (w *Web) totalsText(q web.Question, by string) (statement, error) {
	visits, err := w.visits(q, true)
	if err != nil {
		return statement{}, err
	}
	goals, given, err := w.reached(q)
	if err != nil {
		return statement{}, err
	}
	var s statement
	converted := "count(DISTINCT CASE WHEN s.orders > 0 THEN s.customer_id END)"
	if given {
		s.add("WITH goals AS (")
		s.put(goals)
		s.add(") ")
		converted = "count(DISTINCT g.customer_id)"
	}
	s.add("SELECT " + by + totals + ", " + converted)
	from := visits.text
	if given {
		from = strings.Replace(from, " WHERE TRUE", " LEFT JOIN goals g ON g.customer_id = s.customer_id WHERE TRUE", 1)
	}
	s.add(from, visits.args...)
	return s, nil
}

// Totals implements web.Facts.
func (w *Web) Totals(ctx context.Context, q web.Question) (web.Totals, error) {
	if t, ok, err := w.rolledTotals(ctx, q); ok || err != nil {
		return t, err
	}
	var t web.Totals
	s, err := w.totalsText(q, "")
	if err != nil {
		return t, err
	}
	err = w.alone(ctx, func(w *Web) error {
		_, err := one(ctx, w.db, s.text, s.args, scanTotals(&t)...)
		return err
	})
	if err != nil {
		return t, fmt.Errorf("count visits: %w", err)
	}
	return t, nil
}

const hourMillis = 3_600_000

// trendText counts visits by day, or by the hour that they began in; part is the part of an hour that the zone is off by.
func (w *Web) trendText(q web.Question, hours bool, part int64) (statement, error) {
	visits, err := w.visits(q, true)
	if err != nil {
		return statement{}, err
	}
	var s statement
	if hours {
		s.add("SELECT x.at, count(DISTINCT x.customer_id), count(*), CAST(COALESCE(sum(x.views), 0) AS BIGINT) FROM (SELECT s.started_at - mod(s.started_at + "+asInt+
			", 3600000) AS at, s.customer_id, s.views", part)
		s.put(visits)
		s.add(") x GROUP BY x.at ORDER BY x.at")
		return s, nil
	}
	s.add("SELECT s.day, count(DISTINCT s.customer_id), count(*), CAST(COALESCE(sum(s.views), 0) AS BIGINT)")
	s.put(visits)
	s.add(" GROUP BY s.day ORDER BY s.day")
	return s, nil
}

// Trend implements web.Facts.
func (w *Web) Trend(ctx context.Context, q web.Question, hours bool) ([]web.Bucket, error) {
	var out []web.Bucket
	at := map[int64]int{}
	part := int64(0)
	if hours {
		_, offset := q.From.Start(w.zone()).Zone()
		part = int64(((offset*1000)%hourMillis + hourMillis) % hourMillis)
		for _, t := range q.Hours(w.zone()) {
			at[t.UnixMilli()] = len(out)
			out = append(out, web.Bucket{Day: clock.DayOf(t, w.zone()), At: t})
		}
	} else {
		for d := q.From; d <= q.To; d++ {
			at[int64(d)] = len(out)
			out = append(out, web.Bucket{Day: d})
		}
	}
	if !hours {
		if ok, err := w.rolledTrend(ctx, q, out); ok || err != nil {
			return out, err
		}
	}
	s, err := w.trendText(q, hours, part)
	if err != nil {
		return nil, err
	}
	err = each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
		var key int64
		var b web.Bucket
		if err := r.Scan(&key, &b.Visitors, &b.Visits, &b.Views); err != nil {
			return err
		}
		if i, ok := at[key]; ok {
			b.Day, b.At = out[i].Day, out[i].At
			out[i] = b
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count the trend of visits: %w", err)
	}
	return out, nil
}

func (w *Web) breakdownText(q web.Question, by web.Dimension, limit int) (statement, error) {
	column, _ := webColumn(by)
	s, err := w.totalsText(q, "COALESCE(s."+column+", '') AS value, ")
	if err != nil {
		return s, err
	}
	s.add(" GROUP BY COALESCE(s."+column+", '') ORDER BY 3 DESC, 1 LIMIT "+asInt, int64(limit))
	return s, nil
}

// Breakdown implements web.Facts.
func (w *Web) Breakdown(ctx context.Context, q web.Question, by web.Dimension, limit int) ([]web.Row, error) {
	if out, ok, err := w.rolledBreakdown(ctx, q, by, limit); ok || err != nil {
		return out, err
	}
	s, err := w.breakdownText(q, by, limit)
	if err != nil {
		return nil, err
	}
	out := []web.Row{}
	err = w.alone(ctx, func(w *Web) error {
		return each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
			var row web.Row
			err := r.Scan(append([]any{&row.Value}, scanTotals(&row.Totals)...)...)
			out = append(out, row)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("split visits by %s: %w", by, err)
	}
	return out, nil
}

// pagesText counts views first and tells the visitors of the pages that are shown alone, since counting whom one has seen is
// what costs. Where the page of a visit's end lies is said by the host that the visit began on.
func (w *Web) pagesText(q web.Question, limit int) (statement, error) {
	events, err := w.events(q, within(q, notBot))
	if err != nil {
		return events, err
	}
	visits, err := w.visits(q, true)
	if err != nil {
		return visits, err
	}
	var s statement
	s.add("WITH top AS (SELECT COALESCE(e.host, '') AS host, COALESCE(e.path, '') AS path, max(e.title) AS title, count(*) FILTER (WHERE " + isView +
		") AS views, CAST(COALESCE(sum(e.dwell_ms), 0) AS BIGINT) AS dwell")
	s.put(events)
	s.add(" AND (e.path <> '' OR "+isView+") GROUP BY COALESCE(e.host, ''), COALESCE(e.path, '') HAVING count(*) FILTER (WHERE "+isView+
		") > 0 ORDER BY 4 DESC, 2, 1 LIMIT "+asInt+"), who AS (SELECT p.host, p.path, count(DISTINCT p.customer_id) AS visitors FROM (SELECT COALESCE(e.host, '') AS host, COALESCE(e.path, '') AS path, e.customer_id", int64(limit))
	s.put(events)
	s.add(" AND " + isView + ") p JOIN top t ON t.host = p.host AND t.path = p.path GROUP BY p.host, p.path), came AS (SELECT COALESCE(s.host, '') AS host, COALESCE(s.entry_path, '') AS path, count(*) AS entries, CAST(sum(s.bounced) AS BIGINT) AS bounced")
	s.put(visits)
	s.add(" AND s.views > 0 GROUP BY COALESCE(s.host, ''), COALESCE(s.entry_path, '')), went AS (SELECT COALESCE(s.host, '') AS host, COALESCE(s.exit_path, '') AS path, count(*) AS exits")
	s.put(visits)
	s.add(` AND s.views > 0 GROUP BY COALESCE(s.host, ''), COALESCE(s.exit_path, ''))
SELECT t.host, t.path, COALESCE(t.title, ''), t.views, COALESCE(w.visitors, 0), COALESCE(c.entries, 0), COALESCE(x.exits, 0), COALESCE(c.bounced, 0), t.dwell
FROM top t LEFT JOIN who w ON w.host = t.host AND w.path = t.path LEFT JOIN came c ON c.host = t.host AND c.path = t.path
LEFT JOIN went x ON x.host = t.host AND x.path = t.path ORDER BY t.views DESC, t.path, t.host`)
	return s, nil
}

// Pages implements web.Facts.
func (w *Web) Pages(ctx context.Context, q web.Question, limit int) ([]web.Page, error) {
	if out, ok, err := w.rolledPages(ctx, q, limit); ok || err != nil {
		return out, err
	}
	s, err := w.pagesText(q, limit)
	if err != nil {
		return nil, err
	}
	out := []web.Page{}
	err = w.alone(ctx, func(w *Web) error {
		return each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
			var p web.Page
			err := r.Scan(&p.Host, &p.Path, &p.Title, &p.Views, &p.Visitors, &p.Entries, &p.Exits, &p.Bounced, &p.Dwell)
			out = append(out, p)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count pages: %w", err)
	}
	return out, nil
}

func (w *Web) eventsText(q web.Question, limit int) (statement, error) {
	events, err := w.events(q, within(q, notBot))
	if err != nil {
		return events, err
	}
	var s statement
	s.add("SELECT x.name, CAST(sum(x.n) AS BIGINT) AS n, count(*), CAST(COALESCE(sum(x.amount), 0) AS BIGINT) FROM (SELECT e.name, e.customer_id, count(*) AS n, sum(e.amount) AS amount")
	s.put(events)
	s.add(" AND "+isDone+" GROUP BY e.name, e.customer_id) x GROUP BY x.name ORDER BY 2 DESC, 1 LIMIT "+asInt, int64(limit))
	return s, nil
}

// Events implements web.Facts.
func (w *Web) Events(ctx context.Context, q web.Question, limit int) ([]web.Event, error) {
	if out, ok, err := w.rolledEvents(ctx, q, limit); ok || err != nil {
		return out, err
	}
	s, err := w.eventsText(q, limit)
	if err != nil {
		return nil, err
	}
	out := []web.Event{}
	err = w.alone(ctx, func(w *Web) error {
		return each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
			var e web.Event
			err := r.Scan(&e.Name, &e.Count, &e.Visitors, &e.Amount)
			out = append(out, e)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count events by name: %w", err)
	}
	return out, nil
}

// visitorsText tells what is known of so many profiles.
func visitorsText(d Dialect, n int) string {
	return "SELECT s.customer_id, count(*), CAST(COALESCE(sum(s.views), 0) AS BIGINT), min(s.started_at), max(s.ended_at), " +
		"COALESCE(" + d.First("s.channel", "s.started_at, s.id") + ", ''), COALESCE(" + d.First("s.device", "s.started_at, s.id") + ", ''), COALESCE(" +
		d.First("s.country", "s.started_at, s.id") + ", ''), COALESCE(" + d.First("s.region", "s.started_at, s.id") + ", '') FROM f_session s WHERE s.customer_id IN (" +
		strings.TrimSuffix(strings.Repeat(asInt+", ", n), ", ") + ") GROUP BY s.customer_id"
}

// Visitors implements web.Facts: in the order of the ids; of those without a visit nothing but the id is known.
func (w *Web) Visitors(ctx context.Context, ids []id.ID) ([]web.Visitor, error) {
	out := make([]web.Visitor, len(ids))
	at := make(map[id.ID]int, len(ids))
	args := make([]any, len(ids))
	for i, v := range ids {
		out[i].ID, at[v], args[i] = v, i, int64(v)
	}
	if len(ids) == 0 {
		return out, nil
	}
	err := each(ctx, w.db, visitorsText(w.dialect, len(ids)), args, func(r *sql.Rows) error {
		var key, first, last int64
		var v web.Visitor
		if err := r.Scan(&key, &v.Visits, &v.Views, &first, &last, &v.Channel, &v.Device, &v.Country, &v.Region); err != nil {
			return err
		}
		v.ID, v.FirstAt, v.LastAt = id.ID(key), time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		out[at[v.ID]] = v
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read anonymous visitors: %w", err)
	}
	return out, nil
}
