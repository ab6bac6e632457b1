package sqlite

import "context"

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
