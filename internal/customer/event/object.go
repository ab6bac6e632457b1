package event

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Helpers on JSON objects as texts. What they answer is compact, valid UTF-8 and without the character 0, which PostgreSQL cannot keep, and
// depends on the object alone, so that a resend gives the same bytes.

var emptyObject = json.RawMessage("{}")

// trimmed is a body without white space and byte order mark around it, what is no UTF-8 replaced.
func trimmed(body []byte) []byte {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\ufffd"))
	}
	return body
}

// object is an object as it is kept; nothing and null are the empty one, ok is false for anything else.
func object(raw json.RawMessage) (out json.RawMessage, ok bool) {
	if raw = bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '{' && !json.Valid(raw) {
		return emptyObject, false
	}
	return objectIn(raw)
}

// objectIn is object of a value in valid JSON, without white space around it.
func objectIn(raw json.RawMessage) (out json.RawMessage, ok bool) {
	if len(raw) == 0 || raw[0] == 'n' {
		return emptyObject, true
	}
	if raw[0] != '{' {
		return emptyObject, false
	}
	if bytes.Contains(raw, []byte(`\u0000`)) || bytes.Contains(raw, []byte(`\ud`)) || bytes.Contains(raw, []byte(`\uD`)) {
		v, err := decode(raw)
		if err != nil {
			return emptyObject, false
		}
		return encode(v), true
	}
	return compact(raw), true
}

// compact is a copy of a valid value without white space between its parts.
func compact(raw []byte) json.RawMessage {
	if dense(raw) {
		return bytes.Clone(raw)
	}
	var b bytes.Buffer
	b.Grow(len(raw))
	if err := json.Compact(&b, raw); err != nil { // it is valid
		return emptyObject
	}
	return b.Bytes()
}

// decode reads any JSON value, numbers as they are written and texts without the character 0.
func decode(raw []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return scrubbed(v), nil
}

func scrubbed(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = scrubbed(v[i])
		}
	case map[string]any:
		for k, x := range v {
			if plain := strings.ReplaceAll(k, "\x00", ""); plain != k {
				delete(v, k)
				k = plain
			}
			v[k] = scrubbed(x)
		}
	}
	return v
}

func encode(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // what was decoded can be encoded
		return emptyObject
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// members are the parts of an object.
func members(o json.RawMessage) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(o, &m) != nil {
		return nil
	}
	return m
}

func joined(m map[string]json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(encode(k))
		b.WriteByte(':')
		b.Write(m[k])
	}
	b.WriteByte('}')
	return b.Bytes()
}

// merge is own with what it does not say itself taken from below.
func merge(own, below json.RawMessage) json.RawMessage {
	if len(below) <= 2 {
		return own
	}
	if len(own) <= 2 {
		return below
	}
	m := members(below)
	maps.Copy(m, members(own))
	return joined(m)
}

// put is an object with a member set.
func put(o json.RawMessage, key string, value json.RawMessage) json.RawMessage {
	m := members(o)
	if m == nil {
		m = map[string]json.RawMessage{}
	}
	m[key] = value
	return joined(m)
}

// with is an object with a text that it did not have; "" adds nothing.
func with(o json.RawMessage, key, value string) json.RawMessage {
	if value == "" {
		return o
	}
	if m := members(o); m[key] != nil {
		return o
	}
	return put(o, key, encode(value))
}

// without is an object without a member.
func without(o json.RawMessage, key string) json.RawMessage {
	if !bytes.Contains(o, []byte(`"`+key+`"`)) {
		return o
	}
	m := members(o)
	if _, there := m[key]; !there {
		return o
	}
	delete(m, key)
	return joined(m)
}

// cut is a text of at most n bytes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func keysOf[V any](m map[string]V) []string { return slices.Collect(maps.Keys(m)) }

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
