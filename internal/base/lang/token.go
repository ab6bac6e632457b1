package lang

import (
	"strings"
	"unicode"
)

// Bounds that keep one long text from filling the index.
const (
	maxTokens    = 512
	maxTokenSize = 64 // bytes
	maxSpelled   = 16 // characters of a Chinese run that is also indexed by pinyin
)

// Tokens returns the search tokens of a text to be stored, each once, in order of appearance: folded words and numbers
// without accents, letters and digits of mixed words apart ("ab12" also as "ab" and "12"); for each run of Chinese its
// first character as "^张", its pairs of characters, its pinyin ("zhangsan"), that of a given name ("san") and its
// initials ("zs"). A surname with two readings is spelled both ways, ü as v and as u. Texts beyond 512 tokens are cut.
func Tokens(s string) []string {
	t := &tokens{seen: map[string]bool{}}
	runes := []rune(Fold(s))
	split(runes, func(run []rune, cjk bool) {
		if !cjk {
			t.word(string(run))
			return
		}
		t.add("^" + string(run[0]))
		for i := 1; i < len(run); i++ {
			t.add(string(run[i-1 : i+1]))
		}
		if len(run) <= maxSpelled {
			t.spell(run, len(run) == len(runes) && isName(run))
		}
	})
	return t.list
}

// QueryTokens returns the tokens of what a user typed; a text matches when it holds all of them. One Chinese character
// alone asks for a beginning ("^张"), more ask for their pairs. The caller matches the last token, or any Latin one, as
// a prefix.
func QueryTokens(q string) []string {
	t := &tokens{seen: map[string]bool{}}
	split([]rune(Fold(q)), func(run []rune, cjk bool) {
		switch {
		case !cjk:
			t.add(stripMarks(string(run)))
		case len(run) == 1:
			t.add("^" + string(run))
		default:
			for i := 1; i < len(run); i++ {
				t.add(string(run[i-1 : i+1]))
			}
		}
	})
	return t.list
}

// PhoneTokens returns the whole number, its last seven and its last four digits, as far as it has so many. They are
// personal data in clear: the caller stores keyed digests of them.
func PhoneTokens(e164 string) []string {
	digits := strings.TrimPrefix(e164, "+")
	if digits == "" {
		return nil
	}
	out := []string{e164}
	for _, n := range [...]int{7, 4} {
		if len(digits) > n {
			out = append(out, digits[len(digits)-n:])
		}
	}
	return out
}

type tokens struct {
	list []string
	seen map[string]bool
}

func (t *tokens) add(s string) {
	if len(s) > maxTokenSize {
		s = strings.ToValidUTF8(s[:maxTokenSize], "")
	}
	if s == "" || t.seen[s] || len(t.list) >= maxTokens {
		return
	}
	t.seen[s] = true
	t.list = append(t.list, s)
}

// word adds a word, and its runs of letters and of digits when it has both.
func (t *tokens) word(w string) {
	w = stripMarks(w)
	t.add(w)
	start, kind := 0, 0
	for i, r := range w {
		k := 1
		if unicode.IsDigit(r) {
			k = 2
		}
		if kind != 0 && k != kind {
			t.add(w[start:i])
			start = i
		}
		kind = k
	}
	if start > 0 {
		t.add(w[start:])
	}
}

// spell adds the pinyin of a run.
func (t *tokens) spell(run []rune, name bool) {
	for _, r := range run {
		if !isHan(r) {
			return
		}
	}
	t.spelled(run, read(run, name))
	if name {
		if plain := read(run, false); plain[0].syllable != read(run, true)[0].syllable {
			t.spelled(run, plain)
		}
	}
}

func (t *tokens) spelled(run []rune, rd []reading) {
	var full, initials strings.Builder
	given := 0 // where the given name begins in full
	family := 1
	if len(run) > 2 && doubleSurnames[[2]rune{run[0], run[1]}] {
		family = 2
	}
	for i, r := range rd {
		if r.syllable == "" {
			return
		}
		if i == family {
			given = full.Len()
		}
		full.WriteString(r.syllable)
		initials.WriteByte(r.syllable[0])
	}
	all := full.String()
	forms := []string{all}
	if given > 0 && len(run) <= longestName {
		forms = append(forms, all[given:])
	}
	for _, f := range forms {
		t.add(f)
		if strings.ContainsRune(f, 'v') {
			t.add(strings.ReplaceAll(f, "v", "u"))
		}
	}
	t.add(initials.String())
}

// split calls yield for every run of Chinese, Japanese or Korean characters and for every other word.
func split(runes []rune, yield func(run []rune, cjk bool)) {
	const (
		none = iota
		word
		ideograph
	)
	kind := func(r rune) int {
		switch {
		case isHan(r), r >= 0x3040 && r <= 0x30FF && r != 0x30FB, r >= 0xAC00 && r <= 0xD7A3:
			return ideograph
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			return word
		}
		return none
	}
	for i := 0; i < len(runes); {
		k := kind(runes[i])
		j := i + 1
		for j < len(runes) && kind(runes[j]) == k {
			j++
		}
		if k != none {
			yield(runes[i:j], k == ideograph)
		}
		i = j
	}
}
