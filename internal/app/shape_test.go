package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type shownObject struct {
	UniqueRules []struct{ Key, State string } `json:"unique_rules"`
	Layout      *struct {
		Sections []struct {
			Key    string
			Fields []string
		}
		Hidden []string
	}
	Fields []struct{ Key, Type string }
}

func TestUniqueRuleIsCheckedThenKept(t *testing.T) {
	t.Parallel()
	atWork(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		c.want(201, c.do("POST", "/objects", `{"key":"booking","label":{"zh-CN":"预约","en":"Booking"}}`))
		for _, f := range []string{`{"key":"shop","type":"text","label":{"en":"Shop"}}`, `{"key":"day","type":"date","label":{"en":"Day"}}`} {
			c.want(201, c.do("POST", "/objects/booking/fields", f))
		}
		make := func(name, shop string) answer {
			return c.do("POST", "/records/booking", `{"fields":{"name":"`+name+`","shop":"`+shop+`","day":"2026-12-01"}}`)
		}
		first := read[rec](c, "POST", "/records/booking", `{"fields":{"name":"a","shop":"南京路","day":"2026-12-01"}}`, 201)
		second := read[rec](c, "POST", "/records/booking", `{"fields":{"name":"b","shop":"南京路","day":"2026-12-01"}}`, 201)

		rule := `{"unique_rules":[{"label":{"zh-CN":"门店当天","en":"Shop and day"},"fields":["shop","day"]}]}`
		c.wantCode(422, "metadata.unique_field", c.do("PATCH", "/objects/booking", `{"unique_rules":[{"label":{"en":"x"},"fields":["shop","shop"]}]}`))
		c.want(200, c.do("PATCH", "/objects/booking", rule))
		state := func() string {
			return read[shownObject](c, "GET", "/objects/booking", "", 200).UniqueRules[0].State
		}
		eventually(t, "the check", func() bool { return state() == "clash" })
		clashes := read[struct {
			Total int
			Items []struct{ Record, Other struct{ ID string } }
		}](c, "GET", "/objects/booking/unique/unique_1/clashes", "", 200)
		if clashes.Total != 1 || clashes.Items[0].Record.ID != second.ID || clashes.Items[0].Other.ID != first.ID {
			t.Fatalf("%+v", clashes)
		}
		third := read[rec](c, "POST", "/records/booking", `{"fields":{"name":"c","shop":"南京路","day":"2026-12-01"}}`, 201) // it is not in force
		one := c.with("If-Match", `"1"`)
		c.want(200, one.do("PATCH", "/records/booking/"+second.ID, `{"fields":{"shop":"徐家汇"}}`))
		c.want(204, one.do("DELETE", "/records/booking/"+third.ID, ""))
		c.want(200, c.do("PATCH", "/objects/booking", rule[:len(rule)-3]+`,"key":"unique_1","state":"on"}]}`))
		eventually(t, "the rule", func() bool { return state() == "on" })
		a := c.wantCode(409, "record.rule_taken", make("d", "南京路"))
		if !strings.Contains(string(a.body), first.ID) {
			t.Errorf("the other record is not named: %s", a.body)
		}
		c.want(201, make("e", "静安"))
		// A field of a rule cannot go.
		c.want(409, c.do("DELETE", "/objects/booking/fields/day", ""))
	})
}

func TestLayoutsAreForEveryoneOrARole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, member := s.as(access.Administrator), s.as(access.Member)
	layout := func(role, field string) string {
		return fmt.Sprintf(`{"role":%q,"sections":[{"key":"one","title":{"en":"One"},"columns":2,"fields":["name",%q]}],"hidden":["website"]}`, role, field)
	}
	first := func(c *client) []string {
		o := read[shownObject](c, "GET", "/objects/customer", "", 200)
		if o.Layout == nil {
			return nil
		}
		return o.Layout.Sections[0].Fields
	}
	if got := first(member); got != nil {
		t.Fatalf("a layout from nowhere: %v", got)
	}
	c.want(200, c.do("POST", "/objects/customer/layouts", layout("", "country")))
	c.want(200, c.do("POST", "/objects/customer/layouts", layout("member", "phone")))
	if a, b := first(c), first(member); !slices.Equal(a, []string{"name", "country"}) || !slices.Equal(b, []string{"name", "phone"}) {
		t.Errorf("administrator %v, member %v", a, b)
	}
	for body, code := range map[string]string{
		layout("nobody", "country"): "rights.role_unknown",
		layout("", "no_such"):       "metadata.field_unknown",
		layout("", "name"):          "metadata.layout_twice",
		`{"sections":[]}`:           "metadata.layout_sections",
		`{"sections":[{"key":"a","fields":[],"columns":3,"title":{}}]}`: "metadata.layout_columns",
	} {
		c.wantCode(422, code, c.do("POST", "/objects/customer/layouts", body))
	}
	c.want(403, member.do("POST", "/objects/customer/layouts", layout("", "country")))
	c.want(204, c.do("DELETE", "/objects/customer/layouts/member", ""))
	if got := first(member); !slices.Equal(got, []string{"name", "country"}) {
		t.Errorf("without a layout of its own: %v", got)
	}
	// An archived field leaves the layout and finds its place again.
	c.want(201, c.do("POST", "/objects/customer/fields", `{"key":"extra","type":"text","label":{"en":"Extra"}}`))
	c.want(200, c.do("POST", "/objects/customer/layouts", layout("", "extra")))
	c.want(204, c.do("DELETE", "/objects/customer/fields/extra", ""))
	if got := first(c); !slices.Equal(got, []string{"name"}) {
		t.Errorf("with an archived field: %v", got)
	}
	c.want(200, c.do("POST", "/objects/customer/fields/extra/restore", ""))
	if got := first(c); !slices.Equal(got, []string{"name", "extra"}) {
		t.Errorf("restored: %v", got)
	}
}

func TestConditionsOfFieldsThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(access.Administrator)
	c.want(201, c.do("POST", "/objects/customer/fields", `{"key":"size","type":"number","label":{"en":"Size"},"shown_when":{"field":"kind","op":"=","value":"company"},"required_when":{"field":"kind","op":"=","value":"company"}}`))
	for body, code := range map[string]string{
		`{"shown_when":{"field":"size","op":">","value":1}}`:        "metadata.condition_self",
		`{"shown_when":{"field":"mobile","op":"is_set"}}`:           "query.unknown_field",
		`{"shown_when":{"field":"phone","op":"is_set"}}`:            "metadata.condition_personal",
		`{"required_when":{"record":"order","op":">","value":1}}`:   "",
		`{"required_when":{"field":"kind","op":"=","value":"zzz"}}`: "",
	} {
		a := c.do("PATCH", "/objects/customer/fields/size", body)
		if a.status != 422 || code != "" && !strings.Contains(string(a.body), code) {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	c.want(422, c.do("POST", "/records/customer", `{"fields":{"name":"云锦","kind":"company"}}`))
	c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"云锦","kind":"company","size":3}}`))
	got := read[struct{ Hidden, Required []string }](c, "POST", "/records/customer/check", `{"fields":{"kind":"person"}}`, 200)
	if !slices.Equal(got.Hidden, []string{"size"}) || len(got.Required) != 0 {
		t.Errorf("%+v", got)
	}
	// What the condition reads cannot go; without the condition it can.
	c.want(201, c.do("POST", "/objects/customer/fields", `{"key":"stage","type":"text","label":{"en":"Stage"}}`))
	c.want(200, c.do("PATCH", "/objects/customer/fields/size", `{"shown_when":{"field":"stage","op":"is_set"},"required_when":null}`))
	c.wantCode(409, "metadata.used_in_condition", c.do("DELETE", "/objects/customer/fields/stage", ""))
	c.want(200, c.do("PATCH", "/objects/customer/fields/size", `{"shown_when":null}`))
	c.want(204, c.do("DELETE", "/objects/customer/fields/stage", ""))
}
