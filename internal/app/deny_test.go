package app_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// fill puts something into the places of a path.
func fill(path string) string {
	return strings.NewReplacer("{object}", "customer", "{id}", "cus_0000000000001", "{key}", "nothing").Replace(path)
}

// TestEveryRouteDenies walks the table itself: nobody gets in without signing in, nobody past the right that the table
// names, and no session writes without its token.
func TestEveryRouteDenies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	roles := []access.Role{access.Administrator, access.Manager, access.Member, access.ReadOnly}
	people := map[access.Role]*client{}
	for _, r := range roles {
		people[r] = s.as(r)
	}
	var reader struct {
		Key string `json:"key"`
	}
	a := people[access.Administrator].want(201, people[access.Administrator].do("POST", "/apikeys", `{"name":"r","scopes":["read"]}`))
	if err := a.json(&reader); err != nil {
		t.Fatal(err)
	}
	key := s.client()
	key.key = reader.Key
	routes := s.app.Routes()
	if len(routes) < 70 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, r := range routes {
		path, body := fill(r.Path), ""
		if r.Method != http.MethodGet {
			body = "{}"
		}
		if r.Need == "open" || r.Path == "/events" {
			continue
		}
		name := r.Method + " " + r.Path
		if got := s.client().do(r.Method, path, body); got.status != 401 {
			t.Errorf("%s without signing in: %d", name, got.status)
		}
		stranger := s.client()
		stranger.key = "gxk_" + strings.Repeat("A", 43)
		if got := stranger.do(r.Method, path, body); got.status != 401 {
			t.Errorf("%s with a made-up key: %d", name, got.status)
		}
		forged := s.client().with("Cookie", "guanxi_session="+strings.Repeat("A", 43))
		if got := forged.do(r.Method, path, body); got.status != 401 {
			t.Errorf("%s with a made-up session: %d", name, got.status)
		}
		for _, role := range roles {
			c := *people[role]
			if r.Method != http.MethodGet {
				csrf := c.csrf
				c.csrf = ""
				if got := c.do(r.Method, path, body); got.status != 403 || got.code() != "api.csrf" {
					t.Errorf("%s as %s without csrf: %d %s", name, role, got.status, got.code())
				}
				c.csrf = people[other(role)].csrf
				if got := c.do(r.Method, path, body); got.code() != "api.csrf" {
					t.Errorf("%s as %s with the csrf of another session: %d", name, role, got.status)
				}
				c.csrf = csrf
			}
			denied := r.Need == "owner" || r.Right != "" && !role.Can(access.Right(r.Right))
			if denied {
				if got := c.do(r.Method, path, body); got.status != 403 {
					t.Errorf("%s as %s: %d, want 403", name, role, got.status)
				}
			}
		}
		scoped := access.Actor{Kind: access.ByKey, Role: access.Administrator, Scopes: []string{"read"}}
		if r.Need == "person" || r.Need == "owner" || r.Right != "" && !scoped.Can(access.Right(r.Right)) {
			if got := key.do(r.Method, path, body); got.status != 403 {
				t.Errorf("%s with a key that may read: %d, want 403", name, got.status)
			}
		}
	}
}

func other(r access.Role) access.Role {
	if r == access.Administrator {
		return access.Member
	}
	return access.Administrator
}

// TestNoInputIsAServerError throws rubbish at every route that takes a body, as the administrator.
func TestNoInputIsAServerError(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(access.Administrator)
	deep := strings.Repeat(`{"all":[`, 200) + strings.Repeat(`]}`, 200)
	rubbish := map[string]string{
		"not json": `{"a"`, "two documents": `{} {}`, "null": `null`, "array": `[]`, "number": `7`, "text": `"x"`, "unknown member": `{"nonsense_member":1}`,
		"deep": `{"where":` + deep + `,"mapping":` + deep + `}`, "invalid utf-8": "{\"name\":\"\xff\xfe\"}", "nul": `{"name":"a\u0000b","fields":{"name":"a\u0000b"},"search":"\u0000"}`,
		"wrong types": `{"fields":[],"where":7,"limit":"many","operations":{},"label":7,"classes":"x","email":[],"password":{},"scopes":"all","mapping":[]}`,
		"bad where":   `{"where":{"field":"no_such","op":"=","value":1},"label":"x","classes":[{"key":"a","where":{"trait":"nothing","op":"="}}]}`,
		"huge number": `{"limit":99999999999999999999,"version":1e400}`,
	}
	for _, r := range s.app.Routes() {
		if r.Method == http.MethodGet || r.Need == "owner" || r.Path == "/session" || r.Path == "/setup" {
			continue
		}
		for name, body := range rubbish {
			got := admin.do(r.Method, fill(r.Path), body)
			if got.status >= 500 {
				t.Errorf("%s %s: %s: %d %.200s", r.Method, r.Path, name, got.status, got.body)
			}
			if got.status >= 400 && !strings.HasPrefix(got.header.Get("Content-Type"), "application/problem+json") {
				t.Errorf("%s %s: %s: %d is not a problem document", r.Method, r.Path, name, got.status)
			}
		}
	}
	for _, q := range []string{"limit=x", "limit=-5", "cursor=%ff%fe", "cursor=nonsense", "where=!!!", "where=bm90anNvbg", "sort=-nothing", "q=%00", "days=x", "days=9999", "offset=99999999"} {
		for _, r := range s.app.Routes() {
			if r.Method != http.MethodGet || r.Path == "/events" || r.Need == "owner" {
				continue
			}
			if got := admin.do("GET", fill(r.Path)+"?"+q, ""); got.status >= 500 && got.code() != "api.not_there" {
				t.Errorf("GET %s?%s: %d %.200s", r.Path, q, got.status, got.body)
			}
		}
	}
}

func TestStrictBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(access.Administrator)
	got := admin.want(422, admin.do("POST", "/records/customer", `{"fields":{"name":"甲"},"colour":"red","extra":{"a":1}}`))
	var p struct {
		Errors []struct{ Location, Code, Message string }
	}
	if err := got.json(&p); err != nil || len(p.Errors) != 2 || p.Errors[0].Location != "colour" || p.Errors[0].Code != "api.unknown_field" {
		t.Fatalf("%s", got.body)
	}
	admin.wantCode(400, "api.bad_json", admin.do("POST", "/records/customer", `{"fields":`))
	admin.wantCode(422, "api.too_deep", admin.do("POST", "/records/customer", `{"fields":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}`))
	admin.wantCode(413, "api.body_too_large", admin.do("POST", "/records/customer", `{"fields":{"name":"`+strings.Repeat("x", 2<<20)+`"}}`))
	admin.wantCode(415, "api.content_type", admin.with("Content-Type", "text/plain").do("POST", "/records/customer", `{}`))
	got = admin.wantCode(405, "api.method", admin.do("PATCH", "/home", `{}`))
	if got.header.Get("Allow") != "GET" {
		t.Errorf("Allow: %q", got.header.Get("Allow"))
	}
	admin.wantCode(404, "api.no_such_address", admin.do("GET", "/nothing/here", ""))
	admin.wantCode(404, "api.object_unknown", admin.do("GET", "/records/spaceship", ""))
}

func TestProblemsSpeakTheReadersLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for tag, want := range map[string]string{"zh-CN,zh;q=0.9": "请先登录。", "en-GB": "Sign in first.", "fr, en;q=0.5": "Sign in first."} {
		c := s.client().with("Accept-Language", tag)
		got := c.wantCode(401, "auth.not_signed_in", c.do("GET", "/me", ""))
		if !bytes.Contains(got.body, []byte(want)) {
			t.Errorf("%s: %s", tag, got.body)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(access.ReadOnly)
	got := c.want(200, c.do("GET", "/me", ""))
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q", name, got.header.Get(name))
		}
	}
	if got.header.Get("X-Request-Id") == "" || got.header.Get("Strict-Transport-Security") != "" {
		t.Error("request id or HSTS")
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 200, "/o/customer": 200, "/assets/gone.js": 404} {
		res, err := http.Get(s.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	cross := s.client().with("Sec-Fetch-Site", "cross-site")
	cross.wantCode(403, "api.cross_origin", cross.do("POST", "/session", `{"email":"administrator@example.com","password":"`+password+`"}`))
	admin := s.as(access.Administrator)
	admin = admin.with("Origin", "https://evil.example")
	admin.wantCode(403, "api.cross_origin", admin.do("POST", "/records/customer", `{"fields":{"name":"x"}}`))
}

func TestRatesAreLimited(t *testing.T) {
	t.Parallel()
	tight := generous
	tight.Anonymous = api.Rate{PerSecond: 0.01, Burst: 3}
	s := siteWith(t, tight)
	c := s.client()
	for range 3 {
		c.do("GET", "/setup", "")
	}
	got := c.wantCode(429, "api.too_many_requests", c.do("GET", "/setup", ""))
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
