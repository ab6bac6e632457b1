package app_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestTrail: the audit trail is searched, taken out as a file that no spreadsheet runs, and checked along its chain; who may not
// read it does none of that.
func TestTrail(t *testing.T) {
	t.Parallel()
	both(t, nil, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		r := read[rec](admin, "POST", "/records/customer", `{"fields":{"name":"甲","phone":"13912345678"}}`, 201)
		admin.want(200, admin.do("POST", "/records/customer/"+r.ID+"/reveal", `{"fields":["phone"]}`))
		type page struct {
			Items []struct{ Action, Object string }
		}
		for path, want := range map[string]int{
			"/audit?object=customer&record=" + r.ID + "&action=record.reveal": 1,
			"/audit?object=customer&from=2000-01-01&to=2001-01-01":            0,
			"/audit?object=customer&from=2026-01-01&action=record.":           1,
			"/audit?object=nothing": 0,
		} {
			if got := read[page](admin, "GET", path, "", 200).Items; len(got) != want {
				t.Errorf("%s gives %v", path, got)
			}
		}
		admin.wantCode(422, "api.bad_parameter", admin.do("GET", "/audit?from=yesterday", ""))
		type check struct {
			OK      bool
			Entries int
			Head    string
		}
		first := read[check](admin, "GET", "/audit/check", "", 200)
		if !first.OK || first.Entries == 0 || first.Head == "" {
			t.Errorf("the chain: %+v", first)
		}
		body := string(admin.want(200, admin.do("GET", "/audit/export?action=record.", "")).body)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][5] != "record.reveal" || rows[1][7] != r.ID || strings.Contains(body, "13912345678") {
			t.Errorf("%v %v", rows, err)
		}
		again := read[check](admin, "GET", "/audit/check?head="+first.Head, "", 200)
		if !again.OK || again.Entries <= first.Entries {
			t.Errorf("the chain after the export: %+v", again)
		}
		admin.wantCode(422, "auth.bad_head", admin.do("GET", "/audit/check?head=1", ""))
		member := s.as(access.Member)
		for _, path := range []string{"/audit", "/audit/check", "/audit/export"} {
			member.want(403, member.do("GET", path, ""))
		}
	})
}
