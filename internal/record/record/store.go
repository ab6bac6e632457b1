package record

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Row is one record in stored form. Cols is aligned with Object.Columns(); a value is int64, string, bool, []byte or nil.
type Row struct {
	ID           id.ID
	Version      int64
	CreatedAt    int64 // milliseconds
	CreatedAtDay int64 // local day
	CreatedBy    id.ID // 0 for none
	UpdatedAt    int64
	UpdatedAtDay int64
	UpdatedBy    id.ID
	DeletedAt    int64 // 0 for a live record
	BatchID      id.ID // the import that made it, 0 for none
	Cols         []any
}

// Store is what the record engine needs from storage; store/sqlstore implements it for SQLite and PostgreSQL.
type Store interface {
	// View runs fn on one consistent snapshot.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn in a transaction that commits durably before Update returns, or leaves nothing behind when fn fails.
	// On SQLite closures of several callers share one commit (group commit), each in its own savepoint; fn must do no
	// file, network or analytics work. On PostgreSQL fn runs again after a deadlock or a serialization failure, so it must
	// set, not add to, what it captures. The position is that of the last change appended, zero if none.
	Update(ctx context.Context, fn func(Tx) error) (change.Position, error)
}

// Patient is what a store may offer for Bulk.
type Patient interface {
	// Patient marks a context: updates with it wait until nothing else does, and have a commit of their own. Alone in its
	// transaction a bulk write needs no savepoint, which on SQLite would copy every page before its first change.
	Patient(ctx context.Context) context.Context
}

// Reader reads records. Every method returns only what exists; unknown ids are left out.
type Reader interface {
	// Get reads rows by id, in no particular order. Deleted rows are included only when asked for.
	Get(ctx context.Context, obj *schema.Object, ids []id.ID, deleted bool) ([]Row, error)
	// Select reads one page of rows.
	Select(ctx context.Context, obj *schema.Object, sel Selection) ([]Row, error)
	// Count counts rows, stopping at limit (0 counts all).
	Count(ctx context.Context, obj *schema.Object, sel Selection, limit int) (int, error)
	// Figures counts and sums the rows of a selection by groups, at most limit of those that are records (see Figurer).
	Figures(ctx context.Context, f *query.Figures, sel Selection, limit int) ([]FigureRow, error)
	// FindUnique maps stored unique keys of a field to record ids.
	FindUnique(ctx context.Context, obj *schema.Object, field *schema.Field, keys []string) (map[string]id.ID, error)
	// Search finds records by tokens: all tokens must match (a token ending in * is a prefix); newest first. A nil object
	// list means all objects.
	Search(ctx context.Context, objects []string, tokens []string, limit int) ([]Hit, error)
	// SearchWithin is Search inside one object, of records within a reader's limits: as many of them as there are up to limit.
	SearchWithin(ctx context.Context, obj *schema.Object, l *query.Limits, tokens []string, limit int) ([]id.ID, error)
	// Changes reads the changes of one record, newest first, before the given position (zero: from the newest).
	Changes(ctx context.Context, object string, record id.ID, before change.Position, limit int) ([]change.Row, error)
	// PersonKeys reads wrapped data keys of customers or other subjects.
	PersonKeys(ctx context.Context, subjects []id.ID) (map[id.ID][]byte, error)
}

// Tx writes records.
type Tx interface {
	Reader
	// Insert adds rows; ids are set by the caller.
	Insert(ctx context.Context, obj *schema.Object, rows []Row) error
	// Replace writes whole rows over existing ones. Each must still have version Version-1, else a Stale fault.
	Replace(ctx context.Context, obj *schema.Object, rows []Row) error
	// Purge removes rows for good.
	Purge(ctx context.Context, obj *schema.Object, ids []id.ID) error
	// Reserve claims unique keys for records; a taken key is returned as (key → holder) and nothing of it is claimed.
	Reserve(ctx context.Context, obj *schema.Object, field *schema.Field, keys map[string]id.ID) (map[string]id.ID, error)
	// Release frees unique keys.
	Release(ctx context.Context, obj *schema.Object, field *schema.Field, keys []string) error
	// Append adds rows to the change log.
	Append(ctx context.Context, rows []change.Row) error
	// Next takes n consecutive numbers of a named counter and returns the first.
	Next(ctx context.Context, counter string, n int) (int64, error)
	// SavePersonKeys stores wrapped data keys; existing ones stay.
	SavePersonKeys(ctx context.Context, keys map[id.ID][]byte) error
	// Remembered reads what Remember stored for a request of the last day.
	Remembered(ctx context.Context, key string) (outcome []byte, found bool, err error)
	// Remember stores what a request did; a key that is there already is a Conflict fault.
	Remember(ctx context.Context, key string, outcome []byte) error
}

// Selection is what a page of rows is chosen by. Where must have passed query.Check.
type Selection struct {
	Where   *query.Node
	Limits  *query.Limits // what the reader sees, nil for everything
	IDs     []id.ID       // only these (search candidates), nil for no such limit
	Sort    []schema.Sort // record fields only; the id is always the last key, in the direction of the first key
	After   []any         // keyset: the sort values and id of the last row of the page before
	Offset  int           // instead of After, up to 10,000
	Limit   int
	Deleted bool // the recycle bin instead of live rows
	Binned  bool // the recycle bin beside live rows; then Deleted says nothing
	// Columns are the places in Object.Columns that are read, nil for all; a store may leave the others of a row nil. OnlyIDs allows it
	// to read nothing but ids.
	Columns []int
	OnlyIDs bool
	// Sure is told before the rows are read that the store begins where few records are: how long that takes is bounded. nil tells nobody.
	Sure func()
}

// Hit is a record found by search.
type Hit struct {
	Object string
	ID     id.ID
}
