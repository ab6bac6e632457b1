package source

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// markup reads the XML of the parts of a workbook token by token. It knows what spreadsheets write and holds no more than one
// tag and one text, each up to a limit: entities that a document defines, which could grow without bound, are not known.
type markup struct {
	r     *bufio.Reader
	limit int // bytes kept of one text; what is longer is cut off, a byte after the limit

	tag   []byte // of the last tag, without the brackets
	text  []byte // of the last text
	empty bool   // the last tag began and ended an element
	names map[string]string
}

type token uint8

const (
	tagBegins token = iota
	tagEnds
	characters
)

const (
	maxTag   = 64 << 10
	maxNames = 100 // remembered, so that each of millions of tags is not a text of its own
)

var errMarkup = errors.New("not well-formed")

func newMarkup(r io.Reader, limit int) *markup {
	b := bufio.NewReaderSize(r, 64<<10)
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0xff, 0xfe}) || bytes.Equal(head, []byte{0xfe, 0xff}) {
		b = bufio.NewReaderSize(transform.NewReader(b, unicode.BOMOverride(encoding.Nop.NewDecoder())), 64<<10)
	}
	return &markup{r: b, limit: limit, names: map[string]string{}}
}

// next reads one token; io.EOF after the last.
func (m *markup) next() (token, error) {
	for {
		c, err := m.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != '<' {
			if err := m.r.UnreadByte(); err != nil {
				return 0, err
			}
			return characters, m.readText()
		}
		head, _ := m.r.Peek(8)
		switch {
		case bytes.HasPrefix(head, []byte("!--")):
			err = m.until("-->", nil)
		case bytes.HasPrefix(head, []byte("![CDATA[")):
			if _, err = m.r.Discard(len("![CDATA[")); err != nil {
				return 0, err
			}
			m.text = m.text[:0]
			return characters, m.until("]]>", &m.text)
		case bytes.HasPrefix(head, []byte("?")):
			err = m.until("?>", nil)
		case bytes.HasPrefix(head, []byte("!")):
			err = m.until(">", nil)
		default:
			return m.readTag()
		}
		if err != nil {
			return 0, err
		}
	}
}

// readText reads up to the next tag.
func (m *markup) readText() error {
	m.text = m.text[:0]
	entities := false
	for {
		part, err := m.r.ReadSlice('<')
		ended := err == nil
		if ended {
			if err := m.r.UnreadByte(); err != nil {
				return err
			}
			part = part[:len(part)-1]
		}
		entities = entities || bytes.IndexByte(part, '&') >= 0
		m.text = append(m.text, part[:min(len(part), m.limit+1-len(m.text))]...)
		switch {
		case ended, errors.Is(err, io.EOF):
			if entities {
				m.text = unescape(m.text)
			}
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// until skips past an end mark; what stands before it is appended to keep.
func (m *markup) until(end string, keep *[]byte) error {
	last := end[len(end)-1]
	var tail []byte
	for {
		part, err := m.r.ReadSlice(last)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return errors.Join(errMarkup, err)
		}
		if keep != nil {
			*keep = append(*keep, part[:min(len(part), max(m.limit+1+len(end)-len(*keep), 0))]...)
		}
		if tail = append(tail, part[max(len(part)-len(end), 0):]...); len(tail) > len(end) {
			tail = append(tail[:0], tail[len(tail)-len(end):]...)
		}
		if string(tail) == end {
			if keep != nil {
				*keep = bytes.TrimSuffix(*keep, []byte(end))
			}
			return nil
		}
	}
}

// readTag reads a tag whose "<" has been read.
func (m *markup) readTag() (token, error) {
	m.tag = m.tag[:0]
	quote := byte(0)
	for {
		c, err := m.r.ReadByte()
		if err != nil {
			return 0, errors.Join(errMarkup, err)
		}
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return m.finishTag()
		}
		if m.tag = append(m.tag, c); len(m.tag) > maxTag {
			return 0, errMarkup
		}
	}
}

func (m *markup) finishTag() (token, error) {
	if len(m.tag) == 0 {
		return 0, errMarkup
	}
	if m.tag[0] == '/' {
		m.tag = m.tag[1:]
		return tagEnds, nil
	}
	m.empty = m.tag[len(m.tag)-1] == '/'
	if m.empty {
		m.tag = m.tag[:len(m.tag)-1]
	}
	return tagBegins, nil
}

// name is the name of the last tag without its prefix.
func (m *markup) name() string {
	n := m.tag
	if i := bytes.IndexAny(n, " \t\r\n"); i >= 0 {
		n = n[:i]
	}
	if i := bytes.IndexByte(n, ':'); i >= 0 {
		n = n[i+1:]
	}
	if s, ok := m.names[string(n)]; ok {
		return s
	}
	s := string(n)
	if len(m.names) < maxNames {
		m.names[s] = s
	}
	return s
}

// attribute is an attribute of the last tag, nil when it is not there. Its name is given without a prefix; one that has a
// prefix is not found by it unless named with it.
func (m *markup) attribute(name string) []byte {
	rest := m.tag
	for {
		i := bytes.IndexByte(rest, '=')
		if i < 0 {
			return nil
		}
		key := bytes.TrimSpace(rest[:i])
		if at := bytes.LastIndexAny(key, " \t\r\n"); at >= 0 {
			key = key[at+1:]
		}
		rest = bytes.TrimLeft(rest[i+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return nil
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil
		}
		if string(key) == name {
			v := rest[1 : 1+end]
			if bytes.IndexByte(v, '&') >= 0 {
				v = unescape(bytes.Clone(v))
			}
			return v
		}
		rest = rest[end+2:]
	}
}

// unescape replaces entities in place; one that is not known stays as it is.
func unescape(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); {
		if b[i] == '&' {
			if end := bytes.IndexByte(b[i:min(len(b), i+12)], ';'); end > 0 {
				if r, ok := entity(string(b[i+1 : i+end])); ok {
					out = utf8.AppendRune(out, r)
					i += end + 1
					continue
				}
			}
		}
		out = append(out, b[i])
		i++
	}
	return out
}

func entity(s string) (rune, bool) {
	switch s {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(s) < 2 || s[0] != '#' {
		return 0, false
	}
	digits, base := s[1:], 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil && n > 0
}
