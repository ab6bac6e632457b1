package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type churnRule struct {
	ID      string
	Version int64
	Results struct {
		Made, Open, Done, Other int
		DoneBack                int `json:"done_back"`
		OtherBack               int `json:"other_back"`
		Running                 int
	}
}

// TestChurnWarnings: a rule makes a task for each customer it is about, once, by its owner or else its person, no more than so many a day; a customer
// whose task is done rests. What customers say why they left is kept as records, and figures of the page hold where nobody was judged.
func TestChurnWarnings(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		clerk := s.as(access.ReadOnly)
		me := read[struct{ User struct{ ID string } }](admin, "GET", "/me", "", 200).User.ID
		one := admin.create("customer", `{"name":"王","occupation":"医生"}`)
		admin.create("customer", `{"name":"李","occupation":"教师"}`)
		body := func(most, more string) string {
			return `{"name":"回访","where":{"field":"occupation","op":"=","value":"医生"},"owner":true,"person":"` + me + `","due":3,"rest":30,"back":30,"most":` + most + more + `}`
		}
		tasks := func() int {
			return read[struct{ Count int }](admin, "POST", "/records/task/count", `{"where":{"field":"subject","op":"=","value":"回访"}}`, 200).Count
		}
		shown := func() churnRule {
			list := read[struct{ Items []churnRule }](admin, "GET", "/churn/rules", "", 200).Items
			if len(list) != 1 {
				t.Fatalf("%+v", list)
			}
			return list[0]
		}
		run := func(want int, what string) {
			t.Helper()
			admin.want(202, admin.do("POST", "/churn/run", ""))
			for {
				ran, err := s.app.Jobs().Step(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if !ran {
					break
				}
			}
			if made := shown().Results.Made; made != want {
				t.Errorf("%s: %d tasks", what, made)
			}
		}

		t.Run("rules", func(t *testing.T) {
			for text, code := range map[string]string{
				`{"name":"x","person":"` + me + `","due":1,"rest":1,"back":1,"most":1}`:                     "warning.everyone",
				`{"name":"x","risk":50,"person":"usr_1","due":1,"rest":1,"back":1,"most":1}`:                "warning.nobody",
				`{"name":"x","risk":50,"person":"` + me + `","due":1,"rest":1,"back":1,"most":9000}`:        "warning.bad_value",
				`{"name":"x","segment":"nowhere","person":"` + me + `","due":1,"rest":1,"back":1,"most":1}`: "query.unknown_segment",
			} {
				admin.wantCode(422, code, admin.do("POST", "/churn/rules", text))
			}
			clerk.want(403, clerk.do("POST", "/churn/rules", body("5", "")))
			p := read[struct{ Found, Now int }](admin, "POST", "/churn/rules/preview", body("5", ""), 200)
			if p.Found != 1 || p.Now != 1 {
				t.Errorf("preview %+v", p)
			}
		})
		admin.want(201, admin.do("POST", "/churn/rules", body("2", "")))
		run(1, "the first task")
		first := read[struct{ Items []shownRecord }](admin, "POST", "/records/task/query", `{"where":{"field":"subject","op":"=","value":"回访"},"limit":5}`, 200).Items
		if len(first) != 1 || !strings.Contains(fmt.Sprint(first[0].Fields["customer"]), one.ID) || !strings.Contains(fmt.Sprint(first[0].Fields["assignee"]), me) || first[0].Fields["priority"] != "high" {
			t.Fatalf("%+v", first)
		}
		for _, name := range []string{"赵", "钱"} {
			admin.create("customer", `{"name":"`+name+`","occupation":"医生"}`)
		}
		run(2, "the second task")
		run(2, "nothing more that day")
		if n := tasks(); n != 2 { // the first has one, and only two are made a day
			t.Errorf("%d tasks", n)
		}
		rule := shown()
		admin.want(200, admin.do("PATCH", "/churn/rules/"+rule.ID, body("9", `,"version":1`)))
		admin.wantCode(412, "warning.stale", admin.do("PATCH", "/churn/rules/"+rule.ID, body("9", `,"version":1`)))
		admin.change(first[0], `{"status":"done"}`)
		run(3, "the third task")
		if r := shown().Results; r.Made != 3 || r.Open != 2 || r.Done != 1 || r.Other != 2 || r.Running != 3 || tasks() != 3 {
			t.Errorf("results %+v, %d tasks", r, tasks())
		}
		admin.want(204, admin.do("DELETE", "/churn/rules/"+rule.ID, ""))
		if tasks() != 3 {
			t.Error("tasks went with their rule")
		}

		t.Run("said", func(t *testing.T) {
			admin.create("churn_reason", `{"customer":"`+one.ID+`","reason":"price","note":"别家便宜"}`)
			admin.want(422, admin.do("POST", "/records/churn_reason", `{"customer":"`+one.ID+`"}`))
			got := read[struct {
				Groups []struct {
					Values []any
					Count  int
				}
			}](admin, "POST", "/records/churn_reason/aggregate", `{"group_by":[{"field":"reason"}]}`, 200).Groups
			if len(got) != 1 || got[0].Count != 1 || got[0].Values[0] != "price" {
				t.Errorf("%+v", got)
			}
		})
		t.Run("nobody judged", func(t *testing.T) {
			o := read[struct {
				Ready bool
				Bands []struct{ Customers int }
				Risks []struct{ Customers int }
			}](admin, "GET", "/churn", "", 200)
			if o.Ready || len(o.Bands) != 4 || len(o.Risks) != 10 {
				t.Errorf("%+v", o)
			}
			v := read[struct {
				Groups []any
				P      *float64
			}](admin, "GET", "/churn/survival?by=value_tier", "", 200)
			if len(v.Groups) != 0 || v.P != nil {
				t.Errorf("%+v", v)
			}
			p := read[struct{ Active, Lost int }](admin, "POST", "/churn/preview", `{"options":{"definition":"days","days":90}}`, 200)
			if p.Active+p.Lost != 0 {
				t.Errorf("%+v", p)
			}
			admin.want(422, admin.do("POST", "/churn/preview", `{"options":{"days":0}}`))
		})
	})
}
