package formula

import (
	"strings"
	"unicode"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Syntax is a node of the text as it was written.
type Syntax struct {
	op       string // "num", "text", "name", "call", an operator, "neg", "%"
	text     string // the number, the text, the path, the function in capitals
	quoted   bool   // a name in braces
	args     []*Syntax
	from, to int
}

type token struct {
	kind     string // "num", "text", "name", "op", "end"
	text     string
	quoted   bool
	from, to int
}

// wide are the full-width forms of signs, as a Chinese keyboard writes them. Read only.
var wide = map[rune]rune{'（': '(', '）': ')', '，': ',', '；': ',', ';': ',', '＋': '+', '－': '-', '＊': '*', '×': '*', '／': '/', '÷': '/', '＝': '=',
	'＜': '<', '＞': '>', '≤': 'l', '≥': 'g', '≠': 'n', '＆': '&', '％': '%', '！': '!'}

type lexer struct {
	src []rune
	at  int
	bad *Problem
}

func problem(code string, from, to int, params fault.Params) *Problem {
	return &Problem{Code: "formula." + code, From: from, To: to, Params: params}
}

// next reads a token.
func (l *lexer) next() token {
	for l.at < len(l.src) && (unicode.IsSpace(l.src[l.at]) || l.src[l.at] == '\u3000') {
		l.at++
	}
	from := l.at
	if l.at >= len(l.src) {
		return token{kind: "end", from: from, to: from}
	}
	r := l.src[l.at]
	switch {
	case r >= '0' && r <= '9' || r == '.' && l.at+1 < len(l.src) && digit(l.src[l.at+1]):
		for l.at < len(l.src) && (digit(l.src[l.at]) || l.src[l.at] == '.') {
			l.at++
		}
		return token{kind: "num", text: string(l.src[from:l.at]), from: from, to: l.at}
	case r == '"' || r == '“' || r == '”':
		return l.quoted(from)
	case r == '{' || r == '｛':
		return l.braced(from)
	case letter(r):
		for l.at < len(l.src) && (letter(l.src[l.at]) || digit(l.src[l.at]) || l.src[l.at] == '.') {
			l.at++
		}
		return token{kind: "name", text: string(l.src[from:l.at]), from: from, to: l.at}
	}
	return l.sign(from, r)
}

func (l *lexer) sign(from int, r rune) token {
	if w, ok := wide[r]; ok {
		r = w
	}
	l.at++
	text := string(r)
	switch r {
	case 'l':
		text = "<="
	case 'g':
		text = ">="
	case 'n':
		text = "<>"
	case '<', '>', '=', '!', '&', '|':
		if l.at < len(l.src) {
			second := l.src[l.at]
			if w, ok := wide[second]; ok {
				second = w
			}
			switch pair := text + string(second); pair {
			case "<=", ">=", "<>":
				text = pair
				l.at++
			case "!=":
				text = "<>"
				l.at++
			case "==":
				l.at++
			case "&&":
				text = "and"
				l.at++
			case "||":
				text = "or"
				l.at++
			}
		}
	}
	if !strings.Contains("+-*/%&=<>()[],", text[:1]) && text != "and" && text != "or" || text == "[" || text == "]" {
		l.fail(problem("bad_sign", from, l.at, fault.Params{"sign": text}))
		return token{kind: "end", from: from, to: l.at}
	}
	return token{kind: "op", text: text, from: from, to: l.at}
}

func (l *lexer) fail(p *Problem) {
	if l.bad == nil {
		l.bad = p
	}
}

func (l *lexer) quoted(from int) token {
	var b strings.Builder
	for l.at++; l.at < len(l.src); l.at++ {
		switch r := l.src[l.at]; r {
		case '"', '”', '“':
			if l.at+1 < len(l.src) && l.src[l.at+1] == r && r == '"' {
				b.WriteRune(r)
				l.at++
				continue
			}
			l.at++
			return token{kind: "text", text: b.String(), from: from, to: l.at}
		case 0:
			l.fail(problem("bad_sign", l.at, l.at+1, fault.Params{"sign": "NUL"}))
		default:
			b.WriteRune(r)
		}
	}
	l.fail(problem("text_open", from, len(l.src), nil))
	return token{kind: "end", from: from, to: len(l.src)}
}

func (l *lexer) braced(from int) token {
	for l.at++; l.at < len(l.src); l.at++ {
		if r := l.src[l.at]; r == '}' || r == '｝' {
			l.at++
			return token{kind: "name", text: strings.TrimSpace(string(l.src[from+1 : l.at-1])), quoted: true, from: from, to: l.at}
		}
	}
	l.fail(problem("brace_open", from, len(l.src), nil))
	return token{kind: "end", from: from, to: len(l.src)}
}

func digit(r rune) bool  { return r >= '0' && r <= '9' }
func letter(r rune) bool { return r == '_' || unicode.IsLetter(r) }

// Parse reads a source text. A problem is returned where it is first found.
func Parse(source string) (*Syntax, *Problem) {
	src := []rune(source)
	if len(src) > MaxSource {
		return nil, problem("too_long", MaxSource, len(src), fault.Params{"max": MaxSource})
	}
	p := &parser{lex: lexer{src: src}}
	p.step()
	if p.tok.kind == "op" && p.tok.text == "=" { // as in a cell
		p.step()
	}
	if p.tok.kind == "end" && p.lex.bad == nil {
		return nil, problem("empty", 0, len(src), nil)
	}
	s := p.expr(0)
	if p.bad == nil && p.tok.kind != "end" {
		p.fail("unexpected", p.tok.from, p.tok.to, fault.Params{"text": p.tok.text})
	}
	if p.lex.bad != nil {
		return nil, p.lex.bad
	}
	return s, p.bad
}

type parser struct {
	lex   lexer
	tok   token
	depth int
	bad   *Problem
}

func (p *parser) step() { p.tok = p.lex.next() }

func (p *parser) fail(code string, from, to int, params fault.Params) *Syntax {
	if p.bad == nil {
		p.bad = problem(code, from, to, params)
	}
	p.tok = token{kind: "end", from: to, to: to}
	return &Syntax{op: "name", from: from, to: to}
}

// binding is how tightly an operator between two operands binds, 0 for none.
func binding(op string) int {
	switch op {
	case "or":
		return 1
	case "and":
		return 2
	case "=", "<>", "<", "<=", ">", ">=":
		return 4
	case "&":
		return 5
	case "+", "-":
		return 6
	case "*", "/":
		return 7
	}
	return 0
}

const notBinding, negBinding, percentBinding = 3, 8, 9

func (p *parser) operator() string {
	if p.tok.kind == "op" {
		return p.tok.text
	}
	if p.tok.kind == "name" && !p.tok.quoted {
		if low := strings.ToLower(p.tok.text); low == "and" || low == "or" {
			return low
		}
	}
	return ""
}

// expr reads operands joined by operators that bind more tightly than least.
func (p *parser) expr(least int) *Syntax {
	if p.depth++; p.depth > MaxDepth {
		return p.fail("too_deep", p.tok.from, p.tok.to, fault.Params{"max": MaxDepth})
	}
	defer func() { p.depth-- }()
	left := p.unary()
	for {
		op := p.operator()
		if op == "%" {
			left = &Syntax{op: "%", args: []*Syntax{left}, from: left.from, to: p.tok.to}
			p.step()
			continue
		}
		b := binding(op)
		if b == 0 || b <= least {
			return left
		}
		p.step()
		right := p.expr(b)
		left = &Syntax{op: op, args: []*Syntax{left, right}, from: left.from, to: right.to}
	}
}

func (p *parser) unary() *Syntax {
	t := p.tok
	switch {
	case t.kind == "op" && t.text == "-":
		p.step()
		x := p.expr(negBinding)
		return &Syntax{op: "neg", args: []*Syntax{x}, from: t.from, to: x.to}
	case t.kind == "op" && t.text == "+":
		p.step()
		return p.expr(negBinding)
	case t.kind == "name" && !t.quoted && strings.EqualFold(t.text, "not"):
		p.step()
		if p.tok.kind == "op" && p.tok.text == "(" {
			return p.call("NOT", t.from)
		}
		x := p.expr(notBinding)
		return &Syntax{op: "call", text: "NOT", args: []*Syntax{x}, from: t.from, to: x.to}
	}
	return p.primary()
}

func (p *parser) primary() *Syntax {
	t := p.tok
	switch {
	case t.kind == "num", t.kind == "text":
		p.step()
		return &Syntax{op: t.kind, text: t.text, from: t.from, to: t.to}
	case t.kind == "name":
		p.step()
		if !t.quoted && p.tok.kind == "op" && p.tok.text == "(" {
			return p.call(strings.ToUpper(t.text), t.from)
		}
		return &Syntax{op: "name", text: t.text, quoted: t.quoted, from: t.from, to: t.to}
	case t.kind == "op" && t.text == "(":
		p.step()
		x := p.expr(0)
		if p.tok.kind != "op" || p.tok.text != ")" {
			return p.fail("paren_open", t.from, t.to, nil)
		}
		p.step()
		return x
	case t.kind == "end":
		return p.fail("missing_value", t.from, t.to, nil)
	}
	return p.fail("unexpected", t.from, t.to, fault.Params{"text": t.text})
}

func (p *parser) call(name string, from int) *Syntax {
	open := p.tok
	s := &Syntax{op: "call", text: name, from: from}
	p.step()
	if p.tok.kind == "op" && p.tok.text == ")" {
		s.to = p.tok.to
		p.step()
		return s
	}
	for {
		s.args = append(s.args, p.expr(0))
		if p.tok.kind == "op" && p.tok.text == "," {
			p.step()
			continue
		}
		if p.tok.kind != "op" || p.tok.text != ")" {
			return p.fail("paren_open", open.from, open.to, nil)
		}
		s.to = p.tok.to
		p.step()
		return s
	}
}

// print writes a syntax tree with one spelling of everything; names are those the checker found.
func (s *Syntax) print(b *strings.Builder, outer int, names map[*Syntax]string) {
	switch s.op {
	case "num":
		b.WriteString(s.text)
	case "text":
		b.WriteString(`"` + strings.ReplaceAll(s.text, `"`, `""`) + `"`)
	case "name":
		b.WriteString(names[s])
	case "call":
		b.WriteString(s.text + "(")
		for i, a := range s.args {
			if i > 0 {
				b.WriteString(", ")
			}
			a.print(b, 0, names)
		}
		b.WriteByte(')')
	case "neg":
		b.WriteByte('-')
		s.args[0].print(b, negBinding, names)
	case "%":
		s.args[0].print(b, percentBinding, names)
		b.WriteByte('%')
	default:
		bind := binding(s.op)
		if bind <= outer {
			b.WriteByte('(')
		}
		s.args[0].print(b, bind-1, names)
		b.WriteString(" " + s.op + " ")
		s.args[1].print(b, bind, names)
		if bind <= outer {
			b.WriteByte(')')
		}
	}
}
