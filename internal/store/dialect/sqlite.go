package dialect

import (
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// SQLite is the dialect of the embedded database.
type SQLite struct{}

// Name implements Dialect.
func (SQLite) Name() string { return "sqlite" }

// Rebind implements Dialect: SQLite understands "?".
func (SQLite) Rebind(query string) string { return query }

// ColumnType implements Dialect. BOOLEAN is stored as 0 and 1; the driver gives it back as a bool because of its name.
func (SQLite) ColumnType(k schema.Kind) string {
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

// KeyType implements Dialect.
func (SQLite) KeyType() string { return "INTEGER" }

// TableSuffix implements Dialect.
func (SQLite) TableSuffix() string { return " WITHOUT ROWID" }

// FactKey implements Dialect.
func (SQLite) FactKey() bool { return false }

// In implements Dialect: the list is one JSON array.
func (SQLite) In(expr string) string { return expr + " IN (SELECT value FROM json_each(?))" }

// IDList implements Dialect.
func (SQLite) IDList(ids []int64) any { return jsonList(ids) }

// TextList implements Dialect.
func (SQLite) TextList(texts []string) any { return jsonList(texts) }

// ClaimKeys implements Dialect: keys and ids are one JSON object.
func (SQLite) ClaimKeys() string {
	return "INSERT INTO unique_key(object, field, value, record_id) " +
		"SELECT ?, ?, k.key, k.value FROM json_each(?) k WHERE TRUE ON CONFLICT DO NOTHING"
}

// CountsClaims implements Dialect.
func (SQLite) CountsClaims() bool { return true }

// ClaimArgs implements Dialect.
func (SQLite) ClaimArgs(keys []string, ids []int64) []any {
	m := make(map[string]int64, len(keys))
	for i, k := range keys {
		m[k] = ids[i]
	}
	return []any{jsonList(m)}
}

// ChangeColumns implements Dialect.
func (SQLite) ChangeColumns() string { return "0, " + changeColumns }

// ChangeAfter implements Dialect; the xid parameter is there and means nothing.
func (SQLite) ChangeAfter() string { return "? >= 0 AND seq > ?" }

// ChangeBelow implements Dialect; the parameter is there and means nothing.
func (SQLite) ChangeBelow() string { return "? >= 0" }

// ChangeBound implements Dialect: there is one writer, so what is committed is decided.
func (SQLite) ChangeBound() string { return "" }

// EnterWrite implements Dialect.
func (SQLite) EnterWrite() string { return "" }

// ChangeBefore implements Dialect; the xid parameter is there and means nothing.
func (SQLite) ChangeBefore() string { return "? >= 0 AND seq < ?" }

// ChangeXid implements Dialect.
func (SQLite) ChangeXid() string { return "0" }

// ChangeKey implements Dialect.
func (SQLite) ChangeKey() string { return "seq" }

// LastChange implements Dialect: there is one writer, so the highest sequence is its own.
func (SQLite) LastChange() string { return "SELECT 0, max(seq) FROM change" }

// PollEvery implements Dialect: whoever writes is in this process.
func (SQLite) PollEvery() time.Duration { return 0 }

// ChangeOrder implements Dialect.
func (SQLite) ChangeOrder(desc bool) string {
	if desc {
		return "seq DESC"
	}
	return "seq"
}

const changeColumns = "seq, object, record_id, version, op, at, by_kind, by_id, batch_id, before, after"

// PutSearch implements Dialect: REPLACE removes a document of the same id first.
func (SQLite) PutSearch() []string {
	return []string{"INSERT OR REPLACE INTO search_doc(rowid, object, tokens) VALUES (?, ?, ?)"}
}

// SearchTokens implements Dialect: one text of encoded tokens; the object is a token too, so that a search inside one
// object leaps over the others' documents.
func (SQLite) SearchTokens(object string, tokens []string) any {
	var b strings.Builder
	encodeObject(&b, object)
	for _, t := range tokens {
		b.WriteByte(' ')
		encodeToken(&b, t)
	}
	return b.String()
}

// DeleteSearch implements Dialect.
func (SQLite) DeleteSearch() []string { return []string{"DELETE FROM search_doc WHERE rowid = ?"} }

// Search implements Dialect. FTS5 walks the documents of a term by descending rowid, so a common token costs no more
// than the limit.
func (SQLite) Search() string {
	return "SELECT object, rowid FROM search_doc WHERE search_doc MATCH ? ORDER BY rowid DESC LIMIT ?"
}

// SearchJoin implements Dialect. CROSS JOIN keeps the order: the documents lead, newest first.
func (SQLite) SearchJoin() (from, match, key string) {
	return "search_doc CROSS JOIN", "search_doc MATCH ?", "search_doc.rowid"
}

// SearchQuery implements Dialect.
func (SQLite) SearchQuery(objects, tokens []string) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteString(" AND ")
		}
		word, prefix := strings.CutSuffix(t, "*")
		b.WriteByte('"')
		encodeToken(&b, word)
		b.WriteByte('"')
		if prefix {
			b.WriteByte('*')
		}
	}
	for i, o := range objects {
		switch {
		case i > 0:
			b.WriteString(" OR ")
		case len(tokens) > 0:
			b.WriteString(" AND (")
		default:
			b.WriteByte('(')
		}
		b.WriteByte('"')
		encodeObject(&b, o)
		b.WriteByte('"')
	}
	if len(objects) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// OptimizeSearch implements Dialect: only merging every segment drops the terms of removed documents.
func (SQLite) OptimizeSearch() []string {
	return []string{"INSERT INTO search_doc(search_doc) VALUES ('optimize')"}
}

// Tune implements Dialect: a sample of a thousand entries of each index. Only the tables of records keep what was counted:
// the search index counted while it is small scans itself whole for every document when it has grown.
func (SQLite) Tune() []string {
	return []string{"PRAGMA analysis_limit = 1000", "ANALYZE", "DELETE FROM sqlite_stat1 WHERE tbl NOT LIKE 'r!_%' ESCAPE '!'", "ANALYZE sqlite_schema"}
}

// Tables implements Dialect.
func (SQLite) Tables() string {
	return "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
}

// Columns implements Dialect.
func (SQLite) Columns() string {
	return "SELECT m.name, c.name, lower(c.type) FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
}

// Indexes implements Dialect.
func (SQLite) Indexes() string {
	return "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
}

// LockSchema implements Dialect.
func (SQLite) LockSchema() string { return "" }

// Fence implements Dialect.
func (SQLite) Fence(bool) string { return "" }

// ForUpdate implements Dialect.
func (SQLite) ForUpdate() string { return "" }

const hexDigits = "0123456789abcdef"

// encodeToken writes a token in the characters that the index's tokenizer keeps together: lower-case ASCII letters,
// digits and everything beyond ASCII stand for themselves, any other byte is "_" and two hexadecimal digits. Being made
// byte by byte, the form of a prefix is the prefix of the form.
func encodeToken(b *strings.Builder, token string) {
	for i := range len(token) {
		c := token[i]
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c >= 0x80 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('_')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
}

// encodeObject writes the token of an object; no encoded token begins with "_o" since o is not a hexadecimal digit.
func encodeObject(b *strings.Builder, object string) {
	b.WriteString("_o")
	encodeToken(b, object)
}
