package analytics_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

func TestTextsKeepTheRulesOfCitus(t *testing.T) {
	t.Parallel()
	for _, d := range []analytics.Dialect{analytics.Duck{}, analytics.Postgres{}} {
		for _, x := range analytics.Texts(d) {
			for _, reason := range analytics.Lint(x.SQL) {
				t.Errorf("%s: %s\n%s", x.Name, reason, x.SQL)
			}
		}
	}
	for _, s := range analytics.LintTables() {
		t.Error(s)
	}
}

func TestLintFindsWhatItForbids(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"SELECT a FROM t GROUP BY GROUPING SETS ((a), ())", "WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x",
		"SELECT 1 FROM a WHERE NOT EXISTS (SELECT 1 FROM b)", "SELECT 1 FROM a WHERE id NOT IN (SELECT id FROM b)",
		"SELECT * FROM a FOR UPDATE SKIP LOCKED", "CREATE TRIGGER x", "UPDATE t_order SET orders = 1",
		"SELECT row_number() OVER (ORDER BY n) FROM a", "SELECT avg(x) FROM a",
	} {
		if len(analytics.Lint(bad)) == 0 {
			t.Errorf("%q passes", bad)
		}
	}
	if r := analytics.Lint("SELECT row_number() OVER (PARTITION BY t.customer_id, x ORDER BY n) FROM a t"); len(r) != 0 {
		t.Errorf("a good window is refused: %v", r)
	}
}

func TestCompiledConditionsKeepTheRulesOfCitus(t *testing.T) {
	t.Parallel()
	golden, err := filepath.Glob("../compile/testdata/*analytics*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range golden {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(raw), "\n\n") {
			for _, reason := range analytics.Lint(line) {
				t.Errorf("%s, paragraph %d: %s", file, i+1, reason)
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

func TestEveryTextIsPreparedOnBothEngines(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		for _, x := range analytics.Texts(b.db.Dialect()) {
			if b.citus() && strings.HasSuffix(x.Name, "class moves") {
				continue // the coordinator, which joins both sides, runs it with parameters and does not explain it with any
			}
			// EXPLAIN binds every name and type without running; parameters are cast where a type is needed.
			n := strings.Count(x.SQL, "?")
			for _, m := range placeholder.FindAllStringSubmatch(x.SQL, -1) {
				n = max(n, int(m[1][0]-'0'), atoi(m[1]))
			}
			err := b.db.Write(t.Context(), func(tx analytics.Tx) error {
				for _, text := range analytics.Scratch(b.db.Dialect()) {
					if _, err := tx.Exec(t.Context(), text); err != nil {
						return err
					}
				}
				rows, err := tx.Query(t.Context(), "EXPLAIN "+x.SQL, arguments(x.SQL, n)...)
				if err != nil {
					return err
				}
				return rows.Close()
			})
			if err != nil {
				t.Errorf("%s: %v\n%s", x.Name, err, x.SQL)
			}
		}
	})
}

func atoi(s string) int {
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

// arguments gives each "?" a text where its column is one, a number elsewhere.
func arguments(text string, n int) []any {
	out := make([]any, n)
	parts := strings.Split(text, "?")
	for i := range out {
		out[i] = int64(1)
		if strings.Contains(text, "CAST($"+strconv.Itoa(i+1)+" AS TEXT)") {
			out[i] = "1"
		}
		if len(parts) == n+1 {
			before := parts[i]
			if strings.HasSuffix(before, "classification = ") || strings.HasSuffix(before, "segment_key = ") ||
				strings.HasSuffix(before, "key = ") || strings.Contains(text, "plane_state") ||
				strings.HasSuffix(before, "CAST(") && strings.HasPrefix(parts[i+1], " AS TEXT") {
				out[i] = "1"
			}
		}
	}
	return out
}

func TestEveryTraitOfTheCatalogueHasItsColumn(t *testing.T) {
	t.Parallel()
	cat, err := trait.Standard()
	if err != nil {
		t.Fatal(err)
	}
	columns := analytics.FamilyColumns()
	seen := 0
	for _, d := range cat.List() {
		if !slices.Contains(columns[d.Table], d.Column) {
			t.Errorf("%s: %s has no column %s", d.Key, d.Table, d.Column)
		}
		seen++
	}
	total := 0
	for _, c := range columns {
		total += len(c)
	}
	if seen != total {
		t.Errorf("%d traits, %d columns: a column has no trait", seen, total)
	}
}

func TestWideViewShowsEveryTrait(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		rows, err := b.db.Query(t.Context(), "SELECT * FROM customer_traits")
		must(t, err)
		defer rows.Close()
		names, err := rows.Columns()
		must(t, err)
		cat, err := trait.Standard()
		must(t, err)
		for _, d := range cat.List() {
			if !slices.Contains(names, d.Column) {
				t.Errorf("customer_traits has no %s", d.Column)
			}
		}
	})
}
