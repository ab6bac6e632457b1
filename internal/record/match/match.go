// Package match tells how alike two texts of records are: names of persons, names of companies, addresses, other texts. It is pure: no
// storage, no metadata, no clock; similarities are between 0 (nothing in common) and 1 (the same), symmetric, and hints, never proofs.
//
// Names of persons are compared by character: the same, one that sounds alike (pinyin without tone), one that looks alike (shape.go), swapped ones, Chinese against
// its pinyin in either order, Latin names with slips of the pen. Companies lose place, legal form and brackets first (lang.CompanyKey).
// Addresses are compared by their numbers and their words. Blocking keys (block.go) are coarse forms that alike values share.
package match

import (
	"slices"
	"strings"
	"unicode"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// How alike two characters at the same place are when they are not the same.
const (
	soundsAlike = 0.93
	looksAlike  = 0.90
	swapped     = 0.92
	inPinyin    = 0.95
)

// Speller reads names; it remembers the sound of characters and belongs to one goroutine.
type Speller struct {
	sound map[rune]string
	first map[rune]string // at the head of a name
}

// NewSpeller makes a Speller.
func NewSpeller() *Speller {
	return &Speller{sound: map[rune]string{}, first: map[rune]string{}}
}

// Name is a person's name, read.
type Name struct {
	Folded string
	runes  []rune   // of a Chinese name
	sounds []string // of its characters
	words  []string // of a Latin name, in alphabetical order
	joined string   // the words as they are written, without spaces
}

// Chinese reports a name of Chinese characters.
func (n *Name) Chinese() bool { return len(n.runes) > 0 }

// Name reads a name.
func (s *Speller) Name(text string) Name {
	n := Name{Folded: lang.Fold(text)}
	for _, r := range n.Folded {
		if unicode.Is(unicode.Han, r) {
			n.runes = append(n.runes, r)
		}
	}
	if len(n.runes) > 0 {
		for i, r := range n.runes {
			n.sounds = append(n.sounds, s.of(r, i == 0))
		}
		return n
	}
	n.words = strings.FieldsFunc(n.Folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	n.joined = strings.Join(n.words, "")
	slices.Sort(n.words)
	return n
}

func (s *Speller) of(r rune, first bool) string {
	known := s.sound
	if first {
		known = s.first
	}
	if sound, ok := known[r]; ok {
		return sound
	}
	sound := lang.Pinyin(string(r))
	if first { // a surname is read as one in front of a given name
		sound = strings.TrimSuffix(lang.Pinyin(string(r)+"\u4e00"), "yi")
	}
	sound = strings.ReplaceAll(sound, "v", "u")
	known[r] = sound
	return sound
}

// Persons compares names of persons.
func Persons(a, b *Name) float64 {
	switch {
	case a.Folded == "" || b.Folded == "":
		return 0
	case a.Folded == b.Folded:
		return 1
	case a.Chinese() && b.Chinese():
		return chinese(a, b)
	case a.Chinese():
		return spelled(a, b)
	case b.Chinese():
		return spelled(b, a)
	}
	return latin(a, b)
}

func chinese(a, b *Name) float64 {
	if len(a.runes) != len(b.runes) {
		long, short := a, b
		if len(a.runes) < len(b.runes) {
			long, short = b, a
		}
		if len(short.runes) < 2 || len(long.runes)-len(short.runes) > 1 || !within(short.runes, long.runes) {
			return 0
		}
		return 0.6 // a character was left out
	}
	sum := 0.0
	for i, r := range a.runes {
		switch {
		case r == b.runes[i]:
			sum++
		case a.sounds[i] == b.sounds[i]:
			sum += soundsAlike
		case LookAlike(r, b.runes[i]):
			sum += looksAlike
		}
	}
	best := sum / float64(len(a.runes))
	if best < swapped && sameSet(a.sounds, b.sounds) {
		best = swapped
	}
	return best
}

// within reports whether the short name can be had by leaving characters out of the long one.
func within(short, long []rune) bool {
	i := 0
	for _, r := range long {
		if i < len(short) && short[i] == r {
			i++
		}
	}
	return i == len(short)
}

func sameSet(a, b []string) bool {
	x, y := slices.Clone(a), slices.Clone(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// spelled compares a Chinese name with one in Latin letters: its pinyin, surname first or last.
func spelled(han, abc *Name) float64 {
	letters := strings.ReplaceAll(abc.joined, "v", "u")
	if letters == "" {
		return 0
	}
	best := 0.0
	for head := 1; head <= min(2, len(han.sounds)-1); head++ {
		family, given := strings.Join(han.sounds[:head], ""), strings.Join(han.sounds[head:], "")
		for _, want := range [...]string{family + given, given + family} {
			if want == letters {
				return inPinyin
			}
			if len(want) >= 6 && distance([]rune(want), []rune(letters), 1) == 1 {
				best = 0.85
			}
		}
	}
	if len(han.sounds) == 1 && han.sounds[0] == letters {
		return inPinyin
	}
	return best
}

func latin(a, b *Name) float64 {
	if slices.Equal(a.words, b.words) {
		return 0.98 // in another order
	}
	x, y := strings.Join(a.words, " "), strings.Join(b.words, " ")
	return max(edits(x, y), edits(a.joined, b.joined))
}

// edits is 1 less the share of characters that have to be changed.
func edits(x, y string) float64 {
	a, b := []rune(x), []rune(y)
	long := max(len(a), len(b))
	if long == 0 {
		return 0
	}
	return 1 - float64(distance(a, b, long))/float64(long)
}

// distance is the number of characters to insert, drop, change or swap with a neighbour (optimal string alignment), cut off beyond a
// bound: then it is bound+1.
func distance(a, b []rune, bound int) int {
	if abs(len(a)-len(b)) > bound {
		return bound + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		best := row[0]
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			best = min(best, row[j])
		}
		if best > bound {
			return bound + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], bound+1)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// Companies compares names of companies by their keys (lang.CompanyKey).
func Companies(a, b string) float64 {
	switch {
	case a == "" || b == "":
		return 0
	case a == b:
		return 1
	}
	return max(Texts(a, b), edits(a, b))
}

// Texts compares texts by the pairs of characters that they share (Dice), whatever their order.
func Texts(a, b string) float64 {
	switch {
	case a == "" || b == "":
		return 0
	case a == b:
		return 1
	}
	x, y := pairs(a), pairs(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	count := make(map[[2]rune]int, len(x))
	for _, p := range x {
		count[p]++
	}
	both := 0
	for _, p := range y {
		if count[p] > 0 {
			count[p]--
			both++
		}
	}
	return 2 * float64(both) / float64(len(x)+len(y))
}

// pairs are the neighbours among letters and digits.
func pairs(s string) [][2]rune {
	runes := letters(s)
	if len(runes) < 2 {
		return nil
	}
	out := make([][2]rune, len(runes)-1)
	for i := range out {
		out[i] = [2]rune{runes[i], runes[i+1]}
	}
	return out
}

func letters(s string) []rune {
	var out []rune
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			out = append(out, r)
		}
	}
	return out
}
