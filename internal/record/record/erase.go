package record

import (
	"context"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Erasing says what becomes of some records of one object, the recycle bin included.
type Erasing struct {
	Object string
	IDs    []id.ID
	Gone   bool                       // for good; otherwise they are emptied
	Keep   func(f *schema.Field) bool // which fields of an emptied record stay
	Put    map[string]any             // canonical values that an emptied record has afterwards
}

// Erase takes the values of people out of records, in one transaction, and says how many records changed. Emptied records keep
// their id and everything that points at them; their unique keys are free. The change log learns that it happened and nothing
// of what was there. Repeated, it changes nothing. It belongs to the program alone, which has asked for the right.
func (s *Service) Erase(ctx context.Context, list []Erasing) (changed int, pos change.Position, err error) {
	if access.From(ctx).Kind != access.BySystem {
		return 0, pos, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.PrivacyManage)})
	}
	if p, ok := s.cfg.Store.(Patient); ok {
		ctx = p.Patient(ctx)
	}
	pos, err = s.cfg.Store.Update(ctx, func(tx Tx) error {
		changed = 0
		w := s.writingOf(ctx, tx, &writeMode{bulk: true, operation: true})
		for i := range list {
			n, err := w.erase(ctx, &list[i])
			if err != nil {
				return err
			}
			changed += n
		}
		return nil
	})
	if err != nil {
		return 0, pos, fmt.Errorf("erase records: %w", err)
	}
	return changed, pos, nil
}

func (w *writing) erase(ctx context.Context, e *Erasing) (int, error) {
	obj := w.s.cfg.Registry().Object(e.Object)
	if obj == nil || obj.Virtual || len(e.IDs) == 0 {
		return 0, nil
	}
	sh := w.s.shape(obj)
	rows, err := w.tx.Get(ctx, obj, e.IDs, true)
	if err != nil {
		return 0, err
	}
	var items []*item
	for i := range rows {
		it := &item{op: change.Purge, sh: sh, id: rows[i].ID, old: &rows[i], row: rows[i]}
		if !e.Gone {
			it.op, it.as = change.Update, change.Erase
			it.row.Cols = append([]any(nil), rows[i].Cols...)
			w.empty(it, e)
			if len(it.dirty) == 0 {
				continue
			}
		}
		it.row.Version++
		it.row.UpdatedAt, it.row.UpdatedAtDay, it.row.UpdatedBy = w.now.UnixMilli(), int64(w.day), 0
		w.unkey(it, e)
		items = append(items, it)
	}
	return len(items), w.erased(ctx, sh, items, e)
}

// empty clears the fields of a row that do not stay and puts the given values.
func (w *writing) empty(it *item, e *Erasing) {
	for i := range it.sh.fields {
		fs := &it.sh.fields[i]
		if fs.n == 0 {
			continue
		}
		v, put := e.Put[fs.f.Key]
		if !put && e.Keep(fs.f) {
			continue
		}
		before := append([]any(nil), it.sh.cols(it.row.Cols, i)...)
		clear(it.sh.cols(it.row.Cols, i))
		if put && v != nil && !fs.f.Personal {
			w.put(it, i, v)
		}
		after := it.sh.cols(it.row.Cols, i)
		if len(differing(before, after)) > 0 {
			it.dirty = append(it.dirty, i)
		}
	}
}

// unkey frees the unique keys of a live record that it has no more.
func (w *writing) unkey(it *item, e *Erasing) {
	if it.old.DeletedAt != 0 { // they are free already
		return
	}
	for _, i := range it.sh.unique {
		before := storedKey(&it.sh.fields[i], it.old.Cols)
		if before != "" && (e.Gone || storedKey(&it.sh.fields[i], it.row.Cols) != before) {
			it.frees = append(it.frees, claim{i, before})
		}
	}
}

func (w *writing) erased(ctx context.Context, sh *shape, items []*item, e *Erasing) error {
	if len(items) == 0 {
		return nil
	}
	var rows []Row
	var gone []id.ID
	changes := make([]change.Row, len(items))
	for i, it := range items {
		if e.Gone {
			gone = append(gone, it.id)
		} else {
			rows = append(rows, it.row)
		}
		changes[i] = w.changeOf(it)
		if !e.Gone {
			changes[i].Before, changes[i].After = nil, nil
		}
	}
	if err := w.tx.Replace(ctx, sh.obj, rows); err != nil {
		return err
	}
	if err := w.tx.Purge(ctx, sh.obj, gone); err != nil {
		return err
	}
	if err := w.release(ctx, items, func(it *item) []claim { return it.frees }); err != nil {
		return err
	}
	return w.tx.Append(ctx, changes)
}

// Suppressor is what a store may offer to know the people who were erased again.
type Suppressor interface {
	// Suppressing reports whether anybody is suppressed at all.
	Suppressing(ctx context.Context) (bool, error)
	// Suppressed tells which of the keyed digests are suppressed.
	Suppressed(ctx context.Context, hashes []string) (map[string]bool, error)
}

// identifies reports a field whose value tells one person from all others.
func identifies(f *schema.Field) bool {
	if f.Personal {
		return f.Type != schema.Address
	}
	return f.Unique && f.Type == schema.Text
}

// Suppression is the keyed digest under which a value of an identifying field is suppressed, "" for a field that identifies nobody.
func (s *Service) Suppression(f *schema.Field, v any) string {
	if v == nil || !identifies(f) {
		return ""
	}
	if f.Personal {
		return s.cfg.Keys.Suppression(schema.BlindClass(f), schema.BlindForm(f, v))
	}
	return s.cfg.Keys.Suppression("unique|"+f.Key, s.uniqueKey(f, v))
}

// suppressed refuses records of customers and contacts that would bring an erased person back.
func (w *writing) suppressed(ctx context.Context, items []*item) error {
	store, ok := w.tx.(Suppressor)
	if !ok {
		return nil
	}
	some, err := store.Suppressing(ctx)
	if err != nil || !some {
		return err
	}
	type place struct {
		it    *item
		field *schema.Field
	}
	places := map[string][]place{}
	var hashes []string
	for _, it := range items {
		if !it.ok() || it.values == nil || !People(it.sh.obj) {
			continue
		}
		for i := range it.sh.fields {
			fs := &it.sh.fields[i]
			if !it.set[i] || it.values[i] == nil || !identifies(fs.f) || it.old != nil && slices.Contains(w.s.uniqueKeys(fs.f, it.values[i]), storedKey(fs, it.old.Cols)) {
				continue
			}
			h := w.s.Suppression(fs.f, it.values[i])
			if places[h] == nil {
				hashes = append(hashes, h)
			}
			places[h] = append(places[h], place{it, fs.f})
		}
	}
	if len(hashes) == 0 {
		return nil
	}
	found, err := store.Suppressed(ctx, hashes)
	if err != nil {
		return err
	}
	for h := range found {
		for _, p := range places[h] {
			p.it.fail(&fault.Fault{Kind: fault.Conflict, Code: "privacy.suppressed", Field: "fields." + p.field.Key, Params: fault.Params{"field": p.field.Key, "label": p.field.Label}})
		}
	}
	return nil
}

// People reports the objects whose records are people.
func People(obj *schema.Object) bool { return obj.Key == "customer" || obj.Key == "contact" }

// Everything reads whole records with every value in clear, the recycle bin included, for a copy that a person asked for and for what
// is remembered of an erased one. It belongs to the program alone, which has asked for the right and recorded it.
func (s *Service) Everything(ctx context.Context, object string, ids []id.ID) ([]*Record, error) {
	if access.From(ctx).Kind != access.BySystem {
		return nil, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.PrivacyCopy)})
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	sh := s.shape(obj)
	rows, err := s.rows(ctx, obj, ids, true)
	if err != nil {
		return nil, err
	}
	return s.present(ctx, sh, rows, presentation{titles: true, plain: true})
}
