package predict

import "encoding/json"

// Amount is a parameter of a sentence that is printed in its own way: how is one of the forms, and v its number. It survives being kept as JSON.
type Amount struct {
	Form  Form    `json:"form"`
	Value float64 `json:"value,omitempty"`
	Key   string  `json:"key,omitempty"` // of a trait, or of a word
	Of    string  `json:"of,omitempty"`  // the trait whose option Key is
}

// Form is how an Amount is printed.
type Form string

// The forms.
const (
	FormMoney  Form = "money"  // minor units of the base currency
	FormShare  Form = "share"  // 0.123 as 12.3 %
	FormNumber Form = "number" // three significant digits, or all before the point
	FormDay    Form = "day"    // a clock.Day
	FormTrait  Form = "trait"  // the label of a trait
	FormOption Form = "option" // the label of an option of a trait
	FormWord   Form = "word"   // another sentence without parameters: model.<model>.<key>
)

// Money is an amount in minor units of the base currency.
func Money(minor int64) Amount { return Amount{Form: FormMoney, Value: float64(minor)} }

// Share is a part of a whole, from 0 to 1.
func Share(v float64) Amount { return Amount{Form: FormShare, Value: v} }

// Figure is a number without a unit.
func Figure(v float64) Amount { return Amount{Form: FormNumber, Value: v} }

// Day is a local day.
func Day[D ~int | ~int32 | ~int64](d D) Amount { return Amount{Form: FormDay, Value: float64(d)} }

// Trait is the name of a trait.
func Trait(key string) Amount { return Amount{Form: FormTrait, Key: key} }

// OptionOf is the name of an option of a trait.
func OptionOf(trait, option string) Amount { return Amount{Form: FormOption, Key: option, Of: trait} }

// Word is another sentence of the model's.
func Word(key string) Amount { return Amount{Form: FormWord, Key: key} }

// AsAmount reads a parameter that may come from JSON.
func AsAmount(v any) (Amount, bool) {
	switch p := v.(type) {
	case Amount:
		return p, true
	case map[string]any:
		if _, ok := p["form"]; !ok {
			return Amount{}, false
		}
		b, err := json.Marshal(p)
		if err != nil {
			return Amount{}, false
		}
		var a Amount
		return a, json.Unmarshal(b, &a) == nil
	}
	return Amount{}, false
}
