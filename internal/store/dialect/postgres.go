package dialect

import (
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Postgres is the dialect of PostgreSQL 14 and later.
type Postgres struct {
	Citus bool // the tables are spread over the machines of a Citus cluster
}

// Name implements Dialect.
func (Postgres) Name() string { return "postgres" }

// Rebind implements Dialect: $1, $2, ….
func (Postgres) Rebind(query string) string { return rebind(query, dollar) }

// ColumnType implements Dialect. Texts compare by bytes, as in every other engine: COLLATE "C".
func (Postgres) ColumnType(k schema.Kind) string {
	switch k {
	case schema.Int64:
		return "BIGINT"
	case schema.Boolean:
		return "BOOLEAN"
	case schema.Bytes:
		return "BYTEA"
	default:
		return `TEXT COLLATE "C"`
	}
}

// KeyType implements Dialect.
func (Postgres) KeyType() string { return "BIGINT" }

// TableSuffix implements Dialect.
func (Postgres) TableSuffix() string { return "" }

// FactKey implements Dialect.
func (Postgres) FactKey() bool { return true }

// In implements Dialect: the list is one array.
func (Postgres) In(expr string) string { return expr + " = ANY(?)" }

// IDList implements Dialect.
func (Postgres) IDList(ids []int64) any { return ids }

// TextList implements Dialect.
func (Postgres) TextList(texts []string) any { return texts }

// ClaimKeys implements Dialect.
func (Postgres) ClaimKeys() string {
	return "INSERT INTO unique_key(object, field, value, record_id) " +
		"SELECT ?, ?, v, i FROM unnest(?::text[], ?::bigint[]) AS k(v, i) ON CONFLICT DO NOTHING"
}

// ClaimArgs implements Dialect: two arrays side by side.
func (Postgres) ClaimArgs(keys []string, ids []int64) []any { return []any{keys, ids} }

// CountsClaims implements Dialect: a cluster counts the keys that it was given, not those that it kept.
func (p Postgres) CountsClaims() bool { return !p.Citus }

// ChangeColumns implements Dialect.
func (Postgres) ChangeColumns() string { return "xid, " + changeColumns }

// ChangeAfter implements Dialect.
func (Postgres) ChangeAfter() string { return "(xid, seq) > (?, ?)" }

// ChangeBelow implements Dialect.
func (Postgres) ChangeBelow() string { return "xid < ?" }

// writerLock is the first half of the advisory locks by which the writers of a schema are known; the second half is the low
// half of a transaction id.
const writerLock = "hashtext('guanxi writer ' || current_schema())"

// EnterWrite implements Dialect. The writer shares a lock, held until its transaction has ended, on the first id that no
// finished transaction has reached. Its own id is handed out later, with its first row, so it is not below that one.
func (Postgres) EnterWrite() string {
	return "SELECT pg_advisory_xact_lock_shared(" + writerLock +
		", (((pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 2147483648) & 4294967295) - 2147483648)::int)"
}

// ChangeBound implements Dialect: the first id that no finished transaction has reached, or what the oldest running writer
// announced, whichever is lower. A row below it belongs to a transaction that had its id when the snapshot was taken, so
// that its lock was there to be seen unless it had ended; locks go after the rows are visible. Only writers of this schema
// count: another application's long transaction, or a long question of ours, holds nobody back (the snapshot's own xmin
// would wait for every transaction of the server). Halves of ids are compared within 2^31 of each other, beyond which the
// server itself stops.
func (Postgres) ChangeBound() string {
	return "WITH s AS MATERIALIZED (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS top) " +
		"SELECT LEAST(s.top, (SELECT min(s.top + ((l.objid::bigint - s.top + 2147483648) & 4294967295) - 2147483648) FROM pg_locks l " +
		"WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = (" + writerLock + "::bigint & 4294967295)::oid " +
		"AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))) FROM s"
}

// ChangeBefore implements Dialect.
func (Postgres) ChangeBefore() string { return "(xid, seq) < (?, ?)" }

// ChangeXid implements Dialect.
func (Postgres) ChangeXid() string { return "xid" }

// ChangeKey implements Dialect.
func (Postgres) ChangeKey() string { return "xid, seq" }

// LastChange implements Dialect.
func (Postgres) LastChange() string {
	return "SELECT pg_current_xact_id()::text::bigint, currval(pg_get_serial_sequence('change', 'seq'))"
}

// PollEvery implements Dialect. NOTIFY would wake at once, at the price of a lock that all commits of a database share.
func (Postgres) PollEvery() time.Duration { return 200 * time.Millisecond }

// ChangeOrder implements Dialect.
func (Postgres) ChangeOrder(desc bool) string {
	if desc {
		return "xid DESC, seq DESC"
	}
	return "xid, seq"
}

// PutSearch implements Dialect.
func (Postgres) PutSearch() []string {
	return []string{"INSERT INTO search_doc(id, object, tokens) VALUES (?, ?, array_to_tsvector(?::text[])) " +
		"ON CONFLICT (id) DO UPDATE SET object = excluded.object, tokens = excluded.tokens"}
}

// SearchTokens implements Dialect: the tokens as they are, and the object as a token no other can equal.
func (Postgres) SearchTokens(object string, tokens []string) any {
	out := make([]string, 0, len(tokens)+1)
	out = append(out, objectToken+object)
	for _, t := range tokens {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

// objectToken begins the token of an object; tokens of texts are folded and hold no control character.
const objectToken = "\x01"

// DeleteSearch implements Dialect.
func (Postgres) DeleteSearch() []string { return []string{"DELETE FROM search_doc WHERE id = ?"} }

// Search implements Dialect. The planner, which knows how common each token is, takes the GIN index for a rare one and
// walks the ids downwards for a common one; the statement is planned anew each time for that reason.
func (Postgres) Search() string {
	return "SELECT object, id FROM search_doc WHERE tokens @@ ?::tsquery ORDER BY id DESC LIMIT ?"
}

// SearchJoin implements Dialect.
func (Postgres) SearchJoin() (from, match, key string) {
	return "search_doc JOIN", "search_doc.tokens @@ ?::tsquery", "search_doc.id"
}

// SearchQuery implements Dialect.
func (Postgres) SearchQuery(objects, tokens []string) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteString(" & ")
		}
		word, prefix := strings.CutSuffix(t, "*")
		quoteLexeme(&b, word)
		if prefix {
			b.WriteString(":*")
		}
	}
	for i, o := range objects {
		switch {
		case i > 0:
			b.WriteString(" | ")
		case len(tokens) > 0:
			b.WriteString(" & (")
		default:
			b.WriteByte('(')
		}
		quoteLexeme(&b, objectToken+o)
	}
	if len(objects) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

func quoteLexeme(b *strings.Builder, s string) {
	b.WriteByte('\'')
	for i := range len(s) {
		if s[i] == '\'' || s[i] == '\\' {
			b.WriteByte(s[i])
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('\'')
}

// OptimizeSearch implements Dialect: VACUUM, which PostgreSQL runs by itself, removes the terms.
func (Postgres) OptimizeSearch() []string { return nil }

// Tune implements Dialect. ANALYZE without a table would take every schema's.
func (Postgres) Tune() []string {
	return []string{"DO $$ DECLARE t record; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() " +
		"LOOP EXECUTE format('ANALYZE %I', t.tablename); END LOOP; END $$"}
}

// Tables implements Dialect.
func (Postgres) Tables() string {
	return "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
}

// Columns implements Dialect.
func (Postgres) Columns() string {
	return "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()"
}

// Indexes implements Dialect.
func (Postgres) Indexes() string {
	return "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = current_schema()"
}

// LockSchema implements Dialect: an advisory lock of the transaction, one per workspace.
func (Postgres) LockSchema() string {
	return "SELECT pg_advisory_xact_lock(hashtextextended('guanxi schema ' || current_schema(), 0))"
}

// Fence implements Dialect.
func (Postgres) Fence(alone bool) string {
	if alone {
		return "SELECT pg_advisory_xact_lock(735100, hashtext(current_schema()))"
	}
	return "SELECT pg_advisory_xact_lock_shared(735100, hashtext(current_schema()))"
}

// ForUpdate implements Dialect.
func (Postgres) ForUpdate() string { return " FOR UPDATE" }
