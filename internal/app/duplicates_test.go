package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

func TestDuplicates(t *testing.T) {
	t.Parallel()
	onBoth(t, duplicates)
}

type matches struct {
	Blocked    bool
	Items      []match
	Type       string
	Duplicates []match
}

type match struct {
	Record  *rec
	Deleted bool
	Score   int
	Rule    string
	Reasons []struct {
		Field string
		Alike int
	}
}

func duplicates(t *testing.T, s *site) {
	c := s.as(access.Administrator)
	const first = `{"fields":{"name":"王小明","phone":"13812341234","email":"ming@example.com"}}`
	a := read[rec](c, "POST", "/records/customer", first, 201)
	same := `{"fields":{"name":"王晓明","phone":"138 1234 1234"}}`
	hint := read[matches](c, "POST", "/records/customer/duplicates", same, 200)
	if len(hint.Items) != 1 || hint.Items[0].Record == nil || hint.Items[0].Record.ID != a.ID || hint.Items[0].Rule != "phone_name" || hint.Blocked {
		t.Fatalf("%+v", hint)
	}
	if r := hint.Items[0].Reasons; len(r) != 2 || r[0].Alike != 100 || r[1].Alike >= 100 || r[1].Alike < 90 {
		t.Errorf("reasons %+v", r)
	}
	refused := read[matches](c, "POST", "/records/customer", same, 409)
	if refused.Type != "dedupe.warned" || len(refused.Duplicates) != 1 || refused.Duplicates[0].Record.ID != a.ID {
		t.Fatalf("%+v", refused)
	}
	c.wantCode(422, "api.bad_parameter", c.do("POST", "/records/customer?duplicates=perhaps", same))
	b := read[rec](c, "POST", "/records/customer?duplicates=allow", same, 201)

	banner := read[matches](c, "GET", "/records/customer/"+b.ID+"/duplicates", "", 200)
	if len(banner.Items) != 1 || banner.Items[0].Record.ID != a.ID {
		t.Fatalf("%+v", banner)
	}
	// An edit that makes it one is asked about; an edit of something else is not.
	other := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"王小明","phone":"13500000000"}}`, 201)
	c.wantCode(409, "dedupe.warned", c.with("If-Match", "*").do("PATCH", "/records/customer/"+other.ID, `{"fields":{"phone":"13812341234"}}`))
	c.want(200, c.with("If-Match", "*").do("PATCH", "/records/customer/"+other.ID, `{"fields":{"note":"x"}}`))

	// The search over everything finds the pair; told that it is none, it stays away.
	c.want(202, c.do("POST", "/duplicates/customer/search", ""))
	type groups struct {
		Total int
		Items []struct {
			ID      string
			Sure    bool
			Records []rec
		}
		Run struct {
			State   string
			Scanned int
		}
	}
	wait := func() (g groups) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
			if g = read[groups](c, "GET", "/duplicates/customer", "", 200); g.Run.State != "running" {
				return g
			}
		}
		t.Fatal("the search does not end")
		return g
	}
	g := wait()
	if g.Total != 1 || len(g.Items) != 1 || !g.Items[0].Sure || len(g.Items[0].Records) != 2 || g.Run.State != "done" || g.Run.Scanned != 3 {
		t.Fatalf("%+v", g)
	}
	c.want(200, c.do("POST", "/duplicates/customer/decide", `{"groups":["`+g.Items[0].ID+`"],"decision":"not_same"}`))
	c.want(202, c.do("POST", "/duplicates/customer/search", ""))
	if g = wait(); g.Total != 0 {
		t.Errorf("%+v", g)
	}
	if banner = read[matches](c, "GET", "/records/customer/"+b.ID+"/duplicates", "", 200); len(banner.Items) != 0 {
		t.Errorf("%+v", banner)
	}

	// Records in the recycle bin are found too.
	c.want(204, c.with("If-Match", "*").do("DELETE", "/records/customer/"+a.ID, ""))
	bin := read[matches](c, "POST", "/records/customer/duplicates", `{"fields":{"name":"王小明","email":"ming@example.com"}}`, 200)
	if len(bin.Items) != 1 || !bin.Items[0].Deleted || bin.Items[0].Record.ID != a.ID {
		t.Errorf("%+v", bin)
	}

	// A rule of one's own that blocks.
	rules := string(c.want(200, c.do("GET", "/duplicates/customer/rules", "")).body)
	if !strings.Contains(rules, `"phone_name"`) || !strings.Contains(rules, `"methods":["exact","person","company","text"]`) {
		t.Errorf("%s", rules)
	}
	rule := `{"key":"card","label":{"en":"Card","zh-CN":"卡号"},"enabled":true,"parts":[{"field":"occupation","method":"exact","needed":true,"least":100,"weight":1}],"threshold":100,"create":true,"import":true,"show":true,"bulk":true,"action":"block","sure":false}`
	try := read[struct{ Count, Scanned int }](c, "POST", "/duplicates/customer/rules/try", `{"rule":`+strings.Replace(rule, "occupation", "name", 1)+`}`, 200)
	if try.Count != 0 || try.Scanned != 2 {
		t.Errorf("%+v", try)
	}
	c.wantCode(422, "dedupe.not_selective", c.do("PATCH", "/duplicates/customer/rules", `{"version":0,"rules":[`+strings.Replace(rule, "occupation", "gender", 1)+`]}`))
	manager := s.as(access.Manager)
	if got := manager.do("PATCH", "/duplicates/customer/rules", `{"version":0,"rules":[`+rule+`]}`); got.status != 200 && got.status != 403 {
		t.Errorf("%d %s", got.status, got.body)
	} else if got.status == 403 {
		c.want(200, c.do("PATCH", "/duplicates/customer/rules", `{"version":0,"rules":[`+rule+`]}`))
	}
	c.wantCode(412, "dedupe.stale", c.do("PATCH", "/duplicates/customer/rules", `{"version":0,"rules":[]}`))
	c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"甲","occupation":"医生"}}`))
	blocked := c.want(409, c.do("POST", "/records/customer?duplicates=allow", `{"fields":{"name":"乙","occupation":"医生"}}`))
	if !strings.Contains(string(blocked.body), "dedupe.blocked") {
		t.Errorf("%s", blocked.body)
	}
}
