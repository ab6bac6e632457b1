package record

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// revalueAtOnce is how many records a transaction of Revalue reads.
const revalueAtOnce = 500

// Revalue works out the base amounts of an object's records anew after rates changed, recycle bin included, and says how many
// records got another. It needs the right to import. Only records with an amount in another currency are looked at, outside
// of the transactions that write. A record that changes gets a new version and a change row, so that everything derived
// follows; its own values stay.
func (s *Service) Revalue(ctx context.Context, object string) (changed int, err error) {
	if err := allow(ctx, access.ImportRun); err != nil {
		return 0, err
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return 0, nil
	}
	foreign := s.foreign(obj)
	if len(foreign.Any) == 0 {
		return 0, nil
	}
	for _, deleted := range []bool{false, true} {
		sel := Selection{Where: foreign, Sort: []schema.Sort{{Field: "id"}}, Limit: revalueAtOnce, Deleted: deleted}
		for {
			ids, err := s.selected(ctx, obj, sel)
			if err != nil {
				return changed, fmt.Errorf("revalue %s: %w", object, err)
			}
			n, err := s.revalue(ctx, s.shape(obj), ids)
			if err != nil {
				return changed, fmt.Errorf("revalue %s: %w", object, err)
			}
			changed += n
			if len(ids) < revalueAtOnce {
				break
			}
			sel.After = []any{ids[len(ids)-1]}
		}
	}
	return changed, nil
}

// foreign asks for an amount in another currency than the base.
func (s *Service) foreign(obj *schema.Object) *query.Node {
	n := &query.Node{Any: []*query.Node{}}
	for _, f := range obj.Fields {
		if f.Type == schema.Money {
			n.Any = append(n.Any, &query.Node{Field: f.Key + ".currency", Op: "!=", Value: json.RawMessage(strconv.Quote(s.cfg.BaseCurrency()))})
		}
	}
	return n
}

func (s *Service) selected(ctx context.Context, obj *schema.Object, sel Selection) (ids []id.ID, err error) {
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		rows, err := r.Select(ctx, obj, sel)
		ids = make([]id.ID, len(rows))
		for i := range rows {
			ids[i] = rows[i].ID
		}
		return err
	})
	return ids, err
}

// revalue works out the amounts of some records as they are now.
func (s *Service) revalue(ctx context.Context, sh *shape, ids []id.ID) (changed int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	if p, ok := s.cfg.Store.(Patient); ok {
		ctx = p.Patient(ctx)
	}
	_, err = s.cfg.Store.Update(ctx, func(tx Tx) error {
		rows, err := tx.Get(ctx, sh.obj, ids, true)
		if err != nil {
			return err
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
	return changed, err
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
