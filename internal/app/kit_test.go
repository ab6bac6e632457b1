package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/config"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

const password = "correct horse staple"

// site is a running program with one workspace and a person of each role.
type site struct {
	*testing.T
	app    *app.App
	server *httptest.Server
}

var generous = api.Rates{Anonymous: api.Rate{PerSecond: 1e6, Burst: 1e6}, SignedIn: api.Rate{PerSecond: 1e6, Burst: 1e6}, Reveal: api.Rate{PerSecond: 1e6, Burst: 1e6}}

func settings(t *testing.T, flags map[string]string) *config.Config {
	t.Helper()
	all := map[string]string{"data": t.TempDir(), "analytics-mb": "256", "threads": "1"}
	for k, v := range flags {
		all[k] = v
	}
	cfg, err := config.Load(config.Sources{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func open(t *testing.T, o app.Options) *app.App {
	t.Helper()
	o.Log, o.Cost = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), auth.Cost{MemoryKiB: 64, Passes: 1}
	if o.Rates == (api.Rates{}) {
		o.Rates = generous
	}
	a, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// newSite sets up a workspace through the API and adds a person of each role.
func newSite(t *testing.T) *site {
	t.Helper()
	return prepare(t, open(t, app.Options{Config: settings(t, nil)}))
}

// newPostgresSite is newSite in schemas of its own of the database given.
func newPostgresSite(t *testing.T) *site {
	t.Helper()
	return postgresSite(t, app.Options{})
}

// atWork runs a test on programs that work their jobs, one on each database.
func atWork(t *testing.T, fn func(t *testing.T, s *site)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		fn(t, prepareAtWork(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, postgresSite(t, app.Options{Background: true}))
	})
}

// prepareAtWork is newSite with a program that works its jobs.
func prepareAtWork(t *testing.T) *site {
	t.Helper()
	return prepare(t, open(t, app.Options{Config: settings(t, nil), Background: true}))
}

func postgresSite(t *testing.T, o app.Options) *site {
	t.Helper()
	return postgresSiteWith(t, o, nil)
}

func postgresSiteWith(t *testing.T, o app.Options, flags map[string]string) *site {
	t.Helper()
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		t.Skip("GUANXI_TEST_POSTGRES_URL is not set")
	}
	name := fmt.Sprintf("test_app_%d_%d_", os.Getpid(), postgresSites.Add(1))
	t.Cleanup(func() {
		for _, schema := range []string{name + "instance", name + "main"} {
			s, err := instance.OpenPostgres(context.Background(), url, schema)
			if err != nil {
				t.Error(err)
				continue
			}
			if err := errors.Join(s.Drop(context.Background(), schema), s.Close()); err != nil {
				t.Error(err)
			}
		}
	})
	all := map[string]string{"database-url": url, "secret": strings.Repeat("s3cret", 8)}
	maps.Copy(all, flags)
	cfg := settings(t, all)
	o.Config, o.InstanceSchema, o.WorkspacePrefix = cfg, name+"instance", name
	return prepare(t, open(t, o))
}

var postgresSites atomic.Int64

func prepare(t *testing.T, a *app.App) *site {
	t.Helper()
	s := &site{T: t, app: a, server: httptest.NewServer(a.Handler())}
	t.Cleanup(s.server.Close)
	c := s.client()
	c.want(201, c.do("POST", "/setup", `{"email":"administrator@example.com","password":"`+password+`","name":"管理员","workspace":"锦书","locale":"zh-CN","timezone":"Asia/Shanghai","currency":"CNY"}`))
	for _, r := range []access.Role{access.Manager, access.Member, access.ReadOnly} {
		c.want(201, c.do("POST", "/users", `{"email":"`+string(r)+`@example.com","name":"`+string(r)+`","role":"`+string(r)+`","password":"`+password+`"}`))
	}
	return s
}

// client is a browser, a program with a key, or nobody.
type client struct {
	*site
	http    *http.Client
	csrf    string
	key     string
	headers map[string]string
}

func (s *site) client() *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &client{site: s, http: &http.Client{Jar: jar, Timeout: time.Minute}, headers: map[string]string{"Accept-Language": "en"}}
}

// as signs in as the person of a role.
func (s *site) as(role access.Role) *client {
	s.Helper()
	c := s.client()
	c.want(200, c.do("POST", "/session", `{"email":"`+string(role)+`@example.com","password":"`+password+`"}`))
	return c
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(v any) error { return json.Unmarshal(a.body, v) }

func (a answer) code() string {
	var p struct {
		Type string `json:"type"`
	}
	_ = a.json(&p)
	return p.Type
}

// do sends a request to the API; an empty body sends none.
func (c *client) do(method, path, body string) answer {
	c.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, c.server.URL+api.Prefix+path, r)
	if err != nil {
		c.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.csrf != "" {
		req.Header.Set("X-CSRF-Token", c.csrf)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	for k, v := range c.headers {
		req.Header.Set(k, v)
	}
	return c.send(req)
}

func (c *client) send(req *http.Request) answer {
	c.Helper()
	res, err := c.http.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	a := answer{res.StatusCode, res.Header, raw}
	var me struct {
		CSRF string `json:"csrf"`
	}
	if a.json(&me) == nil && me.CSRF != "" {
		c.csrf = me.CSRF
	}
	return a
}

// with is the same caller with one header more.
func (c *client) with(name, value string) *client {
	d := *c
	d.headers = map[string]string{name: value}
	for k, v := range c.headers {
		if k != name {
			d.headers[k] = v
		}
	}
	return &d
}

func (c *client) want(status int, a answer) answer {
	c.Helper()
	if a.status != status {
		c.Fatalf("status %d, want %d: %.600s", a.status, status, a.body)
	}
	return a
}

func (c *client) wantCode(status int, code string, a answer) answer {
	c.Helper()
	if a.status != status || a.code() != code {
		c.Fatalf("%d %s, want %d %s: %.600s", a.status, a.code(), status, code, a.body)
	}
	return a
}

// read asks and decodes.
func read[T any](c *client, method, path, body string, status int) T {
	c.Helper()
	var v T
	a := c.want(status, c.do(method, path, body))
	if err := a.json(&v); err != nil {
		c.Fatalf("%v in %.300s", err, a.body)
	}
	return v
}

type rec struct {
	ID      string         `json:"id"`
	Title   string         `json:"title"`
	Version int64          `json:"version"`
	Fields  map[string]any `json:"fields"`
	Masked  []string       `json:"masked"`
	Traits  map[string]any `json:"traits"`
}

type page struct {
	Items      []rec   `json:"items"`
	NextCursor *string `json:"next_cursor"`
	Total      *int    `json:"total"`
	Plane      string  `json:"plane"`
}

// eventually repeats a question until it is answered as hoped, for what follows the change log.
// computed waits until the traits of everyone are there and what follows them is done: what is changed later is told of by itself.
func (c *client) computed() {
	c.T.Helper()
	eventually(c.T, "the traits", func() bool {
		v := read[api.SystemInfo](c, "GET", "/system", "", http.StatusOK).Traits
		return v.ComputedAt != nil && !v.Stale
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	within(t, 30*time.Second, what, ok)
}

func within(t *testing.T, atMost time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(atMost)
	tick := time.NewTicker(50 * time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("%s did not come about", what)
		case <-tick.C:
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// siteWith is an empty program with given rates.
func siteWith(t *testing.T, r api.Rates) *site {
	t.Helper()
	a := open(t, app.Options{Config: settings(t, nil), Rates: r})
	s := &site{T: t, app: a, server: httptest.NewServer(a.Handler())}
	t.Cleanup(s.server.Close)
	return s
}
