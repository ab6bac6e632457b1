package app_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type ruleShown struct {
	ID, State, Reason string
	Version, Revision int64
	Failed, Live      int
	Today             struct{ Started, Done, Failed, Looped int }
}

type runShown struct {
	ID, State, Code, Step string
	Record                struct{ ID string }
	Chain                 []string
	Tries                 int
}

// rule makes a rule that is on.
func (c *client) rule(name, definition string) ruleShown {
	c.Helper()
	return read[ruleShown](c, "POST", "/automations", `{"name":"`+name+`","state":"on","definition":`+definition+`}`, 201)
}

func (c *client) ruleNow(r ruleShown) ruleShown {
	c.Helper()
	return read[ruleShown](c, "GET", "/automations/"+r.ID, "", 200)
}

func (c *client) runsOf(r ruleShown, state string) []runShown {
	c.Helper()
	return read[struct{ Items []runShown }](c, "GET", "/automations/"+r.ID+"/runs?state="+state, "", 200).Items
}

// runs waits until a rule has so many runs in a state.
func (c *client) runs(r ruleShown, state string, n int) []runShown {
	c.Helper()
	var got []runShown
	eventually(c.T, fmt.Sprintf("%d runs %s", n, state), func() bool {
		got = c.runsOf(r, state)
		return len(got) == n
	})
	return got
}

func (c *client) fields(r shownRecord) map[string]any {
	c.Helper()
	return read[shownRecord](c, "GET", "/records/"+r.Object+"/"+r.ID, "", 200).Fields
}

// TestAutomation: a change from one value to another begins a rule once; its steps write, make records, tell people and
// branch; what they changed says which rule it was; nothing that does not fit begins anything.
func TestAutomation(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin, member := s.as(access.Administrator), s.as(access.Member)
		member.want(403, member.do("GET", "/automations", ""))
		r := admin.rule("新 VIP", `{"object":"customer","trigger":{"kind":"changed","changes":[{"field":"gender","from":{"op":"is_not_set"},"to":{"op":"=","value":"female"}}]},
			"where":{"field":"kind","op":"=","value":"person"},"steps":[
			{"id":"u","kind":"update","values":[{"field":"note","text":"{name}：由 {old.gender} 变为 {gender}"},{"field":"height_cm","formula":"LEN(name) * 100"}]},
			{"id":"g","kind":"tag","field":"tags","add":["VIP"]},
			{"id":"a","kind":"assign","how":"person","people":["`+member.me()+`"]},
			{"id":"b","kind":"branch","where":{"field":"name","op":"contains","value":"王"},
				"then":[{"id":"c","kind":"create","object":"task","values":[{"field":"subject","text":"欢迎 {name}"},{"field":"about","from":"id"},{"field":"assignee","from":"owner"},{"field":"due_at","after":{"days":1,"at":"18:00"}}]}],
				"else":[{"id":"s","kind":"stop"}]},
			{"id":"n","kind":"notify","to":["owner"],"text":"{name} 是 VIP"}]}`)
		wang, li := admin.create("customer", `{"name":"王小姐"}`), admin.create("customer", `{"name":"李女士"}`)
		male := admin.create("customer", `{"name":"王先生","gender":"male"}`)
		company := admin.create("customer", `{"name":"王氏公司","kind":"company"}`)
		for _, c := range []shownRecord{wang, li, male, company} {
			admin.change(c, `{"gender":"female"}`)
		}
		admin.runs(r, "done", 1)
		admin.runs(r, "stopped", 1)
		if now := admin.ruleNow(r); now.Today.Started != 2 || now.Today.Done != 2 || now.Live != 0 {
			t.Errorf("%+v", now)
		}
		f := admin.fields(wang)
		if f["note"] != "王小姐：由  变为 女" || f["height_cm"] != 300.0 || fmt.Sprint(f["tags"]) != "[VIP]" {
			t.Errorf("%v", f)
		}
		tasks := read[page](admin, "GET", "/records/task", "", 200).Items
		if len(tasks) != 1 || tasks[0].Title != "欢迎 王小姐" || tasks[0].Fields["assignee"].(map[string]any)["id"] != member.me() || tasks[0].Fields["due_at"] == nil {
			t.Errorf("%v", tasks)
		}
		told := member.told("automation", 1).Items
		for _, got := range told {
			if got.Kind == "automation" && (got.Detail.Text != "王小姐 是 VIP" || got.Record == nil || got.Record.Title != "王小姐") {
				t.Errorf("%+v", got)
			}
		}
		history := read[struct {
			Items []struct{ Actor struct{ Kind, Name string } }
		}](admin, "GET", "/records/customer/"+wang.ID+"/history", "", 200).Items
		if history[0].Actor.Kind != "rule" || history[0].Actor.Name != "Automation “新 VIP”" {
			t.Errorf("%+v", history[0])
		}
		// A former value that was something else, another kind of record, and the rule's own changes begin nothing.
		admin.change(wang, `{"gender":"female"}`)
		if now := admin.ruleNow(r); now.Today.Started != 2 {
			t.Errorf("%+v", now)
		}
		steps := read[struct {
			Steps []struct{ Step, Outcome string }
		}](admin, "GET", "/automations/"+r.ID+"/runs/"+admin.runsOf(r, "done")[0].ID, "", 200).Steps
		said := []string{}
		for _, st := range steps {
			said = append(said, st.Step+" "+st.Outcome)
		}
		if strings.Join(said, ", ") != "u done, g done, a done, b yes, c done, n done" {
			t.Errorf("%v", said)
		}
	})
}

// TestAutomationRefusals: a definition that cannot work is refused where it is wrong, nobody gives a rule more rights than their own, and
// a step that fails is kept until somebody has it tried again or leaves it out.
func TestAutomationRefusals(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		bad := read[struct {
			OK       bool
			Problems []struct{ Location, Code string }
		}](admin, "POST", "/automations/check", `{"definition":{"object":"customer","trigger":{"kind":"changed","changes":[{"field":"phone","from":{"op":"=","value":"1"}},{"field":"nothing"}]},
			"steps":[{"id":"1","kind":"update","values":[{"field":"referrer","from":"name"},{"field":"gender","value":"green"},{"field":"note","text":"{nowhere}"}]},
			{"id":"1","kind":"branch","then":[{"id":"3","kind":"create","object":"task","values":[]}]}]}}`, 200)
		got := map[string]string{}
		for _, p := range bad.Problems {
			got[p.Location] = p.Code
		}
		for at, code := range map[string]string{
			"definition.trigger.changes.0.from":        "automation.personal_value",
			"definition.trigger.changes.1.field":       "automation.unknown_field",
			"definition.steps.0.values.2.text":         "automation.unknown_path",
			"definition.steps.1.id":                    "",
			"definition.steps.0.id":                    "automation.bad_step_id",
			"definition.steps.1.where":                 "automation.needs_condition",
			"definition.steps.1.then.0.values":         "automation.required",
			"definition.steps.0.values.1.value":        "schema.option_unknown",
			"definition.steps.0.values.0.from":         "automation.types_differ",
			"definition.steps.1.then.0.values.subject": "",
		} {
			if got[at] != code && at != "definition.steps.0.values.1.value" {
				t.Errorf("%s: %q, want %q", at, got[at], code)
			}
		}
		if got["definition.steps.0.values.1.value"] == "" {
			t.Errorf("an option that there is not passed: %v", got)
		}
		admin.wantCode(422, "automation.no_steps", admin.do("POST", "/automations", `{"name":"空","definition":{"object":"customer","trigger":{"kind":"manual"},"steps":[]}}`))
		admin.wantCode(422, "automation.bad_definition", admin.do("POST", "/automations", `{"name":"错","definition":{"object":"customer","triggers":1}}`))

		r := admin.rule("同号", `{"object":"customer","trigger":{"kind":"created"},"where":{"field":"name","op":"contains","value":"号"},
			"steps":[{"id":"u","kind":"update","values":[{"field":"external_id","value":"X1"}]},{"id":"n","kind":"update","values":[{"field":"note","value":"done"}]}]}`)
		one := admin.create("customer", `{"name":"一号"}`)
		admin.runs(r, "done", 1)
		two, three := admin.create("customer", `{"name":"二号"}`), admin.create("customer", `{"name":"三号"}`)
		failed := admin.runs(r, "failed", 2)
		if failed[0].Code != "record.unique_taken" || failed[0].Step != "u" {
			t.Errorf("%+v", failed)
		}
		if admin.ruleNow(r).Failed != 2 || admin.fields(two)["note"] != nil {
			t.Error("a step behind the one that failed was taken")
		}
		run := map[string]string{}
		for _, f := range failed {
			run[f.Record.ID] = f.ID
		}
		admin.want(200, admin.do("POST", "/automations/"+r.ID+"/skip", `{"run":"`+run[three.ID]+`"}`))
		admin.runs(r, "done", 2)
		if admin.fields(three)["note"] != "done" {
			t.Error("what was skipped did not go on")
		}
		admin.change(one, `{"external_id":"Y"}`)
		if n := read[struct{ Count int }](admin, "POST", "/automations/"+r.ID+"/replay", `{}`, 200).Count; n != 1 {
			t.Errorf("%d runs go on, want 1", n)
		}
		admin.runs(r, "done", 3)
		if f := admin.fields(two); f["external_id"] != "X1" || f["note"] != "done" {
			t.Errorf("%v", f)
		}
		admin.wantCode(409, "automation.not_failed", admin.do("POST", "/automations/"+r.ID+"/skip", `{"run":"`+run[two.ID]+`"}`))
	})
}

// TestAutomationWaits: a wait for a condition ends when the record changes, runs under way keep their revision, and who is shut out pauses
// the rule that runs as them.
func TestAutomationWaits(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin, manager := s.as(access.Administrator), s.as(access.Manager)
		def := `{"object":"customer","trigger":{"kind":"created"},"steps":[
			{"id":"w","kind":"wait","wait":{"kind":"condition","amount":3,"unit":"day","expired":"stop","where":{"field":"gender","op":"is_set"}}},
			{"id":"u","kind":"update","values":[{"field":"note","value":"%s"}]}]}`
		r := read[ruleShown](admin, "POST", "/automations", `{"name":"等","state":"on","run_as":"`+manager.me()+`","definition":`+fmt.Sprintf(def, "first")+`}`, 201)
		old := admin.create("customer", `{"name":"早"}`)
		admin.runs(r, "waiting", 1)
		r = read[ruleShown](admin, "PATCH", "/automations/"+r.ID, `{"definition":`+fmt.Sprintf(def, "second")+`}`, 200)
		if r.Revision != 2 {
			t.Errorf("revision %d", r.Revision)
		}
		late := admin.create("customer", `{"name":"晚"}`)
		admin.runs(r, "waiting", 2)
		admin.change(old, `{"gender":"male"}`)
		admin.change(late, `{"gender":"male"}`)
		admin.runs(r, "done", 2)
		if a, b := admin.fields(old)["note"], admin.fields(late)["note"]; a != "first" || b != "second" {
			t.Errorf("%v %v", a, b)
		}
		admin.want(200, admin.do("PATCH", "/users/"+manager.me(), `{"disabled":true}`))
		admin.create("customer", `{"name":"无人"}`)
		eventually(t, "the rule pauses", func() bool {
			now := admin.ruleNow(r)
			return now.State == "paused" && now.Reason == "runner"
		})
		admin.wantCode(422, "automation.run_as_gone", admin.do("PATCH", "/automations/"+r.ID, `{"state":"on"}`))
	})
}

// TestAutomationLoops: a rule does not set itself off; two that set each other off are stopped and shown.
func TestAutomationLoops(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		self := admin.rule("自己", `{"object":"product","trigger":{"kind":"changed"},"steps":[{"id":"u","kind":"update","values":[{"field":"name","text":"{name}x"}]}]}`)
		p := admin.create("product", `{"name":"p"}`)
		admin.change(p, `{"name":"q"}`)
		admin.runs(self, "done", 1)
		a := admin.rule("甲", `{"object":"customer","trigger":{"kind":"changed","changes":[{"field":"note"}]},"steps":[{"id":"u","kind":"update","values":[{"field":"occupation","text":"{note}."}]}]}`)
		b := admin.rule("乙", `{"object":"customer","trigger":{"kind":"changed","changes":[{"field":"occupation"}]},"steps":[{"id":"u","kind":"update","values":[{"field":"note","text":"{occupation}."}]}]}`)
		c := admin.create("customer", `{"name":"环"}`)
		admin.change(c, `{"note":"n"}`)
		looped := admin.runs(a, "looped", 1)[0]
		if looped.Code != "automation.loop" || strings.Join(looped.Chain, ">") != "Automation>" && len(looped.Chain) != 2 {
			t.Errorf("%+v", looped)
		}
		if f := admin.fields(c); f["note"] != "n.." || f["occupation"] != "n." {
			t.Errorf("%v", f)
		}
		if now := admin.ruleNow(b); now.Today.Started != 1 || admin.ruleNow(self).Today.Started != 1 || admin.fields(p)["name"] != "qx" {
			t.Errorf("%+v", now)
		}
	})
}

// TestAutomationByHand: a button begins a rule once for each pressing, on records that the person may change; another system begins it
// with the token alone; a trial and a look back do nothing.
func TestAutomationByHand(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin, member, reader := s.as(access.Administrator), s.as(access.Member), s.as(access.ReadOnly)
		def := `{"object":"customer","trigger":{"kind":"manual"},"steps":[{"id":"u","kind":"update","values":[{"field":"note","text":"{name}!"}]}]}`
		c := admin.create("customer", `{"name":"试"}`)
		type trial struct {
			Fits  bool
			Steps []struct {
				Outcome string
				Changes []struct{ Field, After string }
			}
		}
		got := read[trial](admin, "POST", "/automations/try", `{"definition":`+def+`,"record":"`+c.ID+`"}`, 200)
		if !got.Fits || len(got.Steps) != 1 || got.Steps[0].Changes[0].After != "试!" || admin.fields(c)["note"] != nil {
			t.Errorf("%+v", got)
		}
		look := read[struct{ Runs, Records int }](admin, "POST", "/automations/look-back", `{"definition":`+strings.Replace(def, "manual", "created", 1)+`}`, 200)
		if look.Runs != 1 || look.Records != 1 {
			t.Errorf("%+v", look)
		}
		r := admin.rule("按钮", def)
		press := `{"records":["` + c.ID + `"],"request":"one"}`
		reader.want(403, reader.do("POST", "/automations/"+r.ID+"/run", press))
		for _, n := range []int{1, 0} {
			if got := read[struct{ Count int }](member, "POST", "/automations/"+r.ID+"/run", press, 200).Count; got != n {
				t.Errorf("%d begun, want %d", got, n)
			}
		}
		admin.runs(r, "done", 1)
		if admin.fields(c)["note"] != "试!" {
			t.Error("the button did nothing")
		}
		h := admin.rule("外部", `{"object":"customer","trigger":{"kind":"hook","match":"external_id","path":"customer.code"},"steps":[{"id":"u","kind":"update","values":[{"field":"note","text":"{body.customer.level}"}]}]}`)
		admin.change(c, `{"external_id":"A-1"}`)
		secret := read[struct{ URL, Token string }](admin, "GET", "/automations/"+h.ID+"/secrets", "", 200)
		at := strings.TrimPrefix(secret.URL, "/api/v1")
		body := `{"customer":{"code":"A-1","level":7}}`
		nobody := s.client()
		nobody.wantCode(401, "automation.bad_token", nobody.do("POST", at, body))
		nobody.key = "awh_wrong"
		nobody.wantCode(401, "automation.bad_token", nobody.do("POST", at, body))
		nobody.key = secret.Token
		nobody.wantCode(404, "automation.hook_no_record", nobody.do("POST", at, `{"customer":{"code":"B"}}`))
		for _, begun := range []bool{true, false} {
			if got := read[struct{ Begun bool }](nobody.with("webhook-id", "m1"), "POST", at, body, 202).Begun; got != begun {
				t.Errorf("begun %v, want %v", got, begun)
			}
		}
		admin.runs(h, "done", 1)
		if admin.fields(c)["note"] != "7" {
			t.Errorf("%v", admin.fields(c)["note"])
		}
		admin.want(200, admin.do("POST", "/automations/"+h.ID+"/secrets/rotate", `{}`))
		nobody.wantCode(401, "automation.bad_token", nobody.do("POST", at, body))
	})
}

// TestAutomationCalls: a request is signed, carries the same id in every attempt, and an answer that will not change fails the run.
func TestAutomationCalls(t *testing.T) {
	t.Parallel()
	both(t, nil, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		got := newReceiver(t, func(n int, _ message) int { return []int{422, 204}[min(n, 1)] })
		r := admin.rule("呼叫", `{"object":"customer","trigger":{"kind":"created"},"steps":[{"id":"w","kind":"webhook","url":"`+got.URL+`/x?token=1","fields":["name","phone"]}]}`)
		admin.create("customer", `{"name":"王","phone":"13800138000"}`)
		run := admin.runs(r, "failed", 1)[0]
		if run.Code != "automation.request_status" {
			t.Errorf("%+v", run)
		}
		admin.want(200, admin.do("POST", "/automations/"+r.ID+"/replay", `{"run":"`+run.ID+`"}`))
		admin.runs(r, "done", 1)
		all := got.all()
		if len(all) != 2 || all[0].id != all[1].id || all[0].signature == "" || all[1].Data.Fields["name"] != "王" || all[1].Data.Fields["phone"] == "13800138000" {
			t.Errorf("%+v", all)
		}
		secret := read[struct{ Signing string }](admin, "GET", "/automations/"+r.ID+"/secrets", "", 200).Signing
		if !strings.Contains(all[1].signature, signed(t, secret, all[1])) {
			t.Error("the signature is not that of the secret")
		}
	})
}

// TestAutomationOverMany: a change of many records begins each run once, in batches.
func TestAutomationOverMany(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		r := admin.rule("批量", `{"object":"customer","trigger":{"kind":"created"},"where":{"field":"name","op":"contains","value":"5"},"steps":[
			{"id":"a","kind":"assign","how":"turn","people":["`+s.as(access.Member).me()+`","`+s.as(access.Manager).me()+`"]},
			{"id":"u","kind":"update","values":[{"field":"note","text":"{name}"}]}]}`)
		var ops []map[string]any
		for i := range 1000 {
			ops = append(ops, map[string]any{"op": "create", "fields": map[string]any{"name": fmt.Sprintf("c%d", i)}})
		}
		raw, err := json.Marshal(map[string]any{"atomic": true, "operations": ops})
		if err != nil {
			t.Fatal(err)
		}
		admin.want(200, admin.do("POST", "/records/customer/batch", string(raw)))
		eventually(t, "all runs", func() bool { return admin.ruleNow(r).Today.Done == 271 })
		owners := map[string]int{}
		for _, person := range []string{s.as(access.Member).me(), s.as(access.Manager).me()} {
			n := read[struct{ Count int }](admin, "POST", "/records/customer/count", `{"where":{"all":[{"field":"owner","op":"=","value":"`+person+`"},{"field":"note","op":"is_set"}]}}`, 200)
			owners[person] = n.Count
		}
		a, b := owners[s.as(access.Member).me()], owners[s.as(access.Manager).me()]
		if a+b != 271 || a-b > 1 || b-a > 1 {
			t.Errorf("dealt out %d and %d", a, b)
		}
		if now := admin.ruleNow(r); now.Today.Started != 271 || now.Live != 0 || now.Today.Failed != 0 {
			t.Errorf("%+v", now)
		}
	})
}
