// Package lang holds the rules of text, names, numbers and languages that every other package shares: how text is
// folded for comparison, how Chinese is sorted and searched, how phone numbers and e-mail addresses are normalised and
// masked, and how a sentence is found in a reader's language.
//
// Guarantees. Everything is a pure function of its arguments (a Catalog is immutable once loaded) and safe for
// concurrent use. Forms meant for comparison (Fold, SortKey, CompanyKey, NormaliseEmail, NormalisePhone) are stable:
// they depend on the program alone, never on the operating system's locale, so SQLite, PostgreSQL and DuckDB agree by
// comparing bytes. Fold and the two normalisers are idempotent. Changing one of these forms changes stored data: it
// needs a rebuild of the columns that hold it.
//
// It does not segment words, translate, convert between traditional and simplified characters, or know customers.
package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the form in which two texts are compared: NFKC (full-width becomes half-width), case-folded, invisible
// format characters dropped, outer spaces trimmed, inner runs of white space made one space. Invalid UTF-8 becomes
// U+FFFD. Fold(Fold(s)) == Fold(s).
func Fold(s string) string {
	if plain(s) {
		return s
	}
	if ideographic(s) {
		s = lower(s)
	} else {
		s = strings.Map(visible, strings.ToValidUTF8(s, "\uFFFD"))
		// Case folding can undo a composition and the other way round, so both run until nothing changes: one pass
		// for nearly all text, at most three in Unicode.
		for range 4 {
			t := cases.Fold().String(norm.NFKC.String(s))
			if t == s {
				break
			}
			s = t
		}
		s = norm.NFKC.String(s)
	}
	return squeeze(s)
}

// plain reports ASCII text that is already folded: no upper case, no control character, single inner spaces.
func plain(s string) bool {
	space := true
	for i := range len(s) {
		c := s[i]
		switch {
		case c > '~' || c < ' ' || (c >= 'A' && c <= 'Z'):
			return false
		case c == ' ' && space:
			return false
		}
		space = c == ' '
	}
	return !space || s == ""
}

// ideographic reports text of unified ideographs and printable ASCII: NFKC leaves it alone, and folding is lower-casing.
func ideographic(s string) bool {
	for _, r := range s {
		if (r < 0x4E00 || r > 0x9FFF) && (r < ' ' || r > '~') {
			return false
		}
	}
	return true
}

// lower makes the letters A to Z small.
func lower(s string) string {
	i := 0
	for i < len(s) && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	b := []byte(s)
	for ; i < len(b); i++ {
		if b[i] >= 'A' && b[i] <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// visible drops format and control characters, white space apart. It runs before normalisation, since a character
// between a letter and its accent hides the composition.
func visible(r rune) rune {
	if !unicode.IsSpace(r) && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
		return -1
	}
	return r
}

// squeeze trims and collapses white space.
func squeeze(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
		default:
			if space {
				b.WriteByte(' ')
				space = false
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// stripMarks removes the combining marks of alphabetic text, "josé" becoming "jose". Text without them is returned as
// it is.
func stripMarks(s string) string {
	if isASCII(s) {
		return s
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
