package lang

import (
	"slices"
	"unicode/utf8"
)

// Words of so many letters are found with one slip of the pen: shorter ones are like too many others.
const (
	typoLeast = 4
	typoMost  = 24
)

// slipping reports a word of Latin letters alone that is long enough.
func slipping(w string) bool {
	if len(w) < typoLeast || len(w) > typoMost {
		return false
	}
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return false
		}
	}
	return true
}

// without are the forms of a word with one letter left out, each once.
func without(w string) []string {
	out := make([]string, 0, len(w))
	for i := range len(w) {
		if i == 0 || w[i] != w[i-1] {
			out = append(out, w[:i]+w[i+1:])
		}
	}
	return out
}

// TypoTokens are further search tokens of a text to be stored: for each Latin word of four letters or more its forms with one letter left out, behind "~".
// Two words that differ by one letter, or by two neighbours changing places, meet in such a form or in the word itself.
func TypoTokens(s string) []string {
	var out []string
	split([]rune(Fold(s)), func(run []rune, cjk bool) {
		if cjk {
			return
		}
		if w := stripMarks(string(run)); slipping(w) && len(out) < maxTokens {
			for _, d := range without(w) {
				out = append(out, "~"+d)
			}
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// TypoQuery are the tokens, each by itself, that a text holds in which a word is written otherwise by one slip; nil for a word
// that is too short or no Latin word. Some texts that hold one are further away: see OneSlip.
func TypoQuery(word string) []string {
	w := stripMarks(Fold(word))
	if !slipping(w) {
		return nil
	}
	out := []string{"~" + w}
	for _, d := range without(w) {
		out = append(out, d, "~"+d)
	}
	return out
}

// LatinWords are the words of a text that are not Chinese, folded and without accents.
func LatinWords(s string) []string {
	var out []string
	split([]rune(Fold(s)), func(run []rune, cjk bool) {
		if !cjk {
			out = append(out, stripMarks(string(run)))
		}
	})
	return out
}

// OneSlip reports words that differ by one letter more, less or other, or by two neighbours that changed places.
func OneSlip(a, b string) bool {
	if utf8.RuneCountInString(a) != len(a) || utf8.RuneCountInString(b) != len(b) {
		return false
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	switch len(a) - len(b) {
	case 0:
		if i == len(a) {
			return false
		}
		return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	case 1:
		return a[i+1:] == b[i:]
	}
	return false
}
