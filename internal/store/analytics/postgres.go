package analytics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// PostgresConfig says where the plane is.
type PostgresConfig struct {
	URL    string
	Schema string // the workspace's schema; records and analytics share it
	Conns  int    // most connections at once, 8 when 0
	// WorkMemory is what one sort or hash of an analytic statement may use before it spills, in megabytes; 64 when 0.
	WorkMemory int
}

type postgresDB struct {
	db    *sql.DB
	key   int64 // of the advisory lock that makes writers take turns, over all processes
	citus bool
	wide  chan struct{} // a place for each question that walks over most of the facts
}

// What such questions may use: how many of them at once, and the memory of one sort or hash of each.
const (
	wideAtOnce = 2
	wideMemory = "128MB"
)

// OpenPostgres connects to a workspace's schema. Writers of all processes take turns by an advisory lock held for the
// length of a Write. On a Citus cluster everything connects to its coordinator.
func OpenPostgres(ctx context.Context, c PostgresConfig) (DB, error) {
	cfg, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("read database address: %w", err)
	}
	cfg.RuntimeParams["search_path"] = Quote(c.Schema)
	cfg.RuntimeParams["application_name"] = "guanxi analytics"
	cfg.RuntimeParams["jit"] = "off" // compiling costs more than it saves on these statements
	cfg.RuntimeParams["work_mem"] = strconv.Itoa(max(c.WorkMemory, 64)) + "MB"
	p := &postgresDB{wide: make(chan struct{}, wideAtOnce)}
	p.db = stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(p.greet))
	conns := c.Conns
	if conns == 0 {
		conns = 8
	}
	p.db.SetMaxOpenConns(conns)
	p.db.SetMaxIdleConns(2)
	first, err := p.db.Conn(ctx)
	if err == nil {
		err = first.QueryRowContext(ctx, dialect.CitusPresent).Scan(&p.citus)
		if err == nil && p.citus { // later connections are greeted so
			_, err = first.ExecContext(ctx, dialect.CitusSession)
		}
		err = errors.Join(err, first.Close())
	}
	if err != nil {
		return nil, errors.Join(dialect.Fault(dialect.Refused, err), p.db.Close())
	}
	h := fnv.New64a()
	h.Write([]byte("guanxi analytics " + c.Schema))
	p.key = int64(h.Sum64())
	return p, nil
}

// greet prepares a connection.
func (p *postgresDB) greet(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, dialect.WatchClient)
	if err == nil && p.citus {
		_, err = c.Exec(ctx, dialect.CitusSession)
	}
	return err
}

func (p *postgresDB) Dialect() Dialect { return Postgres{Citus: p.citus} }

func (p *postgresDB) Close() error { return p.db.Close() }

func (p *postgresDB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := p.db.QueryContext(ctx, Postgres{}.Rebind(query), args...)
	return rows, postgresFault(err)
}

// Wide implements Wider: without loops over one row after the other, which the planner takes for cheap where it believes that few rows fulfil a condition.
func (p *postgresDB) Wide(ctx context.Context, ask func(Querier) error) (err error) {
	select {
	case p.wide <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.wide }()
	tx, err := p.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return postgresFault(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	for _, text := range []string{p.Dialect().WholeSet(), "SET LOCAL work_mem = '" + wideMemory + "'"} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return postgresFault(err)
		}
	}
	return ask(wideTx{tx})
}

// wideTx reads in a transaction.
type wideTx struct{ tx *sql.Tx }

func (w wideTx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := w.tx.QueryContext(ctx, Postgres{}.Rebind(query), args...)
	return rows, postgresFault(err)
}

const (
	lockWriters   = "SELECT pg_advisory_lock($1)"
	unlockWriters = "SELECT pg_advisory_unlock($1)"
)

func (p *postgresDB) Write(ctx context.Context, fn func(Tx) error) (err error) {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return postgresFault(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// The lock is taken before the transaction begins, so that its snapshot is younger than the last writer's commit.
	if _, err := conn.ExecContext(ctx, lockWriters, p.key); err != nil {
		return postgresFault(err)
	}
	defer func() {
		_, e := conn.ExecContext(context.WithoutCancel(ctx), unlockWriters, p.key)
		err = errors.Join(err, e)
	}()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return postgresFault(err)
	}
	defer func() {
		if err != nil {
			if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
				err = errors.Join(err, e)
			}
		}
	}()
	if err := fn(&postgresTx{conn: conn, tx: tx}); err != nil {
		return err
	}
	return postgresFault(tx.Commit())
}

type postgresTx struct {
	conn *sql.Conn
	tx   *sql.Tx
}

func (t *postgresTx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := t.tx.QueryContext(ctx, Postgres{}.Rebind(query), args...)
	return rows, postgresFault(err)
}

func (t *postgresTx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(ctx, Postgres{}.Rebind(query), args...)
	if err != nil {
		return 0, postgresFault(err)
	}
	n, err := res.RowsAffected()
	return n, postgresFault(err)
}

func (t *postgresTx) Append(ctx context.Context, table string, columns []string, rows Source) error {
	return t.conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("connection is a %T", driver)
		}
		next, stop := iter.Pull2(rows)
		defer stop()
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, &copySource{next: next})
		return postgresFault(err)
	})
}

// copySource gives a Source to COPY.
type copySource struct {
	next func() ([]any, error, bool)
	row  []any
	err  error
}

func (c *copySource) Next() bool {
	row, err, ok := c.next()
	c.row, c.err = row, err
	return ok && err == nil
}

func (c *copySource) Values() ([]any, error) { return c.row, c.err }

func (c *copySource) Err() error { return c.err }

// postgresFault names what a driver's error means.
func postgresFault(err error) error {
	if err == nil {
		return nil
	}
	class := dialect.Other
	var pe *pgconn.PgError
	var ce *pgconn.ConnectError
	switch {
	case errors.As(err, &pe):
		switch pe.Code {
		case "53100":
			class = dialect.DiskFull
		case "40001", "40P01":
			class = dialect.Contention
		case "23505":
			class = dialect.Unique
		case "57P01", "57P02", "57P03":
			class = dialect.Closed
		}
		if dialect.CitusRefuses(pe.Code, pe.Message) {
			class = dialect.Unsupported
		}
	case errors.As(err, &ce):
		class = dialect.Refused
	case errors.Is(err, sql.ErrConnDone):
		class = dialect.Closed
	}
	return dialect.Fault(class, err)
}
