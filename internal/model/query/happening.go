package query

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Behaving is a Subject whose events are at hand. Conditions about events are answered in memory for such a one only.
type Behaving interface {
	Subject
	// Events are the customer's events of a name (AnyEvent: all), without those that carry one of EventFlagsApart, in any order.
	Events(name string) []*Happening
}

// Happening is one event as a condition sees it. It is a Subject without fields, so that events are rows like records.
type Happening struct {
	EventID id.ID
	Name    string
	At      int64          // milliseconds
	Day     int64          // local day
	Columns map[string]any // by column of the relation of events: string or int64; "" is no value
	// Properties are a JSON object as decoded with json.Decoder.UseNumber.
	Properties map[string]any
}

// ID is the event's id.
func (h *Happening) ID() id.ID { return h.EventID }

// Value is nil: an event has no fields.
func (h *Happening) Value(*schema.Field) any { return nil }

// Related is nil.
func (h *Happening) Related(*schema.Field) Subject { return nil }

// Records are none.
func (h *Happening) Records(*schema.Object, *schema.Field) []Subject { return nil }

// Trait is nil.
func (h *Happening) Trait(string) any { return nil }

// InSegment is false.
func (h *Happening) InSegment(string) bool { return false }

// value is what a slot holds.
func (h *Happening) value(s *EventSlot) any {
	switch s.Column {
	case "":
		return readProperty(h.Properties[s.Property], s.Read)
	case "at":
		return h.At
	case "day":
		return h.Day
	}
	v := h.Columns[s.Column]
	if v == "" {
		return nil
	}
	return v
}

var (
	wholeNumber = regexp.MustCompile(WholeNumber)
	plainNumber = regexp.MustCompile(PlainNumber)
)

// The shapes of numbers among properties, as every engine reads them and without a question mark, which stands for a parameter.
const (
	WholeNumber = `^-{0,1}[0-9]{1,18}$`
	PlainNumber = `^-{0,1}[0-9]{1,15}(\.[0-9]{1,200}){0,1}([eE][+-]{0,1}[0-9]{1,2}){0,1}$`
	// NumberBelow is what a number must stay below, without its sign.
	NumberBelow = 1_000_000_000_000
)

func readProperty(v any, read EventRead) any {
	text, number := "", false
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		text = x
	case bool:
		text = strconv.FormatBool(x)
	case json.Number:
		text, number = x.String(), true
	default:
		if read == ReadPresence {
			return "{}"
		}
		return nil
	}
	switch read {
	case ReadText:
		if number && !wholeNumber.MatchString(text) {
			return nil
		}
		return text
	case ReadNumber:
		return scaledNumber(text)
	case ReadTruth:
		if text != "true" && text != "false" {
			return nil
		}
		return text == "true"
	case ReadKind:
		if !number {
			return "s" + text
		}
		if n, ok := scaledNumber(text).(int64); ok {
			return "n" + strconv.FormatInt(n, 10)
		}
		return nil
	}
	return text
}

// scaledNumber is a number in ten-thousandths, halves up, computed as every engine does it.
func scaledNumber(text string) any {
	if !plainNumber.MatchString(text) {
		return nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(x) >= NumberBelow {
		return nil
	}
	y := float64(x * 10000) // rounded before half is added, on every processor
	return int64(math.Floor(y + 0.5))
}

func (e *Evaluator) events(name string, s Subject) ([]Subject, error) {
	b, ok := s.(Behaving)
	if !ok {
		return nil, fault.New(fault.Invalid, "query.events_not_available", fault.Params{"kind": "event"})
	}
	all := b.Events(name)
	out := make([]Subject, len(all))
	for i, h := range all {
		out[i] = h
	}
	return out, nil
}

// steps looks for the events of a sequence in their order: each step takes the first one that fits after the step before.
func (e *Evaluator) steps(x *Steps, s Subject) (bool, error) {
	var last *Happening
	for i := range x.Items {
		r := x.Items[i]
		r.Time, r.Window = x.Time, x.Window
		rows, err := e.rows(&r, s)
		if err != nil {
			return false, err
		}
		slices.SortFunc(rows, func(a, b Subject) int { return order(a, b) })
		at := slices.IndexFunc(rows, func(row Subject) bool { return last == nil || order(last, row) < 0 })
		if at < 0 {
			return false, nil
		}
		last, _ = rows[at].(*Happening)
	}
	return true, nil
}

func order(a, b Subject) int {
	x, _ := a.(*Happening)
	y, _ := b.(*Happening)
	return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.EventID, y.EventID))
}
