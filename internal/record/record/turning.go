package record

import (
	"context"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// What writes look at while one index key follows another: unique values stand under either.

// uniqueKeys are all that a canonical value may be stored under as a unique key, the one that is written first.
func (s *Service) uniqueKeys(f *schema.Field, v any) []string {
	if f.Personal {
		return s.cfg.Keys.Blinds(schema.BlindClass(f), schema.BlindForm(f, v))
	}
	return []string{s.uniqueKey(f, v)}
}

// keysOfText are the unique keys of a text that somebody typed or a file holds, none for a text that is no value.
func (s *Service) keysOfText(f *schema.Field, text string) []string {
	v, bad := schema.ParseText(f, text, schema.ParseEnv{PhoneRegion: s.cfg.PhoneRegion()})
	if bad != nil || v == nil {
		return nil
	}
	return s.uniqueKeys(f, v)
}

// subjects are whose values some items had.
func subjects(items []*item) []id.ID {
	var out []id.ID
	for _, it := range items {
		if it.old != nil {
			out = append(out, it.sh.subject(it.old))
		}
	}
	return out
}

// elsewhere adds to what is taken the values that another record holds under another index key.
func (w *writing) elsewhere(ctx context.Context, r reservation, items []*item, taken map[string]id.ID) error {
	keys := map[string][]*item{}
	for _, it := range items {
		for _, k := range r.others(it) {
			keys[k] = append(keys[k], it)
		}
	}
	found, err := w.tx.FindUnique(ctx, r.obj, r.field, slices.Sorted(maps.Keys(keys)))
	if err != nil {
		return err
	}
	for k, holder := range found {
		for _, it := range keys[k] {
			if last := len(it.claims) - 1; holder != it.id && last >= 0 {
				taken[it.claims[last].key] = holder
			}
		}
	}
	return nil
}
