package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// conn is one connection with its prepared statements. It implements sqlstore.Conn and is used by one goroutine at a time.
type conn struct {
	raw   *sql.Conn
	stmts map[string]*sql.Stmt
	// detached connections ignore the context of single statements: a closure that has begun to write is finished.
	detached bool
	args     []any // reused by InsertMany
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
}

// Exec implements sqlstore.Conn.
func (c *conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if len(args) == 0 && strings.Contains(query, ";") { // several statements of a migration
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
// random keys writes more than the rows. The rows go through Query, not Exec: the driver binds the parameters of a query in
// one call into C and those of an Exec in one call each.
func (c *conn) InsertMany(ctx context.Context, table string, columns []string, n int, fill func(i int, dst []any)) error {
	if n == 0 {
		return nil
	}
	s, err := c.prepare("INSERT INTO " + dialect.Quote(table) + "(" + dialect.QuoteAll(columns) + ") VALUES " + dialect.Values(1, len(columns)))
	if err != nil {
		return err
	}
	if cap(c.args) < len(columns) {
		c.args = make([]any, len(columns))
	}
	args := c.args[:len(columns)]
	defer clear(args)
	ctx = c.context(ctx)
	for i := range n {
		fill(i, args)
		if err := runQuery(ctx, s, args); err != nil {
			return err
		}
	}
	return nil
}

func runQuery(ctx context.Context, s *sql.Stmt, args []any) error {
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return translate(err)
	}
	for rows.Next() { // none: the statement ran when it was asked
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close() // the first error is the one that counts
		return translate(err)
	}
	return translate(rows.Close())
}
