package sqlite

import (
	"context"
	"errors"

	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const shrinkMemory = "PRAGMA shrink_memory"

// Shrink gives up the pages that the connections keep in memory, and their prepared statements: the system still has the file cached. It
// waits for the writer like other work, and leaves alone the readers that are at work.
func (db *DB) Shrink(ctx context.Context) error {
	var idle []*conn
	for more := true; more; {
		select {
		case c := <-db.readers:
			idle = append(idle, c)
		default:
			more = false
		}
	}
	var errs []error
	for _, c := range idle {
		c.forget()
		_, err := c.Exec(context.WithoutCancel(ctx), shrinkMemory)
		errs = append(errs, err)
		db.readers <- c
	}
	return errors.Join(append(errs, db.writer.bare(sqlstore.Bulk(ctx), shrinkMemory))...)
}
