package lang

import (
	"strings"
	"sync"
	"unicode"

	"github.com/mozillazg/go-pinyin"
	"golang.org/x/text/unicode/norm"
)

// reading is one Mandarin syllable, "zhang" with tone 1; tone 5 is the neutral one. ü is written v, as it is typed.
type reading struct {
	syllable string
	tone     byte // '1' to '5'
}

const (
	hanFirst = 0x4E00
	hanLast  = 0x9FFF
)

// readings maps every character to its usual reading. The dense part covers all common characters, so that a name is
// read without hashing.
type readings struct {
	all   []reading // all[0] is "no reading"
	dense [hanLast - hanFirst + 1]uint16
	rest  map[rune]uint16
}

var table = sync.OnceValue(func() *readings {
	t := &readings{all: []reading{{}}, rest: map[rune]uint16{}}
	known := map[reading]uint16{}
	for code, text := range pinyin.PinyinDict {
		first, _, _ := strings.Cut(text, ",")
		rd := parseReading(first)
		if fixed, ok := usual[rune(code)]; ok { //nolint:gosec // a code point
			rd = numbered(fixed)
		}
		if rd.syllable == "" {
			continue
		}
		at, ok := known[rd]
		if !ok {
			at = uint16(len(t.all)) //nolint:gosec // some 1,600 syllables with tones
			known[rd] = at
			t.all = append(t.all, rd)
		}
		if code >= hanFirst && code <= hanLast {
			t.dense[code-hanFirst] = at
		} else {
			t.rest[rune(code)] = at //nolint:gosec // a code point
		}
	}
	return t
})

func (t *readings) of(r rune) reading {
	if r >= hanFirst && r <= hanLast {
		return t.all[t.dense[r-hanFirst]]
	}
	return t.all[t.rest[r]]
}

// parseReading takes a syllable with its tone mark, "zhāng", apart.
func parseReading(s string) reading {
	var b strings.Builder
	tone := byte('5')
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == 0x0304:
			tone = '1'
		case r == 0x0301:
			tone = '2'
		case r == 0x030C:
			tone = '3'
		case r == 0x0300:
			tone = '4'
		case r == 0x0308: // ü
			u := strings.TrimSuffix(b.String(), "u")
			b.Reset()
			b.WriteString(u + "v")
		case r >= 'a' && r <= 'z':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		}
	}
	return reading{b.String(), tone}
}

// numbered takes "zhang1" apart.
func numbered(s string) reading { return reading{s[:len(s)-1], s[len(s)-1]} }

// read gives the reading of each character of a run. With name set, a surname at the beginning is read as one.
func read(run []rune, name bool) []reading {
	t := table()
	out := make([]reading, len(run))
	for i := 0; i < len(run); i++ {
		if i+1 < len(run) {
			if p, ok := phrases[[2]rune{run[i], run[i+1]}]; ok {
				out[i], out[i+1] = numbered(p[0]), numbered(p[1])
				i++
				continue
			}
		}
		if i == 0 && name {
			if s, ok := surnames[run[0]]; ok {
				out[0] = numbered(s)
				continue
			}
		}
		out[i] = t.of(run[i])
	}
	return out
}

// longestName is the number of characters up to which a run that is the whole text is taken for a person's name.
const longestName = 4

// Pinyin spells Chinese without tones or spaces, ü as v: "张三" becomes "zhangsan". A text of two to four characters is
// read as a person's name. Characters without a reading are kept, other text is folded.
func Pinyin(s string) string {
	var b strings.Builder
	runes := []rune(Fold(s))
	name := isName(runes)
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && isHan(runes[j]) {
			j++
		}
		for k, rd := range read(runes[i:j], name) {
			if rd.syllable == "" {
				b.WriteRune(runes[i+k])
			}
			b.WriteString(rd.syllable)
		}
		if j < len(runes) {
			b.WriteRune(runes[j])
			j++
		}
		i = j
	}
	return b.String()
}

// SortKey returns a text whose byte order is the order in which people look up names: Chinese by pinyin, then tone,
// with equal characters together (all 张 before all 章), between Latin words, which are folded. Characters without a
// reading come last. The key holds 4 to 10 bytes for each character.
func SortKey(s string) string {
	s = Fold(s)
	if isASCII(s) {
		return s
	}
	runes := []rune(s)
	var b strings.Builder
	b.Grow(10 * len(runes))
	name := isName(runes)
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && isHan(runes[j]) {
			j++
		}
		for k, rd := range read(runes[i:j], name) {
			if rd.syllable != "" {
				b.WriteString(rd.syllable)
				b.WriteByte(rd.tone)
			}
			b.WriteRune(runes[i+k])
		}
		if j < len(runes) {
			b.WriteRune(runes[j])
			j++
		}
		i = j
	}
	return b.String()
}

func isName(runes []rune) bool {
	if len(runes) < 2 || len(runes) > longestName {
		return false
	}
	for _, r := range runes {
		if !isHan(r) {
			return false
		}
	}
	return true
}

func isHan(r rune) bool {
	switch {
	case r < 0x3007:
		return false
	case r >= hanFirst && r <= hanLast, r >= 0x3400 && r <= 0x4DBF, r == 0x3007:
		return true
	}
	return (r >= 0xF900 && r <= 0xFAFF) || (r >= 0x20000 && r <= 0x3FFFF)
}
