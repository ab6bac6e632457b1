package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// byTheBook is segmentItem and segmentBatch as encoding/json reads them.
type byTheBook struct {
	Type        text              `json:"type"`
	MessageID   text              `json:"messageId"`
	Event       text              `json:"event"`
	Name        text              `json:"name"`
	Category    text              `json:"category"`
	UserID      text              `json:"userId"`
	AnonymousID text              `json:"anonymousId"`
	GroupID     text              `json:"groupId"`
	PreviousID  text              `json:"previousId"`
	Timestamp   json.RawMessage   `json:"timestamp"`
	Original    json.RawMessage   `json:"originalTimestamp"`
	SentAt      json.RawMessage   `json:"sentAt"`
	Properties  json.RawMessage   `json:"properties"`
	Traits      json.RawMessage   `json:"traits"`
	Context     json.RawMessage   `json:"context"`
	Integration json.RawMessage   `json:"integrations"`
	Batch       []json.RawMessage `json:"batch"`
}

// held holds the lean reader against encoding/json on one text.
func held(t *testing.T, raw []byte) {
	t.Helper()
	raw = trimmed(raw)
	if !json.Valid(raw) {
		return
	}
	if n := value(raw); n != len(raw) {
		t.Fatalf("%q: the value ends at %d", raw, n)
	}
	if got, want := compact(raw), new(bytes.Buffer); json.Compact(want, raw) != nil || !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("%q: compact %q, want %q", raw, got, want)
	}
	var plain text
	if plain.UnmarshalJSON(raw) == nil && textOf(raw) != plain {
		t.Fatalf("%q: text %q, want %q", raw, textOf(raw), plain)
	}
	switch raw[0] {
	case '[':
		var want []json.RawMessage
		if json.Unmarshal(raw, &want) != nil || fmt.Sprintf("%q", elements(raw)) != fmt.Sprintf("%q", want) {
			t.Fatalf("%q: elements %q, want %q", raw, elements(raw), want)
		}
	case '{':
		got, want := map[string]string{}, map[string]string{}
		eachMember(raw, func(name, v []byte) { got[string(name)] = string(v) })
		for k, v := range members(raw) {
			want[k] = string(v)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: members %q, want %q", raw, got, want)
		}
		var book byTheBook
		err := json.Unmarshal(raw, &book)
		var m segmentItem
		var b segmentBatch
		m.read(raw)
		if ok := b.read(raw); ok != (err == nil) {
			t.Fatalf("%q: a batch %v, want %v", raw, ok, err)
		}
		if err != nil {
			return
		}
		mine := byTheBook{m.Type, m.MessageID, m.Event, m.Name, m.Category, m.UserID, m.AnonymousID, m.GroupID, m.PreviousID, m.Timestamp, m.Original, m.SentAt, m.Properties, m.Traits, m.Context, m.Integration, b.Batch}
		if fmt.Sprintf("%q", mine) != fmt.Sprintf("%q", book) {
			t.Fatalf("%q:\n%q, want\n%q", raw, mine, book)
		}
	}
	lower := lowered(nil, raw)
	full := bytes.ToLower(raw)
	for _, h := range hints {
		if bytes.Contains(full, h) && !bytes.Contains(lower, h) {
			t.Fatalf("%q: %q is not seen", raw, h)
		}
	}
}

// made is a JSON text of some depth, in any spelling that means something.
func made(r *rand.Rand, b *strings.Builder, depth int) {
	gap := func() { b.WriteString([]string{"", "", "", " ", "\n\t", "\r "}[r.IntN(6)]) }
	words := []string{"type", "Type", "MESSAGEID", "messageId", "event", "u\\u0073erId", "userId", "batch", "context", "sentAt", "previouſId", "Emai\u0130l", "EMAİL", "手机", "a\\\"b", "\\\\", "x\\u0000y", "\\ud83d\\ude00", "\\ud800", " pad ", "", "timestamp", "properties"}
	word := func() { b.WriteString(`"` + words[r.IntN(len(words))] + `"`) }
	gap()
	switch k := r.IntN(9); {
	case k < 3 && depth > 0:
		b.WriteByte('{')
		for i := range r.IntN(6) {
			if i > 0 {
				b.WriteByte(',')
			}
			gap()
			word()
			gap()
			b.WriteByte(':')
			made(r, b, depth-1)
		}
		gap()
		b.WriteByte('}')
	case k < 5 && depth > 0:
		b.WriteByte('[')
		for i := range r.IntN(4) {
			if i > 0 {
				b.WriteByte(',')
			}
			made(r, b, depth-1)
		}
		gap()
		b.WriteByte(']')
	case k < 7:
		word()
	default:
		b.WriteString([]string{"null", "true", "false", "0", "-1.5e+7", "12345678901234567890", "{}", "[]", "[ ]", "{ }"}[r.IntN(10)])
	}
	gap()
}

// The lean reader finds what encoding/json finds.
func TestLean(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	for range 30_000 {
		var b strings.Builder
		made(r, &b, 4)
		held(t, []byte(b.String()))
	}
}

func FuzzLean(f *testing.F) {
	for _, s := range []string{`{"type":"track","messageId":7,"batch":[{"a":1},"b\\"," "],"Context":{}}`, `{"batch":null,"batch":3}`, `"\\\""`, `[1,[2,{"x":"]"}]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(held)
}
