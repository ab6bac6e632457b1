package app_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestWebhooksAround: what goes on around a record is told, each once: who is asked for agreement and what they said, a rule that failed, a move
// from stage to stage; a condition is asked of the record.
func TestWebhooksAround(t *testing.T) {
	t.Parallel()
	both(t, nil, func(t *testing.T, s *site) {
		admin, boss, member := s.as(access.Administrator), s.as(access.Manager), s.as(access.Member)
		receiver := newReceiver(t, nil)
		kinds := `["approval.asked","approval.decided","approval.withdrawn","approval.applied","approval.failed","automation.failed","stage.moved"]`
		admin.wantCode(422, "webhook.bad_kinds", admin.do("POST", "/webhooks", `{"name":"x","url":"`+receiver.URL+`","rules":[{"object":"customer","kinds":["approval.nothing"]}]}`))
		admin.hook(receiver.URL, `"rules":[{"object":"customer","kinds":`+kinds+`,"where":{"field":"kind","op":"=","value":"person"}}]`)
		admin.want(201, admin.do("POST", "/approval-processes", `{"spec":{"name":"改备注","object":"customer","enabled":true,"whole":false,"own":"leave","once":false,"action":"update","fields":["note"],
			"for":[{"kind":"role","role":"member"}],"steps":[{"name":"经理","mode":"any","who":[{"kind":"user","user":"`+boss.me()+`"}]}]}}`))
		admin.want(200, admin.do("PATCH", "/stages/customer", `{"version":0,"spec":{"field":"source","stages":[{"key":"store","kind":"open","probability":10,"days":0},{"key":"other","kind":"lost","probability":0,"days":0}]}}`))
		rule := admin.rule("坏的", `{"object":"customer","trigger":{"kind":"changed","changes":[{"field":"occupation"}]},"steps":[{"id":"u","kind":"update","values":[{"field":"external_id","value":"X"}]}]}`)
		admin.create("customer", `{"name":"占用","external_id":"X"}`)
		c := member.create("customer", `{"name":"林","source":"store"}`)
		company := member.create("customer", `{"name":"公司","kind":"company","source":"store"}`)
		ask := func(v shownRecord, note string) request {
			return read[request](member, "POST", "/approvals", `{"object":"customer","action":"update","record":"`+v.ID+`","fields":{"note":"`+note+`"},"comment":"请批"}`, 201)
		}
		boss.decide(ask(c, "甲"), "approve", "好")
		member.want(200, member.do("POST", "/approvals/"+ask(company, "乙").ID+"/withdraw", `{}`))
		member.want(200, member.do("POST", "/approvals/"+ask(c, "丙").ID+"/withdraw", `{}`))
		admin.change(c, `{"source":"other"}`)
		admin.change(c, `{"occupation":"医生"}`)
		admin.runs(rule, "failed", 1)
		type told struct {
			Type string
			Data map[string]any
		}
		var got []told
		eventually(t, "the events", func() bool {
			got = nil
			for _, m := range receiver.all() {
				var v told
				if err := json.Unmarshal(m.raw, &v); err != nil {
					t.Fatal(err)
				}
				got = append(got, v)
			}
			return len(got) >= 8
		})
		types := []string{}
		for _, v := range got {
			types = append(types, v.Type)
			if v.Data["id"] != c.ID || v.Data["object"] != "customer" {
				t.Errorf("%+v", v)
			}
		}
		slices.Sort(types)
		if want := "[approval.applied approval.asked approval.asked approval.decided approval.withdrawn automation.failed stage.moved stage.moved]"; fmt.Sprint(types) != want {
			t.Errorf("%v, want %v", types, want)
		}
		for _, v := range got {
			switch v.Type {
			case "approval.asked":
				if v.Data["person"] != boss.me() || v.Data["request"].(map[string]any)["process"] != "改备注" {
					t.Errorf("%+v", v)
				}
			case "approval.decided":
				if v.Data["answer"] != "approved" || v.Data["comment"] != "好" || v.Data["by"].(map[string]any)["id"] != boss.me() {
					t.Errorf("%+v", v)
				}
			case "automation.failed":
				if v.Data["code"] != "record.unique_taken" || v.Data["automation"].(map[string]any)["name"] != "坏的" {
					t.Errorf("%+v", v)
				}
			case "stage.moved":
				if v.Data["to"] != "store" && (v.Data["from"] != "store" || v.Data["to"] != "other") {
					t.Errorf("%+v", v)
				}
			}
		}
	})
}
