//go:build !sqlite_fts5

package sqlite

// Without this tag SQLite lacks full-text search, and the program would find out when it opens its first workspace. The name
// is declared nowhere on purpose: the compiler says it.
const _ = build_with__tags_sqlite_fts5
