package formula

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Env is when and where a formula is evaluated.
type Env struct {
	Now  time.Time
	Zone *time.Location
	Base string // base currency, "CNY" when empty
}

// Source gives stored columns of the record that a formula is about and of those its relations lead to: int64, string, bool
// or nil. Of money the roles Main, Currency and Base are asked.
type Source interface {
	Column(r *Ref, role schema.Role) any
}

// Value is the result of an expression; not OK is blank.
type Value struct {
	OK     bool
	N      int64  // number, base amount, day, instant, id; 1 for true
	S      string // text, choice, region, list
	Amount int64  // of money, in minor units of Currency
	// Currency is "" where only the base amount is known. A value with a currency may lack its base amount: OK is false then.
	Currency string
}

// Eval evaluates the formula for one record.
func (p *Program) Eval(env *Env, src Source) Value {
	m := newMachine(env)
	m.get = func(n *Node) Value { return fetch(n, src) }
	return m.eval(p.Root)
}

// Bool evaluates a rule: blank is false.
func (p *Program) Bool(env *Env, src Source) bool {
	v := p.Eval(env, src)
	return v.OK && v.N != 0
}

func newMachine(env *Env) *machine {
	m := &machine{base: env.Base, now: env.Now.UnixMilli()}
	if m.base == "" {
		m.base = "CNY"
	}
	zone := env.Zone
	if zone == nil {
		zone = time.UTC
	}
	m.exp, m.today = money.Exponent(m.base), int64(clock.DayOf(env.Now, zone))
	return m
}

func fetch(n *Node, src Source) Value {
	v := stored(n.Type.Kind, src.Column(n.Ref, n.Ref.Role))
	if n.Type.Kind == Money {
		if a, ok := src.Column(n.Ref, schema.Main).(int64); ok {
			v.Amount = a
			v.Currency, _ = src.Column(n.Ref, schema.Currency).(string)
		}
	}
	return v
}

// stored reads a column.
func stored(k Kind, v any) Value {
	switch x := v.(type) {
	case int64:
		return Value{OK: true, N: x}
	case id.ID:
		return Value{OK: true, N: int64(x)}
	case bool:
		return Value{OK: true, N: boolInt(x)}
	case string:
		return Value{OK: x != "", S: x}
	case []byte:
		return Value{OK: len(x) > 0, S: string(x)}
	}
	_ = k
	return Value{}
}

// Column is the stored form of a value in a column of its field: int64, string, bool or nil.
func (v Value) Column(k Kind, role schema.Role) any {
	if k == Money {
		switch {
		case role == schema.Currency && v.Currency != "":
			return v.Currency
		case role == schema.Main && v.Currency != "":
			return v.Amount
		}
		if role == schema.Currency {
			return nil
		}
	}
	if !v.OK {
		return nil
	}
	switch k {
	case Text, Choice, Region, List:
		return v.S
	case Bool:
		return v.N != 0
	}
	return v.N
}

// Canonical is a value in the form of package schema for a field, nil for blank. base is the base currency.
func (v Value) Canonical(f *schema.Field, k Kind, base string) any {
	if k == Money {
		switch {
		case v.Currency != "":
			return money.Money{Amount: v.Amount, Currency: v.Currency}
		case v.OK:
			return money.Money{Amount: v.N, Currency: base}
		}
		return nil
	}
	col := v.Column(k, schema.Main)
	if col == nil {
		return nil
	}
	return schema.Decode(f, []any{col, nil, nil})
}

// machine evaluates nodes.
type machine struct {
	base       string
	exp        int
	today, now int64
	get        func(*Node) Value
}

func number(n int64, ok bool) Value { return Value{OK: ok, N: n} }
func truth(b bool) Value            { return Value{OK: true, N: boolInt(b)} }
func text(s string) Value           { return Value{OK: s != "", S: s} }

func (m *machine) eval(n *Node) Value {
	switch n.Op {
	case "ref":
		return m.get(n)
	case "num", "bool":
		return Value{OK: true, N: n.Num}
	case "text":
		return text(n.Text)
	case "today":
		return number(m.today, true)
	case "now":
		return number(m.now, true)
	case "and":
		for _, a := range n.Args {
			if !m.holds(a) {
				return truth(false)
			}
		}
		return truth(true)
	case "or":
		for _, a := range n.Args {
			if m.holds(a) {
				return truth(true)
			}
		}
		return truth(false)
	case "not":
		return truth(!m.holds(n.Args[0]))
	case "if":
		if m.holds(n.Args[0]) {
			return m.eval(n.Args[1])
		}
		return m.eval(n.Args[2])
	case "coalesce":
		for _, a := range n.Args {
			if v := m.eval(a); v.OK || v.Currency != "" {
				return v
			}
		}
		return Value{}
	case "isblank":
		return truth(!m.eval(n.Args[0]).OK)
	case "eq", "ne", "lt", "le", "gt", "ge":
		return truth(m.compare(n))
	case "cat", "left", "right", "mid", "len", "upper", "lower", "trim", "contains", "replace", "totext":
		return m.textual(n)
	case "date", "year", "month", "day", "weekday", "adddays", "addmonths", "daysbetween", "monthsbetween", "addms", "msbetween":
		return m.temporal(n)
	case "min", "max", "sum":
		return m.several(n)
	case "blank":
		return Value{}
	}
	return m.arithmetic(n)
}

func (m *machine) holds(n *Node) bool {
	v := m.eval(n)
	return v.OK && v.N != 0
}

func (m *machine) compare(n *Node) bool {
	a, b := m.eval(n.Args[0]), m.eval(n.Args[1])
	if !a.OK || !b.OK {
		return false
	}
	c := 0
	switch n.Args[0].Type.Kind {
	case Text, Choice, Region, List:
		c = strings.Compare(a.S, b.S)
	default:
		switch {
		case a.N < b.N:
			c = -1
		case a.N > b.N:
			c = 1
		}
	}
	switch n.Op {
	case "eq":
		return c == 0
	case "ne":
		return c != 0
	case "lt":
		return c < 0
	case "le":
		return c <= 0
	case "gt":
		return c > 0
	}
	return c >= 0
}

// money carries an operation over to the amount as it was entered.
func keep(v Value, currency string, amount int64, ok bool) Value {
	if ok && currency != "" {
		v.Amount, v.Currency = amount, currency
	}
	return v
}

func (m *machine) arithmetic(n *Node) Value {
	a := m.eval(n.Args[0])
	if len(n.Args) == 2 {
		return m.two(n, a, m.eval(n.Args[1]))
	}
	isMoney := n.Type.Kind == Money
	switch n.Op {
	case "tomoney":
		if !a.OK {
			return Value{}
		}
		v, ok := scaled(a.N, m.exp-n.Args[0].Type.Scale, "round")
		return keep(number(v, ok), m.base, v, ok)
	case "amount":
		if !a.OK {
			return Value{}
		}
		return number(scaled(a.N, exponentText-m.exp, "round"))
	}
	one := func(x int64) (int64, bool) {
		switch n.Op {
		case "neg":
			return negate(x)
		case "abs":
			return abs(x)
		case "quo":
			return x / n.Num, true
		case "as":
			return x, true
		}
		return scaled(x, int(n.Num), n.Op)
	}
	var out Value
	if a.OK {
		out = number(one(a.N))
	}
	if isMoney && a.Currency != "" {
		v, ok := one(a.Amount)
		out = keep(out, a.Currency, v, ok)
	}
	return out
}

func (m *machine) two(n *Node, a, b Value) Value {
	t, ta, tb := n.Type, n.Args[0].Type, n.Args[1].Type
	op := func(x, y int64) (int64, bool) {
		switch {
		case n.Op == "add":
			return add(x, y)
		case n.Op == "sub":
			y, ok := negate(y)
			if !ok {
				return 0, false
			}
			return add(x, y)
		case n.Op == "mod":
			return modulo(x, y)
		case n.Op == "mul" && t.Kind == Money:
			return product(x, y, tb.Scale)
		case n.Op == "mul":
			return product(x, y, ta.Scale+tb.Scale-t.Scale)
		case t.Kind == Money:
			return amountQuotient(x, y, tb.Scale)
		case ta.Kind == Money:
			return quotient(x, y, t.Scale)
		}
		return quotient(x, y, t.Scale+tb.Scale-ta.Scale)
	}
	var out Value
	if a.OK && b.OK {
		out = number(op(a.N, b.N))
	}
	switch {
	case t.Kind != Money || a.Currency == "":
	case tb.Kind == Number && b.OK:
		v, ok := op(a.Amount, b.N)
		out = keep(out, a.Currency, v, ok)
	case tb.Kind == Money && b.Currency == a.Currency:
		v, ok := op(a.Amount, b.Amount)
		out = keep(out, a.Currency, v, ok)
	}
	return out
}

func (m *machine) several(n *Node) Value {
	var out Value
	for _, arg := range n.Args {
		v := m.eval(arg)
		switch {
		case !v.OK:
		case !out.OK:
			out = v
			if n.Op == "sum" && n.Type.Kind != Money {
				out = Value{OK: true, N: v.N}
			}
		case n.Op == "min" && v.N < out.N, n.Op == "max" && v.N > out.N:
			out = v
		}
	}
	if n.Op != "sum" || !out.OK {
		return out
	}
	return m.sum(n)
}

// sum is exact however large it is in between; of amounts in one currency the currency stays.
func (m *machine) sum(n *Node) Value {
	total, amounts := new(wideInt), new(wideInt)
	currency, mixed := "", false
	for _, arg := range n.Args {
		v := m.eval(arg)
		if !v.OK {
			continue
		}
		total.add(v.N)
		amounts.add(v.Amount)
		if v.Currency == "" || currency != "" && v.Currency != currency {
			mixed = true
		}
		currency = v.Currency
	}
	out := number(total.int64())
	if !mixed {
		v, ok := amounts.int64()
		out = keep(out, currency, v, ok)
	}
	return out
}

func (m *machine) temporal(n *Node) Value {
	args := make([]int64, len(n.Args))
	for i, a := range n.Args {
		v := m.eval(a)
		if !v.OK {
			return Value{}
		}
		args[i] = v.N
	}
	switch n.Op {
	case "date":
		return number(dateOf(args[0], args[1], args[2]))
	case "adddays":
		if args[1] > maxDay-minDay || args[1] < minDay-maxDay {
			return Value{}
		}
		return number(day(args[0] + args[1]))
	case "addmonths":
		return number(addMonths(args[0], args[1]))
	case "daysbetween":
		return number(args[1]-args[0], true)
	case "monthsbetween":
		return number(monthsBetween(args[0], args[1]), true)
	case "addms":
		return number(add(args[0], args[1]))
	case "msbetween":
		d, ok := add(args[1], -args[0])
		return number(d/n.Num, ok)
	case "weekday":
		return number(weekday(args[0]), true)
	}
	y, month, dom := civil(args[0])
	switch n.Op {
	case "year":
		return number(int64(y), true)
	case "month":
		return number(int64(month), true)
	}
	return number(int64(dom), true)
}

// blanks are the characters that TRIM takes off both ends.
const blanks = " \t\n\r\u00a0\u3000"

func (m *machine) textual(n *Node) Value {
	if n.Op == "totext" {
		return m.written(n)
	}
	args := make([]Value, len(n.Args))
	for i, a := range n.Args {
		args[i] = m.eval(a)
	}
	a := args[0]
	switch n.Op {
	case "cat":
		var b strings.Builder
		for _, v := range args {
			b.WriteString(v.S)
		}
		return text(b.String())
	case "len":
		return number(int64(utf8.RuneCountInString(a.S)), true)
	case "contains":
		return truth(a.OK && args[1].OK && strings.Contains(a.S, args[1].S))
	case "replace":
		if !args[1].OK {
			return a
		}
		return text(strings.ReplaceAll(a.S, args[1].S, args[2].S))
	case "upper":
		return text(strings.Map(upper, a.S))
	case "lower":
		return text(strings.Map(lower, a.S))
	case "trim":
		return text(strings.Trim(a.S, blanks))
	}
	r := []rune(a.S)
	size := func(v Value) int { return int(min(max(v.N*boolInt(v.OK), 0), int64(len(r)))) }
	switch n.Op {
	case "left":
		return text(string(r[:size(args[1])]))
	case "right":
		return text(string(r[len(r)-size(args[1]):]))
	}
	if !args[1].OK {
		return Value{}
	}
	from := int(min(max(args[1].N, 1)-1, int64(len(r))))
	return text(string(r[from:min(from+size(args[2]), len(r))]))
}

func upper(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

func lower(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r - 'A' + 'a'
	}
	return r
}

// written writes a number with its decimals, an amount of the base currency, or a date.
func (m *machine) written(n *Node) Value {
	v := m.eval(n.Args[0])
	if !v.OK {
		return Value{}
	}
	switch t := n.Args[0].Type; t.Kind {
	case Money:
		return text(money.FormatScaled(v.N, m.exp))
	case Number:
		return text(money.FormatScaled(v.N, t.Scale))
	}
	return text(clock.Day(v.N).String()) //nolint:gosec // a day of the years 1 to 9999
}
