package postgres

import (
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

var _ sqlstore.Distributor = (*DB)(nil)

// Citus reports whether the extension citus is present.
func (db *DB) Citus() bool { return db.citus.Load() }

// Distribute implements sqlstore.Distributor. Tables that lie beside each other have the same shards on the same machines,
// so a customer, its orders and their lines are joined where they lie. A transaction for each table keeps the number of
// locks that one holds to those of its shards.
func (db *DB) Distribute(ctx context.Context, places []sqlstore.Placement) error {
	if !db.Citus() {
		return nil
	}
	placed := map[string]bool{}
	err := db.Read(ctx, func(c sqlstore.Conn) error {
		return sqlstore.Each(ctx, c, func(r *sql.Rows) error {
			var table string
			err := r.Scan(&table)
			placed[table] = true
			return err
		}, dialect.CitusPlaced)
	})
	if err != nil {
		return err
	}
	for _, p := range places {
		if placed[p.Table] {
			continue
		}
		err := db.Write(ctx, func(c sqlstore.Conn) error {
			if _, err := c.Exec(ctx, c.Dialect().LockSchema()); err != nil { // another process may be at it
				return err
			}
			_, err := c.Exec(ctx, dialect.CitusPlace(p.Table, p.Column, p.Beside))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
