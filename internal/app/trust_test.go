package app_test

import (
	"encoding/base32"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// trustSite is a site whose clock the test moves; it starts at the present, because browsers drop what has ended.
func trustSite(t *testing.T) (*site, *clock.Fake) {
	t.Helper()
	c := clock.NewFake(time.Now())
	return prepare(t, open(t, app.Options{Config: settings(t, nil), Clock: c})), c
}

type meAnswer struct {
	Stage string
	CSRF  string
	Role  string
	User  *struct {
		Email             string
		SecondFactor      *bool `json:"second_factor"`
		TemporaryPassword *bool `json:"temporary_password"`
	}
	Can map[string]bool
}

type enrolment struct{ Secret, URI, QR string }

// shows is what an authenticator with the secret shows now.
func shows(t *testing.T, c *clock.Fake, secret string) string {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	return auth.Code(raw, auth.Step(c.Now()), auth.CodeDigits)
}

// enrol turns a second factor on for whoever c is.
func enrol(c *client, clock *clock.Fake) (secret string, codes []string) {
	c.Helper()
	e := read[enrolment](c, "POST", "/me/factor", `{"password":"`+password+`"}`, 200)
	var done struct {
		Codes []string
		Me    meAnswer
	}
	a := c.want(200, c.do("POST", "/me/factor/confirm", `{"code":"`+shows(c.T, clock, e.Secret)+`"}`))
	if err := a.json(&done); err != nil || len(done.Codes) != 10 || done.Me.Stage != "" {
		c.Fatalf("%v %s", err, a.body)
	}
	c.csrf = done.Me.CSRF
	return e.Secret, done.Codes
}

// TestAPendingSessionMayOnlyGoOn walks the table with a session at each stage: what is not marked for the stage is refused.
func TestAPendingSessionMayOnlyGoOn(t *testing.T) {
	t.Parallel()
	s, clock := trustSite(t)
	admin := s.as(access.Administrator)
	enrol(s.as(access.Manager), clock)
	admin.want(201, admin.do("POST", "/users", `{"email":"new@example.com","role":"administrator","password":"`+password+`","temporary":true}`))
	admin.want(200, admin.do("PATCH", "/security", `{"factor_roles":["member","readonly"]}`))
	for stage, email := range map[string]string{"code": "manager@example.com", "password": "new@example.com", "enrol": "member@example.com"} {
		c := s.client()
		me := read[meAnswer](c, "POST", "/session", `{"email":"`+email+`","password":"`+password+`"}`, 200)
		if me.Stage != stage || me.User != nil || me.Role != "" || len(me.Can) != 0 {
			t.Fatalf("%s: %+v", stage, me)
		}
		allowed := 0
		for _, r := range s.app.Routes() {
			if r.Need == "open" {
				continue
			}
			name := r.Method + " " + r.Path + " at " + stage
			if slices.Contains(r.Stages, stage) {
				allowed++
				continue
			}
			body := ""
			if r.Method != http.MethodGet {
				body = "{}"
			}
			if got := c.do(r.Method, fill(r.Path), body); got.status != 403 || got.code() != "auth.step_pending" {
				t.Errorf("%s: %d %s", name, got.status, got.code())
			}
		}
		if allowed < 3 || allowed > 9 {
			t.Errorf("%d routes serve a session at %s", allowed, stage)
		}
		if got := read[meAnswer](c, "GET", "/me", "", 200); got.Stage != stage || got.User != nil {
			t.Errorf("/me at %s: %+v", stage, got)
		}
	}
}

func TestTwoStepSignIn(t *testing.T) {
	t.Parallel()
	s, clock := trustSite(t)
	c, elsewhere := s.as(access.Member), s.as(access.Member)
	c.wantCode(422, "auth.current_password_wrong", c.do("POST", "/me/factor", `{"password":"guess guess"}`))
	e := read[enrolment](c, "POST", "/me/factor", `{"password":"`+password+`"}`, 200)
	picture, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(e.QR, "data:image/svg+xml;base64,"))
	if err != nil || !strings.HasPrefix(string(picture), "<svg ") || len(picture) < 2000 || !strings.HasPrefix(e.URI, "otpauth://totp/%E9%94%A6%E4%B9%A6:member@example.com?") {
		t.Fatalf("%v %.80s %s", err, picture, e.URI)
	}
	secret, codes := enrol(c, clock)
	elsewhere.wantCode(401, "auth.session_ended", elsewhere.do("GET", "/me", ""))

	clock.Advance(time.Minute)
	d := s.client()
	if me := read[meAnswer](d, "POST", "/session", `{"email":"member@example.com","password":"`+password+`"}`, 200); me.Stage != "code" {
		t.Fatalf("%+v", me)
	}
	d.wantCode(403, "auth.step_pending", d.do("GET", "/records/customer", ""))
	d.want(422, d.do("POST", "/session/code", `{"code":"abcdef"}`))
	code := `{"code":"` + shows(t, clock, secret) + `"}`
	me := read[meAnswer](d, "POST", "/session/code", code, 200)
	if me.Stage != "" || me.User == nil || me.User.SecondFactor == nil || !*me.User.SecondFactor || !me.Can["record.read"] {
		t.Fatalf("%+v", me)
	}
	d.want(200, d.do("GET", "/records/customer", ""))
	d.wantCode(409, "auth.step_over", d.do("POST", "/session/code", code))

	r := s.client() // the same code a second time, then a recovery code
	r.want(200, r.do("POST", "/session", `{"email":"member@example.com","password":"`+password+`"}`))
	if got := r.want(422, r.do("POST", "/session/code", code)); !strings.Contains(string(got.body), "auth.code_used") {
		t.Fatalf("%s", got.body)
	}
	r.want(200, r.do("POST", "/session/code", `{"code":"`+codes[0]+`"}`))
	state := read[struct {
		On            bool
		RecoveryCodes int `json:"recovery_codes"`
	}](r, "GET", "/me/factor", "", 200)
	if !state.On || state.RecoveryCodes != 9 {
		t.Fatalf("%+v", state)
	}

	type session struct {
		ID      string
		Current bool
		Address string
		Device  struct{ Browser string }
	}
	list := read[struct{ Items []session }](r, "GET", "/me/sessions", "", 200).Items
	if len(list) != 3 || list[slices.IndexFunc(list, func(x session) bool { return x.Current })].Device.Browser != "Go" {
		t.Fatalf("%+v", list)
	}
	r.want(200, r.do("DELETE", "/me/sessions", ""))
	d.wantCode(401, "auth.session_ended", d.do("GET", "/me", ""))
	r.wantCode(404, "auth.session_unknown", r.do("DELETE", "/me/sessions/"+list[0].ID[:10], ""))

	tries := read[struct{ Items []struct{ Outcome string } }](r, "GET", "/me/sign-ins", "", 200).Items
	var words []string
	for _, x := range tries {
		words = append(words, x.Outcome)
	}
	if got := strings.Join(words, " "); got != "ok wrong_code ok wrong_code ok ok" {
		t.Fatal(got)
	}
	clock.Advance(time.Minute)
	r.want(422, r.do("POST", "/me/factor/off", `{"password":"`+password+`","code":"abcdef"}`))
	r.want(200, r.do("POST", "/me/factor/off", `{"password":"`+password+`","code":"`+shows(t, clock, secret)+`"}`))
	s.as(access.Member)
}

func TestAdministratorsHelp(t *testing.T) {
	t.Parallel()
	s, clock := trustSite(t)
	admin, member := s.as(access.Administrator), s.as(access.Member)
	enrol(member, clock)
	type person struct {
		ID, Email    string
		SecondFactor *bool `json:"second_factor"`
	}
	people := read[struct{ Items []person }](admin, "GET", "/users", "", 200).Items
	at := slices.IndexFunc(people, func(p person) bool { return p.Email == "member@example.com" })
	if people[at].SecondFactor == nil || !*people[at].SecondFactor {
		t.Fatalf("%+v", people)
	}
	for _, p := range read[struct{ Items []person }](s.as(access.Manager), "GET", "/users", "", 200).Items {
		if p.SecondFactor != nil {
			t.Fatal("who has no second factor is told to those who do not manage people")
		}
	}
	admin.want(200, admin.do("DELETE", "/users/"+people[at].ID+"/sessions", ""))
	member.wantCode(401, "auth.session_ended", member.do("GET", "/me", ""))
	admin.want(204, admin.do("DELETE", "/users/"+people[at].ID+"/factor", ""))
	admin.wantCode(409, "auth.factor_none", admin.do("DELETE", "/users/"+people[at].ID+"/factor", ""))
	s.as(access.Member)

	admin.want(200, admin.do("PATCH", "/users/"+people[at].ID, `{"password":"only for today","temporary":true}`))
	c := s.client()
	c.want(200, c.do("POST", "/session", `{"email":"member@example.com","password":"only for today"}`))
	c.want(422, c.do("POST", "/session/password", `{"new_password":"woaini1314"}`))
	if me := read[meAnswer](c, "POST", "/session/password", `{"new_password":"`+password+`"}`, 200); me.Stage != "" || *me.User.TemporaryPassword {
		t.Fatalf("%+v", me)
	}

	tries := read[struct {
		Items []struct {
			User    *struct{ Name string }
			Outcome string
		}
		NextCursor *string `json:"next_cursor"`
	}](admin, "GET", "/sign-ins?user="+people[at].ID+"&limit=2", "", 200)
	if len(tries.Items) != 2 || tries.NextCursor == nil || tries.Items[0].Outcome != "ok" || tries.Items[0].User.Name != "member" {
		t.Fatalf("%+v", tries)
	}
	trail := string(admin.want(200, admin.do("GET", "/audit?limit=200", "")).body)
	for _, action := range []string{"factor.enrol", "factor.reset", "session.revoke_all", "password.change"} {
		if !strings.Contains(trail, `"`+action+`"`) {
			t.Errorf("the trail lacks %s", action)
		}
	}
	if strings.Contains(trail, password) {
		t.Error("the trail holds a password")
	}
}

// TestTheOwnerResetsASecondFactor: whoever lost phone and recovery codes is helped on the machine itself.
func TestTheOwnerResetsASecondFactor(t *testing.T) {
	t.Parallel()
	sh, c := newShell(t), clock.NewFake(time.Now())
	a := open(t, app.Options{Config: settings(t, map[string]string{"data": sh.dir}), Clock: c})
	s := prepare(t, a)
	admin := s.as(access.Administrator)
	enrol(admin, c)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := sh.run("", "user", "reset-mfa", "nobody@example.com"); code != 1 || !strings.Contains(errs, "no such user") {
		t.Fatalf("%d %s", code, errs)
	}
	var out struct {
		Email string
		Reset bool
	}
	sh.ok(&out, "user", "reset-mfa", "Administrator@Example.com")
	if !out.Reset {
		t.Fatalf("%+v", out)
	}
	c.Advance(time.Minute) // the ids of another start begin with another instant
	a = open(t, app.Options{Config: settings(t, map[string]string{"data": sh.dir}), Clock: c})
	again := &site{T: t, app: a, server: httptest.NewServer(a.Handler())}
	t.Cleanup(again.server.Close)
	me := read[meAnswer](again.client(), "POST", "/session", `{"email":"administrator@example.com","password":"`+password+`"}`, 200)
	if me.Stage != "" || *me.User.SecondFactor {
		t.Fatalf("%+v", me)
	}
}
