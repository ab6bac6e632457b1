package app_test

import (
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestAssistantsAtWork: through a key that acts in somebody's name an assistant answers what that person is asked, hands it over and comments;
// merges and looks at rules go by the rights of the key. A key without the scope does none of it, and nobody answers through another's key.
func TestAssistantsAtWork(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin, member := s.as(access.Administrator), s.as(access.Member)
		admin.want(200, admin.do("PATCH", "/users/"+s.as(access.Manager).me(), `{"role":"administrator"}`)) // who makes keys
		boss := s.as(access.Manager)
		admin.want(201, admin.do("POST", "/approval-processes", `{"spec":{"name":"改备注","object":"customer","enabled":true,"whole":false,"own":"leave","once":false,"action":"update","fields":["note"],
			"for":[{"kind":"role","role":"member"}],"steps":[{"name":"经理","mode":"any","who":[{"kind":"user","user":"`+boss.me()+`"}]}]}}`))
		c := member.create("customer", `{"name":"林小满"}`)
		ask := func(note string) request {
			return read[request](member, "POST", "/approvals", `{"object":"customer","action":"update","record":"`+c.ID+`","fields":{"note":"`+note+`"}}`, 201)
		}
		bossKey := read[struct{ Key string }](admin, "POST", "/apikeys", `{"name":"没有","scopes":["write","act"]}`, 201).Key
		other := s.assistant(bossKey, "en") // of the administrator, who is asked nothing
		own := s.assistant(read[struct{ Key string }](boss, "POST", "/apikeys", `{"name":"助手","scopes":["write","act"]}`, 201).Key, "en")
		plain := s.assistant(admin.apiKey("write"), "en")
		if names := plain.toolNames(); names["decide_approval"] != nil || names["comment_on_record"] != nil || names["list_approvals"] == nil || names["list_automations"] != nil {
			t.Errorf("a key to write has %v", names)
		}
		plain.refused("auth.people_only", "decide_approval", map[string]any{"id": "apr_0", "answer": "approve"})

		first := ask("第一")
		var list struct{ Items []struct{ ID, State string } }
		if own.ok("list_approvals", map[string]any{"tab": "waiting"}, &list); len(list.Items) != 1 || list.Items[0].ID != first.ID {
			t.Fatalf("%+v", list)
		}
		other.refused("approval.not_asked", "decide_approval", map[string]any{"id": first.ID, "answer": "approve"})
		own.refused("approval.comment_needed", "decide_approval", map[string]any{"id": first.ID, "answer": "return"})
		if text := own.ok("decide_approval", map[string]any{"id": first.ID, "answer": "approve", "comment": "可以"}, nil); !strings.Contains(text, "applied") {
			t.Errorf("%s", text)
		}
		if now := read[request](member, "GET", "/approvals/"+first.ID, "", 200); now.State != "applied" || member.fields(c)["note"] != "第一" || !strings.Contains(now.kinds(), "approved") {
			t.Errorf("%+v", now)
		}
		second := ask("第二")
		own.ok("hand_over_approval", map[string]any{"id": second.ID, "person": admin.me(), "comment": "请看"}, nil)
		other.ok("decide_approval", map[string]any{"id": second.ID, "answer": "reject", "comment": "不行"}, nil)
		if now := read[request](member, "GET", "/approvals/"+second.ID, "", 200); now.State != "rejected" {
			t.Errorf("%+v", now)
		}

		plain.refused("talk.people_only", "comment_on_record", map[string]any{"object": "customer", "id": c.ID, "body": "?"})
		own.ok("comment_on_record", map[string]any{"object": "customer", "id": c.ID, "body": "@[成员](" + member.me() + ") 请跟进"}, nil)
		if text := own.ok("record_timeline", map[string]any{"object": "customer", "id": c.ID, "kinds": "comment"}, nil); !strings.Contains(text, "请跟进") {
			t.Errorf("%s", text)
		}
		if told := member.told("mentioned", 1).Items; len(told) == 0 {
			t.Error("nobody was told of the mention")
		}

		twin := member.create("customer", `{"name":"林小滿"}`)
		seen := own.ok("preview_merge", map[string]any{"object": "customer", "survivor": c.ID, "ids": []string{twin.ID}}, nil)
		if !strings.Contains(seen, "survivor") {
			t.Errorf("%s", seen)
		}
		var merged struct{ Merge string }
		own.ok("merge_records", map[string]any{"object": "customer", "survivor": c.ID, "ids": []string{twin.ID}}, &merged)
		own.ok("undo_merge", map[string]any{"object": "customer", "merge": merged.Merge}, nil)

		r := admin.rule("看", `{"object":"customer","trigger":{"kind":"created"},"steps":[{"id":"u","kind":"update","values":[{"field":"height_cm","value":170}]}]}`)
		admin.create("customer", `{"name":"新"}`)
		admin.runs(r, "done", 1)
		manager := s.assistant(admin.apiKey("admin"), "en")
		var rules struct{ Items []struct{ ID, Name string } }
		if manager.ok("list_automations", map[string]any{}, &rules); len(rules.Items) != 1 || rules.Items[0].Name != "看" {
			t.Errorf("%+v", rules)
		}
		var runs struct{ Items []struct{ ID, State string } }
		if manager.ok("automation_runs", map[string]any{"id": r.ID, "state": "done"}, &runs); len(runs.Items) != 1 {
			t.Errorf("%+v", runs)
		}
		manager.ok("automation_run", map[string]any{"id": r.ID, "run": runs.Items[0].ID}, nil)
		tried := manager.ok("try_automation", map[string]any{"record": c.ID, "definition": map[string]any{"object": "customer", "trigger": map[string]any{"kind": "manual"},
			"steps": []any{map[string]any{"id": "u", "kind": "update", "values": []any{map[string]any{"field": "height_cm", "value": 180}}}}}}, nil)
		if !strings.Contains(tried, "done") || member.fields(c)["height_cm"] != nil {
			t.Errorf("%s", tried)
		}
		own.refused("access.forbidden", "list_automations", map[string]any{})
	})
}
