package sqlstore

import (
	"context"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

// Unindex drops the indexes of those tables that hold no row, so that a first load of millions need not keep each of them
// in order: random keys in a dozen indexes cost a written page each. Reindex makes them when the load is over. Meanwhile
// every read answers right and slowly. A process that dies in between has them made by Ensure at its next start.
func (s *Store) Unindex(ctx context.Context, reg *schema.Registry) error {
	return s.db.Write(ctx, func(c Conn) error {
		if err := lockSchema(ctx, c); err != nil {
			return err
		}
		have, err := inspect(ctx, c)
		if err != nil {
			return err
		}
		var ran []string
		for _, obj := range reg.Tables() {
			if _, ok := have.columns[obj.Physical]; !ok {
				continue
			}
			var first int64
			if found, err := c.QueryRow(ctx, []any{&first}, "SELECT id FROM "+dialect.Quote(obj.Physical)+" LIMIT 1"); err != nil || found {
				if err != nil {
					return err
				}
				continue
			}
			for _, ix := range indexes(c.Dialect(), obj) {
				// Nothing is in the recycle bin of a first load: its index costs nothing to keep and a walk over everything to make.
				if have.indexes[ix.name] && ix.name != indexName(obj.Physical, "bin") {
					ran = append(ran, "DROP INDEX "+dialect.Quote(ix.name))
				}
			}
		}
		return s.runAll(ctx, c, ran)
	})
}

// Reindex makes the indexes that are missing, each in a transaction of its own, and lets the database count its rows.
func (s *Store) Reindex(ctx context.Context, reg *schema.Registry) error {
	var have inventory
	err := s.db.Read(ctx, func(c Conn) (err error) {
		have, err = inspect(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	for _, obj := range reg.Tables() {
		for _, ix := range indexes(s.db.Dialect(), obj) {
			if have.indexes[ix.name] {
				continue
			}
			err := s.db.Write(Bulk(ctx), func(c Conn) error {
				if err := lockSchema(ctx, c); err != nil {
					return err
				}
				return s.runAll(ctx, c, []string{ix.statement(obj.Physical)})
			})
			if err != nil {
				return err
			}
		}
	}
	return s.Tune(ctx)
}

// runAll runs statements of the schema and notes them.
func (s *Store) runAll(ctx context.Context, c Conn, statements []string) error {
	for _, st := range statements {
		if _, err := c.Exec(ctx, st); err != nil {
			return fmt.Errorf("%s: %w", st, err)
		}
	}
	return s.note(ctx, c, statements)
}
