package schema

import (
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// Plain is the text of a personal value that is encrypted and put into the main column.
func Plain(f *Field, v any) []byte {
	if f.Type == Address {
		return encodeStreet(v.(AddressValue))
	}
	s, _ := v.(string)
	return []byte(s)
}

// FromPlain is the opposite of Plain; an address comes back without its region, which stands in a column of its own.
func FromPlain(f *Field, plain []byte) any {
	if f.Type == Address {
		return decodeStreet(plain)
	}
	return string(plain)
}

// BlindForm is the normalised text that the blind index of a personal field is made of, from a canonical value, and
// from what a condition compares with: two values are equal when their blind forms are. "" for an address.
func BlindForm(f *Field, v any) string {
	s, _ := v.(string)
	switch f.Type {
	case Phone, Email:
		return s
	case Address:
		return ""
	}
	return strings.ReplaceAll(lang.Fold(s), " ", "")
}

// BlindClass names the family of values that share blind indexes: all phone numbers compare with each other whatever
// object they stand in, so do all e-mail addresses; other fields only with fields of the same key.
func BlindClass(f *Field) string {
	switch f.Type {
	case Phone, Email:
		return string(f.Type)
	}
	return f.Key
}

// Class is what stays readable of an encrypted value: the operator of a phone number, the domain of an e-mail address;
// "" when there is nothing.
func Class(f *Field, v any) string {
	s, _ := v.(string)
	switch f.Type {
	case Phone:
		return string(lang.PhoneOperator(s))
	case Email:
		return lang.EmailDomain(s)
	}
	return ""
}

// Mask is what a reader without the right to see a personal value sees of it: "138****1234", "l***@qq.com", the first
// and last two characters of a number, the first four of a street.
func Mask(f *Field, v any, env ParseEnv) string {
	switch x := v.(type) {
	case AddressValue:
		return maskStreet(x.Street)
	case string:
		switch f.Type {
		case Phone:
			return lang.MaskPhone(DisplayPhone(x, env.PhoneRegion))
		case Email:
			return lang.MaskEmail(x)
		}
		if n := len([]rune(x)); n >= 8 {
			return lang.MaskText(x, 2, 2)
		}
		return lang.MaskText(x, 1, 0)
	}
	return ""
}

func maskStreet(s string) string {
	r := []rune(s)
	keep := min(4, len(r)/2)
	if len(r) == 0 {
		return ""
	}
	return string(r[:keep]) + strings.Repeat("*", min(6, len(r)-keep))
}
