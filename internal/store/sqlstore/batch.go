package sqlstore

import (
	"context"
	"database/sql"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

func (s *Store) ids(ctx context.Context, q string, args ...any) (out []id.ID, err error) {
	err = s.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v int64
			err := r.Scan(&v)
			out = append(out, id.ID(v))
			return err
		}, q, args...)
	})
	return out, err
}

// OfBatch lists the records of an object that a batch made and that are still there, recycle bin included, by id after the
// given one.
func (s *Store) OfBatch(ctx context.Context, obj *schema.Object, batch, after id.ID, limit int) ([]id.ID, error) {
	return s.ids(ctx, "SELECT id FROM "+dialect.Quote(obj.Physical)+" WHERE batch_id = ? AND id > ? ORDER BY id LIMIT ?", int64(batch), int64(after), limit)
}

// HeldFrom tells which records something points at that the batch did not make.
func (s *Store) HeldFrom(ctx context.Context, obj *schema.Object, ids []id.ID, batch id.ID) (map[id.ID]bool, error) {
	out := map[id.ID]bool{}
	d := s.db.Dialect()
	for _, ref := range s.env().Registry.Referrers(obj.Key) {
		if ref.Object.Virtual {
			continue
		}
		col := dialect.Quote(ref.Field.Physical)
		held, err := s.ids(ctx, "SELECT DISTINCT "+col+" FROM "+dialect.Quote(ref.Object.Physical)+" WHERE "+d.In(col)+" AND (batch_id IS NULL OR batch_id <> ?)",
			d.IDList(plain(ids)), int64(batch))
		if err != nil {
			return nil, err
		}
		for _, v := range held {
			out[v] = true
		}
	}
	return out, nil
}

// ForeignBatch is the one batch that made records of an object and is no import; 0 when there is none, or several.
func (s *Store) ForeignBatch(ctx context.Context, obj *schema.Object) (id.ID, error) {
	found, err := s.ids(ctx, "SELECT DISTINCT batch_id FROM "+dialect.Quote(obj.Physical)+" WHERE batch_id IS NOT NULL AND batch_id NOT IN (SELECT id FROM import_job) LIMIT 2")
	if err != nil || len(found) != 1 {
		return 0, err
	}
	return found[0], nil
}
