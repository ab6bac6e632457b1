package instance_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

// behind runs a test on both databases with a second way in, past everything that guards the trail.
func behind(t *testing.T, fn func(t *testing.T, s *instance.Store, raw func(text string) int64)) {
	exec := func(t *testing.T, db *sql.DB) func(string) int64 {
		return func(text string) int64 {
			t.Helper()
			res, err := db.Exec(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			n, _ := res.RowsAffected()
			return n
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "instance.db")
		s, err := instance.OpenSQLite(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = db.Close(), s.Close() })
		fn(t, s, exec(t, db))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
		if url == "" {
			t.Skip("GUANXI_TEST_POSTGRES_URL is not set")
		}
		schema := fmt.Sprintf("test_chain_%d_%d", os.Getpid(), schemas.Add(1))
		s, err := instance.OpenPostgres(t.Context(), url, schema)
		if err != nil {
			t.Fatal(err)
		}
		conf, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		conf.RuntimeParams["search_path"] = schema
		db := stdlib.OpenDB(*conf)
		t.Cleanup(func() {
			_ = db.Close()
			_ = s.Drop(context.Background(), schema)
			_ = s.Close()
		})
		fn(t, s, exec(t, db))
	})
}

// TestTrailChain: entries of many writers at once make one chain; whatever is done to the trail behind its back is found, and
// an erased entry is not a break.
func TestTrailChain(t *testing.T) {
	t.Parallel()
	behind(t, func(t *testing.T, s *instance.Store, raw func(string) int64) {
		a, _ := service(s)
		ctx := access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: 7, Name: "安"})
		const writers, each = 4, 15
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for i := range each {
					if err := a.Note(ctx, "main", "record.reveal", "customer", 5, map[string]any{"writer": w, "i": i, "<": "&"}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		check := func(head string) auth.TrailCheck {
			t.Helper()
			r, err := a.CheckTrail(ctx, head)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		whole := check("")
		if !whole.OK || whole.Entries != writers*each || !strings.HasPrefix(whole.Head, "60:") {
			t.Fatalf("%+v", whole)
		}
		if err := a.Note(ctx, "main", "session.create", "", 0, nil); err != nil {
			t.Fatal(err)
		}
		if r := check(strings.ToUpper(whole.Head)); !r.OK || r.Entries != 61 {
			t.Errorf("a head of before: %+v", r)
		}
		if r := check("60:" + strings.Repeat("0", 64)); r.OK || r.Reason != auth.BreakHead || r.Place != 60 {
			t.Errorf("another head: %+v", r)
		}
		if r := check("99:" + strings.Repeat("0", 64)); r.OK || r.Reason != auth.BreakHead {
			t.Errorf("a head beyond the end: %+v", r)
		}
		_, err := a.CheckTrail(ctx, "60")
		wantCode(t, err, "auth.bad_head")

		id := "(SELECT entry FROM audit_chain WHERE seq = 20)"
		for _, c := range []struct{ do, undo, reason string }{
			{"UPDATE audit SET action = 'record.read' WHERE id = " + id, "UPDATE audit SET action = 'record.reveal' WHERE id = " + id, auth.BreakChanged},
			{"UPDATE audit SET actor_id = 8 WHERE id = " + id, "UPDATE audit SET actor_id = 7 WHERE id = " + id, auth.BreakChanged},
			{"UPDATE audit SET at = at + 1 WHERE id = " + id, "UPDATE audit SET at = at - 1 WHERE id = " + id, auth.BreakChanged},
			{"UPDATE audit_chain SET at = at + 1 WHERE seq = 20", "UPDATE audit_chain SET at = at - 1 WHERE seq = 20", auth.BreakHash},
			{"UPDATE audit_chain SET seq = 1000 WHERE seq = 20", "UPDATE audit_chain SET seq = 20 WHERE seq = 1000", auth.BreakMissing},
			{"UPDATE audit SET id = -id WHERE id = " + id, "UPDATE audit SET id = -id WHERE id < 0", auth.BreakMissing},
			{"INSERT INTO audit SELECT 1, workspace, at, actor_kind, actor_id, actor_name, action, object, record_id, detail, address, salt FROM audit WHERE id = " + id,
				"DELETE FROM audit WHERE id = 1", auth.BreakAdded},
		} {
			if n := raw(c.do); n != 1 {
				t.Fatalf("%s: %d rows", c.do, n)
			}
			if r := check(""); r.OK || r.Reason != c.reason || r.Reason != auth.BreakAdded && r.Place != 20 {
				t.Errorf("%s: %+v", c.do, r)
			}
			raw(c.undo)
			if r := check(""); !r.OK {
				t.Fatalf("undone %s: %+v", c.do, r)
			}
		}
		raw("UPDATE audit SET detail = '{}', actor_name = '', address = '', salt = '' WHERE id = " + id)
		if r := check(""); !r.OK || r.Erased != 1 {
			t.Errorf("an erased entry: %+v", r)
		}
		raw("DELETE FROM audit_chain WHERE seq > 50")
		if r := check(whole.Head); r.OK || r.Reason != auth.BreakHead {
			t.Errorf("an end cut off: %+v", r)
		}
	})
}

// TestTrailOlderThanItsChain: entries written before there was a chain get their places when the store is brought up to date.
func TestTrailOlderThanItsChain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instance.db")
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile("migrations/0001_instance.sql")
	if err != nil {
		t.Fatal(err)
	}
	run := []string{string(first), "CREATE TABLE instance_version (version BIGINT NOT NULL)", "INSERT INTO instance_version VALUES (1)"}
	for i := range 2500 {
		run = append(run, fmt.Sprintf("INSERT INTO audit VALUES (%d, 'main', %d, 'user', 7, 'Ann', 'session.create', '', 0, '{}', '::1')", i+1, i+1))
	}
	if _, err := db.Exec(strings.Join(run, ";\n")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second opening finds it done
		s, err := instance.OpenSQLite(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := service(s)
		r, err := a.CheckTrail(t.Context(), "")
		if err != nil || !r.OK || r.Entries != 2500 || r.Erased != 0 {
			t.Errorf("%+v %v", r, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
