package compile

import (
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// EventTable is the relation of events in the analytics plane.
const EventTable = "f_event"

// counted leaves out the events that conditions do not see.
func counted(alias string) piece {
	return raw("(" + alias + `."flags" & ` + strconv.Itoa(query.EventFlagsApart) + ") = 0")
}

// named are the events of a name.
func named(alias, name string) piece {
	if name == query.AnyEvent {
		return yes
	}
	return piece{alias + `."name" = ?`, []any{name}}
}

// event is the expression of a value of an event.
func (b *builder) event(s *scope, e *query.EventSlot) (string, error) {
	if !b.analytics {
		return "", needsAnalytics("event")
	}
	if e.Column == "" {
		return b.dialect.Property(s.alias+`."properties"`, e.Property, e.Read), nil
	}
	column := s.alias + "." + quote(e.Column)
	switch e.Column {
	case "at", "day", "amount", "dwell_ms":
		return column, nil
	}
	return "nullif(" + column + ", '')", nil
}

// eventGroup finds or makes the group of the events of a name: one scan for each name.
func (b *builder) eventGroup(s *scope, r *query.Rows) (*group, rowsText, error) {
	if !b.analytics {
		return nil, rowsText{}, needsAnalytics("event")
	}
	if s.object.Key != query.Customer {
		return nil, rowsText{}, notInAnalytics("event")
	}
	sign := "event " + r.Event
	i := slices.IndexFunc(s.groups, func(g *group) bool { return g.sign == sign })
	if i < 0 {
		i = len(s.groups)
		s.groups = append(s.groups, &group{
			alias: b.alias("g"), sign: sign, scope: newScope("r", nil), table: b.events(), base: and(named("r", r.Event), counted("r")),
			via: `r."customer_id"`, known: map[string]string{},
		})
	}
	t, err := b.rowsIn(s.groups[i].scope, r)
	return s.groups[i], t, err
}

// steps joins those who did one thing after another. Each event that fits a step gets its place in its customer's order; then, step by
// step, the first place after that of the step before is found, in window functions over a customer, so that nothing is joined
// and a cluster answers it where the customer lies.
func (b *builder) steps(s *scope, e *query.Steps) (piece, error) {
	if !b.analytics {
		return piece{}, needsAnalytics("sequence")
	}
	if s.object.Key != query.Customer {
		return piece{}, notInAnalytics("sequence")
	}
	in := newScope("r", nil)
	window := yes
	if e.Window != nil {
		at, err := b.event(in, e.Time.Event)
		if err != nil {
			return piece{}, err
		}
		if window = no; len(e.Window.Ranges) > 0 {
			window = b.test(at, e.Window)
		}
	}
	parts := []piece{raw(`SELECT r."customer_id", row_number() OVER (PARTITION BY r."customer_id" ORDER BY r."at", r."id") AS n`)}
	fits := make([]piece, len(e.Items))
	for i := range e.Items {
		fits[i] = named("r", e.Items[i].Event)
		if where := e.Items[i].Where; where != nil {
			p, err := b.expr(in, where)
			if err != nil {
				return piece{}, err
			}
			fits[i] = and(fits[i], p)
		}
		parts = append(parts, wrap(", ", fits[i], " AS s"+strconv.Itoa(i+1)))
	}
	where := and(or(fits...), counted("r"), window)
	if window.text == no.text {
		where = and(raw(`r."customer_id" < 0`), or(fits...)) // ids are positive
	}
	text := joined("", append(parts, wrap(" FROM "+b.events()+" r WHERE ", where, "")))
	last := len(e.Items)
	before := ""
	for i := 1; i < last; i++ {
		n := strconv.Itoa(i)
		text = wrap("SELECT l.*, min(CASE WHEN l.s"+n+before+` THEN l.n END) OVER (PARTITION BY l."customer_id") AS m`+n+" FROM (", text, ") l")
		before = " AND l.n > l.m" + n
	}
	text = wrap(`SELECT l."customer_id" FROM (`, text, ") l WHERE l.s"+strconv.Itoa(last)+before+` GROUP BY l."customer_id"`)
	known, ok := s.known["steps "+text.key()]
	if !ok {
		known = b.alias("q")
		s.joins = append(s.joins, wrap(" LEFT JOIN (", text, ") "+known+" ON "+known+`."customer_id" = `+s.key))
		s.known["steps "+text.key()] = known
	}
	return raw(known + `."customer_id" IS NOT NULL`), nil
}

// literal is a text as it stands in a statement.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Property is not asked of the records plane.
func (SQLite) Property(string, string, query.EventRead) string { return "NULL" }

// Property reads JSON by jsonb.
func (PostgreSQL) Property(column, key string, read query.EventRead) string {
	object := "(" + column + ")::jsonb"
	text := "(" + object + " ->> " + literal(key) + ")"
	typ := "jsonb_typeof(" + object + " -> " + literal(key) + ")"
	switch read {
	case query.ReadPresence:
		return text
	case query.ReadText:
		sent := "((" + column + ")::json ->> " + literal(key) + ")" // jsonb would make 1000 of 1e3
		return "CASE " + typ + " WHEN 'string' THEN " + text + " WHEN 'boolean' THEN " + text +
			" WHEN 'number' THEN CASE WHEN " + sent + " ~ " + literal(query.WholeNumber) + " THEN " + sent + " END END"
	case query.ReadTruth:
		return truthOf(typ, "'string', 'boolean'", text)
	case query.ReadKind:
		return kindOf(typ, "'string', 'boolean'", "'number'", text, "CAST")
	}
	return "CASE WHEN " + typ + " IN ('string', 'number') THEN " + numberOf(text, "CAST") + " END"
}

// Property of DuckDB reads JSON by a pointer.
func (a analytic) Property(column, key string, read query.EventRead) string {
	if !a.columnar {
		return a.PostgreSQL.Property(column, key, read)
	}
	path := literal("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)) // a pointer: in a path "*" would be any key
	text := "json_extract_string(" + column + ", " + path + ")"
	typ := "json_type(" + column + ", " + path + ")"
	switch read {
	case query.ReadPresence:
		return text
	case query.ReadText:
		return "CASE WHEN " + typ + " IN ('VARCHAR', 'BOOLEAN') THEN " + text + " WHEN " + typ + " IN ('BIGINT', 'UBIGINT', 'HUGEINT') AND " +
			text + " ~ " + literal(query.WholeNumber) + " THEN " + text + " END"
	case query.ReadTruth:
		return truthOf(typ, "'VARCHAR', 'BOOLEAN'", text)
	case query.ReadKind:
		return kindOf(typ, "'VARCHAR', 'BOOLEAN'", "'BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE'", text, "TRY_CAST")
	}
	// What JSON knows as a number need not be looked at as a text.
	return "CASE WHEN " + typ + " IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE') THEN " + scaledOf(text, "TRY_CAST") + " WHEN " + typ + " = 'VARCHAR' THEN " + numberOf(text, "TRY_CAST") + " END"
}

func truthOf(typ, types, text string) string {
	return "CASE WHEN " + typ + " IN (" + types + ") AND " + text + " IN ('true', 'false') THEN " + text + " = 'true' END"
}

func kindOf(typ, texts, numbers, text, cast string) string {
	return "CASE WHEN " + typ + " IN (" + texts + ") THEN 's' || " + text + " WHEN " + typ + " IN (" + numbers + ") THEN 'n' || CAST(" + numberOf(text, cast) + " AS TEXT) END"
}

// numberOf is a number in ten-thousandths, halves up: doubles, which every engine reads and multiplies alike.
func numberOf(text, cast string) string {
	return "CASE WHEN " + text + " ~ " + literal(query.PlainNumber) + " THEN " + scaledOf(text, cast) + " END"
}

// scaledOf is numberOf of a text that is known to be a number.
func scaledOf(text, cast string) string {
	x := cast + "(" + text + " AS DOUBLE PRECISION)"
	limit := strconv.Itoa(query.NumberBelow)
	return "CASE WHEN " + x + " > -" + limit + " AND " + x + " < " + limit + " THEN CAST(floor(" + x + " * 10000 + CAST(0.5 AS DOUBLE PRECISION)) AS BIGINT) END"
}
