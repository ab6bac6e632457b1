package record

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// checkPointers checks that what fields of type record point at exists and may be seen by the actor: nobody attaches
// anything to a record that he cannot open. It reads before the transaction, with one read for each object.
func (s *Service) checkPointers(ctx context.Context, items []*item) error {
	type place struct {
		it *item
		f  *schema.Field
	}
	wanted := map[string]map[id.ID][]place{}
	for _, it := range items {
		if it.values == nil {
			continue
		}
		for i, v := range it.values {
			f := it.sh.fields[i].f
			if v == nil || f.Type != schema.Record {
				continue
			}
			obj, n := s.cfg.Registry().Pointed(v)
			if obj == nil || obj.Virtual {
				it.fail(fault.InvalidField("record.relation_unknown", "fields."+f.Key, fault.Params{"object": "record"}))
				continue
			}
			if wanted[obj.Key] == nil {
				wanted[obj.Key] = map[id.ID][]place{}
			}
			wanted[obj.Key][n] = append(wanted[obj.Key][n], place{it, f})
		}
	}
	for object, byID := range wanted {
		ids := make([]id.ID, 0, len(byID))
		for n := range byID {
			ids = append(ids, n)
		}
		found, err := s.GetMany(ctx, object, ids, []string{})
		if err != nil {
			return err
		}
		for _, r := range found {
			delete(byID, r.ID)
		}
		for _, places := range byID {
			for _, p := range places {
				p.it.fail(fault.InvalidField("record.relation_unknown", "fields."+p.f.Key, fault.Params{"object": object}))
			}
		}
	}
	return nil
}

// Stored reads values of a row as a hook may need them of another record: canonical, nil for none and for personal ones.
func Stored(obj *schema.Object, row *Row, field string) any {
	f := obj.Field(field)
	at := obj.Offset(field)
	if f == nil || at < 0 || f.Personal {
		return nil
	}
	return schema.Decode(f, row.Cols[at:at+len(schema.FieldColumns(f))])
}
