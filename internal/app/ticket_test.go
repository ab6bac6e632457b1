package app_test

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

// plainOf is the text of a mail as a person reads it.
func plainOf(t *testing.T, m mailtest.Message) (subject, text string) {
	t.Helper()
	msg, err := netmail.ReadMessage(strings.NewReader(m.Data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(msg.Body, params["boundary"]).NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil {
		t.Fatal(err)
	}
	return subject, string(raw)
}

var linkOf = regexp.MustCompile(`https://crm\.example\.com/link#([A-Za-z0-9_-]+)`)

// secretOf is the secret of the link in a mail.
func secretOf(t *testing.T, m mailtest.Message) string {
	t.Helper()
	_, text := plainOf(t, m)
	found := linkOf.FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no link in %q", text)
	}
	return found[1]
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		admin := s.as(access.Administrator)
		admin.wantCode(409, "mail.no_server", admin.do("POST", "/users/invite", `{"email":"li@example.org","role":"member"}`))
		admin.mailServer(server)
		admin.want(422, admin.do("POST", "/users/invite", `{"email":"li","role":"member"}`))
		admin.want(422, admin.do("POST", "/users/invite", `{"email":"li@example.org","role":"nobody"}`))
		u := read[struct {
			ID      string `json:"id"`
			Invited bool   `json:"invited"`
		}](admin, "POST", "/users/invite", `{"email":"li@example.org","name":"李雷","role":"member"}`, 201)
		if !u.Invited {
			t.Error("not invited")
		}
		admin.want(409, admin.do("POST", "/users/invite", `{"email":"LI@example.org","role":"member"}`))
		first := secretOf(t, server.Wait(t, 1)[0])
		admin.want(204, admin.do("POST", "/users/"+u.ID+"/invite", "{}"))
		second := secretOf(t, server.Wait(t, 2)[1])
		guest := s.client()
		guest.wantCode(404, "auth.ticket_over", guest.do("POST", "/tickets/look", `{"token":"`+first+`"}`)) // the newer one ended it
		info := read[map[string]any](guest, "POST", "/tickets/look", `{"token":"`+second+`"}`, 200)
		if info["kind"] != "invite" || info["email"] != "li@example.org" || info["name"] != "李雷" {
			t.Errorf("ticket %v", info)
		}
		guest.want(401, guest.do("POST", "/session", `{"email":"li@example.org","password":""}`))
		guest.want(422, guest.do("POST", "/tickets/use", `{"token":"`+second+`","password":"short"}`))
		guest.want(200, guest.do("POST", "/tickets/use", `{"token":"`+second+`","password":"a river of tea leaves","name":"李 雷"}`))
		guest.wantCode(404, "auth.ticket_over", guest.do("POST", "/tickets/use", `{"token":"`+second+`","password":"another river of tea"}`))
		guest.want(200, guest.do("POST", "/session", `{"email":"li@example.org","password":"a river of tea leaves"}`))
		if me := read[struct {
			User struct{ Name string }
		}](guest, "GET", "/me", "", 200); me.User.Name != "李 雷" {
			t.Errorf("me %+v", me)
		}
		if a := read[map[string]any](guest, "GET", "/me/address", "", 200); a["verified_at"] == nil {
			t.Errorf("address %v", a)
		}
		admin.wantCode(409, "auth.has_password", admin.do("POST", "/users/"+u.ID+"/invite", "{}"))
		member := s.as(access.Member)
		member.want(403, member.do("POST", "/users/invite", `{"email":"x@example.org","role":"administrator"}`))
	})
}

func TestPasswordByMail(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		admin, member := s.as(access.Administrator), s.as(access.Member)
		guest := s.client()
		if ways := read[struct{ Reset bool }](guest, "GET", "/session/ways", "", 200); ways.Reset {
			t.Error("a new password is offered without a mail server")
		}
		admin.mailServer(server)
		if ways := read[struct{ Reset bool }](guest, "GET", "/session/ways", "", 200); !ways.Reset {
			t.Error("no new password is offered")
		}
		who := read[struct {
			User struct{ Email string }
		}](member, "GET", "/me", "", 200).User.Email
		known := guest.do("POST", "/session/reset", `{"email":"`+who+`"}`)
		unknown := guest.do("POST", "/session/reset", `{"email":"nobody@example.org"}`)
		if known.status != unknown.status || string(known.body) != string(unknown.body) || known.status != 202 && known.status != 204 {
			t.Errorf("the answers differ: %d %s, %d %s", known.status, known.body, unknown.status, unknown.body)
		}
		token := secretOf(t, server.Wait(t, 1)[0])
		guest.want(200, guest.do("POST", "/tickets/use", `{"token":"`+token+`","password":"a river of tea leaves"}`))
		member.want(401, member.do("GET", "/me", "")) // every session ended
		guest.want(401, guest.do("POST", "/session", `{"email":"`+who+`","password":"`+password+`"}`))
		guest.want(200, guest.do("POST", "/session", `{"email":"`+who+`","password":"a river of tea leaves"}`))
		subject, text := plainOf(t, server.Wait(t, 2)[1])
		if !strings.Contains(text, who) || linkOf.MatchString(text) {
			t.Errorf("the news of it: %q %q", subject, text)
		}
		// A device that was not seen before is news; the same again is none.
		phone := s.client().with("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1")
		phone.want(200, phone.do("POST", "/session", `{"email":"`+who+`","password":"a river of tea leaves"}`))
		if _, text = plainOf(t, server.Wait(t, 3)[2]); !strings.Contains(text, "iPhone") || !strings.Contains(text, "127.0.0.1") {
			t.Errorf("the news of a device: %q", text)
		}
		phone.want(200, phone.do("POST", "/session", `{"email":"`+who+`","password":"a river of tea leaves"}`))
		for range 12 {
			if a := guest.do("POST", "/session/reset", `{"email":"`+who+`"}`); a.status == 429 {
				return
			}
		}
		t.Error("links are sent without end")
	})
}
