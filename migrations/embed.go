// Package migrations holds the fixed tables of a workspace's database as numbered, forward-only files.
//
// NNNN_name.sql runs on every database; NNNN_name.sqlite.sql and NNNN_name.postgres.sql on theirs alone, where the two
// must differ. The words {key}, {text}, {bytes} and {without_rowid} stand for the dialect's types and table suffix.
// A file that has been released is frozen. Tables of objects are not here: they are made from metadata at run time.
package migrations

import (
	"embed"
	"io/fs"
)

// Files are the migrations of a workspace.
//
//go:embed *.sql
var Files embed.FS

//go:embed event/*.sql
var event embed.FS

// Event are the migrations of the inbox of events, numbered by themselves: embedded it is a database of its own, on PostgreSQL
// its tables stand beside the others of the workspace.
func Event() fs.FS {
	sub, err := fs.Sub(event, "event")
	if err != nil { // the folder is embedded above
		panic(err)
	}
	return sub
}
