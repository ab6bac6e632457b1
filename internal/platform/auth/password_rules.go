package auth

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

const (
	minPassword = 8   // characters
	maxPassword = 256 // characters; a bound on work, far above the 64 that must be allowed
)

//go:embed common_passwords.txt
var commonText string

//go:embed ranked_passwords.txt
var rankedText string

//go:embed password_roots.txt
var rootText string

var (
	common = sync.OnceValue(func() map[string]bool { return wordsOf(commonText + "\n" + rankedText) })
	roots  = sync.OnceValue(func() map[string]bool { return wordsOf(rootText) })
)

func wordsOf(text string) map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, w := range strings.Fields(line) {
			m[w] = true
		}
	}
	return m
}

// CheckPassword applies the rules of ASVS 5.0: at least 8 characters, at most 256, not among some 4700 of the commonest or made the way
// those are made (a well-known word with a usual number or a date, keys beside each other, a day, a mobile number, one piece
// over and over), and not one of the person's own words (name, address, workspace), with numbers and signs around or
// without. There are no rules of composition and no forced change. Faults carry the given field.
func CheckPassword(password, field string, own ...string) *fault.Fault {
	n := utf8.RuneCountInString(password)
	switch {
	case n < minPassword:
		return fault.InvalidField("auth.password_short", field, fault.Params{"min": minPassword})
	case n > maxPassword:
		return fault.InvalidField("auth.password_long", field, fault.Params{"max": maxPassword})
	case !utf8.ValidString(password):
		return fault.InvalidField("auth.password_encoding", field, nil)
	}
	p := lang.Fold(password)
	if isOwn(p, own) {
		return fault.InvalidField("auth.password_own", field, nil)
	}
	if common()[p] || common()[strings.TrimRight(p, "0123456789!@#.")] || repeated(p) || keyboard(p) || numeric(p) || rooted(p) || rooted(unleet(p)) {
		return fault.InvalidField("auth.password_common", field, nil)
	}
	return nil
}

// isOwn compares with the words that belong to the person: as they are, spelled in Latin letters, without spaces, with
// numbers and signs around, and the part of an address before the @.
func isOwn(p string, own []string) bool {
	bare := strings.TrimFunc(p, decoration)
	for _, o := range own {
		local, _, _ := strings.Cut(o, "@")
		for _, w := range []string{o, local, lang.Pinyin(o)} {
			w = lang.Fold(w)
			joined := strings.ReplaceAll(w, " ", "")
			if w == "" {
				continue
			}
			if p == w || p == joined || utf8.RuneCountInString(joined) >= 2 && (bare == strings.TrimFunc(w, decoration) || bare == strings.TrimFunc(joined, decoration)) && bare != "" {
				return true
			}
		}
	}
	return false
}

func decoration(r rune) bool { return !unicode.IsLetter(r) }

// rooted reports a well-known word with something usual before or behind it.
func rooted(p string) bool {
	start := strings.IndexFunc(p, unicode.IsLetter)
	if start < 0 {
		return false
	}
	end := strings.LastIndexFunc(p, unicode.IsLetter) + 1
	_, size := utf8.DecodeRuneInString(p[end-1:])
	end += size - 1
	if end > len(p) || !roots()[p[start:end]] {
		return false
	}
	return usual(p[:start]) && usual(p[end:])
}

// usual reports a run of digits that people add to a word: short ones, sequences, repetitions, years, days, numbers of love and luck.
func usual(s string) bool {
	s = strings.Trim(s, "!@#$%^&*.,?_-+=~ ")
	if len(s) <= 4 {
		return allDigits(s)
	}
	if !allDigits(s) {
		return false
	}
	return repeated(s) || keyboard(s) || day(s) || common()[s] || lucky[s] || strings.HasPrefix("123456789012345", s)
}

var lucky = map[string]bool{"5201314": true, "1314520": true, "520520": true, "521521": true, "13145": true, "52013": true, "168168": true, "147258": true, "147258369": true,
	"159357": true, "789456": true, "456789": true, "112233": true, "123123": true, "123321": true, "654321": true, "54321": true, "10086": true, "12306": true, "00700": true}

// numeric reports digits only that are a day or a mobile number of China.
func numeric(p string) bool {
	return allDigits(p) && (day(p) || len(p) == 11 && p[0] == '1' && p[1] >= '3')
}

func allDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// day reports digits that read as a date: yyyymmdd, ddmmyyyy, mmddyyyy or yymmdd.
func day(s string) bool {
	part := func(from, to int) int {
		n := 0
		for _, c := range s[from:to] {
			n = n*10 + int(c-'0')
		}
		return n
	}
	md := func(m, d int) bool { return m >= 1 && m <= 12 && d >= 1 && d <= 31 }
	year := func(y int) bool { return y >= 1930 && y <= 2039 }
	switch len(s) {
	case 6:
		return md(part(2, 4), part(4, 6))
	case 8:
		return year(part(0, 4)) && md(part(4, 6), part(6, 8)) || year(part(4, 8)) && (md(part(0, 2), part(2, 4)) || md(part(2, 4), part(0, 2)))
	}
	return false
}

var unleeter = strings.NewReplacer("@", "a", "4", "a", "0", "o", "3", "e", "$", "s", "5", "s", "7", "t")

// unleet reads digits and signs inside a word as the letters they stand for; those behind the word stay.
func unleet(p string) string {
	tail := strings.TrimRight(p, "0123456789!@#$%.")
	return unleeter.Replace(tail) + p[len(tail):]
}

// walks are the ways along a keyboard.
var walks = []string{"1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp",
	"!@#$%^&*()", "!qaz@wsx#edc$rfv%tgb^yhn", "147258369", "741852963", "abcdefghijklmnopqrstuvwxyz", "q1w2e3r4t5y6u7i8o9p0", "1q2w3e4r5t6y7u8i9o0p", "qawsedrftgyhujikolp"}

// keyboard reports a password made only of ways along the keyboard, each of at least three keys, in either direction.
func keyboard(p string) bool {
	for len(p) > 0 {
		best := 0
		for _, w := range walks {
			best = max(best, along(p, w), along(p, backwards(w)))
		}
		if best < 3 {
			return false
		}
		p = p[best:]
	}
	return true
}

// along is how much of the beginning of p lies somewhere in w.
func along(p, w string) int {
	for n := min(len(p), len(w)); n >= 3; n-- {
		if strings.Contains(w, p[:n]) {
			return n
		}
	}
	return 0
}

func backwards(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// repeated reports a password made of one piece of at most three characters over and over, or of a run such as 12345678.
func repeated(p string) bool {
	r := []rune(p)
	for size := 1; size <= 3; size++ {
		same := true
		for i := size; i < len(r); i++ {
			if r[i] != r[i-size] {
				same = false
				break
			}
		}
		if same {
			return true
		}
	}
	up, down := true, true
	for i := 1; i < len(r); i++ {
		up = up && r[i] == r[i-1]+1
		down = down && r[i] == r[i-1]-1
	}
	return up || down
}
