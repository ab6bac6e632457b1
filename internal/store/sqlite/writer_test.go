package sqlite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/internal/store/storetest"
)

// commitFrames counts the commit frames in a WAL. With synchronous=FULL SQLite syncs the WAL once for each of them, so
// this is the number of syncs that commits have cost; checkpoints are kept away by the caller writing little.
func commitFrames(t *testing.T, path string) int {
	t.Helper()
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if len(wal) < 32 {
		return 0
	}
	page := int(binary.BigEndian.Uint32(wal[8:]))
	salt := wal[16:24]
	n := 0
	for at := 32; at+24+page <= len(wal); at += 24 + page {
		if bytes.Equal(wal[at+8:at+16], salt) && binary.BigEndian.Uint32(wal[at+4:]) != 0 {
			n++
		}
	}
	return n
}

func TestGroupCommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	db := open(t, sqlite.Config{Path: path})
	w := storetest.NewWorld(t, db)
	gate, entered := make(chan struct{}), make(chan struct{})
	var blocker sync.WaitGroup
	blocker.Go(func() {
		_, err := w.Store.Update(t.Context(), func(record.Tx) error {
			close(entered)
			<-gate
			return errors.New("only holds the writer up")
		})
		if err == nil {
			t.Error("the blocker succeeded")
		}
	})
	<-entered
	frames, before := commitFrames(t, path), db.Stats()
	const callers = 100
	var wg, queued sync.WaitGroup
	bad := errors.New("bad")
	rows := make([]record.Row, callers)
	for i := range rows {
		rows[i] = w.Named(fmt.Sprint(i))
	}
	for i := range callers {
		queued.Add(1)
		wg.Go(func() {
			queued.Done()
			_, err := w.Store.Update(t.Context(), func(tx record.Tx) error {
				if err := tx.Insert(t.Context(), w.Customer, rows[i:i+1]); err != nil {
					return err
				}
				if i%10 == 0 {
					return bad
				}
				return nil
			})
			if (i%10 == 0) != errors.Is(err, bad) {
				t.Errorf("caller %d got %v", i, err)
			}
		})
	}
	queued.Wait()
	close(gate)
	blocker.Wait()
	wg.Wait()
	after := db.Stats()
	synced := commitFrames(t, path) - frames
	if got := after.Closures - before.Closures; got != 90 {
		t.Errorf("%d closures were acknowledged", got)
	}
	if commits := int(after.Commits - before.Commits); commits != synced || synced > 30 {
		t.Errorf("90 acknowledged writes took %d commits and %d synced commit frames", commits, synced)
	}
	for i, r := range rows {
		if there := w.Get(w.Customer, r.ID, false) != nil; there != (i%10 != 0) {
			t.Errorf("caller %d: stored %v", i, there)
		}
	}
}

// TestBulkYields holds the writer up while bulk and other work queues: the other work goes first.
func TestBulkYields(t *testing.T) {
	t.Parallel()
	db := open(t, sqlite.Config{})
	var mu sync.Mutex
	var order []string
	note := func(s string) func(sqlstore.Conn) error {
		return func(sqlstore.Conn) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, s)
			return nil
		}
	}
	gate, entered := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	write := func(ctx context.Context, fn func(sqlstore.Conn) error) {
		wg.Go(func() {
			if err := db.Write(ctx, fn); err != nil {
				t.Error(err)
			}
		})
	}
	bulk := sqlstore.Bulk(t.Context())
	write(bulk, func(sqlstore.Conn) error { close(entered); <-gate; return nil })
	<-entered
	for range 3 {
		write(bulk, note("bulk"))
		write(t.Context(), note("person"))
	}
	for db.Queued() < 6 { // until all six wait
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		default:
		}
	}
	close(gate)
	wg.Wait()
	if got := strings.Join(order, " "); got != "person person person bulk bulk bulk" {
		t.Errorf("the order was %s", got)
	}
}

func TestCancelWhileQueued(t *testing.T) {
	t.Parallel()
	db := open(t, sqlite.Config{})
	gate, entered := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() { // begun before the context ends: it is finished
		err := db.Write(ctx, func(c sqlstore.Conn) error {
			close(entered)
			<-gate
			_, err := c.Exec(ctx, "CREATE TABLE begun(x)")
			return err
		})
		if err != nil {
			t.Errorf("a write that had begun: %v", err)
		}
	})
	<-entered
	wg.Go(func() {
		err := db.Write(ctx, func(c sqlstore.Conn) error {
			_, err := c.Exec(ctx, "CREATE TABLE waiting(x)")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a write that waited: %v", err)
		}
	})
	for db.Queued() < 1 {
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		default:
		}
	}
	cancel()
	close(gate)
	wg.Wait()
	var begun, waiting int64
	err := db.Read(t.Context(), func(c sqlstore.Conn) error {
		_, err := c.QueryRow(t.Context(), []any{&begun, &waiting},
			"SELECT count(*) FILTER (WHERE name = 'begun'), count(*) FILTER (WHERE name = 'waiting') FROM sqlite_master")
		return err
	})
	if err != nil || begun != 1 || waiting != 0 {
		t.Errorf("begun %d, waiting %d, %v", begun, waiting, err)
	}
}

// fillUp writes until the database has no room and answers how many rows were acknowledged.
func fillUp(t *testing.T, w *storetest.World) (acked []record.Row) {
	t.Helper()
	for range 100_000 {
		r := w.Row(w.Customer, map[string]any{"name": strings.Repeat("x", 3000)})
		_, err := w.Store.Update(t.Context(), func(tx record.Tx) error { return tx.Insert(t.Context(), w.Customer, []record.Row{r}) })
		if err != nil {
			if fault.CodeOf(err) != "store.disk_full" || fault.KindOf(err) != fault.Unavailable {
				t.Fatalf("a full disk gave %v", err)
			}
			return acked
		}
		acked = append(acked, r)
	}
	t.Fatal("the disk never filled")
	return nil
}

func checkKept(t *testing.T, w *storetest.World, acked []record.Row) {
	t.Helper()
	ids := make([]id.ID, len(acked))
	for i, r := range acked {
		ids[i] = r.ID
	}
	w.View(func(ctx context.Context, r record.Reader) error {
		rows, err := r.Get(ctx, w.Customer, ids, false)
		n, err2 := r.Count(ctx, w.Customer, record.Selection{}, 0)
		if len(rows) != len(acked) || n != len(acked) {
			t.Errorf("%d acknowledged, %d found, %d stored", len(acked), len(rows), n)
		}
		return errors.Join(err, err2)
	})
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	db := open(t, sqlite.Config{MaxPages: 600})
	w := storetest.NewWorld(t, db)
	acked := fillUp(t, w)
	checkKept(t, w, acked)
	half := len(acked) / 2
	w.Update(func(ctx context.Context, tx record.Tx) error { // deleting makes room
		ids := make([]id.ID, half)
		for i := range ids {
			ids[i] = acked[i].ID
		}
		return tx.Purge(ctx, w.Customer, ids)
	})
	acked = acked[half:]
	r := w.Named("after")
	w.Insert(w.Customer, r)
	checkKept(t, w, append(acked, r))
}

// TestDiskFullForReal fills a small file system in memory. Mounting needs root; elsewhere the bound on pages above shows
// the same fault.
func TestDiskFullForReal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Logf("no file system can be mounted here: %v", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, sqlite.Config{Path: filepath.Join(dir, "records.db")})
	w := storetest.NewWorld(t, db)
	acked := fillUp(t, w)
	checkKept(t, w, acked)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		r := w.Named("after")
		w.Insert(w.Customer, r)
		acked = append(acked, r)
	}
	checkKept(t, w, acked)
}

// TestErasedFromFile looks for a removed document's token in the bytes of the file.
func TestErasedFromFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, SecureDelete: true})
	if err != nil {
		t.Fatal(err)
	}
	w := storetest.NewWorld(t, db)
	var docs []sqlstore.SearchDoc
	for i := range 2000 {
		docs = append(docs, sqlstore.SearchDoc{Object: "customer", ID: id.ID(i + 1), Tokens: []string{"everyone", fmt.Sprintf("token%d", i)}})
	}
	docs[1000].Tokens = append(docs[1000].Tokens, "verysecretname")
	r := w.Named("verysecretname")
	w.Insert(w.Customer, r)
	if err := w.Store.PutSearch(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	if err := w.Store.DeleteSearch(t.Context(), []id.ID{1001}); err != nil {
		t.Fatal(err)
	}
	w.Update(func(ctx context.Context, tx record.Tx) error { return tx.Purge(ctx, w.Customer, []id.ID{r.ID}) })
	if err := w.Store.OptimizeSearch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("verysecretname")) || bytes.Contains(data, []byte("secretname")) {
		t.Error("the file still holds what was removed")
	}
	if !bytes.Contains(data, []byte("everyone")) {
		t.Error("the file holds nothing at all: the test looks in the wrong place")
	}
}

// TestCrashChild is the process that TestKill kills; by itself it does nothing.
func TestCrashChild(t *testing.T) {
	if path := os.Getenv(storetest.CrashEnv); path != "" {
		storetest.CrashChild(t, open(t, sqlite.Config{Path: path}))
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	if os.Getenv(storetest.CrashEnv) != "" {
		return
	}
	path := filepath.Join(t.TempDir(), "records.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	storetest.NewWorld(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	storetest.Crash(t, "TestCrashChild", path, func() sqlstore.DB { return open(t, sqlite.Config{Path: path}) })
}

func TestBackup(t *testing.T) {
	t.Parallel()
	db := open(t, sqlite.Config{})
	w := storetest.NewWorld(t, db)
	r := w.Named("kept")
	w.Insert(w.Customer, r)
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := db.BackupTo(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if err := db.BackupTo(t.Context(), copied); err == nil {
		t.Error("a file that exists was overwritten")
	}
	w.Insert(w.Customer, w.Named("later"))
	checkKept(t, storetest.NewWorld(t, open(t, sqlite.Config{Path: copied})), []record.Row{r})
}
