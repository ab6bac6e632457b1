package lang

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Locale is a BCP 47 tag of a language that the program speaks, as written in folder names: "zh-CN", "en".
type Locale string

// The locales that are always complete.
const (
	ChineseSimplified Locale = "zh-CN"
	English           Locale = "en"
)

// base is the language without script and region, "zh" of "zh-CN".
func (l Locale) base() string {
	b, _, _ := strings.Cut(string(l), "-")
	return strings.ToLower(b)
}

// Match chooses a locale for an Accept-Language header: the best-weighted tag that is supported exactly or shares its
// language, else fallback. Without a list, Chinese and English are supported. A header that cannot be read counts as
// absent.
func Match(acceptLanguage string, fallback Locale, supported ...Locale) Locale {
	if len(supported) == 0 {
		supported = []Locale{ChineseSimplified, English}
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return fallback
	}
	for _, tag := range tags {
		name := tag.String()
		for _, l := range supported {
			if strings.EqualFold(name, string(l)) {
				return l
			}
		}
		base, confidence := tag.Base()
		if confidence == language.No {
			continue
		}
		for _, l := range supported {
			if l.base() == base.String() {
				return l
			}
		}
	}
	return fallback
}

// Label is a short text in several languages, such as the name of a field. A nil Label is empty.
type Label map[Locale]string

// In returns the text in a locale, else in another of the same language, else English, Chinese, or the first of what
// there is by the order of locales; "" when there is nothing.
func (l Label) In(loc Locale) string {
	if s := l[loc]; s != "" {
		return s
	}
	keys := slices.Sorted(maps.Keys(l))
	for _, k := range keys {
		if k.base() == loc.base() && l[k] != "" {
			return l[k]
		}
	}
	for _, k := range append([]Locale{English, ChineseSimplified}, keys...) {
		if l[k] != "" {
			return l[k]
		}
	}
	return ""
}
