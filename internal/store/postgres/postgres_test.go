package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/internal/store/storetest"
)

func open(t testing.TB, env string) *postgres.DB {
	t.Helper()
	url := os.Getenv(env)
	if url == "" {
		t.Skipf("%s names no database", env)
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	cfg := postgres.Config{URL: url, Schema: "t_" + hex.EncodeToString(b[:]), MaxConns: 9}
	db, err := postgres.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		again, err := postgres.Open(ctx, cfg)
		if err != nil {
			t.Errorf("open to remove: %v", err)
			return
		}
		if err := again.DropSchema(ctx); err != nil {
			t.Errorf("remove: %v", err)
		}
		if err := again.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func TestSuite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Suite{ManyWriters: true, Open: func(t testing.TB) sqlstore.DB { return open(t, "GUANXI_TEST_POSTGRES_URL") }})
}

func TestSuiteOnCitus(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Suite{ManyWriters: true, Open: func(t testing.TB) sqlstore.DB { return open(t, "GUANXI_TEST_CITUS_URL") }})
}

// TestForeignTransaction: a transaction of somebody else that never ends, older than everything written here, holds no
// consumer of the change log back; neither does a writer of another schema.
func TestForeignTransaction(t *testing.T) {
	t.Parallel()
	db, other := open(t, "GUANXI_TEST_POSTGRES_URL"), open(t, "GUANXI_TEST_POSTGRES_URL")
	w, neighbour := storetest.NewWorld(t, db), storetest.NewWorld(t, other)
	conn, err := pgx.Connect(t.Context(), os.Getenv("GUANXI_TEST_POSTGRES_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	_, err = neighbour.Store.Update(t.Context(), func(tx record.Tx) error {
		if err := tx.Append(t.Context(), storetest.Created(neighbour.Customer, []record.Row{neighbour.Named("neighbour")})); err != nil {
			return err
		}
		row := w.Named("here")
		w.Insert(w.Customer, row)
		rows, err := w.Store.Log().Read(t.Context(), change.Position{}, 10)
		if err != nil {
			return err
		}
		if len(rows) != 1 || rows[0].Record != row.ID {
			t.Errorf("a reader gets %+v", rows)
		}
		return w.Store.Log().WaitAfter(t.Context(), change.Position{})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCrashChild is the process that TestKill kills; by itself it does nothing.
func TestCrashChild(t *testing.T) {
	schema := os.Getenv(storetest.CrashEnv)
	if schema == "" {
		return
	}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: os.Getenv("GUANXI_TEST_POSTGRES_URL"), Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	storetest.CrashChild(t, db)
}

func TestKill(t *testing.T) {
	t.Parallel()
	if os.Getenv(storetest.CrashEnv) != "" {
		return
	}
	db := open(t, "GUANXI_TEST_POSTGRES_URL")
	storetest.NewWorld(t, db)
	storetest.Crash(t, "TestCrashChild", db.Schema(), func() sqlstore.DB { return db })
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(t testing.TB) sqlstore.DB { return open(t, "GUANXI_TEST_POSTGRES_URL") })
}
