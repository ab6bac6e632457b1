package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-sqlite3"

	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// conn is one connection with its prepared statements. It implements sqlstore.Conn and is used by one goroutine at a time.
type conn struct {
	raw   *sql.Conn
	stmts map[string]*sql.Stmt
	// direct are statements of the driver itself: what database/sql does around a call costs as much as a short statement.
	direct map[string]*statement
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
	c.forgetDirect()
}

// forgetDirect closes the driver's own statements, none of which runs while another is looked for.
func (c *conn) forgetDirect() {
	for q, s := range c.direct {
		_ = s.Close() // as above
		delete(c.direct, q)
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
	var n int64
	err := c.driver(query, args, func(s *statement, bound []driver.NamedValue) error {
		r, err := s.ExecContext(c.context(ctx), bound)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	return n, err
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
	if !assignable(dest) {
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
	found := false
	err := c.each(ctx, query, args, func(row []driver.Value) (bool, error) {
		found = true
		if len(row) != len(dest) {
			return false, fmt.Errorf("a row of %d values, not %d", len(row), len(dest))
		}
		for i, v := range row {
			if err := assign(dest[i], v); err != nil {
				return false, fmt.Errorf("value %d: %w", i, err)
			}
		}
		return false, nil
	})
	return found && err == nil, err
}

// Values implements sqlstore.Valuer.
func (c *conn) Values(ctx context.Context, query string, args []any, fn func(row []driver.Value) error) error {
	return c.each(ctx, query, args, func(row []driver.Value) (bool, error) { return true, fn(row) })
}

// each gives the rows of a query to fn until it wants no more; fn must not use the connection.
func (c *conn) each(ctx context.Context, query string, args []any, fn func(row []driver.Value) (more bool, err error)) error {
	return c.driver(query, args, func(s *statement, bound []driver.NamedValue) error {
		rows, err := s.QueryContext(c.context(ctx), bound)
		if err != nil {
			return err
		}
		if s.columns == 0 {
			s.columns = len(rows.Columns())
		}
		row := make([]driver.Value, s.columns)
		for more := true; more; {
			if err = rows.Next(row); err != nil {
				break
			}
			if more, err = fn(row); err != nil {
				break
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if closed := rows.Close(); err == nil {
			err = closed
		}
		return err
	})
}

// driver runs fn with the driver's own statement and the values for it.
func (c *conn) driver(query string, args []any, fn func(s *statement, bound []driver.NamedValue) error) error {
	var few [16]driver.NamedValue
	bound := few[:0]
	if len(args) > len(few) {
		bound = make([]driver.NamedValue, 0, len(args))
	}
	bound = bound[:len(args)]
	for i := range bound {
		bound[i].Ordinal = i + 1
	}
	if err := bind(bound, args); err != nil {
		return err
	}
	err := c.raw.Raw(func(dc any) error {
		s, err := c.statement(dc, query)
		if err != nil {
			return err
		}
		if n := s.NumInput(); n != len(bound) {
			return fmt.Errorf("a statement with %d parameters got %d", n, len(bound))
		}
		return fn(s, bound)
	})
	return translate(err)
}

// assignable reports destinations that assign knows.
func assignable(dest []any) bool {
	for _, d := range dest {
		switch d.(type) {
		case *int64, *string, *[]byte, *bool, *float64, *any, sql.Scanner:
		default:
			return false
		}
	}
	return true
}

// assign puts a value of the driver where it belongs, as database/sql does.
func assign(dst any, v driver.Value) error {
	switch d := dst.(type) {
	case *int64:
		if n, ok := v.(int64); ok {
			*d = n
			return nil
		}
		return convert(d, v)
	case *string:
		if s, ok := v.(string); ok {
			*d = s
			return nil
		}
		return convert(d, v)
	case *[]byte:
		if b, ok := v.([]byte); ok {
			*d = b
			return nil
		}
		if v == nil {
			*d = nil
			return nil
		}
		return convert(d, v)
	case *bool:
		return convert(d, v)
	case *float64:
		return convert(d, v)
	case *any:
		*d = v
		return nil
	case sql.Scanner:
		return d.Scan(v)
	}
	return fmt.Errorf("a destination of type %T", dst)
}

func convert[T any](dst *T, v driver.Value) error {
	var n sql.Null[T]
	if err := n.Scan(v); err != nil {
		return err
	}
	if !n.Valid {
		return fmt.Errorf("NULL for a %T", *dst)
	}
	*dst = n.V
	return nil
}

// InsertMany implements sqlstore.Conn. Each row is a statement of its own: of an INSERT of several rows into a table with an
// integer key SQLite copies every page that it touches, to be able to take back the statement alone, which into indexes of
// random keys writes more than the rows. The rows go through the driver's Query, not its Exec: it binds the parameters of a query in one call into C and those
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
		s, err := c.statement(dc, query)
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

// statement is one of the driver's own.
type statement struct {
	*sqlite3.SQLiteStmt
	columns int // of its rows, 0 until they were counted
}

// statement gives one that is kept as long as the connection's others.
func (c *conn) statement(dc any, query string) (*statement, error) {
	if s, ok := c.direct[query]; ok {
		return s, nil
	}
	if len(c.direct) >= maxStatements {
		c.forgetDirect()
	}
	s, err := dc.(*sqlite3.SQLiteConn).Prepare(query)
	if err != nil {
		return nil, err
	}
	own := &statement{SQLiteStmt: s.(*sqlite3.SQLiteStmt)}
	c.direct[query] = own
	return own, nil
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

func insert(ctx context.Context, s *statement, row []driver.NamedValue) error {
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
