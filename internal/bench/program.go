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
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// program is a built guanxi on one data directory.
type program struct {
	bin, data, base, key string
	server               *exec.Cmd
}

// command runs a command to its end and returns its standard output, its peak memory in kB and how long it took.
func (p *program) command(ctx context.Context, stdin string, args ...string) (out []byte, peak int64, took time.Duration, err error) {
	cmd := exec.CommandContext(ctx, p.bin, append(args, "--data", p.data)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, 0, err
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				peak = max(peak, status(cmd.Process.Pid, "VmHWM"))
			}
		}
	})
	err = cmd.Wait()
	took = time.Since(begin)
	close(done)
	watch.Wait()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, tail(stderr.String()))
	}
	return stdout.Bytes(), peak, took, err
}

func tail(s string) string { return s[max(0, len(s)-400):] }

// start serves and waits until it is ready; it returns how long that took.
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
	p.server = exec.CommandContext(ctx, p.bin, "serve", "--addr", addr, "--data", p.data, "--log-level", "error")
	begin := time.Now()
	if err := p.server.Start(); err != nil {
		return 0, err
	}
	for time.Since(begin) < time.Minute {
		if r, err := http.Get(p.base + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return time.Since(begin), nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return 0, errors.New("the server did not become ready")
}

func (p *program) stop() {
	if p.server != nil {
		_ = p.server.Process.Signal(os.Interrupt)
		_ = p.server.Wait()
		p.server = nil
	}
}

// call makes one request; v may be nil.
func (p *program) call(method, path string, body, v any) error {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, p.base+"/api/v1"+path, r)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.key)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusTooManyRequests {
		wait, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		time.Sleep(time.Duration(max(wait, 1)) * time.Second)
		return errLater
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, tail(string(b)))
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(b, v)
}

var (
	errLater = errors.New("asked to come later")
	client   = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 2 * time.Minute}
)

// timing is what many requests of one kind took.
type timing struct {
	cold, p50, p95, most time.Duration
	perSecond            float64
}

func (t timing) String() string {
	return fmt.Sprintf("cold %s, p50 %s, p95 %s, max %s", short(t.cold), short(t.p50), short(t.p95), short(t.most))
}

func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

// measure runs fn(0) cold, then fn(1..n) with so many clients.
func measure(n, clients int, fn func(i int) error) (timing, error) {
	var t timing
	begin := time.Now()
	if err := fn(0); err != nil && !errors.Is(err, errLater) {
		return t, err
	}
	t.cold = time.Since(begin)
	took := make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, clients)
	begin = time.Now()
	for c := range clients {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || errs[c] != nil {
					return
				}
				for {
					one := time.Now()
					err := fn(i + 1)
					took[i] = time.Since(one)
					if !errors.Is(err, errLater) {
						errs[c] = err
						break
					}
				}
			}
		})
	}
	wg.Wait()
	t.perSecond = float64(n) / time.Since(begin).Seconds()
	slices.Sort(took)
	t.p50, t.p95, t.most = took[n/2], took[n*95/100], took[n-1]
	return t, errors.Join(errs...)
}

// status reads a figure in kB of a process.
func status(pid int, key string) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n
		}
	}
	return 0
}

// processor is the processor time a process has used, in hundredths of a second ticks.
func processor(pid int) time.Duration {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

func header(w io.Writer, bin string) {
	size := int64(0)
	if info, err := os.Stat(bin); err == nil {
		size = info.Size()
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	memory, _ := os.ReadFile("/proc/meminfo")
	first, _, _ := strings.Cut(string(memory), "\n")
	fmt.Fprintf(w, "# Benchmarks\n\nMade by `make bench` on %s: %d cores, %s, Linux %s, %s. The program is %.0f MB.\n",
		time.Now().Format("2006-01-02"), runtime.NumCPU(), strings.Join(strings.Fields(first), " "), strings.TrimSpace(string(kernel)), runtime.Version(), float64(size)/1e6)
	fmt.Fprint(w, "\nFour clients, two hundred distinct warm requests of each kind, the cold first one apart. *Bare* is the plain statement in\n"+
		"`internal/bench/bare` on the same file in the same run; the ratio compares medians. A page of ours also carries titles, masks, traits and JSON.\n")
}

// fresh makes a data directory with a workspace and an API key.
func fresh(ctx context.Context, bin, currency, zone string) (*program, error) {
	dir, err := os.MkdirTemp("", "guanxi-bench-")
	if err != nil {
		return nil, err
	}
	p := &program{bin: bin, data: filepath.Join(dir, "data")}
	_, _, _, err = p.command(ctx, "bench-password-1\n", "setup", "--email", "bench@guanxi.example", "--password-stdin", "--currency", currency, "--timezone", zone)
	if err != nil {
		return p, err
	}
	out, _, _, err := p.command(ctx, "", "apikey", "create", "--name", "bench", "--scope", "admin", "--json")
	if err != nil {
		return p, err
	}
	var key struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(out, &key); err != nil {
		return p, err
	}
	p.key = key.Key
	return p, nil
}

func (p *program) remove() {
	p.stop()
	_ = os.RemoveAll(filepath.Dir(p.data))
}
