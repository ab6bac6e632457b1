package apptest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// written is a record as the program tells it, with the values of its fields.
type written struct {
	ID      string
	Version int64
	Fields  map[string]any
}

// Computed fields and sums over related records are shown, filtered and sorted by on both planes, and follow what is written.
func TestComputedFields(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := build(t).setup("Asia/Shanghai", "CNY").start()
			c := m.client()
			read[shown](c, "POST", "/objects", `{"key":"project","label":{"zh-CN":"项目","en":"Project"},"of_customer":true}`)
			read[shown](c, "POST", "/objects", `{"key":"chore","label":{"zh-CN":"工序","en":"Chore"}}`)
			for object, fields := range map[string][]string{
				"project": {`{"type":"money","label":{"en":"Price"}}`, `{"type":"percent","label":{"en":"Off"},"scale":1}`, `{"type":"date","label":{"en":"Due"}}`},
				"chore": {`{"type":"relation","label":{"en":"Project"},"target":"project"}`, `{"type":"duration","label":{"en":"Effort"}}`,
					`{"type":"rating","label":{"en":"Stars"}}`, `{"type":"bool","label":{"en":"Done"}}`},
			} {
				for _, f := range fields {
					c.want(201, c.do("POST", "/objects/"+object+"/fields", f))
				}
			}
			for _, f := range []string{
				`{"label":{"en":"Net"},"formula":"price * (1 - off)"}`, `{"label":{"en":"Who"},"formula":"customer.name & \" / \" & name"}`,
				`{"label":{"en":"Late"},"formula":"due < TODAY()"}`,
				`{"label":{"en":"Tasks"},"rollup":{"object":"chore","via":"project","func":"count"}}`,
				`{"label":{"en":"Hours"},"indexed":true,"rollup":{"object":"chore","via":"project","func":"sum","field":"effort","where":{"field":"done","op":"=","value":true}}}`,
				`{"label":{"en":"Best"},"rollup":{"object":"chore","via":"project","func":"max","field":"stars"}}`,
				`{"label":{"en":"Newest"},"rollup":{"object":"chore","via":"project","func":"last","field":"name"}}`,
				`{"label":{"en":"Share"},"type":"percent","scale":1,"formula":"hours / (tasks * 7200)"}`,
			} {
				c.want(201, c.do("POST", "/objects/project/fields", f))
			}
			computedWork(c)
			if r := c.do("DELETE", "/objects/project/fields/price", ""); r.status != 409 || !strings.Contains(string(r.body), "Net") {
				t.Errorf("archive what a formula reads: %d %s", r.status, r.body)
			}
			if r := c.do("DELETE", "/objects/chore/fields/effort", ""); r.status != 409 || !strings.Contains(string(r.body), "Hours") {
				t.Errorf("archive what a rollup reads: %d %s", r.status, r.body)
			}
			if r := c.do("POST", "/objects/project/fields", `{"label":{"en":"Loop"},"formula":"net + nothing"}`); r.status != 422 || !strings.Contains(string(r.body), "formula.unknown_name") {
				t.Errorf("a wrong formula: %d %s", r.status, r.body)
			}
			if r := c.do("PATCH", "/objects/project/fields/net", `{"formula":"share * price"}`); r.status != 200 {
				t.Errorf("another formula: %d %s", r.status, r.body)
			}
			if r := c.do("PATCH", "/objects/project/fields/hours", `{"rollup":{"object":"chore","via":"project","func":"sum","field":"stars"}}`); r.status != 422 {
				t.Errorf("a rollup of another type: %d %s", r.status, r.body)
			}
		})
	}
}

// computedWork writes records and looks at what follows.
func computedWork(c *client) {
	c.Helper()
	who := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"王芳"}}`)
	project := func(name, price, off, due string) written {
		return read[written](c, "POST", "/records/project", fmt.Sprintf(`{"fields":{"name":%q,"customer":%q,"price":{"amount":%q,"currency":"CNY"},"off":%s,"due":%q}}`, name, who.ID, price, off, due))
	}
	a, b := project("门店", "1000", "12.5", "2020-01-01"), project("官网", "300", "0", "2100-01-01")
	if got := a.Fields["net"].(map[string]any)["amount"]; got != "875.00" || a.Fields["who"] != "王芳 / 门店" || a.Fields["late"] != true || b.Fields["late"] != false {
		c.Errorf("computed: %v", a.Fields)
	}
	task := func(name string, p written, effort, stars int, done bool) rec {
		return read[rec](c, "POST", "/records/chore", fmt.Sprintf(`{"fields":{"name":%q,"project":%q,"effort":%d,"stars":%d,"done":%v}}`, name, p.ID, effort, stars, done))
	}
	first := task("量尺", a, 3600, 3, true)
	second := task("打样", a, 1800, 5, false)
	rolled := func(p written, want string) {
		c.Helper()
		got := ""
		eventually(c, "rollups are "+want, 60*time.Second, func() bool {
			f := read[written](c, "GET", "/records/project/"+p.ID, "").Fields
			got = fmt.Sprint(f["tasks"], " ", f["hours"], " ", f["best"], " ", f["newest"], " ", f["share"])
			return got == want
		})
	}
	rolled(a, "2 3600 5 打样 25")
	rolled(b, "0 <nil> <nil> <nil> <nil>")
	c.want(200, c.with("If-Match", `"1"`).do("PATCH", "/records/chore/"+second.ID, fmt.Sprintf(`{"fields":{"done":true,"project":%q}}`, b.ID)))
	rolled(a, "1 3600 3 量尺 50")
	rolled(b, "1 1800 5 打样 25")
	c.want(204, c.with("If-Match", `"1"`).do("DELETE", "/records/chore/"+first.ID, ""))
	rolled(a, "0 <nil> <nil> <nil> <nil>")
	// What a rollup wrote meanwhile does not stand in the way of somebody who opened the record before.
	r := c.with("If-Match", fmt.Sprintf("%q", fmt.Sprint(a.Version))).do("PATCH", "/records/project/"+a.ID, `{"fields":{"off":"50"}}`)
	if r.status != 200 {
		c.Errorf("an update beside rollups: %d %s", r.status, r.body)
	}
	c.settled()
	for where, want := range map[string]string{
		`{"field":"net","op":">","value":{"amount":"400","currency":"CNY"}}`: "门店", `{"field":"late","op":"=","value":false}`: "官网", `{"field":"who","op":"starts_with","value":"王芳 / 官"}`: "官网",
		`{"field":"hours","op":">=","value":1}`: "官网", `{"field":"share","op":"is_not_set"}`: "门店", `{"field":"net","op":"between","value":[{"amount":"300","currency":"CNY"},{"amount":"300","currency":"CNY"}]}`: "官网",
	} {
		p := read[struct{ Items []struct{ Title string } }](c, "POST", "/records/project/query", `{"where":`+where+`,"sort":[{"field":"net","desc":true}]}`)
		if len(p.Items) != 1 || p.Items[0].Title != want {
			c.Errorf("%s finds %+v, want %s", where, p.Items, want)
		}
	}
	cursor, order := "", ""
	for range 2 { // page by page
		p := read[struct {
			Items      []struct{ Title string }
			NextCursor string `json:"next_cursor"`
		}](c, "POST", "/records/project/query", `{"sort":[{"field":"net"}],"limit":1`+cursor+`}`)
		order += p.Items[0].Title
		cursor = fmt.Sprintf(`,"cursor":%q`, p.NextCursor)
	}
	if order != "官网门店" {
		c.Errorf("sorted by a formula: %s", order)
	}
	check := read[struct {
		OK       bool
		Type     string
		Formula  string
		Preview  []struct{ Value any }
		Problems []struct{ From, To int }
	}](c, "POST", "/objects/project/formula", `{"formula":"{Price}*2"}`)
	if !check.OK || check.Type != "money" || check.Formula != "price * 2" || len(check.Preview) != 2 {
		c.Errorf("check: %+v", check)
	}
}

// A validation rule stops what it forbids, whichever way it comes, says so in the reader's language, and lets other changes through.
func TestValidationRules(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := build(t).setup("Asia/Shanghai", "CNY").start()
			c := m.client()
			read[shown](c, "POST", "/objects", `{"key":"booking","label":{"en":"Booking"},"of_customer":true}`)
			for _, f := range []string{`{"type":"date","label":{"en":"From"}}`, `{"type":"date","label":{"en":"Until"}}`, `{"type":"text","label":{"en":"Remark"}}`} {
				c.want(201, c.do("POST", "/objects/booking/fields", f))
			}
			if r := c.do("PATCH", "/objects/booking", `{"rules":[{"key":"","when":"until - from","message":{"en":"x"}}]}`); r.status != 422 || !strings.Contains(string(r.body), "rules.0.when") {
				t.Errorf("a rule that is no condition: %d %s", r.status, r.body)
			}
			who := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"王芳"}}`)
			other := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"黑名单"}}`)
			body := func(from, until, customer string) string {
				return fmt.Sprintf(`{"fields":{"name":"a","from":%q,"until":%q,"customer":%q}}`, from, until, customer)
			}
			old := read[written](c, "POST", "/records/booking", body("2026-02-01", "2026-01-01", who.ID))
			c.want(200, c.do("PATCH", "/objects/booking", `{"rules":[{"key":"","when":"until<from","message":{"zh-CN":"结束不能早于开始","en":"It ends before it begins"},"field":"until"},
				{"key":"","when":"customer.name = \"黑名单\"","message":{"zh-CN":"不接受预约","en":"No bookings"}},{"key":"","when":"TRUE","message":{"en":"never"},"off":true}]}`))
			r := c.do("POST", "/records/booking", body("2026-02-01", "2026-01-01", who.ID))
			if r.status != 422 || !strings.Contains(string(r.body), "fields.until") || !strings.Contains(string(r.body), "before it begins") {
				t.Errorf("against the rule: %d %s", r.status, r.body)
			}
			if r := c.do("POST", "/records/booking", body("2026-01-01", "2026-02-01", other.ID)); r.status != 422 || !strings.Contains(string(r.body), "No bookings") {
				t.Errorf("against a rule over a relation: %d %s", r.status, r.body)
			}
			c.want(201, c.do("POST", "/records/booking", body("2026-01-01", "2026-02-01", who.ID)))
			change := func(fields string, want int) {
				t.Helper()
				v := read[written](c, "GET", "/records/booking/"+old.ID, "").Version
				if r := c.with("If-Match", fmt.Sprintf("%q", fmt.Sprint(v))).do("PATCH", "/records/booking/"+old.ID, `{"fields":`+fields+`}`); r.status != want {
					t.Errorf("%s: %d %s", fields, r.status, r.body)
				}
			}
			change(`{"remark":"what was wrong before stays as it is"}`, 200)
			change(`{"until":"2026-01-15"}`, 422)
			change(`{"until":"2026-03-01"}`, 200)
			check := read[struct {
				Problems []struct{ Location, Message string }
			}](c, "POST", "/records/booking/check", body("2026-02-01", "2026-01-01", who.ID))
			if len(check.Problems) != 1 || check.Problems[0].Location != "fields.until" {
				t.Errorf("a form asks: %+v", check)
			}
			if n := c.records("booking"); n != 2 {
				t.Errorf("%d bookings", n)
			}
			if r := c.do("DELETE", "/objects/booking/fields/from", ""); r.status != 409 || !strings.Contains(string(r.body), "ends before") {
				t.Errorf("archive what a rule reads: %d %s", r.status, r.body)
			}
		})
	}
}
