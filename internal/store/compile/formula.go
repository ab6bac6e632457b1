package compile

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Formulas. On SQLite an expression is one call of the function guanxi_formula(program, column, …), which the store registers:
// it is the evaluator of package formula itself. PostgreSQL and DuckDB get plain SQL: every result is a bigint, text or boolean;
// arithmetic runs in numeric or hugeint and comes back through bounded, which makes NULL of what is too large. Constants stand in
// the text, since an expression may stand several times: numbers as digits, texts as hexadecimal digits.

// FormulaFunction is the function that SQLite needs: guanxi_formula(program, columns…), see formula.Read.
const FormulaFunction = "guanxi_formula"

const (
	most  = "9223372036854775808"
	least = "-9223372036854775809"
	epoch = "DATE '1970-01-01'"
)

// formula is the expression of a computed field, reached over relations.
func (b *builder) formula(s *scope, hops []query.Hop, p *formula.Program) (string, error) {
	if p == nil {
		return "CAST(NULL AS BIGINT)", nil
	}
	reach := func(r *formula.Ref) (string, error) {
		all := append(append([]query.Hop{}, hops...), r.Hops...)
		return b.reach(s, all, r.Field, r.Role)
	}
	if b.dialect.engine() == sqliteEngine {
		return b.called(p, reach)
	}
	zone := b.env.Zone
	w := &formulaText{duck: b.dialect.engine() == duckEngine, reach: reach, exp: money.Exponent(orCNY(b.env.Base)), now: b.env.Now.UnixMilli()}
	if zone != nil {
		w.today = int64(clock.DayOf(b.env.Now, zone))
	}
	return w.expr(p.Root)
}

func orCNY(base string) string {
	if base == "" {
		return "CNY"
	}
	return base
}

func (b *builder) called(p *formula.Program, reach func(*formula.Ref) (string, error)) (string, error) {
	wire, err := p.Wire(&formula.Env{Now: b.env.Now, Zone: b.env.Zone, Base: b.env.Base})
	if err != nil {
		return "", fmt.Errorf("formula: %w", err)
	}
	var t strings.Builder
	t.WriteString(FormulaFunction + "(CAST(X'" + hex.EncodeToString(wire) + "' AS TEXT)")
	for _, r := range p.Refs {
		x, err := reach(r)
		if err != nil {
			return "", err
		}
		t.WriteString(", " + x)
	}
	t.WriteByte(')')
	return t.String(), nil
}

// formulaText writes a program for PostgreSQL or DuckDB.
type formulaText struct {
	duck       bool
	reach      func(*formula.Ref) (string, error)
	exp        int
	today, now int64
	err        error
}

func (w *formulaText) expr(n *formula.Node) (string, error) {
	x := w.node(n)
	return x, w.err
}

func sqlType(k formula.Kind) string {
	switch k {
	case formula.Text, formula.Choice, formula.Region, formula.List:
		return "TEXT"
	case formula.Bool:
		return "BOOLEAN"
	}
	return "BIGINT"
}

func digits(n int64) string {
	if n < 0 {
		return "(" + strconv.FormatInt(n, 10) + ")"
	}
	return strconv.FormatInt(n, 10)
}

// text is a text constant, made of hexadecimal digits. A function that depends on the server's encoding would keep a cluster
// from sending the formula to its machines.
func (w *formulaText) text(s string) string {
	if w.duck {
		return "decode(unhex('" + hex.EncodeToString([]byte(s)) + "'))"
	}
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\+%06x`, r)
	}
	return "CAST(U&'" + b.String() + "' AS TEXT)"
}

// wide is a number in the type in which arithmetic runs.
func (w *formulaText) wide(x string) string {
	if w.duck {
		return "CAST(" + x + " AS HUGEINT)"
	}
	return "CAST(" + x + " AS NUMERIC)"
}

// bounded is a wide number as a bigint, NULL of what does not fit. In PostgreSQL LEAST and GREATEST pass NULL over, so NULL becomes
// the bound and then NULL. DuckDB writes NULLIF out with its first operand twice, which would grow by powers of two.
func (w *formulaText) bounded(x string) string {
	if w.duck {
		// The zero is not for the value: DuckDB compares a bare cast with a constant before the cast, where nothing overflows.
		return "(TRY_CAST(" + x + " AS BIGINT) | 0)"
	}
	return "CAST(nullif(nullif(GREATEST(LEAST(" + x + ", " + most + "), " + least + "), " + most + "), " + least + ") AS BIGINT)"
}

// between is a whole number between bounds, else NULL.
func (w *formulaText) between(x string, lo, hi int64) string {
	if w.duck {
		return "list_extract(list_filter([" + x + "], lambda n: n BETWEEN " + digits(lo) + " AND " + digits(hi) + "), 1)"
	}
	below, above := digits(lo-1), digits(hi+1)
	return "nullif(nullif(GREATEST(LEAST(" + x + ", " + above + "), " + below + "), " + above + "), " + below + ")"
}

// within is a day between the years 1 and 9999, else NULL.
func (w *formulaText) within(x string) string { return w.between(x, -719162, 2932896) }

// filled is a text, NULL for an empty one.
func (w *formulaText) filled(x string) string {
	if w.duck {
		return "list_extract(list_filter([" + x + "], lambda s: s <> ''), 1)"
	}
	return "nullif(" + x + ", '')"
}

// nonzero is a divisor; DuckDB makes NULL of a division by zero.
func (w *formulaText) nonzero(x string) string {
	if w.duck {
		return "(" + x + ")"
	}
	return "nullif(" + x + ", 0)"
}

func power(n int) string { return "1" + strings.Repeat("0", n) }

// drop takes the last digits off a wide number.
func (w *formulaText) drop(x string, n int, how string) string {
	if n == 0 {
		return x
	}
	if !w.duck {
		part := x + " * 0." + strings.Repeat("0", n-1) + "1"
		switch how {
		case "round":
			return "round(" + part + ")"
		case "floor":
			return "floor(" + part + ")"
		case "ceil":
			return "ceil(" + part + ")"
		}
		return "trunc(" + part + ")"
	}
	switch how {
	case "round":
		return "(round(" + x + ", -" + strconv.Itoa(n) + ") // " + power(n) + ")"
	case "floor":
		return w.floor(x, n)
	case "ceil":
		return "(-" + w.floor("-("+x+")", n) + ")"
	}
	return "((" + x + ") // " + power(n) + ")"
}

// floor shifts the number above zero before it divides, since // cuts off.
func (w *formulaText) floor(x string, n int) string {
	return "((" + x + " + CAST(" + power(19+n) + " AS HUGEINT)) // " + power(n) + " - CAST(" + power(19) + " AS HUGEINT))"
}

func (w *formulaText) all(nodes []*formula.Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = w.node(n)
	}
	return out
}

// holds is a condition that is never NULL.
func (w *formulaText) holds(n *formula.Node) string {
	switch n.Op {
	case "and", "or", "not", "isblank", "eq", "ne", "lt", "le", "gt", "ge", "contains", "bool":
		return w.node(n)
	}
	return "coalesce(" + w.node(n) + ", FALSE)"
}

func (w *formulaText) node(n *formula.Node) string {
	if w.err != nil {
		return "NULL"
	}
	switch n.Op {
	case "ref":
		x, err := w.reach(n.Ref)
		if err != nil {
			w.err = err
		}
		return x
	case "num":
		return "CAST(" + digits(n.Num) + " AS BIGINT)"
	case "bool":
		return strings.ToUpper(strconv.FormatBool(n.Num != 0))
	case "text":
		return w.text(n.Text)
	case "blank":
		return "CAST(NULL AS " + sqlType(n.Type.Kind) + ")"
	case "today":
		return "CAST(" + digits(w.today) + " AS BIGINT)"
	case "now":
		return "CAST(" + digits(w.now) + " AS BIGINT)"
	case "and", "or":
		parts := make([]string, len(n.Args))
		for i, a := range n.Args {
			parts[i] = w.holds(a)
		}
		return "(" + strings.Join(parts, " "+strings.ToUpper(n.Op)+" ") + ")"
	case "not":
		return "(NOT " + w.holds(n.Args[0]) + ")"
	case "if":
		return "CASE WHEN " + w.holds(n.Args[0]) + " THEN " + w.node(n.Args[1]) + " ELSE " + w.node(n.Args[2]) + " END"
	case "coalesce":
		return "coalesce(" + strings.Join(w.all(n.Args), ", ") + ")"
	case "isblank":
		return "((" + w.node(n.Args[0]) + ") IS NULL)"
	case "eq", "ne", "lt", "le", "gt", "ge":
		return w.compare(n)
	case "min", "max":
		fn := map[string]string{"min": "LEAST", "max": "GREATEST"}[n.Op]
		return fn + "(" + strings.Join(w.all(n.Args), ", ") + ")"
	case "cat", "left", "right", "mid", "len", "upper", "lower", "trim", "contains", "replace", "totext":
		return w.textual(n)
	case "date", "year", "month", "day", "weekday", "adddays", "addmonths", "daysbetween", "monthsbetween", "addms", "msbetween":
		return w.temporal(n)
	}
	return w.arithmetic(n)
}

func (w *formulaText) compare(n *formula.Node) string {
	a, b := w.node(n.Args[0]), w.node(n.Args[1])
	if n.Args[0].Type.Kind == formula.Text && n.Op != "eq" && n.Op != "ne" {
		a, b = "("+a+`) COLLATE "C"`, "("+b+`) COLLATE "C"`
	}
	op := map[string]string{"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}[n.Op]
	return "coalesce((" + a + ") " + op + " (" + b + "), FALSE)"
}

func (w *formulaText) arithmetic(n *formula.Node) string {
	args := w.all(n.Args)
	a := w.wide(args[0])
	switch n.Op {
	case "neg":
		return w.bounded("-" + a)
	case "abs":
		return w.bounded("abs(" + a + ")")
	case "as":
		return args[0]
	case "round", "floor", "ceil", "trunc":
		return w.rescaled(a, int(n.Num), n.Op)
	case "tomoney":
		return w.rescaled(a, w.exp-n.Args[0].Type.Scale, "round")
	case "amount":
		return w.rescaled(a, n.Type.Scale-w.exp, "round")
	case "quo":
		return w.quo(a, digits(n.Num))
	case "sum":
		return w.let(n.Args, args, func(args []string) string {
			parts := make([]string, len(args))
			for i, x := range args {
				parts[i] = "coalesce(" + w.wide(x) + ", 0)"
			}
			return "CASE WHEN coalesce(" + strings.Join(args, ", ") + ") IS NOT NULL THEN " + w.bounded(strings.Join(parts, " + ")) + " END"
		})
	case "mod":
		return w.let(n.Args, args, func(args []string) string {
			a, b := w.wide(args[0]), w.wide(args[1])
			return w.bounded("(" + a + " % " + w.nonzero(b) + " + " + b + ") % " + w.nonzero(b))
		})
	}
	return w.two(n, a, w.wide(args[1]))
}

// let gives a text its operands by name where they stand in it more than once, so that a text grows with its formula and no
// faster. What is a column or a constant stands for itself.
func (w *formulaText) let(nodes []*formula.Node, args []string, text func(args []string) string) string {
	names, parts := make([]string, len(args)), []string{}
	for i, n := range nodes {
		switch n.Op {
		case "ref", "num", "bool", "text", "blank", "today", "now":
			names[i] = args[i]
			continue
		}
		name := "a" + strconv.Itoa(i)
		names[i] = "v." + name
		if w.duck {
			parts = append(parts, name+" := "+args[i])
		} else {
			parts = append(parts, args[i]+" AS "+name)
		}
	}
	if len(parts) == 0 {
		return text(args)
	}
	if !w.duck {
		return "(SELECT " + text(names) + " FROM (SELECT " + strings.Join(parts, ", ") + " OFFSET 0) v)"
	}
	for i, name := range names { // a column inside the function is one of the row outside
		if !strings.HasPrefix(name, "v.a") {
			alias := "a" + strconv.Itoa(i)
			parts = append(parts, alias+" := "+name)
			names[i] = "v." + alias
		}
	}
	return "list_extract(list_transform([struct_pack(" + strings.Join(parts, ", ") + ")], lambda v: " + text(names) + "), 1)"
}

func (w *formulaText) rescaled(x string, by int, how string) string {
	switch {
	case by == 0:
		return "CAST(" + x + " AS BIGINT)"
	case by > 0:
		return w.bounded(x + " * " + power(by))
	}
	return w.bounded(w.drop(x, -by, how))
}

// quo divides whole numbers and cuts off.
func (w *formulaText) quo(a, b string) string {
	if w.duck {
		return w.bounded("(" + a + ") // (" + b + ")")
	}
	return w.bounded("div(" + a + ", " + b + ")")
}

func (w *formulaText) two(n *formula.Node, a, b string) string {
	t, ta, tb := n.Type, n.Args[0].Type, n.Args[1].Type
	isMoney := t.Kind == formula.Money
	switch n.Op {
	case "add":
		return w.bounded(a + " + " + b)
	case "sub":
		return w.bounded(a + " + " + w.wide(w.bounded("-"+b)))
	case "mul":
		by := ta.Scale + tb.Scale - t.Scale
		if isMoney {
			by = tb.Scale
		}
		return w.bounded(w.drop("("+a+" * "+b+")", by, "round"))
	}
	over := w.nonzero(b)
	if isMoney {
		return w.bounded(w.drop(w.cut(a+" * "+power(tb.Scale+4), over), 4, "round"))
	}
	by := t.Scale + tb.Scale - ta.Scale
	if ta.Kind == formula.Money {
		by = t.Scale
	}
	if by >= 0 {
		return w.bounded(w.cut(a+" * "+power(by), over))
	}
	return w.bounded(w.cut(a, over+" * "+power(-by)))
}

func (w *formulaText) cut(a, b string) string {
	if w.duck {
		return "((" + a + ") // (" + b + "))"
	}
	return "div(" + a + ", " + b + ")"
}

// small is a bigint as a count of characters, months or days: between bounds, NULL as the lower one.
func small(x, lo, hi string) string {
	return "CAST(LEAST(GREATEST(" + x + ", " + lo + "), " + hi + ") AS INTEGER)"
}

const manyCharacters = "10000000"

func (w *formulaText) textual(n *formula.Node) string {
	if n.Op == "totext" {
		return w.written(n)
	}
	args := w.all(n.Args)
	a := args[0]
	switch n.Op {
	case "cat":
		parts := make([]string, len(args))
		for i, x := range args {
			parts[i] = "coalesce(" + x + ", '')"
		}
		return w.filled(strings.Join(parts, " || "))
	case "len":
		return "coalesce(CAST(length(" + a + ") AS BIGINT), 0)"
	case "contains":
		return "coalesce(strpos(" + a + ", " + args[1] + ") > 0, FALSE)"
	case "replace":
		return w.let(n.Args, args, func(x []string) string {
			return "CASE WHEN (" + x[1] + ") IS NULL THEN " + x[0] + " ELSE " + w.filled("replace("+x[0]+", "+x[1]+", coalesce("+x[2]+", ''))") + " END"
		})
	case "upper":
		return "translate(" + a + ", 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')"
	case "lower":
		return "translate(" + a + ", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"
	case "trim":
		fn := "btrim"
		if w.duck {
			fn = "trim"
		}
		return w.filled(fn + "(" + a + ", " + w.text(" \t\n\r\u00a0\u3000") + ")")
	case "left":
		return w.filled("substr(" + a + ", 1, " + small(args[1], "0", manyCharacters) + ")")
	case "right":
		return w.filled("right(" + a + ", " + small(args[1], "0", manyCharacters) + ")")
	}
	return w.let(n.Args, args, func(x []string) string {
		return "CASE WHEN (" + x[1] + ") IS NOT NULL THEN " + w.filled("substr("+x[0]+", "+small(x[1], "1", manyCharacters)+", "+small(x[2], "0", manyCharacters)+")") + " END"
	})
}

func (w *formulaText) written(n *formula.Node) string {
	x, t := w.node(n.Args[0]), n.Args[0].Type
	scale := t.Scale
	switch t.Kind {
	case formula.Money:
		scale = w.exp
	case formula.Number:
	default:
		if w.duck {
			return "strftime(" + w.date(x) + ", '%Y-%m-%d')"
		}
		return w.let(n.Args, []string{x}, func(args []string) string {
			year, two := "CAST("+w.part("year", args[0])+" AS TEXT)", func(name string) string {
				return " || '-' || lpad(CAST(" + w.part(name, args[0]) + " AS TEXT), 2, '0')"
			}
			// to_char goes by the session's language, so that a cluster would not send it to its machines.
			return "(lpad(" + year + ", greatest(4, length(" + year + ")), '0')" + two("month") + two("day") + ")"
		})
	}
	if scale == 0 {
		return "CAST(" + x + " AS TEXT)"
	}
	unit := "0." + strings.Repeat("0", scale-1) + "1"
	if w.duck {
		return "CAST(CAST(" + x + " AS DECIMAL(19,0)) * CAST('" + unit + "' AS DECIMAL(" + strconv.Itoa(scale+1) + "," + strconv.Itoa(scale) + ")) AS TEXT)"
	}
	return "CAST(CAST(" + x + " AS NUMERIC) * " + unit + " AS TEXT)"
}

// date is a day as the database's own date.
func (w *formulaText) date(x string) string { return "(" + epoch + " + CAST(" + x + " AS INTEGER))" }

// later moves dates by 12,000 years, so that adding any number of months that months gives stays within what the databases
// can count: PostgreSQL begins in 4713 BC. The calendar repeats every 400 years, which are 146,097 days.
const (
	laterYears = "12000"
	laterDays  = "4382910"
)

func (w *formulaText) months(n string) string {
	n = "CAST(" + w.between(n, -120_000, 120_000) + " AS INTEGER)"
	if w.duck {
		return "to_months(" + n + ")"
	}
	return "make_interval(months => " + n + ")"
}

func (w *formulaText) part(name, x string) string {
	return "CAST(extract(" + name + " FROM " + w.date(x) + ") AS BIGINT)"
}

func (w *formulaText) temporal(n *formula.Node) string {
	args := w.all(n.Args)
	a := args[0]
	switch n.Op {
	case "year", "month", "day":
		return w.part(n.Op, a)
	case "weekday":
		return w.part("isodow", a)
	case "adddays":
		return "CAST(" + w.within(w.wide(a)+" + "+w.wide(args[1])) + " AS BIGINT)"
	case "addmonths":
		moved := "CAST(" + w.date(a) + " + " + laterDays + " + " + w.months(args[1]) + " AS DATE) - " + epoch
		return "CAST(" + w.within("("+moved+" - "+laterDays+")") + " AS BIGINT)"
	case "daysbetween":
		return "(" + args[1] + " - " + a + ")"
	case "addms":
		return w.bounded(w.wide(a) + " + " + w.wide(args[1]))
	case "msbetween":
		return w.quo(w.wide(w.bounded(w.wide(args[1])+" - "+w.wide(a))), digits(n.Num))
	case "monthsbetween":
		return w.let(n.Args, args, func(x []string) string { return w.monthsBetween(x[0], x[1]) })
	}
	year := "CAST(" + w.between(a, 1, 9999) + " AS INTEGER)"
	first := "CAST(make_date(" + year + " + " + laterYears + ", 1, 1) + " + w.months("("+args[1]+") - 1") + " AS DATE) - " + epoch + " - " + laterDays
	dom := w.between(args[2], -3_000_000, 3_000_000)
	return "CAST(" + w.within("("+first+" + "+dom+" - 1)") + " AS BIGINT)"
}

// monthsBetween counts whole months from the earlier day, with the sign of the direction.
func (w *formulaText) monthsBetween(a, b string) string {
	forward := func(x, y string) string {
		return "((" + w.part("year", y) + " - " + w.part("year", x) + ") * 12 + " + w.part("month", y) + " - " + w.part("month", x) +
			" - CASE WHEN " + w.part("day", y) + " < " + w.part("day", x) + " THEN 1 ELSE 0 END)"
	}
	return "CASE WHEN " + b + " >= " + a + " THEN " + forward(a, b) + " ELSE -" + forward(b, a) + " END"
}

// Sorting is the order of a list whose keys may be computed, with the joins that these need: to stand after the table t and any
// other joins. See SortKeys.
func Sorting(env Env, obj *schema.Object, sorts []schema.Sort, analytics bool) (keys []SortKey, joins string, err error) {
	b := sorter(env, analytics)
	s := newScope("t", obj)
	if keys, err = SortKeys(obj, sorts); err != nil {
		return nil, "", err
	}
	for i := range keys {
		if keys[i].Computed == nil {
			continue
		}
		if keys[i].Expr, err = b.formula(s, nil, formula.Of(keys[i].Computed)); err != nil {
			return nil, "", err
		}
		keys[i].Expr = "(" + keys[i].Expr + ")"
	}
	return keys, s.joined(b).text, nil
}

func sorter(env Env, analytics bool) *builder {
	d := env.Dialect
	if d == nil {
		d = SQLite{}
	}
	if analytics {
		d = analytic{columnar: env.Columnar}
	}
	return &builder{dialect: d, registry: env.Registry, env: env, analytics: analytics, aliases: sortAliases}
}

// sortAliases keeps the aliases of an order apart from those of the condition in the same statement.
const sortAliases = 100_000

// ExpressionOf is the expression of one computed field, which need not be among the fields of the object, with its joins.
func ExpressionOf(env Env, obj *schema.Object, f *schema.Field, analytics bool) (expr, joins string, err error) {
	b := sorter(env, analytics)
	s := newScope("t", obj)
	if expr, err = b.formula(s, nil, formula.Of(f)); err != nil {
		return "", "", err
	}
	return expr, s.joined(b).text, nil
}
