package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestAutomationSegments: who enters or leaves a segment begins the rules that watch it, once for each time; who was in it before begins none,
// nor does another condition of the segment. A segment that a rule speaks of is not deleted.
func TestAutomationSegments(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		admin.computed() // a rule that is made before sees nobody come
		segment := func(key, label, where string) {
			admin.want(201, admin.do("POST", "/segments", `{"key":"`+key+`","label":"`+label+`","where":`+where+`}`))
		}
		segment("doctors", "医生", `{"field":"occupation","op":"=","value":"医生"}`)
		segment("buyers", "买过的", `{"record":"order","op":">=","value":1}`)
		segment("both", "买过的医生", `{"all":[{"segment":"doctors","op":"in"},{"segment":"buyers","op":"in"}]}`)
		admin.want(201, admin.do("POST", "/segments", `{"key":"list","label":"名单","kind":"static","where":{"field":"occupation","op":"=","value":"医生"}}`))
		before := admin.create("customer", `{"name":"早就是","occupation":"医生"}`)
		rule := func(name, kind, segment, more string) ruleShown {
			return admin.rule(name, `{"object":"customer","trigger":{"kind":"`+kind+`","segment":"`+segment+`"}`+more+`,"steps":[{"id":"u","kind":"update","values":[{"field":"note","text":"{note}`+name+`"}]}]}`)
		}
		for segment, code := range map[string]string{"list": "automation.segment_static", "nowhere": "automation.unknown_segment"} {
			admin.wantCode(422, code, admin.do("POST", "/automations", `{"name":"x","definition":{"object":"customer","trigger":{"kind":"enters","segment":"`+segment+`"},"steps":[{"id":"s","kind":"stop"}]}}`))
		}
		admin.wantCode(422, "automation.segment_object", admin.do("POST", "/automations", `{"name":"x","definition":{"object":"order","trigger":{"kind":"enters","segment":"both"},"steps":[{"id":"s","kind":"stop"}]}}`))
		in, out := rule("进", "enters", "doctors", ""), rule("出", "leaves", "doctors", `,"where":{"field":"name","op":"contains","value":"王"}`)
		bought := rule("买", "enters", "both", "")

		wang, li := admin.create("customer", `{"name":"王","occupation":"医生"}`), admin.create("customer", `{"name":"李","occupation":"教师"}`)
		admin.runs(in, "done", 1)
		li = admin.change(li, `{"occupation":"医生"}`)
		admin.runs(in, "done", 2)
		admin.create("order", `{"number":"S1","customer":"`+li.ID+`","status":"completed"}`)
		admin.runs(bought, "done", 1)
		admin.change(wang, `{"occupation":"护士"}`)
		admin.change(li, `{"occupation":"护士"}`)
		admin.runs(out, "done", 1)
		if w, l := admin.fields(wang)["note"], admin.fields(li)["note"]; w != "进出" || l != "进买" {
			t.Errorf("%q %q", w, l)
		}
		admin.change(wang, `{"occupation":"医生"}`)
		admin.runs(in, "done", 3)
		admin.want(204, admin.with("If-Match", "*").do("DELETE", "/records/customer/"+wang.ID, "")) // leaves, but no rule sees it any more
		// Another condition moves members without beginning anything.
		admin.want(200, admin.do("PATCH", "/segments/doctors", `{"where":{"field":"occupation","op":"in","value":["医生","护士"]}}`))
		nurse := admin.create("customer", `{"name":"新护士","occupation":"护士"}`)
		admin.runs(in, "done", 4)
		if admin.fields(nurse)["note"] == nil || admin.fields(before)["note"] != nil || strings.Count(fmt.Sprint(admin.fields(li)["note"]), "进") != 1 {
			t.Errorf("%v %v %v", admin.fields(nurse)["note"], admin.fields(before)["note"], admin.fields(li)["note"])
		}
		uses := read[struct {
			Items []struct{ ID, Name, State, How string }
		}](admin, "GET", "/segments/doctors/rules", "", 200).Items
		if len(uses) != 2 || uses[0].How+uses[1].How != "leavesenters" {
			t.Errorf("%+v", uses)
		}
		refused := admin.wantCode(409, "segment.watched", admin.do("DELETE", "/segments/both", ""))
		if !strings.Contains(string(refused.body), "买") {
			t.Errorf("%s", refused.body)
		}
		admin.want(204, admin.do("DELETE", "/automations/"+bought.ID, ""))
		admin.want(204, admin.do("DELETE", "/segments/both", ""))
	})
}
