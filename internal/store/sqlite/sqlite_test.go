package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/native"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/internal/store/storetest"
)

func open(t testing.TB, cfg sqlite.Config) *sqlite.DB {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = filepath.Join(t.TempDir(), "records.db")
	}
	db, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// A pragma answers with a row that nobody reads; the file can be written anew after it all the same, and after rows were inserted, one
// of them in vain.
func TestRewriteAfterPragma(t *testing.T) {
	t.Parallel()
	db := open(t, sqlite.Config{})
	row := func(key string) error {
		return db.Write(t.Context(), func(c sqlstore.Conn) error {
			return c.InsertMany(t.Context(), "kept", []string{"key"}, 1, func(_ int, dst []any) { dst[0] = key })
		})
	}
	err := db.Write(t.Context(), func(c sqlstore.Conn) error {
		for _, q := range []string{"CREATE TABLE kept (key TEXT PRIMARY KEY)", "PRAGMA analysis_limit = 1000", "ANALYZE"} {
			if _, err := c.Exec(t.Context(), q); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, row("a")); err != nil {
		t.Fatal(err)
	}
	if err := row("a"); err == nil {
		t.Fatalf("the same key again: %v", err)
	}
	if err := db.Rewrite(t.Context()); err != nil {
		t.Errorf("rewrite: %v", err)
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Suite{Open: func(t testing.TB) sqlstore.DB { return open(t, sqlite.Config{}) }})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(t testing.TB) sqlstore.DB { return open(t, sqlite.Config{}) })
}

// TestCheckBesideTheWriter: a reader that has searched remembers the parts of the search index; the check does not take parts
// that were merged since for lost. A page written over is found.
func TestCheckBesideTheWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	db := open(t, sqlite.Config{Path: path, Readers: 1})
	w := storetest.NewWorld(t, db)
	for n := range 40 {
		docs := make([]sqlstore.SearchDoc, 20)
		for i := range docs {
			docs[i] = sqlstore.SearchDoc{Object: "customer", ID: id.ID(1 + (n*13+i)%200), Tokens: []string{"token" + strconv.Itoa(n), "all"}}
		}
		if err := w.Store.IndexSearch(t.Context(), docs, nil, "search", change.Position{Seq: int64(n + 1)}); err != nil {
			t.Fatal(err)
		}
		if err := db.Check(t.Context()); err != nil {
			t.Fatalf("after %d transactions: %v", n+1, err)
		}
		w.View(func(ctx context.Context, r record.Reader) error {
			hits, err := r.Search(ctx, nil, []string{"all"}, 5)
			if len(hits) == 0 {
				t.Error("nothing is found")
			}
			return err
		})
	}
	var root int64 // a page of the search index
	err := db.Read(t.Context(), func(c sqlstore.Conn) error {
		_, err := c.QueryRow(t.Context(), []any{&root}, "SELECT rootpage FROM sqlite_master WHERE name = 'search_doc_docsize' OR name LIKE 'search%_idx' ORDER BY rootpage DESC LIMIT 1")
		return err
	})
	if err != nil || root < 2 {
		t.Fatalf("page %d, %v", root, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, 64), (root-1)*4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if again.Check(t.Context()) == nil {
		t.Error("damage is not found")
	}
	_ = again.Close()
}

// What is held in memory is given back, and what follows finds everything as it was.
func TestShrink(t *testing.T) {
	db := open(t, sqlite.Config{WriterCacheMB: 16, ReaderCacheMB: 4, Readers: 2})
	err := db.Write(t.Context(), func(c sqlstore.Conn) error {
		_, err := c.Exec(t.Context(), "CREATE TABLE leaf (id INTEGER PRIMARY KEY, word TEXT)")
		if err != nil {
			return err
		}
		_, err = c.Exec(t.Context(), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO leaf SELECT i, hex(randomblob(64)) FROM n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func() (n int64) {
		err := db.Read(t.Context(), func(c sqlstore.Conn) error {
			_, err := c.QueryRow(t.Context(), []any{&n}, "SELECT count(DISTINCT word) FROM leaf")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 20000 {
		t.Fatalf("%d rows", n)
	}
	before := native.Held()
	if err := db.Shrink(t.Context()); err != nil {
		t.Fatal(err)
	}
	native.Trim()
	if after := native.Held(); before > 0 && after+2<<20 > before {
		t.Errorf("%d MB before, %d MB after", before>>20, after>>20)
	}
	err = db.Read(t.Context(), func(sqlstore.Conn) error { return db.Shrink(t.Context()) }) // beside a reader at work
	if n := count(); err != nil || n != 20000 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// BenchmarkJourney takes 200,000 people through a journey: -bench Journey -benchtime 1x.
func BenchmarkJourney(b *testing.B) {
	storetest.JourneySpeed(b, open(b, sqlite.Config{}), 200_000)
}
