package compile

import (
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// piece is a text and its parameters in the order in which they stand.
type piece struct {
	text string
	args []any
}

// raw is a piece without parameters.
func raw(text string) piece { return piece{text: text} }

var (
	yes = piece{text: "TRUE"}
	no  = piece{text: "FALSE"}
)

// key tells pieces apart.
func (p piece) key() string {
	var b strings.Builder
	b.WriteString(p.text)
	for _, a := range p.args {
		b.WriteByte(0)
		writeArg(&b, a)
	}
	return b.String()
}

// joined puts pieces between a separator.
func joined(sep string, ps []piece) piece {
	var b strings.Builder
	var args []any
	for i, p := range ps {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(p.text)
		args = append(args, p.args...)
	}
	return piece{text: b.String(), args: args}
}

// wrap puts text around a piece.
func wrap(before string, p piece, after string) piece {
	return piece{text: before + p.text + after, args: p.args}
}

// and is the conjunction, TRUE of nothing.
func and(ps ...piece) piece {
	kept := make([]piece, 0, len(ps))
	for _, p := range ps {
		switch p.text {
		case yes.text:
		case no.text:
			return no
		default:
			kept = append(kept, p)
		}
	}
	switch len(kept) {
	case 0:
		return yes
	case 1:
		return kept[0]
	}
	return chain(" AND ", kept)
}

// or is the disjunction, FALSE of nothing.
func or(ps ...piece) piece {
	kept := make([]piece, 0, len(ps))
	for _, p := range ps {
		switch p.text {
		case no.text:
		case yes.text:
			return yes
		default:
			kept = append(kept, p)
		}
	}
	switch len(kept) {
	case 0:
		return no
	case 1:
		return kept[0]
	}
	return chain(" OR ", kept)
}

// maxChain is how many operands stand in a row: engines read a row as a tree as deep as it is long and refuse a thousand.
const maxChain = 64

func chain(op string, ps []piece) piece {
	for len(ps) > maxChain {
		var next []piece
		for part := range slices.Chunk(ps, maxChain) {
			next = append(next, wrap("(", joined(op, part), ")"))
		}
		ps = next
	}
	return wrap("(", joined(op, ps), ")")
}

func not(p piece) piece {
	switch p.text {
	case yes.text:
		return no
	case no.text:
		return yes
	}
	return wrap("NOT (", p, ")")
}

func marks(n int) string { return "?" + strings.Repeat(", ?", n-1) }

// quote writes an identifier. Physical names are machine-made and hold no quotation mark.
func quote(name string) string { return `"` + name + `"` }

// test is a test of an expression that is not NULL, or NULL where the expression is. IsSet and IsNotSet are not among
// them. The expression may stand several times and therefore has no parameters.
func (b *builder) test(x string, t *query.Test) piece {
	p := b.positive(x, t)
	if t.Not {
		return wrap("NOT (", p, ")")
	}
	return p
}

// never is FALSE, or NULL where x is.
func never(x string) piece { return raw(x + " <> " + x) }

func (b *builder) positive(x string, t *query.Test) piece {
	switch t.Kind {
	case query.Between:
		ps := make([]piece, 0, len(t.Ranges))
		for _, r := range t.Ranges {
			ps = append(ps, rangeOf(x, r))
		}
		if len(ps) == 0 {
			return never(x)
		}
		return or(ps...)
	case query.OneOf:
		args := make([]any, len(t.Ints))
		for i, n := range t.Ints {
			args[i] = n
		}
		return among(x, args)
	case query.TextIn:
		args := make([]any, len(t.Texts))
		for i, s := range t.Texts {
			args[i] = s
		}
		return among(x, args)
	case query.TextBetween:
		ps := make([]piece, 0, len(t.Spans))
		for _, r := range t.Spans {
			ps = append(ps, textRangeOf(b.dialect.Bytes(x), r))
		}
		return or(ps...)
	case query.Contains:
		return piece{b.dialect.Contains(x), []any{t.Texts[0]}}
	case query.EndsWith:
		return piece{b.dialect.Ends(x, len([]rune(t.Texts[0]))) + " = ?", []any{t.Texts[0]}}
	case query.Matches:
		return piece{b.dialect.Matches(x), []any{b.dialect.Pattern(t.Pattern)}}
	case query.HasAll:
		return and(b.has(x, t.Texts)...)
	case query.HasAny:
		return or(b.has(x, t.Texts)...)
	case query.IsTrue:
		if t.Bool {
			return raw(x + " = TRUE")
		}
		return raw(x + " = FALSE")
	}
	return never(x)
}

func (b *builder) has(x string, keys []string) []piece {
	ps := make([]piece, len(keys))
	for i, k := range keys {
		ps[i] = piece{b.dialect.Contains(x), []any{"|" + k + "|"}}
	}
	return ps
}

func among(x string, args []any) piece {
	if len(args) == 1 {
		return piece{x + " = ?", args}
	}
	return piece{x + " IN (" + marks(len(args)) + ")", args}
}

func rangeOf(x string, r query.Range) piece {
	if r.Lo != nil && r.Hi != nil && *r.Lo == *r.Hi && !r.LoStrict && !r.HiStrict {
		return piece{x + " = ?", []any{*r.Lo}}
	}
	var ps []piece
	if r.Lo != nil {
		ps = append(ps, piece{x + above(r.LoStrict), []any{*r.Lo}})
	}
	if r.Hi != nil {
		ps = append(ps, piece{x + below(r.HiStrict), []any{*r.Hi}})
	}
	if len(ps) == 0 {
		return raw(x + " = " + x)
	}
	return and(ps...)
}

func textRangeOf(x string, r query.TextRange) piece {
	var ps []piece
	if r.Lo != nil {
		ps = append(ps, piece{x + above(r.LoStrict), []any{*r.Lo}})
	}
	if r.Hi != nil {
		ps = append(ps, piece{x + below(r.HiStrict), []any{*r.Hi}})
	}
	return and(ps...)
}

func above(strict bool) string {
	if strict {
		return " > ?"
	}
	return " >= ?"
}

func below(strict bool) string {
	if strict {
		return " < ?"
	}
	return " <= ?"
}
