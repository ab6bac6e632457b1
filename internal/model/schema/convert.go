package schema

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
)

// Becoming marks a field that is being filled with the converted values of another one, whose place it takes when that is done.
// Until then whoever writes the other one writes it too, and nobody sees it.
type Becoming struct {
	Of     string `json:"of"`
	Locale string `json:"locale,omitempty"` // in which words are printed and read
}

// conversions are the types that values of a type can become.
func conversions(t Type) []Type {
	words := []Type{Text, LongText, Number, Percent, Money, Bool, Date, DateTime, Choice, MultiChoice, Tags, URL, Phone, Email, Rating, Duration, Region}
	switch t {
	case Text, LongText, URL, AutoNumber, Phone, Email:
		return words
	case Number:
		return []Type{Number, Text, LongText, Percent, Money, Rating, Duration, Choice, Bool}
	case Percent:
		return []Type{Percent, Text, LongText, Number}
	case Rating:
		return []Type{Rating, Text, LongText, Number, Choice}
	case Duration, Money:
		return []Type{Text, LongText, Number}
	case Bool:
		return []Type{Text, LongText, Number}
	case Date:
		return []Type{Text, LongText, DateTime}
	case DateTime:
		return []Type{Text, LongText, Date}
	case Choice:
		return []Type{Text, LongText, Choice, MultiChoice, Tags, Number}
	case MultiChoice:
		return []Type{Text, LongText, Choice, MultiChoice, Tags}
	case Tags:
		return []Type{Text, LongText, Choice, MultiChoice}
	case Region:
		return []Type{Text, LongText}
	}
	return nil
}

// Conversions are the types that a field can become; none for fields that are encrypted, unique, computed or the program's.
func Conversions(f *Field) []Type {
	if !f.Custom || f.Personal || f.Unique || f.Computed() || f.Rollup != nil || f.Becoming != nil {
		return nil
	}
	return conversions(f.Type)
}

// Convert is the value of one field as that of another of a type that it can become; nil stays nil. Nothing is rounded or cut off:
// what does not fit is a fault. env is the workspace's, and names the language of printed words.
func Convert(from, to *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	if v == nil {
		return nil, nil
	}
	switch x := v.(type) {
	case bool:
		if to.Type == Number {
			n := int64(0)
			if x {
				n = 1
			}
			return ParseTextWith(to, strconv.FormatInt(n, 10), env)
		}
	case clock.Day:
		if to.Type == DateTime {
			return x.Start(env.zone()).UTC(), nil
		}
	case time.Time:
		if to.Type == Date {
			return clock.DayOf(x, env.zone()), nil
		}
	case int64:
		if from.Type == Number && to.Type == Bool {
			return boolOf(from, to, x)
		}
	case string:
		if from.Type == Choice && hasOption(to, x) {
			return keysAs(to, []string{x})
		}
	case []string:
		if from.Type == MultiChoice && (to.Type == Choice || to.Type == MultiChoice) {
			return keysAs(to, x)
		}
		if from.Type == Tags && to.Type == Choice && len(x) > 1 {
			return nil, invalid(to, "one_of_many", fault.Params{"field": to.Key})
		}
	}
	text := FormatText(from, v, *env)
	switch from.Type {
	case Percent:
		if to.Type == Number {
			text = strings.TrimSuffix(strings.TrimSpace(text), "%")
		}
	case Duration:
		if n, ok := v.(int64); ok && to.Type == Number {
			text = strconv.FormatInt(n, 10)
		}
	case Money:
		if m, ok := v.(money.Money); ok && to.Type == Number {
			if m.Currency != env.base() {
				return nil, invalid(to, "other_currency", fault.Params{"currency": m.Currency})
			}
			text = m.Decimal()
		}
	}
	return exactly(to, text, env)
}

// exactly reads a text; of a number it may have no more decimals than the field keeps.
func exactly(to *Field, text string, env *ParseEnv) (any, *fault.Fault) {
	v, bad := ParseTextWith(to, text, env)
	n, ok := v.(int64)
	if bad != nil || !ok || to.Type != Number && to.Type != Percent || to.Scale >= maxExact {
		return v, bad
	}
	fine := *to
	fine.Scale = maxExact
	all, bad := ParseTextWith(&fine, text, env)
	if bad != nil { // too large to have that many decimals
		return v, nil
	}
	for range maxExact - to.Scale {
		n *= 10
	}
	if all != n {
		return nil, invalid(to, "too_precise", fault.Params{"scale": to.Scale})
	}
	return v, nil
}

// maxExact is how many decimals are looked at.
const maxExact = 6

func hasOption(f *Field, key string) bool {
	return slices.ContainsFunc(f.Options, func(o Option) bool { return o.Key == key })
}

// keysAs are option keys as the value of a choice or a multiple choice.
func keysAs(to *Field, keys []string) (any, *fault.Fault) {
	for _, k := range keys {
		if !hasOption(to, k) {
			return nil, unknownOption(to, k)
		}
	}
	switch {
	case to.Type == MultiChoice:
		return slices.Sorted(slices.Values(keys)), nil
	case len(keys) == 1:
		return keys[0], nil
	}
	return nil, invalid(to, "one_of_many", fault.Params{"field": to.Key})
}

func boolOf(from, to *Field, n int64) (any, *fault.Fault) {
	one := int64(1)
	for range from.Scale {
		one *= 10
	}
	switch n {
	case 0:
		return false, nil
	case one:
		return true, nil
	}
	return nil, invalid(to, "not_bool", fault.Params{"value": FormatText(from, n, ParseEnv{})})
}
