package schema

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/jsontext"
	"github.com/guanxi-crm/guanxi/internal/base/money"
)

// MaxScaled bounds numbers and amounts after scaling, so that sums of many still fit into 64 bits.
const MaxScaled = 1_000_000_000_000_000 * 999

// scaled reads a plain decimal text; bad is "not_number" or "number_range".
func scaled(s string, scale int) (v int64, bad string) {
	if i := strings.IndexAny(s, "eE"); i > 0 {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
			return 0, "not_number"
		}
		if math.Abs(x) >= 1e18 {
			return 0, "number_range"
		}
		s = strconv.FormatFloat(x, 'f', -1, 64)
	}
	whole := strings.TrimLeft(s, "+-0,")
	if i := strings.IndexByte(whole, '.'); i >= 0 {
		whole = whole[:i]
	}
	if len(whole)-strings.Count(whole, ",")+scale > 18 {
		for i := range len(s) {
			if c := s[i]; (c < '0' || c > '9') && c != '.' && c != ',' && c != '-' && c != '+' {
				return 0, "not_number"
			}
		}
		return 0, "number_range"
	}
	v, err := money.ParseScaled(s, scale)
	if err != nil {
		return 0, "not_number"
	}
	if v > MaxScaled || v < -MaxScaled {
		return 0, "number_range"
	}
	return v, ""
}

// grouped reports whether commas stand only where digits are grouped: before the point, by threes, fours (万) or, but for the
// last group, twos (lakh). "1.234,50" and "12,5" are numbers of another notation and must not be read as something else.
func grouped(s string) bool {
	whole, rest, _ := strings.Cut(strings.TrimLeft(s, "+-"), ".")
	if strings.Contains(rest, ",") {
		return false
	}
	groups := strings.Split(whole, ",")
	last := len(groups) - 1
	if last == 0 {
		return true
	}
	for _, by := range []int{3, 4, 2} {
		good := len(groups[0]) >= 1 && len(groups[0]) <= by
		for i, g := range groups[1:] {
			good = good && (len(g) == by || by == 2 && i+1 == last && len(g) == 3)
		}
		if by == 2 {
			good = good && len(groups[last]) == 3
		}
		if good {
			return true
		}
	}
	return false
}

// number reads a number as people write it: full-width digits, grouping, a percent sign (12% is 0.12), brackets for
// negative amounts, 万 and 亿.
func number(s string, scale int, env *ParseEnv) (int64, string) {
	s = strings.TrimSpace(halfWidth(s))
	neg := false
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") && len(s) > 2 {
		neg, s = true, s[1:len(s)-1]
	}
	shift := 0
	switch {
	case strings.HasSuffix(s, "%"):
		s, shift = s[:len(s)-1], -2
	case strings.HasSuffix(s, "万"):
		s, shift = strings.TrimSuffix(s, "万"), 4
	case strings.HasSuffix(s, "亿"):
		s, shift = strings.TrimSuffix(s, "亿"), 8
	}
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\'' || r == '_' {
			return -1
		}
		return r
	}, s)
	if env.DecimalComma {
		s = strings.Map(func(r rune) rune {
			switch r {
			case ',':
				return '.'
			case '.':
				return ','
			}
			return r
		}, s)
	}
	if !grouped(s) {
		return 0, "not_number"
	}
	var v int64
	var bad string
	if scale+shift >= 0 {
		v, bad = scaled(s, scale+shift)
	} else {
		// Fewer decimals than the percent sign shifts: read with all of them, then round.
		if v, bad = scaled(s, 6); bad == "" {
			v = money.MulDiv(v, int64(math.Pow10(scale)), 100_000_000)
		}
	}
	if neg {
		v = -v
	}
	return v, bad
}

// numberCodec is of scaled integers. JSON numbers and decimal texts are rounded half away from zero to the scale; an
// int64 is canonical, that is scaled already.
type numberCodec struct{}

func (numberCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	if n, ok := v.(int64); ok {
		if n > MaxScaled || n < -MaxScaled {
			return nil, invalid(f, "number_range", nil)
		}
		return n, nil
	}
	s, ok := stringOf(v)
	if ok && strings.TrimSpace(s) == "" {
		return nil, nil
	}
	if !ok {
		return nil, invalid(f, "not_number", nil)
	}
	n, bad := scaled(strings.TrimSpace(s), f.Scale)
	if bad != "" {
		return nil, invalid(f, bad, fault.Params{"value": shown(f, s)})
	}
	return n, nil
}

func (numberCodec) parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	n, bad := number(s, f.Scale, env)
	if bad != "" {
		return nil, invalid(f, bad, fault.Params{"value": shown(f, s)})
	}
	return n, nil
}

func (numberCodec) formatJSON(f *Field, v any, _ *ParseEnv) any {
	s := money.FormatScaled(v.(int64), f.Scale)
	if strings.IndexByte(s, '.') >= 0 {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return json.Number(s)
}

func (c numberCodec) formatText(f *Field, v any, env *ParseEnv) string {
	s := string(c.formatJSON(f, v, env).(json.Number))
	if env.DecimalComma {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

func (numberCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return append(dst, v) }

func (numberCodec) decode(_ *Field, cols []any) any { return cols[0] }

// moneyCodec is of amounts: {"amount":"12.50","currency":"CNY"}; a bare number or text is in the environment's currency.
type moneyCodec struct{}

func (c moneyCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	switch x := v.(type) {
	case money.Money:
		if !money.Known(x.Currency) {
			return nil, invalid(f, "currency_unknown", fault.Params{"currency": shown(f, x.Currency)})
		}
		if x.Amount > MaxScaled || x.Amount < -MaxScaled {
			return nil, invalid(f, "number_range", nil)
		}
		return x, nil
	case map[string]any:
		currency := env.currency()
		if cv, ok := x["currency"]; ok && cv != nil {
			s, isText := cv.(string)
			if currency = strings.ToUpper(strings.TrimSpace(s)); !isText {
				return nil, invalid(f, "not_money", nil)
			}
		}
		if x["amount"] == nil {
			return nil, nil
		}
		return c.amount(f, x["amount"], currency)
	}
	return c.amount(f, v, env.currency())
}

func (moneyCodec) amount(f *Field, v any, currency string) (any, *fault.Fault) {
	s, ok := stringOf(v)
	if ok && strings.TrimSpace(s) == "" {
		return nil, nil
	}
	if !ok {
		return nil, invalid(f, "not_money", nil)
	}
	if !money.Known(currency) {
		return nil, invalid(f, "currency_unknown", fault.Params{"currency": shown(f, currency)})
	}
	n, bad := scaled(strings.TrimSpace(s), money.Exponent(currency))
	if bad != "" {
		return nil, invalid(f, bad, fault.Params{"value": shown(f, s)})
	}
	return money.Money{Amount: n, Currency: currency}, nil
}

func (moneyCodec) parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	rest, currency := cutCurrency(strings.TrimSpace(halfWidth(s)), env.currency())
	if !money.Known(currency) {
		return nil, invalid(f, "currency_unknown", fault.Params{"currency": shown(f, currency)})
	}
	n, bad := number(rest, money.Exponent(currency), env)
	if bad != "" {
		if bad == "not_number" {
			bad = "not_money"
		}
		return nil, invalid(f, bad, fault.Params{"value": shown(f, s)})
	}
	return money.Money{Amount: n, Currency: currency}, nil
}

// signs are currency signs and names; the first that fits counts, so the longer ones stand first. Read only.
var signs = []struct{ sign, currency string }{
	{"US$", "USD"}, {"HK$", "HKD"}, {"NT$", "TWD"}, {"A$", "AUD"}, {"C$", "CAD"}, {"S$", "SGD"}, {"CN¥", "CNY"}, {"JP¥", "JPY"},
	{"RMB", "CNY"}, {"人民币", "CNY"}, {"美元", "USD"}, {"欧元", "EUR"}, {"英镑", "GBP"}, {"日元", "JPY"}, {"港币", "HKD"}, {"港元", "HKD"},
	{"€", "EUR"}, {"£", "GBP"}, {"₩", "KRW"}, {"元", ""}, {"圆", ""},
}

// cutCurrency takes a currency off either end of an amount. "¥" is the yen where the file's currency is the yen, else
// the yuan; "$" is the file's dollar, if it has one, else that of the United States.
func cutCurrency(s, currency string) (rest, found string) {
	neg := ""
	if strings.HasPrefix(s, "-") {
		neg, s = "-", strings.TrimSpace(s[1:])
	}
	cut := func(sign, c string) bool {
		t, ok := strings.CutPrefix(s, sign)
		if !ok {
			t, ok = strings.CutSuffix(s, sign)
		}
		if ok {
			s = strings.TrimSpace(t)
			if c != "" {
				currency = c
			}
		}
		return ok
	}
	for _, x := range signs {
		if cut(x.sign, x.currency) {
			break
		}
	}
	yuan, dollar := "CNY", "USD"
	if currency == "JPY" {
		yuan = "JPY"
	}
	switch currency {
	case "AUD", "CAD", "HKD", "NZD", "SGD", "TWD", "MXN":
		dollar = currency
	}
	if !cut("¥", yuan) && !cut("￥", yuan) {
		cut("$", dollar)
	}
	letters := func(t string) bool { return len(t) == 3 && money.Known(strings.ToUpper(t)) }
	switch n := len(s); {
	case n > 3 && letters(s[:3]):
		currency, s = strings.ToUpper(s[:3]), strings.TrimSpace(s[3:])
	case n > 3 && letters(s[n-3:]):
		currency, s = strings.ToUpper(s[n-3:]), strings.TrimSpace(s[:n-3])
	}
	return neg + s, currency
}

type moneyShown struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

func (moneyCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any {
	m := v.(money.Money)
	return moneyShown{m.Decimal(), m.Currency}
}

func (moneyCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	m := v.(money.Money)
	s := m.Decimal()
	if env.DecimalComma {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s + " " + m.Currency
}

func (moneyCodec) encode(dst []any, _ *Field, v any, e *EncodeEnv) []any {
	m := v.(money.Money)
	base := any(m.Amount)
	want := e.Base
	if want == "" {
		want = "CNY"
	}
	if m.Currency != want {
		base = nil
		if e.Rates != nil {
			if n, ok := e.Rates.Convert(m, want, e.Day); ok {
				base = n
			}
		}
	}
	return append(dst, m.Amount, m.Currency, base)
}

func (moneyCodec) decode(_ *Field, cols []any) any {
	n, _ := cols[0].(int64)
	c, _ := cols[1].(string)
	return money.Money{Amount: n, Currency: c}
}

// boolCodec is of yes and no.
type boolCodec struct{}

func (boolCodec) parseJSON(f *Field, v any, _ *ParseEnv) (any, *fault.Fault) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return nil, invalid(f, "not_bool", nil)
}

func (boolCodec) parseText(f *Field, s string, _ *ParseEnv) (any, *fault.Fault) {
	switch strings.ToLower(halfWidth(s)) {
	case "true", "t", "yes", "y", "1", "1.0", "on", "x", "是", "真", "对", "有", "√", "✓", "✔", "开":
		return true, nil
	case "false", "f", "no", "n", "0", "0.0", "off", "否", "假", "错", "无", "×", "✗", "关":
		return false, nil
	}
	return nil, invalid(f, "not_bool", fault.Params{"value": shown(f, s)})
}

func (boolCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any { return v }

func (boolCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	switch {
	case v.(bool) && env.chinese():
		return "是"
	case v.(bool):
		return "yes"
	case env.chinese():
		return "否"
	}
	return "no"
}

func (boolCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any { return append(dst, v) }
func (boolCodec) decode(_ *Field, cols []any) any                       { return cols[0] }

// AppendJSON writes the form that the API shows.
func (m moneyShown) AppendJSON(b []byte) []byte {
	b = jsontext.Append(append(b, `{"amount":`...), m.Amount)
	return append(jsontext.Append(append(b, `,"currency":`...), m.Currency), '}')
}
