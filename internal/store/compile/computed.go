package compile

import (
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// ComputedScope says over whose rows a figure is computed.
type ComputedScope struct {
	// Events is the relation that holds the events, EventTable when "".
	Events string
	// Who is a condition on the column of the customer, nil for everyone.
	Who func(column string) (text string, args []any)
}

// ComputedText is one statement that gives customer_id and value for each customer who has one: an integer, or a text where the
// figure's type is text, choice or tags.
func ComputedText(env Env, f *query.ComputedFigure, scope ComputedScope) (text string, args []any, err error) {
	m := query.Moment{Now: env.Now, Zone: env.Zone}
	b := &builder{dialect: analytic{columnar: env.Columnar}, registry: env.Registry, analytics: true, env: env}
	parts, err := b.figureRows(f.At(m), scope)
	if err != nil {
		return "", nil, err
	}
	p := b.figureOf(f, parts, m.Today())
	return p.text, p.args, nil
}

// ComputedRowsText gives the newest rows that count for a figure: id, time (milliseconds, or a local day of records that know no more),
// the name of an event, and the value as a text; the limit is the last parameter.
func ComputedRowsText(env Env, f *query.ComputedFigure, scope ComputedScope) (text string, args []any, err error) {
	b := &builder{dialect: analytic{columnar: env.Columnar}, registry: env.Registry, analytics: true, env: env}
	p, err := b.figureRows(f.At(query.Moment{Now: env.Now, Zone: env.Zone}), scope)
	if err != nil {
		return "", nil, err
	}
	name, value := "''", "NULL"
	if f.Rows.Event != "" {
		name = `r."name"`
	}
	if p.value != "" {
		value = "CAST(" + p.value + " AS TEXT)"
	}
	q := wrap(`SELECT r."id", `+p.at+", "+name+", "+value, p.from, " ORDER BY "+p.at+` DESC NULLS LAST, r."id" DESC LIMIT ?`)
	return q.text, q.args, nil
}

// figureRows are the rows of a figure whose windows are fixed.
func (b *builder) figureRows(f *query.ComputedFigure, scope ComputedScope) (p figureParts, err error) {
	in := newScope("r", f.Rows.Object)
	table, base := EventTable, yes
	p.via = `r."customer_id"`
	if f.Rows.Event == "" {
		if !f.Rows.Object.Analytic {
			return p, notInAnalytics(f.Rows.Object.Key)
		}
		table, p.via = b.table(f.Rows.Object), b.name("r", f.Rows.Object, f.Rows.Via, schema.Main)
	} else {
		base = and(named("r", f.Rows.Event), counted("r"))
		if scope.Events != "" {
			table = scope.Events
		}
	}
	rows, err := b.rowsIn(in, &f.Rows)
	if err != nil {
		return p, err
	}
	if f.Kind.NeedsField() {
		if p.value, err = b.column(in, &f.Slot, f.Slot.Role); err != nil {
			return p, err
		}
		base = and(base, raw(p.value+" IS NOT NULL"))
	}
	if p.day, err = b.dayOf(in, &f.Rows); err != nil {
		return p, err
	}
	if p.at, err = b.timeOf(in, &f.Rows); err != nil {
		return p, err
	}
	who := raw(p.via + " > 0")
	if scope.Who != nil {
		t, a := scope.Who(p.via)
		who = and(who, piece{t, a})
	}
	p.from = joined("", []piece{
		raw(" FROM " + table + " r"), in.joined(b),
		wrap(" WHERE ", and(who, base, b.nobody("r", rows.where), b.nobody("r", rows.window)), ""),
	})
	return p, nil
}

// figureParts are the pieces of the statement of a figure.
type figureParts struct {
	via, value, day, at string
	from                piece
}

// figureOf is the statement of a figure by its kind.
func (b *builder) figureOf(f *query.ComputedFigure, p figureParts, today clock.Day) piece {
	one := func(x string) piece {
		return wrap("SELECT "+p.via+" AS customer_id, "+x+" AS value", p.from, " GROUP BY "+p.via)
	}
	sorted := p.value
	if textual(f) {
		sorted = b.dialect.Bytes(p.value)
	}
	each := wrap("SELECT "+p.via+" AS customer_id, "+sorted+" AS x, count(*) AS n", p.from, " GROUP BY "+p.via+", "+sorted)
	switch f.Kind {
	case query.DistinctDays:
		return one("count(DISTINCT " + p.day + ")")
	case query.TimeSince:
		q := one("CAST(? AS BIGINT) - max(" + p.day + ")")
		q.args = append([]any{int64(today)}, q.args...)
		return q
	case query.Sum:
		return one(whole("sum(" + p.value + ")"))
	case query.Average:
		return one("gx_div(" + whole("sum("+p.value+" * "+strconv.FormatInt(f.Factor(), 10)+")") + ", count(" + p.value + "))")
	case query.Min, query.Max:
		return one(string(f.Kind) + "(" + p.value + ")")
	case query.FirstValue:
		return one(b.first(p.value, p.at+` NULLS LAST, r."id"`))
	case query.LastValue:
		return one(b.first(p.value, p.at+` DESC NULLS LAST, r."id" DESC`))
	case query.UniqueCount:
		return one("count(DISTINCT " + p.value + ")")
	case query.MostFrequent:
		return wrap("SELECT customer_id, "+b.first("x", "n DESC, x")+" AS value FROM (", each, ") g WHERE n > 1 GROUP BY customer_id")
	case query.UniqueList:
		return wrap("SELECT customer_id, '|' || string_agg(x, '|' ORDER BY x) || '|' AS value FROM (SELECT customer_id, x, row_number() OVER (PARTITION BY customer_id ORDER BY x) AS place"+
			" FROM (SELECT DISTINCT customer_id, replace(x, '|', '/') AS x FROM (", each, ") d) e) g WHERE place <= "+strconv.Itoa(query.MostListed)+" GROUP BY customer_id")
	}
	return one("count(*)")
}

// whole is a sum as an integer, no value where it does not fit into one.
func whole(sum string) string {
	return "CASE WHEN abs(" + sum + ") < 9000000000000000000 THEN CAST(" + sum + " AS BIGINT) END"
}

// textual reports a figure whose rows have texts.
func textual(f *query.ComputedFigure) bool {
	return f.Type == schema.Text || f.Type == schema.Choice || f.Type == schema.Tags
}

// first is the value of the first row of a group in an order.
func (b *builder) first(value, order string) string {
	if b.dialect.engine() == duckEngine {
		return "first(" + value + " ORDER BY " + order + ")"
	}
	return "(array_agg(" + value + " ORDER BY " + order + "))[1]"
}

// timeOf is when a row happened, in milliseconds or, of records that know their day alone, in days.
func (b *builder) timeOf(in *scope, r *query.Rows) (string, error) {
	if r.Event != "" {
		return in.alias + `."at"`, nil
	}
	s := r.Time
	s.Role = schema.Main
	return b.column(in, &s, s.Role)
}

// dayOf is the local day of a row.
func (b *builder) dayOf(in *scope, r *query.Rows) (string, error) {
	if r.Event != "" {
		return in.alias + `."day"`, nil
	}
	s := r.Time
	if s.Role = schema.Main; s.Field.Type == schema.DateTime {
		s.Role = schema.DayRole
	}
	return b.column(in, &s, s.Role)
}
