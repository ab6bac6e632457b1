package app_test

import (
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// A play of the company's own is counted while it is written, said on the customer, accepted once with a task for who looks after him, and not
// said to who asked not to be contacted.
func TestActions(t *testing.T) {
	t.Parallel()
	onBoth(t, actionScenario)
}

type offers struct {
	Offers []struct {
		Play, Kind string
		Gain       valueMoney
		Learned    bool
		Sentence   map[string]string
	}
	Full bool
	Past []struct{ Play, Pick, Reason string }
}

func (o offers) has(play string) bool {
	for _, x := range o.Offers {
		if x.Play == play {
			return true
		}
	}
	return false
}

func actionScenario(t *testing.T, s *site) {
	c := s.as(access.Manager)
	ids := map[string]string{}
	for name, more := range map[string]string{"甲": "", "乙": "", "勿扰": `,"do_not_contact":true`} {
		ids[name] = read[rec](c, "POST", "/records/customer", `{"fields":{"name":"`+name+`","kind":"person"`+more+`}}`, 201).ID
		c.want(201, c.do("POST", "/records/order", `{"fields":{"customer":"`+ids[name]+`","status":"completed","placed_at":"2026-10-01T04:00:00Z","net_amount":{"amount":"90","currency":"CNY"}}}`))
	}
	body := `{"label":{"zh-CN":"回访","en":"Call"},"what":{"zh-CN":"问问近况"},"on":true,"where":{"trait":"orders","op":">=","value":1},"kind":"task","due":2,"lift":0.5,"worth":"fixed","amount":100,"cost":8,"window":30,"rest":60}`
	type count struct{ Meant, Eligible int }
	eventually(t, "three bought, two may be contacted", func() bool {
		return read[count](c, "POST", "/actions/count", body, 200) == count{3, 2}
	})
	s.as(access.ReadOnly).want(403, s.as(access.ReadOnly).do("PATCH", "/actions/own", body))
	c.wantCode(422, "action.bad_key", c.do("PATCH", "/actions/Own", body))
	c.wantCode(422, "action.no_rule", c.do("PATCH", "/actions/own", strings.Replace(body, `"kind":"task"`, `"kind":"rule"`, 1)))
	read[struct{ Key string }](c, "PATCH", "/actions/own", body, 200)
	c.wantCode(412, "action.stale", c.do("PATCH", "/actions/own", strings.Replace(body, `{`, `{"version":9,`, 1)))

	got := read[offers](c, "GET", "/customers/"+ids["甲"]+"/actions", "", 200)
	if !got.has("own") || got.Offers[0].Play != "own" || got.Offers[0].Gain.Amount != "42.00" || got.Offers[0].Learned || got.Offers[0].Sentence["zh-CN"] == "" {
		t.Errorf("%+v", got)
	}
	if got := read[offers](c, "GET", "/customers/"+ids["勿扰"]+"/actions", "", 200); len(got.Offers) != 0 {
		t.Errorf("said to who asked not to be contacted: %+v", got)
	}
	take := func(who string) string {
		return `{"pick":"taken","items":[{"customer":"` + ids[who] + `","play":"own"}]}`
	}
	made := read[struct {
		Done  int
		Items []struct{ Task string }
	}](c, "POST", "/actions/decide", take("甲"), 200)
	if made.Done != 1 || made.Items[0].Task == "" {
		t.Fatalf("%+v", made)
	}
	task := read[struct{ Fields map[string]any }](c, "GET", "/records/task/"+made.Items[0].Task, "", 200)
	if task.Fields["subject"] != "回访" && task.Fields["subject"] != "Call" || task.Fields["customer"] == nil || task.Fields["due_at"] == nil {
		t.Errorf("%+v", task.Fields)
	}
	c.wantCode(409, "action.not_now", c.do("POST", "/actions/decide", take("甲")))
	c.wantCode(409, "action.not_now", c.do("POST", "/actions/decide", take("勿扰")))
	s.as(access.ReadOnly).want(403, s.as(access.ReadOnly).do("POST", "/actions/decide", take("乙")))
	if got := read[offers](c, "GET", "/customers/"+ids["甲"]+"/actions", "", 200); !got.Full || len(got.Past) != 1 || got.Past[0].Pick != "taken" {
		t.Errorf("%+v", got)
	}
	read[struct{ Done int }](c, "POST", "/actions/decide", `{"pick":"dismissed","reason":"不合适","items":[{"customer":"`+ids["乙"]+`","play":"own"}]}`, 200)
	if got := read[offers](c, "GET", "/customers/"+ids["乙"]+"/actions", "", 200); got.has("own") || got.Past[0].Reason != "不合适" {
		t.Errorf("%+v", got)
	}
	eventually(t, "the play's figures", func() bool {
		all := read[struct {
			Items []struct {
				Key    string
				Picked struct{ Taken, Dismissed int }
			}
		}](c, "GET", "/actions", "", 200)
		last := all.Items[len(all.Items)-1]
		return last.Key == "own" && last.Picked.Taken == 1 && last.Picked.Dismissed == 1
	})
	read[struct{ Items []any }](c, "GET", "/actions/work?mine=true", "", 200)
	c.want(204, c.do("DELETE", "/actions/own", ""))
	c.want(401, s.client().do("GET", "/actions", ""))
}
