package app_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type configDifferences struct {
	Items []struct {
		Path, Change string
		Archivable   bool
		Members      []struct {
			Path          string
			Before, After any
		}
	}
}

type configImported struct {
	Applied  int
	Problems []struct{ Location, Message, Code string }
}

// shapeAll makes one of everything that a configuration holds.
func shapeAll(c *client) {
	for _, x := range [][2]string{
		{"/objects", `{"key":"visit_plan","label":{"zh-CN":"拜访","en":"Visit plan"},"of_customer":true}`},
		{"/objects/visit_plan/fields", `{"key":"score","type":"number","scale":1,"label":{"en":"Score","zh-CN":"评分"}}`},
		{"/objects/visit_plan/fields", `{"key":"double","formula":"score * 2","label":{"en":"Double","zh-CN":"双倍"}}`},
		{"/objects/customer/fields", `{"key":"grade","type":"choice","label":{"en":"Grade","zh-CN":"等级"},"options":[{"key":"a","label":{"en":"A","zh-CN":"甲"}},{"key":"b","label":{"en":"B","zh-CN":"乙"}}]}`},
		{"/objects/customer/fields", `{"key":"plans","label":{"en":"Plans","zh-CN":"拜访数"},"rollup":{"object":"visit_plan","via":"customer","func":"count"}}`},
		{"/views", `{"object":"customer","name":"甲级/A","shared":true,"columns":["name","grade"],"where":{"field":"grade","op":"=","value":"a"}}`},
		{"/segments", `{"key":"grade_a","label":"甲级","where":{"field":"grade","op":"=","value":"a"}}`},
		{"/segments", `{"key":"aa_first","label":"先","where":{"segment":"grade_a","op":"in"}}`},
		{"/roles", `{"name":"销售","rights":["segment.read"],"objects":{"*":{"actions":{"read":{"scope":"own"}}},"visit_plan":{"actions":{"read":{"scope":"all"}}}}}`},
	} {
		c.want(201, c.do("POST", x[0], x[1]))
	}
	c.want(200, c.do("PATCH", "/objects/customer/fields/plans", `{"position":0}`))
	c.want(200, c.do("PATCH", "/objects/customer/fields/note", `{"label":{"zh-CN":"说明","en":"Remark"}}`))
	c.want(200, c.do("PATCH", "/objects/visit_plan/fields/score", `{"shown_when":{"field":"customer.grade","op":"=","value":"a"},"required_when":{"field":"customer.kind","op":"=","value":"company"}}`))
	c.want(200, c.do("PATCH", "/objects/visit_plan", `{"unique_rules":[{"label":{"zh-CN":"一客一分","en":"One score"},"fields":["customer","score"]}]}`))
	c.want(200, c.do("POST", "/objects/visit_plan/layouts", `{"sections":[{"key":"basic","title":{},"columns":2,"fields":["name","score"]}],"tabs":["history"]}`))
	c.want(200, c.do("PATCH", "/objects/visit_plan", `{"rules":[{"when":"score < 0","message":{"zh-CN":"不能为负","en":"Not below zero"},"field":"score"}]}`))
	c.want(200, c.do("PATCH", "/actions/visit_a", `{"label":{"zh-CN":"上门","en":"Visit"},"on":true,"stages":["loyal"],"where":{"segment":"grade_a","op":"in"},"kind":"task","due":2,"lift":0.1,"worth":"fixed","amount":50,"cost":8,"window":30,"rest":60}`))
	top := read[struct{ ID string }](c, "POST", "/org/units", `{"kind":"department","name":"总部"}`, 201)
	c.want(201, c.do("POST", "/org/units", `{"kind":"department","name":"销售/一","parent":"`+top.ID+`"}`))
	c.want(201, c.do("POST", "/org/units", `{"kind":"team","name":"甲组"}`))
}

func TestConfigurationAsAFile(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		shapeAll(c)
		file := c.want(200, c.do("GET", "/config", "")).body
		for _, gone := range []string{"cus_", "usr_", "rol_", `"unt_`, "viw_", "physical", "administrator@"} {
			if bytes.Contains(file, []byte(gone)) {
				t.Errorf("the file names %s", gone)
			}
		}
		if again := c.want(200, c.do("GET", "/config", "")).body; !bytes.Equal(file, again) {
			t.Error("the same configuration is not the same bytes")
		}
		if d := read[configDifferences](c, "POST", "/config/compare", `{"file":`+string(file)+`}`, 200); len(d.Items) != 0 {
			t.Errorf("differs from itself: %+v", d.Items)
		}

		fresh := newSite(t).as(access.Administrator)
		// Only the shape arrived when the program ended behind the first transaction: the same import goes on.
		paths := []string{}
		for _, d := range read[configDifferences](fresh, "POST", "/config/compare", `{"file":`+string(file)+`}`, 200).Items {
			if strings.HasPrefix(d.Path, "/objects/") {
				paths = append(paths, d.Path)
			}
		}
		if got := read[configImported](fresh, "POST", "/config/import", `{"file":`+string(file)+`,"paths":`+mustJSON(t, paths)+`}`, 200); got.Applied != len(paths) {
			t.Fatalf("%+v", got)
		}
		dry := read[configImported](fresh, "POST", "/config/import", `{"file":`+string(file)+`,"dry_run":true}`, 200)
		if len(dry.Problems) != 0 || dry.Applied == 0 {
			t.Fatalf("%+v", dry)
		}
		if got := read[configImported](fresh, "POST", "/config/import", `{"file":`+string(file)+`}`, 200); got.Applied != dry.Applied {
			t.Fatalf("%+v, not %d", got, dry.Applied)
		}
		if there := fresh.want(200, fresh.do("GET", "/config", "")).body; !bytes.Equal(file, there) {
			d := read[configDifferences](fresh, "POST", "/config/compare", `{"file":`+string(file)+`}`, 200)
			t.Errorf("export, import, export is another file: %+v", d.Items)
		}
		s.as(access.Manager).wantCode(403, "access.forbidden", s.as(access.Manager).do("GET", "/config", ""))

		// A play that begins a rule comes with the rule, and is off as the rule is; one in another currency, or of a rule that is nowhere, does not come.
		rule := c.rule("回访", `{"object":"customer","trigger":{"kind":"manual"},"steps":[{"id":"u","kind":"update","values":[{"field":"note","text":"{name}"}]}]}`)
		c.want(200, c.do("PATCH", "/actions/ring", `{"label":{"zh-CN":"回访","en":"Ring"},"on":true,"kind":"rule","rule":"`+rule.ID+`","lift":0.1,"worth":"basket","window":30,"rest":60}`))
		file = c.want(200, c.do("GET", "/config", "")).body
		if bytes.Contains(file, []byte(rule.ID)) {
			t.Error("the file names a rule by its id")
		}
		text := string(file)
		for code, wrong := range map[string]string{"blueprint.other_currency": strings.Replace(text, `"currency": "CNY"`, `"currency": "JPY"`, 1), "action.no_rule": strings.Replace(text, `"rule": "回访"`, `"rule": "没有"`, 1)} {
			told := read[configImported](fresh, "POST", "/config/import", `{"file":`+wrong+`,"dry_run":true}`, 200)
			if wrong == text || len(told.Problems) != 1 || told.Problems[0].Code != code || !strings.HasPrefix(told.Problems[0].Location, "/plays/") {
				t.Errorf("%s: %+v", code, told)
			}
		}
		if got := read[configImported](fresh, "POST", "/config/import", `{"file":`+text+`}`, 200); got.Applied != 2 {
			t.Errorf("%+v", got)
		}
		left := read[configDifferences](fresh, "POST", "/config/compare", `{"file":`+text+`}`, 200)
		if len(left.Items) != 1 || left.Items[0].Path != "/plays/ring" || len(left.Items[0].Members) != 1 || left.Items[0].Members[0].Path != "on" || left.Items[0].Members[0].Before != false {
			t.Errorf("%+v", left)
		}
	})
}

func TestConfigurationDifferences(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		shapeAll(c)
		file := string(c.want(200, c.do("GET", "/config", "")).body)
		other := strings.Replace(file, `"zh-CN": "甲"`, `"zh-CN": "特级"`, 1)
		d := read[configDifferences](c, "POST", "/config/compare", `{"file":`+other+`}`, 200)
		if len(d.Items) != 1 || d.Items[0].Path != "/objects/customer/fields/grade" || len(d.Items[0].Members) != 1 ||
			d.Items[0].Members[0].Path != "options.a.label.zh-CN" || d.Items[0].Members[0].Before != "甲" || d.Items[0].Members[0].After != "特级" {
			t.Fatalf("%+v", d)
		}
		read[configImported](c, "POST", "/config/import", `{"file":`+other+`}`, 200)
		if now := string(c.want(200, c.do("GET", "/config", "")).body); now != other {
			t.Error("the label did not change")
		}

		// Another type is refused with its path, and nothing beside it happens.
		var doc struct {
			Guanxi  string                               `json:"guanxi"`
			Version int                                  `json:"version"`
			Objects map[string]map[string]map[string]any `json:"objects"`
		}
		if err := json.Unmarshal([]byte(other), &doc); err != nil {
			t.Fatal(err)
		}
		doc.Objects["visit_plan"]["fields"]["score"] = map[string]any{"type": "text", "label": map[string]string{"en": "Score"}}
		doc.Objects["customer"]["fields"]["note"] = map[string]any{"label": map[string]string{"en": "Something else"}}
		clash := mustJSON(t, doc)
		dry := read[configImported](c, "POST", "/config/import", `{"file":`+clash+`,"dry_run":true}`, 200)
		if len(dry.Problems) == 0 || dry.Problems[0].Location != "/objects/visit_plan/fields/score/type" || dry.Problems[0].Code != "blueprint.other_type" {
			t.Fatalf("%+v", dry)
		}
		c.wantCode(422, "blueprint.invalid", c.do("POST", "/config/import", `{"file":`+clash+`}`))
		if now := string(c.want(200, c.do("GET", "/config", "")).body); now != other {
			t.Error("a refused import changed something")
		}

		// What is only here stays unless it is named, and is archived then.
		c.want(201, c.do("POST", "/objects/customer/fields", `{"key":"extra","type":"text","label":{"en":"Extra"}}`))
		read[configImported](c, "POST", "/config/import", `{"file":`+other+`,"paths":["/objects/customer/fields/extra"]}`, 200)
		archived := read[struct{ Fields []struct{ Key string } }](c, "GET", "/objects/archived", "", 200)
		if len(archived.Fields) != 1 || archived.Fields[0].Key != "extra" {
			t.Errorf("%+v", archived)
		}
		c.wantCode(422, "blueprint.not_one", c.do("POST", "/config/compare", `{"file":{"a":1}}`))
		c.wantCode(422, "blueprint.unknown_part", c.do("POST", "/config/compare", `{"file":{"guanxi":"configuration","version":1,"people":{}}}`))
	})
}

// TestAConfigurationIsBroughtInWhole: every error is told at once, and one that shows only on the way leaves nothing behind.
func TestAConfigurationIsBroughtInWhole(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		shapeAll(c)
		file := string(c.want(200, c.do("GET", "/config", "")).body)
		fresh := newSite(t).as(access.Administrator)
		before := string(fresh.want(200, fresh.do("GET", "/config", "")).body)

		// Wrong in the shape, in a view, in a segment and in a stage process: told together.
		var doc map[string]any
		if err := json.Unmarshal([]byte(file), &doc); err != nil {
			t.Fatal(err)
		}
		at := func(path ...string) map[string]any {
			m := doc
			for _, p := range path {
				if m[p] == nil {
					m[p] = map[string]any{}
				}
				m = m[p].(map[string]any)
			}
			return m
		}
		at("objects", "visit_plan", "fields", "score")["type"] = "nothing"
		at("segments", "grade_a")["where"] = map[string]any{"field": "nowhere", "op": "=", "value": 1}
		at("views", "customer", "甲级/A")["columns"] = []string{"name", "nowhere"}
		at("stages")["customer"] = map[string]any{"field": "name", "stages": []any{}}
		told := read[configImported](fresh, "POST", "/config/import", `{"file":`+mustJSON(t, doc)+`,"dry_run":true}`, 200)
		places := ""
		for _, p := range told.Problems {
			places += p.Location + " "
		}
		for _, want := range []string{"/objects/visit_plan/fields/score", "/segments/grade_a", "/views/customer/", "/stages/customer"} {
			if !strings.Contains(places, want) {
				t.Errorf("not told at once: %s in %s", want, places)
			}
		}
		fresh.wantCode(422, "blueprint.invalid", fresh.do("POST", "/config/import", `{"file":`+mustJSON(t, doc)+`}`))

		// A rule is checked when everything else is there: this one fails last.
		if err := json.Unmarshal([]byte(file), &doc); err != nil {
			t.Fatal(err)
		}
		at("stages")["customer"] = map[string]any{"field": "grade", "stages": []any{map[string]any{"key": "a", "kind": "open", "probability": 1, "days": 1}, map[string]any{"key": "b", "kind": "won", "probability": 100, "days": 0}}}
		at("automations")["坏"] = map[string]any{"name": "坏", "description": "", "definition": map[string]any{"object": "visit_plan", "trigger": map[string]any{"kind": "created"},
			"steps": []any{map[string]any{"id": "a", "kind": "update", "values": []any{map[string]any{"field": "nowhere", "value": 1}}}}}}
		refused := fresh.do("POST", "/config/import", `{"file":`+mustJSON(t, doc)+`}`)
		if refused.status != 422 || !strings.Contains(string(refused.body), "/automations/") {
			t.Fatalf("%d %s", refused.status, refused.body)
		}
		if now := string(fresh.want(200, fresh.do("GET", "/config", "")).body); now != before {
			d := read[configDifferences](fresh, "POST", "/config/compare", `{"file":`+before+`}`, 200)
			t.Errorf("a refused import left something: %+v", d.Items)
		}
		fresh.wantCode(404, "api.object_unknown", fresh.do("GET", "/records/visit_plan", ""))
		// The same without that rule goes in whole.
		read[configImported](fresh, "POST", "/config/import", `{"file":`+file+`}`, 200)
		if now := string(fresh.want(200, fresh.do("GET", "/config", "")).body); now != file {
			t.Error("after a refused import the right one is not whole")
		}
		fresh.create("visit_plan", `{"name":"计划","score":"1.5","customer":"`+fresh.create("customer", `{"name":"谁"}`).ID+`"}`)
	})
}
