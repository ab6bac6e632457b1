package tracking

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Act is what happens with an event that is not as planned.
type Act string

// The acts.
const (
	Allow      Act = "allow"      // nothing
	Flag       Act = "flag"       // it is kept and counted, and carries event.Unplanned
	Quarantine Act = "quarantine" // it is kept among the rejected and does not count until somebody replays it
)

// Bounds of a plan.
const (
	maxName       = 200
	maxPlanned    = 500
	maxProperties = 200
	maxValues     = 200
	maxNote       = 500
)

// Plan is what a workspace wants its events to be. Identify, group and alias have none: their traits are fields of customers.
type Plan struct {
	Version int64     `json:"version"` // rises with each change; 0 while there never was one
	At      time.Time `json:"at"`
	By      id.ID     `json:"-"`
	// Unplanned is what happens with a track event whose name the plan does not hold. Views are never unplanned.
	Unplanned Act       `json:"unplanned"`
	Events    []Planned `json:"events"`
}

// Planned is one event of a plan.
type Planned struct {
	Name       string     `json:"name"`
	Note       string     `json:"note"`
	Act        Act        `json:"act"`    // of a violation
	Closed     bool       `json:"closed"` // properties that are not named here are a violation
	Properties []Property `json:"properties"`
}

// Property is one property of a planned event.
type Property struct {
	Name     string   `json:"name"` // a path, as Flatten makes them
	Note     string   `json:"note"`
	Type     Type     `json:"type"`
	Required bool     `json:"required"`
	Values   []string `json:"values"` // that are allowed, as texts; none for every value
}

// Check refuses a plan that contradicts itself, with the place of each fault, and puts its lists in order.
func (p *Plan) Check() error {
	var bad []*fault.Fault
	add := func(code, field string, params fault.Params) {
		bad = append(bad, fault.InvalidField(code, field, params))
	}
	if !slices.Contains([]Act{Allow, Flag, Quarantine}, p.Unplanned) {
		add("tracking.bad_act", "unplanned", nil)
	}
	if len(p.Events) > maxPlanned {
		add("tracking.too_many_events", "events", fault.Params{"max": maxPlanned})
		return fault.Join("tracking.invalid", bad)
	}
	known := map[string]bool{}
	for i := range p.Events {
		e, at := &p.Events[i], "events."+strconv.Itoa(i)
		e.Name = strings.TrimSpace(e.Name)
		switch {
		case e.Name == "" || len(e.Name) > maxName:
			add("tracking.bad_name", at+".name", fault.Params{"max": maxName})
		case known[e.Name]:
			add("tracking.twice", at+".name", fault.Params{"name": e.Name})
		}
		known[e.Name] = true
		if e.Act == "" {
			e.Act = Flag
		}
		if !slices.Contains([]Act{Allow, Flag, Quarantine}, e.Act) {
			add("tracking.bad_act", at+".act", nil)
		}
		if utf8.RuneCountInString(e.Note) > maxNote {
			add("tracking.bad_note", at+".note", fault.Params{"max": maxNote})
		}
		e.checkProperties(at, add)
	}
	slices.SortStableFunc(p.Events, func(a, b Planned) int { return strings.Compare(a.Name, b.Name) })
	if f := fault.Join("tracking.invalid", bad); f != nil {
		return f
	}
	return nil
}

func (e *Planned) checkProperties(at string, add func(code, field string, params fault.Params)) {
	if e.Properties == nil {
		e.Properties = []Property{}
	}
	if len(e.Properties) > maxProperties {
		add("tracking.too_many_properties", at+".properties", fault.Params{"max": maxProperties})
		return
	}
	known := map[string]bool{}
	for j := range e.Properties {
		p, at := &e.Properties[j], at+".properties."+strconv.Itoa(j)
		p.Name = strings.TrimSpace(p.Name)
		switch {
		case p.Name == "" || len(p.Name) > maxName:
			add("tracking.bad_property", at+".name", fault.Params{"max": maxName})
		case known[p.Name]:
			add("tracking.twice", at+".name", fault.Params{"name": p.Name})
		}
		known[p.Name] = true
		if p.Type == "" {
			p.Type = Any
		}
		if !slices.Contains(Types(), p.Type) {
			add("tracking.bad_type", at+".type", nil)
		}
		if p.Values == nil {
			p.Values = []string{}
		}
		if len(p.Values) > maxValues || len(p.Values) > 0 && (p.Type == Object || p.Type == List) {
			add("tracking.bad_values", at+".values", fault.Params{"max": maxValues})
		}
		if utf8.RuneCountInString(p.Note) > maxNote {
			add("tracking.bad_note", at+".note", fault.Params{"max": maxNote})
		}
	}
}

// Violation is one way in which an event is not as planned. Code is the key of its sentence.
type Violation struct {
	Code     string `json:"code"`
	Property string `json:"property,omitempty"`
	Want     string `json:"want,omitempty"`
	Found    string `json:"found,omitempty"` // a type, never a value
}

// The codes of violations.
const (
	UnknownEvent    = "tracking.event_unplanned"
	UnknownProperty = "tracking.property_unplanned"
	MissingProperty = "tracking.property_missing"
	WrongType       = "tracking.property_type"
	WrongValue      = "tracking.property_value"
)

// maxViolations are told of one event.
const maxViolations = 20

// Checker holds a plan ready for many events. It is immutable; a nil one knows no plan and allows everything.
type Checker struct {
	unplanned Act
	events    map[string]*Planned
}

// NewChecker makes one of a plan that was checked; nil where the plan asks nothing.
func NewChecker(p Plan) *Checker {
	if len(p.Events) == 0 && p.Unplanned == Allow || p.Unplanned == "" {
		return nil
	}
	c := &Checker{unplanned: p.Unplanned, events: make(map[string]*Planned, len(p.Events))}
	for i := range p.Events {
		c.events[p.Events[i].Name] = &p.Events[i]
	}
	return c
}

// Check says what is to happen with an event, and why. Without a violation it is Allow.
func (c *Checker) Check(e *event.Event) (Act, []Violation) {
	if c == nil || e.Kind != event.Track && e.Kind != event.Page && e.Kind != event.Screen || e.Name == event.Engaged {
		return Allow, nil
	}
	p := c.events[e.Name]
	if p == nil {
		if e.Kind != event.Track || c.unplanned == Allow {
			return Allow, nil
		}
		return c.unplanned, []Violation{{Code: UnknownEvent, Found: e.Name}}
	}
	if p.Act == Allow {
		return Allow, nil
	}
	found := p.violations(e.Properties)
	if len(found) == 0 {
		return Allow, nil
	}
	return p.Act, found[:min(len(found), maxViolations)]
}

func (e *Planned) violations(properties json.RawMessage) (out []Violation) {
	have := Flatten(properties)
	named := make(map[string]bool, len(e.Properties))
	for i := range e.Properties {
		p := &e.Properties[i]
		named[p.Name] = true
		given := slices.DeleteFunc(slices.Clone(have[p.Name]), func(v Value) bool { return v.Type == Null })
		if len(given) == 0 {
			if p.Required {
				out = append(out, Violation{Code: MissingProperty, Property: p.Name, Want: string(p.Type)})
			}
			continue
		}
		for _, v := range given {
			if !v.Type.Is(p.Type) {
				out = append(out, Violation{Code: WrongType, Property: p.Name, Want: string(p.Type), Found: string(v.Type)})
				break
			}
			if len(p.Values) > 0 && !slices.Contains(p.Values, plain(v)) {
				out = append(out, Violation{Code: WrongValue, Property: p.Name, Want: strings.Join(p.Values[:min(len(p.Values), 10)], ", ")})
				break
			}
		}
	}
	if !e.Closed {
		return out
	}
	var more []string
	for path := range have {
		if !named[path] && !partOf(path, named) {
			more = append(more, path)
		}
	}
	slices.Sort(more)
	for _, path := range more {
		out = append(out, Violation{Code: UnknownProperty, Property: path})
	}
	return out
}

// partOf reports a path inside something that is named, or around it: who plans "address" plans what is in it.
func partOf(path string, named map[string]bool) bool {
	for name := range named {
		if rest, ok := strings.CutPrefix(path, name); ok && rest != "" && (rest[0] == '.' || rest[0] == '[') {
			return true
		}
		if rest, ok := strings.CutPrefix(name, path); ok && rest != "" && (rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

func plain(v Value) string {
	var s string
	if json.Unmarshal(v.Raw, &s) == nil {
		return s
	}
	return string(v.Raw)
}
