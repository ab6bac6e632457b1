package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// program is a built guanxi on one data directory, or on a database.
type program struct {
	bin, data, database string
	base                string
	server              *exec.Cmd
	keys                []string // requests take turns: one key may ask a hundred times a second
	turn                atomic.Int64
	more                []string // of the environment
}

const (
	clients  = 4
	keyCount = 48
)

// fresh makes a workspace in a directory of its own.
func fresh(ctx context.Context, s *settings, name, currency, zone string) (*program, error) {
	p := &program{bin: s.bin, data: filepath.Join(s.dir, name)}
	return p, p.setup(ctx, currency, zone)
}

func (p *program) setup(ctx context.Context, currency, zone string) error {
	_, err := p.command(ctx, "bench-password-1\n", "setup", "--email", "bench@guanxi.example", "--password-stdin", "--currency", currency, "--timezone", zone)
	return err
}

// used is what a command took.
type used struct {
	out       []byte
	took, cpu time.Duration
	peak      int64 // bytes resident at most
}

// command runs a command of the program to its end.
func (p *program) command(ctx context.Context, stdin string, args ...string) (used, error) {
	args = append(args, "--data", p.data, "--log-level", "error")
	cmd := exec.CommandContext(ctx, p.bin, args...) //nolint:gosec // the program that is measured
	cmd.Env = p.environ()
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	begin := time.Now()
	err := cmd.Run()
	u := used{out: out.Bytes(), took: time.Since(begin)}
	if st := cmd.ProcessState; st != nil {
		u.cpu = st.UserTime() + st.SystemTime()
		if r, ok := st.SysUsage().(*syscall.Rusage); ok {
			u.peak = r.Maxrss << 10
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", args[0], err, tail(said.String()))
	}
	return u, err
}

func (p *program) environ() []string {
	env := append(os.Environ(), p.more...)
	if p.database != "" {
		env = append(env, "GUANXI_DATABASE_URL="+p.database, "GUANXI_SECRET=a-secret-of-the-benchmark-that-protects-nothing")
	}
	return env
}

func tail(s string) string { return s[max(0, len(s)-400):] }

// start serves and answers how long it took until the server was ready.
func (p *program) start(ctx context.Context) (time.Duration, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return 0, err
	}
	p.base = "http://" + addr
	p.server = exec.CommandContext(ctx, p.bin, "serve", "--addr", addr, "--data", p.data, "--log-level", "error") //nolint:gosec // see above
	p.server.Env = p.environ()
	p.server.Cancel = func() error { return p.server.Process.Signal(os.Interrupt) }
	p.server.WaitDelay = 30 * time.Second
	begin := time.Now()
	if err := p.server.Start(); err != nil {
		return 0, err
	}
	for time.Since(begin) < 5*time.Minute && ctx.Err() == nil {
		if res, err := http.Get(p.base + "/readyz"); err == nil { //nolint:noctx // a second at most
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return time.Since(begin), p.makeKeys(ctx)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return 0, errors.New("the server did not become ready")
}

// makeKeys makes the keys of the requests.
func (p *program) makeKeys(ctx context.Context) error {
	if len(p.keys) > 0 {
		return nil
	}
	u, err := p.command(ctx, "", "apikey", "create", "--name", "bench", "--scope", "admin", "--json")
	if err != nil {
		return err
	}
	var key struct{ Key string }
	if err := json.Unmarshal(u.out, &key); err != nil {
		return err
	}
	p.keys = []string{key.Key}
	for range keyCount - 1 {
		if err := p.call(http.MethodPost, "/apikeys", obj{"name": "bench", "scopes": []string{"read", "write", "import", "admin"}}, &key); err != nil {
			return err
		}
		p.keys = append(p.keys, key.Key)
	}
	return nil
}

// stop ends the server and waits for it.
func (p *program) stop() {
	if p.server == nil {
		return
	}
	_ = p.server.Process.Signal(os.Interrupt)
	_ = p.server.Wait() // how it ends is not measured
	p.server = nil
}

type obj = map[string]any

// client does not ask for compressed answers, as little as the bare engine gives them: measured apart (ask.go).
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}, Timeout: 5 * time.Minute}

// call makes one request; body and v may be nil.
func (p *program) call(method, path string, body, v any) error {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, p.base+"/api/v1"+path, r) //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.keys[int(p.turn.Add(1))%len(p.keys)])
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, tail(string(b)))
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(b, v)
}

// resident is a figure in bytes of the status of the server: VmRSS, VmHWM or RssAnon.
func (p *program) resident(key string) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.server.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

// ticks is how many times a second the kernel counts processor time in /proc, on every Linux.
const ticks = 100

// processor is the processor time that the server has used.
func (p *program) processor() time.Duration {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.server.Process.Pid) + "/stat")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return 0
	}
	sum := int64(0)
	for _, v := range f[11:13] { // user and system time
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks
}

// spent is the processor time of the threads that the server has, counted in nanoseconds: for differences over a short time,
// in which no thread ends.
func (p *program) spent() time.Duration {
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(p.server.Process.Pid) + "/task/*/schedstat")
	if err != nil {
		return 0
	}
	sum := int64(0)
	for _, t := range tasks {
		b, err := os.ReadFile(t) //nolint:gosec // of the kernel
		if err != nil {
			continue // it has ended
		}
		first, _, _ := strings.Cut(string(b), " ")
		if n, err := strconv.ParseInt(first, 10, 64); err == nil {
			sum += n
		}
	}
	return time.Duration(sum)
}

// quiet waits until everything that follows from writes is done: mirror and search have seen them, and the server does no more
// work. Passes of the traits begin a moment after the mirror and rest between them.
func (p *program) quiet() error {
	const look, rest, little = 250 * time.Millisecond, 6, 5 * time.Millisecond
	if _, err := p.caughtUp(10 * time.Minute); err != nil {
		return err
	}
	begin := time.Now()
	last := p.spent()
	for still := 0; still < rest; {
		if time.Since(begin) > 10*time.Minute {
			return errors.New("the server does not come to rest")
		}
		time.Sleep(look)
		now := p.spent()
		if still++; now-last > little {
			still = 0
		}
		last = now
	}
	return nil
}

// caughtUp waits until mirror and search have seen every change; it answers how long the mirror took.
func (p *program) caughtUp(atMost time.Duration) (mirror time.Duration, err error) {
	begin := time.Now()
	for time.Since(begin) < atMost {
		var s struct {
			Mirror struct {
				Lag int64 `json:"lag_changes"`
			}
			Search struct {
				Lag int64 `json:"lag_changes"`
			}
		}
		if err := p.call(http.MethodGet, "/system", nil, &s); err != nil {
			return 0, err
		}
		if s.Mirror.Lag == 0 && mirror == 0 {
			mirror = time.Since(begin)
		}
		if s.Mirror.Lag == 0 && s.Search.Lag == 0 {
			return mirror, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return 0, fmt.Errorf("mirror and search did not catch up in %s", atMost)
}
