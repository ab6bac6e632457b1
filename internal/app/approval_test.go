package app_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type request struct {
	ID, Name, State, Step, Title, Reason, Comment string
	Record                                        *struct{ ID, Title string }
	Visible, Mine, Asked, Stale                   bool
	Waiting                                       []struct{ ID, Title string }
	Changes                                       []struct {
		Field         string
		Before, After any
	}
	Steps []struct {
		Name, State string
		Tasks       []struct{ State, Comment string }
	}
	Events []struct{ Kind, Comment string }
}

type requests struct {
	Items      []request
	NextCursor *string `json:"next_cursor"`
}

func (r request) kinds() string {
	var out []string
	for _, e := range r.Events {
		out = append(out, e.Kind)
	}
	return strings.Join(out, " ")
}

func (c *client) asked() int {
	c.Helper()
	return read[struct{ Count int }](c, "GET", "/approvals/count", "", 200).Count
}

func (c *client) decide(r request, answer, comment string) request {
	c.Helper()
	return read[request](c, "POST", "/approvals/"+r.ID+"/decide", fmt.Sprintf(`{"answer":%q,"comment":%q}`, answer, comment), 200)
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	onBoth(t, approvals)
}

// approvals: a guarded change waits, is locked meanwhile, goes its way step by step, and is carried out once as it was agreed to.
func approvals(t *testing.T, s *site) {
	admin, boss, member := s.as(access.Administrator), s.as(access.Manager), s.as(access.Member)
	reader := s.as(access.ReadOnly)
	bossID, adminID := boss.me(), admin.me()
	spec := `{"name":"客户改名","object":"customer","enabled":true,"action":"update","fields":["name","level"],"whole":false,"own":"leave","once":true,
		"except":[{"kind":"role","role":"administrator"}],
		"steps":[{"name":"主管","mode":"any","who":[{"kind":"role","role":"manager"}]},
			{"name":"终审","mode":"all","who":[{"kind":"user","user":"` + adminID + `"}],"where":{"field":"name","op":"contains","value":"总"}}]}`
	member.wantCode(403, "access.forbidden", member.do("POST", "/approval-processes", `{"spec":`+spec+`}`))
	admin.wantCode(422, "approval.invalid", admin.do("POST", "/approval-processes", `{"spec":{"name":"","object":"customer","enabled":true,"action":"update","fields":["nothing"],"whole":false,"own":"leave","once":false,"steps":[]}}`))
	spec = strings.Replace(spec, `,"level"`, "", 1)
	process := read[struct {
		ID      string
		Version int
	}](admin, "POST", "/approval-processes", `{"spec":`+spec+`}`, 201)

	customer := member.create("customer", `{"name":"王小姐","phone":"13812341234"}`)
	at := "/records/customer/" + customer.ID
	// Every door is shut to the guarded field, and open to the others.
	member.wantCode(409, "approval.needed", member.with("If-Match", "*").do("PATCH", at, `{"fields":{"name":"王总"}}`))
	member.wantCode(409, "approval.needed", member.do("POST", "/records/customer/batch", `{"atomic":true,"operations":[{"op":"update","id":"`+customer.ID+`","version":1,"fields":{"name":"王总"}}]}`))
	member.change(customer, `{"note":"老客户"}`)
	admin.change(customer, `{"name":"王女士"}`) // excepted

	way := read[struct {
		Name  string
		Steps []struct {
			Name   string
			People []struct{ ID string }
		}
	}](member, "POST", "/approvals/preview", `{"object":"customer","action":"update","record":"`+customer.ID+`","fields":{"name":"王总"}}`, 200)
	if way.Name != "客户改名" || len(way.Steps) != 2 || len(way.Steps[0].People) != 1 || way.Steps[0].People[0].ID != bossID {
		t.Fatalf("%+v", way)
	}
	member.wantCode(409, "approval.not_needed", member.do("POST", "/approvals", `{"object":"customer","action":"update","record":"`+customer.ID+`","fields":{"note":"x"}}`))
	reader.wantCode(403, "record.forbidden", reader.do("POST", "/approvals", `{"object":"customer","action":"update","record":"`+customer.ID+`","fields":{"name":"x"}}`))
	propose := func(c *client, name string) request {
		return read[request](c, "POST", "/approvals", `{"object":"customer","action":"update","record":"`+customer.ID+`","fields":{"name":"`+name+`","phone":"13900001111"},"comment":"升职了"}`, 201)
	}
	r := propose(member, "王总")
	if r.State != "pending" || r.Step != "主管" || !r.Mine || len(r.Waiting) != 1 || len(r.Changes) != 2 {
		t.Fatalf("%+v", r)
	}
	for _, ch := range r.Changes {
		if ch.Field == "phone" && (ch.After != "139****1111" || ch.Before != "138****1234") {
			t.Errorf("a personal value is shown as %v, before %v", ch.After, ch.Before)
		}
		if ch.Field == "name" && (ch.Before != "王女士" || ch.After != "王总") {
			t.Errorf("%+v", ch)
		}
	}
	// Locked for everybody, also for whoever is excepted; twice the same is refused; other fields stay open.
	admin.wantCode(409, "approval.locked_field", admin.with("If-Match", "*").do("PATCH", at, `{"fields":{"name":"别名"}}`))
	admin.wantCode(409, "approval.locked", admin.with("If-Match", "*").do("DELETE", at, ""))
	member.wantCode(409, "approval.locked_field", member.do("POST", "/approvals", `{"object":"customer","action":"update","record":"`+customer.ID+`","fields":{"name":"再改"}}`))
	member.change(customer, `{"note":"很老的客户"}`)
	locks := read[struct {
		Locks []struct{ Fields []string }
		Items []request
	}](member, "GET", at+"/approvals", "", 200)
	if len(locks.Locks) != 1 || len(locks.Items) != 1 || strings.Join(locks.Locks[0].Fields, " ") != "name phone" {
		t.Errorf("%+v", locks)
	}

	if boss.asked() != 1 || admin.asked() != 0 || member.asked() != 0 {
		t.Fatal("somebody else is asked than should be")
	}
	boss.told("approval", 1)
	member.wantCode(403, "approval.not_asked", member.do("POST", "/approvals/"+r.ID+"/decide", `{"answer":"approve"}`))
	admin.wantCode(403, "approval.not_asked", admin.do("POST", "/approvals/"+r.ID+"/decide", `{"answer":"approve"}`))
	boss.wantCode(422, "approval.comment_needed", boss.do("POST", "/approvals/"+r.ID+"/decide", `{"answer":"return"}`))
	boss.decide(r, "return", "名字写全")
	r = read[request](member, "GET", "/approvals/"+r.ID, "", 200)
	if r.State != "returned" || boss.asked() != 0 {
		t.Fatalf("%+v", r)
	}
	admin.wantCode(409, "approval.locked_field", admin.with("If-Match", "*").do("PATCH", at, `{"fields":{"name":"别名"}}`))
	r = read[request](member, "POST", "/approvals/"+r.ID+"/resubmit", `{"fields":{"name":"王晓明总"},"comment":"好"}`, 200)
	if r.State != "pending" || r.Step != "主管" {
		t.Fatalf("%+v", r)
	}
	boss.decide(r, "approve", "可以")
	r = read[request](member, "GET", "/approvals/"+r.ID, "", 200)
	if r.Step != "终审" || admin.asked() != 1 {
		t.Fatalf("%+v", r)
	}
	// A new version of the process does not concern what is under way.
	read[rec](admin, "PATCH", "/approval-processes/"+process.ID, `{"version":1,"spec":`+strings.Replace(spec, `"客户改名"`, `"改名"`, 1)+`}`, 200)
	admin.wantCode(412, "approval.stale", admin.do("PATCH", "/approval-processes/"+process.ID, `{"version":1,"spec":`+spec+`}`))
	// Two answers at the same moment carry it out once.
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { admin.do("POST", "/approvals/"+r.ID+"/decide", `{"answer":"approve"}`) })
	}
	group.Wait()
	r = read[request](member, "GET", "/approvals/"+r.ID, "", 200)
	now := read[shownRecord](member, "GET", at, "", 200)
	if r.State != "applied" || now.Title != "王晓明总" || now.Fields["phone"] != "139****1111" {
		t.Fatalf("%+v %+v", r, now)
	}
	if want := "submitted returned resubmitted approved approved applied"; r.kinds() != want {
		t.Errorf("%s, want %s", r.kinds(), want)
	}
	history := read[struct {
		Items []struct {
			Op      string
			Changes []struct{ Field string }
		}
	}](member, "GET", at+"/history", "", 200)
	renamed := 0
	for _, h := range history.Items {
		for _, ch := range h.Changes {
			if ch.Field == "name" {
				renamed++
			}
		}
	}
	if renamed != 2 {
		t.Errorf("the name was changed %d times", renamed)
	}
	member.told("approval", 2) // returned, applied
	line := read[timelinePage](member, "GET", at+"/timeline?kinds=approval", "", 200)
	if len(line.Items) != 5 {
		t.Errorf("%d steps in the timeline", len(line.Items))
	}

	// Rejected: nothing changes, and what was proposed stays readable.
	r = propose(member, "张三")
	boss.decide(r, "reject", "不对")
	r = read[request](member, "GET", "/approvals/"+r.ID, "", 200)
	if r.State != "rejected" || len(r.Changes) != 2 || r.Steps[0].Tasks[0].Comment != "不对" {
		t.Errorf("%+v", r)
	}
	boss.wantCode(409, "approval.not_pending", boss.do("POST", "/approvals/"+r.ID+"/decide", `{"answer":"approve"}`))
	// Withdrawn: the lock is gone.
	r = propose(member, "李四")
	boss.wantCode(403, "approval.not_yours", boss.do("POST", "/approvals/"+r.ID+"/withdraw", `{}`))
	member.want(200, member.do("POST", "/approvals/"+r.ID+"/withdraw", `{}`))
	admin.change(customer, `{"name":"回来了"}`)
	// Handed over, and with somebody added.
	r = propose(member, "赵六")
	member.wantCode(403, "approval.not_asked", member.do("POST", "/approvals/"+r.ID+"/hand-over", `{"person":"`+adminID+`"}`))
	boss.wantCode(422, "approval.person_requester", boss.do("POST", "/approvals/"+r.ID+"/hand-over", `{"person":"`+member.me()+`"}`))
	r = read[request](boss, "POST", "/approvals/"+r.ID+"/add", `{"people":["`+adminID+`"],"when":"before","comment":"请先看"}`, 200)
	if boss.asked() != 0 || admin.asked() != 1 {
		t.Error("the added person does not come first")
	}
	admin.decide(r, "approve", "")
	if boss.asked() != 1 {
		t.Error("after the added person nobody is asked")
	}
	// Deputies answer for who is away, and not their own requests.
	boss.want(200, boss.do("PATCH", "/approvals/away", `{"deputy":"`+adminID+`"}`))
	if admin.asked() != 1 {
		t.Error("the deputy is not asked")
	}
	boss.want(200, boss.do("PATCH", "/approvals/away", `{"deputy":"`+member.me()+`"}`))
	member.wantCode(403, "approval.own_request", member.do("POST", "/approvals/"+r.ID+"/decide", `{"answer":"approve"}`))
	boss.want(200, boss.do("PATCH", "/approvals/away", `{"deputy":null}`))
	got := read[struct {
		Items []struct {
			State string
			Error *struct{ Type string }
		}
	}](boss, "POST", "/approvals/decide", `{"ids":["`+r.ID+`","apr_0000000000000"],"answer":"approve"}`, 200)
	if got.Items[0].State != "applied" || got.Items[1].Error == nil || got.Items[1].Error.Type != "approval.unknown" {
		t.Errorf("%+v", got)
	}
	// What changed since is not written over. The program itself is not held up by a lock.
	if n := read[requests](boss, "GET", "/approvals?tab=done", "", 200); len(n.Items) != 3 {
		t.Errorf("%d answered", len(n.Items))
	}
	if n := read[requests](member, "GET", "/approvals?tab=mine&limit=2", "", 200); len(n.Items) != 2 || n.NextCursor == nil {
		t.Errorf("%d mine", len(n.Items))
	}
	boss.wantCode(403, "access.forbidden", boss.do("GET", "/approvals?tab=all", ""))
	// A person who left can carry out nothing.
	r = propose(member, "钱七")
	admin.want(200, admin.do("PATCH", "/users/"+member.meOf(admin), `{"disabled":true}`))
	boss.decide(r, "approve", "")
	r = read[request](admin, "GET", "/approvals/"+r.ID, "", 200)
	if r.State != "failed" || r.Reason == "" {
		t.Errorf("%+v", r)
	}
}

// meOf finds the member among the people, by somebody who may.
func (c *client) meOf(by *client) string {
	c.Helper()
	for _, u := range read[struct{ Items []struct{ ID, Email string } }](by, "GET", "/users", "", 200).Items {
		if u.Email == "member@example.com" {
			return u.ID
		}
	}
	c.Fatal("no member")
	return ""
}

func TestApprovalsOfOtherWrites(t *testing.T) {
	t.Parallel()
	onBoth(t, approvalsOfOtherWrites)
}

// approvalsOfOtherWrites: making, deleting, moving and exporting; several processes; people by head and field.
func approvalsOfOtherWrites(t *testing.T, s *site) {
	admin, boss, member := s.as(access.Administrator), s.as(access.Manager), s.as(access.Member)
	make1 := func(body string) {
		t.Helper()
		admin.want(201, admin.do("POST", "/approval-processes", `{"spec":`+body+`}`))
	}
	top := read[rec](admin, "POST", "/org/units", `{"kind":"department","name":"总部","head":"`+admin.me()+`"}`, 201)
	read[rec](admin, "POST", "/org/units", `{"kind":"department","name":"销售","parent":"`+top.ID+`","head":"`+boss.me()+`","add":["`+member.me()+`"]}`, 201)
	rest := `,"enabled":true,"whole":false,"own":"leave","once":false`
	make1(`{"name":"新客户","object":"customer","action":"create"` + rest + `,"where":{"field":"note","op":"contains","value":"大"},"free":{"field":"note","op":"contains","value":"免"},
		"steps":[{"name":"逐级","mode":"sequence","who":[{"kind":"chain","level":2}]}]}`)
	make1(`{"name":"删除","object":"customer","action":"delete"` + rest + `,"for":[{"kind":"role","role":"manager"}],"steps":[{"name":"管理员","mode":"any","who":[{"kind":"user","user":"` + admin.me() + `"}]}]}`)
	make1(`{"name":"导出","object":"customer","action":"export"` + rest + `,"for":[{"kind":"role","role":"manager"}],"steps":[{"name":"管理员","mode":"any","who":[{"kind":"role","role":"administrator"}]}]}`)

	member.create("customer", `{"name":"小客户"}`)
	member.create("customer", `{"name":"免审","note":"大 免"}`)
	member.wantCode(409, "approval.needed", member.do("POST", "/records/customer", `{"fields":{"name":"大客户","note":"大"}}`))
	r := read[request](member, "POST", "/approvals", `{"object":"customer","action":"create","fields":{"name":"大客户","note":"大"}}`, 201)
	if boss.asked() != 1 || admin.asked() != 0 || r.Title != "大客户" {
		t.Fatalf("%+v", r)
	}
	boss.decide(r, "approve", "")
	if admin.asked() != 1 {
		t.Fatal("the chain ends early")
	}
	admin.decide(r, "approve", "")
	r = read[request](member, "GET", "/approvals/"+r.ID, "", 200)
	if r.State != "applied" || r.Record == nil || r.Record.Title != "大客户" {
		t.Fatalf("%+v", r)
	}
	made := read[shownRecord](member, "GET", "/records/customer/"+r.Record.ID, "", 200)
	if made.Fields["note"] != "大" {
		t.Errorf("%+v", made)
	}

	boss.wantCode(409, "approval.needed", boss.with("If-Match", "*").do("DELETE", "/records/customer/"+made.ID, ""))
	r = read[request](boss, "POST", "/approvals", `{"object":"customer","action":"delete","record":"`+made.ID+`"}`, 201)
	// The whole record is locked while its deletion waits.
	member.wantCode(409, "approval.locked", member.with("If-Match", "*").do("PATCH", "/records/customer/"+made.ID, `{"fields":{"note":"x"}}`))
	admin.decide(r, "approve", "")
	if gone := read[struct {
		DeletedAt *string `json:"deleted_at"`
	}](member, "GET", "/records/customer/"+made.ID, "", 200); gone.DeletedAt == nil {
		t.Error("not deleted")
	}

	boss.wantCode(409, "approval.needed", boss.do("POST", "/records/customer/exports", `{"format":"csv"}`))
	boss.wantCode(409, "approval.needed", boss.do("POST", "/records/customer/export", `{"format":"csv"}`))
	admin.want(202, admin.do("POST", "/records/customer/exports", `{"format":"csv"}`))
	r = read[request](boss, "POST", "/approvals/exports", `{"object":"customer","format":"csv","fields":["name"],"comment":"对账"}`, 201)
	admin.decide(r, "approve", "")
	done := read[struct{ State, Job string }](boss, "GET", "/approvals/"+r.ID, "", 200)
	if done.State != "applied" || done.Job == "" {
		t.Fatalf("%+v", done)
	}
	eventually(t, "the export", func() bool {
		return read[struct{ Status string }](boss, "GET", "/jobs/"+done.Job, "", 200).Status == "done"
	})
	boss.want(200, boss.do("GET", "/jobs/"+done.Job+"/file", ""))

	// A write that two processes guard is agreed to by both, one after the other.
	make1(`{"name":"改名","object":"customer","action":"update","fields":["name"]` + rest + `,"for":[{"kind":"role","role":"member"}],"steps":[{"name":"一","mode":"any","who":[{"kind":"role","role":"manager"}]}]}`)
	make1(`{"name":"改备注","object":"customer","action":"update","fields":["note"]` + rest + `,"for":[{"kind":"role","role":"member"}],"steps":[{"name":"二","mode":"any","who":[{"kind":"field","field":"owner"},{"kind":"role","role":"administrator"}]}]}`)
	c := member.create("customer", `{"name":"两道"}`)
	r = read[request](member, "POST", "/approvals", `{"object":"customer","action":"update","record":"`+c.ID+`","fields":{"name":"三道","note":"备注"}}`, 201)
	boss.decide(r, "approve", "")
	r = read[request](member, "GET", "/approvals/"+r.ID, "", 200)
	if r.State != "pending" || r.Name != "改备注" {
		t.Fatalf("%+v", r)
	}
	admin.decide(r, "approve", "")
	if now := read[shownRecord](member, "GET", "/records/customer/"+c.ID, "", 200); now.Title != "三道" || now.Fields["note"] != "备注" {
		t.Errorf("%+v", now)
	}
}
