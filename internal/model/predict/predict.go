// Package predict is the vocabulary of models: what learns from the facts about customers, writes traits, and says how good it is.
//
// An engine (value, churn, cluster, preference) implements Model; the model room (internal/insight/room) keeps versions, fits by a
// schedule, scores, compares and rolls back, all alike. Everything that a person reads is a key with parameters: the words of a model
// with the key "value" stand in the locale files under model.value.*, those that all models share under model.*.
//
// No number here may be NaN or infinite: what cannot be known is absent, and a Note says why.
package predict

import (
	"context"
	"encoding/json"
	"math"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// Model is one thing that learns. It keeps nothing between calls: what Fit found out is in the State that it returns.
type Model interface {
	About() About
	// Fit learns from what is known up to Request.Until (that day included) and says how well. The same facts, options and seed
	// give the same State. Too little to learn from is not an error: the State is usable, scores are absent, a Note says what is
	// missing. An Invalid fault names the option that does not work.
	Fit(ctx context.Context, r Request) (Fitted, error)
	// Score writes the traits of every customer by a fitted state, all of them or none, and says how many customers have some.
	Score(ctx context.Context, r ScoreRequest) (int64, error)
	// Explain gives the reasons of a customer's scores, strongest first; none when the customer has no score.
	Explain(ctx context.Context, state json.RawMessage, customer int64) ([]Reason, error)
}

// Explainer gives the reasons of a customer's scores as Model.Explain does. It is used by many at once.
type Explainer func(ctx context.Context, customer int64) ([]Reason, error)

// Opener is a Model whose State is large, and is opened once for the reasons of many customers.
type Opener interface {
	Open(state json.RawMessage) (Explainer, error)
}

// Open is the Explainer of a model by a fitted state.
func Open(m Model, state json.RawMessage) (Explainer, error) {
	if o, ok := m.(Opener); ok {
		return o.Open(state)
	}
	return func(ctx context.Context, customer int64) ([]Reason, error) { return m.Explain(ctx, state, customer) }, nil
}

// Explain is Model.Explain by what Open gives.
func Explain(ctx context.Context, m Opener, state json.RawMessage, customer int64) ([]Reason, error) {
	explain, err := m.Open(state)
	if err != nil {
		return nil, err
	}
	return explain(ctx, customer)
}

// About is what a model is, before it has learned anything.
type About struct {
	Key     string   `json:"key"`
	Page    string   `json:"page,omitempty"` // address of the screen that shows what it found, such as /value
	Traits  []string `json:"traits"`         // keys of the traits it writes
	Family  string   `json:"-"`              // the trait family it writes them into, such as m_value; "" for a model without scores
	Options []Option `json:"options,omitempty"`
	Refit   Refit    `json:"refit"`   // unless the workspace says otherwise
	Measure string   `json:"measure"` // key of the measure that sums a version up
}

// Refit says how often a model learns anew; scores are written anew each night whatever it says.
type Refit string

// The rhythms.
const (
	Daily   Refit = "day"
	Weekly  Refit = "week"
	Monthly Refit = "month"
	ByHand  Refit = "hand"
)

// Option is something a workspace may set. Words: model.<model>.option.<key>, and .help; choices model.<model>.option.<key>.<choice>.
type Option struct {
	Key     string          `json:"key"`
	Kind    OptionKind      `json:"kind"`
	Default json.RawMessage `json:"default"`
	Min     *float64        `json:"min,omitempty"`
	Max     *float64        `json:"max,omitempty"`
	Choices []string        `json:"choices,omitempty"`
	Unit    string          `json:"unit,omitempty"` // day, week, month, percent, money: model.unit.<unit>
}

// OptionKind is how an option is entered.
type OptionKind string

// The kinds of options. Traits is a list of keys of traits.
const (
	Number OptionKind = "number"
	Switch OptionKind = "switch"
	Choice OptionKind = "choice"
	Traits OptionKind = "traits"
)

// Request is what a fit goes by.
type Request struct {
	Until clock.Day
	// HeldUntil, when set, is the end of later days that the measures are taken on, which the model must not learn from; otherwise
	// the model holds back the last part of the days before Until, and may learn from them once it has been measured.
	HeldUntil clock.Day
	Options   json.RawMessage // an object with the options that are set; the rest has its default
	Seed      uint64
	// Progress may be told how far a fit is, from 0 to 1; it may be nil.
	Progress func(done float64)
}

// ScoreRequest is what scores are written by.
type ScoreRequest struct {
	State   json.RawMessage
	Options json.RawMessage
	Until   clock.Day // the day whose facts are the last that count
	AtMilli int64     // the time that the values are stamped with
	Mark    string    // goes with the rows, never empty
}

// Fitted is what a fit found out.
type Fitted struct {
	State json.RawMessage // all that Score and Explain need; personal data never stands in it
	Card  Card
}

// Card says in plain figures what a version learned from, what it found, and how far off it is on what it has not seen.
type Card struct {
	From       clock.Day   `json:"from"` // the data window, both days included; 0 when there was nothing
	Until      clock.Day   `json:"until"`
	HeldFrom   clock.Day   `json:"heldFrom,omitempty"` // the later time that the measures were taken on, never learned from
	HeldUntil  clock.Day   `json:"heldUntil,omitempty"`
	Rows       int64       `json:"rows"` // how many cases it learned from
	Parameters []Parameter `json:"parameters,omitempty"`
	Measures   []Measure   `json:"measures,omitempty"`
	Charts     []Chart     `json:"charts,omitempty"`
	Inputs     []Input     `json:"inputs,omitempty"`
	Notes      []Note      `json:"notes,omitempty"`
}

// Parameter is a number that the model learned: model.<model>.parameter.<key>.
type Parameter struct {
	Key   string  `json:"key"`
	Value float64 `json:"value"`
}

// Measure is a figure of quality: model.measure.<key>, or model.<model>.measure.<key> where that exists.
type Measure struct {
	Key    string   `json:"key"`
	Value  float64  `json:"value"`
	Low    *float64 `json:"low,omitempty"` // a 95 % interval, where one is known
	High   *float64 `json:"high,omitempty"`
	Peer   *float64 `json:"peer,omitempty"`   // what the simplest rule reaches on the same data
	PeerIs string   `json:"peerIs,omitempty"` // which rule that is: model.peer.<key>
	Better Better   `json:"better,omitempty"`
	Share  bool     `json:"share,omitempty"` // shown as a percentage
}

// Better says which way a measure should go.
type Better string

// The ways; none for a measure that only describes.
const (
	Higher Better = "higher"
	Lower  Better = "lower"
)

// Chart is a picture on the card: model.<model>.chart.<key>. Names of series: model.<model>.series.<key>.
type Chart struct {
	Key    string    `json:"key"`
	Kind   ChartKind `json:"kind"`
	X      []string  `json:"x"` // labels of the points; keys of words when they begin with "@"
	Series []Series  `json:"series"`
}

// ChartKind is how a chart is drawn.
type ChartKind string

// The kinds.
const (
	Bars  ChartKind = "bars"
	Lines ChartKind = "lines"
)

// Series is a row of numbers, one for each X; nil where there is none.
type Series struct {
	Key    string     `json:"key"`
	Values []*float64 `json:"values"`
}

// Input is something a model looks at, and how much it goes by it.
type Input struct {
	Key    string  `json:"key"`             // a trait, or a word model.<model>.input.<key>
	Weight float64 `json:"weight"`          // share of all inputs, 0 to 1
	Drift  float64 `json:"drift,omitempty"` // population stability index of the last scored day against the data it learned from
}

// Note is a sentence about a version: model.<model>.note.<key>, or model.note.<key>.
type Note struct {
	Key    string         `json:"key"`
	Level  Level          `json:"level"`
	Params map[string]any `json:"params,omitempty"`
}

// Level is how much a note matters.
type Level string

// The levels.
const (
	Info    Level = "info"
	Warning Level = "warning"
)

// Reason is one cause of a customer's score: model.<model>.reason.<key> with its parameters.
type Reason struct {
	Key    string         `json:"key"`
	Params map[string]any `json:"params,omitempty"`
	Effect float64        `json:"effect"` // positive raises the score; in the score's own unit
	Trait  string         `json:"trait,omitempty"`
}

// Finite gives a number that can be shown, or nil.
func Finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
