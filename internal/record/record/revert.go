package record

import (
	"context"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// Then is more to do in the transaction of a BulkThen, after its records are written and before it commits. The store
// may run a transaction again, and then runs it again too.
type Then func(ctx context.Context, tx Tx, results []BulkResult) error

// BulkThen is Bulk with more in the same transaction: what an import stores about its own progress.
func (s *Service) BulkThen(ctx context.Context, batch id.ID, ops []BulkOp, then Then) ([]BulkResult, change.Position, error) {
	if err := allow(ctx, access.ImportRun); err != nil {
		return nil, change.Position{}, err
	}
	return s.many(ctx, writeMode{bulk: true, batch: batch, then: then}, ops)
}

// Image is what a change row holds of the fields that an update changed, before it.
type Image struct {
	Record  id.ID
	Version int64 // that the update made
	Before  []byte
}

// Revert makes the operations that put records back to what they were before updates: pass them to Bulk. Each takes
// effect only while its record still has the version that the update made, unless Version is 0. Personal values are in clear
// in the result, so it needs the right to import and must not be stored. A former value that cannot be read any more
// (its key was destroyed, or a field is gone) is left out.
func (s *Service) Revert(ctx context.Context, object string, images []Image) ([]BulkOp, error) {
	obj, err := s.object(ctx, object, access.ImportRun)
	if err != nil {
		return nil, err
	}
	sh := s.shape(obj)
	ids := make([]id.ID, len(images))
	for i := range images {
		ids[i] = images[i].Record
	}
	keys := map[id.ID]*crypt.Key{}
	current := map[id.ID]*Row{}
	if len(sh.personal) > 0 {
		rows, err := s.rows(ctx, obj, ids, true)
		if err != nil {
			return nil, err
		}
		var subjects []id.ID
		for i := range rows {
			current[rows[i].ID] = &rows[i]
			subjects = append(subjects, sh.subject(&rows[i]))
		}
		if err := s.unwrap(ctx, subjects, keys); err != nil {
			return nil, fmt.Errorf("revert %s: %w", object, err)
		}
	}
	ops := make([]BulkOp, 0, len(images))
	for i := range images {
		im := &images[i]
		cols, fields := sh.readImage(im.Before)
		in := make(Input, len(fields))
		for _, f := range fields {
			key := sh.fields[f].f.Key
			if !sh.fields[f].f.Personal || cols[sh.fields[f].off] == nil {
				in[key] = sh.valueOf(cols, f)
				continue
			}
			row := current[im.Record]
			if row == nil {
				continue
			}
			if v, err := s.openValue(sh, &Row{ID: im.Record, Cols: cols}, f, keys[sh.subject(row)]); err == nil {
				in[key] = v
			}
		}
		ops = append(ops, BulkOp{Op: change.Update, Object: object, ID: im.Record, Version: im.Version, Input: in})
	}
	return ops, nil
}
