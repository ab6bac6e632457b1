package record

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// The exchange of keys under stored values. A record keeps its version, nobody is told of a change, and whoever works on it sees nothing
// but its values. A batch is alone in its transaction (Fenced), so that no writer puts back what it read before.

// Fenced is what a store may offer to keep other writers away for the length of a transaction.
type Fenced interface {
	// Alone marks a context: an update with it begins when no other runs, and none begins until it has ended.
	Alone(ctx context.Context) context.Context
}

// Resealer is what a store's Tx offers for the exchange of keys.
type Resealer interface {
	// RowsAfter are rows by id behind one, those of the recycle bin too.
	RowsAfter(ctx context.Context, obj *schema.Object, after id.ID, limit int) ([]Row, error)
	// PutColumns writes columns of rows and nothing else.
	PutColumns(ctx context.Context, obj *schema.Object, columns []int, rows []Row) error
	// ImagesOf are the changes of records that have images.
	ImagesOf(ctx context.Context, object string, ids []id.ID) ([]change.Row, error)
	// PutImages writes the images of changes.
	PutImages(ctx context.Context, rows []change.Row) error
	// MergeImagesOf are the merges whose survivors are some records: Position.Seq is the merge, Record the survivor.
	MergeImagesOf(ctx context.Context, object string, ids []id.ID) ([]change.Row, error)
	// PutMergeImages writes the images of merges.
	PutMergeImages(ctx context.Context, rows []change.Row) error
}

// IndexKeeper is what a store's Reader offers to know the index keys in use.
type IndexKeeper interface {
	// IndexState are the oldest and the newest generation in use.
	IndexState(ctx context.Context) (oldest, newest int64, err error)
	// IndexKeys are those from a generation on that are stored.
	IndexKeys(ctx context.Context, from int64) ([]crypt.Index, error)
}

// RefreshIndexes takes over the index keys of now, where another process has begun or ended with one.
func (s *Service) RefreshIndexes(ctx context.Context) error {
	return s.cfg.Store.View(ctx, func(r Reader) error { return s.takeIndexes(ctx, r) })
}

func (s *Service) takeIndexes(ctx context.Context, r Reader) error {
	k, ok := r.(IndexKeeper)
	if !ok {
		return nil
	}
	oldest, newest, err := k.IndexState(ctx)
	if err != nil {
		return err
	}
	if a, b := s.cfg.Keys.Generations(); a == oldest && b == newest {
		return nil
	}
	list, err := k.IndexKeys(ctx, oldest)
	if err != nil {
		return err
	}
	if oldest == 0 {
		list = append(list, crypt.Index{})
	}
	return s.cfg.Keys.SetIndexes(list...)
}

// freshIndexes is takeIndexes for a write of records with personal values: it is written under the newest key of this moment.
func (s *Service) freshIndexes(ctx context.Context, tx Tx, items []*item) error {
	if !slices.ContainsFunc(items, func(it *item) bool { return it.sh != nil && len(it.sh.personal) > 0 }) {
		return nil
	}
	return s.takeIndexes(ctx, tx)
}

// Resealed is one step through the records of an object.
type Resealed struct {
	Last    id.ID // the last record that was looked at; 0 when there was none
	Seen    int
	Changed int // values that were written anew
	Lost    int // values that no key opens
	More    bool
}

// Sealing reports whether an object has personal values.
func (s *Service) Sealing(object string) bool {
	obj := s.cfg.Registry().Object(object)
	return obj != nil && !obj.Virtual && len(s.shape(obj).personal) > 0
}

// Reseal brings the personal values of stored records behind an id, and of their changes, under the newest data keys, and their blind
// indexes and unique keys under the newest index key. Repeated, it changes nothing. It belongs to the program alone.
func (s *Service) Reseal(ctx context.Context, object string, after id.ID, limit int) (out Resealed, err error) {
	if access.From(ctx).Kind != access.BySystem {
		return out, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.SystemManage)})
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return out, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	if f, ok := s.cfg.Store.(Fenced); ok {
		ctx = f.Alone(ctx)
	}
	if p, ok := s.cfg.Store.(Patient); ok {
		ctx = p.Patient(ctx)
	}
	_, err = s.cfg.Store.Update(ctx, func(tx Tx) error {
		r := &resealing{s: s, tx: tx, sh: s.shape(obj), anew: map[string][]byte{}}
		if err := r.batch(ctx, after, limit); err != nil {
			return err
		}
		out = r.out
		return nil
	})
	if err != nil {
		return Resealed{}, fmt.Errorf("reseal %s: %w", object, err)
	}
	return out, nil
}

// resealing is one batch.
type resealing struct {
	s    *Service
	tx   Tx
	sh   *shape
	keys map[id.ID]*crypt.Key
	// anew are sealed values by what they were: a row and the images of its changes that held the same bytes do so afterwards, since
	// taking back a merge or a bulk edit compares them.
	anew map[string][]byte
	out  Resealed
}

func (r *resealing) batch(ctx context.Context, after id.ID, limit int) error {
	store, ok := r.tx.(Resealer)
	if !ok {
		return fault.New(fault.Internal, "record.no_reseal", nil)
	}
	if err := r.s.takeIndexes(ctx, r.tx); err != nil {
		return err
	}
	rows, err := store.RowsAfter(ctx, r.sh.obj, after, limit)
	if err != nil || len(rows) == 0 {
		return err
	}
	r.out.Seen, r.out.Last, r.out.More = len(rows), rows[len(rows)-1].ID, len(rows) == limit
	var who []id.ID
	subject := map[id.ID]id.ID{}
	var ids []id.ID
	for i := range rows {
		v := r.sh.subject(&rows[i])
		subject[rows[i].ID] = v
		who, ids = append(who, v), append(ids, rows[i].ID)
	}
	if err := r.readKeys(ctx, who); err != nil {
		return err
	}
	var changed []Row
	for i := range rows {
		fresh, n := r.row(&rows[i])
		if n == 0 {
			continue
		}
		r.out.Changed += n
		if err := r.rekey(ctx, &rows[i], &fresh); err != nil {
			return err
		}
		changed = append(changed, fresh)
	}
	if err := store.PutColumns(ctx, r.sh.obj, r.columns(), changed); err != nil {
		return err
	}
	return r.images(ctx, store, ids, subject)
}

func (r *resealing) readKeys(ctx context.Context, who []id.ID) error {
	slices.Sort(who)
	stored, err := r.tx.PersonKeys(ctx, slices.Compact(who))
	if err != nil {
		return err
	}
	r.keys = make(map[id.ID]*crypt.Key, len(stored))
	for v, wrapped := range stored {
		if r.keys[v], err = r.s.cfg.Keys.Unwrap(v, wrapped); err != nil {
			return err
		}
	}
	return nil
}

// columns are those of sealed values and blind indexes.
func (r *resealing) columns() []int {
	var out []int
	for _, i := range r.sh.personal {
		fs := &r.sh.fields[i]
		out = append(out, fs.off)
		if fs.f.Type != schema.Address {
			out = append(out, fs.off+1)
		}
	}
	return out
}

// row is a row under the keys of now, and how many of its values differ. A value that no key opens stays as it is.
func (r *resealing) row(old *Row) (fresh Row, n int) {
	fresh = *old
	fresh.Cols = slices.Clone(old.Cols)
	key := r.keys[r.sh.subject(old)]
	for _, i := range r.sh.personal {
		fs := &r.sh.fields[i]
		sealed, _ := old.Cols[fs.off].([]byte)
		if sealed == nil {
			continue
		}
		out, plain, changed := r.value(key, crypt.Place{Object: r.sh.obj.Key, Field: fs.f.Key, Record: old.ID}, sealed)
		if plain == nil {
			r.out.Lost++
			continue
		}
		fresh.Cols[fs.off] = out
		if fs.f.Type != schema.Address {
			blind := r.s.Blind(fs.f, schema.BlindForm(fs.f, schema.FromPlain(fs.f, plain)))
			changed = changed || old.Cols[fs.off+1] != blind
			fresh.Cols[fs.off+1] = blind
		}
		if changed {
			n++
		}
	}
	return fresh, n
}

// value is a sealed value under the newest key; plain is nil when it does not open.
func (r *resealing) value(key *crypt.Key, at crypt.Place, sealed []byte) (out, plain []byte, changed bool) {
	if key == nil {
		return sealed, nil, false
	}
	plain, current, err := r.s.cfg.Keys.Inspect(key, at, sealed)
	if err != nil {
		return sealed, nil, false
	}
	if plain == nil {
		plain = []byte{}
	}
	if current {
		return sealed, plain, false
	}
	fresh, ok := r.anew[string(sealed)]
	if !ok {
		fresh = r.s.cfg.Keys.Seal(key, at, plain)
		r.anew[string(sealed)] = fresh
	}
	return fresh, plain, true
}

// rekey moves the unique keys of a live row to those of its new blind indexes.
func (r *resealing) rekey(ctx context.Context, old, fresh *Row) error {
	if old.DeletedAt != 0 {
		return nil
	}
	move := func(field *schema.Field, before, after string) error {
		if before == after {
			return nil
		}
		if before != "" {
			if err := r.tx.Release(ctx, r.sh.obj, field, []string{before}); err != nil {
				return err
			}
		}
		if after == "" {
			return nil
		}
		taken, err := r.tx.Reserve(ctx, r.sh.obj, field, map[string]id.ID{after: old.ID})
		if err != nil {
			return err
		}
		if holder, ok := taken[after]; ok {
			return fault.New(fault.Internal, "record.reseal_taken", fault.Params{"record": int64(old.ID), "holder": int64(holder)})
		}
		return nil
	}
	for _, i := range r.sh.unique {
		fs := &r.sh.fields[i]
		if fs.f.Personal {
			if err := move(fs.f, storedKey(fs, old.Cols), storedKey(fs, fresh.Cols)); err != nil {
				return err
			}
		}
	}
	for n := range r.sh.joined {
		j := &r.sh.joined[n]
		if err := move(j.field, j.key(old.Cols), j.key(fresh.Cols)); err != nil {
			return err
		}
	}
	return nil
}

// images brings what changes and merges hold of personal values under the newest keys.
func (r *resealing) images(ctx context.Context, store Resealer, ids []id.ID, subject map[id.ID]id.ID) error {
	rows, err := store.ImagesOf(ctx, r.sh.obj.Key, ids)
	if err != nil {
		return err
	}
	if err := store.PutImages(ctx, r.fresh(rows, subject)); err != nil {
		return err
	}
	if rows, err = store.MergeImagesOf(ctx, r.sh.obj.Key, ids); err != nil {
		return err
	}
	return store.PutMergeImages(ctx, r.fresh(rows, subject))
}

// fresh are those of some images that change, changed.
func (r *resealing) fresh(rows []change.Row, subject map[id.ID]id.ID) []change.Row {
	var changed []change.Row
	for i := range rows {
		c := &rows[i]
		key := r.keys[subject[c.Record]]
		before, n := r.image(key, c.Record, c.Before)
		after, m := r.image(key, c.Record, c.After)
		if n+m > 0 {
			r.out.Changed += n + m
			c.Before, c.After = before, after
			changed = append(changed, *c)
		}
	}
	return changed
}

// image replaces the sealed values within an image and leaves all else of it as it is.
func (r *resealing) image(key *crypt.Key, rec id.ID, raw []byte) (out []byte, n int) {
	cols, fields := r.sh.readImage(raw)
	if cols == nil || key == nil {
		return raw, 0
	}
	swaps := map[string]string{}
	for _, i := range fields {
		fs := &r.sh.fields[i]
		sealed, _ := cols[fs.off].([]byte)
		if !fs.f.Personal || sealed == nil {
			continue
		}
		fresh, _, changed := r.value(key, crypt.Place{Object: r.sh.obj.Key, Field: fs.f.Key, Record: rec}, sealed)
		if changed {
			swaps[string(appendValue(nil, sealed))] = string(appendValue(nil, fresh))
		}
	}
	for _, was := range slices.Sorted(maps.Keys(swaps)) {
		raw = bytes.ReplaceAll(raw, []byte(was), []byte(swaps[was]))
	}
	return raw, len(swaps)
}
