package record

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Option changes how a write is taken.
type Option func(*writeMode)

// writeMode is what a call may do beyond a generic write.
type writeMode struct {
	operation bool // may write fields marked operation_only or read_only
	bulk      bool // fields marked operation_only may be written; created_at may be given
	atomic    bool // one fault refuses everything
	mass      bool // a person's bulk work: ordinary rights, restores besides, and it yields
	batch     id.ID
	then      Then
	back      bool // puts back what was there before, as far as it still is
	carried   bool // an engine's write in the name of somebody: not the sender's request itself
}

// Operation lets an engine write the fields that only its operation may change (owner, balance, gated stage), and
// read-only ones. It is never taken from a request.
func Operation() Option { return func(m *writeMode) { m.operation = true } }

// Create makes a record and returns it. Faults: Forbidden, Invalid (all fields together, code record.invalid over the
// items, or the single one), Conflict record.unique_taken.
func (s *Service) Create(ctx context.Context, object string, in Input, opts ...Option) (*Record, error) {
	obj, err := s.object(ctx, object, access.RecordCreate)
	if err != nil {
		return nil, err
	}
	return s.one(ctx, &item{op: change.Create, sh: s.shape(obj), in: in}, opts)
}

// Update changes the given fields of a record and returns it as it is then. version is the one the caller saw; another
// current one is the Stale record.stale. 0 takes any.
func (s *Service) Update(ctx context.Context, object string, rec id.ID, version int64, in Input, opts ...Option) (*Record, error) {
	obj, err := s.object(ctx, object, access.RecordUpdate)
	if err != nil {
		return nil, err
	}
	return s.one(ctx, &item{op: change.Update, sh: s.shape(obj), id: rec, version: version, in: in}, opts)
}

// Delete moves a record to the recycle bin and frees its unique keys.
func (s *Service) Delete(ctx context.Context, object string, rec id.ID, version int64) error {
	obj, err := s.object(ctx, object, access.RecordDelete)
	if err != nil {
		return err
	}
	_, err = s.one(ctx, &item{op: change.Delete, sh: s.shape(obj), id: rec, version: version}, nil)
	return err
}

// Restore takes a record out of the recycle bin; Conflict when one of its unique keys was taken in the meantime, or when it was
// merged into another one (Unmerge restores it).
func (s *Service) Restore(ctx context.Context, object string, rec id.ID) (*Record, error) {
	obj, err := s.object(ctx, object, access.RecordDelete)
	if err != nil {
		return nil, err
	}
	if _, merged, err := s.MergedInto(ctx, rec); merged || err != nil {
		if err == nil {
			err = fault.New(fault.Conflict, "record.merged", nil)
		}
		return nil, err
	}
	return s.one(ctx, &item{op: change.Restore, sh: s.shape(obj), id: rec}, nil)
}

// Assign changes who looks after a record: the operation behind the owner field (access.Owner). owner 0 clears it. It has a
// right and a scope of its own: the record must lie within that before and after.
func (s *Service) Assign(ctx context.Context, object string, rec, owner id.ID, version int64) (*Record, error) {
	obj, err := s.object(ctx, object, access.RecordAssign)
	if err != nil {
		return nil, err
	}
	field := access.Owner(obj)
	if schema.System(field.Key) == field {
		return nil, fault.New(fault.Conflict, "record.no_owner", fault.Params{"object": obj.Key, "label": obj.Label})
	}
	var v any
	if owner != 0 {
		names, err := s.users(ctx, []id.ID{owner})
		if err != nil {
			return nil, err
		}
		if _, ok := names[owner]; !ok && s.cfg.Users != nil {
			return nil, fault.InvalidField("record.relation_unknown", "owner", fault.Params{"object": "user"})
		}
		v = owner
	}
	it := &item{op: change.Update, sh: s.shape(obj), id: rec, version: version, in: Input{field.Key: v}, assign: true}
	return s.one(ctx, it, []Option{Operation()})
}

// one writes a single item and reads the record back.
func (s *Service) one(ctx context.Context, it *item, opts []Option) (*Record, error) {
	mode := writeMode{atomic: true}
	for _, o := range opts {
		o(&mode)
	}
	pos, err := s.write(ctx, mode, []*item{it})
	if err != nil {
		return nil, err
	}
	if it.op == change.Delete {
		return nil, nil //nolint:nilnil // Delete drops it
	}
	if it.recalled && !access.From(ctx).Unlimited() { // it may have gone out of sight since
		rows, err := s.readSeen(ctx, it.sh.obj, []id.ID{it.id}, true, access.Read)
		if err == nil && len(rows) == 0 {
			err = notFound(it.sh.obj, it.id)
		}
		if err != nil {
			return nil, err
		}
	}
	recs, err := s.present(ctx, it.sh, []Row{it.row}, presentation{titles: true})
	if err != nil {
		return nil, err
	}
	if it.changed() {
		recs[0].Position = pos
	}
	return recs[0], nil
}

// BatchOp is one operation of Batch or Bulk.
type BatchOp struct {
	Op      change.Op // Create, Update or Delete; in Bulk also Restore, and Purge, which removes for good
	Object  string
	ID      id.ID // of the record; of a new one in Bulk, when NewID gave one
	Version int64 // 0 takes any
	Input   Input
	// CreatedAt dates a record of Bulk that came to be earlier, in milliseconds; 0 is now.
	CreatedAt int64
	// Former makes an Update put back what an earlier one did, field by field, where nothing changed since. Input names the
	// fields that the caller wrote then, each with the value Former{}.
	Former *FormerImage

	merged bool // a restore of what was merged into another record
}

// BulkOp is an operation of Bulk.
type BulkOp = BatchOp

// BulkResult is what became of one operation.
type BulkResult struct {
	ID      id.ID
	Version int64
	Created bool
	Changed bool     // false for an update that changed nothing, and where Err is set
	Left    []string // fields that a Former operation left since they were changed after it
	Err     error
}

// MaxBatch is the most operations of one Batch.
const MaxBatch = 1000

// Batch runs up to MaxBatch operations of a caller with ordinary rights in one transaction. When atomic, one fault
// refuses all of them and is returned; otherwise each has its own result.
func (s *Service) Batch(ctx context.Context, atomic bool, ops []BatchOp) ([]BulkResult, change.Position, error) {
	if len(ops) > MaxBatch {
		return nil, change.Position{}, fault.New(fault.TooLarge, "record.batch_too_large", fault.Params{"max": MaxBatch})
	}
	return s.many(ctx, writeMode{atomic: atomic}, ops)
}

// Bulk runs many operations over several objects in one transaction, for imports and engines: it needs the right to
// import, may write operation_only fields, and marks everything with the batch. A fault of an operation leaves out that
// operation, and those that point at a record it would have made, and nothing else; the error is one of the whole. Call it with some
// hundreds to few thousands of operations at a time: others wait for its transaction.
func (s *Service) Bulk(ctx context.Context, batch id.ID, ops []BulkOp) ([]BulkResult, change.Position, error) {
	if err := allow(ctx, access.ImportRun); err != nil {
		return nil, change.Position{}, err
	}
	return s.many(ctx, writeMode{bulk: true, batch: batch}, ops)
}

func (s *Service) many(ctx context.Context, mode writeMode, ops []BatchOp) ([]BulkResult, change.Position, error) {
	items := make([]*item, len(ops))
	store := make([]item, len(ops))
	actor, reg := access.From(ctx), s.cfg.Registry()
	var last *shape
	for i := range ops {
		op := &ops[i]
		it := &store[i]
		*it = item{op: op.Op, id: op.ID, version: op.Version, in: op.Input, createdAt: op.CreatedAt, former: op.Former, assign: mode.mass && mode.operation && op.Op == change.Update}
		if op.merged {
			it.fail(fault.New(fault.Conflict, "record.merged", nil))
		}
		items[i] = it
		if last == nil || last.obj.Key != op.Object {
			obj := reg.Object(op.Object)
			if obj == nil || obj.Virtual {
				it.fail(fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": op.Object}))
				continue
			}
			last = s.shape(obj)
		}
		it.sh = last
		if !mode.bulk {
			it.createdAt = 0
			if op.Op == change.Purge || op.Op == change.Restore && !mode.mass {
				it.fail(fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.ImportRun)}))
			} else if right := rightFor(op.Op); !actor.May(op.Object, actionFor(op.Op)) {
				it.fail(fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(right)}))
			}
			if op.Op == change.Create {
				it.id = 0
			}
		}
	}
	pos, err := s.write(ctx, mode, items)
	if err != nil {
		return nil, change.Position{}, err
	}
	return results(items), pos, nil
}

func results(items []*item) []BulkResult {
	out := make([]BulkResult, len(items))
	for i, it := range items {
		out[i] = BulkResult{ID: it.id, Err: it.err(), Left: it.left}
		if it.ok() {
			out[i].Version = it.row.Version
			out[i].Created = it.op == change.Create
			out[i].Changed = it.changed()
		}
	}
	return out
}

func rightFor(op change.Op) access.Right { return actionFor(op).Right() }

func actionFor(op change.Op) access.Action { return (&item{op: op}).doing() }

// Hook is a rule of an object that runs inside every write of it.
type Hook struct {
	// BeforeWrite runs in the transaction before a create or an update is stored, after all input was read. It may
	// change the record through Set, and refuse the write with a fault. It runs in the store's writer: no waiting.
	BeforeWrite func(ctx context.Context, c *Change) error
}

// RegisterHook adds a hook; all must be added before the Service is used.
func (s *Service) RegisterHook(object string, h Hook) { s.hooks[object] = append(s.hooks[object], h) }

// Change is a write as a hook sees it.
type Change struct {
	Op     change.Op
	Object *schema.Object
	ID     id.ID
	Tx     Reader // reads as of the transaction

	it *item
}

// Get is the value a field will have; nil for none, and for a personal field that this write does not touch.
func (c *Change) Get(field string) any {
	i, ok := c.it.sh.index[field]
	switch {
	case !ok:
		return nil
	case c.it.set[i]:
		return c.it.values[i]
	}
	return c.Old(field)
}

// Old is the value before the write; nil in a new record and for personal fields.
func (c *Change) Old(field string) any {
	i, ok := c.it.sh.index[field]
	if !ok || c.it.old == nil || c.it.sh.fields[i].n == 0 {
		return nil
	}
	return schema.Decode(c.it.sh.fields[i].f, c.it.sh.cols(c.it.old.Cols, i))
}

// Written reports whether the write names a field.
func (c *Change) Written(field string) bool {
	i, ok := c.it.sh.index[field]
	return ok && c.it.set[i]
}

// Set gives a field another canonical value; a field the object does not have is ignored.
func (c *Change) Set(field string, v any) {
	if i, ok := c.it.sh.index[field]; ok {
		c.it.give(i, v)
	}
}
