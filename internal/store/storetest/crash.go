package storetest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// CrashEnv names the database for the child of a crash test; a test binary that finds it set runs CrashChild.
const CrashEnv = "GUANXI_CRASH_CHILD"

// CrashWriters is how many callers write at the same time while the child is killed.
const CrashWriters = 8

// CrashChild writes records with eight callers until the process is killed. Each line on standard output is the id of a
// record whose Update has returned.
func CrashChild(t *testing.T, db sqlstore.DB) {
	w := openWorld(t, db)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for caller := range CrashWriters {
		wg.Go(func() {
			ids := id.NewGenerator(clock.System{}, caller+2)
			for n := 0; ; n++ {
				r := w.Row(w.Customer, map[string]any{"name": fmt.Sprintf("%d/%d", caller, n), "points": int64(n)})
				r.ID = ids.Next()
				_, err := w.Store.Update(context.Background(), func(tx record.Tx) error { return writeWhole(tx, w, r) })
				mu.Lock()
				if err != nil {
					fmt.Fprintf(os.Stdout, "error %v\n", err)
				} else {
					fmt.Fprintf(os.Stdout, "ack %d\n", int64(r.ID))
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

// writeWhole writes a record and all that belongs to it.
func writeWhole(tx record.Tx, w *World, r record.Row) error {
	ctx := context.Background()
	if err := tx.Insert(ctx, w.Customer, []record.Row{r}); err != nil {
		return err
	}
	if _, err := tx.Reserve(ctx, w.Customer, w.Customer.Field("phone"), map[string]id.ID{strconv.FormatInt(int64(r.ID), 10): r.ID}); err != nil {
		return err
	}
	return tx.Append(ctx, Created(w.Customer, []record.Row{r}))
}

// Crash runs the named test of this binary in a child, kills it with SIGKILL after it has acknowledged some hundred
// records, and checks in a database opened anew that everything acknowledged is there once, whole, and nothing by half.
func Crash(t *testing.T, child, database string, reopen func() sqlstore.DB) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+child+"$", "-test.timeout=60s") //nolint:gosec // this very binary
	cmd.Env = append(os.Environ(), CrashEnv+"="+database)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []id.ID
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "ack":
			n, err := strconv.ParseInt(rest, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			acked = append(acked, id.ID(n))
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
		t.Fatalf("the child acknowledged %d records", len(acked))
	}
	w := openWorld(t, reopen())
	settled(t, w, len(acked))
	checkCrashed(t, w, acked)
}

// settled waits until the database has ended what it was doing for whoever was killed: a server may still be committing.
func settled(t *testing.T, w *World, least int) {
	t.Helper()
	was, same := -1, 0
	for tries := 0; same < 3 && tries < 300; tries++ {
		var n int
		w.View(func(ctx context.Context, r record.Reader) (err error) {
			n, err = r.Count(ctx, w.Customer, record.Selection{}, 0)
			return err
		})
		if same++; n != was || n < least {
			was, same = n, 0
		}
		if err := clock.Pause(t.Context(), 100*time.Millisecond, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func checkCrashed(t *testing.T, w *World, acked []id.ID) {
	t.Helper()
	var stored int
	w.View(func(ctx context.Context, r record.Reader) error {
		rows, err := r.Get(ctx, w.Customer, acked, false)
		if err != nil {
			return err
		}
		found := map[id.ID]int{}
		for _, row := range rows {
			found[row.ID]++
		}
		for _, v := range acked {
			if found[v] != 1 {
				t.Errorf("record %d was acknowledged and is there %d times", v, found[v])
			}
		}
		stored, err = r.Count(ctx, w.Customer, record.Selection{}, 0)
		return err
	})
	if stored < len(acked) {
		t.Errorf("%d records, %d acknowledged", stored, len(acked))
	}
	changes := map[id.ID]int{}
	for _, row := range w.Changes(stored) {
		changes[row.Record]++
	}
	if len(changes) != stored {
		t.Errorf("%d records have changes, %d are stored", len(changes), stored)
	}
	for v, n := range changes {
		if n != 1 {
			t.Errorf("record %d has %d changes", v, n)
		}
	}
	var keys int64
	err := w.Store.Read(t.Context(), func(c sqlstore.Conn) error {
		_, err := c.QueryRow(t.Context(), []any{&keys}, "SELECT count(*) FROM unique_key")
		return err
	})
	if err != nil || int(keys) != stored {
		t.Errorf("%d unique keys of %d records, %v", keys, stored, err)
	}
	w.Insert(w.Customer, w.Named("life goes on"))
}
