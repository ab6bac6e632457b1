package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
)

// posted runs a test with a mail server on SQLite and, where there is one, on PostgreSQL.
func posted(t *testing.T, fn func(*testing.T, *site, *mailtest.Server)) {
	t.Helper()
	postedWith(t, app.Options{}, fn)
}

// postedWith is posted of programs with options.
func postedWith(t *testing.T, o app.Options, fn func(*testing.T, *site, *mailtest.Server)) {
	t.Helper()
	flags := map[string]string{"mail-networks": "127.0.0.0/8", "public-url": "https://crm.example.com"}
	start := func(t *testing.T, made func(o app.Options) *site) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{User: "robot", Password: "secret of the robot"})
		own := o
		own.MailRoots = server.Roots
		fn(t, made(own), server)
	}
	t.Run("sqlite", func(t *testing.T) {
		start(t, func(o app.Options) *site {
			o.Config = settings(t, flags)
			return prepare(t, open(t, o))
		})
	})
	t.Run("postgres", func(t *testing.T) {
		start(t, func(o app.Options) *site { return postgresSiteWith(t, o, flags) })
	})
}

// mailServer makes the standard mail server of a workspace.
func (c *client) mailServer(s *mailtest.Server) string {
	c.Helper()
	var p struct {
		ID string `json:"id"`
	}
	body := fmt.Sprintf(`{"name":"main","host":"127.0.0.1","port":%d,"security":"starttls","username":"robot","password":"secret of the robot","from_name":"Guanxi","from_address":"office@example.com"}`, s.Port)
	if err := c.want(201, c.do("POST", "/mail/profiles", body)).json(&p); err != nil {
		c.Fatal(err)
	}
	return p.ID
}

func TestMailServers(t *testing.T) {
	t.Parallel()
	posted(t, func(t *testing.T, s *site, server *mailtest.Server) {
		admin := s.as(access.Administrator)
		refused := admin.want(422, admin.do("POST", "/mail/profiles", `{"name":"","host":"10.1.2.3","port":0,"from_address":"nobody"}`))
		for _, field := range []string{"name", "host", "port", "from_address"} {
			if !strings.Contains(string(refused.body), `"`+field+`"`) {
				t.Errorf("no fault at %s: %s", field, refused.body)
			}
		}
		key := admin.mailServer(server)
		all := admin.want(200, admin.do("GET", "/mail/profiles", ""))
		if strings.Contains(string(all.body), "secret of the robot") {
			t.Error("the password is shown")
		}
		var test struct {
			OK    bool `json:"ok"`
			Steps []struct{ Name, Error, Reply string }
		}
		if err := admin.want(200, admin.do("POST", "/mail/profiles/"+key+"/test", `{"to":"me@example.org"}`)).json(&test); err != nil || !test.OK || len(test.Steps) != 8 {
			t.Errorf("test %+v %v", test, err)
		}
		if got := server.Wait(t, 1); got[0].To != "me@example.org" || !got[0].TLS {
			t.Errorf("the server got %+v", got)
		}
		server.Answers(func(command, _ string) string {
			if command == "RCPT" {
				return "550 5.1.1 <me@example.org> is unknown"
			}
			return ""
		})
		test.Steps = nil
		if err := admin.want(200, admin.do("POST", "/mail/profiles/"+key+"/test", `{"to":"me@example.org"}`)).json(&test); err != nil || test.OK {
			t.Errorf("test %+v %v", test, err)
		}
		if last := test.Steps[len(test.Steps)-1]; last.Name != "recipient" || last.Error != "address" || last.Reply != "550 5.1.1 <•••> is unknown" {
			t.Errorf("last step %+v", last)
		}
		var state struct {
			Ready, Reachable bool
			Address          string
		}
		member := s.as(access.Member)
		if err := member.want(200, member.do("GET", "/mail/state", "")).json(&state); err != nil || !state.Reachable || state.Address != "https://crm.example.com" {
			t.Errorf("state %+v %v", state, err)
		}
		admin.want(422, admin.do("PATCH", "/mail/settings", `{"address":"javascript:alert(1)"}`))
		if err := admin.want(200, admin.do("PATCH", "/mail/settings", `{"address":"https://other.example.com/"}`)).json(&state); err != nil || state.Address != "https://other.example.com" {
			t.Errorf("state %+v %v", state, err)
		}
		admin.want(200, admin.do("GET", "/mail/messages?state=waiting", ""))
		admin.want(200, admin.do("GET", "/mail/addresses", ""))
		admin.want(204, admin.do("DELETE", "/mail/profiles/"+key, ""))
		admin.want(404, admin.do("DELETE", "/mail/profiles/"+key, ""))
	})
}
