package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/oidc/oidctest"
)

// vouching is a program beside a provider of identities, and the provider as the program knows it.
type vouching struct {
	*site
	*oidctest.Provider
	admin   *client
	key     string
	version int64
}

// providerSites runs a test on a program beside a provider, one on each database.
func providerSites(t *testing.T, fn func(t *testing.T, v *vouching)) {
	run := func(t *testing.T, begin func(flags map[string]string) *site) {
		t.Helper()
		t.Parallel()
		p, err := oidctest.New("", "guanxi", "a secret of the client", clock.NewFake(time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(p)
		t.Cleanup(server.Close)
		p.Issuer = server.URL
		s := begin(map[string]string{"login-networks": "127.0.0.0/8", "public-url": keyOrigin})
		fn(t, &vouching{site: s, Provider: p, admin: s.as(access.Administrator)})
	}
	t.Run("embedded", func(t *testing.T) {
		run(t, func(flags map[string]string) *site {
			return prepare(t, open(t, app.Options{Config: settings(t, flags)}))
		})
	})
	t.Run("postgres", func(t *testing.T) {
		run(t, func(flags map[string]string) *site { return postgresSiteWith(t, app.Options{}, flags) })
	})
}

type providerInfo struct {
	ID      string
	Version int64
	Secret  bool
}

// set adds the provider, or changes it; more is laid over the usual settings.
func (v *vouching) set(more map[string]any) {
	v.Helper()
	body := map[string]any{"name": "公司账号", "issuer": v.Issuer, "client": "guanxi", "secret": "a secret of the client", "scopes": []string{"email", "profile"}, "create": false, "end": false, "enabled": true}
	for k, x := range more {
		body[k] = x
	}
	var p providerInfo
	if v.key == "" {
		p = read[providerInfo](v.admin, "POST", "/providers", mustJSON(v.site.T, body), 201)
	} else {
		delete(body, "secret") // the stored one stays
		body["version"] = v.version
		p = read[providerInfo](v.admin, "PATCH", "/providers/"+v.key, mustJSON(v.site.T, body), 200)
	}
	if !p.Secret {
		v.Fatal("no secret is stored")
	}
	v.key, v.version = p.ID, p.Version
}

// is says who is at the provider.
func (v *vouching) is(claims map[string]any) {
	v.Mu.Lock()
	defer v.Mu.Unlock()
	v.Person = claims
}

func (v *vouching) answers(change func(p *oidctest.Provider)) {
	v.Mu.Lock()
	defer v.Mu.Unlock()
	change(v.Provider)
}

// goes sends a browser to the provider and back; it returns what it brings.
func (v *vouching) goes(c *client) string {
	c.Helper()
	to := read[struct{ URL string }](c, "POST", "/session/provider/"+v.key, "{}", 200)
	u, err := url.Parse(to.URL)
	if err != nil || u.Query().Get("redirect_uri") != keyOrigin+"/sign-in/return" || u.Query().Get("scope") != "openid email profile" {
		c.Fatalf("%v %s", err, to.URL)
	}
	q, err := oidctest.Visit(c.Context(), to.URL)
	if err != nil {
		c.Fatal(err)
	}
	return mustJSON(c.T, map[string]string{"state": q.Get("state"), "code": q.Get("code"), "iss": q.Get("iss"), "error": q.Get("error")})
}

func (v *vouching) enter(c *client) answer {
	c.Helper()
	return c.do("POST", "/session/provider/finish", v.goes(c))
}

// TestProviderSettings: what cannot work is refused where it is entered, and not everybody may say who vouches for administrators.
func TestProviderSettings(t *testing.T) {
	t.Parallel()
	providerSites(t, func(t *testing.T, v *vouching) {
		manager := v.as(access.Manager)
		manager.wantCode(403, "access.forbidden", manager.do("GET", "/providers", ""))
		refused := func(code, field string, more map[string]any) {
			t.Helper()
			body := map[string]any{"name": "X", "issuer": v.Issuer, "client": "guanxi", "create": false, "end": false, "enabled": true}
			for k, x := range more {
				body[k] = x
			}
			a := v.admin.want(422, v.admin.do("POST", "/providers", mustJSON(t, body)))
			if !strings.Contains(string(a.body), code) || !strings.Contains(string(a.body), `"location":"`+field+`"`) {
				t.Errorf("%s at %s: %s", code, field, a.body)
			}
		}
		refused("auth.provider_address", "issuer", map[string]any{"issuer": "login.example.com"})
		refused("auth.provider_issuer", "issuer", map[string]any{"issuer": v.Issuer + "/"})
		refused("auth.provider_unreachable", "issuer", map[string]any{"issuer": v.Issuer + "/nothing"})
		refused("auth.provider_private", "issuer", map[string]any{"issuer": "http://10.1.2.3"})
		refused("auth.provider_client", "client", map[string]any{"client": " "})
		refused("auth.provider_domain", "domains", map[string]any{"domains": []string{"not a domain"}})
		refused("auth.provider_claim", "claim", map[string]any{"rules": []map[string]string{{"value": "x", "role": "member"}}})
		refused("auth.provider_role", "role", map[string]any{"create": true})
		refused("auth.role_unknown", "role", map[string]any{"role": "emperor"})
		if signs := read[struct{ End, Told bool }](v.admin, "POST", "/providers/look", `{"issuer":"`+v.Issuer+`"}`, 200); !signs.End || !signs.Told {
			t.Fatalf("%+v", signs)
		}
		v.set(nil)
		if a := v.admin.want(200, v.admin.do("GET", "/providers", "")); strings.Contains(string(a.body), "a secret of") || !strings.Contains(string(a.body), keyOrigin+"/sign-in/return") {
			t.Fatalf("%s", a.body)
		}
		if a := v.client().do("GET", "/session/ways", ""); !strings.Contains(string(a.body), "公司账号") || strings.Contains(string(a.body), v.Issuer) {
			t.Fatalf("%s", a.body)
		}
		v.admin.wantCode(409, "auth.provider_changed", v.admin.do("PATCH", "/providers/"+v.key, `{"name":"X","issuer":"`+v.Issuer+`","client":"guanxi","create":false,"end":false,"enabled":true,"version":7}`))
		v.admin.wantCode(404, "auth.provider_unknown", v.admin.do("DELETE", "/providers/idp_0000000000001", ""))
		v.admin.want(204, v.admin.do("DELETE", "/providers/"+v.key, ""))
		v.admin.wantCode(404, "auth.provider_unknown", v.client().do("POST", "/session/provider/"+v.key, "{}"))
	})
}

// TestAProviderIsNotAskedInsideTheNetwork: without the operator's word, addresses that are not public are out of reach.
func TestAProviderIsNotAskedInsideTheNetwork(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(inside.Close)
	s := newSite(t)
	admin := s.as(access.Administrator)
	for _, address := range []string{inside.URL, strings.Replace(inside.URL, "http", "https", 1), "https://169.254.169.254", "https://localhost:1"} {
		a := admin.want(422, admin.do("POST", "/providers/look", `{"issuer":"`+address+`"}`))
		if !strings.Contains(string(a.body), "auth.provider_private") {
			t.Errorf("%s: %s", address, a.body)
		}
	}
}

// TestProviderSignIn: who comes in, who does not, and answers that do not hold.
func TestProviderSignIn(t *testing.T) {
	t.Parallel()
	providerSites(t, func(t *testing.T, v *vouching) {
		v.set(nil)
		member := map[string]any{"sub": "person-1", "email": "Member@example.com", "email_verified": true, "name": "Mei"}
		v.is(map[string]any{"sub": "person-1", "email": "member@example.com", "name": "Mei"})
		v.admin.wantCode(403, "auth.provider_email", v.enter(v.client()))
		v.is(member)
		c := v.client()
		brought := v.goes(c)
		v.admin.wantCode(409, "auth.flow_over", v.client().do("POST", "/session/provider/finish", brought)) // another browser; and it is used up
		v.admin.wantCode(409, "auth.flow_over", c.do("POST", "/session/provider/finish", brought))
		if me := read[meAnswer](c, "POST", "/session/provider/finish", v.goes(c), 200); me.Stage != "" || me.User.Email != "member@example.com" {
			t.Fatalf("%+v", me)
		}
		c.want(200, c.do("GET", "/records/customer", ""))
		v.is(map[string]any{"sub": "person-1", "email": "another@example.com"}) // known by the provider's own name
		if me := read[meAnswer](c, "POST", "/session/provider/finish", v.goes(c), 200); me.User.Email != "member@example.com" {
			t.Fatalf("%+v", me)
		}
		v.is(map[string]any{"sub": "person-2", "email": "new@example.com", "email_verified": true})
		v.admin.wantCode(403, "auth.provider_nobody", v.enter(v.client()))
		v.is(member)
		v.answers(func(p *oidctest.Provider) { p.Declines = true })
		v.admin.wantCode(401, "auth.provider_declined", v.enter(v.client()))
		v.answers(func(p *oidctest.Provider) { p.Declines = false })
		for name, wrong := range map[string]map[string]any{"nonce": {"nonce": "another"}, "audience": {"aud": "another"}, "issuer": {"iss": "https://evil.example"}, "expired": {"exp": 1},
			"party": {"aud": []string{"guanxi", "another"}, "azp": "another"}, "subject": {"sub": ""}} {
			v.answers(func(p *oidctest.Provider) { p.Wrong = wrong })
			if a := v.enter(v.client()); a.status != 401 || a.code() != "auth.provider_token" {
				t.Errorf("a token of another %s: %d %s", name, a.status, a.body)
			}
		}
		v.answers(func(p *oidctest.Provider) { p.Wrong, p.Forged = nil, true })
		v.admin.wantCode(401, "auth.provider_token", v.enter(v.client()))
		v.answers(func(p *oidctest.Provider) { p.Forged = false })
		d := v.client()
		mixed := strings.Replace(v.goes(d), `"iss":"http`, `"iss":"https`, 1)
		d.wantCode(401, "auth.provider_token", d.do("POST", "/session/provider/finish", mixed))

		t.Log("told by the user information alone, with groups in a member of a member")
		v.is(map[string]any{"sub": "person-3"})
		v.answers(func(p *oidctest.Provider) {
			p.Behind = map[string]any{"email": "lin@corp.example", "email_verified": true, "name": "林", "realm": map[string]any{"groups": []string{"staff", "leads"}}}
		})
		v.set(map[string]any{"create": true, "role": "readonly", "claim": "realm.groups", "rules": []map[string]string{{"value": "leads", "role": "manager"}, {"value": "staff", "role": "member"}}, "domains": []string{"Corp.example"}})
		lin := v.client()
		if me := read[meAnswer](lin, "POST", "/session/provider/finish", v.goes(lin), 200); me.Role != "manager" || me.User.Email != "lin@corp.example" {
			t.Fatalf("%+v", me)
		}
		v.answers(func(p *oidctest.Provider) { p.Behind["realm"] = map[string]any{"groups": "staff"} })
		again := v.client()
		if me := read[meAnswer](again, "POST", "/session/provider/finish", v.goes(again), 200); me.Role != "member" {
			t.Fatalf("%+v", me)
		}
		lin.wantCode(401, "auth.session_ended", lin.do("GET", "/me", ""))
		v.is(member)
		v.answers(func(p *oidctest.Provider) { p.Behind = nil })
		v.admin.wantCode(403, "auth.provider_domain_closed", v.enter(v.client()))
		v.set(map[string]any{"claim": "groups", "rules": []map[string]string{{"value": "staff", "role": "member"}}})
		v.admin.wantCode(403, "auth.provider_no_role", v.enter(v.client()))
		v.is(map[string]any{"sub": "boss", "email": "administrator@example.com", "email_verified": true, "groups": []string{"staff"}})
		boss := v.client()
		if me := read[meAnswer](boss, "POST", "/session/provider/finish", v.goes(boss), 200); me.Role != "administrator" {
			t.Fatalf("an administrator with a password lost the role: %+v", me)
		}
		v.admin = v.as(access.Administrator)
		v.admin.want(202, v.admin.do("POST", "/keys/rotate", "{}"))
		v.admin.want(200, v.enter(v.client()))
		for _, action := range []string{"provider.create", "provider.update", "provider.link", "provider.role", "provider.refused", "user.create"} {
			if !strings.Contains(v.actionsOf(v.admin), " "+action+" ") {
				t.Errorf("no %s in the trail", action)
			}
		}
	})
}

// TestWhoseSecondFactor: ours is asked unless the provider's counts.
func TestWhoseSecondFactor(t *testing.T) {
	t.Parallel()
	providerSites(t, func(t *testing.T, v *vouching) {
		v.set(nil)
		newAuthenticator(t).register(v.as(access.Member), "Phone")
		v.admin.want(200, v.admin.do("PATCH", "/security", `{"factor_roles":["readonly"]}`))
		member := map[string]any{"sub": "m", "email": "member@example.com", "email_verified": true, "amr": []string{"pwd"}}
		reader := map[string]any{"sub": "r", "email": "readonly@example.com", "email_verified": true, "amr": []string{"pwd", "otp"}}
		for _, test := range []struct {
			trust, member, reader string
		}{{"here", "code", "enrol"}, {"provider", "", ""}, {"told", "code", ""}} {
			v.set(map[string]any{"factor": test.trust})
			v.is(member)
			c := v.client()
			if me := read[meAnswer](c, "POST", "/session/provider/finish", v.goes(c), 200); me.Stage != test.member {
				t.Errorf("%s: a person with a passkey stands at %q", test.trust, me.Stage)
			}
			v.is(reader)
			c = v.client()
			if me := read[meAnswer](c, "POST", "/session/provider/finish", v.goes(c), 200); me.Stage != test.reader {
				t.Errorf("%s: a person of whose role a factor is demanded stands at %q", test.trust, me.Stage)
			}
		}
	})
}

// TestProviderOnly: passwords of all but administrators are refused, at once, and there is always a way back.
func TestProviderOnly(t *testing.T) {
	t.Parallel()
	providerSites(t, func(t *testing.T, v *vouching) {
		a := v.admin.want(422, v.admin.do("PATCH", "/security", `{"provider_only":true}`))
		if !strings.Contains(string(a.body), "auth.provider_none") {
			t.Fatalf("%s", a.body)
		}
		v.set(nil)
		c := v.as(access.Member)
		if s := read[struct {
			ProviderOnly bool `json:"provider_only"`
		}](v.admin, "PATCH", "/security", `{"provider_only":true}`, 200); !s.ProviderOnly {
			t.Fatal("not turned on")
		}
		c.wantCode(401, "auth.session_ended", c.do("GET", "/me", ""))
		c.wantCode(403, "auth.provider_only", v.client().do("POST", "/session", `{"email":"member@example.com","password":"`+password+`"}`))
		c.wantCode(401, "auth.bad_credentials", v.client().do("POST", "/session", `{"email":"member@example.com","password":"guess guess"}`))
		v.is(map[string]any{"sub": "m", "email": "member@example.com", "email_verified": true})
		v.admin.want(200, v.enter(v.client()))
		glass := v.as(access.Administrator)
		if !strings.Contains(v.actionsOf(glass), " session.break_glass ") {
			t.Error("nothing in the trail of the way past the provider")
		}
		v.admin.wantCode(409, "auth.provider_last", v.admin.do("DELETE", "/providers/"+v.key, ""))
		v.answers(func(p *oidctest.Provider) { p.Client = "gone" })
		v.admin.want(200, v.admin.do("PATCH", "/security", `{"provider_only":false}`))
		v.admin.want(204, v.admin.do("DELETE", "/providers/"+v.key, ""))
	})
}

// TestSigningOutAtBothEnds: here signs out there, and there ends the session here.
func TestSigningOutAtBothEnds(t *testing.T) {
	t.Parallel()
	providerSites(t, func(t *testing.T, v *vouching) {
		v.set(map[string]any{"end": true})
		v.is(map[string]any{"sub": "m", "email": "member@example.com", "email_verified": true, "sid": "s-1"})
		one, two := v.client(), v.client()
		v.admin.want(200, v.enter(one))
		v.is(map[string]any{"sub": "m", "email": "member@example.com", "email_verified": true, "sid": "s-2"})
		v.admin.want(200, v.enter(two))
		raw := v.Signed
		local := v.as(access.Member)
		tell := func(token string) answer {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.server.URL+"/api/v1/session/provider/"+v.key+"/logout", strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return v.client().send(req)
		}
		v.admin.wantCode(422, "auth.provider_token", tell(raw)) // a token of a sign-in is none of signing out
		v.answers(func(p *oidctest.Provider) { p.Forged = true })
		forged := v.Logout("m", "")
		v.answers(func(p *oidctest.Provider) { p.Forged = false })
		v.admin.wantCode(422, "auth.provider_token", tell(forged))
		two.want(200, two.do("GET", "/me", ""))
		v.admin.want(204, tell(v.Logout("m", "s-1")))
		one.wantCode(401, "auth.session_ended", one.do("GET", "/me", ""))
		two.want(200, two.do("GET", "/me", ""))

		out := read[struct{ Go string }](two, "DELETE", "/session", "", 200)
		u, err := url.Parse(out.Go)
		if err != nil || u.Path != "/end" || u.Query().Get("id_token_hint") != raw || u.Query().Get("client_id") != "guanxi" || u.Query().Get("post_logout_redirect_uri") != keyOrigin+"/sign-in" {
			t.Fatalf("%v %s", err, out.Go)
		}
		two.wantCode(401, "auth.not_signed_in", two.do("GET", "/me", ""))
		if out := read[struct{ Go string }](local, "DELETE", "/session", "", 200); out.Go != "" {
			t.Fatalf("a session of a password ends at %s", out.Go)
		}
		if !strings.Contains(v.actionsOf(v.admin), " provider.logout ") {
			t.Error("no provider.logout in the trail")
		}
	})
}
