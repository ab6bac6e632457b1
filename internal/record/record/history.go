package record

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// Entry is one step in the life of a record.
type Entry struct {
	Position change.Position
	Version  int64
	At       time.Time
	Op       change.Op
	ByKind   access.ActorKind
	By       id.ID
	Batch    id.ID
	Changes  []FieldChange // of an update
	// Related are the records that a Merge or Unmerge was about, and the one that a Delete or Restore merged this into or took it out of.
	Related []id.ID
}

// FieldChange is what happened to one field: canonical values, nil for none. Of a personal field Masked is true and the
// values are masks.
type FieldChange struct {
	Field  string
	Before any
	After  any
	Masked bool
}

// History reads the changes of a record, newest first, before a position (zero: from the newest). next is where to go
// on, zero at the end. Fields that no longer exist are left out.
func (s *Service) History(ctx context.Context, object string, rec id.ID, before change.Position, limit int) (entries []Entry, next change.Position, err error) {
	return s.history(ctx, object, rec, before, limit, false)
}

// PlainHistory is History with personal values in clear, for an engine that asks a condition of a former version. It belongs to the
// program alone (access.System), as PlainValue does; a value that cannot be opened any more is left masked.
func (s *Service) PlainHistory(ctx context.Context, object string, rec id.ID, before change.Position, limit int) (entries []Entry, next change.Position, err error) {
	if access.From(ctx).Kind != access.BySystem {
		return nil, next, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.PersonalReveal)})
	}
	return s.history(ctx, object, rec, before, limit, true)
}

func (s *Service) history(ctx context.Context, object string, rec id.ID, before change.Position, limit int, plain bool) (entries []Entry, next change.Position, err error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, next, err
	}
	if limit <= 0 || limit > MaxLimit {
		limit = 50
	}
	sh := s.shape(obj)
	var changes []change.Row
	var rows []Row
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		var err error
		if rows, err = r.Get(ctx, obj, []id.ID{rec}, true); err == nil {
			rows, err = s.seen(ctx, r, sh, rows, access.Read)
		}
		if err != nil || len(rows) == 0 {
			return err
		}
		changes, err = r.Changes(ctx, object, rec, before, limit+1)
		return err
	})
	if err != nil {
		return nil, next, fmt.Errorf("read history of %s: %w", object, err)
	}
	if len(rows) == 0 {
		return nil, next, notFound(obj, rec)
	}
	if len(changes) > limit {
		changes = changes[:limit]
		next = changes[limit-1].Position
	}
	key, err := s.historyKey(ctx, sh, &rows[0])
	if err != nil {
		return nil, next, err
	}
	env, seen := s.Env(ctx), fieldsSeen(ctx, sh)
	for i := range changes {
		e := s.entry(sh, &changes[i], key, &env)
		if e.Op == change.Update && (len(e.Changes) == 0 && !plain || change.IsReshaped(changes[i].After)) {
			continue // rollups and conversions alone
		}
		if e.Op == change.Attach || e.Op == change.Detach {
			continue // no version of the record
		}
		e.Changes = inSight(e.Changes, seen)
		if plain {
			s.unmask(sh, &changes[i], key, e.Changes)
		}
		entries = append(entries, e)
	}
	return entries, next, nil
}

// inSight leaves out what the reader does not see, and masks what it sees masked.
func inSight(changes []FieldChange, seen map[string]access.FieldAccess) []FieldChange {
	if seen == nil {
		return changes
	}
	var out []FieldChange
	for _, ch := range changes {
		switch {
		case seen[ch.Field] == access.FieldHidden:
			continue
		case seen[ch.Field] == access.FieldMasked && !ch.Masked:
			ch.Masked = true
			for _, v := range []*any{&ch.Before, &ch.After} {
				if *v != nil {
					*v = masked
				}
			}
		}
		out = append(out, ch)
	}
	return out
}

// historyKey is the data key for the personal values in a record's changes, nil when it has none.
func (s *Service) historyKey(ctx context.Context, sh *shape, row *Row) (*crypt.Key, error) {
	if len(sh.personal) == 0 {
		return nil, nil //nolint:nilnil // nothing to open
	}
	subject := sh.subject(row)
	if key := s.cfg.Keys.Cached(subject); key != nil {
		return key, nil
	}
	keys := map[id.ID]*crypt.Key{}
	err := s.unwrap(ctx, []id.ID{subject}, keys)
	return keys[subject], err
}

func (s *Service) entry(sh *shape, c *change.Row, key *crypt.Key, env *schema.ParseEnv) Entry {
	e := Entry{Position: c.Position, Version: c.Version, At: time.UnixMilli(c.At).UTC(), Op: c.Op, ByKind: c.ByKind, By: c.By, Batch: c.Batch}
	before, fields := sh.readImage(c.Before)
	after, more := sh.readImage(c.After)
	for _, i := range more {
		if !slices.Contains(fields, i) {
			fields = append(fields, i)
		}
	}
	for _, n := range change.Notes(c.After) {
		e.Related = append(e.Related, n.Records...)
	}
	slices.Sort(fields)
	for _, i := range fields {
		f := sh.fields[i].f
		if f.Rollup != nil || f.Becoming != nil {
			continue // follows from what happened to other records
		}
		ch := FieldChange{Field: f.Key, Masked: f.Personal}
		if f.Personal {
			ch.Before, ch.After = s.maskOf(sh, c.Record, before, i, key, env), s.maskOf(sh, c.Record, after, i, key, env)
		} else {
			ch.Before, ch.After = sh.valueOf(before, i), sh.valueOf(after, i)
		}
		e.Changes = append(e.Changes, ch)
	}
	return e
}

// unmask puts personal values in clear in the place of their masks.
func (s *Service) unmask(sh *shape, c *change.Row, key *crypt.Key, changes []FieldChange) {
	before, _ := sh.readImage(c.Before)
	after, _ := sh.readImage(c.After)
	for k := range changes {
		ch := &changes[k]
		if !ch.Masked {
			continue
		}
		i := sh.index[ch.Field]
		open := func(cols []any) (any, bool) {
			if cols == nil || cols[sh.fields[i].off] == nil {
				return nil, true
			}
			v, err := s.openValue(sh, &Row{ID: c.Record, Cols: cols}, i, key)
			return v, err == nil
		}
		b, ok1 := open(before)
		a, ok2 := open(after)
		if ok1 && ok2 {
			ch.Before, ch.After, ch.Masked = b, a, false
		}
	}
}

func (sh *shape) valueOf(cols []any, i int) any {
	if cols == nil {
		return nil
	}
	return schema.Decode(sh.fields[i].f, sh.cols(cols, i))
}

// maskOf is the mask of a personal value in a change. Values from before the record moved to another customer cannot be
// opened any more and show as stars.
func (s *Service) maskOf(sh *shape, rec id.ID, cols []any, i int, key *crypt.Key, env *schema.ParseEnv) any {
	if cols == nil || cols[sh.fields[i].off] == nil {
		return nil
	}
	v, err := s.openValue(sh, &Row{ID: rec, Cols: cols}, i, key)
	if err != nil || v == nil {
		return "***"
	}
	return schema.Mask(sh.fields[i].f, v, *env)
}

// ChangesOf reads a change row as fields. Personal values are left out of it: Masked is true and both are nil. Rollups, which follow from
// other records, and fields that no longer exist are left out.
func (s *Service) ChangesOf(c *change.Row) []FieldChange {
	obj := s.cfg.Registry().Object(c.Object)
	if obj == nil || obj.Virtual {
		return nil
	}
	sh := s.shape(obj)
	before, fields := sh.readImage(c.Before)
	after, more := sh.readImage(c.After)
	for _, i := range more {
		if !slices.Contains(fields, i) {
			fields = append(fields, i)
		}
	}
	slices.Sort(fields)
	out := make([]FieldChange, 0, len(fields))
	for _, i := range fields {
		f := sh.fields[i].f
		switch {
		case f.Rollup != nil:
		case f.Personal:
			out = append(out, FieldChange{Field: f.Key, Masked: true})
		default:
			out = append(out, FieldChange{Field: f.Key, Before: sh.valueOf(before, i), After: sh.valueOf(after, i)})
		}
	}
	return out
}
