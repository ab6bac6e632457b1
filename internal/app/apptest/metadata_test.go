package apptest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// shown is an object as the program tells it.
type shown struct {
	Key    string
	Prefix string
	Label  map[string]string
	Fields []struct {
		Key, Type, Access string
		Custom            bool
		Required          bool
		Label             map[string]string
		Options           []struct {
			Key      string
			Archived bool
		}
	}
}

func (o shown) field(key string) string {
	for _, f := range o.Fields {
		if f.Key == key {
			return f.Type + " " + f.Access
		}
	}
	return ""
}

// everyType is a field of each type that can be made, and a value for it.
var everyType = []struct{ field, value string }{
	{`{"type":"text","label":{"en":"Remark"},"searchable":true}`, `"remark":"红色连衣裙"`},
	{`{"type":"long_text","label":{"en":"Story"}}`, `"story":"two\nlines"`},
	{`{"type":"number","label":{"en":"Waist"},"scale":1,"indexed":true}`, `"waist":66.5`},
	{`{"type":"money","label":{"en":"Deposit"}}`, `"deposit":{"amount":"50","currency":"CNY"}`},
	{`{"type":"bool","label":{"en":"Came"}}`, `"came":true`},
	{`{"type":"date","label":{"en":"Day"},"required":true}`, `"day":"2026-11-20"`},
	{`{"type":"datetime","label":{"en":"Hour"}}`, `"hour":"2026-11-20T10:00:00+08:00"`},
	{`{"type":"choice","label":{"en":"State"},"default":"open","options":[{"label":{"en":"Open"},"color":"blue"},{"label":{"en":"Done"}}]}`, ``},
	{`{"type":"multi_choice","label":{"en":"Kinds"},"options":[{"key":"dress","label":{"en":"Dress"}},{"key":"coat","label":{"en":"Coat"}}]}`, `"kinds":["dress","coat"]`},
	{`{"type":"tags","label":{"en":"Marks"}}`, `"marks":["vip"]`},
	{`{"type":"relation","label":{"en":"Shop"},"target":"store","indexed":true}`, ``},
	{`{"type":"user","label":{"en":"Adviser"}}`, ``},
	{`{"type":"phone","label":{"en":"Mobile"},"personal":true}`, `"mobile":"13912345678"`},
	{`{"type":"email","label":{"en":"Mail"}}`, `"mail":"a@example.com"`},
	{`{"type":"url","label":{"en":"Link"},"unique":true}`, `"link":"https://example.com/1"`},
	{`{"type":"region","label":{"en":"Place"}}`, `"place":"440106"`},
	{`{"type":"address","label":{"en":"Street"}}`, `"street":{"region":"440106","street":"天河路 1 号"}`},
	{`{"type":"birthday","label":{"en":"Birth"}}`, `"birth":"1990-01-02"`},
	{`{"type":"auto_number","label":{"en":"Slip"},"pattern":"F{yyyy}-{000}"}`, ``},
	{`{"type":"json","label":{"en":"Raw"}}`, `"raw":{"a":[1]}`},
}

// An object made at run time has lists, filters, search, import, history and the analytics plane at once, survives a restart,
// and loses nothing when it is archived and restored.
func TestObjectsMadeWhileRunning(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := build(t).setup("Asia/Shanghai", "CNY").start()
			c := m.client()
			made := read[shown](c, "POST", "/objects", `{"label":{"zh-CN":"试衣预约"},"of_customer":true}`)
			if made.Key != "shiyiyuyue" || made.field("name") != "text write" || made.field("customer") != "relation write" {
				t.Fatalf("made %+v", made)
			}
			var values []string
			for _, f := range everyType {
				c.want(201, c.do("POST", "/objects/shiyiyuyue/fields", f.field))
				if f.value != "" {
					values = append(values, f.value)
				}
			}
			c.want(201, c.do("POST", "/objects/customer/fields", `{"type":"relation_many","label":{"en":"Fittings"},"target":"shiyiyuyue","via":"customer"}`))
			who := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"王芳"}}`)
			body := fmt.Sprintf(`{"fields":{"name":"周末试衣","customer":%q,%s}}`, who.ID, strings.Join(values, ","))
			fitting := read[rec](c, "POST", "/records/shiyiyuyue", body)
			if again := c.do("POST", "/records/shiyiyuyue", body); again.code() != "record.unique_taken" {
				t.Errorf("a unique link twice: %d %s", again.status, again.body)
			}
			if missing := c.do("POST", "/records/shiyiyuyue", fmt.Sprintf(`{"fields":{"name":"x","customer":%q}}`, who.ID)); missing.status != 422 && missing.status != 400 {
				t.Errorf("without the required day: %d %s", missing.status, missing.body)
			}
			m.findable(c, fitting.ID)
			m.stop()
			m.start()
			c = m.client()
			m.findable(c, fitting.ID)
			comesBack(c, fitting.ID)
		})
	}
}

// findable asks for the record in every way.
func (m *machine) findable(c *client, fitting string) {
	c.Helper()
	c.settled()
	for _, where := range []string{
		`{"field":"waist","op":">=","value":66}`, `{"field":"remark","op":"contains","value":"连衣"}`, `{"field":"customer.name","op":"=","value":"王芳"}`,
		`{"field":"state","op":"=","value":"open"}`, `{"field":"mobile","op":"=","value":"13912345678"}`, `{"field":"place","op":"in","value":["440000"]}`,
		`{"field":"kinds","op":"contains","value":["coat"]}`, `{"not":{"trait":"orders","op":">=","value":1}}`,
	} {
		p := read[page](c, "POST", "/records/shiyiyuyue/query", `{"where":`+where+`}`)
		if len(p.Items) != 1 || p.Items[0].ID != fitting {
			c.Errorf("%s finds %d", where, len(p.Items))
		}
	}
	eventually(c, "search finds it by pinyin", 60*time.Second, func() bool {
		return strings.Contains(string(c.do("GET", "/search?q=zhoumo", "").body), fitting)
	})
	if n := c.counted(`{"record":"shiyiyuyue","aggregate":"count","op":">=","value":1}`); n != 1 {
		c.Errorf("%d customers have a fitting", n)
	}
	if got := string(c.do("GET", "/records/shiyiyuyue/"+fitting, "").body); !strings.Contains(got, `"slip":"F20`) || strings.Contains(got, "13912345678") {
		c.Errorf("shown as %s", got)
	}
}

// comesBack archives and restores.
func comesBack(c *client, fitting string) {
	c.Helper()
	c.want(201, c.do("POST", "/segments", `{"key":"fitted","label":"Fitted","kind":"dynamic","where":{"record":"shiyiyuyue","where":{"field":"waist","op":">","value":60},"aggregate":"count","op":">=","value":1}}`))
	for path, code := range map[string]string{
		"/objects/shiyiyuyue/fields/waist":    "metadata.used_in_segment",
		"/objects/shiyiyuyue/fields/customer": "metadata.field_needed",
		"/objects/customer/fields/name":       "metadata.declared",
		"/objects/customer":                   "metadata.declared",
		"/objects/shiyiyuyue":                 "metadata.object_used",
		"/objects/shiyiyuyue/fields/nothing":  "metadata.field_unknown",
	} {
		if a := c.do("DELETE", path, ""); a.code() != code {
			c.Errorf("DELETE %s: %d %s, want %s", path, a.status, a.body, code)
		}
	}
	c.want(204, c.do("DELETE", "/segments/fitted", ""))
	hook := read[struct{ Webhook struct{ ID string } }](c, "POST", "/webhooks", `{"name":"Tailor","url":"https://example.com/hook","rules":[{"object":"shiyiyuyue","kinds":["created"],"where":{"field":"waist","op":">","value":60}}]}`)
	if a := c.do("DELETE", "/objects/shiyiyuyue/fields/waist", ""); a.code() != "metadata.used_in_webhook" {
		c.Errorf("a field that a webhook asks for: %d %s", a.status, a.body)
	}
	c.want(204, c.do("DELETE", "/webhooks/"+hook.Webhook.ID, ""))
	c.want(200, c.do("PATCH", "/objects/shiyiyuyue/fields/story", `{"searchable":true}`))
	eventually(c, "what was written before is found by a field that became searchable", 60*time.Second, func() bool {
		return strings.Contains(string(c.do("GET", "/search?q=lines", "").body), fitting)
	})
	c.want(204, c.do("DELETE", "/objects/shiyiyuyue/fields/waist", ""))
	if a := c.do("POST", "/records/shiyiyuyue/query", `{"where":{"field":"waist","op":">","value":60}}`); a.status < 400 || a.status > 499 {
		c.Errorf("an archived field can be asked: %d", a.status)
	}
	c.want(204, c.do("DELETE", "/objects/customer/fields/fittings", ""))
	c.want(204, c.do("DELETE", "/objects/shiyiyuyue", ""))
	c.want(404, c.do("GET", "/records/shiyiyuyue/"+fitting, ""))
	c.want(200, c.do("POST", "/objects/shiyiyuyue/restore", ""))
	c.want(200, c.do("POST", "/objects/shiyiyuyue/fields/waist/restore", ""))
	c.settled()
	p := read[page](c, "POST", "/records/shiyiyuyue/query", `{"where":{"field":"waist","op":"=","value":66.5}}`)
	if len(p.Items) != 1 {
		c.Errorf("the restored field finds %d", len(p.Items))
	}
	if n := c.counted(`{"record":"shiyiyuyue","where":{"field":"waist","op":">","value":60},"aggregate":"count","op":">=","value":1}`); n != 1 {
		c.Errorf("the analytics plane finds %d after restoring", n)
	}
	c.want(200, c.do("PATCH", "/objects/customer/fields/source", `{"label":{"zh-CN":"客户来路","en":"Came by"},"required":true}`))
	changed := read[shown](c, "GET", "/objects/customer", "")
	for _, f := range changed.Fields {
		if f.Key == "source" && (f.Label["en"] != "Came by" || !f.Required || f.Custom || len(f.Options) == 0) {
			c.Errorf("the declared field became %+v", f)
		}
	}
	for body, at := range map[string]string{
		`{"type":"choice","label":{"en":"Bad"}}`:                                   `"location":"options"`,
		`{"type":"relation","label":{"en":"Bad"},"target":"nothing"}`:              `"location":"target"`,
		`{"type":"number","label":{"en":"Bad"},"scale":12}`:                        `"location":"scale"`,
		`{"type":"number","label":{"en":"Bad"},"unique":true}`:                     `"location":"unique"`,
		`{"type":"date","label":{"en":"Bad"},"default":"someday"}`:                 `"location":"default"`,
		`{"type":"magic","label":{"en":"Bad"}}`:                                    `"location":"type"`,
		`{"type":"text","label":{}}`:                                               `"location":"label"`,
		`{"key":"Name; DROP TABLE x","type":"text","label":{"en":"Bad"}}`:          `"location":"key"`,
		`{"type":"auto_number","label":{"en":"Bad"},"pattern":"nothing"}`:          `"location":"pattern"`,
		`{"type":"relation_many","label":{"en":"Bad"},"target":"order","via":"x"}`: `"location":"via"`,
	} {
		if a := c.do("POST", "/objects/shiyiyuyue/fields", body); a.status != 422 && a.status != 400 || !strings.Contains(string(a.body), at) {
			c.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
}
