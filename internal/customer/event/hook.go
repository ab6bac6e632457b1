package event

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Mapping says how the calls of another program become events. Each part is a path into the JSON that comes, "order.customer.id",
// "items[0].sku", with or without "$." in front; or a constant behind an equals sign, "=Order Paid". An empty path is nothing, that of
// Properties everything.
type Mapping struct {
	Kind        event.Kind `json:"kind"`         // Track or Identify
	Each        string     `json:"each"`         // of a list, each of whose members is an event; the other paths begin at the member
	Event       string     `json:"event"`        // name; needed for Track
	UserID      string     `json:"user_id"`      // this
	AnonymousID string     `json:"anonymous_id"` // or this is needed
	Time        string     `json:"time"`
	MessageID   string     `json:"message_id"`
	Properties  string     `json:"properties"`
}

// maxPath bounds a path of a mapping, in bytes.
const maxPath = 300

// Check refuses a mapping that can bring no event.
func (m *Mapping) Check() error {
	bad := func(field, code string) error { return fault.InvalidField("event."+code, field, nil) }
	if m.Kind != event.Track && m.Kind != event.Identify {
		return bad("mapping.kind", "mapping_kind")
	}
	if m.Kind == event.Track && strings.TrimSpace(m.Event) == "" {
		return bad("mapping.event", "mapping_needed")
	}
	if strings.TrimSpace(m.UserID) == "" && strings.TrimSpace(m.AnonymousID) == "" {
		return bad("mapping.user_id", "mapping_needed")
	}
	for _, p := range []struct{ field, path string }{{"each", m.Each}, {"event", m.Event}, {"user_id", m.UserID}, {"anonymous_id", m.AnonymousID}, {"time", m.Time}, {"message_id", m.MessageID},
		{"properties", m.Properties}} {
		if _, ok := steps(p.path); !ok || len(p.path) > maxPath {
			return bad("mapping."+p.field, "mapping_path")
		}
	}
	return nil
}

// steps are the parts of a path: names, and places in lists as numbers.
func steps(path string) (out []any, ok bool) {
	path = strings.TrimSpace(path)
	if strings.HasPrefix(path, "=") {
		return nil, true
	}
	path = strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
	if path == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(path, ".") {
		name, rest, indexed := strings.Cut(part, "[")
		if name != "" {
			out = append(out, name)
		} else if !indexed {
			return nil, false
		}
		for indexed {
			var number string
			if number, rest, ok = strings.Cut(rest, "]"); !ok {
				return nil, false
			}
			n, err := strconv.Atoi(number)
			if err != nil || n < 0 {
				return nil, false
			}
			out = append(out, n)
			if rest == "" {
				break
			}
			if !strings.HasPrefix(rest, "[") {
				return nil, false
			}
			rest = rest[1:]
		}
	}
	return out, true
}

// at is what stands at a path, nil for nothing.
func at(v any, path string) any {
	path = strings.TrimSpace(path)
	if constant, ok := strings.CutPrefix(path, "="); ok {
		return strings.TrimSpace(constant)
	}
	list, ok := steps(path)
	if !ok {
		return nil
	}
	for _, s := range list {
		switch s := s.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

func textAt(v any, path string) string {
	if strings.TrimSpace(path) == "" {
		return ""
	}
	switch x := at(v, path).(type) {
	case string:
		return strings.TrimSpace(x)
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}

// Hook reads the call of another program by a mapping.
func Hook(m *Mapping, body []byte, d *Delivery) ([]Item, error) {
	if body = trimmed(body); len(body) > MaxBatch {
		return nil, Oversize(MaxBatch)
	}
	if len(body) == 0 || !json.Valid(body) {
		return nil, Unparseable()
	}
	whole, err := decode(body)
	if err != nil {
		return nil, Unparseable()
	}
	parts := []any{whole}
	if strings.TrimSpace(m.Each) != "" {
		list, ok := at(whole, m.Each).([]any)
		if !ok {
			return nil, fault.InvalidField("event.mapping_no_list", m.Each, nil)
		}
		parts = list
	} else if list, ok := whole.([]any); ok {
		parts = list
	}
	items := make([]Item, len(parts))
	for i, p := range parts {
		if items[i].Raw = encode(p); i >= MaxEvents {
			items[i].Fault = fault.New(fault.Invalid, "event.batch_full", fault.Params{"limit": MaxEvents})
			continue
		}
		d.hookOne(&items[i], m, p)
	}
	return items, nil
}

func (d *Delivery) hookOne(it *Item, m *Mapping, p any) {
	if len(it.Raw) > MaxEvent {
		it.Raw = nil
		it.Fault = fault.New(fault.Invalid, "event.too_large", fault.Params{"limit": MaxEvent >> 10})
		return
	}
	e := &it.Event
	e.Kind = m.Kind
	e.Name = nameOf(m.Kind, textAt(p, m.Event))
	e.UserID, e.AnonymousID, e.MessageID = textAt(p, m.UserID), textAt(p, m.AnonymousID), messageID(textAt(p, m.MessageID))
	var ok bool
	var given json.RawMessage
	if v := at(p, m.Properties); v != nil {
		given = encode(v)
	}
	if e.Properties, ok = object(given); !ok {
		it.Fault = refused("not_an_object", "properties", nil)
	}
	e.Context = json.RawMessage(`{"library":{"name":"webhook"}}`)
	var c claim
	if strings.TrimSpace(m.Time) != "" {
		if v := at(p, m.Time); v != nil {
			c.original = encode(v)
		}
	}
	if e.MessageID == "" { // a repetition of the call brings the same again
		bare := event.Event{Source: d.Source, Properties: it.Raw}
		e.MessageID = named(bare.ContentHash())
	}
	d.finish(it, c)
}
