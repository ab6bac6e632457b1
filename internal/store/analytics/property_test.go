package analytics_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// TestPropertyOfAnyName: whatever a property is called, its value is found, and nothing else's.
func TestPropertyOfAnyName(t *testing.T) {
	t.Parallel()
	names := []string{"plain", "*", "a.b", "a", `q"uote`, "it's", `back\slash`, "a/b", "~", "~0", "~1", "$", "$.x", "[0]", "0", "-", "#", "?", "", " ", "名称", "{}", "%", "a b"}
	all := map[string]any{"nested": map[string]any{"plain": "wrong", "b": "wrong"}, "list": []string{"wrong"}}
	for _, n := range names {
		all[n] = "value of " + n
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for driver, d := range map[string]analytics.Dialect{"duckdb": analytics.Duck{}, "pgx": analytics.Postgres{}} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			address, mark := "", "?"
			if driver == "pgx" {
				if address, mark = os.Getenv("GUANXI_TEST_POSTGRES_URL"), "$1"; address == "" {
					t.Skip("GUANXI_TEST_POSTGRES_URL is not set")
				}
			}
			db, err := sql.Open(driver, address)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, n := range append(names, "missing", "b", "nested.plain") {
				var got sql.NullString
				if err := db.QueryRowContext(t.Context(), "SELECT "+d.Property("e.properties", n)+" FROM (SELECT CAST("+mark+" AS TEXT) AS properties) e", string(raw)).Scan(&got); err != nil {
					t.Errorf("%q: %v", n, err)
				}
				want, there := all[n].(string)
				if got.Valid != there || got.String != want {
					t.Errorf("%q is %q, want %q", n, got.String, want)
				}
			}
		})
	}
}
