package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestCalendar: a calendar is read by its secret address alone, shows what its person has to do, and ends when it is told to, when
// another address is made, and with the person.
func TestCalendar(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		c, boss := s.as(access.Member), s.as(access.Administrator)
		at := time.Now().UTC().Add(24 * time.Hour).Truncate(time.Second)
		c.create("meeting", `{"subject":"年度合作复盘","starts_at":"`+at.Format(time.RFC3339)+`","ends_at":"`+at.Add(time.Hour).Format(time.RFC3339)+`","reminder":"15"}`)
		boss.create("meeting", `{"subject":"别人的会","starts_at":"`+at.Format(time.RFC3339)+`"}`)
		type state struct {
			Active bool
			URL    string
		}
		if read[state](c, "GET", "/calendar", "", 200).Active {
			t.Error("there is a calendar before anybody asked")
		}
		fetch := func(url string) (int, string) {
			res, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			a := s.client().send(res)
			return a.status, string(a.body)
		}
		first := read[state](c, "POST", "/calendar", `{}`, 201)
		status, body := fetch(first.URL)
		if status != 200 || !strings.Contains(body, "SUMMARY:年度合作复盘\r\n") || !strings.Contains(body, "DTSTART:"+at.Format("20060102T150405Z")) || strings.Contains(body, "别人的会") {
			t.Errorf("%d %s", status, body)
		}
		second := read[state](c, "POST", "/calendar", `{}`, 201)
		if status, _ := fetch(first.URL); status != 404 {
			t.Errorf("the old address answers %d", status)
		}
		if status, _ := fetch(second.URL); status != 200 {
			t.Errorf("the new address answers %d", status)
		}
		if status, _ := fetch(second.URL + "x"); status != 404 {
			t.Errorf("a wrong address answers %d", status)
		}
		boss.want(200, boss.do("PATCH", "/users/"+c.me(), `{"disabled":true}`))
		if status, _ := fetch(second.URL); status != 404 {
			t.Errorf("the address of somebody disabled answers %d", status)
		}
		mine := read[state](boss, "POST", "/calendar", `{}`, 201)
		boss.want(204, boss.do("DELETE", "/calendar", ""))
		if status, _ := fetch(mine.URL); status != 404 {
			t.Errorf("an ended address answers %d", status)
		}
	})
}
