// Package formula is the language of computed fields: small, spreadsheet-like, typed over the fields of one object and of
// the records that its to-one relations lead to (customer.city).
//
// A source text is parsed with positions (Parse), checked against metadata (Check) and becomes a Program: a tree of few
// plain operations on stored columns, in which every other formula it names is written out. A Program is evaluated here in
// memory (Eval) and compiled to SQL by store/compile; the property test there holds all evaluators together.
//
// Values. Numbers are integers scaled by a power of ten that is known when the formula is checked: sums have the larger
// scale of their operands, products the sum of both but at most six, quotients six (cut off, not rounded), ROUND what it
// says. A result beyond 64 bits is blank, as is a division by zero. Money is compared and mixed by its amount in the
// base currency; as long as all amounts of a calculation share a currency, the result keeps it. A plain number beside money
// is an amount in the base currency. Percentages are numbers (12.5 % is 0.125), durations seconds. Dates are local days; the
// day of an instant is the one in the zone of the workspace. Texts are compared and cut by code points and bytes, never by
// language; UPPER and LOWER change the letters A to Z only. An empty text is blank.
//
// Blank. Arithmetic with a blank operand is blank; & reads it as an empty text; MIN, MAX and SUM leave it out. A comparison
// with a blank is false, so is a blank condition. x = "" asks whether x is blank.
package formula

import (
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Kind is what a value is to a formula.
type Kind uint8

// The kinds.
const (
	Blank   Kind = iota // no value of any kind
	Text                // schema.Text and its like
	Number              // an integer scaled by Type.Scale
	Money               // minor units of the base currency, beside the amount as it was entered
	Bool                // yes or no
	Date                // local days since 1970-01-01
	Instant             // milliseconds
	Choice              // the key of one of Type.Options
	Link                // the id of a record of Type.Target
	Region              // a region code
	List                // several keys, as stored
)

// Type is the type of an expression.
type Type struct {
	Kind    Kind            `json:"k,omitempty"`
	Scale   int             `json:"s,omitempty"` // of a Number
	Options []schema.Option `json:"-"`
	Target  string          `json:"-"` // of a Link
	Source  schema.Type     `json:"-"` // the field type that a Link, a List or a Number stands for; "" for a computed value
}

// Limits of a formula.
const (
	MaxSource = 4000 // characters
	MaxNodes  = 600  // with every formula it names written out
	MaxDepth  = 60
	maxHops   = 3
	maxScale  = 6 // of products and quotients
)

// Hop is a to-one relation and the object it leads to.
type Hop struct {
	Field  *schema.Field
	Target *schema.Object
}

// Ref is one stored column, reached over to-one relations.
type Ref struct {
	Hops   []Hop
	Object *schema.Object
	Field  *schema.Field
	Role   schema.Role
}

// Node is an operation of a checked formula. What Op can be is listed with the evaluator, eval.go.
type Node struct {
	Op    string  `json:"o"`
	Args  []*Node `json:"a,omitempty"`
	Type  Type    `json:"t,omitzero"`
	Num   int64   `json:"n,omitempty"` // a number, a day, 1 for true; digits that a rescaling drops or adds
	Text  string  `json:"x,omitempty"`
	Ref   *Ref    `json:"-"`
	Index int     `json:"i,omitempty"` // of a ref: which of Program.Refs
}

// Use names a field that a formula reads, the relations on the way included.
type Use struct {
	Object string
	Field  string
}

// Program is a checked formula. It is immutable.
type Program struct {
	Object *schema.Object
	Root   *Node
	Refs   []*Ref // every stored column it reads, once each
	Uses   []Use  // what it names, also through other formulas
	Direct []Use  // what its own text names
	Normal string // the source printed back: keys for labels, one spelling of everything
	// Volatile formulas change with the time.
	Volatile bool
}

// Problem is one thing that is wrong in a source text.
type Problem struct {
	Code   string // formula.*
	From   int    // in characters, from 0
	To     int    // the character after
	Params fault.Params
}

// Fault is the problem as a fault of the member "formula".
func (p Problem) Fault() *fault.Fault {
	params := fault.Params{"from": p.From, "to": p.To}
	for k, v := range p.Params {
		params[k] = v
	}
	return fault.InvalidField(p.Code, "formula", params)
}

// Faults are several problems as one fault, nil for none.
func Faults(problems []Problem) error {
	all := make([]*fault.Fault, len(problems))
	for i, p := range problems {
		all[i] = p.Fault()
	}
	if f := fault.Join("formula.invalid", all); f != nil {
		return f
	}
	return nil
}

// Of is the program of a computed field, nil for any other field and for one whose formula does not hold.
func Of(f *schema.Field) *Program {
	p, _ := f.Program().(*Program)
	return p
}

// FieldType is the field type that shows values of a type.
func (t Type) FieldType() schema.Type {
	switch t.Kind {
	case Text, Blank:
		return schema.Text
	case Number:
		switch t.Source {
		case schema.Percent, schema.Duration, schema.Rating:
			return t.Source
		}
		return schema.Number
	case Money:
		return schema.Money
	case Bool:
		return schema.Bool
	case Date:
		return schema.Date
	case Instant:
		return schema.DateTime
	case Choice:
		return schema.Choice
	case Link, List:
		return t.Source
	case Region:
		return schema.Region
	}
	return schema.Text
}

// typeOf is what a stored field is to a formula; ok is false for fields that no formula can read.
func typeOf(f *schema.Field) (t Type, role schema.Role, ok bool) {
	if f.Personal {
		return t, 0, false
	}
	switch f.Type {
	case schema.Text, schema.LongText, schema.URL, schema.Phone, schema.Email, schema.AutoNumber:
		return Type{Kind: Text}, schema.Main, schema.System(f.Key) != f
	case schema.Number:
		return Type{Kind: Number, Scale: f.Scale}, schema.Main, true
	case schema.Percent:
		return Type{Kind: Number, Scale: f.Scale + 2, Source: f.Type}, schema.Main, true
	case schema.Duration, schema.Rating:
		return Type{Kind: Number, Source: f.Type}, schema.Main, true
	case schema.Money:
		return Type{Kind: Money}, schema.Base, true
	case schema.Bool:
		return Type{Kind: Bool}, schema.Main, true
	case schema.Date:
		return Type{Kind: Date}, schema.Main, true
	case schema.DateTime:
		return Type{Kind: Instant}, schema.Main, true
	case schema.Choice:
		return Type{Kind: Choice, Options: f.Options}, schema.Main, true
	case schema.MultiChoice, schema.Tags:
		return Type{Kind: List, Options: f.Options, Source: f.Type}, schema.Main, true
	case schema.Relation:
		return Type{Kind: Link, Target: f.Target, Source: f.Type}, schema.Main, true
	case schema.User:
		return Type{Kind: Link, Target: "user", Source: f.Type}, schema.Main, true
	case schema.Region:
		return Type{Kind: Region}, schema.Main, true
	case schema.File, schema.Image: // how many there are
		return Type{Kind: Number}, schema.CountRole, true
	}
	return t, 0, false
}
