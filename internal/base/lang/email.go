package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// NormaliseEmail returns the address as it is compared: NFKC, lower case, without "mailto:", a display name or spaces
// around it. The check is lenient on purpose (real address books are): one @, a local part of 1 to 64 bytes, a domain of
// two or more labels, no white space or control characters. Dots and +tags are kept, since only some providers ignore
// them.
func NormaliseEmail(s string) (address string, ok bool) {
	s = strings.TrimSpace(norm.NFKC.String(strings.ToValidUTF8(s, "\uFFFD")))
	if i, j := strings.LastIndexByte(s, '<'), strings.LastIndexByte(s, '>'); i >= 0 && j == len(s)-1 && i < j {
		s = s[i+1 : j]
	}
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimPrefix(s, "mailto:")
	s = norm.NFKC.String(s)
	local, domain, found := strings.Cut(s, "@")
	domain = strings.TrimSuffix(strings.ReplaceAll(domain, "。", "."), ".")
	if !found || local == "" || len(local) > 64 || len(domain) > 253 || !validDomain(domain) {
		return "", false
	}
	if strings.ContainsFunc(local, func(r rune) bool {
		return r == '@' || r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r) ||
			strings.ContainsRune(`<>()[],;:\"`, r)
	}) {
		return "", false
	}
	return local + "@" + domain, true
}

func validDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, r := range l {
			if r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				return false
			}
		}
	}
	top := labels[len(labels)-1]
	return len(labels) > 1 && len(top) > 1 && !unicode.IsDigit(rune(top[0]))
}

// EmailDomain is the part after the @ of a normalised address, "" when there is none.
func EmailDomain(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}

// MaskEmail keeps the first character of the local part and the domain: "z***@example.com".
func MaskEmail(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" {
		return MaskText(address, 0, 0)
	}
	first, size := utf8.DecodeRuneInString(local)
	if size == len(local) {
		return "***@" + domain
	}
	return string(first) + "***@" + domain
}

// MaskText replaces the characters between the first and the last ones kept by asterisks. A text too short to hide
// anything that way is hidden whole; the empty text stays empty.
func MaskText(s string, keepFirst, keepLast int) string {
	runes := []rune(s)
	keepFirst, keepLast = max(keepFirst, 0), max(keepLast, 0)
	if keepFirst+keepLast >= len(runes) {
		keepFirst, keepLast = 0, 0
	}
	return string(runes[:keepFirst]) + strings.Repeat("*", len(runes)-keepFirst-keepLast) +
		string(runes[len(runes)-keepLast:])
}
