package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// BackupTo writes a consistent copy of the database, as of now and without free pages, to a file that must not exist.
// Reading and writing go on meanwhile, with one reader less.
func (db *DB) BackupTo(ctx context.Context, path string) error {
	slot, err := db.reader(ctx) // held so that Close waits; a reader itself may not write, not even elsewhere
	if err != nil {
		return err
	}
	defer func() { db.readers <- slot }()
	c, err := db.pool.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer c.Close()
	_, err = c.ExecContext(ctx, "VACUUM INTO ?", path)
	return contextual(ctx, translate(err))
}

// rewriteTries is how often Rewrite asks for the WAL, which a reader may hold.
const (
	rewriteTries = 100
	rewritePause = 100 * time.Millisecond
)

// Rewrite writes every page of the file anew, so that nothing of what was removed is left between the rows, and empties the WAL.
// Reading goes on meanwhile; writing waits. The search index is made free of what was removed by Store.OptimizeSearch.
func (db *DB) Rewrite(ctx context.Context) error {
	if err := db.writer.bare(ctx, "VACUUM"); err != nil {
		return err
	}
	for range rewriteTries {
		err := db.writer.bare(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		if err == nil || !errors.Is(err, errWALHeld) {
			return err
		}
		if err := clock.Pause(ctx, rewritePause, nil); err != nil {
			return err
		}
	}
	return dialect.Fault(dialect.Busy, errWALHeld)
}

// Detach moves the rows of tables from a database file that nobody has open into another one, which must not exist, so that nothing of
// them is left in the first. A table that is not there is passed over.
func Detach(ctx context.Context, path, into string, tables ...string) error {
	return move(ctx, path, into, tables, func(table string) []string {
		return []string{"CREATE TABLE apart." + table + " AS SELECT * FROM main." + table, "DELETE FROM main." + table}
	}, "main")
}

// Attach puts the rows that Detach moved back.
func Attach(ctx context.Context, path, from string, tables ...string) error {
	return move(ctx, path, from, tables, func(table string) []string {
		return []string{"DELETE FROM main." + table, "INSERT INTO main." + table + " SELECT * FROM apart." + table}
	}, "apart")
}

// move runs statements for the tables that a schema of the two files has, in one transaction.
func move(ctx context.Context, path, other string, tables []string, statements func(table string) []string, of string) (err error) {
	pool := sql.OpenDB(connector{driver: newDriver(), dsn: dsn(path)})
	defer func() { err = errors.Join(err, pool.Close()) }()
	c, err := pool.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer c.Close()
	run := func(q string, args ...any) {
		if err == nil {
			_, err = c.ExecContext(ctx, q, args...)
		}
	}
	run("PRAGMA secure_delete = ON")
	run("PRAGMA journal_mode = DELETE")
	run("ATTACH DATABASE ? AS apart", other)
	run("BEGIN IMMEDIATE")
	for _, table := range tables {
		var n int
		if err == nil {
			err = c.QueryRowContext(ctx, "SELECT count(*) FROM "+of+".sqlite_master WHERE type = 'table' AND name = ?", table).Scan(&n)
		}
		if n == 0 {
			continue
		}
		for _, q := range statements(table) {
			run(q)
		}
	}
	run("COMMIT")
	return contextual(ctx, translate(err))
}
