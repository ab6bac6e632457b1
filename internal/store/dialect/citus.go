package dialect

import "strings"

// CitusPresent asks whether the extension citus is in the database.
const CitusPresent = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')"

// CitusSession prepares a connection to the coordinator of a cluster. One connection to each machine does all that a
// transaction writes there: a table that is copied everywhere and the shards that are joined with it may be written in one
// transaction, which several connections could not see of each other. What is set for a transaction holds on every machine.
const CitusSession = "SET citus.multi_shard_modify_mode = 'sequential'; SET citus.propagate_set_commands = 'local'"

// WatchClient has the server look every two seconds whether the client of a running statement is still there. Otherwise the
// statement of a process that was killed runs to its end, and what it has locked stays locked for all others. A server on a
// platform that cannot look goes on as before.
const WatchClient = "DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '2s', false); " +
	"EXCEPTION WHEN invalid_parameter_value OR undefined_object THEN NULL; END $$"

// CitusPlaced lists the tables of the current schema that are spread or copied already.
const CitusPlaced = "SELECT c.relname FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid " +
	"WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"

// CitusRefuses reads an SQLSTATE and its message for what a cluster cannot do at all: it does not join everything with
// everything, and sends no more than so much from one machine to the others. PostgreSQL by itself refuses nothing of this.
func CitusRefuses(state, message string) bool {
	switch state {
	case "0A000": // feature_not_supported
		return true
	case "53400": // configuration_limit_exceeded
		return strings.Contains(message, "intermediate result size")
	case "XX000":
		return strings.Contains(message, "pseudoconstant quals are not supported")
	}
	return false
}

// CitusPlace is the statement that spreads a table by a column, beside another that is spread already ("" for by itself),
// or copies it to every machine when column is "". A table that is placed already stays. Names are machine-made.
func CitusPlace(table, column, beside string) string {
	name := literal(Quote(table))
	call := "create_reference_table(" + name + ")"
	if column != "" {
		call = "create_distributed_table(" + name + ", " + literal(column)
		if beside != "" {
			call += ", colocate_with => " + literal(Quote(beside))
		}
		call += ")"
	}
	return "SELECT " + call + " WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = " + name + "::regclass)"
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
