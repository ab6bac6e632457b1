package app_test

import (
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

func TestStages(t *testing.T) {
	t.Parallel()
	onBoth(t, stages)
}

type stagePath struct {
	Process *struct{ Version int }
	Stays   []struct {
		Stage  string
		LeftAt *string `json:"left_at"`
	}
}

// stages: ways and gates hold at every door, the stays of a record are kept, and what a stage does happens once.
func stages(t *testing.T, s *site) {
	admin, boss, member := s.as(access.Administrator), s.as(access.Manager), s.as(access.Member)
	before := member.create("customer", `{"name":"早就在","source":"store"}`)
	spec := `{"field":"source","stages":[
		{"key":"store","kind":"open","probability":10,"days":7,"to":["online_shop","other"],"exit":[{"kind":"set","field":"country","value":"离开了"}]},
		{"key":"online_shop","kind":"open","probability":50,"days":3,"fields":["note","industry"],"where":{"field":"kind","op":"=","value":"company"},"message":"只有企业能走到这里",
			"entry":[{"kind":"set","field":"occupation","value":"进入了"},{"kind":"task","text":"上门","days":2},{"kind":"notify","text":"看一下","user":"` + boss.me() + `"}]},
		{"key":"wechat","kind":"won","probability":100,"days":0,"task":true},
		{"key":"other","kind":"lost","probability":0,"days":0}]}`
	member.wantCode(403, "access.forbidden", member.do("PATCH", "/stages/customer", `{"version":0,"spec":`+spec+`}`))
	admin.wantCode(422, "stage.field", admin.do("PATCH", "/stages/customer", `{"version":0,"spec":{"field":"name","stages":[]}}`))
	admin.wantCode(422, "stage.option", admin.do("PATCH", "/stages/customer", `{"version":0,"spec":{"field":"source","stages":[{"key":"nowhere","kind":"open","probability":1,"days":0}]}}`))
	admin.want(200, admin.do("PATCH", "/stages/customer", `{"version":0,"spec":`+spec+`}`))
	admin.wantCode(412, "stage.stale", admin.do("PATCH", "/stages/customer", `{"version":0,"spec":`+spec+`}`))

	path := func(id string) stagePath {
		return read[stagePath](member, "GET", "/records/customer/"+id+"/stages", "", 200)
	}
	if p := path(before.ID); p.Process == nil || len(p.Stays) != 1 || p.Stays[0].Stage != "store" {
		t.Fatalf("%+v", p)
	}
	c := member.create("customer", `{"name":"新来的","source":"store"}`)
	eventually(t, "the first stay", func() bool { return len(path(c.ID).Stays) == 1 })
	at := "/records/customer/" + c.ID
	// Everything that is missing is told together.
	refused := member.with("If-Match", "*").do("PATCH", at, `{"fields":{"source":"online_shop"}}`)
	var told struct {
		Errors []struct{ Location, Code string }
	}
	if err := refused.json(&told); err != nil || refused.status != 422 || len(told.Errors) != 3 {
		t.Fatalf("%d %s", refused.status, refused.body)
	}
	member.wantCode(422, "stage.way_closed", member.with("If-Match", "*").do("PATCH", at, `{"fields":{"source":"wechat"}}`))
	member.want(422, member.do("POST", "/records/customer/batch", `{"atomic":true,"operations":[{"op":"update","id":"`+c.ID+`","fields":{"source":"online_shop"}}]}`))
	member.wantCode(422, "stage.condition_said", member.with("If-Match", "*").do("PATCH", at, `{"fields":{"source":"online_shop","note":"好","industry":"retail"}}`))
	c = member.change(c, `{"source":"online_shop","note":"好","industry":"retail","kind":"company"}`)
	eventually(t, "what the stage does", func() bool {
		now := read[shownRecord](member, "GET", at, "", 200)
		return now.Fields["occupation"] == "进入了" && now.Fields["country"] == "离开了"
	})
	tasks := func() int {
		return len(read[struct{ Items []rec }](member, "POST", "/records/task/query", `{"where":{"field":"subject","op":"=","value":"上门"}}`, 200).Items)
	}
	eventually(t, "the task of the stage", func() bool { return tasks() == 1 })
	boss.told("stage", 1)
	p := path(c.ID)
	if len(p.Stays) != 2 || p.Stays[0].LeftAt == nil || p.Stays[1].Stage != "online_shop" || p.Stays[1].LeftAt != nil {
		t.Errorf("%+v", p)
	}
	// A record under way goes by the version it entered its stage with; others by the new one.
	admin.want(200, admin.do("PATCH", "/stages/customer", `{"version":1,"spec":`+strings.Replace(spec, `"probability":50,"days":3`, `"probability":50,"days":3,"to":["other"]`, 1)+`}`))
	member.wantCode(422, "stage.task_needed", member.with("If-Match", "*").do("PATCH", at, `{"fields":{"source":"wechat"}}`))
	task := read[struct{ Items []shownRecord }](member, "POST", "/records/task/query", `{"where":{"field":"subject","op":"=","value":"上门"}}`, 200).Items[0]
	member.want(200, member.with("If-Match", "*").do("PATCH", "/records/task/"+task.ID, `{"fields":{"status":"done"}}`))
	member.want(200, member.with("If-Match", "*").do("PATCH", at, `{"fields":{"source":"wechat"}}`))
	eventually(t, "the won stay", func() bool { return len(path(c.ID).Stays) == 3 })
	if n := tasks(); n != 1 {
		t.Errorf("%d tasks", n)
	}
	report := read[struct {
		Stages []struct {
			Stage                        string
			Now, Entered, Advanced, Lost int
		}
	}](boss, "GET", "/stages/customer/report?days=30", "", 200)
	if st := report.Stages[0]; st.Stage != "store" || st.Now != 1 || st.Entered != 2 || st.Advanced != 1 {
		t.Errorf("%+v", report)
	}
	if st := report.Stages[2]; st.Now != 1 || st.Entered != 1 {
		t.Errorf("%+v", report)
	}
	// Agreement to a move is an approval.
	admin.want(201, admin.do("POST", "/approval-processes", `{"spec":{"name":"丢单","object":"customer","enabled":true,"action":"move","fields":["source"],"to":["other"],"whole":false,"own":"leave","once":false,"steps":[{"name":"一","mode":"any","who":[{"kind":"role","role":"manager"}]}]}}`))
	member.wantCode(409, "approval.needed", member.with("If-Match", "*").do("PATCH", "/records/customer/"+before.ID, `{"fields":{"source":"other"}}`))
	admin.want(204, admin.do("DELETE", "/stages/customer?version=2", ""))
	member.change(before, `{"source":"marketplace"}`)
}

// TestStageFiguresOpenTheirRecords: every figure of the report is the total of the list behind it, for whoever sees all and for whoever
// sees his own.
func TestStageFiguresOpenTheirRecords(t *testing.T) {
	t.Parallel()
	onBoth(t, stageFigures)
}

func stageFigures(t *testing.T, s *site) {
	admin, boss := s.as(access.Administrator), s.as(access.Manager)
	admin.want(200, admin.do("PATCH", "/stages/customer", `{"version":0,"spec":{"field":"source","stages":[{"key":"store","kind":"open","probability":10,"days":7},
		{"key":"online_shop","kind":"open","probability":50,"days":3},{"key":"wechat","kind":"won","probability":100,"days":0},{"key":"other","kind":"lost","probability":0,"days":0}]}}`))
	role := read[struct{ Key string }](admin, "POST", "/roles", `{"name":"自己的","rights":["report.read"],"objects":{"*":{"actions":{"read":{"scope":"own"},"create":{"scope":"own"},"update":{"scope":"own"}}}}}`, 201).Key
	admin.want(201, admin.do("POST", "/users", `{"email":"own@example.com","name":"own","role":"`+role+`","password":"`+password+`"}`))
	own := s.client()
	own.want(200, own.do("POST", "/session", `{"email":"own@example.com","password":"`+password+`"}`))

	// Each word is a record and the ways it takes; the last of them is in the bin.
	ways := []string{"store", "store online_shop", "store online_shop wechat", "store other", "store online_shop store", "store online_shop store other", "store wechat", "store online_shop"}
	owner := own.me()
	var last shownRecord
	n := 0
	for i, way := range ways {
		for j, stage := range strings.Fields(way) {
			if j == 0 {
				fields := `{"name":"记录","source":"` + stage + `"}`
				if i%2 == 0 {
					fields = `{"name":"记录","source":"` + stage + `","owner":"` + owner + `"}`
				}
				last = admin.create("customer", fields)
			} else {
				last = admin.change(last, `{"source":"`+stage+`"}`)
			}
			n = j + 1
		}
		eventually(t, "the stays", func() bool {
			return len(read[stagePath](admin, "GET", "/records/customer/"+last.ID+"/stages", "", 200).Stays) == n
		})
	}
	admin.want(204, admin.with("If-Match", "*").do("DELETE", "/records/customer/"+last.ID, ""))

	type figures struct {
		Stage                                             string
		Now, Entered, Still, Advanced, Lost, Ended, Stuck int
		Ways                                              []struct {
			To    string
			Count int
		}
	}
	look := func(c *client) map[string]figures {
		t.Helper()
		r := read[struct {
			From, To string
			Stages   []figures
		}](c, "GET", "/stages/customer/report?days=30", "", 200)
		out := map[string]figures{}
		for _, f := range r.Stages {
			out[f.Stage] = f
			list := func(figure, to string, want int) {
				t.Helper()
				p := read[struct {
					Items []struct {
						Record struct{ ID string }
						Next   string
					}
					Total int
				}](c, "GET", "/stages/customer/records?stage="+f.Stage+"&figure="+figure+"&to="+to+"&from="+r.From+"&until="+r.To+"&limit=500", "", 200)
				seen := map[string]bool{}
				for _, it := range p.Items {
					seen[it.Record.ID] = true
					if c.do("GET", "/records/customer/"+it.Record.ID, "").status != 200 {
						t.Errorf("%s %s lists what is not seen", f.Stage, figure)
					}
				}
				if p.Total != want || len(seen) != want {
					t.Errorf("%s %s %s: %d, of which %d listed; the figure is %d", f.Stage, figure, to, p.Total, len(seen), want)
				}
			}
			list("entered", "", f.Entered)
			list("still", "", f.Still)
			list("advanced", "", f.Advanced)
			list("lost", "", f.Lost)
			list("stuck", "", f.Stuck)
			sum := f.Still
			for _, w := range f.Ways {
				list("way", w.To, w.Count)
				sum += w.Count
			}
			if sum != f.Entered || f.Ended+f.Still != f.Entered {
				t.Errorf("%s: the ways do not make up the whole: %+v", f.Stage, f)
			}
			if n := read[struct{ Count int }](c, "POST", "/records/customer/count", `{"where":{"field":"source","op":"=","value":"`+f.Stage+`"}}`, 200).Count; n != f.Now {
				t.Errorf("%s: %d now, the list has %d", f.Stage, f.Now, n)
			}
		}
		return out
	}
	all := look(boss)
	if f := all["store"]; f.Entered != 7 || f.Now != 2 || f.Still != 2 || f.Advanced != 3 || f.Lost != 2 {
		t.Errorf("%+v", f)
	}
	if f := all["online_shop"]; f.Entered != 4 || f.Still != 1 || f.Advanced != 1 || f.Lost != 0 || len(f.Ways) != 2 {
		t.Errorf("%+v", f)
	}
	if f := look(own)["store"]; f.Entered != 4 {
		t.Errorf("whoever sees his own: %+v", f)
	}
	boss.wantCode(422, "api.bad_parameter", boss.do("GET", "/stages/customer/records?stage=store&figure=nothing", ""))
}
