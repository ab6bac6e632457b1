package template

import (
	"strings"
	"unicode/utf16"
)

// Length is how long a short message is as networks count it.
type Length struct {
	Coding string // gsm7 or ucs2
	Units  int    // septets, or 16-bit units
	Parts  int
	Room   int // units that still fit into the last part
}

// The alphabet of GSM 03.38, and the signs that count twice.
const (
	gsmBasic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€"
)

// Measure counts a short message with its signature, brackets included: 160 septets or 70 units in one part, 153 or 67 in each of several.
func Measure(text string) Length {
	l := Length{Coding: "gsm7"}
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			l.Units++
		case strings.ContainsRune(gsmExtended, r):
			l.Units += 2
		default:
			l.Coding = "ucs2"
		}
	}
	one, each := 160, 153
	if l.Coding == "ucs2" {
		l.Units, one, each = len(utf16.Encode([]rune(text))), 70, 67
	}
	switch {
	case l.Units == 0:
		l.Room = one
	case l.Units <= one:
		l.Parts, l.Room = 1, one-l.Units
	default:
		l.Parts = (l.Units + each - 1) / each
		l.Room = l.Parts*each - l.Units
	}
	return l
}

// Signed is a short message with its signature in front, and its words for opting out behind unless it says them itself.
func Signed(sign, text, out string) string {
	text = strings.TrimSpace(text)
	if sign != "" && !strings.HasPrefix(text, "【") {
		text = "【" + sign + "】" + text
	}
	if out != "" && !strings.Contains(text, strings.TrimSpace(out)) {
		text += " " + strings.TrimSpace(out)
	}
	return text
}
