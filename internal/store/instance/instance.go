// Package instance stores what belongs to no workspace: people, workspaces and memberships, sessions, second factors and the
// history of sign-ins, hashes of API keys, the audit trail, throttling counters, stored answers of idempotent requests, and
// jobs.
//
// It lives in DIR/instance.db (SQLite) or in a schema of its own in PostgreSQL, with its own forward-only migrations. One
// set of statements serves both; "?" is rebound for PostgreSQL. A Store is safe for concurrent use.
package instance

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/mattn/go-sqlite3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the PostgreSQL schema of an instance unless another is named.
const Schema = "guanxi_instance"

// Store is an open instance store.
type Store struct {
	db       *sql.DB
	duties   *sql.DB // connections that hold duties, apart from those that requests need; nil when embedded
	postgres bool
	prepared sync.Map // statement text → *sql.Stmt: the few that every request needs; pgx keeps its own
	known    known
}

// OpenSQLite opens or makes the store in a file.
func OpenSQLite(ctx context.Context, path string) (*Store, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the data directory's; SQLite would make it readable for everybody
	if err != nil {
		return nil, fmt.Errorf("open instance store: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open instance store: %w", err)
	}
	dsn := "file:" + path + "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_txlock=immediate&_foreign_keys=on&_secure_delete=on"
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, fmt.Errorf("open instance store: %w", err)
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(2)
	return start(ctx, &Store{db: db})
}

// OpenPostgres opens or makes the store in a schema of a database.
func OpenPostgres(ctx context.Context, url, schema string) (*Store, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database url: %w", err)
	}
	cfg.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(2)
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{schema}.Sanitize()); err != nil && !duplicate(err) {
		return nil, errors.Join(fmt.Errorf("make schema: %w", err), db.Close())
	}
	duties := stdlib.OpenDB(*cfg)
	duties.SetMaxIdleConns(1)
	s, err := start(ctx, &Store{db: db, duties: duties, postgres: true})
	if err != nil {
		return nil, errors.Join(err, duties.Close())
	}
	return s, nil
}

func start(ctx context.Context, s *Store) (*Store, error) {
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate instance store: %w", err), s.db.Close())
	}
	return s, nil
}

// Close releases the connections.
func (s *Store) Close() error {
	s.prepared.Range(func(_, st any) bool {
		_ = st.(*sql.Stmt).Close() // the connections close with it
		return true
	})
	if s.duties != nil {
		return errors.Join(s.duties.Close(), s.db.Close())
	}
	return s.db.Close()
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.PingContext(ctx) }

// BackupTo writes a consistent copy of an SQLite store to a new file.
func (s *Store) BackupTo(ctx context.Context, path string) error {
	if s.postgres {
		return fault.New(fault.Invalid, "app.backup_postgres", nil)
	}
	_, err := s.db.ExecContext(ctx, "VACUUM INTO ?", path)
	return err
}

// Check verifies the file of an SQLite store; PostgreSQL checks its own pages.
func (s *Store) Check(ctx context.Context) error {
	if s.postgres {
		return s.Ping(ctx)
	}
	var word string
	if err := s.db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&word); err != nil {
		return err
	}
	if word != "ok" {
		return fmt.Errorf("instance store: %s", word)
	}
	return nil
}

// Rewrite writes every page of an SQLite store anew and empties its log, so that nothing of what was removed is left in the file.
// PostgreSQL reuses its pages by itself.
func (s *Store) Rewrite(ctx context.Context) error {
	if s.postgres {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, "VACUUM"); err != nil {
		return fmt.Errorf("rewrite instance store: %w", err)
	}
	var busy, log, moved int64
	if err := s.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved); err != nil {
		return fmt.Errorf("rewrite instance store: %w", err)
	}
	if busy != 0 {
		return fault.New(fault.Unavailable, "store.busy", nil)
	}
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	return s.tx(ctx, func(tx *tx) error {
		if s.postgres {
			if _, err := tx.exec("SELECT pg_advisory_xact_lock(775001)"); err != nil {
				return err
			}
		}
		if _, err := tx.exec("CREATE TABLE IF NOT EXISTS instance_version (version BIGINT NOT NULL)"); err != nil {
			return err
		}
		var have int
		if err := tx.row("SELECT coalesce(max(version), 0) FROM instance_version").Scan(&have); err != nil {
			return err
		}
		if have > len(names) {
			return fault.New(fault.Invalid, "app.newer_version", nil)
		}
		for i, name := range names[have:] {
			text, err := migrations.ReadFile(name)
			if err != nil {
				return err
			}
			if _, err := tx.exec(string(text)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if name == chainMigration {
				if err := tx.adopt(); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			if _, err := tx.exec("INSERT INTO instance_version (version) VALUES (?)", have+i+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// runner is what *sql.DB and *sql.Tx share.
type runner interface {
	ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row
}

// tx binds a runner to a context and the dialect.
type tx struct {
	ctx      context.Context
	r        runner
	postgres bool
	known    *known // to be emptied by a statement of its own
	concerns bool   // a statement of the transaction empties it
}

func (s *Store) on(ctx context.Context) *tx {
	if s.postgres {
		return &tx{ctx: ctx, r: s.db, postgres: true}
	}
	return &tx{ctx: ctx, r: (*preparing)(s), known: &s.known}
}

// preparing runs queries outside of a transaction as prepared statements.
type preparing Store

func (p *preparing) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	return p.db.ExecContext(ctx, q, args...)
}

func (p *preparing) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	st, err := p.statement(ctx, q)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (p *preparing) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	st, err := p.statement(ctx, q)
	if err != nil {
		return p.db.QueryRowContext(ctx, q, args...) // fails the same way, and says so when it is scanned
	}
	return st.QueryRowContext(ctx, args...)
}

func (p *preparing) statement(ctx context.Context, q string) (*sql.Stmt, error) {
	if st, ok := p.prepared.Load(q); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := p.db.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	if first, taken := p.prepared.LoadOrStore(q, st); taken {
		return first.(*sql.Stmt), st.Close()
	}
	return st, nil
}

func (s *Store) tx(ctx context.Context, fn func(*tx) error) error {
	t, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	own := &tx{ctx: ctx, r: t, postgres: s.postgres}
	if err := fn(own); err != nil {
		return errors.Join(err, ignoreDone(t.Rollback()))
	}
	err = t.Commit()
	if own.concerns { // whatever the commit said, it may have happened
		s.known.forget()
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// rebind turns ? into $1, $2 … for PostgreSQL; no statement here holds a ? inside a literal.
func (t *tx) rebind(q string) string {
	if !t.postgres {
		return q
	}
	var b strings.Builder
	n := 0
	for {
		before, after, ok := strings.Cut(q, "?")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		q = after
	}
}

func (t *tx) exec(q string, args ...any) (int64, error) {
	res, err := t.r.ExecContext(t.ctx, t.rebind(q), args...)
	if !t.postgres && concerns(q) {
		t.concerns = true
		if t.known != nil {
			t.known.forget()
		}
	}
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return n, err
}

func (t *tx) row(q string, args ...any) *sql.Row {
	return t.r.QueryRowContext(t.ctx, t.rebind(q), args...)
}

// lock makes writers of one matter wait for each other on PostgreSQL; SQLite transactions here are all IMMEDIATE.
func (t *tx) lock(matter int64) error {
	if !t.postgres {
		return nil
	}
	_, err := t.exec("SELECT pg_advisory_xact_lock(?)", matter)
	return err
}

// collect reads all rows with one scan function.
func collect[T any](t *tx, scan func(func(...any) error) (T, error), q string, args ...any) ([]T, error) {
	rows, err := t.r.QueryContext(t.ctx, t.rebind(q), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func duplicate(err error) bool {
	var se sqlite3.Error
	if errors.As(err, &se) {
		return se.ExtendedCode == sqlite3.ErrConstraintUnique || se.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
	}
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "23505"
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMilli(v).UTC()
}

// Drop removes a PostgreSQL schema with everything in it; tests make one each.
func (s *Store) Drop(ctx context.Context, schema string) error {
	_, err := s.db.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
	return err
}
