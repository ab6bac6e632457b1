package schema

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/jsontext"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
)

// BirthdayValue is a yearly day in the solar or lunar calendar; year 0 is not known, Leap is of lunar months only.
type BirthdayValue = lunar.Birthday

// birthdayCodec keeps year*10000+month*100+day, the calendar, and month*100+day (+10000 in a leap month).
type birthdayCodec struct{}

func (c birthdayCodec) parseJSON(f *Field, v any, env *ParseEnv) (any, *fault.Fault) {
	switch x := v.(type) {
	case BirthdayValue:
		return c.check(f, x)
	case string:
		s, bad := cleanText(f, x)
		if bad != nil || s == "" {
			return nil, bad
		}
		return c.parseText(f, s, env)
	case map[string]any:
		b := BirthdayValue{Calendar: lunar.Solar}
		if cal, ok := x["calendar"].(string); ok && cal != "" {
			b.Calendar = lunar.Calendar(cal)
		}
		var ok [3]bool
		b.Year, ok[0] = integer(x["year"])
		b.Month, ok[1] = integer(x["month"])
		b.Day, ok[2] = integer(x["day"])
		b.Leap, _ = x["leap"].(bool)
		if !ok[0] || !ok[1] || !ok[2] {
			return nil, invalid(f, "not_birthday", nil)
		}
		return c.check(f, b)
	}
	return nil, invalid(f, "not_birthday", nil)
}

// integer reads a small whole number of decoded JSON; nil is 0.
func integer(v any) (int, bool) {
	switch x := v.(type) {
	case nil:
		return 0, true
	case int:
		return x, true
	case float64:
		return int(x), x == float64(int(x))
	case json.Number:
		n, err := strconv.Atoi(x.String())
		return n, err == nil
	}
	return 0, false
}

func (birthdayCodec) check(f *Field, b BirthdayValue) (any, *fault.Fault) {
	if err := b.Validate(); err != nil {
		bad := invalid(f, "not_birthday", nil)
		bad.Cause = err
		return nil, bad
	}
	return b, nil
}

// Names of lunar months and days as they are said.
var (
	lunarMonths = strings.Fields("正 二 三 四 五 六 七 八 九 十 冬 腊")
	lunarTens   = strings.Fields("初 十 廿 三")
	lunarDigits = strings.Fields("一 二 三 四 五 六 七 八 九 十")
)

// parseText reads 1990-05-03, 05-03, 5月3日, 1990年5月3日, and with 农历, 阴历 or lunar before it the same in the lunar
// calendar, where 闰 or leap marks a leap month and 正月初一 and the like are understood.
func (c birthdayCodec) parseText(f *Field, s string, env *ParseEnv) (any, *fault.Fault) {
	bad := invalid(f, "not_birthday", fault.Params{"value": shown(f, s)})
	s = halfWidth(s)
	b := BirthdayValue{Calendar: lunar.Solar}
	for _, mark := range [...]string{"农历", "阴历", "lunar", "Lunar"} {
		if t, ok := strings.CutPrefix(s, mark); ok {
			b.Calendar, s = lunar.Lunar, strings.TrimSpace(t)
			break
		}
	}
	for _, mark := range [...]string{"公历", "阳历", "新历", "solar", "Solar"} {
		s = strings.TrimSpace(strings.TrimPrefix(s, mark))
	}
	for _, mark := range [...]string{"闰", "leap"} {
		if strings.Contains(s, mark) {
			b.Calendar, b.Leap = lunar.Lunar, true
			s = strings.Replace(s, mark, "", 1)
		}
	}
	if env.DateLayout != "" {
		if t, err := time.Parse(env.DateLayout, s); err == nil {
			b.Year, b.Month, b.Day = t.Year(), int(t.Month()), t.Day()
			return c.check(f, b)
		}
	}
	switch {
	case strings.ContainsAny(s, "正一二三四五六七八九十冬腊初廿"):
		if !saidDay(s, &b) {
			return nil, bad
		}
	default:
		if !writtenDay(s, env, &b) {
			return nil, bad
		}
	}
	return c.check(f, b)
}

// writtenDay reads digits: year, month and day, or month and day.
func writtenDay(s string, env *ParseEnv, b *BirthdayValue) bool {
	groups := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-/. 年月日号", r) })
	nums := make([]int, 0, 3)
	for _, g := range groups {
		n, err := strconv.Atoi(g)
		if err != nil || n < 0 {
			return false
		}
		nums = append(nums, n)
	}
	switch {
	case len(nums) == 1 && len(groups[0]) == 8:
		b.Year, b.Month, b.Day = nums[0]/10000, nums[0]/100%100, nums[0]%100
		return true
	case len(nums) == 2:
		b.Month, b.Day = nums[0], nums[1]
		return len(groups[0]) <= 2
	case len(nums) == 3 && len(groups[0]) == 4:
		b.Year, b.Month, b.Day = nums[0], nums[1], nums[2]
		return true
	}
	if b.Calendar == lunar.Lunar {
		return false
	}
	m, ok := scanMoment(s, env.DayFirst)
	if !ok {
		if d, _, excel := excelSerial(s); excel {
			t := d.Time()
			b.Year, b.Month, b.Day = t.Year(), int(t.Month()), t.Day()
			return true
		}
		return false
	}
	b.Year, b.Month, b.Day = m.year, m.month, m.day
	return true
}

// saidDay reads 八月十五, 腊月廿三, 1990年正月初一; such names are lunar.
func saidDay(s string, b *BirthdayValue) bool {
	b.Calendar = lunar.Lunar
	if y, rest, ok := strings.Cut(s, "年"); ok {
		n, err := strconv.Atoi(strings.TrimSpace(y))
		if err != nil {
			return false
		}
		b.Year, s = n, rest
	}
	month, day, ok := strings.Cut(strings.TrimSpace(s), "月")
	if !ok {
		return false
	}
	switch month {
	case "一":
		b.Month = 1
	case "十一":
		b.Month = 11
	case "十二":
		b.Month = 12
	default:
		for i, m := range lunarMonths {
			if m == month {
				b.Month = i + 1
			}
		}
	}
	b.Day = saidNumber(strings.TrimSuffix(strings.TrimSpace(day), "日"))
	return b.Month > 0 && b.Day > 0
}

// saidNumber reads 初一 to 三十, 0 for anything else.
func saidNumber(s string) int {
	switch s {
	case "初十", "十":
		return 10
	case "二十":
		return 20
	case "三十":
		return 30
	}
	r := []rune(s)
	tens := 0
	if len(r) == 3 && r[1] == '十' { // 二十三
		if r[0] != '二' {
			return 0
		}
		tens, r = 20, r[2:]
	} else if len(r) == 2 {
		for i, t := range lunarTens[:3] {
			if t == string(r[0]) {
				tens = i * 10
				r = r[1:]
				break
			}
		}
	}
	if len(r) != 1 {
		return 0
	}
	for i, d := range lunarDigits[:9] {
		if d == string(r) {
			return tens + i + 1
		}
	}
	return 0
}

type birthdayShown struct {
	Calendar string `json:"calendar"`
	Day      int    `json:"day"`
	Leap     bool   `json:"leap"`
	Month    int    `json:"month"`
	Year     *int   `json:"year"`
}

func (birthdayCodec) formatJSON(_ *Field, v any, _ *ParseEnv) any {
	b := v.(BirthdayValue)
	out := birthdayShown{string(b.Calendar), b.Day, b.Leap, b.Month, nil}
	if b.Year > 0 {
		out.Year = &b.Year
	}
	return out
}

func (birthdayCodec) formatText(_ *Field, v any, env *ParseEnv) string {
	b := v.(BirthdayValue)
	var s strings.Builder
	word, leap := "lunar ", "leap"
	if env.chinese() {
		word, leap = "农历", "闰"
	}
	if b.Calendar == lunar.Lunar {
		s.WriteString(word)
	}
	if b.Year > 0 {
		fmt.Fprintf(&s, "%04d-", b.Year)
	}
	if b.Leap {
		s.WriteString(leap)
	}
	fmt.Fprintf(&s, "%02d-%02d", b.Month, b.Day)
	return s.String()
}

func (birthdayCodec) encode(dst []any, _ *Field, v any, _ *EncodeEnv) []any {
	b := v.(BirthdayValue)
	md := int64(b.Month*100 + b.Day)
	main := int64(b.Year)*10000 + md
	if b.Leap {
		md += 10000
	}
	return append(dst, main, string(b.Calendar), md)
}

func (birthdayCodec) decode(_ *Field, cols []any) any {
	n, _ := cols[0].(int64)
	cal, _ := cols[1].(string)
	md, _ := cols[2].(int64)
	return BirthdayValue{Calendar: lunar.Calendar(cal), Year: int(n / 10000), Month: int(n / 100 % 100), Day: int(n % 100), Leap: md > 10000}
}

// AppendJSON writes the form that the API shows.
func (d birthdayShown) AppendJSON(b []byte) []byte {
	b = jsontext.Append(append(b, `{"calendar":`...), d.Calendar)
	b = strconv.AppendInt(append(b, `,"day":`...), int64(d.Day), 10)
	b = strconv.AppendBool(append(b, `,"leap":`...), d.Leap)
	b = append(strconv.AppendInt(append(b, `,"month":`...), int64(d.Month), 10), `,"year":`...)
	if d.Year == nil {
		return append(b, "null}"...)
	}
	return append(strconv.AppendInt(b, int64(*d.Year), 10), '}')
}
