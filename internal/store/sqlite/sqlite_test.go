package sqlite_test

import (
	"path/filepath"
	"testing"

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

func TestSuite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Suite{Open: func(t testing.TB) sqlstore.DB { return open(t, sqlite.Config{}) }})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(t testing.TB) sqlstore.DB { return open(t, sqlite.Config{}) })
}
