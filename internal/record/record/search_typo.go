package record

import (
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// MatchTypo is of records in which a word is written otherwise by one slip of the pen; they stand below all others.
const MatchTypo Match = "typo"

// typoScore is below what any other match scores.
const typoScore = 10

// near is the search for a text with one slip in one of its Latin words; given is false when it has none that is long enough.
func (q *search) near() search {
	out := search{text: q.text}
	for _, w := range lang.LatinWords(q.text) {
		out.keyed = append(out.keyed, lang.TypoQuery(w)...)
	}
	out.given = out.keyed != nil
	return out
}

// slip reports a row whose clear texts hold every word of the text, one of them with one slip. The sound of Chinese names is not looked
// at: it has searches of its own.
func (q *search) slip(sh *shape, row *Row) bool {
	words := lang.LatinWords(strings.Join(sh.clearTexts(row, nil), "\n"))
	slips := 0
	for _, w := range lang.LatinWords(q.text) {
		if slices.ContainsFunc(words, func(t string) bool { return strings.HasPrefix(t, w) }) {
			continue
		}
		if lang.TypoQuery(w) == nil || !slices.ContainsFunc(words, func(t string) bool { return lang.OneSlip(t, w) }) {
			return false
		}
		slips++
	}
	return slips == 1
}
