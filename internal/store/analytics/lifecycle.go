package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	statcut "github.com/guanxi-crm/guanxi/internal/stat/cut"
	"github.com/guanxi-crm/guanxi/internal/stat/stay"
)

const (
	// Entries of the log that change the class, with the class before. Parameter: the classification.
	logEntries = `SELECT customer_id, class_key, day, was FROM (
 SELECT customer_id, class_key, day, lag(class_key) OVER (PARTITION BY customer_id ORDER BY day) AS was
 FROM class_log WHERE classification = CAST(? AS TEXT)) x WHERE was IS NULL OR was <> class_key`
	// Stays in a class, until being NULL for one that goes on. Parameter: the classification.
	logStays = `SELECT customer_id, class_key, day, lead(day) OVER (PARTITION BY customer_id ORDER BY day) AS until FROM (` + logEntries + `) e`
	// The class at the end of a day. Parameters: the classification, the day.
	logAt = `SELECT customer_id, class_key FROM (
 SELECT customer_id, class_key, row_number() OVER (PARTITION BY customer_id ORDER BY day DESC) AS n
 FROM class_log WHERE classification = CAST(? AS TEXT) AND day <= CAST(? AS BIGINT)) x WHERE n = 1`

	flowText = `SELECT COALESCE(a.class_key, ''), b.class_key, count(*) FROM (` + logAt + `) b
LEFT JOIN (` + logAt + `) a ON a.customer_id = b.customer_id GROUP BY COALESCE(a.class_key, ''), b.class_key`
	passageText = `SELECT COALESCE(was, ''), class_key, count(*) FROM (` + logEntries + `) e
WHERE day > CAST(? AS BIGINT) AND day <= CAST(? AS BIGINT) GROUP BY COALESCE(was, ''), class_key`
	sizesText = `SELECT class_key, day, CAST(sum(n) AS BIGINT) FROM (
 SELECT class_key, day, 1 AS n FROM (` + logStays + `) s UNION ALL SELECT class_key, until AS day, -1 AS n FROM (` + logStays + `) s WHERE until IS NOT NULL) d
GROUP BY class_key, day`
	staysText = `SELECT class_key, days, ended, count(*) FROM (SELECT class_key, COALESCE(until, CAST(? AS BIGINT)) - day AS days, until IS NOT NULL AS ended FROM (` + logStays + `) s
WHERE day > CAST(? AS BIGINT)) x GROUP BY class_key, days, ended`

	// The highest rank reached within so many days; {rank} is a CASE of the class, {group} of the customer c and the first day r.start.
	reachedRows = `SELECT l.customer_id, f.start, max(CASE WHEN l.day <= f.start + CAST(? AS BIGINT) THEN {rank} ELSE 0 END) AS rank
 FROM class_log l JOIN (SELECT customer_id, min(day) AS start FROM class_log WHERE classification = CAST(? AS TEXT) GROUP BY customer_id) f ON f.customer_id = l.customer_id
 WHERE l.classification = CAST(? AS TEXT) AND f.start > CAST(? AS BIGINT) GROUP BY l.customer_id, f.start`
	reachedGroups = `SELECT g.name, g.rank, g.young, count(*) FROM (SELECT {group} AS name, r.rank, r.start + CAST(? AS BIGINT) > CAST(? AS BIGINT) AS young
 FROM ({rows}) r JOIN a_customer c ON c.id = r.customer_id) g GROUP BY g.name, g.rank, g.young`
	groupMonth = `CAST(extract(year FROM DATE '1970-01-01' + CAST(r.start AS INTEGER)) AS BIGINT) * 12 +
 CAST(extract(month FROM DATE '1970-01-01' + CAST(r.start AS INTEGER)) AS BIGINT) - 1`

	togetherText = `SELECT a.class_key, b.class_key, count(*) FROM (SELECT customer_id, class_key FROM class_member WHERE classification = ?) a
JOIN (SELECT customer_id, class_key FROM class_member WHERE classification = ?) b ON b.customer_id = a.customer_id GROUP BY a.class_key, b.class_key`

	purchasedLater = `SELECT customer_id, CAST(sum(amount) AS BIGINT) AS amount FROM f_purchase WHERE day > CAST(? AS BIGINT) AND day <= CAST(? AS BIGINT) GROUP BY customer_id`
	laterSums      = `count(*), count(f.amount), COALESCE(sum(CAST(f.amount AS DOUBLE PRECISION)), 0), COALESCE(sum(CAST(f.amount AS DOUBLE PRECISION) * CAST(f.amount AS DOUBLE PRECISION)), 0)`
	laterText      = `SELECT a.class_key, ` + laterSums + ` FROM (` + logAt + `) a LEFT JOIN (` + purchasedLater + `) f ON f.customer_id = a.customer_id GROUP BY a.class_key`
	// {table} and {column} are those of a trait.
	valuesThen = `SELECT v.{column}, ` + laterSums + ` FROM {table} v LEFT JOIN (` + purchasedLater + `) f ON f.customer_id = v.customer_id
WHERE v.{column} IS NOT NULL GROUP BY v.{column} ORDER BY v.{column}`

	stepsText = `SELECT classification, class_key, day FROM class_log WHERE customer_id = ? ORDER BY classification, day`

	// {query} gives the classes as they would be.
	movingText = `SELECT COALESCE(n.customer_id, m.customer_id) AS customer_id, COALESCE(m.class_key, '') AS was, COALESCE(n.class_key, '') AS class_key FROM ({query}) n
FULL JOIN (SELECT customer_id, class_key FROM class_member WHERE classification = ?) m ON m.customer_id = n.customer_id`
)

// lifecycleTexts are listed so that each is prepared.
func lifecycleTexts() []Text {
	out := []Text{
		{"log different", logText("SELECT t.id AS customer_id, CAST('' AS TEXT) AS class_key FROM a_customer t")}, {"drop passed", dropPassed}, {"take passed", takePassed},
		{"clear passed", clearPassed}, {"drop log", dropLog}, {"prune log", pruneLog}, {"present classes", presentLog}, {"first bought", firstBought},
		{"drop moved log", logMovedDrop}, {"log moved", logMoved}, {"flows of classes", flowText}, {"passages of classes", passageText}, {"sizes of classes", sizesText},
		{"stays in classes", staysText}, {"together", togetherText}, {"later purchases", laterText}, {"values then", thenText(earlier(FamilyOrder), "orders")},
		{"steps of one", stepsText}, {"would-be class moves", movingIn(allCustomers)}, {"earlier order family", orderText(earlier(FamilyOrder))}, {"earlier taste family", tasteText(earlier(FamilyTaste))},
	}
	ranks := map[string]int{"a": 1, "b": 2}
	for _, by := range []string{classify.ByMonth, classify.BySource} {
		s := reachedText("k", ranks, 30, by, 1, 2)
		out = append(out, Text{"reached by " + by, s.text})
	}
	return out
}

func thenText(table, column string) string {
	return strings.NewReplacer("{table}", table, "{column}", Quote(column)).Replace(valuesThen)
}

func movingIn(q string) string { return strings.ReplaceAll(movingText, "{query}", q) }

// Flows implements classify.Past.
func (a *Audience) Flows(ctx context.Context, key string, from, to clock.Day) ([]classify.Flow, error) {
	return a.flows(ctx, flowText, key, int64(to), key, int64(from))
}

// Passages implements classify.Past.
func (a *Audience) Passages(ctx context.Context, key string, from, to clock.Day) ([]classify.Flow, error) {
	return a.flows(ctx, passageText, key, int64(from), int64(to))
}

// Together implements classify.Past.
func (a *Audience) Together(ctx context.Context, one, other string) ([]classify.Flow, error) {
	return a.flows(ctx, togetherText, one, other)
}

// Moving implements classify.Past.
func (a *Audience) Moving(ctx context.Context, def classify.Classification) ([]classify.Flow, error) {
	q, err := a.classes(def, "", nil)
	if err != nil {
		return nil, err
	}
	return a.flows(ctx, "SELECT was, class_key, count(*) FROM ("+movingIn(q.SQL)+") x GROUP BY was, class_key", append(q.Args, def.Key)...)
}

func (a *Audience) flows(ctx context.Context, text string, args ...any) ([]classify.Flow, error) {
	out := []classify.Flow{}
	err := each(ctx, a.store.db, text, args, func(r *sql.Rows) error {
		var f classify.Flow
		err := r.Scan(&f.From, &f.To, &f.N)
		out = append(out, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count flows between classes: %w", err)
	}
	slices.SortFunc(out, func(x, y classify.Flow) int { return strings.Compare(x.From+"\x00"+x.To, y.From+"\x00"+y.To) })
	return out, nil
}

// Sizes implements classify.Past.
func (a *Audience) Sizes(ctx context.Context, key string, days []clock.Day) ([]map[string]int64, error) {
	type change struct {
		class string
		day   int64
		n     int64
	}
	var all []change
	err := each(ctx, a.store.db, sizesText, []any{key, key}, func(r *sql.Rows) error {
		var c change
		err := r.Scan(&c.class, &c.day, &c.n)
		all = append(all, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sizes of classes: %w", err)
	}
	out := make([]map[string]int64, len(days))
	for i, d := range days {
		out[i] = map[string]int64{}
		for _, c := range all {
			if c.day <= int64(d) {
				out[i][c.class] += c.n
			}
		}
	}
	return out, nil
}

// Stays implements classify.Past.
func (a *Audience) Stays(ctx context.Context, key string) (map[string][]stay.Stay, error) {
	now, k, err := a.nowKnown(ctx, key)
	if err != nil {
		return nil, err
	}
	out := map[string][]stay.Stay{}
	err = each(ctx, a.store.db, staysText, []any{int64(now), key, int64(k.Since)}, func(r *sql.Rows) error {
		var class string
		var s stay.Stay
		err := r.Scan(&class, &s.Days, &s.Ended, &s.N)
		out[class] = append(out[class], s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("stays in classes: %w", err)
	}
	return out, nil
}

func (a *Audience) nowKnown(ctx context.Context, key string) (clock.Day, classify.Known, error) {
	now, _, err := a.Days(ctx)
	if err != nil {
		return 0, classify.Known{}, err
	}
	k, _, err := a.Known(ctx, key)
	return now, k, err
}

// reachedText counts who reached what; the ranks stand in it in the order of keys.
func reachedText(key string, ranks map[string]int, days int, by string, since, now clock.Day) statement {
	rows := reachedCustomers(key, ranks, days, since)
	group := groupMonth
	if by == classify.BySource {
		group = "COALESCE(c.source, '')"
	}
	text := strings.NewReplacer("{group}", group, "{rows}", rows.text).Replace(reachedGroups)
	// The group stands before the rows and has no parameters; the two of the head come first.
	return statement{text, append([]any{int64(days), int64(now)}, rows.args...)}
}

func reachedCustomers(key string, ranks map[string]int, days int, since clock.Day) statement {
	var b strings.Builder
	args := []any{int64(days)}
	b.WriteString("CASE l.class_key")
	for _, k := range slices.Sorted(maps.Keys(ranks)) {
		b.WriteString(" WHEN CAST(? AS TEXT) THEN CAST(? AS BIGINT)")
		args = append(args, k, int64(ranks[k]))
	}
	b.WriteString(" ELSE 0 END")
	return statement{strings.ReplaceAll(reachedRows, "{rank}", b.String()), append(args, key, key, int64(since))}
}

// Reached implements classify.Past.
func (a *Audience) Reached(ctx context.Context, key string, ranks map[string]int, days int, by string) ([]classify.Reached, error) {
	now, k, err := a.nowKnown(ctx, key)
	if err != nil || len(ranks) == 0 {
		return nil, err
	}
	s := reachedText(key, ranks, days, by, k.Since, now)
	var out []classify.Reached
	err = each(ctx, a.store.db, s.text, s.args, func(r *sql.Rows) error {
		var v classify.Reached
		var month int64
		dst := any(&v.Group)
		if by != classify.BySource {
			dst = &month
		}
		err := r.Scan(dst, &v.Rank, &v.Young, &v.N)
		if by != classify.BySource {
			v.Group = monthName(month)
		}
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count conversions: %w", err)
	}
	return out, nil
}

func monthName(month int64) string { return fmt.Sprintf("%04d-%02d", month/12, month%12+1) }

// Behind implements classify.Past.
func (a *Audience) Behind(ctx context.Context, key string, b classify.Behind, p classify.Page) (classify.People, error) {
	var s statement
	now, k, err := a.nowKnown(ctx, key)
	if err != nil {
		return classify.People{}, err
	}
	switch b.Figure {
	case "in":
		s = statement{"SELECT customer_id FROM (" + logAt + ") x WHERE class_key = CAST(? AS TEXT)", []any{key, int64(b.B), b.To}}
	case "flow":
		s = statement{"SELECT b.customer_id FROM (" + logAt + ") b LEFT JOIN (" + logAt + ") a ON a.customer_id = b.customer_id WHERE COALESCE(a.class_key, '') = CAST(? AS TEXT) AND b.class_key = CAST(? AS TEXT)",
			[]any{key, int64(b.B), key, int64(b.A), b.From, b.To}}
	case "move":
		s = statement{"SELECT customer_id FROM (" + logEntries + ") e WHERE day > CAST(? AS BIGINT) AND day <= CAST(? AS BIGINT)", []any{key, int64(b.A), int64(b.B)}}
		if b.From != "" {
			s.add(" AND was = CAST(? AS TEXT)", b.From)
		}
		if b.To != "" {
			s.add(" AND class_key = CAST(? AS TEXT)", b.To)
		}
	case "reached", "group":
		rows := reachedCustomers(key, b.Ranks, b.Days, k.Since)
		group := groupMonth
		if b.By == classify.BySource {
			group = "COALESCE(c.source, '')"
		}
		s.add("SELECT r.customer_id FROM (")
		s.put(rows)
		s.add(") r JOIN a_customer c ON c.id = r.customer_id WHERE " + group + " = ")
		if b.By == classify.BySource {
			s.add(asText, b.Group)
		} else {
			var y, m int64
			if _, err := fmt.Sscanf(b.Group, "%d-%d", &y, &m); err != nil {
				return classify.People{}, fault.InvalidField("api.bad_parameter", "behind.group", nil)
			}
			s.add(asInt, y*12+m-1)
		}
		if b.Figure == "reached" {
			s.add(" AND r.rank >= "+asInt+" AND r.start + "+asInt+" <= "+asInt, int64(b.Rank), int64(b.Days), int64(now))
		}
	default:
		return classify.People{}, fault.InvalidField("api.bad_parameter", "behind.figure", nil)
	}
	return a.people(ctx, s, p)
}

// MovingPeople implements classify.Past.
func (a *Audience) MovingPeople(ctx context.Context, def classify.Classification, from, to string, p classify.Page) (classify.People, error) {
	q, err := a.classes(def, "", nil)
	if err != nil {
		return classify.People{}, err
	}
	s := statement{"SELECT x.customer_id FROM (" + movingIn(q.SQL) + ") x WHERE x.was = CAST(? AS TEXT) AND x.class_key = CAST(? AS TEXT)", append(q.Args, def.Key, from, to)}
	return a.people(ctx, s, p)
}

// people is a page of those of a query whom a reader sees.
func (a *Audience) people(ctx context.Context, s statement, p classify.Page) (classify.People, error) {
	out := classify.People{Total: -1}
	from, args, err := a.within(query.Customer, nil, p.Limits)
	if err != nil {
		return out, err
	}
	text := from + " AND t.id IN (" + s.text + ")"
	args = append(args, s.args...)
	if p.Count {
		if _, err := one(ctx, a.store.db, "SELECT count(*)"+text, args, &out.Total); err != nil {
			return out, fmt.Errorf("count the people behind a figure: %w", err)
		}
	}
	out.IDs, err = a.ids(ctx, "SELECT t.id"+text+" AND t.id > ? ORDER BY t.id LIMIT ?", append(args, int64(p.After), int64(p.Limit)))
	return out, err
}

// Steps implements classify.Past.
func (a *Audience) Steps(ctx context.Context, customer id.ID) ([]classify.Step, error) {
	var out []classify.Step
	err := each(ctx, a.store.db, stepsText, []any{int64(customer)}, func(r *sql.Rows) error {
		var s classify.Step
		var day int64
		if err := r.Scan(&s.Classification, &s.Class, &day); err != nil {
			return err
		}
		s.Day = clock.Day(day)
		if n := len(out); n == 0 || out[n-1].Classification != s.Classification || out[n-1].Class != s.Class {
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

// Later implements classify.Past.
func (a *Audience) Later(ctx context.Context, key string, day, until clock.Day) (map[string]classify.Sum, error) {
	out := map[string]classify.Sum{}
	err := each(ctx, a.store.db, laterText, []any{key, int64(day), int64(day), int64(until)}, func(r *sql.Rows) error {
		var k string
		var s classify.Sum
		err := r.Scan(&k, &s.N, &s.Buyers, &s.Sum, &s.Sq)
		out[k] = s
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("later purchases by class: %w", err)
	}
	return out, nil
}

// Values implements classify.Past.
func (a *Audience) Values(ctx context.Context, key string, day, until clock.Day) (values []statcut.Value, ok bool, err error) {
	t, found := a.env().Traits.Trait(key)
	if !found || t.Type != schema.Number || t.Scale != 0 {
		return nil, false, fault.New(fault.Invalid, "classify.no_number", fault.Params{"trait": key})
	}
	table := t.Table
	if ok = isComputed(table) && day < until; ok {
		a.past.Lock()
		defer a.past.Unlock()
		if err := a.store.computeThen(ctx, day); err != nil {
			return nil, false, err
		}
		table = earlier(table)
	}
	err = each(ctx, a.store.db, thenText(table, t.Column), []any{int64(day), int64(until)}, func(r *sql.Rows) error {
		var v statcut.Value
		var buyers int64
		err := r.Scan(&v.X, &v.N, &buyers, &v.Sum, &v.Sq)
		values = append(values, v)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("values of a trait: %w", err)
	}
	return values, ok, nil
}
