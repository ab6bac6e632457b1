// Package postgres is the records plane in PostgreSQL: one schema per workspace, on any number of processes.
//
// Every connection has the workspace's schema as its search path, so statements name tables alone. Write runs at READ
// COMMITTED and runs its closure again after a deadlock or a serialization failure, up to five times, when nothing of it
// can have been committed. Read is a REPEATABLE READ, READ ONLY transaction: one snapshot. Prepared statements are kept
// per connection by the driver.
//
// Where the extension citus is present, Distribute spreads the tables after they were made: facts and customers by
// customer, other records as reference tables, unique keys by value. The rest stays on the coordinator, to which every
// process of the program connects. A snapshot then holds on each machine by itself.
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Config says where the database is.
type Config struct {
	// URL is a connection string, postgres://….
	URL string
	// Schema is the workspace's schema: lower-case letters, digits and underscores. It is created when missing.
	Schema string
	// MaxConns bounds the pool; the larger of 8 and four for each processor when 0.
	MaxConns int
}

// DB implements sqlstore.DB on one schema of a PostgreSQL database.
type DB struct {
	pool   *sql.DB
	schema string
	citus  atomic.Bool

	mu      sync.RWMutex // guards closed against running
	closed  bool
	running sync.WaitGroup
	retried atomic.Int64
}

var schemaShape = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// Open connects and creates the schema when it is missing.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if !schemaShape.MatchString(cfg.Schema) {
		return nil, fault.New(fault.Invalid, "store.schema_name", fault.Params{"schema": cfg.Schema})
	}
	conf, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fault.New(fault.Invalid, "store.database_url", nil) // the cause may hold the password
	}
	conf.RuntimeParams["search_path"] = dialect.Quote(cfg.Schema) + ", public"
	if conf.RuntimeParams["application_name"] == "" {
		conf.RuntimeParams["application_name"] = "guanxi"
	}
	db := &DB{schema: cfg.Schema}
	pool := stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, dialect.WatchClient)
		if err == nil && db.citus.Load() {
			_, err = c.Exec(ctx, dialect.CitusSession)
		}
		return err
	}))
	if cfg.MaxConns == 0 {
		cfg.MaxConns = max(8, 4*runtime.NumCPU())
	}
	pool.SetMaxOpenConns(cfg.MaxConns)
	pool.SetMaxIdleConns(cfg.MaxConns)
	db.pool = pool
	if err := db.prepare(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

func (db *DB) prepare(ctx context.Context) error {
	c, err := db.pool.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = c.Close() }() // gives it back to the pool
	var citus, there bool
	err = c.QueryRowContext(ctx, dialect.CitusPresent).Scan(&citus)
	if err == nil && citus {
		db.citus.Store(true)
		_, err = c.ExecContext(ctx, dialect.CitusSession)
	}
	if err == nil {
		err = c.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", db.schema).Scan(&there)
	}
	if err == nil && !there {
		_, err = c.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+dialect.Quote(db.schema))
	}
	return translate(err)
}

// Outside implements sqlstore.Builder.
func (db *DB) Outside(ctx context.Context, statement string) error {
	leave, err := db.enter()
	if err != nil {
		return err
	}
	defer leave()
	_, err = db.pool.ExecContext(ctx, statement)
	return translate(err)
}

// Halves implements sqlstore.Builder.
func (db *DB) Halves(ctx context.Context) (names []string, err error) {
	err = db.Read(ctx, func(c sqlstore.Conn) error {
		names = nil
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			names = append(names, name)
			return err
		}, "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND NOT i.indisvalid", db.schema)
	})
	return names, err
}

// Dialect implements sqlstore.DB.
func (db *DB) Dialect() dialect.Dialect { return dialect.Postgres{Citus: db.citus.Load()} }

// Schema is the workspace's schema.
func (db *DB) Schema() string { return db.schema }

// Retried is how many times a closure was run again since Open.
func (db *DB) Retried() int64 { return db.retried.Load() }

// enter keeps Close waiting until the function it returns is called.
func (db *DB) enter() (func(), error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, fault.New(fault.Unavailable, dialect.CodeClosed, nil)
	}
	db.running.Add(1)
	return db.running.Done, nil
}

// Read implements sqlstore.DB.
func (db *DB) Read(ctx context.Context, fn func(sqlstore.Conn) error) error {
	leave, err := db.enter()
	if err != nil {
		return err
	}
	defer leave()
	for attempt := 1; ; attempt++ {
		answered := false
		err = db.transact(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(c sqlstore.Conn) error {
			err := fn(c)
			answered = c.(*conn).answered
			return err
		})
		// A connection may break under its first statement as well: a cancelled one of before was still ending it. fn has seen nothing then.
		if attempt == maxAttempts || answered || ctx.Err() != nil || !errors.Is(err, driver.ErrBadConn) {
			return err
		}
		db.retried.Add(1)
	}
}

const maxAttempts = 5

// Write implements sqlstore.DB.
func (db *DB) Write(ctx context.Context, fn func(sqlstore.Conn) error) error {
	leave, err := db.enter()
	if err != nil {
		return err
	}
	defer leave()
	for attempt := 1; ; attempt++ {
		err = db.transact(ctx, nil, fn)
		if attempt == maxAttempts || fault.CodeOf(err) != dialect.CodeContention {
			return err
		}
		db.retried.Add(1)
		if !pause(ctx, time.Duration(attempt)*time.Duration(2+rand.IntN(10))*time.Millisecond) {
			return ctx.Err()
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (db *DB) transact(ctx context.Context, opts *sql.TxOptions, fn func(sqlstore.Conn) error) (err error) {
	raw, tx, err := db.begin(ctx, opts)
	if err != nil {
		return translate(err)
	}
	defer func() {
		if cerr := raw.Close(); err == nil && cerr != nil && !errors.Is(cerr, sql.ErrConnDone) {
			err = translate(cerr)
		}
	}()
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback() // the closure's error, or its panic, is what counts
		}
	}()
	c := &conn{tx: tx, raw: raw, dialect: db.Dialect()}
	if opts == nil {
		if _, err := tx.ExecContext(ctx, dialect.Postgres{}.EnterWrite()); err != nil {
			return translate(err)
		}
	}
	if err := fn(c); err != nil {
		return translate(err)
	}
	done = true
	err = translate(tx.Commit())
	if err != nil && opts != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// begin takes a connection and begins a transaction. A connection that a cancelled statement of before was still closing when it was
// taken is given up for another one: nothing has been asked of it.
func (db *DB) begin(ctx context.Context, opts *sql.TxOptions) (raw *sql.Conn, tx *sql.Tx, err error) {
	life := ctx
	if opts == nil { // a commit under way is not torn; single statements still honour the context
		life = context.WithoutCancel(ctx)
	}
	for attempt := 1; ; attempt++ {
		if raw, err = db.pool.Conn(ctx); err != nil {
			return nil, nil, err
		}
		if tx, err = raw.BeginTx(life, opts); err == nil {
			return raw, tx, nil
		}
		_ = raw.Close() // why it did not begin is what counts
		if attempt == maxAttempts || !errors.Is(err, driver.ErrBadConn) {
			return nil, nil, err
		}
	}
}

// Close implements sqlstore.DB.
func (db *DB) Close() error {
	db.mu.Lock()
	was := db.closed
	db.closed = true
	db.mu.Unlock()
	if was {
		return nil
	}
	db.running.Wait()
	return translate(db.pool.Close())
}

// DropSchema removes the workspace and everything in it. It is for tests and for deleting a workspace.
func (db *DB) DropSchema(ctx context.Context) error {
	_, err := db.pool.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+dialect.Quote(db.schema)+" CASCADE")
	return translate(err)
}

// translate turns the driver's errors into faults; others pass unchanged.
func translate(err error) error {
	if err == nil {
		return nil
	}
	var pg *pgconn.PgError
	var dial *pgconn.ConnectError
	var netErr net.Error
	switch {
	case errors.As(err, &pg):
		if dialect.CitusRefuses(pg.Code, pg.Message) {
			return dialect.Fault(dialect.Unsupported, err)
		}
		return dialect.Fault(classify(pg.Code), err)
	case errors.As(err, &dial):
		return dialect.Fault(dialect.Refused, err)
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone):
		return dialect.Fault(dialect.Closed, err)
	case errors.As(err, &netErr), errors.Is(err, driver.ErrBadConn), strings.Contains(err.Error(), "conn closed"), strings.Contains(err.Error(), "unexpected EOF"):
		return dialect.Fault(dialect.Refused, err)
	}
	return err
}

// classify reads an SQLSTATE.
func classify(state string) dialect.Class {
	switch state {
	case "23505":
		return dialect.Unique
	case "53100": // disk_full
		return dialect.DiskFull
	case "40001", "40P01":
		return dialect.Contention
	case "55P03", "53300": // lock_not_available, too_many_connections
		return dialect.Busy
	}
	if strings.HasPrefix(state, "57P") || strings.HasPrefix(state, "08") { // shut down, connection
		return dialect.Refused
	}
	return dialect.Other
}

// conn implements sqlstore.Conn on one transaction.
type conn struct {
	tx      *sql.Tx
	raw     *sql.Conn
	dialect dialect.Dialect

	answered bool // a statement has come back
}

func (c *conn) Dialect() dialect.Dialect { return c.dialect }

// Exec implements sqlstore.Conn.
func (c *conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if len(args) == 0 { // several statements of a migration: the simple protocol
		args = []any{pgx.QueryExecModeSimpleProtocol}
	}
	r, err := c.tx.ExecContext(ctx, dialect.Postgres{}.Rebind(query), args...)
	c.answered = c.answered || err == nil
	if err != nil {
		return 0, translate(err)
	}
	return r.RowsAffected()
}

// Query implements sqlstore.Conn.
func (c *conn) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := c.tx.QueryContext(ctx, dialect.Postgres{}.Rebind(query), planned(query, args)...)
	c.answered = c.answered || err == nil
	return rows, translate(err)
}

// planned asks for a fresh plan where the best one depends on the values: generated pages and searches. A plan kept for
// any value reads a million rows in the wrong order for some.
func planned(query string, args []any) []any {
	if !strings.Contains(query, "LIMIT") || len(args) == 0 {
		return args
	}
	out := make([]any, 0, len(args)+1)
	return append(append(out, pgx.QueryExecModeCacheDescribe), args...)
}

// QueryRow implements sqlstore.Conn.
func (c *conn) QueryRow(ctx context.Context, dest []any, query string, args ...any) (bool, error) {
	err := c.tx.QueryRowContext(ctx, dialect.Postgres{}.Rebind(query), planned(query, args)...).Scan(dest...)
	c.answered = c.answered || err == nil || errors.Is(err, sql.ErrNoRows)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, translate(err)
}

// copyFrom is the number of rows from which COPY beats an INSERT of several rows.
const copyFrom = 20

// InsertMany implements sqlstore.Conn.
func (c *conn) InsertMany(ctx context.Context, table string, columns []string, n int, fill func(i int, dst []any)) error {
	if n >= copyFrom {
		return c.copy(ctx, table, columns, n, fill)
	}
	width := len(columns)
	for i := range n {
		args := make([]any, width)
		fill(i, args)
		q := "INSERT INTO " + dialect.Quote(table) + "(" + dialect.QuoteAll(columns) + ") VALUES " + dialect.Values(1, width)
		if _, err := c.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) copy(ctx context.Context, table string, columns []string, n int, fill func(i int, dst []any)) error {
	err := c.raw.Raw(func(under any) error {
		row, i := make([]any, len(columns)), -1
		copied, err := under.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
			if i++; i >= n {
				return nil, nil
			}
			fill(i, row)
			return row, nil
		}))
		if err == nil && copied != int64(n) {
			err = fmt.Errorf("copied %d of %d rows", copied, n)
		}
		return err
	})
	return translate(err)
}
