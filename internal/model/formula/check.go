package formula

import (
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// CheckEnv is what a formula is checked against.
type CheckEnv struct {
	Registry *schema.Registry
	Object   *schema.Object
	Self     string // key of the computed field itself, "" for a rule
	// Can reports whether the writer of the formula may read a field (an object when the field is empty); nil allows all.
	Can func(object, field string) bool

	// linking makes the program of another computed field while a registry is put together.
	linking func(o *schema.Object, f *schema.Field) (*Program, bool)
}

// Check gives the program of a source text, or all that is wrong with it.
//
// Codes: formula.too_long, empty, bad_sign, text_open, brace_open, paren_open, missing_value, unexpected, too_deep (as it is
// read); unknown_name, ambiguous_name, unreadable_field, forbidden_field, cycle, broken_field, unknown_function,
// argument_count, wants_number, wants_text, wants_date, wants_bool, wants_amount, wants_literal, types_differ, unknown_option, bad_unit,
// bad_number, bad_date, amount_by_amount, no_day, too_large, no_result.
func Check(source string, env CheckEnv) (*Program, []Problem) {
	s, bad := Parse(source)
	if bad != nil {
		return nil, []Problem{*bad}
	}
	c := &checker{env: env, names: map[*Syntax]string{}, prog: &Program{Object: env.Object}}
	root := c.node(s)
	if len(c.bad) == 0 {
		c.finish(root, s)
	}
	if len(c.bad) > 0 {
		return nil, c.bad
	}
	return c.prog, nil
}

// CheckRule is Check of a formula that must be true or false.
func CheckRule(source string, env CheckEnv) (*Program, []Problem) {
	p, bad := Check(source, env)
	if bad == nil && p.Root.Type.Kind != Bool {
		bad = []Problem{*problem("wants_bool", 0, len([]rune(source)), nil)}
		p = nil
	}
	return p, bad
}

type checker struct {
	env   CheckEnv
	prog  *Program
	names map[*Syntax]string
	bad   []Problem
}

func (c *checker) fail(code string, s *Syntax, params fault.Params) *Node {
	c.bad = append(c.bad, *problem(code, s.from, s.to, params))
	return nil
}

func (c *checker) finish(root *Node, s *Syntax) {
	if root == nil {
		return
	}
	if root.Type.Kind == Blank {
		c.fail("no_result", s, nil)
		return
	}
	if n := count(root); n > MaxNodes {
		c.fail("too_large", s, fault.Params{"max": MaxNodes})
		return
	}
	c.prog.Root = root
	c.prog.number(root)
	var b strings.Builder
	s.print(&b, 0, c.names)
	c.prog.Normal = b.String()
}

func count(n *Node) int {
	total := 1
	for _, a := range n.Args {
		total += count(a)
		if total > MaxNodes {
			break
		}
	}
	return total
}

// number gives every ref its place among the refs of the program and notes whether time plays a part.
func (p *Program) number(n *Node) {
	switch n.Op {
	case "today", "now":
		p.Volatile = true
	case "ref":
		i := slices.IndexFunc(p.Refs, func(r *Ref) bool { return same(r, n.Ref) })
		if i < 0 {
			i = len(p.Refs)
			p.Refs = append(p.Refs, n.Ref)
		}
		n.Index = i
	}
	for _, a := range n.Args {
		p.number(a)
	}
}

func same(a, b *Ref) bool {
	return a.Field == b.Field && a.Role == b.Role && slices.EqualFunc(a.Hops, b.Hops, func(x, y Hop) bool { return x.Field == y.Field })
}

func (c *checker) use(o *schema.Object, f *schema.Field, direct bool) {
	u := Use{o.Key, f.Key}
	if !slices.Contains(c.prog.Uses, u) {
		c.prog.Uses = append(c.prog.Uses, u)
	}
	if direct && !slices.Contains(c.prog.Direct, u) {
		c.prog.Direct = append(c.prog.Direct, u)
	}
}

// node checks an expression; nil when something is wrong with it, which has been noted.
func (c *checker) node(s *Syntax) *Node {
	switch s.op {
	case "num":
		return c.literal(s)
	case "text":
		if s.text == "" {
			return &Node{Op: "blank"}
		}
		return &Node{Op: "text", Text: s.text, Type: Type{Kind: Text}}
	case "name":
		return c.name(s)
	case "call":
		return c.call(s)
	case "neg":
		x := c.amount(s.args[0])
		if x == nil {
			return nil
		}
		if x.Op == "num" {
			return &Node{Op: "num", Num: -x.Num, Type: x.Type}
		}
		return &Node{Op: "neg", Args: []*Node{x}, Type: plain(x.Type)}
	case "%":
		x := c.number(s.args[0])
		if x == nil {
			return nil
		}
		out := *x
		if out.Type = plain(x.Type); x.Op == "num" {
			out.Type.Scale += 2
			return &out
		}
		return &Node{Op: "as", Args: []*Node{x}, Type: Type{Kind: Number, Scale: x.Type.Scale + 2}}
	case "and", "or":
		a, b := c.truth(s.args[0]), c.truth(s.args[1])
		if a == nil || b == nil {
			return nil
		}
		return &Node{Op: s.op, Args: []*Node{a, b}, Type: Type{Kind: Bool}}
	case "&":
		a, b := c.text(s.args[0]), c.text(s.args[1])
		if a == nil || b == nil {
			return nil
		}
		return &Node{Op: "cat", Args: []*Node{a, b}, Type: Type{Kind: Text}}
	case "+", "-":
		return c.sum(s)
	case "*", "/":
		return c.product(s)
	}
	return c.compare(s)
}

func (c *checker) literal(s *Syntax) *Node {
	whole, frac, _ := strings.Cut(s.text, ".")
	frac = strings.TrimRight(frac, "0")
	v, err := strconv.ParseInt("0"+whole+frac, 10, 64)
	if err != nil || len(frac) > maxScale || strings.Contains(frac, ".") || strings.HasSuffix(s.text, ".") {
		return c.fail("bad_number", s, fault.Params{"digits": maxScale})
	}
	return &Node{Op: "num", Num: v, Type: Type{Kind: Number, Scale: len(frac)}}
}

// plain is a type without what it was a field of: a sum of ratings is a number.
func plain(t Type) Type {
	t.Source = ""
	return t
}

// name finds a field over to-one relations, by keys or by labels.
func (c *checker) name(s *Syntax) *Node {
	if !s.quoted {
		switch strings.ToUpper(s.text) {
		case "TRUE", "FALSE":
			c.names[s] = strings.ToUpper(s.text)
			n := &Node{Op: "bool", Type: Type{Kind: Bool}}
			if c.names[s] == "TRUE" {
				n.Num = 1
			}
			return n
		case "BLANK":
			c.names[s] = "BLANK"
			return &Node{Op: "blank"}
		}
	}
	obj := c.env.Object
	var hops []Hop
	var keys []string
	parts := strings.Split(s.text, ".")
	for i, part := range parts {
		f := c.field(s, obj, strings.TrimSpace(part))
		if f == nil {
			return nil
		}
		if c.env.Can != nil && !c.env.Can(obj.Key, f.Key) {
			return c.fail("forbidden_field", s, fault.Params{"field": f.Label})
		}
		keys = append(keys, f.Key)
		if i == len(parts)-1 {
			c.names[s] = strings.Join(keys, ".")
			return c.column(s, hops, obj, f)
		}
		target := c.env.Registry.Object(f.Target)
		if f.Type != schema.Relation || f.Formula != "" || target == nil || target.Virtual || len(hops) == maxHops {
			return c.fail("unknown_name", s, fault.Params{"name": s.text, "object": obj.Label})
		}
		c.use(obj, f, true)
		hops = append(hops, Hop{f, target})
		obj = target
	}
	return nil
}

// field finds a field of an object by its key, else by its label in any language.
func (c *checker) field(s *Syntax, obj *schema.Object, name string) *schema.Field {
	if f := obj.Field(name); f != nil && !f.Hidden {
		return f
	}
	var found *schema.Field
	for _, f := range append(slices.Clone(obj.Fields), schema.Systems()...) {
		for _, l := range f.Label {
			if strings.EqualFold(l, name) && !f.Hidden {
				if found != nil && found != f {
					c.fail("ambiguous_name", s, fault.Params{"name": name, "object": obj.Label})
					return nil
				}
				found = f
			}
		}
	}
	if found == nil {
		c.fail("unknown_name", s, fault.Params{"name": name, "object": obj.Label})
	}
	return found
}

// column is the value of a field: a stored column, or another formula written out.
func (c *checker) column(s *Syntax, hops []Hop, obj *schema.Object, f *schema.Field) *Node {
	c.use(obj, f, true)
	if f.Formula != "" {
		return c.written(s, hops, obj, f)
	}
	t, role, ok := typeOf(f)
	if !ok {
		return c.fail("unreadable_field", s, fault.Params{"field": f.Label})
	}
	return &Node{Op: "ref", Type: t, Ref: &Ref{Hops: hops, Object: obj, Field: f, Role: role}}
}

func (c *checker) written(s *Syntax, hops []Hop, obj *schema.Object, f *schema.Field) *Node {
	if obj.Key == c.env.Object.Key && f.Key == c.env.Self {
		return c.fail("cycle", s, fault.Params{"field": f.Label})
	}
	var p *Program
	if c.env.linking != nil {
		var ok bool
		if p, ok = c.env.linking(obj, f); !ok {
			return c.fail("cycle", s, fault.Params{"field": f.Label})
		}
	} else {
		p = Of(f)
	}
	switch {
	case p == nil:
		return c.fail("broken_field", s, fault.Params{"field": f.Label})
	case slices.Contains(p.Uses, Use{c.env.Object.Key, c.env.Self}):
		return c.fail("cycle", s, fault.Params{"field": f.Label})
	}
	for _, u := range p.Uses {
		if !slices.Contains(c.prog.Uses, u) {
			c.prog.Uses = append(c.prog.Uses, u)
		}
	}
	n := moved(p.Root, hops)
	if n.Type.Kind == Number { // what the field shows is what others reckon with
		want := f.Scale
		if f.Type == schema.Percent {
			want += 2
		}
		n = rescale(n, want, "round")
		n.Type.Source = f.Type
	}
	return n
}

// moved is a tree seen over relations.
func moved(n *Node, hops []Hop) *Node {
	out := *n
	if n.Ref != nil {
		r := *n.Ref
		r.Hops = append(slices.Clone(hops), n.Ref.Hops...)
		out.Ref = &r
	}
	out.Args = make([]*Node, len(n.Args))
	for i, a := range n.Args {
		out.Args[i] = moved(a, hops)
	}
	return &out
}

// rescale brings a number to a scale; how says what becomes of digits that are dropped: round, floor, ceil or trunc.
func rescale(n *Node, scale int, how string) *Node {
	t := Type{Kind: Number, Scale: scale, Source: n.Type.Source}
	d := scale - n.Type.Scale
	switch {
	case d == 0:
		out := *n
		return &out
	case n.Op == "num" && d > 0:
		if v, ok := scaled(n.Num, d, how); ok {
			return &Node{Op: "num", Num: v, Type: t}
		}
	}
	if d > 0 {
		how = "round"
	}
	return &Node{Op: how, Args: []*Node{n}, Num: int64(d), Type: t}
}

// of checks an expression and asks for one of some kinds; a blank is of any kind.
func (c *checker) of(s *Syntax, code string, kinds ...Kind) *Node {
	n := c.node(s)
	if n == nil || n.Type.Kind == Blank {
		if n != nil {
			n.Type.Kind = kinds[0]
		}
		return n
	}
	if !slices.Contains(kinds, n.Type.Kind) {
		return c.fail(code, s, nil)
	}
	return n
}

func (c *checker) truth(s *Syntax) *Node  { return c.of(s, "wants_bool", Bool) }
func (c *checker) number(s *Syntax) *Node { return c.of(s, "wants_number", Number) }
func (c *checker) amount(s *Syntax) *Node { return c.of(s, "wants_amount", Number, Money) }

// date asks for a local day; that of an instant is taken.
func (c *checker) date(s *Syntax) *Node {
	n := c.node(s)
	switch {
	case n == nil:
	case n.Type.Kind == Date:
	case n.Type.Kind == Blank:
		n.Type.Kind = Date
	case n.Type.Kind == Instant:
		return c.day(s, n)
	case n.Op == "text":
		return c.dateText(s, n)
	default:
		return c.fail("wants_date", s, nil)
	}
	return n
}

func (c *checker) dateText(s *Syntax, n *Node) *Node {
	d, err := clock.ParseDay(n.Text)
	if err != nil {
		return c.fail("bad_date", s, fault.Params{"value": n.Text})
	}
	return &Node{Op: "num", Num: int64(d), Type: Type{Kind: Date}}
}

// day is the local day of an instant: it is stored beside every field of instants, so it is taken there.
func (c *checker) day(s *Syntax, n *Node) *Node {
	t := Type{Kind: Date}
	switch n.Op {
	case "ref":
		r := *n.Ref
		r.Role = schema.DayRole
		return &Node{Op: "ref", Ref: &r, Type: t}
	case "now":
		return &Node{Op: "today", Type: t}
	case "blank":
		return &Node{Op: "blank", Type: t}
	case "if", "coalesce", "min", "max":
		out := &Node{Op: n.Op, Type: t, Args: make([]*Node, len(n.Args))}
		for i, a := range n.Args {
			if n.Op == "if" && i == 0 {
				out.Args[i] = a
			} else if out.Args[i] = c.day(s, a); out.Args[i] == nil {
				return nil
			}
		}
		return out
	}
	return c.fail("no_day", s, nil)
}

// text asks for a text; numbers, amounts and dates are written out.
func (c *checker) text(s *Syntax) *Node {
	n := c.node(s)
	if n == nil {
		return nil
	}
	switch n.Type.Kind {
	case Text:
		return n
	case Blank:
		n.Type.Kind = Text
		return n
	case Number, Money, Date:
		return &Node{Op: "totext", Args: []*Node{n}, Type: Type{Kind: Text}}
	case Instant:
		if n = c.day(s, n); n == nil {
			return nil
		}
		return &Node{Op: "totext", Args: []*Node{n}, Type: Type{Kind: Text}}
	}
	return c.fail("wants_text", s, nil)
}

func (c *checker) sum(s *Syntax) *Node {
	a, b := c.node(s.args[0]), c.node(s.args[1])
	if a == nil || b == nil {
		return nil
	}
	op := "add"
	if s.op == "-" {
		op = "sub"
	}
	ka, kb := a.Type.Kind, b.Type.Kind
	switch {
	case ka == Instant && (kb == Number || kb == Date), ka == Date && kb == Instant:
		return c.fail("use_datediff", s, nil)
	case ka == Date && kb == Number:
		if b = rescale(b, 0, "trunc"); op == "sub" {
			b = &Node{Op: "neg", Args: []*Node{b}, Type: b.Type}
		}
		return &Node{Op: "adddays", Args: []*Node{a, b}, Type: Type{Kind: Date}}
	case ka == Date && kb == Date && op == "sub":
		return &Node{Op: "daysbetween", Args: []*Node{b, a}, Type: Type{Kind: Number}}
	}
	for i, n := range []*Node{a, b} {
		if k := n.Type.Kind; k != Number && k != Money && k != Blank {
			return c.fail("wants_amount", s.args[i], nil)
		}
	}
	args, t, ok := c.alike(s, []*Node{a, b}, s.args)
	if !ok {
		return nil
	}
	if t.Kind == Blank {
		t.Kind = Number
	}
	return &Node{Op: op, Args: args, Type: plain(t)}
}

func (c *checker) product(s *Syntax) *Node {
	a, b := c.amount(s.args[0]), c.amount(s.args[1])
	if a == nil || b == nil {
		return nil
	}
	am, bm := a.Type.Kind == Money, b.Type.Kind == Money
	if s.op == "*" {
		switch {
		case am && bm:
			return c.fail("amount_by_amount", s, nil)
		case bm:
			a, b, am = b, a, true
		}
		t := Type{Kind: Money}
		if !am {
			t = Type{Kind: Number, Scale: max(min(a.Type.Scale+b.Type.Scale, maxScale), a.Type.Scale, b.Type.Scale)}
		}
		return &Node{Op: "mul", Args: []*Node{a, b}, Type: t}
	}
	if bm && !am {
		return c.fail("amount_by_amount", s, nil)
	}
	t := Type{Kind: Number, Scale: max(maxScale, a.Type.Scale, b.Type.Scale)}
	if am && !bm {
		t = Type{Kind: Money}
	}
	return &Node{Op: "div", Args: []*Node{a, b}, Type: t}
}

// alike brings operands to one type. Blanks take it, numbers go to the largest scale, a plain number beside money becomes an amount,
// a text beside a choice one of its options, a text beside a date a date, and an instant beside a date its day.
func (c *checker) alike(at *Syntax, nodes []*Node, from []*Syntax) ([]*Node, Type, bool) {
	var t Type
	for _, n := range nodes {
		t = c.wider(t, n)
	}
	out := make([]*Node, len(nodes))
	for i, n := range nodes {
		place := at
		if i < len(from) {
			place = from[i]
		}
		if out[i] = c.into(place, n, t); out[i] == nil {
			return nil, t, false
		}
	}
	return out, t, true
}

// wider is the type that a value of t and n can both have.
func (c *checker) wider(t Type, n *Node) Type {
	k := n.Type.Kind
	switch {
	case k == Blank:
		return t
	case t.Kind == Blank:
		return n.Type
	case t.Kind == Number && k == Number:
		source := t.Source
		if source != n.Type.Source {
			source = ""
		}
		return Type{Kind: Number, Scale: max(t.Scale, n.Type.Scale), Source: source}
	case t.Kind == Number && k == Money, t.Kind == Text && (k == Choice || k == Date || k == Region), t.Kind == Instant && k == Date:
		return n.Type
	case t.Kind == Text && k == Instant:
		return Type{Kind: Date}
	}
	return t
}

// into makes a value of a type.
func (c *checker) into(s *Syntax, n *Node, t Type) *Node {
	k := n.Type.Kind
	switch {
	case k == Blank:
		return &Node{Op: "blank", Type: t}
	case t.Kind == Number && k == Number:
		return rescale(n, t.Scale, "round")
	case t.Kind == Money && k == Number:
		return &Node{Op: "tomoney", Args: []*Node{n}, Type: Type{Kind: Money}}
	case t.Kind == Choice && n.Op == "text":
		return c.option(s, n, t)
	case t.Kind == Choice && k == Choice:
		if slices.EqualFunc(t.Options, n.Type.Options, func(a, b schema.Option) bool { return a.Key == b.Key }) {
			return n
		}
	case t.Kind == Date && n.Op == "text":
		return c.dateText(s, n)
	case t.Kind == Date && k == Instant:
		return c.day(s, n)
	case t.Kind == Region && n.Op == "text":
		return &Node{Op: "text", Text: n.Text, Type: t}
	case t.Kind == Link && k == Link:
		if t.Target == n.Type.Target {
			return n
		}
	case t.Kind == List && k == List:
		if t.Source == n.Type.Source {
			return n
		}
	case t.Kind == k:
		return n
	}
	return c.fail("types_differ", s, nil)
}

// option finds an option of a choice by its key or one of its labels.
func (c *checker) option(s *Syntax, n *Node, t Type) *Node {
	for _, byKey := range []bool{true, false} {
		for _, o := range t.Options {
			hit := byKey && o.Key == n.Text
			for _, l := range o.Label {
				hit = hit || !byKey && strings.EqualFold(l, n.Text)
			}
			if hit {
				s.text = o.Key
				return &Node{Op: "text", Text: o.Key, Type: t}
			}
		}
	}
	return c.fail("unknown_option", s, fault.Params{"value": n.Text})
}

func (c *checker) compare(s *Syntax) *Node {
	a, b := c.node(s.args[0]), c.node(s.args[1])
	if a == nil || b == nil {
		return nil
	}
	truth := Type{Kind: Bool}
	equality := s.op == "=" || s.op == "<>"
	if equality && (a.Op == "blank" || b.Op == "blank") {
		x := a
		if a.Op == "blank" {
			x = b
		}
		n := &Node{Op: "isblank", Args: []*Node{x}, Type: truth}
		if s.op == "<>" {
			n = &Node{Op: "not", Args: []*Node{n}, Type: truth}
		}
		return n
	}
	args, t, ok := c.alike(s, []*Node{a, b}, s.args)
	if !ok {
		return nil
	}
	switch t.Kind {
	case Number, Money, Date, Instant, Text:
	case Bool, Choice, Link, Region, List:
		if !equality {
			return c.fail("no_order", s, nil)
		}
	}
	op := map[string]string{"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[s.op]
	return &Node{Op: op, Args: args, Type: truth}
}

// exponentText is how many decimals an amount is written with at most.
const exponentText = 3
