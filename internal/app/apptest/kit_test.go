package apptest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

// machine is a data directory and the server that runs on it now and then.
type machine struct {
	testing.TB
	dir  string
	env  []string
	args []string
	key  string // of an administrator
	url  string
	run  *running
}

// running is one server process.
type running struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error
	log  *lines
}

// lines keeps what a process wrote.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.WriteString(s + "\n")
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// newMachine makes an empty one.
func newMachine(t testing.TB, args ...string) *machine {
	t.Helper()
	dir, err := os.MkdirTemp("", "gx")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{TB: t, dir: filepath.Join(dir, "data"), args: append([]string{"--analytics-mb", "192", "--threads", "1"}, args...)}
	t.Cleanup(func() {
		if m.run != nil {
			m.kill()
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return m
}

// set up makes the workspace and a key.
func (m *machine) setup(zone, currency string) *machine {
	m.Helper()
	if code, out, errs := m.command(password+"\n", "setup", "--email", "a@example.com", "--password-stdin", "--timezone", zone, "--currency", currency); code != 0 {
		m.Fatalf("setup: %d %s %s", code, out, errs)
	}
	var k struct{ Key string }
	m.ok(&k, "apikey", "create", "--name", "trial", "--scope", "read", "--scope", "write", "--scope", "import", "--scope", "admin")
	m.key = k.Key
	return m
}

const password = "correct horse staple"

func (m *machine) process(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		m.Fatal(err)
	}
	c := exec.CommandContext(ctx, self, append(append([]string{"--data", m.dir}, m.args...), args...)...)
	c.Env = append(append(os.Environ(), apptestChild+"=1", "LANG=en_GB.UTF-8", "GUANXI_DATABASE_URL="), m.env...)
	return c
}

// command runs one command to its end.
func (m *machine) command(stdin string, args ...string) (code int, stdout, stderr string) {
	m.Helper()
	var out, errs bytes.Buffer
	c := m.process(m.Context(), args...)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// ok runs a command that must succeed and print exactly one JSON document.
func (m *machine) ok(v any, args ...string) {
	m.Helper()
	code, out, errs := m.command("", append(args, "--json")...)
	if code != 0 {
		m.Fatalf("%v: exit %d: %s %s", args, code, out, errs)
	}
	dec := json.NewDecoder(strings.NewReader(out))
	if err := dec.Decode(v); err != nil || dec.More() {
		m.Fatalf("%v: not one document: %v: %s", args, err, out)
	}
}

// start runs the server until kill or stop.
func (m *machine) start() *machine {
	m.Helper()
	c := m.process(context.WithoutCancel(m.Context()), "--log-level", "warn", "--addr", "127.0.0.1:0", "serve")
	pipe, err := c.StderrPipe()
	if err != nil {
		m.Fatal(err)
	}
	if err := c.Start(); err != nil {
		m.Fatal(err)
	}
	r := &running{cmd: c, done: make(chan struct{}), log: &lines{}}
	m.run = r
	listening := make(chan string, 1)
	go func() {
		defer close(r.done)
		in := bufio.NewScanner(pipe)
		for in.Scan() {
			r.log.add(in.Text())
			if url, ok := strings.CutPrefix(in.Text(), "listening "); ok {
				listening <- url
			}
		}
		r.err = c.Wait()
	}()
	select {
	case m.url = <-listening:
	case <-r.done:
		m.Fatalf("the server ended: %v\n%s", r.err, r.log)
	case <-time.After(60 * time.Second):
		m.Fatalf("the server does not listen:\n%s", r.log)
	}
	return m
}

// kill ends the server as a power cut would, as far as a process can tell.
func (m *machine) kill() {
	m.Helper()
	if err := m.run.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		m.Error(err)
	}
	<-m.run.done
	m.run = nil
}

// stop asks the server to end and wants it to end well.
func (m *machine) stop() {
	m.Helper()
	if err := m.run.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.Error(err)
	}
	select {
	case <-m.run.done:
	case <-time.After(60 * time.Second):
		m.Fatalf("the server does not stop:\n%s", m.run.log)
	}
	if m.run.err != nil {
		m.Errorf("the server ended with %v:\n%s", m.run.err, m.run.log)
	}
	m.run = nil
}

// client asks one server as one caller. The server may be away: ask returns the error, do fails the test.
type client struct {
	testing.TB
	url    string
	header http.Header
}

var asking = &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

func (m *machine) client() *client {
	return &client{TB: m.TB, url: m.url, header: http.Header{"Authorization": {"Bearer " + m.key}, "Accept-Language": {"en"}}}
}

func (c *client) with(name, value string) *client {
	d := *c
	d.header = c.header.Clone()
	d.header.Set(name, value)
	return &d
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) code() string {
	var p struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(a.body, &p)
	return p.Type
}

func (c *client) ask(method, path, contentType string, body io.Reader) (answer, error) {
	req, err := http.NewRequestWithContext(c.Context(), method, c.url+"/api/v1"+path, body)
	if err != nil {
		return answer{}, err
	}
	req.Header = c.header.Clone()
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := asking.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, raw}, err
}

func (c *client) do(method, path, body string) answer {
	c.Helper()
	kind := ""
	if body != "" {
		kind = "application/json"
	}
	a, err := c.ask(method, path, kind, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	return a
}

func (c *client) want(status int, a answer) answer {
	c.Helper()
	if a.status != status {
		c.Fatalf("status %d, want %d: %.800s", a.status, status, a.body)
	}
	return a
}

// read asks and decodes.
func read[T any](c *client, method, path, body string) T {
	c.Helper()
	var v T
	a := c.do(method, path, body)
	if a.status >= 300 {
		c.Fatalf("%s %s: status %d: %.800s", method, path, a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		c.Fatalf("%s %s: %v in %.300s", method, path, err, a.body)
	}
	return v
}

type rec struct {
	ID      string         `json:"id"`
	Title   string         `json:"title"`
	Version int64          `json:"version"`
	Fields  map[string]any `json:"fields"`
	Traits  map[string]any `json:"traits"`
}

type page struct {
	Items      []rec   `json:"items"`
	NextCursor *string `json:"next_cursor"`
	Total      *int    `json:"total"`
}

type system struct {
	Mirror struct {
		Lag        int64 `json:"lag_changes"`
		Rebuilding bool
	} `json:"mirror"`
	Search struct {
		Lag int64 `json:"lag_changes"`
	} `json:"search"`
	Traits struct{ Stale bool } `json:"traits"`
}

// eventually repeats a question until it is answered as hoped, for what follows the change log.
func eventually(t testing.TB, what string, atMost time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(atMost)
	tick := time.NewTicker(30 * time.Millisecond)
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

// settled waits until search, analytics and traits have taken in everything.
func (c *client) settled() {
	c.Helper()
	eventually(c, "what follows the log", 2*time.Minute, func() bool {
		s := read[system](c, "GET", "/system", "")
		return s.Mirror.Lag == 0 && s.Search.Lag == 0 && !s.Traits.Stale
	})
}

func (c *client) records(object string) int {
	c.Helper()
	p := read[page](c, "POST", "/records/"+object+"/query", `{"limit":1,"total":"exact"}`)
	if p.Total == nil {
		c.Fatalf("no total of %s", object)
	}
	return *p.Total
}

// counted is how many customers fulfil a condition in the analytics plane.
func (c *client) counted(where string) int {
	c.Helper()
	return read[struct{ Count int }](c, "POST", "/segments/count", `{"where":`+where+`}`).Count
}

const everyone = `{"any":[{"field":"name","op":"is_set"},{"field":"name","op":"is_not_set"}]}`

// importJob is an import as the API shows it.
type importJob struct {
	ID       string          `json:"id"`
	Status   string          `json:"status"`
	Error    json.RawMessage `json:"error"`
	Mapping  json.RawMessage `json:"mapping"`
	Progress struct {
		Rows int64 `json:"rows"`
	} `json:"progress"`
	Result *struct {
		Rows, Created, Updated, Unchanged, Skipped, Errors int64
		Seconds                                            float64
		ByObject                                           map[string]struct{ Created, Updated, Unchanged int64 } `json:"by_object"`
	} `json:"result"`
}

func (j importJob) active() bool {
	return j.Status == "running" || j.Status == "checking" || j.Status == "undoing"
}

// upload sends a file for import.
func (c *client) upload(object, name string, content []byte) answer {
	c.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	if err := form.WriteField("object", object); err != nil {
		c.Fatal(err)
	}
	w, err := form.CreateFormFile("file", name)
	if err != nil {
		c.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		c.Fatal(err)
	}
	if err := form.Close(); err != nil {
		c.Fatal(err)
	}
	a, err := c.ask("POST", "/imports", form.FormDataContentType(), &b)
	if err != nil {
		c.Fatal(err)
	}
	return a
}

// load uploads a file and starts its import.
func (c *client) load(object, name, mapping string, content []byte) string {
	c.Helper()
	var j importJob
	if err := json.Unmarshal(c.want(201, c.upload(object, name, content)).body, &j); err != nil {
		c.Fatal(err)
	}
	c.want(200, c.do("PATCH", "/imports/"+j.ID, `{"mapping":`+mapping+`}`))
	c.want(200, c.do("POST", "/imports/"+j.ID+"/start", `{"dry_run":false}`))
	return j.ID
}

// finished waits for an import.
func (c *client) finished(id string, atMost time.Duration) importJob {
	c.Helper()
	var j importJob
	eventually(c, "the end of the import", atMost, func() bool {
		j = read[importJob](c, "GET", "/imports/"+id, "")
		return !j.active()
	})
	return j
}

// shared is a file of ../shared/data.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	root := filepath.Join("..", "..", "..", "..", "shared", "data")
	if _, err := os.Stat(root); errors.Is(err, os.ErrNotExist) {
		t.Skip("../shared/data is absent")
	}
	raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func long() bool { return os.Getenv("GUANXI_LONG") == "1" }

var schemas atomic.Int64

// postgres makes a machine on PostgreSQL with schemas of its own, dropped at the end.
func postgres(t testing.TB) *machine {
	t.Helper()
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		t.Skip("GUANXI_TEST_POSTGRES_URL is not set")
	}
	prefix := fmt.Sprintf("apptest_%d_%d_", os.Getpid(), schemas.Add(1))
	t.Cleanup(func() {
		for _, schema := range []string{prefix + "instance", prefix + "main"} {
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
	m := newMachine(t)
	m.env = []string{apptestSchema + "=" + prefix, "GUANXI_DATABASE_URL=" + url, "GUANXI_SECRET=" + strings.Repeat("s3cret", 8)}
	return m
}
