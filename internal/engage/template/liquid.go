package template

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of one rendering. Nothing in the language makes a list or repeats without one, so the work is bounded by the steps.
const (
	maxSource = 100_000 // bytes of a source
	maxDepth  = 8
	maxSteps  = 20_000
	maxOutput = 400_000 // bytes
	maxValue  = 20_000  // bytes of one value
)

// Problem is what is wrong at a place of a source.
type Problem struct {
	Line int
	Code string // a key of words under "template"
	What string
}

// Use is a value that a source speaks of.
type Use struct {
	Path     string
	Fallback bool // it says what stands there instead when there is none
	Line     int
}

// Program is a parsed source. It is immutable and safe for concurrent use.
type Program struct {
	body []node
	uses []Use
}

// Uses lists the values that a source speaks of, those of its loops left out.
func (p *Program) Uses() []Use { return p.uses }

type node interface{ run(r *render) error }

type (
	text   string
	output struct {
		value value
		line  int
	}
	branch struct {
		when []arm
		or   []node
	}
	arm struct {
		test test
		body []node
	}
	loop struct {
		name  string
		over  value
		limit int
		body  []node
		or    []node
	}
)

// value is an expression with its filters.
type value struct {
	path    []string
	literal any
	isPath  bool
	filters []filter
}

type filter struct {
	name string
	args []value
}

// test is a list of comparisons joined by and, or; it is read from the right, as Liquid does.
type test struct {
	parts []compare
	joins []string
	not   bool
}

type compare struct {
	left  value
	op    string
	right value
}

// filters says how many arguments each takes at least and at most.
func arity(name string) (least, most int, ok bool) {
	switch name {
	case "upcase", "downcase", "capitalize", "strip", "escape", "size", "first", "last", "url_encode", "abs", "floor", "ceil":
		return 0, 0, true
	case "default", "append", "prepend", "plus", "minus", "times", "divided_by", "join", "date":
		return 1, 1, true
	case "round", "money":
		return 0, 1, true
	case "truncate":
		return 1, 2, true
	case "replace":
		return 2, 2, true
	}
	return 0, 0, false
}

// Parse reads a source; the problems say what is wrong with it.
func Parse(source string) (*Program, []Problem) {
	if len(source) > maxSource || !utf8.ValidString(source) {
		return nil, []Problem{{1, "too_long", strconv.Itoa(maxSource)}}
	}
	p := &parser{src: source, line: 1}
	body, end := p.block(0)
	if end != "" && len(p.bad) == 0 {
		p.fail("unexpected", end)
	}
	if len(p.bad) > 0 {
		return nil, p.bad
	}
	return &Program{body, p.uses}, nil
}

type parser struct {
	src   string
	at    int
	line  int
	bad   []Problem
	uses  []Use
	scope []string
	tail  string // arguments of the tag that ended a block
}

func (p *parser) fail(code, what string) {
	if len(p.bad) < 20 {
		p.bad = append(p.bad, Problem{p.line, code, what})
	}
}

// block reads until a tag that ends or parts it, and says which.
func (p *parser) block(depth int) (out []node, end string) {
	if depth > maxDepth {
		p.fail("too_deep", strconv.Itoa(maxDepth))
		p.at = len(p.src)
		return nil, ""
	}
	for p.at < len(p.src) {
		rest := p.src[p.at:]
		i := strings.IndexByte(rest, '{')
		for i >= 0 && (i+1 >= len(rest) || rest[i+1] != '{' && rest[i+1] != '%') {
			j := strings.IndexByte(rest[i+1:], '{')
			if j < 0 {
				i = -1
				break
			}
			i += 1 + j
		}
		if i < 0 {
			p.take(len(rest))
			return append(out, text(rest)), ""
		}
		if i > 0 {
			out = append(out, text(rest[:i]))
			p.take(i)
			rest = rest[i:]
		}
		closing := "}}"
		if rest[1] == '%' {
			closing = "%}"
		}
		j := strings.Index(rest, closing)
		if j < 0 {
			p.fail("unclosed", short(rest))
			p.at = len(p.src)
			return out, ""
		}
		inner := strings.Trim(rest[2:j], "- \t\r\n")
		line := p.line
		if closing == "}}" {
			if v, ok := p.value(inner); ok {
				out = append(out, output{v, line})
			}
			p.take(j + 2)
			continue
		}
		p.take(j + 2)
		n, end := p.tag(inner, depth)
		if end != "" {
			return out, end
		}
		if n != nil {
			out = append(out, n)
		}
	}
	return out, ""
}

// tag reads what a tag begins, or says which ending it is.
func (p *parser) tag(inner string, depth int) (n node, end string) {
	name, args, _ := strings.Cut(inner, " ")
	switch name {
	case "if", "unless":
		return p.branch(name, args, depth), ""
	case "for":
		return p.loop(args, depth), ""
	case "comment":
		k := strings.Index(p.src[p.at:], "endcomment")
		if k < 0 {
			p.fail("unclosed", "comment")
			p.at = len(p.src)
			return nil, ""
		}
		p.take(k + max(0, strings.Index(p.src[p.at+k:], "%}")) + 2)
		return nil, ""
	case "elsif", "else", "endif", "endunless", "endfor":
		p.tail = args
		return nil, name
	}
	p.fail("unknown_tag", short(name))
	return nil, ""
}

func (p *parser) take(n int) {
	n = min(n, len(p.src)-p.at)
	p.line += strings.Count(p.src[p.at:p.at+n], "\n")
	p.at += n
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40])
	}
	return s
}

func (p *parser) branch(name, args string, depth int) node {
	var b branch
	t := p.test(args)
	t.not = name == "unless"
	for {
		body, end := p.block(depth + 1)
		b.when = append(b.when, arm{t, body})
		switch {
		case end == "elsif" && name == "if":
			t = p.test(p.tail)
			continue
		case end == "else":
			b.or, end = p.block(depth + 1)
		}
		if end != "end"+name {
			p.fail("unclosed", name)
		}
		return b
	}
}

func (p *parser) loop(args string, depth int) node {
	words := strings.Fields(strings.ReplaceAll(args, ":", " "))
	if len(words) < 3 || words[1] != "in" || !isName(words[0]) {
		p.fail("bad_loop", short(args))
		_, _ = p.block(depth + 1)
		return nil
	}
	l := loop{name: words[0], limit: 100}
	for i := 3; i < len(words); i += 2 {
		n := 0
		if i+1 < len(words) {
			n, _ = strconv.Atoi(words[i+1])
		}
		if words[i] != "limit" || n < 1 {
			p.fail("bad_loop", short(args))
		}
		l.limit = min(n, 100)
	}
	l.over, _ = p.value(words[2])
	p.scope = append(p.scope, l.name)
	var end string
	l.body, end = p.block(depth + 1)
	p.scope = p.scope[:len(p.scope)-1]
	if end == "else" {
		l.or, end = p.block(depth + 1)
	}
	if end != "endfor" {
		p.fail("unclosed", "for")
	}
	return l
}

func isName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// words cuts an expression into its signs; texts keep their quotes.
func words(s string) (out []string, ok bool) {
	for s != "" {
		c := s[0]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			s = s[1:]
		case c == '\'' || c == '"':
			j := strings.IndexByte(s[1:], c)
			if j < 0 {
				return nil, false
			}
			out = append(out, s[:j+2])
			s = s[j+2:]
		case strings.IndexByte("|,:", c) >= 0:
			out, s = append(out, s[:1]), s[1:]
		case strings.IndexByte("=!<>", c) >= 0:
			n := 1
			if len(s) > 1 && s[1] == '=' {
				n = 2
			}
			out, s = append(out, s[:n]), s[n:]
		default:
			j := strings.IndexAny(s, " \t\r\n'\"|,:=!<>")
			if j < 0 {
				j = len(s)
			}
			out, s = append(out, s[:j]), s[j:]
		}
	}
	return out, true
}

func (p *parser) value(s string) (value, bool) {
	list, ok := words(s)
	if !ok || len(list) == 0 {
		p.fail("bad_value", short(s))
		return value{}, false
	}
	v, ok := p.atom(list[0])
	if !ok {
		return v, false
	}
	uses := len(p.uses) - 1
	for list = list[1:]; len(list) > 0; {
		if list[0] != "|" || len(list) < 2 {
			p.fail("bad_value", short(s))
			return v, false
		}
		f := filter{name: list[1]}
		list = list[2:]
		if len(list) > 0 && list[0] == ":" {
			for list = list[1:]; len(list) > 0 && list[0] != "|"; list = list[1:] {
				if list[0] == "," {
					continue
				}
				a, ok := p.atom(list[0])
				if !ok {
					return v, false
				}
				f.args = append(f.args, a)
			}
		}
		least, most, known := arity(f.name)
		if !known || len(f.args) < least || len(f.args) > most {
			p.fail("unknown_filter", short(f.name))
			return v, false
		}
		if f.name == "default" && v.isPath && uses >= 0 && uses < len(p.uses) {
			p.uses[uses].Fallback = true
		}
		v.filters = append(v.filters, f)
	}
	return v, true
}

func (p *parser) atom(s string) (value, bool) {
	switch {
	case s[0] == '\'' || s[0] == '"':
		return value{literal: s[1 : len(s)-1]}, true
	case s == "true" || s == "false":
		return value{literal: s == "true"}, true
	case s == "nil" || s == "blank" || s == "empty":
		return value{}, true
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) {
		return value{literal: n}, true
	}
	path := strings.Split(s, ".")
	for _, part := range path {
		if !isName(part) {
			p.fail("bad_value", short(s))
			return value{}, false
		}
	}
	if !slices.Contains(p.scope, path[0]) && path[0] != "forloop" {
		p.uses = append(p.uses, Use{Path: s, Line: p.line})
	}
	return value{path: path, isPath: true}, true
}

func (p *parser) test(s string) (t test) {
	list, ok := words(s)
	if !ok || len(list) == 0 {
		p.fail("bad_test", short(s))
		return t
	}
	for {
		var c compare
		if c.left, ok = p.atom(list[0]); !ok {
			return t
		}
		if c.left.isPath && len(p.uses) > 0 { // asked about, it may be missing
			p.uses[len(p.uses)-1].Fallback = true
		}
		list = list[1:]
		if len(list) > 1 && list[0] != "and" && list[0] != "or" {
			if !slices.Contains([]string{"==", "!=", "<", ">", "<=", ">=", "contains"}, list[0]) {
				p.fail("bad_test", short(s))
				return t
			}
			c.op = list[0]
			if c.right, ok = p.atom(list[1]); !ok {
				return t
			}
			list = list[2:]
		}
		t.parts = append(t.parts, c)
		if len(list) == 0 {
			return t
		}
		if len(list) < 2 || list[0] != "and" && list[0] != "or" {
			p.fail("bad_test", short(s))
			return t
		}
		t.joins, list = append(t.joins, list[0]), list[1:]
	}
}

// Values are what a rendering may speak of: texts, numbers, booleans, times, lists and maps of these.
type Values map[string]any

// Escape makes a value safe where it stands.
type Escape func(string) string

type render struct {
	out    *strings.Builder
	values Values
	scope  []Values
	escape Escape
	steps  int
	limit  int
}

// errBound ends a rendering that does too much.
type boundError struct{ what string }

func (e boundError) Error() string { return "a template does too much: " + e.what }

// Render writes a program with values; what values say goes through escape.
func (p *Program) Render(out *strings.Builder, values Values, escape Escape) error {
	r := &render{out: out, values: values, escape: escape, limit: out.Len() + maxOutput}
	return r.all(p.body)
}

func (r *render) all(list []node) error {
	for _, n := range list {
		if r.steps++; r.steps > maxSteps {
			return boundError{"steps"}
		}
		if err := n.run(r); err != nil {
			return err
		}
		if r.out.Len() > r.limit {
			return boundError{"output"}
		}
	}
	return nil
}

func (t text) run(r *render) error {
	r.out.WriteString(string(t))
	return nil
}

func (o output) run(r *render) error {
	s := r.text(r.eval(o.value))
	if len(s) > maxValue {
		return boundError{"value"}
	}
	if r.escape != nil {
		s = r.escape(s)
	}
	r.out.WriteString(s)
	return nil
}

func (b branch) run(r *render) error {
	for _, a := range b.when {
		if r.holds(a.test) {
			return r.all(a.body)
		}
	}
	return r.all(b.or)
}

func (l loop) run(r *render) error {
	list, _ := r.eval(l.over).([]any)
	if len(list) == 0 {
		return r.all(l.or)
	}
	for i, x := range list[:min(len(list), l.limit)] {
		r.scope = append(r.scope, Values{l.name: x, "forloop": Values{"index": float64(i + 1), "first": i == 0, "last": i == min(len(list), l.limit)-1}})
		err := r.all(l.body)
		r.scope = r.scope[:len(r.scope)-1]
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *render) eval(v value) any {
	out := v.literal
	if v.isPath {
		out = r.find(v.path)
	}
	for _, f := range v.filters {
		args := make([]any, len(f.args))
		for i, a := range f.args {
			args[i] = r.eval(a)
		}
		out = r.apply(f.name, out, args)
	}
	return out
}

func (r *render) find(path []string) any {
	var at any = r.values
	for i := len(r.scope) - 1; i >= 0; i-- {
		if _, ok := r.scope[i][path[0]]; ok {
			at = r.scope[i]
			break
		}
	}
	for _, key := range path {
		m, ok := at.(Values)
		if !ok {
			return nil
		}
		at = m[key]
	}
	return at
}

func (r *render) holds(t test) bool {
	if len(t.parts) == 0 {
		return false
	}
	out := r.compare(t.parts[len(t.parts)-1])
	for i := len(t.joins) - 1; i >= 0; i-- {
		left := r.compare(t.parts[i])
		if t.joins[i] == "and" {
			out = left && out
		} else {
			out = left || out
		}
	}
	return out != t.not
}

func (r *render) compare(c compare) bool {
	left := r.eval(c.left)
	if c.op == "" {
		b, isBool := left.(bool)
		return left != nil && (!isBool || b)
	}
	right := r.eval(c.right)
	if c.op == "contains" {
		if list, ok := left.([]any); ok {
			return slices.ContainsFunc(list, func(x any) bool { return r.text(x) == r.text(right) })
		}
		return left != nil && strings.Contains(r.text(left), r.text(right))
	}
	order, ok := 0, true
	ln, lok := number(left)
	rn, rok := number(right)
	switch {
	case left == nil || right == nil:
		if left != nil && r.text(left) == "" {
			left = nil
		}
		ok = left == nil && right == nil
		return c.op == "==" && ok || c.op == "!=" && !ok
	case lok && rok:
		switch {
		case ln < rn:
			order = -1
		case ln > rn:
			order = 1
		}
	default:
		order = strings.Compare(r.text(left), r.text(right))
	}
	switch c.op {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	}
	return order >= 0
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	}
	return 0, false
}

func (r *render) text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case time.Time:
		return x.Format("2006-01-02")
	case []any:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = r.text(x[i])
		}
		return strings.Join(parts, ", ")
	case Values:
		return ""
	}
	if n, ok := number(v); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func (r *render) apply(name string, v any, args []any) any {
	arg := func(i int) string {
		if i < len(args) {
			return r.text(args[i])
		}
		return ""
	}
	n, isNumber := number(v)
	if s, ok := v.(string); ok && !isNumber {
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			n = f
		}
	}
	m := 0.0
	if len(args) > 0 {
		m, _ = number(args[0])
	}
	switch name {
	case "default":
		if b, isBool := v.(bool); v == nil || isBool && !b || r.text(v) == "" && !isNumber {
			return args[0]
		}
		return v
	case "plus", "minus", "times", "divided_by", "abs", "floor", "ceil", "round":
		return reckoned(name, n, m)
	case "money":
		if v == nil {
			return nil
		}
		return grouped(n, arg(0))
	case "size":
		if list, ok := v.([]any); ok {
			return float64(len(list))
		}
		return float64(utf8.RuneCountInString(r.text(v)))
	case "first", "last":
		list, _ := v.([]any)
		if len(list) == 0 {
			return nil
		}
		if name == "last" {
			return list[len(list)-1]
		}
		return list[0]
	case "date":
		return dated(v, arg(0))
	case "join":
		list, _ := v.([]any)
		parts := make([]string, len(list))
		for i := range list {
			parts[i] = r.text(list[i])
		}
		return strings.Join(parts, arg(0))
	}
	return worded(name, r.text(v), arg, m)
}

// reckoned are the filters of numbers.
func reckoned(name string, n, m float64) any {
	switch name {
	case "plus":
		return finite(n + m)
	case "minus":
		return finite(n - m)
	case "times":
		return finite(n * m)
	case "abs":
		return math.Abs(n)
	case "floor":
		return math.Floor(n)
	case "ceil":
		return math.Ceil(n)
	case "round":
		scale := math.Pow(10, math.Max(0, math.Min(m, 6)))
		return finite(math.Round(n*scale) / scale)
	}
	if m == 0 {
		return nil
	}
	return finite(n / m)
}

func finite(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return f
}
