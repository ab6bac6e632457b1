package app_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

type madeSource struct {
	Source struct {
		ID      string
		Version int64
		Keys    []struct{ Hint string }
		Days    []struct{ Accepted, Duplicate, Rejected int }
	}
	WriteKey string `json:"write_key"`
}

// events sends a body to the door of events.
func (s *site) sendEvent(path, key, body string) (int, string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), "POST", s.server.URL+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.SetBasicAuth(key, "")
	req.Header.Set("Origin", "https://shop.example")
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func TestEventSources(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		for _, role := range []access.Role{access.Manager, access.Member, access.ReadOnly} {
			other := s.as(role)
			other.wantCode(403, "access.forbidden", other.do("GET", "/event-sources", ""))
			other.wantCode(403, "access.forbidden", other.do("POST", "/event-sources", `{"name":"x"}`))
		}
		c.wantCode(422, "event.source_name", c.do("POST", "/event-sources", `{"name":" "}`))
		c.wantCode(422, "event.origin", c.do("POST", "/event-sources", `{"name":"x","origins":["shop.example/path"]}`))
		made := read[madeSource](c, "POST", "/event-sources", `{"name":"商城","type":"web","origins":["https://Shop.example/"]}`, 201)
		if raw := string(c.want(200, c.do("GET", "/event-sources/"+made.Source.ID, "")).body); strings.Contains(raw, made.WriteKey) || !strings.Contains(raw, `"https://shop.example"`) {
			t.Errorf("%s", raw)
		}
		const one = `{"event":"Order Completed","userId":"u1","messageId":"m1"}`
		for range 2 {
			if status, body := s.sendEvent("/v1/track", made.WriteKey, one); status != 200 {
				t.Fatalf("%d %s", status, body)
			}
		}
		if status, body := s.sendEvent("/v1/batch", made.WriteKey, `{"batch":[{"type":"track","userId":"u1"}]}`); status != 200 || !strings.Contains(body, `"code":"event.name_missing"`) {
			t.Errorf("%d %s", status, body)
		}
		eventually(t, "the counts", func() bool {
			v := read[struct {
				Days []struct{ Accepted, Duplicate, Rejected int }
			}](c, "GET", "/event-sources/"+made.Source.ID, "", 200)
			return len(v.Days) == 1 && v.Days[0].Accepted == 1 && v.Days[0].Duplicate == 1 && v.Days[0].Rejected == 1
		})
		// What no database keeps is taken out, wherever it stands.
		zero := `{"event":"Odd\u0000","userId":"u\u00001","messageId":"m\u00002","properties":{"a\u0000b":"c\u0000d","e":["\u0000",{"\u0000":1}],"half":"\ud800"},"context":{"page":{"title":"\u0000t"},"f\u0000":null}}`
		if status, body := s.sendEvent("/v1/track", made.WriteKey, zero); status != 200 || !strings.Contains(body, `"accepted":1`) {
			t.Errorf("%d %s", status, body)
		}
		if status, body := s.sendEvent("/v1/track", made.WriteKey, `{"userId":"u\u00001","properties":{"a":"\u0000"}}`); status != 200 || !strings.Contains(body, `"code":"event.name_missing"`) {
			t.Errorf("%d %s", status, body)
		}
		// Another key: the old one goes on for an hour, or not at all.
		next := read[madeSource](c, "POST", "/event-sources/"+made.Source.ID+"/rotate", `{"overlap_hours":1}`, 200)
		for _, key := range []string{made.WriteKey, next.WriteKey} {
			if status, _ := s.sendEvent("/v1/track", key, one); status != 200 {
				t.Errorf("a key is refused: %d", status)
			}
		}
		last := read[madeSource](c, "POST", "/event-sources/"+made.Source.ID+"/rotate", `{}`, 200)
		for key, want := range map[string]int{made.WriteKey: 401, next.WriteKey: 401, last.WriteKey: 200, "wk_no": 401} {
			if status, _ := s.sendEvent("/v1/track", key, one); status != want {
				t.Errorf("status %d, want %d", status, want)
			}
		}
		c.wantCode(412, "event.source_stale", c.with("If-Match", `"7"`).do("PATCH", "/event-sources/"+made.Source.ID, `{"enabled":false}`))
		c.wantCode(422, "event.type_fixed", c.do("PATCH", "/event-sources/"+made.Source.ID, `{"type":"server"}`))
		c.want(200, c.do("PATCH", "/event-sources/"+made.Source.ID, `{"enabled":false}`))
		if status, body := s.sendEvent("/v1/track", last.WriteKey, one); status != 401 || !strings.Contains(body, "event.source_disabled") {
			t.Errorf("%d %s", status, body)
		}
		tried := string(c.want(200, c.do("POST", "/event-sources/try", `{"mapping":{"kind":"track","each":"","event":"=Paid","user_id":"who","anonymous_id":"","time":"","message_id":"","properties":""},"sample":"{\"who\":5}"}`)).body)
		if !strings.Contains(tried, `"name":"Paid"`) || !strings.Contains(tried, `"user_id":"5"`) {
			t.Errorf("%s", tried)
		}
		c.want(204, c.do("DELETE", "/event-sources/"+made.Source.ID, ""))
		c.wantCode(404, "event.source_not_found", c.do("GET", "/event-sources/"+made.Source.ID, ""))
		trail := string(c.want(200, c.do("GET", "/audit", "")).body)
		for _, action := range []string{"source.create", "source.rotate", "source.update", "source.delete"} {
			if !strings.Contains(trail, action) {
				t.Errorf("the trail knows nothing of %s", action)
			}
		}
	})
}

// TestErasedStayAway: events of a person who was erased are taken and not kept, whether they come by a user id, a phone number or an
// address; and nothing personal of others lies in the inbox in clear.
func TestErasedStayAway(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c := s.as(access.Manager)
		admin := s.as(access.Administrator)
		key := read[madeSource](admin, "POST", "/event-sources", `{"name":"s","type":"server"}`, 201).WriteKey
		p := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"甲","phone":"13912345670","email":"gone@example.com","external_id":"E-77"}}`, 201)
		c.want(202, c.do("POST", "/records/customer/"+p.ID+"/erase", `{"reason":"request","confirm":"`+p.ID+`"}`))
		s.work()
		for _, body := range []string{`{"event":"x","userId":"E-77"}`, `{"event":"x","userId":"gone@example.com"}`, `{"event":"x","anonymousId":"a","context":{"traits":{"phone":"139 1234 5670"}}}`} {
			if status, answer := s.sendEvent("/v1/track", key, body); status != 200 || !strings.Contains(answer, `"accepted":1`) {
				t.Errorf("%s: %d %s", body, status, answer)
			}
		}
		if status, _ := s.sendEvent("/v1/identify", key, `{"userId":"E-78","traits":{"email":"stays.zqx@example.com","name":"乙"}}`); status != 200 {
			t.Errorf("status %d", status)
		}
		eventually(t, "the one event in the inbox", func() bool { // up to where no writer is at work
			return read[struct{ Flow struct{ Accepted int } }](admin, "GET", "/event-sources", "", 200).Flow.Accepted == 1
		})
		s.files(func(name string, raw []byte) {
			if strings.Contains(string(raw), "stays.zqx") {
				t.Errorf("%s holds an address in clear", name)
			}
		})
	})
}

// TestInboxInBackup: what was accepted is in a backup, and is known again after it was restored.
func TestInboxInBackup(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(access.Administrator)
	key := read[madeSource](c, "POST", "/event-sources", `{"name":"s","type":"server"}`, 201).WriteKey
	if status, _ := s.sendEvent("/v1/track", key, `{"event":"x","userId":"u","messageId":"kept"}`); status != 200 {
		t.Fatal(status)
	}
	file := filepath.Join(t.TempDir(), "b.guanxi")
	w := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(api.Local(t.Context(), "main"), "POST", "http://guanxi/api/v1/local/backup", strings.NewReader(mustJSON(t, map[string]any{"path": file})))
	req.Header.Set("Content-Type", "application/json")
	if s.app.Handler().ServeHTTP(w, req); w.Code != 200 || strings.Contains(w.Body.String(), "problem") {
		t.Fatal(w.Code, w.Body)
	}
	dir := t.TempDir()
	cfg := settings(t, map[string]string{"data": dir})
	if err := (app.Backend{}).Restore(t.Context(), cfg, file, "", "", func(string) {}); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "workspaces", "main", "events", "inbox.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	err = db.Read(t.Context(), func(c sqlstore.Conn) error {
		_, err := c.QueryRow(context.Background(), []any{&n}, "SELECT count(*) FROM event_seen WHERE message_id = 'kept'")
		return err
	})
	if err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
}

// TestHistory: events of before keep their times, and come once however often the file is brought in.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.setup()
	var made struct{ ID string }
	s.ok(&made, "source", "create", "--name", "旧店", "--type", "server")
	lines := s.file("events.ndjson", `{"type":"track","event":"Order Completed","userId":"u1","timestamp":"2024-11-11T20:00:00+08:00","sentAt":"2026-01-01T00:00:00Z","properties":{"revenue":5}}
{"type":"track","event":"No Time","userId":"u1"}

{"type":"identify","userId":"u1","timestamp":"2024-11-10T20:00:00+08:00","traits":{"name":"张三"}}
`)
	type result struct {
		Accepted, Duplicate, Rejected int
		Reasons                       map[string]int
	}
	var r result
	s.ok(&r, "source", "import", made.ID, lines)
	if r.Accepted != 2 || r.Duplicate != 0 || r.Rejected != 1 || r.Reasons["event.time_missing"] != 1 {
		t.Errorf("%+v", r)
	}
	r = result{}
	s.ok(&r, "source", "import", made.ID, lines)
	if r.Accepted != 2 || r.Duplicate != 2 {
		t.Errorf("once more: %+v", r)
	}
	sheet := s.file("events.csv", "\ufeffevent,userId,timestamp,messageId,amount\nPaid,u2,2024-11-11 20:00:00,o1,9.50\nPaid,u3,2024-11-11 21:00:00,o2,\n")
	r = result{}
	s.ok(&r, "source", "import", made.ID, sheet)
	if r.Accepted != 2 || r.Duplicate != 0 || r.Rejected != 0 {
		t.Errorf("a sheet: %+v", r)
	}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(s.dir, "workspaces", "main", "events", "inbox.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n, at, flags int64
	err = db.Read(t.Context(), func(c sqlstore.Conn) error {
		_, err := c.QueryRow(context.Background(), []any{&n, &at, &flags}, "SELECT count(*), min(at), min(flags & 16) FROM event_inbox")
		return err
	})
	if want := int64(1731240000000); err != nil || n != 4 || at != want || flags != 16 {
		t.Errorf("%d events, the first at %d (want %d), flags %d, %v", n, at, want, flags, err)
	}
}
