package duckdb_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
)

func open(t *testing.T, dir string, format int) *duckdb.DB {
	t.Helper()
	db, err := duckdb.Open(t.Context(), duckdb.Config{Dir: dir, Format: format, MemoryLimit: 256, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func shut(t *testing.T, db *duckdb.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func exec(t *testing.T, db *duckdb.DB, texts ...string) error {
	t.Helper()
	return db.Write(t.Context(), func(tx analytics.Tx) error {
		for _, s := range texts {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	})
}

func number(t *testing.T, db *duckdb.DB, query string) (n int64) {
	t.Helper()
	rows, err := db.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestFileIsKeptOrMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, 1)
	if !db.Fresh() {
		t.Error("a new file is not fresh")
	}
	if err := exec(t, db, "CREATE TABLE x (n BIGINT)", "INSERT INTO x VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	shut(t, db)
	db = open(t, dir, 1)
	if db.Fresh() || number(t, db, "SELECT n FROM x") != 7 {
		t.Error("the file was not kept")
	}
	shut(t, db)
	db = open(t, dir, 2)
	if !db.Fresh() || number(t, db, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'x'") != 0 {
		t.Error("a file of another format was kept")
	}
	shut(t, db)
	path := filepath.Join(dir, duckdb.FileName)
	for name, damage := range map[string]func() error{
		"nonsense":  func() error { return os.WriteFile(path, []byte(strings.Repeat("nonsense", 4096)), 0o600) },
		"empty":     func() error { return os.WriteFile(path, nil, 0o600) },
		"cut":       func() error { return os.Truncate(path, 5000) },
		"found bad": func() error { return os.WriteFile(path+".rebuild", nil, 0o600) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		db = open(t, dir, 2)
		if !db.Fresh() {
			t.Errorf("%s: the damaged file was kept", name)
		}
		if err := exec(t, db, "CREATE TABLE x (n BIGINT)", "INSERT INTO x SELECT * FROM range(100000)"); err != nil {
			t.Fatal(err)
		}
		shut(t, db)
	}
}

func TestPathThatTheDriverMisreadsIsRefused(t *testing.T) {
	t.Parallel()
	_, err := duckdb.Open(t.Context(), duckdb.Config{Dir: filepath.Join(t.TempDir(), "a?b")})
	if fault.CodeOf(err) != "analytics.bad_path" {
		t.Errorf("got %v", err)
	}
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), 1)
	defer shut(t, db)
	if err := exec(t, db, "CREATE TABLE x (a BIGINT, b TEXT, c BOOLEAN)"); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("no")
	rows := func(yield func([]any, error) bool) {
		if yield([]any{"t", int64(1)}, nil) {
			yield(nil, failed)
		}
	}
	load := func(src analytics.Source) error {
		return db.Write(t.Context(), func(tx analytics.Tx) error { return tx.Append(t.Context(), "x", []string{"b", "a"}, src) })
	}
	if err := load(rows); !errors.Is(err, failed) {
		t.Errorf("the source's failure is lost: %v", err)
	}
	if err := db.Write(t.Context(), func(tx analytics.Tx) error {
		if err := tx.Append(t.Context(), "x", []string{"a"}, analytics.Rows([][]any{{int64(1)}})); err != nil {
			return err
		}
		return failed
	}); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if err := exec(t, db, "INSERT INTO x (a) VALUES (1)", "SELECT nonsense"); fault.CodeOf(err) != dialect.CodeFailed {
		t.Errorf("got %v", err)
	}
	if n := number(t, db, "SELECT count(*) FROM x"); n != 0 {
		t.Errorf("%d rows stayed", n)
	}
	if err := load(analytics.Rows([][]any{{"t", int64(1)}, {nil, int64(2)}})); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, "SELECT sum(a) FROM x WHERE c IS NULL"); n != 3 {
		t.Errorf("the rows add up to %d", n)
	}
	if err := db.Write(t.Context(), func(tx analytics.Tx) error {
		return tx.Append(t.Context(), "x", []string{"a", "zz"}, analytics.Rows(nil))
	}); err == nil {
		t.Error("a column that does not exist is loaded")
	}
}

func TestReadersRunBesideTheWriter(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), 1)
	defer shut(t, db)
	if err := exec(t, db, "CREATE TABLE x (a BIGINT)"); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				if n := number(t, db, "SELECT count(*) FROM x"); n%100 != 0 {
					t.Errorf("a reader saw %d rows of an unfinished batch", n)
				}
			}
		})
	}
	for i := range 20 {
		if i == 10 { // a schema change in between goes through the same writer
			if err := exec(t, db, "ALTER TABLE x ADD COLUMN b TEXT"); err != nil {
				t.Error(err)
			}
		}
		err := db.Write(t.Context(), func(tx analytics.Tx) error {
			return tx.Append(t.Context(), "x", []string{"a"}, func(yield func([]any, error) bool) {
				for n := range int64(100) {
					if !yield([]any{n}, nil) {
						return
					}
				}
			})
		})
		if err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	if n := number(t, db, "SELECT count(*) FROM x"); n != 2000 {
		t.Errorf("%d rows", n)
	}
}

func TestSettingsAreBounded(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), 1)
	defer shut(t, db)
	rows, err := db.Query(t.Context(), `SELECT current_setting('memory_limit'), CAST(current_setting('threads') AS TEXT),
CAST(current_setting('autoinstall_known_extensions') AS TEXT), CAST(current_setting('autoload_known_extensions') AS TEXT)`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var memory, threads, install, load string
		if err := rows.Scan(&memory, &threads, &install, &load); err != nil {
			t.Fatal(err)
		}
		if memory != "256.0 MiB" || threads != "1" || install != "false" || load != "false" {
			t.Errorf("memory %s, threads %s, install %s, load %s", memory, threads, install, load)
		}
	}
}

func TestACancelledStatementEnds(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), 1)
	defer shut(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Query(ctx, "SELECT count(*) FROM range(10000000000) a"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := db.Write(ctx, func(analytics.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestTheWriterOutlivesItsRows: an error that would have database/sql drop the connection, and a panic, end one write only.
func TestTheWriterOutlivesItsRows(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), 1)
	defer shut(t, db)
	if err := exec(t, db, "CREATE TABLE x (a BIGINT)"); err != nil {
		t.Fatal(err)
	}
	fill := func(rows analytics.Source) error {
		return db.Write(t.Context(), func(tx analytics.Tx) error { return tx.Append(t.Context(), "x", []string{"a"}, rows) })
	}
	err := fill(func(yield func([]any, error) bool) {
		if yield([]any{int64(1)}, nil) {
			yield(nil, driver.ErrBadConn)
		}
	})
	if !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("got %v", err)
	}
	if err := fill(func(func([]any, error) bool) { panic("in the source") }); err == nil || !strings.Contains(err.Error(), "in the source") {
		t.Errorf("got %v", err)
	}
	if n := number(t, db, "SELECT count(*) FROM x"); n != 0 {
		t.Errorf("%d rows stay of writes that failed", n)
	}
	if err := fill(func(yield func([]any, error) bool) { yield([]any{int64(2)}, nil) }); err != nil {
		t.Errorf("the writer is gone: %v", err)
	}
	if n := number(t, db, "SELECT count(*) FROM x"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// TestReadersOutliveARewrite: whoever reads while the file changes places waits, and is not refused; who reads long is waited for.
func TestReadersOutliveARewrite(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), 1)
	defer shut(t, db)
	if err := exec(t, db, "CREATE TABLE x (n BIGINT)", "INSERT INTO x SELECT range FROM range(5000)"); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), "SELECT n FROM x")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	written := make(chan error, 1)
	group.Go(func() { written <- db.Rewrite(t.Context()) })
	for n := range 50 {
		if n == 25 {
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if n := number(t, db, "SELECT count(*) FROM x"); n != 5000 {
			t.Fatalf("%d rows", n)
		}
	}
	stop := make(chan struct{})
	for range 3 { // nobody leaves them a moment
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if n := number(t, db, "SELECT count(*) FROM x WHERE n >= 0"); n != 5000 {
					t.Errorf("%d rows", n)
				}
			}
		})
	}
	err = errors.Join(<-written, db.Rewrite(t.Context()))
	close(stop)
	group.Wait()
	if err != nil {
		t.Error(err)
	}
	if err := exec(t, db, "INSERT INTO x VALUES (8)"); err != nil {
		t.Error(err)
	}
}

func TestTheEngineIsRestarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, 1)
	defer shut(t, db)
	if err := exec(t, db, "CREATE TABLE x (n BIGINT)", "INSERT INTO x VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), "SELECT n FROM x")
	if err != nil {
		t.Fatal(err)
	}
	// A reader at work keeps the file; the restart waits for it instead of hanging.
	if err := db.Restart(t.Context()); fault.CodeOf(err) != "analytics.restarting" {
		t.Errorf("got %v", err)
	}
	if _, err := db.Query(t.Context(), "SELECT 1"); fault.CodeOf(err) != "analytics.restarting" {
		t.Errorf("got %v", err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if n := number(t, db, "SELECT n FROM x"); n != 7 {
		t.Errorf("after the restart the table holds %d", n)
	}
	if err := db.Restart(t.Context()); err != nil {
		t.Error(err)
	}
	if err := exec(t, db, "INSERT INTO x VALUES (8)"); err != nil {
		t.Error(err)
	}
	if n := number(t, db, "SELECT sum(n) FROM x"); n != 15 || db.Fresh() {
		t.Errorf("the table adds up to %d, fresh %v", n, db.Fresh())
	}
}

// TestShrinkGivesMemoryBack: pages of the file leave memory while nobody uses them, and the bound is what it was.
func TestShrinkGivesMemoryBack(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), 1)
	defer shut(t, db)
	const held = "SELECT CAST(sum(memory_usage_bytes) AS BIGINT) FROM duckdb_memory()"
	// Texts that do not repeat take room.
	if err := exec(t, db, "CREATE TABLE x AS SELECT range AS n, md5(CAST(range AS VARCHAR)) || md5(CAST(-range AS VARCHAR)) AS t FROM range(2000000)"); err != nil {
		t.Fatal(err)
	}
	const asked = "SELECT count(DISTINCT substr(t, 1, 3)) FROM x"
	if n := number(t, db, asked); n != 4096 {
		t.Fatalf("%d", n)
	}
	limit := number(t, db, "SELECT CAST(current_setting('memory_limit') LIKE '512%' AS BIGINT)")
	before := number(t, db, held)
	rows, err := db.Query(t.Context(), "SELECT n FROM x")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Shrink(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, held); n < before/2 {
		t.Errorf("memory was taken from under a reader: %d of %d", n, before)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Shrink(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, held); before < 40<<20 || n > 30<<20 {
		t.Errorf("%d bytes are held, %d before", n, before)
	}
	if n := number(t, db, "SELECT CAST(current_setting('memory_limit') LIKE '512%' AS BIGINT)"); n != limit {
		t.Errorf("the bound is another one")
	}
	if n := number(t, db, asked); n != 4096 {
		t.Errorf("%d afterwards", n)
	}
	if rows, err = db.Query(t.Context(), "SELECT n FROM x"); err != nil {
		t.Fatal(err)
	}
	if done, err := db.Afresh(t.Context()); done || err != nil {
		t.Errorf("the engine began anew under a reader: %v, %v", done, err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	var asks sync.WaitGroup // whoever asks meanwhile waits, and is answered
	for range 8 {
		asks.Go(func() {
			for range 10 {
				if n := number(t, db, "SELECT max(n) FROM x"); n != 1999999 {
					t.Errorf("%d beside a new beginning", n)
				}
			}
		})
	}
	for range 50 {
		if _, err := db.Afresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	asks.Wait()
	if done, err := db.Afresh(t.Context()); !done || err != nil {
		t.Errorf("the engine did not begin anew: %v, %v", done, err)
	}
	if n := number(t, db, asked); n != 4096 || number(t, db, held) > before {
		t.Errorf("%d from the new engine", n)
	}
}

// TestKeptStatements: what is asked again and again is planned once, and answers from the table that has the name now, whatever the values are.
func TestKeptStatements(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), 1)
	defer shut(t, db)
	if err := exec(t, db, "CREATE TABLE x AS SELECT range AS n, CAST(range AS VARCHAR) AS t FROM range(100)"); err != nil {
		t.Fatal(err)
	}
	ask := func(query string, args ...any) (n int64, err error) {
		rows, err := db.Query(t.Context(), query, args...)
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return 0, err
			}
		}
		return n, rows.Err()
	}
	const below, alike = "SELECT count(*) FROM x WHERE n < ?", "SELECT count(*) FROM x WHERE t = ?"
	for i := range int64(120) { // more texts than are kept
		if n, err := ask(below, i); err != nil || n != min(i, 100) {
			t.Fatalf("%d below %d, %v", n, i, err)
		}
		if n, err := ask(below+" AND n <> "+strconv.FormatInt(i, 10), i); err != nil || n != min(i, 100) {
			t.Fatalf("%d below %d, %v", n, i, err)
		}
	}
	for _, v := range []any{"7", nil, "x", "8"} {
		want := int64(0)
		if v == "7" || v == "8" {
			want = 1
		}
		if n, err := ask(alike, v); err != nil || n != want {
			t.Errorf("%d like %v, %v", n, v, err)
		}
	}
	if err := exec(t, db, "CREATE TABLE y AS SELECT range AS n, 'y' AS u, CAST(range AS VARCHAR) AS t FROM range(10)", "DROP TABLE x", "ALTER TABLE y RENAME TO x"); err != nil {
		t.Fatal(err)
	}
	if n, err := ask(below, int64(50)); err != nil || n != 10 {
		t.Errorf("%d of the new table, %v", n, err)
	}
	const one = "SELECT t FROM x WHERE n = ?"
	for i, kind := range []string{"VARCHAR", "BIGINT", "SMALLINT", "DOUBLE"} { // the column is of another type each time
		if err := exec(t, db, "CREATE OR REPLACE TABLE x AS SELECT range AS n, CAST(range AS "+kind+") AS t FROM range(10)"); err != nil {
			t.Fatal(err)
		}
		for j := range int64(3) {
			if n, err := ask(one, j+int64(i)); err != nil || n != j+int64(i) {
				t.Errorf("%s: %d instead of %d, %v", kind, n, j+int64(i), err)
			}
		}
	}
	var asks sync.WaitGroup
	for range 6 {
		asks.Go(func() {
			for i := range int64(60) {
				if n, err := ask(below+" AND n <> ? OR n = "+strconv.FormatInt(100+i%20, 10), i, int64(99)); err != nil || n != min(i, 10) {
					t.Errorf("%d below %d, %v", n, i, err)
				}
			}
		})
	}
	asks.Wait()
	if err := exec(t, db, "DROP TABLE x"); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(below, int64(1)); err == nil {
		t.Error("a table that is gone answers")
	}
}

// TestDamageIsFoundWhileTheFileIsInUse: a bad block ends the use of the file, whoever uses it is told, and gets a new one.
func TestDamageIsFoundWhileTheFileIsInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, duckdb.FileName)
	db := open(t, dir, 1)
	if err := exec(t, db, "CREATE TABLE x (n BIGINT)", "INSERT INTO x SELECT hash(range) % 1000003 FROM range(500000)"); err != nil {
		t.Fatal(err)
	}
	shut(t, db)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 3*4096 + 512<<10; at+4096 < len(raw)-512<<10; at += 64 << 10 {
		copy(raw[at:], strings.Repeat("\xa5", 2048))
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, 1)
	defer shut(t, db)
	if db.Fresh() {
		t.Fatal("the damage was found at the start")
	}
	select {
	case <-db.Damaged():
		t.Fatal("damage was told of before anybody read it")
	default:
	}
	if _, err := db.Query(t.Context(), "SELECT sum(n) FROM x"); fault.CodeOf(err) != "analytics.damaged" || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("reading the damaged file: %v", err)
	}
	if _, err := db.Query(t.Context(), "SELECT 1"); fault.CodeOf(err) != "analytics.rebuilding" || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("reading after that: %v", err)
	}
	if err := exec(t, db, "INSERT INTO x VALUES (1)"); fault.CodeOf(err) != "analytics.rebuilding" {
		t.Errorf("writing after that: %v", err)
	}
	select {
	case <-db.Damaged():
	default:
		t.Fatal("nobody was told of the damage")
	}
	if err := db.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !db.Fresh() || number(t, db, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'x'") != 0 {
		t.Error("the damaged file stays in use")
	}
	if err := exec(t, db, "CREATE TABLE x (n BIGINT)", "INSERT INTO x VALUES (7)"); err != nil || number(t, db, "SELECT n FROM x") != 7 {
		t.Errorf("the new file is of no use: %v", err)
	}
	aside, err := os.ReadFile(path + ".damaged")
	if err != nil || !bytes.Equal(aside, raw) {
		t.Errorf("the damaged file is not kept as it was: %d bytes, %v", len(aside), err)
	}
	for _, c := range []struct {
		before time.Time
		stays  bool
	}{{time.Now().Add(-time.Hour), true}, {time.Now().Add(time.Hour), false}, {time.Now().Add(time.Hour), false}} {
		if err := duckdb.DropAside(dir, c.before); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path + ".damaged"); (err == nil) != c.stays {
			t.Errorf("dropped before %s: %v", c.before, err)
		}
	}
}
