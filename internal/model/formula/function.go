package formula

import (
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Function describes a function to an editor.
type Function struct {
	Name  string `json:"name"`
	Group string `json:"group"` // logic, text, date, number
	Args  string `json:"args"`  // their names, "…" for more of the same
}

// Functions are all functions in the order in which an editor offers them.
func Functions() []Function {
	return []Function{
		{"IF", "logic", "condition, then, else"}, {"IFS", "logic", "condition, value, …, else"}, {"SWITCH", "logic", "value, case, result, …, else"},
		{"AND", "logic", "condition, …"}, {"OR", "logic", "condition, …"}, {"NOT", "logic", "condition"}, {"ISBLANK", "logic", "value"},
		{"COALESCE", "logic", "value, …"},
		{"CONCAT", "text", "text, …"}, {"LEFT", "text", "text, count"}, {"RIGHT", "text", "text, count"}, {"MID", "text", "text, start, count"},
		{"LEN", "text", "text"}, {"UPPER", "text", "text"}, {"LOWER", "text", "text"}, {"TRIM", "text", "text"}, {"CONTAINS", "text", "text, part"},
		{"REPLACE", "text", "text, old, new"}, {"TEXT", "text", "value"},
		{"TODAY", "date", ""}, {"NOW", "date", ""}, {"DATE", "date", "year, month, day"}, {"YEAR", "date", "date"}, {"MONTH", "date", "date"},
		{"DAY", "date", "date"}, {"WEEKDAY", "date", "date"}, {"DATEVALUE", "date", "time"}, {"DATEADD", "date", "date, count, unit"},
		{"DATEDIFF", "date", "from, to, unit"}, {"DAYS", "date", "to, from"}, {"EDATE", "date", "date, months"},
		{"ROUND", "number", "number, digits"}, {"FLOOR", "number", "number, digits"}, {"CEILING", "number", "number, digits"}, {"ABS", "number", "number"},
		{"MIN", "number", "value, …"}, {"MAX", "number", "value, …"}, {"SUM", "number", "number, …"}, {"MOD", "number", "number, divisor"},
		{"AMOUNT", "number", "money"},
	}
}

// maxArgs is how many arguments a function takes at most.
const maxArgs = 100

func (c *checker) arguments(s *Syntax, least, most int) bool {
	if n := len(s.args); n >= least && n <= most {
		return true
	}
	c.fail("argument_count", s, fault.Params{"function": s.text, "least": least, "most": most, "given": len(s.args)})
	return false
}

func (c *checker) call(s *Syntax) *Node {
	switch s.text {
	case "AND", "OR", "NOT", "ISBLANK", "COALESCE", "IF", "IFS", "SWITCH":
		return c.logic(s)
	case "CONCAT", "CONCATENATE", "LEFT", "RIGHT", "MID", "LEN", "UPPER", "LOWER", "TRIM", "CONTAINS", "REPLACE", "SUBSTITUTE", "TEXT":
		return c.textual(s)
	case "TODAY", "NOW", "DATE", "YEAR", "MONTH", "DAY", "WEEKDAY", "DATEVALUE", "DATEADD", "DATEDIFF", "DAYS", "EDATE":
		return c.temporal(s)
	case "ROUND", "FLOOR", "CEILING", "ABS", "MIN", "MAX", "SUM", "MOD", "AMOUNT":
		return c.numeric(s)
	}
	return c.fail("unknown_function", s, fault.Params{"function": s.text})
}

func (c *checker) each(s *Syntax, check func(*Syntax) *Node) ([]*Node, bool) {
	out := make([]*Node, len(s.args))
	ok := true
	for i, a := range s.args {
		out[i] = check(a)
		ok = ok && out[i] != nil
	}
	return out, ok
}

func (c *checker) logic(s *Syntax) *Node {
	truth := Type{Kind: Bool}
	switch s.text {
	case "AND", "OR":
		if !c.arguments(s, 1, maxArgs) {
			return nil
		}
		args, ok := c.each(s, c.truth)
		if !ok {
			return nil
		}
		return &Node{Op: strings.ToLower(s.text), Args: args, Type: truth}
	case "NOT":
		if !c.arguments(s, 1, 1) {
			return nil
		}
		args, ok := c.each(s, c.truth)
		if !ok {
			return nil
		}
		return &Node{Op: "not", Args: args, Type: truth}
	case "ISBLANK":
		if !c.arguments(s, 1, 1) {
			return nil
		}
		x := c.node(s.args[0])
		if x == nil {
			return nil
		}
		return &Node{Op: "isblank", Args: []*Node{x}, Type: truth}
	case "COALESCE":
		if !c.arguments(s, 1, maxArgs) {
			return nil
		}
		args, ok := c.each(s, c.node)
		if !ok {
			return nil
		}
		args, t, ok := c.alike(s, args, s.args)
		if !ok {
			return nil
		}
		return &Node{Op: "coalesce", Args: args, Type: t}
	case "IF":
		if !c.arguments(s, 2, 3) {
			return nil
		}
		return c.branches(s, []*Node{c.truth(s.args[0])}, s.args[1:2], s.args[2:])
	case "IFS":
		return c.ifs(s)
	}
	return c.choose(s)
}

func (c *checker) ifs(s *Syntax) *Node {
	if !c.arguments(s, 2, maxArgs) {
		return nil
	}
	var conditions []*Node
	var values []*Syntax
	rest := s.args
	for len(rest) >= 2 {
		conditions = append(conditions, c.truth(rest[0]))
		values, rest = append(values, rest[1]), rest[2:]
	}
	return c.branches(s, conditions, values, rest)
}

// choose is SWITCH: its value is compared with each case.
func (c *checker) choose(s *Syntax) *Node {
	if !c.arguments(s, 3, maxArgs) {
		return nil
	}
	var conditions []*Node
	var values []*Syntax
	rest := s.args[1:]
	for len(rest) >= 2 {
		eq := &Syntax{op: "=", args: []*Syntax{s.args[0], rest[0]}, from: s.from, to: rest[0].to}
		conditions = append(conditions, c.compare(eq))
		values, rest = append(values, rest[1]), rest[2:]
	}
	return c.branches(s, conditions, values, rest)
}

// branches nests conditions and their values; otherwise is what is left, nothing for blank.
func (c *checker) branches(s *Syntax, conditions []*Node, values, otherwise []*Syntax) *Node {
	from := append(append([]*Syntax{}, values...), otherwise...)
	nodes := make([]*Node, len(from))
	ok := true
	for i, v := range from {
		nodes[i] = c.node(v)
		ok = ok && nodes[i] != nil
	}
	for _, cond := range conditions {
		ok = ok && cond != nil
	}
	if !ok {
		return nil
	}
	args, t, ok := c.alike(s, nodes, from)
	if !ok {
		return nil
	}
	out := &Node{Op: "blank", Type: t}
	if len(otherwise) > 0 {
		out = args[len(args)-1]
	}
	for i := len(conditions) - 1; i >= 0; i-- {
		out = &Node{Op: "if", Args: []*Node{conditions[i], args[i], out}, Type: t}
	}
	return out
}

// whole asks for a number and cuts its decimals off.
func (c *checker) whole(s *Syntax) *Node {
	n := c.number(s)
	if n == nil {
		return nil
	}
	return rescale(n, 0, "trunc")
}

func (c *checker) textual(s *Syntax) *Node {
	least, most := 1, 1
	switch s.text {
	case "CONCAT", "CONCATENATE":
		s.text = "CONCAT"
		most = maxArgs
	case "LEFT", "RIGHT", "CONTAINS":
		least, most = 2, 2
	case "MID", "REPLACE", "SUBSTITUTE":
		least, most = 3, 3
	}
	if !c.arguments(s, least, most) {
		return nil
	}
	args := make([]*Node, len(s.args))
	for i, a := range s.args {
		if i > 0 && (s.text == "LEFT" || s.text == "RIGHT" || s.text == "MID") {
			args[i] = c.whole(a)
		} else {
			args[i] = c.text(a)
		}
		if args[i] == nil {
			return nil
		}
	}
	t := Type{Kind: Text}
	switch s.text {
	case "CONCAT":
		return &Node{Op: "cat", Args: args, Type: t}
	case "TEXT":
		return args[0]
	case "LEN":
		t = Type{Kind: Number}
	case "CONTAINS":
		t = Type{Kind: Bool}
	case "SUBSTITUTE":
		s.text = "REPLACE"
	}
	return &Node{Op: strings.ToLower(s.text), Args: args, Type: t}
}

func (c *checker) temporal(s *Syntax) *Node {
	least, most := 1, 1
	switch s.text {
	case "TODAY", "NOW":
		least, most = 0, 0
	case "DATE", "DATEADD", "DATEDIFF":
		least, most = 3, 3
	case "DAYS", "EDATE":
		least, most = 2, 2
	}
	if !c.arguments(s, least, most) {
		return nil
	}
	switch s.text {
	case "TODAY":
		return &Node{Op: "today", Type: Type{Kind: Date}}
	case "NOW":
		return &Node{Op: "now", Type: Type{Kind: Instant}}
	case "DATE":
		args, ok := c.each(s, c.whole)
		if !ok {
			return nil
		}
		return &Node{Op: "date", Args: args, Type: Type{Kind: Date}}
	case "DATEADD":
		return c.dateAdd(s)
	case "DATEDIFF":
		return c.dateDiff(s)
	case "DAYS":
		to, from := c.date(s.args[0]), c.date(s.args[1])
		if to == nil || from == nil {
			return nil
		}
		return &Node{Op: "daysbetween", Args: []*Node{from, to}, Type: Type{Kind: Number}}
	case "EDATE":
		d, n := c.date(s.args[0]), c.whole(s.args[1])
		if d == nil || n == nil {
			return nil
		}
		return &Node{Op: "addmonths", Args: []*Node{d, n}, Type: Type{Kind: Date}}
	}
	d := c.date(s.args[0])
	if d == nil || s.text == "DATEVALUE" {
		return d
	}
	return &Node{Op: strings.ToLower(s.text), Args: []*Node{d}, Type: Type{Kind: Number}}
}

// unit reads the unit of a span of time, which must be written out.
func (c *checker) unit(s *Syntax) string {
	if s.op == "text" {
		switch u := strings.ToLower(strings.TrimSuffix(strings.ToLower(s.text), "s")); u {
		case "day", "week", "month", "quarter", "year", "hour", "minute":
			s.text = u
			return u
		case "天", "日":
			s.text = "day"
		case "周", "星期":
			s.text = "week"
		case "月":
			s.text = "month"
		case "季", "季度":
			s.text = "quarter"
		case "年":
			s.text = "year"
		case "小时", "时":
			s.text = "hour"
		case "分钟", "分":
			s.text = "minute"
		default:
			c.fail("bad_unit", s, fault.Params{"value": s.text})
			return ""
		}
		return s.text
	}
	c.fail("bad_unit", s, fault.Params{"value": ""})
	return ""
}

const (
	minuteMs = 60_000
	hourMs   = 60 * minuteMs
)

// times is a whole number multiplied by a constant.
func times(n *Node, by int64) *Node {
	if by == 1 {
		return n
	}
	return &Node{Op: "mul", Args: []*Node{n, {Op: "num", Num: by, Type: Type{Kind: Number}}}, Type: Type{Kind: Number}}
}

func (c *checker) dateAdd(s *Syntax) *Node {
	n, unit := c.whole(s.args[1]), c.unit(s.args[2])
	if n == nil || unit == "" {
		return nil
	}
	if unit == "hour" || unit == "minute" {
		at := c.of(s.args[0], "wants_time", Instant)
		if at == nil {
			return nil
		}
		by := int64(minuteMs)
		if unit == "hour" {
			by = hourMs
		}
		return &Node{Op: "addms", Args: []*Node{at, times(n, by)}, Type: Type{Kind: Instant}}
	}
	d := c.date(s.args[0])
	if d == nil {
		return nil
	}
	t := Type{Kind: Date}
	switch unit {
	case "day":
		return &Node{Op: "adddays", Args: []*Node{d, n}, Type: t}
	case "week":
		return &Node{Op: "adddays", Args: []*Node{d, times(n, 7)}, Type: t}
	}
	by := map[string]int64{"month": 1, "quarter": 3, "year": 12}[unit]
	return &Node{Op: "addmonths", Args: []*Node{d, times(n, by)}, Type: t}
}

func (c *checker) dateDiff(s *Syntax) *Node {
	unit := c.unit(s.args[2])
	if unit == "" {
		return nil
	}
	t := Type{Kind: Number}
	if unit == "hour" || unit == "minute" {
		a, b := c.of(s.args[0], "wants_time", Instant), c.of(s.args[1], "wants_time", Instant)
		if a == nil || b == nil {
			return nil
		}
		by := int64(minuteMs)
		if unit == "hour" {
			by = hourMs
		}
		return &Node{Op: "msbetween", Args: []*Node{a, b}, Num: by, Type: t}
	}
	a, b := c.date(s.args[0]), c.date(s.args[1])
	if a == nil || b == nil {
		return nil
	}
	switch unit {
	case "day", "week":
		n := &Node{Op: "daysbetween", Args: []*Node{a, b}, Type: t}
		if unit == "week" {
			return &Node{Op: "quo", Args: []*Node{n}, Num: 7, Type: t}
		}
		return n
	}
	n := &Node{Op: "monthsbetween", Args: []*Node{a, b}, Type: t}
	if by := map[string]int64{"month": 1, "quarter": 3, "year": 12}[unit]; by > 1 {
		return &Node{Op: "quo", Args: []*Node{n}, Num: by, Type: t}
	}
	return n
}

func (c *checker) numeric(s *Syntax) *Node {
	switch s.text {
	case "ROUND", "FLOOR", "CEILING":
		return c.rounding(s)
	case "ABS", "AMOUNT":
		if !c.arguments(s, 1, 1) {
			return nil
		}
		if s.text == "AMOUNT" {
			x := c.of(s.args[0], "wants_money", Money)
			if x == nil {
				return nil
			}
			return &Node{Op: "amount", Args: []*Node{x}, Type: Type{Kind: Number, Scale: exponentText}}
		}
		x := c.amount(s.args[0])
		if x == nil {
			return nil
		}
		return &Node{Op: "abs", Args: []*Node{x}, Type: plain(x.Type)}
	case "MOD":
		if !c.arguments(s, 2, 2) {
			return nil
		}
		args, ok := c.each(s, c.number)
		if !ok {
			return nil
		}
		args, t, ok := c.alike(s, args, s.args)
		if !ok {
			return nil
		}
		return &Node{Op: "mod", Args: args, Type: plain(t)}
	}
	if !c.arguments(s, 1, maxArgs) {
		return nil
	}
	check := c.node
	if s.text == "SUM" {
		check = c.amount
	}
	args, ok := c.each(s, check)
	if !ok {
		return nil
	}
	args, t, ok := c.alike(s, args, s.args)
	if !ok {
		return nil
	}
	switch t.Kind {
	case Number, Money, Date, Instant:
	default:
		return c.fail("wants_amount", s, nil)
	}
	if s.text == "SUM" {
		t = plain(t)
	}
	return &Node{Op: strings.ToLower(s.text), Args: args, Type: t}
}

// rounding is ROUND, FLOOR or CEILING to a number of decimals that is written out, none when left out. Negative ones round to
// tens, hundreds and so on.
func (c *checker) rounding(s *Syntax) *Node {
	if !c.arguments(s, 1, 2) {
		return nil
	}
	x := c.number(s.args[0])
	digits := 0
	if len(s.args) == 2 {
		d, sign := s.args[1], 1
		if d.op == "neg" {
			d, sign = d.args[0], -1
		}
		n, err := strconv.Atoi(d.text)
		if d.op != "num" || err != nil || n > maxScale {
			return c.fail("wants_literal", s.args[1], fault.Params{"max": maxScale})
		}
		digits = n * sign
	}
	if x == nil {
		return nil
	}
	how := map[string]string{"ROUND": "round", "FLOOR": "floor", "CEILING": "ceil"}[s.text]
	t := Type{Kind: Number, Scale: max(digits, 0)}
	if x.Type.Scale <= digits {
		out := rescale(x, x.Type.Scale, how)
		out.Type = plain(out.Type)
		return out
	}
	if digits >= 0 {
		out := rescale(x, digits, how)
		out.Type = t
		return out
	}
	tens := &Node{Op: how, Args: []*Node{x}, Num: int64(digits - x.Type.Scale), Type: t}
	return &Node{Op: "round", Args: []*Node{tens}, Num: int64(-digits), Type: t}
}
