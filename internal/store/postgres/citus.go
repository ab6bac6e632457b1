package postgres

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Citus reports whether the extension citus is present.
func (db *DB) Citus() bool { return db.citus }

// Distribute implements sqlstore.Distributor. Without Citus, and for a table that is spread already, it does nothing.
// Tables distributed by a 64-bit column are all co-located, so a customer, its orders and their lines lie together; the
// unique keys, distributed by a text, are a group of their own.
func (db *DB) Distribute(ctx context.Context, c sqlstore.Conn, table, column string) error {
	if !db.citus {
		return nil
	}
	var there bool
	if _, err := c.QueryRow(ctx, []any{&there}, "SELECT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = ?::text::regclass)", table); err != nil || there {
		return err
	}
	var nothing any
	if column == "" {
		_, err := c.QueryRow(ctx, []any{&nothing}, "SELECT create_reference_table(?::text)::text", table)
		return err
	}
	_, err := c.QueryRow(ctx, []any{&nothing}, "SELECT create_distributed_table(?::text, ?::text)::text", table, column)
	return err
}
