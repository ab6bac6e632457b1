package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"

	"github.com/mattn/go-sqlite3"

	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// conn is one connection with its prepared statements. It implements sqlstore.Conn and is used by one goroutine at a time.
type conn struct {
	raw   *sql.Conn
	stmts map[string]*sql.Stmt
	// inserts are statements of the driver itself, for InsertMany.
	inserts map[string]*sqlite3.SQLiteStmt
	// detached connections ignore the context of single statements: a closure that has begun to write is finished.
	detached bool
	args     []any               // reused by InsertMany
	bound    []driver.NamedValue // and so are these
}

// maxStatements bounds a connection's cache; beyond it everything is prepared anew, which generated statements of many
// shapes can bring about.
const maxStatements = 400

func (c *conn) Dialect() dialect.Dialect { return dialect.SQLite{} }

func (c *conn) context(ctx context.Context) context.Context {
	if c.detached {
		return context.Background()
	}
	return ctx
}

func (c *conn) prepare(query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		c.forget()
	}
	s, err := c.raw.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, translate(err)
	}
	c.stmts[query] = s
	return s, nil
}

func (c *conn) forget() {
	for q, s := range c.stmts {
		_ = s.Close() // a statement of a connection that goes on; nothing is lost
		delete(c.stmts, q)
	}
	for q, s := range c.inserts {
		_ = s.Close()
		delete(c.inserts, q)
	}
}

// Exec implements sqlstore.Conn.
func (c *conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	// Several statements of a migration; and a pragma, which answers with a row that nobody reads: kept as a statement it would never
	// end, and a VACUUM waits for all to end.
	if len(args) == 0 && (strings.Contains(query, ";") || strings.HasPrefix(query, "PRAGMA")) {
		r, err := c.raw.ExecContext(c.context(ctx), query)
		if err != nil {
			return 0, translate(err)
		}
		return r.RowsAffected()
	}
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(c.context(ctx), args...)
	if err != nil {
		return 0, translate(err)
	}
	return r.RowsAffected()
}

// Query implements sqlstore.Conn.
func (c *conn) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(c.context(ctx), args...)
	return rows, translate(err)
}

// QueryRow implements sqlstore.Conn.
func (c *conn) QueryRow(ctx context.Context, dest []any, query string, args ...any) (bool, error) {
	s, err := c.prepare(query)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(c.context(ctx), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, translate(err)
}

// InsertMany implements sqlstore.Conn. Each row is a statement of its own: of an INSERT of several rows into a table with an
// integer key SQLite copies every page that it touches, to be able to take back the statement alone, which into indexes of
// random keys writes more than the rows. The rows go to the driver itself, since what database/sql does around each call costs
// as much as a short row, and through its Query, not its Exec: it binds the parameters of a query in one call into C and those
// of an Exec in one call each.
func (c *conn) InsertMany(ctx context.Context, table string, columns []string, n int, fill func(i int, dst []any)) error {
	if n == 0 {
		return nil
	}
	query := "INSERT INTO " + dialect.Quote(table) + "(" + dialect.QuoteAll(columns) + ") VALUES " + dialect.Values(1, len(columns))
	if cap(c.args) < len(columns) {
		c.args, c.bound = make([]any, len(columns)), make([]driver.NamedValue, len(columns))
		for i := range c.bound {
			c.bound[i].Ordinal = i + 1
		}
	}
	args, bound := c.args[:len(columns)], c.bound[:len(columns)]
	defer func() {
		clear(args)
		for i := range bound {
			bound[i].Value = nil
		}
	}()
	ctx = c.context(ctx)
	err := c.raw.Raw(func(dc any) error {
		s, err := c.inserting(dc, query)
		if err != nil {
			return err
		}
		for i := range n {
			fill(i, args)
			if err := bind(bound, args); err != nil {
				return err
			}
			if err := insert(ctx, s, bound); err != nil {
				return err
			}
		}
		return nil
	})
	return translate(err)
}

// inserting is the driver's own statement of an INSERT, kept as long as the connection's others.
func (c *conn) inserting(dc any, query string) (*sqlite3.SQLiteStmt, error) {
	if s, ok := c.inserts[query]; ok {
		return s, nil
	}
	if len(c.inserts) >= maxStatements {
		c.forget()
	}
	s, err := dc.(*sqlite3.SQLiteConn).Prepare(query)
	if err != nil {
		return nil, err
	}
	c.inserts[query] = s.(*sqlite3.SQLiteStmt)
	return c.inserts[query], nil
}

// bind makes the values of a row those that the driver takes.
func bind(dst []driver.NamedValue, values []any) error {
	for i, v := range values {
		switch v.(type) {
		case nil, int64, float64, bool, string, []byte:
			dst[i].Value = v
			continue
		}
		x, err := driver.DefaultParameterConverter.ConvertValue(v)
		if err != nil {
			return err
		}
		dst[i].Value = x
	}
	return nil
}

func insert(ctx context.Context, s *sqlite3.SQLiteStmt, row []driver.NamedValue) error {
	rows, err := s.QueryContext(ctx, row)
	if err != nil {
		return err
	}
	if err := rows.Next(nil); err != nil && !errors.Is(err, io.EOF) { // it ran when it was asked; this says how that ended
		_ = rows.Close() // the first error is the one that counts
		return err
	}
	return rows.Close()
}
