package record

import (
	"context"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// revalueAtOnce is how many records a transaction of Revalue reads.
const revalueAtOnce = 500

// Revalue works out the base amounts of all records of an object anew after rates changed, recycle bin included, and says how
// many records got another. It needs the right to import. A record that changes gets a new version and a change row, so that
// everything derived follows; its own values stay.
func (s *Service) Revalue(ctx context.Context, object string) (changed int, err error) {
	if err := allow(ctx, access.ImportRun); err != nil {
		return 0, err
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual || !slices.ContainsFunc(obj.Fields, func(f *schema.Field) bool { return f.Type == schema.Money }) {
		return 0, nil
	}
	for _, deleted := range []bool{false, true} {
		for after := id.ID(0); ; {
			n, last, err := s.revalue(ctx, s.shape(obj), after, deleted)
			if err != nil {
				return changed, fmt.Errorf("revalue %s: %w", object, err)
			}
			changed += n
			if last == 0 {
				break
			}
			after = last
		}
	}
	return changed, nil
}

// revalue takes the records behind an id; last is 0 at the end.
func (s *Service) revalue(ctx context.Context, sh *shape, after id.ID, deleted bool) (changed int, last id.ID, err error) {
	sel := Selection{Sort: []schema.Sort{{Field: "id"}}, Limit: revalueAtOnce, Deleted: deleted}
	if after != 0 {
		sel.After = []any{after}
	}
	if p, ok := s.cfg.Store.(Patient); ok {
		ctx = p.Patient(ctx)
	}
	_, err = s.cfg.Store.Update(ctx, func(tx Tx) error {
		changed, last = 0, 0
		rows, err := tx.Select(ctx, sh.obj, sel)
		if err != nil {
			return err
		}
		if len(rows) == revalueAtOnce {
			last = rows[len(rows)-1].ID
		}
		w := s.writingOf(ctx, tx, &writeMode{bulk: true})
		var replaced []Row
		var changes []change.Row
		for i := range rows {
			it := &item{op: change.Update, sh: sh, id: rows[i].ID, old: &rows[i], row: rows[i]}
			it.row.Cols = slices.Clone(rows[i].Cols)
			w.env.Day = w.dayOf(it)
			if !w.anew(it) {
				continue
			}
			it.row.Version++
			it.row.UpdatedAt, it.row.UpdatedAtDay = w.now.UnixMilli(), int64(w.day)
			replaced = append(replaced, it.row)
			changes = append(changes, w.changeOf(it))
		}
		changed = len(replaced)
		if changed == 0 {
			return nil
		}
		if err := tx.Replace(ctx, sh.obj, replaced); err != nil {
			return err
		}
		return tx.Append(ctx, changes)
	})
	return changed, last, err
}

// anew works out the base amounts of an item's row and reports whether one is another.
func (w *writing) anew(it *item) bool {
	other := false
	for i := range it.sh.fields {
		fs := &it.sh.fields[i]
		if fs.f.Type != schema.Money || it.row.Cols[fs.off] == nil {
			continue
		}
		w.put(it, i, schema.Decode(fs.f, it.sh.cols(it.row.Cols, i)))
		other = other || !slices.Equal(it.sh.cols(it.row.Cols, i), it.sh.cols(it.old.Cols, i))
	}
	return other
}
