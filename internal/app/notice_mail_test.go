package app_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

var stopOf = regexp.MustCompile(`https://crm\.example\.com/stop#([A-Za-z0-9_.-]+)`)

// TestNotificationsByMail: by preference, under the rights of the person, with a link that stops them and a look that does not.
func TestNotificationsByMail(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		admin, member := s.as(access.Administrator), s.as(access.Member)
		admin.mailServer(server)
		me := read[struct {
			User struct{ ID, Email string }
		}](member, "GET", "/me", "", 200).User
		give := func(name string) string {
			return read[rec](admin, "POST", "/records/customer", `{"fields":{"kind":"person","name":"`+name+`","owner":"`+me.ID+`"}}`, 201).ID
		}
		one := give("王芳")
		got := server.Wait(t, 1)[0]
		if got.To != me.Email {
			t.Errorf("mailed to %s", got.To)
		}
		subject, text := plainOf(t, got)
		if !strings.Contains(subject, "王芳") || !strings.Contains(text, "https://crm.example.com/o/customer/"+one) {
			t.Errorf("mail %q %q", subject, text)
		}
		if !strings.Contains(got.Data, "List-Unsubscribe-Post: List-Unsubscribe=One-Click") {
			t.Error("programs cannot stop it")
		}
		found := stopOf.FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("no link that stops it: %q", text)
		}
		guest := s.client()
		if v := read[map[string]any](guest, "GET", "/mail/stop/"+found[1], "", 200); v["kind"] != "assigned" || strings.Contains(v["to"].(string), me.Email) {
			t.Errorf("the link: %v", v)
		}
		if p := read[struct{ Kinds map[string]string }](member, "GET", "/notifications/mail", "", 200); p.Kinds["assigned"] != "now" {
			t.Errorf("a look stopped it: %v", p)
		}
		guest.want(404, guest.do("POST", "/mail/stop/"+found[1]+"x", "{}"))
		// As mail programs do it (RFC 8058): a form, without cookies.
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/api/v1/mail/stop/"+found[1], strings.NewReader("List-Unsubscribe=One-Click"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		guest.want(200, guest.send(req))
		if p := read[struct{ Kinds map[string]string }](member, "GET", "/notifications/mail", "", 200); p.Kinds["assigned"] != "never" {
			t.Errorf("it was not stopped: %v", p)
		}
		two := give("李雷") // told in the interface alone
		admin.want(201, admin.do("POST", "/records/customer/"+two+"/comments", `{"body":"@[m](`+me.ID+`) 请看一下"}`))
		if subject, text = plainOf(t, server.Wait(t, 2)[1]); !strings.Contains(subject, "李雷") || !strings.Contains(text, "请看一下") { // what was told before it was looked at before it
			t.Errorf("mail %q %q", subject, text)
		}
		member.want(422, member.do("PATCH", "/notifications/mail", `{"kinds":{"assigned":"sometimes"}}`))
		member.want(422, member.do("PATCH", "/notifications/mail", `{"quiet":true,"from":"25:00","to":"08:00"}`))
		member.want(200, member.do("PATCH", "/notifications/mail", `{"kinds":{"assigned":"now"},"quiet":true,"from":"00:00","to":"23:59"}`))
		give("韩梅梅") // waits for the end of the quiet hours
		var page struct {
			Items []struct{ Kind, State, To string }
		}
		eventually(t, "the third mail waits", func() bool {
			return admin.want(200, admin.do("GET", "/mail/messages?state=waiting", "")).json(&page) == nil && len(page.Items) == 1
		})
		if v := page.Items[0]; v.Kind != "notice" || strings.Contains(v.To, me.Email) {
			t.Errorf("item %+v", v)
		}
		if n := len(server.Messages()); n != 2 {
			t.Errorf("%d mails", n)
		}
	})
}
