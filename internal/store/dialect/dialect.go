// Package dialect is the list of named differences between the databases that hold the records plane: SQLite and
// PostgreSQL. Statements are written once, in the subset that both share, with "?" for parameters; where the two differ,
// the difference is one method here with a comment that says why.
//
// It imports no driver: recognising a driver's errors is the task of store/sqlite and store/postgres, which turn them
// into a Class; the fault that a class becomes is made here, once.
package dialect

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Dialect is one database's way of saying things.
type Dialect interface {
	// Name is "sqlite" or "postgres"; migrations with an override carry it in their file name.
	Name() string
	// Rebind turns "?" placeholders into the database's own. Quoted text and identifiers are left alone.
	Rebind(query string) string

	// ColumnType is the declared type of a column of a kind.
	ColumnType(k schema.Kind) string
	// KeyType is the declared type of a table's own 64-bit key. In SQLite only "INTEGER PRIMARY KEY" is the row's own
	// address, which makes the key free.
	KeyType() string
	// TableSuffix follows the closing bracket of a table whose key is not a single integer ("WITHOUT ROWID" in SQLite:
	// the key is not stored twice).
	TableSuffix() string
	// FactKey reports whether fact tables carry the customer in their primary key, as a NOT NULL column in which 0 means
	// none: distribution by customer demands it, and SQLite has no distribution.
	FactKey() bool

	// In is a condition "expr is one of a list" with one parameter, so that the statement's text does not depend on the
	// length of the list; the parameter is made by IDList or TextList. An index must begin with expr: behind another
	// column PostgreSQL may compare each row with the whole list.
	In(expr string) string
	// IDList is the parameter of In for 64-bit integers.
	IDList(ids []int64) any
	// TextList is the parameter of In for texts.
	TextList(texts []string) any

	// ClaimKeys is the statement that inserts unique keys unless taken: parameters object, field, then what ClaimArgs
	// makes of the keys and their records.
	ClaimKeys() string
	// CountsClaims reports whether the number of rows that ClaimKeys touched is the number of keys that were free.
	CountsClaims() bool
	// ClaimArgs are the further parameters of ClaimKeys; ids[i] claims keys[i], no key stands there twice.
	ClaimArgs(keys []string, ids []int64) []any

	// ChangeColumns are the columns read for a change row, xid first. SQLite has no transaction id: there is one writer,
	// so sequences commit in order.
	ChangeColumns() string
	// ChangeAfter is a condition on the change table, "after the position (two parameters: xid, seq)".
	ChangeAfter() string
	// ChangeBelow is a condition on the change table, "below the bound (one parameter, see ChangeBound)".
	ChangeBelow() string
	// ChangeBound is a statement for the bound below which every change is decided, so that consumers may read: no
	// transaction still running will commit a row there. The rows must be read by a later transaction than the one that
	// asked for the bound. "" where every committed row is readable and the bound means nothing. PostgreSQL: a slow
	// transaction may commit an earlier sequence later, so rows are ordered by (xid, seq) and read below the oldest
	// running writer.
	ChangeBound() string
	// EnterWrite is the first statement of each transaction that may append changes; it announces the writer to
	// ChangeBound. "" where there is nothing to announce.
	EnterWrite() string
	// ChangeBefore is a condition on the change table, "before the position (two parameters: xid, seq)".
	ChangeBefore() string
	// ChangeXid is the transaction id of a change row, ChangeKey the columns of its key.
	ChangeXid() string
	ChangeKey() string
	// LastChange is a statement for the position (xid, seq) of the change row that this transaction inserted last.
	LastChange() string
	// PollEvery is how often a waiting consumer looks at the log although nobody in its process wrote; 0 for never.
	PollEvery() time.Duration
	// ChangeOrder is the order of the log, for ORDER BY; desc from the newest.
	ChangeOrder(desc bool) string

	// PutSearch is the statement that stores one search document: parameters id, object, tokens (see SearchTokens).
	PutSearch() []string
	// SearchTokens is the stored form of a document's tokens.
	SearchTokens(object string, tokens []string) any
	// DeleteSearch removes one document by id.
	DeleteSearch() []string
	// Search finds documents, newest id first: parameters query (see SearchQuery) and limit; columns object, id.
	Search() string
	// SearchJoin are the parts of a search that joins the records' table: the text before that table, the condition with the
	// parameter query, and the document's id.
	SearchJoin() (from, match, key string)
	// SearchQuery is the database's form of "all these tokens, in one of these objects"; a token ending in * is a prefix.
	SearchQuery(objects, tokens []string) string
	// OptimizeSearch are the statements that make removed documents vanish from the index's pages (erasure), none where
	// the database's own cleaning does it.
	OptimizeSearch() []string

	// Tune are the statements that let the planner count anew, quick enough to run after every large import. Without
	// them SQLite takes any index for selective and PostgreSQL waits for its own housekeeping.
	Tune() []string

	// Tables lists the user's tables: statement with the columns name.
	Tables() string
	// Columns lists every column of every table: statement with table, column, type in lower case.
	Columns() string
	// Indexes lists every index: statement with table, index.
	Indexes() string
	// LockSchema is the statement that lets one process at a time change the schema, "" where there is only one process.
	LockSchema() string
	// Fence is a statement that makes updates of records wait for one that is to be alone, until their transactions end; "" where there
	// is only one writer.
	Fence(alone bool) string
	// ForUpdate is appended to a SELECT whose rows are going to be written, "" where there is only one writer.
	ForUpdate() string
}

// Quote is an identifier in double quotes, which both databases understand. Only machine-made names pass through here.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// QuoteAll quotes and joins names with commas.
func QuoteAll(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Quote(n))
	}
	return b.String()
}

// Values is "(?, ?), (?, ?)" for a number of rows and columns.
func Values(rows, columns int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(one+", ", rows), ", ")
}

// rebind replaces each ? outside quotes by what next gives for its number, counted from 1.
func rebind(query string, next func(b *strings.Builder, n int)) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	n, quote := 0, byte(0)
	for i := range len(query) {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote { // a doubled quote closes and opens again
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '?':
			n++
			next(&b, n)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func dollar(b *strings.Builder, n int) {
	b.WriteByte('$')
	b.WriteString(strconv.Itoa(n))
}

func jsonList(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // slices of integers and strings always marshal
		panic(err)
	}
	return string(b)
}
