package analytics

import (
	"regexp"
	"slices"
	"strings"
)

// refused are forms that Citus refuses or that mean different things on DuckDB and PostgreSQL.
var refused = []struct{ pattern, reason string }{
	{`\bGROUPING\s+SETS\b|\bROLLUP\b|\bCUBE\b`, "Citus refuses grouping sets"},
	{`\bRECURSIVE\b`, "Citus refuses recursive queries"},
	{`\bNOT\s+EXISTS\b`, "write a LEFT JOIN and test for NULL: Citus cannot push NOT EXISTS down"},
	{`\bNOT\s+IN\s*\(\s*SELECT\b`, "write a LEFT JOIN and test for NULL"},
	{`\bSKIP\s+LOCKED\b`, "Citus refuses SKIP LOCKED over shards"},
	{`\bTRIGGER\b`, "Citus refuses triggers"},
	{`\bON\s+CONFLICT\b`, "DuckDB tables have no keys"},
	{`\bUPDATE\s+[a-z"]`, "rows of the plane are deleted and inserted, never updated in place"},
	{`\bround\s*\(`, "rounding of doubles differs: use gx_div"},
	{`\bdate_trunc\b`, "date_trunc of a day differs"},
	{`\bavg\s*\(`, "the type of avg differs: divide with gx_div"},
	{`\bsha256\s*\(`, "sha256 differs, md5 does not"},
	{`\bNULLS\s+FIRST\b`, "always NULLS LAST"},
	{`\barg_max\b|\bQUALIFY\b|\bDISTINCT\s+ON\b|\bEXCLUDE\b`, "not in the shared subset"},
}

var windowStart = regexp.MustCompile(`(?i)\bOVER\s*\(`)

// Lint reads a statement of the analytics plane for what Citus refuses or what differs silently between the engines, and
// answers the reasons.
func Lint(text string) []string {
	var out []string
	for _, r := range refused {
		if regexp.MustCompile(`(?i)` + r.pattern).MatchString(text) {
			out = append(out, r.reason)
		}
	}
	for _, at := range windowStart.FindAllStringIndex(text, -1) {
		if !regexp.MustCompile(`(?i)^\s*PARTITION\s+BY\s+([a-z0-9_"]+\.)?"?(customer_id|customer|id|profile_id)\b`).MatchString(text[at[1]:]) {
			out = append(out, "partition windows by customer first")
		}
	}
	return out
}

// LintTables reads the tables of the plane: each that says something about customers must have customer_id in its key, which
// is what it would be distributed by.
func LintTables() []string {
	var out []string
	for _, t := range tables() {
		if !t.local && !slices.Contains(t.key, "customer_id") {
			out = append(out, t.name+" has no customer_id in its key")
		}
		if t.family && len(t.columns) > 31 { // customer, thirty columns at most
			out = append(out, t.name+" has more than thirty columns")
		}
		if !strings.Contains(t.ddl(Postgres{}), "PRIMARY KEY") {
			out = append(out, t.name+" has no key on PostgreSQL")
		}
	}
	return out
}

// FamilyColumns are the columns of each trait family that hold values, for checking the catalogue against them.
func FamilyColumns() map[string][]string {
	out := map[string][]string{}
	for _, f := range append(families(), modelFamilies()...) {
		out[f.name] = f.values()
	}
	return out
}
