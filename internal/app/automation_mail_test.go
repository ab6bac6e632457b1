package app_test

import (
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

type stepShown struct {
	Step, Outcome, Problem string
	Detail                 struct{ Mail, Request string }
}

// stepsOf are the steps that a run took.
func (c *client) stepsOf(r ruleShown, run string) []stepShown {
	c.Helper()
	return read[struct{ Steps []stepShown }](c, "GET", "/automations/"+r.ID+"/runs/"+run, "", 200).Steps
}

func outcomes(steps []stepShown) string {
	said := make([]string, len(steps))
	for i, st := range steps {
		said[i] = st.Step + " " + st.Outcome
	}
	return strings.Join(said, ", ")
}

// TestAutomationMails: a rule writes to an address of the record, of a related one, to a colleague in their language and to a fixed address;
// each mail goes once and the run goes on when a server took it. Whoever asks for quiet gets none; what a server refuses fails the run,
// and goes on when somebody has it tried again.
func TestAutomationMails(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		admin := s.as(access.Administrator)
		admin.want(200, admin.do("PATCH", "/me", `{"locale":"en"}`))
		admin.mailServer(server)
		def := `{"object":"order","trigger":{"kind":"changed","changes":[{"field":"note"}]},"steps":[
			{"id":"c","kind":"email","mail":{"to":"field","field":"customer.email","reply_to":"owner","subject":"订单 {number}\n已确认","text":"<b>{customer.name}</b>，您好：\n状态 {status}。","translations":{"en":{"subject":"Order {number}","text":"Status {status}"}}}},
			{"id":"p","kind":"email","mail":{"to":"person","person":"` + admin.me() + `","subject":"订单 {number}","text":"状态 {status}","translations":{"en":{"subject":"Order {number} of {customer.name}","text":"Status {status}"}}}},
			{"id":"f","kind":"email","mail":{"to":"address","address":"Depot@EXAMPLE.org","reply_to":"desk@example.org","subject":"Pick {number}","text":"Now."}},
			{"id":"u","kind":"update","values":[{"field":"external_id","text":"mailed-{number}"}]}]}`
		problems := read[struct {
			Problems []struct{ Location, Code string }
		}](admin, "POST", "/automations/check", `{"definition":`+strings.NewReplacer(`"customer.email"`, `"customer.name"`, "Depot@EXAMPLE.org", "depot", "{customer.name}，", "{customer.phone}，", "Now.", "").Replace(def)+`}`, 200).Problems
		got := map[string]string{}
		for _, p := range problems {
			got[p.Location] = p.Code
		}
		for at, code := range map[string]string{"definition.steps.0.mail.field": "automation.needs_address_field", "definition.steps.0.mail.subject": "automation.bad_subject",
			"definition.steps.2.mail.address": "mail.bad_address", "definition.steps.2.mail.text": "automation.bad_mail_text"} {
			if got[at] != code {
				t.Errorf("%s: %q, want %q in %v", at, got[at], code, got)
			}
		}
		def = strings.Replace(def, `\n已确认`, ` 已确认`, 1)
		r := admin.rule("通知", def)
		fang := admin.create("customer", `{"name":"王芳","email":"fang@example.org"}`)
		quiet := admin.create("customer", `{"name":"安静","email":"quiet@example.org","do_not_contact":true}`)
		order := admin.create("order", `{"number":"N1","customer":"`+fang.ID+`","status":"confirmed","sales_person":"`+admin.me()+`"}`)
		type trial struct {
			Steps []struct {
				Step, Outcome string
				Mail          *struct{ To, Locale, Subject, Text, HTML string }
			}
		}
		tried := read[trial](admin, "POST", "/automations/try", `{"definition":`+def+`,"record":"`+order.ID+`"}`, 200)
		if m := tried.Steps[0].Mail; m == nil || m.Subject != "订单 N1 已确认" || strings.Contains(m.To, "fang") || !strings.Contains(m.HTML, "&lt;b&gt;王芳&lt;/b&gt;") || len(server.Messages()) != 0 {
			t.Fatalf("%+v", tried.Steps)
		}
		if m := tried.Steps[1].Mail; m == nil || m.Subject != "Order N1 of 王芳" || m.Locale != "en" || m.Text != "Status Confirmed" {
			t.Errorf("%+v", m)
		}
		order = admin.change(order, `{"note":"one"}`)
		run := admin.runs(r, "done", 1)[0]
		if said := outcomes(admin.stepsOf(r, run.ID)); said != "c sending, c done, p sending, p done, f sending, f done, u done" {
			t.Errorf("%s", said)
		}
		mails := server.Wait(t, 3)
		subject, text := plainOf(t, mails[0])
		if mails[0].To != "fang@example.org" || subject != "订单 N1 已确认" || !strings.Contains(text, "<b>王芳</b>，您好") || !strings.Contains(mails[0].Data, "Auto-Submitted") || !strings.Contains(mails[0].Data, "Reply-To: ") {
			t.Errorf("%s %q %q", mails[0].To, subject, text)
		}
		if subject, _ := plainOf(t, mails[1]); subject != "Order N1 of 王芳" || mails[2].To != "Depot@example.org" || !strings.Contains(mails[2].Data, "desk@example.org") {
			t.Errorf("%q %s", subject, mails[2].To)
		}
		if admin.fields(order)["external_id"] != "mailed-N1" {
			t.Error("the step behind the mails was not taken")
		}
		line := read[struct {
			Items []struct {
				Actor  struct{ Kind, Name string }
				Letter *struct{ To, Subject, State string }
			}
		}](admin, "GET", "/records/customer/"+fang.ID+"/timeline?kinds=letter", "", 200).Items
		if len(line) != 1 || line[0].Letter.State != "sent" || line[0].Actor.Kind != "rule" || !strings.Contains(line[0].Actor.Name, "通知") {
			t.Errorf("%+v", line)
		}

		calm := admin.create("order", `{"number":"N2","customer":"`+quiet.ID+`"}`)
		admin.change(calm, `{"note":"two"}`)
		admin.runs(r, "done", 2)
		held := admin.stepsOf(r, admin.runsOf(r, "done")[0].ID)
		if outcomes(held[:1]) != "c held" || held[0].Problem == "" {
			t.Errorf("%+v", held)
		}
		server.Answers(func(command, argument string) string {
			if command == "RCPT" && strings.Contains(argument, "fang@") {
				return "550 5.1.1 <fang@example.org> is unknown"
			}
			return ""
		})
		order = admin.change(order, `{"note":"three"}`)
		failed := admin.runs(r, "failed", 1)[0]
		if failed.Code != "automation.mail_address" || failed.Step != "c" {
			t.Errorf("%+v", failed)
		}
		// The address takes no more mail: a further run holds its mail back, and says so.
		admin.change(order, `{"note":"four"}`)
		admin.runs(r, "done", 3)
		server.Answers(nil)
		admin.change(fang, `{"email":"fang@example.com"}`)
		if n := read[struct{ Count int }](admin, "POST", "/automations/"+r.ID+"/replay", `{}`, 200).Count; n != 1 {
			t.Errorf("%d runs go on", n)
		}
		admin.runs(r, "done", 4)
		to := map[string]int{}
		for _, m := range server.Messages() {
			to[m.To]++
		}
		if to["fang@example.org"] != 1 || to["fang@example.com"] != 1 || to["quiet@example.org"] != 0 || to["Depot@example.org"] != 4 {
			t.Errorf("%v", to)
		}
	})
}

// TestAutomationAgreements: what a rule writes waits for agreement like anybody's, in the name of whom it runs as, and goes on with the answer; who
// is excepted by the process is not asked; a rule that runs as the program has nobody to ask and fails. No rule passes a gate of a stage.
func TestAutomationAgreements(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin, boss := s.as(access.Administrator), s.as(access.Manager)
		process := func(name, more string) string {
			return read[struct{ ID string }](admin, "POST", "/approval-processes", `{"spec":{"name":"`+name+`","object":"customer","enabled":true,"whole":false,"own":"leave","once":false,
				"steps":[{"name":"经理","mode":"any","who":[{"kind":"user","user":"`+boss.me()+`"}]}],`+more+`}}`, 201).ID
		}
		process("改备注", `"action":"update","fields":["note"]`)
		def := `{"object":"customer","trigger":{"kind":"changed","changes":[{"field":"occupation"}]},"steps":[
			{"id":"u","kind":"update","values":[{"field":"note","text":"{occupation}!"},{"field":"height_cm","value":170}]},
			{"id":"g","kind":"tag","field":"tags","add":["后续"]}]}`
		r := admin.rule("要同意", def)
		asProgram := read[ruleShown](admin, "POST", "/automations", `{"name":"程序","state":"on","run_as":"system","definition":`+strings.Replace(def, `"occupation"`, `"industry"`, 1)+`}`, 201)
		yes, no := admin.create("customer", `{"name":"同意"}`), admin.create("customer", `{"name":"拒绝"}`)
		admin.change(yes, `{"occupation":"医生"}`)
		admin.change(no, `{"occupation":"教师"}`)
		eventually(t, "two requests", func() bool { return boss.asked() == 2 })
		if f := admin.fields(yes); f["note"] != nil || f["tags"] != nil {
			t.Errorf("written without agreement: %v", f)
		}
		if n := len(admin.runsOf(r, "waiting")); n != 2 {
			t.Errorf("%d runs wait", n)
		}
		for _, q := range read[requests](boss, "GET", "/approvals", "", 200).Items {
			answer := "approve"
			if q.Record.Title == "拒绝" {
				answer = "reject"
			}
			full := read[request](boss, "GET", "/approvals/"+q.ID, "", 200)
			if !strings.Contains(full.Comment, "要同意") || len(full.Changes) != 2 {
				t.Errorf("%+v", full)
			}
			boss.decide(q, answer, "")
		}
		admin.runs(r, "done", 1)
		stopped := admin.runs(r, "stopped", 1)[0]
		if f := admin.fields(yes); f["note"] != "医生!" || f["tags"] == nil {
			t.Errorf("%v", f)
		}
		if f := admin.fields(no); f["note"] != nil || f["tags"] != nil || stopped.Code != "automation.not_agreed" {
			t.Errorf("%v %+v", f, stopped)
		}
		if said := outcomes(admin.stepsOf(r, admin.runsOf(r, "done")[0].ID)); said != "u asked, u done, g done" {
			t.Errorf("%s", said)
		}
		industry := admin.create("customer", `{"name":"公司","kind":"company"}`)
		admin.change(industry, `{"industry":"retail"}`)
		if failed := admin.runs(asProgram, "failed", 1)[0]; failed.Code != "approval.needed" {
			t.Errorf("%+v", failed)
		}
		// Excepted by declaration: who the rule runs as.
		process("改职业", `"action":"update","fields":["industry"],"except":[{"kind":"user","user":"`+admin.me()+`"}]`)
		free := admin.rule("免审", `{"object":"customer","trigger":{"kind":"changed","changes":[{"field":"name"}]},"steps":[{"id":"u","kind":"update","values":[{"field":"industry","value":"retail"}]}]}`)
		admin.change(no, `{"name":"改名"}`)
		admin.runs(free, "done", 1)

		admin.want(200, admin.do("PATCH", "/stages/customer", `{"version":0,"spec":{"field":"source","stages":[{"key":"store","kind":"open","probability":10,"days":0,"to":["wechat"]},
			{"key":"wechat","kind":"open","probability":20,"days":0,"fields":["height_cm"]},{"key":"other","kind":"lost","probability":0,"days":0}]}}`))
		jump := admin.rule("跳级", `{"object":"customer","trigger":{"kind":"created"},"where":{"field":"source","op":"=","value":"store"},"steps":[{"id":"u","kind":"update","values":[{"field":"source","value":"other"}]}]}`)
		gate := admin.rule("过门", `{"object":"customer","trigger":{"kind":"created"},"where":{"field":"source","op":"=","value":"store"},"steps":[{"id":"u","kind":"update","values":[{"field":"source","value":"wechat"}]}]}`)
		c := admin.create("customer", `{"name":"门前","source":"store"}`)
		if f := admin.runs(jump, "failed", 1)[0]; f.Code != "stage.way_closed" {
			t.Errorf("%+v", f)
		}
		if f := admin.runs(gate, "failed", 1)[0]; f.Code != "stage.field_needed" || admin.fields(c)["source"] != "store" {
			t.Errorf("%+v", f)
		}
	})
}
