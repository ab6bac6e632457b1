package event

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Calls of the Segment API by the last part of their address.
var segmentCalls = map[string]event.Kind{
	"identify": event.Identify, "track": event.Track, "page": event.Page, "screen": event.Screen, "group": event.Group, "alias": event.Alias,
	"i": event.Identify, "t": event.Track, "p": event.Page, "s": event.Screen, "g": event.Group, "a": event.Alias,
}

// Call is the kind of a single call's address, "" for "batch", "b", "import" and "m"; known is false for any other.
func Call(name string) (kind event.Kind, known bool) {
	switch name {
	case "batch", "b", "import", "m":
		return "", true
	}
	kind, known = segmentCalls[name]
	return kind, known
}

// segmentItem is one message. Texts that SDKs also send as numbers are read from both.
type segmentItem struct {
	Type, MessageID, Event, Name, Category   text
	UserID, AnonymousID, GroupID, PreviousID text
	Timestamp, Original, SentAt              json.RawMessage
	Properties, Traits, Context, Integration json.RawMessage
}

// read takes the members of a valid object.
func (m *segmentItem) read(raw []byte) {
	eachMember(raw, func(name, v []byte) {
		if t := m.text(name); t != nil {
			*t = textOf(v)
		} else if r := m.raw(name); r != nil {
			*r = v
		}
	})
}

func (m *segmentItem) text(name []byte) *text {
	switch {
	case called(name, "type"):
		return &m.Type
	case called(name, "messageId"):
		return &m.MessageID
	case called(name, "event"):
		return &m.Event
	case called(name, "name"):
		return &m.Name
	case called(name, "category"):
		return &m.Category
	case called(name, "userId"):
		return &m.UserID
	case called(name, "anonymousId"):
		return &m.AnonymousID
	case called(name, "groupId"):
		return &m.GroupID
	case called(name, "previousId"):
		return &m.PreviousID
	}
	return nil
}

func (m *segmentItem) raw(name []byte) *json.RawMessage {
	switch {
	case called(name, "timestamp"):
		return &m.Timestamp
	case called(name, "originalTimestamp"):
		return &m.Original
	case called(name, "sentAt"):
		return &m.SentAt
	case called(name, "properties"):
		return &m.Properties
	case called(name, "traits"):
		return &m.Traits
	case called(name, "context"):
		return &m.Context
	case called(name, "integrations"):
		return &m.Integration
	}
	return nil
}

// segmentBatch is the envelope of a batch.
type segmentBatch struct {
	Batch                        []json.RawMessage // nil for none
	SentAt, Context, Integration json.RawMessage
}

// read takes the members of a valid object; false where the batch is no list.
func (b *segmentBatch) read(raw []byte) (ok bool) {
	ok = true
	eachMember(raw, func(name, v []byte) {
		switch {
		case called(name, "batch"):
			switch v[0] {
			case '[':
				b.Batch = elements(v)
			case 'n':
				b.Batch = nil
			default:
				ok = false
			}
		case called(name, "sentAt"):
			b.SentAt = v
		case called(name, "context"):
			b.Context = v
		case called(name, "integrations"):
			b.Integration = v
		}
	})
	return ok
}

// text is a JSON string, or a number or boolean as it was written; anything else is "".
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	if len(raw) == 0 {
		return nil
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*t = text(strings.TrimSpace(strings.ReplaceAll(s, "\x00", "")))
	case c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f':
		*t = text(raw)
	}
	return nil
}

// KeyIn is the writeKey in a body, "" for none. It looks at the envelope alone.
func KeyIn(body []byte) string {
	var v struct {
		WriteKey text `json:"writeKey"`
	}
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	return string(v.WriteKey)
}

// Segment reads a call of the Segment API. A body that is no JSON object, or is too large, is an error of the whole call; everything else
// is an error of one item. Events beyond MaxEvents are refused one by one.
func Segment(name string, body []byte, d *Delivery) ([]Item, error) {
	kind, known := Call(name)
	if !known {
		return nil, fault.New(fault.NotFound, "event.call_unknown", nil)
	}
	limit := MaxBatch
	if kind != "" {
		limit = MaxEvent
	}
	if len(body) > limit {
		return nil, Oversize(limit)
	}
	body = trimmed(body)
	if len(body) == 0 || body[0] != '{' {
		return nil, Unparseable()
	}
	if !json.Valid(body) {
		return nil, Unparseable()
	}
	if kind != "" {
		return []Item{d.segmentOne(kind, body, &segmentBatch{})}, nil
	}
	var b segmentBatch
	if !b.read(body) || b.Batch == nil {
		return nil, Unparseable()
	}
	items := make([]Item, len(b.Batch))
	for i, raw := range b.Batch {
		if i >= MaxEvents {
			items[i] = Item{Raw: raw, Fault: fault.New(fault.Invalid, "event.batch_full", fault.Params{"limit": MaxEvents})}
			continue
		}
		items[i] = d.segmentOne("", raw, &b)
	}
	return items, nil
}

// segmentOne reads one message out of valid JSON.
func (d *Delivery) segmentOne(kind event.Kind, raw json.RawMessage, b *segmentBatch) Item {
	it := Item{Raw: raw}
	var m segmentItem
	if len(raw) > MaxEvent {
		it.Raw = nil
		it.Fault = fault.New(fault.Invalid, "event.too_large", fault.Params{"limit": MaxEvent >> 10})
		return it
	}
	switch raw[0] {
	case '{':
		m.read(raw)
	case 'n':
	default:
		it.Fault = refused("not_an_object", "", nil)
		return it
	}
	e := &it.Event
	e.MessageID = messageID(string(m.MessageID))
	if e.Kind = kind; kind == "" {
		e.Kind = segmentCalls[strings.ToLower(string(m.Type))]
	}
	e.Name = nameOf(e.Kind, string(m.Event))
	if e.Kind == "" {
		it.Fault = refused("kind_unknown", "type", fault.Params{"type": cut(string(m.Type), 40)})
		return it
	}
	e.UserID, e.AnonymousID, e.GroupID, e.PreviousID = string(m.UserID), string(m.AnonymousID), string(m.GroupID), string(m.PreviousID)
	field, body := "properties", m.Properties
	if e.Kind == event.Identify || e.Kind == event.Group {
		field, body = "traits", m.Traits
	}
	var ok bool
	if e.Properties, ok = objectIn(body); !ok {
		it.Fault = refused("not_an_object", field, nil)
	}
	if e.Kind == event.Page || e.Kind == event.Screen {
		e.Properties = with(e.Properties, "name", string(m.Name))
		e.Properties = with(e.Properties, "category", string(m.Category))
	}
	if e.Context, ok = d.segmentContext(&m, b); !ok {
		it.Fault = refused("not_an_object", "context", nil)
	}
	c := claim{original: m.Original, sent: m.SentAt}
	if d.Locate != nil && !d.Own {
		if c.address = addressIn(m.Context); c.address == "" {
			c.address = addressIn(b.Context)
		}
	}
	if absent(c.original) {
		c.original = m.Timestamp
	}
	if absent(c.sent) {
		c.sent = b.SentAt
	}
	d.finish(&it, c)
	return it
}

// segmentContext merges the batch's context below the item's own and leaves out what is not kept.
func (d *Delivery) segmentContext(m *segmentItem, b *segmentBatch) (json.RawMessage, bool) {
	own, ok := objectIn(m.Context)
	if !ok {
		return own, false
	}
	shared, ok := objectIn(b.Context)
	if !ok {
		return own, false
	}
	flags, _ := objectIn(m.Integration)
	below, _ := objectIn(b.Integration)
	flags = merge(flags, below)
	own = merge(own, shared)
	if len(flags) > 2 {
		own = put(own, "integrations", flags)
	}
	if d.UserAgent != "" && !bytes.Contains(own, []byte(`"userAgent"`)) {
		own = with(own, "userAgent", cut(d.UserAgent, 500))
	}
	return without(own, "ip"), true
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || raw[0] == 'n' || string(raw) == `""` }
