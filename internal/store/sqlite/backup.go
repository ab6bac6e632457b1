package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// BackupTo writes a consistent copy of the database, as of now and without free pages, to a file that must not exist.
// Reading and writing go on meanwhile, with one reader less.
func (db *DB) BackupTo(ctx context.Context, path string) error {
	slot, err := db.reader(ctx) // held so that Close waits; a reader itself may not write, not even elsewhere
	if err != nil {
		return err
	}
	defer func() { db.readers <- slot }()
	c, err := db.pool.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer c.Close()
	_, err = c.ExecContext(ctx, "VACUUM INTO ?", path)
	return contextual(ctx, translate(err))
}

// rewriteTries is how often Rewrite asks for the WAL, which a reader may hold.
const (
	rewriteTries = 100
	rewritePause = 100 * time.Millisecond
)

// Rewrite writes every page of the file anew, so that nothing of what was removed is left between the rows, and empties the WAL.
// Reading goes on meanwhile; writing waits. The search index is made free of what was removed by Store.OptimizeSearch.
func (db *DB) Rewrite(ctx context.Context) error {
	if err := db.writer.bare(ctx, "VACUUM"); err != nil {
		return err
	}
	for range rewriteTries {
		err := db.writer.bare(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		if err == nil || !errors.Is(err, errWALHeld) {
			return err
		}
		if err := clock.Pause(ctx, rewritePause, nil); err != nil {
			return err
		}
	}
	return dialect.Fault(dialect.Busy, errWALHeld)
}
