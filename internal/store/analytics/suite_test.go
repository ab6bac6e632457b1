package analytics_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/objects"
)

const dayMillis = 86_400_000

// bench is one engine's plane under test.
type bench struct {
	store *analytics.Store
	db    analytics.DB
	clock *clock.Fake
	reg   *schema.Registry
}

func registry(t testing.TB) *schema.Registry {
	t.Helper()
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func noon(day clock.Day) time.Time { return day.Time().Add(12 * time.Hour) }

// onBoth runs a test on DuckDB and, when its address is given, on PostgreSQL.
func onBoth(t *testing.T, fn func(t *testing.T, b *bench)) {
	t.Helper()
	t.Run("duckdb", func(t *testing.T) {
		t.Parallel()
		fn(t, duckBench(t, 0))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, postgresBench(t))
	})
}

func duckBench(t testing.TB, memory int) *bench {
	t.Helper()
	db, err := duckdb.Open(t.Context(), duckdb.Config{Dir: t.TempDir(), Format: analytics.Format, MemoryLimit: memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return newBench(t, db)
}

var schemaNumber atomic.Int64

func postgresBench(t testing.TB) *bench { return postgresNamed(t, "") }

// postgresNamed is a plane in a schema that stays; without a name, in one that goes with the test.
func postgresNamed(t testing.TB, name string) *bench {
	t.Helper()
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		t.Skip("GUANXI_TEST_POSTGRES_URL is not set: PostgreSQL is not tested")
	}
	keep := name != ""
	if !keep {
		name = fmt.Sprintf("analytics_test_%d_%d", os.Getpid(), schemaNumber.Add(1))
	}
	admin, err := analytics.OpenPostgres(t.Context(), analytics.PostgresConfig{URL: url, Schema: "public", Conns: 1})
	if err != nil {
		t.Fatal(err)
	}
	must(t, write(t.Context(), admin, "CREATE SCHEMA IF NOT EXISTS "+name))
	db, err := analytics.OpenPostgres(t.Context(), analytics.PostgresConfig{URL: url, Schema: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		must(t, db.Close())
		if !keep {
			must(t, write(context.Background(), admin, "DROP SCHEMA "+name+" CASCADE"))
		}
		must(t, admin.Close())
	})
	// The record tables as the records plane makes them, as far as the plane's views read them.
	reg := registry(t)
	customers := reg.Object("customer")
	list := append([]*schema.Object{customers}, slices.DeleteFunc(slices.Clone(reg.Objects()), func(o *schema.Object) bool { return o == customers })...)
	for _, o := range list {
		cols := []string{}
		for _, c := range schema.SystemColumns {
			cols = append(cols, c+" BIGINT")
		}
		for _, c := range o.Columns() {
			cols = append(cols, analytics.Quote(c.Name)+" "+db.Dialect().ColumnType(c.Kind))
		}
		must(t, write(t.Context(), db, "CREATE TABLE IF NOT EXISTS "+o.Physical+" ("+strings.Join(cols, ", ")+")"))
		if p, ok := db.Dialect().(analytics.Postgres); ok && p.Citus {
			place := dialect.CitusPlace(o.Physical, "", "")
			if o == customers {
				place = dialect.CitusPlace(o.Physical, "id", "")
			} else if c, ok := o.Column(o.CustomerField, schema.Main); ok {
				place = dialect.CitusPlace(o.Physical, c.Name, customers.Physical)
			}
			must(t, write(t.Context(), db, place))
		}
	}
	return newBench(t, db)
}

func newBench(t testing.TB, db analytics.DB) *bench {
	t.Helper()
	b := &bench{db: db, clock: clock.NewFake(noon(20_000)), reg: registry(t)}
	b.store = analytics.New(db, b.clock)
	must(t, b.store.Ensure(t.Context(), b.reg, trait.Defaults()))
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(ctx context.Context, db analytics.DB, texts ...string) error {
	return db.Write(ctx, func(tx analytics.Tx) error {
		for _, s := range texts {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// load puts live rows of an object where the plane reads them.
func (b *bench) load(t testing.TB, object string, columns []string, rows analytics.Source) {
	t.Helper()
	table := analytics.RelationName(object)
	if !b.db.Dialect().Mirrored() {
		table = b.reg.Object(object).Physical
	}
	if owner := slices.Index(columns, b.ownerColumn(object)); owner >= 0 && b.citus() {
		rows = owned(rows, owner)
	}
	must(t, b.db.Write(t.Context(), func(tx analytics.Tx) error { return tx.Append(t.Context(), table, columns, rows) }))
}

func (b *bench) citus() bool {
	p, ok := b.db.Dialect().(analytics.Postgres)
	return ok && p.Citus
}

// ownerColumn is the column of the customer of a fact, "" for none.
func (b *bench) ownerColumn(object string) string {
	o := b.reg.Object(object)
	c, _ := o.Column(o.CustomerField, schema.Main)
	return c.Name
}

// owned puts 0 for no customer, as the records plane does: no row is spread by nothing.
func owned(rows analytics.Source, owner int) analytics.Source {
	return func(yield func([]any, error) bool) {
		for row, err := range rows {
			if err == nil && row[owner] == nil {
				row = slices.Clone(row)
				row[owner] = int64(0)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// remove takes rows away by id.
func (b *bench) remove(t testing.TB, object string, where string, args ...any) {
	t.Helper()
	table := analytics.RelationName(object)
	if !b.db.Dialect().Mirrored() {
		table = b.reg.Object(object).Physical
	}
	must(t, b.db.Write(t.Context(), func(tx analytics.Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM "+table+" WHERE "+where, args...)
		return err
	}))
}

// table reads a query as text, a row a line, for comparing engines.
func (b *bench) table(t testing.TB, query string, args ...any) string {
	t.Helper()
	rows, err := b.db.Query(t.Context(), query, args...)
	must(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	must(t, err)
	cells := make([]sql.NullString, len(names))
	dst := make([]any, len(names))
	for i := range cells {
		dst[i] = &cells[i]
	}
	var out strings.Builder
	for rows.Next() {
		must(t, rows.Scan(dst...))
		for i, c := range cells {
			if i > 0 {
				out.WriteByte('|')
			}
			if c.Valid {
				out.WriteString(c.String)
			} else {
				out.WriteByte('-')
			}
		}
		out.WriteByte('\n')
	}
	must(t, rows.Err())
	return out.String()
}

func pass(anchor clock.Day, s trait.Settings) trait.Pass {
	return trait.Pass{Settings: s, Anchor: anchor, At: noon(anchor)}
}
