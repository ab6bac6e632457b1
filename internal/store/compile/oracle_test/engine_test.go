package oracle_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/mattn/go-sqlite3"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	dialects "github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// engine is one database with the whole world in it.
type engine struct {
	name     string
	db       *sql.DB
	numbered bool // $1 instead of ?
	citus    bool // the tables are placed as those of the program
}

var register = sync.OnceFunc(func() {
	sql.Register("sqlite3_with_regexp", &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		run := func(program string, columns ...any) (any, error) {
			fn, err := formula.Read(program)
			if err != nil {
				return nil, err
			}
			return fn(columns), nil
		}
		if err := c.RegisterFunc(compile.FormulaFunction, run, true); err != nil {
			return err
		}
		return c.RegisterFunc("regexp", regexp.MatchString, true)
	}})
})

func open(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func sqlite(t testing.TB, w *world) engine {
	t.Helper()
	register()
	e := engine{name: "sqlite", db: open(t, "sqlite3_with_regexp", ":memory:")}
	e.db.SetMaxOpenConns(1)
	for _, o := range w.registry.Objects() {
		e.create(t, quoted(o.Physical), o, false)
		e.load(t, quoted(o.Physical), w.rows[o.Key], false)
	}
	return e
}

func duckdb(t testing.TB, w *world) engine {
	t.Helper()
	e := engine{name: "duckdb", db: open(t, "duckdb", "")}
	e.db.SetMaxOpenConns(1)
	for _, o := range w.registry.Objects() {
		e.create(t, quoted("a_"+o.Key), o, true)
		e.load(t, quoted("a_"+o.Key), slices.DeleteFunc(slices.Clone(w.rows[o.Key]), func(r *record) bool { return r.deleted }), true)
	}
	e.derived(t, w)
	return e
}

// postgres makes a schema of its own; ok is false when no server is named.
func postgres(t testing.TB, w *world) (e engine, ok bool) {
	t.Helper()
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		return e, false
	}
	admin := open(t, "pgx", url)
	name := fmt.Sprintf("oracle_%d_%d", os.Getpid(), time.Now().UnixNano())
	e = engine{name: "postgres", numbered: true}
	if _, err := admin.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = admin.Exec("DROP SCHEMA " + name + " CASCADE") })
	sep := "?"
	if strings.Contains(url, "?") {
		sep = "&"
	}
	e.db = open(t, "pgx", url+sep+"search_path="+name)
	if err := admin.QueryRow(dialects.CitusPresent).Scan(&e.citus); err != nil {
		t.Fatal(err)
	}
	for _, o := range ordered(w.registry) {
		e.create(t, quoted(o.Physical), o, false)
		if e.citus {
			e.place(t, w, o)
		}
		e.load(t, quoted(o.Physical), w.rows[o.Key], false)
		e.exec(t, "CREATE VIEW "+quoted("a_"+o.Key)+" AS SELECT "+mirror(o)+" FROM "+quoted(o.Physical)+" WHERE deleted_at IS NULL")
	}
	e.derived(t, w)
	return e, true
}

// ordered are the objects, customers first, beside whom others are placed.
func ordered(reg *schema.Registry) []*schema.Object {
	out := []*schema.Object{reg.Object(query.Customer)}
	for _, o := range reg.Objects() {
		if o.Key != query.Customer {
			out = append(out, o)
		}
	}
	return out
}

// place spreads a table over the machines of a cluster.
func (e engine) place(t testing.TB, w *world, o *schema.Object) {
	t.Helper()
	column, beside := "", ""
	if o.Key == query.Customer {
		column = "id"
	} else if c, ok := o.Column(o.CustomerField, schema.Main); ok {
		column, beside = c.Name, w.registry.Object(query.Customer).Physical
	}
	e.exec(t, dialects.CitusPlace(o.Physical, column, beside))
}

func quoted(s string) string { return `"` + s + `"` }

// mirror lists the columns that analytics keeps.
func mirror(o *schema.Object) string {
	cols := []string{"id", "version", "created_at", "created_at_day", "created_by", "updated_at", "updated_at_day"}
	for _, c := range o.Columns() {
		if c.Kind == schema.Bytes {
			cols = append(cols, quoted(c.Name)+" IS NOT NULL AS "+quoted(c.Name+"_set"))
			continue
		}
		cols = append(cols, quoted(c.Name))
	}
	return strings.Join(cols, ", ")
}

func kind(k schema.Kind, mirrored bool) string {
	switch k {
	case schema.Int64:
		return "BIGINT"
	case schema.Boolean:
		return "BOOLEAN"
	case schema.Bytes:
		if mirrored {
			return "BOOLEAN"
		}
		return "BYTEA"
	}
	return "TEXT"
}

func system(mirrored bool) []string {
	all := schema.SystemColumns[:]
	if mirrored {
		return all[:7]
	}
	return all
}

func (e engine) create(t testing.TB, table string, o *schema.Object, mirrored bool) {
	t.Helper()
	cols := []string{}
	for _, c := range system(mirrored) {
		cols = append(cols, c+" BIGINT")
	}
	cols[0] = "id BIGINT PRIMARY KEY"
	switch {
	case e.name == "sqlite":
		cols[0] = "id INTEGER PRIMARY KEY"
	case e.citus && o.Key != query.Customer:
		cols[0] = "id BIGINT" // facts are spread by another column
	}
	for _, c := range o.Columns() {
		name := c.Name
		if mirrored && c.Kind == schema.Bytes {
			name += "_set"
		}
		cols = append(cols, quoted(name)+" "+kind(c.Kind, mirrored))
	}
	e.exec(t, "CREATE TABLE "+table+" ("+strings.Join(cols, ", ")+")")
}

func (e engine) load(t testing.TB, table string, rows []*record, mirrored bool) {
	t.Helper()
	tx, err := e.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		days := r.stored.world.zone
		args := []any{
			int64(r.RecordID), int64(1), r.createdAt.UnixMilli(), int64(clock.DayOf(r.createdAt, days)), whole(r.Values["created_by"]),
			r.updatedAt.UnixMilli(), int64(clock.DayOf(r.updatedAt, days)),
		}
		if !mirrored {
			args = append(args, nil, nil, nil)
			if r.deleted {
				args[8] = int64(1)
			}
		}
		for i, c := range r.object.Columns() {
			v := whole(r.cols[i])
			if owner, ok := r.object.Column(r.object.CustomerField, schema.Main); v == nil && e.citus && ok && owner.Name == c.Name {
				v = int64(0) // no row is spread by nothing
			}
			if mirrored && c.Kind == schema.Bytes {
				v = v != nil
			}
			args = append(args, v)
		}
		if _, err := tx.Exec(e.bind("INSERT INTO "+table+" VALUES ("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")"), args...); err != nil {
			t.Fatalf("%s %s: %v", e.name, table, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// whole makes plain integers of ids.
func whole(v any) any {
	if n, ok := v.(id.ID); ok {
		return int64(n)
	}
	return v
}

// derived are traits and membership.
func (e engine) derived(t testing.TB, w *world) {
	t.Helper()
	tables := map[string][]string{}
	all := allTraits()
	for _, k := range []string{"orders_n", "rate", "spend", "last_on", "grade", "motto", "risky", "likes", "seen_at", "home"} {
		tables[all[k].Table] = append(tables[all[k].Table], k)
	}
	for table, keys := range tables {
		cols := []string{"customer_id BIGINT PRIMARY KEY"}
		for _, k := range keys {
			typ := "BIGINT"
			switch all[k].Type {
			case schema.Bool:
				typ = "BOOLEAN"
			case schema.Text, schema.Choice, schema.MultiChoice, schema.Region:
				typ = "TEXT"
			}
			cols = append(cols, k+" "+typ)
		}
		e.exec(t, "CREATE TABLE "+table+" ("+strings.Join(cols, ", ")+")")
		if e.citus {
			e.exec(t, dialects.CitusPlace(table, "customer_id", w.registry.Object(query.Customer).Physical))
		}
		for i, r := range w.rows["customer"] {
			if r.deleted || i%7 == 6 {
				for _, k := range keys {
					delete(r.Traits, k) // no row in this family
				}
				continue
			}
			args := []any{int64(r.RecordID)}
			for _, k := range keys {
				v := r.Traits[k]
				switch x := v.(type) {
				case []string:
					v = query.List(x)
				case clock.Day:
					v = int64(x)
				case time.Time:
					v = x.UnixMilli()
				}
				args = append(args, v)
			}
			e.exec(t, "INSERT INTO "+table+" VALUES ("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")", args...)
		}
	}
	e.events(t, w)
	e.exec(t, "CREATE TABLE segment_member (segment_key TEXT, customer_id BIGINT, since_at BIGINT)")
	if e.citus {
		e.exec(t, dialects.CitusPlace("segment_member", "customer_id", w.registry.Object(query.Customer).Physical))
	}
	for _, r := range w.rows["customer"] {
		if r.Segments["static"] {
			e.exec(t, "INSERT INTO segment_member VALUES ('static', ?, 1), ('other', ?, 1)", int64(r.RecordID), int64(r.RecordID))
		}
	}
}

func (e engine) exec(t testing.TB, text string, args ...any) {
	t.Helper()
	if _, err := e.db.Exec(e.bind(text), args...); err != nil {
		t.Fatalf("%s: %s: %v", e.name, text, err)
	}
}

func (e engine) bind(text string) string {
	if !e.numbered {
		return text
	}
	return dialects.Postgres{}.Rebind(text)
}

// refused reports a question that a cluster says it cannot answer, which is all it may say but the right answer.
func (e engine) refused(err error) bool {
	var pg *pgconn.PgError
	return e.citus && errors.As(err, &pg) && dialects.CitusRefuses(pg.Code, pg.Message)
}

// ids runs a selection.
func (e engine) ids(table string, f compile.Fragment, live string) (map[id.ID]bool, string, error) {
	text := `SELECT t."id" FROM ` + table + " t" + f.Joins + " WHERE " + live + f.Where
	rows, err := e.db.QueryContext(context.Background(), e.bind(text), f.Args...)
	if err != nil {
		return nil, text, err
	}
	defer rows.Close()
	out := map[id.ID]bool{}
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, text, err
		}
		if out[id.ID(n)] {
			return nil, text, fmt.Errorf("record %d is found twice", n)
		}
		out[id.ID(n)] = true
	}
	return out, text, rows.Err()
}

// nulls counts rows whose condition is NULL.
func (e engine) nulls(table string, f compile.Fragment) (n int, err error) {
	if e.citus && f.Where == "TRUE" {
		return 0, nil // a constant, which the cluster does not compare with NULL beside outer joins
	}
	text := "SELECT count(*) FROM " + table + " t" + f.Joins + " WHERE (" + f.Where + ") IS NULL"
	err = e.db.QueryRow(e.bind(text), f.Args...).Scan(&n)
	return n, err
}
