// Package analytics is the analytics plane: relations for counting and computing over all customers at once, with the same
// names and the same SQL on DuckDB (embedded: tables fed by store/mirror) and on PostgreSQL (views over the records).
//
// Relations. a_<object> holds the live rows of an analytic object (see Relation); f_purchase, f_purchase_line and
// f_refund are the facts of buying under the workspace's one definition of a purchase; t_<family> are the trait families,
// keyed by customer_id; class_member and segment_member hold who is in what; customer_traits is the wide view.
//
// Texts. Every statement is written once in the subset that DuckDB, PostgreSQL and Citus understand and is listed by
// Texts, so that a test prepares each on both engines and Lint reads each for what Citus refuses. What differs between
// the engines is a named method of Dialect. Parameters are "?" or "$n", never both in one text.
//
// The plane is derived: nothing here is the only copy of anything.
package analytics

import (
	"context"
	"database/sql"
	"iter"
	"strings"
)

// Querier reads.
type Querier interface {
	// Query runs a statement that gives rows; the caller closes them.
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// DB is one workspace's analytics database. It is safe for concurrent use: many readers and one writer at a time.
type DB interface {
	Querier
	Dialect() Dialect
	// Write runs fn alone among writers, in one transaction that is rolled back when fn fails. Schema changes go through
	// it too. fn must not call Write.
	Write(ctx context.Context, fn func(Tx) error) error
	Close() error
}

// Tx is the one writing transaction.
type Tx interface {
	Querier
	// Exec runs a statement and says how many rows it touched.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Append loads rows in bulk (Appender, COPY). The columns are those of each row in order; columns of the table that are
	// not named become NULL. A row slice may be reused by its source after it was taken.
	Append(ctx context.Context, table string, columns []string, rows Source) error
}

// Source yields rows of int64, string, bool, []byte or nil; an error ends the load.
type Source = iter.Seq2[[]any, error]

// Rows is a Source of rows in memory.
func Rows(rows [][]any) Source {
	return func(yield func([]any, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// each scans every row of a query with fn and closes it.
func each(ctx context.Context, q Querier, text string, args []any, fn func(*sql.Rows) error) error {
	rows, err := q.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one scans the first row of a query into dst; ok is false when there is none.
func one(ctx context.Context, q Querier, text string, args []any, dst ...any) (ok bool, err error) {
	err = each(ctx, q, text, args, func(r *sql.Rows) error {
		if ok {
			return nil
		}
		ok = true
		return r.Scan(dst...)
	})
	return ok, err
}

// Quote is an identifier in double quotes; only machine-made names pass through here.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteAll(names []string, prefix string) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(prefix)
		b.WriteString(Quote(n))
	}
	return b.String()
}

// Wider is a plane on which questions that walk over most of the facts are asked in a transaction of their own, with a planner that is told so. Few of
// them run at a time.
type Wider interface {
	Wide(ctx context.Context, ask func(Querier) error) error
}

// wide asks what walks over most of the facts.
func wide(ctx context.Context, db Querier, ask func(Querier) error) error {
	if w, ok := db.(Wider); ok {
		return w.Wide(ctx, ask)
	}
	return ask(db)
}

// Rewriter is a plane in a file of its own, whose bytes can be written anew without what was removed.
type Rewriter interface {
	Rewrite(ctx context.Context) error
}
