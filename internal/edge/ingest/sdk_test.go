package ingest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	segment "github.com/segmentio/analytics-go/v3"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// sdkEvents is how many events each SDK sends; GUANXI_SDK_EVENTS asks for more.
func sdkEvents(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("GUANXI_SDK_EVENTS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 120
}

// storm is a proxy in front of the door that goes wrong in every way a network can. It counts what it did.
type storm struct {
	to     string
	gentle bool // only delivers twice, for a client that throws away what fails

	mu    sync.Mutex
	rng   *rand.Rand
	done  map[string]int
	tried map[string]int // by the events of a call
}

// mostFailures is how often the same events go wrong: clients give up some time.
const mostFailures = 5

var sentAt = regexp.MustCompile(`"sentAt":"[^"]*"`)

func (s *storm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	fate := []string{"429", "503", "cut before", "cut after", "twice", "well", "well"}[s.rng.IntN(7)]
	what := sentAt.ReplaceAllString(string(body), "")
	if s.tried[what]++; fate != "well" && (s.gentle || s.tried[what] > mostFailures) {
		fate = "twice"
	}
	s.done[fate]++
	s.mu.Unlock()
	switch fate {
	case "429":
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case "503":
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case "cut before":
		cut(w)
		return
	}
	if fate == "twice" {
		s.deliver(r, body)
	}
	res, answer := s.deliver(r, body)
	if fate == "cut after" || res == nil { // it arrived, and the client does not know
		cut(w)
		return
	}
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(answer)
}

func cut(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close()
	}
}

func (s *storm) deliver(r *http.Request, body []byte) (*http.Response, []byte) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, s.to+r.URL.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil
	}
	req.Header = r.Header.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, nil
	}
	return res, answer
}

// weather starts a door and a storm in front of it.
func weather(t *testing.T, gentle bool) (*house, *storm, string) {
	t.Helper()
	h := newHouse(t, clock.System{})
	s := &storm{to: h.server.URL, gentle: gentle, rng: rand.New(rand.NewPCG(5, 8)), done: map[string]int{}, tried: map[string]int{}} //nolint:gosec // the same storm each time
	proxy := httptest.NewServer(s)
	t.Cleanup(proxy.Close)
	return h, s, proxy.URL
}

// each checks that n events lie in the inbox, each once, each at its own time.
func (h *house) each(t *testing.T, n int, s *storm) {
	t.Helper()
	seen := map[int]int{}
	for _, e := range h.inbox(t) {
		var p struct {
			N  int
			At int64
		}
		if err := json.Unmarshal(e.Properties, &p); err != nil {
			t.Fatal(err)
		}
		seen[p.N]++
		if off := e.At - p.At; off > 20_000 || off < -20_000 { // as long as a resend may take: the time of sending stays that of the first
			t.Errorf("event %d is %d ms off", p.N, off)
		}
		if e.Flags != 0 {
			t.Errorf("event %d has flags %d", p.N, e.Flags)
		}
	}
	for i := range n {
		if seen[i] != 1 {
			t.Errorf("event %d lies there %d times", i, seen[i])
		}
	}
	if len(seen) != n {
		t.Errorf("%d events, want %d", len(seen), n)
	}
	t.Logf("%d events through %v", n, s.done)
}

// TestGoSDK drives analytics-go as it is published.
func TestGoSDK(t *testing.T) {
	t.Parallel()
	h, s, url := weather(t, false)
	n := sdkEvents(t)
	fared := outcomes{done: make(chan error, n)}
	client, err := segment.NewWithConfig(writeKey, segment.Config{Endpoint: url, BatchSize: 10, Interval: 20 * time.Millisecond, Logger: quiet{}, Callback: fared,
		RetryAfter: func(int) time.Duration { return 5 * time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for i := range n {
		at := begun.Add(-time.Duration(i) * time.Minute)
		if err := client.Enqueue(segment.Track{UserId: fmt.Sprint("u", i%7), Event: "Tested", Timestamp: at, Properties: segment.Properties{"n": i, "at": at.UnixMilli()}}); err != nil {
			t.Fatal(err)
		}
	}
	for range n { // closing throws away what has failed and waits to be sent again
		if err := <-fared.done; err != nil {
			t.Error(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	h.each(t, n, s)
}

// outcomes hears what became of each message.
type outcomes struct{ done chan error }

func (o outcomes) Success(segment.Message)            { o.done <- nil }
func (o outcomes) Failure(_ segment.Message, e error) { o.done <- e }

type quiet struct{}

func (quiet) Logf(string, ...any)   {}
func (quiet) Errorf(string, ...any) {}

func drive(t *testing.T, sdk, url string, n int) {
	t.Helper()
	if _, err := os.Stat("sdk/node_modules"); err != nil {
		t.Skip("the SDKs are not installed: npm ci in internal/edge/ingest/sdk")
	}
	cmd := exec.CommandContext(t.Context(), "node", "--no-deprecation", "drive.mjs", sdk, url, writeKey, strconv.Itoa(n)) //nolint:gosec // a file of this folder
	cmd.Dir = "sdk"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestNodeSDK drives @segment/analytics-node as it is published.
func TestNodeSDK(t *testing.T) {
	t.Parallel()
	h, s, url := weather(t, false)
	n := sdkEvents(t)
	drive(t, "segment", url, n)
	h.each(t, n, s)
}

// TestSensorsSDK drives sa-sdk-node as it is published. It throws away what fails, so the storm only delivers twice.
func TestSensorsSDK(t *testing.T) {
	t.Parallel()
	h, s, url := weather(t, true)
	n := sdkEvents(t) / 10 * 10
	drive(t, "sensors", url, n)
	h.each(t, n, s)
}
