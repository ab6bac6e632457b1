package metadata

import (
	"context"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Limits of a layout.
const (
	MaxSections   = 40
	MaxHighlights = 6
	maxTabs       = 100
)

// SetLayout puts a layout in the place of the one of its role. Fields and tabs that it does not name stand behind the others.
// Faults: Forbidden; NotFound metadata.object_unknown; Invalid metadata.*, each naming its member.
func (s *Service) SetLayout(ctx context.Context, object string, l schema.Layout) error {
	return s.change(ctx, "layout.update", object, l.Role, func(d *draft) error {
		obj := d.reg.Object(object)
		if err := CheckLayout(obj, &l); err != nil {
			return err
		}
		spec, err := d.object(object)
		if err != nil {
			return err
		}
		spec.Layouts = slices.DeleteFunc(slices.Clone(spec.Layouts), func(o schema.Layout) bool { return o.Role == l.Role })
		spec.Layouts = append(spec.Layouts, l)
		return d.put(object, "", spec)
	})
}

// RemoveLayout takes the layout of a role away: its people get the one for everyone, or with an empty role that of the program.
func (s *Service) RemoveLayout(ctx context.Context, object, role string) error {
	return s.change(ctx, "layout.remove", object, role, func(d *draft) error {
		obj := d.reg.Object(object)
		if obj == nil {
			return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
		}
		spec, err := d.object(object)
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(spec.Layouts), func(o schema.Layout) bool { return o.Role == role })
		if len(left) == len(spec.Layouts) {
			return fault.New(fault.NotFound, "metadata.layout_unknown", nil)
		}
		spec.Layouts = left
		return d.put(object, "", spec)
	})
}

// CheckLayout says what is wrong with a layout of an object, which is nil where there is none.
func CheckLayout(obj *schema.Object, l *schema.Layout) error {
	if obj == nil || obj.Virtual {
		return fault.New(fault.NotFound, "metadata.object_unknown", nil)
	}
	return joined(checkLayout(obj, l))
}

func checkLayout(obj *schema.Object, l *schema.Layout) (bad []*fault.Fault) {
	add := func(code, at string, p fault.Params) { bad = append(bad, fault.InvalidField(code, at, p)) }
	if len(l.Sections) == 0 || len(l.Sections) > MaxSections {
		add("metadata.layout_sections", "sections", fault.Params{"max": MaxSections})
	}
	if len(l.Highlights) > MaxHighlights {
		add("metadata.layout_highlights", "highlights", fault.Params{"max": MaxHighlights})
	}
	if len(l.Tabs) > maxTabs || len(l.HiddenTabs) > maxTabs {
		add("metadata.layout_tabs", "tabs", fault.Params{"max": maxTabs})
	}
	used := map[string]bool{}
	field := func(at, key string, once bool) {
		switch f := obj.Field(key); {
		case f == nil:
			add("metadata.field_unknown", at, fault.Params{"field": key})
		case once && used[key]:
			add("metadata.layout_twice", at, fault.Params{"field": f.Label})
		case once:
			used[key] = true
		}
	}
	keys := map[string]bool{}
	for i := range l.Sections {
		s := &l.Sections[i]
		at := "sections." + strconv.Itoa(i)
		if s.Key == "" || len(s.Key) > 48 || keys[s.Key] {
			add("metadata.bad_key", at+".key", fault.Params{"key": s.Key})
		}
		keys[s.Key] = true
		if f := checkLabel(at+".title", s.Title, false); f != nil {
			bad = append(bad, f)
		}
		if s.Columns < 0 || s.Columns > 2 {
			add("metadata.layout_columns", at+".columns", nil)
		}
		for _, key := range s.Fields {
			field(at+".fields", key, true)
		}
	}
	for _, key := range l.Hidden {
		field("hidden", key, true)
	}
	for _, key := range l.Highlights {
		field("highlights", key, false)
	}
	return bad
}
