package analytics

import (
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Dialect is the short list of differences between the engines of the analytics plane.
type Dialect interface {
	// Name is "duckdb" or "postgres".
	Name() string
	// Mirrored reports whether a_ relations are tables of their own that somebody must fill; else they are views.
	Mirrored() bool
	// Rebind turns "?" into the engine's own placeholders; a text with "$n" stays as it is.
	Rebind(query string) string
	// ColumnType is the type of a column of a kind. Texts compare by bytes everywhere.
	ColumnType(k schema.Kind) string
	// PrimaryKey closes a table definition. DuckDB keeps none: its keyed tables load 5–12 times slower and refuse a row that
	// is deleted and inserted again in one transaction; PostgreSQL (and Citus, for the distribution column) needs one.
	PrimaryKey(columns ...string) string
	// CreateStaging begins the definition of a table whose content need not survive a crash of the server.
	CreateStaging() string
	// Scratch makes an empty table that only the running transaction uses. In DuckDB it is temporary: it never reaches the
	// file or its log; in PostgreSQL an unlogged one, since Citus cannot distribute temporary tables.
	Scratch(name, columns string) []string
	// WholeSet is run in a transaction before statements over all customers, "" for none. PostgreSQL cannot know the sizes of
	// grouped subqueries of fresh tables and would walk one for each row of another.
	WholeSet() string
	// Division is the statement that defines gx_div(a, b): a/b rounded half away from zero on integers, no value when b is
	// not positive. "/" means different things on the two engines.
	Division() string
	// Property is the text of one property of a JSON object in a column, no value where it is missing or null; arrays and
	// objects come as JSON text. The key is bound into the text and may be of any characters.
	Property(column, key string) string
	// First is an aggregate: the value of the first row of a group in an order.
	First(value, order string) string
	// Spread places a table of the plane: by customer beside the customers, whose table is given, or, when there is no
	// customer in it, on every machine. Done before, it does nothing; "" where there is one machine.
	Spread(table string, byCustomer bool, customers string) string
	// Exchange has a staged table take the place of another; ddl makes the staged one anew, copy fills the other from it.
	// DuckDB renames, PostgreSQL, whose views hold on to tables, copies.
	Exchange(table, staged, ddl, copy string) []string
	// Least is an aggregate: the value of the row of a group with the least of another, among the rows where a condition holds.
	Least(value, by, where string) string
	// Pair joins two numbers, the second none below zero, to one value that min and max compare by the first and then by the second; Halves
	// takes it apart.
	Pair(a, b string) string
	Halves(pair string) (a, b string)
	// Parted ends the definition of a table that is parted by the months of a column of days; "" where tables are not parted.
	Parted(column string) string
	// Month makes one part of a parted table, for days from one up to, not including, another; nil bounds are open. Done before, it
	// does nothing; "" where tables are not parted.
	Month(table, part string, from, to *int64) string
	// Index makes an index beside the key; "" where there is no use for one.
	Index(table string, columns ...string) string
	// Lookup makes an index of texts of any length that are only asked for as a whole; "" where the engine needs none.
	Lookup(table, column string) string
	// Settle makes fresh statistics after a large load of a table; "" where the engine keeps them itself.
	Settle(table string) string
}

// Duck is the dialect of DuckDB 1.4.
type Duck struct{}

// Name implements Dialect.
func (Duck) Name() string { return "duckdb" }

// Mirrored implements Dialect.
func (Duck) Mirrored() bool { return true }

// Rebind implements Dialect: DuckDB understands both forms.
func (Duck) Rebind(query string) string { return query }

// ColumnType implements Dialect. DuckDB compares texts by bytes when no collation is set.
func (Duck) ColumnType(k schema.Kind) string {
	switch k {
	case schema.Int64:
		return "BIGINT"
	case schema.Boolean:
		return "BOOLEAN"
	case schema.Bytes:
		return "BLOB"
	default:
		return "TEXT"
	}
}

// PrimaryKey implements Dialect.
func (Duck) PrimaryKey(...string) string { return "" }

// Property implements Dialect.
func (Duck) Property(column, key string) string {
	pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key) // in a path "*" would be any key
	return "json_extract_string(" + column + ", " + literal(pointer) + ")"
}

// CreateStaging implements Dialect.
func (Duck) CreateStaging() string { return "CREATE TABLE" }

// Scratch implements Dialect.
func (Duck) Scratch(name, columns string) []string {
	return []string{"DROP TABLE IF EXISTS " + name, "CREATE TEMP TABLE " + name + " (" + columns + ")"}
}

// WholeSet implements Dialect.
func (Duck) WholeSet() string { return "" }

// Division implements Dialect.
func (Duck) Division() string {
	return `CREATE OR REPLACE MACRO gx_div(a, b) AS CASE WHEN b > 0 THEN
 CASE WHEN a >= 0 THEN (2 * a + b) // (2 * b) ELSE -((b - 2 * a) // (2 * b)) END END`
}

// First implements Dialect.
func (Duck) First(value, order string) string { return "first(" + value + " ORDER BY " + order + ")" }

// Least implements Dialect.
func (Duck) Least(value, by, where string) string {
	return "arg_min(" + value + ", " + by + ") FILTER (WHERE " + where + ")"
}

// Pair implements Dialect. Only numbers above zero are shifted.
func (Duck) Pair(a, b string) string {
	return "((CAST(" + a + " - (" + strconv.Itoa(farPast) + ") AS HUGEINT) << 63) + " + b + ")"
}

// Halves implements Dialect.
func (Duck) Halves(pair string) (a, b string) {
	return "CAST(" + pair + " >> 63 AS BIGINT) + (" + strconv.Itoa(farPast) + ")", "CAST(" + pair + " & CAST(9223372036854775807 AS HUGEINT) AS BIGINT)"
}

// Parted implements Dialect.
func (Duck) Parted(string) string { return "" }

// Month implements Dialect.
func (Duck) Month(string, string, *int64, *int64) string { return "" }

// Index implements Dialect: every column is read in its own right.
func (Duck) Index(string, ...string) string { return "" }

// Lookup implements Dialect.
func (Duck) Lookup(string, string) string { return "" }

// Spread implements Dialect.
func (Duck) Spread(string, bool, string) string { return "" }

// Exchange implements Dialect.
func (Duck) Exchange(table, staged, ddl, _ string) []string {
	return []string{"DROP TABLE " + table, "ALTER TABLE " + staged + " RENAME TO " + table, ddl}
}

// Settle implements Dialect.
func (Duck) Settle(string) string { return "" }

// Postgres is the dialect of PostgreSQL 14 and later.
type Postgres struct {
	Citus bool // the tables are spread over the machines of a Citus cluster
}

// Name implements Dialect.
func (Postgres) Name() string { return "postgres" }

// Mirrored implements Dialect.
func (Postgres) Mirrored() bool { return false }

// Rebind implements Dialect.
func (Postgres) Rebind(query string) string { return dialect.Postgres{}.Rebind(query) }

// ColumnType implements Dialect.
func (Postgres) ColumnType(k schema.Kind) string { return dialect.Postgres{}.ColumnType(k) }

// PrimaryKey implements Dialect.
func (Postgres) PrimaryKey(columns ...string) string {
	return ", PRIMARY KEY (" + strings.Join(columns, ", ") + ")"
}

// Property implements Dialect.
func (Postgres) Property(column, key string) string {
	return "(" + column + ")::jsonb ->> " + literal(key)
}

// CreateStaging implements Dialect.
func (Postgres) CreateStaging() string { return "CREATE UNLOGGED TABLE" }

// Scratch implements Dialect. On a cluster the tables are made and placed beforehand, and emptying one by TRUNCATE would lock
// it on every machine.
func (p Postgres) Scratch(name, columns string) []string {
	if p.Citus {
		return []string{"DELETE FROM " + name}
	}
	return []string{"CREATE UNLOGGED TABLE IF NOT EXISTS " + name + " (" + columns + ")", "TRUNCATE TABLE " + name}
}

// WholeSet implements Dialect. The machines of a cluster would compile every statement whose plan they believe to be dear, shard
// by shard, which takes longer than running it.
func (p Postgres) WholeSet() string {
	if p.Citus {
		return "SET LOCAL enable_nestloop = off; SET LOCAL jit = off"
	}
	return "SET LOCAL enable_nestloop = off"
}

// Division implements Dialect: a plain SQL function, which the planner writes into the statement. Integer division cuts
// towards zero, and both branches divide positive numbers.
func (Postgres) Division() string {
	return `CREATE OR REPLACE FUNCTION gx_div(a BIGINT, b BIGINT) RETURNS BIGINT LANGUAGE SQL IMMUTABLE PARALLEL SAFE AS
 'SELECT CASE WHEN b > 0 THEN CASE WHEN a >= 0 THEN (2 * a + b) / (2 * b) ELSE -((b - 2 * a) / (2 * b)) END END'`
}

// First implements Dialect.
func (Postgres) First(value, order string) string {
	return "(array_agg(" + value + " ORDER BY " + order + "))[1]"
}

// Least implements Dialect.
func (Postgres) Least(value, by, where string) string {
	return "(array_agg(" + value + " ORDER BY " + by + ") FILTER (WHERE " + where + "))[1]"
}

// Pair implements Dialect.
func (Postgres) Pair(a, b string) string { return "ARRAY[" + a + ", " + b + "]" }

// Halves implements Dialect.
func (Postgres) Halves(pair string) (a, b string) { return "(" + pair + ")[1]", "(" + pair + ")[2]" }

// Parted implements Dialect.
func (Postgres) Parted(column string) string { return " PARTITION BY RANGE (" + column + ")" }

// Month implements Dialect.
func (Postgres) Month(table, part string, from, to *int64) string {
	bound := func(v *int64, open string) string {
		if v == nil {
			return open
		}
		return strconv.FormatInt(*v, 10)
	}
	return "CREATE TABLE IF NOT EXISTS " + Quote(part) + " PARTITION OF " + Quote(table) + " FOR VALUES FROM (" + bound(from, "MINVALUE") + ") TO (" + bound(to, "MAXVALUE") + ")"
}

// Index implements Dialect.
func (Postgres) Index(table string, columns ...string) string {
	return "CREATE INDEX IF NOT EXISTS " + Quote(table+"_"+strings.Join(columns, "_")) + " ON " + Quote(table) + " (" + quoteAll(columns, "") + ")"
}

// Lookup implements Dialect.
func (Postgres) Lookup(table, column string) string {
	return "CREATE INDEX IF NOT EXISTS " + Quote(table+"_"+column) + " ON " + Quote(table) + " USING hash (" + Quote(column) + ")"
}

// Spread implements Dialect.
func (p Postgres) Spread(table string, byCustomer bool, customers string) string {
	switch {
	case !p.Citus:
		return ""
	case byCustomer:
		return dialect.CitusPlace(table, "customer_id", customers)
	}
	return dialect.CitusPlace(table, "", "")
}

// Exchange implements Dialect.
func (Postgres) Exchange(table, staged, _, copy string) []string {
	return []string{"DELETE FROM " + table, copy, "DELETE FROM " + staged}
}

// Settle implements Dialect. A cluster does not count anew in the transaction that fills a table; each machine does by itself.
func (p Postgres) Settle(table string) string {
	if p.Citus {
		return ""
	}
	return "ANALYZE " + Quote(table)
}

// literal is a text as it stands in a statement.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
