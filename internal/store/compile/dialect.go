package compile

import "strconv"

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

// PostgreSQL orders by the database's collation unless told otherwise.
type PostgreSQL struct{}

// Contains is strpos.
func (PostgreSQL) Contains(text string) string { return "strpos(" + text + ", ?) > 0" }

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

// analytic is the text that DuckDB and PostgreSQL share.
type analytic struct{ PostgreSQL }

// Pattern is made to match the whole text: DuckDB's ~ asks for that, PostgreSQL's searches.
func (analytic) Pattern(p string) string { return `^(?:(?:.|\n)*(?:` + p + `)(?:.|\n)*)$` }

// AnalyticDialect is the dialect of texts for the analytics plane, for Keyset and OrderBy.
func AnalyticDialect() Dialect { return analytic{} }
