package eventstore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// crashEnv names the database for the child of a crash test: a file, or a schema of the PostgreSQL under test.
const crashEnv = "GUANXI_EVENT_CRASH"

// TestCrashChild accepts batches with eight callers until the process is killed. Each line on standard output is a message id that was
// acknowledged.
func TestCrashChild(t *testing.T) {
	name := os.Getenv(crashEnv)
	if name == "" {
		return
	}
	var db sqlstore.DB
	var err error
	if filepath.IsAbs(name) {
		db, err = sqlite.Open(t.Context(), sqlite.Config{Path: name})
	} else {
		db, err = postgres.Open(t.Context(), postgres.Config{URL: os.Getenv("GUANXI_TEST_POSTGRES_URL"), Schema: name})
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := eventstore.New(t.Context(), eventstore.Config{DB: db, Clock: clock.System{}, IDs: id.NewGenerator(clock.System{}, 2)})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for caller := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				list := []event.Event{made(fmt.Sprintf("%d/%d/a", caller, n), "x"), made(fmt.Sprintf("%d/%d/b", caller, n), "x")}
				_, err := s.Accept(context.Background(), list)
				mu.Lock()
				if err != nil {
					fmt.Fprintf(os.Stdout, "error %v\n", err)
				} else {
					fmt.Fprintf(os.Stdout, "ack %s\nack %s\n", list[0].MessageID, list[1].MessageID)
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestKill: what was acknowledged before a SIGKILL is there once, batches are whole, and a resend of everything stores nothing twice.
func TestKill(t *testing.T) {
	t.Parallel()
	if os.Getenv(crashEnv) != "" {
		return
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "inbox.db")
		crash(t, path, func() sqlstore.DB { return openSQLite(t, sqlite.Config{Path: path}) })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := openPostgres(t)
		crash(t, db.Schema(), func() sqlstore.DB { return db })
	})
}

func crash(t *testing.T, database string, reopen func() sqlstore.DB) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.timeout=60s") //nolint:gosec // this very binary
	cmd.Env = append(os.Environ(), crashEnv+"="+database)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "ack":
			acked = append(acked, rest)
		case "error":
			t.Errorf("the child failed: %s", rest)
		}
		if len(acked) == 500 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	if len(acked) < 500 {
		t.Fatalf("the child acknowledged %d events", len(acked))
	}
	w := newWorld(t, reopen())
	// The server may take a moment to notice that whoever held its connections is dead; until then what came after is held back.
	var found map[string]int
	for deadline := time.Now().Add(30 * time.Second); ; {
		found = map[string]int{}
		for _, e := range w.all(t) {
			found[e.MessageID]++
		}
		if !slices.ContainsFunc(acked, func(name string) bool { return found[name] == 0 }) || time.Now().After(deadline) {
			break
		}
		if err := clock.Pause(t.Context(), 20*time.Millisecond, nil); err != nil {
			t.Fatal(err)
		}
	}
	var again []event.Event
	for _, name := range acked {
		again = append(again, made(name, "x"))
		if found[name] != 1 {
			t.Errorf("%s was acknowledged and is there %d times", name, found[name])
		}
	}
	for name, n := range found {
		half := strings.TrimSuffix(strings.TrimSuffix(name, "a"), "b")
		if n != 1 || found[half+"a"] != found[half+"b"] {
			t.Errorf("%s is there %d times, its batch by half", name, n)
		}
	}
	for i, state := range w.accept(t, again...) {
		if state != eventstore.Duplicate {
			t.Errorf("the resend of %s is %s", acked[i], state)
		}
	}
	if got := w.accept(t, made("life goes on", "x")); got[0] != eventstore.Stored {
		t.Errorf("afterwards: %v", got)
	}
}

// TestFullDisk: what does not fit is refused whole, and what was acknowledged stays.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	db := openSQLite(t, sqlite.Config{MaxPages: 120})
	w := newWorld(t, db)
	var stored int
	var err error
	for n := 0; n < 10_000 && err == nil; n++ {
		list := []event.Event{made(fmt.Sprint("a", n), strings.Repeat("x", 300)), made(fmt.Sprint("b", n), strings.Repeat("y", 300))}
		if _, err = w.Accept(t.Context(), list); err == nil {
			stored += 2
		}
	}
	if fault.CodeOf(err) != dialect.CodeDiskFull {
		t.Fatalf("the disk is full: %v", err)
	}
	if got := len(w.all(t)); got != stored || stored == 0 {
		t.Errorf("%d in the inbox, %d acknowledged", got, stored)
	}
}
