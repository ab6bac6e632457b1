package record

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Unmerge takes a merge back: the merged records come out of the recycle bin with the values and unique keys they had; those of
// the records that pointed at each and still point at the survivor point at it again; the survivor's fields become what they
// were, apart from those that were changed since. What was made since stays with the survivor. All of it commits together, but for more
// than some hundreds of records that pointed at them, which follow piece by piece (RunMerges). It needs the
// rights to merge and to update. Faults: NotFound merge.unknown, Conflict merge.undone, merge.busy, merge.survivor_gone (it was merged further: take
// that back first) and record.unique_taken (a key is somebody else's by now).
func (s *Service) Unmerge(ctx context.Context, object string, merge id.ID) (*Merged, error) {
	obj, err := s.mergeable(ctx, object)
	if err != nil {
		return nil, err
	}
	var u unmerging
	for attempt := 1; ; attempt++ {
		u = unmerging{merging: merging{s: s, sh: s.shape(obj), merge: merge, mode: writeMode{atomic: true, operation: true, bulk: true}}}
		u.pos, err = s.cfg.Store.Update(ctx, func(tx Tx) error { return u.run(ctx, tx) })
		if err == nil || attempt == maxAttempts || fault.KindOf(err) != fault.Stale {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("take back merge of %s: %w", object, err)
	}
	if err := s.mergeNoted(ctx, "record.unmerge", obj, u.row.Survivor, len(u.row.Merged)); err != nil {
		return nil, err
	}
	if u.later {
		s.wakeMerges()
	}
	return s.mergeAnswer(ctx, obj, u.row.Survivor, &Merged{Merge: merge, Restored: u.row.Merged, Moved: u.moved, Total: u.row.Moved, Moving: u.later, Position: u.pos})
}

// MergesOf reads the merges of a record that stand, newest first.
func (s *Service) MergesOf(ctx context.Context, object string, survivor id.ID) ([]MergeRow, error) {
	if _, err := s.Get(ctx, object, survivor); err != nil {
		return nil, err
	}
	var rows []MergeRow
	err := s.cfg.Store.View(ctx, func(r Reader) (err error) {
		if m, ok := r.(MergeReader); ok {
			rows, err = m.MergesOf(ctx, survivor, 100)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read merges of %s: %w", object, err)
	}
	return rows, nil
}

// MergedInto finds the record that a merged one is part of.
func (s *Service) MergedInto(ctx context.Context, merged id.ID) (survivor id.ID, ok bool, err error) {
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		m, can := r.(MergeReader)
		if !can {
			return nil
		}
		into, err := m.MergedInto(ctx, []id.ID{merged})
		survivor, ok = into[merged]
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("look for the survivor: %w", err)
	}
	return survivor, ok, nil
}

// PlanMerge says what Merge would do, without doing anything. A survivor of 0 is chosen: the record with most fields, then the oldest.
func (s *Service) PlanMerge(ctx context.Context, req MergeRequest) (*MergePlan, error) {
	obj, err := s.mergeable(ctx, req.Object)
	if err != nil {
		return nil, err
	}
	ids := append([]id.ID{req.Survivor}, req.Others...)
	if req.Survivor == 0 {
		ids = ids[1:]
		slices.Sort(ids)
	}
	if ids = slices.Compact(ids); len(ids) < 2 {
		return nil, fault.InvalidField("merge.too_few", "ids", nil)
	} else if len(ids) > MaxMerge {
		return nil, fault.InvalidField("merge.too_many", "ids", fault.Params{"max": MaxMerge})
	}
	sh := s.shape(obj)
	rows, err := s.readSeen(ctx, obj, ids, false, access.Read, access.Update)
	if err != nil {
		return nil, err
	}
	keys, err := s.keysFor(ctx, sh, rows, &presentation{})
	if err != nil {
		return nil, err
	}
	vals, err := s.valuesOf(sh, ids, rows, keys)
	if err != nil {
		return nil, err
	}
	if req.Survivor == 0 {
		first := ids[vals.order(PreferComplete)[0]]
		req.Survivor, req.Others = first, slices.DeleteFunc(slices.Clone(ids), func(v id.ID) bool { return v == first })
		return s.PlanMerge(ctx, req)
	}
	plan := &MergePlan{Survivor: req.Survivor, Fields: vals.plan(req.Prefer)}
	if plan.Records, err = s.GetMany(ctx, obj.Key, ids, nil); err != nil {
		return nil, err
	}
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		return s.eachPointer(obj, func(from *schema.Object, f *schema.Field) error {
			if f.Type == schema.Record && from.CustomerField != "" && obj.Key == query.Customer {
				return nil // counted by its customer
			}
			n := 0
			for _, v := range req.Others {
				k, err := r.Count(ctx, from, s.pointing(pointer{f, obj}, v, false, 0, 0), 0)
				if err != nil {
					return err
				}
				n += k
			}
			if n > 0 {
				plan.Children = append(plan.Children, MergeCount{Object: from.Key, Field: f.Key, Label: from.Plural, Count: n})
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("plan merge of %s: %w", req.Object, err)
	}
	return plan, nil
}

// unmerging is one undoing inside one transaction.
type unmerging struct {
	merging
	row   MergeRow
	later bool // the children follow piece by piece
}

func (u *unmerging) run(ctx context.Context, tx Tx) error {
	store, ok := tx.(MergeTx)
	if !ok {
		return fault.New(fault.Internal, "merge.store", nil)
	}
	u.moved = 0
	found, err := store.LockMerge(ctx, u.merge)
	if err != nil {
		return err
	}
	switch {
	case found.ID == 0 || found.Object != u.sh.obj.Key:
		return fault.New(fault.NotFound, "merge.unknown", nil)
	case found.UndoneAt != 0:
		return fault.New(fault.Conflict, "merge.undone", nil)
	}
	u.row = found
	u.later = found.Moved > mergeInline || found.Pending != 0
	if err := idle(ctx, store, append([]id.ID{found.Survivor}, found.Merged...), found.ID); err != nil {
		return err
	}
	w := u.s.writingOf(ctx, tx, &u.mode)
	if err := u.survivor(ctx, w); err != nil {
		return err
	}
	back := make([]*item, len(u.row.Merged))
	for i, v := range u.row.Merged {
		back[i] = &item{op: change.Restore, sh: u.sh, id: v, note: []change.Note{{Key: change.NoteInto, Records: []id.ID{u.row.Survivor}}}}
	}
	if err := w.run(ctx, back); err != nil {
		return err
	}
	if u.later {
		return store.EndMerge(ctx, u.merge, w.now.UnixMilli(), MergeGiving)
	}
	if err := u.giveBack(ctx, w, store); err != nil {
		return err
	}
	return store.EndMerge(ctx, u.merge, w.now.UnixMilli(), 0)
}

// survivor gives the survivor the values it had, where those that the merge gave it are still there.
func (u *unmerging) survivor(ctx context.Context, w *writing) error {
	rows, err := w.tx.Get(ctx, u.sh.obj, []id.ID{u.row.Survivor}, false)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fault.New(fault.Conflict, "merge.survivor_gone", nil)
	}
	it := &item{op: change.Update, sh: u.sh, id: u.row.Survivor, values: make([]any, len(u.sh.fields)), set: make([]bool, len(u.sh.fields)),
		as: change.Unmerge, note: []change.Note{{Key: change.NoteMerged, Records: u.row.Merged}}}
	before, _ := u.sh.readImage(u.row.Before)
	after, fields := u.sh.readImage(u.row.After)
	then := Row{ID: u.row.Survivor, Cols: slices.Clone(rows[0].Cols)} // whose it was, for the key of its values
	if c := u.sh.customer; c >= 0 && before != nil && slices.Contains(fields, c) {
		then.Cols[u.sh.fields[c].off] = before[u.sh.fields[c].off]
	}
	subject := u.sh.subject(&then)
	if err := w.readKeys(ctx, []id.ID{subject}); err != nil {
		return err
	}
	for _, i := range fields {
		fs := &u.sh.fields[i]
		if !sameStored(after[fs.off], rows[0].Cols[fs.off]) {
			continue
		}
		it.set[i] = true
		if before == nil || before[fs.off] == nil {
			continue
		}
		it.values[i] = schema.Decode(fs.f, u.sh.cols(before, i))
		if !fs.f.Personal {
			continue
		}
		v, err := u.s.openValue(u.sh, &Row{ID: u.row.Survivor, Cols: before}, i, w.keys[subject])
		if it.values[i] = v; err != nil { // its key was destroyed
			it.set[i], it.values[i] = false, nil
		}
	}
	return w.run(ctx, []*item{it})
}

func sameStored(a, b any) bool {
	x, ok := a.([]byte)
	if !ok {
		return a == b
	}
	y, ok := b.([]byte)
	return ok && bytes.Equal(x, y)
}

// giveBack lets children point at whom they pointed before, unless somebody let them point elsewhere since.
func (u *unmerging) giveBack(ctx context.Context, w *writing, store MergeTx) error {
	var last *MergeChild
	for {
		list, err := store.MergeChildren(ctx, u.merge, last, mergeAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		last = &list[len(list)-1]
		for _, part := range chunkChildren(list) {
			if err := u.giveSome(ctx, w, part); err != nil {
				return err
			}
		}
		if len(list) < mergeAtOnce {
			return nil
		}
	}
}

// chunkChildren parts children, which come in order, by object and field.
func chunkChildren(list []MergeChild) (out [][]MergeChild) {
	for i := range list {
		if i == 0 || list[i].Object != list[i-1].Object || list[i].Field != list[i-1].Field {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], list[i])
	}
	return out
}

func (u *unmerging) giveSome(ctx context.Context, w *writing, list []MergeChild) error {
	from := u.s.cfg.Registry().Object(list[0].Object)
	if from == nil || from.Virtual {
		return nil
	}
	f := from.Field(list[0].Field)
	if f == nil || f.Type != schema.Relation && f.Type != schema.Record || from.Offset(f.Key) < 0 {
		return nil
	}
	former := make(map[id.ID]id.ID, len(list))
	ids := make([]id.ID, len(list))
	for i, c := range list {
		ids[i], former[c.Record] = c.Record, c.Former
	}
	rows, err := w.tx.Get(ctx, from, ids, true)
	if err != nil {
		return err
	}
	off := from.Offset(f.Key)
	p := pointer{f, u.sh.obj}
	here := p.stored(u.row.Survivor)
	rows = slices.DeleteFunc(rows, func(r Row) bool { return r.Cols[off] != here })
	u.moved += len(rows)
	return w.point(ctx, u.s.shape(from), p, rows, func(i int) id.ID { return former[rows[i].ID] })
}
