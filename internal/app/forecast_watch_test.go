package app_test

import (
	"fmt"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestWatchNamesColleagues: a watch names who else is told; only people of the workspace, and only whoever may watch changes it.
func TestWatchNamesColleagues(t *testing.T) {
	t.Parallel()
	atWork(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		watch := read[struct{ ID string }](admin, "POST", "/forecast/watches", `{"figure":"orders","period":"day"}`, 201).ID
		people := map[string]string{}
		for _, u := range read[struct{ Items []struct{ ID, Name string } }](admin, "GET", "/users", "", 200).Items {
			people[u.Name] = u.ID
		}
		if got := admin.want(422, admin.do("PATCH", "/forecast/watches/"+watch, `{"told":["usr_nobody"]}`)); got.code() != "forecast.unknown_user" {
			t.Errorf("nobody is told: %s", got.body)
		}
		admin.want(204, admin.do("PATCH", "/forecast/watches/"+watch, fmt.Sprintf(`{"told":[%q,%q]}`, people["manager"], people["readonly"])))
		list := read[struct {
			Items []struct {
				By   struct{ Title string }
				Told []struct{ ID string }
			}
		}](admin, "GET", "/forecast/watches", "", 200).Items
		if len(list) != 1 || len(list[0].Told) != 2 || list[0].By.Title != "管理员" {
			t.Fatalf("the watch: %+v", list)
		}
		reader := s.as(access.ReadOnly)
		reader.want(403, reader.do("PATCH", "/forecast/watches/"+watch, `{"told":[]}`))
	})
}
