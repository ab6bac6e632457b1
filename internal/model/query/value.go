package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// maxText is the longest text that a condition compares with, in characters.
const maxText = 1000

// reader reads the value of one leaf into constants and collects what is wrong with it.
type reader struct {
	c  *checker
	at string // of the value
}

func (r reader) bad(code, at string, params fault.Params) { r.c.bad(code, at, params) }

func (r reader) wrong(at, expected string) {
	r.bad("expects_"+expected, at, nil)
}

// items splits a list value.
func (r reader) items(raw json.RawMessage) ([]json.RawMessage, bool) {
	var out []json.RawMessage
	if !starts(raw, '[') || json.Unmarshal(raw, &out) != nil {
		r.wrong(r.at, "list")
		return nil, false
	}
	switch {
	case len(out) == 0:
		r.bad("value_missing", r.at, nil)
	case len(out) > MaxValues:
		r.bad("too_many_values", r.at, fault.Params{"limit": MaxValues})
	default:
		return out, true
	}
	return nil, false
}

func starts(raw json.RawMessage, c byte) bool {
	t := bytes.TrimSpace(raw)
	return len(t) > 0 && t[0] == c
}

// text reads a string that is neither empty nor too long.
func (r reader) text(raw json.RawMessage, at string) (string, bool) {
	var s string
	if !starts(raw, '"') || json.Unmarshal(raw, &s) != nil {
		r.wrong(at, "text")
		return "", false
	}
	if strings.ContainsRune(s, 0) || !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxText {
		r.bad("value_out_of_range", at, fault.Params{"low": 1, "high": maxText})
		return "", false
	}
	if strings.TrimSpace(s) == "" {
		r.bad("value_missing", at, nil)
		return "", false
	}
	return s, true
}

// word reads a text in the form in which an operand stores it.
func (r reader) word(v operand, raw json.RawMessage, at string) (string, bool) {
	s, ok := r.text(raw, at)
	if !ok || v.class != textClass && v.class != filesClass {
		return s, ok
	}
	if s = lang.Fold(s); s == "" {
		r.bad("value_missing", at, nil)
	}
	return s, s != ""
}

// key reads an option of a choice, or a tag.
func (r reader) key(v operand, raw json.RawMessage, at string) (string, bool) {
	s, ok := r.text(raw, at)
	if !ok {
		return "", false
	}
	if v.options == nil {
		s = strings.TrimSpace(s)
		if v.class == setClass && strings.Contains(s, "|") {
			r.wrong(at, "option")
			return "", false
		}
		return s, true
	}
	for _, o := range v.options {
		if o.Key == s {
			return s, true
		}
	}
	r.bad("unknown_option", at, fault.Params{"option": clip(s)})
	return "", false
}

// normal reads a telephone number, an e-mail address or another personal value as it is stored or indexed.
func (r reader) normal(f *schema.Field, raw json.RawMessage, at string) (string, bool) {
	s, ok := r.text(raw, at)
	if !ok {
		return "", false
	}
	v, bad := schema.ParseJSON(f, s, schema.ParseEnv{PhoneRegion: r.c.env.PhoneRegion})
	if bad != nil || v == nil {
		expected := "text"
		if f.Type == schema.Phone || f.Type == schema.Email {
			expected = string(f.Type)
		}
		r.wrong(at, expected)
		return "", false
	}
	if f.Personal {
		return schema.BlindForm(f, v), true
	}
	s, ok = v.(string)
	return s, ok
}

func (r reader) region(raw json.RawMessage, at string) (string, bool) {
	s, ok := r.text(raw, at)
	if !ok {
		return "", false
	}
	if _, ok := region.Get(s); !ok {
		r.bad("unknown_region", at, fault.Params{"region": clip(s)})
		return "", false
	}
	return s, true
}

func (r reader) id(v operand, raw json.RawMessage, at string) (int64, bool) {
	s, ok := r.text(raw, at)
	if !ok {
		return 0, false
	}
	prefix, n, err := id.ParseAny(s)
	if err != nil || v.prefix != "" && prefix != v.prefix {
		r.wrong(at, "id")
		return 0, false
	}
	return int64(n), true
}

// pointer reads the id of a record of any object in the one way in which it is printed.
func (r reader) pointer(f *schema.Field, raw json.RawMessage, at string) (string, bool) {
	text, ok := r.text(raw, at)
	if !ok {
		return "", false
	}
	v, bad := schema.ParseJSON(f, text, schema.ParseEnv{})
	s, ok := v.(string)
	if bad != nil || !ok {
		r.wrong(at, "id")
		return "", false
	}
	return s, true
}

func (r reader) truth(raw json.RawMessage) (bool, bool) {
	var b bool
	if t := string(bytes.TrimSpace(raw)); t != "true" && t != "false" || json.Unmarshal(raw, &b) != nil {
		r.wrong(r.at, "bool")
		return false, false
	}
	return b, true
}

// integer reads a number scaled by v.scale, or money in minor units of the base currency.
func (r reader) integer(v operand, raw json.RawMessage, at string) (int64, bool) {
	if v.class == moneyClass {
		return r.money(raw, at)
	}
	s := strings.TrimSpace(string(raw))
	if starts(raw, '"') {
		if json.Unmarshal(raw, &s) != nil {
			s = ""
		}
	}
	n, problem := scaled(s, v.scale)
	if problem != "" {
		r.problem(problem, at, v.scale)
		return 0, false
	}
	return n, true
}

func (r reader) problem(problem, at string, scale int) {
	switch problem {
	case "expects_number":
		r.wrong(at, "number")
	case "value_too_precise":
		r.bad(problem, at, fault.Params{"digits": scale})
	default:
		r.bad(problem, at, fault.Params{"low": -maxInteger, "high": maxInteger})
	}
}

func (r reader) money(raw json.RawMessage, at string) (int64, bool) {
	var m struct {
		Amount   json.RawMessage `json:"amount"`
		Currency string          `json:"currency"`
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if !starts(raw, '{') || dec.Decode(&m) != nil || len(m.Amount) == 0 {
		r.wrong(at, "money")
		return 0, false
	}
	if !money.Known(m.Currency) {
		r.bad("currency_unknown", at+"/currency", fault.Params{"currency": clip(m.Currency)})
		return 0, false
	}
	amount := strings.TrimSpace(string(m.Amount))
	if starts(m.Amount, '"') && json.Unmarshal(m.Amount, &amount) != nil {
		amount = ""
	}
	n, problem := scaled(amount, money.Exponent(m.Currency))
	if problem != "" {
		r.problem(problem, at+"/amount", money.Exponent(m.Currency))
		return 0, false
	}
	return r.base(money.Money{Amount: n, Currency: m.Currency}, at)
}

func (r reader) base(m money.Money, at string) (int64, bool) {
	base := r.c.env.base()
	if m.Currency == base {
		return m.Amount, true
	}
	if r.c.env.Convert != nil {
		if n, ok := r.c.env.Convert(m); ok {
			return n, true
		}
	}
	r.bad("currency_not_base", at+"/currency", fault.Params{"currency": m.Currency, "base": base})
	return 0, false
}

func (e CheckEnv) base() string {
	if e.Base == "" {
		return "CNY"
	}
	return e.Base
}

// day reads a date.
func (r reader) day(s, at string) (clock.Day, bool) {
	d, err := clock.ParseDay(s)
	if err != nil {
		r.bad("bad_date", at, fault.Params{"value": clip(s)})
		return 0, false
	}
	if y := d.Time().Year(); y < schema.MinYear || y > schema.MaxYear {
		r.bad("bad_date", at, fault.Params{"value": clip(s)})
		return 0, false
	}
	return d, true
}

// moment reads a date (instant false) or an RFC 3339 instant in milliseconds.
func (r reader) moment(v operand, raw json.RawMessage, at string) (n int64, instant, ok bool) {
	s, ok := r.text(raw, at)
	if !ok {
		return 0, false, false
	}
	if v.class == instantClass && len(s) > len(time.DateOnly) {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || t.Year() < schema.MinYear || t.Year() > schema.MaxYear {
			r.bad("bad_date", at, fault.Params{"value": clip(s)})
			return 0, false, false
		}
		return t.UnixMilli(), true, true
	}
	d, ok := r.day(s, at)
	return int64(d), false, ok
}

// maxInteger bounds constants: a thousand times the world's money in minor units fits, and sums of products do not
// overflow.
const maxInteger = 1_000_000_000_000_000_000

var decimal = regexp.MustCompile(`^(-?)([0-9]{1,25})(?:\.([0-9]{1,25}))?(?:[eE]([+-]?[0-9]{1,2}))?$`)

// scaled reads a decimal as an integer scaled by 10^scale, exactly; problem is the code of what is wrong with it.
func scaled(s string, scale int) (v int64, problem string) {
	m := decimal.FindStringSubmatch(s)
	if m == nil {
		return 0, "expects_number"
	}
	exponent := 0
	for _, d := range strings.TrimLeft(m[4], "+-") {
		exponent = exponent*10 + int(d-'0')
	}
	if strings.HasPrefix(m[4], "-") {
		exponent = -exponent
	}
	digits := strings.TrimRight(m[3], "0")
	places := scale + exponent - len(digits) // zeros to append to all digits
	digits = m[2] + digits
	for places < 0 && strings.HasSuffix(digits, "0") {
		digits, places = digits[:len(digits)-1], places+1
	}
	digits = strings.TrimLeft(digits, "0")
	switch {
	case digits == "":
		return 0, ""
	case places < 0:
		return 0, "value_too_precise"
	case len(digits)+places > 18:
		return 0, "value_out_of_range"
	}
	for _, d := range digits + strings.Repeat("0", places) {
		v = v*10 + int64(d-'0')
	}
	if m[1] != "" {
		v = -v
	}
	return v, ""
}

// onlyValue reports whether raw holds one JSON value and nothing else; parsed trees always do.
func onlyValue(raw json.RawMessage) bool {
	dec := json.NewDecoder(bytes.NewReader(raw))
	var v any
	if dec.Decode(&v) != nil {
		return false
	}
	_, err := dec.Token()
	return errors.Is(err, io.EOF)
}
