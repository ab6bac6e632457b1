package duckdb

import (
	"context"
	"database/sql"
	"sync"
)

// kept are the statements with values that readers have asked more than once, prepared: DuckDB plans a page of traits longer than it reads it. A
// table that is put in the place of another has them planned anew by itself.
type kept struct {
	mu    sync.Mutex
	stmts map[string]*sql.Stmt // nil: asked once
}

const (
	keptMost  = 32
	keptBytes = 8 << 10 // of a text; longer ones are the reports and segments of one moment
)

// find is a prepared statement, nil for one that is not worth keeping.
func (k *kept) find(ctx context.Context, db *sql.DB, query string, args []any) (*sql.Stmt, error) {
	if len(args) == 0 || len(query) > keptBytes {
		return nil, nil //nolint:nilnil // not kept
	}
	s, seen := k.know(query)
	if s != nil || !seen {
		return s, nil
	}
	s, err := db.PrepareContext(ctx, query) // outside of the lock: it may wait for a connection
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if other := k.stmts[query]; other != nil {
		_ = s.Close() // somebody was quicker
		return other, nil
	}
	k.stmts[query] = s
	return s, nil
}

// know is a statement that is kept, and whether the text was asked before; it is noted.
func (k *kept) know(query string) (s *sql.Stmt, seen bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s, seen = k.stmts[query]; seen {
		return s, true
	}
	if k.stmts == nil || len(k.stmts) >= keptMost {
		k.drop()
	}
	k.stmts[query] = nil
	return nil, false
}

// lose drops one.
func (k *kept) lose(query string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.stmts[query]; s != nil {
		_ = s.Close() // nothing is lost
	}
	delete(k.stmts, query)
}

// forget drops all.
func (k *kept) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop()
}

// drop forgets all; rows that are being read keep theirs until they end. mu is held.
func (k *kept) drop() {
	for _, s := range k.stmts {
		if s != nil {
			_ = s.Close() // nothing is lost
		}
	}
	k.stmts = map[string]*sql.Stmt{}
}
