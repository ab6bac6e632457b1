package eventstore

import (
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	sealedIdentifiers = "SELECT id, sealed FROM identifier WHERE sealed <> '' AND id > ? ORDER BY id LIMIT ?"
	sealedCount       = "SELECT count(*) FROM identifier WHERE sealed <> ''"
	identifierRewrap  = "UPDATE identifier SET sealed = ? WHERE id = ? AND sealed = ?"
)

// CountSealed is how many identifiers are kept sealed.
func (s *Store) CountSealed(ctx context.Context) (n int64, err error) {
	err = s.View(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, sealedCount)
		return err
	})
	return n, err
}

// Rewrap gives each of the next sealed identifiers behind an id to rewrap and stores what came out, unless it was changed meanwhile. seen
// below limit says that they were the last.
func (s *Store) Rewrap(ctx context.Context, after int64, limit int, rewrap func(sealed string) (string, bool, error)) (last int64, seen int, err error) {
	err = s.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		last, seen = after, 0
		type entry struct {
			id     id.ID
			sealed string
		}
		var list []entry
		err := sqlstore.Each(ctx, c, func(rows *sql.Rows) error {
			var e entry
			err := rows.Scan(&e.id, &e.sealed)
			list = append(list, e)
			return err
		}, sealedIdentifiers, after, int64(limit))
		if err != nil {
			return err
		}
		for _, e := range list {
			last, seen = int64(e.id), seen+1
			out, changed, err := rewrap(e.sealed)
			if err == nil && changed {
				_, err = c.Exec(ctx, identifierRewrap, out, int64(e.id), e.sealed)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return last, seen, err
}
