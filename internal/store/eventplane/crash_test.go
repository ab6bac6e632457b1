package eventplane_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// crashEnv names the directory for the child of the crash test.
const crashEnv = "GUANXI_EVENTPLANE_CHILD"

// TestCrashChild is the child: it accepts and carries events until it is killed. Each line says up to which number they were accepted.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashEnv)
	if dir == "" {
		t.Skip("the child of TestNothingIsLostOrDoubledByKills")
	}
	from, err := strconv.Atoi(os.Getenv(crashEnv + "_FROM"))
	must(t, err)
	s := open(t, dir, 90)
	s.clock.Set(start.Add(time.Duration(from) * time.Minute)) // days go by
	ctx := context.Background()
	for n := from; ; n += 35 {
		s.accept(n, 35)
		fmt.Fprintf(os.Stdout, "ack %d\n", n+35)
		s.clock.Advance(37 * time.Minute)
		for _, step := range []func(context.Context) (int, error){s.plane.Follow, s.plane.Load, s.plane.Visits, s.plane.Seal} {
			if _, err := step(ctx); err != nil {
				fmt.Fprintf(os.Stdout, "error %v\n", err)
				return
			}
		}
	}
}

// A process is killed again and again, wherever it is between two steps or in one: everything acknowledged is there once, in what is analysed, in the
// files and in what is read back from them.
func TestNothingIsLostOrDoubledByKills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(7, 11))
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	acked := 0
	for range rounds {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.timeout=60s") //nolint:gosec // this very binary
		cmd.Env = append(os.Environ(), crashEnv+"="+dir, crashEnv+"_FROM="+strconv.Itoa(acked))
		out, err := cmd.StdoutPipe()
		must(t, err)
		cmd.Stderr = os.Stderr
		must(t, cmd.Start())
		last := acked
		until := acked + 35*(3+rng.IntN(12))
		timer := time.Duration(rng.IntN(40)) * time.Millisecond
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			word, rest, _ := strings.Cut(lines.Text(), " ")
			switch word {
			case "ack":
				last, err = strconv.Atoi(rest)
				must(t, err)
			case "error":
				t.Errorf("the child failed: %s", rest)
			}
			if last == until {
				must(t, clock.Pause(t.Context(), timer, nil))
				_ = cmd.Process.Kill() // it may be over
			}
		}
		_ = cmd.Wait() // killed
		if last < until {
			t.Fatalf("the child acknowledged %d events", last)
		}
		acked = last
	}
	s := open(t, dir, 90)
	s.clock.Set(start.Add(time.Duration(acked+2000) * time.Minute))
	settle(s)
	check := func(when string) {
		t.Helper()
		events := s.dump("(SELECT count(*) AS n, count(DISTINCT id) AS ids, count(DISTINCT title) AS titles FROM f_event) x")
		var n, ids, titles int
		if _, err := fmt.Sscan(events[0], &n, &ids, &titles); err != nil {
			t.Fatal(err)
		}
		// The child may have accepted a batch that it did not tell of any more.
		if n != ids || n != titles || n < acked || n > acked+rounds*35 {
			t.Errorf("%s: %d events, %d ids, %d titles; %d were acknowledged", when, n, ids, titles, acked)
		}
	}
	check("at the end")
	events, visits := s.dump("f_event"), s.dump("f_session")
	if _, err := s.plane.Check(t.Context()); err != nil {
		t.Error(err)
	}
	s.lose()
	settle(s)
	check("read back")
	if got := s.dump("f_event"); !slices.Equal(got, events) {
		t.Error("what is read back differs")
	}
	if got := s.dump("f_session"); !slices.Equal(got, visits) {
		t.Error("visits of what is read back differ")
	}
	s.close()
}

// settle carries everything to its end.
func settle(s *site) {
	s.t.Helper()
	for {
		n, err := s.store.Resolve(context.Background(), 100, resolve)
		must(s.t, err)
		if n == 0 {
			break
		}
	}
	s.drain()
	s.sealAll()
}
