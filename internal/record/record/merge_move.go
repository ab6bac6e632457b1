package record

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// MergeWork is what is left to do of a merge.
type MergeWork int

// The works.
const (
	MergeMoving MergeWork = 1 // what pointed at the merged records is moved to the survivor
	MergeGiving MergeWork = 2 // it is given back
)

const (
	// mergeInline is how many children move in the transaction of the merge itself; more of them follow it piece by piece.
	mergeInline = 500
	// mergePiece is how many children move in one transaction: others wait for it.
	mergePiece = 200
	// mergeLook is how often it is looked for merges that another process left.
	mergeLook = 5 * time.Second
)

// mergePlace is how far the walk through what pointed at the merged records is.
type mergePlace struct {
	Object  string `json:"object"`
	Field   string `json:"field"`
	Former  id.ID  `json:"former"`
	Deleted bool   `json:"deleted"`
	After   id.ID  `json:"after"`
}

// crowd is how many records point at those that would be merged, in the recycle bin too.
func (s *Service) crowd(ctx context.Context, obj *schema.Object, others []id.ID) (total int, err error) {
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		total = 0
		return s.eachPointer(obj, func(from *schema.Object, f *schema.Field) error {
			for _, v := range others {
				for _, deleted := range []bool{false, true} {
					n, err := r.Count(ctx, from, s.pointing(pointer{f, obj}, v, deleted, 0, 0), 0)
					if err != nil {
						return err
					}
					total += n
				}
			}
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("count what points at %s: %w", obj.Key, err)
	}
	return total, nil
}

// idle refuses a merge that has to do with records of one that is still being carried out; self is the one that does not count.
func idle(ctx context.Context, m MergeReader, ids []id.ID, self id.ID) error {
	open, err := m.MergesPending(ctx, 1000)
	if err != nil {
		return err
	}
	for i := range open {
		row := &open[i]
		if row.ID != self && (slices.Contains(ids, row.Survivor) || slices.ContainsFunc(row.Merged, func(v id.ID) bool { return slices.Contains(ids, v) })) {
			return fault.New(fault.Conflict, "merge.busy", fault.Params{"moved": row.Moved, "total": row.Total})
		}
	}
	return nil
}

// WatchMerges has fn told whenever a merge that goes on piece by piece is further.
func (s *Service) WatchMerges(fn func(object string, survivor id.ID)) { s.mergeMoved = fn }

// RunMerges carries out what merges left to do, piece by piece, until ctx ends. It takes up what a crash left. It may run on several
// processes: a piece that another one does at the same time is done once.
func (s *Service) RunMerges(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	if p, ok := s.cfg.Store.(Patient); ok {
		ctx = p.Patient(ctx)
	}
	for {
		more, err := s.movePieces(ctx)
		if err != nil {
			return fmt.Errorf("carry out merges: %w", err)
		}
		if more {
			continue
		}
		if err := clock.Pause(ctx, mergeLook, s.mergeWake); err != nil {
			return err
		}
	}
}

// movePieces does one piece of each merge that has something left.
func (s *Service) movePieces(ctx context.Context) (more bool, err error) {
	var rows []MergeRow
	err = s.cfg.Store.View(ctx, func(r Reader) (err error) {
		if m, ok := r.(MergeReader); ok {
			rows, err = m.MergesPending(ctx, 100)
		}
		return err
	})
	if err != nil {
		return false, err
	}
	for i := range rows {
		if err := s.MovePiece(ctx, rows[i].ID); err != nil {
			if ctx.Err() != nil {
				return false, err
			}
			s.cfg.Log.Error("a merge does not go on", "object", rows[i].Object, "error", err)
			continue
		}
		more = true
	}
	return more, nil
}

// MovePiece does the next piece of what is left to do of a merge, in one transaction. It is the program's own work and belongs to it
// alone: what was begun with the rights of then is brought to its end. The changes are those of the person who merged.
func (s *Service) MovePiece(ctx context.Context, merge id.ID) error {
	if access.From(ctx).Kind != access.BySystem {
		return fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.RecordMerge)})
	}
	var row MergeRow
	for attempt := 1; ; attempt++ {
		_, err := s.cfg.Store.Update(ctx, func(tx Tx) error {
			store, ok := tx.(MergeTx)
			if !ok {
				return fault.New(fault.Internal, "merge.store", nil)
			}
			found, err := store.LockMerge(ctx, merge)
			if err != nil || found.Pending == 0 {
				return err
			}
			row = found
			obj := s.cfg.Registry().Object(row.Object)
			if obj == nil || obj.Virtual {
				return store.StepMerge(ctx, merge, 0, "", 0)
			}
			m := merging{s: s, store: store, sh: s.shape(obj), merge: merge, req: &MergeRequest{Object: row.Object, Survivor: row.Survivor, Others: row.Merged},
				mode: writeMode{atomic: true, operation: true, bulk: true}}
			acting := access.With(ctx, access.Actor{Kind: row.ByKind, ID: row.By})
			m.w = s.writingOf(acting, tx, &m.mode)
			if row.Pending == MergeGiving {
				return m.giveSomeBack(acting, &row)
			}
			return m.moveSome(acting, &row)
		})
		if err == nil {
			break
		}
		if attempt == maxAttempts || fault.KindOf(err) != fault.Stale {
			return err
		}
	}
	if s.mergeMoved != nil && row.ID != 0 {
		s.mergeMoved(row.Object, row.Survivor)
	}
	return nil
}

// stops are the places of a walk in their order.
func (m *merging) stops() (out []mergePlace) {
	_ = m.s.eachPointer(m.sh.obj, func(from *schema.Object, f *schema.Field) error { //nolint:errcheck // visits alone
		for _, former := range m.req.Others {
			out = append(out, mergePlace{Object: from.Key, Field: f.Key, Former: former}, mergePlace{Object: from.Key, Field: f.Key, Former: former, Deleted: true})
		}
		return nil
	})
	return out
}

// moveSome moves the next children. At the end of the walk it is looked once more for children that were made meanwhile.
func (m *merging) moveSome(ctx context.Context, row *MergeRow) error {
	var at mergePlace
	if row.Place != "" {
		if err := json.Unmarshal([]byte(row.Place), &at); err != nil {
			return fmt.Errorf("place of a merge: %w", err)
		}
	}
	stops := m.stops()
	here := max(0, slices.IndexFunc(stops, func(p mergePlace) bool {
		return p.Object == at.Object && p.Field == at.Field && p.Former == at.Former && p.Deleted == at.Deleted
	}))
	left, stuck := mergePiece, 0
	for ; here < len(stops); here, at = here+1, (mergePlace{}) {
		stop := stops[here]
		stop.After = at.After
		for left > 0 {
			n, more, bad, err := m.movePage(ctx, &stop, left)
			if err != nil {
				return err
			}
			left, stuck = left-n, stuck+bad
			if !more {
				break
			}
		}
		if left <= 0 {
			raw, err := json.Marshal(stop)
			if err != nil {
				return fmt.Errorf("place of a merge: %w", err)
			}
			return m.store.StepMerge(ctx, m.merge, MergeMoving, string(raw), stuck)
		}
	}
	return m.store.StepMerge(ctx, m.merge, 0, "", stuck)
}

// movePage moves one page of children at a stop. n is how many it looked at, bad how many stay where they are, since two records that may
// not be the same would be.
func (m *merging) movePage(ctx context.Context, at *mergePlace, limit int) (n int, more bool, bad int, err error) {
	from := m.s.cfg.Registry().Object(at.Object)
	f := from.Field(at.Field)
	rows, err := m.w.tx.Select(ctx, from, m.s.pointing(pointer{f, m.sh.obj}, at.Former, at.Deleted, at.After, limit))
	if err != nil || len(rows) == 0 {
		return 0, false, 0, err
	}
	n = len(rows)
	at.After = rows[n-1].ID
	rows = slices.DeleteFunc(rows, func(r Row) bool { return slices.Contains(m.req.Others, r.ID) })
	moved, err := m.w.pointSome(ctx, m.s.shape(from), pointer{f, m.sh.obj}, rows, func(int) id.ID { return m.req.Survivor })
	if err != nil {
		return 0, false, 0, fmt.Errorf("%s.%s: %w", from.Key, f.Key, err)
	}
	children := make([]MergeChild, len(moved))
	for i, v := range moved {
		children[i] = MergeChild{Object: from.Key, Field: f.Key, Record: v, Former: at.Former}
	}
	return n, n == limit, len(rows) - len(moved), m.store.AddMergeChildren(ctx, m.merge, children)
}

// giveSomeBack lets the next children point at whom they pointed before, and forgets them.
func (m *merging) giveSomeBack(ctx context.Context, row *MergeRow) error {
	list, err := m.store.MergeChildren(ctx, m.merge, nil, mergePiece)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return m.store.StepMerge(ctx, m.merge, 0, "", 0)
	}
	u := unmerging{merging: *m, row: *row}
	for _, part := range chunkChildren(list) {
		if err := u.giveSome(ctx, m.w, part); err != nil {
			return err
		}
	}
	return m.store.DropMergeChildren(ctx, m.merge, list)
}

// pointSome is point for records that nobody waits for: what may not be as it would become stays as it is. It names those that it moved.
func (w *writing) pointSome(ctx context.Context, sh *shape, p pointer, rows []Row, to func(i int) id.ID) ([]id.ID, error) {
	items, err := w.pointed(ctx, sh, p, rows, to)
	if err != nil {
		return nil, err
	}
	items = live(items)
	ids := make([]id.ID, len(items))
	for i, it := range items {
		ids[i] = it.id
	}
	if len(items) == 0 {
		return nil, nil
	}
	return ids, w.store(ctx, items)
}
