package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/obs"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/edge/ingest"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
)

const writeKey = "wk_test"

// plain seals by a mark; nobody was erased.
type plain struct{}

func (plain) Seal(v event.Value) string { return "sealed " + string(v.Kind) }

func (plain) Mark(id string) string { return "~" + strconv.Itoa(len(id)) }

func (plain) Erased(_ context.Context, persons []event.Person) ([]bool, error) {
	return make([]bool, len(persons)), nil
}

// codes are the words of a fault: its code.
type codes struct{}

func (codes) Text(_ lang.Locale, key string, _ map[string]any) string { return "words of " + key }

// house is a door on a real inbox.
type house struct {
	store  *eventstore.Store
	intake *event.Intake
	server *httptest.Server

	mu     sync.Mutex
	source event.Source
	full   error
}

func (h *house) Source(_ context.Context, key string) (*event.Source, error) {
	if key != writeKey {
		return nil, fault.New(fault.Unauthenticated, "event.key_unknown", nil)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.source
	return &s, nil
}

func (h *house) Room(context.Context, string) (ingest.Room, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return ingest.Room{Zone: time.UTC, Intake: h.intake}, h.full
}

func (h *house) change(fn func(*event.Source)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fn(&h.source)
}

func newHouse(t testing.TB, clk clock.Clock) *house {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "inbox.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{source: event.Source{ID: 7, Workspace: "main", Type: event.Web, Enabled: true}}
	if h.store, err = eventstore.New(t.Context(), eventstore.Config{DB: db, Clock: clk, IDs: id.NewGenerator(clk, 1)}); err != nil {
		t.Fatal(err)
	}
	h.intake = event.NewIntake(event.Config{Inbox: h.store, Privacy: plain{}, Clock: clk})
	h.server = httptest.NewServer(ingest.New(ingest.Config{Backend: h, Words: codes{}, Clock: clk, Log: slog.New(slog.DiscardHandler), Metrics: obs.NewMetrics("test")}))
	t.Cleanup(h.server.Close)
	return h
}

func (h *house) inbox(t testing.TB) []model.Event {
	t.Helper()
	list, err := h.store.Read(t.Context(), change.Position{}, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (h *house) do(t testing.TB, method, path string, header map[string]string, body []byte) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.server.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := h.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(raw)}
}

func zip(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func basic(s string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(s))}
}

// TestWays: every way in which the key and the body come.
func TestWays(t *testing.T) {
	t.Parallel()
	h := newHouse(t, clock.System{})
	n := 0
	track := func() string {
		n++
		return fmt.Sprintf(`{"event":"x","userId":"u","messageId":"m%d"`, n)
	}
	b64 := base64.StdEncoding.EncodeToString
	form := func(name string, raw []byte) []byte {
		return []byte(url.Values{name: {b64(raw)}, "gzip": {"1"}}.Encode())
	}
	sa := func() string {
		n++
		return fmt.Sprintf(`{"type":"track","event":"x","distinct_id":"d","time":1772337598000,"_track_id":%d}`, n)
	}
	tests := []struct {
		what, method, path string
		header             map[string]string
		body               []byte
	}{
		{"Basic with a colon", "POST", "/v1/track", basic(writeKey + ":"), []byte(track() + "}")},
		{"Basic without a colon", "POST", "/v1/t", basic(writeKey), []byte(track() + "}")},
		{"Basic without padding", "POST", "/v1/t", map[string]string{"Authorization": "basic " + base64.RawStdEncoding.EncodeToString([]byte(writeKey+":x"))}, []byte(track() + "}")},
		{"in the body, as a beacon", "POST", "/v1/t", map[string]string{"Content-Type": "text/plain"}, []byte(track() + `,"writeKey":"` + writeKey + `"}`)},
		{"in the address", "POST", "/v1/t?writeKey=" + writeKey, nil, []byte(track() + "}")},
		{"a bearer and the body", "POST", "/v1/t", map[string]string{"Authorization": "Bearer token"}, []byte(track() + `,"writeKey":"` + writeKey + `"}`)},
		{"a batch labelled as a form, packed and not said so", "POST", "/v1/batch", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, zip(t, `{"writeKey":"`+writeKey+`","batch":[{"type":"track",`+track()[1:]+`}]}`)},
		{"a packed batch", "POST", "/v1/batch", map[string]string{"Content-Encoding": "gzip"}, zip(t, `{"writeKey":"`+writeKey+`","batch":[{"type":"track",`+track()[1:]+`}]}`)},
		{"a pixel", "GET", "/v1/pixel/track?data=" + url.QueryEscape(b64([]byte(track()+`,"writeKey":"`+writeKey+`"}`))), nil, nil},
		{"a form", "POST", "/sa?project=default&token=" + writeKey, nil, form("data", []byte(sa()))},
		{"a packed list", "POST", "/sa?token=" + writeKey, nil, form("data_list", zip(t, "["+sa()+"]"))},
		{"an image", "GET", "/sa.gif?token=" + writeKey + "&data=" + url.QueryEscape(b64([]byte(sa()))), nil, nil},
	}
	for i, tt := range tests {
		got := h.do(t, tt.method, tt.path, tt.header, tt.body)
		if got.status != 200 {
			t.Errorf("%s: %d %s", tt.what, got.status, got.body)
		}
		if tt.method == "GET" != strings.HasPrefix(got.body, "GIF89a") || tt.method == "POST" && got.body != `{"success":true,"accepted":1,"rejected":[]}`+"\n" {
			t.Errorf("%s: %q", tt.what, got.body)
		}
		if in := h.inbox(t); len(in) != i+1 {
			t.Fatalf("%s: %d events", tt.what, len(in))
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC))
	h := newHouse(t, clk)
	good := []byte(`{"event":"x","userId":"u"}`)
	key := basic(writeKey + ":")
	check := func(what string, got reply, status int, code string) {
		t.Helper()
		var a struct {
			Success       bool
			Code, Message string
		}
		if err := json.Unmarshal([]byte(got.body), &a); err != nil || got.status != status || a.Code != code || a.Message != "words of "+code || a.Success {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	check("no key", h.do(t, "POST", "/v1/track", nil, good), 401, "event.key_missing")
	check("another key", h.do(t, "POST", "/v1/track", basic("wk_other:"), good), 401, "event.key_unknown")
	check("no JSON", h.do(t, "POST", "/v1/track", key, []byte("hello")), 400, "event.unparseable")
	check("too large", h.do(t, "POST", "/v1/batch", key, bytes.Repeat([]byte(" "), 4*event.MaxBatch+1000)), 400, "event.body_too_large")
	check("a bomb", h.do(t, "POST", "/v1/batch", key, zip(t, strings.Repeat(" ", 50<<20))), 400, "event.body_too_large")
	check("another address", h.do(t, "POST", "/v1/poke", key, good), 404, "event.call_unknown")
	check("another method", h.do(t, "DELETE", "/v1/track", key, good), 404, "event.call_unknown")
	check("no mapping", h.do(t, "POST", "/v1/hook/"+writeKey, nil, good), 400, "event.no_mapping")
	h.change(func(s *event.Source) { s.Enabled = false })
	check("switched off", h.do(t, "POST", "/v1/track", key, good), 401, "event.source_disabled")
	h.change(func(s *event.Source) { s.Enabled, s.Origins = true, []string{"https://shop.example"} })
	check("another page", h.do(t, "POST", "/v1/track", map[string]string{"Authorization": key["Authorization"], "Origin": "https://evil.example"}, good), 403, "event.origin_refused")
	if got := h.do(t, "POST", "/v1/track", map[string]string{"Authorization": key["Authorization"], "Origin": "https://shop.example"}, good); got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Errorf("the shop's page: %d %v", got.status, got.header)
	}
	if got := h.do(t, "OPTIONS", "/v1/p", map[string]string{"Origin": "https://any.example", "Access-Control-Request-Headers": "authorization,content-type"}, nil); got.status != 204 ||
		!strings.Contains(got.header.Get("Access-Control-Allow-Headers"), "authorization, content-type") || got.header.Get("Access-Control-Allow-Origin") != "https://any.example" {
		t.Errorf("preflight: %d %v", got.status, got.header)
	}
	h.change(func(s *event.Source) { s.PerSecond = 10 })
	many := []byte(`{"batch":[` + strings.TrimSuffix(strings.Repeat(`{"type":"track","event":"a","userId":"u"},`, event.MaxEvents), ",") + `]}`)
	if got := h.do(t, "POST", "/v1/batch", key, many); got.status != 200 {
		t.Errorf("a burst: %d", got.status)
	}
	late := h.do(t, "POST", "/v1/track", key, good)
	check("too fast", late, 429, "event.too_fast")
	if late.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", late.header.Get("Retry-After"))
	}
	clk.Advance(time.Second)
	if got := h.do(t, "POST", "/v1/track", key, good); got.status != 200 {
		t.Errorf("a second later: %d", got.status)
	}
	h.full = fault.New(fault.Unavailable, "store.disk_full", nil)
	full := h.do(t, "POST", "/v1/track", key, good)
	check("a full disk", full, 503, "store.disk_full")
	if full.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

// TestOneByOne: a bad event costs no good one, and is kept with its reason.
func TestOneByOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t, clock.System{})
	got := h.do(t, "POST", "/v1/batch", basic(writeKey), []byte(`{"batch":[{"type":"track","event":"a","userId":"u","messageId":"m1"},{"type":"track","userId":"u","messageId":"m2"},{"type":"track","event":"c","userId":"u","messageId":"m3"}]}`))
	want := `{"success":true,"accepted":2,"rejected":[{"index":1,"messageId":"m2","code":"event.name_missing","field":"event","message":"words of event.name_missing"}]}` + "\n"
	if got.status != 200 || got.body != want {
		t.Errorf("%d %s", got.status, got.body)
	}
	if list := h.inbox(t); len(list) != 2 {
		t.Errorf("%d events", len(list))
	}
	kept, err := h.store.Rejects(t.Context(), 7, 0, 10)
	if err != nil || len(kept) != 1 || kept[0].Code != "event.name_missing" || kept[0].MessageID != "m2" {
		t.Errorf("%+v %v", kept, err)
	}
	again := h.do(t, "POST", "/v1/batch", basic(writeKey), []byte(`{"batch":[{"type":"track","event":"a","userId":"u","messageId":"m1"}],"sentAt":"2026-03-01T04:00:00Z"}`))
	if again.body != `{"success":true,"accepted":1,"duplicate":1,"rejected":[]}`+"\n" || len(h.inbox(t)) != 2 {
		t.Errorf("a resend: %s", again.body)
	}
	if err := h.intake.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts, err := h.store.Counts(t.Context(), 0)
	if err != nil || len(counts) != 1 || counts[0].Accepted != 2 || counts[0].Duplicate != 1 || counts[0].Rejected != 1 {
		t.Errorf("%+v %v", counts, err)
	}
}

func TestHookAndSettings(t *testing.T) {
	t.Parallel()
	h := newHouse(t, clock.System{})
	h.change(func(s *event.Source) {
		s.Type = event.Webhook
		s.Mapping = &event.Mapping{Kind: model.Track, Event: "=Paid", UserID: "buyer", MessageID: "no"}
	})
	for range 2 {
		if got := h.do(t, "POST", "/v1/hook/"+writeKey, nil, []byte(`{"buyer":5,"no":"O1","phone":"138"}`)); got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	list := h.inbox(t)
	if len(list) != 1 || list[0].Name != "Paid" || list[0].UserID != "5" || string(list[0].Properties) != `{"buyer":5,"no":"O1","phone":{"$sealed":"sealed phone"}}` {
		t.Errorf("%+v", list)
	}
	got := h.do(t, "GET", "/v1/projects/"+writeKey+"/settings", nil, nil)
	if !strings.Contains(got.body, `"apiHost":"`+strings.TrimPrefix(h.server.URL, "http://")+`/v1"`) {
		t.Errorf("%s", got.body)
	}
}
