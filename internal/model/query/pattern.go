package query

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// maxPattern is the longest pattern, in characters, and maxRepeat the highest bound of a repetition.
const (
	maxPattern = 200
	maxRepeat  = 100
)

// Pattern rewrites a regular expression into the form that Go, DuckDB (RE2) and PostgreSQL read alike: literals,
// classes, alternatives, groups, ? * + {m,n}, and ^ and $ for the ends of the whole text. Without folded the text is
// compared as it is; with it the pattern is folded like the text it is searched in, so upper case finds lower case. "."
// is any character but a line feed. Refused: flags, word boundaries, line anchors, classes of nothing, empty
// alternatives, repeated anchors and bounds over 100.
func Pattern(s string, folded bool) (pattern string, re *regexp.Regexp, err error) {
	if n := len([]rune(s)); n == 0 || n > maxPattern {
		return "", nil, errors.New("a pattern has 1 to 200 characters")
	}
	tree, err := syntax.Parse(s, syntax.ClassNL|syntax.OneLine|syntax.PerlX)
	if err != nil {
		return "", nil, err
	}
	w := &patternWriter{folded: folded}
	if err := w.write(tree); err != nil {
		return "", nil, err
	}
	pattern = w.b.String()
	if len(pattern) > 10*maxPattern || strings.ContainsAny(pattern, "\x00\uFFFD") {
		return "", nil, errors.New("the pattern is too long or names what is no character")
	}
	re, err = regexp.Compile(pattern)
	return pattern, re, err
}

type patternWriter struct {
	b      strings.Builder
	folded bool
}

func (w *patternWriter) write(n *syntax.Regexp) error {
	if n.Flags&syntax.FoldCase != 0 && (n.Op == syntax.OpLiteral || n.Op == syntax.OpCharClass) {
		return errors.New("flags are not supported")
	}
	switch n.Op {
	case syntax.OpLiteral:
		return w.literal(string(n.Rune))
	case syntax.OpCharClass:
		return w.class(n.Rune)
	case syntax.OpAnyCharNotNL:
		w.b.WriteString(`[^\n]`)
	case syntax.OpBeginText:
		w.b.WriteByte('^')
	case syntax.OpEndText:
		w.b.WriteByte('$')
	case syntax.OpCapture:
		return w.group(n.Sub[0], "")
	case syntax.OpStar:
		return w.repeat(n, "*")
	case syntax.OpPlus:
		return w.repeat(n, "+")
	case syntax.OpQuest:
		return w.repeat(n, "?")
	case syntax.OpRepeat:
		return w.bounded(n)
	case syntax.OpConcat:
		for _, s := range n.Sub {
			if s.Op == syntax.OpAlternate {
				if err := w.group(s, ""); err != nil {
					return err
				}
			} else if err := w.write(s); err != nil {
				return err
			}
		}
	case syntax.OpAlternate:
		for i, s := range n.Sub {
			if i > 0 {
				w.b.WriteByte('|')
			}
			if err := w.write(s); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%s is not supported", n.Op)
	}
	return nil
}

func (w *patternWriter) group(n *syntax.Regexp, suffix string) error {
	w.b.WriteString("(?:")
	if err := w.write(n); err != nil {
		return err
	}
	w.b.WriteString(")" + suffix)
	return nil
}

func (w *patternWriter) repeat(n *syntax.Regexp, suffix string) error {
	if anchored(n) {
		return errors.New("an anchor is repeated")
	}
	return w.group(n.Sub[0], suffix)
}

func (w *patternWriter) bounded(n *syntax.Regexp) error {
	switch {
	case n.Min > maxRepeat || n.Max > maxRepeat:
		return errors.New("a bound is too high")
	case n.Max < 0:
		return w.repeat(n, fmt.Sprintf("{%d,}", n.Min))
	case n.Max == 0:
		return errors.New("a repetition of nothing")
	}
	return w.repeat(n, fmt.Sprintf("{%d,%d}", n.Min, n.Max))
}

func anchored(n *syntax.Regexp) bool {
	if n.Op == syntax.OpBeginText || n.Op == syntax.OpEndText {
		return true
	}
	for _, s := range n.Sub {
		if anchored(s) {
			return true
		}
	}
	return false
}

func (w *patternWriter) literal(s string) error {
	if w.folded {
		s = foldLetters(s)
	}
	if s == "" {
		return errors.New("invisible characters alone find everything")
	}
	for _, r := range s {
		w.rune(r)
	}
	return nil
}

// foldLetters folds a piece of a pattern without trimming its spaces.
func foldLetters(s string) string {
	t := lang.Fold("x" + s + "x")
	if len(t) < 2 || t[0] != 'x' || t[len(t)-1] != 'x' {
		return s
	}
	return t[1 : len(t)-1]
}

func (w *patternWriter) rune(r rune) {
	switch {
	case r < 0x80 && !isWord(r) && r > ' ' && r != 0x7F:
		w.b.WriteByte('\\')
		w.b.WriteRune(r)
	default:
		w.b.WriteRune(r)
	}
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

// class writes pairs of bounds. A class that reaches from the first character is written as the opposite one, since
// PostgreSQL cannot be given the character zero.
func (w *patternWriter) class(pairs []rune) error {
	if len(pairs) == 0 {
		return errors.New("a class of nothing")
	}
	open := "["
	if pairs[0] == 0 {
		open, pairs = "[^", complement(pairs)
		if len(pairs) == 0 {
			return errors.New("a class of everything")
		}
	}
	w.b.WriteString(open)
	for i := 0; i < len(pairs); i += 2 {
		w.span(pairs[i], pairs[i+1])
		if w.folded {
			w.lower(pairs[i], pairs[i+1])
		}
	}
	w.b.WriteByte(']')
	return nil
}

func (w *patternWriter) span(lo, hi rune) {
	w.rune(lo)
	if hi > lo {
		w.b.WriteByte('-')
		w.rune(hi)
	}
}

// lower adds the small letters of the Latin capitals of a range.
func (w *patternWriter) lower(lo, hi rune) {
	lo, hi = max(lo, 'A'), min(hi, 'Z')
	if lo <= hi {
		w.span(unicode.ToLower(lo), unicode.ToLower(hi))
	}
}

func complement(pairs []rune) []rune {
	var out []rune
	next := rune(0)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] > next {
			out = append(out, next, pairs[i]-1)
		}
		next = pairs[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}
