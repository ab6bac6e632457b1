package schema

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Limits of texts, in characters, except JSON, which is in bytes.
const (
	MaxText     = 500 // unless Field.MaxLength says otherwise
	MaxLongText = 100_000
	MaxURL      = 2_000
	MaxJSON     = 65_536
)

func maxLength(f *Field) int {
	switch {
	case f.MaxLength > 0:
		return f.MaxLength
	case f.Type == LongText:
		return MaxLongText
	case f.Type == URL:
		return MaxURL
	}
	return MaxText
}

// checkText refuses what no text may hold: invalid UTF-8, control characters (line ends and tabs only in a long text),
// and more characters than the field takes.
func checkText(f *Field, s string) *fault.Fault {
	if !utf8.ValidString(s) {
		return invalid(f, "text_encoding", nil)
	}
	for _, r := range s {
		if unicode.IsControl(r) && !(f.Type == LongText && (r == '\n' || r == '\t')) {
			return invalid(f, "control_character", nil)
		}
	}
	if limit := maxLength(f); len(s) > limit && utf8.RuneCountInString(s) > limit {
		return invalid(f, "too_long", fault.Params{"max": limit})
	}
	return nil
}

// cleanText prepares the text of an import: spaces around it and a byte order mark are dropped, and inside a
// single-line field line ends and tabs become spaces, as spreadsheets have them everywhere. Other defects are faults.
func cleanText(f *Field, s string) (string, *fault.Fault) {
	if !utf8.ValidString(s) {
		return "", invalid(f, "text_encoding", nil)
	}
	s = strings.TrimPrefix(s, "\uFEFF")
	s = strings.TrimSpace(s)
	if f.Type == LongText {
		return newlines(s), nil
	}
	if f.Type != JSON && strings.ContainsAny(s, "\r\n\t\v\f") {
		s = strings.Join(strings.Fields(s), " ")
	}
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 && f.Type != JSON {
		return "", invalid(f, "control_character", nil)
	}
	return s, nil
}

func newlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// stringOf takes a text out of decoded JSON; numbers are taken as they are written, since codes look like numbers.
func stringOf(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case json.Number:
		return x.String(), true
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), true
	case int:
		return strconv.Itoa(x), true
	case int64:
		return strconv.FormatInt(x, 10), true
	}
	return "", false
}

// halfWidth turns full-width ASCII and the ideographic space into plain ASCII.
func halfWidth(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			return r - 0xFEE0
		case r == 0x3000 || r == 0xA0 || r == 0x202F || r == 0x2009:
			return ' '
		case r == 0x2212:
			return '-'
		}
		return r
	}, s)
}

// textCodec is of text and long text: trimmed; the empty text is no value.
type textCodec struct{}

func (textCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	s, ok := stringOf(v)
	if !ok {
		return nil, invalid(f, "not_text", nil)
	}
	if f.Type == LongText {
		s = newlines(s)
	}
	if bad := checkText(f, s); bad != nil {
		return nil, bad
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	return s, nil
}

func (textCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	if bad := checkText(f, s); bad != nil {
		return nil, bad
	}
	return s, nil
}

func (textCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any    { return v }
func (textCodec) formatText(_ *Field, v any, _ *ParseEnv) string { return v.(string) }

func (textCodec) encode(dst []any, f *Field, v any, e *EncodeEnv) []any {
	s := v.(string)
	dst = append(dst, v, e.fold(s))
	if f.Pinyin && f.Type != URL {
		dst = append(dst, lang.SortKey(s))
	}
	return dst
}

func (textCodec) decode(_ *Field, cols []any) any { return cols[0] }

// urlCodec is of web addresses: http and https with a host. An import may leave out the scheme.
type urlCodec struct{ textCodec }

func (urlCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	s, ok := v.(string)
	if !ok {
		return nil, invalid(f, "not_text", nil)
	}
	if bad := checkText(f, s); bad != nil {
		return nil, bad
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	return urlCodec{}.parseText(f, s, env)
}

func (urlCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	if bad := checkText(f, s); bad != nil {
		return nil, bad
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(s, " <>\"") {
		return nil, invalid(f, "not_url", nil)
	}
	return s, nil
}

// jsonCodec keeps any JSON value, compact.
type jsonCodec struct{}

func (jsonCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	raw, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(v); err != nil {
			return nil, invalid(f, "not_json", nil)
		}
	}
	return compactJSON(f, raw)
}

func (jsonCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	return compactJSON(f, []byte(s))
}

func compactJSON(f *Field, raw []byte) (any, *fault.Fault) {
	if len(raw) > MaxJSON {
		return nil, invalid(f, "json_too_long", fault.Params{"max": MaxJSON})
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil || !utf8.Valid(raw) || bytes.Contains(raw, []byte(`\u0000`)) {
		return nil, invalid(f, "not_json", nil)
	}
	if b.String() == "null" {
		return nil, nil
	}
	return json.RawMessage(b.Bytes()), nil
}

func (jsonCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any    { return v }
func (jsonCodec) formatText(_ *Field, v any, _ *ParseEnv) string { return string(v.(json.RawMessage)) }

func (jsonCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any {
	return append(dst, string(v.(json.RawMessage)))
}

func (jsonCodec) decode(_ *Field, cols []any) any {
	s, _ := cols[0].(string)
	return json.RawMessage(s)
}
