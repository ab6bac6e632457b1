package match

import (
	"strings"
	"unicode"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Address is a street address, read: its region, its numbers in their order, and its words without what kind of thing is numbered.
type Address struct {
	Region  string // code of a division, "" for unknown
	numbers []string
	words   string
}

// Street reads a street address in a region.
func Street(region, street string) Address {
	a := Address{Region: region}
	text := lang.Fold(street)
	var words strings.Builder
	var number strings.Builder
	flush := func() {
		if number.Len() > 0 {
			a.numbers = append(a.numbers, strings.TrimLeft(number.String(), "0"))
			number.Reset()
		}
	}
	for _, r := range text {
		if d, ok := digit(r); ok {
			number.WriteByte(d)
			continue
		}
		flush()
		if unicode.IsLetter(r) && !strings.ContainsRune("\u53f7\u5e62\u680b\u697c\u5ea7\u5ba4\u5c42\u5f04\u6237\u5355\u5143\u95e8", r) {
			words.WriteRune(r)
		}
	}
	flush()
	a.words = words.String()
	return a
}

// digit reads a digit, a Chinese one too; ten and beyond are written out in addresses seldom enough to be left as words.
func digit(r rune) (byte, bool) {
	if r >= '0' && r <= '9' {
		return byte(r), true
	}
	if i := strings.IndexRune("\u3007\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d", r); i >= 0 {
		return '0' + byte(i/3), true
	}
	return 0, false
}

// Empty reports an address that says nothing.
func (a *Address) Empty() bool { return a.words == "" && len(a.numbers) == 0 }

// Addresses compares addresses: half by their numbers, half by their words; in different cities they are not alike.
func Addresses(a, b *Address) float64 {
	if a.Empty() || b.Empty() {
		return 0
	}
	if len(a.Region) == 6 && len(b.Region) == 6 && a.Region[:4] != b.Region[:4] {
		return 0
	}
	words := Texts(a.words, b.words)
	if a.words == b.words {
		words = 1
	}
	if len(a.numbers) == 0 && len(b.numbers) == 0 {
		return words
	}
	same := 0
	for i := range min(len(a.numbers), len(b.numbers)) {
		if a.numbers[i] == b.numbers[i] {
			same++
		}
	}
	return words/2 + float64(same)/float64(max(len(a.numbers), len(b.numbers)))/2
}
