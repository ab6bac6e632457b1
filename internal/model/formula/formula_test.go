package formula_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/objects"
)

// shop is a registry of the standard objects, more fields on the customer, and its computed ones linked.
func shop(t testing.TB, computed ...*schema.Field) (*schema.Registry, []formula.Broken) {
	t.Helper()
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	label := func(s string) schema.Label { return schema.Label{"zh-CN": s, "en": s} }
	for _, o := range list {
		if o.Key == "customer" {
			o.Fields = append(o.Fields, &schema.Field{Key: "n", Type: schema.Number, Scale: 2, Label: label("数量")}, &schema.Field{Key: "m", Type: schema.Money, Label: label("押金")},
				&schema.Field{Key: "rate", Type: schema.Percent, Scale: 1, Label: label("折扣")}, &schema.Field{Key: "s", Type: schema.Text, Label: label("备用文本")},
				&schema.Field{Key: "d", Type: schema.Date, Label: label("到期日")}, &schema.Field{Key: "klass", Type: schema.Choice, Label: label("类别"),
					Options: []schema.Option{{Key: "gold", Label: label("金卡")}, {Key: "plain", Label: label("普通")}}})
			o.Fields = append(o.Fields, computed...)
		}
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	return reg, formula.LinkAll(reg)
}

// values is a record of stored columns by field and role.
type values map[string]any

func (v values) Column(r *formula.Ref, role schema.Role) any {
	switch role {
	case schema.Currency:
		return v[r.Field.Key+" currency"]
	case schema.Base:
		return v[r.Field.Key+" base"]
	}
	return v[r.Field.Key]
}

var noon = formula.Env{Now: time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC), Zone: time.FixedZone("Asia/Shanghai", 8*3600), Base: "CNY"}

func TestWhatFormulasMean(t *testing.T) {
	t.Parallel()
	reg, _ := shop(t)
	day := int64(clock.NewDay(2024, 2, 29))
	rec := values{"n": int64(1050), "m": int64(2000), "m currency": "USD", "m base": int64(14000), "rate": int64(125), "s": "  连衣裙 A  ", "d": day, "klass": "gold"}
	for source, want := range map[string]any{
		`n * 2`: int64(2100), `n + 1`: int64(1150), `n / 0`: nil, `10 / 4`: int64(2500000), `ROUND(2.5)`: int64(3), `ROUND(-2.5)`: int64(-3), `FLOOR(-2.1)`: int64(-3),
		`CEILING(2.1)`: int64(3), `ROUND(1234, -2)`: int64(1200), `MOD(-7, 3)`: int64(2), `2 + 3 * 4`: int64(14), `-(2 + 3)`: int64(-5), `1 / 3 * 3`: int64(999999),
		`m * 10%`: int64(1400), `m * rate`: int64(1750), `m > 100`: true, `m + 1`: int64(14100), `m / m`: int64(1000000), `AMOUNT(m)`: int64(140000),
		`TRIM(s)`: "连衣裙 A", `LEFT(TRIM(s), 2) & "!"`: "连衣!", `RIGHT(TRIM(s), 1)`: "A", `MID(TRIM(s), 2, 2)`: "衣裙", `LEN(TRIM(s))`: int64(5), `LOWER("ÀB")`: "Àb",
		`CONTAINS(s, "裙")`: true, `REPLACE("a-b-c", "-", "+")`: "a+b+c", `"共" & 2 & "件"`: "共2件", `"" & d`: "2024-02-29",
		`YEAR(d)`: int64(2024), `WEEKDAY(d)`: int64(4), `EDATE(d, 12)`: int64(clock.NewDay(2025, 2, 28)), `DATE(2024, 13, 0)`: int64(clock.NewDay(2024, 12, 31)),
		`d + 1`: int64(clock.NewDay(2024, 3, 1)), `DATEDIFF(d, DATE(2025, 2, 28), "year")`: int64(0), `DATEDIFF(d, DATE(2025, 3, 1), "year")`: int64(1),
		`DATEDIFF(DATE(2025, 3, 1), d, "month")`: int64(-12), `TODAY() - DATE(2026, 11, 22)`: int64(1), `d = "2024-02-29"`: true,
		`klass = "金卡"`: true, `klass = "gold"`: true, `SWITCH(klass, "普通", 1, "金卡", 2)`: int64(2), `IF(klass = "plain", 1, 2.5)`: int64(25),
		`IFS(n > 100, "多", n > 5, "中", "少")`: "中", `ISBLANK(email)`: nil, `n > 1 and not (n > 20 or FALSE)`: true, `COALESCE(BLANK, n)`: int64(1050), `s = ""`: false,
		`MIN(n, BLANK, 3)`: int64(300), `SUM(BLANK, n)`: int64(1050), `999999999999999999 * 999999999999999999`: nil, `ROUND(DATEDIFF(NOW(), DATEADD(NOW(), 90, "minute"), "minute") / 60, 1)`: int64(15),
	} {
		p, bad := formula.Check(source, formula.CheckEnv{Registry: reg, Object: reg.Object("customer")})
		if source == `ISBLANK(email)` { // a personal value stays sealed
			if len(bad) != 1 || bad[0].Code != "formula.unreadable_field" {
				t.Errorf("%s: %v", source, bad)
			}
			continue
		}
		if bad != nil {
			t.Errorf("%s: %v", source, bad)
			continue
		}
		role := schema.Main
		if p.Root.Type.Kind == formula.Money {
			role = schema.Base
		}
		got := p.Eval(&noon, rec)
		if role == schema.Base {
			got.Currency = ""
		}
		if v := got.Column(p.Root.Type.Kind, role); v != want {
			t.Errorf("%s (%s) is %v, want %v", source, p.Normal, v, want)
		}
	}
}

// An amount keeps its currency as long as everything it is reckoned with has the same one.
func TestCurrencies(t *testing.T) {
	t.Parallel()
	reg, _ := shop(t)
	f := &schema.Field{Key: "x", Type: schema.Money}
	for source, want := range map[string]string{`m * 2`: "40.00 USD", `m + m`: "40.00 USD", `m + 1`: "141.00 CNY", `MAX(m, 5)`: "20.00 USD", `-m / 4`: "-5.00 USD"} {
		p, bad := formula.Check(source, formula.CheckEnv{Registry: reg, Object: reg.Object("customer")})
		if bad != nil {
			t.Fatal(bad)
		}
		v := p.Eval(&noon, values{"m": int64(2000), "m currency": "USD", "m base": int64(14000)}).Canonical(f, p.Root.Type.Kind, "CNY")
		if got := schema.FormatText(f, v, schema.ParseEnv{}); got != want {
			t.Errorf("%s is %s, want %s", source, got, want)
		}
	}
}

func TestProblemsHaveAPlace(t *testing.T) {
	t.Parallel()
	reg, _ := shop(t)
	for source, want := range map[string]string{
		``: "empty 0-0", `n +`: "missing_value 3-3", `(n`: "paren_open 0-1", `n $ 2`: "bad_sign 2-3", `"abc`: "text_open 0-4", `nope + 1`: "unknown_name 0-4",
		`n + TRIM(s)`: "wants_amount 4-11", `m * m`: "amount_by_amount 0-5", `ROUNDUP(n)`: "unknown_function 0-10", `ROUND(n, n)`: "wants_literal 9-10",
		`IF(n, 1, 2)`: "wants_bool 3-4", `klass = "银卡"`: "unknown_option 8-12", `klass > "gold"`: "no_order 0-14", `LEFT(s)`: "argument_count 0-7",
		`DATEADD(d, 1, "fortnight")`: "bad_unit 14-25", `d = "soon"`: "bad_date 4-10", `数量 + 押金 + `: "missing_value 10-10", `BLANK`: "no_result 0-5",
		`YEAR(DATEADD(created_at, 1, "hour"))`: "no_day 5-35", `IF(TRUE, n, s)`: "types_differ 12-13", `source.name`: "unknown_name 0-11", strings.Repeat("(", 70) + "1" + strings.Repeat(")", 70): "too_deep 60-61",
	} {
		_, bad := formula.Check(source, formula.CheckEnv{Registry: reg, Object: reg.Object("customer")})
		if len(bad) == 0 {
			t.Errorf("%s: nothing is wrong", source)
			continue
		}
		got := strings.TrimPrefix(bad[0].Code, "formula.")
		if from, to := bad[0].From, bad[0].To; got+" "+itoa(from)+"-"+itoa(to) != want {
			t.Errorf("%s: %s %d-%d, want %s", source, got, from, to, want)
		}
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestPrintedBack(t *testing.T) {
	t.Parallel()
	reg, _ := shop(t)
	for source, want := range map[string]string{
		`=数量*（2＋3）`: `n * (2 + 3)`, `if({押金}>100，"多"，"少")`: `IF(m > 100, "多", "少")`, `klass="金卡"&&!= 1`: "", `1-(2-3)`: `1 - (2 - 3)`, `(1-2)-3`: `1 - 2 - 3`,
		`not n>1`: `NOT(n > 1)`, `dateadd(d,1,"天")`: `DATEADD(d, 1, "day")`, `klass = "金卡"`: `klass = "gold"`, `- - 2`: `--2`,
	} {
		p, bad := formula.Check(source, formula.CheckEnv{Registry: reg, Object: reg.Object("customer")})
		switch {
		case want == "" && bad == nil:
			t.Errorf("%s is read as %s", source, p.Normal)
		case want != "" && (bad != nil || p.Normal != want):
			t.Errorf("%s: %v %v, want %s", source, p, bad, want)
		}
	}
}

func TestFormulasOverFormulas(t *testing.T) {
	t.Parallel()
	field := func(key, source string, kind schema.Type) *schema.Field {
		return &schema.Field{Key: key, Type: kind, Scale: 2, Label: schema.Label{"en": key}, Formula: source}
	}
	reg, broken := shop(t, field("twice", "once * 2", schema.Number), field("once", "n + 1", schema.Number), field("round", "circle + 1", schema.Number),
		field("circle", "round + 1", schema.Number), field("lost", "gone + 1", schema.Number), field("words", "n", schema.Text))
	var names []string
	for _, b := range broken {
		names = append(names, b.Field.Key+" "+strings.TrimPrefix(b.Problems[0].Code, "formula."))
	}
	slices.Sort(names)
	if got := strings.Join(names, ", "); got != "circle cycle, lost unknown_name, round broken_field, words other_type" {
		t.Errorf("broken: %s", got)
	}
	customer := reg.Object("customer")
	p := formula.Of(customer.Field("twice"))
	if v := p.Eval(&noon, values{"n": int64(150)}); v.N != 500 {
		t.Errorf("twice is %d", v.N)
	}
	var users []string
	for _, u := range formula.Users(reg, "customer", "n") {
		users = append(users, u.Field.Key)
	}
	if got := strings.Join(users, " "); got != "twice once" {
		t.Errorf("n is used by %s", got)
	}
	if _, bad := formula.Check("twice + 1", formula.CheckEnv{Registry: reg, Object: customer, Self: "once"}); len(bad) == 0 || bad[0].Code != "formula.cycle" {
		t.Errorf("a circle over another formula: %v", bad)
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{`IF(n>1,"a","b")`, `{押金}*10%`, `"a""b"&1`, `-(((1`, `DATEDIFF(d,TODAY(),"month")`, "＝数量＋１"} {
		f.Add(s)
	}
	reg, _ := shop(f)
	f.Fuzz(func(t *testing.T, source string) {
		p, bad := formula.Check(source, formula.CheckEnv{Registry: reg, Object: reg.Object("customer")})
		if bad != nil {
			for _, b := range bad {
				if b.From < 0 || b.To < b.From || b.To > len([]rune(source)) {
					t.Fatalf("%q: a problem at %d-%d", source, b.From, b.To)
				}
			}
			return
		}
		again, bad := formula.Check(p.Normal, formula.CheckEnv{Registry: reg, Object: reg.Object("customer")})
		if bad != nil || again.Normal != p.Normal {
			t.Fatalf("%q is printed as %q, which is read as %v", source, p.Normal, bad)
		}
		p.Eval(&noon, values{})
	})
}
