// Package text reads what people write about a shop: in which language it is, whether it praises or complains, and what it is about.
//
// A linear model over hashed pieces (characters, pairs and triples of Chinese; words and pairs of words of English) gives the
// sentiment. Its weights are learned by Train from reviews with labels and stand in the program, a byte for each bucket. Topics come from
// words that name them, clause by clause, so that one text may praise the quality and complain of the delivery.
//
// What the model cannot tell is Neutral: its probability lies in the middle, the text is too short, or in a language it has not learned.
// It does not understand irony, comparisons or what a text leaves unsaid. All functions may be used at once; nothing is kept between calls.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Version names the weights and words by which texts are read; what was read under another one is read anew.
const Version = "1"

// Language is what a text is written in.
type Language string

// The languages.
const (
	Simplified  Language = "zh-CN"
	Traditional Language = "zh-TW"
	English     Language = "en"
	Mixed       Language = "mixed"
	Other       Language = "other"
	Unclear     Language = "unclear" // too short to tell, or no letters
)

// Languages are all of them.
func Languages() []Language {
	return []Language{Simplified, Traditional, English, Mixed, Other, Unclear}
}

// Sentiment is whether a text praises or complains.
type Sentiment string

// The sentiments.
const (
	Positive Sentiment = "positive"
	Neutral  Sentiment = "neutral"
	Negative Sentiment = "negative"
)

// Sentiments are all of them.
func Sentiments() []Sentiment { return []Sentiment{Positive, Neutral, Negative} }

// Reading is what a text says.
type Reading struct {
	Language  Language
	Sentiment Sentiment
	Chance    float64 // that it praises, from 0 to 1; a half where nothing is known
	Topics    []About // in the order of Topics
}

// About is a topic and what the text says of it.
type About struct {
	Topic     Topic
	Sentiment Sentiment
}

// longest is how many bytes of a text are read; what follows changes nothing any more.
const longest = 8000

// Read reads a text.
func Read(s string) Reading {
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "")
	}
	plain := fold(s)
	r := Reading{Language: detect(s, plain), Chance: 0.5, Sentiment: Neutral}
	r.Sentiment, r.Chance = feel(plain)
	r.Topics = topics(plain)
	return r
}

// feel is the sentiment of a folded text by the model of its script.
func feel(plain string) (Sentiment, float64) {
	m := modelOf(plain)
	if m == nil {
		return Neutral, 0.5
	}
	return m.Feel(plain)
}

// modelOf chooses the model: that of Chinese when a quarter of the letters are Chinese, since one Chinese character says as much as a word.
func modelOf(plain string) *Model {
	han, latin, other := scripts(plain)
	switch {
	case other > han+latin:
		return nil
	case han > 0 && han*3 >= latin:
		return shipped().zh
	case latin > 0:
		return shipped().en
	}
	if hasEmoji(plain) {
		return shipped().zh
	}
	return nil
}

func hasEmoji(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x1F300 && r <= 0x1FAFF || r == 0x2764 })
}

// fold gives widths, cases, traditional characters and repeats one form.
func fold(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	var b strings.Builder
	b.Grow(len(s))
	var last rune
	run := 0
	for _, r := range s {
		if simple, ok := simplified[r]; ok {
			r = simple
		}
		switch {
		case r == 0xFE0F || r == 0xFEFF || r == 0x200B || r >= 0x1F3FB && r <= 0x1F3FF: // colours of emoji, marks without a width
			continue
		case r == '’' || r == '‘':
			r = '\''
		case unicode.IsDigit(r):
			r = '0'
		case unicode.IsSpace(r) && r != '\n':
			r = ' '
		}
		if r == last {
			run++
		} else {
			last, run = r, 1
		}
		if run <= 2 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// scripts counts Chinese characters, Latin letters and other letters.
func scripts(s string) (han, latin, other int) {
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				latin++
			}
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.IsLetter(r):
			other++
		}
	}
	return han, latin, other
}

// shortHan and shortLatin are the lengths below which the language of a text is not said.
const (
	shortHan   = 2
	shortLatin = 6
)

// detect says what a text is written in; original is as it was written.
func detect(original, plain string) Language {
	han, latin, other := scripts(original)
	kana := 0
	for _, r := range original {
		if unicode.In(r, unicode.Hiragana, unicode.Katakana) {
			kana++
		}
	}
	switch {
	case kana > 0 && kana*4 >= han || other > han+latin:
		if han+other < shortHan {
			return Unclear
		}
		return Other
	case han == 0 && latin < shortLatin || han > 0 && han < shortHan && latin < shortLatin:
		return Unclear
	case han > 0 && latin > han*3 && han*20 >= latin || han > 0 && latin >= shortLatin*2 && han*3 >= latin && latin*2 > han*3:
		return Mixed
	case han > 0 && han*3 >= latin:
		return script(original)
	}
	return roman(plain)
}

// script tells traditional from simplified characters.
func script(original string) Language {
	trad, simp := 0, 0
	for _, r := range original {
		if _, ok := simplified[r]; ok {
			trad++
		} else if simpleOnly[r] {
			simp++
		}
	}
	if trad > simp {
		return Traditional
	}
	return Simplified
}

// englishWords are those that hardly an English sentence does without, and that stand often in reviews.
var englishWords = set("the a an and or but is are was were be it its it's i my me we you your this that these those to of in on for with not no very so too as at by from have has had do " +
	"does did don't didn't good great bad nice love loved like poor quality price size fit fast slow late broken refund delivery shipping service store would will can just all they he she what when which there if than then one")

// roman tells English from other languages in Latin letters, by its most frequent words.
func roman(plain string) Language {
	words, known, foreign := 0, 0, 0
	for w := range strings.FieldsFuncSeq(plain, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' }) {
		words++
		if englishWords[w] {
			known++
		}
		if strings.ContainsFunc(w, func(r rune) bool { return r >= utf8.RuneSelf }) {
			foreign++
		}
	}
	switch {
	case words == 0:
		return Unclear
	case known*5 >= words && foreign*4 <= words:
		return English
	case words < 5 && foreign == 0:
		return Unclear
	}
	return Other
}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
