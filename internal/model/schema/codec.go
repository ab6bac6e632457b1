package schema

import (
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
)

// ParseEnv is what reading and printing values depends on besides the field: the habits of the workspace and, for an
// import, of the file. The zero value is usable: UTC, CNY, CN.
type ParseEnv struct {
	Zone        *time.Location // for instants written without a zone and for local days; nil is UTC
	Base        string         // base currency of the workspace; "" is CNY
	Currency    string         // of amounts written without one; "" is Base
	PhoneRegion string         // ISO 3166 code of phone numbers without a country code; "" is CN
	Locale      lang.Locale    // of printed words
	Rates       Rates          // nil knows no rate
	// FileName names a file by its printed id, "" for one that is gone; where it is nil the ids are printed.
	FileName func(file string) string

	// Of import files only.
	DateLayout   string // Go layout tried before all other forms; "" for none
	DayFirst     bool   // 03/04/2026 is 3 April, not March 4
	DecimalComma bool   // 1.234,56
}

// Rates converts money into the base currency.
type Rates interface {
	// Convert gives m in minor units of the base currency at the rate of a day; ok is false when no rate is known.
	Convert(m money.Money, base string, on clock.Day) (amount int64, ok bool)
}

func (e *ParseEnv) zone() *time.Location {
	if e.Zone == nil {
		return time.UTC
	}
	return e.Zone
}

func (e *ParseEnv) base() string {
	if e.Base == "" {
		return "CNY"
	}
	return e.Base
}

func (e *ParseEnv) currency() string {
	if e.Currency == "" {
		return e.base()
	}
	return e.Currency
}

func (e *ParseEnv) phoneRegion() string {
	if e.PhoneRegion == "" {
		return "CN"
	}
	return e.PhoneRegion
}

func (e *ParseEnv) chinese() bool { return e.Locale == "" || e.Locale[:min(2, len(e.Locale))] == "zh" }

// codec is the behaviour of a family of field types. Values are canonical: see the table at ParseJSON.
type codec interface {
	parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault)
	parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault)
	formatJSON(f *Field, v any, env *ParseEnv) any
	formatText(f *Field, v any, env *ParseEnv) string
	// encode appends the columns of a value that is not nil and not personal.
	encode(dst []any, f *Field, v any, e *EncodeEnv) []any
	// decode is the opposite; cols are the field's columns and cols[0] is not nil.
	decode(f *Field, cols []any) any
}

// codecOf is the one registry of field types.
func codecOf(t Type) codec {
	switch t {
	case Text, LongText:
		return textCodec{}
	case URL:
		return urlCodec{}
	case AutoNumber:
		return numberingCodec{}
	case Number:
		return numberCodec{}
	case Money:
		return moneyCodec{}
	case Bool:
		return boolCodec{}
	case Date:
		return dateCodec{}
	case DateTime:
		return instantCodec{}
	case Choice:
		return choiceCodec{}
	case MultiChoice:
		return choicesCodec{}
	case Tags:
		return tagsCodec{}
	case Phone:
		return phoneCodec{}
	case Email:
		return emailCodec{}
	case Region:
		return regionCodec{}
	case Address:
		return addressCodec{}
	case Relation, User:
		return relationCodec{}
	case Record:
		return pointerCodec{}
	case Birthday:
		return birthdayCodec{}
	case JSON:
		return jsonCodec{}
	case Percent:
		return percentCodec{}
	case Duration:
		return durationCodec{}
	case Rating:
		return ratingCodec{}
	case File, Image:
		return filesCodec{}
	}
	return derivedCodec{}
}

// ParseJSON reads a value of the API: what encoding/json makes of the documented form (numbers as float64 or
// json.Number), or a canonical Go value, which is checked and passed on. nil, and a text of nothing but spaces, is no
// value. Canonical values by type:
//
//	text long_text choice phone email url region auto_number  string
//	number percent     int64, scaled by 10^Scale
//	duration rating    int64
//	money              money.Money
//	bool               bool
//	date               clock.Day
//	datetime           time.Time (UTC, whole milliseconds)
//	multi_choice tags  []string, sorted, without repetition
//	file image         []string, the printed ids in their order, without repetition
//	record             string, the printed id
//	relation user      id.ID, or Key when the input names the record by a unique field
//	address birthday   AddressValue, BirthdayValue
//	json               json.RawMessage, compact
//
// The fault, if any, is Invalid and located at "fields.<key>".
func ParseJSON(f *Field, v any, env ParseEnv) (any, *fault.Fault) {
	if v == nil {
		return nil, nil
	}
	return codecOf(f.Type).parseJSON(f, v, &env)
}

// ParseText reads the text of an import file leniently and returns a canonical value, nil for an empty text.
func ParseText(f *Field, s string, env ParseEnv) (any, *fault.Fault) {
	return ParseTextWith(f, s, &env)
}

// ParseTextWith is ParseText for loops: it does not copy the environment.
func ParseTextWith(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	s, bad := cleanText(f, s)
	if bad != nil || s == "" {
		return nil, bad
	}
	return codecOf(f.Type).parseText(f, s, env)
}

// FormatJSON prints a canonical value in the form of the API, ready for encoding/json; nil stays nil. Relations are
// printed as ids only, since titles need the records.
func FormatJSON(f *Field, v any, env ParseEnv) any {
	if v == nil {
		return nil
	}
	return codecOf(f.Type).formatJSON(f, v, &env)
}

// FormatText prints a canonical value for a person or a file; ParseText in the same environment reads it back, except
// that an address comes back without its region.
func FormatText(f *Field, v any, env ParseEnv) string {
	if v == nil {
		return ""
	}
	return codecOf(f.Type).formatText(f, v, &env)
}

// EncodeEnv is what stored forms depend on besides the value. It is used by one goroutine at a time.
type EncodeEnv struct {
	Zone  *time.Location
	Base  string
	Rates Rates
	Day   clock.Day // of the fact, for exchange rates

	folds map[string]string
}

// maxFolds bounds the memory of fold.
const maxFolds = 4096

// fold is lang.Fold with a memory: an import repeats the names of its products, categories and brands.
func (e *EncodeEnv) fold(s string) string {
	if f, ok := e.folds[s]; ok {
		return f
	}
	f := lang.Fold(s)
	if len(s) <= 200 {
		if e.folds == nil || len(e.folds) >= maxFolds {
			e.folds = make(map[string]string)
		}
		e.folds[s] = f
	}
	return f
}

// Encode appends the columns of a value, as many as FieldColumns(f). For a personal field all columns that hold
// ciphertext or keyed values are nil: the record engine fills them (see Plain, BlindForm and Class).
func Encode(dst []any, f *Field, v any, e *EncodeEnv) []any {
	n := len(dst)
	switch {
	case v == nil:
	case !f.Personal:
		return codecOf(f.Type).encode(dst, f, v, e)
	}
	for range f.width() {
		dst = append(dst, nil)
	}
	if v == nil {
		return dst
	}
	switch f.Type {
	case Phone, Email:
		dst[n+2] = nonEmpty(Class(f, v))
	case Address:
		dst[n+1] = nonEmpty(v.(AddressValue).Region)
	}
	return dst
}

// Decode reads a value from the columns of a field, nil for no value. Of a personal field only what is not encrypted
// comes back: the region of an address, otherwise nil.
func Decode(f *Field, cols []any) any {
	if len(cols) == 0 {
		return nil
	}
	if f.Personal {
		if r, ok := cols[len(cols)-1].(string); ok && f.Type == Address {
			return AddressValue{Region: r}
		}
		return nil
	}
	if cols[0] == nil {
		return nil
	}
	return codecOf(f.Type).decode(f, cols)
}

// width is the number of the field's columns.
func (f *Field) width() int {
	if f.columns > 0 {
		return f.columns
	}
	return len(FieldColumns(f))
}

func nonEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// invalid is a fault of a field's value.
func invalid(f *Field, code string, params fault.Params) *fault.Fault {
	return fault.InvalidField("schema."+code, "fields."+f.Key, params)
}

// shown is a piece of input that may be repeated to the user: short, and nothing of a personal field.
func shown(f *Field, s string) string {
	if f.Personal {
		return "…"
	}
	r := []rune(s)
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// derivedCodec is of fields that hold nothing (relation_many).
type derivedCodec struct{}

func (derivedCodec) parseJSON(f *Field, _ any, _ *ParseEnv) (any, *fault.Fault) {
	return nil, invalid(f, "derived", nil)
}

func (derivedCodec) parseText(f *Field, _ string, _ *ParseEnv) (any, *fault.Fault) {
	return nil, invalid(f, "derived", nil)
}

func (derivedCodec) formatJSON(*Field, any, *ParseEnv) any               { return nil }
func (derivedCodec) formatText(*Field, any, *ParseEnv) string            { return "" }
func (derivedCodec) encode(d []any, _ *Field, _ any, _ *EncodeEnv) []any { return d }
func (derivedCodec) decode(*Field, []any) any                            { return nil }
