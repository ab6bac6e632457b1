package apptest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"time"
)

// storm is a proxy in front of the program that goes wrong in every way a network can. It counts what it did.
type storm struct {
	to      func() string // where the program is now
	patient bool          // asks again itself, for a client that throws away what fails; everything is delivered twice then
	mild    bool          // two of three calls more go well, for a client that rests long after each failure
	half    int           // so many calls are let through before it waits to be released

	mu      sync.Mutex
	rng     *rand.Rand
	done    map[string]int
	tried   map[string]int // by the events of a call
	passed  int
	acked   map[string]bool // message ids of single calls that were answered well
	reached chan struct{}
	release <-chan struct{}
}

// fates are what becomes of a call. Three of nine go well.
var fates = []string{"429", "503", "cut before", "cut request", "cut answer", "twice", "well", "well", "well"}

// mostFailures is how often the same events go wrong: clients give up some time.
const mostFailures = 4

// downFor is how long a call waits for a program that is away.
const downFor = 30 * time.Second

var (
	sentAt    = regexp.MustCompile(`"sentAt":"[^"]*"`)
	messageID = regexp.MustCompile(`"messageId":"([^"]*)"`)
)

// weather puts a storm in front of a program.
func weather(t testing.TB, to func() string, d *driver, half int, release <-chan struct{}) (*storm, string) {
	t.Helper()
	s := &storm{to: to, patient: d.patient, mild: d.perCall == 1, half: half, rng: rand.New(rand.NewPCG(5, 8)), done: map[string]int{}, tried: map[string]int{}, acked: map[string]bool{}, //nolint:gosec // the same storm each time
		reached: make(chan struct{}), release: release}
	proxy := httptest.NewServer(s)
	t.Cleanup(proxy.Close)
	return s, proxy.URL
}

func (s *storm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	fate := s.fate(r, body)
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch fate {
	case "429":
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case "503":
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case "cut before":
		cut(w, "")
		return
	case "cut request":
		_, _ = s.deliver(r, io.MultiReader(bytes.NewReader(body[:len(body)/2]), broken{}), len(body))
		cut(w, "")
		return
	case "twice":
		_, _ = s.deliver(r, bytes.NewReader(body), len(body))
	}
	res, answer := s.deliver(r, bytes.NewReader(body), len(body))
	for s.patient && (res == nil || res.StatusCode != http.StatusOK) && r.Context().Err() == nil {
		res, answer = s.deliver(r, bytes.NewReader(body), len(body))
	}
	if res == nil {
		cut(w, "")
		return
	}
	if name := messageID.FindSubmatch(body); name != nil && res.StatusCode == http.StatusOK && r.Method == http.MethodPost {
		s.mu.Lock()
		s.acked[string(name[1])] = true
		s.mu.Unlock()
	}
	if fate == "cut answer" { // it arrived, and the client does not know
		cut(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"success\":")
		return
	}
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(answer)
}

// fate decides about a call, and holds the one in the middle until it is released.
func (s *storm) fate(r *http.Request, body []byte) string {
	if r.Method != http.MethodPost {
		return "well"
	}
	s.mu.Lock()
	fate := "well"
	if !s.mild || s.rng.IntN(3) == 0 {
		fate = fates[s.rng.IntN(len(fates))]
	}
	what := sentAt.ReplaceAllString(string(body), "")
	if s.tried[what]++; fate != "well" && (s.patient || s.tried[what] > mostFailures) {
		fate = "twice"
	}
	s.done[fate]++
	s.passed++
	middle := s.passed == s.half
	held := s.passed >= s.half
	s.mu.Unlock()
	if middle {
		close(s.reached)
	}
	if held {
		<-s.release
	}
	return fate
}

// taken is how many single calls the program took.
func (s *storm) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acked)
}

// cut ends a connection after a part of an answer.
func cut(w http.ResponseWriter, part string) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_, _ = io.WriteString(c, part)
		_ = c.Close()
	}
}

// broken is a body that ends too early.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the line is cut") }

// deliver passes a call on, and waits for a program that is away. Without an answer nobody knows what became of it.
func (s *storm) deliver(r *http.Request, body io.Reader, size int) (*http.Response, []byte) {
	raw, err := io.ReadAll(body)
	whole := err == nil
	deadline := time.NewTimer(downFor)
	defer deadline.Stop()
	for {
		var from io.Reader = bytes.NewReader(raw)
		if !whole {
			from = io.MultiReader(bytes.NewReader(raw), broken{})
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, s.to()+r.URL.String(), from)
		if err != nil {
			return nil, nil
		}
		req.ContentLength = int64(size)
		req.Header = r.Header.Clone()
		res, err := asking.Do(req)
		var away *net.OpError
		if errors.As(err, &away) && away.Op == "dial" {
			select {
			case <-deadline.C:
				return nil, nil
			case <-r.Context().Done():
				return nil, nil
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		if err != nil {
			return nil, nil
		}
		answer, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return nil, nil
		}
		return res, answer
	}
}

func (s *storm) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.passed, " calls ", s.done)
}
