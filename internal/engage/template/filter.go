package template

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// worded are the filters of texts.
func worded(name, s string, arg func(int) string, n float64) any {
	switch name {
	case "upcase":
		return strings.ToUpper(s)
	case "downcase":
		return strings.ToLower(s)
	case "capitalize":
		first, size := utf8.DecodeRuneInString(s)
		if size == 0 {
			return s
		}
		return string(unicode.ToUpper(first)) + s[size:]
	case "strip":
		return strings.TrimSpace(s)
	case "append":
		return bound(s + arg(0))
	case "prepend":
		return bound(arg(0) + s)
	case "replace":
		if arg(0) == "" {
			return s
		}
		return bound(strings.ReplaceAll(s, arg(0), arg(1)))
	case "url_encode":
		return url.QueryEscape(s)
	case "truncate":
		end := arg(1)
		if end == "" {
			end = "…"
		}
		if r := []rune(s); n >= 1 && len(r) > int(n) {
			keep := max(0, int(n)-utf8.RuneCountInString(end))
			return string(r[:keep]) + end
		}
	}
	return s
}

// bound keeps filters from growing a value without end; what is too long is refused where it is put out.
func bound(s string) string {
	if len(s) > maxValue+1 {
		return strings.ToValidUTF8(s[:maxValue+1], "")
	}
	return s
}

// grouped is an amount with its thousands apart and a sign before it.
func grouped(n float64, sign string) string {
	text := strconv.FormatFloat(n, 'f', 2, 64)
	minus := ""
	if text[0] == '-' {
		minus, text = "-", text[1:]
	}
	whole, rest, _ := strings.Cut(text, ".")
	var b strings.Builder
	b.WriteString(minus + sign)
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if rest != "00" {
		b.WriteString("." + rest)
	}
	return b.String()
}

// dated writes a day by the signs of strftime that people use.
func dated(v any, form string) any {
	at, ok := v.(time.Time)
	if s, isText := v.(string); isText {
		var err error
		if at, err = time.Parse("2006-01-02", s[:min(len(s), 10)]); err == nil {
			ok = true
		}
	}
	if !ok {
		return v
	}
	var b strings.Builder
	for i := 0; i < len(form); i++ {
		if form[i] != '%' || i+1 == len(form) {
			b.WriteByte(form[i])
			continue
		}
		i++
		strip := form[i] == '-' && i+1 < len(form)
		if strip {
			i++
		}
		part := map[byte]string{'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'B': "January", 'b': "Jan", 'A': "Monday", 'a': "Mon", 'e': "2"}[form[i]]
		if part == "" {
			b.WriteByte(form[i])
			continue
		}
		s := at.Format(part)
		if strip {
			s = strings.TrimPrefix(s, "0")
		}
		b.WriteString(s)
	}
	return b.String()
}
