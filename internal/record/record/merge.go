package record

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// MaxMerge is the most records of one merge.
const MaxMerge = 200

// Prefer says whose value a field takes when several have one and nobody chose.
type Prefer string

// The preferences. Whatever is preferred, an empty value gives way to one that is not.
const (
	PreferSurvivor Prefer = "survivor" // the record that stays, then whichever was changed last; the default
	PreferNewest   Prefer = "newest"   // the record that was changed last
	PreferComplete Prefer = "complete" // the record with most fields filled in
)

// MergeChoice is what one field of the survivor becomes.
type MergeChoice struct {
	From   id.ID // the value of this record, which may be none
	United bool  // all values together: tags, multiple choices, long texts
	Value  any   // otherwise this, as in Input
}

// MergeRequest asks for records to become one.
type MergeRequest struct {
	Object   string
	Survivor id.ID
	Others   []id.ID
	Version  int64 // of the survivor; 0 takes any
	Prefer   Prefer
	Fields   map[string]MergeChoice
}

// Merged is what became of a merge or of its undoing.
type Merged struct {
	Merge    id.ID
	Record   *Record // the survivor
	Restored []id.ID // by Unmerge
	Moved    int     // records that point at another one now
	Total    int     // records that do, or will
	Moving   bool    // the rest follows piece by piece (RunMerges)
	Position change.Position
	// Done says that it had happened before and nothing was changed: a request that was repeated.
	Done bool
}

// MergePlan is what a merge would do.
type MergePlan struct {
	Survivor id.ID
	Records  []*Record
	Fields   []MergeField
	Children []MergeCount
}

// MergeField is one field in a plan.
type MergeField struct {
	Field   string
	From    id.ID // whose value it would be; 0 when United or nobody has one
	United  bool
	Differs bool // the records do not agree
	CanJoin bool // the values can be united
}

// MergeCount is how many records point at those that would be merged.
type MergeCount struct {
	Object string
	Field  string
	Label  schema.Label
	Count  int
}

// Merge makes several records one. Their values come together in the survivor as chosen; every record that pointed at one of
// the others points at the survivor; the others go to the recycle bin, their unique keys are free and their ids lead to the
// survivor. All of it commits together, but for more than some hundreds of records that pointed at them: those follow piece by
// piece, also after a crash (RunMerges), and until then these records take part in no other merge. Repeated, it answers with what was done. It needs the rights to merge and to update.
// Faults: NotFound, Invalid merge.*, Stale, Conflict record.unique_taken and merge.busy.
func (s *Service) Merge(ctx context.Context, req MergeRequest) (*Merged, error) {
	obj, err := s.mergeable(ctx, req.Object)
	if err != nil {
		return nil, err
	}
	req.Others, err = mergeSet(req.Survivor, req.Others)
	if err != nil {
		return nil, err
	}
	if done, err := s.mergedBefore(ctx, obj, &req); done != nil || err != nil {
		return done, err
	}
	total, err := s.crowd(ctx, obj, req.Others)
	if err != nil {
		return nil, err
	}
	var m merging
	for attempt := 1; ; attempt++ {
		m = merging{s: s, sh: s.shape(obj), req: &req, total: total, merge: s.cfg.IDs.Next(), mode: writeMode{atomic: true, operation: true, bulk: true}}
		m.pos, err = s.cfg.Store.Update(ctx, func(tx Tx) error { return m.run(ctx, tx) })
		if err == nil || req.Version != 0 || attempt == maxAttempts || fault.KindOf(err) != fault.Stale {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("merge %s: %w", req.Object, err)
	}
	if m.pieces() {
		s.wakeMerges()
	} else if err := m.late(ctx); err != nil { // a record that somebody was just making when the others went may still point at one of them
		return nil, fmt.Errorf("merge %s: %w", req.Object, err)
	}
	if err := s.mergeNoted(ctx, "record.merge", obj, req.Survivor, len(req.Others)); err != nil {
		return nil, err
	}
	return s.mergeAnswer(ctx, obj, req.Survivor, &Merged{Merge: m.merge, Moved: m.moved, Total: total, Moving: m.pieces(), Position: m.pos})
}

func (s *Service) wakeMerges() {
	select {
	case s.mergeWake <- struct{}{}:
	default:
	}
}

// mergeable finds an object whose records the actor may merge.
func (s *Service) mergeable(ctx context.Context, object string) (*schema.Object, error) {
	obj, err := s.object(ctx, object, access.RecordMerge)
	if err != nil {
		return nil, err
	}
	for _, x := range []access.Action{access.Update, access.Delete} {
		if err := may(ctx, obj, x); err != nil {
			return nil, err
		}
	}
	if limited(ctx, s.shape(obj)) { // what is not seen cannot be weighed against what is
		return nil, fault.New(fault.Forbidden, "record.fields_closed", fault.Params{"object": obj.Key, "label": obj.Label})
	}
	if obj.NoUpdate || obj.NoDelete {
		return nil, fault.New(fault.Conflict, "record.not_offered", fault.Params{"object": obj.Key, "label": obj.Label, "operation": "merge"})
	}
	return obj, nil
}

func mergeSet(survivor id.ID, others []id.ID) ([]id.ID, error) {
	out := slices.Clone(others)
	slices.Sort(out)
	out = slices.DeleteFunc(slices.Compact(out), func(v id.ID) bool { return v == survivor })
	switch {
	case len(out) == 0:
		return nil, fault.InvalidField("merge.too_few", "ids", nil)
	case len(out) >= MaxMerge:
		return nil, fault.InvalidField("merge.too_many", "ids", fault.Params{"max": MaxMerge})
	}
	return out, nil
}

// mergedBefore recognises a request that was carried out already.
func (s *Service) mergedBefore(ctx context.Context, obj *schema.Object, req *MergeRequest) (*Merged, error) {
	var into map[id.ID]id.ID
	var rows []MergeRow
	err := s.cfg.Store.View(ctx, func(r Reader) (err error) {
		m, ok := r.(MergeReader)
		if !ok {
			return fault.New(fault.Internal, "merge.store", nil)
		}
		if into, err = m.MergedInto(ctx, req.Others); err != nil || len(into) != len(req.Others) {
			return err
		}
		rows, err = m.MergesOf(ctx, req.Survivor, 100)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("merge %s: %w", req.Object, err)
	}
	for i := range rows {
		slices.Sort(rows[i].Merged)
		if slices.Equal(rows[i].Merged, req.Others) {
			return s.mergeAnswer(ctx, obj, req.Survivor, &Merged{Merge: rows[i].ID, Moved: rows[i].Moved, Total: max(rows[i].Total, rows[i].Moved), Moving: rows[i].Pending == MergeMoving, Done: true})
		}
	}
	return nil, nil //nolint:nilnil // it is new
}

func (s *Service) mergeAnswer(ctx context.Context, obj *schema.Object, survivor id.ID, m *Merged) (*Merged, error) {
	rec, err := s.Get(ctx, obj.Key, survivor)
	m.Record = rec
	return m, err
}

// mergeNoted keeps in the audit trail who merged.
func (s *Service) mergeNoted(ctx context.Context, action string, obj *schema.Object, survivor id.ID, n int) error {
	if s.cfg.Auditor == nil {
		return nil
	}
	return s.audit(ctx, AuditEntry{Action: action, Object: obj.Key, Record: survivor, Count: n})
}

// merging is one merge inside one transaction.
type merging struct {
	s     *Service
	w     *writing // of the transaction
	store MergeTx
	sh    *shape
	req   *MergeRequest
	merge id.ID
	mode  writeMode
	total int // children to move
	moved int
	pos   change.Position
}

// pieces reports that the children follow the merge.
func (m *merging) pieces() bool { return m.total > mergeInline }

// mergeAtOnce is how many children are read and written at a time.
const mergeAtOnce = 1000

func (m *merging) run(ctx context.Context, tx Tx) error {
	store, ok := tx.(MergeTx)
	if !ok {
		return fault.New(fault.Internal, "merge.store", nil)
	}
	w := m.s.writingOf(ctx, tx, &m.mode)
	m.w, m.store, m.moved = w, store, 0
	if err := idle(ctx, store, append([]id.ID{m.req.Survivor}, m.req.Others...), 0); err != nil {
		return err
	}
	vals, err := m.values(ctx, w)
	if err != nil {
		return err
	}
	given, taken, err := vals.input(m.req)
	if err != nil {
		return err
	}
	// The others go first, so that their unique keys are free for the survivor.
	gone := make([]*item, len(m.req.Others))
	for i, v := range m.req.Others {
		gone[i] = &item{op: change.Delete, sh: m.sh, id: v, note: []change.Note{{Key: change.NoteInto, Records: []id.ID{m.req.Survivor}}}}
	}
	if err := w.run(ctx, gone); err != nil {
		return err
	}
	stays := &item{op: change.Update, sh: m.sh, id: m.req.Survivor, version: m.req.Version, in: given, as: change.Merge,
		note: []change.Note{{Key: change.NoteMerged, Records: m.req.Others}}}
	env := m.s.Env(ctx)
	if m.s.parse(ctx, stays, &m.mode, &env); !stays.ok() {
		return stays.err()
	}
	if err := vals.take(ctx, w, stays, taken); err != nil {
		return err
	}
	if err := w.run(ctx, []*item{stays}); err != nil {
		return err
	}
	row := &MergeRow{ID: m.merge, Object: m.sh.obj.Key, Survivor: m.req.Survivor, At: w.now.UnixMilli(), ByKind: w.actor.Kind, By: w.actor.ID,
		Before: m.sh.image(stays.old.Cols, stays.dirty), After: m.sh.image(stays.row.Cols, stays.dirty), Merged: m.req.Others, Total: m.total}
	if m.pieces() {
		row.Pending = MergeMoving
		return store.AddMerge(ctx, row)
	}
	if err := store.AddMerge(ctx, row); err != nil {
		return err
	}
	return m.children(ctx)
}

// late moves children that were made while the merge was.
func (m *merging) late(ctx context.Context) error {
	found := false
	err := m.s.cfg.Store.View(ctx, func(r Reader) error {
		return m.s.eachPointer(m.sh.obj, func(from *schema.Object, f *schema.Field) error {
			for _, former := range m.req.Others {
				rows, err := r.Select(ctx, from, m.s.pointing(pointer{f, m.sh.obj}, former, false, 0, 1))
				found = found || len(rows) > 0
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil || !found {
		return err
	}
	_, err = m.s.cfg.Store.Update(ctx, func(tx Tx) error {
		store, ok := tx.(MergeTx)
		if !ok {
			return fault.New(fault.Internal, "merge.store", nil)
		}
		m.w, m.store, m.moved = m.s.writingOf(ctx, tx, &m.mode), store, 0
		return m.children(ctx)
	})
	return err
}

// eachPointer visits the fields of all objects that point, or may point, at an object.
func (s *Service) eachPointer(obj *schema.Object, visit func(from *schema.Object, f *schema.Field) error) error {
	for _, from := range s.cfg.Registry().Tables() {
		for _, f := range from.Fields {
			if f.Type != schema.Record && (f.Type != schema.Relation || f.Target != obj.Key) {
				continue
			}
			if err := visit(from, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// pointer is a field that points at records of an object.
type pointer struct {
	field  *schema.Field
	target *schema.Object
}

// value is what the field holds when it points at a record.
func (p pointer) value(at id.ID) any {
	if p.field.Type == schema.Record {
		return id.Format(p.target.Prefix, at)
	}
	return at
}

// stored is the column of such a value.
func (p pointer) stored(at id.ID) any {
	if v, ok := p.value(at).(string); ok {
		return v
	}
	return int64(at)
}

// pointing asks for the records that point at one, by an index that every relation has.
func (s *Service) pointing(p pointer, at id.ID, deleted bool, after id.ID, limit int) Selection {
	f := p.field
	text, err := json.Marshal(id.Format(p.target.Prefix, at))
	if err != nil { // a string always encodes
		text = nil
	}
	sel := Selection{Where: &query.Node{Field: f.Key, Op: "=", Value: text}, Sort: []schema.Sort{{Field: "id"}}, Limit: limit, Deleted: deleted}
	if after != 0 {
		sel.After = []any{after}
	}
	return sel
}

// children lets what pointed at the others point at the survivor, in the recycle bin too.
func (m *merging) children(ctx context.Context) error {
	return m.s.eachPointer(m.sh.obj, func(from *schema.Object, f *schema.Field) error {
		for _, former := range m.req.Others {
			for _, deleted := range []bool{false, true} {
				if err := m.repoint(ctx, from, f, former, deleted); err != nil {
					return fmt.Errorf("%s.%s: %w", from.Key, f.Key, err)
				}
			}
		}
		return nil
	})
}

func (m *merging) repoint(ctx context.Context, from *schema.Object, f *schema.Field, former id.ID, deleted bool) error {
	var last id.ID
	for {
		rows, err := m.w.tx.Select(ctx, from, m.s.pointing(pointer{f, m.sh.obj}, former, deleted, last, mergeAtOnce))
		if err != nil || len(rows) == 0 {
			return err
		}
		n := len(rows)
		last = rows[n-1].ID
		rows = slices.DeleteFunc(rows, func(r Row) bool { return slices.Contains(m.req.Others, r.ID) })
		children := make([]MergeChild, len(rows))
		for i := range rows {
			children[i] = MergeChild{Object: from.Key, Field: f.Key, Record: rows[i].ID, Former: former}
		}
		if err := m.w.point(ctx, m.s.shape(from), pointer{f, m.sh.obj}, rows, func(int) id.ID { return m.req.Survivor }); err != nil {
			return err
		}
		if err := m.store.AddMergeChildren(ctx, m.merge, children); err != nil {
			return err
		}
		m.moved += len(rows)
		if n < mergeAtOnce {
			return nil
		}
	}
}

// point lets rows point elsewhere by one field. Rules of the object are not asked: nobody edits these records. Personal values that
// are sealed with the key of whom they point at are sealed anew.
func (w *writing) point(ctx context.Context, sh *shape, p pointer, rows []Row, to func(i int) id.ID) error {
	items, err := w.pointed(ctx, sh, p, rows, to)
	if err != nil {
		return err
	}
	for _, it := range items { // two records that may not be the same would be
		if err := it.err(); err != nil {
			return err
		}
	}
	return w.store(ctx, items)
}

// pointed are rows as they would be when they point elsewhere; those that may not are marked.
func (w *writing) pointed(ctx context.Context, sh *shape, p pointer, rows []Row, to func(i int) id.ID) ([]*item, error) {
	at := sh.index[p.field.Key]
	items := make([]*item, len(rows))
	for i := range rows {
		it := &item{op: change.Update, sh: sh, id: rows[i].ID, old: &rows[i], values: make([]any, len(sh.fields)), set: make([]bool, len(sh.fields))}
		it.values[at], it.set[at] = p.value(to(i)), true
		items[i] = it
	}
	if err := w.fetchKeys(ctx, items); err != nil {
		return nil, err
	}
	for _, it := range items {
		if err := w.encode(it); err != nil {
			return nil, err
		}
	}
	if err := w.claimJoined(ctx, items); err != nil {
		return nil, err
	}
	return items, nil
}
