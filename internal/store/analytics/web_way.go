package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
)

const dayLength = 24 * hourMillis

// decimal is the form of a property that is a number on both engines.
const decimal = `'^(-|)[0-9]{1,18}([.][0-9]{1,6}|)$'`

// match is the condition on a property of an event "e": two-valued, false where the property is missing.
func match(d Dialect, m web.Match) statement {
	var s statement
	p := d.Property("e.properties", m.Property)
	switch {
	case m.Op == "is_set":
		s.add("(" + p + ") IS NOT NULL")
	case m.Op == "contains":
		s.add("COALESCE(strpos(("+p+"), "+asText+") > 0, FALSE)", m.Value)
	case m.Op == "starts_with":
		s.add("COALESCE(starts_with(("+p+"), "+asText+"), FALSE)", m.Value)
	case m.Op == "!=":
		s.add("COALESCE(("+p+") <> "+asText+", FALSE)", m.Value)
	case web.Numeric(m.Op):
		s.add("COALESCE(CASE WHEN ("+p+") ~ "+decimal+" THEN CAST(("+p+") AS DECIMAL(30,6)) "+m.Op+" CAST("+asText+" AS DECIMAL(30,6)) END, FALSE)", m.Value)
	default:
		s.add("COALESCE(("+p+") = "+asText+", FALSE)", m.Value)
	}
	return s
}

// step is the condition that an event "e" is one of a funnel's.
func step(d Dialect, f web.Step) statement {
	var s statement
	s.add("(e.name = "+asText, f.Event)
	if prefix, ok := strings.CutSuffix(f.Path, "*"); ok {
		s.add(" AND COALESCE(starts_with(e.path, "+asText+"), FALSE)", prefix)
	} else if f.Path != "" {
		s.add(" AND COALESCE(e.path = "+asText+", FALSE)", f.Path)
	}
	for _, m := range f.Where {
		s.add(" AND ")
		s.put(match(d, m))
	}
	s.add(")")
	return s
}

// funnel are the named parts of a funnel's statement. s1 is who took the first step, b when each person took the second one for the first
// and the last time: what lies outside decides nothing and is not put in order. e holds the other events of all steps with a mark for
// each; f2, f3, … the events from a step on, of which those of that step that were reached in time hold since, the latest beginning
// from which they were, and gap, the time since the step before. A later beginning never reaches less, so the latest one decides
// whether the window held.
func (w *Web) funnel(q web.Question, f web.Funnel, of share) (statement, error) {
	o := over{who: ofPerson, from: q.From, to: q.To + clock.Day(f.Window), part: of}
	events, err := w.events(q, o)
	if err != nil {
		return statement{}, err
	}
	o.join = " JOIN b ON b.customer_id = e.customer_id"
	among, err := w.events(q, o)
	if err != nil {
		return statement{}, err
	}
	d := w.dialect
	window := strconv.FormatInt(int64(f.Window)*dayLength, 10)
	var s statement
	s.add("WITH s1 AS (SELECT DISTINCT e.customer_id")
	s.put(events)
	s.add(" AND ")
	s.put(step(d, f.Steps[0]))
	s.add(" AND e.day <= "+asInt+"), b AS (SELECT e.customer_id, min(e.at) AS lo, max(e.at) AS hi", int64(q.To))
	s.put(events)
	s.add(" AND ")
	s.put(step(d, f.Steps[1]))
	s.add(" GROUP BY e.customer_id), e AS (")
	// One name at a time is found by far the fastest.
	for i, name := range names(f.Steps) {
		if i > 0 {
			s.add(" UNION ALL ")
		}
		s.add("SELECT * FROM (SELECT e.customer_id, e.at AS ts, e.id")
		for k, one := range f.Steps {
			if one.Event != name {
				s.add(", FALSE AS " + mark(k+1))
				continue
			}
			s.add(", ")
			s.put(step(d, one))
			if k == 0 {
				s.add(" AND e.day <= "+asInt+" AND e.at >= b.lo - "+window+" AND e.at <= b.hi", int64(q.To))
			} else {
				s.add(" AND e.at >= b.lo")
			}
			s.add(" AS " + mark(k+1))
		}
		s.put(among)
		s.add(" AND e.name = "+asText+") x WHERE "+marks(1, len(f.Steps)), name)
	}
	s.add("), f1 AS (SELECT *, CASE WHEN m1 THEN ts END AS since FROM e)")
	const order = " OVER (PARTITION BY customer_id ORDER BY ts, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
	for n := 2; n <= len(f.Steps); n++ {
		in := mark(n) + " AND ts - start <= " + window
		ahead, past := "", "past"
		for k := n + 1; k <= len(f.Steps); k++ {
			ahead += ", " + mark(k)
		}
		s.add(", f" + strconv.Itoa(n) + " AS (SELECT customer_id, ts, id" + ahead + ", CASE WHEN " + in + " THEN start END AS since, CASE WHEN " + in + " THEN ts - ")
		inner := "SELECT customer_id, ts, id, " + mark(n) + ahead + ", max(since)" + order + " AS start"
		if n == 2 { // the first step begins when it happens
			past = "start"
		} else {
			inner += ", max(CASE WHEN since IS NOT NULL THEN ts END)" + order + " AS past"
		}
		s.add(past + " END AS gap FROM (" + inner + " FROM f" + strconv.Itoa(n-1) + ") x WHERE (" + in + ")")
		if n < len(f.Steps) {
			s.add(" OR " + marks(n+1, len(f.Steps)))
		}
		s.add(")")
	}
	return s, nil
}

// names are the different names of the events of steps.
func names(steps []web.Step) (out []string) {
	for _, one := range steps {
		if !slices.Contains(out, one.Event) {
			out = append(out, one.Event)
		}
	}
	return out
}

func mark(n int) string { return "m" + strconv.Itoa(n) }

func marks(from, to int) string {
	names := make([]string, 0, to)
	for k := from; k <= to; k++ {
		names = append(names, mark(k))
	}
	return strings.Join(names, " OR ")
}

// took is who took a step.
func took(n int) string {
	if n == 1 {
		return "SELECT customer_id FROM s1"
	}
	return "SELECT DISTINCT customer_id FROM f" + strconv.Itoa(n) + " WHERE since IS NOT NULL"
}

// groups is "SELECT customer_id, value …" of what a funnel is split by: the person's class, or a dimension of the first visit
// of the span.
func (w *Web) groups(q web.Question, by string) statement {
	var s statement
	if key, ok := strings.CutPrefix(by, web.ClassBy); ok {
		s.add("SELECT customer_id, class_key AS value FROM class_member WHERE classification = "+asText, key)
		return s
	}
	column, _ := webColumn(web.Dimension(by))
	s.add("SELECT s.customer_id, "+w.dialect.First("s."+column, "s.started_at, s.id")+" AS value FROM f_session s WHERE s.day >= "+asInt+" AND s.day <= "+asInt+
		" GROUP BY s.customer_id", int64(q.From), int64(q.To))
	return s
}

// funnelText counts who took the steps, by group and by the time from the step before.
func (w *Web) funnelText(q web.Question, f web.Funnel, of share) (statement, error) {
	s, err := w.funnel(q, f, of)
	if err != nil {
		return s, err
	}
	value, join := "CAST('' AS TEXT)", ""
	if f.By != "" {
		s.add(", g AS (")
		s.put(w.groups(q, f.By))
		s.add(")")
		value, join = "COALESCE(g.value, '')", " LEFT JOIN g ON g.customer_id = p.customer_id"
	}
	s.add(" SELECT 1 AS step, " + value + " AS value, CAST(0 AS BIGINT) AS gap, count(*) FROM (" + took(1) + ") p" + join + " GROUP BY " + value)
	for n := 2; n <= len(f.Steps); n++ {
		s.add(" UNION ALL SELECT " + strconv.Itoa(n) + ", " + value + ", p.gap, count(*) FROM (SELECT customer_id, " + w.dialect.First("gap", "ts, id") +
			" AS gap FROM f" + strconv.Itoa(n) + " WHERE since IS NOT NULL GROUP BY customer_id) p" + join + " GROUP BY " + value + ", p.gap")
	}
	return s, nil
}

// Funnel implements web.Facts.
func (w *Web) Funnel(ctx context.Context, q web.Question, f web.Funnel) ([]web.Reached, error) {
	counts, rolled, err := w.rolledFunnel(ctx, q, f)
	if err == nil && !rolled {
		counts = gaps{}
		err = w.eachStep(ctx, q, f, func(w *Web, of share) error {
			s, err := w.funnelText(q, f, of)
			if err != nil {
				return err
			}
			return each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
				var at stepGroup
				var gap, n int64
				if err := r.Scan(&at.step, &at.group, &gap, &n); err != nil {
					return err
				}
				counts.add(at, gap, n)
				return nil
			})
		})
	}
	if err != nil {
		return nil, fmt.Errorf("count a funnel: %w", err)
	}
	for n := range f.Steps {
		if at := (stepGroup{step: n + 1}); f.By == "" && counts[at] == nil { // a step that nobody took is told too
			counts[at] = map[int64]int64{}
		}
	}
	out := []web.Reached{}
	for at, times := range counts {
		r := web.Reached{Step: at.step, Group: at.group}
		r.Count, r.Median = middle(times)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b web.Reached) int {
		return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Group, b.Group))
	})
	return out, nil
}

// each asks about the persons part by part, when it is its turn.
func (w *Web) each(ctx context.Context, from, to clock.Day, ask func(w *Web, of share) error) error {
	n := int64(0)
	if w.dialect.Mirrored() {
		if _, err := one(ctx, w.db, countSpan, []any{int64(from), int64(to)}, &n); err != nil {
			return fmt.Errorf("count events: %w", err)
		}
	}
	return w.inParts(ctx, n, ask)
}

// inParts asks about the persons, in so many parts that n events can be put in order in memory.
func (w *Web) inParts(ctx context.Context, n int64, ask func(w *Web, of share) error) error {
	return w.alone(ctx, func(w *Web) error {
		for _, of := range w.parts(n) {
			if err := ask(w, of); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachStep asks about the persons of a funnel part by part: what is put in order of an event is little, and only that of the steps.
func (w *Web) eachStep(ctx context.Context, q web.Question, f web.Funnel, ask func(w *Web, of share) error) error {
	n := int64(0)
	if w.dialect.Mirrored() {
		s := countSteps(q, f)
		if _, err := one(ctx, w.db, s.text, s.args, &n); err != nil {
			return fmt.Errorf("count events of steps: %w", err)
		}
	}
	return w.inParts(ctx, n*partNarrow/partWide, ask)
}

// countSteps counts the events that have the names of steps.
func countSteps(q web.Question, f web.Funnel) statement {
	var s statement
	s.add("SELECT count(*) FROM (")
	for i, name := range names(f.Steps) {
		if i > 0 {
			s.add(" UNION ALL ")
		}
		s.add("SELECT e.day FROM f_event e WHERE e.name = "+asText+" AND e.day >= "+asInt+" AND e.day <= "+asInt, name, int64(q.From), int64(q.To)+int64(f.Window))
	}
	s.add(") x")
	return s
}

// middle is how many values there are and the lower median of them.
func middle(counts map[int64]int64) (n, median int64) {
	for _, c := range counts {
		n += c
	}
	below := int64(0)
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		if below += counts[v]; below >= (n+1)/2 {
			return n, v
		}
	}
	return n, 0
}

// idle ends a way.
const idle = 30 * 60 * 1000

// keptNodes is how many nodes are told apart at all; what is rarer is one of the others.
const keptNodes = 200

// node is what an event is called in ways.
func node(nodes string) (name, which string) {
	const page = "COALESCE(NULLIF(e.path, ''), e.title, '')"
	switch nodes {
	case web.PathEvents:
		return "e.name", "e.kind = 'track' AND " + isDone
	case web.PathBoth:
		return "CASE WHEN " + isView + " THEN " + page + " ELSE e.name END", isDone
	}
	return page, isView
}

// nodesText are the names of nodes, the most frequent first, and that which the ways go through before all.
func (w *Web) nodesText(q web.Question, p web.Paths) (statement, error) {
	events, err := w.events(q, within(q, ofPerson))
	if err != nil {
		return statement{}, err
	}
	name, which := node(p.Nodes)
	var s statement
	s.add("SELECT v.node FROM (SELECT " + name + " AS node")
	s.put(events)
	s.add(" AND "+which+") v GROUP BY v.node ORDER BY CASE WHEN v.node = "+asText+" THEN 0 ELSE 1 END, count(*) DESC, v.node LIMIT "+strconv.Itoa(keptNodes), p.Node)
	return s, nil
}

func (w *Web) nodes(ctx context.Context, q web.Question, p web.Paths) ([]string, error) {
	s, err := w.nodesText(q, p)
	if err != nil {
		return nil, err
	}
	var out []string
	err = each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		out = append(out, name)
		return err
	})
	return out, err
}

// ways are the named parts of a statement about ways: "top" holds the nodes with a number each, and "way" a row for every way
// with the numbers of its nodes n1, n2, …: 0 for a node that is none of the top, nothing where the way is over. The same node twice
// in a row, without a pause, is one.
func (w *Web) ways(q web.Question, p web.Paths, top []string, of share) (statement, error) {
	o := within(q, ofPerson)
	o.part = of
	events, err := w.events(q, o)
	if err != nil {
		return statement{}, err
	}
	name, which := node(p.Nodes)
	var s statement
	s.add("WITH v AS (SELECT e.customer_id, e.at AS ts, e.id, " + name + " AS node")
	s.put(events)
	s.add(" AND " + which + ")")
	if p.Node != "" {
		s.add(", b AS (SELECT v.* FROM v WHERE v.customer_id IN (SELECT customer_id FROM v WHERE node = "+asText+"))", p.Node)
	} else {
		s.add(", b AS (SELECT v.* FROM v)")
	}
	const order = " OVER (PARTITION BY customer_id ORDER BY ts, id)"
	s.add(", top AS (SELECT node, code FROM (VALUES ")
	for i, name := range top {
		if i > 0 {
			s.add(", ")
		}
		s.add("("+asText+", "+asInt+")", name, int64(i+1))
	}
	s.add(") x(node, code))")
	s.add(", c AS (SELECT x.customer_id, x.ts, x.id, x.pause, COALESCE(t.code, 0) AS code FROM (SELECT customer_id, ts, id, node, lag(node)" + order + " AS last, COALESCE(ts - lag(ts)" + order + " > " +
		strconv.Itoa(idle) + ", TRUE) AS pause FROM b) x LEFT JOIN top t ON t.node = x.node WHERE x.pause OR x.last <> x.node)")
	s.add(", o AS (SELECT customer_id, code, pause, lead(pause, 1, TRUE)" + order + " AS ending")
	// A pause stands before a node: on the way back it is asked of the node one came from.
	move, behind := "lead", 0
	if p.Backward {
		move, behind = "lag", 1
	}
	for k := 1; k < p.Depth; k++ {
		s.add(", " + move + "(code, " + strconv.Itoa(k) + ")" + order + " AS c" + strconv.Itoa(k))
		if at := strconv.Itoa(k - behind); at != "0" {
			s.add(", " + move + "(pause, " + at + ")" + order + " AS p" + at)
		}
	}
	s.add(" FROM c), way AS (SELECT customer_id, code AS n1")
	for k := 1; k < p.Depth; k++ {
		s.add(", CASE WHEN TRUE")
		for j := 1; j <= k; j++ {
			s.add(" AND NOT " + brk(p.Backward, j))
		}
		s.add(" THEN c" + strconv.Itoa(k) + " END AS n" + strconv.Itoa(k+1))
	}
	s.add(" FROM o WHERE ")
	switch {
	case p.Node != "":
		s.add("code = (SELECT code FROM top WHERE node = "+asText+")", p.Node)
	case p.Backward:
		s.add("ending")
	default:
		s.add("pause")
	}
	s.add(")")
	return s, nil
}

// brk is the mark that the way is broken between its node j and the next one.
func brk(backward bool, j int) string {
	if !backward {
		return "p" + strconv.Itoa(j)
	}
	if j == 1 {
		return "pause"
	}
	return "p" + strconv.Itoa(j-1)
}

func (w *Web) pathsText(q web.Question, p web.Paths, top []string, of share) (statement, error) {
	s, err := w.ways(q, p, top, of)
	if err != nil {
		return s, err
	}
	s.add(", link AS (")
	for k := 1; k < p.Depth; k++ {
		if k > 1 {
			s.add(" UNION ALL ")
		}
		n := strconv.Itoa(k)
		next := "n" + strconv.Itoa(k+1)
		s.add("SELECT " + n + " AS step, n" + n + " AS f, " + next + " AS t, count(*) AS n FROM way WHERE n" + n + " IS NOT NULL GROUP BY n" + n + ", " + next)
	}
	s.add(") SELECT step, f, COALESCE(t, -1), n FROM link")
	return s, nil
}

// Paths implements web.Facts.
func (w *Web) Paths(ctx context.Context, q web.Question, p web.Paths) ([]web.Link, error) {
	top, sums, rolled, err := w.rolledPaths(ctx, q, p)
	if err != nil {
		return nil, fmt.Errorf("count ways: %w", err)
	}
	if rolled {
		return linksOf(top, sums), nil
	}
	if top, err = w.nodes(ctx, q, p); err != nil {
		return nil, fmt.Errorf("list nodes of ways: %w", err)
	}
	if len(top) == 0 || p.Node != "" && top[0] != p.Node {
		return []web.Link{}, nil
	}
	sums = map[link]int64{}
	err = w.each(ctx, q.From, q.To, func(w *Web, of share) error {
		s, err := w.pathsText(q, p, top, of)
		if err != nil {
			return err
		}
		return each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
			var l link
			var n int64
			err := r.Scan(&l.step, &l.from, &l.to, &n)
			sums[l] += n
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count ways: %w", err)
	}
	return linksOf(top, sums), nil
}

// link is a step from one node to another by their numbers among the top; 0 is any other node, and to is -1 where the way ended.
type link struct{ step, from, to int64 }

func linksOf(top []string, sums map[link]int64) []web.Link {
	named := func(code int64) *web.Node {
		if code == 0 {
			return &web.Node{Rest: true}
		}
		return &web.Node{Name: top[code-1]}
	}
	out := make([]web.Link, 0, len(sums))
	for l, n := range sums {
		v := web.Link{Step: int(l.step), From: named(l.from), Count: n}
		if l.to >= 0 {
			v.To = named(l.to)
		}
		out = append(out, v)
	}
	return out
}

// period is the number of the first day of the period of a day: of a month, year*12+month-1.
func period(kind, day string) string {
	switch kind {
	case "week":
		return "(" + day + " - mod(" + day + " + 3, 7))"
	case "month":
		date := "(DATE '1970-01-01' + CAST(" + day + " AS INTEGER))"
		return "(CAST(extract(year FROM " + date + ") AS BIGINT) * 12 + CAST(extract(month FROM " + date + ") AS BIGINT) - 1)"
	}
	return day
}

// periodOf is what period answers for a day.
func periodOf(kind string, day clock.Day) int64 {
	if kind == "month" {
		t := day.Time()
		return int64(t.Year())*12 + int64(t.Month()) - 1
	}
	return int64(web.Retention{Period: kind}.First(day))
}

// firstDay is the day that a period begins with.
func firstDay(kind string, p int64) clock.Day {
	if kind == "month" {
		return firstOfMonth(p)
	}
	return clock.Day(p)
}

func firstOfMonth(p int64) clock.Day { return web.Retention{Period: "month"}.After(0, int(p-1970*12)) }

// done is "SELECT customer_id, day …" of what begins a cohort or brings somebody back; of the span, or of all days.
func (w *Web) done(q web.Question, what string, all bool) (statement, error) {
	var s statement
	switch what {
	case web.OfVisit:
		visits, err := w.visits(q, !all)
		s.add("SELECT s.customer_id, s.day")
		s.put(visits)
		return s, err
	case web.OfPurchase:
		s.add("SELECT o.customer_id, o.day FROM f_purchase o WHERE TRUE")
		if !all {
			s.add(" AND o.day >= "+asInt+" AND o.day <= "+asInt, int64(q.From), int64(q.To))
		}
		return s, w.members(&s, "o.customer_id", q.Filter)
	}
	o := within(q, ofPerson)
	o.all = all
	events, err := w.events(q, o)
	s.add("SELECT e.customer_id, e.day")
	s.put(events)
	s.add(" AND e.name = "+asText, what)
	return s, err
}

// cohorts are the named parts of a statement about retention: "c" holds who began in the span and in which period, "a" in which
// periods somebody was there again.
func (w *Web) cohorts(q web.Question, r web.Retention) (statement, error) {
	start, err := w.done(q, r.Start, true)
	if err != nil {
		return start, err
	}
	again := q
	again.Filter.Is, again.Through = nil, 0 // who came back once by whatever way came back
	back, err := w.done(again, r.Return, false)
	if err != nil {
		return back, err
	}
	var s statement
	s.add("WITH c AS (SELECT f.customer_id, " + period(r.Period, "f.day") + " AS p FROM (SELECT x.customer_id, min(x.day) AS day FROM (")
	s.put(start)
	s.add(") x GROUP BY x.customer_id) f WHERE f.day >= "+asInt+" AND f.day <= "+asInt+"), a AS (SELECT DISTINCT x.customer_id, "+period(r.Period, "x.day")+" AS p FROM (",
		int64(q.From), int64(q.To))
	s.put(back)
	s.add(") x)")
	return s, nil
}

func (w *Web) retentionText(q web.Question, r web.Retention) (statement, error) {
	s, err := w.cohorts(q, r)
	if err != nil {
		return s, err
	}
	s.add(` SELECT c.p, CAST(-1 AS BIGINT) AS q, count(*) FROM c GROUP BY c.p
 UNION ALL SELECT c.p, a.p, count(*) FROM c JOIN a ON a.customer_id = c.customer_id WHERE a.p >= c.p GROUP BY c.p, a.p ORDER BY 1, 2`)
	return s, nil
}

// Retention implements web.Facts.
func (w *Web) Retention(ctx context.Context, q web.Question, r web.Retention) ([]web.Cell, error) {
	if out, ok, err := w.rolledRetention(ctx, q, r); ok || err != nil {
		return out, err
	}
	s, err := w.retentionText(q, r)
	if err != nil {
		return nil, err
	}
	out := []web.Cell{}
	err = w.alone(ctx, func(w *Web) error {
		return each(ctx, w.db, s.text, s.args, func(rows *sql.Rows) error {
			var from, to, n int64
			if err := rows.Scan(&from, &to, &n); err != nil {
				return err
			}
			c := web.Cell{Cohort: firstDay(r.Period, from), Period: -1, Count: n}
			if to >= 0 {
				c.Period = r.Between(c.Cohort, firstDay(r.Period, to))
			}
			out = append(out, c)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count who came back: %w", err)
	}
	return out, nil
}
