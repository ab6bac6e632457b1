package compile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// writeArg writes a parameter so that two are equal exactly when they are the same.
func writeArg(b *strings.Builder, a any) { fmt.Fprintf(b, "%T:%v", a, a) }

// rowsText are the rows of a record leaf, apart from the link to the record asked about.
type rowsText struct {
	where  piece        // TRUE for none
	window piece        // TRUE for none, FALSE for a window of nothing
	time   string       // the column of their time
	span   *query.Range // of the window, nil for none
}

// rowsIn compiles the filters of a record leaf into the scope of its rows.
func (b *builder) rowsIn(in *scope, r *query.Rows) (rowsText, error) {
	out := rowsText{where: yes, window: yes}
	var err error
	if r.Where != nil {
		if out.where, err = b.expr(in, r.Where); err != nil {
			return out, err
		}
	}
	out.time, err = b.column(in, &r.Time, r.Time.Role)
	if err != nil || r.Window == nil {
		return out, err
	}
	if len(r.Window.Ranges) == 0 {
		out.window = no
		return out, nil
	}
	out.span = &r.Window.Ranges[0]
	out.window = b.test(out.time, r.Window) // NULL, in a filter, is FALSE
	return out, nil
}

// from is "FROM r_order r1 <joins> WHERE r1.customer = t.id AND r1.deleted_at IS NULL AND …" of the records plane.
func (b *builder) from(s, in *scope, r *query.Rows, t rowsText) piece {
	link := raw(b.name(in.alias, r.Object, r.Via, schema.Main) + " = " + s.alias + `."id"`)
	return joined("", []piece{
		raw(" FROM " + b.table(r.Object) + " " + in.alias), in.joined(b),
		wrap(" WHERE ", and(link, raw(in.alias+`."deleted_at" IS NULL`), b.nobody(in.alias, t.where), b.nobody(in.alias, t.window)), ""),
	})
}

// apart reports whether the rows of a leaf may lie on another machine than the record asked about: a cluster answers no
// subquery that speaks of both.
func (b *builder) apart(s *scope, r *query.Rows) bool {
	if !b.dialect.Spread() || !spread(r.Object) {
		return false
	}
	return s.object.Key != query.Customer || r.Object.CustomerField != r.Via.Key
}

// whose asks whether the record is among those whose rows fulfil a condition on all of them, yes for at least one row.
func (b *builder) whose(s, in *scope, r *query.Rows, t rowsText, having piece) piece {
	via := b.name(in.alias, r.Object, r.Via, schema.Main)
	tail := raw("")
	if having.text != yes.text {
		tail = wrap(" GROUP BY "+via+" HAVING ", having, "")
	}
	return wrap(s.alias+`."id" IN (SELECT `+via, joined("", []piece{
		raw(" FROM " + b.table(r.Object) + " " + in.alias), in.joined(b),
		wrap(" WHERE ", and(raw(via+" IS NOT NULL"), raw(in.alias+`."deleted_at" IS NULL`), b.nobody(in.alias, t.where), b.nobody(in.alias, t.window)), ""), tail,
	}), ")")
}

func (b *builder) aggregated(s *scope, e *query.Aggregated) (piece, error) {
	if b.analytics {
		return b.grouped(s, e)
	}
	return b.correlated(s, e)
}

// correlated asks an aggregate in a subquery of the records plane; at least one row is an EXISTS.
func (b *builder) correlated(s *scope, e *query.Aggregated) (piece, error) {
	in := newScope(b.alias("r"), e.Object)
	t, err := b.rowsIn(in, &e.Rows)
	if err != nil {
		return piece{}, err
	}
	if e.Func == "count" && someRows(&e.Test) && !e.None {
		if b.apart(s, &e.Rows) {
			return b.whose(s, in, &e.Rows, t, yes), nil
		}
		return wrap("EXISTS (SELECT 1", b.from(s, in, &e.Rows, t), ")"), nil
	}
	f, err := b.function(in, e)
	if err != nil {
		return piece{}, err
	}
	var asked piece
	if e.Func == "avg" {
		asked = average(e, func(bound int64) piece { return f.around(bound) })
	} else {
		asked = b.test(f.text(""), &e.Test)
	}
	switch {
	case !b.apart(s, &e.Rows):
	case e.None:
		return not(b.whose(s, in, &e.Rows, t, not(asked))), nil
	default:
		return b.whose(s, in, &e.Rows, t, asked), nil
	}
	return wrap("coalesce((SELECT ", joined("", []piece{asked, b.from(s, in, &e.Rows, t)}), "), "+truth(e.None)+")"), nil
}

func truth(v bool) string {
	if v {
		return yes.text
	}
	return no.text
}

// someRows reports a test that every count of at least one passes.
func someRows(t *query.Test) bool {
	if t.Kind != query.Between || t.Not || len(t.Ranges) != 1 {
		return false
	}
	r := t.Ranges[0]
	return r.Hi == nil && r.Lo != nil && (*r.Lo <= 0 || *r.Lo == 1 && !r.LoStrict)
}

// function is an aggregate function over a column.
type function struct {
	name    string // count, count(distinct), sum, min, max, avg
	column  string // "" for count
	factor  int64
	counted bool // 0 stands for no value
}

func (b *builder) function(in *scope, e *query.Aggregated) (function, error) {
	f := function{name: e.Func, factor: e.Factor}
	if e.Func == "count" {
		f.counted = true
		return f, nil
	}
	var err error
	f.column, err = b.column(in, &e.Slot, e.Slot.Role)
	f.counted = e.Func == "days" || e.Func == "distinct"
	return f, err
}

// text is the function with a filter " FILTER (…)", NULL where it has no value.
func (f function) text(filter string) string {
	switch {
	case f.name == "count":
		return "nullif(count(*)" + filter + ", 0)"
	case f.counted:
		return "nullif(count(DISTINCT " + f.column + ")" + filter + ", 0)"
	}
	return f.name + "(" + f.column + ")" + filter
}

// around is the sum of the distances of all values from a bound: its sign compares the average with the bound exactly.
func (f function) around(bound int64) piece {
	x := f.column
	if f.factor != 1 {
		x += " * " + strconv.FormatInt(f.factor, 10)
	}
	return piece{"sum(" + x + " - ?)", []any{bound}}
}

// average compares by the signs of sums around the bounds.
func average(e *query.Aggregated, around func(bound int64) piece) piece {
	var out []piece
	for _, r := range e.Test.Ranges {
		var ps []piece
		if r.Lo != nil {
			ps = append(ps, wrap("", around(*r.Lo), strings.Replace(above(r.LoStrict), "?", "0", 1)))
		}
		if r.Hi != nil {
			ps = append(ps, wrap("", around(*r.Hi), strings.Replace(below(r.HiStrict), "?", "0", 1)))
		}
		out = append(out, and(ps...))
	}
	p := or(out...)
	if e.Test.Not {
		return wrap("NOT (", p, ")")
	}
	return p
}

// noRows asks for no rows at all.
func (b *builder) noRows(s *scope, e *query.NoRows) (piece, error) {
	if b.analytics {
		g, t, err := b.group(s, &e.Rows, nil)
		if err != nil {
			return piece{}, err
		}
		return raw(g.add(function{name: "count"}.item(t)) + " IS NULL"), nil
	}
	in := newScope(b.alias("r"), e.Object)
	t, err := b.rowsIn(in, &e.Rows)
	if err != nil {
		return piece{}, err
	}
	if b.apart(s, &e.Rows) {
		return not(b.whose(s, in, &e.Rows, t, yes)), nil
	}
	return wrap("NOT EXISTS (SELECT 1", b.from(s, in, &e.Rows, t), ")"), nil
}

// resumed compares the first row inside the span with the last row before it.
func (b *builder) resumed(s *scope, e *query.Resumed) (piece, error) {
	if len(e.Span.Ranges) == 0 {
		return no, nil
	}
	span := e.Span.Ranges[0]
	last := *span.Lo - 1
	before := query.Range{Hi: &last}
	if b.analytics {
		g, t, err := b.group(s, &e.Rows, &e.Time)
		if err != nil {
			return piece{}, err
		}
		at := func(fn string, r query.Range) string {
			w := t
			w.span, w.window = &r, rangeOf(t.time, r)
			return g.add(function{name: fn, column: t.time}.item(w))
		}
		back, gone := at("min", span), at("max", before)
		return and(raw(back+" IS NOT NULL"), raw(gone+" IS NOT NULL"), piece{back + " - " + gone + " >= ?", []any{e.Gap}}), nil
	}
	in := newScope(b.alias("r"), e.Object)
	t, err := b.rowsIn(in, &e.Rows)
	if err != nil {
		return piece{}, err
	}
	at := func(fn string, r query.Range) piece {
		return wrap(fn+"("+t.time+") FILTER (WHERE ", rangeOf(t.time, r), ")")
	}
	gap := joined("", []piece{at("min", span), raw(" - "), at("max", before), {" >= ?", []any{e.Gap}}})
	if b.apart(s, &e.Rows) {
		return b.whose(s, in, &e.Rows, t, gap), nil
	}
	return wrap("coalesce((SELECT ", joined("", []piece{gap, b.from(s, in, &e.Rows, t)}), "), FALSE)"), nil
}
