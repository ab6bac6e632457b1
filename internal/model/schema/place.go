package schema

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/jsontext"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/region"
)

// AddressValue is a postal address; every part may be empty, but not all. Region is a code. In a personal field Street
// and Postcode are encrypted together and the region is not.
type AddressValue struct {
	Region   string
	Street   string
	Postcode string
}

// Limits of addresses, in characters.
const (
	MaxStreet   = 300
	MaxPostcode = 16
)

func locale(env *ParseEnv) lang.Locale {
	if env.Locale == "" {
		return lang.ChineseSimplified
	}
	return env.Locale
}

// parseRegion reads a code, or a name that is all of the text.
func parseRegion(s string) (string, bool) {
	s = strings.TrimSpace(halfWidth(s))
	if _, ok := region.Get(s); ok {
		return s, true
	}
	if len(s) > 400 {
		return "", false
	}
	return region.Find(s)
}

// regionCodec is of 省市区, held by code.
type regionCodec struct{}

func (regionCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	if m, ok := v.(map[string]any); ok {
		v = m["code"]
	}
	s, ok := stringOf(v)
	switch {
	case v == nil:
		return nil, nil
	case !ok || !utf8.ValidString(s):
		return nil, invalid(f, "not_text", nil)
	case strings.TrimSpace(s) == "":
		return nil, nil
	}
	return regionCodec{}.parseText(f, s, nil)
}

func (regionCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	if code, ok := parseRegion(s); ok {
		return code, nil
	}
	return nil, invalid(f, "region_unknown", fault.Params{"value": shown(f, s)})
}

// RegionShown is the API's form of a region code.
type RegionShown struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Tier string `json:"tier,omitempty"`
}

// RegionJSON names a region code.
func RegionJSON(code string, loc lang.Locale) RegionShown {
	return RegionShown{code, region.FullName(code, loc), string(region.Tier(code))}
}

func (regionCodec) formatJSON(_ *Field, v any, env *ParseEnv) any {
	return RegionJSON(v.(string), locale(env))
}

func (regionCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	code := v.(string)
	if name := region.FullName(code, locale(env)); name != "" {
		if back, ok := parseRegion(name); ok && back == code {
			return name
		}
	}
	return code
}

func (regionCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any {
	code := v.(string)
	return append(dst, code, nonEmpty(string(region.Tier(code))))
}

func (regionCodec) decode(_ *Field, cols []any) any { return cols[0] }

// addressCodec is of postal addresses. The main column holds the street and postcode as JSON, or its ciphertext.
type addressCodec struct{}

// street is the stored form of what is private in an address.
type street struct {
	Street   string `json:"s,omitempty"`
	Postcode string `json:"p,omitempty"`
}

func (addressCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	switch x := v.(type) {
	case AddressValue:
		return checkAddress(f, x)
	case string:
		s, bad := cleanText(f, x)
		if bad != nil || s == "" {
			return nil, bad
		}
		return addressCodec{}.parseText(f, s, env)
	case map[string]any:
		code, bad := regionCodec{}.parseJSON(f, x["region"], env)
		if bad != nil {
			return nil, bad
		}
		a := AddressValue{}
		a.Region, _ = code.(string)
		var ok [2]bool
		a.Street, ok[0] = optionalText(x["street"])
		a.Postcode, ok[1] = optionalText(x["postcode"])
		if !ok[0] || !ok[1] {
			return nil, invalid(f, "not_address", nil)
		}
		return checkAddress(f, a)
	}
	return nil, invalid(f, "not_address", nil)
}

func optionalText(v any) (string, bool) {
	if v == nil {
		return "", true
	}
	s, ok := stringOf(v)
	return strings.TrimSpace(s), ok
}

func checkAddress(f *Field, a AddressValue) (any, *fault.Fault) {
	if a == (AddressValue{}) {
		return nil, nil
	}
	if a.Region != "" {
		if _, ok := region.Get(a.Region); !ok {
			return nil, invalid(f, "region_unknown", fault.Params{"value": shown(f, a.Region)})
		}
	}
	line := *f
	line.Type = Text
	for _, part := range [...]struct {
		text  string
		limit int
	}{{a.Street, MaxStreet}, {a.Postcode, MaxPostcode}} {
		line.MaxLength = part.limit
		if bad := checkText(&line, part.text); bad != nil {
			return nil, bad
		}
	}
	return a, nil
}

// parseText keeps the whole text as the street and takes the region from its beginning where it has one.
func (addressCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	a := AddressValue{Street: s}
	if code, ok := region.Find(s); ok {
		a.Region = code
	}
	return checkAddress(f, a)
}

type addressShown struct {
	Postcode any          `json:"postcode"`
	Region   *RegionShown `json:"region"`
	Street   any          `json:"street"`
}

func (addressCodec) formatJSON(_ *Field, v any, env *ParseEnv) any {
	a := v.(AddressValue)
	out := addressShown{Postcode: nonEmpty(a.Postcode), Street: nonEmpty(a.Street)}
	if a.Region != "" {
		r := RegionJSON(a.Region, locale(env))
		out.Region = &r
	}
	return out
}

func (addressCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	a := v.(AddressValue)
	parts := make([]string, 0, 3)
	if a.Region != "" {
		name := region.FullName(a.Region, locale(env))
		// A street that names its region already is not given a second one.
		if code, ok := region.Find(a.Street); !ok || code != a.Region {
			parts = append(parts, strings.ReplaceAll(name, " / ", " "))
		}
	}
	for _, s := range [...]string{a.Street, a.Postcode} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

func (addressCodec) encode(dst []any, f *Field, v any, _ *EncodeEnv) []any {
	return append(dst, Plain(f, v), nonEmpty(v.(AddressValue).Region))
}

func (addressCodec) decode(f *Field, cols []any) any {
	raw, _ := cols[0].([]byte)
	a, _ := FromPlain(f, raw).(AddressValue)
	a.Region, _ = cols[1].(string)
	return a
}

func encodeStreet(a AddressValue) []byte {
	raw, err := json.Marshal(street{Street: a.Street, Postcode: a.Postcode})
	if err != nil { // two strings always encode
		return nil
	}
	return raw
}

func decodeStreet(raw []byte) AddressValue {
	var s street
	if err := json.Unmarshal(raw, &s); err != nil {
		return AddressValue{}
	}
	return AddressValue{Street: s.Street, Postcode: s.Postcode}
}

// AppendJSON writes the form that the API shows.
func (r RegionShown) AppendJSON(b []byte) []byte {
	b = jsontext.Append(append(b, `{"code":`...), r.Code)
	b = jsontext.Append(append(b, `,"name":`...), r.Name)
	if r.Tier != "" {
		b = jsontext.Append(append(b, `,"tier":`...), r.Tier)
	}
	return append(b, '}')
}

// AppendJSON writes the form that the API shows.
func (a addressShown) AppendJSON(b []byte) []byte {
	orNull := func(b []byte, v any) []byte {
		if s, ok := v.(string); ok {
			return jsontext.Append(b, s)
		}
		return append(b, "null"...)
	}
	b = append(orNull(append(b, `{"postcode":`...), a.Postcode), `,"region":`...)
	if a.Region == nil {
		b = append(b, "null"...)
	} else {
		b = a.Region.AppendJSON(b)
	}
	return append(orNull(append(b, `,"street":`...), a.Street), '}')
}
