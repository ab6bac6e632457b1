package record

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Lookup finds live records by the text of a field, as a file or a person writes it: values that nobody has, or nobody whom
// the actor sees, are left out. Of a field that is not unique (a phone number) the oldest record is taken. "id" finds by printed id.
func (s *Service) Lookup(ctx context.Context, object, field string, values []string) (map[string]id.ID, error) {
	all, err := s.LookupAll(ctx, object, field, values)
	if err != nil {
		return nil, err
	}
	out := make(map[string]id.ID, len(all))
	for v, list := range all {
		out[v] = list[0]
	}
	return out, nil
}

// LookupAll is Lookup with every record that has the value, the oldest first, as far as the actor sees them.
func (s *Service) LookupAll(ctx context.Context, object, field string, values []string) (map[string][]id.ID, error) {
	out, err := s.lookup(ctx, object, field, values)
	if err != nil || len(out) == 0 || access.From(ctx).Unlimited() {
		return out, err
	}
	var ids []id.ID
	for _, list := range out {
		ids = append(ids, list...)
	}
	rows, err := s.readSeen(ctx, s.cfg.Registry().Object(object), ids, false, access.Read)
	if err != nil {
		return nil, err
	}
	seen := make(map[id.ID]bool, len(rows))
	for i := range rows {
		seen[rows[i].ID] = true
	}
	for v, list := range out {
		out[v] = slices.DeleteFunc(slices.Clone(list), func(rec id.ID) bool { return !seen[rec] })
	}
	maps.DeleteFunc(out, func(_ string, list []id.ID) bool { return len(list) == 0 })
	return out, nil
}

func (s *Service) lookup(ctx context.Context, object, field string, values []string) (map[string][]id.ID, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]id.ID, len(values))
	f := obj.Field(field)
	switch {
	case field == "id":
		return out, s.lookupIDs(ctx, obj, values, out)
	case f == nil || schema.System(field) == f || !access.From(ctx).MayAsk(object, f):
		return nil, fault.InvalidField("record.unknown_field", "field", fault.Params{"field": field})
	case f.Unique:
		return out, s.lookupUnique(ctx, obj, f, values, out)
	}
	switch f.Type {
	case schema.Text, schema.Phone, schema.Email, schema.URL, schema.AutoNumber:
		return out, s.lookupValues(ctx, obj, f, values, out)
	}
	return nil, fault.InvalidField("record.lookup_field", "field", fault.Params{"field": field, "label": f.Label})
}

func (s *Service) lookupIDs(ctx context.Context, obj *schema.Object, values []string, out map[string][]id.ID) error {
	ids := make([]id.ID, 0, len(values))
	for _, v := range values {
		if n, err := id.Parse(obj.Prefix, v); err == nil {
			ids = append(ids, n)
		}
	}
	rows, err := s.rows(ctx, obj, ids, false)
	if err != nil {
		return err
	}
	live := make(map[id.ID]bool, len(rows))
	for i := range rows {
		live[rows[i].ID] = true
	}
	for _, v := range values {
		if n, err := id.Parse(obj.Prefix, v); err == nil && live[n] {
			out[v] = []id.ID{n}
		}
	}
	return nil
}

func (s *Service) lookupUnique(ctx context.Context, obj *schema.Object, f *schema.Field, values []string, out map[string][]id.ID) error {
	keys := make([]string, 0, len(values))
	of := make(map[string][]string, len(values))
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		of[v] = s.keysOfText(f, v)
		for _, k := range of[v] {
			if !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	var found map[string]id.ID
	err := s.cfg.Store.View(ctx, func(r Reader) error {
		var err error
		found, err = r.FindUnique(ctx, obj, f, keys)
		return err
	})
	if err != nil {
		return fmt.Errorf("look up %s.%s: %w", obj.Key, f.Key, err)
	}
	for v, all := range of {
		for _, k := range all {
			if n, ok := found[k]; ok {
				out[v] = []id.ID{n}
			}
		}
	}
	return nil
}

// lookupBatch is how many values one condition names.
const lookupBatch = 200

func (s *Service) lookupValues(ctx context.Context, obj *schema.Object, f *schema.Field, values []string, out map[string][]id.ID) error {
	sh := s.shape(obj)
	env := schema.ParseEnv{PhoneRegion: s.cfg.PhoneRegion()}
	canonical := map[string][]string{}
	var forms []string
	seen := map[string]bool{}
	for _, v := range values {
		c, bad := schema.ParseText(f, v, env)
		if bad != nil || c == nil {
			continue
		}
		text, _ := c.(string)
		canonical[v] = s.uniqueKeys(f, c)
		if !seen[text] {
			seen[text] = true
			forms = append(forms, text)
		}
	}
	fs := &sh.fields[sh.index[f.Key]]
	found := map[string][]id.ID{}
	for len(forms) > 0 {
		n := min(lookupBatch, len(forms))
		raw, err := json.Marshal(forms[:n])
		if err != nil {
			return fmt.Errorf("look up %s.%s: %w", obj.Key, f.Key, err)
		}
		forms = forms[n:]
		where := &query.Node{Field: f.Key, Op: "in", Value: raw}
		err = s.cfg.Store.View(ctx, func(r Reader) error {
			rows, err := r.Select(ctx, obj, Selection{Where: where, Sort: []schema.Sort{{Field: "id"}}, Limit: 50 * lookupBatch})
			for i := range rows {
				k := storedKey(fs, rows[i].Cols)
				if !slices.Contains(found[k], rows[i].ID) {
					found[k] = append(found[k], rows[i].ID)
				}
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("look up %s.%s: %w", obj.Key, f.Key, err)
		}
	}
	for v, all := range canonical {
		for _, k := range all {
			out[v] = append(out[v], found[k]...)
		}
		if len(out[v]) == 0 {
			delete(out, v)
		}
	}
	return nil
}
