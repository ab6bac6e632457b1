package tracking

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Step is one change that a rejected event undergoes before it goes through the door again.
type Step struct {
	Do       string `json:"do"`                 // rename_event, rename, cast, remove, set, user_id
	Event    string `json:"event,omitempty"`    // rename_event: the name it gets
	Property string `json:"property,omitempty"` // of all others, at the top level of the properties
	To       string `json:"to,omitempty"`       // rename: the name; cast: the type; set: the value as a text
}

// Steps are what Step.Do may be.
func Steps() []string { return []string{"rename_event", "rename", "cast", "remove", "set", "user_id"} }

const maxSteps = 20

// CheckSteps refuses steps that say nothing, with their places.
func CheckSteps(steps []Step) error {
	var bad []*fault.Fault
	if len(steps) > maxSteps {
		bad = append(bad, fault.InvalidField("tracking.too_many_steps", "steps", fault.Params{"max": maxSteps}))
	}
	for i, s := range steps {
		at := "steps." + strconv.Itoa(i)
		switch {
		case !slices.Contains(Steps(), s.Do):
			bad = append(bad, fault.InvalidField("tracking.bad_step", at+".do", nil))
		case s.Do == "rename_event" && (strings.TrimSpace(s.Event) == "" || utf8.RuneCountInString(s.Event) > maxName):
			bad = append(bad, fault.InvalidField("tracking.bad_name", at+".event", fault.Params{"max": maxName}))
		case s.Do != "rename_event" && s.Property == "":
			bad = append(bad, fault.InvalidField("tracking.bad_property", at+".property", fault.Params{"max": maxName}))
		case s.Do == "rename" && s.To == "":
			bad = append(bad, fault.InvalidField("tracking.bad_property", at+".to", fault.Params{"max": maxName}))
		case s.Do == "cast" && !slices.Contains([]Type{Text, Number, Integer, Bool}, Type(s.To)):
			bad = append(bad, fault.InvalidField("tracking.bad_type", at+".to", nil))
		}
	}
	if f := fault.Join("tracking.invalid", bad); f != nil {
		return f
	}
	return nil
}

// Body is an event in the words of the Segment specification, with its corrected time.
func Body(e *event.Event) (json.RawMessage, error) {
	m := map[string]any{"type": e.Kind, "messageId": e.MessageID, "timestamp": time.UnixMilli(e.At).UTC().Format(time.RFC3339Nano), "context": e.Context}
	for name, value := range map[string]string{"userId": e.UserID, "anonymousId": e.AnonymousID, "groupId": e.GroupID, "previousId": e.PreviousID} {
		if value != "" {
			m[name] = value
		}
	}
	switch e.Kind {
	case event.Track:
		m["event"], m["properties"] = e.Name, e.Properties
	case event.Identify, event.Group:
		m["traits"] = e.Properties
	default:
		m["properties"] = e.Properties
	}
	return json.Marshal(m)
}

// Fix applies steps to an event in the words of the Segment specification. What a step does not find it leaves.
func Fix(body json.RawMessage, steps []Step) (json.RawMessage, error) {
	if len(steps) == 0 {
		return body, nil
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fault.New(fault.Invalid, "tracking.not_an_event", nil)
	}
	place := "properties"
	if _, ok := m["traits"]; ok && m["properties"] == nil {
		place = "traits"
	}
	var props map[string]json.RawMessage
	if raw, ok := m[place]; ok {
		if err := json.Unmarshal(raw, &props); err != nil {
			return nil, fault.New(fault.Invalid, "tracking.not_an_event", nil)
		}
	}
	if props == nil {
		props = map[string]json.RawMessage{}
	}
	for _, s := range steps {
		s.apply(m, props)
	}
	raw, err := json.Marshal(props)
	if err != nil {
		return nil, err
	}
	m[place] = raw
	return json.Marshal(m)
}

func (s Step) apply(m, props map[string]json.RawMessage) {
	v, there := props[s.Property]
	switch s.Do {
	case "rename_event":
		m["event"] = quote(strings.TrimSpace(s.Event))
	case "rename":
		if there {
			delete(props, s.Property)
			props[s.To] = v
		}
	case "remove":
		delete(props, s.Property)
	case "set":
		props[s.Property] = quote(s.To)
	case "cast":
		if there {
			if w, ok := cast(v, Type(s.To)); ok {
				props[s.Property] = w
			}
		}
	case "user_id":
		if there && bytes.HasPrefix(bytes.TrimSpace(v), []byte(`{"$sealed":`)) { // opened when it goes through the door
			m["userId"] = v
		} else if there {
			if text := plain(Value{Raw: v}); text != "" && text != "null" {
				m["userId"] = quote(text)
			}
		}
	}
}

func quote(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil { // texts always encode
		return json.RawMessage(`""`)
	}
	return b
}

// cast turns a simple value into another type; ok is false where it has no such form, and then it stays.
func cast(v json.RawMessage, to Type) (json.RawMessage, bool) {
	text := strings.TrimSpace(plain(Value{Raw: v}))
	switch typeOf(v) {
	case Object, List, Null:
		return nil, false
	}
	switch to {
	case Text:
		return quote(text), true
	case Bool:
		switch strings.ToLower(text) {
		case "true", "1", "yes", "是":
			return json.RawMessage("true"), true
		case "false", "0", "no", "否":
			return json.RawMessage("false"), true
		}
	case Number, Integer:
		f, err := strconv.ParseFloat(strings.NewReplacer(",", "", "¥", "", "￥", "", "$", "").Replace(text), 64)
		if err != nil || f != f || f > 1e15 || f < -1e15 {
			return nil, false
		}
		if to == Integer {
			return json.RawMessage(strconv.FormatInt(int64(f), 10)), f == float64(int64(f))
		}
		return json.RawMessage(strconv.FormatFloat(f, 'f', -1, 64)), true
	}
	return nil, false
}
