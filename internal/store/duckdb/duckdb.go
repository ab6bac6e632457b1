// Package duckdb keeps the analytics plane in an embedded DuckDB file, DIR/analytics.duckdb. It is the only package that
// imports the DuckDB driver, since linking it costs ten seconds a binary.
//
// The file is derived and never holds the only copy of anything, so nothing is repaired. Open drops a file of another format
// or of a newer DuckDB, sets a damaged one aside (FILE.damaged, one at most), and makes it anew, empty; the mirror fills it
// again. A file held by another process, unreadable for want of rights, or on a full disk is an error and stays.
//
// Damage that is found while the program runs ends the use of the file: every statement answers analytics.rebuilding, and
// Damaged is told, until Renew has put a new file in its place. A crash in between leaves a mark by which the next Open knows.
//
// One writing connection is taken in turns; readers run beside it and see the last commit. When DuckDB meets an internal
// error it refuses everything until it is restarted; the statement that met it fails, and the next one restarts the engine
// on the same file, which holds every commit. Extensions are neither installed nor loaded. Memory is bounded by MemoryLimit; statements that need more spill into DIR/analytics.duckdb.tmp.
package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// FileName is the name of the file in the workspace's directory.
const FileName = "analytics.duckdb"

// Config says how to open the plane.
type Config struct {
	Dir string // the workspace's directory
	// Format is the version of what is kept in the file; a file with another one is dropped.
	Format int
	// MemoryLimit in megabytes, 512 when 0.
	MemoryLimit int
	// Threads that work on one statement, 2 when 0.
	Threads int
	// Readers is how many statements run at once beside the writer, 8 when 0.
	Readers int
	// Clock says when a damaged file was set aside; that of the system when nil.
	Clock clock.Clock
}

// DB is an open file. It is safe for concurrent use.
type DB struct {
	config Config
	path   string
	turn   chan struct{} // holds one token: the right to write

	mu     sync.RWMutex // of engine; a reader holds it until it has rows
	engine *engine
	door   atomic.Pointer[chan struct{}] // closed when readers may go on; nil while they may
	failed atomic.Bool                   // the engine refuses everything until restarted
	marked atomic.Bool                   // the file is damaged or was lost; nothing is read or written until Renew

	damaged chan struct{} // holds one entry when the file was found damaged
}

// engine is one running instance of DuckDB.
type engine struct {
	db     *sql.DB
	writer *sql.Conn
	fresh  bool
	kept   kept
}

func (e *engine) close() error {
	e.kept.forget()
	return errors.Join(e.writer.Close(), e.db.Close())
}

var _ analytics.DB = (*DB)(nil)

// Open opens the file, or makes it anew when it is absent, of another format, or damaged.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	path := filepath.Join(c.Dir, FileName)
	if strings.ContainsAny(path, "?#%") { // the driver reads the path as an address
		return nil, fault.New(fault.Invalid, "analytics.bad_path", fault.Params{"path": path})
	}
	e, err := start(ctx, path, c)
	if err != nil {
		return nil, err
	}
	d := &DB{config: c, path: path, turn: make(chan struct{}, 1), damaged: make(chan struct{}, 1), engine: e}
	d.turn <- struct{}{}
	return d, nil
}

// start opens the file, and takes it away first where it is of no use.
func start(ctx context.Context, path string, c Config) (*engine, error) {
	if _, err := os.Stat(path + rebuildMark); err == nil {
		if err := setAside(path, c); err != nil {
			return nil, err
		}
	}
	e, err := open(ctx, path, c)
	if err == nil {
		return e, nil
	}
	if !derelict(err) {
		return nil, openFault(err)
	}
	if errors.Is(err, errFormat) {
		err = remove(path)
	} else {
		err = setAside(path, c)
	}
	if err != nil {
		return nil, err
	}
	e, err = open(ctx, path, c)
	return e, openFault(err)
}

// doorAtMost is how long a reader waits while the file changes places.
const doorAtMost = 15 * time.Second

// reading is the engine for a reader, who holds mu until it calls leave. A restart is the writer's while one is at work: it is about to fail too.
func (d *DB) reading(ctx context.Context) (e *engine, leave func(), err error) {
	if door := d.door.Load(); door != nil {
		if err := clock.Pause(ctx, doorAtMost, *door); err != nil {
			return nil, nil, err
		}
	}
	usable := func() bool { return !d.failed.Load() && !d.marked.Load() }
	for {
		if usable() { // or whoever restarts it has mu, and may wait for the rows that this reader has elsewhere
			d.mu.RLock()
			if usable() {
				return d.engine, d.mu.RUnlock, nil
			}
			d.mu.RUnlock()
		}
		if err := d.repaired(ctx); err != nil {
			return nil, nil, err
		}
	}
}

// repaired restarts the engine for a reader.
func (d *DB) repaired(ctx context.Context) error {
	if !d.marked.Load() {
		select {
		case <-d.turn:
		default:
			return fault.New(fault.Unavailable, "analytics.restarting", nil)
		}
		defer func() { d.turn <- struct{}{} }()
	}
	_, err := d.running(ctx)
	return err
}

// running is the engine, restarted when it had failed; then the caller holds the turn.
func (d *DB) running(ctx context.Context) (*engine, error) {
	if d.marked.Load() {
		return nil, fault.New(fault.Unavailable, "analytics.rebuilding", nil)
	}
	if d.failed.Load() {
		if err := d.restart(ctx); err != nil {
			return nil, err
		}
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.engine, nil
}

// Restart stops the engine and starts it on the same file, which gives its memory back. It fails with
// analytics.restarting while a reader is still at work; then the next statement restarts.
func (d *DB) Restart(ctx context.Context) error {
	select {
	case <-d.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.turn <- struct{}{} }()
	d.failed.Store(true)
	return d.restart(ctx)
}

// Shrink gives back the pages of the file that are held in memory, where nobody reads or writes; the system still has them cached.
// It does nothing while somebody does.
func (d *DB) Shrink(ctx context.Context) error {
	select {
	case <-d.turn:
	default:
		return nil
	}
	defer func() { d.turn <- struct{}{} }()
	if d.failed.Load() || d.marked.Load() {
		return nil
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if !d.idle() {
		return nil
	}
	d.engine.kept.forget()
	ctx = context.WithoutCancel(ctx)
	// Less than what is pinned is refused after everything else was given up; whoever begins meanwhile has room, and a file to spill to.
	_, low := d.engine.writer.ExecContext(ctx, "SET memory_limit = '"+strconv.Itoa(shrunk)+"MiB'")
	_, err := d.engine.writer.ExecContext(ctx, limit(d.config))
	if low != nil && !strings.Contains(low.Error(), "memory limit") {
		err = errors.Join(low, err)
	}
	return d.fault(err)
}

// Afresh starts the engine anew where nobody reads or writes, and reports whether it did: what it has learned of its tables and what lies free
// between that goes back to the system, which Shrink cannot reach. Who begins meanwhile waits for it.
func (d *DB) Afresh(ctx context.Context) (done bool, err error) {
	select {
	case <-d.turn:
	default:
		return false, nil
	}
	defer func() { d.turn <- struct{}{} }()
	if !d.mu.TryLock() {
		return false, nil
	}
	defer d.mu.Unlock()
	if d.failed.Load() || d.marked.Load() || !d.idle() {
		return false, nil
	}
	err = d.stop()
	if err == nil {
		err = d.begin(ctx)
	}
	if err != nil {
		d.failed.Store(true) // whoever comes next starts it
	}
	return err == nil, err
}

// idle reports whether nobody has rows of the engine; mu is held. The writer's own connection is one.
func (d *DB) idle() bool { return d.engine.db.Stats().InUse <= 1 }

// shrunk is how many MiB Shrink leaves.
const shrunk = 24

func (d *DB) restart(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.failed.Load() {
		return nil
	}
	if err := d.stop(); err != nil {
		return err
	}
	return d.begin(ctx)
}

// begin starts an engine in the place of one that was stopped; mu is held.
func (d *DB) begin(ctx context.Context) error {
	e, err := start(context.WithoutCancel(ctx), d.path, d.config)
	if err != nil {
		return err
	}
	d.engine = e
	d.failed.Store(false)
	if e.fresh && !d.marked.Load() { // what DuckDB wrote last cannot be read: whoever uses the file must make its tables again
		d.lose()
		return fault.New(fault.Unavailable, "analytics.rebuilding", nil)
	}
	return nil
}

// stop ends the engine; mu is held.
func (d *DB) stop() error {
	old := d.engine
	old.kept.forget()
	if err := old.writer.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return fault.Wrap(fault.Unavailable, "analytics.restarting", err)
	}
	if err := old.db.Close(); err != nil {
		return fault.Wrap(fault.Unavailable, "analytics.restarting", err)
	}
	// The driver waits for ever for a file that a connection still holds; its reader ends by itself, since every read fails.
	if old.db.Stats().InUse > 0 {
		return fault.New(fault.Unavailable, "analytics.restarting", nil)
	}
	return nil
}

// lose notes that the file is of no more use, and tells once.
func (d *DB) lose() {
	d.marked.Store(true)
	select {
	case d.damaged <- struct{}{}:
	default:
	}
}

// Damaged has an entry when the file was found damaged; then Renew is due.
func (d *DB) Damaged() <-chan struct{} { return d.damaged }

// renewPoll is how often Renew looks whether the last reader of a damaged file has ended.
const renewPoll = 20 * time.Millisecond

// Renew puts a new, empty file in the place of a damaged one, which is set aside. It waits for readers to end. Nothing may
// write until it has returned.
func (d *DB) Renew(ctx context.Context) error {
	select {
	case <-d.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.turn <- struct{}{} }()
	d.failed.Store(true)
	for {
		err := d.restart(ctx)
		if fault.CodeOf(err) != "analytics.restarting" {
			if err == nil {
				d.marked.Store(false)
			}
			return err
		}
		if err := clock.Pause(ctx, renewPoll, nil); err != nil {
			return err
		}
	}
}

var errFormat = errors.New("file has another format")

// derelict reports an error that means the file is of no use, as against one that keeps us from using it.
func derelict(err error) bool {
	if errors.Is(err, errFormat) {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	text := err.Error()
	for _, s := range []string{"Could not set lock", "Permission denied", "No space left", "Too many open files",
		"Cannot open file", "Out of Memory", "Read-only file system"} {
		if strings.Contains(text, s) {
			return false
		}
	}
	return true
}

func openFault(err error) error {
	if err == nil {
		return nil
	}
	if strings.Contains(err.Error(), "Could not set lock") {
		return dialect.Fault(dialect.Busy, err)
	}
	return duckFault(err)
}

// limit sets how much memory DuckDB may use.
func limit(c Config) string {
	return "SET memory_limit = '" + strconv.Itoa(cmp.Or(c.MemoryLimit, 512)) + "MiB'"
}

// settings are applied to every connection; all are global, so repeating them is harmless.
func settings(c Config, path string) []string {
	or := func(v, d int) string {
		if v == 0 {
			v = d
		}
		return strconv.Itoa(v)
	}
	return []string{
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		limit(c),
		"SET threads = " + or(c.Threads, 2),
		"SET allocator_background_threads = true", // what was freed goes back to the system after seconds, not with the next query
		"SET temp_directory = '" + strings.ReplaceAll(path, "'", "''") + ".tmp'",
		"SET preserve_insertion_order = false", // statements that want an order say so; keeping it costs memory
		"SET TimeZone = 'UTC'",
	}
}

func open(ctx context.Context, path string, c Config) (_ *engine, err error) {
	connector, err := duck.NewConnector(path, nil)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close(), connector.Close())
		}
	}()
	readers := c.Readers
	if readers == 0 {
		readers = 8
	}
	db.SetMaxOpenConns(readers + 1)
	db.SetMaxIdleConns(readers + 1)
	for _, s := range settings(c, path) {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := os.Chmod(path, 0o600); err != nil { // DuckDB makes its file readable for everybody
		return nil, err
	}
	writer, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	e := &engine{db: db, writer: writer}
	if err := e.checkFormat(ctx, c.Format); err != nil {
		return nil, errors.Join(err, writer.Close()) // the driver waits for ever for a file that a connection still holds
	}
	return e, nil
}

const (
	createFormat = "CREATE TABLE IF NOT EXISTS plane_format (format BIGINT)"
	readFormat   = "SELECT format FROM plane_format"
	writeFormat  = "INSERT INTO plane_format (format) VALUES (?)"
)

func (e *engine) checkFormat(ctx context.Context, want int) error {
	if _, err := e.writer.ExecContext(ctx, createFormat); err != nil {
		return err
	}
	var got int
	err := e.writer.QueryRowContext(ctx, readFormat).Scan(&got)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		e.fresh = true
		_, err = e.writer.ExecContext(ctx, writeFormat, want)
		return err
	case err != nil:
		return err
	case got != want:
		return fmt.Errorf("%w: %d instead of %d", errFormat, got, want)
	}
	return nil
}

// Fresh reports whether the file was made anew when the engine last started.
func (d *DB) Fresh() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.engine.fresh
}

// Size is the size of the file and its log in bytes.
func (d *DB) Size() int64 {
	var n int64
	for _, p := range []string{d.path, d.path + ".wal"} {
		if st, err := os.Stat(p); err == nil {
			n += st.Size()
		}
	}
	return n
}

// Dialect implements analytics.DB.
func (d *DB) Dialect() analytics.Dialect { return analytics.Duck{} }

// Close waits for the writer and closes the file.
func (d *DB) Close() error {
	<-d.turn
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.engine.close()
}

// Query implements analytics.DB.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	e, leave, err := d.reading(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	s, err := e.kept.find(ctx, e.db, query, args)
	if err != nil {
		return nil, d.fault(err)
	}
	if s != nil {
		rows, err := s.QueryContext(ctx, args...)
		if err == nil || ctx.Err() != nil {
			return rows, d.fault(err)
		}
		e.kept.lose(query) // a column may be of another type now, which a plan does not outlive
	}
	rows, err := e.db.QueryContext(ctx, query, args...)
	return rows, d.fault(err)
}

// Write implements analytics.DB.
func (d *DB) Write(ctx context.Context, fn func(analytics.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-d.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.turn <- struct{}{} }()
	e, err := d.running(ctx)
	if err != nil {
		return err
	}
	// database/sql throws a connection away when the context of its transaction ends; the writer is the only one and must
	// stay. Statements carry the context themselves and are interrupted by it; the rollback is made here.
	sqlTx, err := e.writer.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return d.fault(err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(sqlTx.Rollback(), fmt.Errorf("analytics writer: %v", p))
		}
	}()
	if err := fn(&tx{db: d, conn: e.writer, tx: sqlTx}); err != nil {
		if e := sqlTx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
			return errors.Join(d.fault(err), e)
		}
		return d.fault(err)
	}
	return d.fault(sqlTx.Commit())
}

type tx struct {
	db   *DB
	conn *sql.Conn
	tx   *sql.Tx
}

func (t *tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := t.tx.QueryContext(ctx, query, args...)
	return rows, t.db.fault(err)
}

func (t *tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, t.db.fault(err)
	}
	n, err := res.RowsAffected()
	return n, t.db.fault(err)
}

const tableColumns = `SELECT column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position`

// Append implements analytics.Tx with the Appender, whose rows belong to the running transaction.
func (t *tx) Append(ctx context.Context, table string, columns []string, rows analytics.Source) error {
	order, err := t.order(ctx, table, columns)
	if err != nil {
		return err
	}
	// What goes wrong inside is kept from database/sql, which throws a connection away for some errors (driver.ErrBadConn,
	// of whatever database the rows are read from) and for a panic; the writer is the only one and must stay.
	var inner error
	err = t.conn.Raw(func(raw any) error {
		inner = t.append(ctx, raw, table, order, rows)
		return nil
	})
	return errors.Join(inner, t.db.fault(err))
}

func (t *tx) append(ctx context.Context, raw any, table string, order []int, rows analytics.Source) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("append to %s: panic: %v", table, p)
		}
	}()
	conn, ok := raw.(driver.Conn)
	if !ok {
		return fmt.Errorf("connection is a %T", raw)
	}
	app, err := duck.NewAppenderFromConn(conn, "", table)
	if err != nil {
		return t.db.fault(err)
	}
	err = appendRows(ctx, app, order, rows)
	return errors.Join(t.db.fault(err), t.db.fault(app.Close()))
}

// order maps each column of the table to its place in the rows, -1 for none.
func (t *tx) order(ctx context.Context, table string, columns []string) ([]int, error) {
	at := make(map[string]int, len(columns))
	for i, c := range columns {
		at[c] = i
	}
	rows, err := t.Query(ctx, tableColumns, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var order []int
	found := 0
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, t.db.fault(err)
		}
		i, ok := at[name]
		if !ok {
			i = -1
		} else {
			found++
		}
		order = append(order, i)
	}
	if err := rows.Err(); err != nil {
		return nil, t.db.fault(err)
	}
	if found != len(columns) {
		return nil, fmt.Errorf("append to %s: %d of %d columns exist", table, found, len(columns))
	}
	return order, nil
}

// appendBatch is how many rows pass from the source to the appender at a time.
const appendBatch = 1024

// batch are some rows one after the other, or why there are no more.
type batch struct {
	values []driver.Value
	err    error
}

// appendRows appends while the source reads on, since a large load costs as much time on one side as on the other. The source
// has ended when appendRows returns.
func appendRows(ctx context.Context, app *duck.Appender, order []int, rows analytics.Source) error {
	batches, stop := make(chan batch, 2), make(chan struct{})
	go read(batches, stop, order, rows)
	err := appendBatches(ctx, app, len(order), batches)
	close(stop)
	for range batches { //nolint:revive // wait for the source to end
	}
	return err
}

// read gathers the rows of a source in the order of the table's columns.
func read(to chan<- batch, stop <-chan struct{}, order []int, rows analytics.Source) {
	defer close(to)
	send := func(b batch) bool {
		select {
		case to <- b:
			return true
		case <-stop:
			return false
		}
	}
	defer func() {
		if p := recover(); p != nil {
			send(batch{err: fmt.Errorf("rows to append: panic: %v", p)})
		}
	}()
	var values []driver.Value // few rows take little room
	for row, err := range rows {
		if err != nil {
			send(batch{err: err})
			return
		}
		for _, from := range order {
			var v driver.Value
			if from >= 0 {
				v = row[from]
			}
			values = append(values, v)
		}
		if len(values) == appendBatch*len(order) {
			if !send(batch{values: values}) {
				return
			}
			values = make([]driver.Value, 0, appendBatch*len(order))
		}
	}
	send(batch{values: values})
}

func appendBatches(ctx context.Context, app *duck.Appender, width int, batches <-chan batch) error {
	for b := range batches {
		if b.err != nil {
			return b.err
		}
		for at := 0; at < len(b.values); at += width {
			if err := app.AppendRow(b.values[at : at+width]...); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// fault names what a driver's error means, and remembers when the engine or the file is of no more use.
func (d *DB) fault(err error) error {
	var de *duck.Error
	if !errors.As(err, &de) {
		return duckFault(err)
	}
	if de.Type == duck.ErrorTypeFatal || de.Type == duck.ErrorTypeInternal {
		d.failed.Store(true)
	}
	if !corrupt(de.Msg) {
		return duckFault(err)
	}
	if !d.marked.Load() {
		d.lose()
		if e := os.WriteFile(d.path+rebuildMark, nil, 0o600); e != nil {
			err = errors.Join(err, e)
		}
	}
	return fault.Wrap(fault.Unavailable, "analytics.damaged", err)
}

func corrupt(message string) bool {
	return strings.Contains(message, "Corrupt") || strings.Contains(message, "checksum")
}

func duckFault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.Find(err); ok {
		return err
	}
	var de *duck.Error
	if !errors.As(err, &de) {
		if errors.Is(err, sql.ErrConnDone) {
			return dialect.Fault(dialect.Closed, err)
		}
		return dialect.Fault(dialect.Other, err)
	}
	switch {
	case de.Type == duck.ErrorTypeInterrupt:
		return fmt.Errorf("%w: %w", context.Canceled, err)
	case de.Type == duck.ErrorTypeOutOfMemory:
		return fault.Wrap(fault.Unavailable, "analytics.out_of_memory", err)
	case de.Type == duck.ErrorTypeFatal, de.Type == duck.ErrorTypeInternal:
		return fault.Wrap(fault.Unavailable, "analytics.damaged", err)
	case strings.Contains(de.Msg, "No space left"):
		return dialect.Fault(dialect.DiskFull, err)
	}
	return dialect.Fault(dialect.Other, err)
}
