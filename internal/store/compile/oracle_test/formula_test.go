package oracle_test

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// writer makes random formulas over the customers, or the orders and their customers, of the world.
type writer struct {
	t      *rapid.T
	fields map[formula.Kind][]string
}

func newWriter(t *rapid.T, obj *schema.Object, reg *schema.Registry) *writer {
	w := &writer{t: t, fields: map[formula.Kind][]string{}}
	add := func(prefix string, o *schema.Object) {
		for _, f := range append(append([]*schema.Field{}, o.Fields...), schema.Systems()...) {
			p, bad := formula.Check(prefix+f.Key, formula.CheckEnv{Registry: reg, Object: obj})
			if bad == nil {
				w.fields[p.Root.Type.Kind] = append(w.fields[p.Root.Type.Kind], prefix+f.Key)
			}
		}
	}
	add("", obj)
	for _, f := range obj.Fields {
		if target := reg.Object(f.Target); f.Type == schema.Relation && target != nil && !target.Virtual {
			add(f.Key+".", target)
		}
	}
	return w
}

func (w *writer) pick(options ...string) string {
	return options[rapid.IntRange(0, len(options)-1).Draw(w.t, "pick")]
}

func (w *writer) field(k formula.Kind, otherwise string) string {
	if len(w.fields[k]) == 0 {
		return otherwise
	}
	return w.pick(w.fields[k]...)
}

func (w *writer) literal() string {
	n := rapid.SampledFrom([]int64{0, 1, 2, 3, 7, 10, 12, 100, 12345, 999999999, 922337203685477580}).Draw(w.t, "number")
	if rapid.Bool().Draw(w.t, "decimals") {
		return strconv.FormatInt(n%1000000, 10) + w.pick(".5", ".25", ".005", ".333333", ".1")
	}
	return strconv.FormatInt(n, 10)
}

func (w *writer) number(d int) string {
	if d <= 0 {
		return w.pick(w.literal(), w.field(formula.Number, "4"), "-"+w.literal(), w.field(formula.Number, "3"))
	}
	x := func() string { return w.number(d - 1) }
	switch w.pick("+", "-", "*", "/", "neg", "round", "floor", "ceil", "abs", "min", "sum", "mod", "if", "coalesce", "len", "date", "diff", "money", "percent", "switch") {
	case "+":
		return "(" + x() + " + " + x() + ")"
	case "-":
		return "(" + x() + " - " + x() + ")"
	case "*":
		return "(" + x() + " * " + x() + ")"
	case "/":
		return "(" + x() + " / " + x() + ")"
	case "neg":
		return "-" + x()
	case "round":
		return "ROUND(" + x() + ", " + w.pick("0", "1", "2", "-1", "-3", "5") + ")"
	case "floor":
		return "FLOOR(" + x() + w.pick("", ", 1", ", -2") + ")"
	case "ceil":
		return "CEILING(" + x() + w.pick("", ", 1", ", -2") + ")"
	case "abs":
		return "ABS(" + x() + ")"
	case "min":
		return w.pick("MIN", "MAX") + "(" + x() + ", " + x() + ", " + x() + ")"
	case "sum":
		return "SUM(" + x() + ", " + x() + ", " + x() + ")"
	case "mod":
		return "MOD(" + x() + ", " + x() + ")"
	case "if":
		return "IF(" + w.truth(d-1) + ", " + x() + w.pick("", ", "+x()) + ")"
	case "coalesce":
		return "COALESCE(" + x() + ", " + x() + ")"
	case "len":
		return "LEN(" + w.text(d-1) + ")"
	case "date":
		return w.pick("YEAR", "MONTH", "DAY", "WEEKDAY") + "(" + w.date(d-1) + ")"
	case "diff":
		return w.pick("DATEDIFF("+w.date(d-1)+", "+w.date(d-1)+", \""+w.pick("day", "week", "month", "quarter", "year")+"\")",
			"DATEDIFF("+w.instant()+", "+w.instant()+", \""+w.pick("hour", "minute")+"\")", "("+w.date(d-1)+" - "+w.date(d-1)+")")
	case "money":
		return w.pick("AMOUNT("+w.money(d-1)+")", "("+w.money(d-1)+" / "+w.money(d-1)+")")
	case "percent":
		return w.literal() + "%"
	}
	return "SWITCH(" + x() + ", 1, " + x() + ", 2, " + x() + ", " + x() + ")"
}

func (w *writer) money(d int) string {
	f := w.field(formula.Money, "")
	if f == "" {
		return "COALESCE(BLANK, 5)"
	}
	if d <= 0 {
		return f
	}
	switch w.pick("field", "+", "-", "*", "/", "min", "if", "abs", "sum", "mixed") {
	case "+":
		return "(" + w.money(d-1) + " + " + w.money(d-1) + ")"
	case "-":
		return "(" + w.money(d-1) + " - " + w.money(d-1) + ")"
	case "*":
		return "(" + w.money(d-1) + " * " + w.number(d-1) + ")"
	case "/":
		return "(" + w.money(d-1) + " / " + w.number(d-1) + ")"
	case "min":
		return w.pick("MIN", "MAX") + "(" + w.money(d-1) + ", " + w.money(d-1) + ")"
	case "if":
		return "IF(" + w.truth(d-1) + ", " + w.money(d-1) + ", " + w.money(d-1) + ")"
	case "abs":
		return "ABS(-" + w.money(d-1) + ")"
	case "sum":
		return "SUM(" + w.money(d-1) + ", " + w.money(d-1) + ", 3.5)"
	case "mixed":
		return "(" + w.money(d-1) + " + " + w.number(d-1) + ")"
	}
	return f
}

func (w *writer) constant() string {
	return w.pick(`"a"`, `"张"`, `"?'\\"`, `"A b"`, `"1"`, `"%_"`, `"é"`, `"　x "`)
}

func (w *writer) text(d int) string {
	if d <= 0 {
		return w.pick(w.constant(), w.field(formula.Text, `"x"`), w.field(formula.Text, `"y"`))
	}
	x := func() string { return w.text(d - 1) }
	switch w.pick("&", "left", "right", "mid", "case", "trim", "replace", "number", "date", "if", "coalesce", "money") {
	case "&":
		return "(" + x() + " & " + x() + ")"
	case "left":
		return "LEFT(" + x() + ", " + w.number(d-1) + ")"
	case "right":
		return "RIGHT(" + x() + ", " + w.pick("0", "1", "2", w.number(d-1)) + ")"
	case "mid":
		return "MID(" + x() + ", " + w.pick("0", "1", "2", w.number(d-1)) + ", " + w.pick("1", "2", w.number(d-1)) + ")"
	case "case":
		return w.pick("UPPER", "LOWER") + "(" + x() + ")"
	case "trim":
		return "TRIM(" + x() + ")"
	case "replace":
		return "REPLACE(" + x() + ", " + x() + ", " + w.pick(x(), "BLANK") + ")"
	case "number":
		return "TEXT(" + w.number(d-1) + ")"
	case "date":
		return "TEXT(" + w.date(d-1) + ")"
	case "money":
		return "(\"\" & " + w.money(d-1) + ")"
	case "if":
		return "IF(" + w.truth(d-1) + ", " + x() + ", " + x() + ")"
	}
	return "COALESCE(" + x() + ", " + x() + ")"
}

func (w *writer) instant() string {
	return w.pick("NOW()", w.field(formula.Instant, "NOW()"), "DATEADD("+w.field(formula.Instant, "NOW()")+", "+w.literal()+", \"hour\")")
}

func (w *writer) date(d int) string {
	if d <= 0 {
		return w.pick("TODAY()", w.field(formula.Date, "TODAY()"), "DATEVALUE("+w.field(formula.Instant, "NOW()")+")", "DATE(2024, 2, 29)", "DATE(1970, 1, 1)")
	}
	switch w.pick("add", "edate", "plus", "date", "if", "min") {
	case "add":
		return "DATEADD(" + w.date(d-1) + ", " + w.number(d-1) + ", \"" + w.pick("day", "week", "month", "quarter", "year") + "\")"
	case "edate":
		return "EDATE(" + w.date(d-1) + ", " + w.pick("1", "-1", "12", "-13", w.number(d-1)) + ")"
	case "plus":
		return "(" + w.date(d-1) + w.pick(" + ", " - ") + w.number(d-1) + ")"
	case "date":
		return "DATE(" + w.pick("2023", "1", "9999", w.number(d-1)) + ", " + w.pick("1", "13", "0", w.number(d-1)) + ", " + w.pick("1", "31", "0", w.number(d-1)) + ")"
	case "min":
		return w.pick("MIN", "MAX") + "(" + w.date(d-1) + ", " + w.date(d-1) + ")"
	}
	return "IF(" + w.truth(d-1) + ", " + w.date(d-1) + ", " + w.date(d-1) + ")"
}

func (w *writer) truth(d int) string {
	if d <= 0 {
		return w.pick("TRUE", "FALSE", w.field(formula.Bool, "TRUE"), "ISBLANK("+w.field(formula.Text, "1")+")")
	}
	op := w.pick("=", "<>", "<", "<=", ">", ">=")
	switch w.pick("number", "text", "date", "money", "and", "or", "not", "contains", "blank", "choice", "instant") {
	case "number":
		return "(" + w.number(d-1) + " " + op + " " + w.number(d-1) + ")"
	case "text":
		return "(" + w.text(d-1) + " " + op + " " + w.text(d-1) + ")"
	case "date":
		return "(" + w.date(d-1) + " " + op + " " + w.date(d-1) + ")"
	case "money":
		return "(" + w.money(d-1) + " " + op + " " + w.number(d-1) + ")"
	case "and":
		return "AND(" + w.truth(d-1) + ", " + w.truth(d-1) + ")"
	case "or":
		return "(" + w.truth(d-1) + " or " + w.truth(d-1) + ")"
	case "not":
		return "(not " + w.truth(d-1) + ")"
	case "contains":
		return "CONTAINS(" + w.text(d-1) + ", " + w.text(d-1) + ")"
	case "choice":
		if f := w.field(formula.Choice, ""); f != "" {
			return "(" + f + w.pick(" = ", " <> ") + f + ")"
		}
	case "instant":
		return "(" + w.instant() + " " + op + " " + w.instant() + ")"
	}
	return "ISBLANK(" + w.text(d-1) + ")"
}

func (w *writer) any(d int) string {
	switch w.pick("number", "money", "text", "date", "truth", "choice") {
	case "money":
		return w.money(d)
	case "text":
		return w.text(d)
	case "date":
		return w.date(d)
	case "truth":
		return w.truth(d)
	case "choice":
		return w.field(formula.Choice, "1")
	}
	return w.number(d)
}

// row gives a formula the columns of a record.
type row struct{ r *record }

func (s row) Column(ref *formula.Ref, role schema.Role) any {
	var at query.Subject = s.r.stored
	for _, h := range ref.Hops {
		if at = at.Related(h.Field); at == nil {
			return nil
		}
	}
	return at.(query.Stored).Column(ref.Field, role)
}

func TestFormulasEverywhereTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		l := newLab(t, seed)
		for _, key := range []string{"customer", "order"} {
			obj := l.w.registry.Object(key)
			rapid.Check(t, func(t *rapid.T) {
				w := newWriter(t, obj, l.w.registry)
				source := w.any(4)
				p, bad := formula.Check(source, formula.CheckEnv{Registry: l.w.registry, Object: obj})
				for _, b := range bad {
					if b.Code != "formula.types_differ" && b.Code != "formula.amount_by_amount" && b.Code != "formula.too_large" && b.Code != "formula.wants_amount" &&
						b.Code != "formula.no_result" && b.Code != "formula.wants_number" && b.Code != "formula.wants_money" {
						t.Fatalf("%s: %v", source, bad)
					}
				}
				if bad != nil {
					t.Skip()
				}
				again, bad := formula.Check(p.Normal, formula.CheckEnv{Registry: l.w.registry, Object: obj})
				if bad != nil || again.Normal != p.Normal {
					t.Fatalf("%s is printed as %s, which is read as %v %v", source, p.Normal, again, bad)
				}
				l.sameValues(t, obj, computed(source, p), p)
			})
		}
	}
}

// computed is a field of a formula.
func computed(source string, p *formula.Program) *schema.Field {
	f := &schema.Field{Key: "computed", Label: lang.Label{"en": "c"}, Type: p.Root.Type.FieldType(), Scale: p.Root.Type.Scale, Formula: source}
	f.SetProgram(p)
	return f
}

// TestFormulasThatOverflow: what does not fit into a number is nothing, and nothing is neither above, below nor unlike a constant.
// An engine that compares before it narrows says otherwise.
func TestFormulasThatOverflow(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	obj := l.w.registry.Object("order")
	for _, source := range []string{
		"(SUM(quantity, -999999999, 0.25) * (customer.score * customer.score)) <> 0",
		"(SUM(quantity, -999999999, 0.25) * (customer.score * customer.score)) < 7",
		"(999999999 * 999999999 * customer.score) > 1",
	} {
		p, bad := formula.Check(source, formula.CheckEnv{Registry: l.w.registry, Object: obj})
		if bad != nil {
			t.Fatalf("%s: %v", source, bad)
		}
		l.sameValues(t, obj, computed(source, p), p)
	}
}

// sameValues compares what every engine makes of a computed field with what memory does.
func (l *lab) sameValues(t rapid.TB, obj *schema.Object, f *schema.Field, p *formula.Program) {
	env := &formula.Env{Now: l.w.now, Zone: l.w.zone, Base: "CNY"}
	want := map[int64]string{}
	kind := p.Root.Type.Kind
	role := schema.Main
	if kind == formula.Money {
		role = schema.Base
	}
	for _, r := range l.w.rows[obj.Key] {
		if !r.deleted {
			want[int64(r.RecordID)] = printed(p.Eval(env, row{r}).Column(kind, role))
		}
	}
	ask := func(e engine, analytics bool) {
		ce := l.env(dialect(e))
		ce.Columnar = e.name == "duckdb"
		with := *obj
		keys, joins, err := compile.ExpressionOf(ce, &with, f, analytics)
		if err != nil {
			t.Fatalf("%s: %v", f.Formula, err)
		}
		table, live := quoted(obj.Physical), " WHERE t.deleted_at IS NULL"
		if analytics {
			table, live = quoted("a_"+obj.Key), ""
		}
		text := "SELECT t.id, " + keys + " FROM " + table + " t" + joins + live
		rows, err := e.db.Query(text)
		if e.refused(err) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s\n%s", e.name, err, f.Formula, text)
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			var rec int64
			var v any
			if err := rows.Scan(&rec, &v); err != nil {
				t.Fatalf("%s: %v\n%s", e.name, err, f.Formula)
			}
			n++
			if kind == formula.Bool && v != nil && e.name == "sqlite" {
				v = v == int64(1)
			}
			if got := printed(v); got != want[rec] {
				t.Fatalf("%s: record %d is %s, in memory %s\n%s\n%s", e.name, rec, got, want[rec], f.Formula, text)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", e.name, err, f.Formula, text)
		}
		if n != len(want) {
			t.Fatalf("%s: %d rows, not %d\n%s", e.name, n, len(want), f.Formula)
		}
	}
	for _, e := range l.records {
		ask(e, false)
	}
	for _, e := range l.analytic {
		ask(e, true)
	}
}

func printed(v any) string {
	switch x := v.(type) {
	case nil:
		return "blank"
	case []byte:
		return string(x)
	case time.Time:
		return x.String()
	case sql.NullInt64:
		return fmt.Sprint(x.Int64)
	}
	return strings.TrimSpace(fmt.Sprintf("%v ", v))
}
