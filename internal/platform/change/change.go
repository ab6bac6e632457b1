// Package change is the change log: every write and its change row commit together, and audit, timeline, search, the
// analytics mirror and later automations are consumers that read it from a stored position. Nothing else watches tables.
package change

import (
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Position is a place in the log. On SQLite it is the sequence alone; on PostgreSQL rows are read in (Xid, Seq) order and
// only below the oldest running writer, because a slow transaction may commit an earlier sequence later.
type Position struct {
	Xid int64
	Seq int64
}

// Less orders positions.
func (p Position) Less(q Position) bool {
	return p.Xid < q.Xid || p.Xid == q.Xid && p.Seq < q.Seq
}

// Op is what happened to a record.
type Op string

// The operations.
const (
	Create  Op = "create"
	Update  Op = "update"
	Delete  Op = "delete"  // to the recycle bin
	Restore Op = "restore" // out of it
	Purge   Op = "purge"   // gone for good (undo of an import)
	Merge   Op = "merge"   // of the record that others were merged into; those have a Delete
	Unmerge Op = "unmerge" // of that record when the merge was taken back; those have a Restore
	Attach  Op = "attach"  // a file was added to the record, or taken out of the bin; the record itself stays as it is
	Detach  Op = "detach"  // a file was removed from it
	Erase   Op = "erase"   // values of a person are gone, without an image; the record stays for its figures
)

// Row is one change. Before and After are JSON objects of the changed fields in stored form: personal values are
// ciphertext there. A Create has neither: the record is its own image until it is first changed.
type Row struct {
	Position Position
	Object   string
	Record   id.ID
	Version  int64
	Op       Op
	At       int64 // milliseconds
	ByKind   access.ActorKind
	By       id.ID
	Batch    id.ID // the import that did it, 0 for none
	Before   []byte
	After    []byte
}
