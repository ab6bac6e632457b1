// Package sqlite is the embedded database of the records plane: one file, one writer, many readers.
//
// Writing. Closures are queued to one goroutine that owns the only writing connection. It runs as many as are waiting,
// each in a savepoint, inside one BEGIN IMMEDIATE … COMMIT, and answers all of them after the COMMIT, which SQLite has
// synced to disk (WAL, synchronous=FULL: one sync per commit). A closure that fails takes back its own savepoint only.
// Closures of contexts marked by sqlstore.Bulk wait until nothing else does, one per commit. When the database cannot
// write (disk full) every closure of that commit gets the fault and nothing of it stays; the next one is tried afresh.
//
// Reading. Each Read has a connection of a small pool and sees one snapshot; it neither waits for the writer nor delays
// it. Memory: the page caches of the writer and the readers are bounded by Config; nothing is memory-mapped.
//
// It does not guard the file against a second process; whoever opens a data directory holds its lock.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Config says where the database is and how much it may take. The zero value of a number chooses the default.
type Config struct {
	// Path is the database file, e.g. DIR/records.db; its folder must exist.
	Path string
	// SecureDelete overwrites deleted content with zeros.
	SecureDelete bool
	// WriterCacheMB and ReaderCacheMB bound the page cache of the writer (48) and of each reader (4).
	WriterCacheMB, ReaderCacheMB int
	// Readers is the size of the pool of reading connections: four, or the number of processors when that is more.
	Readers int
	// MaxPages bounds the size of the file in pages of 4 KiB; 0 for no bound but the disk.
	MaxPages int
	// Clock measures how long a group of closures has been running; the machine's clock when nil.
	Clock clock.Clock
}

// DB implements sqlstore.DB on one SQLite file.
type DB struct {
	pool    *sql.DB // writer and readers are connections taken from it for good
	writer  *writer
	back    *checkpointer
	readers chan *conn
	all     []*conn

	gone chan struct{} // closed by Close
	once sync.Once
}

// Open opens or creates the database.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	cfg = cfg.withDefaults()
	if err := touch(cfg.Path); err != nil {
		return nil, err
	}
	db := &DB{readers: make(chan *conn, cfg.Readers), gone: make(chan struct{})}
	db.pool = sql.OpenDB(connector{driver: newDriver(), dsn: dsn(cfg.Path)})
	db.pool.SetMaxIdleConns(0) // readers and writer are held; what is given back is closed
	w, err := db.open(ctx, writerPragmas(cfg))
	if err != nil {
		return nil, errors.Join(err, db.pool.Close())
	}
	w.detached = true
	for range cfg.Readers {
		r, err := db.open(ctx, readerPragmas(cfg))
		if err != nil {
			return nil, errors.Join(err, db.closeAll())
		}
		db.readers <- r
	}
	k, err := db.open(ctx, []string{"PRAGMA mmap_size = 0", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -64"})
	if err != nil {
		return nil, errors.Join(err, db.closeAll())
	}
	db.back = newCheckpointer(k, cfg.Path)
	db.writer = newWriter(w, cfg.Clock, db.back.committed)
	return db, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.WriterCacheMB == 0 {
		cfg.WriterCacheMB = 48
	}
	if cfg.ReaderCacheMB == 0 {
		cfg.ReaderCacheMB = 4
	}
	if cfg.Readers == 0 {
		cfg.Readers = max(4, runtime.NumCPU())
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	return cfg
}

// touch makes the file, readable by the owner alone, before SQLite would make it for everybody.
func touch(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return dialect.Fault(dialect.DiskFull, err)
		}
		return dialect.Fault(dialect.Refused, err)
	}
	return f.Close()
}

func dsn(path string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?_mutex=no&_busy_timeout=5000"
}

// writerPragmas: the checkpointer copies the WAL back every 64 MB, the writer begins it anew at 256 MB; it is cut to 64 MB after
// a burst.
func writerPragmas(cfg Config) []string {
	out := []string{
		"PRAGMA page_size = 4096", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = OFF",
		"PRAGMA mmap_size = 0", fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", restartPages), "PRAGMA journal_size_limit = 67108864",
		fmt.Sprintf("PRAGMA cache_size = -%d", cfg.WriterCacheMB*1024),
		"PRAGMA threads = 2", // the sort of a big index
		"PRAGMA secure_delete = " + map[bool]string{true: "ON", false: "OFF"}[cfg.SecureDelete],
	}
	if cfg.MaxPages > 0 {
		out = append(out, fmt.Sprintf("PRAGMA max_page_count = %d", cfg.MaxPages))
	}
	return out
}

func readerPragmas(cfg Config) []string {
	return []string{"PRAGMA query_only = ON", "PRAGMA foreign_keys = OFF", "PRAGMA mmap_size = 0",
		fmt.Sprintf("PRAGMA cache_size = -%d", cfg.ReaderCacheMB*1024)}
}

func (db *DB) open(ctx context.Context, pragmas []string) (*conn, error) {
	raw, err := db.pool.Conn(ctx)
	if err != nil {
		return nil, translate(err)
	}
	c := &conn{raw: raw, stmts: map[string]*sql.Stmt{}, direct: map[string]*statement{}}
	db.all = append(db.all, c)
	for _, p := range pragmas {
		if _, err := raw.ExecContext(ctx, p); err != nil {
			return nil, translate(err)
		}
	}
	return c, nil
}

// Dialect implements sqlstore.DB.
func (db *DB) Dialect() dialect.Dialect { return dialect.SQLite{} }

// Read implements sqlstore.DB.
func (db *DB) Read(ctx context.Context, fn func(sqlstore.Conn) error) error {
	c, err := db.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { db.readers <- c }()
	bg := context.Background()
	if _, err := c.Exec(bg, "BEGIN"); err != nil {
		return err
	}
	defer func() { _, _ = c.Exec(bg, "ROLLBACK") }() // ends a snapshot in which nothing was written
	return contextual(ctx, translate(fn(c)))
}

// reader takes a connection out of the pool; the caller puts it back.
func (db *DB) reader(ctx context.Context) (*conn, error) {
	select {
	case <-db.gone:
		return nil, closedFault()
	default:
	}
	select {
	case c := <-db.readers:
		return c, nil
	case <-db.gone:
		return nil, closedFault()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// contextual gives the context's own error when it ended and the database only reports the interruption.
func contextual(ctx context.Context, err error) error {
	var e sqlite3.Error
	if err != nil && ctx.Err() != nil && errors.As(err, &e) && e.Code == sqlite3.ErrInterrupt {
		return ctx.Err()
	}
	return err
}

// Write implements sqlstore.DB.
func (db *DB) Write(ctx context.Context, fn func(sqlstore.Conn) error) error {
	return db.writer.do(ctx, fn)
}

// Stats counts what the writer has done since Open.
func (db *DB) Stats() Stats { return db.writer.stats() }

// Check verifies the pages and the search index of the file; the error names what is wrong. It reads by a connection of its own:
// the check of a full-text index believes what an older connection remembers of the index's parts, and takes parts that the
// writer has merged since for lost.
func (db *DB) Check(ctx context.Context) error {
	c, err := db.pool.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, "PRAGMA query_only = ON"); err != nil {
		return translate(err)
	}
	var word string
	if err := c.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&word); err != nil {
		return contextual(ctx, translate(err))
	}
	if word != "ok" {
		return errors.New(word)
	}
	return nil
}

// Queued is how many closures wait for the writer at this moment.
func (db *DB) Queued() int { return len(db.writer.jobs) + len(db.writer.bulk) }

// Close implements sqlstore.DB. It copies the WAL back into the file.
func (db *DB) Close() error {
	var err error
	db.once.Do(func() {
		db.writer.close()
		db.back.close()
		close(db.gone)
		for range cap(db.readers) { // each comes back when its Read is over
			<-db.readers
		}
		err = db.closeAll()
	})
	return err
}

func (db *DB) closeAll() error {
	var errs []error
	for _, c := range db.all {
		c.forget()
		errs = append(errs, c.raw.Close())
	}
	errs = append(errs, db.pool.Close())
	return translate(errors.Join(errs...))
}

func closedFault() error { return fault.New(fault.Unavailable, dialect.CodeClosed, nil) }

// translate turns the driver's errors into faults; others pass unchanged.
func translate(err error) error {
	if err == nil {
		return nil
	}
	var e sqlite3.Error
	if errors.As(err, &e) {
		return dialect.Fault(classify(e), err)
	}
	if errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) || errors.Is(err, driver.ErrBadConn) {
		return dialect.Fault(dialect.Closed, err)
	}
	return err
}

func classify(e sqlite3.Error) dialect.Class {
	switch e.Code {
	case sqlite3.ErrConstraint:
		if e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey ||
			e.ExtendedCode == sqlite3.ErrConstraintRowID {
			return dialect.Unique
		}
	case sqlite3.ErrFull:
		return dialect.DiskFull
	case sqlite3.ErrIoErr:
		if e.SystemErrno == syscall.ENOSPC || e.SystemErrno == syscall.EDQUOT {
			return dialect.DiskFull
		}
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return dialect.Busy
	case sqlite3.ErrCantOpen:
		return dialect.Refused
	}
	return dialect.Other
}
