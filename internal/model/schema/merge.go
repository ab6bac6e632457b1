package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Stored is one declaration that a workspace keeps: of an object or a field made at run time, or what it says differently of
// a declared one.
type Stored struct {
	Object string
	Field  string // "" for the object itself
	Spec   []byte // the JSON of an ObjectSpec or a FieldSpec
}

// ObjectSpec is what is stored of an object. Of a declared one only the labels, icon, columns, sort and subtitle count.
type ObjectSpec struct {
	Label          Label        `json:"label,omitempty"`
	Plural         Label        `json:"plural,omitempty"`
	Icon           string       `json:"icon,omitempty"`
	Prefix         string       `json:"prefix,omitempty"`
	Physical       string       `json:"physical,omitempty"`
	TitleField     string       `json:"title_field,omitempty"`
	SubtitleFields []string     `json:"subtitle_fields"` // empty takes away, null says nothing
	CustomerField  string       `json:"customer_field,omitempty"`
	TimeField      string       `json:"time_field,omitempty"`
	DefaultColumns []string     `json:"default_columns,omitempty"`
	DefaultSort    []Sort       `json:"default_sort,omitempty"`
	Rules          []Rule       `json:"rules,omitempty"`
	UniqueRules    []UniqueRule `json:"unique_rules,omitempty"`
	Layouts        []Layout     `json:"layouts,omitempty"`
	// Archived objects and fields are not part of the registry; their tables, columns and data stay.
	Archived bool `json:"archived,omitempty"`
}

// FieldSpec is what is stored of a field. Of a declared one the labels, help, section, width, default and options count, and
// it can become required, indexed, searchable or hidden, never less than declared.
type FieldSpec struct {
	Field
	Archived bool `json:"archived,omitempty"`
}

// Merge applies stored declarations to the standard objects, whose order stays; what was made at run time follows in the
// order in which it is given. The inputs are not changed.
//
// A workspace may have made an object before the program declared one of the same key: its own stays, and the declared one
// is left out. Where only the prefix of ids is the same, the declared object takes another.
func Merge(standard []*Object, stored []Stored) ([]*Object, error) {
	out := make([]*Object, 0, len(standard)+len(stored))
	for _, o := range standard {
		out = append(out, o.clone())
	}
	archived := map[string]bool{}
	for _, st := range stored {
		if st.Field != "" {
			continue
		}
		var spec ObjectSpec
		if err := decode(st.Spec, &spec); err != nil {
			return nil, fmt.Errorf("stored object %s: %w", st.Object, err)
		}
		if spec.Physical != "" {
			for _, o := range out {
				if o.Prefix == spec.Prefix {
					o.Prefix += "a" // no prefix made at run time ends so
				}
			}
		}
		if i := slices.IndexFunc(out, func(o *Object) bool { return o.Key == st.Object }); i >= 0 && spec.Physical == "" {
			out[i].say(&spec)
		} else if i >= 0 && spec.Archived {
			archived[st.Object] = true
		} else if i >= 0 {
			out = append(slices.Delete(out, i, i+1), spec.object(st.Object))
		} else if archived[st.Object] = spec.Archived; !spec.Archived {
			out = append(out, spec.object(st.Object))
		}
	}
	for _, st := range stored {
		if st.Field == "" || archived[st.Object] {
			continue
		}
		i := slices.IndexFunc(out, func(o *Object) bool { return o.Key == st.Object })
		if i < 0 {
			return nil, fmt.Errorf("stored field %s.%s: there is no such object", st.Object, st.Field)
		}
		var spec FieldSpec
		if err := decode(st.Spec, &spec); err != nil {
			return nil, fmt.Errorf("stored field %s.%s: %w", st.Object, st.Field, err)
		}
		out[i].add(st.Field, &spec)
	}
	return out, nil
}

// decode reads a stored declaration, numbers as they are written.
func decode(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return dec.Decode(v)
}

// say applies what a workspace says of a declared object.
func (o *Object) say(s *ObjectSpec) {
	if len(s.Label) > 0 {
		o.Label = s.Label
	}
	if len(s.Plural) > 0 {
		o.Plural = s.Plural
	}
	if s.Icon != "" {
		o.Icon = s.Icon
	}
	if s.SubtitleFields != nil {
		o.SubtitleFields = s.SubtitleFields
	}
	if s.DefaultColumns != nil {
		o.DefaultColumns = s.DefaultColumns
	}
	if s.DefaultSort != nil {
		o.DefaultSort = s.DefaultSort
	}
	o.Rules, o.UniqueRules, o.Layouts = s.rules(), s.uniqueRules(), s.Layouts
}

// uniqueRules are those of a registry of its own.
func (s *ObjectSpec) uniqueRules() []*UniqueRule {
	out := make([]*UniqueRule, len(s.UniqueRules))
	for i := range s.UniqueRules {
		r := s.UniqueRules[i]
		out[i] = &r
	}
	return out
}

// rules are those of a registry of its own.
func (s *ObjectSpec) rules() []*Rule {
	out := make([]*Rule, len(s.Rules))
	for i := range s.Rules {
		r := s.Rules[i]
		out[i] = &r
	}
	return out
}

// object is an object made at run time, without its fields.
func (s *ObjectSpec) object(key string) *Object {
	return &Object{Key: key, Label: s.Label, Plural: s.Plural, Icon: s.Icon, Prefix: s.Prefix, Physical: s.Physical, TitleField: s.TitleField,
		SubtitleFields: s.SubtitleFields, CustomerField: s.CustomerField, TimeField: s.TimeField, DefaultColumns: s.DefaultColumns,
		DefaultSort: s.DefaultSort, Rules: s.rules(), UniqueRules: s.uniqueRules(), Layouts: s.Layouts, Analytic: true}
}

// add puts a stored field into the object, or applies it to the declared one of the same key.
func (o *Object) add(key string, s *FieldSpec) {
	i := slices.IndexFunc(o.Fields, func(f *Field) bool { return f.Key == key && !f.Custom })
	if i < 0 {
		if !s.Archived {
			f := s.Field
			f.Key, f.Custom = key, true
			o.Fields = append(o.Fields, &f)
		}
		return
	}
	f := o.Fields[i]
	if len(s.Label) > 0 {
		f.Label = s.Label
	}
	if s.Help != nil {
		f.Help = s.Help
	}
	if s.Section != "" {
		f.Section = s.Section
	}
	if s.Width > 0 {
		f.Width = s.Width
	}
	if s.Default != nil {
		f.Default = s.Default
	}
	f.Required = f.Required || s.Required
	f.Indexed = f.Indexed || s.Indexed
	f.Searchable = f.Searchable || s.Searchable
	f.Hidden = s.Hidden
	f.ShownWhen, f.RequiredWhen = s.ShownWhen, s.RequiredWhen
	if s.Options != nil {
		f.Options = options(f.Options, s.Options)
	}
}

// options are the declared options under the labels, colours and order that a workspace gives them, and its own. A declared
// one is never lost: the program may write it.
func options(declared, said []Option) []Option {
	out := slices.Clone(said)
	for _, d := range declared {
		if !slices.ContainsFunc(out, func(o Option) bool { return o.Key == d.Key }) {
			out = append(out, d)
		}
	}
	return out
}
