package tracking

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Type is what a value of a property is.
type Type string

// The types. A whole number is a Number too, a Time a Text too.
const (
	Text    Type = "text"
	Number  Type = "number"
	Integer Type = "integer"
	Bool    Type = "bool"
	Time    Type = "time" // a text in RFC 3339, or a day
	Object  Type = "object"
	List    Type = "list"
	Null    Type = "null"
	Any     Type = "any" // in a plan alone: every type
)

// Types are those that a plan may ask for.
func Types() []Type { return []Type{Text, Number, Integer, Bool, Time, Object, List, Any} }

// Value is one value of a property.
type Value struct {
	Type Type
	Raw  json.RawMessage
}

// Bounds of what is looked at in one event; what lies beyond is kept with the event and not learned of.
const (
	maxPaths = 300
	maxItems = 50
	maxNest  = 3
)

// Flatten gives the values of an object of properties by their paths: "price", "address.city" of an object, "products[].sku" of
// the objects in a list. An object and a list stand there themselves too. Something that is no object has none.
func Flatten(properties json.RawMessage) map[string][]Value {
	out := map[string][]Value{}
	flatten(out, "", properties, 0)
	return out
}

func flatten(out map[string][]Value, prefix string, raw json.RawMessage, depth int) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return
	}
	for key, v := range members {
		path := prefix + key
		if len(out) >= maxPaths && out[path] == nil || key == "" || len(path) > maxName {
			continue
		}
		t := typeOf(v)
		out[path] = append(out[path], Value{t, v})
		switch {
		case depth >= maxNest || isSealed(v):
		case t == Object:
			flatten(out, path+".", v, depth+1)
		case t == List:
			var items []json.RawMessage
			if json.Unmarshal(v, &items) != nil {
				continue
			}
			for _, item := range items[:min(len(items), maxItems)] {
				if typeOf(item) == Object {
					flatten(out, path+"[].", item, depth+1)
				}
			}
		}
	}
}

func typeOf(raw json.RawMessage) Type {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return Null
	}
	switch raw[0] {
	case '{':
		return Object
	case '[':
		return List
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	case '"':
		if isTime(raw) {
			return Time
		}
		return Text
	}
	if bytes.ContainsAny(raw, ".eE") {
		return Number
	}
	return Integer
}

// isTime reports a quoted instant in RFC 3339 or a day.
func isTime(quoted []byte) bool {
	if len(quoted) < 12 || len(quoted) > 40 || quoted[5] != '-' || quoted[8] != '-' {
		return false
	}
	s := string(quoted[1 : len(quoted)-1])
	if _, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return true
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// Is reports whether a value of type t is what a plan asks for.
func (t Type) Is(want Type) bool {
	return want == Any || t == want || want == Number && t == Integer || want == Text && t == Time
}

func isSealed(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimSpace(raw), []byte(`{"$sealed":`))
}

const (
	hidden     = "•••"
	maxExample = 60
)

var (
	personalName = regexp.MustCompile(`(?i)(^|[._-])(name|first_?name|last_?name|full_?name|nick_?name|real_?name|user_?name|e?-?mail|phone|mobile|tel|address|street|birthday|id_?card|id_?number|passport|card(_?no)?|password|token|secret|openid|unionid|wechat|qq|ip)$`)
	mailText     = regexp.MustCompile(`[^\s@]+@[^\s@]+\.[^\s@]+`)
	digitsText   = regexp.MustCompile(`\d[\d \-]{5,}\d`)
)

// Example is a value as it may be shown to whoever looks at names: short, and without what looks like a person's. Objects and lists
// have none.
func Example(path string, v Value) (string, bool) {
	switch v.Type {
	case Object, List, Null:
		return "", false
	}
	text := string(v.Raw)
	if v.Type == Text || v.Type == Time {
		if json.Unmarshal(v.Raw, &text) != nil {
			return "", false
		}
	}
	text = strings.TrimFunc(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text), unicode.IsSpace)
	if text == "" {
		return "", false
	}
	if v.Type != Bool && personal(path, text, v.Type) {
		first, _ := utf8.DecodeRuneInString(text)
		return string(first) + hidden, true
	}
	if utf8.RuneCountInString(text) > maxExample {
		text = string([]rune(text)[:maxExample]) + "…"
	}
	return text, true
}

// personal reports what looks like a person's: by the name of the property, an address of mail, or a number of seven digits and more
// that is a text or has eleven and more.
func personal(path, text string, t Type) bool {
	last := path[strings.LastIndexByte(path, '.')+1:]
	thing := slices.Contains(thingNames, last) || last == "name" && strings.HasPrefix(path, "product")
	if !thing && personalName.MatchString(last) || mailText.MatchString(text) {
		return true
	}
	if t == Time {
		return false
	}
	digits := digitsText.FindString(text)
	return digits != "" && (t == Text || len(digits) >= 11)
}

// thingNames are names of things in the specification of e-commerce, where "name" ends them or is all of them.
var thingNames = []string{"product_name", "coupon_name", "promotion_name", "list_name", "form_name", "event_name", "category_name", "brand_name", "store_name"}
