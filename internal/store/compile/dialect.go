package compile

import (
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Dialect is where SQLite and PostgreSQL differ in conditions. Each method gives an expression; "?" is its parameter.
type Dialect interface {
	// Contains reports whether the parameter is part of the text.
	Contains(text string) string
	// Ends is the last n characters of a text.
	Ends(text string, n int) string
	// Matches reports whether the pattern (query.Pattern) is found in the text.
	Matches(text string) string
	// Pattern makes the parameter of Matches.
	Pattern(p string) string
	// Bytes makes a text order by its bytes.
	Bytes(text string) string
	// Beside is a column of a joined table that only looks at rows found otherwise: no index on it is to decide where the
	// search begins. The alias is that of the table which the others are joined to.
	Beside(alias, column string) string
	// Spread reports whether the tables lie on several machines, what belongs to a customer beside the customer: rows that may
	// lie elsewhere are found by a subquery that stands by itself.
	Spread() bool
	// Among reports whether an integer is in the parameter, which List makes of ids however many they are.
	Among(x string) string
	List(ids []int64) any

	// Property is a property of an event, whose properties are a column of JSON, as it is read; it may stand several times and has
	// no parameters.
	Property(column, key string, read query.EventRead) string

	// engine says how computed fields are evaluated.
	engine() engine
}

// engine is a family of databases.
type engine uint8

const (
	sqliteEngine engine = iota
	postgresEngine
	duckEngine
)

func (SQLite) engine() engine     { return sqliteEngine }
func (PostgreSQL) engine() engine { return postgresEngine }

func (a analytic) engine() engine {
	if a.columnar {
		return duckEngine
	}
	return postgresEngine
}

// SQLite compares texts by bytes unless told otherwise and has no strpos, right or ~.
type SQLite struct{}

// Contains is by characters, case-sensitive, unlike LIKE.
func (SQLite) Contains(text string) string { return "instr(" + text + ", ?) > 0" }

// Ends counts from the end.
func (SQLite) Ends(text string, n int) string {
	return "substr(" + text + ", -" + strconv.Itoa(n) + ")"
}

// Matches calls the registered function regexp, never with NULL, which the function cannot take.
func (SQLite) Matches(text string) string { return "coalesce(" + text + ", '') REGEXP ?" }

// Pattern is unchanged.
func (SQLite) Pattern(p string) string { return p }

// Bytes is the default order.
func (SQLite) Bytes(text string) string { return text }

// Beside makes the column depend on both tables, so that SQLite keeps the join an outer one and walks the first table in its
// order. Otherwise it begins with everybody of a province and sorts all their orders, or reads the whole joined table for a
// Bloom filter, where the newest orders hold a page's worth at once.
func (SQLite) Beside(alias, column string) string {
	return "(CASE WHEN " + alias + `."id" > 0 THEN ` + column + " END)" // ids are positive; IS NOT NULL would be folded away
}

// Spread is false.
func (SQLite) Spread() bool { return false }

// Among reads a JSON list.
func (SQLite) Among(x string) string { return x + " IN (SELECT value FROM json_each(?))" }

// List is a JSON list.
func (SQLite) List(ids []int64) any { return "[" + numbers(ids) + "]" }

func numbers(ids []int64) string {
	b := make([]byte, 0, 20*len(ids))
	for i, v := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, v, 10)
	}
	return string(b)
}

// PostgreSQL orders by the database's collation unless told otherwise.
type PostgreSQL struct {
	Citus bool // the tables are spread over the machines of a Citus cluster
}

// Contains is LIKE with what it gives a meaning to escaped. Of strpos the planner believes that a third of all rows fulfil it,
// and looks for a rare name through a whole list in its order; of LIKE it asks its statistics.
func (PostgreSQL) Contains(text string) string {
	return text + ` LIKE '%' || replace(replace(replace(CAST(? AS TEXT), '\', '\\'), '%', '\%'), '_', '\_') || '%'`
}

// Ends is right.
func (PostgreSQL) Ends(text string, n int) string {
	return "right(" + text + ", " + strconv.Itoa(n) + ")"
}

// Matches searches.
func (PostgreSQL) Matches(text string) string { return text + " ~ ?" }

// Pattern is unchanged.
func (PostgreSQL) Pattern(p string) string { return p }

// Bytes is the collation "C".
func (PostgreSQL) Bytes(text string) string { return text + ` COLLATE "C"` }

// Beside leaves it to the planner, which knows how many rows there are.
func (PostgreSQL) Beside(_, column string) string { return column }

// Spread is true on a cluster.
func (p PostgreSQL) Spread() bool { return p.Citus }

// Among compares with an array.
func (PostgreSQL) Among(x string) string { return x + " = ANY(?)" }

// List is an array.
func (PostgreSQL) List(ids []int64) any { return ids }

// analytic is the text that DuckDB and PostgreSQL share.
type analytic struct {
	PostgreSQL
	columnar bool // DuckDB: only computed fields tell them apart
}

// Contains is strpos: DuckDB escapes otherwise.
func (analytic) Contains(text string) string { return "strpos(" + text + ", ?) > 0" }

// Pattern is made to match the whole text: DuckDB's ~ asks for that, PostgreSQL's searches.
func (analytic) Pattern(p string) string { return `^(?:(?:.|\n)*(?:` + p + `)(?:.|\n)*)$` }

// Among splits a text: DuckDB binds no arrays.
func (analytic) Among(x string) string {
	return x + " IN (SELECT CAST(u.v AS BIGINT) FROM unnest(string_to_array(?, ',')) AS u(v))"
}

// List is a text.
func (analytic) List(ids []int64) any { return numbers(ids) }

// AnalyticDialect is the dialect of texts for the analytics plane, for Keyset and OrderBy.
func AnalyticDialect() Dialect { return analytic{} }
