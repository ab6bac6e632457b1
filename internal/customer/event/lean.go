package event

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A reader of JSON that is known to be valid. A call is checked once as a whole; what is in it is then found without checking it over again, since
// a busy shop's batches are most of what the door does. Names are compared as encoding/json compares them: the last of several counts, in whatever case.

// value is the length of the value at the beginning of valid JSON, without white space before it.
func value(raw []byte) int {
	switch raw[0] {
	case '"':
		return quoted(raw)
	case '{', '[':
		depth := 0
		for i := 0; i < len(raw); i++ {
			switch raw[i] {
			case '"':
				i += quoted(raw[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(raw)
	}
	for i, c := range raw {
		if c == ',' || c == '}' || c == ']' || space(c) {
			return i
		}
	}
	return len(raw)
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// quoted is the length of the text at the beginning, quotes included.
func quoted(raw []byte) int {
	for i := 1; ; i++ {
		n := bytes.IndexByte(raw[i:], '"')
		if n < 0 {
			return len(raw)
		}
		i += n
		slashes := 0
		for raw[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}

func skipSpace(raw []byte) []byte {
	for len(raw) > 0 && space(raw[0]) {
		raw = raw[1:]
	}
	return raw
}

// eachMember gives the members of a valid object in their order, names without quotes; a name with a backslash is read.
func eachMember(raw []byte, take func(name, value []byte)) {
	raw = skipSpace(raw[1:])
	for len(raw) > 0 && raw[0] == '"' {
		n := quoted(raw)
		name := raw[1 : n-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(unquoted(raw[:n]))
		}
		raw = skipSpace(raw[n:])
		raw = skipSpace(raw[1:]) // the colon
		n = value(raw)
		take(name, raw[:n:n])
		if raw = skipSpace(raw[n:]); len(raw) == 0 || raw[0] != ',' {
			return
		}
		raw = skipSpace(raw[1:])
	}
}

// elements are those of a valid array.
func elements(raw []byte) []json.RawMessage {
	out := []json.RawMessage{}
	raw = skipSpace(raw[1:])
	for len(raw) > 0 && raw[0] != ']' {
		n := value(raw)
		out = append(out, json.RawMessage(raw[:n:n]))
		if raw = skipSpace(raw[n:]); len(raw) == 0 || raw[0] != ',' {
			break
		}
		raw = skipSpace(raw[1:])
	}
	return out
}

// unquoted is a valid JSON text as it is meant.
func unquoted(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// textOf is a value as a text: a number or boolean as it is written, "" for anything else.
func textOf(raw []byte) text {
	if len(raw) == 0 {
		return ""
	}
	switch c := raw[0]; {
	case c == '"':
		s := unquoted(raw)
		if strings.IndexByte(s, 0) >= 0 {
			s = strings.ReplaceAll(s, "\x00", "")
		}
		return text(strings.TrimSpace(s))
	case c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f':
		return text(raw)
	}
	return ""
}

// called reports whether a member has a name, in whatever case.
func called(name []byte, want string) bool {
	return string(name) == want || len(name) >= len(want) && strings.EqualFold(string(name), want)
}

// dense reports whether a valid value has no white space between its parts.
func dense(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			i += quoted(raw[i:]) - 1
		case space(c):
			return false
		}
	}
	return true
}

// lowered is a text in lower case, for finding names in; what is no ASCII stays, but for the one letter whose lower case is ASCII and stands in a name.
func lowered(dst, raw []byte) []byte {
	if bytes.Contains(raw, []byte("İ")) {
		return append(dst, bytes.ToLower(raw)...)
	}
	dst = append(dst, raw...)
	for i, c := range dst {
		if c-'A' < 26 {
			dst[i] = c | 0x20
		}
	}
	return dst
}
