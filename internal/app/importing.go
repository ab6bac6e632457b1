package app

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
)

// named finds the people of a workspace by folded e-mail addresses or names; those whose account is closed are left out.
func (p people) named(ctx context.Context, texts []string) (map[string][]id.ID, error) {
	us, err := p.app.instance.ListUsers(ctx, p.workspace)
	if err != nil {
		return nil, err
	}
	byEmail, byName := map[string][]id.ID{}, map[string][]id.ID{}
	for _, u := range us {
		if u.Disabled {
			continue
		}
		byEmail[lang.Fold(u.Email)] = append(byEmail[lang.Fold(u.Email)], u.ID)
		byName[lang.Fold(u.Name)] = append(byName[lang.Fold(u.Name)], u.ID)
	}
	out := map[string][]id.ID{}
	for _, t := range texts {
		if list := byEmail[t]; list != nil {
			out[t] = list
		} else if list := byName[t]; list != nil {
			out[t] = list
		}
	}
	return out, nil
}

// optionColours are those that options made by an import take in turn.
var optionColours = [...]string{"teal", "blue", "violet", "amber", "pink", "green", "orange", "gray"} //nolint:gochecknoglobals // a constant

// newOptions makes options of a choice field for an import and gives their keys by label.
func (w *workspace) newOptions(ctx context.Context, object, field string, labels []string) (map[string]string, error) {
	if !access.From(ctx).Can(access.SchemaManage) {
		return nil, fault.New(fault.Forbidden, "import.no_new_options", nil)
	}
	obj := w.registry().Object(object)
	if obj == nil || obj.Field(field) == nil {
		return nil, fault.New(fault.NotFound, "metadata.field_unknown", fault.Params{"field": field})
	}
	options, out := slices.Clone(obj.Field(field).Options), map[string]string{}
	for _, l := range labels {
		same := func(o schema.Option) bool {
			for _, have := range o.Label {
				if lang.Fold(have) == lang.Fold(l) {
					return true
				}
			}
			return false
		}
		if i := slices.IndexFunc(options, same); i >= 0 {
			options[i].Archived = false
			out[l] = options[i].Key
			continue
		}
		key := optionKey(l, options)
		options = append(options, schema.Option{Key: key, Label: schema.Label{lang.ChineseSimplified: l, lang.English: l}, Color: optionColours[len(options)%len(optionColours)]})
		out[l] = key
	}
	return out, w.metadata.UpdateField(ctx, object, field, metadata.FieldChange{Options: options})
}

// optionKey is a key for an option that no other one has: of the letters of its label where it has some.
func optionKey(label string, options []schema.Option) string {
	key := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ' || r == '-' || r == '_':
			return '_'
		}
		return -1
	}, label), "_0123456789")
	if len(key) > 30 {
		key = strings.TrimRight(key[:30], "_")
	}
	if key == "" {
		key = "option"
	}
	base := key
	for n := 2; slices.ContainsFunc(options, func(o schema.Option) bool { return o.Key == key }); n++ {
		key = base + "_" + strconv.Itoa(n)
	}
	return key
}
