package schema_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

func env() schema.ParseEnv { return schema.ParseEnv{Zone: shanghai, Locale: "zh-CN"} }

func fld(t schema.Type, more ...func(*schema.Field)) *schema.Field {
	f := &schema.Field{Key: "f", Type: t}
	for _, m := range more {
		m(f)
	}
	return f
}

func scale(n int) func(*schema.Field)  { return func(f *schema.Field) { f.Scale = n } }
func maxLen(n int) func(*schema.Field) { return func(f *schema.Field) { f.MaxLength = n } }
func personal(f *schema.Field)         { f.Personal = true }
func options(f *schema.Field)          { f.Options = colours }

var colours = []schema.Option{
	{Key: "red", Label: schema.Label{"zh-CN": "红色", "en": "Red"}},
	{Key: "dark_blue", Label: schema.Label{"zh-CN": "深蓝", "en": "Dark blue"}},
	{Key: "xl", Label: schema.Label{"zh-CN": "XL", "en": "XL"}},
}

func cny(n int64) money.Money { return money.Money{Amount: n, Currency: "CNY"} }

func at(s string) time.Time {
	v, err := time.Parse("2006-01-02T15:04:05.999Z07:00", s)
	if err != nil {
		panic(err)
	}
	return v.UTC()
}

func day(s string) clock.Day {
	d, err := clock.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

type textCase struct {
	f    *schema.Field
	in   string
	want any    // canonical
	code string // of the fault
}

func TestParseText(t *testing.T) {
	t.Parallel()
	birthday := func(cal string, y, m, d int, leap bool) schema.BirthdayValue {
		var b schema.BirthdayValue
		raw := map[string]any{"calendar": cal, "year": float64(y), "month": float64(m), "day": float64(d), "leap": leap}
		v, bad := schema.ParseJSON(fld(schema.Birthday), raw, env())
		if bad != nil {
			t.Fatal(bad)
		}
		b, _ = v.(schema.BirthdayValue)
		return b
	}
	cases := []textCase{
		{fld(schema.Text), "  张 三\t", "张 三", ""},
		{fld(schema.Text), "\uFEFFa\r\nb", "a b", ""},
		{fld(schema.Text), "a\x00b", nil, "schema.control_character"},
		{fld(schema.Text), "a\xffb", nil, "schema.text_encoding"},
		{fld(schema.Text), strings.Repeat("长", 500), strings.Repeat("长", 500), ""},
		{fld(schema.Text), strings.Repeat("长", 501), nil, "schema.too_long"},
		{fld(schema.Text, maxLen(2)), "abc", nil, "schema.too_long"},
		{fld(schema.LongText), "a\r\nb\tc", "a\nb\tc", ""},
		{fld(schema.Number, scale(2)), "1,234.565", int64(123457), ""},
		{fld(schema.Number), "１２３", int64(123), ""},
		{fld(schema.Number, scale(4)), "12.5%", int64(1250), ""},
		{fld(schema.Number), "250%", int64(3), ""},
		{fld(schema.Number), "(12)", int64(-12), ""},
		{fld(schema.Number), "1.2万", int64(12000), ""},
		{fld(schema.Number), "3亿", int64(300000000), ""},
		{fld(schema.Number, scale(2)), "1.5E+3", int64(150000), ""},
		{fld(schema.Number), "abc", nil, "schema.not_number"},
		{fld(schema.Number), "1e999", nil, "schema.not_number"},
		{fld(schema.Number), "NaN", nil, "schema.not_number"},
		{fld(schema.Number, scale(6)), "9999999999999", nil, "schema.number_range"},
		{fld(schema.Number), "99999999999999999999999", nil, "schema.number_range"},
		{fld(schema.Money), "¥1,234.50", cny(123450), ""},
		{fld(schema.Money), "￥12", cny(1200), ""},
		{fld(schema.Money), "12.345元", cny(1235), ""},
		{fld(schema.Money), "1.5万元", cny(1500000), ""},
		{fld(schema.Money), "RMB 12", cny(1200), ""},
		{fld(schema.Money), "-¥3.20", cny(-320), ""},
		{fld(schema.Money), "$9.99", money.Money{Amount: 999, Currency: "USD"}, ""},
		{fld(schema.Money), "HK$10", money.Money{Amount: 1000, Currency: "HKD"}, ""},
		{fld(schema.Money), "12.50 GBP", money.Money{Amount: 1250, Currency: "GBP"}, ""},
		{fld(schema.Money), "jpy 1200", money.Money{Amount: 1200, Currency: "JPY"}, ""},
		{fld(schema.Money), "€ 5", money.Money{Amount: 500, Currency: "EUR"}, ""},
		{fld(schema.Money), "free", nil, "schema.not_money"},
		{fld(schema.Bool), "是", true, ""},
		{fld(schema.Bool), "NO", false, ""},
		{fld(schema.Bool), "１", true, ""},
		{fld(schema.Bool), "maybe", nil, "schema.not_bool"},
		{fld(schema.Date), "2026-11-21", day("2026-11-21"), ""},
		{fld(schema.Date), "2026/1/2", day("2026-01-02"), ""},
		{fld(schema.Date), "2026.11.21", day("2026-11-21"), ""},
		{fld(schema.Date), "20261121", day("2026-11-21"), ""},
		{fld(schema.Date), "2026年11月21日", day("2026-11-21"), ""},
		{fld(schema.Date), "２０２６年１月５日", day("2026-01-05"), ""},
		{fld(schema.Date), "21 Nov 2026", day("2026-11-21"), ""},
		{fld(schema.Date), "Nov 21st, 2026", day("2026-11-21"), ""},
		{fld(schema.Date), "25/12/2026", day("2026-12-25"), ""},
		{fld(schema.Date), "12/25/2026", day("2026-12-25"), ""},
		{fld(schema.Date), "1", day("1899-12-31"), ""},
		{fld(schema.Date), "46347", day("2026-11-21"), ""},
		{fld(schema.Date), "60", day("1900-02-28"), ""},
		{fld(schema.Date), "2026-02-29", nil, "schema.not_date"},
		{fld(schema.Date), "2024-02-29", day("2024-02-29"), ""},
		{fld(schema.Date), "1799-12-31", nil, "schema.date_range"},
		{fld(schema.Date), "2201-01-01", nil, "schema.date_range"},
		{fld(schema.Date), "2026-11-21 23:30", day("2026-11-21"), ""},
		{fld(schema.Date), "2026-11-21T20:30:00Z", day("2026-11-22"), ""},
		{fld(schema.Date), "tomorrow", nil, "schema.not_date"},
		{fld(schema.DateTime), "2026-11-21 08:26", at("2026-11-21T00:26:00Z"), ""},
		{fld(schema.DateTime), "12/1/2010 8:26", at("2010-12-01T00:26:00Z"), ""},
		{fld(schema.DateTime), "12/1/2010 8:26:15 PM", at("2010-12-01T12:26:15Z"), ""},
		{fld(schema.DateTime), "12/1/2010 12:05 AM", at("2010-11-30T16:05:00Z"), ""},
		{fld(schema.DateTime), "2026年11月21日 下午3时5分", at("2026-11-21T07:05:00Z"), ""},
		{fld(schema.DateTime), "2026-11-21T08:26:15.123+01:00", at("2026-11-21T07:26:15.123Z"), ""},
		{fld(schema.DateTime), "2026-11-21T08:26:15Z", at("2026-11-21T08:26:15Z"), ""},
		{fld(schema.DateTime), "46347.5", at("2026-11-21T04:00:00Z"), ""},
		{fld(schema.DateTime), "1795220766", at("2026-11-21T00:26:06Z"), ""},
		{fld(schema.DateTime), "1795220766123", at("2026-11-21T00:26:06.123Z"), ""},
		{fld(schema.DateTime), "2026-11-21 25:00", nil, "schema.not_datetime"},
		{fld(schema.DateTime), "2026-11-21 08:26 xyz", nil, "schema.not_datetime"},
		{fld(schema.Choice, options), "red", "red", ""},
		{fld(schema.Choice, options), "红色", "red", ""},
		{fld(schema.Choice, options), "DARK  BLUE", "dark_blue", ""},
		{fld(schema.Choice, options), "ｘｌ", "xl", ""},
		{fld(schema.Choice, options), "green", nil, "schema.option_unknown"},
		{fld(schema.MultiChoice, options), "红色、xl, red", []string{"red", "xl"}, ""},
		{fld(schema.MultiChoice, options), "red; green", nil, "schema.option_unknown"},
		{fld(schema.Tags), "b，a、 a ;c", []string{"a", "b", "c"}, ""},
		{fld(schema.Phone), "138 1234-1234", "+8613812341234", ""},
		{fld(schema.Phone), "13812341234.0", "+8613812341234", ""},
		{fld(schema.Phone), "+44 20 7946 0958", "+442079460958", ""},
		{fld(schema.Phone), "12", nil, "schema.not_phone"},
		{fld(schema.Email), " Li@Example.COM ", "li@example.com", ""},
		{fld(schema.Email), "li", nil, "schema.not_email"},
		{fld(schema.URL), "example.com/a", "https://example.com/a", ""},
		{fld(schema.URL), "javascript:alert(1)", nil, "schema.not_url"},
		{fld(schema.URL), "ftp://example.com", nil, "schema.not_url"},
		{fld(schema.Region), "330106", "330106", ""},
		{fld(schema.Region), "浙江省杭州市西湖区", "330106", ""},
		{fld(schema.Region), "浙江 杭州", "330100", ""},
		{fld(schema.Region), "Hangzhou", "330100", ""},
		{fld(schema.Region), "Atlantis", nil, "schema.region_unknown"},
		{fld(schema.Address), "浙江省杭州市西湖区文三路 1 号", schema.AddressValue{Region: "330106", Street: "浙江省杭州市西湖区文三路 1 号"}, ""},
		{fld(schema.Relation), "cus_0000000000001", id.ID(1), ""},
		{fld(schema.Relation), "1", nil, "schema.not_id"},
		{fld(schema.Birthday), "1990-05-03", birthday("solar", 1990, 5, 3, false), ""},
		{fld(schema.Birthday), "5月3日", birthday("solar", 0, 5, 3, false), ""},
		{fld(schema.Birthday), "农历 1990-08-15", birthday("lunar", 1990, 8, 15, false), ""},
		{fld(schema.Birthday), "八月十五", birthday("lunar", 0, 8, 15, false), ""},
		{fld(schema.Birthday), "腊月廿三", birthday("lunar", 0, 12, 23, false), ""},
		{fld(schema.Birthday), "农历1990年闰五月初一", birthday("lunar", 1990, 5, 1, true), ""},
		{fld(schema.Birthday), "13-01", nil, "schema.not_birthday"},
		{fld(schema.JSON), ` {"a": [1, 2]} `, json.RawMessage(`{"a":[1,2]}`), ""},
		{fld(schema.JSON), "{", nil, "schema.not_json"},
		{fld(schema.JSON), `"\u0000"`, nil, "schema.not_json"},
		{fld(schema.AutoNumber), "SO-1", "SO-1", ""},
		{fld(schema.RelationMany), "x", nil, "schema.derived"},
	}
	for _, typ := range types() {
		cases = append(cases, textCase{fld(typ, options), " \t ", nil, ""})
	}
	for _, c := range cases {
		got, bad := schema.ParseText(c.f, c.in, env())
		if code(bad) != c.code || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %q: %#v, fault %v; want %#v, %q", c.f.Type, c.in, got, bad, c.want, c.code)
		}
		if bad != nil && bad.Field != "fields.f" {
			t.Errorf("%s %q: the fault is at %q", c.f.Type, c.in, bad.Field)
		}
	}
}

func types() []schema.Type {
	return []schema.Type{schema.Text, schema.LongText, schema.Number, schema.Money, schema.Bool, schema.Date, schema.DateTime, schema.Choice,
		schema.MultiChoice, schema.Tags, schema.Phone, schema.Email, schema.URL, schema.Region, schema.Address, schema.Relation, schema.User,
		schema.AutoNumber, schema.Birthday, schema.JSON}
}

func code(f interface{ Error() string }) string {
	if reflect.ValueOf(f).IsNil() {
		return ""
	}
	c, _, _ := strings.Cut(f.Error(), " ")
	return strings.TrimSuffix(c, ";")
}

// The habits of a file.
func TestParseTextOptions(t *testing.T) {
	t.Parallel()
	e := schema.ParseEnv{Zone: time.UTC, Currency: "GBP", Base: "CNY", DayFirst: true, DecimalComma: true, DateLayout: "02-01-06", PhoneRegion: "GB"}
	for _, c := range []struct {
		f    *schema.Field
		in   string
		want any
	}{
		{fld(schema.Date), "3/4/2026", day("2026-04-03")},
		{fld(schema.Date), "05-11-26", day("2026-11-05")},
		{fld(schema.Number, scale(2)), "1.234,56", int64(123456)},
		{fld(schema.Money), "1.234,50", money.Money{Amount: 123450, Currency: "GBP"}},
		{fld(schema.Phone), "020 7946 0958", "+442079460958"},
	} {
		if got, bad := schema.ParseText(c.f, c.in, e); bad != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %q: %#v, %v; want %#v", c.f.Type, c.in, got, bad, c.want)
		}
	}
	yen := schema.ParseEnv{Currency: "JPY"}
	if got, _ := schema.ParseText(fld(schema.Money), "¥500", yen); got != (money.Money{Amount: 500, Currency: "JPY"}) {
		t.Errorf("¥500 in a file of yen: %v", got)
	}
	aud := schema.ParseEnv{Currency: "AUD"}
	if got, _ := schema.ParseText(fld(schema.Money), "$5", aud); got != (money.Money{Amount: 500, Currency: "AUD"}) {
		t.Errorf("$5 in a file of Australian dollars: %v", got)
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	var huge any = strings.Repeat("x", schema.MaxLongText+1)
	for _, c := range []struct {
		f    *schema.Field
		in   any
		want any
		code string
	}{
		{fld(schema.Text), " a ", "a", ""},
		{fld(schema.Text), "", nil, ""},
		{fld(schema.Text), json.Number("12"), "12", ""},
		{fld(schema.Text), true, nil, "schema.not_text"},
		{fld(schema.Text), "a\nb", nil, "schema.control_character"},
		{fld(schema.LongText), "a\r\nb", "a\nb", ""},
		{fld(schema.LongText), huge, nil, "schema.too_long"},
		{fld(schema.Number, scale(2)), 12.345, int64(1235), ""},
		{fld(schema.Number, scale(2)), json.Number("-0.005"), int64(-1), ""},
		{fld(schema.Number), int64(7), int64(7), ""},
		{fld(schema.Number), int64(math.MaxInt64), nil, "schema.number_range"},
		{fld(schema.Number), math.Inf(1), nil, "schema.not_number"},
		{fld(schema.Number), math.NaN(), nil, "schema.not_number"},
		{fld(schema.Number), "12%", nil, "schema.not_number"},
		{fld(schema.Number), []any{}, nil, "schema.not_number"},
		{fld(schema.Money), map[string]any{"amount": "12.50", "currency": "cny"}, cny(1250), ""},
		{fld(schema.Money), map[string]any{"amount": 12.5}, cny(1250), ""},
		{fld(schema.Money), map[string]any{"amount": nil, "currency": "CNY"}, nil, ""},
		{fld(schema.Money), map[string]any{"amount": "1", "currency": "yuan"}, nil, "schema.currency_unknown"},
		{fld(schema.Money), map[string]any{"amount": "x", "currency": "CNY"}, nil, "schema.not_number"},
		{fld(schema.Money), json.Number("3"), cny(300), ""},
		{fld(schema.Money), money.Money{Amount: 5, Currency: "USD"}, money.Money{Amount: 5, Currency: "USD"}, ""},
		{fld(schema.Bool), false, false, ""},
		{fld(schema.Bool), "true", nil, "schema.not_bool"},
		{fld(schema.Date), "2026-11-21", day("2026-11-21"), ""},
		{fld(schema.Date), "21/11/2026", nil, "schema.not_date"},
		{fld(schema.Date), "2026-11-21T23:00:00Z", day("2026-11-22"), ""},
		{fld(schema.DateTime), "2026-11-21T08:26:15.1239Z", at("2026-11-21T08:26:15.123Z"), ""},
		{fld(schema.DateTime), "2026-11-21", at("2026-11-20T16:00:00Z"), ""},
		{fld(schema.DateTime), 5.0, nil, "schema.not_datetime"},
		{fld(schema.Choice, options), "red", "red", ""},
		{fld(schema.Choice, options), "红色", nil, "schema.option_unknown"},
		{fld(schema.MultiChoice, options), []any{"xl", "red", "xl"}, []string{"red", "xl"}, ""},
		{fld(schema.MultiChoice, options), []any{}, nil, ""},
		{fld(schema.MultiChoice, options), []any{1.0}, nil, "schema.not_list"},
		{fld(schema.Tags), []any{"VIP", "a|b"}, nil, "schema.tag_separator"},
		{fld(schema.Tags), make([]string, schema.MaxTags+1), nil, "schema.too_many"},
		{fld(schema.Relation), map[string]any{"id": "cus_0000000000001", "title": "x", "object": "customer"}, id.ID(1), ""},
		{fld(schema.Relation), map[string]any{"external_id": "A1"}, schema.Key{Field: "external_id", Text: "A1"}, ""},
		{fld(schema.Relation), map[string]any{"a": "1", "b": "2"}, nil, "schema.not_id"},
		{fld(schema.Relation), id.ID(-1), nil, "schema.not_id"},
		{fld(schema.Region), map[string]any{"code": "330100", "name": "whatever"}, "330100", ""},
		{fld(schema.Address), map[string]any{"region": map[string]any{"code": "330106"}, "street": "文三路 1 号", "postcode": "310000"},
			schema.AddressValue{Region: "330106", Street: "文三路 1 号", Postcode: "310000"}, ""},
		{fld(schema.Address), map[string]any{"region": "000000"}, nil, "schema.region_unknown"},
		{fld(schema.Address), map[string]any{"street": ""}, nil, ""},
		{fld(schema.Birthday), map[string]any{"calendar": "lunar", "year": nil, "month": 5.0, "day": 31.0}, nil, "schema.not_birthday"},
		{fld(schema.JSON), map[string]any{"b": 1.0, "a": nil}, json.RawMessage(`{"a":null,"b":1}`), ""},
		{fld(schema.JSON), strings.Repeat("x", schema.MaxJSON), nil, "schema.json_too_long"},
	} {
		got, bad := schema.ParseJSON(c.f, c.in, env())
		if code(bad) != c.code || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %.60v: %#v, fault %v; want %#v, %q", c.f.Type, c.in, got, bad, c.want, c.code)
		}
	}
}

// A fault about a personal field does not repeat the value.
func TestFaultsKeepPersonalValues(t *testing.T) {
	t.Parallel()
	for _, typ := range []schema.Type{schema.Phone, schema.Email, schema.URL} {
		_, bad := schema.ParseText(fld(typ, personal), "SECRET", env())
		if bad == nil {
			if typ == schema.URL {
				continue
			}
			t.Errorf("%s accepted", typ)
			continue
		}
		if strings.Contains(bad.Error(), "SECRET") {
			t.Errorf("%v repeats the value", bad)
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	en := schema.ParseEnv{Zone: shanghai, Locale: "en"}
	for _, c := range []struct {
		f        *schema.Field
		v        any
		text, js string
	}{
		{fld(schema.Number, scale(3)), int64(-1500), "-1.5", "-1.5"},
		{fld(schema.Number, scale(2)), int64(10000), "100", "100"},
		{fld(schema.Money), cny(1250), "12.50 CNY", `{"amount":"12.50","currency":"CNY"}`},
		{fld(schema.Bool), true, "yes", "true"},
		{fld(schema.Date), day("2026-11-21"), "2026-11-21", `"2026-11-21"`},
		{fld(schema.DateTime), at("2026-11-21T08:26:15.120Z"), "2026-11-21 16:26:15.12", `"2026-11-21T08:26:15.12Z"`},
		{fld(schema.Choice, options), "dark_blue", "Dark blue", `"dark_blue"`},
		{fld(schema.Choice, options), "gone", "gone", `"gone"`},
		{fld(schema.MultiChoice, options), []string{"red", "xl"}, "Red, XL", `["red","xl"]`},
		{fld(schema.Phone), "+8613812341234", "13812341234", `"13812341234"`},
		{fld(schema.Phone), "+442079460958", "+442079460958", `"+442079460958"`},
		{fld(schema.Region), "330106", "Zhejiang / Hangzhou / Xihu District", `{"code":"330106","name":"Zhejiang / Hangzhou / Xihu District","tier":"new_first"}`},
		{fld(schema.Birthday), schema.BirthdayValue{Calendar: "lunar", Month: 8, Day: 15}, "lunar 08-15", `{"calendar":"lunar","day":15,"leap":false,"month":8,"year":null}`},
		{fld(schema.JSON), json.RawMessage(`{"a":1}`), `{"a":1}`, `{"a":1}`},
	} {
		if got := schema.FormatText(c.f, c.v, en); got != c.text {
			t.Errorf("%s %v as text: %q, want %q", c.f.Type, c.v, got, c.text)
		}
		raw, err := json.Marshal(schema.FormatJSON(c.f, c.v, en))
		if err != nil || string(raw) != c.js {
			t.Errorf("%s %v as JSON: %s, %v; want %s", c.f.Type, c.v, raw, err, c.js)
		}
	}
}

func TestMasks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    *schema.Field
		v    any
		want string
	}{
		{fld(schema.Phone, personal), "+8613812341234", "138****1234"},
		{fld(schema.Email, personal), "lily@qq.com", "l***@qq.com"},
		{fld(schema.Text, personal), "11010519491231002X", "11**************2X"},
		{fld(schema.Text, personal), "abc", "a**"},
		{fld(schema.Address, personal), schema.AddressValue{Region: "330106", Street: "西湖区文三路 1 号"}, "西湖区文*****"},
	} {
		got := schema.Mask(c.f, c.v, env())
		if c.f.Type == schema.Address {
			if !strings.HasPrefix(got, "西湖区文*") || strings.Contains(got, "1") {
				t.Errorf("masked address %q", got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%v masked as %q, want %q", c.v, got, c.want)
		}
	}
}

type rates map[string]int64 // base minor units for 100 of the currency

func (r rates) Convert(m money.Money, _ string, _ clock.Day) (int64, bool) {
	n, ok := r[m.Currency]
	return m.Amount * n / 100, ok
}

func TestEncode(t *testing.T) {
	t.Parallel()
	e := &schema.EncodeEnv{Zone: shanghai, Base: "CNY", Rates: rates{"USD": 720}}
	for _, c := range []struct {
		f    *schema.Field
		v    any
		want []any
	}{
		{fld(schema.Text, func(f *schema.Field) { f.Pinyin = true }), "Ａbc", []any{"Ａbc", "abc", "abc"}},
		{fld(schema.Money), cny(5), []any{int64(5), "CNY", int64(5)}},
		{fld(schema.Money), money.Money{Amount: 100, Currency: "USD"}, []any{int64(100), "USD", int64(720)}},
		{fld(schema.Money), money.Money{Amount: 100, Currency: "GBP"}, []any{int64(100), "GBP", nil}},
		{fld(schema.DateTime), at("2026-11-21T20:00:00Z"), []any{at("2026-11-21T20:00:00Z").UnixMilli(), int64(day("2026-11-22"))}},
		{fld(schema.Tags), []string{"a", "b"}, []any{"|a|b|"}},
		{fld(schema.Region), "330106", []any{"330106", "new_first"}},
		{fld(schema.Birthday), schema.BirthdayValue{Calendar: "lunar", Year: 1990, Month: 5, Day: 1, Leap: true}, []any{int64(19900501), "lunar", int64(10501)}},
		{fld(schema.Phone, personal), "+8613812341234", []any{nil, nil, "mobile"}},
		{fld(schema.Email, personal), "a@qq.com", []any{nil, nil, "qq.com"}},
		{fld(schema.Address, personal), schema.AddressValue{Region: "330106", Street: "x"}, []any{nil, "330106"}},
		{fld(schema.Text, personal), "x", []any{nil, nil}},
		{fld(schema.Money), nil, []any{nil, nil, nil}},
	} {
		c.f.Physical = "f"
		got := schema.Encode(nil, c.f, c.v, e)
		if c.f.Pinyin && len(got) == 3 {
			got[2] = c.want[2] // the sort key is lang's
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %v: %#v, want %#v", c.f.Type, c.v, got, c.want)
		}
		if n := len(schema.FieldColumns(c.f)); len(got) != n {
			t.Errorf("%s: %d columns, not %d", c.f.Type, len(got), n)
		}
	}
}

func TestNumbering(t *testing.T) {
	t.Parallel()
	f := fld(schema.AutoNumber)
	f.Pattern = "SO{yyyymmdd}-{00000}"
	d := day("2026-11-21")
	if got := schema.FormatNumber(f.Pattern, d, 42); got != "SO20261121-00042" {
		t.Error(got)
	}
	if got := schema.FormatNumber("{yy}/{000}", d, 12345); got != "26/12345" {
		t.Error(got)
	}
	if a, b := schema.NumberCounter("order", f, d), schema.NumberCounter("order", f, d+1); a == b || a != "order.f:20261121" {
		t.Error(a, b)
	}
	for _, bad := range []string{"", "SO", "{00}{00}", "{00", "{abc}{00}", "{}{00}"} {
		if schema.CheckPattern(bad) == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func ExampleFormatText() {
	f := &schema.Field{Key: "price", Type: schema.Money}
	v, _ := schema.ParseText(f, "￥1,234.5", schema.ParseEnv{})
	fmt.Println(schema.FormatText(f, v, schema.ParseEnv{}))
	// Output: 1234.50 CNY
}
