package app_test

import (
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

// TestLetterToACustomer: it goes to an address that the writer does not see, once, with the values of the record, and is kept on
// the timeline; who asks not to be contacted is not written to.
func TestLetterToACustomer(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		admin, member := s.as(access.Administrator), s.as(access.Member)
		customer := read[rec](admin, "POST", "/records/customer", `{"fields":{"kind":"person","name":"王芳","email":"fang@example.org"}}`, 201)
		path := "/records/customer/" + customer.ID + "/letters"
		type desk struct {
			Addresses []struct{ Field, Shown string }
			Quiet     bool
			Ready     bool
		}
		if d := read[desk](member, "GET", path, "", 200); d.Ready || len(d.Addresses) != 1 || strings.Contains(d.Addresses[0].Shown, "fang@") {
			t.Errorf("desk %+v", d)
		}
		admin.mailServer(server)
		body := `{"key":"0123-abcdef","field":"email","subject":"{{name}}，您好","text":"亲爱的{{name}}：\n来自{{country|本地}}的问候。"}`
		sent := read[struct {
			ID    string `json:"id"`
			Fresh bool   `json:"fresh"`
		}](member, "POST", path, body, 201)
		again := read[struct {
			ID    string `json:"id"`
			Fresh bool   `json:"fresh"`
		}](member, "POST", path, body, 201)
		if !sent.Fresh || again.Fresh || again.ID != sent.ID {
			t.Errorf("sent %+v, again %+v", sent, again)
		}
		got := server.Wait(t, 1)[0]
		subject, text := plainOf(t, got)
		if got.To != "fang@example.org" || subject != "王芳，您好" || !strings.Contains(text, "来自本地的问候") {
			t.Errorf("mail to %s: %q %q", got.To, subject, text)
		}
		if strings.Contains(got.Data, "Auto-Submitted") || !strings.Contains(got.Data, "Reply-To: ") {
			t.Error("it does not look as if a person wrote it")
		}
		var line struct {
			Items []struct {
				Kind   string
				Letter *struct{ To, Subject, Text, State string }
			}
		}
		eventually(t, "the timeline shows it as sent", func() bool {
			a := member.want(200, member.do("GET", "/records/customer/"+customer.ID+"/timeline?kinds=letter", ""))
			return a.json(&line) == nil && len(line.Items) == 1 && line.Items[0].Letter != nil && line.Items[0].Letter.State == "sent"
		})
		if l := line.Items[0].Letter; l.Subject != "王芳，您好" || strings.Contains(l.To, "fang@") {
			t.Errorf("letter %+v", l)
		}
		for code, bad := range map[string]string{
			"letter.bad_subject":    `{"key":"0123-abcdeg","field":"email","subject":" ","text":"x"}`,
			"letter.unknown_field":  `{"key":"0123-abcdeg","field":"email","subject":"s","text":"{{shoe_colour}}"}`,
			"letter.personal_field": `{"key":"0123-abcdeg","field":"email","subject":"s","text":"{{phone}}"}`,
			"letter.no_address":     `{"key":"0123-abcdeg","field":"phone","subject":"s","text":"x"}`,
		} {
			if a := member.want(422, member.do("POST", path, bad)); !strings.Contains(string(a.body), code) {
				t.Errorf("%s: %.300s", code, a.body)
			}
		}
		reader := s.as(access.ReadOnly)
		reader.want(403, reader.do("POST", path, body))
		admin.want(200, admin.with("If-Match", `"1"`).do("PATCH", "/records/customer/"+customer.ID, `{"fields":{"do_not_contact":true}}`))
		member.wantCode(409, "letter.quiet", member.do("POST", path, `{"key":"0123-abcdeg","field":"email","subject":"s","text":"x"}`))
		if n := len(server.Messages()); n != 1 {
			t.Errorf("%d mails", n)
		}
	})
}
