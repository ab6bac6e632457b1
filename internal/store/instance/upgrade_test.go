package instance_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

// TestAStoreOfTheFirstVersionOpens: people, sessions and workspaces from before the second factor go on as they were.
func TestAStoreOfTheFirstVersionOpens(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instance.db")
	first, err := os.ReadFile("migrations/0001_instance.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	hasher := auth.NewHasher(auth.Cost{MemoryKiB: 64, Passes: 1})
	for _, q := range []string{string(first), "CREATE TABLE instance_version (version BIGINT NOT NULL)", "INSERT INTO instance_version VALUES (1)",
		"INSERT INTO workspace VALUES ('main', 'Shop', 'UTC', 'CNY', 'en', 1)",
		"INSERT INTO person VALUES (7, 'ann@example.com', 'ann@example.com', 'Ann', 'en', 'system', '" + hasher.Hash(password) + "', FALSE, 1, 1, 1)",
		"INSERT INTO membership VALUES ('main', 7, 'administrator', 1)"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := instance.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a, _ := service(s)
	in, err := signIn(t.Context(), a, "ann@example.com", password, "x")
	if err != nil || in.Stage != auth.Full || in.User.Factor || in.User.MustChange || len(in.Workspace.FactorRoles) != 0 {
		t.Fatalf("%+v %v", in, err)
	}
}
