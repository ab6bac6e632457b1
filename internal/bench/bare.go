package main

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	_ "github.com/mattn/go-sqlite3"
)

//go:embed bare/*.sql
var files embed.FS

// statement is one reviewed text: the head of its file says where it runs, what its question marks are, and its plan.
type statement struct {
	plane string // records, analytics or write
	args  []string
	text  string
}

func load(name string) (statement, error) {
	b, err := files.ReadFile("bare/" + name + ".sql")
	if err != nil {
		return statement{}, err
	}
	var s statement
	var text []string
	for line := range strings.SplitSeq(string(b), "\n") {
		head, isHead := strings.CutPrefix(line, "-- ")
		switch key, v, _ := strings.Cut(head, ":"); {
		case !isHead:
			text = append(text, line)
		case key == "plane":
			s.plane = strings.TrimSpace(v)
		case key == "args":
			s.args = strings.Fields(v)
		}
	}
	s.text = strings.TrimSpace(strings.Join(text, "\n"))
	if s.plane == "" || strings.Count(s.text, "?") != len(s.args) {
		return s, fmt.Errorf("bare/%s.sql: the head does not fit the text", name)
	}
	return s, nil
}

// bare are the engines by themselves, on the files of a stopped server.
type bare struct {
	records, plane *sql.DB
	path           string
}

func openBare(p *program) (*bare, error) {
	dir := filepath.Join(p.data, "workspaces", "main")
	b := &bare{path: filepath.Join(dir, "records.db")}
	var err error
	if b.records, err = sql.Open("sqlite3", "file:"+b.path+"?mode=ro&_mutex=no"); err != nil {
		return nil, err
	}
	b.records.SetMaxOpenConns(clients)
	b.records.SetMaxIdleConns(clients)
	b.plane, err = sql.Open("duckdb", filepath.Join(dir, "analytics.duckdb")+"?access_mode=READ_ONLY&memory_limit=512MB")
	return b, errors.Join(err, b.records.PingContext(context.Background()))
}

func (b *bare) close() {
	_ = b.records.Close() // read only
	_ = b.plane.Close()
}

// measure times the statements of a kind with the values that ours was asked with.
func (b *bare) measure(ctx context.Context, k kind) (timing, error) {
	var list []statement
	for _, name := range k.bare {
		s, err := load(name)
		if err != nil {
			return timing{}, err
		}
		list = append(list, s)
	}
	return charged(own, k.n, clients, func(i int) error {
		values := map[string]any{}
		if k.args != nil {
			values = k.args(i)
		}
		for _, s := range list {
			found, err := b.read(ctx, s, values)
			if err != nil {
				return fmt.Errorf("%s: %w", k.what, err)
			}
			text, err := json.Marshal(found)
			if err != nil {
				return err
			}
			values["found"] = string(text)
		}
		return nil
	})
}

// read runs a statement, scans every column of every row, and answers the first column where that holds ids.
func (b *bare) read(ctx context.Context, s statement, values map[string]any) ([]int64, error) {
	db := b.records
	if s.plane == "analytics" {
		db = b.plane
	}
	args := make([]any, len(s.args))
	for i, name := range s.args {
		args[i] = values[name]
	}
	rows, err := db.QueryContext(ctx, s.text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	row, dst := make([]any, len(cols)), make([]any, len(cols))
	for i := range dst {
		dst[i] = &row[i]
	}
	var found []int64
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return nil, err
		}
		if v, ok := row[0].(int64); ok {
			found = append(found, v)
		}
	}
	return found, rows.Err()
}

// once is the median of five runs of a statement without values.
func (b *bare) once(ctx context.Context, name string) (time.Duration, error) {
	s, err := load(name)
	if err != nil {
		return 0, err
	}
	t, err := measure(5, 1, func(int) error {
		_, err := b.read(ctx, s, nil)
		return err
	})
	return t.p50, err
}

// writer is a connection that writes as the program does: WAL, a sync for each commit, the same indexes.
func (b *bare) writer(ctx context.Context) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", "file:"+b.path+"?_journal_mode=WAL&_synchronous=FULL&_secure_delete=true&_cache_size=-24576&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 16000")
	return db, err
}

// columns puts the columns of a table into a text.
func columns(ctx context.Context, db *sql.DB, table, text string) (string, error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		all = append(all, `"`+name+`"`)
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		return "", errors.Join(err, errors.New("no table "+table))
	}
	return strings.NewReplacer("{columns}", strings.Join(all, ", "), "{rest}", strings.Join(all[1:], ", ")).Replace(text), nil
}

// creates makes n customers, each in a durable transaction with its change.
func (b *bare) creates(ctx context.Context, n int, like int64) (timing, error) {
	db, err := b.writer(ctx)
	if err != nil {
		return timing{}, err
	}
	defer db.Close()
	row, err := load("create")
	if err != nil {
		return timing{}, err
	}
	log, err := load("create_change")
	if err != nil {
		return timing{}, err
	}
	text, err := columns(ctx, db, "r_customer", row.text)
	if err != nil {
		return timing{}, err
	}
	var last int64
	if err := db.QueryRowContext(ctx, "SELECT max(id) FROM r_customer").Scan(&last); err != nil {
		return timing{}, err
	}
	return measure(n, 1, func(i int) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		fresh := last + 1 + int64(i)
		_, err = tx.ExecContext(ctx, text, fresh, like)
		if err == nil {
			_, err = tx.ExecContext(ctx, log.text, fresh)
		}
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	})
}

// lines copies order lines in transactions of a few thousand and answers how many a second.
func (b *bare) lines(ctx context.Context, total int) (float64, error) {
	db, err := b.writer(ctx)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	s, err := load("bulk")
	if err != nil {
		return 0, err
	}
	text, err := columns(ctx, db, "r_order_line", s.text)
	if err != nil {
		return 0, err
	}
	var low, high int64
	if err := db.QueryRowContext(ctx, "SELECT min(id), max(id) FROM r_order_line").Scan(&low, &high); err != nil {
		return 0, err
	}
	const at = 4000
	from, done := low-1, 0
	begin := time.Now()
	for done < total {
		if _, err := db.ExecContext(ctx, text, high-low+1, from, at); err != nil {
			return 0, err
		}
		if err := db.QueryRowContext(ctx, "SELECT max(id) FROM (SELECT id FROM r_order_line WHERE id > ? ORDER BY id LIMIT ?)", from, at).Scan(&from); err != nil {
			return 0, err
		}
		done += at
	}
	return float64(done) / time.Since(begin).Seconds(), nil
}
