package record

import (
	"context"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// BackTo puts fields of a record back to what they were at a version: those named, or all that changed since. It is an update
// like any other, under the actor's rights and the rules of the object; what he may not write is left out unless he named it.
// Personal values come back without being shown. version is the one the caller saw, 0 takes any. Faults: Invalid
// record.no_such_version, record.value_lost (the key of a former value was destroyed), and those of Update.
func (s *Service) BackTo(ctx context.Context, object string, rec id.ID, version, to int64, fields []string) (*Record, error) {
	obj, err := s.object(ctx, object, access.RecordUpdate)
	if err != nil {
		return nil, err
	}
	now, err := s.Get(ctx, object, rec)
	if err != nil {
		return nil, err
	}
	if to < 1 || to >= now.Version {
		return nil, fault.InvalidField("record.no_such_version", "to", fault.Params{"version": to})
	}
	sh := s.shape(obj)
	for i, key := range fields {
		if _, ok := sh.index[key]; !ok {
			return nil, fault.InvalidField("record.unknown_field", fmt.Sprintf("fields.%d", i), fault.Params{"field": key})
		}
	}
	in, err := s.valuesAt(ctx, sh, rec, to, fields)
	if err != nil {
		return nil, err
	}
	if len(in) == 0 {
		return now, nil
	}
	return s.Update(ctx, object, rec, version, in, func(m *writeMode) { m.back = true })
}

// valuesAt are the values that fields had at a version, of those that changed since.
func (s *Service) valuesAt(ctx context.Context, sh *shape, rec id.ID, to int64, fields []string) (Input, error) {
	in := Input{}
	err := s.cfg.Store.View(ctx, func(r Reader) error {
		rows, err := r.Get(ctx, sh.obj, []id.ID{rec}, true)
		if err != nil || len(rows) == 0 {
			return err
		}
		key, err := s.historyKey(ctx, sh, &rows[0])
		if err != nil {
			return err
		}
		var before change.Position
		for {
			changes, err := r.Changes(ctx, sh.obj.Key, rec, before, MaxLimit)
			if err != nil {
				return err
			}
			for i := range changes {
				if changes[i].Version <= to {
					return nil
				}
				cols, touched := sh.readImage(changes[i].Before)
				_, after := sh.readImage(changes[i].After)
				for _, f := range append(touched, after...) {
					field := sh.fields[f].f
					named := slices.Contains(fields, field.Key)
					if len(fields) > 0 && !named || !named && locked(field, change.Update, &writeMode{}) != "" {
						continue
					}
					in[field.Key] = nil
					if cols == nil || cols[sh.fields[f].off] == nil {
						continue
					}
					if !field.Personal {
						in[field.Key] = sh.valueOf(cols, f)
						continue
					}
					v, err := s.openValue(sh, &Row{ID: rec, Cols: cols}, f, key)
					if err != nil {
						return fault.InvalidField("record.value_lost", "fields."+field.Key, fault.Params{"field": field.Key, "label": field.Label})
					}
					in[field.Key] = v
				}
			}
			if len(changes) < MaxLimit {
				return nil
			}
			before = changes[len(changes)-1].Position
		}
	})
	return in, err
}
