package record

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// MergeRow is a merge as it is kept.
type MergeRow struct {
	ID       id.ID
	Object   string
	Survivor id.ID
	At       int64 // milliseconds
	ByKind   access.ActorKind
	By       id.ID
	Before   []byte // images of the survivor's fields that the merge changed
	After    []byte
	Moved    int // records that pointed at a merged one and point at the survivor
	Total    int // how many those will be, about
	Pending  MergeWork
	Place    string // how far the walk through them is; a Store uses it as it likes once they are given back
	Stuck    int    // of these, could not be moved
	UndoneAt int64  // 0 while it stands
	Merged   []id.ID
}

// MergeChild is a record that pointed at a merged one.
type MergeChild struct {
	Object string
	Field  string
	Record id.ID
	Former id.ID // at which
}

// MergeReader reads merges; what a Store gives as Reader is one when the store can merge.
type MergeReader interface {
	// MergedInto maps merged records to the record each is part of now, at the end of the chain, and leaves out all others.
	MergedInto(ctx context.Context, ids []id.ID) (map[id.ID]id.ID, error)
	// Merges reads merges by id.
	Merges(ctx context.Context, ids []id.ID) ([]MergeRow, error)
	// MergesOf reads the merges of a record that stand, newest first.
	MergesOf(ctx context.Context, survivor id.ID, limit int) ([]MergeRow, error)
	// MergesPending reads merges that have something left to do, oldest first.
	MergesPending(ctx context.Context, limit int) ([]MergeRow, error)
	// MergeChildren reads children of a merge in the order of object, field and record, after one (nil: from the first).
	MergeChildren(ctx context.Context, merge id.ID, after *MergeChild, limit int) ([]MergeChild, error)
}

// MergeTx writes merges.
type MergeTx interface {
	MergeReader
	// AddMerge stores a merge and where its records lead.
	AddMerge(ctx context.Context, m *MergeRow) error
	// AddMergeChildren stores children of a merge that are not there yet.
	AddMergeChildren(ctx context.Context, merge id.ID, children []MergeChild) error
	// DropMergeChildren forgets children that were given back.
	DropMergeChildren(ctx context.Context, merge id.ID, children []MergeChild) error
	// LockMerge reads a merge for a transaction that goes on with it; zero for an unknown one.
	LockMerge(ctx context.Context, merge id.ID) (MergeRow, error)
	// StepMerge stores what is left to do of a merge and how far it is, and adds to what could not be moved.
	StepMerge(ctx context.Context, merge id.ID, pending MergeWork, place string, stuck int) error
	// EndMerge notes that a merge was taken back, with what is left to do then, and forgets where its records led. Conflict
	// merge.undone when it was before.
	EndMerge(ctx context.Context, merge id.ID, at int64, pending MergeWork) error
}
