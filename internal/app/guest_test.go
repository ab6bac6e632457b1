package app_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

var calendarPart = regexp.MustCompile(`(?s)Content-Type: text/calendar; method=(\w+)[^\n]*\n\n(.*?)\n--`)

// calendarOf is the invitation in a mail, unfolded.
func calendarOf(t *testing.T, m mailtest.Message) string {
	t.Helper()
	found := calendarPart.FindStringSubmatch(strings.ReplaceAll(m.Data, "\r\n", "\n"))
	if found == nil {
		t.Fatalf("no calendar in %s", m.Data)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(found[2], "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), "\r\n ", "")
}

// TestGuests: guests are asked by mails that calendars understand, hear of changes under a higher sequence, and of the end.
func TestGuests(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		admin := s.as(access.Administrator)
		customer := read[rec](admin, "POST", "/records/customer", `{"fields":{"kind":"person","name":"王芳","email":"fang@example.org"}}`, 201)
		meeting := read[rec](admin, "POST", "/records/meeting", `{"fields":{"subject":"新品沟通","starts_at":"2026-12-01T02:00:00Z","ends_at":"2026-12-01T03:00:00Z","place":"二楼会议室"}}`, 201)
		path := "/meetings/" + meeting.ID
		type guest struct {
			ID, To, Answer          string
			Invited, Stale, Removed bool
		}
		first := read[guest](admin, "POST", path+"/guests", `{"object":"customer","record":"`+customer.ID+`"}`, 201)
		second := read[guest](admin, "POST", path+"/guests", `{"name":"李雷","email":"lei@example.org"}`, 201)
		admin.wantCode(409, "invite.guest_twice", admin.do("POST", path+"/guests", `{"email":"LEI@example.org"}`))
		admin.want(422, admin.do("POST", path+"/guests", `{"email":"lei"}`))
		admin.wantCode(409, "mail.no_server", admin.do("POST", path+"/invite", "{}"))
		admin.mailServer(server)
		count := func(want int) {
			t.Helper()
			if n := read[struct{ Count int }](admin, "POST", path+"/invite", "{}", 200).Count; n != want {
				t.Errorf("%d mails, want %d", n, want)
			}
		}
		count(2)
		count(0)
		got := server.Wait(t, 2)
		asked := calendarOf(t, got[0])
		for _, line := range []string{"METHOD:REQUEST\r\n", "SEQUENCE:0\r\n", "DTSTART:20261201T020000Z\r\n", "DTEND:20261201T030000Z\r\n", "SUMMARY:新品沟通\r\n", "LOCATION:二楼会议室\r\n", "mailto:" + got[0].To + "\r\n"} {
			if !strings.Contains(asked, line) {
				t.Errorf("no %q in %s", line, asked)
			}
		}
		admin.want(204, admin.do("PATCH", path+"/guests/"+second.ID, `{"answer":"accepted"}`))
		admin.want(422, admin.do("PATCH", path+"/guests/"+second.ID, `{"answer":"perhaps"}`))
		admin.want(200, admin.with("If-Match", `"1"`).do("PATCH", "/records/meeting/"+meeting.ID, `{"fields":{"starts_at":"2026-12-01T05:00:00Z","ends_at":"2026-12-01T06:00:00Z"}}`))
		count(2)
		if moved := calendarOf(t, server.Wait(t, 4)[2]); !strings.Contains(moved, "SEQUENCE:1\r\n") || !strings.Contains(moved, "DTSTART:20261201T050000Z\r\n") {
			t.Errorf("moved: %s", moved)
		}
		admin.want(204, admin.do("DELETE", path+"/guests/"+first.ID, ""))
		count(1)
		if off := calendarOf(t, server.Wait(t, 5)[4]); !strings.Contains(off, "METHOD:CANCEL\r\n") || !strings.Contains(off, "SEQUENCE:2\r\n") || !strings.Contains(off, "fang@example.org") {
			t.Errorf("taken off: %s", off)
		}
		list := read[struct {
			Items []guest
			Stale int
		}](admin, "GET", path+"/guests", "", 200)
		if len(list.Items) != 1 || list.Stale != 0 || list.Items[0].Answer != "" || !list.Items[0].Invited { // the answer was to another time
			t.Errorf("guests %+v", list)
		}
		reader := s.as(access.ReadOnly)
		reader.want(403, reader.do("POST", path+"/invite", "{}"))
	})
}
