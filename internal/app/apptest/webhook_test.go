package apptest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// arrivals are what a receiver got: by record and version the webhook-ids, and the order in which records' versions came.
type arrivals struct {
	mu     sync.Mutex
	ids    map[string]map[string]bool // "record/version" → webhook-ids
	newest map[string]int64           // record → highest version so far
	early  []string                   // versions that came before an earlier one
	wrong  int                        // signatures
	total  int
}

func (a *arrivals) serve(t *testing.T, secret *string, stall func()) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var m struct {
			Data struct {
				ID      string `json:"id"`
				Version int64  `json:"version"`
			} `json:"data"`
		}
		if err != nil || json.Unmarshal(raw, &m) != nil { // the sender died in the middle
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if stall != nil {
			stall()
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(*secret, "whsec_"))
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), raw)
		if err != nil || r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			a.wrong++
		}
		a.total++
		name := fmt.Sprintf("%s/%d", m.Data.ID, m.Data.Version)
		if a.ids[name] == nil {
			a.ids[name] = map[string]bool{}
			if m.Data.Version != a.newest[m.Data.ID]+1 {
				a.early = append(a.early, name)
			}
			a.newest[m.Data.ID] = m.Data.Version
		}
		a.ids[name][r.Header.Get("webhook-id")] = true
	}))
	t.Cleanup(s.Close)
	return s
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ids)
}

func gather() *arrivals {
	return &arrivals{ids: map[string]map[string]bool{}, newest: map[string]int64{}}
}

// TestWebhooksAfterKill: the program is killed while it writes and sends, four times; every acknowledged change arrives, under one
// webhook-id however often, in the order of its record; and an endpoint that never answers holds nobody up.
func TestWebhooksAfterKill(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := build(t)
			m.args = append(m.args, "--webhook-networks", "127.0.0.1")
			killHooks(t, m.setup("Asia/Shanghai", "CNY"))
		})
	}
}

func killHooks(t *testing.T, m *machine) {
	t.Helper()
	got, slow := gather(), gather()
	var secret, other string
	hold := make(chan struct{})
	to := got.serve(t, &secret, nil)
	stuck := slow.serve(t, &other, func() { <-hold })
	t.Cleanup(func() { close(hold) })
	m.start()
	for _, h := range []struct {
		url  string
		into *string
	}{{to.URL, &secret}, {stuck.URL, &other}} {
		a, err := m.client().ask("POST", "/webhooks", "application/json", strings.NewReader(fmt.Sprintf(`{"name":"x","url":%q,"rules":[{"object":"customer","kinds":["created","updated"]}]}`, h.url)))
		var made struct{ Secret string }
		if err != nil || a.status != 201 || json.Unmarshal(a.body, &made) != nil {
			t.Fatalf("%d %v %s", a.status, err, a.body)
		}
		*h.into = made.Secret
	}
	acknowledged := map[string]bool{}
	var mu sync.Mutex
	for round := range 4 {
		var group sync.WaitGroup
		for who := range 4 {
			group.Go(func() {
				c := m.client()
				for n := 0; ; n++ {
					a, err := c.ask("POST", "/records/customer", "application/json", strings.NewReader(fmt.Sprintf(`{"fields":{"name":"客户%d甲%d甲%d"}}`, round, who, n)))
					var r rec
					if err != nil || a.status != 201 || json.Unmarshal(a.body, &r) != nil {
						return
					}
					mu.Lock()
					acknowledged[r.ID+"/1"] = true
					mu.Unlock()
					for v := 1; v < 4; v++ {
						a, err := c.with("If-Match", fmt.Sprintf(`"%d"`, v)).ask("PATCH", "/records/customer/"+r.ID, "application/json", strings.NewReader(fmt.Sprintf(`{"fields":{"name":"改%d甲%d甲%d"}}`, v, who, n)))
						if err != nil || a.status != 200 {
							return
						}
						mu.Lock()
						acknowledged[fmt.Sprintf("%s/%d", r.ID, v+1)] = true
						mu.Unlock()
					}
				}
			})
		}
		before := got.count()
		waitUntil(t, "messages before the kill", func() bool { return got.count() >= before+60 })
		m.kill()
		group.Wait()
		m.start()
	}
	missing := func() (out []string) {
		got.mu.Lock()
		defer got.mu.Unlock()
		for name := range acknowledged {
			if got.ids[name] == nil {
				out = append(out, name)
			}
		}
		return out
	}
	waitUntil(t, "every change", func() bool { return len(missing()) == 0 })
	got.mu.Lock()
	defer got.mu.Unlock()
	for name, ids := range got.ids {
		if len(ids) != 1 {
			t.Errorf("%s came under %d webhook-ids", name, len(ids))
		}
	}
	if got.wrong != 0 || len(got.early) != 0 {
		t.Errorf("%d wrong signatures, out of order: %v", got.wrong, got.early)
	}
	t.Logf("%d changes acknowledged, %d told, %d requests, while another endpoint never answered", len(acknowledged), len(got.ids), got.total)
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(90*time.Second), time.NewTicker(20*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("%s: not in time", what)
		case <-tick.C:
		}
	}
}
