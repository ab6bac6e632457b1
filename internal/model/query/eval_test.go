package query_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

func day(t testing.TB, s string) clock.Day {
	t.Helper()
	d, err := clock.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// at is an instant in Shanghai.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04:05", s, shanghai(t))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func yuan(n int64) money.Money { return money.Money{Amount: n * 100, Currency: "CNY"} }

// orders are facts of a customer with orders at the given times, of 100, 200 … yuan.
func orders(t testing.TB, times ...string) *query.Facts {
	t.Helper()
	c := &query.Facts{RecordID: 1, Values: map[string]any{}, Many: map[string]map[string][]*query.Facts{}}
	var rows []*query.Facts
	for i, s := range times {
		rows = append(rows, &query.Facts{RecordID: id.ID(100 + i), Values: map[string]any{
			"placed_at": at(t, s), "net_amount": yuan(int64(i+1) * 100), "status": "completed"}})
	}
	c.Many["order"] = map[string][]*query.Facts{"customer": rows}
	return c
}

func holds(t testing.TB, text string, m query.Moment, s query.Subject) bool {
	t.Helper()
	ok, err := query.Eval(parse(t, text), query.EvalEnv{CheckEnv: checkEnv(t, "customer"), Moment: m}, s)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return ok
}

// It is 2026-11-21 10:00:00 in Shanghai in all of these.
func TestWindows(t *testing.T) {
	t.Parallel()
	m := moment(t)
	cases := []struct {
		window, time string
		want         bool
	}{
		{`{"days":1}`, "2026-11-21 00:00:00", true}, // within 1 day is today
		{`{"days":1}`, "2026-11-20 23:59:59", false},
		{`{"days":1}`, "2026-11-21 23:59:59", true}, // today as a whole
		{`{"days":1}`, "2026-11-22 00:00:00", false},
		{`{"days":2}`, "2026-11-20 00:00:00", true},
		{`{"days":2}`, "2026-11-19 23:59:59", false},
		{`{"days":0}`, "2026-11-21 10:00:00", false},
		{`{"days":[2,1]}`, "2026-11-20 12:00:00", true}, // yesterday alone
		{`{"days":[2,1]}`, "2026-11-21 00:00:00", false},
		{`{"days":[2,1]}`, "2026-11-19 23:59:59", false},
		{`{"days":[60,30]}`, "2026-10-22 23:59:59", true},
		{`{"days":[60,30]}`, "2026-10-23 00:00:00", false},
		{`{"days":[60,30]}`, "2026-09-23 00:00:00", true},
		{`{"days":[60,30]}`, "2026-09-22 23:59:59", false},
		{`{"days":[5,5]}`, "2026-11-16 12:00:00", false},
		{`{"hours":24}`, "2026-11-20 10:00:01", true},
		{`{"hours":24}`, "2026-11-20 10:00:00", false},
		{`{"hours":24}`, "2026-11-21 10:00:00", true},
		{`{"hours":24}`, "2026-11-21 10:00:01", false},
		{`{"from":"2026-11-01","to":"2026-11-11"}`, "2026-11-11 23:59:59", true},
		{`{"from":"2026-11-01","to":"2026-11-11"}`, "2026-11-01 00:00:00", true},
		{`{"from":"2026-11-01","to":"2026-11-11"}`, "2026-11-12 00:00:00", false},
		{`{"from":"2026-11-01"}`, "2027-01-01 00:00:00", true},
		{`{"to":"2026-11-01"}`, "2026-11-01 23:59:59", true},
	}
	for _, c := range cases {
		if got := holds(t, `{"record":"order","within":`+c.window+`}`, m, orders(t, c.time)); got != c.want {
			t.Errorf("%s at %s: %v", c.window, c.time, got)
		}
		if strings.Contains(c.window, "from") || strings.Contains(c.window, "to") {
			continue
		}
		who := &query.Facts{Values: map[string]any{"created_at": at(t, c.time)}}
		if got := holds(t, `{"field":"created_at","op":"within_last","value":`+c.window+`}`, m, who); got != c.want {
			t.Errorf("within_last %s at %s: %v", c.window, c.time, got)
		}
	}
}

// A day with a change of the clocks is one day.
func TestDayOfClockChange(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	m := query.Moment{Now: time.Date(2026, 10, 25, 22, 30, 0, 0, time.UTC), Zone: berlin} // 23:30 of a day of 25 hours
	for utc, want := range map[string]bool{"2026-10-24T22:00:00Z": true, "2026-10-24T21:59:59Z": false, "2026-10-25T22:59:59Z": true, "2026-10-25T23:00:00Z": false} {
		v, err := time.Parse(time.RFC3339, utc)
		if err != nil {
			t.Fatal(err)
		}
		who := &query.Facts{Values: map[string]any{"created_at": v}}
		for _, text := range []string{`{"field":"created_at","op":"within_last","value":{"days":1}}`, `{"field":"created_at","op":"=","value":"2026-10-25"}`} {
			if got := holds(t, text, m, who); got != want {
				t.Errorf("%s at %s: %v", text, utc, got)
			}
		}
	}
}

func TestAggregates(t *testing.T) {
	t.Parallel()
	m := moment(t)
	none, two := orders(t), orders(t, "2026-11-20 09:00:00", "2026-11-20 18:00:00", "2026-10-01 12:00:00") // 100, 200, 300
	cases := []struct {
		text      string
		none, two bool
	}{
		{`{"record":"order"}`, false, true},
		{`{"record":"order","op":"none"}`, true, false},
		{`{"record":"order","op":"none","within":{"days":1}}`, true, true},
		{`{"record":"order","op":"=","value":3}`, false, true},
		{`{"record":"order","op":"<","value":5}`, false, true}, // nobody without orders slips in
		{`{"record":"order","op":"<","value":5,"none_as":0}`, true, true},
		{`{"record":"order","op":"=","value":0}`, false, false},
		{`{"record":"order","op":"=","value":0,"none_as":0}`, true, false},
		{`{"record":"order","op":"!=","value":2}`, false, true},
		{`{"not":{"record":"order","op":"=","value":3}}`, true, false},
		{`{"record":"order","aggregate":"days","op":"=","value":2}`, false, true},
		{`{"record":"order","aggregate":{"sum":"net_amount"},"op":"<","value":{"amount":"100","currency":"CNY"}}`, false, false},
		{`{"record":"order","aggregate":{"sum":"net_amount"},"op":"<","value":{"amount":"100","currency":"CNY"},"none_as":0}`, true, false},
		{`{"record":"order","aggregate":{"sum":"net_amount"},"op":"=","value":{"amount":"600","currency":"CNY"}}`, false, true},
		{`{"record":"order","aggregate":{"avg":"net_amount"},"op":"=","value":{"amount":"200","currency":"CNY"}}`, false, true},
		{`{"record":"order","aggregate":{"avg":"net_amount"},"op":">","value":{"amount":"199.99","currency":"CNY"}}`, false, true},
		{`{"record":"order","aggregate":{"avg":"net_amount"},"op":">","value":{"amount":"200","currency":"CNY"}}`, false, false},
		{`{"record":"order","aggregate":{"max":"placed_at"},"op":"=","value":"2026-11-20"}`, false, true},
		{`{"record":"order","aggregate":{"min":"placed_at"},"op":"before","value":"2026-10-02"}`, false, true},
		{`{"record":"order","aggregate":{"distinct":"status"},"op":"=","value":1}`, false, true},
		{`{"record":"order","aggregate":{"sum":"cost_amount"},"op":"<=","value":{"amount":"0","currency":"CNY"}}`, false, false}, // rows, and no values
		{`{"record":"order","where":{"field":"net_amount","op":">=","value":{"amount":"200","currency":"CNY"}},"op":"=","value":2}`, false, true},
	}
	for _, c := range cases {
		if a, b := holds(t, c.text, m, none), holds(t, c.text, m, two); a != c.none || b != c.two {
			t.Errorf("%s: %v without orders, %v with", c.text, a, b)
		}
	}
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	m := moment(t)
	cases := []struct {
		text  string
		times []string
		want  bool
	}{
		{`{"first":{"record":"order"},"within":{"days":30}}`, []string{"2026-11-01 10:00:00", "2026-11-05 10:00:00"}, true},
		{`{"first":{"record":"order"},"within":{"days":30}}`, []string{"2026-10-01 10:00:00", "2026-11-05 10:00:00"}, false},
		{`{"first":{"record":"order"},"within":{"days":30}}`, nil, false},
		{`{"stopped":{"record":"order"},"for":{"days":30}}`, []string{"2026-10-22 23:00:00"}, true},
		{`{"stopped":{"record":"order"},"for":{"days":30}}`, []string{"2026-10-23 00:00:00"}, false},
		{`{"stopped":{"record":"order"},"for":{"days":30}}`, nil, false},
		{`{"stopped":{"record":"order"},"for":{"hours":2}}`, []string{"2026-11-21 08:00:00"}, true},
		{`{"stopped":{"record":"order"},"for":{"hours":2}}`, []string{"2026-11-21 08:00:01"}, false},
		{`{"resumed":{"record":"order"},"after":{"days":30}}`, []string{"2026-10-12 10:00:00", "2026-11-11 10:00:00"}, true},  // thirty days apart
		{`{"resumed":{"record":"order"},"after":{"days":30}}`, []string{"2026-10-13 10:00:00", "2026-11-11 10:00:00"}, false}, // twenty-nine
		{`{"resumed":{"record":"order"},"after":{"days":30}}`, []string{"2026-01-01 10:00:00", "2026-10-22 10:00:00"}, false}, // back before the window
		{`{"resumed":{"record":"order"},"after":{"days":30}}`, []string{"2026-11-11 10:00:00"}, false},                        // never away
		{`{"resumed":{"record":"order"},"after":{"days":30}}`, []string{"2026-01-01 10:00:00", "2026-10-25 10:00:00", "2026-11-20 10:00:00"}, true},
		{`{"resumed":{"record":"order"},"after":{"days":30}}`, []string{"2026-01-01 10:00:00", "2026-12-25 10:00:00"}, false}, // only ahead
		{`{"resumed":{"record":"order"},"after":{"hours":5}}`, []string{"2026-11-21 01:00:00", "2026-11-21 06:00:00"}, true},
	}
	for _, c := range cases {
		if got := holds(t, c.text, m, orders(t, c.times...)); got != c.want {
			t.Errorf("%s with %v: %v", c.text, c.times, got)
		}
	}
}

func TestAnniversaries(t *testing.T) {
	t.Parallel()
	ask := func(today, window, field string, v any) bool {
		m := query.Moment{Now: day(t, today).Start(shanghai(t)).Add(9 * time.Hour), Zone: shanghai(t)}
		return holds(t, `{"field":"`+field+`","op":"anniversary_within","value":`+window+`}`, m, &query.Facts{Values: map[string]any{field: v}})
	}
	solar := func(y, mon, d int) schema.BirthdayValue {
		return schema.BirthdayValue{Calendar: lunar.Solar, Year: y, Month: mon, Day: d}
	}
	moon := func(mon, d int, leap bool) schema.BirthdayValue {
		return schema.BirthdayValue{Calendar: lunar.Lunar, Month: mon, Day: d, Leap: leap}
	}
	cases := []struct {
		today, window, field string
		v                    any
		want                 bool
	}{
		{"2026-02-28", `{"days":1}`, "birthday", solar(1996, 2, 29), true}, // no 29th this year
		{"2028-02-28", `{"days":1}`, "birthday", solar(1996, 2, 29), false},
		{"2028-02-29", `{"days":1}`, "birthday", solar(1996, 2, 29), true},
		{"2026-12-28", `{"days":7}`, "birthday", solar(0, 1, 3), true}, // over the new year
		{"2026-12-28", `{"days":6}`, "birthday", solar(0, 1, 3), false},
		{"2026-11-21", `{"days":[8,7]}`, "birthday", solar(0, 11, 28), true}, // in exactly a week
		{"2026-11-21", `{"days":[8,7]}`, "birthday", solar(0, 11, 27), false},
		{"2026-11-21", `{"days":0}`, "birthday", solar(0, 11, 21), false},
		{"2025-07-25", `{"days":1}`, "birthday", moon(6, 1, true), true}, // the leap sixth month of 2025
		{"2025-07-25", `{"days":1}`, "birthday", moon(6, 1, false), false},
		{"2026-07-14", `{"days":1}`, "birthday", moon(6, 1, true), true},    // none in 2026: the ordinary one
		{"2027-02-05", `{"days":1}`, "birthday", moon(12, 30, false), true}, // a short twelfth month
		{"2026-02-17", `{"days":1}`, "birthday", moon(1, 1, false), true},
		{"2026-11-21", `{"from":"2026-12-01","to":"2026-12-31"}`, "birthday", solar(0, 12, 31), true},
		{"2026-11-21", `{"days":7}`, "acquired_on", day(t, "2020-11-25"), true},
		{"2026-11-21", `{"days":7}`, "acquired_on", day(t, "2020-11-28"), false},
		{"2026-02-28", `{"days":1}`, "acquired_on", day(t, "2024-02-29"), true},
		{"2026-11-21", `{"days":7}`, "acquired_on", day(t, "2027-11-22"), false}, // not yet begun
	}
	for _, c := range cases {
		if got := ask(c.today, c.window, c.field, c.v); got != c.want {
			t.Errorf("%v on %s within %s: %v", c.v, c.today, c.window, got)
		}
	}
	// The set of months and days agrees with the next celebration for any birthday and any day.
	rapid.Check(t, func(r *rapid.T) {
		b := schema.BirthdayValue{Calendar: lunar.Solar, Month: rapid.IntRange(1, 12).Draw(r, "month"), Day: rapid.IntRange(1, 30).Draw(r, "day")}
		if rapid.Bool().Draw(r, "lunar") {
			b.Calendar, b.Leap = lunar.Lunar, rapid.Bool().Draw(r, "leap")
		}
		if b.Validate() != nil {
			return
		}
		today := day(t, "2020-01-01") + clock.Day(rapid.IntRange(0, 10000).Draw(r, "today"))
		n := rapid.IntRange(1, 366).Draw(r, "days")
		next, err := b.Next(today)
		if err != nil {
			r.Fatal(err)
		}
		if got, want := ask(today.String(), fmt.Sprintf(`{"days":%d}`, n), "birthday", b), next < today+clock.Day(n); got != want {
			r.Fatalf("%+v on %v within %d days: %v, next is %v", b, today, n, got, next)
		}
	})
}

// An operator and its opposite part those with a value in two, and neither takes in those without.
func TestOpposites(t *testing.T) {
	t.Parallel()
	values := map[string][]any{
		"name": {"张三", "Ａbc", "z", ""}, "gender": {"female", "male"}, "tags": {[]string{"a"}, []string{"a", "b"}}, "household_size": {int64(0), int64(3), int64(4)},
		"annual_revenue": {yuan(3), yuan(-1)}, "acquired_on": {day(t, "2026-11-11"), day(t, "2026-11-12")}, "created_at": {at(t, "2026-11-11 00:00:00"), at(t, "2026-11-10 23:59:59")},
		"region": {"310101", "110000"}, "do_not_contact": {true, false}, "store": {id.ID(5), id.ID(6)},
	}
	operands := map[string]string{
		"name": `"abc"`, "gender": `"female"`, "tags": `"a"`, "household_size": `3`, "annual_revenue": `{"amount":"3","currency":"CNY"}`, "acquired_on": `"2026-11-11"`,
		"created_at": `"2026-11-11"`, "region": `"310000"`, "do_not_contact": `true`, "store": `"` + id.Format("str", 5) + `"`,
	}
	r := registry(t)
	tried := 0
	for field, vs := range values {
		for _, op := range query.Operators(r.Object("customer").Field(field)) {
			other, ok := query.Opposite(op)
			if !ok {
				continue
			}
			value := `,"value":` + operands[field]
			if op == "in" || op == "not_in" {
				value = `,"value":[` + operands[field] + `]`
			}
			if op == "is_set" || op == "is_not_set" {
				value = ""
			}
			text := func(op string) string { return `{"field":"` + field + `","op":"` + op + `"` + value + `}` }
			for _, v := range vs {
				who := &query.Facts{Values: map[string]any{field: v}}
				if a, b := holds(t, text(op), moment(t), who), holds(t, text(other), moment(t), who); a == b {
					t.Errorf("%s and %s of %v: %v and %v", text(op), other, v, a, b)
				}
				tried++
			}
			nobody := &query.Facts{Values: map[string]any{}}
			if op != "is_set" && op != "is_not_set" && (holds(t, text(op), moment(t), nobody) || !holds(t, `{"not":`+text(op)+`}`, moment(t), nobody)) {
				t.Errorf("%s takes in those without a value", text(op))
			}
		}
	}
	if tried < 80 {
		t.Errorf("only %d comparisons", tried)
	}
}

func TestFoldedComparison(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op, value, name string
		want            bool
	}{
		{"=", `"ABC"`, "ａｂｃ", true}, {"contains", `"限公"`, "上海有限公司", true}, {"starts_with", `"100%"`, "100% 棉", true}, {"starts_with", `"100%"`, "1000 棉", false},
		{"contains", `"_"`, "ab", false}, {"ends_with", `"é"`, "CAFE\u0301", true}, {">", `"z"`, "中", true}, {"matches", `"^VIP[0-9]+$"`, "vip12", true},
		{"matches", `"^[A-Z]+$"`, "Abc", true}, {"matches", `"a.c"`, "a\\c", true}, {"not_contains", `"b"`, "ABC", false},
	} {
		who := &query.Facts{Values: map[string]any{"name": c.name}}
		if got := holds(t, `{"field":"name","op":"`+c.op+`","value":`+c.value+`}`, moment(t), who); got != c.want {
			t.Errorf("%q %s %s: %v", c.name, c.op, c.value, got)
		}
	}
}

func TestPersonalValues(t *testing.T) {
	t.Parallel()
	plain := &query.Facts{Values: map[string]any{"phone": "+8613800138000"}}
	sealed := &query.Facts{Values: map[string]any{"phone": query.Sealed{Blind: "phone:+8613800138000", Class: "mobile"}}}
	nobody := &query.Facts{Values: map[string]any{}}
	for text, want := range map[string]bool{
		`{"field":"phone","op":"=","value":"138 0013 8000"}`: true, `{"field":"phone","op":"in","value":["13900139000"]}`: false,
		`{"field":"phone","op":"is_set"}`: true, `{"field":"phone.operator","op":"=","value":"mobile"}`: true, `{"field":"phone.operator","op":"!=","value":"mobile"}`: false,
	} {
		if a, b := holds(t, text, moment(t), plain), holds(t, text, moment(t), sealed); a != want || b != want || holds(t, text, moment(t), nobody) {
			t.Errorf("%s: %v of the number, %v of its index", text, a, b)
		}
	}
}

func TestRandomShare(t *testing.T) {
	t.Parallel()
	// printf 'a:42' | md5sum
	if got := query.Hash("a", 42); got != 0xf156ca1e2cbbd4a0 {
		t.Errorf("hash %x", got)
	}
	in := 0
	for i := range 20000 {
		who := &query.Facts{RecordID: id.ID(i)}
		ten := query.Hash("a", int64(i)) < 1<<63/5
		if ten {
			in++
		}
		if i%100 == 0 && holds(t, `{"random":{"percent":10,"salt":"a"}}`, moment(t), who) != ten {
			t.Errorf("record %d", i)
		}
	}
	if in < 1850 || in > 2150 {
		t.Errorf("%d of 20000 are in a tenth", in)
	}
	for p, want := range map[string]bool{"0": false, "100": true} {
		if holds(t, `{"random":{"percent":`+p+`,"salt":"a"}}`, moment(t), &query.Facts{RecordID: 7}) != want {
			t.Errorf("%s percent", p)
		}
	}
}

func TestNotYetAnswered(t *testing.T) {
	t.Parallel()
	env := checkEnv(t, "customer")
	env.Behaviour = false
	if _, err := query.Resolve(parse(t, `{"event":"A"}`), env); fault.CodeOf(err) != "query.forbidden_events" {
		t.Errorf("events where they are not to be asked: %v", err)
	}
	env.Behaviour = true
	for _, text := range []string{`{"event":"A"}`, `{"sequence":[{"event":"A"},{"event":"B"}]}`, `{"first":{"event":"A"},"within":{"days":3}}`} {
		_, err := query.Eval(parse(t, text), query.EvalEnv{CheckEnv: env, Moment: moment(t)}, plain{})
		if fault.CodeOf(err) != "query.events_not_available" {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := query.Eval(parse(t, `{"field":"household_size","op":">","value":1}`), query.EvalEnv{CheckEnv: checkEnv(t, "customer"), Moment: moment(t)},
		&query.Facts{Values: map[string]any{"household_size": json.Number("3")}})
	if fault.CodeOf(err) != "query.value_mistyped" {
		t.Errorf("a value of another type: %v", err)
	}
}

// plain is a subject whose events are not at hand.
type plain struct{ query.Subject }

func TestPattern(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"abc": "abc", "A.c": `a[^\n]c`, `^\d{2,3}$`: `^(?:[0-9]){2,3}$`, "[^a]": `[^a]`, "(a|B)*": "(?:(?:[Bba]))*", "a-b": `a\-b`, `[\]\-]`: `[\-\]]`, "上海|北京": "上海|北京",
		"(?:ab)+c?": "(?:ab)+(?:c)?",
	} {
		got, re, err := query.Pattern(in, true)
		if err != nil || re == nil {
			t.Errorf("%s: %v", in, err)
		} else if got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "(", `\bx`, "(?i)x", "(?m)^x$", "a||b", "(^a)*", "x{101}", `\x00`, strings.Repeat("a", 201), `\C`, "[^\\x00-\\x{10FFFF}]"} {
		if p, _, err := query.Pattern(in, true); err == nil {
			t.Errorf("%q is accepted as %q", in, p)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	e, err := query.Prepare(parse(b, `{"all":[{"field":"region","op":"in","value":["310000","330100"]},{"record":"order","op":">=","value":2,"within":{"days":180}},
		{"record":"order","aggregate":{"sum":"net_amount"},"op":">=","value":{"amount":"500","currency":"CNY"}},{"trait":"clv_12m","op":">","value":{"amount":"1","currency":"CNY"}}]}`),
		query.EvalEnv{CheckEnv: checkEnv(b, "customer"), Moment: moment(b)})
	if err != nil {
		b.Fatal(err)
	}
	who := orders(b, "2026-11-01 10:00:00", "2026-10-01 10:00:00", "2026-01-01 10:00:00")
	who.Values["region"], who.Traits = "310101", map[string]any{"clv_12m": yuan(5)}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := e.Eval(who); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}
