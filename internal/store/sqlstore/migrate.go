package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

var (
	migrationName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)(?:\.(sqlite|postgres))?\.sql$`)
	tableName     = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// Migrate brings the fixed tables up to the newest file of files and returns the numbers it ran, none when all had run.
//
// Files are named as package migrations says. Each runs in a transaction of its own together with its row in the named
// book-keeping table (number, name), which is made when missing; several processes may call it at once. A database
// that has run a number beyond the newest file is refused (store.schema_newer): an older program must not write to it.
func Migrate(ctx context.Context, db DB, files fs.FS, table string) ([]int, error) {
	if !tableName.MatchString(table) {
		return nil, fmt.Errorf("table name %q", table)
	}
	list, err := migrationFiles(files, db.Dialect())
	if err != nil {
		return nil, err
	}
	create := "CREATE TABLE IF NOT EXISTS " + table + "(number BIGINT PRIMARY KEY, name TEXT NOT NULL)"
	err = db.Write(ctx, func(c Conn) error {
		if err := lockSchema(ctx, c); err != nil {
			return err
		}
		_, err := c.Exec(ctx, create)
		return err
	})
	if err != nil {
		return nil, err
	}
	var ran []int
	for _, m := range list {
		did := false
		err := db.Write(ctx, func(c Conn) (err error) {
			did, err = m.run(ctx, c, table)
			return err
		})
		if err != nil {
			return ran, fmt.Errorf("migration %s: %w", m.file, err)
		}
		if did {
			ran = append(ran, m.number)
		}
	}
	return ran, notNewer(ctx, db, table, list)
}

type migration struct {
	number int
	file   string
	text   string
}

func (m migration) run(ctx context.Context, c Conn, table string) (bool, error) {
	if err := lockSchema(ctx, c); err != nil {
		return false, err
	}
	var n int64
	found, err := c.QueryRow(ctx, []any{&n}, "SELECT number FROM "+table+" WHERE number = ?", m.number)
	if err != nil || found {
		return false, err
	}
	if _, err := c.Exec(ctx, m.text); err != nil {
		return false, err
	}
	_, err = c.Exec(ctx, "INSERT INTO "+table+"(number, name) VALUES (?, ?)", m.number, m.file)
	return err == nil, err
}

// lockSchema makes schema changes of several processes wait for one another.
func lockSchema(ctx context.Context, c Conn) error {
	q := c.Dialect().LockSchema()
	if q == "" {
		return nil
	}
	return Each(ctx, c, func(*sql.Rows) error { return nil }, q)
}

func notNewer(ctx context.Context, db DB, table string, list []migration) error {
	newest := 0
	if len(list) > 0 {
		newest = list[len(list)-1].number
	}
	return db.Read(ctx, func(c Conn) error {
		var n sql.NullInt64
		if _, err := c.QueryRow(ctx, []any{&n}, "SELECT max(number) FROM "+table); err != nil {
			return err
		}
		if int(n.Int64) > newest {
			return fault.New(fault.Unavailable, "store.schema_newer", fault.Params{"found": n.Int64, "known": newest})
		}
		return nil
	})
}

// migrationFiles are the files of a dialect in order of number, an override taking the place of the common file.
func migrationFiles(files fs.FS, d dialect.Dialect) ([]migration, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	byNumber := map[int]migration{}
	for _, e := range entries {
		m := migrationName.FindStringSubmatch(e.Name())
		if m == nil {
			if strings.HasSuffix(e.Name(), ".sql") {
				return nil, fmt.Errorf("migration %q: a name is NNNN_name.sql", e.Name())
			}
			continue
		}
		number, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		if m[3] != "" && m[3] != d.Name() {
			continue
		}
		if prev, ok := byNumber[number]; ok {
			if stem(prev.file) != stem(e.Name()) {
				return nil, fmt.Errorf("migrations %q and %q share a number", prev.file, e.Name())
			}
			if m[3] == "" {
				continue
			}
		}
		text, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return nil, err
		}
		byNumber[number] = migration{number: number, file: e.Name(), text: expand(string(text), d)}
	}
	out := make([]migration, 0, len(byNumber))
	for _, m := range byNumber {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b migration) int { return a.number - b.number })
	return out, nil
}

func stem(file string) string {
	s, _, _ := strings.Cut(file, ".")
	return s
}

func expand(text string, d dialect.Dialect) string {
	return strings.NewReplacer(
		"{key}", d.KeyType(), "{text}", d.ColumnType(schema.String), "{bytes}", d.ColumnType(schema.Bytes),
		"{without_rowid}", d.TableSuffix(),
	).Replace(text)
}
