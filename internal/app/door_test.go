package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestNoDoorPassesAnApprovalOrAGate walks every way to write a record with an approval and a gate in it.
func TestNoDoorPassesAnApprovalOrAGate(t *testing.T) {
	t.Parallel()
	atWork(t, doors)
}

type doorJob struct {
	ID, Status string
	Result     struct{ Changed, Failed, Restored, Kept int }
	Sample     []struct{ Code, Message string } `json:"errors_sample"`
}

// job starts bulk work and waits for its end.
func (c *client) job(body string) doorJob {
	c.Helper()
	j := read[doorJob](c, "POST", "/records/customer/bulk", body, 202)
	return c.ended(j.ID)
}

func (c *client) ended(key string) (j doorJob) {
	c.Helper()
	eventually(c.T, "the job", func() bool {
		j = read[doorJob](c, "GET", "/jobs/"+key, "", 200)
		return j.Status == "done" || j.Status == "undone" || j.Status == "failed"
	})
	return j
}

func doors(t *testing.T, s *site) {
	admin, boss := s.as(access.Administrator), s.as(access.Manager)
	step := `"whole":false,"own":"leave","once":false,"steps":[{"name":"一","mode":"any","who":[{"kind":"user","user":"` + admin.me() + `"}]}]}}`
	for _, spec := range []string{
		`{"spec":{"name":"改备注","object":"customer","enabled":true,"action":"update","fields":["occupation"],"for":[{"kind":"role","role":"manager"}],` + step,
		`{"spec":{"name":"建黑名单","object":"customer","enabled":true,"action":"create","where":{"field":"occupation","op":"=","value":"黑"},"for":[{"kind":"role","role":"manager"}],` + step,
	} {
		admin.want(201, admin.do("POST", "/approval-processes", spec))
	}
	admin.want(200, admin.do("PATCH", "/stages/customer", `{"version":0,"spec":{"field":"source","stages":[
		{"key":"store","kind":"open","probability":10,"days":7,"to":["online_shop"]},
		{"key":"online_shop","kind":"open","probability":50,"days":3,"fields":["industry"]},{"key":"wechat","kind":"won","probability":100,"days":0}]}}`))
	one := func(name string) shownRecord {
		return boss.create("customer", `{"name":"`+name+`","source":"store","external_id":"`+name+`"}`)
	}
	untouched := func(what string, r shownRecord) {
		t.Helper()
		now := read[shownRecord](boss, "GET", "/records/customer/"+r.ID, "", 200)
		if now.Fields["occupation"] != r.Fields["occupation"] || now.Fields["source"] != "store" {
			t.Errorf("%s passed: %+v", what, now.Fields)
		}
	}
	a, b := one("door-a"), one("door-b")

	// Edited in place, alone and among others.
	boss.wantCode(409, "approval.needed", boss.with("If-Match", "*").do("PATCH", "/records/customer/"+a.ID, `{"fields":{"occupation":"x"}}`))
	boss.wantCode(422, "stage.field_needed", boss.with("If-Match", "*").do("PATCH", "/records/customer/"+a.ID, `{"fields":{"source":"online_shop"}}`))
	batch := read[struct {
		Results []struct {
			Error *struct{ Type string }
		}
	}](boss, "POST", "/records/customer/batch", `{"atomic":false,"operations":[{"op":"update","id":"`+a.ID+`","fields":{"occupation":"x"}},{"op":"update","id":"`+b.ID+`","fields":{"source":"wechat"}},
		{"op":"create","fields":{"name":"z","occupation":"黑"}},{"op":"update","id":"`+b.ID+`","fields":{"note":"ok"}}]}`, 200)
	for i, code := range []string{"approval.needed", "stage.way_closed", "approval.needed", ""} {
		if e := batch.Results[i].Error; (e == nil) != (code == "") || e != nil && e.Type != code {
			t.Errorf("operation %d: %+v, want %q", i, e, code)
		}
	}
	untouched("a batch", a)
	untouched("a batch", b)

	// Imported: the error file says why, row by row.
	im := boss.importFile("doors.csv", "外部编号,姓名,职业,来源\ndoor-a,door-a,律师,\ndoor-b,door-b,,网店\nnew-1,新一,黑,\nnew-2,新二,白,\n")
	why := string(boss.want(200, boss.do("GET", "/imports/"+im.ID+"/errors", "")).body)
	if im.Result.Errors != 3 || im.Result.Created != 1 {
		t.Errorf("imported %+v: %s", im, why)
	}
	for _, part := range []string{"改备注", "建黑名单", "door-a", "door-b", "new-1"} {
		if !strings.Contains(why, part) {
			t.Errorf("the error file lacks %s: %s", part, why)
		}
	}
	untouched("an import", a)
	untouched("an import", b)

	// Edited in bulk: the job says why, record by record.
	ids := `"ids":["` + a.ID + `","` + b.ID + `"]`
	j := boss.job(`{"action":"edit",` + ids + `,"changes":[{"field":"occupation","op":"set","value":"x"}]}`)
	if j.Result.Failed != 2 || j.Result.Changed != 0 || len(j.Sample) != 2 || j.Sample[0].Code != "approval.needed" || !strings.Contains(j.Sample[0].Message, "改备注") {
		t.Errorf("%+v", j)
	}
	j = boss.job(`{"action":"edit",` + ids + `,"changes":[{"field":"source","op":"set","value":"online_shop"}]}`)
	if j.Result.Failed != 2 || j.Sample[0].Code != "stage.field_needed" {
		t.Errorf("%+v", j)
	}
	untouched("a bulk edit", a)
	untouched("a bulk edit", b)

	// Taken back: what another person did with a job is guarded like any other change.
	free := boss.job(`{"action":"edit",` + ids + `,"changes":[{"field":"note","op":"set","value":"批量"}]}`)
	admin.want(201, admin.do("POST", "/approval-processes", `{"spec":{"name":"锁备注","object":"customer","enabled":true,"action":"update","fields":["note"],"for":[{"kind":"role","role":"manager"}],`+step))
	boss.want(200, boss.do("POST", "/jobs/"+free.ID+"/undo", `{}`))
	if j = boss.ended(free.ID); j.Result.Restored != 0 {
		t.Errorf("an undo passed: %+v", j)
	}
	if now := read[shownRecord](boss, "GET", "/records/customer/"+a.ID, "", 200); now.Fields["note"] != "批量" {
		t.Errorf("an undo passed: %v", now.Fields["note"])
	}

	// Merged: the survivor would take a guarded value, or go another way.
	c := admin.create("customer", `{"name":"door-c","occupation":"医生"}`)
	boss.wantCode(409, "approval.needed", boss.do("POST", "/records/customer/merge", `{"survivor":"`+a.ID+`","ids":["`+c.ID+`"]}`))
	d := admin.create("customer", `{"name":"door-d","source":"wechat"}`)
	boss.wantCode(422, "stage.way_closed", boss.do("POST", "/records/customer/merge", `{"survivor":"`+b.ID+`","ids":["`+d.ID+`"],"fields":{"source":"`+d.ID+`"}}`))
	untouched("a merge", a)
	untouched("a merge", b)

	// Deleted and restored, and an import taken back, where deleting needs agreement.
	admin.want(201, admin.do("POST", "/approval-processes", `{"spec":{"name":"删除","object":"customer","enabled":true,"action":"delete","for":[{"kind":"role","role":"manager"}],`+step))
	boss.wantCode(409, "approval.needed", boss.do("POST", "/records/customer/merge", `{"survivor":"`+a.ID+`","ids":["`+b.ID+`"]}`))
	if j = boss.job(`{"action":"delete",` + ids + `}`); j.Result.Failed != 2 || j.Sample[0].Code != "approval.needed" {
		t.Errorf("%+v", j)
	}
	boss.want(200, boss.do("POST", "/imports/"+im.ID+"/undo", ""))
	var undone struct {
		Status string
		Result struct{ Removed, Kept int }
	}
	eventually(t, "the undoing", func() bool {
		a := boss.want(200, boss.do("GET", "/imports/"+im.ID, ""))
		return a.json(&undone) == nil && undone.Status == "undone"
	})
	if undone.Result.Removed != 0 || undone.Result.Kept != 1 {
		t.Errorf("taking an import back removed what may not be deleted: %+v", undone)
	}
	admin.want(204, admin.with("If-Match", "*").do("DELETE", "/records/customer/"+a.ID, ""))
	back := read[shownRecord](boss, "POST", "/records/customer/"+a.ID+"/restore", "", 200)
	untouched("restoring", back)
	// While a request holds the whole record, no door opens either.
	r := read[request](boss, "POST", "/approvals", `{"object":"customer","action":"delete","record":"`+b.ID+`"}`, 201)
	if j = admin.job(`{"action":"edit","ids":["` + b.ID + `"],"changes":[{"field":"country","op":"set","value":"x"}]}`); j.Result.Failed != 1 || j.Sample[0].Code != "approval.locked" {
		t.Errorf("%+v", j)
	}
	admin.wantCode(409, "approval.locked", admin.do("POST", "/records/customer/merge", `{"survivor":"`+a.ID+`","ids":["`+b.ID+`"]}`))
	boss.want(200, boss.do("POST", "/approvals/"+r.ID+"/withdraw", `{}`))
}

// clockedOnBoth runs a test on programs whose clock it moves.
func clockedOnBoth(t *testing.T, fn func(*testing.T, *site, *clock.Fake)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		c := clock.NewFake(time.Now())
		fn(t, prepare(t, open(t, app.Options{Config: settings(t, nil), Clock: c})), c)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		c := clock.NewFake(time.Now())
		fn(t, postgresSite(t, app.Options{Clock: c}), c)
	})
}

// TestWhatHappensByTime: requests that nobody answers are told of again, go to others, or end; records leave stages by themselves. Each
// once, and not when somebody was faster or a request holds the record.
func TestWhatHappensByTime(t *testing.T) {
	t.Parallel()
	clockedOnBoth(t, byTime)
}

func byTime(t *testing.T, s *site, c *clock.Fake) {
	admin, boss, member := s.as(access.Administrator), s.as(access.Manager), s.as(access.Member)
	for field, late := range map[string]string{"occupation": "remind", "industry": "escalate", "note": "approve", "country": "reject"} {
		admin.want(201, admin.do("POST", "/approval-processes", `{"spec":{"name":"`+late+`","object":"customer","enabled":true,"action":"update","fields":["`+field+`"],"whole":false,"own":"leave","once":false,
			"steps":[{"name":"一","mode":"any","hours":2,"late":"`+late+`","who":[{"kind":"user","user":"`+boss.me()+`"}],"escalate":[{"kind":"user","user":"`+admin.me()+`"}]}]}}`))
	}
	rec := member.create("customer", `{"name":"等"}`)
	open := map[string]request{}
	for field, value := range map[string]string{"occupation": `"a"`, "industry": `"retail"`, "note": `"c"`, "country": `"d"`} {
		open[field] = read[request](member, "POST", "/approvals", `{"object":"customer","action":"update","record":"`+rec.ID+`","fields":{"`+field+`":`+value+`}}`, 201)
	}
	state := func(field string) request { return read[request](member, "GET", "/approvals/"+open[field].ID, "", 200) }
	c.Advance(90 * time.Minute)
	for field := range open {
		if r := state(field); r.State != "pending" {
			t.Errorf("%s ended early: %+v", field, r)
		}
	}
	// A minute at a time, so that whatever waits on the clock comes round.
	for range 90 {
		c.Advance(time.Minute)
	}
	eventually(t, "the end of what ends by itself", func() bool {
		c.Advance(10 * time.Second)
		return state("note").State == "applied" && state("country").State == "rejected" && admin.asked() == 1
	})
	now := read[shownRecord](member, "GET", "/records/customer/"+rec.ID, "", 200)
	if now.Fields["note"] != "c" || now.Fields["country"] == "d" {
		t.Errorf("%+v", now.Fields)
	}
	for field, want := range map[string]string{"note": "submitted expired applied", "country": "submitted expired"} {
		if r := state(field); !strings.HasPrefix(r.kinds(), want) || strings.Count(r.kinds(), "expired") != 1 {
			t.Errorf("%s: %s", field, r.kinds())
		}
	}
	if r := state("industry"); r.State != "pending" {
		t.Errorf("%+v", r)
	}
	boss.wantCode(403, "approval.not_asked", boss.do("POST", "/approvals/"+open["industry"].ID+"/decide", `{"answer":"approve"}`))
	if r := admin.decide(open["industry"], "approve", ""); r.State != "applied" {
		t.Errorf("%+v", r)
	}
	if r := boss.decide(open["occupation"], "approve", ""); r.State != "applied" {
		t.Errorf("%+v", r)
	}

	// Stages.
	admin.want(200, admin.do("PATCH", "/stages/customer", `{"version":0,"spec":{"field":"source","stages":[
		{"key":"store","kind":"open","probability":10,"days":7,"hours":24,"next":"other"},{"key":"online_shop","kind":"open","probability":50,"days":3},
		{"key":"other","kind":"lost","probability":0,"days":0}]}}`))
	stays, faster, held := member.create("customer", `{"name":"留","source":"store"}`), member.create("customer", `{"name":"快","source":"store"}`), member.create("customer", `{"name":"锁","source":"store"}`)
	path := func(r shownRecord) stagePath {
		return read[stagePath](member, "GET", "/records/customer/"+r.ID+"/stages", "", 200)
	}
	eventually(t, "the first stays", func() bool {
		c.Advance(time.Second)
		return len(path(stays).Stays) == 1 && len(path(faster).Stays) == 1 && len(path(held).Stays) == 1
	})
	admin.want(201, admin.do("POST", "/approval-processes", `{"spec":{"name":"换来源","object":"customer","enabled":true,"action":"move","fields":["source"],"whole":false,"own":"leave","once":false,
		"steps":[{"name":"一","mode":"any","who":[{"kind":"user","user":"`+boss.me()+`"}]}]}}`))
	r := read[request](member, "POST", "/approvals", `{"object":"customer","action":"update","record":"`+held.ID+`","fields":{"source":"online_shop"}}`, 201)
	admin.want(200, admin.do("PATCH", "/approval-processes/"+s.process(admin, "换来源"), `{"version":1,"spec":{"name":"换来源","object":"customer","enabled":false,"action":"move","fields":["source"],"whole":false,"own":"leave","once":false,
		"steps":[{"name":"一","mode":"any","who":[{"kind":"user","user":"`+boss.me()+`"}]}]}}`))
	c.Advance(24*time.Hour - time.Minute)
	boss, member = s.as(access.Manager), s.as(access.Member) // sessions have ended meanwhile
	member.change(faster, `{"source":"online_shop"}`)
	source := func(r shownRecord) any {
		return read[shownRecord](member, "GET", "/records/customer/"+r.ID, "", 200).Fields["source"]
	}
	if got := source(stays); got != "store" {
		t.Fatalf("left early for %v", got)
	}
	eventually(t, "the move by time", func() bool {
		c.Advance(30 * time.Second)
		return source(stays) == "other" && len(path(stays).Stays) == 2
	})
	if got := source(faster); got != "online_shop" {
		t.Errorf("whoever was faster was moved to %v", got)
	}
	if got := source(held); got != "store" {
		t.Errorf("what a request holds was moved to %v", got)
	}
	if got := boss.decide(r, "approve", ""); got.State != "applied" || source(held) != "online_shop" {
		t.Errorf("%+v", got)
	}
	for range 150 {
		c.Advance(time.Minute)
	}
	eventually(t, "the stays", func() bool { return len(path(held).Stays) == 2 })
	if source(held) != "online_shop" || source(stays) != "other" || len(path(faster).Stays) != 2 {
		t.Errorf("%v %v %+v", source(held), source(stays), path(faster))
	}
}

// process is the id of a process by its name.
func (s *site) process(c *client, name string) string {
	s.Helper()
	for _, p := range read[struct {
		Items []struct {
			ID   string
			Spec struct{ Name string }
		}
	}](c, "GET", "/approval-processes", "", 200).Items {
		if p.Spec.Name == name {
			return p.ID
		}
	}
	s.Fatalf("no process %s", name)
	return ""
}
