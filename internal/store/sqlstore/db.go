// Package sqlstore implements the storage of the records plane once, on database/sql and a dialect.
//
// A DB (store/sqlite or store/postgres) opens transactions; a Store on top of it is record.Store and change.Log, keeps the
// search index, the run-time tables of objects (Ensure, Check) and the fixed tables (Migrate). Engines whose tables are
// fixed use the same door: Conn, with "?" placeholders, inside Store.Read, Store.Write, or together with records inside
// Store.UpdateWith, so that everything written in one closure commits together.
//
// Guarantees. A closure that writes commits durably before the call returns, or leaves nothing. A closure that reads sees
// one snapshot. Driver errors are faults of package dialect; errors of the caller pass unchanged. After a statement has
// failed the closure must return its error: PostgreSQL accepts nothing more in that transaction.
//
// It knows no rights, no personal data in clear and no metadata beyond schema.Object.
package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// DB is one workspace's database.
type DB interface {
	Dialect() dialect.Dialect
	// Read runs fn on one snapshot; fn must not write.
	Read(ctx context.Context, fn func(Conn) error) error
	// Write runs fn in a transaction that is durable when Write returns nil, and gone when it returns an error. A
	// cancelled context is honoured before fn starts; on SQLite fn then runs to its end, whatever becomes of the context.
	// On PostgreSQL fn runs again after a deadlock or a serialization failure, so it must set, not add to, what it
	// captures. Never call Write inside fn.
	Write(ctx context.Context, fn func(Conn) error) error
	// Close waits for running closures, then closes; every later call is a store.closed fault.
	Close() error
}

// Conn is one transaction. It is used by one goroutine at a time and not after its closure returned.
type Conn interface {
	// Exec runs a statement and says how many rows it touched.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Query reads rows; the caller closes them before the next statement.
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// QueryRow reads one row into dest; found is false when there is none.
	QueryRow(ctx context.Context, dest []any, query string, args ...any) (found bool, err error)
	// InsertMany adds n rows by the fastest way the database has. fill writes row i into dst, whose length is that of
	// columns; values are int64, string, bool, []byte or nil.
	InsertMany(ctx context.Context, table string, columns []string, n int, fill func(i int, dst []any)) error
	Dialect() dialect.Dialect
}

// Valuer is what a Conn may offer for rows that are read as they are.
type Valuer interface {
	// Values gives each row of a query to fn as int64, float64, string, bool, []byte or nil; texts and bytes may be kept, the slice
	// not. fn must not use the Conn.
	Values(ctx context.Context, query string, args []any, fn func(row []driver.Value) error) error
}

type bulkKey struct{}

// Bulk marks the writes of a context as bulk work (imports, rebuilds, refreshes): on SQLite the writer serves everything
// else first. A bulk closure should last no more than 50 ms; who has more to do makes several.
func Bulk(ctx context.Context) context.Context { return context.WithValue(ctx, bulkKey{}, true) }

// IsBulk reports whether a context was marked by Bulk.
func IsBulk(ctx context.Context) bool {
	b, _ := ctx.Value(bulkKey{}).(bool)
	return b
}

// Each reads every row of a query; scan is called with the rows standing on each one.
func Each(ctx context.Context, c Conn, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := c.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
